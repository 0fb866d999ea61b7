package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxAnswerDepth = 32
	maxAnswerNodes = 200_000
)

// Value is one value of a JSON answer, read so that a hostile or careless answer cannot mean two things: keys are
// compared exactly, a key given twice makes the whole answer unreadable, and numbers keep the text they arrived with.
// The zero Value is a value that is not there.
type Value struct{ v any }

// ReadJSON reads a whole answer. It is an error when the body is not exactly one JSON value in UTF-8, repeats a key
// within an object, or nests deeper than 32. The error never quotes the body.
func ReadJSON(body []byte) (Value, error) {
	if !utf8.Valid(body) {
		return Value{}, errors.New("the answer is not UTF-8 text")
	}
	r := &answerReader{dec: json.NewDecoder(bytes.NewReader(body))}
	r.dec.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return Value{}, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errors.New("the answer goes on after its end")
	}
	return Value{v}, nil
}

type answerReader struct {
	dec   *json.Decoder
	nodes int
}

func (r *answerReader) value(depth int) (any, error) {
	if r.nodes++; r.nodes > maxAnswerNodes {
		return nil, errors.New("the answer holds too many values")
	}
	t, err := r.dec.Token()
	if err != nil {
		return nil, errors.New("the answer is not JSON")
	}
	d, nested := t.(json.Delim)
	if !nested {
		return t, nil
	}
	if depth == maxAnswerDepth {
		return nil, fmt.Errorf("the answer is nested deeper than %d", maxAnswerDepth)
	}
	if d == '{' {
		return r.object(depth)
	}
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, r.end()
}

func (r *answerReader) object(depth int) (any, error) {
	m := map[string]any{}
	for r.dec.More() {
		t, err := r.dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errors.New("the answer is not JSON")
		}
		if _, twice := m[key]; twice {
			return nil, errors.New("the answer gives one of its keys twice")
		}
		if m[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return m, r.end()
}

func (r *answerReader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return errors.New("the answer is not JSON")
	}
	return nil
}

// Get gives the value of a key of an object; a value that is not there when there is none.
func (v Value) Get(key string) Value {
	m, _ := v.v.(map[string]any)
	return Value{m[key]}
}

// Fold gives the value of a key whose letter case is not known. Two keys that differ only in case are as good as none.
func (v Value) Fold(key string) Value {
	m, _ := v.v.(map[string]any)
	var out Value
	for k, x := range m {
		if strings.EqualFold(k, key) {
			if out.v != nil {
				return Value{}
			}
			out = Value{x}
		}
	}
	return out
}

// There reports whether the value is there and is not null.
func (v Value) There() bool { return v.v != nil }

// IsObject reports whether the value is an object.
func (v Value) IsObject() bool { _, ok := v.v.(map[string]any); return ok }

// IsList reports whether the value is an array.
func (v Value) IsList() bool { _, ok := v.v.([]any); return ok }

// List gives the elements of an array, none for anything else.
func (v Value) List() []Value {
	l, _ := v.v.([]any)
	out := make([]Value, len(l))
	for i, x := range l {
		out[i] = Value{x}
	}
	return out
}

// Text gives a string, empty for anything else.
func (v Value) Text() string { s, _ := v.v.(string); return s }

// Number gives a number exactly as it was written, empty for anything else.
func (v Value) Number() string { n, _ := v.v.(json.Number); return string(n) }

// Scalar gives a string or a number as text, for ids of which the type is not known.
func (v Value) Scalar() string {
	if s := v.Text(); s != "" {
		return s
	}
	return v.Number()
}

// Bool gives a boolean; ok is false for anything else.
func (v Value) Bool() (value, ok bool) { value, ok = v.v.(bool); return value, ok }

// Say makes a provider's text fit for a sentence: control and invisible characters become spaces, runs of space become
// one, and at most limit characters are kept.
func Say(text string, limit int) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Cf, r) {
			gap = n > 0
			continue
		}
		if n >= limit {
			return b.String() + "…"
		}
		if gap {
			b.WriteByte(' ')
			gap = false
			n++
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
