package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// refund is money on its way back to a payer.
type refund struct {
	id      int64
	deposit *deposit
	invoice string
	amount  decimal.Decimal
	status  string
	notify  string
}

func (s *Sandbox) createRefund(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	return s.onceOnly(c, func() reply {
		m, err := object(c.body)
		if err != nil {
			return invalid("body: malformed JSON")
		}
		rep, f := s.acceptRefund(m)
		if f != nil {
			s.autosettleRefund(f)
		}
		return rep
	})
}

func (s *Sandbox) acceptRefund(m map[string]any) (reply, *refund) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, isNumber := m["deposit_id"].(json.Number)
	id, err := n.Int64()
	invoice := str(m, "invoice_id")
	switch {
	case !isNumber || err != nil:
		return invalid("depositId: must be a number"), nil
	case invoice == "" || len(invoice) > 128:
		return invalid("invoiceId: size must be between 1 and 128"), nil
	case len(str(m, "comments")) > 200:
		return invalid("comments: size must be between 0 and 200"), nil
	case str(m, "notification_url") != "" && (len(str(m, "notification_url")) > 2048 || reachable(str(m, "notification_url")) != "" || !https(str(m, "notification_url"))):
		return invalid("notificationUrl: must be an HTTPS URL"), nil
	}
	d := s.byDeposit[id]
	if d == nil {
		return notFound(), nil
	}
	if d.status != "COMPLETED" {
		return invalid("depositId: the deposit is not completed"), nil
	}
	left := d.paid.Sub(d.refunded)
	amount := left
	if raw, there := m["amount"]; there {
		text := numeric(raw)
		if !amountShape.MatchString(text) || !decimal.RequireFromString(text).IsPositive() {
			return invalid("amount: must be above zero with up to 2 decimals"), nil
		}
		amount = decimal.RequireFromString(text)
	}
	if amount.GreaterThan(left) || !amount.IsPositive() {
		return invalid("amount: exceeds what is left of the deposit"), nil
	}
	if missing := refundAccount(m, d); missing != nil {
		return *missing, nil
	}
	return s.bookRefund(m, d, invoice, amount)
}

// refundAccount demands a bank account unless the money goes back to a card.
func refundAccount(m map[string]any, d *deposit) *reply {
	if d.card {
		return nil
	}
	account, _ := m["bank_account"].(map[string]any)
	for _, key := range []string{"beneficiary", "account_number", "account_type"} {
		if str(account, key) == "" {
			r := depositError(http.StatusBadRequest, 418, "MISSING_REQUIRED_FIELDS", "bankAccount: missing required fields", "bankAccount."+key+": must not be empty")
			return &r
		}
	}
	if !slices.Contains([]string{"SAVING", "SAVINGS", "CHECKING"}, str(account, "account_type")) {
		r := invalid("bankAccount.accountType: not valid")
		return &r
	}
	return nil
}

// bookRefund books and answers. The caller holds the lock.
func (s *Sandbox) bookRefund(m map[string]any, d *deposit, invoice string, amount decimal.Decimal) (reply, *refund) {
	f := &refund{id: s.newID(), deposit: d, invoice: invoice, amount: amount, status: "PENDING", notify: str(m, "notification_url")}
	d.refunded = d.refunded.Add(amount)
	s.balances[d.currency] = s.balances[d.currency].Sub(amount)
	s.refunds = append(s.refunds, f)
	s.byRefund[f.id] = f
	s.executed[invoice]++
	if !d.card {
		return answer(http.StatusOK, map[string]any{"refund_id": f.id}), f
	}
	f.status = "COMPLETED"
	return answer(http.StatusOK, map[string]any{"refund_id": strconv.FormatInt(f.id, 10), "deposit_id": d.id, "merchant_invoice_id": d.invoice,
		"refund_info": map[string]any{"type": "CREDIT_CARD", "result": "SUCCESS", "payment_method": "VI", "payment_method_name": "Visa", "amount": number(amount),
			"currency": d.currency, "created_at": s.now().Format(timeText)}}), f
}

func (s *Sandbox) autosettleRefund(f *refund) {
	s.mu.Lock()
	mode, wait, fate := s.autosettle, time.Duration(s.settleMS)*time.Millisecond, bucket(f.invoice)
	s.mu.Unlock()
	if mode == "off" {
		return
	}
	status := "succeeded"
	if mode == "mixed" && fate < 10 {
		status = "failed"
	}
	s.byItself(wait/2, func() { _ = s.settleRefund(f, "delivered") })
	s.byItself(wait, func() { _ = s.settleRefund(f, status) })
}

func (s *Sandbox) settleRefund(f *refund, status string) error {
	to := map[string]string{"succeeded": "COMPLETED", "failed": "REJECTED", "cancelled": "CANCELLED", "held": "INCORRECT_DETAILS", "delivered": "DELIVERED"}[status]
	s.mu.Lock()
	open := slices.Contains([]string{"PENDING", "INCORRECT_DETAILS", "DELIVERED"}, f.status)
	if to == "" || !open || (f.status == "DELIVERED" && (to == "CANCELLED" || to == "DELIVERED")) {
		defer s.mu.Unlock()
		return fmt.Errorf("refund %d is %s and cannot become %q", f.id, f.status, status)
	}
	f.status = to
	if to == "REJECTED" || to == "CANCELLED" {
		f.deposit.refunded = f.deposit.refunded.Sub(f.amount)
		s.balances[f.deposit.currency] = s.balances[f.deposit.currency].Add(f.amount)
	}
	s.mu.Unlock()
	s.notify(s.refundCallback(f))
	return nil
}

func (s *Sandbox) refundCallback(f *refund) callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signedCallback("refund", f.notify, map[string]any{"refund_id": f.id}, "deposit_api_key", "deposit_api_signature")
}

func (s *Sandbox) refundStatus(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(c.URL.Path, "/v3/refunds/"), 10, 64)
	if err != nil {
		return invalid("refundId: must be a number")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.byRefund[id]
	if f == nil {
		return notFound()
	}
	m := map[string]any{"deposit_id": f.deposit.id, "merchant_invoice_id": f.invoice, "status": f.status}
	if f.status == "COMPLETED" {
		m["amount"] = number(f.amount)
	}
	return answer(http.StatusOK, m)
}

// rows lists the newest objects for the page. The caller holds the lock.
func (s *Sandbox) rows() []row {
	var out []row
	newest := func(n int, f func(i int) row) {
		for i := n - 1; i >= max(0, n-40); i-- {
			out = append(out, f(i))
		}
	}
	newest(len(s.cashouts), func(i int) row {
		c := s.cashouts[i]
		return row{"cashout", c.external, itoa(c.id), c.amount.StringFixed(2) + " " + c.currency, describe(c.status), cashoutMoves(c.status)}
	})
	newest(len(s.deposits), func(i int) row {
		d := s.deposits[i]
		return row{"deposit", d.invoice, itoa(d.id), d.amount.StringFixed(2) + " " + d.currency, d.status, depositMoves(d)}
	})
	newest(len(s.refunds), func(i int) row {
		f := s.refunds[i]
		return row{"refund", f.invoice, itoa(f.id), f.amount.StringFixed(2) + " " + f.deposit.currency, f.status, refundMoves(f.status)}
	})
	return out
}
