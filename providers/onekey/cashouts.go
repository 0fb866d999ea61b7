package onekey

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// login is the part of a cashouts body that authenticates it (OKP-SIG-4). The passphrase is in the body: no body is ever logged bare.
type login struct {
	Login string `json:"login"`
	Pass  string `json:"pass"`
}

func (c *Client) login() login {
	return login{Login: c.cfg.Secrets[fCashoutKey], Pass: c.cfg.Secrets[fCashoutPass]}
}

// cashoutBody is POST /v3/cashout (OKP-CO-1). Bank fields are pointers because PIX by key wants them there and empty.
type cashoutBody struct {
	login
	ExternalID      string      `json:"external_id"`
	Country         string      `json:"country"`
	Amount          json.Number `json:"amount"`
	Currency        string      `json:"currency"`
	DocumentID      string      `json:"document_id"`
	DocumentType    string      `json:"document_type,omitempty"`
	Name            string      `json:"beneficiary_name"`
	LastName        string      `json:"beneficiary_lastname,omitempty"`
	Email           string      `json:"email,omitempty"`
	Phone           string      `json:"phone,omitempty"`
	BankCode        any         `json:"bank_code,omitempty"`
	BankAccount     *string     `json:"bank_account,omitempty"`
	BankBranch      *string     `json:"bank_branch,omitempty"`
	AccountType     *string     `json:"account_type,omitempty"`
	Address         string      `json:"address,omitempty"`
	NotificationURL string      `json:"notification_url"`
	Comments        string      `json:"comments,omitempty"`
	OnHold          bool        `json:"on_hold,omitempty"`
	Type            string      `json:"type"`
}

// SendPayout creates a cashout. The reference is the external_id: unique at OneKey, and the only guard against a second one (511), since
// cashouts know neither an idempotency header nor a time stamp.
func (c *Client) SendPayout(ctx context.Context, r providers.SendRequest) providers.Outcome {
	if no, stop := c.readyForPayout(r); stop {
		return no
	}
	res, err := c.cashout(ctx, "cashout.create", http.MethodPost, "/v3/cashout", c.cashoutBody(r))
	a := c.judge(cashouts, res, err, c.refusesCashout)
	if u, ok := a.outcome.(providers.Unknown); ok && codeOf(res.Body) == "511" {
		u.Cause = "OneKey already has a cashout under this reference (511): it must be asked which."
		return u
	}
	if a.outcome != nil {
		return a.outcome
	}
	id := a.object.id("cashout_id")
	if id == "" {
		return providers.Unknown{Cause: "OneKey's answer has no cashout_id that can be read.", Raw: a.raw}
	}
	if lie := contradicts(a.object, r.Reference, r.Amount); lie != "" {
		return providers.Unknown{Cause: lie, Raw: a.raw}
	}
	// The answer has no status. PENDING (0) and, with on_hold, ON_HOLD (5) are the documented beginnings.
	state := models.Pending
	if r.Hold {
		state = models.Held
	}
	return providers.Accepted{ProviderRef: id, Status: providers.Status{State: state, ProviderRef: id}, Raw: a.raw}
}

// readyForPayout refuses what must not or cannot be sent.
func (c *Client) readyForPayout(r providers.SendRequest) (providers.Refused, bool) {
	if no, stop := c.locked(); stop {
		return no, true
	}
	m, ok := method(r.Method)
	switch {
	case c.cfg.Secrets[fCashoutKey] == "":
		return withheld("This credential has no cashouts keys."), true
	case !ok || m.Kind != models.Payout:
		return withheld("OneKey has no payout method %q.", r.Method), true
	case m.Locked != "":
		return withheld("%s", m.Locked), true
	case !c.set.externalID.MatchString(r.Reference):
		return withheld("The reference has characters that this credential's settings do not allow (OKP-IDEM-4)."), true
	case r.NotifyURL == "" || len(r.NotifyURL) > 300:
		return withheld("OneKey requires a callback address of at most 300 characters with every cashout. Set the public address of this installation."), true
	}
	if ps := checkRequest(c.cfg.Settings, m, r.Amount, r.Values); len(ps) > 0 {
		return withheld("Not sent: %s", ps[0].Sentence), true
	}
	return providers.Refused{}, false
}

func method(id string) (providers.Method, bool) {
	for _, m := range methods() {
		if m.ID == id {
			return m, true
		}
	}
	return providers.Method{}, false
}

func (c *Client) cashoutBody(r providers.SendRequest) cashoutBody {
	m, _ := method(r.Method)
	v := r.Values
	b := cashoutBody{
		login: c.login(), ExternalID: r.Reference, Country: m.Country, Amount: json.Number(r.Amount.Plain()), Currency: r.Amount.Asset,
		DocumentID: v["document_id"], DocumentType: v["document_type"], Name: v["beneficiary_name"], LastName: v["beneficiary_lastname"],
		Email: v["email"], Phone: v["phone"], Address: v["address"], NotificationURL: r.NotifyURL, Comments: capped(r.Note, 200), OnHold: r.Hold, Type: "json",
	}
	bank := v["bank_code"]
	if fixed := fixedBank(r.Method); fixed != "" {
		bank = fixed
	}
	if bank != "" {
		b.BankCode = bank
		if c.set.bankCodeNumber {
			b.BankCode = json.Number(strings.TrimLeft(bank, "0"))
		}
	}
	account, branch, kind := v["bank_account"], v["bank_branch"], v["account_type"]
	if m.Country == "BR" && kind == "" {
		kind = "C" // every PIX sample has it
	}
	if m.Country == "BR" || account != "" {
		b.BankAccount = &account
	}
	if m.Country == "BR" {
		b.BankBranch = &branch
	}
	if kind != "" {
		b.AccountType = &kind
	}
	return b
}

// capped cuts a note to what the wire takes.
func capped(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit])
	}
	return s
}

// codeOf reads the code of an error body; "" if there is none.
func codeOf(body []byte) string {
	o, _ := readObject(body)
	return o.text("code")
}

// contradicts compares what an answer says beyond the contract with what was asked. "" means that nothing in it differs.
func contradicts(o object, reference string, amount models.Money) string {
	if theirs := o.text("external_id"); o.has("external_id") && theirs != reference {
		return "OneKey's answer speaks of another reference than ours."
	}
	if amount.Asset == "" {
		return ""
	}
	if theirs := o.text("currency"); o.has("currency") && theirs != amount.Asset {
		return "OneKey's answer speaks of another currency than we sent."
	}
	if m, ok := o.money("amount", amount.Asset); o.has("amount") && (!ok || m != amount) {
		return "OneKey's answer speaks of another amount than we sent."
	}
	return ""
}

// statusBody is POST /v3/cashout/status, which reads. cashout_id is a number everywhere but in the answer to a creation.
type statusBody struct {
	login
	CashoutID  json.Number `json:"cashout_id,omitempty"`
	ExternalID string      `json:"external_id,omitempty"`
}

// FindPayout asks for a cashout. It asks by our own reference whenever there is one: their number may have come from a callback, whose
// signature does not cover it. 509 is their clear word that they do not know it (yet).
func (c *Client) FindPayout(ctx context.Context, q providers.Query) providers.Finding {
	body := statusBody{login: c.login(), ExternalID: q.Reference}
	if q.Reference == "" {
		if !theirNumber.MatchString(q.ProviderRef) {
			return providers.Finding{Result: providers.Unclear, Says: "There is neither our reference nor OneKey's number to ask for."}
		}
		body.CashoutID = json.Number(q.ProviderRef)
	}
	f := c.askStatus(ctx, "cashout.status", body, q)
	if f.Result == providers.Found && f.Status.ProviderRef == "" && q.ProviderRef == "" {
		// Cancel and hold need their number, and no answer by reference gives it (contract section 7): their books do.
		f.Status.ProviderRef, _ = c.searchBooks(ctx, "cashouts", q)
	}
	return f
}

func (c *Client) askStatus(ctx context.Context, operation string, body statusBody, q providers.Query) providers.Finding {
	if c.cfg.Secrets[fCashoutKey] == "" {
		return providers.Finding{Result: providers.Unclear, Says: "This credential has no cashouts keys."}
	}
	res, err := c.cashout(ctx, operation, http.MethodPost, "/v3/cashout/status", body)
	raw := res.Exchange.ResponseBody
	unclear := func(says string) providers.Finding {
		return providers.Finding{Result: providers.Unclear, Says: says, Raw: raw}
	}
	if err != nil {
		return unclear(sentence(c.clean(reasonOf(err))) + ".")
	}
	if res.Status >= 300 && res.Status < 400 {
		return unclear(elsewhere(res.Status))
	}
	o, err := readObject(res.Body)
	if err != nil {
		return unclear(fmt.Sprintf("HTTP %d, unreadable: %s.", res.Status, c.clean(err.Error())))
	}
	if p, bad := c.problemOf(res, o); bad {
		if lie := contradicts(o, body.ExternalID, models.Money{}); body.ExternalID != "" && lie != "" {
			return unclear(lie)
		}
		if p.Code == "509" && res.Status < 500 {
			return providers.Finding{Result: providers.NotFound, Says: p.says(cashouts), Raw: raw}
		}
		return unclear(p.says(cashouts))
	}
	s, ok := c.cashoutStatus(o)
	if !ok {
		return unclear("The answer has no cashout_status.")
	}
	if lie := contradicts(o, orText(q.Reference, o.text("external_id")), q.Amount); lie != "" {
		return unclear(lie)
	}
	if body.CashoutID != "" {
		s.ProviderRef = q.ProviderRef
	}
	return providers.Finding{Result: providers.Found, Status: s, Says: orText(sayStatus(s), "cashout_status "+s.Word), Raw: raw}
}

func sayStatus(s providers.Status) string {
	says := statusSentence(models.Payout, s.Word)
	if says == "" {
		return ""
	}
	says = "cashout_status " + s.Word + ", " + says
	if s.Reason != "" {
		says += " " + s.ReasonCode + ": " + s.Reason
	}
	return says
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
