package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"countinghouse/models"
)

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
