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
	token := providers.CheckResult{Title: "Token", Operation: "token.get", Items: []string{"WSPN-ENV-1", "WSPN-TOK-1", "WSPN-TOK-2"}}
	// A token that was cached proves nothing today: it is given up, and a new one is fetched.
	_, err := c.accessToken(ctx, c.tokens.cached())
	if err != nil {
		e := tokenTrouble(err)
		c.diagnose(&token, e, providers.KeysRejected, "WSPN rejected the API key or the API secret, or the key is not active")
		skipped := providers.CheckResult{Title: "Balance", Verdict: providers.CheckSkipped, Sentence: "Not asked, because there is no token."}
		return []providers.CheckResult{token, skipped}
	}
	token.Verdict, token.Proved, token.Sentence = providers.CheckOK, true, "WSPN accepts the keys and issues a token."
	balance := c.checkBalance(ctx)
	if balance.Verdict != providers.CheckOK && balance.Verdict != providers.Unreadable {
		return []providers.CheckResult{token, balance, {Title: rateTitle, Verdict: providers.CheckSkipped, Sentence: "Not asked, because the balance was refused."}}
	}
	return []providers.CheckResult{token, balance, c.checkRate(ctx)}
}

const rateTitle = "Rate USD to WUSD"

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
			out.Verdict, out.Sentence, out.Items = providers.Unreadable, sentenceOf(err), []string{"WSPN-BAL-1"}
			return out
		}
	}
	out.Verdict, out.Proved = providers.CheckOK, true
	out.Items = append(out.Items, "WSPN-BAL-1")
	out.Sentence = fmt.Sprintf("WSPN accepts the signature and answers with %d currencies.", len(list))
	if a.res.Header.Get("D-SIGNATURE") != "" && c.set.responseMode != "off" {
		out.Items = append(out.Items, "WSPN-SIG-6")
		out.Sentence += " The signature of its answer is right."
	}
	return out
}

func (c *client) checkRate(ctx context.Context) providers.CheckResult {
	out := providers.CheckResult{Title: rateTitle, Operation: exchangeRate.op, Items: []string{"WSPN-CT-1", "WSPN-FX-1"}}
	q, err := c.Quote(ctx, "USD", stable, models.Money{})
	if err != nil {
		var e *callError
		if !asCallError(err, &e) {
			out.Verdict, out.Sentence, out.Items = providers.Unreadable, sentenceOf(err), []string{"WSPN-FX-1"}
			return out
		}
		c.diagnose(&out, e, providers.NotEnabled, "WSPN answers the balance but not the rate: mint and redeem may not be switched on for this client")
		return out
	}
	out.Verdict, out.Proved = providers.CheckOK, true
	out.Sentence = "WSPN quotes " + q.Rate + " WUSD for 1 USD."
	if v, err := parseJSON(q.Raw); err == nil {
		o, _ := v.(object)
		ends := c.set.moment(o.child("result").text(c.set.rateFields[2]))
		if left := ends.Sub(c.now()); !ends.IsZero() && left > -time.Minute && left < 2*time.Minute {
			out.Items = append(out.Items, "WSPN-TIME-1")
			out.Sentence += " Its time of expiry is read in the right zone."
		}
	}
	return out
}

// diagnose says what a failed call shows. refused is the verdict when WSPN answered and said no. A failure refutes only what it must: wrong
// keys say nothing about the contract.
func (c *client) diagnose(out *providers.CheckResult, e *callError, refused providers.CheckVerdict, likely string) {
	out.SkewSecs = int(e.skew / time.Second)
	rests := out.Items
	out.Items = nil
	said := sentence(e.sentence)
	switch {
	case e.kind == kindTransport:
		out.Verdict, out.Sentence = providers.Unreachable, "WSPN cannot be reached: "+e.sentence+"."
	case e.kind == kindSignature:
		out.Verdict, out.Items = providers.SignatureRefused, []string{"WSPN-SIG-6"}
		out.Sentence = said + " Either our guess of the signature is wrong or somebody changed the answer."
	case e.status == 403:
		out.Verdict = providers.IPNotListed
		out.Sentence = "WSPN answered HTTP 403: our address" + before(" ", c.egress) + " is probably not on its list, or the key may not do this. " + said
	case e.skew > 110*time.Second || e.skew < -110*time.Second:
		out.Verdict = providers.ClockOff
		out.Sentence = fmt.Sprintf("WSPN's clock is %d seconds from ours; it refuses calls that are more than 2 minutes off. %s", out.SkewSecs, said)
	case e.kind == kindUnreadable && e.status < 300:
		out.Verdict, out.Sentence, out.Items = providers.Unreadable, said, rests[len(rests)-1:]
	case e.kind == kindUnreadable || e.status >= 500:
		out.Verdict, out.Sentence = providers.Unreadable, said
	case refused == providers.SignatureRefused:
		out.Verdict, out.Sentence, out.Items = refused, likely+". "+said, []string{"WSPN-SIG-1"}
	default:
		out.Verdict, out.Sentence = refused, likely+". "+said
	}
}
