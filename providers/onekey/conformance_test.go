package onekey_test

import (
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
)

func TestOneKeyPassesTheConformanceSuite(t *testing.T) {
	s := subject()
	s.Samples = []providertest.Sample{
		{Name: "PIX by CPF", Kind: models.Payout, Request: payout},
		{Name: "bank account in Brazil", Kind: models.Payout, Request: func(ref string) providers.SendRequest {
			r := payout(ref)
			r.Method = "br_bank"
			r.Values = map[string]string{"beneficiary_name": "João Silva", "document_id": "52998224725", "bank_code": "001", "bank_branch": "1234", "bank_account": "3423422-7", "account_type": "C"}
			return r
		}},
		{Name: "PIX Quickpay", Kind: models.Deposit, Request: deposit},
		{Name: "refund to a bank", Kind: models.Refund, Request: refund, Prepare: paidDeposit},
		{Name: "wallet transfer", Kind: models.Transfer, Request: transfer},
	}
	s.Deliveries = deliveries(t, s)
	providertest.Run(t, s)
}

func deposit(ref string) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: brl(10000), Method: "dep_br_pix_quickpay", NotifyURL: "http://127.0.0.1:1/hooks/x/deposit", ReturnURL: "https://shop.example/back"}
}

func refund(ref string) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: brl(4000), Method: "refund_bank", NotifyURL: "http://127.0.0.1:1/hooks/x/refund",
		Values: map[string]string{"beneficiary": "Ana Souza", "bank_code": "001", "branch": "1234", "account_number": "3423422-7", "account_type": "SAVING"}}
}

func transfer(ref string) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: brl(100), Method: "wallet_transfer", From: "PROPRIETARY", To: "TRANSACTIONAL",
		Values: map[string]string{"from": "PROPRIETARY", "to": "TRANSACTIONAL"}}
}

// paidDeposit makes a deposit, pays it, and points the refund at it.
func paidDeposit(t *testing.T, h *providertest.House, r *providers.SendRequest) {
	t.Helper()
	ref := providertest.Reference()
	a := accepted(t, client(t, h).CreateDeposit(t.Context(), deposit(ref)))
	settle(t, h, ref, "paid")
	r.OfProviderRef, r.OfReference = a.ProviderRef, ref
}

// deliveries lets a sandbox send one callback of every signed kind and keeps them.
func deliveries(t *testing.T, s providertest.Subject) []providers.Delivery {
	t.Helper()
	h, in := providertest.Open(t, s), openInbox(t)
	c := client(t, h)
	p := payout(providertest.Reference())
	p.NotifyURL = in.URL + "/cashout"
	accepted(t, c.SendPayout(t.Context(), p))
	settle(t, h, p.Reference, "succeeded")
	d := deposit(providertest.Reference())
	d.NotifyURL = in.URL + "/deposit"
	a := accepted(t, c.CreateDeposit(t.Context(), d))
	settle(t, h, d.Reference, "paid")
	r := refund(providertest.Reference())
	r.OfProviderRef, r.NotifyURL = a.ProviderRef, in.URL+"/refund"
	accepted(t, c.SendRefund(t.Context(), r))
	settle(t, h, r.Reference, "succeeded")
	return in.wait(t, 3)
}
