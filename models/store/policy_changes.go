package store

import (
	"context"

	"countinghouse/models"
)

// WaitingPolicies lists the changes of rules that wait for somebody, newest first. It needs transactions.read.
func (s *Store) WaitingPolicies(ctx context.Context, a models.Actor) (out []ApprovalRequest, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out, err = tx.requests("SELECT " + requestColumns + ` FROM approval_requests WHERE environment = '' AND state = 'open' AND subject = 'policy'
			ORDER BY created_us DESC, id DESC LIMIT 100`)
		return err
	})
	return out, err
}
