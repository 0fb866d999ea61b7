package aeterna

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// Check makes the harmless calls of the operation table: the balance, the statistics of yesterday, and a question about a payout and a
// PayIn that cannot exist. Where typed operations are locked there is no path to call, and it says so.
func (c *Client) Check(ctx context.Context) []providers.CheckResult {
	var out []providers.CheckResult
	for _, one := range c.checks() {
		r := c.checkOne(ctx, one)
		out = append(out, r)
		switch r.Verdict {
		case providers.Unreachable, providers.KeysRejected, providers.SignatureRefused, providers.ClockOff, providers.IPNotListed:
			return out // every other call would say the same
		}
	}
	return out
}

// probe is one harmless call.
type probe struct {
	title, operation string
	in               input
	missing          bool // the right answer is “not found”
}

func (c *Client) checks() []probe {
	today := c.clock().UTC().Truncate(24 * time.Hour)
	days := map[string]string{"from": today.AddDate(0, 0, -1).Format(momentForm), "to": today.Format(momentForm)}
	nobody := input{reference: "CHCHECK0000000000000000"[:22]}
	return []probe{
		{title: "Balance", operation: opBalance},
		{title: "Statistics", operation: opStatistics, in: input{values: days}},
		{title: "PayOut status", operation: opPayoutStatus, in: nobody, missing: true},
		{title: "PayIn status", operation: opDepositStatus, in: nobody, missing: true},
	}
}

func (c *Client) checkOne(ctx context.Context, p probe) providers.CheckResult {
	r := providers.CheckResult{Title: p.title, Operation: p.operation, Items: append([]string{"AET-ENV-1", "AET-HTTP-1", "AET-SIG-1", "AET-SIG-6"}, itemsOf(p.operation)...)}
	w, err := c.typed(p.operation, p.in)
	if err != nil {
		r.Verdict, r.Sentence, r.Items = providers.CheckSkipped, err.Error(), nil
		return r
	}
	res, err := c.ask(ctx, p.operation, w)
	if err != nil {
		r.Verdict, r.Items = providers.Unreachable, nil
		r.Sentence = sentence(messageOf(err)) + ". Check the base URL, and that this machine may call out to it."
		return r
	}
	skew, hasDate := res.ClockSkew()
	r.SkewSecs = int(skew / time.Second)
	v := c.table.judge(res)
	right := v.class == success && c.readable(p, v.payload) || p.missing && v.class == notFound
	switch {
	case right:
		r.Verdict, r.Proved = providers.CheckOK, true
		r.Sentence = fmt.Sprintf("Answered as the operation table “%s” says: %s.", c.table.Title, strings.TrimSuffix(v.says, "."))
		if hasDate && c.clockOff(skew) {
			r.Sentence += " " + skewSentence(skew)
		}
	default:
		c.diagnose(&r, res, v, hasDate && c.clockOff(skew), skew)
	}
	return r
}

// readable reports whether a payload can be read the way the table says.
func (c *Client) readable(p probe, payload httpx.Value) bool {
	op := c.table.Operations[p.operation]
	var err error
	switch {
	case op.Balances != nil:
		_, err = c.table.balances(*op.Balances, payload)
	case op.Sheet != nil:
		_, err = op.Sheet.rows(payload)
	}
	return err == nil && !p.missing
}

// clockOff compares a difference with the tolerance (AET-SIG-3; Aeterna's own number is not known).
func (c *Client) clockOff(skew time.Duration) bool {
	window, err := strconv.Atoi(chosen(c.settings, settingWindow))
	if err != nil {
		window = 60
	}
	return skew.Abs() > time.Duration(window)*time.Second
}

func skewSentence(skew time.Duration) string {
	word := "ahead of"
	if skew < 0 {
		word = "behind"
	}
	return fmt.Sprintf("Their clock is %d seconds %s ours: set this machine's clock.", int(skew.Abs()/time.Second), word)
}

// diagnose says what a refused check means. The status is only a class (AET-ERR-1); a code in the table says more.
func (c *Client) diagnose(r *providers.CheckResult, res httpx.Response, v verdict, clockOff bool, skew time.Duration) {
	rule, known := findRule(c.table.Errors.Diagnosis, res.Status, v.code)
	switch {
	case known && v.code != "":
		r.Verdict = providers.CheckVerdict(rule.Verdict)
	case res.Status == 401 && clockOff:
		r.Verdict = providers.ClockOff
	case res.Status == 401:
		r.Verdict = providers.SignatureRefused
	case res.Status == 403:
		r.Verdict = providers.IPNotListed
	default:
		r.Verdict = providers.Unreadable
		r.Sentence = "The answer is not what the operation table says: " + v.says + "."
		r.Items = itemsOf(r.Operation) // the transport and the signature are not refuted by it
		if res.Status == 404 {
			r.Sentence += " There is probably no such path at this provider."
		}
		return
	}
	r.Items = nil // a refusal of these keys neither proves nor refutes the contract
	r.Sentence = c.diagnosis(r.Verdict, v.says, skew)
}

func (c *Client) diagnosis(verdict providers.CheckVerdict, says string, skew time.Duration) string {
	switch verdict {
	case providers.ClockOff:
		if !c.clockOff(skew) {
			return "The time of the request was refused (" + says + "), although both clocks agree. Ask Aeterna how long a request may take."
		}
		return "The time of the request was refused (" + says + "). " + skewSentence(skew)
	case providers.KeysRejected:
		return "The public token is not known there (" + says + "). Check it, and that the base URL belongs to this account."
	case providers.SignatureRefused:
		return "The signature was refused (" + says + "). The secret token is wrong, or the e-mail address is not typed exactly as it is registered: it is part of the signature, capitals included."
	case providers.NotEnabled:
		return "The keys work, but this is not switched on for the account (" + says + ")."
	}
	caller := c.caller
	if caller == "" {
		caller = "The address of this machine"
	}
	return caller + " is probably not on their list of allowed addresses (" + says + "). Ask Aeterna to add it."
}
