package wspn

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// setClock gives a clock that tests move.
func setClock(c *client) *atomic.Int64 {
	var ahead atomic.Int64
	c.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	return &ahead
}

func TestManyCallsShareOneTokenRequest(t *testing.T) {
	s := play(t, nil)
	other := s.another(nil)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := s.client
			if i%2 == 1 {
				c = other
			}
			if _, err := c.Balances(t.Context()); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if n := s.records.count("token.get"); n != 1 {
		t.Errorf("%d token requests for 24 calls of two clients", n)
	}
}

// A second process that fetches a token ends ours (WSPN-TOK-3). One new login and one repeat of the same call heals it.
func TestATokenEndedByAnotherProcessIsReplacedOnce(t *testing.T) {
	for _, style := range []string{"http", "header"} {
		s := play(t, map[string]string{"theirs.auth_errors": style, "auth_error_codes": "401, TEST_TOKEN"})
		if _, err := s.client.Balances(t.Context()); err != nil {
			t.Fatal(err)
		}
		elsewhere := s.another(func(c *providers.Config) { c.Settings = map[string]string{"token_single_live": "no"} })
		if _, err := elsewhere.Balances(t.Context()); err != nil {
			t.Fatal(err)
		}
		out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHTOKEN", "500")).(providers.Accepted)
		if !ok {
			t.Fatalf("%s: outcome %#v", style, out)
		}
		if n := s.executions("CHTOKEN"); n != 1 {
			t.Errorf("%s: %d executions", style, n)
		}
		if gets, calls := s.records.count("token.get"), s.records.count("fiat.withdraw"); gets != 3 || calls != 2 {
			t.Errorf("%s: %d token requests, %d withdraw calls", style, gets, calls)
		}
	}
}

func TestAuthenticationIsRetriedOnceAndThenRefused(t *testing.T) {
	s := play(t, map[string]string{"theirs.signature_profile": "newline/hmac-sha256/api_secret/hex", "theirs.response_signature": "off"})
	out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHAUTH", "500")).(providers.Refused)
	if !ok || out.Code != "TEST_SIGNATURE" || !out.Retryable {
		t.Errorf("outcome %#v", out)
	}
	if calls := s.records.count("fiat.withdraw"); calls != 2 {
		t.Errorf("%d withdraw calls", calls)
	}
}

func TestExpiresInIsHonouredAndTheTokenIsRefreshed(t *testing.T) {
	s := play(t, map[string]string{"theirs.token_life_s": "600"})
	ahead := setClock(s.client)
	read := func() {
		t.Helper()
		if _, err := s.client.accessToken(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	read()
	ahead.Store(int64(560 * time.Second))
	read()
	if n := s.records.count("token.refresh"); n != 0 {
		t.Errorf("refreshed after 560 of 600 seconds: %d", n)
	}
	ahead.Store(int64(571 * time.Second))
	read()
	if gets, refreshes := s.records.count("token.get"), s.records.count("token.refresh"); gets != 1 || refreshes != 1 {
		t.Errorf("%d logins, %d refreshes", gets, refreshes)
	}
	// A refresh token that WSPN no longer knows: back to the keys.
	if _, err := s.another(func(c *providers.Config) { c.Settings = map[string]string{"token_single_live": "no"} }).Balances(t.Context()); err != nil {
		t.Fatal(err)
	}
	ahead.Store(int64(1200 * time.Second))
	read()
	if gets, refreshes := s.records.count("token.get"), s.records.count("token.refresh"); gets != 3 || refreshes != 2 {
		t.Errorf("%d logins, %d refreshes", gets, refreshes)
	}
}

func TestAMissingLifeCountsAsOneMinute(t *testing.T) {
	s := play(t, map[string]string{"theirs.token_life_s": "-1"})
	ahead := setClock(s.client)
	first, _ := s.client.accessToken(t.Context(), "")
	ahead.Store(int64(50 * time.Second))
	second, _ := s.client.accessToken(t.Context(), "")
	ahead.Store(int64(61 * time.Second))
	third, _ := s.client.accessToken(t.Context(), "")
	if first == "" || first != second || second == third {
		t.Errorf("tokens %q %q %q", first, second, third)
	}
}

func TestTokenAnswersInAllThreePlacesAndBothWaysOfAsking(t *testing.T) {
	for _, at := range []string{"result", "top", "retdata"} {
		for _, in := range []string{"query", "form"} {
			s := play(t, map[string]string{"theirs.token_at": at, "token_params_in": in})
			if _, err := s.client.Balances(t.Context()); err != nil {
				t.Errorf("%s %s: %v", at, in, err)
			}
		}
	}
	s := play(t, map[string]string{"theirs.token_at": "top", "token_response_at": "result"})
	if _, err := s.client.Balances(t.Context()); err == nil || !strings.Contains(err.Error(), "access_token") {
		t.Errorf("a token where none is looked for: %v", err)
	}
}

func TestOneCallerGivingUpDoesNotSpoilTheTokenForOthers(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	cache := &tokenCache{}
	fetch := func(ctx context.Context, _ token) (token, error) {
		asked.Add(1)
		<-release
		return token{access: "t", until: time.Now().Add(time.Hour)}, ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { _, err := cache.get(ctx, time.Now, "", fetch); gone <- err }()
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who gave up got %v", err)
	}
	stay := make(chan string, 1)
	go func() { v, _ := cache.get(t.Context(), time.Now, "", fetch); stay <- v }()
	close(release)
	if v := <-stay; v != "t" || asked.Load() != 1 {
		t.Errorf("the one who stayed got %q after %d requests", v, asked.Load())
	}
}

func TestSecretsStayOutOfExchangesAndErrors(t *testing.T) {
	for _, in := range []string{"query", "form"} {
		s := play(t, map[string]string{"token_params_in": in, "theirs.token_life_s": "600"})
		ahead := setClock(s.client)
		_, _ = s.client.Balances(t.Context())
		first := s.client.tokens.current
		ahead.Store(int64(590 * time.Second))
		_, _ = s.client.accessToken(t.Context(), "")
		second := s.client.tokens.current
		wrong := s.another(func(c *providers.Config) {
			c.Secrets = map[string]string{"api_key": testKey, "api_secret": "canary-wrong-secret-zz"}
		})
		_, err := wrong.Balances(t.Context())
		if err == nil {
			t.Fatal("a wrong secret is taken")
		}
		all := err.Error()
		s.records.mu.Lock()
		for _, x := range s.records.list {
			all += x.URL + string(x.RequestBody) + string(x.ResponseBody) + x.Err
			for _, h := range []http.Header{x.RequestHeader, x.ResponseHeader} {
				for k, v := range h {
					all += k + strings.Join(v, " ")
					if strings.EqualFold(k, "D-SIGNATURE") && v[0] != "[redacted]" {
						t.Errorf("a signature is recorded: %s", v)
					}
				}
			}
		}
		s.records.mu.Unlock()
		for _, secret := range []string{testKey, testSecret, "canary-wrong-secret-zz", first.access, first.refresh, second.access, second.refresh} {
			if secret == "" || strings.Contains(all, secret) {
				t.Errorf("%s: the secret %q is in the records", in, secret)
			}
		}
	}
}

func TestHostileTokenAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "html": "<html>", "no token": `{"header":{"success":true},"result":{}}`, "number": `{"access_token":5}`,
		"newline in it": `{"access_token":"a\nb"}`, "two tokens": `{"access_token":"a","Access_Token":"b"}`, "deep": strings.Repeat(`{"result":`, 5000),
		"said no": `{"header":{"success":false,"message":"key not active"},"result":{"access_token":"abc"}}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		v, err := Provider().New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": srv.URL},
			Secrets: map[string]string{"api_key": testKey, "api_secret": testSecret}, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		out, ok := v.(*client).SendPayout(t.Context(), fiatPayout(t, "CHX", "500")).(providers.Refused)
		if !ok || out.Code != providers.NotSent || !out.Retryable {
			t.Errorf("%s: outcome %#v", name, out)
		}
		srv.Close()
	}
}
