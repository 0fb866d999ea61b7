package wspn

import (
	"context"
	"fmt"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// Check fetches a token, reads the balance and asks for a rate: three calls that create nothing.
func (c *client) Check(ctx context.Context) []providers.CheckResult {
	if why := c.locked(balance); why != "" {
		return []providers.CheckResult{{Title: "Token", Verdict: providers.CheckSkipped, Sentence: why, Items: []string{"WSPN-SIG-1"}}}
	}
	token := providers.CheckResult{Title: "Token", Operation: "token.get", Items: []string{"WSPN-TOK-1", "WSPN-TOK-2"}}
	// A token that was cached proves nothing today: it is given up, and a new one is fetched.
	_, err := c.accessToken(ctx, c.tokens.cached())
	if err != nil {
		e := tokenTrouble(err, false)
		c.diagnose(&token, e, providers.KeysRejected, "WSPN rejected the API key or the API secret, or the key is not active")
		skipped := providers.CheckResult{Title: "Balance", Verdict: providers.CheckSkipped, Sentence: "Not asked, because there is no token."}
		return []providers.CheckResult{token, skipped}
	}
	token.Verdict, token.Proved, token.Sentence = providers.CheckOK, true, "WSPN accepts the keys and issues a token."
	return []providers.CheckResult{token, c.checkBalance(ctx), c.checkRate(ctx)}
}

func (c *client) checkBalance(ctx context.Context) providers.CheckResult {
	out := providers.CheckResult{Title: "Balance", Operation: balance.op, Items: []string{"WSPN-SIG-1", "WSPN-SIG-2", "WSPN-SIG-5"}}
	a, e := c.do(ctx, call{at: balance})
	if e != nil {
		c.diagnose(&out, e, providers.SignatureRefused, "WSPN issued a token but refused the signed balance call, so the signature is most likely not what it expects (WSPN-SIG-1)")
		return out
	}
	if skew, ok := a.res.ClockSkew(); ok {
		out.SkewSecs = int(skew / time.Second)
	}
	list := rows(a.object["resultList"])
	if len(list) == 0 {
		list = rows(a.object["result"])
	}
	for _, o := range list {
		if _, err := c.readBalance(o); err != nil {
			out.Verdict, out.Sentence = providers.Unreadable, sentenceOf(err)
			return out
		}
	}
	out.Verdict, out.Proved = providers.CheckOK, true
	out.Sentence = fmt.Sprintf("WSPN accepts the signature and answers with %d currencies.", len(list))
	if a.res.Header.Get("D-SIGNATURE") != "" && c.set.responseMode != "off" {
		out.Items = append(out.Items, "WSPN-SIG-6")
		out.Sentence += " The signature of its answer is right."
	}
	return out
}

func (c *client) checkRate(ctx context.Context) providers.CheckResult {
	out := providers.CheckResult{Title: "Rate USD to WUSD", Operation: exchangeRate.op, Items: []string{"WSPN-CT-1", "WSPN-FX-1"}}
	q, err := c.Quote(ctx, "USD", stable, models.Money{})
	if err != nil {
		var e *callError
		if !asCallError(err, &e) {
			out.Verdict, out.Sentence = providers.Unreadable, sentenceOf(err)
			return out
		}
		c.diagnose(&out, e, providers.NotEnabled, "WSPN answers the balance but not the rate: mint and redeem may not be switched on for this client")
		return out
	}
	out.Verdict, out.Proved = providers.CheckOK, true
	out.Sentence = "WSPN quotes " + q.Rate + " WUSD for 1 USD."
	return out
}

// diagnose says what a failed call shows. refused is the verdict when WSPN answered and said no.
func (c *client) diagnose(out *providers.CheckResult, e *callError, refused providers.CheckVerdict, likely string) {
	out.SkewSecs = int(e.skew / time.Second)
	said := sentence(e.sentence)
	switch {
	case e.kind == kindTransport:
		out.Verdict, out.Sentence = providers.Unreachable, "WSPN cannot be reached: "+e.sentence+"."
	case e.kind == kindSignature:
		out.Verdict, out.Items = providers.SignatureRefused, []string{"WSPN-SIG-6"}
		out.Sentence = said + " Either our guess of the signature is wrong or somebody changed the answer."
	case e.status == 403:
		out.Verdict, out.Items = providers.IPNotListed, nil
		out.Sentence = "WSPN answered HTTP 403: our address" + before(" ", c.egress) + " is probably not on its list, or the key may not do this. " + said
	case e.skew > 110*time.Second || e.skew < -110*time.Second:
		out.Verdict, out.Items = providers.ClockOff, []string{"WSPN-SIG-7"}
		out.Sentence = fmt.Sprintf("WSPN's clock is %d seconds from ours; it refuses calls that are more than 2 minutes off. %s", out.SkewSecs, said)
	case e.kind == kindUnreadable || e.status >= 500:
		out.Verdict, out.Sentence = providers.Unreadable, said
	default:
		out.Verdict, out.Sentence = refused, likely+". "+said
	}
}
