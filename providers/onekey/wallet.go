package onekey

import (
	"context"
	"encoding/json"
	"net/http"

	"countinghouse/models"
	"countinghouse/providers"
)

// transferBody is POST /v1/wallet/transaction (contract 3.2), for Brazilian merchants with the transactional account.
type transferBody struct {
	Source      string      `json:"source"`
	Destination string      `json:"destination"`
	Currency    string      `json:"currency"`
	Amount      json.Number `json:"amount"`
}

// SendTransfer moves money between the merchant's two wallets. There is no business id: the idempotency key is the only link to our
// reference, and the answer names no amount, only the balances afterwards.
func (c *Client) SendTransfer(ctx context.Context, r providers.SendRequest) providers.Outcome {
	if no, stop := c.locked(); stop {
		return no
	}
	from, to := orText(r.From, r.Values["from"]), orText(r.To, r.Values["to"])
	m, _ := method(walletTransfer)
	switch {
	case c.cfg.Secrets[fDepositKey] == "":
		return withheld("This credential has no deposit keys.")
	case from == to || !isWallet(from) || !isWallet(to):
		return withheld("OneKey's wallets are PROPRIETARY and TRANSACTIONAL: move money from one to the other.")
	case r.Reference == "" || !c.set.sendKey:
		// Contract 3.2: always with a key, whatever deposits and refunds do (OKP-IDEM-3): nothing else tells two transfers apart.
		return withheld("A wallet transfer needs our reference as its idempotency key, and this credential's settings must let it be sent (OKP-IDEM-3).")
	}
	if ps := checkRequest(c.cfg.Settings, m, r.Amount, map[string]string{"from": from, "to": to}); len(ps) > 0 {
		return withheld("Not sent: %s", ps[0].Sentence)
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "wallet.transfer", http.MethodPost, "/v1/wallet/transaction", "",
		transferBody{Source: from, Destination: to, Currency: r.Amount.Asset, Amount: json.Number(r.Amount.Plain())}, r.Reference)
	a := c.judge(deposits, res, err, refusesDeposit)
	if a.outcome != nil {
		return a.outcome
	}
	if lie := contradicts(a.object, r.Reference, r.Amount); lie != "" {
		return providers.Unknown{Cause: lie, Raw: a.raw}
	}
	// An older page writes the balances in camelCase: either will do, but one of them must be there, else this is some other answer.
	if !a.object.has("proprietary_balance") && !a.object.has("proprietaryBalance") {
		return providers.Unknown{Cause: "OneKey's answer does not tell the balances after the transfer.", Raw: a.raw}
	}
	return providers.Accepted{Status: providers.Status{State: models.Succeeded, Word: "200"}, Raw: a.raw}
}

const walletTransfer = "wallet_transfer"

func isWallet(s string) bool { return s == "PROPRIETARY" || s == "TRANSACTIONAL" }

// Balances reads the two wallets, and the account balance of the reconciliation API if the credential has its token. Merchants without the
// transactional account have no wallets: one of the two sources is enough, and only when none answers is it an error.
func (c *Client) Balances(ctx context.Context) ([]providers.Balance, error) {
	var out []providers.Balance
	var failed error
	if c.cfg.Secrets[fDepositKey] != "" {
		list, err := c.walletBalances(ctx)
		out, failed = append(out, list...), err
	}
	if c.cfg.Secrets[fBooksToken] != "" && c.books != nil {
		list, err := c.bookBalances(ctx)
		out = append(out, list...)
		if failed == nil {
			failed = err
		}
	}
	if len(out) == 0 && failed == nil {
		failed = models.Errorf(models.Unavailable, "Balances: OneKey names none, or this credential has neither deposit keys nor a reconciliation token.")
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, failed
}

func (c *Client) walletBalances(ctx context.Context) ([]providers.Balance, error) {
	const what = "Wallet balances"
	res, err := c.signed(ctx, c.main, c.depositKeys(), "wallet.balance", http.MethodGet, "/v1/wallet/balance", "", nil, "")
	if err != nil || res.Status != http.StatusOK {
		return nil, c.trouble(deposits, what, res, err)
	}
	o, err := readObject(res.Body)
	if err != nil {
		return nil, c.unreadable(what, err)
	}
	var out []providers.Balance
	for _, b := range o.list("balances") {
		available, ok := b.money("amount", b.text("currency"))
		if !ok || available.Asset == "" {
			return nil, models.Errorf(models.Unavailable, "Wallet balances: OneKey's figure %q cannot be read.", c.clean(b.text("amount")))
		}
		out = append(out, providers.Balance{Account: c.clean(b.text("type")), Available: available, Text: b.text("amount"), Mark: providers.Documented})
	}
	return out, nil
}
