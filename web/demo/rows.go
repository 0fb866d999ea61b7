package demo

import (
	"math/rand/v2"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

// samples is how many whole histories Rows draws its variety from.
const samples = 5000

// odd is about how many payouts have an outcome that nobody knows: the sparse combination that a filter must find without a search. It is the
// same in a small and a large history, so that pages of them show as much and their times may be compared.
const odd = 600

// Rows writes very many bare transactions, spread evenly over the year before now, oldest first. Kind, provider, state, party and fees are
// those of a Historian's stories; ids, references, amounts and times are each row's own. The same seed gives the same rows.
type Rows struct {
	rnd     *rand.Rand
	samples []store.History
	i, n    int
	start   models.Micros
	step    time.Duration
	h       *Historian
	out     store.History
}

// NewRows prepares n rows.
func NewRows(seed uint64, accounts []Account, people []Person, now time.Time, n int) *Rows {
	h := NewHistorian(seed, accounts, people, now, samples)
	r := &Rows{rnd: rand.New(rand.NewPCG(seed, 0xB0A7)), n: n, h: h, step: 365 * 24 * time.Hour / time.Duration(max(n, 1))} //nolint:gosec // believable, not secret
	r.start = models.At(now.Add(-365 * 24 * time.Hour))
	for x := h.Next(); x != nil; x = h.Next() {
		r.samples = append(r.samples, store.History{Transaction: x.Transaction})
	}
	return r
}

// Next gives the next row; nil after the last. What it gives is overwritten by the next call.
func (r *Rows) Next() *store.History {
	if r.i >= r.n || len(r.samples) == 0 {
		return nil
	}
	at := r.start.Add(time.Duration(r.i)*r.step + time.Duration(r.rnd.Int64N(int64(r.step))))
	r.out.Transaction = r.samples[r.rnd.IntN(len(r.samples))].Transaction
	t := &r.out.Transaction
	shift := at - t.CreatedAt
	for _, m := range []*models.Micros{&t.CreatedAt, &t.UpdatedAt, &t.SentAt, &t.SettledAt} {
		if *m > 0 {
			*m += shift
		}
	}
	t.ID, t.Reference, t.OfID = idAt(r.rnd, at), r.h.reference(), ""
	if t.ProviderRef != "" {
		t.ProviderRef = r.h.digits(12)
	}
	t.Amount.Minor = max(1, t.Amount.Minor*int64(70+r.rnd.IntN(60))/100)
	if t.Kind == models.Payout && t.State == models.Succeeded && r.i%max(1, r.n/odd) == 0 {
		t.State, t.Alert, t.SettledAt = models.Unknown, "The outcome is unknown.", 0
	}
	r.i++
	return &r.out
}
