package providers

import (
	"net/http"

	"countinghouse/models"
)

// Delivery is one inbound call, exactly as it arrived.
type Delivery struct {
	Topic      string
	Method     string
	Path       string // as registered at the provider, without the query
	Query      string // raw
	Header     http.Header
	Body       []byte
	ReceivedAt models.Micros
	Settings   map[string]string // of the credential, for a provider whose callback fields are settings; may be nil
}

// Keys are the secrets that may have signed a delivery: the current slot first, then others still in their overlap.
type Keys struct {
	Values   map[string]string   // non-secret fields of the credential
	Secrets  []map[string]string // slots
	Settings map[string]string
}

// Trust is what verification found.
type Trust string

// The degrees of trust. Even Verified is only a reason to ask the provider.
const (
	Verified Trust = "verified" // the signature covers the body and is right
	Partly   Trust = "partly"   // the signature is right and covers only a part; Sentence says which
	Hint     Trust = "hint"     // the contract has no signature, or none was sent where none is promised
	Forged   Trust = "forged"   // a signature that is wrong, or missing where the contract promises one
)

// Authenticity is what the verification of one delivery found.
type Authenticity struct {
	Trust    Trust
	Sentence string
	Items    []string // contract items that this delivery speaks to
}

// Notice is what a delivery says, as a reason to ask. Nothing in it is believed.
type Notice struct {
	Kind         models.Kind // empty: cannot be told
	Reference    string      // ours
	ProviderRef  string      // theirs
	Word         string      // their status, if any
	Dedupe       string      // equal for repeats of the same event; empty: the digest of the body is used
	Event        string      // their event type
	Token        string      // of a recipient verification
	Verification *Verification
	Account      string // their id of the sub-account that it is about: how it stands may have changed
}

// Reply is what the provider wants to hear once the delivery is stored durably.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

// WebhookReceiver verifies and reads inbound calls. Both functions are pure: no network, no clock, no decoding before verification.
type WebhookReceiver interface {
	VerifyWebhook(k Keys, d Delivery) Authenticity
	TranslateWebhook(d Delivery) (Notice, error)
	WebhookReply(topic string) Reply
}

// WebhookCleaner is a WebhookReceiver whose deliveries carry something reusable: a constant signature, a token. CleanWebhook gives the
// delivery as it may be stored, logged and shown, with that blanked and everything else untouched. It is called after VerifyWebhook, is pure,
// and must survive any bytes. What equals a secret of the credential is blanked everywhere without it.
type WebhookCleaner interface {
	CleanWebhook(d Delivery) Delivery
}
