package models

import (
	"errors"
	"fmt"
)

// Code is the machine-readable half of an Error. The HTTP edge maps it to a status in one place.
type Code string

// The codes an Error may carry.
const (
	Invalid     Code = "invalid"      // the input breaks a rule; nothing changed (422)
	NotFound    Code = "not_found"    // no such thing, or not visible to this person (404)
	Forbidden   Code = "forbidden"    // a permission is missing; Need names it (403)
	Conflict    Code = "conflict"     // the thing is not in a state that allows this (409)
	StepUp      Code = "step_up"      // the second factor must be shown again first (403, then back)
	Throttled   Code = "throttled"    // too many tries (429)
	Unavailable Code = "unavailable"  // something we depend on does not answer (503)
	Unsigned    Code = "unauthorised" // nobody is signed in (401)
)

// Error is a refusal or a failure that a person will read: a code for the program and one sentence for people. The sentence never
// holds a secret, a stack trace or an SQL fragment.
type Error struct {
	Code     Code
	Sentence string
	Field    string     // the form field at fault, if there is one
	Fields   []Problem  // several fields at fault
	Need     Permission // with Forbidden: the permission that is missing
	Err      error      // the cause, for the log only
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Sentence + ": " + e.Err.Error()
	}
	return e.Sentence
}

func (e *Error) Unwrap() error { return e.Err }

// Problem says what is wrong with one field.
type Problem struct {
	Field    string // the field's name as the form knows it
	Sentence string // for people: what is wrong and what would be right
}

// Errorf makes an Error from a code and a sentence.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Sentence: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Invalid error that points at a field.
func FieldErrorf(field, format string, args ...any) *Error {
	s := fmt.Sprintf(format, args...)
	return &Error{Code: Invalid, Sentence: s, Field: field, Fields: []Problem{{field, s}}}
}

// Problems makes one Invalid error out of several problems, or nil if there are none.
func Problems(ps []Problem) error {
	if len(ps) == 0 {
		return nil
	}
	e := &Error{Code: Invalid, Sentence: ps[0].Sentence, Field: ps[0].Field, Fields: ps}
	if len(ps) > 1 {
		e.Sentence = fmt.Sprintf("%d fields need another look", len(ps))
	}
	return e
}

// CodeOf tells the code of an error; an error that is not ours has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool { return CodeOf(err) == code }
