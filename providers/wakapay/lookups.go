package wakapay

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// rate is a rate as it was read, good until the next 17:00 UTC.
type rate struct {
	text  string
	until time.Time
	raw   []byte
}

// changeOfRates is the next 17:00 UTC after a moment: rates stay fixed between (WAKA-FX-1).
func changeOfRates(now time.Time) time.Time {
	now = now.UTC()
	at := time.Date(now.Year(), now.Month(), now.Day(), 17, 0, 0, 0, time.UTC)
	if !now.Before(at) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// rateOf reads a rate, or gives the one that still holds.
func (c *client) rateOf(ctx context.Context, from, to string) (rate, error) {
	if !knownCurrency(from) || !knownCurrency(to) {
		return rate{}, models.FieldErrorf("from", "WakaPay has rates between USD, KES, TZS, UGX and ZAR.")
	}
	if from == to && c.set.sameRate { // WAKA-FX-2
		return rate{text: "1"}, nil
	}
	c.mu.Lock()
	kept, ok := c.rates[from+to]
	c.mu.Unlock()
	asked := c.now()
	if ok && asked.Before(kept.until) {
		return kept, nil
	}
	a, err := c.read(ctx, request{op: "rate.read", method: http.MethodGet, path: "/business/rate", query: url.Values{"from": {from}, "to": {to}}.Encode()})
	switch {
	case err == nil && a.status == http.StatusNotFound:
		return rate{}, models.Errorf(models.NotFound, "WakaPay has no rate from %s to %s%s. Your account manager sets rates up.", from, to, a.said())
	case err != nil || a.status != http.StatusOK || !a.text:
		return rate{}, c.failure("its rate", a, err)
	}
	text := a.value.Get("rate").Number()
	d, err := models.ParseDecimal(text)
	if err != nil || d.Sign() <= 0 || a.value.Get("from").Text() != from || a.value.Get("to").Text() != to {
		return rate{}, models.Errorf(models.Unavailable, "WakaPay's answer holds no rate from %s to %s.", from, to)
	}
	// Asked before 17:00 and answered after: the earlier moment decides, so that a rate is never kept too long.
	out := rate{text: text, until: changeOfRates(asked), raw: a.kept}
	c.mu.Lock()
	c.rates[from+to] = out
	c.mu.Unlock()
	return out, nil
}

// LookUp answers the reads of the description.
func (c *client) LookUp(ctx context.Context, id string, params map[string]string) (providers.Sheet, error) {
	switch id {
	case "balance":
		return c.walletSheet(ctx, params["currency"])
	case "rate":
		return c.rateSheet(ctx, params["from"], params["to"])
	case "recipient":
		return c.recipientSheet(ctx, params["country"], params["phone"])
	case "transactions":
		return c.transactionSheet(ctx, params["page"])
	}
	return providers.Sheet{}, models.Errorf(models.NotFound, "WakaPay has no such look-up.")
}

func (c *client) walletSheet(ctx context.Context, currency string) (providers.Sheet, error) {
	if currency != "" && !knownCurrency(currency) {
		return providers.Sheet{}, models.FieldErrorf("currency", "WakaPay has wallets in USD, KES, TZS, UGX and ZAR.")
	}
	list, business, a, err := c.readWallets(ctx, currency)
	if err != nil {
		return providers.Sheet{}, err
	}
	s := providers.Sheet{Columns: []string{"Currency", "Available", "On hold", "Pending"}, Raw: a.kept, Note: "Business " + orNone(business) + ". " + c.unitNote()}
	for _, w := range list {
		s.Rows = append(s.Rows, []string{w.currency, w.available, orNone(w.holding), orNone(w.pending)})
	}
	return s, nil
}

func (c *client) unitNote() string {
	if c.set.unit == "" {
		return "Figures exactly as received; unit not confirmed (WAKA-AMT-1)."
	}
	return "Figures exactly as received, in " + c.set.unit + " units."
}

func (c *client) rateSheet(ctx context.Context, from, to string) (providers.Sheet, error) {
	r, err := c.rateOf(ctx, from, to)
	if err != nil {
		return providers.Sheet{}, err
	}
	s := providers.Sheet{Columns: []string{"From", "To", "Rate", "Holds until"}, Raw: r.raw,
		Note: "One " + from + " is this many " + to + ". Nothing is locked: a payout after 17:00 UTC has the next rate."}
	until := "always"
	if !r.until.IsZero() {
		until = r.until.Format("2006-01-02 15:04 UTC")
	}
	s.Rows = [][]string{{from, to, r.text, until}}
	return s, nil
}

func (c *client) recipientSheet(ctx context.Context, code, phone string) (providers.Sheet, error) {
	land, ok := countryOf(code)
	if !ok {
		return providers.Sheet{}, models.FieldErrorf("country", "Choose Kenya, Tanzania, Uganda or South Africa.")
	}
	v, err := c.verify(ctx, land, phone, "")
	if err != nil {
		return providers.Sheet{}, err
	}
	return providers.Sheet{Columns: []string{"Phone", "Name", "What WakaPay says"}, Rows: [][]string{{phone, v.Name, v.Sentence}}, Raw: v.Raw}, nil
}

// transactionSheet lists transactions in the shape of WAKA-PAY-1.
func (c *client) transactionSheet(ctx context.Context, page string) (providers.Sheet, error) {
	if bad := c.demoOnly(); bad != "" {
		return providers.Sheet{}, models.Errorf(models.Conflict, "%s", bad)
	}
	if page == "" {
		page = "1"
	}
	if n, err := strconv.Atoi(page); err != nil || n < 1 || n > 999_999 {
		return providers.Sheet{}, models.FieldErrorf("page", "Pages are counted from 1.")
	}
	a, err := c.read(ctx, request{op: "transactions.list", method: http.MethodGet, path: "/business/transactions", query: url.Values{"page": {page}, "pageSize": {"20"}}.Encode()})
	if err != nil || a.status != http.StatusOK || !a.value.Get("items").IsList() {
		return providers.Sheet{}, c.failure("its transactions", a, err)
	}
	s := providers.Sheet{Columns: []string{"Our reference", "WakaPay's reference", "Status", "Amount", "Currency"}, Raw: a.kept,
		Note: "Made-up shape (WAKA-PAY-1). " + orNone(a.value.Get("total").Number()) + " in all."}
	for _, v := range a.value.Get("items").List() {
		s.Rows = append(s.Rows, []string{httpx.Say(v.Get("businessReference").Text(), 64), httpx.Say(v.Get("wakapayReference").Text(), 100),
			httpx.Say(v.Get("status").Text(), 60), httpx.Say(v.Get("amount").Scalar(), 30), httpx.Say(v.Get("targetCurrency").Text(), 8)})
	}
	return s, nil
}
