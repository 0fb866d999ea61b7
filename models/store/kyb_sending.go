package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
)

// kybCallTime is how long a call may stay open. It is far above the time limit of the call itself, so that one whose deadline has passed belongs
// to a process that died between sending and recording.
const kybCallTime = 5 * time.Minute

// maxRun is how many submissions one run carries.
const maxRun = 500

const runColumns = `r.id, r.environment, r.credential_id, COALESCE(c.name, ''), r.provider, r.state, r.total, r.done, r.accepted, r.declined, r.unknown, r.not_sent, r.created_us, r.created_by, r.created_name, r.ended_us`

func (tx *Tx) runsWhere(where string, args ...any) (out []models.KYBRun, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var x models.KYBRun
		err := r.Scan(&x.ID, &x.Environment, &x.CredentialID, &x.Credential, &x.Provider, &x.State, &x.Total, &x.Done, &x.Accepted, &x.Declined, &x.Unknown, &x.NotSent,
			&x.CreatedAt, &x.CreatedBy, &x.CreatedName, &x.EndedAt)
		out = append(out, x)
		return err
	}, "SELECT "+runColumns+" FROM kyb_runs r LEFT JOIN credentials c ON c.id = r.credential_id WHERE "+where, args...)
	return out, err
}

func (tx *Tx) callsWhere(where string, args ...any) (out []models.KYBCall, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var x models.KYBCall
		err := r.Scan(&x.ID, &x.RunID, &x.CredentialID, &x.State, &x.Digest, &x.Companies, &x.Files, &x.Bytes, &x.StartedAt, &x.EndedAt, &x.Code, &x.Message, &x.ExchangeID)
		out = append(out, x)
		return err
	}, "SELECT id, run_id, credential_id, state, digest, companies, files, bytes, started_us, ended_us, code, message, exchange_id FROM kyb_calls WHERE "+where, args...)
	return out, err
}

// SendKYB starts the handing over of approved submissions, all of one credential. It returns at once; a task makes the calls. Permission
// kyb.manage and a fresh second factor.
func (s *Store) SendKYB(ctx context.Context, a models.Actor, env models.Environment, ids []string) (run models.KYBRun, err error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		if err := a.RequireStepUp(tx.Now); err != nil {
			return err
		}
		if len(ids) == 0 || len(ids) > maxRun {
			return models.Errorf(models.Invalid, "Choose 1 to %d submissions.", maxRun)
		}
		run = models.KYBRun{ID: models.NewID(), Environment: env, State: "running", Total: int64(len(ids)), CreatedAt: tx.Now, CreatedBy: a.UserID, CreatedName: a.Name}
		var subs []models.KYBSubmission
		for _, id := range ids {
			sub, err := tx.submission(env, id)
			if err != nil {
				return err
			}
			if err := tx.mayLeave(sub, &run); err != nil {
				return err
			}
			subs = append(subs, sub)
		}
		return tx.startRun(a, run, subs)
	})
	return run, err
}

// mayLeave holds one submission against the rules of a run.
func (tx *Tx) mayLeave(sub models.KYBSubmission, run *models.KYBRun) error {
	switch {
	case sub.State != models.SubApproved:
		return models.Errorf(models.Conflict, "The submission of %s is not approved, or was handed over already.", sub.Company)
	case run.CredentialID != "" && run.CredentialID != sub.CredentialID:
		return models.Errorf(models.Invalid, "Hand over the submissions of one credential at a time.")
	}
	run.CredentialID, run.Provider = sub.CredentialID, sub.Provider
	return tx.filesAsApproved(sub)
}

func (tx *Tx) startRun(a models.Actor, run models.KYBRun, subs []models.KYBSubmission) error {
	var state string
	if err := tx.QueryRow("SELECT state FROM credentials WHERE id = ?", run.CredentialID).Scan(&state); err != nil {
		return err
	}
	if state != string(models.CredentialActive) {
		return models.Errorf(models.Conflict, "The credential is not in use, so nothing can be handed over through it.")
	}
	if err := tx.Exec(`INSERT INTO kyb_runs (id, environment, credential_id, provider, state, total, done, accepted, declined, unknown, not_sent, created_us, created_by, created_name, ended_us)
		VALUES (?,?,?,?,'running',?,0,0,0,0,0,?,?,?,0)`, run.ID, run.Environment, run.CredentialID, run.Provider, run.Total, run.CreatedAt, run.CreatedBy, run.CreatedName); err != nil {
		return err
	}
	for _, sub := range subs {
		if err := tx.Exec("UPDATE kyb_submissions SET state = ?, run_id = ?, sent_name = ?, message = '' WHERE id = ?", models.SubQueued, run.ID, a.Name, sub.ID); err != nil {
			return err
		}
		if err := tx.refreshCase(sub.CaseID); err != nil {
			return err
		}
	}
	if err := tx.enqueue(JobKYB, run.ID, tx.Now); err != nil {
		return err
	}
	return tx.Audit(a, "kyb.send", "kyb_run", run.ID, nil, map[string]any{"submissions": len(subs), "credential": run.CredentialID}, fmt.Sprintf("Started to hand %d KYB submissions over.", len(subs)))
}

// KYBOrder is one call to make: the intent is committed.
type KYBOrder struct {
	Run         models.KYBRun
	Call        models.KYBCall
	Submissions []models.KYBSubmission // with their files
}

// KYBRunForTask reads a run. For tasks.
func (s *Store) KYBRunForTask(ctx context.Context, id string) (run models.KYBRun, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		list, err := tx.runsWhere("r.id = ?", id)
		if err == nil && len(list) == 0 {
			return models.Errorf(models.NotFound, "There is no such run.")
		}
		if err == nil {
			run = list[0]
		}
		return err
	})
	return run, err
}

// StopKYBRun ends a run of which nothing can be sent now: what has not left goes back to approved, with the reason. For tasks.
func (s *Store) StopKYBRun(ctx context.Context, runID, reason string) error {
	return s.Update(ctx, func(tx *Tx) error {
		subs, err := tx.submissionsWhere("s.run_id = ? AND s.state = 'queued'"+tx.ForUpdate(), runID)
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if err := tx.recordSubmission(sub, KYBAnswer{State: "not_sent", Message: reason}); err != nil {
				return err
			}
		}
		if err := tx.countRun(runID); err != nil {
			return err
		}
		return tx.Audit(models.System("kyb_send"), "kyb.stop", "kyb_run", runID, nil, map[string]any{"submissions": len(subs)}, fmt.Sprintf("Nothing was sent for %d companies: %s", len(subs), reason))
	})
}

// KYBLimits is what fits into one call.
type KYBLimits struct {
	Companies int
	Bytes     int64
}

// BeginKYBCall commits the intent of the next call of a run: which submissions, with the digest of exactly which files, to whom. words are the
// provider's words for the accounts right before; they are the measure of what a lost answer has done. nil when nothing of the run waits.
// Conflict while another call of the credential is in flight. For tasks.
func (s *Store) BeginKYBCall(ctx context.Context, runID, instance string, limits KYBLimits, words map[string]string) (o *KYBOrder, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		o = nil
		runs, err := tx.runsWhere("r.id = ?", runID)
		if err != nil || len(runs) == 0 || runs[0].State != "running" {
			return err
		}
		subs, err := tx.nextOfRun(runs[0], limits)
		if err != nil || len(subs) == 0 {
			return err
		}
		var digests strings.Builder
		c := models.KYBCall{ID: models.NewID(), RunID: runID, CredentialID: runs[0].CredentialID, State: "open", Companies: int64(len(subs)), StartedAt: tx.Now}
		for _, sub := range subs {
			digests.WriteString(sub.Digest + "\n")
			c.Files, c.Bytes = c.Files+sub.FileCount, c.Bytes+sub.Bytes
		}
		c.Digest = digestOf([]byte(digests.String()))
		n, err := tx.Change(`INSERT INTO kyb_calls (id, run_id, environment, credential_id, state, digest, companies, files, bytes, instance, started_us, deadline_us, ended_us, code, message, exchange_id)
			VALUES (?,?,?,?,'open',?,?,?,?,?,?,?,0,'','','') ON CONFLICT DO NOTHING`, c.ID, runID, runs[0].Environment, c.CredentialID, c.Digest, c.Companies, c.Files, c.Bytes, instance,
			tx.Now, tx.Now.Add(kybCallTime))
		if err != nil {
			return err
		}
		if n == 0 {
			return models.Errorf(models.Conflict, "Another call of this credential is in flight.")
		}
		for i := range subs {
			subs[i].State, subs[i].CallID, subs[i].SentAt, subs[i].WordBefore = models.SubSending, c.ID, tx.Now, models.Safe(words[subs[i].Account], 100)
			if err := tx.Exec("UPDATE kyb_submissions SET state = ?, call_id = ?, sent_us = ?, word_before = ? WHERE id = ?", models.SubSending, c.ID, tx.Now, subs[i].WordBefore, subs[i].ID); err != nil {
				return err
			}
			if err := tx.refreshCase(subs[i].CaseID); err != nil {
				return err
			}
		}
		o = &KYBOrder{Run: runs[0], Call: c, Submissions: subs}
		return tx.Audit(models.System("kyb_send"), "kyb.call", "kyb_call", c.ID, nil, map[string]any{"digest": c.Digest, "companies": c.Companies, "files": c.Files},
			fmt.Sprintf("Sending %s of %d companies.", filesText(c.Files), c.Companies))
	})
	return o, err
}

// nextOfRun takes the submissions that fit into the next call. One whose files are not what was approved does not leave.
func (tx *Tx) nextOfRun(run models.KYBRun, limits KYBLimits) (out []models.KYBSubmission, err error) {
	list, err := tx.submissionsWhere("s.run_id = ? AND s.state = 'queued' ORDER BY s.created_us, s.id LIMIT ?"+tx.ForUpdate(), run.ID, max(1, limits.Companies))
	if err != nil {
		return nil, err
	}
	var sum int64
	for _, sub := range list {
		if sub.Files, err = tx.submissionFiles(sub.ID); err != nil {
			return nil, err
		}
		if err := tx.filesAsApproved(sub); err != nil {
			if err := tx.endSubmission(models.System("kyb_send"), sub, models.SubRejected, "Not sent: the files are not the ones that were approved"); err != nil {
				return nil, err
			}
			continue
		}
		if len(out) > 0 && limits.Bytes > 0 && sum+sub.Bytes > limits.Bytes {
			break
		}
		sum += sub.Bytes
		out = append(out, sub)
	}
	if len(out) == 0 && len(list) > 0 {
		return nil, tx.countRun(run.ID)
	}
	return out, nil
}

// KYBAnswer is what came of a call. State is one of accepted, declined, not_sent and unknown.
type KYBAnswer struct {
	State, Code, Message, ExchangeID string
}

// RecordKYBCall records the answer to a call, once. An answer that comes after the call was given up as unknown counts only if it says that the
// provider has the files. For tasks.
func (s *Store) RecordKYBCall(ctx context.Context, callID string, ans KYBAnswer) error {
	return s.Update(ctx, func(tx *Tx) error {
		calls, err := tx.callsWhere("id = ?"+tx.ForUpdate(), callID)
		if err != nil || len(calls) == 0 {
			return err
		}
		c := calls[0]
		if c.State != "open" && !(c.State == "unknown" && ans.State == "accepted") {
			return nil
		}
		if err := tx.Exec("UPDATE kyb_calls SET state = ?, ended_us = ?, code = ?, message = ?, exchange_id = ? WHERE id = ?", ans.State, tx.Now, models.Safe(ans.Code, 60),
			models.Safe(ans.Message, 300), ans.ExchangeID, callID); err != nil {
			return err
		}
		subs, err := tx.submissionsWhere("s.call_id = ? AND s.state IN ('sending', 'unknown')", callID)
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if err := tx.recordSubmission(sub, ans); err != nil {
				return err
			}
		}
		if err := tx.countRun(c.RunID); err != nil {
			return err
		}
		return tx.Audit(models.System("kyb_send"), "kyb.answer-"+ans.State, "kyb_call", callID, nil, map[string]any{"state": ans.State, "code": ans.Code, "companies": len(subs)},
			fmt.Sprintf("The answer for %d companies: %s.", len(subs), ans.State))
	})
}

func (tx *Tx) recordSubmission(sub models.KYBSubmission, ans KYBAnswer) error {
	title := sub.Provider
	if r, ok := tx.Store.rulesOf(sub.Provider); ok {
		title = r.Title
	}
	by := models.System("kyb_send")
	switch ans.State {
	case "accepted":
		if err := tx.Exec("UPDATE kyb_submissions SET state = ?, message = '', next_ask_us = ?, asks = 0 WHERE id = ?", models.SubSubmitted, tx.Now.Add(followAfter(0)), sub.ID); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE kyb_links SET standing = ? WHERE id = ?", models.KYBInReview, sub.LinkID); err != nil {
			return err
		}
		if err := tx.kybEvent(sub.CaseID, by, "submitted", fmt.Sprintf("%s took %s for account %s", title, filesText(sub.FileCount), sub.Account)); err != nil {
			return err
		}
	case "not_sent": // it never left: it may be handed over again as it is
		if err := tx.Exec("UPDATE kyb_submissions SET state = ?, call_id = '', sent_us = 0, message = ? WHERE id = ?", models.SubApproved, models.Safe("Not sent: "+ans.Message, 500), sub.ID); err != nil {
			return err
		}
		if err := tx.kybEvent(sub.CaseID, by, "not_sent", "Not sent: "+ans.Message); err != nil {
			return err
		}
	case "declined":
		return tx.endSubmission(by, sub, models.SubDeclined, fmt.Sprintf("%s did not take the files: %s", title, ans.Message))
	default:
		if err := tx.Exec("UPDATE kyb_submissions SET state = ?, message = ?, next_ask_us = ?, asks = 0 WHERE id = ?", models.SubUnknown, models.Safe(ans.Message, 500), tx.Now.Add(30*time.Second), sub.ID); err != nil {
			return err
		}
		if err := tx.kybEvent(sub.CaseID, by, "unknown", "The answer was lost: "+ans.Message+". "+title+" is being asked; nothing is sent again"); err != nil {
			return err
		}
	}
	return tx.refreshCase(sub.CaseID)
}

// countRun brings a run's figures up to date and ends it when nothing of it waits.
func (tx *Tx) countRun(id string) error {
	var queued, accepted, declined, unknown, notSent int64
	if err := tx.QueryRow(`SELECT COALESCE(SUM(CASE WHEN state IN ('queued', 'sending') THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state IN ('submitted', 'question', 'verified', 'refused') THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state IN ('declined', 'rejected') THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state IN ('unknown', 'given_up') THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state IN ('approved', 'withdrawn') THEN 1 ELSE 0 END), 0) FROM kyb_submissions WHERE run_id = ?`, id).Scan(&queued, &accepted, &declined, &unknown, &notSent); err != nil {
		return err
	}
	state, ended := "running", models.Micros(0)
	if queued == 0 {
		state, ended = "done", tx.Now
	}
	return tx.Exec("UPDATE kyb_runs SET state = ?, done = total - ?, accepted = ?, declined = ?, unknown = ?, not_sent = ?, ended_us = CASE WHEN ended_us > 0 THEN ended_us ELSE ? END WHERE id = ?",
		state, queued, accepted, declined, unknown, notSent, ended, id)
}

// LostKYBCalls makes unknown what a process left behind between sending and recording: calls whose deadline has passed and, when this is the only
// process, those of another instance. For tasks.
func (s *Store) LostKYBCalls(ctx context.Context, instance string, alone bool) (n int, err error) {
	var ids []string
	if err := s.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.texts("SELECT id FROM kyb_calls WHERE state = 'open' AND (deadline_us < ? OR (? AND instance <> ?))", tx.Now, alone, instance)
		return err
	}); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := s.RecordKYBCall(ctx, id, KYBAnswer{State: "unknown", Message: "The program stopped while it waited for the answer"}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// RunningKYB lists the runs that have something to send, oldest first. For tasks: the sweep finds what no job reached.
func (s *Store) RunningKYB(ctx context.Context) (ids []string, err error) {
	err = s.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.texts("SELECT id FROM kyb_runs WHERE state = 'running' ORDER BY created_us LIMIT 50")
		return err
	})
	return ids, err
}

// KYBRun reads a run. Permission kyb.read.
func (s *Store) KYBRun(ctx context.Context, a models.Actor, env models.Environment, id string) (p KYBRunPage, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return p, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		list, err := tx.runsWhere("r.id = ? AND r.environment = ?", id, env)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return models.Errorf(models.NotFound, "There is no such run.")
		}
		p.Run = list[0]
		if p.Calls, err = tx.callsWhere("run_id = ? ORDER BY started_us, id", id); err != nil {
			return err
		}
		p.Submissions, err = tx.submissionsWhere("s.run_id = ? ORDER BY s.created_us, s.id", id)
		return err
	})
	return p, err
}

// KYBRuns lists the newest runs. Permission kyb.read.
func (s *Store) KYBRuns(ctx context.Context, a models.Actor, env models.Environment, limit int) (out []models.KYBRun, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) (err error) {
		out, err = tx.runsWhere("r.environment = ? ORDER BY r.created_us DESC, r.id DESC LIMIT ?", env, limit)
		return err
	})
	return out, err
}
