package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// maxEnds is how many successes share one commit.
const maxEnds = 64

// run is what is to be recorded of a run.
type run struct {
	row      Row
	worker   worker
	err      error
	stopping bool
	grouped  endFunc // nil: record by itself
}

// endFunc records a success together with others.
type endFunc func(ctx context.Context, row Row) error

// ending is a success on its way to the table.
type ending struct {
	row  Row
	told chan error
}

// errAlone means that nobody groups any more: the queue has stopped.
var errAlone = errors.New("jobs: record by yourself")

// end hands a success over and waits until it is in the table. A run that outlived Stop gets errAlone.
func (r *running) end(ctx context.Context, row Row) error {
	e := ending{row, make(chan error, 1)}
	select {
	case r.ends <- e:
	case <-r.over:
		return errAlone
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-e.told:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-r.over:
	}
	select { // it may have been among the last
	case err := <-e.told:
		return err
	default:
		return errAlone
	}
}

// keepEnds records successes. Whatever came in while the last commit was made goes into the next one, so that many quick jobs
// cost few commits and a single one does not wait.
func (q *Queue) keepEnds(ctx context.Context, r *running) {
	defer close(r.over)
	for {
		var batch []ending
		select {
		case <-ctx.Done():
			return
		case e := <-r.ends:
			batch = append(batch, e)
		}
		for more := true; more && len(batch) < maxEnds; {
			select {
			case e := <-r.ends:
				batch = append(batch, e)
			default:
				more = false
			}
		}
		errs, err := q.recordEnds(ctx, batch)
		for i, e := range batch {
			if err != nil {
				e.told <- err
				continue
			}
			e.told <- errs[i]
		}
	}
}

// recordEnds writes a batch in one transaction. A run that lost its lease does not spoil the others.
func (q *Queue) recordEnds(ctx context.Context, batch []ending) (errs []error, err error) {
	now := q.cfg.Now().UnixMicro()
	if len(batch) == 1 {
		row := batch[0].row
		return []error{held(q.cfg.DB.ExecContext(ctx, q.stmt.done, now, row.ID, row.Attempt, q.owner))}, nil
	}
	tx, err := q.cfg.DB.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	for _, e := range batch {
		err := held(tx.ExecContext(ctx, q.stmt.done, now, e.row.ID, e.row.Attempt, q.owner))
		if err != nil && !errors.Is(err, ErrLeaseLost) {
			return nil, fmt.Errorf("jobs: record ends: %w", err)
		}
		errs = append(errs, err)
	}
	return errs, tx.Commit()
}

func logEnd(ctx context.Context, log *slog.Logger, row Row, err error) {
	switch {
	case err == nil, isNap(err):
	case isFinal(err, row):
		log.ErrorContext(ctx, "a job failed for good", "error", short(err))
	default:
		log.WarnContext(ctx, "a job failed and will be tried again", "error", short(err))
	}
}

// record writes the end of a run, with patience: what is not recorded runs again.
func (q *Queue) record(ctx context.Context, log *slog.Logger, r run, now func() time.Time) {
	var failure error
	for try := range 5 {
		bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
		failure = q.finish(bounded, r, now())
		cancel()
		if failure == nil || errors.Is(failure, ErrLeaseLost) {
			break
		}
		time.Sleep(time.Duration(try+1) * 50 * time.Millisecond)
	}
	if failure != nil {
		log.ErrorContext(ctx, "the end of a job could not be recorded; it will run again", "error", failure.Error())
		return
	}
	if q.cfg.OnFailed != nil && !r.stopping && isFinal(r.err, r.row) {
		r.row.LastError = short(r.err)
		q.cfg.OnFailed(ctx, r.row)
	}
}
