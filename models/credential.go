package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// CredentialState is where a set of keys stands.
type CredentialState string

// The states. Revoked is final: the secrets are gone.
const (
	CredentialDraft     CredentialState = "draft"     // written down; in live it waits for a second admin
	CredentialActive    CredentialState = "active"    // money may move by it
	CredentialSuspended CredentialState = "suspended" // nothing new is sent; questions and webhooks still work
	CredentialRevoked   CredentialState = "revoked"
)

// Word is the state as people read it.
func (s CredentialState) Word() string {
	switch s {
	case CredentialDraft:
		return "Draft"
	case CredentialActive:
		return "Active"
	case CredentialSuspended:
		return "Suspended"
	case CredentialRevoked:
		return "Revoked"
	}
	return string(s)
}

// Sentence explains the state to people.
func (s CredentialState) Sentence() string {
	switch s {
	case CredentialDraft:
		return "Written down and not yet in use. Test it, then activate it."
	case CredentialActive:
		return "In use: payouts and deposits go through it."
	case CredentialSuspended:
		return "Nothing new is sent through it. What is on its way is still followed: the provider is asked and its webhooks are read."
	case CredentialRevoked:
		return "Its secrets were destroyed. It stays here for the history only."
	}
	return ""
}

// Tone is how the state is coloured.
func (s CredentialState) Tone() string {
	switch s {
	case CredentialActive:
		return "ok"
	case CredentialDraft:
		return "wait"
	case CredentialSuspended:
		return "bad"
	}
	return "idle"
}

// Slot is which of a credential's sets of secrets is meant.
type Slot string

// The slots. Requests are signed with current. Next must pass the provider's reading calls before it may take over. Previous keeps
// verifying webhooks until its overlap ends and is the way back until it is revoked.
const (
	SlotCurrent  Slot = "current"
	SlotNext     Slot = "next"
	SlotPrevious Slot = "previous"
)

// Slots lists the slots in the order that verification tries them.
func Slots() []Slot { return []Slot{SlotCurrent, SlotNext, SlotPrevious} }

// Valid reports whether s is a slot.
func (s Slot) Valid() bool { return slices.Contains(Slots(), s) }

// Credential is one set of keys at one provider in one environment. It never carries a secret: Secrets tells what is kept, not its value.
type Credential struct {
	ID          string
	Provider    string
	Environment Environment
	Name        string // unique per provider and environment
	SubAccount  string // whose sub-account at the provider it belongs to, in the merchant's words
	Note        string
	EgressNote  string // which of our addresses the provider was told
	Values      map[string]string
	Settings    map[string]string
	State       CredentialState
	// Version grows with every change of values, settings or the secrets in use. A payout's payload digest carries it, so such a change
	// voids approvals that were given before it. The name and the notes are not part of it.
	Version    int64
	IssuedAt   Micros // when the provider issued the keys in use; zero: not told
	RotateBy   Micros // when they should be replaced
	RotateDays int    // how often the provider wants new keys
	TestedAt   Micros
	Tested     string // verdict of the last test of the slot in use: a providers.CheckVerdict
	TestNote   string // its sentence
	SkewSecs   int    // the provider's clock minus ours, when last seen
	CreatedAt  Micros
	CreatedBy  string // name
	UpdatedAt  Micros

	Use     CredentialUse
	Secrets []SecretKept
	Change  *CredentialChange // waiting for a second admin; nil if none
}

// CredentialUse is when a credential was last used and how that went. It is kept by the recorder of exchanges.
type CredentialUse struct {
	UsedAt    Micros
	OKAt      Micros // last answer below 500
	ErrorAt   Micros
	Error     string
	WebhookAt Micros // last delivery that was not forged
}

// SecretKept is what may be shown of a sealed secret.
type SecretKept struct {
	ID           string // row; part of what the sealing is bound to
	Slot         Slot
	Field        string
	Last4        string // empty for secrets that are too short to show any of
	Fingerprint  string
	SetAt        Micros
	SetBy        string
	OverlapUntil Micros // previous slot only: until then it verifies webhooks
	TestedAt     Micros // next slot only: when it passed the reading calls
}

// Has reports whether a slot holds any secret.
func (c Credential) Has(slot Slot) bool {
	return slices.ContainsFunc(c.Secrets, func(s SecretKept) bool { return s.Slot == slot })
}

// In lists the secrets of a slot.
func (c Credential) In(slot Slot) []SecretKept {
	var out []SecretKept
	for _, s := range c.Secrets {
		if s.Slot == slot {
			out = append(out, s)
		}
	}
	return out
}

// NextPassed reports whether every secret of the next slot has passed the reading calls.
func (c Credential) NextPassed() bool {
	next := c.In(SlotNext)
	return len(next) > 0 && !slices.ContainsFunc(next, func(s SecretKept) bool { return s.TestedAt == 0 })
}

// Basis is the digest of everything but secrets that decides how requests look and where they go. Evidence about a contract item counts
// only on the basis on which it was seen: a proof made with one auth_scheme says nothing about another.
func (c Credential) Basis() string { return Basis(c.Values, c.Settings) }

// Basis digests values and settings. encoding/json sorts map keys, so equal maps give equal digests.
func Basis(values, settings map[string]string) string {
	b, err := json.Marshal([]map[string]string{nonNil(values), nonNil(settings)})
	if err != nil {
		panic(err) // maps of strings: cannot happen
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// CredentialSpec is what an admin enters for a new credential. The caller has checked it against the provider's description.
type CredentialSpec struct {
	Provider    string
	Environment Environment
	CredentialNotes
	Values     map[string]string
	Settings   map[string]string
	Secrets    map[string]string // by field, in clear; sealed before anything is written
	IssuedAt   Micros            // zero: now
	RotateDays int               // zero: DefaultRotateDays
}

// CredentialNotes are the words around a credential. They decide nothing, so they can be changed at once.
type CredentialNotes struct {
	Name       string
	SubAccount string
	Note       string
	EgressNote string
}

// Check cleans the words and refuses what would spoil a page or a log line.
func (n *CredentialNotes) Check() error {
	var ps []Problem
	for _, f := range []struct {
		field, label string
		text         *string
		longest      int
	}{{"name", "name", &n.Name, 80}, {"sub_account", "sub-account note", &n.SubAccount, 200}, {"note", "note", &n.Note, 2000},
		{"egress_note", "egress note", &n.EgressNote, 200}} {
		*f.text = strings.TrimSpace(*f.text)
		switch {
		case !utf8.ValidString(*f.text) || strings.ContainsFunc(*f.text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
			ps = append(ps, Problem{f.field, "The " + f.label + " contains characters that cannot be shown."})
		case utf8.RuneCountInString(*f.text) > f.longest:
			ps = append(ps, Problem{f.field, fmt.Sprintf("The %s is longer than %d characters.", f.label, f.longest)})
		}
	}
	if n.Name == "" {
		ps = append(ps, Problem{"name", "Give the credential a name that people will recognise in a list."})
	}
	return Problems(ps)
}

// DefaultRotateDays is how long keys live when the provider names no period.
const DefaultRotateDays = 90

// Rotation says how urgent it is to replace the keys.
type Rotation string

// The degrees, by age of the keys: a badge from day 30, due within the last week, overdue from the rotation date.
const (
	RotationFresh   Rotation = "fresh"
	RotationAging   Rotation = "aging"
	RotationDue     Rotation = "due"
	RotationOverdue Rotation = "overdue"
)

const day = 24 * time.Hour

// Days is n whole days of 24 hours.
func Days(n int) time.Duration { return time.Duration(n) * day }

// Rotation judges the keys in use at a moment. Keys whose rotation date is not known are fresh: there is nothing to compare.
func (c Credential) Rotation(now Micros) Rotation {
	switch {
	case c.RotateBy == 0 || c.State == CredentialRevoked:
		return RotationFresh
	case now >= c.RotateBy:
		return RotationOverdue
	case now >= c.RotateBy.Add(-7*day):
		return RotationDue
	case c.IssuedAt != 0 && now >= c.IssuedAt.Add(30*day), c.IssuedAt == 0 && now >= c.RotateBy.Add(-30*day):
		return RotationAging
	}
	return RotationFresh
}

// Age is the whole days since the keys were issued; -1 when that is not known.
func (c Credential) Age(now Micros) int {
	if c.IssuedAt == 0 {
		return -1
	}
	return int(now.Time().Sub(c.IssuedAt.Time()) / day)
}

// DaysLeft is the whole days until the rotation date; negative when it is past.
func (c Credential) DaysLeft(now Micros) int {
	left := c.RotateBy.Time().Sub(now.Time())
	if left < 0 {
		return int((left - day + 1) / day)
	}
	return int(left / day)
}

// ReminderDays are the days before the rotation date on which people are reminded.
func ReminderDays() []int { return []int{30, 7, 1, 0} }
