package aeterna

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
	"countinghouse/providers/providertest"
)

func TestACallCarriesExactlyTheDocumentedHeaders(t *testing.T) {
	var got *http.Request
	var body []byte
	c := against(t, nil, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"answer":1500.50}`)
	})
	at := time.Unix(vectorTime, 0)
	c.clock = func() time.Time { return at }
	var out struct{ Answer jsonNumber }
	reply, err := c.Call(t.Context(), "some/path", nil, &out)
	if err != nil || out.Answer != "1500.50" || string(reply.Body) != `{"answer":1500.50}` {
		t.Fatalf("%v, %v, %s", err, out, reply.Body)
	}
	want := map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/plain", "X-App-Token": publicToken,
		"X-App-Access-Ts": "1735689600", "X-App-Access-Sig": positive()["V1"].want}
	for name, v := range want {
		if diff := cmp.Diff([]string{v}, got.Header.Values(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got.Method != "POST" || got.URL.Path != "/some/path" || string(body) != "{}" {
		t.Errorf("%s %s %s", got.Method, got.URL, body)
	}
}

type jsonNumber string

// UnmarshalJSON keeps the number as it was written.
func (n *jsonNumber) UnmarshalJSON(b []byte) error { *n = jsonNumber(b); return nil }

func TestTheRawCallTakesNoPathThatLeadsElsewhere(t *testing.T) {
	var called atomic.Int32
	c := against(t, nil, func(http.ResponseWriter, *http.Request) { called.Add(1) })
	for _, path := range []string{"https://elsewhere.example/x", "//elsewhere.example/x", "a/../b", "./a", "a?b=c", "a#b", "a\\b", "a b", "a\nb", "ä"} {
		if _, err := c.Call(t.Context(), path, nil, nil); err == nil {
			t.Errorf("%q was called", path)
		}
	}
	for _, in := range []any{[]int{1}, "text", 5, map[string]any{"f": func() {}}, nil2()} {
		if _, err := c.Call(t.Context(), "x", in, nil); err == nil {
			t.Errorf("the body %v was sent", in)
		}
	}
	if called.Load() != 0 {
		t.Errorf("%d requests went out", called.Load())
	}
}

func nil2() any { var m map[string]any; return m } // marshals to null

// Errors of the raw call: the status, the content type and the raw body are kept; nothing is guessed (AET-ERR-1).
func TestTheRawCallReportsWhatCameBack(t *testing.T) {
	for _, c := range []struct {
		status     int
		kind, body string
		words      string
	}{
		{401, "text/plain", "bad signature", "401 Unauthorized"},
		{302, "text/html", "moved", "302 Found"},
		{500, "application/json", `{"error":"x"}`, "500 Internal Server Error"},
		{200, "text/plain; charset=utf-8", "fine", "not JSON but text/plain"},
		{200, "", "fine", "not JSON"},
		{200, "application/json", `{"a":1,"a":2}`, "twice"},
		{200, "application/json", `{"a":1} trailing`, "after its end"},
		{200, "application/json", `[1]`, "expected shape"},
		{200, "application/json", strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested deeper"},
	} {
		client := canned(t, c.status, c.kind, c.body)
		var out map[string]any
		reply, err := client.Call(t.Context(), "x", nil, &out)
		var e *CallError
		if !errors.As(err, &e) || !strings.Contains(e.Reason, c.words) || string(e.Reply.Body) != c.body || reply.Status != c.status {
			t.Errorf("%d %s %q: %v", c.status, c.kind, c.body, err)
		}
	}
}

func TestARedirectIsNeverFollowedWithTheKeys(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	c := against(t, nil, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/x", http.StatusTemporaryRedirect)
	})
	out := c.SendPayout(t.Context(), payout(providertest.Reference()))
	if _, ok := out.(providers.Unknown); !ok || elsewhere.Load() != 0 {
		t.Errorf("%s; %d requests at the other host", providertest.Say(out), elsewhere.Load())
	}
}

func TestEveryAttemptIsSignedAnewWithTheTimeOfThatAttempt(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	c := against(t, nil, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Header.Get("X-App-Access-Ts")+" "+r.Header.Get("X-App-Access-Sig"))
		w.WriteHeader(http.StatusBadGateway)
	})
	second := int64(vectorTime)
	c.clock = func() time.Time { second++; return time.Unix(second, 0) }
	if _, err := c.Balances(t.Context()); models.CodeOf(err) != models.Unavailable {
		t.Errorf("the error is %v", err)
	}
	var want []string
	for i := range int64(3) {
		want = append(want, fmt.Sprint(vectorTime+1+i)+" "+Sign(secretToken, vectorTime+1+i, email))
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("reads repeated twice, each signed anew (-want +got)\n%s", diff)
	}
}

// AET-RETRY-1: whatever comes back, a create is one request.
func TestACreateIsNeverRepeated(t *testing.T) {
	for _, answer := range []int{429, 500, 502, 503, 504, 302, 200, 408} {
		var calls atomic.Int32
		c := against(t, map[string]string{settingRetry: "reads"}, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(answer)
		})
		c.SendPayout(t.Context(), payout(providertest.Reference()))
		c.CreateDeposit(t.Context(), payin(providertest.Reference()))
		c.OpenDispute(t.Context(), providers.Query{Kind: models.Deposit, ProviderRef: "0a1b2c3d-0000-4000-8000-000000000001"}, "look", nil)
		if calls.Load() != 3 {
			t.Errorf("HTTP %d: three creates made %d requests", answer, calls.Load())
		}
	}
}

func TestReadsAreNotRepeatedWhereThatIsSwitchedOff(t *testing.T) {
	var calls atomic.Int32
	c := against(t, map[string]string{settingRetry: "none"}, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(503) })
	c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CH1"})
	if calls.Load() != 1 {
		t.Errorf("%d requests", calls.Load())
	}
}

func TestTwoDifferentRequestsInOneSecondBothPass(t *testing.T) { // AET-SIG-4
	h, c := house(t, nil)
	now := time.Now()
	c.clock = func() time.Time { return now }
	for range 2 {
		r := payout(providertest.Reference())
		accepted(t, c.SendPayout(t.Context(), r))
		if n := h.Executions(t, r.Reference); n != 1 {
			t.Errorf("%d executions", n)
		}
	}
}

func TestACredentialThatCannotSignIsRefusedByItsField(t *testing.T) {
	good := providers.Config{Environment: models.Live, Values: map[string]string{"base_url": "https://pay.example.com/gate/", "public_token": publicToken, "email": email},
		Secrets: map[string]string{"secret_token": secretToken}}
	if _, err := New(good); err != nil {
		t.Fatalf("a good credential: %v", err)
	}
	for _, c := range []struct{ field, value, words string }{
		{"email", "", "missing"}, {"email", " a@example.com", "begins or ends with a space"}, {"email", "a@example.com\n", "space"}, {"email", "no address", "exactly as it is registered"},
		{"email", "a\u200b@example.com", "invisible"},
		{"public_token", "", "missing"}, {"public_token", "with space", "without spaces"}, {"secret_token", "", "missing"}, {"secret_token", "x ", "space"},
		{"base_url", "", "missing"}, {"base_url", "https://pay.example.com/?a=b", "query"}, {"base_url", "https://pay.example.com/#x", "fragment"},
		{"base_url", "https://u:p@pay.example.com/", "user"}, {"base_url", "http://pay.example.com/", "https"}, {"base_url", "ftp://pay.example.com", "https"},
		{"base_url", "https://10.0.0.1/", "not one of"}, {"base_url", "https://127.0.0.1/", "sandbox credentials only"},
		{"operation_table", "{", "cannot be used"}, {"operation_table", `{"format":2}`, "cannot be used"},
	} {
		cfg := good
		cfg.Values = map[string]string{"base_url": "https://pay.example.com", "public_token": publicToken, "email": email}
		cfg.Secrets = map[string]string{"secret_token": secretToken}
		switch c.field {
		case "secret_token":
			cfg.Secrets[c.field] = c.value
		case "operation_table":
			cfg.Settings = map[string]string{c.field: c.value}
		default:
			cfg.Values[c.field] = c.value
		}
		_, err := New(cfg)
		var e *models.Error
		if !errors.As(err, &e) || e.Field != c.field || !strings.Contains(strings.ToLower(e.Sentence), c.words) {
			t.Errorf("%s = %q: %v", c.field, c.value, err)
		}
	}
}

func TestAPathPrefixOfTheBaseURLIsKeptAndJoinedByOneSlash(t *testing.T) {
	for _, base := range []string{"/gate/v1", "/gate/v1/"} {
		var path string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path }))
		c := clientAt(t, server.URL+base, nil)
		if _, err := c.Call(t.Context(), "/api/x", nil, nil); err != nil || path != "/gate/v1/api/x" {
			t.Errorf("%s: %q, %v", base, path, err)
		}
		server.Close()
	}
}

func TestTheEmailIsSignedInSmallLettersOnlyWhereThatIsChosen(t *testing.T) { // AET-SIG-2
	for setting, signs := range map[string]string{"": "Merchant.Demo@Example.com", "exact": "Merchant.Demo@Example.com", "lower": "merchant.demo@example.com"} {
		var sig, ts string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			sig, ts = r.Header.Get("X-App-Access-Sig"), r.Header.Get("X-App-Access-Ts")
		}))
		client, err := New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": server.URL, "public_token": publicToken, "email": "Merchant.Demo@Example.com"},
			Secrets: map[string]string{"secret_token": secretToken}, Settings: map[string]string{settingEmail: setting}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.(*Client).Call(t.Context(), "x", nil, nil); err != nil {
			t.Fatal(err)
		}
		var seconds int64
		if _, err := fmt.Sscan(ts, &seconds); err != nil || Sign(secretToken, seconds, signs) != sig {
			t.Errorf("setting %q signs something else than %s", setting, signs)
		}
		server.Close()
	}
}

// Whoever sees the three headers can send anything while the time is fresh: they never reach a record. Card numbers do not either.
func TestNothingSecretIsRecorded(t *testing.T) {
	h, c := house(t, nil)
	r := payout(providertest.Reference())
	accepted(t, c.SendPayout(t.Context(), r))
	accepted(t, c.CreateDeposit(t.Context(), payin(providertest.Reference())))
	all := h.Book.All()
	if len(all) != 2 {
		t.Fatalf("%d exchanges", len(all))
	}
	for _, x := range all {
		text := fmt.Sprintf("%+v %s %s", x, x.RequestBody, x.ResponseBody)
		for _, secret := range []string{secretToken, email, publicToken, "4111111111111111", "+7900"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s stands in the record of %s", secret, x.Operation)
			}
		}
		for _, name := range []string{"X-App-Token", "X-App-Access-Ts", "X-App-Access-Sig"} {
			if x.RequestHeader.Get(name) != httpx.Redacted {
				t.Errorf("%s is recorded as %q", name, x.RequestHeader.Get(name))
			}
		}
	}
}
