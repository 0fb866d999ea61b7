package wspn

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
	"countinghouse/providers/wspn/sandbox"
)

func TestWSPNConforms(t *testing.T) {
	quote := func(t *testing.T, h *providertest.House, r *providers.SendRequest) {
		q, err := h.Client.(providers.Converter).Quote(t.Context(), r.Amount.Asset, map[bool]string{true: "USD", false: "WUSD"}[r.Method == redeem], r.Amount)
		if err != nil {
			t.Fatal(err)
		}
		r.Quote = q
	}
	providertest.Run(t, providertest.Subject{
		Provider:   Provider(),
		NewSandbox: func(o providers.SandboxOptions) providers.SandboxHandler { return sandbox.New(sandbox.Options(o)) },
		Values:     map[string]string{"client_id": "100200"},
		Secrets:    map[string]string{"api_key": testKey, "api_secret": testSecret},
		URLs:       map[string]string{"base_url": ""},
		Samples: []providertest.Sample{
			{Name: "bank payout", Kind: models.Payout, Request: func(ref string) providers.SendRequest { return fiatPayout(t, ref, "250.25") }},
			{Name: "payout on chain", Kind: models.Payout, Request: func(ref string) providers.SendRequest { return cryptoPayout(t, ref, "3.10") }},
			{Name: "bank deposit", Kind: models.Deposit, Request: func(ref string) providers.SendRequest {
				r := fiatDepositOf(t, ref, "75")
				r.Values["green_link"] = "1"
				return r
			}},
			{Name: "mint", Kind: models.Conversion, Prepare: quote, Request: func(ref string) providers.SendRequest {
				return providers.SendRequest{Reference: ref, Amount: usd(t, "12.50"), Method: mint}
			}},
			{Name: "redeem", Kind: models.Conversion, Prepare: quote, Request: func(ref string) providers.SendRequest {
				return providers.SendRequest{Reference: ref, Amount: cash(t, "7.77", "WUSD"), Method: redeem, Values: map[string]string{"buy_currency": "USD"}}
			}},
		},
		Deliveries: []providers.Delivery{signedDelivery()},
	})
}

// signedDelivery is a webhook as the stand-in signs it.
func signedDelivery() providers.Delivery {
	d := providers.Delivery{Topic: "events", Method: http.MethodPost, Path: "/hooks/wspn/events", Query: "c=1", ReceivedAt: models.At(time.UnixMilli(1735891200000)),
		Body: []byte(`{"eventId":"250103080000123","type":"X","clientId":100200,"eventStatus":"COMPLETED","requestId":"CH1","eventTime":"2025-01-03 16:00:00","data":"{}"}`)}
	p, _ := parseProfile(assumedProfile)
	stamp := strconv.Itoa(1735891200000)
	d.Header = http.Header{"D-TIMESTAMP": {stamp}, "D-SIGNATURE": {p.sign(message{http.MethodPost, stamp, d.Path, d.Query, d.Body}, testKey, testSecret)}}
	return d
}
