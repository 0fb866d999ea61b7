package sandbox

import (
	"math/big"
	"regexp"
	"strings"
)

// amount is an exact count of the smallest units.
type amount struct {
	units *big.Int
	scale int
}

var amountText = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,18})?$`)

// parseAmount reads a decimal; what it cannot read exactly at the scale is zero, so callers check the text first.
func parseAmount(text string, scale int) amount {
	whole, frac, _ := strings.Cut(text, ".")
	if !amountText.MatchString(text) || len(strings.TrimRight(frac, "0")) > scale {
		return amount{new(big.Int), scale}
	}
	frac = (frac + strings.Repeat("0", scale))[:scale]
	n, _ := new(big.Int).SetString(whole+frac, 10)
	return amount{n, scale}
}

func (a amount) plus(b amount) amount  { return amount{new(big.Int).Add(a.units, b.units), a.scale} }
func (a amount) minus(b amount) amount { return amount{new(big.Int).Sub(a.units, b.units), a.scale} }
func (a amount) less(b amount) bool    { return a.units.Cmp(b.units) < 0 }
func (a amount) positive() bool        { return a.units.Sign() > 0 }
func (a amount) part(n, of int64) amount {
	x := new(big.Int).Mul(a.units, big.NewInt(n))
	return amount{x.Div(x, big.NewInt(of)), a.scale}
}

// text writes all digits of the scale, trailing zeros included, as a .NET decimal would.
func (a amount) text() string {
	digits := new(big.Int).Abs(a.units).String()
	if len(digits) <= a.scale {
		digits = strings.Repeat("0", a.scale-len(digits)+1) + digits
	}
	sign := ""
	if a.units.Sign() < 0 {
		sign = "-"
	}
	if a.scale == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-a.scale] + "." + digits[len(digits)-a.scale:]
}

// inUSDT turns an amount with two decimals into USDT with six, rounded up, by rates that this stand-in made up.
func inUSDT(a amount, currency string) amount {
	perUnit := map[string]int64{"USD": 1_000_000, "EUR": 1_100_000, "RUB": 12_500, "KZT": 2_000, "UAH": 24_000}[currency]
	if perUnit == 0 {
		perUnit = 10_000
	}
	x := new(big.Int).Mul(a.units, big.NewInt(perUnit)) // cents × micro-units per unit
	x.Add(x, big.NewInt(99))
	return amount{x.Div(x, big.NewInt(100)), 6}
}
