package store

import (
	"context"
	"database/sql"
	"fmt"

	"countinghouse/models"
)

const (
	calendarQuery = `SELECT d.day, d.what, d.case_id, c.company, d.document_id, d.link_id, d.provider, d.account, d.requirement, d.sentence FROM kyb_deadlines d JOIN kyb_cases c ON c.id = d.case_id
		WHERE d.environment = ? AND d.day >= ? AND d.day <= ? ORDER BY d.environment, d.day, d.case_id, d.seq LIMIT ?`
	daysQuery = "SELECT day, what, COUNT(*) FROM kyb_deadlines WHERE environment = ? AND day >= ? AND day <= ? GROUP BY day, what"
)

// KYBCalendar lists what ends and falls due from one day to another, at most limit lines, and how many more there are beyond. Permission kyb.read.
func (s *Store) KYBCalendar(ctx context.Context, a models.Actor, env models.Environment, from, to models.Date, limit int) (out []models.Deadline, more bool, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return nil, false, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out, more = nil, false
		return tx.Each(func(r *sql.Rows) error {
			var d models.Deadline
			if err := r.Scan(&d.Day, &d.What, &d.CaseID, &d.Company, &d.DocumentID, &d.LinkID, &d.Provider, &d.Account, &d.Requirement, &d.Sentence); err != nil {
				return err
			}
			if len(out) == limit {
				more = true
				return nil
			}
			out = append(out, d)
			return nil
		}, calendarQuery, env, from, to, limit+1)
	})
	return out, more, err
}

// KYBDays counts what ends and falls due on each day of a span, so that a month can be drawn without reading every line. Permission kyb.read.
func (s *Store) KYBDays(ctx context.Context, a models.Actor, env models.Environment, from, to models.Date) (out map[models.Date]map[string]int64, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out = map[models.Date]map[string]int64{}
		return tx.Each(func(r *sql.Rows) error {
			var day models.Date
			var what string
			var n int64
			err := r.Scan(&day, &what, &n)
			if out[day] == nil {
				out[day] = map[string]int64{}
			}
			out[day][what] = n
			return err
		}, daysQuery, env, from, to)
	})
	return out, err
}

// KYBReminder is a warning that a document ends soon.
type KYBReminder struct {
	Document   models.KYBDocument
	Company    string
	DaysBefore int // 60, 30 or 7
	Sentence   string
}

// RemindKYB gives the reminders that have become due, each once for each end of a document, and writes them on the case and into the audit
// trail. Of several that are due at once only the most urgent is given. For tasks.
func (s *Store) RemindKYB(ctx context.Context) (due []KYBReminder, err error) {
	var list []KYBDocumentRow
	today := models.DateOf(s.Now())
	if err := s.View(ctx, func(tx *Tx) error {
		list = nil
		return tx.Each(func(r *sql.Rows) error {
			var row KYBDocumentRow
			d, err := scanDocument(tail{r, &row.Company})
			row.KYBDocument = d
			list = append(list, row)
			return err
		}, "SELECT "+documentColumns+", c.company"+documentFrom+` JOIN kyb_cases c ON c.id = d.case_id WHERE d.state = 'kept' AND d.expires_on <> '' AND d.expires_on >= ? AND d.expires_on <= ?
			ORDER BY d.expires_on, d.id`, today, today.Add(models.SoonExpiring))
	}); err != nil {
		return nil, err
	}
	for _, row := range list {
		left := today.DaysUntil(row.Expires)
		days := 0
		for _, d := range models.KYBReminderDays() {
			if left <= d {
				days = d
			}
		}
		r := KYBReminder{Document: row.KYBDocument, Company: row.Company, DaysBefore: days, Sentence: fmt.Sprintf("%s of %s expires on %s, in %d days.", row.Title(), row.Company, row.Expires, left)}
		fresh := false
		if err := s.Update(ctx, func(tx *Tx) error {
			n, err := tx.Change("INSERT INTO kyb_reminders (document_id, expires_on, days_before, at_us) VALUES (?,?,?,?) ON CONFLICT DO NOTHING", row.ID, row.Expires, days, tx.Now)
			if fresh = n > 0; err != nil || !fresh {
				return err
			}
			if err := tx.kybEvent(row.CaseID, models.System("kyb_remind"), "reminder", r.Sentence); err != nil {
				return err
			}
			return tx.Audit(models.System("kyb_remind"), "kyb.remind", "kyb_document", row.ID, nil, map[string]any{"days_before": days, "expires": row.Expires}, r.Sentence)
		}); err != nil {
			return due, fmt.Errorf("remind of %s: %w", row.ID, err)
		}
		if fresh {
			due = append(due, r)
		}
	}
	return due, nil
}

// KYBHome counts what ends and what waits. Each count comes from an index and stops at models.HomeBound. Permission kyb.read.
func (s *Store) KYBHome(ctx context.Context, a models.Actor, env models.Environment) (h KYBHome, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return h, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		today := models.DateOf(tx.Now)
		day := func(n int) models.Date { return today.Add(n) }
		for _, c := range []struct {
			to    *int64
			query string
			args  []any
		}{
			{&h.Expired, "SELECT 1 FROM kyb_documents WHERE environment = ? AND state = 'kept' AND expires_on <> '' AND expires_on < ?", []any{env, today}},
			{&h.In7, "SELECT 1 FROM kyb_documents WHERE environment = ? AND state = 'kept' AND expires_on <> '' AND expires_on >= ? AND expires_on <= ?", []any{env, today, day(7)}},
			{&h.In30, "SELECT 1 FROM kyb_documents WHERE environment = ? AND state = 'kept' AND expires_on <> '' AND expires_on > ? AND expires_on <= ?", []any{env, day(7), day(30)}},
			{&h.In60, "SELECT 1 FROM kyb_documents WHERE environment = ? AND state = 'kept' AND expires_on <> '' AND expires_on > ? AND expires_on <= ?", []any{env, day(30), day(60)}},
			{&h.Questions, "SELECT 1 FROM kyb_cases WHERE environment = ? AND questions > 0", []any{env}},
			{&h.Unknown, "SELECT 1 FROM kyb_submissions WHERE environment = ? AND state = ?", []any{env, models.SubUnknown}},
		} {
			if err := tx.QueryRow("SELECT COUNT(*) FROM ("+c.query+" LIMIT ?) x", append(c.args, models.HomeBound)...).Scan(c.to); err != nil {
				return err
			}
		}
		err := tx.QueryRow("SELECT expires_on FROM kyb_documents WHERE environment = ? AND state = 'kept' AND expires_on <> '' AND expires_on >= ? ORDER BY expires_on LIMIT 1", env, today).Scan(&h.First)
		if IsNoRow(err) {
			return nil
		}
		return err
	})
	return h, err
}

// KYBQuestions counts the open questions of an environment for the menu, at most 100. Somebody who may not read KYB has none.
func (s *Store) KYBQuestions(ctx context.Context, a models.Actor, env models.Environment) (n int64, err error) {
	if !a.Can(models.KYBRead) {
		return 0, nil
	}
	err = s.View(ctx, func(tx *Tx) error {
		return tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM kyb_cases WHERE environment = ? AND questions > 0 LIMIT 100) x", env).Scan(&n)
	})
	return n, err
}
