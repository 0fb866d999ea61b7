package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func start(t *testing.T, settings map[string]string) (*Sandbox, string) {
	t.Helper()
	all := map[string]string{"payout_contract": "demo", "autosettle": "off"}
	for k, v := range settings {
		all[k] = v
	}
	s := New(Options{Settings: all})
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); _ = s.Close() })
	return s, srv.URL
}

func call(t *testing.T, method, url, body, contentType, authorization string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

const (
	asJSON = "application/json"
	pairOK = `{"apiKey":"` + SandboxKey + `","apiSecret":"` + SandboxSecret + `"}`
)

func signIn(t *testing.T, url string) string {
	t.Helper()
	status, body := call(t, "POST", url+"/business/auth", pairOK, asJSON, "")
	var m struct {
		AccessToken string
		ExpiresIn   json.Number
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil || status != 200 || strings.Count(m.AccessToken, ".") != 2 || m.ExpiresIn != "3600" {
		t.Fatalf("%d %s", status, body)
	}
	return "Bearer " + m.AccessToken
}

func TestEveryAnswerOfTheContract(t *testing.T) {
	_, url := start(t, nil)
	tok := signIn(t, url)
	const invalid, missing = `{"code":0,"error":"invalid payload"}`, `{"message":"missing value in request header"}`
	broken := `{"message":"` + malformed + `"}`
	verify, qr, rate, payouts := url+"/business/verify-transfer", url+"/business/decode-qr", url+"/business/rate", url+"/business/payout"
	good := `{"businessReference":"R1","type":"till","countryCode":"KE","number":"888880","sourceCurrency":"USD","targetCurrency":"KES","amount":"129"}`
	for name, c := range map[string]struct {
		method, url, body, content, auth string
		status                           int
		want                             string
	}{
		"auth: no content type":      {"POST", url + "/business/auth", pairOK, "", "", 400, invalid},
		"auth: text":                 {"POST", url + "/business/auth", pairOK, "text/plain", "", 400, invalid},
		"auth: bad JSON":             {"POST", url + "/business/auth", "{", asJSON, "", 400, invalid},
		"auth: two bodies":           {"POST", url + "/business/auth", pairOK + pairOK, asJSON, "", 400, invalid},
		"auth: a list":               {"POST", url + "/business/auth", "[]", asJSON, "", 400, invalid},
		"auth: a number":             {"POST", url + "/business/auth", `{"apiKey":7,"apiSecret":"x"}`, asJSON, "", 400, invalid},
		"auth: no fields":            {"POST", url + "/business/auth", "{}", asJSON, "", 400, `{"code":0,"error":"apiKey and apiSecret required"}`},
		"auth: an empty field":       {"POST", url + "/business/auth", `{"apiKey":"x","apiSecret":""}`, asJSON, "", 400, `{"code":0,"error":"apiKey and apiSecret required"}`},
		"auth: blanks are a value":   {"POST", url + "/business/auth", `{"apiKey":" ","apiSecret":" "}`, asJSON, "", 401, `{"code":0,"error":"invalid credentials"}`},
		"auth: wrong pair":           {"POST", url + "/business/auth", `{"apiKey":"x","apiSecret":"y"}`, asJSON, "", 401, `{"code":0,"error":"invalid credentials"}`},
		"auth: wrong method":         {"GET", url + "/business/auth", "", "", "", 405, `{"code":0,"error":"method not allowed"}`},
		"no header":                  {"GET", url + "/business/balance", "", "", "", 401, missing},
		"not a token":                {"GET", url + "/business/balance", "", "", "Bearer x", 401, broken},
		"three segments of nobody":   {"GET", url + "/business/balance", "", "", "Bearer a.b.c", 401, broken},
		"no scheme":                  {"GET", url + "/business/balance", "", "", strings.TrimPrefix(tok, "Bearer "), 401, broken},
		"bearer in small letters":    {"GET", url + "/business/balance", "", "", "b" + tok[1:], 401, broken},
		"unknown path":               {"GET", url + "/business/transfers", "", "", tok, 404, `{"code":0,"error":"not found"}`},
		"header before content":      {"POST", verify, "{", "", "", 401, missing},
		"currency nobody has":        {"GET", url + "/business/balance?currency=EUR", "", "", tok, 400, `{"code":0,"error":"currency is not supported"}`},
		"rate: no to":                {"GET", rate + "?from=USD", "", "", tok, 400, `{"code":0,"error":"from and to are required"}`},
		"rate: reverse":              {"GET", rate + "?from=KES&to=USD", "", "", tok, 404, `{"code":0,"error":"rate not configured"}`},
		"rate":                       {"GET", rate + "?from=USD&to=KES", "", "", tok, 200, `{"from":"USD","rate":129,"to":"KES"}`},
		"verify: no content type":    {"POST", verify, `{}`, "", tok, 400, invalid},
		"verify: no country":         {"POST", verify, `{"phoneNumber":"+254700000001"}`, asJSON, tok, 400, `{"code":0,"error":"countryCode is required"}`},
		"verify: country of others":  {"POST", verify, `{"countryCode":"NG","phoneNumber":"+254700000001"}`, asJSON, tok, 400, `{"code":0,"error":"countryCode must be one of: KE, TZ, UG, ZA"}`},
		"verify: no phone":           {"POST", verify, `{"countryCode":"KE"}`, asJSON, tok, 400, `{"code":0,"error":"phoneNumber is required"}`},
		"verify: unknown":            {"POST", verify, `{"countryCode":"KE","phoneNumber":"+254700000002"}`, asJSON, tok, 200, `{"displayName":"","receiverPhone":"+254700000002","verified":false}`},
		"verify: TZ number":          {"POST", verify, `{"countryCode":"TZ","phoneNumber":"+255700000001"}`, asJSON + "; charset=utf-8", tok, 200, `{"displayName":"Amina Mjema","receiverPhone":"+255700000001","verified":true}`},
		"qr: missing":                {"POST", qr, `{}`, asJSON, tok, 400, `{"code":0,"error":"qrString is required"}`},
		"qr: malformed":              {"POST", qr, `{"qrString":"0002"}`, asJSON, tok, 422, `{"code":0,"error":"malformed QR"}`},
		"payout: unknown field":      {"POST", payouts, strings.Replace(good, "{", `{"pin":"1",`, 1), asJSON, tok, 400, `{"code":0,"error":"pin is invalid"}`},
		"payout: amount as number":   {"POST", payouts, strings.Replace(good, `"129"`, `129`, 1), asJSON, tok, 400, `{"code":0,"error":"amount is invalid"}`},
		"payout: amount 0":           {"POST", payouts, strings.Replace(good, `"129"`, `"0.00"`, 1), asJSON, tok, 400, `{"code":0,"error":"amount is invalid"}`},
		"payout: amount -1":          {"POST", payouts, strings.Replace(good, `"129"`, `"-1"`, 1), asJSON, tok, 400, `{"code":0,"error":"amount is invalid"}`},
		"payout: three decimals":     {"POST", payouts, strings.Replace(good, `"129"`, `"1.001"`, 1), asJSON, tok, 400, `{"code":0,"error":"amount is invalid"}`},
		"payout: no reference":       {"POST", payouts, strings.Replace(good, `"R1"`, `""`, 1), asJSON, tok, 400, `{"code":0,"error":"businessReference is required"}`},
		"payout: a bad reference":    {"POST", payouts, strings.Replace(good, `"R1"`, `"R 1"`, 1), asJSON, tok, 400, `{"code":0,"error":"businessReference is invalid"}`},
		"payout: kind of others":     {"POST", payouts, strings.Replace(good, `"till"`, `"bank"`, 1), asJSON, tok, 400, `{"code":0,"error":"type must be one of: mobile_money, till, paybill"}`},
		"payout: currency of others": {"POST", payouts, strings.Replace(good, `"KES"`, `"TZS"`, 1), asJSON, tok, 400, `{"code":0,"error":"currency is invalid"}`},
		"payout: unknown till":       {"POST", payouts, strings.Replace(good, `888880`, `888881`, 1), asJSON, tok, 422, `{"code":0,"error":"account not active"}`},
		"payout: no rate":            {"POST", payouts, strings.NewReplacer(`888880`, `600000`, `"KE"`, `"TZ"`, "KES", "TZS").Replace(good), asJSON, tok, 404, `{"code":0,"error":"rate not configured"}`},
		"payout: too much":           {"POST", payouts, strings.Replace(good, `"129"`, `"999999999"`, 1), asJSON, tok, 412, `{"code":0,"error":"insufficient funds"}`},
		"transactions: page 0":       {"GET", url + "/business/transactions?page=0", "", "", tok, 400, `{"code":0,"error":"page is invalid"}`},
		"transactions: not there":    {"GET", url + "/business/transactions/R9", "", "", tok, 404, `{"code":0,"error":"transaction not found"}`},
	} {
		status, body := call(t, c.method, c.url, c.body, c.content, c.auth)
		if status != c.status || body != c.want {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, c.status, c.want)
		}
	}
	if _, runs := call(t, "GET", url+"/_sandbox/executions", "", "", ""); strings.TrimSpace(runs) != "{}" {
		t.Errorf("a refused payout was paid: %s", runs)
	}
	if status, body := call(t, "POST", payouts, good, asJSON, tok); status != 201 || !strings.Contains(body, `"status":"termination_pending"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := call(t, "POST", payouts, good, asJSON, tok); status != 409 || body != `{"code":0,"error":"duplicate businessReference"}` {
		t.Errorf("%d %s", status, body)
	}
	if _, runs := call(t, "GET", url+"/_sandbox/executions", "", "", ""); strings.TrimSpace(runs) != `{"R1":1}` {
		t.Errorf("executions %s", runs)
	}
}

func TestPayoutsDoNotExistUnlessSwitchedOn(t *testing.T) {
	_, url := start(t, map[string]string{"payout_contract": "off"})
	tok := signIn(t, url)
	for method, path := range map[string]string{"POST": "/business/payout", "GET": "/business/transactions", "HEAD": "/business/transactions/R1"} {
		if status, _ := call(t, method, url+path, "", "", tok); status != 404 {
			t.Errorf("%s %s: %d", method, path, status)
		}
	}
}

func TestTokensEndAndCanBeRevoked(t *testing.T) {
	_, url := start(t, nil)
	tok := signIn(t, url)
	form := "application/x-www-form-urlencoded"
	read := func() int { s, _ := call(t, "GET", url+"/business/balance", "", "", tok); return s }
	if read() != 200 {
		t.Fatal("a fresh token is refused")
	}
	call(t, "POST", url+"/_sandbox/clock", "advance_seconds=3601", form, "")
	if read() != 401 {
		t.Error("an expired token is accepted")
	}
	tok = signIn(t, url)
	call(t, "POST", url+"/_sandbox/tokens", "action=revoke", form, "")
	if read() != 401 {
		t.Error("a revoked token is accepted")
	}
	tok = signIn(t, url)
	call(t, "GET", url+"/business/rate?from="+strings.TrimPrefix(tok, "Bearer "), "", "", tok)
	if _, log := call(t, "GET", url+"/_sandbox/requests", "", "", ""); !strings.Contains(log, "a token or key in the query") || strings.Contains(log, tok[7:]) {
		t.Errorf("a token in the query is no violation: %s", log)
	}
	call(t, "POST", url+"/_sandbox/keys", "api_key=n1&api_secret=n2", form, "")
	if status, _ := call(t, "POST", url+"/business/auth", pairOK, asJSON, ""); status != 401 {
		t.Error("a revoked pair signs in")
	}
}

func TestMoneyGoesOnHoldAndAwayOrBack(t *testing.T) {
	s, url := start(t, nil)
	tok := signIn(t, url)
	form := "application/x-www-form-urlencoded"
	wallets := func() string { _, b := call(t, "GET", url+"/business/balance?currency=USD", "", "", tok); return b }
	pay := func(ref string) {
		call(t, "POST", url+"/business/payout", `{"businessReference":"`+ref+`","type":"paybill","countryCode":"KE","number":"123456","accountReference":"ABC123","sourceCurrency":"USD","targetCurrency":"KES","amount":"1000"}`, asJSON, tok)
	}
	pay("A") // 1000 / 129 is 7.75 and a little: rounded up
	if got := wallets(); !strings.Contains(got, `"available":2499992.24`) || !strings.Contains(got, `"holding":7.76`) {
		t.Error(got)
	}
	call(t, "POST", url+"/_sandbox/settle", "reference=A&status=failed", form, "")
	if got := wallets(); !strings.Contains(got, `"available":2500000,`) || !strings.Contains(got, `"holding":0`) {
		t.Error(got)
	}
	if status, _ := call(t, "POST", url+"/_sandbox/settle", "reference=A&status=succeeded", form, ""); status != 422 {
		t.Error("a final payout went back")
	}
	s.mu.Lock()
	s.auto = autosettle{after: 0, outcome: "succeeded"}
	s.mu.Unlock()
	pay("B")
	call(t, "POST", url+"/_sandbox/clock", "advance_seconds=1", form, "")
	if _, got := call(t, "GET", url+"/business/transactions/B", "", "", tok); !strings.Contains(got, "termination_success") {
		t.Error(got)
	}
}

func TestThePageShowsWhatItHoldsAndItsButtonsWork(t *testing.T) {
	_, url := start(t, nil)
	tok := signIn(t, url)
	call(t, "POST", url+"/business/payout", `{"businessReference":"R1","type":"till","countryCode":"KE","number":"888880","sourceCurrency":"KES","targetCurrency":"KES","amount":"5"}`, asJSON, tok)
	status, body := call(t, "GET", url+"/_sandbox/", "", "", "")
	if status != 200 || !strings.Contains(body, "WAKA-PAY-1") || !strings.Contains(body, "Pay it") || !strings.Contains(body, "R1") || strings.Contains(body, SandboxSecret) {
		t.Errorf("%d %s", status, body)
	}
	for _, c := range []struct {
		path, form string
		want       int
	}{
		{"autosettle", "outcome=mixed&after_ms=10", 200}, {"autosettle", "outcome=never", 422}, {"clock", "advance_seconds=-1", 422}, {"webhooks", "mode=twice", 200},
		{"webhooks", "mode=loud", 422}, {"settle", "reference=R1&status=returned", 422}, {"settle", "reference=none&status=failed", 422}, {"settle", "reference=R1&status=failed", 200},
		{"fault", "kind=x", 422}, {"again", "reference=R1", 200}, {"again", "reference=none", 422}, {"nothing", "", 422}, {"rate", "from=USD&to=TZS&rate=2500", 200},
		{"rate", "from=USD&to=TZS&rate=x", 422}, {"wallet", "currency=EUR&available=1", 422}, {"recipient", "country=KE", 422}, {"set", "value=1", 422},
	} {
		if got, said := call(t, "POST", url+"/_sandbox/"+c.path, c.form, "application/x-www-form-urlencoded", ""); got != c.want {
			t.Errorf("%s %s: %d %s", c.path, c.form, got, said)
		}
	}
}

func TestItStandsManyAtOnce(t *testing.T) {
	s, url := start(t, map[string]string{"autosettle": "mixed", "autosettle_ms": "1", "webhook_url": "http://127.0.0.1:1", "webhook_retry_ms": "1"})
	tok := signIn(t, url)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				call(t, "POST", url+"/business/payout", `{"businessReference":"R`+string(rune('A'+i))+string(rune('A'+j))+`","type":"till","countryCode":"KE","number":"888880","sourceCurrency":"KES","targetCurrency":"KES","amount":"5"}`, asJSON, tok)
				call(t, "GET", url+"/_sandbox/", "", "", "")
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.payouts) != 80 || len(s.runs) != 80 {
		t.Errorf("%d payouts", len(s.payouts))
	}
}
