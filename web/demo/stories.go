package demo

import (
	"fmt"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

func (h *Historian) outgoing(s story, at models.Micros) *store.History {
	x := h.base(s, at, h.recipient(s.method))
	t := &x.Transaction
	maker := h.people[h.rnd.IntN(len(h.people))]
	checker := maker
	for checker == maker && len(h.people) > 1 {
		checker = h.people[h.rnd.IntN(len(h.people))]
	}
	t.CreatedBy, t.CreatedByName = maker.ID, maker.Name
	if t.Kind == models.Conversion {
		h.conversion(s, t)
	}
	t.Digest = models.PayloadOf(t, &x.Detail).Digest()
	t.State = models.Draft
	line(&x, at, "created", "", "", maker, "Created by "+maker.Name)
	now := at
	after := func(most time.Duration) models.Micros {
		now = now.Add(time.Duration(h.rnd.Int64N(int64(most))) + 300*time.Millisecond)
		return now
	}
	if t.Kind == models.Conversion {
		line(&x, after(time.Second), "approved", models.Approved, models.ByStaff, maker, "Approved: "+maker.Name+", no second person needed")
	} else {
		x.Rule = "One approver from finance"
		line(&x, after(time.Second), "submitted", models.AwaitingApproval, models.ByStaff, maker, "Submitted for approval")
		if h.rnd.Float64() < 0.012 {
			why := []string{"Wrong invoice", "Already paid by bank transfer", "Ask the supplier for the new account first"}[h.rnd.IntN(3)]
			x.ApprovedBy = []store.Decision{{UserID: checker.ID, Name: checker.Name, Decision: "reject", Reason: why, At: after(2 * time.Hour)}}
			t.Reason = why
			line(&x, now, "rejected", models.Rejected, models.ByStaff, checker, "Rejected by "+checker.Name+": "+why)
			t.SettledAt = now
			return &x
		}
		x.ApprovedBy = []store.Decision{{UserID: checker.ID, Name: checker.Name, Decision: "approve", At: after(3 * time.Hour)}}
		line(&x, now, "approved", models.Approved, models.ByStaff, checker, "Approved: by "+checker.Name)
	}
	t.SentAt = after(2 * time.Second)
	line(&x, now, "sent", models.Sending, models.ByTask, Person{}, "Sent to the provider, attempt 1")
	x.Evidence = append(x.Evidence, models.Evidence{At: now, Source: "request", Result: "sent", Says: fmt.Sprintf("Reference %s, attempt 1", t.Reference)})
	h.ending(s, &x, after)
	t.SettledAt = now
	return &x
}

// ending lets the provider answer and the money arrive, or not.
func (h *Historian) ending(s story, x *store.History, after func(time.Duration) models.Micros) {
	t := &x.Transaction
	t.ProviderRef = h.digits(9)
	switch p := h.rnd.Float64(); {
	case p < 0.006:
		t.ProviderRef = ""
		line(x, after(40*time.Second), "answer", models.Unknown, models.ByTask, Person{}, "The answer was lost: no reply within 30 s")
		t.ProviderRef = h.digits(9)
		x.Evidence = append(x.Evidence, models.Evidence{At: after(31 * time.Second), Source: "asked", Result: "found", Says: "Found by our reference"})
		line(x, after(time.Second), "state", models.Pending, models.ByQuery, Person{}, "The provider says: Pending")
	case p < 0.02:
		t.ProviderRef, t.ReasonCode, t.Reason = "", "refused", "The provider refused the request"
		line(x, after(2*time.Second), "answer", models.Failed, models.ByTask, Person{}, "Refused by the provider")
		return
	case t.Kind == models.Conversion || t.Kind == models.Order:
		line(x, after(2*time.Second), "answer", models.Succeeded, models.ByTask, Person{}, "Accepted by the provider: Succeeded")
		return
	default:
		line(x, after(2*time.Second), "answer", models.Pending, models.ByTask, Person{}, "Accepted by the provider: Pending")
	}
	switch p := h.rnd.Float64(); {
	case p < 0.022:
		t.Reason = []string{"Account closed", "Account number incorrect", "Rejected by the bank", "Document and account do not match"}[h.rnd.IntN(4)]
		line(x, after(6*time.Hour), "state", models.Failed, models.ByQuery, Person{}, "The provider says: Failed, "+t.Reason)
	case p < 0.03:
		line(x, after(time.Hour), "state", models.Cancelled, models.ByQuery, Person{}, "The provider says: Cancelled")
	default:
		line(x, after(4*time.Hour), "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded")
		if h.rnd.Float64() < 0.004 {
			t.Reason = "Returned by the beneficiary's bank"
			line(x, after(90*time.Hour), "state", models.Returned, models.ByQuery, Person{}, "The provider says: Returned, "+t.Reason)
		}
	}
	_ = s
}

func (h *Historian) conversion(s story, t *models.Transaction) {
	sell, buy := s.asset, "WUSD"
	if sell == "WUSD" {
		buy = "USD"
	}
	bps := int64(9_990 + h.rnd.IntN(10))
	t.Rate = fmt.Sprintf("0.%04d", bps)
	t.Counter = models.Money{Minor: t.Amount.Minor * bps / 10_000, Asset: buy}
	t.Party = sell + " → " + buy
}

func (h *Historian) deposit(s story, at models.Micros) *store.History {
	x := h.base(s, at, h.recipient(s.method))
	t := &x.Transaction
	maker := h.people[h.rnd.IntN(len(h.people))]
	t.CreatedBy, t.CreatedByName = maker.ID, maker.Name
	t.Digest = models.PayloadOf(t, &x.Detail).Digest()
	t.State = models.Draft
	line(&x, at, "created", "", "", maker, "Created by "+maker.Name)
	t.SentAt, t.ProviderRef = at.Add(time.Second), h.digits(9)
	line(&x, t.SentAt, "sent", models.Sending, models.ByTask, Person{}, "Sent to the provider, attempt 1")
	line(&x, at.Add(2*time.Second), "answer", models.AwaitingPayment, models.ByTask, Person{}, "Accepted by the provider: Awaiting payment")
	end := at.Add(time.Minute + time.Duration(h.rnd.Int64N(int64(5*time.Hour))))
	switch p := h.rnd.Float64(); {
	case p < 0.09:
		line(&x, at.Add(24*time.Hour), "state", models.Expired, models.ByQuery, Person{}, "The provider says: Expired")
		end = at.Add(24 * time.Hour)
		if h.rnd.Float64() < 0.08 {
			end = at.Add(31 * time.Hour)
			line(&x, end, "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded, after it had expired")
		}
	case p < 0.11:
		line(&x, end, "state", models.Cancelled, models.ByQuery, Person{}, "The provider says: Cancelled")
	default:
		t.Fee = models.Money{Minor: t.Amount.Minor * 12 / 1000, Asset: t.Amount.Asset}
		line(&x, end, "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded")
		if h.rnd.Float64() < 0.05 && s.account.Description.Has(providers.CanRefund) {
			h.giveBack(s, &x, end)
		}
	}
	t.SettledAt = end
	return &x
}

// giveBack refunds a quarter of a deposit a day after it was paid, if its provider has a way that history can use.
func (h *Historian) giveBack(s story, deposit *store.History, paid models.Micros) {
	var method providers.Method
	for _, m := range s.account.Description.Methods {
		if m.Kind == models.Refund && m.Locked == "" {
			method = m
		}
	}
	of := &deposit.Transaction
	at := paid.Add(24 * time.Hour)
	done := at.Add(20 * time.Hour)
	if method.ID == "" || done > models.At(h.times[len(h.times)-1]) {
		return
	}
	x := h.base(story{s.account, method, of.Amount.Asset, 0}, at, h.recipient(method))
	t := &x.Transaction
	maker, checker := h.people[0], h.people[1%len(h.people)]
	t.OfID, t.Party, t.SubAccount, t.CreatedBy, t.CreatedByName = of.ID, of.Party, of.SubAccount, maker.ID, maker.Name
	t.Amount = models.Money{Minor: max(1, of.Amount.Minor/4), Asset: of.Amount.Asset}
	t.Digest = models.PayloadOf(t, &x.Detail).Digest()
	t.State, t.ProviderRef = models.Draft, h.digits(6)
	x.Rule, x.ApprovedBy = "Refunds: one approver from finance", []store.Decision{{UserID: checker.ID, Name: checker.Name, Decision: "approve", At: at.Add(time.Hour)}}
	line(&x, at, "created", "", "", maker, "Created by "+maker.Name)
	line(&x, at.Add(time.Second), "submitted", models.AwaitingApproval, models.ByStaff, maker, "Submitted for approval")
	line(&x, at.Add(time.Hour), "approved", models.Approved, models.ByStaff, checker, "Approved: by "+checker.Name)
	t.SentAt = at.Add(time.Hour + time.Second)
	line(&x, t.SentAt, "sent", models.Sending, models.ByTask, Person{}, "Sent to the provider, attempt 1")
	line(&x, t.SentAt.Add(time.Second), "answer", models.Pending, models.ByTask, Person{}, "Accepted by the provider: Pending")
	t.SettledAt = done
	line(&x, done, "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded")
	line(deposit, done, "state", models.PartiallyRefunded, models.ByQuery, Person{}, fmt.Sprintf("Refund %s over %s succeeded", t.Reference, t.Amount))
	h.refunds = append(h.refunds, &x)
}
