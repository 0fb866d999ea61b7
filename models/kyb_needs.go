package models

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement states.
const (
	NeedMet      = "met"
	NeedExpiring = "expiring" // met, and not for long
	NeedDue      = "due"      // missing now
	NeedLater    = "later"    // missing, due on Day
	NeedExpired  = "expired"  // there was one
)

// SoonExpiring is how many days before its end a met requirement counts as expiring: the first reminder.
const SoonExpiring = 60

// KYBReminderDays are the days before an end on which people are reminded.
func KYBReminderDays() []int { return []int{60, 30, 7} }

// Need is one requirement of one account as it stands.
type Need struct {
	LinkID      string
	Requirement KYBRequirement
	State       string
	Day         Date   // met and expiring: the last day it is met, empty for ever; later: when it is due
	DocumentID  string // what meets it, or met it last
}

// Needs holds a company's documents against the requirements of one account, as of a day.
func Needs(rules KYBRules, t CompanyType, link KYBLink, docs []KYBDocument, today Date) []Need {
	var out []Need
	for _, q := range rules.For(t) {
		n := Need{LinkID: link.ID, Requirement: q, State: NeedDue}
		for _, d := range docs {
			end, ok := q.until(d)
			if ok && (n.DocumentID == "" || end == "" || n.Day != "" && end > n.Day) {
				n.DocumentID, n.Day = d.ID, end
			}
			if ok && end == "" {
				break
			}
		}
		due := DateOf(link.OpenedAt).Add(q.DueDays)
		switch {
		case n.DocumentID != "" && (n.Day == "" || n.Day >= today.Add(SoonExpiring)):
			n.State = NeedMet
		case n.DocumentID != "" && n.Day >= today:
			n.State = NeedExpiring
		case n.DocumentID != "":
			n.State = NeedExpired
		case q.DueDays > 0 && due > today:
			n.State, n.Day = NeedLater, due
		}
		out = append(out, n)
	}
	return out
}

// Deadline is one line of the calendar. It does not depend on today, so it is kept until the documents change.
type Deadline struct {
	Day         Date
	What        string // expires, blocks, due
	CaseID      string
	Company     string
	DocumentID  string
	LinkID      string
	Provider    string
	Account     string
	Requirement string
	Sentence    string
}

// Kinds of deadlines.
const (
	DeadlineExpires = "expires" // a document ends
	DeadlineBlocks  = "blocks"  // from this day on an account misses something
	DeadlineDue     = "due"     // something must be handed in by this day
)

// Deadlines lists what ends and what falls due for one company, in order of days.
func Deadlines(c KYBCase, links []KYBLink, rules func(provider string) (KYBRules, bool), docs []KYBDocument) []Deadline {
	var out []Deadline
	for _, d := range docs {
		if d.State == DocumentKept && d.Expires != "" {
			out = append(out, Deadline{Day: d.Expires, What: DeadlineExpires, CaseID: c.ID, DocumentID: d.ID, Sentence: d.Title() + " expires"})
		}
	}
	for _, l := range links {
		r, ok := rules(l.Provider)
		if !ok {
			continue
		}
		for _, n := range Needs(r, c.Type, l, docs, "") { // as of the beginning of time nothing has ended yet
			x := Deadline{CaseID: c.ID, LinkID: l.ID, Provider: l.Provider, Account: l.Account, Requirement: n.Requirement.ID, DocumentID: n.DocumentID}
			switch {
			case n.DocumentID != "" && n.Day == "":
				continue
			case n.DocumentID != "":
				x.Day, x.What, x.Sentence = n.Day.Add(1), DeadlineBlocks, fmt.Sprintf("%s blocks account %s: no valid %s", r.Title, l.Account, lowerFirst(n.Requirement.Title))
			default:
				x.Day, x.What = DateOf(l.OpenedAt).Add(n.Requirement.DueDays), DeadlineDue
				x.Sentence = fmt.Sprintf("%s wants for account %s: %s", r.Title, l.Account, lowerFirst(n.Requirement.Title))
			}
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b Deadline) int { return strings.Compare(string(a.Day), string(b.Day)) })
	return out
}
