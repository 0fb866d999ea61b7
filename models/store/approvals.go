package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

// ApprovalRequest and Decision are the domain's, by the names that this package uses.
type (
	ApprovalRequest = models.ApprovalRequest
	Decision        = models.Decision
)

const requestColumns = `id, environment, subject, subject_id, digest, title, payload_json, policy_id, rule, needed, role, permission, state,
	created_us, created_by, created_by_name, reason, expires_us, decided_us`

func scanRequest(r scanner) (ApprovalRequest, error) {
	var x ApprovalRequest
	err := r.Scan(&x.ID, &x.Environment, &x.Subject, &x.SubjectID, &x.Digest, &x.Title, &x.Payload, &x.PolicyID, &x.Rule, &x.Needed, &x.Role,
		&x.Permission, &x.State, &x.CreatedAt, &x.CreatedBy, &x.CreatedByName, &x.Reason, &x.ExpiresAt, &x.DecidedAt)
	return x, err
}

// openRequest files a request. There is at most one open request per subject.
func (tx *Tx) openRequest(a models.Actor, r ApprovalRequest, payload any) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode what is approved: %w", err)
	}
	n, err := tx.Change(`INSERT INTO approval_requests (`+requestColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'open',?,?,?,?,?,0) ON CONFLICT DO NOTHING`,
		models.NewID(), r.Environment, r.Subject, r.SubjectID, r.Digest, r.Title, string(b), r.PolicyID, r.Rule, r.Needed, r.Role, r.Permission,
		tx.Now, a.UserID, a.Name, r.Reason, r.ExpiresAt)
	if err == nil && n == 0 {
		return models.Errorf(models.Conflict, "There is already an open request for this.")
	}
	return err
}

func (tx *Tx) approvalsOf(subjectID string) ([]ApprovalRequest, error) {
	return tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE subject_id = ? ORDER BY created_us DESC, id DESC LIMIT 50", subjectID)
}

func (tx *Tx) requests(query string, args ...any) ([]ApprovalRequest, error) {
	var out []ApprovalRequest
	err := tx.Each(func(r *sql.Rows) error {
		x, err := scanRequest(r)
		out = append(out, x)
		return err
	}, query, args...)
	if err != nil || len(out) == 0 {
		return out, err
	}
	return out, tx.attachDecisions(out)
}

// attachDecisions reads what people said on a list of requests, in one query.
func (tx *Tx) attachDecisions(rs []ApprovalRequest) error {
	at := make(map[string]int, len(rs))
	ids := make([]any, len(rs))
	for i := range rs {
		at[rs[i].ID], ids[i] = i, rs[i].ID
	}
	return tx.Each(func(r *sql.Rows) error {
		var d Decision
		var id string
		err := r.Scan(&id, &d.UserID, &d.Name, &d.Decision, &d.Reason, &d.Digest, &d.At)
		rs[at[id]].Decisions = append(rs[at[id]].Decisions, d)
		return err
	}, "SELECT request_id, user_id, user_name, decision, reason, digest, at_us FROM approvals WHERE request_id IN ("+marks(len(ids))+") ORDER BY at_us, user_id", ids...)
}

// marks is the list of n placeholders.
func marks(n int) string { return "?" + strings.Repeat(",?", n-1) }

// The lists of requests.
const (
	ApprovalsMine    = "mine"    // open, and this person may decide
	ApprovalsOpen    = "open"    // all that wait
	ApprovalsDecided = "decided" // approved, rejected, expired, void
	ApprovalsMade    = "made"    // by this person
)

// ApprovalFilter chooses a page of a list of requests, newest first.
type ApprovalFilter struct {
	Environment models.Environment
	View        string // one of the lists above; anything else is mine
	Cursor      models.Cursor
	Limit       int
}

// ApprovalList is one page of a list.
type ApprovalList struct {
	Rows         []ApprovalRequest
	Newer, Older models.Cursor // zero: there is none
}

// Approvals lists requests, newest first. It never walks what it does not show: each state of each environment is read from the index in
// order of time, and merged. It needs transactions.read.
func (s *Store) Approvals(ctx context.Context, a models.Actor, f ApprovalFilter) (*ApprovalList, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	out := new(ApprovalList)
	err := s.View(ctx, func(tx *Tx) error {
		rows, err := tx.approvalPage(a, f)
		if err != nil {
			return err
		}
		more := len(rows) > f.Limit
		if more {
			rows = rows[:f.Limit]
		}
		if f.Cursor.Back {
			slices.Reverse(rows)
		}
		out.Rows = rows
		if len(rows) == 0 {
			return nil
		}
		first, last := rows[0], rows[len(rows)-1]
		if (f.Cursor.Back && more) || (!f.Cursor.Back && f.Cursor.At != 0) {
			out.Newer = models.Cursor{At: first.CreatedAt, ID: first.ID, Back: true}
		}
		if f.Cursor.Back || more {
			out.Older = models.Cursor{At: last.CreatedAt, ID: last.ID}
		}
		return tx.attachTransactions(rows)
	})
	return out, err
}

// approvalPage reads one row more than fits, so that the caller knows whether the list goes on.
func (tx *Tx) approvalPage(a models.Actor, f ApprovalFilter) ([]ApprovalRequest, error) {
	states := []string{"open"}
	var where string
	var more []any
	switch f.View {
	case ApprovalsOpen:
	case ApprovalsDecided:
		states = []string{"approved", "rejected", "expired", "void"}
	case ApprovalsMade:
		states, where, more = []string{""}, " AND created_by = ?", []any{a.UserID}
	default:
		where, more = tx.mayDecide(a)
	}
	dir, cmp := "DESC", "<"
	if f.Cursor.Back {
		dir, cmp = "ASC", ">"
	}
	if f.Cursor.At > 0 {
		where += " AND (created_us, id) " + cmp + " (?, ?)"
		more = append(more, f.Cursor.At, f.Cursor.ID)
	}
	tail := fmt.Sprintf(" ORDER BY created_us %s, id %s LIMIT %d", dir, dir, f.Limit+1)
	var parts []string
	var args []any
	for _, env := range []models.Environment{f.Environment, ""} { // changes of the house itself belong to no environment
		for _, state := range states {
			q := "SELECT " + requestColumns + " FROM approval_requests r WHERE environment = ?"
			args = append(args, env)
			if state != "" {
				q += " AND state = ?"
				args = append(args, state)
			}
			parts = append(parts, "SELECT * FROM ("+q+where+tail+") x")
			args = append(args, more...)
		}
	}
	return tx.requests("SELECT "+requestColumns+" FROM ("+strings.Join(parts, " UNION ALL ")+") u"+tail, args...)
}

// mayDecide is models.ApprovalRequest.MayDecide as a condition on open requests; both are held together by a test.
func (tx *Tx) mayDecide(a models.Actor) (where string, args []any) {
	where = " AND expires_us > ? AND created_by <> ? AND permission IN (" + words(a.Permissions()) + ") AND role IN (" + words(append([]models.Role{""}, a.Roles...)) +
		") AND NOT EXISTS (SELECT 1 FROM approvals d WHERE d.request_id = r.id AND d.user_id = ?)"
	return where, []any{tx.Now, a.UserID, a.UserID}
}

// waitingBound is where counting what waits for a person stops: a menu says "100" and means "a hundred or more".
const waitingBound = 100

// ApprovalsWaiting counts the requests that this person may decide on, at most 100. Somebody who may not read transactions has none.
func (s *Store) ApprovalsWaiting(ctx context.Context, a models.Actor, env models.Environment) (w models.Waiting, err error) {
	if a.Require(models.TransactionsRead) != nil {
		return w, nil
	}
	err = s.View(ctx, func(tx *Tx) error {
		where, args := tx.mayDecide(a)
		one := "SELECT * FROM (SELECT created_us, expires_us FROM approval_requests r WHERE environment = ? AND state = 'open'" + where + " ORDER BY created_us, id LIMIT " + limited(waitingBound) + ") x"
		branch := func(e models.Environment) []any { return append([]any{e}, args...) }
		err := tx.QueryRow("SELECT COUNT(*), COALESCE(MIN(created_us), 0), COALESCE(MIN(expires_us), 0) FROM ("+one+" UNION ALL "+one+") u", append(branch(env), branch("")...)...).
			Scan(&w.Count, &w.Oldest, &w.Expires)
		w.Count = min(w.Count, waitingBound)
		return err
	})
	return w, err
}

func aboutTransaction(subject string) bool {
	return subject == "transaction" || subject == "resend" || subject == "give_up" || subject == subjectNumber
}

// attachTransactions reads the transactions that a list of requests is about, in one query.
func (tx *Tx) attachTransactions(rs []ApprovalRequest) error {
	var ids []any
	for _, r := range rs {
		if aboutTransaction(r.Subject) {
			ids = append(ids, r.SubjectID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found := map[string]*models.Transaction{}
	if err := tx.Each(func(r *sql.Rows) error {
		t, err := scanTransaction(r)
		if err == nil {
			found[t.ID] = t
		}
		return err
	}, "SELECT "+transactionColumns+" FROM transactions t WHERE t.id IN ("+marks(len(ids))+")", ids...); err != nil {
		return err
	}
	for i := range rs {
		if aboutTransaction(rs[i].Subject) {
			rs[i].Transaction = found[rs[i].SubjectID]
		}
	}
	return nil
}

// ApprovalRequest reads one request. It needs transactions.read.
func (s *Store) ApprovalRequest(ctx context.Context, a models.Actor, env models.Environment, id string) (*ApprovalRequest, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	var out []ApprovalRequest
	err := s.View(ctx, func(tx *Tx) (err error) {
		out, err = tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE id = ? AND environment IN (?, '')", id, env)
		if err == nil && len(out) == 0 {
			return models.Errorf(models.NotFound, "There is no such request.")
		}
		if err != nil {
			return err
		}
		return tx.attachTransactions(out)
	})
	if err != nil {
		return nil, err
	}
	return &out[0], nil
}
