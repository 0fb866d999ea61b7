package ui

import "strings"

// MoneyParams is an amount already formatted by the domain. The kit adds no
// digits and removes none.
type MoneyParams struct {
	Amount    string // "1,234.50", "-1,840.00"; a hyphen becomes U+2212
	Code      string // always: "BRL"
	Network   string // crypto: "Polygon"
	Direction string // "out" or "in", spoken; "" when neither
	Plus      bool   // writes + before an amount without sign
	Strong    bool
	Struck    bool   // undone: the amount is crossed out
	Size      string // "", "medium" or "large"
	Note      string // a badge after it: "unit not confirmed"
}

func (p MoneyParams) amount() string {
	if p.Plus && !strings.HasPrefix(p.Amount, "-") && !strings.HasPrefix(p.Amount, "\u2212") {
		return "+" + p.Amount
	}
	return Minus(p.Amount)
}
