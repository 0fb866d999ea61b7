package wspn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"countinghouse/models"
)

// maxDepth is how deep an answer may nest. The documented ones nest four levels.
const maxDepth = 32

// object is one JSON object of an answer, read by exact key. Numbers are json.Number: an id may exceed 2^53.
type object map[string]any

// parseJSON reads exactly one JSON value. Two keys of one object that are equal, or differ in case only, are an error: two readers
// would see two different amounts.
func parseJSON(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("it nests too deeply")
	}
	t, err := d.Token()
	if err != nil {
		return nil, errors.New("it is not whole JSON")
	}
	switch t {
	case json.Delim('{'):
		return readObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, closing(d)
	}
	return t, nil
}

func readObject(d *json.Decoder, depth int) (any, error) {
	o, seen := object{}, map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errors.New("it is not whole JSON")
		}
		key, ok := t.(string)
		if !ok {
			return nil, errors.New("it is not whole JSON")
		}
		if folded := strings.ToLower(key); seen[folded] {
			return nil, fmt.Errorf("the key %s stands twice", quote(key))
		} else {
			seen[folded] = true
		}
		if o[key], err = readValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	return o, closing(d)
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("it is not whole JSON")
	}
	return nil
}

// text gives a string member; a number is not a string.
func (o object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

// words gives a string or number member as it is written, for tables.
func (o object) words(key string) string {
	switch v := o[key].(type) {
	case string:
		return clean(v, 200)
	case json.Number:
		return clean(v.String(), 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// id gives an integer member: 1 to 2^63-1, written as an integer. A quoted integer is accepted too, because sub-account pages
// disagree about it (contract 8, row 9). Zero means absent or not an id.
func (o object) id(key string) int64 {
	var s string
	switch v := o[key].(type) {
	case json.Number:
		s = v.String()
	case string:
		s = v
	}
	return parseID(s)
}

// parseID reads a positive int64 written with digits only; 0 when it is none.
func parseID(s string) int64 {
	if s == "" || len(s) > 19 || strings.Trim(s, "0123456789") != "" || s[0] == '0' {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// amount gives a decimal written as a string, which is how WSPN writes every amount and rate.
func (o object) amount(key string) (decimal.Decimal, bool) {
	s, ok := o[key].(string)
	if !ok {
		return decimal.Decimal{}, false
	}
	d, err := models.ParseDecimal(s)
	return d, err == nil
}

func (o object) child(key string) object {
	c, _ := o[key].(object)
	return c
}

// rows gives a list of objects; a single object counts as a list of one, because result and resultList are not told apart everywhere
// (contract 8, row 16).
func rows(v any) []object {
	switch v := v.(type) {
	case []any:
		var out []object
		for _, x := range v {
			if o, ok := x.(object); ok {
				out = append(out, o)
			}
		}
		return out
	case object:
		return []object{v}
	}
	return nil
}

// listed gives the objects below the first of the keys that holds any. ok is false when none of the keys is there, or when one holds
// something that is no object: such an answer has not said "nothing".
func (o object) listed(keys ...string) (list []object, ok bool) {
	for _, k := range keys {
		v, present := o[k]
		if !present {
			continue
		}
		ok = true
		if v == nil {
			continue
		}
		list = rows(v)
		all, isList := v.([]any)
		if isList && len(list) != len(all) || !isList && len(list) != 1 {
			return nil, false
		}
		if len(list) > 0 {
			return list, true
		}
	}
	return list, ok
}

// raw writes an object back for the record of an entry.
func (o object) raw() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	return b
}

// clean makes a provider's text safe for a sentence: no control or invisible formatting characters, at most limit runes.
func clean(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == limit {
			b.WriteRune('…')
			break
		}
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}

func quote(s string) string { return "“" + clean(s, 40) + "”" }
