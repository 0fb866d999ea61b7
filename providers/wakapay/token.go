package wakapay

import (
	"context"
	"sync"
	"time"
)

// token is an access token. Its value is opaque, kept in memory only, and never recorded (contract 3.3).
type token struct {
	value   string
	expires time.Time
}

// authQuiet is how long after a failed sign-in no other is made (WAKA-RATE-1).
const authQuiet = 10 * time.Second

// tokens keeps one token for a credential and renews it: callers that come together share one sign-in, a token is renewed when less than the
// buffer remains, and rejected keys are not tried again by themselves (WAKA-AUTH-2).
type tokens struct {
	fetch  func(context.Context) (token, error)
	now    func() time.Time
	buffer time.Duration

	mu       sync.Mutex
	cached   token
	flight   *signIn
	rejected error // the keys are wrong: no call will help until they change or a person tests them
	failed   error
	failedAt time.Time
}

// signIn is one sign-in under way.
type signIn struct {
	done  chan struct{}
	token token
	err   error
}

func newTokens(fetch func(context.Context) (token, error), now func() time.Time, buffer time.Duration) *tokens {
	return &tokens{fetch: fetch, now: now, buffer: buffer}
}

// get gives a usable token. A caller that gives up does not stop the sign-in that others wait for.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	now := t.now()
	switch {
	case t.rejected != nil:
		defer t.mu.Unlock()
		return "", t.rejected
	case t.cached.value != "" && t.cached.expires.Sub(now) > t.buffer:
		defer t.mu.Unlock()
		return t.cached.value, nil
	case t.flight == nil && t.failed != nil && now.Sub(t.failedAt) < authQuiet:
		defer t.mu.Unlock()
		return "", t.failed
	case ctx.Err() != nil:
		defer t.mu.Unlock()
		return "", ctx.Err()
	}
	if t.flight == nil {
		t.flight = &signIn{done: make(chan struct{})}
		go t.run(context.WithoutCancel(ctx), t.flight)
	}
	f := t.flight
	t.mu.Unlock()
	select {
	case <-f.done:
		return f.token.value, f.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// run makes the sign-in. A token that lives no longer than the buffer serves those who wait for it, once, and is not kept: the next caller
// signs in anew, and nobody loops.
func (t *tokens) run(ctx context.Context, f *signIn) {
	f.token, f.err = t.fetch(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flight, t.cached, t.failed = nil, token{}, nil
	switch {
	case f.err == nil:
		t.cached = f.token
	case isRejection(f.err):
		t.rejected = f.err
	default:
		t.failed, t.failedAt = f.err, t.now()
	}
	close(f.done)
}

// drop forgets a token that was refused, unless a newer one has taken its place.
func (t *tokens) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cached.value == value {
		t.cached = token{}
	}
}

// again lets the next caller sign in whatever happened before: a person is testing the credential.
func (t *tokens) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cached, t.rejected, t.failed = token{}, nil, nil
}

// until tells when the kept token ends.
func (t *tokens) until() (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cached.expires, t.cached.value != ""
}
