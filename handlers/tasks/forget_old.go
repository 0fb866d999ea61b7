package tasks

import (
	"context"

	"countinghouse/models/jobs"
)

// ForgetJob deletes exchanges and deliveries that are older than they are kept.
type ForgetJob struct{}

// Kind names the job.
func (ForgetJob) Kind() string { return "forget_old" }

func (k *Keeping) forget(ctx context.Context, _ jobs.Job[ForgetJob]) error {
	before := k.Store.Now().Add(-k.KeepExchanges)
	n, err := k.Store.PruneExchanges(ctx, before)
	if err != nil {
		return err
	}
	m, err := k.Store.PruneDeliveries(ctx, before)
	if n+m > 0 {
		k.Log.Info("old records were deleted", "exchanges", n, "deliveries", m)
	}
	return err
}
