package vault

import (
	"crypto/subtle"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode"
	"unicode/utf8"
)

// hidden is all that a Secret ever shows by itself.
const hidden = "[secret]"

// Secret is a value that no log, page, error, JSON or database column shows. The zero Secret is empty. The value is kept
// behind a pointer, because fmt prints unexported fields of others without asking them.
type Secret struct{ value *string }

// NewSecret takes a value into care.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal hands the value out. Call it where it is used: in a signature, a header, a provider's body.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is nothing inside.
func (s Secret) IsZero() bool { return s.value == nil || *s.value == "" }

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Last4 is the package's Last4 of the value.
func (s Secret) Last4() string { return Last4(s.Reveal()) }

// String, GoString and Format cover fmt, LogValue covers slog, the Marshal methods cover encoders.
func (s Secret) String() string { return hidden }

// GoString covers %#v.
func (s Secret) GoString() string { return hidden }

// Format covers every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue covers slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON covers encoding/json.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText covers XML, YAML and map keys.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// GobEncode refuses: a secret that must travel is sealed first.
func (s Secret) GobEncode() ([]byte, error) { return nil, errNotPlain }

// Value refuses: a secret enters the database sealed or not at all.
func (s Secret) Value() (driver.Value, error) { return nil, errNotPlain }

var errNotPlain = errors.New("vault: a secret is stored sealed, never plain")

// Last4 is the end of a secret by which people recognise it: its last four characters if it has at least twelve and they
// can be shown, otherwise "". Of a short secret four characters would be too much.
func Last4(plaintext string) string {
	if !utf8.ValidString(plaintext) || utf8.RuneCountInString(plaintext) < 12 {
		return ""
	}
	runes := []rune(plaintext)
	last := runes[len(runes)-4:]
	for _, r := range last {
		if !unicode.IsPrint(r) {
			return ""
		}
	}
	return string(last)
}
