package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers/all"
	"countinghouse/web"
)

// house is a running server over a real database, with people in it.
type house struct {
	*web.App
	store *store.Store
	clock *storetest.Clock
	base  string
	log   *logBook
	ada   storetest.Person // the first admin
}

// logBook collects the log, so that a test can look for what must not be in it.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// open starts a server; demo makes sign-in links possible, which is the quickest way to many sessions.
func open(t *testing.T, change ...func(*web.Config)) *house {
	t.Helper()
	h := &house{clock: storetest.NewClock(), log: &logBook{}}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := web.Config{Data: t.TempDir(), Listen: l.Addr().String(), GracePeriod: 5 * time.Second}
	for _, c := range change {
		c(&cfg)
	}
	h.store = storetest.SQLite(t, storetest.WithClock(h.clock), func(c *store.Config) { c.Demo = cfg.Demo })
	h.ada = storetest.SetUp(t, h.store)
	h.App, err = web.New(cfg, web.Deps{Store: h.store, Log: slog.New(slog.NewJSONHandler(h.log, nil)), Clock: h.clock.Now, Providers: all.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	h.base = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return h
}

func inDemo(c *web.Config) { c.Demo = true }

// answer is what came back, read to the end.
type answer struct {
	*http.Response
	body string
}

// doc parses the page.
func (a answer) doc(t *testing.T) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cookie is the session's cookie as the answer sets it, or nil.
func (a answer) cookie() *http.Cookie {
	for _, c := range a.Cookies() {
		if strings.HasSuffix(c.Name, "countinghouse") {
			return c
		}
	}
	return nil
}

// do sends a request as a browser of this origin would.
func (h *house) do(t *testing.T, method, path, token string, form url.Values, headers ...string) answer {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, h.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "countinghouse", Value: token})
	}
	if method != http.MethodGet {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch {
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		case headers[i] == "Host":
			r.Host = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second}
	res, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res, string(b)}
}

func (h *house) get(t *testing.T, path, token string, headers ...string) answer {
	t.Helper()
	return h.do(t, http.MethodGet, path, token, nil, headers...)
}

func (h *house) post(t *testing.T, path, token string, form url.Values, headers ...string) answer {
	t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return h.do(t, http.MethodPost, path, token, form, headers...)
}

// session opens another full session of somebody by a demo link.
func (h *house) session(t *testing.T, p storetest.Person) string {
	t.Helper()
	link, err := h.store.DemoLink(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	token, err := h.store.SignInByDemoLink(t.Context(), link, models.From{IP: "127.0.0.1", Agent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}
