package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// running is a started queue.
type running struct {
	stopFetch context.CancelFunc // no more claims, no more housekeeping but the leases
	stopLease context.CancelFunc
	cancelJob context.CancelCauseFunc // the parent of every job's context
	jobs      context.Context
	loops     sync.WaitGroup // lanes and housekeeping
	leases    sync.WaitGroup // leases and ends
	ends      chan ending
	over      chan struct{}  // closed when nobody reads ends any more
	work      sync.WaitGroup // runs

	mu   sync.Mutex
	held map[string]*flight // by job id, while the worker is in it
}

// flight is one run in progress.
type flight struct {
	cancel context.CancelCauseFunc
	ended  atomic.Bool // Done was called
}

// Start works the lanes until Stop. It returns as soon as it has begun.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.run != nil {
		return errors.New("jobs: started already")
	}
	if len(q.workers) == 0 {
		return errors.New("jobs: nothing is registered to work")
	}
	if q.cfg.Alone {
		if err := q.takeBack(ctx); err != nil {
			return err
		}
	}
	base := context.WithoutCancel(ctx)
	r := &running{held: map[string]*flight{}, ends: make(chan ending, maxEnds), over: make(chan struct{})}
	var fetch, lease context.Context
	fetch, r.stopFetch = context.WithCancel(base)
	lease, r.stopLease = context.WithCancel(base)
	r.jobs, r.cancelJob = context.WithCancelCause(base)
	for lane, n := range q.cfg.Lanes {
		r.loops.Go(func() { q.workLane(fetch, r, lane, n) })
	}
	r.loops.Go(func() { q.keepHouse(fetch) })
	r.leases.Go(func() { q.keepLeases(lease, r) })
	r.leases.Go(func() { q.keepEnds(lease, r) })
	q.run = r
	return nil
}

// takeBack frees what a dead predecessor held.
func (q *Queue) takeBack(ctx context.Context) error {
	if _, err := q.cfg.DB.ExecContext(ctx, q.stmt.take, q.owner); err != nil {
		return fmt.Errorf("jobs: take back: %w", err)
	}
	_, err := q.rescue(ctx, q.cfg.Now())
	return err
}

// Stop takes no more jobs, lets the running ones end for StopGrace (or until ctx is done), then cancels them with ErrStopping
// and waits 5 s more. A cancelled job that returns an error goes back as if it had not been started. The error says how many
// did not return; those stay leased and run again elsewhere once the lease is over.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.run
	if r == nil {
		return nil
	}
	q.run = nil
	r.stopFetch()
	r.loops.Wait()
	idle := make(chan struct{})
	go func() { r.work.Wait(); close(idle) }()
	if !within(ctx, idle, q.cfg.StopGrace) {
		r.cancelJob(ErrStopping)
		within(context.WithoutCancel(ctx), idle, q.patience)
	}
	r.cancelJob(ErrStopping)
	r.stopLease()
	r.leases.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.held); n > 0 {
		return fmt.Errorf("jobs: %d jobs did not stop in time; they will run again after their lease", n)
	}
	return nil
}

func within(ctx context.Context, done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-t.C:
	}
	return false
}

// workLane keeps up to n jobs of a lane running.
func (q *Queue) workLane(ctx context.Context, r *running, lane string, n int) {
	free := make(chan struct{}, n)
	for range n {
		free <- struct{}{}
	}
	for {
		slots := waitFree(ctx, free)
		if slots == 0 {
			return
		}
		rows, err := q.claim(ctx, lane, slots, q.cfg.Now())
		if err != nil && ctx.Err() == nil {
			q.cfg.Log.ErrorContext(ctx, "jobs cannot be fetched", "lane", lane, "error", err.Error())
		}
		for _, row := range rows {
			r.work.Go(func() {
				q.runLeased(r, row)
				free <- struct{}{}
			})
		}
		for range slots - len(rows) {
			free <- struct{}{}
		}
		pause := q.cfg.Poll
		if len(rows) == slots { // there may be more
			pause = q.cfg.Cooldown
		}
		if !q.rest(ctx, lane, pause) {
			return
		}
	}
}

// waitFree waits for one free slot and takes along whatever else is free.
func waitFree(ctx context.Context, free chan struct{}) (slots int) {
	select {
	case <-ctx.Done():
		return 0
	case <-free:
	}
	for slots = 1; ; slots++ {
		select {
		case <-free:
		default:
			return slots
		}
	}
}

// rest waits for d or for a wake-up, and at least for the cooldown.
func (q *Queue) rest(ctx context.Context, lane string, d time.Duration) bool {
	never := make(chan struct{})
	within(ctx, q.wake[lane], d-q.cfg.Cooldown)
	within(ctx, never, q.cfg.Cooldown)
	return ctx.Err() == nil
}

// runLeased runs a claimed job under a context that ends when the lease is lost or the program stops.
func (q *Queue) runLeased(r *running, row Row) {
	ctx, cancel := context.WithCancelCause(r.jobs)
	defer cancel(nil)
	f := &flight{cancel: cancel}
	r.mu.Lock()
	r.held[row.ID] = f
	r.mu.Unlock()
	landed := func() { // before the end is recorded: from then on a missing lease is no loss
		r.mu.Lock()
		delete(r.held, row.ID)
		r.mu.Unlock()
	}
	_ = q.runOne(ctx, row, f, landed, q.cfg.Now, r.end)
	if row.UniqueKey != "" { // one with the same key may have been waiting for this end
		q.Wake()
	}
}

// runOne runs a claimed job and records its end.
func (q *Queue) runOne(ctx context.Context, row Row, f *flight, landed func(), now func() time.Time, grouped endFunc) error {
	w := q.workers[row.Kind]
	log := q.cfg.Log.With("job_id", row.ID, "kind", row.Kind, "attempt", row.Attempt)
	timed, cancel := context.WithTimeout(context.WithValue(ctx, loggerKey{}, log), w.opts.Timeout)
	defer cancel()
	err := q.guarded(timed, w, row, f)
	landed()
	after, cause := context.WithoutCancel(ctx), context.Cause(ctx)
	if f.ended.Load() && err == nil {
		if err = q.checkEnded(after, row); err == nil {
			return nil
		}
	}
	if errors.Is(cause, ErrLeaseLost) {
		log.WarnContext(ctx, "a job was taken over while it ran; its result is dropped")
		return cause
	}
	stopping := errors.Is(cause, ErrStopping) && err != nil && !isNap(err) && !isGivenUp(err)
	if !stopping {
		logEnd(ctx, log, row, err)
	}
	q.record(after, log, run{row, w, err, stopping, grouped}, now)
	return err
}

// checkEnded finds out the worker that called Done in a transaction which was rolled back, and then said that all was well.
func (q *Queue) checkEnded(ctx context.Context, row Row) error {
	var n int
	if err := q.cfg.DB.QueryRowContext(ctx, q.stmt.holds, row.ID, row.Attempt, q.owner).Scan(&n); err != nil {
		return fmt.Errorf("jobs: look whether %s has ended: %w", row.Kind, err)
	}
	if n > 0 {
		return errors.New("the job was ended in a transaction that was rolled back")
	}
	return nil
}

// guarded turns a panic into a failure.
func (q *Queue) guarded(ctx context.Context, w worker, row Row, f *flight) (err error) {
	defer func() {
		if p := recover(); p != nil {
			Logger(ctx).ErrorContext(ctx, "a job panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return w.work(ctx, q, row, &f.ended)
}

// keepHouse rescues, inserts periodic jobs and cleans.
func (q *Queue) keepHouse(ctx context.Context) {
	never := make(chan struct{})
	for {
		if err := q.tend(ctx, q.cfg.Now()); err != nil && ctx.Err() == nil {
			q.cfg.Log.ErrorContext(ctx, "the job table cannot be tended", "error", err.Error())
		}
		within(ctx, never, min(time.Second, q.cfg.Lease/3))
		if ctx.Err() != nil {
			return
		}
	}
}

// tend does what is due besides the jobs themselves.
func (q *Queue) tend(ctx context.Context, now time.Time) error {
	n, err := q.rescue(ctx, now)
	if n > 0 {
		q.Wake()
	}
	due, perr := q.insertPeriodic(ctx, now)
	if due {
		q.Wake()
	}
	if now.Sub(q.last) > 10*time.Minute || now.Before(q.last) {
		q.last = now
		err = errors.Join(err, q.clean(ctx, now))
	}
	return errors.Join(err, perr)
}

// Result is one run made by RunDue.
type Result struct {
	ID      string
	Kind    string
	Attempt int
	Err     error
}

// RunDue works, in this goroutine and one after the other, everything that is due at now, including what these jobs insert,
// in every lane and in the order of being due. For tests and for the crash harness: with it no time passes but what the caller
// says. now is the clock of every claim, retry and snooze; Insert goes on using Config.Now. Not for a started queue.
//
// An error is the database's; how the jobs fared is in the results. It ends after 100,000 runs, since a job that snoozes for
// nothing would never end.
func (q *Queue) RunDue(ctx context.Context, now time.Time) ([]Result, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.run != nil {
		return nil, errors.New("jobs: RunDue is for a queue that was not started")
	}
	if err := q.tend(ctx, now); err != nil {
		return nil, err
	}
	var out []Result
	for len(out) < 100_000 {
		rows, err := q.claim(ctx, "", 1, now)
		if err != nil || len(rows) == 0 {
			return out, err
		}
		err = q.runOne(ctx, rows[0], &flight{}, func() {}, func() time.Time { return now }, nil)
		out = append(out, Result{ID: rows[0].ID, Kind: rows[0].Kind, Attempt: rows[0].Attempt, Err: err})
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	return out, errors.New("jobs: 100,000 jobs were due at one moment; does one snooze for nothing?")
}
