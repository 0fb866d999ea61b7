package views

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// ApprovalParams is the sheet that somebody reads before deciding.
type ApprovalParams struct {
	Page        Page
	Sheet       *models.ApprovalSheet
	Provider    *providers.Description // of the transaction; nil otherwise
	Destination []providers.Line
	DecideWhy   string // why this person may not decide; empty: may
	StepUp      bool   // the second factor must be shown first
	LastFour    bool   // the last four characters of the destination must be typed to approve
	Reason      string // as typed
	Errors      []ui.FieldError
	SeeTrades   bool                    // may see exchanges
	To          *models.DestinationPage // the destination that it is about, or that the payout names
	PaidBy      string                  // the title of the only provider that pays that destination
	Brought     []models.Destination    // what a file brought
	Clock       Clock
}

func (p ApprovalParams) r() *models.ApprovalRequest { return &p.Sheet.Request }

func (p ApprovalParams) t() *models.Transaction { return p.r().Transaction }

// files are the documents that a KYB request is about.
func (p ApprovalParams) files() []models.KYBFile {
	if p.r().Subject != "kyb" {
		return nil
	}
	var list []models.KYBFile
	if json.Unmarshal([]byte(p.r().Payload), &list) != nil {
		return nil // written by us; what cannot be read is not agreed to: the digest stands below
	}
	return list
}

func (p ApprovalParams) path(tail string) string { return ApprovalsPath + "/" + p.r().ID + tail }

// Title names the request.
func (p ApprovalParams) Title() string {
	if t := p.t(); t != nil {
		return subjectWord(p.r()) + ": " + t.Reference
	}
	return p.r().Title
}

func (p ApprovalParams) time(m models.Micros, form ui.TimeForm) templ.Component {
	return ui.Time(ui.TimeParams{At: m.Time(), Zone: p.Clock.Zone, Form: form})
}

func (p ApprovalParams) says(m models.Micros) string {
	zone := p.Clock.Zone
	if zone == nil {
		return m.Time().Format("2006-01-02 15:04")
	}
	return m.Time().In(zone).Format("2006-01-02 15:04")
}

func (p ApprovalParams) headline() ui.HeadlineParams {
	r, t := p.r(), p.t()
	h := ui.HeadlineParams{Title: p.Title(), Status: requestStatus(r), Money: MoneyOf(t)}
	h.Status.Word = p.standing()
	h.Sentence = fmt.Sprintf("%s to %s, made by %s.", subjectWord(r), orElse(t.Party, "own balances"), orElse(r.CreatedByName, "the program"))
	if r.Subject != "transaction" {
		h.Sentence = fmt.Sprintf("%s: %s to %s, asked by %s.", subjectWord(r), kindWord(t.Kind), t.Party, r.CreatedByName)
	}
	if r.State == "open" {
		h.After = "It runs out at " + unbroken(p.says(r.ExpiresAt)) + "."
	}
	return h
}

// standing says in words how far a request has come.
func (p ApprovalParams) standing() string {
	r := p.r()
	switch {
	case r.State == "open" && r.ExpiresAt <= models.At(p.Clock.Now):
		return "Its time has run out"
	case r.State == "open":
		return fmt.Sprintf("%d of %d approvals", r.Have(), r.Needed)
	}
	return requestStatus(r).Word
}

// unbroken keeps a date on one line of running text.
func unbroken(date string) string {
	return strings.NewReplacer("-", "\u2011", " ", "\u00a0").Replace(date)
}

// facts are everything about a transaction that its approver agrees to, beside the destination.
func (p ApprovalParams) facts() []ui.Term {
	r, t := p.r(), p.t()
	d := p.Sheet.Story.Detail
	method := t.Method
	if m, ok := p.Provider.Method(t.Method); ok {
		method = m.Title
	}
	terms := []ui.Term{{Label: "Made by", Text: r.CreatedByName, Sub: p.says(r.CreatedAt) + ", " + ui.Relative(r.CreatedAt.Time(), p.Clock.Now)},
		{Label: "Rule that fired", Text: r.Rule},
		{Label: "By", Text: p.Sheet.Story.Credential.Name, Sub: fmt.Sprintf("%s, %s, version %d", p.Provider.Title, t.Environment, t.CredentialVersion)},
		{Label: "Way", Text: method},
		{Label: "Reference", Content: ui.Ref(ui.RefParams{Text: t.Reference, Href: "/transactions/" + t.ID})}}
	if p.To != nil {
		d := &p.To.Destination
		terms = append([]ui.Term{{Label: "Destination", Content: ui.Ref(ui.RefParams{Text: d.Name, Href: DestinationPath(d.ID), NoCopy: true}), Sub: d.Purpose + "; " + strings.ToLower(p.To.State.Word()) + ", approved by " + d.DecidedByName}}, terms...)
	} else if t.Kind == models.Payout {
		terms = append(terms, ui.Term{Label: "Destination", Text: "typed, not chosen", Sub: "no approved destination stands behind it"})
	}
	if t.Counter.Asset != "" {
		terms = append(terms, ui.Term{Label: "Into", Text: t.Counter.Asset})
	}
	if d.Note != "" {
		terms = append(terms, ui.Term{Label: "Comment", Text: d.Note})
	}
	if d.Hold {
		terms = append(terms, ui.Term{Label: "Hold", Text: "It is created held at " + p.Provider.Short + " and not paid until it is released."})
	}
	if d.Quantity > 0 {
		terms = append(terms, ui.Term{Label: "Article", Text: fmt.Sprintf("%s × %d", d.SKU, d.Quantity)})
	}
	fee := "not stated before it is sent"
	if t.Fee.Asset != "" {
		fee = t.Fee.String()
	}
	return append(terms, ui.Term{Label: "Fee", Text: fee})
}

// verification says what the provider knows of the recipient.
func (p ApprovalParams) verification() (tone ui.Tone, title, text string) {
	d := p.Sheet.Story.Detail
	switch {
	case d.Verified != "":
		return ui.Ok, "Verified by " + p.Provider.Short + " as " + d.Verified, d.VerifySays
	case d.VerifySays != "":
		return ui.Odd, "Not verified", d.VerifySays
	}
	return ui.Wait, "The recipient was not verified", "Compare the destination with its source before you agree."
}

func (p ApprovalParams) duplicates() ui.TableParams {
	return MakeParams{Duplicates: p.Sheet.Duplicates, Zone: p.Clock.Zone, Now: p.Clock.Now}.duplicates()
}

func (p ApprovalParams) story() TransactionParams {
	return TransactionParams{Story: p.Sheet.Story, Provider: p.Provider, Zone: p.Clock.Zone, Now: p.Clock.Now, CanSeeExchanges: p.SeeTrades}
}

// decisions tells who asked, who agreed and who refused.
func (p ApprovalParams) decisions() []ui.TimelineItem {
	r := p.r()
	out := []ui.TimelineItem{{Tone: ui.Ok, Text: "Asked by " + orElse(r.CreatedByName, "the program"), At: p.time(r.CreatedAt, ui.TimeSecond)}}
	for _, d := range r.Decisions {
		item := ui.TimelineItem{Tone: ui.Ok, Text: "Approved by " + d.Name, At: p.time(d.At, ui.TimeSecond), Detail: d.Reason}
		if d.Decision == "reject" {
			item.Tone, item.Text = ui.Bad, "Rejected by "+d.Name
		}
		out = append(out, item)
	}
	switch r.State {
	case "open":
		for n := r.Have(); n < r.Needed; n++ {
			out = append(out, ui.TimelineItem{Text: fmt.Sprintf("Approval %d of %d, from %s", n+1, r.Needed, p.from()), Future: true})
		}
	case "expired", "void":
		out = append(out, ui.TimelineItem{Tone: ui.Idle, Hollow: true, Text: sentence(r.State), At: p.time(r.DecidedAt, ui.TimeSecond)})
	}
	return out
}

// from says who may decide.
func (p ApprovalParams) from() string {
	if r := p.r(); r.Role != "" {
		return string(r.Role)
	}
	var words []string
	for _, x := range models.RolesWith(p.r().Permission) {
		words = append(words, string(x))
	}
	return strings.Join(words, " or ")
}

// number is what a request to take a number at the provider names; empty for other requests.
func (p ApprovalParams) number() string {
	var c struct {
		Number string `json:"number"`
	}
	if p.r().Subject != "number" || json.Unmarshal([]byte(p.r().Payload), &c) != nil {
		return ""
	}
	return visible(c.Number)
}

// verb says what the button does.
func (p ApprovalParams) verb() string {
	r, t := p.r(), p.t()
	switch {
	case r.Subject == "resend":
		return "Agree to send " + t.Amount.String() + " again"
	case r.Subject == "give_up":
		return "Agree that nothing was created"
	case r.Subject == "number":
		return "Agree to ask the provider about that number"
	case t != nil && r.Have()+1 >= r.Needed:
		return fmt.Sprintf("Approve and send the %s of %s", t.Kind, t.Amount)
	case t != nil:
		return fmt.Sprintf("Approve the %s of %s", t.Kind, t.Amount)
	case r.Subject == "destination" && p.To != nil:
		return "Approve the destination " + p.To.Destination.Name
	case r.Subject == "destination_import":
		return fmt.Sprintf("Approve these %d destinations", len(p.Brought))
	case r.Subject == "kyb":
		return "Approve that these files leave"
	case r.Subject == "kyb_delete":
		return "Agree that the files go"
	}
	return "Agree to this change"
}

// signatures are the lines of the printed sheet.
func (p ApprovalParams) signatures() []string {
	out := []string{"Made by " + p.r().CreatedByName}
	for i := range p.r().Needed {
		out = append(out, fmt.Sprintf("Approval %d of %d", i+1, p.r().Needed))
	}
	return out
}

func (p ApprovalParams) brought() ui.TableParams {
	t := ui.TableParams{Caption: "What the file brought", Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Name", Narrow: ui.LeadWhenNarrow}, {Label: "Where"}, {Label: "Purpose"}, {Label: "State", Narrow: ui.LeadWhenNarrow}}}
	for i := range p.Brought {
		d := &p.Brought[i]
		t.Rows = append(t.Rows, ui.Row{Href: DestinationPath(d.ID), Cells: []ui.Cell{{Text: d.Name, Href: DestinationPath(d.ID), Head: true}, {Text: d.Masked, Sub: d.Title}, ui.Text(d.Purpose), ui.Is(ui.StatusChip(destinationStatus(d.Stored)))}})
	}
	return t
}

// destinationFacts are what the second person compares.
func (p ApprovalParams) destinationFacts() []ui.Term {
	v := DestinationParams{P: p.To, Clock: p.Clock, Provider: p.PaidBy}
	return v.facts()
}

func (p ApprovalParams) checks() ui.TableParams {
	return DestinationParams{P: p.To, Clock: p.Clock}.checks()
}

// decideTitle heads the part where a decision is made, or was.
func decideTitle(p ApprovalParams) string {
	if p.r().State == "open" {
		return "Decide"
	}
	return "Decision"
}
