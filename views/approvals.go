package views

import (
	"fmt"
	"net/url"
	"strings"

	"countinghouse/models"
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
