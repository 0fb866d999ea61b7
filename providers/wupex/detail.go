package wupex

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

func itoa(n int) string { return strconv.Itoa(n) }

func detailRequest(name string) request {
	return request{op: "order.detail", method: http.MethodGet, path: "/api/order/detail", query: url.Values{"orderName": {name}}, secretive: true}
}

// FindOrder asks about an order: by WUPEX's name of it when that is known, else by our reference in the order list (WUPEX-IDEM-2).
func (c *client) FindOrder(ctx context.Context, q providers.Query) providers.Finding {
	if q.ProviderRef != "" {
		if !validOrderName(q.ProviderRef) {
			return providers.Finding{Result: providers.Unclear, Says: "The order's name at WUPEX is not usable."}
		}
		return c.findByName(ctx, q)
	}
	return c.findByReference(ctx, q)
}

func (c *client) findByName(ctx context.Context, q providers.Query) providers.Finding {
	a, err := c.read(ctx, detailRequest(q.ProviderRef))
	switch {
	case err != nil:
		return providers.Finding{Result: providers.Unclear, Says: sentence(err)}
	case a.text && a.failed && a.status == http.StatusNotFound:
		return providers.Finding{Result: providers.NotFound, Says: "404 no order " + httpx.Say(q.ProviderRef, 100) + a.said(), Raw: a.kept}
	case !a.good:
		_, why := c.diagnose(a)
		return providers.Finding{Result: providers.Unclear, Says: "WUPEX did not show the order: " + why, Raw: a.kept}
	case !c.aboutOrder(a, q.ProviderRef):
		return providers.Finding{Result: providers.Unclear, Says: "WUPEX answered about another order than the one asked for.", Raw: a.kept}
	}
	st := c.count(q, c.delivered(a.data, q.SKU), nil)
	return providers.Finding{Result: providers.Found, Status: st, Says: "order " + httpx.Say(q.ProviderRef, 100) + ": " + st.Word, Raw: a.kept}
}

// aboutOrder is false when a detail names another order, or has nothing in the place where codes belong (WUPEX-DET-1): then it is not a
// detail at all, and an order must not look pending for ever because of it.
func (c *client) aboutOrder(a answer, name string) bool {
	if echo := a.data.Get("orderName"); echo.There() && echo.Text() != name {
		return false
	}
	here, elsewhere := a.data.Get("orderData"), a.data.Get("serials")
	if c.set.detailFlat {
		here, elsewhere = elsewhere, here
	}
	return a.data.IsObject() && (here.IsList() || !here.There() && !elsewhere.There())
}

// findByReference settles an order of which no answer came back. It adopts an order only when exactly one is listed, carries our reference
// where it carries any, and is not older than our request.
func (c *client) findByReference(ctx context.Context, q providers.Query) providers.Finding {
	if q.Reference == "" {
		return providers.Finding{Result: providers.Unclear, Says: "The order has no reference to look for."}
	}
	a, err := c.read(ctx, c.listRequest(1, q.Reference, c.set.newest))
	if err != nil {
		return providers.Finding{Result: providers.Unclear, Says: sentence(err)}
	}
	if list := a.value.Get("data"); !a.good || !list.IsList() {
		_, why := c.diagnose(a)
		return providers.Finding{Result: providers.Unclear, Says: "WUPEX did not list orders: " + why, Raw: a.kept}
	}
	ours, strangers := c.ours(a, q)
	total, told := totalCount(a)
	switch {
	case !told:
		return providers.Finding{Result: providers.Unclear, Says: "WUPEX listed orders and not how many there are.", Raw: a.kept}
	case len(ours) == 0 && strangers == 0 && total == 0:
		return providers.Finding{Result: providers.NotFound, Says: "no order with the reference " + q.Reference, Raw: a.kept}
	case len(ours) == 0:
		return providers.Finding{Result: providers.Unclear, Raw: a.kept,
			Says: "WUPEX listed " + itoa(max(strangers, total)) + " other orders for our reference: its filter cannot be believed. A person must look."}
	case len(ours) > 1 || total > 1:
		return providers.Finding{Result: providers.Unclear, Raw: a.kept,
			Says: "WUPEX lists " + itoa(max(len(ours), total)) + " orders under this one reference (" + names(ours) + "). A person must look."}
	}
	return c.adopted(ctx, q, ours[0], a)
}

// adopted reads the one order that was found. Whatever the reading gives, the order exists.
func (c *client) adopted(ctx context.Context, q providers.Query, o listed, list answer) providers.Finding {
	if o.reference == "" && o.amount.Asset != "" && !agrees(o.amount, q.Amount, q.Quantity) {
		return providers.Finding{Result: providers.Unclear, Raw: list.kept, Says: "WUPEX lists one order, " + httpx.Say(o.name, 100) +
			", without a reference and with " + o.amount.Figure() + " where " + q.Amount.Figure() + " was approved: its filter may not have worked. A person must look."}
	}
	q.ProviderRef = o.name
	f := c.findByName(ctx, q)
	if f.Result != providers.Found {
		f = providers.Finding{Result: providers.Found, Raw: list.kept, Says: "order " + o.name + " is listed; " + f.Says,
			Status: providers.Status{State: models.Pending, Word: "placed", Reason: "The order exists; its codes could not be read yet."}}
	}
	f.Status.ProviderRef = o.name
	if o.amount.Asset != "" {
		f.Status.Amount = o.amount
	}
	// totalAmount and orderAmount are the same thing only after comparing (section 8).
	if o.amount.Asset != "" && !agrees(o.amount, q.Amount, q.Quantity) && f.Status.State == models.Succeeded {
		f.Status.State, f.Status.Word, f.Status.ReasonCode = models.Partial, "anomaly", "amount_differs"
		f.Status.Reason = "WUPEX lists the order with " + o.amount.Figure() + " where " + q.Amount.Figure() + " was approved."
	}
	return f
}

// listed is one item of the order list.
type listed struct {
	name, date, figure, reference string
	amount                        models.Money
}

// listItem reads an item; only orderName is relied on (WUPEX-LIST-1).
func (c *client) listItem(v httpx.Value) listed {
	get := v.Get
	if c.set.anyCase {
		get = v.Fold
	}
	o := listed{name: get("orderName").Text(), date: httpx.Say(get("orderDate").Scalar(), 40), figure: get("orderAmount").Number(),
		reference: httpx.Say(get("referenceId").Scalar(), 64)}
	if m, ok := c.figure(get("orderAmount")); ok {
		o.amount = m
	}
	return o
}

// ours keeps the listed orders that may be the one asked for and counts the others.
func (c *client) ours(a answer, q providers.Query) (list []listed, strangers int) {
	seen := map[string]bool{}
	for _, v := range a.value.Get("data").List() {
		o := c.listItem(v)
		switch {
		case seen[o.name]:
		case !validOrderName(o.name), o.reference != "" && o.reference != q.Reference, c.before(o.date, q.SentAt):
			strangers++
		default:
			list = append(list, o)
		}
		seen[o.name] = true
	}
	return list, strangers
}

// before reports whether an order is certainly older than our request. A date that cannot be read proves nothing (WUPEX-LIST-2).
func (c *client) before(date string, sent models.Micros) bool {
	t, ok := parseDate(date)
	return ok && sent != 0 && t.Before(sent.Time().Add(-answerOld))
}

func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// totalCount is how many orders there are in all. ok is false when pageInfo, which every list has (section 3), is there and does not say it, or
// when it is missing from an empty list: then "nothing" was not said.
func totalCount(a answer) (n int, ok bool) {
	info := a.value.Get("pageInfo")
	if !info.There() {
		return 0, len(a.value.Get("data").List()) > 0
	}
	n, err := strconv.Atoi(info.Get("totalCount").Scalar())
	return n, err == nil && n >= 0
}

func names(list []listed) string {
	var out []string
	for i, o := range list {
		if i == 5 {
			out = append(out, "…")
			break
		}
		out = append(out, httpx.Say(o.name, 100))
	}
	return strings.Join(out, ", ")
}

// parseStrict reads a date only in the assumed form: RFC 3339 in UTC (WUPEX-LIST-2).
func parseStrict(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if _, offset := t.Zone(); err == nil && offset != 0 {
		err = models.Errorf(models.Invalid, "The date is not in UTC.")
	}
	return t, err
}
