package models

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// VerificationTime is how long a provider's answer about a recipient, which comes by a call of theirs, is waited for.
const VerificationTime = 15 * time.Minute

// DestinationKind is what a destination is.
type DestinationKind string

// The kinds.
const (
	ToAddress DestinationKind = "address" // a crypto address on one network
	ToBank    DestinationKind = "bank"    // a bank account
	ToPIX     DestinationKind = "pix"
	ToMobile  DestinationKind = "mobile" // mobile money, a wallet behind a phone number
	ToTill    DestinationKind = "till"   // till or paybill
	ToCard    DestinationKind = "card"
)

// DestinationKinds lists the kinds in the order that filters offer them.
func DestinationKinds() []DestinationKind {
	return []DestinationKind{ToBank, ToPIX, ToMobile, ToTill, ToCard, ToAddress}
}

// Word is the kind as people read it.
func (k DestinationKind) Word() string {
	return map[DestinationKind]string{ToAddress: "Crypto address", ToBank: "Bank account", ToPIX: "PIX key", ToMobile: "Mobile money", ToTill: "Till or paybill", ToCard: "Card"}[k]
}

// Book names a list that a provider keeps of where it may pay to.
type Book string

// The books.
const (
	AddressesBook Book = "addresses"
	AccountsBook  Book = "accounts"
)

// DestinationState is where a destination stands. Cooling, usable and superseded follow from the clock: they are computed, not stored.
type DestinationState string

// The states. Waiting, approved, rejected and revoked are stored.
const (
	DestinationWaiting    DestinationState = "waiting"
	DestinationApproved   DestinationState = "approved" // stored only: it is shown as cooling, usable or superseded
	DestinationCooling    DestinationState = "cooling"
	DestinationUsable     DestinationState = "usable"
	DestinationSuperseded DestinationState = "superseded"
	DestinationRejected   DestinationState = "rejected"
	DestinationRevoked    DestinationState = "revoked"
)

// DestinationStates lists the states as filters offer them.
func DestinationStates() []DestinationState {
	return []DestinationState{DestinationWaiting, DestinationCooling, DestinationUsable, DestinationSuperseded, DestinationRejected, DestinationRevoked}
}

// Word is the state as people read it.
func (s DestinationState) Word() string {
	return map[DestinationState]string{DestinationWaiting: "Waiting for approval", DestinationApproved: "Approved", DestinationCooling: "Cooling down", DestinationUsable: "Usable",
		DestinationSuperseded: "Superseded", DestinationRejected: "Rejected", DestinationRevoked: "Revoked"}[s]
}

// Tone is how a state is coloured.
func (s DestinationState) Tone() string {
	switch s {
	case DestinationUsable:
		return "ok"
	case DestinationWaiting, DestinationCooling:
		return "wait"
	case DestinationRevoked, DestinationRejected:
		return "bad"
	}
	return "idle"
}

// Sentence explains the state to people.
func (s DestinationState) Sentence() string {
	switch s {
	case DestinationWaiting:
		return "A second person must agree. Nothing can be paid to it yet."
	case DestinationCooling:
		return "It is approved and waits out its time. Nothing can be paid to it before."
	case DestinationUsable:
		return "Payouts may go to it."
	case DestinationSuperseded:
		return "A newer version took its place. Nothing new goes to it."
	case DestinationRejected:
		return "It was not approved. Nothing can be paid to it."
	case DestinationRevoked:
		return "It was taken out of use. Nothing goes to it any more."
	}
	return ""
}

// DestinationLine is one value of a destination as its page shows it.
type DestinationLine struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Copy  bool   `json:"copy,omitempty"` // decides where money goes
}

// Destination is one place that money may go to. What is sensitive is sealed in the database: Values and Lines are filled only where a person
// who may see them asks for one destination.
type Destination struct {
	ID          string
	Environment Environment
	Kind        DestinationKind
	Form        string // the form it was made with: "crypto", "acme/accounts", "acme/pix_phone"
	Provider    string // empty: it fits every provider that pays such a destination
	Method      string // empty: every method that does
	Book        Book   // the provider's book it must stand in, if there is just one
	EntryField  string // the field of a payout that takes the book's id instead of the values
	Payment     []string
	Country     string
	Network     string
	Currency    string
	Title       string // of the form: "PIX by phone, Brazil"
	Name        string // what people call it
	Owner       string
	Masked      string // one short line for lists
	Purpose     string
	Notes       string

	Stored         DestinationState
	UsableFrom     Micros // the end of the waiting time; zero before approval
	SupersededBy   string
	SupersededFrom Micros
	Replaces       string
	ImportID       string
	Fingerprint    string // keyed; equal for the same place in one environment
	Digest         string // of everything an approver agrees to

	CreatedAt     Micros
	CreatedBy     string
	CreatedByName string
	DecidedAt     Micros
	DecidedByName string
	EndedAt       Micros
	EndedByName   string
	Reason        string // why it was rejected or revoked
	Version       int64

	Values map[string]string
	Lines  []DestinationLine
}

// StateAt tells where the destination stands at a moment. While the guard is off nothing waits.
func (d *Destination) StateAt(now Micros, g DestinationGuard) DestinationState {
	if d.Stored != DestinationApproved {
		return d.Stored
	}
	off := g.Off(now)
	switch {
	case d.SupersededFrom != 0 && (off || now >= d.SupersededFrom):
		return DestinationSuperseded
	case !off && now < d.UsableFrom:
		return DestinationCooling
	}
	return DestinationUsable
}

// Fits reports whether a payout by this provider and method can go to the destination as far as the two belong together.
func (d *Destination) Fits(provider, method string) bool {
	return (d.Provider == "" || d.Provider == provider) && (d.Method == "" || d.Method == method)
}

// Matches says whether the values of a payout are exactly the destination's. entry is the id of its entry in the book of the payout's
// credential, which stands in place of the values where EntryField says so. Only the fields named in Payment may be added; anything else
// could lead the money elsewhere.
func (d *Destination) Matches(values map[string]string, entry string) bool {
	want := d.Values
	if d.EntryField != "" {
		if entry == "" {
			return false
		}
		want = map[string]string{d.EntryField: entry}
	}
	for name, v := range want {
		if values[name] != v {
			return false
		}
	}
	for name, v := range values {
		if v != "" && want[name] != v && !slices.Contains(d.Payment, name) {
			return false
		}
	}
	return len(want) > 0
}

// DestinationSpec is a checked destination before it is written down: what a form's values say.
type DestinationSpec struct {
	Kind       DestinationKind
	Form       string
	Provider   string
	Method     string
	Book       Book
	EntryField string
	Payment    []string
	Country    string
	Network    string
	Currency   string
	Title      string
	Owner      string
	Masked     string
	Place      string   // equal for the same place; only its keyed fingerprint is stored
	PayDigest  string   // what payouts to it carry as their destination's digest; only its keyed fingerprint is stored
	Accounts   []string // whole account numbers and addresses as people search for them; only their keyed fingerprints are stored
	Values     map[string]string
	Lines      []DestinationLine
}

// DestinationWait is how long a new destination waits where nothing else was decided.
const DestinationWait = 24 * time.Hour

// Bounds of the waiting time: in live it is never shorter than an hour, in the sandbox it may be nothing.
const (
	DestinationWaitMin = time.Hour
	DestinationWaitMax = 30 * 24 * time.Hour
	GuardOffDelay      = 48 * time.Hour // between the second admin's word and the guard being off, or a shorter wait in live
)

// DestinationGuard is the rule of one environment for new destinations.
type DestinationGuard struct {
	Environment Environment
	Wait        time.Duration
	NextWait    time.Duration // a shorter wait that was agreed to and begins at NextFrom
	NextFrom    Micros        // zero: no shorter wait is to begin
	OffFrom     Micros        // zero: it stays on
	ChangedAt   Micros
	ChangedBy   string
}

// Off reports whether the waiting time is switched off.
func (g DestinationGuard) Off(now Micros) bool { return g.OffFrom != 0 && now >= g.OffFrom }

// Waits gives the waiting time in force.
func (g DestinationGuard) Waits(now Micros) time.Duration {
	if g.NextFrom != 0 && now >= g.NextFrom {
		return g.NextWait
	}
	return g.Wait
}

// CheckWait refuses a waiting time that makes no sense for an environment.
func CheckWait(env Environment, wait time.Duration) error {
	switch {
	case wait < 0 || wait > DestinationWaitMax:
		return FieldErrorf("hours", "A new destination waits between nothing and 30 days (720 hours).")
	case env == Live && wait < DestinationWaitMin:
		return FieldErrorf("hours", "In live a new destination waits at least one hour. Only in the sandbox may it be nothing.")
	}
	return nil
}

// DestinationFilter chooses destinations; it is what the list's address carries.
type DestinationFilter struct {
	Environment Environment
	Kinds       []DestinationKind
	States      []DestinationState
	Provider    string
	Country     string
	Search      string
	Problem     bool // only those whose entry at a provider needs somebody
	IDs         []string
}

// ParseDestinationFilter reads a list's query. What it cannot read it leaves out and names in problems.
func ParseDestinationFilter(env Environment, q url.Values) (f DestinationFilter, problems []Problem) {
	f.Environment = env
	for _, v := range words(q["kind"]) {
		if k := DestinationKind(v); slices.Contains(DestinationKinds(), k) {
			f.Kinds = append(f.Kinds, k)
		} else {
			problems = append(problems, Problem{"kind", "There is no kind " + printable(v) + "."})
		}
	}
	for _, v := range words(q["state"]) {
		if s := DestinationState(v); slices.Contains(DestinationStates(), s) {
			f.States = append(f.States, s)
		} else {
			problems = append(problems, Problem{"state", "There is no state " + printable(v) + "."})
		}
	}
	if p := words(q["provider"]); len(p) == 1 {
		f.Provider = p[0]
	}
	if c := words(q["country"]); len(c) == 1 && len(c[0]) == 2 {
		f.Country = strings.ToUpper(c[0])
	}
	f.Problem = q.Get("problem") == "1"
	s, err := CleanText("q", q.Get("q"), 100, false)
	if err != nil {
		problems = append(problems, Problem{"q", "This cannot be searched for."})
	}
	f.Search = s
	return f, problems
}

// Query writes the filter as a list's query, in one stable order.
func (f DestinationFilter) Query() url.Values {
	q := url.Values{}
	if len(f.Kinds) > 0 {
		q.Set("kind", strings.Join(stringsOf(f.Kinds), ","))
	}
	if len(f.States) > 0 {
		q.Set("state", strings.Join(stringsOf(f.States), ","))
	}
	for _, x := range [][2]string{{"provider", f.Provider}, {"country", f.Country}, {"q", f.Search}} {
		if x[1] != "" {
			q.Set(x[0], x[1])
		}
	}
	if f.Problem {
		q.Set("problem", "1")
	}
	return q
}

// DestinationCheck is one answer of a provider about a destination, kept as evidence.
type DestinationCheck struct {
	ID           string
	At           Micros
	CredentialID string
	Credential   string
	ByName       string
	Verdict      string
	Name         string // the owner as the provider has it
	Sentence     string
	ExchangeID   string
}

// DestinationEvent is one line of a destination's history.
type DestinationEvent struct {
	At        Micros
	What      string
	ActorName string
	Sentence  string
}

// folds are the letters with marks that names in our countries have, by the letter that people type instead.
var folds = strings.NewReplacer("á", "a", "à", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "ā", "a", "é", "e", "è", "e", "ê", "e", "ë", "e", "ė", "e", "ę", "e", "í", "i", "ì", "i", "î", "i", "ï", "i", "ó", "o", "ò", "o", "ô", "o",
	"õ", "o", "ö", "o", "ø", "o", "ú", "u", "ù", "u", "û", "u", "ü", "u", "ç", "c", "ć", "c", "č", "c", "ñ", "n", "ń", "n", "ý", "y", "š", "s", "ś", "s", "ž", "z", "ź", "z", "ż", "z", "ł", "l", "ß", "ss", "æ", "ae", "ğ", "g", "ş", "s", "ı", "i")

// SearchWords cuts text into the words that a search finds: lower case, marks off, each once, at most 24.
func SearchWords(texts ...string) []string {
	var out []string
	for _, t := range texts {
		for _, w := range strings.FieldsFunc(folds.Replace(strings.ToLower(t)), func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127)
		}) {
			if r := []rune(w); len(r) > 40 {
				w = string(r[:40])
			}
			if len(out) < 24 && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// BareAccount is an account as it is compared: without space, dots and dashes, in small letters.
func BareAccount(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", ".", "", "/", "").Replace(s))
}

// DestinationPage is everything that the page of a destination shows.
type DestinationPage struct {
	Destination Destination // with its values for those who may see them
	Full        bool
	Guard       DestinationGuard
	State       DestinationState
	Old         *Destination     // the one it replaces
	New         *Destination     // the one that replaces it
	Request     *ApprovalRequest // the newest
	Checks      []DestinationCheck
	Events      []DestinationEvent
	Payouts     []Transaction
	Entries     []BookEntry
	Attempts    map[string][]BookAttempt // by entry
}
