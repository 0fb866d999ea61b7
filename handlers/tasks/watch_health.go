package tasks

import (
	"context"

	"countinghouse/models/jobs"
)

// WatchHealthJob compares how each credential does with how it did.
type WatchHealthJob struct{}

// Kind names the job.
func (WatchHealthJob) Kind() string { return "watch_health" }

// watch judges every credential in use. One that cannot be judged does not keep the others waiting; the next round comes in a few minutes.
func (k *Keeping) watch(ctx context.Context, _ jobs.Job[WatchHealthJob]) error {
	list, err := k.Store.WorkingCredentials(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		f, err := k.Store.DriftFigures(ctx, c)
		if err != nil {
			return err
		}
		if p, err := k.Desk.provider(c.Provider); err == nil {
			f.TakesWebhooks = len(p.Description.Webhooks) > 0
		}
		drift := c.Drift(f)
		for _, d := range drift {
			k.Log.Warn("a credential drifts", "credential", c.ID, "name", c.Name, "kind", d.Kind)
		}
		if err := k.Store.RecordDrift(ctx, c, drift); err != nil {
			return err
		}
	}
	return nil
}
