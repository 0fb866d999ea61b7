package store

import (
	"context"
	"database/sql"
	"fmt"

	"countinghouse/models"
)

const linkColumns = `l.id, l.case_id, l.environment, l.provider, l.credential_id, COALESCE(c.name, ''), l.account, l.sub_account_id, l.standing, l.word, l.word_note, l.word_us, l.opened_us`

func scanLink(r scanner) (l models.KYBLink, err error) {
	err = r.Scan(&l.ID, &l.CaseID, &l.Environment, &l.Provider, &l.CredentialID, &l.Credential, &l.Account, &l.SubAccountID, &l.Standing, &l.Word, &l.WordNote, &l.WordAt, &l.OpenedAt)
	return l, err
}

func (tx *Tx) linksWhere(where string, args ...any) (out []models.KYBLink, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		l, err := scanLink(r)
		out = append(out, l)
		return err
	}, "SELECT "+linkColumns+" FROM kyb_links l LEFT JOIN credentials c ON c.id = l.credential_id WHERE "+where, args...)
	return out, err
}

func (tx *Tx) kybLinks(caseID string) ([]models.KYBLink, error) {
	return tx.linksWhere("l.case_id = ? ORDER BY l.opened_us, l.id", caseID)
}

func (tx *Tx) kybLink(caseID, id string) (models.KYBLink, error) {
	list, err := tx.linksWhere("l.id = ? AND l.case_id = ?", id, caseID)
	if err == nil && len(list) == 0 {
		return models.KYBLink{}, models.Errorf(models.NotFound, "There is no such account on this case.")
	}
	if err != nil {
		return models.KYBLink{}, err
	}
	return list[0], nil
}

// LinkKYB says that a company's documents are for an account at a provider. An account belongs to one case. Permission kyb.manage.
func (s *Store) LinkKYB(ctx context.Context, a models.Actor, env models.Environment, caseID, credentialID, account string) (l models.KYBLink, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		c, err := tx.kybCase(env, caseID)
		if err != nil {
			return err
		}
		if account, err = models.CleanText("account", account, 64, true); err != nil {
			return err
		}
		l = models.KYBLink{ID: models.NewID(), CaseID: caseID, Environment: env, CredentialID: credentialID, Account: account, Standing: models.KYBNone, OpenedAt: tx.Now}
		err = tx.QueryRow("SELECT provider, name FROM credentials WHERE id = ? AND environment = ? AND state <> 'revoked'", credentialID, env).Scan(&l.Provider, &l.Credential)
		if IsNoRow(err) {
			return models.FieldErrorf("credential", "There is no such credential in this environment.")
		}
		if err != nil {
			return err
		}
		// Where we have a record of the account, the case belongs to it: by its own id or by the provider's.
		err = tx.QueryRow("SELECT id, their_id FROM sub_accounts WHERE credential_id = ? AND environment = ? AND (their_id = ? OR id = ?) AND their_id <> ''",
			credentialID, env, account, account).Scan(&l.SubAccountID, &l.Account)
		if err != nil && !IsNoRow(err) {
			return err
		}
		rules, ok := s.rulesOf(l.Provider)
		if !ok {
			return models.FieldErrorf("credential", "This provider takes no documents from this program.")
		}
		return tx.insertLink(a, c, l, rules.Title)
	})
	return l, err
}

func (tx *Tx) insertLink(a models.Actor, c models.KYBCase, l models.KYBLink, title string) error {
	n, err := tx.Change(`INSERT INTO kyb_links (id, case_id, environment, provider, credential_id, account, sub_account_id, standing, word, word_note, word_us, opened_us, created_by)
		VALUES (?,?,?,?,?,?,?,?,'','',0,?,?) ON CONFLICT DO NOTHING`, l.ID, l.CaseID, l.Environment, l.Provider, l.CredentialID, l.Account, l.SubAccountID, l.Standing, l.OpenedAt, a.UserID)
	if err != nil {
		return err
	}
	if n == 0 {
		return models.FieldErrorf("account", "This account belongs to a case already.")
	}
	if err := tx.refreshCase(c.ID); err != nil {
		return err
	}
	sentence := fmt.Sprintf("Account %s at %s belongs to %s.", l.Account, title, c.Company)
	if err := tx.kybEvent(c.ID, a, "linked", sentence); err != nil {
		return err
	}
	return tx.Audit(a, "kyb.link", "kyb_case", c.ID, nil, map[string]string{"credential": l.CredentialID, "account": l.Account}, sentence)
}

// KYBAccountChoices lists our sub-accounts that no case has yet, by name, so that one can be chosen for a case. Permission kyb.manage.
func (s *Store) KYBAccountChoices(ctx context.Context, a models.Actor, env models.Environment, company string, limit int) (list []models.SubAccount, err error) {
	if err := a.Require(models.KYBManage); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) (err error) {
		list, err = tx.subAccountsWhere(`a.environment = ? AND a.their_id <> '' AND a.state NOT IN ('ignored', 'withdrawn', 'refused')
			AND NOT EXISTS (SELECT 1 FROM kyb_links l WHERE l.credential_id = a.credential_id AND l.account = a.their_id)
			ORDER BY CASE WHEN a.company_key = ? THEN 0 ELSE 1 END, a.created_us DESC, a.id DESC LIMIT ?`, env, models.SubAccountKey(company), limit)
		return err
	})
	return list, err
}

// KYBOfAccount finds the case of a sub-account; empty when there is none. Permission kyb.read.
func (s *Store) KYBOfAccount(ctx context.Context, a models.Actor, env models.Environment, subAccountID string) (c models.KYBCase, found bool, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return c, false, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		c, err = scanCase(tx.QueryRow("SELECT "+caseColumns+` FROM kyb_cases WHERE environment = ? AND id IN (SELECT l.case_id FROM kyb_links l JOIN sub_accounts a
			ON a.credential_id = l.credential_id AND a.their_id = l.account WHERE a.id = ? AND a.their_id <> '')`, env, subAccountID))
		if found = err == nil; IsNoRow(err) {
			return nil
		}
		return err
	})
	return c, found, err
}

// UnlinkKYB takes an account away from a case while nothing was ever handed over for it. Permission kyb.manage.
func (s *Store) UnlinkKYB(ctx context.Context, a models.Actor, env models.Environment, caseID, linkID string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		if _, err := tx.kybCase(env, caseID); err != nil {
			return err
		}
		l, err := tx.kybLink(caseID, linkID)
		if err != nil {
			return err
		}
		var used bool
		if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM kyb_submissions WHERE link_id = ?)", linkID).Scan(&used); err != nil {
			return err
		}
		if used {
			return models.Errorf(models.Conflict, "Documents were prepared for this account, so it stays on the case.")
		}
		if err := tx.Exec("DELETE FROM kyb_links WHERE id = ?", linkID); err != nil {
			return err
		}
		if err := tx.refreshCase(caseID); err != nil {
			return err
		}
		if err := tx.kybEvent(caseID, a, "unlinked", "Account "+l.Account+" taken off the case"); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.unlink", "kyb_case", caseID, map[string]string{"account": l.Account}, nil, "Took account "+l.Account+" off a KYB case.")
	})
}
