package store

import (
	"context"
	"database/sql"

	"countinghouse/models"
)

// LedgerLine is one posted line with the transaction that it belongs to.
type LedgerLine = models.LedgerLine

// LedgerFilter chooses a page of one account's entries, newest first.
type LedgerFilter struct {
	Environment  models.Environment
	CredentialID string
	Account      models.Account
	Asset        string
	After        string // keyset by id: only older entries; empty: from the newest
	Limit        int
}

// LedgerEntries lists the entries of one account from its index; more tells whether older ones follow. It needs balances.read.
func (s *Store) LedgerEntries(ctx context.Context, a models.Actor, f LedgerFilter) (out []LedgerLine, more bool, err error) {
	if err := a.Require(models.BalancesRead); err != nil {
		return nil, false, err
	}
	limit := listLimit(f.Limit, 200)
	where := "e.environment = ? AND e.credential_id = ? AND e.account = ? AND e.asset = ?"
	args := []any{f.Environment, f.CredentialID, f.Account, f.Asset}
	if f.After != "" {
		where += " AND e.id < ?"
		args = append(args, f.After)
	}
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		if err := tx.Each(func(r *sql.Rows) error {
			var l LedgerLine
			err := r.Scan(&l.ID, &l.TransactionID, &l.Reference, &l.Kind, &l.Party, &l.What, &l.At, &l.Money.Asset, &l.Money.Minor)
			out = append(out, l)
			return err
		}, `SELECT e.id, e.transaction_id, t.reference, t.kind, t.party, COALESCE(v.sentence, ''), e.at_us, e.asset, e.minor FROM ledger_entries e
			JOIN transactions t ON t.id = e.transaction_id LEFT JOIN events v ON v.id = e.event_id WHERE `+where+` ORDER BY e.id DESC LIMIT ?`, append(args, limit+1)...); err != nil {
			return err
		}
		if more = len(out) > limit; more {
			out = out[:limit]
		}
		return nil
	})
	return out, more, err
}
