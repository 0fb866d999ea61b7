package aeterna

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"countinghouse/models"
)

const (
	maxTableBytes = 64 << 10
	maxTableDepth = 12
	maxProblems   = 20
)

// ParseTable reads and checks an operation table. It takes nothing on trust: one JSON object in UTF-8 of at most 64 KiB, no key twice, no
// key that does not exist, every value of its type and within its rules. Each problem names its place ("operations.payout.create.path")
// and says what would be right; at most twenty are given. The table is nil when there is any problem.
func ParseTable(text []byte) (*Table, []models.Problem) {
	if err := plainText(text); err != nil {
		return nil, []models.Problem{{Field: settingTable, Sentence: err.Error()}}
	}
	tree, err := readTree(text)
	if err != nil {
		return nil, []models.Problem{{Field: settingTable, Sentence: err.Error()}}
	}
	var c tableCheck
	c.keys(tree, reflect.TypeFor[Table](), "")
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	var t Table
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, []models.Problem{{Field: settingTable, Sentence: decodeSentence(err)}}
	}
	c.table(&t)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return &t, nil
}

func plainText(text []byte) error {
	switch {
	case len(text) > maxTableBytes:
		return models.Errorf(models.Invalid, "The table has %d bytes; at most %d are allowed.", len(text), maxTableBytes)
	case !utf8.Valid(text):
		return models.Errorf(models.Invalid, "The table is not UTF-8 text.")
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return models.Errorf(models.Invalid, "The table begins with an invisible byte-order mark. Remove it.")
	}
	return nil
}

// readTree reads exactly one JSON object and refuses repeated keys and deep nesting.
func readTree(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	tree, err := treeValue(dec, text, "", 0)
	if err != nil {
		return nil, err
	}
	if _, ok := tree.(map[string]any); !ok {
		return nil, models.Errorf(models.Invalid, "The table must be one JSON object, beginning with “{”.")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, models.Errorf(models.Invalid, "There is something behind the end of the table.")
	}
	return tree, nil
}

func treeValue(dec *json.Decoder, text []byte, place string, depth int) (any, error) {
	if depth > maxTableDepth {
		return nil, models.Errorf(models.Invalid, "The table is nested too deeply at %s.", place)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, notJSON(dec, text)
	}
	switch token {
	case json.Delim('{'):
		return treeObject(dec, text, place, depth)
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := treeValue(dec, text, fmt.Sprintf("%s[%d]", place, len(list)+1), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if _, err := dec.Token(); err != nil {
			return nil, notJSON(dec, text)
		}
		return list, nil
	}
	return token, nil
}

func treeObject(dec *json.Decoder, text []byte, place string, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, notJSON(dec, text)
		}
		at := dotted(place, key)
		if _, twice := object[key]; twice {
			return nil, models.Errorf(models.Invalid, "%s is written twice.", at)
		}
		if object[key], err = treeValue(dec, text, at, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(dec, text)
	}
	return object, nil
}

// notJSON says in which line the text stops being JSON.
func notJSON(dec *json.Decoder, text []byte) error {
	offset := min(int(dec.InputOffset()), len(text))
	line := 1 + bytes.Count(text[:offset], []byte("\n"))
	return models.Errorf(models.Invalid, "The table is not valid JSON at line %d: a comma, a bracket or a quotation mark is missing or too many.", line)
}

func dotted(place, key string) string {
	if len(key) > 40 {
		key = key[:40] + "…"
	}
	key = strings.ToValidUTF8(key, "")
	if place == "" {
		return key
	}
	return place + "." + key
}

// decodeSentence explains a value of the wrong type.
func decodeSentence(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s must be %s, not %s.", wrong.Field, typeWord(wrong.Type), article(wrong.Value))
	}
	return "The table cannot be read: a value is of the wrong type."
}

func typeWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text in quotation marks"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list in square brackets"
	}
	return "an object in curly brackets"
}

func article(word string) string {
	if word != "" && strings.ContainsRune("aeio", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}

// keys checks that every key of the tree exists, letter by letter; encoding/json alone would take “Path” for “path”.
func (c *tableCheck) keys(tree any, t reflect.Type, place string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := tree.(type) {
	case map[string]any:
		c.objectKeys(v, t, place)
	case []any:
		if t.Kind() == reflect.Slice {
			for i, x := range v {
				c.keys(x, t.Elem(), fmt.Sprintf("%s[%d]", place, i+1))
			}
		}
	}
}

func (c *tableCheck) objectKeys(object map[string]any, t reflect.Type, place string) {
	switch t.Kind() {
	case reflect.Map:
		for _, k := range sortedKeys(object) {
			c.keys(object[k], t.Elem(), dotted(place, k))
		}
	case reflect.Struct:
		known := map[string]reflect.Type{}
		var names []string
		for i := range t.NumField() {
			name := t.Field(i).Tag.Get("json")
			known[name] = t.Field(i).Type
			names = append(names, name)
		}
		for _, k := range sortedKeys(object) {
			field, ok := known[k]
			if !ok {
				slices.Sort(names)
				c.add(dotted(place, k), "is not known here. Known are: %s.", strings.Join(names, ", "))
				continue
			}
			if object[k] == nil {
				c.add(dotted(place, k), "is null. Leave it out instead.")
				continue
			}
			c.keys(object[k], field, dotted(place, k))
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
