package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"countinghouse/models"
)

// AskOrder is what the asker needs to put one question.
type AskOrder struct {
	Transaction models.Transaction
	Detail      models.TransactionDetail
	Reference   string              // the one that the last attempt carried
	Of          *models.Transaction // refunds: the deposit
}

// BeginAsk gives what is needed to ask about a transaction, or nil when there is nothing to ask: it was never sent, or an attempt is in
// the air right now and its own answer comes first.
func (s *Store) BeginAsk(ctx context.Context, transactionID string) (*AskOrder, error) {
	var o *AskOrder
	err := s.View(ctx, func(tx *Tx) error {
		t, err := tx.peekTransaction("t.id = ?", transactionID)
		if err != nil {
			return err
		}
		if t.SentAt == 0 || t.State == models.Sending {
			return nil
		}
		d, err := tx.detail(t.ID)
		if err != nil {
			return err
		}
		o = &AskOrder{Transaction: *t, Detail: *d, Reference: t.Reference}
		err = tx.QueryRow("SELECT reference FROM attempts WHERE transaction_id = ? AND operation = 'send' ORDER BY number DESC LIMIT 1", t.ID).Scan(&o.Reference)
		if IsNoRow(err) {
			return nil
		}
		if err == nil && t.OfID != "" {
			o.Of, err = tx.peekTransaction("t.id = ?", t.OfID)
		}
		return err
	})
	return o, err
}

// RecordFinding records what a question found and draws the consequence: a state that the table of transitions allows is taken, an
// unknown word or an impossible turn changes nothing and raises an alert, "not found" and silence are kept as evidence.
func (s *Store) RecordFinding(ctx context.Context, transactionID string, f models.Found) (*models.Transaction, error) {
	var t *models.Transaction
	err := s.Update(ctx, func(tx *Tx) error {
		var err error
		if t, err = tx.transaction(transactionID); err != nil {
			return err
		}
		if t.State == models.Sending { // an attempt began meanwhile; its own answer decides
			return nil
		}
		quiet := f.Result == "found" && f.Report.State == t.State && t.State != models.Unknown
		if !quiet {
			if err := tx.evidence(t, "", f.Source, f.Result, models.Safe(f.Says, 300), f.ExchangeID); err != nil {
				return err
			}
		}
		if f.Result != "found" {
			return tx.nothingFound(t, f)
		}
		return tx.applyReport(t, f)
	})
	return t, err
}

// planNext counts the question that was due and plans the next. Two workers may put the same question: it counts once.
func (tx *Tx) planNext(t *models.Transaction) {
	if t.NextAsk > tx.Now {
		return
	}
	t.Asks++
	t.NextAsk = models.NextAsk(t.Kind, t.State, tx.Now, t.Asks)
}

func (tx *Tx) nothingFound(t *models.Transaction, f models.Found) error {
	if t.State == models.Unknown && tx.Now > t.SentAt.Add(models.UnknownAlarm) {
		t.Alert = "The outcome has been unknown for more than 15 minutes."
	}
	if t.State != models.Unknown && f.Result == "not_found" {
		t.Alert = "The provider no longer knows this transaction."
	}
	if t.State.Final() && f.Result != "not_found" && t.NextAsk > 0 && t.NextAsk <= tx.Now { // a late question that nobody answered
		t.NextAsk = 0
		if again := tx.Now.Add(models.AskLateAgain); again < t.SettledAt.Add(models.AskLateUntil) {
			t.NextAsk = again
		}
		return tx.save(t)
	}
	tx.planNext(t)
	return tx.save(t)
}

func (tx *Tx) applyReport(t *models.Transaction, f models.Found) error {
	r := f.Report
	by := models.ByQuery
	if f.Source == "statement" {
		by = models.ByStatement
	}
	before := models.FiguresOf(t)
	if problem := reportProblem(t, r); problem != "" {
		return tx.alarm(t, problem)
	}
	if err := tx.keepCodes(t, r.Codes); err != nil {
		return err
	}
	if r.State == "" {
		t.Word = models.Safe(r.Word, 80)
		return tx.alarm(t, fmt.Sprintf("The provider's status %q is not one that we know. Nothing was changed.", t.Word))
	}
	to := r.State
	if to == models.Succeeded && t.Kind == models.Deposit && r.Settled.Asset != "" && r.Settled.Minor < t.Amount.Minor {
		to = models.PartiallyPaid
	}
	if keepsFurther(t.State, to) {
		to = t.State
	}
	if cameBack(t, to) {
		to = models.Returned
	}
	if to != t.State && !models.CanBecome(t.Kind, t.State, to, by) {
		return tx.alarm(t, fmt.Sprintf("The provider says %q, which cannot follow %q. Nothing was changed.", to.Word(), t.State.Word()))
	}
	if err := tx.adopt(t, r); err != nil {
		return err
	}
	if t.Kind == models.Deposit && r.Settled.Asset != "" && r.Settled.Minor > t.Amount.Minor {
		t.Alert = fmt.Sprintf("The payer paid %s, more than the %s asked for.", r.Settled, t.Amount)
	}
	if to == t.State {
		tx.planNext(t)
		if models.FiguresOf(t) != before {
			return tx.settle(t, before, to, by, models.Event{What: "figures", Sentence: "The provider stated new figures"})
		}
		return tx.save(t)
	}
	return tx.settle(t, before, to, by, models.Event{Sentence: "The provider says: " + to.Word() + reasonTail(t)})
}

// keepsFurther reports whether our state already says more than the provider's: what was refunded or is disputed was paid.
func keepsFurther(have, says models.State) bool {
	if says != models.Succeeded {
		return false
	}
	return have == models.Refunded || have == models.PartiallyRefunded
}

// cameBack reports whether money that had arrived was sent back: a provider says "rejected" and does not know that we had it as paid.
func cameBack(t *models.Transaction, says models.State) bool {
	return says == models.Failed && (t.Kind == models.Payout || t.Kind == models.Refund) && (t.State == models.Succeeded || t.State == models.Returned)
}

// reportProblem says why a report cannot be about this transaction as we know it.
func reportProblem(t *models.Transaction, r models.Report) string {
	if r.ProviderRef != "" && t.ProviderRef != "" && r.ProviderRef != t.ProviderRef {
		return fmt.Sprintf("The provider answered about %s, we asked about %s. Nothing was changed.", models.Safe(r.ProviderRef, 60), t.ProviderRef)
	}
	if r.Settled.Asset != "" && r.Settled.Asset != t.Amount.Asset {
		return fmt.Sprintf("The provider speaks of %s, this is in %s. Nothing was changed.", r.Settled.Asset, t.Amount.Asset)
	}
	if t.Kind != models.Deposit && r.Settled.Asset != "" && r.Settled.Minor != t.Amount.Minor {
		return fmt.Sprintf("The provider says %s, we sent %s. Nothing was changed.", r.Settled, t.Amount)
	}
	return ""
}

func reasonTail(t *models.Transaction) string {
	if t.Reason != "" && (t.State == models.Failed || t.State == models.Returned) {
		return ", " + t.Reason
	}
	return ""
}

// alarm keeps a transaction as it is and calls for a person.
func (tx *Tx) alarm(t *models.Transaction, sentence string) error {
	tx.planNext(t)
	if t.Alert != sentence {
		t.Alert = sentence
		if _, err := tx.event(t, models.Event{What: "alert", Sentence: sentence}); err != nil {
			return err
		}
	}
	return tx.save(t)
}

// Due lists what the sweep must wake: transactions to send and transactions to ask about, oldest first.
func (s *Store) Due(ctx context.Context, limit int) (send, ask []string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		if send, err = tx.texts(`SELECT id FROM transactions WHERE state IN ('approved', 'scheduled') AND send_after_us <= ?
			ORDER BY send_after_us LIMIT ?`, tx.Now, limit); err != nil {
			return err
		}
		drafts, err := tx.texts(`SELECT id FROM transactions WHERE environment IN ('sandbox', 'live') AND state = 'draft' AND kind = 'deposit'
			AND send_after_us > 0 AND send_after_us <= ? LIMIT ?`, tx.Now, limit)
		if err != nil {
			return err
		}
		send = append(send, drafts...)
		ask, err = tx.texts("SELECT id FROM transactions WHERE next_ask_us > 0 AND next_ask_us <= ? ORDER BY next_ask_us LIMIT ?", tx.Now, limit)
		return err
	})
	return send, ask, err
}

// AskSoon makes a transaction due for a question now: a webhook came, or a person wants to know. It says which environment's rules apply
// by the transaction itself.
func (s *Store) AskSoon(ctx context.Context, transactionID, source, says string) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.AskSoon(transactionID, source, says) })
}

// AskSoon is Store.AskSoon as a part of something larger.
func (tx *Tx) AskSoon(transactionID, source, says string) error {
	t, err := tx.transaction(transactionID)
	if err != nil {
		return err
	}
	if t.SentAt == 0 {
		return nil
	}
	if says != "" {
		if err := tx.evidence(t, "", source, "hint", models.Safe(says, 300), ""); err != nil {
			return err
		}
	}
	t.AskEarly(tx.Now)
	if err := tx.save(t); err != nil {
		return err
	}
	return tx.enqueue(JobAsk, t.ID, tx.Now)
}

// AskNow is a person's "ask now". It needs payouts.operate.
func (s *Store) AskNow(ctx context.Context, a models.Actor, env models.Environment, id string) error {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return err
	}
	err := s.View(ctx, func(tx *Tx) error {
		_, err := tx.peekTransaction("t.id = ? AND t.environment = ?", id, env)
		return err
	})
	if err != nil {
		return err
	}
	return s.AskSoon(ctx, id, "", "")
}

// FindByNotice finds the transaction that an inbound notice is about: by our reference first, then by the provider's within the
// credential. Empty when there is none.
func (s *Store) FindByNotice(ctx context.Context, credentialID, reference, providerRef string) (id string, err error) {
	n := Named{CredentialID: credentialID, Reference: reference, ProviderRef: providerRef}
	found, err := s.FindByNotices(ctx, []Named{n})
	return found[n], err
}

// Named is how an inbound notice names a transaction of a credential.
type Named struct{ CredentialID, Reference, ProviderRef string }

// FindByNotices is FindByNotice for many at once. Every one asked for is in the answer.
func (s *Store) FindByNotices(ctx context.Context, list []Named) (out map[Named]string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		out = make(map[Named]string, len(list))
		by := map[string][]Named{}
		for _, n := range list {
			if _, again := out[n]; !again {
				out[n] = ""
				by[n.CredentialID] = append(by[n.CredentialID], n)
			}
		}
		for credential, named := range by {
			for _, way := range waysByName() {
				for some := range slices.Chunk(named, idChunk) {
					if err := tx.findNamed(credential, way, some, out); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	return out, err
}

// wayByName is a query from names to the transactions of a credential.
type wayByName struct {
	of    func(Named) string
	query string
}

// waysByName are the ways in their order: what an earlier one found stays found. The partial index of the provider's numbers is only used by a
// query that repeats its condition.
func waysByName() []wayByName {
	ours, theirs := func(n Named) string { return n.Reference }, func(n Named) string { return n.ProviderRef }
	return []wayByName{
		{ours, "SELECT t.reference, t.id FROM transactions t WHERE t.reference IN (%s) AND t.credential_id = ?"},
		{ours, "SELECT a.reference, t.id FROM attempts a JOIN transactions t ON t.id = a.transaction_id WHERE a.reference IN (%s) AND t.credential_id = ?"},
		{theirs, "SELECT t.provider_ref, t.id FROM transactions t WHERE t.provider_ref <> '' AND t.provider_ref IN (%s) AND t.credential_id = ?"},
	}
}

// findNamed goes one way for all that no earlier way found.
func (tx *Tx) findNamed(credential string, way wayByName, list []Named, out map[Named]string) error {
	var names []any
	for _, n := range list {
		if out[n] == "" && way.of(n) != "" {
			names = append(names, way.of(n))
		}
	}
	if len(names) == 0 {
		return nil
	}
	ids := map[string]string{}
	err := tx.Each(func(r *sql.Rows) error {
		var name, id string
		err := r.Scan(&name, &id)
		if ids[name] == "" {
			ids[name] = id
		}
		return err
	}, fmt.Sprintf(way.query, marks(len(names))), append(names, credential)...)
	if err != nil {
		return fmt.Errorf("find what a notice names: %w", err)
	}
	for _, n := range list {
		if out[n] == "" && way.of(n) != "" {
			out[n] = ids[way.of(n)]
		}
	}
	return nil
}

// TransactionForTask reads a transaction for a task of our own.
func (s *Store) TransactionForTask(ctx context.Context, id string) (t *models.Transaction, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		t, err = tx.peekTransaction("t.id = ?", id)
		return err
	})
	return t, err
}

// PostponeSend puts a send off because the credential cannot be opened right now. Nothing was sent and no attempt was made.
func (s *Store) PostponeSend(ctx context.Context, id, sentence string) error {
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.transaction(id)
		if err != nil || (t.State != models.Approved && t.State != models.Scheduled && t.State != models.Draft) {
			return err
		}
		return tx.postpone(t, models.Safe(sentence, 200), time.Minute)
	})
}
