package wakapay

import (
	"context"
	"net/http"
	"net/url"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// wallet is one wallet as WakaPay gives it: exact texts.
type wallet struct{ currency, available, holding, pending string }

// readWallets reads all wallets, or one. Which of the two shapes came is told by the presence of items (WAKA-BAL-1). A currency that is not
// among them has no wallet, which is not the same as zero.
func (c *client) readWallets(ctx context.Context, currency string) (list []wallet, business string, a answer, err error) {
	r := request{op: "balance.read", method: http.MethodGet, path: "/business/balance"}
	if currency != "" {
		r.query = url.Values{"currency": {currency}}.Encode()
	}
	a, err = c.read(ctx, r)
	if err != nil || a.status != http.StatusOK || !a.text {
		return nil, "", a, c.failure("its balances", a, err)
	}
	business = httpx.Say(a.value.Get("businessId").Text(), 64)
	items, flat := a.value.Get("items"), a.value.Get("currency").There()
	switch {
	case items.IsList():
		for _, v := range items.List() {
			list = append(list, walletOf(v))
		}
	case flat && !items.There():
		list = []wallet{walletOf(a.value)}
	default:
		return nil, business, a, models.Errorf(models.Unavailable, "WakaPay's balance answer has neither of the two shapes of its documentation.")
	}
	seen := map[string]bool{}
	for _, w := range list {
		if w.currency == "" || w.available == "" || seen[w.currency] || currency != "" && w.currency != currency {
			return nil, business, a, models.Errorf(models.Unavailable, "WakaPay's balance answer names a wallet twice, not at all, or another than the one asked for.")
		}
		seen[w.currency] = true
	}
	return list, business, a, nil
}

func walletOf(v httpx.Value) wallet {
	return wallet{currency: httpx.Say(v.Get("currency").Text(), 8), available: v.Get("available").Number(), holding: v.Get("holding").Number(), pending: v.Get("pending").Number()}
}

// Balances gives every wallet. While the unit is not confirmed the number stands exactly as received, with that note (WAKA-AMT-1). Pending is
// shown and never counted: what it means is not documented.
func (c *client) Balances(ctx context.Context) ([]providers.Balance, error) {
	list, _, _, err := c.readWallets(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []providers.Balance
	for _, w := range list {
		m, exact, err := c.money(w.available, w.currency)
		if err != nil {
			return nil, err
		}
		b := providers.Balance{Account: w.currency + " wallet", Available: m, Text: w.available, Mark: providers.Documented,
			Note: "on hold " + c.beside(w.holding, w.currency) + ", pending " + c.beside(w.pending, w.currency)}
		if c.set.unit == "" {
			b.Mark = providers.Assumed
			b.Note += "; unit not confirmed"
		}
		if held, _, err := c.money(w.holding, w.currency); err == nil && c.set.unit != "" {
			if sum, err := m.Add(held); err == nil {
				b.Total = sum
			}
		}
		if m.Asset != w.currency {
			b.Note += "; " + w.currency + " is a currency this product does not know"
		}
		if !exact {
			b.Note += "; rounded down from " + w.available
		}
		out = append(out, b)
	}
	return out, nil
}

// beside writes a figure that stands beside the balance: as money in the confirmed unit, and exactly as received where there is none, or where it has
// more digits than the currency.
func (c *client) beside(text, currency string) string {
	m, exact, err := c.money(text, currency)
	if c.set.unit == "" || err != nil || !exact || m.Asset != currency {
		return orNone(text)
	}
	return m.Figure()
}

func orNone(s string) string {
	if s == "" {
		return "not stated"
	}
	return s
}
