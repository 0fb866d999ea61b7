package jobs

import (
	"context"
	"maps"
)

// keepLeases renews the leases of what runs here and cancels what was lost.
func (q *Queue) keepLeases(ctx context.Context, r *running) {
	never := make(chan struct{})
	for !within(ctx, never, q.cfg.Lease/3) && ctx.Err() == nil {
		if err := q.renewHeld(ctx, r); err != nil && ctx.Err() == nil {
			q.cfg.Log.ErrorContext(ctx, "leases cannot be renewed", "error", err.Error())
		}
	}
}

func (q *Queue) renewHeld(ctx context.Context, r *running) error {
	r.mu.Lock()
	before := maps.Clone(r.held)
	r.mu.Unlock()
	if len(before) == 0 {
		return nil
	}
	still, err := q.renew(ctx, q.cfg.Now())
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, f := range before {
		if r.held[id] == f && !still[id] && !f.ended.Load() {
			q.cfg.Log.WarnContext(ctx, "a lease was lost", "job_id", id)
			f.cancel(ErrLeaseLost)
		}
	}
	return nil
}
