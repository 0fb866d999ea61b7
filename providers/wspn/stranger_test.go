package wspn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// stranger is a server that was written from the contract file alone: it keeps every byte that arrives and answers what it is told to.
type stranger struct {
	*httptest.Server
	mu     sync.Mutex
	tokens int
	deny   bool // no token any more
	got    []heard
	answer func(n int, r *http.Request) (int, string)
}

type heard struct {
	line, body string
	header     http.Header
}

func meet(t *testing.T, answer func(n int, r *http.Request) (int, string)) *stranger {
	t.Helper()
	s := &stranger{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.got = append(s.got, heard{r.Method + " " + r.RequestURI, string(body), r.Header.Clone()})
		if r.URL.Path == tokenPath {
			s.tokens++
			n, deny := s.tokens, s.deny
			s.mu.Unlock()
			if deny {
				w.WriteHeader(503)
				return
			}
			_, _ = io.WriteString(w, `{"header":{"success":true},"result":{"access_token":"tok`+strings.Repeat("0", 20)+string(rune('0'+n))+`","token_type":"bearer","expires_in":21600,"refresh_token":"rt`+strings.Repeat("0", 22)+`","rt_expires_in":43200}}`)
			return
		}
		n := len(s.got) - s.tokens
		s.mu.Unlock()
		status, text := s.answer(n, r)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func saying(status int, body string) func(int, *http.Request) (int, string) {
	return func(int, *http.Request) (int, string) { return status, body }
}

func (s *stranger) client(t *testing.T, settings map[string]string) *client {
	t.Helper()
	v, err := Provider().New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": s.URL + "/", "client_id": "100200"}, Settings: settings,
		Secrets: map[string]string{"api_key": "key+with/odd=signs", "api_secret": "test-secret-not-real-0001"},
		Clock:   func() time.Time { return time.Date(2025, 1, 3, 8, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	return v.(*client)
}

// Contract 2, 3.3 and 4: the token call and every other call have exactly these bytes.
func TestAStrangersServerFindsTheBytesOfTheContract(t *testing.T) {
	conversion := providers.SendRequest{Reference: "CH7", Amount: cash(t, "12.5", "WUSD"), Method: redeem, Values: map[string]string{"buy_currency": "USD"},
		Quote: providers.Quote{ID: "1234567890123456789", Sell: "WUSD", Buy: "USD", Rate: "1"}}
	announced := providers.SendRequest{Reference: "CH2", Amount: usd(t, "1"), Method: takeFiat,
		Values: map[string]string{"remit_info_id": usdReceive, "reference_no": "BANK-7", "file_ids": "4001,4002"}}
	yen := fiatPayout(t, "CH1", "500")
	yen.Amount = cash(t, "25000", "JPY")
	for name, x := range map[string]struct {
		call       func(*client)
		line, body string
		signed     string // path and decoded query
	}{
		"balance": {func(c *client) { _, _ = c.Balances(t.Context()) }, "POST /openapi/v1/wallet-account/balance", "", ""},
		"withdraw": {func(c *client) { c.SendPayout(t.Context(), fiatPayout(t, "CH1", "500")) }, "POST /openapi/v1/fiat-transaction/withdraw",
			`{"query":{"amount":"500.00","currency":"USD","purpose":"Invoice 7","referenceNo":"CH1","remitInfoId":9007199254740993,"requestId":"CH1"}}`, ""},
		"withdraw yen": {func(c *client) { c.SendPayout(t.Context(), yen) }, "POST /openapi/v1/fiat-transaction/withdraw",
			`{"query":{"amount":"25000","currency":"JPY","purpose":"Invoice 7","referenceNo":"CH1","remitInfoId":9007199254740993,"requestId":"CH1"}}`, ""},
		"deposit": {func(c *client) { c.CreateDeposit(t.Context(), announced) }, "POST /openapi/v1/fiat-transaction/deposit",
			`{"query":{"amount":"1.00","currency":"USD","fileIdList":[4001,4002],"referenceNo":"BANK-7","remitInfoId":9007199254741993,"requestId":"CH2"}}`, ""},
		"redeem": {func(c *client) { c.Convert(t.Context(), conversion) }, "POST /openapi/v1/mint-redeem/create",
			`{"query":{"buyCurrency":"USD","quoteId":"1234567890123456789","requestId":"CH7","sellAmount":"12.50","sellCurrency":"WUSD"}}`, ""},
		"rate": {func(c *client) { _, _ = c.Quote(t.Context(), "USD", "WUSD", models.Money{}) }, "POST /openapi/v1/mint-redeem/exchange-rate",
			`{"query":{"buyCurrency":"WUSD","sellCurrency":"USD"}}`, ""},
		"crypto order": {func(c *client) {
			c.FindPayout(t.Context(), providers.Query{Method: payCrypto, Reference: "CH1"})
		}, "POST /openapi/v1/crypto-transaction/order", `{"query":{"requestId":"CH1"}}`, ""},
		"history": {func(c *client) {
			c.findInHistory(t.Context(), providers.Query{Method: mint, Amount: usd(t, "5"), SentAt: models.At(time.Date(2025, 1, 3, 8, 0, 0, 0, time.UTC))})
		}, "POST /openapi/v1/mint-redeem/search",
			`{"pagination":{"current":1,"size":50},"query":{"buyCurrency":"WUSD","createdTimeEnd":"2025-01-04 16:15:00","createdTimeStart":"2025-01-02 16:00:00","sellCurrency":"USD"}}`, ""},
		"address": {func(c *client) {
			c.CreateDeposit(t.Context(), providers.SendRequest{Reference: "CH3", Method: takeAddress, Amount: cash(t, "5", "WUSD"), Values: map[string]string{"network": "Polygon"}})
		}, "GET /openapi/v1/wallet-address/deposit?*", "", "?"},
	} {
		t.Run(name, func(t *testing.T) {
			s := meet(t, saying(200, `{"header":{"success":false}}`))
			c := s.client(t, nil)
			x.call(c)
			if len(s.got) != 2 || s.tokens != 1 {
				t.Fatalf("%d requests, %d for tokens", len(s.got), s.tokens)
			}
			token, got := s.got[0], s.got[1]
			want := "POST /openapi/v1/auth/oauth2/token?grant_type=client_credentials&api_key=key%2Bwith%2Fodd%3Dsigns&api_secret=test-secret-not-real-0001"
			if token.line != want || token.body != "" || token.header.Get("Content-Type") != "" || token.header.Get("Authorization") != "" || token.header.Get("D-Signature") != "" {
				t.Errorf("token: %s %q %v", token.line, token.body, token.header)
			}
			line, _, starred := strings.Cut(x.line, "*")
			if starred && !strings.HasPrefix(got.line, line) || !starred && got.line != x.line {
				t.Errorf("line %s, want %s", got.line, x.line)
			}
			if x.body != "*" && got.body != x.body {
				t.Error(cmp.Diff(x.body, got.body))
			}
			path, query, _ := strings.Cut(strings.SplitN(got.line, " ", 2)[1], "?")
			plain, _ := url.QueryUnescape(query)
			mac := hmac.New(sha256.New, []byte("test-secret-not-real-0001"))
			_, _ = io.WriteString(mac, strings.SplitN(got.line, " ", 2)[0]+"1735891200000"+path+plain+got.body)
			for k, v := range map[string]string{"Authorization": "Bearer tok" + strings.Repeat("0", 20) + "1", "D-Timestamp": "1735891200000", "D-Signature": hex.EncodeToString(mac.Sum(nil))} {
				if !cmp.Equal(got.header.Values(k), []string{v}) {
					t.Errorf("%s: %q, want %q", k, got.header.Values(k), v)
				}
			}
			if kind := got.header.Get("Content-Type"); (got.body == "") != (kind == "") || kind != "" && kind != "application/json" {
				t.Errorf("content type %q of %q", kind, got.body)
			}
		})
	}
}

// README rule 1: behind a 5xx or a redirect no code proves anything, whatever staff have typed about it; and nothing is sent twice because of it.
func TestACodeBehindAServerErrorProvesNothing(t *testing.T) {
	typed := map[string]string{"refusal_codes": "E_FUNDS", "not_found_codes": "E_NONE", "auth_error_codes": "401,503,E_TOKEN"}
	for _, x := range []struct {
		status int
		code   string
		calls  int
		want   string
	}{
		{200, "E_FUNDS", 1, "refused E_FUNDS"}, {412, "E_FUNDS", 1, "refused E_FUNDS"}, {500, "E_FUNDS", 1, "unknown"}, {302, "E_FUNDS", 1, "unknown"},
		{503, "E_TOKEN", 1, "unknown"}, {302, "E_TOKEN", 1, "unknown"}, {429, "E_OTHER", 1, "unknown"}, {409, "", 1, "unknown"},
		{401, "E_TOKEN", 2, "refused E_TOKEN"}, {401, "", 2, "refused HTTP 401"},
	} {
		s := meet(t, saying(x.status, `{"header":{"success":false,"code":"`+x.code+`"}}`))
		got := ""
		switch out := s.client(t, typed).SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(type) {
		case providers.Refused:
			got = "refused " + out.Code
		case providers.Unknown:
			got = "unknown"
		}
		if calls := len(s.got) - s.tokens; got != x.want || calls != x.calls {
			t.Errorf("%d %s: %s after %d calls, want %s after %d", x.status, x.code, got, calls, x.want, x.calls)
		}
	}
	for status, want := range map[int]providers.Result{200: providers.NotFound, 404: providers.NotFound, 500: providers.Unclear, 302: providers.Unclear} {
		s := meet(t, saying(status, `{"header":{"success":false,"code":"E_NONE"}}`))
		if f := s.client(t, typed).FindPayout(t.Context(), providers.Query{Method: payCrypto, Reference: "CH1"}); f.Result != want {
			t.Errorf("HTTP %d: %+v", status, f)
		}
	}
}

// What the first call did stays what is judged when the second one cannot be made: behind a 200 an error code leaves the outcome open.
func TestASecondTryThatIsNotMadeHidesNothingOfTheFirst(t *testing.T) {
	for status, want := range map[int]string{401: "refused E_TOKEN", 200: "unknown"} {
		var s *stranger
		s = meet(t, func(int, *http.Request) (int, string) {
			s.mu.Lock()
			s.deny = true
			s.mu.Unlock()
			return status, `{"header":{"success":false,"code":"E_TOKEN"}}`
		})
		got := ""
		switch out := s.client(t, map[string]string{"auth_error_codes": "401,E_TOKEN"}).SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(type) {
		case providers.Refused:
			got = "refused " + out.Code
		case providers.Unknown:
			got = "unknown"
		}
		if got != want || len(s.got)-s.tokens != 1 {
			t.Errorf("HTTP %d: %s after %d calls, want %s", status, got, len(s.got)-s.tokens, want)
		}
	}
}

// An answer that says no and gives a record contradicts itself: nothing follows from it, and nothing is sent again.
func TestARefusalWithARecordIsNoRefusal(t *testing.T) {
	typed := map[string]string{"refusal_codes": "E_FUNDS", "not_found_codes": "E_FUNDS"}
	for _, status := range []int{200, 400, 401} {
		s := meet(t, saying(status, `{"header":{"success":false,"code":"E_FUNDS"},"result":{"id":5,"orderId":5}}`))
		c := s.client(t, typed)
		if out, ok := c.SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(providers.Unknown); !ok || len(s.got)-s.tokens != 1 {
			t.Errorf("HTTP %d: %+v after %d calls", status, out, len(s.got)-s.tokens)
		}
		if f := c.FindPayout(t.Context(), providers.Query{Method: payCrypto, Reference: "CH1"}); f.Result != providers.Unclear {
			t.Errorf("HTTP %d: %+v", status, f)
		}
	}
}

// A call that was refused for its token and then refused as a repeat has landed, or may have: the second answer is about the first call.
func TestARepeatThatWSPNCallsADuplicateIsNoRefusal(t *testing.T) {
	s := meet(t, func(n int, _ *http.Request) (int, string) {
		if n == 1 {
			return 401, `{"header":{"success":false,"code":"401"}}`
		}
		return 200, `{"header":{"success":false,"code":"DUPLICATE"}}`
	})
	if out, ok := s.client(t, nil).SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(providers.Unknown); !ok || s.got[1].body != s.got[3].body {
		t.Errorf("%+v", out)
	}
}

// "Nothing" must be said: an answer without the member, or with something in it that is no order, is no answer.
func TestAnAnswerWithoutAnOrderSaysNothingUnlessItSaysSo(t *testing.T) {
	q := providers.Query{Kind: models.Payout, Method: payCrypto, Reference: "CH1", Amount: cash(t, "5", "WUSD")}
	for body, want := range map[string]providers.Result{
		`,"result":null`:           providers.NotFound,
		`,"result":{}`:             providers.NotFound,
		`,"resultList":[]`:         providers.NotFound,
		``:                         providers.Unclear,
		`,"result":"queued"`:       providers.Unclear,
		`,"result":[null]`:         providers.Unclear,
		`,"resultList":["a"]`:      providers.Unclear,
		`,"retdata":{"orderId":5}`: providers.Unclear,
		`,"result":{"orderId":5}`:  providers.Unclear,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","netAmount":"5.00"}`:                    providers.Found,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","netAmount":"4.50"}`:                    providers.Found,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","netAmount":"500"}`:                     providers.Unclear,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","amount":"4.99"}`:                       providers.Unclear,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","orderType":"DEPOSIT","netAmount":"5"}`: providers.Unclear,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","requestId":"CH2","netAmount":"5"}`:     providers.Unclear,
		`,"result":{"orderId":5,"status":"TO_BE_PROCESSED","clientId":9,"netAmount":"5"}`:          providers.Unclear,
		`,"result":{"orderId":5,"status":"NEVER_SEEN","netAmount":"5"}`:                            providers.Found,
	} {
		f := meet(t, saying(200, `{"header":{"success":true}`+body+`}`)).client(t, nil).FindPayout(t.Context(), q)
		if f.Result != want || strings.Contains(body, "NEVER_SEEN") && (f.Status.State != "" || f.Status.Word != "NEVER_SEEN") {
			t.Errorf("%s: %+v", body, f)
		}
	}
}

// Contract 8, row 13: the history concludes only from rows that can all be read, page after page.
func TestTheHistoryConcludesOnlyFromRowsThatCanBeRead(t *testing.T) {
	q := providers.Query{Kind: models.Conversion, Method: mint, Reference: "CH1", Amount: usd(t, "5"), SentAt: models.At(time.Date(2025, 1, 3, 8, 0, 0, 0, time.UTC))}
	other := `{"id":8,"status":"COMPLETED","sellCurrency":"USD","buyCurrency":"WUSD","sellAmount":"7.00"}`
	for body, want := range map[string]providers.Result{
		`,"resultList":[]`:                       providers.NotFound,
		`,"resultList":[` + other + `]`:          providers.NotFound,
		``:                                       providers.Unclear,
		`,"resultList":{"x":1}`:                  providers.Unclear,
		`,"resultList":[` + other + `,null]`:     providers.Unclear,
		`,"resultList":[` + other + `,{"id":9}]`: providers.Unclear,
		`,"resultList":[{"id":9,"sellAmount":5.00,"sellCurrency":"USD","buyCurrency":"WUSD"}]`: providers.Unclear,
	} {
		if f := meet(t, saying(200, `{"header":{"success":true}`+body+`}`)).client(t, nil).findInHistory(t.Context(), q); f.Result != want {
			t.Errorf("%s: %+v", body, f)
		}
	}
}

// A book whose answer holds no list is not an empty book: what is not in it would be added once more.
func TestABookWithoutAListIsAnError(t *testing.T) {
	for body, bad := range map[string]bool{`,"resultList":[]`: false, `,"result":null`: false, ``: true, `,"resultList":"none"`: true, `,"resultList":[1]`: true} {
		c := meet(t, saying(200, `{"header":{"success":true}`+body+`}`)).client(t, nil)
		if _, err := c.BankAccounts(t.Context()); (err != nil) != bad {
			t.Errorf("accounts %s: %v", body, err)
		}
		if _, err := c.Addresses(t.Context()); (err != nil) != bad {
			t.Errorf("addresses %s: %v", body, err)
		}
	}
}

// An answer about somebody else's request is not ours, however well it fits.
func TestAnAnswerOfAnotherReferenceOrClientIsUnknown(t *testing.T) {
	for extra, want := range map[string]bool{``: true, `,"requestId":"CH1","clientId":100200`: true, `,"requestId":"CH2"`: false, `,"clientId":100201`: false} {
		s := meet(t, saying(200, `{"header":{"success":true},"result":{"id":5,"currency":"USD","amount":"500.00","status":"TO_BE_PROCESSED"`+extra+`}}`))
		if out, ok := s.client(t, nil).SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(providers.Accepted); ok != want {
			t.Errorf("%s: %+v", extra, out)
		}
	}
}

// README rule 3: what an answer repeats of our keys and tokens reaches neither a sentence nor the raw text that is kept.
func TestAnAnswerThatRepeatsOurSecretsIsBlanked(t *testing.T) {
	live := "tok" + strings.Repeat("0", 20) + "1"
	s := meet(t, saying(403, `{"header":{"success":false,"code":"test-secret-not-real-0001","message":"no Bearer `+live+` for key+with/odd=signs"}}`))
	c := s.client(t, nil)
	out, _ := c.SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(providers.Unknown)
	f := c.FindPayout(t.Context(), providers.Query{Method: payCrypto, Reference: "CH1"})
	_, err := c.Balances(t.Context())
	for _, text := range []string{out.Cause, string(out.Raw), f.Says, string(f.Raw), err.Error()} {
		for _, secret := range []string{live, "test-secret-not-real-0001", "key+with/odd=signs"} {
			if text == "" || strings.Contains(text, secret) {
				t.Errorf("%q holds %s", text, secret)
			}
		}
	}
}

// Contract 3.3: one timestamp, one signature, one attempt. A GET that is answered 503 is not repeated with old ones.
func TestNoRequestIsRepeatedWithAnOldSignature(t *testing.T) {
	s := meet(t, saying(503, `{}`))
	if _, err := s.client(t, nil).LookUp(t.Context(), "countries", nil); err == nil || len(s.got) != 2 {
		t.Errorf("%v after %d requests", err, len(s.got))
	}
}

// WSPN-ENV-2: a live credential never speaks to the test environment, however its name is written.
func TestALiveCredentialNeverMeetsTheTestEnvironment(t *testing.T) {
	for _, address := range []string{"https://wallet.test.wspn.io", "https://wallet.test.wspn.io:443", "https://WALLET.TEST.wspn.io./", "http://wallet.wspn.example", "https://127.0.0.1"} {
		if _, err := Provider().New(providers.Config{Environment: models.Live, Values: map[string]string{"base_url": address}, Secrets: map[string]string{"api_key": "aaaa", "api_secret": "bbbb"}}); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

// Two signatures in one webhook, in whatever case, count as none.
func TestAWebhookWithSeveralSignaturesIsForged(t *testing.T) {
	body := []byte(`{"eventId":"1"}`)
	k := providers.Keys{Secrets: []map[string]string{{"api_key": "aaaa", "api_secret": "old"}, {"api_key": "aaaa", "api_secret": "new"}}}
	p, _ := parseProfile(assumedProfile)
	sig := p.sign(message{method: "POST", timestamp: "1735891200000", path: "/h", body: body}, "aaaa", "new")
	for name, x := range map[string]struct {
		header http.Header
		want   providers.Trust
	}{
		"canonical":       {http.Header{"D-Timestamp": {"1735891200000"}, "D-Signature": {sig}}, providers.Verified},
		"as on the page":  {http.Header{"D-TIMESTAMP": {"1735891200000"}, "D-SIGNATURE": {sig}}, providers.Verified},
		"lower":           {http.Header{"d-timestamp": {"1735891200000"}, "d-signature": {sig}}, providers.Verified},
		"two values":      {http.Header{"D-Timestamp": {"1735891200000"}, "D-Signature": {sig, "x"}}, providers.Forged},
		"two cases":       {http.Header{"D-Timestamp": {"1735891200000"}, "D-Signature": {sig}, "d-signature": {"x"}}, providers.Forged},
		"upper-case hex":  {http.Header{"D-Timestamp": {"1735891200000"}, "D-Signature": {strings.ToUpper(sig)}}, providers.Forged},
		"other timestamp": {http.Header{"D-Timestamp": {"1735891200001"}, "D-Signature": {sig}}, providers.Forged},
	} {
		if a := (receiver{}).VerifyWebhook(k, providers.Delivery{Method: "POST", Path: "/h", Body: body, Header: x.header}); a.Trust != x.want {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// README rule 3: the signature of a webhook is not kept.
func TestTheSignatureOfAWebhookIsNotKept(t *testing.T) {
	d := providers.Delivery{Body: []byte(`{"eventId":"1"}`), Header: http.Header{"D-Signature": {"abc"}, "d-signature": {"x", "y"}, "D-Timestamp": {"5"}}}
	want := http.Header{"D-Signature": {"[redacted]"}, "d-signature": {"[redacted]", "[redacted]"}, "D-Timestamp": {"5"}}
	if kept := (receiver{}).CleanWebhook(d); !cmp.Equal(kept.Header, want) || string(kept.Body) != string(d.Body) || d.Header.Get("D-Signature") != "abc" {
		t.Errorf("%v", kept.Header)
	}
}

// Contract 6.5: only an explicit allow-list is final. The words of the stand-in are ours, so at WSPN itself they mean nothing until staff have typed
// them, in its test environment as in live.
func TestAtWSPNItselfOnlyDocumentedAndTypedWordsMeanSomething(t *testing.T) {
	for name, x := range map[string]struct {
		env   models.Environment
		base  string
		typed string
		want  models.State
	}{
		"the stand-in":            {models.Sandbox, "http://127.0.0.1:9", "", models.Succeeded},
		"WSPN's test environment": {models.Sandbox, "https://wallet.test.wspn.io", "", ""},
		"by default":              {models.Sandbox, "", "", ""},
		"typed":                   {models.Sandbox, "", "payout.COMPLETED=succeeded", models.Succeeded},
		"live":                    {models.Live, "https://wallet.wspn.example", "", ""},
	} {
		v, err := Provider().New(providers.Config{Environment: x.env, Values: map[string]string{"base_url": x.base}, Settings: map[string]string{"status_words": x.typed},
			Secrets: map[string]string{"api_key": "aaaa", "api_secret": "bbbb"}})
		if err != nil {
			t.Fatal(err)
		}
		c := v.(*client)
		if got := c.stateOf(models.Payout, "COMPLETED"); got != x.want || c.stateOf(models.Payout, "TO_BE_PROCESSED") != models.Pending {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A list of which the end was not reached is no list: what is not in it would be opened, or added, once more.
func TestAListIsReadToItsEndOrNotAtAll(t *testing.T) {
	n := 0
	full := func(member string) string {
		var b strings.Builder
		for range 50 {
			n++
			b.WriteString(`,{"` + member + `":` + strconv.Itoa(n) + `}`)
		}
		return `{"header":{"success":true},"resultList":[` + b.String()[1:] + `]`
	}
	s := meet(t, func(int, *http.Request) (int, string) { return 200, full("id") + `}` })
	if list, err := s.client(t, nil).BankAccounts(t.Context()); err == nil || len(s.got)-s.tokens != bookPages {
		t.Errorf("%d accounts, %v after %d calls", len(list), err, len(s.got)-s.tokens)
	}
	for tail, want := range map[string]int{`}`: 4, `,"pagination":{"current":3,"size":50,"pages":3,"total":150}}`: 3, `,"pagination":{"current":3,"size":50,"pages":9,"total":450}}`: 9} {
		list, pages, err := meet(t, saying(200, full("clientId")+tail)).client(t, nil).ListSubAccounts(t.Context(), 3)
		if err != nil || len(list) != 50 || pages != want {
			t.Errorf("%s: %d on page 3 of %d, %v", tail, len(list), pages, err)
		}
	}
	for body, ok := range map[string]bool{`,"resultList":[]`: true, ``: false, `,"resultList":[null]`: false, `,"resultList":[{"companyFullName":"x"}]`: false} {
		if _, _, err := meet(t, saying(200, `{"header":{"success":true}`+body+`}`)).client(t, nil).ListSubAccounts(t.Context(), 1); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}
