package views

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/models/address"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// DestinationParams is the page of one destination.
type DestinationParams struct {
	Page      Page
	P         *DestinationView
	Me        models.Actor
	Clock     Clock
	Errors    []ui.FieldError
	Reason    string
	Providers []ui.Option
	Provider  string
	DecideWhy string
	StepUp    bool
	Books     []BookChoice // where it can still be registered
	Askers    []BookChoice // who can say whose it is
}

// DestinationView is what the store gives about one destination.
type DestinationView = models.DestinationPage

func (p DestinationParams) d() *models.Destination { return &p.P.Destination }

func (p DestinationParams) act() bool {
	return p.Me.Can(models.DestinationsCreate) || p.Me.Can(models.DestinationsApprove)
}

func (p DestinationParams) time(m models.Micros) templ.Component {
	return ui.Time(ui.TimeParams{At: m.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute, Now: p.Clock.Now})
}

func (p DestinationParams) says(m models.Micros) string {
	return m.Time().In(zoneOf(p.Clock)).Format("2006-01-02 15:04")
}

// next says what happens next, and who must act.
func (p DestinationParams) next() string {
	d := p.d()
	switch p.P.State {
	case models.DestinationWaiting:
		return "It waits for a second person from compliance. Nothing can be paid to it yet."
	case models.DestinationCooling:
		return "Approved by " + d.DecidedByName + ". It can be paid from " + unbroken(p.says(d.UsableFrom)) + " on."
	case models.DestinationUsable:
		if d.SupersededFrom != 0 {
			return "It can be paid until " + unbroken(p.says(d.SupersededFrom)) + "; then a newer version takes its place."
		}
		return "Payouts may go to it."
	case models.DestinationRevoked, models.DestinationRejected:
		return p.P.State.Word() + " by " + cmp.Or(d.EndedByName, d.DecidedByName) + ": " + d.Reason
	}
	return p.P.State.Sentence()
}

func (p DestinationParams) facts() []ui.Term {
	d := p.d()
	terms := []ui.Term{{Label: "Kind", Text: d.Kind.Word(), Sub: d.Title}, {Label: "Purpose", Text: d.Purpose}, {Label: "Owner", Text: cmp.Or(d.Owner, "not stated")}}
	if d.Provider != "" {
		terms = append(terms, ui.Term{Label: "Paid by", Text: cmp.Or(p.Provider, d.Provider)})
	}
	terms = append(terms, ui.Term{Label: "Added by", Text: d.CreatedByName, Sub: p.says(d.CreatedAt)})
	if d.DecidedAt != 0 {
		terms = append(terms, ui.Term{Label: "Decided by", Text: d.DecidedByName, Sub: p.says(d.DecidedAt)})
	}
	if d.UsableFrom != 0 {
		terms = append(terms, ui.Term{Label: "Usable from", Content: p.time(d.UsableFrom)})
	}
	if p.P.Old != nil {
		terms = append(terms, ui.Term{Label: "Takes the place of", Content: ui.Ref(ui.RefParams{Text: p.P.Old.Name, Href: DestinationPath(p.P.Old.ID), NoCopy: true}), Sub: p.P.Old.Masked})
	}
	if p.P.New != nil {
		terms = append(terms, ui.Term{Label: "Newer version", Content: ui.Ref(ui.RefParams{Text: p.P.New.Name, Href: DestinationPath(p.P.New.ID), NoCopy: true}), Sub: p.P.New.Masked})
	}
	return terms
}

// caution is what the form of an address alone can never show.
func (p DestinationParams) caution() string {
	d := p.d()
	if d.Form != providers.OnChain {
		return ""
	}
	if n, ok := address.NetworkByName(d.Network); ok && strings.HasPrefix(d.Values["address"], "0x") {
		return "Addresses of this form look the same on several networks. This one is meant for " + n.Title + "; the address alone cannot show whether that is right."
	}
	return ""
}

func (p DestinationParams) payouts() ui.TableParams {
	t := ui.TableParams{Caption: "Payouts made to it", Stacks: true, Columns: []ui.Column{{Label: "Created", Kind: ui.TimeColumn}, {Label: "Reference"}, {Label: "By"}, {Label: "Amount", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow}, {Label: "Status", Narrow: ui.LeadWhenNarrow}},
		Empty: ui.EmptyParams{Icon: ui.IconInbox, Title: "Nothing was paid to it yet", Text: "Payouts that go to this destination stand here."}}
	for i := range p.P.Payouts {
		x := &p.P.Payouts[i]
		t.Rows = append(t.Rows, ui.Row{Href: "/transactions/" + x.ID, Cells: []ui.Cell{ui.Is(ui.Time(ui.TimeParams{At: x.CreatedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute})),
			ui.LinkCell("/transactions/"+x.ID, x.Reference), ui.Text(x.CreatedByName), ui.Is(ui.Money(MoneyOf(x))), ui.Is(ui.StatusChip(StatusOf(x)))}})
	}
	return t
}

func (p DestinationParams) checks() ui.TableParams {
	t := ui.TableParams{Caption: "What providers said", Stacks: true, Columns: []ui.Column{{Label: "Verdict", Narrow: ui.LeadWhenNarrow}, {Label: "Name there"}, {Label: "In their words"}, {Label: "Asked by"}, {Label: "When", Kind: ui.TimeColumn}}}
	for _, c := range p.P.Checks {
		word, tone := verifyWord(c.Verdict)
		if providers.Verdict(c.Verdict) == providers.RecipientPending && models.At(p.Clock.Now) > c.At.Add(models.VerificationTime) {
			word, tone, c.Sentence = "No answer came", ui.Odd, "The question was put and no answer came within 15 minutes. Ask again, or compare it with its source."
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: word})), ui.Text(c.Name), ui.Text(c.Sentence), {Text: c.ByName, Sub: c.Credential},
			ui.Is(ui.Time(ui.TimeParams{At: c.At.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))}})
	}
	return t
}

func verifyWord(verdict string) (string, ui.Tone) {
	switch providers.Verdict(verdict) {
	case providers.RecipientOK:
		return "Known there", ui.Ok
	case providers.RecipientMismatch:
		return "Somebody else’s", ui.Bad
	case providers.RecipientBad:
		return "Cannot be paid", ui.Bad
	case providers.RecipientPending:
		return "Answer awaited", ui.Wait
	}
	return "No usable answer", ui.Odd
}

func writes(n int) string {
	if n == 1 {
		return "1 write"
	}
	return strconv.Itoa(n) + " writes"
}

func (p DestinationParams) attempts(e models.BookEntry) ui.TableParams {
	t := ui.TableParams{Caption: "Writes to the book of " + e.Credential, Stacks: true, Columns: []ui.Column{{Label: "No.", Kind: ui.NumberColumn}, {Label: "What"}, {Label: "Request id", Kind: ui.QuietColumn}, {Label: "Outcome", Narrow: ui.LeadWhenNarrow}, {Label: "By"}, {Label: "When", Kind: ui.TimeColumn}}}
	for _, x := range p.P.Attempts[e.ID] {
		tone := map[models.AttemptState]ui.Tone{models.AttemptAccepted: ui.Ok, models.AttemptRefused: ui.Bad, models.AttemptUnknown: ui.Odd, models.AttemptOpen: ui.Wait, models.AttemptNotSent: ui.Idle}[x.State]
		out := ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: sentence(strings.ReplaceAll(string(x.State), "_", " "))}))
		out.Sub = x.Message
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Text(strconv.Itoa(x.Number)), ui.Text(sentence(string(x.Operation))), ui.Text(x.Reference), out, ui.Text(x.ByName),
			ui.Is(ui.Time(ui.TimeParams{At: x.StartedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeSecond}))}})
	}
	return t
}

func (p DestinationParams) events() []ui.TimelineItem {
	var out []ui.TimelineItem
	for _, e := range p.P.Events {
		tone := ui.Idle
		switch e.What {
		case "approved", "kept":
			tone = ui.Ok
		case "rejected", "revoked":
			tone = ui.Bad
		case "created", "superseded":
			tone = ui.Info
		}
		out = append(out, ui.TimelineItem{Tone: tone, Text: e.Sentence, At: ui.Time(ui.TimeParams{At: e.At.Time(), Zone: p.Clock.Zone, Form: ui.TimeSecond})})
	}
	return out
}

func (p DestinationParams) payLink() string {
	return "/payouts/new?" + url.Values{"destination": {p.d().ID}}.Encode()
}

// payWhy says why the button to pay is not to be used.
func (p DestinationParams) payWhy() string {
	if p.P.State != models.DestinationUsable {
		return p.P.State.Sentence()
	}
	return ""
}

func (p DestinationParams) changeWhy() string {
	switch {
	case p.P.State != models.DestinationUsable && p.P.State != models.DestinationCooling:
		return "Only an approved destination can be changed; a change is a new version."
	case p.P.New != nil && p.P.New.Stored == models.DestinationWaiting, p.d().SupersededBy != "":
		return "A change is under way already."
	}
	return ""
}

func (p DestinationParams) canRevoke() bool {
	return p.act() && (p.d().Stored == models.DestinationApproved || p.d().Stored == models.DestinationWaiting)
}
