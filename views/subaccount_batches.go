package views

import (
	"fmt"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// SubAccountBatchesParams is the list of files.
type SubAccountBatchesParams struct {
	Page      Page
	List      []models.SubAccountBatch
	Providers []ui.Option
	Me        models.Actor
	Clock     Clock
}

func (p SubAccountBatchesParams) table() ui.TableParams {
	t := ui.TableParams{Caption: "Files of companies", Stacks: true, Columns: []ui.Column{{Label: "File", Narrow: ui.LeadWhenNarrow}, {Label: "Provider"}, {Label: "Rows", Kind: ui.NumberColumn}, {Label: "State"}, {Label: "Made", Kind: ui.TimeColumn}},
		Empty: ui.EmptyParams{Icon: ui.IconUpload, Title: "No file was uploaded yet", Text: "A CSV file opens many sub-accounts at once."}}
	for _, b := range p.List {
		note := ""
		if b.Bad > 0 {
			note = ui.Count(int64(b.Bad)) + " left out"
		}
		t.Rows = append(t.Rows, ui.Row{Href: SubAccountBatchPath(b.ID), Cells: []ui.Cell{{Text: b.FileName, Href: SubAccountBatchPath(b.ID), Sub: "by " + b.CreatedName, Head: true},
			ui.Text(optionLabel(p.Providers, b.Provider)), {Text: ui.Count(int64(b.Rows)), Sub: note}, ui.Text(batchWord(b.State)), ui.Is(ui.Time(p.Clock.at(b.CreatedAt)))}})
	}
	return t
}

func batchWord(state string) string {
	return map[string]string{"checked": "Checked, nothing made yet", "started": "Started", "withdrawn": "Called off"}[state]
}

// SubAccountBatchParams is the page of one file.
type SubAccountBatchParams struct {
	Page           Page
	B              *models.SubAccountBatch
	D              *providers.Description
	Asked          bool
	CredentialName string
	OnlyBad        bool
	Me             models.Actor
	Clock          Clock
}

func (p SubAccountBatchParams) good() int { return p.B.Rows - p.B.Bad }

func (p SubAccountBatchParams) done() int64 {
	n := 0
	for s, c := range p.B.Progress {
		switch s {
		case models.SubAccountWaiting, models.SubAccountSending, models.SubAccountAccepted, models.SubAccountUnknown:
		default:
			n += c
		}
	}
	return int64(n)
}

func (p SubAccountBatchParams) poll() ui.Attrs {
	if p.B.State == "started" && p.B.Left() > 0 {
		return ui.Poll(SubAccountBatchPath(p.B.ID)+"/live", 2)
	}
	return nil
}

func (p SubAccountBatchParams) progressDetail() string {
	var out []string
	for _, s := range models.SubAccountStates() {
		if n := p.B.Progress[s]; n > 0 {
			out = append(out, ui.Count(int64(n))+" "+strings.ToLower(s.Word()))
		}
	}
	if p.B.Bad > 0 {
		out = append(out, ui.Count(int64(p.B.Bad))+" left out, with the reason on their rows")
	}
	return strings.Join(out, ", ")
}

func (p SubAccountBatchParams) table() ui.TableParams {
	t := ui.TableParams{Caption: "Rows of the file", Stacks: true, Fixed: len(p.B.Lines) > 60, Columns: []ui.Column{{Label: "Row", Kind: ui.NumberColumn}, {Label: "Company", Narrow: ui.LeadWhenNarrow},
		{Label: "Country"}, {Label: "Username", Kind: ui.QuietColumn}, {Label: "Result"}}}
	for _, l := range p.B.Lines {
		if p.OnlyBad && l.Problem == "" && l.State != models.SubAccountRefused {
			continue
		}
		name := ui.Cell{Text: orElse(l.Spec.Company, "no company"), Sub: l.Spec.Email, Head: true}
		end := ui.Cell{Content: ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Good", Hollow: true})}
		switch {
		case l.Problem != "":
			end = ui.Cell{Content: ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Left out"}), Sub: l.Problem}
		case l.SubAccountID != "":
			name.Href = SubAccountPath(l.SubAccountID)
			theirs := ""
			if l.TheirID != "" {
				theirs = p.D.Short + " " + l.TheirID
			}
			end = ui.Cell{Content: ui.StatusChip(SubAccountStatus(l.State, theirs)), Sub: l.Reason}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Text(fmt.Sprint(l.Row)), name, ui.Text(l.Spec.Country), ui.Text(l.Spec.Username), end}})
	}
	return t
}

func (p SubAccountBatchParams) badWords() string {
	if p.B.Bad == 1 {
		return "1 of " + ui.Count(int64(p.B.Rows)) + " rows cannot be taken"
	}
	return ui.Count(int64(p.B.Bad)) + " of " + ui.Count(int64(p.B.Rows)) + " rows cannot be taken"
}

// startWords say what the button does: "Ask WSPN for 24 sub-accounts".
func (p SubAccountBatchParams) startWords() string {
	what := ui.Count(int64(p.good())) + " sub-accounts"
	if p.good() == 1 {
		what = "1 sub-account"
	}
	if !p.Asked {
		return "Write down " + what
	}
	return "Ask " + p.D.Short + " for " + what
}
