package store

import (
	"fmt"

	"countinghouse/models"
)

// allDays is the day under which the totals of all days are kept.
const allDays = -1

const microsPerDay = 24 * 60 * 60 * 1_000_000

// count adds n transactions like t in the state to the maintained totals (n is 1 or -1). Lists read their counts and sums from here, so
// that no page ever counts rows.
func (tx *Tx) count(t *models.Transaction, state models.State, n int64) error {
	for _, day := range []int64{allDays, int64(t.CreatedAt) / microsPerDay} {
		err := tx.Exec(`INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor) VALUES (?,?,?,?,?,?,?,?,?)
			ON CONFLICT (environment, day, provider, credential_id, kind, state, asset)
			DO UPDATE SET n = transaction_totals.n + excluded.n, minor = transaction_totals.minor + excluded.minor`,
			t.Environment, day, t.Provider, t.CredentialID, t.Kind, state, t.Amount.Asset, n, n*t.Amount.Minor)
		if err == nil && t.SubAccount != "" {
			err = tx.Exec(`INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor) VALUES (?,?,?,?,?,?,?,?,?,?)
				ON CONFLICT (environment, sub_account, day, provider, credential_id, kind, state, asset)
				DO UPDATE SET n = sub_account_totals.n + excluded.n, minor = sub_account_totals.minor + excluded.minor`,
				t.Environment, t.SubAccount, day, t.Provider, t.CredentialID, t.Kind, state, t.Amount.Asset, n, n*t.Amount.Minor)
		}
		if err != nil {
			return fmt.Errorf("maintain the totals: %w", err)
		}
	}
	return nil
}

// rebuildTotals counts everything anew, after rows were written in bulk.
func (tx *Tx) rebuildTotals() error {
	if err := tx.Exec("DELETE FROM transaction_totals"); err != nil {
		return err
	}
	if err := tx.Exec(`INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor)
		SELECT environment, created_us / 86400000000, provider, credential_id, kind, state, asset, COUNT(*), SUM(minor) FROM transactions
		GROUP BY environment, created_us / 86400000000, provider, credential_id, kind, state, asset`); err != nil {
		return err
	}
	if err := tx.Exec(`INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor)
		SELECT environment, -1, provider, credential_id, kind, state, asset, SUM(n), SUM(minor) FROM transaction_totals
		GROUP BY environment, provider, credential_id, kind, state, asset`); err != nil {
		return err
	}
	return tx.rebuildSubAccountTotals()
}

func (tx *Tx) rebuildSubAccountTotals() error {
	if err := tx.Exec("DELETE FROM sub_account_totals"); err != nil {
		return err
	}
	if err := tx.Exec(`INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor)
		SELECT environment, sub_account, created_us / 86400000000, provider, credential_id, kind, state, asset, COUNT(*), SUM(minor) FROM transactions
		WHERE sub_account <> '' GROUP BY environment, sub_account, created_us / 86400000000, provider, credential_id, kind, state, asset`); err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor)
		SELECT environment, sub_account, -1, provider, credential_id, kind, state, asset, SUM(n), SUM(minor) FROM sub_account_totals
		GROUP BY environment, sub_account, provider, credential_id, kind, state, asset`)
}

// totalsOf names the table of the maintained totals for a sub-account, or for all of them, with its condition.
func totalsOf(env models.Environment, sub string) (table, where string, args []any) {
	if sub == "" {
		return "transaction_totals", "environment = ?", []any{env}
	}
	return "sub_account_totals", "environment = ? AND sub_account = ?", []any{env, sub}
}
