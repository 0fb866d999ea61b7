package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"countinghouse/models"
)

// Court is the domain's judgement, by the name that this package uses.
type Court = models.Court

// RequestUnknown asks other people to agree to send again ("resend") or to declare that nothing was created ("give_up"). court is the
// judgement on the evidence that the maker sees; the handler computed it from the same page with the provider's passport.
func (s *Store) RequestUnknown(ctx context.Context, a models.Actor, env models.Environment, id, subject, reason string, court Court) error {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return err
	}
	reason, err := models.CleanText("reason", reason, 500, true)
	if err != nil {
		return err
	}
	switch {
	case subject == "resend" && !court.MayResend:
		return models.Errorf(models.Conflict, "%s", court.ResendWhy)
	case subject == "give_up" && !court.MayGiveUp:
		return models.Errorf(models.Conflict, "%s", court.GiveUpWhy)
	case subject != "resend" && subject != "give_up":
		return models.Errorf(models.Invalid, "There is no such request.")
	}
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.unknownIn(env, id)
		if err != nil {
			return err
		}
		what := map[string]string{"resend": "Send again", "give_up": "Declare that nothing was created"}[subject]
		payload := map[string]any{"transaction": t.ID, "reference": t.Reference, "new_reference": court.NewReference, "not_found": court.NotFound, "reason": reason}
		err = tx.openRequest(a, ApprovalRequest{Environment: t.Environment, Subject: subject, SubjectID: t.ID, Digest: t.Digest,
			Title: fmt.Sprintf("%s: %s over %s to %s", what, t.Reference, t.Amount, t.Party), Rule: what + " needs somebody else's agreement", Needed: court.Needed,
			Role: models.Finance, Permission: models.PayoutsApprove, ExpiresAt: tx.Now.Add(24 * time.Hour), Reason: reason}, payload)
		if err != nil {
			return err
		}
		if _, err := tx.event(t, models.Event{What: subject, ActorID: a.UserID, ActorName: a.Name, Sentence: a.Name + " asks: " + what + ". Reason: " + reason}); err != nil {
			return err
		}
		return tx.Audit(a, "transaction."+subject+"_request", "transaction", t.ID, nil, payload, what+": "+t.Reference)
	})
}

// unknownIn reads a transaction whose outcome people may ask something about.
func (tx *Tx) unknownIn(env models.Environment, id string) (*models.Transaction, error) {
	t, err := tx.inEnvironment(id, env)
	if err == nil && t.State != models.Unknown {
		err = models.Errorf(models.Conflict, "The outcome is known: %q.", t.State.Word())
	}
	return t, err
}

// decidedOn reads the transaction of a request about an unknown outcome on which the last decision fell; nil when there is nothing to carry out. A
// rejection is written down. The state is looked at again: the outcome may have come meanwhile.
func (tx *Tx) decidedOn(a models.Actor, r *ApprovalRequest, state, reason string) (*models.Transaction, error) {
	if state == "open" {
		return nil, nil
	}
	t, err := tx.transaction(r.SubjectID)
	switch {
	case err != nil:
		return nil, err
	case state == "rejected":
		_, err := tx.event(t, models.Event{What: "rejected", ActorID: a.UserID, ActorName: a.Name, Sentence: a.Name + " refused: " + reason})
		return nil, err
	case t.State != models.Unknown:
		return nil, models.Errorf(models.Conflict, "The outcome is known by now: %q. Nothing is done.", t.State.Word())
	}
	return t, nil
}

// decidedUnknown carries out a decision about an unknown outcome. Evidence may have come meanwhile.
func (tx *Tx) decidedUnknown(a models.Actor, r *ApprovalRequest, state, reason string) error {
	t, err := tx.decidedOn(a, r, state, reason)
	if err != nil || t == nil {
		return err
	}
	var signs int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM evidence WHERE transaction_id = ? AND at_us > ? AND (result IN ('found', 'accepted', ?) OR source = 'webhook')`,
		t.ID, r.CreatedAt, subjectNumber).Scan(&signs); err != nil {
		return err
	}
	if signs > 0 {
		return models.Errorf(models.Conflict, "Since this was asked a sign came that the provider has it. Nothing is sent.")
	}
	if err := tx.evidence(t, "", "staff", r.Subject, fmt.Sprintf("%s and %s: %s", r.CreatedByName, a.Name, r.Reason), ""); err != nil {
		return err
	}
	if r.Subject == "give_up" {
		t.Waits, t.Reason = "", "Declared by two people: "+r.Reason
		return tx.settle(t, models.FiguresOf(t), models.Failed, models.ByStaff, models.Event{ActorID: a.UserID, ActorName: a.Name, Sentence: "Declared as never created by " + r.CreatedByName + " and " + a.Name})
	}
	if err := tx.renewReference(t, r.Payload); err != nil {
		return err
	}
	return tx.approve(t, "to be sent again, by "+r.CreatedByName+" and "+a.Name, models.ByStaff, a)
}

// renewReference gives a transaction a new reference where the provider's rule asks for one. The attempts keep the old ones.
func (tx *Tx) renewReference(t *models.Transaction, payload string) error {
	var p struct {
		New bool `json:"new_reference"`
	}
	if err := json.Unmarshal([]byte(payload), &p); err != nil || !p.New {
		return err
	}
	d, err := tx.detail(t.ID)
	if err != nil {
		return err
	}
	t.Reference = models.NewReference()
	t.Digest = models.PayloadOf(t, d).Digest()
	return nil
}
