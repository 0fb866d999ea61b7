package models

// Answer is what came of an attempt: one of the three outcomes of the provider contract, or "not sent". The tasks translate a provider's
// outcome into it, so that the store needs to know no provider.
type Answer struct {
	State        AttemptState // accepted, refused, unknown, not_sent
	Code         string
	Message      string // a sentence for people
	Retryable    bool
	Report       Report
	Instructions string // JSON of providers.Instructions, deposits only
	ExchangeID   string
}

// Report is a provider's word about a transaction, in our terms. Empty fields were not stated.
type Report struct {
	State       State // empty: their word is not in their allow-list
	Word        string
	ReasonCode  string
	Reason      string
	ProviderRef string
	BankRef     string
	Settled     Money
	Fee         Money
	Counter     Money
	Rate        string
	Payer       string
	Codes       []SealedCode // orders: what arrived
}

// Found is the answer to a question about a transaction.
type Found struct {
	Result     string // found, not_found, unclear
	Source     string // asked, statement
	Says       string
	Report     Report
	ExchangeID string
	// Believable: a clear "not found" that comes late enough after sending to be believed (Passport.NotFoundAfter).
	Believable bool
}
