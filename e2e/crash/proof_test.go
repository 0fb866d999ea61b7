package crash

import (
	"context"
	"fmt"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// fail ends a seed with what was found, what happened, and how to see it again.
func (h *house) fail(format string, args ...any) {
	h.t.Helper()
	for _, s := range h.servers {
		s.kill()
	}
	h.t.Fatalf("%s: %s\n\nwhat happened:\n  %s\n\nthe servers said:\n%s", h.name, fmt.Sprintf(format, args...), strings.Join(h.told, "\n  "), tail(h.logs.String(), 6000))
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// atAnyMoment proves what must hold whenever the servers die, by what is in the database then. It gives what does not.
func (h *house) atAnyMoment() (faults []string) {
	ctx := context.Background()
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, f := range h.texts(forgotten) {
		add("forgotten: %s", f)
	}
	for _, f := range h.texts(forgottenEntries) {
		add("forgotten in a book: %s", f)
	}
	ledger, err := h.store.VerifyLedger(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range ledger {
		add("ledger: %s", f.Sentence)
	}
	rep, err := h.store.VerifyAudit(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	if !rep.Whole() {
		add("audit: broken at entry %d: %s", rep.Broken, rep.Why)
	}
	if n := h.count("SELECT COUNT(*) FROM transactions"); n != len(h.made) {
		add("lost: %d transactions were made and %d are there", len(h.made), n)
	}
	return faults
}

// forgotten lists transactions that nothing would ever move on: every state that is not final must have something that is due, or people.
const forgotten = `SELECT t.reference || ' is ' || t.state FROM transactions t WHERE
	(t.state IN ('unknown', 'pending', 'held', 'partial', 'awaiting_payment', 'partially_paid', 'disputed') AND t.next_ask_us = 0)
	OR (t.state IN ('approved', 'scheduled') AND t.send_after_us = 0)
	OR (t.state = 'draft' AND (t.kind <> 'deposit' OR t.send_after_us = 0))
	OR (t.state = 'sending' AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.transaction_id = t.id AND a.state = 'open' AND a.operation = 'send'))
	OR (t.state <> 'sending' AND EXISTS (SELECT 1 FROM attempts a WHERE a.transaction_id = t.id AND a.state = 'open' AND a.operation = 'send'))
	OR (t.state = 'awaiting_approval' AND NOT EXISTS (SELECT 1 FROM approval_requests r WHERE r.subject = 'transaction' AND r.subject_id = t.id AND r.state = 'open'))`

// books proves what must hold at any time between our books and what the providers really did.
func (h *house) books() (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	ran := map[string]map[string]int{}
	known := map[string]bool{}
	for _, b := range h.boxes {
		ran[b.name] = b.executions(h.t)
	}
	for _, t := range h.made {
		p := h.page(t.ID)
		times := 0
		seen := map[string]bool{}
		for i, a := range sendsOf(p) {
			if !seen[a.Reference] {
				seen[a.Reference], known[a.Reference] = true, true
				times += ran[t.Provider][a.Reference]
			}
			if i > 0 && sendsOf(p)[i-1].State != models.AttemptNotSent && !agreed(p, sendsOf(p)[i-1], a) {
				add("sent again: %s was sent a %d. time although nobody agreed to that", a.Reference, i+1)
			}
		}
		if times > 1 {
			add("executed twice: %s at %s, %d times", t.Reference, t.Provider, times)
		}
		if times > 0 && (p.Transaction.State == models.Rejected || p.Transaction.State == models.Draft || p.Transaction.State == models.AwaitingApproval) {
			add("executed: %s at %s, and our books say %s", t.Reference, t.Provider, p.Transaction.State)
		}
	}
	for _, ref := range h.texts("SELECT reference FROM book_attempts") {
		known[ref] = true
		if n := ran["wspn"][ref]; n > 1 {
			add("executed twice: the write %s into a book, %d times", ref, n)
		}
	}
	for name, list := range ran {
		for ref := range list {
			if !known[ref] && !strings.HasPrefix(ref, companyRef) {
				add("executed: %s at %s, of which our books know no attempt", ref, name)
			}
		}
	}
	return faults
}

// agreed tells whether people agreed between two attempts that the second be made.
func agreed(p *store.TransactionPage, first, second models.Attempt) bool {
	for _, r := range p.Approvals {
		if r.Subject == "resend" && r.State == "approved" && r.DecidedAt >= first.StartedAt && r.DecidedAt <= second.StartedAt {
			return true
		}
	}
	return false
}

// atTheEnd proves that every transaction has come to an end and that it is the one that the provider tells of.
func (h *house) atTheEnd() (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, e := range errands {
		if e.proof == nil {
			continue
		}
		for _, f := range e.proof(h) {
			add("%s: %s", e.name, f)
		}
	}
	for _, t := range h.open() {
		ran := h.boxOf(t).executions(h.t)
		times := 0
		for _, a := range sendsOf(h.page(t.ID)) {
			times += ran[a.Reference]
		}
		if t.State == models.Unknown && times == 0 {
			continue // honestly unknown: the provider does not have it, and its contract does not let us believe that
		}
		if lostForGood(t) {
			continue
		}
		add("not ended: %s at %s is %s (%s)", t.Reference, t.Provider, t.State, t.Alert)
	}
	for _, t := range h.made {
		p := h.page(t.ID)
		now := &p.Transaction
		f, asked := h.truth(p)
		switch {
		case !asked, f.Result != providers.Found && now.State == models.Unknown: // that it is executed nevertheless is "not ended", above
		case f.Result == providers.Unclear:
			add("no answer: %s at %s is %s in our books, and the provider says: %s", t.Reference, t.Provider, now.State, f.Says)
		case f.Result == providers.NotFound && has(now.State):
			add("invented: %s is %s, and %s knows nothing of it", t.Reference, now.State, t.Provider)
		case f.Result == providers.Found && !same(now, f.Status):
			add("untrue: %s at %s is %s in our books; the provider says %s (%s)", t.Reference, t.Provider, now.State, f.Status.State, f.Status.Word)
		}
	}
	return faults
}

// has tells whether a state says that the provider has the transaction.
func has(s models.State) bool {
	switch s {
	case models.Pending, models.Held, models.Succeeded, models.Returned, models.AwaitingPayment, models.PartiallyPaid, models.Partial:
		return true
	}
	return false
}

// truth asks the provider itself, by a client that the engine never touched.
func (h *house) truth(p *store.TransactionPage) (f providers.Finding, asked bool) {
	t := &p.Transaction
	sends := sendsOf(p)
	if len(sends) == 0 {
		return f, false
	}
	b := h.boxOf(t)
	client, err := b.client()
	if err != nil {
		h.t.Fatal(err)
	}
	q := providers.Query{Kind: t.Kind, Reference: sends[len(sends)-1].Reference, ProviderRef: t.ProviderRef, Method: t.Method, Amount: t.Amount,
		SentAt: t.SentAt, Values: p.Detail.Values, SKU: p.Detail.SKU, Quantity: p.Detail.Quantity}
	for range 8 { // a mishap that waited for a question of the engine's may hit ours
		if f = find(client, q); f.Result != providers.Unclear {
			break
		}
	}
	return f, true
}

func find(client any, q providers.Query) providers.Finding {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	switch q.Kind {
	case models.Order:
		return client.(providers.OrderReader).FindOrder(ctx, q) //nolint:forcetypeassert // every provider here reads what it makes
	case models.Refund:
		return client.(providers.RefundReader).FindRefund(ctx, q) //nolint:forcetypeassert // the same
	case models.Conversion:
		return client.(providers.ConversionReader).FindConversion(ctx, q) //nolint:forcetypeassert // the same
	case models.Deposit:
		return client.(providers.DepositReader).FindDeposit(ctx, q) //nolint:forcetypeassert // the same
	}
	return client.(providers.PayoutReader).FindPayout(ctx, q) //nolint:forcetypeassert // the same
}

// same tells whether our books say what the provider says, late turns included: house.turn has let the question about them come. A deposit that was
// paid short succeeded in the provider's words; money that had been paid and came back failed in them.
func same(t *models.Transaction, s providers.Status) bool {
	switch {
	case t.State == s.State:
		return true
	case s.State == models.Succeeded && t.Kind == models.Deposit:
		return t.State == models.PartiallyPaid || t.State == models.PartiallyRefunded || t.State == models.Refunded
	case s.State == models.Failed:
		return t.State == models.Returned || t.Kind == models.Deposit && t.State == models.Expired
	}
	return false
}
