package tasks_test

import (
	"context"
	"slices"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

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
