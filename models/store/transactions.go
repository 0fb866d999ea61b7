package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"countinghouse/models"
)

const transactionColumns = `t.id, t.environment, t.kind, t.provider, t.credential_id, t.method, t.reference, t.provider_ref, t.bank_ref, t.state,
	t.word, t.reason_code, t.reason, t.asset, t.minor, t.settled_asset, t.settled_minor, t.fee_asset, t.fee_minor, t.counter_asset,
	t.counter_minor, t.rate, t.party, t.destination_id, t.destination_digest, t.sub_account, t.batch_id, t.of_id, t.digest,
	t.credential_version, t.created_us, t.updated_us, t.created_by, t.created_by_name, t.sent_us, t.settled_us, t.send_after_us,
	t.expires_us, t.next_ask_us, t.asks, t.waits, t.alert, t.version`

type scanner interface{ Scan(...any) error }

func scanTransaction(r scanner) (*models.Transaction, error) {
	t := new(models.Transaction)
	// Plain pointers: database/sql takes a slower way, with an allocation each, for types of our own.
	err := r.Scan(&t.ID, (*string)(&t.Environment), (*string)(&t.Kind), &t.Provider, &t.CredentialID, &t.Method, &t.Reference, &t.ProviderRef, &t.BankRef, (*string)(&t.State),
		&t.Word, &t.ReasonCode, &t.Reason, &t.Amount.Asset, &t.Amount.Minor, &t.Settled.Asset, &t.Settled.Minor, &t.Fee.Asset, &t.Fee.Minor,
		&t.Counter.Asset, &t.Counter.Minor, &t.Rate, &t.Party, &t.DestinationID, &t.DestinationDigest, &t.SubAccount, &t.BatchID, &t.OfID,
		&t.Digest, &t.CredentialVersion, (*int64)(&t.CreatedAt), (*int64)(&t.UpdatedAt), &t.CreatedBy, &t.CreatedByName, (*int64)(&t.SentAt), (*int64)(&t.SettledAt), (*int64)(&t.SendAfter),
		(*int64)(&t.ExpiresAt), (*int64)(&t.NextAsk), &t.Asks, &t.Waits, &t.Alert, &t.Version)
	return t, err
}

// insertTransaction writes a new row with its details and counts it.
func (tx *Tx) insertTransaction(t *models.Transaction, d *models.TransactionDetail) error {
	err := tx.Exec(`INSERT INTO transactions (id, environment, kind, provider, credential_id, method, reference, provider_ref, bank_ref, state,
		word, reason_code, reason, asset, minor, settled_asset, settled_minor, fee_asset, fee_minor, counter_asset, counter_minor, rate, party,
		destination_id, destination_digest, sub_account, batch_id, of_id, digest, credential_version, created_us, updated_us, created_by,
		created_by_name, sent_us, settled_us, send_after_us, expires_us, next_ask_us, asks, waits, alert, version)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		t.ID, t.Environment, t.Kind, t.Provider, t.CredentialID, t.Method, t.Reference, t.ProviderRef, t.BankRef, t.State, t.Word, t.ReasonCode,
		t.Reason, t.Amount.Asset, t.Amount.Minor, t.Settled.Asset, t.Settled.Minor, t.Fee.Asset, t.Fee.Minor, t.Counter.Asset, t.Counter.Minor,
		t.Rate, t.Party, t.DestinationID, t.DestinationDigest, t.SubAccount, t.BatchID, t.OfID, t.Digest, t.CredentialVersion, t.CreatedAt,
		t.UpdatedAt, t.CreatedBy, t.CreatedByName, t.SentAt, t.SettledAt, t.SendAfter, t.ExpiresAt, t.NextAsk, t.Asks, t.Waits, t.Alert, t.Version)
	if err != nil {
		return fmt.Errorf("insert transaction: %w", err)
	}
	if err := tx.saveDetail(t.ID, d, true); err != nil {
		return err
	}
	return tx.count(t, t.State, 1)
}

func (tx *Tx) saveDetail(id string, d *models.TransactionDetail, insert bool) error {
	rest := *d
	rest.Values = nil
	values, err := json.Marshal(d.Values)
	if err != nil {
		return fmt.Errorf("encode values: %w", err)
	}
	detail, err := json.Marshal(rest)
	if err != nil {
		return fmt.Errorf("encode details: %w", err)
	}
	if insert {
		return tx.Exec("INSERT INTO transaction_details (transaction_id, values_json, detail_json) VALUES (?,?,?)", id, string(values), string(detail))
	}
	return tx.Exec("UPDATE transaction_details SET values_json = ?, detail_json = ? WHERE transaction_id = ?", string(values), string(detail), id)
}

// save writes what may change after the insert; version guards against a writer that saw an older row.
func (tx *Tx) save(t *models.Transaction) error {
	t.UpdatedAt = tx.Now
	n, err := tx.Change(`UPDATE transactions SET provider_ref=?, bank_ref=?, state=?, word=?, reason_code=?, reason=?, settled_asset=?,
		settled_minor=?, fee_asset=?, fee_minor=?, counter_asset=?, counter_minor=?, rate=?, party=?, digest=?, credential_version=?, reference=?,
		updated_us=?, sent_us=?, settled_us=?, send_after_us=?, expires_us=?, next_ask_us=?, asks=?, waits=?, alert=?, version=version+1
		WHERE id = ? AND version = ?`,
		t.ProviderRef, t.BankRef, t.State, t.Word, t.ReasonCode, t.Reason, t.Settled.Asset, t.Settled.Minor, t.Fee.Asset, t.Fee.Minor,
		t.Counter.Asset, t.Counter.Minor, t.Rate, t.Party, t.Digest, t.CredentialVersion, t.Reference, t.UpdatedAt, t.SentAt, t.SettledAt,
		t.SendAfter, t.ExpiresAt, t.NextAsk, t.Asks, t.Waits, t.Alert, t.ID, t.Version)
	if err != nil {
		return fmt.Errorf("update transaction: %w", err)
	}
	if n != 1 {
		return models.Errorf(models.Conflict, "Somebody changed this transaction at the same moment. Look at it again.")
	}
	t.Version++
	return nil
}

// transaction reads one row and locks it for the rest of a write transaction.
func (tx *Tx) transaction(id string) (*models.Transaction, error) {
	t, err := scanTransaction(tx.QueryRow("SELECT "+transactionColumns+" FROM transactions t WHERE t.id = ?"+tx.ForUpdate(), id))
	if IsNoRow(err) {
		return nil, models.Errorf(models.NotFound, "There is no such transaction.")
	}
	return t, err
}

func (tx *Tx) peekTransaction(where string, args ...any) (*models.Transaction, error) {
	t, err := scanTransaction(tx.QueryRow("SELECT "+transactionColumns+" FROM transactions t WHERE "+where+" LIMIT 1", args...))
	if IsNoRow(err) {
		return nil, models.Errorf(models.NotFound, "There is no such transaction.")
	}
	return t, err
}

func (tx *Tx) detail(id string) (*models.TransactionDetail, error) {
	var values, detail string
	if err := tx.QueryRow("SELECT values_json, detail_json FROM transaction_details WHERE transaction_id = ?", id).Scan(&values, &detail); err != nil {
		return nil, fmt.Errorf("read details: %w", err)
	}
	d := new(models.TransactionDetail)
	if err := json.Unmarshal([]byte(detail), d); err != nil {
		return nil, fmt.Errorf("decode details: %w", err)
	}
	if err := json.Unmarshal([]byte(values), &d.Values); err != nil {
		return nil, fmt.Errorf("decode values: %w", err)
	}
	return d, nil
}

// move brings a transaction into a state: the table of transitions is asked, the ledger follows, the totals follow, the timeline gets
// its line. It is the only place where a state changes.
func (tx *Tx) move(t *models.Transaction, before models.Figures, to models.State, by models.Cause, e models.Event) error {
	from := t.State
	if from != to && !models.CanBecome(t.Kind, from, to, by) {
		return models.Errorf(models.Conflict, "A %s that is %q cannot become %q this way.", t.Kind, from.Word(), to.Word())
	}
	if from != to {
		if err := tx.count(t, from, -1); err != nil {
			return err
		}
		t.State = to
		if err := tx.count(t, to, 1); err != nil {
			return err
		}
		t.Asks = 0
		if to.Final() && t.SettledAt == 0 {
			t.SettledAt = tx.Now
		}
		e.From, e.To = from, to
		if e.What == "" {
			e.What = "state"
		}
	}
	e.By, e.Figures = by, models.FiguresOf(t)
	id, err := tx.event(t, e)
	if err != nil {
		return err
	}
	postings := models.Postings(models.Position(t.Kind, from, before), models.Position(t.Kind, to, models.FiguresOf(t)))
	return tx.post(t, id, postings)
}

// event appends a line to the timeline.
func (tx *Tx) event(t *models.Transaction, e models.Event) (string, error) {
	figures := ""
	if e.From != "" || e.To != "" || e.What == "created" || e.What == "figures" {
		b, err := json.Marshal(models.FiguresOf(t))
		if err != nil {
			return "", fmt.Errorf("encode figures: %w", err)
		}
		figures = string(b)
	}
	id := models.NewID()
	err := tx.Exec(`INSERT INTO events (id, transaction_id, at_us, what, from_state, to_state, cause, actor_id, actor_name, sentence, figures_json)
		VALUES (?,?,?,?,?,?,?,?,?,?,?)`, id, t.ID, tx.Now, e.What, e.From, e.To, e.By, e.ActorID, e.ActorName, e.Sentence, figures)
	if err != nil {
		return "", fmt.Errorf("append to the timeline: %w", err)
	}
	return id, nil
}

func (tx *Tx) evidence(t *models.Transaction, attemptID, source, result, says, exchangeID string) error {
	return tx.Exec(`INSERT INTO evidence (id, transaction_id, attempt_id, at_us, source, result, says, exchange_id) VALUES (?,?,?,?,?,?,?,?)`,
		models.NewID(), t.ID, attemptID, tx.Now, source, result, says, exchangeID)
}

// The stories that pages tell are the domain's, by the names that this package uses.
type (
	TransactionPage = models.TransactionPage
	Note            = models.Note
	CredentialName  = models.CredentialName
	LedgerEntry     = models.LedgerEntry
)

// Transaction reads everything about one transaction in one environment. It needs transactions.read.
func (s *Store) Transaction(ctx context.Context, a models.Actor, env models.Environment, id string) (*TransactionPage, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	var p *TransactionPage
	err := s.View(ctx, func(tx *Tx) (err error) { p, err = tx.story(env, id); return err })
	return p, err
}

// storyLines bounds each list on the page of a transaction.
const storyLines = 500

// story reads everything that the page of a transaction tells.
func (tx *Tx) story(env models.Environment, id string) (*TransactionPage, error) {
	return tx.storyOf(env, id, storyLines)
}

func (tx *Tx) storyOf(env models.Environment, id string, lines int) (*TransactionPage, error) {
	t, err := tx.peekTransaction("t.id = ? AND t.environment = ?", id, env)
	if err != nil {
		return nil, err
	}
	p := &TransactionPage{Transaction: *t}
	d, err := tx.detail(id)
	if err != nil {
		return nil, err
	}
	p.Detail = *d
	if err := tx.timeline(p, lines); err != nil {
		return nil, err
	}
	if p.Approvals, err = tx.approvalsOf(id); err != nil {
		return nil, err
	}
	if p.Ledger, err = tx.ledgerOf(id, lines); err != nil {
		return nil, err
	}
	if p.Related, err = tx.related(t); err != nil {
		return nil, err
	}
	if p.Papers, err = tx.papersOf(id); err != nil {
		return nil, err
	}
	if t.Kind == models.Order {
		codes := codesShown
		if lines > storyLines {
			codes = lines
		}
		if p.CodesCount, err = tx.countCodes(id); err != nil {
			return nil, err
		}
		if p.Codes, err = tx.codesOf(id, 0, codes); err != nil {
			return nil, err
		}
	}
	p.Credential, err = tx.credentialName(t.CredentialID)
	return p, err
}

func (tx *Tx) related(t *models.Transaction) ([]models.Transaction, error) {
	where, arg := "t.of_id = ? AND t.of_id <> ''", t.ID // the second half lets SQLite use the partial index
	if t.OfID != "" {
		where, arg = "t.id = ?", t.OfID
	}
	var out []models.Transaction
	err := tx.Each(func(r *sql.Rows) error {
		x, err := scanTransaction(r)
		if err == nil {
			out = append(out, *x)
		}
		return err
	}, "SELECT "+transactionColumns+" FROM transactions t WHERE "+where+" ORDER BY t.created_us DESC LIMIT 100", arg)
	return out, err
}

func (tx *Tx) timeline(p *TransactionPage, lines int) error {
	id := p.Transaction.ID
	err := tx.Each(func(r *sql.Rows) error {
		var e models.Event
		p.Events = append(p.Events, e)
		x := &p.Events[len(p.Events)-1]
		return r.Scan(&x.ID, &x.At, &x.What, &x.From, &x.To, &x.By, &x.ActorID, &x.ActorName, &x.Sentence)
	}, `SELECT id, at_us, what, from_state, to_state, cause, actor_id, actor_name, sentence FROM events WHERE transaction_id = ? ORDER BY id LIMIT ?`, id, lines)
	if err != nil {
		return err
	}
	if p.Attempts, err = tx.attemptsOf(id); err != nil {
		return err
	}
	err = tx.Each(func(r *sql.Rows) error {
		var x models.Evidence
		err := r.Scan(&x.ID, &x.AttemptID, &x.At, &x.Source, &x.Result, &x.Says, &x.ExchangeID)
		p.Evidence = append(p.Evidence, x)
		return err
	}, `SELECT id, attempt_id, at_us, source, result, says, exchange_id FROM evidence WHERE transaction_id = ? ORDER BY id LIMIT ?`, id, lines)
	if err != nil {
		return err
	}
	return tx.Each(func(r *sql.Rows) error {
		var n Note
		err := r.Scan(&n.At, &n.Name, &n.Body)
		p.Notes = append(p.Notes, n)
		return err
	}, `SELECT at_us, user_name, body FROM notes WHERE transaction_id = ? ORDER BY id LIMIT ?`, id, lines)
}

// AddNote adds a remark to a transaction. It needs transactions.read and notes.write, and is audited.
func (s *Store) AddNote(ctx context.Context, a models.Actor, env models.Environment, id, body string) error {
	for _, p := range []models.Permission{models.TransactionsRead, models.NotesWrite} {
		if err := a.Require(p); err != nil {
			return err
		}
	}
	body, err := models.CleanText("note", body, 2000, true)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.peekTransaction("t.id = ? AND t.environment = ?", id, env)
		if err != nil {
			return err
		}
		if err := tx.Exec("INSERT INTO notes (id, transaction_id, at_us, user_id, user_name, body) VALUES (?,?,?,?,?,?)",
			models.NewID(), t.ID, tx.Now, a.UserID, a.Name, body); err != nil {
			return err
		}
		return tx.Audit(a, "transaction.note", "transaction", t.ID, nil, map[string]string{"note": body}, "Added a note to "+t.Reference)
	})
}

func (tx *Tx) credentialName(id string) (CredentialName, error) {
	c := CredentialName{ID: id}
	err := tx.QueryRow("SELECT name, provider, state FROM credentials WHERE id = ?", id).Scan(&c.Name, &c.Provider, &c.State)
	if IsNoRow(err) {
		return CredentialName{ID: id, Name: "removed credential"}, nil
	}
	return c, err
}
