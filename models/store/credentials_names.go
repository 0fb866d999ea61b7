package store

import (
	"context"
	"database/sql"

	"countinghouse/models"
)

// CredentialNames lists what filters and forms need to know of the credentials of an environment. It needs transactions.read.
func (s *Store) CredentialNames(ctx context.Context, a models.Actor, env models.Environment) (out []CredentialName, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		return tx.Each(func(r *sql.Rows) error {
			var c CredentialName
			err := r.Scan(&c.ID, &c.Name, &c.Provider, &c.State)
			out = append(out, c)
			return err
		}, "SELECT id, name, provider, state FROM credentials WHERE environment = ? ORDER BY provider, name", env)
	})
	return out, err
}
