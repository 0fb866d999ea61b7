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
