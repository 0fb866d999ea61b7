package wakapay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
	"countinghouse/providers/providertest"
	"countinghouse/providers/wakapay/sandbox"
)

// The canaries must never be seen again.
const (
	canaryKey    = "pk_test_canary_0a1b2c3d"
	canarySecret = "sk_test_canary_4e5f6a7b"
)

type records struct {
	mu   sync.Mutex
	list []httpx.Exchange
}

func (r *records) Record(_ context.Context, x httpx.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, x)
}

func (r *records) count(op string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.list {
		if x.Operation == op {
			n++
		}
	}
	return n
}

func (r *records) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, _ := json.Marshal(r.list)
	var s strings.Builder
	s.Write(b)
	for _, x := range r.list {
		s.Write(x.RequestBody)
		s.Write(x.ResponseBody)
	}
	return s.String()
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	add time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.add)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add += d
}

// house is a client and the stand-in it talks to over HTTP.
type house struct {
	t      *testing.T
	url    string
	client *client
	rec    *records
	clock  *clock
	slept  []time.Duration
}

func demo(extra ...string) map[string]string {
	m := map[string]string{"payout_contract": "demo", "amount_unit": "major", "rate_cap": "100"}
	for i := 0; i+1 < len(extra); i += 2 {
		m[extra[i]] = extra[i+1]
	}
	return m
}

func testConfig(base string, settings map[string]string, rec httpx.Recorder) providers.Config {
	return providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": base}, Settings: settings, Recorder: rec,
		Secrets: map[string]string{"api_key": canaryKey, "api_secret": canarySecret}, Clock: time.Now, CallerAddress: "203.0.113.7"}
}

func dial(t *testing.T, h http.Handler, settings map[string]string) *house {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	x := &house{t: t, url: srv.URL, rec: &records{}, clock: &clock{}}
	cfg := testConfig(srv.URL, settings, x.rec)
	cfg.Clock = x.clock.now
	made, err := Provider().New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	x.client = made.(*client)
	x.client.wait = func(_ context.Context, d time.Duration) error { x.slept = append(x.slept, d); return nil }
	return x
}

func open(t *testing.T, settings, standIn map[string]string) *house {
	t.Helper()
	all := map[string]string{"autosettle": "off", "payout_contract": "demo"}
	for k, v := range standIn {
		all[k] = v
	}
	box := sandbox.New(sandbox.Options{Credential: map[string]string{"api_key": canaryKey, "api_secret": canarySecret}, Settings: all, Seed: 7})
	t.Cleanup(func() { _ = box.Close() })
	return dial(t, box, settings)
}

func (h *house) control(path string, form ...string) {
	h.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	res, err := http.PostForm(h.url+"/_sandbox/"+path, v) //nolint:noctx // a test
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		h.t.Fatalf("control %s: %s", path, b)
	}
}

func (h *house) fault(op, kind string) {
	h.t.Helper()
	h.control("fault", "operation", op, "kind", kind)
}

func (h *house) executions() map[string]int {
	h.t.Helper()
	res, err := http.Get(h.url + "/_sandbox/executions") //nolint:noctx // a test
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var m map[string]int
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		h.t.Fatal(err)
	}
	return m
}

func mobile(reference string) providers.SendRequest {
	return providers.SendRequest{Reference: reference, Method: "ke_mobile", Amount: models.Money{Minor: 129000, Asset: "KES"}, Note: "invoice 7",
		Values: map[string]string{"phone": "+254700000001", "name": "Amina Mjema"}}
}

func asked(r providers.SendRequest) providers.Query {
	return providers.Query{Kind: models.Payout, Reference: r.Reference, Method: r.Method, Amount: r.Amount, Values: r.Values, SentAt: models.At(time.Now())}
}

func TestWakaPayConforms(t *testing.T) {
	sample := func(name, method string, values map[string]string) providertest.Sample {
		return providertest.Sample{Name: name, Kind: models.Payout, Request: func(reference string) providers.SendRequest {
			r := mobile(reference)
			r.Method, r.Values = method, values
			return r
		}}
	}
	providertest.Run(t, providertest.Subject{
		Provider:   Provider(),
		NewSandbox: func(o providers.SandboxOptions) providers.SandboxHandler { return sandbox.New(sandbox.Options(o)) },
		Secrets:    map[string]string{"api_key": canaryKey, "api_secret": canarySecret},
		Settings:   demo(),
		URLs:       map[string]string{"base_url": ""},
		Samples: []providertest.Sample{
			sample("mobile money", "ke_mobile", map[string]string{"phone": "+254700000001", "name": "Amina Mjema"}),
			sample("till", "ke_till", map[string]string{"number": "888880", "name": "Ugali Point"}),
			sample("paybill", "ke_paybill", map[string]string{"number": "123456", "account_reference": "ABC123", "name": "Ugali Point Paybill"}),
		},
		Deliveries: []providers.Delivery{{Topic: "transaction", Method: "POST", Header: http.Header{}, ReceivedAt: models.At(time.Now()),
			Body: []byte(`{"businessId":"b","businessReference":"CH01","wakapayReference":"W1","status":"termination_success","signature":"` +
				constantSignature(canaryKey, canarySecret) + `"}`)}},
	})
}

func TestTheContractTableIsWhole(t *testing.T) {
	d := Provider().Description
	if len(d.Items) != 34 {
		t.Errorf("%d contract items, the contract has 34", len(d.Items))
	}
	for _, s := range d.Settings {
		if it, ok := d.Item(s.Item); !ok || it.Setting != s.Name {
			t.Errorf("setting %s and item %s do not name each other", s.Name, s.Item)
		}
	}
	var ids []string
	for _, m := range d.Methods {
		ids = append(ids, m.ID+" "+m.Assets[0])
		if m.Mark != providers.Assumed || m.LockedLive == "" {
			t.Errorf("%s is not shown as assumed and locked in live", m.ID)
		}
	}
	want := []string{"ke_mobile KES", "ke_till KES", "ke_paybill KES", "tz_mobile TZS", "tz_till TZS", "tz_paybill TZS",
		"ug_mobile UGX", "ug_till UGX", "ug_paybill UGX", "za_mobile ZAR", "za_till ZAR", "za_paybill ZAR"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
}

func TestAMadeUpPayoutIsRefusedWhereWakaPayIsReal(t *testing.T) {
	for name, c := range map[string]struct {
		env  models.Environment
		base string
	}{
		"live":                    {models.Live, "https://api.wakapay.io"},
		"live, no address":        {models.Live, ""},
		"the production host":     {models.Sandbox, "https://api.wakapay.io"},
		"the same in big letters": {models.Sandbox, "https://API.wakapay.io"},
	} {
		cfg := testConfig(c.base, demo(), nil)
		cfg.Environment = c.env
		_, err := Provider().New(cfg)
		var e *models.Error
		if !errors.As(err, &e) || e.Field != "payout_contract" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		env      models.Environment
		base     string
		settings map[string]string
	}{
		"live, switched off":             {models.Live, "https://api.wakapay.io", nil},
		"WakaPay's own test environment": {models.Sandbox, "https://api.test.wakapay.io", demo()},
		"a stand-in, switched off":       {models.Sandbox, "http://127.0.0.1:9", map[string]string{"amount_unit": "major"}},
		"a stand-in, unit not confirmed": {models.Sandbox, "http://127.0.0.1:9", map[string]string{"payout_contract": "demo"}},
	} {
		rec := &records{}
		cfg := testConfig(c.base, c.settings, rec)
		cfg.Environment = c.env
		made, err := Provider().New(cfg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		o, ok := made.(*client).SendPayout(t.Context(), mobile("CH01")).(providers.Refused)
		if !ok || o.Code != providers.NotSent || o.Retryable || len(rec.list) != 0 {
			t.Errorf("%s: %+v after %d calls", name, o, len(rec.list))
		}
		locked := false
		for _, l := range locks(c.env, cfg.Values, cfg.Settings) {
			locked = locked || l.Operation == string(providers.CanSendPayouts) && !l.Warning
		}
		if !locked {
			t.Errorf("%s: payouts are not shown as locked", name)
		}
		if name == "a stand-in, unit not confirmed" {
			continue
		}
		if f := made.(*client).FindPayout(t.Context(), asked(mobile("CH01"))); f.Result != providers.Unclear || len(rec.list) != 0 {
			t.Errorf("%s: asking gave %s after %d calls", name, f.Result, len(rec.list))
		}
		if _, err := made.(*client).LookUp(t.Context(), "transactions", nil); err == nil || len(rec.list) != 0 {
			t.Errorf("%s: transactions were listed", name)
		}
	}
	if ls := locks(models.Sandbox, map[string]string{"base_url": "http://127.0.0.1:9"}, demo()); len(ls) != 0 {
		t.Errorf("a stand-in that is switched on is locked: %v", ls)
	}
	if ls := locks(models.Live, map[string]string{"kyb_approved": "yes"}, map[string]string{"amount_unit": "minor", "webhook_signature_mode": "legacy", "webhook_legacy_profile": "on"}); len(ls) != 2 || ls[1].Operation != string(providers.CanReceiveWebhooks) {
		t.Errorf("live: %v", ls)
	}
}

func TestAWrongSettingIsNeverADefault(t *testing.T) {
	for name, v := range map[string]string{"rate_cap": "0", "token_refresh_buffer": "x", "payout_contract": "maybe", "amount_unit": "cents", "business_reference_pattern": "^[$"} {
		_, err := Provider().New(testConfig("http://127.0.0.1:9", map[string]string{name: v}, nil))
		var e *models.Error
		if !errors.As(err, &e) || e.Field != name {
			t.Errorf("setting %s=%q: %v", name, v, err)
		}
	}
}

func response(status int, body string) httpx.Response {
	return httpx.Response{Status: status, Body: []byte(body), Header: http.Header{}, Exchange: httpx.Exchange{ResponseBody: []byte(body)}}
}
