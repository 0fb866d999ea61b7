package store

import (
	"context"
	"fmt"
	"time"

	"countinghouse/models"
)

// followAfter is the pause before the next question about a submission that the provider has, or that is unknown. A webhook asks sooner.
func followAfter(asks int64) time.Duration {
	switch {
	case asks <= 0:
		return 30 * time.Second
	case asks == 1:
		return 2 * time.Minute
	case asks == 2:
		return 10 * time.Minute
	case asks < 28:
		return time.Hour
	}
	return 24 * time.Hour
}

// KYBWord is what a provider says of one account.
type KYBWord struct {
	Word, Note string
}

// KYBCredentialsToAsk lists the credentials of which something is due: a submission to follow, or all of them with accounts. For tasks.
func (s *Store) KYBCredentialsToAsk(ctx context.Context, all bool) (ids []string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		ids = nil
		query, args := "SELECT DISTINCT credential_id FROM kyb_submissions WHERE next_ask_us > 0 AND next_ask_us <= ?", []any{tx.Now}
		if all {
			query, args = "SELECT DISTINCT credential_id FROM kyb_links", nil
		}
		ids, err = tx.texts(query, args...)
		return err
	})
	return ids, err
}

// AskKYBSoon makes the submissions of a credential due now: a webhook gave a reason. With an account only those of it, and it is asked about
// whatever became of its submissions: a provider may change its mind about a company that it had refused or approved. It gives how many
// submissions are followed. For tasks.
func (s *Store) AskKYBSoon(ctx context.Context, credentialID, account string) (n int64, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		query, args := "UPDATE kyb_submissions SET next_ask_us = ? WHERE credential_id = ? AND state IN ('submitted', 'unknown', 'question')", []any{tx.Now, credentialID}
		if account != "" {
			query, args = query+" AND account = ?", append(args, account)
		}
		if n, err = tx.Change(query, args...); err != nil {
			return err
		}
		ours := n > 0
		if !ours && account != "" {
			if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM kyb_links WHERE credential_id = ? AND account = ?)", credentialID, account).Scan(&ours); err != nil {
				return err
			}
		}
		if !ours {
			return nil
		}
		return tx.enqueue(JobKYBAsk, credentialID, tx.Now)
	})
	return n, err
}

// AskKYBNow is AskKYBSoon for a person on a case's page. Permission kyb.manage.
func (s *Store) AskKYBNow(ctx context.Context, a models.Actor, env models.Environment, caseID string) error {
	if err := a.Require(models.KYBManage); err != nil {
		return err
	}
	var links []models.KYBLink
	if err := s.View(ctx, func(tx *Tx) (err error) {
		if _, err := tx.kybCase(env, caseID); err != nil {
			return err
		}
		links, err = tx.kybLinks(caseID)
		return err
	}); err != nil {
		return err
	}
	asked := false
	for _, l := range links {
		if !asked || l.CredentialID != links[0].CredentialID {
			asked = true
			if err := s.Update(ctx, func(tx *Tx) error { return tx.enqueue(JobKYBAsk, l.CredentialID, tx.Now) }); err != nil {
				return err
			}
		}
	}
	if !asked {
		return models.Errorf(models.Conflict, "No account is on this case, so there is nobody to ask.")
	}
	return nil
}

// RecordKYBWords takes in what a provider says of its accounts. A word that is on the provider's list moves the submission; one that is not
// changes nothing and becomes a task. A lost answer counts as arrived only when the word is another than before. For tasks.
func (s *Store) RecordKYBWords(ctx context.Context, credentialID string, rules models.KYBRules, words map[string]KYBWord) error {
	var links []models.KYBLink
	if err := s.View(ctx, func(tx *Tx) (err error) {
		links, err = tx.linksWhere("l.credential_id = ? ORDER BY l.id", credentialID)
		return err
	}); err != nil {
		return err
	}
	for _, l := range links {
		w, ok := words[l.Account]
		if !ok {
			w = KYBWord{}
		}
		if err := s.Update(ctx, func(tx *Tx) error { return tx.recordWord(l.CaseID, l.ID, rules, w, ok) }); err != nil {
			return fmt.Errorf("account %s: %w", l.Account, err)
		}
	}
	return nil
}

func (tx *Tx) recordWord(caseID, linkID string, rules models.KYBRules, w KYBWord, listed bool) error {
	l, err := tx.kybLink(caseID, linkID)
	if models.Is(err, models.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	subs, err := tx.submissionsWhere("s.link_id = ? ORDER BY s.created_us DESC, s.id DESC LIMIT 1", linkID)
	if err != nil {
		return err
	}
	word, note := models.Safe(w.Word, 100), models.Safe(w.Note, 500)
	changed := listed && (word != l.Word || note != l.WordNote)
	standing, known := rules.StandingOf(word)
	if !listed {
		standing, known = l.Standing, false
	}
	moved := false
	if len(subs) > 0 {
		if moved, err = tx.followSubmission(rules, subs[0], l, word, note, standing, known && listed); err != nil {
			return err
		}
	}
	if !changed {
		if !moved {
			return nil
		}
		return tx.refreshCase(caseID)
	}
	if known {
		l.Standing = standing
	}
	if err := tx.Exec("UPDATE kyb_links SET word = ?, word_note = ?, word_us = ?, standing = ? WHERE id = ?", word, note, tx.Now, l.Standing, linkID); err != nil {
		return err
	}
	if err := tx.kybEvent(caseID, models.System("kyb_ask"), "word", fmt.Sprintf("%s says of account %s: %s", rules.Title, l.Account, said(word, note))); err != nil {
		return err
	}
	if !known {
		if err := tx.openTask(l, "", fmt.Sprintf("%s says %q of account %s, which is not among its known words. Nothing was changed: find out what it means.", rules.Title, word, l.Account)); err != nil {
			return err
		}
	}
	return tx.refreshCase(caseID)
}

func said(word, note string) string {
	if note == "" {
		return word
	}
	return word + " (" + note + ")"
}

// followSubmission moves the newest submission of an account by what the provider says, and plans the next question.
func (tx *Tx) followSubmission(rules models.KYBRules, sub models.KYBSubmission, l models.KYBLink, word, note string, standing models.KYBStanding, known bool) (moved bool, err error) {
	if sub.State != models.SubSubmitted && sub.State != models.SubUnknown && sub.State != models.SubQuestion && sub.State != models.SubVerified && sub.State != models.SubRefused {
		return false, nil
	}
	to := sub.State
	if known {
		to = nextState(sub, word, standing)
	}
	by := models.System("kyb_ask")
	if to == sub.State {
		next := models.Micros(0)
		if sub.State == models.SubSubmitted || sub.State == models.SubUnknown || sub.State == models.SubQuestion {
			next = tx.Now.Add(followAfter(sub.Asks + 1))
		}
		if to == models.SubQuestion && note != l.WordNote && note != "" {
			if err := tx.openTask(l, sub.ID, question(rules, l, note)); err != nil {
				return false, err
			}
		}
		return false, tx.Exec("UPDATE kyb_submissions SET next_ask_us = ?, asks = asks + 1 WHERE id = ?", next, sub.ID)
	}
	next, ended := tx.Now.Add(followAfter(1)), models.Micros(0)
	if to == models.SubVerified || to == models.SubRefused {
		next, ended = 0, tx.Now
	}
	if err := tx.Exec("UPDATE kyb_submissions SET state = ?, message = ?, next_ask_us = ?, asks = 0, ended_us = ? WHERE id = ?", to, models.Safe(note, 500), next, ended, sub.ID); err != nil {
		return false, err
	}
	sentence := map[models.KYBState]string{models.SubSubmitted: "The files did arrive", models.SubQuestion: rules.Title + " asks", models.SubVerified: rules.Title + " has approved account " + l.Account,
		models.SubRefused: rules.Title + " has refused account " + l.Account}[to]
	if err := tx.kybEvent(sub.CaseID, by, string(to), sentence); err != nil {
		return false, err
	}
	if to == models.SubQuestion {
		if err := tx.openTask(l, sub.ID, question(rules, l, note)); err != nil {
			return false, err
		}
	}
	if sub.RunID != "" {
		if err := tx.countRun(sub.RunID); err != nil {
			return false, err
		}
	}
	return true, tx.Audit(by, "kyb."+string(to), "kyb_submission", sub.ID, map[string]string{"state": string(sub.State)}, map[string]string{"state": string(to), "word": word}, sentence+".")
}

func question(rules models.KYBRules, l models.KYBLink, note string) string {
	if note == "" {
		return fmt.Sprintf("%s asks for more about account %s and does not say what. Look into its portal or your mail.", rules.Title, l.Account)
	}
	return fmt.Sprintf("%s asks about account %s: %s", rules.Title, l.Account, note)
}

// nextState is where a submission goes when the provider says a known word.
func nextState(sub models.KYBSubmission, word string, standing models.KYBStanding) models.KYBState {
	if sub.State == models.SubUnknown && word == sub.WordBefore {
		return sub.State // the same word as before the files left proves nothing
	}
	switch standing {
	case models.KYBVerified:
		return models.SubVerified
	case models.KYBRefused:
		return models.SubRefused
	case models.KYBQuestion:
		return models.SubQuestion
	case models.KYBInReview:
		return models.SubSubmitted
	}
	return sub.State
}

func (tx *Tx) openTask(l models.KYBLink, submissionID, text string) error {
	return tx.Exec(`INSERT INTO kyb_tasks (id, case_id, environment, link_id, submission_id, text, state, created_us, answer, done_us, done_by, done_name) VALUES (?,?,?,?,?,?,'open',?,'',0,'','')`,
		models.NewID(), l.CaseID, l.Environment, l.ID, submissionID, models.Safe(text, 800), tx.Now)
}

// PostponeKYB plans the next question about a credential's accounts after one that was not answered. For tasks.
func (s *Store) PostponeKYB(ctx context.Context, credentialID string) error {
	return s.Update(ctx, func(tx *Tx) error {
		subs, err := tx.submissionsWhere("s.credential_id = ? AND s.next_ask_us > 0 AND s.next_ask_us <= ?", credentialID, tx.Now)
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if err := tx.Exec("UPDATE kyb_submissions SET next_ask_us = ?, asks = asks + 1 WHERE id = ?", tx.Now.Add(followAfter(sub.Asks+1)), sub.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
