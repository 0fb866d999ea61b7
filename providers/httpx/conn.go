package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// flight follows one request onto the wire. It is how "nothing was sent" becomes a fact instead of a guess: writes pass
// through it, and once it is sealed none passes any more, however late net/http's write loop wakes up.
type flight struct {
	mu     sync.Mutex
	once   bool         // the request may be written on one connection only
	first  *guardedConn // the connection that carried the first byte
	wrote  bool
	sealed bool
}

var (
	errSealed = errors.New("httpx: the request was given up before anything was written")
	errTwice  = errors.New("httpx: the request was already written on another connection")
)

// depart asks to write. It must be called before the write itself, so that a write in progress counts as sent.
func (f *flight) depart(c *guardedConn) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.sealed:
		return errSealed
	case f.once && f.first != nil && f.first != c:
		return errTwice
	}
	if f.first == nil {
		f.first = c
	}
	f.wrote = true
	return nil
}

// seal forbids further writes and reports whether any was begun.
func (f *flight) seal() (sent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sealed = true
	return f.wrote
}

// guardedConn is a connection whose every request byte belongs to a flight. For https it wraps the TLS connection, so
// the handshake does not count as sending.
type guardedConn struct {
	net.Conn
	owner atomic.Pointer[flight]
}

func (g *guardedConn) Write(p []byte) (int, error) {
	f := g.owner.Load()
	if f == nil {
		return 0, errSealed
	}
	if err := f.depart(g); err != nil {
		return 0, err
	}
	return g.Conn.Write(p)
}

func (c *Client) dialPlain(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := c.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: raw}, nil
}

// dialTLS does the handshake itself, so that its failure is known to come before the first byte of the request.
func (c *Client) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := c.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secure := tls.Client(raw, c.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return &guardedConn{Conn: secure}, nil
}
