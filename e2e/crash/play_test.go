package crash

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// mishaps are what the next creation at a provider may suffer.
var mishaps = []string{"lose_reply", "drop_before", "late", "http_500", "garbage", "truncate", "duplicate", "lie_amount", "held_back"}

// modes are how webhooks may come.
var modes = []string{"normal", "off", "twice", "before_reply", "reordered", "forged"}

// wants files one transaction, and most times has somebody else agree to it.
func (h *house) wants(w wish) {
	ctx := context.Background()
	var b *box
	for _, x := range h.boxes {
		if x.name == w.provider {
			b = x
		}
	}
	id := models.NewID()
	n := store.NewTransaction{ID: id, Environment: models.Sandbox, Kind: w.kind, CredentialID: b.cred.ID, Method: w.method,
		Amount: models.Money{Minor: w.low + h.rnd.Int64N(w.high-w.low+1), Asset: w.asset}, Party: "somebody", DestinationDigest: id,
		Detail: models.TransactionDetail{Values: w.values, SKU: w.sku}}
	if w.sku != "" {
		n.Detail.Quantity = 1
	}
	if w.provider == "onekey" && w.kind == models.Payout && h.rnd.IntN(5) == 0 {
		n.Detail.Hold = true
	}
	if w.prepare != nil && !w.prepare(h, b, &n) {
		return
	}
	t, err := h.store.Create(ctx, h.ada, n)
	if err != nil {
		if w.kind == models.Refund && people(err) { // more than is left of the deposit
			h.note("no refund: %v", err)
			return
		}
		h.t.Fatalf("%s: create a %s at %s: %v", h.name, w.kind, w.provider, err)
	}
	h.made = append(h.made, t)
	h.note("%s %s at %s is %s", w.kind, w.method, w.provider, t.Reference)
	switch h.rnd.IntN(12) {
	case 0: // nobody decides
	case 1:
		h.decide(t.ID, false)
	default:
		h.decide(t.ID, true)
	}
	if h.rnd.IntN(12) == 0 {
		if err := h.store.Withdraw(ctx, h.ada, models.Sandbox, t.ID); err == nil {
			h.note("%s was withdrawn", t.Reference)
		} else if !people(err) {
			h.t.Fatalf("%s: withdraw: %v", h.name, err)
		}
	}
}

// people tells whether an error is a refusal in words, and not a failure of ours.
func people(err error) bool {
	c := models.CodeOf(err)
	return c == models.Conflict || c == models.Invalid || c == models.Forbidden || c == models.NotFound
}

// decide gives Bea's, and where two are needed Cleo's, word on whatever is open about a transaction.
func (h *house) decide(id string, approve bool) {
	for _, r := range h.page(id).Approvals {
		if r.State != "open" {
			continue
		}
		for _, a := range []models.Actor{h.bea, h.cleo}[:min(2, r.Needed)] {
			if _, err := h.store.Decide(context.Background(), h.as(a), models.Sandbox, r.ID, approve, "seen", r.Digest); err != nil && !people(err) {
				h.t.Fatalf("%s: decide: %v", h.name, err)
			}
			if !approve {
				break
			}
		}
	}
}

// mishap lets something go wrong with the next creation at a provider.
func (h *house) mishap(w wish) {
	kind := mishaps[h.rnd.IntN(len(mishaps))]
	for _, b := range h.boxes {
		if b.name != w.provider {
			continue
		}
		if kind == "held_back" {
			b.mu.Lock()
			b.detain++
			b.mu.Unlock()
			h.heldAt = h.clock.Now()
		} else if err := b.fault(w.operation, kind, 1); err != nil && w.provider != "wupex" { // it has fewer kinds
			h.t.Fatal(err)
		}
		if ways := questions[b.name]; len(ways) > 0 && h.rnd.IntN(6) == 0 {
			if err := b.fault(ways[h.rnd.IntN(len(ways))], []string{"http_500", "lose_reply", "garbage", "truncate"}[h.rnd.IntN(4)], 1); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	h.note("%s at %s: %s", w.operation, w.provider, kind)
}

// operate has a person cancel, hold or release something that is on its way.
func (h *house) operate() {
	if len(h.made) == 0 {
		return
	}
	t := h.made[h.rnd.IntN(len(h.made))]
	if t.Provider != "onekey" || t.Kind != models.Payout {
		return
	}
	op := []models.Operation{models.OpCancel, models.OpHold, models.OpRelease}[h.rnd.IntN(3)]
	err := h.store.RequestOperation(context.Background(), h.as(h.bea), models.Sandbox, t.ID, op, "people")
	switch {
	case err == nil:
		h.note("%s was told to %s", t.Reference, op)
	case !people(err):
		h.t.Fatalf("%s: %s: %v", h.name, op, err)
	}
}

// settle lets a provider decide about something it has.
func (h *house) settle(t *models.Transaction, outcomes ...string) bool {
	b := h.boxOf(t)
	now := h.page(t.ID)
	references := map[string]bool{now.Transaction.Reference: true}
	for _, a := range now.Attempts {
		references[a.Reference] = true
	}
	ran := b.executions(h.t)
	for ref := range references {
		if ran[ref] == 0 {
			continue
		}
		for _, o := range outcomes {
			if ok, _ := b.tell("settle", url.Values{"reference": {ref}, "status": {o}}); ok {
				h.note("%s lets %s become %s", b.name, ref, o)
				return true
			}
		}
	}
	return false
}

var outcomes = []string{"succeeded", "succeeded", "succeeded", "failed", "cancelled", "held", "returned", "paid", "paid_late", "paid_short", "expired"}

// leap moves the clock. What is held back on the road arrives within four minutes: longer no connection lives (providers.Passport).
func (h *house) leap(d time.Duration) {
	if !h.heldAt.IsZero() && h.clock.Now().Add(d).Sub(h.heldAt) > 4*time.Minute {
		h.releaseAll()
	}
	h.clock.leap(h.t, d)
	for _, b := range h.boxes {
		if b.name != "onekey" && b.name != "wupex" { // the others are never asked by time; of them the clock would only end tokens
			continue
		}
		if ok, said := b.tell("clock", url.Values{"advance_seconds": {fmt.Sprint(int(d.Seconds()))}}); !ok {
			h.t.Fatal(said)
		}
	}
}

func (h *house) releaseAll() {
	for _, b := range h.boxes {
		b.release()
	}
	h.heldAt = time.Time{}
}

// act is one thing that somebody does.
func (h *house) act() {
	switch h.rnd.IntN(11) {
	case 0, 1, 2, 3:
		w := wishes[h.rnd.IntN(len(wishes))]
		if h.rnd.IntN(2) == 0 {
			h.mishap(w)
		}
		h.wants(w)
	case 10:
		if n := len(errands); n > 0 && h.rnd.IntN(2) == 0 {
			errands[h.rnd.IntN(n)].act(h)
		}
	case 4, 5, 6:
		if len(h.made) > 0 {
			h.settle(h.made[h.rnd.IntN(len(h.made))], outcomes[h.rnd.IntN(len(outcomes))])
		}
	case 7:
		h.operate()
	case 8:
		b := h.boxes[h.rnd.IntN(len(h.boxes))]
		if ok, said := b.tell("webhooks", url.Values{"mode": {modes[h.rnd.IntN(len(modes))]}, "delay_ms": {fmt.Sprint(h.rnd.IntN(60))}}); !ok {
			h.t.Fatalf("%s: %s", b.name, said)
		}
	case 9:
		h.leap([]time.Duration{11 * time.Second, 31 * time.Second, 125 * time.Second}[h.rnd.IntN(3)])
	}
}

var steps = []string{"before_intent", "after_intent", "after_answer", "after_record", "account_before_intent", "account_after_intent", "account_after_answer",
	"account_after_record", "book_before_intent", "book_after_intent", "book_after_answer", "book_after_record"}

// phase is one life of the servers: people act, providers act, and one of the servers dies of SIGKILL, at a step or at any moment.
func (h *house) phase(number int, transactions int) {
	victim := h.servers[number%len(h.servers)]
	kill := ""
	if number%2 == 0 || h.rnd.IntN(2) == 0 {
		kill = fmt.Sprintf("%s:%d", steps[h.rnd.IntN(len(steps))], 1+h.rnd.IntN(3))
	}
	h.note("phase %d, kill %q", number, kill)
	for _, s := range h.servers {
		if s.cmd != nil && s != victim {
			continue
		}
		if s == victim {
			s.kill()
			s.start(kill)
		} else {
			s.start("")
		}
	}
	moment := time.Duration(20+h.rnd.IntN(500)) * time.Millisecond // after the start; sooner than it can be ready, sometimes
	if kill != "" {
		moment = 900 * time.Millisecond
		if !victim.ready() {
			h.kills[kill[:len(kill)-2]]++
			return
		}
	}
	if strings.HasPrefix(kill, "account_") {
		h.opensCompanies() // otherwise there may be none to be killed at
	}
	if strings.HasPrefix(kill, "book_") {
		h.movesDestinations()
	}
	begun := time.Now()
	for len(h.made) < transactions || time.Since(begun) < moment {
		h.act()
		if victim.waitDeath(time.Duration(h.rnd.IntN(15)) * time.Millisecond) {
			h.kills[kill[:len(kill)-2]]++
			return
		}
	}
	victim.kill()
	h.kills["any moment"]++
}

// quiet waits until the servers have nothing left to do right now.
func (h *house) quiet() {
	h.t.Helper()
	var send, ask []string
	for range 1500 {
		var err error
		if send, ask, err = h.store.Due(context.Background(), 100); err != nil {
			h.t.Fatal(err)
		}
		if len(send)+len(ask) == 0 && h.count("SELECT COUNT(*) FROM attempts WHERE state = 'open'") == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.fail("after 15 s there are still %d to send and %d to ask about", len(send), len(ask))
}

// end lets everything come to its end: nothing goes wrong any more, providers decide, people settle what stayed unknown.
func (h *house) end() {
	for _, s := range h.servers {
		s.kill()
		s.start("")
	}
	for _, s := range h.servers {
		s.ready()
	}
	for _, b := range h.boxes {
		b.tell("webhooks", url.Values{"mode": {"normal"}})
		b.mu.Lock()
		b.detain = 0
		b.mu.Unlock()
	}
	h.releaseAll()
	if len(h.servers) > 1 {
		h.leap(125 * time.Second) // what a dead one had in the air is lost to the other by its deadline only
	}
	for round := range 14 {
		h.quiet()
		open := h.open()
		if len(open) == 0 {
			break
		}
		for _, t := range open {
			h.finish(t, round)
		}
		h.quiet()
		// Operations of a server that died end by their deadline, two minutes after; the questions about the unknown follow their plan.
		h.leap([]time.Duration{31 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 50 * time.Minute, 61 * time.Minute}[min(round, 5)])
	}
	for _, e := range errands {
		if e.end != nil {
			e.end(h)
		}
	}
	h.quiet()
	h.turn()
}

// turn lets what was final turn at the providers, and no webhook tells of it: a return, a late payment. The promise is that the plan of questions
// finds it a day later, so nobody asks by hand here. A question that no answer came to is put again six hours after.
func (h *house) turn() {
	for _, b := range h.boxes {
		b.tell("webhooks", url.Values{"mode": {"off"}})
	}
	for _, t := range h.made {
		if h.rnd.IntN(3) > 0 {
			continue
		}
		switch now := h.page(t.ID).Transaction; {
		case t.Kind == models.Payout && now.State == models.Succeeded:
			h.settle(t, "returned")
		case t.Kind == models.Deposit && (now.State == models.Expired || now.State == models.Cancelled):
			h.settle(t, [][]string{{"paid_late"}, {"paid_short", "paid_late"}}[h.rnd.IntN(2)]...)
		}
	}
	for _, d := range []time.Duration{24 * time.Hour, 6 * time.Hour, 6 * time.Hour} {
		h.leap(d + time.Minute)
		h.quiet()
	}
}

// open lists what has no final state.
func (h *house) open() (out []*models.Transaction) {
	for _, t := range h.made {
		now := h.page(t.ID).Transaction
		if !now.State.Final() && now.State != models.PartiallyPaid && now.State != models.PartiallyRefunded {
			out = append(out, &now)
		}
	}
	return out
}

// finish does what people and providers do in the end.
func (h *house) finish(t *models.Transaction, round int) {
	switch t.State {
	case models.AwaitingApproval:
		h.decide(t.ID, h.rnd.IntN(2) == 0)
	case models.Unknown:
		h.judge(t)
		h.settle(t, "succeeded", "failed")
	default:
		if round > 3 { // held ones do not become "failed" everywhere
			h.settle(t, "succeeded", "cancelled", "failed", "expired")
			return
		}
		h.settle(t, [][]string{{"succeeded"}, {"failed", "expired"}, {"paid", "succeeded"}}[h.rnd.IntN(3)]...)
	}
}

// judge sends again, or gives up, what stayed unknown, when the evidence allows it.
func (h *house) judge(t *models.Transaction) {
	p := &h.boxOf(t).provider.Description.Passport
	page := h.page(t.ID)
	court := models.Judge(page, string(p.Resend), p.QueryByReference, p.NotFoundAfter, h.store.Now())
	what := ""
	switch {
	case court.MayResend:
		what = "resend"
	case court.MayGiveUp && p.Resend == providers.ResendNever:
		what = "give_up"
	default:
		return
	}
	err := h.store.RequestUnknown(context.Background(), h.as(h.ada), models.Sandbox, t.ID, what, "the provider knows nothing of it", court)
	if err != nil && !people(err) {
		h.t.Fatalf("%s: %s: %v", h.name, what, err)
	}
	h.note("%s: people want to %s", t.Reference, what)
	h.decide(t.ID, true)
}

// sendsOf lists the attempts to send.
func sendsOf(p *store.TransactionPage) []models.Attempt {
	return slices.DeleteFunc(slices.Clone(p.Attempts), func(a models.Attempt) bool { return a.Operation != models.OpSend })
}

// rest gives a broken engine time to make its mistake: until all was sent and the clock has passed the first two questions.
func (h *house) rest() {
	for range 2 {
		time.Sleep(600 * time.Millisecond)
		h.leap(31 * time.Second)
	}
	time.Sleep(600 * time.Millisecond)
}
