// Package jobs is a queue in a table: work that must happen is written in the same transaction as the reason for it, and is
// done later by whichever instance of the program is alive.
//
// Imported by models/store (to insert), handlers/tasks (to work) and web (to start and stop). It imports nothing of ours.
//
// What is promised:
//   - after a rollback nothing is left, after a commit the job will run;
//   - at least once: a worker that dies loses its lease, and the job runs again. At most one run of a job holds the lease, and
//     of all jobs with one kind and unique key at most one runs at a time;
//   - a result is recorded only by the run that holds the lease;
//   - moments are UTC microseconds, so the machine's time zone does not matter.
//
// What is not: exactly once. A worker that talks to a provider must be safe to run again (safety.md, section 1), or end itself
// in the transaction that records the answer (Job.Done).
//
// Why not River: see testdata/river_snooze_test.go.txt. The shape of the API is River's.
package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Engine is the database behind the queue.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DefaultLane is where jobs go that name no lane.
const DefaultLane = "default"

// Args is what a job needs to know. It is stored as JSON. Kind names the worker and must be the same for every value of the
// type, the zero value included.
type Args interface{ Kind() string }

// Tx is the transaction in which a job is written: a *sql.Tx, or GORM's tx.Statement.ConnPool inside a transaction.
type Tx interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Opts are the wishes for one job. The zero value means: as soon as possible, in the default lane.
type Opts struct {
	// ScheduledAt is the earliest moment. Zero is now.
	ScheduledAt time.Time
	// UniqueKey, with the kind, allows one waiting job. Inserting a second one leaves one waiting, at the earlier of the two
	// moments and with the first one's args. A running job does not count, since it may have read what has changed since; the
	// waiting one starts only after it has ended.
	UniqueKey string
	// Lane is a queue with workers of its own, so that slow work does not hold up quick work. Default DefaultLane.
	Lane string
	// MaxAttempts is how often the job may fail before it is given up. Default 25, which is about three weeks.
	MaxAttempts int
}

// Config of a queue. DB and Engine are needed to insert; the rest is for working.
type Config struct {
	// DB is the pool that may write. On SQLite it has one connection; the queue never holds it across two statements, so
	// transactions of others only make it wait.
	DB     *sql.DB
	Engine Engine
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log receives failures, panics and what the queue does by itself. Default: nowhere.
	Log *slog.Logger
	// Lanes maps each lane that this process works to how many jobs of it run at once. Default {DefaultLane: 8}.
	Lanes map[string]int
	// Poll is the pause between looks at an empty lane; Wake ends it early. Default 200 ms.
	Poll time.Duration
	// Cooldown is the least time between two looks at a lane. Default 2 ms.
	Cooldown time.Duration
	// Lease is how long a silent process keeps its jobs. Renewed every third of it. Default 15 s.
	Lease time.Duration
	// Alone says that no other process works this database. Start then takes back at once what a killed predecessor left running.
	// Set it only while holding a lock on the data folder.
	Alone bool
	// StopGrace is how long Stop lets jobs end by themselves before it cancels them. Default 10 s.
	StopGrace time.Duration
	// KeepDone and KeepFailed are how long ended jobs stay readable. Default 24 h and 30 days.
	KeepDone, KeepFailed time.Duration
	// OnFailed hears of every job that was given up. Optional.
	OnFailed func(ctx context.Context, row Row)
}

// Queue inserts and works jobs. Safe for concurrent use after the last Handle and Every.
type Queue struct {
	cfg     Config
	owner   string // this process in lease_owner
	workers map[string]worker
	every   []*periodic
	stmt    statements

	wake     map[string]chan struct{}
	mu       sync.Mutex
	run      *running      // nil while stopped
	last     time.Time     // of the last cleaning
	patience time.Duration // with cancelled jobs, at Stop
}

// New prepares a queue. The tables must exist: see Migrate.
func New(cfg Config) (*Queue, error) {
	if cfg.DB == nil || cfg.Engine != SQLite && cfg.Engine != Postgres {
		return nil, errors.New("jobs: a database and its engine are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if len(cfg.Lanes) == 0 {
		cfg.Lanes = map[string]int{DefaultLane: 8}
	}
	for lane, n := range cfg.Lanes {
		if lane == "" || n < 1 {
			return nil, fmt.Errorf("jobs: the lane %q needs a name and at least one worker", lane)
		}
	}
	setDefault(&cfg.Poll, 200*time.Millisecond)
	setDefault(&cfg.Cooldown, 2*time.Millisecond)
	setDefault(&cfg.Lease, 15*time.Second)
	setDefault(&cfg.StopGrace, 10*time.Second)
	setDefault(&cfg.KeepDone, 24*time.Hour)
	setDefault(&cfg.KeepFailed, 30*24*time.Hour)
	q := &Queue{cfg: cfg, owner: newID(), workers: map[string]worker{}, wake: map[string]chan struct{}{}, patience: 5 * time.Second, stmt: statementsFor(cfg.Engine)}
	for lane := range cfg.Lanes {
		q.wake[lane] = make(chan struct{}, 1)
	}
	return q, nil
}

// Inserted tells what an insert did.
type Inserted struct {
	// ID of the job that will run: the new one, or the one that was waiting with the same key.
	ID string
	// Fresh is false when a job with the same kind and key was waiting already.
	Fresh bool
}

// Insert writes a job in the caller's transaction. Nothing happens before the commit; call Wake after it to spare the job the
// wait for the next look.
func (q *Queue) Insert(ctx context.Context, tx Tx, args Args, opts Opts) (Inserted, error) {
	kind := args.Kind()
	if kind == "" || len(kind) > 100 || len(opts.UniqueKey) > 500 || opts.MaxAttempts < 0 {
		return Inserted{}, fmt.Errorf("jobs: insert %q: the kind, key or number of attempts is out of bounds", kind)
	}
	body, err := json.Marshal(args)
	if err != nil {
		return Inserted{}, fmt.Errorf("jobs: insert %s: %w", kind, err)
	}
	now, id := q.cfg.Now(), newID()
	if opts.ScheduledAt.IsZero() {
		opts.ScheduledAt = now
	}
	if opts.Lane == "" {
		opts.Lane = DefaultLane
	}
	if opts.MaxAttempts == 0 {
		opts.MaxAttempts = 25
	}
	var key sql.NullString
	if opts.UniqueKey != "" {
		key = sql.NullString{String: opts.UniqueKey, Valid: true}
	}
	var got string
	err = tx.QueryRowContext(ctx, q.stmt.insert, id, kind, opts.Lane, string(body), key, opts.ScheduledAt.UnixMicro(),
		opts.MaxAttempts, now.UnixMicro()).Scan(&got)
	if err != nil {
		return Inserted{}, fmt.Errorf("jobs: insert %s: %w", kind, err)
	}
	return Inserted{ID: got, Fresh: got == id}, nil
}

// InsertNow writes a job in a transaction of its own and wakes its lane. Never call it inside another transaction: on SQLite
// it would wait for the one connection that the other holds.
func (q *Queue) InsertNow(ctx context.Context, args Args, opts Opts) (Inserted, error) {
	in, err := q.Insert(ctx, q.cfg.DB, args, opts)
	if err == nil {
		q.Wake()
	}
	return in, err
}

// Wake makes every lane of this process look at once. Cheap; call it after a commit.
func (q *Queue) Wake() {
	for _, c := range q.wake {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// HandleOpts tune a kind.
type HandleOpts struct {
	// Timeout ends the context of a run. Default 2 minutes.
	Timeout time.Duration
	// Retry is the pause after the given failed attempt (1 is the first). Default: attempt⁴ seconds, at most 6 h, plus a tenth.
	Retry func(attempt int) time.Duration
}

// worker is a registered kind without its type.
type worker struct {
	opts HandleOpts
	work func(ctx context.Context, q *Queue, row Row, ended *atomic.Bool) error
}

// Job is one run of a job.
type Job[T Args] struct {
	Row
	Args T

	q     *Queue
	ended *atomic.Bool
}

// Handle registers the worker of a kind. Before Start and RunDue; twice for one kind panics, since that is a mistake in the
// program's composition. Args that cannot be read give the job up.
func Handle[T Args](q *Queue, work func(ctx context.Context, job Job[T]) error, opts HandleOpts) {
	var zero T
	kind := zero.Kind()
	if _, twice := q.workers[kind]; twice || kind == "" {
		panic(fmt.Sprintf("jobs: kind %q is registered twice or has no name", kind))
	}
	setDefault(&opts.Timeout, 2*time.Minute)
	if opts.Retry == nil {
		opts.Retry = backoff
	}
	q.workers[kind] = worker{opts: opts, work: func(ctx context.Context, q *Queue, row Row, ended *atomic.Bool) error {
		job := Job[T]{Row: row, q: q, ended: ended}
		if err := json.Unmarshal([]byte(row.JSON), &job.Args); err != nil {
			return GiveUp(fmt.Errorf("the args cannot be read: %w", err))
		}
		return work(ctx, job)
	}}
}

// Done ends the job in the caller's transaction, so that its effect and its end are one. If the lease was lost meanwhile the
// error is ErrLeaseLost and the caller must roll back: another run has taken over. After a rollback the worker must return an
// error.
func (j Job[T]) Done(ctx context.Context, tx Tx) error {
	if err := held(tx.ExecContext(ctx, j.q.stmt.done, j.q.cfg.Now().UnixMicro(), j.ID, j.Attempt, j.q.owner)); err != nil {
		return fmt.Errorf("jobs: end %s: %w", j.Kind, err)
	}
	j.ended.Store(true)
	return nil
}

// ErrLeaseLost is the cause of a cancelled run whose job was taken over, and the answer of Done to such a run.
var ErrLeaseLost = errors.New("jobs: another process has taken this job over")

// ErrStopping is the cause of a run cancelled because the program stops.
var ErrStopping = errors.New("jobs: the program is stopping")

type snoozed struct{ d time.Duration }

func (s snoozed) Error() string { return "again in " + s.d.String() }

// Snooze ends a run without success or failure: the job waits for d. It does not count as an attempt.
func Snooze(d time.Duration) error { return snoozed{d} }

type givenUp struct{ err error }

func (g givenUp) Error() string { return g.err.Error() }
func (g givenUp) Unwrap() error { return g.err }

// GiveUp makes a failure final, whatever attempts are left.
func GiveUp(err error) error { return givenUp{err} }

func backoff(attempt int) time.Duration {
	n := min(attempt, 12) // 12⁴ s is 5.8 h
	d := time.Duration(n*n*n*n) * time.Second
	return min(d+d/10, 6*time.Hour)
}

type loggerKey struct{}

// Logger is the log of the running job: it carries job id, kind and attempt. Outside a job it goes nowhere.
func Logger(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return l
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

func (q *Queue) kinds() []any {
	out := make([]any, 0, len(q.workers))
	for k := range q.workers {
		out = append(out, k)
	}
	return out
}

func setDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
