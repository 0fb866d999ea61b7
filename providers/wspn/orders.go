package wspn

import (
	"context"
	"fmt"
	"strconv"

	"countinghouse/models"
	"countinghouse/providers"
)

// findOrder asks an order query and reads its answer leniently: P-CORD's member names, and those of the create calls.
func (c *client) findOrder(ctx context.Context, at endpoint, kind models.Kind, q providers.Query) providers.Finding {
	body := map[string]any{}
	id := parseID(q.ProviderRef)
	if c.set.orderIDs != "order-id" || id == 0 {
		put(body, "requestId", q.Reference)
	}
	if id != 0 && (c.set.orderIDs != "request-id" || q.Reference == "") {
		body["orderId"] = id
	}
	if len(body) == 0 {
		return providers.Finding{Result: providers.Unclear, Says: "There is neither a reference nor an id to ask for."}
	}
	a, e := c.do(ctx, call{at: at, body: body})
	if e != nil {
		return c.findingOf(e)
	}
	return c.readOrder(a, kind, q, id)
}

// findingOf turns an error of a question into a finding. Only codes that staff have typed mean "no such order".
func (c *client) findingOf(e *callError) providers.Finding {
	if e.kind == kindSaidNo && e.saidByThem() && containsCode(c.set.notFound, e.code) {
		return providers.Finding{Result: providers.NotFound, Says: "WSPN knows no such order: " + e.code + ".", Raw: e.raw}
	}
	return providers.Finding{Result: providers.Unclear, Says: sentence(e.sentence), Raw: e.raw}
}

func containsCode(list []string, code string) bool {
	for _, c := range list {
		if c == code && code != "" {
			return true
		}
	}
	return false
}

func (c *client) readOrder(a answer, kind models.Kind, q providers.Query, id int64) providers.Finding {
	finding := func(r providers.Result, format string, args ...any) providers.Finding {
		return providers.Finding{Result: r, Says: sentence(fmt.Sprintf(format, args...)), Raw: a.raw}
	}
	found, said := a.listed("result", "resultList")
	switch {
	case !said:
		return finding(providers.Unclear, "WSPN answered with success, and with nothing that could be an order or the lack of one")
	case len(found) == 0 || len(found) == 1 && len(found[0]) == 0:
		return finding(providers.NotFound, "WSPN answered with success and without an order")
	case len(found) > 1:
		return finding(providers.Unclear, "WSPN answered with %d orders for one question", len(found))
	}
	o := found[0]
	theirs := o.id("orderId")
	if theirs == 0 {
		theirs = o.id("id")
	}
	switch {
	case theirs == 0:
		return finding(providers.Unclear, "WSPN answered with an order that has no id")
	case id != 0 && theirs != id:
		return finding(providers.Unclear, "WSPN answered with order %d, but %d is the one we know", theirs, id)
	case o.text("requestId") != "" && q.Reference != "" && o.text("requestId") != q.Reference:
		return finding(providers.Unclear, "WSPN answered with an order of another reference")
	case c.clientID != 0 && o.id("clientId") != 0 && o.id("clientId") != c.clientID:
		return finding(providers.Unclear, "WSPN answered with an order of client %d", o.id("clientId"))
	case kind == models.Payout && otherWay(o, "DEPOSIT"), kind == models.Deposit && otherWay(o, "WITHDRAW"):
		return finding(providers.Unclear, "WSPN answered with an order that moves money the other way")
	case clean(o.text("status"), 64) == "":
		return finding(providers.Unclear, "WSPN answered with an order that has no status")
	}
	status := c.orderStatus(kind, o, q)
	if why := otherAmount(kind, o, status.Amount, q.Amount); why != "" {
		f := finding(providers.Unclear, "WSPN has order %d with status %s, but %s. A person must look", theirs, clean(o.text("status"), 64), why)
		f.Status = providers.Status{ProviderRef: strconv.FormatInt(theirs, 10), Word: status.Word}
		return f
	}
	f := finding(providers.Found, "WSPN has order %d with status %s", theirs, clean(o.text("status"), 64))
	f.Status = status
	f.Status.ProviderRef = strconv.FormatInt(theirs, 10)
	return f
}

// otherWay reports whether an order calls itself by the word of the other direction (the two that are seen on P-FDEP and P-FWD).
func otherWay(o object, word string) bool {
	return o.text("type") == word || o.text("orderType") == word
}

// otherAmount says how the amount of an order differs from what was asked; a deposit may be paid short. P-CORD's netAmount may be less than
// asked by a fee, never more.
func otherAmount(kind models.Kind, o object, have, asked models.Money) string {
	if kind == models.Deposit || asked.Asset == "" {
		return ""
	}
	if have.Asset == "" { // no currency is stated: the figure alone must not be another one
		for _, name := range []string{"amount", "sellAmount", "netAmount"} {
			if name == "netAmount" && kind == models.Conversion { // which side of the conversion it counts is not said
				continue
			}
			if d, ok := o.amount(name); ok && (d.GreaterThan(asked.Decimal()) || name != "netAmount" && !d.Equal(asked.Decimal())) {
				return "it is of " + o.words(name) + ", and " + asked.String() + " was asked"
			}
		}
		return ""
	}
	if have.Asset != asked.Asset {
		return "it is in " + have.Asset + ", and " + asked.String() + " was asked"
	}
	net := o.text("amount") == "" && o.text("sellAmount") == ""
	if d := have.Cmp(asked); d > 0 || d < 0 && !net {
		return "it is of " + have.String() + ", and " + asked.String() + " was asked"
	}
	return ""
}

// orderStatus reads amount and fee of an order. P-CORD gives no currency: `item` is taken for it when it looks like one.
func (c *client) orderStatus(kind models.Kind, o object, q providers.Query) providers.Status {
	s := c.fiatStatus(kind, o)
	asset := o.text("currency")
	if asset == "" && models.ValidAssetCode(o.text("item")) {
		asset = o.text("item")
	}
	if s.Amount.Asset == "" {
		for _, name := range []string{"amount", "sellAmount", "withdrawAmount", "depositAmount", "netAmount"} {
			if name == "sellAmount" && asset == "" {
				asset = o.text("sellCurrency")
			}
			if m := money(o, name, asset); m.Asset != "" {
				s.Amount = m
				break
			}
		}
	}
	for _, name := range []string{"withdrawFees", "depositFees"} {
		if s.Fee.Asset == "" {
			s.Fee = money(o, name, asset)
		}
	}
	s.Payer = clean(orElse(o.text("senderInformation"), o.text("senderAddress")), 255)
	if kind == models.Conversion {
		s.Counter, s.Rate = money(o, "buyAmount", o.text("buyCurrency")), rateText(o, "rate")
	}
	return s
}
