package store

import (
	"context"
	"database/sql"
	"fmt"

	"countinghouse/models"
)

const subAccountColumns = `a.id, a.environment, a.provider, a.credential_id, a.their_id, a.their_user_id, a.their_state, a.their_type, a.name, a.company,
	a.country, a.type, a.email, a.username, a.state, a.reason, a.alert, a.batch_id, a.batch_row, a.call_id, a.digest, a.alone, a.tries, a.missed,
	a.send_after_us, a.sent_us, a.answered_us, a.opened_us, a.listed_us, a.created_us, a.created_by, a.created_by_name, a.updated_us, a.version`

func scanSubAccount(r scanner) (*models.SubAccount, error) {
	a := new(models.SubAccount)
	var alone int64
	err := r.Scan(&a.ID, &a.Environment, &a.Provider, &a.CredentialID, &a.TheirID, &a.TheirUserID, &a.TheirState, &a.TheirType, &a.Name, &a.Company,
		&a.Country, &a.Type, &a.Email, &a.Username, &a.State, &a.Reason, &a.Alert, &a.BatchID, &a.BatchRow, &a.CallID, &a.Digest, &alone, &a.Tries, &a.Missed,
		&a.SendAfter, &a.SentAt, &a.AnsweredAt, &a.OpenedAt, &a.ListedAt, &a.CreatedAt, &a.CreatedBy, &a.CreatedName, &a.UpdatedAt, &a.Version)
	a.Alone = alone != 0
	return a, err
}

// subAccountsWhere reads sub-accounts; the condition names its columns with a.
func (tx *Tx) subAccountsWhere(where string, args ...any) (list []models.SubAccount, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		a, err := scanSubAccount(r)
		if err == nil {
			list = append(list, *a)
		}
		return err
	}, "SELECT "+subAccountColumns+" FROM sub_accounts a WHERE "+where, args...)
	return list, err
}

// subAccount reads one and locks it for the rest of a write transaction. One of the other environment is not found.
func (tx *Tx) subAccount(env models.Environment, id string) (*models.SubAccount, error) {
	a, err := scanSubAccount(tx.QueryRow("SELECT "+subAccountColumns+" FROM sub_accounts a WHERE a.id = ? AND a.environment = ?"+tx.ForUpdate(), id, env))
	if IsNoRow(err) {
		return nil, models.Errorf(models.NotFound, "There is no such sub-account.")
	}
	return a, err
}

// insertSubAccount writes a new row and its first event. It gives Conflict when the username was asked for already.
func (tx *Tx) insertSubAccount(a *models.SubAccount, e models.SubAccountEvent) error {
	a.CreatedAt, a.UpdatedAt, a.Version = tx.Now, tx.Now, 1
	n, err := tx.Change(`INSERT INTO sub_accounts (id, environment, provider, credential_id, their_id, their_user_id, their_state, their_type, name, name_key,
		company, company_key, country, type, email, username, username_key, state, reason, alert, batch_id, batch_row, digest, opened_us, listed_us,
		created_us, created_by, created_by_name, updated_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		a.ID, a.Environment, a.Provider, a.CredentialID, a.TheirID, a.TheirUserID, a.TheirState, a.TheirType, a.Name, models.SubAccountKey(a.Name),
		a.Company, models.SubAccountKey(a.Company), a.Country, a.Type, a.Email, a.Username, models.SubAccountKey(a.Username), a.State, a.Reason, a.Alert,
		a.BatchID, a.BatchRow, a.Digest, a.OpenedAt, a.ListedAt, a.CreatedAt, a.CreatedBy, a.CreatedName, a.UpdatedAt)
	if err != nil {
		return fmt.Errorf("insert the sub-account: %w", err)
	}
	if n == 0 {
		return models.FieldErrorf("username", "The username %s stands on another sub-account of this credential already.", a.Username)
	}
	return tx.subAccountEvent(a.ID, e)
}

// saveSubAccount writes what may change after the insert; version guards against a writer that saw an older row.
func (tx *Tx) saveSubAccount(a *models.SubAccount) error {
	a.UpdatedAt = tx.Now
	alone := 0
	if a.Alone {
		alone = 1
	}
	n, err := tx.Change(`UPDATE sub_accounts SET their_id=?, their_user_id=?, their_state=?, their_type=?, name=?, name_key=?, state=?, reason=?, alert=?, call_id=?,
		alone=?, tries=?, missed=?, send_after_us=?, sent_us=?, answered_us=?, opened_us=?, listed_us=?, updated_us=?, version=version+1 WHERE id = ? AND version = ?`,
		a.TheirID, a.TheirUserID, a.TheirState, a.TheirType, a.Name, models.SubAccountKey(a.Name), a.State, a.Reason, a.Alert, a.CallID, alone, a.Tries, a.Missed,
		a.SendAfter, a.SentAt, a.AnsweredAt, a.OpenedAt, a.ListedAt, a.UpdatedAt, a.ID, a.Version)
	if err != nil {
		return fmt.Errorf("update the sub-account: %w", err)
	}
	if n != 1 {
		return models.Errorf(models.Conflict, "Somebody changed this sub-account at the same moment. Look at it again.")
	}
	a.Version++
	return nil
}

func (tx *Tx) subAccountEvent(id string, e models.SubAccountEvent) error {
	return tx.Exec("INSERT INTO sub_account_events (id, sub_account_id, at_us, what, sentence, actor_name, call_id, exchange_id) VALUES (?,?,?,?,?,?,?,?)",
		models.NewID(), id, tx.Now, e.What, clean(e.Sentence), clean(e.ActorName), e.CallID, e.ExchangeID)
}

// mayReadSubAccounts: whoever reads transactions meets sub-accounts in them; compliance and KYB work with them.
func mayReadSubAccounts(a models.Actor) error {
	if a.Can(models.SubAccountsManage) || a.Can(models.KYBRead) {
		return nil
	}
	return a.Require(models.TransactionsRead)
}

// NewSubAccount is what a person asks for.
type NewSubAccount struct {
	ID           string // made when the form was first shown: a second submit of the same form finds the first
	Environment  models.Environment
	CredentialID string
	Asked        bool // the provider has calls for sub-accounts; otherwise this is our own record
	Spec         models.SubAccountSpec
}

// CreateSubAccount writes a sub-account down; one that the provider is asked for is handed to the sender. It needs subaccounts.manage. No
// second person has to agree (docs/decisions.md). Submitting the same id again gives the first one back.
func (s *Store) CreateSubAccount(ctx context.Context, actor models.Actor, n NewSubAccount) (a *models.SubAccount, err error) {
	if err := actor.Require(models.SubAccountsManage); err != nil {
		return nil, err
	}
	spec, problems := n.Spec.Clean(n.Asked)
	if len(problems) > 0 {
		return nil, models.Problems(problems)
	}
	err = s.Update(ctx, func(tx *Tx) error {
		old, err := scanSubAccount(tx.QueryRow("SELECT "+subAccountColumns+" FROM sub_accounts a WHERE a.id = ?", n.ID))
		switch {
		case err == nil && old.CreatedBy != actor.UserID:
			return models.Errorf(models.Conflict, "This form belongs to somebody else.")
		case err == nil:
			a = old
			return nil
		case !IsNoRow(err):
			return err
		}
		provider, _, err := tx.usableCredential(n.CredentialID, n.Environment)
		if err != nil {
			return err
		}
		a = newSubAccount(actor, n.ID, n.Environment, provider, n.CredentialID, n.Asked, spec)
		if err := tx.unlisted(a); err != nil {
			return err
		}
		if err := tx.insertSubAccount(a, models.SubAccountEvent{What: "created", ActorName: actor.Name, Sentence: "Written down by " + actor.Name}); err != nil {
			return err
		}
		if n.Asked {
			if err := tx.enqueue(JobSubAccounts, a.CredentialID, tx.Now); err != nil {
				return err
			}
		}
		return tx.Audit(actor, "sub_account.create", "sub_account", a.ID, nil, spec, fmt.Sprintf("Asked for a sub-account for %s.", a.Company))
	})
	return a, err
}

func newSubAccount(actor models.Actor, id string, env models.Environment, provider, credentialID string, asked bool, spec models.SubAccountSpec) *models.SubAccount {
	a := &models.SubAccount{ID: id, Environment: env, Provider: provider, CredentialID: credentialID, Name: spec.Name, Company: spec.Company, Country: spec.Country,
		Type: spec.Type, Email: spec.Email, Username: spec.Username, State: models.SubAccountWaiting, Digest: spec.Digest(), CreatedBy: actor.UserID, CreatedName: actor.Name}
	if !asked {
		a.State = models.SubAccountOwn
	}
	return a
}

// unlisted refuses a username that the provider's own list carries: creating it again would be refused there, or make a second one.
func (tx *Tx) unlisted(a *models.SubAccount) error {
	if a.Username == "" {
		return nil
	}
	twins, err := tx.subAccountsWhere("a.environment = ? AND a.username_key = ? AND a.credential_id = ? AND a.state IN ('found', 'ignored') LIMIT 1",
		a.Environment, models.SubAccountKey(a.Username), a.CredentialID)
	if err == nil && len(twins) > 0 {
		return models.FieldErrorf("username", "The provider lists the username %s already, as %s (its id %s). Look at that one under “To review” instead of creating a second.",
			a.Username, twins[0].Company, twins[0].TheirID)
	}
	return err
}

// SubAccountByID gives one sub-account without its story, for people and pages that name it: KYB, transactions, the switch at the top.
func (s *Store) SubAccountByID(ctx context.Context, actor models.Actor, env models.Environment, id string) (a *models.SubAccount, err error) {
	if err := mayReadSubAccounts(actor); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		a, err = scanSubAccount(q.QueryRow("SELECT "+subAccountColumns+" FROM sub_accounts a WHERE a.id = ? AND a.environment = ?", id, env))
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such sub-account.")
		}
		return err
	})
	return a, err
}

// SubAccountForTask gives one sub-account to a task, which holds no permission.
func (s *Store) SubAccountForTask(ctx context.Context, id string) (a *models.SubAccount, err error) {
	err = s.View(ctx, func(q *Tx) error {
		a, err = scanSubAccount(q.QueryRow("SELECT "+subAccountColumns+" FROM sub_accounts a WHERE a.id = ?", id))
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such sub-account.")
		}
		return err
	})
	return a, err
}

// checkSubAccount holds a new transaction to its sub-account: it must exist, in this environment, at this provider.
func (tx *Tx) checkSubAccount(t *models.Transaction) error {
	if t.SubAccount == "" {
		return nil
	}
	var name, provider string
	var state models.SubAccountState
	err := tx.QueryRow("SELECT name, provider, state FROM sub_accounts WHERE id = ? AND environment = ?", t.SubAccount, t.Environment).Scan(&name, &provider, &state)
	switch {
	case IsNoRow(err):
		return models.Errorf(models.Conflict, "There is no such sub-account in %s.", t.Environment)
	case err != nil:
		return err
	case !state.Usable():
		return models.Errorf(models.Conflict, "The sub-account %s is %q; nothing can be made for it yet.", name, state.Word())
	case provider != t.Provider:
		return models.Errorf(models.Conflict, "The sub-account %s is at another provider than this credential.", name)
	}
	return nil
}
