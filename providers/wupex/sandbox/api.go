package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// number writes a decimal as a JSON number without ever making it a float.
func number(d decimal.Decimal) json.Number {
	if d.Exponent() < -2 {
		return json.Number(d.String())
	}
	return json.Number(d.StringFixed(2))
}

func page(total, asked, size int) (from, to int, info map[string]any) {
	pages := (total + size - 1) / size
	from = min((asked-1)*size, total)
	to = min(from+size, total)
	return from, to, map[string]any{"totalPage": pages, "totalCount": total, "pageSize": size, "currentPage": asked}
}

func (s *Sandbox) listProducts(_ *http.Request, body []byte) reply {
	l, bad := s.readListing(body, "productType", "productId")
	if bad != "" {
		return s.invalid(bad)
	}
	var hits []*product
	for _, p := range s.products {
		if s.matches(l.search, map[string]string{"productType": p.Type, "productId": strconv.Itoa(p.ID)}) {
			hits = append(hits, p)
		}
	}
	from, to, info := page(len(hits), l.page, l.size)
	items := []any{}
	for _, p := range hits[from:to] {
		items = append(items, map[string]any{"productName": p.Name, "imageUrl": "", "productCode": p.Code, "price": json.Number(p.Price),
			"limit": nil, "redeemed": p.Redeemed, "available": p.Stock, "enabled": p.Enabled, "productType": p.Type, "balance": json.Number(strconv.Itoa(p.Stock) + ".0"),
			"discountRate": json.Number("0.0"), "previouslyPurchased": p.Redeemed > 0, "favorite": false, "productId": p.ID,
			"addedAfterTheContract": map[string]any{"ignore": true}})
	}
	return answer(http.StatusOK, map[string]any{"pageInfo": info, "data": items, "status": true})
}

// matches applies the filters; all must hold (WUPEX-FLT-1), or one of them by setting.
func (s *Sandbox) matches(search []condition, of map[string]string) bool {
	if len(search) == 0 {
		return true
	}
	hits := 0
	for _, f := range search {
		have := of[f.column]
		if f.operator == "Equals" && have == f.value {
			hits++
		}
		if f.operator == "GreaterThan" {
			a, errA := decimal.NewFromString(have)
			b, errB := decimal.NewFromString(f.value)
			if errA == nil && errB == nil && a.GreaterThan(b) {
				hits++
			}
		}
	}
	if s.is("filters_combine", "or", false) {
		return hits > 0
	}
	return hits == len(search)
}

func (s *Sandbox) customerBalance(*http.Request, []byte) reply {
	m := map[string]any{"balance": number(s.balance), "credit": number(s.credit), "creditBalance": number(s.balance.Add(s.credit))}
	if s.is("balance_envelope", "bare", false) { // WUPEX-BAL-1
		return answer(http.StatusOK, m)
	}
	return answer(http.StatusOK, map[string]any{"status": true, "data": m})
}

func (s *Sandbox) listOrders(_ *http.Request, body []byte) reply {
	l, bad := s.readListing(body, "ReferenceId", "orderAmount", "orderName")
	if bad != "" {
		return s.invalid(bad)
	}
	var hits []*order
	for _, o := range s.orders {
		if s.matches(l.search, map[string]string{"ReferenceId": o.reference, "orderAmount": o.total.String(), "orderName": o.name}) {
			hits = append(hits, o)
		}
	}
	sort.SliceStable(hits, func(i, j int) bool {
		if l.order == "DESC" {
			return less(l.column, hits[j], hits[i])
		}
		return less(l.column, hits[i], hits[j])
	})
	from, to, info := page(len(hits), l.page, l.size)
	items := []any{}
	for _, o := range hits[from:to] {
		m := map[string]any{"orderName": o.name, "orderDate": o.at.Format(time.RFC3339), "orderAmount": number(o.total)}
		switch s.settings["order_list_fields"] {
		case "none":
		case "ReferenceId":
			m["ReferenceId"] = o.reference
		default:
			m["referenceId"] = o.reference
		}
		items = append(items, m)
	}
	return answer(http.StatusOK, map[string]any{"pageInfo": info, "data": items, "status": true})
}

func less(column string, a, b *order) bool {
	switch column {
	case "orderDate":
		return a.at.Before(b.at)
	case "orderAmount":
		return a.total.LessThan(b.total)
	case "orderName":
		return a.name < b.name
	}
	return false
}

func (s *Sandbox) orderDetail(r *http.Request, _ []byte) reply {
	name := r.URL.Query().Get("orderName")
	if name == "" {
		return s.invalid("orderName is required.")
	}
	for _, o := range s.orders {
		if o.name == name {
			return s.showOrder(o)
		}
	}
	return s.problem(http.StatusNotFound, "NOT_FOUND", "Order not found.")
}

func (s *Sandbox) showOrder(o *order) reply {
	ready := !o.ready.IsZero() && !s.now().Before(o.ready)
	groups, flat := []any{}, []any{}
	for _, l := range o.lines {
		serials := []any{}
		if ready {
			serials = s.serials(o, l)
		}
		flat = append(flat, serials...)
		parts := [][]any{serials}
		if s.is("detail_groups", "split", false) && len(serials) > 1 {
			parts = [][]any{serials[:1], serials[1:]}
		}
		for _, part := range parts {
			g := map[string]any{"serials": part}
			if s.is("detail_sku", "group", true) { // WUPEX-DET-2
				g["productCode"] = l.product.Code
			}
			groups = append(groups, g)
		}
	}
	data := map[string]any{"id": len(s.orders), "orderName": o.name, "orderData": groups, "unknownToTheContract": json.Number("12345678.9012")}
	if s.is("detail_shape", "flat", false) {
		delete(data, "orderData")
		data["serials"] = flat
	}
	return answer(http.StatusOK, map[string]any{"status": true, "data": data})
}

// serials gives the codes of a line as far as they are delivered.
func (s *Sandbox) serials(o *order, l orderLine) []any {
	out := []any{}
	for i, x := range l.serials {
		if i >= len(l.serials)-o.missing {
			break
		}
		out = append(out, map[string]any{"serialCode": x.code, "serialNumber": x.number, "productName": l.product.Name, "expiry": nil})
	}
	for i := range o.surplus {
		out = append(out, map[string]any{"serialCode": fmt.Sprintf("EXTRA-%s-%d", o.name, i), "serialNumber": fmt.Sprintf("X%d", i),
			"productName": l.product.Name, "expiry": nil})
	}
	return out
}
