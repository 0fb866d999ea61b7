package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"countinghouse/models"
)

// intakeGroup is how many deliveries share one commit at most.
const intakeGroup = 64

// touchEvery bounds how often a flood of deliveries moves a credential's "last webhook".
const touchEvery = 5 * 1_000_000 // microseconds

// Intake stores inbound calls in groups: one writer takes what has gathered when its turn to write has come, at most 64, and commits it together
// with the jobs that read it. Each caller gets its answer only after the commit that holds its delivery. One fsync then serves many.
type Intake struct {
	store   *Store
	enqueue func(tx *Tx, credentials []string) error
	queue   chan *arrival

	closing sync.RWMutex
	closed  bool
	stopped chan struct{}
	touched map[string]models.Micros // the writer's own
}

type arrival struct {
	delivery models.Delivery
	answer   chan Kept
}

// Kept is what became of a stored delivery.
type Kept struct {
	ID     string // of the row that holds the event: the first one's when this was a repeat
	Repeat bool
	Err    error
}

// NewIntake starts the writer. enqueue puts the jobs that read what came for the given credentials into the same transaction. Close stops it.
func (s *Store) NewIntake(enqueue func(tx *Tx, credentials []string) error) *Intake {
	in := &Intake{store: s, enqueue: enqueue, queue: make(chan *arrival, 4*intakeGroup), stopped: make(chan struct{}), touched: map[string]models.Micros{}}
	go in.write()
	return in
}

// Keep stores one delivery durably before it returns. When the caller's time runs out first, it gets an error and the provider must send
// again; the delivery may have been stored all the same, which the dedupe key makes harmless.
func (in *Intake) Keep(ctx context.Context, d models.Delivery) Kept {
	a := &arrival{delivery: d, answer: make(chan Kept, 1)}
	in.closing.RLock()
	if in.closed {
		in.closing.RUnlock()
		return Kept{Err: models.Errorf(models.Unavailable, "The program is stopping. Send it again in a moment.")}
	}
	select {
	case in.queue <- a:
		in.closing.RUnlock()
	case <-ctx.Done():
		in.closing.RUnlock()
		return Kept{Err: models.Errorf(models.Unavailable, "Too much arrives at once. Send it again in a moment.")}
	}
	select {
	case k := <-a.answer:
		return k
	case <-ctx.Done():
		return Kept{Err: models.Errorf(models.Unavailable, "It could not be stored in time. Send it again in a moment.")}
	}
}

// Close lets what has arrived be committed and stops the writer.
func (in *Intake) Close() {
	in.closing.Lock()
	if !in.closed {
		in.closed = true
		close(in.queue)
	}
	in.closing.Unlock()
	<-in.stopped
}

func (in *Intake) write() {
	defer close(in.stopped)
	for a := range in.queue {
		in.commit([]*arrival{a}, intakeGroup)
	}
}

// gather adds what has arrived meanwhile.
func (in *Intake) gather(group []*arrival, limit int) []*arrival {
	for len(group) < limit {
		select {
		case more, open := <-in.queue:
			if !open {
				return group
			}
			group = append(group, more)
		default:
			return group
		}
	}
	return group
}

// commit stores a group, to which it adds up to a limit. If it fails as a whole, each delivery gets a try of its own, so that one that the
// database will not take cannot turn the others away.
func (in *Intake) commit(group []*arrival, limit int) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	group, kept, err := in.put(ctx, group, limit)
	if err != nil && len(group) > 1 && models.CodeOf(err) != models.Unavailable {
		for _, a := range group {
			in.commit([]*arrival{a}, 1)
		}
		return
	}
	for i, a := range group {
		if err != nil {
			a.answer <- Kept{Err: err}
		} else {
			a.answer <- kept[i]
		}
	}
}

func (in *Intake) put(ctx context.Context, first []*arrival, limit int) (group []*arrival, kept []Kept, err error) {
	var touched map[string]models.Micros
	group = first
	err = in.store.Update(ctx, func(tx *Tx) (err error) {
		group = in.gather(group, limit) // now, because on SQLite the turn to write may have been long in coming
		var work []string
		if kept, work, err = tx.insertDeliveries(group); err != nil {
			return err
		}
		if touched, err = in.touch(tx, group); err != nil {
			return err
		}
		if len(work) == 0 {
			return nil
		}
		return in.enqueue(tx, work)
	})
	if err == nil {
		for id, at := range touched {
			in.touched[id] = at
		}
	}
	return group, kept, err
}

// touch notes the last delivery that was not forged, at most every few seconds per credential.
func (in *Intake) touch(tx *Tx, group []*arrival) (map[string]models.Micros, error) {
	touched := map[string]models.Micros{}
	for _, a := range group {
		d := a.delivery
		if d.State == models.DeliveryRefused || touched[d.CredentialID] != 0 || d.ReceivedAt < in.touched[d.CredentialID]+touchEvery {
			continue
		}
		touched[d.CredentialID] = d.ReceivedAt
		if err := tx.touch(d.CredentialID, models.CredentialUse{WebhookAt: d.ReceivedAt}); err != nil {
			return nil, err
		}
	}
	return touched, nil
}

type dedupeKey struct{ credential, topic, dedupe string }

func keyOf(d models.Delivery) dedupeKey { return dedupeKey{d.CredentialID, d.Topic, d.Dedupe} }

// insertDeliveries writes a group and counts repeats. work are the credentials for which there is something to read: new deliveries that are not
// refused, and dead ones that came again, for which the repeat is a fresh reason to try.
func (tx *Tx) insertDeliveries(group []*arrival) (kept []Kept, work []string, err error) {
	first := map[dedupeKey]string{} // key → id of the first in this group
	var fresh []models.Delivery
	for _, a := range group {
		if _, seen := first[keyOf(a.delivery)]; !seen {
			first[keyOf(a.delivery)] = a.delivery.ID
			fresh = append(fresh, a.delivery)
		}
	}
	inserted, err := tx.insertFresh(fresh)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range fresh {
		if inserted[d.ID] && d.State == models.DeliveryReceived && !slices.Contains(work, d.CredentialID) {
			work = append(work, d.CredentialID)
		}
	}
	for _, a := range group {
		d := a.delivery
		if inserted[d.ID] {
			kept = append(kept, Kept{ID: d.ID})
			continue
		}
		id, again, err := tx.repeated(d)
		if err != nil {
			return nil, nil, err
		}
		if again && !slices.Contains(work, d.CredentialID) {
			work = append(work, d.CredentialID)
		}
		kept = append(kept, Kept{ID: id, Repeat: true})
	}
	return kept, work, nil
}

// insertChunk is how many rows share a statement: the SQLite driver's work per statement grows with the square of its parameters, and on
// PostgreSQL each statement is a round trip.
func (s *Store) insertChunk() int {
	if s.Engine == Postgres {
		return intakeGroup
	}
	return 12
}

func (tx *Tx) insertFresh(list []models.Delivery) (map[string]bool, error) {
	inserted := make(map[string]bool, len(list))
	for chunk := range slices.Chunk(list, tx.Store.insertChunk()) {
		if err := tx.insertSome(chunk, inserted); err != nil {
			return nil, err
		}
	}
	return inserted, nil
}

func (tx *Tx) insertSome(list []models.Delivery, inserted map[string]bool) error {
	var b strings.Builder
	args := make([]any, 0, len(list)*deliveryWidth)
	b.WriteString("INSERT INTO webhook_deliveries (" + deliveryColumns + ") VALUES ")
	for i, d := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(deliveryMarks)
		header, err := headerText(d.Header)
		if err != nil {
			return err
		}
		args = append(args, d.ID, d.CredentialID, d.Provider, d.Environment, d.Topic, d.Dedupe, d.ReceivedAt, d.State, d.Trust,
			d.Kind, clean(shorten(d.Reference, 200)), clean(shorten(d.ProviderRef, 200)), clean(shorten(d.Word, 100)), clean(shorten(d.Event, 100)), d.Method, d.From, d.Digest, d.Size,
			strings.Join(d.Items, ","), clean(d.Sentence), clean(d.Path), clean(d.Query), header, body(d.Body))
	}
	b.WriteString(" ON CONFLICT (credential_id, topic, dedupe) DO NOTHING RETURNING id")
	err := tx.Each(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		inserted[id] = true
		return err
	}, b.String(), args...)
	if err != nil {
		return fmt.Errorf("insert deliveries: %w", err)
	}
	return nil
}

func body(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// repeated counts a repeat on the row that holds the event. again tells that it was dead and is tried once more.
func (tx *Tx) repeated(d models.Delivery) (id string, again bool, err error) {
	var state models.DeliveryState
	err = tx.QueryRow(`UPDATE webhook_deliveries SET repeats = repeats + 1, repeated_us = ? WHERE credential_id = ? AND topic = ? AND dedupe = ? RETURNING id, state`,
		d.ReceivedAt, d.CredentialID, d.Topic, d.Dedupe).Scan(&id, &state)
	if err != nil {
		return "", false, fmt.Errorf("count the repeat: %w", err)
	}
	if state != models.DeliveryDead {
		return id, false, nil
	}
	if err := tx.Exec("UPDATE webhook_deliveries SET state = ?, tries = 0, error = '' WHERE id = ?", models.DeliveryReceived, id); err != nil {
		return "", false, errors.Join(errors.New("revive a dead delivery"), err)
	}
	return id, true, nil
}
