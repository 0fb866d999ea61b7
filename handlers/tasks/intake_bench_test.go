package tasks_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
	"countinghouse/providers"
)

// benchStore is a store on a real disk with one active credential.
func benchStore(b *testing.B) (*store.Store, *vault.Vault, string) {
	b.Helper()
	v := storetest.Vault(b)
	s, err := store.Open(b.Context(), store.Config{DSN: filepath.Join(b.TempDir(), "bench.db"), Vault: v})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	ann := models.Actor{UserID: "u", Name: "Ann", Roles: []models.Role{models.Admin}, StepUp: s.Now()}
	c, err := s.CreateCredential(b.Context(), ann, v, models.CredentialSpec{Provider: "plainpay", Environment: models.Sandbox,
		CredentialNotes: models.CredentialNotes{Name: "Main"}, Values: map[string]string{"base_url": "http://127.0.0.1:9"}, Secrets: map[string]string{"secret": canary}})
	if err != nil {
		b.Fatal(err)
	}
	return s, v, c.ID
}

// BenchmarkIntake verifies, stores with its job, and answers after the commit, while the queue reads what was stored: what one delivery costs
// behind HTTP.
func BenchmarkIntake(b *testing.B) {
	s, v, id := benchStore(b)
	q, err := jobs.New(jobs.Config{DB: s.WriteDB(), Engine: jobs.SQLite, Lanes: tasks.KeyLanes()})
	if err != nil {
		b.Fatal(err)
	}
	rec := tasks.NewRecorder(s, nil)
	defer rec.Close()
	desk := tasks.NewDesk(tasks.DeskConfig{Store: s, Vault: v, Registry: providers.NewRegistry(plainpay()), Recorder: rec})
	hooks := &tasks.Hooks{Store: s, Desk: desk, Queue: q, Log: slog.New(slog.DiscardHandler)}
	hooks.Register()
	if err := q.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer q.Stop(b.Context()) //nolint:errcheck // the database is thrown away
	in := s.NewIntake(hooks.Received)
	defer in.Close()
	var n atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			d, _, _, err := desk.Judge(b.Context(), id, delivery(canary, fmt.Sprintf(`{"event":"%d","ref":"CH0123456789ABCDEFGHJK","status":"done","pad":"%0200d"}`, n.Add(1), 0)), "203.0.113.9")
			if err != nil {
				b.Error(err)
				return
			}
			if k := in.Keep(b.Context(), d); k.Err != nil {
				b.Error(k.Err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// BenchmarkGroupedCommits is the floor beside it: rows of the same size, 64 to a durable commit, one statement each.
func BenchmarkGroupedCommits(b *testing.B) {
	s, _, _ := benchStore(b)
	if err := s.Update(b.Context(), func(tx *store.Tx) error {
		return tx.Exec("CREATE TABLE floor (id TEXT NOT NULL PRIMARY KEY, at_us BIGINT NOT NULL, body BYTEA NOT NULL)")
	}); err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 300)
	b.ResetTimer()
	for done := 0; done < b.N; done += 64 {
		if err := s.Update(b.Context(), func(tx *store.Tx) error {
			for range min(64, b.N-done) {
				if err := tx.Exec("INSERT INTO floor (id, at_us, body) VALUES (?,?,?)", models.NewID(), time.Now().UnixMicro(), body); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
