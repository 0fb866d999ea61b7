package models

import (
	"fmt"
	"time"
)

// ApprovalRequest asks people to agree to one exact payload.
type ApprovalRequest struct {
	ID            string
	Environment   Environment
	Subject       string // transaction, resend, give_up, policy …
	SubjectID     string
	Digest        string
	Title         string
	Payload       string // JSON of what the approver is shown and agrees to
	PolicyID      string
	Rule          string
	Needed        int
	Role          Role
	Permission    Permission
	State         string // open, approved, rejected, expired, void
	CreatedAt     Micros
	CreatedBy     string
	CreatedByName string
	Reason        string
	ExpiresAt     Micros
	DecidedAt     Micros
	Decisions     []Decision
	Transaction   *Transaction // in lists and pages of transactions
}

// Decision is one person's word on a request.
type Decision struct {
	UserID, Name, Decision, Reason string
	Digest                         string // of what was in front of that person
	At                             Micros
}

// Have counts the approvals so far.
func (r *ApprovalRequest) Have() int {
	n := 0
	for _, d := range r.Decisions {
		if d.Decision == "approve" {
			n++
		}
	}
	return n
}

// MayDecide tells why a person may not decide on the request, or nil.
func (r *ApprovalRequest) MayDecide(a Actor, now Micros) error {
	if err := a.Require(r.Permission); err != nil {
		return err
	}
	if r.Role != "" && !hasRole(a, r.Role) {
		return Errorf(Forbidden, "The rule asks for people with the role %s.", r.Role)
	}
	if r.CreatedBy == a.UserID {
		return Errorf(Forbidden, "You made this yourself; somebody else must decide.")
	}
	for _, d := range r.Decisions {
		if d.UserID == a.UserID {
			return Errorf(Conflict, "You have decided on this already.")
		}
	}
	if r.State != "open" {
		return Errorf(Conflict, "This request is %s already; nothing more can be decided.", r.State)
	}
	if r.ExpiresAt <= now {
		return Errorf(Conflict, "The time to decide has run out.")
	}
	return nil
}

func hasRole(a Actor, r Role) bool {
	for _, x := range a.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// Waiting is what waits for one person.
type Waiting struct {
	Count   int64 // at most 100
	Oldest  Micros
	Expires Micros // the first that runs out
}

// ApprovalSheet is everything that somebody must see before they decide on a request.
type ApprovalSheet struct {
	Request           ApprovalRequest
	Voided            *ApprovalRequest // the request before this one, if a change made it void
	Story             *TransactionPage // when the request is about a transaction
	Duplicates        []Transaction    // the same amount to the same destination lately
	CredentialVersion int64            // as it is now; the payload carries the one that was agreed to
	Policy            *PolicyChange    // when the request is about a rule
	PolicyNow         *Policy          // that rule as it is; nil when it is new
}

// TransactionPage is everything a transaction's page shows.
type TransactionPage struct {
	Transaction Transaction
	Detail      TransactionDetail
	Events      []Event
	Attempts    []Attempt
	Evidence    []Evidence
	Approvals   []ApprovalRequest // newest first
	Ledger      []LedgerEntry
	Notes       []Note
	Related     []Transaction // refunds of a deposit, or the deposit of a refund
	Papers      []Paper       // files that staff keep with it
	Credential  CredentialName
	Codes       []CodeKept // orders: the first that arrived, masked
	CodesCount  int        // all that arrived
}

// Note is a remark of a person on a transaction.
type Note struct {
	At         Micros
	Name, Body string
}

// CredentialName is what pages say of a credential.
type CredentialName struct{ ID, Name, Provider, State string }

// LedgerEntry is one posted line.
type LedgerEntry struct {
	At      Micros
	Account Account
	Money   Money
}

// LedgerBalance is the balance of one account.
type LedgerBalance struct {
	CredentialID string
	Account      Account
	Money        Money
}

// LedgerLine is one posted line of an account, with the transaction that it belongs to.
type LedgerLine struct {
	ID            string
	TransactionID string
	Reference     string
	Kind          Kind
	Party         string
	What          string // the line of the timeline that posted it
	At            Micros
	Money         Money
}

// SavedView is a filter of the list of transactions under a name.
type SavedView struct {
	ID     string
	Base   string // the list: /transactions, /payouts …
	Name   string
	Query  string // what stands after the question mark
	By     string // who made it
	Shared bool
	Mine   bool
}

// EvidenceNumber is the result of evidence by which two people named the provider's number of a transaction.
const EvidenceNumber = "number"

// Court is what the evidence about an unknown outcome allows.
type Court struct {
	MayResend    bool
	MayGiveUp    bool
	ResendWhy    string // the sentence beside the button, whether it is enabled or not
	GiveUpWhy    string
	Needed       int  // people who must agree
	NotFound     int  // clear answers "not found" since the attempt
	NewReference bool // a resend must carry a new reference
	ByNumber     bool // the provider finds it by its own number only, and that was lost with the answer
	MayName      bool // two people may say under which number the provider has it
	NameWhy      string
}

// Judge weighs the evidence about a transaction whose outcome is unknown. resend is the provider's rule (providers.Resend: same, new,
// staff, never), byReference whether it can be asked by our reference, notFoundAfter the seconds after which "not found" is believed.
func Judge(p *TransactionPage, resend string, byReference bool, notFoundAfter int, now Micros) Court {
	c := Court{Needed: 1, NewReference: resend == "new"}
	if p.Transaction.State != Unknown {
		c.ResendWhy, c.GiveUpWhy = "The outcome is not unknown.", "The outcome is not unknown."
		return c
	}
	since := p.Transaction.SentAt
	believable := since.Add(time.Duration(notFoundAfter) * time.Second)
	var spokeFor, named bool
	for _, e := range p.Evidence {
		if e.At < since {
			continue
		}
		switch {
		case e.Source == "asked" && e.Result == "not_found" && e.At >= believable:
			c.NotFound++
		case e.Result == "found", e.Source == "webhook", e.Result == "accepted":
			spokeFor = true
		case e.Result == EvidenceNumber: // which may turn out to be wrong: then two people may still declare that nothing was created
			named = true
		}
	}
	c.GiveUpWhy = "Two people may declare that nothing was created, with a reason."
	c.MayGiveUp = !spokeFor && now >= since.Add(UnknownAlarm)
	if !c.MayGiveUp {
		c.GiveUpWhy = "Not before 15 minutes have passed, and not while a sign says that the provider has it."
	}
	switch {
	case resend == "never":
		c.ResendWhy = "This provider's contract never allows sending again: ask it instead."
	case spokeFor:
		c.ResendWhy = "Not possible: a sign says that the provider has it."
	case named:
		c.ResendWhy = "Not possible: two people agreed on the number under which the provider has it."
	case byReference && notFoundAfter > 0 && c.NotFound >= 2:
		c.MayResend = true
		c.ResendWhy = fmt.Sprintf("The provider said %d times, late enough to be believed, that it knows nothing of it. A second person must agree.", c.NotFound)
	case byReference && notFoundAfter > 0:
		c.ResendWhy = fmt.Sprintf("Not possible yet: it needs two clear answers \"not found\" at least %s after sending; there are %d.",
			time.Duration(notFoundAfter)*time.Second, c.NotFound)
	case now < since.Add(time.Hour):
		c.ResendWhy = "This provider cannot be asked by our reference. Two more people may decide after an hour."
	default:
		c.MayResend, c.Needed = true, 2
		c.ResendWhy = "This provider cannot be asked by our reference. Two more people must agree, with a reason."
	}
	return c
}
