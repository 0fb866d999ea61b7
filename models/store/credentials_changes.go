package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	"countinghouse/models"
)

// AskChange asks for a change of a credential. In the sandbox it is done at once, but for another operation table; in live it waits until a
// second admin agrees. applied tells which. version is the one that the person saw: a credential changed meanwhile gives a conflict. Permission credentials.manage and a fresh
// second factor.
func (s *Store) AskChange(ctx context.Context, actor models.Actor, ch models.CredentialChange, version int64) (applied bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		applied = false
		if err := mayChangeKeys(actor, tx.Now, models.CredentialsManage); err != nil {
			return err
		}
		c, err := tx.lockCredential(ch.CredentialID)
		if err != nil {
			return err
		}
		if c.Version != version {
			return models.Errorf(models.Conflict, "Somebody changed this credential meanwhile. Look at it again before you change it.")
		}
		if err := changeable(c, ch); err != nil {
			return err
		}
		if !ch.Kind.NeedsSecond(c.Environment) {
			applied = true
			return tx.applyKeysChange(actor, c, ch)
		}
		if c.Change != nil {
			return models.Errorf(models.Conflict, "A change of this credential already waits for a second admin. Decide or withdraw it first.")
		}
		ch.ID, ch.Digest, ch.State = models.NewID(), keysChangeDigest(c, ch), models.ChangeWaiting
		if err := tx.Exec(`INSERT INTO credential_changes (`+changeColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,0,'','','')`, ch.ID, c.ID, ch.Kind, jsonText(ch.Values),
			jsonText(ch.Settings), ch.Digest, clean(ch.Reason), ch.State, tx.Now, actor.UserID, actor.Name); err != nil {
			return fmt.Errorf("insert the change: %w", err)
		}
		return tx.Audit(actor, "credential.ask", "credential", c.ID, forAudit(c), forAudit(changed(c, ch)), fmt.Sprintf("Asked for a second admin: %s (%s).", ch.Kind.Word(), c.Name))
	})
	return applied, err
}

// changeable checks that the credential is in a state in which the change makes sense.
func changeable(c models.Credential, ch models.CredentialChange) error {
	want := func(ok bool, sentence string) error {
		if ok {
			return nil
		}
		return models.Errorf(models.Conflict, "%s", sentence)
	}
	if c.State == models.CredentialRevoked {
		return models.Errorf(models.Conflict, "This credential is revoked. Add a new one instead.")
	}
	switch ch.Kind {
	case models.ChangeActivate:
		if err := want(c.State == models.CredentialDraft, "Only a draft can be brought into use."); err != nil {
			return err
		}
		return want(c.Environment == models.Sandbox || testPassed(c.Tested), "Test the credential first: in live, only keys that the provider accepts come into use.")
	case models.ChangeResume:
		return want(c.State == models.CredentialSuspended, "Only a suspended credential can be used again.")
	case models.ChangePromote:
		return want(c.NextPassed(), "The new secrets have not passed the provider's reading calls yet. Test them first.")
	case models.ChangeBack:
		return want(c.Has(models.SlotPrevious), "There are no previous secrets to return to.")
	case models.ChangeEdit:
		if err := want(c.Settings[models.OperationTable] == ch.Settings[models.OperationTable], "The operation table is changed on its own page."); err != nil {
			return err
		}
		return want(!maps.Equal(c.Values, ch.Values) || !maps.Equal(c.Settings, ch.Settings), "Nothing was changed.")
	case models.ChangeTable:
		if err := want(maps.Equal(c.Values, ch.Values) && maps.Equal(without(c.Settings, models.OperationTable), without(ch.Settings, models.OperationTable)),
			"With the operation table nothing else is changed."); err != nil {
			return err
		}
		return want(c.Settings[models.OperationTable] != ch.Settings[models.OperationTable], "This is the table that is in force already.")
	}
	return models.Errorf(models.Invalid, "There is no such change.")
}

func without(m map[string]string, key string) map[string]string {
	out := maps.Clone(m)
	delete(out, key)
	return out
}

// testPassed reports whether a test showed nothing that would keep the keys from working. The words are those of providers.CheckVerdict.
func testPassed(verdict string) bool {
	return verdict == "ok" || verdict == "skipped" || verdict == "not_enabled"
}

// TestPassed reports whether a verdict of a test lets keys come into use.
func TestPassed(verdict string) bool { return testPassed(verdict) }

// changed gives the credential as the change would make it, for the audit trail and the second admin's page.
func changed(c models.Credential, ch models.CredentialChange) models.Credential {
	switch ch.Kind {
	case models.ChangeEdit, models.ChangeTable:
		c.Values, c.Settings = ch.Values, ch.Settings
	case models.ChangeActivate, models.ChangeResume:
		c.State = models.CredentialActive
	}
	return c
}

// keysChangeDigest binds a decision to what was asked: anything that differs when the second admin decides makes it void.
func keysChangeDigest(c models.Credential, ch models.CredentialChange) string {
	type place struct{ Slot, Field, ID, Fingerprint string }
	var places []place
	for _, k := range c.Secrets {
		places = append(places, place{string(k.Slot), k.Field, k.ID, k.Fingerprint})
	}
	b, err := json.Marshal([]any{c.ID, c.Version, c.Basis(), c.State, ch.Kind, models.Basis(ch.Values, ch.Settings), places})
	if err != nil {
		panic(err) // strings and integers: cannot happen
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// DecideChange lets a second admin agree or refuse. The one who asked never decides, and a change whose ground has moved becomes void
// instead of being done. Permission changes.approve and a fresh second factor.
func (s *Store) DecideChange(ctx context.Context, actor models.Actor, changeID string, agree bool, note string) (state models.ChangeState, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := mayChangeKeys(actor, tx.Now, models.ChangesApprove); err != nil {
			return err
		}
		ch, c, err := tx.lockChange(changeID)
		if err != nil {
			return err
		}
		if ch.AskedBy == actor.UserID || actor.UserID == "" {
			return models.Errorf(models.Forbidden, "You asked for this change yourself. Another admin must decide.")
		}
		if !agree && note == "" {
			return models.FieldErrorf("note", "Say why, so that %s knows.", ch.AskedName)
		}
		state = models.ChangeRejected
		switch {
		case agree && keysChangeDigest(c, ch) != ch.Digest:
			state, note = models.ChangeVoid, "The credential is no longer what it was when this was asked for."
		case agree:
			state = models.ChangeApproved
		}
		if err := tx.endChange(ch.ID, state, actor, note); err != nil {
			return err
		}
		if state == models.ChangeApproved {
			if err := changeable(c, ch); err != nil {
				return err
			}
			return tx.applyKeysChange(actor, c, ch)
		}
		return tx.Audit(actor, "credential."+string(state), "credential", c.ID, nil, map[string]any{"change": ch.ID, "kind": ch.Kind, "note": note},
			fmt.Sprintf("Did not let it happen: %s (%s). %s", ch.Kind.Word(), c.Name, note))
	})
	return state, err
}

// WithdrawChange takes a waiting change back. Only the one who asked may.
func (s *Store) WithdrawChange(ctx context.Context, actor models.Actor, changeID string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := mayChangeKeys(actor, tx.Now, models.CredentialsManage); err != nil {
			return err
		}
		ch, c, err := tx.lockChange(changeID)
		if err != nil {
			return err
		}
		if ch.AskedBy != actor.UserID {
			return models.Errorf(models.Forbidden, "Only %s, who asked for it, can withdraw it.", ch.AskedName)
		}
		if err := tx.endChange(ch.ID, models.ChangeWithdrawn, actor, ""); err != nil {
			return err
		}
		return tx.Audit(actor, "credential.withdraw", "credential", c.ID, nil, map[string]any{"change": ch.ID, "kind": ch.Kind}, fmt.Sprintf("Withdrew: %s (%s).", ch.Kind.Word(), c.Name))
	})
}

func (tx *Tx) lockChange(id string) (ch models.CredentialChange, c models.Credential, err error) {
	ch, err = scanChange(tx.QueryRow("SELECT "+changeColumns+" FROM credential_changes WHERE id = ?"+tx.ForUpdate(), id))
	if IsNoRow(err) {
		return ch, c, models.Errorf(models.NotFound, "There is no such change.")
	}
	if err != nil {
		return ch, c, fmt.Errorf("read the change: %w", err)
	}
	if ch.State != models.ChangeWaiting {
		return ch, c, models.Errorf(models.Conflict, "This change has been decided already: it was %s.", ch.State)
	}
	c, err = tx.lockCredential(ch.CredentialID)
	return ch, c, err
}

// applyKeysChange does what was asked for and writes the audit entry.
func (tx *Tx) applyKeysChange(actor models.Actor, c models.Credential, ch models.CredentialChange) error {
	before := forAudit(c)
	var err error
	switch ch.Kind {
	case models.ChangeActivate, models.ChangeResume:
		c.State = models.CredentialActive
	case models.ChangeEdit, models.ChangeTable:
		c.Values, c.Settings = ch.Values, ch.Settings
		c.Version++
		c.TestedAt, c.Tested, c.TestNote = 0, "", ""
		err = tx.Exec("UPDATE credential_secrets SET tested_us = 0 WHERE credential_id = ? AND slot = ?", c.ID, models.SlotNext)
	case models.ChangePromote:
		err = tx.promote(&c)
	case models.ChangeBack:
		err = tx.back(&c)
	}
	if err != nil {
		return err
	}
	if err := tx.putCredential(c); err != nil {
		return err
	}
	return tx.Audit(actor, "credential."+string(ch.Kind), "credential", c.ID, before, forAudit(c), fmt.Sprintf("%s (%s).", ch.Kind.Word(), c.Name))
}

func (tx *Tx) endChange(id string, state models.ChangeState, actor models.Actor, note string) error {
	if err := tx.Exec("UPDATE credential_changes SET state = ?, decided_us = ?, decided_by = ?, decided_name = ?, note = ? WHERE id = ?", state, tx.Now,
		actor.UserID, actor.Name, clean(note), id); err != nil {
		return fmt.Errorf("end the change: %w", err)
	}
	return nil
}

// voidChanges ends whatever waits for a credential.
func (tx *Tx) voidChanges(credentialID, note string) error {
	return tx.Exec("UPDATE credential_changes SET state = ?, decided_us = ?, note = ? WHERE credential_id = ? AND state = ?", models.ChangeVoid, tx.Now, note,
		credentialID, models.ChangeWaiting)
}

func (tx *Tx) voidKind(credentialID string, kind models.ChangeKind, note string) error {
	return tx.Exec("UPDATE credential_changes SET state = ?, decided_us = ?, note = ? WHERE credential_id = ? AND state = ? AND kind = ?", models.ChangeVoid, tx.Now,
		note, credentialID, models.ChangeWaiting, kind)
}

// WaitingChanges lists the changes of an environment's credentials that wait for a second admin, oldest first. Permission credentials.read.
func (s *Store) WaitingChanges(ctx context.Context, actor models.Actor, env models.Environment) ([]models.CredentialChange, error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	return s.changesWhere(ctx, "state = ? AND credential_id IN (SELECT id FROM credentials WHERE environment = ?) ORDER BY id", models.ChangeWaiting, env)
}

// CredentialChange reads one change. Permission credentials.read.
func (s *Store) CredentialChange(ctx context.Context, actor models.Actor, id string) (ch models.CredentialChange, err error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return ch, err
	}
	list, err := s.changesWhere(ctx, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = models.Errorf(models.NotFound, "There is no such change.")
	}
	if err != nil {
		return ch, err
	}
	return list[0], nil
}

// ChangesOf lists a credential's changes, newest first, at most 50. Permission credentials.read.
func (s *Store) ChangesOf(ctx context.Context, actor models.Actor, credentialID string) ([]models.CredentialChange, error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	return s.changesWhere(ctx, "credential_id = ? ORDER BY id DESC LIMIT 50", credentialID)
}

// TableVersions lists the operation tables that came into force with a credential, newest first, at most 100. The one that every credential of
// the provider begins with is not among them. Permission credentials.read.
func (s *Store) TableVersions(ctx context.Context, actor models.Actor, credentialID string) ([]models.CredentialChange, error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	return s.changesWhere(ctx, "credential_id = ? AND kind = ? AND state = ? ORDER BY id DESC LIMIT 100", credentialID, models.ChangeTable, models.ChangeApproved)
}

func (s *Store) changesWhere(ctx context.Context, where string, args ...any) (list []models.CredentialChange, err error) {
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		return q.Each(func(r *sql.Rows) error {
			ch, err := scanChange(r)
			list = append(list, ch)
			return err
		}, "SELECT "+changeColumns+" FROM credential_changes WHERE "+where, args...)
	})
	return list, err
}

func (tx *Tx) waitingChange(credentialID string) (*models.CredentialChange, error) {
	ch, err := scanChange(tx.QueryRow("SELECT "+changeColumns+" FROM credential_changes WHERE credential_id = ? AND state = ?", credentialID, models.ChangeWaiting))
	if IsNoRow(err) {
		return nil, nil //nolint:nilnil // no change waits: the field stays nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the waiting change: %w", err)
	}
	return &ch, nil
}

const changeColumns = `id, credential_id, kind, values_json, settings_json, digest, reason, state, asked_us, asked_by, asked_name,
	decided_us, decided_by, decided_name, note`

func scanChange(r interface{ Scan(...any) error }) (ch models.CredentialChange, err error) {
	var values, settings string
	if err := r.Scan(&ch.ID, &ch.CredentialID, &ch.Kind, &values, &settings, &ch.Digest, &ch.Reason, &ch.State, &ch.AskedAt, &ch.AskedBy, &ch.AskedName,
		&ch.DecidedAt, &ch.DecidedBy, &ch.DecidedName, &ch.Note); err != nil {
		return ch, err
	}
	if ch.Values, err = textMap(values); err == nil {
		ch.Settings, err = textMap(settings)
	}
	return ch, err
}
