package tasks_test

import (
	"log/slog"
	"net/url"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// listens makes the house take in what the stand-in calls about, and do at once what follows from it.
func (c *courier) listens() *store.Intake {
	c.Helper()
	c.store.UseJobs(tasks.Enqueuer{Queue: c.queue})
	hooks := &tasks.Hooks{Store: c.store, Desk: c.desk, Queue: c.queue, Log: slog.New(slog.DiscardHandler), Account: c.kyb.Heard}
	hooks.Register()
	in := c.store.NewIntake(hooks.Received)
	c.Cleanup(in.Close)
	return in
}

// hears waits for the stand-in's next call, lets it in as the program's edge does, and works until nothing is due.
func (c *courier) hears(in *store.Intake, change func(*providers.Delivery)) models.Delivery {
	c.Helper()
	var call providers.Delivery
	select {
	case call = <-c.calls:
	case <-time.After(time.Minute):
		c.Fatal("the stand-in does not call")
	}
	if change != nil {
		change(&call)
	}
	d, _, _, err := c.desk.Judge(c.Context(), c.cred.ID, call, "203.0.113.9")
	if err != nil {
		c.Fatal(err)
	}
	if k := in.Keep(c.Context(), d); k.Err != nil {
		c.Fatal(k.Err)
	}
	c.works()
	return d
}

func (c *courier) works() {
	c.Helper()
	results, err := c.queue.RunDue(c.Context(), time.Now())
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			c.Errorf("a job failed: %+v", r)
		}
	}
}

func TestAWebhookAboutACompanyIsAReasonToAskAndTheAnswerMovesItsSubmission(t *testing.T) {
	eachCourier(t, func(c *courier) {
		in := c.listens()
		sub := c.company(0)
		c.send(sub.ID)
		c.hears(in, nil) // the stand-in says that it looks at them
		if got := c.page(sub.ID).Submission.State; got != models.SubSubmitted {
			c.Fatalf("after the first call it is %s", got)
		}
		c.tell("kyb", url.Values{"client": {"300001"}, "status": {"question"}, "remark": {"Who owns it?"}})
		d := c.hears(in, nil)
		page, err := c.store.KYBCase(c.Context(), c.ines, models.Sandbox, sub.CaseID)
		if err != nil {
			c.Fatal(err)
		}
		if page.Submissions[0].State != models.SubQuestion || len(page.Tasks) != 1 || page.Tasks[0].State != "open" || page.Tasks[0].Text != "WSPN asks about account 300001: Who owns it?" {
			c.Errorf("after the question: %s, %+v", page.Submissions[0].State, page.Tasks)
		}
		kept, err := c.store.DeliveryForTask(c.Context(), d.ID)
		if err != nil || kept.State != models.DeliveryProcessed || kept.TransactionID != "" {
			c.Errorf("the delivery: %+v, %v", kept, err)
		}
		c.tell("kyb", url.Values{"client": {"300001"}, "status": {"rejected"}})
		c.hears(in, nil)
		if got := c.page(sub.ID).Submission; got.State != models.SubRefused || got.NextAsk != 0 {
			c.Errorf("after the refusal: %+v", got)
		}
		// Nothing is followed any more, and still the provider may change its mind.
		c.tell("kyb", url.Values{"client": {"300001"}, "status": {"approved"}})
		c.hears(in, nil)
		if got := c.page(sub.ID); got.Submission.State != models.SubVerified || got.Link.Standing != models.KYBVerified {
			c.Errorf("after it changed its mind: %+v", got.Submission)
		}
	})
}

func TestAForgedWebhookAboutACompanyMovesNothing(t *testing.T) {
	eachCourier(t, func(c *courier) {
		in := c.listens()
		sub := c.company(0)
		c.send(sub.ID)
		c.hears(in, nil)
		for range 3 {
			c.works() // what the queue does by itself at its start is behind us
		}
		before := c.page(sub.ID).Submission
		// The stand-in stays with its word; the call lies.
		c.tell("kyb", url.Values{"client": {"300001"}, "status": {"approved"}})
		d := c.hears(in, func(call *providers.Delivery) { call.Body = append(call.Body, ' ') })
		if after := c.page(sub.ID).Submission; d.State != models.DeliveryRefused || after.State != models.SubSubmitted || after.NextAsk != before.NextAsk {
			c.Errorf("the call is %s, the submission %+v", d.State, after)
		}
	})
}
