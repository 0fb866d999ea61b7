package models

import "time"

// Home is what the first page says of an environment's transactions. Counts stop at HomeBound.
type Home struct {
	Unknown      []Transaction // the oldest five
	UnknownCount int64
	Alerts       int64 // a person must look at them
	Short        int64 // deposits of which only a part was paid
	Late         int64 // deposits still not paid a day after they were made
	Held         int64
	LongSending  int64 // on their way for more than ten minutes
	LongPending  int64 // with the provider for more than a day
	Unsent       int64 // approved, due, and not sent for ten minutes
	Books        int64 // destinations that are not what a provider's book says, and lines there that are not ours
	SoonExpired  int64 // requests for approval that run out within four hours
	SoonFirst    Micros
}

// HomeBound is where the counts of the first page stop.
const HomeBound = 100

// The ages from which something counts as stuck.
const (
	LongSending = 10 * time.Minute
	LongPending = 24 * time.Hour
	SoonExpired = 4 * time.Hour
)

// DayFlow is what came in and went out on one UTC day in one asset, by the day on which it was made.
type DayFlow struct {
	Day     int64 // days since 1970
	Asset   string
	In, Out int64 // minor units
	Count   int64
}

// ProviderRate is how transactions of one provider ended.
type ProviderRate struct {
	Provider      string
	Payouts       int64 // final ones
	PayoutsDone   int64
	Deposits      int64 // those that are paid or will not be
	DepositsPaid  int64
	MedianSettled time.Duration // of the latest payouts that succeeded, from sending to the final answer; zero: none
}
