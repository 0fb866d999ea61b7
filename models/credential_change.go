package models

// ChangeKind is what a credential change would do.
type ChangeKind string

// The kinds. In live each needs a second admin.
const (
	ChangeActivate ChangeKind = "activate" // bring a new credential into use
	ChangeEdit     ChangeKind = "edit"     // other values or settings
	ChangePromote  ChangeKind = "promote"  // let the next slot take over
	ChangeBack     ChangeKind = "back"     // return to the previous secrets
	ChangeResume   ChangeKind = "resume"   // use a suspended credential again
	ChangeTable    ChangeKind = "table"    // another operation table; needs a second admin in the sandbox as well
)

// OperationTable is the setting that holds a credential's operation table, for providers whose operations are data. Empty means the table that
// every credential of the provider begins with. It decides what every request says, so only ChangeTable can change it.
const OperationTable = "operation_table"

// NeedsSecond reports whether a second admin must agree before the change is made.
func (k ChangeKind) NeedsSecond(env Environment) bool { return env == Live || k == ChangeTable }

// Word says the change as a short phrase.
func (k ChangeKind) Word() string {
	switch k {
	case ChangeActivate:
		return "Bring the credential into use"
	case ChangeEdit:
		return "Change its address or settings"
	case ChangePromote:
		return "Let the new secrets take over"
	case ChangeBack:
		return "Return to the previous secrets"
	case ChangeResume:
		return "Use it again"
	case ChangeTable:
		return "Change the operation table"
	}
	return string(k)
}

// ChangeState is where a change stands.
type ChangeState string

// The states of a change.
const (
	ChangeWaiting   ChangeState = "waiting"
	ChangeApproved  ChangeState = "approved"
	ChangeRejected  ChangeState = "rejected"
	ChangeWithdrawn ChangeState = "withdrawn"
	ChangeVoid      ChangeState = "void" // what it was asked for is no longer there
)

// CredentialChange is a change that one admin asked for and another decides on. Digest binds the decision to exactly what was asked: the
// proposed values and settings, the version they start from, and the fingerprints of the secrets that would be in use.
type CredentialChange struct {
	ID           string
	CredentialID string
	Kind         ChangeKind
	Values       map[string]string // edit and table only
	Settings     map[string]string // edit and table only
	Digest       string
	Reason       string
	State        ChangeState
	AskedAt      Micros
	AskedBy      string // user id
	AskedName    string
	DecidedAt    Micros
	DecidedBy    string
	DecidedName  string
	Note         string
}

// EvidenceVerdict is what an exchange said about a contract item.
type EvidenceVerdict string

// The verdicts.
const (
	Proved  EvidenceVerdict = "proved"
	Refuted EvidenceVerdict = "refuted"
)

// ItemEvidence is one observation about a contract item, made with one credential.
type ItemEvidence struct {
	ID           string
	CredentialID string
	Item         string
	Verdict      EvidenceVerdict
	ExchangeID   string // empty when a webhook spoke; DeliveryID then
	DeliveryID   string
	Sentence     string
	Basis        string
	At           Micros
	ByName       string
}

// Confirmation is one admin's word that an item's evidence was looked at and convinces. Two different admins unlock an item in live.
type Confirmation struct {
	CredentialID string
	Item         string
	UserID       string
	UserName     string
	Reason       string
	Basis        string
	At           Micros
}

// ItemStanding is what is known about one contract item on a credential's present basis.
type ItemStanding struct {
	Item          string
	Latest        *ItemEvidence  // newest on the present basis; nil if none
	Stale         bool           // there is evidence, all of it on another basis
	Confirmations []Confirmation // on the present basis, one per admin
}

// ConfirmationsNeeded is how many different admins unlock an item.
const ConfirmationsNeeded = 2

// Confirmed reports whether enough admins confirmed the item and nothing has refuted it since.
func (s ItemStanding) Confirmed() bool {
	people := map[string]bool{}
	var last Micros
	for _, c := range s.Confirmations {
		people[c.UserID] = true
		last = max(last, c.At)
	}
	if len(people) < ConfirmationsNeeded {
		return false
	}
	return s.Latest == nil || s.Latest.Verdict != Refuted || s.Latest.At < last
}

// Proven reports whether the item may be relied on. In the sandbox one proof is enough. In live a proof is enough for what the provider
// documents; anything less needs the confirmation of two admins.
func (s ItemStanding) Proven(env Environment, documented bool) bool {
	proved := s.Latest != nil && s.Latest.Verdict == Proved
	if env == Sandbox || documented {
		return proved || s.Confirmed()
	}
	return s.Confirmed()
}
