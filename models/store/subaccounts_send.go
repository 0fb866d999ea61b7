package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"countinghouse/models"
)

// A sub-account is opened with the discipline of money: the intent is committed before the first byte leaves, one call per credential is in
// flight, a lost answer is unknown until the provider's own list has settled it, and nothing is sent again by itself. What differs is the
// question: the provider knows no reference of ours and answers no id, so the list is the only witness. Before every call the list is read
// whole, and whatever it shows becomes a row here: what appears under our username afterwards is therefore what we asked for.

// freshList is how old the list may be that a call relies on.
const freshList = 2 * time.Minute

// DueSubAccounts lists the active credentials of these providers that have something to send, or whose list is to be read. Only credentials
// for which somebody has ever asked are tended.
func (s *Store) DueSubAccounts(ctx context.Context, providers []string) (ids []string, err error) {
	if len(providers) == 0 {
		return nil, nil
	}
	err = s.View(ctx, func(tx *Tx) error {
		ids = nil
		args := []any{}
		for _, p := range providers {
			args = append(args, p)
		}
		ids, err = tx.texts(`SELECT c.id FROM credentials c WHERE c.state = 'active' AND c.provider IN (?`+strings.Repeat(",?", len(providers)-1)+`)
			AND (EXISTS (SELECT 1 FROM sub_account_lists l WHERE l.credential_id = c.id AND l.next_us > 0 AND l.next_us <= ?)
			OR EXISTS (SELECT 1 FROM sub_accounts a WHERE a.credential_id = c.id AND a.state = 'waiting' AND a.send_after_us <= ?
				AND NOT EXISTS (SELECT 1 FROM sub_account_calls k WHERE k.credential_id = c.id AND k.state = 'open')))
			ORDER BY c.id LIMIT 200`, append(args, tx.Now, tx.Now)...)
		return err
	})
	return ids, err
}

// BeginSubAccountCall commits the intent to open what waits for a credential: up to 25 rows of one file in one call, or one. It gives nil when
// there is nothing to send now, when a call is in flight, or when the provider's list was not read just before.
func (s *Store) BeginSubAccountCall(ctx context.Context, credentialID, instance string) (call *models.SubAccountCall, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		call = nil
		rows, err := tx.nextToOpen(credentialID)
		if err != nil || len(rows) == 0 {
			return err
		}
		var readAt models.Micros
		if err := tx.QueryRow("SELECT read_us FROM sub_account_lists WHERE credential_id = ? AND problem = ''", credentialID).Scan(&readAt); err != nil && !IsNoRow(err) {
			return err
		}
		if readAt < tx.Now.Add(-freshList) {
			return nil
		}
		if _, _, err := tx.usableCredential(credentialID, rows[0].Environment); models.Is(err, models.Invalid) {
			return tx.postponeSubAccounts(rows, "The credential is not active. It will be sent when it is.")
		} else if err != nil {
			return err
		}
		c := &models.SubAccountCall{ID: models.NewID(), Environment: rows[0].Environment, Provider: rows[0].Provider, CredentialID: credentialID, Operation: "create",
			Digest: digestOf([]byte(digestsOf(rows))), State: models.AttemptOpen, StartedAt: tx.Now, Deadline: tx.Now.Add(attemptTime), Instance: instance}
		if len(rows) > 1 {
			c.Operation = "batch"
		}
		n, err := tx.Change(`INSERT INTO sub_account_calls (id, environment, provider, credential_id, operation, digest, row_count, state, started_us, deadline_us, instance)
			VALUES (?,?,?,?,?,?,?,'open',?,?,?) ON CONFLICT DO NOTHING`, c.ID, c.Environment, c.Provider, c.CredentialID, c.Operation, c.Digest, len(rows), c.StartedAt, c.Deadline, instance)
		if err != nil || n == 0 {
			return err
		}
		for i := range rows {
			a := &rows[i]
			a.State, a.CallID, a.SentAt, a.AnsweredAt, a.Missed, a.Reason, a.Alert = models.SubAccountSending, c.ID, tx.Now, 0, 0, "", ""
			if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "sent", CallID: c.ID, Sentence: sentSentence(len(rows), a)}); err != nil {
				return err
			}
		}
		c.SubAccounts = rows
		call = c
		return nil
	})
	return call, err
}

func sentSentence(rows int, a *models.SubAccount) string {
	if rows > 1 {
		return fmt.Sprintf("Sent to the provider in one call with %d others, digest %.12s…", rows-1, a.Digest)
	}
	return fmt.Sprintf("Sent to the provider, digest %.12s…", a.Digest)
}

func digestsOf(rows []models.SubAccount) string {
	var b strings.Builder
	for _, a := range rows {
		b.WriteString(a.ID + " " + a.Digest + "\n")
	}
	return b.String()
}

// tellSubAccount saves a row and adds the line that says why.
func (tx *Tx) tellSubAccount(a *models.SubAccount, e models.SubAccountEvent) error {
	if err := tx.saveSubAccount(a); err != nil {
		return err
	}
	return tx.subAccountEvent(a.ID, e)
}

// nextToOpen chooses what goes into the next call, oldest first: rows of one file together, anything else alone. A row whose stored payload is
// not the one that was asked for, or whose username the provider's list carries already, is refused here and not sent.
func (tx *Tx) nextToOpen(credentialID string) (rows []models.SubAccount, err error) {
	waiting, err := tx.subAccountsWhere("a.credential_id = ? AND a.state = 'waiting' AND a.send_after_us <= ? ORDER BY a.created_us, a.batch_row, a.id LIMIT ?"+tx.ForUpdate(),
		credentialID, tx.Now, 2*models.SubAccountsPerCall)
	if err != nil {
		return nil, err
	}
	for i := range waiting {
		a := &waiting[i]
		if len(rows) > 0 && (a.BatchID == "" || a.BatchID != rows[0].BatchID || a.Alone) {
			continue
		}
		why := tx.unlisted(a)
		if a.SpecOf().Digest() != a.Digest {
			why = models.Errorf(models.Conflict, "The stored payload is not the one that was asked for. Nothing was sent.")
		}
		if models.Is(why, models.Invalid) || models.Is(why, models.Conflict) {
			a.State, a.Reason = models.SubAccountRefused, sentenceOf(why)
			if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "refused", Sentence: "Not sent: " + a.Reason}); err != nil {
				return nil, err
			}
			continue
		}
		if why != nil {
			return nil, why
		}
		rows = append(rows, *a)
		if a.BatchID == "" || a.Alone || len(rows) == models.SubAccountsPerCall {
			break
		}
	}
	return rows, nil
}

func sentenceOf(err error) string {
	var e *models.Error
	if asError(err, &e) {
		return e.Sentence
	}
	return err.Error()
}

func (tx *Tx) postponeSubAccounts(rows []models.SubAccount, why string) error {
	for i := range rows {
		a := &rows[i]
		a.SendAfter, a.Reason = tx.Now.Add(models.SubAccountsRetry), why
		if err := tx.saveSubAccount(a); err != nil {
			return err
		}
	}
	return nil
}

// PostponeSubAccounts keeps what waits for a credential back for a while, with the reason on every row.
func (s *Store) PostponeSubAccounts(ctx context.Context, credentialID, why string) error {
	return s.Update(ctx, func(tx *Tx) error {
		rows, err := tx.subAccountsWhere("a.credential_id = ? AND a.state = 'waiting' AND a.send_after_us <= ? ORDER BY a.id LIMIT 1000"+tx.ForUpdate(), credentialID, tx.Now)
		if err != nil {
			return err
		}
		return tx.postponeSubAccounts(rows, models.Safe(why, 300))
	})
}

const callColumns = `id, environment, provider, credential_id, operation, digest, state, started_us, deadline_us, finished_us, code, message, instance, exchange_id`

func (tx *Tx) subAccountCall(id string) (c models.SubAccountCall, err error) {
	err = tx.QueryRow("SELECT "+callColumns+" FROM sub_account_calls WHERE id = ?"+tx.ForUpdate(), id).Scan(&c.ID, &c.Environment, &c.Provider, &c.CredentialID, &c.Operation,
		&c.Digest, &c.State, &c.StartedAt, &c.Deadline, &c.FinishedAt, &c.Code, &c.Message, &c.Instance, &c.ExchangeID)
	if err != nil {
		return c, fmt.Errorf("read the call: %w", err)
	}
	c.SubAccounts, err = tx.subAccountsWhere("a.call_id = ? AND a.call_id <> '' ORDER BY a.batch_row, a.id"+tx.ForUpdate(), id)
	return c, err
}

// RecordSubAccountCall records the answer to a call. A call that was declared lost meanwhile keeps that verdict: its late answer becomes a line
// of the story and a reason to read the list at once.
func (s *Store) RecordSubAccountCall(ctx context.Context, callID string, ans models.Answer) error {
	return s.Update(ctx, func(tx *Tx) error {
		c, err := tx.subAccountCall(callID)
		if err != nil {
			return err
		}
		return tx.answerSubAccounts(c, ans)
	})
}

func (tx *Tx) answerSubAccounts(c models.SubAccountCall, ans models.Answer) error {
	late := c.State != models.AttemptOpen
	if !late {
		if err := tx.Exec("UPDATE sub_account_calls SET state = ?, finished_us = ?, code = ?, message = ?, exchange_id = ? WHERE id = ? AND state = 'open'",
			ans.State, tx.Now, models.Safe(ans.Code, 80), models.Safe(ans.Message, 300), ans.ExchangeID, c.ID); err != nil {
			return err
		}
	}
	for i := range c.SubAccounts {
		a := &c.SubAccounts[i]
		e := models.SubAccountEvent{What: "answer", CallID: c.ID, ExchangeID: ans.ExchangeID}
		if late || a.State != models.SubAccountSending {
			e.Sentence = "Late answer: " + models.Safe(ans.Message, 300)
			if err := tx.subAccountEvent(a.ID, e); err != nil {
				return err
			}
			continue
		}
		e.Sentence = answerSubAccount(a, ans, len(c.SubAccounts), tx.Now)
		if err := tx.tellSubAccount(a, e); err != nil {
			return err
		}
	}
	return tx.listSoon(c.CredentialID, tx.Now)
}

// answerSubAccount brings one row where the answer to its call puts it, and says so.
func answerSubAccount(a *models.SubAccount, ans models.Answer, rows int, now models.Micros) string {
	a.AnsweredAt = now
	said := models.Safe(ans.Message, 300)
	switch ans.State {
	case models.AttemptAccepted:
		a.State, a.Reason = models.SubAccountAccepted, ""
		return "The provider said yes. Its answer carries no id: the list will show it."
	case models.AttemptRefused, models.AttemptNotSent:
		word := "Refused by the provider: "
		if ans.State == models.AttemptNotSent {
			word = "Not sent: "
		}
		a.Reason = said
		switch {
		case rows > 1 && !ans.Retryable:
			a.State, a.Alone, a.SendAfter = models.SubAccountWaiting, true, now
			return word + said + " The call was for several and nothing was created, so each is now asked for alone."
		case ans.State == models.AttemptNotSent && ans.Retryable:
			// Nothing hurries: it waits until the way is free, and after some tries somebody is told.
			a.Tries++
			a.State, a.SendAfter = models.SubAccountWaiting, now.Add(min(time.Duration(a.Tries*a.Tries)*10*time.Second, 15*time.Minute))
			if a.Tries >= models.SubAccountNotSent {
				a.Alert = fmt.Sprintf("It could not be sent %d times, and is tried again by itself. It can be called off.", a.Tries)
			}
			return word + said
		}
		a.State = models.SubAccountRefused
		return word + said
	}
	a.State, a.Reason, a.Alert = models.SubAccountUnknown, said, "The outcome is unknown."
	return "The answer was lost: " + said
}

// listSoon makes the provider's list due at a moment, unless it is due earlier, and wakes a worker.
func (tx *Tx) listSoon(credentialID string, at models.Micros) error {
	if err := tx.Exec(`INSERT INTO sub_account_lists (credential_id, next_us) VALUES (?,?) ON CONFLICT (credential_id)
		DO UPDATE SET next_us = CASE WHEN sub_account_lists.next_us = 0 OR sub_account_lists.next_us > excluded.next_us THEN excluded.next_us ELSE sub_account_lists.next_us END`,
		credentialID, at); err != nil {
		return fmt.Errorf("plan the list: %w", err)
	}
	return tx.enqueue(JobSubAccounts, credentialID, at)
}

// LoseSubAccountCalls declares calls lost: those whose deadline has passed, and at the start of the only instance those of the process before
// it. What they asked for is unknown, never refused.
func (s *Store) LoseSubAccountCalls(ctx context.Context, otherThan string) (n int, err error) {
	var ids []string
	err = s.View(ctx, func(tx *Tx) error {
		ids = nil
		where, args := "deadline_us < ?", []any{tx.Now}
		if otherThan != "" {
			where, args = "instance <> ?", []any{otherThan}
		}
		ids, err = tx.texts("SELECT id FROM sub_account_calls WHERE state = 'open' AND "+where+" ORDER BY deadline_us LIMIT 200", args...)
		return err
	})
	for _, id := range ids {
		if err == nil {
			err = s.Update(ctx, func(tx *Tx) error {
				c, err := tx.subAccountCall(id)
				if err != nil || c.State != models.AttemptOpen {
					return err
				}
				return tx.answerSubAccounts(c, models.Answer{State: models.AttemptUnknown,
					Message: "The program stopped after the intent was written and before an answer was recorded"})
			})
		}
	}
	return len(ids), err
}
