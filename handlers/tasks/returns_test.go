package tasks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

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
