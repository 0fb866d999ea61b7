package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"countinghouse/models"
)

// DestinationList is one page of the list.
type DestinationList struct {
	Rows         []models.Destination
	Guard        models.DestinationGuard
	Newer, Older models.Cursor   // zero: there is none
	Problems     map[string]bool // by id: an entry at a provider needs somebody
}

// Destinations reads one page of destinations, newest first, masked. It needs destinations.read.
func (s *Store) Destinations(ctx context.Context, a models.Actor, f models.DestinationFilter, c models.Cursor, limit int) (*DestinationList, error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return nil, err
	}
	limit = pageLimit(limit)
	out := new(DestinationList)
	err := s.View(ctx, func(tx *Tx) error {
		*out = DestinationList{}
		g, err := tx.guard(f.Environment)
		if err != nil {
			return err
		}
		where, args, err := tx.destinationQuery(f, g, c, limit+1)
		if err != nil {
			return err
		}
		rows, err := tx.destinationsBy(where, args)
		if err != nil {
			return err
		}
		more := len(rows) > limit
		if more {
			rows = rows[:limit]
		}
		if c.Back {
			slices.Reverse(rows)
		}
		out.Rows, out.Guard = rows, g
		if len(rows) == 0 {
			return nil
		}
		first, last := rows[0], rows[len(rows)-1]
		if (c.Back && more) || (!c.Back && c.At != 0) {
			out.Newer = models.Cursor{At: first.CreatedAt, ID: first.ID, Back: true}
		}
		if c.Back || more {
			out.Older = models.Cursor{At: last.CreatedAt, ID: last.ID}
		}
		out.Problems, err = tx.entryProblems(rows)
		return err
	})
	return out, err
}

func (tx *Tx) destinationsBy(from string, args []any) ([]models.Destination, error) {
	var out []models.Destination
	err := tx.Each(func(r *sql.Rows) error {
		d, err := scanDestination(r)
		if err == nil {
			out = append(out, *d)
		}
		return err
	}, "SELECT "+destinationColumns+from, args...)
	return out, err
}

// destinationQuery builds " FROM destinations d … ORDER BY … LIMIT …" so that an index gives the rows in their order, or a small set is sorted.
func (tx *Tx) destinationQuery(f models.DestinationFilter, g models.DestinationGuard, c models.Cursor, limit int) (string, []any, error) {
	dir, cmp := "DESC", "<"
	if c.Back {
		dir, cmp = "ASC", ">"
	}
	var where strings.Builder
	var args []any
	add := func(s string, vs ...any) { where.WriteString(s); args = append(args, vs...) }
	index := "destinations_created"
	if len(f.Kinds) > 0 {
		add(" AND d.kind IN ("+marks(len(f.Kinds))+")", anys(f.Kinds)...)
		if len(f.Kinds) == 1 {
			index = "destinations_kind"
		}
	}
	if f.Provider != "" {
		add(" AND d.provider = ?", f.Provider)
		index = "destinations_provider"
	}
	if f.Country != "" {
		add(" AND d.country = ?", f.Country)
	}
	if len(f.States) > 0 {
		only := tx.stateCondition(f.States, g, add)
		// Most destinations are usable: among them a kind or a provider narrows further than the state does.
		if usable := f.States[0] == models.DestinationUsable; only != "" && !(usable && index != "destinations_created") {
			index = only
		}
	}
	if f.Problem {
		add(" AND d.id IN (SELECT destination_id FROM book_entries WHERE environment = ? AND problem)", f.Environment)
		index = ""
	}
	if len(f.IDs) > 0 {
		add(" AND d.id IN ("+marks(len(f.IDs))+")", anys(f.IDs)...)
		index = ""
	}
	if f.Search != "" {
		q, vs, few, err := tx.searchCondition(f.Environment, f.Search)
		if err != nil {
			return "", nil, err
		}
		add(q, vs...)
		if few {
			index = ""
		}
	}
	if c.At > 0 {
		add(" AND (d.created_us, d.id) "+cmp+" (?, ?)", c.At, c.ID)
	}
	by := tx.Store.by(index)
	if index == "" && tx.Store.Engine == SQLite { // the small set is looked up by its ids
		by = " INDEXED BY sqlite_autoindex_destinations_1"
	}
	tail := fmt.Sprintf(" ORDER BY d.created_us %s, d.id %s", dir, dir)
	if limit > 0 {
		tail += fmt.Sprintf(" LIMIT %d", limit)
	}
	return " FROM destinations d" + by + " WHERE d.environment = ?" + where.String() + tail, append([]any{f.Environment}, args...), nil
}

// stateCondition writes the states that follow from the clock as conditions, and names the index that serves a single one.
func (tx *Tx) stateCondition(states []models.DestinationState, g models.DestinationGuard, add func(string, ...any)) (index string) {
	now := tx.Now
	if g.Off(now) {
		now = math.MaxInt64 // nothing waits
	}
	var parts []string
	var args []any
	for _, s := range states {
		switch s {
		case models.DestinationCooling:
			parts = append(parts, "(d.state = 'approved' AND d.usable_from_us > ?)")
			args = append(args, now)
			index = "destinations_usable"
		case models.DestinationUsable:
			parts = append(parts, "(d.state = 'approved' AND d.usable_from_us <= ? AND (d.superseded_from_us = 0 OR d.superseded_from_us > ?))")
			args = append(args, now, now)
			index = "destinations_state"
		case models.DestinationSuperseded:
			parts = append(parts, "(d.state = 'approved' AND d.superseded_from_us > 0 AND d.superseded_from_us <= ?)")
			args = append(args, now)
			index = "destinations_superseded"
		default:
			parts = append(parts, "d.state = ?")
			args = append(args, s)
			index = "destinations_state"
		}
	}
	add(" AND ("+strings.Join(parts, " OR ")+")", args...)
	if len(states) != 1 {
		return ""
	}
	return index
}

// searchCondition finds destinations by words of their name, owner and purpose, each by its beginning, and by a whole account number. few: only a
// small set of ids is left.
func (tx *Tx) searchCondition(env models.Environment, search string) (where string, args []any, few bool, err error) {
	if strings.TrimSpace(search) == "" {
		return "", nil, false, nil
	}
	if account := models.BareAccount(search); len(account) >= 6 {
		f, err := tx.Store.fingerprint("account", account)
		if err != nil {
			return "", nil, false, err
		}
		var known bool
		if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM destination_words WHERE environment = ? AND word = ?)", env, accountWord+f).Scan(&known); err != nil {
			return "", nil, false, err
		}
		if known {
			return " AND d.id IN (SELECT destination_id FROM destination_words WHERE environment = ? AND word = ?)", []any{env, accountWord + f}, true, nil
		}
	}
	return tx.byWords("destination_words", "destination_id", "d.id", env, models.SearchWords(search))
}

func anys[T any](in []T) []any {
	out := make([]any, len(in))
	for i, x := range in {
		out[i] = x
	}
	return out
}

// entryProblems tells which of some destinations have an entry that needs somebody.
func (tx *Tx) entryProblems(rows []models.Destination) (map[string]bool, error) {
	ids := make([]any, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	out := map[string]bool{}
	err := tx.Each(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out[id] = true
		return err
	}, "SELECT destination_id FROM book_entries WHERE problem AND destination_id IN ("+marks(len(ids))+")", ids...)
	return out, err
}

// DestinationCounts is what waits around destinations, each at most models.HomeBound.
type DestinationCounts struct {
	Waiting, Cooling, Problems, Strange int64
}

// CountDestinations counts what waits, bounded. It needs destinations.read.
func (s *Store) CountDestinations(ctx context.Context, a models.Actor, env models.Environment) (n DestinationCounts, err error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return n, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		for _, c := range []struct {
			to   *int64
			from string
			args []any
		}{
			{&n.Waiting, "destinations WHERE environment = ? AND state = 'waiting'", []any{env}},
			{&n.Cooling, "destinations WHERE environment = ? AND state = 'approved' AND usable_from_us > ?", []any{env, tx.Now}},
			{&n.Problems, "book_entries WHERE environment = ? AND problem", []any{env}},
			{&n.Strange, "book_lines WHERE environment = ? AND problem", []any{env}},
		} {
			if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM "+c.from+" LIMIT "+limited(models.HomeBound)+") x", c.args...).Scan(c.to); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// EachDestination reads all destinations of a filter in the order of the list, with their values when full. It needs exports.create and, for the
// values, destinations.create or destinations.approve with a fresh second factor; that they left the house is written into the audit trail first.
func (s *Store) EachDestination(ctx context.Context, a models.Actor, f models.DestinationFilter, full bool, each func(*models.Destination, models.DestinationState) error) error {
	for _, p := range []models.Permission{models.DestinationsRead, models.ExportsCreate} {
		if err := a.Require(p); err != nil {
			return err
		}
	}
	if full {
		if !maySeeDestinations(a) {
			return a.Require(models.DestinationsApprove)
		}
		if err := a.RequireStepUp(s.Now()); err != nil {
			return err
		}
	}
	c := models.Cursor{}
	for {
		var rows []models.Destination
		var g models.DestinationGuard
		err := s.View(ctx, func(tx *Tx) (err error) {
			if g, err = tx.guard(f.Environment); err != nil {
				return err
			}
			from, args, err := tx.destinationQuery(f, g, c, 500)
			if err != nil {
				return err
			}
			if rows, err = tx.destinationsBy(from, args); err != nil {
				return err
			}
			for i := range rows {
				if full {
					if err := tx.openContents(&rows[i]); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := each(&rows[i], rows[i].StateAt(s.Now(), g)); err != nil {
				return err
			}
		}
		if len(rows) < 500 {
			return nil
		}
		last := rows[len(rows)-1]
		c = models.Cursor{At: last.CreatedAt, ID: last.ID}
	}
}
