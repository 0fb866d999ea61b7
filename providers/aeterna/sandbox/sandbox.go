// Package sandbox plays Aeterna over HTTP for tests and the demo. It was written from the contract's text and shares nothing with the
// client: it imports only the standard library. Requests are checked as strictly as the documented part allows (AET-SIG-1 to AET-SIG-6);
// the operations behind them are profile L, which is a guess (AET-L-1 to AET-L-9). It is no test environment of Aeterna's.
package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are what a stand-in is started with. Credential: public_token, secret_token, email. Settings: timestamp_window (seconds),
// callback_escape_style (dotnet, plain), late_ms, autosettle (off, or milliseconds), webhook_url, webhook_url_callback, webhook_retry_ms.
type Options struct {
	Credential map[string]string
	Settings   map[string]string
	Seed       int64
}

// Sandbox is one merchant's Aeterna. Everything it holds is in memory.
type Sandbox struct {
	public, secret, email string
	window                int64
	late, retry           time.Duration
	escape                string
	hookURL               string
	seed                  int64

	mu         sync.Mutex
	rng        *rand.Rand
	serial     int
	offset     time.Duration
	available  amount // of USDT, six decimals
	hold       amount
	orders     map[string]*order // by id
	byRef      map[string]*order // by kind and reference
	list       []*order
	disputes   map[string]*dispute
	executions map[string]int
	faults     []*fault
	replies    map[string]reply
	hooks      hookMode
	waiting    *callback // reordered: the one that waits for the next
	settleIn   time.Duration
	settleAs   string

	closed chan struct{}
	once   sync.Once
	work   sync.WaitGroup
	client *http.Client
}

// reply is one answer.
type reply struct {
	status int
	kind   string
	body   []byte
}

// New starts a stand-in with 1,000,000 USDT.
func New(o Options) *Sandbox {
	s := &Sandbox{
		public: o.Credential["public_token"], secret: o.Credential["secret_token"], email: o.Credential["email"],
		window: number(o.Settings["timestamp_window"], 60), escape: o.Settings["callback_escape_style"], seed: o.Seed,
		late:      time.Duration(number(o.Settings["late_ms"], 2000)) * time.Millisecond,
		retry:     time.Duration(number(o.Settings["webhook_retry_ms"], 400)) * time.Millisecond,
		rng:       rand.New(rand.NewPCG(uint64(o.Seed), 0xae7e)), //nolint:gosec // a stand-in repeats itself on purpose
		available: parseAmount("1000000", 6), hold: parseAmount("0", 6),
		orders: map[string]*order{}, byRef: map[string]*order{}, disputes: map[string]*dispute{}, executions: map[string]int{}, replies: map[string]reply{},
		hooks: hookMode{mode: "normal"}, settleIn: 3 * time.Second, settleAs: "mixed",
		closed: make(chan struct{}), client: &http.Client{Timeout: 5 * time.Second},
	}
	s.hookURL = o.Settings["webhook_url_callback"]
	if s.hookURL == "" {
		s.hookURL = o.Settings["webhook_url"]
	}
	switch v := o.Settings["autosettle"]; v {
	case "":
	case "off":
		s.settleAs = "off"
	default:
		s.settleIn = time.Duration(number(v, 3000)) * time.Millisecond
	}
	return s
}

func number(text string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

// Close stops the stand-in's goroutines.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	s.once.Do(func() { close(s.closed) })
	s.mu.Unlock()
	s.work.Wait()
	s.client.CloseIdleConnections()
	return nil
}

// later runs a function after a while, unless the stand-in is closed first. The caller holds the lock.
func (s *Sandbox) later(d time.Duration, run func()) {
	select {
	case <-s.closed:
		return
	default:
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		if s.sleep(d, nil) {
			run()
		}
	}()
}

// sleep waits; false when the stand-in was closed or the caller went away.
func (s *Sandbox) sleep(d time.Duration, gone <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.closed:
		return false
	case <-gone:
		return false
	case <-t.C:
		return true
	}
}

func (s *Sandbox) now() time.Time {
	return time.Now().Add(s.offset)
}

// ServeHTTP answers as Aeterna would, and below /_sandbox/ as a stand-in for people and tests.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sandbox/") {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		write(w, problem(413, "too_large", "The body is larger than 1 MiB."))
		return
	}
	f := s.takeFault(r.URL.Path)
	if f == "drop_before" {
		cut(w)
		return
	}
	out := s.answer(r, body)
	s.deliver(w, r, f, out)
}

// answer checks the request and carries it out.
func (s *Sandbox) answer(r *http.Request, body []byte) reply {
	if bad := s.authenticate(r, body); bad != nil {
		return *bad
	}
	s.mu.Lock()
	fixed, ok := s.replies[r.URL.Path]
	s.mu.Unlock()
	if ok {
		return fixed
	}
	operation, ok := s.operations()[r.URL.Path]
	if !ok {
		return problem(404, "no_such_path", "There is nothing at this path.")
	}
	return operation(fieldsOf(body))
}

func (s *Sandbox) operations() map[string]func(fields) reply {
	return map[string]func(fields) reply{
		"/api/payin/create": s.createPayIn, "/api/payout/create": s.createPayOut,
		"/api/payin/status":   func(f fields) reply { return s.orderStatus("payin", f) },
		"/api/payout/status":  func(f fields) reply { return s.orderStatus("payout", f) },
		"/api/dispute/create": s.createDispute, "/api/dispute/status": s.disputeStatus,
		"/api/balance": s.balance, "/api/statistics": s.statistics,
	}
}

// deliver writes the answer, or does to it what a fault asks for. The operation has been carried out by now.
func (s *Sandbox) deliver(w http.ResponseWriter, r *http.Request, kind string, out reply) {
	switch kind {
	case "":
		write(w, out)
	case "lose_reply":
		cut(w)
	case "late":
		if s.sleep(s.late, r.Context().Done()) {
			write(w, out)
		}
	case "http_500":
		write(w, reply{500, "text/plain", []byte("Internal Server Error")})
	case "garbage":
		write(w, reply{200, "application/json", []byte("{\"data\":{\"id\":\x00\xff")})
	case "truncate":
		truncate(w, out)
	case "duplicate":
		write(w, problem(409, "duplicate_reference", "This externalId is already used."))
	case "lie_amount":
		write(w, lie(out))
	default: // "refuse 422 limit": carried out by takeFault before anything was done
		write(w, out)
	}
}

func write(w http.ResponseWriter, out reply) {
	w.Header().Set("Content-Type", out.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// truncate promises the whole body and sends half of it.
func truncate(w http.ResponseWriter, out reply) {
	w.Header().Set("Content-Type", out.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body[:len(out.body)/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// lie adds one to the amount of an answer.
func lie(out reply) reply {
	var v struct {
		Data map[string]any `json:"data"`
	}
	dec := json.NewDecoder(bytes.NewReader(out.body))
	dec.UseNumber()
	if dec.Decode(&v) != nil || v.Data["amount"] == nil {
		return out
	}
	a := parseAmount(fmt.Sprint(v.Data["amount"]), 2)
	v.Data["amount"] = a.plus(parseAmount("1", 2)).text()
	return data(v.Data)
}

func data(v any) reply {
	b, err := json.Marshal(map[string]any{"data": v})
	if err != nil {
		return problem(500, "internal", "The answer could not be written.")
	}
	return reply{200, "application/json", b}
}

func problem(status int, code, message string) reply {
	b, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
	return reply{status, "application/json", b}
}
