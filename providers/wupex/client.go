package wupex

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// client calls WUPEX with one key. Safe for many goroutines.
type client struct {
	http     *httpx.Client
	cfg      providers.Config
	set      settings
	key      string
	merchant string
	ordering chan struct{} // one purchase at a time (WUPEX-RATE-1)
	wait     func(context.Context, time.Duration) error
}

// request is one call. Secretive calls may be answered with codes: nothing of their answer is kept but what is known to be harmless.
type request struct {
	op, method, path string
	query            url.Values
	body             []byte
	timeout          time.Duration
	secretive        bool
}

// answer is a whole answer as it was understood.
type answer struct {
	status  int
	value   httpx.Value // the whole body
	data    httpx.Value // value.data
	text    bool        // the body is JSON; otherwise nothing above but status is known
	good    bool        // 200–299, JSON, status true
	failed  bool        // JSON and status false: WUPEX says itself that it failed
	code    string      // error.code
	message string      // for people, cleaned
	kept    []byte      // the body as it may be kept
	skew    int
	// retryAfter is the header of that name.
	retryAfter string
}

// once makes one attempt. A bare answer (WUPEX-BAL-1) is judged by the caller through value.
func (c *client) once(ctx context.Context, r request) (answer, error) {
	h := http.Header{ // WUPEX-AUTH-1, WUPEX-AUTH-2; the name is sent in the letters of the documentation
		"x-api-key":       {c.key},
		"Accept-Language": {"en-US"},
		"Accept":          {"application/json"},
	}
	if len(r.body) > 0 {
		h.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(ctx, httpx.Request{Operation: r.op, Method: r.method, Path: r.path, RawQuery: r.query.Encode(),
		Header: h, Body: r.body, Timeout: r.timeout, NoRecord: r.secretive})
	if r.secretive {
		res.Exchange.ResponseBody = withhold(res.Exchange.ResponseBody)
		if c.cfg.Recorder != nil {
			c.cfg.Recorder.Record(context.WithoutCancel(ctx), res.Exchange)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return c.understand(res), nil
}

// understand reads the envelope (WUPEX-ENVL-1). Failure texts are taken from the redacted record, so that a provider that quotes our
// key back cannot bring it onto a page.
func (c *client) understand(res httpx.Response) answer {
	a := answer{status: res.Status, kept: res.Exchange.ResponseBody, retryAfter: res.Header.Get("Retry-After")}
	if skew, ok := res.ClockSkew(); ok {
		a.skew = int(skew.Round(time.Second) / time.Second)
	}
	v, err := httpx.ReadJSON(res.Body)
	if err != nil {
		return a
	}
	a.text, a.value, a.data = true, v, v.Get("data")
	status, told := v.Get("status").Bool()
	a.good = res.Status >= 200 && res.Status < 300 && told && status
	a.failed = told && !status
	if a.good {
		return a
	}
	clean, err := httpx.ReadJSON(res.Exchange.ResponseBody)
	if err != nil {
		return a
	}
	a.code = httpx.Say(clean.Get("error").Get("code").Text(), 60)
	a.message = httpx.Say(clean.Get("error").Get("message").Text(), 200)
	if a.message == "" && c.set.topMessage { // WUPEX-ENVL-2
		a.message = httpx.Say(clean.Get("message").Text(), 200)
	}
	return a
}

const (
	readTries = 5 // WUPEX-RETRY-1: at most 5 attempts
	firstWait = 500 * time.Millisecond
	longWait  = 10 * time.Second
)

// read makes a call that changes nothing, repeated by WUPEX's published scheme on 429 and 5xx (WUPEX-RETRY-1): delay plus jitter of up
// to the delay, doubling up to 10 s. It never sleeps after the last try, nor beyond the caller's deadline.
func (c *client) read(ctx context.Context, r request) (answer, error) {
	delay := firstWait
	for try := 1; ; try++ {
		a, retryAfter, err := c.tried(ctx, r)
		again := err == nil && (a.status == http.StatusTooManyRequests || a.status >= 500)
		if !again || try == readTries || !c.set.repeatReads {
			return a, err
		}
		sleep := delay + rand.N(delay)
		if retryAfter > 0 {
			sleep = max(sleep, min(retryAfter, longWait))
		}
		if until, ok := ctx.Deadline(); ok && time.Until(until) < sleep {
			return a, err
		}
		if c.wait(ctx, sleep) != nil {
			return a, err
		}
		delay = min(2*delay, longWait)
	}
}

// tried is once with the answer's Retry-After in seconds (WUPEX-RETRY-2).
func (c *client) tried(ctx context.Context, r request) (answer, time.Duration, error) {
	a, err := c.once(ctx, r)
	if err != nil || !c.set.retryAfter || a.retryAfter == "" {
		return a, 0, err
	}
	if n, convErr := strconv.ParseUint(a.retryAfter, 10, 31); convErr == nil {
		return a, time.Duration(min(n, 3600)) * time.Second, nil //nolint:gosec // at most an hour, and capped again by the caller
	}
	if at, convErr := http.ParseTime(a.retryAfter); convErr == nil { // RFC 9110 allows a date as well
		return a, max(0, at.Sub(c.now())), nil
	}
	return a, 0, nil
}

func (c *client) now() time.Time {
	if c.cfg.Clock == nil {
		return time.Now()
	}
	return c.cfg.Clock()
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

// failure turns an answer that is not a success, or none, into an error for people. It is nil for a success.
func (c *client) failure(what string, a answer, err error) error {
	if err != nil {
		e := models.Errorf(models.Unavailable, "WUPEX could not be asked for %s: %s.", what, err)
		e.Err = err
		return e
	}
	if a.good {
		return nil
	}
	_, sentence := c.diagnose(a)
	code := models.Unavailable
	switch {
	case a.status == http.StatusNotFound && a.text:
		code = models.NotFound
	case a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests:
		code = models.Conflict
	}
	return models.Errorf(code, "WUPEX did not give %s: %s", what, sentence)
}

// diagnose says precisely why an answer is not a success and what to do about it (WUPEX-ERR-1).
func (c *client) diagnose(a answer) (providers.CheckVerdict, string) {
	switch {
	case !a.text && a.status < 500 && a.status != http.StatusUnauthorized: // WUPEX-AUTH-3: a firewall's page, seen with any status
		return providers.IPNotListed, "it answered HTTP " + strconv.Itoa(a.status) + " with a page instead of data, as its firewall does for an address it does not know. " +
			c.caller() + " Ask WUPEX to list it, and check the User-Agent setting."
	case a.status == http.StatusUnauthorized:
		return providers.KeysRejected, "it rejects the API key" + a.said() + ". Check that the key was copied whole and belongs to the " +
			string(c.cfg.Environment) + " environment; keys of one environment do not work in the other." // WUPEX-ENV-2
	case a.status == http.StatusForbidden:
		return providers.NotEnabled, "the key is known but has no right to this" + a.said() + ". Ask WUPEX to enable it for the key, or to list the calling address. " + c.caller()
	case a.status == http.StatusNotFound:
		return providers.NotEnabled, "it knows no such thing" + a.said() + "."
	case a.status == http.StatusTooManyRequests:
		return providers.Unreachable, "it wants fewer calls at the moment" + a.said() + ". Try again in a minute."
	case a.status >= 500:
		return providers.Unreachable, "it has a fault of its own (HTTP " + strconv.Itoa(a.status) + ")" + a.said() + "."
	case a.failed:
		return providers.Unreadable, "it refuses the call (HTTP " + strconv.Itoa(a.status) + ")" + a.said() + "."
	}
	return providers.Unreadable, "its answer (HTTP " + strconv.Itoa(a.status) + ") is not one that the contract knows" + a.said() + "."
}

// said quotes WUPEX's own code and words.
func (a answer) said() string {
	words := strings.TrimSpace(a.code + " " + a.message)
	if words == "" {
		return ""
	}
	return " (" + words + ")"
}

func (c *client) caller() string {
	if c.cfg.CallerAddress == "" {
		return "Our calling address is on the health page."
	}
	return "We call from " + c.cfg.CallerAddress + "."
}

// Close drops kept connections; the frame calls it when the client's keys or settings have changed.
func (c *client) Close() { c.http.Close() }

// CircuitOpen reports whether calls pause because WUPEX did not answer lately.
func (c *client) CircuitOpen() bool { return c.http.CircuitOpen() }
