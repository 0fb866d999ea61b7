package tasks

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// WebhookJob reads stored deliveries. A group that was stored in one commit is one job; what fails in it gets jobs of its own.
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
	jobs.Handle(h.Queue, h.work, jobs.HandleOpts{Timeout: time.Minute})
	h.Queue.Every("stray_webhooks", time.Minute, func() jobs.Args { return StrayWebhooksJob{} }, jobs.Opts{})
	jobs.Handle(h.Queue, h.strays, jobs.HandleOpts{Timeout: time.Minute})
}

// Enqueue puts the job that reads deliveries into the transaction that stores them.
func (h *Hooks) Enqueue(tx *store.Tx, ids []string) error {
	return h.enqueueAt(tx, ids, time.Time{})
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
	delivery string
	write    func(tx *store.Tx) error
}

// work reads the deliveries of one job and writes what came of them in one transaction, because each commit is a write to the disk that new
// deliveries wait for. Each has its own outcome: one that cannot be read or written never holds the others up.
func (h *Hooks) work(ctx context.Context, job jobs.Job[WebhookJob]) error {
	return h.readAll(ctx, job.Args.IDs)
}

func (h *Hooks) readAll(ctx context.Context, ids []string) error {
	var done []outcome
	accounts := map[string]account{}
	for _, id := range ids {
		write, err := h.read(ctx, id, accounts)
		if err == nil && write != nil {
			done = append(done, outcome{id, write})
		}
		if err := h.noted(ctx, id, err); err != nil {
			return err
		}
	}
	if len(done) == 0 {
		return nil
	}
	err := h.Store.Update(ctx, func(tx *store.Tx) error {
		for _, o := range done {
			if err := o.write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	for _, o := range done {
		if err := h.noted(ctx, o.delivery, h.Store.Update(ctx, o.write)); err != nil {
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

// unmatchedAgain is how often, and after which pauses, a delivery that names nothing of ours is tried again: it may have come before the
// answer that tells us the provider's reference.
var unmatchedAgain = [...]time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}

// reading keeps what is known of a delivery.
func reading(d models.Delivery) store.Reading {
	return store.Reading{State: d.State, Kind: d.Kind, Reference: d.Reference, ProviderRef: d.ProviderRef, Word: d.Word, Event: d.Event, TransactionID: d.TransactionID}
}

// account is a credential with its settings, read once for all deliveries of a job.
type account struct {
	cred     models.Credential
	settings map[string]string
}

func (h *Hooks) account(ctx context.Context, id string, known map[string]account) (a account, err error) {
	if a, ok := known[id]; ok {
		return a, nil
	}
	if a.cred, err = h.Store.CredentialForTask(ctx, id); err != nil {
		return a, err
	}
	if a.settings, err = h.Desk.Settings(ctx, a.cred); err != nil {
		return a, err
	}
	known[id] = a
	return a, nil
}

// read reads one stored delivery: it is translated, its transaction is looked for, and what is to be written about it is given back, nil for
// nothing. Reading a delivery twice asks the provider twice, which does no harm. A refused delivery is never read.
func (h *Hooks) read(ctx context.Context, id string, known map[string]account) (func(tx *store.Tx) error, error) {
	d, err := h.Store.DeliveryForTask(ctx, id)
	if models.Is(err, models.NotFound) {
		return nil, nil // removed since
	}
	if err != nil || d.State == models.DeliveryRefused || d.State == models.DeliveryProcessed {
		return nil, err
	}
	p, err := h.Desk.provider(d.Provider)
	if err != nil {
		return nil, err
	}
	a, err := h.account(ctx, d.CredentialID, known)
	if err != nil {
		return nil, err
	}
	n, err := translate(p, providers.Delivery{Topic: d.Topic, Method: d.Method, Path: d.Path, Query: d.Query, Header: d.Header, Body: d.Body, ReceivedAt: d.ReceivedAt, Settings: a.settings})
	if err != nil {
		// The same bytes will not read better later: a person must look, and may replay it after an update of the program.
		r := reading(d)
		r.State, r.Error = models.DeliveryDead, sentenceFor(err)
		return finish(d, r, nil), nil
	}
	if err := h.evidence(ctx, a.cred, d); err != nil {
		return nil, err
	}
	return h.act(ctx, d, n)
}

// heard is the reading of a notice that could be translated.
func heard(n providers.Notice, transactionID string) store.Reading {
	return store.Reading{State: models.DeliveryProcessed, Kind: n.Kind, Reference: n.Reference, ProviderRef: n.ProviderRef, Word: n.Word, Event: n.Event, TransactionID: transactionID}
}

func finish(d models.Delivery, r store.Reading, and func(tx *store.Tx) error) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { return tx.FinishDelivery(d.ID, r, and) }
}

// translate keeps a panic of a provider's folder from taking the whole job along.
func translate(p *providers.Provider, d providers.Delivery) (n providers.Notice, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the webhook reader of %s panicked: %v", p.Description.Name, r)
		}
	}()
	if p.Webhooks == nil {
		return n, models.Errorf(models.Invalid, "%s sends no webhooks.", p.Description.Title)
	}
	return p.Webhooks.TranslateWebhook(d)
}

// evidence keeps what a rightly signed delivery proved about the contract.
func (h *Hooks) evidence(ctx context.Context, cred models.Credential, d models.Delivery) error {
	if d.Trust != string(providers.Verified) && d.Trust != string(providers.Partly) {
		return nil
	}
	var list []models.ItemEvidence
	for _, item := range d.Items {
		list = append(list, models.ItemEvidence{CredentialID: cred.ID, Item: item, Verdict: models.Proved, DeliveryID: d.ID, Sentence: "A webhook came: " + d.Sentence, Basis: cred.Basis()})
	}
	return h.Store.AddEvidence(ctx, "webhooks", list)
}

// act tells those whom a delivery concerns, and gives back what is to be written about it.
func (h *Hooks) act(ctx context.Context, d models.Delivery, n providers.Notice) (func(tx *store.Tx) error, error) {
	if n.Verification != nil && h.Verified != nil {
		if err := h.Verified(ctx, d.CredentialID, n.Token, *n.Verification); err != nil {
			return nil, err
		}
	}
	if n.Account != "" && h.Account != nil {
		if err := h.Account(ctx, d.CredentialID, n.Account); err != nil {
			return nil, err
		}
	}
	found, err := h.Store.FindByNotice(ctx, d.CredentialID, n.Reference, n.ProviderRef)
	if err != nil {
		return nil, err
	}
	if found == "" && n.Reference == "" && n.ProviderRef != "" {
		claimed, err := h.claim(ctx, d, n)
		if err != nil {
			return nil, err
		}
		if claimed != "" { // and asked about already
			return finish(d, heard(n, claimed), nil), nil
		}
	}
	r := heard(n, found)
	if found != "" {
		return func(tx *store.Tx) error {
			if err := tx.AskSoon(found, "webhook", says(d, n)); err != nil {
				return err
			}
			return tx.FinishDelivery(d.ID, r, nil)
		}, nil
	}
	if n.Verification != nil || (n.Reference == "" && n.ProviderRef == "") {
		return finish(d, r, nil), nil // it is about no transaction
	}
	r.State = models.DeliveryUnmatched
	if d.Tries >= len(unmatchedAgain) {
		return finish(d, r, nil), nil
	}
	return finish(d, r, func(tx *store.Tx) error {
		return h.enqueueAt(tx, []string{d.ID}, tx.Now.Add(unmatchedAgain[d.Tries]).Time())
	}), nil
}

// claim asks whose a number is that nothing of ours has, where a transaction of that kind lost its number with its answer. Only the provider's own
// answer, naming our reference, makes the number ours; the callback is no more than the reason to ask.
func (h *Hooks) claim(ctx context.Context, d models.Delivery, n providers.Notice) (string, error) {
	lost, err := h.Store.Lost(ctx, d.Environment, d.Provider, d.CredentialID, n.Kind)
	if err != nil || !lost {
		return "", err
	}
	f, err := h.Desk.Whose(WithSubject(ctx, "delivery", d.ID), d.CredentialID, n.Kind, n.ProviderRef)
	if err != nil || f.Result != providers.Found || f.Reference == "" {
		return "", err
	}
	return h.Store.TakeNumber(ctx, d.CredentialID, n.Kind, f.Reference, f.Of, n.ProviderRef,
		fmt.Sprintf("Webhook %s calls about number %s (%s); asked about it, the provider names our reference", d.Topic, models.Safe(n.ProviderRef, 60), d.Trust))
}

// says is the line in the outcome court: what the delivery claims, and how far it may be believed.
func says(d models.Delivery, n providers.Notice) string {
	if n.Word == "" {
		return fmt.Sprintf("Webhook %s calls about it and names no status (%s)", d.Topic, d.Trust)
	}
	return fmt.Sprintf("Webhook %s says %q (%s)", d.Topic, n.Word, d.Trust)
}

// StrayWebhooksJob looks for stored deliveries that no job reads.
type StrayWebhooksJob struct{}

// Kind names the job.
func (StrayWebhooksJob) Kind() string { return "stray_webhooks" }

func (h *Hooks) strays(ctx context.Context, _ jobs.Job[StrayWebhooksJob]) error {
	ids, err := h.Store.StrayDeliveries(ctx, h.Store.Now().Add(-strayAfter), 200)
	if err != nil {
		return err
	}
	return h.readAll(ctx, ids)
}
