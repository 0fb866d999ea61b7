// Package storetest opens real databases for tests: SQLite in a temporary folder and, when TEST_POSTGRES_DSN names a server, PostgreSQL with
// a database of the test's own. Only tests import it.
package storetest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

// Env is the environment variable that names a PostgreSQL server where this user may create databases.
const Env = "TEST_POSTGRES_DSN"

// Clock is a clock that stands still until it is told to move.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed moment: Monday 2026-09-21 14:05:00 UTC.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 9, 21, 14, 5, 0, 0, time.UTC)} }

// Now is the models.Clock to give to the code under test.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Option changes the store's configuration for a test.
type Option func(*store.Config)

// WithClock makes the store use the clock.
func WithClock(c *Clock) Option { return func(cfg *store.Config) { cfg.Clock = c.Now } }

// Each runs the test once per engine, on a migrated and otherwise empty database.
func Each(t *testing.T, test func(t *testing.T, s *store.Store), opts ...Option) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t, opts...)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t, opts...)) })
}

// SQLite opens a fresh database file.
func SQLite(t testing.TB, opts ...Option) *store.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "countinghouse.db"), opts)
}

// Postgres opens a fresh database on the server that TEST_POSTGRES_DSN names, or skips the test and says why.
func Postgres(t testing.TB, opts ...Option) *store.Store {
	t.Helper()
	return open(t, PostgresDSN(t), opts)
}

func open(t testing.TB, dsn string, opts []Option) *store.Store {
	t.Helper()
	cfg := store.Config{DSN: dsn, Clock: NewClock().Now, AuditKey: Key(), Vault: Vault(t), PasswordMemory: 256}
	for _, o := range opts {
		o(&cfg)
	}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return s
}

// Key is the audit key of tests: the same every time.
func Key() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("storetest audit key"))
	return ed25519.NewKeyFromSeed(seed[:])
}

// PostgresDSN makes an empty, migrated database and returns its URL; it is dropped after the test. Databases are cloned from a template
// that is migrated once per set of migrations, because a clone takes a fifth of the time.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(Env)
	if admin == "" {
		t.Skipf("%s is not set: the PostgreSQL half of this test is skipped (.ci/run starts a server and sets it)", Env)
	}
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatalf("open %s: %v", Env, err)
	}
	template, err := ensureTemplate(t.Context(), db, admin)
	if err != nil {
		t.Fatalf("template database: %v", err)
	}
	name := "ch_test_" + strings.ReplaceAll(models.NewID(), "-", "")
	if err := clone(t.Context(), db, name, template); err != nil {
		t.Fatalf("make a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := drop(db, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		_ = db.Close()
	})
	return withDatabase(admin, name)
}

func withDatabase(dsn, name string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic(err) // sql.Open above has parsed it already
	}
	u.Path = "/" + name
	return u.String()
}

// clone retries: a template cannot be copied in the moment another process is connected to it.
func clone(ctx context.Context, db *sql.DB, name, template string) (err error) {
	for range 50 {
		if _, err = db.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err == nil || !strings.Contains(err.Error(), "being accessed") {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// drop retries: the server's own autovacuum may be in the database for a moment, and only a superuser may end that.
func drop(db *sql.DB, name string) (err error) {
	for range 50 {
		if _, err = db.ExecContext(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// ensureTemplate makes the template under a lock, so that several test binaries can start together.
func ensureTemplate(ctx context.Context, db *sql.DB, admin string) (string, error) {
	name, err := templateName()
	if err != nil {
		return "", err
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock(7204631)"); err != nil {
		return "", err
	}
	defer func() { _, _ = c.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(7204631)") }()
	var there bool
	if err := c.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return name, err
	}
	building := name + "_building"
	for _, q := range []string{"DROP DATABASE IF EXISTS " + building + " WITH (FORCE)", "CREATE DATABASE " + building + " TEMPLATE template0"} {
		if _, err := c.ExecContext(ctx, q); err != nil {
			return "", err
		}
	}
	s, err := store.Open(ctx, store.Config{DSN: withDatabase(admin, building)})
	if err != nil {
		return "", err
	}
	if _, err = s.Migrate(ctx); err == nil {
		err = s.Close()
	}
	if err != nil {
		return "", err
	}
	_, err = c.ExecContext(ctx, "ALTER DATABASE "+building+" RENAME TO "+name)
	return name, err
}

// templateName changes with every change of a migration.
func templateName() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(store.Migrations(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(store.Migrations(), path)
		fmt.Fprintf(h, "%s %d\n", path, len(b))
		h.Write(b)
		return err
	})
	return "ch_template_" + hex.EncodeToString(h.Sum(nil)[:8]), err
}
