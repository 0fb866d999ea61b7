package onekey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// stranger is a server that was written from the contract file alone: it keeps what arrives byte for byte and answers what it is told to.
type stranger struct {
	*httptest.Server
	answer func(r *http.Request) (int, string)
	got    []received
}

type received struct {
	line, body string
	header     http.Header
}

func meet(t testing.TB, answer func(r *http.Request) (int, string)) *stranger {
	t.Helper()
	s := &stranger{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.got = append(s.got, received{r.Method + " " + r.RequestURI, string(body), r.Header.Clone()})
		status, text := s.answer(r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func always(status int, body string) func(*http.Request) (int, string) {
	return func(*http.Request) (int, string) { return status, body }
}

func (s *stranger) client(t testing.TB, settings map[string]string) *Client {
	t.Helper()
	made, err := New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": s.URL + "/"}, Settings: settings,
		Clock: func() time.Time { return time.Date(2026, 1, 15, 9, 0, 0, 999, time.FixedZone("BRT", -3*3600)) }, Secrets: map[string]string{
			fCashoutKey: "test-login", fCashoutPass: "test-pass", fCashoutSignature: "test-cashout-signature",
			fDepositKey: "test-deposit-key", fDepositSignature: "test-api-signature", fReadOnlyKey: "read-only", fBooksToken: "books-token"}})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := made.(*Client)
	return c
}

func hexMAC(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// Contract 2 and 3: every call has exactly these bytes in it, and exactly these headers.
func TestAStrangersServerFindsTheBytesOfTheContract(t *testing.T) {
	const keys = `{"login":"test-login","pass":"test-pass",`
	pix := pixPayout()
	pix.Hold, pix.Note = true, "March"
	back := providers.SendRequest{Reference: "CHREFUND", Amount: models.Money{Minor: 250, Asset: "BRL"}, Method: "refund_bank", OfProviderRef: "301000001", NotifyURL: "https://shop.example/r",
		Values: map[string]string{"beneficiary": "Name", "bank_code": "001", "branch": "12", "account_number": "123-4", "account_type": "SAVING"}}
	quick := providers.SendRequest{Reference: "CHTEST", Amount: models.Money{Minor: 10050, Asset: "BRL"}, Method: "dep_br_pix_quickpay", NotifyURL: "https://shop.example/d", ReturnURL: "https://shop.example/b"}
	move := providers.SendRequest{Reference: "CHMOVE", Amount: models.Money{Minor: 10000, Asset: "BRL"}, Method: walletTransfer, From: "PROPRIETARY", To: "TRANSACTIONAL"}
	held := providers.Query{Kind: models.Payout, Reference: "CHTEST", ProviderRef: "8405147"}
	for name, x := range map[string]struct {
		call       func(*Client)
		line, body string
		family     string
		key        string
	}{
		"cashout": {func(c *Client) { c.SendPayout(t.Context(), pix) }, "POST /v3/cashout",
			keys + `"external_id":"CHTEST","country":"BR","amount":100.50,"currency":"BRL","document_id":"52998224725","beneficiary_name":"João Silva","bank_code":"10002","bank_account":"","bank_branch":"","account_type":"C","notification_url":"https://shop.example/hooks","comments":"March","on_hold":true,"type":"json"}`, "cashouts", ""},
		"status": {func(c *Client) { c.FindPayout(t.Context(), held) }, "POST /v3/cashout/status", keys + `"external_id":"CHTEST"}`, "cashouts", ""},
		"cancel": {func(c *Client) { c.CancelPayout(t.Context(), held) }, "DELETE /v3/cashout/cancel", keys + `"cashout_id":8405147,"external_id":"CHTEST"}`, "cashouts", ""},
		"hold": {func(c *Client) { c.HoldPayout(t.Context(), providers.Query{ProviderRef: "8405147"}) }, "PUT /v3/cashout/status",
			keys + `"cashout_id":8405147,"status":"ON_HOLD"}`, "cashouts", ""},
		"release": {func(c *Client) { c.ReleasePayout(t.Context(), providers.Query{ProviderRef: "8405147"}) }, "PUT /v3/cashout/status",
			keys + `"cashout_id":8405147,"status":"PENDING"}`, "cashouts", ""},
		"deposit": {func(c *Client) { c.CreateDeposit(t.Context(), quick) }, "POST /v3/deposits",
			`{"invoice_id":"CHTEST","amount":100.50,"country":"BR","currency":"BRL","payment_method":"IX","back_url":"https://shop.example/b","success_url":"https://shop.example/b","error_url":"https://shop.example/b","notification_url":"https://shop.example/d"}`, "deposits", "CHTEST"},
		"deposit status": {func(c *Client) { c.FindDeposit(t.Context(), providers.Query{ProviderRef: "301000001"}) }, "GET /v3/deposits/301000001", "", "deposits", ""},
		"refund": {func(c *Client) { c.SendRefund(t.Context(), back) }, "POST /v3/refunds",
			`{"deposit_id":301000001,"invoice_id":"CHREFUND","amount":2.50,"bank_account":{"beneficiary":"Name","bank_code":1,"branch":"12","account_number":"123-4","account_type":"SAVING"},"notification_url":"https://shop.example/r"}`, "deposits", "CHREFUND"},
		"refund status": {func(c *Client) { c.FindRefund(t.Context(), providers.Query{ProviderRef: "168284"}) }, "GET /v3/refunds/168284", "", "deposits", ""},
		"transfer": {func(c *Client) { c.SendTransfer(t.Context(), move) }, "POST /v1/wallet/transaction",
			`{"source":"PROPRIETARY","destination":"TRANSACTIONAL","currency":"BRL","amount":100.00}`, "deposits", "CHMOVE"},
		"wallet": {func(c *Client) { _, _ = c.walletBalances(t.Context()) }, "GET /v1/wallet/balance", "", "deposits", ""},
		"account": {func(c *Client) {
			_, _ = c.VerifyRecipient(t.Context(), providers.SendRequest{Method: "br_bank", Values: PayoutValues("br_bank")})
		},
			"POST /v5/account/validate", `{"country":"BR","document":"52998224725","document_type":"CPF","first_name":"Ana","bank_account":{"bank_code":1,"account":"3423422-7","branch":"1234","account_type":"C"}}`, "validation", ""},
		"unsubscribe": {func(c *Client) { c.CancelSubscription(t.Context(), "7") }, "DELETE /v3/subscriptions/7", "{}", "deposits", ""},
		"methods": {func(c *Client) {
			_, _ = c.LookUp(t.Context(), "payment_methods", map[string]string{"country": "BR"})
		}, "GET /v3/payment_methods?country=BR", "", "bearer", ""},
		"one bank": {func(c *Client) { _, _ = c.LookUp(t.Context(), "banks", map[string]string{"code": "033"}) }, "GET /v1/country/BR/authorized-banks/33", "", "bearer", ""},
		"books": {func(c *Client) {
			_, _, _ = c.book(t.Context(), "cashouts", c.window(time.Unix(5, 0), time.Unix(9, 0), 0))
		}, "GET /v1/cashouts?from=5&page=0&to=9", "", "books", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := meet(t, always(400, `{"code":999}`))
			x.call(s.client(t, nil))
			if len(s.got) != 1 {
				t.Fatalf("%d requests", len(s.got))
			}
			got := s.got[0]
			if diff := cmp.Diff([]string{x.line, x.body}, []string{got.line, got.body}); diff != "" {
				t.Error(diff)
			}
			const date = "2026-01-15T12:00:00Z"
			want := map[string]string{"User-Agent": userAgent, "Content-Type": "application/json"}
			switch x.family {
			case "cashouts":
				want["Payload-Signature"] = hexMAC("test-cashout-signature", x.body)
			case "deposits":
				want["X-Date"], want["X-Login"], want["Authorization"] = date, "test-deposit-key", "D24 "+hexMAC("test-api-signature", date+"test-deposit-key"+x.body)
			case "validation":
				want["X-Date"], want["X-Login"], want["Authorization"] = date, "test-login", "D24 "+hexMAC("test-cashout-signature", date+"test-login"+x.body)
			case "bearer":
				want["Authorization"], want["Accept"] = "Bearer read-only", "application/json"
			case "books":
				want["Authorization"], want["Accept"] = "Bearer books-token", "application/json"
			}
			if x.key != "" {
				want["X-Idempotency-Key"] = x.key
			}
			if x.body == "" {
				delete(want, "Content-Type")
			}
			for _, free := range []string{"Content-Length", "Connection"} {
				got.header.Del(free)
			}
			if names := slices.Sorted(maps.Keys(got.header)); !cmp.Equal(names, slices.Sorted(maps.Keys(want))) {
				t.Errorf("headers %v", names)
			}
			for k, v := range want {
				if !cmp.Equal(got.header.Values(k), []string{v}) {
					t.Errorf("%s: %q, want %q", k, got.header.Values(k), v)
				}
			}
		})
	}
}

// README rule 4: what a completed deposit brought is theirs to say, the currency with it.
func TestACompletedDepositWithoutItsCurrencyIsNotCredited(t *testing.T) {
	q := providers.Query{Kind: models.Deposit, Reference: "CHTEST", ProviderRef: "7", Amount: models.Money{Minor: 100, Asset: "BRL"}}
	for body, want := range map[string]providers.Result{
		`{"deposit_id":7,"invoice_id":"CHTEST","status":"COMPLETED","local_amount":1.00,"currency":"BRL"}`:     providers.Found,
		`{"deposit_id":"7","invoice_id":"CHTEST","status":"COMPLETED","local_amount":"1.00","currency":"BRL"}`: providers.Found,
		`{"deposit_id":7,"invoice_id":"CHTEST","status":"COMPLETED","local_amount":1.00}`:                      providers.Unclear,
		`{"deposit_id":7,"invoice_id":"CHTEST","status":"COMPLETED","local_amount":1.00,"currency":""}`:        providers.Unclear,
		`{"deposit_id":7,"invoice_id":"CHTEST","status":"COMPLETED","currency":"BRL"}`:                         providers.Unclear,
		`{"deposit_id":7,"invoice_id":"OTHER","status":"COMPLETED","local_amount":1.00,"currency":"BRL"}`:      providers.Unclear,
		`{"deposit_id":8,"invoice_id":"CHTEST","status":"COMPLETED","local_amount":1.00,"currency":"BRL"}`:     providers.Unclear,
	} {
		if f := meet(t, always(200, body)).client(t, nil).FindDeposit(t.Context(), q); f.Result != want {
			t.Errorf("%s: %+v", body, f)
		}
	}
}

// Contract 3.1: addresses are https. One that is not is left out, never sent to be refused or, worse, obeyed.
func TestAnAddressThatIsNotHTTPSIsNotSentWithADeposit(t *testing.T) {
	s := meet(t, always(400, `{"code":999}`))
	s.client(t, nil).CreateDeposit(t.Context(), providers.SendRequest{Reference: "CHTEST", Amount: models.Money{Minor: 100, Asset: "BRL"}, Method: "dep_br_pix_quickpay",
		NotifyURL: "http://shop.example/n", ReturnURL: "http://shop.example/r"})
	if body := s.got[0].body; strings.Contains(body, "shop.example") {
		t.Error(body)
	}
}

// OKP-IDEM-4: nobody documents the number of a duplicate invoice, so a 201 is a refusal only when its details name a field that is not ours.
func TestAFieldErrorThatMayBeADuplicateIsNoRefusal(t *testing.T) {
	r := providers.SendRequest{Reference: "CHREFUND", Amount: models.Money{Minor: 250, Asset: "BRL"}, Method: "refund_card", OfProviderRef: "301000001"}
	for body, want := range map[string]string{
		`{"code":201,"description":"Invalid request","details":["amount: must be above zero"]}`:   "refused 201",
		`{"code":201,"description":"Invalid request"}`:                                            "unknown",
		`{"code":201,"description":"Invalid request","details":[]}`:                               "unknown",
		`{"code":201,"description":"Invalid request","details":["refund: must be unique"]}`:       "unknown",
		`{"code":201,"description":"Duplicated refund","details":["amount: not available"]}`:      "unknown",
		`{"code":201,"description":"Invalid request","details":["invoiceId: must match ^[A-Z]"]}`: "unknown",
	} {
		if got := outcome(meet(t, always(400, body)).client(t, nil).SendRefund(t.Context(), r)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// Contract 3.2: a wallet transfer has no business id, so it never goes out without its key, whatever OKP-IDEM-3 is set to.
func TestAWalletTransferIsNeverSentWithoutItsKey(t *testing.T) {
	s := meet(t, always(200, `{"currency":"BRL","proprietary_balance":1,"transactional_balance":2}`))
	o := s.client(t, map[string]string{"idempotency_key_mode": "omit"}).SendTransfer(t.Context(),
		providers.SendRequest{Reference: "CHMOVE", Amount: models.Money{Minor: 100, Asset: "BRL"}, Method: walletTransfer, From: "PROPRIETARY", To: "TRANSACTIONAL"})
	if outcome(o) != "refused not_sent" || len(s.got) != 0 {
		t.Errorf("%+v after %d requests", o, len(s.got))
	}
}

// "Not found" is believed from OneKey's own mouth only: not from a redirect, not about another reference, and not against its own books.
func TestNotFoundIsBelievedOnlyWhereItIsOneKeysWord(t *testing.T) {
	q := providers.Query{Kind: models.Payout, Reference: "CHTEST", Amount: models.Money{Minor: 100, Asset: "BRL"}}
	for _, x := range []struct {
		status int
		body   string
		want   providers.Result
	}{
		{412, `{"code":509,"message":"Cashout not found"}`, providers.NotFound},
		{302, `{"code":509,"message":"Cashout not found"}`, providers.Unclear},
		{500, `{"code":509,"message":"Cashout not found"}`, providers.Unclear},
		{412, `{"code":509,"message":"Cashout not found","external_id":"OTHER"}`, providers.Unclear},
		{404, `{"message":"no such page"}`, providers.Unclear},
		{412, `{"code":509`, providers.Unclear},
		{200, `{"code":510,"code":509}`, providers.Unclear},
	} {
		if f := meet(t, always(x.status, x.body)).client(t, nil).FindPayout(t.Context(), q); f.Result != x.want {
			t.Errorf("%d %s: %+v", x.status, x.body, f)
		}
	}
	s := meet(t, func(r *http.Request) (int, string) {
		if strings.HasPrefix(r.URL.Path, "/v1/deposits") {
			return 200, `{"page":0,"rows":1,"maxRows":50,"data":[{"idDeposit":7,"externalId":"CHTEST"}]}`
		}
		return 404, `{"code":208,"description":"Resource not found","type":"RESOURCE_NOT_FOUND"}`
	})
	q.Kind, q.SentAt = models.Deposit, models.At(time.Now())
	if f := s.client(t, nil).FindDeposit(t.Context(), q); f.Result != providers.Unclear {
		t.Errorf("the books have it: %+v", f)
	}
	q.ProviderRef = "7"
	if f := s.client(t, nil).FindDeposit(t.Context(), q); f.Result != providers.NotFound {
		t.Errorf("by their number: %+v", f)
	}
}

// A page of the books that is not the one asked for, or that has unreadable rows, ends nothing.
func TestTheBooksArePagedToTheirEnd(t *testing.T) {
	full := strings.Repeat(`{"idDeposit":9,"externalId":"X"},`, 48) + `null,"?"`
	s := meet(t, func(r *http.Request) (int, string) {
		if r.URL.Query().Get("page") == "0" {
			return 200, `{"page":0,"rows":50,"maxRows":50,"data":[` + full + `]}`
		}
		return 200, `{"page":1,"rows":1,"maxRows":50,"data":[{"idDeposit":7,"externalId":"CHTEST"}]}`
	})
	q := providers.Query{Kind: models.Deposit, Reference: "CHTEST", SentAt: models.At(time.Now())}
	if id, says := s.client(t, nil).searchBooks(t.Context(), "deposits", q); id != "7" {
		t.Error(says)
	}
	stuck := meet(t, always(200, `{"page":0,"rows":50,"maxRows":50,"data":[`+full+`]}`))
	if id, _ := stuck.client(t, nil).searchBooks(t.Context(), "deposits", q); id != "" || len(stuck.got) != 2 {
		t.Errorf("a server that always answers page 0 was asked %d times", len(stuck.got))
	}
}

// A change is done only when the answer is about this cashout.
func TestAChangeOfAnotherCashoutIsNotTakenForOurs(t *testing.T) {
	q := providers.Query{Kind: models.Payout, Reference: "CHTEST", ProviderRef: "8405147", Amount: models.Money{Minor: 100, Asset: "BRL"}}
	for body, want := range map[string]string{
		`{"cashout_status":2,"cashout_status_description":"Canceled"}`:            "accepted",
		`{"cashout_status":2,"cashout_id":8405147,"external_id":"CHTEST"}`:        "accepted",
		`{"cashout_status":2,"cashout_id":8405148}`:                               "unknown",
		`{"cashout_status":2,"external_id":"OTHER"}`:                              "unknown",
		`{"cashout_status":2,"external_id":"CHTEST","amount":1,"currency":"CLP"}`: "unknown",
		`{"cashout_status":4}`: "unknown",
	} {
		if got := outcome(meet(t, always(200, body)).client(t, nil).CancelPayout(t.Context(), q)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// OKP-VAL-1: any 2XX of OneKey is a yes; a page of somebody else is not.
func TestAValidationIsAYesOnlyInOneKeysWords(t *testing.T) {
	account := providers.SendRequest{Method: "br_bank", Values: PayoutValues("br_bank")}
	for _, x := range []struct {
		status int
		body   string
		want   providers.Verdict
	}{
		{204, "", providers.RecipientOK}, {200, `{"description":"Valid account"}`, providers.RecipientOK}, {200, "<html>Sign in</html>", ""}, {200, `{"description":`, ""},
		{200, `{"code":302,"description":"theirs"}`, providers.RecipientBad},
	} {
		if v, _ := meet(t, always(x.status, x.body)).client(t, nil).VerifyRecipient(t.Context(), account); v.Verdict != x.want {
			t.Errorf("account, %d %s: %+v", x.status, x.body, v)
		}
	}
	pix := providers.SendRequest{Method: "br_pix_cpf", Values: PayoutValues("br_pix_cpf"), NotifyURL: "https://shop.example/pix?token=0123456789abcdef"}
	for body, want := range map[string]providers.Verdict{
		"": providers.RecipientPending,
		`{"document":"52998224725","pix_key":"52998224725","message":"in progress","status":"IN_PROGRESS"}`: providers.RecipientPending,
		`{"document":"52998224725","pix_key":"52998224725","message":"greylisted","status":"ERROR"}`:        providers.RecipientBad,
		`{"document":"52998224725","pix_key":"11111111111","status":"IN_PROGRESS"}`:                         "",
		`<html>`: "",
	} {
		if v, _ := meet(t, always(200, body)).client(t, nil).VerifyRecipient(t.Context(), pix); v.Verdict != want {
			t.Errorf("pix, %s: %+v", body, v)
		}
	}
}

// OKP-ENV-1: a live credential never speaks to staging, however the name is written.
func TestALiveCredentialNeverMeetsStaging(t *testing.T) {
	for _, address := range []string{"https://api-stg.onekeypayments.com", "https://API-STG.onekeypayments.com./", "https://cc-api-stg.onekeypayments.com.", "http://api.onekey.example", "https://127.0.0.1"} {
		_, err := New(providers.Config{Environment: models.Live, Values: map[string]string{"base_url": address}, Clock: time.Now, Secrets: map[string]string{fReadOnlyKey: "read-only"}})
		if err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

// README rule 3: what signs a delivery is not kept, and what is kept can still be read.
func TestTheSignatureOfACallbackIsNotKept(t *testing.T) {
	control := webhookControl("secret", "CH1")
	for body, want := range map[string]string{
		"external_id=CH1&control=" + control + "&cashout_id=7":    "external_id=CH1&control=[redacted]&cashout_id=7",
		"external_id=CH1&%63ontrol=" + control + "&date=2026+1":   "external_id=CH1&%63ontrol=[redacted]&date=2026+1",
		"external_id=CH1&Control=" + strings.ToLower(control):     "external_id=CH1&Control=[redacted]",
		"external_id=CH1&%zz=" + control + "&comments=control%3D": "external_id=CH1&%zz=[redacted]&comments=control%3D",
		"": "", "control": "control", "\xff&&=": "\xff&&=",
	} {
		d := providers.Delivery{Topic: "cashout", Body: []byte(body), Header: http.Header{"Payload-Signature": {control, control}, "X-Other": {"stays"}}}
		kept := receiver{}.CleanWebhook(d)
		if string(kept.Body) != want || !cmp.Equal(kept.Header, http.Header{"Payload-Signature": {"[redacted]", "[redacted]"}, "X-Other": {"stays"}}) || string(d.Body) != body {
			t.Errorf("%q: %q %v", body, kept.Body, kept.Header)
		}
	}
	d := receiver{}.CleanWebhook(providers.Delivery{Topic: "cashout", Body: []byte("external_id=CH1&control=" + control + "&cashout_id=7")})
	if n, err := (receiver{}).TranslateWebhook(d); err != nil || n.Reference != "CH1" || n.ProviderRef != "7" {
		t.Errorf("%+v %v", n, err)
	}
	if d := (receiver{}).CleanWebhook(providers.Delivery{Topic: "deposit", Body: []byte(`{"deposit_id":7}`)}); string(d.Body) != `{"deposit_id":7}` {
		t.Errorf("%s", d.Body)
	}
}

// A statement never ends before its end: a page without a list, or with a row that cannot be read, is an error.
func TestAStatementHasEveryRowOrNone(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for body, ok := range map[string]bool{
		`{"page":0,"rows":0,"maxRows":50,"data":[]}`: true, `{"page":0,"rows":0,"maxRows":50}`: false, `{"page":0,"data":null}`: false, `{"page":0,"data":{"idDeposit":1}}`: false,
		`{"page":0,"rows":1,"maxRows":50,"data":[{"idDeposit":1},7]}`: false, `{"page":1,"rows":0,"data":[]}`: false,
	} {
		_, next, err := meet(t, always(200, body)).client(t, nil).Statement(t.Context(), from, from.AddDate(0, 0, 1), "")
		if (err == nil) != ok || ok && next == "" {
			t.Errorf("%s: %q %v", body, next, err)
		}
	}
	full := `{"page":1999,"rows":1,"maxRows":1,"data":[{"idDeposit":1}]}`
	if _, _, err := meet(t, always(200, full)).client(t, nil).Statement(t.Context(), from, from.AddDate(0, 0, 1), "deposits:1767225600:1999"); err == nil {
		t.Error("a statement was cut off in silence")
	}
}

// Two signatures count as none.
func TestADepositCallbackWithSeveralSignaturesIsForged(t *testing.T) {
	k := providers.Keys{Secrets: []map[string]string{{fDepositKey: "key", fDepositSignature: "secret"}}}
	body, date := []byte(`{"deposit_id":7}`), "2026-01-15T12:00:00Z"
	right := "D24 " + depositSignature("secret", date, "key", body)
	for name, x := range map[string]struct {
		header http.Header
		want   providers.Trust
	}{
		"one":                {http.Header{"X-Date": {date}, "X-Login": {"key"}, "Authorization": {right}}, providers.Verified},
		"two signatures":     {http.Header{"X-Date": {date}, "X-Login": {"key"}, "Authorization": {right, "D24 x"}}, providers.Forged},
		"two dates":          {http.Header{"X-Date": {date, "2020-01-01T00:00:00Z"}, "X-Login": {"key"}, "Authorization": {right}}, providers.Forged},
		"upper-case hex":     {http.Header{"X-Date": {date}, "X-Login": {"key"}, "Authorization": {"D24 " + strings.ToUpper(right[4:])}}, providers.Forged},
		"another scheme":     {http.Header{"X-Date": {date}, "X-Login": {"key"}, "Authorization": {"Bearer " + right[4:]}}, providers.Forged},
		"only a signature":   {http.Header{"Authorization": {right}}, providers.Forged},
		"none":               {http.Header{}, providers.Hint},
		"the cashouts' pair": {http.Header{"X-Date": {date}, "X-Login": {"login"}, "Authorization": {right}}, providers.Forged},
	} {
		if a := (receiver{}).VerifyWebhook(k, providers.Delivery{Topic: "deposit", Body: body, Header: x.header}); a.Trust != x.want {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// README rule 3: instructions are shown to payers, so what repeats a key of ours is left out of them.
func TestInstructionsNeverRepeatAKey(t *testing.T) {
	s := meet(t, always(200, `{"checkout_type":"ONE_SHOT","deposit_id":7,"merchant_invoice_id":"CHTEST","payment_info":{"amount":1.00,"currency":"BRL","payment_method_name":"test-api-signature",
		"metadata":{"reference":"x test-api-signature","digitable_line":"23793"}}}`))
	a, ok := s.client(t, map[string]string{"pix_metadata_keys": "reference"}).CreateDeposit(t.Context(),
		providers.SendRequest{Reference: "CHTEST", Amount: models.Money{Minor: 100, Asset: "BRL"}, Method: "dep_br_pix_quickpay"}).(providers.Accepted)
	want := []providers.Line{{Label: "Payment method", Value: "[redacted]"}, {Label: "Payment line to type", Value: "23793", Copy: true}}
	if !ok || a.Instructions.QR != "" || !cmp.Equal(a.Instructions.Lines, want) {
		t.Errorf("%+v", a.Instructions)
	}
}

// OKP-SIG-2 unlocks what moves money in live: only an answer of OneKey's own proves it.
func TestARedirectOrAServerErrorProvesNoKey(t *testing.T) {
	for status, proved := range map[int]bool{404: true, 302: false, 500: false, 502: false} {
		for i, r := range meet(t, always(status, `{"code":208,"description":"Resource not found"}`)).client(t, nil).Check(t.Context())[1:2] {
			if r.Proved != proved || (r.Verdict == providers.CheckOK) != proved {
				t.Errorf("deposits, HTTP %d: %d %+v", status, i, r)
			}
		}
	}
	for status, proved := range map[int]bool{412: true, 307: false, 503: false} {
		if r := meet(t, always(status, `{"code":509,"message":"Cashout not found"}`)).client(t, nil).Check(t.Context())[0]; r.Proved != proved {
			t.Errorf("cashouts, HTTP %d: %+v", status, r)
		}
	}
}

// Contract 5.4: the Colombian pseudo codes take no account, so none is sent with one.
func TestAColombianAccountGoesWithABankOnly(t *testing.T) {
	for code, ok := range map[string]bool{"1007": true, "1": true, "10001": false, "10002": false, "10003": false, "1507": false, "01551": false} {
		s := meet(t, always(200, `{"cashout_id":"7"}`))
		v := PayoutValues("co_bank")
		v["bank_code"] = code
		o := s.client(t, nil).SendPayout(t.Context(), providers.SendRequest{Reference: "CHTEST", Amount: models.Money{Minor: 100, Asset: "COP"}, Method: "co_bank", Values: v, NotifyURL: "https://shop.example/n"})
		if (outcome(o) == "accepted") != ok || (len(s.got) == 1) != ok {
			t.Errorf("%s: %+v", code, o)
		}
	}
}
