package wakapay

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// stranger is a server that was written from the contract file alone: it keeps every byte that arrives and answers what it is told to.
type stranger struct {
	mu     sync.Mutex
	auth   func(w http.ResponseWriter) // how a sign-in is answered; nil: with a token for an hour
	answer func(w http.ResponseWriter, r *http.Request)
	got    []heard
}

type heard struct {
	line, body string
	header     http.Header
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.got = append(s.got, heard{r.Method + " " + r.RequestURI, string(body), r.Header.Clone()})
	s.mu.Unlock()
	switch {
	case r.URL.Path != "/business/auth":
		s.answer(w, r)
	case s.auth != nil:
		s.auth(w)
	default:
		_, _ = io.WriteString(w, `{"accessToken":"aaa.bbb.ccc","expiresIn":3600}`)
	}
}

func saying(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Contract 3 and 5: every call has exactly these bytes, and the token is nowhere but in its header.
func TestAStrangersServerFindsTheBytesOfTheContract(t *testing.T) {
	for name, x := range map[string]struct {
		call       func(*client)
		line, body string
	}{
		"balances": {func(c *client) { _, _ = c.Balances(t.Context()) }, "GET /business/balance", ""},
		"one":      {func(c *client) { _, _ = c.LookUp(t.Context(), "balance", map[string]string{"currency": "USD"}) }, "GET /business/balance?currency=USD", ""},
		"rate":     {func(c *client) { _, _ = c.rateOf(t.Context(), "USD", "KES") }, "GET /business/rate?from=USD&to=KES", ""},
		"verify": {func(c *client) {
			_, _ = c.VerifyRecipient(t.Context(), providers.SendRequest{Method: "ke_mobile", Values: map[string]string{"phone": "+254700000001"}})
		}, "POST /business/verify-transfer", `{"countryCode":"KE","phoneNumber":"+254700000001"}`},
		"qr": {func(c *client) { _, _, _, _ = c.DecodeQR(t.Context(), `0002 "A"`) }, "POST /business/decode-qr", `{"qrString":"0002 \"A\""}`},
	} {
		s := &stranger{answer: saying(400, `{"code":0,"error":"x"}`)}
		h := dial(t, s, demo())
		x.call(h.client)
		if len(s.got) != 2 {
			t.Errorf("%s: %d requests", name, len(s.got))
			continue
		}
		auth, got := s.got[0], s.got[1]
		keys := `{"apiKey":"` + h.client.cfg.Secrets["api_key"] + `","apiSecret":"` + h.client.cfg.Secrets["api_secret"] + `"}`
		if auth.line != "POST /business/auth" || auth.body != keys || auth.header.Get("Authorization") != "" || auth.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: sign-in %+v", name, auth)
		}
		if d := cmp.Diff([]string{x.line, x.body}, []string{got.line, got.body}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if !cmp.Equal(got.header.Values("Authorization"), []string{"Bearer aaa.bbb.ccc"}) {
			t.Errorf("%s: %q", name, got.header.Values("Authorization"))
		}
		if kind := got.header.Get("Content-Type"); (x.body == "") != (kind == "") || kind != "" && kind != "application/json" {
			t.Errorf("%s: content type %q", name, kind)
		}
	}
}

// Contract 3.3, rule 10: 200 and a token and a lifetime, and nothing else, is a sign-in. A long lifetime is one too.
func TestOnlyAWholeAnswerIsASignIn(t *testing.T) {
	for _, x := range []struct {
		status int
		body   string
		ok     bool
	}{
		{200, `{"accessToken":"a.b.c","expiresIn":3600}`, true}, {200, `{"accessToken":"a.b.c","expiresIn":3600.0,"scope":{"x":[1]}}`, true},
		{200, `{"accessToken":"a.b.c","expiresIn":31536000}`, true}, {200, `{"accessToken":"a.b.c","expiresIn":999999999999999999}`, true},
		{201, `{"accessToken":"a.b.c","expiresIn":3600}`, false}, {200, `{"accessToken":"","expiresIn":3600}`, false},
		{200, `{"accessToken":"a.b.c"}`, false}, {200, `{"accessToken":"a.b.c","expiresIn":0}`, false}, {200, `{"accessToken":"a.b.c","expiresIn":-1}`, false},
		{200, `{"accessToken":"a.b.c","expiresIn":"3600"}`, false}, {200, `{"accessToken":"a.b.c","expiresIn":3600,"error":"no"}`, false},
		{200, `{"accessToken":"a.b.c","accessToken":"x","expiresIn":3600}`, false}, {200, "{\"accessToken\":\"a\\r\\nX: y\",\"expiresIn\":3600}", false},
		{302, `{"accessToken":"a.b.c","expiresIn":3600}`, false}, {200, `<html>`, false},
	} {
		s := &stranger{auth: func(w http.ResponseWriter) { saying(x.status, x.body)(w, nil) }, answer: saying(200, `{"businessId":"b","items":[]}`)}
		if err := dial(t, s, demo()).balance(); (err == nil) != x.ok {
			t.Errorf("%d %s: %v", x.status, x.body, err)
		}
	}
}

// WAKA-RETRY-1: a Retry-After is honoured to the second, as a number or as a date; one that is too long to wait for ends the tries.
func TestRetryAfterIsHonouredOrTheTriesEnd(t *testing.T) {
	for name, x := range map[string]struct {
		header string
		tries  int
		least  time.Duration
	}{
		"seconds": {"7", 4, 7 * time.Second}, "a minute": {"60", 1, 0}, "a day": {"86400", 1, 0}, "more than fits": {"99999999999999999999", 4, 0},
		"words": {"soon", 4, 0}, "negative": {"-5", 4, 0}, "a date long ago": {"Mon, 02 Jan 2006 15:04:05 GMT", 4, 0}, "a date far off": {"Mon, 02 Jan 2096 15:04:05 GMT", 1, 0},
	} {
		s := &stranger{answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", x.header)
			w.WriteHeader(429)
		}}
		h := dial(t, s, demo())
		if err := h.balance(); err == nil || len(s.got)-1 != x.tries {
			t.Errorf("%s: %d tries, %v", name, len(s.got)-1, err)
		}
		for _, d := range h.slept {
			if d < x.least {
				t.Errorf("%s: slept %s", name, d)
			}
		}
	}
}

// Contract 6.2: "no such payout" is a 404 in the ordinary shape. The authorization layer and gateways have a 404 of their own.
func TestNotFoundIsBelievedInTheOrdinaryShapeOnly(t *testing.T) {
	for _, x := range []struct {
		status int
		body   string
		want   providers.Result
	}{
		{404, `{"code":0,"error":"transaction not found"}`, providers.NotFound}, {404, `{"message":"no Route matched with those values"}`, providers.Unclear},
		{404, `{"code":0,"error":"x","wakapayReference":"W1"}`, providers.Unclear}, {404, ``, providers.Unclear}, {404, `<html>404</html>`, providers.Unclear},
		{410, `{"code":0,"error":"gone"}`, providers.Unclear}, {200, `{"code":0,"error":"transaction not found"}`, providers.Unclear},
		{200, `{}`, providers.Unclear}, {200, `{"items":[]}`, providers.Unclear},
	} {
		s := &stranger{answer: saying(x.status, x.body)}
		if f := dial(t, s, demo()).client.FindPayout(t.Context(), asked(mobile("CH01"))); f.Result != x.want {
			t.Errorf("%d %s: %+v", x.status, x.body, f)
		}
		if line := s.got[1].line; line != "GET /business/transactions/CH01" {
			t.Error(line)
		}
	}
}

// Contract 3.3, rules 5 and 9: a 401 costs one sign-in and one repeat of the same bytes, then it is over.
func TestAPayoutIsNeverMadeAThirdTime(t *testing.T) {
	for _, second := range []struct {
		status int
		body   string
		want   string
	}{{401, ``, "refused 401 true"}, {401, `<html>`, "refused 401 true"}, {500, `{"code":0,"error":"x"}`, "unknown"}, {409, `{"code":0,"error":"duplicate"}`, "unknown"}, {201, created + `}`, `accepted "pending"`}} {
		n := 0
		s := &stranger{answer: func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				saying(401, `{"message":"token is expired"}`)(w, r)
				return
			}
			saying(second.status, second.body)(w, r)
		}}
		got := shape(dial(t, s, demo()).client.SendPayout(t.Context(), mobile("CH01")))
		if got != second.want || len(s.got) != 4 || s.got[1].body != s.got[3].body || !strings.HasPrefix(s.got[2].line, "POST /business/auth") {
			t.Errorf("%d: %s after %d requests, want %s", second.status, got, len(s.got), second.want)
		}
	}
}

// WAKA-ENV-1: the two hosts, exactly, each in its own environment.
func TestEachEnvironmentHasOneHost(t *testing.T) {
	for address, ok := range map[string]models.Environment{
		"https://api.test.wakapay.io": models.Sandbox, "https://api.test.wakapay.io/": models.Sandbox, "https://api.wakapay.io": models.Live, "https://API.wakapay.io:443": models.Live,
		"http://api.wakapay.io": "", "https://api.wakapay.io.": "", "https://api.wakapay.io:8443": "", "https://api.wakapay.io.example": "", "https://api.wakapay.io/business": "", "https://x@api.wakapay.io": "",
	} {
		for _, env := range []models.Environment{models.Sandbox, models.Live} {
			cfg := testConfig(address, map[string]string{"payout_contract": "off"}, nil)
			cfg.Environment = env
			if _, err := Provider().New(cfg); (err == nil) != (env == ok) {
				t.Errorf("%s in %s: %v", address, env, err)
			}
		}
	}
}
