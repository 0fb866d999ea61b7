package store_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// What a page costs must not grow with the table, so no filter may lead to a walk through all rows or to sorting what an index could give in
// order. Pages that are merged from several places of an index sort the few rows they found, twice.
func TestNoFilterWalksOrSortsTheTable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := 50_000
		if testing.Short() {
			n = 5_000
		}
		all := fillRandom(t, s, n)
		middle := models.Cursor{At: all[len(all)/2].CreatedAt, ID: all[len(all)/2].ID}
		for _, query := range []string{"", "kind=payout", "state=unknown", "kind=payout,refund&state=failed", "provider=wspn", "credential=c1&asset=USD",
			"provider=wspn&credential=c1&kind=deposit&state=succeeded&asset=BRL", "when=7d", "when=30d&kind=payout", "attention=1", "attention=1&kind=deposit&state=failed",
			"q=" + all[17].Reference, "q=100042", "sub=" + someSub(0), "sub=" + someSub(0) + "&state=unknown", "sub=" + someSub(1) + "&kind=payout",
			"sub=" + someSub(1) + "&provider=wspn&asset=USD", "sub=" + someSub(1) + "&when=7d", "sub=" + someSub(1) + "&attention=1"} {
			q, _ := url.ParseQuery(query)
			f, problems := models.ParseFilter(models.Sandbox, q, time.UTC)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			for _, page := range []struct {
				name  string
				c     models.Cursor
				limit int
			}{{"first", models.Cursor{}, 51}, {"deep", middle, 51}, {"back", models.Cursor{At: middle.At, ID: middle.ID, Back: true}, 51}, {"export", models.Cursor{}, 0}} {
				plan, merged, err := s.Plan(t.Context(), f, page.c, page.limit)
				if err != nil {
					t.Fatalf("%s, %s: %v", query, page.name, err)
				}
				if plan == "" {
					t.Fatalf("%s, %s: no plan, so nothing was checked", query, page.name)
				}
				if s.Engine == store.SQLite {
					checkSQLitePlan(t, query+", "+page.name, plan, merged)
				} else if page.limit > 0 {
					checkPostgresPlan(t, query+", "+page.name, plan, merged)
				}
			}
		}
	})
}

// A day without a match costs one look into the index, not a walk over the day's rows; so the amounts must be part of the search.
func TestAmountsAreFoundByTheirIndexDayByDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all := fillRandom(t, s, 20_000)
		for _, query := range []string{"asset=BRL&min=900", "asset=BRL&max=1&kind=payout&state=failed", "asset=BRL&min=5&max=6&when=30d"} {
			q, _ := url.ParseQuery(query)
			f, problems := models.ParseFilter(models.Sandbox, q, time.UTC)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			for _, c := range []models.Cursor{{}, {At: all[100].CreatedAt, ID: all[100].ID}, {At: all[100].CreatedAt, ID: all[100].ID, Back: true}} {
				plan, err := s.AmountPlan(t.Context(), f, c)
				if err != nil {
					t.Fatal(err)
				}
				if s.Engine == store.SQLite && !strings.Contains(plan, "transactions_amount (environment=? AND asset=? AND <expr>=? AND minor>? AND minor<?)") {
					t.Errorf("%s: not a search by amount:\n%s", query, plan)
				}
				if s.Engine == store.Postgres && (strings.Contains(plan, "Seq Scan") || plan == "") {
					t.Errorf("%s: walks the table:\n%s", query, plan)
				}
			}
		}
	})
}

func checkSQLitePlan(t *testing.T, what, plan string, merged bool) {
	t.Helper()
	sorts := 0
	for line := range strings.Lines(plan) {
		line = strings.TrimSpace(line)
		if line == "SCAN t" || line == "SCAN transactions" || strings.HasPrefix(line, "SCAN t USING") {
			t.Errorf("%s: walks the table:\n%s", what, plan)
		}
		if line == "USE TEMP B-TREE FOR ORDER BY" {
			sorts++
		}
	}
	bound := 0
	switch {
	case strings.HasPrefix(what, "q="): // at most 2,000 rows are looked at
		bound = 4
	case merged:
		bound = 2
	}
	if sorts > bound {
		t.Errorf("%s: sorts (%d times) what an index could give in order:\n%s", what, sorts, plan)
	}
}

func checkPostgresPlan(t *testing.T, what, plan string, merged bool) {
	t.Helper()
	if strings.Contains(plan, "Seq Scan on transactions") {
		t.Errorf("%s: walks the table:\n%s", what, plan)
	}
	if !merged && strings.Contains(strings.ReplaceAll(plan, "Incremental Sort", ""), "Sort  (cost") {
		t.Errorf("%s: sorts what an index could give in order:\n%s", what, plan)
	}
}
