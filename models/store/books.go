package store

import (
	"context"
	"database/sql"
	"time"

	"countinghouse/models"
)

// bookLooks are the moments, after an answer was lost, at which the book is read to find out what happened. What is not in it then is for a person
// to decide: nothing is added a second time by itself.
var bookLooks = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// bookTries is how often a write of which no byte left is tried again.
const bookTries = 6

const entryColumns = `e.id, e.destination_id, e.credential_id, COALESCE(c.name, ''), e.provider, e.environment, e.book, e.entry_id, e.state, e.operation, e.usable, e.word, e.says, e.differs,
	e.due_us, e.seen_us, e.changed_us`

const entryFrom = " FROM book_entries e LEFT JOIN credentials c ON c.id = e.credential_id"

func scanEntry(r scanner) (e models.BookEntry, err error) {
	err = r.Scan(&e.ID, &e.DestinationID, &e.CredentialID, &e.Credential, &e.Provider, &e.Environment, &e.Book, &e.EntryID, &e.State, &e.Operation, &e.Usable, &e.Word, &e.Says, &e.Differs,
		&e.Due, &e.SeenAt, &e.ChangedAt)
	return e, err
}

func (tx *Tx) entriesOf(destinationID string) (out []models.BookEntry, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		e, err := scanEntry(r)
		out = append(out, e)
		return err
	}, "SELECT "+entryColumns+entryFrom+" WHERE e.destination_id = ? ORDER BY e.id", destinationID)
	return out, err
}

func (tx *Tx) bookEntry(id string) (models.BookEntry, error) {
	e, err := scanEntry(tx.QueryRow("SELECT "+entryColumns+entryFrom+" WHERE e.id = ?", id))
	if IsNoRow(err) {
		return e, models.Errorf(models.NotFound, "There is no such entry.")
	}
	return e, err
}

func (tx *Tx) bookAttempts(entryID string) (out []models.BookAttempt, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var x models.BookAttempt
		err := r.Scan(&x.ID, &x.EntryID, &x.Number, &x.Operation, &x.Reference, &x.State, &x.StartedAt, &x.FinishedAt, &x.Code, &x.Message, &x.ByName, &x.ExchangeID)
		out = append(out, x)
		return err
	}, "SELECT id, entry_id, number, operation, reference, state, started_us, finished_us, code, message, by_name, exchange_id FROM book_attempts WHERE entry_id = ? ORDER BY number DESC LIMIT 20", entryID)
	return out, err
}

// planEntries notes in which books a new destination shall stand once it is approved. One that was adopted stands there already.
func (tx *Tx) planEntries(a models.Actor, d *models.Destination, n NewDestination) error {
	for _, r := range n.Register {
		provider, _, err := tx.usableCredential(r.CredentialID, d.Environment)
		if err != nil {
			return err
		}
		if err := tx.Exec("INSERT INTO book_entries (id, destination_id, credential_id, provider, environment, book, state, asked_by, changed_us) VALUES (?,?,?,?,?,?,?,?,?)",
			models.NewID(), d.ID, r.CredentialID, provider, d.Environment, r.Book, models.BookPlanned, a.Name, tx.Now); err != nil {
			return err
		}
	}
	return nil
}

// startEntries brings the planned entries of an approved destination on their way.
func (tx *Tx) startEntries(d *models.Destination, by string) error {
	list, err := tx.entriesOf(d.ID)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.State == models.BookPlanned {
			if err := tx.wantEntry(e.ID, models.BookToAdd, by, tx.Now); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantEntry writes down what shall happen to an entry and wakes the task.
func (tx *Tx) wantEntry(id string, state models.BookState, by string, at models.Micros) error {
	if err := tx.Exec("UPDATE book_entries SET state = ?, due_us = ?, asked_by = ?, says = '', problem = ?, looks = 0, changed_us = ? WHERE id = ?", state, max(at, 1), by, false, tx.Now, id); err != nil {
		return err
	}
	return tx.enqueue(JobBook, id, at)
}

// removeEntries takes a destination out of the books at a moment: at once when it is revoked, later when it is superseded. What stands in no book is
// forgotten. What is on its way is removed once its answer is known.
func (tx *Tx) removeEntries(destinationID string, at models.Micros, by string) error {
	list, err := tx.entriesOf(destinationID)
	if err != nil {
		return err
	}
	for _, e := range list {
		switch e.State {
		case models.BookListed:
			err = tx.wantEntry(e.ID, models.BookToRemove, by, at)
		case models.BookMissing: // there is nothing to remove; should it appear in their list after all, it waits for a person there
			if at <= tx.Now {
				err = tx.Exec("UPDATE book_entries SET state = ?, due_us = 0, problem = ?, changed_us = ? WHERE id = ?", models.BookGone, false, tx.Now, e.ID)
			}
		case models.BookPlanned, models.BookToAdd, models.BookRefused, models.BookToEdit:
			if e.EntryID != "" {
				err = tx.wantEntry(e.ID, models.BookToRemove, by, at)
				break
			}
			if at <= tx.Now {
				err = tx.Exec("UPDATE book_entries SET state = ?, due_us = 0, problem = ?, changed_us = ? WHERE id = ?", models.BookGone, false, tx.Now, e.ID)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// releaseEntries lets go of what stood in a book before its destination was adopted: it was never approved, so it is not removed there but waits for a
// person again.
func (tx *Tx) releaseEntries(destinationID string) error {
	list, err := tx.entriesOf(destinationID)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := tx.Exec("UPDATE book_entries SET state = ?, due_us = 0, problem = ?, changed_us = ? WHERE id = ?", models.BookGone, false, tx.Now, e.ID); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE book_lines SET decision = '', our_entry = '', problem = ? WHERE our_entry = ? AND gone_us = 0", true, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// keepEntries takes back a removal whose time has not come.
func (tx *Tx) keepEntries(destinationID string) error {
	return tx.Exec("UPDATE book_entries SET state = ?, due_us = 0, changed_us = ? WHERE destination_id = ? AND state = ?", models.BookListed, tx.Now, destinationID, models.BookToRemove)
}

// usableEntry gives the id under which a destination stands in the book of a credential, or says why it cannot be paid through it.
func (tx *Tx) usableEntry(d *models.Destination, credentialID string) (string, error) {
	e, err := scanEntry(tx.QueryRow("SELECT "+entryColumns+entryFrom+" WHERE e.destination_id = ? AND e.credential_id = ?", d.ID, credentialID))
	switch {
	case IsNoRow(err):
		return "", models.FieldErrorf("destination", "The destination %s is not registered at the provider of this credential. Register it on its page first.", d.Name)
	case err != nil:
		return "", err
	case e.State == models.BookToRemove && e.Due > tx.Now && e.EntryID != "": // superseded later: until then it stays
	case e.State != models.BookListed:
		return "", models.FieldErrorf("destination", "The destination %s cannot be paid by %s yet: in its book it is “%s”.", d.Name, e.Credential, e.State.Word())
	case !e.Usable:
		return "", models.FieldErrorf("destination", "The destination %s stands in the book of %s, which calls it %q: it cannot be paid yet.", d.Name, e.Credential, e.Word)
	case e.Differs:
		return "", models.FieldErrorf("destination", "The destination %s is not what the book of %s says. Settle the difference on its page first.", d.Name, e.Credential)
	}
	return e.EntryID, nil
}

// RegisterDestination puts an approved destination into the book of a credential, or tries again after a refusal or after the book was read and does not
// have it. It needs destinations.create or destinations.approve, and a second try after a lost answer a fresh second factor.
func (s *Store) RegisterDestination(ctx context.Context, a models.Actor, env models.Environment, id string, at RegisterAt) error {
	if !maySeeDestinations(a) {
		return a.Require(models.DestinationsCreate)
	}
	return s.Update(ctx, func(tx *Tx) error {
		d, err := tx.lockDestination(id, env)
		if err != nil {
			return err
		}
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		if st := d.StateAt(tx.Now, g); st != models.DestinationUsable && st != models.DestinationCooling {
			return models.Errorf(models.Conflict, "Only an approved destination is registered; this one is %q.", st.Word())
		}
		e, err := scanEntry(tx.QueryRow("SELECT "+entryColumns+entryFrom+" WHERE e.destination_id = ? AND e.credential_id = ?"+tx.lockOf("e"), d.ID, at.CredentialID))
		switch {
		case IsNoRow(err):
			if err := tx.planEntries(a, d, NewDestination{Register: []RegisterAt{at}}); err != nil {
				return err
			}
			if err := tx.startEntries(d, a.Name); err != nil {
				return err
			}
		case err != nil:
			return err
		case e.State == models.BookMissing:
			if err := a.RequireStepUp(tx.Now); err != nil {
				return err
			}
			fallthrough
		case e.State == models.BookRefused || e.State == models.BookGone:
			// What it was called there before is over: its new entry is recognised by its place, and gets a number of its own.
			if err := tx.Exec("UPDATE book_entries SET entry_id = '', usable = ?, differs = ? WHERE id = ?", false, false, e.ID); err != nil {
				return err
			}
			if err := tx.wantEntry(e.ID, models.BookToAdd, a.Name, tx.Now); err != nil {
				return err
			}
		default:
			return models.Errorf(models.Conflict, "In that book it is “%s” already.", e.State.Word())
		}
		return tx.Audit(a, "destination.register", "destination", d.ID, nil, map[string]any{"credential": at.CredentialID, "book": at.Book}, "Asked for the destination "+d.Name+" to be registered.")
	})
}

// lockOf locks the row of one table of a join.
func (tx *Tx) lockOf(alias string) string {
	if tx.Store.Engine == Postgres {
		return " FOR UPDATE OF " + alias
	}
	return ""
}

// PushDestination makes the provider's side of a difference ours again: the entry is changed there. It needs destinations.approve and a fresh second
// factor.
func (s *Store) PushDestination(ctx context.Context, a models.Actor, env models.Environment, entryID string) error {
	if err := a.Require(models.DestinationsApprove); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.RequireStepUp(tx.Now); err != nil {
			return err
		}
		e, err := tx.bookEntry(entryID)
		if err != nil {
			return err
		}
		if e.Environment != env || !e.Differs || e.State != models.BookListed {
			return models.Errorf(models.Conflict, "There is no difference to settle.")
		}
		if err := tx.wantEntry(e.ID, models.BookToEdit, a.Name, tx.Now); err != nil {
			return err
		}
		return tx.Audit(a, "destination.push", "destination", e.DestinationID, nil, map[string]any{"entry": e.ID}, "Asked for an entry in a provider's book to be changed to what we have.")
	})
}
