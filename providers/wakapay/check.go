package wakapay

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// Check signs in anew and makes the harmless calls. It is the one way in which rejected keys are tried again.
func (c *client) Check(ctx context.Context) []providers.CheckResult {
	c.tokens.again()
	out, ok := c.checkSignIn(ctx)
	if !ok {
		return append(out, providers.CheckResult{Title: "Balances, rate and recipient", Operation: "balance.read", Verdict: providers.CheckSkipped,
			Sentence: "Not tried: the sign-in did not work."})
	}
	out = append(out, c.checkBalances(ctx)...)
	out = append(out, c.checkRate(ctx))
	if c.cfg.Environment == models.Sandbox {
		out = append(out, c.checkRecipient(ctx))
	}
	return out
}

func (c *client) checkSignIn(ctx context.Context) ([]providers.CheckResult, bool) {
	r := providers.CheckResult{Title: "Sign-in", Operation: "auth", Verdict: providers.CheckOK}
	_, err := c.tokens.get(ctx)
	var auth *authFailure
	switch {
	case errors.As(err, &auth):
		r.Verdict, r.Sentence = auth.verdict, auth.sentence
	case err != nil:
		r.Verdict, r.Sentence = providers.Unreachable, "WakaPay could not be reached to sign in. "+sentence(err)
	}
	if err != nil {
		return append([]providers.CheckResult{r}, c.checkPrefix()...), false
	}
	r.Items, r.Proved = []string{"WAKA-ENV-1", "WAKA-AUTH-1"}, true
	r.Sentence = "Key and secret are accepted."
	if ends, ok := c.tokens.until(); ok {
		r.Sentence += " The token holds until " + ends.UTC().Format("15:04:05 UTC") + "."
	}
	return append([]providers.CheckResult{r}, c.checkPrefix()...), true
}

// checkPrefix only warns (WAKA-ENV-2): prefixes are seen in the documentation's placeholders and promise nothing.
func (c *client) checkPrefix() []providers.CheckResult {
	if !c.set.warnPrefix {
		return nil
	}
	wrong := ""
	for _, name := range []string{"api_key", "api_secret"} {
		v := c.cfg.Secrets[name]
		test, live := strings.Contains(v, "_test_"), strings.Contains(v, "_live_") || strings.Contains(v, "_prod_")
		if c.cfg.Environment == models.Live && test || c.cfg.Environment == models.Sandbox && live {
			wrong = name
		}
	}
	if wrong == "" {
		return nil
	}
	return []providers.CheckResult{{Title: "Key prefix", Operation: "auth", Verdict: providers.CheckOK, Items: []string{"WAKA-ENV-2"},
		Sentence: "Warning: by its prefix the " + strings.ReplaceAll(strings.TrimPrefix(wrong, "api_"), "_", " ") + " looks like one of the other environment."}}
}

// failed fills in why a call after the sign-in did not succeed.
func (c *client) failed(r *providers.CheckResult, a answer, err error) {
	switch {
	case httpx.NotSent(err):
		r.Verdict, r.Sentence = providers.Unreachable, "WakaPay cannot be reached. "+sentence(err)
	case err != nil:
		r.Verdict, r.Sentence = providers.Unreachable, "WakaPay gave no whole answer. "+said(err)
	default:
		var why string
		r.Verdict, why = c.diagnose(a)
		r.Sentence = "WakaPay was reached, but " + why
	}
}

func (c *client) checkBalances(ctx context.Context) []providers.CheckResult {
	r := providers.CheckResult{Title: "Balances", Operation: "balance.read", Verdict: providers.CheckOK}
	list, business, a, err := c.readWallets(ctx, "")
	r.SkewSecs = a.skew
	if err != nil && a.status != http.StatusOK {
		c.failed(&r, a, errorOf(err, a))
		return []providers.CheckResult{r}
	}
	if err != nil {
		r.Verdict, r.Sentence, r.Items = providers.Unreadable, err.Error(), []string{"WAKA-BAL-1"}
		return []providers.CheckResult{r}
	}
	var words []string
	for _, w := range list {
		words = append(words, w.currency+" "+w.available)
	}
	if len(words) == 0 {
		words = []string{"no wallet"}
	}
	r.Items, r.Proved = []string{"WAKA-AUTH-2"}, true
	r.Sentence = "Business " + orNone(business) + ": " + strings.Join(words, ", ") + ". " + c.unitNote()
	one := providers.CheckResult{Title: "One wallet", Operation: "balance.read", Verdict: providers.CheckOK, Items: []string{"WAKA-BAL-1"}, Proved: true,
		Sentence: "With a currency the answer is flat, without it is a list, as documented."}
	_, _, flat, err := c.readWallets(ctx, "USD")
	switch {
	case flat.status != http.StatusOK:
		one.Items = nil
		c.failed(&one, flat, errorOf(err, flat))
	case err != nil || flat.value.Get("items").There():
		one.Verdict, one.Proved, one.Sentence = providers.Unreadable, false, "With a currency the answer has another shape than documented."
	}
	return []providers.CheckResult{r, one}
}

// errorOf keeps an error only where no answer came; an answer speaks for itself.
func errorOf(err error, a answer) error {
	if a.status != 0 {
		return nil
	}
	return err
}

func (c *client) checkRate(ctx context.Context) providers.CheckResult {
	r := providers.CheckResult{Title: "Rate USD to KES", Operation: "rate.read", Verdict: providers.CheckOK}
	got, err := c.rateOf(ctx, "USD", "KES")
	switch {
	case models.Is(err, models.NotFound):
		r.Verdict, r.Sentence = providers.NotEnabled, err.Error()
	case err != nil:
		r.Verdict, r.Sentence = providers.Unreadable, err.Error()
	default:
		r.Items, r.Proved = []string{"WAKA-FX-1"}, true
		r.Sentence = "One USD is " + got.text + " KES until " + got.until.Format("15:04 UTC") + "."
	}
	return r
}

// checkRecipient uses WakaPay's own published test number, so it runs in test only.
func (c *client) checkRecipient(ctx context.Context) providers.CheckResult {
	r := providers.CheckResult{Title: "Recipient verification", Operation: "recipient.verify", Verdict: providers.CheckOK}
	v, err := c.verify(ctx, countries()[0], "+254700000001", "")
	switch {
	case err != nil:
		r.Verdict, r.Sentence = providers.Unreadable, err.Error()
	case v.Verdict == providers.RecipientOK && sameName(v.Name, "Amina Mjema"):
		r.Items, r.Proved, r.Sentence = []string{"WAKA-VER-1"}, true, "The published test number belongs to Amina Mjema, as documented."
	default:
		r.Items, r.Sentence = []string{"WAKA-VER-1"}, "The published test number was not answered as documented: "+v.Sentence
	}
	return r
}
