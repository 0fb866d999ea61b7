package jobs

import (
	"context"
	"fmt"
	"time"
)

// periodic is a job that comes again and again.
type periodic struct {
	name  string
	every time.Duration
	args  func() Args
	opts  Opts
	next  time.Time // not before this moment need the table be asked
}

// Every inserts a job at each multiple of the interval since 1970 (UTC), once for all instances, the first time at once. A
// moment that passed while nothing ran is made up for once, not many times. Before Start; names must differ.
//
// While one of them still waits, another of the same name is not added.
func (q *Queue) Every(name string, interval time.Duration, args func() Args, opts Opts) {
	if interval <= 0 {
		panic("jobs: a periodic job needs an interval")
	}
	if opts.UniqueKey == "" {
		opts.UniqueKey = "every:" + name
	}
	q.every = append(q.every, &periodic{name: name, every: interval, args: args, opts: opts})
}

// insertPeriodic inserts what has become due. Who moves the row of the period forward inserts; the others find it moved.
func (q *Queue) insertPeriodic(ctx context.Context, now time.Time) (inserted bool, err error) {
	for _, p := range q.every {
		if now.Before(p.next) && p.next.Sub(now) <= p.every {
			continue
		}
		due, err := q.insertPeriod(ctx, p, now)
		if err != nil {
			return inserted, fmt.Errorf("jobs: periodic %s: %w", p.name, err)
		}
		inserted, p.next = inserted || due, now.Truncate(p.every).Add(p.every)
	}
	return inserted, nil
}

func (q *Queue) insertPeriod(ctx context.Context, p *periodic, now time.Time) (bool, error) {
	next := now.Truncate(p.every).Add(p.every)
	if _, err := q.cfg.DB.ExecContext(ctx, q.stmt.periodRow, p.name); err != nil {
		return false, err
	}
	tx, err := q.cfg.DB.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	res, err := tx.ExecContext(ctx, q.stmt.period, next.UnixMicro(), p.name, now.UnixMicro())
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	opts := p.opts
	if opts.ScheduledAt.IsZero() {
		opts.ScheduledAt = now
	}
	if _, err := q.Insert(ctx, tx, p.args(), opts); err != nil {
		return false, err
	}
	return true, tx.Commit()
}
