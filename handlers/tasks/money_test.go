package tasks_test

import (
	"context"
	"log/slog"
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
