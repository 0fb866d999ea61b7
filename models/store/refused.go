package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"countinghouse/models"
)

// knocks remembers what was written lately, so that a flood is counted in memory and not on the disk. It is bounded: when it is full, what
// nobody has touched for longest makes room.
type knocks struct {
	mu      sync.Mutex
	last    map[string]models.Micros // when a key was written
	waiting map[string]int64         // refusals counted since then
	fresh   map[models.IPScope]freshKnocks
}

type freshKnocks struct {
	since models.Micros
	n     int
}

const knocksKept = 4096

func newKnocks() *knocks {
	return &knocks{last: map[string]models.Micros{}, waiting: map[string]int64{}, fresh: map[models.IPScope]freshKnocks{}}
}

// due reports whether a key may be written again, and notes that it is.
func (k *knocks) due(key string, now models.Micros, every time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at, ok := k.last[key]; ok && now < at.Add(every) {
		return false
	}
	k.room(now)
	k.last[key] = now
	return true
}

func (k *knocks) room(now models.Micros) {
	if len(k.last) < knocksKept {
		return
	}
	for key, at := range k.last {
		if now >= at.Add(time.Hour) {
			delete(k.last, key)
			delete(k.waiting, key)
		}
	}
	if len(k.last) >= knocksKept {
		clear(k.last)
		clear(k.waiting)
	}
}

// knock counts one refusal. n is how many are to be written now; 0: not yet, or too many new addresses came in this minute.
func (k *knocks) knock(key string, scope models.IPScope, now models.Micros) (n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, known := k.last[key]
	if known && now < at.Add(models.RefusedWrites) {
		k.waiting[key]++
		return 0
	}
	if !known {
		f := k.fresh[scope]
		if now >= f.since.Add(time.Minute) {
			f = freshKnocks{since: now}
		}
		f.n++
		k.fresh[scope] = f
		if f.n > models.RefusedFresh {
			return 0
		}
		k.room(now)
	}
	n = k.waiting[key] + 1
	delete(k.waiting, key)
	k.last[key] = now
	return n
}

func (k *knocks) unwritten(key string) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.waiting[key]
}

func refusedKey(r models.Refused) string {
	return "refused " + string(r.Scope) + " " + string(r.Role) + " " + r.CredentialID + " " + r.IP + " " + r.UserID
}

// NoteRefused remembers that the rules kept an address out. Of one address at most one write a minute is made, of new addresses at most
// models.RefusedFresh a minute and scope, and at most models.RefusedKept are kept: a flood fills neither the disk nor the page.
func (s *Store) NoteRefused(ctx context.Context, r models.Refused) error {
	r.IP = cut(clean(r.IP), 45)
	n := s.knocks.knock(refusedKey(r), r.Scope, s.Now())
	if n == 0 {
		return nil
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.Exec(`INSERT INTO refused_addresses (id, scope, role, credential_id, ip, user_id, first_us, last_us, knocks) VALUES (?,?,?,?,?,?,?,?,?)
			ON CONFLICT (scope, role, credential_id, ip, user_id) DO UPDATE SET last_us = excluded.last_us, knocks = refused_addresses.knocks + excluded.knocks`,
			models.NewID(), r.Scope, r.Role, r.CredentialID, r.IP, r.UserID, tx.Now, tx.Now, n); err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM refused_addresses WHERE scope = ? AND id NOT IN
			(SELECT id FROM refused_addresses WHERE scope = ? ORDER BY last_us DESC, id DESC LIMIT ?)`, r.Scope, r.Scope, models.RefusedKept)
	})
}

const refusedSelect = `SELECT r.id, r.scope, r.role, r.credential_id, COALESCE(c.name, ''), r.ip, r.user_id, COALESCE(u.name, ''), r.first_us, r.last_us, r.knocks
	FROM refused_addresses r LEFT JOIN credentials c ON c.id = r.credential_id LEFT JOIN users u ON u.id = r.user_id`

func scanRefused(r interface{ Scan(...any) error }) (x models.Refused, err error) {
	err = r.Scan(&x.ID, &x.Scope, &x.Role, &x.CredentialID, &x.Credential, &x.IP, &x.UserID, &x.UserName, &x.First, &x.Last, &x.Count)
	return x, err
}

// RefusedAddresses lists what the rules of a scope kept out, the latest first, at most 100; of webhooks that of one environment's credentials.
func (s *Store) RefusedAddresses(ctx context.Context, actor models.Actor, scope models.IPScope, env models.Environment) (list []models.Refused, err error) {
	if err := mayReadRules(actor); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		where, args := " WHERE r.scope = ?", []any{scope}
		if scope == models.ScopeWebhook {
			where, args = where+" AND c.environment = ?", append(args, env)
		}
		return q.Each(func(rows *sql.Rows) error {
			x, err := scanRefused(rows)
			x.Count += s.knocks.unwritten(refusedKey(x))
			list = append(list, x)
			return err
		}, refusedSelect+where+" ORDER BY r.last_us DESC, r.id DESC LIMIT 100", args...)
	})
	return list, err
}

// RefusedAddress gives one of them, to make a rule from it.
func (s *Store) RefusedAddress(ctx context.Context, actor models.Actor, id string) (x models.Refused, err error) {
	if err := actor.Require(models.AllowlistManage); err != nil {
		return x, err
	}
	err = s.View(ctx, func(q *Tx) error {
		x, err = scanRefused(q.QueryRow(refusedSelect+" WHERE r.id = ?", id))
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "This address is not among the refused ones any more.")
		}
		return err
	})
	return x, err
}
