package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fault changes the answer to the next calls of one operation. Kinds, beyond the ones every stand-in has (lose_reply, drop_before, late,
// http_500, garbage, truncate, duplicate, lie_amount): http_500_before, http_429, http_429_retry_after, http_503, html_200, html_403,
// html_502, status_false, top_message, redirect, wrong_order, no_name.
//
// http_500 comes after the call was carried out, which is the worse case; http_500_before before it.
type fault struct {
	path, kind string
	left       int
	delay      time.Duration
}

func pathOf(operation string) string {
	switch operation {
	case "order", "payout":
		return "/api/order/pull-codes"
	}
	return operation
}

func (s *Sandbox) takeFault(path string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.left > 0 && (f.path == path || f.path == "*") {
			f.left--
			return f
		}
	}
	return nil
}

// before is what a fault does instead of carrying the call out.
func (s *Sandbox) before(f *fault) (reply, bool) {
	if f == nil {
		return reply{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f.kind {
	case "drop_before":
		return reply{}, true
	case "http_500_before":
		return s.problem(http.StatusInternalServerError, "INTERNAL_ERROR", "Unexpected error."), true
	case "http_503":
		return s.problem(http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "Try later."), true
	case "http_429", "http_429_retry_after":
		out := s.problem(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "Too many requests.")
		if f.kind == "http_429_retry_after" {
			out.header.Set("Retry-After", "2")
		}
		return out, true
	case "html_403":
		return html(http.StatusForbidden), true
	case "html_502":
		return html(http.StatusBadGateway), true
	case "top_message":
		return answer(http.StatusBadRequest, map[string]any{"status": false, "message": "top-level text"}), true
	case "redirect":
		return reply{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {"http://192.0.2.1/elsewhere"}}}, true
	}
	return reply{}, false
}

func html(status int) reply {
	return reply{status: status, header: http.Header{"Content-Type": {"text/html"}}, body: []byte("<html><body>Access denied by firewall</body></html>")}
}

// after writes the answer, bent by the fault. The call has been carried out by now.
func (s *Sandbox) after(w http.ResponseWriter, r *http.Request, f *fault, out reply) {
	kind := ""
	if f != nil {
		kind = f.kind
	}
	switch kind {
	case "lose_reply", "drop_before":
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	case "late":
		s.hold(r, f.delay)
	case "http_500":
		out = answer(http.StatusInternalServerError, map[string]any{"status": false, "error": map[string]any{"code": "INTERNAL_ERROR", "message": "Unexpected error."}})
	case "duplicate":
		out = answer(http.StatusConflict, map[string]any{"status": false, "error": map[string]any{"code": "CONFLICT", "message": "Duplicate resource."}})
	case "garbage":
		out.body = append([]byte("\x00\xff{"), out.body...)
	case "html_200":
		out = html(http.StatusOK)
	case "status_false":
		out = answer(http.StatusOK, map[string]any{"status": false, "error": map[string]any{"code": "INTERNAL_ERROR", "message": "failed under 200"}})
	case "lie_amount":
		out.body = lie(out.body)
	case "wrong_order":
		out.body = bytes.Replace(out.body, []byte(`"orderName":"A`), []byte(`"orderName":"B`), 1)
	case "no_name":
		out.body = bytes.Replace(out.body, []byte(`"orderName"`), []byte(`"order"`), 1)
	}
	for k, v := range out.header {
		w.Header()[k] = v
	}
	if kind == "truncate" {
		w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
		w.WriteHeader(out.status)
		_, _ = w.Write(out.body[:len(out.body)/2])
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}

// hold waits, but no longer than the caller or the sandbox lives.
func (s *Sandbox) hold(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.closed:
	case <-r.Context().Done():
	}
}

// lie makes every amount in an answer one hundred more.
func lie(body []byte) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return body
	}
	out, err := json.Marshal(bend(v))
	if err != nil {
		return body
	}
	return out
}

func bend(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, inner := range x {
			n, isNumber := inner.(json.Number)
			if isNumber && (strings.HasSuffix(k, "Amount") || k == "price" || k == "creditBalance") {
				x[k] = json.Number("1" + string(n))
				continue
			}
			x[k] = bend(inner)
		}
	case []any:
		for i := range x {
			x[i] = bend(x[i])
		}
	}
	return v
}
