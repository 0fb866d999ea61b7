package store

import (
	"context"
	"database/sql"
	"fmt"

	"countinghouse/models"
)

const submissionColumns = `s.id, s.environment, s.case_id, s.link_id, s.credential_id, s.provider, s.account, s.company, s.state, s.digest, s.files, s.bytes, s.note, s.word_before,
	s.run_id, s.call_id, s.message, s.created_us, s.created_by, s.created_by_name, s.approved_us, s.approved_name, s.sent_us, s.sent_name, s.ended_us, s.next_ask_us, s.asks`

func scanSubmission(r scanner) (s models.KYBSubmission, err error) {
	err = r.Scan(&s.ID, &s.Environment, &s.CaseID, &s.LinkID, &s.CredentialID, &s.Provider, &s.Account, &s.Company, &s.State, &s.Digest, &s.FileCount, &s.Bytes, &s.Note, &s.WordBefore,
		&s.RunID, &s.CallID, &s.Message, &s.CreatedAt, &s.CreatedBy, &s.CreatedName, &s.ApprovedAt, &s.ApprovedName, &s.SentAt, &s.SentName, &s.EndedAt, &s.NextAsk, &s.Asks)
	return s, err
}

func (tx *Tx) submissionsWhere(where string, args ...any) (out []models.KYBSubmission, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		s, err := scanSubmission(r)
		out = append(out, s)
		return err
	}, "SELECT "+submissionColumns+" FROM kyb_submissions s WHERE "+where, args...)
	return out, err
}

func (tx *Tx) submission(env models.Environment, id string) (models.KYBSubmission, error) {
	list, err := tx.submissionsWhere("s.id = ? AND s.environment = ?"+tx.ForUpdate(), id, env)
	if err != nil {
		return models.KYBSubmission{}, err
	}
	if len(list) == 0 {
		return models.KYBSubmission{}, models.Errorf(models.NotFound, "There is no such submission.")
	}
	list[0].Files, err = tx.submissionFiles(id)
	return list[0], err
}

func (tx *Tx) submissionFiles(id string) (out []models.KYBFile, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var f models.KYBFile
		err := r.Scan(&f.VersionID, &f.DocumentID, &f.Kind, &f.Name, &f.Type, &f.Size, &f.SHA256)
		out = append(out, f)
		return err
	}, "SELECT version_id, document_id, kind, name, mime, size, sha256 FROM kyb_submission_files WHERE submission_id = ? ORDER BY position", id)
	return out, err
}

func (tx *Tx) insertSubmission(x models.KYBSubmission) error {
	n, err := tx.Change(`INSERT INTO kyb_submissions (id, environment, case_id, link_id, credential_id, provider, account, company, state, digest, files, bytes, note, word_before,
		run_id, call_id, message, created_us, created_by, created_by_name, approved_us, approved_name, sent_us, sent_name, ended_us, next_ask_us, asks)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,'','',?,?,?,?,?,?,?,?,?,0,0) ON CONFLICT DO NOTHING`, x.ID, x.Environment, x.CaseID, x.LinkID, x.CredentialID, x.Provider, x.Account, x.Company,
		x.State, x.Digest, x.FileCount, x.Bytes, x.Note, x.WordBefore, x.Message, x.CreatedAt, x.CreatedBy, x.CreatedName, x.ApprovedAt, x.ApprovedName, x.SentAt, x.SentName, x.EndedAt)
	if err != nil {
		return err
	}
	if n == 0 {
		return models.Errorf(models.Conflict, "A submission for this account is under way. Wait for its end, or withdraw it.")
	}
	for i, f := range x.Files {
		if err := tx.Exec("INSERT INTO kyb_submission_files (submission_id, position, version_id, document_id, kind, name, mime, size, sha256) VALUES (?,?,?,?,?,?,?,?,?)",
			x.ID, i, f.VersionID, f.DocumentID, f.Kind, f.Name, f.Type, f.Size, f.SHA256); err != nil {
			return err
		}
	}
	return nil
}

func filesText(n int64) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// endSubmission ends a submission that did not leave.
func (tx *Tx) endSubmission(a models.Actor, sub models.KYBSubmission, state models.KYBState, message string) error {
	if err := tx.Exec("UPDATE kyb_submissions SET state = ?, message = ?, ended_us = ?, next_ask_us = 0 WHERE id = ?", state, models.Safe(message, 500), tx.Now, sub.ID); err != nil {
		return err
	}
	if err := tx.refreshCase(sub.CaseID); err != nil {
		return err
	}
	return tx.kybEvent(sub.CaseID, a, string(state), message)
}

// WithdrawKYB takes back a submission that has not left. Permission kyb.manage.
func (s *Store) WithdrawKYB(ctx context.Context, a models.Actor, env models.Environment, id string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		sub, err := tx.submission(env, id)
		if err != nil {
			return err
		}
		if sub.State != models.SubWaiting && sub.State != models.SubApproved {
			return models.Errorf(models.Conflict, "This submission has left, or has ended. It cannot be withdrawn.")
		}
		if err := tx.Exec("UPDATE approval_requests SET state = 'void', decided_us = ? WHERE subject_id = ? AND state = 'open'", tx.Now, id); err != nil {
			return err
		}
		if err := tx.endSubmission(a, sub, models.SubWithdrawn, "Withdrawn by "+a.Name); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.withdraw", "kyb_submission", id, nil, nil, "Withdrew a KYB submission of "+sub.Company+".")
	})
}

// GiveUpKYB ends a submission whose answer was lost and cannot be found out, so that the documents can be prepared, approved and handed over
// anew. Whoever sent it may not. Permission kyb.approve, a fresh second factor and a reason.
func (s *Store) GiveUpKYB(ctx context.Context, a models.Actor, env models.Environment, id, reason string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBApprove); err != nil {
			return err
		}
		if err := a.RequireStepUp(tx.Now); err != nil {
			return err
		}
		reason, err := weightyReason(reason, "Write how you know that the files did not arrive, in at least ten characters.")
		if err != nil {
			return err
		}
		sub, err := tx.submission(env, id)
		if err != nil {
			return err
		}
		var sender string
		if err := tx.QueryRow("SELECT created_by FROM kyb_runs WHERE id = ?", sub.RunID).Scan(&sender); err != nil && !IsNoRow(err) {
			return err
		}
		switch {
		case sub.State != models.SubUnknown:
			return models.Errorf(models.Conflict, "What became of this submission is known.")
		case sender == a.UserID:
			return models.Errorf(models.Forbidden, "You handed it over yourself; another person must decide that it did not arrive.")
		}
		if err := tx.endSubmission(a, sub, models.SubGivenUp, "Given up: "+reason); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.give-up", "kyb_submission", id, nil, map[string]string{"reason": reason}, "Gave up on an unknown KYB submission of "+sub.Company+".")
	})
}

// KYBSubmissionList is one page of submissions, newest first.
type KYBSubmissionList struct {
	Rows         []models.KYBSubmission
	Newer, Older models.Cursor
}

// KYBSubmissions lists submissions without their files. Permission kyb.read.
func (s *Store) KYBSubmissions(ctx context.Context, a models.Actor, f KYBSubmissionFilter) (*KYBSubmissionList, error) {
	if err := a.Require(models.KYBRead); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 50
	}
	out := new(KYBSubmissionList)
	err := s.View(ctx, func(tx *Tx) (err error) {
		where, args := "s.environment = ?", []any{f.Environment}
		if f.State != "" {
			where, args = where+" AND s.state = ?", append(args, f.State)
		}
		page := keyset{"s.created_us", "s.id", f.Cursor, f.Limit}
		more, margs := page.where()
		if out.Rows, err = tx.submissionsWhere(where+more+page.order(), append(args, margs...)...); err != nil {
			return err
		}
		out.Rows, out.Newer, out.Older = cutPage(page, out.Rows, func(x models.KYBSubmission) models.Cursor { return models.Cursor{At: x.CreatedAt, ID: x.ID} })
		return nil
	})
	return out, err
}

// KYBSubmission reads a submission with its files. Permission kyb.read.
func (s *Store) KYBSubmission(ctx context.Context, a models.Actor, env models.Environment, id string) (p KYBSubmissionPage, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return p, err
	}
	err = s.View(ctx, func(tx *Tx) (err error) {
		p = KYBSubmissionPage{}
		list, err := tx.submissionsWhere("s.id = ? AND s.environment = ?", id, env)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return models.Errorf(models.NotFound, "There is no such submission.")
		}
		p.Submission = list[0]
		if p.Submission.Files, err = tx.submissionFiles(id); err != nil {
			return err
		}
		if p.Case, err = tx.kybCase(env, p.Submission.CaseID); err != nil {
			return err
		}
		if p.Link, err = tx.kybLink(p.Case.ID, p.Submission.LinkID); err != nil {
			return err
		}
		if p.Requests, err = tx.approvalsOf(id); err != nil {
			return err
		}
		if p.Submission.CallID != "" {
			calls, err := tx.callsWhere("id = ?", p.Submission.CallID)
			if err != nil {
				return err
			}
			if len(calls) > 0 {
				p.Call = &calls[0]
			}
		}
		return tx.Each(func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			p.Newer = append(p.Newer, name)
			return err
		}, "SELECT f.name FROM kyb_submission_files f JOIN kyb_documents d ON d.id = f.document_id WHERE f.submission_id = ? AND d.current_id <> f.version_id ORDER BY f.position", id)
	})
	return p, err
}
