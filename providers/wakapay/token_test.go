package wakapay

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

func (h *house) balance() error {
	_, err := h.client.Balances(h.t.Context())
	return err
}

func TestATokenIsKeptUntilAMinuteBeforeItsEnd(t *testing.T) {
	h := open(t, demo(), nil)
	for range 3 {
		if err := h.balance(); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.rec.count("auth"); n != 1 {
		t.Errorf("three calls made %d sign-ins", n)
	}
	h.clock.move(3600*time.Second - 65*time.Second)
	_ = h.balance()
	if n := h.rec.count("auth"); n != 1 {
		t.Errorf("65 s before its end the token was given up: %d sign-ins", n)
	}
	h.clock.move(10 * time.Second)
	_ = h.balance()
	if n := h.rec.count("auth"); n != 2 {
		t.Errorf("55 s before its end the token was still used: %d sign-ins", n)
	}
}

func TestShortTokensAreUsedOnceAndNobodyLoops(t *testing.T) {
	for lifetime, signIns := range map[string]int{"1": 3, "60": 3, "61": 1, "3600.0": 1} {
		h := open(t, demo(), map[string]string{"token_lifetime": lifetime})
		for range 3 {
			if err := h.balance(); err != nil {
				t.Errorf("%s: %v", lifetime, err)
			}
		}
		if n := h.rec.count("auth"); n != signIns {
			t.Errorf("a lifetime of %s s made %d sign-ins for three calls, want %d", lifetime, n, signIns)
		}
	}
}

func TestFiftyCallersShareOneSlowSignIn(t *testing.T) {
	h := open(t, demo(), nil)
	h.control("fault", "operation", "auth", "kind", "late", "delay_ms", "150")
	var wg sync.WaitGroup
	var failed atomic.Int32
	gone, cancel := context.WithCancel(t.Context())
	wg.Go(func() { _, _ = h.client.tokens.get(gone) })
	for flying := false; !flying; time.Sleep(time.Millisecond) {
		h.client.tokens.mu.Lock()
		flying = h.client.tokens.flight != nil
		h.client.tokens.mu.Unlock()
	}
	time.AfterFunc(30*time.Millisecond, cancel) // the first to come goes away; the others are served all the same
	for range 50 {
		wg.Go(func() {
			if _, err := h.client.tokens.get(t.Context()); err != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := h.rec.count("auth"); n != 1 || failed.Load() != 0 {
		t.Errorf("%d sign-ins, %d callers failed", n, failed.Load())
	}
}

func TestARevokedTokenCostsOneSignInAndOneRepeat(t *testing.T) {
	for _, standIn := range []map[string]string{nil, {"token_error_texts": "expired"}} {
		h := open(t, demo(), standIn)
		_ = h.balance()
		h.control("tokens", "action", "revoke")
		if err := h.balance(); err != nil {
			t.Fatal(err)
		}
		if a, b := h.rec.count("auth"), h.rec.count("balance.read"); a != 2 || b != 3 {
			t.Errorf("%d sign-ins and %d reads, want 2 and 3", a, b)
		}
	}
	for _, kind := range []string{"http_401", "empty_401"} {
		h := open(t, demo(), nil)
		h.control("fault", "operation", "/business/balance", "kind", kind, "times", "99")
		err := h.balance()
		if a, b := h.rec.count("auth"), h.rec.count("balance.read"); a != 2 || b != 2 || models.CodeOf(err) != models.Unavailable {
			t.Errorf("%s for ever: %d sign-ins, %d reads, %v", kind, a, b, err)
		}
	}
}

func TestManyCallersWithOneDeadTokenSignInOnce(t *testing.T) {
	h := open(t, demo(), nil)
	_ = h.balance()
	h.control("tokens", "action", "revoke")
	var wg sync.WaitGroup
	var failed atomic.Int32
	for range 20 {
		wg.Go(func() {
			if h.balance() != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := h.rec.count("auth"); n > 3 || failed.Load() != 0 {
		t.Errorf("%d sign-ins, %d failed", n, failed.Load())
	}
}

func TestRejectedKeysAreNotTriedAgainByThemselves(t *testing.T) {
	h := open(t, demo(), nil)
	h.control("keys", "api_key", "another", "api_secret", "pair1")
	for range 3 {
		if err := h.balance(); err == nil || !strings.Contains(err.Error(), "rejects the key") {
			t.Errorf("%v", err)
		}
	}
	h.clock.move(time.Hour)
	if err := h.balance(); err == nil || h.rec.count("auth") != 1 {
		t.Errorf("rejected keys were tried %d times", h.rec.count("auth"))
	}
	h.control("keys", "api_key", canaryKey, "api_secret", canarySecret)
	if r := h.client.Check(t.Context())[0]; r.Verdict != providers.CheckOK {
		t.Errorf("a person's test does not try again: %s", r.Sentence)
	}
	if err := h.balance(); err != nil {
		t.Errorf("after a good test: %v", err)
	}
}

func TestAFailedSignInIsNotRepeatedForTenSeconds(t *testing.T) {
	h := open(t, demo(), nil)
	h.fault("auth", "http_500_before")
	for range 3 {
		if h.balance() == nil {
			t.Fatal("a sign-in that failed gave a balance")
		}
	}
	if n := h.rec.count("auth"); n != 1 {
		t.Errorf("%d sign-ins within a moment", n)
	}
	h.clock.move(11 * time.Second)
	if err := h.balance(); err != nil || h.rec.count("auth") != 2 {
		t.Errorf("after 11 s: %v", err)
	}
}

func TestAnAnswerToTheSignInMustHoldATokenWithALifetime(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   providers.CheckVerdict
	}{
		"documented":           {200, `{"accessToken":"a.b.c","expiresIn":3600}`, providers.CheckOK},
		"further fields":       {200, `{"accessToken":"a.b.c","expiresIn":3600,"tokenType":"x"}`, providers.CheckOK},
		"201":                  {201, `{"accessToken":"a.b.c","expiresIn":3600}`, providers.Unreadable},
		"an error under 200":   {200, `{"code":0,"error":"x","accessToken":"a.b.c","expiresIn":3600}`, providers.Unreadable},
		"no lifetime":          {200, `{"accessToken":"a.b.c"}`, providers.Unreadable},
		"lifetime 0":           {200, `{"accessToken":"a.b.c","expiresIn":0}`, providers.Unreadable},
		"lifetime -1":          {200, `{"accessToken":"a.b.c","expiresIn":-1}`, providers.Unreadable},
		"lifetime as text":     {200, `{"accessToken":"a.b.c","expiresIn":"3600"}`, providers.Unreadable},
		"lifetime for ever":    {200, `{"accessToken":"a.b.c","expiresIn":999999999999}`, providers.CheckOK},
		"lifetime 1e9999":      {200, `{"accessToken":"a.b.c","expiresIn":1e9999}`, providers.Unreadable},
		"no token":             {200, `{"expiresIn":3600}`, providers.Unreadable},
		"empty token":          {200, `{"accessToken":"","expiresIn":3600}`, providers.Unreadable},
		"a token with a break": {200, `{"accessToken":"a\r\nX-Evil: 1","expiresIn":3600}`, providers.Unreadable},
		"two tokens":           {200, `{"accessToken":"a.b.c","accessToken":"d.e.f","expiresIn":3600}`, providers.Unreadable},
		"HTML":                 {200, `<html>`, providers.Unreadable},
		"bad request":          {400, `{"code":0,"error":"invalid payload"}`, providers.Unreadable},
		"rejected":             {401, `{"code":0,"error":"invalid credentials"}`, providers.KeysRejected},
		"rejected, no body":    {401, ``, providers.KeysRejected},
		"forbidden":            {403, `<html>`, providers.IPNotListed},
		"busy":                 {429, `{}`, providers.Unreachable},
		"down":                 {502, `<html>`, providers.Unreachable},
		"a redirect":           {302, ``, providers.Unreadable},
	} {
		h := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/business/auth" {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
				return
			}
			_, _ = w.Write([]byte(`{"businessId":"b","items":[]}`))
		}), demo())
		rs := h.client.Check(t.Context())
		if rs[0].Verdict != c.want {
			t.Errorf("%s: %s (%s)", name, rs[0].Verdict, rs[0].Sentence)
		}
		if c.want != providers.CheckOK && h.rec.count("balance.read") != 0 {
			t.Errorf("%s: the balance was asked for without a token", name)
		}
	}
}

func TestTheCheckNamesWhatIsWrongAndGathersEvidence(t *testing.T) {
	h := open(t, demo(), nil)
	proved := map[string]bool{}
	for _, r := range h.client.Check(t.Context()) {
		for _, id := range r.Items {
			proved[id] = r.Proved
		}
		if r.Verdict != providers.CheckOK {
			t.Errorf("%s: %s", r.Title, r.Sentence)
		}
	}
	want := "map[WAKA-AUTH-1:true WAKA-AUTH-2:true WAKA-BAL-1:true WAKA-ENV-1:true WAKA-FX-1:true WAKA-VER-1:true]"
	if got := fmt.Sprint(proved); got != want {
		t.Error(got)
	}
	if s := h.client.Check(t.Context())[1].Sentence; !strings.Contains(s, "USD 2500000") {
		t.Errorf("the check does not show the wallets: %s", s)
	}
	cfg := testConfig("https://api.wakapay.io", nil, nil)
	cfg.Environment = models.Live
	made, err := Provider().New(cfg)
	if err != nil {
		t.Fatalf("a wrong prefix must warn, never refuse: %v", err)
	}
	if rs := made.(*client).checkPrefix(); len(rs) != 1 || !strings.Contains(rs[0].Sentence, "Warning") || strings.Contains(rs[0].Sentence, canarySecret) {
		t.Errorf("%+v", rs)
	}
	for kind, want := range map[string]providers.CheckVerdict{"http_403": providers.IPNotListed, "http_500_before": providers.Unreachable, "http_401": providers.KeysRejected, "lose_reply": providers.Unreachable} {
		h := open(t, demo("retry_policy", "none"), nil)
		h.control("fault", "operation", "/business/balance", "kind", kind, "times", "9")
		if rs := h.client.Check(t.Context()); rs[1].Verdict != want {
			t.Errorf("%s: %s (%s)", kind, rs[1].Verdict, rs[1].Sentence)
		}
	}
}
