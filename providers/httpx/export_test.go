package httpx

import (
	"net"
	"net/netip"
	"time"
)

// WithoutWaiting makes repeats follow at once.
func (c *Client) WithoutWaiting() { c.retryWait = func(int) time.Duration { return 0 } }

// UseResolver lets a test answer look-ups.
func (c *Client) UseResolver(r *net.Resolver) { c.dialer.Resolver = r }

// PublicAddress shows the rule.
func PublicAddress(ip netip.Addr) bool { return publicAddress(ip) }

// RedactBody and RedactText run a Redactor by itself.
func RedactBody(r Redactor, b []byte, contentType string) []byte {
	return r.compile().body(b, contentType)
}

// RedactText blanks literals.
func RedactText(r Redactor, s string) string { return r.compile().text(s) }
