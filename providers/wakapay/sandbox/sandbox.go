// Package sandbox plays WakaPay: an http.Handler that signs callers in, holds wallets, rates, recipients and payouts, and verifies every request
// as strictly as the contract text (shared/providers/wakapay.md, section 12). It is written from that text alone and shares nothing with the
// client. State is in memory.
//
// Payouts and transaction queries are in the shape that the contract file itself made up (WAKA-PAY-1); they answer only when that is
// switched on.
//
// Imported by providers/all and by tests. It imports nothing of ours.
package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"html/template"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
)

// Options are what the stand-in is started with.
//
// Credential: api_key and api_secret are the pair it accepts (defaults: SandboxKey, SandboxSecret); business_id is the business.
//
// Settings choose how it answers; empty means the first value:
//
//	payout_contract         off | demo            WAKA-PAY-1
//	amount_unit             major | minor         WAKA-AMT-1, of balances and payouts
//	token_lifetime          3600                  seconds, written into expiresIn as given ("3600.0")
//	auth_edge_answers       documented | strict   WAKA-AUTH-3: strict also refuses further fields with 400
//	token_error_texts       documented | expired  WAKA-AUTH-4: the text for an expired token
//	bad_currency_answer     400 | 404             WAKA-BAL-2
//	qr_missing_answer       400 | 422             WAKA-QR-2
//	verify_negative_status  200 | 422             WAKA-VER-2
//	webhook_signature_mode  current | legacy      WAKA-WH-2, WAKA-WH-4
//	webhook_url, webhook_url_transaction          where webhooks go; none are sent while both are empty
//	webhook_retry_ms        1000                  the first pause before a webhook is sent again; five times as long each time, three times in all
//	late_ms                 2000                  how late a late answer is
//	autosettle              succeeded | mixed | off
//	autosettle_ms           1500                  how long a payout stays pending
type Options struct {
	Credential map[string]string
	Settings   map[string]string
	Seed       int64
}

// The credential that is accepted when Options names none.
const (
	SandboxKey    = "pk_test_countinghouse_1"
	SandboxSecret = "sk_test_countinghouse_1" //nolint:gosec // a stand-in's own, worth nothing
	sandboxID     = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)

type pair struct{ key, secret string }

// Sandbox is the stand-in. Safe for many goroutines.
type Sandbox struct {
	mu         sync.Mutex
	pairs      []pair // the first one signs webhooks
	businessID string
	settings   map[string]string
	rng        *mathrand.Rand
	jwtKey     []byte
	offset     time.Duration
	tokens     map[string]time.Time
	wallets    map[string]*wallet
	rates      map[string]decimal.Decimal
	people     []recipient
	codes      map[string]map[string]any
	payouts    []*payout
	byRef      map[string]*payout
	runs       map[string]int
	faults     []*fault
	auto       autosettle
	hooks      hooks
	log        []logged
	page       *template.Template

	ctx    context.Context //nolint:containedctx // ends the background deliveries with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

type wallet struct{ available, holding, pending decimal.Decimal }

type recipient struct{ country, kind, number, account, name string }

type autosettle struct {
	after   time.Duration
	outcome string
}

// New starts a stand-in with generous wallets and WakaPay's published test recipients.
func New(o Options) *Sandbox {
	s := &Sandbox{
		pairs: []pair{{or(o.Credential["api_key"], SandboxKey), or(o.Credential["api_secret"], SandboxSecret)}}, businessID: or(o.Credential["business_id"], sandboxID),
		settings: map[string]string{}, rng: mathrand.New(mathrand.NewPCG(uint64(o.Seed), 0x57414b41)), //nolint:gosec // play, not secrets
		jwtKey: []byte(rand.Text()), tokens: map[string]time.Time{}, wallets: fullWallets(),
		rates:  map[string]decimal.Decimal{"USDKES": decimal.NewFromInt(129)}, // the only pair of the test environment (P6)
		people: testPeople(), codes: testCodes(), byRef: map[string]*payout{}, runs: map[string]int{},
		page: template.Must(template.New("page").Funcs(template.FuncMap{"faults": faultWords, "turns": turnWords, "modes": modeWords,
			"outcomes": func() []string { return []string{"succeeded", "mixed", "off"} }}).Parse(pageText)),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for k, v := range o.Settings {
		s.settings[k] = v
	}
	s.auto = autosettle{after: s.millis("autosettle_ms", 1500), outcome: or(s.settings["autosettle"], "succeeded")}
	s.hooks.mode = "normal"
	return s
}

// Close stops held answers and deliveries and waits for them.
func (s *Sandbox) Close() error {
	s.mu.Lock() // no delivery may begin once the wait has begun
	s.cancel()
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

func or(v, def string) string {
	if v == "" {
		return def
	}
	return v
}

func fullWallets() map[string]*wallet {
	w := func(text string) *wallet { return &wallet{available: decimal.RequireFromString(text)} }
	// UGX and ZAR are missing on purpose: a currency that is not listed has no wallet.
	return map[string]*wallet{"USD": w("2500000"), "KES": w("30000000"), "TZS": w("90000000")}
}

// testPeople are the published test data (P2, P7).
func testPeople() []recipient {
	return []recipient{
		{"KE", "mobile_money", "+254700000001", "", "Amina Mjema"}, {"TZ", "mobile_money", "+255700000001", "", "Amina Mjema"},
		{"KE", "till", "888880", "", "Ugali Point"}, {"KE", "paybill", "123456", "ABC123", "Ugali Point Paybill"},
		{"TZ", "till", "600000", "", "Ugali Point"}, {"TZ", "paybill", "700000", "ABC123", "Ugali Point Paybill"},
		// Nobody in Uganda and South Africa is published: these are the stand-in's own.
		{"UG", "mobile_money", "+256700000001", "", "Amina Mjema"}, {"UG", "till", "610000", "", "Ugali Point"}, {"UG", "paybill", "710000", "ABC123", "Ugali Point Paybill"},
		{"ZA", "mobile_money", "+27700000001", "", "Amina Mjema"}, {"ZA", "till", "620000", "", "Ugali Point"}, {"ZA", "paybill", "720000", "ABC123", "Ugali Point Paybill"},
	}
}

// testCodes are the two QR fixtures of the contract file.
func testCodes() map[string]map[string]any {
	read := func(amount any, static bool) map[string]any {
		return map[string]any{"amount": amount, "channel": "Safaricom", "countryCode": "KE", "currency": "KES", "isStatic": static, "merchantName": "UGALI POINT", "tillNumber": "888880"}
	}
	return map[string]map[string]any{
		"00020101021128220008ke.go.qr01068888805204000053034045802KE5911UGALI POINT6007NAIROBI63041DD8":           read(nil, true),
		"00020101021228220008ke.go.qr01068888805204000053034045406250.005802KE5911UGALI POINT6007NAIROBI63049382": read("250.00", false),
	}
}

func (s *Sandbox) now() time.Time { return time.Now().Add(s.offset).UTC() }

// reply is one answer before it is written, so that a fault can change it.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func answer(status int, v any) reply {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(`{}`)
	}
	return reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: b}
}

// ordinary is the shape of ordinary errors; code is 0 in every published sample.
func ordinary(status int, text string) reply {
	return answer(status, map[string]any{"code": 0, "error": text})
}

// layer is the shape of the authorization layer's errors.
func layer(text string) reply {
	return answer(http.StatusUnauthorized, map[string]any{"message": text})
}

// ServeHTTP answers WakaPay's paths and, below /_sandbox/, the controls.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sandbox/") || r.URL.Path == "/_sandbox" {
		s.control(w, r)
		return
	}
	body := new(bytes.Buffer)
	_, readErr := body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
	f := s.takeFault(r.URL.Path)
	out, instead := s.before(f)
	var early func()
	if !instead {
		if readErr != nil {
			out = ordinary(http.StatusBadRequest, "invalid payload")
		} else {
			out, early = s.serve(r, body.Bytes())
		}
	}
	if early != nil {
		early() // a webhook that overtakes the reply
	}
	s.note(r, out.status)
	s.after(w, r, f, out)
}

// serve routes. Anything but the known paths is 404 (WAKA-CHK-1); then method, header, token, content and fields are checked in this order.
func (s *Sandbox) serve(r *http.Request, body []byte) (reply, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	demo := s.settings["payout_contract"] == "demo"
	type route struct {
		method string
		do     func(*http.Request, []byte) reply
	}
	known := map[string]route{
		"/business/auth":            {http.MethodPost, s.signIn},
		"/business/balance":         {http.MethodGet, s.balance},
		"/business/rate":            {http.MethodGet, s.rate},
		"/business/verify-transfer": {http.MethodPost, s.verifyTransfer},
		"/business/decode-qr":       {http.MethodPost, s.decodeQR},
	}
	var early func()
	if demo {
		known["/business/payout"] = route{http.MethodPost, func(r *http.Request, b []byte) (out reply) { out, early = s.createPayout(b); return out }}
		known["/business/transactions"] = route{http.MethodGet, s.listPayouts}
	}
	to, ok := known[r.URL.Path]
	if one, under := strings.CutPrefix(r.URL.Path, "/business/transactions/"); demo && under && one != "" {
		to, ok = route{http.MethodGet, func(*http.Request, []byte) reply { return s.onePayout(one) }}, true
	}
	switch {
	case !ok:
		return ordinary(http.StatusNotFound, "not found"), nil
	case r.Method != to.method:
		return ordinary(http.StatusMethodNotAllowed, "method not allowed"), nil
	}
	if r.URL.Path != "/business/auth" {
		if bad, refused := s.checkToken(r); refused {
			return bad, nil
		}
	}
	return to.do(r, body), early
}

// logged is one line of the record of requests. It never holds a key, a token or a body.
type logged struct {
	At        string `json:"at"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Status    int    `json:"status"`
	Violation string `json:"violation,omitempty"`
}

const logKept = 500

func (s *Sandbox) note(r *http.Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := logged{At: s.now().Format(time.RFC3339Nano), Method: r.Method, Path: r.URL.Path, Status: status}
	for _, values := range r.URL.Query() {
		for _, v := range values {
			if _, isToken := s.tokens[v]; isToken || v == s.pairs[0].secret || v == s.pairs[0].key {
				l.Violation = "a token or key in the query"
			}
		}
	}
	s.log = append(s.log, l)
	if len(s.log) > 2*logKept {
		s.log = append([]logged(nil), s.log[len(s.log)-logKept:]...)
	}
}
