package httpx_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/providers/httpx"
)

// book is a Recorder that keeps what it is given.
type book struct {
	mu   sync.Mutex
	rows []httpx.Exchange
}

func (b *book) Record(_ context.Context, x httpx.Exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, x)
}

func (b *book) all() []httpx.Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]httpx.Exchange(nil), b.rows...)
}

func newClient(t *testing.T, url string, change func(*httpx.Config)) (*httpx.Client, *book) {
	t.Helper()
	b := &book{}
	cfg := httpx.Config{Name: "test", BaseURL: url, AllowLoopback: true, Timeout: 5 * time.Second, Recorder: b}
	if change != nil {
		change(&cfg)
	}
	c, err := httpx.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, b
}

func wantError(t *testing.T, err error, kind httpx.Kind, sent bool) *httpx.Error {
	t.Helper()
	var e *httpx.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want an *httpx.Error of kind %s", err, kind)
	}
	if e.Kind != kind || e.Sent != sent {
		t.Fatalf("error = %s sent=%v (%v), want %s sent=%v", e.Kind, e.Sent, e, kind, sent)
	}
	if httpx.NotSent(err) == sent {
		t.Fatalf("NotSent(%v) = %v", err, !sent)
	}
	return e
}

func TestTheCallersBytesReachTheProviderUnchanged(t *testing.T) {
	type seen struct {
		Method, URI, Body, Length string
		Header                    http.Header
	}
	var got seen
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.RequestURI, string(body), r.Header.Get("Content-Length"), r.Header}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip") // a lie: the client must not decode anything
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
	defer srv.Close()
	c, _ := newClient(t, srv.URL+"/v3", nil)

	body := "{ \"a\" : 1.0, \"b\":\"\u00e9\" }\n"
	res, err := c.Do(t.Context(), httpx.Request{
		Operation: "cashout.cancel", Method: "DELETE", Path: "/cashout/a%2Fb", RawQuery: "x=%20&y=a+b&x=2",
		Header: http.Header{"X-Login": {"abc"}}, Body: []byte(body),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := seen{"DELETE", "/v3/cashout/a%2Fb?x=%20&y=a+b&x=2", body, "24", http.Header{
		"X-Login": {"abc"}, "User-Agent": {"Countinghouse"}, "Content-Length": {"24"}, "Connection": {"close"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the provider saw something else (-want +got):\n%s", diff)
	}
	if res.Status != 200 || string(res.Body) != `{"ok":true}` || res.Truncated {
		t.Errorf("answer = %d %q %v", res.Status, res.Body, res.Truncated)
	}
	if _, ok := res.ServerTime(); !ok {
		t.Error("the Date header of the answer is lost")
	}
}

func TestABodylessPostSaysSoAndAGetSendsNothing(t *testing.T) {
	var lengths []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		lengths = append(lengths, r.Method+" "+r.Header.Get("Content-Length")+strings.Join(r.TransferEncoding, ""))
	}))
	defer srv.Close()
	c, _ := newClient(t, srv.URL, nil)
	for _, m := range []string{"POST", "PUT", "GET", "DELETE"} {
		if _, err := c.Do(t.Context(), httpx.Request{Method: m, Path: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"POST 0", "PUT 0", "GET ", "DELETE "}, lengths); diff != "" {
		t.Error(diff)
	}
}

func TestBaseURLs(t *testing.T) {
	pins := []string{"api.example.com", "alt.example.com:8443", ".sub.example.net"}
	for _, tc := range []struct {
		url      string
		loopback bool
		want     string // fragment of the refusal, empty when accepted
	}{
		{"https://api.example.com", false, ""},
		{"https://API.example.com:443/v1/", false, ""},
		{"https://alt.example.com:8443", false, ""},
		{"https://eu.sub.example.net", false, ""},
		{"https://sub.example.net", false, "not one of this provider's hosts"},
		{"https://evilsub.example.net", false, "not one of this provider's hosts"},
		{"https://api.example.com:8443", false, "not one of this provider's hosts"},
		{"https://api.example.com.evil.org", false, "not one of this provider's hosts"},
		{"https://api.example.com.", false, "not one of this provider's hosts"},
		{"https://10.0.0.1", false, "not one of this provider's hosts"},
		{"http://api.example.com", false, "begin with https"},
		{"ftp://api.example.com", false, "begin with https"},
		{"https://api.example.com@evil.org", false, "must not contain a user"},
		{"https://u:p@api.example.com", false, "must not contain a user"},
		{"https://api.example.com/?x=1", false, "a query"},
		{"https://api.example.com/#x", false, "a fragment"},
		{"https://api.example.com/a/../b", false, "dot segment"},
		{"api.example.com", false, "full address"},
		{"", false, "full address"},
		{"https://api.example.com\x00", false, "full address"},
		{"http://127.0.0.1:9000", false, "sandbox credentials only"},
		{"https://localhost", false, "sandbox credentials only"},
		{"http://[::1]:9000", false, "sandbox credentials only"},
		{"http://127.9.8.7:9000", true, ""},
		{"http://LOCALHOST:1", true, ""},
		{"http://[::1]:9000", true, ""},
		{"http://[::ffff:127.0.0.1]:9000", true, ""},
		{"http://192.168.0.1:9000", true, "begin with https"},
		{"https://192.168.0.1:9000", true, "not one of this provider's hosts"},
		{"http://localhost.evil.org", true, "begin with https"},
		{"http://2130706433", true, "begin with https"},
	} {
		_, err := httpx.New(httpx.Config{BaseURL: tc.url, AllowedHosts: pins, AllowLoopback: tc.loopback})
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%q (loopback %v): error %v, want %q", tc.url, tc.loopback, err, tc.want)
		}
	}
}

func TestARequestThatCannotGoOutAsGivenIsRefusedUnsent(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer srv.Close()
	c, _ := newClient(t, srv.URL, func(cfg *httpx.Config) { cfg.Breaker.Off = true })
	for name, req := range map[string]httpx.Request{
		"no method":           {Path: "/"},
		"bad method":          {Method: "GET /x", Path: "/"},
		"no slash":            {Method: "GET", Path: "x"},
		"other host":          {Method: "GET", Path: "//evil.org/x"},
		"user":                {Method: "GET", Path: "@evil.org/x"},
		"dots":                {Method: "GET", Path: "/a/../b"},
		"escaped dots":        {Method: "GET", Path: "/a/%2E%2e/b"},
		"query in path":       {Method: "GET", Path: "/a?b"},
		"space":               {Method: "GET", Path: "/a b"},
		"line end":            {Method: "GET", Path: "/a\r\nX: y"},
		"broken escape":       {Method: "GET", Path: "/a%zz"},
		"non-ASCII":           {Method: "GET", Path: "/é"},
		"quote":               {Method: "GET", Path: `/a"b`},
		"query line end":      {Method: "GET", Path: "/", RawQuery: "a=b\r\nX: y"},
		"query fragment":      {Method: "GET", Path: "/", RawQuery: "a=b#c"},
		"header line end":     {Method: "GET", Path: "/", Header: http.Header{"X-A": {"b\r\nX-C: d"}}},
		"header name":         {Method: "GET", Path: "/", Header: http.Header{"X A": {"b"}}},
		"GET with body":       {Method: "GET", Path: "/", Body: []byte("x")},
		"repeatable POST":     {Method: "POST", Path: "/", Idempotent: true},
		"repeatable DELETE":   {Method: "DELETE", Path: "/", Idempotent: true},
		"line end in method":  {Method: "GET\r\n", Path: "/"},
		"secret in the error": {Method: "GET", Path: "/\x7f", Secrets: []string{"path contains"}},
	} {
		_, err := c.Do(t.Context(), req)
		if !httpx.NotSent(err) {
			t.Errorf("%s: error %v, want one that says nothing was sent", name, err)
		}
		if strings.Contains(name, "secret") && strings.Contains(err.Error(), "path contains") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if hits != 0 {
		t.Errorf("the provider was reached %d times", hits)
	}
}

func TestARedirectIsAnAnswerAndIsNotFollowed(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	c, _ := newClient(t, srv.URL, nil)
	for _, idempotent := range []bool{true, false} {
		res, err := c.Do(t.Context(), httpx.Request{Method: "GET", Path: "/", Idempotent: idempotent})
		if err != nil || res.Status != 307 || res.Header.Get("Location") == "" {
			t.Errorf("answer %d %v, error %v", res.Status, res.Header, err)
		}
	}
	if hits != 2 {
		t.Errorf("hits = %d", hits)
	}
}

func TestAnAnswerLongerThanAllowedIsCutAndSaid(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 11+len(r.URL.Query().Get("less"))-1))
	}))
	defer srv.Close()
	c, b := newClient(t, srv.URL, func(cfg *httpx.Config) { cfg.MaxBody = 10 })
	res, err := c.Do(t.Context(), httpx.Request{Operation: "x", Method: "POST", Path: "/"})
	if err != nil || res.Truncated || len(res.Body) != 10 {
		t.Fatalf("ten bytes: %v %v", res, err)
	}
	res, err = c.Do(t.Context(), httpx.Request{Operation: "x", Method: "POST", Path: "/", RawQuery: "less=1"})
	wantError(t, err, httpx.KindTooLarge, true)
	if !res.Truncated || len(res.Body) != 10 || res.Status != 200 || b.all()[1].Err == "" {
		t.Errorf("answer %+v", res)
	}
}

func TestEveryAttemptIsRecordedRedactedWithTheDigestOfWhatWasSent(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header()["Date"] = []string{"Tue, 02 Jan 2024 03:04:05 GMT"}
		w.Header().Set("X-Trace", "t1")
		_, _ = w.Write([]byte(`{"token":"fresh-token-123","status":"OK"}`))
	}))
	defer srv.Close()
	at := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	c, b := newClient(t, srv.URL, func(cfg *httpx.Config) {
		cfg.Now = func() time.Time { at = at.Add(time.Second); return at }
		cfg.Redact = httpx.Redactor{JSON: []string{"pass", "token"}, Query: []string{"key"}, Headers: []string{"X-Api-Key"},
			Secrets: []string{"canary-secret"}}
	})
	body := []byte(`{"login":"l","pass":"p","note":"has canary-secret inside"}`)
	res, err := c.Do(t.Context(), httpx.Request{
		Operation: "token.create", Method: "POST", Path: "/t", RawQuery: "key=k1&a=b", Body: body,
		Header: http.Header{"Authorization": {"D24 abcdef"}, "X-Api-Key": {"k"}, "Content-Type": {"application/json"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(res.Body), "fresh-token-123") {
		t.Error("the caller must get the answer as it is")
	}
	digest := sha256.Sum256(body)
	got := b.all()[0]
	if len(got.ID) != 36 {
		t.Errorf("id %q", got.ID)
	}
	want := httpx.Exchange{
		ID: got.ID, Operation: "token.create", StartedAt: time.Date(2024, 1, 2, 3, 4, 6, 0, time.UTC), Duration: time.Second,
		Method: "POST", URL: srv.URL + "/t?key=[redacted]&a=b",
		RequestHeader: http.Header{"Authorization": {"D24 [redacted]"}, "X-Api-Key": {"[redacted]"}, "Content-Type": {"application/json"}},
		RequestBody:   []byte(`{"login":"l","pass":"[redacted]","note":"has [redacted] inside"}`),
		Status:        200,
		ResponseHeader: http.Header{"Content-Type": {"application/json"}, "X-Trace": {"t1"},
			"Date": {"Tue, 02 Jan 2024 03:04:05 GMT"}, "Content-Length": {"41"}},
		ResponseBody: []byte(`{"token":"[redacted]","status":"OK"}`),
		BodyDigest:   hex.EncodeToString(digest[:]), Sent: true,
	}
	delete(got.ResponseHeader, "Connection")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if skew, ok := res.ClockSkew(); !ok || skew != -time.Second {
		t.Errorf("clock skew = %v %v, want the provider one second behind", skew, ok)
	}
	_, _ = c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/t", NoRecord: true})
	if len(b.all()) != 1 {
		t.Error("NoRecord was recorded")
	}
}

func TestWhenNobodyListensNothingWasSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	c, b := newClient(t, "http://"+addr, nil)
	_, err = c.Do(t.Context(), httpx.Request{Operation: "cashout.create", Method: "POST", Path: "/", Body: []byte("{}")})
	e := wantError(t, err, httpx.KindNotSent, false)
	if !strings.Contains(e.Error(), "cashout.create: nothing was sent: no connection to "+addr) {
		t.Error(e)
	}
	if got := b.all(); len(got) != 1 || got[0].Sent || got[0].Err == "" || got[0].Status != 0 {
		t.Errorf("record %+v", got)
	}
}

func TestAFailedTLSHandshakeIsNotSent(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	c, _ := newClient(t, srv.URL, nil) // the stand-in's authority is unknown
	_, err := c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/", Body: []byte("{}")})
	wantError(t, err, httpx.KindNotSent, false)
}
