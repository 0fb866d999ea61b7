package sandbox

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// cashout is one payout as OneKey would hold it.
type cashout struct {
	id         int64
	external   string
	country    string
	currency   string
	amount     decimal.Decimal
	status     int // 0 pending, 1 completed, 2 cancelled, 3 rejected, 4 delivered, 5 on hold
	code       int // rejection
	reason     string
	bankRef    string
	comments   string
	notify     string
	document   string
	createdAt  time.Time
	changedAt  time.Time
	completeAt time.Time
}

func describe(status int) string {
	return map[int]string{0: "Pending", 1: "Completed", 2: "Canceled", 3: "Rejected", 4: "Delivered", 5: "On hold"}[status]
}

func (s *Sandbox) createCashout(c *call) reply {
	m, bad := s.cashoutAuth(c)
	if bad != nil {
		return *bad
	}
	if p := s.cashoutFields(m); p != nil {
		return s.cashoutError(p.code, p.message)
	}
	rep, made := s.acceptCashout(m)
	if made != nil {
		s.afterCreate(made)
	}
	return rep
}

// acceptCashout holds the lock from the duplicate check to the booking, so that two of the same reference can never both pass.
func (s *Sandbox) acceptCashout(m map[string]any) (reply, *cashout) {
	s.mu.Lock()
	defer s.mu.Unlock()
	external, country := str(m, "external_id"), str(m, "country")
	if code, _ := s.takeForced("payout", 518, 519, 539); code != 0 {
		return s.refuse(external, code, "Not available"), nil
	}
	switch {
	case s.opt.Settings["merchant_enabled"] == "no":
		return s.refuse(external, 519, "Merchant not enabled"), nil
	case !slices.Contains(strings.Split(s.setting("countries", "BR,CL,MX,CO,AR,PE"), ","), country):
		return s.refuse(external, 518, "Country not available"), nil
	case slices.Contains(strings.Split(s.setting("disabled_countries", ""), ","), country):
		return s.refuse(external, 539, "Payout method unavailable"), nil
	case s.byExternal[external] != nil || s.burned[external]:
		return s.cashoutError(511, "The external id was already used"), nil
	}
	if p := s.contactRules(m); p != nil {
		return s.refuse(external, p.code, p.message), nil
	}
	code, executed := s.takeForced("payout")
	if code != 0 && !executed {
		return s.refuse(external, code, forcedText(code)), nil
	}
	amount := decimal.RequireFromString(numeric(m["amount"]))
	currency := str(m, "currency")
	if s.balances[currency].LessThan(amount) {
		return s.refuse(external, 514, "Insufficient funds"), nil
	}
	s.balances[currency] = s.balances[currency].Sub(amount)
	made := &cashout{id: s.newID(), external: external, country: country, currency: currency, amount: amount, notify: str(m, "notification_url"),
		comments: str(m, "comments"), document: str(m, "document_id"), createdAt: s.now(), changedAt: s.now()}
	if m["on_hold"] == true {
		made.status = 5
	}
	s.cashouts = append(s.cashouts, made)
	s.byExternal[external], s.byCashout[made.id] = made, made
	s.executed[external]++
	if executed {
		return s.cashoutError(code, forcedText(code)), made
	}
	return answer(http.StatusOK, map[string]any{"cashout_id": strconv.FormatInt(made.id, 10)}), made
}

func forcedText(code int) string {
	texts := map[int]string{503: "Regulatory limits", 504: "User unauthorized due to cadastral situation", 508: "Limit exceeded: DAILY", 515: "Invalid user status: BLACKLISTED",
		524: "Invalid credentials, contact support", 525: "Close-loop rejection", 537: "The cashout could not be made", 538: "Invalid account status: BLACKLISTED",
		541: "E-mail used by another beneficiary", 542: "Phone used by another beneficiary", 703: "The cashout could not be made"}
	if t := texts[code]; t != "" {
		return t
	}
	return fmt.Sprintf("Refused with %d", code)
}

// refuse answers a refusal; by OKP-IDEM-2 it may burn the reference.
func (s *Sandbox) refuse(external string, code int, message string) reply {
	if s.setting("refusal_burns_reference", "no") == "yes" {
		s.burned[external] = true
	}
	return s.cashoutError(code, message)
}

// afterCreate starts what happens by itself.
func (s *Sandbox) afterCreate(made *cashout) {
	s.mu.Lock()
	early := s.hooks.mode == "before_reply"
	s.mu.Unlock()
	if early {
		s.deliverNow(s.cashoutCallback(made))
	}
	s.autosettleCashout(made)
}

// autosettleCashout sends a pending cashout to the bank and lets the bank decide.
func (s *Sandbox) autosettleCashout(made *cashout) {
	s.mu.Lock()
	mode, wait := s.autosettle, time.Duration(s.settleMS)*time.Millisecond
	pending := made.status == 0
	s.mu.Unlock()
	if mode == "off" || !pending {
		return
	}
	end, fate := 1, bucket(made.external)
	if mode == "mixed" && fate >= 85 && fate < 95 {
		end = 3
	}
	s.byItself(wait/2, func() { s.move(made, []int{0}, 4, 0, "") })
	s.byItself(wait, func() {
		if end == 3 {
			s.move(made, []int{0, 4}, 3, 800, "ERROR_ACCOUNT_INCORRECT")
			return
		}
		s.move(made, []int{0, 4}, 1, 0, "")
		if mode == "mixed" && fate >= 95 {
			s.byItself(2*wait, func() { s.move(made, []int{1}, 3, 826, "WITHDRAWAL_REVERSED") })
		}
	})
}

// byItself does later what nobody decides, unless somebody has said meanwhile that nothing is to happen by itself.
func (s *Sandbox) byItself(d time.Duration, f func()) {
	s.later(d, func() {
		s.mu.Lock()
		off := s.autosettle == "off"
		s.mu.Unlock()
		if !off {
			f()
		}
	})
}

// bucket spreads references over 0 to 99, the same in every run.
func bucket(reference string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(reference))
	return int(h.Sum32() % 100)
}

// move changes a status if it is one of from, gives money back where that follows, and tells the merchant.
func (s *Sandbox) move(c *cashout, from []int, to, code int, reason string) bool {
	s.mu.Lock()
	if !slices.Contains(from, c.status) {
		s.mu.Unlock()
		return false
	}
	c.status, c.code, c.reason, c.changedAt = to, code, reason, s.now()
	switch to {
	case 1:
		c.bankRef = "E" + fmt.Sprintf("%08d", 90400888) + c.changedAt.Format("200601021504") + fmt.Sprintf("%011d", c.id)
		c.completeAt = c.changedAt
	case 2, 3:
		s.balances[c.currency] = s.balances[c.currency].Add(c.amount)
	}
	s.mu.Unlock()
	s.notify(s.cashoutCallback(c))
	return true
}

// numeric gives the text of a JSON number or numeric string.
func numeric(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return v
	}
	return ""
}

var amountShape = regexp.MustCompile(`^\d{1,18}(\.\d{1,2})?$`)
