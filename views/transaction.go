package views

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// TransactionParams is the page of one transaction.
type TransactionParams struct {
	Page            Page
	Story           *models.TransactionPage
	Provider        *providers.Description
	Court           models.Court
	Values          []providers.Line
	SubName         string // of the sub-account that it belongs to
	Instructions    providers.Instructions
	QR              [][]bool // dark modules of the payment instructions' code; nil if there is none
	Open            *models.ApprovalRequest
	DecideWhy       string // why this person may not decide on Open; empty: may
	CanOperate      bool
	CanSeeExchanges bool
	CanRefund       bool
	CanReveal       bool
	CanExport       bool
	CanNote         bool
	IsMaker         bool
	DisputeWhy      string                 // why no dispute can be opened with this credential; empty: it can
	Disputes        []models.DisputeRecord // newest first
	KeepsPapers     bool                   // there is a file store
	Zone            *time.Location
	Now             time.Time
}

func (p TransactionParams) t() *models.Transaction { return &p.Story.Transaction }

// Title names the transaction: "Payout CH…".
func (p TransactionParams) Title() string { return kindWord(p.t().Kind) + " " + p.t().Reference }

func (p TransactionParams) path(tail string) string { return "/transactions/" + p.t().ID + tail }

// moving reports whether the page changes by itself, so that it is worth polling.
func (p TransactionParams) moving() bool {
	switch p.t().State {
	case models.Draft, models.Approved, models.Scheduled, models.Sending, models.Unknown, models.Pending, models.AwaitingPayment, models.AwaitingApproval, models.Held, models.PartiallyPaid, models.Partial:
		return true
	}
	return p.openAttempt()
}

func (p TransactionParams) time(m models.Micros, form ui.TimeForm) templ.Component {
	return ui.Time(ui.TimeParams{At: m.Time(), Zone: p.Zone, Form: form})
}

func (p TransactionParams) clock(m models.Micros) string {
	return m.Time().In(p.zone()).Format("15:04:05")
}

func (p TransactionParams) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// headline is the amount, the state, and one sentence of what happens next and who must act.
func (p TransactionParams) headline() ui.HeadlineParams {
	t := p.t()
	h := ui.HeadlineParams{Title: p.Title(), Money: MoneyOf(t), Status: StatusOf(t), Sentence: t.State.Sentence()}
	h.Status.Theirs = t.Word
	if t.Amount.Asset == models.Unstated {
		h.Money.Note = "currency not stated"
	}
	short := p.Provider.Short
	switch t.State {
	case models.Unknown:
		h.Sentence = short + "’s answer was lost after we sent the request. We are asking " + short + " by our reference;"
		if p.Court.ByNumber {
			h.Sentence = short + "’s answer was lost after we sent the request, and its number with it. " + short + "’s callback names it, or two people who find it in " + short + "’s panel;"
		}
		h.Strong = "nothing is sent again until the evidence says it never arrived."
		if t.NextAsk > 0 {
			h.After = "Next question at " + p.clock(t.NextAsk) + "."
		}
	case models.AwaitingApproval:
		h.Sentence = "It waits for people: " + t.Waits + "."
		h.After = "It expires at " + unbroken(t.ExpiresAt.Time().In(p.zone()).Format("2006-01-02 15:04")) + "."
	case models.Pending:
		h.Sentence = short + " has it and has not finished."
		if t.NextAsk > 0 {
			h.After = "We ask again at " + p.clock(t.NextAsk) + ", and at once when " + short + " calls."
		}
	case models.Succeeded:
		if t.NextAsk > 0 && (t.Kind == models.Payout || t.Kind == models.Refund) {
			h.After = "On " + unbroken(t.NextAsk.Time().In(p.zone()).Format("2006-01-02")) + " we ask " + short + " once more, in case it comes back."
		}
	case models.Failed, models.Rejected, models.Returned:
		if t.Reason != "" {
			h.After = "Reason: " + t.Reason
		}
	case models.Approved:
		if t.Waits != "" {
			h.After = "It waits for: " + t.Waits + "."
		}
	}
	return h
}

// terms are the facts of the transaction.
func (p TransactionParams) terms() []ui.Term {
	t := p.t()
	terms := []ui.Term{{Label: "Reference", Content: ui.Ref(ui.RefParams{Text: t.Reference})},
		{Label: p.Provider.Short + "’s", Content: ui.Ref(ui.RefParams{Text: t.ProviderRef, What: "the provider's reference"})}}
	if t.BankRef != "" {
		terms = append(terms, ui.Term{Label: "Bank’s", Content: ui.Ref(ui.RefParams{Text: t.BankRef})})
	}
	sub := ""
	if v := p.Story.Detail.Verified; v != "" {
		sub = "verified by " + p.Provider.Short + " as " + v
	}
	switch t.Kind {
	case models.Deposit:
		terms = append(terms, ui.Term{Label: "From", Text: cmp.Or(p.Story.Detail.Payer, t.Party)})
	case models.Conversion:
		terms = append(terms, ui.Term{Label: "Pair", Text: t.Party})
	default:
		terms = append(terms, ui.Term{Label: "To", Text: t.Party, Sub: sub})
	}
	terms = append(terms, ui.Term{Label: "By", Text: p.Story.Credential.Name, Sub: string(t.Environment) + ", version " + fmt.Sprint(t.CredentialVersion)})
	if t.SubAccount != "" {
		terms = append(terms, ui.Term{Label: "Sub-account", Content: ui.Ref(ui.RefParams{Text: orElse(p.SubName, t.SubAccount), Href: "/sub-accounts/" + t.SubAccount, NoCopy: true})})
	}
	fee := "not stated by " + p.Provider.Short
	if t.Fee.Asset != "" {
		fee = t.Fee.String()
	}
	terms = append(terms, ui.Term{Label: "Fee", Text: fee})
	if t.Settled.Asset != "" && t.Settled != t.Amount {
		terms = append(terms, ui.Term{Label: "Really paid", Text: t.Settled.String()})
	}
	if t.Rate != "" {
		terms = append(terms, ui.Term{Label: "Rate", Text: t.Rate})
	}
	if t.Counter.Minor != 0 {
		terms = append(terms, ui.Term{Label: "Bought", Text: t.Counter.String()})
	}
	terms = append(terms, ui.Term{Label: "Created", Content: p.time(t.CreatedAt, ui.TimeFull), Sub: "by " + orElse(t.CreatedByName, "the program")})
	if p.Story.Detail.Note != "" {
		terms = append(terms, ui.Term{Label: "Comment", Text: p.Story.Detail.Note})
	}
	if p.Story.Detail.Why != "" {
		terms = append(terms, ui.Term{Label: "Maker’s reason", Text: p.Story.Detail.Why})
	}
	for _, r := range p.Story.Approvals {
		for _, d := range r.Decisions {
			if d.Decision == "approve" {
				terms = append(terms, ui.Term{Label: "Approved by", Text: d.Name + ", " + d.At.Time().In(p.zone()).Format("2006-01-02 15:04:05"), Sub: "bound to this exact payload, digest " + short(r.Digest)})
			}
		}
	}
	return terms
}

func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12] + "…"
	}
	return digest
}

func (p TransactionParams) timeline() []ui.TimelineItem {
	var out []ui.TimelineItem
	for i, e := range p.Story.Events {
		item := ui.TimelineItem{Tone: ui.Ok, Text: e.Sentence, At: p.time(e.At, ui.TimeSecond), Now: i == len(p.Story.Events)-1}
		if e.To != "" {
			item.Tone, item.Hollow = ui.Tone(e.To.Tone()), hollow(e.To)
			if e.To.Tone() == "wait" && !item.Now {
				item.Tone = ui.Ok
			}
		}
		if e.What == "alert" {
			item.Tone = ui.Odd
		}
		out = append(out, item)
	}
	if !p.t().State.Final() {
		out = append(out, ui.TimelineItem{Text: "Settled", Future: true})
	}
	return out
}

var evidenceSources = map[string]string{"request": "Request sent", "reply": "Reply", "asked": "Asked by reference", "webhook": "Webhook", "balance": "Balance", "statement": "Statement", "staff": "People"}

func (p TransactionParams) evidence() []ui.EvidenceItem {
	var out []ui.EvidenceItem
	for _, e := range p.Story.Evidence {
		item := ui.EvidenceItem{At: p.time(e.At, ui.TimeMillis), Source: orElse(evidenceSources[e.Source], e.Source), Says: e.Says}
		switch e.Result {
		case "unknown", "lost":
			item.Tone, item.Hollow = ui.Odd, true
		case "not_found", "unclear":
			item.Tone, item.Hollow = ui.Idle, true
		case "found", "accepted":
			item.Tone = ui.Ok
		case "refused", "not_sent":
			item.Tone = ui.Bad
		}
		if e.ExchangeID != "" && p.CanSeeExchanges {
			item.Href = "/exchanges/" + e.ExchangeID
		}
		out = append(out, item)
	}
	return out
}

func (p TransactionParams) attempts() ui.TableParams {
	t := ui.TableParams{Caption: "Attempts", Stacks: true, Columns: []ui.Column{{Label: "Attempt"}, {Label: "Outcome"}}}
	tones := map[models.AttemptState]ui.Tone{models.AttemptAccepted: ui.Ok, models.AttemptRefused: ui.Bad, models.AttemptUnknown: ui.Odd, models.AttemptNotSent: ui.Idle, models.AttemptOpen: ui.Wait}
	for _, a := range p.Story.Attempts {
		who := ""
		if a.Reference != p.t().Reference {
			who = ", as " + a.Reference
		}
		if a.ByName != "" {
			who += ", asked by " + a.ByName
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: fmt.Sprintf("%d, %s", a.Number, a.Operation), Sub: a.StartedAt.Time().In(p.zone()).Format("2006-01-02 15:04:05") + who, Head: true},
			{Content: ui.StatusChip(ui.StatusParams{Tone: tones[a.State], Word: strings.ReplaceAll(string(a.State), "_", " "), Hollow: a.State == models.AttemptUnknown}), Sub: attemptSays(a)}}})
	}
	return t
}

// attemptSays is what came back with an attempt's outcome. A code that is only the outcome's own name says nothing new.
func attemptSays(a models.Attempt) string {
	if a.Code == string(a.State) {
		return a.Message
	}
	return strings.TrimSpace(a.Code + " " + a.Message)
}

var accountWords = map[models.Account]string{models.Available: "available", models.InFlight: "in flight", models.PaidOut: "paid out", models.Received: "received from payers",
	models.RefundedA: "refunded", models.Fees: "fees", models.Exchanged: "exchanged", models.Spent: "spent", models.Lost: "charged back"}

func (p TransactionParams) ledger() ui.TableParams {
	t := ui.TableParams{Caption: "Ledger entries", Stacks: true,
		Columns: []ui.Column{{Label: "Time", Kind: ui.TimeColumn}, {Label: "Account", Narrow: ui.LeadWhenNarrow}, {Label: "Amount", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow}}}
	for _, e := range p.Story.Ledger {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Is(p.time(e.At, ui.TimeSecond)), ui.Text(p.Provider.Short + " " + code(e.Money.Asset) + " " + accountWords[e.Account]),
			ui.Is(ui.Money(ui.MoneyParams{Amount: e.Money.Figure(), Code: code(e.Money.Asset)}))}})
	}
	return t
}

func (p TransactionParams) related() ui.TableParams {
	t := ui.TableParams{Caption: "Related", Stacks: true, Columns: []ui.Column{{Label: "What"}, {Label: "Amount", Kind: ui.NumberColumn}, {Label: "Status"}}}
	for i := range p.Story.Related {
		x := &p.Story.Related[i]
		t.Rows = append(t.Rows, ui.Row{Href: "/transactions/" + x.ID, Cells: []ui.Cell{ui.LinkCell("/transactions/"+x.ID, kindWord(x.Kind)+" "+x.Reference),
			ui.Is(ui.Money(MoneyOf(x))), ui.Is(ui.StatusChip(StatusOf(x)))}})
	}
	return t
}

// isAccount tells the line that decides where money goes; it is shown in groups of four.
func (p TransactionParams) isAccount(l providers.Line) bool { return l.Copy }

// can tells whether the provider can do something, and if not, the reason for people.
func (p TransactionParams) whyNot(op models.Operation) string {
	t := p.t()
	var cap providers.Capability
	switch op {
	case models.OpCancel:
		cap = providers.CanCancelPayouts
	default:
		cap = providers.CanHoldPayouts
	}
	switch {
	case !p.CanOperate:
		return "your role may not"
	case !p.Provider.Has(cap):
		return p.Provider.Short + " cannot do that"
	case p.openAttempt():
		return "something is being sent right now"
	case op == models.OpCancel && t.State != models.Pending && t.State != models.Held:
		return "only while " + p.Provider.Short + " has not finished"
	case op == models.OpHold && t.State != models.Pending:
		return "only while it is pending"
	}
	return ""
}

func (p TransactionParams) openAttempt() bool {
	for _, a := range p.Story.Attempts {
		if a.State == models.AttemptOpen {
			return true
		}
	}
	return false
}

func (p TransactionParams) canWithdraw() bool {
	t := p.t()
	return (p.IsMaker || p.CanOperate) && (t.State == models.AwaitingApproval || t.State == models.Approved || t.State == models.Scheduled || t.State == models.Draft)
}

func (p TransactionParams) refundable() bool {
	t := p.t()
	return t.Kind == models.Deposit && p.CanRefund && p.Provider.Has(providers.CanRefund) && (t.State == models.Succeeded || t.State == models.PartiallyRefunded)
}

func (p TransactionParams) askWhy() string {
	switch {
	case !p.CanOperate:
		return "your role may not"
	case p.t().SentAt == 0:
		return "it was never sent"
	}
	return ""
}

// poll makes the live part reload itself while something may change.
func (p TransactionParams) poll() ui.Attrs {
	if !p.moving() {
		return nil
	}
	seconds := 5
	switch p.t().State {
	case models.Sending, models.Approved, models.Draft:
		seconds = 1
	case models.Pending, models.Unknown, models.AwaitingPayment:
		seconds = 3
	}
	return ui.Poll(p.path("/live"), seconds)
}

func (p TransactionParams) showsInstructions() bool {
	s := p.t().State
	return p.Story.Detail.Instructions != "" && p.t().Kind == models.Deposit && (s == models.AwaitingPayment || s == models.PartiallyPaid || s == models.Expired)
}
