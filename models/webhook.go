package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// DeliveryState is where the processing of one inbound call stands.
type DeliveryState string

// The states.
const (
	DeliveryReceived  DeliveryState = "received"  // stored, waits for its turn
	DeliveryProcessed DeliveryState = "processed" // the provider is being asked, or there was nothing to ask
	DeliveryUnmatched DeliveryState = "unmatched" // it names no transaction of ours
	DeliveryFailed    DeliveryState = "failed"    // processing failed and is tried again
	DeliveryDead      DeliveryState = "dead"      // tried as often as allowed; a person must look
	DeliveryRefused   DeliveryState = "refused"   // forged: stored, answered 401, never processed
)

// DeliveryStates lists the states in the order that pages show them.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{DeliveryReceived, DeliveryProcessed, DeliveryUnmatched, DeliveryFailed, DeliveryDead, DeliveryRefused}
}

// Valid reports whether s is a state.
func (s DeliveryState) Valid() bool {
	for _, x := range DeliveryStates() {
		if x == s {
			return true
		}
	}
	return false
}

// Word is the state as people read it.
func (s DeliveryState) Word() string {
	switch s {
	case DeliveryReceived:
		return "Received"
	case DeliveryProcessed:
		return "Processed"
	case DeliveryUnmatched:
		return "No match"
	case DeliveryFailed:
		return "Failed"
	case DeliveryDead:
		return "Dead"
	case DeliveryRefused:
		return "Refused"
	}
	return string(s)
}

// Sentence explains the state to people.
func (s DeliveryState) Sentence() string {
	switch s {
	case DeliveryReceived:
		return "It is stored and waits for its turn."
	case DeliveryProcessed:
		return "It was read. Where it named a transaction, the provider was asked about it."
	case DeliveryUnmatched:
		return "It was read and names no transaction that is known here."
	case DeliveryFailed:
		return "Reading it failed. It is tried again by itself."
	case DeliveryDead:
		return "Reading it failed every time. Look at the reason, then replay it."
	case DeliveryRefused:
		return "Its signature is wrong or missing. It was answered with 401 and never read."
	}
	return ""
}

// Tone is how the state is coloured.
func (s DeliveryState) Tone() string {
	switch s {
	case DeliveryProcessed:
		return "ok"
	case DeliveryReceived, DeliveryFailed:
		return "wait"
	case DeliveryDead, DeliveryRefused:
		return "bad"
	case DeliveryUnmatched:
		return "odd"
	}
	return "idle"
}

// Delivery is one inbound call as it was stored, with what verification found. Trust, Notice fields and Body are a provider's words: a
// reason to ask, never believed.
type Delivery struct {
	ID           string
	CredentialID string
	Provider     string
	Environment  Environment
	Topic        string
	Method       string
	Path         string
	Query        string // constant secrets blanked
	Header       map[string][]string
	Body         []byte // as it came, except that constant secrets are blanked; at most 1 MiB
	Digest       string // SHA-256 of the body before anything was blanked
	Size         int    // bytes of the body as it came
	From         string // remote address
	ReceivedAt   Micros
	Trust        string // a providers.Trust
	Sentence     string // what verification found
	Items        []string
	Dedupe       string
	State        DeliveryState
	Tries        int
	Error        string
	ProcessedAt  Micros
	Repeats      int // how often the same event came again
	RepeatedAt   Micros

	Kind          Kind // what the call says it is about; empty if it cannot be told
	Reference     string
	ProviderRef   string
	Word          string
	Event         string
	TransactionID string // found by our own records; empty if none
}

// DeliveryFilter narrows the list of deliveries. Empty fields do not narrow.
type DeliveryFilter struct {
	Environment   Environment // required
	Provider      string
	CredentialID  string
	Topic         string
	State         DeliveryState
	Trust         string
	Reference     string // ours or theirs, exact
	TransactionID string
	From, To      Micros // received, [From, To)
	Before        string // keyset: only deliveries with a smaller id (ids sort by time)
	Limit         int    // 50 when zero, 200 at most
}

// MaxWebhookBody is the largest body that is stored; a larger one is answered with 413.
const MaxWebhookBody = 1 << 20

// ExchangeRecord is one recorded HTTP request to a provider and its answer, redacted before it got here.
type ExchangeRecord struct {
	ID             string
	CredentialID   string
	Provider       string
	Environment    Environment
	SubjectKind    string // "transaction", "credential", "balance", "delivery", …
	SubjectID      string
	AttemptID      string
	Operation      string
	StartedAt      Micros
	DurationUS     int64
	Method         string
	URL            string
	RequestHeader  map[string][]string
	RequestBody    []byte
	Status         int // 0: no answer came
	ResponseHeader map[string][]string
	ResponseBody   []byte
	Err            string
	BodyDigest     string // SHA-256 of the exact request body
	Sent           bool
}

// ExchangeFilter narrows the list of exchanges. Empty fields do not narrow.
type ExchangeFilter struct {
	Environment  Environment
	CredentialID string
	SubjectKind  string
	SubjectID    string
	Operation    string
	OnlyFailed   bool
	Before       string // keyset by id
	Limit        int
}

// BalanceFigure is the latest known balance of one account at one provider.
type BalanceFigure struct {
	CredentialID string
	Account      string
	Asset        string
	Available    Money
	Total        Money  // zero Asset: not stated
	Text         string // the provider's own figure
	Mark         string // a providers.Mark
	Note         string
	ReadAt       Micros
	Points       []BalancePoint // oldest first; filled where asked for
}

// BalancePoint is one moment of a balance's history.
type BalancePoint struct {
	At    Micros
	Minor int64
}

// BalanceRead is how the last reading of a credential's balances went.
type BalanceRead struct {
	CredentialID string
	At           Micros // last try
	OKAt         Micros // last success
	Error        string // of the last try; empty if it worked
}

// StaleAfter is how old a balance may be before it is marked as stale.
const StaleAfter = 30 * 60 * 1_000_000 // half an hour in microseconds

// Runway estimates how long a balance lasts, by what left it over the history given: the sum of all falls over its span. It answers
// false when nothing left, or when the history is shorter than a day. Exact integers throughout: the product of an amount and a span
// does not fit an int64, so decimals carry it.
func Runway(points []BalancePoint, available int64) (lasts time.Duration, ok bool) {
	if len(points) < 2 || available < 0 {
		return 0, false
	}
	span := points[len(points)-1].At - points[0].At
	out := decimal.Zero
	for i := 1; i < len(points); i++ {
		if d := points[i-1].Minor - points[i].Minor; d > 0 {
			out = out.Add(decimal.NewFromInt(d))
		}
	}
	if span < Micros(day.Microseconds()) || out.IsZero() {
		return 0, false
	}
	us := decimal.NewFromInt(available).Mul(decimal.NewFromInt(int64(span))).Div(out)
	if longest := decimal.NewFromInt((3650 * day).Microseconds()); us.GreaterThan(longest) {
		us = longest
	}
	return time.Duration(us.IntPart()) * time.Microsecond, true
}

// Health is how a credential has been doing lately, from its exchanges.
type Health struct {
	CredentialID string
	Since        Micros
	Calls        int // answers counted; bounded
	Bounded      bool
	Failed       int // no answer, or 5xx
	P50, P95     int64
	LastAt       Micros
}
