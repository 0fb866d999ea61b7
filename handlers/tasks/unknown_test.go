package tasks_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

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
