package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/web"
)

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	h := open(t)
	same := h.base
	for _, c := range []struct {
		name               string
		site, origin, host string
		cookie             bool
		want               int
	}{
		{"a form of ours", "same-origin", same, "", true, 303},
		{"typed by hand", "none", "", "", true, 303},
		{"an old browser that sends Origin only", "", same, "", true, 303},
		{"another site", "cross-site", "https://evil.example", "", true, 403},
		{"another site without Origin", "cross-site", "", "", true, 403},
		{"a neighbour on our domain", "same-site", "https://blog.example.com", "", true, 403},
		{"an old browser on another site", "", "https://evil.example", "", true, 403},
		{"a sandboxed frame", "", "null", "", true, 403},
		{"a cookie and no word where from", "", "", "", true, 403},
		{"a program without a cookie", "", "", "", false, 303},
		{"another name for this address", "same-origin", "http://evil.example", "evil.example", true, 404},
		{"this address under localhost", "same-origin", "", "localhost" + same[strings.LastIndex(same, ":"):], true, 303},
		{"a lie in Sec-Fetch-Site's spelling", "Same-Origin", "https://evil.example", "", true, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := ""
			if c.cookie {
				token = h.ada.Token
			}
			headers := []string{"Sec-Fetch-Site", c.site, "Origin", c.origin}
			if c.host != "" {
				headers = append(headers, "Host", c.host)
			}
			got := h.post(t, "/environment", token, url.Values{"environment": {"live"}}, headers...)
			if got.StatusCode != c.want {
				t.Errorf("status %d, want %d", got.StatusCode, c.want)
			}
		})
	}
	for _, r := range h.Routes {
		if r.Method == "GET" {
			continue
		}
		if got := h.do(t, r.Method, addressOf(r), h.ada.Token, url.Values{}, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); got.StatusCode != 403 && r.Access != "foreign" {
			t.Errorf("%s took a request of another site: %d", r.Name, got.StatusCode)
		}
	}
}

// inline finds what the content policy would stop: a page with it would be broken, and a policy that allowed it would be worthless.
var inline = regexp.MustCompile(`(?i)<[^>]+\s(on[a-z]+|style)\s*=`)

func TestEveryPageKeepsThePolicy(t *testing.T) {
	h := open(t, inDemo)
	token := h.session(t, h.ada)
	pages := 0
	for _, r := range h.Routes {
		if r.Method != "GET" || strings.Contains(r.Path, "/demo/") {
			continue
		}
		got := h.get(t, addressOf(r), token)
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", r.Name, name, got.Header.Get(name), want)
			}
		}
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
			t.Errorf("%s: policy %q", r.Name, policy)
		}
		if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			continue
		}
		pages++
		if m := inline.FindString(got.body); m != "" {
			t.Errorf("%s has an inline handler or style: %s", r.Name, m)
		}
		got.doc(t).Find("script, link[href], img[src], form").Each(func(_ int, s *goquery.Selection) {
			if goquery.NodeName(s) == "script" && (s.Text() != "" || s.AttrOr("src", "") == "") {
				t.Errorf("%s has an inline script: %q", r.Name, s.Text())
			}
			for _, a := range []string{"src", "href", "action"} {
				if v := s.AttrOr(a, "/"); v != "" && !strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "#") && !strings.HasPrefix(v, "?") {
					t.Errorf("%s leads away from here: %s=%q", r.Name, a, v)
				}
			}
		})
	}
	if pages < 20 {
		t.Errorf("only %d pages were looked at: the walk must be wrong", pages)
	}
}

func TestHTMLInWhatPeopleTypeIsText(t *testing.T) {
	h := open(t)
	evil := `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	for _, path := range []string{"/audit?action=" + url.QueryEscape(evil), "/sign-in?back=" + url.QueryEscape("/"+evil), "/step-up?back=" + url.QueryEscape("/"+evil), "/" + url.PathEscape(evil)} {
		if got := h.get(t, path, h.ada.Token); strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "<img src=x") {
			t.Errorf("%s came back as HTML", path)
		}
	}
	got := h.post(t, "/people", h.ada.Token, url.Values{"name": {evil}, "email": {evil}, "roles": {evil}})
	if got.StatusCode != 422 || strings.Contains(got.body, "<script>alert") {
		t.Errorf("an invitation of HTML: %d", got.StatusCode)
	}
}

func TestBadRequestsGetASentenceAndNoTrace(t *testing.T) {
	h := open(t)
	for _, c := range []struct {
		name, method, path string
		form               url.Values
		want               int
		says               string
	}{
		{"no such page", "GET", "/nowhere", nil, 404, "There is no such page"},
		{"no such page, deep", "GET", "/people/x/y/z", nil, 404, "There is no such page"},
		{"a page asked for in the wrong way", "DELETE", "/people", nil, 405, "This cannot be done here"},
		{"a form where there is none", "POST", "/audit", url.Values{}, 405, "This cannot be done here"},
		{"a form that is too large", "POST", "/people", url.Values{"name": {strings.Repeat("x", 300<<10)}}, 413, "This is too large"},
		{"somebody who is not here", "GET", "/people/../../etc/passwd", nil, 404, "There is no such page"},
		{"an id with everything in it", "GET", "/people/%00%27%22%3C..%2F..%2Fx", nil, 404, "There is no such person"},
		{"bytes that are not text", "GET", "/audit?action=%ff%fe%00", nil, 200, "No entry fits"},
		{"a date that is none", "GET", "/audit?from=2026-13-45", nil, 422, "This is not a date"},
		{"a number that is too large", "GET", "/audit?before=99999999999999999999999", nil, 200, "Audit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := answer{}
			if c.want == 413 {
				got = h.announce(t, c.path, 300<<10)
			} else {
				got = h.do(t, c.method, c.path, h.ada.Token, c.form)
			}
			if got.StatusCode != c.want || !strings.Contains(got.body, c.says) {
				t.Errorf("%d %q; want %d and %q", got.StatusCode, got.doc(t).Find("h1").Text(), c.want, c.says)
			}
			for _, bad := range []string{"goroutine", ".go:", "SQL", "sqlite", "panic"} {
				if strings.Contains(got.body, bad) {
					t.Errorf("the page says %q", bad)
				}
			}
		})
	}
}

func TestABodyWithoutALengthIsCutOffToo(t *testing.T) {
	h := open(t)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = fmt.Fprintf(c, "POST /sign-in HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n", strings.TrimPrefix(h.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("a", 64<<10))
	for range 64 { // four megabytes, where a quarter of one is taken
		if _, err := io.WriteString(c, chunk); err != nil {
			break // cut off: that is the point
		}
	}
	b := make([]byte, 64)
	n, err := io.ReadFull(c, b)
	if line, _, _ := strings.Cut(string(b[:n]), "\r\n"); !strings.Contains(line, " 413 ") {
		t.Errorf("an endless body got %q (%v), want 413", line, err)
	}
}

func TestStaticFilesAreKeptForEverUnderTheirHash(t *testing.T) {
	h := open(t)
	href := h.get(t, "/sign-in", "").doc(t).Find(`link[rel=stylesheet]`).AttrOr("href", "")
	got := h.get(t, href, "", "Accept-Encoding", "br")
	if got.StatusCode != 200 || got.Header.Get("Content-Encoding") != "br" || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("style sheet: %d %v", got.StatusCode, got.Header)
	}
	again := h.get(t, href, "", "If-None-Match", got.Header.Get("ETag"))
	if again.StatusCode != 304 || again.body != "" {
		t.Errorf("asked again: %d", again.StatusCode)
	}
	old := h.get(t, strings.Replace(href, "/static/", "/static/0", 1), "")
	if old.StatusCode != 200 || strings.Contains(old.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("under an old hash: %d %q", old.StatusCode, old.Header.Get("Cache-Control"))
	}
	for _, path := range []string{"/static/../go.mod", "/static/x/../../main.go", "/static/", "/static/%2e%2e/%2e%2e/etc/passwd"} {
		if got := h.get(t, path, ""); got.StatusCode == 200 {
			t.Errorf("%s gave %d", path, got.StatusCode)
		}
	}
}

func TestForwardedAddressesAreBelievedFromTrustedProxiesOnly(t *testing.T) {
	h := open(t, func(c *web.Config) { c.TrustedProxies = []string{"127.0.0.0/8", "10.0.0.0/8"} })
	untrusting := open(t)
	for _, c := range []struct {
		h               *house
		forwarded, want string
	}{
		{untrusting, "203.0.113.9", "127.0.0.1"},
		{h, "", "127.0.0.1"},
		{h, "203.0.113.9", "203.0.113.9"},
		{h, "6.6.6.6, 203.0.113.9", "203.0.113.9"},            // the client wrote 6.6.6.6 itself
		{h, "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"},  // a second proxy of ours
		{h, "2001:db8::7", "2001:db8::7"},                     //
		{h, "203.0.113.9, nonsense", "127.0.0.1"},             //
		{h, "10.9.9.9", "10.9.9.9"},                           // inside the trusted network all the way
		{h, "::ffff:203.0.113.9", "203.0.113.9"},              //
		{h, "<script>, 203.0.113.9,127.0.0.1", "203.0.113.9"}, //
	} {
		got := c.h.get(t, "/allowlist", c.h.ada.Token, "X-Forwarded-For", c.forwarded)
		if note := got.doc(t).Find(".page-head .note").Text(); !strings.HasSuffix(note, "You are at "+c.want+".") {
			t.Errorf("X-Forwarded-For %q: %q, want %s", c.forwarded, note, c.want)
		}
	}
}

func TestHealthAnswersUnderAnyNameAndSaysNothing(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		got := h.get(t, path, "", "Host", "10.0.0.7:8080")
		if got.StatusCode != 200 || len(got.body) > 10 {
			t.Errorf("%s: %d %q", path, got.StatusCode, got.body)
		}
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := h.get(t, "/readyz", ""); got.StatusCode != 503 {
		t.Errorf("/readyz without a database: %d", got.StatusCode)
	}
	if got := h.get(t, "/people", h.ada.Token); got.StatusCode != 500 || strings.Contains(got.body, "sql:") {
		t.Errorf("a page without a database: %d", got.StatusCode)
	}
	if !strings.Contains(h.log.String(), "request failed") {
		t.Error("the failure is not in the log")
	}
}

func TestHTMXGetsThePartAndRedirectsInItsOwnWay(t *testing.T) {
	h := open(t)
	part := h.get(t, "/people", h.ada.Token, "HX-Request", "true")
	if strings.Contains(part.body, "<html") || part.doc(t).Find("main#content").Length() != 1 {
		t.Error("htmx got the whole page, or no content")
	}
	whole := h.get(t, "/people", h.ada.Token, "HX-Request", "true", "HX-History-Restore-Request", "true")
	if !strings.Contains(whole.body, "<html") {
		t.Error("a history restore got a part")
	}
	got := h.get(t, "/people", "", "HX-Request", "true")
	if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Header.Get("HX-Redirect"), "/sign-in") {
		t.Errorf("htmx without a session: %d %q", got.StatusCode, got.Header.Get("HX-Redirect"))
	}
}

// announce posts the head of a request that says how large its body is, and the first 8 KiB, which the server takes ahead of everything: the
// refusal must come then. (A client that sends the whole body may see its connection reset before it reads the answer.)
func (h *house) announce(t *testing.T, path string, size int) answer {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, strings.TrimPrefix(h.base, "http://"), size, strings.Repeat("x", 8<<10))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(b)}
}
