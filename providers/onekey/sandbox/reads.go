package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// bearer admits a plain key; X-Date and X-Login are not asked for.
func (s *Sandbox) bearer(c *call, field string) *reply {
	key := s.opt.Credential[field]
	if key == "" || !equal(c.Header.Get("Authorization"), "Bearer "+key) {
		r := depositError(http.StatusUnauthorized, 100, "", "Invalid credentials")
		return &r
	}
	return nil
}

func (s *Sandbox) paymentMethods(c *call) reply {
	if bad := s.bearer(c, "read_only_key"); bad != nil {
		return *bad
	}
	out := []map[string]any{}
	for _, m := range [][4]string{{"BR", "IX", "Pix", "VOUCHER"}, {"BR", "BB", "Banco do Brasil", "BANK_TRANSFER"}, {"BR", "VI", "Visa", "CREDIT_CARD"}, {"BR", "MC", "Mastercard", "CREDIT_CARD"},
		{"CL", "WP", "Webpay", "BANK_TRANSFER"}, {"MX", "SE", "SPEI", "BANK_TRANSFER"}, {"CO", "PC", "PSE", "BANK_TRANSFER"}, {"PE", "EF", "PagoEfectivo", "VOUCHER"}} {
		if country := c.URL.Query().Get("country"); country == "" || country == m[0] {
			out = append(out, map[string]any{"country": m[0], "code": m[1], "name": m[2], "type": m[3], "status": "OK", "daily_average": 12.5, "monthly_average": 380})
		}
	}
	return answer(http.StatusOK, out)
}

// rates to one US dollar.
func rateOf(currency string) (decimal.Decimal, bool) {
	r, ok := map[string]string{"BRL": "5.8829", "CLP": "944.1", "MXN": "18.62", "COP": "4021.5", "ARS": "1402.25", "PEN": "3.71", "USD": "1"}[currency]
	if !ok {
		return decimal.Zero, false
	}
	return decimal.RequireFromString(r), true
}

func amountOf(c *call) (decimal.Decimal, bool) {
	text := c.URL.Query().Get("amount")
	if text == "" {
		text = "1"
	}
	if !amountShape.MatchString(text) {
		return decimal.Zero, false
	}
	return decimal.RequireFromString(text), true
}

func (s *Sandbox) fiatRate(c *call) reply {
	if bad := s.bearer(c, "read_only_key"); bad != nil {
		return *bad
	}
	currency := currencyOf(c.URL.Query().Get("country"))
	rate, known := rateOf(currency)
	amount, ok := amountOf(c)
	if !known || !ok {
		return invalid("country: wrong country")
	}
	return answer(http.StatusOK, map[string]any{"fx_rate": number(rate), "currency": currency, "converted_amount": number(rate.Mul(amount))})
}

func (s *Sandbox) cryptoRate(c *call) reply {
	if bad := s.bearer(c, "read_only_key"); bad != nil {
		return *bad
	}
	q := c.URL.Query()
	price, known := map[string]string{"BTC": "64210.5", "ETH": "3120.25", "USDT": "1"}[q.Get("crypto")]
	rate, fiat := rateOf(q.Get("currency"))
	amount, ok := amountOf(c)
	if !known || !fiat || !ok {
		return invalid("crypto: not available")
	}
	per := decimal.RequireFromString(price).Mul(rate)
	return answer(http.StatusOK, map[string]any{"fx_rate": number(per), "currency": q.Get("crypto"), "converted_amount": number(amount.DivRound(per, 8)), "fee": number(decimal.RequireFromString("0.0001"))})
}

func (s *Sandbox) states(c *call) reply {
	if bad := s.bearer(c, "read_only_key"); bad != nil {
		return *bad
	}
	if c.URL.Query().Get("country") != "BR" {
		return answer(http.StatusOK, []any{})
	}
	return answer(http.StatusOK, []map[string]string{{"iso": "MG", "name": "Minas Gerais"}, {"iso": "RJ", "name": "Rio de Janeiro"}, {"iso": "SP", "name": "São Paulo"}})
}

// banks writes codes as numbers, so that leading zeros are lost, as on the page.
func (s *Sandbox) banks(c *call) reply {
	if bad := s.bearer(c, "read_only_key"); bad != nil {
		return *bad
	}
	write := func(b bank) map[string]any {
		code, _ := strconv.Atoi(b.code)
		ispb, _ := strconv.Atoi(b.ispb)
		return map[string]any{"bank_code": code, "ispb_code": ispb, "bank_name": b.name, "bank_licensed": b.licensed}
	}
	parts := strings.Split(strings.TrimPrefix(c.URL.Path, "/v1/country/"), "/")
	if len(parts) < 2 || parts[1] != "authorized-banks" || parts[0] != "BR" {
		return notFound()
	}
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		i := slices.IndexFunc(brazilBanks(), func(b bank) bool {
			code, _ := strconv.Atoi(b.code)
			ispb, _ := strconv.Atoi(b.ispb)
			return err == nil && (code == n || ispb == n)
		})
		if i < 0 {
			return notFound()
		}
		return answer(http.StatusOK, write(brazilBanks()[i]))
	}
	var list []map[string]any
	for _, b := range brazilBanks() {
		list = append(list, write(b))
	}
	return answer(http.StatusOK, list)
}

func (s *Sandbox) walletTransfer(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	return s.onceOnly(c, func() reply {
		m, err := object(c.body)
		if err != nil {
			return invalid("body: malformed JSON")
		}
		from, to, text := str(m, "source"), str(m, "destination"), numeric(m["amount"])
		s.mu.Lock()
		defer s.mu.Unlock()
		_, okFrom := s.wallet[from]
		_, okTo := s.wallet[to]
		switch {
		case !okFrom || !okTo || from == to:
			return invalid("source: must be PROPRIETARY or TRANSACTIONAL, and not the destination")
		case str(m, "currency") != "BRL":
			return invalid("currency: must be BRL")
		case !amountShape.MatchString(text) || !decimal.RequireFromString(text).IsPositive():
			return invalid("amount: must be above zero with up to 2 decimals")
		}
		amount := decimal.RequireFromString(text)
		if s.wallet[from].LessThan(amount) {
			return invalid("amount: not enough in " + from)
		}
		s.wallet[from], s.wallet[to] = s.wallet[from].Sub(amount), s.wallet[to].Add(amount)
		if key := c.Header.Get("X-Idempotency-Key"); key != "" {
			s.executed[key]++
		}
		return answer(http.StatusOK, map[string]any{"currency": "BRL", "proprietary_balance": number(s.wallet["PROPRIETARY"]), "transactional_balance": number(s.wallet["TRANSACTIONAL"])})
	})
}

func (s *Sandbox) walletBalance(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return answer(http.StatusOK, map[string]any{"balances": []map[string]any{
		{"amount": json.Number(s.wallet["PROPRIETARY"].StringFixed(2)), "currency": "BRL", "type": "PROPRIETARY"},
		{"amount": json.Number(s.wallet["TRANSACTIONAL"].StringFixed(2)), "currency": "BRL", "type": "TRANSACTIONAL"}}})
}

// books is the reconciliation API: creation times in Unix seconds (OKP-REC-1), at most 60 days, 50 rows a page.
func (s *Sandbox) books(c *call) reply {
	if bad := s.bearer(c, "reconciliation_token"); bad != nil {
		return *bad
	}
	path := strings.TrimPrefix(c.URL.Path, "/v1/")
	if path == "balance" {
		return s.bookBalance()
	}
	q := c.URL.Query()
	from, err1 := strconv.ParseInt(q.Get("from"), 10, 64)
	to, err2 := strconv.ParseInt(q.Get("to"), 10, 64)
	if s.setting("reconciliation_time_unit", "seconds") == "milliseconds" {
		from, to = from/1000, to/1000
	}
	if err1 != nil || err2 != nil || to < from || to-from > 60*24*3600 {
		return depositError(http.StatusPreconditionFailed, 201, "", "The span must be at most 60 days")
	}
	page, _ := strconv.Atoi(q.Get("page"))
	s.mu.Lock()
	all := s.bookRows(path, time.Unix(from, 0), time.Unix(to, 0))
	s.mu.Unlock()
	const most = 50
	start := min(max(0, page)*most, len(all))
	rows := all[start:min(start+most, len(all))]
	return answer(http.StatusOK, map[string]any{"page": page, "rows": len(rows), "maxRows": most, "data": rows})
}

// bookRows reads a book. The caller holds the lock.
func (s *Sandbox) bookRows(path string, from, to time.Time) []map[string]any {
	rows := []map[string]any{}
	in := func(t time.Time) bool { return !t.Before(from) && !t.After(to) }
	switch path {
	case "deposits":
		for _, d := range s.deposits {
			if in(d.createdAt) {
				rows = append(rows, map[string]any{"idDeposit": d.id, "externalId": d.invoice, "creationDate": d.createdAt.Format(timeText), "amount": number(d.amount), "currency": d.currency,
					"localAmount": number(d.paid), "localCurrency": d.currency, "fee": json.Number("0.25"), "status": d.status})
			}
		}
	case "cashouts":
		for _, c := range s.cashouts {
			if in(c.createdAt) {
				rows = append(rows, map[string]any{"idCashout": c.id, "externalId": c.external, "creationDate": c.createdAt.Format(timeText), "country": c.country, "currency": c.currency,
					"amount": number(c.amount), "creditedCurrency": c.currency, "creditedAmount": number(c.amount), "fee": json.Number("0.5"), "status": strings.ToUpper(describe(c.status)),
					"clientDocument": c.document, "existVoucher": false})
			}
		}
	case "refunds":
		for _, f := range s.refunds {
			rows = append(rows, map[string]any{"idRefund": f.id, "status": f.status, "amount": number(f.amount)})
		}
	}
	return rows
}

func (s *Sandbox) bookBalance() reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := json.Number(s.balances["BRL"].StringFixed(2))
	return answer(http.StatusOK, map[string]any{"balances": []map[string]any{{"type": "PRIMARY", "data": map[string]any{"totalBalance": total, "availableBalance": total,
		"depositSettlementPeriod": 1, "rollingReserveBalance": 0, "usableBalance": total}}}})
}
