package wspn

import (
	"context"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// method ids.
const (
	payFiat     = "fiat_withdraw"
	payCrypto   = "crypto_withdraw"
	takeFiat    = "fiat_deposit"
	takeAddress = "crypto_address"
	mint        = "mint"
	redeem      = "redeem"
)

// SendPayout pays to a registered bank account or to a whitelisted address. Our reference travels as requestId; WSPN rejects a second
// use of it, so the same payout cannot be made twice (WSPN-IDEM-1).
func (c *client) SendPayout(ctx context.Context, r providers.SendRequest) providers.Outcome {
	m, ok := methodByID(r.Method)
	if !ok || m.Kind != models.Payout {
		return notSent("WSPN has no payout called %s.", quote(r.Method))
	}
	if out := c.refuseEarly(m, r); out != nil {
		return out
	}
	if r.Method == payCrypto {
		return c.sendCrypto(ctx, r)
	}
	return c.sendFiat(ctx, r)
}

// refuseEarly applies the rules that need no call: the lock, the method's fields, the reference.
func (c *client) refuseEarly(m providers.Method, r providers.SendRequest) providers.Outcome {
	if why := c.locked(endpointOf(m.ID)); why != "" {
		return notSent("%s", why)
	}
	if !validReference(r.Reference) {
		return notSent("The reference must be 1 to 64 letters, digits and hyphens.")
	}
	return refuseProblems(checkWith(&c.set, m, r.Amount, r.Values))
}

func validReference(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func (c *client) sendFiat(ctx context.Context, r providers.SendRequest) providers.Outcome {
	amount, err := wireAmount(&c.set, r.Amount)
	if err != nil {
		return notSent("%s", err)
	}
	if out := c.refusePartial(ctx, r.Amount); out != nil {
		return out
	}
	account := parseID(r.Values["remit_info_id"])
	body := map[string]any{"currency": r.Amount.Asset, "amount": amount, "remitInfoId": account, "requestId": r.Reference}
	put(body, "referenceNo", orElse(r.Values["reference_no"], r.Reference))
	put(body, "purpose", orElse(r.Values["purpose"], clip(r.Note, 255)))
	a, e := c.do(ctx, call{at: fiatWithdraw, body: body})
	if e != nil {
		return c.outcomeOf(e)
	}
	return c.acceptPayout(a, r, c.echoes(r, map[string]string{"currency": r.Amount.Asset, "type": "WITHDRAW", "remitInfoId": strconv.FormatInt(account, 10)}))
}

// echoes adds what every answer about a request of ours must say if it says it at all: our reference, and our client id where it is known.
func (c *client) echoes(r providers.SendRequest, sent map[string]string) map[string]string {
	sent["requestId"] = r.Reference
	if c.clientID != 0 {
		sent["clientId"] = strconv.FormatInt(c.clientID, 10)
	}
	return sent
}

// acceptPayout believes an answer only if it speaks of this payout: id, currency and amount must be there and must be what was asked
// (contract 8, row 5: the pages speak of the whole balance, so the amount is compared every time).
func (c *client) acceptPayout(a answer, r providers.SendRequest, sent map[string]string) providers.Outcome {
	res := a.child("result")
	if res.id("id") == 0 {
		return unknown(a, "WSPN said success without the id of a withdrawal")
	}
	if wrong := echoed(res, []string{"currency", "amount", "status"}, sent); wrong != "" {
		return unknown(a, "WSPN said success, but not of this payout: %s", wrong)
	}
	if !sameAmount(res, "amount", r.Amount.Decimal()) {
		return unknown(a, "WSPN says that it moves %s %s, but %s was asked. It may have taken the whole balance: look at it now",
			quote(res.words("amount")), r.Amount.Asset, r.Amount)
	}
	return providers.Accepted{ProviderRef: strconv.FormatInt(res.id("id"), 10), Status: c.fiatStatus(models.Payout, res), Raw: a.raw}
}

// fiatStatus reads a record with the members of P-FDEP and P-FWD.
func (c *client) fiatStatus(kind models.Kind, res object) providers.Status {
	word := clean(res.text("status"), 64)
	s := providers.Status{State: c.stateOf(kind, word), Word: word, Amount: money(res, "amount", res.text("currency")),
		Fee: money(res, "transactionFee", res.text("currency")), BankRef: clean(res.text("transactionHash"), 255)}
	if kind == models.Deposit && s.BankRef == "" {
		s.BankRef = clean(res.text("referenceNo"), 255) // the bank's transfer number (P-FDEP); on a payout it is our own text
	}
	if id := res.id("id"); id != 0 {
		s.ProviderRef = strconv.FormatInt(id, 10)
	}
	return s
}

// refusePartial applies the other reading of WSPN-ALL-1: when only the whole balance can be moved, anything else is refused here.
func (c *client) refusePartial(ctx context.Context, amount models.Money) providers.Outcome {
	if !c.set.wholeBalance {
		return nil
	}
	list, err := c.Balances(ctx)
	if err != nil {
		return providers.Refused{Code: providers.NotSent, Retryable: true, Message: "The balance must be known before the whole of it can be moved. " + err.Error()}
	}
	for _, b := range list {
		if b.Available.Asset == amount.Asset && b.Available.Cmp(amount) == 0 {
			return nil
		}
	}
	return notSent("This credential is set so that only the whole balance can be moved, and %s is not the whole balance.", amount)
}

// sendCrypto sends on chain. Every field of it is a guess (WSPN-CWD-1); in live it is locked.
func (c *client) sendCrypto(ctx context.Context, r providers.SendRequest) providers.Outcome {
	amount, err := wireAmount(&c.set, r.Amount)
	if err != nil {
		return notSent("%s", err)
	}
	network, ok := c.set.networks[r.Values["network"]]
	if !ok {
		return notSent("WSPN's code of the network %s is not among this credential's settings.", quote(r.Values["network"]))
	}
	if out := c.refusePartial(ctx, r.Amount); out != nil {
		return out
	}
	address := strings.TrimSpace(r.Values["address"])
	body := map[string]any{"currency": r.Amount.Asset, "amount": amount, "requestId": r.Reference}
	sent := c.echoes(r, map[string]string{"currency": r.Amount.Asset, "type": "WITHDRAW"})
	if c.set.cryptoContract == "whitelist-id" {
		id, out := c.whitelistID(ctx, network, address)
		if out != nil {
			return out
		}
		body["whitelistId"] = id
	} else {
		body["network"], body["address"] = network, address
		sent["network"] = network
	}
	a, e := c.do(ctx, call{at: cryptoWithdraw, body: body})
	if e != nil {
		return c.outcomeOf(e)
	}
	if to := a.child("result").text("address"); to != "" && !strings.EqualFold(to, address) {
		return unknown(a, "WSPN said success, but for another address than the one asked")
	}
	return c.acceptPayout(a, r, sent)
}

// whitelistID finds the id of an address in WSPN's book.
func (c *client) whitelistID(ctx context.Context, network, address string) (int64, providers.Outcome) {
	list, err := c.Addresses(ctx)
	if err != nil {
		return 0, providers.Refused{Code: providers.NotSent, Retryable: true, Message: "The address must first be found in WSPN's whitelist. " + err.Error()}
	}
	for _, e := range list {
		if e.Usable && c.set.networks[e.Values["network"]] == network && strings.EqualFold(e.Values["address"], address) {
			if id := parseID(e.ID); id != 0 {
				return id, nil
			}
		}
	}
	return 0, notSent("This address is not usable in WSPN's whitelist for that network. Add it there first.")
}

// FindPayout asks by our reference: the one documented way for crypto (P-CORD), a guessed path for fiat (WSPN-PATH-1).
func (c *client) FindPayout(ctx context.Context, q providers.Query) providers.Finding {
	at := fiatOrder
	if q.Method == payCrypto {
		at = cryptoOrder
	}
	return c.findOrder(ctx, at, models.Payout, q)
}

// put sets a member unless the value is empty.
func put(body map[string]any, name, value string) {
	if value = strings.TrimSpace(value); value != "" {
		body[name] = value
	}
}

func clip(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes])
	}
	return s
}
