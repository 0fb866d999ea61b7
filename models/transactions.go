package models

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// Transaction is one movement of money or value at one provider: the row that lists show.
type Transaction struct {
	ID                string
	Environment       Environment
	Kind              Kind
	Provider          string
	CredentialID      string
	Method            string
	Reference         string // ours; what goes on the wire
	ProviderRef       string
	BankRef           string
	State             State
	Word              string // the provider's own word
	ReasonCode        string
	Reason            string
	Amount            Money
	Settled           Money // what really moved, when the provider says; otherwise zero
	Fee               Money
	Counter           Money // conversions: what was bought
	Rate              string
	Party             string // destination or payer, masked, for lists
	DestinationID     string
	DestinationDigest string
	SubAccount        string
	BatchID           string
	OfID              string // refunds: the deposit
	Digest            string // of the payload; approvals are bound to it
	CredentialVersion int64
	CreatedAt         Micros
	UpdatedAt         Micros
	CreatedBy         string
	CreatedByName     string
	SentAt            Micros // when the last attempt began
	SettledAt         Micros // when it became final
	SendAfter         Micros // not before; zero: at once
	ExpiresAt         Micros // approvals or payment run out
	NextAsk           Micros // when the provider is asked next; zero: not
	Asks              int    // questions of the plan since the last change of state; those out of turn do not count
	Waits             string // what it waits for, one short phrase
	Alert             string // something a person must look at; empty: nothing
	Version           int64
}

// TransactionDetail is what a transaction's page needs beyond its row.
type TransactionDetail struct {
	Values       map[string]string // the method's fields, as typed
	Note         string
	Hold         bool
	NotifyURL    string
	ReturnURL    string
	Why          string // the maker's reason where a warning asked for one
	QuoteJSON    string
	Full         bool
	From, To     string
	SKU          string
	Quantity     int
	Payer        string // deposits: who paid, with the document that lists mask
	Verified     string // the recipient's name as the provider verified it
	VerifySays   string
	Instructions string // JSON of providers.Instructions
	Book         Book   // the provider's book that the destination must stand in; empty: none
	Dispute      DisputeWish
}

// DisputeWish is what a person says when they ask a provider to look at a transaction again.
type DisputeWish struct {
	Reason string
	Proof  string // https address of the evidence; empty: none
	Amount string // what was really paid, in major units of the transaction's asset; empty: as asked for
}

// Check cleans a wish: a reason is needed; evidence is an https address that names a host and no password; an amount is above zero and has no
// more digits than the asset.
func (w DisputeWish) Check(asset string) (DisputeWish, error) {
	var err error
	if w.Reason, err = CleanText("reason", w.Reason, 500, true); err != nil {
		return w, err
	}
	if w.Proof != "" {
		u, err := url.Parse(w.Proof)
		if err != nil || len(w.Proof) > 500 || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsFunc(w.Proof, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return w, FieldErrorf("proof", "Give the address of the evidence, beginning with https://, without a name or password in it.")
		}
	}
	if w.Amount != "" {
		m, err := PositiveMoney(w.Amount, asset)
		if err != nil {
			return w, FieldErrorf("amount", "%s", err.Error())
		}
		w.Amount = m.Plain()
	}
	return w, nil
}

// WhyNoDispute tells in a few words why the provider cannot be asked to look at a transaction again, or "" when it can. A dispute is about
// money that a payer says they paid: it has sense while a deposit is open, and after it expired or was cancelled.
func (t *Transaction) WhyNoDispute() string {
	switch {
	case t.Kind != Deposit:
		return "only deposits can be disputed"
	case t.SentAt == 0 || t.ProviderRef == "":
		return "the provider does not have it"
	case t.State != AwaitingPayment && t.State != PartiallyPaid && t.State != Expired && t.State != Cancelled:
		return "only one that is awaiting payment, partially paid, expired or cancelled"
	}
	return ""
}

// Payload is exactly what an approval is bound to.
type Payload struct {
	Environment       Environment       `json:"environment"`
	Kind              Kind              `json:"kind"`
	Provider          string            `json:"provider"`
	CredentialID      string            `json:"credential"`
	CredentialVersion int64             `json:"credential_version"`
	Method            string            `json:"method"`
	Reference         string            `json:"reference"`
	Asset             string            `json:"asset"`
	Minor             int64             `json:"minor"`
	Values            map[string]string `json:"values"`
	Note              string            `json:"note"`
	Hold              bool              `json:"hold"`
	Of                string            `json:"of"`
	Full              bool              `json:"full"`
	From              string            `json:"from"`
	To                string            `json:"to"`
	SKU               string            `json:"sku"`
	Quantity          int               `json:"quantity"`
	Counter           string            `json:"counter"`
	// Left out when empty: payouts that were approved before destinations and sub-accounts existed keep their digest.
	Destination string `json:"destination,omitempty"`
	SubAccount  string `json:"sub_account,omitempty"`
}

// PayloadOf collects the payload of a transaction.
func PayloadOf(t *Transaction, d *TransactionDetail) Payload {
	return Payload{t.Environment, t.Kind, t.Provider, t.CredentialID, t.CredentialVersion, t.Method, t.Reference, t.Amount.Asset,
		t.Amount.Minor, d.Values, d.Note, d.Hold, t.OfID, d.Full, d.From, d.To, d.SKU, d.Quantity, t.Counter.Asset, t.DestinationID, t.SubAccount}
}

// Bytes is the payload in its one JSON form: struct order, map keys sorted.
func (p Payload) Bytes() []byte {
	if p.Values == nil {
		p.Values = map[string]string{}
	}
	b, err := json.Marshal(p)
	if err != nil { // strings and integers always marshal
		panic(err)
	}
	return b
}

// Digest is the SHA-256 of the payload's one form, as lower-case hex.
func (p Payload) Digest() string {
	sum := sha256.Sum256(p.Bytes())
	return hex.EncodeToString(sum[:])
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewReference makes our reference of a transaction: "CH" and 60 random bits in 12 letters and digits, short enough to be read out, which every provider's
// pattern accepts unchanged.
func NewReference() string {
	var raw [12]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic(err) // crypto/rand never fails on the systems Go supports
	}
	out := []byte("CH000000000000")
	for i, b := range raw {
		out[2+i] = crockford[b&31]
	}
	return string(out)
}

// Attempt is one try to do something at the provider: at most one of a transaction is open.
type Attempt struct {
	ID            string
	TransactionID string
	Number        int
	Operation     Operation
	Reference     string
	Digest        string
	State         AttemptState
	StartedAt     Micros
	Deadline      Micros // after it, an open attempt counts as lost
	FinishedAt    Micros // zero: open
	Code          string
	Message       string
	Instance      string // the process that sends it
	ByName        string
}

// Operation is what an attempt tries.
type Operation string

// The operations.
const (
	OpSend    Operation = "send"
	OpCancel  Operation = "cancel"
	OpDispute Operation = "dispute" // asks the provider to look again; it moves nothing by itself
	OpHold    Operation = "hold"
	OpRelease Operation = "release"
)

// AttemptState is how an attempt ended, or "open".
type AttemptState string

// The states of an attempt.
const (
	AttemptOpen     AttemptState = "open"
	AttemptAccepted AttemptState = "accepted"
	AttemptRefused  AttemptState = "refused"
	AttemptUnknown  AttemptState = "unknown"
	AttemptNotSent  AttemptState = "not_sent"
)

// Event is one line of a transaction's timeline. Events are added and never changed.
type Event struct {
	ID            string
	TransactionID string
	At            Micros
	What          string // created, rule, approved, rejected, sent, answer, asked, webhook, state, note, alert …
	From, To      State  // both empty when the state did not change
	By            Cause
	ActorID       string
	ActorName     string
	Sentence      string
	Figures       Figures // the figures after the event: with them the ledger can be replayed from the events alone
}

// Evidence is one line of the outcome court: what a source said about whether the provider has the transaction.
type Evidence struct {
	ID            string
	TransactionID string
	AttemptID     string
	At            Micros
	Source        string // request, reply, asked, webhook, balance, statement, staff
	Result        string // sent, accepted, refused, found, not_found, unclear, lost
	Says          string
	ExchangeID    string
}

// askUnknown are the pauses between questions about a lost answer; the last repeats (safety.md 1.3).
var askUnknown = append(append([]time.Duration{30 * time.Second, 90 * time.Second, 8 * time.Minute, 50 * time.Minute},
	repeat(time.Hour, 23)...), 24*time.Hour)

// askPending are the pauses while the provider works on it; a webhook asks at once.
var askPending = append(append([]time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute, 10 * time.Minute},
	repeat(30*time.Minute, 48)...), 6*time.Hour)

// askLate are the pauses in which a final state is still checked for a late turn of which no webhook told us: 1, 3, 7, 14 and 30 days after. After
// the last question there are no more; from then on only a webhook, a statement or a person finds a turn.
var askLate = []time.Duration{24 * time.Hour, 2 * 24 * time.Hour, 4 * 24 * time.Hour, 7 * 24 * time.Hour, 16 * 24 * time.Hour}

// AskLateAgain is the pause after a late question that got no clear answer. Such a question does not count, but none is put later than
// AskLateUntil after the final state: keys that are gone for good must not be tried for ever.
const (
	AskLateAgain = 6 * time.Hour
	AskLateUntil = 45 * 24 * time.Hour
)

func repeat(d time.Duration, n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = d
	}
	return out
}

// UnknownAlarm is how long an outcome may be unknown before people are alarmed.
const UnknownAlarm = 15 * time.Minute

// AskEarly makes a question due now that the plan does not hold: a webhook came, or a person wants to know. It uses up none of the plan's questions,
// so that webhooks sent again and again cannot end the watch for a late turn.
func (t *Transaction) AskEarly(now Micros) {
	if t.NextAsk == 0 || t.NextAsk > now {
		t.NextAsk = now
		t.Asks--
	}
}

// NextAsk tells when the provider is asked next: asked counts the questions since the state last changed. Zero means never.
func NextAsk(k Kind, s State, now Micros, asked int) Micros {
	var plan []time.Duration
	endless := true
	switch s {
	case Unknown:
		plan = askUnknown
	case Pending, Held, Partial, AwaitingPayment, PartiallyPaid, Disputed:
		plan = askPending
	case Succeeded, Expired, Cancelled, Failed:
		if (s == Succeeded && k != Payout && k != Refund) || (s != Succeeded && k != Deposit) {
			return 0
		}
		plan, endless = askLate, false
	default:
		return 0
	}
	if asked >= len(plan) {
		if !endless {
			return 0
		}
		asked = len(plan) - 1
	}
	return now.Add(plan[max(asked, 0)])
}
