package jobs

import "time"

// SetPatience shortens the wait for cancelled jobs.
func (q *Queue) SetPatience(d time.Duration) { q.patience = d }
