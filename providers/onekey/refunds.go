package onekey

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// refundBody is POST /v3/refunds (OKP-REF-1). An absent amount means the whole deposit: a trap, so it is absent only when it was asked for
// in so many words and no amount is known.
type refundBody struct {
	DepositID       json.Number    `json:"deposit_id"`
	InvoiceID       string         `json:"invoice_id"`
	Amount          json.Number    `json:"amount,omitempty"`
	BankAccount     *refundAccount `json:"bank_account,omitempty"`
	Comments        string         `json:"comments,omitempty"`
	NotificationURL string         `json:"notification_url,omitempty"`
}

// refundAccount is where a refund goes that does not go back to a card. Its account_type is a word, unlike a cashout's letter, and its
// bank_code a number, as in the sample.
type refundAccount struct {
	Beneficiary   string      `json:"beneficiary"`
	BankCode      json.Number `json:"bank_code"`
	Branch        string      `json:"branch,omitempty"`
	AccountNumber string      `json:"account_number"`
	AccountType   string      `json:"account_type"`
}

// SendRefund gives a completed deposit back, whole or in part. Our reference is the invoice_id and the idempotency key.
func (c *Client) SendRefund(ctx context.Context, r providers.SendRequest) providers.Outcome {
	if no, stop := c.readyForRefund(r); stop {
		return no
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "refund.create", http.MethodPost, "/v3/refunds", "", refundBodyOf(r), r.Reference)
	a := c.judge(deposits, res, err, refusesDeposit)
	if a.outcome != nil {
		return a.outcome
	}
	return c.createdRefund(r, a)
}

func (c *Client) readyForRefund(r providers.SendRequest) (providers.Refused, bool) {
	if no, stop := c.locked(); stop {
		return no, true
	}
	m, ok := method(r.Method)
	switch {
	case c.cfg.Secrets[fDepositKey] == "":
		return withheld("This credential has no deposit keys."), true
	case !ok || m.Kind != models.Refund:
		return withheld("OneKey has no refund method %q.", r.Method), true
	case !theirNumber.MatchString(r.OfProviderRef):
		return withheld("OneKey's number of the deposit is not known, and a refund needs it."), true
	case r.Amount.Minor < 0 || (r.Amount.Minor == 0 && !r.Full):
		return withheld("A refund without an amount would give the whole deposit back: say how much, or say that it is all."), true
	case !c.set.invoiceID.MatchString(r.Reference):
		return withheld("The reference has characters that this credential's settings do not allow (OKP-DEP-1)."), true
	}
	if ps := providers.CheckFields(m.Fields, r.Values); len(ps) > 0 {
		return withheld("Not sent: %s", ps[0].Sentence), true
	}
	return providers.Refused{}, false
}

func refundBodyOf(r providers.SendRequest) refundBody {
	b := refundBody{DepositID: json.Number(r.OfProviderRef), InvoiceID: r.Reference, Comments: capped(r.Note, 200), NotificationURL: r.NotifyURL}
	if r.Amount.Minor > 0 {
		b.Amount = json.Number(r.Amount.Plain())
	}
	if !httpsOnly(r.NotifyURL) && !stand(r.NotifyURL) {
		b.NotificationURL = ""
	}
	if r.Method == "refund_bank" {
		b.BankAccount = &refundAccount{Beneficiary: r.Values["beneficiary"], BankCode: json.Number(orText(strings.TrimLeft(r.Values["bank_code"], "0"), "0")),
			Branch: r.Values["branch"], AccountNumber: r.Values["account_number"], AccountType: r.Values["account_type"]}
	}
	return b
}

func (c *Client) createdRefund(r providers.SendRequest, a answer) providers.Outcome {
	o, info := a.object, a.object.part("refund_info")
	id := o.id("refund_id")
	if id == "" {
		return providers.Unknown{Cause: "OneKey's answer has no refund_id that can be read.", Raw: a.raw}
	}
	if o.has("deposit_id") && o.id("deposit_id") != r.OfProviderRef {
		return providers.Unknown{Cause: "OneKey's answer speaks of another deposit than the one to be refunded.", Raw: a.raw}
	}
	if r.Amount.Minor > 0 {
		for _, part := range []object{o, info} {
			if lie := contradicts(part, r.Reference, r.Amount); lie != "" {
				return providers.Unknown{Cause: lie, Raw: a.raw}
			}
		}
	}
	// A card refund tells its result at once. SUCCESS is the only one that is known to be good; the failed ones are not documented, so
	// everything else waits for the status.
	s := providers.Status{State: models.Pending, Word: c.clean(info.text("result")), ProviderRef: id, Reason: c.clean(info.text("reason"))}
	if s.Word == "SUCCESS" {
		s.State = models.Succeeded
	}
	return providers.Accepted{ProviderRef: id, Status: s, Raw: a.raw}
}

// FindRefund reads GET /v3/refunds/{id}. There is no query by our reference.
func (c *Client) FindRefund(ctx context.Context, q providers.Query) providers.Finding {
	switch {
	case c.cfg.Secrets[fDepositKey] == "":
		return providers.Finding{Result: providers.Unclear, Says: "This credential has no deposit keys."}
	case !theirNumber.MatchString(q.ProviderRef):
		return providers.Finding{Result: providers.Unclear, Says: "OneKey is asked for refunds by its own number only, and it is not known. Its callback names it; otherwise look for the refund in OneKey's panel."}
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "refund.status", http.MethodGet, "/v3/refunds/"+q.ProviderRef, "", nil, "")
	a := c.question(deposits, res, err)
	if a.object == nil {
		return a.finding
	}
	word := a.object.text("status")
	s := providers.Status{State: refundState(word), Word: c.clean(word), ProviderRef: q.ProviderRef}
	unclear := func(says string) providers.Finding {
		return providers.Finding{Result: providers.Unclear, Says: says, Raw: a.raw}
	}
	invoice, deposit := a.object.text("merchant_invoice_id"), a.object.id("deposit_id")
	switch {
	case word == "":
		return unclear("The answer has no status.")
	case q.OfProviderRef != "" && deposit != "" && deposit != q.OfProviderRef:
		return unclear("OneKey's refund " + q.ProviderRef + " belongs to another deposit than ours.")
	case q.Reference != "" && q.OfReference != "" && invoice != "" && invoice != q.Reference && invoice != q.OfReference:
		return unclear("OneKey's refund " + q.ProviderRef + " has another invoice id than ours.")
	}
	if a.object.has("amount") && q.Amount.Minor > 0 {
		amount, ok := a.object.money("amount", q.Amount.Asset)
		if !ok || amount != q.Amount {
			return unclear("OneKey's refund " + q.ProviderRef + " has another amount than ours.")
		}
		s.Amount = amount
	}
	return providers.Finding{Result: providers.Found, Status: s, Reference: c.clean(invoice), Of: deposit, Says: orText(statusSentence(models.Refund, word), "Status "+s.Word+", which is not one that we know."), Raw: a.raw}
}
