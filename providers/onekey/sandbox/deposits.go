package sandbox

import (
	"errors"
	"time"

	"github.com/shopspring/decimal"
)

type deposit struct {
	id      int64
	invoice string
	amount  decimal.Decimal
	status  string
	notify  string
	at      time.Time
}

type refund struct {
	id      int64
	invoice string
	status  string
	notify  string
}

type subscription struct{}

func (s *Sandbox) settleDeposit(*deposit, string) error { return errors.New("not yet") }
func (s *Sandbox) settleRefund(*refund, string) error   { return errors.New("not yet") }
func (s *Sandbox) depositCallback(*deposit) callback    { return callback{} }
func (s *Sandbox) refundCallback(*refund) callback      { return callback{} }
func (s *Sandbox) expire()                              {}

func (s *Sandbox) rows() []row {
	var out []row
	for i := len(s.cashouts) - 1; i >= 0 && len(out) < 50; i-- {
		c := s.cashouts[i]
		out = append(out, row{"cashout", c.external, itoa(c.id), c.amount.StringFixed(2) + " " + c.currency, describe(c.status), []string{"succeeded", "failed", "held", "cancelled", "returned"}})
	}
	return out
}
