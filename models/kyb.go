package models

import (
	"slices"
	"unicode"
)

// KYBStanding is how a company stands with one provider.
type KYBStanding string

// The standings.
const (
	KYBNone     KYBStanding = "none"     // nothing was handed over
	KYBInReview KYBStanding = "review"   // handed over, the provider is looking
	KYBQuestion KYBStanding = "question" // the provider asks
	KYBVerified KYBStanding = "verified"
	KYBRefused  KYBStanding = "refused"
)

// KYBState is the state of a case or of a submission. One list serves both, so that the same word means the same everywhere.
type KYBState string

// The states. A case has the state of what is most urgent in it.
const (
	CaseCollecting KYBState = "collecting" // documents are being gathered; no submission yet
	SubWaiting     KYBState = "waiting"    // waits for the approval of a second person
	SubApproved    KYBState = "approved"   // may leave
	SubQueued      KYBState = "queued"     // in a run that is under way
	SubSending     KYBState = "sending"    // the one call is being made
	SubUnknown     KYBState = "unknown"    // the answer was lost; the provider is asked
	SubSubmitted   KYBState = "submitted"  // the provider has it
	SubQuestion    KYBState = "question"   // the provider asks
	SubVerified    KYBState = "verified"
	SubRefused     KYBState = "refused"   // the provider looked and refused
	SubDeclined    KYBState = "declined"  // the provider did not take the files
	SubRejected    KYBState = "rejected"  // by our own second person
	SubWithdrawn   KYBState = "withdrawn" // by its maker
	SubGivenUp     KYBState = "given_up"  // unknown, and two people decided to hand over anew
)

// KYBStates lists the states that a case can have, for filters.
func KYBStates() []KYBState {
	return []KYBState{CaseCollecting, SubWaiting, SubApproved, SubQueued, SubSending, SubUnknown, SubSubmitted, SubQuestion, SubRefused, SubDeclined, SubVerified}
}

// Open reports whether a submission is still under way, so that no second one of the same account may be made.
func (s KYBState) Open() bool {
	switch s {
	case SubWaiting, SubApproved, SubQueued, SubSending, SubUnknown, SubSubmitted:
		return true
	}
	return false
}

// urgency orders the states of a case's submissions: the case shows the highest.
func (s KYBState) urgency() int {
	return slices.Index([]KYBState{CaseCollecting, SubVerified, SubSubmitted, SubSending, SubQueued, SubApproved, SubWaiting, SubDeclined, SubRefused, SubUnknown, SubQuestion}, s)
}

// CaseState is the state of a case by the newest submission of each of its accounts.
func CaseState(newest []KYBState) KYBState {
	out := CaseCollecting
	for _, s := range newest {
		if s.urgency() > out.urgency() {
			out = s
		}
	}
	return out
}

// KYBCase is one company that must be proved to providers.
type KYBCase struct {
	ID          string
	Environment Environment
	Company     string
	Country     string // ISO 3166-1 alpha-3
	Type        CompanyType
	RegNumber   string
	Note        string
	State       KYBState
	Documents   int64
	Missing     int64 // requirements that no document meets and that are due before documents are handed over
	Questions   int64 // open ones
	NextDay     Date  // the nearest day on which something expires or falls due
	NextWhat    string
	CreatedAt   Micros
	CreatedBy   string
	CreatedName string
	UpdatedAt   Micros
	Version     int64
}

// KYBLink is an account at a provider that a company's documents are for.
type KYBLink struct {
	ID, CaseID   string
	Environment  Environment
	Provider     string
	CredentialID string
	Credential   string // its name
	Account      string // the provider's id of the account
	SubAccountID string // our record of it, if there is one
	Standing     KYBStanding
	Word         string // the provider's own word
	WordNote     string // what the provider said beside it
	WordAt       Micros
	OpenedAt     Micros
}

// KYBDocument is a document of a company, with the version that counts.
type KYBDocument struct {
	ID, CaseID  string
	Environment Environment
	Kind        DocumentKind // empty: not sorted yet
	Holder      string       // whose: a director's name
	Issuer      string
	NumberEnd   string // the last characters of its number; the number itself is sealed
	Issued      Date
	Expires     Date
	State       string // kept, deleting, deleted
	Versions    int64
	Current     KYBVersion
	CreatedAt   Micros
	UpdatedAt   Micros
	Version     int64
}

// States of a document or of one version.
const (
	DocumentKept     = "kept"
	DocumentDeleting = "deleting" // two people agreed; the file is being removed
	DocumentDeleted  = "deleted"  // the file is gone, its hash stays
)

// KYBVersion is one file of a document.
type KYBVersion struct {
	ID, DocumentID string
	Number         int64
	Key            string // in the file store
	Name           string
	Type           string // by content
	Size           int64
	SHA256         string
	Scan           string // clean, unscanned
	ScanNote       string
	Findings       []string // what a person should know before opening it
	State          string
	UploadedAt     Micros
	UploadedBy     string
	DeletedAt      Micros
	DeletedWhy     string
}

func lowerFirst(s string) string {
	r := []rune(s)
	if len(r) > 1 && unicode.IsUpper(r[0]) && unicode.IsLower(r[1]) {
		r[0] = unicode.ToLower(r[0])
	}
	return string(r)
}

// Title names a document for people: its kind and whose it is.
func (d KYBDocument) Title() string {
	title := "Document that is not sorted yet"
	if d.Kind != "" {
		title = Label(DocumentKinds(), d.Kind)
	}
	if d.Holder != "" {
		title += " of " + d.Holder
	}
	return title
}
