package store

import (
	"context"
	"database/sql"
	"errors"

	"countinghouse/models"
)

// Plan tells how the database reads a page of a filter (limit rows; 0 for an export). merged: it is put together from several places in an index.
func (s *Store) Plan(ctx context.Context, f models.Filter, c models.Cursor, limit int) (plan string, merged bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		from, until := f.Range(tx.Now.Time())
		k, err := tx.keyQuery(f, from, until, c, limit)
		if err != nil || k.empty {
			return err
		}
		merged = k.walk == ""
		plan, err = tx.explain(wholeRow().selects()+k.from(c.Back), append([]any{rowSeparator}, k.args...)...)
		return err
	})
	return plan, merged, err
}

// AmountPlan tells how the database asks three days for a filter by amounts.
func (s *Store) AmountPlan(ctx context.Context, f models.Filter, c models.Cursor) (plan string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		from, until := f.Range(tx.Now.Time())
		q := tx.amountQuery(f, from, until, c)
		today := int64(tx.Now) / microsPerDay
		rows, args := q.onDays(tx, f, []int64{today, today - 1, today - 2})
		plan, err = tx.explain("SELECT id"+rows+q.order()+" LIMIT 51", args...)
		return err
	})
	return plan, err
}

// DestinationPlan tells how the database reads a page of destinations.
func (s *Store) DestinationPlan(ctx context.Context, f models.DestinationFilter, c models.Cursor) (plan string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		if s.Engine == Postgres { // a moment later it would count by itself
			if _, err := s.write.ExecContext(ctx, "ANALYZE"); err != nil {
				return err
			}
		}
		g, err := tx.guard(f.Environment)
		if err != nil {
			return err
		}
		from, args, err := tx.destinationQuery(f, g, c, 51)
		if err != nil {
			return err
		}
		plan, err = tx.explain("SELECT "+destinationColumns+from, args...)
		return err
	})
	return plan, err
}

// KYBPlans tells how the database reads the lists and the calendar of KYB, by what is read.
func (s *Store) KYBPlans(ctx context.Context, filters map[string]models.KYBFilter, day models.Date) (plans map[string]string, err error) {
	plans = map[string]string{}
	err = s.View(ctx, func(tx *Tx) error {
		for name, f := range filters {
			f.Limit = 50
			query, args, _, err := tx.casesQuery(f)
			if err != nil {
				return err
			}
			if plans[name], err = tx.explain(query, args...); err != nil {
				return err
			}
		}
		page := keyset{"d.created_us", "d.id", models.Cursor{}, 50}
		if plans["documents"], err = tx.explain("SELECT "+documentColumns+", c.company"+documentFrom+" JOIN kyb_cases c ON c.id = d.case_id WHERE d.environment = ?"+page.order(), models.Sandbox); err != nil {
			return err
		}
		if plans["calendar"], err = tx.explain(calendarQuery, models.Sandbox, day, day.Add(30), 201); err != nil {
			return err
		}
		plans["days"], err = tx.explain(daysQuery, models.Sandbox, day, day.Add(30))
		return err
	})
	return plans, err
}

// explain tells how the database would answer a query, a line for each step.
func (tx *Tx) explain(query string, args ...any) (plan string, err error) {
	words, before := "EXPLAIN QUERY PLAN ", []any{new(any), new(any), new(any)}
	if tx.Store.Engine == Postgres {
		words, before = "EXPLAIN ", nil
	}
	err = tx.Each(func(r *sql.Rows) error {
		var line string
		err := r.Scan(append(before, &line)...)
		plan += line + "\n"
		return err
	}, words+query, args...)
	return plan, err
}

// Cover is which spans of the totals a range of days is read from, and what they are in days.
func Cover(first, last int64) (spans int, days []int64) {
	for _, span := range cover(first, last) {
		spans++
		level, at := span/blocksFrom, span%blocksFrom
		wide := int64(1)
		for range level {
			wide *= blockDays
		}
		for d := at * wide; d < (at+1)*wide; d++ {
			days = append(days, d)
		}
	}
	return spans, days
}

// Recount counts all totals anew.
func (s *Store) Recount(ctx context.Context) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.rebuildTotals() })
}

// CountOneByOne counts all totals anew as rows that come and move do it: each waits first, and then goes to its state.
func (s *Store) CountOneByOne(ctx context.Context, all []models.Transaction) error {
	return s.Update(ctx, func(tx *Tx) error {
		err := errors.Join(tx.Exec("DELETE FROM transaction_totals"), tx.Exec("DELETE FROM sub_account_totals"))
		for _, t := range all {
			err = errors.Join(err, tx.count(&t, models.Pending, 1), tx.count(&t, models.Pending, -1), tx.count(&t, t.State, 1))
		}
		return err
	})
}

// AmountBlocks are the blocks of 64 days that a filter by amounts looks into.
func (s *Store) AmountBlocks(ctx context.Context, f models.Filter) (blocks map[int64]bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		blocks, err = tx.amountBlocks(f)
		return err
	})
	return blocks, err
}
