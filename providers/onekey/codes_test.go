package onekey

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// answering builds a client whose provider answers everything with one status and body.
func answering(t testing.TB, status int, body string, settings map[string]string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	made, err := New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": server.URL}, Settings: settings, Clock: time.Now, Secrets: map[string]string{
		fCashoutKey: "key-of-cashouts", fCashoutPass: "pass-of-cashouts", fCashoutSignature: "secret-of-cashouts",
		fDepositKey: "key-of-deposits", fDepositSignature: "secret-of-deposits", fReadOnlyKey: "read-only", fBooksToken: "token"}})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := made.(*Client)
	return c
}

func pixPayout() providers.SendRequest {
	return providers.SendRequest{Reference: "CHTEST", Amount: models.Money{Minor: 10050, Asset: "BRL"}, Method: "br_pix_cpf", NotifyURL: "https://shop.example/hooks",
		Values: map[string]string{"beneficiary_name": "João Silva", "document_id": "52998224725"}}
}

func outcome(o providers.Outcome) string {
	switch o := o.(type) {
	case providers.Accepted:
		return "accepted"
	case providers.Refused:
		return "refused " + o.Code
	case providers.Unknown:
		return "unknown"
	}
	return "none"
}

// Contract 6.2 and OKP-ERR-3: every code of the cashouts API, at the HTTP status that is documented or assumed for it, and at any other.
func TestEveryCashoutCodeIsReadAsTheContractSays(t *testing.T) {
	refusals := strings.Split("300,302,303,401,402,502,503,504,508,514,515,518,519,524,525,526,533,538,539,540,541,542,543,565", ",")
	for code := range cashoutCodes() {
		for _, status := range []int{200, 400, 401, 412} { // OKP-ERR-2: the body counts at any status
			body := fmt.Sprintf(`{"code":%s,"message":"theirs"}`, code)
			o := answering(t, status, body, nil).SendPayout(t.Context(), pixPayout())
			want := "unknown"
			if slices.Contains(refusals, code) {
				want = "refused " + code
			}
			if got := outcome(o); got != want {
				t.Errorf("code %s at HTTP %d: %s, want %s", code, status, got, want)
			}
			if r, ok := o.(providers.Refused); ok && (!strings.Contains(r.Message, cashoutCodes()[code]) || r.Retryable != slices.Contains([]string{"302", "401", "402", "514", "524"}, code)) {
				t.Errorf("code %s: %+v", code, r)
			}
		}
		if o := answering(t, 500, fmt.Sprintf(`{"code":%s,"message":"theirs"}`, code), nil).SendPayout(t.Context(), pixPayout()); outcome(o) != "unknown" {
			t.Errorf("code %s at HTTP 500 is %s: a 5xx never says that nothing was created", code, outcome(o))
		}
	}
	if len(cashoutCodes()) != 31 {
		t.Errorf("the table has %d codes, the contract 30 and one sibling", len(cashoutCodes()))
	}
}

func TestTheSettingOfRefusalCodesNeverTurnsADoubtIntoARefusal(t *testing.T) {
	set := map[string]string{"cashout_refusal_codes": "511,537,702,703,999"}
	for _, code := range []string{"511", "537", "702", "703"} {
		if o := answering(t, 412, `{"code":`+code+`}`, set).SendPayout(t.Context(), pixPayout()); outcome(o) != "unknown" {
			t.Errorf("%s: %s", code, outcome(o))
		}
	}
	if o := answering(t, 412, `{"code":999}`, set).SendPayout(t.Context(), pixPayout()); outcome(o) != "refused 999" {
		t.Errorf("999: %s", outcome(o))
	}
	if o := answering(t, 412, `{"code":514}`, set).SendPayout(t.Context(), pixPayout()); outcome(o) != "unknown" {
		t.Errorf("514, not listed: %s", outcome(o))
	}
	burns := answering(t, 412, `{"code":514}`, map[string]string{"refusal_burns_reference": "yes"}).SendPayout(t.Context(), pixPayout())
	if r, ok := burns.(providers.Refused); !ok || r.Retryable {
		t.Errorf("a burned reference cannot be tried again: %+v", burns)
	}
}

// Contract 6.4.
func TestEveryDepositCodeIsReadAsTheContractSays(t *testing.T) {
	r := providers.SendRequest{Reference: "CHTEST", Amount: models.Money{Minor: 100, Asset: "BRL"}, Method: "dep_br_pix_quickpay"}
	for code, row := range map[string][2]string{
		"100": {"401", "refused 100"}, "101": {"400", "refused 101"}, "102": {"400", "refused 102"}, "103": {"400", "refused 103"}, "104": {"400", "unknown"},
		"105": {"400", "refused 105"}, "200": {"405", "refused 200"}, "201": {"400", "unknown"}, "208": {"404", "refused 208"}, "418": {"400", "refused 418"},
		"299": {"400", "unknown"}, "800": {"400", "unknown"}, "700": {"500", "unknown"},
	} {
		var status int
		_, _ = fmt.Sscan(row[0], &status)
		o := answering(t, status, `{"code":`+code+`,"description":"theirs","type":"THEIRS"}`, nil).CreateDeposit(t.Context(), r)
		if got := outcome(o); got != row[1] {
			t.Errorf("code %s: %s, want %s", code, got, row[1])
		}
	}
	for body, want := range map[string]string{
		`{"code":201,"description":"Invalid request","details":["invoiceId: already used"]}`: "unknown", // OKP-IDEM-4: it may be the duplicate
		`{"code":201,"description":"Invalid request","details":["amount: too small"]}`:       "refused 201",
		`{"code":499,"type":"USER_REJECTED_KYC_CHECK"}`:                                      "refused 499",
		`{"code":499,"type":"DEPOSIT_REJECTED_FRAUD_CHECK"}`:                                 "refused 499",
		`{"description":"no code"}`:                                                          "unknown",
	} {
		if got := outcome(answering(t, 400, body, nil).CreateDeposit(t.Context(), r)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// Contract 6.5: the numbers mean other things than in both other tables.
func TestEveryValidationCodeIsReadAsTheContractSays(t *testing.T) {
	for code, want := range map[string]providers.Verdict{
		"300": providers.RecipientBad, "301": providers.RecipientBad, "302": providers.RecipientBad, "303": providers.RecipientBad, "305": providers.RecipientBad,
		"306": providers.RecipientBad, "307": providers.RecipientUnclear, "308": providers.RecipientUnclear, "309": providers.RecipientUnclear, "310": providers.RecipientUnclear,
		"311": providers.RecipientUnclear, "400": providers.RecipientBad, "401": providers.RecipientBad, "402": providers.RecipientMismatch, "404": providers.RecipientBad,
		"405": providers.RecipientBad, "100": "", "101": "", "102": "", "103": "", "200": "", "201": "", "202": "", "203": "",
	} {
		status := 400
		if slices.Contains([]string{"100", "102", "201"}, code) {
			status = 401
		}
		if code == "203" {
			status = 403
		}
		r := bankPayout()
		v, err := answering(t, status, `{"code":`+code+`,"description":"theirs"}`, nil).VerifyRecipient(t.Context(), r)
		if v.Verdict != want || (err != nil) != (want == "") {
			t.Errorf("code %s: %q, %v, want %q", code, v.Verdict, err, want)
		}
		if says := orText(v.Sentence, fmt.Sprint(err)); !strings.Contains(says, validationCodes()[code]) {
			t.Errorf("code %s is explained as %q", code, says)
		}
	}
	if len(validationCodes()) != 24 {
		t.Errorf("the table has %d codes, the contract 24", len(validationCodes()))
	}
}

func bankPayout() providers.SendRequest {
	r := pixPayout()
	r.Method = "br_bank"
	r.Values = map[string]string{"beneficiary_name": "João Silva", "document_id": "52998224725", "bank_code": "001", "bank_branch": "1234", "bank_account": "3423422-7", "account_type": "C"}
	return r
}

// Contract 6.1 and 6.3: the number decides, never the text; an unknown number changes nothing.
func TestEveryCashoutStatusIsReadByItsNumber(t *testing.T) {
	for number, want := range map[string]models.State{"0": models.Pending, "1": models.Succeeded, "2": models.Cancelled, "3": models.Failed, "4": models.Pending, "5": models.Held, "6": "", "99": ""} {
		f := answering(t, 200, `{"cashout_status":`+number+`,"cashout_status_description":"Completed"}`, nil).FindPayout(t.Context(), providers.Query{Reference: "CHTEST"})
		if f.Result != providers.Found || f.Status.State != want || f.Status.Word != number || f.Says == "" {
			t.Errorf("%s: %+v", number, f)
		}
	}
	for code, says := range rejectionCodes() {
		f := answering(t, 200, `{"cashout_status":3,"rejection_code":`+code+`,"rejection_reason":"THEIRS"}`, nil).FindPayout(t.Context(), providers.Query{Reference: "CHTEST"})
		if f.Status.ReasonCode != code || !strings.Contains(strings.ToLower(f.Status.Reason), strings.ToLower(says)) || !strings.Contains(f.Says, "THEIRS") {
			t.Errorf("%s: %+v", code, f)
		}
	}
	odd := answering(t, 200, `{"cashout_status":3,"rejection_code":0,"rejection_reason":"Test"}`, nil).FindPayout(t.Context(), providers.Query{Reference: "CHTEST"})
	if odd.Status.State != models.Failed || odd.Status.Reason != "Test" {
		t.Errorf("the old sample: %+v", odd)
	}
	named := answering(t, 200, `{"cashout_status":1,"end_to_end":"E123"}`, map[string]string{"status_bank_reference_field": "end_to_end"}).FindPayout(t.Context(), providers.Query{Reference: "CHTEST"})
	if named.Status.BankRef != "E123" {
		t.Errorf("OKP-CO-5: %+v", named.Status)
	}
}

func TestEveryDepositStatusIsReadAndOnlyCompletedIsPaid(t *testing.T) {
	for word, want := range map[string]models.State{
		"CREATED": models.AwaitingPayment, "INITIATED": models.AwaitingPayment, "EARLY_RELEASED": models.AwaitingPayment, "EARLY_RELEASE": models.AwaitingPayment, "PENDING": models.AwaitingPayment,
		"FOR_REVIEW": models.AwaitingPayment, "EXPIRED": models.Expired, "CANCELLED": models.Cancelled, "APPROVED": models.AwaitingPayment, "COMPLETED": models.Succeeded, "DECLINED": models.Failed,
		"REJECTED": models.Failed, "PAID": "", "completed": "",
	} {
		body := `{"deposit_id":77,"invoice_id":"CHTEST","currency":"BRL","local_amount":12.30,"status":"` + word + `"}`
		f := answering(t, 200, body, nil).FindDeposit(t.Context(), providers.Query{Reference: "CHTEST", ProviderRef: "77", Amount: models.Money{Minor: 1230, Asset: "BRL"}})
		if f.Result != providers.Found || f.Status.State != want || f.Status.Word != word {
			t.Errorf("%s: %+v", word, f)
		}
		if want == models.Succeeded && f.Status.Amount.Minor != 1230 {
			t.Errorf("%s without its amount: %+v", word, f.Status)
		}
	}
	mapped := answering(t, 200, `{"deposit_id":77,"status":"ON_REVIEW"}`, map[string]string{"deposit_status_map": "ON_REVIEW=awaiting_payment"}).FindDeposit(t.Context(), providers.Query{ProviderRef: "77"})
	if mapped.Status.State != models.AwaitingPayment {
		t.Errorf("OKP-DEP-2: %+v", mapped)
	}
	if _, err := New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{fReadOnlyKey: "k"},
		Settings: map[string]string{"deposit_status_map": "PAID=succeeded"}}); err == nil {
		t.Error("a setting may not declare another word to be paid")
	}
}

func TestRefundStatusesAreRead(t *testing.T) {
	for word, want := range map[string]models.State{"PENDING": models.Pending, "INCORRECT_DETAILS": models.Pending, "DELIVERED": models.Pending, "COMPLETED": models.Succeeded,
		"REJECTED": models.Failed, "CANCELLED": models.Cancelled, "SENT": ""} {
		f := answering(t, 200, `{"deposit_id":1,"status":"`+word+`"}`, nil).FindRefund(t.Context(), providers.Query{ProviderRef: "9"})
		if f.Result != providers.Found || f.Status.State != want {
			t.Errorf("%s: %+v", word, f)
		}
	}
}

// What may never become a certain answer about money.
func TestHostileAnswersAreUnknownAndNeverAPanic(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		body   string
	}{
		"empty":                           {200, ``},
		"not JSON":                        {200, `<html>ok</html>`},
		"trailing garbage":                {200, `{"cashout_id":"1"} {"cashout_id":"2"}`},
		"the same key twice":              {200, `{"cashout_id":"1","cashout_id":"2"}`},
		"deep nesting":                    {200, `{"cashout_id":"1","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`},
		"wrong type":                      {200, `{"cashout_id":{"id":1}}`},
		"null":                            {200, `{"cashout_id":null}`},
		"an array":                        {200, `[{"cashout_id":"1"}]`},
		"another case":                    {200, `{"CASHOUT_ID":"1"}`},
		"a NUL":                           {200, "{\"cashout_id\":\"1\u0000\"}"},
		"an escaped NUL":                  {200, `{"cashout_id":"1\u0000"}`},
		"broken UTF-8":                    {200, "{\"cashout_id\":\"1\",\"x\":\"\xff\"}"},
		"a float":                         {200, `{"cashout_id":1.5}`},
		"an exponent":                     {200, `{"cashout_id":1e5}`},
		"negative":                        {200, `{"cashout_id":-1}`},
		"far too long":                    {200, `{"cashout_id":"` + strings.Repeat("1", 100_000) + `"}`},
		"an id and an error":              {200, `{"cashout_id":"1","code":514}`},
		"an id and an error at 412":       {412, `{"cashout_id":"1","code":514}`},
		"another reference":               {200, `{"cashout_id":"1","external_id":"OTHER"}`},
		"another amount":                  {200, `{"cashout_id":"1","amount":100.51}`},
		"another amount, more digits":     {200, `{"cashout_id":"1","amount":100.5000000001}`},
		"another currency":                {200, `{"cashout_id":"1","currency":"USD"}`},
		"a refusal that cannot be parsed": {412, `{"code":514`},
		"a proxy's refusal":               {403, `Forbidden`},
		"no code":                         {412, `{"message":"something"}`},
		"a code as words":                 {412, `{"code":"insufficient"}`},
		"a redirect":                      {302, `{"cashout_id":"1"}`},
		"a gateway timeout":               {504, `{"code":514}`},
		"too many requests":               {429, `slow down`},
	} {
		o := answering(t, row.status, row.body, nil).SendPayout(t.Context(), pixPayout())
		if u, ok := o.(providers.Unknown); !ok || u.Cause == "" {
			t.Errorf("%s: %s", name, outcome(o))
		}
		f := answering(t, row.status, row.body, nil).FindPayout(t.Context(), providers.Query{Reference: "CHTEST", Amount: models.Money{Minor: 10050, Asset: "BRL"}})
		if f.Result != providers.Unclear {
			t.Errorf("%s, asked: %+v", name, f)
		}
	}
	// OKP-RATE-1: only by choice is a 429 a refusal.
	if o := answering(t, 429, `slow down`, map[string]string{"retry_429": "refused"}).SendPayout(t.Context(), pixPayout()); outcome(o) != "refused 429" {
		t.Errorf("429: %s", outcome(o))
	}
	if o := answering(t, 200, `{"cashout_id":8405147,"amount":"100.50","currency":"BRL","new_field":[1,{"a":null}]}`, nil).SendPayout(t.Context(), pixPayout()); outcome(o) != "accepted" {
		t.Errorf("a number where the page has a string, and new fields, are fine: %s", outcome(o))
	}
}

func FuzzAnswersToMoney(f *testing.F) {
	for _, s := range []string{`{"cashout_id":"8405147"}`, `{"code":514,"message":"x"}`, `{"code":504,"message":"…","reason":"…","reason_code":105}`, `{"deposit_id":1,"payment_info":{"amount":1}}`, `{"a":[[[]]]}`} {
		f.Add(200, s)
		f.Add(412, s)
	}
	c := &Client{set: settingsOf(map[string]string{"cashout_refusal_codes": defaultRefusals, "external_id_pattern": ".", "invoice_id_pattern": "."}, true)}
	f.Fuzz(func(t *testing.T, status int, body string) {
		o, err := readObject([]byte(body))
		if err != nil {
			return
		}
		p, bad := c.problemOf(httpAnswer(status, body), o)
		if bad && p.says(cashouts) == "" {
			t.Error("a problem without words")
		}
		if strings.ContainsFunc(p.Text, func(r rune) bool { return r < ' ' }) || len([]rune(p.Text)) > 300 {
			t.Errorf("unclean text %q", p.Text)
		}
		if s, ok := c.cashoutStatus(o); ok && len(s.Word) > 5 {
			t.Errorf("status %q", s.Word)
		}
		if m, ok := o.money("amount", "BRL"); ok && o.has("amount") && m.Asset != "BRL" {
			t.Errorf("%v", m)
		}
	})
}

func httpAnswer(status int, body string) httpx.Response {
	return httpx.Response{Status: status, Body: []byte(body)}
}
