package store

import (
	"context"
	"crypto/rand"
	"time"

	"countinghouse/models"
)

// PendingVerification is a question about a recipient whose answer comes by webhook.
type PendingVerification struct {
	Verdict, Name, Sentence string
	Answered                bool
	Gone                    bool // nobody answered in time
}

// OpenVerification makes the token that binds an answer to its question: 130 random bits. It needs payouts.create, or the right to add or approve
// destinations.
func (s *Store) OpenVerification(ctx context.Context, a models.Actor, credentialID string) (token string, err error) {
	if !a.Can(models.PayoutsCreate) && !maySeeDestinations(a) {
		return "", a.Require(models.PayoutsCreate)
	}
	token = rand.Text()
	return token, s.Update(ctx, func(tx *Tx) error {
		if err := tx.Exec("DELETE FROM verifications WHERE created_us < ?", tx.Now.Add(-24*time.Hour)); err != nil {
			return err
		}
		return tx.Exec("INSERT INTO verifications (token, credential_id, user_id, created_us) VALUES (?,?,?,?)", token, credentialID, a.UserID, tx.Now)
	})
}

// AnswerVerification records the answer that came for a token, once and in time. Anything else is ignored: the token is the only proof that
// the caller has.
func (s *Store) AnswerVerification(ctx context.Context, credentialID, token, verdict, name, sentence string) error {
	return s.Update(ctx, func(tx *Tx) error {
		// The question's row first: AddDestinationCheck holds it while it writes the evidence that waits for this answer.
		if err := tx.Exec(`UPDATE verifications SET answered_us = ?, verdict = ?, name = ?, sentence = ? WHERE token = ? AND credential_id = ? AND answered_us = 0 AND created_us > ?`,
			tx.Now, verdict, models.Safe(name, 120), models.Safe(sentence, 300), token, credentialID, tx.Now.Add(-models.VerificationTime)); err != nil {
			return err
		}
		return tx.answerDestinationCheck(credentialID, token, verdict, name, sentence)
	})
}

// Verification reads a question of this person.
func (s *Store) Verification(ctx context.Context, a models.Actor, token string) (v PendingVerification, err error) {
	if err := a.Require(models.PayoutsCreate); err != nil {
		return v, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		var created, answered models.Micros
		err := tx.QueryRow("SELECT created_us, answered_us, verdict, name, sentence FROM verifications WHERE token = ? AND user_id = ?", token, a.UserID).
			Scan(&created, &answered, &v.Verdict, &v.Name, &v.Sentence)
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such question.")
		}
		v.Answered, v.Gone = answered > 0, answered == 0 && tx.Now > created.Add(2*time.Minute)
		return err
	})
	return v, err
}
