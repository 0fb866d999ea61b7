package wupex

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// line is one line of an order; WUPEX takes a top-level array of them (WUPEX-ORD-1). We send one (WUPEX-ORD-3).
type line struct {
	Merchant string `json:"merchant"`
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// PlaceOrder buys one line of codes and, when WUPEX says yes, reads the order back once to count what arrived. The purchase itself is one
// request and is never repeated (WUPEX-IDEM-1, contract section 7): after a lost answer the outcome is Unknown and FindOrder settles it.
func (c *client) PlaceOrder(ctx context.Context, r providers.SendRequest) providers.Outcome {
	if bad := c.cannotOrder(r); bad != "" {
		return providers.Refused{Code: providers.NotSent, Message: bad}
	}
	body, err := json.Marshal([]line{{Merchant: c.merchant, SKU: r.SKU, Quantity: r.Quantity}})
	if err != nil {
		return providers.Refused{Code: providers.NotSent, Message: "Nothing was sent: the order could not be written."}
	}
	query := url.Values{"referenceId": {r.Reference}}
	if c.set.takeAll { // WUPEX-ORD-4
		query.Set("allowTakeAll", "true")
	}
	select {
	case c.ordering <- struct{}{}:
	case <-ctx.Done():
		return providers.Refused{Code: providers.NotSent, Retryable: true, Message: "Nothing was sent: another order with this key was still on its way."}
	}
	a, err := c.once(ctx, request{op: "order.place", method: http.MethodPost, path: "/api/order/pull-codes", query: query, body: body,
		timeout: c.set.orderTimeout, secretive: true})
	<-c.ordering
	switch {
	case httpx.NotSent(err):
		return providers.Refused{Code: providers.NotSent, Retryable: true, Message: sentence(err)}
	case err != nil:
		return providers.Unknown{Cause: sentence(err) + " The order may exist; it is looked for by its reference and never placed again meanwhile."}
	case !a.good:
		return c.refusal(a)
	}
	return c.placed(ctx, r, a)
}

// cannotOrder says why a request is not fit to be sent.
func (c *client) cannotOrder(r providers.SendRequest) string {
	switch {
	case !validSKU(r.SKU):
		return "Nothing was sent: the order names no product."
	case r.Quantity < 1 || r.Quantity > maxQuantity:
		return "Nothing was sent: an order is for 1 to 10,000 units."
	case r.Reference == "" || len(r.Reference) > 64 || strings.ContainsFunc(r.Reference, func(x rune) bool { return x <= ' ' || x > '~' }):
		return "Nothing was sent: the order has no usable reference."
	}
	return ""
}

// refusal judges an answer that is not a success. Only what the contract lists as definite is Refused; the code decides before the status
// (section 6). A 5xx after pull-codes, a page instead of data, a failure under 200 and an unnamed 409 are Unknown.
func (c *client) refusal(a answer) providers.Outcome {
	_, why := c.diagnose(a)
	why = "WUPEX did not take the order: " + why
	unknown := providers.Unknown{Cause: "WUPEX's answer does not say whether the order exists: HTTP " + itoa(a.status) + a.said() +
		". It is looked for by its reference.", Raw: a.kept}
	if !a.text || !a.failed || a.status < 400 || a.status >= 500 || a.data.Get("orderName").There() || faultCode(a.code) {
		return unknown
	}
	refused := providers.Refused{Code: a.code, Message: why, Raw: a.kept}
	if refused.Code == "" {
		refused.Code = "HTTP_" + itoa(a.status)
	}
	switch {
	case a.status == http.StatusTooManyRequests || a.code == "TOO_MANY_REQUESTS": // WUPEX-ORD-7
		if !c.set.limitedIsNot {
			return unknown
		}
		refused.Retryable = true
		return refused
	case a.code == "INSUFFICIENT_STOCK": // WUPEX-ORD-5
		if !c.set.stockAny4xx && a.status != http.StatusConflict {
			return unknown
		}
		refused.Message, refused.Retryable = "WUPEX has not enough of this product in stock"+a.said()+". Nothing was bought.", true
		return refused
	case a.code == c.set.fundsCode && a.status != http.StatusConflict: // WUPEX-ORD-6
		refused.Message, refused.Retryable = "The balance and credit at WUPEX do not cover this order"+a.said()+". Nothing was bought.", true
		return refused
	case a.status == http.StatusConflict && !documentedCode(a.code):
		return unknown
	case !definite(a.status) && !documentedCode(a.code):
		return unknown
	}
	return refused
}

// definite are the statuses that section 6 lists as "no such order was made": 409 and 429 have rules of their own.
func definite(status int) bool {
	switch status {
	case 400, 401, 403, 404, 405, 409, 413, 415, 422:
		return true
	}
	return false
}

// faultCode is true for the codes of a fault inside WUPEX. The code decides before the status (section 6), so under a 4xx too they leave open
// whether the order was made.
func faultCode(code string) bool { return code == "INTERNAL_ERROR" || code == "SERVICE_UNAVAILABLE" }

// documentedCode is true for the refusal codes of WUPEX-ERR-1. TOO_MANY_REQUESTS and the 5xx codes say nothing about the order.
func documentedCode(code string) bool {
	switch code {
	case "INVALID_PAYLOAD", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "INSUFFICIENT_STOCK":
		return true
	}
	return false
}

// placed judges a success. Of its fields only orderName is relied on (WUPEX-ORD-2); what it says beyond that must agree with what was
// asked, or a person has to look.
func (c *client) placed(ctx context.Context, r providers.SendRequest, a answer) providers.Outcome {
	name := a.data.Get("orderName").Text()
	if !validOrderName(name) {
		return providers.Unknown{Cause: "WUPEX says yes and names no order. The order is looked for by its reference.", Raw: a.kept}
	}
	if echo := a.data.Fold("referenceId"); echo.There() && echo.Scalar() != r.Reference {
		return providers.Unknown{Cause: "WUPEX's answer is about another reference than ours. The order is looked for by its reference.", Raw: a.kept}
	}
	total := a.data.Get("totalAmount")
	paid, stated := c.figure(total)
	if total.There() && (!stated || !agrees(paid, r.Amount, r.Quantity)) {
		return providers.Unknown{Cause: "WUPEX took " + httpx.Say(total.Scalar(), 30) + " for the order where " + r.Amount.Figure() +
			" was approved. The order is looked for by its reference.", Raw: a.kept}
	}
	q := providers.Query{Kind: models.Order, Reference: r.Reference, ProviderRef: name, SKU: r.SKU, Quantity: r.Quantity}
	told := serialsOf(a.data.Get("serials"), "")
	st := c.countAfterOrder(ctx, q, told)
	if stated {
		st.Amount = paid
	}
	return providers.Accepted{ProviderRef: name, Status: st, Raw: a.kept}
}

// countAfterOrder reads the new order once. When that fails the order is simply pending: it exists, and will be asked about.
func (c *client) countAfterOrder(ctx context.Context, q providers.Query, told []providers.Delivered) providers.Status {
	a, err := c.once(ctx, detailRequest(q.ProviderRef))
	got := []providers.Delivered{}
	if err == nil && a.good && c.aboutOrder(a, q.ProviderRef) {
		got = c.delivered(a.data, q.SKU)
	}
	if len(got) == 0 && c.set.codesInAnswer && len(told) > 0 { // WUPEX-ORD-2
		got, told = withSKU(told, q.SKU), nil
	}
	if len(got) == 0 && (err != nil || !a.good) {
		return providers.Status{State: models.Pending, Word: "placed", ProviderRef: q.ProviderRef, Reason: "The order is placed; its codes could not be read yet."}
	}
	return c.count(q, got, told)
}

// figure reads an amount in the account's currency. More digits than the currency has are rounded up, so that what is shown as spent is
// never too little; the exact text stays in the record.
func (c *client) figure(v httpx.Value) (models.Money, bool) {
	m, _, err := c.money(v.Number(), decimal.Decimal.RoundCeil)
	return m, err == nil
}

// agrees reports whether what WUPEX took is what was approved. An approved amount is quantity times a unit price rounded up, so it may be
// above by less than one minor unit for each; it is never below. Nothing approved (zero) agrees with everything.
func agrees(paid, approved models.Money, quantity int) bool {
	above := approved.Minor - paid.Minor
	return approved.Minor == 0 || above == 0 || above > 0 && above < int64(quantity)
}

func validOrderName(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd })
}

// sentence gives an httpx error as a sentence with its full stop.
func sentence(err error) string {
	s := strings.TrimSuffix(err.Error(), ".")
	if _, after, found := strings.Cut(s, ": "); found && !strings.Contains(strings.SplitN(s, ": ", 2)[0], " ") {
		s = after
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
