package wupex

import (
	"context"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// Check makes three harmless calls: balance, one page of products, one page of orders. When the first shows that nothing can work, the
// others are skipped.
func (c *client) Check(ctx context.Context) []providers.CheckResult {
	first, works := c.checkBalance(ctx)
	if !works {
		return append(first, skipped("Products", "product.list"), skipped("Order history", "order.list"))
	}
	return append(append(first, c.checkProducts(ctx)...), c.checkOrders(ctx)...)
}

func skipped(title, op string) providers.CheckResult {
	return providers.CheckResult{Title: title, Operation: op, Verdict: providers.CheckSkipped, Sentence: "Not tried: the balance could not be read."}
}

// checked turns an answer into a result; ok is false when the call failed, and the result is then complete.
func (c *client) checked(title, op string, a answer, err error) (r providers.CheckResult, ok bool) {
	r = providers.CheckResult{Title: title, Operation: op, Verdict: providers.CheckOK, SkewSecs: a.skew}
	switch {
	case httpx.NotSent(err):
		r.Verdict, r.Sentence = providers.Unreachable, "WUPEX cannot be reached. "+sentence(err)
	case err != nil:
		r.Verdict, r.Sentence = providers.Unreachable, "WUPEX gave no whole answer. "+sentence(err)
	case !a.good:
		var why string
		r.Verdict, why = c.diagnose(a)
		r.Sentence = "WUPEX was reached, but " + why
		if a.text && a.status == 401 && a.code != "UNAUTHORIZED" {
			r.Items = []string{"WUPEX-ERR-1"} // refuted: another code than documented
		}
	default:
		return r, true
	}
	return r, false
}

func (c *client) checkBalance(ctx context.Context) ([]providers.CheckResult, bool) {
	a, err := c.read(ctx, balanceRequest())
	_, told := a.value.Get("status").Bool()
	if bare := !told && a.status == 200 && a.value.Get("balance").There(); bare {
		a.good, a.data = true, a.value
	}
	r, ok := c.checked("Balance", "balance.read", a, err)
	if !ok {
		return []providers.CheckResult{r}, false
	}
	p := purseOf(a.data, told)
	text, err := c.spendable(p)
	if err == nil {
		_, _, err = c.money(text, decimal.Decimal.RoundFloor)
	}
	if err != nil {
		r.Verdict, r.Sentence, r.Items = providers.Unreadable, "The balance answer holds no figure that can be read.", []string{"WUPEX-BAL-1"}
		return []providers.CheckResult{r}, true
	}
	r.Sentence = "Balance " + orNone(p.balance) + ", credit " + orNone(p.credit) + ", combined " + orNone(p.combined) + ", " + c.currencyWord() + "."
	r.Items, r.Proved = []string{"WUPEX-ENV-1", "WUPEX-AUTH-1", "WUPEX-BAL-1"}, true
	if p.wrapped {
		r.Items = append(r.Items, "WUPEX-ENVL-1")
	}
	out := []providers.CheckResult{r}
	if sum, ok := adds(p); ok {
		s := providers.CheckResult{Title: "Combined balance", Operation: "balance.read", Verdict: providers.CheckOK, Items: []string{"WUPEX-BAL-2"}, Proved: sum,
			Sentence: "The combined figure is balance plus credit."}
		if !sum {
			s.Sentence = "The combined figure is not balance plus credit: choose what counts as spendable in the settings."
		}
		out = append(out, s)
	}
	return out, true
}

// adds reports whether balance and credit come to the combined figure; ok is false when not all three are there.
func adds(p purse) (sum, ok bool) {
	var ds [3]decimal.Decimal
	for i, s := range []string{p.balance, p.credit, p.combined} {
		d, err := models.ParseDecimal(s)
		if err != nil {
			return false, false
		}
		ds[i] = d
	}
	return ds[0].Add(ds[1]).Equal(ds[2]), true
}

func (c *client) checkProducts(ctx context.Context) []providers.CheckResult {
	a, err := c.read(ctx, c.productRequest(1, ""))
	r, ok := c.checked("Products", "product.list", a, err)
	if !ok {
		return []providers.CheckResult{r}
	}
	list := a.value.Get("data")
	switch {
	case !list.IsList():
		r.Verdict, r.Sentence, r.Items = providers.Unreadable, "The list of products is not a list.", []string{"WUPEX-PROD-1"}
		return []providers.CheckResult{r}
	case len(list.List()) == 0:
		r.Sentence = "The list came and is empty: WUPEX has not opened any product to this account yet."
		return []providers.CheckResult{r}
	}
	usable := 0
	extra := false
	for _, v := range list.List() {
		if _, ok := c.product(v); ok && v.Get("price").Number() != "" {
			usable++
		}
		extra = extra || v.Get("productId").There() || v.Get("retailPrice").There()
	}
	r.Items, r.Proved = []string{"WUPEX-PROD-1"}, usable == len(list.List())
	r.Sentence = itoa(usable) + " of " + itoa(len(list.List())) + " products on the first page can be read. " + pageNote(a)
	out := []providers.CheckResult{r}
	if extra {
		out = append(out, providers.CheckResult{Title: "Further product fields", Operation: "product.list", Verdict: providers.CheckOK,
			Items: []string{"WUPEX-PROD-3"}, Proved: true, Sentence: "Products carry a product id or a retail price."})
	}
	return out
}

func (c *client) checkOrders(ctx context.Context) []providers.CheckResult {
	a, err := c.read(ctx, c.listRequest(1, "", c.set.newest))
	r, ok := c.checked("Order history", "order.list", a, err)
	if !ok {
		return []providers.CheckResult{r}
	}
	list := a.value.Get("data").List()
	if len(list) == 0 {
		r.Sentence = "The list came and is empty: what an order looks like is not proved yet."
		return []providers.CheckResult{r}
	}
	named, dated, known := 0, 0, listed{}
	for _, v := range list {
		o := c.listItem(v)
		if validOrderName(o.name) && o.figure != "" && o.reference != "" {
			named++
			known = o
		}
		if _, err := parseStrict(o.date); err == nil {
			dated++
		}
	}
	r.Items, r.Proved = []string{"WUPEX-LIST-1"}, named == len(list)
	r.Sentence = itoa(named) + " of " + itoa(len(list)) + " orders carry name, amount and reference. " + pageNote(a)
	out := []providers.CheckResult{r, {Title: "Order dates", Operation: "order.list", Verdict: providers.CheckOK, Items: []string{"WUPEX-LIST-2"},
		Proved: dated == len(list), Sentence: itoa(dated) + " of " + itoa(len(list)) + " dates are RFC 3339 in UTC."}}
	if known.name != "" {
		out = append(out, c.checkFilter(ctx, known))
	}
	return out
}

// checkFilter proves, with an order that exists, what the double-buy guard rests on: that orders can be found by reference.
func (c *client) checkFilter(ctx context.Context, known listed) providers.CheckResult {
	a, err := c.read(ctx, c.listRequest(1, known.reference, c.set.newest))
	r, ok := c.checked("Search by reference", "order.list", a, err)
	if !ok {
		return r
	}
	r.Items, r.Proved = []string{"WUPEX-IDEM-2"}, true
	found := false
	for _, v := range a.value.Get("data").List() {
		o := c.listItem(v)
		found = found || o.name == known.name
		r.Proved = r.Proved && o.reference == known.reference
	}
	if r.Proved = r.Proved && found; r.Proved {
		r.Sentence = "The order list can be searched by our reference."
	} else {
		r.Verdict, r.Sentence = providers.Unreadable, "A search by reference does not give just the order with that reference: lost answers cannot be settled at WUPEX."
	}
	return r
}
