package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"countinghouse/models"
)

const policyColumns = `id, position, name, environment, kind, provider, asset, min_minor, max_minor, day_person, day_party, new_party, approvers, role,
	ttl_seconds, version`

func (tx *Tx) policies() ([]models.Policy, error) {
	var out []models.Policy
	err := tx.Each(func(r *sql.Rows) error {
		var p models.Policy
		var ttl, fresh int64
		err := r.Scan(&p.ID, &p.Position, &p.Name, &p.Environment, &p.Kind, &p.Provider, &p.Asset, &p.MinMinor, &p.MaxMinor, &p.DayPerson,
			&p.DayParty, &fresh, &p.Approvers, &p.Role, &ttl, &p.Version)
		p.TTL, p.NewParty = time.Duration(ttl)*time.Second, fresh != 0
		out = append(out, p)
		return err
	}, "SELECT "+policyColumns+" FROM policies ORDER BY position, id")
	return out, err
}

// Policies lists the rules in their order. Everybody who reads transactions may see them.
func (s *Store) Policies(ctx context.Context, a models.Actor) (out []models.Policy, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error { out, err = tx.policies(); return err })
	return out, err
}

// policyFor decides which rule holds for a transaction that is being submitted.
func (tx *Tx) policyFor(t *models.Transaction) (models.Policy, error) {
	ps, err := tx.policies()
	if err != nil {
		return models.Policy{}, err
	}
	sums := models.Sums{Person: t.Amount.Minor, Party: t.Amount.Minor, NewParty: true}
	day := tx.Now.Add(-24 * time.Hour)
	const alive = "AND state NOT IN ('rejected', 'expired', 'failed', 'cancelled', 'draft')"
	err = tx.QueryRow(`SELECT COALESCE(SUM(minor), 0) FROM transactions WHERE environment = ? AND kind = ? AND created_us > ? AND created_by = ? AND asset = ? AND id <> ? `+alive,
		t.Environment, t.Kind, day, t.CreatedBy, t.Amount.Asset, t.ID).Scan(&sums.Person)
	if err != nil {
		return models.Policy{}, err
	}
	sums.Person += t.Amount.Minor
	if t.DestinationDigest != "" {
		if err := tx.QueryRow(`SELECT COALESCE(SUM(minor), 0) FROM transactions`+tx.Store.by("transactions_party")+` WHERE destination_digest = ? AND destination_digest <> '' AND created_us > ? AND environment = ? AND asset = ? AND id <> ? `+alive,
			t.DestinationDigest, day, t.Environment, t.Amount.Asset, t.ID).Scan(&sums.Party); err != nil {
			return models.Policy{}, err
		}
		sums.Party += t.Amount.Minor
		var n int
		if err := tx.QueryRow(`SELECT COUNT(*) FROM (SELECT 1 FROM transactions`+tx.Store.by("transactions_party")+` WHERE destination_digest = ? AND destination_digest <> '' AND state = 'succeeded' AND environment = ? LIMIT 1) x`,
			t.DestinationDigest, t.Environment).Scan(&n); err != nil {
			return models.Policy{}, err
		}
		sums.NewParty = n == 0
	}
	return models.Decide(ps, t, sums), nil
}

// PolicyFor tells which rule would hold, for the review page. It needs transactions.read.
func (s *Store) PolicyFor(ctx context.Context, a models.Actor, t models.Transaction) (p models.Policy, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return p, err
	}
	t.CreatedBy = a.UserID
	err = s.View(ctx, func(tx *Tx) error { p, err = tx.policyFor(&t); return err })
	return p, err
}

// PolicyChange is the domain's, by the name that this package uses.
type PolicyChange = models.PolicyChange

// RequestPolicyChange files a change of a rule for approval by two other people who hold policies.manage, or by all others if there
// are fewer. It needs policies.manage.
func (s *Store) RequestPolicyChange(ctx context.Context, a models.Actor, c PolicyChange) error {
	if err := a.Require(models.PoliciesManage); err != nil {
		return err
	}
	if err := a.RequireStepUp(s.Now()); err != nil {
		return err
	}
	if !c.Delete {
		if err := c.Policy.Check(); err != nil {
			return err
		}
	}
	if c.Policy.ID == "" {
		c.Policy.ID = models.NewID()
	}
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	title := "Rule: " + c.Policy.Sentence()
	if c.Delete {
		title = "Remove the rule " + c.Policy.Name
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.openRequest(a, ApprovalRequest{Subject: "policy", SubjectID: c.Policy.ID, Digest: digestOf(b), Title: title,
			Rule: "A rule changes only when a second person agrees", Needed: 1, Permission: models.PoliciesManage,
			ExpiresAt: tx.Now.Add(7 * 24 * time.Hour)}, c); err != nil {
			return err
		}
		return tx.Audit(a, "policy.request", "policy", c.Policy.ID, nil, c, "Asked for a change: "+title)
	})
}

func (tx *Tx) applyPolicy(a models.Actor, r *ApprovalRequest) error {
	var c PolicyChange
	if err := json.Unmarshal([]byte(r.Payload), &c); err != nil {
		return fmt.Errorf("decode the change: %w", err)
	}
	p := c.Policy
	if c.Delete {
		return tx.Exec("DELETE FROM policies WHERE id = ?", p.ID)
	}
	fresh := 0
	if p.NewParty {
		fresh = 1
	}
	return tx.Exec(`INSERT INTO policies (`+policyColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1) ON CONFLICT (id) DO UPDATE SET position = excluded.position,
		name = excluded.name, environment = excluded.environment, kind = excluded.kind, provider = excluded.provider, asset = excluded.asset,
		min_minor = excluded.min_minor, max_minor = excluded.max_minor, day_person = excluded.day_person, day_party = excluded.day_party,
		new_party = excluded.new_party, approvers = excluded.approvers, role = excluded.role, ttl_seconds = excluded.ttl_seconds,
		version = policies.version + 1`,
		p.ID, p.Position, p.Name, p.Environment, p.Kind, p.Provider, p.Asset, p.MinMinor, p.MaxMinor, p.DayPerson, p.DayParty, fresh, p.Approvers,
		p.Role, int64(p.TTL/time.Second))
}
