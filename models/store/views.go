package store

import (
	"context"
	"database/sql"
	"net/url"
	"slices"
	"time"

	"countinghouse/models"
)

// viewsOfOne is how many views a person may keep.
const viewsOfOne = 50

// viewBases are the lists that a view can be of.
var viewBases = []string{"/transactions", "/payouts", "/deposits", "/refunds", "/conversions", "/orders"}

// SavedViews lists a person's own views and those that others share, by name. It needs transactions.read.
func (s *Store) SavedViews(ctx context.Context, a models.Actor) (out []models.SavedView, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		const columns = "SELECT id, user_id, user_name, base, name, query, shared FROM saved_views WHERE "
		return tx.Each(func(r *sql.Rows) error {
			var v models.SavedView
			var owner string
			var shared int64
			err := r.Scan(&v.ID, &owner, &v.By, &v.Base, &v.Name, &v.Query, &shared)
			v.Shared, v.Mine = shared != 0, owner == a.UserID
			out = append(out, v)
			return err
		}, "SELECT * FROM ("+columns+"user_id = ? UNION "+columns+"shared = 1) v ORDER BY name, id LIMIT 200", a.UserID)
	})
	return out, err
}

// SaveView keeps a filter of a list under a name, for oneself or for everybody who may see the list. Only what a filter can say is kept;
// relative dates stay relative. It needs transactions.read and is audited.
func (s *Store) SaveView(ctx context.Context, a models.Actor, v models.SavedView) error {
	if err := a.Require(models.TransactionsRead); err != nil {
		return err
	}
	name, err := models.CleanText("name", v.Name, 60, true)
	if err != nil {
		return err
	}
	if !slices.Contains(viewBases, v.Base) {
		return models.FieldErrorf("base", "There is no such list.")
	}
	q, err := url.ParseQuery(v.Query)
	if err != nil || len(v.Query) > 4000 {
		return models.FieldErrorf("query", "This filter cannot be kept.")
	}
	f, problems := models.ParseFilter("", q, time.UTC)
	if len(problems) > 0 {
		return models.Problems(problems)
	}
	return s.Update(ctx, func(tx *Tx) error {
		var n int
		if err := tx.QueryRow("SELECT COUNT(*) FROM saved_views WHERE user_id = ?", a.UserID).Scan(&n); err != nil {
			return err
		}
		if n >= viewsOfOne {
			return models.Errorf(models.Conflict, "You keep %d views already. Remove one first.", viewsOfOne)
		}
		id, shared := models.NewID(), 0
		if v.Shared {
			shared = 1
		}
		if err := tx.Exec("INSERT INTO saved_views (id, user_id, user_name, base, name, query, shared, created_us) VALUES (?,?,?,?,?,?,?,?)",
			id, a.UserID, a.Name, v.Base, name, f.Query().Encode(), shared, tx.Now); err != nil {
			return err
		}
		return tx.Audit(a, "view.save", "view", id, nil, map[string]any{"name": name, "base": v.Base, "query": f.Query().Encode(), "shared": v.Shared}, "Kept the view "+name)
	})
}

// RemoveView forgets a view: one's own, or with settings.manage a shared one of somebody else. It is audited.
func (s *Store) RemoveView(ctx context.Context, a models.Actor, id string) error {
	if err := a.Require(models.TransactionsRead); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		var owner, name string
		var shared int64
		err := tx.QueryRow("SELECT user_id, name, shared FROM saved_views WHERE id = ?"+tx.ForUpdate(), id).Scan(&owner, &name, &shared)
		if IsNoRow(err) || (err == nil && owner != a.UserID && shared == 0) {
			return models.Errorf(models.NotFound, "There is no such view.")
		}
		if err != nil {
			return err
		}
		if owner != a.UserID {
			if err := a.Require(models.SettingsManage); err != nil {
				return err
			}
		}
		if err := tx.Exec("DELETE FROM saved_views WHERE id = ?", id); err != nil {
			return err
		}
		return tx.Audit(a, "view.remove", "view", id, map[string]any{"name": name}, nil, "Removed the view "+name)
	})
}
