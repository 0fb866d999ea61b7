package wspn

import (
	"regexp"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
)

func fiatDepositOf(t *testing.T, ref, amount string) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: usd(t, amount), Method: takeFiat, Values: map[string]string{"remit_info_id": usdReceive, "reference_no": "FT-88121"}}
}

func TestABankDepositIsAnnouncedWithItsProofAndPaid(t *testing.T) {
	s := play(t, nil)
	file, err := s.client.UploadProof(t.Context(), doc("transfer.pdf", "%PDF"))
	if err != nil {
		t.Fatal(err)
	}
	r := fiatDepositOf(t, "CHDEP", "1")
	r.Values["file_ids"] = file
	out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Accepted)
	if !ok || out.Status.State != models.AwaitingPayment || out.Status.Word != "TO_BE_CONFIRMED" || out.Status.BankRef != "FT-88121" || out.Status.Amount.Asset != "" {
		t.Fatalf("outcome %#v", out)
	}
	q := providers.Query{Kind: models.Deposit, Reference: "CHDEP", ProviderRef: out.ProviderRef, Method: takeFiat, Amount: usd(t, "1")}
	s.do("settle", "reference", "CHDEP", "status", "expired")
	if f := s.client.FindDeposit(t.Context(), q); f.Status.State != models.Expired {
		t.Errorf("found %+v", f)
	}
	s.do("settle", "reference", "CHDEP", "status", "paid_late")
	if f := s.client.FindDeposit(t.Context(), q); f.Result != providers.Found || f.Status.State != models.Succeeded || f.Status.Amount != usd(t, "1") {
		t.Errorf("found %+v", f)
	}
	short := fiatDepositOf(t, "CHSHORT", "100")
	short.Values["green_link"] = "1"
	acceptedRef(t, s.client.CreateDeposit(t.Context(), short))
	s.do("settle", "reference", "CHSHORT", "status", "paid_short")
	q.Reference, q.ProviderRef = "CHSHORT", ""
	if f := s.client.FindDeposit(t.Context(), q); f.Status.Amount != usd(t, "90") {
		t.Errorf("found %+v", f)
	}
	if s.executions("CHDEP") != 1 || s.executions("CHSHORT") != 1 {
		t.Error("executions")
	}
}

func TestGreenLinkDecidesWhatADepositNeeds(t *testing.T) {
	s := play(t, map[string]string{"green_link_send_proof": "no"})
	r := fiatDepositOf(t, "CHGREEN", "10")
	if out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Refused); !ok || !strings.Contains(out.Message, "proof") {
		t.Errorf("without a proof: %#v", out)
	}
	r.Values = map[string]string{"remit_info_id": usdReceive, "green_link": "1"}
	if out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Accepted); !ok || out.Status.BankRef != "" {
		t.Errorf("through Green Link: %#v", out)
	}
	r.Reference, r.Values["file_ids"] = "CHGREEN2", "4001,4002,4003"
	if out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Refused); !ok || !strings.Contains(out.Message, "At most 2") {
		t.Errorf("three files: %#v", out)
	}
}

func TestASpoiltDepositReplyIsUnknown(t *testing.T) {
	for _, kind := range []string{"lose_reply", "http_500", "garbage", "truncate", "lie_amount", "duplicate"} {
		s := play(t, nil)
		r := fiatDepositOf(t, "CHLOST", "10")
		r.Values["green_link"] = "1"
		s.do("fault", "operation", "deposit", "kind", kind)
		if out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Unknown); !ok || s.executions("CHLOST") != 1 {
			t.Errorf("%s: %#v", kind, out)
		}
		if f := s.client.FindDeposit(t.Context(), providers.Query{Kind: models.Deposit, Reference: "CHLOST", Method: takeFiat}); f.Result != providers.Found {
			t.Errorf("%s: found %+v", kind, f)
		}
	}
}

func TestAnAddressIsShownAndWhatArrivesIsMatchedByAPerson(t *testing.T) {
	s := play(t, nil)
	r := providers.SendRequest{Reference: "CHADDRESS", Amount: cash(t, "250", "WUSD"), Method: takeAddress, Values: map[string]string{"network": "Polygon"}}
	out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Accepted)
	in := out.Instructions
	if !ok || out.Status.State != models.AwaitingPayment || in.Address != "0xde709f2102306220921060314715629080e2fb77" || in.QR != in.Address || in.Network != "Polygon" || out.ProviderRef != "" {
		t.Fatalf("outcome %#v", out)
	}
	q := providers.Query{Kind: models.Deposit, Reference: "CHADDRESS", Method: takeAddress, Values: r.Values}
	if f := s.client.FindDeposit(t.Context(), q); f.Result != providers.Unclear || s.records.count("crypto.order") != 0 {
		t.Errorf("without an order's number: %+v", f)
	}
	s.do("chain-deposit", "network", "Polygon", "amount", "250")
	s.do("chain-deposit", "network", "Ethereum", "amount", "9")
	// The page for people lists the newest first.
	orders := regexp.MustCompile(`<td>(\d+)</td><td>crypto-in`).FindAllStringSubmatch(s.sandboxPage(), -1)
	if len(orders) != 2 {
		t.Fatalf("orders %v", orders)
	}
	id, other := orders[0][1], orders[1][1]
	q.ProviderRef = other
	if f := s.client.FindDeposit(t.Context(), q); f.Result != providers.Found || f.Status.State != models.Succeeded || f.Status.Amount != cash(t, "250", "WUSD") || f.Status.Payer == "" {
		t.Errorf("by the order's number %s: %+v", other, f)
	}
	q.ProviderRef = id
	if f := s.client.FindDeposit(t.Context(), q); f.Result != providers.Unclear {
		t.Errorf("an arrival on another network: %+v", f)
	}
	s.do("fault", "operation", "/wallet-address/deposit", "kind", "garbage")
	if out, ok := s.client.CreateDeposit(t.Context(), r).(providers.Refused); !ok || !out.Retryable {
		t.Errorf("an unreadable address: %#v", out)
	}
}
