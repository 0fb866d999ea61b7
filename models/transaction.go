package models

import "slices"

// Kind is what a transaction is.
type Kind string

// The kinds. Transfer moves money between the merchant's own wallets at one provider.
const (
	Deposit    Kind = "deposit"
	Payout     Kind = "payout"
	Refund     Kind = "refund"
	Conversion Kind = "conversion"
	Order      Kind = "order"
	Transfer   Kind = "transfer"
)

// Kinds lists the kinds in the order that pages show them.
func Kinds() []Kind { return []Kind{Deposit, Payout, Refund, Conversion, Order, Transfer} }

// Valid reports whether k is a kind.
func (k Kind) Valid() bool { return slices.Contains(Kinds(), k) }

// Outgoing reports whether money or value leaves the merchant's balance.
func (k Kind) Outgoing() bool { return k == Payout || k == Refund || k == Order }

// State is where a transaction stands, in our words, the same for every provider.
type State string

// The states. See design.md section 4; Sentence explains each to people.
const (
	Draft             State = "draft"
	AwaitingApproval  State = "awaiting_approval"
	Approved          State = "approved"
	Rejected          State = "rejected"
	Expired           State = "expired"
	Scheduled         State = "scheduled"
	Sending           State = "sending"
	Unknown           State = "unknown"
	Pending           State = "pending"
	Held              State = "held"
	Succeeded         State = "succeeded"
	Failed            State = "failed"
	Cancelled         State = "cancelled"
	Returned          State = "returned"
	AwaitingPayment   State = "awaiting_payment"
	PartiallyPaid     State = "partially_paid"
	Partial           State = "partial" // an order of which not everything arrived
	Refunded          State = "refunded"
	PartiallyRefunded State = "partially_refunded"
	ChargedBack       State = "charged_back"
	Disputed          State = "disputed"
)

// Cause is who may bring a transition about.
type Cause string

// The causes.
const (
	ByStaff     Cause = "staff"
	ByTask      Cause = "task"      // our own sending: the answer to what we sent
	ByQuery     Cause = "query"     // the provider's answer when asked; a webhook only makes us ask
	ByStatement Cause = "statement" // a line of the provider's statement
	ByClock     Cause = "clock"     // a time to live ran out
)

// Transition is one row of the table of what may become what.
type Transition struct {
	Kinds []Kind // the kinds it holds for
	From  State
	To    State
	By    []Cause
}

var (
	sent    = []Kind{Payout, Refund, Conversion, Order, Transfer} // kinds that are sent after approval
	answers = []Cause{ByTask, ByQuery, ByStatement}
	asked   = []Cause{ByQuery, ByStatement}
)

// transitions is the one table of states. Anything that is not in it is refused.
var transitions = []Transition{
	{sent, Draft, AwaitingApproval, []Cause{ByStaff}},
	{sent, Draft, Approved, []Cause{ByStaff}},
	{sent, Draft, Cancelled, []Cause{ByStaff}},
	{sent, AwaitingApproval, Approved, []Cause{ByStaff}},
	{sent, AwaitingApproval, Rejected, []Cause{ByStaff}},
	{sent, AwaitingApproval, Expired, []Cause{ByClock}},
	{sent, AwaitingApproval, Cancelled, []Cause{ByStaff}},
	{sent, Approved, AwaitingApproval, []Cause{ByStaff, ByTask}}, // an approval was voided by a changed payload
	{sent, Approved, Scheduled, []Cause{ByStaff}},
	{sent, Approved, Sending, []Cause{ByTask}},
	{sent, Approved, Cancelled, []Cause{ByStaff, ByTask}}, // by task: its destination was revoked before it was sent
	{sent, Scheduled, Sending, []Cause{ByTask}},
	{sent, Scheduled, Cancelled, []Cause{ByStaff, ByTask}},
	{sent, Sending, Pending, answers},
	{sent, Sending, Held, answers},
	{sent, Sending, Succeeded, answers},
	{sent, Sending, Partial, answers},
	{sent, Sending, Failed, answers},
	{sent, Sending, Cancelled, answers},
	{sent, Sending, Unknown, []Cause{ByTask, ByClock}},
	{sent, Sending, Approved, []Cause{ByTask}}, // provably not one byte left: it waits and is sent when the way is free
	{sent, Unknown, Pending, asked},
	{sent, Unknown, Held, asked},
	{sent, Unknown, Succeeded, asked},
	{sent, Unknown, Partial, asked},
	{sent, Unknown, Failed, append([]Cause{ByStaff}, asked...)}, // by staff: two people, with evidence
	{sent, Unknown, Cancelled, asked},
	{sent, Unknown, Approved, []Cause{ByStaff}}, // send again: only when the evidence says nothing was created
	{sent, Pending, Succeeded, asked},
	{sent, Pending, Partial, asked},
	{sent, Pending, Failed, asked},
	{sent, Pending, Cancelled, asked},
	{sent, Pending, Held, asked},
	{sent, Held, Pending, asked},
	{sent, Held, Cancelled, asked},
	{sent, Held, Succeeded, asked}, // released and paid between two questions
	{sent, Held, Failed, asked},
	{sent, Partial, Succeeded, asked},
	{[]Kind{Payout, Refund}, Succeeded, Returned, asked},
	// Paid and sent back between two questions: we never saw it as paid.
	{[]Kind{Payout, Refund}, Unknown, Returned, asked},
	{[]Kind{Payout, Refund}, Pending, Returned, asked},
	{[]Kind{Payout, Refund}, Held, Returned, asked},

	{[]Kind{Deposit}, Draft, Sending, []Cause{ByTask}},
	{[]Kind{Deposit}, Draft, Cancelled, []Cause{ByStaff}},
	{[]Kind{Deposit}, Sending, AwaitingPayment, answers},
	{[]Kind{Deposit}, Sending, PartiallyPaid, answers},
	{[]Kind{Deposit}, Sending, Succeeded, answers},
	{[]Kind{Deposit}, Sending, Failed, answers},
	{[]Kind{Deposit}, Sending, Unknown, []Cause{ByTask, ByClock}},
	{[]Kind{Deposit}, Unknown, AwaitingPayment, asked},
	{[]Kind{Deposit}, Unknown, PartiallyPaid, asked},
	{[]Kind{Deposit}, Unknown, Succeeded, asked},
	{[]Kind{Deposit}, Unknown, Failed, append([]Cause{ByStaff}, asked...)},
	{[]Kind{Deposit}, Unknown, Expired, asked},
	{[]Kind{Deposit}, Unknown, Cancelled, asked},
	{[]Kind{Deposit}, AwaitingPayment, PartiallyPaid, asked},
	{[]Kind{Deposit}, AwaitingPayment, Succeeded, asked},
	{[]Kind{Deposit}, AwaitingPayment, Expired, append([]Cause{ByClock}, asked...)},
	{[]Kind{Deposit}, AwaitingPayment, Cancelled, asked},
	{[]Kind{Deposit}, AwaitingPayment, Failed, asked},
	{[]Kind{Deposit}, PartiallyPaid, Succeeded, asked},
	{[]Kind{Deposit}, PartiallyPaid, Expired, asked},
	{[]Kind{Deposit}, PartiallyPaid, Cancelled, asked},
	{[]Kind{Deposit}, Expired, Succeeded, asked},     // late payment
	{[]Kind{Deposit}, Expired, PartiallyPaid, asked}, // late and short
	{[]Kind{Deposit}, Expired, Cancelled, asked},
	{[]Kind{Deposit}, Expired, AwaitingPayment, asked},   // reopened: the provider looks for the money again (AET-L-7)
	{[]Kind{Deposit}, Cancelled, AwaitingPayment, asked}, // the same
	{[]Kind{Deposit}, Cancelled, Succeeded, asked},       // late payment
	{[]Kind{Deposit}, Cancelled, PartiallyPaid, asked},   // late and short
	{[]Kind{Deposit}, Failed, Succeeded, asked},          // refused, then paid after all
	{[]Kind{Deposit}, Failed, PartiallyPaid, asked},      // the same, and short
	{[]Kind{Deposit}, Succeeded, Refunded, []Cause{ByTask, ByQuery, ByStatement}},
	{[]Kind{Deposit}, Succeeded, PartiallyRefunded, []Cause{ByTask, ByQuery, ByStatement}},
	{[]Kind{Deposit}, PartiallyRefunded, Refunded, []Cause{ByTask, ByQuery, ByStatement}},
	{[]Kind{Deposit}, Succeeded, ChargedBack, asked},
	{[]Kind{Deposit}, Succeeded, Disputed, asked},
	{[]Kind{Deposit}, Disputed, Succeeded, asked},
	{[]Kind{Deposit}, Disputed, ChargedBack, asked},
}

// Transitions gives a copy of the table.
func Transitions() []Transition { return slices.Clone(transitions) }

// CanBecome reports whether a transaction of the kind may go from one state to another for the cause.
func CanBecome(k Kind, from, to State, by Cause) bool {
	for _, t := range transitions {
		if t.From == from && t.To == to && slices.Contains(t.Kinds, k) && slices.Contains(t.By, by) {
			return true
		}
	}
	return false
}

// Final reports whether nothing more is expected; the documented late turns (a return, a late payment) can still come.
func (s State) Final() bool {
	switch s {
	case Rejected, Expired, Succeeded, Failed, Cancelled, Returned, Refunded, ChargedBack:
		return true
	}
	return false
}

// InFlight reports whether money may be moving: it was sent and has no final answer.
func (s State) InFlight() bool {
	switch s {
	case Sending, Unknown, Pending, Held, Partial:
		return true
	}
	return false
}

// Word is the state as people read it.
func (s State) Word() string {
	if w, ok := stateWords[s]; ok {
		return w[0]
	}
	return string(s)
}

// Sentence explains the state to people.
func (s State) Sentence() string { return stateWords[s][1] }

var stateWords = map[State][2]string{
	Draft:             {"Draft", "Written down, not submitted. Nothing was sent."},
	AwaitingApproval:  {"Awaiting approval", "It waits for the people that the policy names. Nothing was sent."},
	Approved:          {"Approved", "Everybody who must agree has agreed. It will be sent in a moment."},
	Rejected:          {"Rejected", "An approver refused it. Nothing was sent."},
	Expired:           {"Expired", "Its time ran out."},
	Scheduled:         {"Scheduled", "Approved, and waiting for its time."},
	Sending:           {"Sending", "It is on its way to the provider."},
	Unknown:           {"Outcome unknown", "It was sent and the answer was lost. The provider is being asked; nothing is sent again meanwhile."},
	Pending:           {"Pending", "The provider has it and has not finished."},
	Held:              {"Held", "The provider holds it. Funds stay reserved; nothing is paid until it is released."},
	Succeeded:         {"Succeeded", "The provider says it is done."},
	Failed:            {"Failed", "The provider refused it or could not do it. No money moved."},
	Cancelled:         {"Cancelled", "It was called off. No money moved."},
	Returned:          {"Returned", "It had been paid, and the beneficiary's bank sent the money back."},
	AwaitingPayment:   {"Awaiting payment", "The payer has the instructions. No money has arrived yet."},
	PartiallyPaid:     {"Partially paid", "Some money arrived, less than was asked for."},
	Partial:           {"Partial", "Not everything that was ordered has arrived."},
	Refunded:          {"Refunded", "The whole amount was given back to the payer."},
	PartiallyRefunded: {"Partially refunded", "A part of the amount was given back to the payer."},
	ChargedBack:       {"Charged back", "The payer's bank took the money back."},
	Disputed:          {"Disputed", "The payer disputes it."},
}

// States lists all states, in the order of a life.
func States() []State {
	return []State{Draft, AwaitingApproval, Approved, Rejected, Expired, Scheduled, Sending, Unknown, Pending, Held, Partial, Succeeded,
		Failed, Cancelled, Returned, AwaitingPayment, PartiallyPaid, Refunded, PartiallyRefunded, ChargedBack, Disputed}
}

// Tone is how a state is coloured: ok, wait, bad, odd (needs a person's thought), idle.
func (s State) Tone() string {
	switch s {
	case Succeeded:
		return "ok"
	case AwaitingApproval, Approved, Sending, Pending, AwaitingPayment, PartiallyPaid, Scheduled:
		return "wait"
	case Failed, Rejected, Returned, ChargedBack, Partial:
		return "bad"
	case Unknown, Disputed:
		return "odd"
	}
	return "idle"
}
