package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

// Kind says where a call ended.
type Kind string

// The kinds of Error. Only the first group proves that nothing left this machine; read Error.Sent, not the kind.
const (
	KindNotSent        Kind = "not_sent"        // look-up, connection or TLS failed, or no time was left
	KindCircuitOpen    Kind = "circuit_open"    // the breaker refused
	KindRefusedAddress Kind = "refused_address" // the host resolved to an address that is not public
	KindInvalid        Kind = "invalid_request" // the request could not be put on the wire as given

	KindSentNoAnswer Kind = "sent_no_answer" // written at least in part, no whole answer header came back
	KindBadBody      Kind = "bad_body"       // the answer began and broke off
	KindTooLarge     Kind = "too_large"      // the answer is longer than MaxBody

	KindCanceled Kind = "canceled" // the caller gave up; Sent says on which side of the first byte
)

// Error is the only error type of Do. Its text never contains a secret.
type Error struct {
	Kind Kind
	// Sent is false only when not one byte of the request was written, nor ever will be.
	Sent bool
	// Op is the caller's name of the call, "cashout.create".
	Op string
	// Message is a sentence for people.
	Message string
	err     error
}

func (e *Error) Error() string {
	if e.Op == "" {
		return e.Message
	}
	return e.Op + ": " + e.Message
}

// Unwrap gives the cause, with every secret already out of its text.
func (e *Error) Unwrap() error { return e.err }

// NotSent reports whether err proves that the request never left this machine. False for nil and for errors of others.
func NotSent(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.Sent
}

// fail builds the error of an attempt that ended without a whole answer.
func (c *Client) fail(ctx context.Context, call *call, err error, sent bool) *Error {
	e := &Error{Sent: sent, Op: call.Operation}
	var refused *refusedAddress
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind, e.Message = KindCanceled, "the call was given up before the answer was complete"
		err = context.Canceled
	case !sent && errors.As(err, &refused):
		e.Kind, e.Message = KindRefusedAddress, "nothing was sent: "+refused.Error()
	case !sent:
		e.Kind, e.Message = KindNotSent, "nothing was sent: "+reason(err)
	default:
		e.Kind, e.Message = KindSentNoAnswer, "the request was sent but no answer came: "+reason(err)
	}
	return c.clean(e, err, call)
}

// clean takes every secret out of the message and the cause.
func (c *Client) clean(e *Error, cause error, call *call) *Error {
	e.Message = call.redact.text(e.Message)
	if cause != nil {
		if said := call.redact.text(cause.Error()); said != cause.Error() {
			cause = errors.New(said)
		}
	}
	e.err = cause
	return e
}

// reason turns the usual network failures into plain words and leaves the others as they are.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case err == nil:
		return "no reason given"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "the time allowed for the call ran out"
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s could not be looked up", dns.Name)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Sprintf("no connection to %v: %v", op.Addr, op.Err)
	}
	return err.Error()
}
