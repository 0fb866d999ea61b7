package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"
)

// hookMode is how callbacks are sent: normal, off, twice, before_reply, reordered, forged and the five forgeries of the contract's
// section 3.1: forged_body, forged_secret, forged_none, forged_twice, forged_indent.
type hookMode struct {
	mode  string
	delay time.Duration
}

// callback is one delivery.
type callback struct {
	url  string
	body []byte
	mode string
}

// notify queues the callback about an order's present status. The caller holds the lock.
func (s *Sandbox) notify(o *order) {
	target := o.notify
	if target == "" {
		target = s.hookURL
	}
	if target == "" || s.hooks.mode == "off" {
		return
	}
	kind := o.kind
	if o.status == "dispute" {
		kind = "dispute"
	}
	id := o.id
	if kind == "dispute" {
		id = o.dispute
	}
	cb := &callback{url: target, mode: s.hooks.mode, body: s.compact([][2]string{{"type", kind}, {"id", id}, {"externalId", o.reference},
		{"status", o.status}, {"amount", o.amount.text()}, {"currency", o.currency}})}
	switch {
	case cb.mode == "before_reply":
		// The lock is let go: whoever receives it may ask about the order at once.
		s.mu.Unlock()
		s.try(cb)
		s.mu.Lock()
	case cb.mode == "reordered" && s.waiting == nil:
		s.waiting = cb
	case cb.mode == "reordered":
		first := s.waiting
		s.waiting = nil
		s.later(s.hooks.delay, func() { s.post(cb); s.post(first) })
	default:
		s.later(s.hooks.delay, func() { s.post(cb) })
	}
}

// compact writes one JSON object without white space. As .NET writes it (AET-CB-7), everything but plain ASCII and & + < > ' is escaped.
func (s *Sandbox) compact(pairs [][2]string) []byte {
	var b strings.Builder
	b.WriteByte('{')
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%s":"%s"`, s.escaped(p[0]), s.escaped(p[1]))
	}
	b.WriteByte('}')
	return []byte(b.String())
}

func (s *Sandbox) escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			fmt.Fprintf(&b, `\%c`, r)
		case r < ' ' || s.escape != "plain" && (r > '~' || strings.ContainsRune(`&+<>'`, r)):
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04X`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// post sends a delivery and, when nobody takes it, three times more. The real number and spacing are not documented.
func (s *Sandbox) post(cb *callback) {
	times := 1
	if cb.mode == "twice" {
		times = 2
	}
	for range times {
		for try := range 4 {
			if s.try(cb) || !s.sleep(s.retry<<try, nil) {
				break
			}
		}
	}
}

func (s *Sandbox) try(cb *callback) bool {
	body, signatures := cb.body, []string{keyed(s.secret, string(cb.body))}
	switch cb.mode {
	case "forged", "forged_secret":
		signatures[0] = keyed("another merchant's secret", string(body))
	case "forged_body":
		body = append(bytes.Clone(body[:len(body)-2]), 'X', '"', '}')
	case "forged_none":
		signatures = nil
	case "forged_twice":
		signatures = append(signatures, signatures[0])
	case "forged_indent":
		signatures[0] = keyed(s.secret, strings.ReplaceAll(string(body), `":`, `": `))
	}
	r, err := http.NewRequest(http.MethodPost, cb.url, bytes.NewReader(body)) //nolint:noctx // the client has a timeout
	if err != nil {
		return true
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header["X-Signature"] = signatures
	res, err := s.client.Do(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	_ = res.Body.Close()
	return res.StatusCode >= 200 && res.StatusCode < 300 || strings.HasPrefix(cb.mode, "forged")
}
