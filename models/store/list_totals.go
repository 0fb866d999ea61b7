package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
)

// Totals are the count of a filter and its sums per asset, money that comes in and money that goes out apart.
type Totals struct {
	Count   int64
	Bounded bool // counting stopped: there are at least Count
	In, Out []models.Money
}

// Totals counts a filter without walking it: from the maintained totals, or bounded at 10,000 where a condition is not among them. It
// needs transactions.read.
func (s *Store) Totals(ctx context.Context, a models.Actor, f models.Filter) (*Totals, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	out := new(Totals)
	err := s.View(ctx, func(tx *Tx) error {
		var cs []combo
		from, until := f.Range(tx.Now.Time())
		amounts, err := tx.byAmount(f)
		switch {
		case err != nil:
		case amounts:
			cs, out.Bounded, err = tx.amountCombos(f, from, until)
		case free(f):
			cs, out.Bounded, err = tx.boundedCombos(f, from, until)
		case from == 0 && until == 0:
			cs, err = tx.sums(f, allDays)
		default:
			cs, out.Bounded, err = tx.rangeCombos(f, from, until)
		}
		if err != nil {
			return err
		}
		out.sum(cs)
		return nil
	})
	return out, err
}

// rangeCombos takes whole UTC days from the maintained totals and counts only the two edges, which are shorter than a day.
func (tx *Tx) rangeCombos(f models.Filter, from, until models.Micros) ([]combo, bool, error) {
	if most := tx.Now.Add(48 * time.Hour); until == 0 || until > most { // nothing is from later
		until = most
	}
	from = max(from, 0)
	first := (int64(from) + microsPerDay - 1) / microsPerDay
	last := int64(until)/microsPerDay - 1
	if last < first {
		return tx.boundedCombos(f, from, until)
	}
	cs, err := tx.sums(f, cover(first, last)...)
	if err != nil {
		return nil, false, err
	}
	bounded := false
	for _, edge := range [][2]models.Micros{{from, models.Micros(first * microsPerDay)}, {models.Micros((last + 1) * microsPerDay), until}} {
		if edge[0] >= edge[1] {
			continue
		}
		more, b, err := tx.boundedCombos(f, edge[0], edge[1])
		if err != nil {
			return nil, false, err
		}
		cs, bounded = append(cs, more...), bounded || b
	}
	return cs, bounded, nil
}

// boundedCombos counts matching rows one by one and stops at boundedCount.
func (tx *Tx) boundedCombos(f models.Filter, from, until models.Micros) (out []combo, bounded bool, err error) {
	k, err := tx.keyQuery(f, from, until, models.Cursor{}, boundedCount)
	if err != nil || k.empty {
		return nil, false, err
	}
	var n int64
	err = tx.Each(func(r *sql.Rows) error {
		var c combo
		if err := r.Scan(&c.kind, &c.asset, &c.n, &c.minor); err != nil {
			return err
		}
		n += c.n
		out = append(out, c)
		return nil
	}, k.counts(), k.args...)
	return out, n >= boundedCount, err
}

func (t *Totals) sum(cs []combo) {
	in, outgoing := map[string]int64{}, map[string]int64{}
	for _, c := range cs {
		t.Count += c.n
		if c.kind.Outgoing() {
			outgoing[c.asset] += c.minor
		} else {
			in[c.asset] += c.minor
		}
	}
	t.In, t.Out = moneys(in), moneys(outgoing)
}

func moneys(by map[string]int64) []models.Money {
	out := make([]models.Money, 0, len(by))
	for asset, minor := range by {
		out = append(out, models.Money{Minor: minor, Asset: asset})
	}
	slices.SortFunc(out, func(a, b models.Money) int { return strings.Compare(a.Asset, b.Asset) })
	return out
}
