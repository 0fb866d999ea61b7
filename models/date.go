package models

import (
	"strings"
	"time"
)

// Date is a day as YYYY-MM-DD, without a time zone: what is printed on a passport. Empty means "none". Dates compare as text.
type Date string

// ParseDate reads what a person typed into a date field.
func ParseDate(field, text string) (Date, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return "", FieldErrorf(field, "Write a date as 2026-09-21.")
	}
	return Date(t.Format(time.DateOnly)), nil
}

// DateOf is the UTC day of a moment.
func DateOf(m Micros) Date { return Date(m.Time().Format(time.DateOnly)) }

// Time is the beginning of the day in UTC; the zero time for no date.
func (d Date) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Add moves a date by days; no date stays none.
func (d Date) Add(days int) Date {
	if d == "" {
		return ""
	}
	return Date(d.Time().AddDate(0, 0, days).Format(time.DateOnly))
}

// DaysUntil counts the days from one date to another.
func (d Date) DaysUntil(other Date) int { return int(other.Time().Sub(d.Time()).Hours() / 24) }
