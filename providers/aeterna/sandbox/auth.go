package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	tenDigits = regexp.MustCompile(`^[0-9]{10}$`)
	lowerHex  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// authenticate makes the nine checks of the contract's section 2.3, in that order. There is no replay cache: every request of one second
// carries the same signature, lawfully (AET-SIG-4).
func (s *Sandbox) authenticate(r *http.Request, body []byte) *reply {
	bad := func(status int, code, message string) *reply {
		out := problem(status, code, message)
		return &out
	}
	if r.Method != http.MethodPost {
		return bad(405, "method_not_allowed", "Only POST is allowed.")
	}
	if !jsonMedia(r.Header.Get("Content-Type")) {
		return bad(415, "unsupported_media_type", "The content type must be application/json.")
	}
	if accept := r.Header.Get("Accept"); !strings.Contains(accept, "application/json") || !strings.Contains(accept, "text/plain") {
		return bad(406, "not_acceptable", "Accept must name application/json and text/plain.")
	}
	for _, name := range []string{"X-App-Token", "X-App-Access-Ts", "X-App-Access-Sig"} {
		if v := r.Header.Values(name); len(v) != 1 || v[0] == "" {
			return bad(401, "header_missing", "The header "+name+" must be there exactly once.")
		}
	}
	ts := r.Header.Get("X-App-Access-Ts")
	if !tenDigits.MatchString(ts) {
		return bad(401, "timestamp_rejected", "X-App-Access-Ts must be Unix seconds: ten digits.")
	}
	seconds, _ := strconv.ParseInt(ts, 10, 64)
	s.mu.Lock()
	diff := s.now().Unix() - seconds
	s.mu.Unlock()
	if diff > s.window || diff < -s.window {
		return bad(401, "timestamp_rejected", "The time of the request is too far from ours.")
	}
	sig := r.Header.Get("X-App-Access-Sig")
	if !lowerHex.MatchString(sig) {
		return bad(401, "signature_rejected", "X-App-Access-Sig must be 64 small hexadecimal digits.")
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-App-Token")), []byte(s.public)) != 1 || s.public == "" {
		return bad(401, "token_unknown", "This public token is not known.")
	}
	if !hmac.Equal([]byte(sig), []byte(keyed(s.secret, ts+s.email))) {
		return bad(401, "signature_rejected", "The signature does not match.")
	}
	if err := oneObject(body); err != nil {
		return bad(400, "bad_json", err.Error())
	}
	return nil
}

func keyed(key, message string) string {
	m := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(m, message)
	return hex.EncodeToString(m.Sum(nil))
}

// jsonMedia tolerates charset=utf-8 and no other parameter.
func jsonMedia(text string) bool {
	kind, params, err := mime.ParseMediaType(text)
	if err != nil || kind != "application/json" || len(params) > 1 {
		return false
	}
	charset, has := params["charset"]
	return len(params) == 0 || has && strings.EqualFold(charset, "utf-8")
}

// oneObject holds that the body is exactly one JSON object.
func oneObject(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	var v map[string]json.RawMessage
	if err := dec.Decode(&v); err != nil || v == nil {
		return errors.New("the body must be one JSON object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the JSON object")
	}
	return nil
}
