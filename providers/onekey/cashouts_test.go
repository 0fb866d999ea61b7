package onekey_test

import (
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
)

func TestACashoutIsCreatedFoundHeldReleasedAndCancelled(t *testing.T) {
	h := open(t, nil)
	c, r := client(t, h), payout(providertest.Reference())
	a := accepted(t, c.SendPayout(t.Context(), r))
	q := asked(r, a.ProviderRef)
	states := []models.State{a.Status.State, c.FindPayout(t.Context(), q).Status.State}
	states = append(states, accepted(t, c.HoldPayout(t.Context(), q)).Status.State, c.FindPayout(t.Context(), q).Status.State)
	states = append(states, accepted(t, c.ReleasePayout(t.Context(), q)).Status.State)
	states = append(states, accepted(t, c.CancelPayout(t.Context(), q)).Status.State)
	want := []models.State{models.Pending, models.Pending, models.Held, models.Held, models.Pending, models.Cancelled}
	for i := range want {
		if states[i] != want[i] {
			t.Fatalf("states %v, want %v", states, want)
		}
	}
	if refusedWith(t, c.CancelPayout(t.Context(), q), "510"); h.Executions(t, r.Reference) != 1 {
		t.Error("not exactly one execution")
	}
}

func TestAPayoutCreatedOnHoldIsHeldAndCanBeCancelledDirectly(t *testing.T) {
	h := open(t, nil)
	c, r := client(t, h), payout(providertest.Reference())
	r.Hold = true
	a := accepted(t, c.SendPayout(t.Context(), r))
	if a.Status.State != models.Held || c.FindPayout(t.Context(), asked(r, "")).Status.Word != "5" {
		t.Errorf("%+v", a.Status)
	}
	accepted(t, c.CancelPayout(t.Context(), asked(r, a.ProviderRef)))
}

func TestALateReturnIsSeen(t *testing.T) {
	h := open(t, nil)
	c, r := client(t, h), payout(providertest.Reference())
	accepted(t, c.SendPayout(t.Context(), r))
	settle(t, h, r.Reference, "succeeded")
	f := c.FindPayout(t.Context(), asked(r, ""))
	if f.Status.State != models.Succeeded || f.Status.BankRef == "" || len(f.Status.BankRef) != 32 {
		t.Errorf("%+v", f)
	}
	settle(t, h, r.Reference, "returned")
	f = c.FindPayout(t.Context(), asked(r, ""))
	if f.Status.State != models.Failed || f.Status.ReasonCode != "826" || f.Status.Word != "3" {
		t.Errorf("%+v", f.Status)
	}
}

func TestWhatOneKeyDoesNotKnowIsNotFound(t *testing.T) {
	h := open(t, nil)
	f := client(t, h).FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: providertest.Reference()})
	if f.Result != providers.NotFound || f.Says == "" {
		t.Errorf("%+v", f)
	}
}
