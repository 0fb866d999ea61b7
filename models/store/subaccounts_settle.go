package store

import (
	"context"
	"fmt"
	"time"

	"countinghouse/models"
)

// lostFromList is the alert of an account that the provider showed once and does not show any more.
const lostFromList = "The provider's list no longer shows it."

// RecordSubAccountList settles what a reading of the provider's own list says: what was asked for and appears is open, what never appears in
// complete lists was not created, what nobody here knows waits for review. It belongs to a task and needs no permission.
func (s *Store) RecordSubAccountList(ctx context.Context, credentialID string, l models.SubAccountListing) error {
	return s.Update(ctx, func(tx *Tx) error {
		m := matching{tx: tx, listing: l, known: map[string]*models.SubAccount{}, sought: map[string]*models.SubAccount{}, seen: map[string]bool{}, names: map[string]bool{}}
		if err := tx.QueryRow("SELECT provider, environment FROM credentials WHERE id = ?", credentialID).Scan(&m.provider, &m.env); err != nil {
			return fmt.Errorf("read the credential: %w", err)
		}
		m.credential = credentialID
		if err := m.load(); err != nil {
			return err
		}
		for _, x := range l.Rows {
			if err := m.listed(cleanListed(x)); err != nil {
				return err
			}
		}
		if l.Complete {
			if err := m.unseen(); err != nil {
				return err
			}
		}
		return m.plan()
	})
}

func cleanListed(x models.ListedSubAccount) models.ListedSubAccount {
	for _, f := range []*string{&x.Company, &x.Username, &x.Email, &x.Type, &x.State, &x.Country, &x.UserID} {
		*f = models.Safe(*f, 255)
	}
	x.ID = models.Safe(x.ID, 80)
	return x
}

// matching holds one reading of the list against what is kept here.
type matching struct {
	tx         *Tx
	credential string
	provider   string
	env        models.Environment
	listing    models.SubAccountListing
	known      map[string]*models.SubAccount // by their id
	sought     map[string]*models.SubAccount // by what the list would show of them
	seen       map[string]bool               // their ids in this list
	names      map[string]bool               // usernames of ours that the list has shown under an id that we know
}

// soughtKey is what the list shows of a company: the username where it has one, which is unique among what was asked for.
func soughtKey(username, company, country string) string {
	if username != "" {
		return "u " + models.SubAccountKey(username)
	}
	return "c " + models.SubAccountKey(company) + " " + country
}

func (m *matching) load() error {
	rows, err := m.tx.subAccountsWhere("a.credential_id = ? AND (a.their_id <> '' OR a.state IN ('sending', 'unknown', 'accepted', 'absent'))"+m.tx.ForUpdate(), m.credential)
	for i := range rows {
		a := &rows[i]
		if a.TheirID != "" {
			m.known[a.TheirID] = a
			if a.Username != "" && a.State != models.SubAccountFound && a.State != models.SubAccountIgnored {
				m.names[models.SubAccountKey(a.Username)] = true
			}
		} else {
			m.sought[soughtKey(a.Username, a.Company, a.Country)] = a
		}
	}
	return err
}

// listed takes one row of the list.
func (m *matching) listed(x models.ListedSubAccount) error {
	if x.ID == "" || m.seen[x.ID] {
		return nil // a row without an id says nothing; the same id twice says it once
	}
	m.seen[x.ID] = true
	if a := m.known[x.ID]; a != nil {
		return m.again(a, x)
	}
	key := soughtKey(x.Username, x.Company, x.Country)
	a := m.sought[key]
	if a == nil {
		return m.foreign(x, "")
	}
	if models.SubAccountKey(a.Company) != models.SubAccountKey(x.Company) || (x.Country != "" && a.Country != x.Country) {
		return m.foreign(x, fmt.Sprintf("It carries the username that was asked for for %s (%s), and another company or country. Look whether it is that one.", a.Company, a.Country))
	}
	delete(m.sought, key)
	if a.Username != "" {
		m.names[models.SubAccountKey(a.Username)] = true
	}
	return m.matched(a, x)
}

// matched opens a row: what was asked for stands in the list under an id that was not there before the call.
func (m *matching) matched(a *models.SubAccount, x models.ListedSubAccount) error {
	was := a.State
	a.TheirID, a.TheirUserID, a.TheirState, a.TheirType = x.ID, x.UserID, x.State, x.Type
	a.State, a.Reason, a.Alert, a.OpenedAt, a.ListedAt, a.Missed = models.SubAccountOpen, "", "", m.tx.Now, m.tx.Now, 0
	e := models.SubAccountEvent{What: "matched", ExchangeID: m.listing.ExchangeID, CallID: a.CallID,
		Sentence: fmt.Sprintf("The provider's list shows it as %s, state %q. It is open.", x.ID, x.State)}
	if was == models.SubAccountUnknown || was == models.SubAccountAbsent {
		e.Sentence = fmt.Sprintf("The lost answer is settled: the provider's list shows it as %s, state %q. It was created once, and it is open.", x.ID, x.State)
	}
	m.known[x.ID] = a
	return m.tx.tellSubAccount(a, e)
}

// again updates what the list says of an account that is known.
func (m *matching) again(a *models.SubAccount, x models.ListedSubAccount) error {
	var e models.SubAccountEvent
	if a.TheirState != x.State || a.TheirType != x.Type {
		e = models.SubAccountEvent{What: "state", ExchangeID: m.listing.ExchangeID, Sentence: fmt.Sprintf("The provider says %q now (was %q).", x.State, a.TheirState)}
		if a.TheirState == x.State {
			e.Sentence = fmt.Sprintf("The provider calls its type %q.", x.Type)
		}
	}
	if a.Alert == lostFromList {
		a.Alert = ""
		e = models.SubAccountEvent{What: "state", ExchangeID: m.listing.ExchangeID, Sentence: "The provider's list shows it again."}
	}
	if other := "The provider now lists it under the name "; models.SubAccountKey(a.Company) != models.SubAccountKey(x.Company) && a.Alert == "" && a.State == models.SubAccountOpen {
		a.Alert = other + models.Safe(x.Company, 120) + "."
		e = models.SubAccountEvent{What: "alert", ExchangeID: m.listing.ExchangeID, Sentence: a.Alert}
	}
	a.TheirState, a.TheirType, a.ListedAt, a.Missed = x.State, x.Type, m.tx.Now, 0
	if e.What == "" {
		return m.tx.saveSubAccount(a)
	}
	return m.tx.tellSubAccount(a, e)
}

// foreign writes down what the provider lists and nobody here asked for.
func (m *matching) foreign(x models.ListedSubAccount, alert string) error {
	if alert == "" && x.Username != "" && m.names[models.SubAccountKey(x.Username)] {
		alert = "The provider lists a second account under the username " + models.Safe(x.Username, 80) + ". One of the two should not be there."
	}
	company := x.Company
	if company == "" {
		company = "Account " + x.ID
	}
	a := &models.SubAccount{ID: models.NewID(), Environment: m.env, Provider: m.provider, CredentialID: m.credential, TheirID: x.ID, TheirUserID: x.UserID, TheirState: x.State,
		TheirType: x.Type, Name: models.Safe(company, 39), Company: company, Country: models.Safe(x.Country, 8), Email: x.Email, Username: x.Username,
		State: models.SubAccountFound, Alert: alert, ListedAt: m.tx.Now, CreatedName: "the provider's list"}
	m.known[x.ID] = a
	return m.tx.insertSubAccount(a, models.SubAccountEvent{What: "found", ExchangeID: m.listing.ExchangeID,
		Sentence: fmt.Sprintf("Found in the provider's list as %s, state %q. It was not made here.", x.ID, x.State)})
}

// unseen counts what a complete list does not show. Only a list that was begun after the call had ended says anything about what it asked for.
func (m *matching) unseen() error {
	for id, a := range m.known {
		if m.seen[id] || a.State != models.SubAccountOpen {
			continue
		}
		a.Missed++
		if a.Missed == 2 && a.Alert == "" {
			a.Alert = lostFromList
			if err := m.tx.tellSubAccount(a, models.SubAccountEvent{What: "alert", Sentence: lostFromList, ExchangeID: m.listing.ExchangeID}); err != nil {
				return err
			}
		} else if err := m.tx.saveSubAccount(a); err != nil {
			return err
		}
	}
	for _, a := range m.sought {
		if a.AnsweredAt == 0 || m.listing.StartedAt < a.AnsweredAt || a.State == models.SubAccountSending || a.State == models.SubAccountAbsent {
			continue
		}
		if err := m.notThere(a); err != nil {
			return err
		}
	}
	return nil
}

// notThere is one more complete list without an account that was asked for.
func (m *matching) notThere(a *models.SubAccount) error {
	a.Missed++
	age := time.Duration(m.listing.StartedAt-a.AnsweredAt) * time.Microsecond
	e := models.SubAccountEvent{What: "list", CallID: a.CallID, ExchangeID: m.listing.ExchangeID,
		Sentence: fmt.Sprintf("The complete list of %d accounts, read %s after the call had ended, does not show it.", len(m.seen), age.Round(time.Second))}
	switch {
	case a.State == models.SubAccountUnknown && a.Missed >= models.AbsentLists && age >= models.AbsentAfter:
		a.State, a.Alert = models.SubAccountAbsent, "It was not created. Send it again, or leave it."
		e.Sentence += fmt.Sprintf(" That is %d lists without it: nothing was created.", a.Missed)
	case a.State == models.SubAccountAccepted && age >= models.UnknownAlarm && a.Alert == "":
		a.Alert = "The provider said yes, and its list does not show it."
	case a.Missed > 6:
		return m.tx.saveSubAccount(a) // the story has said it often enough
	}
	return m.tx.tellSubAccount(a, e)
}

// plan writes down how the reading went and when the next is due.
func (m *matching) plan() error {
	now := m.tx.Now
	next := now.Add(models.SubAccountsListEvery)
	for _, a := range m.sought {
		if a.State == models.SubAccountUnknown || a.State == models.SubAccountAccepted {
			next = min(next, models.NextSubAccountList(now, a.SentAt))
		}
	}
	if !m.listing.Complete {
		next = min(next, now.Add(models.SubAccountsRetry))
		return m.tx.Exec(`INSERT INTO sub_account_lists (credential_id, problem, problem_us, next_us) VALUES (?,?,?,?) ON CONFLICT (credential_id)
			DO UPDATE SET problem = excluded.problem, problem_us = excluded.problem_us, next_us = excluded.next_us`, m.credential, models.Safe(m.listing.Problem, 300), now, next)
	}
	if err := m.tx.Exec(`INSERT INTO sub_account_lists (credential_id, read_us, row_count, next_us) VALUES (?,?,?,?) ON CONFLICT (credential_id)
		DO UPDATE SET read_us = excluded.read_us, row_count = excluded.row_count, problem = '', next_us = excluded.next_us`, m.credential, m.listing.StartedAt, len(m.seen), next); err != nil {
		return err
	}
	return m.tx.enqueue(JobSubAccounts, m.credential, next)
}
