package models

import (
	"time"

	"github.com/google/uuid"
)

// Clock tells the time. Nothing else in the program calls time.Now for a moment that is stored, compared or shown.
type Clock func() time.Time

// Micros is a moment as UTC microseconds since 1970, as every table keeps it. Zero means "not yet".
type Micros int64

// At turns a time into Micros; the zero time becomes zero.
func At(t time.Time) Micros {
	if t.IsZero() {
		return 0
	}
	return Micros(t.UnixMicro())
}

// Time turns Micros back into a UTC time; zero becomes the zero time.
func (m Micros) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// Add moves a moment by a duration.
func (m Micros) Add(d time.Duration) Micros { return m + Micros(d.Microseconds()) }

// NewID makes a UUIDv7 in text form: unique, and sorted by the time of its making.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }
