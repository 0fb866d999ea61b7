package tasks

import (
	"context"

	"countinghouse/models/jobs"
)

// RemindRotationJob reminds people of keys that should be replaced.
type RemindRotationJob struct{}

// Kind names the job.
func (RemindRotationJob) Kind() string { return "remind_rotation" }

func (k *Keeping) remind(ctx context.Context, _ jobs.Job[RemindRotationJob]) error {
	due, err := k.Store.RemindRotation(ctx)
	for _, r := range due {
		k.Log.Warn("keys should be replaced", "credential", r.Credential.ID, "name", r.Credential.Name, "days_before", r.DaysBefore)
		if k.Remind != nil {
			if err := k.Remind(ctx, r); err != nil {
				k.Log.Error("a reminder was not passed on", "credential", r.Credential.ID, "error", err)
			}
		}
	}
	return err
}
