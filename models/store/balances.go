package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"countinghouse/models"
)

// pointEvery is how often an unchanged balance gets a point in its history.
const pointEvery = time.Hour

// PutBalances keeps what a provider said it holds. Figures that are no longer reported disappear from the latest, their history stays. For
// tasks.
func (s *Store) PutBalances(ctx context.Context, credentialID string, list []models.BalanceFigure) error {
	return s.Update(ctx, func(tx *Tx) error {
		for _, b := range list {
			if err := tx.putBalance(credentialID, b); err != nil {
				return err
			}
		}
		if err := tx.Exec("DELETE FROM balances WHERE credential_id = ? AND read_us <> ?", credentialID, tx.Now); err != nil {
			return fmt.Errorf("forget balances that are no longer reported: %w", err)
		}
		return tx.balanceRead(credentialID, tx.Now, "")
	})
}

func (tx *Tx) putBalance(credentialID string, b models.BalanceFigure) error {
	if err := tx.Exec(`INSERT INTO balances (credential_id, account, asset, available, total_asset, total, text, mark, note, read_us) VALUES (?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (credential_id, account, asset) DO UPDATE SET available = excluded.available, total_asset = excluded.total_asset, total = excluded.total,
		text = excluded.text, mark = excluded.mark, note = excluded.note, read_us = excluded.read_us`, credentialID, clean(b.Account), b.Available.Asset,
		b.Available.Minor, b.Total.Asset, b.Total.Minor, shorten(clean(b.Text), 200), b.Mark, shorten(clean(b.Note), 500), tx.Now); err != nil {
		return fmt.Errorf("write the balance: %w", err)
	}
	var at models.Micros
	var last int64
	err := tx.QueryRow(`SELECT at_us, available FROM balance_points WHERE credential_id = ? AND account = ? AND asset = ? ORDER BY at_us DESC LIMIT 1`,
		credentialID, clean(b.Account), b.Available.Asset).Scan(&at, &last)
	if err != nil && !IsNoRow(err) {
		return fmt.Errorf("read the newest point: %w", err)
	}
	if err == nil && last == b.Available.Minor && tx.Now < at.Add(pointEvery) {
		return nil
	}
	return tx.AddBalancePoint(credentialID, clean(b.Account), b.Available.Asset, tx.Now, b.Available.Minor)
}

// AddBalancePoint writes one moment of a balance's history. The demonstration fills a year with it.
func (tx *Tx) AddBalancePoint(credentialID, account, asset string, at models.Micros, available int64) error {
	if err := tx.Exec(`INSERT INTO balance_points (credential_id, account, asset, at_us, available) VALUES (?,?,?,?,?)
		ON CONFLICT (credential_id, account, asset, at_us) DO UPDATE SET available = excluded.available`, credentialID, account, asset, at, available); err != nil {
		return fmt.Errorf("write the balance's history: %w", err)
	}
	return nil
}

// BalanceReadFailed notes that a provider could not be asked. The figures stay and grow stale. For tasks.
func (s *Store) BalanceReadFailed(ctx context.Context, credentialID, sentence string) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.balanceRead(credentialID, 0, shorten(clean(sentence), 500)) })
}

func (tx *Tx) balanceRead(credentialID string, ok models.Micros, sentence string) error {
	if err := tx.Exec(`INSERT INTO balance_reads (credential_id, at_us, ok_us, error) VALUES (?,?,?,?)
		ON CONFLICT (credential_id) DO UPDATE SET at_us = excluded.at_us, ok_us = CASE WHEN excluded.ok_us = 0 THEN balance_reads.ok_us ELSE excluded.ok_us END,
		error = excluded.error`, credentialID, tx.Now, ok, sentence); err != nil {
		return fmt.Errorf("note how the reading went: %w", err)
	}
	return nil
}

// Balances lists the latest figures of an environment by credential, account and asset, and how the last reading of each credential went.
// With a since, each figure carries its history from there on. Permission balances.read.
func (s *Store) Balances(ctx context.Context, actor models.Actor, env models.Environment, since models.Micros) (list []models.BalanceFigure, reads map[string]models.BalanceRead, err error) {
	if err := actor.Require(models.BalancesRead); err != nil {
		return nil, nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		list, reads = nil, map[string]models.BalanceRead{}
		if err := q.Each(func(r *sql.Rows) error {
			var b models.BalanceFigure
			err := r.Scan(&b.CredentialID, &b.Account, &b.Asset, &b.Available.Minor, &b.Total.Asset, &b.Total.Minor, &b.Text, &b.Mark, &b.Note, &b.ReadAt)
			b.Available.Asset = b.Asset
			list = append(list, b)
			return err
		}, `SELECT b.credential_id, b.account, b.asset, b.available, b.total_asset, b.total, b.text, b.mark, b.note, b.read_us FROM balances b
			JOIN credentials c ON c.id = b.credential_id WHERE c.environment = ? AND c.state <> 'revoked' ORDER BY c.provider, c.name, b.account, b.asset`, env); err != nil {
			return err
		}
		if since != 0 {
			for i := range list {
				if err := q.points(&list[i], since); err != nil {
					return err
				}
			}
		}
		return q.Each(func(r *sql.Rows) error {
			var b models.BalanceRead
			err := r.Scan(&b.CredentialID, &b.At, &b.OKAt, &b.Error)
			reads[b.CredentialID] = b
			return err
		}, `SELECT r.credential_id, r.at_us, r.ok_us, r.error FROM balance_reads r JOIN credentials c ON c.id = r.credential_id WHERE c.environment = ?`, env)
	})
	return list, reads, err
}

// CredentialsForBalances lists an environment's credentials whose provider can be asked, by provider and name. Permission balances.read.
func (s *Store) CredentialsForBalances(ctx context.Context, actor models.Actor, env models.Environment) ([]models.Credential, error) {
	if err := actor.Require(models.BalancesRead); err != nil {
		return nil, err
	}
	return s.credentialsWhere(ctx, "c.environment = ? AND c.state IN ('active', 'suspended') ORDER BY c.provider, c.name", env)
}

// points reads a balance's history from a moment on, the one before it included, so that a chart begins where the balance stood.
func (tx *Tx) points(b *models.BalanceFigure, since models.Micros) error {
	b.Points = nil
	return tx.Each(func(r *sql.Rows) error {
		var p models.BalancePoint
		err := r.Scan(&p.At, &p.Minor)
		b.Points = append(b.Points, p)
		return err
	}, `SELECT at_us, available FROM balance_points WHERE credential_id = ? AND account = ? AND asset = ? AND at_us >= COALESCE((SELECT MAX(at_us) FROM balance_points
		WHERE credential_id = ? AND account = ? AND asset = ? AND at_us <= ?), 0) ORDER BY at_us LIMIT 10000`,
		b.CredentialID, b.Account, b.Asset, b.CredentialID, b.Account, b.Asset, since)
}
