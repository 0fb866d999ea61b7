package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// Shape lists every table with its columns and every index of ours, one line each, in a form that is equal on both engines. The jobs
// library keeps different tables on the two engines, and goose its own: both are left out.
func (s *Store) Shape(ctx context.Context) ([]string, error) {
	columns := `SELECT m.name, p.name, upper(p.type), p."notnull" = 1 FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'`
	indexes := `SELECT m.tbl_name, m.name, 'index', l."unique" = 1 FROM sqlite_master m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name WHERE m.type = 'index' AND m.sql IS NOT NULL`
	if s.Engine == Postgres {
		columns = `SELECT table_name, column_name, upper(data_type), is_nullable = 'NO' FROM information_schema.columns WHERE table_schema = current_schema()`
		indexes = `SELECT t.relname, i.relname, 'index', x.indisunique FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
			JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema() AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)`
	}
	var lines []string
	err := s.View(ctx, func(q *Tx) error {
		for _, query := range []string{columns, indexes} {
			if err := q.Each(func(r *sql.Rows) error {
				var table, name, kind string
				var flag bool
				if err := r.Scan(&table, &name, &kind, &flag); err != nil {
					return err
				}
				if table == "jobs" || table == "job_periods" || strings.HasPrefix(table, "goose_") || strings.HasPrefix(table, "sqlite_") {
					return nil
				}
				line := table + "." + name + " " + kind
				switch {
				case flag && kind == "index":
					line += " unique"
				case flag:
					line += " not null"
				}
				lines = append(lines, line)
				return nil
			}, query); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(lines)
	return lines, err
}
