package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// fault makes the next calls of an operation go wrong.
type fault struct {
	operation string // payout, deposit, refund, transfer, or a path
	kind      string
	left      int
}

func faultKinds() []string {
	return []string{"lose_reply", "drop_before", "late", "http_500", "garbage", "truncate", "duplicate", "lie_amount", "redirect"}
}

// forced is a refusal that staff of OneKey would decide: blacklists, cadastral checks, internal errors.
type forced struct {
	operation string
	code      int
	left      int
	executed  bool // an internal error after the work was done
}

func operationOf(method, path string) string {
	if method != http.MethodPost {
		return ""
	}
	return map[string]string{"/v3/cashout": "payout", "/v3/deposits": "deposit", "/v3/refunds": "refund", "/v1/wallet/transaction": "transfer"}[path]
}

func (s *Sandbox) takeFault(method, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := operationOf(method, path)
	for i, f := range s.faults {
		if f.operation != path && (op == "" || f.operation != op) {
			continue
		}
		if f.left--; f.left <= 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f.kind
	}
	return ""
}

// takeForced gives a refusal ordered for an operation; 0 if there is none. The caller holds the lock.
func (s *Sandbox) takeForced(operation string, codes ...int) (code int, executed bool) {
	for i, f := range s.refusals {
		if f.operation != operation || (len(codes) > 0 && !slices.Contains(codes, f.code)) {
			continue
		}
		if f.left--; f.left <= 0 {
			s.refusals = slices.Delete(s.refusals, i, i+1)
		}
		return f.code, f.executed
	}
	return 0, false
}

// spoil writes the answer, or what a fault makes of it. All but drop_before happen after the work was done.
func (s *Sandbox) spoil(w http.ResponseWriter, r *http.Request, kind string, rep reply) {
	s.mu.Lock()
	skew := s.skew
	s.mu.Unlock()
	if skew != 0 {
		w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	}
	switch kind {
	case "lose_reply":
		panic(http.ErrAbortHandler)
	case "late":
		t := time.NewTimer(time.Duration(s.number("late_ms", 3000)) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
	case "http_500":
		rep = reply{http.StatusInternalServerError, []byte(`{"code":700,"message":"Internal server error"}`)}
	case "garbage":
		rep.body = []byte("<html><body>It works!</body></html>\x00\xff")
	case "redirect":
		w.Header().Set("Location", "https://example.com"+r.URL.Path)
		rep.status = http.StatusTemporaryRedirect
	case "lie_amount":
		rep.body = lie(rep.body)
	case "truncate":
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)+40))
		w.WriteHeader(rep.status)
		_, _ = w.Write(rep.body[:len(rep.body)/2])
		panic(http.ErrAbortHandler)
	}
	write(w, rep)
}

// lie changes what an answer says about money, or adds it.
func lie(body []byte) []byte {
	m, err := object(body)
	if err != nil {
		return body
	}
	target := m
	for _, inner := range []string{"payment_info", "refund_info"} {
		if p, ok := m[inner].(map[string]any); ok {
			target = p
		}
	}
	target["amount"] = json.Number("987654.32")
	if _, wallet := m["transactional_balance"]; wallet {
		m["currency"] = "XTS"
	}
	out, err := json.Marshal(m)
	if err != nil {
		return fmt.Appendf(nil, "%v", err)
	}
	return out
}
