package providertest

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// pinned builds clients with base URLs that must be refused before anything is sent.
func pinned(t *testing.T, s Subject) {
	server := httptest.NewServer(nil)
	defer server.Close()
	fine := s.config(server.URL, &Book{})
	if _, err := s.Provider.New(fine); err != nil {
		t.Fatalf("a sandbox credential with a loopback address is refused: %v", err)
	}
	for field := range s.URLs {
		for _, bad := range []string{
			"https://example.com", "http://example.com", "https://169.254.169.254/latest", "https://10.0.0.1", "https://[::ffff:10.0.0.1]/",
			"ftp://127.0.0.1", "https://user:secret@127.0.0.1/", "https://127.0.0.1.example.com", "//127.0.0.1", "not a url", "https://",
			"file:///etc/passwd", "http://127.0.0.1:1/?x=1", "http://127.0.0.1:1/#x", "https://evil.example/\r\nX: y", "gopher://127.0.0.1",
		} {
			c := s.config(server.URL, &Book{})
			c.Values[field] = bad
			_, err := s.Provider.New(c)
			if err == nil {
				t.Errorf("%s = %q is accepted in sandbox", field, bad)
				continue
			}
			if models.CodeOf(err) != models.Invalid {
				t.Errorf("%s = %q is refused without a sentence for people: %v", field, bad, err)
			}
		}
	}
	liveRefuses(t, s, server.URL)
}

// liveRefuses holds that live never speaks to this machine and never without TLS.
func liveRefuses(t *testing.T, s Subject, loopback string) {
	for field := range s.URLs {
		for _, bad := range []string{loopback, "https://127.0.0.1", "https://localhost", "http://example.com", "https://[::1]:8443"} {
			c := s.config("https://pay.example.com", &Book{})
			c.Environment = models.Live
			c.Values[field] = bad
			if _, err := s.Provider.New(c); err == nil {
				t.Errorf("%s = %q is accepted in live", field, bad)
			}
		}
	}
}

// deadHost runs the credential test against an address where nothing listens.
func deadHost(t *testing.T, s Subject) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	_ = listener.Close()
	client := Build(t, s.Provider, s.config(address, &Book{}))
	checks, ok := client.(providers.Checker)
	if !ok {
		t.Skip("the provider has no harmless call to test a credential with")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	results := checks.Check(ctx)
	unreachable := 0
	for _, r := range results {
		if r.Verdict == providers.Unreachable {
			unreachable++
		}
		if r.Verdict != providers.Unreachable && r.Verdict != providers.CheckSkipped {
			t.Errorf("%s against a dead host says %q: %s", r.Title, r.Verdict, r.Sentence)
		}
		checkResult(t, s, r)
	}
	if unreachable == 0 {
		t.Errorf("no check of %d noticed that nobody answers", len(results))
	}
}

func checkResult(t *testing.T, s Subject, r providers.CheckResult) {
	t.Helper()
	if r.Title == "" || strings.TrimSpace(r.Sentence) == "" {
		t.Errorf("a check result lacks its title or its sentence: %+v", r)
	}
	for _, id := range r.Items {
		if _, ok := s.Provider.Description.Item(id); !ok {
			t.Errorf("%s speaks to the item %q, which is not described", r.Title, id)
		}
	}
}
