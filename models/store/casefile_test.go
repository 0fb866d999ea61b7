package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// paid is a payout with everything that can be about one: a rule, an approval, an attempt whose answer is evidence, a webhook and a note.
func paid(t *testing.T, s *store.Store, clock *storetest.Clock) (x *models.Transaction, cited string) {
	t.Helper()
	admin := models.Actor{UserID: "u-adm", Name: "Tom", Roles: []models.Role{models.Admin}, StepUp: s.Now()}
	cred, err := s.CreateCredential(t.Context(), admin, storetest.Vault(t), models.CredentialSpec{Provider: "bank", Environment: models.Sandbox,
		CredentialNotes: models.CredentialNotes{Name: "Bank"}, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"key": "secret-0123456"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AskChange(t.Context(), admin, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
		t.Fatal(err)
	}
	maker := models.Actor{UserID: "u-ada", Name: "Ada", Roles: []models.Role{models.Finance}}
	x, err = s.Create(t.Context(), maker, store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: cred.ID, Method: "wire",
		Amount: models.Money{Minor: 184000, Asset: "BRL"}, Party: "João", DestinationDigest: "d", Detail: models.TransactionDetail{Values: map[string]string{"account": "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	checker := models.Actor{UserID: "u-bea", Name: "Bea", Roles: []models.Role{models.Finance}, StepUp: s.Now()}
	story, err := s.Transaction(t.Context(), checker, models.Sandbox, x.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decide(t.Context(), checker, models.Sandbox, story.Approvals[0].ID, true, "", story.Approvals[0].Digest); err != nil {
		t.Fatal(err)
	}
	order, err := s.BeginSend(t.Context(), x.ID, "one")
	if err != nil || order == nil {
		t.Fatalf("begin to send: %v, %v", order, err)
	}
	var list []models.ExchangeRecord
	for i := range 3 { // the first is the send whose answer is evidence; the second only asked; the third is about nothing here
		list = append(list, models.ExchangeRecord{ID: models.NewID(), CredentialID: cred.ID, Provider: "bank", Environment: models.Sandbox, SubjectKind: "transaction", SubjectID: x.ID,
			Operation: fmt.Sprintf("call %d", i), StartedAt: s.Now(), Method: "POST", Status: 200, Sent: true, URL: "http://127.0.0.1:1/pay"})
	}
	list[2].SubjectKind, list[2].SubjectID = "balance", cred.ID
	if err := s.PutExchanges(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RecordSend(t.Context(), order.Attempt.ID, models.Answer{State: models.AttemptAccepted, Message: "taken", ExchangeID: list[0].ID, Report: models.Report{State: models.Pending, ProviderRef: "p-1"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddNote(t.Context(), maker, models.Sandbox, x.ID, "Rang them."); err != nil {
		t.Fatal(err)
	}
	in := s.NewIntake(func(*store.Tx, []string) error { return nil })
	defer in.Close()
	d := models.Delivery{ID: models.NewID(), CredentialID: cred.ID, Provider: "bank", Environment: models.Sandbox, Topic: "cashout", Method: "POST", Digest: "x", Dedupe: "x", From: "127.0.0.1",
		ReceivedAt: s.Now(), State: models.DeliveryReceived, Trust: "verified", Body: []byte("a=1")}
	if k := in.Keep(t.Context(), d); k.Err != nil {
		t.Fatal(k.Err)
	}
	if err := s.FinishDelivery(t.Context(), d.ID, store.Reading{State: models.DeliveryProcessed, Kind: models.Payout, TransactionID: x.ID}, nil); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	return x, list[0].ID
}

func TestACaseFileHoldsEverythingAboutOneTransaction(t *testing.T) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, cited := paid(t, s, clock)
		auditor := models.Actor{UserID: "u-ivy", Name: "Ivy", Roles: []models.Role{models.Auditor}}
		f, err := s.CaseFile(t.Context(), auditor, models.Sandbox, x.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.ExchangeIDs) != 2 || f.ExchangeIDs[0] != cited || len(f.DeliveryIDs) != 1 || len(f.LeftOut) != 0 {
			t.Errorf("exchanges %v, webhooks %v, left out %v", f.ExchangeIDs, f.DeliveryIDs, f.LeftOut)
		}
		var actions []string
		for _, l := range f.Audit {
			actions = append(actions, l.Entry.Action)
		}
		if got := strings.Join(actions, " "); got != "payout.create approval.approve transaction.note" {
			t.Errorf("audit entries: %s", got)
		}
		if d := f.Story.Approvals[0].Decisions[0]; d.Digest != x.Digest {
			t.Errorf("Bea decided on %q, the payload is %q", d.Digest, x.Digest)
		}
		// The anchors of a pack are anchors like any other: the whole chain is held against them.
		var anchors []models.AuditAnchor
		for _, l := range f.Audit {
			anchors = append(anchors, l.Anchor)
		}
		if rep, err := s.VerifyAudit(t.Context(), anchors...); err != nil || !rep.Whole() || rep.Anchors < 3 {
			t.Errorf("the chain against the pack: %+v, %v", rep, err)
		}
		again, err := s.CaseFile(t.Context(), auditor, models.Sandbox, x.ID)
		if err != nil {
			t.Fatal(err)
		}
		again.MadeAt = f.MadeAt
		a, _ := json.Marshal(f)
		b, _ := json.Marshal(again)
		if string(a) != string(b) {
			t.Errorf("taking a pack changed the next one:\n%s\n%s", a, b)
		}
		sights, err := s.AuditList(t.Context(), auditor, models.AuditFilter{Action: "transaction.evidence", NounID: x.ID})
		if err != nil || len(sights) != 2 || sights[0].ActorName != "Ivy" {
			t.Errorf("who took packs: %v, %v", sights, err)
		}
	}, storetest.WithClock(clock))
}

func TestACaseFileGivesNobodyMoreThanTheirPagesDo(t *testing.T) {
	clock := storetest.NewClock()
	s := storetest.SQLite(t, storetest.WithClock(clock))
	x, _ := paid(t, s, clock)
	left := func(role models.Role) (parts []string) {
		f, err := s.CaseFile(t.Context(), models.Actor{UserID: "u", Name: "U", Roles: []models.Role{role}}, models.Sandbox, x.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range f.LeftOut {
			parts = append(parts, l.Part)
		}
		if slices.Contains(parts, "exchanges") == (len(f.ExchangeIDs) > 0) || slices.Contains(parts, "webhooks") == (len(f.DeliveryIDs) > 0) || slices.Contains(parts, "audit") == (len(f.Audit) > 0) {
			t.Errorf("%s: %v are said to be left out, there are %d, %d, %d", role, parts, len(f.ExchangeIDs), len(f.DeliveryIDs), len(f.Audit))
		}
		return parts
	}
	for role, want := range map[models.Role]string{models.Auditor: "", models.Admin: "", models.Finance: "audit", models.Compliance: "exchanges webhooks"} {
		if got := strings.Join(left(role), " "); got != want {
			t.Errorf("%s: left out %q, want %q", role, got, want)
		}
	}
	if _, err := s.CaseFile(t.Context(), models.Actor{UserID: "u", Name: "U"}, models.Sandbox, x.ID); !models.Is(err, models.Forbidden) {
		t.Errorf("without a role: %v", err)
	}
	if _, err := s.CaseFile(t.Context(), auditor, models.Live, x.ID); !models.Is(err, models.NotFound) {
		t.Errorf("in the other environment: %v", err)
	}
	if sights, err := s.AuditList(t.Context(), auditor, models.AuditFilter{Action: "transaction.evidence"}); err != nil || len(sights) != 4 {
		t.Errorf("%d packs are noted, %v; refusals leave no entry", len(sights), err)
	}
}

func TestNothingIsSignedAfterTheTrailWasTamperedWith(t *testing.T) {
	clock := storetest.NewClock()
	s := storetest.SQLite(t, storetest.WithClock(clock))
	x, _ := paid(t, s, clock)
	if _, err := s.WriteDB().ExecContext(t.Context(), "UPDATE audit_entries SET actor_name = 'Nobody' WHERE action = 'approval.approve'"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CaseFile(t.Context(), auditor, models.Sandbox, x.ID); !models.Is(err, models.Conflict) || !strings.Contains(err.Error(), "does not fit its hashes") {
		t.Errorf("%v", err)
	}
}

func TestTheAuditKeySignsNoManifestThatCouldBeAnAnchor(t *testing.T) {
	s := storetest.SQLite(t)
	a := models.AuditAnchor{Seq: 1, Hash: "00", At: 1}
	if _, err := s.SignManifest(a.Text()); err == nil {
		t.Error("an anchor was signed as a manifest")
	}
	if sig, err := s.SignManifest([]byte("{}")); err != nil || len(sig) != 64 {
		t.Errorf("%x, %v", sig, err)
	}
}

// Exchanges are forgotten after their time, except those that somebody may have to show years later.
func TestExchangesThatEvidenceRestsOnAreKept(t *testing.T) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, cited := paid(t, s, clock)
		if err := s.AddEvidence(t.Context(), "test", []models.ItemEvidence{{CredentialID: x.CredentialID, Item: "I-1", Verdict: "proved", Sentence: "a webhook spoke"}}); err != nil {
			t.Fatal(err) // evidence without an exchange keeps none
		}
		many := make([]models.ExchangeRecord, 0, 1200) // more than two steps, half of them at one moment
		for i := range 1200 {
			many = append(many, models.ExchangeRecord{ID: models.NewID(), CredentialID: x.CredentialID, Provider: "bank", Environment: models.Sandbox, SubjectKind: "balance", SubjectID: "b",
				Operation: "balance", StartedAt: s.Now().Add(time.Duration(i/2) * time.Microsecond), Method: "GET", Status: 200, Sent: true})
		}
		if err := s.PutExchanges(t.Context(), many); err != nil {
			t.Fatal(err)
		}
		if gone, err := s.PruneExchanges(t.Context(), many[600].StartedAt); err != nil || gone != 602 {
			t.Errorf("gone %d, %v; want the 600 before that moment and the two old ones that nothing rests on", gone, err)
		}
		if gone, err := s.PruneExchanges(t.Context(), s.Now().Add(time.Hour)); err != nil || gone != 600 {
			t.Errorf("gone %d, %v; want the other 600", gone, err)
		}
		f, err := s.CaseFile(t.Context(), auditor, models.Sandbox, x.ID)
		if err != nil || len(f.ExchangeIDs) != 1 || f.ExchangeIDs[0] != cited {
			t.Errorf("kept %v (%v), want the one that is evidence: %s", f, err, cited)
		}
		if _, err := s.Exchange(t.Context(), auditor, cited); err != nil {
			t.Error(err)
		}
	}, storetest.WithClock(clock))
}
