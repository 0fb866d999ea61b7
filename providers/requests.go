package providers

import "countinghouse/models"

// SendRequest is what every money-moving call is given. Values hold the method's fields by name, already checked by Check.
type SendRequest struct {
	Reference string // ours, exactly what goes on the wire where the provider takes one; [A-Za-z0-9] and '-', at most 32
	Amount    models.Money
	Method    string            // method id
	Values    map[string]string // the method's fields
	Note      string            // goes to the provider as comment or purpose where it takes one
	NotifyURL string            // where the provider shall call back; may be empty
	ReturnURL string            // where a payer comes back to; may be empty
	Hold      bool              // payouts: create it held, where the provider can

	// Refunds: what is given back.
	OfProviderRef string // their id of the deposit
	OfReference   string // our reference of the deposit
	Full          bool   // the whole remaining amount

	// Conversions.
	Quote Quote
	// Transfers: the provider's names of the wallets.
	From, To string
	// Orders.
	SKU      string
	Quantity int
}

// Query asks about one transaction. ProviderRef is empty while it is not known.
type Query struct {
	Kind        models.Kind
	Reference   string
	ProviderRef string
	Method      string
	Amount      models.Money
	SentAt      models.Micros // when the attempt began
	Values      map[string]string
	SKU         string
	Quantity    int
	// Refunds: what is given back.
	OfProviderRef, OfReference string
}

// Quote is a rate that can be taken until it expires, once.
type Quote struct {
	ID        string
	Sell, Buy string // asset codes
	Rate      string // exact decimal text: one unit of Sell in Buy
	ExpiresAt models.Micros
	Mark      Mark
	Raw       []byte
}

// Balance is what a provider says it holds for the merchant in one account.
type Balance struct {
	Account   string       // "PROPRIETARY", "main"; the provider's word
	Available models.Money // Asset models.Unstated when the provider does not say
	Total     models.Money // zero Asset: not stated
	Text      string       // the provider's own figure, byte for byte
	Mark      Mark
	Note      string // "unit not confirmed"
}

// StatementLine is one line of the provider's own books.
type StatementLine struct {
	ID          string // their id of the line
	Kind        models.Kind
	Reference   string // ours as they keep it
	ProviderRef string
	Amount      models.Money
	Fee         models.Money
	Word        string // their status
	At          models.Micros
	Text        string
}

// Verification is what a provider says of a recipient before anything is sent.
type Verification struct {
	Verdict  Verdict
	Name     string // the owner's name as the provider has it
	Sentence string
	Token    string // to be matched when the answer comes by webhook
	Raw      []byte
}

// Verdict of a recipient verification.
type Verdict string

// The verdicts.
const (
	RecipientOK       Verdict = "ok"
	RecipientMismatch Verdict = "mismatch" // exists, belongs to somebody else
	RecipientBad      Verdict = "bad"      // does not exist or cannot be paid
	RecipientPending  Verdict = "pending"  // the answer comes by webhook
	RecipientUnclear  Verdict = "unclear"  // no usable answer
)

// CheckResult is one harmless call of a credential test and what it showed.
type CheckResult struct {
	Title     string // "Balance", "Payment methods"
	Verdict   CheckVerdict
	Sentence  string   // precisely what happened and what to do
	Items     []string // contract items that it speaks to
	Proved    bool     // for Items: true proves, false refutes; meaningless when Verdict is Skipped or Unreachable
	Operation string   // the httpx operation, so that the exchange can be found
	SkewSecs  int      // their clock minus ours, when known
}

// CheckVerdict sorts what can be wrong with a credential.
type CheckVerdict string

// The verdicts of a check.
const (
	CheckOK          CheckVerdict = "ok"
	KeysRejected     CheckVerdict = "keys_rejected"
	IPNotListed      CheckVerdict = "ip_not_listed"
	SignatureRefused CheckVerdict = "signature_refused"
	ClockOff         CheckVerdict = "clock_off"
	Unreachable      CheckVerdict = "unreachable"
	NotEnabled       CheckVerdict = "not_enabled" // the keys work, this product is not switched on
	Unreadable       CheckVerdict = "unreadable"  // an answer that is not in the contract
	CheckSkipped     CheckVerdict = "skipped"     // the fields for it are empty, or it is locked
)

// Read is a harmless look-up: payment methods, rates, bank codes, an order.
type Read struct {
	ID     string
	Title  string
	Help   string
	Params []Field
	Mark   Mark
	Item   string
}

// Sheet is the answer to a Read: a table of text.
type Sheet struct {
	Columns []string
	Rows    [][]string
	Note    string
	Raw     []byte
}

// Entry is one line of a provider's own address or account book.
type Entry struct {
	ID     string // theirs
	Values map[string]string
	State  string // their word: usable, in review
	Usable bool
	Raw    []byte
}

// SubAccount is one account below the merchant's at a provider.
type SubAccount struct {
	ID, Company, Country, Type, State, Username, UserID, Email string
	Note                                                       string // what the provider says beside the state, if anything
	Raw                                                        []byte
}

// Document is a file that is handed to a provider.
type Document struct {
	Name string // clean file name, unique within one call
	Type string // MIME type by content
	Kind string // the requirement it serves
	Body []byte
}
