package web

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"countinghouse/models/store"
)

func (c Config) lockPath() string { return filepath.Join(c.Data, "lock") }

// startServer is Start for what goes on working: it first takes the lock on the data folder, so that of all programs on one SQLite file one
// sends money and works jobs. What only looks or changes a row (doctor, user, backup, audit) runs beside it without the lock. On PostgreSQL
// there is none: several instances share the database and settle between themselves who does what.
func startServer(ctx context.Context, cfg Config, log *slog.Logger) (*Runtime, error) {
	if _, err := cfg.check(); err != nil {
		return nil, err
	}
	var lock *os.File
	if !store.IsPostgres(cfg.Database) {
		var err error
		if lock, err = cfg.lockFolder(); err != nil {
			return nil, err
		}
	}
	rt, err := Start(ctx, cfg, log)
	if err != nil {
		unlock(lock)
		return nil, err
	}
	rt.lock = lock
	return rt, nil
}

// lockFolder holds the data folder until the file is closed or the process ends, however it ends. nil where the system has no such locks.
func (c Config) lockFolder() (*os.File, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, configErrorf("The data folder %s cannot be made: %v.", c.Data, err)
	}
	f, err := os.OpenFile(c.lockPath(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, configErrorf("The lock %s cannot be made: %v.", c.lockPath(), err)
	}
	held, err := holdAlone(f)
	switch {
	case err != nil:
		unlock(f)
		return nil, configErrorf("The data folder %s is in use by another running countinghouse. Stop that one first, or name another folder with --data.", c.Data)
	case !held:
		unlock(f)
		return nil, nil //nolint:nilnil // no locks on this system: the caller then assumes that others may work here too
	}
	return f, nil
}

// unlock lets the folder go. The file stays: removing it would let two processes hold locks on two files of one name.
func unlock(f *os.File) {
	if f != nil {
		_ = f.Close() // nothing was written
	}
}
