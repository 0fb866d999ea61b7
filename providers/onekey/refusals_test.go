package onekey_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"countinghouse/providers/providertest"
)

// The sandbox is held to contract section 9 by plain HTTP, so that what the client would never send is refused as well.

func hmacHex(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// wire is one plain request; sign is done last, over the body as it stands, unless a header is already set.
type wire struct {
	method, path, body string
	header             map[string]string
	family             string // "cashouts", "deposits", "validation" or "bearer"
}

func (w wire) send(t *testing.T, h *providertest.House) (status, code int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), w.method, h.URL+w.path, strings.NewReader(w.body))
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"Content-Type": "application/json", "User-Agent": "test"}
	switch w.family {
	case "cashouts":
		set["Payload-Signature"] = hmacHex("canary-cashout-signature", w.body)
	case "bearer":
		set["Authorization"] = "Bearer canary-read-only"
	default:
		login, secret := "canary-deposit-key", "canary-deposit-signature"
		if w.family == "validation" {
			login, secret = "canary-cashout-key", "canary-cashout-signature"
		}
		date := time.Now().UTC().Format(time.RFC3339)
		if d, ok := w.header["X-Date"]; ok {
			date = d
		}
		set["X-Date"], set["X-Login"] = date, login
		set["Authorization"] = "D24 " + hmacHex(secret, date+login+w.body)
	}
	for k, v := range set {
		r.Header.Set(k, v)
	}
	for k, v := range w.header {
		if r.Header[http.CanonicalHeaderKey(k)] = []string{v}; v == "-" {
			delete(r.Header, http.CanonicalHeaderKey(k))
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, _ := io.ReadAll(res.Body)
	var e struct{ Code int }
	_ = json.Unmarshal(raw, &e)
	return res.StatusCode, e.Code, string(raw)
}

// cashoutJSON is a PIX by CPF; pairs of key and raw JSON value change it, an empty value takes the key out.
func cashoutJSON(pairs ...string) string {
	m := map[string]json.RawMessage{}
	for k, v := range map[string]string{"login": `"canary-cashout-key"`, "pass": `"canary-cashout-pass"`, "external_id": `"` + providertest.Reference() + `"`, "country": `"BR"`,
		"amount": `100.50`, "currency": `"BRL"`, "document_id": `"52998224725"`, "beneficiary_name": `"João Silva"`, "bank_code": `"10002"`, "bank_account": `""`, "bank_branch": `""`,
		"account_type": `"C"`, "notification_url": `"http://127.0.0.1:1/n"`, "type": `"json"`} {
		m[k] = json.RawMessage(v)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
		if pairs[i+1] == "" {
			delete(m, pairs[i])
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

func TestTheSandboxRefusesEveryRowOfTheCashoutsFamily(t *testing.T) {
	h := open(t, map[string]string{"countries": "BR,CL,MX,CO,AR,PE,EC", "disabled_countries": "EC", "minimum": "2"})
	post := func(body string, header ...string) wire {
		w := wire{method: http.MethodPost, path: "/v3/cashout", body: body, family: "cashouts", header: map[string]string{}}
		for i := 0; i+1 < len(header); i += 2 {
			w.header[header[i]] = header[i+1]
		}
		return w
	}
	good := cashoutJSON()
	mac := hmac.New(sha256.New, []byte("canary-cashout-signature"))
	mac.Write([]byte(good))
	javaStyle := strings.ToLower(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	taken := cashoutJSON("external_id", `"taken"`)
	if status, _, body := post(taken).send(t, h); status != 200 || !strings.Contains(body, `"cashout_id":"`) {
		t.Fatalf("a good cashout: %d %s", status, body)
	}
	for name, row := range map[string]struct {
		wire         wire
		status, code int
	}{
		"unknown login":                      {post(cashoutJSON("login", `"nobody"`)), 401, 401},
		"wrong pass":                         {post(cashoutJSON("pass", `"wrong"`)), 401, 401},
		"signature missing":                  {post(good, "Payload-Signature", "-"), 401, 302},
		"signature in upper case":            {post(good, "Payload-Signature", strings.ToUpper(hmacHex("canary-cashout-signature", good))), 401, 302},
		"signature as lower-cased Base64":    {post(good, "Payload-Signature", javaStyle), 401, 302},
		"body changed after signing":         {post(good, "Payload-Signature", hmacHex("canary-cashout-signature", good+" ")), 401, 302},
		"empty User-Agent":                   {post(good, "User-Agent", ""), 412, 300},
		"malformed JSON":                     {post(`{"login":`), 412, 502},
		"not an object":                      {post(`[1]`), 412, 502},
		"login is judged before the key":     {post(cashoutJSON("login", `"nobody"`), "Payload-Signature", "bad"), 401, 401},
		"signature is judged before fields":  {post(cashoutJSON("amount", "-1"), "Payload-Signature", "bad"), 401, 302},
		"fields are judged before country":   {post(cashoutJSON("country", `"ZZ"`, "amount", "0")), 412, 300},
		"reference missing":                  {post(cashoutJSON("external_id", "")), 412, 300},
		"reference too long":                 {post(cashoutJSON("external_id", `"`+strings.Repeat("a", 101)+`"`)), 412, 300},
		"reference of other characters":      {post(cashoutJSON("external_id", `"a b"`)), 412, 300},
		"name too long":                      {post(cashoutJSON("beneficiary_name", `"`+strings.Repeat("é", 101)+`"`)), 412, 300},
		"amount zero":                        {post(cashoutJSON("amount", "0")), 412, 300},
		"amount negative":                    {post(cashoutJSON("amount", "-5")), 412, 300},
		"amount with three decimals":         {post(cashoutJSON("amount", "1.005")), 412, 300},
		"amount with exponent":               {post(cashoutJSON("amount", "1e3")), 412, 300},
		"callback on another port":           {post(cashoutJSON("notification_url", `"https://example.com:8443/n"`)), 412, 300},
		"callback address too long":          {post(cashoutJSON("notification_url", `"https://example.com/`+strings.Repeat("a", 300)+`"`)), 412, 300},
		"callback address missing":           {post(cashoutJSON("notification_url", "")), 412, 300},
		"bad CPF":                            {post(cashoutJSON("document_id", `"52998224724"`)), 412, 300},
		"account given for PIX by key":       {post(cashoutJSON("bank_account", `"1"`)), 412, 300},
		"bank code unknown":                  {post(cashoutJSON("bank_code", `"10003"`)), 412, 303},
		"unlicensed bank":                    {post(cashoutJSON("bank_code", `990`, "bank_account", `"12345-6"`, "bank_branch", `"1"`)), 412, 565},
		"currency not local":                 {post(cashoutJSON("currency", `"ARS"`)), 412, 526},
		"below the minimum":                  {post(cashoutJSON("amount", "1.99")), 412, 533},
		"country not served":                 {post(cashoutJSON("country", `"UY"`, "currency", `"UYU"`)), 412, 518},
		"country switched off":               {post(cashoutJSON("country", `"EC"`, "currency", `"USD"`)), 412, 539},
		"duplicate reference":                {post(taken), 412, 511},
		"PIX by phone without phone":         {post(cashoutJSON("bank_code", `"10000"`)), 412, 540},
		"PIX by e-mail without e-mail":       {post(cashoutJSON("bank_code", `10001`)), 412, 540},
		"PIX by an impossible phone":         {post(cashoutJSON("bank_code", `"10000"`, "phone", `"+1555"`)), 412, 543},
		"more than the balance":              {post(cashoutJSON("amount", "99999999999.99")), 412, 514},
		"wrong method":                       {wire{method: http.MethodPut, path: "/v3/cashout", body: good, family: "cashouts"}, 405, 0},
		"status of nothing":                  {wire{method: http.MethodPost, path: "/v3/cashout/status", body: cashoutJSON("external_id", `"nothing"`), family: "cashouts"}, 412, 509},
		"status without any id":              {wire{method: http.MethodPost, path: "/v3/cashout/status", body: cashoutJSON("external_id", ""), family: "cashouts"}, 412, 300},
		"status by two ids that don't match": {wire{method: http.MethodPost, path: "/v3/cashout/status", body: cashoutJSON("external_id", `"taken"`, "cashout_id", "1"), family: "cashouts"}, 412, 509},
		"cancel with one id":                 {wire{method: http.MethodDelete, path: "/v3/cashout/cancel", body: cashoutJSON("external_id", `"taken"`), family: "cashouts"}, 412, 300},
		"cancel with ids that don't match":   {wire{method: http.MethodDelete, path: "/v3/cashout/cancel", body: cashoutJSON("external_id", `"taken"`, "cashout_id", "1"), family: "cashouts"}, 412, 509},
		"status value nobody knows":          {wire{method: http.MethodPut, path: "/v3/cashout/status", body: cashoutJSON("cashout_id", "8400001", "status", `"PAID"`), family: "cashouts"}, 412, 521},
		"release of what is not held":        {wire{method: http.MethodPut, path: "/v3/cashout/status", body: cashoutJSON("cashout_id", "8400001", "status", `"PENDING"`), family: "cashouts"}, 412, 510},
		"hold of an unknown cashout":         {wire{method: http.MethodPut, path: "/v3/cashout/status", body: cashoutJSON("cashout_id", "1", "status", `"ON_HOLD"`), family: "cashouts"}, 412, 509},
	} {
		if status, code, body := row.wire.send(t, h); status != row.status || code != row.code {
			t.Errorf("%s: HTTP %d code %d, want HTTP %d code %d: %s", name, status, code, row.status, row.code, body)
		}
	}
}

func TestTheSandboxRefusesCallersThatAreNotListed(t *testing.T) {
	h := open(t, map[string]string{"allowed_ips": "203.0.113.9"})
	if status, code, _ := (wire{method: http.MethodPost, path: "/v3/cashout", body: `not even JSON`, family: "cashouts"}).send(t, h); status != 401 || code != 402 {
		t.Errorf("cashouts: HTTP %d code %d", status, code)
	}
	if status, code, _ := (wire{method: http.MethodPost, path: "/v5/account/validate", body: `{}`, family: "validation"}).send(t, h); status != 401 || code != 201 {
		t.Errorf("validation: HTTP %d code %d", status, code)
	}
}

func TestTheSandboxAcceptsBankCodesAsNumberAndAsText(t *testing.T) {
	h := open(t, nil)
	for _, code := range []string{`"001"`, `1`, `"00000000"`, `"033"`, `33`} {
		account := `"3423422-7"`
		if strings.Contains(code, "33") {
			account = `"34234227-7"`
		}
		body := cashoutJSON("bank_code", code, "bank_account", account, "bank_branch", `"1234"`)
		if status, _, answer := (wire{method: http.MethodPost, path: "/v3/cashout", body: body, family: "cashouts"}).send(t, h); status != 200 {
			t.Errorf("bank_code %s: %d %s", code, status, answer)
		}
	}
}

func TestTheSandboxRefusesEveryRowOfTheDepositsFamily(t *testing.T) {
	h := open(t, nil)
	body := func(pairs ...string) string {
		all := append([]string{"login", "", "pass", "", "external_id", "", "document_id", "", "beneficiary_name", "", "bank_code", "", "bank_account", "", "bank_branch", "",
			"account_type", "", "type", "", "invoice_id", `"` + providertest.Reference() + `"`, "payment_method", `"IX"`}, pairs...)
		return cashoutJSON(all...)
	}
	post := func(body string, header ...string) wire {
		w := wire{method: http.MethodPost, path: "/v3/deposits", body: body, family: "deposits", header: map[string]string{}}
		for i := 0; i+1 < len(header); i += 2 {
			w.header[header[i]] = header[i+1]
		}
		return w
	}
	good, now := body(), time.Now().UTC().Format(time.RFC3339)
	right := hmacHex("canary-deposit-signature", now+"canary-deposit-key"+good)
	if status, _, answer := post(good, "X-Date", now, "Authorization", "D24 "+right).send(t, h); status != 200 {
		t.Fatalf("a good deposit: %d %s", status, answer)
	}
	again := body()
	for name, row := range map[string]struct {
		wire         wire
		status, code int
	}{
		"unknown login":                {post(body(), "X-Login", "nobody"), 401, 100},
		"login missing":                {post(body(), "X-Login", "-"), 400, 101},
		"date missing":                 {post(body(), "X-Date", "-"), 400, 101},
		"signature missing":            {post(body(), "Authorization", "-"), 400, 101},
		"the other scheme word":        {post(again, "X-Date", now, "Authorization", "OKP "+hmacHex("canary-deposit-signature", now+"canary-deposit-key"+again)), 400, 102},
		"upper-case hex":               {post(again, "X-Date", now, "Authorization", "D24 "+strings.ToUpper(hmacHex("canary-deposit-signature", now+"canary-deposit-key"+again))), 400, 102},
		"body changed after signing":   {post(again, "X-Date", now, "Authorization", "D24 "+hmacHex("canary-deposit-signature", now+"canary-deposit-key"+again+" ")), 400, 102},
		"date outside the window":      {post(body(), "X-Date", time.Now().UTC().Add(-301*time.Second).Format(time.RFC3339)), 400, 103},
		"date in the future":           {post(body(), "X-Date", time.Now().UTC().Add(310*time.Second).Format(time.RFC3339)), 400, 103},
		"idempotency key blank":        {post(body(), "X-Idempotency-Key", " "), 400, 105},
		"wrong method":                 {wire{method: http.MethodPut, path: "/v3/deposits", body: good, family: "deposits"}, 405, 200},
		"wrong method on a refund":     {wire{method: http.MethodDelete, path: "/v3/refunds", body: good, family: "deposits"}, 405, 200},
		"invoice id of other letters":  {post(body("invoice_id", `"a-b"`)), 400, 201},
		"invoice id too long":          {post(body("invoice_id", `"`+strings.Repeat("a", 129)+`"`)), 400, 201},
		"amount negative":              {post(body("amount", "-1")), 400, 201},
		"below the minimum":            {post(body("amount", "0.5")), 400, 201},
		"currency of elsewhere":        {post(body("currency", `"ARS"`)), 400, 201},
		"country not served":           {post(body("country", `"UY"`)), 400, 201},
		"plain http for the payer":     {post(body("back_url", `"http://example.com"`)), 400, 201},
		"duplicate invoice":            {post(good), 400, 201},
		"card number without PCI":      {post(body("credit_card", `{"card_number":"4111111111111111"}`)), 400, 201},
		"unknown deposit":              {wire{method: http.MethodGet, path: "/v3/deposits/1", family: "deposits"}, 404, 208},
		"deposit that is no number":    {wire{method: http.MethodGet, path: "/v3/deposits/x", family: "deposits"}, 400, 201},
		"unknown refund":               {wire{method: http.MethodGet, path: "/v3/refunds/1", family: "deposits"}, 404, 208},
		"refund of an unknown deposit": {wire{method: http.MethodPost, path: "/v3/refunds", body: `{"deposit_id":1,"invoice_id":"a"}`, family: "deposits"}, 404, 208},
		"read with the wrong bearer":   {wire{method: http.MethodGet, path: "/v3/payment_methods", family: "bearer", header: map[string]string{"Authorization": "Bearer no"}}, 401, 100},
		"validation, deposit pair":     {wire{method: http.MethodPost, path: "/v5/account/validate", body: "{}", family: "deposits"}, 401, 100},
		"validation, bad signature":    {wire{method: http.MethodPost, path: "/v5/account/validate", body: "{}", family: "validation", header: map[string]string{"Authorization": "D24 00"}}, 401, 102},
		"validation, malformed JSON":   {wire{method: http.MethodPost, path: "/v5/account/validate", body: "{", family: "validation"}, 400, 202},
		"validation, wrong method":     {wire{method: http.MethodGet, path: "/v5/account/validate", family: "validation"}, 405, 200},
		"nothing there":                {wire{method: http.MethodGet, path: "/v9/x", family: "deposits"}, 404, 208},
	} {
		if status, code, answer := row.wire.send(t, h); status != row.status || code != row.code {
			t.Errorf("%s: HTTP %d code %d, want HTTP %d code %d: %s", name, status, code, row.status, row.code, answer)
		}
	}
}

func TestTheSandboxTakesAnyRFC3339DateAndSignsItAsReceived(t *testing.T) {
	h := open(t, nil)
	now := time.Now()
	for _, date := range []string{now.UTC().Format("2006-01-02T15:04:05.000Z"), now.In(time.FixedZone("", -3*3600)).Format(time.RFC3339), now.UTC().Format("2006-01-02T15:04:05Z0700")} {
		if _, code, answer := (wire{method: http.MethodGet, path: "/v3/deposits/1", family: "deposits", header: map[string]string{"X-Date": date}}).send(t, h); code != 208 {
			t.Errorf("%s: %s", date, answer)
		}
	}
}

// OKP-IDEM-3: what a used key is answered with is a setting.
func TestAUsedIdempotencyKeyIsReplayedOrRefused(t *testing.T) {
	for mode, want := range map[string]int{"replay": 0, "error": 104} {
		h := open(t, map[string]string{"idempotency_key_mode": mode})
		w := wire{method: http.MethodPost, path: "/v1/wallet/transaction", body: `{"source":"PROPRIETARY","destination":"TRANSACTIONAL","currency":"BRL","amount":10.00}`, family: "deposits",
			header: map[string]string{"X-Idempotency-Key": "key-" + mode}}
		_, first, one := w.send(t, h)
		_, second, two := w.send(t, h)
		if first != 0 || second != want || (want == 0 && one != two) || h.Executions(t, "key-"+mode) != 1 {
			t.Errorf("%s: %s then %s, %d executions", mode, one, two, h.Executions(t, "key-"+mode))
		}
	}
}
