package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// signedAuth checks a call of the deposits family: headers (101), key (100), signature with the exact scheme word (102), date (103), an
// empty idempotency key (105). The validation endpoints use the cashouts pair and answer 102 with 401.
func (s *Sandbox) signedAuth(c *call, keyField, secretField string) *reply {
	validation := strings.HasPrefix(c.URL.Path, "/v5/")
	fail := func(status, code int, kind, text string) *reply {
		r := depositError(status, code, kind, text)
		return &r
	}
	if validation && !s.listed(c.Request) {
		return fail(http.StatusUnauthorized, 201, "INVALID_IP", "Unregistered IP address")
	}
	for _, h := range []string{"X-Date", "X-Login", "Authorization"} {
		if c.Header.Get(h) == "" {
			return fail(http.StatusBadRequest, 101, "MISSING_REQUIRED_HEADER", h+" is required")
		}
	}
	if c.Method == http.MethodPost && !strings.HasPrefix(c.Header.Get("Content-Type"), "application/json") {
		return fail(http.StatusBadRequest, 101, "MISSING_REQUIRED_HEADER", "Content-Type is required")
	}
	login := s.opt.Credential[keyField]
	if login == "" || !equal(c.Header.Get("X-Login"), login) {
		return fail(http.StatusUnauthorized, 100, "INVALID_CREDENTIALS", "Invalid credentials")
	}
	want := s.setting("auth_scheme", "D24") + " " + sign(s.opt.Credential[secretField], c.Header.Get("X-Date"), c.Header.Get("X-Login"), string(c.body))
	if !equal(c.Header.Get("Authorization"), want) {
		status := http.StatusBadRequest
		if validation {
			status = http.StatusUnauthorized
		}
		return fail(status, 102, "INVALID_SIGNATURE", "Invalid signature")
	}
	if !s.inWindow(c.Header.Get("X-Date")) {
		return fail(http.StatusBadRequest, 103, "INVALID_DATE_RANGE", "X-Date is out of range")
	}
	if keys, there := c.Header["X-Idempotency-Key"]; there && c.Method == http.MethodPost && strings.TrimSpace(keys[0]) == "" {
		return fail(http.StatusBadRequest, 105, "EMPTY_HEADER_VALUE", "X-Idempotency-Key is empty")
	}
	return nil
}

// inWindow accepts any RFC 3339 form within the window of OKP-SIG-5.
func (s *Sandbox) inWindow(date string) bool {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700"} {
		t, err := time.Parse(layout, date)
		if err != nil {
			continue
		}
		s.mu.Lock()
		off := time.Since(t) + s.skew
		s.mu.Unlock()
		return off.Abs() <= time.Duration(s.number("x_date_window", 300))*time.Second
	}
	return false
}

// onceOnly runs a POST under its idempotency key (OKP-IDEM-3): the first answer is replayed, or 104 refuses the key.
func (s *Sandbox) onceOnly(c *call, do func() reply) reply {
	key := c.Header.Get("X-Idempotency-Key")
	if key == "" || s.setting("idempotency_key_mode", "replay") == "omit" {
		return do()
	}
	key = c.URL.Path + " " + key
	s.mu.Lock()
	first, used := s.replays[key]
	if !used {
		s.replays[key] = depositError(http.StatusConflict, 104, "IDEMPOTENCY_KEY_ALREADY_USED", "The first request is still being processed")
	}
	s.mu.Unlock()
	if used {
		if s.setting("idempotency_key_mode", "replay") == "error" {
			return depositError(http.StatusBadRequest, 104, "IDEMPOTENCY_KEY_ALREADY_USED", "Idempotency key already used")
		}
		return first
	}
	rep := do()
	s.mu.Lock()
	s.replays[key] = rep
	s.mu.Unlock()
	return rep
}
