package tasks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
	"countinghouse/providers/wspn"
	"countinghouse/providers/wspn/sandbox"
)

// courier hands documents over to WSPN's stand-in over HTTP.
type courier struct {
	*testing.T
	store      *store.Store
	desk       *tasks.Desk
	queue      *jobs.Queue
	calls      chan providers.Delivery // webhooks of the stand-in, as they come in
	kyb        *tasks.KYB
	url        string
	cred       models.Credential
	ines, omar models.Actor
}

func newCourier(t *testing.T, s *store.Store, settings map[string]string) *courier {
	t.Helper()
	secrets := map[string]string{"api_key": "key-0123456789", "api_secret": "secret-0123456789"}
	calls := make(chan providers.Delivery, 20)
	hooked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- providers.Delivery{Topic: "events", Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: body, ReceivedAt: models.At(time.Now())}
		_, _ = io.WriteString(w, "SUCCESS")
	}))
	t.Cleanup(hooked.Close)
	box := sandbox.New(sandbox.Options{Credential: secrets, Settings: map[string]string{"webhook_url_events": hooked.URL + "/hooks/wspn/events"}, Seed: 1})
	srv := httptest.NewServer(box)
	t.Cleanup(func() { srv.Close(); _ = box.Close() })
	who := func(id, name string, role models.Role) models.Actor {
		return models.Actor{UserID: id, Name: name, Roles: []models.Role{role}, StepUp: s.Now()}
	}
	p := wspn.Provider()
	registry := providers.NewRegistry(p)
	s.UseKYB(func(_ string, _ models.Environment, settings map[string]string) (models.KYBRules, bool) {
		return p.Description.KYB(models.Sandbox, settings), true
	})
	v := storetest.Vault(t)
	c := &courier{T: t, store: s, url: srv.URL, calls: calls, ines: who("u-ines", "Inês", models.Compliance), omar: who("u-omar", "Omar", models.Compliance)}
	ann := who("u-ann", "Ann", models.Admin)
	var err error
	if c.cred, err = s.CreateCredential(t.Context(), ann, v, models.CredentialSpec{Provider: "wspn", Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: "WSPN"},
		Values: map[string]string{"base_url": srv.URL}, Secrets: secrets, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AskChange(t.Context(), ann, models.CredentialChange{CredentialID: c.cred.ID, Kind: models.ChangeActivate}, c.cred.Version); err != nil {
		t.Fatal(err)
	}
	recorder := tasks.NewRecorder(s, nil)
	t.Cleanup(recorder.Close)
	desk := tasks.NewDesk(tasks.DeskConfig{Store: s, Vault: v, Registry: registry, Recorder: recorder, Clock: time.Now})
	t.Cleanup(desk.Close)
	engine := jobs.Engine(s.Engine)
	if err := jobs.Migrate(t.Context(), s.WriteDB(), engine); err != nil {
		t.Fatal(err)
	}
	q, err := jobs.New(jobs.Config{DB: s.WriteDB(), Engine: engine, Lanes: map[string]int{tasks.KYBLane: 1, tasks.WebhookLane: 1}})
	if err != nil {
		t.Fatal(err)
	}
	disk, err := files.OpenDisk(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	c.kyb = &tasks.KYB{Store: s, Clients: desk, Files: files.Seal(disk, v), Queue: q, Log: slog.New(slog.DiscardHandler), Instance: "here", Alone: true}
	c.kyb.Register()
	c.desk, c.queue = desk, q
	return c
}

// tell speaks to the controls of the stand-in.
func (c *courier) tell(what string, form url.Values) {
	c.Helper()
	res, err := http.PostForm(c.url+"/_sandbox/"+what, form) //nolint:noctx // a control of a test
	if err != nil || res.StatusCode != 200 {
		c.Fatalf("%s: %v", what, err)
	}
	_ = res.Body.Close()
}

// company opens a case with an account at the stand-in and a document, and has its submission approved.
func (c *courier) company(i int) models.KYBSubmission {
	c.Helper()
	account := fmt.Sprint(300001 + i)
	c.tell("member", url.Values{"client": {account}, "company": {"Company " + account}})
	k, err := c.store.CreateKYBCase(c.Context(), c.ines, models.Sandbox, models.KYBCaseForm{Company: "Company " + account, Country: "SGP", Type: "corporate"})
	if err != nil {
		c.Fatal(err)
	}
	l, err := c.store.LinkKYB(c.Context(), c.ines, models.Sandbox, k.ID, c.cred.ID, account)
	if err != nil {
		c.Fatal(err)
	}
	d := c.paper(k.ID, "", "incorporation", "%PDF-1.4 of "+account)
	sub, err := c.store.PrepareKYB(c.Context(), c.ines, models.Sandbox, k.ID, l.ID, []string{d.ID}, "")
	if err != nil {
		c.Fatal(err)
	}
	c.agrees(sub.ID)
	return sub
}

// paper puts a file on a case, as a new document or a new version of one.
func (c *courier) paper(caseID, documentID, kind, body string) models.KYBDocument {
	c.Helper()
	id := models.NewID()
	kept, err := c.kyb.Files.Put(c.Context(), "kyb/sandbox/"+id, strings.NewReader(body), int64(len(body)))
	if err != nil {
		c.Fatal(err)
	}
	d, _, err := c.store.AddKYBFile(c.Context(), c.ines, models.Sandbox, store.NewKYBFile{CaseID: caseID, DocumentID: documentID, ID: id, Key: kept.Key, Name: kind + ".pdf", Kind: models.DocumentKind(kind), Type: files.PDF,
		Size: kept.Size, SHA256: kept.SHA256, Scan: "unscanned"})
	if err != nil {
		c.Fatal(err)
	}
	return d
}

// agrees is the second person.
func (c *courier) agrees(submissionID string) {
	c.Helper()
	page := c.page(submissionID)
	if _, err := c.store.Decide(c.Context(), c.omar, models.Sandbox, page.Requests[0].ID, true, "", page.Requests[0].Digest); err != nil {
		c.Fatal(err)
	}
}

func (c *courier) page(id string) models.KYBSubmissionPage {
	c.Helper()
	p, err := c.store.KYBSubmission(c.Context(), c.ines, models.Sandbox, id)
	if err != nil {
		c.Fatal(err)
	}
	return p
}

// send starts a run and carries it out.
func (c *courier) send(ids ...string) models.KYBRun {
	c.Helper()
	run, err := c.store.SendKYB(c.Context(), c.ines, models.Sandbox, ids)
	if err != nil {
		c.Fatal(err)
	}
	if err := c.kyb.Send(c.Context(), run.ID); err != nil {
		c.Fatal(err)
	}
	done, err := c.store.KYBRunForTask(c.Context(), run.ID)
	if err != nil {
		c.Fatal(err)
	}
	return done
}

func (c *courier) ask() {
	c.Helper()
	if err := c.kyb.Ask(c.Context(), c.cred.ID); err != nil {
		c.Fatal(err)
	}
}

// arrived is how often the stand-in took the files of an account.
func (c *courier) arrived(i int) int {
	c.Helper()
	res, err := http.Get(c.url + "/_sandbox/executions") //nolint:noctx // a control of a test
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var n map[string]int
	if err := json.NewDecoder(res.Body).Decode(&n); err != nil {
		c.Fatal(err)
	}
	return n["kyb:"+fmt.Sprint(300001+i)]
}

func eachCourier(t *testing.T, test func(c *courier)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { test(newCourier(t, s, map[string]string{})) })
}

func TestDocumentsOfManyCompaniesAreHandedOverAndTheProvidersWordIsFollowed(t *testing.T) {
	eachCourier(t, func(c *courier) {
		one, two := c.company(0), c.company(1)
		run := c.send(one.ID, two.ID)
		if run.State != "done" || run.Accepted != 2 || c.arrived(0) != 1 || c.arrived(1) != 1 {
			c.Fatalf("the run %+v; arrived %d and %d times", run, c.arrived(0), c.arrived(1))
		}
		c.tell("kyb", url.Values{"client": {"300001"}, "status": {"question"}, "remark": {"Who owns it?"}})
		c.tell("kyb", url.Values{"client": {"300002"}, "status": {"approved"}})
		c.ask()
		if a, b := c.page(one.ID).Submission.State, c.page(two.ID).Submission.State; a != models.SubQuestion || b != models.SubVerified {
			c.Errorf("they stand as %s and %s", a, b)
		}
		if err := c.kyb.Send(c.Context(), run.ID); err != nil || c.arrived(0) != 1 {
			c.Errorf("running it again sent again: %d, %v", c.arrived(0), err)
		}
	})
}

func TestALostReplyIsUnknownSettledByAskingAndNeverSentAgain(t *testing.T) {
	eachCourier(t, func(c *courier) {
		sub := c.company(0)
		c.tell("fault", url.Values{"operation": {"/kyb/submit"}, "kind": {"lose_reply"}, "times": {"1"}})
		run := c.send(sub.ID)
		if got := c.page(sub.ID).Submission; got.State != models.SubUnknown || got.WordBefore != "Pending KYC" || run.Unknown != 1 {
			c.Fatalf("after the lost reply: %+v, %+v", got, run)
		}
		if err := c.kyb.Send(c.Context(), run.ID); err != nil {
			c.Fatal(err)
		}
		c.ask() // the stand-in has taken it and says another word than before
		if got := c.page(sub.ID).Submission.State; got != models.SubSubmitted || c.arrived(0) != 1 {
			c.Errorf("it is %s and arrived %d times", got, c.arrived(0))
		}
	})
}

func TestWhatNeverArrivedStaysUnknownAndIsNotSentAgain(t *testing.T) {
	eachCourier(t, func(c *courier) {
		sub := c.company(0)
		c.tell("fault", url.Values{"operation": {"/kyb/submit"}, "kind": {"drop_before"}, "times": {"1"}})
		run := c.send(sub.ID)
		c.ask()
		if err := c.kyb.Send(c.Context(), run.ID); err != nil {
			c.Fatal(err)
		}
		if got := c.page(sub.ID).Submission.State; got != models.SubUnknown || c.arrived(0) != 0 {
			c.Errorf("it is %s and arrived %d times", got, c.arrived(0))
		}
	})
}

func TestAFileThatIsNotWhatWasApprovedDoesNotLeave(t *testing.T) {
	eachCourier(t, func(c *courier) {
		sub := c.company(0)
		key, err := c.store.KYBFileKey(c.Context(), sub.Files[0].VersionID)
		if err != nil {
			c.Fatal(err)
		}
		if err := c.kyb.Files.Delete(c.Context(), key); err != nil {
			c.Fatal(err)
		}
		if _, err := c.kyb.Files.Put(c.Context(), key, bytes.NewReader([]byte("another paper")), -1); err != nil {
			c.Fatal(err)
		}
		run := c.send(sub.ID)
		if got := c.page(sub.ID).Submission.State; got != models.SubApproved || c.arrived(0) != 0 || run.NotSent != 1 {
			c.Errorf("it is %s and arrived %d times: %+v", got, c.arrived(0), run)
		}
	})
}
