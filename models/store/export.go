package store

import (
	"context"
	"database/sql"

	"golang.org/x/sync/errgroup"

	"countinghouse/models"
)

// exportBatch is how many rows go from the reader to the writer at once.
const exportBatch = 256

// EachForExport hands every transaction of a filter to do, newest first, from one snapshot and without holding them in memory. Only what a
// file shows is filled: who, what, how much, where it stands and when. It needs exports.create.
func (s *Store) EachForExport(ctx context.Context, a models.Actor, f models.Filter, do func(*models.Transaction) error) error {
	if err := a.Require(models.ExportsCreate); err != nil {
		return err
	}
	x := exportRow()
	return s.View(ctx, func(tx *Tx) error {
		from, until := f.Range(tx.Now.Time())
		k, err := tx.keyQuery(f, from, until, models.Cursor{}, 0)
		if err != nil || k.empty {
			return err
		}
		// One goroutine reads while the other writes; the batches between them are all that is held.
		g, ctx := errgroup.WithContext(ctx)
		batches := make(chan []string, 4)
		g.Go(func() error {
			defer close(batches)
			batch := make([]string, 0, exportBatch)
			send := func() error {
				select {
				case batches <- batch:
					batch = make([]string, 0, exportBatch)
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			err := tx.Each(func(r *sql.Rows) error {
				var text string
				if err := r.Scan(&text); err != nil {
					return err
				}
				if batch = append(batch, text); len(batch) < exportBatch {
					return nil
				}
				return send()
			}, x.selects()+k.from(false), append([]any{rowSeparator}, k.args...)...)
			if err == nil && len(batch) > 0 {
				err = send()
			}
			return err
		})
		g.Go(func() error {
			for batch := range batches {
				for _, text := range batch {
					t := new(models.Transaction)
					err := x.read(text, t)
					if err == nil {
						err = do(t)
					}
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
		return g.Wait()
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
