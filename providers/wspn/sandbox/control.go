package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// fault is a misbehaviour that waits for its calls.
type fault struct {
	operation, kind string
	times           int
}

// faultPaths are the paths that an operation's name stands for.
func faultPaths(operation string) []string {
	return map[string][]string{
		"payout":           {"/fiat-transaction/withdraw", "/crypto-transaction/withdraw"},
		"deposit":          {"/fiat-transaction/deposit", "/wallet-address/deposit"},
		"convert":          {"/mint-redeem/create"},
		"sub-account":      {"/user-account/create", "/user-account/batch-create"},
		"sub-account-list": {"/user-account/sub-account"},
	}[operation]
}

func (s *Sandbox) takeFault(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		hit := f.operation == path || strings.HasPrefix(f.operation, "/") && prefix+f.operation == path
		for _, p := range faultPaths(f.operation) {
			hit = hit || prefix+p == path
		}
		if !hit {
			continue
		}
		if f.times--; f.times <= 0 {
			s.faults = append(s.faults[:i], s.faults[i+1:]...)
		}
		return f.kind
	}
	return ""
}

// control serves the page and the commands below /_sandbox/.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/_sandbox/")
	switch {
	case r.Method == http.MethodGet && path == "":
		s.page(w)
		return
	case r.Method == http.MethodGet && (path == "executions" || path == "kyb-files"):
		s.mu.Lock()
		var shown any = s.executions
		if path == "kyb-files" { // the names of all files that came in, by client, in the order in which they came
			came := map[string][]string{}
			for _, m := range s.members {
				if len(m.kyb) > 0 {
					came[strconv.FormatInt(m.id, 10)] = m.kyb
				}
			}
			shown = came
		}
		body, err := json.Marshal(shown)
		s.mu.Unlock()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
		return
	case r.Method != http.MethodPost:
		http.Error(w, "there is nothing here", http.StatusNotFound)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	command, ok := map[string]func(*http.Request) string{"fault": s.faultCommand, "settle": s.settleCommand, "webhooks": s.webhooksCommand,
		"clock": s.clockCommand, "autosettle": s.autosettleCommand, "chain-deposit": s.chainCommand, "resend": s.resendCommand, "book": s.bookCommand,

		"kyb": s.kybCommand, "kyb-verdict": s.verdictCommand, "member": s.memberCommand}[path]
	if !ok {
		http.Error(w, "there is nothing here", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	bad := command(r)
	s.mu.Unlock()
	if bad != "" {
		http.Error(w, bad, http.StatusBadRequest)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte("done\n"))
}

func (s *Sandbox) faultCommand(r *http.Request) string {
	f := &fault{operation: r.PostFormValue("operation"), kind: r.PostFormValue("kind"), times: 1}
	if n := r.PostFormValue("times"); n != "" {
		f.times, _ = strconv.Atoi(n)
	}
	kinds := "lose_reply drop_before late http_500 garbage truncate duplicate lie_amount redirect"
	if f.times < 1 || f.operation == "" || f.kind == "" || !strings.Contains(" "+kinds+" ", " "+f.kind+" ") {
		return "operation, times and one of the kinds " + kinds + " are needed"
	}
	if f.operation != "order" && !strings.HasPrefix(f.operation, "/") && faultPaths(f.operation) == nil {
		return "operation is payout, deposit, convert, order, sub-account, sub-account-list or a path"
	}
	s.faults = append(s.faults, f)
	return ""
}

func (s *Sandbox) settleCommand(r *http.Request) string {
	ref := r.PostFormValue("reference")
	o := s.byRequest[ref]
	if id, err := strconv.ParseInt(ref, 10, 64); o == nil && err == nil {
		o = s.byID[id]
	}
	if o == nil {
		return "there is no such order"
	}
	if err := s.settle(o, r.PostFormValue("status")); err != nil {
		return err.Error()
	}
	return ""
}

func (s *Sandbox) webhooksCommand(r *http.Request) string {
	mode := r.PostFormValue("mode")
	if mode == "" || !strings.Contains(" normal off twice before_reply reordered forged ", " "+mode+" ") {
		return "mode is normal, off, twice, before_reply, reordered or forged"
	}
	ms, _ := strconv.Atoi(r.PostFormValue("delay_ms"))
	s.hookMode, s.hookDelay = mode, time.Duration(ms)*time.Millisecond
	return ""
}

func (s *Sandbox) clockCommand(r *http.Request) string {
	secs, err := strconv.Atoi(r.PostFormValue("advance_seconds"))
	if err != nil {
		return "advance_seconds is a number"
	}
	s.advance += time.Duration(secs) * time.Second
	return ""
}

func (s *Sandbox) autosettleCommand(r *http.Request) string {
	if ms := r.PostFormValue("after_ms"); ms != "" {
		n, err := strconv.Atoi(ms)
		if err != nil || n < 0 {
			return "after_ms is a number"
		}
		s.settleMS = n
	}
	if o := r.PostFormValue("outcome"); o != "" {
		if o != "mixed" && o != "succeeded" && o != "off" {
			return "outcome is mixed, succeeded or off"
		}
		s.outcome = o
	}
	return ""
}

func (s *Sandbox) chainCommand(r *http.Request) string {
	d, err := decimal.NewFromString(r.PostFormValue("amount"))
	if err != nil || len(r.PostFormValue("amount")) > 40 || !d.IsPositive() {
		return "amount is a decimal"
	}
	s.chainDeposit(r.PostFormValue("network"), "0x27b1fdb04752bbc536007a920d24acb045561c26", d)
	return ""
}

// resendCommand sends an order's webhook twice more.
func (s *Sandbox) resendCommand(r *http.Request) string {
	o := s.byRequest[r.PostFormValue("reference")]
	if o == nil {
		return "there is no such order"
	}
	mode := s.hookMode
	s.hookMode = "twice"
	s.announce(o)
	s.hookMode = mode
	return ""
}

// bookCommand is somebody at the merchant who uses WSPN's own pages: op=add-address with network, address, label; op=add-account or edit-account with
// the members of an account (id for edit); op=drop with id.
func (s *Sandbox) bookCommand(r *http.Request) string {
	id, _ := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	switch r.PostFormValue("op") {
	case "add-address":
		a := &whiteAddress{id: s.nextID(), network: r.PostFormValue("network"), address: r.PostFormValue("address"), label: r.PostFormValue("label")}
		if !evmShape.MatchString(a.address) || s.whiteByAddress(a.network, a.address) != nil {
			return "a new address is needed"
		}
		s.whitelist = append(s.whitelist, a)
	case "add-account":
		a := &remitAccount{id: s.nextID(), currency: r.PostFormValue("currency"), fields: map[string]any{"isIntermediaryRequired": false, "bankType": "SWIFT"}}
		for name := range r.PostForm {
			if name != "op" {
				a.fields[name] = r.PostFormValue(name)
			}
		}
		s.accounts = append(s.accounts, a)
	case "edit-account":
		a := s.account(id, false)
		if a == nil {
			return "there is no such account"
		}
		for name := range r.PostForm {
			if name != "op" && name != "id" {
				a.fields[name] = r.PostFormValue(name)
			}
		}
	case "drop":
		for i, a := range s.whitelist {
			if a.id == id {
				s.whitelist = append(s.whitelist[:i:i], s.whitelist[i+1:]...)
				return ""
			}
		}
		for i, a := range s.accounts {
			if a.id == id && !a.ours {
				s.accounts = append(s.accounts[:i:i], s.accounts[i+1:]...)
				return ""
			}
		}
		return "there is no such entry"
	default:
		return "op is add-address, add-account, edit-account or drop"
	}
	return ""
}
