package providers

import (
	"github.com/shopspring/decimal"

	"countinghouse/models"
)

// MaxQuantity is the most units that one order may ask for.
const MaxQuantity = 10_000

// Total is what a quantity of a product costs: the provider's own figure, with all its digits, times the quantity. Only the result is
// rounded, up and to the asset's scale; rounded says so. A product whose figure is not its price is counted by the price.
func (p Product) Total(quantity int) (total models.Money, rounded bool, err error) {
	if quantity < 1 || quantity > MaxQuantity {
		return models.Money{}, false, models.FieldErrorf("quantity", "Order at least one unit, in whole numbers, at most 10,000.")
	}
	a, ok := models.AssetByCode(p.Price.Asset)
	if !ok || p.Price.Minor <= 0 {
		return models.Money{}, false, models.FieldErrorf("sku", "This product has no price that could be counted, so it cannot be ordered here.")
	}
	scale := int32(a.Scale) //nolint:gosec // scales are below 19
	unit := p.Price.Decimal()
	if d, err := models.ParseDecimal(p.PriceText); err == nil && d.RoundCeil(scale).Equal(unit) {
		unit = d
	}
	exact := unit.Mul(decimal.NewFromInt(int64(quantity)))
	cut := exact.RoundCeil(scale)
	total, err = models.MoneyOf(cut, a.Code)
	return total, !cut.Equal(exact), err
}

// WhyNot says why a quantity of the product cannot be ordered now; empty if it can. Stock that is not stated keeps nothing back.
func (p Product) WhyNot(quantity int) string {
	switch {
	case p.Stock == 0:
		return "It is out of stock."
	case !p.Enabled:
		return "It is not enabled for this account."
	case p.Stock > 0 && quantity > p.Stock:
		return "There are not so many in stock."
	}
	return ""
}
