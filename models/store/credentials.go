package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"countinghouse/models"
	"countinghouse/models/vault"
)

// KeySealer is the half of the vault that puts secrets in. The store and the pages hold only this half; opening is left to the tasks.
type KeySealer interface {
	Seal(ctx context.Context, plaintext []byte, aad vault.AAD) ([]byte, error)
	Fingerprint(plaintext []byte) (string, error)
}

// SecretPlace is where a provider secret is sealed for. The slot is not part of it: secrets move between the slots of their credential.
func SecretPlace(credentialID, field string) vault.AAD {
	return vault.AAD{Table: "credential_secrets", Row: credentialID, Field: field}
}

// mayChangeKeys checks the permission and the fresh second factor that every change of a credential needs.
func mayChangeKeys(actor models.Actor, now models.Micros, p models.Permission) error {
	if err := actor.Require(p); err != nil {
		return err
	}
	return actor.RequireStepUp(now)
}

// CreateCredential writes a credential down as a draft with its secrets sealed in the slot current. The same provider and environment cannot
// have two of one name. Permission credentials.manage and a fresh second factor.
func (s *Store) CreateCredential(ctx context.Context, actor models.Actor, seal KeySealer, spec models.CredentialSpec) (models.Credential, error) {
	var c models.Credential
	err := s.Update(ctx, func(tx *Tx) error {
		if err := mayChangeKeys(actor, tx.Now, models.CredentialsManage); err != nil {
			return err
		}
		if err := spec.Check(); err != nil {
			return err
		}
		if !spec.Environment.Valid() || spec.Provider == "" {
			return models.Errorf(models.Invalid, "Choose a provider and an environment.")
		}
		if spec.Settings[models.OperationTable] != "" {
			return models.Errorf(models.Invalid, "A credential begins with the provider's own operation table. Change it afterwards: a second admin agrees to that.")
		}
		c = newCredential(spec, actor, tx.Now)
		n, err := tx.Change(`INSERT INTO credentials (`+credentialColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (environment, provider, name) DO NOTHING`, c.ID, c.Provider, c.Environment, c.Name, c.SubAccount, c.Note, c.EgressNote,
			jsonText(c.Values), jsonText(c.Settings), c.State, c.Version, c.IssuedAt, c.RotateBy, c.RotateDays, 0, "", "", 0, c.CreatedAt, c.CreatedBy, c.UpdatedAt)
		if err != nil {
			return fmt.Errorf("insert the credential: %w", err)
		}
		if n == 0 {
			return models.FieldErrorf("name", "There is a %s credential with this name already.", c.Environment)
		}
		if err := tx.Exec("INSERT INTO credential_use (credential_id, used_us, ok_us, error_us, error_text, webhook_us) VALUES (?,0,0,0,'',0)", c.ID); err != nil {
			return fmt.Errorf("insert the credential's use: %w", err)
		}
		if c.Secrets, err = tx.fill(c.ID, models.SlotCurrent, seal, spec.Secrets, actor); err != nil {
			return err
		}
		return tx.Audit(actor, "credential.create", "credential", c.ID, nil, forAudit(c), fmt.Sprintf("Wrote down the %s credential %s at %s.", c.Environment, c.Name, c.Provider))
	})
	return c, err
}

func newCredential(spec models.CredentialSpec, actor models.Actor, now models.Micros) models.Credential {
	c := models.Credential{ID: models.NewID(), Provider: spec.Provider, Environment: spec.Environment, Name: spec.Name, SubAccount: spec.SubAccount,
		Note: spec.Note, EgressNote: spec.EgressNote, Values: spec.Values, Settings: spec.Settings, State: models.CredentialDraft, Version: 1,
		IssuedAt: spec.IssuedAt, RotateDays: spec.RotateDays, CreatedAt: now, CreatedBy: actor.Name, UpdatedAt: now}
	if c.RotateDays <= 0 {
		c.RotateDays = models.DefaultRotateDays
	}
	if c.IssuedAt == 0 {
		c.IssuedAt = now
	}
	c.RotateBy = c.IssuedAt.Add(time.Duration(c.RotateDays) * 24 * time.Hour)
	return c
}

// forAudit is what the audit trail keeps of a credential: everything that may be shown.
func forAudit(c models.Credential) map[string]any {
	kept := map[string]string{}
	for _, k := range c.Secrets {
		kept[string(k.Slot)+" "+k.Field+" fingerprint"] = k.Fingerprint
	}
	return map[string]any{"name": c.Name, "provider": c.Provider, "environment": c.Environment, "state": c.State, "version": c.Version,
		"values": c.Values, "settings": c.Settings, "sub_account": c.SubAccount, "note": c.Note, "egress": c.EgressNote, "rotate_by_us": c.RotateBy, "kept": kept}
}

// NoteCredential changes the words around a credential. They decide nothing, so the version stays.
func (s *Store) NoteCredential(ctx context.Context, actor models.Actor, id string, n models.CredentialNotes) error {
	return s.changeCredential(ctx, actor, id, "credential.note", func(tx *Tx, c *models.Credential) (string, error) {
		if err := n.Check(); err != nil {
			return "", err
		}
		c.Name, c.SubAccount, c.Note, c.EgressNote = n.Name, n.SubAccount, n.Note, n.EgressNote
		return "Changed the words around the credential " + c.Name + ".", nil
	})
}

// SuspendCredential stops everything new at once; one admin is enough, because it only makes things safer.
func (s *Store) SuspendCredential(ctx context.Context, actor models.Actor, id, reason string) error {
	return s.changeCredential(ctx, actor, id, "credential.suspend", func(_ *Tx, c *models.Credential) (string, error) {
		if c.State != models.CredentialActive {
			return "", models.Errorf(models.Conflict, "Only an active credential can be suspended; this one is %s.", c.State)
		}
		c.State = models.CredentialSuspended
		return fmt.Sprintf("Suspended the credential %s: %s", c.Name, orNone(reason)), nil
	})
}

// RevokeCredential destroys all secrets of a credential for good. A change that waits for it becomes void.
func (s *Store) RevokeCredential(ctx context.Context, actor models.Actor, id, reason string) error {
	return s.changeCredential(ctx, actor, id, "credential.revoke", func(tx *Tx, c *models.Credential) (string, error) {
		if reason == "" {
			return "", models.FieldErrorf("reason", "Say why; it stays in the audit trail.")
		}
		c.State, c.Secrets, c.Change = models.CredentialRevoked, nil, nil
		c.Version++
		if err := tx.Exec("DELETE FROM credential_secrets WHERE credential_id = ?", c.ID); err != nil {
			return "", fmt.Errorf("destroy the secrets: %w", err)
		}
		return fmt.Sprintf("Revoked the credential %s and destroyed its secrets: %s", c.Name, reason), tx.voidChanges(c.ID, "The credential was revoked.")
	})
}

func orNone(reason string) string {
	if reason == "" {
		return "no reason given."
	}
	return reason
}

// changeCredential is the frame of every change by one admin: permission, lock, change, row, audit.
func (s *Store) changeCredential(ctx context.Context, actor models.Actor, id, action string, f func(*Tx, *models.Credential) (string, error)) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := mayChangeKeys(actor, tx.Now, models.CredentialsManage); err != nil {
			return err
		}
		c, err := tx.lockCredential(id)
		if err != nil {
			return err
		}
		if c.State == models.CredentialRevoked {
			return models.Errorf(models.Conflict, "This credential is revoked. Add a new one instead.")
		}
		before := forAudit(c)
		sentence, err := f(tx, &c)
		if err != nil {
			return err
		}
		if err := tx.putCredential(c); err != nil {
			return err
		}
		return tx.Audit(actor, action, "credential", c.ID, before, forAudit(c), sentence)
	})
}

// CredentialChanges counts the changes of credentials and of what is known about their contracts that this process has committed. Who keeps
// something opened compares it with an earlier answer.
func (s *Store) CredentialChanges() int64 { return s.keys.Load() }

// keysChanged makes the commit of this transaction count in CredentialChanges.
func (tx *Tx) keysChanged() { tx.AfterCommit(func() { tx.Store.keys.Add(1) }) }

// putCredential writes the row back. GORM translates a name that is taken into one error on both engines.
func (tx *Tx) putCredential(c models.Credential) error {
	tx.keysChanged()
	row := map[string]any{"name": c.Name, "sub_account": c.SubAccount, "note": c.Note, "egress_note": c.EgressNote, "values_json": jsonText(c.Values),
		"settings_json": jsonText(c.Settings), "state": string(c.State), "version": c.Version, "issued_us": int64(c.IssuedAt),
		"rotate_by_us": int64(c.RotateBy), "rotate_days": c.RotateDays, "tested_us": int64(c.TestedAt), "tested": c.Tested, "test_note": c.TestNote, "skew_secs": c.SkewSecs,
		"updated_us": int64(tx.Now)}
	err := tx.DB.Table("credentials").Where("id = ?", c.ID).Updates(row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return models.FieldErrorf("name", "There is a %s credential with this name already.", c.Environment)
	}
	if err != nil {
		return fmt.Errorf("write the credential: %w", err)
	}
	return nil
}

// Credential reads one credential with what is kept of its secrets and the change that waits. Permission credentials.read.
func (s *Store) Credential(ctx context.Context, actor models.Actor, id string) (c models.Credential, err error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return c, err
	}
	err = s.View(ctx, func(q *Tx) error {
		c, err = q.credential(id, "")
		return err
	})
	return c, err
}

// Credentials lists an environment's credentials by provider and name, revoked ones last. Permission credentials.read.
func (s *Store) Credentials(ctx context.Context, actor models.Actor, env models.Environment) ([]models.Credential, error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	return s.credentialsWhere(ctx, "c.environment = ? ORDER BY c.state = 'revoked', c.provider, c.name", env)
}

// WorkingCredentials lists the credentials of both environments whose provider can be asked: active and suspended. For tasks.
func (s *Store) WorkingCredentials(ctx context.Context) ([]models.Credential, error) {
	return s.credentialsWhere(ctx, "c.state IN ('active', 'suspended') ORDER BY c.id")
}

// CredentialForTask reads one credential without asking who wants to know. For tasks.
func (s *Store) CredentialForTask(ctx context.Context, id string) (c models.Credential, err error) {
	err = s.View(ctx, func(q *Tx) error {
		c, err = q.credential(id, "")
		return err
	})
	return c, err
}

// CredentialNetworks gives the address rules of one credential: where its webhooks may come from, and which of our addresses its provider was
// told. Permission credentials.read.
func (s *Store) CredentialNetworks(ctx context.Context, actor models.Actor, id string) (webhook, egress []models.IPRule, err error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, nil, err
	}
	return s.NetworksForTask(ctx, id)
}

// NetworksForTask is CredentialNetworks without asking who wants to know.
func (s *Store) NetworksForTask(ctx context.Context, id string) (webhook, egress []models.IPRule, err error) {
	err = s.View(ctx, func(q *Tx) error {
		other := func(r models.IPRule) bool { return r.CredentialID != id }
		if webhook, err = q.ipRules(models.ScopeWebhook); err != nil {
			return err
		}
		webhook = slices.DeleteFunc(webhook, other)
		egress, err = q.ipRules(models.ScopeEgress)
		egress = slices.DeleteFunc(egress, other)
		return err
	})
	return webhook, egress, err
}

func (s *Store) credentialsWhere(ctx context.Context, where string, args ...any) (list []models.Credential, err error) {
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		if err := q.Each(func(r *sql.Rows) error {
			c, err := scanCredential(r)
			list = append(list, c)
			return err
		}, credentialSelect+" WHERE "+where, args...); err != nil {
			return err
		}
		for i := range list {
			if err := q.fillCredential(&list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

func (tx *Tx) lockCredential(id string) (models.Credential, error) {
	if tx.Store.Engine == Postgres {
		return tx.credential(id, " FOR UPDATE OF c")
	}
	return tx.credential(id, "")
}

func (tx *Tx) credential(id, lock string) (models.Credential, error) {
	c, err := scanCredential(tx.QueryRow(credentialSelect+" WHERE c.id = ?"+lock, id))
	if IsNoRow(err) {
		return c, models.Errorf(models.NotFound, "There is no such credential.")
	}
	if err != nil {
		return c, fmt.Errorf("read the credential: %w", err)
	}
	return c, tx.fillCredential(&c)
}

func (tx *Tx) fillCredential(c *models.Credential) (err error) {
	if c.Secrets, err = tx.secretsKept(c.ID); err != nil {
		return err
	}
	c.Change, err = tx.waitingChange(c.ID)
	return err
}

const credentialColumns = `id, provider, environment, name, sub_account, note, egress_note, values_json, settings_json, state, version,
	issued_us, rotate_by_us, rotate_days, tested_us, tested, test_note, skew_secs, created_us, created_by, updated_us`

const credentialSelect = `SELECT c.id, c.provider, c.environment, c.name, c.sub_account, c.note, c.egress_note, c.values_json, c.settings_json, c.state, c.version,
	c.issued_us, c.rotate_by_us, c.rotate_days, c.tested_us, c.tested, c.test_note, c.skew_secs, c.created_us, c.created_by, c.updated_us,
	u.used_us, u.ok_us, u.error_us, u.error_text, u.webhook_us FROM credentials c JOIN credential_use u ON u.credential_id = c.id`

func scanCredential(r interface{ Scan(...any) error }) (c models.Credential, err error) {
	var values, settings string
	if err := r.Scan(&c.ID, &c.Provider, &c.Environment, &c.Name, &c.SubAccount, &c.Note, &c.EgressNote, &values, &settings, &c.State, &c.Version,
		&c.IssuedAt, &c.RotateBy, &c.RotateDays, &c.TestedAt, &c.Tested, &c.TestNote, &c.SkewSecs, &c.CreatedAt, &c.CreatedBy, &c.UpdatedAt,
		&c.Use.UsedAt, &c.Use.OKAt, &c.Use.ErrorAt, &c.Use.Error, &c.Use.WebhookAt); err != nil {
		return c, err
	}
	if c.Values, err = textMap(values); err == nil {
		c.Settings, err = textMap(settings)
	}
	return c, err
}

func jsonText(m map[string]string) string {
	if m == nil {
		return "{}"
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // maps of strings: cannot happen
	}
	return clean(string(b))
}

func textMap(s string) (map[string]string, error) {
	m := map[string]string{}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, fmt.Errorf("read stored JSON: %w", err)
	}
	return m, nil
}
