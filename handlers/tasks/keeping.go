package tasks

import (
	"context"
	"log/slog"
	"time"

	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Keeping is the periodic work around credentials: balances, reminders, and forgetting what is old.
type Keeping struct {
	Store *store.Store
	Desk  *Desk
	Queue *jobs.Queue
	Log   *slog.Logger
	// BalancesEvery is the pause between two readings of all balances. Default 10 minutes.
	BalancesEvery time.Duration
	// KeepExchanges is how long exchanges and unmatched deliveries stay. Default 400 days; those that are evidence stay for ever.
	KeepExchanges time.Duration
	// Remind is told of every reminder to replace keys, once. It may be nil: the audit trail has them all the same.
	Remind func(ctx context.Context, r store.Reminder) error
}

// The kinds of periodic work.
type (
	// AllBalancesJob files a BalancesJob per credential.
	AllBalancesJob struct{}
	// BalancesJob reads the balances of one credential.
	BalancesJob struct {
		Credential string `json:"credential"`
	}
)

// Kind names the job.
func (AllBalancesJob) Kind() string { return "all_balances" }

// Kind names the job.
func (BalancesJob) Kind() string { return "refresh_balances" }

// BalancesLane keeps a provider that answers slowly from holding up anything else.
const BalancesLane = "balances"

// KeyLanes is how many jobs about webhooks and balances run side by side.
func KeyLanes() map[string]int { return map[string]int{WebhookLane: 4, BalancesLane: 4} }

// Register makes the queue do the work.
func (k *Keeping) Register() {
	if k.BalancesEvery <= 0 {
		k.BalancesEvery = 10 * time.Minute
	}
	if k.KeepExchanges <= 0 {
		k.KeepExchanges = models.Days(400)
	}
	jobs.Handle(k.Queue, k.allBalances, jobs.HandleOpts{})
	jobs.Handle(k.Queue, k.balances, jobs.HandleOpts{Timeout: 2 * time.Minute})
	jobs.Handle(k.Queue, k.remind, jobs.HandleOpts{})
	jobs.Handle(k.Queue, k.watch, jobs.HandleOpts{Timeout: 2 * time.Minute})
	jobs.Handle(k.Queue, k.forget, jobs.HandleOpts{Timeout: 10 * time.Minute})
	k.Queue.Every("balances", k.BalancesEvery, func() jobs.Args { return AllBalancesJob{} }, jobs.Opts{})
	k.Queue.Every("health", 5*time.Minute, func() jobs.Args { return WatchHealthJob{} }, jobs.Opts{})
	k.Queue.Every("rotation", time.Hour, func() jobs.Args { return RemindRotationJob{} }, jobs.Opts{})
	k.Queue.Every("forget", 24*time.Hour, func() jobs.Args { return ForgetJob{} }, jobs.Opts{})
}

func (k *Keeping) allBalances(ctx context.Context, _ jobs.Job[AllBalancesJob]) error {
	list, err := k.Store.WorkingCredentials(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		if p, err := k.Desk.provider(c.Provider); err != nil || !p.Description.Has(providers.CanReadBalances) {
			continue
		}
		if _, err := k.Queue.InsertNow(ctx, BalancesJob{Credential: c.ID}, jobs.Opts{Lane: BalancesLane, UniqueKey: c.ID, MaxAttempts: 1}); err != nil {
			return err
		}
	}
	return nil
}

// balances reads one credential. A provider that does not answer is no failure of the job: the reason stands beside the figures, and the next
// round asks again.
func (k *Keeping) balances(ctx context.Context, job jobs.Job[BalancesJob]) error {
	if err := k.Desk.RefreshBalances(ctx, job.Args.Credential); err != nil {
		k.Log.Warn("balances were not read", "credential", job.Args.Credential, "error", err)
	}
	return nil
}
