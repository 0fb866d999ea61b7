package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"countinghouse/models"
)

// subAccountResend is the kind of change that sends an account again whose lost answer was settled as "not created".
const subAccountResend = "sub_account.resend"

type resendPayload struct {
	Environment models.Environment `json:"environment"`
	Digest      string             `json:"digest"`
	Call        string             `json:"call"` // the call whose answer was lost: another one since then voids the agreement
	Reason      string             `json:"reason"`
}

// changeSubAccount is the frame of what compliance does with one sub-account.
func (s *Store) changeSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id string, f func(tx *Tx, a *models.SubAccount) error) error {
	if err := actor.Require(models.SubAccountsManage); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		a, err := tx.subAccount(env, id)
		if err != nil {
			return err
		}
		return f(tx, a)
	})
}

// WithdrawSubAccount calls off what waits and was never sent.
func (s *Store) WithdrawSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id string) error {
	return s.changeSubAccount(ctx, actor, env, id, func(tx *Tx, a *models.SubAccount) error {
		if a.State != models.SubAccountWaiting {
			return models.Errorf(models.Conflict, "It is %q: only what waits can be called off.", a.State.Word())
		}
		return tx.withdrawSubAccount(actor, a)
	})
}

func (tx *Tx) withdrawSubAccount(actor models.Actor, a *models.SubAccount) error {
	a.State, a.Reason = models.SubAccountWithdrawn, ""
	if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "withdrawn", ActorName: actor.Name, Sentence: "Called off by " + actor.Name + ". Nothing was sent."}); err != nil {
		return err
	}
	return tx.Audit(actor, "sub_account.withdraw", "sub_account", a.ID, nil, nil, "Called off the sub-account for "+a.Company+" before it was sent.")
}

// RenameSubAccount changes the short name, which is ours alone.
func (s *Store) RenameSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id, name string) error {
	name, err := models.CleanText("name", name, 40, true)
	if err != nil {
		return err
	}
	return s.changeSubAccount(ctx, actor, env, id, func(tx *Tx, a *models.SubAccount) error {
		was := a.Name
		a.Name = name
		if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "renamed", ActorName: actor.Name, Sentence: fmt.Sprintf("Short name changed from %q to %q.", was, name)}); err != nil {
			return err
		}
		return tx.Audit(actor, "sub_account.rename", "sub_account", a.ID, map[string]any{"name": was}, map[string]any{"name": name}, "Renamed the sub-account of "+a.Company+".")
	})
}

// AdoptSubAccount takes what the provider lists as one of the merchant's own: as a new row, or, with into, as the one that was asked for and
// whose answer was lost. Nothing is sent. A reason is kept.
func (s *Store) AdoptSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id, into, reason string) error {
	reason, err := models.CleanText("reason", reason, 255, true)
	if err != nil {
		return models.FieldErrorf("reason", "Write how you know whose account it is.")
	}
	return s.changeSubAccount(ctx, actor, env, id, func(tx *Tx, a *models.SubAccount) error {
		if a.State != models.SubAccountFound && a.State != models.SubAccountIgnored {
			return models.Errorf(models.Conflict, "It is %q: only what was found in the provider's list can be taken over.", a.State.Word())
		}
		if into != "" {
			return tx.adoptInto(actor, a, into, reason)
		}
		twins, err := tx.subAccountsWhere(`a.environment = ? AND a.username_key = ? AND a.username_key <> '' AND a.credential_id = ? AND a.id <> ?
			AND a.state NOT IN ('refused', 'withdrawn', 'found', 'ignored') LIMIT 1`, env, models.SubAccountKey(a.Username), a.CredentialID, a.ID)
		if err != nil {
			return err
		}
		if len(twins) > 0 {
			return models.Errorf(models.Conflict, "Its username stands on %s, which is %q. Say that it is that one, or settle that one first.", twins[0].Company, twins[0].State.Word())
		}
		was := a.State
		a.State, a.Alert, a.OpenedAt = models.SubAccountOpen, "", tx.Now
		if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "adopted", ActorName: actor.Name, Sentence: "Taken over by " + actor.Name + ": " + reason}); err != nil {
			return err
		}
		return tx.Audit(actor, "sub_account.adopt", "sub_account", a.ID, map[string]any{"state": was}, map[string]any{"state": a.State, "reason": reason},
			fmt.Sprintf("Took over the provider's account %s, %s.", a.TheirID, a.Company))
	})
}

// adoptInto says that a found account is the one that was asked for. The found row keeps its story and gives its id away.
func (tx *Tx) adoptInto(actor models.Actor, found *models.SubAccount, into, reason string) error {
	a, err := tx.subAccount(found.Environment, into)
	if err != nil {
		return err
	}
	if a.CredentialID != found.CredentialID || a.TheirID != "" || !a.State.Sought() || a.State == models.SubAccountSending {
		return models.Errorf(models.Conflict, "%s is %q: only an account whose answer was lost can be the one that was found.", a.Company, a.State.Word())
	}
	theirs := *found
	found.TheirID, found.State, found.Alert, found.Reason = "", models.SubAccountIgnored, "", "It is "+a.Company+"."
	if err := tx.tellSubAccount(found, models.SubAccountEvent{What: "adopted", ActorName: actor.Name, Sentence: "Said to be " + a.Company + ": " + reason}); err != nil {
		return err
	}
	a.TheirID, a.TheirUserID, a.TheirState, a.TheirType, a.ListedAt = theirs.TheirID, theirs.TheirUserID, theirs.TheirState, theirs.TheirType, theirs.ListedAt
	a.State, a.Reason, a.Alert, a.OpenedAt, a.Missed = models.SubAccountOpen, "", "", tx.Now, 0
	if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "matched", ActorName: actor.Name,
		Sentence: fmt.Sprintf("%s says that the provider's account %s is this one: %s", actor.Name, theirs.TheirID, reason)}); err != nil {
		return err
	}
	return tx.Audit(actor, "sub_account.match", "sub_account", a.ID, nil, map[string]any{"their_id": a.TheirID, "found": found.ID, "reason": reason},
		fmt.Sprintf("Said that the provider's account %s is %s.", a.TheirID, a.Company))
}

// IgnoreSubAccount leaves what was found alone.
func (s *Store) IgnoreSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id, reason string) error {
	reason, err := models.CleanText("reason", reason, 255, true)
	if err != nil {
		return models.FieldErrorf("reason", "Write why it is left alone.")
	}
	return s.changeSubAccount(ctx, actor, env, id, func(tx *Tx, a *models.SubAccount) error {
		if a.State != models.SubAccountFound {
			return models.Errorf(models.Conflict, "It is %q: only what waits for review can be left alone.", a.State.Word())
		}
		a.State, a.Alert, a.Reason = models.SubAccountIgnored, "", reason
		if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "ignored", ActorName: actor.Name, Sentence: "Left alone by " + actor.Name + ": " + reason}); err != nil {
			return err
		}
		return tx.Audit(actor, "sub_account.ignore", "sub_account", a.ID, nil, map[string]any{"reason": reason}, fmt.Sprintf("Left the provider's account %s alone.", a.TheirID))
	})
}

// ResendSubAccount asks for an account again that the lists show was not created. It exists only on that evidence, and an admin must agree:
// pending tells that it waits for one. It needs subaccounts.manage and a fresh second factor.
func (s *Store) ResendSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id, reason string) (pending bool, err error) {
	reason, err = models.CleanText("reason", reason, 255, true)
	if err != nil {
		return false, models.FieldErrorf("reason", "Write what convinced you that nothing was created.")
	}
	err = s.changeSubAccount(ctx, actor, env, id, func(tx *Tx, a *models.SubAccount) error {
		if err := actor.RequireStepUp(tx.Now); err != nil {
			return err
		}
		if a.State != models.SubAccountAbsent {
			return models.Errorf(models.Conflict, "It is %q: it can be sent again only when the provider's lists have shown that it was not created.", a.State.Word())
		}
		pending, err = tx.askOrApply(actor, proposed{kind: subAccountResend, subject: a.ID, payload: resendPayload{env, a.Digest, a.CallID, reason},
			sentence: fmt.Sprintf("Send the sub-account for %s (%s) to the provider again: its answer was lost and %d complete lists do not show it. %s", a.Company, a.Username, a.Missed, reason)})
		if err != nil || !pending {
			return err
		}
		return tx.subAccountEvent(a.ID, models.SubAccountEvent{What: "asked", ActorName: actor.Name, Sentence: actor.Name + " asked to send it again; an admin must agree: " + reason})
	})
	return pending, err
}

// applyResend sends an account again, if it still stands where it stood when that was asked for.
func (tx *Tx) applyResend(actor models.Actor, id string, payload []byte) error {
	var p resendPayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("a request to send again: %w", err)
	}
	a, err := tx.subAccount(p.Environment, id)
	if err != nil {
		return err
	}
	if a.State != models.SubAccountAbsent || a.Digest != p.Digest || a.CallID != p.Call {
		return models.Errorf(models.Conflict, "The sub-account for %s is %q now. Nothing was sent.", a.Company, a.State.Word())
	}
	a.State, a.Alone, a.Tries, a.SendAfter, a.Alert, a.Reason = models.SubAccountWaiting, true, 0, tx.Now, "", ""
	if err := tx.tellSubAccount(a, models.SubAccountEvent{What: "resend", ActorName: actor.Name, Sentence: "Sent again, agreed by " + actor.Name + "."}); err != nil {
		return err
	}
	return tx.enqueue(JobSubAccounts, a.CredentialID, tx.Now)
}

// NoteSubAccount keeps what people know of a company.
func (s *Store) NoteSubAccount(ctx context.Context, actor models.Actor, env models.Environment, id, body string) error {
	if err := actor.Require(models.NotesWrite); err != nil {
		return err
	}
	body, err := models.CleanText("note", body, 2000, true)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		a, err := tx.subAccount(env, id)
		if err != nil {
			return err
		}
		if err := tx.Exec("INSERT INTO sub_account_notes (id, sub_account_id, at_us, user_id, user_name, body) VALUES (?,?,?,?,?,?)",
			models.NewID(), a.ID, tx.Now, actor.UserID, actor.Name, body); err != nil {
			return err
		}
		return tx.Audit(actor, "sub_account.note", "sub_account", a.ID, nil, map[string]any{"note": body}, "Added a note to the sub-account of "+a.Company+".")
	})
}

// AskSubAccounts makes the provider's list of a credential due now.
func (s *Store) AskSubAccounts(ctx context.Context, actor models.Actor, env models.Environment, credentialID string) error {
	if err := actor.Require(models.SubAccountsManage); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		if _, _, err := tx.usableCredential(credentialID, env); err != nil {
			return err
		}
		return tx.listSoon(credentialID, tx.Now)
	})
}

// WorkIn remembers in which sub-account a person works in an environment; an empty id is all of them.
func (s *Store) WorkIn(ctx context.Context, actor models.Actor, env models.Environment, id string) (w models.Working, err error) {
	if err := actor.Require(models.TransactionsRead); err != nil {
		return w, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		w = models.Working{}
		if id == "" {
			return tx.Exec("DELETE FROM working_sub_accounts WHERE user_id = ? AND environment = ?", actor.UserID, env)
		}
		a, err := tx.subAccount(env, id)
		if err != nil {
			return err
		}
		if !a.State.Usable() {
			return models.Errorf(models.Conflict, "%s is %q: there is nothing to work in yet.", a.Name, a.State.Word())
		}
		w = models.Working{ID: a.ID, Name: a.Name, Company: a.Company, Provider: a.Provider}
		return tx.Exec(`INSERT INTO working_sub_accounts (user_id, environment, sub_account_id, chosen_us) VALUES (?,?,?,?)
			ON CONFLICT (user_id, environment) DO UPDATE SET sub_account_id = excluded.sub_account_id, chosen_us = excluded.chosen_us`, actor.UserID, env, id, tx.Now)
	})
	return w, err
}

// SubAccountChoices are the sub-accounts that the switch at the top offers: the newest that exist, by name; search is by the beginning.
func (s *Store) SubAccountChoices(ctx context.Context, actor models.Actor, env models.Environment, limit int) (list []models.Working, err error) {
	if !actor.Can(models.TransactionsRead) {
		return nil, nil
	}
	err = s.View(ctx, func(tx *Tx) error {
		list = nil
		half := func(state string) string {
			return "SELECT id, name, company, provider, created_us FROM (SELECT id, name, company, provider, created_us FROM sub_accounts WHERE environment = ? AND state = '" + state +
				"' ORDER BY created_us DESC, id DESC LIMIT " + limited(limit) + ") " + state + "s"
		}
		return tx.Each(func(r *sql.Rows) error {
			var w models.Working
			var at int64
			err := r.Scan(&w.ID, &w.Name, &w.Company, &w.Provider, &at)
			list = append(list, w)
			return err
		}, strings.Join([]string{half("open"), half("own")}, " UNION ALL ")+" ORDER BY created_us DESC, id DESC LIMIT "+limited(limit), env, env)
	})
	return list, err
}
