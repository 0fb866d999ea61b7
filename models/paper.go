package models

// MaxPapers is how many files one transaction may hold.
const MaxPapers = 40

// PaperPrefix begins the keys of papers in the file store.
const PaperPrefix = "papers/"

// Paper is a file that staff keep with a transaction, sealed in our own file store. It is never sent to a provider.
type Paper struct {
	ID            string
	TransactionID string
	AttemptID     string // the dispute that it was put on file for; empty: none yet
	Key           string // in the file store
	Name          string
	Type          string // by content
	Size          int64
	SHA256        string
	Scan          string // clean, unscanned
	ScanNote      string
	Findings      []string // what a person should know before opening it
	AddedAt       Micros
	AddedBy       string
}

// DisputeRecord is one dispute that was asked for, with what is known of it.
type DisputeRecord struct {
	Attempt  Attempt
	Papers   []Paper
	Sent     *ExchangeRecord // the request as it was recorded; nil: nothing left, or whoever looks may not see exchanges
	Withheld bool            // there is a request, and whoever looks may not see it
}
