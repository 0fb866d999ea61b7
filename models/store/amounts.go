package store

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"countinghouse/models"
)

// A list filtered by amounts is newest first like every other, and no index holds both orders. So it is read in two ways, each bounded:
//
// Where the totals say that nobody has such an amount, nothing is read. Otherwise the newest rows of all are looked at, amountAhead of them: where
// every few rows match, the page is full. Where it is not, days are asked one after another through transactions_amount, which holds the rows of
// one currency and day in the order of their amounts: a day without a match costs one look into the index, however many rows it has. Days of
// blocks in which nobody has such an amount are not asked. The number of days is that of the merchant's history and does not grow with what
// happens on them.

const (
	amountAhead = 300  // rows that are looked at in order of time before days are asked
	amountDays  = 128  // days that one query asks at most; the first asks one, each following one twice as many
	amountFew   = 2000 // rows of the filter's other parts that are rather read whole
	amountCount = 2000 // where counting rows by amount stops; the page then says "2,000+"
)

// byAmount reports whether a filter's rows are read by amountPage. Where kind, status, provider and credential leave few rows, those are read
// instead, in order of time: an amount that many rows have would be looked up in vain for most of them.
func (tx *Tx) byAmount(f models.Filter) (bool, error) {
	if len(f.Assets) != 1 || (f.Min == "" && f.Max == "") || f.Search != "" || f.Attention {
		return false, nil
	}
	if len(f.Kinds)+len(f.States)+len(f.Providers)+len(f.Credentials) == 0 && f.SubAccount == "" {
		return true, nil
	}
	combos, err := tx.combos(f)
	return matches(combos) > amountFew, err
}

// amountQuery is a filter by amounts as conditions. Everything but the days is the same in every query.
type amountQuery struct {
	where string
	args  []any
	back  bool
}

// amountRange is the lowest and the highest amount that a filter lets through.
func amountRange(f models.Filter) (low, high int64) {
	low, high = math.MinInt64, math.MaxInt64
	if m, err := models.ParseMoney(f.Min, f.Assets[0]); err == nil && f.Min != "" {
		low = m.Minor
	}
	if m, err := models.ParseMoney(f.Max, f.Assets[0]); err == nil && f.Max != "" {
		high = m.Minor
	}
	return low, high
}

func (tx *Tx) amountQuery(f models.Filter, from, until models.Micros, c models.Cursor) amountQuery {
	low, high := amountRange(f)
	q := amountQuery{back: c.Back}
	add := func(s string, vs ...any) { q.where += s; q.args = append(q.args, vs...) }
	add(" AND minor >= ? AND minor <= ?", low, high)
	if f.SubAccount != "" {
		add(" AND sub_account = ?", f.SubAccount)
	}
	where, vs := dimensions(f)
	add(where, vs...)
	if from > 0 {
		add(" AND created_us >= ?", from)
	}
	if until > 0 {
		add(" AND created_us < ?", until)
	}
	if c.At > 0 {
		add(" AND (created_us, id) "+map[bool]string{true: ">", false: "<"}[c.Back]+" (?, ?)", c.At, c.ID)
	}
	return q
}

func (q amountQuery) order() string {
	if q.back {
		return " ORDER BY created_us, id"
	}
	return " ORDER BY created_us DESC, id DESC"
}

// onDays is the rows of some days that lie together, from the index.
func (q amountQuery) onDays(tx *Tx, f models.Filter, days []int64) (string, []any) {
	first, last := days[0], days[len(days)-1]
	args := append(append([]any{f.Environment, f.Assets[0]}, q.args...), min(first, last)*microsPerDay, (max(first, last)+1)*microsPerDay)
	// The bounds of time say nothing new; they keep PostgreSQL from walking past these days in another index.
	return " FROM transactions t" + tx.Store.by("transactions_amount") + " WHERE environment = ? AND asset = ? AND created_us / 86400000000 IN (" + numbers(days) + ")" + q.where +
		" AND created_us >= ? AND created_us < ?", args
}

// amountPage reads up to limit rows of a filter by amounts from the cursor on; with c.Back in ascending order.
func (tx *Tx) amountPage(f models.Filter, from, until models.Micros, c models.Cursor, limit int) ([]models.Transaction, error) {
	blocks, err := tx.amountBlocks(f)
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	ids, err := tx.amountsAhead(f, from, until, c, limit)
	if err != nil {
		return nil, err
	}
	q := tx.amountQuery(f, from, until, c)
	if len(ids) < limit {
		ids = ids[:0]
		err = tx.eachDays(f, blocks, from, until, c, func(days []int64) (bool, error) {
			rows, args := q.onDays(tx, f, days)
			more, err := tx.texts("SELECT id"+rows+q.order()+" LIMIT "+limited(limit-len(ids)), args...)
			ids = append(ids, more...)
			return len(ids) < limit, err
		})
	}
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	in := make([]any, len(ids))
	for i, id := range ids {
		in[i] = id
	}
	order := strings.ReplaceAll(strings.ReplaceAll(q.order(), "created_us", "t.created_us"), " id", " t.id")
	return tx.transactions(len(in), " FROM transactions t WHERE t.id IN ("+marks(len(in))+")"+order, in...)
}

// amountsAhead looks at the next rows of all in order of time.
func (tx *Tx) amountsAhead(f models.Filter, from, until models.Micros, c models.Cursor, limit int) ([]string, error) {
	q := tx.amountQuery(models.Filter{Assets: f.Assets}, from, until, c) // for its order and the bounds of time, which are the last conditions
	var tail string
	var args []any
	for _, b := range []struct {
		cond string
		args []any
		when bool
	}{{" AND created_us >= ?", []any{from}, from > 0}, {" AND created_us < ?", []any{until}, until > 0},
		{" AND (created_us, id) " + map[bool]string{true: ">", false: "<"}[c.Back] + " (?, ?)", []any{c.At, c.ID}, c.At > 0}} {
		if b.when {
			tail, args = tail+b.cond, append(args, b.args...)
		}
	}
	m := tx.amountQuery(f, 0, 0, models.Cursor{})
	args = append(append([]any{f.Environment}, args...), m.args...)
	return tx.texts("SELECT id FROM (SELECT id, created_us, minor, sub_account, kind, state, provider, credential_id, asset FROM transactions t"+tx.Store.by("transactions_created")+
		" WHERE environment = ?"+tail+q.order()+" LIMIT "+limited(amountAhead)+") x WHERE 1 = 1"+m.where+q.order()+" LIMIT "+limited(limit), args...)
}

// eachDays hands out the days that a filter reaches, in the order of the list, more and more of them at once, until do says that it has enough. Days
// outside of the blocks are left out.
func (tx *Tx) eachDays(f models.Filter, blocks map[int64]bool, from, until models.Micros, c models.Cursor, do func(days []int64) (more bool, err error)) error {
	var oldest sql.NullInt64
	if err := tx.QueryRow("SELECT MIN(day) FROM transaction_totals WHERE environment = ? AND "+aDay, f.Environment).Scan(&oldest); err != nil {
		return fmt.Errorf("find the first day: %w", err)
	}
	if !oldest.Valid {
		return nil
	}
	newest := int64(tx.Now.Add(48*time.Hour)) / microsPerDay
	if until > 0 {
		newest = min(newest, int64(until-1)/microsPerDay)
	}
	first, last, step := newest, max(oldest.Int64, int64(from)/microsPerDay), int64(-1)
	at := int64(c.At) / microsPerDay
	if c.Back {
		first, last, step = max(last, at), newest, 1
	} else if c.At > 0 {
		first = min(first, at)
	}
	for n, day := 1, first; (last-day)*step >= 0; n = min(2*n, amountDays) {
		var days []int64
		for ; len(days) < n && (last-day)*step >= 0; day += step {
			if blocks[day/(blockDays*blockDays)] {
				days = append(days, day)
			}
		}
		if len(days) == 0 {
			return nil
		}
		if more, err := do(days); err != nil || !more {
			return err
		}
	}
	return nil
}

// amountCombos counts the rows of a filter by amounts, newest first, and stops at amountCount.
func (tx *Tx) amountCombos(f models.Filter, from, until models.Micros) (out []combo, bounded bool, err error) {
	q, n := tx.amountQuery(f, from, until, models.Cursor{}), int64(0)
	blocks, err := tx.amountBlocks(f)
	if err != nil || len(blocks) == 0 {
		return nil, false, err
	}
	err = tx.eachDays(f, blocks, from, until, models.Cursor{}, func(days []int64) (bool, error) {
		rows, args := q.onDays(tx, f, days)
		err := tx.Each(func(r *sql.Rows) error {
			var c combo
			err := r.Scan(&c.kind, &c.asset, &c.n, &c.minor)
			n += c.n
			out = append(out, c)
			return err
		}, "SELECT kind, asset, COUNT(*), CAST(SUM(minor) AS BIGINT) FROM (SELECT kind, asset, minor"+rows+" LIMIT "+limited(amountCount-int(n))+") x GROUP BY kind, asset", args...)
		return n < amountCount, err
	})
	return out, n >= amountCount, err
}
