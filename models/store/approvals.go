package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

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
	for i := range out {
		if err == nil {
			out[i].Decisions, err = tx.decisions(out[i].ID)
		}
	}
	return out, err
}

func (tx *Tx) decisions(requestID string) ([]Decision, error) {
	var out []Decision
	err := tx.Each(func(r *sql.Rows) error {
		var d Decision
		err := r.Scan(&d.UserID, &d.Name, &d.Decision, &d.Reason, &d.At)
		out = append(out, d)
		return err
	}, "SELECT user_id, user_name, decision, reason, at_us FROM approvals WHERE request_id = ? ORDER BY at_us", requestID)
	return out, err
}

// ApprovalFilter chooses a list of requests.
type ApprovalFilter struct {
	Environment models.Environment
	View        string // mine: open, and this person may decide; open: all open; decided; made: by this person
	Before      models.Micros
	BeforeID    string
	Limit       int
}

// Approvals lists requests, newest first; more tells whether older ones follow. It needs transactions.read.
func (s *Store) Approvals(ctx context.Context, a models.Actor, f ApprovalFilter) (out []ApprovalRequest, more bool, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, false, err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	where, args := "environment IN (?, '')", []any{f.Environment} // changes of the house itself belong to no environment
	switch f.View {
	case "decided":
		where += " AND state <> 'open'"
	case "made":
		where += " AND created_by = ?"
		args = append(args, a.UserID)
	default:
		where += " AND state = 'open'"
	}
	if f.Before > 0 {
		where += " AND (created_us, id) < (?, ?)"
		args = append(args, f.Before, f.BeforeID)
	}
	err = s.View(ctx, func(tx *Tx) error {
		out, err = tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE "+where+" ORDER BY created_us DESC, id DESC LIMIT ?",
			append(args, f.Limit+1)...)
		if err != nil {
			return err
		}
		if more = len(out) > f.Limit; more {
			out = out[:f.Limit]
		}
		if f.View == "mine" || f.View == "" {
			out = filter(out, func(r ApprovalRequest) bool { return r.MayDecide(a, tx.Now) == nil })
		}
		return tx.attachTransactions(out)
	})
	return out, more, err
}

func filter[T any](in []T, keep func(T) bool) []T {
	var out []T
	for _, x := range in {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

func (tx *Tx) attachTransactions(rs []ApprovalRequest) error {
	for i := range rs {
		if rs[i].Subject == "transaction" || rs[i].Subject == "resend" || rs[i].Subject == "give_up" {
			t, err := tx.peekTransaction("t.id = ?", rs[i].SubjectID)
			if err != nil {
				return err
			}
			rs[i].Transaction = t
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
