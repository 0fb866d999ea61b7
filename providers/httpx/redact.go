package httpx

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Redacted stands where something was blanked.
const Redacted = "[redacted]"

// maxRecorded is how much of a body an exchange keeps.
const maxRecorded = 256 << 10

// Redactor names what must never be recorded. Names are compared without regard to case.
//
// The headers Authorization, Proxy-Authorization, Cookie and Set-Cookie are always blanked; of Authorization the scheme
// word stays, because a wrong scheme is a usual mistake (OKP-SIG).
type Redactor struct {
	// Headers of requests and answers whose value is blanked.
	Headers []string
	// Query parameters whose value is blanked.
	Query []string
	// JSON keys whose value, of any type and at any depth, is blanked; also inside JSON kept in a JSON string. In a
	// body that is not valid JSON the same names are looked for as name=value, name: value and <name>value<.
	JSON []string
	// Form keys whose value is blanked in urlencoded bodies.
	Form []string
	// Secrets are literal values blanked wherever they occur: plain, percent-, JSON- or HTML-escaped, in hex, and (from
	// 5 bytes on) inside base64 at any offset, as in base64("user:pass"). Values shorter than 4 bytes are ignored:
	// blanking every "1" would destroy the record; name their key instead.
	Secrets []string
}

// redaction is a Redactor made ready.
type redaction struct {
	headers, query, json, form map[string]bool
	needles                    []needle
}

func (r Redactor) compile() *redaction {
	out := &redaction{headers: nameSet(r.Headers), query: nameSet(r.Query), json: nameSet(r.JSON), form: nameSet(r.Form)}
	for _, h := range []string{"authorization", "proxy-authorization", "cookie", "set-cookie"} {
		out.headers[h] = true
	}
	return out.with(r.Secrets)
}

// with adds literals for one call.
func (r *redaction) with(secrets []string) *redaction {
	if len(secrets) == 0 {
		return r
	}
	out := *r
	out.needles = slices.Clip(out.needles)
	for _, s := range secrets {
		out.needles = append(out.needles, needlesOf(s)...)
	}
	return &out
}

func nameSet(names []string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		if n = strings.ToLower(n); n != "" {
			out[n] = true
		}
	}
	return out
}

// text blanks the literals.
func (r *redaction) text(s string) string {
	return string(r.literals([]byte(s)))
}

// header returns a redacted copy; nil stays nil.
func (r *redaction) header(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		lower, kept := strings.ToLower(name), make([]string, 0, len(values))
		for _, v := range values {
			switch {
			case !r.headers[lower]:
			case lower == "authorization":
				v = schemeOnly(v)
			default:
				v = Redacted
			}
			kept = append(kept, r.text(v))
		}
		name = r.text(name)
		out[name] = append(out[name], kept...)
	}
	return out
}

// schemeOnly keeps the first word of an Authorization value if it looks like a scheme.
func schemeOnly(v string) string {
	scheme, _, found := strings.Cut(v, " ")
	if !found || len(scheme) > 16 || strings.Trim(scheme, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return Redacted
	}
	return scheme + " " + Redacted
}

func (r *redaction) url(u *url.URL) string {
	s := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		s += "?" + string(pairs([]byte(u.RawQuery), r.query))
	}
	return r.text(s)
}

// body redacts a body. What is not text (files, multipart, compressed or wrongly encoded bytes) is replaced by its size
// and digest.
func (r *redaction) body(b []byte, contentType string) []byte {
	if len(b) == 0 {
		return nil
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(contentType)), "multipart/") || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return fmt.Appendf(nil, "[%d bytes of %s, sha256 %x]", len(b), orDefault(r.text(contentType), "unknown type"), sha256.Sum256(b))
	}
	out := r.jsonKeys(b)
	if start := bytes.TrimSpace(b); len(r.form) > 0 && !bytes.ContainsAny(start[:min(1, len(start))], "{[<") {
		out = pairs(out, r.form)
	}
	out = r.literals(out)
	if len(out) > maxRecorded {
		cut := maxRecorded
		for cut > 0 && !utf8.RuneStart(out[cut]) {
			cut--
		}
		out = fmt.Appendf(bytes.Clone(out[:cut]), "… [%d more bytes not kept]", len(out)-cut)
	}
	if len(out) > 0 && &out[0] == &b[0] {
		out = bytes.Clone(out) // the caller may go on using its own bytes
	}
	return out
}

// pairs blanks the values of the named keys in k=v&k=v text and leaves every other byte alone.
func pairs(b []byte, names map[string]bool) []byte {
	if len(names) == 0 {
		return b
	}
	var out []byte
	for len(b) > 0 {
		pair, sep := b, []byte(nil)
		if i := bytes.IndexAny(b, "&;\n"); i >= 0 {
			pair, sep = b[:i], b[i:i+1]
		}
		key, _, found := bytes.Cut(pair, []byte("="))
		plain := string(key)
		if u, err := url.QueryUnescape(plain); err == nil {
			plain = u
		}
		// "card[cvv]" is the key cvv of card.
		plain = strings.ToLower(strings.TrimSpace(plain))
		inner := strings.TrimSuffix(plain[strings.LastIndexByte(plain, '[')+1:], "]")
		if found && (names[plain] || names[inner]) {
			out = append(append(append(out, key...), '='), Redacted...)
		} else {
			out = append(out, pair...)
		}
		out, b = append(out, sep...), b[len(pair)+len(sep):]
	}
	return out
}

func sortedNames(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
