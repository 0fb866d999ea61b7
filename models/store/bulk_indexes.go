package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// index is one secondary index and the statement that makes it.
type index struct{ name, statement string }

// withoutIndexes takes the secondary indexes of transactions away, runs f and makes them again, also when f failed: sorting a million rows once
// costs a tenth of inserting each of them into eleven trees. Only for a database that nobody works with.
func (s *Store) withoutIndexes(ctx context.Context, f func() error) error {
	indexes, err := s.secondaryIndexes(ctx)
	if err != nil {
		return fmt.Errorf("list the indexes: %w", err)
	}
	for _, x := range indexes {
		if _, err := s.write.ExecContext(ctx, "DROP INDEX "+x.name); err != nil {
			return fmt.Errorf("take the index %s away: %w", x.name, err)
		}
	}
	errs := f()
	for _, x := range indexes {
		if _, err := s.write.ExecContext(context.WithoutCancel(ctx), x.statement); err != nil {
			errs = errors.Join(errs, fmt.Errorf("make the index %s again: %w", x.name, err))
		}
	}
	if errs != nil {
		return errs
	}
	return s.analyse(ctx)
}

func (s *Store) secondaryIndexes(ctx context.Context) (list []index, err error) {
	query := "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'transactions' AND sql IS NOT NULL ORDER BY name"
	if s.Engine == Postgres {
		query = `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'transactions'
			AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = indexname) ORDER BY indexname`
	}
	err = s.View(ctx, func(tx *Tx) error {
		list = nil
		return tx.Each(func(r *sql.Rows) error {
			var x index
			err := r.Scan(&x.name, &x.statement)
			list = append(list, x)
			return err
		}, query)
	})
	return list, err
}

// analyse lets PostgreSQL count what was written, so that it plans with the truth; it would do so by itself a minute later. SQLite's plans
// here follow from the statements alone.
func (s *Store) analyse(ctx context.Context) error {
	if s.Engine != Postgres {
		return nil
	}
	_, err := s.write.ExecContext(ctx, "ANALYZE transactions")
	return err
}
