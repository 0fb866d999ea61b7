package aeterna

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// receiver verifies and reads callbacks. What it says depends on nothing but its arguments.
type receiver struct{ cache *tableCache }

// VerifySignature checks X-Signature against the raw body (AET-CB-1): exactly one header value of 64 hex digits, in either case
// (AET-CB-3), over the bytes as received and nothing else (AET-CB-2). Nothing is decoded, re-encoded or trimmed before it.
func VerifySignature(secretToken string, rawBody []byte, header string) error {
	switch {
	case len(rawBody) == 0:
		return errors.New("the body is empty")
	case len(header) != 64:
		return errors.New("the signature is not 64 hexadecimal digits")
	case secretToken == "":
		return errors.New("there is no key to verify with")
	}
	rule := CallbackSignature{Algorithm: "hmac-sha256", Encoding: "hex"}
	if !rule.check(secretToken, header, rawBody, true) {
		return errors.New("the signature does not match the body")
	}
	return nil
}

// VerifyWebhook finds out whether a delivery was signed with this credential's secret token.
func (rc receiver) VerifyWebhook(k providers.Keys, d providers.Delivery) providers.Authenticity {
	rule := CallbackSignature{Header: headerCallback, Algorithm: "hmac-sha256", Encoding: "hex"}
	items := []string{"AET-CB-1", "AET-CB-2", "AET-CB-3", "AET-CB-4"}
	if t, err := rc.cache.table(k.Settings); err == nil && t.Callback != nil && t.Callback.Signature != nil {
		rule, items = *t.Callback.Signature, []string{"AET-L-8"}
	}
	forged := func(format string, args ...any) providers.Authenticity {
		return providers.Authenticity{Trust: providers.Forged, Sentence: fmt.Sprintf(format, args...), Items: items}
	}
	kind, _, _ := mime.ParseMediaType(d.Header.Get("Content-Type"))
	limit, err := strconv.Atoi(chosen(k.Settings, settingLimit))
	if err != nil {
		limit = 1 << 20
	}
	values := d.Header.Values(rule.Header)
	switch {
	case d.Method != "" && d.Method != http.MethodPost:
		return forged("A callback is a POST; this is %s.", clip(d.Method))
	case len(d.Body) == 0:
		return forged("The body is empty, so there is nothing that could have been signed.")
	case len(d.Body) > limit:
		return forged("The body has %d bytes; at most %d are taken.", len(d.Body), limit)
	case kind != mediaJSON:
		return forged("The content type is not application/json.")
	case len(values) == 0:
		return forged("The header %s is missing. Every callback is signed.", rule.Header)
	case len(values) > 1:
		return forged("The header %s is there %d times; it must be there once.", rule.Header, len(values))
	}
	return rule.verify(k, d.Body, values[0], items)
}

// verify tries the current secret, and the other one where the overlap is switched on (AET-KEY-1).
func (c CallbackSignature) verify(k providers.Keys, body []byte, value string, items []string) providers.Authenticity {
	lax := chosen(k.Settings, settingHexCase) == "either"
	for i, slot := range k.Secrets {
		if i > 0 && chosen(k.Settings, settingOverlap) != "on" {
			break
		}
		secret := slot[fieldSecretToken]
		if secret == "" {
			continue
		}
		which := "the secret token"
		if i > 0 {
			which = "the other secret token, which is still in its overlap"
		}
		if c.check(secret, value, body, lax) {
			return providers.Authenticity{Trust: providers.Verified, Items: items,
				Sentence: "The signature covers the body as received and was made with " + which + ". It has no time in it: the same callback can be sent again for ever."}
		}
		var compact bytes.Buffer
		if chosen(k.Settings, settingCanonical) == "compact" && json.Compact(&compact, body) == nil && c.check(secret, value, compact.Bytes(), lax) {
			return providers.Authenticity{Trust: providers.Verified, Items: items,
				Sentence: "The signature covers the compact form of the body, not its bytes as received, and was made with " + which + "."}
		}
	}
	return providers.Authenticity{Trust: providers.Forged, Items: items, Sentence: "The signature was not made with this credential's secret token over this body."}
}

// TranslateWebhook reads a verified callback by the operation table (AET-L-8, assumed). It is only a reason to ask: nothing in it is
// believed, the amount least of all.
func (rc receiver) TranslateWebhook(d providers.Delivery) (providers.Notice, error) {
	t, err := rc.cache.table(d.Settings)
	if err != nil {
		return providers.Notice{}, err
	}
	cb := t.Callback
	if cb == nil {
		return providers.Notice{}, models.Errorf(models.Invalid, "The operation table says nothing about callbacks.")
	}
	tree, err := httpx.ReadJSON(d.Body)
	if err != nil || !tree.IsObject() {
		return providers.Notice{}, models.Errorf(models.Invalid, "The callback cannot be read: it must be one JSON object.")
	}
	get := func(path string) string {
		if path == "" {
			return ""
		}
		return httpx.Say(at(tree, path).Scalar(), 200)
	}
	digest := sha256.Sum256(d.Body) // nothing in a callback tells one event from its repeat: the bytes do
	n := providers.Notice{Dedupe: hex.EncodeToString(digest[:]), Event: get(cb.Kind), Word: get(cb.Status), Reference: get(cb.Reference), ProviderRef: get(cb.ID)}
	switch cb.Kinds[n.Event] {
	case "deposit":
		n.Kind = models.Deposit
	case "payout":
		n.Kind = models.Payout
	case "dispute":
		// The id is the dispute's own. What can be asked about is the PayIn, by our reference.
		n.Kind, n.ProviderRef = models.Deposit, ""
	}
	return n, nil
}

// WebhookReply is what Aeterna hears once the delivery is stored (AET-CB-5, assumed).
func (receiver) WebhookReply(string) providers.Reply {
	return providers.Reply{Status: http.StatusOK, ContentType: "text/plain", Body: []byte("OK")}
}

// CleanWebhook blanks the signature (README, rule 3): it has no time in it, so body and signature together can be sent again for ever.
func (rc receiver) CleanWebhook(d providers.Delivery) providers.Delivery {
	names := []string{headerCallback}
	if t, err := rc.cache.table(d.Settings); err == nil && t.Callback != nil && t.Callback.Signature != nil {
		names = append(names, t.Callback.Signature.Header)
	}
	h := make(http.Header, len(d.Header))
	for name, all := range d.Header {
		for _, v := range all {
			if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
				v = httpx.Redacted
			}
			h[name] = append(h[name], v)
		}
	}
	d.Header = h
	return d
}
