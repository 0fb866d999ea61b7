package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/all"
)

// box is a provider: its stand-in, and the road to it, on which requests can be held back.
type box struct {
	name     string
	provider *providers.Provider
	secrets  map[string]string
	values   map[string]string
	settings map[string]string
	cred     models.Credential
	handler  providers.SandboxHandler
	server   *httptest.Server

	mu     sync.Mutex
	detain int // how many of the next creations are held back
	held   []*http.Request
	used   map[string]int // faults that took hold, by kind

	companies     map[string]int             // how often each was asked for, by e-mail
	registrations map[string]map[string]bool // the request ids with which each address and account was asked for, by place
}

// creations are the paths at which money moves.
var creations = []string{"/v3/cashout", "/v3/deposits", "/v3/refunds", "/fiat-transaction/withdraw", "/crypto-transaction/withdraw", "/fiat-transaction/deposit",
	"/mint-redeem/create", "/api/order/pull-codes", "/business/payout", "/api/payout/create", "/api/payin/create", "/user-account/create", "/user-account/batch-create",
	"/wallet-address/whitelist/add", "/remit-info/add"}

// questions are where each provider is asked about what was sent.
var questions = map[string][]string{"onekey": {"/v3/cashout/status"}, "wspn": {"/openapi/v1/fiat-transaction/order", "/openapi/v1/crypto-transaction/order",
	"/openapi/v1/mint-redeem/order"},
	"wakapay": {"/business/transactions"}, "aeterna": {"/api/payout/status", "/api/payin/status"}}

func newBox(t testing.TB, p *providers.Provider) *box {
	b := &box{name: p.Description.Name, provider: p, secrets: map[string]string{}, values: map[string]string{}, settings: map[string]string{}, used: map[string]int{}}
	b.server = httptest.NewServer(b)
	t.Cleanup(b.server.Close)
	for _, f := range p.Description.Fields {
		v := value(&p.Description, f, b.server.URL)
		if v == "" {
			continue
		}
		if f.Secret {
			b.secrets[f.Name] = v
		} else {
			b.values[f.Name] = v
		}
	}
	switch b.name {
	case "wakapay":
		b.settings["payout_contract"], b.settings["amount_unit"] = "demo", "major"
	case "wupex":
		b.settings["account_currency"] = "USD"
	}
	return b
}

// open starts the stand-in, which sends its webhooks below the given address.
func (b *box) open(t testing.TB, cred models.Credential, public string, seed int64) {
	b.cred = cred
	every := maps.Clone(b.values)
	maps.Copy(every, b.secrets)
	side := map[string]string{"autosettle": "off", "late_ms": "120", "webhook_retry_ms": "60"}
	if seed%2 == 0 {
		side["conversion_pending"] = "yes" // else WSPN's are done at once
	}
	maps.Copy(side, b.settings)
	for i, topic := range b.provider.Description.Webhooks {
		hook := "http://" + public + "/hooks/" + cred.ID + "/" + topic.ID
		side["webhook_url_"+topic.ID] = hook
		if i == 0 {
			side["webhook_url"] = hook
		}
	}
	b.handler = all.Sandboxes()[b.name](providers.SandboxOptions{Credential: every, Settings: side, Seed: seed})
	t.Cleanup(func() { _ = b.handler.Close() })
}

// value fills a field of a credential so that the stand-in and the client agree on it.
func value(p *providers.Description, f providers.Field, url string) string {
	for _, s := range p.Sites {
		if s.Field == f.Name {
			return url + s.Prefix
		}
	}
	switch {
	case f.Default != "":
		return f.Default
	case len(f.Options) > 0:
		return f.Options[0].Value
	case f.Kind == providers.URL:
		return url
	case f.Kind == providers.Digits:
		return "100200300"
	case f.Kind == providers.Email:
		return "merchant@example.com"
	case f.Secret:
		return "canary-" + f.Name
	case f.Required || f.Name == "client_id":
		return "merchant-1"
	}
	return ""
}

// ServeHTTP is the road. What is held back reaches the provider later; its sender only sees the connection break.
func (b *box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.holdsBack(r) {
		panic(http.ErrAbortHandler)
	}
	b.countCompanies(r)
	b.countRegistrations(r)
	b.handler.ServeHTTP(w, r)
}

func (b *box) holdsBack(r *http.Request) bool {
	creation := false
	for _, path := range creations {
		creation = creation || r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, path)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !creation || b.detain == 0 {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	b.detain--
	late := r.Clone(context.Background())
	late.Body = io.NopCloser(bytes.NewReader(body))
	b.held = append(b.held, late)
	b.used["held_back"]++
	return true
}

// release lets what was held back reach the provider.
func (b *box) release() {
	b.mu.Lock()
	held := b.held
	b.held = nil
	b.mu.Unlock()
	for _, r := range held {
		func() {
			defer func() { _ = recover() }() // a fault that breaks the connection, which nobody waits at any more
			b.countCompanies(r)
			b.countRegistrations(r)
			b.handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
}

// tell uses the stand-in's controls. ok tells whether it did what it was told.
func (b *box) tell(what string, form url.Values) (ok bool, said string) {
	r := httptest.NewRequest(http.MethodPost, "/_sandbox/"+what, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Code < 300, w.Body.String()
}

func (b *box) fault(operation, kind string, times int) error {
	if ok, said := b.tell("fault", url.Values{"operation": {operation}, "kind": {kind}, "times": {fmt.Sprint(times)}}); !ok {
		return fmt.Errorf("%s takes no fault %s at %s: %s", b.name, kind, operation, said)
	}
	b.mu.Lock()
	b.used[kind]++
	b.mu.Unlock()
	return nil
}

// executions is how often the provider really moved money, by reference.
func (b *box) executions(t testing.TB) map[string]int {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_sandbox/executions", nil))
	out := map[string]int{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v: %s", b.name, err, w.Body)
	}
	return out
}

// client is a client of the harness's own, with which it asks for the truth.
func (b *box) client() (any, error) {
	return b.provider.New(providers.Config{Environment: models.Sandbox, Values: b.values, Secrets: b.secrets, Settings: b.settings, Clock: time.Now})
}
