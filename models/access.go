package models

import "slices"

// AccessLine is one person in an access review, as they were at its moment.
type AccessLine struct {
	UserID     string
	Name       string
	Email      string
	State      UserState
	Roles      []Role
	Factor     bool // an authenticator app was set up
	Passkeys   int
	Since      Micros // when that became so
	LastSignIn Micros // up to the moment; zero: never
	Unknown    bool   // the person was there, and what they might do then is not known
}

// Comes reports whether the person could come in at all: active, and with a second factor.
func (l AccessLine) Comes() bool { return l.State == Active && l.Factor && !l.Unknown }

// May reports whether the person could do something at the moment of the review. What a role allows is as the program has it today.
func (l AccessLine) May(p Permission) bool { return l.Comes() && Actor{Roles: l.Roles}.Can(p) }

// AccessReview is who might do what at a moment.
type AccessReview struct {
	At     Micros
	People []AccessLine // by name
}

// AllPermissions lists every permission that a role carries, each once, in the order of the roles.
func AllPermissions() []Permission {
	var out []Permission
	for _, r := range Roles() {
		for _, p := range r.Permissions() {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}
