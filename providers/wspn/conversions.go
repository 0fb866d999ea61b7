package wspn

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// stable is the asset that mint buys and redeem sells.
const stable = "WUSD"

// Quote asks for a rate (P-RATE). It lives 30 seconds and serves once. The names of the answer's fields are the sibling's (WSPN-FX-1).
func (c *client) Quote(ctx context.Context, sell, buy string, amount models.Money) (providers.Quote, error) {
	if sell == buy || sell != stable && buy != stable || !models.ValidAssetCode(sell) || !models.ValidAssetCode(buy) {
		return providers.Quote{}, models.Errorf(models.Invalid, "WSPN converts between a currency and %s only.", stable)
	}
	asked := c.now()
	a, e := c.do(ctx, call{at: exchangeRate, body: map[string]any{"sellCurrency": sell, "buyCurrency": buy}})
	if e != nil {
		return providers.Quote{}, readError("The rate", e)
	}
	res, names := a.child("result"), c.set.rateFields
	rate, ok := res.amount(names[0])
	id := res.words(names[1])
	if !ok || !rate.IsPositive() || !validQuoteID(id) {
		return providers.Quote{}, models.Errorf(models.Unavailable, "WSPN's quote cannot be read: it has no usable rate or id (WSPN-FX-1).")
	}
	if s, b := res.text("sellCurrency"), res.text("buyCurrency"); s != "" && s != sell || b != "" && b != buy {
		return providers.Quote{}, models.Errorf(models.Unavailable, "WSPN quoted another pair than the one asked.")
	}
	// The documented life is 30 seconds. Their own time can only shorten it: its zone is a guess (WSPN-TIME-1).
	until := asked.Add(quoteLife)
	if theirs := c.set.moment(res.text(names[2])); !theirs.IsZero() && theirs.Before(until) && theirs.After(asked) {
		until = theirs
	}
	return providers.Quote{ID: id, Sell: sell, Buy: buy, Rate: res.text(names[0]), ExpiresAt: models.At(until), Mark: providers.Sibling, Raw: a.raw}, nil
}

func validQuoteID(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return true
}

// Convert takes a quote (P-MRC). It is refused here, unsent, when the quote is older than its 30 seconds or of another pair (WSPN-FX-2).
func (c *client) Convert(ctx context.Context, r providers.SendRequest) providers.Outcome {
	if why := c.locked(mintCreate); why != "" {
		return notSent("%s", why)
	}
	amount, err := wireAmount(&c.set, r.Amount)
	switch {
	case err != nil:
		return notSent("%s", err)
	case !validReference(r.Reference):
		return notSent("The reference must be 1 to 64 letters, digits and hyphens.")
	case !validQuoteID(r.Quote.ID):
		return notSent("A conversion needs a quote of WSPN. Ask for one; it lives 30 seconds.")
	case r.Quote.ExpiresAt != 0 && !c.now().Before(r.Quote.ExpiresAt.Time()):
		return notSent("The quote has expired: it lived 30 seconds. Nothing was sent; ask for a new one.")
	case c.set.pairEnforced && r.Quote.Sell != r.Amount.Asset:
		return notSent("The quote sells %s, but the amount is in %s.", quote(r.Quote.Sell), r.Amount.Asset)
	case c.set.pairEnforced && r.Quote.Sell != stable && r.Quote.Buy != stable, r.Quote.Buy == "" || r.Quote.Buy == r.Amount.Asset:
		return notSent("WSPN converts between a currency and %s only.", stable)
	}
	if m, ok := methodByID(r.Method); ok && (m.ID == mint) != (r.Quote.Buy == stable) {
		return notSent("The quote is for the other direction.")
	}
	if out := c.refusePartial(ctx, r.Amount); out != nil {
		return out
	}
	a, e := c.do(ctx, call{at: mintCreate, body: map[string]any{"sellCurrency": r.Amount.Asset, "buyCurrency": r.Quote.Buy, "sellAmount": amount,
		"quoteId": r.Quote.ID, "requestId": r.Reference}})
	if e != nil {
		return c.outcomeOf(e)
	}
	return c.acceptConversion(a, r)
}

func (c *client) acceptConversion(a answer, r providers.SendRequest) providers.Outcome {
	res := a.child("result")
	if res.id("id") == 0 {
		return unknown(a, "WSPN said success without the id of a conversion")
	}
	sent := c.echoes(r, map[string]string{"sellCurrency": r.Amount.Asset, "buyCurrency": r.Quote.Buy, "quoteId": r.Quote.ID})
	if wrong := echoed(res, []string{"sellCurrency", "buyCurrency", "sellAmount", "status"}, sent); wrong != "" {
		return unknown(a, "WSPN said success, but not of this conversion: %s", wrong)
	}
	if !sameAmount(res, "sellAmount", r.Amount.Decimal()) {
		return unknown(a, "WSPN says that it sells %s %s, but %s was asked. It may have taken the whole balance: look at it now",
			quote(res.words("sellAmount")), r.Amount.Asset, r.Amount)
	}
	if quoted, err := models.ParseDecimal(r.Quote.Rate); err == nil && res.text("rate") != "" && !sameAmount(res, "rate", quoted) {
		return unknown(a, "WSPN converted at %s, but quoted %s", quote(res.words("rate")), quoted)
	}
	return providers.Accepted{ProviderRef: strconv.FormatInt(res.id("id"), 10), Status: c.conversionStatus(res), Raw: a.raw}
}

// conversionStatus reads a record with the members of P-MRC and P-MRH.
func (c *client) conversionStatus(res object) providers.Status {
	word := clean(res.text("status"), 64)
	s := providers.Status{State: c.stateOf(models.Conversion, word), Word: word, Amount: money(res, "sellAmount", res.text("sellCurrency")),
		Counter: money(res, "buyAmount", res.text("buyCurrency")), Rate: rateText(res, "rate")}
	if id := res.id("id"); id != 0 {
		s.ProviderRef = strconv.FormatInt(id, 10)
	}
	return s
}

func rateText(o object, key string) string {
	if _, ok := o.amount(key); !ok {
		return ""
	}
	return o.text(key)
}

// history limits.
const (
	historyRows  = 50               // WSPN returns at most 50 whatever is asked (WSPN-MINT-1)
	historyPages = 20               // beyond a thousand rows the answer is "unclear", never a guess
	widened      = 24 * time.Hour   // each side, because the zone of their times is a guess (WSPN-TIME-1)
	landsWithin  = 15 * time.Minute // a conversion of ours was created within this time of sending
	clockSlack   = 2 * time.Minute  // their clock may be this far from ours (P-SIG)
)

// FindConversion asks the order query by our reference where its path may be used (WSPN-PATH-1). When that gives no clear answer it
// reads the history, which knows neither requestId nor quote: a row counts as ours only when it is the only one of its pair and
// amount in the whole widened window (contract 8, row 13). Anything else is unclear and for a person.
func (c *client) FindConversion(ctx context.Context, q providers.Query) providers.Finding {
	first := providers.Finding{Result: providers.Unclear, Says: "The order query is locked: its path is a guess."}
	if c.locked(mintOrder) == "" {
		first = c.findOrder(ctx, mintOrder, models.Conversion, q)
	}
	if first.Result == providers.Found || first.Status.ProviderRef != "" { // an order of another amount is an answer too
		return first
	}
	second := c.findInHistory(ctx, q)
	if first.Result == providers.NotFound && second.Result == providers.NotFound {
		return providers.Finding{Result: providers.NotFound, Says: first.Says + " " + second.Says, Raw: first.Raw}
	}
	asked := c.locked(mintOrder) == ""
	switch {
	case first.Result == providers.NotFound && second.Result == providers.Found && parseID(q.ProviderRef) == 0:
		// They know no such reference, but a twin stands in the history: it may be somebody else's.
		second.Result, second.Status = providers.Unclear, providers.Status{}
	case asked && first.Result == providers.Unclear && second.Result == providers.NotFound:
		second.Result = providers.Unclear // the better question had no clear answer
	}
	second.Says = first.Says + " " + second.Says
	return second
}

func (c *client) findInHistory(ctx context.Context, q providers.Query) providers.Finding {
	if why := c.locked(mintSearch); why != "" {
		return providers.Finding{Result: providers.Unclear, Says: why}
	}
	sent := q.SentAt.Time()
	if sent.IsZero() || q.Amount.Asset == "" {
		return providers.Finding{Result: providers.Unclear, Says: "Without the moment of sending and the amount, the history cannot be searched."}
	}
	body := map[string]any{"sellCurrency": q.Amount.Asset, "createdTimeStart": c.set.written(sent.Add(-widened)),
		"createdTimeEnd": c.set.written(sent.Add(landsWithin + widened))}
	buy := q.Values["buy_currency"]
	if q.Method == mint || q.Amount.Asset != stable {
		buy = stable
	}
	put(body, "buyCurrency", buy)
	list, raw, err := c.history(ctx, body)
	if err != nil {
		return *err
	}
	return c.pickFromHistory(list, raw, q, buy)
}

// history reads all pages; the error is a finding.
func (c *client) history(ctx context.Context, body map[string]any) ([]object, []byte, *providers.Finding) {
	var all []object
	var raw []byte
	for page := 1; page <= historyPages; page++ {
		a, e := c.do(ctx, call{at: mintSearch, body: body, page: [2]int{page, historyRows}})
		if e != nil {
			f := c.findingOf(e)
			return nil, nil, &f
		}
		list, said := a.listed("resultList")
		if !said {
			return nil, nil, &providers.Finding{Result: providers.Unclear, Says: "WSPN's answer holds no readable history.", Raw: a.raw}
		}
		all, raw = append(all, list...), a.raw
		if len(list) < historyRows {
			return all, raw, nil
		}
	}
	return nil, nil, &providers.Finding{Result: providers.Unclear, Says: "The history is longer than can be searched."}
}

func (c *client) pickFromHistory(list []object, raw []byte, q providers.Query, buy string) providers.Finding {
	id := parseID(q.ProviderRef)
	var twins []object
	blind := 0
	for _, o := range list {
		if id != 0 && o.id("id") == id {
			return c.foundInHistory(o, raw)
		}
		if o.text("sellCurrency") == q.Amount.Asset && (buy == "" || o.text("buyCurrency") == buy) && sameAmount(o, "sellAmount", q.Amount.Decimal()) {
			twins = append(twins, o)
		} else if _, readable := o.amount("sellAmount"); !readable || o.text("sellCurrency") == "" || buy != "" && o.text("buyCurrency") == "" {
			blind++ // every member is optional on the page (P-MRH): what does not say its amount may be ours
		}
	}
	finding := providers.Finding{Result: providers.Unclear, Raw: raw}
	switch {
	case id != 0:
		finding.Says = fmt.Sprintf("Conversion %d is not in the history of those days.", id)
	case blind > 0:
		finding.Says = fmt.Sprintf("%d conversions of those days do not say their pair and amount, so it cannot be told whether ours is among them.", blind)
	case len(twins) == 0:
		finding.Result = providers.NotFound
		finding.Says = "No conversion of this pair and amount is in the history of those days."
	case len(twins) > 1:
		finding.Says = fmt.Sprintf("%d conversions of this pair and amount are in the history of those days; which is ours cannot be told.", len(twins))
	default:
		at, sent := c.set.moment(twins[0].text("createdTime")), q.SentAt.Time()
		if at.IsZero() || at.Before(sent.Add(-clockSlack)) || at.After(sent.Add(landsWithin)) || twins[0].id("id") == 0 {
			finding.Says = "One conversion of this pair and amount is in the history, but not from the time of sending."
			return finding
		}
		return c.foundInHistory(twins[0], raw)
	}
	return finding
}

func (c *client) foundInHistory(o object, raw []byte) providers.Finding {
	s := c.conversionStatus(o)
	return providers.Finding{Result: providers.Found, Status: s, Raw: raw,
		Says: fmt.Sprintf("The history has conversion %s of %s with status %s.", s.ProviderRef, o.words("createdTime"), s.Word)}
}
