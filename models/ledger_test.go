package models_test

import (
	"testing"

	"pgregory.net/rapid"

	"countinghouse/models"
)

// TestEveryHistoryLeavesTheBooksBalanced walks random paths through the table of transitions with random figures and posts the difference
// at every step: each posting sums to zero per asset, and what is posted in the end depends only on where the transaction stands.
func TestEveryHistoryLeavesTheBooksBalanced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(models.Kinds()).Draw(t, "kind")
		amount := models.Money{Minor: rapid.Int64Range(1, 1e12).Draw(t, "amount"), Asset: "BRL"}
		f := models.Figures{Amount: amount}
		state := models.Draft
		sums := map[models.Account]map[string]int64{}
		post := func(ps []models.Posting) {
			total := map[string]int64{}
			for _, p := range ps {
				if sums[p.Account] == nil {
					sums[p.Account] = map[string]int64{}
				}
				sums[p.Account][p.Money.Asset] += p.Money.Minor
				total[p.Money.Asset] += p.Money.Minor
			}
			for asset, n := range total {
				if n != 0 {
					t.Fatalf("a posting is off by %d %s", n, asset)
				}
			}
		}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			var next []models.State
			for _, tr := range models.Transitions() {
				if tr.From == state && models.CanBecome(kind, state, tr.To, tr.By[0]) {
					next = append(next, tr.To)
				}
			}
			if len(next) == 0 {
				break
			}
			before := models.Position(kind, state, f)
			state = rapid.SampledFrom(next).Draw(t, "next")
			if rapid.Bool().Draw(t, "fee") {
				f.Fee = models.Money{Minor: rapid.Int64Range(0, 1000).Draw(t, "fee minor"), Asset: "BRL"}
			}
			if kind == models.Deposit && rapid.Bool().Draw(t, "wrong amount") {
				f.Settled = models.Money{Minor: rapid.Int64Range(1, 1e12).Draw(t, "settled"), Asset: "BRL"}
			}
			if kind == models.Conversion {
				f.Counter = models.Money{Minor: rapid.Int64Range(0, 1e12).Draw(t, "bought"), Asset: "WUSD"}
			}
			post(models.Postings(before, models.Position(kind, state, f)))
		}
		want := map[models.Account]map[string]int64{}
		for _, p := range models.Position(kind, state, f) {
			if want[p.Account] == nil {
				want[p.Account] = map[string]int64{}
			}
			want[p.Account][p.Money.Asset] += p.Money.Minor
		}
		for account, by := range sums {
			for asset, n := range by {
				if want[account][asset] != n {
					t.Fatalf("%s %s holds %d, the state %s says %d", account, asset, n, state, want[account][asset])
				}
			}
		}
		if state.Final() {
			for asset, n := range sums[models.InFlight] {
				if n != 0 {
					t.Fatalf("a final %s leaves %d %s in flight", state, n, asset)
				}
			}
		}
	})
}

// TestMoneyThatFailedIsWhereItWas: whatever happened before, a payout that failed or was cancelled leaves no posting behind.
func TestMoneyThatFailedIsWhereItWas(t *testing.T) {
	f := models.Figures{Amount: models.Money{Minor: 184000, Asset: "BRL"}}
	for _, s := range []models.State{models.Failed, models.Cancelled, models.Rejected, models.Expired, models.Approved, models.Draft} {
		if ps := models.Position(models.Payout, s, f); len(ps) != 0 {
			t.Errorf("a payout that is %s stands in the ledger: %v", s, ps)
		}
	}
}
