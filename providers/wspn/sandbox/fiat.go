package sandbox

import "github.com/shopspring/decimal"

// fiatWithdraw pays to a registered account (4.5).
func (s *Sandbox) fiatWithdraw(in *incoming) reply {
	q, bad := s.query(in, []rule{{"currency", "string", true, 0}, {"amount", "amount", true, 0}, {"remitInfoId", "integer", true, 0},
		{"referenceNo", "string", false, 255}, {"purpose", "string", false, 255}, requestIDRule})
	if bad != nil {
		return *bad
	}
	id, currency := text(q, "requestId"), text(q, "currency")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	d, bad := readAmount(text(q, "amount"), currency)
	if bad != nil {
		return *bad
	}
	account := s.account(whole(q["remitInfoId"]), false)
	switch {
	case account == nil:
		return s.no(in, id, "TEST_REMIT_INFO", "there is no such bank account")
	case account.currency != currency:
		return s.no(in, id, "TEST_CURRENCY", "the currency is not that of the bank account")
	case d.LessThan(decimal.New(100, 0)):
		return s.no(in, id, "TEST_MINIMUM", "the smallest withdrawal is 100")
	}
	moved, bad := s.takeOut(currency, d)
	if bad != nil {
		return *bad
	}
	o := &order{id: s.nextOrderID(), kind: "fiat-out", requestID: id, currency: currency, moved: moved, status: "TO_BE_PROCESSED",
		remitID: account.id, reference: text(q, "referenceNo"), purpose: text(q, "purpose")}
	s.keep(in, o)
	out := success(s.fiatRecord(o, in.lie))
	out.event = o
	return out
}

// fiatRecord is the `result` of P-FDEP and P-FWD.
func (s *Sandbox) fiatRecord(o *order, lie bool) map[string]any {
	shown := o.moved
	if o.kind == "fiat-in" && o.booked {
		shown = o.paid
	}
	if lie {
		shown = shown.Add(decimal.New(7, 0))
	}
	r := map[string]any{"id": o.id, "currency": o.currency, "amount": figure(shown, o.currency), "status": o.status, "remitInfoId": o.remitID,
		"referenceNo": nullable(o.reference), "createdTime": s.written(o.created)}
	if o.kind == "fiat-out" {
		r["type"], r["transactionFee"], r["purpose"] = "WITHDRAW", "0.00", nullable(o.purpose)
	} else {
		r["type"], r["customerRemark"] = "DEPOSIT", nullable(o.remark)
	}
	return r
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// fiatDeposit announces a bank transfer (4.4).
func (s *Sandbox) fiatDeposit(in *incoming) reply {
	rules := []rule{{"currency", "string", true, 0}, {"amount", "amount", true, 0}, {"remitInfoId", "integer", true, 0},
		{"customerRemark", "string", false, 255}, requestIDRule, {"greenLinkVA", "string", false, 3}}
	v, _, bad := s.envelope(in, false)
	if bad != nil {
		return *bad
	}
	o, ok := v.(map[string]any)
	if !ok {
		return refuse("TEST_ENVELOPE", "query must be an object")
	}
	proof := text(o, "greenLinkVA") != "Yes"
	rules = append(rules, rule{"referenceNo", "string", proof, 255}, rule{"fileIdList", "integers", proof, 2})
	if bad := s.checkQuery(o, rules); bad != nil {
		return *bad
	}
	if v := text(o, "greenLinkVA"); v != "" && v != "Yes" && v != "No" {
		return refuse("TEST_FIELD_TYPE", "greenLinkVA is Yes or No")
	}
	id, currency := text(o, "requestId"), text(o, "currency")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	d, bad := readAmount(text(o, "amount"), currency)
	if bad != nil {
		return *bad
	}
	account := s.account(whole(o["remitInfoId"]), true)
	switch {
	case account == nil:
		return s.no(in, id, "TEST_REMIT_INFO", "there is no such receiving account")
	case account.currency != currency:
		return s.no(in, id, "TEST_CURRENCY", "the currency is not that of the receiving account")
	}
	list, _ := o["fileIdList"].([]any)
	for _, f := range list {
		if _, ok := s.files[whole(f)]; !ok {
			return s.no(in, id, "TEST_FILES", "there is no such file")
		}
	}
	made := &order{id: s.nextOrderID(), kind: "fiat-in", requestID: id, currency: currency, moved: d, status: "TO_BE_CONFIRMED", remitID: account.id,
		reference: text(o, "referenceNo"), remark: text(o, "customerRemark")}
	s.keep(in, made)
	s.settleLater(made)
	out := success(s.fiatRecord(made, in.lie))
	out.event = made
	return out
}
