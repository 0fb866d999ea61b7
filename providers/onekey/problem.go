package onekey

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// family is one of OneKey's two APIs. The same number means different things in them, so every code is read together with its family.
type family int

const (
	cashouts family = iota
	deposits
	validations // signed like deposits, numbers of their own (contract 6.5)
)

// problem is an error answer of either family (OKP-ERR-1).
type problem struct {
	HTTP    int
	Code    string // "514"; empty: the answer carries none
	Type    string // "RESOURCE_NOT_FOUND"
	Text    string // message, description, reason and details, cleaned
	Details []string
}

var theirCode = regexp.MustCompile(`^\d{1,5}$`)

// problemOf reads an error answer. The code in the body counts at any HTTP status (OKP-ERR-2); ok is false when the answer is a success.
func (c *Client) problemOf(res httpx.Response, o object) (p problem, ok bool) {
	p.HTTP = res.Status
	if code := o.text("code"); theirCode.MatchString(code) {
		p.Code = code
	}
	p.Type = c.clean(o.text("type"))
	parts := []string{o.text("message"), o.text("description"), o.text("reason")}
	if list, isList := o["details"].([]any); isList {
		for _, d := range list {
			if s, isText := d.(string); isText && len(p.Details) < 20 {
				p.Details = append(p.Details, c.clean(s))
			}
		}
	}
	if n := o.text("reason_code"); n != "" {
		parts = append(parts, "reason "+n)
	}
	parts = slices.DeleteFunc(append(parts, p.Details...), func(s string) bool { return s == "" })
	p.Text = c.clean(strings.Join(slices.Compact(parts), "; "))
	return p, p.Code != "" || res.Status < 200 || res.Status > 299
}

// says writes the problem for people: "514 insufficient funds (Not enough balance)".
func (p problem) says(f family) string {
	head := p.Code
	if meaning := meaningOf(f, p.Code); meaning != "" {
		head += " " + meaning
	}
	if p.Code == "" {
		head = fmt.Sprintf("HTTP %d without a code", p.HTTP)
	}
	if p.Text != "" && !strings.EqualFold(p.Text, meaningOf(f, p.Code)) {
		head += " (" + p.Text + ")"
	}
	return head
}

// answer is a success of a money-moving call, or the outcome that stands in its place.
type answer struct {
	object  object
	raw     []byte
	outcome providers.Outcome // nil: a success, read object
}

// judge reads the answer to a money-moving call. refused tells which problems are, by the contract, a definite refusal; everything that
// is neither that nor a whole success is Unknown.
func (c *Client) judge(f family, res httpx.Response, err error, refused func(problem) bool) answer {
	raw := res.Exchange.ResponseBody // redacted already: an answer may repeat our keys
	if err != nil {
		return answer{raw: raw, outcome: c.broken(err, raw)}
	}
	if res.Status >= 500 || (res.Status >= 300 && res.Status < 400) {
		return answer{raw: raw, outcome: providers.Unknown{Cause: fmt.Sprintf("OneKey answered HTTP %d. Whether it did the work is not known.", res.Status), Raw: raw}}
	}
	o, err := readObject(res.Body)
	if err != nil && res.Status == http.StatusTooManyRequests && c.set.limitRefuses {
		// OKP-RATE-1: undocumented; by this setting staff have said that a 429 means "not done".
		return answer{raw: raw, outcome: providers.Refused{Code: "429", Message: "OneKey asks us to slow down. " + waitOf(res), Retryable: true, Raw: raw}}
	}
	if err != nil {
		return answer{raw: raw, outcome: providers.Unknown{Cause: fmt.Sprintf("OneKey answered HTTP %d with something unreadable: %s.", res.Status, c.clean(err.Error())), Raw: raw}}
	}
	p, bad := c.problemOf(res, o)
	switch {
	case !bad:
		return answer{object: o, raw: raw}
	case res.Status == http.StatusTooManyRequests && c.set.limitRefuses:
		return answer{raw: raw, outcome: providers.Refused{Code: "429", Message: "OneKey asks us to slow down. " + waitOf(res), Retryable: true, Raw: raw}}
	case p.Code != "" && created(o):
		return answer{raw: raw, outcome: providers.Unknown{Cause: "OneKey's answer holds an error code and a new id at once: " + p.says(f) + ".", Raw: raw}}
	case p.Code != "" && refused(p):
		return answer{raw: raw, outcome: providers.Refused{Code: p.Code, Message: sentence(refusal(f, p)), Retryable: c.retryable(f, p), Raw: raw}}
	}
	return answer{raw: raw, outcome: providers.Unknown{Cause: "OneKey answered " + p.says(f) + ", which does not say that nothing was created.", Raw: raw}}
}

// elsewhere says that an answer sends us to another address. OneKey's API never does: whoever answers so, it is not its word.
func elsewhere(status int) string {
	return fmt.Sprintf("HTTP %d sends us elsewhere; nothing in it is OneKey's word.", status)
}

// created reports whether an answer claims that something exists.
func created(o object) bool {
	return o.has("cashout_id") || o.has("deposit_id") || o.has("refund_id") || o.has("subscription_id")
}

// broken is the outcome of a call that brought no whole answer.
func (c *Client) broken(err error, raw []byte) providers.Outcome {
	message := c.clean(err.Error())
	var e *httpx.Error
	if errors.As(err, &e) {
		message = c.clean(e.Message)
	}
	if httpx.NotSent(err) {
		return providers.Refused{Code: providers.NotSent, Message: sentence(message) + ".", Retryable: true}
	}
	return providers.Unknown{Cause: sentence(message) + ".", Raw: raw}
}

// withheld refuses a call before anything is sent.
func withheld(format string, args ...any) providers.Refused {
	return providers.Refused{Code: providers.NotSent, Message: fmt.Sprintf(format, args...), Retryable: true}
}

func waitOf(res httpx.Response) string {
	if after := res.Header.Get("Retry-After"); theirCode.MatchString(after) {
		return "It says to wait " + after + " seconds."
	}
	return "Try again in a minute."
}

// retryable says whether the same request, with the same reference, may be accepted later. OKP-IDEM-2: unless a refused creation burns
// its reference.
func (c *Client) retryable(f family, p problem) bool {
	if f == cashouts {
		// 514 is the contract's own example; the others are about keys, addresses and clocks, not about the payment.
		return !c.set.refusalBurns && slices.Contains([]string{"302", "401", "402", "514", "524"}, p.Code)
	}
	return slices.Contains([]string{"100", "102", "103"}, p.Code)
}

// trouble turns a failed read into an error for people.
func (c *Client) trouble(f family, what string, res httpx.Response, err error) error {
	if err != nil {
		return &models.Error{Code: models.Unavailable, Sentence: what + ": " + c.clean(reasonOf(err)) + ".", Err: errors.New(c.clean(err.Error()))}
	}
	if res.Status == http.StatusTooManyRequests {
		return models.Errorf(models.Unavailable, "%s: OneKey asks us to slow down. %s", what, waitOf(res))
	}
	o, _ := readObject(res.Body)
	p, _ := c.problemOf(res, o)
	if p.Code == "208" || res.Status == http.StatusNotFound {
		return models.Errorf(models.NotFound, "%s: OneKey knows no such thing (%s).", what, p.says(f))
	}
	return models.Errorf(models.Unavailable, "%s: OneKey answered %s.", what, p.says(f))
}

// unreadable is a read whose answer is not in the contract.
func (c *Client) unreadable(what string, err error) error {
	return models.Errorf(models.Unavailable, "%s: OneKey's answer cannot be read: %s.", what, c.clean(err.Error()))
}

func reasonOf(err error) string {
	var e *httpx.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
