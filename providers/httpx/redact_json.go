package httpx

import (
	"bytes"
	"encoding/json"
	"strings"
)

// maxNested is how many layers of JSON-in-a-string are opened. Deeper ones are still swept for literals.
const maxNested = 4

// jsonKeys blanks the values of the named keys. Valid JSON is walked exactly; anything else is walked as far as it looks
// like JSON and then swept for the names, at the price of blanking too much.
func (r *redaction) jsonKeys(b []byte) []byte {
	if len(r.json) == 0 {
		return b
	}
	out := r.walkJSON(b, 0)
	if !json.Valid(b) {
		out = r.sweepNames(out)
	}
	return out
}

// walkJSON copies b and replaces each value that belongs to a named key. It never recurses over depth, so a hostile
// nesting costs nothing, and it keeps every other byte as it was.
func (r *redaction) walkJSON(b []byte, nested int) []byte {
	var out []byte
	copied := 0
	for i := 0; i < len(b); {
		if b[i] != '"' {
			i++
			continue
		}
		end := stringEnd(b, i)
		colon := skipSpace(b, end)
		if colon < len(b) && b[colon] == ':' {
			value := skipSpace(b, colon+1)
			if r.json[strings.ToLower(unquote(b[i:end]))] {
				stop := valueEnd(b, value)
				out = append(append(out, b[copied:value]...), `"`+Redacted+`"`...)
				i, copied = stop, stop
				continue
			}
			i = value
			continue
		}
		if inner, changed := r.nestedJSON(b[i:end], nested); changed {
			out = append(append(out, b[copied:i]...), inner...)
			copied = end
		}
		i = end
	}
	if copied == 0 && out == nil {
		return b
	}
	return append(out, b[copied:]...)
}

// nestedJSON opens a string that itself holds an object or array.
func (r *redaction) nestedJSON(literal []byte, nested int) ([]byte, bool) {
	if nested == maxNested || len(literal) < 4 || !bytes.ContainsAny(literal, "{[") {
		return nil, false
	}
	inner := []byte(unquote(literal))
	if t := bytes.TrimSpace(inner); len(t) == 0 || t[0] != '{' && t[0] != '[' {
		return nil, false
	}
	clean := r.walkJSON(inner, nested+1)
	if bytes.Equal(clean, inner) {
		return nil, false
	}
	quoted, err := json.Marshal(string(clean))
	return quoted, err == nil
}

// sweepNames looks for the names in text that is not JSON and blanks what follows them.
func (r *redaction) sweepNames(b []byte) []byte {
	for _, name := range sortedNames(r.json) {
		b = sweepName(b, []byte(name))
	}
	return b
}

func sweepName(b, name []byte) []byte {
	lower := bytes.ToLower(b)
	if len(lower) != len(b) { // a rune that changes its length in lower case: compare as it is
		lower = b
	}
	var out []byte
	copied := 0
	for from := 0; ; {
		i := bytes.Index(lower[from:], name)
		if i < 0 {
			break
		}
		start := from + i
		from = start + len(name)
		if start < copied || start > 0 && wordByte(b[start-1]) || from < len(b) && wordByte(b[from]) {
			continue
		}
		value, stop, ok := looseValue(b, from)
		if !ok {
			continue
		}
		out = append(append(out, b[copied:value]...), Redacted...)
		copied, from = stop, stop
	}
	if copied == 0 {
		return b
	}
	return append(out, b[copied:]...)
}

// looseValue finds the value behind a name that ends at i: after quotes and space, one of : = >, and quotes again.
func looseValue(b []byte, i int) (start, stop int, ok bool) {
	for i < len(b) && (isSpace(b[i]) || b[i] == '"' || b[i] == '\'' || b[i] == '\\') {
		i++
	}
	if i == len(b) || b[i] != ':' && b[i] != '=' && b[i] != '>' {
		return 0, 0, false
	}
	element := b[i] == '>'
	if i++; i < len(b) && b[i] == '>' { // =>
		i++
	}
	if element {
		stop = i
		for stop < len(b) && b[stop] != '<' {
			stop++
		}
		return i, stop, stop > i
	}
	i = skipSpace(b, i)
	for i < len(b) && b[i] == '\\' {
		i++
	}
	if i == len(b) {
		return 0, 0, false
	}
	switch b[i] {
	case '"', '\'':
		stop = i + 1
		for stop < len(b) && b[stop] != b[i] {
			if b[stop] == '\\' && stop+1 < len(b) && b[stop+1] != b[i] {
				stop++
			}
			stop++
		}
		return i + 1, min(stop, len(b)), true
	case '{', '[': // not to be trusted to end where it seems to
		return i, len(b), true
	}
	stop = i
	for stop < len(b) && !isSpace(b[stop]) && !bytes.ContainsRune([]byte(",&;}]<\"'"), rune(b[stop])) {
		stop++
	}
	return i, stop, stop > i
}

// stringEnd is the index behind the closing quote of the string that starts at i, or the end.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// valueEnd is the index behind the JSON value at i. A value that never ends reaches to the end.
func valueEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			i++
		case ',':
			if depth == 0 {
				return i
			}
			i++
		default:
			if i++; depth > 0 {
				continue
			}
			for i < len(b) && !isSpace(b[i]) && !bytes.ContainsRune([]byte(",}]"), rune(b[i])) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
	return len(b)
}

func unquote(literal []byte) string {
	var s string
	if json.Unmarshal(literal, &s) == nil {
		return s
	}
	return strings.Trim(string(literal), `"`)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
