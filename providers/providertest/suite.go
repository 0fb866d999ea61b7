// Package providertest is the conformance suite that every provider must pass: what it says about itself is consistent, its money-moving
// calls answer truthfully whatever the network does, its secrets stay inside, and its webhooks are verified without side effects.
//
// Only tests of providers/NAME import it. It talks to the provider's own sandbox over HTTP and knows nothing of any provider.
package providertest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// Subject is a provider with what the suite needs to try it.
type Subject struct {
	Provider   *providers.Provider
	NewSandbox func(providers.SandboxOptions) providers.SandboxHandler
	// Values and Secrets are what a person would type for a sandbox credential. The base URLs among them are filled in from URLs.
	Values, Secrets map[string]string
	Settings        map[string]string
	// URLs names the base URL fields and what stands behind the sandbox's address in each: {"base_url": "", "report_url": "/v1"}.
	URLs map[string]string
	// Samples is at least one request for every kind that the provider can send.
	Samples []Sample
	// Deliveries are inbound calls that verify with the first of the Secrets, at least one for every topic that is signed.
	Deliveries []providers.Delivery
}

// Sample is one money-moving request that the sandbox accepts as it stands.
type Sample struct {
	Name string
	Kind models.Kind
	// Request makes the request for a reference nobody used before.
	Request func(reference string) providers.SendRequest
	// Prepare does what must come first (a paid deposit for a refund, a quote for a conversion); it may change the request.
	Prepare func(t *testing.T, h *House, r *providers.SendRequest)
	// Operation is the sandbox's name for faults; empty means the kind's usual one (payout, deposit, refund, convert, order, transfer).
	Operation string
	// Blind lists faults that this call cannot notice, each with the reason: {"lie_amount": "the answer has no amount"}.
	Blind map[string]string
}

// House is a running sandbox and a client that talks to it.
type House struct {
	URL    string
	Client any
	Book   *Book
	Config providers.Config
}

// Run puts the provider through all of it.
func Run(t *testing.T, s Subject) {
	t.Helper()
	t.Run("the description is consistent", func(t *testing.T) { describes(t, s) })
	t.Run("the capabilities are the interfaces", func(t *testing.T) { capabilities(t, s) })
	t.Run("only pinned hosts are called", func(t *testing.T) { pinned(t, s) })
	t.Run("samples are accepted once", func(t *testing.T) { accepts(t, s) })
	t.Run("outcomes are truthful under faults", func(t *testing.T) { faults(t, s) })
	t.Run("what was never sent is refused", func(t *testing.T) { unsent(t, s) })
	t.Run("many at once stay apart", func(t *testing.T) { concurrent(t, s) })
	t.Run("a dead host is called unreachable", func(t *testing.T) { deadHost(t, s) })
	t.Run("secrets never leave", func(t *testing.T) { secrets(t, s) })
	t.Run("webhooks are verified purely", func(t *testing.T) { webhooks(t, s) })
}

// Open starts a sandbox and builds a client for it. Both end with the test.
func Open(t testing.TB, s Subject) *House {
	t.Helper()
	settings := map[string]string{"late_ms": "1500", "autosettle": "off"}
	maps.Copy(settings, s.Settings)
	all := maps.Clone(s.Secrets)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, s.Values)
	sandbox := s.NewSandbox(providers.SandboxOptions{Credential: all, Settings: settings, Seed: 7})
	server := httptest.NewServer(sandbox)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := sandbox.Close(); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	h := &House{URL: server.URL, Book: &Book{}}
	h.Config = s.config(server.URL, h.Book)
	h.Client = Build(t, s.Provider, h.Config)
	return h
}

// Build makes a client or fails the test.
func Build(t testing.TB, p *providers.Provider, c providers.Config) any {
	t.Helper()
	client, err := p.New(c)
	if err != nil {
		t.Fatalf("building the client: %v", err)
	}
	return client
}

// config is a sandbox credential whose base URLs all point at one address.
func (s Subject) config(address string, book *Book) providers.Config {
	values := maps.Clone(s.Values)
	if values == nil {
		values = map[string]string{}
	}
	for field, suffix := range s.URLs {
		values[field] = address + suffix
	}
	return providers.Config{Environment: models.Sandbox, Values: values, Secrets: maps.Clone(s.Secrets), Settings: maps.Clone(s.Settings),
		Recorder: book, Clock: time.Now}
}

// Book keeps the exchanges of a client, as the real recorder would.
type Book struct {
	mu   sync.Mutex
	list []httpx.Exchange
}

// Record keeps one exchange.
func (b *Book) Record(_ context.Context, x httpx.Exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, x)
}

// All gives what was recorded so far.
func (b *Book) All() []httpx.Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]httpx.Exchange(nil), b.list...)
}

// Control posts a form to the sandbox's control surface.
func (h *House) Control(t testing.TB, what string, form url.Values) {
	t.Helper()
	res, err := http.PostForm(h.URL+"/_sandbox/"+what, form)
	if err != nil {
		t.Fatalf("sandbox %s: %v", what, err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, _ := io.ReadAll(res.Body); res.StatusCode >= 400 {
		t.Fatalf("sandbox %s %v: %d %s", what, form, res.StatusCode, body)
	}
}

// Fault makes the next call of an operation go wrong.
func (h *House) Fault(t testing.TB, operation, kind string) {
	t.Helper()
	h.Control(t, "fault", url.Values{"operation": {operation}, "kind": {kind}, "times": {"1"}})
}

// Executions tells how often money was really moved for a reference.
func (h *House) Executions(t testing.TB, reference string) int {
	t.Helper()
	res, err := http.Get(h.URL + "/_sandbox/executions")
	if err != nil {
		t.Fatalf("executions: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	var counts map[string]int
	if err := json.NewDecoder(res.Body).Decode(&counts); err != nil {
		t.Fatalf("executions: %v", err)
	}
	return counts[reference]
}

// Send makes the money-moving call of a kind.
func Send(ctx context.Context, client any, kind models.Kind, r providers.SendRequest) (providers.Outcome, error) {
	switch kind {
	case models.Payout:
		if c, ok := client.(providers.PayoutSender); ok {
			return c.SendPayout(ctx, r), nil
		}
	case models.Deposit:
		if c, ok := client.(providers.DepositCreator); ok {
			return c.CreateDeposit(ctx, r), nil
		}
	case models.Refund:
		if c, ok := client.(providers.Refunder); ok {
			return c.SendRefund(ctx, r), nil
		}
	case models.Conversion:
		if c, ok := client.(providers.Converter); ok {
			return c.Convert(ctx, r), nil
		}
	case models.Order:
		if c, ok := client.(providers.Orderer); ok {
			return c.PlaceOrder(ctx, r), nil
		}
	case models.Transfer:
		if c, ok := client.(providers.Transferer); ok {
			return c.SendTransfer(ctx, r), nil
		}
	}
	return nil, fmt.Errorf("the client cannot send a %s", kind)
}

// Find asks about a transaction of a kind; false when the provider has no such question.
func Find(ctx context.Context, client any, q providers.Query) (providers.Finding, bool) {
	switch q.Kind {
	case models.Payout:
		if c, ok := client.(providers.PayoutReader); ok {
			return c.FindPayout(ctx, q), true
		}
	case models.Deposit:
		if c, ok := client.(providers.DepositReader); ok {
			return c.FindDeposit(ctx, q), true
		}
	case models.Refund:
		if c, ok := client.(providers.RefundReader); ok {
			return c.FindRefund(ctx, q), true
		}
	case models.Conversion:
		if c, ok := client.(providers.ConversionReader); ok {
			return c.FindConversion(ctx, q), true
		}
	case models.Order:
		if c, ok := client.(providers.OrderReader); ok {
			return c.FindOrder(ctx, q), true
		}
	}
	return providers.Finding{}, false
}

func (s Sample) operation() string {
	if s.Operation != "" {
		return s.Operation
	}
	if s.Kind == models.Conversion {
		return "convert"
	}
	return string(s.Kind)
}

// request makes the sample's request and prepares it.
func (s Sample) request(t *testing.T, h *House, reference string) providers.SendRequest {
	t.Helper()
	r := s.Request(reference)
	if s.Prepare != nil {
		s.Prepare(t, h, &r)
	}
	return r
}

// Reference makes one of ours: CH and 20 characters of 0-9A-Z, never used before.
func Reference() string { return "CH" + rand.Text()[:20] }
