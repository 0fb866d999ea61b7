package models

import "sort"

// Account is a side of the merchant's books at one provider, credential and asset.
type Account string

// The accounts. Available and InFlight are ours at the provider; the others are the world outside.
const (
	Available Account = "available" // what can be spent
	InFlight  Account = "in_flight" // sent, without a final answer
	PaidOut   Account = "paid_out"
	Received  Account = "received"
	RefundedA Account = "refunded"
	Fees      Account = "fees"
	Exchanged Account = "exchanged" // the other side of a conversion
	Spent     Account = "spent"     // orders
	Lost      Account = "charged_back"
)

// Figures are the amounts of a transaction on which its place in the ledger depends.
type Figures struct {
	Amount  Money `json:"amount"`
	Settled Money `json:"settled,omitzero"`
	Fee     Money `json:"fee,omitzero"`
	Counter Money `json:"counter,omitzero"`
}

// FiguresOf collects the figures of a transaction.
func FiguresOf(t *Transaction) Figures { return Figures{t.Amount, t.Settled, t.Fee, t.Counter} }

// Posting is one side of a ledger entry.
type Posting struct {
	Account Account
	Money   Money
}

// Position is where a transaction's money stands in a state: the postings that would bring it there from nothing. The sum per asset is
// always zero. The ledger of a transaction is the difference between positions, so that any history that ends in the same state and
// figures ends in the same balances.
func Position(k Kind, s State, f Figures) []Posting {
	var ps []Posting
	move := func(from, to Account, m Money) {
		if m.Minor != 0 {
			ps = append(ps, Posting{from, m.Neg()}, Posting{to, m})
		}
	}
	moved := f.Amount
	if f.Settled.Asset != "" {
		moved = f.Settled
	}
	switch k {
	case Deposit:
		switch s {
		case Succeeded, PartiallyPaid, Refunded, PartiallyRefunded, Disputed:
			move(Received, Available, moved)
			move(Available, Fees, f.Fee)
		case ChargedBack:
			move(Received, Available, moved)
			move(Available, Fees, f.Fee)
			move(Available, Lost, moved)
		}
	default:
		switch {
		case s.InFlight():
			if k != Transfer {
				move(Available, InFlight, f.Amount)
			}
		case s == Succeeded:
			move(Available, Fees, f.Fee)
			switch k {
			case Payout:
				move(Available, PaidOut, moved)
			case Refund:
				move(Available, RefundedA, moved)
			case Order:
				move(Available, Spent, moved)
			case Conversion:
				move(Available, Exchanged, moved)
				move(Exchanged, Available, f.Counter)
			}
		case s == Returned:
			move(Available, Fees, f.Fee)
		}
	}
	return ps
}

// Postings is what must be posted when a transaction goes from one position to another, in a stable order, without zero lines.
func Postings(before, after []Posting) []Posting {
	type key struct {
		a     Account
		asset string
	}
	sum := map[key]int64{}
	for _, p := range after {
		sum[key{p.Account, p.Money.Asset}] += p.Money.Minor
	}
	for _, p := range before {
		sum[key{p.Account, p.Money.Asset}] -= p.Money.Minor
	}
	var out []Posting
	for k, minor := range sum {
		if minor != 0 {
			out = append(out, Posting{k.a, Money{minor, k.asset}})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Money.Asset != b.Money.Asset {
			return a.Money.Asset < b.Money.Asset
		}
		if a.Money.Minor != b.Money.Minor {
			return a.Money.Minor < b.Money.Minor
		}
		return a.Account < b.Account
	})
	return out
}
