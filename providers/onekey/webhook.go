package onekey

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// receiver verifies and reads OneKey's callbacks. It is pure: no network, no clock, nothing kept.
type receiver struct{}

// VerifyWebhook checks a callback against every slot's secrets. A cashout callback must be parsed to be verified, because its control
// covers the decoded external_id; nothing else of it is looked at before.
func (receiver) VerifyWebhook(k providers.Keys, d providers.Delivery) providers.Authenticity {
	set := choice(k.Settings)
	switch d.Topic {
	case "cashout":
		if set("control_formula") == "payload_signature" {
			return verifyPayload(k, d)
		}
		return verifyControl(k, d, set("control_case") == "any")
	case "deposit":
		return verifySigned(k, d, fDepositKey, fDepositSignature, set("deposit_webhook_auth") == "required", "OKP-WH-3")
	case "refund":
		return verifySigned(k, d, fDepositKey, fDepositSignature, set("refund_webhook_auth") == "required", "OKP-WH-4")
	case "pix":
		return verifyPix(k, d, set("pix_callback_auth") == "token_and_signature")
	}
	return forged("OneKey has no callback of this kind.")
}

func forged(sentence string, items ...string) providers.Authenticity {
	return providers.Authenticity{Trust: providers.Forged, Sentence: sentence, Items: items}
}

// verifyControl checks the control field (OKP-WH-1). It is the same for the whole life of a cashout, so even a right one may be a replay.
func verifyControl(k providers.Keys, d providers.Delivery, anyCase bool) providers.Authenticity {
	form, err := readForm(d.Body)
	if err != nil {
		return forged("The body is not a form: "+err.Error()+".", "OKP-WH-1")
	}
	reference, control := form["external_id"], form["control"]
	switch {
	case reference == "":
		return forged("There is no external_id.", "OKP-WH-1")
	case control == "":
		return forged("There is no control, which every cashout callback has.", "OKP-WH-1")
	}
	for _, secrets := range k.Secrets {
		secret := secrets[fCashoutSignature]
		if secret == "" {
			continue
		}
		want := webhookControl(secret, reference)
		if same(want, control) {
			return providers.Authenticity{Trust: providers.Partly, Items: []string{"OKP-WH-1", "OKP-WH-2"},
				Sentence: "The control is right. It covers our reference only, so number, date and reason are hearsay, and it may be a replay."}
		}
		if same(want, strings.ToUpper(control)) { // OKP-WH-2
			if anyCase {
				return providers.Authenticity{Trust: providers.Partly, Items: []string{"OKP-WH-1", "OKP-WH-2"},
					Sentence: "The control is right but not in upper case. It covers our reference only."}
			}
			return forged("The control would be right in upper case. The setting control_case does not accept that (OKP-WH-2).", "OKP-WH-2")
		}
	}
	return forged("The control is wrong.", "OKP-WH-1")
}

// verifyPayload is the other reading of the documentation (OKP-WH-1): Payload-Signature over the body, as in requests.
func verifyPayload(k providers.Keys, d providers.Delivery) providers.Authenticity {
	given := d.Header.Get("Payload-Signature")
	if given == "" {
		return forged("There is no Payload-Signature.", "OKP-WH-1")
	}
	for _, secrets := range k.Secrets {
		if secret := secrets[fCashoutSignature]; secret != "" && same(payloadSignature(secret, d.Body), given) {
			return providers.Authenticity{Trust: providers.Verified, Sentence: "The Payload-Signature over the body is right.", Items: []string{"OKP-WH-1"}}
		}
	}
	return forged("The Payload-Signature is wrong.", "OKP-WH-1")
}

// verifySigned checks a callback that is signed like a request of the deposits family, over its own body (OKP-WH-3, OKP-WH-4). Whether
// OneKey sends the headers is not certain: by default a callback without them is a hint, one with wrong ones is forged.
func verifySigned(k providers.Keys, d providers.Delivery, loginField, signatureField string, required bool, item string) providers.Authenticity {
	for _, name := range []string{"X-Date", "X-Login", "Authorization"} {
		if len(d.Header.Values(name)) > 1 {
			return forged("The header "+name+" is there more than once; which one counts cannot be told.", item)
		}
	}
	date, login, authorization := d.Header.Get("X-Date"), d.Header.Get("X-Login"), d.Header.Get("Authorization")
	if date == "" && login == "" && authorization == "" {
		if required || len(known(k.Secrets, signatureField)) == 0 {
			return forged("The signature headers are missing.", item)
		}
		return providers.Authenticity{Trust: providers.Hint, Items: []string{item}, Sentence: "It carries no signature: a hint to ask OneKey, nothing more."}
	}
	scheme, hex, ok := strings.Cut(authorization, " ")
	if !ok || (scheme != "D24" && scheme != "OKP") || date == "" || login == "" {
		return forged("The signature headers are not complete.", item)
	}
	for _, secrets := range known(k.Secrets, signatureField) {
		if same(secrets[loginField], login) && same(depositSignature(secrets[signatureField], date, login, d.Body), hex) {
			return providers.Authenticity{Trust: providers.Verified, Items: []string{item}, Sentence: "The signature over date, key and body is right. It may still be a replay."}
		}
	}
	return forged("The signature is wrong.", item)
}

// known gives the slots that have a secret.
func known(slots []map[string]string, field string) []map[string]string {
	var out []map[string]string
	for _, s := range slots {
		if s[field] != "" {
			out = append(out, s)
		}
	}
	return out
}

// verifyPix binds a PIX-key callback by the token in its address (OKP-WH-5): without one it belongs to no question of ours. Whether the
// token is one that was given out is for the reader of the notice to look up.
func verifyPix(k providers.Keys, d providers.Delivery, signed bool) providers.Authenticity {
	q, err := url.ParseQuery(d.Query)
	if err != nil || !tokenShape(q.Get("token")) {
		return forged("Its address has no token, so it answers no question of ours.", "OKP-WH-5")
	}
	if signed || d.Header.Get("Authorization") != "" {
		return verifySigned(k, d, fCashoutKey, fCashoutSignature, true, "OKP-WH-5")
	}
	return providers.Authenticity{Trust: providers.Hint, Items: []string{"OKP-WH-5"},
		Sentence: "It is not signed. The token in its address must be the one that was given out; even then it is a hint."}
}

func tokenShape(t string) bool {
	return len(t) >= 16 && len(t) <= 200 && strings.Trim(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func same(a, b string) bool {
	return len(a) == len(b) && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// readForm decodes a urlencoded body. A field that stands there twice makes the whole form unreadable: two readers might see two values.
func readForm(body []byte) (map[string]string, error) {
	if len(body) > 64<<10 {
		return nil, models.Errorf(models.Invalid, "it is too long")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, models.Errorf(models.Invalid, "it is not properly encoded")
	}
	form := map[string]string{}
	for k, v := range values {
		if len(v) != 1 {
			return nil, models.Errorf(models.Invalid, "a field stands in it twice")
		}
		if !utf8.ValidString(v[0]) || strings.ContainsRune(v[0], 0) {
			return nil, models.Errorf(models.Invalid, "a field is not text")
		}
		form[k] = v[0]
	}
	return form, nil
}

// TranslateWebhook reads a callback as a reason to ask.
func (receiver) TranslateWebhook(d providers.Delivery) (providers.Notice, error) {
	switch d.Topic {
	case "cashout":
		return translateCashout(d)
	case "deposit":
		return translateID(d, models.Deposit, "deposit_id")
	case "refund":
		return translateID(d, models.Refund, "refund_id")
	case "pix":
		return translatePix(d)
	}
	return providers.Notice{}, models.Errorf(models.Invalid, "OneKey has no callback of this kind.")
}

// translateCashout: the form carries no status. Repeats of one event are equal byte for byte as long as there is a date in them.
func translateCashout(d providers.Delivery) (providers.Notice, error) {
	form, err := readForm(d.Body)
	if err != nil {
		return providers.Notice{}, models.Errorf(models.Invalid, "The callback is not a form: %v.", err)
	}
	n := providers.Notice{Kind: models.Payout, Event: "cashout"}
	if len(form["external_id"]) > 100 || form["external_id"] == "" {
		return n, models.Errorf(models.Invalid, "The callback has no external_id that could be ours.")
	}
	n.Reference = form["external_id"]
	if theirNumber.MatchString(form["cashout_id"]) {
		n.ProviderRef = form["cashout_id"] // not covered by control
	}
	if form["date"] == "" {
		n.Dedupe = "cashout:" + n.Reference + ":" + strconv.FormatInt(int64(d.ReceivedAt), 10)
	}
	return n, nil
}

// translateID: the body holds an id and nothing else, the same for every event of its life. So only the date of its signature can tell a
// repeat from the next event; without one every delivery is an event of its own, because asking once more does no harm.
func translateID(d providers.Delivery, kind models.Kind, key string) (providers.Notice, error) {
	o, err := readObject(d.Body)
	if err != nil {
		return providers.Notice{}, models.Errorf(models.Invalid, "The callback cannot be read: %v.", err)
	}
	id := o.id(key)
	if id == "" {
		return providers.Notice{}, models.Errorf(models.Invalid, "The callback has no %s.", key)
	}
	event := d.Header.Get("X-Date")
	if event == "" || len(event) > 64 {
		event = strconv.FormatInt(int64(d.ReceivedAt), 10)
	}
	return providers.Notice{Kind: kind, ProviderRef: id, Event: key, Dedupe: string(kind) + ":" + id + ":" + event}, nil
}

// translatePix reads the result of a PIX-key validation (contract 3.14). Their own sample has a branch with a leading zero as a number,
// which is no JSON: such a body still tells the token, and the verdict stays unclear.
func translatePix(d providers.Delivery) (providers.Notice, error) {
	q, _ := url.ParseQuery(d.Query)
	token := q.Get("token")
	if !tokenShape(token) {
		return providers.Notice{}, models.Errorf(models.Invalid, "The callback has no token.")
	}
	n := providers.Notice{Event: "pix", Token: token, Dedupe: "pix:" + token}
	n.Verification = &providers.Verification{Verdict: providers.RecipientUnclear, Token: token, Sentence: "OneKey's answer cannot be read.", Raw: d.Body}
	o, err := readObject(d.Body)
	if err != nil {
		o, err = readObject(lenient(d.Body))
	}
	if err != nil {
		return n, nil //nolint:nilerr // the token is known and the verdict is unclear: that is the answer
	}
	switch {
	case strings.EqualFold(o.text("status"), "ERROR"):
		n.Verification.Verdict = providers.RecipientBad
		n.Verification.Sentence = "OneKey says that the PIX key does not fit: " + orText(plain(o.text("message")), "no reason given") + "."
	case o.has("bank_code") || o.has("ispb_code"):
		n.Verification.Verdict = providers.RecipientOK
		n.Verification.Sentence = "The PIX key exists and belongs to the document."
		if o.text("is_licensed") == "false" {
			n.Verification.Verdict, n.Verification.Sentence = providers.RecipientBad, "The PIX key exists, at a bank that is not licensed: a cashout would be refused with 565."
		}
	}
	return n, nil
}

// plain makes a hostile text fit for a sentence.
func plain(s string) string { return (&Client{}).clean(s) }

// WebhookReply is exactly 200 and empty: refunds want 200, the others any 2XX (contract section 4).
func (receiver) WebhookReply(string) providers.Reply {
	return providers.Reply{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8"}
}

// CleanWebhook blanks what signs a delivery (README, rule 3). A control is the same for the whole life of a cashout: whoever reads it off a page
// could send that cashout's callbacks for ever. Every other byte stays as it came, so that the delivery can still be read.
func (receiver) CleanWebhook(d providers.Delivery) providers.Delivery {
	h := make(http.Header, len(d.Header))
	for name, all := range d.Header {
		for _, v := range all {
			if strings.EqualFold(name, "Payload-Signature") {
				v = httpx.Redacted
			}
			h[name] = append(h[name], v)
		}
	}
	d.Header = h
	if d.Topic == "cashout" {
		pairs := strings.Split(string(d.Body), "&")
		for i, pair := range pairs {
			name, _, found := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(name); found && (err != nil || strings.EqualFold(strings.TrimSpace(plain), "control")) {
				pairs[i] = name + "=" + httpx.Redacted
			}
		}
		d.Body = []byte(strings.Join(pairs, "&"))
	}
	return d
}
