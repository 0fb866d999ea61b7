package sandbox

import (
	"strconv"

	"github.com/shopspring/decimal"
)

// arrange changes what the stand-in holds.
func (s *Sandbox) arrange(path string, form func(string) string) string {
	switch path {
	case "/set":
		if form("name") == "" {
			return "name is needed"
		}
		s.settings[form("name")] = form("value")
		return ""
	case "/stock":
		p := s.find(form("sku"))
		n, err := strconv.Atoi(form("stock"))
		if p == nil || err != nil || n < 0 {
			return "a known sku and a number are needed"
		}
		p.Stock = n
		return ""
	case "/balance":
		b, err := decimal.NewFromString(form("balance"))
		c, err2 := decimal.NewFromString(form("credit"))
		if err != nil || err2 != nil {
			return "balance and credit are decimals"
		}
		s.balance, s.credit = b, c
		return ""
	}
	return "no such control"
}
