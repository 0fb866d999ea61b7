package aeterna

import (
	"context"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// Balances reads the balance (AET-L-5, assumed).
func (c *Client) Balances(ctx context.Context) ([]providers.Balance, error) {
	payload, _, err := c.payload(ctx, opBalance, input{})
	if err != nil {
		return nil, err
	}
	return c.table.balances(*c.table.Operations[opBalance].Balances, payload)
}

// LookUp answers the reads: statistics between two days, and where a dispute stands.
func (c *Client) LookUp(ctx context.Context, id string, params map[string]string) (providers.Sheet, error) {
	switch id {
	case "statistics":
		from, to, err := period(params)
		if err != nil {
			return providers.Sheet{}, err
		}
		return c.sheet(ctx, opStatistics, map[string]string{"from": from, "to": to})
	case "dispute":
		return c.sheet(ctx, opDisputeStatus, map[string]string{"id": params["id"]})
	}
	return providers.Sheet{}, models.Errorf(models.NotFound, "There is no such look-up.")
}

func (c *Client) sheet(ctx context.Context, operation string, values map[string]string) (providers.Sheet, error) {
	payload, res, err := c.payload(ctx, operation, input{values: values})
	if err != nil {
		return providers.Sheet{}, err
	}
	out, err := c.table.Operations[operation].Sheet.rows(payload)
	out.Note, out.Raw = "Read by the operation table “"+c.table.Title+"”, which is assumed.", res.Exchange.ResponseBody
	return out, err
}

// period turns two days into moments in UTC; the first must come before the second (AET-L-6).
func period(params map[string]string) (from, to string, err error) {
	a, err := time.Parse(time.DateOnly, params["from"])
	if err != nil {
		return "", "", models.FieldErrorf("from", "From must be a day such as 2025-01-31.")
	}
	b, err := time.Parse(time.DateOnly, params["to"])
	if err != nil {
		return "", "", models.FieldErrorf("to", "To must be a day such as 2025-01-31.")
	}
	if !a.Before(b) {
		return "", "", models.FieldErrorf("to", "The first day must come before the second.")
	}
	return a.Format(momentForm), b.Format(momentForm), nil
}
