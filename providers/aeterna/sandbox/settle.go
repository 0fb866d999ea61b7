package sandbox

import (
	"errors"
	"regexp"
	"strings"
)

// dispute asks to look at a PayIn again.
type dispute struct {
	id, payIn, status string
	amount            amount
	hasAmount         bool
}

func (s *Sandbox) createDispute(f fields) reply {
	if bad := f.only("payInId", "amount", "comment", "proofUrl"); bad != nil {
		return *bad
	}
	id, bad := f.required("payInId", uuidForm)
	if bad != nil {
		return *bad
	}
	d := &dispute{payIn: id, status: "open"}
	if text, there, ok := f.text("amount"); there {
		if !ok || !moneyForm.MatchString(text) || !parseAmount(text, 2).positive() {
			return *invalid("amount is not in its form")
		}
		d.amount, d.hasAmount = parseAmount(text, 2), true
	}
	if text, _, ok := f.text("comment"); !ok || len([]rune(text)) > 1000 {
		return *invalid("comment has more than 1000 characters")
	}
	if text, there, ok := f.text("proofUrl"); there && (!ok || !regexp.MustCompile(`^https://[^/]+`).MatchString(text)) {
		return *invalid("proofUrl must be an https address")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[id]
	if o == nil || o.kind != "payin" {
		return problem(404, "not_found", "There is no such PayIn.")
	}
	if o.dispute != "" {
		return problem(409, "dispute_open", "There is an open dispute about this PayIn.")
	}
	if o.status != "pending" && o.status != "cancelled" && o.status != "expired" {
		return problem(400, "not_disputable", "A PayIn that is "+o.status+" cannot be disputed.")
	}
	d.id = s.newID()
	s.disputes[d.id] = d
	o.dispute, o.status = d.id, "dispute"
	s.notify(o)
	return data(map[string]any{"id": d.id, "payInId": d.payIn, "status": d.status})
}

func (s *Sandbox) disputeStatus(f fields) reply {
	if bad := f.only("id"); bad != nil {
		return *bad
	}
	id, bad := f.required("id", uuidForm)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.disputes[id]
	if d == nil {
		return problem(404, "not_found", "There is no such dispute.")
	}
	out := map[string]any{"id": d.id, "payInId": d.payIn, "status": d.status, "amount": nil}
	if d.hasAmount {
		out["amount"] = d.amount.text()
	}
	return data(out)
}

// settleByItself ends an order as a provider would after a while, unless somebody ended it before.
func (s *Sandbox) settleByItself(o *order, as string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settleAs == "off" || o.status != "pending" && o.status != "processing" {
		return
	}
	if as == "mixed" {
		as = "succeeded"
		switch n := s.rng.IntN(100); {
		case n < 5:
			as = "cancelled"
		case n < 15 && o.kind == "payin":
			as = "expired"
		case n < 15:
			as = "failed"
		}
	}
	_ = s.end(o, as)
}

// end brings an order to the status that the control surface asks for. The caller holds the lock.
func (s *Sandbox) end(o *order, as string) error {
	if o.kind == "payout" {
		return s.endPayOut(o, as)
	}
	switch as {
	case "succeeded", "paid", "paid_late", "paid_short":
		return s.payIn(o, as)
	case "expired", "cancelled", "failed":
		if o.status == "completed" || o.status == "cancelled" || o.status == "expired" { // only money that comes late turns these
			return errors.New("it is " + o.status + " already")
		}
		o.status = "cancelled"
		if as == "expired" {
			o.status = "expired"
		}
		s.closeDispute(o, "rejected")
	default:
		return errors.New("a PayIn cannot become " + as)
	}
	s.notify(o)
	return nil
}

// payIn books money that arrived. Late money finds the PayIn expired; it counts all the same (AET-L-7).
func (s *Sandbox) payIn(o *order, as string) error {
	if o.status == "completed" {
		return errors.New("it is paid already")
	}
	if as == "paid_late" && o.status == "pending" {
		o.status = "expired"
		s.notify(o)
	}
	o.paid, o.hasPaid = o.amount, true
	if as == "paid_short" {
		o.paid = o.amount.part(9, 10)
	}
	if d := s.disputes[o.dispute]; d != nil && d.hasAmount {
		o.paid = d.amount
	}
	o.status = "completed"
	s.available = s.available.plus(inUSDT(o.paid, o.currency))
	s.closeDispute(o, "accepted")
	s.notify(o)
	return nil
}

func (s *Sandbox) closeDispute(o *order, as string) {
	if d := s.disputes[o.dispute]; d != nil {
		d.status, o.dispute = as, ""
	}
}

func (s *Sandbox) endPayOut(o *order, as string) error {
	if o.status != "processing" {
		return errors.New("this PayOut is final")
	}
	switch as {
	case "succeeded", "paid":
		o.status = "completed"
	case "failed", "cancelled":
		o.status = as
		s.available = s.available.plus(o.cost)
	default:
		return errors.New("a PayOut cannot become " + as)
	}
	s.hold = s.hold.minus(o.cost)
	s.notify(o)
	return nil
}

// find looks an order up by our reference, whatever its kind. The caller holds the lock.
func (s *Sandbox) find(reference string) *order {
	for _, kind := range []string{"payout", "payin"} {
		if o := s.byRef[kind+" "+strings.TrimSpace(reference)]; o != nil {
			return o
		}
	}
	return nil
}
