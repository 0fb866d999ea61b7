package demo

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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

func (h *Historian) outgoing(s story, at models.Micros) *store.History {
	x := h.base(s, at, h.recipient(s.method))
	t := &x.Transaction
	maker := h.people[h.rnd.IntN(len(h.people))]
	checker := maker
	for checker == maker && len(h.people) > 1 {
		checker = h.people[h.rnd.IntN(len(h.people))]
	}
	t.CreatedBy, t.CreatedByName = maker.ID, maker.Name
	if t.Kind == models.Conversion {
		h.conversion(s, t)
	}
	t.Digest = models.PayloadOf(t, &x.Detail).Digest()
	t.State = models.Draft
	line(&x, at, "created", "", "", maker, "Created by "+maker.Name)
	now := at
	after := func(most time.Duration) models.Micros {
		now = now.Add(time.Duration(h.rnd.Int64N(int64(most))) + 300*time.Millisecond)
		return now
	}
	if t.Kind == models.Conversion {
		line(&x, after(time.Second), "approved", models.Approved, models.ByStaff, maker, "Approved: "+maker.Name+", no second person needed")
	} else {
		x.Rule = "One approver from finance"
		line(&x, after(time.Second), "submitted", models.AwaitingApproval, models.ByStaff, maker, "Submitted for approval")
		if h.rnd.Float64() < 0.012 {
			why := []string{"Wrong invoice", "Already paid by bank transfer", "Ask the supplier for the new account first"}[h.rnd.IntN(3)]
			x.ApprovedBy = []store.Decision{{UserID: checker.ID, Name: checker.Name, Decision: "reject", Reason: why, At: after(2 * time.Hour)}}
			t.Reason = why
			line(&x, now, "rejected", models.Rejected, models.ByStaff, checker, "Rejected by "+checker.Name+": "+why)
			t.SettledAt = now
			return &x
		}
		x.ApprovedBy = []store.Decision{{UserID: checker.ID, Name: checker.Name, Decision: "approve", At: after(3 * time.Hour)}}
		line(&x, now, "approved", models.Approved, models.ByStaff, checker, "Approved: by "+checker.Name)
	}
	t.SentAt = after(2 * time.Second)
	line(&x, now, "sent", models.Sending, models.ByTask, Person{}, "Sent to the provider, attempt 1")
	x.Evidence = append(x.Evidence, models.Evidence{At: now, Source: "request", Result: "sent", Says: fmt.Sprintf("Reference %s, attempt 1", t.Reference)})
	h.ending(s, &x, after)
	t.SettledAt = now
	return &x
}

// ending lets the provider answer and the money arrive, or not.
func (h *Historian) ending(s story, x *store.History, after func(time.Duration) models.Micros) {
	t := &x.Transaction
	t.ProviderRef = h.digits(9)
	switch p := h.rnd.Float64(); {
	case p < 0.006:
		t.ProviderRef = ""
		line(x, after(40*time.Second), "answer", models.Unknown, models.ByTask, Person{}, "The answer was lost: no reply within 30 s")
		t.ProviderRef = h.digits(9)
		x.Evidence = append(x.Evidence, models.Evidence{At: after(31 * time.Second), Source: "asked", Result: "found", Says: "Found by our reference"})
		line(x, after(time.Second), "state", models.Pending, models.ByQuery, Person{}, "The provider says: Pending")
	case p < 0.02:
		t.ProviderRef, t.ReasonCode, t.Reason = "", "refused", "The provider refused the request"
		line(x, after(2*time.Second), "answer", models.Failed, models.ByTask, Person{}, "Refused by the provider")
		return
	case t.Kind == models.Conversion || t.Kind == models.Order:
		line(x, after(2*time.Second), "answer", models.Succeeded, models.ByTask, Person{}, "Accepted by the provider: Succeeded")
		return
	default:
		line(x, after(2*time.Second), "answer", models.Pending, models.ByTask, Person{}, "Accepted by the provider: Pending")
	}
	switch p := h.rnd.Float64(); {
	case p < 0.022:
		t.Reason = []string{"Account closed", "Account number incorrect", "Rejected by the bank", "Document and account do not match"}[h.rnd.IntN(4)]
		line(x, after(6*time.Hour), "state", models.Failed, models.ByQuery, Person{}, "The provider says: Failed, "+t.Reason)
	case p < 0.03:
		line(x, after(time.Hour), "state", models.Cancelled, models.ByQuery, Person{}, "The provider says: Cancelled")
	default:
		line(x, after(4*time.Hour), "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded")
		if h.rnd.Float64() < 0.004 {
			t.Reason = "Returned by the beneficiary's bank"
			line(x, after(90*time.Hour), "state", models.Returned, models.ByQuery, Person{}, "The provider says: Returned, "+t.Reason)
		}
	}
	_ = s
}

func (h *Historian) conversion(s story, t *models.Transaction) {
	sell, buy := s.asset, "WUSD"
	if sell == "WUSD" {
		buy = "USD"
	}
	bps := int64(9_990 + h.rnd.IntN(10))
	t.Rate = fmt.Sprintf("0.%04d", bps)
	t.Counter = models.Money{Minor: t.Amount.Minor * bps / 10_000, Asset: buy}
	t.Party = sell + " → " + buy
}

func (h *Historian) deposit(s story, at models.Micros) *store.History {
	x := h.base(s, at, h.recipient(s.method))
	t := &x.Transaction
	maker := h.people[h.rnd.IntN(len(h.people))]
	t.CreatedBy, t.CreatedByName = maker.ID, maker.Name
	t.Digest = models.PayloadOf(t, &x.Detail).Digest()
	t.State = models.Draft
	line(&x, at, "created", "", "", maker, "Created by "+maker.Name)
	t.SentAt, t.ProviderRef = at.Add(time.Second), h.digits(9)
	line(&x, t.SentAt, "sent", models.Sending, models.ByTask, Person{}, "Sent to the provider, attempt 1")
	line(&x, at.Add(2*time.Second), "answer", models.AwaitingPayment, models.ByTask, Person{}, "Accepted by the provider: Awaiting payment")
	end := at.Add(time.Minute + time.Duration(h.rnd.Int64N(int64(5*time.Hour))))
	switch p := h.rnd.Float64(); {
	case p < 0.09:
		line(&x, at.Add(24*time.Hour), "state", models.Expired, models.ByQuery, Person{}, "The provider says: Expired")
		end = at.Add(24 * time.Hour)
		if h.rnd.Float64() < 0.08 {
			end = at.Add(31 * time.Hour)
			line(&x, end, "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded, after it had expired")
		}
	case p < 0.11:
		line(&x, end, "state", models.Cancelled, models.ByQuery, Person{}, "The provider says: Cancelled")
	default:
		t.Fee = models.Money{Minor: t.Amount.Minor * 12 / 1000, Asset: t.Amount.Asset}
		line(&x, end, "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded")
		if h.rnd.Float64() < 0.05 && s.account.Description.Has(providers.CanRefund) {
			h.giveBack(s, &x, end)
		}
	}
	t.SettledAt = end
	return &x
}

// giveBack refunds a quarter of a deposit a day after it was paid, if its provider has a way that history can use.
func (h *Historian) giveBack(s story, deposit *store.History, paid models.Micros) {
	var method providers.Method
	for _, m := range s.account.Description.Methods {
		if m.Kind == models.Refund && m.Locked == "" {
			method = m
		}
	}
	of := &deposit.Transaction
	at := paid.Add(24 * time.Hour)
	done := at.Add(20 * time.Hour)
	if method.ID == "" || done > models.At(h.times[len(h.times)-1]) {
		return
	}
	x := h.base(story{s.account, method, of.Amount.Asset, 0}, at, h.recipient(method))
	t := &x.Transaction
	maker, checker := h.people[0], h.people[1%len(h.people)]
	t.OfID, t.Party, t.SubAccount, t.CreatedBy, t.CreatedByName = of.ID, of.Party, of.SubAccount, maker.ID, maker.Name
	t.Amount = models.Money{Minor: max(1, of.Amount.Minor/4), Asset: of.Amount.Asset}
	t.Digest = models.PayloadOf(t, &x.Detail).Digest()
	t.State, t.ProviderRef = models.Draft, h.digits(6)
	x.Rule, x.ApprovedBy = "Refunds: one approver from finance", []store.Decision{{UserID: checker.ID, Name: checker.Name, Decision: "approve", At: at.Add(time.Hour)}}
	line(&x, at, "created", "", "", maker, "Created by "+maker.Name)
	line(&x, at.Add(time.Second), "submitted", models.AwaitingApproval, models.ByStaff, maker, "Submitted for approval")
	line(&x, at.Add(time.Hour), "approved", models.Approved, models.ByStaff, checker, "Approved: by "+checker.Name)
	t.SentAt = at.Add(time.Hour + time.Second)
	line(&x, t.SentAt, "sent", models.Sending, models.ByTask, Person{}, "Sent to the provider, attempt 1")
	line(&x, t.SentAt.Add(time.Second), "answer", models.Pending, models.ByTask, Person{}, "Accepted by the provider: Pending")
	t.SettledAt = done
	line(&x, done, "state", models.Succeeded, models.ByQuery, Person{}, "The provider says: Succeeded")
	line(deposit, done, "state", models.PartiallyRefunded, models.ByQuery, Person{}, fmt.Sprintf("Refund %s over %s succeeded", t.Reference, t.Amount))
	h.refunds = append(h.refunds, &x)
}

// recipient gives the values of somebody who is paid or pays by the method; most are regulars.
func (h *Historian) recipient(m providers.Method) map[string]string {
	known := h.parties[m.ID]
	if len(known) > 0 && (len(known) > 180 || h.rnd.Float64() < 0.85) {
		return known[h.rnd.IntN(len(known))]
	}
	v := map[string]string{}
	first, last := firstNames[h.rnd.IntN(len(firstNames))], lastNames[h.rnd.IntN(len(lastNames))]
	split := slices.ContainsFunc(m.Fields, func(f providers.Field) bool { return f.Role == providers.RoleLastName })
	for _, f := range m.Fields {
		switch {
		case len(f.Examples) > 0:
			v[f.Name] = f.Examples[h.rnd.IntN(len(f.Examples))]
		case f.Role == providers.RoleOwner && split:
			v[f.Name] = first
		case f.Role == providers.RoleOwner:
			v[f.Name] = first + " " + last
		case f.Role == providers.RoleLastName:
			v[f.Name] = last
		case f.Kind == providers.Email:
			v[f.Name] = strings.ToLower(plain(first)+"."+plain(last)) + "@example.com"
		case len(f.Options) > 0:
			v[f.Name] = f.Options[h.rnd.IntN(len(f.Options))].Value
		case f.Role == providers.RoleDocument && m.Country == "BR":
			v[f.Name] = cpf(h.digits(9))
		case f.Role == providers.RoleDocument:
			v[f.Name] = h.digits(11)
		case f.Kind == providers.Phone:
			v[f.Name] = "+55119" + h.digits(8)
		case f.Role == providers.RoleAccount:
			v[f.Name] = h.digits(cmp.Or(min(f.MaxLen, 12), 10))
		case f.Default != "":
			v[f.Name] = f.Default
		}
	}
	h.parties[m.ID] = append(known, v)
	return v
}

// cpf completes nine digits with the two check digits of a Brazilian tax number: without them no payout of today could be made.
func cpf(nine string) string {
	for len(nine) < 11 {
		sum := 0
		for i, d := range nine {
			sum += int(d-'0') * (len(nine) + 1 - i)
		}
		nine += string(rune('0' + sum*10%11%10))
	}
	return nine
}

func (h *Historian) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + h.rnd.IntN(10))
	}
	if b[0] == '0' {
		b[0] = '7'
	}
	return string(b)
}

func (h *Historian) reference() string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := []byte("CH000000000000")
	for i := 2; i < len(b); i++ {
		b[i] = letters[h.rnd.IntN(len(letters))]
	}
	return string(b)
}

// idAt makes a version 7 UUID of a moment in the past, so that ids sort like the history.
func idAt(r *rand.Rand, at models.Micros) string {
	ms := uint64(at / 1000) //nolint:gosec // positive
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-7%03x-%04x-%012x", ms>>16, ms&0xffff, a&0xfff, 0x8000|(a>>12)&0x3fff, b&0xffffffffffff)
}

func plain(s string) string {
	return strings.NewReplacer("ã", "a", "á", "a", "é", "e", "í", "i", "ó", "o", "ô", "o", "ú", "u", "ç", "c", "ñ", "n", "ö", "o", "É", "E", "Í", "I", "Á", "A").Replace(s)
}

var firstNames = []string{"João", "Maria", "Ana", "Pedro", "Lucas", "Beatriz", "Camila", "Rafael", "Sofía", "Valentina", "Mateo", "Diego", "Lucía", "Martín", "Amina",
	"Wanjiru", "Joseph", "Grace", "Otieno", "Fatuma", "Neema", "Thabo", "Lerato", "Irina", "Dmitri", "Oksana", "Wei", "Mei", "Hiroshi", "Elena", "Tomás", "Carla",
	"Felipe", "Gabriela", "Bruno", "Isabela", "Núria", "Íris", "Álvaro", "Conceição"}

var lastNames = []string{"Silva", "Souza", "Pereira", "Oliveira", "Costa", "Almeida", "Ferreira", "Gómez", "Rodríguez", "Fernández", "Rojas", "Muñoz", "Soto", "Mwangi",
	"Odhiambo", "Kamau", "Njoroge", "Dlamini", "Nkosi", "Petrova", "Ivanov", "Tan", "Lim", "Sato", "Moreira", "Araújo", "Vieira", "Cardoso", "Teixeira", "Barbosa",
	"Castro", "Molina", "Herrera", "Vega", "Ibáñez", "Quispe", "Flores", "Santos", "Ribeiro", "Carvalho"}

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

// Party is somebody who can be paid by a form, and what for.
type Party struct {
	Values        map[string]string
	Name, Purpose string
}

// Payee makes up somebody new for a form of destinations, with what they are called and paid for.
func (h *Historian) Payee(f providers.DestinationForm) Party {
	m := providers.Method{ID: "payee " + f.ID, Country: f.Country, Fields: f.Fields}
	delete(h.parties, m.ID) // everybody only once
	p := Party{Values: h.recipient(m), Purpose: purposes[h.rnd.IntN(len(purposes))]}
	first, last := firstNames[h.rnd.IntN(len(firstNames))], lastNames[h.rnd.IntN(len(lastNames))]
	p.Name = first + " " + last
	if h.rnd.Float64() < 0.45 {
		p.Name = last + " " + trades[h.rnd.IntN(len(trades))]
	}
	for _, x := range f.Fields {
		if x.Role == providers.RoleOwner && p.Values[x.Name] != "" && h.rnd.Float64() < 0.8 {
			p.Name = p.Values[x.Name]
		}
	}
	if _, ok := p.Values["network"]; ok {
		p.Values["address"] = "0x" + h.hex(40)
	}
	return p
}

func (h *Historian) hex(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = "0123456789abcdef"[h.rnd.IntN(16)]
	}
	return string(out)
}

// Draw gives a number below n.
func (h *Historian) Draw(n int) int { return h.rnd.IntN(n) }

var purposes = []string{"Supplier of packaging", "Rent of the warehouse", "Freelance design", "Courier runs", "Own wallet", "Refunds to customers", "Salary", "Web hosting", "Printing", "Cleaning", "Commission",
	"Spare parts", "Translation", "Accounting", "Affiliate programme", "Security deposit"}

var trades = []string{"Ltda.", "Logistics", "& Filhos", "Trading", "Services", "Print House", "Foods", "Studio", "Holdings", "Transport"}
