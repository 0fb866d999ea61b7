package tasks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// clientPlace is where a client is kept: one per credential and slot. What it was built from is in its state.
type clientPlace struct {
	credential string
	slot       models.Slot
}

// builtClient is a client and what it was built from.
type builtClient struct {
	state  string
	client any
}

// clientOf gives the kept client of a slot, or builds it. The credential is read anew for every call, so a change made by another instance is
// seen at once: a client that was built from anything else is dropped.
func (d *Desk) clientOf(ctx context.Context, cred models.Credential, slot models.Slot) (any, *providers.Provider, error) {
	p, err := d.provider(cred.Provider)
	if err != nil {
		return nil, nil, err
	}
	kept := cred.In(slot)
	if len(kept) == 0 && needsSecrets(&p.Description) {
		return nil, nil, models.Errorf(models.Conflict, "The credential %s has no %s secrets.", cred.Name, slot)
	}
	settings, err := d.Settings(ctx, cred)
	if err != nil {
		return nil, nil, err
	}
	place, state := clientPlace{cred.ID, slot}, clientState(cred, kept, settings)
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.clients[place]; b != nil {
		if b.state == state {
			return b.client, p, nil
		}
		closeClient(b.client)
		delete(d.clients, place)
	}
	secrets, err := d.open(ctx, cred.ID, slot)
	if err != nil {
		return nil, nil, err
	}
	client, err := p.New(providers.Config{Environment: cred.Environment, Values: cred.Values, Secrets: secrets, Settings: settings,
		Recorder: d.recorder.For(cred, secrets), Clock: d.clock, Log: d.log.With("provider", cred.Provider, "credential", cred.ID), CallerAddress: d.address})
	if err != nil {
		return nil, nil, fmt.Errorf("make a client of %s: %w", cred.Provider, scrubbed(err, secrets))
	}
	d.clients[place] = &builtClient{state: state, client: client}
	return client, p, nil
}

// clientState is everything a client is built from, except that secrets stand as the rows they are sealed in.
func clientState(cred models.Credential, kept []models.SecretKept, settings map[string]string) string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(cred.Version, 10) + " " + models.Basis(cred.Values, settings))
	for _, k := range kept {
		b.WriteString(" " + k.Field + "=" + k.ID)
	}
	return b.String()
}

func needsSecrets(d *providers.Description) bool {
	return slices.ContainsFunc(d.Fields, func(f providers.Field) bool { return f.Secret && f.Required })
}

// open unseals one slot.
func (d *Desk) open(ctx context.Context, credentialID string, slot models.Slot) (map[string]string, error) {
	slots, err := d.openAll(ctx, credentialID)
	return slots[slot], err
}

// openAll unseals every slot of a credential.
func (d *Desk) openAll(ctx context.Context, credentialID string) (map[models.Slot]map[string]string, error) {
	sealed, err := d.store.SealedSecrets(ctx, credentialID)
	if err != nil {
		return nil, err
	}
	out := map[models.Slot]map[string]string{}
	for _, x := range sealed {
		plain, err := d.vault.Open(ctx, x.Sealed, store.SecretPlace(x.CredentialID, x.Field))
		if err != nil {
			return nil, &models.Error{Code: models.Unavailable, Err: err,
				Sentence: "The secrets of this credential cannot be opened with the vault key that this program was started with."}
		}
		if out[x.Slot] == nil {
			out[x.Slot] = map[string]string{}
		}
		out[x.Slot][x.Field] = string(plain)
	}
	return out, nil
}

// scrubbed makes sure that an error of a constructor cannot carry a secret, whatever the provider's folder does.
func scrubbed(err error, secrets map[string]string) error {
	var known *models.Error
	clean := scrub(err.Error(), literals(secrets))
	if clean == err.Error() {
		return err
	}
	if errors.As(err, &known) {
		return &models.Error{Code: known.Code, Field: known.Field, Sentence: scrub(known.Sentence, literals(secrets))}
	}
	return errors.New(clean)
}

func closeClient(client any) {
	if c, ok := client.(interface{ Close() }); ok {
		c.Close()
	}
}

// CircuitOpen tells whether calls of a credential were being refused at its last call because its provider did not answer lately. known is
// false while no call was made since the program started.
func (d *Desk) CircuitOpen(credentialID string) (open, known bool) {
	return d.recorder.Paused(credentialID)
}

// Close drops all clients.
func (d *Desk) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for place, b := range d.clients {
		closeClient(b.client)
		delete(d.clients, place)
	}
}

func asError(err error) (*models.Error, bool) {
	var e *models.Error
	ok := errors.As(err, &e)
	return e, ok
}
