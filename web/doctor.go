package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"countinghouse/models/store"
	"countinghouse/models/vault"
)

// ErrSick is a doctor that found something; the command ends with code 1.
var ErrSick = errors.New("something needs mending")

// finding is one line of the doctor's report.
type finding struct {
	what string
	ok   bool
	says string
}

// Doctor looks at everything that can be wrong on this machine, changes nothing, and says what to do.
func Doctor(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer) error {
	var list []finding
	add := func(what string, ok bool, format string, args ...any) {
		list = append(list, finding{what, ok, fmt.Sprintf(format, args...)})
	}
	if set, err := cfg.check(); err != nil {
		add("configuration", false, "%v", err)
	} else {
		add("configuration", true, "pages at %s, listening on %s, times in %s", set.base, cfg.Listen, set.zone)
	}
	lookAtFolder(cfg, add)
	lookAtKeys(cfg, add)
	lookAtDatabase(ctx, cfg, log, add)
	lookAtFiles(ctx, cfg, add)
	lookAtScanner(ctx, cfg, add)
	lookAtPort(ctx, cfg, add)
	sick := false
	for _, f := range list {
		mark := "ok  "
		if !f.ok {
			mark, sick = "MEND", true
		}
		if _, err := fmt.Fprintf(out, "%s  %-14s %s\n", mark, f.what, f.says); err != nil {
			return err
		}
	}
	if sick {
		return ErrSick
	}
	return nil
}

type adder func(what string, ok bool, format string, args ...any)

// scarce is the free space below which a database that must not lose anything should not be left alone.
const scarce = 1 << 30

func lookAtFolder(cfg Config, add adder) {
	st, err := os.Stat(cfg.Data)
	if errors.Is(err, fs.ErrNotExist) {
		add("data folder", true, "%s is not there yet; serve makes it", cfg.Data)
		return
	}
	if err != nil || !st.IsDir() {
		add("data folder", false, "%s is not a folder that can be read (%v)", cfg.Data, err)
		return
	}
	add("data folder", st.Mode().Perm()&0o077 == 0, "%s, mode %04o (should be 0700)", cfg.Data, st.Mode().Perm())
	var v syscall.Statfs_t
	if err := syscall.Statfs(cfg.Data, &v); err != nil {
		add("disk", false, "%v", err)
		return
	}
	free := v.Bavail * uint64(v.Bsize) //nolint:gosec // a block size is positive
	add("disk", free > scarce, "%d MiB free", free>>20)
}

func lookAtKeys(cfg Config, add adder) {
	if cfg.VaultKey != "" {
		_, err := vault.FromString(cfg.VaultKey)
		add("vault key", err == nil, "from the environment (%v)", err)
	} else {
		lookAtKey(cfg.VaultKeyPath(), "vault key", func() error { _, err := vault.FromFile(cfg.VaultKeyPath()); return err }, add)
	}
	if cfg.AuditKey != "" {
		_, err := cfg.auditKey(false)
		add("audit key", err == nil, "from the environment (%v)", err)
		return
	}
	lookAtKey(cfg.auditKeyPath(), "audit key", func() error { _, err := cfg.auditKey(false); return err }, add)
}

func lookAtKey(path, what string, read func() error, add adder) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		add(what, true, "%s is not there yet; serve makes it in an empty house", path)
	case err != nil:
		add(what, false, "%v", err)
	case st.Mode().Perm()&0o077 != 0:
		add(what, false, "%s can be read by others (mode %04o): chmod 600 %s", path, st.Mode().Perm(), path)
	default:
		if err := read(); err != nil {
			add(what, false, "%v", err)
			return
		}
		add(what, true, "%s, mode %04o; keep a copy apart from the backups", path, st.Mode().Perm())
	}
}

func lookAtDatabase(ctx context.Context, cfg Config, log *slog.Logger, add adder) {
	if cfg.Database == "" {
		if _, err := os.Stat(cfg.databasePath()); errors.Is(err, fs.ErrNotExist) {
			add("database", true, "%s is not there yet; serve makes it", cfg.databasePath())
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s, err := store.Open(ctx, store.Config{DSN: cfg.dsn(), Logger: log})
	if err != nil {
		add("database", false, "%v", databaseError(cfg, err))
		return
	}
	defer func() { _ = s.Close() }()
	err = s.Check(ctx)
	add("database", err == nil, "%s answers (%v)", s.Engine, err)
	pending, err := s.Pending(ctx)
	add("migrations", err == nil && !pending, "older than this program: %v (%v)", pending, err)
	skew, err := s.ClockSkew(ctx)
	add("clock", err == nil && skew.Abs() < 5*time.Second, "differs from the database's by %s (%v)", skew.Round(time.Millisecond), err)
}

func lookAtPort(ctx context.Context, cfg Config, add adder) {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", cfg.Listen)
	if err != nil {
		add("address", true, "nothing listens on %s", cfg.Listen)
		return
	}
	_ = c.Close()
	add("address", true, "a program listens on %s: ours, or serve will say that it is taken", cfg.Listen)
}
