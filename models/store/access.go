package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"countinghouse/models"
)

// noteAccess writes down what a person may do from now on. Every change of name, state, roles or second factor calls it, after the change.
func (tx *Tx) noteAccess(userID string) error {
	return tx.Exec(`INSERT INTO access_history (id, user_id, at_us, name, email, state, roles, factor, passkeys)
		SELECT CAST(? AS TEXT), u.id, CAST(? AS BIGINT), u.name, u.email, u.state, COALESCE((SELECT string_agg(r.role, ',') FROM user_roles r WHERE r.user_id = u.id), ''),
		u.totp_sealed IS NOT NULL, (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id AND p.blocked_us = 0) FROM users u WHERE u.id = ?`,
		models.NewID(), tx.Now, userID)
}

// AccessReview tells who might do what at a moment, the present included: people, roles, second factor and last sign-in as they were then.
// Permission people.read.
func (s *Store) AccessReview(ctx context.Context, actor models.Actor, at models.Micros) (r models.AccessReview, err error) {
	if err := actor.Require(models.PeopleRead); err != nil {
		return r, err
	}
	r.At = at
	err = s.View(ctx, func(q *Tx) error {
		if at > q.Now {
			return models.FieldErrorf("date", "Nobody knows who may do what on a day that has not begun.")
		}
		people := map[string]models.AccessLine{}
		if err := q.Each(func(rows *sql.Rows) error {
			var l models.AccessLine
			err := rows.Scan(&l.UserID, &l.Name, &l.Email, &l.State, &l.Since)
			l.Unknown = true
			people[l.UserID] = l
			return err
		}, "SELECT id, name, email, state, created_us FROM users WHERE created_us <= ?", at); err != nil {
			return err
		}
		if err := q.Each(func(rows *sql.Rows) error {
			var l models.AccessLine
			var roles string
			err := rows.Scan(&l.UserID, &l.Since, &l.Name, &l.Email, &l.State, &roles, &l.Factor, &l.Passkeys)
			l.Roles = rolesOf(roles)
			people[l.UserID] = l // later lines win
			return err
		}, "SELECT user_id, at_us, name, email, state, roles, factor, passkeys FROM access_history WHERE at_us <= ? ORDER BY at_us, id", at); err != nil {
			return err
		}
		r.People = nil
		for _, l := range people {
			err := q.QueryRow("SELECT at_us FROM audit_entries WHERE noun = 'user' AND noun_id = ? AND action = 'session.start' AND at_us <= ? ORDER BY seq DESC LIMIT 1", l.UserID, at).
				Scan(&l.LastSignIn)
			if err != nil && !IsNoRow(err) {
				return err
			}
			r.People = append(r.People, l)
		}
		slices.SortFunc(r.People, func(a, b models.AccessLine) int {
			return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.UserID, b.UserID))
		})
		return nil
	})
	return r, err
}

func rolesOf(text string) []models.Role {
	var list []models.Role
	for r := range strings.SplitSeq(text, ",") {
		list = append(list, models.Role(r))
	}
	return models.SortRoles(list)
}
