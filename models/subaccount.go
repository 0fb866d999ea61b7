package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// SubAccount is one company's account below the merchant's, at one provider by one credential.
//
// What other parts of the program may rely on, KYB among them: ID is ours, made when the row is written, and never changes; Company, Country
// (ISO 3166-1 alpha-3 where the provider wants it), Type and Environment do not change after the account is open. TheirID is the provider's id:
// empty until the provider's own list has shown it (Open, Found, Ignored have it), never changed afterwards, and unique per credential. A
// provider that cannot be asked has none for ever (Own). A case about a company may therefore begin with ID alone; what is sent to the provider
// needs TheirID. Rows are never deleted. transactions.sub_account holds ID.
type SubAccount struct {
	ID           string
	Environment  Environment
	Provider     string
	CredentialID string
	TheirID      string // the provider's id, once its list has shown it
	TheirUserID  string
	TheirState   string // the provider's own word for its state, as last listed
	TheirType    string // the provider's own word for its type, as last listed
	Name         string // short, in the merchant's words: what the switch at the top shows
	Company      string // the full name
	Country      string
	Type         string // as the provider's form names it
	Email        string
	Username     string
	State        SubAccountState
	Reason       string // why it stands where it stands, if there is more to say
	Alert        string // something a person must look at; empty: nothing
	BatchID      string
	BatchRow     int    // the line of the file, counted from 1
	CallID       string // the last call that asked the provider for it
	Digest       string // of exactly what is sent
	Alone        bool   // sent in a call of its own, because a call for several was refused as a whole
	Tries        int    // calls that provably never left
	Missed       int    // complete lists, begun after the last call ended, that did not show it
	SendAfter    Micros
	SentAt       Micros // when the last call began
	AnsweredAt   Micros // when that call ended
	OpenedAt     Micros // when their id was seen first
	ListedAt     Micros // when the provider's list showed it last
	CreatedAt    Micros
	CreatedBy    string
	CreatedName  string
	UpdatedAt    Micros
	Version      int64
}

// SubAccountState is where a sub-account stands, in our words.
type SubAccountState string

// The states.
const (
	SubAccountWaiting   SubAccountState = "waiting"   // written down; nothing was sent
	SubAccountSending   SubAccountState = "sending"   // a call is under way
	SubAccountUnknown   SubAccountState = "unknown"   // it was sent and the answer was lost: the list is asked
	SubAccountAccepted  SubAccountState = "accepted"  // the provider said yes and no id: the list is asked
	SubAccountOpen      SubAccountState = "open"      // the provider lists it; their id is known
	SubAccountRefused   SubAccountState = "refused"   // nothing was created, and the provider or our own check said so
	SubAccountAbsent    SubAccountState = "absent"    // the answer was lost, and the lists show that nothing was created
	SubAccountWithdrawn SubAccountState = "withdrawn" // called off before anything was sent
	SubAccountFound     SubAccountState = "found"     // the provider lists it and we did not make it: it waits for review
	SubAccountIgnored   SubAccountState = "ignored"   // found, looked at, and left alone
	SubAccountOwn       SubAccountState = "own"       // our own record: the provider cannot be asked
)

// SubAccountStates lists the states in the order that pages show them.
func SubAccountStates() []SubAccountState {
	return []SubAccountState{SubAccountOpen, SubAccountWaiting, SubAccountSending, SubAccountAccepted, SubAccountUnknown, SubAccountAbsent, SubAccountRefused,
		SubAccountFound, SubAccountOwn, SubAccountWithdrawn, SubAccountIgnored}
}

var subAccountWords = map[SubAccountState][3]string{
	SubAccountWaiting:   {"Waiting", "wait", "It is written down and will be sent in a moment. Nothing was sent yet."},
	SubAccountSending:   {"Sending", "wait", "It is on its way to the provider."},
	SubAccountUnknown:   {"Outcome unknown", "odd", "It was sent and the answer was lost. The provider's list is being asked; nothing is sent again meanwhile."},
	SubAccountAccepted:  {"Accepted", "wait", "The provider said yes and gave no id. It is open here as soon as the provider's list shows it."},
	SubAccountOpen:      {"Open", "ok", "The provider lists it under its own id."},
	SubAccountRefused:   {"Refused", "bad", "Nothing was created at the provider."},
	SubAccountAbsent:    {"Not created", "odd", "The answer was lost, and the provider's complete lists do not show it. It can be sent again when an admin agrees."},
	SubAccountWithdrawn: {"Called off", "idle", "It was called off before anything was sent."},
	SubAccountFound:     {"To review", "odd", "The provider lists it, and it was not made here. Somebody in compliance must say what it is."},
	SubAccountIgnored:   {"Left alone", "idle", "The provider lists it; it was looked at and is not used here."},
	SubAccountOwn:       {"Own record", "ok", "This provider has no calls for sub-accounts: this is our own record of one."},
}

// Valid reports whether s is a state.
func (s SubAccountState) Valid() bool { return subAccountWords[s][0] != "" }

// Word is the state as people read it.
func (s SubAccountState) Word() string { return subAccountWords[s][0] }

// Tone is how the state is coloured.
func (s SubAccountState) Tone() string { return subAccountWords[s][1] }

// Sentence explains the state to people.
func (s SubAccountState) Sentence() string { return subAccountWords[s][2] }

// Usable reports whether transactions may be made for it: it exists.
func (s SubAccountState) Usable() bool { return s == SubAccountOpen || s == SubAccountOwn }

// Sought reports whether the provider's list is searched for it.
func (s SubAccountState) Sought() bool {
	return s == SubAccountUnknown || s == SubAccountAccepted || s == SubAccountAbsent || s == SubAccountSending
}

// The rules of the list that settles lost answers.
const (
	SubAccountsPerCall   = 25               // of one call that opens several; WSPN's KYB takes as many, for its batch-create no number is documented
	SubAccountsPerFile   = 1000             // rows of one CSV file
	AbsentLists          = 3                // complete lists without it before a lost answer counts as "not created"
	AbsentAfter          = 10 * time.Minute // and the last of them this long after the call ended
	SubAccountsRetry     = time.Minute      // after a list that could not be read, or while a credential cannot be used
	SubAccountsListEvery = time.Hour        // how often the list is read when nothing is sought
	SubAccountNotSent    = 6                // calls that provably never left before somebody is told; they are tried again all the same
)

// NextSubAccountList tells when the provider's list is read next while something sent at sent is sought: as often as an unknown outcome is
// asked for.
func NextSubAccountList(now, sent Micros) Micros {
	age := time.Duration(now-sent) * time.Microsecond
	for _, step := range []struct{ until, pause time.Duration }{{30 * time.Second, 5 * time.Second}, {2 * time.Minute, 30 * time.Second},
		{15 * time.Minute, 3 * time.Minute}, {time.Hour, 10 * time.Minute}} {
		if age < step.until {
			return now.Add(step.pause)
		}
	}
	return now.Add(SubAccountsListEvery)
}

// SubAccountSpec is what a new sub-account needs.
type SubAccountSpec struct {
	Name, Company, Country, Type, Email, Username string
}

// Digest is the SHA-256 of exactly what the provider is asked for.
func (s SubAccountSpec) Digest() string {
	b, err := json.Marshal([]string{s.Company, s.Country, s.Type, s.Email, s.Username})
	if err != nil { // strings always marshal
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// SpecOf is what a sub-account was asked for with.
func (a *SubAccount) SpecOf() SubAccountSpec {
	return SubAccountSpec{a.Name, a.Company, a.Country, a.Type, a.Email, a.Username}
}

// SubAccountKey is a text as names are compared: lower case, single spaces.
func SubAccountKey(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

var (
	emailShape    = regexp.MustCompile(`^[^@\s<>,;"]+@[^@\s<>,;"]+\.[^@\s<>,;"]+$`)
	usernameShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]*$`)
	countryShape  = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Clean trims and checks the parts of a new sub-account that every provider shares. asked tells that the provider will be asked: then e-mail,
// username, country and type must be there. What the provider itself wants is checked by its description.
func (s SubAccountSpec) Clean(asked bool) (SubAccountSpec, []Problem) {
	var ps []Problem
	for _, f := range []struct {
		field, label string
		to           *string
		max          int
		required     bool
	}{{"company", "company", &s.Company, 255, true}, {"name", "short name", &s.Name, 40, false}, {"country", "country", &s.Country, 3, asked},
		{"type", "type", &s.Type, 64, asked}, {"email", "e-mail", &s.Email, 255, asked}, {"username", "username", &s.Username, 255, asked}} {
		v, err := CleanText(f.field, *f.to, f.max, false)
		switch {
		case err != nil:
			ps = append(ps, Problem{f.field, strings.Replace(err.Error(), "This text", "The "+f.label, 1)})
			continue
		case v == "" && f.required:
			ps = append(ps, Problem{f.field, "The " + f.label + " is missing."})
		}
		*f.to = strings.Join(strings.Fields(v), " ")
	}
	s.Country = strings.ToUpper(s.Country)
	named := s.Name != ""
	if s.Name == "" {
		if r := []rune(s.Company); len(r) > 40 {
			s.Name = strings.TrimSpace(string(r[:39])) + "…"
		} else {
			s.Name = s.Company
		}
	}
	for i, f := range [][2]string{{"company", s.Company}, {"name", s.Name}} {
		if f[1] != "" && (i == 0 || named) && strings.ContainsRune("=+-@", rune(f[1][0])) {
			ps = append(ps, Problem{f[0], "The " + f[0] + " begins with " + f[1][:1] + ", which a spreadsheet would take for a formula. No company is called so."})
		}
	}
	if s.Country != "" && !countryShape.MatchString(s.Country) {
		ps = append(ps, Problem{"country", "The country is written with three letters, for example SGP."})
	}
	if s.Email != "" && !emailShape.MatchString(s.Email) {
		ps = append(ps, Problem{"email", "This is no e-mail address."})
	}
	if s.Username != "" && !usernameShape.MatchString(s.Username) {
		ps = append(ps, Problem{"username", "A username is made of letters, digits and . _ - + @ and begins with a letter or digit."})
	}
	return s, ps
}

// SubAccountFilter chooses sub-accounts for a list.
type SubAccountFilter struct {
	Environment Environment
	States      []SubAccountState
	Provider    string
	Search      string // by the beginning of company, short name or username, or their id exactly
	BatchID     string
	Attention   bool // only those that a person must look at
}

// SubAccountEvent is a line of a sub-account's story: what was done, what was asked, what was answered.
type SubAccountEvent struct {
	ID         string
	At         Micros
	What       string // created, sent, answer, list, matched, adopted …
	Sentence   string
	ActorName  string
	CallID     string
	ExchangeID string
}

// SubAccountPage is everything about one sub-account.
type SubAccountPage struct {
	SubAccount
	CredentialName  string
	CredentialState string
	Events          []SubAccountEvent // newest first
	Notes           []Note
	Change          *Change // a request to send again that waits for an admin
	List            SubAccountList
	Twins           []SubAccount // found rows that carry its username or company: candidates for a person's eye
}

// SubAccountList is what is known of a provider's own list, by credential.
type SubAccountList struct {
	CredentialID string
	ReadAt       Micros // when a complete list was read last
	Rows         int64
	Problem      string // why the last reading failed; empty: it did not
	ProblemAt    Micros
	NextAt       Micros
}

// SubAccountCall is one call that asks a provider for one or several sub-accounts: the intent is committed before the first byte leaves, and
// at most one is open per credential.
type SubAccountCall struct {
	ID           string
	Environment  Environment
	Provider     string
	CredentialID string
	Operation    string // create, batch
	Digest       string
	State        AttemptState
	StartedAt    Micros
	Deadline     Micros
	FinishedAt   Micros
	Code         string
	Message      string
	Instance     string
	ExchangeID   string
	SubAccounts  []SubAccount
}

// SubAccountBatch is one file of companies: what is wrong with its rows, and how far its good rows have come.
type SubAccountBatch struct {
	ID           string
	Environment  Environment
	Provider     string
	CredentialID string
	FileName     string
	FileDigest   string
	State        string // checked: nothing was made yet; started; withdrawn
	Rows         int
	Bad          int
	CreatedAt    Micros
	CreatedBy    string
	CreatedName  string
	StartedAt    Micros
	Lines        []SubAccountLine        // on the batch's own page
	Progress     map[SubAccountState]int // of the sub-accounts made from it
}

// Left tells how many sub-accounts of the batch are still on their way.
func (b *SubAccountBatch) Left() int {
	return b.Progress[SubAccountWaiting] + b.Progress[SubAccountSending] + b.Progress[SubAccountAccepted] + b.Progress[SubAccountUnknown]
}

// SubAccountLine is one row of a file.
type SubAccountLine struct {
	Row          int
	Spec         SubAccountSpec
	Problem      string // why it is not taken; empty: it is good
	SubAccountID string // once it was made
	State        SubAccountState
	TheirID      string
	Reason       string
}

// Working is the sub-account that a person works in; the zero value is all of them.
type Working struct {
	ID       string
	Name     string
	Company  string
	Provider string
}

// ListedSubAccount is one row of a provider's own list.
type ListedSubAccount struct {
	ID, UserID, Company, Country, Type, State, Username, Email string
}

// SubAccountListing is one reading of a provider's own list. What it shows exists; only a complete one says that something does not.
type SubAccountListing struct {
	StartedAt  Micros
	Complete   bool
	Problem    string // why it is not complete
	Rows       []ListedSubAccount
	ExchangeID string
}
