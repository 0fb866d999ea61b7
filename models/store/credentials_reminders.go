package store

import (
	"context"
	"fmt"

	"countinghouse/models"
)

// Reminder is one warning that a credential's keys should be replaced.
type Reminder struct {
	Credential models.Credential
	DaysBefore int // 30, 7, 1, or 0 when the date has come
	Sentence   string
}

// RemindRotation gives the reminders that have become due, each once for each set of keys, and writes them into the audit trail. Of several that
// are due at once, as after a long stand-still, only the most urgent is given. For tasks.
func (s *Store) RemindRotation(ctx context.Context) (due []Reminder, err error) {
	list, err := s.WorkingCredentials(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		days, ok := reminderDue(c, s.Now())
		if !ok {
			continue
		}
		r := Reminder{Credential: c, DaysBefore: days, Sentence: reminderSentence(c, days)}
		var fresh bool
		if err := s.Update(ctx, func(tx *Tx) error {
			n, err := tx.Change(`INSERT INTO credential_reminders (credential_id, rotate_by_us, days_before, at_us) VALUES (?,?,?,?) ON CONFLICT DO NOTHING`,
				c.ID, c.RotateBy, days, tx.Now)
			if fresh = n > 0; err != nil || !fresh {
				return err
			}
			return tx.Audit(models.System("remind_rotation"), "credential.remind", "credential", c.ID, nil, map[string]any{"days_before": days, "rotate_by_us": c.RotateBy}, r.Sentence)
		}); err != nil {
			return due, fmt.Errorf("remind of %s: %w", c.Name, err)
		}
		if fresh {
			due = append(due, r)
		}
	}
	return due, nil
}

// reminderDue finds the most urgent reminder whose moment has come.
func reminderDue(c models.Credential, now models.Micros) (days int, ok bool) {
	if c.RotateBy == 0 {
		return 0, false
	}
	for _, d := range models.ReminderDays() {
		if now >= c.RotateBy.Add(-models.Days(d)) {
			days, ok = d, true
		}
	}
	return days, ok
}

func reminderSentence(c models.Credential, days int) string {
	by := c.RotateBy.Time().Format("2006-01-02")
	if days == 0 {
		return fmt.Sprintf("The keys of the %s credential %s should have been replaced by %s.", c.Environment, c.Name, by)
	}
	return fmt.Sprintf("The keys of the %s credential %s should be replaced by %s.", c.Environment, c.Name, by)
}
