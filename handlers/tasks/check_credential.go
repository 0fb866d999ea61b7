package tasks

import (
	"context"
	"log/slog"
	"slices"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Check makes the provider's harmless calls with the secrets of one slot, keeps what they showed as evidence about the contract, and marks the
// slot as tested. Drafts can be tested; revoked credentials cannot. Permission credentials.manage.
func (d *Desk) Check(ctx context.Context, actor models.Actor, credentialID string, slot models.Slot) (providers.Checked, error) {
	if err := actor.Require(models.CredentialsManage); err != nil {
		return providers.Checked{}, err
	}
	cred, err := d.store.CredentialForTask(ctx, credentialID)
	if err != nil {
		return providers.Checked{}, err
	}
	if cred.State == models.CredentialRevoked {
		return providers.Checked{}, models.Errorf(models.Conflict, "This credential is revoked: there is nothing left to test.")
	}
	if !slot.Valid() || (slot != models.SlotCurrent && !cred.Has(slot)) {
		return providers.Checked{}, models.Errorf(models.Invalid, "There are no such secrets to test.")
	}
	client, p, err := d.clientOf(ctx, cred, slot)
	if err != nil {
		return providers.Checked{}, err
	}
	checker, ok := client.(providers.Checker)
	if !ok {
		return providers.Checked{}, cannot(p, "be tested without moving money")
	}
	ctx, _ = WithExchanges(WithSubject(ctx, "credential", cred.ID))
	t := judge(checker.Check(ctx))
	if err := d.recorder.Flush(ctx); err != nil {
		return t, err
	}
	for _, r := range t.Results {
		t.Exchanges[r.Operation] = about(ctx).seen.last(r.Operation)
	}
	return t, d.store.RecordTest(ctx, actor, testOf(cred, slot, t))
}

// Try builds a client as it would be after a change and throws it away: what its provider refuses to work with is refused before it is
// written down. secrets nil means those in use.
func (d *Desk) Try(ctx context.Context, cred models.Credential, secrets map[string]string) error {
	p, err := d.provider(cred.Provider)
	if err != nil {
		return err
	}
	if secrets == nil {
		if secrets, err = d.open(ctx, cred.ID, models.SlotCurrent); err != nil {
			return err
		}
	}
	client, err := p.New(providers.Config{Environment: cred.Environment, Values: cred.Values, Secrets: secrets, Settings: cred.Settings, Clock: d.store.Clock,
		Log: slog.New(slog.DiscardHandler), CallerAddress: d.address})
	if err != nil {
		return scrubbed(err, secrets)
	}
	closeClient(client)
	return nil
}

// judge sums the results up: the worst failure decides; otherwise anything that worked; otherwise everything was skipped.
func judge(results []providers.CheckResult) providers.Checked {
	t := providers.Checked{Results: results, Exchanges: map[string]string{}, Verdict: providers.CheckSkipped, Sentence: "There was nothing that could be tested without moving money."}
	for _, verdict := range []providers.CheckVerdict{providers.Unreachable, providers.ClockOff, providers.IPNotListed, providers.KeysRejected,
		providers.SignatureRefused, providers.Unreadable, providers.CheckOK, providers.NotEnabled} {
		if i := slices.IndexFunc(results, func(r providers.CheckResult) bool { return r.Verdict == verdict }); i >= 0 {
			t.Verdict, t.Sentence = verdict, results[i].Sentence
			break
		}
	}
	return t
}

// testOf turns a test into what the store keeps. Only calls that were answered speak about the contract.
func testOf(cred models.Credential, slot models.Slot, t providers.Checked) store.CredentialTest {
	out := store.CredentialTest{CredentialID: cred.ID, Version: cred.Version, Slot: slot, Verdict: string(t.Verdict), Sentence: t.Sentence}
	for _, k := range cred.In(slot) {
		out.SecretIDs = append(out.SecretIDs, k.ID)
	}
	for _, r := range t.Results {
		if r.SkewSecs != 0 {
			out.SkewSecs = r.SkewSecs
		}
		if r.Verdict == providers.CheckSkipped || r.Verdict == providers.Unreachable {
			continue
		}
		verdict := models.Refuted
		if r.Proved {
			verdict = models.Proved
		}
		for _, item := range r.Items {
			out.Evidence = append(out.Evidence, models.ItemEvidence{CredentialID: cred.ID, Item: item, Verdict: verdict, ExchangeID: t.Exchanges[r.Operation],
				Sentence: r.Title + ": " + r.Sentence, Basis: cred.Basis()})
		}
	}
	return out
}
