// Package sandbox plays OneKey Payments on one address: cashouts, deposits, refunds, wallet, reads, validations, subscriptions and the
// reconciliation API. It is written from the contract alone, shares nothing with the client, verifies every request as strictly as the
// contract says and in its order (OKP-CHK-1), keeps exact decimals, and sends signed callbacks.
//
// It imports nothing of ours. State is in memory; it is safe for concurrent use.
package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
)

// Options are what a stand-in is started with. Credential holds the keys that it accepts, by the names of the credential's fields; Settings
// are the contract's settings, and these of its own:
//
//	autosettle=succeeded|mixed|off, autosettle_ms   how cashouts, deposits and refunds go on by themselves (default succeeded, 1500)
//	late_ms                                         how long a late answer takes (default 3000)
//	webhook_retry_ms                                the first gap between two tries of a callback (default 400; then times 5, 25, 125)
//	webhook_url, webhook_url_TOPIC                  where callbacks go that name no address
//	allowed_ips                                     comma-separated; empty admits every caller
//	countries, disabled_countries                   comma-separated; default BR,CL,MX,CO,AR,PE and none
//	minimum                                         smallest amount of a cashout or deposit (default 1)
//	unique_contacts=yes                             an e-mail or phone belongs to one document (541, 542)
//	http_status_map=as_documented|all_200           OKP-ERR-2
//	merchant_enabled=no, validation_enabled=no      a merchant without cashouts (519) or without validation (203)
//	unsigned_callbacks=yes                          deposit and refund callbacks without signature headers
//	pix_ms                                          how long a PIX-key validation takes (default 50)
type Options struct {
	Credential map[string]string
	Settings   map[string]string
	Seed       int64
}

// Sandbox is a running stand-in.
type Sandbox struct {
	opt    Options
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	life   sync.Mutex // held while work is added and while it is closed, so that nothing begins after Close
	client *http.Client
	slots  chan struct{} // bounds concurrent callbacks

	mu         sync.Mutex
	random     *rand.Rand
	advanced   time.Duration // what the controls have added to the clock of business
	skew       time.Duration // how far the clock that checks X-Date is off
	autosettle string
	settleMS   int
	nextID     int64
	balances   map[string]decimal.Decimal
	wallet     map[string]decimal.Decimal // PROPRIETARY and TRANSACTIONAL, in BRL
	cashouts   []*cashout
	byExternal map[string]*cashout
	byCashout  map[int64]*cashout
	burned     map[string]bool
	contacts   map[string]string
	deposits   []*deposit
	byInvoice  map[string]*deposit
	byDeposit  map[int64]*deposit
	refunds    []*refund
	byRefund   map[int64]*refund
	subs       map[int64]*subscription
	replays    map[string]reply
	executed   map[string]int
	faults     []*fault
	refusals   []*forced
	hooks      hookMode
	held       *callback // waits for its successor in mode reordered
	sent       []string  // the last callbacks, for the page
	calls      int
}

// New starts a stand-in with generous balances.
func New(o Options) *Sandbox {
	s := &Sandbox{
		opt: o, client: &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		slots: make(chan struct{}, 64), random: rand.New(rand.NewPCG(uint64(o.Seed), 77)),
		nextID: 8400000, balances: map[string]decimal.Decimal{}, wallet: map[string]decimal.Decimal{"PROPRIETARY": decimal.NewFromInt(500_000), "TRANSACTIONAL": decimal.NewFromInt(250_000)},
		byExternal: map[string]*cashout{}, byCashout: map[int64]*cashout{}, burned: map[string]bool{}, contacts: map[string]string{},
		byInvoice: map[string]*deposit{}, byDeposit: map[int64]*deposit{}, byRefund: map[int64]*refund{}, subs: map[int64]*subscription{},
		replays: map[string]reply{}, executed: map[string]int{}, hooks: hookMode{mode: "normal"},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for currency, amount := range map[string]int64{"BRL": 50_000_000, "USD": 20_000_000, "CLP": 9_000_000_000, "MXN": 90_000_000, "COP": 90_000_000_000, "ARS": 9_000_000_000, "PEN": 40_000_000} {
		s.balances[currency] = decimal.NewFromInt(amount)
	}
	s.autosettle = s.setting("autosettle", "succeeded")
	s.settleMS = s.number("autosettle_ms", 1500)
	return s
}

// Close stops everything that still runs. Callbacks under way are given up.
func (s *Sandbox) Close() error {
	s.life.Lock()
	s.cancel()
	s.life.Unlock()
	s.work.Wait()
	s.client.CloseIdleConnections()
	return nil
}

func (s *Sandbox) setting(name, def string) string {
	if v := s.opt.Settings[name]; v != "" {
		return v
	}
	return def
}

func (s *Sandbox) number(name string, def int) int {
	if n, err := strconv.Atoi(s.opt.Settings[name]); err == nil && n >= 0 {
		return n
	}
	return def
}

// later runs f after a while unless the stand-in is closed before.
func (s *Sandbox) later(d time.Duration, f func()) {
	s.life.Lock()
	defer s.life.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-s.ctx.Done():
		case <-t.C:
			f()
		}
	}()
}

// now is the clock of business; the clock that checks X-Date is the real one plus the skew.
func (s *Sandbox) now() time.Time { return time.Now().UTC().Add(s.advanced) }

func (s *Sandbox) newID() int64 {
	s.nextID++
	return s.nextID
}

// reply is an answer before any fault has touched it.
type reply struct {
	status int
	body   []byte
}

func answer(status int, v any) reply {
	b, err := json.Marshal(v)
	if err != nil {
		return reply{http.StatusInternalServerError, []byte(`{"code":700,"description":"` + err.Error() + `"}`)}
	}
	return reply{status, b}
}

// number writes an exact decimal as a JSON number.
func number(d decimal.Decimal) json.Number { return json.Number(d.String()) }

// call is one request as the handlers see it.
type call struct {
	*http.Request
	body []byte
}

// ServeHTTP plays the provider at the root and shows the controls below /_sandbox/.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sandbox/") {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		write(w, reply{http.StatusRequestEntityTooLarge, []byte(`{"code":300,"message":"too large"}`)})
		return
	}
	f := s.takeFault(r.Method, r.URL.Path)
	if f == "drop_before" {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	rep := s.route(&call{r, body})
	if f == "duplicate" {
		// A proxy on their side delivered the request twice; the answer that comes back is the second one's.
		rep = s.route(&call{r, body})
	}
	s.spoil(w, r, f, rep)
}

func write(w http.ResponseWriter, rep reply) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body)
}

// route finds the operation. A known path with another method is 405 (code 200 in the deposits family).
func (s *Sandbox) route(c *call) reply {
	table := map[string]map[string]func(*call) reply{
		"/v3/cashout":                          {http.MethodPost: s.createCashout},
		"/v3/cashout/status":                   {http.MethodPost: s.cashoutStatus, http.MethodPut: s.updateCashout},
		"/v3/cashout/cancel":                   {http.MethodDelete: s.cancelCashout},
		"/v3/deposits":                         {http.MethodPost: s.createDeposit},
		"/v3/deposits/":                        {http.MethodGet: s.depositStatus},
		"/v3/refunds":                          {http.MethodPost: s.createRefund},
		"/v3/refunds/":                         {http.MethodGet: s.refundStatus},
		"/v3/subscriptions":                    {http.MethodPost: s.createSubscription},
		"/v3/subscriptions/":                   {http.MethodGet: s.oneSubscription, http.MethodDelete: s.oneSubscription},
		"/v3/payment_methods":                  {http.MethodGet: s.paymentMethods},
		"/v3/exchange_rates":                   {http.MethodGet: s.fiatRate},
		"/v3/exchange_rates/crypto":            {http.MethodGet: s.cryptoRate},
		"/v3/states":                           {http.MethodGet: s.states},
		"/v1/wallet/transaction":               {http.MethodPost: s.walletTransfer},
		"/v1/wallet/balance":                   {http.MethodGet: s.walletBalance},
		"/v1/country/":                         {http.MethodGet: s.banks},
		"/v1/deposits":                         {http.MethodGet: s.books},
		"/v1/cashouts":                         {http.MethodGet: s.books},
		"/v1/refunds":                          {http.MethodGet: s.books},
		"/v1/balance":                          {http.MethodGet: s.books},
		"/v1/balance/report":                   {http.MethodGet: s.books},
		"/v5/account/validate":                 {http.MethodPost: s.validateAccount},
		"/v5/account/pix_key/validate/details": {http.MethodPost: s.validatePix},
	}
	path := c.URL.Path
	for _, prefix := range []string{"/v3/deposits/", "/v3/refunds/", "/v3/subscriptions/", "/v1/country/"} {
		if strings.HasPrefix(path, prefix) {
			path = prefix
		}
	}
	if methods, ok := table[path]; ok {
		if h, ok := methods[c.Method]; ok {
			return h(c)
		}
		if strings.HasPrefix(path, "/v3/cashout") {
			return answer(http.StatusMethodNotAllowed, map[string]any{"message": "Method not allowed"})
		}
		return depositError(http.StatusMethodNotAllowed, 200, "METHOD_NOT_ALLOWED", "Method not allowed")
	}
	return depositError(http.StatusNotFound, 208, "RESOURCE_NOT_FOUND", "Resource not found")
}

func depositError(status, code int, kind, description string, details ...string) reply {
	m := map[string]any{"code": code, "description": description}
	if kind != "" {
		m["type"] = kind
	}
	if len(details) > 0 {
		m["details"] = details
	}
	return answer(status, m)
}

// object reads a JSON object with exact numbers.
func object(body []byte) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("not an object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something behind the end")
	}
	return m, nil
}

func str(m map[string]any, key string) string {
	v, _ := m[key].(string)
	return v
}
