package tasks

import (
	"context"
	"fmt"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// unmatchedAgain is how often, and after which pauses, a delivery that names nothing of ours is tried again: it may have come before the
// answer that tells us the provider's reference.
var unmatchedAgain = [...]time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}

// reading keeps what is known of a delivery.
func reading(d models.Delivery) store.Reading {
	return store.Reading{State: d.State, Kind: d.Kind, Reference: d.Reference, ProviderRef: d.ProviderRef, Word: d.Word, Event: d.Event, TransactionID: d.TransactionID}
}

// round is what is read once for many deliveries of a job.
type round struct {
	deliveries map[string]models.Delivery // heldTogether of them
	found      map[store.Named]string     // transactions, by what stands on these
	accounts   map[string]account
	proved     map[proof]bool
	unlost     map[lane]bool
	asked      bool // a provider was asked since the last writing
}

// account is a credential with its settings.
type account struct {
	cred     models.Credential
	settings map[string]string
}

type (
	proof struct{ credential, item, basis string }
	lane  struct {
		credential string
		kind       models.Kind
	}
)

// gather looks deliveries up together, and the transactions that they name. What it could not read is read with its delivery, which then bears
// the error.
func (h *Hooks) gather(ctx context.Context, ids []string, r *round) {
	r.found = nil
	var err error
	if r.deliveries, err = h.Store.DeliveriesForTask(ctx, ids); err != nil {
		r.deliveries = nil
		return
	}
	var named []store.Named
	for _, d := range r.deliveries {
		named = append(named, nameOf(d.CredentialID, d.Reference, d.ProviderRef))
	}
	if r.found, err = h.Store.FindByNotices(ctx, named); err != nil {
		r.found = nil
	}
}

func nameOf(credential, reference, theirs string) store.Named {
	return store.Named{CredentialID: credential, Reference: reference, ProviderRef: theirs}
}

func (h *Hooks) account(ctx context.Context, id string, r *round) (a account, err error) {
	if a, ok := r.accounts[id]; ok {
		return a, nil
	}
	if a.cred, err = h.Store.CredentialForTask(ctx, id); err != nil {
		return a, err
	}
	if a.settings, err = h.Desk.Settings(ctx, a.cred); err != nil {
		return a, err
	}
	r.accounts[id] = a
	return a, nil
}

// read reads one stored delivery: it is translated, its transaction is looked for, and what is to be written about it is given back, nil for
// nothing. Reading a delivery twice asks the provider twice, which does no harm. A refused delivery is never read.
func (h *Hooks) read(ctx context.Context, id string, r *round) (*outcome, error) {
	d, known := r.deliveries[id]
	var err error
	if !known {
		d, err = h.Store.DeliveryForTask(ctx, id)
	}
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
	a, err := h.account(ctx, d.CredentialID, r)
	if err != nil {
		return nil, err
	}
	n, err := translate(p, providers.Delivery{Topic: d.Topic, Method: d.Method, Path: d.Path, Query: d.Query, Header: d.Header, Body: d.Body, ReceivedAt: d.ReceivedAt, Settings: a.settings})
	if err != nil {
		// The same bytes will not read better later: a person must look, and may replay it after an update of the program.
		dead := reading(d)
		dead.State, dead.Error = models.DeliveryDead, sentenceFor(err)
		return &outcome{delivery: d, reading: dead}, nil
	}
	if err := h.evidence(ctx, a.cred, d, r); err != nil {
		return nil, err
	}
	return h.act(ctx, d, n, r)
}

// heard is the reading of a notice that could be translated.
func heard(n providers.Notice, transactionID string) store.Reading {
	return store.Reading{State: models.DeliveryProcessed, Kind: n.Kind, Reference: n.Reference, ProviderRef: n.ProviderRef, Word: n.Word, Event: n.Event, TransactionID: transactionID}
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
func (h *Hooks) evidence(ctx context.Context, cred models.Credential, d models.Delivery, r *round) error {
	if d.Trust != string(providers.Verified) && d.Trust != string(providers.Partly) {
		return nil
	}
	var list []models.ItemEvidence
	for _, item := range d.Items {
		if !r.proved[proof{cred.ID, item, cred.Basis()}] {
			list = append(list, models.ItemEvidence{CredentialID: cred.ID, Item: item, Verdict: models.Proved, DeliveryID: d.ID, Sentence: "A webhook came: " + d.Sentence, Basis: cred.Basis()})
		}
	}
	if err := h.Store.AddEvidence(ctx, "webhooks", list); err != nil {
		return err
	}
	for _, e := range list {
		r.proved[proof{cred.ID, e.Item, e.Basis}] = true
	}
	return nil
}

// act tells those whom a delivery concerns, and gives back what is to be written about it.
func (h *Hooks) act(ctx context.Context, d models.Delivery, n providers.Notice, r *round) (*outcome, error) {
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
	found, looked := r.found[nameOf(d.CredentialID, n.Reference, n.ProviderRef)]
	if !looked {
		var err error
		if found, err = h.Store.FindByNotice(ctx, d.CredentialID, n.Reference, n.ProviderRef); err != nil {
			return nil, err
		}
	}
	if found == "" && n.Reference == "" && n.ProviderRef != "" {
		claimed, err := h.claim(ctx, d, n, r)
		if err != nil {
			return nil, err
		}
		if claimed != "" { // and asked about already
			return &outcome{delivery: d, reading: heard(n, claimed)}, nil
		}
	}
	o := &outcome{delivery: d, reading: heard(n, found)}
	switch {
	case found != "":
		o.says = says(d, n)
	case n.Verification != nil, n.Reference == "" && n.ProviderRef == "": // it is about no transaction
	default:
		o.reading.State = models.DeliveryUnmatched
		if d.Tries < len(unmatchedAgain) {
			o.again = unmatchedAgain[d.Tries]
		}
	}
	return o, nil
}

// claim asks whose a number is that nothing of ours has, where a transaction of that kind lost its number with its answer. Only the provider's own
// answer, naming our reference, makes the number ours; the callback is no more than the reason to ask.
func (h *Hooks) claim(ctx context.Context, d models.Delivery, n providers.Notice, r *round) (string, error) {
	of := lane{d.CredentialID, n.Kind}
	if r.unlost[of] {
		return "", nil
	}
	lost, err := h.Store.Lost(ctx, d.Environment, d.Provider, d.CredentialID, n.Kind)
	if r.unlost[of] = err == nil && !lost; err != nil || !lost {
		return "", err
	}
	r.asked = true
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
