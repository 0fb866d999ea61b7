package jobs_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"countinghouse/models/jobs"
)

type send struct{ N int }

func (send) Kind() string { return "send" }

type poll struct{ Of string }

func (poll) Kind() string { return "poll" }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func newQueue(t testing.TB, db database, change func(*jobs.Config)) *jobs.Queue {
	t.Helper()
	cfg := jobs.Config{DB: db.sql, Engine: db.engine, Poll: 5 * time.Millisecond, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	if change != nil {
		change(&cfg)
	}
	q, err := jobs.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// fixed is a queue under a clock that stands still, with a worker that keeps what it sees and answers from a script.
func fixed(t *testing.T, db database, script ...error) (*jobs.Queue, *clock, *[]string) {
	c := &clock{at: noon}
	q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Now = c.now })
	var seen []string
	answer := func(what string) error {
		seen = append(seen, what)
		if len(script) == 0 {
			return nil
		}
		next := script[0]
		script = script[1:]
		return next
	}
	jobs.Handle(q, func(_ context.Context, j jobs.Job[send]) error {
		return answer(fmt.Sprintf("send %d attempt %d", j.Args.N, j.Attempt))
	}, jobs.HandleOpts{})
	jobs.Handle(q, func(_ context.Context, j jobs.Job[poll]) error {
		return answer("poll " + j.Args.Of)
	}, jobs.HandleOpts{Retry: func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }})
	return q, c, &seen
}

func insert(t testing.TB, q *jobs.Queue, args jobs.Args, opts jobs.Opts) jobs.Inserted {
	t.Helper()
	in, err := q.InsertNow(t.Context(), args, opts)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func runDue(t testing.TB, q *jobs.Queue, now time.Time) []jobs.Result {
	t.Helper()
	got, err := q.RunDue(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantRows(t *testing.T, db database, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, db.rows(t)); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

func wantSeen(t *testing.T, seen *[]string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, *seen); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	*seen = nil
}

func TestAJobLivesAndDiesWithGORMsTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db)
		undo := errors.New("undo")
		for _, fate := range []error{undo, nil} {
			err := db.gorm.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
				if _, err := q.Insert(t.Context(), tx.Statement.ConnPool.(*sql.Tx), send{1}, jobs.Opts{}); err != nil {
					return err
				}
				return fate
			})
			if !errors.Is(err, fate) {
				t.Fatal(err)
			}
			if fate != nil {
				wantRows(t, db)
			}
		}
		wantRows(t, db, `send {"N":1} waiting 0`)
		runDue(t, q, noon)
		wantSeen(t, seen, "send 1 attempt 1")
		wantRows(t, db, `send {"N":1} done 1`)
		runDue(t, q, noon.Add(time.Hour))
		wantSeen(t, seen)
	})
}

func TestAScheduledJobRunsWhenItIsDueAndNotBefore(t *testing.T) {
	zone := time.FixedZone("East", 5*3600)
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db)
		insert(t, q, send{2}, jobs.Opts{ScheduledAt: noon.Add(time.Minute).In(zone)})
		insert(t, q, send{1}, jobs.Opts{ScheduledAt: noon.Add(time.Minute - time.Microsecond)})
		runDue(t, q, noon)
		wantSeen(t, seen)
		runDue(t, q, noon.Add(time.Minute-time.Microsecond))
		wantSeen(t, seen, "send 1 attempt 1")
		runDue(t, q, noon.Add(time.Minute))
		wantSeen(t, seen, "send 2 attempt 1")
	})
}

func TestJobsRunInTheOrderOfBeingDue(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db)
		for i := range 5 {
			insert(t, q, send{i}, jobs.Opts{ScheduledAt: noon.Add(-time.Duration(i) * time.Second), Lane: fmt.Sprint("lane", i%2)})
		}
		runDue(t, q, noon)
		wantSeen(t, seen, "send 4 attempt 1", "send 3 attempt 1", "send 2 attempt 1", "send 1 attempt 1", "send 0 attempt 1")
	})
}

func TestAUniqueKeyAllowsOneWaitingJobAtTheEarlierMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db)
		first := insert(t, q, poll{"a"}, jobs.Opts{UniqueKey: "tx1", ScheduledAt: noon.Add(24 * time.Hour)})
		second := insert(t, q, poll{"a"}, jobs.Opts{UniqueKey: "tx1"}) // a webhook came: ask now, not tomorrow
		third := insert(t, q, poll{"a"}, jobs.Opts{UniqueKey: "tx1", ScheduledAt: noon.Add(48 * time.Hour)})
		if !first.Fresh || second != (jobs.Inserted{ID: first.ID}) || third != (jobs.Inserted{ID: first.ID}) {
			t.Errorf("inserted %+v %+v %+v", first, second, third)
		}
		if other := insert(t, q, poll{"b"}, jobs.Opts{UniqueKey: "tx2"}); !other.Fresh {
			t.Error("another key was taken for the same")
		}
		if other := insert(t, q, send{1}, jobs.Opts{UniqueKey: "tx1"}); !other.Fresh {
			t.Error("another kind was taken for the same")
		}
		runDue(t, q, noon)
		wantSeen(t, seen, "poll a", "poll b", "send 1 attempt 1")
		if again := insert(t, q, poll{"a"}, jobs.Opts{UniqueKey: "tx1"}); !again.Fresh {
			t.Error("a job that has ended still blocks its key")
		}
	})
}

func TestTwoInsertsOfOneKeyAtOnceLeaveOneJob(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q := newQueue(t, db, nil)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := q.InsertNow(t.Context(), poll{"x"}, jobs.Opts{UniqueKey: "k"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantRows(t, db, `poll {"Of":"x"} waiting 0`)
	})
}

func TestAJobMayAskForItsSuccessorWhichWaitsForItsEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		c := &clock{at: noon}
		q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Now = c.now })
		var running, most, runs int
		jobs.Handle(q, func(ctx context.Context, j jobs.Job[poll]) error {
			running++
			most, runs = max(most, running), runs+1
			if runs == 1 {
				if in, err := q.InsertNow(ctx, j.Args, jobs.Opts{UniqueKey: j.UniqueKey}); err != nil || !in.Fresh {
					t.Errorf("successor: %+v %v", in, err)
				}
				if got, err := q.Stats(ctx); err != nil || got["default"].Running != 1 || got["default"].Due != 1 {
					t.Errorf("stats %+v %v", got, err)
				}
			}
			running--
			return nil
		}, jobs.HandleOpts{})
		insert(t, q, poll{"a"}, jobs.Opts{UniqueKey: "k"})
		runDue(t, q, noon)
		if runs != 2 || most != 1 {
			t.Errorf("%d runs, %d at once", runs, most)
		}
	})
}

func TestAFailureIsTriedAgainLaterAndThenGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		boom := errors.New("boom")
		q, _, seen := fixed(t, db, boom, boom, boom)
		in := insert(t, q, poll{"a"}, jobs.Opts{MaxAttempts: 3})
		got := runDue(t, q, noon)
		if diff := cmp.Diff([]jobs.Result{{ID: in.ID, Kind: "poll", Attempt: 1, Err: boom}}, got, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
			t.Error(diff)
		}
		wantRows(t, db, `poll {"Of":"a"} waiting 1 boom`)
		runDue(t, q, noon.Add(time.Minute-1000))
		wantSeen(t, seen, "poll a")
		runDue(t, q, noon.Add(time.Minute))
		runDue(t, q, noon.Add(3*time.Minute-1000))
		wantSeen(t, seen, "poll a")
		runDue(t, q, noon.Add(3*time.Minute))
		wantSeen(t, seen, "poll a")
		wantRows(t, db, `poll {"Of":"a"} failed 3 boom`)

		failed, err := q.Failed(t.Context(), 10)
		if err != nil || len(failed) != 1 || failed[0].ID != in.ID || failed[0].LastError != "boom" {
			t.Fatalf("failed %+v %v", failed, err)
		}
		if ok, err := q.Retry(t.Context(), db.sql, in.ID); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if ok, err := q.Retry(t.Context(), db.sql, in.ID); ok || err != nil {
			t.Fatal("retried what is not failed", err)
		}
		runDue(t, q, noon.Add(4*time.Minute))
		wantRows(t, db, `poll {"Of":"a"} done 1 boom`)
	})
}

func TestGivingUpSnoozingAndPanicking(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db, fmt.Errorf("no use: %w", jobs.GiveUp(errors.New("refused"))))
		insert(t, q, send{1}, jobs.Opts{})
		runDue(t, q, noon)
		wantSeen(t, seen, "send 1 attempt 1")
		wantRows(t, db, `send {"N":1} failed 1 no use: refused`)
	})
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db, jobs.Snooze(time.Minute), jobs.Snooze(time.Minute))
		insert(t, q, send{1}, jobs.Opts{MaxAttempts: 1})
		runDue(t, q, noon)
		runDue(t, q, noon.Add(59*time.Second))
		wantSeen(t, seen, "send 1 attempt 1")
		runDue(t, q, noon.Add(time.Minute))
		runDue(t, q, noon.Add(2*time.Minute))
		wantSeen(t, seen, "send 1 attempt 1", "send 1 attempt 1") // a nap is no attempt
		wantRows(t, db, `send {"N":1} done 1`)
	})
	onBoth(t, func(t *testing.T, db database) {
		var log bytes.Buffer
		var told []string
		q := newQueue(t, db, func(cfg *jobs.Config) {
			cfg.Log = slog.New(slog.NewJSONHandler(&log, nil))
			cfg.OnFailed = func(_ context.Context, r jobs.Row) { told = append(told, r.Kind+": "+r.LastError) }
		})
		jobs.Handle(q, func(ctx context.Context, _ jobs.Job[send]) error {
			jobs.Logger(ctx).Info("working")
			panic("out of order")
		}, jobs.HandleOpts{})
		in := insert(t, q, send{1}, jobs.Opts{MaxAttempts: 1})
		runDue(t, q, time.Now())
		wantRows(t, db, `send {"N":1} failed 1 panic: out of order`)
		for _, want := range []string{`"msg":"working","job_id":"` + in.ID + `","kind":"send","attempt":1`, `"panic":"out of order","stack":"goroutine`, `failed for good`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, log.String())
			}
		}
		if diff := cmp.Diff([]string{"send: panic: out of order"}, told); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFailedJobWhoseSuccessorWaitsIsMergedIntoIt(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		c := &clock{at: noon}
		q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Now = c.now })
		runs := 0
		jobs.Handle(q, func(ctx context.Context, j jobs.Job[poll]) error {
			if runs++; runs > 1 {
				return nil
			}
			_, err := q.InsertNow(ctx, poll{"tomorrow"}, jobs.Opts{UniqueKey: "k", ScheduledAt: noon.Add(24 * time.Hour)})
			return errors.Join(errors.New("provider is down"), err)
		}, jobs.HandleOpts{Retry: func(int) time.Duration { return time.Second }})
		insert(t, q, poll{"now"}, jobs.Opts{UniqueKey: "k"})
		runDue(t, q, noon)
		wantRows(t, db, `poll {"Of":"now"} merged 1 provider is down`, `poll {"Of":"tomorrow"} waiting 0`)
		runDue(t, q, noon.Add(time.Second)) // the retry's moment, not tomorrow
		if runs != 2 {
			t.Errorf("%d runs", runs)
		}
	})
}

func TestDoneEndsTheJobWithItsEffectOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		if _, err := db.sql.ExecContext(t.Context(), "CREATE TABLE effects (n BIGINT)"); err != nil {
			t.Fatal(err)
		}
		c := &clock{at: noon}
		q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Now = c.now })
		undo := errors.New("undo")
		fate, lie := undo, false
		jobs.Handle(q, func(ctx context.Context, j jobs.Job[send]) error {
			err := db.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				if err := tx.Exec("INSERT INTO effects VALUES (1)").Error; err != nil {
					return err
				}
				if err := j.Done(ctx, tx.Statement.ConnPool); err != nil {
					return err
				}
				return fate
			})
			if lie {
				return nil
			}
			return err
		}, jobs.HandleOpts{Retry: func(int) time.Duration { return time.Second }})
		effects := func() (n int) {
			if err := db.sql.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM effects").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		insert(t, q, send{1}, jobs.Opts{})
		runDue(t, q, noon)
		wantRows(t, db, `send {"N":1} waiting 1 undo`)
		lie = true
		runDue(t, q, noon.Add(time.Second))
		wantRows(t, db, `send {"N":1} waiting 2 the job was ended in a transaction that was rolled back`)
		if effects() != 0 {
			t.Error("an effect without its end")
		}
		fate = nil
		runDue(t, q, noon.Add(time.Minute))
		wantRows(t, db, `send {"N":1} done 3 the job was ended in a transaction that was rolled back`)
		if effects() != 1 {
			t.Errorf("%d effects", effects())
		}
	})
}

func TestArgsThatCannotBeReadAndKindsNobodyKnows(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q, _, seen := fixed(t, db)
		in := insert(t, q, send{1}, jobs.Opts{})
		for _, s := range []string{`UPDATE jobs SET args = '{"N":"x"}'`} {
			if _, err := db.sql.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		runDue(t, q, noon)
		if failed, err := q.Failed(t.Context(), 1); err != nil || len(failed) != 1 || failed[0].ID != in.ID || !strings.Contains(failed[0].LastError, "cannot be read") {
			t.Errorf("failed %+v %v", failed, err)
		}
		other := newQueue(t, db, nil) // an older program: it leaves alone what it does not know
		jobs.Handle(other, func(context.Context, jobs.Job[poll]) error { return nil }, jobs.HandleOpts{})
		insert(t, q, send{2}, jobs.Opts{})
		if got := runDue(t, other, noon.Add(time.Hour)); len(got) != 0 {
			t.Errorf("ran %+v", got)
		}
		wantSeen(t, seen)
	})
}

func TestAPeriodicJobComesOncePerPeriodForAllInstances(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		var seen []string
		instance := func(name string) *jobs.Queue {
			q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Now = func() time.Time { return noon } })
			jobs.Handle(q, func(_ context.Context, j jobs.Job[poll]) error { seen = append(seen, name+" "+j.Args.Of); return nil }, jobs.HandleOpts{})
			q.Every("balances", time.Hour, func() jobs.Args { return poll{"balances"} }, jobs.Opts{})
			return q
		}
		a, b := instance("a"), instance("b")
		for _, minutes := range []int{0, 0, 30, 59, 60, 61, 300, 301} {
			for _, q := range []*jobs.Queue{a, b} {
				runDue(t, q, noon.Add(time.Duration(minutes)*time.Minute))
			}
		}
		wantSeen(t, &seen, "a balances", "a balances", "a balances") // at 0, at 60, and once for 120…300
	})
}

func TestOldJobsAreCleanedAway(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q, _, _ := fixed(t, db, nil, jobs.GiveUp(errors.New("x")))
		insert(t, q, send{1}, jobs.Opts{})
		insert(t, q, send{2}, jobs.Opts{})
		insert(t, q, send{3}, jobs.Opts{ScheduledAt: noon.Add(1000 * time.Hour)})
		runDue(t, q, noon)
		runDue(t, q, noon.Add(23*time.Hour))
		wantRows(t, db, `send {"N":1} done 1`, `send {"N":2} failed 1 x`, `send {"N":3} waiting 0`)
		runDue(t, q, noon.Add(25*time.Hour))
		wantRows(t, db, `send {"N":2} failed 1 x`, `send {"N":3} waiting 0`)
		runDue(t, q, noon.Add(31*24*time.Hour))
		wantRows(t, db, `send {"N":3} waiting 0`)
	})
}

func TestWhatInsertRefuses(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/x.db")
	q := newQueue(t, db, nil)
	for _, opts := range []jobs.Opts{{UniqueKey: strings.Repeat("k", 501)}, {MaxAttempts: -1}} {
		if _, err := q.InsertNow(t.Context(), send{1}, opts); err == nil {
			t.Errorf("took %+v", opts)
		}
	}
	if _, err := q.InsertNow(t.Context(), unwritable{}, jobs.Opts{}); err == nil {
		t.Error("took args that are not JSON")
	}
	wantRows(t, db)
	if _, err := jobs.New(jobs.Config{DB: db.sql, Engine: "oracle"}); err == nil {
		t.Error("took an unknown engine")
	}
	if _, err := jobs.New(jobs.Config{DB: db.sql, Engine: jobs.SQLite, Lanes: map[string]int{"x": 0}}); err == nil {
		t.Error("took a lane without workers")
	}
	if err := q.Start(t.Context()); err == nil {
		t.Error("started with nothing to work")
	}
}

type unwritable struct{ F func() }

func (unwritable) Kind() string { return "unwritable" }
