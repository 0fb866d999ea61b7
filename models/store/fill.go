package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"countinghouse/models"
)

// History is one finished transaction with the story behind it, for the demonstration and the benchmarks.
type History struct {
	Transaction models.Transaction
	Detail      models.TransactionDetail
	Events      []models.Event // in order; each with its own At; states and figures as move would have written them
	Evidence    []models.Evidence
	ApprovedBy  []Decision
	Rule        string
}

// fillBatch is how many transactions one commit of Fill holds.
const fillBatch = 5000

// Fill writes many transactions with their timelines, attempts, approvals and ledger lines, in bulk and without the checks of Create, until
// next gives nil. With rowsOnly it writes the bare rows, which is all that lists read. It must only be used on a database that nobody works
// with; it counts everything anew at the end.
func (s *Store) Fill(ctx context.Context, next func() *History, rowsOnly bool) (n int, err error) {
	write := func() (err error) {
		n, err = s.fill(ctx, next, rowsOnly)
		return err
	}
	if rowsOnly {
		err = s.withoutIndexes(ctx, write)
	} else {
		err = write()
	}
	if err != nil {
		return n, fmt.Errorf("fill: %w", err)
	}
	return n, s.Update(ctx, func(tx *Tx) error {
		if err := tx.rebuildTotals(); err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM ledger_accounts"); err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO ledger_accounts (environment, credential_id, account, asset, minor)
			SELECT environment, credential_id, account, asset, SUM(minor) FROM ledger_entries GROUP BY environment, credential_id, account, asset`)
	})
}

func (s *Store) fill(ctx context.Context, next func() *History, rowsOnly bool) (n int, err error) {
	for done := false; !done; {
		err := s.Update(ctx, func(tx *Tx) error {
			f := newFiller(tx, rowsOnly)
			for range fillBatch {
				h := next()
				if h == nil {
					done = true
					break
				}
				if err := f.add(h); err != nil {
					return err
				}
				n++
			}
			return f.flush()
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// bulk collects rows of one table and inserts them many at a time.
type bulk struct {
	tx      *Tx
	insert  string
	columns int
	args    []any
	full    string // the statement for a full load, made once
	load    int
	after   *bulk // rows of that table must be there first
}

func newBulk(tx *Tx, table, columns string) *bulk {
	n := strings.Count(columns, ",") + 1
	b := &bulk{tx: tx, insert: "INSERT INTO " + table + " (" + columns + ") VALUES ", columns: n, load: max(1, tx.Store.fewArgs()/n)}
	b.full = b.insert + b.marks(b.load)
	return b
}

func (b *bulk) marks(rows int) string {
	one := "(?" + strings.Repeat(",?", b.columns-1) + ")"
	return one + strings.Repeat(","+one, rows-1)
}

func (b *bulk) row(args ...any) error {
	b.args = append(b.args, args...)
	if len(b.args) < b.load*b.columns {
		return nil
	}
	if b.after != nil {
		if err := b.after.flush(); err != nil {
			return err
		}
	}
	err := b.tx.Exec(b.full, b.args...)
	b.args = b.args[:0]
	return err
}

func (b *bulk) flush() error {
	if len(b.args) == 0 {
		return nil
	}
	err := b.tx.Exec(b.insert+b.marks(len(b.args)/b.columns), b.args...)
	b.args = b.args[:0]
	return err
}

type filler struct {
	rowsOnly                                                               bool
	rows, details, events, attempts, evidence, requests, approvals, ledger *bulk
}

func newFiller(tx *Tx, rowsOnly bool) *filler {
	f := &filler{
		rowsOnly: rowsOnly,
		rows: newBulk(tx, "transactions", `id, environment, kind, provider, credential_id, method, reference, provider_ref, bank_ref, state, word, reason_code, reason,
			asset, minor, settled_asset, settled_minor, fee_asset, fee_minor, counter_asset, counter_minor, rate, party, destination_id, destination_digest, sub_account, batch_id,
			of_id, digest, credential_version, created_us, updated_us, created_by, created_by_name, sent_us, settled_us, next_ask_us, waits, alert`),
		details:  newBulk(tx, "transaction_details", "transaction_id, values_json, detail_json"),
		events:   newBulk(tx, "events", "id, transaction_id, at_us, what, from_state, to_state, cause, actor_id, actor_name, sentence, figures_json"),
		attempts: newBulk(tx, "attempts", "id, transaction_id, number, operation, reference, digest, state, started_us, deadline_us, finished_us, message, instance"),
		evidence: newBulk(tx, "evidence", "id, transaction_id, attempt_id, at_us, source, result, says"),
		requests: newBulk(tx, "approval_requests", `id, environment, subject, subject_id, digest, title, rule, needed, role, permission, state, created_us, created_by,
			created_by_name, expires_us, decided_us`),
		approvals: newBulk(tx, "approvals", "request_id, user_id, user_name, decision, reason, digest, at_us"),
		ledger:    newBulk(tx, "ledger_entries", "id, transaction_id, event_id, at_us, environment, credential_id, account, asset, minor"),
	}
	for _, b := range []*bulk{f.details, f.events, f.attempts, f.evidence} {
		b.after = f.rows
	}
	f.approvals.after = f.requests
	return f
}

func (f *filler) flush() error {
	for _, b := range []*bulk{f.rows, f.details, f.events, f.attempts, f.evidence, f.requests, f.approvals, f.ledger} {
		if err := b.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) add(h *History) error {
	t := &h.Transaction
	err := f.rows.row(t.ID, t.Environment, t.Kind, t.Provider, t.CredentialID, t.Method, t.Reference, t.ProviderRef, t.BankRef, t.State, t.Word, t.ReasonCode,
		t.Reason, t.Amount.Asset, t.Amount.Minor, t.Settled.Asset, t.Settled.Minor, t.Fee.Asset, t.Fee.Minor, t.Counter.Asset, t.Counter.Minor, t.Rate, t.Party,
		t.DestinationID, t.DestinationDigest, t.SubAccount, t.BatchID, t.OfID, t.Digest, t.CredentialVersion, t.CreatedAt, t.UpdatedAt, t.CreatedBy,
		t.CreatedByName, t.SentAt, t.SettledAt, t.NextAsk, t.Waits, t.Alert)
	if err != nil || f.rowsOnly {
		return err
	}
	rest := h.Detail
	rest.Values = nil
	values, err := json.Marshal(h.Detail.Values)
	if err != nil {
		return err
	}
	detail, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	if err := f.details.row(t.ID, string(values), string(detail)); err != nil {
		return err
	}
	if err := f.story(h); err != nil {
		return err
	}
	return f.people(h)
}

// story writes the timeline and posts the ledger lines of every step, by the same rule as the engine.
func (f *filler) story(h *History) error {
	t := &h.Transaction
	state, figures := models.Draft, models.Figures{}
	for _, e := range h.Events {
		id, text := models.NewID(), ""
		if e.To != "" || e.What == "created" {
			b, err := json.Marshal(e.Figures)
			if err != nil {
				return err
			}
			text = string(b)
		}
		if err := f.events.row(id, t.ID, e.At, e.What, e.From, e.To, e.By, e.ActorID, e.ActorName, e.Sentence, text); err != nil {
			return err
		}
		if e.To == "" {
			continue
		}
		for _, p := range models.Postings(models.Position(t.Kind, state, figures), models.Position(t.Kind, e.To, e.Figures)) {
			if err := f.ledger.row(models.NewID(), t.ID, id, e.At, t.Environment, t.CredentialID, p.Account, p.Money.Asset, p.Money.Minor); err != nil {
				return err
			}
		}
		state, figures = e.To, e.Figures
	}
	for _, e := range h.Evidence {
		if err := f.evidence.row(models.NewID(), t.ID, "", e.At, e.Source, e.Result, e.Says); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) people(h *History) error {
	t := &h.Transaction
	if t.SentAt > 0 {
		state := models.AttemptAccepted
		switch t.State {
		case models.Failed:
			state = models.AttemptRefused
		case models.Unknown:
			state = models.AttemptUnknown
		}
		if err := f.attempts.row(models.NewID(), t.ID, 1, models.OpSend, t.Reference, t.Digest, state, t.SentAt, t.SentAt.Add(attemptTime), t.SentAt.Add(400_000_000), "", "history"); err != nil {
			return err
		}
	}
	if h.Rule == "" {
		return nil
	}
	state := "approved"
	switch t.State {
	case models.AwaitingApproval:
		state = "open"
	case models.Rejected:
		state = "rejected"
	case models.Expired:
		state = "expired"
	}
	id := models.NewID()
	decided := models.Micros(0)
	if len(h.ApprovedBy) > 0 && state != "open" {
		decided = h.ApprovedBy[len(h.ApprovedBy)-1].At
	}
	needed := 1
	if state == "approved" {
		needed = max(1, len(h.ApprovedBy))
	}
	if err := f.requests.row(id, t.Environment, "transaction", t.ID, t.Digest, fmt.Sprintf("%s %s to %s", t.Kind, t.Amount, t.Party), h.Rule, needed, models.Finance,
		models.PayoutsApprove, state, t.CreatedAt, t.CreatedBy, t.CreatedByName, t.CreatedAt.Add(24*3600*1_000_000_000), decided); err != nil {
		return err
	}
	for _, d := range h.ApprovedBy {
		if err := f.approvals.row(id, d.UserID, d.Name, d.Decision, d.Reason, t.Digest, d.At); err != nil {
			return err
		}
	}
	return nil
}
