package aeterna

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// heard is one request as a server got it that was written from the contract file alone.
type heard struct {
	line, body string
	header     http.Header
}

func listening(t *testing.T, got *[]heard, settings map[string]string, status int, body string) *Client {
	t.Helper()
	c := against(t, settings, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*got = append(*got, heard{r.Method + " " + r.RequestURI, string(text), r.Header.Clone()})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	c.clock = func() time.Time { return time.Unix(vectorTime, 999_999_999) }
	c.wait = nil
	c.settings = map[string]string{settingRetry: "none"}
	return c
}

// Contract 1, 2 and 7.2: every typed call has exactly these bytes and, of our own, exactly these headers.
func TestAStrangersServerFindsTheBytesOfTheContract(t *testing.T) {
	pay := payout("CH1")
	pay.NotifyURL = "https://shop.example/h"
	for name, x := range map[string]struct {
		call       func(*Client)
		line, body string
	}{
		"payout": {func(c *Client) { c.SendPayout(t.Context(), pay) }, "POST /api/payout/create", "*"},
		"payin": {func(c *Client) {
			c.CreateDeposit(t.Context(), providers.SendRequest{Reference: "CH2", Method: "payin_card", Amount: models.Money{Minor: 150050, Asset: "RUB"}, Values: map[string]string{"client_id": "u<1>"}})
		}, "POST /api/payin/create", `{"externalId":"CH2","amount":"1500.50","currency":"RUB","method":"card","clientId":"u<1>"}`},
		"payout status": {func(c *Client) { c.FindPayout(t.Context(), providers.Query{Reference: "CH1"}) }, "POST /api/payout/status", `{"externalId":"CH1"}`},
		"payin status":  {func(c *Client) { c.FindDeposit(t.Context(), providers.Query{Reference: "CH1", ProviderRef: someID}) }, "POST /api/payin/status", `{"id":"` + someID + `"}`},
		"dispute": {func(c *Client) {
			c.OpenDispute(t.Context(), providers.Query{Kind: models.Deposit, ProviderRef: someID, Values: map[string]string{"proof_url": "https://x.example/p", "dispute_amount": "12.50"}}, "why", nil)
		}, "POST /api/dispute/create", `{"payInId":"` + someID + `","amount":"12.50","comment":"why","proofUrl":"https://x.example/p"}`},
		"balance": {func(c *Client) { _, _ = c.Balances(t.Context()) }, "POST /api/balance", "{}"},
		"statistics": {func(c *Client) {
			_, _ = c.LookUp(t.Context(), "statistics", map[string]string{"from": "2025-01-01", "to": "2025-01-02"})
		}, "POST /api/statistics", `{"from":"2025-01-01T00:00:00Z","to":"2025-01-02T00:00:00Z"}`},
	} {
		var got []heard
		x.call(listening(t, &got, nil, 500, `{"error":{"code":"internal"}}`))
		if len(got) != 1 {
			t.Errorf("%s: %d requests", name, len(got))
			continue
		}
		if got[0].line != x.line || x.body != "*" && got[0].body != x.body {
			t.Errorf("%s: %s", name, cmp.Diff([]string{x.line, x.body}, []string{got[0].line, got[0].body}))
		}
		for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/plain", "X-App-Token": publicToken,
			"X-App-Access-Ts": "1735689600", "X-App-Access-Sig": positive()["V1"].want} {
			if !cmp.Equal(got[0].header.Values(k), []string{v}) {
				t.Errorf("%s: %s is %q, want %q", name, k, got[0].header.Values(k), v)
			}
		}
		if strings.Contains(strings.ToLower(got[0].body), strings.ToLower(email)) || got[0].header.Get("Authorization") != "" {
			t.Errorf("%s carries what is never sent", name)
		}
	}
}

// An id that is not known says nothing of our reference: it is asked about too before "not found" is said.
func TestNotFoundIsTheWordAboutOurReference(t *testing.T) {
	missing := `{"error":{"code":"not_found"}}`
	order := func(id string) string {
		return `{"data":{"id":"` + id + `","externalId":"CH1","status":"processing","amount":"5.00","currency":"RUB"}}`
	}
	for name, x := range map[string]struct {
		byID, byReference string
		want              providers.Result
		asked             int
	}{
		"both unknown":                 {missing, missing, providers.NotFound, 2},
		"the reference has another":    {missing, order("other"), providers.Unclear, 2},
		"the id is known":              {order(someID), missing, providers.Found, 1},
		"the reference cannot be read": {missing, "<html>", providers.Unclear, 2},
	} {
		asked := 0
		c := against(t, nil, func(w http.ResponseWriter, r *http.Request) {
			asked++
			text, _ := io.ReadAll(r.Body)
			answer := x.byReference
			if strings.Contains(string(text), `"id"`) {
				answer = x.byID
			}
			w.Header().Set("Content-Type", "application/json")
			if answer == missing {
				w.WriteHeader(404)
			}
			_, _ = io.WriteString(w, answer)
		})
		f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CH1", ProviderRef: someID, Amount: models.Money{Minor: 500, Asset: "RUB"}})
		if f.Result != x.want || asked != x.asked || f.Result != providers.Found && f.Status.State != "" {
			t.Errorf("%s: %+v after %d questions", name, f, asked)
		}
	}
	f := canned(t, 404, "application/json", missing).FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CH1"})
	if f.Result != providers.NotFound {
		t.Errorf("%+v", f)
	}
}

// README rule 4: a deposit's amount may change, its currency may not, and a paid one says what was paid.
func TestAPaidDepositSaysHowMuchAndInWhichCurrency(t *testing.T) {
	q := providers.Query{Kind: models.Deposit, Reference: "CH1", Amount: models.Money{Minor: 500, Asset: "RUB"}}
	for body, want := range map[string]providers.Result{
		`"status":"completed","amount":"5.00","currency":"RUB","paidAmount":"5.00"`: providers.Found,
		`"status":"completed","amount":"5.00","currency":"RUB","paidAmount":"4.90"`: providers.Found,
		`"status":"completed","amount":"5.00","currency":"RUB","paidAmount":4.9`:    providers.Found,
		`"status":"pending","amount":"5.00","currency":"RUB","paidAmount":null`:     providers.Found,
		`"status":"dispute","amount":"7.00","currency":"RUB","paidAmount":null`:     providers.Found,
		`"status":"completed","amount":"5.00","currency":"RUB","paidAmount":null`:   providers.Unclear,
		`"status":"completed","amount":"5.00","currency":"RUB","paidAmount":"0"`:    providers.Unclear,
		`"status":"completed","amount":"5.00","currency":"RUB","paidAmount":"5e0"`:  providers.Unclear,
		`"status":"completed","amount":"5.00","currency":"RUB"`:                     providers.Unclear,
		`"status":"completed","amount":"5.00","currency":"USD","paidAmount":"5.00"`: providers.Unclear,
		`"status":"completed","amount":"5.00","paidAmount":"5.00"`:                  providers.Unclear,
		`"status":"paid","amount":"5.00","currency":"RUB","paidAmount":"5.00"`:      providers.Found, // a word nobody knows: no state
	} {
		f := canned(t, 200, "application/json", `{"data":{"id":"x","externalId":"CH1",`+body+`}}`).FindDeposit(t.Context(), q)
		if f.Result != want || strings.Contains(body, `"paid"`) && f.Status.State != "" {
			t.Errorf("%s: %+v", body, f)
		}
	}
}

// README rule 3: what an answer repeats of our keys reaches no sentence and no record.
func TestAnAnswerThatRepeatsOurSecretsIsBlanked(t *testing.T) {
	for _, x := range []struct {
		status     int
		kind, body string
	}{
		{400, "application/json", `{"error":{"code":"` + secretToken + `","message":"bad ` + secretToken + ` of ` + email + `"}}`},
		{403, "application/json", `{"error":{"code":"x","message":"` + publicToken + `"}}`},
		{403, "text/plain", "no " + secretToken}, {200, "application/json", `{"data":{"id":"` + secretToken + `"}}`},
	} {
		c := canned(t, x.status, x.kind, x.body)
		var texts []string
		switch out := c.SendPayout(t.Context(), payout("CH1")).(type) {
		case providers.Refused:
			texts = append(texts, out.Code, out.Message, string(out.Raw))
		case providers.Unknown:
			texts = append(texts, out.Cause, string(out.Raw))
		default:
			t.Fatalf("%s: %+v", x.body, out)
		}
		f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CH1"})
		_, err := c.Balances(t.Context())
		texts = append(texts, f.Says, string(f.Raw), err.Error())
		for _, text := range texts {
			for _, secret := range []string{secretToken, publicToken, email} {
				if strings.Contains(text, secret) {
					t.Errorf("%d %s: %q holds %s", x.status, x.body, text, secret)
				}
			}
		}
	}
}

// A server error says nothing about what there is, whatever a table says.
func TestATableMayNotReadNotFoundOutOfAServerError(t *testing.T) {
	text := strings.Replace(string(profileL), `"not_found": [{"http": 404, "code": "not_found"}]`, `"not_found": [{"http": 500, "code": "not_found"}]`, 1)
	if _, problems := ParseTable([]byte(text)); len(problems) != 1 || !strings.Contains(problems[0].Sentence, "server error") {
		t.Errorf("%+v", problems)
	}
}

// README rule 3: the signature of a callback is not kept.
func TestTheSignatureOfACallbackIsNotKept(t *testing.T) {
	rc, _ := Provider().Webhooks.(receiver)
	d := providers.Delivery{Body: []byte(`{"a":1}`), Header: http.Header{"X-Signature": {"abc", "d"}, "Content-Type": {"application/json"}}}
	want := http.Header{"X-Signature": {"[redacted]", "[redacted]"}, "Content-Type": {"application/json"}}
	if kept := rc.CleanWebhook(d); !cmp.Equal(kept.Header, want) || string(kept.Body) != `{"a":1}` || d.Header.Get("X-Signature") != "abc" {
		t.Errorf("%v", kept.Header)
	}
}

// AET-SIG-1: the three headers are there once, made from the credential, whatever a table sends as headers.
func TestATableNeverReplacesAHeaderThatAuthenticates(t *testing.T) {
	table := strings.Replace(string(profileL), `{"name": "clientId", "from": "value", "key": "client_id", "required": true, "max": 64},`,
		`{"name": "clientId", "from": "value", "key": "client_id", "required": true, "max": 64}, {"name": "x-app-access-sig", "in": "header", "from": "value", "key": "client_id"}, {"name": "X-Payer", "in": "header", "from": "value", "key": "client_id"},`, 1)
	var got []heard
	c := listening(t, &got, map[string]string{settingTable: table}, 500, `{}`)
	c.CreateDeposit(t.Context(), providers.SendRequest{Reference: "CH2", Method: "payin_card", Amount: models.Money{Minor: 500, Asset: "RUB"}, Values: map[string]string{"client_id": "u1"}})
	if len(got) != 1 || !cmp.Equal(got[0].header.Values("X-App-Access-Sig"), []string{positive()["V1"].want}) || got[0].header.Get("X-Payer") != "u1" {
		t.Errorf("%+v", got)
	}
}
