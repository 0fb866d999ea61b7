package wspn

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
	"countinghouse/providers/wspn/sandbox"
)

const (
	testKey    = "canary-api-key-7f3a91"
	testSecret = "canary-secret-not-real-55aa"
	usdAccount = "9007199254740993" // above 2^53: a float would pay the neighbour
	eurAccount = "9007199254740994"
	jpyAccount = "9007199254740995"
	usdReceive = "9007199254741993"
	listed     = "0x52908400098527886E0F7030069857D2E4169EE7"
)

// book keeps exchanges.
type book struct {
	mu   sync.Mutex
	list []httpx.Exchange
}

func (b *book) Record(_ context.Context, x httpx.Exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, x)
}

func (b *book) count(operation string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, x := range b.list {
		if x.Operation == operation {
			n++
		}
	}
	return n
}

// stage is a stand-in with a client that talks to it over HTTP.
type stage struct {
	t        *testing.T
	url      string
	sandbox  *sandbox.Sandbox
	client   *client
	provider *providers.Provider
	records  *book
	config   providers.Config
}

// play starts a stand-in and a client; both get the settings, and settings of the stand-in alone are prefixed with "theirs.".
func play(t *testing.T, options map[string]string) *stage {
	t.Helper()
	ours, theirs := map[string]string{}, map[string]string{"autosettle_ms": "3600000", "webhook_retry_ms": "2", "late_ms": "600"}
	for k, v := range options {
		if name, alone := strings.CutPrefix(k, "theirs."); alone {
			theirs[name] = v
			continue
		}
		ours[k] = v
		theirs[k] = v
	}
	sb := sandbox.New(sandbox.Options{Credential: map[string]string{"api_key": testKey, "api_secret": testSecret, "client_id": "100200"}, Settings: theirs, Seed: 7})
	srv := httptest.NewServer(sb)
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
		srv.CloseClientConnections()
		srv.Close()
	})
	s := &stage{t: t, url: srv.URL, sandbox: sb, records: &book{}, provider: Provider()}
	s.config = providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": srv.URL, "client_id": "100200"},
		Secrets: map[string]string{"api_key": testKey, "api_secret": testSecret}, Settings: ours, Recorder: s.records, Clock: time.Now}
	s.client = s.another(nil)
	return s
}

// another builds one more client on the same stand-in.
func (s *stage) another(change func(*providers.Config)) *client {
	s.t.Helper()
	cfg := s.config
	if change != nil {
		change(&cfg)
	}
	v, err := s.provider.New(cfg)
	if err != nil {
		s.t.Fatalf("client: %v", err)
	}
	return v.(*client)
}

// do commands the stand-in.
func (s *stage) do(command string, form ...string) {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	res, err := http.PostForm(s.url+"/_sandbox/"+command, values) //nolint:noctx // a test's own server
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		s.t.Fatalf("%s %v: %d %s", command, form, res.StatusCode, b)
	}
}

func (s *stage) executions(reference string) int {
	s.t.Helper()
	res, err := http.Get(s.url + "/_sandbox/executions") //nolint:noctx // a test's own server
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	all := map[string]int{}
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		s.t.Fatal(err)
	}
	return all[reference]
}

// signed sends a raw, rightly signed call, as a client would that knows nothing of our rules.
func (s *stage) signed(method, path, contentType, body string, change func(*http.Request)) (int, map[string]any) {
	s.t.Helper()
	access, err := s.client.accessToken(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	req := httpx.Request{Method: method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
	s.client.signRequest(&req)
	r.Header.Set("Authorization", "Bearer "+access)
	r.Header.Set("D-Timestamp", req.Header["D-TIMESTAMP"][0]) //nolint:staticcheck // written on the wire in the contract's capitals
	r.Header.Set("D-Signature", req.Header["D-SIGNATURE"][0]) //nolint:staticcheck // the same
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		s.t.Fatalf("the stand-in answered %q", raw)
	}
	return res.StatusCode, out
}

// post sends a rightly signed JSON body and gives the code of the refusal, empty when it succeeded.
func (s *stage) post(path, body string) string {
	s.t.Helper()
	_, out := s.signed(http.MethodPost, path, "application/json", body, nil)
	return codeOf(out)
}

func codeOf(out map[string]any) string {
	header, _ := out["header"].(map[string]any)
	if header["success"] == true {
		return ""
	}
	code, _ := header["code"].(string)
	return code
}

func usd(t *testing.T, text string) models.Money { return cash(t, text, "USD") }

func cash(t *testing.T, text, asset string) models.Money {
	t.Helper()
	m, err := models.ParseMoney(text, asset)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func fiatPayout(t *testing.T, ref, amount string) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: usd(t, amount), Method: payFiat, Values: map[string]string{"remit_info_id": usdAccount}, Note: "Invoice 7"}
}

// sandboxPage reads the stand-in's page for people.
func (s *stage) sandboxPage() string {
	s.t.Helper()
	res, err := http.Get(s.url + "/_sandbox/") //nolint:noctx // a test's own server
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("the page: %d %v", res.StatusCode, err)
	}
	return string(b)
}
