package views

import (
	"fmt"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// PoliciesPath is where the rules of approval are.
const PoliciesPath = "/settings/policies"

// PoliciesParams is the list of rules, in their order.
type PoliciesParams struct {
	Page      Page
	Rules     []models.Policy
	Waiting   []models.ApprovalRequest
	Providers []ui.Option
	Me        models.Actor
	Clock     Clock
}

func (p PoliciesParams) manage() bool { return p.Me.Can(models.PoliciesManage) }

func (p PoliciesParams) table() ui.TableParams {
	t := ui.TableParams{ID: "rules", Caption: "Rules in their order", Stacks: true, Columns: []ui.Column{{Label: "Order", Kind: ui.NumberColumn}, {Label: "Rule", Narrow: ui.LeadWhenNarrow}, {Label: "Holds for"},
		{Label: "Who must agree"}, {Label: "Time to decide"}}}
	if p.manage() {
		t.Columns = append(t.Columns, ui.Column{Label: "Change", Hidden: true})
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		row := ui.Row{Cells: []ui.Cell{ui.Text(fmt.Sprint(i + 1)), {Text: r.Name, Head: true, Sub: fmt.Sprintf("position %d, version %d", r.Position, r.Version)}, ui.Text(p.matches(r)), ui.Text(p.who(r)), ui.Text(span(r.TTL))}}
		if p.manage() {
			row.Cells = append(row.Cells, ui.LinkCell(PoliciesPath+"/"+r.ID, "Change"))
		}
		t.Rows = append(t.Rows, row)
	}
	last := models.LastRule()
	row := ui.Row{Cells: []ui.Cell{ui.Text(fmt.Sprint(len(p.Rules) + 1)), {Text: last.Name, Head: true, Sub: "cannot be changed"}, ui.Text("whatever no rule above holds for"), ui.Text(p.who(&last)), ui.Text(span(last.TTL))}}
	if p.manage() {
		row.Cells = append(row.Cells, ui.Cell{})
	}
	t.Rows = append(t.Rows, row)
	return t
}

func (p PoliciesParams) who(r *models.Policy) string {
	_, after, _ := strings.Cut(r.Sentence(), r.Name+": ")
	return after
}

// matches says in words what a rule holds for.
func (p PoliciesParams) matches(r *models.Policy) string {
	money := func(minor int64) string { return models.Money{Minor: minor, Asset: r.Asset}.String() }
	out := "everything"
	if r.Kind != "" {
		out = string(r.Kind) + "s"
	}
	if r.Provider != "" {
		out += " at " + optionLabel(p.Providers, r.Provider)
	}
	if r.Environment != "" {
		out += " in " + string(r.Environment)
	}
	switch {
	case r.MinMinor > 0 && r.MaxMinor > 0:
		out += " from " + money(r.MinMinor) + " to " + money(r.MaxMinor)
	case r.MinMinor > 0:
		out += " from " + money(r.MinMinor)
	case r.MaxMinor > 0:
		out += " up to " + money(r.MaxMinor)
	case r.Asset != "":
		out += " in " + r.Asset
	}
	if r.DayPerson > 0 {
		out += ", once the maker has reached more than " + money(r.DayPerson) + " in 24 hours"
	}
	if r.DayParty > 0 {
		out += ", once the destination has got more than " + money(r.DayParty) + " in 24 hours"
	}
	if r.NewParty {
		out += ", to destinations that were never paid before"
	}
	return out
}

func (p PoliciesParams) waiting() ui.TableParams {
	t := ui.TableParams{Caption: "Changes that wait for another admin", Stacks: true, Columns: []ui.Column{{Label: "Change"}, {Label: "Asked by"}, {Label: "Asked", Kind: ui.TimeColumn}, {Label: "Runs out", Kind: ui.TimeColumn}}}
	for i := range p.Waiting {
		r := &p.Waiting[i]
		t.Rows = append(t.Rows, ui.Row{Href: ApprovalsPath + "/" + r.ID, Cells: []ui.Cell{{Text: r.Title, Href: ApprovalsPath + "/" + r.ID, Head: true}, ui.Text(r.CreatedByName),
			ui.Is(ui.Time(p.Clock.at(r.CreatedAt))), ui.Is(ui.Time(p.Clock.at(r.ExpiresAt)))}})
	}
	return t
}

// PolicyForm is a rule as it was typed.
type PolicyForm struct {
	ID, Name, Position, Environment, Kind, Provider, Asset string
	Min, Max, DayPerson, DayParty                          string
	NewParty                                               bool
	Approvers, Role, Hours                                 string
}

// PolicyParams is the form of a rule.
type PolicyParams struct {
	Page      Page
	Form      PolicyForm
	Now       *models.Policy // the rule as it is; nil: a new one
	Errors    []ui.FieldError
	Providers []ui.Option
	Clock     Clock
}

func (p PolicyParams) field(f ui.FieldParams) ui.FieldParams {
	f.Error = ui.ErrorFor(p.Errors, f.Name)
	return f
}

func (p PolicyParams) kinds() []ui.Option {
	out := []ui.Option{{Value: "", Label: "every kind"}}
	for _, k := range models.Kinds() {
		if k != models.Deposit { // taking money in needs nobody's agreement
			out = append(out, ui.Option{Value: string(k), Label: kindWord(k)})
		}
	}
	return out
}

func (p PolicyParams) assets() []ui.Option {
	out := []ui.Option{{Value: "", Label: "every currency"}}
	for _, a := range models.Assets() {
		if a.Code != models.Unstated {
			out = append(out, ui.Option{Value: a.Code, Label: strings.TrimSpace(a.Code + " " + a.Name)})
		}
	}
	return out
}

func (p PolicyParams) roles() []ui.Option {
	var out []ui.Option
	for _, r := range models.RolesWith(models.PayoutsApprove) {
		out = append(out, ui.Option{Value: string(r), Label: string(r)})
	}
	return out
}

func withAny(label string, list []ui.Option) []ui.Option {
	return append([]ui.Option{{Value: "", Label: label}}, list...)
}
