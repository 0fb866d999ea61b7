package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// lose sends a payout and loses the answer.
func (o *office) lose(t *testing.T, x *models.Transaction, by storetest.Person) {
	t.Helper()
	r := o.request(t, x)
	if _, err := o.store.Decide(t.Context(), by.Actor(o.store), models.Sandbox, r.ID, true, "", r.Digest); err != nil {
		t.Fatal(err)
	}
	o.answer(t, x, models.Answer{State: models.AttemptUnknown, Message: "no reply within 30 s"})
}

// answer sends an approved transaction and records what came back.
func (o *office) answer(t *testing.T, x *models.Transaction, ans models.Answer) {
	t.Helper()
	order, err := o.store.BeginSend(t.Context(), x.ID, "test")
	if err != nil || order == nil {
		t.Fatalf("begin to send: %v, %v", order, err)
	}
	if _, err := o.store.RecordSend(t.Context(), order.Attempt.ID, ans); err != nil {
		t.Fatal(err)
	}
}

// pay brings a payout all the way to succeeded.
func (o *office) pay(t *testing.T, x *models.Transaction, by storetest.Person) {
	t.Helper()
	r := o.request(t, x)
	if _, err := o.store.Decide(t.Context(), by.Actor(o.store), models.Sandbox, r.ID, true, "", r.Digest); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(time.Minute)
	o.answer(t, x, models.Answer{State: models.AttemptAccepted, Report: models.Report{State: models.Pending, Word: "0", ProviderRef: "p-" + x.Reference}})
	o.clock.Advance(10 * time.Minute)
	if _, err := o.store.RecordFinding(t.Context(), x.ID, models.Found{Result: "found", Source: "asked", Says: "found", Report: models.Report{State: models.Succeeded, Word: "1", ProviderRef: "p-" + x.Reference}}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*storetest.Person{&o.fay, &o.gil, &o.hana, &o.bob, &o.cora, &o.otto, &o.ada} {
		p.Token = o.session(t, *p) // time has passed: the old ones may be idle
	}
}

func TestHomeSaysWhatWaitsForWhom(t *testing.T) {
	o := openOffice(t)
	o.payout(t, o.fay, 184_000, "João Silva", "")
	o.lose(t, o.payout(t, o.fay, 50_00, "Ana Lost", ""), o.gil)
	gil := o.get(t, "/", o.gil.Token)
	gil.says(t, "#waits", "1 request to decide", "1 outcome unknown", "OneKey, 50.00 BRL")
	gil.says(t, ".page-head", "Monday 21 September", "New payout")
	if fay := o.get(t, "/", o.fay.Token); strings.Contains(fay.text(t, "#waits"), "to decide") {
		t.Error("the maker is told to decide on her own payout")
	}
	otto := o.get(t, "/", o.otto.Token)
	otto.says(t, "#waits", "outcome unknown")
	if strings.Contains(otto.body, "/payouts/new") {
		t.Error("an auditor is offered a new payout")
	}
	o.clock.Advance(21 * time.Hour)
	later := o.get(t, "/", o.session(t, o.otto))
	later.says(t, "#stuck", "1 request for approval")
}

func TestHomeShowsMoneyBalancesAndProviders(t *testing.T) {
	o := openOffice(t)
	o.pay(t, o.payout(t, o.fay, 184_000, "João Silva", ""), o.gil)
	failed := o.payout(t, o.fay, 10_00, "Maria Souza", "")
	r := o.request(t, failed)
	if _, err := o.store.Decide(t.Context(), o.gil.Actor(o.store), models.Sandbox, r.ID, true, "", r.Digest); err != nil {
		t.Fatal(err)
	}
	o.answer(t, failed, models.Answer{State: models.AttemptRefused, Message: "no"})
	now := o.clock.Now()
	if err := o.store.PutBalances(t.Context(), o.cred.ID, []models.BalanceFigure{{Account: "main", Asset: "BRL", Available: models.Money{Minor: 842_100_55, Asset: "BRL"}, Mark: "assumed"},
		{Account: "other", Asset: models.Unstated, Available: models.Money{Minor: 100, Asset: models.Unstated}}}); err != nil {
		t.Fatal(err)
	}
	if err := o.store.Update(t.Context(), func(tx *store.Tx) error {
		for i, minor := range []int64{1_500_000_00, 1_300_000_00, 1_000_000_00} {
			if err := tx.AddBalancePoint(o.cred.ID, "main", "BRL", models.At(now.Add(-time.Duration(3-i)*24*time.Hour)), minor); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	page := o.get(t, "/", o.fay.Token)
	page.says(t, "#flow", "BRL by UTC day", "above: in 0.00 · below: out 1,840.00")
	page.says(t, "#balances", "OneKey cashouts", "842,100.55 BRL", "assumed", "currency not stated")
	page.says(t, "#rates", "OneKey50.0 %of 2", "10 min")
	if page.doc(t).Find("#balances .status.wait").Length() != 0 {
		t.Error("a balance that lasts four days is coloured as if it ended soon")
	}
	if o.get(t, "/?asset=%3Cscript%3E", o.fay.Token).text(t, "#flow") != page.text(t, "#flow") {
		t.Error("an asset that never moved changes the picture")
	}
	flows, err := o.store.DayFlows(t.Context(), o.otto.Actor(o.store), models.Sandbox, "", 0, 99999)
	if err != nil {
		t.Fatal(err)
	}
	want := []models.DayFlow{{Day: store.Day(now.Add(-11 * time.Minute)), Asset: "BRL", Out: 184_000, Count: 1}}
	if diff := cmp.Diff(want, flows); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
}

func TestHomeForSomebodyWithoutARoleSaysWhy(t *testing.T) {
	o := openOffice(t)
	u, link, _, err := o.store.Invite(t.Context(), o.bob.Actor(o.store), "new@example.com", "New", []models.Role{models.Auditor})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.store.AcceptInvitation(t.Context(), link, storetest.Password, storetest.Here); err != nil {
		t.Fatal(err)
	}
	o.get(t, "/", o.session(t, storetest.Person{User: u})).says(t, "#content", "Nothing is open to you yet")
	nobody := models.Actor{UserID: u.ID}
	if _, err := o.store.Home(t.Context(), nobody, models.Sandbox, ""); !models.Is(err, models.Forbidden) {
		t.Errorf("the store tells somebody without a role: %v", err)
	}
	if _, err := o.store.DayFlows(t.Context(), nobody, models.Sandbox, "", 0, 1); !models.Is(err, models.Forbidden) {
		t.Errorf("the store tells somebody without a role: %v", err)
	}
	if _, err := o.store.ProviderRates(t.Context(), nobody, models.Sandbox, "", 0); !models.Is(err, models.Forbidden) {
		t.Errorf("the store tells somebody without a role: %v", err)
	}
}

func TestADriftIsAnAlertOnTheFirstPageAndAmongTheProviders(t *testing.T) {
	s := openAeterna(t)
	c, err := s.store.CredentialForTask(t.Context(), s.cred)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RecordDrift(t.Context(), c, []models.Drift{{Kind: models.DriftAnswers, Sentence: "9 of the last hour's 12 calls were not answered " + hostile, Grave: true},
		{Kind: models.DriftWebhooks, Sentence: "No webhook has ever come"}}); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{s.finance, s.admin} {
		s.says(s.see(who, "/"), "Aeterna main does worse than before", "9 of the last hour's 12 calls", "webhooks stay away, Aeterna main")
		s.says(s.see(who, "/providers"), "Does worse than before", "9 of the last hour's 12 calls", "No webhook has ever come")
	}
	s.note(s.get(t, "/", s.finance)).noMarkup(t)
}
