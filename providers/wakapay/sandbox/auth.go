package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// decode reads one JSON object of a body sent as application/json; anything else is the documented "invalid payload".
func decode(r *http.Request, body []byte) (map[string]json.RawMessage, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var m map[string]json.RawMessage
	if d.Decode(&m) != nil || m == nil {
		return nil, false
	}
	_, err = d.Token()
	return m, errors.Is(err, io.EOF)
}

// text reads a string field: "" when it is missing or null, ok false when it is something else.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	var out string
	err := json.Unmarshal(raw, &out)
	return out, err == nil
}

// signIn is POST /business/auth (WAKA-AUTH-1) with its exact texts; the edges are WAKA-AUTH-3.
func (s *Sandbox) signIn(r *http.Request, body []byte) reply {
	m, ok := decode(r, body)
	if !ok {
		return ordinary(http.StatusBadRequest, "invalid payload")
	}
	key, keyOK := text(m["apiKey"])
	secret, secretOK := text(m["apiSecret"])
	switch {
	case !keyOK || !secretOK, s.settings["auth_edge_answers"] == "strict" && len(m) > 2:
		return ordinary(http.StatusBadRequest, "invalid payload")
	case key == "" || secret == "":
		return ordinary(http.StatusBadRequest, "apiKey and apiSecret required")
	}
	for _, p := range s.pairs {
		if p.key == key && p.secret == secret {
			return s.newToken()
		}
	}
	return ordinary(http.StatusUnauthorized, "invalid credentials")
}

// newToken makes a real three-segment JWT; the lifetime is written as it was set.
func (s *Sandbox) newToken() reply {
	written := or(s.settings["token_lifetime"], "3600")
	life, err := decimal.NewFromString(written)
	if err != nil {
		written, life = "3600", decimal.NewFromInt(3600)
	}
	expires := s.now().Add(time.Duration(life.IntPart()) * time.Second)
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	head := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{"sub": s.businessID, "exp": expires.Unix(), "jti": rand.Text()})
	mac := hmac.New(sha256.New, s.jwtKey)
	mac.Write([]byte(head))
	value := head + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	s.tokens[value] = expires
	return answer(http.StatusOK, map[string]any{"accessToken": value, "expiresIn": json.Number(written)})
}

const malformed = "token is malformed: token contains an invalid number of segments"

// checkToken is the authorization layer (P4). The text of an expired token is the documented one, or another by setting (WAKA-AUTH-4).
func (s *Sandbox) checkToken(r *http.Request) (reply, bool) {
	header := r.Header.Values("Authorization")
	if len(header) == 0 || header[0] == "" {
		return layer("missing value in request header"), true
	}
	value, scheme := strings.CutPrefix(header[0], "Bearer ")
	expires, known := s.tokens[value]
	switch {
	case len(header) > 1 || !scheme || strings.Count(value, ".") != 2 || !known:
		return layer(malformed), true
	case s.now().After(expires):
		if s.settings["token_error_texts"] == "expired" {
			return layer("token is expired"), true
		}
		return layer(malformed), true
	}
	return reply{}, false
}
