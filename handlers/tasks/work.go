package tasks

import (
	"context"
	"database/sql"
	"time"

	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
)

// moneyLane keeps what moves money apart from everything slow.
const moneyLane = "money"

// MoneyLanes are the lanes that a process works, with how many of each run at once. A provider that answers slowly holds up one of them.
func MoneyLanes() map[string]int { return map[string]int{jobs.DefaultLane: 4, moneyLane: 16} }

// The wake-ups of the engine. What they name is looked up; running one twice does nothing twice.
type (
	sendJob    struct{ ID string }
	askJob     struct{ ID string }
	operateJob struct{ ID string }

	subAccountsJob struct{ ID string }
	bookJob        struct{ ID string }
)

// BooksJob reads the books of destinations that providers keep, and compares them with ours.
type BooksJob struct{}

// Kind names the job.
func (BooksJob) Kind() string { return "read_books" }

// Kind names the job.
func (sendJob) Kind() string { return string(store.JobSend) }

// Kind names the job.
func (askJob) Kind() string { return string(store.JobAsk) }

// Kind names the job.
func (operateJob) Kind() string { return string(store.JobOperate) }

// Kind names the job.
func (subAccountsJob) Kind() string { return string(store.JobSubAccounts) }

// Kind names the job.
func (bookJob) Kind() string { return string(store.JobBook) }

// Enqueuer files the engine's wake-ups in the transaction of the change that needs them.
type Enqueuer struct{ Queue *jobs.Queue }

// Enqueue implements store.Enqueuer.
func (e Enqueuer) Enqueue(ctx context.Context, tx *sql.Tx, kind store.JobKind, id string, at models.Micros) error {
	var args jobs.Args
	lane := moneyLane
	switch kind {
	case store.JobSubAccounts:
		args, lane = subAccountsJob{id}, jobs.DefaultLane
	case store.JobSend:
		args = sendJob{id}
	case store.JobAsk:
		args = askJob{id}
	case store.JobBook:
		args = bookJob{id}
	case store.JobKYB, store.JobKYBAsk, store.JobKYBFiles:
		return e.enqueueKYB(ctx, tx, kind, id, at)
	default:
		args = operateJob{id}
	}
	_, err := e.Queue.Insert(ctx, tx, args, jobs.Opts{ScheduledAt: at.Time(), UniqueKey: id, Lane: lane, MaxAttempts: 3})
	return err
}

// Wake spares a job the wait for the next look.
func (e Enqueuer) Wake() { e.Queue.Wake() }

// Register makes the queue work the engine's wake-ups. A wake-up that fails is not retried for long: the sweep finds what it left.
func (m *Money) Register(q *jobs.Queue) {
	opts := jobs.HandleOpts{Timeout: 2 * callTimeout, Retry: func(int) time.Duration { return 5 * time.Second }}
	jobs.Handle(q, func(ctx context.Context, j jobs.Job[sendJob]) error { return m.Send(ctx, j.Args.ID) }, opts)
	jobs.Handle(q, func(ctx context.Context, j jobs.Job[askJob]) error { return m.Ask(ctx, j.Args.ID) }, opts)
	jobs.Handle(q, func(ctx context.Context, j jobs.Job[operateJob]) error { return m.Operate(ctx, j.Args.ID) }, opts)
	jobs.Handle(q, func(ctx context.Context, j jobs.Job[bookJob]) error { return m.WriteBook(ctx, j.Args.ID) }, opts)
	jobs.Handle(q, func(ctx context.Context, _ jobs.Job[BooksJob]) error { return m.ReadAllBooks(ctx) }, jobs.HandleOpts{Timeout: 10 * time.Minute})
	q.Every("books", time.Hour, func() jobs.Args { return BooksJob{} }, jobs.Opts{})
}
