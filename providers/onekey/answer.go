package onekey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"countinghouse/models"
)

// object is a JSON object of an answer. Keys are compared exactly; values are string, json.Number, bool, nil, object or []any.
type object map[string]any

const maxDepth = 24

var (
	errDeep  = errors.New("the answer is nested too deeply")
	errTwice = errors.New("the answer has the same key twice")
)

// readAnswer reads a whole answer strictly: valid UTF-8, one JSON value, no key twice, nothing behind it. Two readers of an answer with
// duplicate keys may see two different amounts, so such an answer is none.
func readAnswer(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the answer is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, fmt.Errorf("the answer is not the JSON it should be: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the end of the answer")
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		return readMembers(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

func readMembers(d *json.Decoder, depth int) (any, error) {
	o := object{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok {
			return nil, errors.New("a key is no string")
		}
		if _, twice := o[key]; twice {
			return nil, errTwice
		}
		if o[key], err = readValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return o, err
}

// readObject reads an answer that must be an object.
func readObject(body []byte) (object, error) {
	v, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("the answer is not a JSON object")
	}
	return o, nil
}

// text gives a string or a number as text; everything else, and text with control characters, is "".
func (o object) text(key string) string {
	switch v := o[key].(type) {
	case string:
		if len(v) > 2048 || strings.ContainsFunc(v, unicode.IsControl) {
			return ""
		}
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

// has reports whether the key is there with any value but null.
func (o object) has(key string) bool { return o[key] != nil }

// part gives an inner object, or an empty one.
func (o object) part(key string) object {
	p, _ := o[key].(object)
	return p
}

// list gives the objects of an inner array.
func (o object) list(key string) []object {
	all, _ := o[key].([]any)
	return objects(all)
}

func objects(all []any) []object {
	var out []object
	for _, v := range all {
		if p, ok := v.(object); ok {
			out = append(out, p)
		}
	}
	return out
}

var theirNumber = regexp.MustCompile(`^[1-9]\d{0,17}$`)

// id gives one of their numbers, which they write as a number here and as a string there ("cashout_id", "refund_id"); "" if it is none.
func (o object) id(key string) string {
	if v := o.text(key); theirNumber.MatchString(v) {
		return v
	}
	return ""
}

// money reads an amount that they write as number or string. ok is false when the key is there and holds no exact amount of the asset.
func (o object) money(key, asset string) (m models.Money, ok bool) {
	if !o.has(key) {
		return models.Money{}, true
	}
	d, err := models.ParseDecimal(o.text(key))
	if err != nil {
		return models.Money{}, false
	}
	m, err = models.MoneyOf(d, asset)
	return m, err == nil
}
