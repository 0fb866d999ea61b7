package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"countinghouse/models/store"
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
