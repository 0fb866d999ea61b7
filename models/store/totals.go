package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

// The totals are kept by day (counted from 1970 in UTC), by blocks of 8 and of 64 days, and of all days together; what a row is for stands in
// its column day. A range of a year then adds up some thirty rows of each combination instead of 365.
const (
	allDays      = -1
	blocksFrom   = 1_000_000 // a block of 8 days is 1,000,000 + its first day / 8, one of 64 days 2,000,000 + its first day / 64
	blockDays    = 8
	blockLevels  = 2
	microsPerDay = 24 * 60 * 60 * 1_000_000

	aDay = "day >= 0 AND day < 1000000" // rows of single days
)

// spans are the values of the column day under which a moment is counted.
func spans(at models.Micros) []any {
	day := int64(at) / microsPerDay
	out := []any{int64(allDays), day}
	for level := int64(1); level <= blockLevels; level++ {
		day /= blockDays
		out = append(out, level*blocksFrom+day)
	}
	return out
}

// cover puts the days from first to last together from as few rows as possible.
func cover(first, last int64) []int64 {
	var out []int64
	for level := int64(0); first <= last; level++ {
		inner, outer := (first+blockDays-1)/blockDays, (last+1)/blockDays-1 // the blocks that lie within
		if level == blockLevels || outer < inner {                          // none: all of it is edge
			for ; first <= last; first++ {
				out = append(out, level*blocksFrom+first)
			}
			return out
		}
		for ; first < inner*blockDays; first++ {
			out = append(out, level*blocksFrom+first)
		}
		for ; last >= (outer+1)*blockDays; last-- {
			out = append(out, level*blocksFrom+last)
		}
		first, last = inner, outer
	}
	return out
}

// amountBlocks are the blocks of 64 days, by their number, in which the filter's kinds, states and accounts have an amount of its range, or had one.
func (tx *Tx) amountBlocks(f models.Filter) (map[int64]bool, error) {
	table, scope, args := totalsOf(f.Environment, f.SubAccount)
	where, vs := dimensions(f)
	low, high := amountRange(f)
	blocks := map[int64]bool{}
	err := tx.Each(func(r *sql.Rows) error {
		var day int64
		err := r.Scan(&day)
		blocks[day-blockLevels*blocksFrom] = true
		return err
	}, "SELECT DISTINCT day FROM "+table+" WHERE "+scope+" AND day >= 2000000"+where+" AND n > 0 AND high >= ? AND low <= ?", slices.Concat(args, vs, []any{low, high})...)
	if err != nil {
		return nil, fmt.Errorf("find where an amount is: %w", err)
	}
	return blocks, nil
}

// count adds n transactions like t in the state to the maintained totals (n is 1 or -1). Lists read their counts and sums from here, so
// that no page ever counts rows.
func (tx *Tx) count(t *models.Transaction, state models.State, n int64) error {
	add := func(table, key string, keyArgs ...any) error {
		days := spans(t.CreatedAt)
		columns := key + "day, provider, credential_id, kind, state, asset"
		row := "(" + marks(len(keyArgs)+10) + ")"
		var args []any
		for _, day := range days {
			args = append(append(args, keyArgs...), day, t.Provider, t.CredentialID, t.Kind, state, t.Amount.Asset, n, n*t.Amount.Minor, t.Amount.Minor, t.Amount.Minor)
		}
		return tx.Exec("INSERT INTO "+table+" ("+columns+", n, minor, low, high) VALUES "+row+strings.Repeat(", "+row, len(days)-1)+
			" ON CONFLICT ("+columns+") DO UPDATE SET n = "+table+".n + excluded.n, minor = "+table+".minor + excluded.minor, "+
			"low = CASE WHEN excluded.low < "+table+".low THEN excluded.low ELSE "+table+".low END, high = CASE WHEN excluded.high > "+table+".high THEN excluded.high ELSE "+table+".high END", args...)
	}
	err := add("transaction_totals", "environment, ", t.Environment)
	if err == nil && t.SubAccount != "" {
		err = add("sub_account_totals", "environment, sub_account, ", t.Environment, t.SubAccount)
	}
	if err != nil {
		return fmt.Errorf("maintain the totals: %w", err)
	}
	return nil
}

// rebuildTotals counts everything anew, after rows were written in bulk.
func (tx *Tx) rebuildTotals() error {
	if err := tx.recount("transaction_totals", "environment", ""); err != nil {
		return err
	}
	return tx.rebuildSubAccountTotals()
}

func (tx *Tx) rebuildSubAccountTotals() error {
	return tx.recount("sub_account_totals", "environment, sub_account", " WHERE sub_account <> ''")
}

// recount fills a table of totals from the rows, and its blocks from its days.
func (tx *Tx) recount(table, key, where string) error {
	const rest = ", provider, credential_id, kind, state, asset"
	into := "INSERT INTO " + table + " (" + key + ", day" + rest + ", n, minor, low, high) "
	if err := tx.Exec("DELETE FROM " + table); err != nil {
		return err
	}
	if err := tx.Exec(into + "SELECT " + key + ", created_us / 86400000000" + rest + ", COUNT(*), SUM(minor), MIN(minor), MAX(minor) FROM transactions" + where +
		" GROUP BY " + key + ", created_us / 86400000000" + rest); err != nil {
		return err
	}
	for _, span := range []string{"0 * day - 1", "1000000 + day / 8", "2000000 + day / 64"} { // as spans has them; a bare -1 would be a column's place
		if err := tx.Exec(into + "SELECT " + key + ", " + span + rest + ", SUM(n), SUM(minor), MIN(low), MAX(high) FROM " + table + " WHERE " + aDay + " GROUP BY " +
			key + ", " + span + rest); err != nil {
			return err
		}
	}
	return nil
}

// totalsOf names the table of the maintained totals for a sub-account, or for all of them, with its condition.
func totalsOf(env models.Environment, sub string) (table, where string, args []any) {
	if sub == "" {
		return "transaction_totals", "environment = ?", []any{env}
	}
	return "sub_account_totals", "environment = ? AND sub_account = ?", []any{env, sub}
}
