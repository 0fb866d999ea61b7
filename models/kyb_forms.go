package models

import (
	"regexp"
	"strings"
)

// KYBCaseForm is what people write about a company.
type KYBCaseForm struct {
	Company, Country, Type, RegNumber, Note string
}

// KYBFilter chooses cases.
type KYBFilter struct {
	Environment Environment
	State       KYBState
	Missing     bool // something is missing that is due
	Questions   bool
	Within      int    // days in which something ends; 0: not looked at
	Search      string // words of the company's name or its number in the register, each by its beginning
	Cursor      Cursor
	Limit       int
}

// KYBDocumentForm is what people write about a document.
type KYBDocumentForm struct {
	Kind, Holder, Issuer, Number, Issued, Expires string
}

// KYBDocumentPage is everything the page of a document shows.
type KYBDocumentPage struct {
	Document KYBDocument
	Case     KYBCase
	Versions []KYBVersion      // newest first
	Sent     []KYBSubmission   // in which it left
	Requests []ApprovalRequest // to delete it, newest first
}

// KYBDocumentFilter chooses documents across cases.
type KYBDocumentFilter struct {
	Environment Environment
	Kind        DocumentKind
	Unsorted    bool
	Cursor      Cursor
	Limit       int
}

// KYBDocumentRow is a document in the list of all.
type KYBDocumentRow struct {
	KYBDocument
	Company string
}

// KYBSubmissionFilter chooses submissions.
type KYBSubmissionFilter struct {
	Environment Environment
	State       KYBState
	Cursor      Cursor
	Limit       int
}

// KYBSubmissionPage is everything the page of a submission shows.
type KYBSubmissionPage struct {
	Submission KYBSubmission
	Case       KYBCase
	Link       KYBLink
	Call       *KYBCall
	Requests   []ApprovalRequest
	Newer      []string // names of documents of which there is a newer version than the one in the set
}

// KYBCasePage is everything the page of a case shows.
type KYBCasePage struct {
	Case        KYBCase
	Links       []KYBLink
	Documents   []KYBDocument
	Submissions []KYBSubmission     // newest first
	Tasks       []KYBTask           // open ones first
	Events      []KYBEvent          // newest first
	Sent        map[string]bool     // versions that a provider has, by link and version
	Rules       map[string]KYBRules // of each link's provider under the settings of its credential
}

// KYBRunPage is a run with what it carries.
type KYBRunPage struct {
	Run         KYBRun
	Calls       []KYBCall
	Submissions []KYBSubmission
}

// KYBHome is what the first page says of KYB.
type KYBHome struct {
	Expired, In7, In30, In60 int64 // documents, each counted in the nearest
	Questions                int64 // cases with an open question
	Unknown                  int64 // submissions whose answer was lost
	First                    Date
}

var alpha3 = regexp.MustCompile(`^[A-Z]{3}$`)

// Check reads what was typed about a company and names what is wrong.
func (f KYBCaseForm) Check() (c KYBCase, err error) {
	var ps []Problem
	text := func(field, v string, max int, required bool) string {
		out, err := CleanText(field, v, max, required)
		if err != nil {
			ps = append(ps, Problem{Field: field, Sentence: err.Error()})
		}
		return out
	}
	c.Company, c.RegNumber, c.Note = text("company", f.Company, 200, true), text("reg_number", f.RegNumber, 60, false), text("note", f.Note, 2000, false)
	c.Country, c.Type = strings.ToUpper(strings.TrimSpace(f.Country)), CompanyType(f.Type)
	if !alpha3.MatchString(c.Country) {
		ps = append(ps, Problem{Field: "country", Sentence: "Write the country's three letters, for example SGP."})
	}
	if !Known(CompanyTypes(), c.Type) {
		ps = append(ps, Problem{Field: "type", Sentence: "Choose what kind of company it is."})
	}
	return c, Problems(ps)
}

// Check reads what was typed about a document and names what is wrong.
func (f KYBDocumentForm) Check() (d KYBDocument, number string, err error) {
	var ps []Problem
	add := func(field string, err error) {
		if err != nil {
			ps = append(ps, Problem{Field: field, Sentence: err.Error()})
		}
	}
	d.Kind = DocumentKind(f.Kind)
	if !Known(DocumentKinds(), d.Kind) {
		ps = append(ps, Problem{Field: "kind", Sentence: "Choose what it is."})
	}
	d.Holder, err = CleanText("holder", f.Holder, 120, false)
	add("holder", err)
	d.Issuer, err = CleanText("issuer", f.Issuer, 120, false)
	add("issuer", err)
	number, err = CleanText("number", f.Number, 60, false)
	add("number", err)
	d.Issued, err = ParseDate("issued", f.Issued)
	add("issued", err)
	d.Expires, err = ParseDate("expires", f.Expires)
	add("expires", err)
	if d.Issued != "" && d.Expires != "" && d.Expires <= d.Issued {
		ps = append(ps, Problem{Field: "expires", Sentence: "It expires before it was issued. Look at the two dates again."})
	}
	return d, number, Problems(ps)
}
