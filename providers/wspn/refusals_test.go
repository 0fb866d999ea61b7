package wspn

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// refusedBody is one JSON body that the contract's table 6.1 wants refused.
type refusedBody struct{ row, path, body, code string }

func withdrawBody(change map[string]string) string {
	m := map[string]string{"currency": `"USD"`, "amount": `"250.00"`, "remitInfoId": usdAccount, "requestId": `"REQ-1"`}
	for k, v := range change {
		if v == "" {
			delete(m, k)
			continue
		}
		m[k] = v
	}
	var parts []string
	for k, v := range m {
		parts = append(parts, strconv.Quote(k)+":"+v)
	}
	return `{"query":{` + strings.Join(parts, ",") + `}}`
}

const (
	pathWithdraw = "/openapi/v1/fiat-transaction/withdraw"
	pathDeposit  = "/openapi/v1/fiat-transaction/deposit"
	pathRemit    = "/openapi/v1/remit-info/add"
	pathWhite    = "/openapi/v1/wallet-address/whitelist/add"
	pathMint     = "/openapi/v1/mint-redeem/create"
	pathCrypto   = "/openapi/v1/crypto-transaction/order"
)

func remitBody(change map[string]string) string {
	m := map[string]string{"requestId": `"REMIT-1"`, "beneficiaryName": `"A"`, "beneficiaryAddress": `"B"`, "beneficiaryBankCountry": `"SGP"`,
		"beneficiaryBankName": `"C"`, "beneficiaryAccount": `"1"`, "currency": `"USD"`, "bankType": `"SWIFT"`, "beneficiaryBankSwiftCode": `"LCBKSGSG"`,
		"beneficiaryBankAddress": `"D"`, "isIntermediaryRequired": "false"}
	for k, v := range change {
		m[k] = v
	}
	var parts []string
	for k, v := range m {
		if v != "" {
			parts = append(parts, strconv.Quote(k)+":"+v)
		}
	}
	return `{"query":{` + strings.Join(parts, ",") + `}}`
}

func bodiesToRefuse() []refusedBody {
	list := []refusedBody{
		{"body not wrapped in query", pathWithdraw, strings.TrimSuffix(strings.TrimPrefix(withdrawBody(nil), `{"query":`), "}"), "TEST_ENVELOPE"},
		{"body is no JSON", pathWithdraw, "currency=USD", "TEST_JSON"},
		{"a key twice", pathWithdraw, `{"query":{"amount":"1","amount":"2"}}`, "TEST_JSON"},
		{"remit add not wrapped", pathRemit, strings.TrimSuffix(strings.TrimPrefix(remitBody(nil), `{"query":`), "}"), "TEST_ENVELOPE"},
		{"field missing", pathWithdraw, withdrawBody(map[string]string{"remitInfoId": ""}), "TEST_FIELD_MISSING"},
		{"field too long", pathWithdraw, withdrawBody(map[string]string{"purpose": strconv.Quote(strings.Repeat("x", 256))}), "TEST_FIELD_LENGTH"},
		{"id as a string", pathWithdraw, withdrawBody(map[string]string{"remitInfoId": `"` + usdAccount + `"`}), "TEST_FIELD_TYPE"},
		{"id with an exponent", pathWithdraw, withdrawBody(map[string]string{"remitInfoId": "9.007e15"}), "TEST_FIELD_TYPE"},
		{"amount as a number", pathWithdraw, withdrawBody(map[string]string{"amount": "250"}), "TEST_FIELD_TYPE"},
		{"a string where a boolean is due", pathRemit, remitBody(map[string]string{"isIntermediaryRequired": `"true"`}), "TEST_FIELD_TYPE"},
		{"intermediary without its fields", pathRemit, remitBody(map[string]string{"isIntermediaryRequired": "true"}), "TEST_FIELD_MISSING"},
		{"bank country of four letters", pathRemit, remitBody(map[string]string{"beneficiaryBankCountry": `"SGPX"`}), "TEST_FIELD_LENGTH"},
		{"SWIFT code with a hyphen", pathRemit, remitBody(map[string]string{"beneficiaryBankSwiftCode": `"LCBK-SGSG"`}), "TEST_FIELD_TYPE"},
		{"requestId missing", pathWithdraw, withdrawBody(map[string]string{"requestId": ""}), "TEST_FIELD_MISSING"},
		{"requestId of 65", pathWithdraw, withdrawBody(map[string]string{"requestId": strconv.Quote(strings.Repeat("r", 65))}), "TEST_FIELD_LENGTH"},
		{"currency is not the remit account's", pathWithdraw, withdrawBody(map[string]string{"currency": `"EUR"`}), "TEST_CURRENCY"},
		{"withdrawal of 99.99", pathWithdraw, withdrawBody(map[string]string{"amount": `"99.99"`}), "TEST_MINIMUM"},
		{"high-risk address", pathWhite, `{"query":{"requestId":"W1","network":"Polygon","address":"0x000000000000000000000000000000000000dEaD"}}`, "TEST_ADDRESS_RISK"},
		{"duplicate address", pathWhite, `{"query":{"requestId":"W2","network":"Polygon","address":"` + strings.ToLower(listed) + `"}}`, "TEST_ADDRESS_DUPLICATE"},
		{"more than 2 proof files", pathDeposit, `{"query":{"currency":"USD","amount":"1","remitInfoId":` + usdReceive + `,"referenceNo":"R","requestId":"D1","fileIdList":[1,2,3]}}`, "TEST_FILES"},
		{"no proof without Green Link", pathDeposit, `{"query":{"currency":"USD","amount":"1","remitInfoId":` + usdReceive + `,"referenceNo":"R","requestId":"D2"}}`, "TEST_FIELD_MISSING"},
		{"deposit in another currency", pathDeposit, `{"query":{"currency":"EUR","amount":"1","remitInfoId":` + usdReceive + `,"requestId":"D3","greenLinkVA":"Yes"}}`, "TEST_CURRENCY"},
		{"order query without an id", pathCrypto, `{"query":{}}`, "TEST_ORDER_QUERY"},
		{"unknown quote", pathMint, `{"query":{"sellCurrency":"USD","buyCurrency":"WUSD","sellAmount":"1","quoteId":"1","requestId":"M1"}}`, "TEST_QUOTE_UNKNOWN"},
	}
	for _, amount := range []string{"-250.00", "+250.00", "1e3", "1,000.00", " 250", "250 ", "0", "0.00", "250.001", "250.", ".5", "٢٥٠", "0x10", "NaN",
		"100000000000000000.00", ""} {
		list = append(list, refusedBody{"amount " + strconv.Quote(amount), pathWithdraw, withdrawBody(map[string]string{"amount": strconv.Quote(amount)}), "TEST_AMOUNT"})
	}
	list = append(list, refusedBody{"yen with decimals", pathWithdraw,
		withdrawBody(map[string]string{"currency": `"JPY"`, "remitInfoId": jpyAccount, "amount": `"250.5"`}), "TEST_AMOUNT"})
	return list
}

// Every row of 6.1 that is about a body. None of them uses its requestId up, and none moves money.
func TestTheStandInRefusesEveryRowOfTheTable(t *testing.T) {
	s := play(t, nil)
	for _, c := range bodiesToRefuse() {
		if code := s.post(c.path, c.body); code != c.code {
			t.Errorf("%s: %q, want %s", c.row, code, c.code)
		}
	}
	if code := s.post(pathWithdraw, withdrawBody(map[string]string{"amount": `"100"`})); code != "" {
		t.Errorf("exactly 100, with a requestId that refusals have carried: %s", code)
	}
	if code := s.post(pathWithdraw, withdrawBody(nil)); code != "TEST_DUPLICATE_REQUEST" {
		t.Errorf("requestId used before: %q", code)
	}
	if code := s.post(pathRemit, remitBody(map[string]string{"requestId": `"REQ-1"`})); code != "TEST_DUPLICATE_REQUEST" {
		t.Errorf("requestId used before on another endpoint: %q", code)
	}
	if n := s.executions("REQ-1"); n != 1 {
		t.Errorf("%d executions", n)
	}
}

func TestRequestIDsCountPerEndpointOrAreUsedUpWhereTheSettingSaysSo(t *testing.T) {
	s := play(t, map[string]string{"theirs.request_id_scope": "endpoint"})
	if code := s.post(pathWithdraw, withdrawBody(nil)) + s.post(pathRemit, remitBody(map[string]string{"requestId": `"REQ-1"`})); code != "" {
		t.Errorf("per endpoint: %s", code)
	}
	s = play(t, map[string]string{"theirs.refusal_burns_reference": "yes"})
	if code := s.post(pathWithdraw, withdrawBody(map[string]string{"amount": `"99"`})); code != "TEST_MINIMUM" {
		t.Error(code)
	}
	if code := s.post(pathWithdraw, withdrawBody(nil)); code != "TEST_DUPLICATE_REQUEST" {
		t.Errorf("used up by a refusal: %q", code)
	}
	s = play(t, map[string]string{"theirs.boolean_strings": "yes"})
	if code := s.post(pathRemit, remitBody(map[string]string{"isIntermediaryRequired": `"false"`})); code != "" {
		t.Errorf("a boolean as a string, where the setting takes it: %s", code)
	}
}

func TestQuotesOfTheTable(t *testing.T) {
	s := play(t, nil)
	body := func(quote, sell, id string) string {
		return fmt.Sprintf(`{"query":{"sellCurrency":%q,"buyCurrency":"WUSD","sellAmount":"1","quoteId":%q,"requestId":%q}}`, sell, quote, id)
	}
	q := quoted(t, s, "USD", "WUSD").ID
	if code := s.post(pathMint, body(q, "EUR", "Q1")); code != "TEST_QUOTE_PAIR" {
		t.Errorf("another pair: %q", code)
	}
	if code := s.post(pathMint, body(q, "USD", "Q2")); code != "" {
		t.Errorf("a fresh quote: %q", code)
	}
	if code := s.post(pathMint, body(q, "USD", "Q3")); code != "TEST_QUOTE_USED" {
		t.Errorf("a used quote: %q", code)
	}
	q = quoted(t, s, "USD", "WUSD").ID
	s.do("clock", "advance_seconds", "31")
	if code := s.post(pathMint, body(q, "USD", "Q4")); code != "TEST_QUOTE_EXPIRED" {
		t.Errorf("after 31 seconds: %q", code)
	}
}

func TestTokensAndSignaturesOfTheTable(t *testing.T) {
	s := play(t, nil)
	const path = "/openapi/v1/wallet-account/balance"
	old, err := s.client.accessToken(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.accessToken(t.Context(), old); err != nil { // a newer one replaces it
		t.Fatal(err)
	}
	now := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).UnixMilli(), 10) }
	for row, c := range map[string]struct {
		change func(*http.Request)
		code   string
	}{
		"untouched":             {nil, ""},
		"missing token":         {func(r *http.Request) { r.Header.Del("Authorization") }, "TEST_TOKEN"},
		"invalid token":         {func(r *http.Request) { r.Header.Set("Authorization", "Bearer nonsense") }, "TEST_TOKEN"},
		"token without Bearer":  {func(r *http.Request) { r.Header.Set("Authorization", old) }, "TEST_TOKEN"},
		"token replaced":        {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+old) }, "TEST_TOKEN"},
		"timestamp missing":     {func(r *http.Request) { r.Header.Del("D-TIMESTAMP") }, "TEST_TIMESTAMP"},
		"timestamp a word":      {func(r *http.Request) { r.Header.Set("D-TIMESTAMP", "now") }, "TEST_TIMESTAMP"},
		"timestamp in seconds":  {func(r *http.Request) { r.Header.Set("D-TIMESTAMP", now(0)[:10]) }, "TEST_TIMESTAMP"},
		"3 minutes off":         {func(r *http.Request) { r.Header.Set("D-TIMESTAMP", now(-3*time.Minute)) }, "TEST_TIMESTAMP"},
		"3 minutes ahead":       {func(r *http.Request) { r.Header.Set("D-TIMESTAMP", now(3*time.Minute)) }, "TEST_TIMESTAMP"},
		"signature missing":     {func(r *http.Request) { r.Header.Del("D-SIGNATURE") }, "TEST_SIGNATURE"},
		"signature wrong":       {func(r *http.Request) { r.Header.Set("D-SIGNATURE", strings.Repeat("0", 64)) }, "TEST_SIGNATURE"},
		"signature upper case":  {func(r *http.Request) { r.Header.Set("D-SIGNATURE", strings.ToUpper(r.Header.Get("D-SIGNATURE"))) }, "TEST_SIGNATURE"},
		"query added afterward": {func(r *http.Request) { r.URL.RawQuery = "x=1" }, "TEST_SIGNATURE"},
	} {
		_, out := s.signed("POST", path, "", "", c.change)
		if code := codeOf(out); code != c.code {
			t.Errorf("%s: %q, want %q", row, code, c.code)
		}
	}
}

func TestContentTypesOfTheTable(t *testing.T) {
	s := play(t, nil)
	for kind, want := range map[string]string{"application/json": "", "text/plain": "", "application/json; charset=utf-8": "", "text/plain;charset=UTF-8": "",
		"application/x-www-form-urlencoded": "TEST_CONTENT_TYPE", "multipart/form-data; boundary=x": "TEST_CONTENT_TYPE", "text/xml": "TEST_CONTENT_TYPE",
		"application/json; charset=latin1": "TEST_CONTENT_TYPE", "": "TEST_CONTENT_TYPE"} {
		status, out := s.signed("POST", "/openapi/v1/mint-redeem/exchange-rate", kind, `{"query":{"sellCurrency":"USD","buyCurrency":"WUSD"}}`, nil)
		if codeOf(out) != want || want != "" && status != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d %q", kind, status, codeOf(out))
		}
	}
	if status, out := s.signed("POST", "/openapi/v1/file/upload", "application/json", `{}`, nil); status != http.StatusUnsupportedMediaType {
		t.Errorf("a file as JSON: %v", out)
	}
	page := s.another(nil)
	page.set.contentTypes = "page"
	if _, err := page.Quote(t.Context(), "USD", "WUSD", usd(t, "1")); err != nil {
		t.Errorf("text/plain as the page prints it: %v", err)
	}
	sent := ""
	for _, x := range s.records.list {
		if x.Operation == "rate.quote" {
			sent = strings.Join(x.RequestHeader["Content-Type"], "")
		}
	}
	if sent != "text/plain" {
		t.Errorf("content type as the page prints it: %q", sent)
	}
}

func TestOrderQueryByTwoIDsMustAgree(t *testing.T) {
	s := play(t, nil)
	a := s.client.SendPayout(t.Context(), cryptoPayout(t, "CHCRY1", "10"))
	b := s.client.SendPayout(t.Context(), cryptoPayout(t, "CHCRY2", "10"))
	ra, rb := acceptedRef(t, a), acceptedRef(t, b)
	if code := s.post(pathCrypto, `{"query":{"orderId":`+ra+`,"requestId":"CHCRY1"}}`); code != "" {
		t.Errorf("both of one order: %q", code)
	}
	if code := s.post(pathCrypto, `{"query":{"orderId":`+rb+`,"requestId":"CHCRY1"}}`); code != "TEST_ORDER_QUERY" {
		t.Errorf("of two orders: %q", code)
	}
}
