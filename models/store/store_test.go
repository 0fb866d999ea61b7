package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestBothEnginesHaveTheSameTablesColumnsAndIndexes(t *testing.T) {
	shape := func(s *store.Store) []string {
		t.Helper()
		list, err := s.Shape(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", s.Engine, err)
		}
		if len(list) < 20 {
			t.Fatalf("%s shows only %d lines of shape: the query must be wrong", s.Engine, len(list))
		}
		return list
	}
	lite := storetest.SQLite(t)
	again, err := lite.Migrate(t.Context())
	if err != nil || len(again) != 0 {
		t.Errorf("a second Migrate applied %v, err %v; want nothing", again, err)
	}
	got := shape(lite)
	pg := storetest.Postgres(t)
	if diff := cmp.Diff(got, shape(pg)); diff != "" {
		t.Errorf("the engines differ (-sqlite +postgres):\n%s", diff)
	}
}

func TestAFailedUpdateLeavesNothingAndRunsNothingAfter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		boom := errors.New("boom")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			tx.AfterCommit(func() { t.Error("AfterCommit ran after a rollback") })
			if err := tx.Audit(models.System("test"), "thing.do", "thing", "1", nil, nil, "Did it."); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("Update gave %v, want boom", err)
		}
		rep, err := s.VerifyAudit(t.Context())
		if err != nil || rep.Entries != 0 || !rep.Whole() {
			t.Errorf("after a rollback: %+v, %v; want an empty whole chain", rep, err)
		}
	})
}

func TestAViewCannotWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.View(t.Context(), func(q *store.Tx) error {
			return q.Exec("UPDATE audit_head SET seq = 9 WHERE id = 1")
		})
		if err == nil {
			t.Error("a View wrote")
		}
	})
}

func TestOneMomentPerUpdate(t *testing.T) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var first, second models.Micros
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			first = tx.Now
			clock.Advance(1)
			second = tx.Now
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if first == 0 || first != second {
			t.Errorf("the moment moved inside one transaction: %d, %d", first, second)
		}
	}, storetest.WithClock(clock))
}

func TestManyWritersKeepOneChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const writers, each = 12, 15
		var wg sync.WaitGroup
		var after sync.Map
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d-%d", w, i)
					err := s.Update(t.Context(), func(tx *store.Tx) error {
						tx.AfterCommit(func() {
							if _, twice := after.LoadOrStore(id, true); twice {
								t.Errorf("AfterCommit of %s ran twice", id)
							}
						})
						return tx.Audit(models.System("test"), "thing.do", "thing", id, nil, map[string]any{"n": i}, "Did it.")
					})
					if err != nil {
						t.Errorf("%s: %v", id, err)
					}
				}
			})
		}
		wg.Wait()
		rep, err := s.VerifyAudit(t.Context())
		if err != nil || !rep.Whole() || rep.Entries != writers*each {
			t.Errorf("chain after %d writers: %+v, %v", writers, rep, err)
		}
	})
}

func TestBooleansBytesAndPlaceholdersMeanTheSameOnBoth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		type row struct {
			Flag  bool
			Raw   []byte
			Text  string
			Count int64
		}
		want := row{Flag: true, Raw: []byte{0, 1, 0xff}, Text: "is it? -- 'yes'", Count: 1<<62 + 1}
		var got row
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.Exec("CREATE TABLE proof (flag BOOLEAN NOT NULL, raw BYTEA NOT NULL, text TEXT NOT NULL, count BIGINT NOT NULL)"); err != nil {
				return err
			}
			if err := tx.Exec("INSERT INTO proof (flag, raw, text, count) VALUES (?, ?, ?, ?) -- why?\n", want.Flag, want.Raw, want.Text, want.Count); err != nil {
				return err
			}
			return tx.QueryRow("SELECT flag, raw, text, count FROM proof WHERE flag AND text <> 'a?' AND count = ?", want.Count).
				Scan(&got.Flag, &got.Raw, &got.Text, &got.Count)
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("raw SQL (-want +got):\n%s", diff)
		}
		var through row
		if err := s.View(t.Context(), func(q *store.Tx) error { return q.DB.Table("proof").Where("flag = ?", true).Take(&through).Error }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, through); diff != "" {
			t.Errorf("GORM (-want +got):\n%s", diff)
		}
	})
}
