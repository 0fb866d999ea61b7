package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"countinghouse/e2e/port"
	"countinghouse/models"
	"countinghouse/web"
)

// httpsOnly is a server behind a proxy that speaks https.
func httpsOnly(c *web.Config) { c.PublicURL = "https://pay.example.com" }

func TestWrongConfigurationIsOneSentenceAndCode2(t *testing.T) {
	good := web.Config{Data: t.TempDir(), Listen: "127.0.0.1:0"}
	for name, change := range map[string]func(*web.Config){
		"cannot tell a port":                func(c *web.Config) { c.Listen = "8080" },
		"open to the network without https": func(c *web.Config) { c.Listen = "0.0.0.0:8080" },
		"http on a public name":             func(c *web.Config) { c.PublicURL = "http://pay.example.com" },
		"a path in the public address":      func(c *web.Config) { c.PublicURL = "https://pay.example.com/console" },
		"another kind of address":           func(c *web.Config) { c.PublicURL = "ftp://pay.example.com" },
		"a database of another kind":        func(c *web.Config) { c.Database = "mysql://x" },
		"a proxy that is no network":        func(c *web.Config) { c.TrustedProxies = []string{"everybody"} },
		"figures for the whole world":       func(c *web.Config) { c.MetricsListen = ":9090" },
		"a zone that is none":               func(c *web.Config) { c.Zone = "Mars/Olympus" },
		"no data folder":                    func(c *web.Config) { c.Data = "" },
		"a vault key that is none":          func(c *web.Config) { c.VaultKey = "hunter2-hunter2" },
		"an audit key that is none":         func(c *web.Config) { c.AuditKey = "AAAA" },
		"a database that is not there":      func(c *web.Config) { c.Database = "postgres://u:hunter2-hunter2@127.0.0.1:1/x?connect_timeout=1" },
		"a data folder in a file":           func(c *web.Config) { c.Data = filepath.Join("serve_test.go", "data") },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			change(&cfg)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var out, errOut bytes.Buffer
			err := web.Serve(ctx, cfg, slog.New(slog.DiscardHandler), &out, nil)
			if code := web.ExitCode(err, &errOut); code != 2 {
				t.Errorf("code %d, want 2 (%v)", code, err)
			}
			text := strings.TrimSpace(errOut.String())
			if strings.Count(text, "\n") != 0 || len(text) < 20 || strings.Contains(text, "hunter2") {
				t.Errorf("says %q", text)
			}
		})
	}
}

// serveInBackground runs the real command on a folder and waits until it answers.
func serveInBackground(t *testing.T, cfg web.Config) (base string, out *logBook, stop func() error) {
	t.Helper()
	cfg.Listen = port.Free(t)
	out = &logBook{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, cfg, slog.New(slog.NewJSONHandler(out, nil)), out, nil) }()
	base = "http://" + cfg.Listen
	for range 200 {
		if res, err := http.Get(base + "/readyz"); err == nil { //nolint:noctx // a test's own server
			_ = res.Body.Close()
			return base, out, func() error { cancel(); return <-done }
		}
		select {
		case err := <-done:
			t.Fatalf("serve ended: %v\n%s", err, out)
		case <-time.After(25 * time.Millisecond):
		}
	}
	t.Fatal("the server does not answer")
	return "", nil, nil
}

func TestAFreshHousePrintsOneSetUpLinkAndMakesItsKeys(t *testing.T) {
	cfg := web.Config{Data: filepath.Join(t.TempDir(), "data"), GracePeriod: time.Second}
	base, out, stop := serveInBackground(t, cfg)
	link := regexp.MustCompile(regexp.QuoteMeta(base) + `/set-up/[\w-]{43}`).FindString(out.String())
	res, err := http.Get(link) //nolint:noctx // a test's own server
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("the set-up link %q: %v %v", link, res, err)
	}
	_ = res.Body.Close()
	for _, name := range []string{"vault.key", "audit.key", "countinghouse.db"} {
		st, err := os.Stat(filepath.Join(cfg.Data, name))
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v, want mode 0600", name, st, err)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	var report, errOut bytes.Buffer
	cfg.Listen = "127.0.0.1:0"
	if err := web.Doctor(t.Context(), cfg, slog.New(slog.DiscardHandler), &report); err != nil {
		t.Errorf("the doctor finds fault with a fresh house:\n%s", report.String())
	}
	if err := os.Chmod(filepath.Join(cfg.Data, "vault.key"), 0o644); err != nil { //nolint:gosec // the mistake that the doctor must find
		t.Fatal(err)
	}
	if err := web.Doctor(t.Context(), cfg, slog.New(slog.DiscardHandler), &report); !errors.Is(err, web.ErrSick) || !strings.Contains(report.String(), "chmod 600") {
		t.Errorf("the doctor misses a key that others can read: %v\n%s", err, report.String())
	}
	if err := os.Remove(filepath.Join(cfg.Data, "audit.key")); err != nil {
		t.Fatal(err)
	}
	if err := web.InviteUser(t.Context(), withKeyMode(t, cfg), slog.New(slog.DiscardHandler), &report, "a@example.com", "A", []models.Role{models.Auditor}); err != nil {
		t.Errorf("an empty house makes its keys again: %v", err)
	}
	if err := os.Remove(filepath.Join(cfg.Data, "audit.key")); err != nil {
		t.Fatal(err)
	}
	err = web.ListUsers(t.Context(), cfg, slog.New(slog.DiscardHandler), &report)
	if web.ExitCode(err, &errOut) != 2 || !strings.Contains(errOut.String(), "audit.key is missing") {
		t.Errorf("a missing key in a house with people: %q", errOut.String())
	}
}

func withKeyMode(t *testing.T, cfg web.Config) web.Config {
	t.Helper()
	if err := os.Chmod(filepath.Join(cfg.Data, "vault.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestTheCommandsOfAnOperator(t *testing.T) {
	cfg := web.Config{Data: t.TempDir(), Listen: "127.0.0.1:0"}
	log := slog.New(slog.DiscardHandler)
	var out bytes.Buffer
	run := func(what string, err error, says string) {
		t.Helper()
		if err != nil || !strings.Contains(out.String(), says) {
			t.Errorf("%s: %v, printed %q, want %q", what, err, out.String(), says)
		}
		out.Reset()
	}
	run("invite", web.InviteUser(t.Context(), cfg, log, &out, "ada@example.com", "Ada", []models.Role{models.Admin}), "/invitation/")
	run("list", web.ListUsers(t.Context(), cfg, log, &out), "ada@example.com  Ada  invited  admin")
	run("roles", web.SetRoles(t.Context(), cfg, log, &out, "ada@example.com", []models.Role{models.Compliance, models.Auditor}), "Ada is now compliance and auditor.")
	run("link", web.ResetUser(t.Context(), cfg, log, &out, "ada@example.com", "invitation"), "/invitation/")
	run("migrate", web.Migrate(t.Context(), cfg, log, &out, false), "up to date")
	run("migrate --status", web.Migrate(t.Context(), cfg, log, &out, true), "up to date")
	run("rotate", web.VaultRotate(t.Context(), cfg, log, &out, time.Millisecond, false), "seals from now on")
	run("vault list", web.VaultList(cfg, &out), "ID:")
	if err := web.AuditAnchor(t.Context(), cfg, log, &out); err != nil {
		t.Fatal(err)
	}
	anchor := out.String()
	out.Reset()
	run("verify with an anchor from outside", web.AuditVerify(t.Context(), cfg, log, &out, strings.NewReader(anchor)), "(1 of them from outside)")
	target := filepath.Join(t.TempDir(), "copy.db")
	run("backup", web.Backup(t.Context(), cfg, log, &out, target), "the database is whole")
	if err := web.Backup(t.Context(), cfg, log, &out, target); models.CodeOf(err) != models.Conflict {
		t.Errorf("a backup over a file that is there: %v", err)
	}
	if err := web.SetRoles(t.Context(), cfg, log, &out, "ada@example.com", []models.Role{models.Finance, models.Admin}); models.CodeOf(err) != models.Invalid {
		t.Errorf("finance and admin at the command line: %v", err)
	}
	if err := web.VaultInit(cfg, &out); web.ExitCode(err, &out) != 2 {
		t.Errorf("vault init over a key: %v", err)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Setenv("COUNTINGHOUSE_TEST_NOTHING_FILE", "")
	path := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(path, []byte("postgres://db.example/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func() (string, error) {
		var c struct {
			Database string `env:"COUNTINGHOUSE_DATABASE"`
		}
		return web.ParseForTest(&c, func() string { return c.Database })
	}
	t.Setenv("COUNTINGHOUSE_DATABASE_FILE", path)
	if got, err := parse(); err != nil || got != "postgres://db.example/x" {
		t.Errorf("from the file: %q, %v", got, err)
	}
	t.Setenv("COUNTINGHOUSE_DATABASE", "postgres://direct/x")
	if got, _ := parse(); got != "postgres://direct/x" {
		t.Errorf("the variable itself wins: %q", got)
	}
	t.Setenv("COUNTINGHOUSE_DATABASE", "")
	t.Setenv("COUNTINGHOUSE_DATABASE_FILE", path+".missing")
	if _, err := parse(); err == nil || !strings.Contains(err.Error(), "COUNTINGHOUSE_DATABASE_FILE cannot be read") {
		t.Errorf("a file that is not there: %v", err)
	}
}
