package httpx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// call is a checked request.
type call struct {
	Request
	url    *url.URL
	redact *redaction
}

// Do sends the request and reads the answer. Any status is an answer, not an error. The error, if any, is an *Error.
//
// With KindTooLarge and KindBadBody the Response carries what did arrive; with every other error only its Exchange.
func (c *Client) Do(ctx context.Context, req Request) (Response, error) {
	call, err := c.prepare(req)
	if err != nil {
		return Response{}, c.clean(&Error{Kind: KindInvalid, Op: req.Operation,
			Message: "nothing was sent: " + err.Error()}, nil, &call)
	}
	for attempt := 1; ; attempt++ {
		res, fault := c.attempt(ctx, &call)
		if !req.Idempotent || attempt == readAttempts || !worthRepeating(res, fault) || !pause(ctx, c.retryWait(attempt)) {
			if fault != nil {
				return res, fault
			}
			return res, nil
		}
	}
}

// prepare checks that the request can go out exactly as it is.
func (c *Client) prepare(req Request) (call, error) {
	out := call{Request: req, redact: c.redact.with(req.Secrets)}
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	switch {
	case req.Method == "":
		return out, errors.New("the method is missing")
	case req.Idempotent && !read:
		return out, errors.New("only GET and HEAD may be repeated")
	case read && len(req.Body) > 0:
		return out, errors.New("a GET must not have a body")
	}
	if err := checkPath(req.Path); err != nil {
		return out, err
	}
	if err := checkQuery(req.RawQuery); err != nil {
		return out, err
	}
	wire := c.prefix + req.Path
	if req.RawQuery != "" {
		wire += "?" + req.RawQuery
	}
	u, err := url.Parse(c.base.Scheme + "://" + c.base.Host + wire)
	if err != nil {
		return out, errors.New("the path is not properly escaped")
	}
	if u.Host != c.base.Host || u.RequestURI() != wire {
		return out, errors.New("the path would have to be escaped differently")
	}
	out.url = u
	return out, nil
}

// attempt makes one try and records it.
func (c *Client) attempt(ctx context.Context, call *call) (Response, *Error) {
	x := c.newExchange(call)
	res, fault := c.admitted(ctx, call, &x)
	x.Duration = c.now().Sub(x.StartedAt)
	if res.Status != 0 {
		x.Status, x.ResponseHeader = res.Status, call.redact.header(res.Header)
		x.ResponseBody = call.redact.body(res.Body, res.Header.Get("Content-Type"))
	}
	if fault != nil {
		x.Err, x.Kind = fault.Message, fault.Kind
	}
	res.SentAt, res.ReceivedAt, res.Exchange = x.StartedAt, x.StartedAt.Add(x.Duration), x
	if c.recorder != nil && !call.NoRecord {
		c.recorder.Record(context.WithoutCancel(ctx), x)
	}
	return res, fault
}

// admitted asks breaker and limiter, then sends.
func (c *Client) admitted(ctx context.Context, call *call, x *Exchange) (Response, *Error) {
	timeout := c.timeout
	if call.Timeout > 0 {
		timeout = call.Timeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if c.limiter != nil {
		if err := c.limiter.Wait(limited); err != nil {
			return Response{}, c.fail(ctx, call, errors.New("too many calls are waiting for this provider"), false)
		}
	}
	if c.breaker == nil {
		return c.roundTrip(ctx, limited, call, x)
	}
	done, err := c.breaker.Allow()
	if err != nil {
		return Response{}, c.clean(&Error{Kind: KindCircuitOpen, Op: call.Operation,
			Message: "nothing was sent: " + c.name + " did not answer lately, calls pause for a while"}, err, call)
	}
	res, fault := c.roundTrip(ctx, limited, call, x)
	done(verdict(call, res, fault))
	return res, fault
}

// verdict is what the breaker learns. A 5xx counts for reads only: the status of a payment says nothing about health.
func verdict(call *call, res Response, fault *Error) error {
	read := call.Method == http.MethodGet || call.Method == http.MethodHead
	switch {
	case fault != nil && fault.Kind == KindTooLarge:
		return nil
	case fault != nil:
		return fault
	case read && res.Status >= 500:
		return errors.New("server error")
	}
	return nil
}

// roundTrip puts the request on the wire. ctx is the caller's, limited has the timeout on it.
func (c *Client) roundTrip(ctx, limited context.Context, call *call, x *Exchange) (Response, *Error) {
	f := &flight{once: !call.Idempotent}
	transport := c.writes
	if call.Idempotent {
		transport = c.reads
	}
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if g, ok := info.Conn.(*guardedConn); ok {
			g.owner.Store(f)
		}
	}})
	answer, err := transport.RoundTrip(c.wireRequest(traced, call))
	if err != nil {
		x.Sent = f.seal()
		return Response{}, c.fail(ctx, call, err, x.Sent)
	}
	defer func() { _ = answer.Body.Close() }()
	x.Sent = true
	return c.readAnswer(ctx, call, answer)
}

func (c *Client) wireRequest(ctx context.Context, call *call) *http.Request {
	header := call.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = []string{c.agent}
	}
	r := (&http.Request{
		Method: call.Method, URL: call.url, Host: call.url.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}).WithContext(ctx)
	if len(call.Body) > 0 {
		// GetBody stays nil: a body that cannot be rewound cannot be sent again behind our back.
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(call.Body)), int64(len(call.Body))
	}
	return r
}

func (c *Client) readAnswer(ctx context.Context, call *call, answer *http.Response) (Response, *Error) {
	res := Response{Status: answer.StatusCode, Header: answer.Header}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.maxBody+1))
	if int64(len(body)) > c.maxBody {
		res.Body, res.Truncated = body[:c.maxBody], true
		return res, &Error{Kind: KindTooLarge, Sent: true, Op: call.Operation, Message: "the answer is larger than allowed"}
	}
	res.Body = body
	if err == nil {
		return res, nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return res, c.fail(ctx, call, err, true)
	}
	e := &Error{Kind: KindBadBody, Sent: true, Op: call.Operation, Message: "the answer broke off: " + reason(err)}
	return res, c.clean(e, err, call)
}

func (c *Client) newExchange(call *call) Exchange {
	digest := sha256.Sum256(call.Body)
	x := Exchange{
		Operation: call.Operation, StartedAt: c.now(), Method: call.Method, URL: call.redact.url(call.url),
		RequestHeader: call.redact.header(call.Header), BodyDigest: hex.EncodeToString(digest[:]),
		RequestBody: call.redact.body(call.Body, call.Header.Get("Content-Type")),
	}
	if id, err := uuid.NewV7(); err == nil {
		x.ID = id.String()
	}
	return x
}

func worthRepeating(res Response, fault *Error) bool {
	if fault != nil {
		return fault.Kind == KindNotSent
	}
	return res.Status == 502 || res.Status == 503 || res.Status == 504
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
