package jobs_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"gorm.io/gorm"

	"countinghouse/models/jobs"
)

// TestMain lets the test binary play a process that is killed while it works.
func TestMain(m *testing.M) {
	if path := os.Getenv("JOBS_TEST_VICTIM"); path != "" {
		victim(path)
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// victim starts a job, says so and never ends it.
func victim(path string) {
	engine, driver := jobs.SQLite, "sqlite"
	dsn := "file:" + path + "?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	if strings.HasPrefix(path, "postgres") {
		engine, driver, dsn = jobs.Postgres, "pgx", path
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		panic(err)
	}
	pool.SetMaxOpenConns(1)
	q, err := jobs.New(jobs.Config{DB: pool, Engine: engine, Lease: time.Second})
	if err != nil {
		panic(err)
	}
	jobs.Handle(q, func(ctx context.Context, _ jobs.Job[send]) error {
		fmt.Println("working")
		<-ctx.Done()
		return ctx.Err()
	}, jobs.HandleOpts{})
	if err := q.Start(context.Background()); err != nil {
		panic(err)
	}
	select {}
}

// killedWhileWorking runs a process that takes the job, and kills it.
func killedWhileWorking(t *testing.T, db database) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test binary
	cmd.Env = append(os.Environ(), "JOBS_TEST_VICTIM="+db.dsn)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "working\n" {
		t.Fatal(line, err)
	}
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

func start(t *testing.T, q *jobs.Queue) {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came in 20 s")
	}
	return v
}

func TestTheJobOfAKilledProcessRunsAgainOnceItsLeaseIsOver(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q := newQueue(t, db, nil)
		ran := make(chan int, 9)
		jobs.Handle(q, func(_ context.Context, j jobs.Job[send]) error { ran <- j.Attempt; return nil }, jobs.HandleOpts{})
		insert(t, q, send{1}, jobs.Opts{})
		killedWhileWorking(t, db)
		wantRows(t, db, `send {"N":1} running 1`)
		if got := runDue(t, q, time.Now()); len(got) != 0 {
			t.Errorf("taken from under a lease: %+v", got)
		}
		start(t, q)
		if attempt := receive(t, ran); attempt != 2 {
			t.Errorf("attempt %d", attempt)
		}
	})
}

func TestAProgramThatIsAloneTakesBackItsPredecessorsJobsAtOnce(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "jobs.db"))
	q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Alone = true; cfg.Lease = time.Hour })
	ran := make(chan int, 9)
	jobs.Handle(q, func(_ context.Context, j jobs.Job[send]) error { ran <- j.Attempt; return nil }, jobs.HandleOpts{})
	insert(t, q, send{1}, jobs.Opts{})
	killedWhileWorking(t, db)
	start(t, q)
	if attempt := receive(t, ran); attempt != 2 {
		t.Errorf("attempt %d", attempt)
	}
}

func TestAJobThatKillsEveryProcessIsGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		var told []string
		q := newQueue(t, db, func(cfg *jobs.Config) {
			cfg.OnFailed = func(_ context.Context, r jobs.Row) { told = append(told, r.LastError) }
		})
		jobs.Handle(q, func(context.Context, jobs.Job[send]) error { t.Error("ran"); return nil }, jobs.HandleOpts{})
		insert(t, q, send{1}, jobs.Opts{MaxAttempts: 1})
		killedWhileWorking(t, db)
		if got := runDue(t, q, time.Now().Add(time.Minute)); len(got) != 0 {
			t.Errorf("ran %+v", got)
		}
		wantRows(t, db, `send {"N":1} failed 1 the process that ran it went silent`)
		if len(told) != 1 {
			t.Errorf("told %v", told)
		}
	})
}

func TestALongJobKeepsItsLease(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		var runs atomic.Int32
		done := make(chan error, 9)
		for range 2 { // two instances over one database
			q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Lease = 300 * time.Millisecond })
			jobs.Handle(q, func(ctx context.Context, _ jobs.Job[send]) error {
				runs.Add(1)
				select {
				case <-time.After(1200 * time.Millisecond):
				case <-ctx.Done():
				}
				done <- context.Cause(ctx)
				return nil
			}, jobs.HandleOpts{})
			start(t, q)
			if runs.Load() == 0 {
				insert(t, q, send{1}, jobs.Opts{UniqueKey: "once"})
			}
		}
		if err := receive(t, done); err != nil || runs.Load() != 1 {
			t.Errorf("%d runs, %v", runs.Load(), err)
		}
	})
}

func TestARunThatLostItsLeaseIsCancelledAndItsResultDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Lease = 150 * time.Millisecond })
		started, causes := make(chan struct{}, 9), make(chan error, 9)
		jobs.Handle(q, func(ctx context.Context, j jobs.Job[send]) error {
			started <- struct{}{}
			<-ctx.Done()
			causes <- context.Cause(ctx)
			if err := j.Done(context.WithoutCancel(ctx), db.sql); !errors.Is(err, jobs.ErrLeaseLost) {
				t.Errorf("a run without a lease could end the job: %v", err)
			}
			return nil // too late to say that
		}, jobs.HandleOpts{})
		insert(t, q, send{1}, jobs.Opts{})
		start(t, q)
		receive(t, started)
		// Another instance took it over and is at work.
		if _, err := db.sql.ExecContext(t.Context(), "UPDATE jobs SET attempt = 2, lease_owner = 'other', lease_until_us = 9000000000000000000"); err != nil {
			t.Fatal(err)
		}
		if cause := receive(t, causes); !errors.Is(cause, jobs.ErrLeaseLost) {
			t.Errorf("cause %v", cause)
		}
		if err := q.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		wantRows(t, db, `send {"N":1} running 2`)
	})
}

func TestStopLetsJobsEndAndReleasesTheOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q := newQueue(t, db, func(cfg *jobs.Config) { cfg.StopGrace = 100 * time.Millisecond })
		started := make(chan struct{}, 9)
		jobs.Handle(q, func(ctx context.Context, j jobs.Job[send]) error {
			started <- struct{}{}
			if j.Args.N == 1 {
				time.Sleep(30 * time.Millisecond) // ends within the grace
				return nil
			}
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), jobs.ErrStopping) {
				t.Errorf("cause %v", context.Cause(ctx))
			}
			return ctx.Err()
		}, jobs.HandleOpts{})
		insert(t, q, send{1}, jobs.Opts{})
		insert(t, q, send{2}, jobs.Opts{MaxAttempts: 1})
		start(t, q)
		receive(t, started)
		receive(t, started)
		if err := q.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		wantRows(t, db, `send {"N":1} done 1`, `send {"N":2} waiting 0`)
		insert(t, q, send{3}, jobs.Opts{})
		time.Sleep(30 * time.Millisecond)
		if len(started) != 0 {
			t.Error("a stopped queue works")
		}
		start(t, q) // and it can be started again
		receive(t, started)
		receive(t, started)
	})
}

func TestStopSaysWhichJobsWouldNotStop(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "jobs.db"))
	q := newQueue(t, db, func(cfg *jobs.Config) { cfg.StopGrace = time.Millisecond })
	q.SetPatience(20 * time.Millisecond)
	started, stubborn := make(chan struct{}), make(chan struct{})
	jobs.Handle(q, func(context.Context, jobs.Job[send]) error { close(started); <-stubborn; return nil }, jobs.HandleOpts{})
	insert(t, q, send{1}, jobs.Opts{})
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	receive(t, started)
	if err := q.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "1 jobs did not stop") {
		t.Errorf("stop: %v", err)
	}
	close(stubborn)
	for deadline := time.Now().Add(5 * time.Second); db.rows(t)[0] != `send {"N":1} done 1`; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the late end was not recorded: %v", db.rows(t))
		}
	}
}

// SQLite has one writing connection. An open transaction must make the queue wait, never stop, and never the other way round.
func TestAnOpenTransactionAndTheQueueDoNotBlockEachOtherForGood(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Cooldown = time.Microsecond; cfg.Poll = time.Millisecond })
		var ran sync.Map
		var n atomic.Int32
		jobs.Handle(q, func(ctx context.Context, j jobs.Job[send]) error {
			return db.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error { // every job writes, too
				if _, twice := ran.LoadOrStore(j.Args.N, true); twice {
					t.Errorf("job %d ran twice", j.Args.N)
				}
				if err := j.Done(ctx, tx.Statement.ConnPool); err != nil {
					return err
				}
				n.Add(1)
				return nil
			})
		}, jobs.HandleOpts{})
		start(t, q)
		const writers, each = 4, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := db.gorm.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
						if _, err := q.Insert(t.Context(), tx.Statement.ConnPool, send{w*each + i}, jobs.Opts{}); err != nil {
							return err
						}
						time.Sleep(time.Millisecond) // held open while the queue wants to claim
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					q.Wake()
				}
			})
		}
		wg.Wait()
		for deadline := time.Now().Add(15 * time.Second); n.Load() < writers*each; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d ran", n.Load(), writers*each)
			}
		}
	})
}

func TestManyInstancesRunEveryJobOnceAndAKeyOneAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, db database) {
		const total, keys = 200, 3
		var done atomic.Int32
		var busy [keys]atomic.Int32
		var runs [total]atomic.Int32
		var first *jobs.Queue
		for range 3 {
			q := newQueue(t, db, func(cfg *jobs.Config) { cfg.Lanes = map[string]int{"default": 4, "keyed": 4} })
			jobs.Handle(q, func(_ context.Context, j jobs.Job[send]) error {
				runs[j.Args.N].Add(1)
				done.Add(1)
				return nil
			}, jobs.HandleOpts{})
			jobs.Handle(q, func(_ context.Context, j jobs.Job[poll]) error {
				k := j.Args.Of[0] - '0'
				if busy[k].Add(1) > 1 {
					t.Errorf("key %d runs twice at once", k)
				}
				time.Sleep(2 * time.Millisecond)
				busy[k].Add(-1)
				return nil
			}, jobs.HandleOpts{})
			start(t, q)
			first = q
		}
		for i := range total {
			insert(t, first, send{i}, jobs.Opts{})
			insert(t, first, poll{fmt.Sprint(i % keys)}, jobs.Opts{Lane: "keyed", UniqueKey: fmt.Sprint(i % keys)})
		}
		for deadline := time.Now().Add(20 * time.Second); done.Load() < total; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d ran", done.Load(), total)
			}
		}
		for i := range runs {
			if n := runs[i].Load(); n != 1 {
				t.Errorf("job %d ran %d times", i, n)
			}
		}
	})
}

// The floor is what the disk gives: commits of one small row. Inserts have one commit each; the jobs, inserted beforehand in one
// transaction, are claimed in portions and their ends are recorded in groups.
func BenchmarkQueue(b *testing.B) {
	for _, engine := range []string{"SQLite", "Postgres"} {
		b.Run(engine, func(b *testing.B) {
			var db database
			if engine == "SQLite" {
				db = openSQLite(b, filepath.Join(b.TempDir(), "jobs.db"))
			} else {
				db = openPostgres(b)
			}
			if _, err := db.sql.ExecContext(b.Context(), "CREATE TABLE floor (n BIGINT)"); err != nil {
				b.Fatal(err)
			}
			rate := func(name string, f func()) {
				begun := time.Now()
				f()
				b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), name)
			}
			rate("floor/s", func() {
				for range b.N {
					if _, err := db.sql.ExecContext(b.Context(), "INSERT INTO floor VALUES (1)"); err != nil {
						b.Fatal(err)
					}
				}
			})
			q := newQueue(b, db, nil)
			done := make(chan struct{}, 2*b.N)
			jobs.Handle(q, func(context.Context, jobs.Job[send]) error { done <- struct{}{}; return nil }, jobs.HandleOpts{})
			rate("inserts/s", func() {
				for i := range b.N {
					insert(b, q, send{i}, jobs.Opts{})
				}
			})
			rate("jobs/s", func() {
				if err := q.Start(b.Context()); err != nil {
					b.Fatal(err)
				}
				for range b.N {
					<-done
				}
				if err := q.Stop(context.Background()); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
