package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

const deliveryHead = `id, credential_id, provider, environment, topic, dedupe, received_us, state, trust, tries, processed_us, repeats, repeated_us,
	kind, reference, provider_ref, word, event, transaction_id, method, from_ip, digest, size, items, sentence, error`

const deliveryColumns = deliveryHead + ", path, query, header, body"

// A new row's parameters, in the order of deliveryColumns; what is the same in every new row stands as a literal.
const (
	deliveryWidth = 24
	deliveryMarks = "(?,?,?,?,?,?,?,?,?,0,0,0,0,?,?,?,?,?,'',?,?,?,?,?,?,'',?,?,?,?)"
)

func scanDelivery(r interface{ Scan(...any) error }, more ...any) (d models.Delivery, err error) {
	var items string
	err = r.Scan(append([]any{&d.ID, &d.CredentialID, &d.Provider, &d.Environment, &d.Topic, &d.Dedupe, &d.ReceivedAt, &d.State, &d.Trust, &d.Tries,
		&d.ProcessedAt, &d.Repeats, &d.RepeatedAt, &d.Kind, &d.Reference, &d.ProviderRef, &d.Word, &d.Event, &d.TransactionID, &d.Method, &d.From, &d.Digest,
		&d.Size, &items, &d.Sentence, &d.Error}, more...)...)
	if items != "" {
		d.Items = strings.Split(items, ",")
	}
	return d, err
}

// Delivery reads one inbound call whole. Permission webhooks.read.
func (s *Store) Delivery(ctx context.Context, actor models.Actor, id string) (models.Delivery, error) {
	if err := actor.Require(models.WebhooksRead); err != nil {
		return models.Delivery{}, err
	}
	return s.DeliveryForTask(ctx, id)
}

// DeliveryForTask is Delivery without asking who wants to know.
func (s *Store) DeliveryForTask(ctx context.Context, id string) (d models.Delivery, err error) {
	err = s.View(ctx, func(q *Tx) error {
		d, err = scanWhole(q.QueryRow("SELECT "+deliveryColumns+" FROM webhook_deliveries WHERE id = ?", id))
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such webhook delivery.")
		}
		return err
	})
	return d, err
}

// DeliveriesForTask reads several whole, by id; those that are gone are left out. For tasks.
func (s *Store) DeliveriesForTask(ctx context.Context, ids []string) (out map[string]models.Delivery, err error) {
	err = s.View(ctx, func(q *Tx) error {
		out = make(map[string]models.Delivery, len(ids))
		for some := range slices.Chunk(ids, idChunk) {
			if err := q.Each(func(r *sql.Rows) error {
				d, err := scanWhole(r)
				out[d.ID] = d
				return err
			}, "SELECT "+deliveryColumns+" FROM webhook_deliveries WHERE id IN ("+marks(len(some))+")", anys(some)...); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// idChunk is how many ids one statement names.
const idChunk = 200

// scanWhole reads a delivery with what it consists of.
func scanWhole(r interface{ Scan(...any) error }) (models.Delivery, error) {
	var path, query, header string
	var body []byte
	d, err := scanDelivery(r, &path, &query, &header, &body)
	if err != nil {
		return d, fmt.Errorf("read the delivery: %w", err)
	}
	d.Path, d.Query, d.Body = path, query, orNil(body)
	if err := json.Unmarshal([]byte(header), &d.Header); err != nil {
		return d, fmt.Errorf("read stored headers: %w", err)
	}
	return d, nil
}

// Deliveries lists inbound calls without headers and bodies, newest first. Permission webhooks.read.
func (s *Store) Deliveries(ctx context.Context, actor models.Actor, f models.DeliveryFilter) (list []models.Delivery, err error) {
	if err := actor.Require(models.WebhooksRead); err != nil {
		return nil, err
	}
	query, args := deliveriesQuery(f)
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		return q.Each(func(r *sql.Rows) error {
			d, err := scanDelivery(r)
			list = append(list, d)
			return err
		}, query, args...)
	})
	return list, err
}

// deliveriesQuery writes the list's query so that an index in the order of the list serves every filter that the page offers: the partial
// indexes are only used where their condition is said again.
func deliveriesQuery(f models.DeliveryFilter) (string, []any) {
	w := whereClause{}
	// Few deliveries carry one reference: they are found first, and || keeps the environment from being the way in.
	w.add("environment || '' = ?", f.Environment, f.Reference != "")
	w.add("environment = ?", f.Environment, f.Reference == "")
	if f.Trust == "forged" && f.State == "" {
		f.State = models.DeliveryRefused // the same deliveries, and rare
	}
	w.add("state = ?", f.State, f.State != "")
	w.add("provider = ?", f.Provider, f.Provider != "")
	w.add("credential_id = ?", f.CredentialID, f.CredentialID != "")
	w.add("topic = ?", f.Topic, f.Topic != "")
	w.add("trust = ?", f.Trust, f.Trust != "")
	w.add("transaction_id = ? AND transaction_id <> ''", f.TransactionID, f.TransactionID != "")
	w.add("received_us >= ?", f.From, f.From != 0)
	w.add("received_us < ?", f.To, f.To != 0)
	w.add("id < ?", f.Before, f.Before != "")
	if f.Reference != "" {
		w.conds = append(w.conds, `id IN (SELECT id FROM webhook_deliveries WHERE reference = ? AND reference <> ''
			UNION SELECT id FROM webhook_deliveries WHERE provider_ref = ? AND provider_ref <> '')`)
		w.args = append(w.args, f.Reference, f.Reference)
	}
	return "SELECT " + deliveryHead + " FROM webhook_deliveries" + w.text() + " ORDER BY id DESC LIMIT ?", append(w.args, listLimit(f.Limit, 200))
}

// CountDeliveries counts deliveries of a state, at most 1,000: enough for a badge, and never a scan of a big table. Permission webhooks.read.
func (s *Store) CountDeliveries(ctx context.Context, actor models.Actor, env models.Environment, state models.DeliveryState) (n int, err error) {
	if err := actor.Require(models.WebhooksRead); err != nil {
		return 0, err
	}
	err = s.View(ctx, func(q *Tx) error {
		return q.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries WHERE environment = ? AND state = ? LIMIT 1000) AS few", env, state).Scan(&n)
	})
	return n, err
}

// Reading is what came of reading one delivery.
type Reading struct {
	State         models.DeliveryState
	Error         string // a sentence, for failed and dead
	Kind          models.Kind
	Reference     string
	ProviderRef   string
	Word          string
	Event         string
	TransactionID string
}

// FinishDelivery records what came of reading a delivery, together with what f enqueues. A refused delivery is never touched. For tasks.
func (s *Store) FinishDelivery(ctx context.Context, id string, r Reading, f func(tx *Tx) error) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.FinishDelivery(id, r, f) })
}

// FinishDelivery is Store.FinishDelivery as a part of something larger.
func (tx *Tx) FinishDelivery(id string, r Reading, f func(tx *Tx) error) error {
	n, err := tx.Change(`UPDATE webhook_deliveries SET state = ?, error = ?, tries = tries + 1, processed_us = ?, kind = ?, reference = ?, provider_ref = ?, word = ?,
		event = ?, transaction_id = ? WHERE id = ? AND state <> ?`, r.State, shorten(clean(r.Error), 500), tx.Now, r.Kind, clean(shorten(r.Reference, 200)),
		clean(shorten(r.ProviderRef, 200)), clean(shorten(r.Word, 100)), clean(shorten(r.Event, 100)), r.TransactionID, id, models.DeliveryRefused)
	if err != nil {
		return fmt.Errorf("record the reading: %w", err)
	}
	if n == 0 || f == nil {
		return nil
	}
	return f(tx)
}

// Finished is a delivery, as it was when it was read, and what came of reading it.
type Finished struct {
	Delivery models.Delivery
	Reading
}

// nothingNew reports that the reading says of the call what was noted when it came, so that only its state changes.
func (f Finished) nothingNew() bool {
	d := f.Delivery
	return f.Kind == d.Kind && f.Reference == d.Reference && f.ProviderRef == d.ProviderRef && f.Word == d.Word && f.Event == d.Event && f.TransactionID == d.TransactionID
}

// FinishDeliveries is FinishDelivery for many, and tells which were written: not those that are refused or gone. Those that end alike and of
// which nothing new was learnt share a statement.
func (tx *Tx) FinishDeliveries(list []Finished) (written map[string]bool, err error) {
	type end struct {
		state models.DeliveryState
		error string
	}
	written = make(map[string]bool, len(list))
	alike := map[end][]string{}
	for _, f := range list {
		if f.nothingNew() {
			e := end{f.State, f.Error}
			alike[e] = append(alike[e], f.Delivery.ID)
			continue
		}
		err := tx.FinishDelivery(f.Delivery.ID, f.Reading, func(*Tx) error { written[f.Delivery.ID] = true; return nil })
		if err != nil {
			return nil, err
		}
	}
	for e, ids := range alike {
		for some := range slices.Chunk(ids, idChunk) {
			args := append([]any{e.state, shorten(clean(e.error), 500), tx.Now, models.DeliveryRefused}, anys(some)...)
			done, err := tx.texts("UPDATE webhook_deliveries SET state = ?, error = ?, tries = tries + 1, processed_us = ? WHERE state <> ? AND id IN ("+marks(len(some))+") RETURNING id", args...)
			if err != nil {
				return nil, fmt.Errorf("record readings: %w", err)
			}
			for _, id := range done {
				written[id] = true
			}
		}
	}
	return written, nil
}

// ReplayDelivery puts a stored delivery back in the queue. A refused one stays refused: its signature was wrong. enqueue puts the job into the
// same transaction. Permission webhooks.replay.
func (s *Store) ReplayDelivery(ctx context.Context, actor models.Actor, id string, enqueue func(tx *Tx, ids []string) error) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := actor.Require(models.WebhooksReplay); err != nil {
			return err
		}
		var state models.DeliveryState
		var topic string
		err := tx.QueryRow("SELECT state, topic FROM webhook_deliveries WHERE id = ?"+tx.ForUpdate(), id).Scan(&state, &topic)
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such webhook delivery.")
		}
		if err != nil {
			return fmt.Errorf("read the delivery: %w", err)
		}
		if state == models.DeliveryRefused {
			return models.Errorf(models.Conflict, "Its signature was wrong, so it is never read. Ask the provider to send it again.")
		}
		if err := tx.Exec("UPDATE webhook_deliveries SET state = ?, tries = 0, error = '' WHERE id = ?", models.DeliveryReceived, id); err != nil {
			return fmt.Errorf("put the delivery back: %w", err)
		}
		if err := enqueue(tx, []string{id}); err != nil {
			return err
		}
		return tx.Audit(actor, "webhook.replay", "webhook", id, map[string]any{"state": state}, map[string]any{"state": models.DeliveryReceived},
			fmt.Sprintf("Replayed a %s webhook.", topic))
	})
}

// ReceivedDeliveries finds deliveries of a credential that were not read yet, oldest first, after an id. For tasks.
func (s *Store) ReceivedDeliveries(ctx context.Context, credentialID, after string, limit int) (ids []string, err error) {
	err = s.View(ctx, func(q *Tx) error {
		ids, err = q.texts("SELECT id FROM webhook_deliveries WHERE environment = (SELECT environment FROM credentials WHERE id = ?) AND state = ? AND id > ? AND credential_id = ? ORDER BY id LIMIT "+limited(limit),
			credentialID, models.DeliveryReceived, after, credentialID)
		return err
	})
	return ids, err
}

// StrayDeliveries finds the credentials for which a delivery was stored before a moment and not read: what a lost job would leave behind. It
// looks at the oldest of them. For tasks.
func (s *Store) StrayDeliveries(ctx context.Context, before models.Micros) (credentials []string, err error) {
	err = s.View(ctx, func(q *Tx) error {
		credentials = nil
		for _, env := range []models.Environment{models.Live, models.Sandbox} {
			more, err := q.texts("SELECT DISTINCT credential_id FROM (SELECT credential_id FROM webhook_deliveries WHERE environment = ? AND state = ? AND received_us < ? ORDER BY id LIMIT 200) x",
				env, models.DeliveryReceived, before)
			if err != nil {
				return err
			}
			credentials = append(credentials, more...)
		}
		return nil
	})
	return credentials, err
}

// PruneDeliveries deletes deliveries received before a moment, in small transactions, and tells how many. Those that a transaction's evidence
// or a contract item rests on stay.
func (s *Store) PruneDeliveries(ctx context.Context, before models.Micros) (gone int64, err error) {
	for {
		var n int64
		if err := s.Update(ctx, func(tx *Tx) (err error) {
			n, err = tx.Change(`DELETE FROM webhook_deliveries WHERE id IN (SELECT d.id FROM webhook_deliveries d WHERE d.environment IN ('live', 'sandbox') AND d.received_us < ?
				AND d.transaction_id = '' AND NOT EXISTS (SELECT 1 FROM contract_evidence e WHERE e.delivery_id = d.id) LIMIT 500)`, before)
			return err
		}); err != nil {
			return gone, fmt.Errorf("delete old deliveries: %w", err)
		}
		if gone += n; n == 0 {
			return gone, nil
		}
	}
}
