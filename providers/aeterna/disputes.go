package aeterna

import (
	"context"
	"fmt"

	"countinghouse/models"
	"countinghouse/providers"
)

// OpenDispute asks to look at a PayIn again (AET-L-4, assumed): it reopens a cancelled or expired one. q.ProviderRef is needed. The proof
// is a link: q.Values["proof_url"], or one document of type text/uri-list that holds it; files are refused before anything is sent.
// q.Values["dispute_amount"] may give the amount that was really paid. Accepted carries the dispute's own id; the payment
// awaits its money again until it is asked about: unlike a payer's dispute, nothing of it has been received.
func (c *Client) OpenDispute(ctx context.Context, q providers.Query, reason string, evidence []providers.Document) providers.Outcome {
	if q.Kind != models.Deposit {
		return providers.Refused{Code: providers.NotSent, Message: "Only a PayIn can be disputed."}
	}
	in := input{reference: q.Reference, providerRef: q.ProviderRef, values: q.Values, reason: reason, evidence: evidence, amount: q.Amount}
	out := c.create(ctx, "dispute", opDisputeCreate, in, func(a AnswerPaths, o order) string {
		if a.Of != "" && o.of != q.ProviderRef {
			return fmt.Sprintf("The answer is about another PayIn (“%s”) than the one that was disputed.", clip(o.of))
		}
		return ""
	})
	if accepted, ok := out.(providers.Accepted); ok {
		accepted.Status = disputeStatus(accepted.Status)
		accepted.Status.ProviderRef = q.ProviderRef // the payment's id, not the dispute's
		return accepted
	}
	return out
}

// disputeStatus speaks of the payment: whatever became of the dispute already, only the payment's own status says what became of the money.
func disputeStatus(s providers.Status) providers.Status {
	s.Amount, s.Fee = models.Money{}, models.Money{}
	if s.State == "" {
		return s
	}
	s.Reason = map[models.State]string{"open": "The dispute is being looked at.", "accepted": "The dispute was accepted.", "rejected": "The dispute was rejected."}[s.State]
	s.State = models.AwaitingPayment
	return s
}
