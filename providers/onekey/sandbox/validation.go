package sandbox

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Sandbox) validationError(code int) reply {
	kind := map[int]string{202: "INVALID_REQUEST_BODY", 203: "FORBIDDEN_MERCHANT", 300: "INVALID_DOCUMENT", 301: "INVALID_BANK_CODE", 302: "INVALID_BANK_ACCOUNT", 303: "INVALID_BANK_BRANCH",
		305: "MISSING_REQUIRED_FIELDS", 306: "INVALID_PIX_KEY", 307: "COUNTRY_NOT_AVAILABLE", 308: "INVALID_AMOUNT", 309: "INVALID_CURRENCY", 310: "LIMIT_EXCEEDED", 311: "USER_LIMIT_EXCEEDED",
		400: "BANK_ACCOUNT_BLOCKED", 401: "BANK_ACCOUNT_CLOSED", 402: "INVALID_BENEFICIARY_NAME", 404: "INVALID_ACCOUNT_TYPE", 405: "TRANSFER_TYPE_NOT_SUPPORTED"}[code]
	status := http.StatusBadRequest
	if code == 203 {
		status = http.StatusForbidden
	}
	return depositError(status, code, kind, strings.ToLower(strings.ReplaceAll(kind, "_", " ")))
}

// validate opens both validation endpoints: the cashouts pair signs (OKP-SIG-6).
func (s *Sandbox) validate(c *call, operation string, fields ...string) (map[string]any, *reply) {
	if bad := s.signedAuth(c, "cashout_api_key", "cashout_api_signature"); bad != nil {
		return nil, bad
	}
	fail := func(code int) (map[string]any, *reply) {
		r := s.validationError(code)
		return nil, &r
	}
	m, err := object(c.body)
	if err != nil {
		return fail(202)
	}
	if s.opt.Settings["validation_enabled"] == "no" {
		return fail(203)
	}
	for _, f := range fields {
		if str(m, f) == "" {
			return fail(305)
		}
	}
	s.mu.Lock()
	code, _ := s.takeForced(operation)
	s.mu.Unlock()
	if code != 0 {
		return fail(code)
	}
	return m, nil
}

func (s *Sandbox) validateAccount(c *call) reply {
	m, bad := s.validate(c, "validation", "country", "document", "document_type")
	if bad != nil {
		return *bad
	}
	account, isObject := m["bank_account"].(map[string]any)
	if s.setting("validation_account_shape", "object") == "array" {
		list, _ := m["bank_account"].([]any)
		if len(list) == 1 {
			account, isObject = list[0].(map[string]any)
		} else {
			isObject = false
		}
	}
	code, isNumber := account["bank_code"].(json.Number)
	country := str(m, "country")
	switch {
	case !isObject || str(account, "account") == "":
		return s.validationError(305)
	case !slices.Contains(strings.Split(s.setting("countries", "BR,CL,MX,CO,AR,PE"), ","), country):
		return s.validationError(307)
	case m["amount"] != nil && !amountShape.MatchString(numeric(m["amount"])):
		return s.validationError(308)
	case m["currency"] != nil && str(m, "currency") != "USD" && str(m, "currency") != currencyOf(country):
		return s.validationError(309)
	case country == "BR" && !cpfFits(str(m, "document")):
		return s.validationError(300)
	case account["bank_code"] != nil && !isNumber:
		return s.validationError(301)
	}
	if country == "BR" {
		n, _ := strconv.Atoi(code.String())
		if _, known := brazilBank(bankCode(json.Number(strconv.Itoa(n)))); !known {
			return s.validationError(301)
		}
		if !regexp.MustCompile(`^[0-9xX-]{1,20}$`).MatchString(str(account, "account")) {
			return s.validationError(302)
		}
		if str(account, "branch") == "" {
			return s.validationError(303)
		}
	}
	return reply{status: http.StatusNoContent}
}

// validatePix answers at once that it is looking, and by callback what it found. Keys that begin with "other" or end with 0000 belong to
// somebody else.
func (s *Sandbox) validatePix(c *call) reply {
	m, bad := s.validate(c, "pix", "key_type", "document", "pix_key", "notification_url")
	if bad != nil {
		return *bad
	}
	kind, key, doc := str(m, "key_type"), str(m, "pix_key"), str(m, "document")
	shape := map[string]string{"DOCUMENT": `^\d{11}$`, "EMAIL": `^[^@\s]+@[^@\s]+$`, "PHONE": `^\+55\d{10,11}$`, "RANDOM_ID": `^[0-9a-f-]{36}$`}[kind]
	switch {
	case !cpfFits(doc):
		return s.validationError(300)
	case shape == "" || !regexp.MustCompile(shape).MatchString(key):
		return s.validationError(306)
	}
	found := map[string]any{"key_type": kind, "pix_key": key, "bank_account": "1234567", "bank_branch": "0199", "bank_code": 33, "ispb_code": 90400888, "account_type": "SAVINGS", "is_licensed": true}
	if strings.HasPrefix(key, "other") || strings.HasSuffix(key, "0000") || (kind == "DOCUMENT" && key != doc) {
		found = map[string]any{"document": doc, "pix_key": key, "message": "The key does not belong to the document", "status": "ERROR"}
	}
	cb := s.signedCallback("pix", str(m, "notification_url"), found, "", "")
	s.later(time.Duration(s.number("pix_ms", 50))*time.Millisecond, func() { s.notify(cb) })
	return answer(http.StatusOK, map[string]any{"document": doc, "pix_key": key, "message": "The Pix validation is in progress", "status": "IN_PROGRESS"})
}
