package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"countinghouse/models"
)

const lineColumns = `l.id, l.credential_id, COALESCE(c.name, ''), l.provider, l.environment, l.book, l.entry_id, l.word, l.usable, l.title, l.owner, l.masked, l.fingerprint,
	COALESCE(d.id, ''), COALESCE(d.name, ''), l.differs, l.decision, l.note, l.decided_by, l.first_us, l.seen_us`

const lineFrom = ` FROM book_lines l LEFT JOIN credentials c ON c.id = l.credential_id LEFT JOIN book_entries e ON e.id = l.our_entry LEFT JOIN destinations d ON d.id = e.destination_id`

func scanLine(r scanner, more ...any) (l models.BookLine, err error) {
	err = r.Scan(append([]any{&l.ID, &l.CredentialID, &l.Credential, &l.Provider, &l.Environment, &l.Book, &l.EntryID, &l.Word, &l.Usable, &l.Title, &l.Owner, &l.Masked, &l.Fingerprint,
		&l.DestinationID, &l.Destination, &l.Differs, &l.Decision, &l.Note, &l.DecidedBy, &l.FirstSeen, &l.LastSeen}, more...)...)
	return l, err
}

// BooksPage is what the page about the providers' books shows.
type BooksPage struct {
	Reads   []models.BookRead
	Strange []models.BookLine  // theirs, not ours
	Drift   []BookDrift        // both, not alike
	Entries []models.BookEntry // ours: missing, refused, on their way
	Names   map[string]string  // destinations by id
	Ignored int64
}

// BookDrift is an entry of which the two sides are not the same, opened for those who may see it.
type BookDrift struct {
	Line  models.BookLine
	Entry models.BookEntry
	Ours  models.Destination
}

// Books reads what differs between the providers' books and ours. Values are opened only for those who may see them. It needs destinations.read.
func (s *Store) Books(ctx context.Context, a models.Actor, env models.Environment) (*BooksPage, error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return nil, err
	}
	out := new(BooksPage)
	err := s.View(ctx, func(tx *Tx) error {
		*out = BooksPage{Names: map[string]string{}}
		if err := tx.Each(func(r *sql.Rows) error {
			var b models.BookRead
			err := r.Scan(&b.CredentialID, &b.Credential, &b.Provider, &b.Book, &b.ReadAt, &b.Error, &b.Lines)
			out.Reads = append(out.Reads, b)
			return err
		}, `SELECT r.credential_id, c.name, c.provider, r.book, r.read_us, r.error, r.lines FROM book_reads r JOIN credentials c ON c.id = r.credential_id WHERE c.environment = ? ORDER BY c.name, r.book`, env); err != nil {
			return err
		}
		if err := tx.Each(func(r *sql.Rows) error {
			l, err := scanLine(r)
			out.Strange = append(out.Strange, l)
			return err
		}, "SELECT "+lineColumns+lineFrom+" WHERE l.environment = ? AND l.problem ORDER BY l.first_us DESC LIMIT 200", env); err != nil {
			return err
		}
		if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM book_lines WHERE environment = ? AND decision = 'ignored' AND gone_us = 0 LIMIT 1000) x", env).Scan(&out.Ignored); err != nil {
			return err
		}
		if err := tx.Each(func(r *sql.Rows) error {
			var name string
			var e models.BookEntry
			err := r.Scan(&e.ID, &e.DestinationID, &e.CredentialID, &e.Credential, &e.Provider, &e.Environment, &e.Book, &e.EntryID, &e.State, &e.Operation, &e.Usable, &e.Word, &e.Says, &e.Differs,
				&e.Due, &e.SeenAt, &e.ChangedAt, &name)
			out.Entries, out.Names[e.DestinationID] = append(out.Entries, e), name
			return err
		}, "SELECT "+entryColumns+", d.name"+entryFrom+" JOIN destinations d ON d.id = e.destination_id WHERE e.environment = ? AND e.problem ORDER BY e.changed_us DESC LIMIT 200", env); err != nil {
			return err
		}
		return tx.openDrift(a, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (tx *Tx) openDrift(a models.Actor, out *BooksPage) error {
	full := maySeeDestinations(a)
	for _, e := range out.Entries {
		if !e.Differs {
			continue
		}
		var sealed []byte
		l, err := scanLine(tx.QueryRow("SELECT "+lineColumns+", l.theirs_sealed"+lineFrom+" WHERE l.our_entry = ? LIMIT 1", e.ID), &sealed)
		if IsNoRow(err) {
			continue
		}
		if err != nil {
			return err
		}
		d, err := tx.destination(e.DestinationID)
		if err != nil {
			return err
		}
		if full {
			if err := tx.openContents(d); err != nil {
				return err
			}
			c, err := tx.openLine(l.ID, sealed)
			if err != nil {
				return err
			}
			l.Values, l.Lines = c.Values, c.Lines
		}
		out.Drift = append(out.Drift, BookDrift{Line: l, Entry: e, Ours: *d})
	}
	out.Entries = slices.DeleteFunc(out.Entries, func(e models.BookEntry) bool { return e.Differs })
	return nil
}

// BookLine opens one line of a provider's book for a person who decides about it. It needs destinations.create; the sight is written down.
func (s *Store) BookLine(ctx context.Context, a models.Actor, env models.Environment, id string) (l models.BookLine, err error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return l, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		if l, err = tx.bookLine(env, id); err != nil {
			return err
		}
		return tx.Audit(a, "book.see", "book_line", l.ID, nil, nil, "Saw "+l.Masked+" in the book of "+l.Credential+" in full.")
	})
	return l, err
}

func (tx *Tx) bookLine(env models.Environment, id string) (models.BookLine, error) {
	var sealed []byte
	l, err := scanLine(tx.QueryRow("SELECT "+lineColumns+", l.theirs_sealed"+lineFrom+" WHERE l.id = ? AND l.environment = ?", id, env), &sealed)
	if IsNoRow(err) {
		return l, models.Errorf(models.NotFound, "There is no such line.")
	}
	if err != nil {
		return l, err
	}
	c, err := tx.openLine(l.ID, sealed)
	l.Values, l.Lines = c.Values, c.Lines
	return l, err
}

// IgnoreLine notes that a line of a provider's book shall not become a destination, with a reason. It comes back when it changes. It needs
// destinations.create.
func (s *Store) IgnoreLine(ctx context.Context, a models.Actor, env models.Environment, id, note string) error {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return err
	}
	note, err := models.CleanText("note", note, 300, true)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		l, err := tx.bookLine(env, id)
		if err != nil {
			return err
		}
		if err := tx.Exec("UPDATE book_lines SET decision = 'ignored', note = ?, decided_by = ?, problem = ? WHERE id = ?", note, a.Name, false, id); err != nil {
			return err
		}
		return tx.Audit(a, "book.ignore", "book_line", id, nil, map[string]any{"note": note}, "Left "+l.Masked+" in the book of "+l.Credential+" alone: "+note)
	})
}

// AdoptLine makes a destination of a line of a provider's book: it waits for a second person like any other, and stands in the book already. It needs
// destinations.create.
func (s *Store) AdoptLine(ctx context.Context, a models.Actor, env models.Environment, id string, n NewDestination) (*models.Destination, error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return nil, err
	}
	var d *models.Destination
	err := s.Update(ctx, func(tx *Tx) error {
		l, err := tx.bookLine(env, id)
		if err != nil {
			return err
		}
		if l.Decision == "adopted" || l.DestinationID != "" {
			return models.Errorf(models.Conflict, "This line is a destination already.")
		}
		place, err := tx.Store.PlaceFingerprint(n.Spec.Place)
		if err != nil {
			return err
		}
		if place != l.Fingerprint {
			return models.Errorf(models.Conflict, "This line changed meanwhile. Look at it again.")
		}
		n.Environment, n.Register = env, nil
		if d, err = tx.createDestination(a, n); err != nil {
			return err
		}
		entry := models.NewID()
		if err := tx.Exec("INSERT INTO book_entries (id, destination_id, credential_id, provider, environment, book, entry_id, state, operation, usable, word, asked_by, seen_us, changed_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			entry, d.ID, l.CredentialID, l.Provider, env, l.Book, l.EntryID, models.BookListed, "", l.Usable, l.Word, a.Name, l.LastSeen, tx.Now); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE book_lines SET decision = 'adopted', decided_by = ?, problem = ?, our_entry = ? WHERE id = ?", a.Name, false, entry, id); err != nil {
			return err
		}
		if err := tx.askForDestination(a, d); err != nil {
			return err
		}
		return tx.Audit(a, "destination.adopt", "destination", d.ID, nil, forDestinationAudit(d), "Took over "+strings.TrimSpace(l.Masked)+" from the book of "+l.Credential+".")
	})
	return d, err
}
