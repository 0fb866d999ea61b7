package tasks

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// ReceivedJob reads what came for a credential and was not read yet. One waits at most, so that a flood makes no flood of jobs, and one runs: two
// credentials never wait for each other's provider.
type ReceivedJob struct {
	CredentialID string `json:"credential"`
}

// Kind names the job.
func (ReceivedJob) Kind() string { return "read_webhooks" }

// WebhookJob reads stored deliveries again: those that failed, that named nothing of ours, or that a person replays.
type WebhookJob struct {
	IDs []string `json:"ids"`
}

// Kind names the job.
func (WebhookJob) Kind() string { return "process_webhook" }

// WebhookLane keeps deliveries from waiting behind slow work.
const WebhookLane = "webhooks"

const (
	webhookTries = 6           // failed readings before a delivery is dead: the last after about 35 minutes
	strayAfter   = time.Minute // a stored delivery without a job is picked up after this

	readTogether = 512                    // deliveries at most that are written together
	heldTogether = 64                     // of them so many at most are held with their bodies
	manyReceived = 16                     // where so many came, more are on their way
	gatherMore   = 200 * time.Millisecond // and are waited for, because every commit is a write to the disk that new deliveries wait for
)

// Hooks reads what providers sent. What it finds is only ever a reason to ask the provider.
type Hooks struct {
	Store *store.Store
	Desk  *Desk
	Queue *jobs.Queue
	Log   *slog.Logger
	// Verified is told the answer to a recipient verification that comes by webhook. It may be nil.
	Verified func(ctx context.Context, credentialID, token string, v providers.Verification) error
	// Account is told that how a sub-account stands at the provider may have changed. It may be nil.
	Account func(ctx context.Context, credentialID, account string) error
}

// Register makes the queue work deliveries.
func (h *Hooks) Register() {
	jobs.Handle(h.Queue, h.received, jobs.HandleOpts{Timeout: 5 * time.Minute})
	jobs.Handle(h.Queue, h.work, jobs.HandleOpts{Timeout: time.Minute})
	h.Queue.Every("stray_webhooks", time.Minute, func() jobs.Args { return StrayWebhooksJob{} }, jobs.Opts{})
	jobs.Handle(h.Queue, h.strays, jobs.HandleOpts{Timeout: time.Minute})
}

// Enqueue puts the job that reads deliveries again into a transaction.
func (h *Hooks) Enqueue(tx *store.Tx, ids []string) error {
	return h.enqueueAt(tx, ids, time.Time{})
}

// Received puts the jobs that read what came for some credentials into the transaction that stores it.
func (h *Hooks) Received(tx *store.Tx, credentials []string) error {
	for _, id := range credentials {
		if _, err := h.Queue.Insert(tx.Context(), tx.SQL(), ReceivedJob{CredentialID: id}, jobs.Opts{Lane: WebhookLane, UniqueKey: id}); err != nil {
			return err
		}
	}
	tx.AfterCommit(h.Queue.Wake)
	return nil
}

func (h *Hooks) enqueueAt(tx *store.Tx, ids []string, at time.Time) error {
	if _, err := h.Queue.Insert(tx.Context(), tx.SQL(), WebhookJob{IDs: ids}, jobs.Opts{Lane: WebhookLane, ScheduledAt: at}); err != nil {
		return err
	}
	tx.AfterCommit(h.Queue.Wake)
	return nil
}

// outcome is what is to be written about a delivery that was read.
type outcome struct {
	delivery models.Delivery
	reading  store.Reading
	says     string        // to the transaction it is about, which is asked soon; empty: nobody is asked
	again    time.Duration // read it again after this; 0: never
}

// received reads until nothing is left. What comes while it does has a waiting job of its own, so nothing is missed.
func (h *Hooks) received(ctx context.Context, job jobs.Job[ReceivedJob]) error {
	for last := ""; ; {
		ids, err := h.Store.ReceivedDeliveries(ctx, job.Args.CredentialID, last, readTogether)
		if err != nil || len(ids) == 0 {
			return err
		}
		if len(ids) < manyReceived { // the job's end is written along
			return h.readAll(ctx, ids, func(tx *store.Tx) error { return job.Done(ctx, tx.SQL()) })
		}
		if err := h.readAll(ctx, ids, nil); err != nil {
			return err
		}
		last = ids[len(ids)-1]
		if len(ids) < readTogether {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(gatherMore):
			}
		}
	}
}

// work reads the deliveries of one job.
func (h *Hooks) work(ctx context.Context, job jobs.Job[WebhookJob]) error {
	return h.readAll(ctx, job.Args.IDs, func(tx *store.Tx) error { return job.Done(ctx, tx.SQL()) })
}

// readAll reads deliveries and writes what came of them in one transaction. Each has its own outcome: one that cannot be read or written never
// holds the others up. Where a provider had to be asked, what is known is written at once, so that no later question can cost it. end, if there
// is one, goes into the transaction of the last; where nothing is written, it is not called.
func (h *Hooks) readAll(ctx context.Context, ids []string, end func(tx *store.Tx) error) error {
	r := &round{accounts: map[string]account{}, proved: map[proof]bool{}, unlost: map[lane]bool{}}
	var done []outcome
	for i, id := range ids {
		if i%heldTogether == 0 {
			h.gather(ctx, ids[i:min(i+heldTogether, len(ids))], r)
		}
		o, err := h.read(ctx, id, r)
		if err == nil && o != nil {
			o.delivery.Body, o.delivery.Header = nil, nil
			done = append(done, *o)
		}
		if err := h.noted(ctx, id, err); err != nil {
			return err
		}
		if r.asked {
			if err := h.writeAll(ctx, done, nil); err != nil {
				return err
			}
			done, r.asked = nil, false
		}
	}
	return h.writeAll(ctx, done, end)
}

func (h *Hooks) writeAll(ctx context.Context, done []outcome, end func(tx *store.Tx) error) error {
	if len(done) == 0 {
		return nil
	}
	err := h.Store.Update(ctx, func(tx *store.Tx) error {
		err := h.write(tx, done)
		if err == nil && end != nil {
			err = end(tx)
		}
		return err
	})
	if err == nil || errors.Is(err, jobs.ErrLeaseLost) {
		return err
	}
	for _, o := range done {
		err := h.Store.Update(ctx, func(tx *store.Tx) error { return h.write(tx, []outcome{o}) })
		if err := h.noted(ctx, o.delivery.ID, err); err != nil {
			return err
		}
	}
	if end == nil {
		return nil
	}
	return h.Store.Update(ctx, end)
}

// write records outcomes. Those that are read again after the same pause share a job.
func (h *Hooks) write(tx *store.Tx, done []outcome) error {
	finished := make([]store.Finished, len(done))
	for i, o := range done {
		finished[i] = store.Finished{Delivery: o.delivery, Reading: o.reading}
		if o.says == "" {
			continue
		}
		if err := tx.AskSoon(o.reading.TransactionID, "webhook", o.says); err != nil {
			return err
		}
	}
	written, err := tx.FinishDeliveries(finished)
	if err != nil {
		return err
	}
	again := map[time.Duration][]string{}
	for _, o := range done {
		if o.again > 0 && written[o.delivery.ID] {
			again[o.again] = append(again[o.again], o.delivery.ID)
		}
	}
	for pause, ids := range again {
		if err := h.enqueueAt(tx, ids, tx.Now.Add(pause).Time()); err != nil {
			return err
		}
	}
	return nil
}

// noted keeps the failure of one delivery on its row.
func (h *Hooks) noted(ctx context.Context, id string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return err // the whole job comes again; what was written stays written
	}
	h.Log.Error("a delivery was not read", "delivery", id, "error", err)
	return h.failed(ctx, id, err)
}

// failed notes that reading failed and plans the next try, or gives up.
func (h *Hooks) failed(ctx context.Context, id string, cause error) error {
	d, err := h.Store.DeliveryForTask(ctx, id)
	if err != nil {
		return err
	}
	r := reading(d)
	r.State, r.Error = models.DeliveryFailed, sentenceFor(cause)
	tries := d.Tries + 1
	if tries >= webhookTries {
		r.State = models.DeliveryDead
		return h.Store.FinishDelivery(ctx, id, r, nil)
	}
	return h.Store.FinishDelivery(ctx, id, r, func(tx *store.Tx) error {
		return h.enqueueAt(tx, []string{id}, tx.Now.Add(time.Duration(tries*tries*tries)*10*time.Second).Time())
	})
}

// StrayWebhooksJob looks for stored deliveries that no job reads.
type StrayWebhooksJob struct{}

// Kind names the job.
func (StrayWebhooksJob) Kind() string { return "stray_webhooks" }

func (h *Hooks) strays(ctx context.Context, _ jobs.Job[StrayWebhooksJob]) error {
	credentials, err := h.Store.StrayDeliveries(ctx, h.Store.Now().Add(-strayAfter))
	if err != nil || len(credentials) == 0 {
		return err
	}
	return h.Store.Update(ctx, func(tx *store.Tx) error { return h.Received(tx, credentials) })
}
