package aeterna

import (
	"context"

	"countinghouse/models"
	"countinghouse/providers"
)

// CreateDeposit makes a PayIn by the operation table (AET-L-2, assumed). The instructions are the requisites to pay to.
func (c *Client) CreateDeposit(ctx context.Context, r providers.SendRequest) providers.Outcome {
	return c.order(ctx, models.Deposit, opDepositCreate, r)
}

// FindDeposit asks about a PayIn. An expired or cancelled one can come back as disputed, and then as paid (AET-L-7).
func (c *Client) FindDeposit(ctx context.Context, q providers.Query) providers.Finding {
	return c.find(ctx, models.Deposit, opDepositStatus, q)
}
