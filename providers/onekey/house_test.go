package onekey_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/onekey"
	"countinghouse/providers/onekey/sandbox"
	"countinghouse/providers/providertest"
)

// subject is OneKey with keys that are canaries: none of them may ever be found in what comes out.
func subject() providertest.Subject {
	return providertest.Subject{
		Provider:   onekey.Provider(),
		NewSandbox: func(o providers.SandboxOptions) providers.SandboxHandler { return sandbox.New(sandbox.Options(o)) },
		Secrets: map[string]string{
			"cashout_api_key": "canary-cashout-key", "cashout_api_passphrase": "canary-cashout-pass", "cashout_api_signature": "canary-cashout-signature",
			"deposit_api_key": "canary-deposit-key", "deposit_api_signature": "canary-deposit-signature", "read_only_key": "canary-read-only",
			"reconciliation_token": "canary-reconciliation",
		},
		URLs: map[string]string{"base_url": "", "card_base_url": "", "reconciliation_base_url": "/v1"},
	}
}

// inbox is the merchant's callback address: it keeps what arrives and answers 200.
type inbox struct {
	*httptest.Server
	mu   sync.Mutex
	list []providers.Delivery
	came chan struct{}
}

func openInbox(t testing.TB) *inbox {
	t.Helper()
	in := &inbox{came: make(chan struct{}, 1000)}
	in.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := make([]byte, 0, 512)
		buf := make([]byte, 512)
		for {
			n, err := r.Body.Read(buf)
			body = append(body, buf[:n]...)
			if err != nil {
				break
			}
		}
		in.mu.Lock()
		in.list = append(in.list, providers.Delivery{Topic: r.URL.Path[1:], Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: body, ReceivedAt: 1})
		in.mu.Unlock()
		in.came <- struct{}{}
	}))
	t.Cleanup(in.Close)
	return in
}

// wait gives the first n deliveries.
func (in *inbox) wait(t testing.TB, n int) []providers.Delivery {
	t.Helper()
	for range n {
		select {
		case <-in.came:
		case <-t.Context().Done():
			t.Fatal("the callbacks did not come")
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]providers.Delivery(nil), in.list...)
}

func brl(minor int64) models.Money { return models.Money{Minor: minor, Asset: "BRL"} }

// payout is a PIX by CPF that the sandbox accepts; notify is an address where nothing listens, so callbacks are simply lost.
func payout(reference string) providers.SendRequest {
	return providers.SendRequest{Reference: reference, Amount: brl(10050), Method: "br_pix_cpf", NotifyURL: "http://127.0.0.1:1/hooks/x/cashout",
		Values: map[string]string{"beneficiary_name": "João Silva", "document_id": "52998224725"}}
}

// client gives the sandbox's client as it is.
func client(t testing.TB, h *providertest.House) *onekey.Client {
	t.Helper()
	c, ok := h.Client.(*onekey.Client)
	if !ok {
		t.Fatalf("%T", h.Client)
	}
	return c
}

// with gives another client of the same sandbox with other settings.
func with(t testing.TB, h *providertest.House, settings map[string]string) *onekey.Client {
	t.Helper()
	cfg := h.Config
	cfg.Settings = settings
	c, ok := providertest.Build(t, onekey.Provider(), cfg).(*onekey.Client)
	if !ok {
		t.Fatal("not a client")
	}
	return c
}

// open starts a sandbox with settings of its own.
func open(t testing.TB, settings map[string]string) *providertest.House {
	t.Helper()
	s := subject()
	s.Settings = settings
	h := providertest.Open(t, s)
	h.Config.Settings = nil
	h.Client = providertest.Build(t, s.Provider, h.Config)
	return h
}

func accepted(t testing.TB, o providers.Outcome) providers.Accepted {
	t.Helper()
	a, ok := o.(providers.Accepted)
	if !ok {
		t.Fatalf("want Accepted, got %s", providertest.Say(o))
	}
	return a
}

func refusedWith(t testing.TB, o providers.Outcome, code string) providers.Refused {
	t.Helper()
	r, ok := o.(providers.Refused)
	if !ok || r.Code != code {
		t.Fatalf("want Refused %s, got %s", code, providertest.Say(o))
	}
	return r
}

func unknown(t testing.TB, o providers.Outcome) providers.Unknown {
	t.Helper()
	u, ok := o.(providers.Unknown)
	if !ok {
		t.Fatalf("want Unknown, got %s", providertest.Say(o))
	}
	return u
}

func asked(r providers.SendRequest, ref string) providers.Query {
	return providers.Query{Kind: models.Payout, Reference: r.Reference, ProviderRef: ref, Method: r.Method, Amount: r.Amount, Values: r.Values}
}

func settle(t testing.TB, h *providertest.House, reference, status string) {
	t.Helper()
	h.Control(t, "settle", url.Values{"reference": {reference}, "status": {status}})
}
