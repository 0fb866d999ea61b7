package tasks_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
	"countinghouse/providers/all"
)

// agency is a merchant with a credential at every provider that opens sub-accounts, their stand-ins over HTTP, and the task that opens them.
type agency struct {
	*testing.T
	store *store.Store
	clock *storetest.Clock
	tend  *tasks.SubAccounts
	desk  *tasks.Desk
	url   string
	cred  models.Credential
	ines  models.Actor // compliance
	tom   models.Actor // admin
}

func eachAgency(t *testing.T, test func(h *agency)) {
	t.Helper()
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		reg := all.Registry()
		var p *providers.Provider
		for _, x := range reg.All() {
			if x.Description.Has(providers.CanOpenSubAccounts) {
				p = x
			}
		}
		if p == nil {
			t.Fatal("no provider of this build opens sub-accounts")
		}
		h := &agency{T: t, store: s, clock: clock}
		var box providers.SandboxHandler
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { box.ServeHTTP(w, r) }))
		h.url = srv.URL
		spec := models.CredentialSpec{Provider: p.Description.Name, Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: "Main"},
			Values: map[string]string{}, Secrets: map[string]string{}, Settings: p.Description.Demo}
		every := map[string]string{}
		for _, f := range p.Description.Fields {
			v := "100200"
			switch {
			case f.Secret:
				v = "canary-secret-" + f.Name
				spec.Secrets[f.Name] = v
			case f.Kind == providers.URL:
				v = srv.URL
			}
			if !f.Secret {
				spec.Values[f.Name] = v
			}
			every[f.Name] = v
		}
		box = all.Sandboxes()[p.Description.Name](providers.SandboxOptions{Credential: every, Settings: map[string]string{"late_ms": "300"}, Seed: 5})
		t.Cleanup(func() { srv.CloseClientConnections(); srv.Close(); _ = box.Close() })
		v := storetest.Vault(t)
		h.tom = storetest.SetUp(t, s).Actor(s)
		h.ines = storetest.Add(t, s, "ines@example.com", "Inês", models.Compliance).Actor(s)
		cred, err := s.CreateCredential(t.Context(), h.tom, v, spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AskChange(t.Context(), h.tom, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
			t.Fatal(err)
		}
		h.cred = cred
		log := slog.New(slog.DiscardHandler)
		rec := tasks.NewRecorder(s, log)
		h.desk = tasks.NewDesk(tasks.DeskConfig{Store: s, Vault: v, Registry: reg, Recorder: rec, Log: log, Clock: time.Now}) // stand-ins hold signatures against the wall clock
		t.Cleanup(func() { h.desk.Close(); rec.Close() })
		h.tend = &tasks.SubAccounts{Store: s, Clients: h.desk, Registry: reg, Log: log, Instance: "one"}
		test(h)
		for what, n := range h.executions() {
			if strings.HasPrefix(what, "sub-account:") && n != 1 {
				t.Errorf("%s was created %d times", what, n)
			}
		}
	}, storetest.WithClock(clock))
}

func (h *agency) executions() map[string]int {
	h.Helper()
	res, err := http.Get(h.url + "/_sandbox/executions") //nolint:noctx // a test's own server
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := map[string]int{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		h.Fatal(err)
	}
	return out
}

func (h *agency) fault(path, kind string, times int) {
	h.Helper()
	res, err := http.PostForm(h.url+"/_sandbox/fault", url.Values{"operation": {path}, "kind": {kind}, "times": {fmt.Sprint(times)}}) //nolint:noctx // a test's own server
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		h.Fatalf("the stand-in refuses the fault: %d", res.StatusCode)
	}
}

func spec(n int) models.SubAccountSpec {
	return models.SubAccountSpec{Company: fmt.Sprintf("Casa Azul %d Ltda", n), Country: "BRA", Type: "4", Email: fmt.Sprintf("ops%d@casa.example", n), Username: fmt.Sprintf("casa-%d", n)}
}

func (h *agency) ask(n int) *models.SubAccount {
	h.Helper()
	a, err := h.store.CreateSubAccount(h.Context(), h.ines, store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Asked: true, Spec: spec(n)})
	if err != nil {
		h.Fatal(err)
	}
	return a
}

// work lets time pass and the task do what is due, as often as it takes that long.
func (h *agency) work(d time.Duration) {
	h.Helper()
	for range int(d/(30*time.Second)) + 1 {
		if err := h.tend.Sweep(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.clock.Advance(min(d, 30*time.Second))
	}
}

func (h *agency) get(id string) *models.SubAccountPage {
	h.Helper()
	p, err := h.store.SubAccount(h.Context(), h.ines, models.Sandbox, id)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

func (h *agency) want(id string, s models.SubAccountState) *models.SubAccountPage {
	h.Helper()
	p := h.get(id)
	if p.State != s {
		var story []string
		for _, e := range p.Events {
			story = append(story, e.Sentence)
		}
		h.Fatalf("the sub-account is %q (%s), want %q; its story, newest first:\n%s", p.State, p.Reason, s, strings.Join(story, "\n"))
	}
	return p
}

const createPath, batchPath, listPath = "/user-account/create", "/user-account/batch-create", "/user-account/sub-account"

func TestANewSubAccountGetsTheirIDFromTheListBecauseTheAnswerHasNone(t *testing.T) {
	eachAgency(t, func(h *agency) {
		a := h.ask(1)
		if a.State != models.SubAccountWaiting || a.TheirID != "" {
			h.Fatalf("before anything was sent: %+v", a)
		}
		h.work(0)
		p := h.want(a.ID, models.SubAccountOpen)
		if p.TheirID == "" || p.TheirState != "Pending KYC" || p.OpenedAt == 0 || p.Alert != "" {
			h.Errorf("open as %+v", p.SubAccount)
		}
		if n := h.executions()["sub-account:ops1@casa.example"]; n != 1 {
			h.Errorf("the provider made it %d times", n)
		}
		h.work(time.Hour)
		if n := h.executions()["sub-account:ops1@casa.example"]; n != 1 {
			h.Errorf("an hour later it was made %d times", n)
		}
	})
}

// afterAnswer does something once, between the answer of the next creation and its recording.
func (h *agency) afterAnswer(f func()) {
	var once sync.Once
	h.tend.Step = func(name string) {
		if name == "account_after_answer" {
			once.Do(f)
		}
	}
}

func TestALostAnswerIsSettledByTheListAndNeverByAskingAgain(t *testing.T) {
	for _, kind := range []string{"lose_reply", "garbage", "http_500", "truncate", "redirect"} {
		t.Run(kind, func(t *testing.T) {
			eachAgency(t, func(h *agency) {
				h.fault(createPath, kind, 1)
				h.afterAnswer(func() { h.fault(listPath, "http_500", 2) })
				a := h.ask(1)
				h.work(0)
				p := h.want(a.ID, models.SubAccountUnknown)
				if p.Alert == "" || p.TheirID != "" || p.AnsweredAt == 0 {
					h.Errorf("an unknown outcome is shown as %+v", p.SubAccount)
				}
				h.work(5 * time.Minute)
				p = h.want(a.ID, models.SubAccountOpen)
				if p.Alert != "" || !strings.Contains(p.Events[0].Sentence, "lost answer is settled") {
					h.Errorf("settled as %+v, %s", p.SubAccount, p.Events[0].Sentence)
				}
			})
		})
	}
}

func TestAnAnswerThatComesLateIsAnAnswer(t *testing.T) {
	eachAgency(t, func(h *agency) {
		h.fault(createPath, "late", 1)
		a := h.ask(1)
		h.work(0)
		h.want(a.ID, models.SubAccountOpen)
	})
}

func TestWhatTheListsNeverShowIsSentAgainOnlyWhenAnAdminAgrees(t *testing.T) {
	eachAgency(t, func(h *agency) {
		h.fault(createPath, "drop_before", 1)
		a := h.ask(1)
		h.work(9 * time.Minute)
		h.want(a.ID, models.SubAccountUnknown) // many lists did not show it, but a request under way could still arrive
		if _, err := h.store.ResendSubAccount(h.Context(), h.fresh(h.ines), models.Sandbox, a.ID, "I am sure"); !models.Is(err, models.Conflict) {
			h.Errorf("sending again without evidence: %v", err)
		}
		h.work(10 * time.Minute)
		p := h.want(a.ID, models.SubAccountAbsent)
		if p.Missed < models.AbsentLists {
			h.Errorf("absent after %d lists", p.Missed)
		}
		h.work(3 * time.Hour)
		h.want(a.ID, models.SubAccountAbsent) // nothing is ever sent again by itself
		if n := h.executions()["sub-account:ops1@casa.example"]; n != 0 {
			h.Fatalf("it was created %d times", n)
		}
		stale := h.ines
		stale.StepUp = 0
		for name, err := range map[string]error{
			"without a reason":        second(h.store.ResendSubAccount(h.Context(), h.fresh(h.ines), models.Sandbox, a.ID, " ")),
			"without a second factor": second(h.store.ResendSubAccount(h.Context(), stale, models.Sandbox, a.ID, "the lists")),
			"by an admin":             second(h.store.ResendSubAccount(h.Context(), h.fresh(h.tom), models.Sandbox, a.ID, "the lists")),
		} {
			if err == nil {
				h.Errorf("%s it was sent again", name)
			}
		}
		pending, err := h.store.ResendSubAccount(h.Context(), h.fresh(h.ines), models.Sandbox, a.ID, "twenty lists without it")
		if err != nil || !pending {
			h.Fatalf("asking to send again: pending %v, %v", pending, err)
		}
		p = h.want(a.ID, models.SubAccountAbsent)
		if p.Change == nil {
			h.Fatal("the page does not say that an admin must agree")
		}
		if _, err := h.store.ApproveChange(h.Context(), h.fresh(h.tom), p.Change.ID); err != nil {
			h.Fatal(err)
		}
		h.work(0)
		h.want(a.ID, models.SubAccountOpen)
	})
}

func second[T any](_ T, err error) error { return err }

func (h *agency) fresh(a models.Actor) models.Actor { a.StepUp = h.store.Now(); return a }

// A request that was thought dead arrives hours later. The list shows it, the agreement to send again is void, and nothing is made twice.
func TestARequestThatArrivesHoursLateIsFoundAndTheAgreementToSendAgainIsVoid(t *testing.T) {
	eachAgency(t, func(h *agency) {
		h.fault(createPath, "drop_before", 1)
		a := h.ask(1)
		h.work(20 * time.Minute)
		h.want(a.ID, models.SubAccountAbsent)
		if _, err := h.store.ResendSubAccount(h.Context(), h.fresh(h.ines), models.Sandbox, a.ID, "the lists"); err != nil {
			h.Fatal(err)
		}
		change := h.get(a.ID).Change.ID
		h.atTheProvider(1)
		if err := h.store.AskSubAccounts(h.Context(), h.ines, models.Sandbox, h.cred.ID); err != nil {
			h.Fatal(err)
		}
		h.work(0)
		h.want(a.ID, models.SubAccountOpen)
		if _, err := h.store.ApproveChange(h.Context(), h.fresh(h.tom), change); !models.Is(err, models.Conflict) {
			h.Errorf("an agreement about what is open already: %v", err)
		}
		h.work(time.Hour)
	})
}

// atTheProvider makes an account there behind our back.
func (h *agency) atTheProvider(n int) {
	h.Helper()
	client, _, _, err := h.desk.Client(h.Context(), h.cred.ID)
	if err != nil {
		h.Fatal(err)
	}
	x := spec(n)
	out := client.(providers.SubAccounts).CreateSubAccount(h.Context(), providers.SubAccount{Company: x.Company, Country: x.Country, Type: x.Type, Email: x.Email, Username: x.Username})
	if _, ok := out.(providers.Accepted); !ok {
		h.Fatalf("the stand-in says %#v", out)
	}
}

func TestAProcessThatDiesBetweenIntentAndAnswerLeavesAnUnknownThatTheListSettles(t *testing.T) {
	for name, arrived := range map[string]bool{"the request arrived": true, "it never left": false} {
		t.Run(name, func(t *testing.T) {
			eachAgency(t, func(h *agency) {
				a := h.ask(1)
				if err := h.store.RecordSubAccountList(h.Context(), h.cred.ID, models.SubAccountListing{StartedAt: h.store.Now(), Complete: true}); err != nil {
					h.Fatal(err)
				}
				call, err := h.store.BeginSubAccountCall(h.Context(), h.cred.ID, "the process before")
				if err != nil || call == nil {
					h.Fatalf("%v, %v", call, err)
				}
				if again, err := h.store.BeginSubAccountCall(h.Context(), h.cred.ID, "another"); again != nil || err != nil {
					h.Errorf("a second call while one is in flight: %v, %v", again, err)
				}
				if arrived {
					h.atTheProvider(1)
				}
				if n, err := h.store.LoseSubAccountCalls(h.Context(), "one"); n != 1 || err != nil {
					h.Fatalf("lost %d calls, %v", n, err)
				}
				h.want(a.ID, models.SubAccountUnknown)
				h.clock.Advance(time.Second)
				h.work(20 * time.Minute)
				if arrived {
					h.want(a.ID, models.SubAccountOpen)
				} else {
					h.want(a.ID, models.SubAccountAbsent)
				}
				if err := h.store.RecordSubAccountCall(h.Context(), call.ID, models.Answer{State: models.AttemptRefused, Message: "no"}); err != nil {
					h.Fatal(err)
				}
				if p := h.get(a.ID); p.State == models.SubAccountRefused || !strings.Contains(p.Events[0].Sentence, "Late answer") {
					h.Errorf("the answer of a dead process changed the verdict: %q, %s", p.State, p.Events[0].Sentence)
				}
			})
		})
	}
}
