package demo

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Account is a credential that history is written for.
type Account struct {
	CredentialID string
	Version      int64
	Environment  models.Environment
	Description  *providers.Description
	Subs         []Sub // its sub-accounts; some of its transactions are made for one of them
}

// Sub is a sub-account and since when it is open.
type Sub struct {
	ID   string
	From models.Micros
}

// sub tells for which sub-account a transaction is: for something under a half of them none. The reference decides, so that nothing else of the
// history depends on it; the first sub-accounts are the busiest.
func (a Account) sub(reference string, at models.Micros) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(reference))
	x := float64(h.Sum32()%10_000) / 10_000
	if len(a.Subs) == 0 || x >= 0.55 {
		return ""
	}
	x /= 0.55
	s := a.Subs[int(x*x*float64(len(a.Subs)))]
	if s.From > at {
		return ""
	}
	return s.ID
}

// Person is somebody who made or approved things in the history.
type Person struct{ ID, Name string }

// story is one way of doing business at one account, with its weight.
type story struct {
	account Account
	method  providers.Method
	asset   string
	weight  float64
}

// Historian writes believable history from a seed: the same seed, accounts and people give the same figures. Everything it writes is
// finished; what is open in the demonstration is made by the engine against the sandboxes.
type Historian struct {
	rnd     *rand.Rand
	stories []story
	total   float64
	people  []Person
	times   []time.Time
	parties map[string][]map[string]string // method → regular recipients
	next    int
	refunds []*store.History // of deposits that were just written
}

// typical is the usual amount of one payment by asset, in major units.
var typical = map[string]float64{"BRL": 420, "CLP": 52_000, "MXN": 2_400, "COP": 180_000, "ARS": 95_000, "PEN": 380, "USD": 1_900, "EUR": 1_500, "WUSD": 2_600,
	"JPY": 140_000, "KES": 4_800, "TZS": 96_000, "UGX": 140_000, "ZAR": 1_100, "RUB": 9_400, "ETH": 0.4, "MATIC": 900, "USDT": 1_200, "USDC": 1_200}

// share is how often a kind occurs.
var share = map[models.Kind]float64{models.Payout: 52, models.Deposit: 40, models.Conversion: 5, models.Order: 3}

// NewHistorian prepares n transactions over the year before now.
func NewHistorian(seed uint64, accounts []Account, people []Person, now time.Time, n int) *Historian {
	h := &Historian{rnd: rand.New(rand.NewPCG(seed, 0xC0FFEE)), people: people, parties: map[string][]map[string]string{}} //nolint:gosec // believable, not secret
	counts := map[models.Kind]int{}
	for _, a := range accounts {
		for _, m := range a.Description.Methods {
			if m.Locked == "" && share[m.Kind] > 0 {
				counts[m.Kind]++
			}
		}
	}
	for _, a := range accounts {
		for _, m := range a.Description.Methods {
			if m.Locked != "" || share[m.Kind] == 0 {
				continue
			}
			assets := m.Assets
			if len(assets) == 0 {
				assets = []string{"USD"}
			}
			for i, asset := range assets {
				if _, ok := models.AssetByCode(asset); !ok {
					continue
				}
				w := share[m.Kind] / float64(counts[m.Kind]) / float64(1+3*i)
				if m.Country == "BR" {
					w *= 4
				}
				h.stories = append(h.stories, story{a, m, asset, w})
				h.total += w
			}
		}
	}
	h.times = h.spread(now, n)
	return h
}

// spread gives n moments of a year that grows, rests at night and is quiet on Sundays.
func (h *Historian) spread(now time.Time, n int) []time.Time {
	ts := make([]time.Time, 0, n)
	for len(ts) < n {
		age := 1 - math.Sqrt(h.rnd.Float64()) // more towards today
		t := now.Add(-time.Duration(age*365*24*float64(time.Hour)) - time.Hour)
		hour := math.Abs(float64(t.Hour()) - 15)
		if h.rnd.Float64() > math.Exp(-hour*hour/40)+0.06 || (t.Weekday() == time.Sunday && h.rnd.Float64() < 0.7) {
			continue
		}
		ts = append(ts, t.Truncate(time.Microsecond))
	}
	slices.SortFunc(ts, func(a, b time.Time) int { return cmp.Compare(a.UnixMicro(), b.UnixMicro()) })
	return ts
}

// Next writes the next transaction, oldest first; nil after the last.
func (h *Historian) Next() *store.History {
	if n := len(h.refunds); n > 0 {
		x := h.refunds[n-1]
		h.refunds = h.refunds[:n-1]
		return x
	}
	if h.next >= len(h.times) || len(h.stories) == 0 {
		return nil
	}
	at := models.At(h.times[h.next])
	h.next++
	s := h.pick()
	if s.method.Kind == models.Deposit {
		return h.deposit(s, at)
	}
	return h.outgoing(s, at)
}

func (h *Historian) pick() story {
	x := h.rnd.Float64() * h.total
	for _, s := range h.stories {
		if x -= s.weight; x < 0 {
			return s
		}
	}
	return h.stories[len(h.stories)-1]
}

func (h *Historian) amount(s story) models.Money {
	base := cmp.Or(typical[s.asset], 600)
	a, _ := models.AssetByCode(s.asset)
	major := base * math.Exp(h.rnd.NormFloat64()*0.9)
	scale := math.Pow10(a.Scale)
	minor := int64(math.Round(major * scale))
	if s.method.Kind != models.Deposit && h.rnd.Float64() < 0.6 && a.Scale > 0 && !a.Crypto { // people like round sums
		minor = minor / int64(scale*10) * int64(scale*10)
	}
	if low, err := models.ParseMoney(s.method.Minimum, s.asset); err == nil && s.method.Minimum != "" {
		minor = max(minor, low.Minor)
	}
	return models.Money{Minor: max(minor, 100), Asset: s.asset}
}

func (h *Historian) base(s story, at models.Micros, values map[string]string) store.History {
	to := providers.DestinationOf(s.method, values)
	t := models.Transaction{ID: idAt(h.rnd, at), Environment: s.account.Environment, Kind: s.method.Kind, Provider: s.account.Description.Name,
		CredentialID: s.account.CredentialID, Method: s.method.ID, Reference: h.reference(), Amount: h.amount(s), Party: to.Masked,
		DestinationDigest: to.Digest, CredentialVersion: s.account.Version, CreatedAt: at, UpdatedAt: at}
	t.SubAccount = s.account.sub(t.Reference, at)
	return store.History{Transaction: t, Detail: models.TransactionDetail{Values: values}}
}

// line appends to the story; a state makes it a move.
func line(h *store.History, at models.Micros, what string, to models.State, by models.Cause, who Person, sentence string) {
	t := &h.Transaction
	e := models.Event{At: at, What: what, By: by, ActorID: who.ID, ActorName: who.Name, Sentence: sentence, Figures: models.FiguresOf(t)}
	if to != "" {
		e.From, e.To, t.State, t.UpdatedAt = t.State, to, to, at
		if e.From == "" {
			e.From = models.Draft
		}
	}
	h.Events = append(h.Events, e)
}

// Request is one thing to be made today.
type Request struct {
	Amount models.Money
	Values map[string]string
}

// Today makes up an amount and values for a method of an account; false when the method has no asset that can be counted.
func (h *Historian) Today(a Account, m providers.Method) (Request, bool) {
	asset := "USD"
	if len(m.Assets) > 0 {
		asset = m.Assets[0]
	}
	if _, ok := models.AssetByCode(asset); !ok {
		return Request{}, false
	}
	values := maps.Clone(h.recipient(m))
	for _, f := range m.Fields {
		if f.Try != "" { // the stand-in knows nobody else
			values[f.Name] = f.Try
		}
	}
	return Request{h.amount(story{a, m, asset, 0}), values}, true
}

// Walk gives n earlier figures of a balance that is now at minor, newest first: payouts draw it down, now and then it is filled up.
func (h *Historian) Walk(minor int64, n int) []int64 {
	out := make([]int64, 0, n)
	step := max(minor/40, 1)
	for range n {
		if h.rnd.Float64() < 0.1 && minor > 8*step {
			minor -= h.rnd.Int64N(6*step) + step
		} else {
			minor += h.rnd.Int64N(2 * step)
		}
		out = append(out, minor)
	}
	return out
}

// Draw gives a number below n.
func (h *Historian) Draw(n int) int { return h.rnd.IntN(n) }
