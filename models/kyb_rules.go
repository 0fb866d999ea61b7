package models

import (
	"slices"
	"strings"
)

// KYBResend says what a provider's contract allows after it refused or asked.
type KYBResend string

// The ways of a resubmission.
const (
	ResendWhole   KYBResend = "whole"   // the whole set again
	ResendChanged KYBResend = "changed" // only what changed since
)

// KYBRules is what a provider wants to know about a company: data of the provider's folder.
type KYBRules struct {
	Provider     string // folder name
	Title        string // for sentences
	Requirements []KYBRequirement
	MaxFiles     int   // of one company in one submission
	MaxCompanies int   // in one batch
	MaxFileBytes int64 // of one file
	MaxBytes     int64 // of all files of one submission
	BatchBytes   int64 // of all files of one call
	Resend       KYBResend
	States       map[string]KYBStanding // the provider's own words, in lower case
	Assumed      bool                   // the list is our guess; pages say so
	Note         string                 // one sentence about where the list comes from
	Items        []string               // contract items it rests on
}

// KYBRequirement is one line of a provider's list.
type KYBRequirement struct {
	ID         string // stable within the provider
	Title      string
	Help       string
	Kinds      []DocumentKind // any one of them meets it
	Types      []CompanyType  // empty: all
	DueDays    int            // 0: before documents are handed over; otherwise so many days after the account was linked
	MaxAgeDays int            // the document may not be older than this when it is looked at; 0: any age
	Expires    bool           // a document without an expiry date does not meet it
}

// For lists the requirements of a company type.
func (r KYBRules) For(t CompanyType) []KYBRequirement {
	var out []KYBRequirement
	for _, q := range r.Requirements {
		if len(q.Types) == 0 || slices.Contains(q.Types, t) {
			out = append(out, q)
		}
	}
	return out
}

// StandingOf turns a provider's word into ours; ok is false for a word that is not on its list: then nothing changes and people are told.
func (r KYBRules) StandingOf(word string) (KYBStanding, bool) {
	s, ok := r.States[strings.ToLower(strings.Join(strings.Fields(word), " "))]
	return s, ok
}

// until is the last day on which a document meets a requirement; ok is false when it never does. No end is an empty date.
func (q KYBRequirement) until(d KYBDocument) (Date, bool) {
	if d.State != DocumentKept || !slices.Contains(q.Kinds, d.Kind) {
		return "", false
	}
	if q.Expires && d.Expires == "" || q.MaxAgeDays > 0 && d.Issued == "" {
		return "", false
	}
	end := d.Expires
	if q.MaxAgeDays > 0 {
		if age := d.Issued.Add(q.MaxAgeDays); end == "" || age < end {
			end = age
		}
	}
	return end, true
}

// CheckFiles refuses a set that a provider would not take.
func (r KYBRules) CheckFiles(files []KYBFile) error {
	var sum int64
	for _, f := range files {
		sum += f.Size
		if r.MaxFileBytes > 0 && f.Size > r.MaxFileBytes {
			return FieldErrorf("files", "%s has %s; %s takes files of at most %s.", f.Name, Megabytes(f.Size), r.Title, Megabytes(r.MaxFileBytes))
		}
	}
	switch {
	case len(files) == 0:
		return FieldErrorf("files", "Choose at least one file.")
	case r.MaxFiles > 0 && len(files) > r.MaxFiles:
		return FieldErrorf("files", "%s takes at most %d files of a company at once; these are %d.", r.Title, r.MaxFiles, len(files))
	case r.MaxBytes > 0 && sum > r.MaxBytes:
		return FieldErrorf("files", "The files have %s together; %s takes at most %s at once.", Megabytes(sum), r.Title, Megabytes(r.MaxBytes))
	}
	return nil
}
