package aeterna

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
	"countinghouse/providers/providertest"
)

const someID = "0a1b2c3d-0000-4000-8000-000000000001"

// A payout's whole life at the stand-in, over HTTP.
func TestAPayoutIsSentFoundAndPaid(t *testing.T) {
	h, c := house(t, nil)
	r := payout(providertest.Reference())
	a := accepted(t, c.SendPayout(t.Context(), r))
	want := providers.Status{State: models.Pending, Word: "created", ProviderRef: a.ProviderRef, Amount: r.Amount}
	if diff := cmp.Diff(want, a.Status); diff != "" {
		t.Error(diff)
	}
	for _, q := range []providers.Query{
		{Kind: models.Payout, Reference: r.Reference, Amount: r.Amount},
		{Kind: models.Payout, Reference: r.Reference, ProviderRef: a.ProviderRef, Amount: r.Amount},
	} {
		f := c.FindPayout(t.Context(), q)
		if f.Result != providers.Found || f.Status.State != models.Pending || f.Status.Word != "processing" {
			t.Errorf("%+v", f)
		}
	}
	for status, state := range map[string]models.State{"succeeded": models.Succeeded, "failed": models.Failed, "cancelled": models.Cancelled} {
		r := payout(providertest.Reference())
		accepted(t, c.SendPayout(t.Context(), r))
		settle(t, h, r.Reference, status)
		if f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: r.Reference, Amount: r.Amount}); f.Status.State != state {
			t.Errorf("%s: %+v", status, f)
		}
	}
	if f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHNOBODY"}); f.Result != providers.NotFound {
		t.Errorf("%+v", f)
	}
}

// A PayIn that expired is reopened by a dispute and paid after all (AET-L-7).
func TestAnExpiredPayinIsReopenedByADispute(t *testing.T) {
	h, c := house(t, nil)
	r := payin(providertest.Reference())
	a := accepted(t, c.CreateDeposit(t.Context(), r))
	if a.Status.State != models.AwaitingPayment || len(a.Instructions.Lines) != 3 || !a.Instructions.Lines[0].Copy || a.Instructions.ExpiresAt == 0 {
		t.Fatalf("%+v", a)
	}
	if diff := cmp.Diff(providers.Line{Label: "Holder", Value: "Иван П."}, a.Instructions.Lines[1]); diff != "" {
		t.Error(diff)
	}
	q := providers.Query{Kind: models.Deposit, Reference: r.Reference, ProviderRef: a.ProviderRef, Amount: r.Amount}
	state := func() models.State { return c.FindDeposit(t.Context(), q).Status.State }
	settle(t, h, r.Reference, "expired")
	if got := state(); got != models.Expired {
		t.Fatal(got)
	}
	q.Values = map[string]string{"proof_url": "https://files.example/slip.png", "dispute_amount": "1400.00"}
	d := accepted(t, c.OpenDispute(t.Context(), q, "The payer sent it ten minutes late.", nil))
	if d.Status.State != models.AwaitingPayment || d.Status.Reason == "" || d.ProviderRef == a.ProviderRef || d.Status.ProviderRef != a.ProviderRef {
		t.Errorf("%+v", d)
	}
	if !models.CanBecome(models.Deposit, models.Expired, models.AwaitingPayment, models.ByQuery) {
		t.Error("the table of states has no way back for an expired deposit")
	}
	if got := state(); got != models.AwaitingPayment {
		t.Error(got)
	}
	sheet, err := c.LookUp(t.Context(), "dispute", map[string]string{"id": d.ProviderRef})
	if diff := cmp.Diff([][]string{{"Dispute", d.ProviderRef, a.ProviderRef, "open", "1400.00"}}, sheet.Rows); diff != "" || err != nil {
		t.Error(diff, err)
	}
	second := c.OpenDispute(t.Context(), q, "again", nil)
	if u, ok := second.(providers.Unknown); !ok || !strings.Contains(u.Cause, "already taken") {
		t.Errorf("a second dispute: %s", providertest.Say(second))
	}
	settle(t, h, r.Reference, "paid")
	f := c.FindDeposit(t.Context(), q)
	if f.Status.State != models.Succeeded || f.Status.Amount != rub(140000) {
		t.Errorf("%+v", f)
	}
	again := c.OpenDispute(t.Context(), q, "again", nil)
	if r, ok := again.(providers.Refused); !ok || r.Code != "not_disputable" {
		t.Errorf("a dispute about a paid PayIn: %s", providertest.Say(again))
	}
}

func TestADisputeThatCannotBeSentIsRefusedBeforeAnythingIsSent(t *testing.T) {
	h, c := house(t, nil)
	q := providers.Query{Kind: models.Deposit, ProviderRef: someID}
	link := providers.Document{Type: "text/uri-list", Body: []byte("https://files.example/slip.png\n")}
	for what, out := range map[string]providers.Outcome{
		"a payout": c.OpenDispute(t.Context(), providers.Query{Kind: models.Payout, ProviderRef: someID}, "x", nil),
		"a file":   c.OpenDispute(t.Context(), q, "x", []providers.Document{{Name: "a.png", Type: "image/png", Body: []byte("x")}}),
		"links":    c.OpenDispute(t.Context(), q, "x", []providers.Document{link, link}),
		"no id":    c.OpenDispute(t.Context(), providers.Query{Kind: models.Deposit, Reference: "CH01"}, "x", nil),
	} {
		if r, ok := out.(providers.Refused); !ok || r.Code != providers.NotSent || r.Retryable {
			t.Errorf("%s: %s", what, providertest.Say(out))
		}
	}
	if n := len(h.Book.All()); n != 0 {
		t.Errorf("%d requests went out", n)
	}
	out := c.OpenDispute(t.Context(), q, "x", []providers.Document{link})
	if r, ok := out.(providers.Unknown); !ok || !strings.Contains(string(h.Book.All()[0].RequestBody), "slip.png") {
		t.Errorf("a link as a document: %s %v", providertest.Say(out), r)
	}
}

func TestMoneyThatComesShortOrLateIsReportedAsPaid(t *testing.T) {
	h, c := house(t, nil)
	for status, want := range map[string]models.Money{"paid": rub(150050), "paid_short": rub(135045), "paid_late": rub(150050)} {
		r := payin(providertest.Reference())
		accepted(t, c.CreateDeposit(t.Context(), r))
		q := providers.Query{Kind: models.Deposit, Reference: r.Reference, Amount: r.Amount}
		if f := c.FindDeposit(t.Context(), q); f.Status.Amount.Asset != "" {
			t.Errorf("before anything was paid: %+v", f.Status)
		}
		settle(t, h, r.Reference, status)
		if f := c.FindDeposit(t.Context(), q); f.Status.State != models.Succeeded || f.Status.Amount != want {
			t.Errorf("%s: %+v", status, f.Status)
		}
	}
}

// Every row of profile L's errors (AET-L-9) against the stand-in, over HTTP.
func TestEveryRefusalOfTheContract(t *testing.T) {
	h, c := house(t, nil)
	large := payout(providertest.Reference())
	large.Amount = rub(100_000_001)
	busy := payin(providertest.Reference())
	busy.Values = map[string]string{"client_id": "no-requisites"}
	refusedAs := func(what string, out providers.Outcome, code string, retryable bool, words string) {
		t.Helper()
		r, ok := out.(providers.Refused)
		if !ok || r.Code != code || r.Retryable != retryable || !strings.Contains(r.Message, words) || len(r.Raw) == 0 {
			t.Errorf("%s: %s", what, providertest.Say(out))
		}
	}
	refusedAs("422 limit", c.SendPayout(t.Context(), large), "limit", false, "outside the limits")
	refusedAs("422 no_requisites", c.CreateDeposit(t.Context(), busy), "no_requisites", true, "no account free")
	h.Control(t, "balance", url.Values{"available": {"1"}})
	poor := payout(providertest.Reference())
	refusedAs("422 insufficient_balance", c.SendPayout(t.Context(), poor), "insufficient_balance", true, "too small")
	h.Control(t, "balance", url.Values{"available": {"1000000"}})
	for _, r := range []providers.SendRequest{large, busy, poor} {
		if n := h.Executions(t, r.Reference); n != 0 {
			t.Errorf("%s was executed %d times", r.Reference, n)
		}
	}
	r := payout(providertest.Reference())
	accepted(t, c.SendPayout(t.Context(), r))
	if u, ok := c.SendPayout(t.Context(), r).(providers.Unknown); !ok || !strings.Contains(u.Cause, "already taken") || h.Executions(t, r.Reference) != 1 {
		t.Errorf("409: %+v, executed %d times", u, h.Executions(t, r.Reference))
	}
	c.id.secretToken = "wrong-secret"
	refusedAs("401", c.SendPayout(t.Context(), payout(providertest.Reference())), "signature_rejected", false, "did not accept")
	if _, err := c.Balances(t.Context()); models.CodeOf(err) != models.Unavailable {
		t.Errorf("401 on a read: %v", err)
	}
}

// envelope is a well-formed success of payout.create with parts replaced.
func envelope(r providers.SendRequest, old, replacement string) string {
	text := fmt.Sprintf(`{"data":{"id":"%s","externalId":"%s","status":"created","amount":"1500.50","currency":"RUB"}}`, someID, r.Reference)
	return strings.Replace(text, old, replacement, 1)
}

// Whatever an answer to a create looks like, only a whole and consistent one is believed.
func TestOnlyAWholeAndConsistentAnswerIsBelieved(t *testing.T) {
	r := payout("CH0000000000000000ABCD")
	good := envelope(r, "", "")
	for _, c := range []struct {
		what       string
		status     int
		kind, body string
		want       string // Accepted, Refused or Unknown
	}{
		{"as promised", 200, "application/json", good, "Accepted"},
		{"with charset", 200, "application/json; charset=utf-8", good, "Accepted"},
		{"more fields than promised", 200, "application/json", envelope(r, `"status"`, `"new":{"x":[1]},"status"`), "Accepted"},
		{"other trailing zeros", 200, "application/json", envelope(r, `"1500.50"`, `"1500.5"`), "Accepted"},
		{"the amount as a number", 200, "application/json", envelope(r, `"1500.50"`, `1500.50`), "Accepted"},
		{"a status nobody knows", 200, "application/json", envelope(r, "created", "dancing"), "Accepted"},
		{"201", 201, "application/json", good, "Unknown"},
		{"text", 200, "text/plain", "OK", "Unknown"},
		{"JSON called text", 200, "text/plain", good, "Unknown"},
		{"HTML", 200, "text/html", "<html>", "Unknown"},
		{"no content type", 200, "", good, "Unknown"},
		{"another reference", 200, "application/json", envelope(r, "ABCD", "ABCE"), "Unknown"},
		{"no reference", 200, "application/json", envelope(r, `"externalId"`, `"external_id"`), "Unknown"},
		{"another amount", 200, "application/json", envelope(r, "1500.50", "1500.51"), "Unknown"},
		{"an amount with an exponent", 200, "application/json", envelope(r, `"1500.50"`, `15005e-1`), "Unknown"},
		{"no amount", 200, "application/json", envelope(r, `"amount"`, `"sum"`), "Unknown"},
		{"another currency", 200, "application/json", envelope(r, "RUB", "USD"), "Unknown"},
		{"no id", 200, "application/json", envelope(r, someID, ""), "Unknown"},
		{"an id with a line break", 200, "application/json", envelope(r, someID, `a\nb`), "Unknown"},
		{"an error beside the payload", 200, "application/json", strings.TrimSuffix(good, "}") + `,"error":{"code":"limit"}}`, "Unknown"},
		{"an error with 200", 200, "application/json", `{"error":{"code":"limit","message":"x"}}`, "Unknown"},
		{"an empty object", 200, "application/json", `{}`, "Unknown"},
		{"null", 200, "application/json", `{"data":null}`, "Unknown"},
		{"a list", 200, "application/json", `{"data":[]}`, "Unknown"},
		{"a key twice", 200, "application/json", envelope(r, `"status"`, `"amount":"1500.50","status"`), "Unknown"},
		{"deep nesting", 200, "application/json", `{"data":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "Unknown"},
		{"trailing garbage", 200, "application/json", good + "x", "Unknown"},
		{"broken UTF-8", 200, "application/json", envelope(r, "created", "\xff"), "Unknown"},
		{"nothing", 200, "application/json", "", "Unknown"},
		{"two megabytes", 200, "application/json", envelope(r, "created", strings.Repeat("x", 2<<20)), "Unknown"},
		{"400 with a code", 400, "application/json", `{"error":{"code":"validation_failed","message":"no"}}`, "Refused"},
		{"400 in text", 400, "text/plain", "no", "Unknown"},
		{"400 of a gateway", 400, "text/html", "<html>nginx</html>", "Unknown"},
		{"400 without a code", 400, "application/json", `{"error":{}}`, "Unknown"},
		{"400 beside a payload", 400, "application/json", strings.TrimSuffix(good, "}") + `,"error":{"code":"x"}}`, "Unknown"},
		{"401 with a code", 401, "application/json", `{"error":{"code":"token_unknown"}}`, "Refused"},
		{"403", 403, "application/json", `{"error":{"code":"ip_not_allowed"}}`, "Unknown"},
		{"404", 404, "application/json", `{"error":{"code":"not_found"}}`, "Unknown"},
		{"409", 409, "application/json", `{"error":{"code":"duplicate_reference"}}`, "Unknown"},
		{"422 limit", 422, "application/json", `{"error":{"code":"limit"}}`, "Refused"},
		{"422 that the table does not list", 422, "application/json", `{"error":{"code":"mystery"}}`, "Unknown"},
		{"429", 429, "application/json", `{"error":{"code":"slow_down"}}`, "Unknown"}, // it asks to slow down; that nothing was created is said nowhere (AET-RETRY-1)
		{"500 with a code", 500, "application/json", `{"error":{"code":"limit"}}`, "Unknown"},
		{"a redirect", 307, "application/json", good, "Unknown"},
	} {
		t.Run(c.what, func(t *testing.T) {
			out := canned(t, c.status, c.kind, c.body).SendPayout(t.Context(), r)
			if got := strings.Fields(strings.TrimSuffix(providertest.Say(out), ":"))[0]; strings.TrimSuffix(got, ":") != c.want {
				t.Errorf("%s, want %s", providertest.Say(out), c.want)
			}
		})
	}
}

func TestAnUnknownStatusIsKeptAndMeansNothing(t *testing.T) { // AET-STAT-1
	r := payout("CH0000000000000000ABCD")
	c := canned(t, 200, "application/json", envelope(r, "created", "COMPLETED"))
	a := accepted(t, c.SendPayout(t.Context(), r))
	if a.Status.State != "" || a.Status.Word != "COMPLETED" {
		t.Errorf("%+v", a.Status)
	}
	f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: r.Reference, Amount: r.Amount})
	if f.Result != providers.Found || f.Status.State != "" || !strings.Contains(f.Says, "not in the operation table") {
		t.Errorf("%+v", f)
	}
}

func TestAnAnswerAboutSomethingElseIsNoEvidence(t *testing.T) {
	r := payout("CH0000000000000000ABCD")
	q := providers.Query{Kind: models.Payout, Reference: r.Reference, ProviderRef: someID, Amount: r.Amount}
	for what, c := range map[string]struct {
		status     int
		kind, body string
	}{
		"another reference":       {200, "application/json", envelope(r, "ABCD", "ABCE")},
		"another id":              {200, "application/json", envelope(r, "0001", "0002")},
		"another amount":          {200, "application/json", envelope(r, "1500.50", "1.00")},
		"another currency":        {200, "application/json", envelope(r, "RUB", "EUR")},
		"no status":               {200, "application/json", envelope(r, `"status":"created",`, "")},
		"no such path":            {404, "application/json", `{"error":{"code":"no_such_path"}}`},
		"not found, in text":      {404, "text/plain", "not found"},
		"not found, by a gateway": {404, "text/html", "<h1>404</h1>"},
		"server error":            {500, "application/json", `{"error":{"code":"not_found"}}`},
		"slow down":               {429, "application/json", `{"error":{"code":"slow_down"}}`},
		"noise":                   {200, "application/json", "\x00\xff"},
	} {
		if f := canned(t, c.status, c.kind, c.body).FindPayout(t.Context(), q); f.Result != providers.Unclear || f.Says == "" {
			t.Errorf("%s: %+v", what, f)
		}
	}
}

func TestTheBalanceIsReadExactlyOrNotAtAll(t *testing.T) { // AET-L-5
	_, c := house(t, nil)
	got, err := c.Balances(t.Context())
	want := []providers.Balance{{Account: "main", Available: models.Money{Minor: 1_000_000_000_000, Asset: "USDT"}, Total: models.Money{Minor: 1_000_000_000_000, Asset: "USDT"}, Text: "1000000.000000", Mark: providers.Assumed}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	accepted(t, c.SendPayout(t.Context(), payout(providertest.Reference())))
	got, err = c.Balances(t.Context())
	if err != nil || got[0].Available.Minor != 1_000_000_000_000-18_756_250 || got[0].Total.Minor != 1_000_000_000_000 {
		t.Errorf("%+v %v", got, err)
	}
	for what, body := range map[string]string{
		"too many digits": `{"data":{"currency":"USDT","available":"1.0000001","hold":"0"}}`,
		"an exponent":     `{"data":{"currency":"USDT","available":1e3,"hold":"0"}}`,
		"a strange asset": `{"data":{"currency":"GOLD","available":"1","hold":"0"}}`,
		"no asset":        `{"data":{"available":"1","hold":"0"}}`,
		"words":           `{"data":{"currency":"USDT","available":"plenty","hold":"0"}}`,
		"no hold":         `{"data":{"currency":"USDT","available":"1"}}`,
	} {
		if b, err := canned(t, 200, "application/json", body).Balances(t.Context()); models.CodeOf(err) != models.Unavailable || b != nil {
			t.Errorf("%s: %+v %v", what, b, err)
		}
	}
}

func TestStatisticsNeedTwoDaysInOrder(t *testing.T) { // AET-L-6
	h, c := house(t, nil)
	r := payout(providertest.Reference())
	accepted(t, c.SendPayout(t.Context(), r))
	settle(t, h, r.Reference, "succeeded")
	accepted(t, c.CreateDeposit(t.Context(), payin(providertest.Reference())))
	sheet, err := c.LookUp(t.Context(), "statistics", map[string]string{"from": "2025-01-01", "to": "2027-01-01"})
	want := [][]string{{"PayIn", "1", "0", "1500.50", "0.00"}, {"PayOut", "1", "1", "1500.50", "1500.50"}}
	if diff := cmp.Diff(want, sheet.Rows); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, p := range []map[string]string{nil, {"from": "2025-01-01"}, {"from": "2025-01-01", "to": "2025-01-01"}, {"from": "2025-02-01", "to": "2025-01-01"}, {"from": "1.1.2025", "to": "2025-02-01"}} {
		if _, err := c.LookUp(t.Context(), "statistics", p); models.CodeOf(err) != models.Invalid {
			t.Errorf("%v: %v", p, err)
		}
	}
	if _, err := c.LookUp(t.Context(), "secrets", nil); models.CodeOf(err) != models.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := c.LookUp(t.Context(), "dispute", map[string]string{"id": someID}); models.CodeOf(err) != models.NotFound {
		t.Errorf("%v", err)
	}
}

func TestTheCallbackAddressIsSentUnlessTheCabinetHoldsIt(t *testing.T) { // AET-CB-6
	for setting, sent := range map[string]bool{"request": true, "cabinet": false} {
		var body string
		c := against(t, map[string]string{settingCallback: setting}, func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			body = string(b)
		})
		r := payout(providertest.Reference())
		r.NotifyURL = "https://console.example/hooks/1/callback"
		c.SendPayout(t.Context(), r)
		if strings.Contains(body, "callbackUrl") != sent {
			t.Errorf("%s: %s", setting, body)
		}
	}
}

func TestAnEmptyCallSendsBracesUnlessSwitched(t *testing.T) { // AET-HTTP-2
	for setting, want := range map[string]string{"": "{}", "braces": "{}", "empty": ""} {
		body := "?"
		c := against(t, map[string]string{settingTransport: setting}, func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			body = string(b)
		})
		_, _ = c.Balances(t.Context())
		if body != want {
			t.Errorf("%q: %q", setting, body)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	r := payout("CH0000000000000000ABCD")
	f.Add(200, "application/json", []byte(envelope(r, "", "")))
	f.Add(422, "application/json", []byte(`{"error":{"code":"limit"}}`))
	f.Add(404, "text/plain", []byte("no"))
	f.Add(200, "application/json", []byte(`{"data":{"amount":1e999999999}}`))
	table, err := ownTable()
	if err != nil {
		f.Fatal(err)
	}
	paths := *table.Operations[opPayoutCreate].Answer
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		v := table.judge(httpx.Response{Status: status, Header: http.Header{"Content-Type": {kind}}, Body: body})
		if v.class == success && status != 200 || v.class == refused && (status < 400 || status >= 500) {
			t.Fatalf("HTTP %d is class %d", status, v.class)
		}
		if len(v.says) > 2000 || strings.ContainsFunc(v.says, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("the sentence %q", v.says)
		}
		if v.class == success {
			o := paths.read(v.payload)
			_ = table.status(models.Payout, paths, o, "RUB")
			_ = table.Operations[opDepositCreate].Answer.instructions(v.payload)
			_, _ = table.balances(*table.Operations[opBalance].Balances, v.payload)
			_, _ = table.Operations[opStatistics].Sheet.rows(v.payload)
			if table.sameMoney(o.amount, r.Amount) && !strings.Contains(string(body), "15") && !strings.Contains(string(body), `\u`) {
				t.Fatalf("%q is taken for 1500.50", o.amount)
			}
		}
	})
}

func FuzzCallback(f *testing.F) {
	f.Add([]byte(`{"type":"payin","id":"x","externalId":"CH1","status":"completed"}`), "aa")
	f.Add([]byte(`{"type":{"a":1}}`), "")
	hooks := Provider().Webhooks
	keys := providers.Keys{Secrets: []map[string]string{{"secret_token": secretToken}}}
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		d := deliveryOf(string(body), signature)
		if a := hooks.VerifyWebhook(keys, d); a.Trust == providers.Verified && !strings.EqualFold(signature, SignCallback(secretToken, body)) {
			t.Fatalf("verified: %q", signature)
		}
		n, err := hooks.TranslateWebhook(d)
		if err != nil && n != (providers.Notice{}) {
			t.Fatalf("%+v with %v", n, err)
		}
		for _, s := range []string{n.Word, n.Reference, n.ProviderRef, n.Event} {
			if len([]rune(s)) > 201 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("%q", s)
			}
		}
	})
}
