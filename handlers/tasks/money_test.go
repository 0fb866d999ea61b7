package tasks_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
)

// bank is a made-up provider that answers as a test tells it and remembers what really happened there.
type bank struct {
	mu       sync.Mutex
	send     func(r providers.SendRequest) providers.Outcome
	find     func(q providers.Query) providers.Finding
	executed map[string]int
	cancel   func(q providers.Query) providers.Outcome
	disputed []string
}

func (b *bank) SendPayout(_ context.Context, r providers.SendRequest) providers.Outcome {
	return b.send(r)
}
func (b *bank) CreateDeposit(_ context.Context, r providers.SendRequest) providers.Outcome {
	return b.send(r)
}
func (b *bank) SendRefund(_ context.Context, r providers.SendRequest) providers.Outcome {
	return b.send(r)
}
func (b *bank) FindPayout(_ context.Context, q providers.Query) providers.Finding  { return b.find(q) }
func (b *bank) FindDeposit(_ context.Context, q providers.Query) providers.Finding { return b.find(q) }
func (b *bank) FindRefund(_ context.Context, q providers.Query) providers.Finding  { return b.find(q) }
func (b *bank) CancelPayout(_ context.Context, q providers.Query) providers.Outcome {
	return b.cancel(q)
}

func (b *bank) execute(ref string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.executed[ref]++
}

func found(s models.State) providers.Finding {
	return providers.Finding{Result: providers.Found, Status: providers.Status{State: s, Word: string(s), ProviderRef: "p-1"}, Says: "found: " + string(s)}
}

func (b *bank) Client(context.Context, string) (any, *providers.Provider, models.Credential, error) {
	return b, &providers.Provider{Description: providers.Description{Name: "bank", Short: "Bank"}}, models.Credential{}, nil
}

// house is a merchant with a credential at the bank, two people from finance and the engine.
type house struct {
	*store.Store
	clock    *storetest.Clock
	bank     *bank
	money    *tasks.Money
	ada, bea models.Actor
	cred     models.Credential
}

func eachHouse(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := &house{Store: s, clock: clock, bank: &bank{executed: map[string]int{}}}
		admin := models.Actor{UserID: "u-adm", Name: "Tom", Roles: []models.Role{models.Admin}, StepUp: s.Now()}
		cred, err := s.CreateCredential(t.Context(), admin, storetest.Vault(t), models.CredentialSpec{Provider: "bank", Environment: models.Sandbox,
			CredentialNotes: models.CredentialNotes{Name: "Bank"}, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"key": "secret-0123456"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AskChange(t.Context(), admin, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
			t.Fatal(err)
		}
		h.cred = cred
		h.ada = models.Actor{UserID: "u-ada", Name: "Ada", Roles: []models.Role{models.Finance}}
		h.bea = models.Actor{UserID: "u-bea", Name: "Bea", Roles: []models.Role{models.Finance}}
		h.money = &tasks.Money{Store: s, Clients: h.bank, Log: slog.New(slog.DiscardHandler), Instance: "one"}
		h.bank.send = func(r providers.SendRequest) providers.Outcome {
			h.bank.execute(r.Reference)
			return providers.Accepted{ProviderRef: "p-1", Status: providers.Status{State: models.Pending, Word: "0"}}
		}
		h.bank.find = func(providers.Query) providers.Finding { return found(models.Succeeded) }
		test(t, h)
		faults, err := s.VerifyLedger(t.Context())
		if err != nil || len(faults) > 0 {
			t.Errorf("the ledger: %v, %v", faults, err)
		}
		for ref, n := range h.bank.executed {
			if n > 1 {
				t.Errorf("%s was paid %d times", ref, n)
			}
		}
	}, storetest.WithClock(clock))
}

func (h *house) fresh(a models.Actor) models.Actor { a.StepUp = h.Now(); return a }

func (h *house) payout(t *testing.T) *models.Transaction {
	t.Helper()
	return h.create(t, models.Payout, "")
}

func (h *house) create(t *testing.T, k models.Kind, of string) *models.Transaction {
	t.Helper()
	id := models.NewID()
	x, err := h.Create(t.Context(), h.ada, store.NewTransaction{ID: id, Environment: models.Sandbox, Kind: k, CredentialID: h.cred.ID, Method: "wire",
		Amount: models.Money{Minor: 184000, Asset: "BRL"}, Party: "João", DestinationDigest: id, OfID: of,
		Detail: models.TransactionDetail{Values: map[string]string{"account": "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (h *house) decide(t *testing.T, a models.Actor, id string, approve bool, reason string) error {
	t.Helper()
	p, err := h.Transaction(t.Context(), a, models.Sandbox, id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Decide(t.Context(), h.fresh(a), models.Sandbox, p.Approvals[0].ID, approve, reason, p.Approvals[0].Digest)
	return err
}

func (h *house) approved(t *testing.T) *models.Transaction {
	t.Helper()
	x := h.payout(t)
	if err := h.decide(t, h.bea, x.ID, true, ""); err != nil {
		t.Fatal(err)
	}
	return x
}

func (h *house) get(t *testing.T, id string) *store.TransactionPage {
	t.Helper()
	p, err := h.Transaction(t.Context(), h.ada, models.Sandbox, id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) is(t *testing.T, id string, want models.State) *store.TransactionPage {
	t.Helper()
	p := h.get(t, id)
	if p.Transaction.State != want {
		t.Fatalf("the transaction is %s, want %s (%s)", p.Transaction.State, want, p.Transaction.Alert)
	}
	return p
}

func (h *house) available(t *testing.T) (available, inFlight int64) {
	t.Helper()
	bs, err := h.LedgerBalances(t.Context(), h.ada, models.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bs {
		switch b.Account {
		case models.Available:
			available += b.Money.Minor
		case models.InFlight:
			inFlight += b.Money.Minor
		}
	}
	return available, inFlight
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPayoutIsApprovedSentAskedAndDone(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.payout(t)
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.AwaitingApproval)
		must(t, h.decide(t, h.bea, x.ID, true, ""))
		h.is(t, x.ID, models.Approved)
		must(t, h.money.Send(t.Context(), x.ID))
		p := h.is(t, x.ID, models.Pending)
		if a, f := h.available(t); a != -184000 || f != 184000 {
			t.Errorf("in flight: available %d, in flight %d", a, f)
		}
		if p.Transaction.ProviderRef != "p-1" || p.Transaction.Word != "0" {
			t.Errorf("their reference %q, their word %q", p.Transaction.ProviderRef, p.Transaction.Word)
		}
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Succeeded)
		if a, f := h.available(t); a != -184000 || f != 0 {
			t.Errorf("done: available %d, in flight %d", a, f)
		}
		if n := h.bank.executed[x.Reference]; n != 1 {
			t.Errorf("executed %d times", n)
		}
	})
}

func TestNobodyApprovesTheirOwnAndNobodyTwice(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.payout(t)
		if err := h.decide(t, h.ada, x.ID, true, ""); !models.Is(err, models.Forbidden) {
			t.Errorf("the maker approves: %v", err)
		}
		admin := models.Actor{UserID: "u-adm", Name: "Tom", Roles: []models.Role{models.Admin}}
		if err := h.decide(t, admin, x.ID, true, ""); !models.Is(err, models.Forbidden) {
			t.Errorf("an admin approves: %v", err)
		}
		p := h.get(t, x.ID)
		if _, err := h.Decide(t.Context(), h.bea, models.Sandbox, p.Approvals[0].ID, true, "", p.Approvals[0].Digest); !models.Is(err, models.StepUp) {
			t.Errorf("without a fresh second factor: %v", err)
		}
		if _, err := h.Decide(t.Context(), h.fresh(h.bea), models.Sandbox, p.Approvals[0].ID, true, "", "another digest"); !models.Is(err, models.Conflict) {
			t.Errorf("with another payload before the eyes: %v", err)
		}
		if err := h.decide(t, h.bea, x.ID, false, ""); !models.Is(err, models.Invalid) {
			t.Errorf("a rejection without a reason: %v", err)
		}
		must(t, h.decide(t, h.bea, x.ID, false, "wrong invoice"))
		if got := h.is(t, x.ID, models.Rejected).Transaction.Reason; got != "wrong invoice" {
			t.Errorf("the maker reads %q", got)
		}
		must(t, h.money.Send(t.Context(), x.ID))
		if len(h.bank.executed) != 0 {
			t.Error("a rejected payout was sent")
		}
	})
}

func TestTheSameFormTwiceIsOnePayout(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		n := store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: h.cred.ID, Method: "wire",
			Amount: models.Money{Minor: 500, Asset: "BRL"}, DestinationDigest: "d"}
		a, err := h.Create(t.Context(), h.ada, n)
		must(t, err)
		b, err := h.Create(t.Context(), h.ada, n)
		must(t, err)
		if a.Reference != b.Reference {
			t.Errorf("two payouts: %s and %s", a.Reference, b.Reference)
		}
		n.ID = models.NewID()
		if _, err := h.Create(t.Context(), h.ada, n); !models.Is(err, models.Invalid) {
			t.Errorf("the same amount to the same destination without a reason: %v", err)
		}
		n.Detail.Why = "two invoices of the same amount"
		if _, err := h.Create(t.Context(), h.ada, n); err != nil {
			t.Errorf("with a reason: %v", err)
		}
	})
}

func TestALostReplyIsUnknownIsAskedAboutAndNeverSentAgainByItself(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(r providers.SendRequest) providers.Outcome {
			h.bank.execute(r.Reference)
			return providers.Unknown{Cause: "no answer within 30 s"}
		}
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		p := h.is(t, x.ID, models.Unknown)
		if p.Transaction.NextAsk != h.Now().Add(30*time.Second) {
			t.Errorf("it is asked about in %v", p.Transaction.NextAsk.Time().Sub(h.Now().Time()))
		}
		for range 5 {
			must(t, h.money.Send(t.Context(), x.ID))
			if _, err := h.money.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.Advance(31 * time.Second)
		if _, err := h.money.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		p = h.is(t, x.ID, models.Succeeded)
		if n := h.bank.executed[x.Reference]; n != 1 {
			t.Errorf("executed %d times", n)
		}
		var court []string
		for _, e := range p.Evidence {
			court = append(court, e.Source+" "+e.Result)
		}
		if !slices.Equal(court, []string{"request sent", "reply unknown", "asked found"}) {
			t.Errorf("the court saw %v", court)
		}
	})
}

func TestAProcessThatDiesBetweenSendingAndRecordingLeavesAnUnknown(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		o, err := h.BeginSend(t.Context(), x.ID, "dead")
		must(t, err)
		h.bank.execute(o.Attempt.Reference) // sent, and then the process died
		if again, err := h.BeginSend(t.Context(), x.ID, "two"); err != nil || again != nil {
			t.Fatalf("a second attempt: %v, %v", again, err)
		}
		if n, err := h.LoseAttempts(t.Context(), ""); n != 0 || err != nil {
			t.Fatalf("lost before its deadline: %d, %v", n, err)
		}
		h.clock.Advance(3 * time.Minute)
		if _, err := h.money.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.is(t, x.ID, models.Unknown)
		// The dead process was only slow: its answer comes now, and is taken as evidence.
		_, err = h.RecordSend(t.Context(), o.Attempt.ID, models.Answer{State: models.AttemptAccepted, Message: "Accepted", Report: models.Report{ProviderRef: "p-1", State: models.Pending}})
		must(t, err)
		h.is(t, x.ID, models.Unknown)
		if _, err := h.money.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.is(t, x.ID, models.Succeeded)
	})
}

func TestARefusalIsAFailureAndMoneyIsWhereItWas(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(providers.SendRequest) providers.Outcome {
			return providers.Refused{Code: "514", Message: "Insufficient funds"}
		}
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.Failed)
		if a, f := h.available(t); a != 0 || f != 0 {
			t.Errorf("available %d, in flight %d", a, f)
		}
	})
}

func TestWhatNeverLeftIsSentWhenTheWayIsFree(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		good := h.bank.send
		h.bank.send = func(providers.SendRequest) providers.Outcome {
			return providers.Refused{Code: providers.NotSent, Message: "The host cannot be reached", Retryable: true}
		}
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.Approved)
		must(t, h.money.Send(t.Context(), x.ID)) // not due yet
		h.bank.send = good
		h.clock.Advance(11 * time.Second)
		if _, err := h.money.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.is(t, x.ID, models.Pending)
	})
}

func TestAChangedCredentialVoidsTheApproval(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		admin := models.Actor{UserID: "u-adm", Name: "Tom", Roles: []models.Role{models.Admin}, StepUp: h.Now()}
		c, err := h.CredentialForTask(t.Context(), h.cred.ID)
		must(t, err)
		_, err = h.AskChange(t.Context(), admin, models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit,
			Values: map[string]string{"base_url": "http://127.0.0.1:2"}, Settings: c.Settings}, c.Version)
		must(t, err)
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.AwaitingApproval)
		if len(h.bank.executed) != 0 {
			t.Error("it was sent by keys that nobody agreed to")
		}
		must(t, h.decide(t, h.bea, x.ID, true, ""))
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.Pending)
	})
}

func TestAWordThatNobodyKnowsAndAnImpossibleTurnChangeNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		h.bank.find = func(providers.Query) providers.Finding {
			return providers.Finding{Result: providers.Found, Status: providers.Status{Word: "17"}}
		}
		must(t, h.money.Ask(t.Context(), x.ID))
		if p := h.is(t, x.ID, models.Pending); p.Transaction.Alert == "" || p.Transaction.Word != "17" {
			t.Errorf("alert %q, word %q", p.Transaction.Alert, p.Transaction.Word)
		}
		h.bank.find = func(providers.Query) providers.Finding {
			f := found(models.Succeeded)
			f.Status.Amount = models.Money{Minor: 1, Asset: "BRL"}
			return f
		}
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Pending)
		h.bank.find = func(providers.Query) providers.Finding { return found(models.Failed) }
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Failed)
		h.bank.find = func(providers.Query) providers.Finding { return found(models.Succeeded) }
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Failed)
	})
}

func TestASuccessThatTheBankReturnsIsANewEvent(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		must(t, h.money.Ask(t.Context(), x.ID))
		h.bank.find = func(providers.Query) providers.Finding { return found(models.Returned) }
		h.clock.Advance(25 * time.Hour)
		if _, err := h.money.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.is(t, x.ID, models.Returned)
		if a, f := h.available(t); a != 0 || f != 0 {
			t.Errorf("available %d, in flight %d", a, f)
		}
	})
}

func TestMoneyThatWasPaidAndSentBackBetweenTwoQuestionsIsReturned(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.find = func(providers.Query) providers.Finding { return found(models.Returned) }
		pending := h.approved(t)
		must(t, h.money.Send(t.Context(), pending.ID))
		h.is(t, pending.ID, models.Pending)
		h.bank.send = func(providers.SendRequest) providers.Outcome { return providers.Unknown{Cause: "cut"} }
		unknown := h.approved(t)
		must(t, h.money.Send(t.Context(), unknown.ID))
		h.is(t, unknown.ID, models.Unknown)
		for _, x := range []*models.Transaction{pending, unknown} {
			must(t, h.money.Ask(t.Context(), x.ID))
			if p := h.is(t, x.ID, models.Returned); p.Transaction.Alert != "" {
				t.Errorf("a return needs nobody's thought, and the page says %q", p.Transaction.Alert)
			}
		}
		if a, f := h.available(t); a != 0 || f != 0 {
			t.Errorf("available %d, in flight %d", a, f)
		}
	})
}

// The webhooks of the success may come ten times, and questions may go unanswered: the watch for a return lasts its 30 days all the same.
func TestAReturnOfWhichNoWebhookTellsIsFoundWithin30Days(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		sweep := func() {
			t.Helper()
			if _, err := h.money.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		must(t, h.money.Ask(t.Context(), x.ID))
		paid := h.Now()
		for range 10 {
			must(t, h.AskSoon(t.Context(), x.ID, "webhook", "succeeded"))
			sweep()
		}
		var asked []string
		count, silent := 0, map[int]bool{2: true, 5: true}
		h.bank.find = func(providers.Query) providers.Finding {
			asked = append(asked, fmt.Sprint(int(h.Now().Time().Sub(paid.Time()).Hours())))
			if count++; silent[count] {
				return providers.Finding{Result: providers.Unclear, Says: "silence"}
			}
			return found(models.Succeeded)
		}
		for range 40 * 4 {
			h.clock.Advance(6 * time.Hour)
			sweep()
		}
		// 1, 3, 7, 14 and 30 days after; what was not answered is asked again 6 hours later.
		if got, want := strings.Join(asked, " "), "24 72 78 174 342 348 732"; got != want {
			t.Errorf("a success is asked about after %s hours, want %s", got, want)
		}
		if p := h.is(t, x.ID, models.Succeeded); p.Transaction.NextAsk != 0 {
			t.Error("the watch never ends")
		}
	})
}

// Keys that are gone for good must not be tried for ever.
func TestTheWatchForAReturnEndsEvenIfNobodyAnswers(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		must(t, h.money.Ask(t.Context(), x.ID))
		h.bank.find = func(providers.Query) providers.Finding {
			return providers.Finding{Result: providers.Unclear, Says: "silence"}
		}
		for range 60 {
			h.clock.Advance(24 * time.Hour)
			if _, err := h.money.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if p := h.is(t, x.ID, models.Succeeded); p.Transaction.NextAsk != 0 {
			t.Error("after 60 days it is still being asked about")
		}
	})
}

// A provider says "rejected" and does not know that we had it as paid: for us that is a return.
func TestARejectionAfterASuccessIsAReturn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		must(t, h.money.Ask(t.Context(), x.ID))
		h.bank.find = func(providers.Query) providers.Finding { return found(models.Failed) }
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Returned)
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Returned)
	})
}

func TestSendingAgainNeedsEvidenceAndASecondPerson(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(providers.SendRequest) providers.Outcome { return providers.Unknown{Cause: "cut"} }
		h.bank.find = func(providers.Query) providers.Finding {
			return providers.Finding{Result: providers.NotFound, Says: "509 not found"}
		}
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		court := func() store.Court {
			return models.Judge(h.get(t, x.ID), "same", true, 300, h.Now())
		}
		must(t, h.money.Ask(t.Context(), x.ID))
		must(t, h.money.Ask(t.Context(), x.ID))
		if c := court(); c.MayResend {
			t.Errorf("two early answers are believed: %+v", c)
		}
		if err := h.RequestUnknown(t.Context(), h.ada, models.Sandbox, x.ID, "resend", "nothing there", court()); !models.Is(err, models.Conflict) {
			t.Errorf("sending again without evidence: %v", err)
		}
		h.clock.Advance(6 * time.Minute)
		must(t, h.money.Ask(t.Context(), x.ID))
		must(t, h.money.Ask(t.Context(), x.ID))
		must(t, h.RequestUnknown(t.Context(), h.ada, models.Sandbox, x.ID, "resend", "nothing there", court()))
		if err := h.decide(t, h.ada, x.ID, true, ""); !models.Is(err, models.Forbidden) {
			t.Errorf("the one who asked agrees: %v", err)
		}
		must(t, h.decide(t, h.bea, x.ID, true, ""))
		h.bank.send = func(r providers.SendRequest) providers.Outcome {
			if r.Reference != x.Reference {
				t.Errorf("sent again as %s, first as %s", r.Reference, x.Reference)
			}
			h.bank.execute(r.Reference)
			return providers.Accepted{ProviderRef: "p-1", Status: providers.Status{State: models.Pending}}
		}
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.Pending)
	})
}

func TestASignThatComesWhileASecondPersonThinksStopsTheResend(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(providers.SendRequest) providers.Outcome { return providers.Unknown{Cause: "cut"} }
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		must(t, h.RequestUnknown(t.Context(), h.ada, models.Sandbox, x.ID, "resend", "r", store.Court{MayResend: true, Needed: 1}))
		h.clock.Advance(time.Second)
		must(t, h.AskSoon(t.Context(), x.ID, "webhook", "cashout 17 changed"))
		if err := h.decide(t, h.bea, x.ID, true, ""); !models.Is(err, models.Conflict) {
			t.Errorf("agreed in spite of a sign: %v", err)
		}
		h.is(t, x.ID, models.Unknown)
	})
}

func TestManySendersMakeOneAttempt(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				m := *h.money
				m.Instance = fmt.Sprint("instance ", i)
				if err := m.Send(context.WithoutCancel(t.Context()), x.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if p := h.is(t, x.ID, models.Pending); len(p.Attempts) != 1 {
			t.Errorf("%d attempts", len(p.Attempts))
		}
	})
}

// However a deposit ended, its payer may pay after that: too little, and then too much.
func TestADepositIsPaidShortLateAndTooMuch(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = nil
		for n, ended := range []models.State{models.Expired, models.Cancelled, models.Failed} {
			before := int64(n) * 200000
			x := h.create(t, models.Deposit, "")
			must(t, h.money.Send(t.Context(), x.ID))
			h.bank.find = func(providers.Query) providers.Finding { return found(ended) }
			must(t, h.money.Ask(t.Context(), x.ID))
			h.is(t, x.ID, ended)
			short := found(models.Succeeded)
			short.Status.Amount = models.Money{Minor: 100000, Asset: "BRL"}
			h.bank.find = func(providers.Query) providers.Finding { return short }
			must(t, h.money.Ask(t.Context(), x.ID))
			h.is(t, x.ID, models.PartiallyPaid)
			if a, _ := h.available(t); a != before+100000 {
				t.Errorf("after it was %s: credited %d", ended, a-before)
			}
			short.Status.Amount.Minor = 200000
			must(t, h.money.Ask(t.Context(), x.ID))
			p := h.is(t, x.ID, models.Succeeded)
			if a, _ := h.available(t); a != before+200000 || p.Transaction.Alert == "" {
				t.Errorf("after it was %s: credited %d, alert %q", ended, a-before, p.Transaction.Alert)
			}
		}
	})
}

// Lists show of a payer's document its last digits; the deposit's own page shows it whole.
func TestAPayersDocumentStandsOnThePageOfTheDepositOnly(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = nil
		x := h.create(t, models.Deposit, "")
		must(t, h.money.Send(t.Context(), x.ID))
		paid := found(models.Succeeded)
		paid.Status.Payer = "Ana Souza 52998224725"
		h.bank.find = func(providers.Query) providers.Finding { return paid }
		must(t, h.money.Ask(t.Context(), x.ID))
		p := h.is(t, x.ID, models.Succeeded)
		if p.Transaction.Party != "Ana Souza ···· 4725" || p.Detail.Payer != "Ana Souza 52998224725" {
			t.Errorf("the list says %q, the page %q", p.Transaction.Party, p.Detail.Payer)
		}
	})
}

func TestARefundNeverExceedsItsDeposit(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		d := h.create(t, models.Deposit, "")
		must(t, h.money.Send(t.Context(), d.ID))
		must(t, h.money.Ask(t.Context(), d.ID))
		h.is(t, d.ID, models.Succeeded)
		r := h.create(t, models.Refund, d.ID)
		_, err := h.Create(t.Context(), h.ada, store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Refund, CredentialID: h.cred.ID,
			Amount: models.Money{Minor: 1, Asset: "BRL"}, OfID: d.ID})
		if !models.Is(err, models.Invalid) {
			t.Errorf("a refund beyond the deposit: %v", err)
		}
		must(t, h.decide(t, h.bea, r.ID, true, ""))
		must(t, h.money.Send(t.Context(), r.ID))
		must(t, h.money.Ask(t.Context(), r.ID))
		h.is(t, r.ID, models.Succeeded)
		h.is(t, d.ID, models.Refunded)
	})
}

func TestApprovalsRunOut(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.payout(t)
		h.clock.Advance(25 * time.Hour)
		if err := h.decide(t, h.bea, x.ID, true, ""); !models.Is(err, models.Conflict) {
			t.Errorf("approved after its time: %v", err)
		}
		if _, err := h.money.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.is(t, x.ID, models.Expired)
	})
}

func TestCancellingAsksTheProviderForTheTruth(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		h.bank.cancel = func(q providers.Query) providers.Outcome {
			if q.ProviderRef != "p-1" || q.Reference != x.Reference {
				t.Errorf("cancel names %q and %q", q.ProviderRef, q.Reference)
			}
			return providers.Refused{Code: "510", Message: "too late"}
		}
		must(t, h.RequestOperation(t.Context(), h.ada, models.Sandbox, x.ID, models.OpCancel, "one"))
		if err := h.RequestOperation(t.Context(), h.bea, models.Sandbox, x.ID, models.OpCancel, "one"); !models.Is(err, models.Conflict) {
			t.Errorf("two operations at once: %v", err)
		}
		must(t, h.money.Operate(t.Context(), h.get(t, x.ID).Attempts[1].ID))
		h.is(t, x.ID, models.Pending)
		must(t, h.money.Ask(t.Context(), x.ID))
		h.is(t, x.ID, models.Succeeded)
	})
}

// OpenDispute remembers what it was asked, and its answer is lost.
func (b *bank) OpenDispute(_ context.Context, q providers.Query, reason string, _ []providers.Document) providers.Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disputed = append(b.disputed, q.ProviderRef, reason, q.Values[providers.DisputeProof], q.Values[providers.DisputeAmount])
	return providers.Unknown{Cause: "The line went dead"}
}

func TestADisputeIsCommittedBeforeItIsSentAndItsLostAnswerChangesNoState(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		x := h.approved(t)
		if err := h.money.Send(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
		wish := models.DisputeWish{Reason: "It was paid", Proof: "https://example.com/proof.pdf", Amount: "1,840"}
		if err := h.RequestDispute(t.Context(), h.ada, models.Sandbox, x.ID, wish, "one"); !models.Is(err, models.Conflict) {
			t.Errorf("a payout was disputed: %v", err)
		}
		h.bank.send = func(providers.SendRequest) providers.Outcome {
			return providers.Accepted{ProviderRef: "p-1", Status: providers.Status{State: models.AwaitingPayment}}
		}
		x = h.create(t, models.Deposit, "")
		if err := h.money.Send(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []models.DisputeWish{wish, {Reason: "", Proof: wish.Proof}, {Reason: "a", Proof: "http://example.com/p"}, {Reason: "a", Proof: "https://me:pw@example.com/p"},
			{Reason: "a", Proof: "https:///p"}, {Reason: "a", Proof: "javascript:alert(1)"}, {Reason: "a\x00"}, {Reason: "a", Amount: "0"}, {Reason: "a", Amount: "1.001"}} {
			if err := h.RequestDispute(t.Context(), h.ada, models.Sandbox, x.ID, bad, "one"); !models.Is(err, models.Invalid) {
				t.Errorf("the dispute %+v: %v", bad, err)
			}
		}
		wish.Amount = "1840.5"
		auditor := models.Actor{UserID: "u-rhea", Name: "Rhea", Roles: []models.Role{models.Auditor}}
		if err := h.RequestDispute(t.Context(), auditor, models.Sandbox, x.ID, wish, "one"); !models.Is(err, models.Forbidden) {
			t.Errorf("an auditor disputes: %v", err)
		}
		if err := h.RequestDispute(t.Context(), h.ada, models.Live, x.ID, wish, "one"); !models.Is(err, models.NotFound) {
			t.Errorf("a dispute from the other environment: %v", err)
		}
		if err := h.RequestDispute(t.Context(), h.ada, models.Sandbox, x.ID, wish, "one"); err != nil {
			t.Fatal(err)
		}
		if err := h.RequestDispute(t.Context(), h.bea, models.Sandbox, x.ID, wish, "one"); !models.Is(err, models.Conflict) {
			t.Errorf("a second dispute while one is on its way: %v", err)
		}
		open := h.get(t, x.ID).Attempts[1]
		if open.Operation != models.OpDispute || open.State != models.AttemptOpen || len(h.bank.disputed) != 0 {
			t.Fatalf("before it is sent: %+v, %v", open, h.bank.disputed)
		}
		h.bank.find = func(providers.Query) providers.Finding { return found(models.AwaitingPayment) }
		for range 2 {
			if err := h.money.Operate(t.Context(), open.ID); err != nil {
				t.Fatal(err)
			}
		}
		if want := []string{"p-1", "It was paid", "https://example.com/proof.pdf", "1840.50"}; !slices.Equal(h.bank.disputed, want) {
			t.Errorf("the provider was told %q, once", h.bank.disputed)
		}
		p := h.get(t, x.ID)
		if p.Transaction.State != models.AwaitingPayment || p.Attempts[1].State != models.AttemptUnknown || p.Transaction.NextAsk > h.Now() {
			t.Errorf("after a lost answer: %s, %s", p.Transaction.State, p.Attempts[1].State)
		}
		if last := p.Events[len(p.Events)-1].Sentence; last != "The answer to the wish to dispute it was lost: The line went dead" {
			t.Errorf("the timeline says %q", last)
		}
	})
}
