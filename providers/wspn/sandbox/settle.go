package sandbox

import (
	"errors"
	"time"

	"github.com/shopspring/decimal"
)

// settleLater lets an order come to its end by itself. The lock is held.
func (s *Sandbox) settleLater(o *order) {
	if s.outcome == "off" || s.closed {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(time.Duration(s.settleMS)*time.Millisecond, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.timers, t)
		if s.closed || s.outcome == "off" || o.status != "TO_BE_PROCESSED" && o.status != "TO_BE_CONFIRMED" && o.status != "PROCESSING" {
			return
		}
		to := "succeeded"
		if n := s.rng.IntN(100); s.outcome == "mixed" && n < 15 && o.kind != "mint" {
			to = "failed"
		}
		_ = s.settle(o, to)
	})
	s.timers[t] = true
}

// settle brings an order to a status on command. Money follows: a failed, cancelled or returned payout comes back, a paid deposit is
// credited once.
func (s *Sandbox) settle(o *order, to string) error {
	was := o.status
	switch o.kind {
	case "fiat-out", "crypto-out":
		word, ok := map[string]string{"succeeded": "COMPLETED", "failed": "FAILED", "cancelled": "CANCELLED", "returned": "RETURNED", "held": "ON_HOLD",
			"pending": "PROCESSING"}[to]
		gone := was == "FAILED" || was == "CANCELLED" || was == "RETURNED"
		if !ok || gone || to == "returned" && was != "COMPLETED" || was == "COMPLETED" && to != "returned" {
			return errors.New("a payout that is " + was + " cannot become " + to)
		}
		if to == "failed" || to == "cancelled" || to == "returned" {
			s.books[o.currency] = s.books[o.currency].Add(o.moved)
		}
		if to == "succeeded" && o.kind == "crypto-out" {
			o.hash = s.hash()
		}
		o.status = word
	case "fiat-in":
		word, ok := map[string]string{"succeeded": "COMPLETED", "paid": "COMPLETED", "paid_late": "COMPLETED", "paid_short": "COMPLETED",
			"failed": "FAILED", "cancelled": "CANCELLED", "expired": "EXPIRED"}[to]
		ended := was == "FAILED" || was == "CANCELLED" || was == "EXPIRED" // only money that comes late turns these
		if !ok || was == "COMPLETED" || ended && word != "COMPLETED" {
			return errors.New("a deposit that is " + was + " cannot become " + to)
		}
		o.status = word
		if word == "COMPLETED" {
			o.paid, o.booked = o.moved, true
			if to == "paid_short" {
				o.paid = o.moved.Mul(decimal.RequireFromString("0.9")).RoundDown(places(o.currency))
			}
			s.books[o.currency] = s.books[o.currency].Add(o.paid)
		}
	case "mint":
		switch {
		case was != "PROCESSING":
			return errors.New("a conversion that is " + was + " is final")
		case to == "succeeded":
			o.status = "COMPLETED"
			s.books[o.buy] = s.books[o.buy].Add(o.bought)
		case to == "failed", to == "cancelled":
			o.status = map[string]string{"failed": "FAILED", "cancelled": "CANCELLED"}[to]
			s.books[o.currency] = s.books[o.currency].Add(o.moved)
		default:
			return errors.New("a conversion cannot become " + to)
		}
	default:
		return errors.New("an arrival on chain is final")
	}
	o.completed = s.clock()
	s.announce(o)
	return nil
}
