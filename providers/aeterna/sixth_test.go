package aeterna

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
)

// sixthTable describes Harbourpay, a provider that was made up for this test and that nobody has written code for. Everything about it
// differs from Aeterna: it signs method, path and body with SHA-512 in base64, counts money in minor units, takes the idempotency key as
// a header, has its own status words and error envelope, answers 200 to business errors, and asks by GET.
const sixthTable = `{
  "format": 1, "title": "Harbourpay", "note": "Made up.",
  "auth": {
    "headers": [
      {"name": "Authorization", "parts": [{"from": "text", "text": "Harbour "}, {"from": "public_token"}, {"from": "text", "text": ":"}, {"from": "signature"}]},
      {"name": "X-Moment", "parts": [{"from": "timestamp_ms"}]}
    ],
    "signature": {"algorithm": "hmac-sha512", "encoding": "base64", "parts": [{"from": "timestamp_ms"}, {"from": "method"}, {"from": "path"}, {"from": "body"}]}
  },
  "amount": {"as": "minor", "decimals": 3},
  "reference": "^[A-Z0-9]{1,32}$",
  "currency": "^(KES|KWD)$",
  "success": {"http": [200, 201], "data": "", "absent": ["fault"], "equals": {"ok": "true"}},
  "errors": {
    "code": "fault.kind", "message": "fault.text",
    "refusals": [{"http": 200, "code": "NO_FUNDS", "retryable": true, "sentence": "Harbourpay's float is too low."}, {"http": 422}],
    "exists": [{"http": 200, "code": "SEEN"}],
    "not_found": [{"http": 200, "code": "UNKNOWN_REF"}],
    "diagnosis": [{"http": 401, "code": "BAD_KEY", "verdict": "keys_rejected"}]
  },
  "methods": [
    {"id": "mpesa", "kind": "payout", "title": "M-Pesa", "code": "MPESA", "country": "KE", "assets": ["KES"], "minimum": "10", "fields": [
      {"name": "phone", "label": "Phone number", "kind": "phone", "required": true, "pattern": "^254[0-9]{9}$", "pattern_help": "Write the number as 254 and nine digits.", "role": "account"},
      {"name": "speed", "label": "Speed", "kind": "select", "required": true, "options": [{"value": "now", "label": "At once"}, {"value": "day", "label": "Within the day"}]}
    ]},
    {"id": "till", "kind": "deposit", "title": "Till", "code": "TILL", "fields": []}
  ],
  "operations": {
    "payout.create": {"path": "/v2/{corridor}/transfers", "method": "PUT", "fields": [
        {"name": "corridor", "in": "path", "from": "method", "required": true},
        {"name": "Idempotency-Key", "in": "header", "from": "reference", "required": true},
        {"name": "order.ref", "from": "reference", "required": true},
        {"name": "order.cents", "from": "amount", "required": true},
        {"name": "order.ccy", "from": "currency", "required": true},
        {"name": "order.to.msisdn", "from": "value", "key": "phone", "required": true, "sensitive": true},
        {"name": "order.to.speed", "from": "value", "key": "speed"},
        {"name": "order.test", "from": "const", "const": false},
        {"name": "order.version", "from": "const", "const": 2}
      ],
      "answer": {"id": "transfer.no", "reference": "transfer.ref", "status": "transfer.state", "amount": "transfer.cents", "currency": "transfer.ccy", "fee": "transfer.fee", "bank_ref": "transfer.receipt", "reason": "transfer.why"}},
    "payout.status": {"path": "/v2/transfers", "method": "GET", "fields": [{"name": "ref", "in": "query", "from": "reference", "required": true}],
      "answer": {"id": "transfer.no", "reference": "transfer.ref", "status": "transfer.state", "amount": "transfer.cents", "currency": "transfer.ccy", "fee": "transfer.fee", "bank_ref": "transfer.receipt", "reason": "transfer.why"}},
    "deposit.create": {"path": "/v2/requests", "encoding": "form", "fields": [
        {"name": "ref", "from": "reference", "required": true}, {"name": "cents", "from": "amount", "required": true}, {"name": "ccy", "from": "currency", "required": true}],
      "answer": {"id": "request", "amount": "cents", "status": "state", "redirect": "page", "qr": "qr"}},
    "dispute.create": {"path": "/v2/claims", "fields": [
        {"name": "request", "from": "provider_ref", "required": true}, {"name": "why", "from": "reason", "required": true},
        {"name": "proof.data", "from": "evidence_base64", "max": 1000000}, {"name": "proof.name", "from": "evidence_name"}, {"name": "proof.type", "from": "evidence_type"}],
      "answer": {"id": "claim", "of": "request", "status": "state"}},
    "balance.get": {"path": "/v2/floats", "method": "GET", "fields": [], "balances": {"list": "floats", "account_path": "name", "currency": "ccy", "available": "free", "total": "all"}},
    "statistics.get": {"path": "/v2/days", "method": "GET", "fields": [{"name": "since", "in": "query", "from": "value", "key": "from", "required": true, "format": "moment"}],
      "sheet": {"list": "days", "columns": [{"label": "Day", "path": "day"}, {"label": "Transfers", "path": "n"}]}}
  },
  "statuses": {
    "payout": {"NEW": "pending", "DONE": "succeeded", "BOUNCED": "failed"},
    "deposit": {"ASKED": "awaiting_payment", "IN": "succeeded"},
    "dispute": {"FILED": "open"}
  },
  "callback": {
    "signature": {"header": "X-Harbour-Mac", "algorithm": "hmac-sha512", "encoding": "base64", "prefix": "v2="},
    "kind": "about", "kinds": {"T": "payout"}, "id": "transfer.no", "reference": "transfer.ref", "status": "transfer.state"
  }
}`

// harbourpay is the stand-in for the made-up provider: hand-written here, and knowing nothing of the table.
type harbourpay struct {
	mu       sync.Mutex
	moved    map[string]int
	bodies   []string
	problems []string
}

func (p *harbourpay) mac(message string) string {
	m := hmac.New(sha512.New, []byte(secretToken))
	_, _ = io.WriteString(m, message)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// times tells how often money moved for a reference.
func (p *harbourpay) times(ref string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved[ref]
}

// sent gives a request as it came; -1 is the last.
func (p *harbourpay) sent(i int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i < 0 {
		i += len(p.bodies)
	}
	return p.bodies[i]
}

func (p *harbourpay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	moment := r.Header.Get("X-Moment")
	if len(moment) != 13 || r.Header.Get("Authorization") != "Harbour "+publicToken+":"+p.mac(moment+r.Method+r.URL.EscapedPath()+string(body)) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"ok":false,"fault":{"kind":"BAD_KEY","text":"who are you"}}`)
		return
	}
	p.bodies = append(p.bodies, r.Method+" "+r.URL.RequestURI()+" "+string(body))
	transfer := `{"ok":true,"transfer":{"no":"T-%s","ref":"%s","state":"%s","cents":250000,"ccy":"KES","fee":"1500","receipt":"QK7"}}`
	switch r.Method + " " + r.URL.Path {
	case "PUT /v2/MPESA/transfers":
		ref := r.Header.Get("Idempotency-Key")
		switch {
		case strings.HasPrefix(ref, "POOR"):
			_, _ = io.WriteString(w, `{"ok":false,"fault":{"kind":"NO_FUNDS","text":"float"}}`)
		case p.moved[ref] > 0:
			_, _ = io.WriteString(w, `{"ok":false,"fault":{"kind":"SEEN"}}`)
		case strings.HasPrefix(ref, "LOST"):
			p.moved[ref]++
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.Close()
		default:
			p.moved[ref]++
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, transfer, ref, ref, "NEW")
		}
	case "GET /v2/transfers":
		ref := r.URL.Query().Get("ref")
		if p.moved[ref] == 0 {
			_, _ = io.WriteString(w, `{"ok":false,"fault":{"kind":"UNKNOWN_REF"}}`)
			return
		}
		_, _ = fmt.Fprintf(w, transfer, ref, ref, "DONE")
	case "POST /v2/requests":
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			p.problems = append(p.problems, "the form of a deposit")
		}
		p.moved[form.Get("ref")]++
		_, _ = fmt.Fprintf(w, `{"ok":true,"request":"R-1","cents":"%s","state":"ASKED","page":"https://pay.harbour.example/R-1","qr":"harbour:R-1"}`, form.Get("cents"))
	case "POST /v2/claims":
		var claim struct{ Request, Why string }
		_ = json.Unmarshal(body, &claim)
		_, _ = fmt.Fprintf(w, `{"ok":true,"claim":"C-1","request":"%s","state":"FILED"}`, claim.Request)
	case "GET /v2/floats":
		_, _ = io.WriteString(w, `{"ok":true,"floats":[{"name":"main","ccy":"KES","free":1234500,"all":1300000},{"name":"gulf","ccy":"KWD","free":"5001","all":"5001"}]}`)
	case "GET /v2/days":
		_, _ = io.WriteString(w, `{"ok":true,"days":[{"day":"2025-01-01","n":3},{"day":"2025-01-02","n":0}]}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// The same engine carries a provider that nobody has coded: only the table is new.
func TestAProviderThatNobodyHasCodedWorksFromDataAlone(t *testing.T) {
	p := &harbourpay{moved: map[string]int{}}
	server := httptest.NewServer(p)
	defer server.Close()
	settings := map[string]string{settingTable: sixthTable}
	c := clientAt(t, server.URL, settings)
	kes := models.Money{Minor: 250000, Asset: "KES"}
	request := func(ref string) providers.SendRequest {
		return providers.SendRequest{Reference: ref, Amount: kes, Method: "mpesa", Values: map[string]string{"phone": "254700000001", "speed": "now"}}
	}

	t.Run("a payout is accepted and then found paid", func(t *testing.T) {
		ref := providertest.Reference()
		a := accepted(t, c.SendPayout(t.Context(), request(ref)))
		want := providers.Status{State: models.Pending, Word: "NEW", ProviderRef: "T-" + ref, BankRef: "QK7", Amount: kes, Fee: models.Money{Minor: 1500, Asset: "KES"}}
		if diff := cmp.Diff(want, a.Status); diff != "" || a.ProviderRef != "T-"+ref {
			t.Error(diff, a.ProviderRef)
		}
		f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: ref, Method: "mpesa", Amount: kes})
		if f.Result != providers.Found || f.Status.State != models.Succeeded {
			t.Errorf("%+v", f)
		}
		wire := fmt.Sprintf(`PUT /v2/MPESA/transfers {"order":{"ref":"%s","cents":250000,"ccy":"KES","to":{"msisdn":"254700000001","speed":"now"},"test":false,"version":2}}`, ref)
		if p.sent(0) != wire {
			t.Errorf("on the wire:\n%s\nwant\n%s", p.sent(0), wire)
		}
	})
	t.Run("a lost reply is unknown, moved once, and found by reference", func(t *testing.T) {
		out := c.SendPayout(t.Context(), request("LOST1"))
		if _, ok := out.(providers.Unknown); !ok || p.times("LOST1") != 1 {
			t.Errorf("%s, moved %d times", providertest.Say(out), p.times("LOST1"))
		}
		if f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "LOST1", Method: "mpesa"}); f.Result != providers.Found {
			t.Errorf("%+v", f)
		}
		again := c.SendPayout(t.Context(), request("LOST1"))
		if u, ok := again.(providers.Unknown); !ok || !strings.Contains(u.Cause, "already taken") || p.times("LOST1") != 1 {
			t.Errorf("%s, moved %d times", providertest.Say(again), p.times("LOST1"))
		}
	})
	t.Run("a business error with 200 is a refusal", func(t *testing.T) {
		out := c.SendPayout(t.Context(), request("POOR1"))
		want := providers.Refused{Code: "NO_FUNDS", Message: "Harbourpay's float is too low.", Retryable: true, Raw: []byte(`{"ok":false,"fault":{"kind":"NO_FUNDS","text":"float"}}`)}
		if diff := cmp.Diff(providers.Outcome(want), out); diff != "" {
			t.Error(diff)
		}
		if f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "POOR1", Method: "mpesa"}); f.Result != providers.NotFound {
			t.Errorf("%+v", f)
		}
	})
	t.Run("a deposit has its page and code", func(t *testing.T) {
		a := accepted(t, c.CreateDeposit(t.Context(), providers.SendRequest{Reference: "D1", Amount: models.Money{Minor: 5001, Asset: "KWD"}, Method: "till"}))
		if diff := cmp.Diff(providers.Instructions{RedirectURL: "https://pay.harbour.example/R-1", QR: "harbour:R-1"}, a.Instructions); diff != "" || a.ProviderRef != "R-1" {
			t.Error(diff, a.ProviderRef)
		}
	})
	t.Run("a dispute carries its file", func(t *testing.T) {
		out := c.OpenDispute(t.Context(), providers.Query{Kind: models.Deposit, ProviderRef: "R-1"}, "it was paid", []providers.Document{{Name: "slip.png", Type: "image/png", Body: []byte{1, 2, 3}}})
		a := accepted(t, out)
		if a.ProviderRef != "C-1" || a.Status.State != models.AwaitingPayment || a.Status.ProviderRef != "R-1" {
			t.Errorf("%+v", a)
		}
		contains(t, p.sent(-1), `"why":"it was paid"`, `"data":"AQID"`, `"name":"slip.png"`, `"type":"image/png"`)
	})
	t.Run("balances and statistics", func(t *testing.T) {
		got, err := c.Balances(t.Context())
		want := []providers.Balance{
			{Account: "main", Available: models.Money{Minor: 1234500, Asset: "KES"}, Total: models.Money{Minor: 1300000, Asset: "KES"}, Text: "1234500", Mark: providers.Assumed},
			{Account: "gulf", Available: models.Money{Minor: 5001, Asset: "KWD"}, Total: models.Money{Minor: 5001, Asset: "KWD"}, Text: "5001", Mark: providers.Assumed},
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		sheet, err := c.LookUp(t.Context(), "statistics", map[string]string{"from": "2025-01-01", "to": "2025-01-03"})
		if diff := cmp.Diff([][]string{{"2025-01-01", "3"}, {"2025-01-02", "0"}}, sheet.Rows); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	t.Run("its callbacks are verified and read", func(t *testing.T) {
		body := `{"about":"T","transfer":{"no":"T-9","ref":"CH9","state":"DONE"}}`
		d := providers.Delivery{Topic: "callback", Method: "POST", Body: []byte(body), Settings: settings,
			Header: http.Header{"Content-Type": {"application/json"}, "X-Harbour-Mac": {"v2=" + p.mac(body)}}}
		keys := providers.Keys{Settings: settings, Secrets: []map[string]string{{"secret_token": secretToken}}}
		if a := Provider().Webhooks.VerifyWebhook(keys, d); a.Trust != providers.Verified {
			t.Errorf("%+v", a)
		}
		n, err := Provider().Webhooks.TranslateWebhook(d)
		n.Dedupe = ""
		if diff := cmp.Diff(providers.Notice{Kind: models.Payout, Event: "T", Reference: "CH9", ProviderRef: "T-9", Word: "DONE"}, n); diff != "" || err != nil {
			t.Error(diff, err)
		}
		d.Header.Set("X-Harbour-Mac", p.mac(body))
		if a := Provider().Webhooks.VerifyWebhook(keys, d); a.Trust != providers.Forged {
			t.Errorf("without its prefix: %+v", a)
		}
	})
	t.Run("its form, checks and locks come from the table too", func(t *testing.T) {
		d := Provider().Description
		methods := d.MethodsWith(settings)
		if len(methods) != 2 || methods[0].Title != "M-Pesa" || methods[0].Fields[1].Options[1].Label != "Within the day" {
			t.Fatalf("%+v", methods)
		}
		ps := d.CheckRequest(settings, methods[0], models.Money{Minor: 999, Asset: "KES"}, map[string]string{"phone": "0700", "speed": "slow"})
		contains(t, fmt.Sprint(ps), "254 and nine digits", "Choose one of the values", "smallest amount of this method is 10.00 KES")
		locks := d.Locks(models.Sandbox, map[string]string{"base_url": server.URL}, settings)
		if len(locks) != 1 || locks[0].Operation != string(providers.CanFindDeposits) {
			t.Errorf("only the question about deposits is missing in this table: %+v", locks)
		}
		checks := c.Check(t.Context())
		if checks[0].Verdict != providers.CheckOK || checks[2].Verdict != providers.CheckOK || checks[3].Verdict != providers.CheckSkipped {
			t.Errorf("%+v", checks)
		}
	})
	if len(p.problems) > 0 {
		t.Error(p.problems)
	}
}
