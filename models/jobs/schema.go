package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// States of a job. waiting → running → done | failed, or back to waiting; merged when a waiting one with the same key was
// there to take over.
const (
	stateWaiting = "waiting"
	stateRunning = "running"
	stateDone    = "done"
	stateFailed  = "failed"
	stateMerged  = "merged"
)

// schema is the same for both engines.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS jobs (
		id             TEXT PRIMARY KEY,
		kind           TEXT NOT NULL,
		lane           TEXT NOT NULL,
		args           TEXT NOT NULL,
		unique_key     TEXT,
		state          TEXT NOT NULL CHECK (state IN ('waiting','running','done','failed','merged')),
		run_at_us      BIGINT NOT NULL,
		attempt        BIGINT NOT NULL DEFAULT 0,
		max_attempts   BIGINT NOT NULL,
		lease_owner    TEXT,
		lease_until_us BIGINT,
		created_us     BIGINT NOT NULL,
		started_us     BIGINT,
		ended_us       BIGINT,
		last_error     TEXT NOT NULL DEFAULT '')`,
	`CREATE INDEX IF NOT EXISTS jobs_due ON jobs (lane, run_at_us, id) WHERE state = 'waiting'`,
	`CREATE INDEX IF NOT EXISTS jobs_leased ON jobs (lease_until_us) WHERE state = 'running'`,
	`CREATE INDEX IF NOT EXISTS jobs_ended ON jobs (state, ended_us) WHERE ended_us IS NOT NULL`,
	`CREATE UNIQUE INDEX IF NOT EXISTS jobs_one_waiting ON jobs (kind, unique_key) WHERE state = 'waiting' AND unique_key IS NOT NULL`,
	`CREATE UNIQUE INDEX IF NOT EXISTS jobs_one_running ON jobs (kind, unique_key) WHERE state = 'running' AND unique_key IS NOT NULL`,
	`CREATE TABLE IF NOT EXISTS job_periods (name TEXT PRIMARY KEY, next_us BIGINT NOT NULL)`,
}

// Migrate creates what is missing. Safe to run by several instances at once and on every start.
func Migrate(ctx context.Context, db *sql.DB, engine Engine) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("jobs: migrate: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if engine == Postgres { // CREATE IF NOT EXISTS races with itself there
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7022601)`); err != nil {
			return fmt.Errorf("jobs: migrate: %w", err)
		}
	}
	for _, s := range schema {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("jobs: migrate: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("jobs: migrate: %w", err)
	}
	return nil
}

// statements are the queries in the engine's placeholders.
type statements struct {
	insert, renew, done, fail, pull, back, expired, take, holds, clean, period, periodRow, stats, failed, retry string
	claim                                                                                                       func(lane bool, kinds int) string
}

const rowColumns = `id, kind, lane, args, COALESCE(unique_key, ''), run_at_us, attempt, max_attempts, created_us, last_error`

// mine is the condition under which a run may record anything: it still holds the job.
const mine = ` WHERE id = ? AND attempt = ? AND lease_owner = ? AND state = 'running'`

func statementsFor(engine Engine) statements {
	dialect, first := func(s string) string { return s }, "MIN"
	if engine == Postgres {
		dialect, first = numbered, "LEAST"
	}
	return statements{
		insert: dialect(`INSERT INTO jobs (id, kind, lane, args, unique_key, state, run_at_us, max_attempts, created_us)
			VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?)
			ON CONFLICT (kind, unique_key) WHERE state = 'waiting' AND unique_key IS NOT NULL
			DO UPDATE SET run_at_us = ` + first + `(jobs.run_at_us, excluded.run_at_us) RETURNING id`),
		claim: func(lane bool, kinds int) string {
			return dialect(claimStatement(engine, lane, kinds))
		},
		renew: dialect(`UPDATE jobs SET lease_until_us = ? WHERE state = 'running' AND lease_owner = ? RETURNING id`),
		done:  dialect(`UPDATE jobs SET state = 'done', ended_us = ?, lease_owner = NULL, lease_until_us = NULL` + mine),
		fail: dialect(`UPDATE jobs SET state = 'failed', ended_us = ?, last_error = ?, lease_owner = NULL, lease_until_us = NULL` +
			mine + ` AND lease_until_us < ?`),
		pull: dialect(`UPDATE jobs SET run_at_us = ` + first + `(run_at_us, ?) WHERE state = 'waiting' AND kind = ? AND unique_key = ?`),
		back: dialect(`UPDATE jobs SET state = ?, run_at_us = ?, ended_us = ?, attempt = attempt - ?, last_error = ?,
			lease_owner = NULL, lease_until_us = NULL` + mine + ` AND lease_until_us < ?`),
		expired: dialect(`SELECT lease_owner, ` + rowColumns + ` FROM jobs WHERE state = 'running' AND lease_until_us < ? LIMIT 500`),
		take:    dialect(`UPDATE jobs SET lease_until_us = 0 WHERE state = 'running' AND lease_owner <> ?`),
		holds:   dialect(`SELECT COUNT(*) FROM jobs` + mine),
		clean: dialect(`DELETE FROM jobs WHERE id IN (
			SELECT id FROM jobs WHERE ended_us IS NOT NULL AND state = ? AND ended_us < ? LIMIT 1000)`),
		period:    dialect(`UPDATE job_periods SET next_us = ? WHERE name = ? AND next_us <= ?`),
		periodRow: dialect(`INSERT INTO job_periods (name, next_us) VALUES (?, 0) ON CONFLICT (name) DO NOTHING`),
		stats: dialect(`SELECT lane, state, COUNT(*), MIN(run_at_us) FROM jobs
			WHERE state = 'running' OR state = 'waiting' AND run_at_us <= ? GROUP BY lane, state`),
		failed: dialect(`SELECT ` + rowColumns + ` FROM jobs WHERE state = 'failed' AND ended_us IS NOT NULL ORDER BY ended_us DESC LIMIT ?`),
		retry: dialect(`UPDATE jobs SET state = 'waiting', attempt = 0, run_at_us = ?, ended_us = NULL WHERE id = ? AND state = 'failed'
			AND NOT EXISTS (SELECT 1 FROM jobs w WHERE w.state = 'waiting' AND w.kind = jobs.kind AND w.unique_key = jobs.unique_key)`),
	}
}

// claimStatement takes the jobs that have been due longest, of known kinds, whose key nobody is working on.
//
// On Postgres the choice stands in an array, which is made once: "id IN (SELECT … LIMIT …)" may be run again for every row, and
// with SKIP LOCKED each time find others.
func claimStatement(engine Engine, lane bool, kinds int) string {
	only, among, skip, end := "", "IN (", "", ")"
	if engine == Postgres {
		among, skip, end = "= ANY(ARRAY(", "FOR UPDATE OF c SKIP LOCKED", "))"
	}
	if lane {
		only = "c.lane = ? AND "
	}
	return `UPDATE jobs SET state = 'running', attempt = attempt + 1, started_us = ?, lease_owner = ?, lease_until_us = ?
		WHERE state = 'waiting' AND id ` + among + `
			SELECT c.id FROM jobs c WHERE ` + only + `c.state = 'waiting' AND c.run_at_us <= ?
				AND c.kind IN (?` + strings.Repeat(", ?", kinds-1) + `)
				AND (c.unique_key IS NULL OR NOT EXISTS (
					SELECT 1 FROM jobs r WHERE r.state = 'running' AND r.kind = c.kind AND r.unique_key = c.unique_key))
			ORDER BY c.run_at_us, c.id LIMIT ? ` + skip + end + `
		RETURNING ` + rowColumns
}

// numbered turns each ? into $1, $2, … No statement here has a question mark in a literal.
func numbered(s string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(s, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		s = after
	}
}
