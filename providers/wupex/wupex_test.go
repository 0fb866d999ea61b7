package wupex

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"encoding/json"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
	"countinghouse/providers/wupex/sandbox"
)

// canary is the API key of every test; it must never be seen again.
const canary = "canary-wupex-key-0a1b2c3d4e5f"

type records struct {
	mu   sync.Mutex
	list []httpx.Exchange
}

func (r *records) Record(_ context.Context, x httpx.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, x)
}

// text is everything that was recorded, as one text.
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

func (r *records) of(op string) (out []httpx.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.list {
		if x.Operation == op {
			out = append(out, x)
		}
	}
	return out
}

// shop is a client and the stand-in it talks to over HTTP.
type shop struct {
	t      *testing.T
	url    string
	client *client
	rec    *records
	slept  []time.Duration
}

func testConfig(base string, settings map[string]string, rec httpx.Recorder) providers.Config {
	return providers.Config{
		Environment: models.Sandbox, Values: map[string]string{"base_url": base, "merchant": "CH-1"},
		Secrets: map[string]string{"api_key": canary}, Settings: settings, Recorder: rec, Clock: time.Now, CallerAddress: "203.0.113.7",
	}
}

func dial(t *testing.T, h http.Handler, settings map[string]string) *shop {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s := &shop{t: t, url: srv.URL, rec: &records{}}
	if settings == nil {
		settings = map[string]string{}
	}
	if settings["rate_cap"] == "" {
		settings["rate_cap"] = "100"
	}
	made, err := Provider().New(testConfig(srv.URL, settings, s.rec))
	if err != nil {
		t.Fatal(err)
	}
	s.client = made.(*client)
	s.client.wait = func(_ context.Context, d time.Duration) error { s.slept = append(s.slept, d); return nil }
	return s
}

// open starts a stand-in with its own settings and a client with others.
func open(t *testing.T, settings, standIn map[string]string) *shop {
	t.Helper()
	box := sandbox.New(sandbox.Options{Credential: map[string]string{"api_key": canary, "merchant": "CH-1"}, Settings: standIn, Seed: 7})
	t.Cleanup(func() { _ = box.Close() })
	return dial(t, box, settings)
}

func (s *shop) control(path string, form ...string) {
	s.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	res, err := http.PostForm(s.url+"/_sandbox/"+path, v) //nolint:noctx // a test
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		s.t.Fatalf("control %s: %s", path, b)
	}
}

func (s *shop) fault(op, kind string) {
	s.t.Helper()
	s.control("fault", "operation", op, "kind", kind)
}

func (s *shop) executions() map[string]int {
	s.t.Helper()
	res, err := http.Get(s.url + "/_sandbox/executions") //nolint:noctx // a test
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var m map[string]int
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		s.t.Fatal(err)
	}
	return m
}

func usual(reference string, quantity int) providers.SendRequest {
	return providers.SendRequest{Reference: reference, Method: "codes", SKU: "APL-US-10USD", Quantity: quantity,
		Amount: models.Money{Minor: int64(3675 * quantity), Asset: models.Unstated}}
}

func asked(r providers.SendRequest) providers.Query {
	return providers.Query{Kind: models.Order, Reference: r.Reference, SKU: r.SKU, Quantity: r.Quantity, Amount: r.Amount, SentAt: models.At(time.Now())}
}

func TestTheDescriptionIsWholeAndAgreesWithTheClient(t *testing.T) {
	d := Provider().Description
	if len(d.Items) != 38 {
		t.Errorf("%d contract items, the contract has 38", len(d.Items))
	}
	seen := map[string]bool{}
	for _, it := range d.Items {
		if seen[it.ID] || it.Text == "" || it.Evidence == "" || it.Mark == "" {
			t.Errorf("item %s is doubled or incomplete", it.ID)
		}
		seen[it.ID] = true
		if it.Setting != "" {
			found := false
			for _, s := range d.Settings {
				found = found || s.Name == it.Setting && s.Item == it.ID
			}
			if !found {
				t.Errorf("item %s names the setting %s, which does not name it back", it.ID, it.Setting)
			}
		}
	}
	for _, s := range d.Settings {
		if !seen[s.Item] {
			t.Errorf("setting %s names no item", s.Name)
		}
	}
	for _, m := range d.Methods {
		for _, id := range m.Items {
			if !seen[id] {
				t.Errorf("method %s names %s, which is no item", m.ID, id)
			}
		}
	}
	for _, l := range locks(models.Live, nil, nil) {
		for _, id := range l.Items {
			if !seen[id] {
				t.Errorf("lock %s names %s, which is no item", l.Operation, id)
			}
		}
	}
	var c any = &client{}
	has := map[providers.Capability]bool{}
	_, has[providers.CanCheck] = c.(providers.Checker)
	_, has[providers.CanReadBalances] = c.(providers.BalanceReader)
	_, has[providers.CanOrder] = c.(providers.Orderer)
	_, has[providers.CanFindOrders] = c.(providers.OrderReader)
	_, has[providers.CanLookUp] = c.(providers.LookUps)
	for capability, can := range has {
		if can != d.Has(capability) {
			t.Errorf("capability %s: described %v, built %v", capability, d.Has(capability), can)
		}
	}
}

func TestAClientIsRefusedWhereItsKeyMustNotGo(t *testing.T) {
	for name, c := range map[string]struct {
		env   models.Environment
		base  string
		field string
	}{
		"live against the sandbox host":    {models.Live, "https://sandbox-service.wupex.com", "base_url"},
		"sandbox against the live host":    {models.Sandbox, "https://service.wupex.com", "base_url"},
		"live against this machine":        {models.Live, "http://127.0.0.1:9", "base_url"},
		"plain http":                       {models.Live, "http://service.wupex.com", "base_url"},
		"another host":                     {models.Live, "https://service.wupex.com.example.org", "base_url"},
		"the host that is only rumour":     {models.Live, "https://api.wupex.com/v1", "base_url"},
		"a path that is not WUPEX's":       {models.Live, "https://service.wupex.com/api", "base_url"},
		"a user in the address":            {models.Live, "https://u@service.wupex.com", "base_url"},
		"the portal, which is for people":  {models.Live, "https://portal.wupex.com", "base_url"},
		"a metadata service in a sandbox":  {models.Sandbox, "http://169.254.169.254", "base_url"},
		"live with the right host is fine": {models.Live, "https://service.wupex.com", ""},
		"and so is no address at all":      {models.Live, "", ""},
	} {
		cfg := testConfig(c.base, nil, nil)
		cfg.Environment = c.env
		_, err := Provider().New(cfg)
		if field := fieldOf(err); field != c.field || (err == nil) != (c.field == "") {
			t.Errorf("%s: error %v on field %q, want field %q", name, err, field, c.field)
		}
	}
}

func fieldOf(err error) string {
	if e, ok := err.(*models.Error); ok { //nolint:errorlint // New promises exactly this type
		return e.Field
	}
	return ""
}

func TestAWrongSettingOrFieldIsNeverADefault(t *testing.T) {
	for name, v := range map[string]string{"rate_cap": "0", "timeouts": "30", "allow_take_all": "maybe", "account_currency": "ZZZ", "user_agent": "a\r\nb",
		"page_defaults": "1000", "funds_error": "lower case"} {
		if _, err := Provider().New(testConfig("http://127.0.0.1:9", map[string]string{name: v}, nil)); fieldOf(err) != name {
			t.Errorf("setting %s=%q: %v", name, v, err)
		}
	}
	cfg := testConfig("http://127.0.0.1:9", nil, nil)
	cfg.Secrets = map[string]string{"api_key": "Bearer " + canary}
	if _, err := Provider().New(cfg); fieldOf(err) != "api_key" || strings.Contains(err.Error(), canary) {
		t.Errorf("a key with Bearer before it: %v", err)
	}
	cfg = testConfig("http://127.0.0.1:9", nil, nil)
	cfg.Values["merchant"] = ""
	if _, err := Provider().New(cfg); fieldOf(err) != "merchant" {
		t.Errorf("no merchant code: %v", err)
	}
}

func TestCheckRequestAsksWhatOneLineCanSay(t *testing.T) {
	check := Provider().Description.CheckRequest
	for _, q := range []string{"0", "-1", "1.5", "", "10001", "1e3", "١"} {
		if ps := check(nil, methods()[0], models.Money{Minor: 1, Asset: "USD"}, map[string]string{"quantity": q}); len(ps) != 1 || ps[0].Field != "quantity" {
			t.Errorf("quantity %q: %v", q, ps)
		}
	}
	if ps := check(nil, methods()[0], models.Money{Minor: 1, Asset: "USD"}, map[string]string{"quantity": "3", "sku": "APL"}); len(ps) != 0 {
		t.Errorf("a good order is refused: %v", ps)
	}
}

func TestACurrencyNobodyKnowsIsNotSaved(t *testing.T) {
	check := Provider().Description.CheckSettings
	for currency, problems := range map[string]int{"": 0, "SAR": 0, "ZZZ": 1, models.Unstated: 1} {
		if got := check(map[string]string{"account_currency": currency}); len(got) != problems {
			t.Errorf("%q: %v", currency, got)
		}
	}
}

func TestLocksSayWhatWouldUnlockThem(t *testing.T) {
	var got []string
	for _, l := range locks(models.Live, nil, map[string]string{}) {
		got = append(got, l.Items...)
		if !l.Warning {
			t.Errorf("%s keeps orders from being placed", l.Reason)
		}
	}
	want := []string{"WUPEX-ORD-3", "WUPEX-IDEM-1", "WUPEX-ORD-4", "WUPEX-CUR-1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := len(locks(models.Live, nil, map[string]string{"allow_take_all": "on", "account_currency": "SAR"})); n != 2 {
		t.Errorf("%d locks left, want 2", n)
	}
}
