package models

import "fmt"

// SealedCode is one delivered code on its way into the database. What a customer would type is in Sealed alone; the rest is for telling
// codes apart.
type SealedCode struct {
	ID          string // the row it is sealed for: the sealed value opens in no other
	SKU         string
	Serial      string // masked
	Last4       string // empty for codes that are too short to show any of
	Expiry      string // the provider's own words
	Fingerprint string // keyed digest of order, code and pin
	Sealed      []byte // JSON of CodeValue
}

// CodeValue is what is sealed of a code. It is never logged, exported or kept in any other place.
type CodeValue struct {
	Code   string `json:"code"`
	Pin    string `json:"pin,omitempty"`
	Serial string `json:"serial,omitempty"`
	Expiry string `json:"expiry,omitempty"`
}

// CodeKept is a code as pages show it: masked.
type CodeKept struct {
	ID         string
	Position   int
	SKU        string
	Serial     string
	Last4      string
	Expiry     string
	ArrivedAt  Micros
	Reveals    int
	RevealedAt Micros
	RevealedBy string
}

// Masked is the line by which people tell a code: dots and its end.
func (c CodeKept) Masked() string {
	return "•••• •••• " + orText(c.Last4, "••••")
}

// Arrived says how many of the codes that were ordered are here.
func Arrived(have, ordered int) string {
	switch {
	case ordered < 1:
		return fmt.Sprintf("%d codes arrived", have)
	case ordered == 1:
		return fmt.Sprintf("%d of 1 code arrived", have)
	}
	return fmt.Sprintf("%d of %d codes arrived", have, ordered)
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
