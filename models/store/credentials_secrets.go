package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"countinghouse/models"
	"countinghouse/models/vault"
)

// SealedSecret is one sealed value with its place, for those who hold the vault.
type SealedSecret struct {
	CredentialID string
	Slot         models.Slot
	Field        string
	Sealed       []byte
	OverlapUntil models.Micros
}

// SealedSecrets reads a credential's sealed values, current slot first. For tasks: without the vault they say nothing.
func (s *Store) SealedSecrets(ctx context.Context, credentialID string) (list []SealedSecret, err error) {
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		return q.Each(func(r *sql.Rows) error {
			x := SealedSecret{CredentialID: credentialID}
			err := r.Scan(&x.Slot, &x.Field, &x.Sealed, &x.OverlapUntil)
			list = append(list, x)
			return err
		}, "SELECT slot, field, sealed, overlap_us FROM credential_secrets WHERE credential_id = ? ORDER BY slot, field", credentialID)
	})
	return list, err
}

// FillNext puts new secrets into the slot next, in place of any that are there. Fields named in keep are carried over from the secrets in
// use, for providers that replace one of several. They take over by a change of kind promote, after they passed the reading calls.
func (s *Store) FillNext(ctx context.Context, actor models.Actor, seal KeySealer, id string, secrets map[string]string, keep []string) error {
	return s.changeCredential(ctx, actor, id, "credential.next", func(tx *Tx, c *models.Credential) (string, error) {
		if len(secrets) == 0 {
			return "", models.Errorf(models.Invalid, "Enter at least one new secret.")
		}
		if err := tx.Exec("DELETE FROM credential_secrets WHERE credential_id = ? AND slot = ?", c.ID, models.SlotNext); err != nil {
			return "", fmt.Errorf("empty the next slot: %w", err)
		}
		if _, err := tx.fill(c.ID, models.SlotNext, seal, secrets, actor); err != nil {
			return "", err
		}
		for _, f := range keep {
			if _, given := secrets[f]; given {
				continue
			}
			if err := tx.Exec(`INSERT INTO credential_secrets (`+secretColumns+`) SELECT ?, credential_id, ?, field, sealed, last4, fingerprint, set_us, set_by, 0, 0
				FROM credential_secrets WHERE credential_id = ? AND slot = ? AND field = ?`, models.NewID(), models.SlotNext, c.ID, models.SlotCurrent, f); err != nil {
				return "", fmt.Errorf("carry a secret over: %w", err)
			}
		}
		var err error
		if c.Secrets, err = tx.secretsKept(c.ID); err != nil {
			return "", err
		}
		return "Entered new secrets for the credential " + c.Name + "; they are not in use yet.", tx.voidKind(c.ID, models.ChangePromote, "Other new secrets were entered.")
	})
}

// DropSlot destroys the secrets of the slot next or previous. After the previous ones are gone there is no way back.
func (s *Store) DropSlot(ctx context.Context, actor models.Actor, id string, slot models.Slot) error {
	return s.changeCredential(ctx, actor, id, "credential.drop_"+string(slot), func(tx *Tx, c *models.Credential) (string, error) {
		if slot != models.SlotNext && slot != models.SlotPrevious {
			return "", models.Errorf(models.Invalid, "Only new or previous secrets can be removed; to stop the credential, suspend or revoke it.")
		}
		if !c.Has(slot) {
			return "", models.Errorf(models.Conflict, "There are no %s secrets.", slot)
		}
		if err := tx.Exec("DELETE FROM credential_secrets WHERE credential_id = ? AND slot = ?", c.ID, slot); err != nil {
			return "", fmt.Errorf("destroy the %s secrets: %w", slot, err)
		}
		c.Secrets = slices.DeleteFunc(c.Secrets, func(k models.SecretKept) bool { return k.Slot == slot })
		kind := models.ChangePromote
		if slot == models.SlotPrevious {
			kind = models.ChangeBack
		}
		return fmt.Sprintf("Destroyed the %s secrets of the credential %s.", slot, c.Name), tx.voidKind(c.ID, kind, "The secrets it was asked for are gone.")
	})
}

// fill seals secrets into a slot that is empty.
func (tx *Tx) fill(id string, slot models.Slot, seal KeySealer, secrets map[string]string, actor models.Actor) ([]models.SecretKept, error) {
	if seal == nil {
		return nil, errNoVault
	}
	var kept []models.SecretKept
	for _, field := range slices.Sorted(maps.Keys(secrets)) {
		plain := secrets[field]
		if plain == "" {
			continue
		}
		if len(plain) > 64<<10 {
			return nil, models.FieldErrorf(field, "This is too long for a secret.")
		}
		sealed, err := seal.Seal(tx.Context(), []byte(plain), SecretPlace(id, field))
		if err != nil {
			return nil, fmt.Errorf("seal the field %s: %w", field, err)
		}
		print, err := seal.Fingerprint([]byte(plain))
		if err != nil {
			return nil, fmt.Errorf("fingerprint the field %s: %w", field, err)
		}
		k := models.SecretKept{ID: models.NewID(), Slot: slot, Field: field, Last4: vault.Last4(plain), Fingerprint: print, SetAt: tx.Now, SetBy: actor.Name}
		if err := tx.Exec(`INSERT INTO credential_secrets (`+secretColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?)`, k.ID, id, slot, field, sealed, k.Last4,
			k.Fingerprint, k.SetAt, k.SetBy, 0, 0); err != nil {
			return nil, fmt.Errorf("insert the sealed field %s: %w", field, err)
		}
		kept = append(kept, k)
	}
	return kept, nil
}

const secretColumns = "id, credential_id, slot, field, sealed, last4, fingerprint, set_us, set_by, overlap_us, tested_us"

func (tx *Tx) secretsKept(id string) (list []models.SecretKept, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var k models.SecretKept
		err := r.Scan(&k.ID, &k.Slot, &k.Field, &k.Last4, &k.Fingerprint, &k.SetAt, &k.SetBy, &k.OverlapUntil, &k.TestedAt)
		list = append(list, k)
		return err
	}, `SELECT id, slot, field, last4, fingerprint, set_us, set_by, overlap_us, tested_us FROM credential_secrets WHERE credential_id = ? ORDER BY slot, field`, id)
	return list, err
}

// Overlap is how long replaced secrets go on verifying webhooks, unless a shorter or longer time is chosen.
const Overlap = 72 * time.Hour

// promote lets the next secrets take over: what was in use becomes previous, what was previous is destroyed.
func (tx *Tx) promote(c *models.Credential) error {
	if !c.NextPassed() {
		return models.Errorf(models.Conflict, "The new secrets have not passed the provider's reading calls yet. Test them first.")
	}
	if err := tx.Exec("DELETE FROM credential_secrets WHERE credential_id = ? AND slot = ?", c.ID, models.SlotPrevious); err != nil {
		return fmt.Errorf("destroy the oldest secrets: %w", err)
	}
	if err := tx.Exec("UPDATE credential_secrets SET slot = ?, overlap_us = ? WHERE credential_id = ? AND slot = ?", models.SlotPrevious, tx.Now.Add(Overlap), c.ID, models.SlotCurrent); err != nil {
		return fmt.Errorf("set the secrets in use aside: %w", err)
	}
	if err := tx.Exec("UPDATE credential_secrets SET slot = ? WHERE credential_id = ? AND slot = ?", models.SlotCurrent, c.ID, models.SlotNext); err != nil {
		return fmt.Errorf("let the new secrets take over: %w", err)
	}
	next := c.In(models.SlotNext)
	c.IssuedAt = tx.Now
	c.RotateBy = tx.Now.Add(time.Duration(c.RotateDays) * 24 * time.Hour)
	if err := tx.swapped(c); err != nil {
		return err
	}
	c.TestedAt, c.Tested, c.TestNote = next[0].TestedAt, "ok", "These secrets passed the provider's reading calls before they took over."
	return nil
}

// back returns to the previous secrets; those that were in use become next, untested, so that they can be tried again.
func (tx *Tx) back(c *models.Credential) error {
	if !c.Has(models.SlotPrevious) {
		return models.Errorf(models.Conflict, "There are no previous secrets to return to.")
	}
	if err := tx.Exec("DELETE FROM credential_secrets WHERE credential_id = ? AND slot = ?", c.ID, models.SlotNext); err != nil {
		return fmt.Errorf("empty the next slot: %w", err)
	}
	if err := tx.Exec("UPDATE credential_secrets SET slot = ?, tested_us = 0 WHERE credential_id = ? AND slot = ?", models.SlotNext, c.ID, models.SlotCurrent); err != nil {
		return fmt.Errorf("set the secrets in use aside: %w", err)
	}
	if err := tx.Exec("UPDATE credential_secrets SET slot = ?, overlap_us = 0 WHERE credential_id = ? AND slot = ?", models.SlotCurrent, c.ID, models.SlotPrevious); err != nil {
		return fmt.Errorf("return to the previous secrets: %w", err)
	}
	if err := tx.QueryRow("SELECT COALESCE(MIN(set_us), 0) FROM credential_secrets WHERE credential_id = ? AND slot = ?", c.ID, models.SlotCurrent).Scan(&c.IssuedAt); err != nil {
		return fmt.Errorf("read the age of the previous secrets: %w", err)
	}
	c.RotateBy = c.IssuedAt.Add(time.Duration(c.RotateDays) * 24 * time.Hour)
	return tx.swapped(c)
}

func (tx *Tx) swapped(c *models.Credential) (err error) {
	c.Version++
	c.TestedAt, c.Tested, c.TestNote = 0, "", ""
	c.Secrets, err = tx.secretsKept(c.ID)
	return err
}

// RewrapSecrets puts the data key of every provider secret under the vault's current key, for `vault rotate`, while the program runs. A row
// that was replaced meanwhile is left alone: it was sealed with the current key. It tells how many rows it changed.
func (s *Store) RewrapSecrets(ctx context.Context, v *vault.Vault) (changed int, err error) {
	for after := ""; ; {
		var page []sealedRow
		if err := s.View(ctx, func(q *Tx) error {
			page = nil
			return q.Each(func(r *sql.Rows) error {
				var x sealedRow
				err := r.Scan(&x.id, &x.credential, &x.field, &x.sealed)
				page = append(page, x)
				return err
			}, "SELECT id, credential_id, field, sealed FROM credential_secrets WHERE id > ? ORDER BY id LIMIT 200", after)
		}); err != nil || len(page) == 0 {
			return changed, err
		}
		for _, x := range page {
			after = x.id
			done, err := s.rewrapSecret(ctx, v, x)
			if err != nil {
				return changed, err
			}
			if done {
				changed++
			}
		}
	}
}

type sealedRow struct {
	id, credential, field string
	sealed                []byte
}

func (s *Store) rewrapSecret(ctx context.Context, v *vault.Vault, x sealedRow) (done bool, err error) {
	fresh, changed, err := v.Rewrap(ctx, x.sealed, SecretPlace(x.credential, x.field))
	if err != nil || !changed {
		return false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		n, err := tx.Change("UPDATE credential_secrets SET sealed = ? WHERE id = ? AND sealed = ?", fresh, x.id, x.sealed)
		done = n > 0
		return err
	})
	return done, err
}
