package tasks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
)

func TestOneClientServesACredentialUntilItChanges(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		client := func() any {
			b.Helper()
			got, p, cred, err := b.desk.Client(b.Context(), c.ID)
			if err != nil || p.Description.Name != "plainpay" || cred.ID != c.ID {
				b.Fatalf("client: %v, %v, %v", p, cred.ID, err)
			}
			return got
		}
		first := client()
		if client() != first {
			b.Error("a second call built a second client: its token would be another")
		}
		b.change(models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit, Values: c.Values, Settings: map[string]string{"scheme": "two"}}, 1)
		second := client()
		if second == first {
			b.Error("the client of the old settings still serves")
		}
		if err := b.store.AddEvidence(b.Context(), "test", []models.ItemEvidence{{CredentialID: c.ID, Item: "PP-AUTH", Verdict: models.Proved, Basis: b.get(c.ID).Basis()}}); err != nil {
			b.Fatal(err)
		}
		if third := client(); third == second {
			b.Error("a client that does not know of the proof still serves")
		}
		if _, err := b.desk.Balances(b.Context(), c.ID); err != nil {
			b.Fatal(err)
		}
		if got := b.server.seen[0]; got.Get("X-Scheme") != "two" || got.Get("X-Proven") != "1" {
			b.Errorf("the client worked with scheme %q, proven %q", got.Get("X-Scheme"), got.Get("X-Proven"))
		}
		if err := b.store.RevokeCredential(b.Context(), b.ann, c.ID, "gone"); err != nil {
			b.Fatal(err)
		}
		if _, _, _, err := b.desk.Client(b.Context(), c.ID); !models.Is(err, models.Conflict) {
			b.Errorf("the client of a revoked credential: %v", err)
		}
	})
}

func TestATestSaysWhatHappenedAndKeepsItAsEvidence(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		got, err := b.desk.Check(b.Context(), b.ann, c.ID, models.SlotCurrent)
		if err != nil || !got.Passed() || got.Sentence != "The balance came." {
			b.Fatalf("test: %+v, %v", got, err)
		}
		id := got.Exchanges["balance.read"]
		x, err := b.store.Exchange(b.Context(), b.ann, id)
		if err != nil {
			b.Fatalf("the exchange of the test: %v", err)
		}
		want := models.ExchangeRecord{ID: id, CredentialID: c.ID, Provider: "plainpay", Environment: models.Sandbox, SubjectKind: "credential", SubjectID: c.ID,
			Operation: "balance.read", Method: "GET", URL: b.server.URL + "/balance", Status: 200, Sent: true, BodyDigest: x.BodyDigest, StartedAt: b.store.Now(),
			ResponseBody: []byte(`{"available":1234.50,"echo":"[redacted]"}`), RequestHeader: x.RequestHeader, ResponseHeader: x.ResponseHeader}
		if diff := cmp.Diff(want, x); diff != "" {
			b.Errorf("the exchange (-want +got):\n%s", diff)
		}
		if got := x.RequestHeader["X-Key"]; len(got) != 1 || got[0] != "[redacted]" {
			b.Errorf("the key in the recorded request: %q", got)
		}
		cred := b.get(c.ID)
		st, err := b.store.Standings(b.Context(), b.ann, cred)
		if err != nil || st["PP-AUTH"].Latest == nil || st["PP-AUTH"].Latest.ExchangeID != id || !st["PP-AUTH"].Proven(models.Sandbox, false) {
			b.Errorf("standing after the test: %+v, %v", st, err)
		}
		if cred.Tested != "ok" || cred.TestedAt != b.store.Now() || cred.Use.OKAt == 0 {
			b.Errorf("the credential after the test: %+v", cred)
		}
		b.server.key = "rotated at the provider"
		got, err = b.desk.Check(b.Context(), b.ann, c.ID, models.SlotCurrent)
		if err != nil || got.Passed() || got.Verdict != providers.KeysRejected {
			b.Errorf("with a wrong key: %+v, %v", got, err)
		}
		fin := models.Actor{UserID: "f", Roles: []models.Role{models.Finance}}
		if _, err := b.desk.Check(b.Context(), fin, c.ID, models.SlotCurrent); !models.Is(err, models.Forbidden) {
			b.Errorf("somebody without the permission ran a test: %v", err)
		}
	})
}

func TestReadingCallsAreRefusedInWordsWhereTheProviderCannot(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		sheet, err := b.desk.LookUp(b.Context(), c.ID, "banks", map[string]string{"country": "BR"})
		if err != nil || len(sheet.Rows) != 1 || sheet.Rows[0][1] != "Banco BR" {
			b.Errorf("look-up: %+v, %v", sheet, err)
		}
		for name, call := range map[string]func() error{
			"a look-up that does not exist": func() error { _, err := b.desk.LookUp(b.Context(), c.ID, "nothing", nil); return err },
			"a missing parameter":           func() error { _, err := b.desk.LookUp(b.Context(), c.ID, "banks", nil); return err },
			"a parameter that nobody asked": func() error {
				_, err := b.desk.LookUp(b.Context(), c.ID, "banks", map[string]string{"country": "BR", "x": "y"})
				return err
			},
			"a hostile parameter": func() error {
				_, err := b.desk.LookUp(b.Context(), c.ID, "banks", map[string]string{"country": "<script>"})
				return err
			},
			"a quote":                        func() error { _, err := b.desk.Quote(b.Context(), c.ID, "USD", "WUSD", models.Money{}); return err },
			"a recipient":                    func() error { _, err := b.desk.VerifyRecipient(b.Context(), c.ID, providers.SendRequest{}); return err },
			"a QR code":                      func() error { _, _, _, err := b.desk.DecodeQR(b.Context(), c.ID, "x"); return err },
			"products":                       func() error { _, err := b.desk.Products(b.Context(), c.ID); return err },
			"a credential that is not there": func() error { _, err := b.desk.Balances(b.Context(), "nope"); return err },
		} {
			if err := call(); !models.Is(err, models.Invalid) && !models.Is(err, models.NotFound) {
				b.Errorf("%s gave %v; want a refusal in words", name, err)
			}
		}
	})
}

func TestALostVaultKeyIsSaidInWords(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		other := newBench(b.T, b.store, b.clock) // another vault over the same database
		_, err := other.desk.Balances(b.Context(), c.ID)
		if !models.Is(err, models.Unavailable) || !strings.Contains(err.Error(), "vault key") {
			b.Errorf("with another vault key: %v", err)
		}
	})
}

// The canary is in the provider's answers, in a header of every request and in an error text of the client: it must come out nowhere.
func TestTheCanaryAppearsNowhere(t *testing.T) {
	dir := t.TempDir()
	clock := storetest.NewClock()
	s, err := store.Open(t.Context(), store.Config{DSN: filepath.Join(dir, "canary.db"), Clock: clock.Now, AuditKey: storetest.Key()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, s, clock)
	c := b.credential()
	var said strings.Builder
	if _, err := b.desk.Check(t.Context(), b.ann, c.ID, models.SlotCurrent); err != nil {
		t.Fatal(err)
	}
	b.server.key = "another"
	if _, err := b.desk.Balances(t.Context(), c.ID); err != nil {
		said.WriteString(err.Error())
	}
	b.change(models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit, Values: map[string]string{"base_url": "https://elsewhere.example.test"}}, 1)
	if _, err := b.desk.Balances(t.Context(), c.ID); err == nil {
		t.Error("a host that is not pinned was accepted")
	} else {
		said.WriteString(fmt.Sprintf("%v %+v %#v", err, err, err))
	}
	in := providers.Delivery{Topic: "payment", Method: "POST", Path: "/hooks/x/payment", Query: "k=" + canary, Body: []byte(`{"event":"e1","echo":"` + canary + `"}`),
		Header: map[string][]string{"X-Echo": {canary}, "Authorization": {"Bearer other-token-of-theirs"}}}
	in.Header["X-Signature"] = []string{sign(canary, in.Body)}
	j := b.judge(c.ID, in)
	if j.Delivery.Trust != "verified" {
		t.Fatalf("judge: %+v", j)
	}
	intake := s.NewIntake(func(*store.Tx, []string) error { return nil })
	if k := intake.Keep(t.Context(), j.Delivery); k.Err != nil {
		t.Fatal(k.Err)
	}
	intake.Close()
	b.recorder.Close()
	if b.recorder.Dropped() != 0 {
		t.Error("exchanges were dropped")
	}
	if err := s.Close(); err != nil { // the write-ahead log goes into the file
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{canary, "other-token-of-theirs"} {
			if strings.Contains(string(raw), secret) {
				t.Errorf("%s holds %q", filepath.Base(f), secret)
			}
		}
	}
	if strings.Contains(said.String(), canary) || strings.Contains(b.log.String(), canary) {
		t.Errorf("an error or a log line holds the canary: %s %s", said.String(), b.log.String())
	}
}

func TestExchangesFollowTheirSubjectAndAttempt(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		ctx, ids := tasks.WithExchanges(tasks.WithAttempt(tasks.WithSubject(b.Context(), "transaction", "t-1"), "a-1"))
		if _, err := b.desk.Balances(ctx, c.ID); err != nil {
			b.Fatal(err)
		}
		if err := b.recorder.Flush(context.WithoutCancel(ctx)); err != nil {
			b.Fatal(err)
		}
		list, err := b.store.Exchanges(b.Context(), b.ann, models.ExchangeFilter{SubjectKind: "transaction", SubjectID: "t-1"})
		if err != nil || len(list) != 1 || list[0].AttemptID != "a-1" || len(ids()) != 1 || list[0].ID != ids()[0] {
			b.Errorf("exchanges of the transaction: %+v, ids %v, %v", list, ids(), err)
		}
		if _, err := b.store.Exchanges(b.Context(), models.Actor{Roles: []models.Role{models.Compliance}}, models.ExchangeFilter{CredentialID: c.ID}); !models.Is(err, models.Forbidden) {
			b.Errorf("compliance read exchanges: %v", err)
		}
		h, err := b.store.Health(b.Context(), b.ann, c.ID, 1)
		if err != nil || h.Calls != 1 || h.Failed != 0 {
			b.Errorf("health: %+v, %v", h, err)
		}
	})
}

// What the pages are given can only ask: no method of the desk gives an Outcome, which is what everything that moves money gives.
func TestTheDeskCannotMoveMoney(t *testing.T) {
	desk, outcome := reflect.TypeFor[*tasks.Desk](), reflect.TypeFor[providers.Outcome]()
	if desk.NumMethod() < 10 {
		t.Fatalf("only %d methods are seen", desk.NumMethod())
	}
	for m := range desk.Methods() {
		for i := range m.Type.NumOut() {
			if m.Type.Out(i) == outcome {
				t.Errorf("Desk.%s gives an outcome: it can move money", m.Name)
			}
		}
	}
}
