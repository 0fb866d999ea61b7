package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

var auditor = models.Actor{UserID: "u-audit", Name: "Ada Auditor", Roles: []models.Role{models.Auditor}}

func write(t *testing.T, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		who := models.Actor{UserID: fmt.Sprintf("u-%d", i%2), Name: "Mina", IP: "192.0.2.1", Sess: "s-1"}
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Audit(who, "thing.change", "thing", fmt.Sprint(i), map[string]any{"n": i}, map[string]any{"n": i + 1}, "Changed a thing.")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWholeChainIsWholeAndAnchored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		write(t, s, 260) // passes the automatic anchor at 256
		a, err := s.Anchor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rep, err := s.VerifyAudit(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		want := models.AuditReport{Entries: 260, Anchors: 3, Head: a.Hash}
		if diff := cmp.Diff(want, rep); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
	})
}

// Every kind of tampering is done by a person who can write to the database, behind the program's back.
func TestTamperingIsFoundAndTheFirstBrokenEntryNamed(t *testing.T) {
	rewrite := func(s *store.Store) string { // drops entry 10 and renumbers nothing
		return "DELETE FROM audit_entries WHERE seq = 10"
	}
	cases := []struct {
		name    string
		sql     func(*store.Store) string
		outside bool // check against an anchor kept elsewhere
		broken  int64
		why     string
	}{
		{"a sentence is changed", func(*store.Store) string {
			return "UPDATE audit_entries SET sentence = 'Nothing happened.' WHERE seq = 7"
		}, false, 7, "changed"},
		{"who did it is changed", func(*store.Store) string { return "UPDATE audit_entries SET actor_id = 'u-9' WHERE seq = 1" }, false, 1, "changed"},
		{"the time is changed", func(*store.Store) string { return "UPDATE audit_entries SET at_us = at_us + 1 WHERE seq = 20" }, false, 20, "changed"},
		{"what it was before is changed", func(*store.Store) string { return "UPDATE audit_entries SET before_json = '' WHERE seq = 3" }, false, 3, "changed"},
		{"a hash is changed", func(*store.Store) string { return "UPDATE audit_entries SET hash = 'aa' WHERE seq = 4" }, false, 4, "changed"},
		{"an entry in the middle is deleted", rewrite, false, 10, "missing"},
		{"the first entry is deleted", func(*store.Store) string { return "DELETE FROM audit_entries WHERE seq = 1" }, false, 1, "missing"},
		{"the tail is cut, the head left", func(*store.Store) string { return "DELETE FROM audit_entries WHERE seq > 15" }, false, 16, "tail was cut"},
		{"everything is deleted", func(*store.Store) string { return "DELETE FROM audit_entries" }, false, 1, "tail was cut"},
		{"an anchor's hash is changed", func(*store.Store) string { return "UPDATE audit_anchors SET hash = 'aa'" }, false, 25, "signature"},
		{"tail, head and anchors are cut alike", func(*store.Store) string {
			return `DELETE FROM audit_entries WHERE seq > 15; DELETE FROM audit_anchors;
				UPDATE audit_head SET seq = 15, hash = (SELECT hash FROM audit_entries WHERE seq = 15)`
		}, true, 16, "an anchor signed entry 25"},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if s.Engine == store.Postgres {
			cases = append(cases[:0:0], cases[0], cases[5], cases[7], cases[10]) // the walk is the same code: one of each kind is enough
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := s
				if s.Engine == store.SQLite {
					s = storetest.SQLite(t)
				} else {
					s = storetest.Postgres(t)
				}
				write(t, s, 25)
				a, err := s.Anchor(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range strings.Split(c.sql(s), ";") {
					if _, err := s.WriteDB().ExecContext(t.Context(), q); err != nil {
						t.Fatal(err)
					}
				}
				var outside []models.AuditAnchor
				if c.outside {
					if rep, err := s.VerifyAudit(t.Context()); err != nil || !rep.Whole() {
						t.Fatalf("without the outside anchor this cut cannot be seen, yet: %+v %v", rep, err)
					}
					outside = append(outside, a)
				}
				rep, err := s.VerifyAudit(t.Context(), outside...)
				if err != nil {
					t.Fatal(err)
				}
				if rep.Broken != c.broken || !strings.Contains(rep.Why, c.why) {
					t.Errorf("report %+v; want entry %d and %q", rep, c.broken, c.why)
				}
			})
		}
	})
}

func TestAnAnchorOfAnotherKeyOrFromAnotherChainIsRefused(t *testing.T) {
	s := storetest.SQLite(t)
	write(t, s, 5)
	a, err := s.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	forged := a
	forged.Hash = strings.Repeat("0", 64)
	if rep, _ := s.VerifyAudit(t.Context(), forged); rep.Whole() || !strings.Contains(rep.Why, "signature") {
		t.Errorf("a forged anchor passed: %+v", rep)
	}
	other := a
	other.KeyID = "0000000000000000"
	if rep, _ := s.VerifyAudit(t.Context(), other); rep.Whole() || !strings.Contains(rep.Why, "another key") {
		t.Errorf("an anchor of another key passed: %+v", rep)
	}
}

func TestTheTrailNeverHoldsASecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		canary := "canary-3f9a1c"
		before := map[string]any{"label": "main", "api_key": canary, "nested": []any{map[string]any{"Client_Secret": canary, "totpSecret": canary}}}
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Audit(auditor, "credential.replace", "credential", "c\x00-1", before, struct{ Password string }{canary}, "Replaced \xff the keys.")
		}); err != nil {
			t.Fatal(err)
		}
		list, err := s.AuditList(t.Context(), auditor, models.AuditFilter{})
		if err != nil || len(list) != 1 {
			t.Fatalf("list: %v, %v", list, err)
		}
		if all := fmt.Sprintf("%+v", list[0]); strings.Contains(all, canary) {
			t.Errorf("the secret is in the trail: %s", all)
		}
		if list[0].Before != `{"api_key":"…","label":"main","nested":[{"Client_Secret":"…","totpSecret":"…"}]}` {
			t.Errorf("before is kept as %s", list[0].Before)
		}
		if rep, err := s.VerifyAudit(t.Context()); err != nil || !rep.Whole() {
			t.Errorf("odd bytes broke the chain: %+v %v", rep, err)
		}
	})
}

func TestTheTrailIsPagedAndFiltered(t *testing.T) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		write(t, s, 5)
		noon := s.Now().Add(time.Hour)
		clock.Advance(2 * time.Hour)
		write(t, s, 2)
		seqs := func(f models.AuditFilter) (out []int64) {
			t.Helper()
			list, err := s.AuditList(t.Context(), auditor, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				out = append(out, e.Seq)
			}
			return out
		}
		for _, c := range []struct {
			f    models.AuditFilter
			want []int64
		}{
			{models.AuditFilter{Limit: 3}, []int64{7, 6, 5}},
			{models.AuditFilter{Limit: 3, Before: 5}, []int64{4, 3, 2}},
			{models.AuditFilter{ActorID: "u-1"}, []int64{7, 4, 2}},
			{models.AuditFilter{Noun: "thing", NounID: "0"}, []int64{6, 1}},
			{models.AuditFilter{From: noon}, []int64{7, 6}},
			{models.AuditFilter{To: noon, Action: "thing.change", Limit: 1}, []int64{5}},
			{models.AuditFilter{Action: "thing.burn"}, nil},
		} {
			if diff := cmp.Diff(c.want, seqs(c.f)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", c.f, diff)
			}
		}
	}, storetest.WithClock(clock))
}

func TestOnlyThoseWhoMayReadTheTrail(t *testing.T) {
	s := storetest.SQLite(t)
	finance := models.Actor{UserID: "u-1", Roles: []models.Role{models.Finance}}
	if _, err := s.AuditList(t.Context(), finance, models.AuditFilter{}); !models.Is(err, models.Forbidden) {
		t.Errorf("finance read the trail: %v", err)
	}
}
