package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"countinghouse/models"
)

// Court is what the evidence about an unknown outcome allows.
type Court struct {
	MayResend    bool
	MayGiveUp    bool
	ResendWhy    string // the sentence beside the button, whether it is enabled or not
	GiveUpWhy    string
	Needed       int  // people who must agree
	NotFound     int  // clear answers "not found" since the attempt
	NewReference bool // a resend must carry a new reference
}

// Judge weighs the evidence about a transaction whose outcome is unknown. resend is the provider's rule (providers.Resend: same, new,
// staff, never), byReference whether it can be asked by our reference, notFoundAfter the seconds after which "not found" is believed.
func Judge(p *TransactionPage, resend string, byReference bool, notFoundAfter int, now models.Micros) Court {
	c := Court{Needed: 1, NewReference: resend == "new"}
	if p.Transaction.State != models.Unknown {
		c.ResendWhy, c.GiveUpWhy = "The outcome is not unknown.", "The outcome is not unknown."
		return c
	}
	since := p.Transaction.SentAt
	believable := since.Add(time.Duration(notFoundAfter) * time.Second)
	var spokeFor bool
	for _, e := range p.Evidence {
		if e.At < since {
			continue
		}
		switch {
		case e.Source == "asked" && e.Result == "not_found" && e.At >= believable:
			c.NotFound++
		case e.Result == "found", e.Source == "webhook", e.Result == "accepted":
			spokeFor = true
		}
	}
	c.GiveUpWhy = "Two people may declare that nothing was created, with a reason."
	c.MayGiveUp = !spokeFor && now >= since.Add(models.UnknownAlarm)
	if !c.MayGiveUp {
		c.GiveUpWhy = "Not before 15 minutes have passed, and not while a sign says that the provider has it."
	}
	switch {
	case resend == "never":
		c.ResendWhy = "This provider's contract never allows sending again: ask it instead."
	case spokeFor:
		c.ResendWhy = "Not possible: a sign says that the provider has it."
	case byReference && notFoundAfter > 0 && c.NotFound >= 2:
		c.MayResend = true
		c.ResendWhy = fmt.Sprintf("The provider said %d times, late enough to be believed, that it knows nothing of it. A second person must agree.", c.NotFound)
	case byReference && notFoundAfter > 0:
		c.ResendWhy = fmt.Sprintf("Not possible yet: it needs two clear answers \"not found\" at least %s after sending; there are %d.",
			time.Duration(notFoundAfter)*time.Second, c.NotFound)
	case now < since.Add(time.Hour):
		c.ResendWhy = "This provider cannot be asked by our reference. Two more people may decide after an hour."
	default:
		c.MayResend, c.Needed = true, 2
		c.ResendWhy = "This provider cannot be asked by our reference. Two more people must agree, with a reason."
	}
	return c
}

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
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		if t.State != models.Unknown {
			return models.Errorf(models.Conflict, "The outcome is known: %q.", t.State.Word())
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

// decidedUnknown carries out a decision about an unknown outcome. The state is looked at again: evidence may have come meanwhile.
func (tx *Tx) decidedUnknown(a models.Actor, r *ApprovalRequest, state, reason string) error {
	if state == "open" {
		return nil
	}
	t, err := tx.transaction(r.SubjectID)
	if err != nil {
		return err
	}
	if state == "rejected" {
		_, err := tx.event(t, models.Event{What: "rejected", ActorID: a.UserID, ActorName: a.Name, Sentence: a.Name + " refused: " + reason})
		return err
	}
	if t.State != models.Unknown {
		return models.Errorf(models.Conflict, "The outcome is known by now: %q. Nothing is sent.", t.State.Word())
	}
	var signs int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM evidence WHERE transaction_id = ? AND at_us > ? AND (result IN ('found', 'accepted') OR source = 'webhook')`,
		t.ID, r.CreatedAt).Scan(&signs); err != nil {
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
