package wspn

import (
	"context"
	"fmt"

	"countinghouse/models"
	"countinghouse/providers"
)

// Balances reads all currencies at once (P-BAL). The field names are a guess (WSPN-BAL-1), and whether "available" is all that can be
// spent is not documented: the figure is shown, it never decides a payout.
func (c *client) Balances(ctx context.Context) ([]providers.Balance, error) {
	a, e := c.do(ctx, call{at: balance})
	if e != nil {
		return nil, readError("The balance", e)
	}
	list := rows(a.object["resultList"])
	if len(list) == 0 {
		list = rows(a.object["result"])
	}
	var out []providers.Balance
	for _, o := range list {
		b, err := c.readBalance(o)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	if out == nil {
		return nil, models.Errorf(models.Unavailable, "WSPN answered the balance without a single currency. The names of its fields are a guess (WSPN-BAL-1).")
	}
	return out, nil
}

func (c *client) readBalance(o object) (providers.Balance, error) {
	names := c.set.balanceFields
	currency, total, available := o.text(names[0]), names[1], names[2]
	b := providers.Balance{Account: clean(orElse(o.text("accountName"), currency), 60), Mark: providers.Assumed}
	shown := available
	if o.text(shown) == "" {
		shown = total
	}
	b.Text = clean(o.text(shown), 64)
	d, ok := o.amount(shown)
	if currency == "" || !ok {
		return b, models.Errorf(models.Unavailable, "WSPN answered the balance with a line that cannot be read. The names of its fields are a guess (WSPN-BAL-1).")
	}
	if m, err := models.MoneyOf(d, currency); err == nil {
		b.Available = m
	} else if _, known := models.AssetByCode(currency); known {
		// WSPN-AMT-1: an on-chain deposit can have digits that the API cannot move; the count is cut, the text shows all.
		a, _ := models.AssetByCode(currency)
		m, err := models.MoneyOf(d.Truncate(int32(a.Scale)), currency) //nolint:gosec // scales are 0 to 18
		if err != nil {
			return b, err
		}
		b.Available, b.Note = m, fmt.Sprintf("WSPN holds %s %s, more digits than can be moved; a person should look", b.Text, currency)
	} else {
		b.Available, b.Note = models.Money{Asset: models.Unstated}, clean(currency, 20)+" is not a currency this product counts"
	}
	if shown == available {
		b.Total = money(o, total, currency)
	}
	return b, nil
}
