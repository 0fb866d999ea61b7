package sandbox

import (
	"encoding/json"
	"net/http"

	"github.com/shopspring/decimal"
)

// currencies and their decimals by ISO 4217 (contract, section 8).
func scaleOf(currency string) (int32, bool) {
	scale, ok := map[string]int32{"USD": 2, "KES": 2, "TZS": 2, "UGX": 0, "ZAR": 2}[currency]
	return scale, ok
}

func order() []string { return []string{"USD", "KES", "TZS", "UGX", "ZAR"} }

// number writes an amount in the unit of this stand-in, as a JSON number.
func (s *Sandbox) number(d decimal.Decimal, currency string) json.Number {
	return json.Number(s.figure(d, currency))
}

func (s *Sandbox) figure(d decimal.Decimal, currency string) string {
	if scale, ok := scaleOf(currency); ok && s.settings["amount_unit"] == "minor" {
		d = d.Shift(scale)
	}
	return d.String()
}

// balance is GET /business/balance: flat with a currency, a list without (WAKA-BAL-1).
func (s *Sandbox) balance(r *http.Request, _ []byte) reply {
	show := func(currency string) map[string]any {
		w := s.wallets[currency]
		if w == nil {
			w = &wallet{}
		}
		return map[string]any{"available": s.number(w.available, currency), "currency": currency, "holding": s.number(w.holding, currency), "pending": s.number(w.pending, currency)}
	}
	if q := r.URL.Query(); q.Has("currency") {
		currency := q.Get("currency")
		if _, ok := scaleOf(currency); !ok {
			if s.settings["bad_currency_answer"] == "404" { // WAKA-BAL-2
				return ordinary(http.StatusNotFound, "wallet not found")
			}
			return ordinary(http.StatusBadRequest, "currency is not supported")
		}
		m := show(currency)
		m["businessId"] = s.businessID
		return answer(http.StatusOK, m)
	}
	items := []any{}
	for _, c := range order() {
		if s.wallets[c] != nil {
			items = append(items, show(c))
		}
	}
	return answer(http.StatusOK, map[string]any{"businessId": s.businessID, "items": items, "addedAfterTheContract": []int{1}})
}

// rate is GET /business/rate (WAKA-FX-1).
func (s *Sandbox) rate(r *http.Request, _ []byte) reply {
	from, to := r.URL.Query().Get("from"), r.URL.Query().Get("to")
	if from == "" || to == "" {
		return ordinary(http.StatusBadRequest, "from and to are required")
	}
	d, ok := s.rates[from+to]
	if !ok {
		return ordinary(http.StatusNotFound, "rate not configured")
	}
	return answer(http.StatusOK, map[string]any{"from": from, "to": to, "rate": json.Number(d.String())})
}

// verifyTransfer is POST /business/verify-transfer (WAKA-VER-1).
func (s *Sandbox) verifyTransfer(r *http.Request, body []byte) reply {
	m, ok := decode(r, body)
	country, a := text(m["countryCode"])
	phone, b := text(m["phoneNumber"])
	switch {
	case !ok || !a || !b:
		return ordinary(http.StatusBadRequest, "invalid payload")
	case country == "":
		return ordinary(http.StatusBadRequest, "countryCode is required")
	case country != "KE" && country != "TZ" && country != "UG" && country != "ZA":
		return ordinary(http.StatusBadRequest, "countryCode must be one of: KE, TZ, UG, ZA")
	case phone == "":
		return ordinary(http.StatusBadRequest, "phoneNumber is required") // WAKA-VER-2
	}
	if p, found := s.find(country, "mobile_money", phone, ""); found {
		return answer(http.StatusOK, map[string]any{"verified": true, "displayName": p.name, "receiverPhone": phone})
	}
	if s.settings["verify_negative_status"] == "422" {
		return ordinary(http.StatusUnprocessableEntity, "account not active")
	}
	return answer(http.StatusOK, map[string]any{"verified": false, "displayName": "", "receiverPhone": phone})
}

func (s *Sandbox) find(country, kind, number, account string) (recipient, bool) {
	for _, p := range s.people {
		if p.country == country && p.kind == kind && p.number == number && p.account == account {
			return p, true
		}
	}
	return recipient{}, false
}

// decodeQR is POST /business/decode-qr (WAKA-QR-1).
func (s *Sandbox) decodeQR(r *http.Request, body []byte) reply {
	m, ok := decode(r, body)
	code, isText := text(m["qrString"])
	switch {
	case !ok || !isText:
		return ordinary(http.StatusBadRequest, "invalid payload")
	case code == "" && s.settings["qr_missing_answer"] != "422": // WAKA-QR-2
		return ordinary(http.StatusBadRequest, "qrString is required")
	}
	read, known := s.codes[code]
	if !known {
		return ordinary(http.StatusUnprocessableEntity, "malformed QR")
	}
	out := map[string]any{}
	for k, v := range read {
		out[k] = v
	}
	if amount, has := out["amount"].(string); has {
		out["amount"] = s.number(decimal.RequireFromString(amount), out["currency"].(string))
	}
	return answer(http.StatusOK, out)
}
