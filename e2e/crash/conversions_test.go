package crash

import (
	"context"
	"encoding/json"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// conversionWishes take a quote of WSPN and sell by it. Nobody has to agree; the money stays in the merchant's own balances.
var conversionWishes = []wish{
	{provider: "wspn", method: "mint", kind: models.Conversion, asset: "USD", low: 1000, high: 90000, operation: "convert", prepare: quoted("WUSD")},
	{provider: "wspn", method: "redeem", kind: models.Conversion, asset: "WUSD", low: 1000, high: 90000, operation: "convert", prepare: quoted("EUR"),
		values: map[string]string{"buy_currency": "EUR"}},
}

// quoted takes a quote as the review page does. One in ten is stale when it is taken, and must be refused before anything is sent.
func quoted(buy string) func(*house, *box, *store.NewTransaction) bool {
	return func(h *house, b *box, n *store.NewTransaction) bool {
		client, err := b.client()
		if err != nil {
			h.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		q, err := client.(providers.Converter).Quote(ctx, n.Amount.Asset, buy, n.Amount) //nolint:forcetypeassert // WSPN converts
		if err != nil {
			h.note("no quote: %v", err)
			return false
		}
		if h.rnd.IntN(10) == 0 {
			q.ExpiresAt = models.At(time.Now().Add(-time.Second))
			h.note("the next quote is stale")
		}
		kept, err := json.Marshal(q)
		if err != nil {
			h.t.Fatal(err)
		}
		n.Counter, n.Detail.QuoteJSON = buy, string(kept)
		return true
	}
}
