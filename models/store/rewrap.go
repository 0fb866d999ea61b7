package store

import (
	"context"
	"fmt"

	"countinghouse/models/vault"
)

// sealedPlaces lists the columns that hold a sealed value, and the column that names its row; the secrets of credentials have a method of their
// own. A test compares the list with the schema.
var sealedPlaces = []struct{ table, key, column string }{
	{"users", "id", "totp_sealed"},
	{"users", "id", "totp_pending"},
	{"codes", "id", "sealed"},
	{"destinations", "id", "values_sealed"},
	{"destination_imports", "id", "rows_sealed"},
	{"book_lines", "id", "theirs_sealed"},
	{"passkeys", "id", "sealed"},
	{"kyb_documents", "id", "number"},
}

// Rewrap puts every sealed value under the vault's current key, while the program runs: each in a transaction of its own, so that nobody
// waits. It tells how many it changed. A value that somebody replaces meanwhile is left alone: the new one is under the current key.
func (s *Store) Rewrap(ctx context.Context) (changed int, err error) {
	if s.vault == nil {
		return 0, errNoVault
	}
	for _, p := range sealedPlaces {
		var keys []string
		if err := s.View(ctx, func(q *Tx) (err error) {
			keys, err = q.texts(fmt.Sprintf("SELECT %s FROM %s WHERE %s IS NOT NULL", p.key, p.table, p.column))
			return err
		}); err != nil {
			return changed, err
		}
		for _, k := range keys {
			var did bool
			if err := s.Update(ctx, func(tx *Tx) error {
				did = false
				var sealed []byte
				err := tx.QueryRow(fmt.Sprintf("SELECT %s FROM %s WHERE %s = ?", p.column, p.table, p.key)+tx.ForUpdate(), k).Scan(&sealed)
				if IsNoRow(err) || (err == nil && len(sealed) == 0) {
					return nil
				}
				if err != nil {
					return err
				}
				out, isNew, err := s.vault.Rewrap(ctx, sealed, vault.AAD{Table: p.table, Row: k, Field: p.column})
				if err != nil || !isNew {
					return err
				}
				did = true
				return tx.Exec(fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", p.table, p.column, p.key), out, k)
			}); err != nil {
				return changed, fmt.Errorf("rewrap %s.%s of %s: %w", p.table, p.column, k, err)
			}
			if did {
				changed++
			}
		}
	}
	n, err := s.RewrapSecrets(ctx, s.vault)
	return changed + n, err
}
