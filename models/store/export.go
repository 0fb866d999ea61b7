package store

import (
	"context"
	"database/sql"

	"countinghouse/models"
)

// EachTransaction hands every transaction of a filter to f, newest first, from one snapshot and without holding them in memory. It needs
// exports.create.
func (s *Store) EachTransaction(ctx context.Context, a models.Actor, f models.Filter, do func(*models.Transaction) error) error {
	if err := a.Require(models.ExportsCreate); err != nil {
		return err
	}
	return s.View(ctx, func(tx *Tx) error {
		from, until := f.Range(tx.Now.Time())
		k, err := tx.keyQuery(f, from, until, models.Cursor{}, 0)
		if err != nil || k.empty {
			return err
		}
		return tx.Each(func(r *sql.Rows) error {
			t, err := scanTransaction(r)
			if err != nil {
				return err
			}
			return do(t)
		}, k.rows(false), k.args...)
	})
}

// AuditExport notes that somebody took a file out.
func (s *Store) AuditExport(ctx context.Context, a models.Actor, what, filter, format string) error {
	if err := a.Require(models.ExportsCreate); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		return tx.Audit(a, "export", what, "", nil, map[string]string{"filter": filter, "format": format}, "Exported "+what+" as "+format)
	})
}
