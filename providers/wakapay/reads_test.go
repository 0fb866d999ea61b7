package wakapay

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

func TestWalletsAreShownAsReceivedUntilTheUnitIsConfirmed(t *testing.T) {
	body := `{"businessId":"b","items":[{"available":1234567,"currency":"USD","holding":1048576,"pending":7},{"available":500,"currency":"UGX","holding":0,"pending":0}]}`
	money := func(minor int64, asset string) models.Money { return models.Money{Minor: minor, Asset: asset} }
	for unit, want := range map[string][]providers.Balance{
		"unset": {
			{Account: "USD wallet", Available: money(123456700, "USD"), Text: "1234567", Mark: providers.Assumed, Note: "on hold 1048576, pending 7; unit not confirmed"},
			{Account: "UGX wallet", Available: money(500, "UGX"), Text: "500", Mark: providers.Assumed, Note: "on hold 0, pending 0; unit not confirmed"}},
		"major": {
			{Account: "USD wallet", Available: money(123456700, "USD"), Total: money(228314300, "USD"), Text: "1234567", Mark: providers.Documented, Note: "on hold 1,048,576.00, pending 7.00"},
			{Account: "UGX wallet", Available: money(500, "UGX"), Total: money(500, "UGX"), Text: "500", Mark: providers.Documented, Note: "on hold 0, pending 0"}},
		"minor": {
			{Account: "USD wallet", Available: money(1234567, "USD"), Total: money(2283143, "USD"), Text: "1234567", Mark: providers.Documented, Note: "on hold 10,485.76, pending 0.07"},
			{Account: "UGX wallet", Available: money(500, "UGX"), Total: money(500, "UGX"), Text: "500", Mark: providers.Documented, Note: "on hold 0, pending 0"}},
	} {
		got, err := dial(t, scripted(200, body), demo("amount_unit", unit)).client.Balances(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", unit, d)
		}
	}
}

func TestBothShapesOfTheBalanceAndNoOther(t *testing.T) {
	h := open(t, demo(), nil)
	all, err := h.client.LookUp(t.Context(), "balance", nil)
	if err != nil || len(all.Rows) != 3 { // UGX and ZAR have no wallet, which is not zero
		t.Errorf("%v %v", all.Rows, err)
	}
	one, err := h.client.LookUp(t.Context(), "balance", map[string]string{"currency": "KES"})
	if err != nil || len(one.Rows) != 1 || one.Rows[0][0] != "KES" || one.Rows[0][1] != "30000000" {
		t.Errorf("%v %v", one.Rows, err)
	}
	for name, body := range map[string]string{
		"neither":        `{"businessId":"b"}`,
		"an empty list":  `{"items":{}}`,
		"a bare list":    `[]`,
		"a wallet twice": `{"items":[{"currency":"USD","available":1},{"currency":"USD","available":2}]}`,
		"no currency":    `{"items":[{"available":1}]}`,
		"text as figure": `{"items":[{"currency":"USD","available":"1"}]}`,
		"no figure":      `{"items":[{"currency":"USD"}]}`,
		"an exponent":    `{"items":[{"currency":"USD","available":1e30}]}`,
		"a huge figure":  `{"items":[{"currency":"USD","available":999999999999999999}]}`,
		"HTML":           `<html>`,
		"null":           `null`,
	} {
		if bs, err := dial(t, scripted(200, body), demo()).client.Balances(t.Context()); models.CodeOf(err) == "" {
			t.Errorf("%s: %v %v", name, bs, err)
		}
	}
	other := dial(t, scripted(200, `{"items":[{"currency":"EURX","available":1.239,"later":true}]}`), demo())
	bs, err := other.client.Balances(t.Context())
	if err != nil || bs[0].Available.Asset != models.Unstated || bs[0].Text != "1.239" || !strings.Contains(bs[0].Note, "does not know") || !strings.Contains(bs[0].Note, "rounded down") {
		t.Errorf("a currency nobody knows: %+v %v", bs, err)
	}
}

func TestARateHoldsUntilSeventeenUTC(t *testing.T) {
	for now, want := range map[string]string{"2026-03-01T16:59:59Z": "2026-03-01T17:00:00Z", "2026-03-01T17:00:00Z": "2026-03-02T17:00:00Z",
		"2026-12-31T20:00:00Z": "2027-01-01T17:00:00Z", "2026-03-01T18:30:00+03:00": "2026-03-01T17:00:00Z"} {
		at, _ := time.Parse(time.RFC3339, now)
		if got := changeOfRates(at).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", now, got, want)
		}
	}
	h := open(t, demo(), nil)
	ask := func() providers.Sheet {
		s, err := h.client.LookUp(t.Context(), "rate", map[string]string{"from": "USD", "to": "KES"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := ask()
	ask()
	if first.Rows[0][2] != "129" || !strings.HasSuffix(first.Rows[0][3], "17:00 UTC") || h.rec.count("rate.read") != 1 {
		t.Errorf("%v after %d calls", first.Rows, h.rec.count("rate.read"))
	}
	h.clock.move(24 * time.Hour)
	ask()
	if h.rec.count("rate.read") != 2 {
		t.Error("the rate was kept beyond 17:00 UTC")
	}
	if s, err := h.client.LookUp(t.Context(), "rate", map[string]string{"from": "KES", "to": "KES"}); err != nil || s.Rows[0][2] != "1" || h.rec.count("rate.read") != 2 {
		t.Errorf("a currency against itself: %v %v", s.Rows, err)
	}
	if _, err := h.client.LookUp(t.Context(), "rate", map[string]string{"from": "KES", "to": "USD"}); !models.Is(err, models.NotFound) {
		t.Errorf("a rate that is not configured: %v", err)
	}
	if _, err := h.client.LookUp(t.Context(), "rate", map[string]string{"from": "KES", "to": "EUR"}); !models.Is(err, models.Invalid) {
		t.Errorf("a currency WakaPay has not: %v", err)
	}
	for _, body := range []string{`{"from":"USD","to":"KES","rate":0}`, `{"from":"USD","to":"KES","rate":-1}`, `{"from":"USD","to":"KES","rate":"129"}`,
		`{"from":"KES","to":"USD","rate":129}`, `{"rate":129}`, `{"from":"USD","to":"KES","rate":1e5}`, `<html>`} {
		if _, err := dial(t, scripted(200, body), demo()).client.rateOf(t.Context(), "USD", "KES"); models.CodeOf(err) == "" {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestARecipientIsVerifiedBeforeAnythingIsPaid(t *testing.T) {
	h := open(t, demo(), nil)
	ask := func(h *house, method, phone, name string) string {
		v, err := h.client.VerifyRecipient(t.Context(), providers.SendRequest{Method: method, Values: map[string]string{"phone": phone, "name": name}})
		if err != nil {
			return "error " + string(models.CodeOf(err))
		}
		return fmt.Sprintf("%s %s | %s", v.Verdict, v.Name, v.Sentence)
	}
	for _, c := range []struct{ method, phone, name, want string }{
		{"ke_mobile", "+254700000001", "mjema AMINA", "ok Amina Mjema | The number belongs to Amina Mjema."},
		{"tz_mobile", "+255700000001", "", "ok Amina Mjema | The number belongs to Amina Mjema."},
		{"ke_mobile", "+254700000001", "John Doe", "mismatch Amina Mjema | The number belongs to Amina Mjema, not to John Doe."},
		{"ke_mobile", "+254700000002", "", "bad  | WakaPay knows no account with this number."},
		{"ke_mobile", "+255700000001", "", "bad  | WakaPay knows no account with this number. Numbers of Kenya usually begin with +254."},
		{"ke_mobile", "0700000001", "", "error invalid"},
		{"xx_mobile", "+254700000001", "", "error invalid"},
	} {
		if got := ask(h, c.method, c.phone, c.name); got != c.want {
			t.Errorf("%s %s: %s", c.method, c.phone, got)
		}
	}
	if got := ask(h, "ke_till", "", ""); !strings.HasPrefix(got, "unclear") || h.rec.count("recipient.verify") != 5 {
		t.Errorf("a till: %s", got)
	}
	refused := open(t, demo(), map[string]string{"verify_negative_status": "422"})
	if got := ask(refused, "ke_mobile", "+254700000002", ""); !strings.HasPrefix(got, "bad") {
		t.Errorf("account not active: %s", got)
	}
	strict := open(t, demo("verify_negative_status", "200"), map[string]string{"verify_negative_status": "422"})
	if got := ask(strict, "ke_mobile", "+254700000002", ""); got != "error conflict" {
		t.Errorf("account not active, not taken as an answer: %s", got)
	}
	for body, want := range map[string]string{
		`{"verified":true,"displayName":"","receiverPhone":"254 700 000 001"}`: "ok", `{"verified":"true","displayName":"A"}`: "unclear", `{}`: "unclear",
		`{"verified":true,"displayName":"A","receiverPhone":"+254700000009"}`: "unclear", `<html>`: "unclear",
	} {
		if got := ask(dial(t, scripted(200, body), demo()), "ke_mobile", "+254700000001", ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", body, got)
		}
	}
}

const (
	staticQR  = "00020101021128220008ke.go.qr01068888805204000053034045802KE5911UGALI POINT6007NAIROBI63041DD8"
	dynamicQR = "00020101021228220008ke.go.qr01068888805204000053034045406250.005802KE5911UGALI POINT6007NAIROBI63049382"
)

func TestAQRCodeBecomesAPrefilledPayout(t *testing.T) {
	for name, c := range map[string]struct{ unit, text, want string }{
		"static":                      {"major", staticQR, "ke_till map[name:UGALI POINT number:888880] "},
		"dynamic":                     {"major", dynamicQR, "ke_till map[name:UGALI POINT number:888880] 250.00"},
		"dynamic in minor units":      {"minor", dynamicQR, "ke_till map[name:UGALI POINT number:888880] 250.00"},
		"dynamic, unit not confirmed": {"unset", dynamicQR, "ke_till map[name:UGALI POINT number:888880] "},
	} {
		h := open(t, demo("amount_unit", c.unit), map[string]string{"amount_unit": c.unit})
		method, values, amount, err := h.client.DecodeQR(t.Context(), c.text)
		if got := fmt.Sprintf("%s %v %s", method, values, amount); err != nil || got != c.want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
	h := open(t, demo(), nil)
	for _, text := range []string{"", "garbage", strings.Repeat("0", 5000), "\xff", dynamicQR + "0"} {
		if _, _, _, err := h.client.DecodeQR(t.Context(), text); !models.Is(err, models.Invalid) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for body, want := range map[string]string{
		`{"tillNumber":"007","countryCode":"KE","currency":"KES","amount":5,"isStatic":false}`: "ke_till 007 5.00",
		`{"tillNumber":"007","countryCode":"KE","currency":"USD","amount":5,"isStatic":false}`: "ke_till 007 ",
		`{"tillNumber":"007","countryCode":"KE","currency":"KES","amount":5,"isStatic":true}`:  "ke_till 007 ",
		`{"tillNumber":"007","countryCode":"KE","currency":"KES","amount":5.001}`:              "ke_till 007 ",
		`{"tillNumber":"007","countryCode":"KE","currency":"KES","amount":-5}`:                 "ke_till 007 ",
		`{"tillNumber":777,"countryCode":"KE","currency":"KES","amount":5}`:                    "error", // it may have been 000777
		`{"tillNumber":"007","countryCode":"NG"}`:                                              "error",
		`{"tillNumber":"7'; DROP","countryCode":"KE"}`:                                         "error",
		`{"countryCode":"KE"}`: "error",
		`<html>`:               "error",
	} {
		method, values, amount, err := dial(t, scripted(200, body), demo()).client.DecodeQR(t.Context(), "x")
		got := method + " " + values["number"] + " " + amount
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestReadsAreRepeatedFourTimesAtMost(t *testing.T) {
	for kind, tries := range map[string]int{"http_500_before": 4, "http_429": 4, "http_403": 4, "html_502": 4, "redirect": 1} {
		h := open(t, demo(), nil)
		h.control("fault", "operation", "/business/balance", "kind", kind, "times", "99")
		if err := h.balance(); err == nil || h.rec.count("balance.read") != tries || len(h.slept) != tries-1 {
			t.Errorf("%s: %d tries, %d sleeps, %v", kind, h.rec.count("balance.read"), len(h.slept), err)
		}
		for i, d := range h.slept {
			if low := 500 * time.Millisecond << i; d < low || d > low*3/2 {
				t.Errorf("%s: sleep %d was %s", kind, i, d)
			}
		}
	}
	h := open(t, demo(), nil)
	h.fault("/business/balance", "http_429_retry_after")
	if err := h.balance(); err != nil || h.slept[0] != 2*time.Second {
		t.Errorf("Retry-After 2: %v %v", h.slept, err)
	}
	for policy, tries := range map[string]int{"none": 1, "transient": 1, "listed": 4} {
		h := open(t, demo("retry_policy", policy), nil)
		h.control("fault", "operation", "/business/balance", "kind", "http_403", "times", "99")
		if err := h.balance(); err == nil || h.rec.count("balance.read") != tries {
			t.Errorf("%s: %d tries", policy, h.rec.count("balance.read"))
		}
	}
}

func TestTransactionsAreListedInTheMadeUpShape(t *testing.T) {
	h := open(t, demo(), nil)
	h.client.SendPayout(t.Context(), mobile("CH01"))
	s, err := h.client.LookUp(t.Context(), "transactions", map[string]string{"page": "1"})
	if err != nil || len(s.Rows) != 1 || s.Rows[0][0] != "CH01" || !strings.Contains(s.Note, "WAKA-PAY-1") {
		t.Errorf("%v %q %v", s.Rows, s.Note, err)
	}
	for id, p := range map[string]map[string]string{"transactions": {"page": "0"}, "balance": {"currency": "EUR"}, "recipient": {"country": "XX"}, "nothing": nil} {
		if _, err := h.client.LookUp(t.Context(), id, p); models.CodeOf(err) == "" {
			t.Errorf("%s: %v", id, err)
		}
	}
	if s, err := h.client.LookUp(t.Context(), "recipient", map[string]string{"country": "KE", "phone": "+254700000001"}); err != nil || s.Rows[0][1] != "Amina Mjema" {
		t.Errorf("%v %v", s.Rows, err)
	}
}

func TestNoSecretLeaves(t *testing.T) {
	h := open(t, demo(), nil)
	said := fmt.Sprintf("%+v", h.client.Check(t.Context()))
	h.client.SendPayout(t.Context(), mobile("CH01"))
	tok, _ := h.client.tokens.get(t.Context())
	mark := constantSignature(canaryKey, canarySecret)
	echo := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/business/auth" {
			_, _ = w.Write([]byte(`{"accessToken":"the.token.itself","expiresIn":3600}`))
			return
		}
		w.WriteHeader(400)
		_, _ = w.Write([]byte(`{"code":0,"error":"` + r.Header.Get("Authorization") + " " + canarySecret + " " + mark + `"}`))
	}), demo())
	o := echo.client.SendPayout(t.Context(), mobile("CH01"))
	said += fmt.Sprintf("%+v %s %v", o, o.(providers.Refused).Raw, echo.balance()) + h.rec.text() + echo.rec.text()
	for _, secret := range []string{canaryKey, canarySecret, tok, "the.token.itself", mark} {
		if strings.Contains(said, secret) {
			t.Errorf("a secret is seen: %.12s…", secret)
		}
	}
	if tok == "" || strings.Count(said, "[redacted]") < 5 {
		t.Error("the test looks at the wrong things")
	}
}
