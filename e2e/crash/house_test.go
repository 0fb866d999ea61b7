package crash

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"countinghouse/e2e/port"
	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
	"countinghouse/providers/all"
)

// house is one seed: a merchant, its providers and the servers that work for it.
type house struct {
	t      testing.TB
	name   string
	rnd    *rand.Rand
	broken string // see web/harness.go
	clock  *leapingClock
	store  *store.Store
	boxes  []*box
	public string // the address that providers call: the first server's

	servers []*server
	logs    bytes.Buffer
	made    []*models.Transaction
	kills   map[string]int
	told    []string  // what happened, for a seed that fails
	heldAt  time.Time // since when something is held back on the road

	ada, bea, cleo models.Actor
}

// template is a migrated SQLite file that every seed copies.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "countinghouse-crash-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{DSN: path})
	if err != nil {
		return nil, err
	}
	if _, err := s.Migrate(ctx); err != nil {
		return nil, err
	}
	if err := jobs.Migrate(ctx, s.WriteDB(), jobs.SQLite); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // the last one to close leaves no write-ahead log
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // just made
})

func newHouse(t testing.TB, name string, seed uint64, broken string, postgres bool) *house {
	t.Helper()
	built = true
	dir := t.TempDir()
	h := &house{t: t, name: name, rnd: rand.New(rand.NewPCG(seed, 0xC0417)), broken: broken, clock: newClock(t, dir), kills: map[string]int{}, //nolint:gosec // repeatable on purpose
		ada:  models.Actor{UserID: "u-ada", Name: "Ada", Roles: []models.Role{models.Finance}},
		bea:  models.Actor{UserID: "u-bea", Name: "Bea", Roles: []models.Role{models.Finance}},
		cleo: models.Actor{UserID: "u-cleo", Name: "Cleo", Roles: []models.Role{models.Finance}}}
	document, err := vault.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.FromString(document)
	if err != nil {
		t.Fatal(err)
	}
	seedBytes := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	env := []string{"COUNTINGHOUSE_VAULT_KEY=" + document, "COUNTINGHOUSE_AUDIT_KEY=" + base64.StdEncoding.EncodeToString(seedBytes)}
	dsn := filepath.Join(dir, "countinghouse.db")
	servers := 1
	if postgres {
		dsn, servers = storetest.PostgresDSN(t), 2
		env = append(env, "COUNTINGHOUSE_DATABASE="+dsn)
	} else {
		b, err := template()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dsn, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sealer := vault.New(keys)
	h.store, err = store.Open(t.Context(), store.Config{DSN: dsn, Clock: h.clock.Now, AuditKey: ed25519.NewKeyFromSeed(seedBytes), Vault: sealer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.store.Close() })
	for i := range servers {
		data := dir
		if i > 0 {
			data = t.TempDir()
		}
		h.servers = append(h.servers, &server{h: h, data: data, listen: port.Free(t), env: env})
	}
	h.public = h.servers[0].listen
	t.Cleanup(func() {
		for _, s := range h.servers {
			s.kill()
		}
	})
	h.fileJobs(postgres)
	h.furnish(sealer)
	return h
}

// fileJobs lets what the people do wake the servers' queue, as it would from within a server.
func (h *house) fileJobs(postgres bool) {
	engine := jobs.SQLite
	if postgres {
		engine = jobs.Postgres
		if err := jobs.Migrate(h.t.Context(), h.store.WriteDB(), engine); err != nil {
			h.t.Fatal(err)
		}
	}
	q, err := jobs.New(jobs.Config{DB: h.store.WriteDB(), Engine: engine, Now: h.clock.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	h.store.UseJobs(tasks.Enqueuer{Queue: q})
}

// furnish brings a credential into use at every provider.
func (h *house) furnish(sealer *vault.Vault) {
	admin := models.Actor{UserID: "u-tom", Name: "Tom", Roles: []models.Role{models.Admin}, StepUp: h.store.Now()}
	for _, p := range all.Registry().All() {
		b := newBox(h.t, p)
		spec := models.CredentialSpec{Provider: b.name, Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: p.Description.Short},
			Values: b.values, Secrets: b.secrets, Settings: b.settings}
		cred, err := h.store.CreateCredential(h.t.Context(), admin, sealer, spec)
		if err != nil {
			h.t.Fatalf("%s: %v", b.name, err)
		}
		if _, err := h.store.AskChange(h.t.Context(), admin, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
			h.t.Fatalf("%s: %v", b.name, err)
		}
		b.open(h.t, cred, h.public, int64(h.rnd.Uint32()))
		h.boxes = append(h.boxes, b)
	}
}

func (h *house) note(format string, args ...any) {
	h.told = append(h.told, fmt.Sprintf(format, args...))
}

// as is a person whose second factor was shown right now.
func (h *house) as(a models.Actor) models.Actor { a.StepUp = h.store.Now(); return a }

func (h *house) page(id string) *store.TransactionPage {
	h.t.Helper()
	p, err := h.store.Transaction(context.Background(), h.ada, models.Sandbox, id)
	if err != nil {
		h.t.Fatalf("%s: %v", h.name, err)
	}
	return p
}

func (h *house) boxOf(t *models.Transaction) *box {
	for _, b := range h.boxes {
		if b.name == t.Provider {
			return b
		}
	}
	panic("no such provider: " + t.Provider)
}

// count gives the one number of a query.
func (h *house) count(query string, args ...any) (n int) {
	h.t.Helper()
	err := h.store.View(context.Background(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		h.t.Fatalf("%s: %s: %v", h.name, query, err)
	}
	return n
}

// texts gives the lines of a query of one text column.
func (h *house) texts(query string, args ...any) (out []string) {
	h.t.Helper()
	err := h.store.View(context.Background(), func(tx *store.Tx) error {
		out = nil
		return tx.Each(func(r *sql.Rows) error {
			var line string
			err := r.Scan(&line)
			out = append(out, line)
			return err
		}, query, args...)
	})
	if err != nil {
		h.t.Fatalf("%s: %s: %v", h.name, query, err)
	}
	return out
}
