package wakapay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// webhooks verifies and reads WakaPay's callbacks. In current mode the signature is a field of the body, so the body has to be read to find it;
// it is the same for every message and covers nothing, which makes every callback a hint.
type webhooks struct{}

const (
	maxDelivery     = 64 << 10 // contract 9.3, rule 2
	legacyTolerance = 5 * time.Minute
)

// constantSignature is what WakaPay puts into every webhook of a pair of keys (WAKA-WH-2): a reusable credential, to be blanked everywhere.
func constantSignature(key, secret string) string {
	sum := sha256.Sum256([]byte(key + ":" + secret))
	return hex.EncodeToString(sum[:])
}

func forged(sentence string) providers.Authenticity {
	return providers.Authenticity{Trust: providers.Forged, Sentence: sentence}
}

// VerifyWebhook accepts the signature of any pair of keys it is given, so that deliveries in flight during a rotation are not lost
// (WAKA-WH-5). It compares in constant time and without regard to letter case.
func (webhooks) VerifyWebhook(k providers.Keys, d providers.Delivery) providers.Authenticity {
	if len(d.Body) > maxDelivery {
		return forged("It is larger than any webhook of WakaPay's.")
	}
	if k.Settings["webhook_signature_mode"] == "legacy" {
		return verifyLegacy(k, d)
	}
	v, err := httpx.ReadJSON(d.Body)
	if err != nil || !v.IsObject() {
		return forged("It is not a JSON object, so it carries no signature.")
	}
	given := v.Get("signature").Text()
	if given == "" {
		return forged("It carries no signature in its body, as WakaPay's current mode does.")
	}
	if !signedByAny(k.Secrets, func(key, secret string) bool {
		return subtle.ConstantTimeCompare([]byte(strings.ToLower(given)), []byte(constantSignature(key, secret))) == 1
	}) {
		return forged("Its signature belongs to none of this credential's keys.")
	}
	if want, got := k.Values["business_id"], v.Get("businessId").Text(); want != "" && !strings.EqualFold(want, got) {
		return forged("Its signature is right, but it is about another business than ours.")
	}
	return providers.Authenticity{Trust: providers.Partly, Items: []string{"WAKA-WH-1", "WAKA-WH-2"},
		Sentence: "Its signature is right. It is the same for every message and covers nothing in it: only a reason to ask WakaPay."}
}

// signedByAny tries every slot that holds both halves of a pair.
func signedByAny(slots []map[string]string, fits func(key, secret string) bool) bool {
	ok := false
	for _, s := range slots {
		if s["api_key"] != "" && s["api_secret"] != "" && fits(s["api_key"], s["api_secret"]) {
			ok = true // the others are tried all the same: the time taken tells nothing
		}
	}
	return ok
}

// verifyLegacy is WAKA-WH-4, a guess for the stand-in: HMAC-SHA256 by the secret over "<t>.<raw body>", hex, within five minutes. It is off
// by default and never serves production.
func verifyLegacy(k providers.Keys, d providers.Delivery) providers.Authenticity {
	u, err := url.Parse(k.Values["base_url"])
	if k.Settings["webhook_legacy_profile"] != "on" || err != nil || strings.EqualFold(u.Hostname(), liveHost) {
		return forged("How legacy webhooks are signed is not documented. They are refused; ask WakaPay for the current mode.")
	}
	stamp, mac, ok := legacyHeader(d.Header)
	if !ok {
		return forged("It carries no legacy signature of the form t=…,v1=….")
	}
	sent, err := strconv.ParseInt(stamp, 10, 64)
	if age := d.ReceivedAt.Time().Sub(time.Unix(sent, 0)); err != nil || age > legacyTolerance || age < -legacyTolerance {
		return forged("Its legacy signature is more than five minutes off.")
	}
	if !signedByAny(k.Secrets, func(_, secret string) bool {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(stamp + "."))
		h.Write(d.Body)
		return hmac.Equal(h.Sum(nil), mac)
	}) {
		return forged("Its legacy signature belongs to none of this credential's keys.")
	}
	return providers.Authenticity{Trust: providers.Verified, Items: []string{"WAKA-WH-4"},
		Sentence: "Its legacy signature, as this product assumes it, covers the body and is right."}
}

func legacyHeader(h http.Header) (stamp string, mac []byte, ok bool) {
	values := h.Values("X-Wakapay-Signature")
	if len(values) != 1 {
		return "", nil, false
	}
	t, v1, found := strings.Cut(values[0], ",v1=")
	stamp, hasT := strings.CutPrefix(t, "t=")
	mac, err := hex.DecodeString(v1)
	return stamp, mac, found && hasT && err == nil && len(mac) == sha256.Size && len(stamp) <= 12
}

// TranslateWebhook says what a delivery is about. It must carry a status and at least one of the two references (contract 9.2); everything
// else about it is unknown and ignored.
func (webhooks) TranslateWebhook(d providers.Delivery) (providers.Notice, error) {
	if len(d.Body) > maxDelivery {
		return providers.Notice{}, models.Errorf(models.Invalid, "The webhook is too large.")
	}
	v, err := httpx.ReadJSON(d.Body)
	if err != nil || !v.IsObject() {
		return providers.Notice{}, models.Errorf(models.Invalid, "The webhook cannot be read.")
	}
	field := d.Settings["webhook_fields"] // WAKA-WH-3
	if field == "" {
		field = "businessReference"
	}
	n := providers.Notice{Kind: models.Payout, Event: "transaction.updated", Reference: v.Get(field).Text(), ProviderRef: v.Get("wakapayReference").Text(),
		Word: httpx.Say(v.Get("status").Text(), 60)}
	for _, ref := range []string{n.Reference, n.ProviderRef} {
		if ref != "" && !validReference(ref) {
			return providers.Notice{}, models.Errorf(models.Invalid, "The webhook names a reference that cannot be one.")
		}
	}
	if n.Word == "" || n.Reference == "" && n.ProviderRef == "" {
		return providers.Notice{}, models.Errorf(models.Invalid, "The webhook names no status, or no transaction.")
	}
	n.Dedupe = strings.Join([]string{n.Reference, n.ProviderRef, n.Word}, "|") // WAKA-WH-6
	return n, nil
}

// WebhookReply acknowledges (WAKA-WH-6).
func (webhooks) WebhookReply(string) providers.Reply {
	return providers.Reply{Status: http.StatusOK, ContentType: "application/json", Body: []byte(`{"received":true}`)}
}

const blank = "[redacted]"

// CleanWebhook blanks the signature: whoever has it can forge any other webhook, and it is a digest of the keys. In the body every value under
// a key called signature goes; then, everywhere, every run of 64 or more hexadecimal digits.
func (webhooks) CleanWebhook(d providers.Delivery) providers.Delivery {
	d.Body = blankHex(blankKey(d.Body, "signature"))
	d.Path, d.Query = string(blankHex([]byte(d.Path))), string(blankHex([]byte(d.Query)))
	h := make(http.Header, len(d.Header))
	for name, values := range d.Header {
		for _, v := range values {
			if strings.EqualFold(name, "X-Wakapay-Signature") {
				v = blank
			}
			h[name] = append(h[name], string(blankHex([]byte(v))))
		}
	}
	d.Header = h
	return d
}

// blankKey replaces the value of every object key of this name, in any letter case and at any depth, as far as the body is JSON. All other
// bytes stay as they are.
func blankKey(body []byte, name string) []byte {
	var out []byte
	copied := 0
	dec := json.NewDecoder(bytes.NewReader(body))
	var inObject []bool // one per open container
	key := true         // within an object: the next token is a key
	for {
		t, err := dec.Token()
		if err != nil {
			return append(out, body[copied:]...)
		}
		if delim, ok := t.(json.Delim); ok {
			if delim == '{' || delim == '[' {
				inObject = append(inObject, delim == '{')
			} else {
				inObject = inObject[:len(inObject)-1]
			}
			key = true
			continue
		}
		if len(inObject) == 0 || !inObject[len(inObject)-1] {
			continue
		}
		if !key {
			key = true
			continue
		}
		key = false
		if s, ok := t.(string); ok && strings.EqualFold(s, name) {
			var raw json.RawMessage
			if dec.Decode(&raw) != nil {
				return append(append(out, body[copied:min(int(dec.InputOffset()), len(body))]...), blank...) // cut inside the value: nothing after is kept
			}
			end := int(dec.InputOffset())
			out = append(append(out, body[copied:end-len(raw)]...), `"`+blank+`"`...)
			copied, key = end, true
		}
	}
}

// blankHex replaces every run of 64 or more hexadecimal digits.
func blankHex(b []byte) []byte {
	var out []byte
	copied := 0
	for i := 0; i < len(b); {
		j := i
		for j < len(b) && isHex(b[j]) {
			j++
		}
		if j-i >= 64 {
			out = append(append(out, b[copied:i]...), blank...)
			copied = j
		}
		i = max(j, i+1)
	}
	if copied == 0 {
		return b
	}
	return append(out, b[copied:]...)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
