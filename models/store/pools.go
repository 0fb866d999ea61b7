package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/glebarez/sqlite"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx" with database/sql
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// IsPostgres tells a postgres:// URL from a file path.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// readers is how many SQLite connections read at the same time; more only waits for the same two cores.
const readers = 4

// walPages is how long SQLite's log of changes grows before it is worked into the database file: 16 MB, which readers find their pages in by one
// look. At the usual 1,000 a flood of webhooks, which touches the index of repeats all over, did that at about every ninth commit.
const walPages = 4000

// openSQLite opens two pools on one file. One writer, because eight writers made a commit wait up to 4 s for the lock; BEGIN IMMEDIATE,
// because a read that later writes would otherwise fail when another process wrote in between.
func (s *Store) openSQLite() error {
	s.Engine = SQLite
	if s.dsn == "" {
		return errors.New("no database: give a file path or a postgres:// URL")
	}
	path, err := filepath.Abs(s.dsn)
	if err != nil {
		return fmt.Errorf("database path: %w", err)
	}
	// Made here, so that a fresh file is ours alone whatever the umask; SQLite gives its -wal and -shm the same mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	write := sqliteDSN(path, "immediate", "synchronous(FULL)", "wal_autocheckpoint("+strconv.Itoa(walPages)+")")
	if s.write, err = sql.Open(sqlite.DriverName, write); err != nil {
		return fmt.Errorf("open the database for writing: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	read := sqliteDSN(path, "deferred", "mmap_size(268435456)", "query_only(1)")
	if s.read, err = sql.Open(sqlite.DriverName, read); err != nil {
		return errorsJoin(fmt.Errorf("open the database for reading: %w", err), s.write.Close())
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return nil
}

func sqliteDSN(path, lock string, pragmas ...string) string {
	q := url.Values{"_txlock": {lock}}
	for _, p := range append([]string{"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)", "temp_store(MEMORY)"}, pragmas...) {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// openPostgres opens one pool; every instance of the program has its own.
func (s *Store) openPostgres() (err error) {
	s.Engine = Postgres
	if s.write, err = sql.Open("pgx", s.dsn); err != nil {
		return fmt.Errorf("open the database: %w", RedactDSN(err, s.dsn))
	}
	s.write.SetMaxOpenConns(24)
	s.write.SetMaxIdleConns(24)
	s.write.SetConnMaxIdleTime(5 * time.Minute)
	s.read = s.write
	return nil
}

// RedactDSN keeps the password of a connection URL out of an error.
func RedactDSN(err error, dsn string) error {
	u, perr := url.Parse(dsn)
	if perr != nil || u.User == nil {
		return err
	}
	if pw, ok := u.User.Password(); ok && pw != "" && strings.Contains(err.Error(), pw) {
		return errors.New(strings.ReplaceAll(err.Error(), pw, "…"))
	}
	return err
}

// openGORM makes the one GORM root. It never runs a statement by itself: Update and View hand it their transaction.
//
// PrepareStmt stays off: the SQLite driver compiles a "prepared" statement again at every use, and pgx keeps its own cache per connection,
// so GORM's cache is a lock and a map for nothing.
func (s *Store) openGORM() error {
	var d gorm.Dialector = sqlite.Dialector{Conn: s.read}
	if s.Engine == Postgres {
		d = postgres.New(postgres.Config{Conn: s.read})
	}
	g, err := gorm.Open(d, &gorm.Config{
		SkipDefaultTransaction:                   true,
		TranslateError:                           true,
		Logger:                                   logger.Discard,
		DisableForeignKeyConstraintWhenMigrating: true,
		DisableAutomaticPing:                     true,
	})
	if err != nil {
		return fmt.Errorf("prepare GORM: %w", err)
	}
	s.gorm = g
	return nil
}

func errorsJoin(err, other error) error {
	if other == nil {
		return err
	}
	return errors.Join(err, other)
}
