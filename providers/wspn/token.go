package wspn

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"countinghouse/providers/httpx"
)

// tokenPool keeps one token cache per set of keys, so that all clients of one process share the one token that WSPN keeps alive per
// client id (WSPN-TOK-3). It belongs to the Provider value that made it.
type tokenPool struct {
	mu     sync.Mutex
	caches map[[32]byte]*tokenCache
}

func newTokenPool() *tokenPool { return &tokenPool{caches: map[[32]byte]*tokenCache{}} }

func (p *tokenPool) of(base, key, secret string) *tokenCache {
	id := sha256.Sum256([]byte(base + "\x00" + key + "\x00" + secret))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.caches[id] == nil {
		p.caches[id] = &tokenCache{}
	}
	return p.caches[id]
}

// token is what WSPN gave, with the moments until which we use it. It has no String method on purpose: it is never printed.
type token struct {
	access, refresh     string
	until, refreshUntil time.Time
}

// tokenCache holds the one live token of one set of keys. However many calls need a token, at most one request for it is under way.
type tokenCache struct {
	mu      sync.Mutex
	current token
	flight  *tokenFlight
}

type tokenFlight struct {
	done chan struct{}
	got  token
	err  error
}

// get gives a live access token. spent is a token that WSPN has just refused: it is forgotten with its refresh token, because
// whoever fetched a newer one has ended both. fetch runs without the caller's cancellation: others may be waiting for it.
func (t *tokenCache) get(ctx context.Context, now func() time.Time, spent string,
	fetch func(ctx context.Context, previous token) (token, error)) (string, error) {
	t.mu.Lock()
	if spent != "" && t.current.access == spent {
		t.current = token{}
	}
	if t.current.access != "" && now().Before(t.current.until) {
		defer t.mu.Unlock()
		return t.current.access, nil
	}
	f := t.flight
	if f == nil {
		f = &tokenFlight{done: make(chan struct{})}
		t.flight = f
		previous := t.current
		go func() {
			f.got, f.err = fetch(context.WithoutCancel(ctx), previous)
			t.mu.Lock()
			if f.err == nil {
				t.current = f.got
			}
			t.flight = nil
			t.mu.Unlock()
			close(f.done)
		}()
	}
	t.mu.Unlock()
	select {
	case <-f.done:
		return f.got.access, f.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// cached gives the access token that is held, without asking for one.
func (t *tokenCache) cached() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current.access
}

// forget drops a token that was refused, so that the next call fetches another.
func (t *tokenCache) forget(access string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.access == access {
		t.current = token{}
	}
}

// accessToken gives the token for a call; spent is one that was just refused, or empty.
func (c *client) accessToken(ctx context.Context, spent string) (string, error) {
	return c.tokens.get(ctx, c.now, spent, c.fetchToken)
}

// fetchToken refreshes where it can (contract 2.2) and logs in again where it cannot (2.1). Whether a refresh token lives on after
// its use is not documented: the newest one is kept, and any failure of the refresh falls back to the keys.
func (c *client) fetchToken(ctx context.Context, previous token) (token, error) {
	if previous.refresh != "" && c.now().Before(previous.refreshUntil) {
		got, err := c.askToken(ctx, "token.refresh", [][2]string{
			{"grant_type", "refresh_token"}, {"refresh_token", previous.refresh}}, previous.refresh)
		if err == nil {
			return got, nil
		}
	}
	return c.askToken(ctx, "token.get", [][2]string{
		{"grant_type", "client_credentials"}, {"api_key", c.key}, {"api_secret", c.secret}}, "")
}

// askToken makes one token call. The secret travels in the URL or the form (WSPN-TOK-1); httpx blanks both in every record.
func (c *client) askToken(ctx context.Context, op string, params [][2]string, secret string) (token, error) {
	req := httpx.Request{Operation: op, Method: http.MethodPost, Path: tokenPath, Header: http.Header{}}
	if secret != "" {
		req.Secrets = []string{secret}
	}
	if c.set.tokenParamsIn == "form" {
		body, kind, err := multipartBody(params, nil)
		if err != nil {
			return token{}, &callError{stage: stageToken, notSent: true, sentence: "the token request could not be written", err: err}
		}
		req.Body = body
		req.Header.Set("Content-Type", kind)
	} else {
		var q []string
		for _, p := range params {
			q = append(q, p[0]+"="+escape(p[1]))
		}
		req.RawQuery = strings.Join(q, "&")
	}
	if c.set.signToken {
		c.signRequest(&req)
	}
	asked := c.now()
	res, err := c.http.Do(ctx, req)
	if err != nil {
		return token{}, c.transportError(stageToken, res, err)
	}
	return c.readToken(req, res, asked)
}

// readToken finds the five fields of WSPN-TOK-2. A life that is absent or not positive counts as one minute.
func (c *client) readToken(req httpx.Request, res httpx.Response, asked time.Time) (token, error) {
	if c.set.signToken { // an unsigned call has no timestamp that its answer could be signed with
		if e := c.verifyAnswer(req, res, true); e != nil {
			e.stage = stageToken
			return token{}, e
		}
	}
	o, e := c.readEnvelope(res, false)
	if e != nil {
		e.stage = stageToken
		return token{}, e
	}
	found := o
	for _, at := range c.set.tokenResponseAt {
		if at != "" {
			found = o.child(at)
		} else {
			found = o
		}
		if found.text("access_token") != "" {
			break
		}
	}
	access := found.text("access_token")
	if access == "" || len(access) > 4096 || strings.ContainsFunc(access, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return token{}, &callError{stage: stageToken, status: res.Status, kind: kindUnreadable,
			sentence: "WSPN answered the token request without a usable access_token"}
	}
	life, refreshLife := seconds(found, "expires_in"), seconds(found, "rt_expires_in")
	got := token{access: access, refresh: found.text("refresh_token"), until: asked.Add(life - min(30*time.Second, life/10))}
	got.refreshUntil = asked.Add(refreshLife)
	return got, nil
}

// seconds reads a life time. More than a year is cut to a year, so that a silly figure cannot overflow.
func seconds(o object, key string) time.Duration {
	n := o.id(key)
	if n <= 0 {
		return time.Minute
	}
	return time.Duration(min(n, 366*24*3600)) * time.Second
}
