package store

import (
	"context"

	"countinghouse/models"
)

// FilledDestination is a destination with its life so far, for the demonstration and the benchmarks.
type FilledDestination struct {
	New      NewDestination
	By       models.Actor
	At       models.Micros
	State    models.DestinationState // waiting, approved, rejected or revoked
	Approver string
	Usable   models.Micros
	Reason   string
}

// FillDestinations writes many destinations in bulk and without asking anybody, until next gives nil. Those that wait get their request. It must only
// be used on a database that nobody works with.
func (s *Store) FillDestinations(ctx context.Context, next func() *FilledDestination) (n int, err error) {
	for done := false; !done; {
		err := s.Update(ctx, func(tx *Tx) error {
			rows := newDestinationRows(tx)
			events := newBulk(tx, "destination_events", "id, destination_id, at_us, what, actor_name, sentence")
			events.after = rows.rows
			var waiting []*models.Destination
			var makers []models.Actor
			for range fillBatch {
				x := next()
				if x == nil {
					done = true
					break
				}
				d, err := tx.draftDestination(x.By, x.New)
				if err != nil {
					return err
				}
				d.CreatedAt, d.Stored, d.UsableFrom, d.Reason = x.At, x.State, x.Usable, x.Reason
				if x.State != models.DestinationWaiting {
					d.DecidedAt, d.DecidedByName = x.At.Add(3600*1_000_000_000), x.Approver
				}
				if x.State == models.DestinationRevoked || x.State == models.DestinationRejected {
					d.EndedAt, d.EndedByName = x.At.Add(7200*1_000_000_000), x.Approver
				}
				if err := rows.add(d, x.New.Spec); err != nil {
					return err
				}
				if err := events.row(models.NewID(), d.ID, x.At, "created", x.By.Name, "Added by "+x.By.Name); err != nil {
					return err
				}
				if d.DecidedAt != 0 {
					word := "Approved by "
					if x.State == models.DestinationRejected {
						word = "Rejected by "
					}
					if err := events.row(models.NewID(), d.ID, d.DecidedAt, "decided", x.Approver, word+x.Approver); err != nil {
						return err
					}
				}
				if x.State == models.DestinationWaiting {
					waiting, makers = append(waiting, d), append(makers, x.By)
				}
				n++
			}
			if err := rows.flush(); err != nil {
				return err
			}
			if err := events.flush(); err != nil {
				return err
			}
			for i, d := range waiting {
				if err := tx.askForDestination(makers[i], d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
