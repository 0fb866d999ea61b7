package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strings"
)

func sign(secret string, parts ...string) string {
	h := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// listed tells whether the caller's address is on the merchant's list.
func (s *Sandbox) listed(r *http.Request) bool {
	list := s.opt.Settings["allowed_ips"]
	if list == "" {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && slices.Contains(strings.Split(list, ","), host)
}

// cashoutHTTP is the HTTP status of a cashouts code (OKP-ERR-2).
func (s *Sandbox) cashoutHTTP(code int) int {
	switch {
	case s.setting("http_status_map", "as_documented") == "all_200":
		return http.StatusOK
	case slices.Contains([]int{302, 401, 402, 524}, code):
		return http.StatusUnauthorized
	case slices.Contains([]int{504, 515, 538}, code):
		return http.StatusBadRequest
	case code == 537 || code == 703:
		return http.StatusInternalServerError
	}
	return http.StatusPreconditionFailed
}

func (s *Sandbox) cashoutError(code int, message string) reply {
	return answer(s.cashoutHTTP(code), map[string]any{"code": code, "message": message})
}

// cashoutAuth checks a cashouts call in the order of OKP-CHK-1: address, JSON, login and pass, signature, User-Agent.
func (s *Sandbox) cashoutAuth(c *call) (map[string]any, *reply) {
	fail := func(code int, message string) (map[string]any, *reply) {
		r := s.cashoutError(code, message)
		return nil, &r
	}
	if !s.listed(c.Request) {
		return fail(402, "Unregistered IP address")
	}
	m, err := object(c.body)
	if err != nil {
		return fail(502, "Malformed JSON body")
	}
	key := s.opt.Credential["cashout_api_key"]
	if key == "" || !equal(str(m, "login"), key) || !equal(str(m, "pass"), s.opt.Credential["cashout_api_passphrase"]) {
		return fail(401, "Invalid credentials")
	}
	if !equal(c.Header.Get("Payload-Signature"), sign(s.opt.Credential["cashout_api_signature"], string(c.body))) {
		return fail(302, "Invalid control string")
	}
	if strings.TrimSpace(c.Header.Get("User-Agent")) == "" {
		return fail(300, "User-Agent: must not be empty")
	}
	if !strings.HasPrefix(c.Header.Get("Content-Type"), "application/json") {
		return fail(300, "Content-Type: must be application/json")
	}
	return m, nil
}
