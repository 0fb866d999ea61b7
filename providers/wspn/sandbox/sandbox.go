// Package sandbox plays WSPN: a strict stand-in written from the text of the contract, sharing nothing with the client. It verifies every
// request as the contract states it, holds balances and orders in memory, settles by itself or on command, signs and repeats
// webhooks, and can misbehave on command. It speaks of TEST_ codes, because WSPN documents none and nothing may come to depend on ours.
//
// It imports nothing of Countinghouse. Tests, the demo and providers/all start it.
package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are what a stand-in is started with.
//
// Credential: api_key, api_secret, client_id (default 100200). Settings that it reads, with their defaults: signature_profile
// (none/hmac-sha256/api_secret/hex), sign_path_includes_query (no), sign_multipart_body (empty), response_signature (on; off, wrong),
// token_params_in (query), token_at (result; top, retdata), token_life_s (21600; 0 leaves expires_in out), auth_errors (http; header),
// amount_semantics (amount; whole_balance: every call moves the whole balance and says so; partial_refused), request_id_scope (client; endpoint),
// refusal_burns_reference (no), remit_add_wrapped (yes), boolean_strings (no), unknown_order (empty; error), green_link (documented),
// conversion_pending (no), provider_time_zone (+08:00), whitelist_fields (address,network,label), balance_shape (both; plain),
// autosettle (succeeded; mixed, off), autosettle_ms (1500), late_ms (3000), webhook_url, webhook_url_events, webhook_retry_ms (15000: the first gap of the
// six, each twice the one before).
type Options struct {
	Credential map[string]string
	Settings   map[string]string
	Seed       int64
}

// Sandbox is the stand-in. It is safe for concurrent use.
type Sandbox struct {
	opt      Options
	key      string
	secret   string
	clientID int64
	now      func() time.Time // the wall clock, against which signatures are held
	ctx      context.Context
	stop     context.CancelFunc
	work     sync.WaitGroup

	mu         sync.Mutex
	rng        *rand.Rand
	advance    time.Duration // /_sandbox/clock: quotes, tokens and times of orders, never signatures
	access     string
	refresh    string
	accessEnd  time.Time
	refreshEnd time.Time
	serial     int64
	lastOrder  int64
	lastMint   int64
	books      map[string]amount
	requestIDs map[string]bool
	orders     []*order
	byRequest  map[string]*order
	byID       map[int64]*order
	accounts   []*remitAccount
	whitelist  []*whiteAddress
	quotes     map[string]*quote
	files      map[int64]string
	members    []*member
	executions map[string]int
	faults     []*fault
	settleMS   int
	outcome    string
	hookMode   string
	hookDelay  time.Duration
	hooks      []string // the last webhooks, for the page
	timers     map[*time.Timer]bool
	verdict    string // of KYB submissions, by itself; empty: none
	verdictMS  int
	closed     bool
}

// New starts a stand-in with generous balances, one payable bank account per currency and one whitelisted address per network.
func New(o Options) *Sandbox {
	s := &Sandbox{opt: o, key: o.Credential["api_key"], secret: o.Credential["api_secret"], now: time.Now,
		rng:        rand.New(rand.NewPCG(uint64(o.Seed), 0x57535046)), //nolint:gosec // a play, repeatable by its seed
		requestIDs: map[string]bool{}, byRequest: map[string]*order{}, byID: map[int64]*order{}, quotes: map[string]*quote{},
		files: map[int64]string{}, executions: map[string]int{}, timers: map[*time.Timer]bool{}, hookMode: "normal"}
	s.clientID, _ = strconv.ParseInt(o.Credential["client_id"], 10, 64)
	if s.clientID == 0 {
		s.clientID = 100200
	}
	s.settleMS, _ = strconv.Atoi(s.setting("autosettle_ms", "1500"))
	s.outcome = s.setting("autosettle", "succeeded")
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.furnish()
	return s
}

// Close stops timers and webhooks and waits for them.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	s.closed = true
	for t := range s.timers {
		t.Stop()
	}
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
	return nil
}

func (s *Sandbox) setting(name, def string) string {
	if v := s.opt.Settings[name]; v != "" {
		return v
	}
	return def
}

// clock is the provider's time for quotes, tokens and orders.
func (s *Sandbox) clock() time.Time { return s.now().Add(s.advance) }

const (
	prefix  = "/openapi/v1"
	maxBody = 64 << 20
)

// incoming is one request, read whole.
type incoming struct {
	r    *http.Request
	path string // below prefix
	body []byte
	lie  bool // the answer shall state another amount than was moved
}

// reply is an answer before it is written.
type reply struct {
	status int
	body   map[string]any
	raw    []byte // instead of body
	event  *order // whose webhook may go out before the answer
	plain  bool   // unsigned: the token answer
}

// ServeHTTP plays the provider at the root and the controls below /_sandbox/.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sandbox/") {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	in := &incoming{r: r, path: strings.TrimPrefix(r.URL.Path, prefix), body: body}
	f := s.takeFault(r.URL.Path)
	if f == "drop_before" {
		panic(http.ErrAbortHandler)
	}
	in.lie = f == "lie_amount"
	out := s.serve(in)
	if out.event != nil && s.hooksBeforeReply() {
		s.deliverNow(out.event)
	}
	s.write(w, in, out, f)
}

// serve runs the checks in their order: path and method, token, timestamp, signature, then the operation's own.
func (s *Sandbox) serve(in *incoming) reply {
	if in.r.URL.Path == prefix+"/auth/oauth2/token" {
		return s.tokenCall(in)
	}
	op, known := s.operations()[in.path]
	if !known || !strings.HasPrefix(in.r.URL.Path, prefix) {
		return refuseHTTP(http.StatusNotFound, "TEST_NO_SUCH_PATH", "there is nothing at this path")
	}
	if in.r.Method != op.method {
		return refuseHTTP(http.StatusMethodNotAllowed, "TEST_METHOD", "this path takes "+op.method)
	}
	if bad := s.authenticate(in); bad != nil {
		return *bad
	}
	if bad := checkContentType(op, in); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.run(in)
}

// operation is one path that the stand-in serves.
type operation struct {
	method string
	form   bool // multipart
	run    func(*incoming) reply
}

func (s *Sandbox) operations() map[string]operation {
	post := func(run func(*incoming) reply) operation { return operation{method: http.MethodPost, run: run} }
	get := func(run func(*incoming) reply) operation { return operation{method: http.MethodGet, run: run} }
	form := func(run func(*incoming) reply) operation {
		return operation{method: http.MethodPost, form: true, run: run}
	}
	return map[string]operation{
		"/wallet-account/balance":           post(s.readBalance),
		"/fiat-transaction/withdraw":        post(s.fiatWithdraw),
		"/fiat-transaction/deposit":         post(s.fiatDeposit),
		"/fiat-transaction/order":           post(s.fiatOrder),
		"/fiat-transaction/receipt":         post(s.fiatOrder),
		"/crypto-transaction/withdraw":      post(s.cryptoWithdraw),
		"/crypto-transaction/order":         post(s.cryptoOrder),
		"/crypto-transaction/receipt":       post(s.cryptoOrder),
		"/mint-redeem/exchange-rate":        post(s.exchangeRate),
		"/mint-redeem/create":               post(s.mintCreate),
		"/mint-redeem/search":               post(s.mintSearch),
		"/mint-redeem/order":                post(s.mintOrder),
		"/mint-redeem/receipt":              post(s.mintOrder),
		"/remit-info/add":                   post(s.remitAdd),
		"/remit-info/edit":                  post(s.remitEdit),
		"/remit-info/search":                post(s.remitSearch),
		"/remit-info/delete":                post(s.remitDelete),
		"/remit-info/deposit":               get(s.remitDeposit),
		"/wallet-address/deposit":           get(s.depositAddress),
		"/wallet-address/whitelist/add":     post(s.whitelistAdd),
		"/wallet-address/whitelist/search":  post(s.whitelistSearch),
		"/wallet-address/whitelist/delete":  post(s.whitelistDelete),
		"/file/upload":                      form(s.fileUpload),
		"/country/list":                     get(s.countryList),
		"/user-account/create":              post(s.userCreate),
		"/user-account/batch-create":        post(s.userBatch),
		"/user-account/sub-account":         post(s.subAccounts),
		"/user-account/sub-account/api-key": post(s.subAccountKeys),
		"/kyb/submit":                       form(s.kybSubmit),
		"/kyb/batch-submit":                 form(s.kybBatch),
	}
}

// write signs and sends the answer, or spoils it.
func (s *Sandbox) write(w http.ResponseWriter, in *incoming, out reply, f string) {
	body := out.raw
	if body == nil {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(out.body); err != nil {
			log.Printf("wspn sandbox: %v", err)
		}
		body = bytes.TrimRight(b.Bytes(), "\n")
	}
	status := out.status
	switch f {
	case "lose_reply":
		panic(http.ErrAbortHandler)
	case "late":
		ms, _ := strconv.Atoi(s.setting("late_ms", "3000"))
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
		case <-s.ctx.Done():
		case <-in.r.Context().Done():
		}
	case "http_500":
		status, body = http.StatusInternalServerError, []byte(`<html><body>Internal Server Error</body></html>`)
	case "redirect":
		status, body = http.StatusFound, nil
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
	case "garbage":
		body = []byte("\x00\xff{\"header\":{\"success\":tru")
	case "duplicate":
		body = []byte(`{"header":{"success":false,"code":"TEST_DUPLICATE_REQUEST","message":"this requestId was used before"}}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if !out.plain && f != "garbage" {
		s.signAnswer(w, in, body)
	}
	if f == "truncate" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func success(result any) reply {
	body := map[string]any{"header": map[string]any{"success": true}}
	if result != nil {
		body["result"] = result
	}
	return reply{status: http.StatusOK, body: body}
}

func listing(list []any, page map[string]any) reply {
	if list == nil {
		list = []any{}
	}
	body := map[string]any{"header": map[string]any{"success": true}, "resultList": list}
	if page != nil {
		body["pagination"] = page
	}
	return reply{status: http.StatusOK, body: body}
}

// refuse is an error in the shape that WSPN-ERR-1 guesses: HTTP 200 and success false.
func refuse(code, message string) reply { return refuseHTTP(http.StatusOK, code, message) }

func refuseHTTP(status int, code, message string) reply {
	return reply{status: status, body: map[string]any{"header": map[string]any{"success": false, "code": code, "message": message}}}
}
