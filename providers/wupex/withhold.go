package wupex

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const withheld = "[withheld]"

// withhold makes the record of an answer that may hold codes (contract 4.2: never keep that body). It works by what may stay, not by
// what must go: texts and numbers survive only under keys known to be harmless at their place, so that a code under a name nobody
// expected is gone too. What is not JSON is replaced by its size.
func withhold(body []byte) []byte {
	if len(body) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		return fmt.Appendf(nil, "[%d bytes withheld: an answer to this call may hold codes]", len(body))
	}
	out, err := json.Marshal(keepHarmless(v, "", ""))
	if err != nil {
		return []byte(withheld)
	}
	return out
}

// keepHarmless copies v, which stands under key within the object that stands under parent.
func keepHarmless(v any, parent, key string) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, inner := range x {
			name := k
			if !nameable(k) {
				name = withheld
			}
			out[name] = keepHarmless(inner, key, k)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, inner := range x {
			out[i] = keepHarmless(inner, parent, key)
		}
		return out
	case string, json.Number:
		if !harmless(parent, key) {
			return withheld
		}
	}
	return v
}

// harmless lists what may be kept: the envelope, ids of the order, and what says which product a code is for.
func harmless(parent, key string) bool {
	switch key {
	case "orderName", "requestId", "totalAmount", "sku", "productCode", "productName", "expiry", "currency", "quantity", "referenceId":
		return true
	case "code":
		return parent == "error"
	case "message":
		return parent == "error" || parent == ""
	case "id":
		return parent == "data"
	}
	return false
}

// nameable is false for keys that do not look like the name of a field: a code may be used as a key.
func nameable(k string) bool {
	for i, r := range k {
		lower, upper := r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z'
		if !lower && (!upper || i == 0) && r != '_' {
			return false
		}
	}
	return k != "" && len(k) <= 40
}
