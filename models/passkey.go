package models

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Passkey is a key pair on a device of a person: it signs them in, and stands for the second factor, because the device checks a PIN, a finger
// or a face before it signs.
type Passkey struct {
	ID      string
	UserID  string
	Name    string
	Created Micros
	Used    Micros // zero: not yet
	Blocked Micros // its counter went back, so a copy may exist; it opens nothing from then on
	Synced  bool   // the device says that it is backed up, so it may be on several devices of the person
}

// PasskeySite is the name and address that passkeys are bound to.
type PasskeySite struct {
	Name   string // "pay.example.com"
	Origin string // "https://pay.example.com"
	Why    string // why this server has none, as a sentence; empty: it has
}

// The bounds of passkeys.
const (
	PasskeysEach    = 20 // per person
	PasskeyCeremony = 5 * time.Minute
)

// ParsePasskeyName checks what a passkey is called: 1 to 60 characters that can be shown.
func ParsePasskeyName(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > 60 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", FieldErrorf("name", "Give the passkey a name of 1 to 60 characters, such as the device it is on.")
	}
	return text, nil
}
