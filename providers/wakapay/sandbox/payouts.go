package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// payout is one payout in the shape of WAKA-PAY-1, which is made up.
type payout struct {
	ref, id, kind, country, number, account string
	source, target, description             string
	amount, cost                            decimal.Decimal // in target and in source currency, major units
	written                                 string          // the amount as it came
	status                                  string
	at, due                                 time.Time
	fails                                   bool
}

const (
	pending = "termination_pending"
	success = "termination_success"
	failure = "termination_failure"
)

func (s *Sandbox) show(p *payout) map[string]any {
	m := map[string]any{"businessReference": p.ref, "wakapayReference": p.id, "status": p.status, "type": p.kind, "countryCode": p.country,
		"sourceCurrency": p.source, "targetCurrency": p.target, "amount": p.written}
	switch p.kind {
	case "mobile_money":
		m["phoneNumber"] = p.number
	case "paybill":
		m["accountReference"] = p.account
		fallthrough
	default:
		m["number"] = p.number
	}
	return m
}

func (s *Sandbox) onePayout(ref string) reply {
	p, ok := s.byRef[ref]
	if !ok {
		return ordinary(http.StatusNotFound, "transaction not found")
	}
	return answer(http.StatusOK, s.show(p))
}

func (s *Sandbox) listPayouts(r *http.Request, _ []byte) reply {
	page, size := 1, 20
	for name, into := range map[string]*int{"page": &page, "pageSize": &size} {
		if v := r.URL.Query().Get(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 || n > 1_000_000 {
				return ordinary(http.StatusBadRequest, name+" is invalid")
			}
			*into = n
		}
	}
	size = min(size, 100)
	items := []any{}
	for i := (page - 1) * size; i < min(page*size, len(s.payouts)); i++ {
		items = append(items, s.show(s.payouts[len(s.payouts)-1-i]))
	}
	return answer(http.StatusOK, map[string]any{"items": items, "page": page, "pageSize": size, "total": len(s.payouts)})
}

var referenceShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // WAKA-IDEM-2

// readPayout checks the fields; a text says what is wrong.
func (s *Sandbox) readPayout(body []byte) (*payout, string) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var m map[string]json.RawMessage
	if d.Decode(&m) != nil || m == nil || d.More() {
		return nil, "invalid payload"
	}
	p := &payout{}
	into := map[string]*string{"businessReference": &p.ref, "type": &p.kind, "countryCode": &p.country, "sourceCurrency": &p.source,
		"targetCurrency": &p.target, "amount": &p.written, "description": &p.description}
	switch string(m["type"]) {
	case `"mobile_money"`:
		into["phoneNumber"] = &p.number
	case `"till"`:
		into["number"] = &p.number
	case `"paybill"`:
		into["number"], into["accountReference"] = &p.number, &p.account
	default:
		return nil, "type must be one of: mobile_money, till, paybill"
	}
	for key, raw := range m {
		target, known := into[key]
		v, ok := text(raw)
		if !known || !ok {
			return nil, key + " is invalid"
		}
		*target = v
	}
	for key, v := range into {
		if *v == "" && key != "description" {
			return nil, key + " is required"
		}
	}
	return p, s.checkPayout(p)
}

func (s *Sandbox) checkPayout(p *payout) string {
	home := map[string]string{"KE": "KES", "TZ": "TZS", "UG": "UGX", "ZA": "ZAR"}[p.country]
	scale, sourceKnown := scaleOf(p.target)
	_, targetKnown := scaleOf(p.source)
	switch {
	case !referenceShape.MatchString(p.ref):
		return "businessReference is invalid"
	case home == "":
		return "countryCode must be one of: KE, TZ, UG, ZA"
	case !sourceKnown || !targetKnown || p.target != home:
		return "currency is invalid"
	case !regexp.MustCompile(`^\d{1,15}(\.\d{1,2})?$`).MatchString(p.written):
		return "amount is invalid"
	}
	p.amount = decimal.RequireFromString(p.written)
	if s.settings["amount_unit"] == "minor" {
		if p.amount.Exponent() < 0 {
			return "amount is invalid"
		}
		p.amount = p.amount.Shift(-scale)
	}
	if p.amount.Sign() <= 0 || !p.amount.Equal(p.amount.Truncate(scale)) {
		return "amount is invalid"
	}
	return ""
}

// createPayout is POST /business/payout: duplicate 409, recipient 422, rate 404, money 412, then 201 (WAKA-PAY-2). The money goes from
// available to holding (WAKA-PAY-3). early sends the webhook that overtakes the reply.
func (s *Sandbox) createPayout(body []byte) (out reply, early func()) {
	p, bad := s.readPayout(body)
	if bad != "" {
		return ordinary(http.StatusBadRequest, bad), nil
	}
	if _, twice := s.byRef[p.ref]; twice {
		return ordinary(http.StatusConflict, "duplicate businessReference"), nil
	}
	if _, known := s.find(p.country, p.kind, p.number, p.account); !known {
		return ordinary(http.StatusUnprocessableEntity, "account not active"), nil
	}
	rate, ok := s.rates[p.source+p.target]
	if p.source == p.target {
		rate, ok = decimal.NewFromInt(1), true
	}
	if !ok {
		return ordinary(http.StatusNotFound, "rate not configured"), nil
	}
	scale, _ := scaleOf(p.source)
	p.cost = p.amount.DivRound(rate, scale+6).RoundCeil(scale)
	w := s.wallets[p.source]
	if w == nil || w.available.LessThan(p.cost) {
		return ordinary(http.StatusPreconditionFailed, "insufficient funds"), nil
	}
	w.available, w.holding = w.available.Sub(p.cost), w.holding.Add(p.cost)
	p.id, p.status, p.at = fmt.Sprintf("WKP%012d", len(s.payouts)+1), pending, s.now()
	s.payouts = append(s.payouts, p)
	s.byRef[p.ref] = p
	s.runs[p.ref]++
	out = answer(http.StatusCreated, s.show(p))
	return out, s.begin(p)
}

// begin plans how the payout ends and announces it. The returned function, if any, is to be called before the reply is written.
func (s *Sandbox) begin(p *payout) func() {
	if s.auto.outcome == "mixed" {
		p.fails = s.rng.IntN(7) == 0
	}
	if s.hooks.mode == "before_reply" && s.auto.outcome != "off" {
		event := s.finish(p)
		return func() { s.deliver(event) }
	}
	s.announce(p)
	if s.auto.outcome != "off" {
		p.due = p.at.Add(s.auto.after)
		time.AfterFunc(s.auto.after, func() { s.settleDue(p) })
	}
	return nil
}

// settleDue ends those of the payouts whose time has come.
func (s *Sandbox) settleDue(list ...*payout) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || s.auto.outcome == "off" {
		return
	}
	for _, p := range list {
		if p.status == pending && !p.due.IsZero() && !s.now().Before(p.due) {
			s.finish(p)
			s.announce(p)
		}
	}
}

// finish moves the money out of holding: away, or back. It gives the event.
func (s *Sandbox) finish(p *payout) event {
	w := s.wallets[p.source]
	w.holding = w.holding.Sub(p.cost)
	p.status = success
	if p.fails {
		p.status = failure
		w.available = w.available.Add(p.cost)
	}
	return s.eventOf(p)
}

// settle is the control of that name. A final status never goes back.
func (s *Sandbox) settle(reference, status string) string {
	p, ok := s.byRef[reference]
	switch {
	case !ok:
		return "no payout with this reference"
	case status != "succeeded" && status != "failed":
		return "a payout at WakaPay cannot become " + status
	case p.status != pending:
		return "this payout is final"
	}
	p.fails = status == "failed"
	s.finish(p)
	s.announce(p)
	return ""
}
