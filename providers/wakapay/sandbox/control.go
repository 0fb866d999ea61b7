package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// control serves what tests, the demo and people use: see providers.SandboxHandler for the paths. Further ones here:
//
//	GET  /_sandbox/requests   the record of requests, with violations
//	POST /_sandbox/set        form: name=…, value=…            a setting of Options, while running
//	POST /_sandbox/tokens     form: action=revoke              every token given out so far is void
//	POST /_sandbox/keys       form: api_key=…, api_secret=…, keep_old=1    the pair is rotated; webhooks are signed with the new one at once
//	POST /_sandbox/recipient  form: country, kind, number, account, name
//	POST /_sandbox/rate       form: from, to, rate
//	POST /_sandbox/wallet     form: currency, available
//	POST /_sandbox/again      form: reference=…                sends the webhook of a payout again, by the mode in force
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/_sandbox")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		s.controlRead(w, path)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if said := s.act(path, r.PostForm.Get); said != "" {
		http.Error(w, said, http.StatusUnprocessableEntity)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		return
	}
	writeJSON(w, map[string]any{"ok": true})
}

func (s *Sandbox) controlRead(w http.ResponseWriter, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path {
	case "", "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_ = s.page.Execute(w, s.view())
	case "/executions":
		writeJSON(w, s.runs)
	case "/requests":
		writeJSON(w, s.log)
	default:
		http.Error(w, "no such control", http.StatusNotFound)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// act carries out one control; a text says why it cannot.
func (s *Sandbox) act(path string, form func(string) string) string {
	if path == "/clock" {
		return s.advance(form("advance_seconds"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path {
	case "/fault":
		return s.addFault(form)
	case "/settle":
		return s.settle(form("reference"), form("status"))
	case "/webhooks":
		return s.setHooks(form("mode"), form("delay_ms"))
	case "/again":
		p, ok := s.byRef[form("reference")]
		if !ok {
			return "no payout with this reference"
		}
		s.announce(p)
		return ""
	case "/autosettle":
		n, err := strconv.Atoi(or(form("after_ms"), "0"))
		outcome := form("outcome")
		if err != nil || n < 0 || outcome != "mixed" && outcome != "succeeded" && outcome != "off" {
			return "after_ms must be a number and outcome mixed, succeeded or off"
		}
		s.auto = autosettle{after: time.Duration(n) * time.Millisecond, outcome: outcome}
		return ""
	}
	return s.arrange(path, form)
}

func (s *Sandbox) advance(seconds string) string {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 {
		return "advance_seconds must be a number of seconds"
	}
	s.mu.Lock()
	s.offset += time.Duration(n) * time.Second
	all := s.payouts[:len(s.payouts):len(s.payouts)]
	s.mu.Unlock()
	s.settleDue(all...)
	return ""
}

func (s *Sandbox) setHooks(mode, delay string) string {
	n, err := strconv.Atoi(or(delay, "0"))
	if err != nil || n < 0 {
		return "delay_ms must be a number"
	}
	for known := range modeWords() {
		if mode == known {
			s.hooks.mode, s.hooks.delay = mode, time.Duration(n)*time.Millisecond
			return ""
		}
	}
	return "mode must be normal, off, twice, before_reply, reordered or forged"
}

func (s *Sandbox) addFault(form func(string) string) string {
	times, err := strconv.Atoi(or(form("times"), "1"))
	if err != nil || times < 0 || form("operation") == "" || form("kind") == "" {
		return "operation, kind and times are needed"
	}
	delay := s.millis("late_ms", 2000)
	if v := form("delay_ms"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return "delay_ms must be a number"
		}
		delay = time.Duration(n) * time.Millisecond
	}
	s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool { return f.left <= 0 })
	s.faults = append(s.faults, &fault{path: pathOf(form("operation")), kind: form("kind"), left: times, delay: delay})
	return ""
}

// arrange changes what the stand-in holds.
func (s *Sandbox) arrange(path string, form func(string) string) string {
	switch path {
	case "/set":
		if form("name") == "" {
			return "name is needed"
		}
		s.settings[form("name")] = form("value")
	case "/tokens":
		if form("action") != "revoke" {
			return "action must be revoke"
		}
		s.tokens = map[string]time.Time{}
	case "/keys":
		if form("api_key") == "" || form("api_secret") == "" {
			return "api_key and api_secret are needed"
		}
		fresh := []pair{{form("api_key"), form("api_secret")}}
		if form("keep_old") == "1" {
			fresh = append(fresh, s.pairs...)
		}
		s.pairs = fresh
	case "/recipient":
		if form("country") == "" || form("kind") == "" || form("number") == "" {
			return "country, kind and number are needed"
		}
		s.people = append(s.people, recipient{form("country"), form("kind"), form("number"), form("account"), form("name")})
	case "/rate":
		d, err := decimal.NewFromString(form("rate"))
		if err != nil || d.Sign() <= 0 {
			return "rate must be a decimal above zero"
		}
		s.rates[form("from")+form("to")] = d
	case "/wallet":
		d, err := decimal.NewFromString(form("available"))
		if _, known := scaleOf(form("currency")); !known || err != nil {
			return "a known currency and a decimal are needed"
		}
		s.wallets[form("currency")] = &wallet{available: d}
	default:
		return "no such control"
	}
	return ""
}
