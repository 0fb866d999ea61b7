package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"countinghouse/models"
)

// Withdraw calls a transaction off before it was sent. The maker and everybody with payouts.operate may.
func (s *Store) Withdraw(ctx context.Context, a models.Actor, env models.Environment, id string) error {
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		if t.CreatedBy != a.UserID {
			if err := a.Require(models.PayoutsOperate); err != nil {
				return err
			}
		}
		if err := tx.Exec("UPDATE approval_requests SET state = 'void', decided_us = ? WHERE subject = 'transaction' AND subject_id = ? AND state = 'open'", tx.Now, t.ID); err != nil {
			return err
		}
		t.Waits, t.ExpiresAt, t.SendAfter = "", 0, 0
		if err := tx.move(t, models.FiguresOf(t), models.Cancelled, models.ByStaff, models.Event{ActorID: a.UserID, ActorName: a.Name, Sentence: "Called off by " + a.Name + " before it was sent"}); err != nil {
			return err
		}
		if err := tx.save(t); err != nil {
			return err
		}
		return tx.Audit(a, string(t.Kind)+".withdraw", "transaction", t.ID, nil, nil, "Called off "+t.Reference)
	})
}

func (tx *Tx) inEnvironment(id string, env models.Environment) (*models.Transaction, error) {
	t, err := tx.transaction(id)
	if err == nil && t.Environment != env {
		return nil, models.Errorf(models.NotFound, "There is no such transaction.")
	}
	return t, err
}

// operable says from which states an operation at the provider makes sense.
var operable = map[models.Operation][]models.State{
	models.OpCancel:  {models.Pending, models.Held},
	models.OpHold:    {models.Pending},
	models.OpRelease: {models.Held},
}

// RequestOperation files a cancel, hold or release at the provider: the intent is written as an attempt, the task makes the call. It needs
// payouts.operate.
func (s *Store) RequestOperation(ctx context.Context, a models.Actor, env models.Environment, id string, op models.Operation, instance string) error {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		ok := false
		for _, st := range operable[op] {
			ok = ok || st == t.State
		}
		if !ok || t.Kind != models.Payout {
			return models.Errorf(models.Conflict, "A %s that is %q cannot be told to %s.", t.Kind, t.State.Word(), op)
		}
		x, err := tx.openAttempt(t, op, instance, a.Name)
		if err != nil {
			return err
		}
		if _, err := tx.event(t, models.Event{What: string(op), ActorID: a.UserID, ActorName: a.Name, Sentence: fmt.Sprintf("%s asked the provider to %s it", a.Name, op)}); err != nil {
			return err
		}
		if err := tx.Audit(a, "payout."+string(op), "transaction", t.ID, nil, nil, fmt.Sprintf("Asked the provider to %s %s", op, t.Reference)); err != nil {
			return err
		}
		return tx.enqueue(JobOperate, x.ID, tx.Now)
	})
}

// RequestDispute asks the provider to look at a deposit again, which reopens one that expired or was cancelled. Like every operation it is an
// attempt that is committed before it is sent, and whatever is answered, the state follows from a question. It needs payouts.operate.
func (s *Store) RequestDispute(ctx context.Context, a models.Actor, env models.Environment, id string, w models.DisputeWish, instance string) error {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		if why := t.WhyNoDispute(); why != "" {
			return models.Errorf(models.Conflict, "This %s cannot be disputed: %s.", t.Kind, why)
		}
		w, err := w.Check(t.Amount.Asset)
		if err != nil {
			return err
		}
		d, err := tx.detail(t.ID)
		if err != nil {
			return err
		}
		d.Dispute = w
		if err := tx.saveDetail(t.ID, d, false); err != nil {
			return err
		}
		x, err := tx.openAttempt(t, models.OpDispute, instance, a.Name)
		if err != nil {
			return err
		}
		sentence := fmt.Sprintf("%s disputed it: %s", a.Name, w.Reason)
		if w.Proof != "" {
			sentence += ". Evidence: " + w.Proof
		}
		papers, err := tx.bindPapers(t, x.ID)
		if err != nil {
			return err
		}
		type kept struct {
			Name   string `json:"name"`
			SHA256 string `json:"sha256"`
		}
		said := struct {
			models.DisputeWish
			Attempt string `json:"attempt"`
			Papers  []kept `json:"papers,omitempty"` // on our own record only
		}{DisputeWish: w, Attempt: x.ID}
		for i, f := range papers {
			said.Papers = append(said.Papers, kept{f.Name, f.SHA256})
			sentence += map[bool]string{true: ". On our own record, not sent: ", false: ", "}[i == 0] + f.Name
		}
		if _, err := tx.event(t, models.Event{What: "dispute", ActorID: a.UserID, ActorName: a.Name, Sentence: sentence}); err != nil {
			return err
		}
		if err := tx.Audit(a, string(t.Kind)+".dispute", "transaction", t.ID, nil, said, "Disputed "+t.Reference+": "+w.Reason); err != nil {
			return err
		}
		return tx.enqueue(JobOperate, x.ID, tx.Now)
	})
}

// BeginOperation gives what is needed to carry out an open attempt that is no send, or nil when it has ended or timed out.
func (s *Store) BeginOperation(ctx context.Context, attemptID string) (*SendOrder, error) {
	var o *SendOrder
	err := s.View(ctx, func(tx *Tx) error {
		x, err := scanAttempt(tx.QueryRow("SELECT "+attemptColumns+" FROM attempts WHERE id = ?", attemptID))
		if err != nil || x.State != models.AttemptOpen || x.Operation == models.OpSend || x.Deadline < tx.Now.Add(time.Minute) {
			return err
		}
		t, err := tx.peekTransaction("t.id = ?", x.TransactionID)
		if err != nil {
			return err
		}
		d, err := tx.detail(t.ID)
		if err != nil {
			return err
		}
		o = &SendOrder{Attempt: x, Transaction: *t, Detail: *d}
		return nil
	})
	return o, err
}

// RecordOperation records the answer to a cancel, hold, release or dispute. Whatever it was, the provider is asked at once: the state follows
// from the question and never from this answer.
func (s *Store) RecordOperation(ctx context.Context, attemptID string, ans models.Answer) error {
	return s.Update(ctx, func(tx *Tx) error {
		x, err := scanAttempt(tx.QueryRow("SELECT "+attemptColumns+" FROM attempts WHERE id = ?"+tx.ForUpdate(), attemptID))
		if err != nil {
			return err
		}
		t, err := tx.transaction(x.TransactionID)
		if err != nil {
			return err
		}
		if x.State == models.AttemptOpen {
			if err := tx.closeAttempt(x, ans.State, ans.Code, ans.Message); err != nil {
				return err
			}
		}
		wish := fmt.Sprintf("The wish to %s it", x.Operation)
		sentence := map[models.AttemptState]string{models.AttemptAccepted: wish + " was accepted by the provider", models.AttemptRefused: wish + " was refused by the provider: " + ans.Message,
			models.AttemptUnknown: fmt.Sprintf("The answer to the wish to %s it was lost: ", x.Operation) + ans.Message, models.AttemptNotSent: wish + " was not sent: " + ans.Message}[ans.State]
		if x.Operation == models.OpDispute && ans.State == models.AttemptAccepted {
			sentence = "The dispute was accepted" + strings.TrimPrefix(ans.Message, "Accepted") // it names the provider's number of the dispute
		}
		if _, err := tx.event(t, models.Event{What: "answer", Sentence: sentence}); err != nil {
			return err
		}
		t.AskEarly(tx.Now)
		if err := tx.save(t); err != nil {
			return err
		}
		return tx.enqueue(JobAsk, t.ID, tx.Now)
	})
}

// OpenOperations lists open attempts of operations that no job reached, for the sweep.
func (s *Store) OpenOperations(ctx context.Context) (ids []string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		rows, err := tx.Query("SELECT id FROM attempts WHERE state = 'open' AND operation <> 'send' AND started_us < ? AND deadline_us > ? LIMIT 100",
			tx.Now.Add(-5*time.Second), tx.Now.Add(time.Minute))
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // read to its end
		ids = nil
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}
