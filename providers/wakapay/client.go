package wakapay

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// client calls WakaPay with one pair of keys. Safe for many goroutines.
type client struct {
	http   *httpx.Client
	cfg    providers.Config
	set    settings
	tokens *tokens
	stand  bool // the base URL is a stand-in on this machine
	now    func() time.Time
	wait   func(context.Context, time.Duration) error

	mu    sync.Mutex
	rates map[string]rate
}

// request is one call below /business/.
type request struct {
	op, method, path, query string
	body                    []byte
}

// answer is a whole answer as it was understood. A success body is bare, without an envelope.
type answer struct {
	status     int
	value      httpx.Value
	text       bool   // the body is JSON
	failed     bool   // the body has one of the two error shapes (WAKA-ERR-1)
	ordinary   bool   // it is the ordinary one, the only one in which WakaPay speaks of payouts and records (contract 6.1, 6.2)
	message    string // theirs, cleaned; it tells nothing apart and is for people only
	kept       []byte
	retryAfter time.Duration
	skew       int
}

// authFailure is a sign-in that gave no token. Nothing of the call that wanted it has been sent.
type authFailure struct {
	verdict  providers.CheckVerdict
	sentence string
}

func (e *authFailure) Error() string { return e.sentence }

func isRejection(err error) bool {
	var a *authFailure
	return errors.As(err, &a) && a.verdict == providers.KeysRejected
}

const authTimeout = 30 * time.Second

// authenticate signs in (WAKA-AUTH-1). Its lifetime is counted from the moment the request was sent.
func (c *client) authenticate(ctx context.Context) (token, error) {
	body, err := json.Marshal(map[string]string{"apiKey": c.cfg.Secrets["api_key"], "apiSecret": c.cfg.Secrets["api_secret"]})
	if err != nil {
		return token{}, &authFailure{providers.Unreadable, "The keys could not be written into a request."}
	}
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	sent := c.now()
	a, err := c.once(ctx, request{op: "auth", method: http.MethodPost, path: "/business/auth", body: body}, "")
	switch {
	case err != nil:
		return token{}, &authFailure{providers.Unreachable, "WakaPay could not be reached to sign in. " + sentence(err)}
	case a.status == http.StatusUnauthorized:
		return token{}, &authFailure{providers.KeysRejected, "WakaPay rejects the key and secret" + a.said() + ". They are wrong, revoked, or of the other environment."}
	case a.status == http.StatusBadRequest:
		return token{}, &authFailure{providers.Unreadable, "WakaPay calls our sign-in a bad request" + a.said() + "."}
	case a.status == http.StatusForbidden:
		return token{}, &authFailure{providers.IPNotListed, "WakaPay, or a firewall before it, forbids the sign-in" + a.said() + ". " + c.caller()}
	case a.status == http.StatusTooManyRequests || a.status >= 500:
		return token{}, &authFailure{providers.Unreachable, "WakaPay cannot sign us in at the moment (HTTP " + strconv.Itoa(a.status) + ")" + a.said() + "."}
	case a.status != http.StatusOK:
		return token{}, &authFailure{providers.Unreadable, "WakaPay answers the sign-in with HTTP " + strconv.Itoa(a.status) + a.said() + ", which the contract does not know."}
	}
	value, life := a.value.Get("accessToken").Text(), lifetime(a.value.Get("expiresIn").Number())
	if a.value.Get("error").There() || !usableToken(value) || life <= 0 {
		return token{}, &authFailure{providers.Unreadable, "WakaPay's answer to the sign-in holds no token with a lifetime."}
	}
	return token{value: value, expires: sent.Add(life)}, nil
}

// longestLife is the most of a token's lifetime that we use: a longer one is as good, and cannot overflow.
const longestLife = 30 * 24 * 3600

// lifetime reads seconds, also when they are written 3600.0; 0 when they are no number.
func lifetime(text string) time.Duration {
	d, err := models.ParseDecimal(text)
	if err != nil {
		return 0
	}
	d = decimal.Min(d, decimal.NewFromInt(longestLife))
	return time.Duration(d.IntPart()) * time.Second
}

// usableToken keeps bytes out of the header that do not belong there.
func usableToken(s string) bool {
	return s != "" && len(s) <= 8192 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// once makes one attempt, with a token unless it is the sign-in itself.
func (c *client) once(ctx context.Context, r request, tok string) (answer, error) {
	h := http.Header{"Accept": {"application/json"}}
	req := httpx.Request{Operation: r.op, Method: r.method, Path: r.path, RawQuery: r.query, Header: h, Body: r.body}
	if len(r.body) > 0 {
		h.Set("Content-Type", "application/json")
	}
	if tok != "" {
		h.Set("Authorization", "Bearer "+tok)
		req.Secrets = []string{tok}
	}
	res, err := c.http.Do(ctx, req)
	if err != nil {
		return answer{}, err
	}
	return understand(res), nil
}

// understand reads a body of either error shape, or neither. Texts are taken from the redacted record, so that a provider that quotes a
// secret back cannot bring it onto a page.
func understand(res httpx.Response) answer {
	a := answer{status: res.Status, kept: res.Exchange.ResponseBody}
	if skew, ok := res.ClockSkew(); ok {
		a.skew = int(skew.Round(time.Second) / time.Second)
	}
	a.retryAfter = retryAfter(res)
	v, err := httpx.ReadJSON(res.Body)
	if err != nil {
		return a
	}
	a.text, a.value = true, v
	if a.status >= 200 && a.status < 300 {
		return a
	}
	clean, _ := httpx.ReadJSON(res.Exchange.ResponseBody)
	for _, key := range []string{"error", "message"} {
		if clean.Get(key).Text() != "" && a.message == "" {
			a.message, a.failed, a.ordinary = httpx.Say(clean.Get(key).Text(), 200), true, key == "error"
		}
	}
	return a
}

// retryAfter reads how long WakaPay wants to be left alone, in seconds or as a date (RFC 9110); 0 when it does not say.
func retryAfter(res httpx.Response) time.Duration {
	text := res.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(min(n, 24*3600)) * time.Second //nolint:gosec // at most a day
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(res.ReceivedAt))
	}
	return 0
}

// protected makes a call with a token. On a 401 the token is dropped, and when repeat allows it the call is made once more with a new one: the
// authorization layer refuses before anything is processed. A second 401 is the answer. The texts of a 401 are never matched (WAKA-AUTH-4).
func (c *client) protected(ctx context.Context, r request, repeat bool) (answer, error) {
	tok, err := c.tokens.get(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := c.once(ctx, r, tok)
	if err != nil || a.status != http.StatusUnauthorized {
		return a, err
	}
	c.tokens.drop(tok)
	if !repeat {
		return a, nil
	}
	if tok, err = c.tokens.get(ctx); err != nil {
		return a, nil //nolint:nilerr // the answer is the 401; without a new token there is nothing to repeat
	}
	a, err = c.once(ctx, r, tok)
	if err == nil && a.status == http.StatusUnauthorized {
		c.tokens.drop(tok)
	}
	return a, err
}

const (
	readTries = 4 // WAKA-RETRY-1
	firstWait = 500 * time.Millisecond
	longWait  = 10 * time.Second
)

// read makes a call that changes nothing, repeated with growing pauses on the statuses of WAKA-RETRY-1.
func (c *client) read(ctx context.Context, r request) (answer, error) {
	delay := firstWait
	for try := 1; ; try++ {
		a, err := c.protected(ctx, r, true)
		if err != nil || !c.worthRepeating(a.status) || try == readTries {
			return a, err
		}
		if a.retryAfter > longWait { // asking again sooner would not honour it, and nobody waits that long for a read
			return a, err
		}
		sleep := max(delay+rand.N(delay/2), a.retryAfter)
		if until, ok := ctx.Deadline(); ok && time.Until(until) < sleep {
			return a, err
		}
		if c.wait(ctx, sleep) != nil {
			return a, err
		}
		delay *= 2
	}
}

func (c *client) worthRepeating(status int) bool {
	transient := status == http.StatusTooManyRequests || status >= 500
	switch c.set.retry {
	case "none":
		return false
	case "transient":
		return transient
	}
	return transient || status == http.StatusForbidden || status == http.StatusMethodNotAllowed || status == http.StatusUnsupportedMediaType
}

// pause sleeps unless the caller gives up.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Close drops kept connections; the frame calls it when the client's keys or settings have changed.
func (c *client) Close() { c.http.Close() }

// CircuitOpen reports whether calls pause because WakaPay did not answer lately.
func (c *client) CircuitOpen() bool { return c.http.CircuitOpen() }
