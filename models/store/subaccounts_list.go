package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"countinghouse/models"
)

// subAccountsCounted is where the counts of the list's tabs stop.
const subAccountsCounted = 1000

// SubAccountRows is one page of the list.
type SubAccountRows struct {
	Rows         []models.SubAccount
	Newer, Older models.Cursor
	Counts       map[models.SubAccountState]int64 // by state, each stops at 1,000; of the environment, whatever the filter
	Alerts       int64
	Credentials  map[string]string // names, by id
}

// SubAccounts reads one page of the list, newest first, from the index that gives its filter in that order.
func (s *Store) SubAccounts(ctx context.Context, actor models.Actor, f models.SubAccountFilter, c models.Cursor, limit int) (*SubAccountRows, error) {
	if err := mayReadSubAccounts(actor); err != nil {
		return nil, err
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	out := &SubAccountRows{}
	err := s.View(ctx, func(tx *Tx) error {
		where, args := tx.subAccountQuery(f, c, limit+1)
		rows, err := tx.subAccountsWhere(where, args...)
		if err != nil {
			return err
		}
		more := len(rows) > limit
		rows = rows[:min(len(rows), limit)]
		if c.Back {
			slices.Reverse(rows)
		}
		out.Rows, out.Newer, out.Older = rows, models.Cursor{}, models.Cursor{}
		if len(rows) > 0 {
			first, last := rows[0], rows[len(rows)-1]
			if (c.Back && more) || (!c.Back && c.At != 0) {
				out.Newer = models.Cursor{At: first.CreatedAt, ID: first.ID, Back: true}
			}
			if c.Back || more {
				out.Older = models.Cursor{At: last.CreatedAt, ID: last.ID}
			}
		}
		if out.Counts, out.Alerts, err = tx.subAccountCounts(f.Environment); err != nil {
			return err
		}
		out.Credentials, err = tx.credentialNames(f.Environment)
		return err
	})
	return out, err
}

func (tx *Tx) credentialNames(env models.Environment) (map[string]string, error) {
	out := map[string]string{}
	return out, tx.Each(func(r *sql.Rows) error {
		var id, name string
		err := r.Scan(&id, &name)
		out[id] = name
		return err
	}, "SELECT id, name FROM credentials WHERE environment = ?", env)
}

// subAccountQuery is the condition, order and limit of a page.
func (tx *Tx) subAccountQuery(f models.SubAccountFilter, c models.Cursor, limit int) (string, []any) {
	where, args := "a.environment = ?", []any{f.Environment}
	add := func(s string, vs ...any) { where += s; args = append(args, vs...) }
	if len(f.States) > 0 {
		add(" AND a.state IN (?" + strings.Repeat(",?", len(f.States)-1) + ")")
		for _, x := range f.States {
			args = append(args, x)
		}
	}
	if f.Provider != "" {
		add(" AND a.provider = ?", f.Provider)
	}
	if f.BatchID != "" {
		add(" AND a.batch_id = ? AND a.batch_id <> ''", f.BatchID)
	}
	if f.Attention {
		add(" AND a.alert <> ''")
	}
	if key := models.SubAccountKey(f.Search); key != "" {
		// Each half is found in its index, from the beginning of the text on; at most 500 rows of each are looked at.
		hi := key + "\U0010FFFF"
		add(` AND a.id IN (SELECT id FROM (SELECT id FROM sub_accounts WHERE environment = ? AND company_key >= ? AND company_key < ? LIMIT 500) x1
			UNION ALL SELECT id FROM (SELECT id FROM sub_accounts WHERE environment = ? AND name_key >= ? AND name_key < ? LIMIT 500) x2
			UNION ALL SELECT id FROM (SELECT id FROM sub_accounts WHERE environment = ? AND username_key >= ? AND username_key < ? LIMIT 500) x3
			UNION ALL SELECT s.id FROM credentials c JOIN sub_accounts s ON s.credential_id = c.id AND s.their_id = ? AND s.their_id <> '' WHERE c.environment = ?)`,
			f.Environment, key, hi, f.Environment, key, hi, f.Environment, key, hi, strings.TrimSpace(f.Search), f.Environment)
	}
	dir, cmp := "DESC", "<"
	if c.Back {
		dir, cmp = "ASC", ">"
	}
	if c.At > 0 {
		add(" AND (a.created_us, a.id) "+cmp+" (?, ?)", c.At, c.ID)
	}
	add(" ORDER BY a.created_us "+dir+", a.id "+dir+" LIMIT ?", limit)
	return where, args
}

func (tx *Tx) subAccountCounts(env models.Environment) (map[models.SubAccountState]int64, int64, error) {
	out := map[models.SubAccountState]int64{}
	for _, st := range models.SubAccountStates() {
		var n int64
		if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM sub_accounts WHERE environment = ? AND state = ? LIMIT ?) x", env, st, subAccountsCounted).Scan(&n); err != nil {
			return nil, 0, err
		}
		if n > 0 {
			out[st] = n
		}
	}
	var alerts int64
	err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM sub_accounts WHERE environment = ? AND alert <> '' LIMIT ?) x", env, subAccountsCounted).Scan(&alerts)
	return out, alerts, err
}

// SubAccountsWaiting counts what compliance must look at: what the provider lists and nobody knows, and what carries an alert. For the home
// page and the menu; it stops at 100.
func (s *Store) SubAccountsWaiting(ctx context.Context, actor models.Actor, env models.Environment) (found, alerts int64, err error) {
	if !actor.Can(models.SubAccountsManage) {
		return 0, 0, nil
	}
	err = s.View(ctx, func(tx *Tx) error {
		if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM sub_accounts WHERE environment = ? AND state = 'found' LIMIT 100) x", env).Scan(&found); err != nil {
			return err
		}
		return tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM sub_accounts WHERE environment = ? AND alert <> '' AND state <> 'found' LIMIT 100) x", env).Scan(&alerts)
	})
	return found, alerts, err
}

// SubAccount reads one with its story, its notes and what waits about it.
func (s *Store) SubAccount(ctx context.Context, actor models.Actor, env models.Environment, id string) (*models.SubAccountPage, error) {
	if err := mayReadSubAccounts(actor); err != nil {
		return nil, err
	}
	out := &models.SubAccountPage{}
	err := s.View(ctx, func(tx *Tx) error {
		*out = models.SubAccountPage{}
		a, err := scanSubAccount(tx.QueryRow("SELECT "+subAccountColumns+" FROM sub_accounts a WHERE a.id = ? AND a.environment = ?", id, env))
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such sub-account.")
		}
		if err != nil {
			return err
		}
		out.SubAccount = *a
		if err := tx.QueryRow("SELECT name, state FROM credentials WHERE id = ?", a.CredentialID).Scan(&out.CredentialName, &out.CredentialState); err != nil && !IsNoRow(err) {
			return err
		}
		if out.List, err = tx.subAccountList(a.CredentialID); err != nil {
			return err
		}
		return tx.subAccountStory(out)
	})
	return out, err
}

func (tx *Tx) subAccountStory(p *models.SubAccountPage) error {
	if err := tx.Each(func(r *sql.Rows) error {
		var e models.SubAccountEvent
		err := r.Scan(&e.ID, &e.At, &e.What, &e.Sentence, &e.ActorName, &e.CallID, &e.ExchangeID)
		p.Events = append(p.Events, e)
		return err
	}, "SELECT id, at_us, what, sentence, actor_name, call_id, exchange_id FROM sub_account_events WHERE sub_account_id = ? ORDER BY id DESC LIMIT 200", p.ID); err != nil {
		return err
	}
	if err := tx.Each(func(r *sql.Rows) error {
		var n models.Note
		err := r.Scan(&n.At, &n.Name, &n.Body)
		p.Notes = append(p.Notes, n)
		return err
	}, "SELECT at_us, user_name, body FROM sub_account_notes WHERE sub_account_id = ? ORDER BY id DESC LIMIT 200", p.ID); err != nil {
		return err
	}
	var c models.Change
	err := tx.QueryRow(`SELECT c.id, c.kind, c.sentence, c.asked_us, c.asked_by, COALESCE(u.name, ''), c.expires_us FROM changes c LEFT JOIN users u ON u.id = c.asked_by
		WHERE c.state = 'pending' AND c.kind = ? AND c.subject = ? AND c.expires_us > ?`, subAccountResend, p.ID, tx.Now).
		Scan(&c.ID, &c.Kind, &c.Sentence, &c.Asked, &c.AskedBy, &c.AskedName, &c.Expires)
	switch {
	case err == nil:
		p.Change = &c
	case !IsNoRow(err):
		return err
	}
	if p.State.Sought() || p.State == models.SubAccountFound {
		states := "('found')"
		if p.State == models.SubAccountFound {
			states = "('unknown', 'accepted', 'absent')"
		}
		p.Twins, err = tx.subAccountsWhere("a.environment = ? AND (a.company_key = ? OR (a.username_key = ? AND a.username_key <> '')) AND a.credential_id = ? AND a.id <> ? AND a.state IN "+
			states+" ORDER BY a.id LIMIT 10", p.Environment, models.SubAccountKey(p.Company), models.SubAccountKey(p.Username), p.CredentialID, p.ID)
		return err
	}
	return nil
}

func (tx *Tx) subAccountList(credentialID string) (l models.SubAccountList, err error) {
	l.CredentialID = credentialID
	err = tx.QueryRow("SELECT read_us, row_count, problem, problem_us, next_us FROM sub_account_lists WHERE credential_id = ?", credentialID).
		Scan(&l.ReadAt, &l.Rows, &l.Problem, &l.ProblemAt, &l.NextAt)
	if IsNoRow(err) {
		err = nil
	}
	return l, err
}

// SubAccountLists tells, by credential of an environment, what is known of the providers' own lists.
func (s *Store) SubAccountLists(ctx context.Context, actor models.Actor, env models.Environment) (list []models.SubAccountList, err error) {
	if err := mayReadSubAccounts(actor); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		list = nil
		return tx.Each(func(r *sql.Rows) error {
			var l models.SubAccountList
			err := r.Scan(&l.CredentialID, &l.ReadAt, &l.Rows, &l.Problem, &l.ProblemAt, &l.NextAt)
			list = append(list, l)
			return err
		}, `SELECT l.credential_id, l.read_us, l.row_count, l.problem, l.problem_us, l.next_us FROM sub_account_lists l JOIN credentials c ON c.id = l.credential_id
			WHERE c.environment = ? ORDER BY l.credential_id`, env)
	})
	return list, err
}

// Names gives the short names of sub-accounts, for lists that carry their ids. Those of the other environment are left out.
func (s *Store) SubAccountNames(ctx context.Context, env models.Environment, ids []string) (map[string]string, error) {
	out := map[string]string{}
	ids = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id string) bool { return id == "" })
	if len(ids) == 0 {
		return out, nil
	}
	err := s.View(ctx, func(tx *Tx) error {
		for chunk := range slices.Chunk(ids, 200) {
			args := []any{env}
			for _, id := range chunk {
				args = append(args, id)
			}
			if err := tx.Each(func(r *sql.Rows) error {
				var id, name string
				err := r.Scan(&id, &name)
				out[id] = name
				return err
			}, "SELECT id, name FROM sub_accounts WHERE environment = ? AND id IN (?"+strings.Repeat(",?", len(chunk)-1)+")", args...); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
