package tasks_test

import (
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

func TestANumberBecomesOursOnlyWhereTheProviderNamesOurReference(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		deposit := h.create(t, models.Deposit, "")
		must(t, h.money.Send(t.Context(), deposit.ID))
		must(t, h.money.Ask(t.Context(), deposit.ID))
		h.is(t, deposit.ID, models.Succeeded)
		h.bank.send = func(r providers.SendRequest) providers.Outcome {
			h.bank.execute(r.Reference)
			return providers.Unknown{Cause: "The line went dead"}
		}
		x := h.create(t, models.Refund, deposit.ID)
		if x.State == models.AwaitingApproval {
			must(t, h.decide(t, h.bea, x.ID, true, ""))
		}
		must(t, h.money.Send(t.Context(), x.ID))
		if p := h.get(t, x.ID); p.Transaction.State == models.AwaitingApproval { // the rule asked for a second person
			must(t, h.decide(t, h.bea, x.ID, true, ""))
			must(t, h.money.Send(t.Context(), x.ID))
		}
		h.is(t, x.ID, models.Unknown)
		for kind, want := range map[models.Kind]bool{models.Refund: true, models.Payout: false} {
			if lost, err := h.Lost(t.Context(), models.Sandbox, h.cred.Provider, h.cred.ID, kind); err != nil || lost != want {
				t.Errorf("a lost %s: %t, %v", kind, lost, err)
			}
		}
		take := func(kind models.Kind, reference, of, number string) string {
			t.Helper()
			id, err := h.TakeNumber(t.Context(), h.cred.ID, kind, reference, of, number, "It calls")
			must(t, err)
			return id
		}
		if id := take(models.Refund, "CHNOBODYKNOWS1", "p-1", "r-9"); id != "" {
			t.Error("a reference that is not ours took a number")
		}
		if id := take(models.Refund, x.Reference, "p-2", "r-9"); id != "" {
			t.Error("a refund of another deposit took the number")
		}
		if id := take(models.Payout, x.Reference, "", "r-9"); id != "" {
			t.Error("another kind took the number")
		}
		if id := take(models.Refund, x.Reference, "p-1", "r-1"); id != x.ID {
			t.Errorf("it was given to %q", id)
		}
		if id := take(models.Refund, x.Reference, "p-1", "r-2"); id != "" {
			t.Error("a second number replaced the first")
		}
		var asked providers.Query
		h.bank.find = func(q providers.Query) providers.Finding {
			asked = q
			f := found(models.Succeeded)
			f.Status.ProviderRef = q.ProviderRef
			return f
		}
		must(t, h.money.Ask(t.Context(), x.ID))
		if asked.ProviderRef != "r-1" || asked.OfProviderRef != "p-1" || asked.OfReference != deposit.Reference {
			t.Errorf("asked as %+v", asked)
		}
		h.is(t, x.ID, models.Succeeded)
		if lost, err := h.Lost(t.Context(), models.Sandbox, h.cred.Provider, h.cred.ID, models.Refund); err != nil || lost {
			t.Errorf("still lost: %t, %v", lost, err)
		}
	})
}

// A resend that was asked for before the number was known must not be agreed to after it: the provider has the payout.
func TestANumberFoundByHandStopsTheResendThatWaits(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(r providers.SendRequest) providers.Outcome {
			h.bank.execute(r.Reference)
			return providers.Unknown{Cause: "The line went dead"}
		}
		x := h.approved(t)
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.Unknown)
		may := store.Court{MayResend: true, MayGiveUp: true, Needed: 1}
		must(t, h.RequestUnknown(t.Context(), h.ada, models.Sandbox, x.ID, "resend", "Not in their panel", may))
		resend := h.get(t, x.ID).Approvals[0]
		h.clock.Advance(time.Minute)
		must(t, h.RequestNumber(t.Context(), h.ada, models.Sandbox, x.ID, "r-7", "Found in their panel after all"))
		must(t, h.decide(t, h.bea, x.ID, true, ""))
		h.clock.Advance(time.Minute)
		if _, err := h.Decide(t.Context(), h.fresh(h.bea), models.Sandbox, resend.ID, true, "", resend.Digest); !models.Is(err, models.Conflict) {
			t.Errorf("sent again although the provider has it: %v", err)
		}
		p := h.is(t, x.ID, models.Unknown)
		if c := models.Judge(p, "same", false, 0, h.Now().Add(3*time.Hour)); c.MayResend || !c.MayGiveUp {
			t.Errorf("after the number was named: %+v", c)
		}
		if n := h.bank.executed[x.Reference]; n != 1 {
			t.Errorf("the bank executed it %d times", n)
		}
	})
}

func TestANumberFoundByHandNeedsAnotherPersonAndAnUnknownOutcome(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(r providers.SendRequest) providers.Outcome {
			h.bank.execute(r.Reference)
			return providers.Unknown{Cause: "The line went dead"}
		}
		x := h.approved(t)
		if err := h.RequestNumber(t.Context(), h.ada, models.Sandbox, x.ID, "r-1", "Panel"); !models.Is(err, models.Conflict) {
			t.Errorf("a number for what was never sent: %v", err)
		}
		must(t, h.money.Send(t.Context(), x.ID))
		h.is(t, x.ID, models.Unknown)
		must(t, h.RequestNumber(t.Context(), h.ada, models.Sandbox, x.ID, "r-1", "Panel"))
		if err := h.RequestNumber(t.Context(), h.bea, models.Sandbox, x.ID, "r-2", "Panel"); !models.Is(err, models.Conflict) {
			t.Errorf("two requests at once: %v", err)
		}
		if err := h.decide(t, h.ada, x.ID, true, ""); !models.Is(err, models.Forbidden) {
			t.Errorf("the asker agrees: %v", err)
		}
		must(t, h.decide(t, h.bea, x.ID, false, "Another payer"))
		if p := h.is(t, x.ID, models.Unknown); p.Transaction.ProviderRef != "" {
			t.Error("a refused number was taken")
		}
		must(t, h.RequestNumber(t.Context(), h.bea, models.Sandbox, x.ID, "r-2", "Panel"))
		must(t, h.decide(t, h.ada, x.ID, true, ""))
		if p := h.is(t, x.ID, models.Unknown); p.Transaction.ProviderRef != "r-2" || p.Transaction.NextAsk > h.Now() {
			t.Errorf("after two agreed: %+v", p.Transaction)
		}
	})
}
