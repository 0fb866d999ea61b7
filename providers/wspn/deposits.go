package wspn

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// CreateDeposit announces a bank transfer that was made, or gives the address on which WUSD arrives.
func (c *client) CreateDeposit(ctx context.Context, r providers.SendRequest) providers.Outcome {
	m, ok := methodByID(r.Method)
	if !ok || m.Kind != models.Deposit {
		return notSent("WSPN has no deposit called %s.", quote(r.Method))
	}
	if out := c.refuseEarly(m, r); out != nil {
		return out
	}
	if m.ID == takeAddress {
		return c.showAddress(ctx, r)
	}
	return c.announceDeposit(ctx, r)
}

// announceDeposit tells WSPN of a transfer by bank (P-FDEP). It pulls no money.
func (c *client) announceDeposit(ctx context.Context, r providers.SendRequest) providers.Outcome {
	amount, err := wireAmount(&c.set, r.Amount)
	if err != nil {
		return notSent("%s", err)
	}
	account := parseID(r.Values["remit_info_id"])
	body := map[string]any{"currency": r.Amount.Asset, "amount": amount, "remitInfoId": account, "requestId": r.Reference}
	green := ticked(r.Values["green_link"])
	if green {
		body["greenLinkVA"] = "Yes"
	}
	if !green || c.set.greenLinkProof { // WSPN-FDEP-1
		put(body, "referenceNo", r.Values["reference_no"])
		if ids := fileIDs(r.Values["file_ids"]); len(ids) > 0 {
			body["fileIdList"] = ids
		}
	}
	put(body, "customerRemark", orElse(r.Values["remark"], clip(r.Note, 255)))
	a, e := c.do(ctx, call{at: fiatDeposit, body: body})
	if e != nil {
		return c.outcomeOf(e)
	}
	res := a.child("result")
	if res.id("id") == 0 {
		return unknown(a, "WSPN said success without the id of a deposit")
	}
	sent := c.echoes(r, map[string]string{"currency": r.Amount.Asset, "type": "DEPOSIT", "remitInfoId": strconv.FormatInt(account, 10)})
	if wrong := echoed(res, []string{"currency", "amount", "status"}, sent); wrong != "" {
		return unknown(a, "WSPN said success, but not of this deposit: %s", wrong)
	}
	if !sameAmount(res, "amount", r.Amount.Decimal()) {
		return unknown(a, "WSPN announced %s %s, but %s was asked", quote(res.words("amount")), r.Amount.Asset, r.Amount)
	}
	status := c.fiatStatus(models.Deposit, res)
	status.Amount = models.Money{} // announced, not arrived
	if status.State == models.Succeeded {
		status.Amount = r.Amount
	}
	return providers.Accepted{ProviderRef: status.ProviderRef, Status: status, Raw: a.raw, Instructions: providers.Instructions{Lines: []providers.Line{
		{Label: "Announced at WSPN as", Value: status.ProviderRef, Copy: true}, {Label: "Receiving account", Value: r.Values["remit_info_id"]},
		{Label: "The bank's transfer number", Value: clean(res.words("referenceNo"), 255)}}}}
}

// ticked reads a checkbox.
func ticked(v string) bool { return v == "1" || v == "on" || v == "true" || v == "Yes" }

// fileIDs reads the file ids of a form: "4001,4002".
func fileIDs(s string) []int64 {
	var ids []int64
	for _, w := range words(s) {
		if id := parseID(w); id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

var evmAddress = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)

// showAddress asks for the address of a network. Path, parameters and answer are guesses (WSPN-PATH-1). Asking creates no order and moves
// nothing, so a failure is a plain refusal that may be tried again.
func (c *client) showAddress(ctx context.Context, r providers.SendRequest) providers.Outcome {
	network := r.Values["network"]
	a, e := c.do(ctx, call{at: depositAddress, query: [][2]string{{"network", c.set.networks[network]}, {"currency", r.Amount.Asset}}})
	if e != nil {
		if e.notSent {
			return c.outcomeOf(e)
		}
		return providers.Refused{Code: orElse(e.code, "no_address"), Retryable: true, Raw: e.raw,
			Message: "No address could be had, and no deposit was announced: " + sentence(e.sentence)}
	}
	list := rows(a.object["result"])
	if len(list) == 0 {
		list = rows(a.object["resultList"])
	}
	if len(list) != 1 || !evmAddress.MatchString(list[0].text("address")) ||
		list[0].text("network") != "" && list[0].text("network") != c.set.networks[network] {
		return providers.Refused{Code: "no_address", Retryable: true, Raw: a.raw,
			Message: "WSPN answered without one address of that network, so none is shown. No deposit was announced."}
	}
	address := list[0].text("address")
	return providers.Accepted{Status: providers.Status{State: models.AwaitingPayment}, Raw: a.raw, Instructions: providers.Instructions{Address: address,
		Network: network, QR: address, Lines: []providers.Line{{Label: "Address", Value: address, Copy: true}, {Label: "Network", Value: network},
			{Label: "Send", Value: r.Amount.Asset + " on " + network + " only. Anything else, or another network, may be lost."},
			{Label: "Final after", Value: confirmations(network)},
			{Label: "Then", Value: "WSPN makes an order of its own for what arrives. It knows nothing of our reference: a person matches the two."}}}}
}

// confirmations is WSPN's own rule (P-CONF); the minutes of Polygon are cut off on the page (WSPN-FLOW-1).
func confirmations(network string) string {
	switch network {
	case "Ethereum":
		return "12 blocks, about 3 minutes"
	case "Polygon":
		return "50 blocks, about 2 minutes"
	}
	return "a number of blocks that WSPN does not state"
}

// FindDeposit asks about an announced deposit by our reference. For an address there is nothing to ask by: WSPN never heard our
// reference, so without the id of the order that WSPN made of the arrival, the honest answer is "unclear".
func (c *client) FindDeposit(ctx context.Context, q providers.Query) providers.Finding {
	if q.Method != takeAddress {
		return c.findOrder(ctx, fiatOrder, models.Deposit, q)
	}
	id := parseID(q.ProviderRef)
	if id == 0 {
		return providers.Finding{Result: providers.Unclear,
			Says: "WSPN keeps no order for an address. What arrives becomes an order with a number of WSPN's; enter that number and it can be asked for."}
	}
	a, e := c.do(ctx, call{at: cryptoOrder, body: map[string]any{"orderId": id}})
	if e != nil {
		return c.findingOf(e)
	}
	f := c.readOrder(a, models.Deposit, providers.Query{ProviderRef: q.ProviderRef}, id)
	if f.Result != providers.Found {
		return f
	}
	o := rows(a.object["result"])
	if len(o) == 1 && (o[0].text("orderType") != "" && o[0].text("orderType") != "DEPOSIT" ||
		o[0].text("senderNetwork") != "" && o[0].text("senderNetwork") != c.set.networks[q.Values["network"]]) {
		return providers.Finding{Result: providers.Unclear, Raw: a.raw, Says: fmt.Sprintf("Order %d is not a deposit on %s.", id, clean(q.Values["network"], 40))}
	}
	return f
}

// UploadProof hands over a proof of transfer (P-FILE) and gives WSPN's id of it. WSPN knows no requestId here, so nothing is repeated.
func (c *client) UploadProof(ctx context.Context, d providers.Document) (string, error) {
	if len(d.Body) == 0 || strings.TrimSpace(d.Name) == "" {
		return "", models.FieldErrorf("file_ids", "The file is empty or has no name.")
	}
	form, kind, err := multipartBody([][2]string{{"scene", "4"}}, []filePart{{c.set.filePart, d}})
	if err != nil {
		return "", &models.Error{Code: models.Invalid, Sentence: "The file cannot be written into a form.", Err: err}
	}
	a, e := c.do(ctx, call{at: fileUpload, form: form, formType: kind, single: true})
	if e != nil {
		return "", readError("The answer to the upload", e)
	}
	id := a.child("result").id("fileId")
	if id == 0 {
		return "", models.Errorf(models.Unavailable, "WSPN took the file and gave no id for it (WSPN-FILE-1).")
	}
	return strconv.FormatInt(id, 10), nil
}
