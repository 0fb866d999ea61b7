package store

import (
	"context"
	"fmt"
	"os"
	"time"

	"countinghouse/models"
)

// Empty reports that nobody has been here yet: there are no tables, or no people in them. It changes nothing.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	table := "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'users'"
	if s.Engine == Postgres {
		table = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'users'"
	}
	var n int
	err := s.View(ctx, func(q *Tx) error {
		if err := q.QueryRow(table).Scan(&n); err != nil || n == 0 {
			return err
		}
		return q.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM users LIMIT 1) u").Scan(&n)
	})
	return n == 0, err
}

// UserByEmail finds one person by address.
func (s *Store) UserByEmail(ctx context.Context, actor models.Actor, email string) (u models.User, err error) {
	if err := actor.Require(models.PeopleRead); err != nil {
		return u, err
	}
	if email, err = models.ParseEmail(email); err != nil {
		return u, err
	}
	err = s.View(ctx, func(q *Tx) error {
		row, err := q.userWhere("email = ?", email)
		if err != nil {
			return err
		}
		roles, err := q.roles(row.ID)
		u = row.toUser(roles)
		return err
	})
	return u, err
}

// keepFor is how long ended sessions, used links and sign-in history stay.
const keepFor = 90 * 24 * time.Hour

// Sweep forgets what is no longer needed, marks changes that nobody decided as expired, and signs an anchor of the audit trail.
func (s *Store) Sweep(ctx context.Context) error {
	err := s.Update(ctx, func(tx *Tx) error {
		old := tx.Now.Add(-keepFor)
		for _, q := range []struct {
			sql string
			arg any
		}{
			{"DELETE FROM sessions WHERE expires_us < ?", old},
			{"DELETE FROM links WHERE expires_us < ?", old},
			{"DELETE FROM sign_ins WHERE at_us < ?", old},
			{"DELETE FROM passkey_ceremonies WHERE expires_us < ?", tx.Now},
			{"DELETE FROM refused_addresses WHERE last_us < ?", old},
			{"DELETE FROM throttles WHERE since_us < ? AND blocked_us = 0", tx.Now.Add(-24 * time.Hour)},
			{"DELETE FROM throttles WHERE blocked_us <> 0 AND blocked_us < ?", tx.Now.Add(-24 * time.Hour)},
			{"UPDATE changes SET state = 'expired' WHERE state = 'pending' AND expires_us <= ?", tx.Now},
		} {
			if err := tx.Exec(q.sql, q.arg); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || s.signer.key == nil {
		return err
	}
	if _, err = s.Anchor(ctx); models.Is(err, models.Conflict) {
		err = nil // an empty trail has nothing to sign
	}
	return err
}

// BackupTo writes a consistent copy of a SQLite database to a new file, while others read and write.
func (s *Store) BackupTo(ctx context.Context, path string) error {
	if s.Engine != SQLite {
		return models.Errorf(models.Conflict, "Only a SQLite database is copied this way; use pg_dump.")
	}
	if _, err := os.Stat(path); err == nil {
		return models.Errorf(models.Conflict, "%s is there already and is left as it is.", path)
	}
	// A reader's connection: it sees one snapshot and keeps no writer waiting. It may not write to the database, only to the new file, which
	// query_only forbids as well; so that is lifted on this one connection and set again.
	c, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, "PRAGMA query_only(0)"); err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, "VACUUM INTO ?", path)
	if _, perr := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA query_only(1)"); perr != nil {
		err = errorsJoin(perr, err)
	}
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return os.Chmod(path, 0o600)
}

// Check reads the whole database and reports the first thing that is wrong with it.
func (s *Store) Check(ctx context.Context) error {
	if s.Engine == Postgres {
		return s.Ping(ctx)
	}
	var answer string
	if err := s.read.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&answer); err != nil {
		return err
	}
	if answer != "ok" {
		return fmt.Errorf("the database file is damaged: %s", answer)
	}
	return nil
}

// ClockSkew is how far this machine's clock is from the database's; on SQLite they are the same machine's.
func (s *Store) ClockSkew(ctx context.Context) (time.Duration, error) {
	query := "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
	if s.Engine == Postgres {
		query = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	var ms int64
	if err := s.read.QueryRowContext(ctx, query).Scan(&ms); err != nil {
		return 0, err
	}
	return s.Clock().Sub(time.UnixMilli(ms)), nil
}
