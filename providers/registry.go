package providers

import (
	"log/slog"
	"net/http"

	"countinghouse/models"
	"countinghouse/providers/httpx"
)

// Config is everything a client is built from. A client keeps no other state than tokens and circuit breakers.
type Config struct {
	Environment models.Environment
	Values      map[string]string // non-secret credential fields, base URLs included
	Secrets     map[string]string // secret fields of one slot, in clear
	Settings    map[string]string // chosen settings; a missing one means its default
	Recorder    httpx.Recorder    // receives every exchange, already redacted; may be nil
	Clock       models.Clock
	Log         *slog.Logger
	// CallerAddress is the configured egress address, used only in sentences ("203.0.113.7 is not on their list").
	CallerAddress string
}

// Setting gives a chosen setting or the description's default.
func (c Config) Setting(d *Description, name string) string {
	if v, ok := c.Settings[name]; ok && v != "" {
		return v
	}
	for _, s := range d.Settings {
		if s.Name == name {
			return s.Default
		}
	}
	return ""
}

// Provider is one provider as the registry knows it. Client returns a value that implements the interfaces of the capabilities that
// the description lists.
type Provider struct {
	Description Description
	// New builds a client. A base URL that is not allowed, or a missing field, is a models.Error with the field's name.
	New func(Config) (any, error)
	// Webhooks verifies and reads inbound calls; nil if the provider sends none.
	Webhooks WebhookReceiver
}

// SandboxOptions are what a stand-in is started with. They carry plain words only, because a sandbox shares no type with the client:
// each providers/NAME/sandbox declares a struct Options of the same fields, and providers/all converts.
type SandboxOptions struct {
	Credential map[string]string // the fields and secrets that it accepts, by the names of Description.Fields
	Settings   map[string]string
	Seed       int64
}

// SandboxHandler is a stand-in that serves the provider's API at its root and, below /_sandbox/, a page and the controls that tests
// and the demo use:
//
//	GET  /_sandbox/                 a page for people: what it holds, and buttons
//	GET  /_sandbox/executions       {"<reference>": <how often money was really moved for it>, …}
//	POST /_sandbox/fault            form: operation=payout|deposit|convert|order|any-http-path, kind=lose_reply|drop_before|late|
//	                                http_500|garbage|truncate|duplicate|lie_amount, times=N
//	POST /_sandbox/settle           form: reference=…, status=succeeded|failed|held|cancelled|returned|expired|paid|paid_late|paid_short
//	POST /_sandbox/webhooks         form: mode=normal|off|twice|before_reply|reordered|forged, delay_ms=N
//	POST /_sandbox/clock            form: advance_seconds=N    (quotes, tokens and late turns)
//	POST /_sandbox/autosettle       form: after_ms=N, outcome=mixed|succeeded|off
type SandboxHandler interface {
	http.Handler
	Close() error // stops its goroutines
}

// Registry is the providers by name, in the order of their titles.
type Registry struct {
	list []*Provider
}

// NewRegistry keeps the given providers.
func NewRegistry(ps ...*Provider) *Registry { return &Registry{list: ps} }

// All lists the providers; a house without a registry has none.
func (r *Registry) All() []*Provider {
	if r == nil {
		return nil
	}
	return r.list
}

// Get finds a provider by name.
func (r *Registry) Get(name string) (*Provider, bool) {
	for _, p := range r.All() {
		if p.Description.Name == name {
			return p, true
		}
	}
	return nil, false
}
