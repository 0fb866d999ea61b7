package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"countinghouse/models"
)

// checkDestination holds a payout to its destination: usable, of the same environment, of this provider and method, and with exactly its values.
// A payout without one is let through only where that is allowed for its credential, and never to a place that was revoked.
func (tx *Tx) checkDestination(t *models.Transaction, d *models.TransactionDetail) error {
	if t.Kind != models.Payout {
		return nil
	}
	if t.DestinationID == "" {
		return tx.checkRaw(t)
	}
	to, err := tx.destination(t.DestinationID)
	if err != nil {
		return err
	}
	if to.Environment != t.Environment {
		return models.FieldErrorf("destination", "There is no such destination in %s.", t.Environment)
	}
	g, err := tx.guard(to.Environment)
	if err != nil {
		return err
	}
	if err := unusable(to, to.StateAt(tx.Now, g)); err != nil {
		return err
	}
	if !to.Fits(t.Provider, t.Method) {
		return models.FieldErrorf("destination", "The destination %s cannot be paid in this way.", to.Name)
	}
	if to.Currency != "" && to.Currency != t.Amount.Asset {
		return models.FieldErrorf("asset", "The destination %s is paid in %s only.", to.Name, to.Currency)
	}
	if err := tx.openContents(to); err != nil {
		return err
	}
	entry := ""
	if d.Book != "" || to.EntryField != "" {
		if entry, err = tx.usableEntry(to, t.CredentialID); err != nil {
			return err
		}
	}
	if !to.Matches(d.Values, entry) {
		return models.FieldErrorf("destination", "What this payout says about where the money goes is not what the destination %s says.", to.Name)
	}
	return nil
}

// unusable says in words why nothing can be paid to a destination.
func unusable(to *models.Destination, state models.DestinationState) error {
	switch state {
	case models.DestinationUsable:
		return nil
	case models.DestinationCooling:
		return models.FieldErrorf("destination", "The destination %s can be used from %s UTC: a new one waits before its first payout.", to.Name, to.UsableFrom.Time().UTC().Format("2006-01-02 15:04"))
	case models.DestinationWaiting:
		return models.FieldErrorf("destination", "The destination %s waits for a second person.", to.Name)
	case models.DestinationSuperseded:
		return models.FieldErrorf("destination", "The destination %s was replaced by a newer version. Use that one.", to.Name)
	case models.DestinationRevoked:
		return models.FieldErrorf("destination", "The destination %s was revoked by %s: %s", to.Name, to.EndedByName, to.Reason)
	}
	return models.FieldErrorf("destination", "The destination %s was not approved.", to.Name)
}

func (tx *Tx) checkRaw(t *models.Transaction) error {
	yes, err := tx.rawAllowed(t.CredentialID, t.Environment)
	if err != nil {
		return err
	}
	if !yes {
		return models.FieldErrorf("destination", "Payouts by this credential go to approved destinations only. Choose one, or add it under Destinations.")
	}
	pay, err := tx.Store.fingerprint("pay", t.DestinationDigest)
	if err != nil || pay == "" {
		return err
	}
	list, err := tx.destinationsWhere("d.environment = ? AND d.pay_print = ? AND d.pay_print <> '' ORDER BY d.created_us DESC LIMIT 20", t.Environment, pay)
	if err != nil {
		return err
	}
	var revoked *models.Destination
	for i := range list {
		switch list[i].Stored {
		case models.DestinationApproved, models.DestinationWaiting:
			return nil
		case models.DestinationRevoked:
			if revoked == nil {
				revoked = &list[i]
			}
		}
	}
	if revoked != nil {
		return models.FieldErrorf("destination", "This place was a destination, %s, and was revoked by %s: %s", revoked.Name, revoked.EndedByName, revoked.Reason)
	}
	return nil
}

// checkAgain holds an approved payout to its destination right before it is sent. What does not hold any more is called off, in words.
func (tx *Tx) checkAgain(t *models.Transaction, d *models.TransactionDetail) (bool, error) {
	err := tx.checkDestination(t, d)
	switch {
	case err == nil:
		return true, nil
	case !models.Is(err, models.Invalid) && !models.Is(err, models.Conflict) && !models.Is(err, models.NotFound):
		return false, err
	}
	why := "Not sent. " + sentenceOfError(err)
	t.Reason, t.Waits, t.ExpiresAt, t.SendAfter = why, "", 0, 0
	if err := tx.move(t, models.FiguresOf(t), models.Cancelled, models.ByTask, models.Event{What: "cancelled", Sentence: why}); err != nil {
		return false, err
	}
	return false, tx.save(t)
}

func sentenceOfError(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return strings.TrimSpace(e.Sentence)
	}
	return strings.TrimSpace(err.Error())
}

// DestinationChoice is a destination that a payout by a credential can go to, or the reason why not yet.
type DestinationChoice struct {
	Destination models.Destination
	State       models.DestinationState
	Why         string // why it cannot be used now; empty: it can
}

// DestinationsFor lists up to limit destinations for a way to pay: the form's own, newest first, narrowed by a search. Those that cannot be used
// yet come with the reason. It needs payouts.create.
func (s *Store) DestinationsFor(ctx context.Context, a models.Actor, env models.Environment, credentialID string, book models.Book, forms []string, network []string, search string, limit int) (out []DestinationChoice, err error) {
	if err := a.Require(models.PayoutsCreate); err != nil {
		return nil, err
	}
	if len(forms) == 0 {
		return nil, nil
	}
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		list, err := tx.findDestinations(env, forms, network, search, limit)
		if err != nil {
			return err
		}
		for i := range list {
			c, err := tx.choice(&list[i], g, credentialID, book)
			if err != nil {
				return err
			}
			if c.State != models.DestinationSuperseded {
				out = append(out, c)
			}
		}
		return nil
	})
	return out, err
}

// choice says whether a payout by a credential can go to a destination now, or why not. Without a credential only the destination itself is looked at.
func (tx *Tx) choice(d *models.Destination, g models.DestinationGuard, credentialID string, book models.Book) (DestinationChoice, error) {
	c := DestinationChoice{Destination: *d, State: d.StateAt(tx.Now, g)}
	if err := unusable(d, c.State); err != nil {
		c.Why = sentenceOfError(err)
		return c, nil
	}
	if credentialID != "" && (book != "" || d.EntryField != "") {
		_, err := tx.usableEntry(d, credentialID)
		if models.Is(err, models.Invalid) {
			c.Why, err = sentenceOfError(err), nil
		}
		return c, err
	}
	return c, nil
}

// DestinationFor names one destination for a way to pay, masked, with the reason where it cannot be used now. Without a credential only the destination
// itself is looked at. It needs payouts.create.
func (s *Store) DestinationFor(ctx context.Context, a models.Actor, env models.Environment, id, credentialID string, book models.Book) (c DestinationChoice, err error) {
	if err := a.Require(models.PayoutsCreate); err != nil {
		return c, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		d, err := tx.destination(id)
		if err != nil {
			return err
		}
		if d.Environment != env {
			return models.Errorf(models.NotFound, "There is no such destination in %s.", env)
		}
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		c, err = tx.choice(d, g, credentialID, book)
		return err
	})
	return c, err
}

// findDestinations reads waiting and approved destinations of some forms; each form is read from its place in the index.
func (tx *Tx) findDestinations(env models.Environment, forms, networks []string, search string, limit int) ([]models.Destination, error) {
	var parts []string
	var args []any
	more, moreArgs, _, err := tx.searchCondition(env, search)
	if err != nil {
		return nil, err
	}
	if len(networks) > 0 {
		more += " AND (d.network = '' OR d.network IN (" + marks(len(networks)) + "))"
		for _, n := range networks {
			moreArgs = append(moreArgs, n)
		}
	}
	for _, f := range forms {
		for _, state := range []string{"approved", "waiting"} {
			parts = append(parts, "SELECT * FROM (SELECT d.id, d.created_us FROM destinations d"+tx.Store.by("destinations_form")+
				" WHERE d.environment = ? AND d.form = ? AND d.state = ?"+more+fmt.Sprintf(" ORDER BY d.created_us DESC, d.id DESC LIMIT %d) x", limit))
			args = append(append(args, env, f, state), moreArgs...)
		}
	}
	return tx.destinationsWhere("d.id IN (SELECT id FROM ("+strings.Join(parts, " UNION ALL ")+") u) ORDER BY d.state, d.created_us DESC, d.id DESC"+fmt.Sprintf(" LIMIT %d", limit), args...)
}

// UseDestination opens a usable destination for the payout that a person is making, with the id of its entry in the credential's book where there is
// one. It needs payouts.create; that the person saw it is written down.
func (s *Store) UseDestination(ctx context.Context, a models.Actor, env models.Environment, id, credentialID string, book models.Book) (d *models.Destination, entry string, err error) {
	if err := a.Require(models.PayoutsCreate); err != nil {
		return nil, "", err
	}
	seen := false
	err = s.View(ctx, func(tx *Tx) error {
		if d, err = tx.destination(id); err != nil {
			return err
		}
		if d.Environment != env {
			return models.Errorf(models.NotFound, "There is no such destination in %s.", env)
		}
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		if err := unusable(d, d.StateAt(tx.Now, g)); err != nil {
			return err
		}
		if book != "" || d.EntryField != "" {
			if entry, err = tx.usableEntry(d, credentialID); err != nil {
				return err
			}
		}
		if err := tx.openContents(d); err != nil {
			return err
		}
		seen, err = tx.sawLately(a, d)
		return err
	})
	if err == nil && !seen {
		err = s.Update(ctx, func(tx *Tx) error { return tx.noteSight(a, d, "paid to") })
	}
	if err != nil {
		return nil, "", err
	}
	return d, entry, nil
}

// DestinationName reads the masked line of a destination, for pages that name it. It needs destinations.read.
func (s *Store) DestinationName(ctx context.Context, a models.Actor, env models.Environment, id string) (d *models.Destination, err error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		if d, err = tx.destination(id); err == nil && d.Environment != env {
			err = models.Errorf(models.NotFound, "There is no such destination in %s.", env)
		}
		return err
	})
	return d, err
}
