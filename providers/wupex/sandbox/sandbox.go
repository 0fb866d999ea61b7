// Package sandbox plays WUPEX: an http.Handler that holds products, stock, a prepaid balance with credit and orders, and verifies every
// request as strictly as the contract text (shared/providers/wupex.md, section 12). It is written from that text alone and shares nothing
// with the client. State is in memory.
//
// Imported by providers/all and by tests. It imports nothing of ours.
package sandbox

import (
	"bytes"
	"encoding/json"
	"html/template"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
)

// Options are what the stand-in is started with.
//
// Credential: api_key and merchant are what it accepts (defaults: SandboxKey, SandboxMerchant).
//
// Settings choose how it answers where the contract leaves that open; empty means the first value:
//
//	balance_envelope            wrapped | bare            WUPEX-BAL-1
//	reference_idempotent        label | conflict          WUPEX-IDEM-1: a repeated referenceId is a second order, or 409
//	pull_serials                none | with               WUPEX-ORD-2: whether pull-codes itself carries the codes
//	detail_groups               one | split               WUPEX-DET-1
//	detail_shape                groups | flat             WUPEX-DET-1
//	detail_sku                  group | none              WUPEX-DET-2
//	stock_error_status          409 | 400 | 422           WUPEX-ORD-5
//	cross_env_key_answer        401 | 403                 WUPEX-ENV-2, for the key in other_environment_key
//	require_accept_language     on | off                  WUPEX-AUTH-2
//	refuse_authorization_header on | off                  WUPEX-AUTH-4
//	unknown_filter_answer       refuse | ignore           WUPEX-FLT-2
//	filters_combine             and | or                  WUPEX-FLT-1
//	error_shape                 envelope | top_message    WUPEX-ENVL-2
//	late_ms                     how late a late answer is, 2000 if empty
//	autosettle                  succeeded | mixed | off   when codes come out, as POST /_sandbox/autosettle
//	order_list_fields           referenceId | ReferenceId | none   WUPEX-LIST-1: how an item carries the reference, or not at all
type Options struct {
	Credential map[string]string
	Settings   map[string]string
	Seed       int64
}

// The credential that is accepted when Options names none.
const (
	SandboxKey      = "wupex-sandbox-key-000001"
	SandboxMerchant = "CH-MERCHANT"
)

// Sandbox is the stand-in. Safe for many goroutines.
type Sandbox struct {
	mu       sync.Mutex
	key      string
	merchant string
	settings map[string]string
	rng      *rand.Rand
	offset   time.Duration // what POST /_sandbox/clock added
	balance  decimal.Decimal
	credit   decimal.Decimal
	products []*product
	orders   []*order
	runs     map[string]int // purchases really made, per reference
	faults   []*fault
	auto     autosettle
	log      []logged
	page     *template.Template
	closed   chan struct{}
	once     sync.Once
}

type product struct {
	Code, Name, Type string
	Price            string
	Stock            int
	Redeemed         int
	Enabled          bool
	ID               int
}

type order struct {
	name, reference, requestID string
	at                         time.Time
	total                      decimal.Decimal
	lines                      []orderLine
	ready                      time.Time // codes can be read from here on; zero: not by itself
	missing, surplus           int       // what a short or an excessive delivery leaves out or adds
}

type orderLine struct {
	product *product
	serials []serial
}

type serial struct{ code, number string }

type autosettle struct {
	after   time.Duration
	outcome string
}

// New starts a stand-in with generous balances and a dozen products.
func New(o Options) *Sandbox {
	s := &Sandbox{
		key: o.Credential["api_key"], merchant: o.Credential["merchant"], settings: map[string]string{},
		rng:     rand.New(rand.NewPCG(uint64(o.Seed), 0x57555045)), //nolint:gosec // play codes, not secrets
		balance: decimal.RequireFromString("250000.00"), credit: decimal.RequireFromString("50000.00"),
		products: stockedShelf(), runs: map[string]int{}, auto: autosettle{outcome: "succeeded"}, closed: make(chan struct{}),
		page: template.Must(template.New("page").Funcs(template.FuncMap{"faults": faultWords, "turn": func(k string) string { return turnWords()[k] }}).Parse(pageText)),
	}
	if s.key == "" {
		s.key = SandboxKey
	}
	if s.merchant == "" {
		s.merchant = SandboxMerchant
	}
	for k, v := range o.Settings {
		s.settings[k] = v
	}
	if v := s.settings["autosettle"]; v == "off" || v == "mixed" {
		s.auto.outcome = v
	}
	return s
}

// Close ends every answer that is being held back.
func (s *Sandbox) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func stockedShelf() []*product {
	p := func(id int, code, name, kind, price string, stock int) *product {
		return &product{ID: id, Code: code, Name: name, Type: kind, Price: price, Stock: stock, Enabled: true}
	}
	shelf := []*product{
		p(1001, "APL-US-10USD", "Apple Gift Card 10 USD", "Apple iTunes", "36.75", 5000),
		p(1002, "APL-US-25USD", "Apple Gift Card 25 USD", "Apple iTunes", "91.50", 5000),
		p(1003, "APL-US-100USD", "Apple Gift Card 100 USD", "Apple iTunes", "364.00", 800),
		p(1004, "GGL-US-10USD", "Google Play 10 USD", "Google Play", "36.40", 4000),
		p(1005, "GGL-US-50USD", "Google Play 50 USD", "Google Play", "181.25", 900),
		p(1006, "STM-GL-20USD", "Steam Wallet 20 USD", "Steam", "73.1050", 1200),
		p(1007, "PSN-US-50USD", "PlayStation Store 50 USD", "PlayStation", "182.00", 600),
		p(1008, "XBX-GL-1M", "Xbox Game Pass 1 month", "Xbox", "38.90", 700),
		p(1009, "NFX-GL-15USD", "Netflix 15 USD", "Netflix", "55.20", 3),
		p(1010, "TOP-MINI-01", "Mobile top-up, smallest", "Top-up", "0.1", 100000),
		p(1011, "RZR-GL-100USD", "Razer Gold 100 USD", "Razer Gold", "361.75", 0),
		p(1012, "OLD-CARD-5", "Discontinued card", "Other", "18.00", 40),
	}
	shelf[11].Enabled = false
	return shelf
}

func (s *Sandbox) now() time.Time { return time.Now().Add(s.offset).UTC() }

// is reads a setting; the first of the values is meant when nothing is set.
func (s *Sandbox) is(name, value string, first bool) bool {
	v := s.settings[name]
	return v == value || v == "" && first
}

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
	return reply{status: status, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: b}
}

// ServeHTTP answers WUPEX's paths and, below /_sandbox/, the controls.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sandbox/") || r.URL.Path == "/_sandbox" {
		s.control(w, r)
		return
	}
	body := new(bytes.Buffer)
	_, readErr := body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
	f := s.takeFault(r.URL.Path)
	out, done := s.before(f)
	if !done {
		if readErr != nil {
			out = s.problem(http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", "The request is too large.")
		} else {
			out = s.serve(r, body.Bytes())
		}
	}
	s.note(r, out.status)
	s.after(w, r, f, out)
}

// serve routes. The five paths are all there is; a path copied with U+2011 in it is not one of them.
func (s *Sandbox) serve(r *http.Request, body []byte) reply {
	route, ok := map[string]struct {
		method string
		do     func(*http.Request, []byte) reply
	}{
		"/api/product/merchant/invited/list": {http.MethodPost, s.listProducts},
		"/api/order/pull-codes":              {http.MethodPost, s.pullCodes},
		"/api/order/list":                    {http.MethodPost, s.listOrders},
		"/api/order/detail":                  {http.MethodGet, s.orderDetail},
		"/api/customer/balance":              {http.MethodGet, s.customerBalance},
	}[r.URL.Path]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !ok:
		return s.problem(http.StatusNotFound, "NOT_FOUND", "Resource not found.")
	case r.Method != route.method:
		return s.problem(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method not allowed.") // WUPEX-ERR-2
	}
	if bad, refused := s.checkHeaders(r); refused {
		return bad
	}
	return route.do(r, body)
}

// logged is one line of the record of requests. It never holds the key.
type logged struct {
	At     string `json:"at"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query"`
	Status int    `json:"status"`
}

const logKept = 500

func (s *Sandbox) note(r *http.Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.RawQuery
	if s.key != "" && strings.Contains(q, s.key) {
		q = "[key in the query]"
	}
	s.log = append(s.log, logged{At: s.now().Format(time.RFC3339Nano), Method: r.Method, Path: r.URL.Path, Query: q, Status: status})
	if len(s.log) > 2*logKept {
		s.log = append([]logged(nil), s.log[len(s.log)-logKept:]...)
	}
}
