package models

import (
	"encoding/json"
	"fmt"
)

// AuditEntry is one line of the audit trail: who did or saw what, when, from where, and what changed. Entries are never changed; each
// one's Hash covers all its fields and the Hash of the one before.
type AuditEntry struct {
	Seq          int64 // 1, 2, 3, … without gaps
	At           Micros
	ActorID      string // empty when a task acted
	ActorName    string
	Task         string // empty when a person acted
	Session      string // id of the session, not its token
	IP           string
	Action       string // noun.verb, for example "user.suspend"
	Noun         string
	NounID       string
	Sentence     string // for people
	BeforeDigest string // SHA-256 of the redacted JSON; empty when there was nothing before
	AfterDigest  string
	Before       string // the redacted JSON itself while it is small; the digest covers it either way
	After        string
	Hash         string
}

// Link is the text whose SHA-256, in lower-case hex, is the entry's Hash: the hash of the entry before it, a line end, and the JSON of all
// fields with an empty Hash. encoding/json writes struct fields in their order and escapes strings in one way only, so the bytes are the
// same every time as long as the struct keeps its order.
func (e AuditEntry) Link(prev string) []byte {
	e.Hash = ""
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and integers only: cannot happen
	}
	return append(append([]byte(prev), '\n'), b...)
}

// AuditFilter narrows the audit trail. Empty fields do not narrow.
type AuditFilter struct {
	ActorID string
	Action  string
	Noun    string
	NounID  string
	From    Micros // inclusive
	To      Micros // exclusive
	Before  int64  // keyset: only entries with a smaller Seq
	Limit   int    // 50 when zero, 500 at most
}

// AuditAnchor is a signed checkpoint: at that moment the chain ended with Seq and Hash. Kept outside, it proves a later cut or rewrite.
type AuditAnchor struct {
	Seq       int64  `json:"seq"`
	Hash      string `json:"hash"`
	At        Micros `json:"at_us"`
	KeyID     string `json:"key_id"`
	Signature string `json:"signature"` // Ed25519 over "countinghouse audit anchor\n" + seq + "\n" + hash + "\n" + at_us, base64
}

// Text is what the anchor's signature covers.
func (a AuditAnchor) Text() []byte {
	return fmt.Appendf(nil, "countinghouse audit anchor\n%d\n%s\n%d", a.Seq, a.Hash, a.At)
}

// AuditReport is the answer of a verification.
type AuditReport struct {
	Entries int64  // how many entries were read
	Anchors int    // how many anchors agreed
	Head    string // the hash of the last entry
	Broken  int64  // the first entry that does not fit; zero when the chain is whole
	Why     string // a sentence for people when Broken is set
}

// Whole reports that nothing is missing and nothing was changed.
func (r AuditReport) Whole() bool { return r.Broken == 0 && r.Why == "" }
