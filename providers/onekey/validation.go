package onekey

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// validationBody is POST /v5/account/validate (contract 3.13). Its inner names are not those of a cashout. bank_account is one object or
// a list with one (OKP-VAL-1).
type validationBody struct {
	Country      string      `json:"country"`
	Document     string      `json:"document"`
	DocumentType string      `json:"document_type"`
	FirstName    string      `json:"first_name,omitempty"`
	LastName     string      `json:"last_name,omitempty"`
	BankAccount  any         `json:"bank_account"`
	Amount       json.Number `json:"amount,omitempty"`
	Currency     string      `json:"currency,omitempty"`
}

type validatedAccount struct {
	BankCode    json.Number `json:"bank_code,omitempty"`
	Account     string      `json:"account"`
	Branch      string      `json:"branch,omitempty"`
	AccountType string      `json:"account_type,omitempty"`
}

// pixBody is POST /v5/account/pix_key/validate/details (contract 3.14). The answer comes by callback.
type pixBody struct {
	KeyType         string `json:"key_type"`
	Document        string `json:"document"`
	PixKey          string `json:"pix_key"`
	NotificationURL string `json:"notification_url"`
}

// VerifyRecipient asks whether a destination can be paid: bank accounts at once, PIX keys with an answer by callback. A pass means that the
// cashout should work; nothing is reserved.
func (c *Client) VerifyRecipient(ctx context.Context, r providers.SendRequest) (providers.Verification, error) {
	if no, stop := c.locked(); stop {
		return providers.Verification{}, models.Errorf(models.Conflict, "%s", no.Message)
	}
	m, ok := method(r.Method)
	switch {
	case c.cfg.Secrets[fCashoutKey] == "":
		return providers.Verification{}, models.Errorf(models.Unavailable, "This credential has no cashouts keys, which also sign validations.")
	case !ok || m.Kind != models.Payout || m.Locked != "":
		return providers.Verification{}, models.Errorf(models.Invalid, "OneKey cannot verify this kind of destination.")
	}
	if err := models.Problems(providers.CheckFields(m.Fields, r.Values)); err != nil {
		return providers.Verification{}, err
	}
	if strings.HasPrefix(r.Method, "br_pix_") {
		return c.validatePix(ctx, r)
	}
	return c.validateAccount(ctx, m, r)
}

func (c *Client) validateAccount(ctx context.Context, m providers.Method, r providers.SendRequest) (providers.Verification, error) {
	v := r.Values
	account := validatedAccount{BankCode: json.Number(strings.TrimLeft(orText(fixedBank(r.Method), v["bank_code"]), "0")), Account: v["bank_account"], Branch: v["bank_branch"], AccountType: v["account_type"]}
	body := validationBody{Country: m.Country, Document: v["document_id"], DocumentType: orText(v["document_type"], "CPF"), FirstName: v["beneficiary_name"], LastName: v["beneficiary_lastname"], BankAccount: account}
	if c.set.accountArray {
		body.BankAccount = []validatedAccount{account}
	}
	if r.Amount.Minor > 0 {
		body.Amount, body.Currency = json.Number(r.Amount.Plain()), r.Amount.Asset
	}
	res, err := c.signed(ctx, c.main, c.validationKeys(), "account.validate", http.MethodPost, "/v5/account/validate", "", body, "")
	if err == nil && plainYes(res) {
		return providers.Verification{Verdict: providers.RecipientOK, Raw: res.Exchange.ResponseBody,
			Sentence: "OneKey says that the account is valid. A cashout should work; this is no reservation."}, nil
	}
	return c.verdict(res, err)
}

// plainYes reports a success: 2XX, empty (the prose says 204) or an object without a code (OKP-VAL-1). A page of some other server is neither.
func plainYes(res httpx.Response) bool {
	if res.Status < 200 || res.Status > 299 {
		return false
	}
	o, err := readObject(res.Body)
	return len(res.Body) == 0 || (err == nil && !o.has("code"))
}

// verdict reads a failed validation (contract 6.5). Codes about keys, addresses or this merchant say nothing about the recipient.
func (c *Client) verdict(res httpx.Response, err error) (providers.Verification, error) {
	const what = "Verification"
	if err != nil {
		return providers.Verification{}, c.trouble(validations, what, res, err)
	}
	o, err := readObject(res.Body)
	if err != nil {
		return providers.Verification{}, c.unreadable(what, err)
	}
	p, _ := c.problemOf(res, o)
	v := providers.Verification{Sentence: "OneKey says: " + p.says(validations) + ".", Raw: res.Exchange.ResponseBody}
	switch {
	case p.Code == "402":
		v.Verdict = providers.RecipientMismatch
	case slices.Contains([]string{"300", "301", "302", "303", "305", "306", "400", "401", "404", "405"}, p.Code):
		v.Verdict = providers.RecipientBad
	case slices.Contains([]string{"307", "308", "309", "310", "311"}, p.Code):
		v.Verdict = providers.RecipientUnclear
	default:
		return providers.Verification{}, models.Errorf(models.Unavailable, "%s: OneKey answered %s.", what, p.says(validations))
	}
	return v, nil
}

func (c *Client) validatePix(ctx context.Context, r providers.SendRequest) (providers.Verification, error) {
	token := tokenOf(r.NotifyURL)
	if token == "" {
		return providers.Verification{}, models.Errorf(models.Unavailable, "OneKey answers PIX-key validations by callback: set the public address of this installation first.")
	}
	v := r.Values
	kind, key := "DOCUMENT", v["document_id"]
	switch r.Method {
	case "br_pix_phone":
		kind, key = "PHONE", v["phone"]
	case "br_pix_email":
		kind, key = "EMAIL", v["email"]
	}
	body := pixBody{KeyType: kind, Document: v["document_id"], PixKey: key, NotificationURL: r.NotifyURL}
	res, err := c.signed(ctx, c.main, c.validationKeys(), "pix.validate", http.MethodPost, "/v5/account/pix_key/validate/details", "", body, "", token)
	if err != nil || !plainYes(res) {
		if len(res.Body) == 0 && res.Status == http.StatusBadRequest {
			// Older pages: an empty 400 says that the key is no good.
			return providers.Verification{Verdict: providers.RecipientBad, Sentence: "OneKey refuses the PIX key without a reason."}, nil
		}
		return c.verdict(res, err)
	}
	o, _ := readObject(res.Body)
	switch said := c.clean(o.text("message")); {
	case o.has("pix_key") && !strings.EqualFold(o.text("pix_key"), key):
		return providers.Verification{}, models.Errorf(models.Unavailable, "Verification: OneKey's answer is about another PIX key than we asked for.")
	case strings.EqualFold(o.text("status"), "ERROR"):
		return providers.Verification{Verdict: providers.RecipientBad, Raw: res.Exchange.ResponseBody,
			Sentence: "OneKey says that the PIX key does not fit: " + orText(said, "no reason given") + "."}, nil
	}
	return providers.Verification{Verdict: providers.RecipientPending, Token: token, Sentence: "OneKey checks the PIX key and answers by callback.", Raw: res.Exchange.ResponseBody}, nil
}

// tokenOf takes the token out of our own callback address.
func tokenOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || !tokenShape(u.Query().Get("token")) {
		return ""
	}
	return u.Query().Get("token")
}
