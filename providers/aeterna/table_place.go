package aeterna

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"countinghouse/models"
)

// replaceAt puts another value at a place of a JSON text ("operations/payout.create/fields/0/name") and leaves every other byte as it is.
func replaceAt(text []byte, place string, value []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	from, to, ok := valueAt(dec, strings.Split(place, "/"))
	if !ok {
		return nil, models.Errorf(models.Invalid, "The table has nothing at %s.", clip(place))
	}
	return slices.Concat(text[:from], value, text[to:]), nil
}

// valueAt finds where a value begins and ends.
func valueAt(dec *json.Decoder, steps []string) (from, to int64, ok bool) {
	if len(steps) == 0 {
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return 0, 0, false
		}
		to = dec.InputOffset()
		return to - int64(len(raw)), to, true
	}
	open, err := dec.Token()
	if err != nil || (open != json.Delim('{') && open != json.Delim('[')) {
		return 0, 0, false
	}
	for i := 0; dec.More(); i++ {
		here := strconv.Itoa(i)
		if open == json.Delim('{') {
			key, err := dec.Token()
			if err != nil {
				return 0, 0, false
			}
			here, _ = key.(string)
		}
		if here == steps[0] {
			return valueAt(dec, steps[1:])
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// keysAt lists the keys of an object of texts in the order in which they stand.
func keysAt(text []byte, place string) []string {
	from, to, ok := valueAt(json.NewDecoder(bytes.NewReader(text)), strings.Split(place, "/"))
	if !ok {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text[from:to]))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var out []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return out
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return out
		}
		name, _ := key.(string)
		out = append(out, name)
	}
	return out
}

// quoted writes a text as JSON and leaves <, > and & readable: the table is no HTML.
func quoted(s string) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}
