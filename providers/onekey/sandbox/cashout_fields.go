package sandbox

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// fieldProblem is a refusal of a field: 300, 303 for the bank code, 526, 533, 540, 543 or 565.
type fieldProblem struct {
	code    int
	message string
}

func wrong(name, why string) *fieldProblem { return &fieldProblem{300, name + ": " + why} }

// cashoutFields applies the field rules of contract 3.11.1 and section 5.
func (s *Sandbox) cashoutFields(m map[string]any) *fieldProblem {
	for _, f := range []struct {
		key, name string
		required  bool
		limit     int
	}{
		{"external_id", "externalId", true, 100}, {"country", "country", true, 2}, {"document_id", "documentId", true, 30},
		{"beneficiary_name", "beneficiaryName", true, 100}, {"beneficiary_lastname", "beneficiaryLastname", false, 100}, {"email", "email", false, 100},
		{"phone", "phone", false, 20}, {"address", "address", false, 255}, {"comments", "comments", false, 200}, {"notification_url", "notificationUrl", true, 300},
		{"bank_account", "bankAccount", false, 40}, {"bank_branch", "bankBranch", false, 20}, {"account_type", "accountType", false, 1}, {"document_type", "documentType", false, 10},
	} {
		v, there := m[f.key]
		text, isText := v.(string)
		switch {
		case there && v != nil && !isText:
			return wrong(f.name, "must be a string")
		case f.required && text == "":
			return wrong(f.name, "must not be empty")
		case utf8.RuneCountInString(text) > f.limit:
			return wrong(f.name, fmt.Sprintf("size must be between 0 and %d", f.limit))
		}
	}
	if pattern := s.setting("external_id_pattern", `^[A-Za-z0-9_-]{1,100}$`); !regexp.MustCompile(pattern).MatchString(str(m, "external_id")) {
		return wrong("externalId", "must match "+pattern)
	}
	if h, there := m["on_hold"]; there {
		if _, isBool := h.(bool); !isBool {
			return wrong("onHold", "must be a boolean")
		}
	}
	if p := reachable(str(m, "notification_url")); p != "" {
		return wrong("notificationUrl", p)
	}
	if p := s.cashoutMoney(m); p != nil {
		return p
	}
	return s.countryRules(m)
}

// reachable admits addresses on ports 80 and 443, which are the only ones ever contacted; this machine may use any port.
func reachable(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "must be a valid URL"
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback()) {
		return ""
	}
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		return "only ports 80 and 443 are contacted"
	}
	return ""
}

// https is what every address of the deposits family must be; this machine may be called over http.
func https(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

func currencyOf(country string) string {
	return map[string]string{"BR": "BRL", "CL": "CLP", "MX": "MXN", "CO": "COP", "AR": "ARS", "PE": "PEN", "EC": "USD", "UY": "UYU", "PY": "PYG", "BO": "BOB"}[country]
}

func (s *Sandbox) cashoutMoney(m map[string]any) *fieldProblem {
	text := numeric(m["amount"])
	if !amountShape.MatchString(text) || !decimal.RequireFromString(text).IsPositive() {
		return wrong("amount", "must be above zero with up to 2 decimals")
	}
	country, currency := str(m, "country"), str(m, "currency")
	if !regexp.MustCompile(`^[A-Z]{2}$`).MatchString(country) {
		return wrong("country", "must be an ISO 3166-1 code")
	}
	if local := currencyOf(country); currency != "USD" && local != "" && currency != local {
		return &fieldProblem{526, "Invalid currency"}
	}
	if currency == "CLP" && strings.Contains(text, ".") && !strings.HasSuffix(text, ".00") && !strings.HasSuffix(text, ".0") {
		return wrong("amount", "CLP has no decimals")
	}
	if least := decimal.RequireFromString(s.setting("minimum", "1")); decimal.RequireFromString(text).LessThan(least) {
		return &fieldProblem{533, "Amount below the minimum"}
	}
	return nil
}
