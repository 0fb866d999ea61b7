package providertest

import (
	"net/http/httptest"
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
	covered(t, s)
}

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
