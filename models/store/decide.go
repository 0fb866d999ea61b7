package store

import (
	"context"
	"fmt"

	"countinghouse/models"
)

// Decide records one person's approval or rejection. seenDigest is the digest of the payload that the person was looking at: when the
// payload has changed since, nothing is recorded and the person is told. A rejection needs a reason, which reaches the maker.
func (s *Store) Decide(ctx context.Context, a models.Actor, env models.Environment, requestID string, approve bool, reason, seenDigest string) (*ApprovalRequest, error) {
	reason, err := models.CleanText("reason", reason, 500, !approve)
	if err != nil {
		return nil, err
	}
	var out *ApprovalRequest
	err = s.Update(ctx, func(tx *Tx) error {
		rs, err := tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE id = ? AND environment IN (?, '')"+tx.ForUpdate(), requestID, env)
		if err != nil {
			return err
		}
		if len(rs) == 0 {
			return models.Errorf(models.NotFound, "There is no such request.")
		}
		r := &rs[0]
		out = r
		if err := r.MayDecide(a, tx.Now); err != nil {
			return err
		}
		if err := a.RequireStepUp(tx.Now); err != nil {
			return err
		}
		if seenDigest != r.Digest {
			return models.Errorf(models.Conflict, "This changed after you opened it. Look at it again before you decide.")
		}
		decision := "reject"
		if approve {
			decision = "approve"
		}
		if err := tx.Exec("INSERT INTO approvals (request_id, user_id, user_name, decision, reason, digest, at_us) VALUES (?,?,?,?,?,?,?)",
			r.ID, a.UserID, a.Name, decision, reason, r.Digest, tx.Now); err != nil {
			return err
		}
		r.Decisions = append(r.Decisions, Decision{UserID: a.UserID, Name: a.Name, Decision: decision, Reason: reason, Digest: r.Digest, At: tx.Now})
		if err := tx.decided(a, r, approve, reason); err != nil {
			return err
		}
		return tx.Audit(a, "approval."+decision, r.Subject, r.SubjectID, nil, map[string]string{"request": r.ID, "digest": r.Digest, "reason": reason},
			fmt.Sprintf("%s: %s", map[bool]string{true: "Approved", false: "Rejected"}[approve], r.Title))
	})
	return out, err
}

// decided carries out what a decision means for the subject.
func (tx *Tx) decided(a models.Actor, r *ApprovalRequest, approve bool, reason string) error {
	state := "open"
	switch {
	case !approve:
		state = "rejected"
	case r.Have() >= r.Needed:
		state = "approved"
	}
	if state != "open" {
		if err := tx.closeRequest(r, state); err != nil {
			return err
		}
	}
	switch r.Subject {
	case "transaction":
		return tx.decidedTransaction(a, r, state, reason)
	case "resend", "give_up":
		return tx.decidedUnknown(a, r, state, reason)
	case subjectNumber:
		return tx.decidedNumber(a, r, state, reason)
	case subjectDestination, subjectImport:
		return tx.decidedDestinations(a, r, state, reason)
	case "policy":
		if state == "approved" {
			return tx.applyPolicy(a, r)
		}
		return nil
	case "kyb", "kyb_delete":
		switch {
		case state == "open":
			return nil
		case r.Subject == "kyb":
			return tx.decidedKYB(a, r, state == "approved", reason)
		}
		return tx.decidedKYBDeletion(a, r, state == "approved")
	}
	if f, ok := tx.Store.changes[r.Subject]; ok {
		if state == "approved" || state == "rejected" {
			return f(tx, a, r, state == "approved")
		}
		return nil
	}
	return fmt.Errorf("approval of an unknown subject %q", r.Subject)
}

func (tx *Tx) closeRequest(r *ApprovalRequest, state string) error {
	r.State, r.DecidedAt = state, tx.Now
	n, err := tx.Change("UPDATE approval_requests SET state = ?, decided_us = ? WHERE id = ? AND state = 'open'", state, tx.Now, r.ID)
	if err == nil && n != 1 {
		return models.Errorf(models.Conflict, "Somebody decided on this at the same moment. Look at it again.")
	}
	return err
}

func (tx *Tx) decidedTransaction(a models.Actor, r *ApprovalRequest, state, reason string) error {
	t, err := tx.transaction(r.SubjectID)
	if err != nil {
		return err
	}
	if err := tx.stillAsApproved(t, r.Digest); err != nil {
		return err
	}
	by := models.Event{ActorID: a.UserID, ActorName: a.Name}
	switch state {
	case "open":
		t.Waits = waitsFor(r.Have(), r.Needed, r.Role)
		by.What, by.Sentence = "approval", fmt.Sprintf("Approved by %s, %d of %d", a.Name, r.Have(), r.Needed)
		if _, err := tx.event(t, by); err != nil {
			return err
		}
		return tx.save(t)
	case "rejected":
		t.Waits, t.ExpiresAt, t.Reason = "", 0, reason
		by.What, by.Sentence = "rejected", "Rejected by "+a.Name+": "+reason
		if err := tx.move(t, models.FiguresOf(t), models.Rejected, models.ByStaff, by); err != nil {
			return err
		}
		return tx.save(t)
	}
	d, err := tx.detail(t.ID)
	if err != nil {
		return err
	}
	if err := tx.checkDestination(t, d); err != nil { // nobody agrees to what could not be sent
		return models.Errorf(models.Conflict, "%s Reject it, or call it off.", sentenceOfError(err))
	}
	return tx.approve(t, "by "+a.Name, models.ByStaff, a)
}

// stillAsApproved computes the payload's digest anew and compares it with the one an approval is bound to.
func (tx *Tx) stillAsApproved(t *models.Transaction, digest string) error {
	d, err := tx.detail(t.ID)
	if err != nil {
		return err
	}
	if now := models.PayloadOf(t, d).Digest(); now != digest {
		return models.Errorf(models.Conflict, "The payload is not the one that was submitted. It must be approved anew.")
	}
	return nil
}

// ExpireApprovals ends requests whose time has run out. It is called by a task.
func (s *Store) ExpireApprovals(ctx context.Context) (int, error) {
	n := 0
	err := s.Update(ctx, func(tx *Tx) error {
		n = 0
		rs, err := tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE state = 'open' AND expires_us <= ? ORDER BY expires_us LIMIT 100"+tx.ForUpdate(), tx.Now)
		if err != nil {
			return err
		}
		for i := range rs {
			r := &rs[i]
			if err := tx.closeRequest(r, "expired"); err != nil {
				return err
			}
			n++
			if r.Subject == "kyb" {
				if err := tx.expiredKYB(r); err != nil {
					return err
				}
			}
			if r.Subject == subjectDestination || r.Subject == subjectImport {
				if err := tx.expiredDestinations(r); err != nil && !models.Is(err, models.Conflict) {
					return err
				}
			}
			if r.Subject != "transaction" {
				continue
			}
			t, err := tx.transaction(r.SubjectID)
			if err != nil {
				return err
			}
			t.Waits, t.ExpiresAt = "", 0
			if err := tx.move(t, models.FiguresOf(t), models.Expired, models.ByClock, models.Event{Sentence: "Nobody decided in time"}); err != nil {
				return err
			}
			if err := tx.save(t); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
