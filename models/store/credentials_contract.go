package store

import (
	"context"
	"database/sql"
	"fmt"

	"countinghouse/models"
)

// RecordTest keeps the result of testing a slot and the evidence that the test's exchanges gave. basis and version are those that the test
// was made with: a test of something that has changed meanwhile is evidence of nothing present and sets no verdict. For tasks; who ran the
// test is in actor and goes into the audit trail.
func (s *Store) RecordTest(ctx context.Context, actor models.Actor, t CredentialTest) error {
	return s.Update(ctx, func(tx *Tx) error {
		c, err := tx.lockCredential(t.CredentialID)
		if err != nil {
			return err
		}
		if c.Version == t.Version {
			if err := tx.setTested(&c, t); err != nil {
				return err
			}
		}
		for _, e := range t.Evidence {
			if err := tx.addEvidence(e, actor.Name); err != nil {
				return err
			}
		}
		return tx.Audit(actor, "credential.test", "credential", c.ID, nil, map[string]any{"slot": t.Slot, "verdict": t.Verdict, "evidence": len(t.Evidence)},
			fmt.Sprintf("Tested the %s keys of the credential %s: %s", t.Slot, c.Name, t.Sentence))
	})
}

// CredentialTest is the outcome of the provider's reading calls made with one slot.
type CredentialTest struct {
	CredentialID string
	Version      int64
	Slot         models.Slot
	SecretIDs    []string // the rows of the slot that were tested
	Verdict      string
	Sentence     string
	SkewSecs     int
	Evidence     []models.ItemEvidence
}

func (tx *Tx) setTested(c *models.Credential, t CredentialTest) error {
	if t.Slot == models.SlotNext {
		at := models.Micros(0)
		if testPassed(t.Verdict) {
			at = tx.Now
		}
		for _, id := range t.SecretIDs {
			if err := tx.Exec("UPDATE credential_secrets SET tested_us = ? WHERE id = ? AND credential_id = ? AND slot = ?", at, id, c.ID, models.SlotNext); err != nil {
				return fmt.Errorf("mark the new secrets as tested: %w", err)
			}
		}
		return nil
	}
	c.TestedAt, c.Tested, c.TestNote, c.SkewSecs = tx.Now, t.Verdict, clean(t.Sentence), t.SkewSecs
	return tx.putCredential(*c)
}

func (tx *Tx) addEvidence(e models.ItemEvidence, by string) error {
	tx.keysChanged()
	if err := tx.Exec(`INSERT INTO contract_evidence (`+evidenceColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?)`, models.NewID(), e.CredentialID, e.Item, e.Verdict,
		e.ExchangeID, e.DeliveryID, clean(e.Sentence), e.Basis, tx.Now, by); err != nil {
		return fmt.Errorf("insert the evidence: %w", err)
	}
	return nil
}

// AddEvidence keeps what a webhook or an exchange outside of a test showed about contract items. The same verdict on the same basis as the
// newest is not repeated. For tasks.
func (s *Store) AddEvidence(ctx context.Context, by string, list []models.ItemEvidence) error {
	if len(list) == 0 {
		return nil
	}
	// Nearly always there is nothing new, which a reader finds out without waiting for its turn to write.
	fresh := false
	err := s.View(ctx, func(q *Tx) error {
		for _, e := range list {
			isNew, err := q.isNewEvidence(e)
			if fresh = fresh || isNew; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !fresh {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		for _, e := range list {
			isNew, err := tx.isNewEvidence(e)
			if err == nil && isNew {
				err = tx.addEvidence(e, by)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// isNewEvidence reports that the newest evidence about the item says something else, or rests on something else.
func (tx *Tx) isNewEvidence(e models.ItemEvidence) (bool, error) {
	var verdict, basis string
	err := tx.QueryRow("SELECT verdict, basis FROM contract_evidence WHERE credential_id = ? AND item = ? ORDER BY id DESC LIMIT 1", e.CredentialID, e.Item).Scan(&verdict, &basis)
	if err != nil && !IsNoRow(err) {
		return false, fmt.Errorf("read the newest evidence: %w", err)
	}
	return err != nil || verdict != string(e.Verdict) || basis != e.Basis, nil
}

const evidenceColumns = "id, credential_id, item, verdict, exchange_id, delivery_id, sentence, basis, at_us, by_name"

// ConfirmItem keeps an admin's word that the evidence for a contract item convinces. Two different admins unlock it in live. Permission
// changes.approve and a fresh second factor; a reason is asked for, because it stays.
func (s *Store) ConfirmItem(ctx context.Context, actor models.Actor, credentialID, item, reason string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := mayChangeKeys(actor, tx.Now, models.ChangesApprove); err != nil {
			return err
		}
		if reason == "" {
			return models.FieldErrorf("reason", "Say what convinced you: an exchange, a letter of the provider, a test payment.")
		}
		c, err := tx.lockCredential(credentialID)
		if err != nil {
			return err
		}
		if err := tx.Exec(`INSERT INTO contract_confirmations (credential_id, item, user_id, user_name, reason, basis, at_us) VALUES (?,?,?,?,?,?,?)
			ON CONFLICT (credential_id, item, user_id) DO UPDATE SET user_name = excluded.user_name, reason = excluded.reason, basis = excluded.basis, at_us = excluded.at_us`,
			c.ID, item, actor.UserID, actor.Name, clean(reason), c.Basis(), tx.Now); err != nil {
			return fmt.Errorf("insert the confirmation: %w", err)
		}
		tx.keysChanged()
		return tx.Audit(actor, "contract.confirm", "credential", c.ID, nil, map[string]any{"item": item, "reason": reason, "basis": c.Basis()},
			fmt.Sprintf("Confirmed the contract item %s for the credential %s.", item, c.Name))
	})
}

// UnconfirmItem takes an admin's own confirmation back. The item locks again at once.
func (s *Store) UnconfirmItem(ctx context.Context, actor models.Actor, credentialID, item string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := mayChangeKeys(actor, tx.Now, models.ChangesApprove); err != nil {
			return err
		}
		c, err := tx.lockCredential(credentialID)
		if err != nil {
			return err
		}
		n, err := tx.Change("DELETE FROM contract_confirmations WHERE credential_id = ? AND item = ? AND user_id = ?", c.ID, item, actor.UserID)
		if err != nil {
			return fmt.Errorf("delete the confirmation: %w", err)
		}
		if n == 0 {
			return models.Errorf(models.Conflict, "You have not confirmed this item.")
		}
		tx.keysChanged()
		return tx.Audit(actor, "contract.unconfirm", "credential", c.ID, nil, map[string]any{"item": item}, fmt.Sprintf("Took back the confirmation of %s for the credential %s.", item, c.Name))
	})
}

// Standings tells, per contract item that anything is known about, what is known on the credential's present basis. Permission
// credentials.read.
func (s *Store) Standings(ctx context.Context, actor models.Actor, c models.Credential) (map[string]models.ItemStanding, error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	return s.StandingsForTask(ctx, c)
}

// StandingsForTask is Standings without asking who wants to know.
func (s *Store) StandingsForTask(ctx context.Context, c models.Credential) (out map[string]models.ItemStanding, err error) {
	basis := c.Basis()
	err = s.View(ctx, func(q *Tx) error {
		out = map[string]models.ItemStanding{}
		// The newest row per item and basis: evidence of other bases only tells that there was some.
		if err := q.Each(func(r *sql.Rows) error {
			var e models.ItemEvidence
			if err := r.Scan(&e.ID, &e.CredentialID, &e.Item, &e.Verdict, &e.ExchangeID, &e.DeliveryID, &e.Sentence, &e.Basis, &e.At, &e.ByName); err != nil {
				return err
			}
			st := out[e.Item]
			st.Item = e.Item
			if e.Basis == basis {
				st.Latest, st.Stale = &e, false
			} else if st.Latest == nil {
				st.Stale = true
			}
			out[e.Item] = st
			return nil
		}, `SELECT `+evidenceColumns+` FROM contract_evidence WHERE id IN
			(SELECT MAX(id) FROM contract_evidence WHERE credential_id = ? GROUP BY item, basis) ORDER BY item, id`, c.ID); err != nil {
			return err
		}
		return q.Each(func(r *sql.Rows) error {
			var k models.Confirmation
			if err := r.Scan(&k.CredentialID, &k.Item, &k.UserID, &k.UserName, &k.Reason, &k.Basis, &k.At); err != nil {
				return err
			}
			st := out[k.Item]
			st.Item = k.Item
			if k.Basis == basis {
				st.Confirmations = append(st.Confirmations, k)
			}
			out[k.Item] = st
			return nil
		}, `SELECT credential_id, item, user_id, user_name, reason, basis, at_us FROM contract_confirmations WHERE credential_id = ? ORDER BY item, at_us`, c.ID)
	})
	return out, err
}

// EvidenceOf lists everything ever seen about one item with one credential, newest first, at most 100. Permission credentials.read.
func (s *Store) EvidenceOf(ctx context.Context, actor models.Actor, credentialID, item string) (list []models.ItemEvidence, err error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		return q.Each(func(r *sql.Rows) error {
			var e models.ItemEvidence
			err := r.Scan(&e.ID, &e.CredentialID, &e.Item, &e.Verdict, &e.ExchangeID, &e.DeliveryID, &e.Sentence, &e.Basis, &e.At, &e.ByName)
			list = append(list, e)
			return err
		}, "SELECT "+evidenceColumns+" FROM contract_evidence WHERE credential_id = ? AND item = ? ORDER BY id DESC LIMIT 100", credentialID, item)
	})
	return list, err
}
