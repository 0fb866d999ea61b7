// Package store keeps everything Countinghouse must remember: one database, SQLite by default and PostgreSQL when one machine is
// outgrown, the same SQL for both.
//
// A write use-case is one method and one transaction (Update): permission and state are checked with the rules of package models, then
// the rows, the timeline event, the audit entry and the job are written, all or nothing. A read is one method and one snapshot (View).
//
// It imports models, models/jobs and models/vault. It is imported by handlers, handlers/tasks, web and main; GORM is imported nowhere else.
package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"countinghouse/models"
	"countinghouse/models/vault"
)

// Engine names the database underneath.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Config says which database to open and what the store needs from outside.
type Config struct {
	DSN    string       // a file path for SQLite (created with mode 0600), or a postgres:// URL
	Clock  models.Clock // the only source of time; time.Now when nil
	Logger *slog.Logger // discarded when nil
	// AuditKey signs the anchors of the audit chain (Ed25519, 64 bytes). Without it no anchors are made.
	AuditKey ed25519.PrivateKey

	// Vault keeps secrets unreadable in the database. Without it (a command that needs none) sealing and opening fail.
	Vault *vault.Vault

	// PasswordMemory is argon2id's memory in KiB: 46 MiB when zero. Only tests, which sign in a hundred times, use less.
	PasswordMemory uint32

	Demo bool // the demonstration: one-click sign-in links may be made; never set by serve
}

// Store is the open database. It is safe for use by many goroutines.
type Store struct {
	Engine Engine
	Clock  models.Clock
	Log    *slog.Logger

	demo  bool
	dsn   string
	write *sql.DB // SQLite: one connection, synchronous=FULL. PostgreSQL: the same pool as read
	read  *sql.DB // SQLite: four connections that cannot write
	gorm  *gorm.DB

	jobs    Enqueuer                  // set once at start, see UseJobs
	changes map[string]Change         // what approvals mean, by subject; set once at start
	guards  atomic.Pointer[guardSeen] // see GuardBand

	knocks   *knocks    // what was written down lately about addresses
	kybRules KYBRulesOf // set once at start, see UseKYB

	closing sync.Once
	keys    atomic.Int64 // see CredentialChanges
	signer  auditSigner
	vault   *vault.Vault
	hasher  *hasher
}

// Open connects to the database. It does not migrate: call Migrate, so that a command can look at an old database without changing it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{Clock: cfg.Clock, Log: cfg.Logger, demo: cfg.Demo, dsn: cfg.DSN, signer: newSigner(cfg.AuditKey), vault: cfg.Vault, hasher: newHasher(cfg.PasswordMemory), knocks: newKnocks()}
	open := s.openSQLite
	if IsPostgres(cfg.DSN) {
		open = s.openPostgres
	}
	if err := open(); err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		return nil, fmt.Errorf("reach the database: %w", errorsJoin(err, s.Close()))
	}
	if err := s.openGORM(); err != nil {
		return nil, errorsJoin(err, s.Close())
	}
	return s, nil
}

// Close waits for running statements and lets the database go. It may be called more than once.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		err = s.write.Close()
		if s.read != s.write {
			err = errorsJoin(s.read.Close(), err)
		}
	})
	return err
}

// Ping asks both pools for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	for _, db := range []*sql.DB{s.write, s.read} {
		if err := db.PingContext(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Now is the clock's present in microseconds.
func (s *Store) Now() models.Micros { return models.At(s.Clock()) }

// Demo tells whether this is the demonstration.
func (s *Store) Demo() bool { return s.demo }

// WriteDB is the pool that River works on: one connection on SQLite, many on PostgreSQL. Nothing else uses it directly.
func (s *Store) WriteDB() *sql.DB { return s.write }

// ReadDB is the pool of readers, for measurements and for pages whose query is one hand-written statement.
func (s *Store) ReadDB() *sql.DB { return s.read }

var errNoVault = errors.New("the store was opened without a vault")

// seal keeps a secret for one place in the database; a sealed value copied to another place does not open there.
func (s *Store) seal(ctx context.Context, table, row, field string, plain []byte) ([]byte, error) {
	if s.vault == nil {
		return nil, errNoVault
	}
	return s.vault.Seal(ctx, plain, vault.AAD{Table: table, Row: row, Field: field})
}

// unseal opens what seal kept for the same place.
func (s *Store) unseal(ctx context.Context, table, row, field string, sealed []byte) ([]byte, error) {
	if s.vault == nil {
		return nil, errNoVault
	}
	return s.vault.Open(ctx, sealed, vault.AAD{Table: table, Row: row, Field: field})
}
