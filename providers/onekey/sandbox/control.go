package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// control serves the page and the controls below /_sandbox/.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, "/_sandbox/")
	if r.Method == http.MethodGet {
		switch what {
		case "":
			s.page(w)
		case "executions":
			s.mu.Lock()
			b, _ := json.Marshal(s.executed)
			s.mu.Unlock()
			write(w, reply{http.StatusOK, b})
		default:
			if id, ok := strings.CutPrefix(what, "pay/"); ok {
				s.payPage(w, id)
				return
			}
			http.NotFound(w, r)
		}
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	do := map[string]func(*http.Request) error{"fault": s.setFault, "settle": s.settle, "webhooks": s.setHooks, "clock": s.setClock, "autosettle": s.setAutosettle,
		"refuse": s.setRefusal, "balance": s.setBalance, "resend": s.resend}[what]
	if do == nil {
		http.NotFound(w, r)
		return
	}
	if err := do(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.PostForm.Get("back") != "" {
		http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		return
	}
	write(w, reply{http.StatusOK, []byte(`{"ok":true}`)})
}

// times reads how often; at least once.
func times(r *http.Request) int {
	n, err := strconv.Atoi(r.PostForm.Get("times"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

func (s *Sandbox) setFault(r *http.Request) error {
	op, kind := r.PostForm.Get("operation"), r.PostForm.Get("kind")
	if !slices.Contains(faultKinds(), kind) {
		return fmt.Errorf("the kinds are %s", strings.Join(faultKinds(), ", "))
	}
	if !slices.Contains([]string{"payout", "deposit", "refund", "transfer"}, op) && !strings.HasPrefix(op, "/") {
		return fmt.Errorf("the operation is payout, deposit, refund, transfer or a path")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault{op, kind, times(r)})
	return nil
}

// setRefusal orders a refusal that has no natural cause here: operation=payout|cancel|validation|pix, code=504, times=N, executed=yes.
func (s *Sandbox) setRefusal(r *http.Request) error {
	code, err := strconv.Atoi(r.PostForm.Get("code"))
	if err != nil {
		return fmt.Errorf("the code is a number")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, &forced{r.PostForm.Get("operation"), code, times(r), r.PostForm.Get("executed") == "yes"})
	return nil
}

func (s *Sandbox) setBalance(r *http.Request) error {
	if !amountShape.MatchString(r.PostForm.Get("amount")) {
		return fmt.Errorf("the amount is a decimal")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := decimal.RequireFromString(r.PostForm.Get("amount"))
	if w := r.PostForm.Get("wallet"); w != "" {
		s.wallet[w] = d
		return nil
	}
	s.balances[r.PostForm.Get("currency")] = d
	return nil
}

func (s *Sandbox) setHooks(r *http.Request) error {
	mode := r.PostForm.Get("mode")
	if !slices.Contains([]string{"normal", "off", "twice", "before_reply", "reordered", "forged"}, mode) {
		return fmt.Errorf("the modes are normal, off, twice, before_reply, reordered, forged")
	}
	ms, _ := strconv.Atoi(r.PostForm.Get("delay_ms"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = hookMode{mode, time.Duration(max(0, ms)) * time.Millisecond}
	return nil
}

// setClock moves the clock of business (expiry); skew_seconds moves the one that checks X-Date.
func (s *Sandbox) setClock(r *http.Request) error {
	n, err := strconv.Atoi(r.PostForm.Get("advance_seconds"))
	k, err2 := strconv.Atoi(r.PostForm.Get("skew_seconds"))
	if err != nil && err2 != nil {
		return fmt.Errorf("advance_seconds or skew_seconds is a number")
	}
	s.mu.Lock()
	s.advanced += time.Duration(n) * time.Second
	if err2 == nil {
		s.skew = time.Duration(k) * time.Second
	}
	s.mu.Unlock()
	s.expire()
	return nil
}

func (s *Sandbox) setAutosettle(r *http.Request) error {
	outcome := r.PostForm.Get("outcome")
	if !slices.Contains([]string{"mixed", "succeeded", "off"}, outcome) {
		return fmt.Errorf("the outcomes are mixed, succeeded, off")
	}
	ms, err := strconv.Atoi(r.PostForm.Get("after_ms"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.autosettle = outcome
	if err == nil && ms >= 0 {
		s.settleMS = ms
	}
	return nil
}

// settle decides the fate of one object, by our reference or by OneKey's number.
func (s *Sandbox) settle(r *http.Request) error {
	ref, status := r.PostForm.Get("reference"), r.PostForm.Get("status")
	c, d, f := s.lookup(ref)
	switch {
	case c != nil:
		return s.settleCashout(c, status)
	case f != nil:
		return s.settleRefund(f, status)
	case d != nil:
		return s.settleDeposit(d, status)
	}
	return fmt.Errorf("nothing has the reference %q", ref)
}

func (s *Sandbox) lookup(ref string) (*cashout, *deposit, *refund) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := strconv.ParseInt(ref, 10, 64)
	c := s.byExternal[ref]
	if c == nil {
		c = s.byCashout[n]
	}
	d := s.byInvoice[ref]
	if d == nil {
		d = s.byDeposit[n]
	}
	f := s.byRefund[n]
	for _, x := range s.refunds {
		if x.invoice == ref {
			f = x
		}
	}
	return c, d, f
}

func (s *Sandbox) settleCashout(c *cashout, status string) error {
	done := false
	switch status {
	case "succeeded":
		done = s.move(c, []int{0, 4, 5}, 1, 0, "")
	case "failed":
		done = s.move(c, []int{0, 4, 5}, 3, 800, "ERROR_ACCOUNT_INCORRECT")
	case "held":
		done = s.move(c, []int{0}, 5, 0, "")
	case "cancelled":
		done = s.move(c, []int{0, 5}, 2, 0, "")
	case "delivered":
		done = s.move(c, []int{0}, 4, 0, "")
	case "returned":
		s.move(c, []int{0, 4, 5}, 1, 0, "")
		done = s.move(c, []int{1}, 3, 826, "WITHDRAWAL_REVERSED")
	}
	if !done {
		return fmt.Errorf("cashout %s is %s and cannot become %q", c.external, describe(c.status), status)
	}
	return nil
}

// resend repeats the last callback of an object.
func (s *Sandbox) resend(r *http.Request) error {
	c, d, f := s.lookup(r.PostForm.Get("reference"))
	switch {
	case c != nil:
		s.notify(s.cashoutCallback(c))
	case f != nil:
		s.notify(s.refundCallback(f))
	case d != nil:
		s.notify(s.depositCallback(d))
	default:
		return fmt.Errorf("nothing has that reference")
	}
	return nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
