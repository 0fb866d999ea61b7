package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"countinghouse/models"
)

// destinationRows writes destinations with their words in bulk.
type destinationRows struct {
	tx          *Tx
	rows, words *bulk
}

func newDestinationRows(tx *Tx) *destinationRows {
	r := &destinationRows{tx: tx, rows: newBulk(tx, "destinations", `id, environment, kind, form, provider, method, book, entry_field, payment_fields, country, network, currency, title, name,
		owner, masked, purpose, notes, state, usable_from_us, superseded_by, superseded_from_us, replaces_id, import_id, fingerprint, pay_print, digest, values_sealed, created_us, created_by,
		created_by_name, decided_us, decided_by_name, ended_us, ended_by_name, reason`), words: newBulk(tx, "destination_words", "environment, word, destination_id")}
	r.words.after = r.rows
	return r
}

func (r *destinationRows) flush() error {
	if err := r.rows.flush(); err != nil {
		return err
	}
	return r.words.flush()
}

func (r *destinationRows) add(d *models.Destination, x models.DestinationSpec) error {
	s := r.tx.Store
	plain, err := json.Marshal(contents{d.Values, d.Lines})
	if err != nil {
		return err
	}
	sealed, err := s.seal(r.tx.ctx, "destinations", d.ID, "values_sealed", plain)
	if err != nil {
		return err
	}
	pay, err := s.fingerprint("pay", x.PayDigest)
	if err != nil {
		return err
	}
	if err := r.rows.row(d.ID, d.Environment, d.Kind, d.Form, d.Provider, d.Method, d.Book, d.EntryField, strings.Join(d.Payment, ","), d.Country, d.Network, d.Currency, d.Title, d.Name,
		d.Owner, d.Masked, d.Purpose, d.Notes, d.Stored, d.UsableFrom, d.SupersededBy, d.SupersededFrom, d.Replaces, d.ImportID, d.Fingerprint, pay, d.Digest, sealed, d.CreatedAt, d.CreatedBy,
		d.CreatedByName, d.DecidedAt, d.DecidedByName, d.EndedAt, d.EndedByName, d.Reason); err != nil {
		return err
	}
	var whole []string
	words := models.SearchWords(d.Name, d.Owner, d.Purpose)
	for _, account := range x.Accounts {
		f, err := s.fingerprint("account", account)
		if err != nil {
			return err
		}
		whole = append(whole, accountWord+f)
		if tail := []rune(account); len(tail) >= 4 && !contains(words, string(tail[len(tail)-4:])) {
			words = append(words, string(tail[len(tail)-4:]))
		}
	}
	for i, w := range words {
		words[i] = wordKey(w)
	}
	seen := map[string]bool{}
	for _, w := range append(words, whole...) {
		if seen[w] {
			continue
		}
		seen[w] = true
		if err := r.words.row(d.Environment, w, d.ID); err != nil {
			return err
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// openContents unseals a destination's values.
func (tx *Tx) openContents(d *models.Destination) error {
	var sealed []byte
	if err := tx.QueryRow("SELECT values_sealed FROM destinations WHERE id = ?", d.ID).Scan(&sealed); err != nil {
		return err
	}
	plain, err := tx.Store.unseal(tx.ctx, "destinations", d.ID, "values_sealed", sealed)
	if err != nil {
		return &models.Error{Code: models.Unavailable, Err: err, Sentence: "This destination cannot be opened with the vault key that this program was started with."}
	}
	var c contents
	if err := json.Unmarshal(plain, &c); err != nil {
		return fmt.Errorf("read an opened destination: it is not what we seal") // the decoder's words could quote it
	}
	d.Values, d.Lines = c.Values, c.Lines
	now, err := tx.Store.destinationDigest(d)
	if err != nil {
		return err
	}
	if now != d.Digest {
		return models.Errorf(models.Conflict, "The destination %s is not the one that was written down: somebody changed it in the database. Nothing can be paid to it.", d.Name)
	}
	return nil
}

func (tx *Tx) destination(id string) (*models.Destination, error) {
	d, err := scanDestination(tx.QueryRow("SELECT "+destinationColumns+" FROM destinations d WHERE d.id = ?", id))
	if IsNoRow(err) {
		return nil, models.Errorf(models.NotFound, "There is no such destination.")
	}
	return d, err
}

func (tx *Tx) lockDestination(id string, env models.Environment) (*models.Destination, error) {
	d, err := scanDestination(tx.QueryRow("SELECT "+destinationColumns+" FROM destinations d WHERE d.id = ? AND d.environment = ?"+tx.ForUpdate(), id, env))
	if IsNoRow(err) {
		return nil, models.Errorf(models.NotFound, "There is no such destination.")
	}
	return d, err
}

func (tx *Tx) destinationsWhere(where string, args ...any) ([]models.Destination, error) {
	var out []models.Destination
	err := tx.Each(func(r *sql.Rows) error {
		d, err := scanDestination(r)
		if err == nil {
			out = append(out, *d)
		}
		return err
	}, "SELECT "+destinationColumns+" FROM destinations d WHERE "+where, args...)
	return out, err
}

func (tx *Tx) destinationEvent(id, what, by, sentence string) error {
	return tx.Exec("INSERT INTO destination_events (id, destination_id, at_us, what, actor_name, sentence) VALUES (?,?,?,?,?,?)", models.NewID(), id, tx.Now, what, by, models.Safe(sentence, 500))
}
