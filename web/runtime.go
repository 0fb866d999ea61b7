package web

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/models/vault"
	"countinghouse/providers"
	"countinghouse/views"
)

// Runtime is what every command works on: the open store, its vault and keys.
type Runtime struct {
	Config Config
	Log    *slog.Logger
	Store  *store.Store
	Vault  *vault.Vault
	Keys   *vault.Keyset
	Clock  models.Clock
	Files  files.Store // documents, sealed

	Providers *providers.Registry
	People    []views.DemoPerson // of the demonstration; nobody elsewhere
	Floors    []handlers.Route   // of the benchmark; none elsewhere
	Listener  net.Listener       // already listening at Config.Listen; nil: the server listens itself

	closeFiles func() error
	lock       *os.File // on the data folder; nil for commands and on PostgreSQL
}

// Where things are in the data folder.
func (c Config) databasePath() string { return filepath.Join(c.Data, "countinghouse.db") }

// VaultKeyPath is the key file that seals secrets, when the key is not given in the environment.
func (c Config) VaultKeyPath() string { return filepath.Join(c.Data, "vault.key") }

func (c Config) auditKeyPath() string { return filepath.Join(c.Data, "audit.key") }

func (c Config) dsn() string {
	if c.Database != "" {
		return c.Database
	}
	return c.databasePath()
}

// Start opens everything and migrates. On an empty house it makes the keys; in one that has people in it a missing key is an error, because
// a new one would open nothing.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Runtime, error) {
	if _, err := cfg.check(); err != nil {
		return nil, err
	}
	rt := &Runtime{Config: cfg, Log: log, Clock: wallClock()}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, configErrorf("The data folder %s cannot be made: %v.", cfg.Data, err)
	}
	fresh, err := rt.fresh(ctx)
	if err != nil {
		return nil, err
	}
	if rt.Keys, err = cfg.vaultKeys(fresh); err != nil {
		return nil, err
	}
	audit, err := cfg.auditKey(fresh)
	if err != nil {
		return nil, err
	}
	rt.Vault = vault.New(rt.Keys)
	rt.Store, err = store.Open(ctx, store.Config{DSN: cfg.dsn(), Clock: rt.Clock, Logger: log, Vault: rt.Vault, AuditKey: audit, Demo: cfg.Demo})
	if err != nil {
		return nil, databaseError(cfg, err)
	}
	applied, err := rt.Store.Migrate(ctx)
	if err != nil {
		return nil, errors.Join(err, rt.Store.Close())
	}
	if rt.Files, rt.closeFiles, err = openFiles(ctx, cfg, rt.Clock, rt.Vault); err != nil {
		return nil, errors.Join(err, rt.Store.Close())
	}
	for _, m := range applied {
		log.Info("migrated", "file", m)
	}
	return rt, nil
}

// Close lets the store go, then the folder.
func (rt *Runtime) Close() error {
	defer unlock(rt.lock)
	return errors.Join(rt.closeFiles(), rt.Store.Close())
}

// fresh reports that nobody has been in this house yet.
func (rt *Runtime) fresh(ctx context.Context) (bool, error) {
	if rt.Config.Database == "" {
		if _, err := os.Stat(rt.Config.databasePath()); errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
	}
	s, err := store.Open(ctx, store.Config{DSN: rt.Config.dsn(), Logger: rt.Log})
	if err != nil {
		return false, databaseError(rt.Config, err)
	}
	empty, err := s.Empty(ctx)
	return empty, errors.Join(err, s.Close())
}

// databaseError keeps the password of the database out of what is printed.
func databaseError(cfg Config, err error) error {
	if cfg.Database == "" {
		return configErrorf("The database %s cannot be opened: %v.", cfg.databasePath(), err)
	}
	return configErrorf("The database cannot be reached: %s.", firstLines(store.RedactDSN(err, cfg.Database).Error()))
}

// firstLines makes one line of an error that lists every address it tried.
func firstLines(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\t' })
	return strings.TrimSuffix(strings.Join(lines[:min(2, len(lines))], " "), ".")
}

func (c Config) vaultKeys(fresh bool) (*vault.Keyset, error) {
	if c.VaultKey != "" {
		k, err := vault.FromString(c.VaultKey)
		if err != nil {
			return nil, configErrorf("The vault key in the environment cannot be used: %v.", err)
		}
		return k, nil
	}
	path := c.VaultKeyPath()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if !fresh {
			return nil, configErrorf("The vault key %s is missing. Without it no stored secret opens: put it back from where you keep its copy.", path)
		}
		if err := vault.CreateFile(path); err != nil {
			return nil, configErrorf("The vault key cannot be made: %v.", err)
		}
	}
	k, err := vault.FromFile(path)
	if err != nil {
		return nil, configErrorf("The vault key %s cannot be used: %v.", path, err)
	}
	return k, nil
}

// auditKey is an Ed25519 key kept as the base64 of its seed.
func (c Config) auditKey(fresh bool) (ed25519.PrivateKey, error) {
	text, path := c.AuditKey, c.auditKeyPath()
	if text == "" {
		b, err := os.ReadFile(path) //nolint:gosec // inside the data folder
		if errors.Is(err, fs.ErrNotExist) {
			if !fresh {
				return nil, configErrorf("The audit key %s is missing. Without it the anchors of the audit trail cannot be checked: put it back from where you keep its copy.", path)
			}
			seed := make([]byte, ed25519.SeedSize)
			_, _ = rand.Read(seed)
			b = []byte(base64.StdEncoding.EncodeToString(seed) + "\n")
			err = os.WriteFile(path, b, 0o600)
		}
		if err != nil {
			return nil, configErrorf("The audit key cannot be used: %v.", err)
		}
		text = string(b)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, configErrorf("The audit key is not the base64 of 32 bytes.")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// setupLine is what is printed while there is no admin.
func setupLine(base, token string) string {
	return fmt.Sprintf("Nobody can sign in yet. Open this link once, within 24 hours, to become the first admin:\n\n    %s/set-up/%s\n", base, token)
}
