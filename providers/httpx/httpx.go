// Package httpx is the only door through which a provider client reaches the network. It pins the host, refuses
// private addresses, sends the caller's bytes unchanged and at most once, bounds the answer, and hands a redacted
// record of every attempt to a Recorder.
//
// Imported by providers/NAME (to call) and by the tasks and tests that supply a Recorder. It imports nothing of ours.
//
// What a caller may rely on: when Do returns an *Error with Sent == false, not one byte of the request has been, or
// ever will be, written to a socket. Everything else is Sent == true and the outcome at the provider is unknown.
package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// Defaults used where Config leaves a zero.
const (
	DefaultTimeout  = 30 * time.Second
	DefaultMaxBody  = 4 << 20
	defaultAgent    = "Countinghouse"
	dialTimeout     = 10 * time.Second
	maxAnswerHeader = 256 << 10
	readAttempts    = 3 // one call and at most two repeats, GET and HEAD only
)

// Config says where a client may go and how it behaves. Only BaseURL is required; with neither AllowedHosts nor
// AllowLoopback every base URL is refused.
type Config struct {
	// Name of the provider, for errors and the breaker: "onekey".
	Name string
	// BaseURL is scheme, host, optional port and optional path prefix. No user, query or fragment.
	BaseURL string
	// AllowedHosts are the provider's pinned hosts: "api.example.com" (port 443 only), "api.example.com:8443", or
	// ".example.com" for any name below it.
	AllowedHosts []string
	// AllowLoopback admits 127.0.0.0/8, ::1 and localhost on any port, over http or https. For sandbox credentials only.
	AllowLoopback bool
	// Timeout bounds one attempt from the first look-up to the last byte of the answer. Default 30 s.
	Timeout time.Duration
	// MaxBody is the largest answer read, in bytes. Default 4 MiB. A longer answer is an Error of KindTooLarge.
	MaxBody int64
	// Recorder receives every attempt, redacted. Nil records nothing.
	Recorder Recorder
	// Redact names what must never leave this package readable.
	Redact Redactor
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// RateLimit bounds calls per second. Zero means no limit.
	RateLimit RateLimit
	// Breaker stops calling a provider that does not answer.
	Breaker Breaker
	// UserAgent is sent unless the caller's header has one. Default "Countinghouse".
	UserAgent string
	// RootCAs replaces the system's certificate authorities, for stand-ins with their own.
	RootCAs *x509.CertPool
}

// RateLimit allows PerSecond calls on average and Burst at once (at least 1). A call that would have to wait beyond
// its deadline fails at once, unsent.
type RateLimit struct {
	PerSecond float64
	Burst     int
}

// Breaker opens after Failures consecutive failures (default 5): transport failures of any call, 5xx of GET and HEAD.
// It stays open for OpenFor (default 30 s), then lets one call through. Off disables it.
type Breaker struct {
	Failures uint32
	OpenFor  time.Duration
	Off      bool
}

// Client calls one provider with one base URL. Safe for concurrent use.
type Client struct {
	name      string
	base      *url.URL
	prefix    string // escaped path prefix of the base URL, without trailing slash
	timeout   time.Duration
	maxBody   int64
	agent     string
	recorder  Recorder
	redact    *redaction
	now       func() time.Time
	limiter   *rate.Limiter
	breaker   *gobreaker.TwoStepCircuitBreaker[struct{}]
	dialer    *net.Dialer
	tls       *tls.Config
	reads     *http.Transport // keeps connections
	writes    *http.Transport // a fresh connection for every request; see newTransport
	retryWait func(attempt int) time.Duration
}

// New checks the base URL against the pins and prepares a client. Nothing is sent.
func New(cfg Config) (*Client, error) {
	base, loopback, err := checkBase(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		name: orDefault(cfg.Name, base.Hostname()), base: base, prefix: strings.TrimRight(base.EscapedPath(), "/"),
		timeout: orDefault(cfg.Timeout, DefaultTimeout), maxBody: orDefault(cfg.MaxBody, DefaultMaxBody),
		agent: orDefault(cfg.UserAgent, defaultAgent), recorder: cfg.Recorder, redact: cfg.Redact.compile(),
		now: cfg.Now, retryWait: jitter,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if cfg.RateLimit.PerSecond > 0 {
		c.limiter = rate.NewLimiter(rate.Limit(cfg.RateLimit.PerSecond), max(1, cfg.RateLimit.Burst))
	}
	if !cfg.Breaker.Off {
		c.breaker = newBreaker(c.name, cfg.Breaker)
	}
	c.dialer = &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, ControlContext: controlAddress(loopback)}
	c.tls = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, ServerName: base.Hostname()}
	c.reads, c.writes = c.newTransport(false), c.newTransport(true)
	return c, nil
}

// BaseURL is the base URL as checked.
func (c *Client) BaseURL() string { return c.base.String() }

// CircuitOpen reports whether calls are being refused because the provider did not answer lately.
func (c *Client) CircuitOpen() bool {
	return c.breaker != nil && c.breaker.State() == gobreaker.StateOpen
}

// Close drops kept connections. The client stays usable.
func (c *Client) Close() { c.reads.CloseIdleConnections(); c.writes.CloseIdleConnections() }

// newTransport builds a bare HTTP/1.1 transport: no proxy, no redirects, no compression, no cookies.
//
// net/http silently repeats a request whose kept connection died, when the method is safe or when the header has
// Idempotency-Key or X-Idempotency-Key and the body can be rewound. A transport that never keeps a connection never
// takes that path, so requests that may move money go through fresh ones; it also spares them the false "unknown" of a
// connection which the provider closed while idle. HTTP/2 is off: it has repeats of its own.
func (c *Client) newTransport(fresh bool) *http.Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy: nil, DialContext: c.dialPlain, DialTLSContext: c.dialTLS, Protocols: &http1,
		DisableCompression: true, DisableKeepAlives: fresh, MaxIdleConnsPerHost: 4, IdleConnTimeout: 50 * time.Second,
		MaxResponseHeaderBytes: maxAnswerHeader,
	}
}

func newBreaker(name string, b Breaker) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	limit := orDefault(b.Failures, 5)
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: name, MaxRequests: 1, Timeout: orDefault(b.OpenFor, 30*time.Second),
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= limit },
		// A caller who went away says nothing about the provider.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
}

// checkBase parses the base URL and refuses everything that is neither pinned nor permitted loopback.
func checkBase(cfg Config) (base *url.URL, loopback bool, err error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, false, errors.New("the base URL must be a full address such as https://api.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(cfg.BaseURL, "#") {
		return nil, false, errors.New("the base URL must not contain a user, a query or a fragment")
	}
	if err := checkPath(u.EscapedPath()); err != nil && u.Path != "" {
		return nil, false, fmt.Errorf("the base URL's path is refused: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil, false, fmt.Errorf("the base URL must begin with https, not %q", u.Scheme)
	}
	if isLoopbackHost(u.Hostname()) {
		if !cfg.AllowLoopback {
			return nil, false, errors.New("a base URL on this machine is allowed for sandbox credentials only")
		}
		return u, true, nil
	}
	if u.Scheme != "https" {
		return nil, false, errors.New("the base URL must begin with https; plain http is allowed on this machine only")
	}
	for _, pin := range cfg.AllowedHosts {
		if pinned(u, pin) {
			return u, false, nil
		}
	}
	return nil, false, fmt.Errorf("the host %q is not one of this provider's hosts", u.Hostname())
}

// pinned compares host and port with one pin.
func pinned(u *url.URL, pin string) bool {
	host, port := strings.ToLower(pin), "443"
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	}
	if orDefault(u.Port(), "443") != port || host == "" {
		return false
	}
	have := strings.ToLower(u.Hostname())
	if strings.HasPrefix(host, ".") {
		return len(have) > len(host) && strings.HasSuffix(have, host)
	}
	return have == host
}

// jitter waits 100 to 300 ms before the first repeat and three times that before the second, so that many clients do
// not come back in step.
func jitter(attempt int) time.Duration {
	wait := 100 * time.Millisecond
	for range attempt - 1 {
		wait *= 3
	}
	return wait + rand.N(2*wait)
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
