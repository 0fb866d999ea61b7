package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"countinghouse/models"
)

// subjectNumber is the request to take a number at the provider for a transaction whose answer was lost.
const subjectNumber = models.EvidenceNumber

// claimed is what an approver of such a request agrees to.
type claimed struct {
	Transaction string `json:"transaction"`
	Reference   string `json:"reference"`
	Number      string `json:"number"`
	Reason      string `json:"reason"`
}

// Lost reports whether a credential has a transaction of a kind whose answer was lost together with the provider's number. For tasks.
// Every webhook that names nothing of ours asks this, so it looks only where the index of combinations has such transactions.
func (s *Store) Lost(ctx context.Context, env models.Environment, provider, credentialID string, k models.Kind) (is bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM transactions t"+s.by("transactions_combo")+` WHERE t.environment = ? AND t.provider = ? AND t.credential_id = ? AND t.kind = ?
			AND t.state = 'unknown' AND t.provider_ref = '')`, env, provider, credentialID, k).Scan(&is)
	})
	return is, err
}

// TakeNumber notes under which number a provider has a transaction whose answer was lost. The provider's own answer about that number must have
// named our reference, and, where it named one, what it belongs to. It gives the transaction's id, or nothing where there is none that it could be;
// the outcome then follows from the next question. For tasks.
func (s *Store) TakeNumber(ctx context.Context, credentialID string, k models.Kind, reference, of, number, says string) (id string, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		id = ""
		found, err := tx.peekTransaction("t.reference = ? AND t.credential_id = ?", reference, credentialID)
		if models.Is(err, models.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		t, err := tx.transaction(found.ID)
		if err != nil || t.Kind != k || t.State != models.Unknown || t.ProviderRef != "" {
			return err
		}
		if t.OfID != "" && of != "" {
			deposit, err := tx.peekTransaction("t.id = ?", t.OfID)
			if err != nil || deposit.ProviderRef != of {
				return err
			}
		}
		id = t.ID
		return tx.take(t, number, "webhook", "hint", says)
	})
	return id, err
}

// take writes a number down and lets the provider be asked about it at once.
func (tx *Tx) take(t *models.Transaction, number, source, result, says string) error {
	other, err := tx.peekTransaction("t.provider_ref = ? AND t.provider_ref <> '' AND t.credential_id = ? AND t.kind = ?", number, t.CredentialID, t.Kind)
	if err == nil && other.ID != t.ID {
		return models.Errorf(models.Conflict, "%s is the number of %s already.", number, other.Reference)
	}
	if err != nil && !models.Is(err, models.NotFound) {
		return err
	}
	if err := tx.evidence(t, "", source, result, models.Safe(says, 300), ""); err != nil {
		return err
	}
	t.ProviderRef = number
	t.AskEarly(tx.Now)
	if err := tx.save(t); err != nil {
		return err
	}
	return tx.enqueue(JobAsk, t.ID, tx.Now)
}

// RequestNumber asks a second person to agree that a transaction whose answer was lost has a certain number at the provider. Nothing is declared by
// it: the provider is asked about that number, and its answer settles the outcome. Permission payouts.operate.
func (s *Store) RequestNumber(ctx context.Context, a models.Actor, env models.Environment, id, number, reason string) error {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return err
	}
	number, err := models.CleanText("number", number, 80, true)
	if err != nil {
		return err
	}
	if reason, err = models.CleanText("reason", reason, 500, true); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.unknownIn(env, id)
		if err != nil {
			return err
		}
		payload := claimed{Transaction: t.ID, Reference: t.Reference, Number: number, Reason: reason}
		b, err := json.Marshal(payload)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		if err := tx.openRequest(a, ApprovalRequest{Environment: t.Environment, Subject: subjectNumber, SubjectID: t.ID, Digest: hex.EncodeToString(sum[:]),
			Title: fmt.Sprintf("%s over %s is number %s at the provider", t.Reference, t.Amount, number), Rule: "A number that was found by hand needs somebody else's agreement", Needed: 1,
			Role: models.Finance, Permission: models.PayoutsApprove, ExpiresAt: tx.Now.Add(24 * time.Hour), Reason: reason}, payload); err != nil {
			return err
		}
		if _, err := tx.event(t, models.Event{What: subjectNumber, ActorID: a.UserID, ActorName: a.Name,
			Sentence: fmt.Sprintf("%s says that the provider has it as %s, and asks for agreement. Reason: %s", a.Name, number, reason)}); err != nil {
			return err
		}
		return tx.Audit(a, "transaction.number_request", "transaction", t.ID, nil, payload, "Said that "+t.Reference+" is "+number+" at the provider")
	})
}

// decidedNumber carries out a decision about a number. Evidence may have come meanwhile: then nothing is changed.
func (tx *Tx) decidedNumber(a models.Actor, r *ApprovalRequest, state, reason string) error {
	t, err := tx.decidedOn(a, r, state, reason)
	if err != nil || t == nil {
		return err
	}
	var c claimed
	if err := json.Unmarshal([]byte(r.Payload), &c); err != nil {
		return err
	}
	if _, err := tx.event(t, models.Event{What: subjectNumber, ActorID: a.UserID, ActorName: a.Name,
		Sentence: fmt.Sprintf("%s and %s agree that the provider has it as %s; the provider is asked about that", r.CreatedByName, a.Name, c.Number)}); err != nil {
		return err
	}
	return tx.take(t, c.Number, "staff", subjectNumber, fmt.Sprintf("%s and %s: the provider has it as %s. %s", r.CreatedByName, a.Name, c.Number, c.Reason))
}
