package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// problem is the failure envelope (WUPEX-ENVL-1), or the older top-level message by setting (WUPEX-ENVL-2).
func (s *Sandbox) problem(status int, code, message string) reply {
	if s.settings["error_shape"] == "top_message" {
		return answer(status, map[string]any{"status": false, "message": message})
	}
	return answer(status, map[string]any{"status": false, "error": map[string]any{"code": code, "message": message}})
}

func (s *Sandbox) invalid(message string) reply {
	return s.problem(http.StatusBadRequest, "INVALID_PAYLOAD", message)
}

// checkHeaders: key, no Authorization, language, then the content type of a POST.
func (s *Sandbox) checkHeaders(r *http.Request) (reply, bool) {
	keys := r.Header.Values("X-Api-Key")
	other := s.settings["other_environment_key"]
	switch {
	case len(keys) == 1 && other != "" && keys[0] == other && s.is("cross_env_key_answer", "403", false):
		return s.problem(http.StatusForbidden, "FORBIDDEN", "This key belongs to another environment."), true
	case len(keys) != 1 || keys[0] != s.key:
		return s.problem(http.StatusUnauthorized, "UNAUTHORIZED", "Missing or invalid API key."), true
	case s.is("refuse_authorization_header", "on", true) && (len(r.Header.Values("Authorization")) > 0 || strings.Contains(r.URL.RawQuery, s.key)): // WUPEX-AUTH-4
		return s.problem(http.StatusUnauthorized, "UNAUTHORIZED", "Send the key in x-api-key only."), true
	case s.is("require_accept_language", "on", true) && r.Header.Get("Accept-Language") != "en-US": // WUPEX-AUTH-2
		return s.invalid("Accept-Language must be en-US."), true
	}
	if r.Method == http.MethodPost {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			return s.problem(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Send application/json."), true
		}
	}
	return reply{}, false
}

// decode reads one JSON value of the body exactly; numbers keep their text.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the end")
	}
	return nil
}

// whole reads a JSON number that is written as an integer.
func whole(raw json.RawMessage) (int, bool) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(raw)))
	return n, err == nil
}

func text(raw json.RawMessage) (string, bool) {
	var out string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &out) != nil {
		return "", false
	}
	return out, true
}

// condition is one filter of a search.
type condition struct{ column, operator, value string }

// listing is a checked list request.
type listing struct {
	page, size    int
	column, order string
	search        []condition
}

// readListing checks the body of a list call; columns are the ones that may be searched.
func (s *Sandbox) readListing(body []byte, columns ...string) (listing, string) {
	out := listing{page: 1, size: 20} // WUPEX-PROD-2
	var m map[string]json.RawMessage
	if decode(body, &m) != nil || m == nil {
		return out, "The body must be a JSON object."
	}
	for key, raw := range m {
		var ok bool
		switch key {
		case "page":
			out.page, ok = whole(raw)
			ok = ok && out.page >= 1
		case "pageSize":
			out.size, ok = whole(raw)
			ok = ok && out.size >= 1 && out.size <= 100
		case "orderColumn":
			out.column, ok = text(raw)
			ok = ok && (out.column == "orderDate" || out.column == "orderAmount" || out.column == "orderName")
		case "order":
			out.order, ok = text(raw)
			ok = ok && (out.order == "DESC" || out.order == "ASC") // WUPEX-LIST-2
		case "search":
			out.search, ok = s.readSearch(raw, columns)
		default:
			ok = false
		}
		if !ok {
			return out, key + " is not valid."
		}
	}
	return out, ""
}

func (s *Sandbox) readSearch(raw json.RawMessage, columns []string) ([]condition, bool) {
	var list []map[string]json.RawMessage
	if decode(raw, &list) != nil {
		return nil, false
	}
	var out []condition
	for _, m := range list {
		column, a := text(m["column"])
		operator, b := text(m["operator"])
		value, c := text(m["value"]) // numbers too are sent as strings
		if !a || !b || !c || len(m) != 3 {
			return nil, false
		}
		known := operator == "Equals" || operator == "GreaterThan"
		found := false
		for _, x := range columns {
			found = found || x == column
		}
		if !known || !found {
			if s.is("unknown_filter_answer", "ignore", false) { // WUPEX-FLT-2
				continue
			}
			return nil, false
		}
		out = append(out, condition{column, operator, value})
	}
	return out, true
}
