package tasks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
)

// KYBLane keeps documents, which are large and slow, apart from money.
const KYBLane = "kyb"

// kybTimeout bounds one call with documents; it is far below the time after which an open call counts as lost.
const kybTimeout = 3 * time.Minute

// maxPages bounds how far a provider's list of accounts is read.
const maxPages = 400

// The wake-ups of KYB.
type (
	kybRunJob   struct{ ID string }
	kybAskJob   struct{ ID string }
	kybFilesJob struct{}
	// KYBSweepJob finds what no job reached.
	KYBSweepJob struct{}
	// KYBDailyJob asks how every account stands, reminds of what ends, and counts anew.
	KYBDailyJob struct{}
)

// Kind names the job.
func (kybRunJob) Kind() string { return string(store.JobKYB) }

// Kind names the job.
func (kybAskJob) Kind() string { return string(store.JobKYBAsk) }

// Kind names the job.
func (kybFilesJob) Kind() string { return string(store.JobKYBFiles) }

// Kind names the job.
func (KYBSweepJob) Kind() string { return "kyb_sweep" }

// Kind names the job.
func (KYBDailyJob) Kind() string { return "kyb_daily" }

func (e Enqueuer) enqueueKYB(ctx context.Context, tx *sql.Tx, kind store.JobKind, id string, at models.Micros) error {
	var args jobs.Args = kybRunJob{id}
	switch kind {
	case store.JobKYBAsk:
		args = kybAskJob{id}
	case store.JobKYBFiles:
		args = kybFilesJob{}
	}
	_, err := e.Queue.Insert(ctx, tx, args, jobs.Opts{ScheduledAt: at.Time(), UniqueKey: id, Lane: KYBLane, MaxAttempts: 3})
	return err
}

// KYB hands documents over, asks how accounts stand, and removes files whose deletion was agreed. It is the only place from which documents
// leave the house.
type KYB struct {
	Store    *store.Store
	Clients  Clients
	Files    files.Store
	Queue    *jobs.Queue
	Log      *slog.Logger
	Instance string // this process
	Alone    bool   // no other process works on this database
	// Step is called at the step boundaries of a call with their names; nil otherwise.
	Step func(name string)
}

// Register makes the queue do the work.
func (k *KYB) Register() {
	opts := jobs.HandleOpts{Timeout: time.Hour, Retry: func(int) time.Duration { return 10 * time.Second }}
	jobs.Handle(k.Queue, func(ctx context.Context, j jobs.Job[kybRunJob]) error { return k.Send(ctx, j.Args.ID) }, opts)
	jobs.Handle(k.Queue, func(ctx context.Context, j jobs.Job[kybAskJob]) error { return k.Ask(ctx, j.Args.ID) }, jobs.HandleOpts{Timeout: 5 * time.Minute})
	jobs.Handle(k.Queue, func(ctx context.Context, _ jobs.Job[kybFilesJob]) error { return k.removeFiles(ctx) }, jobs.HandleOpts{Timeout: 5 * time.Minute})
	jobs.Handle(k.Queue, func(ctx context.Context, _ jobs.Job[KYBSweepJob]) error { return k.Sweep(ctx) }, jobs.HandleOpts{Timeout: time.Minute})
	jobs.Handle(k.Queue, func(ctx context.Context, _ jobs.Job[KYBDailyJob]) error { return k.Daily(ctx) }, jobs.HandleOpts{Timeout: 30 * time.Minute})
	k.Queue.Every("kyb_sweep", 20*time.Second, func() jobs.Args { return KYBSweepJob{} }, jobs.Opts{Lane: KYBLane})
	k.Queue.Every("kyb_daily", 6*time.Hour, func() jobs.Args { return KYBDailyJob{} }, jobs.Opts{Lane: KYBLane})
}

// Ask asks a provider how the accounts of a credential stand, and takes in what it says.
func (k *KYB) Ask(ctx context.Context, credentialID string) error {
	client, p, cred, err := k.Clients.Client(ctx, credentialID)
	if err != nil {
		k.Log.Warn("how accounts stand cannot be asked", "credential", credentialID, "error", err)
		return k.Store.PostponeKYB(ctx, credentialID)
	}
	if p.Description.KYB == nil {
		return nil
	}
	words, err := k.words(ctx, client, credentialID)
	if err != nil {
		k.Log.Warn("how accounts stand was not said", "credential", credentialID, "error", err)
		return k.Store.PostponeKYB(ctx, credentialID)
	}
	return k.Store.RecordKYBWords(ctx, credentialID, p.Description.KYB(cred.Environment, cred.Settings), words)
}

// Heard is told that a webhook names an account. What it says is not believed: it is a reason to ask.
func (k *KYB) Heard(ctx context.Context, credentialID, account string) error {
	_, err := k.Store.AskKYBSoon(ctx, credentialID, account)
	return err
}

// Sweep finds what no job reached: calls that a dead process left open, runs with something to send, questions that are due, files to remove,
// cases that cannot be searched yet.
func (k *KYB) Sweep(ctx context.Context) error {
	if n, err := k.Store.LostKYBCalls(ctx, k.Instance, k.Alone); err != nil {
		return err
	} else if n > 0 {
		k.Log.Warn("calls with documents were left open; what became of them is being asked", "calls", n)
	}
	if _, err := k.Store.WordKYB(ctx); err != nil {
		return err
	}
	runs, err := k.Store.RunningKYB(ctx)
	if err != nil {
		return err
	}
	for _, id := range runs {
		if _, err := k.Queue.InsertNow(ctx, kybRunJob{id}, jobs.Opts{Lane: KYBLane, UniqueKey: id, MaxAttempts: 3}); err != nil {
			return err
		}
	}
	due, err := k.Store.KYBCredentialsToAsk(ctx, false)
	if err != nil {
		return err
	}
	if err := k.askAll(ctx, due); err != nil {
		return err
	}
	return k.removeFiles(ctx)
}

func (k *KYB) askAll(ctx context.Context, credentials []string) error {
	for _, id := range credentials {
		if _, err := k.Queue.InsertNow(ctx, kybAskJob{id}, jobs.Opts{Lane: KYBLane, UniqueKey: id, MaxAttempts: 3}); err != nil {
			return err
		}
	}
	return nil
}

// Daily asks how every account stands, reminds, counts anew by the lists of this version of the program, and sweeps the file store.
func (k *KYB) Daily(ctx context.Context) error {
	all, err := k.Store.KYBCredentialsToAsk(ctx, true)
	if err == nil {
		err = k.askAll(ctx, all)
	}
	due, rerr := k.Store.RemindKYB(ctx)
	for _, r := range due {
		k.Log.Warn("a KYB document ends soon", "document", r.Document.ID, "days_before", r.DaysBefore)
	}
	_, cerr := k.Store.RefreshKYB(ctx)
	return errors.Join(err, rerr, cerr, k.sweepFiles(ctx))
}

// removeFiles removes the files whose deletion two people agreed to.
func (k *KYB) removeFiles(ctx context.Context) error {
	list, err := k.Store.KYBFilesToDelete(ctx)
	if err != nil {
		return err
	}
	for _, v := range list {
		shared, err := k.Store.KYBKeyShared(ctx, v.Key, v.ID)
		if err != nil {
			return err
		}
		if !shared {
			if err := k.Files.Delete(ctx, v.Key); err != nil && !errors.Is(err, files.ErrNotFound) {
				return fmt.Errorf("remove %s: %w", v.Key, err)
			}
		}
		if err := k.Store.KYBFileDeleted(ctx, v.ID); err != nil {
			return err
		}
	}
	return nil
}

// sweepFiles removes what an upload left behind that was never written down: files of KYB and of transactions, a day old, that no row knows.
func (k *KYB) sweepFiles(ctx context.Context) error {
	old := k.Store.Now().Add(-24 * time.Hour).Time()
	for info, err := range k.Files.All(ctx) {
		if err != nil {
			return err
		}
		var inUse func(context.Context, string) (bool, error)
		switch {
		case info.Modified.After(old):
			continue
		case strings.HasPrefix(info.Key, "kyb/"):
			inUse = k.Store.KYBKeyKnown
		case strings.HasPrefix(info.Key, models.PaperPrefix):
			inUse = k.Store.PaperKeyKnown
		default:
			continue
		}
		known, err := inUse(ctx, info.Key)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if err := k.Files.Delete(ctx, info.Key); err != nil && !errors.Is(err, files.ErrNotFound) {
			return err
		}
		k.Log.Info("a file that belongs to nothing was removed", "key", info.Key)
	}
	return nil
}
