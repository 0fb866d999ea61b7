package wupex

import (
	"context"
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// LookUp answers the reads of the description.
func (c *client) LookUp(ctx context.Context, id string, params map[string]string) (providers.Sheet, error) {
	page := 1
	if p := params["page"]; p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 999_999 {
			return providers.Sheet{}, models.FieldErrorf("page", "Pages are counted from 1.")
		}
		page = n
	}
	switch id {
	case "balance":
		return c.balanceSheet(ctx)
	case "products":
		return c.productSheet(ctx, page, params["product_type"])
	case "orders":
		return c.orderSheet(ctx, page, params)
	case "order":
		return c.detailSheet(ctx, params["order_name"])
	}
	return providers.Sheet{}, models.Errorf(models.NotFound, "WUPEX has no such look-up.")
}

func (c *client) balanceSheet(ctx context.Context) (providers.Sheet, error) {
	p, a, err := c.readPurse(ctx)
	if err != nil {
		return providers.Sheet{}, err
	}
	shape := "wrapped in data"
	if !p.wrapped {
		shape = "bare"
	}
	return providers.Sheet{Columns: []string{"What", "Figure", "Currency"}, Raw: a.kept, Note: "The answer came " + shape + " (WUPEX-BAL-1).",
		Rows: [][]string{{"Balance", orNone(p.balance), c.currencyWord()}, {"Credit", orNone(p.credit), c.currencyWord()},
			{"Combined", orNone(p.combined), c.currencyWord()}}}, nil
}

func (c *client) currencyWord() string {
	if c.set.currency == models.Unstated {
		return "currency not stated"
	}
	return c.set.currency
}

func (c *client) productSheet(ctx context.Context, page int, productType string) (providers.Sheet, error) {
	if len(productType) > 100 {
		return providers.Sheet{}, models.FieldErrorf("product_type", "A product type has at most 100 characters.")
	}
	a, err := c.read(ctx, c.productRequest(page, productType))
	if err := c.failure("its products", a, err); err != nil {
		return providers.Sheet{}, err
	}
	s := providers.Sheet{Columns: []string{"SKU", "Product", "Price", "Currency", "In stock", "Can be bought", "Note"}, Raw: a.kept, Note: pageNote(a)}
	for _, v := range a.value.Get("data").List() {
		p, ok := c.product(v)
		if !ok {
			continue
		}
		stock := "not stated"
		if p.Stock >= 0 {
			stock = strconv.Itoa(p.Stock)
		}
		s.Rows = append(s.Rows, []string{p.SKU, p.Title, p.PriceText, c.currencyWord(), stock, yesNo(p.Enabled), p.Note})
	}
	return s, nil
}

func (c *client) orderSheet(ctx context.Context, page int, params map[string]string) (providers.Sheet, error) {
	direction := c.set.newest
	if params["order"] == "oldest" {
		direction = c.set.oldest // WUPEX-LIST-2
	}
	if len(params["reference"]) > 64 {
		return providers.Sheet{}, models.FieldErrorf("reference", "A reference has at most 64 characters.")
	}
	a, err := c.read(ctx, c.listRequest(page, params["reference"], direction))
	if err := c.failure("its orders", a, err); err != nil {
		return providers.Sheet{}, err
	}
	s := providers.Sheet{Columns: []string{"Order", "Date", "Amount", "Currency", "Reference"}, Raw: a.kept, Note: pageNote(a)}
	for _, v := range a.value.Get("data").List() {
		o := c.listItem(v)
		date := o.date
		if t, ok := parseDate(o.date); ok && c.set.readDates {
			date = t.Format(time.RFC3339)
		}
		s.Rows = append(s.Rows, []string{httpx.Say(o.name, 100), date, o.figure, c.currencyWord(), o.reference})
	}
	return s, nil
}

// detailSheet shows what arrived without any code.
func (c *client) detailSheet(ctx context.Context, name string) (providers.Sheet, error) {
	if !validOrderName(name) {
		return providers.Sheet{}, models.FieldErrorf("order_name", "Write the order's name at WUPEX, for example A12345678901234.")
	}
	a, err := c.read(ctx, detailRequest(name))
	if err := c.failure("this order", a, err); err != nil {
		return providers.Sheet{}, err
	}
	if !c.aboutOrder(a, name) {
		return providers.Sheet{}, models.Errorf(models.Unavailable, "WUPEX answered about another order than the one asked for.")
	}
	s := providers.Sheet{Columns: []string{"SKU", "Serial number", "Code", "Expiry"}, Raw: a.kept, Note: "The detail's shape is assumed (WUPEX-DET-1)."}
	for _, d := range c.delivered(a.data, "") {
		s.Rows = append(s.Rows, []string{d.SKU, d.Serial, "not shown here", d.Expiry})
	}
	return s, nil
}

func pageNote(a answer) string {
	info := a.value.Get("pageInfo")
	if !info.There() {
		return ""
	}
	return "Page " + orNone(info.Get("currentPage").Number()) + " of " + orNone(info.Get("totalPage").Number()) + ", " +
		orNone(info.Get("totalCount").Number()) + " in all."
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// statusSentence explains our own words for WUPEX's orders: it has none of its own (section 6).
func statusSentence(kind models.Kind, status string) string {
	if kind != models.Order {
		return ""
	}
	return map[string]string{
		"placed":        "WUPEX has the order; its codes have not been read yet.",
		"pending_codes": "WUPEX has the order and has not given out its codes.",
		"fulfilled":     "As many codes arrived as were ordered.",
		"partial":       "Fewer codes arrived than were ordered. Staff must settle it with WUPEX.",
		"anomaly":       "What arrived does not fit the order. Staff must look.",
		"no_codes":      "The order holds no codes, and this credential treats that as a case for staff.",
		"uncounted":     "How many codes were ordered is not known here, so what arrived cannot be counted.",
	}[status]
}
