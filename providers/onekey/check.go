package onekey

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// probe is a reference that was never used and a number that is nobody's: what we ask about in a test must not exist.
const (
	probeReference = "COUNTINGHOUSEPROBE"
	probeNumber    = "999999999999999999"
)

// Check makes one harmless call with every set of keys.
func (c *Client) Check(ctx context.Context) []providers.CheckResult {
	return []providers.CheckResult{c.checkCashouts(ctx), c.checkDeposits(ctx), c.checkReadOnly(ctx), c.checkBooks(ctx)}
}

func skipped(title, sentence string) providers.CheckResult {
	return providers.CheckResult{Title: title, Verdict: providers.CheckSkipped, Sentence: sentence}
}

// checkCashouts asks for a cashout that does not exist: 509 shows that address, keys and signature are right.
func (c *Client) checkCashouts(ctx context.Context) providers.CheckResult {
	r := providers.CheckResult{Title: "Cashouts keys", Operation: "check.cashouts"}
	if c.cfg.Secrets[fCashoutKey] == "" {
		return skipped(r.Title, "No cashouts keys are given.")
	}
	res, err := c.cashout(ctx, r.Operation, http.MethodPost, "/v3/cashout/status", statusBody{login: c.login(), ExternalID: probeReference})
	o, done := c.heard(&r, res, err)
	if done {
		return r
	}
	p, bad := c.problemOf(res, o)
	if astray(res) { // whatever such an answer holds, it proves nothing
		c.odd(&r, p, cashouts)
		return r
	}
	switch {
	case p.Code == "509" || (!bad && o.has("cashout_status")):
		r.Verdict, r.Proved, r.Items = providers.CheckOK, true, []string{"OKP-SIG-3", "OKP-SIG-4"}
		r.Sentence = "Keys, signature and address are accepted."
	case p.Code == "402":
		r.Verdict, r.Sentence = providers.IPNotListed, c.notListed("Cashouts IP Address")
	case p.Code == "401" || p.Code == "524":
		r.Verdict, r.Sentence = providers.KeysRejected, "OneKey does not know this API key and passphrase: "+p.says(cashouts)+"."
	case p.Code == "302":
		r.Verdict, r.Sentence = providers.SignatureRefused, "The keys are known and the signature is refused: check the API signature of the cashouts keys."
	case p.Code == "519":
		r.Verdict, r.Sentence = providers.NotEnabled, "The keys work, and cashouts are not enabled for this merchant."
	default:
		c.odd(&r, p, cashouts)
	}
	return r
}

// checkDeposits reads a deposit that does not exist: 208 shows that keys, scheme word and clock are right, which proves OKP-SIG-2.
func (c *Client) checkDeposits(ctx context.Context) providers.CheckResult {
	r := providers.CheckResult{Title: "Deposit keys", Operation: "check.deposits"}
	if c.cfg.Secrets[fDepositKey] == "" {
		return skipped(r.Title, "No deposit keys are given.")
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), r.Operation, http.MethodGet, "/v3/deposits/"+probeNumber, "", nil, "")
	o, done := c.heard(&r, res, err)
	if done {
		return r
	}
	p, bad := c.problemOf(res, o)
	if astray(res) {
		c.odd(&r, p, deposits)
		return r
	}
	switch {
	case p.Code == "208" || (!bad && o.has("deposit_id")):
		r.Verdict, r.Proved, r.Items = providers.CheckOK, true, []string{"OKP-SIG-1", "OKP-SIG-2"}
		r.Sentence = "Keys, signature and the scheme word " + c.set.scheme + " are accepted."
	case p.Code == "100":
		r.Verdict, r.Sentence = providers.KeysRejected, "OneKey does not know this API key: "+p.says(deposits)+"."
	case p.Code == "102":
		// This refutes nothing: a wrong secret looks the same as the wrong scheme word.
		r.Verdict = providers.SignatureRefused
		r.Sentence = "The key is known and the signature is refused. Either the API signature is wrong, or OneKey wants the other scheme word than " + c.set.scheme + " (setting: scheme word)."
	case p.Code == "103":
		r.Verdict = providers.ClockOff
		if skew := time.Duration(r.SkewSecs) * time.Second; skew.Abs() < c.set.window-5*time.Second {
			r.Items = []string{"OKP-SIG-5"} // refused within the window that we assume: the window is smaller
		}
		r.Sentence = "OneKey refuses our date" + skewText(r.SkewSecs, c.set.window) + "."
	case p.Code == "201" && res.Status == http.StatusUnauthorized, p.Code == "402":
		r.Verdict, r.Sentence = providers.IPNotListed, c.notListed("Deposits IP Address")
	default:
		c.odd(&r, p, deposits)
	}
	return r
}

// astray reports an answer of a server error or a redirect: its code is not OneKey's word on our keys, and must not unlock a POST (OKP-SIG-2).
func astray(res httpx.Response) bool {
	return res.Status >= 500 || res.Status >= 300 && res.Status < 400
}

func skewText(skew int, window time.Duration) string {
	if skew == 0 {
		return ": set the clock of this machine by NTP"
	}
	side := "ahead of"
	if skew < 0 {
		side, skew = "behind", -skew
	}
	return fmt.Sprintf(": its clock is %d seconds %s ours, and about %d are accepted", skew, side, int(window.Seconds()))
}

func (c *Client) checkReadOnly(ctx context.Context) providers.CheckResult {
	r := providers.CheckResult{Title: "Read-only key", Operation: "check.methods"}
	if c.cfg.Secrets[fReadOnlyKey] == "" {
		return skipped(r.Title, "No read-only key is given.")
	}
	res, err := c.bearer(ctx, c.main, c.cfg.Secrets[fReadOnlyKey], r.Operation, "/v3/payment_methods", "country=BR")
	if res.Status == http.StatusOK && err == nil {
		if v, err := readAnswer(res.Body); err == nil {
			if list, ok := v.([]any); ok {
				r.SkewSecs = skewOf(res)
				r.Verdict = providers.CheckOK
				r.Sentence = fmt.Sprintf("The key is accepted: %d payment methods in Brazil.", len(list))
				return r
			}
		}
	}
	return c.bearerVerdict(r, res, err)
}

func (c *Client) checkBooks(ctx context.Context) providers.CheckResult {
	r := providers.CheckResult{Title: "Reconciliation token", Operation: "check.books"}
	if c.books == nil || c.cfg.Secrets[fBooksToken] == "" {
		return skipped(r.Title, "No reconciliation token is given.")
	}
	now := c.cfg.Clock()
	query := url.Values{"from": {c.moment(now.Add(-time.Hour))}, "to": {c.moment(now)}, "page": {"0"}}
	res, err := c.bearer(ctx, c.books, c.cfg.Secrets[fBooksToken], r.Operation, "/cashouts", query.Encode())
	if err == nil && res.Status == http.StatusOK {
		if o, err := readObject(res.Body); err == nil && o.has("data") {
			r.Verdict, r.Sentence = providers.CheckOK, "The token is accepted."
			return r
		}
	}
	return c.bearerVerdict(r, res, err)
}

func (c *Client) bearerVerdict(r providers.CheckResult, res httpx.Response, err error) providers.CheckResult {
	o, done := c.heard(&r, res, err)
	if done {
		return r
	}
	p, _ := c.problemOf(res, o)
	switch {
	case res.Status == http.StatusUnauthorized || p.Code == "100":
		r.Verdict, r.Sentence = providers.KeysRejected, "OneKey does not accept this key: "+p.says(deposits)+"."
	case res.Status == http.StatusForbidden:
		r.Verdict, r.Sentence = providers.NotEnabled, "The key is known and may not do this: "+p.says(deposits)+"."
	default:
		c.odd(&r, p, deposits)
	}
	return r
}

// heard fills a result in when there is no readable answer; done tells that nothing more is to be said.
func (c *Client) heard(r *providers.CheckResult, res httpx.Response, err error) (o object, done bool) {
	r.SkewSecs = skewOf(res)
	if err != nil {
		r.Verdict, r.Sentence = providers.Unreachable, sentence(c.clean(reasonOf(err)))+"."
		return nil, true
	}
	o, err = readObject(res.Body)
	if err != nil {
		r.Verdict, r.Sentence = providers.Unreadable, fmt.Sprintf("HTTP %d with something that is not OneKey's: %s.", res.Status, c.clean(err.Error()))
		return nil, true
	}
	return o, false
}

func (c *Client) odd(r *providers.CheckResult, p problem, f family) {
	r.Verdict, r.Sentence = providers.Unreadable, "OneKey answered "+p.says(f)+", which this test does not expect."
}

func (c *Client) notListed(list string) string {
	who := "Our outgoing address"
	if c.cfg.CallerAddress != "" {
		who = c.cfg.CallerAddress
	}
	return who + " is not on OneKey's list. Add it in OneKey's panel, Settings, API Access, " + list + "."
}

func skewOf(res httpx.Response) int {
	if d, ok := res.ClockSkew(); ok {
		return int(d.Round(time.Second).Seconds())
	}
	return 0
}
