package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"countinghouse/models/jobs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the one set of SQL files for both engines.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above: only a broken build gets here
	}
	return sub
}

// Migrate brings the schema up to date and returns the names of the migrations it applied. On PostgreSQL a session lock makes several
// instances that start together take turns.
func (s *Store) Migrate(ctx context.Context) ([]string, error) {
	p, err := s.migrator()
	if err != nil {
		return nil, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	// The queue keeps tables of its own, in its own way.
	if err := jobs.Migrate(ctx, s.write, jobs.Engine(s.Engine)); err != nil {
		return nil, fmt.Errorf("migrate the queue: %w", err)
	}
	var names []string
	for _, r := range done {
		names = append(names, r.Source.Path)
	}
	return names, nil
}

// Pending tells whether the schema is older than this program, without changing it.
func (s *Store) Pending(ctx context.Context) (bool, error) {
	p, err := s.migrator()
	if err != nil {
		return false, err
	}
	return p.HasPending(ctx)
}

func (s *Store) migrator() (*goose.Provider, error) {
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)} // each noun numbers its own range of files
	if s.Engine == Postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if err != nil {
			return nil, fmt.Errorf("migration lock: %w", err)
		}
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, s.write, Migrations(), opts...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}
