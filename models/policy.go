package models

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policy is one rule of who must agree. Policies are ordered; the first that matches decides. Empty fields match everything.
type Policy struct {
	ID          string
	Position    int
	Name        string
	Environment Environment
	Kind        Kind
	Provider    string
	Asset       string
	MinMinor    int64 // inclusive; needs Asset
	MaxMinor    int64 // inclusive; 0: no upper end; needs Asset
	DayPerson   int64 // matches when the maker's sum in Asset over 24 hours, this one included, is above; 0: not looked at
	DayParty    int64 // the same for the destination
	NewParty    bool  // matches only when nothing was ever paid to this destination before
	Approvers   int   // how many people besides the maker
	Role        Role  // which role they must hold
	TTL         time.Duration
	Version     int64
}

// PolicyChange is a change to the list of rules: Delete, or the rule as it shall be. It holds only after a second person agreed.
type PolicyChange struct {
	Policy Policy
	Delete bool
}

// Sums are what a policy may look at beside the transaction itself.
type Sums struct {
	Person   int64 // minor units in the transaction's asset, last 24 hours, this one included
	Party    int64
	NewParty bool
}

// Matches reports whether the policy applies.
func (p Policy) Matches(t *Transaction, s Sums) bool {
	switch {
	case p.Environment != "" && p.Environment != t.Environment,
		p.Kind != "" && p.Kind != t.Kind,
		p.Provider != "" && p.Provider != t.Provider,
		p.Asset != "" && p.Asset != t.Amount.Asset,
		p.MinMinor > 0 && t.Amount.Minor < p.MinMinor,
		p.MaxMinor > 0 && t.Amount.Minor > p.MaxMinor,
		p.DayPerson > 0 && s.Person <= p.DayPerson,
		p.DayParty > 0 && s.Party <= p.DayParty,
		p.NewParty && !s.NewParty:
		return false
	}
	return true
}

// LastRule is what holds when no policy matches: two people from finance.
func LastRule() Policy {
	return Policy{ID: "last", Name: "Everything else", Approvers: 2, Role: Finance, TTL: 24 * time.Hour}
}

// Decide finds the policy that applies: the first that matches, or the last rule.
func Decide(policies []Policy, t *Transaction, s Sums) Policy {
	for _, p := range policies {
		if p.Matches(t, s) {
			return p
		}
	}
	return LastRule()
}

// Check refuses a policy that makes no sense.
func (p Policy) Check() error {
	var ps []Problem
	add := func(f, format string, a ...any) { ps = append(ps, Problem{f, fmt.Sprintf(format, a...)}) }
	if strings.TrimSpace(p.Name) == "" {
		add("name", "Give the rule a name that people will recognise on a timeline.")
	}
	if p.Environment != "" && !p.Environment.Valid() {
		add("environment", "The environment is sandbox or live.")
	}
	if p.Kind != "" && !p.Kind.Valid() {
		add("kind", "There is no such kind of transaction.")
	}
	if p.Asset == "" && (p.MinMinor > 0 || p.MaxMinor > 0 || p.DayPerson > 0 || p.DayParty > 0) {
		add("asset", "A limit needs a currency.")
	}
	if p.MinMinor < 0 || p.MaxMinor < 0 || (p.MaxMinor > 0 && p.MaxMinor < p.MinMinor) {
		add("max", "The upper end lies below the lower end.")
	}
	if p.Approvers < 0 || p.Approvers > 5 {
		add("approvers", "Between 0 and 5 people can be asked.")
	}
	if p.Approvers > 0 && !slices.Contains(RolesWith(PayoutsApprove), p.Role) {
		add("role", "People of this role may not approve, so the rule could never be met.")
	}
	if p.Approvers == 0 && p.Kind != Conversion && p.Kind != Transfer {
		add("approvers", "Money that leaves needs at least one more person; only conversions and transfers between own balances may go without.")
	}
	if p.TTL < time.Minute || p.TTL > 30*24*time.Hour {
		add("ttl", "An approval waits between one minute and thirty days.")
	}
	return Problems(ps)
}

// Sentence says the policy in one line, for the timeline and the review page.
func (p Policy) Sentence() string {
	who := "no second person"
	switch {
	case p.Approvers == 1:
		who = fmt.Sprintf("one approver from %s", p.Role)
	case p.Approvers > 1:
		who = fmt.Sprintf("%d approvers from %s", p.Approvers, p.Role)
	}
	return fmt.Sprintf("%s: %s", p.Name, who)
}
