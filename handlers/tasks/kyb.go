package tasks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/providers"
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

func (k *KYB) step(name string) {
	if k.Step != nil {
		k.Step(name)
	}
}

// Send makes the calls of a run, one after the other: the intent is committed, then the one call is made, then the answer is recorded. Running it
// again for the same run hands nothing over twice.
func (k *KYB) Send(ctx context.Context, runID string) error {
	run, err := k.Store.KYBRunForTask(ctx, runID)
	if err != nil || run.State != "running" {
		return err
	}
	for {
		rules, words, err := k.before(ctx, run)
		if err != nil {
			k.Log.Warn("documents cannot be handed over now", "run", runID, "error", err)
			return k.Store.StopKYBRun(ctx, runID, sentenceOf(err))
		}
		k.step("before_intent")
		o, err := k.Store.BeginKYBCall(ctx, runID, k.Instance, store.KYBLimits{Companies: rules.MaxCompanies, Bytes: rules.BatchBytes}, words)
		if models.Is(err, models.Conflict) || (err == nil && o == nil) {
			return nil // another call of the credential is in flight and the sweep comes back; or nothing waits
		}
		if err != nil {
			return err
		}
		k.step("after_intent")
		ans := k.call(ctx, o)
		k.step("after_answer")
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		err = k.Store.RecordKYBCall(rctx, o.Call.ID, ans)
		cancel()
		if err != nil {
			return fmt.Errorf("record the answer to a KYB call: %w", err)
		}
		k.step("after_record")
		if ans.State == "not_sent" {
			return k.Store.StopKYBRun(ctx, runID, ans.Message)
		}
	}
}

// before collects what must be known before anything is sent: the provider's rules, and its words for the accounts, by which a lost answer is
// settled.
func (k *KYB) before(ctx context.Context, run models.KYBRun) (rules models.KYBRules, words map[string]string, err error) {
	client, p, cred, err := k.Clients.Client(ctx, run.CredentialID)
	if err != nil {
		return rules, nil, err
	}
	if cred.State != models.CredentialActive {
		return rules, nil, models.Errorf(models.Conflict, "The credential %s is not in use.", cred.Name)
	}
	if _, ok := client.(providers.KYBSubmitter); !ok || p.Description.KYB == nil {
		return rules, nil, models.Errorf(models.Conflict, "%s takes no documents.", p.Description.Title)
	}
	rules = p.Description.KYB(cred.Environment, cred.Settings)
	said, err := k.words(ctx, client, cred.ID)
	words = map[string]string{}
	for account, w := range said {
		words[account] = w.Word
	}
	return rules, words, err
}

// words reads the provider's list of accounts to its end.
func (k *KYB) words(ctx context.Context, client any, credentialID string) (map[string]store.KYBWord, error) {
	lister, ok := client.(providers.SubAccounts)
	if !ok {
		return nil, models.Errorf(models.Conflict, "This provider does not say how its accounts stand.")
	}
	ctx = WithSubject(ctx, "credential", credentialID)
	out := map[string]store.KYBWord{}
	for page, pages := 1, 1; page <= pages && page <= maxPages; page++ {
		cctx, cancel := context.WithTimeout(ctx, callTimeout)
		list, n, err := lister.ListSubAccounts(cctx, page)
		cancel()
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out[a.ID] = store.KYBWord{Word: a.State, Note: a.Note}
		}
		if pages = n; len(list) == 0 {
			break
		}
	}
	return out, nil
}

// call makes the one call of an intent and says what came of it. It never panics past here: a client that does leaves the outcome unknown.
func (k *KYB) call(ctx context.Context, o *store.KYBOrder) (ans store.KYBAnswer) {
	defer func() {
		if r := recover(); r != nil {
			k.Log.Error("a provider client panicked", "call", o.Call.ID, "panic", fmt.Sprint(r))
			ans = store.KYBAnswer{State: "unknown", Message: "The program failed while it waited for the answer"}
		}
	}()
	client, _, _, err := k.Clients.Client(ctx, o.Run.CredentialID)
	if err != nil {
		return store.KYBAnswer{State: "not_sent", Message: sentenceOf(err)}
	}
	sets := map[string][]providers.Document{}
	for _, sub := range o.Submissions {
		if sets[sub.Account], err = k.load(ctx, sub); err != nil {
			k.Log.Error("a document cannot be read", "submission", sub.ID, "error", err)
			return store.KYBAnswer{State: "not_sent", Message: "A document of " + sub.Company + " cannot be read from the file store"}
		}
	}
	// A stop of the program does not cut a call that may already have handed something over: it has its own time limit.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), kybTimeout)
	defer cancel()
	cctx, exchanges := WithExchanges(WithSubject(cctx, "kyb", o.Call.ID))
	ans = kybAnswerOf(handOver(cctx, client, sets))
	ans.ExchangeID = newest(exchanges())
	return ans
}

// handOver is the one function through which documents leave.
func handOver(ctx context.Context, client any, sets map[string][]providers.Document) providers.Outcome {
	c, ok := client.(providers.KYBSubmitter)
	if !ok {
		return providers.Refused{Code: providers.NotSent, Message: "This provider takes no documents"}
	}
	if len(sets) == 1 {
		for account, docs := range sets {
			return c.SubmitKYB(ctx, account, docs)
		}
	}
	return c.SubmitKYBBatch(ctx, sets)
}

// load reads the files of a submission and holds each against the hash that was approved.
func (k *KYB) load(ctx context.Context, sub models.KYBSubmission) ([]providers.Document, error) {
	var out []providers.Document
	for _, f := range sub.Files {
		key, err := k.Store.KYBFileKey(ctx, f.VersionID)
		if err != nil {
			return nil, err
		}
		rc, err := k.Files.Open(ctx, key)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(files.Verified(rc, f.SHA256), f.Size+1))
		if err = errors.Join(err, rc.Close()); err != nil {
			return nil, err
		}
		if int64(len(body)) != f.Size {
			return nil, fmt.Errorf("%s: %w", f.VersionID, files.ErrSize)
		}
		out = append(out, providers.Document{Name: f.Name, Type: f.Type, Kind: string(f.Kind), Body: body})
	}
	return out, nil
}

// kybAnswerOf turns a provider's outcome into what the store records. Anything that is none of the three outcomes is unknown.
func kybAnswerOf(out providers.Outcome) store.KYBAnswer {
	switch o := out.(type) {
	case providers.Accepted:
		return store.KYBAnswer{State: "accepted", Message: "Accepted"}
	case providers.Refused:
		state := "declined"
		if o.Code == providers.NotSent {
			state = "not_sent"
		}
		message := models.Safe(o.Message, 300)
		if message == "" {
			message = "refused with code " + models.Safe(o.Code, 60)
		}
		return store.KYBAnswer{State: state, Code: o.Code, Message: strings.TrimSuffix(message, ".")}
	case providers.Unknown:
		return store.KYBAnswer{State: "unknown", Message: strings.TrimSuffix(models.Safe(o.Cause, 300), ".")}
	}
	return store.KYBAnswer{State: "unknown", Message: "The client gave no outcome"}
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
