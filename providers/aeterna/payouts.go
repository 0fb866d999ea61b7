package aeterna

import (
	"context"

	"countinghouse/models"
	"countinghouse/providers"
)

// SendPayout makes a PayOut by the operation table (AET-L-3, assumed).
func (c *Client) SendPayout(ctx context.Context, r providers.SendRequest) providers.Outcome {
	return c.order(ctx, models.Payout, opPayoutCreate, r)
}

// FindPayout asks about a PayOut, by their id where it is known, else by our reference.
func (c *Client) FindPayout(ctx context.Context, q providers.Query) providers.Finding {
	return c.find(ctx, models.Payout, opPayoutStatus, q)
}

// order sends a deposit or a payout after the same checks that the form made.
func (c *Client) order(ctx context.Context, kind models.Kind, operation string, r providers.SendRequest) providers.Outcome {
	row, ok := c.table.method(r.Method, kind)
	if !ok {
		return providers.Refused{Code: providers.NotSent, Message: "The operation table of this credential has no such method."}
	}
	if ps := c.table.checkValues(row, r.Amount, r.Values); len(ps) > 0 {
		return providers.Refused{Code: providers.NotSent, Message: ps[0].Sentence}
	}
	return c.create(ctx, kind, operation, inputOf(row, r), c.asAsked(r.Reference, r.Amount))
}

func inputOf(row MethodRow, r providers.SendRequest) input {
	return input{reference: r.Reference, amount: r.Amount, method: row.Code, values: r.Values, note: r.Note, notifyURL: r.NotifyURL, returnURL: r.ReturnURL}
}
