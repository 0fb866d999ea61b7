package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fault is what shall go wrong, and how often.
type fault struct {
	operation, kind string
	times           int
}

// pathOf gives the path that an operation's faults happen at.
func pathOf(operation string) string {
	switch operation {
	case "deposit":
		return "/api/payin/create"
	case "payout":
		return "/api/payout/create"
	case "dispute":
		return "/api/dispute/create"
	}
	return operation
}

// takeFault gives the fault that is due at a path and counts it.
func (s *Sandbox) takeFault(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if pathOf(f.operation) != path {
			continue
		}
		if f.times--; f.times <= 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f.kind
	}
	return ""
}

// control is the surface for tests and people.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, "/_sandbox/")
	if r.Method == http.MethodGet {
		switch what {
		case "":
			s.page(w)
		case "executions":
			s.mu.Lock()
			b, _ := json.Marshal(s.executions)
			s.mu.Unlock()
			write(w, reply{200, "application/json", b})
		default:
			http.NotFound(w, r)
		}
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if sentence := s.command(what, r.PostForm.Get); sentence != "" {
		http.Error(w, sentence, http.StatusBadRequest)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// command carries out one control; the sentence says what is wrong with it.
func (s *Sandbox) command(what string, form func(string) string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch what {
	case "fault":
		return s.addFault(form)
	case "settle":
		o := s.find(form("reference"))
		if o == nil {
			return "there is no such reference"
		}
		if err := s.end(o, form("status")); err != nil {
			return err.Error()
		}
	case "again":
		o := s.find(form("reference"))
		if o == nil {
			return "there is no such reference"
		}
		mode := s.hooks.mode
		s.hooks.mode = "twice"
		s.notify(o)
		s.hooks.mode = mode
	case "webhooks":
		switch mode := form("mode"); mode {
		case "normal", "off", "twice", "before_reply", "reordered", "forged", "forged_body", "forged_secret", "forged_none", "forged_twice", "forged_indent":
			s.hooks = hookMode{mode, time.Duration(number(form("delay_ms"), 0)) * time.Millisecond}
		default:
			return "no such mode"
		}
	case "clock":
		n, err := strconv.Atoi(form("advance_seconds"))
		if err != nil {
			return "advance_seconds must be a whole number"
		}
		s.offset += time.Duration(n) * time.Second
	case "autosettle":
		if as := form("outcome"); as != "" {
			s.settleAs = as
		}
		s.settleIn = time.Duration(number(form("after_ms"), s.settleIn.Milliseconds())) * time.Millisecond
	case "reply":
		// The provider's documentation names no path: any path can be given any answer.
		status, err := strconv.Atoi(form("status"))
		if err != nil || status < 100 || status > 599 || !strings.HasPrefix(form("path"), "/") {
			return "path and status are needed"
		}
		s.replies[form("path")] = reply{status, form("content_type"), []byte(form("body"))}
	case "balance":
		if !amountText.MatchString(form("available")) {
			return "available must be an amount"
		}
		s.available = parseAmount(form("available"), 6)
	default:
		return "no such control"
	}
	return ""
}

func (s *Sandbox) addFault(form func(string) string) string {
	switch kind := form("kind"); kind {
	case "lose_reply", "drop_before", "late", "http_500", "garbage", "truncate", "duplicate", "lie_amount":
		s.faults = append(s.faults, &fault{form("operation"), kind, int(number(form("times"), 1))})
	default:
		return "no such fault"
	}
	return ""
}
