package onekey

import (
	"context"
	"encoding/json"
	"net/http"

	"countinghouse/models"
	"countinghouse/providers"
)

// HoldPayout puts a pending cashout on hold (OKP-CO-3). The funds stay reserved.
func (c *Client) HoldPayout(ctx context.Context, q providers.Query) providers.Outcome {
	return c.update(ctx, "cashout.hold", "ON_HOLD", "5", q)
}

// ReleasePayout lets a held cashout go on (OKP-CO-3).
func (c *Client) ReleasePayout(ctx context.Context, q providers.Query) providers.Outcome {
	return c.update(ctx, "cashout.release", "PENDING", "0", q)
}

type updateBody struct {
	login
	CashoutID json.Number `json:"cashout_id"`
	Status    string      `json:"status"`
}

// update is PUT /v3/cashout/status. It takes OneKey's number only, and nothing in it says whose cashout that is. Where OneKey refuses two
// ids that do not belong together (OKP-CO-2), we ask with both first, so that a number from a forged callback never holds another one.
func (c *Client) update(ctx context.Context, operation, status, wanted string, q providers.Query) providers.Outcome {
	if no, stop := c.readyForChange(q); stop {
		return no
	}
	id := json.Number(q.ProviderRef)
	if c.set.idsMustMatch && q.Reference != "" {
		f := c.askStatus(ctx, operation+".whose", statusBody{login: c.login(), CashoutID: id, ExternalID: q.Reference}, q)
		switch f.Result {
		case providers.NotFound:
			return withheld("OneKey does not know its number %s together with our reference. Nothing was changed.", q.ProviderRef)
		case providers.Unclear:
			return withheld("OneKey could not be asked whose cashout %s is: %s Nothing was changed.", q.ProviderRef, f.Says)
		}
	}
	res, err := c.cashout(ctx, operation, http.MethodPut, "/v3/cashout/status", updateBody{login: c.login(), CashoutID: id, Status: status})
	return c.changed(c.judge(cashouts, res, err, refusesChange), wanted, q)
}

type cancelBody struct {
	login
	CashoutID  json.Number `json:"cashout_id"`
	ExternalID string      `json:"external_id"`
}

// CancelPayout calls a cashout off: a DELETE with a JSON body and both ids, which OneKey compares (OKP-CO-3). A held cashout is cancelled
// directly (OKP-CO-4); it is never released first, because what is pending can be paid.
func (c *Client) CancelPayout(ctx context.Context, q providers.Query) providers.Outcome {
	if no, stop := c.readyForChange(q); stop {
		return no
	}
	if q.Reference == "" {
		return withheld("OneKey cancels by both ids, and our reference is missing.")
	}
	if !c.set.cancelHeld {
		f := c.FindPayout(ctx, q)
		if f.Result == providers.Found && f.Status.State == models.Held {
			return withheld("This credential's settings say that OneKey does not cancel held cashouts (OKP-CO-4). Release it in OneKey's panel or wait.")
		}
	}
	res, err := c.cashout(ctx, "cashout.cancel", http.MethodDelete, "/v3/cashout/cancel",
		cancelBody{login: c.login(), CashoutID: json.Number(q.ProviderRef), ExternalID: q.Reference})
	return c.changed(c.judge(cashouts, res, err, refusesChange), "2", q)
}

func (c *Client) readyForChange(q providers.Query) (providers.Refused, bool) {
	switch {
	case c.cfg.Secrets[fCashoutKey] == "":
		return withheld("This credential has no cashouts keys."), true
	case !theirNumber.MatchString(q.ProviderRef):
		return withheld("OneKey changes a cashout by its own number, which is not known yet. Ask for the status, or read the reconciliation."), true
	}
	return providers.Refused{}, false
}

// changed reads the answer to a change: the new status must be the one that was asked for.
func (c *Client) changed(a answer, wanted string, q providers.Query) providers.Outcome {
	if a.outcome != nil {
		return a.outcome
	}
	if id := a.object.id("cashout_id"); a.object.has("cashout_id") && id != q.ProviderRef {
		return providers.Unknown{Cause: "OneKey's answer speaks of another cashout than the one to be changed.", Raw: a.raw}
	}
	if lie := contradicts(a.object, q.Reference, q.Amount); q.Reference != "" && lie != "" {
		return providers.Unknown{Cause: lie, Raw: a.raw}
	}
	s, ok := c.cashoutStatus(a.object)
	if !ok || s.State == "" {
		return providers.Unknown{Cause: "OneKey's answer does not say which status the cashout has now.", Raw: a.raw}
	}
	if s.Word != wanted {
		return providers.Unknown{Cause: "OneKey's answer has another status than was asked for: " + orText(sayStatus(s), s.Word), Raw: a.raw}
	}
	s.ProviderRef = q.ProviderRef
	return providers.Accepted{ProviderRef: q.ProviderRef, Status: s, Raw: a.raw}
}
