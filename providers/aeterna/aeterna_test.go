package aeterna

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/aeterna/sandbox"
	"countinghouse/providers/providertest"
)

const (
	secretToken = "sk_test_7Qm2vLx9RtY4bNc8"
	publicToken = "pk_test_0001"
	email       = "merchant.demo@example.com"
)

func rub(minor int64) models.Money { return models.Money{Minor: minor, Asset: "RUB"} }

func payout(reference string) providers.SendRequest {
	return providers.SendRequest{Reference: reference, Amount: rub(150050), Method: "payout_card",
		Values: map[string]string{"number": "4111111111111111", "holder": "Anna Example"}}
}

func payin(reference string) providers.SendRequest {
	return providers.SendRequest{Reference: reference, Amount: rub(150050), Method: "payin_sbp", Values: map[string]string{"client_id": "customer-17"}}
}

func signedDelivery(body string) providers.Delivery {
	return providers.Delivery{Topic: "callback", Method: http.MethodPost, Path: "/hooks/x/callback", Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/json"}, headerCallback: {SignCallback(secretToken, []byte(body))}}}
}

func subject() providertest.Subject {
	return providertest.Subject{
		Provider: Provider(),
		NewSandbox: func(o providers.SandboxOptions) providers.SandboxHandler {
			return sandbox.New(sandbox.Options(o))
		},
		Values: map[string]string{"public_token": publicToken, "email": email}, Secrets: map[string]string{"secret_token": secretToken},
		// The suite holds that a second slot verifies; here that is AET-KEY-1, which is off unless an admin switches it on.
		Settings: map[string]string{settingOverlap: "on"},
		URLs:     map[string]string{"base_url": ""},
		Samples: []providertest.Sample{
			{Name: "payout to a card", Kind: models.Payout, Request: payout},
			{Name: "payout by phone", Kind: models.Payout, Request: func(ref string) providers.SendRequest {
				r := payout(ref)
				r.Method, r.Values = "payout_sbp", map[string]string{"number": "+79001234567", "bank": "Пример & Co", "holder": "Иван"}
				return r
			}},
			{Name: "payin", Kind: models.Deposit, Request: payin},
		},
		Deliveries: []providers.Delivery{
			signedDelivery(`{"type":"payin","id":"0d5a","externalId":"CH01","status":"completed","amount":"1500.50","currency":"RUB"}`),
			signedDelivery(`{"type":"payout","id":"0d5b","externalId":"CH02","status":"failed","amount":"10.00","currency":"RUB","note":"\u0418 \u0026 \u002B1"}`),
		},
	}
}

func TestConformance(t *testing.T) { providertest.Run(t, subject()) }

// house opens a sandbox and a client with settings on top of the usual ones.
func house(t *testing.T, settings map[string]string) (*providertest.House, *Client) {
	t.Helper()
	s := subject()
	s.Settings = settings
	h := providertest.Open(t, s)
	c, ok := h.Client.(*Client)
	if !ok {
		t.Fatalf("the client is a %T", h.Client)
	}
	c.wait = func(context.Context, int) bool { return true }
	return h, c
}

// canned makes a client that talks to a server which gives one answer to everything.
func canned(t *testing.T, status int, kind, body string) *Client {
	t.Helper()
	return against(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func against(t *testing.T, settings map[string]string, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return clientAt(t, server.URL, settings)
}

func clientAt(t *testing.T, base string, settings map[string]string) *Client {
	t.Helper()
	client, err := New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": base, "public_token": publicToken, "email": email},
		Secrets: map[string]string{"secret_token": secretToken}, Settings: settings, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c := client.(*Client)
	c.wait = func(context.Context, int) bool { return true }
	return c
}

func settle(t *testing.T, h *providertest.House, reference, status string) {
	t.Helper()
	h.Control(t, "settle", url.Values{"reference": {reference}, "status": {status}})
}

func accepted(t *testing.T, o providers.Outcome) providers.Accepted {
	t.Helper()
	a, ok := o.(providers.Accepted)
	if !ok {
		t.Fatal(providertest.Say(o))
	}
	return a
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
}
