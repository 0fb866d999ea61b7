package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// order is a PayIn or a PayOut.
type order struct {
	kind, id, reference, status, currency, method string
	who                                           string // payer or recipient, as the page shows it
	amount, paid, cost                            amount
	hasPaid                                       bool
	notify                                        string
	dispute                                       string // id of the open dispute
	expires                                       time.Time
}

// fields is a request body.
type fields struct {
	v map[string]any
}

func fieldsOf(body []byte) fields {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	f := fields{}
	_ = dec.Decode(&f.v) // authenticate has read it already
	return f
}

// only refuses fields that the operation does not have.
func (f fields) only(names ...string) *reply {
	for k := range f.v {
		if !slices.Contains(names, k) {
			return invalid("unknown field " + k)
		}
	}
	return nil
}

// text gives a string field; ok is false when it is there and not a string.
func (f fields) text(name string) (value string, there, ok bool) {
	v, there := f.v[name]
	if !there {
		return "", false, true
	}
	value, ok = v.(string)
	return value, true, ok
}

func invalid(message string) *reply {
	out := problem(400, "validation_failed", message)
	return &out
}

var (
	referenceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	moneyForm     = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,2})?$`)
	currencyForm  = regexp.MustCompile(`^[A-Z]{3}$`)
	uuidForm      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// required reads a string field that must match a form.
func (f fields) required(name string, form *regexp.Regexp) (string, *reply) {
	v, there, ok := f.text(name)
	if !there || !ok || !form.MatchString(v) {
		return "", invalid(name + " is missing or not in its form")
	}
	return v, nil
}

// common reads what PayIns and PayOuts share.
func (f fields) common(kind string) (*order, *reply) {
	o := &order{kind: kind}
	var bad *reply
	if o.reference, bad = f.required("externalId", referenceForm); bad != nil {
		return nil, bad
	}
	money, bad := f.required("amount", moneyForm)
	if bad != nil {
		return nil, bad
	}
	if o.amount = parseAmount(money, 2); !o.amount.positive() {
		return nil, invalid("amount must be above zero")
	}
	if o.currency, bad = f.required("currency", currencyForm); bad != nil {
		return nil, bad
	}
	if o.method, bad = f.required("method", regexp.MustCompile(`^(card|sbp|account)$`)); bad != nil {
		return nil, bad
	}
	o.notify, bad = f.callback()
	return o, bad
}

// callback takes an https address; http only on this machine, because tests and the demo live there.
func (f fields) callback() (string, *reply) {
	v, there, ok := f.text("callbackUrl")
	if !there {
		return "", nil
	}
	u, err := url.Parse(v)
	local := err == nil && u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
	if !ok || err != nil || u.Host == "" || u.Scheme != "https" && !local {
		return "", invalid("callbackUrl must be an https address")
	}
	return v, nil
}

func (s *Sandbox) createPayIn(f fields) reply {
	if bad := f.only("externalId", "amount", "currency", "method", "clientId", "callbackUrl"); bad != nil {
		return *bad
	}
	o, bad := f.common("payin")
	if bad != nil {
		return *bad
	}
	if o.who, bad = f.required("clientId", regexp.MustCompile(`^.{1,64}$`)); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if bad := s.mayCreate(o); bad != nil {
		return *bad
	}
	if o.who == "no-requisites" {
		return problem(422, "no_requisites", "No account is free to take this payment.")
	}
	o.status, o.expires = "pending", s.now().Add(20*time.Minute).UTC()
	s.keep(o)
	requisites := map[string]string{"number": "2200" + fmt.Sprintf("%012d", s.rng.Int64N(1_000_000_000_000)), "holder": "Иван П.", "bank": "Demo & Co Bank"}
	if o.method == "sbp" {
		requisites["number"] = "+7900" + fmt.Sprintf("%07d", s.rng.Int64N(10_000_000))
	}
	return data(map[string]any{"id": o.id, "externalId": o.reference, "status": "created", "amount": o.amount.text(), "currency": o.currency,
		"requisites": requisites, "expiresAt": o.expires.Format(time.RFC3339)})
}

func (s *Sandbox) createPayOut(f fields) reply {
	if bad := f.only("externalId", "amount", "currency", "method", "recipient", "callbackUrl"); bad != nil {
		return *bad
	}
	o, bad := f.common("payout")
	if bad != nil {
		return *bad
	}
	if o.who, bad = recipient(f, o.method); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if bad := s.mayCreate(o); bad != nil {
		return *bad
	}
	o.cost = inUSDT(o.amount, o.currency)
	if s.available.less(o.cost) {
		return problem(422, "insufficient_balance", "The balance is too small.")
	}
	s.available, s.hold = s.available.minus(o.cost), s.hold.plus(o.cost)
	o.status = "processing"
	s.keep(o)
	return data(map[string]any{"id": o.id, "externalId": o.reference, "status": "created", "amount": o.amount.text(), "currency": o.currency})
}

func recipient(f fields, method string) (string, *reply) {
	v, ok := f.v["recipient"].(map[string]any)
	if !ok {
		return "", invalid("recipient is missing")
	}
	to := fields{v}
	if bad := to.only("number", "holder", "bank"); bad != nil {
		return "", bad
	}
	number, bad := to.required("number", regexp.MustCompile(`^[A-Za-z0-9+]{5,34}$`))
	if bad != nil {
		return "", bad
	}
	for _, name := range []string{"holder", "bank"} {
		if v, there, ok := to.text(name); !ok || there && (strings.TrimSpace(v) == "" || len([]rune(v)) > 100) {
			return "", invalid("recipient." + name + " is not in its form")
		}
	}
	if _, there, _ := to.text("bank"); method == "sbp" && !there {
		return "", invalid("recipient.bank is required for sbp")
	}
	return number, nil
}

// mayCreate makes the checks of both kinds that come after validation. The caller holds the lock.
func (s *Sandbox) mayCreate(o *order) *reply {
	if s.byRef[o.kind+" "+o.reference] != nil {
		out := problem(409, "duplicate_reference", "This externalId is already used.")
		return &out
	}
	if parseAmount("1000000", 2).less(o.amount) {
		out := problem(422, "limit", "The amount is above the limit of 1000000.")
		return &out
	}
	return nil
}

// keep books a new order: from here on money has moved. The caller holds the lock.
func (s *Sandbox) keep(o *order) {
	o.id = s.newID()
	s.orders[o.id], s.byRef[o.kind+" "+o.reference] = o, o
	s.list = append(s.list, o)
	s.executions[o.reference]++
	s.notify(o)
	if s.settleAs != "off" {
		as := s.settleAs
		s.later(s.settleIn, func() { s.settleByItself(o, as) })
	}
}

// newID makes a UUID that a seed repeats. The caller holds the lock.
func (s *Sandbox) newID() string {
	s.serial++
	h := sha256.Sum256(fmt.Appendf(nil, "%d/%d", s.seed, s.serial))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// pick finds the one that a status question is about: exactly one of id and externalId. The caller holds the lock.
func (s *Sandbox) pick(kind string, f fields) (*order, *reply) {
	if bad := f.only("id", "externalId"); bad != nil {
		return nil, bad
	}
	id, hasID, ok1 := f.text("id")
	ref, hasRef, ok2 := f.text("externalId")
	if hasID == hasRef || !ok1 || !ok2 {
		return nil, invalid("exactly one of id and externalId is needed")
	}
	o := s.byRef[kind+" "+ref]
	if hasID {
		o = s.orders[id]
	}
	if o == nil || o.kind != kind {
		out := problem(404, "not_found", "There is no such object.")
		return nil, &out
	}
	return o, nil
}

func (s *Sandbox) orderStatus(kind string, f fields) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, bad := s.pick(kind, f)
	if bad != nil {
		return *bad
	}
	out := map[string]any{"id": o.id, "externalId": o.reference, "status": o.status, "amount": o.amount.text(), "currency": o.currency}
	if kind == "payin" {
		out["paidAmount"] = nil
		if o.hasPaid {
			out["paidAmount"] = o.paid.text()
		}
	}
	return data(out)
}
