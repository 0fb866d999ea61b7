package aeterna

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Auth is a way to authenticate as data: headers made of parts, and one signature that they may contain.
type Auth struct {
	Headers   []AuthHeader `json:"headers"`
	Signature *Signature   `json:"signature"`
}

// AuthHeader is one header.
type AuthHeader struct {
	Name  string     `json:"name"`
	Parts []AuthPart `json:"parts"`
}

// AuthPart is one piece of a header or of a signed message, put together without separators.
type AuthPart struct {
	From string `json:"from"` // text, public_token, secret_token, email, timestamp, timestamp_ms, method, path, body, signature
	Text string `json:"text"` // with from=text
}

// Signature is an HMAC keyed with the secret token as it stands.
type Signature struct {
	Algorithm string     `json:"algorithm"` // hmac-sha256, hmac-sha512
	Encoding  string     `json:"encoding"`  // hex (small letters), base64
	Parts     []AuthPart `json:"parts"`
}

// CallbackSignature is an HMAC over the raw body, keyed with the secret token.
type CallbackSignature struct {
	Header    string `json:"header"`
	Algorithm string `json:"algorithm"`
	Encoding  string `json:"encoding"`
	Prefix    string `json:"prefix"`
}

// documentedAuth is Aeterna's own rule (AET-SIG-1) in the same words.
func documentedAuth() *Auth {
	return &Auth{
		Headers: []AuthHeader{
			{Name: headerToken, Parts: []AuthPart{{From: "public_token"}}},
			{Name: headerTime, Parts: []AuthPart{{From: "timestamp"}}},
			{Name: headerSignature, Parts: []AuthPart{{From: "signature"}}},
		},
		Signature: &Signature{Algorithm: "hmac-sha256", Encoding: "hex", Parts: []AuthPart{{From: "timestamp"}, {From: "email"}}},
	}
}

// identity is what a credential signs with. It never reaches a log: it has no String, and every value is given to the redactor.
type identity struct {
	publicToken, secretToken, email string
}

// signed is one request as the signature may cover it.
type signed struct {
	at           time.Time
	method, path string
	body         []byte
}

// headers makes the authentication headers of one attempt.
func (a *Auth) headers(id identity, s signed) http.Header {
	out := http.Header{}
	signature := ""
	if a.Signature != nil {
		signature = a.Signature.sign(id.secretToken, join(a.Signature.Parts, id, s, ""))
	}
	for _, h := range a.Headers {
		out.Set(h.Name, join(h.Parts, id, s, signature))
	}
	return out
}

func join(parts []AuthPart, id identity, s signed, signature string) string {
	var b strings.Builder
	for _, p := range parts {
		switch p.From {
		case "text":
			b.WriteString(p.Text)
		case "public_token":
			b.WriteString(id.publicToken)
		case "secret_token":
			b.WriteString(id.secretToken)
		case "email":
			b.WriteString(id.email)
		case "timestamp":
			b.WriteString(strconv.FormatInt(s.at.Unix(), 10))
		case "timestamp_ms":
			b.WriteString(strconv.FormatInt(s.at.UnixMilli(), 10))
		case "method":
			b.WriteString(s.method)
		case "path":
			b.WriteString(s.path)
		case "body":
			b.Write(s.body)
		case "signature":
			b.WriteString(signature)
		}
	}
	return b.String()
}

func (s *Signature) sign(secret, message string) string {
	sum := mac(s.Algorithm, secret, []byte(message))
	if s.Encoding == "base64" {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

func mac(algorithm, secret string, message []byte) []byte {
	fn := sha256.New
	if algorithm == "hmac-sha512" {
		fn = sha512.New
	}
	m := hmac.New(fn, []byte(secret))
	_, _ = m.Write(message) // a hash never fails
	return m.Sum(nil)
}

// check reports whether a header's text is the signature of the raw body. Hex is taken in either case when lax is set (AET-CB-3).
func (c *CallbackSignature) check(secret, text string, raw []byte, lax bool) bool {
	text, ok := strings.CutPrefix(text, c.Prefix)
	if !ok {
		return false
	}
	var got []byte
	var err error
	if c.Encoding == "base64" {
		got, err = base64.StdEncoding.Strict().DecodeString(text)
	} else {
		if !lax && text != strings.ToLower(text) {
			return false
		}
		got, err = hex.DecodeString(text)
	}
	return err == nil && hmac.Equal(got, mac(c.Algorithm, secret, raw))
}
