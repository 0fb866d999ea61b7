package wakapay

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// said quotes WakaPay's own words.
func (a answer) said() string {
	if a.message == "" {
		return ""
	}
	return " (" + a.message + ")"
}

func (c *client) caller() string {
	if c.cfg.CallerAddress == "" {
		return "Our calling address is on the health page."
	}
	return "We call from " + c.cfg.CallerAddress + "."
}

// failure turns an answer that is not wanted, or none, into an error for people.
func (c *client) failure(what string, a answer, err error) error {
	var auth *authFailure
	switch {
	case errors.As(err, &auth):
		return models.Errorf(models.Unavailable, "%s", auth.sentence)
	case err != nil:
		e := models.Errorf(models.Unavailable, "WakaPay could not be asked for %s. %s", what, sentence(err))
		e.Err = err
		return e
	}
	_, why := c.diagnose(a)
	code := models.Unavailable
	if a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusUnauthorized {
		code = models.Conflict
	}
	if a.status == http.StatusNotFound {
		code = models.NotFound
	}
	return models.Errorf(code, "WakaPay did not give %s: %s", what, why)
}

// diagnose says why an answer of a protected call is not a success.
func (c *client) diagnose(a answer) (providers.CheckVerdict, string) {
	n := "HTTP " + strconv.Itoa(a.status)
	switch {
	case a.status == http.StatusUnauthorized:
		return providers.KeysRejected, "it refuses a token that it has just given us" + a.said() + "."
	case a.status == http.StatusForbidden:
		return providers.IPNotListed, "it forbids the call (" + n + ")" + a.said() + ". " + c.caller()
	case a.status == http.StatusNotFound:
		return providers.NotEnabled, "it has no such record or rate" + a.said() + "."
	case a.status == http.StatusTooManyRequests:
		return providers.Unreachable, "it wants fewer calls at the moment" + a.said() + "."
	case a.status >= 500:
		return providers.Unreachable, "it has a fault of its own (" + n + ")" + a.said() + "."
	case a.failed:
		return providers.Unreadable, "it refuses the call (" + n + ")" + a.said() + "."
	}
	return providers.Unreadable, "its answer (" + n + ") is not one that the contract knows."
}

// sentence gives an httpx error as a sentence with its full stop.
func sentence(err error) string {
	var e *httpx.Error
	s := err.Error()
	if errors.As(err, &e) {
		s = e.Message
	}
	if s = strings.TrimSuffix(s, "."); s == "" {
		return "No answer came."
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
