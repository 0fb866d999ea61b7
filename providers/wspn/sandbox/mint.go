package sandbox

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// quote lives 30 seconds and serves once (4.8).
type quote struct {
	id, sell, buy string
	rate          amount
	until         time.Time
	used          bool
}

// rates are WUSD for one unit; none is 1, so that a client which hard-codes 1 fails (WSPN-FX-1).
func rates() map[string]amount {
	return map[string]amount{"USD": decimal.RequireFromString("0.9995"), "EUR": decimal.RequireFromString("1.0812"),
		"JPY": decimal.RequireFromString("0.0064")}
}

// exchangeRate quotes (4.8).
func (s *Sandbox) exchangeRate(in *incoming) reply {
	q, bad := s.query(in, []rule{{"sellCurrency", "string", true, 0}, {"buyCurrency", "string", true, 0}})
	if bad != nil {
		return *bad
	}
	sell, buy := text(q, "sellCurrency"), text(q, "buyCurrency")
	rate, ok := pairRate(sell, buy)
	if !ok {
		return refuse("TEST_PAIR", "this pair is not converted")
	}
	made := &quote{id: strconv.FormatInt(7300000000000000000+s.rng.Int64N(1e17), 10), sell: sell, buy: buy, rate: rate, until: s.clock().Add(30 * time.Second)}
	s.quotes[made.id] = made
	if len(s.quotes)%10000 == 0 { // a long load test must not eat the memory
		for id, old := range s.quotes {
			if s.clock().After(old.until.Add(time.Minute)) {
				delete(s.quotes, id)
			}
		}
	}
	return success(map[string]any{"sellCurrency": sell, "buyCurrency": buy, "rate": rate.StringFixed(4), "quoteId": made.id,
		"rateExpiryTime": s.written(made.until), "sellBalance": figure(s.books[sell], sell)})
}

func pairRate(sell, buy string) (amount, bool) {
	if r, ok := rates()[sell]; ok && buy == "WUSD" {
		return r, true
	}
	if r, ok := rates()[buy]; ok && sell == "WUSD" {
		return decimal.New(1, 0).DivRound(r, 8).Mul(decimal.RequireFromString("0.998")).RoundDown(4), true
	}
	return amount{}, false
}

// mintCreate takes a quote (4.9). Order: members, requestId, amount, quote, pair, funds.
func (s *Sandbox) mintCreate(in *incoming) reply {
	q, bad := s.query(in, []rule{{"sellCurrency", "string", true, 0}, {"buyCurrency", "string", true, 0}, {"sellAmount", "amount", true, 0},
		{"quoteId", "string", true, 20}, requestIDRule})
	if bad != nil {
		return *bad
	}
	id, sell, buy := text(q, "requestId"), text(q, "sellCurrency"), text(q, "buyCurrency")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	d, bad := readAmount(text(q, "sellAmount"), sell)
	if bad != nil {
		return *bad
	}
	taken := s.quotes[text(q, "quoteId")]
	switch {
	case taken == nil:
		return s.no(in, id, "TEST_QUOTE_UNKNOWN", "there is no such quote")
	case taken.used:
		return s.no(in, id, "TEST_QUOTE_USED", "this quote was used")
	case s.clock().After(taken.until):
		return s.no(in, id, "TEST_QUOTE_EXPIRED", "this quote has expired")
	case taken.sell != sell || taken.buy != buy:
		return s.no(in, id, "TEST_QUOTE_PAIR", "this quote is of another pair")
	}
	moved, bad := s.takeOut(sell, d)
	if bad != nil {
		return *bad
	}
	taken.used = true
	o := &order{id: s.nextMintID(), kind: "mint", requestID: id, currency: sell, buy: buy, moved: moved, rate: taken.rate.StringFixed(4), quoteID: taken.id,
		bought: moved.Mul(taken.rate).RoundDown(places(buy)), status: "COMPLETED", completed: s.clock()}
	if s.setting("conversion_pending", "no") == "yes" {
		o.status, o.completed = "PROCESSING", time.Time{}
	} else {
		s.books[buy] = s.books[buy].Add(o.bought)
		o.booked = true
	}
	s.keep(in, o)
	r := s.mintRecord(o, in.lie)
	r["quoteId"], r["rate"] = o.quoteID, o.rate
	out := success(r)
	out.event = o
	if o.status == "COMPLETED" && !s.hooksBefore() {
		s.announce(o)
	}
	return out
}

// mintRecord is a row of P-MRH: no quoteId, no requestId, and the rate without trailing zeros.
func (s *Sandbox) mintRecord(o *order, lie bool) map[string]any {
	shown := o.moved
	if lie {
		shown = shown.Add(decimal.New(7, 0))
	}
	rate, _ := decimal.NewFromString(o.rate)
	r := map[string]any{"id": o.id, "status": o.status, "sellCurrency": o.currency, "buyCurrency": o.buy, "sellAmount": figure(shown, o.currency),
		"buyAmount": figure(o.bought, o.buy), "rate": rate.String(), "createdTime": s.written(o.created)}
	if done := s.written(o.completed); done != nil {
		r["completedTime"] = done
	}
	return r
}

// mintSearch is the history (4.9): at most 50 rows, newest first.
func (s *Sandbox) mintSearch(in *incoming) reply {
	v, p, bad := s.envelope(in, true)
	if bad != nil {
		return *bad
	}
	q, ok := v.(map[string]any)
	if !ok {
		return refuse("TEST_ENVELOPE", "query must be an object")
	}
	if bad := checkMembers(q, []rule{{"sellCurrency", "string", false, 0}, {"buyCurrency", "string", false, 0}, {"createdTimeStart", "string", false, 0},
		{"createdTimeEnd", "string", false, 0}}); bad != nil {
		return *bad
	}
	bounds := [2]time.Time{}
	for i, name := range []string{"createdTimeStart", "createdTimeEnd"} {
		if text(q, name) == "" {
			continue
		}
		t, err := time.ParseInLocation(layout, text(q, name), s.zone())
		if err != nil {
			return refuse("TEST_FIELD_TYPE", name+" is not YYYY-MM-DD hh:mm:ss")
		}
		bounds[i] = t
	}
	var list []any
	for i := len(s.orders) - 1; i >= 0; i-- {
		o := s.orders[i]
		if o.kind != "mint" || text(q, "sellCurrency") != "" && o.currency != text(q, "sellCurrency") ||
			text(q, "buyCurrency") != "" && o.buy != text(q, "buyCurrency") ||
			!bounds[0].IsZero() && o.created.Before(bounds[0]) || !bounds[1].IsZero() && o.created.After(bounds[1]) {
			continue
		}
		list = append(list, s.mintRecord(o, in.lie))
	}
	return listing(cut(list, p), nil)
}

// mintOrder is a guess (WSPN-PATH-1).
func (s *Sandbox) mintOrder(in *incoming) reply {
	o, bad := s.find(in, "mint")
	if bad != nil {
		return *bad
	}
	r := s.mintRecord(o, in.lie)
	r["requestId"], r["quoteId"] = o.requestID, o.quoteID
	return success(r)
}
