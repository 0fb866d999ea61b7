package models

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Money is an exact amount: a count of minor units of one asset. The zero value is no money of no asset.
type Money struct {
	Minor int64  // count of minor units; negative only where a sign is meant (ledger, totals)
	Asset string // asset code
}

var plainDecimal = regexp.MustCompile(`^-?\d{1,18}(\.\d{1,18})?$`)

// ParseDecimal reads an exact decimal. It accepts only ASCII digits with at most 18 before and 18 after the point: no exponent, no
// plus sign, no separators, no spaces, no other script's digits.
func ParseDecimal(text string) (decimal.Decimal, error) {
	if !plainDecimal.MatchString(text) {
		return decimal.Decimal{}, Errorf(Invalid, "Write the amount with digits and one point, for example 1234.50.")
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Decimal{}, Errorf(Invalid, "Write the amount with digits and one point, for example 1234.50.")
	}
	return d, nil
}

// ParseMoney reads an amount of an asset. More digits than the asset's scale is an error, never a rounding.
func ParseMoney(text, asset string) (Money, error) {
	a, ok := AssetByCode(asset)
	if !ok {
		return Money{}, Errorf(Invalid, "%s is not a currency this product knows.", printable(asset))
	}
	d, err := ParseDecimal(text)
	if err != nil {
		return Money{}, err
	}
	return fromDecimal(d, a)
}

// MoneyOf turns an exact decimal into Money; the decimal may have trailing zeros beyond the scale but no other digit there.
func MoneyOf(d decimal.Decimal, asset string) (Money, error) {
	a, ok := AssetByCode(asset)
	if !ok {
		return Money{}, Errorf(Invalid, "%s is not a currency this product knows.", printable(asset))
	}
	return fromDecimal(d, a)
}

func fromDecimal(d decimal.Decimal, a Asset) (Money, error) {
	shifted := d.Shift(int32(a.Scale))
	if !shifted.Equal(shifted.Truncate(0)) {
		if a.Scale == 0 {
			return Money{}, Errorf(Invalid, "%s has no decimals: write a whole number.", a.Code)
		}
		return Money{}, Errorf(Invalid, "%s has %d decimals: this amount has more.", a.Code, a.Scale)
	}
	if shifted.Abs().GreaterThan(decimal.NewFromInt(math.MaxInt64 / 2)) {
		return Money{}, Errorf(Invalid, "This amount is larger than the product can keep.")
	}
	return Money{Minor: shifted.IntPart(), Asset: a.Code}, nil
}

// PositiveMoney reads an amount that must be above zero.
func PositiveMoney(text, asset string) (Money, error) {
	m, err := ParseMoney(text, asset)
	if err == nil && m.Minor <= 0 {
		err = Errorf(Invalid, "The amount must be above zero.")
	}
	return m, err
}

// Scale gives the digits after the point of the asset; an unknown asset has 2.
func (m Money) Scale() int {
	if a, ok := AssetByCode(m.Asset); ok {
		return a.Scale
	}
	return 2
}

// Decimal gives the exact decimal in major units.
func (m Money) Decimal() decimal.Decimal { return decimal.New(m.Minor, -int32(m.Scale())) }

// Plain writes the amount for files and wires: "1234.50", no separators, no code, all digits of the scale.
func (m Money) Plain() string { return m.Decimal().StringFixed(int32(m.Scale())) }

// Figure writes the amount for people without the code: "1,234.50", with U+2212 as the minus sign.
func (m Money) Figure() string {
	plain := m.Plain()
	sign := ""
	if strings.HasPrefix(plain, "-") {
		sign, plain = "−", plain[1:]
	}
	whole, frac, has := strings.Cut(plain, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if has {
		b.WriteByte('.')
		b.WriteString(frac)
	}
	return b.String()
}

// String writes the amount for people with its code: "1,234.50 USD". Where the provider does not say the currency, it says so.
func (m Money) String() string {
	if m.Asset == Unstated {
		return m.Figure() + " (currency not stated)"
	}
	return m.Figure() + " " + m.Asset
}

// IsZero reports whether there is no money.
func (m Money) IsZero() bool { return m.Minor == 0 }

// Neg turns the sign.
func (m Money) Neg() Money { return Money{-m.Minor, m.Asset} }

// Add sums two amounts of one asset. Two assets, or a sum that does not fit, is an error.
func (m Money) Add(o Money) (Money, error) {
	if m.Asset != o.Asset {
		return Money{}, Errorf(Invalid, "%s and %s cannot be added.", m.Asset, o.Asset)
	}
	s := m.Minor + o.Minor
	if (o.Minor > 0 && s < m.Minor) || (o.Minor < 0 && s > m.Minor) {
		return Money{}, Errorf(Invalid, "This sum is larger than the product can keep.")
	}
	return Money{s, m.Asset}, nil
}

// Cmp compares two amounts of one asset: -1, 0 or 1. It panics on two assets, which is a bug and never an input.
func (m Money) Cmp(o Money) int {
	if m.Asset != o.Asset {
		panic("models: comparing " + m.Asset + " with " + o.Asset)
	}
	switch {
	case m.Minor < o.Minor:
		return -1
	case m.Minor > o.Minor:
		return 1
	}
	return 0
}

// printable makes a hostile word safe and short enough to be quoted in a sentence.
func printable(s string) string {
	if len(s) > 24 {
		s = s[:24] + "…"
	}
	return strconv.QuoteToGraphic(s)
}
