package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/shopspring/decimal"
)

// wanted is one checked line of an order.
type wanted struct {
	product  *product
	quantity int
}

// pullCodes sells. Order of checks: query, shape of the body, each line's fields, quantities, merchant, SKU, stock, money.
func (s *Sandbox) pullCodes(r *http.Request, body []byte) reply {
	query := r.URL.Query()
	takeAll := query.Get("allowTakeAll")
	if takeAll != "" && takeAll != "true" && takeAll != "false" {
		return s.invalid("allowTakeAll must be true or false.")
	}
	var lines []map[string]json.RawMessage
	if decode(body, &lines) != nil || lines == nil {
		return s.invalid("The body must be a JSON array of lines.")
	}
	if len(lines) == 0 {
		return s.problem(http.StatusUnprocessableEntity, "VALIDATION_FAILED", "The order has no lines.")
	}
	reference := query.Get("referenceId")
	if reference != "" && s.is("reference_idempotent", "conflict", false) { // WUPEX-IDEM-1
		for _, o := range s.orders {
			if o.reference == reference {
				return s.problem(http.StatusConflict, "CONFLICT", "Duplicate resource.")
			}
		}
	}
	want, bad, refused := s.readLines(lines)
	if refused {
		return bad
	}
	return s.sell(want, reference, takeAll == "true")
}

func (s *Sandbox) readLines(lines []map[string]json.RawMessage) ([]wanted, reply, bool) {
	type read struct {
		merchant, sku string
		quantity      int
	}
	var list []read
	for _, m := range lines {
		var x read
		var a, b, c bool
		x.merchant, a = text(m["merchant"])
		x.sku, b = text(m["sku"])
		x.quantity, c = whole(m["quantity"])
		if !a || !b || !c || x.merchant == "" || x.sku == "" || len(m) != 3 {
			return nil, s.invalid("Each line needs merchant, sku and a whole quantity, and nothing else."), true
		}
		list = append(list, x)
	}
	var out []wanted
	for _, x := range list {
		if x.quantity <= 0 {
			return nil, s.problem(http.StatusUnprocessableEntity, "VALIDATION_FAILED", "quantity must be above zero."), true
		}
		if x.merchant != s.merchant {
			return nil, s.problem(http.StatusForbidden, "FORBIDDEN", "This merchant is not yours."), true // WUPEX-ERR-2
		}
		p := s.find(x.sku)
		if p == nil {
			return nil, s.problem(http.StatusNotFound, "NOT_FOUND", "productCode not found."), true
		}
		out = append(out, wanted{p, x.quantity})
	}
	return out, reply{}, false
}

func (s *Sandbox) find(code string) *product {
	for _, p := range s.products {
		if p.Code == code {
			return p
		}
	}
	return nil
}

// sell checks stock and money, then really takes both: this is the one place where an execution is counted.
func (s *Sandbox) sell(want []wanted, reference string, takeAll bool) reply {
	total := decimal.Zero
	for i, w := range want {
		if !w.product.Enabled || w.product.Stock == 0 || w.product.Stock < w.quantity && !takeAll {
			status := map[string]int{"400": 400, "422": 422}[s.settings["stock_error_status"]] // WUPEX-ORD-5
			if status == 0 {
				status = http.StatusConflict
			}
			return s.problem(status, "INSUFFICIENT_STOCK", "Not enough units in stock.")
		}
		want[i].quantity = min(w.quantity, w.product.Stock) // WUPEX-ORD-4
		total = total.Add(decimal.RequireFromString(w.product.Price).Mul(decimal.NewFromInt(int64(want[i].quantity))))
	}
	if total.GreaterThan(s.balance.Add(s.credit)) {
		return s.problem(http.StatusUnprocessableEntity, "INSUFFICIENT_BALANCE", "The balance is too low.") // WUPEX-ORD-6
	}
	o := s.book(want, reference, total)
	data := map[string]any{"requestId": o.requestID, "orderName": o.name, "totalAmount": number(o.total)}
	if s.is("pull_serials", "with", false) {
		serials := []any{}
		for _, l := range o.lines {
			for _, x := range l.serials {
				serials = append(serials, map[string]any{"sku": l.product.Code, "serialCode": x.code, "serialNumber": x.number})
			}
		}
		data["serials"] = serials
	}
	return answer(http.StatusOK, map[string]any{"status": true, "data": data})
}

func (s *Sandbox) book(want []wanted, reference string, total decimal.Decimal) *order {
	o := &order{name: fmt.Sprintf("A%014d", 10_000_000+len(s.orders)+1), reference: reference, requestID: fmt.Sprintf("RQ%010d", len(s.orders)+1),
		at: s.now(), total: total}
	if s.auto.outcome != "off" {
		o.ready = o.at.Add(s.auto.after)
	}
	if s.auto.outcome == "mixed" && s.rng.IntN(10) == 0 {
		o.missing = 1
	}
	for _, w := range want {
		w.product.Stock -= w.quantity
		w.product.Redeemed += w.quantity
		l := orderLine{product: w.product}
		for range w.quantity {
			l.serials = append(l.serials, serial{code: s.newCode(), number: fmt.Sprintf("%012d", s.rng.Int64N(1_000_000_000_000))})
		}
		o.lines = append(o.lines, l)
	}
	fromBalance := decimal.Min(total, decimal.Max(s.balance, decimal.Zero))
	s.balance = s.balance.Sub(fromBalance)
	s.credit = s.credit.Sub(total.Sub(fromBalance))
	s.orders = append(s.orders, o)
	s.runs[reference]++
	return o
}

const codeLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

func (s *Sandbox) newCode() string {
	b := make([]byte, 0, 19)
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			b = append(b, '-')
		}
		b = append(b, codeLetters[s.rng.IntN(len(codeLetters))])
	}
	return string(b)
}
