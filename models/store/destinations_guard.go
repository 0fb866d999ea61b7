package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"countinghouse/models"
)

// The kinds of change about destinations that a second admin agrees to.
const (
	changeGuardOff = "destination_guard.off"
	changeWait     = "destination_guard.wait"
	changeRaw      = "raw_payouts.allow"
)

func (tx *Tx) guard(env models.Environment) (models.DestinationGuard, error) {
	g := models.DestinationGuard{Environment: env}
	var wait, next int64
	err := tx.QueryRow("SELECT wait_seconds, next_seconds, next_from_us, off_from_us, changed_us, changed_by FROM destination_guards WHERE environment = ?", env).
		Scan(&wait, &next, &g.NextFrom, &g.OffFrom, &g.ChangedAt, &g.ChangedBy)
	if IsNoRow(err) { // an environment that nobody knows is guarded all the same
		wait, err = int64(models.DestinationWait/time.Second), nil
	}
	g.Wait, g.NextWait = time.Duration(wait)*time.Second, time.Duration(next)*time.Second
	return g, err
}

// DestinationGuard reads the guard of an environment. It needs destinations.read.
func (s *Store) DestinationGuard(ctx context.Context, a models.Actor, env models.Environment) (g models.DestinationGuard, err error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return g, err
	}
	err = s.View(ctx, func(tx *Tx) error { g, err = tx.guard(env); return err })
	return g, err
}

// guardKept is how long a page may show the guard as it was: a change made by this process is seen at once, one of another instance after that.
const guardKept = 5 * time.Second

// guardSeen is the last reading of both guards.
type guardSeen struct {
	at     models.Micros
	guards map[models.Environment]models.DestinationGuard
}

// GuardBand reads the guard for the band that stands on every page. It is kept for a few seconds, because every page asks.
func (s *Store) GuardBand(ctx context.Context, env models.Environment) (models.DestinationGuard, error) {
	now := s.Now()
	if seen := s.guards.Load(); seen != nil && now < seen.at.Add(guardKept) && now >= seen.at {
		return seen.guards[env], nil
	}
	seen := &guardSeen{at: now, guards: map[models.Environment]models.DestinationGuard{}}
	err := s.View(ctx, func(tx *Tx) error {
		for _, e := range []models.Environment{models.Sandbox, models.Live} {
			g, err := tx.guard(e)
			if err != nil {
				return err
			}
			seen.guards[e] = g
		}
		return nil
	})
	if err != nil {
		return models.DestinationGuard{}, err
	}
	s.guards.Store(seen)
	return seen.guards[env], nil
}

func (tx *Tx) manageGuard(a models.Actor) error {
	if err := a.Require(models.PoliciesManage); err != nil {
		return err
	}
	return a.RequireStepUp(tx.Now)
}

// secondAdminNeeded refuses where nobody else could agree: this guard is never loosened by one person.
func (tx *Tx) secondAdminNeeded(a models.Actor) error {
	others, err := tx.otherAdmins(a.UserID)
	if err == nil && others == 0 {
		err = models.Errorf(models.Conflict, "This needs a second admin, and there is none. Invite one first.")
	}
	return err
}

// AskGuardOff asks for the guard over new destinations to be switched off: a second admin must agree, and 48 hours must pass from then on. The
// second person for every destination stays: what goes off is the waiting time. It needs policies.manage and a fresh second factor.
func (s *Store) AskGuardOff(ctx context.Context, a models.Actor, env models.Environment, reason string) error {
	reason, err := models.CleanText("reason", reason, 300, true)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.manageGuard(a); err != nil {
			return err
		}
		if err := tx.secondAdminNeeded(a); err != nil {
			return err
		}
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		if g.OffFrom != 0 {
			return models.Errorf(models.Conflict, "The guard is off already, or will be.")
		}
		_, err = tx.askOrApply(a, proposed{kind: changeGuardOff, subject: string(env), payload: guardPayload{Reason: reason},
			sentence: fmt.Sprintf("Switch off the waiting time of new destinations in %s, 48 hours after a second admin agrees. Reason: %s", env, reason)})
		return err
	})
}

// SwitchGuardOn puts the guard back, or keeps it from going off. It makes things safer, so it is done at once. It needs policies.manage.
func (s *Store) SwitchGuardOn(ctx context.Context, a models.Actor, env models.Environment) error {
	err := s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.PoliciesManage); err != nil {
			return err
		}
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		if g.OffFrom == 0 {
			return models.Errorf(models.Conflict, "The guard is on.")
		}
		g.OffFrom = 0
		if err := tx.putGuard(a, g); err != nil {
			return err
		}
		return tx.Audit(a, "destination_guard.on", "destination_guard", string(env), nil, nil, fmt.Sprintf("Switched the waiting time of new destinations in %s on.", env))
	})
	s.guards.Store(nil)
	return err
}

type guardPayload struct {
	Seconds int64  `json:"seconds,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// AskDestinationWait asks for another waiting time. A second admin must agree; in live a shorter one begins only 48 hours after that, because it
// loosens the same guard. applied tells that it holds already. It needs policies.manage and a fresh second factor.
func (s *Store) AskDestinationWait(ctx context.Context, a models.Actor, env models.Environment, wait time.Duration) (applied bool, err error) {
	if err := models.CheckWait(env, wait); err != nil {
		return false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		if err := tx.manageGuard(a); err != nil {
			return err
		}
		g, err := tx.guard(env)
		if err != nil {
			return err
		}
		if g.Waits(tx.Now) == wait && (g.NextFrom == 0 || tx.Now >= g.NextFrom) {
			return models.FieldErrorf("hours", "That is the waiting time already.")
		}
		if wait < g.Waits(tx.Now) {
			if err := tx.secondAdminNeeded(a); err != nil {
				return err
			}
		}
		pending, err := tx.askOrApply(a, proposed{kind: changeWait, subject: string(env), payload: guardPayload{Seconds: int64(wait / time.Second)},
			sentence: fmt.Sprintf("Let new destinations in %s wait %s (now: %s).", env, hours(wait), hours(g.Waits(tx.Now)))})
		applied = !pending
		return err
	})
	s.guards.Store(nil)
	return applied, err
}

func hours(d time.Duration) string {
	if d == 0 {
		return "not at all"
	}
	if d%time.Hour == 0 {
		return strings.TrimSuffix(fmt.Sprintf("%d hours", int(d/time.Hour)), "")
	}
	return d.String()
}

func (tx *Tx) putGuard(a models.Actor, g models.DestinationGuard) error {
	return tx.Exec(`INSERT INTO destination_guards (environment, wait_seconds, next_seconds, next_from_us, off_from_us, changed_us, changed_by) VALUES (?,?,?,?,?,?,?) ON CONFLICT (environment)
		DO UPDATE SET wait_seconds = excluded.wait_seconds, next_seconds = excluded.next_seconds, next_from_us = excluded.next_from_us, off_from_us = excluded.off_from_us,
		changed_us = excluded.changed_us, changed_by = excluded.changed_by`, g.Environment, int64(g.Wait/time.Second), int64(g.NextWait/time.Second), g.NextFrom, g.OffFrom, tx.Now, a.Name)
}

// applyDestinationChange does what a second admin agreed to; handled tells whether the kind is one of ours.
func (tx *Tx) applyDestinationChange(a models.Actor, kind, subject string, payload []byte) (handled bool, err error) {
	switch kind {
	case changeGuardOff, changeWait:
		var p guardPayload
		if err := json.Unmarshal(payload, &p); err != nil {
			return true, fmt.Errorf("a change of the guard: %w", err)
		}
		return true, tx.applyGuard(a, kind, models.Environment(subject), p)
	case changeRaw:
		return true, tx.putRaw(a, subject, true)
	}
	return false, nil
}

func (tx *Tx) applyGuard(a models.Actor, kind string, env models.Environment, p guardPayload) error {
	g, err := tx.guard(env)
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { tx.Store.guards.Store(nil) })
	if kind == changeGuardOff {
		g.OffFrom = tx.Now.Add(models.GuardOffDelay)
		return tx.putGuard(a, g)
	}
	wait := time.Duration(p.Seconds) * time.Second
	if err := models.CheckWait(env, wait); err != nil {
		return err
	}
	now := g.Waits(tx.Now)
	g.Wait, g.NextWait, g.NextFrom = wait, 0, 0
	if env == models.Live && wait < now {
		g.Wait, g.NextWait, g.NextFrom = now, wait, tx.Now.Add(models.GuardOffDelay)
	}
	return tx.putGuard(a, g)
}

// rawAllowed tells whether a payout by a credential may go to something that is no destination: what an admin decided, else yes in sandbox and
// no in live.
func (tx *Tx) rawAllowed(credentialID string, env models.Environment) (bool, error) {
	var yes bool
	err := tx.QueryRow("SELECT allowed FROM raw_payouts WHERE credential_id = ?", credentialID).Scan(&yes)
	if IsNoRow(err) {
		return env == models.Sandbox, nil
	}
	return yes, err
}

// RawAllowed tells whether payouts by a credential may go to what is no destination. It needs transactions.read.
func (s *Store) RawAllowed(ctx context.Context, a models.Actor, credentialID string, env models.Environment) (yes bool, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return false, err
	}
	err = s.View(ctx, func(tx *Tx) error { yes, err = tx.rawAllowed(credentialID, env); return err })
	return yes, err
}

func (tx *Tx) putRaw(a models.Actor, credentialID string, yes bool) error {
	return tx.Exec("INSERT INTO raw_payouts (credential_id, allowed, changed_us, changed_by) VALUES (?,?,?,?) ON CONFLICT (credential_id) DO UPDATE SET allowed = excluded.allowed, changed_us = excluded.changed_us, changed_by = excluded.changed_by",
		credentialID, yes, tx.Now, a.Name)
}

// SetRawPayouts decides whether payouts by a credential may go to what is no destination. Forbidding holds at once; so does allowing in sandbox. In
// live allowing needs a second admin. It needs credentials.manage and a fresh second factor.
func (s *Store) SetRawPayouts(ctx context.Context, a models.Actor, credentialID string, yes bool) (pending bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		pending = false
		if err := mayChangeKeys(a, tx.Now, models.CredentialsManage); err != nil {
			return err
		}
		c, err := tx.lockCredential(credentialID)
		if err != nil {
			return err
		}
		now, err := tx.rawAllowed(c.ID, c.Environment)
		if err != nil {
			return err
		}
		if now == yes {
			return models.Errorf(models.Conflict, "It is so already.")
		}
		if yes && c.Environment == models.Live {
			if err := tx.secondAdminNeeded(a); err != nil {
				return err
			}
			pending, err = tx.askOrApply(a, proposed{kind: changeRaw, subject: c.ID, payload: map[string]bool{"allowed": true},
				sentence: fmt.Sprintf("Let payouts by %s go to accounts that are no approved destination.", c.Name)})
			return err
		}
		if err := tx.putRaw(a, c.ID, yes); err != nil {
			return err
		}
		said := "Payouts by %s go to approved destinations only."
		if yes {
			said = "Payouts by %s may go to accounts that are no approved destination."
		}
		return tx.Audit(a, "raw_payouts.set", "credential", c.ID, map[string]any{"raw": now}, map[string]any{"raw": yes}, fmt.Sprintf(said, c.Name))
	})
	return pending, err
}
