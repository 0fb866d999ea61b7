package demo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/web/demo"
)

func (x *player) reference() string {
	x.n++
	return fmt.Sprintf("CHPLAY%s%06d", strings.ToUpper(x.d.Name[:2]), x.n)
}

// do asks the provider for one thing, by the first way that it accepts on a quiet day.
func (x *player) do(operation string) (string, providers.Outcome) {
	x.Helper()
	ctx, ref := x.Context(), x.reference()
	kind := map[string]models.Kind{"payout": models.Payout, "deposit": models.Deposit, "refund": models.Refund, "transfer": models.Transfer, "convert": models.Conversion,
		"order": models.Order, "dispute": models.Deposit}[operation]
	if kind == "" {
		x.Fatalf("nobody knows how to ask for %q", operation)
	}
	if operation == "dispute" {
		ref, out := x.do("deposit")
		accepted, ok := out.(providers.Accepted)
		if !ok {
			x.Fatalf("no deposit to dispute: %+v", out)
		}
		return ref, x.client.(providers.Disputer).OpenDispute(ctx, providers.Query{Kind: models.Deposit, Reference: ref, ProviderRef: accepted.ProviderRef, Amount: models.Money{Minor: 100, Asset: "RUB"}}, "It was paid", nil)
	}
	m, ok := x.methods[kind]
	if ok {
		return ref, x.send(ref, m)
	}
	var last providers.Outcome
	for _, m := range x.d.MethodsWith(x.settings) {
		if m.Kind != kind || m.Locked != "" || m.ByAddressBook && m.Book != models.AccountsBook {
			continue
		}
		for range 6 { // a made-up recipient may be one that the stand-in does not know
			ref = x.reference()
			if last = x.send(ref, m); isAccepted(last) {
				x.methods[kind] = m
				return ref, last
			}
		}
	}
	x.Fatalf("no %s was accepted: %+v", kind, last)
	return "", nil
}

func isAccepted(o providers.Outcome) bool { _, ok := o.(providers.Accepted); return ok }

func (x *player) send(ref string, m providers.Method) providers.Outcome {
	x.Helper()
	ctx := x.Context()
	req, ok := x.hist.Today(demo.Account{Description: x.d}, m)
	if !ok {
		return providers.Refused{Message: "no example of " + m.ID}
	}
	r := providers.SendRequest{Reference: ref, Amount: req.Amount, Method: m.ID, Values: req.Values, NotifyURL: x.hook, ReturnURL: "https://shop.example/back", From: req.Values["from"], To: req.Values["to"]}
	for _, f := range m.Fields {
		if f.Lookup == "" || !f.Required {
			continue
		}
		sheet, err := x.client.(providers.LookUps).LookUp(ctx, f.Lookup, nil)
		if err == nil && len(sheet.Rows) == 0 && m.ByAddressBook { // nobody was entered yet
			if out := x.client.(providers.BankAccountBook).AddBankAccount(ctx, x.reference(), map[string]string{"beneficiary_name": "Ana Souza", "beneficiary_address": "7 Temasek Boulevard, Singapore",
				"bank_country": "SGP", "bank_name": "DBS Bank", "account": "1234567890", "currency": r.Amount.Asset, "bank_swift": "DBSSSGSG", "bank_address": "12 Marina Boulevard, Singapore"}); !isAccepted(out) {
				x.Fatalf("no bank account was entered: %+v", out)
			}
			sheet, err = x.client.(providers.LookUps).LookUp(ctx, f.Lookup, nil)
		}
		if err != nil || len(sheet.Rows) == 0 {
			x.Fatalf("nothing to choose from in %s: %v", f.Name, err)
		}
		r.Values[f.Name] = sheet.Rows[0][0]
		for _, row := range sheet.Rows {
			if slices.ContainsFunc(row, func(cell string) bool { return strings.Contains(cell, r.Amount.Asset) }) {
				r.Values[f.Name] = row[0]
			}
		}
	}
	if slices.ContainsFunc(m.Fields, func(f providers.Field) bool { return f.Name == "green_link" }) {
		r.Values["green_link"] = "1"
	}
	switch m.Kind {
	case models.Payout:
		return x.client.(providers.PayoutSender).SendPayout(ctx, r)
	case models.Deposit:
		return x.client.(providers.DepositCreator).CreateDeposit(ctx, r)
	case models.Transfer:
		return x.client.(providers.Transferer).SendTransfer(ctx, r)
	case models.Refund:
		of, out := x.do("deposit")
		a, ok := out.(providers.Accepted)
		if !ok {
			x.Fatalf("no deposit to refund: %+v", out)
		}
		x.post("/_sandbox/settle", url.Values{"reference": {of}, "status": {"paid"}, "back": {"1"}})
		r.OfReference, r.OfProviderRef, r.Amount.Minor = of, a.ProviderRef, 1000
		return x.client.(providers.Refunder).SendRefund(ctx, r)
	case models.Conversion:
		c := x.client.(providers.Converter)
		buy := map[string]string{"USD": "WUSD", "WUSD": "USD"}[r.Amount.Asset]
		q, err := c.Quote(ctx, r.Amount.Asset, buy, r.Amount)
		if err != nil {
			return providers.Refused{Message: err.Error()}
		}
		r.Quote, r.From, r.To = q, r.Amount.Asset, buy
		return c.Convert(ctx, r)
	case models.Order:
		c := x.client.(providers.Orderer)
		list, err := c.Products(ctx)
		if err != nil {
			x.Fatal(err)
		}
		for _, p := range list {
			if p.WhyNot(2) == "" {
				total, _, err := p.Total(2)
				if err != nil {
					x.Fatal(err)
				}
				r.SKU, r.Quantity, r.Amount = p.SKU, 2, total
				return c.PlaceOrder(ctx, r)
			}
		}
	}
	return providers.Refused{Message: "nothing to do"}
}

func (x *player) executed(ref string) int {
	x.Helper()
	res, err := http.Get(x.url + "/_sandbox/executions")
	if err != nil {
		x.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	var m map[string]int
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		x.Fatal(err)
	}
	return m[ref]
}

// operations are what can be asked of the provider, by the words of the stand-ins.
func (x *player) operations() (out []string) {
	for _, o := range []struct {
		word string
		can  providers.Capability
	}{{"payout", providers.CanSendPayouts}, {"deposit", providers.CanCreateDeposits}, {"refund", providers.CanRefund}, {"transfer", providers.CanTransfer},
		{"convert", providers.CanConvert}, {"order", providers.CanOrder}, {"dispute", providers.CanDispute}} {
		if x.d.Has(o.can) {
			out = append(out, o.word)
		}
	}
	return out
}

// fill asks for one of everything, so that the page has rows in their first state.
func (x *player) fill() {
	x.Helper()
	for _, o := range x.operations() {
		if _, out := x.do(o); !isAccepted(out) {
			x.Fatalf("%s: %+v", o, out)
		}
	}
	if x.d.Has(providers.CanSubmitKYB) {
		res, err := http.PostForm(x.url+"/_sandbox/member", url.Values{"company": {"Alpha Ltd"}, "country": {"SGP"}})
		if err != nil || res.StatusCode != http.StatusOK {
			x.Fatalf("a sub-account by hand: %v", err)
		}
		_ = res.Body.Close()
	}
}
