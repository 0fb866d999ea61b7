package wupex

import (
	"context"
	"net/http"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

func balanceRequest() request {
	return request{op: "balance.read", method: http.MethodGet, path: "/api/customer/balance"}
}

// purse is the balance answer: exact texts, and where it stood.
type purse struct {
	balance, credit, combined string
	wrapped                   bool
}

// readPurse reads the balance, wrapped first and bare second (WUPEX-BAL-1).
func (c *client) readPurse(ctx context.Context) (purse, answer, error) {
	a, err := c.read(ctx, balanceRequest())
	if err != nil || !a.text {
		return purse{}, a, c.failure("its balance", a, err)
	}
	_, told := a.value.Get("status").Bool()
	bare := !told && a.status == http.StatusOK && a.value.Get("balance").There()
	switch {
	case bare && c.set.envelope != "wrapped":
		a.good = true
		return purseOf(a.value, false), a, c.checkPurse(purseOf(a.value, false))
	case a.good && c.set.envelope != "bare":
		return purseOf(a.data, true), a, c.checkPurse(purseOf(a.data, true))
	case a.good || bare:
		return purse{}, a, models.Errorf(models.Unavailable, "WUPEX's balance answer has the other envelope than the one set for this credential (WUPEX-BAL-1).")
	}
	return purse{}, a, c.failure("its balance", a, nil)
}

func purseOf(v httpx.Value, wrapped bool) purse {
	return purse{balance: v.Get("balance").Number(), credit: v.Get("credit").Number(), combined: v.Get("creditBalance").Number(), wrapped: wrapped}
}

// spendable is the figure that can be spent (WUPEX-BAL-2), as text.
func (c *client) spendable(p purse) (string, error) {
	sum := func() (string, error) {
		b, err := models.ParseDecimal(p.balance)
		if err != nil {
			return "", err
		}
		cr, err := models.ParseDecimal(p.credit)
		if err != nil {
			return "", err
		}
		return b.Add(cr).String(), nil
	}
	switch {
	case c.set.spendable == "balance":
		return p.balance, nil
	case c.set.spendable == "sum" || p.combined == "":
		return sum()
	}
	return p.combined, nil
}

func (c *client) checkPurse(p purse) error {
	text, err := c.spendable(p)
	if err == nil {
		_, _, err = c.money(text, decimal.Decimal.RoundFloor)
	}
	if err != nil {
		return models.Errorf(models.Unavailable, "WUPEX's balance answer holds a figure that cannot be read.")
	}
	return nil
}

// Balances gives the one account. What is shown is rounded down where WUPEX gives more digits than the currency has, so that it never
// promises too much; Text keeps the exact figure.
func (c *client) Balances(ctx context.Context) ([]providers.Balance, error) {
	p, _, err := c.readPurse(ctx)
	if err != nil {
		return nil, err
	}
	text, err := c.spendable(p)
	if err != nil {
		return nil, err
	}
	m, exact, err := c.money(text, decimal.Decimal.RoundFloor)
	if err != nil {
		return nil, err
	}
	b := providers.Balance{Account: "prepaid", Available: m, Text: text, Mark: providers.Assumed,
		Note: "balance " + orNone(p.balance) + ", credit " + orNone(p.credit)}
	if c.set.currency == models.Unstated {
		b.Note += "; currency not stated"
	}
	if !exact {
		b.Note += "; rounded down from " + text
	}
	return []providers.Balance{b}, nil
}

func orNone(s string) string {
	if s == "" {
		return "not stated"
	}
	return s
}
