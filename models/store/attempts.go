package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"countinghouse/models"
)

// attemptTime is how long an attempt may stay open. It is far above the time limit of a provider call, so that an attempt whose deadline
// has passed belongs to a process that died between sending and recording.
const attemptTime = 2 * time.Minute

// notSentTries is how often a request that provably never left is tried again by itself.
const notSentTries = 6

// Job is everything the sender needs to make one attempt.
type SendOrder struct {
	Attempt     models.Attempt
	Transaction models.Transaction
	Detail      models.TransactionDetail
	Of          *models.Transaction // refunds: the deposit
}

func (tx *Tx) attemptsOf(id string) ([]models.Attempt, error) {
	var out []models.Attempt
	err := tx.Each(func(r *sql.Rows) error {
		x, err := scanAttempt(r)
		out = append(out, x)
		return err
	}, "SELECT "+attemptColumns+" FROM attempts WHERE transaction_id = ? ORDER BY number", id)
	return out, err
}

const attemptColumns = `id, transaction_id, number, operation, reference, digest, state, started_us, deadline_us, finished_us, code, message, instance, by_name`

func scanAttempt(r scanner) (models.Attempt, error) {
	var x models.Attempt
	err := r.Scan(&x.ID, &x.TransactionID, &x.Number, &x.Operation, &x.Reference, &x.Digest, &x.State, &x.StartedAt, &x.Deadline, &x.FinishedAt,
		&x.Code, &x.Message, &x.Instance, &x.ByName)
	return x, err
}

// openAttempt writes the intent. The unique index refuses a second open attempt of the same transaction.
func (tx *Tx) openAttempt(t *models.Transaction, op models.Operation, instance, byName string) (models.Attempt, error) {
	var last int
	if err := tx.QueryRow("SELECT COALESCE(MAX(number), 0) FROM attempts WHERE transaction_id = ?", t.ID).Scan(&last); err != nil {
		return models.Attempt{}, err
	}
	x := models.Attempt{ID: models.NewID(), TransactionID: t.ID, Number: last + 1, Operation: op, Reference: t.Reference, Digest: t.Digest,
		State: models.AttemptOpen, StartedAt: tx.Now, Deadline: tx.Now.Add(attemptTime), Instance: instance, ByName: byName}
	n, err := tx.Change(`INSERT INTO attempts (`+attemptColumns+`) VALUES (?,?,?,?,?,?,?,?,?,0,'','',?,?) ON CONFLICT DO NOTHING`,
		x.ID, x.TransactionID, x.Number, x.Operation, x.Reference, x.Digest, x.State, x.StartedAt, x.Deadline, x.Instance, x.ByName)
	if err == nil && n == 0 {
		err = models.Errorf(models.Conflict, "Something is already being sent for this transaction. Wait for its answer.")
	}
	return x, err
}

// BeginSend commits the intent to send a transaction, before the first byte leaves: an open attempt with the reference and the digest of
// the exact payload. It gives nil when there is nothing to send (already sent, cancelled, not yet due). When the credential changed since
// the approval, the approval is void and the transaction waits for people again.
func (s *Store) BeginSend(ctx context.Context, transactionID, instance string) (*SendOrder, error) {
	var o *SendOrder
	err := s.Update(ctx, func(tx *Tx) error {
		o = nil
		t, err := tx.transaction(transactionID)
		if err != nil {
			return err
		}
		deposit := t.Kind == models.Deposit && t.State == models.Draft
		if !deposit && t.State != models.Approved && t.State != models.Scheduled {
			return nil
		}
		if t.SendAfter > tx.Now {
			return nil
		}
		d, err := tx.detail(t.ID)
		if err != nil {
			return err
		}
		if ok, err := tx.guardSend(t, d); err != nil || !ok {
			return err
		}
		x, err := tx.openAttempt(t, models.OpSend, instance, "")
		if err != nil {
			return err
		}
		before := models.FiguresOf(t)
		t.SentAt, t.NextAsk, t.Waits, t.Alert = tx.Now, 0, "the provider's answer", ""
		if err := tx.move(t, before, models.Sending, models.ByTask, models.Event{What: "sent", Sentence: fmt.Sprintf("Sent to the provider, attempt %d", x.Number)}); err != nil {
			return err
		}
		if err := tx.save(t); err != nil {
			return err
		}
		if err := tx.evidence(t, x.ID, "request", "sent", fmt.Sprintf("Reference %s, digest %.12s…, attempt %d", x.Reference, x.Digest, x.Number), ""); err != nil {
			return err
		}
		o = &SendOrder{Attempt: x, Transaction: *t, Detail: *d}
		if t.OfID != "" {
			o.Of, err = tx.peekTransaction("t.id = ?", t.OfID)
		}
		return err
	})
	return o, err
}

// guardSend proves once more, at the last moment, that what is about to be sent is what people agreed to.
func (tx *Tx) guardSend(t *models.Transaction, d *models.TransactionDetail) (bool, error) {
	if now := models.PayloadOf(t, d).Digest(); now != t.Digest {
		return false, tx.stop(t, "The stored payload is not the one that was approved. Nothing was sent.")
	}
	_, version, err := tx.usableCredential(t.CredentialID, t.Environment)
	if err != nil {
		if models.Is(err, models.Invalid) {
			return false, tx.postpone(t, "The credential is not active. It will be sent when it is.", 5*time.Minute)
		}
		return false, err
	}
	if ok, err := tx.checkAgain(t, d); err != nil || !ok {
		return false, err
	}
	if version == t.CredentialVersion {
		return true, nil
	}
	t.CredentialVersion = version
	t.Digest = models.PayloadOf(t, d).Digest()
	if t.Kind == models.Deposit {
		return true, nil // asking for money was never approved by anybody: the new keys may be used
	}
	return false, tx.reopen(t, d)
}

// reopen voids the approval of a transaction whose credential changed and asks the people again.
func (tx *Tx) reopen(t *models.Transaction, d *models.TransactionDetail) error {
	if err := tx.Exec("UPDATE approval_requests SET state = 'void' WHERE subject = 'transaction' AND subject_id = ? AND state IN ('open', 'approved')", t.ID); err != nil {
		return err
	}
	p, err := tx.policyFor(t)
	if err != nil {
		return err
	}
	maker := models.Actor{UserID: t.CreatedBy, Name: t.CreatedByName}
	needed := max(p.Approvers, 1)
	t.ExpiresAt, t.SendAfter = tx.Now.Add(p.TTL), 0
	t.Waits = waitsFor(0, needed, p.Role)
	if err := tx.move(t, models.FiguresOf(t), models.AwaitingApproval, models.ByTask,
		models.Event{What: "void", Sentence: "The credential changed after the approval, so the approval is void"}); err != nil {
		return err
	}
	if err := tx.save(t); err != nil {
		return err
	}
	return tx.openRequest(maker, ApprovalRequest{Environment: t.Environment, Subject: "transaction", SubjectID: t.ID, Digest: t.Digest,
		Title: fmt.Sprintf("%s %s to %s", t.Kind, t.Amount, t.Party), PolicyID: p.ID, Rule: p.Sentence(), Needed: needed, Role: p.Role,
		Permission: models.PayoutsApprove, ExpiresAt: t.ExpiresAt, Reason: d.Why}, models.PayloadOf(t, d))
}

func (tx *Tx) stop(t *models.Transaction, sentence string) error {
	t.Alert, t.SendAfter, t.Waits = sentence, tx.Now.Add(365*24*time.Hour), "a person"
	if _, err := tx.event(t, models.Event{What: "alert", Sentence: sentence}); err != nil {
		return err
	}
	return tx.save(t)
}

func (tx *Tx) postpone(t *models.Transaction, sentence string, d time.Duration) error {
	t.SendAfter, t.Waits = tx.Now.Add(d), sentence
	return tx.save(t)
}

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
	tx.adopt(t, ans.Report)
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
func (tx *Tx) adopt(t *models.Transaction, r models.Report) {
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
	if r.Payer != "" && t.Kind == models.Deposit {
		t.Party = models.Safe(r.Payer, 80)
	}
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
	err := s.View(ctx, func(tx *Tx) error {
		where, args := "deadline_us < ?", []any{tx.Now}
		if otherThan != "" {
			where, args = "instance <> ?", []any{otherThan}
		}
		ids = nil
		return tx.Each(func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		}, "SELECT id FROM attempts WHERE state = 'open' AND "+where+" ORDER BY deadline_us LIMIT 500", args...)
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
