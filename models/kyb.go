package models

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
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

// CompanyType is what kind of company a KYB case is about; the requirement lists of providers hang on it.
type CompanyType string

// DocumentKind is what a document is, in our words. Providers' requirements name kinds, so that one document serves many providers.
type DocumentKind string

// Choice is one value of a closed list with its words.
type Choice struct {
	Value, Label, Help string
}

// CompanyTypes lists the types.
func CompanyTypes() []Choice {
	return []Choice{{"corporate", "Company", "limited or public, trades goods or services"}, {"partnership", "Partnership", "partners who are liable themselves"},
		{"financial", "Financial institution", "licensed and supervised"}, {"exempt_financial", "Exempt financial institution", "works in finance under an exemption"}}
}

// DocumentKinds lists the kinds in the order of forms.
func DocumentKinds() []Choice {
	return []Choice{{"incorporation", "Certificate of incorporation", ""}, {"register", "Extract of the company register", ""}, {"articles", "Articles of association", ""},
		{"shareholders", "Register of shareholders", "who owns how much, down to people"}, {"directors", "Register of directors", ""},
		{"identity", "Passport or identity card", "of a director or owner"}, {"address_person", "Proof of a person's address", "not older than three months"},
		{"address_company", "Proof of the company's address", "not older than three months"}, {"bank", "Bank statement", "the company's own account"},
		{"licence", "Licence", "of the supervisor"}, {"exemption", "Letter of exemption", ""}, {"tax", "Tax certificate", ""}, {"aml", "Policy against money laundering", ""},
		{"resolution", "Resolution of the board", "who may act for the company"}, {"accounts", "Annual accounts", ""}, {"other", "Something else", "an answer to a question, for example"}}
}

// Label gives the words of a value of a closed list, or the value itself.
func Label[T ~string](list []Choice, v T) string {
	for _, c := range list {
		if c.Value == string(v) {
			return c.Label
		}
	}
	return string(v)
}

// Known reports whether a closed list has the value.
func Known[T ~string](list []Choice, v T) bool {
	return slices.ContainsFunc(list, func(c Choice) bool { return c.Value == string(v) })
}

// GuessKind proposes a kind by a file's name. It is a proposal in a form, never a decision.
func GuessKind(name string) DocumentKind {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, g := range []struct {
		kind  DocumentKind
		words []string
	}{{"identity", []string{"passport", "identity", "id", "idcard"}}, {"incorporation", []string{"incorporation", "coi", "formation"}}, {"articles", []string{"articles", "memorandum", "bylaws", "statutes"}},
		{"shareholders", []string{"shareholders", "shareholder", "owners", "ownership", "ubo", "cap"}}, {"directors", []string{"directors", "director", "officers"}},
		{"licence", []string{"licence", "license"}}, {"exemption", []string{"exemption", "exempt"}}, {"tax", []string{"tax", "vat", "tin"}}, {"aml", []string{"aml", "laundering"}},
		{"resolution", []string{"resolution", "minutes"}}, {"accounts", []string{"accounts", "balance", "audited", "financials"}}, {"bank", []string{"bank", "statement"}},
		{"address_company", []string{"utility", "lease", "address", "office", "rent"}}, {"register", []string{"register", "registry", "extract", "registration"}}} {
		for _, w := range words {
			if slices.Contains(g.words, w) {
				return g.kind
			}
		}
	}
	return ""
}

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

// KYBFile is one file of a submission, exactly as it leaves.
type KYBFile struct {
	VersionID, DocumentID string
	Kind                  DocumentKind
	Name                  string // unique within the submission
	Type                  string
	Size                  int64
	SHA256                string
}

// KYBSubmission is a set of files for one account at one provider.
type KYBSubmission struct {
	ID, CaseID, LinkID string
	Environment        Environment
	CredentialID       string
	Provider           string
	Account            string
	Company            string
	State              KYBState
	Digest             string
	Files              []KYBFile
	FileCount          int64
	Bytes              int64
	Note               string
	WordBefore         string // the provider's word when the files left
	RunID, CallID      string
	Message            string // what came of it, in a sentence
	CreatedAt          Micros
	CreatedBy          string
	CreatedName        string
	ApprovedAt         Micros
	ApprovedName       string
	SentAt             Micros
	SentName           string
	EndedAt            Micros
	NextAsk            Micros
	Asks               int64
}

// Digest is what an approval is bound to: to whom, and exactly which files in which order under which names.
func SubmissionDigest(environment Environment, credentialID, account string, files []KYBFile) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "kyb\n%s\n%s\n%s\n", environment, credentialID, account)
	for _, f := range files {
		_, _ = fmt.Fprintf(h, "%s\t%s\t%d\t%s\t%q\n", f.VersionID, f.SHA256, f.Size, f.Kind, f.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
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

// Megabytes writes a size for people.
func Megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MB"
}

// UniqueNames gives every file a name that the others do not have, because providers want that; the letter case does not count.
func UniqueNames(files []KYBFile) {
	seen := map[string]bool{}
	for i := range files {
		name := files[i].Name
		stem, ext := name, ""
		if at := strings.LastIndexByte(name, '.'); at > 0 {
			stem, ext = name[:at], name[at:]
		}
		for n := 2; seen[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s (%d)%s", stem, n, ext)
		}
		seen[strings.ToLower(name)] = true
		files[i].Name = name
	}
}

// KYBTask is a question that somebody must answer.
type KYBTask struct {
	ID, CaseID, LinkID string
	SubmissionID       string
	Text               string
	State              string // open, done
	CreatedAt          Micros
	Answer             string
	DoneAt             Micros
	DoneName           string
}

// KYBEvent is one line of a case's timeline.
type KYBEvent struct {
	At        Micros
	What      string
	Sentence  string
	ActorName string
}

// KYBRun is the handing over of one or many submissions through one credential.
type KYBRun struct {
	ID           string
	Environment  Environment
	CredentialID string
	Credential   string
	Provider     string
	State        string // running, done
	Total, Done  int64  // companies
	Accepted     int64
	Declined     int64
	Unknown      int64
	NotSent      int64
	CreatedAt    Micros
	CreatedBy    string
	CreatedName  string
	EndedAt      Micros
}

// KYBCall is one call to a provider: the intent that was committed before the first byte left.
type KYBCall struct {
	ID, RunID    string
	CredentialID string
	State        string // open, accepted, declined, not_sent, unknown
	Digest       string
	Companies    int64
	Files        int64
	Bytes        int64
	StartedAt    Micros
	EndedAt      Micros
	Code         string
	Message      string
	ExchangeID   string
}
