package aeterna

import (
	"fmt"
	"net/textproto"
	"strings"
)

func (c *tableCheck) callback(cb *Callback) {
	if cb == nil {
		return
	}
	c.path("callback.kind", cb.Kind, len(cb.Kinds) > 0)
	c.path("callback.id", cb.ID, false)
	c.path("callback.reference", cb.Reference, false)
	c.path("callback.status", cb.Status, false)
	for _, theirs := range sortedKeys(cb.Kinds) {
		c.text("callback.kinds", theirs, 60, true)
		c.oneOf("callback.kinds."+clip(theirs), cb.Kinds[theirs], "deposit", "payout", "dispute")
	}
	if s := cb.Signature; s != nil {
		c.header("callback.signature.header", s.Header)
		c.oneOf("callback.signature.algorithm", s.Algorithm, "hmac-sha256", "hmac-sha512")
		c.oneOf("callback.signature.encoding", s.Encoding, "hex", "base64")
		c.text("callback.signature.prefix", s.Prefix, 20, false)
	}
}

func (c *tableCheck) auth(a *Auth) {
	if a == nil {
		return
	}
	if len(a.Headers) == 0 || len(a.Headers) > 8 {
		c.add("auth.headers", "must list one to eight headers.")
	}
	seen, uses := map[string]bool{}, false
	for i, h := range a.Headers {
		at := fmt.Sprintf("auth.headers[%d]", i+1)
		c.header(at+".name", h.Name)
		if name := textproto.CanonicalMIMEHeaderKey(h.Name); seen[name] {
			c.add(at+".name", "is used twice.")
		} else {
			seen[name] = true
		}
		uses = c.parts(at+".parts", h.Parts, true) || uses
	}
	if (a.Signature != nil) != uses {
		c.add("auth.signature", "and a header part “signature” belong together: one is there without the other.")
	}
	if s := a.Signature; s != nil {
		c.oneOf("auth.signature.algorithm", s.Algorithm, "hmac-sha256", "hmac-sha512")
		c.oneOf("auth.signature.encoding", s.Encoding, "hex", "base64")
		c.parts("auth.signature.parts", s.Parts, false)
	}
}

// parts checks the pieces of a header or of a signed message and reports whether the signature is among them.
func (c *tableCheck) parts(place string, parts []AuthPart, header bool) (signature bool) {
	if len(parts) == 0 || len(parts) > 12 {
		c.add(place, "must have one to twelve parts.")
	}
	allowed := []string{"text", "public_token", "email", "timestamp", "timestamp_ms", "method", "path", "body"}
	if header {
		allowed = []string{"text", "public_token", "secret_token", "email", "timestamp", "timestamp_ms", "signature"}
	}
	for i, p := range parts {
		at := fmt.Sprintf("%s[%d]", place, i+1)
		c.oneOf(at+".from", p.From, allowed...)
		signature = signature || p.From == "signature"
		if (p.From == "text") != (p.Text != "") {
			c.add(at+".text", "belongs to a part with from text, and such a part needs it.")
		}
		for _, r := range p.Text {
			if header && (r < ' ' || r > '~') {
				c.add(at+".text", "may hold only plain ASCII characters.")
				break
			}
		}
		c.text(at+".text", p.Text, 60, false)
	}
	return signature
}

// header checks a header's name. The few that would change how the request is carried are not a table's business.
func (c *tableCheck) header(place, name string) {
	if !headerName.MatchString(name) {
		c.add(place, "must be a header name: letters, digits and hyphens.")
	}
	switch strings.ToLower(name) {
	case "host", "content-length", "content-type", "accept", "transfer-encoding", "connection", "cookie", "te", "trailer", "upgrade", "expect", "user-agent":
		c.add(place, "may not be %s.", name)
	}
}
