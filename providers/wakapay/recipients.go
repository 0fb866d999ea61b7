package wakapay

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// VerifyRecipient asks whose phone number it is (WAKA-VER-1). Tills and paybills have a verification too, but not in the documentation we have.
func (c *client) VerifyRecipient(ctx context.Context, r providers.SendRequest) (providers.Verification, error) {
	land, kind, ok := kindOf(r.Method)
	switch {
	case !ok:
		return providers.Verification{}, models.Errorf(models.Invalid, "WakaPay has no such way to pay.")
	case kind != kindMobile:
		return providers.Verification{Verdict: providers.RecipientUnclear,
			Sentence: "WakaPay's verification of tills and paybills is not known to this product. Compare number and name with the payee's own papers."}, nil
	}
	return c.verify(ctx, land, r.Values["phone"], r.Values["name"])
}

func (c *client) verify(ctx context.Context, land country, phone, name string) (providers.Verification, error) {
	if !regexp.MustCompile(phonePattern).MatchString(phone) {
		return providers.Verification{}, models.FieldErrorf("phone", "%s", phoneHelp)
	}
	body, err := json.Marshal(map[string]string{"countryCode": land.code, "phoneNumber": phone})
	if err != nil {
		return providers.Verification{}, models.FieldErrorf("phone", "%s", phoneHelp)
	}
	a, err := c.read(ctx, request{op: "recipient.verify", method: http.MethodPost, path: "/business/verify-transfer", body: body})
	if err == nil && a.status == http.StatusUnprocessableEntity && c.set.refusal422 { // WAKA-VER-2
		return providers.Verification{Verdict: providers.RecipientBad, Sentence: "WakaPay says that this account cannot be paid" + a.said() + ".", Raw: a.kept}, nil
	}
	if err != nil || a.status != http.StatusOK {
		return providers.Verification{}, c.failure("the name of the recipient", a, err)
	}
	return verdict(a, land, phone, name), nil
}

// verdict reads a verification. verified decides, never the HTTP status.
func verdict(a answer, land country, phone, name string) providers.Verification {
	verified, told := a.value.Get("verified").Bool()
	shown := httpx.Say(a.value.Get("displayName").Text(), 120)
	v := providers.Verification{Verdict: providers.RecipientOK, Name: shown, Raw: a.kept}
	receiver := a.value.Get("receiverPhone").Text()
	switch {
	case !told:
		v.Verdict, v.Sentence = providers.RecipientUnclear, "WakaPay's answer does not say whether the recipient exists."
	case receiver != "" && digits(receiver) != digits(phone):
		v.Verdict, v.Sentence = providers.RecipientUnclear, "WakaPay answered about another number than the one asked about."
	case !verified:
		v.Verdict, v.Sentence = providers.RecipientBad, "WakaPay knows no account with this number."
	case shown == "":
		v.Sentence = "The number has an account. WakaPay gives no name for it."
	case name != "" && !sameName(name, shown):
		v.Verdict, v.Sentence = providers.RecipientMismatch, "The number belongs to "+shown+", not to "+httpx.Say(name, 120)+"."
	default:
		v.Sentence = "The number belongs to " + shown + "."
	}
	if !strings.HasPrefix(phone, land.prefix) {
		v.Sentence += " Numbers of " + land.name + " usually begin with " + land.prefix + "."
	}
	return v
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// DecodeQR turns the text of a QR code into a till payout (WAKA-QR-1). The text is sent as it was scanned: the documentation's own sample is
// not valid EMV, so nothing is checked here first. The amount is left for the person when the unit of WakaPay's figures is not confirmed.
func (c *client) DecodeQR(ctx context.Context, text string) (method string, values map[string]string, amount string, err error) {
	if text == "" || len(text) > 4096 || !utf8.ValidString(text) {
		return "", nil, "", models.FieldErrorf("qr", "Scan the code again: its text is empty, too long or not readable.")
	}
	body, err := json.Marshal(map[string]string{"qrString": text})
	if err != nil {
		return "", nil, "", models.FieldErrorf("qr", "Scan the code again: its text is not readable.")
	}
	a, err := c.read(ctx, request{op: "qr.decode", method: http.MethodPost, path: "/business/decode-qr", body: body})
	switch {
	case err == nil && a.status == http.StatusUnprocessableEntity:
		return "", nil, "", models.FieldErrorf("qr", "WakaPay cannot read this code%s. Scan it again.", a.said())
	case err != nil || a.status != http.StatusOK || !a.text:
		return "", nil, "", c.failure("the meaning of the QR code", a, err)
	}
	return c.prefilled(a.value)
}

func (c *client) prefilled(v httpx.Value) (method string, values map[string]string, amount string, err error) {
	land, known := countryOf(v.Get("countryCode").Text())
	till := v.Get("tillNumber").Text() // a number would have lost its leading zeros, and paid another till
	if !known || !regexp.MustCompile(`^[0-9]{3,12}$`).MatchString(till) {
		return "", nil, "", models.FieldErrorf("qr", "WakaPay read the code, but it names no till in a country that can be paid.")
	}
	values = map[string]string{"number": till}
	if name := httpx.Say(v.Get("merchantName").Text(), 120); name != "" {
		values["name"] = name
	}
	static, told := v.Get("isStatic").Bool()
	figure := v.Get("amount").Number()
	if figure != "" && !(told && static) && c.set.unit != "" && v.Get("currency").Text() == land.currency {
		if m, exact, err := c.money(figure, land.currency); err == nil && exact && m.Minor > 0 {
			amount = m.Plain()
		}
	}
	return strings.ToLower(land.code) + "_till", values, amount, nil
}
