package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// Every day of a range is counted once, whatever blocks it is put together from, and a year takes few of them.
func TestARangeOfDaysIsCoveredOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		first := r.Int64N(30_000)
		last := first + r.Int64N(800) - 1
		spans, days := store.Cover(first, last)
		slices.Sort(days)
		want := []int64{}
		for d := first; d <= last; d++ {
			want = append(want, d)
		}
		if !slices.Equal(days, want) {
			t.Fatalf("%d to %d is covered by %v", first, last, days)
		}
		if spans > 28+int(last-first)/64 {
			t.Fatalf("%d to %d takes %d spans", first, last, spans)
		}
	}
}

// Blocks of days in which nobody has such an amount are never asked, and no row is lost by that: neither where the totals were counted anew, nor
// where they followed the rows one by one.
func TestBlocksWithoutAnAmountAreLeftOutAndNoRowIsLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		rnd := rand.New(rand.NewPCG(3, 9))
		all := fillOverYears(t, s, rnd, 900)
		for _, way := range []string{"anew", "one by one"} {
			if way == "one by one" {
				if err := s.CountOneByOne(t.Context(), all); err != nil {
					t.Fatal(err)
				}
			}
			for range 40 {
				low := rnd.Int64N(13_000)
				f := models.Filter{Environment: models.Sandbox, Assets: []string{[]string{"BRL", "USD"}[rnd.IntN(2)]}, Min: fmt.Sprint(low), Max: fmt.Sprint(low + rnd.Int64N(300))}
				switch rnd.IntN(4) {
				case 0:
					f.States = []models.State{models.Failed}
				case 1:
					f.SubAccount = someSub(rnd.IntN(2))
				}
				var want []string
				blocks := map[int64]bool{}
				for _, x := range all {
					if matches(f, x, s.Clock()) {
						want = append(want, x.ID)
						blocks[int64(x.CreatedAt)/(64*24*int64(time.Hour/time.Microsecond))] = true
					}
				}
				got, err := s.List(t.Context(), reader, f, models.Cursor{}, 500)
				if err != nil {
					t.Fatal(err)
				}
				var ids []string
				for _, x := range got.Rows {
					ids = append(ids, x.ID)
				}
				if d := cmp.Diff(want, ids); d != "" {
					t.Errorf("counted %s, %s from %s to %s (-want +got):\n%s", way, f.Assets[0], f.Min, f.Max, d)
				}
				if n, err := s.Totals(t.Context(), reader, f); err != nil || n.Count != int64(len(want)) {
					t.Errorf("counted %s: %+v, %v; want %d", way, n, err, len(want))
				}
				asked, err := s.AmountBlocks(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if len(asked) > len(blocks)+2 { // the range of a block may hold an amount that no row has
					t.Errorf("counted %s: %d blocks asked, rows in %d", way, len(asked), len(blocks))
				}
			}
		}
	})
}

// fillOverYears writes rows of two years, newest first. Every block of 64 days has amounts of its own thousand.
func fillOverYears(t *testing.T, s *store.Store, rnd *rand.Rand, n int) []models.Transaction {
	t.Helper()
	var all []models.Transaction
	at := s.Now()
	for i := range n {
		at = at.Add(-time.Duration(rnd.Int64N(int64(40 * time.Hour))))
		x := models.Transaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, Provider: "onekey", CredentialID: "c1", Reference: models.NewReference(),
			State: []models.State{models.Succeeded, models.Failed}[i%2], CreatedAt: at, UpdatedAt: at,
			Amount: models.Money{Minor: 100 * (int64(at)/(64*24*int64(time.Hour/time.Microsecond))%13*1000 + rnd.Int64N(1000)), Asset: []string{"BRL", "USD"}[rnd.IntN(2)]}}
		if i%3 == 1 {
			x.SubAccount = someSub(rnd.IntN(2))
		}
		all = append(all, x)
	}
	i := 0
	if _, err := s.Fill(t.Context(), func() *store.History {
		if i == len(all) {
			return nil
		}
		i++
		return &store.History{Transaction: all[i-1]}
	}, true); err != nil {
		t.Fatal(err)
	}
	return all
}
