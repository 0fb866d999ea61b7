package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"countinghouse/models"
)

// changeLife is how long a change waits for a second admin.
const changeLife = 72 * time.Hour

// proposed is a change of people or address rules before it is applied or asked for.
type proposed struct {
	kind, subject, sentence string
	before, after           any // for the audit trail
	payload                 any
}

type rolesPayload struct {
	Roles []models.Role `json:"roles"`
}

func roleChange(row userRow, old, want []models.Role) proposed {
	return proposed{kind: "user.roles", subject: row.ID, payload: rolesPayload{want},
		before: map[string]any{"roles": old}, after: map[string]any{"roles": want},
		sentence: fmt.Sprintf("Make %s %s (now: %s).", row.Name, models.RoleText(want), models.RoleText(old))}
}

// askOrApply applies a change when no other admin could agree to it, and otherwise writes it down for one. pending tells which.
func (tx *Tx) askOrApply(actor models.Actor, p proposed) (pending bool, err error) {
	raw, err := json.Marshal(p.payload)
	if err != nil {
		return false, err
	}
	others, err := tx.otherAdmins(actor.UserID)
	if err != nil {
		return false, err
	}
	if others == 0 {
		return false, tx.applyChange(actor, p.kind, p.subject, raw, p.sentence+" Nobody else could agree: there is no other admin.", p.before, p.after)
	}
	// A newer wish for the same thing replaces the older one.
	if err := tx.Exec("UPDATE changes SET state = 'withdrawn', decided_us = ?, reason = 'replaced by a newer one' WHERE kind = ? AND subject = ? AND state = 'pending'",
		tx.Now, p.kind, p.subject); err != nil {
		return false, err
	}
	id := models.NewID()
	if err := tx.Exec(`INSERT INTO changes (id, kind, subject, sentence, payload, digest, state, asked_us, asked_by, expires_us, decided_us, decided_by, reason)
		VALUES (?,?,?,?,?,?,'pending',?,?,?,0,'','')`, id, p.kind, p.subject, p.sentence, string(raw), changeDigest(p.kind, p.subject, string(raw)),
		tx.Now, actor.UserID, tx.Now.Add(changeLife)); err != nil {
		return false, err
	}
	return true, tx.Audit(actor, "change.ask", "change", id, p.before, p.after, "Asked for: "+p.sentence)
}

func changeDigest(kind, subject, payload string) string {
	return tokenHash(kind + "\n" + subject + "\n" + payload)
}

// applyChange does what was asked.
func (tx *Tx) applyChange(actor models.Actor, kind, subject string, payload []byte, sentence string, before, after any) error {
	var err error
	switch kind {
	case "user.roles":
		err = tx.applyRoles(subject, payload)
	case "ip_rule.add":
		err = tx.applyIPRule(actor, subject, payload)
	case "ip_rule.remove":
		err = tx.applyIPRuleRemoval(actor, subject, payload)
	case subAccountResend:
		err = tx.applyResend(actor, subject, payload)
	default:
		var handled bool
		if handled, err = tx.applyDestinationChange(actor, kind, subject, payload); !handled {
			err = fmt.Errorf("a change of unknown kind %q", kind)
		}
	}
	if err != nil {
		return err
	}
	noun, _, _ := cutKind(kind)
	return tx.Audit(actor, kind, noun, subject, before, after, sentence)
}

func cutKind(kind string) (noun, verb string, ok bool) {
	for i := range len(kind) {
		if kind[i] == '.' {
			return kind[:i], kind[i+1:], true
		}
	}
	return kind, "", false
}

func (tx *Tx) applyRoles(userID string, payload []byte) error {
	var p rolesPayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("a change of roles: %w", err)
	}
	if err := models.CheckRoles(p.Roles); err != nil {
		return err
	}
	row, err := tx.user(userID)
	if err != nil {
		return err
	}
	old, err := tx.roles(userID)
	if err != nil {
		return err
	}
	if slices.Contains(old, models.Admin) && !slices.Contains(p.Roles, models.Admin) && row.State == string(models.Active) {
		if err := tx.lastAdmin(userID, "given another role"); err != nil {
			return err
		}
	}
	if err := tx.setRoles(userID, p.Roles); err != nil {
		return err
	}
	// Signed in under the old roles, they would go on with whatever page is open: they come in again under the new ones.
	return tx.endSessions(userID, "", "roles changed")
}

// PendingChanges lists what waits for a second admin, newest first.
func (s *Store) PendingChanges(ctx context.Context, actor models.Actor) (list []models.Change, err error) {
	if !actor.Can(models.PeopleRead) && !actor.Can(models.ChangesApprove) {
		return nil, actor.Require(models.ChangesApprove)
	}
	err = s.View(ctx, func(q *Tx) error {
		return q.Each(func(r *sql.Rows) error {
			var c models.Change
			err := r.Scan(&c.ID, &c.Kind, &c.Subject, &c.Sentence, &c.Payload, &c.State, &c.Asked, &c.AskedBy, &c.AskedName, &c.Expires)
			list = append(list, c)
			return err
		}, `SELECT c.id, c.kind, c.subject, c.sentence, c.payload, c.state, c.asked_us, c.asked_by, COALESCE(u.name, 'the command line'), c.expires_us
			FROM changes c LEFT JOIN users u ON u.id = c.asked_by WHERE c.state = 'pending' AND c.expires_us > ? ORDER BY c.asked_us DESC LIMIT 200`, q.Now)
	})
	return list, err
}

// ApproveChange lets a second admin agree; the change takes effect in the same transaction.
func (s *Store) ApproveChange(ctx context.Context, actor models.Actor, id string) (models.Change, error) {
	return s.decideChange(ctx, actor, id, true, "")
}

// RejectChange refuses a change with a reason; whoever asked may withdraw it in the same way.
func (s *Store) RejectChange(ctx context.Context, actor models.Actor, id, reason string) (models.Change, error) {
	return s.decideChange(ctx, actor, id, false, reason)
}

func (s *Store) decideChange(ctx context.Context, actor models.Actor, id string, agree bool, reason string) (c models.Change, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := actor.Require(models.ChangesApprove); err != nil {
			return err
		}
		if err := actor.RequireStepUp(tx.Now); err != nil {
			return err
		}
		var digest string
		err := tx.QueryRow("SELECT id, kind, subject, sentence, payload, digest, state, asked_by, expires_us FROM changes WHERE id = ?"+tx.ForUpdate(), id).
			Scan(&c.ID, &c.Kind, &c.Subject, &c.Sentence, &c.Payload, &digest, &c.State, &c.AskedBy, &c.Expires)
		switch {
		case IsNoRow(err):
			return models.Errorf(models.NotFound, "There is no such change.")
		case err != nil:
			return err
		case c.State != "pending" || c.Expires <= tx.Now:
			return models.Errorf(models.Conflict, "This change does not wait any more: it was decided, withdrawn, or is older than three days.")
		case agree && c.AskedBy == actor.UserID:
			return models.Errorf(models.Forbidden, "You asked for this change yourself; another admin must agree to it.")
		case agree && c.Subject == actor.UserID:
			return models.Errorf(models.Forbidden, "This change is about yourself; another admin must agree to it.")
		case digest != changeDigest(c.Kind, c.Subject, c.Payload):
			return models.Errorf(models.Conflict, "This change is not the one that was asked for. Nothing was changed; look at the audit trail.")
		case !agree && c.AskedBy != actor.UserID && len([]rune(reason)) < 3:
			return models.FieldErrorf("reason", "Write why, so that whoever asked can read it.")
		}
		state := "rejected"
		if agree {
			state = "applied"
		} else if c.AskedBy == actor.UserID {
			state = "withdrawn"
		}
		if err := tx.Exec("UPDATE changes SET state = ?, decided_us = ?, decided_by = ?, reason = ? WHERE id = ?", state, tx.Now, actor.UserID, cut(clean(reason), 500), id); err != nil {
			return err
		}
		if agree {
			return tx.applyChange(actor, c.Kind, c.Subject, []byte(c.Payload), "Agreed: "+c.Sentence, nil, json.RawMessage(c.Payload))
		}
		return tx.Audit(actor, "change.reject", "change", id, nil, map[string]any{"reason": reason}, "Rejected: "+c.Sentence)
	})
	return c, err
}
