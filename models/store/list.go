package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

// maxBranches is how many exact combinations of provider, credential, kind, state and asset a list is put together from. Each costs one
// index seek; above it the list walks the index of time, kind or state, where matches then lie close together.
const maxBranches = 120

// boundedCount is where counting stops for filters that the maintained totals cannot answer.
const boundedCount = 10_000

// TransactionList is one page of a list.
type TransactionList struct {
	Rows         []models.Transaction
	Newer, Older models.Cursor // zero: there is none
}

// combo is one combination that exists in the maintained totals.
type combo struct {
	provider, credential string
	kind                 models.Kind
	state                models.State
	asset                string
	n, minor             int64
}

// pageLimit is how many rows a page of a list has: what was asked for, within reason.
func pageLimit(asked int) int {
	if asked <= 0 || asked > 500 {
		return 50
	}
	return asked
}

// List reads one page of transactions, newest first. It needs transactions.read.
func (s *Store) List(ctx context.Context, a models.Actor, f models.Filter, c models.Cursor, limit int) (*TransactionList, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	limit = pageLimit(limit)
	out := new(TransactionList)
	err := s.View(ctx, func(tx *Tx) error {
		rows, err := tx.page(f, c, limit+1)
		if err != nil {
			return err
		}
		more := len(rows) > limit
		if more {
			rows = rows[:limit]
		}
		if c.Back {
			slices.Reverse(rows)
		}
		out.Rows = rows
		if len(rows) == 0 {
			return nil
		}
		first, last := rows[0], rows[len(rows)-1]
		if (c.Back && more) || (!c.Back && c.At != 0) {
			out.Newer = models.Cursor{At: first.CreatedAt, ID: first.ID, Back: true}
		}
		if c.Back || more {
			out.Older = models.Cursor{At: last.CreatedAt, ID: last.ID}
		}
		return nil
	})
	return out, err
}

// page reads up to limit rows from the cursor on; with c.Back in ascending order.
func (tx *Tx) page(f models.Filter, c models.Cursor, limit int) ([]models.Transaction, error) {
	from, until := f.Range(tx.Now.Time())
	if amounts, err := tx.byAmount(f); err != nil {
		return nil, err
	} else if amounts {
		return tx.amountPage(f, from, until, c, limit)
	}
	k, err := tx.keyQuery(f, from, until, c, limit)
	if err != nil || k.empty {
		return nil, err
	}
	return tx.transactions(limit, k.from(c.Back), k.args...)
}

// keys is where a page's rows come from.
type keys struct {
	walk  string // " FROM transactions t …" when one index gives the rows in their order; empty when several must be merged
	ids   string // the query of the ids
	args  []any  // of either
	empty bool   // no row can match
}

// from is the rows in their order, t.
func (k keys) from(back bool) string {
	switch {
	case k.walk != "":
		return k.walk
	case back:
		return " FROM transactions t WHERE t.id IN (" + k.ids + ") ORDER BY t.created_us, t.id"
	}
	return " FROM transactions t WHERE t.id IN (" + k.ids + ") ORDER BY t.created_us DESC, t.id DESC"
}

// counts is the query of their number and sum by kind and asset.
func (k keys) counts() string {
	from := " FROM transactions WHERE id IN (" + k.ids + ")"
	if k.walk != "" {
		from = " FROM (SELECT kind, asset, minor" + k.walk + ") x"
	}
	return "SELECT kind, asset, COUNT(*), CAST(SUM(minor) AS BIGINT)" + from + " GROUP BY kind, asset"
}

// keyQuery builds the query for a page. It never makes the database walk rows that do not match: a filter is taken apart into the exact
// combinations that exist, each read from the index that holds them in time order, and merged. A limit of 0 is none, for exports: what would
// have to be sorted whole then walks the index of time instead.
func (tx *Tx) keyQuery(f models.Filter, from, until models.Micros, c models.Cursor, limit int) (keys, error) {
	dir, cmp := "DESC", "<"
	if c.Back {
		dir, cmp = "ASC", ">"
	}
	var tail strings.Builder
	var tailArgs []any
	add := func(s string, vs ...any) { tail.WriteString(s); tailArgs = append(tailArgs, vs...) }
	if from > 0 {
		add(" AND created_us >= ?", from)
	}
	if until > 0 {
		add(" AND created_us < ?", until)
	}
	if c.At > 0 {
		add(" AND (created_us, id) "+cmp+" (?, ?)", c.At, c.ID)
	}
	addFree(f, add)
	orderLimit := fmt.Sprintf(" ORDER BY created_us %s, id %s", dir, dir)
	if limit > 0 {
		orderLimit += fmt.Sprintf(" LIMIT %d", limit)
	}
	if f.Search != "" {
		q, vs := searched(f)
		return keys{ids: "SELECT id FROM (" + q + tail.String() + ") u" + orderLimit, args: append(vs, tailArgs...)}, nil
	}
	one := func(index, where string, vs ...any) keys {
		scope, args := scopeOf(f)
		walk := " FROM transactions t" + tx.Store.by(index) + " WHERE " + scope + where + tail.String() + orderLimit
		return keys{walk: walk, ids: "SELECT id" + walk, args: append(append(args, vs...), tailArgs...)}
	}
	sub := f.SubAccount != "" // then every index but the one of alerts has its twin for one sub-account
	whole, byState, combined := "transactions_created", "transactions_state", "transactions_combo"
	if sub {
		whole, byState, combined = "transactions_sub", "transactions_sub_state", "transactions_sub_combo"
	}
	others := len(f.Providers) + len(f.Credentials) + len(f.Assets)
	switch where, vs := dimensions(f); {
	case f.Attention:
		return one("transactions_alert", where, vs...), nil
	case where == "":
		return one(whole, ""), nil
	case len(f.Kinds) == 1 && len(f.States)+others == 0 && !sub:
		return one("transactions_kind", where, vs...), nil
	case len(f.States) == 1 && len(f.Kinds)+others == 0:
		return one(byState, where, vs...), nil
	}
	combos, err := tx.combos(f)
	switch {
	case err != nil:
		return keys{}, err
	case len(combos) == 0:
		return keys{empty: true}, nil
	case len(combos) > maxBranches, limit == 0 && matches(combos) > maxSorted:
		where, vs := dimensions(f)
		return one(whole, where, vs...), nil
	}
	return tx.merge(f, combined, combos, tail.String(), tailArgs, orderLimit), nil
}

// scopeOf is what every query of a filter begins with: the environment, and the one sub-account if there is one. The second half repeats the
// condition of the partial indexes, which SQLite would not use otherwise.
func scopeOf(f models.Filter) (string, []any) {
	if f.SubAccount == "" {
		return "environment = ?", []any{f.Environment}
	}
	return "environment = ? AND sub_account = ? AND sub_account <> ''", []any{f.Environment, f.SubAccount}
}

// merge reads every combination from its place in the index and puts them together in order of time.
func (tx *Tx) merge(f models.Filter, index string, combos []combo, tail string, tailArgs []any, orderLimit string) keys {
	scope, scopeArgs := scopeOf(f)
	where := " WHERE " + scope + " AND provider = ? AND credential_id = ? AND kind = ? AND state = ? AND asset = ?"
	from := " FROM transactions t" + tx.Store.by(index) + where + tail + orderLimit
	if len(combos) == 1 {
		return keys{walk: from, ids: "SELECT id" + from, args: combos[0].args(scopeArgs, tailArgs)}
	}
	k := keys{ids: "SELECT id FROM ("}
	for i, c := range combos {
		if i > 0 {
			k.ids += " UNION ALL "
		}
		k.ids += "SELECT * FROM (SELECT id, created_us" + from + ") x"
		k.args = append(k.args, c.args(scopeArgs, tailArgs)...)
	}
	k.ids += ") u" + orderLimit
	return k
}

// maxSorted is how many rows an export sorts in memory; more are read in the order of the index of time.
const maxSorted = 20_000

func matches(combos []combo) (n int64) {
	for _, c := range combos {
		n += c.n
	}
	return n
}

func (c combo) args(scope, tail []any) []any {
	return slices.Concat(scope, []any{c.provider, c.credential, c.kind, c.state, c.asset}, tail)
}

// by names the index that a walk must take; for a partial index the query must repeat its condition. SQLite has no statistics to choose by and would rather sort a million rows than follow the
// order that an index gives; PostgreSQL chooses by itself.
func (s *Store) by(index string) string {
	if s.Engine == Postgres || index == "" {
		return ""
	}
	return " INDEXED BY " + index
}

// addFree adds the conditions that no index of combinations knows.
func addFree(f models.Filter, add func(string, ...any)) {
	if f.Attention {
		add(" AND alert <> ''")
	}
	if len(f.Assets) == 1 {
		if m, err := models.ParseMoney(f.Min, f.Assets[0]); err == nil && f.Min != "" {
			add(" AND minor >= ?", m.Minor)
		}
		if m, err := models.ParseMoney(f.Max, f.Assets[0]); err == nil && f.Max != "" {
			add(" AND minor <= ?", m.Minor)
		}
	}
}

// searchLimit bounds what a search for the beginning of a reference looks at.
const searchLimit = 2000

// searched is the query of the rows that one of the references leads to: ours by its beginning (from four characters on), theirs exactly.
// It is driven by the references and never walks a list.
func searched(f models.Filter) (string, []any) {
	lo := strings.ToUpper(f.Search)
	hi := lo
	if len(lo) >= 4 {
		hi = lo + "~"
	}
	where, vs := dimensions(f)
	scope, scopeArgs := scopeOf(f)
	const columns = "SELECT id, created_us, environment, kind, state, provider, credential_id, asset, minor, alert, sub_account FROM transactions WHERE "
	q := "SELECT id, created_us FROM (SELECT * FROM (" + columns + "reference >= ? AND reference <= ? LIMIT ?) a UNION SELECT * FROM (" + columns +
		"provider_ref = ? AND provider_ref <> '' LIMIT ?) b) s WHERE " + scope + where
	return q, slices.Concat([]any{lo, hi, searchLimit, f.Search, searchLimit}, scopeArgs, vs)
}

// free reports whether the filter has conditions that the maintained totals do not know.
func free(f models.Filter) bool {
	return f.Attention || f.Min != "" || f.Max != "" || f.Search != ""
}

func dimensions(f models.Filter) (string, []any) {
	var b strings.Builder
	var args []any
	in := func(column string, vs []string) {
		if len(vs) == 0 {
			return
		}
		b.WriteString(" AND " + column + " IN (?" + strings.Repeat(",?", len(vs)-1) + ")")
		for _, v := range vs {
			args = append(args, v)
		}
	}
	in("kind", texts(f.Kinds))
	in("state", texts(f.States))
	in("provider", f.Providers)
	in("credential_id", f.Credentials)
	in("asset", f.Assets)
	return b.String(), args
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = string(x)
	}
	return out
}

// combos reads from the maintained totals which combinations match the filter's dimensions.
func (tx *Tx) combos(f models.Filter) (out []combo, err error) {
	where, args := dimensions(f)
	table, scope, scopeArgs := totalsOf(f.Environment, f.SubAccount)
	err = tx.Each(func(r *sql.Rows) error {
		var c combo
		if err := r.Scan(&c.provider, &c.credential, (*string)(&c.kind), (*string)(&c.state), &c.asset, &c.n, &c.minor); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, "SELECT provider, credential_id, kind, state, asset, n, minor FROM "+table+" WHERE "+scope+" AND day = -1"+where+" AND n > 0", slices.Concat(scopeArgs, args)...)
	return out, err
}

// sums adds up the maintained totals of some spans by what a page shows: kind and currency. Fewer columns to group by than combos has make it
// quicker.
func (tx *Tx) sums(f models.Filter, days ...int64) (out []combo, err error) {
	where, args := dimensions(f)
	table, scope, scopeArgs := totalsOf(f.Environment, f.SubAccount)
	err = tx.Each(func(r *sql.Rows) error {
		var c combo
		if err := r.Scan((*string)(&c.kind), &c.asset, &c.n, &c.minor); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, "SELECT kind, asset, CAST(SUM(n) AS BIGINT), CAST(SUM(minor) AS BIGINT) FROM "+table+" WHERE "+scope+" AND day IN ("+numbers(days)+")"+where+" GROUP BY kind, asset HAVING SUM(n) > 0",
		slices.Concat(scopeArgs, args)...)
	return out, err
}
