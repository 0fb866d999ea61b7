package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"countinghouse/models"
)

// post writes ledger lines and moves the balances, in the transaction of the state change. The lines of one posting sum to zero per asset;
// a posting that does not is a bug and stops the whole use-case.
func (tx *Tx) post(t *models.Transaction, eventID string, ps []models.Posting) error {
	sum := map[string]int64{}
	for _, p := range ps {
		sum[p.Money.Asset] += p.Money.Minor
	}
	for asset, s := range sum {
		if s != 0 {
			return fmt.Errorf("ledger: a posting of %s is off by %d %s", t.Reference, s, asset)
		}
	}
	for _, p := range ps {
		err := tx.Exec(`INSERT INTO ledger_entries (id, transaction_id, event_id, at_us, environment, credential_id, account, asset, minor)
			VALUES (?,?,?,?,?,?,?,?,?)`, models.NewID(), t.ID, eventID, tx.Now, t.Environment, t.CredentialID, p.Account, p.Money.Asset, p.Money.Minor)
		if err != nil {
			return fmt.Errorf("post to the ledger: %w", err)
		}
		err = tx.Exec(`INSERT INTO ledger_accounts (environment, credential_id, account, asset, minor) VALUES (?,?,?,?,?)
			ON CONFLICT (environment, credential_id, account, asset) DO UPDATE SET minor = ledger_accounts.minor + excluded.minor`,
			t.Environment, t.CredentialID, p.Account, p.Money.Asset, p.Money.Minor)
		if err != nil {
			return fmt.Errorf("move the ledger balance: %w", err)
		}
	}
	return nil
}

func (tx *Tx) ledgerOf(id string, lines int) ([]LedgerEntry, error) {
	var out []LedgerEntry
	err := tx.Each(func(r *sql.Rows) error {
		var e LedgerEntry
		err := r.Scan(&e.At, &e.Account, &e.Money.Asset, &e.Money.Minor)
		out = append(out, e)
		return err
	}, "SELECT at_us, account, asset, minor FROM ledger_entries WHERE transaction_id = ? ORDER BY id LIMIT ?", id, lines)
	return out, err
}

// LedgerBalance is the domain's, by the name that this package uses.
type LedgerBalance = models.LedgerBalance

// LedgerBalances reads every account of an environment. It needs balances.read.
func (s *Store) LedgerBalances(ctx context.Context, a models.Actor, env models.Environment) ([]LedgerBalance, error) {
	if err := a.Require(models.BalancesRead); err != nil {
		return nil, err
	}
	var out []LedgerBalance
	err := s.View(ctx, func(tx *Tx) error {
		return tx.Each(func(r *sql.Rows) error {
			var b LedgerBalance
			err := r.Scan(&b.CredentialID, &b.Account, &b.Money.Asset, &b.Money.Minor)
			out = append(out, b)
			return err
		}, "SELECT credential_id, account, asset, minor FROM ledger_accounts WHERE environment = ? ORDER BY credential_id, asset, account", env)
	})
	return out, err
}

// LedgerFault is something the ledger must never show.
type LedgerFault struct{ Sentence string }

// VerifyLedger proves the books: every asset sums to zero, every balance is the sum of its entries, and replaying the events of each
// transaction gives the same lines. It reads everything and is meant for the command line, the crash harness and tests.
func (s *Store) VerifyLedger(ctx context.Context) (faults []LedgerFault, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		found := func(format string, args ...any) { faults = append(faults, LedgerFault{fmt.Sprintf(format, args...)}) }
		if err := tx.Each(func(r *sql.Rows) error {
			var env, asset string
			var sum int64
			if err := r.Scan(&env, &asset, &sum); err != nil {
				return err
			}
			found("%s %s does not sum to zero: %d", env, asset, sum)
			return nil
		}, "SELECT environment, asset, SUM(minor) FROM ledger_entries GROUP BY environment, asset HAVING SUM(minor) <> 0"); err != nil {
			return err
		}
		if err := tx.Each(func(r *sql.Rows) error {
			var cred, account, asset string
			var kept, sum int64
			if err := r.Scan(&cred, &account, &asset, &kept, &sum); err != nil {
				return err
			}
			found("account %s %s %s holds %d, its entries sum to %d", cred, account, asset, kept, sum)
			return nil
		}, `SELECT a.credential_id, a.account, a.asset, a.minor, COALESCE(SUM(e.minor), 0) FROM ledger_accounts a
			LEFT JOIN ledger_entries e ON e.environment = a.environment AND e.credential_id = a.credential_id AND e.account = a.account AND e.asset = a.asset
			GROUP BY a.environment, a.credential_id, a.account, a.asset, a.minor HAVING a.minor <> COALESCE(SUM(e.minor), 0)`); err != nil {
			return err
		}
		return tx.replay(found)
	})
	return faults, err
}

// replay rebuilds every transaction's position from its events and compares it with its ledger lines and its row.
func (tx *Tx) replay(found func(string, ...any)) error {
	type at struct {
		account models.Account
		asset   string
	}
	sums := map[string]map[at]int64{}
	if err := tx.Each(func(r *sql.Rows) error {
		var id string
		var k at
		var minor int64
		if err := r.Scan(&id, &k.account, &k.asset, &minor); err != nil {
			return err
		}
		if sums[id] == nil {
			sums[id] = map[at]int64{}
		}
		sums[id][k] = minor
		return nil
	}, "SELECT transaction_id, account, asset, SUM(minor) FROM ledger_entries GROUP BY transaction_id, account, asset HAVING SUM(minor) <> 0"); err != nil {
		return err
	}
	type life struct {
		kind    models.Kind
		row     models.State
		state   models.State
		figures models.Figures
	}
	lives := map[string]*life{}
	if err := tx.Each(func(r *sql.Rows) error {
		var id, figures string
		var to models.State
		l := new(life)
		if err := r.Scan(&id, &l.kind, &l.row, &to, &figures); err != nil {
			return err
		}
		if lives[id] == nil {
			lives[id] = l
		}
		l = lives[id]
		if to != "" {
			l.state = to
		}
		if figures != "" {
			l.figures = models.Figures{}
			return json.Unmarshal([]byte(figures), &l.figures)
		}
		return nil
	}, `SELECT t.id, t.kind, t.state, e.to_state, e.figures_json FROM transactions t JOIN events e ON e.transaction_id = t.id ORDER BY e.id`); err != nil {
		return err
	}
	for id, l := range lives {
		if l.state != "" && l.state != l.row {
			found("transaction %s: the events end in %s, the row says %s", id, l.state, l.row)
		}
		want := map[at]int64{}
		for _, p := range models.Postings(nil, models.Position(l.kind, l.row, l.figures)) {
			want[at{p.Account, p.Money.Asset}] = p.Money.Minor
		}
		if fmt.Sprint(want) != fmt.Sprint(orEmpty(sums[id])) {
			found("transaction %s: the ledger says %v, its events say %v", id, sums[id], want)
		}
	}
	return nil
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}
