package store

import (
	"context"
	"encoding/json"
	"fmt"

	"countinghouse/models"
)

// ApprovalSheet reads everything that somebody must see before they decide on a request, in one snapshot. It needs transactions.read.
func (s *Store) ApprovalSheet(ctx context.Context, a models.Actor, env models.Environment, id string) (*models.ApprovalSheet, error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	var out *models.ApprovalSheet
	err := s.View(ctx, func(tx *Tx) error {
		out = new(models.ApprovalSheet)
		rs, err := tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE id = ? AND environment IN (?, '')", id, env)
		if err != nil {
			return err
		}
		if len(rs) == 0 {
			return models.Errorf(models.NotFound, "There is no such request.")
		}
		out.Request = rs[0]
		switch {
		case aboutTransaction(out.Request.Subject):
			return tx.sheetOfTransaction(out)
		case out.Request.Subject == "policy":
			return tx.sheetOfPolicy(out)
		}
		return nil
	})
	return out, err
}

func (tx *Tx) sheetOfTransaction(x *models.ApprovalSheet) (err error) {
	r := &x.Request
	if x.Story, err = tx.story(r.Environment, r.SubjectID); err != nil {
		return err
	}
	t := &x.Story.Transaction
	r.Transaction = t
	for _, other := range x.Story.Approvals { // newest first
		if other.Subject == r.Subject && other.State == "void" && (other.CreatedAt < r.CreatedAt || (other.CreatedAt == r.CreatedAt && other.ID < r.ID)) {
			x.Voided = &other
			break
		}
	}
	if t.Kind == models.Payout || t.Kind == models.Order {
		var account string
		if err := tx.QueryRow("SELECT account_digest FROM transactions WHERE id = ?", t.ID).Scan(&account); err != nil {
			return err
		}
		ds, err := tx.duplicatesOf(t.Environment, t.DestinationDigest, account, t.Amount, 11)
		if err != nil {
			return err
		}
		for _, d := range ds {
			if d.ID != t.ID {
				x.Duplicates = append(x.Duplicates, d)
			}
		}
	}
	err = tx.QueryRow("SELECT version FROM credentials WHERE id = ?", t.CredentialID).Scan(&x.CredentialVersion)
	if IsNoRow(err) {
		err = nil
	}
	return err
}

func (tx *Tx) sheetOfPolicy(x *models.ApprovalSheet) error {
	var c models.PolicyChange
	if err := json.Unmarshal([]byte(x.Request.Payload), &c); err != nil {
		return fmt.Errorf("decode the change: %w", err)
	}
	x.Policy = &c
	ps, err := tx.policies()
	if err != nil {
		return err
	}
	for _, p := range ps {
		if p.ID == c.Policy.ID {
			x.PolicyNow = &p
		}
	}
	return nil
}
