package wspn

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// Each documented answer, read whole by the call that gets it.
func TestDocumentedAnswersAreRead(t *testing.T) {
	var body []byte
	c := puppet(t, http.StatusOK, &body)
	load := func(name string) {
		t.Helper()
		b, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		body = b
	}
	same := func(name string, want, got any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	load("fiat_withdraw")
	same("withdraw", providers.Status{State: models.Pending, Word: "TO_BE_PROCESSED", ProviderRef: "240918153000123", Amount: usd(t, "1000"), Fee: usd(t, "0")},
		c.SendPayout(t.Context(), fiatPayout(t, "CH1", "1000")).(providers.Accepted).Status)

	load("fiat_deposit")
	deposit := fiatDepositOf(t, "CH1", "1")
	deposit.Values["green_link"] = "1"
	same("deposit", providers.Status{State: models.AwaitingPayment, Word: "TO_BE_CONFIRMED", ProviderRef: "240918153000124", BankRef: "FT-1"},
		c.CreateDeposit(t.Context(), deposit).(providers.Accepted).Status)

	load("mint_create")
	converted := providers.Status{State: models.Succeeded, Word: "COMPLETED", ProviderRef: "240918001", Amount: usd(t, "1000"), Counter: cash(t, "900", "WUSD"), Rate: "0.9000"}
	quote := providers.Quote{ID: "1", Sell: "USD", Buy: "WUSD", Rate: "0.9"} // 0.9 and 0.9000 are one rate
	same("mint", converted, c.Convert(t.Context(), minting("CH1", quote, usd(t, "1000"))).(providers.Accepted).Status)
	quote.Rate = "0.9001"
	if out, ok := c.Convert(t.Context(), minting("CH1", quote, usd(t, "1000"))).(providers.Unknown); !ok {
		t.Errorf("converted at another rate than quoted: %#v", out)
	}

	load("mint_search")
	converted.Rate = "0.9"
	// 15:30:00 in Singapore is 07:30:00 UTC (WSPN-TIME-1).
	sent := models.At(time.Date(2024, 9, 18, 7, 29, 55, 0, time.UTC))
	c.set.paths["conversion_order"] = "/openapi/v1/nothing"
	found := c.findInHistory(t.Context(), providers.Query{Kind: models.Conversion, Reference: "CH1", Method: mint, Amount: usd(t, "1000"), SentAt: sent})
	same("history", converted, found.Status)

	load("crypto_order")
	f := c.FindDeposit(t.Context(), providers.Query{Kind: models.Deposit, Method: takeAddress, ProviderRef: "240918153000200", Values: map[string]string{"network": "Polygon"}})
	same("crypto order", providers.Status{State: models.Succeeded, Word: "COMPLETED", ProviderRef: "240918153000200", BankRef: "0xabc", Amount: cash(t, "250", "WUSD"),
		Fee: cash(t, "0", "WUSD"), Payer: "0x27b1fdb04752bbc536007a920d24acb045561c26"}, f.Status)

	load("exchange_rate")
	q, err := c.Quote(t.Context(), "USD", "WUSD", models.Money{})
	if err != nil || q.Rate != "0.9000" || q.ID != "1878299284766990337" {
		t.Errorf("quote %+v, %v", q, err)
	}

	load("sub_account")
	list, pages, err := c.ListSubAccounts(t.Context(), 1)
	if err != nil || pages != 1 || len(list) != 1 || list[0].State != "Pending KYC" || list[0].Type != "Master Merchant" {
		t.Errorf("sub-accounts %+v, %d, %v", list, pages, err)
	}

	load("token_sibling")
	asked := time.Now()
	tok, err := c.readToken(httpx.Request{}, httpx.Response{Status: 200, Body: body}, asked)
	want := token{access: "AbCdEfGhIjKlMnOpQrStUvWx", refresh: "XyZaBcDeFgHiJkLmNoPqRsTu", until: asked.Add(21570 * time.Second), refreshUntil: asked.Add(12 * time.Hour)}
	if err != nil || tok != want {
		t.Errorf("the sibling's token answer is not read: %v", err)
	}
}
