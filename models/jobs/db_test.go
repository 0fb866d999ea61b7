package jobs_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"countinghouse/models/jobs"
)

// database is a fresh, migrated database with GORM's view of it.
type database struct {
	engine jobs.Engine
	sql    *sql.DB
	gorm   *gorm.DB
	dsn    string
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(t *testing.T, db database)) {
	t.Run("SQLite", func(t *testing.T) { test(t, openSQLite(t, filepath.Join(t.TempDir(), "jobs.db"))) })
	t.Run("Postgres", func(t *testing.T) { test(t, openPostgres(t)) })
}

// openSQLite opens the write pool as models/store does.
func openSQLite(t testing.TB, path string) database {
	t.Helper()
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)"
	pool, err := sql.Open(sqlite.DriverName, dsn)
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = pool.Close() })
	return migrated(t, database{engine: jobs.SQLite, sql: pool, dsn: path}, sqlite.Dialector{Conn: pool})
}

func openPostgres(t testing.TB) database {
	t.Helper()
	dsn := os.Getenv("TEST_POSTGRES_DSN")
	if dsn == "" {
		t.Skip("PostgreSQL is not tested: TEST_POSTGRES_DSN is not set")
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := "jobs_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = admin.Exec("DROP SCHEMA " + schema + " CASCADE") //nolint:noctx // the test's context is over
		_ = admin.Close()
	})
	sep := "?"
	if strings.Contains(dsn, "?") {
		sep = "&"
	}
	dsn += sep + "search_path=" + schema
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return migrated(t, database{engine: jobs.Postgres, sql: pool, dsn: dsn}, postgres.New(postgres.Config{Conn: pool}))
}

func migrated(t testing.TB, db database, d gorm.Dialector) database {
	t.Helper()
	for range 2 { // twice does no harm
		if err := jobs.Migrate(t.Context(), db.sql, db.engine); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if db.gorm, err = gorm.Open(d, &gorm.Config{SkipDefaultTransaction: true, TranslateError: true, Logger: logger.Discard}); err != nil {
		t.Fatal(err)
	}
	return db
}

// rows shows the whole table, without ids and times.
func (db database) rows(t testing.TB) []string {
	t.Helper()
	rows, err := db.sql.QueryContext(t.Context(), "SELECT kind, args, state, attempt, last_error FROM jobs ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var kind, args, state, last string
		var attempt int
		if err := rows.Scan(&kind, &args, &state, &attempt, &last); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", kind, args, state, attempt, last)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
