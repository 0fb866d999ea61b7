package store

import (
	"context"
	"database/sql"
	"strings"

	"countinghouse/models"
)

// KYBCase reads a case. Permission kyb.read.
func (s *Store) KYBCase(ctx context.Context, a models.Actor, env models.Environment, id string) (p KYBCasePage, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return p, err
	}
	err = s.View(ctx, func(tx *Tx) (err error) {
		p = KYBCasePage{Sent: map[string]bool{}}
		if p.Case, err = tx.kybCase(env, id); err != nil {
			return err
		}
		if p.Links, err = tx.kybLinks(id); err != nil {
			return err
		}
		p.Rules = map[string]models.KYBRules{}
		for _, l := range p.Links {
			rules, err := tx.rulesOfLink(l)
			if models.Is(err, models.Conflict) {
				continue
			}
			if err != nil {
				return err
			}
			p.Rules[l.ID] = rules
		}
		if p.Documents, err = tx.kybDocuments(id); err != nil {
			return err
		}
		if p.Submissions, err = tx.submissionsWhere("s.case_id = ? ORDER BY s.created_us DESC, s.id DESC LIMIT 50", id); err != nil {
			return err
		}
		if p.Tasks, err = tx.kybTasks("case_id = ? ORDER BY state DESC, created_us DESC LIMIT 100", id); err != nil {
			return err
		}
		if err := tx.Each(func(r *sql.Rows) error {
			var link, version string
			err := r.Scan(&link, &version)
			p.Sent[link+" "+version] = true
			return err
		}, `SELECT s.link_id, f.version_id FROM kyb_submissions s JOIN kyb_submission_files f ON f.submission_id = s.id
			WHERE s.case_id = ? AND `+takenFiles, id); err != nil {
			return err
		}
		return tx.Each(func(r *sql.Rows) error {
			var e models.KYBEvent
			err := r.Scan(&e.At, &e.What, &e.Sentence, &e.ActorName)
			p.Events = append(p.Events, e)
			return err
		}, "SELECT at_us, what, sentence, actor_name FROM kyb_events WHERE case_id = ? ORDER BY at_us DESC, id DESC LIMIT 100", id)
	})
	return p, err
}

func (tx *Tx) kybTasks(where string, args ...any) (out []models.KYBTask, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var t models.KYBTask
		err := r.Scan(&t.ID, &t.CaseID, &t.LinkID, &t.SubmissionID, &t.Text, &t.State, &t.CreatedAt, &t.Answer, &t.DoneAt, &t.DoneName)
		out = append(out, t)
		return err
	}, "SELECT id, case_id, link_id, submission_id, text, state, created_us, answer, done_us, done_name FROM kyb_tasks WHERE "+where, args...)
	return out, err
}

// AnswerKYBTask closes a question with what was done about it. Permission kyb.manage.
func (s *Store) AnswerKYBTask(ctx context.Context, a models.Actor, env models.Environment, caseID, taskID, answer string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		answer, err := models.CleanText("answer", answer, 1000, true)
		if err != nil {
			return err
		}
		if _, err := tx.kybCase(env, caseID); err != nil {
			return err
		}
		n, err := tx.Change("UPDATE kyb_tasks SET state = 'done', answer = ?, done_us = ?, done_by = ?, done_name = ? WHERE id = ? AND case_id = ? AND state = 'open'",
			answer, tx.Now, a.UserID, a.Name, taskID, caseID)
		if err != nil {
			return err
		}
		if n == 0 {
			return models.Errorf(models.Conflict, "This question is not open any more.")
		}
		if err := tx.refreshCase(caseID); err != nil {
			return err
		}
		if err := tx.kybEvent(caseID, a, "answered", "Question closed: "+strings.ReplaceAll(answer, "\n", " ")); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.answer", "kyb_case", caseID, nil, map[string]string{"task": taskID, "answer": answer}, "Closed a question on a KYB case.")
	})
}
