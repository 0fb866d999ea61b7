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
// http_500, garbage, truncate, duplicate, lie_amount): http_500_before, http_401, empty_401, http_403, http_429, http_429_retry_after, html_502,
// redirect, wrong_reference, old_status, wrong_recipient.
//
// http_500 comes after the call was carried out, which is the worse case; http_500_before before it.
type fault struct {
	path, kind string
	left       int
	delay      time.Duration
}

func pathOf(operation string) string {
	switch operation {
	case "payout":
		return "/business/payout"
	case "auth":
		return "/business/auth"
	}
	return operation
}

func (s *Sandbox) takeFault(path string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.left > 0 && (f.path == path || f.path == "*" || strings.HasPrefix(path, f.path+"/")) {
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
	switch f.kind {
	case "drop_before":
		return reply{}, true
	case "http_500_before":
		return ordinary(http.StatusInternalServerError, "internal error"), true
	case "http_401":
		return layer("token is expired"), true
	case "empty_401":
		return reply{status: http.StatusUnauthorized, header: http.Header{}}, true
	case "http_403":
		return ordinary(http.StatusForbidden, "forbidden"), true
	case "http_429", "http_429_retry_after":
		out := ordinary(http.StatusTooManyRequests, "too many requests")
		if f.kind == "http_429_retry_after" {
			out.header.Set("Retry-After", "2")
		}
		return out, true
	case "html_502":
		return reply{status: http.StatusBadGateway, header: http.Header{"Content-Type": {"text/html"}}, body: []byte("<html>Bad gateway</html>")}, true
	case "redirect":
		return reply{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {"http://192.0.2.1/elsewhere"}}}, true
	}
	return reply{}, false
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
		out = ordinary(http.StatusInternalServerError, "internal error")
	case "duplicate":
		out = ordinary(http.StatusConflict, "duplicate businessReference")
	case "garbage":
		out.body = append([]byte("\x00\xff{"), out.body...)
	case "lie_amount", "wrong_reference", "old_status", "wrong_recipient":
		out.body = lie(out.body, kind)
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
	case <-s.ctx.Done():
	case <-r.Context().Done():
	}
}

// lie rewrites fields of an answer.
func lie(body []byte, kind string) []byte {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return body
	}
	for key, v := range m {
		text, isText := v.(string)
		number, isNumber := v.(json.Number)
		switch {
		case kind == "lie_amount" && key == "amount" && isText:
			m[key] = "1" + text
		case kind == "lie_amount" && isNumber:
			m[key] = json.Number("1" + string(number))
		case kind == "wrong_reference" && key == "businessReference":
			m[key] = "SOMEBODYELSE"
		case kind == "old_status" && key == "status":
			m[key] = "completed"
		case kind == "wrong_recipient" && (key == "phoneNumber" || key == "number"):
			m[key] = text + "9"
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		return body
	}
	return out
}
