package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Row is a job as it stands in the table.
type Row struct {
	ID        string
	Kind      string
	Lane      string
	UniqueKey string
	// JSON is the args as stored.
	JSON string
	// RunAt is when it was due.
	RunAt time.Time
	// Attempt counts from 1 while the job runs.
	Attempt     int
	MaxAttempts int
	CreatedAt   time.Time
	// LastError of an earlier attempt; empty if there is none.
	LastError string
}

type scanner interface{ Scan(dest ...any) error }

func scanRow(s scanner, before ...any) (Row, error) {
	var r Row
	var runAt, created int64
	err := s.Scan(append(before, &r.ID, &r.Kind, &r.Lane, &r.JSON, &r.UniqueKey, &runAt, &r.Attempt, &r.MaxAttempts, &created, &r.LastError)...)
	r.RunAt, r.CreatedAt = time.UnixMicro(runAt).UTC(), time.UnixMicro(created).UTC()
	return r, err
}

func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func plainRow(rows *sql.Rows) (Row, error) { return scanRow(rows) }

// claim takes up to n due jobs of a lane; "" is every lane.
func (q *Queue) claim(ctx context.Context, lane string, n int, now time.Time) ([]Row, error) {
	kinds := q.kinds()
	if len(kinds) == 0 {
		return nil, nil
	}
	args := []any{now.UnixMicro(), q.owner, now.Add(q.cfg.Lease).UnixMicro()}
	if lane != "" {
		args = append(args, lane)
	}
	args = append(append(append(args, now.UnixMicro()), kinds...), n)
	rows, err := q.cfg.DB.QueryContext(ctx, q.stmt.claim(lane != "", len(kinds)), args...)
	got, err := collect(rows, err, plainRow)
	if err != nil {
		return nil, fmt.Errorf("jobs: claim: %w", err)
	}
	slices.SortFunc(got, func(a, b Row) int { return cmp.Or(a.RunAt.Compare(b.RunAt), strings.Compare(a.ID, b.ID)) })
	return got, nil
}

// finish records how a run ended. It reports ErrLeaseLost when the run no longer holds the job.
func (q *Queue) finish(ctx context.Context, r run, now time.Time) error {
	var nap snoozed
	row, err := r.row, r.err
	h := holder{row.ID, row.Attempt, q.owner, math.MaxInt64}
	switch {
	case err == nil:
		if r.grouped != nil {
			if err := r.grouped(ctx, row); !errors.Is(err, errAlone) {
				return err
			}
		}
		return held(q.cfg.DB.ExecContext(ctx, q.stmt.done, now.UnixMicro(), h.id, h.attempt, h.owner))
	case errors.As(err, &nap):
		return q.putBack(ctx, row, h, now.Add(nap.d), 1, row.LastError)
	case r.stopping: // it did not fail, it was interrupted
		return q.putBack(ctx, row, h, now, 1, row.LastError)
	case isFinal(err, row):
		return q.giveUp(ctx, h, short(err), now)
	}
	return q.putBack(ctx, row, h, now.Add(r.worker.opts.Retry(row.Attempt)), 0, short(err))
}

// holder is the run that must still hold a job for a change to be made, and the moment before which its lease must have run
// out (the end of time for a run that speaks for itself).
type holder struct {
	id      string
	attempt int
	owner   string
	expired int64
}

func (q *Queue) giveUp(ctx context.Context, h holder, why string, now time.Time) error {
	return held(q.cfg.DB.ExecContext(ctx, q.stmt.fail, now.UnixMicro(), why, h.id, h.attempt, h.owner, h.expired))
}

// putBack makes a running job wait until at. If one with the same key waits already, that one is pulled forward and this one
// is merged into it.
func (q *Queue) putBack(ctx context.Context, row Row, h holder, at time.Time, uncount int, why string) error {
	tx, err := q.cfg.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	state, ended := stateWaiting, sql.NullInt64{}
	if row.UniqueKey != "" {
		res, err := tx.ExecContext(ctx, q.stmt.pull, at.UnixMicro(), row.Kind, row.UniqueKey)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			state, ended = stateMerged, sql.NullInt64{Int64: q.cfg.Now().UnixMicro(), Valid: true}
		}
	}
	if err := held(tx.ExecContext(ctx, q.stmt.back, state, at.UnixMicro(), ended, uncount, why, h.id, h.attempt, h.owner, h.expired)); err != nil {
		return err
	}
	return tx.Commit()
}

// held turns "no row changed" into ErrLeaseLost.
func held(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrLeaseLost, err)
	}
	return nil
}

func isNap(err error) bool {
	var nap snoozed
	return errors.As(err, &nap)
}

func isGivenUp(err error) bool {
	var final givenUp
	return errors.As(err, &final)
}

// isFinal reports whether a failure ends the job.
func isFinal(err error, row Row) bool {
	return isGivenUp(err) || err != nil && !isNap(err) && row.Attempt >= row.MaxAttempts
}

// short bounds an error for the table.
func short(err error) string {
	s := err.Error()
	if len(s) <= 2000 {
		return s
	}
	cut := 2000
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// renew prolongs the leases of this process and returns the jobs it still holds.
func (q *Queue) renew(ctx context.Context, now time.Time) (map[string]bool, error) {
	rows, err := q.cfg.DB.QueryContext(ctx, q.stmt.renew, now.Add(q.cfg.Lease).UnixMicro(), q.owner)
	ids, err := collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("jobs: renew leases: %w", err)
	}
	held := make(map[string]bool, len(ids))
	for _, id := range ids {
		held[id] = true
	}
	return held, nil
}

// rescue puts back what silent processes held. A job whose last attempt went silent is given up: it may be what kills.
func (q *Queue) rescue(ctx context.Context, now time.Time) (int, error) {
	type silent struct {
		owner string
		row   Row
	}
	rows, err := q.cfg.DB.QueryContext(ctx, q.stmt.expired, now.UnixMicro())
	found, err := collect(rows, err, func(r *sql.Rows) (s silent, err error) {
		s.row, err = scanRow(r, &s.owner)
		return s, err
	})
	if err != nil {
		return 0, fmt.Errorf("jobs: rescue: %w", err)
	}
	const why = "the process that ran it went silent"
	for _, s := range found {
		h, final := holder{s.row.ID, s.row.Attempt, s.owner, now.UnixMicro()}, s.row.Attempt >= s.row.MaxAttempts
		if final {
			err = q.giveUp(ctx, h, why, now)
		} else {
			err = q.putBack(ctx, s.row, h, now, 0, why)
		}
		if errors.Is(err, ErrLeaseLost) { // it woke up, or another instance was quicker
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("jobs: rescue: %w", err)
		}
		q.cfg.Log.WarnContext(ctx, "a job was taken back from a silent process", "job_id", s.row.ID, "kind", s.row.Kind, "attempt", s.row.Attempt, "given_up", final)
		if s.row.LastError = why; final && q.cfg.OnFailed != nil {
			q.cfg.OnFailed(ctx, s.row)
		}
	}
	return len(found), nil
}

// clean deletes ended jobs past their time, in portions that do not hold up other writers.
func (q *Queue) clean(ctx context.Context, now time.Time) error {
	for state, keep := range map[string]time.Duration{stateDone: q.cfg.KeepDone, stateMerged: q.cfg.KeepDone, stateFailed: q.cfg.KeepFailed} {
		for {
			res, err := q.cfg.DB.ExecContext(ctx, q.stmt.clean, state, now.Add(-keep).UnixMicro())
			if err != nil {
				return fmt.Errorf("jobs: clean: %w", err)
			}
			if n, err := res.RowsAffected(); err != nil || n < 1000 {
				break
			}
		}
	}
	return nil
}

// LaneStats is the load of a lane.
type LaneStats struct {
	Running int
	// Due jobs wait although their time has come.
	Due int
	// OldestDue is for how long the oldest of them has been due.
	OldestDue time.Duration
}

// Stats counts what runs and what is overdue, by lane. Cost is proportional to those, not to the history.
func (q *Queue) Stats(ctx context.Context) (map[string]LaneStats, error) {
	now := q.cfg.Now()
	out := map[string]LaneStats{}
	for lane := range q.cfg.Lanes {
		out[lane] = LaneStats{}
	}
	rows, err := q.cfg.DB.QueryContext(ctx, q.stmt.stats, now.UnixMicro())
	_, err = collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var lane, state string
		var n int
		var oldest int64
		err := r.Scan(&lane, &state, &n, &oldest)
		s := out[lane]
		if state == stateRunning {
			s.Running = n
		} else {
			s.Due, s.OldestDue = n, now.Sub(time.UnixMicro(oldest))
		}
		out[lane] = s
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: stats: %w", err)
	}
	return out, nil
}

// Failed lists the jobs that were given up, latest first.
func (q *Queue) Failed(ctx context.Context, limit int) ([]Row, error) {
	rows, err := q.cfg.DB.QueryContext(ctx, q.stmt.failed, limit)
	out, err := collect(rows, err, plainRow)
	if err != nil {
		return nil, fmt.Errorf("jobs: list failed: %w", err)
	}
	return out, nil
}

// Retry gives a failed job all its attempts back, from now on. False when there is no failed job with this id.
func (q *Queue) Retry(ctx context.Context, tx Tx, id string) (bool, error) {
	res, err := tx.ExecContext(ctx, q.stmt.retry, q.cfg.Now().UnixMicro(), id)
	if err != nil {
		return false, fmt.Errorf("jobs: retry: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}
