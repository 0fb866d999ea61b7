package providertest

import (
	"net/http/httptest"
	"slices"
	"testing"

	"countinghouse/providers"
)

// is asks a client for an interface.
func is[T any](client any) bool { _, ok := client.(T); return ok }

// interfaces is every capability with the question whether a client has it. Webhooks are asked of the provider, not of the client.
func interfaces() map[providers.Capability]func(any) bool {
	return map[providers.Capability]func(any) bool{
		providers.CanCheck:            is[providers.Checker],
		providers.CanReadBalances:     is[providers.BalanceReader],
		providers.CanSendPayouts:      is[providers.PayoutSender],
		providers.CanFindPayouts:      is[providers.PayoutReader],
		providers.CanCancelPayouts:    is[providers.PayoutCanceller],
		providers.CanHoldPayouts:      is[providers.PayoutHolder],
		providers.CanCreateDeposits:   is[providers.DepositCreator],
		providers.CanFindDeposits:     is[providers.DepositReader],
		providers.CanRefund:           is[providers.Refunder],
		providers.CanFindRefunds:      is[providers.RefundReader],
		providers.CanConvert:          is[providers.Converter],
		providers.CanFindConversions:  is[providers.ConversionReader],
		providers.CanOrder:            is[providers.Orderer],
		providers.CanFindOrders:       is[providers.OrderReader],
		providers.CanTransfer:         is[providers.Transferer],
		providers.CanKeepAddresses:    is[providers.AddressBook],
		providers.CanKeepAccounts:     is[providers.BankAccountBook],
		providers.CanVerifyRecipients: is[providers.RecipientVerifier],
		providers.CanOpenSubAccounts:  is[providers.SubAccounts],
		providers.CanSubmitKYB:        is[providers.KYBSubmitter],
		providers.CanReadStatements:   is[providers.StatementReader],
		providers.CanDispute:          is[providers.Disputer],
		providers.CanLookUp:           is[providers.LookUps],
		providers.CanUploadProof:      is[providers.ProofUploader],
		providers.CanDecodeQR:         is[providers.QRDecoder],
	}
}

func capabilities(t *testing.T, s Subject) {
	server := httptest.NewServer(nil)
	defer server.Close()
	client := Build(t, s.Provider, s.config(server.URL, &Book{}))
	d := &s.Provider.Description
	listed := map[providers.Capability]bool{}
	for _, c := range d.Capabilities {
		if listed[c] {
			t.Errorf("the capability %q is listed twice", c)
		}
		listed[c] = true
		if _, ok := interfaces()[c]; !ok && c != providers.CanReceiveWebhooks {
			t.Errorf("the capability %q is none", c)
		}
	}
	for c, has := range interfaces() {
		if has(client) != listed[c] {
			t.Errorf("capability %q: listed %v, implemented %v", c, listed[c], has(client))
		}
	}
	if listed[providers.CanReceiveWebhooks] != (s.Provider.Webhooks != nil) {
		t.Errorf("capability %q: listed %v, implemented %v", providers.CanReceiveWebhooks, listed[providers.CanReceiveWebhooks], s.Provider.Webhooks != nil)
	}
	subAccountFields(t, d, listed[providers.CanOpenSubAccounts])
	covered(t, s)
}

// subAccountFields demands a form of whoever opens sub-accounts, with the names that the pages and files of sub-accounts know, and of nobody else.
func subAccountFields(t *testing.T, d *providers.Description, opens bool) {
	t.Helper()
	if !opens {
		if len(d.SubAccountFields) > 0 {
			t.Errorf("%d fields of a sub-account, and none can be opened", len(d.SubAccountFields))
		}
		return
	}
	named := map[string]bool{}
	for _, f := range d.SubAccountFields {
		switch {
		case named[f.Name]:
			t.Errorf("the field %q of a sub-account is there twice", f.Name)
		case !slices.Contains(subAccountNames, f.Name):
			t.Errorf("no page and no file of sub-accounts knows the field %q", f.Name)
		case f.Label == "" || f.Secret:
			t.Errorf("the field %q of a sub-account has no label, or is a secret", f.Name)
		}
		named[f.Name] = true
	}
	for _, name := range subAccountNames {
		if !named[name] {
			t.Errorf("the form of a sub-account does not ask for %q", name)
		}
	}
}

var subAccountNames = []string{"company", "country", "type", "email", "username"}

// covered demands a sample for every kind that can be sent.
func covered(t *testing.T, s Subject) {
	have := map[string]bool{}
	for _, x := range s.Samples {
		have[string(x.Kind)] = true
	}
	for c, kind := range map[providers.Capability]string{providers.CanSendPayouts: "payout", providers.CanCreateDeposits: "deposit",
		providers.CanRefund: "refund", providers.CanConvert: "conversion", providers.CanOrder: "order", providers.CanTransfer: "transfer"} {
		if s.Provider.Description.Has(c) && !have[kind] {
			t.Errorf("the provider can send a %s and the suite was given no sample of one", kind)
		}
	}
}
