package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"countinghouse/models"
)

// untoldBound is where the count of transactions that ended without a webhook stops.
const untoldBound = 20

// DriftFigures reads what a credential's drift is judged by. For tasks.
func (s *Store) DriftFigures(ctx context.Context, c models.Credential) (f models.DriftFigures, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		f = models.DriftFigures{}
		edge, oldest := tx.Now.Add(-models.DriftWindow), tx.Now.Add(-models.Days(7))
		var recent, before []int64
		if err := tx.Each(func(r *sql.Rows) error {
			var started models.Micros
			var us int64
			var failed bool
			if err := r.Scan(&started, &us, &failed); err != nil || started < oldest {
				return err
			}
			h, took := &f.Before, &before
			if started >= edge {
				h, took = &f.Recent, &recent
			}
			h.Calls++
			if failed {
				h.Failed++
			} else {
				*took = append(*took, us)
			}
			return nil
		}, "SELECT started_us, duration_us, failed FROM exchanges WHERE credential_id = ? ORDER BY id DESC LIMIT ?", c.ID, 2*healthSample); err != nil {
			return fmt.Errorf("read the exchanges: %w", err)
		}
		f.Recent.P50, f.Before.P50 = median(recent), median(before)
		since := max(c.Use.WebhookAt, c.CreatedAt, tx.Now.Add(-models.Days(1)))
		return tx.QueryRow(`SELECT COUNT(*) FROM (SELECT 1 FROM transactions WHERE environment = ? AND created_us > ? AND credential_id = ? AND kind IN ('payout', 'deposit')
			AND settled_us > 0 AND settled_us < ? LIMIT ?) x`, c.Environment, since, c.ID, tx.Now.Add(-models.DriftQuiet), untoldBound).Scan(&f.Unannounced)
	})
	return f, err
}

func median(took []int64) int64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// RecordDrift keeps what has drifted at a credential and forgets what has passed. Each beginning and end is an audit entry, once. For tasks.
func (s *Store) RecordDrift(ctx context.Context, c models.Credential, now []models.Drift) error {
	have, err := s.driftWhere(ctx, "d.credential_id = ?", c.ID)
	if err != nil {
		return err
	}
	if len(have) == 0 && len(now) == 0 {
		return nil // the usual case writes nothing
	}
	return s.Update(ctx, func(tx *Tx) error {
		for _, d := range now {
			n, err := tx.Change("UPDATE credential_drift SET sentence = ?, grave = ?, seen_us = ? WHERE credential_id = ? AND kind = ?", clean(d.Sentence), d.Grave, tx.Now, c.ID, d.Kind)
			if err != nil {
				return fmt.Errorf("keep a drift: %w", err)
			}
			if n > 0 {
				continue
			}
			if n, err = tx.Change("INSERT INTO credential_drift (credential_id, kind, sentence, grave, since_us, seen_us) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
				c.ID, d.Kind, clean(d.Sentence), d.Grave, tx.Now, tx.Now); err != nil {
				return fmt.Errorf("note a drift: %w", err)
			}
			if n == 0 { // another instance noted it in the same moment
				continue
			}
			if err := tx.Audit(models.System("watch_health"), "credential.drift", "credential", c.ID, nil, map[string]any{"kind": d.Kind}, c.Name+" drifts: "+d.Sentence); err != nil {
				return err
			}
		}
		for _, d := range have {
			if slices.ContainsFunc(now, func(x models.Drift) bool { return x.Kind == d.Kind }) {
				continue
			}
			n, err := tx.Change("DELETE FROM credential_drift WHERE credential_id = ? AND kind = ?", c.ID, d.Kind)
			if err != nil {
				return fmt.Errorf("end a drift: %w", err)
			}
			if n == 0 {
				continue
			}
			if err := tx.Audit(models.System("watch_health"), "credential.drift_over", "credential", c.ID, map[string]any{"kind": d.Kind}, nil, c.Name+" no longer drifts: "+string(d.Kind)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Drifting lists what has drifted in an environment, the gravest first, then the oldest. Permission credentials.read.
func (s *Store) Drifting(ctx context.Context, a models.Actor, env models.Environment) ([]models.Drift, error) {
	if err := a.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	return s.driftWhere(ctx, "c.environment = ? AND c.state <> 'revoked'", env)
}

func (s *Store) driftWhere(ctx context.Context, where string, args ...any) (list []models.Drift, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		list = nil
		return tx.Each(func(r *sql.Rows) error {
			var d models.Drift
			err := r.Scan(&d.CredentialID, &d.Credential, &d.Provider, &d.Kind, &d.Sentence, &d.Grave, &d.Since)
			list = append(list, d)
			return err
		}, `SELECT d.credential_id, c.name, c.provider, d.kind, d.sentence, d.grave, d.since_us FROM credential_drift d JOIN credentials c ON c.id = d.credential_id
			WHERE `+where+` ORDER BY CASE WHEN d.grave THEN 0 ELSE 1 END, d.since_us, d.credential_id, d.kind LIMIT 100`, args...)
	})
	return list, err
}
