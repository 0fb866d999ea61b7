package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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

// PrepareKYB puts together what shall be handed over for one account: the current files of the chosen documents. It waits for the approval of a
// second person, which is bound to exactly these files. Permission kyb.manage.
func (s *Store) PrepareKYB(ctx context.Context, a models.Actor, env models.Environment, caseID, linkID string, documentIDs []string, note string) (sub models.KYBSubmission, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		c, err := tx.kybCase(env, caseID)
		if err != nil {
			return err
		}
		l, err := tx.kybLink(caseID, linkID)
		if err != nil {
			return err
		}
		if note, err = models.CleanText("note", note, 500, false); err != nil {
			return err
		}
		files, err := tx.chosenFiles(c, documentIDs)
		if err != nil {
			return err
		}
		rules, err := tx.rulesOfLink(l)
		if err != nil {
			return err
		}
		if err := rules.CheckFiles(files); err != nil {
			return err
		}
		if err := tx.onlyChanged(l, rules, files); err != nil {
			return err
		}
		sub = models.KYBSubmission{ID: models.NewID(), Environment: env, CaseID: caseID, LinkID: linkID, CredentialID: l.CredentialID, Provider: l.Provider, Account: l.Account, Company: c.Company,
			State: models.SubWaiting, Digest: models.SubmissionDigest(env, l.CredentialID, l.Account, files), Files: files, FileCount: int64(len(files)), Note: note,
			CreatedAt: tx.Now, CreatedBy: a.UserID, CreatedName: a.Name}
		for _, f := range files {
			sub.Bytes += f.Size
		}
		if err := tx.insertSubmission(sub); err != nil {
			return err
		}
		return tx.askKYBApproval(a, c, sub, rules.Title)
	})
	return sub, err
}

// takenFiles is the condition on submissions whose files a provider has: it took them, whatever it then said of the company. What was not taken, or
// perhaps never arrived, is not there.
const takenFiles = "s.state IN ('submitted', 'question', 'refused', 'verified')"

// onlyChanged refuses files that a provider has already where its contract says that it wants only what changed.
func (tx *Tx) onlyChanged(l models.KYBLink, rules models.KYBRules, files []models.KYBFile) error {
	if rules.Resend != models.ResendChanged {
		return nil
	}
	there, err := tx.texts("SELECT f.version_id FROM kyb_submissions s JOIN kyb_submission_files f ON f.submission_id = s.id WHERE s.link_id = ? AND "+takenFiles, l.ID)
	if err != nil {
		return err
	}
	for _, f := range files {
		if slices.Contains(there, f.VersionID) {
			return models.FieldErrorf("files", "%s has this version of %s already and wants only what changed. Take it out of the set, or upload a newer version first.", rules.Title, f.Name)
		}
	}
	return nil
}

// KYBRulesOf gives a provider's rules under the settings of a credential; ok is false where the provider takes no documents. Permission kyb.read.
func (s *Store) KYBRulesOf(ctx context.Context, a models.Actor, env models.Environment, credentialID string) (rules models.KYBRules, ok bool, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return rules, false, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		l := models.KYBLink{CredentialID: credentialID, Environment: env}
		err := tx.QueryRow("SELECT provider FROM credentials WHERE id = ? AND environment = ?", credentialID, env).Scan(&l.Provider)
		if IsNoRow(err) {
			return nil
		}
		if err != nil {
			return err
		}
		rules, err = tx.rulesOfLink(l)
		if ok = err == nil; models.Is(err, models.Conflict) {
			return nil
		}
		return err
	})
	return rules, ok, err
}

// chosenFiles takes the current versions of the chosen documents, in the order of the case.
func (tx *Tx) chosenFiles(c models.KYBCase, ids []string) (files []models.KYBFile, err error) {
	docs, err := tx.kybDocuments(c.ID)
	if err != nil {
		return nil, err
	}
	found := 0
	for _, d := range docs {
		if !slices.Contains(ids, d.ID) {
			continue
		}
		found++
		switch {
		case d.State != models.DocumentKept:
			return nil, models.FieldErrorf("files", "%s is deleted.", d.Title())
		case d.Kind == "":
			return nil, models.FieldErrorf("files", "%s: say what it is before it is handed over.", d.Current.Name)
		}
		v := d.Current
		files = append(files, models.KYBFile{VersionID: v.ID, DocumentID: d.ID, Kind: d.Kind, Name: v.Name, Type: v.Type, Size: v.Size, SHA256: v.SHA256})
	}
	slices.Sort(ids)
	if found < len(slices.Compact(ids)) {
		return nil, models.FieldErrorf("files", "One of the documents is not of this company.")
	}
	models.UniqueNames(files)
	return files, nil
}

// rulesOfLink gives the provider's rules under the settings of the credential.
func (tx *Tx) rulesOfLink(l models.KYBLink) (models.KYBRules, error) {
	var text string
	if err := tx.QueryRow("SELECT settings_json FROM credentials WHERE id = ?", l.CredentialID).Scan(&text); err != nil {
		return models.KYBRules{}, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return models.KYBRules{}, fmt.Errorf("settings of the credential: %w", err)
	}
	if tx.Store.kybRules != nil {
		if r, ok := tx.Store.kybRules(l.Provider, l.Environment, settings); ok {
			return r, nil
		}
	}
	return models.KYBRules{}, models.Errorf(models.Conflict, "This provider takes no documents from this program.")
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

func (tx *Tx) askKYBApproval(a models.Actor, c models.KYBCase, sub models.KYBSubmission, title string) error {
	sentence := fmt.Sprintf("Hand %s of %s over to %s, account %s", filesText(sub.FileCount), c.Company, title, sub.Account)
	if err := tx.openRequest(a, ApprovalRequest{Environment: sub.Environment, Subject: "kyb", SubjectID: sub.ID, Digest: sub.Digest, Title: sentence,
		Rule: "Documents leave after a second person has looked at them", Needed: 1, Role: models.Compliance, Permission: models.KYBApprove, ExpiresAt: tx.Now.Add(changeLife)},
		sub.Files); err != nil {
		return err
	}
	if err := tx.refreshCase(c.ID); err != nil {
		return err
	}
	if err := tx.kybEvent(c.ID, a, "prepared", sentence+": waits for a second person"); err != nil {
		return err
	}
	return tx.Audit(a, "kyb.prepare", "kyb_submission", sub.ID, nil, map[string]any{"digest": sub.Digest, "files": sub.Files, "account": sub.Account}, sentence+": prepared.")
}

func filesText(n int64) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// filesAsApproved computes the digest of the set anew and looks that every file is still what it was.
func (tx *Tx) filesAsApproved(sub models.KYBSubmission) error {
	var changed int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM kyb_submission_files f JOIN kyb_versions v ON v.id = f.version_id
		WHERE f.submission_id = ? AND (v.state <> 'kept' OR v.sha256 <> f.sha256)`, sub.ID).Scan(&changed); err != nil {
		return err
	}
	if changed > 0 || models.SubmissionDigest(sub.Environment, sub.CredentialID, sub.Account, sub.Files) != sub.Digest {
		return models.Errorf(models.Conflict, "The files are not the ones that were prepared. They must be prepared and approved anew.")
	}
	return nil
}

// decidedKYB carries out the decision on a submission.
func (tx *Tx) decidedKYB(a models.Actor, r *ApprovalRequest, approved bool, reason string) error {
	sub, err := tx.submission(r.Environment, r.SubjectID)
	if err != nil {
		return err
	}
	if sub.State != models.SubWaiting || sub.Digest != r.Digest {
		return models.Errorf(models.Conflict, "This submission does not wait for an approval any more.")
	}
	if err := tx.filesAsApproved(sub); err != nil {
		return err
	}
	if !approved {
		return tx.endSubmission(a, sub, models.SubRejected, "Not approved: "+reason)
	}
	if err := tx.Exec("UPDATE kyb_submissions SET state = ?, approved_us = ?, approved_name = ? WHERE id = ?", models.SubApproved, tx.Now, a.Name, sub.ID); err != nil {
		return err
	}
	if err := tx.refreshCase(sub.CaseID); err != nil {
		return err
	}
	return tx.kybEvent(sub.CaseID, a, "approved", fmt.Sprintf("Approved to hand %s over to account %s", filesText(sub.FileCount), sub.Account))
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

// expiredKYB ends a submission on which nobody decided in time.
func (tx *Tx) expiredKYB(r *ApprovalRequest) error {
	sub, err := tx.submission(r.Environment, r.SubjectID)
	if err != nil || sub.State != models.SubWaiting {
		return err
	}
	return tx.endSubmission(models.System("approvals"), sub, models.SubWithdrawn, "Nobody decided in time")
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
