package views

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// ApprovalsPath is where requests are listed and decided.
const ApprovalsPath = "/approvals"

// ApprovalsParams is one page of a list of requests.
type ApprovalsParams struct {
	Page         Page
	View         string // mine, open, decided, made
	Rows         []models.ApprovalRequest
	Newer, Older models.Cursor
	Waiting      int64 // for this person, at most 100
	Providers    []ui.Option
	Clock        Clock
}

func (p ApprovalsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	return ApprovalsPath + "?" + url.Values{"view": {p.View}, name: {c.String()}}.Encode()
}

func (p ApprovalsParams) tabs() []ui.Tab {
	var out []ui.Tab
	for _, v := range [][2]string{{"mine", "For me"}, {"open", "All open"}, {"decided", "Decided"}, {"made", "Made by me"}} {
		t := ui.Tab{Label: v[1], Href: ApprovalsPath + "?view=" + v[0], Active: v[0] == p.View}
		if v[0] == "mine" && p.Waiting > 0 {
			t.Count = atMost(p.Waiting, 100)
		}
		out = append(out, t)
	}
	return out
}

// atMost writes a bounded count: "100+" where counting stopped.
func atMost(n, bound int64) string {
	if n >= bound {
		return ui.Count(bound) + "+"
	}
	return ui.Count(n)
}

func (p ApprovalsParams) table() ui.TableParams {
	t := ui.TableParams{ID: "approvals", Caption: "Requests", Stacks: true, Sticky: true, Keys: true, Empty: p.empty()}
	last := "Runs out"
	if p.View == "decided" {
		last = "Decided"
	}
	t.Columns = []ui.Column{{Label: "What"}, {Label: "Amount", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow}, {Label: "Destination, and the rule"}, {Label: "Made by"},
		{Label: "Agreed", Narrow: ui.LeadWhenNarrow}, {Label: "Asked", Kind: ui.TimeColumn}, {Label: last, Kind: ui.TimeColumn}}
	for i := range p.Rows {
		t.Rows = append(t.Rows, p.row(&p.Rows[i]))
	}
	return t
}

func (p ApprovalsParams) row(r *models.ApprovalRequest) ui.Row {
	href := ApprovalsPath + "/" + r.ID
	until := r.ExpiresAt
	if p.View == "decided" {
		until = r.DecidedAt
	}
	row := ui.Row{Href: href, Copy: r.ID, Label: r.Title}
	what := ui.Cell{Text: subjectWord(r), Href: href, Head: true}
	amount, party := ui.Cell{}, ui.Text(r.Title)
	if t := r.Transaction; t != nil {
		what.Text += " by " + optionLabel(p.Providers, t.Provider)
		what.Sub = t.Reference
		amount, party = ui.Is(ui.Money(MoneyOf(t))), ui.Text(t.Party)
		row.Copy = t.Reference
	}
	party.Sub = r.Rule
	asked := ui.Is(ui.Time(ui.TimeParams{At: r.CreatedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))
	if r.State == "open" {
		asked.Sub = ui.Relative(r.CreatedAt.Time(), p.Clock.Now)
	}
	row.Cells = []ui.Cell{what, amount, party, ui.Text(r.CreatedByName), ui.Is(ui.StatusChip(requestStatus(r))), asked,
		ui.Is(ui.Time(ui.TimeParams{At: until.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))}
	return row
}

func (p ApprovalsParams) empty() ui.EmptyParams {
	switch p.View {
	case "mine":
		return ui.EmptyParams{Icon: ui.IconCircleCheck, Title: "Nothing waits for you", Text: "Requests come here when a rule asks for your role and somebody else made them.",
			Action: ui.Button(ui.ButtonParams{Label: "All open requests", Href: ApprovalsPath + "?view=open"})}
	case "open":
		return ui.EmptyParams{Icon: ui.IconCircleCheck, Title: "No request is open", Text: "What needs somebody's agreement stands here until it is decided or its time runs out."}
	case "made":
		return ui.EmptyParams{Icon: ui.IconInbox, Title: "You have asked for nothing yet", Text: "Payouts and changes that you make and others must agree to stand here."}
	}
	return ui.EmptyParams{Icon: ui.IconInbox, Title: "Nothing has been decided yet", Text: "Approved, rejected and expired requests stand here, with who decided."}
}

// subjectWord says what kind of thing a request is about.
func subjectWord(r *models.ApprovalRequest) string {
	switch r.Subject {
	case "transaction":
		if r.Transaction != nil {
			return kindWord(r.Transaction.Kind)
		}
		return "Transaction"
	case "resend":
		return "Send again"
	case "give_up":
		return "Declare as never created"
	case "number":
		return "Take a number at the provider"
	case "policy":
		return "Rule"
	case "destination":
		return "Destination"
	case "destination_import":
		return "File of destinations"
	case "kyb":
		return "Documents leave"
	case "kyb_delete":
		return "Delete documents"
	}
	return sentence(strings.NewReplacer("_", " ", ".", ", ").Replace(r.Subject))
}

// requestStatus is the chip of a request: how many of how many, or how it ended.
func requestStatus(r *models.ApprovalRequest) ui.StatusParams {
	switch r.State {
	case "open":
		return ui.StatusParams{Tone: ui.Wait, Word: fmt.Sprintf("%d of %d", r.Have(), r.Needed)}
	case "approved":
		return ui.StatusParams{Tone: ui.Ok, Word: "Approved"}
	case "rejected":
		return ui.StatusParams{Tone: ui.Bad, Word: "Rejected"}
	}
	return ui.StatusParams{Tone: ui.Idle, Word: sentence(r.State), Hollow: true}
}

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
