package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"countinghouse/models"
)

const destinationColumns = `d.id, d.environment, d.kind, d.form, d.provider, d.method, d.book, d.entry_field, d.payment_fields, d.country, d.network, d.currency, d.title, d.name,
	d.owner, d.masked, d.purpose, d.notes, d.state, d.usable_from_us, d.superseded_by, d.superseded_from_us, d.replaces_id, d.import_id, d.fingerprint, d.digest, d.created_us,
	d.created_by, d.created_by_name, d.decided_us, d.decided_by_name, d.ended_us, d.ended_by_name, d.reason, d.version`

func scanDestination(r scanner) (*models.Destination, error) {
	var d models.Destination
	var payment string
	err := r.Scan(&d.ID, &d.Environment, &d.Kind, &d.Form, &d.Provider, &d.Method, &d.Book, &d.EntryField, &payment, &d.Country, &d.Network, &d.Currency, &d.Title, &d.Name,
		&d.Owner, &d.Masked, &d.Purpose, &d.Notes, &d.Stored, &d.UsableFrom, &d.SupersededBy, &d.SupersededFrom, &d.Replaces, &d.ImportID, &d.Fingerprint, &d.Digest, &d.CreatedAt,
		&d.CreatedBy, &d.CreatedByName, &d.DecidedAt, &d.DecidedByName, &d.EndedAt, &d.EndedByName, &d.Reason, &d.Version)
	if payment != "" {
		d.Payment = strings.Split(payment, ",")
	}
	return &d, err
}

// contents is what is sealed of a destination.
type contents struct {
	Values map[string]string        `json:"values"`
	Lines  []models.DestinationLine `json:"lines"`
}

// NewDestination is what a person asks for, already checked against its form.
type NewDestination struct {
	ID          string // made when the form was first shown: a second submit of the same form finds the first
	Environment models.Environment
	Spec        models.DestinationSpec
	Name        string
	Purpose     string
	Notes       string
	Replaces    string       // an edit: the destination that this one shall take the place of
	Register    []RegisterAt // in which books it shall stand once it is approved
	importID    string
}

// RegisterAt is a book of a credential.
type RegisterAt struct {
	CredentialID string
	Provider     string
	Book         models.Book
}

// fingerprint recognises equal places without telling anything about them to whoever has only the database.
func (s *Store) fingerprint(what, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if s.vault == nil {
		return "", errNoVault
	}
	return s.vault.Fingerprint([]byte("destination " + what + "\x00" + text))
}

// PlaceFingerprint is the fingerprint of a place as destinations keep it.
func (s *Store) PlaceFingerprint(place string) (string, error) { return s.fingerprint("place", place) }

// CreateDestination writes a destination down and asks a second person to agree. An edit names the one it replaces, which stays usable until the
// new one is. It needs destinations.create.
func (s *Store) CreateDestination(ctx context.Context, a models.Actor, n NewDestination) (*models.Destination, error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return nil, err
	}
	var d *models.Destination
	err := s.Update(ctx, func(tx *Tx) error {
		old, err := tx.destination(n.ID)
		if err == nil {
			if old.CreatedBy != a.UserID {
				return models.Errorf(models.Conflict, "This form belongs to somebody else.")
			}
			d = old
			return nil
		}
		if !models.Is(err, models.NotFound) {
			return err
		}
		if d, err = tx.createDestination(a, n); err != nil {
			return err
		}
		if err := tx.askForDestination(a, d); err != nil {
			return err
		}
		return tx.Audit(a, "destination.create", "destination", d.ID, nil, forDestinationAudit(d), fmt.Sprintf("Added the destination %s (%s).", d.Name, d.Masked))
	})
	return d, err
}

// forDestinationAudit is what the audit trail keeps of a destination: nothing that is sealed.
func forDestinationAudit(d *models.Destination) map[string]any {
	return map[string]any{"name": d.Name, "form": d.Form, "masked": d.Masked, "purpose": d.Purpose, "fingerprint": d.Fingerprint, "digest": d.Digest, "state": d.Stored,
		"replaces": d.Replaces, "usable_from": d.UsableFrom, "reason": d.Reason}
}

// createDestination checks and writes the rows, without asking anybody yet.
func (tx *Tx) createDestination(a models.Actor, n NewDestination) (*models.Destination, error) {
	d, err := tx.draftDestination(a, n)
	if err != nil {
		return nil, err
	}
	if d.Replaces != "" {
		if err := tx.checkReplaces(d); err != nil {
			return nil, err
		}
	}
	if err := tx.refuseSame(d); err != nil {
		return nil, err
	}
	rows := newDestinationRows(tx)
	if err := rows.add(d, n.Spec); err != nil {
		return nil, err
	}
	if err := rows.flush(); err != nil {
		return nil, err
	}
	said := "Added by " + a.Name
	if d.Replaces != "" {
		said += " to take the place of an older version"
	}
	if err := tx.destinationEvent(d.ID, "created", a.Name, said); err != nil {
		return nil, err
	}
	return d, tx.planEntries(a, d, n)
}

// draftDestination cleans the words and computes fingerprints and digest.
func (tx *Tx) draftDestination(a models.Actor, n NewDestination) (*models.Destination, error) {
	x := n.Spec
	d := &models.Destination{ID: n.ID, Environment: n.Environment, Kind: x.Kind, Form: x.Form, Provider: x.Provider, Method: x.Method, Book: x.Book, EntryField: x.EntryField,
		Payment: x.Payment, Country: x.Country, Network: x.Network, Currency: x.Currency, Title: x.Title, Owner: models.Safe(x.Owner, 120), Masked: models.Safe(x.Masked, 120),
		Stored: models.DestinationWaiting, Replaces: n.Replaces, ImportID: n.importID, CreatedAt: tx.Now, CreatedBy: a.UserID, CreatedByName: a.Name, Version: 1, Values: x.Values, Lines: x.Lines}
	if d.EntryField != "" {
		d.Method = "" // every method that pays entries of the book
	}
	if !n.Environment.Valid() || x.Place == "" || len(x.Values) == 0 {
		return nil, models.Errorf(models.Invalid, "This is no destination: it names no place.")
	}
	var ps []models.Problem
	for _, f := range []struct {
		field string
		in    string
		to    *string
		max   int
		need  bool
	}{{"name", n.Name, &d.Name, 80, true}, {"purpose", n.Purpose, &d.Purpose, 200, true}, {"notes", n.Notes, &d.Notes, 2000, false}} {
		v, err := models.CleanText(f.field, f.in, f.max, f.need)
		if err != nil {
			ps = append(ps, models.Problem{Field: f.field, Sentence: sentenceFor(f.field, err)})
		}
		*f.to = v
	}
	if err := models.Problems(ps); err != nil {
		return nil, err
	}
	var err error
	if d.Fingerprint, err = tx.Store.PlaceFingerprint(x.Place); err != nil {
		return nil, err
	}
	d.Digest, err = tx.Store.destinationDigest(d)
	return d, err
}

func sentenceFor(field string, err error) string {
	if field == "name" && strings.Contains(err.Error(), "Write something") {
		return "Give the destination a name that people will recognise: the supplier, the wallet."
	}
	if field == "purpose" && strings.Contains(err.Error(), "Write something") {
		return "Say what is paid to it: rent, supplier of packaging, own wallet."
	}
	return err.Error()
}

// destinationDigest binds an approval to everything that decides where money goes, and to the words that stand over it. It is keyed, because it
// is stored in clear and account numbers can be guessed.
func (s *Store) destinationDigest(d *models.Destination) (string, error) {
	b, err := json.Marshal([]any{d.ID, d.Environment, d.Form, d.Provider, d.Method, d.Book, d.EntryField, d.Payment, d.Name, d.Purpose, d.Owner, d.Replaces, d.Values})
	if err != nil {
		return "", err
	}
	return s.fingerprint("content", string(b))
}

// refuseSame refuses a place that stands among the destinations already.
func (tx *Tx) refuseSame(d *models.Destination) error {
	same, err := tx.destinationsWhere("d.environment = ? AND d.fingerprint = ? AND d.state IN ('waiting', 'approved') AND d.form = ? LIMIT 20", d.Environment, d.Fingerprint, d.Form)
	if err != nil {
		return err
	}
	g, err := tx.guard(d.Environment)
	if err != nil {
		return err
	}
	for i := range same {
		o := &same[i]
		if o.ID == d.ID || o.ID == d.Replaces || o.StateAt(tx.Now, g) == models.DestinationSuperseded {
			continue
		}
		return models.FieldErrorf("name", "The same destination is here already: %s, %s.", o.Name, strings.ToLower(o.StateAt(tx.Now, g).Word()))
	}
	return nil
}

func (tx *Tx) checkReplaces(d *models.Destination) error {
	old, err := tx.destination(d.Replaces)
	if err != nil {
		return err
	}
	g, err := tx.guard(d.Environment)
	if err != nil {
		return err
	}
	state := old.StateAt(tx.Now, g)
	if old.Environment != d.Environment || old.Form != d.Form {
		return models.Errorf(models.Conflict, "A destination can only be replaced by one of the same kind in the same environment. Add a new one instead.")
	}
	if state != models.DestinationUsable && state != models.DestinationCooling {
		return models.Errorf(models.Conflict, "This destination is %s and cannot be changed. Add a new one instead.", strings.ToLower(state.Word()))
	}
	var n int
	if err := tx.QueryRow("SELECT COUNT(*) FROM destinations WHERE replaces_id = ? AND replaces_id <> '' AND state = 'waiting'", old.ID).Scan(&n); err != nil {
		return err
	}
	if n > 0 || old.SupersededBy != "" {
		return models.Errorf(models.Conflict, "Another change of this destination is under way. Wait for it, or revoke it first.")
	}
	return nil
}
