package wspn

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// receiver verifies and reads WSPN's webhooks (P-HOOK). All of it is pure.
type receiver struct{}

// VerifyWebhook holds the signature against the raw bytes (WSPN-WH-3: like a request, over the path that is registered at WSPN). Even a
// right one is only a reason to ask.
func (receiver) VerifyWebhook(k providers.Keys, d providers.Delivery) providers.Authenticity {
	out := providers.Authenticity{Trust: providers.Forged, Items: []string{"WSPN-WH-3", "WSPN-WH-4"}}
	set, err := readSettings(models.Live, k.Settings)
	if err != nil {
		out.Sentence = "The credential's settings cannot be read, so the signature cannot be checked."
		return out
	}
	signature, stamp := header(d.Header, "D-SIGNATURE"), header(d.Header, "D-TIMESTAMP")
	switch {
	case len(values(d.Header, "D-SIGNATURE")) > 1 || len(values(d.Header, "D-TIMESTAMP")) > 1:
		out.Sentence = "It carries several signatures or timestamps; which one counts cannot be told."
		return out
	case set.webhookSigned == "off":
		return providers.Authenticity{Trust: providers.Hint, Sentence: "Signatures of webhooks are not looked at by this credential's settings."}
	case signature == "" && set.webhookSigned == "as-requests":
		return providers.Authenticity{Trust: providers.Hint, Items: out.Items,
			Sentence: "It carries no signature. WSPN's verification page is not known, so it counts as a hint only."}
	case signature == "":
		out.Sentence = "It carries no signature, which this credential requires."
		return out
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(stamp) > 16 {
		out.Sentence = "Its timestamp is not a number of milliseconds."
		return out
	}
	query, ok := decodedQuery(d.Query)
	if !ok {
		out.Sentence = "The query of its address cannot be decoded."
		return out
	}
	m := message{method: orElse(d.Method, http.MethodPost), timestamp: stamp, path: d.Path, query: query, body: d.Body}
	if set.pathWithQuery && d.Query != "" {
		m.path += "?" + d.Query
	}
	if !signedByAny(set.profile, m, k, signature) {
		out.Sentence = "Its signature does not match its content."
		return out
	}
	if age := d.ReceivedAt.Time().Sub(time.UnixMilli(at).Add(-set.timestampOffset)); set.webhookMaxAge > 0 && (age > set.webhookMaxAge || age < -set.webhookMaxAge) {
		out.Sentence = fmt.Sprintf("Its signature is right, but it is %s old; this credential accepts %s.", age.Round(time.Second), set.webhookMaxAge)
		return out
	}
	out.Trust, out.Sentence = providers.Verified, "Its signature covers the whole body and matches."
	return out
}

// signedByAny tries every slot of keys, each in constant time.
func signedByAny(p profile, m message, k providers.Keys, signature string) bool {
	found := false
	for _, slot := range k.Secrets {
		secret := strings.TrimSpace(slot["api_secret"])
		if secret != "" && p.matches(m, strings.TrimSpace(slot["api_key"]), secret, signature) {
			found = true
		}
	}
	return found
}

// header reads a header whatever the case of its name.
func header(h http.Header, name string) string {
	if all := values(h, name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func values(h http.Header, name string) []string {
	var all []string
	for k, v := range h {
		if strings.EqualFold(k, name) {
			all = append(all, v...)
		}
	}
	return all
}

// TranslateWebhook reads the documented members. The values of type and eventStatus are not documented, so the kind is told from the
// members of `data` where it can be; eventId is an order's id and not unique per delivery, so repeats are told by all three together.
func (receiver) TranslateWebhook(d providers.Delivery) (providers.Notice, error) {
	v, err := parseJSON(d.Body)
	o, ok := v.(object)
	if err != nil || !ok {
		return providers.Notice{}, models.Errorf(models.Invalid, "The webhook's body is not a JSON object.")
	}
	n := providers.Notice{Reference: reference(o.words("requestId")), ProviderRef: reference(o.words("eventId")), Word: clean(o.words("eventStatus"), 64),
		Event: clean(o.words("type"), 64)}
	if data := dataOf(o); data.text("clientStatus") != "" { // WSPN-KYB-3: news of a sub-account, about no order
		account := o.words("clientId")
		if id := data.id("clientId"); id != 0 {
			account = strconv.FormatInt(id, 10)
		}
		word := clean(data.text("clientStatus"), 64)
		return providers.Notice{Account: reference(account), Word: word, Event: n.Event, Dedupe: strings.Join([]string{n.Event, account, word, o.words("eventTime")}, "|")}, nil
	}
	if n.ProviderRef == "" && n.Reference == "" {
		return providers.Notice{}, models.Errorf(models.Invalid, "The webhook names neither a requestId nor an eventId, so there is nothing to ask about.")
	}
	n.Dedupe = strings.Join([]string{n.Event, n.ProviderRef, n.Word}, "|")
	n.Kind = kindOfData(dataOf(o))
	return n, nil
}

// dataOf reads data both ways: JSON text in a string, and an object (WSPN-WH-2).
func dataOf(o object) object {
	if inner := o.child("data"); inner != nil {
		return inner
	}
	if v, err := parseJSON([]byte(o.text("data"))); err == nil {
		inner, _ := v.(object)
		return inner
	}
	return nil
}

func kindOfData(data object) models.Kind {
	switch {
	case data.text("sellCurrency") != "":
		return models.Conversion
	case data.text("type") == "WITHDRAW":
		return models.Payout
	case data.text("type") == "DEPOSIT":
		return models.Deposit
	}
	return ""
}

// reference keeps a reference only if it can be one of ours or theirs.
func reference(s string) string {
	if !validReference(s) {
		return ""
	}
	return s
}

// WebhookReply is what WSPN wants: 200 and exactly the seven bytes SUCCESS (WSPN-WH-1).
func (receiver) WebhookReply(string) providers.Reply {
	return providers.Reply{Status: http.StatusOK, ContentType: "text/plain", Body: []byte("SUCCESS")}
}

// CleanWebhook blanks the signature (README, rule 3): while no age is checked (WSPN-WH-4), body, timestamp and signature together can be sent again.
func (receiver) CleanWebhook(d providers.Delivery) providers.Delivery {
	h := make(http.Header, len(d.Header))
	for name, all := range d.Header {
		for _, v := range all {
			if strings.EqualFold(name, "D-SIGNATURE") {
				v = httpx.Redacted
			}
			h[name] = append(h[name], v)
		}
	}
	d.Header = h
	return d
}
