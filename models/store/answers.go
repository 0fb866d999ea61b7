package store

import (
	"context"
	"fmt"
	"time"

	"countinghouse/models"
)

// RecordSend records the answer to an attempt, in a transaction of its own after the call has ended. An attempt that was declared lost
// meanwhile keeps that verdict: its late answer becomes evidence and a reason to ask at once.
func (s *Store) RecordSend(ctx context.Context, attemptID string, ans models.Answer) (*models.Transaction, error) {
	var t *models.Transaction
	err := s.Update(ctx, func(tx *Tx) error {
		x, err := scanAttempt(tx.QueryRow("SELECT "+attemptColumns+" FROM attempts WHERE id = ?"+tx.ForUpdate(), attemptID))
		if err != nil {
			return fmt.Errorf("read the attempt: %w", err)
		}
		if t, err = tx.transaction(x.TransactionID); err != nil {
			return err
		}
		if x.State != models.AttemptOpen {
			return tx.lateAnswer(t, x, ans)
		}
		if err := tx.closeAttempt(x, ans.State, ans.Code, ans.Message); err != nil {
			return err
		}
		if err := tx.evidence(t, x.ID, "reply", string(ans.State), ans.Message, ans.ExchangeID); err != nil {
			return err
		}
		return tx.applyAnswer(t, x, ans)
	})
	return t, err
}

func (tx *Tx) closeAttempt(x models.Attempt, state models.AttemptState, code, message string) error {
	n, err := tx.Change("UPDATE attempts SET state = ?, finished_us = ?, code = ?, message = ? WHERE id = ? AND state = 'open'",
		state, tx.Now, code, message, x.ID)
	if err == nil && n != 1 {
		return models.Errorf(models.Conflict, "This attempt has ended already.")
	}
	return err
}

func (tx *Tx) lateAnswer(t *models.Transaction, x models.Attempt, ans models.Answer) error {
	if err := tx.evidence(t, x.ID, "reply", string(ans.State), "Late: "+ans.Message, ans.ExchangeID); err != nil {
		return err
	}
	if t.ProviderRef == "" && ans.State == models.AttemptAccepted {
		t.ProviderRef = ans.Report.ProviderRef
	}
	if err := tx.keepCodes(t, ans.Report.Codes); err != nil {
		return err
	}
	if !t.State.Final() {
		t.AskEarly(tx.Now)
	}
	if err := tx.save(t); err != nil {
		return err
	}
	return tx.enqueue(JobAsk, t.ID, tx.Now)
}

func (tx *Tx) applyAnswer(t *models.Transaction, x models.Attempt, ans models.Answer) error {
	before := models.FiguresOf(t)
	switch ans.State {
	case models.AttemptAccepted:
		return tx.accepted(t, before, ans)
	case models.AttemptRefused:
		t.Word, t.ReasonCode, t.Reason, t.Waits = ans.Report.Word, ans.Code, ans.Message, ""
		return tx.settle(t, before, models.Failed, models.ByTask, models.Event{What: "answer", Sentence: "Refused by the provider: " + ans.Message})
	case models.AttemptNotSent:
		return tx.notSent(t, before, x, ans)
	default:
		t.Reason, t.Waits = ans.Message, "the provider's word"
		return tx.settle(t, before, models.Unknown, models.ByTask, models.Event{What: "answer", Sentence: "The answer was lost: " + ans.Message})
	}
}

func (tx *Tx) accepted(t *models.Transaction, before models.Figures, ans models.Answer) error {
	if ans.Instructions != "" {
		d, err := tx.detail(t.ID)
		if err != nil {
			return err
		}
		d.Instructions = ans.Instructions
		if err := tx.saveDetail(t.ID, d, false); err != nil {
			return err
		}
	}
	if err := tx.adopt(t, ans.Report); err != nil {
		return err
	}
	if err := tx.keepCodes(t, ans.Report.Codes); err != nil {
		return err
	}
	to := ans.Report.State
	if to == "" || !models.CanBecome(t.Kind, t.State, to, models.ByTask) {
		to = models.Pending
		if t.Kind == models.Deposit {
			to = models.AwaitingPayment
		}
		if ans.Report.State == "" && ans.Report.Word != "" {
			t.Alert = fmt.Sprintf("The provider's status %q is not one that we know.", ans.Report.Word)
		}
	}
	return tx.settle(t, before, to, models.ByTask, models.Event{What: "answer", Sentence: "Accepted by the provider: " + to.Word()})
}

// notSent handles an attempt of which no byte left this machine: it is tried again by itself a few times, then it has failed.
func (tx *Tx) notSent(t *models.Transaction, before models.Figures, x models.Attempt, ans models.Answer) error {
	if t.Kind != models.Deposit && x.Number < notSentTries && ans.Retryable {
		t.SendAfter = tx.Now.Add(time.Duration(x.Number*x.Number) * 10 * time.Second)
		t.Waits = "the way to the provider"
		if err := tx.move(t, before, models.Approved, models.ByTask, models.Event{What: "answer", Sentence: "Not sent: " + ans.Message}); err != nil {
			return err
		}
		if err := tx.save(t); err != nil {
			return err
		}
		return tx.enqueue(JobSend, t.ID, t.SendAfter)
	}
	t.Reason, t.Waits = ans.Message, ""
	return tx.settle(t, before, models.Failed, models.ByTask, models.Event{What: "answer", Sentence: "Not sent: " + ans.Message})
}

// adopt takes over what a report states.
func (tx *Tx) adopt(t *models.Transaction, r models.Report) error {
	set := func(to *string, v string) {
		if v != "" {
			*to = models.Safe(v, 200)
		}
	}
	set(&t.ProviderRef, r.ProviderRef)
	set(&t.BankRef, r.BankRef)
	set(&t.Word, r.Word)
	set(&t.ReasonCode, r.ReasonCode)
	set(&t.Reason, r.Reason)
	set(&t.Rate, r.Rate)
	if r.Fee.Asset != "" {
		t.Fee = r.Fee
	}
	if r.Counter.Asset != "" {
		t.Counter = r.Counter
	}
	if r.Settled.Asset != "" && t.Kind == models.Deposit {
		t.Settled = r.Settled
	}
	if r.Payer == "" || t.Kind != models.Deposit {
		return nil
	}
	payer := models.Safe(r.Payer, 80)
	t.Party = models.MaskNumbers(payer)
	if t.Party == payer {
		return nil
	}
	d, err := tx.detail(t.ID) // the document is for the page of the deposit, not for lists
	if err != nil || d.Payer == payer {
		return err
	}
	d.Payer = payer
	return tx.saveDetail(t.ID, d, false)
}

// settle moves a transaction, plans the next question, and carries the consequences to its deposit.
func (tx *Tx) settle(t *models.Transaction, before models.Figures, to models.State, by models.Cause, e models.Event) error {
	if to == models.Unknown && t.Alert == "" {
		t.Alert = "The outcome is unknown."
	}
	if to != models.Unknown && t.Alert == "The outcome is unknown." {
		t.Alert = ""
	}
	if err := tx.move(t, before, to, by, e); err != nil {
		return err
	}
	if t.State.Final() {
		t.Waits = ""
	} else if t.State == models.Pending || t.State == models.AwaitingPayment {
		t.Waits = map[models.State]string{models.Pending: "the provider", models.AwaitingPayment: "the payer"}[t.State]
	}
	t.NextAsk = models.NextAsk(t.Kind, t.State, tx.Now, t.Asks)
	if err := tx.save(t); err != nil {
		return err
	}
	if t.Kind == models.Refund {
		return tx.refundSettled(t)
	}
	return nil
}

// refundSettled carries the outcome of a refund to its deposit.
func (tx *Tx) refundSettled(r *models.Transaction) error {
	if r.State != models.Succeeded {
		return nil
	}
	of, err := tx.transaction(r.OfID)
	if err != nil {
		return err
	}
	paid := of.Amount
	if of.Settled.Asset != "" {
		paid = of.Settled
	}
	var back int64
	if err := tx.QueryRow("SELECT COALESCE(SUM(minor), 0) FROM transactions WHERE of_id = ? AND of_id <> '' AND kind = 'refund' AND state = 'succeeded'", of.ID).Scan(&back); err != nil {
		return err
	}
	to := models.PartiallyRefunded
	if back >= paid.Minor {
		to = models.Refunded
	}
	if of.State == to || !models.CanBecome(of.Kind, of.State, to, models.ByQuery) {
		return nil
	}
	if err := tx.move(of, models.FiguresOf(of), to, models.ByQuery, models.Event{Sentence: fmt.Sprintf("Refund %s over %s succeeded", r.Reference, r.Amount)}); err != nil {
		return err
	}
	return tx.save(of)
}

// LoseAttempts declares attempts lost: those whose deadline has passed, and at the start of the only instance those of the process before
// it. A lost attempt leaves the transaction's outcome unknown, never failed.
func (s *Store) LoseAttempts(ctx context.Context, otherThan string) (int, error) {
	var ids []string
	err := s.View(ctx, func(tx *Tx) (err error) {
		where, args := "deadline_us < ?", []any{tx.Now}
		if otherThan != "" {
			where, args = "instance <> ?", []any{otherThan}
		}
		ids, err = tx.texts("SELECT id FROM attempts WHERE state = 'open' AND "+where+" ORDER BY deadline_us LIMIT 500", args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := s.loseAttempt(ctx, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

func (s *Store) loseAttempt(ctx context.Context, id string) error {
	const sentence = "The program stopped after the intent was written and before an answer was recorded"
	return s.Update(ctx, func(tx *Tx) error {
		x, err := scanAttempt(tx.QueryRow("SELECT "+attemptColumns+" FROM attempts WHERE id = ?"+tx.ForUpdate(), id))
		if err != nil || x.State != models.AttemptOpen {
			return err
		}
		t, err := tx.transaction(x.TransactionID)
		if err != nil {
			return err
		}
		if err := tx.closeAttempt(x, models.AttemptUnknown, "", sentence); err != nil {
			return err
		}
		if err := tx.evidence(t, x.ID, "reply", "lost", sentence, ""); err != nil {
			return err
		}
		if x.Operation != models.OpSend || t.State != models.Sending {
			t.AskEarly(tx.Now)
			return tx.save(t)
		}
		t.Reason, t.Waits = sentence, "the provider's word"
		return tx.settle(t, models.FiguresOf(t), models.Unknown, models.ByClock, models.Event{What: "answer", Sentence: "The answer was lost: " + sentence})
	})
}
