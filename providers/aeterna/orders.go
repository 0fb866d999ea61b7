package aeterna

import (
	"context"
	"errors"
	"fmt"

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
		return providers.Unknown{Cause: sentence(messageOf(err)) + ".", Raw: res.Body}
	}
	v := c.table.judge(res)
	switch v.class {
	case refused:
		message := v.rule.Sentence
		if message == "" {
			message = "The provider refused it: " + v.says + "."
		}
		return providers.Refused{Code: v.code, Message: message, Retryable: v.rule.Retryable, Raw: res.Body}
	case exists:
		// AET-L-9: a duplicate means that something with this reference is there; what it is must be asked.
		return providers.Unknown{Cause: "The provider says that this reference is already taken (" + v.says + "): something exists and must be asked about.", Raw: res.Body}
	case success:
	default:
		return providers.Unknown{Cause: "The answer proves nothing: " + v.says + ".", Raw: res.Body}
	}
	paths := *c.table.Operations[operation].Answer
	o := paths.read(v.payload)
	if o.id == "" || len(o.id) > 200 || hasControl(o.id) {
		return providers.Unknown{Cause: "The answer looks like a success but gives no usable id.", Raw: res.Body}
	}
	if differs := match(paths, o); differs != "" {
		return providers.Unknown{Cause: differs, Raw: res.Body}
	}
	return providers.Accepted{ProviderRef: o.id, Status: c.table.status(kind, paths, o, in.amount.Asset), Instructions: paths.instructions(v.payload), Raw: res.Body}
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
	out := providers.Finding{Result: providers.Unclear, Says: v.says, Raw: res.Body}
	switch v.class {
	case notFound:
		out.Result = providers.NotFound
	case success:
		c.found(&out, kind, operation, q, v.payload)
	}
	return out
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
