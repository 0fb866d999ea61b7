package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// deposit is money that was asked for.
type deposit struct {
	id        int64
	invoice   string
	country   string
	currency  string
	amount    decimal.Decimal // asked for
	paid      decimal.Decimal // what came
	refunded  decimal.Decimal
	method    string
	card      bool
	checkout  string
	status    string
	notify    string
	payer     map[string]any
	createdAt time.Time
	expiresAt time.Time
}

const timeText = "2006-01-02 15:04:05"

func (d *deposit) open() bool {
	return slices.Contains([]string{"CREATED", "INITIATED", "PENDING", "EARLY_RELEASED", "FOR_REVIEW", "APPROVED"}, d.status)
}

func invalid(details ...string) reply {
	return depositError(http.StatusBadRequest, 201, "", "Invalid request", details...)
}

func (s *Sandbox) createDeposit(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	return s.onceOnly(c, func() reply {
		m, err := object(c.body)
		if err != nil {
			return invalid("body: malformed JSON")
		}
		if details := s.depositFields(m); len(details) > 0 {
			return invalid(details...)
		}
		rep, d := s.acceptDeposit(c, m)
		if d != nil {
			s.autosettleDeposit(d)
		}
		return rep
	})
}

func (s *Sandbox) depositFields(m map[string]any) (details []string) {
	add := func(ok bool, text string) {
		if !ok {
			details = append(details, text)
		}
	}
	pattern := s.setting("invoice_id_pattern", `^[A-Za-z0-9]{1,128}$`)
	add(regexp.MustCompile(pattern).MatchString(str(m, "invoice_id")), "invoiceId: must match "+pattern)
	country, currency, amount := str(m, "country"), str(m, "currency"), numeric(m["amount"])
	add(slices.Contains(strings.Split(s.setting("countries", "BR,CL,MX,CO,AR,PE"), ","), country), "country: not available")
	add(currency == "USD" || (currency != "" && currency == currencyOf(country)), "currency: not valid for the country")
	if amountShape.MatchString(amount) {
		add(!decimal.RequireFromString(amount).LessThan(decimal.RequireFromString(s.setting("minimum", "1"))), "amount: below the minimum")
	} else {
		add(false, "amount: must be above zero with up to 2 decimals")
	}
	for _, key := range []string{"back_url", "success_url", "error_url", "notification_url"} {
		v, there := m[key]
		text, isText := v.(string)
		add(!there || (isText && reachable(text) == "" && https(text)), key+": must be an HTTPS URL")
	}
	add(utf8.RuneCountInString(str(m, "description")) <= 255, "description: too long")
	add(m["credit_card"] == nil, "creditCard: this merchant is not PCI certified")
	if p, there := m["payer"]; there {
		payer, isObject := p.(map[string]any)
		add(isObject, "payer: must be an object")
		if doc := str(payer, "document"); doc != "" && country == "BR" {
			add(cpfFits(doc), "payer.document: invalid CPF")
		}
	}
	if m["card_identifier"] != nil {
		add(str(m, "client_ip") != "", "clientIp: must not be empty")
		add(len(str(m, "card_identifier")) <= 50 && str(m, "card_identifier") != "", "cardIdentifier: size must be between 1 and 50")
	}
	return details
}

// acceptDeposit makes the deposit: ONE_SHOT when there is enough data, else HOSTED.
func (s *Sandbox) acceptDeposit(c *call, m map[string]any) (reply, *deposit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	invoice := str(m, "invoice_id")
	if s.byInvoice[invoice] != nil {
		return invalid("invoiceId: already used"), nil
	}
	d := &deposit{id: s.newID() + 292_600_000, invoice: invoice, country: str(m, "country"), currency: str(m, "currency"), amount: decimal.RequireFromString(numeric(m["amount"])),
		method: str(m, "payment_method"), status: "CREATED", notify: str(m, "notification_url"), createdAt: s.now(), expiresAt: s.now().Add(12 * time.Hour), checkout: "HOSTED"}
	payer, hasPayer := m["payer"].(map[string]any)
	d.payer = payer
	full := str(payer, "document") != "" && str(payer, "first_name") != "" && str(payer, "last_name") != "" && str(payer, "email") != ""
	if d.method == "IX" && d.country == "BR" && (full || !hasPayer) {
		d.checkout, d.status = "ONE_SHOT", "PENDING"
	}
	s.deposits = append(s.deposits, d)
	s.byInvoice[invoice], s.byDeposit[d.id] = d, d
	s.executed[invoice]++
	if id := str(m, "card_identifier"); id != "" {
		return s.chargeCard(d, id), d
	}
	host := "http://" + c.Host + "/_sandbox/pay/" + strconv.FormatInt(d.id, 10)
	out := map[string]any{"checkout_type": d.checkout, "redirect_url": host, "iframe": true, "deposit_id": d.id, "user_id": "11", "merchant_invoice_id": invoice}
	if d.checkout == "ONE_SHOT" {
		out["payment_info"] = map[string]any{"type": "VOUCHER", "payment_method": "IX", "payment_method_name": "Pix", "amount": number(d.amount), "currency": d.currency,
			"expiration_date": d.expiresAt.Format(timeText), "created_at": d.createdAt.Format(timeText),
			"metadata": map[string]any{"reference": fmt.Sprintf("00020126580014BR.GOV.BCB.PIX0136%036d5204000053039865802BR6304ABCD", d.id), "digitable_line": fmt.Sprintf("23793.38128 %012d", d.id)}}
	}
	return answer(http.StatusOK, out), d
}

// chargeCard plays a card: identifiers that begin with "rejected" or "challenge" end as they say. The caller holds the lock.
func (s *Sandbox) chargeCard(d *deposit, identifier string) reply {
	d.card, d.method = true, "VI"
	result := "SUCCESS"
	switch {
	case strings.HasPrefix(identifier, "rejected"):
		result, d.status = "REJECTED", "REJECTED"
	case strings.HasPrefix(identifier, "challenge"):
		result, d.status = "PENDING_AUTHENTICATION", "PENDING"
	default:
		d.status, d.paid = "COMPLETED", d.amount
		s.balances[d.currency] = s.balances[d.currency].Add(d.amount)
	}
	return answer(http.StatusOK, map[string]any{"deposit_id": d.id, "user_id": "11", "merchant_invoice_id": d.invoice,
		"payment_info": map[string]any{"type": "CREDIT_CARD", "result": result, "payment_method": "VI", "payment_method_name": "Visa", "amount": number(d.amount),
			"currency": d.currency, "created_at": d.createdAt.Format(timeText)}})
}

func (s *Sandbox) autosettleDeposit(d *deposit) {
	s.mu.Lock()
	mode, wait, fate := s.autosettle, time.Duration(s.settleMS)*time.Millisecond, bucket(d.invoice)
	s.mu.Unlock()
	if mode == "off" {
		return
	}
	status := "paid"
	if mode == "mixed" {
		switch {
		case fate < 10:
			status = "expired"
		case fate < 20:
			status = "paid_short"
		case fate < 30:
			return
		}
	}
	s.byItself(wait, func() { _ = s.settleDeposit(d, status) })
}

// settleDeposit decides a deposit. A payer may pay late, or less than was asked for.
func (s *Sandbox) settleDeposit(d *deposit, status string) error {
	pay := func(amount decimal.Decimal) {
		d.status, d.paid = "COMPLETED", amount
		s.balances[d.currency] = s.balances[d.currency].Add(amount)
	}
	s.mu.Lock()
	before := d.status
	payable := d.open() || d.status == "EXPIRED" || d.status == "CANCELLED"
	late := false
	switch {
	case (status == "paid" || status == "succeeded") && payable:
		pay(d.amount)
	case status == "paid_short" && payable:
		pay(d.amount.Mul(decimal.RequireFromString("0.9")).Truncate(2))
	case status == "paid_late" && payable:
		late = d.open()
		d.status = "EXPIRED"
	case status == "expired" && d.open():
		d.status = "EXPIRED"
	case status == "cancelled" && (d.open() || d.status == "EXPIRED"):
		d.status = "CANCELLED"
	case status == "failed" && d.open():
		d.status = "DECLINED"
	case status == "held" && d.open():
		d.status = "FOR_REVIEW"
	case status == "early" && d.open():
		d.status = "EARLY_RELEASED"
	default:
		s.mu.Unlock()
		return fmt.Errorf("deposit %s is %s and cannot become %q", d.invoice, before, status)
	}
	s.mu.Unlock()
	if status == "paid_late" {
		if late {
			s.notify(s.depositCallback(d))
		}
		s.mu.Lock()
		pay(d.amount)
		s.mu.Unlock()
	}
	s.notify(s.depositCallback(d))
	return nil
}

func (s *Sandbox) depositCallback(d *deposit) callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signedCallback("deposit", d.notify, map[string]any{"deposit_id": d.id}, "deposit_api_key", "deposit_api_signature")
}

// expire ends what was not paid in time.
func (s *Sandbox) expire() {
	s.mu.Lock()
	var gone []*deposit
	for _, d := range s.deposits {
		if d.open() && s.now().After(d.expiresAt) {
			gone = append(gone, d)
		}
	}
	s.mu.Unlock()
	for _, d := range gone {
		_ = s.settleDeposit(d, "expired")
	}
}

func (s *Sandbox) depositStatus(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(c.URL.Path, "/v3/deposits/"), 10, 64)
	if err != nil {
		return invalid("depositId: must be a number")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.byDeposit[id]
	if d == nil {
		return notFound()
	}
	m := map[string]any{"user_id": "11", "deposit_id": d.id, "invoice_id": d.invoice, "country": d.country, "currency": d.currency, "bonus_relative": "false",
		"payment_method": d.method, "payment_type": "VOUCHER", "status": d.status, "amount": number(d.amount)}
	if d.status == "COMPLETED" {
		m["local_amount"], m["fee_amount"], m["fee_currency"] = number(d.paid), json.Number("0.25"), d.currency
		m["payer"] = map[string]any{"document": "52998224725", "document_type": "CPF", "first_name": "Ana", "last_name": "Souza"}
	}
	if len(d.payer) > 0 {
		m["payer"] = d.payer
	}
	return answer(http.StatusOK, m)
}

func notFound() reply {
	return depositError(http.StatusNotFound, 208, "RESOURCE_NOT_FOUND", "Resource not found")
}
