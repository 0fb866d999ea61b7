package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"countinghouse/models"
)

// BookOrder is everything the task needs to make one write, or to look.
type BookOrder struct {
	Attempt     models.BookAttempt
	Entry       models.BookEntry
	Destination models.Destination // with its values
	Theirs      map[string]string  // their values as last read
	Look        bool               // nothing is written: the book is read to settle a lost answer
}

// bookOperations are the writes that the intents ask for.
var bookOperations = map[models.BookState]models.BookOperation{models.BookToAdd: models.BookAdd, models.BookToEdit: models.BookEdit, models.BookToRemove: models.BookRemove}

// BeginBook commits the intent to write into a provider's book, before the first byte leaves: an open attempt with its request id. It gives nil when
// there is nothing to do, and an order to look when an answer was lost.
func (s *Store) BeginBook(ctx context.Context, entryID, instance string) (*BookOrder, error) {
	var o *BookOrder
	err := s.Update(ctx, func(tx *Tx) error {
		o = nil
		e, err := tx.bookEntry(entryID)
		if err != nil {
			return err
		}
		if e.Due == 0 || e.Due > tx.Now {
			return nil
		}
		d, err := tx.destination(e.DestinationID)
		if err != nil {
			return err
		}
		if err := tx.openContents(d); models.Is(err, models.Conflict) || models.Is(err, models.Unavailable) { // changed behind our back: nothing of it is sent
			return tx.Exec("UPDATE book_entries SET due_us = 0, problem = ?, says = ?, changed_us = ? WHERE id = ?", true, models.Safe(sentenceOfError(err), 300), tx.Now, e.ID)
		} else if err != nil {
			return err
		}
		order := BookOrder{Entry: e, Destination: *d}
		if order.Theirs, err = tx.theirValues(e); err != nil {
			return err
		}
		if e.State == models.BookAsking || e.State == models.BookListed {
			order.Look, o = true, &order
			return nil
		}
		op, ok := bookOperations[e.State]
		if !ok {
			return nil
		}
		if op != models.BookRemove && d.Stored != models.DestinationApproved { // revoked between the wish and the write
			return tx.Exec("UPDATE book_entries SET state = ?, due_us = 0, says = 'Not sent: the destination is not approved any more.', changed_us = ? WHERE id = ?", models.BookGone, tx.Now, e.ID)
		}
		if order.Attempt, err = tx.openBookAttempt(e, op, d.Digest, instance); err != nil {
			return err
		}
		o = &order
		return tx.Exec("UPDATE book_entries SET state = ?, operation = ?, due_us = 0, changed_us = ? WHERE id = ?", models.BookSending, op, tx.Now, e.ID)
	})
	if models.Is(err, models.Conflict) {
		return nil, nil //nolint:nilnil // somebody else is at it: there is nothing to do
	}
	return o, err
}

func (tx *Tx) openBookAttempt(e models.BookEntry, op models.BookOperation, digest, instance string) (models.BookAttempt, error) {
	var last int
	var by string
	if err := tx.QueryRow("SELECT COALESCE(MAX(number), 0) FROM book_attempts WHERE entry_id = ?", e.ID).Scan(&last); err != nil {
		return models.BookAttempt{}, err
	}
	if err := tx.QueryRow("SELECT asked_by FROM book_entries WHERE id = ?", e.ID).Scan(&by); err != nil {
		return models.BookAttempt{}, err
	}
	x := models.BookAttempt{ID: models.NewID(), EntryID: e.ID, Number: last + 1, Operation: op, Reference: models.NewReference(), State: models.AttemptOpen, StartedAt: tx.Now, ByName: by}
	n, err := tx.Change(`INSERT INTO book_attempts (id, entry_id, number, operation, reference, digest, state, started_us, deadline_us, by_name, instance) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		x.ID, x.EntryID, x.Number, x.Operation, x.Reference, digest, x.State, x.StartedAt, tx.Now.Add(attemptTime), by, instance)
	if err == nil && n == 0 {
		err = models.Errorf(models.Conflict, "Something is being written for this entry already.")
	}
	return x, err
}

func (tx *Tx) theirValues(e models.BookEntry) (map[string]string, error) {
	if e.EntryID == "" {
		return nil, nil //nolint:nilnil // nothing of theirs is known: an empty map would say the same
	}
	var id string
	var sealed []byte
	err := tx.QueryRow("SELECT id, theirs_sealed FROM book_lines WHERE credential_id = ? AND book = ? AND entry_id = ?", e.CredentialID, e.Book, e.EntryID).Scan(&id, &sealed)
	if IsNoRow(err) {
		return nil, nil //nolint:nilnil // their list was not read yet
	}
	if err != nil {
		return nil, err
	}
	c, err := tx.openLine(id, sealed)
	return c.Values, err
}

func (tx *Tx) openLine(id string, sealed []byte) (c contents, err error) {
	plain, err := tx.Store.unseal(tx.ctx, "book_lines", id, "theirs_sealed", sealed)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(plain, &c)
}

// BookAnswer is what came of one write.
type BookAnswer struct {
	State      models.AttemptState
	EntryID    string // theirs
	Word       string
	Code       string
	Message    string
	Retryable  bool
	ExchangeID string
}

// RecordBook records the answer to a write in a transaction of its own. A lost answer is settled by reading the book.
func (s *Store) RecordBook(ctx context.Context, attemptID string, ans BookAnswer) error {
	return s.Update(ctx, func(tx *Tx) error {
		var entryID string
		var number int
		var op models.BookOperation
		if err := tx.QueryRow("SELECT entry_id, number, operation FROM book_attempts WHERE id = ?"+tx.ForUpdate(), attemptID).Scan(&entryID, &number, &op); err != nil {
			return err
		}
		n, err := tx.Change("UPDATE book_attempts SET state = ?, finished_us = ?, code = ?, message = ?, exchange_id = ? WHERE id = ? AND state = 'open'",
			ans.State, tx.Now, models.Safe(ans.Code, 60), models.Safe(ans.Message, 300), ans.ExchangeID, attemptID)
		if err != nil {
			return err
		}
		if n == 0 { // it was declared lost meanwhile: the late answer is a reason to look now
			return tx.Exec("UPDATE book_entries SET due_us = ? WHERE id = ? AND state = ?", max(tx.Now, 1), entryID, models.BookAsking)
		}
		return tx.applyBook(entryID, number, op, ans)
	})
}

func (tx *Tx) applyBook(entryID string, number int, op models.BookOperation, ans BookAnswer) error {
	e, err := tx.bookEntry(entryID)
	if err != nil {
		return err
	}
	set := func(state models.BookState, due models.Micros, says string, problem bool) error {
		if state == models.BookRefused { // nobody needs to decide about what is revoked
			d, err := tx.destination(e.DestinationID)
			if err != nil {
				return err
			}
			if d.Stored != models.DestinationApproved {
				state, problem = models.BookGone, false
			}
		}
		if err := tx.Exec("UPDATE book_entries SET state = ?, due_us = ?, says = ?, problem = ?, looks = 0, changed_us = ? WHERE id = ?", state, due, models.Safe(says, 300), problem, tx.Now, e.ID); err != nil {
			return err
		}
		return tx.destinationEvent(e.DestinationID, "book", "", e.Credential+": "+state.Word()+sayMore(says))
	}
	switch {
	case ans.State == models.AttemptAccepted && op == models.BookRemove:
		return set(models.BookGone, 0, "", false)
	case ans.State == models.AttemptAccepted:
		if ans.EntryID == "" && e.EntryID == "" { // the answer names no entry: it is found in their list
			return set(models.BookAsking, tx.Now.Add(bookLooks[0]), "", false)
		}
		if ans.EntryID != "" {
			e.EntryID = ans.EntryID
		}
		// Whether it may be paid is said by their list, which is read next.
		if err := tx.Exec("UPDATE book_entries SET entry_id = ?, word = ?, usable = ?, differs = ? WHERE id = ?", e.EntryID, models.Safe(ans.Word, 60), false, false, e.ID); err != nil {
			return err
		}
		if err := set(models.BookListed, max(tx.Now, 1), "", false); err != nil {
			return err
		}
		return tx.revokedMeanwhile(e)
	case ans.State == models.AttemptRefused && op == models.BookAdd && e.EntryID == "":
		return set(models.BookRefused, 0, ans.Message, true)
	case ans.State == models.AttemptRefused: // what stands there still stands there
		return set(models.BookListed, 0, ans.Message, true)
	case ans.State == models.AttemptNotSent && ans.Retryable && number < bookTries:
		back := map[models.BookOperation]models.BookState{models.BookAdd: models.BookToAdd, models.BookEdit: models.BookToEdit, models.BookRemove: models.BookToRemove}[op]
		return set(back, tx.Now.Add(time.Duration(number*number)*10*time.Second), "Not sent: "+ans.Message, false)
	case ans.State == models.AttemptNotSent && op == models.BookAdd:
		return set(models.BookRefused, 0, "Not sent: "+ans.Message, true)
	case ans.State == models.AttemptNotSent:
		return set(models.BookListed, 0, "Not sent: "+ans.Message, true)
	}
	return set(models.BookAsking, tx.Now.Add(bookLooks[0]), "The answer was lost: "+ans.Message, false)
}

func sayMore(says string) string {
	if says == "" {
		return ""
	}
	return ". " + says
}

// revokedMeanwhile removes what was added while its destination was taken out of use.
func (tx *Tx) revokedMeanwhile(e models.BookEntry) error {
	d, err := tx.destination(e.DestinationID)
	if err != nil {
		return err
	}
	switch {
	case d.Stored != models.DestinationApproved:
		return tx.wantEntry(e.ID, models.BookToRemove, d.EndedByName, tx.Now)
	case d.SupersededFrom != 0:
		return tx.wantEntry(e.ID, models.BookToRemove, d.DecidedByName, d.SupersededFrom)
	}
	return nil
}

// LoseBookAttempts declares writes lost whose process died between sending and recording: their outcome is found by reading the book.
func (s *Store) LoseBookAttempts(ctx context.Context, otherThan string) (int, error) {
	lost := 0
	err := s.Update(ctx, func(tx *Tx) error {
		lost = 0
		where, args := "deadline_us < ?", []any{tx.Now}
		if otherThan != "" {
			where, args = "instance <> ?", []any{otherThan}
		}
		type row struct {
			id, entry string
			number    int
			op        models.BookOperation
		}
		var rows []row
		if err := tx.Each(func(r *sql.Rows) error {
			var x row
			err := r.Scan(&x.id, &x.entry, &x.number, &x.op)
			rows = append(rows, x)
			return err
		}, "SELECT id, entry_id, number, operation FROM book_attempts WHERE state = 'open' AND "+where+" ORDER BY deadline_us LIMIT 200", args...); err != nil {
			return err
		}
		const sentence = "The program stopped after the intent was written and before an answer was recorded"
		for _, x := range rows {
			if err := tx.Exec("UPDATE book_attempts SET state = ?, finished_us = ?, message = ? WHERE id = ? AND state = 'open'", models.AttemptUnknown, tx.Now, sentence, x.id); err != nil {
				return err
			}
			if err := tx.applyBook(x.entry, x.number, x.op, BookAnswer{State: models.AttemptUnknown, Message: sentence}); err != nil {
				return err
			}
			lost++
		}
		return nil
	})
	return lost, err
}

// DueEntries lists entries that the task must look at.
func (s *Store) DueEntries(ctx context.Context, limit int) (ids []string, err error) {
	err = s.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.texts(fmt.Sprintf("SELECT id FROM book_entries WHERE due_us > 0 AND due_us <= ? ORDER BY due_us LIMIT %d", limit), tx.Now)
		return err
	})
	return ids, err
}
