package wakapay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// payout is the body of a payout in the shape of WAKA-PAY-1. THE SHAPE IS OURS, NOT WAKAPAY'S: their page is not known. It is sent to a
// stand-in on this machine and nowhere else.
type payout struct {
	BusinessReference string `json:"businessReference"`
	Type              string `json:"type"`
	CountryCode       string `json:"countryCode"`
	PhoneNumber       string `json:"phoneNumber,omitempty"`
	Number            string `json:"number,omitempty"`
	AccountReference  string `json:"accountReference,omitempty"`
	SourceCurrency    string `json:"sourceCurrency"`
	TargetCurrency    string `json:"targetCurrency"`
	Amount            string `json:"amount"`
	Description       string `json:"description,omitempty"`
}

// demoOnly says why the shape of WAKA-PAY-1 may not be used; empty if it may.
func (c *client) demoOnly() string {
	switch {
	case c.cfg.Environment == models.Live || !c.stand:
		return "Not configured: WakaPay's pages on payouts and transactions are not known, and a made-up request is never sent to the real WakaPay."
	case !c.set.demoPayouts:
		return "Not configured: the made-up payout for the stand-in is switched off."
	}
	return ""
}

// SendPayout sends a payout in the shape of WAKA-PAY-1. It is one request; the one repeat that there can be follows a 401, with the same
// reference, where the authorization layer refused before anything was processed (WAKA-AUTH-5).
func (c *client) SendPayout(ctx context.Context, r providers.SendRequest) providers.Outcome {
	body, bad := c.payoutBody(r)
	if bad != "" {
		return providers.Refused{Code: providers.NotSent, Message: bad}
	}
	a, err := c.protected(ctx, request{op: "payout.create", method: http.MethodPost, path: "/business/payout", body: body}, c.set.repeatPayout)
	var auth *authFailure
	switch {
	case errors.As(err, &auth):
		return providers.Refused{Code: providers.NotSent, Retryable: true, Message: "Nothing was sent. " + auth.sentence}
	case errors.Is(err, context.Canceled) && !sentAnything(err), errors.Is(err, context.DeadlineExceeded) && !sentAnything(err), httpx.NotSent(err):
		return providers.Refused{Code: providers.NotSent, Retryable: true, Message: "Nothing was sent: the call was given up or could not be made."}
	case err != nil:
		return providers.Unknown{Cause: sentence(err) + " The payout may exist; it is asked about by its reference."}
	case a.status == http.StatusCreated:
		return c.created(r, a)
	}
	return refusal(a)
}

// sentAnything is false for an error that came before any request: waiting for a token, for example.
func sentAnything(err error) bool {
	var e *httpx.Error
	return errors.As(err, &e) && e.Sent
}

func (c *client) payoutBody(r providers.SendRequest) ([]byte, string) {
	if bad := c.demoOnly(); bad != "" {
		return nil, bad
	}
	land, kind, ok := kindOf(r.Method)
	switch {
	case c.set.unit == "": // WAKA-AMT-1
		return nil, "Nothing was sent: whether WakaPay counts in major or minor units is not confirmed for this credential."
	case !ok:
		return nil, "Nothing was sent: WakaPay has no such way to pay."
	case !c.set.reference.MatchString(r.Reference): // WAKA-IDEM-2
		return nil, "Nothing was sent: WakaPay would not take this reference."
	case r.Amount.Minor <= 0 || r.Amount.Asset != land.currency:
		return nil, "Nothing was sent: the amount must be above zero and in " + land.currency + "."
	}
	p := payout{BusinessReference: r.Reference, Type: kind, CountryCode: land.code, SourceCurrency: c.source(land.currency), TargetCurrency: land.currency,
		Amount: c.wire(r.Amount), Description: httpx.Say(r.Note, 140)}
	switch kind {
	case kindMobile:
		p.PhoneNumber = r.Values["phone"]
	case kindPaybill:
		p.AccountReference = r.Values["account_reference"]
		fallthrough
	default:
		p.Number = r.Values["number"]
	}
	if p.PhoneNumber == "" && p.Number == "" || kind == kindPaybill && p.AccountReference == "" {
		return nil, "Nothing was sent: the recipient is not complete."
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, "Nothing was sent: the payout could not be written."
	}
	return body, ""
}

// source is the wallet that pays (WAKA-PAY-3).
func (c *client) source(target string) string {
	if c.set.fundUSD {
		return "USD"
	}
	return target
}

// refusal judges an answer other than 201. P4 fixes 400, 404 (no rate), 412 and 422 as refusals and 409 as "already received": something
// exists, so it is asked about (WAKA-PAY-2, WAKA-IDEM-1). Everything that P4 does not list is unknown.
func refusal(a answer) providers.Outcome {
	code := strconv.Itoa(a.status)
	refused := providers.Refused{Code: code, Raw: a.kept}
	switch {
	case a.status == http.StatusConflict:
		return providers.Unknown{Cause: "WakaPay says that it has already received this reference" + a.said() + ". The first payout is asked about.", Raw: a.kept}
	case a.status == http.StatusUnauthorized: // any body: texts and shapes of a 401 are not relied on
		refused.Message, refused.Retryable = "WakaPay did not accept our token"+a.said()+". Nothing was processed. Test the credential.", true
		return refused
	case !a.ordinary: // the other shape is the authorization layer's, and anything else may be somebody else's
		return unclear(a)
	case a.value.Get("wakapayReference").There(): // a refusal that names a payout contradicts itself
		return unclear(a)
	case a.status == http.StatusBadRequest:
		refused.Message = "WakaPay calls the payout a bad request" + a.said() + "."
	case a.status == http.StatusNotFound:
		refused.Message = "WakaPay has no exchange rate for this payout" + a.said() + ". Your account manager sets rates up."
	case a.status == http.StatusPreconditionFailed:
		refused.Message, refused.Retryable = "The wallet at WakaPay does not hold enough"+a.said()+". After a top-up it can be sent.", true
	case a.status == http.StatusUnprocessableEntity:
		refused.Message = "WakaPay cannot pay this recipient" + a.said() + "."
	default:
		return unclear(a)
	}
	return refused
}

func unclear(a answer) providers.Outcome {
	return providers.Unknown{Cause: "WakaPay's answer (HTTP " + strconv.Itoa(a.status) + ") does not say whether the payout exists" + a.said() +
		". It is asked about by its reference.", Raw: a.kept}
}

// created judges a 201. Where it says something of the payout, it must say what was asked.
func (c *client) created(r providers.SendRequest, a answer) providers.Outcome {
	wrong := c.differs(a.value, r.Reference, r.Method, r.Amount, r.Values)
	if from := a.value.Get("sourceCurrency"); wrong == "" && from.There() && from.Text() != c.source(r.Amount.Asset) {
		wrong = "it takes the money from another wallet than was asked"
	}
	if wrong != "" {
		return providers.Unknown{Cause: "WakaPay says that it created the payout, but " + wrong + ". It is asked about by its reference.", Raw: a.kept}
	}
	st := c.statusOf(a.value.Get("status").Text())
	st.ProviderRef, st.Amount = a.value.Get("wakapayReference").Text(), r.Amount
	return providers.Accepted{ProviderRef: st.ProviderRef, Status: st, Raw: a.kept}
}

// differs compares a payout as WakaPay shows it with ours; empty if it is the same one.
func (c *client) differs(v httpx.Value, reference, method string, amount models.Money, values map[string]string) string {
	land, kind, _ := kindOf(method)
	account := map[string]string{"phoneNumber": values["phone"], "number": values["number"], "accountReference": values["account_reference"]}
	switch {
	case v.Get("businessReference").Text() != reference:
		return "the reference is not ours"
	case !validReference(v.Get("wakapayReference").Text()):
		return "it gives no reference of its own"
	case v.Get("status").Text() == "":
		return "it gives no status"
	case !c.sameAmount(v.Get("amount"), amount):
		return "the amount " + httpx.Say(v.Get("amount").Scalar(), 30) + " is not what was asked"
	case v.Get("targetCurrency").Text() != amount.Asset:
		return "the currency is not what was asked"
	case v.Get("countryCode").There() && land.code != "" && v.Get("countryCode").Text() != land.code:
		return "the country is not what was asked"
	case v.Get("type").There() && kind != "" && v.Get("type").Text() != kind:
		return "the kind of recipient is not what was asked"
	}
	for key, want := range account {
		if echo := v.Get(key); echo.There() && want != "" && echo.Text() != want {
			return "the recipient is not the one that was asked"
		}
	}
	return ""
}

func validReference(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// FindPayout asks about a payout by our reference, in the shape of WAKA-PAY-1.
func (c *client) FindPayout(ctx context.Context, q providers.Query) providers.Finding {
	if bad := c.demoOnly(); bad != "" {
		return providers.Finding{Result: providers.Unclear, Says: bad}
	}
	if !c.set.reference.MatchString(q.Reference) || !validReference(q.Reference) || strings.ContainsAny(q.Reference, "/?#%\\.") {
		return providers.Finding{Result: providers.Unclear, Says: "This reference cannot be asked about."}
	}
	a, err := c.read(ctx, request{op: "payout.find", method: http.MethodGet, path: "/business/transactions/" + q.Reference})
	switch {
	case err != nil:
		return providers.Finding{Result: providers.Unclear, Says: said(err)}
	case a.status == http.StatusNotFound && a.ordinary && !a.value.Get("wakapayReference").There():
		return providers.Finding{Result: providers.NotFound, Says: "404 no payout with the reference " + q.Reference + a.said(), Raw: a.kept}
	case a.status != http.StatusOK || !a.text:
		_, why := c.diagnose(a)
		return providers.Finding{Result: providers.Unclear, Says: "WakaPay did not show the payout: " + why, Raw: a.kept}
	}
	if wrong := c.differs(a.value, q.Reference, q.Method, q.Amount, q.Values); wrong != "" {
		return providers.Finding{Result: providers.Unclear, Says: "WakaPay shows a payout, but " + wrong + ". A person must look.", Raw: a.kept}
	}
	st := c.statusOf(a.value.Get("status").Text())
	st.ProviderRef, st.Amount = a.value.Get("wakapayReference").Text(), q.Amount
	if q.ProviderRef != "" && q.ProviderRef != st.ProviderRef {
		return providers.Finding{Result: providers.Unclear, Says: "WakaPay shows another payout under our reference than it created. A person must look.", Raw: a.kept}
	}
	return providers.Finding{Result: providers.Found, Status: st, Says: st.Word + " " + st.ProviderRef, Raw: a.kept}
}

// said is the sentence of a call that gave no answer.
func said(err error) string {
	var auth *authFailure
	if errors.As(err, &auth) {
		return auth.sentence
	}
	return sentence(err)
}
