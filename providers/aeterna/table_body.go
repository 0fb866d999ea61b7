package aeterna

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"countinghouse/models"
)

// evidenceText gives what a dispute's evidence turns into: a link, or one file in the body.
func (in input) evidenceText(from string) (string, error) {
	if from == "evidence_link" {
		return in.link()
	}
	switch len(in.evidence) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", models.FieldErrorf("evidence", "This provider takes one file as evidence.")
	}
	d := in.evidence[0]
	switch from {
	case "evidence_base64":
		return base64.StdEncoding.EncodeToString(d.Body), nil
	case "evidence_name":
		return d.Name, nil
	case "evidence_type":
		return d.Type, nil
	}
	return "", nil
}

// link finds the address of a proof: the value proof_url, or a single document of type text/uri-list. Files cannot be sent this way,
// because multipart would break the documented content type (AET-L-4).
func (in input) link() (string, error) {
	link := strings.TrimSpace(in.values["proof_url"])
	for _, d := range in.evidence {
		if d.Type != "text/uri-list" || link != "" {
			return "", models.FieldErrorf("evidence", "This provider takes a link to the proof, not files, and only one: put the file where the provider can open it and give its https address.")
		}
		link = strings.TrimSpace(string(d.Body))
	}
	return link, nil
}

// flatText is a JSON scalar as it stands in a path, a query, a form or a header.
func flatText(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// quote writes a JSON string without escaping <, > and &, which only makes the exchange harder to read.
func quote(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimRight(b.Bytes(), "\n")
}

// node is one object of a request body; keys keep the order of the table.
type node struct {
	keys []string
	kids map[string]*node
	leaf json.RawMessage
}

func (n *node) put(path []string, value json.RawMessage) {
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	kid, ok := n.kids[path[0]]
	if !ok {
		kid = &node{}
		n.keys, n.kids[path[0]] = append(n.keys, path[0]), kid
	}
	if len(path) == 1 {
		kid.leaf = value
		return
	}
	kid.put(path[1:], value)
}

func (n *node) json() []byte {
	if n.leaf != nil {
		return n.leaf
	}
	b := []byte{'{'}
	for i, k := range n.keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(k)...), ':'), n.kids[k].json()...)
	}
	return append(b, '}')
}
