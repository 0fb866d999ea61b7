package httpx

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Request is one call. The bytes of Body, Path and RawQuery go out exactly as given, so they may be signed first.
type Request struct {
	// Operation is the caller's name of the call, "cashout.create". Kept in the exchange and in errors.
	Operation string
	Method    string
	// Path begins with a slash and is already escaped. It is put behind the base URL's path. Dot segments, "?", "#" and
	// bytes that would have to be re-escaped are refused unsent.
	Path string
	// RawQuery is the escaped query without "?".
	RawQuery string
	// Header is sent as given; nothing is added but User-Agent and, with a body, Content-Length.
	Header http.Header
	// Body may accompany every method but GET and HEAD. Empty means no body.
	Body []byte
	// Idempotent allows up to two repeats when nothing was sent or the answer is 502, 503 or 504. GET and HEAD only:
	// any other method with it is refused, because a repeat of a payment belongs to a job and to people.
	Idempotent bool
	// Secrets are further literal values to blank in the records of this call, such as a token fetched at run time.
	Secrets []string
	// Timeout replaces the client's for this call when positive.
	Timeout time.Duration
	// NoRecord keeps the call away from the Recorder. Response.Exchange is filled all the same.
	NoRecord bool
}

// Response is an answer of any status, redirects included; none is followed.
type Response struct {
	Status int
	Header http.Header
	// Body is what came over the wire, undecoded; at most MaxBody bytes.
	Body []byte
	// Truncated is true when there was more; the error is then of KindTooLarge.
	Truncated  bool
	SentAt     time.Time
	ReceivedAt time.Time
	// Exchange is the redacted record of the last attempt, as the Recorder got it.
	Exchange Exchange
}

// ServerTime is the answer's Date header; false when there is none that can be read. One second is its resolution.
func (r Response) ServerTime() (time.Time, bool) {
	t, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// ClockSkew estimates how far the provider's clock is ahead of ours (negative: behind), by its Date header against the
// middle of the call. False without a Date. Good to about a second plus half the call's duration.
func (r Response) ClockSkew() (time.Duration, bool) {
	t, ok := r.ServerTime()
	if !ok {
		return 0, false
	}
	middle := r.SentAt.Add(r.ReceivedAt.Sub(r.SentAt) / 2)
	return t.Add(500 * time.Millisecond).Sub(middle), true
}

// Exchange is one recorded HTTP request and its answer. Everything in it is redacted already.
type Exchange struct {
	ID             string // UUIDv7
	Operation      string
	StartedAt      time.Time
	Duration       time.Duration
	Method         string
	URL            string
	RequestHeader  http.Header
	RequestBody    []byte
	Status         int // 0 when no answer came
	ResponseHeader http.Header
	ResponseBody   []byte
	// Err is a sentence without secrets, empty when a whole answer came.
	Err string
	// Kind says where the call ended; empty when a whole answer came.
	Kind Kind
	// BodyDigest is the SHA-256, in hex, of the exact request body before redaction.
	BodyDigest string
	// Sent is true when at least one byte of the request was, or may have been, written.
	Sent bool
}

// Recorder keeps exchanges. Record is called once per attempt, failed ones included, after the attempt ended. The
// context carries the caller's values but not its cancellation. Record must not block for long.
type Recorder interface {
	Record(ctx context.Context, x Exchange)
}

// checkPath refuses what a server might read differently from what was signed and shown.
func checkPath(p string) error {
	if !strings.HasPrefix(p, "/") {
		return errors.New("the path must begin with a slash")
	}
	if strings.HasPrefix(p, "//") {
		return errors.New("the path must not begin with two slashes")
	}
	for i := range len(p) {
		if b := p[i]; b <= ' ' || b >= 0x7f || b == '?' || b == '#' || b == '\\' {
			return errors.New("the path contains a character that must be escaped")
		}
	}
	for seg := range strings.SplitSeq(strings.ToLower(p), "/") {
		if seg = strings.ReplaceAll(seg, "%2e", "."); seg == "." || seg == ".." {
			return errors.New("the path contains a dot segment")
		}
	}
	return nil
}

func checkQuery(q string) error {
	for i := range len(q) {
		if b := q[i]; b <= ' ' || b >= 0x7f || b == '#' {
			return errors.New("the query contains a character that must be escaped")
		}
	}
	return nil
}
