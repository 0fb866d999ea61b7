package aeterna

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// create makes a call that creates something and turns its answer into exactly one outcome. match compares the payload with what was
// asked; its sentence says what differs.
func (c *Client) create(ctx context.Context, kind models.Kind, operation string, in input, match func(AnswerPaths, order) string) providers.Outcome {
	w, err := c.typed(operation, in)
	if err != nil {
		return providers.Refused{Code: providers.NotSent, Message: err.Error()}
	}
	res, err := c.send(ctx, operation, w)
	if httpx.NotSent(err) {
		return providers.Refused{Code: providers.NotSent, Message: sentence(messageOf(err)) + ".", Retryable: true}
	}
	if err != nil {
		return providers.Unknown{Cause: sentence(messageOf(err)) + ".", Raw: res.Exchange.ResponseBody}
	}
	v := c.table.judge(res)
	switch v.class {
	case refused:
		message := v.rule.Sentence
		if message == "" {
			message = "The provider refused it: " + v.says + "."
		}
		return providers.Refused{Code: v.code, Message: message, Retryable: v.rule.Retryable, Raw: res.Exchange.ResponseBody}
	case exists:
		// AET-L-9: a duplicate means that something with this reference is there; what it is must be asked.
		return providers.Unknown{Cause: "The provider says that this reference is already taken (" + v.says + "): something exists and must be asked about.", Raw: res.Exchange.ResponseBody}
	case success:
	default:
		return providers.Unknown{Cause: "The answer proves nothing: " + v.says + ".", Raw: res.Exchange.ResponseBody}
	}
	paths := *c.table.Operations[operation].Answer
	o := paths.read(v.payload)
	if o.id == "" || len(o.id) > 200 || hasControl(o.id) {
		return providers.Unknown{Cause: "The answer looks like a success but gives no usable id.", Raw: res.Exchange.ResponseBody}
	}
	if differs := match(paths, o); differs != "" {
		return providers.Unknown{Cause: differs, Raw: res.Exchange.ResponseBody}
	}
	return providers.Accepted{ProviderRef: o.id, Status: c.table.status(kind, paths, o, in.amount.Asset), Instructions: paths.instructions(v.payload), Raw: res.Exchange.ResponseBody}
}

// asAsked compares reference, amount and currency of an answer with the request, as far as the table says where they stand.
func (c *Client) asAsked(reference string, amount models.Money) func(AnswerPaths, order) string {
	return func(a AnswerPaths, o order) string {
		switch {
		case a.Reference != "" && o.reference != reference:
			return fmt.Sprintf("The answer is about another reference (“%s”) than the one that was sent.", clip(o.reference))
		case a.Currency != "" && o.currency != amount.Asset:
			return fmt.Sprintf("The answer names the currency “%s” where %s was sent.", clip(o.currency), amount.Asset)
		case a.Amount != "" && !c.table.sameMoney(o.amount, amount):
			return fmt.Sprintf("The answer names the amount “%s” where %s was sent.", clip(o.amount), amount)
		}
		return ""
	}
}

// find asks about one deposit or payout.
func (c *Client) find(ctx context.Context, kind models.Kind, operation string, q providers.Query) providers.Finding {
	row, _ := c.table.method(q.Method, kind)
	w, err := c.typed(operation, input{reference: q.Reference, providerRef: q.ProviderRef, method: row.Code, values: q.Values})
	if err != nil {
		return providers.Finding{Result: providers.Unclear, Says: err.Error()}
	}
	res, err := c.ask(ctx, operation, w)
	if err != nil {
		return providers.Finding{Result: providers.Unclear, Says: sentence(messageOf(err)) + "."}
	}
	v := c.table.judge(res)
	out := providers.Finding{Result: providers.Unclear, Says: v.says, Raw: res.Exchange.ResponseBody}
	switch v.class {
	case notFound:
		if q.ProviderRef != "" && q.Reference != "" {
			return c.notFoundByID(ctx, kind, operation, q, out)
		}
		out.Result = providers.NotFound
	case success:
		c.found(&out, kind, operation, q, v.payload)
	}
	return out
}

// notFoundByID asks once more, by our own reference: that an id is not known says nothing about what was created under the reference, and
// ids can come from a callback.
func (c *Client) notFoundByID(ctx context.Context, kind models.Kind, operation string, q providers.Query, first providers.Finding) providers.Finding {
	id := q.ProviderRef
	q.ProviderRef = ""
	second := c.find(ctx, kind, operation, q)
	second.Says = "By the id “" + clip(id) + "”: " + strings.TrimSuffix(first.Says, ".") + ". By our reference: " + second.Says
	if second.Result == providers.Found { // under another id than the one that we hold
		second.Result, second.Status = providers.Unclear, providers.Status{}
	}
	return second
}

// found fills in an answer about the thing that was asked for; an answer about another one says nothing.
func (c *Client) found(out *providers.Finding, kind models.Kind, operation string, q providers.Query, payload httpx.Value) {
	paths := *c.table.Operations[operation].Answer
	o := paths.read(payload)
	switch {
	case o.word == "":
		out.Says = "The answer gives no status."
		return
	case paths.Reference != "" && o.reference != q.Reference,
		paths.ID != "" && o.id == "", q.ProviderRef != "" && paths.ID != "" && o.id != q.ProviderRef:
		out.Says = fmt.Sprintf("The answer is about another one: reference “%s”, id “%s”.", clip(o.reference), clip(o.id))
		return
	}
	if kind == models.Deposit {
		if odd := c.oddDeposit(paths, o, q.Amount); odd != "" {
			out.Says = odd
			return
		}
	}
	// A deposit's amount may lawfully change after a dispute; a payout's may not.
	if kind == models.Payout && q.Amount.Asset != "" {
		if differs := c.asAsked(o.reference, q.Amount)(paths, o); differs != "" {
			out.Says = differs
			return
		}
	}
	out.Result, out.Status = providers.Found, c.table.status(kind, paths, o, q.Amount.Asset)
	out.Says = fmt.Sprintf("status “%s”", clip(o.word))
	if out.Status.State == "" {
		out.Says += ", which is not in the operation table: nothing follows from it"
	}
}

// oddDeposit says why an answer about a deposit cannot be believed: its amount may lawfully change, its currency may not, and a paid one says
// what was paid (README, rule 4: nothing that they do not state is invented).
func (c *Client) oddDeposit(a AnswerPaths, o order, asked models.Money) string {
	if a.Currency != "" && asked.Asset != "" && o.currency != asked.Asset {
		return fmt.Sprintf("The answer names the currency “%s” where %s was asked.", clip(o.currency), asked.Asset)
	}
	s := c.table.status(models.Deposit, a, o, asked.Asset)
	if s.State == models.Succeeded && (a.Paid != "" || a.Amount != "") && s.Amount.Minor <= 0 {
		return fmt.Sprintf("The answer says “%s” and not how much was paid.", clip(o.word))
	}
	return ""
}

// payload asks a harmless question whose answer is not about one payment.
func (c *Client) payload(ctx context.Context, operation string, in input) (httpx.Value, httpx.Response, error) {
	w, err := c.typed(operation, in)
	if err != nil {
		return httpx.Value{}, httpx.Response{}, err
	}
	res, err := c.ask(ctx, operation, w)
	if err != nil {
		return httpx.Value{}, res, &models.Error{Code: models.Unavailable, Sentence: sentence(messageOf(err)) + ".", Err: err}
	}
	switch v := c.table.judge(res); {
	case v.class == success:
		return v.payload, res, nil
	case v.class == notFound:
		return httpx.Value{}, res, models.Errorf(models.NotFound, "Aeterna knows no such thing (%s).", v.says)
	case res.Status == 429:
		return httpx.Value{}, res, models.Errorf(models.Throttled, "Aeterna asks to slow down. Try again in a minute.")
	default:
		return httpx.Value{}, res, models.Errorf(models.Unavailable, "The answer cannot be used: %s.", v.says)
	}
}

func messageOf(err error) string {
	var e *httpx.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
