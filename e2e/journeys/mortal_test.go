package journeys

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"countinghouse/e2e/port"
	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
)

// mortal is the real program, not the demonstration, over a folder that outlives it. It is built with -tags harness, so that its clock can leap and it
// can be told at which step of a send to die of SIGKILL.
type mortal struct {
	*house
	t      *testing.T
	store  *store.Store // the same database, for what the people of this test bring along
	wspn   *standIn
	binary string
	data   string
	listen string
	env    []string
	cmd    *exec.Cmd
	log    bytes.Buffer

	mu    sync.Mutex
	ahead time.Duration
}

// openMortal founds a merchant with credentials at stand-ins of ours: OneKey, and WSPN, which keeps a book of addresses. Nothing runs yet.
func openMortal(t *testing.T) *mortal {
	t.Helper()
	dir := t.TempDir()
	m := &mortal{house: &house{onekey: oneKey(t)}, t: t, wspn: openStandIn(t, "wspn", map[string]string{"client_id": "100200300", "api_key": "k-0123456789", "api_secret": "s-0123456789abcdef"}), binary: filepath.Join(dir, "countinghouse"), data: filepath.Join(dir, "data")}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-tags", "harness", "-o", m.binary, "countinghouse")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := os.MkdirAll(m.data, 0o700); err != nil {
		t.Fatal(err)
	}
	m.listen = port.Free(t)
	m.base = "http://" + m.listen
	clock := filepath.Join(dir, "clock")
	if err := os.WriteFile(clock, make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	document, err := vault.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.FromString(document)
	if err != nil {
		t.Fatal(err)
	}
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	m.env = append(os.Environ(), "COUNTINGHOUSE_VAULT_KEY="+document, "COUNTINGHOUSE_AUDIT_KEY="+base64.StdEncoding.EncodeToString(seed), "COUNTINGHOUSE_HARNESS_CLOCK="+clock)
	m.found(vault.New(keys), seed)
	t.Cleanup(m.kill)
	return m
}

func (m *mortal) found(sealer *vault.Vault, seed []byte) {
	t := m.t
	var err error
	m.store, err = store.Open(t.Context(), store.Config{DSN: filepath.Join(m.data, "countinghouse.db"), Clock: m.now, AuditKey: ed25519.NewKeyFromSeed(seed), Vault: sealer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.store.Close() })
	if _, err := m.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := jobs.Migrate(t.Context(), m.store.WriteDB(), jobs.SQLite); err != nil {
		t.Fatal(err)
	}
	admin := storetest.SetUp(t, m.store).Actor(m.store)
	for _, x := range []models.CredentialSpec{
		{Provider: "onekey", CredentialNotes: models.CredentialNotes{Name: "Cashouts Brazil"}, Secrets: m.onekey.keys, Values: map[string]string{"base_url": m.onekey.url, "reconciliation_base_url": m.onekey.url + "/v1"}},
		{Provider: "wspn", CredentialNotes: models.CredentialNotes{Name: "Treasury"}, Secrets: map[string]string{"api_key": m.wspn.keys["api_key"], "api_secret": m.wspn.keys["api_secret"]},
			Values: map[string]string{"client_id": m.wspn.keys["client_id"], "base_url": m.wspn.url}},
	} {
		x.Environment = models.Sandbox
		cred, err := m.store.CreateCredential(t.Context(), admin, sealer, x)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.store.AskChange(t.Context(), admin, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
			t.Fatal(err)
		}
	}
}

// now is the time as the program sees it.
func (m *mortal) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.ahead)
}

// leap moves the time of the program.
func (m *mortal) leap(d time.Duration) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += d
	f, err := os.OpenFile(filepath.Join(filepath.Dir(m.data), "clock"), os.O_WRONLY, 0) // in place: the program has it open
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(m.ahead.Microseconds())), 0); err != nil {
		m.t.Fatal(err)
	}
}

// live starts the program. step is where it dies, such as after_answer:1, or empty.
func (m *mortal) live(step string) {
	m.t.Helper()
	m.cmd = exec.Command(m.binary, "serve", "--data", m.data, "--listen", m.listen, "--public-url", m.base) //nolint:noctx // it is killed by hand
	m.cmd.Env = append(m.env, "COUNTINGHOUSE_HARNESS_KILL="+step)
	m.cmd.Stdout, m.cmd.Stderr = &m.log, &m.log
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	for ends := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(m.base + "/readyz"); err == nil { //nolint:noctx // loopback
			_ = res.Body.Close()
			return
		}
		if time.Now().After(ends) {
			m.t.Fatalf("the program does not answer\n%s", &m.log)
		}
	}
}

// dies waits for the death that was ordered.
func (m *mortal) dies() {
	m.t.Helper()
	done := make(chan struct{})
	go func() {
		_ = m.cmd.Wait() // killed on purpose: how it ended is asked below
		close(done)
	}()
	select {
	case <-done:
		if code := m.cmd.ProcessState.ExitCode(); code != -1 {
			m.t.Fatalf("the program ended by itself with %d\n%s", code, &m.log)
		}
	case <-time.After(patience):
		_ = m.cmd.Process.Kill()
		<-done
		m.t.Fatalf("the program was never killed: the step was not reached\n%s", &m.log)
	}
	m.cmd = nil
}

func (m *mortal) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

// member brings somebody in, with a second factor of their own, to a browser of their own.
func (m *mortal) member(browser context.Context, email, name string, role models.Role) (*person, storetest.Person) {
	m.t.Helper()
	who := storetest.Add(m.t, m.store, email, name, role)
	p := sit(m.t, browser, m.house, name)
	p.carries("countinghouse", who.Token)
	return p, who
}
