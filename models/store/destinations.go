package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

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

// maySeeDestinations says who may see a destination in full: whoever adds them or agrees to them, and whoever pays.
func maySeeDestinations(a models.Actor) bool {
	return a.Can(models.DestinationsCreate) || a.Can(models.DestinationsApprove)
}

// DestinationPage is the domain's, by the name that this package uses.
type DestinationPage = models.DestinationPage

// Destination reads one destination with all that belongs to it. Who may add or approve destinations sees it in full, and that is written into
// the audit trail before it is given out; others see it masked. It needs destinations.read.
func (s *Store) Destination(ctx context.Context, a models.Actor, env models.Environment, id string) (*DestinationPage, error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return nil, err
	}
	out, full, fresh := new(DestinationPage), maySeeDestinations(a), false
	err := s.View(ctx, func(tx *Tx) error {
		*out = DestinationPage{Full: full, Attempts: map[string][]models.BookAttempt{}}
		d, err := tx.destination(id)
		if err == nil && d.Environment != env {
			err = models.Errorf(models.NotFound, "There is no such destination in %s.", env)
		}
		if err != nil {
			return err
		}
		if out.Guard, err = tx.guard(env); err != nil {
			return err
		}
		if err := tx.aroundDestination(d, out); err != nil {
			return err
		}
		out.State = d.StateAt(tx.Now, out.Guard)
		if full {
			if err := tx.openContents(d); err != nil {
				return err
			}
			fresh, err = tx.sawLately(a, d)
		}
		out.Destination = *d
		return err
	})
	if err == nil && full && !fresh {
		err = s.Update(ctx, func(tx *Tx) error { return tx.noteSight(a, &out.Destination, "looked at") })
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sightFor is how long one entry in the trail stands for a person who looks at the same destination again.
const sightFor = 15 * time.Minute

func (tx *Tx) sawLately(a models.Actor, d *models.Destination) (bool, error) {
	var n int
	err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM destination_events WHERE destination_id = ? AND what = 'seen' AND actor_name = ? AND at_us > ? LIMIT 1) x",
		d.ID, a.Name, tx.Now.Add(-sightFor)).Scan(&n)
	return n > 0, err
}

// noteSight leaves the trace of a person who sees a destination in full. It is committed before anything is given out.
func (tx *Tx) noteSight(a models.Actor, d *models.Destination, why string) error {
	if err := tx.destinationEvent(d.ID, "seen", a.Name, a.Name+" "+why+" it in full"); err != nil {
		return err
	}
	return tx.Audit(a, "destination.see", "destination", d.ID, nil, nil, fmt.Sprintf("Saw the destination %s (%s) in full.", d.Name, d.Masked))
}

func (tx *Tx) aroundDestination(d *models.Destination, out *DestinationPage) (err error) {
	if d.Replaces != "" {
		if out.Old, err = tx.destination(d.Replaces); err != nil {
			return err
		}
	}
	next, err := tx.destinationsWhere("d.replaces_id = ? AND d.replaces_id <> '' ORDER BY d.created_us DESC LIMIT 1", d.ID)
	if err != nil {
		return err
	}
	if len(next) > 0 {
		out.New = &next[0]
	}
	subject := d.ID
	if d.ImportID != "" {
		subject = d.ImportID
	}
	rs, err := tx.approvalsOf(subject)
	if err != nil {
		return err
	}
	if len(rs) > 0 {
		out.Request = &rs[0]
	}
	if out.Checks, err = tx.destinationChecks(d.ID); err != nil {
		return err
	}
	if err := tx.Each(func(r *sql.Rows) error {
		var e models.DestinationEvent
		err := r.Scan(&e.At, &e.What, &e.ActorName, &e.Sentence)
		out.Events = append(out.Events, e)
		return err
	}, "SELECT at_us, what, actor_name, sentence FROM destination_events WHERE destination_id = ? ORDER BY id DESC LIMIT 100", d.ID); err != nil {
		return err
	}
	if err := tx.Each(func(r *sql.Rows) error {
		t, err := scanTransaction(r)
		if err == nil {
			out.Payouts = append(out.Payouts, *t)
		}
		return err
	}, "SELECT "+transactionColumns+" FROM transactions t"+tx.Store.by("transactions_destination")+" WHERE t.destination_id = ? AND t.destination_id <> '' ORDER BY t.created_us DESC LIMIT 50", d.ID); err != nil {
		return err
	}
	if out.Entries, err = tx.entriesOf(d.ID); err != nil {
		return err
	}
	for _, e := range out.Entries {
		if out.Attempts[e.ID], err = tx.bookAttempts(e.ID); err != nil {
			return err
		}
	}
	return nil
}

// accountWord begins the entry of a whole account number; no other entry begins so.
const accountWord = "z"

// wordKey writes a word so that beginnings stay beginnings and sort alike in every database: PostgreSQL compares text by the rules of a language.
func wordKey(w string) string { return hex.EncodeToString([]byte(w)) }

// wordEnd is the first key behind all words that begin like this one.
func wordEnd(w string) string { return wordKey(w) + "g" }
