package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"countinghouse/models"
)

// maxTries bounds the retries of a serialisation failure on PostgreSQL. From the second try on a transaction waits its turn before its
// snapshot is taken (see begin), so more than a few tries mean that something else is wrong.
const maxTries = 10

// Tx is one running transaction: a write inside Update, or a snapshot inside View. It is used by one goroutine and not kept.
type Tx struct {
	DB  *gorm.DB      // GORM over this transaction
	Now models.Micros // fixed once: every row of one use-case carries the same moment

	Store *Store
	ctx   context.Context
	sql   *sql.Tx
	conn  *conn
	after []func()
}

// Context is the caller's context.
func (tx *Tx) Context() context.Context { return tx.ctx }

// SQL is the transaction underneath, for River's InsertTx.
func (tx *Tx) SQL() *sql.Tx { return tx.sql }

// AfterCommit runs f when, and only when, the transaction has been committed: to wake a worker, never to change data.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Update runs f in one write transaction and commits it unless f gives an error. f may run more than once (PostgreSQL's serialisation
// failures, 40001 and 40P01), so it must not touch anything but tx; what must happen once goes into AfterCommit. Update and View do not nest.
func (s *Store) Update(ctx context.Context, f func(tx *Tx) error) error {
	now := s.Now()
	var err error
	for try := range maxTries {
		if err = ctx.Err(); err != nil {
			return err
		}
		var retry bool
		if retry, err = s.updateOnce(ctx, now, try > 0, f); err == nil || !retry {
			return busy(err)
		}
		if try > 0 {
			pause(ctx, time.Duration(1+rand.IntN(5<<min(try, 5)))*time.Millisecond) //nolint:gosec // jitter
		}
	}
	return &models.Error{Code: models.Unavailable, Sentence: "Too many people changed the same thing at once. Nothing was changed; try again.", Err: err}
}

func (s *Store) updateOnce(ctx context.Context, now models.Micros, queue bool, f func(tx *Tx) error) (retry bool, err error) {
	tx, err := s.begin(ctx, s.write, &sql.TxOptions{Isolation: s.isolation()}, now)
	if err != nil {
		return serialization(err), err
	}
	defer tx.rollback(&err)
	if queue && s.Engine == Postgres {
		// LOCK TABLE is not a query: it waits for the others before the snapshot is taken, so the try that follows it cannot lose the
		// race for the audit chain's head again.
		if err = tx.Exec("LOCK TABLE audit_head IN EXCLUSIVE MODE"); err != nil {
			return serialization(err), err
		}
	}
	if err = f(tx); err != nil {
		return tx.conn.lost || serialization(err), err
	}
	if err = tx.sql.Commit(); err != nil {
		return tx.conn.lost || serialization(err), fmt.Errorf("commit: %w", err)
	}
	for _, g := range tx.after {
		g()
	}
	return false, nil
}

// View runs f on one snapshot that cannot write.
func (s *Store) View(ctx context.Context, f func(q *Tx) error) (err error) {
	opts := &sql.TxOptions{ReadOnly: true}
	if s.Engine == Postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := s.begin(ctx, s.read, opts, s.Now())
	if err != nil {
		return err
	}
	defer tx.rollback(&err)
	return f(tx)
}

func (s *Store) isolation() sql.IsolationLevel {
	if s.Engine == Postgres {
		return sql.LevelSerializable
	}
	return sql.LevelDefault // SQLite writers are one behind the other by nature
}

func (s *Store) begin(ctx context.Context, db *sql.DB, opts *sql.TxOptions, now models.Micros) (*Tx, error) {
	t, err := db.BeginTx(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{Now: now, Store: s, ctx: ctx, sql: t, conn: &conn{tx: t}}
	tx.DB = s.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	tx.DB.Statement.ConnPool = tx.conn
	return tx, nil
}

// rollback ends a transaction that has not been committed. After a panic in f it lets the panic go on.
func (tx *Tx) rollback(err *error) {
	if e := tx.sql.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) && *err == nil && tx.ctx.Err() == nil {
		*err = fmt.Errorf("end the transaction: %w", e)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// serialization reports PostgreSQL's two "try again": serialization_failure and deadlock_detected.
func serialization(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// busy turns SQLite's "another process holds the write lock" into a sentence.
func busy(err error) error {
	var coded interface{ Code() int }
	if errors.As(err, &coded) && coded.Code()&0xff == sqliteBusy {
		return &models.Error{Code: models.Unavailable, Sentence: "The database is busy with another program. Nothing was changed; try again.", Err: err}
	}
	return err
}

const sqliteBusy = 5 // SQLITE_BUSY, https://sqlite.org/rescode.html#busy
