package store

import (
	"context"
	"database/sql"
	"slices"

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
	Before       string // only newer entries, the nearest ones; wins over After
	Limit        int
}

// LedgerEntries lists the entries of one account from its index, newest first, and tells whether there are newer and older ones. It needs
// balances.read.
func (s *Store) LedgerEntries(ctx context.Context, a models.Actor, f LedgerFilter) (out []LedgerLine, newer, older bool, err error) {
	if err := a.Require(models.BalancesRead); err != nil {
		return nil, false, false, err
	}
	limit := listLimit(f.Limit, 200)
	where := "e.environment = ? AND e.credential_id = ? AND e.account = ? AND e.asset = ?"
	args := []any{f.Environment, f.CredentialID, f.Account, f.Asset}
	order := "DESC"
	switch {
	case f.Before != "":
		where, order = where+" AND e.id > ?", "ASC"
		args = append(args, f.Before)
	case f.After != "":
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
			JOIN transactions t ON t.id = e.transaction_id LEFT JOIN events v ON v.id = e.event_id WHERE `+where+` ORDER BY e.id `+order+` LIMIT ?`, append(args, limit+1)...); err != nil {
			return err
		}
		more := len(out) > limit
		if more {
			out = out[:limit]
		}
		newer, older = f.After != "", more
		if f.Before != "" {
			slices.Reverse(out)
			newer, older = more, true
		}
		return nil
	})
	return out, newer, older, err
}
