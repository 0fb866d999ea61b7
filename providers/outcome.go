package providers

import "countinghouse/models"

// Outcome is the answer to a call that moves money. It is exactly one of Accepted, Refused and Unknown.
type Outcome interface{ outcome() }

// Accepted: the provider has it. Status may already be final.
type Accepted struct {
	ProviderRef  string
	Status       Status
	Instructions Instructions // deposits only
	Raw          []byte       // the answer's body as it came
}

// Refused: nothing was created, and the contract says so; or nothing ever left this machine (Code NotSent).
type Refused struct {
	Code      string // the provider's code, or NotSent
	Message   string // a sentence for people; the provider's text is cleaned of control characters and capped
	Retryable bool   // the same request may be accepted later (funds, an open circuit)
	Raw       []byte
}

// Unknown: everything else. A timeout, a cut connection, a 5xx, an unreadable body, an amount or reference that is not what was asked.
type Unknown struct {
	Cause string // a sentence for people
	Raw   []byte
}

func (Accepted) outcome() {}
func (Refused) outcome()  {}
func (Unknown) outcome()  {}

// NotSent is the Refused code of a request of which provably no byte left this machine.
const NotSent = "not_sent"

// Status is a provider's word about one transaction, turned into ours.
type Status struct {
	State       models.State // empty: the provider's word is not in its allow-list: change nothing and raise an alert
	Word        string       // the provider's own status, byte for byte ("1", "COMPLETED")
	ReasonCode  string
	Reason      string
	ProviderRef string       // their id, if the answer gives it
	BankRef     string       // reference at the bank or the transaction hash
	Amount      models.Money // what they say was paid or moved; zero Asset: not stated
	Fee         models.Money // zero Asset: not stated
	Counter     models.Money // conversions: what was bought
	Rate        string       // exact decimal text, if any
	Payer       string       // deposits: who paid, if they say
	Items       []Delivered  // orders: what arrived
}

// Delivered is one bought code. Code and Pin are bearer money: they are sealed at once and never logged.
type Delivered struct {
	SKU    string
	Serial string
	Code   string
	Pin    string
	Expiry string
}

// Finding is the answer to a question about one transaction.
type Finding struct {
	Result Result
	Status Status
	// Reference is our reference, and Of the provider's number of what it belongs to (a refund's deposit), where the answer names them. A question by
	// the provider's number is settled by these.
	Reference, Of string
	Says          string // one sentence for the evidence table: "509 cashout not found"
	Raw           []byte
}

// Result is what a question found.
type Result string

// The results. NotFound is the provider's clear word that it knows no such reference; how far that can be believed is in the Passport.
const (
	Found    Result = "found"
	NotFound Result = "not_found"
	Unclear  Result = "unclear" // no answer, or one that cannot be read
)

// Instructions tell a payer how to pay.
type Instructions struct {
	RedirectURL string
	QR          string // text of the QR code
	Lines       []Line // bank details, address, reference
	ExpiresAt   models.Micros
	Address     string
	Network     string
}

// Line is one label and value to show, and to copy if Copy.
type Line struct {
	Label, Value string
	Copy         bool
}
