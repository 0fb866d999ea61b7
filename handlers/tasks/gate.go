package tasks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

const (
	gateFresh    = 2 * 1_000_000       // microseconds that opened keys are used before the credential is read again
	forgedWindow = 60 * 60 * 1_000_000 // an hour in microseconds
	forgedKept   = 500                 // forged deliveries stored per credential and hour; the rest are refused and only counted
	headerKept   = 8 << 10             // bytes of header values stored
)

// gate is what the verification of one credential's webhooks needs, opened and kept for a moment: a flood of deliveries must not open the
// vault for each.
type gate struct {
	cred     models.Credential
	provider *providers.Provider
	keys     providers.Keys
	literals []string
	networks []models.IPRule // where its webhooks may come from; none: anywhere
	readAt   models.Micros
	change   int64

	forgedFrom models.Micros // begin of the window
	forged     int
}

// Judge verifies one inbound call against all of the credential's keys that may have signed it, before anything is decoded. The returned
// delivery is ready to be stored and carries no secret: what is constant is blanked. reply is what the provider wants to hear once it is
// stored. A forged one has the state refused; discard says that enough forged ones were stored lately and this one is only refused. A
// credential or topic that does not exist, or is revoked, is NotFound; one from outside of the credential's address rules is Forbidden, and
// nothing of it is looked at or stored.
func (d *Desk) Judge(ctx context.Context, credentialID string, in providers.Delivery, from string) (dl models.Delivery, reply providers.Reply, discard bool, err error) {
	g, err := d.gateOf(ctx, credentialID)
	if err != nil {
		return dl, reply, false, err
	}
	topic, ok := g.provider.Description.Topic(in.Topic)
	if !ok || g.provider.Webhooks == nil || g.cred.State == models.CredentialRevoked {
		return dl, reply, false, models.Errorf(models.NotFound, "There is nothing at this address.")
	}
	if err := d.admits(ctx, g, from); err != nil {
		return dl, reply, false, err
	}
	in.ReceivedAt, in.Settings = d.store.Now(), g.keys.Settings
	found := g.provider.Webhooks.VerifyWebhook(g.keys, in)
	sum := sha256.Sum256(in.Body)
	digest := hex.EncodeToString(sum[:])
	dl = models.Delivery{ID: models.NewID(), CredentialID: g.cred.ID, Provider: g.cred.Provider,
		Environment: g.cred.Environment, Topic: topic.ID, Method: in.Method, Digest: digest, Size: len(in.Body), From: from, ReceivedAt: in.ReceivedAt,
		Trust: string(found.Trust), Sentence: scrub(found.Sentence, g.literals), Items: found.Items, State: models.DeliveryReceived}
	switch found.Trust {
	case providers.Verified, providers.Partly, providers.Hint:
		dl.Dedupe = string(found.Trust) + ":" + d.dedupe(g, in, digest, &dl)
	default:
		dl.Trust, dl.State, dl.Dedupe = string(providers.Forged), models.DeliveryRefused, "forged:"+digest
		discard = d.tooManyForged(g, in.ReceivedAt)
	}
	g.clean(in, &dl)
	return dl, g.provider.Webhooks.WebhookReply(topic.ID), discard, nil
}

// admits refuses calls from outside of the credential's address rules. A rule that has ended lets nobody in, and the door stays guarded. That
// somebody was refused, or that a rule was of use, is noted at a bounded rate; a failure to note it changes nothing.
func (d *Desk) admits(ctx context.Context, g *gate, from string) error {
	if len(g.networks) == 0 {
		return nil
	}
	i := slices.IndexFunc(g.networks, func(r models.IPRule) bool { return r.InForce(d.store.Now()) && r.Holds(from) })
	if i >= 0 {
		if err := d.store.NoteHit(ctx, g.networks[i].ID); err != nil {
			d.log.Error("the last use of an address rule was not noted", "rule", g.networks[i].ID, "error", err)
		}
		return nil
	}
	if err := d.store.NoteRefused(ctx, models.Refused{Scope: models.ScopeWebhook, CredentialID: g.cred.ID, IP: from}); err != nil {
		d.log.Error("a refused address was not noted", "credential", g.cred.ID, "error", err)
	}
	return models.Errorf(models.Forbidden, "The address rules of this credential do not hold %s.", from)
}

// dedupe finds the key by which repeats of one event are recognised, and notes what the call says it is about. A hint's key carries its whole
// body: anybody can send one, and nobody may take the place of another that way.
func (d *Desk) dedupe(g *gate, in providers.Delivery, digest string, dl *models.Delivery) string {
	n, err := g.provider.Webhooks.TranslateWebhook(in)
	if err != nil {
		return digest
	}
	dl.Kind, dl.Reference, dl.ProviderRef, dl.Word, dl.Event = n.Kind, n.Reference, n.ProviderRef, n.Word, n.Event
	if n.Dedupe == "" || dl.Trust == string(providers.Hint) {
		return digest
	}
	sum := sha256.Sum256([]byte(n.Dedupe)) // of any length and any bytes
	return hex.EncodeToString(sum[:])
}

func (d *Desk) tooManyForged(g *gate, now models.Micros) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now > g.forgedFrom+forgedWindow {
		g.forgedFrom, g.forged = now, 0
	}
	g.forged++
	if g.forged == forgedKept+1 {
		d.log.Warn("forged webhooks are refused without being stored", "credential", g.cred.ID, "provider", g.cred.Provider)
	}
	return g.forged > forgedKept
}

// clean takes out of a delivery what must not be stored.
func (g *gate) clean(in providers.Delivery, dl *models.Delivery) {
	if c, ok := g.provider.Webhooks.(providers.WebhookCleaner); ok {
		in = c.CleanWebhook(in)
	}
	dl.Path, dl.Query, dl.Body = scrub(in.Path, g.literals), scrub(in.Query, g.literals), scrubBytes(in.Body, g.literals)
	dl.Header = map[string][]string{}
	room := headerKept
	for name, values := range in.Header {
		for _, v := range values {
			if room -= len(v) + len(name); room < 0 {
				v = "[too long]"
			}
			dl.Header[name] = append(dl.Header[name], scrub(blankHeader(name, v), g.literals))
		}
	}
}

// blankHeader hides what is a credential by its nature. Of Authorization the scheme stays: a wrong one is a usual mistake.
func blankHeader(name, v string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		scheme, _, found := strings.Cut(v, " ")
		if found && len(scheme) <= 16 && utf8.ValidString(scheme) {
			return scheme + " " + httpx.Redacted
		}
		return httpx.Redacted
	case "Cookie":
		return httpx.Redacted
	}
	return v
}

// gateOf gives a credential's gate. A change made in this process is seen at once, one made by another instance within two seconds.
func (d *Desk) gateOf(ctx context.Context, id string) (*gate, error) {
	now, change := d.store.Now(), d.store.CredentialChanges()
	d.mu.Lock()
	g := d.gates[id]
	d.mu.Unlock()
	if g != nil && g.change == change && now-g.readAt < gateFresh {
		return g, nil
	}
	fresh, err := d.openGate(ctx, id, now)
	if err != nil {
		return nil, err
	}
	fresh.change = change
	d.mu.Lock()
	defer d.mu.Unlock()
	if g != nil {
		fresh.forgedFrom, fresh.forged = g.forgedFrom, g.forged
	}
	d.gates[id] = fresh
	return fresh, nil
}

func (d *Desk) openGate(ctx context.Context, id string, now models.Micros) (*gate, error) {
	cred, err := d.store.CredentialForTask(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := d.provider(cred.Provider)
	if err != nil {
		return nil, err
	}
	settings, err := d.Settings(ctx, cred)
	if err != nil {
		return nil, err
	}
	slots, err := d.openAll(ctx, id)
	if err != nil {
		return nil, err
	}
	g := &gate{cred: cred, provider: p, readAt: now, keys: providers.Keys{Values: cred.Values, Settings: settings}}
	if g.networks, _, err = d.store.NetworksForTask(ctx, id); err != nil {
		return nil, err
	}
	for _, slot := range models.Slots() {
		if len(slots[slot]) == 0 || (slot == models.SlotPrevious && !overlaps(cred, now)) {
			continue
		}
		g.keys.Secrets = append(g.keys.Secrets, slots[slot])
		g.literals = append(g.literals, literals(slots[slot])...)
	}
	return g, nil
}

// overlaps reports whether the previous secrets still verify webhooks.
func overlaps(c models.Credential, now models.Micros) bool {
	for _, k := range c.In(models.SlotPrevious) {
		if k.OverlapUntil != 0 && now >= k.OverlapUntil {
			return false
		}
	}
	return true
}
