package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// tokenCall issues and renews tokens (contract 2). One access token is alive at a time: issuing one ends the other.
func (s *Sandbox) tokenCall(in *incoming) reply {
	out := s.answerToken(in)
	out.plain = true // the call carries no timestamp, so its answer is not signed
	return out
}

func (s *Sandbox) answerToken(in *incoming) reply {
	if in.r.Method != http.MethodPost {
		return refuseHTTP(http.StatusMethodNotAllowed, "TEST_METHOD", "the token call is a POST")
	}
	params, bad := s.tokenParams(in)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch params.Get("grant_type") {
	case "client_credentials":
		if params.Get("api_key") != s.key || params.Get("api_secret") != s.secret || s.secret == "" {
			return s.authRefusal("TEST_KEYS", "the api_key or api_secret is wrong")
		}
	case "refresh_token":
		if s.refresh == "" || params.Get("refresh_token") != s.refresh || !s.clock().Before(s.refreshEnd) {
			return s.authRefusal("TEST_REFRESH_TOKEN", "the refresh token is not alive")
		}
	default:
		return refuse("TEST_FIELD_MISSING", "grant_type must be client_credentials or refresh_token")
	}
	return s.issue()
}

func (s *Sandbox) tokenParams(in *incoming) (url.Values, *reply) {
	kind, attrs, _ := mime.ParseMediaType(in.r.Header.Get("Content-Type"))
	if s.setting("token_params_in", "query") == "form" {
		if kind != "multipart/form-data" || in.r.URL.RawQuery != "" {
			bad := refuseHTTP(http.StatusUnsupportedMediaType, "TEST_CONTENT_TYPE", "token parameters travel as multipart form fields")
			return nil, &bad
		}
		values, _, err := readForm(in.body, attrs["boundary"])
		if err != nil {
			bad := refuse("TEST_FORM", "the form cannot be read")
			return nil, &bad
		}
		return values, nil
	}
	if len(in.body) > 0 {
		bad := refuse("TEST_BODY", "token parameters travel in the query string, with an empty body")
		return nil, &bad
	}
	q, err := url.ParseQuery(in.r.URL.RawQuery)
	if err != nil {
		bad := refuse("TEST_QUERY", "the query cannot be read")
		return nil, &bad
	}
	return q, nil
}

func (s *Sandbox) issue() reply {
	s.access, s.refresh = s.word(24), s.word(24)
	life, _ := strconv.Atoi(s.setting("token_life_s", "21600"))
	kept := life
	if kept <= 0 {
		kept = 90
	}
	s.accessEnd, s.refreshEnd = s.clock().Add(time.Duration(kept)*time.Second), s.clock().Add(time.Duration(2*kept)*time.Second)
	fields := map[string]any{"access_token": s.access, "token_type": "bearer", "refresh_token": s.refresh, "rt_expires_in": 2 * kept}
	if life > 0 {
		fields["expires_in"] = life
	}
	out := success(nil)
	switch s.setting("token_at", "result") {
	case "top":
		out.body = fields
	case "retdata":
		out.body = map[string]any{"retcode": 200, "success": true, "retdata": fields}
	default:
		out.body["result"] = fields
	}
	return out
}

func (s *Sandbox) word(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[s.rng.IntN(len(letters))]
	}
	return string(b)
}

// authRefusal says no to a token or a signature, in one of the two ways that the contract leaves open (2.4).
func (s *Sandbox) authRefusal(code, message string) reply {
	if s.setting("auth_errors", "http") == "header" {
		return refuse(code, message)
	}
	return refuseHTTP(http.StatusUnauthorized, code, message)
}

// authenticate checks token, timestamp and signature (contract 3), in that order.
func (s *Sandbox) authenticate(in *incoming) *reply {
	s.mu.Lock()
	access, end, now := s.access, s.accessEnd, s.clock()
	s.mu.Unlock()
	no := func(code, message string) *reply {
		r := s.authRefusal(code, message)
		return &r
	}
	h := in.r.Header
	bearer, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	if !ok || access == "" || !hmac.Equal([]byte(bearer), []byte(access)) || !now.Before(end) {
		return no("TEST_TOKEN", "the token is missing, unknown, expired or was replaced by a newer one")
	}
	stamp := h.Get("D-TIMESTAMP")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(stamp) != 13 || stamp[0] == '-' || stamp[0] == '+' {
		return no("TEST_TIMESTAMP", "D-TIMESTAMP must be Unix milliseconds")
	}
	off := s.now().UnixMilli() - ms
	if s.setting("timestamp_offset", "0") == "+8h" {
		off += 8 * 3600 * 1000
	}
	if off > 120000 || off < -120000 {
		return no("TEST_TIMESTAMP", "D-TIMESTAMP is more than 2 minutes from the server's time")
	}
	body := in.body
	if strings.HasPrefix(h.Get("Content-Type"), "multipart/") && s.setting("sign_multipart_body", "empty") == "empty" {
		body = nil
	}
	want := s.signature(in.r.Method, stamp, in.r.URL, body)
	if want == "" || !hmac.Equal([]byte(h.Get("D-SIGNATURE")), []byte(want)) {
		return no("TEST_SIGNATURE", "D-SIGNATURE does not match the request")
	}
	return nil
}

// signature joins METHOD TIMESTAMP PATH QUERY BODY and hashes it (contract 3.3).
func (s *Sandbox) signature(method, stamp string, u *url.URL, body []byte) string {
	query := ""
	if u.RawQuery != "" {
		var parts []string
		for _, pair := range strings.Split(u.RawQuery, "&") {
			plain, err := url.QueryUnescape(pair)
			if err != nil {
				return ""
			}
			parts = append(parts, plain)
		}
		query = strings.Join(parts, "&")
	}
	path := u.EscapedPath()
	if s.setting("sign_path_includes_query", "no") == "yes" && u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	choice := strings.Split(s.setting("signature_profile", "none/hmac-sha256/api_secret/hex"), "/")
	if len(choice) != 4 {
		return ""
	}
	sep := map[string]string{"newline": "\n", "ampersand": "&"}[choice[0]]
	text := method + sep + stamp + sep + path + sep + query + sep + string(body)
	key := s.secret
	if choice[2] == "api_key" {
		key = s.key
	}
	var sum []byte
	switch choice[1] {
	case "hmac-sha512":
		m := hmac.New(sha512.New, []byte(key))
		m.Write([]byte(text))
		sum = m.Sum(nil)
	case "sha256-appended":
		d := sha256.Sum256([]byte(text + key))
		sum = d[:]
	default:
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(text))
		sum = m.Sum(nil)
	}
	switch choice[3] {
	case "base64":
		return base64.StdEncoding.EncodeToString(sum)
	case "HEX":
		return strings.ToUpper(hex.EncodeToString(sum))
	}
	return hex.EncodeToString(sum)
}

// signAnswer signs the answer with the request's parts, the answer's body and a timestamp of its own (WSPN-SIG-6).
func (s *Sandbox) signAnswer(w http.ResponseWriter, in *incoming, body []byte) {
	mode := s.setting("response_signature", "on")
	if mode == "off" {
		return
	}
	stamp := strconv.FormatInt(s.now().UnixMilli(), 10)
	sum := s.signature(in.r.Method, stamp, in.r.URL, body)
	if mode == "wrong" {
		sum = s.signature(in.r.Method, stamp, in.r.URL, append([]byte("x"), body...))
	}
	w.Header().Set("D-TIMESTAMP", stamp)
	w.Header().Set("D-SIGNATURE", sum)
}

// checkContentType refuses everything but JSON and text/plain on JSON paths, and everything but multipart on form paths (WSPN-CT-1).
func checkContentType(op operation, in *incoming) *reply {
	given := in.r.Header.Get("Content-Type")
	kind, attrs, err := mime.ParseMediaType(given)
	ok := err == nil && (kind == "application/json" || kind == "text/plain")
	if op.form {
		ok = err == nil && kind == "multipart/form-data" && attrs["boundary"] != ""
	}
	if charset := strings.ToLower(attrs["charset"]); charset != "" && charset != "utf-8" {
		ok = false
	}
	if len(in.body) == 0 && given == "" && !op.form {
		ok = true
	}
	if ok {
		return nil
	}
	bad := refuseHTTP(http.StatusUnsupportedMediaType, "TEST_CONTENT_TYPE", "this content type is not taken here")
	return &bad
}
