package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"countinghouse/models"
)

// ReadLine is one line of a provider's book as it was just read, in our spelling.
type ReadLine struct {
	EntryID string
	Word    string
	Usable  bool
	Spec    models.DestinationSpec
}

// RecordRead writes down what a book held at a moment. Our entries are found by their number there, or by the place they name; what is not ours waits
// for a person; what differs and what is missing is marked on both sides. differs compares ours with theirs by the provider's own spelling. asked is when
// the list was asked for: it says nothing about an entry that changed after that.
func (s *Store) RecordRead(ctx context.Context, cred models.Credential, book models.Book, asked models.Micros, lines []ReadLine, differs func(ours *models.Destination, theirs map[string]string) bool) error {
	return s.Update(ctx, func(tx *Tx) error {
		known, err := tx.knownLines(cred.ID, book)
		if err != nil {
			return err
		}
		ours, err := tx.entriesIn(cred.ID, book)
		if err != nil {
			return err
		}
		removed, err := tx.texts("SELECT entry_id FROM book_entries WHERE credential_id = ? AND book = ? AND state = 'gone' AND changed_us > ?", cred.ID, book, asked)
		if err != nil {
			return err
		}
		here := map[string]bool{}
		for _, l := range lines {
			if l.EntryID == "" || here[l.EntryID] || slices.Contains(removed, l.EntryID) {
				continue
			}
			here[l.EntryID] = true
			if e := match(ours, l.EntryID, ""); e != nil && e.ChangedAt > asked {
				continue
			}
			if err := tx.recordLine(cred, book, l, known[l.EntryID], ours, differs); err != nil {
				return err
			}
		}
		for id, k := range known {
			if !here[id] && k.gone == 0 {
				if err := tx.Exec("UPDATE book_lines SET gone_us = ?, problem = ?, differs = ? WHERE id = ?", tx.Now, false, false, k.id); err != nil {
					return err
				}
			}
		}
		for _, e := range ours {
			if e.ChangedAt > asked || e.EntryID != "" && here[e.EntryID] {
				continue
			}
			if err := tx.settleMissing(e, asked); err != nil {
				return err
			}
		}
		return tx.noteRead(cred.ID, book, "", len(here))
	})
}

// RecordReadFailed notes that a book could not be read. Nothing of it is believed missing.
func (s *Store) RecordReadFailed(ctx context.Context, credentialID string, book models.Book, sentence string) error {
	return s.Update(ctx, func(tx *Tx) error {
		// What waits for this list waits on.
		if err := tx.Exec("UPDATE book_entries SET due_us = ?, says = ? WHERE credential_id = ? AND book = ? AND state IN (?, ?) AND due_us > 0 AND due_us <= ?", tx.Now.Add(bookLooks[1]),
			models.Safe("The book could not be read: "+sentence, 300), credentialID, book, models.BookAsking, models.BookListed, tx.Now); err != nil {
			return err
		}
		return tx.noteRead(credentialID, book, models.Safe(sentence, 300), 0)
	})
}

func (tx *Tx) noteRead(credentialID string, book models.Book, sentence string, lines int) error {
	return tx.Exec("INSERT INTO book_reads (credential_id, book, read_us, error, lines) VALUES (?,?,?,?,?) ON CONFLICT (credential_id, book) DO UPDATE SET read_us = excluded.read_us, error = excluded.error, lines = excluded.lines",
		credentialID, book, tx.Now, sentence, lines)
}

type knownLine struct {
	id, content, decision, ours string
	gone                        models.Micros
}

func (tx *Tx) knownLines(credentialID string, book models.Book) (map[string]*knownLine, error) {
	out := map[string]*knownLine{}
	err := tx.Each(func(r *sql.Rows) error {
		var k knownLine
		var entry string
		err := r.Scan(&k.id, &entry, &k.content, &k.decision, &k.ours, &k.gone)
		out[entry] = &k
		return err
	}, "SELECT id, entry_id, content, decision, our_entry, gone_us FROM book_lines WHERE credential_id = ? AND book = ?", credentialID, book)
	return out, err
}

// ourEntry is an entry of ours with what it is recognised by.
type ourEntry struct {
	models.BookEntry
	fingerprint string
	looks       int
	ended       bool // its destination is not in use any more: nothing is registered again
}

func (tx *Tx) entriesIn(credentialID string, book models.Book) (out []*ourEntry, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var e ourEntry
		err := r.Scan(&e.ID, &e.DestinationID, &e.EntryID, &e.State, &e.Operation, &e.Differs, &e.fingerprint, &e.looks, &e.Due, &e.ChangedAt, &e.ended, &e.Credential)
		out = append(out, &e)
		return err
	}, `SELECT e.id, e.destination_id, e.entry_id, e.state, e.operation, e.differs, d.fingerprint, e.looks, e.due_us, e.changed_us, d.state <> 'approved', COALESCE(c.name, '') FROM book_entries e JOIN destinations d ON d.id = e.destination_id
		LEFT JOIN credentials c ON c.id = e.credential_id WHERE e.credential_id = ? AND e.book = ? AND e.state NOT IN ('gone', 'planned') ORDER BY e.changed_us, e.id`, credentialID, book)
	return out, err
}

// match finds our entry of a line: by their number, else by the place while ours has no number yet.
func match(ours []*ourEntry, entryID, fingerprint string) *ourEntry {
	for _, e := range ours {
		if e.EntryID == entryID {
			return e
		}
	}
	for _, e := range ours {
		if e.EntryID == "" && fingerprint != "" && e.fingerprint == fingerprint {
			return e
		}
	}
	return nil
}

func (tx *Tx) recordLine(cred models.Credential, book models.Book, l ReadLine, k *knownLine, ours []*ourEntry, differs func(*models.Destination, map[string]string) bool) error {
	fingerprint, err := tx.Store.PlaceFingerprint(l.Spec.Place)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(contents{l.Spec.Values, l.Spec.Lines})
	if err != nil {
		return err
	}
	content, err := tx.Store.fingerprint("line", string(plain))
	if err != nil {
		return err
	}
	e := match(ours, l.EntryID, fingerprint)
	ourID, drift := "", false
	if e != nil {
		if drift, err = tx.foundEntry(e, l, fingerprint, differs); err != nil {
			return err
		}
		ourID = e.ID
	}
	decision := ""
	if k != nil && k.content == content {
		decision = k.decision
	}
	strange := e == nil && decision == ""
	if k != nil && k.content == content && k.gone == 0 {
		return tx.Exec("UPDATE book_lines SET seen_us = ?, word = ?, usable = ?, our_entry = ?, differs = ?, problem = ? WHERE id = ?", tx.Now, l.Word, l.Usable, ourID, drift, strange, k.id)
	}
	id := models.NewID()
	if k != nil {
		id = k.id
	}
	sealed, err := tx.Store.seal(tx.ctx, "book_lines", id, "theirs_sealed", plain)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO book_lines (id, credential_id, provider, environment, book, entry_id, word, usable, title, owner, masked, fingerprint, theirs_sealed, content, our_entry, differs, problem,
		decision, first_us, seen_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (credential_id, book, entry_id) DO UPDATE SET word = excluded.word, usable = excluded.usable,
		title = excluded.title, owner = excluded.owner, masked = excluded.masked, fingerprint = excluded.fingerprint, theirs_sealed = excluded.theirs_sealed, content = excluded.content,
		our_entry = excluded.our_entry, differs = excluded.differs, problem = excluded.problem, decision = excluded.decision, seen_us = excluded.seen_us, gone_us = 0`,
		id, cred.ID, cred.Provider, cred.Environment, book, l.EntryID, models.Safe(l.Word, 60), l.Usable, models.Safe(l.Spec.Title, 80), models.Safe(l.Spec.Owner, 120), models.Safe(l.Spec.Masked, 120),
		fingerprint, sealed, content, ourID, drift, strange, decision, tx.Now, tx.Now)
}

// foundEntry settles an entry of ours that stands in their list.
func (tx *Tx) foundEntry(e *ourEntry, l ReadLine, fingerprint string, differs func(*models.Destination, map[string]string) bool) (drift bool, err error) {
	d, err := tx.destination(e.DestinationID)
	if err != nil {
		return false, err
	}
	if err := tx.openContents(d); err != nil {
		return false, err
	}
	drift = fingerprint != e.fingerprint || differs(d, l.Spec.Values)
	state, says := e.State, ""
	switch {
	case e.State == models.BookSending: // its own answer decides
		return drift, nil
	case e.State == models.BookAsking && e.Operation == models.BookRemove:
		state, says = models.BookToRemove, "It still stands in their list: the removal had not arrived."
	case e.State == models.BookAsking && e.Operation == models.BookEdit && drift:
		state, says = models.BookListed, "The change had not arrived: their side still differs."
	case e.State == models.BookAsking, e.State == models.BookMissing, e.State == models.BookRefused && e.EntryID == "":
		state = models.BookListed
	}
	due := e.Due
	if state != models.BookToAdd && state != models.BookToEdit && state != models.BookToRemove {
		due = 0
	} else if state != e.State {
		due = tx.Now.Add(bookLooks[1])
	}
	if err := tx.Exec(`UPDATE book_entries SET entry_id = ?, state = ?, usable = ?, word = ?, differs = ?, problem = ?, says = CASE WHEN ? = '' AND state = ? THEN says ELSE ? END, due_us = ?,
		seen_us = ? WHERE id = ?`, l.EntryID, state, l.Usable, models.Safe(l.Word, 60), drift, drift, says, state, says, due, tx.Now, e.ID); err != nil {
		return false, err
	}
	e.EntryID = l.EntryID
	if state != e.State {
		if err := tx.destinationEvent(e.DestinationID, "book", "", e.Credential+": "+state.Word()+", found in their list"+sayMore(says)); err != nil {
			return false, err
		}
		if state == models.BookListed {
			entry, err := tx.bookEntry(e.ID)
			if err != nil {
				return false, err
			}
			return drift, tx.revokedMeanwhile(entry)
		}
	}
	return drift, nil
}

// settleMissing settles an entry of ours that does not stand in the list that was asked for at a moment. Where the plan of looks says that a later list
// decides, an earlier one counts for nothing: lists are read for other entries too, and what was held up on the road may still arrive.
func (tx *Tx) settleMissing(e *ourEntry, asked models.Micros) error {
	put := func(state models.BookState, due models.Micros, says string, problem bool) error {
		if err := tx.Exec("UPDATE book_entries SET state = ?, due_us = ?, says = ?, problem = ?, looks = looks + 1, usable = ?, changed_us = ? WHERE id = ?", state, due, says, problem, false, tx.Now, e.ID); err != nil {
			return err
		}
		if state == e.State {
			return nil
		}
		return tx.destinationEvent(e.DestinationID, "book", "", e.Credential+": "+state.Word()+sayMore(says))
	}
	switch {
	case e.State == models.BookAsking && e.Operation == models.BookRemove:
		return put(models.BookGone, 0, "", false)
	case e.State == models.BookToRemove && e.Due <= tx.Now:
		return put(models.BookGone, 0, "It was gone already.", false)
	case (e.State == models.BookAsking || e.State == models.BookListed) && e.Due > asked:
		return nil
	case e.State == models.BookAsking && e.looks+1 < len(bookLooks):
		return put(models.BookAsking, tx.Now.Add(bookLooks[e.looks+1]), "The answer was lost; it is not in their list yet.", false)
	case e.State == models.BookAsking && e.ended:
		return put(models.BookGone, 0, "The answer was lost, and their list does not have it. Its destination is not in use any more.", false)
	case e.State == models.BookAsking:
		return put(models.BookMissing, 0, "The answer was lost, and their list does not have it. Nothing was added again: decide whether to register it once more.", true)
	case e.State == models.BookListed && e.Due > 0 && e.looks+1 < len(bookLooks): // accepted a moment ago
		return put(models.BookListed, tx.Now.Add(bookLooks[e.looks+1]), "It was accepted and is not in their list yet.", false)
	case e.State == models.BookListed:
		return put(models.BookMissing, 0, "It stood in their list and does not any more.", true)
	}
	return nil
}

// BooksToRead lists the credentials whose books are read in turn: active ones.
func (s *Store) BooksToRead(ctx context.Context) (ids []string, err error) {
	err = s.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.texts("SELECT id FROM credentials WHERE state = 'active' ORDER BY id")
		return err
	})
	return ids, err
}
