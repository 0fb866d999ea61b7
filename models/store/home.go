package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"countinghouse/models"
)

// Home counts what waits and what is stuck. Every figure comes from an index and stops at models.HomeBound, so that it costs the same at ten
// thousand rows and at ten million. sub narrows what is said of transactions to one sub-account, not what waits for approval. It needs
// transactions.read.
func (s *Store) Home(ctx context.Context, a models.Actor, env models.Environment, sub string) (*models.Home, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	var out *models.Home
	err := s.View(ctx, func(tx *Tx) error {
		out = new(models.Home)
		scope, scopeArgs := scopeOf(models.Filter{Environment: env, SubAccount: sub})
		old := func(d time.Duration) models.Micros { return tx.Now.Add(-d) }
		for _, c := range []struct {
			to    *int64
			where string
			args  []any
		}{
			{&out.UnknownCount, "state = ?", []any{models.Unknown}},
			{&out.Alerts, "alert <> '' AND state <> 'unknown'", nil},
			{&out.Short, "state = ?", []any{models.PartiallyPaid}},
			{&out.Late, "state = ? AND created_us < ?", []any{models.AwaitingPayment, old(24 * time.Hour)}},
			{&out.Held, "state = ?", []any{models.Held}},
			{&out.LongSending, "state = ? AND created_us < ? AND sent_us < ?", []any{models.Sending, old(models.LongSending), old(models.LongSending)}},
			{&out.LongPending, "state = ? AND created_us < ?", []any{models.Pending, old(models.LongPending)}},
			{&out.Unsent, "state = ? AND created_us < ? AND send_after_us < ?", []any{models.Approved, old(models.LongSending), old(models.LongSending)}},
		} {
			if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM transactions WHERE "+scope+" AND "+c.where+" LIMIT ?) x", slices.Concat(scopeArgs, c.args, []any{models.HomeBound})...).Scan(c.to); err != nil {
				return err
			}
		}
		if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT id FROM book_entries WHERE environment = ? AND problem UNION ALL SELECT id FROM book_lines WHERE environment = ? AND problem) b LIMIT ?) x",
			env, env, models.HomeBound).Scan(&out.Books); err != nil {
			return err
		}
		if err := tx.QueryRow(`SELECT COUNT(*), COALESCE(MIN(expires_us), 0) FROM (SELECT expires_us FROM approval_requests WHERE environment = ? AND state = 'open'
			AND expires_us > ? AND expires_us < ? LIMIT ?) x`, env, tx.Now, tx.Now.Add(models.SoonExpired), models.HomeBound).Scan(&out.SoonExpired, &out.SoonFirst); err != nil {
			return err
		}
		return tx.Each(func(r *sql.Rows) error {
			t, err := scanTransaction(r)
			if err == nil {
				out.Unknown = append(out.Unknown, *t)
			}
			return err
		}, "SELECT "+transactionColumns+" FROM transactions t WHERE "+scope+" AND t.state = ? ORDER BY t.created_us, t.id LIMIT 5", append(scopeArgs, models.Unknown)...)
	})
	return out, err
}

// moved are the states in which a transaction counts as money that came or went.
const moved = "('succeeded', 'partial', 'partially_refunded', 'refunded')"

// DayFlows reads what moved in each asset on each UTC day from first to last (days since 1970), from the maintained totals. Conversions and
// transfers stay with the merchant and count as neither. It needs transactions.read.
func (s *Store) DayFlows(ctx context.Context, a models.Actor, env models.Environment, sub string, first, last int64) (out []models.DayFlow, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	table, scope, args := totalsOf(env, sub)
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		return tx.Each(func(r *sql.Rows) error {
			var f models.DayFlow
			err := r.Scan(&f.Day, &f.Asset, &f.In, &f.Out, &f.Count)
			out = append(out, f)
			return err
		}, `SELECT day, asset, CAST(SUM(CASE WHEN kind = 'deposit' THEN minor ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN kind = 'deposit' THEN 0 ELSE minor END) AS BIGINT),
			CAST(SUM(n) AS BIGINT) FROM `+table+` WHERE `+scope+` AND day BETWEEN ? AND ? AND kind IN ('deposit', 'payout', 'refund', 'order')
			AND state IN `+moved+` GROUP BY day, asset HAVING SUM(n) > 0 ORDER BY day, asset`, append(args, first, last)...)
	})
	return out, err
}

// ProviderRates reads how the transactions made from a UTC day on have ended, by provider, from the maintained totals: from those of
// single days, behind which stand those of blocks of days. It needs transactions.read.
func (s *Store) ProviderRates(ctx context.Context, a models.Actor, env models.Environment, sub string, first int64) (out []models.ProviderRate, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	table, scope, args := totalsOf(env, sub)
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		if err := tx.Each(func(r *sql.Rows) error {
			var p models.ProviderRate
			err := r.Scan(&p.Provider, &p.Payouts, &p.PayoutsDone, &p.Deposits, &p.DepositsPaid)
			out = append(out, p)
			return err
		}, `SELECT provider, CAST(SUM(CASE WHEN kind = 'payout' AND state IN ('succeeded', 'failed', 'returned') THEN n ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE WHEN kind = 'payout' AND state = 'succeeded' THEN n ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE WHEN kind = 'deposit' AND state IN ('succeeded', 'refunded', 'partially_refunded', 'charged_back', 'disputed', 'expired', 'failed', 'cancelled') THEN n ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE WHEN kind = 'deposit' AND state IN ('succeeded', 'refunded', 'partially_refunded', 'charged_back', 'disputed') THEN n ELSE 0 END) AS BIGINT)
			FROM `+table+` WHERE `+scope+` AND day BETWEEN ? AND ? AND kind IN ('payout', 'deposit') GROUP BY provider ORDER BY provider`, append(args, first, blocksFrom-1)...); err != nil {
			return err
		}
		for i := range out {
			if err := tx.medianSettled(env, sub, &out[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// The sample of the time to settle: the latest payouts of a provider's busiest combinations. It bounds what is read.
const (
	settleCombos = 3
	settleRows   = 60
)

func (tx *Tx) medianSettled(env models.Environment, sub string, p *models.ProviderRate) error {
	f := models.Filter{Environment: env, SubAccount: sub, Providers: []string{p.Provider}, Kinds: []models.Kind{models.Payout}, States: []models.State{models.Succeeded}}
	cs, err := tx.combos(f)
	if err != nil {
		return err
	}
	slices.SortFunc(cs, func(a, b combo) int { return cmp.Compare(b.n, a.n) })
	var took []int64
	scope, scopeArgs := scopeOf(f)
	for _, c := range cs[:min(settleCombos, len(cs))] {
		if err := tx.Each(func(r *sql.Rows) error {
			var us int64
			err := r.Scan(&us)
			if us > 0 {
				took = append(took, us)
			}
			return err
		}, `SELECT settled_us - sent_us FROM transactions WHERE `+scope+` AND provider = ? AND credential_id = ? AND kind = ? AND state = ? AND asset = ?
			ORDER BY created_us DESC, id DESC LIMIT ?`, c.args(scopeArgs, []any{settleRows})...); err != nil {
			return err
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		p.MedianSettled = time.Duration(took[len(took)/2]) * time.Microsecond
	}
	return nil
}

// Day is the UTC day of a moment, as the maintained totals count days.
func Day(t time.Time) int64 { return t.UnixMicro() / microsPerDay }
