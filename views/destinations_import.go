package views

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"countinghouse/providers"
	"countinghouse/views/ui"
)

// ImportParams is the page on which a file is brought and checked.
type ImportParams struct {
	Page    Page
	Forms   []providers.DestinationForm
	Chosen  string
	Errors  []ui.FieldError
	File    string
	ID      string
	Good    int
	Results []ImportResult
}

func refusedLabel(n int) string {
	if n == 1 {
		return "Download the refused row"
	}
	return fmt.Sprintf("Download the %d refused rows", n)
}

// ImportResult is the fate of one row.
type ImportResult struct {
	Line     int
	Name     string
	Masked   string
	Problems []string
}

func (p ImportParams) forms() []ui.Option {
	out := []ui.Option{{Value: "", Label: "The file says it in a column “way”"}}
	for _, f := range p.Forms {
		out = append(out, ui.Option{Value: f.ID, Label: strings.TrimSpace(f.Title + " " + map[bool]string{true: "(" + f.Short + ")"}[f.Short != ""]), Selected: f.ID == p.Chosen})
	}
	return out
}

func (p ImportParams) templates() []ui.MenuItem {
	var out []ui.MenuItem
	for _, f := range p.Forms {
		out = append(out, ui.MenuItem{Label: f.Title, Href: ImportPath + "/template?" + url.Values{"form": {f.ID}}.Encode(), Icon: ui.IconFileText})
	}
	return out
}

func (p ImportParams) results() ui.TableParams {
	t := ui.TableParams{Caption: "Rows of " + p.File, Stacks: true, Columns: []ui.Column{{Label: "Line", Kind: ui.NumberColumn}, {Label: "Name", Narrow: ui.LeadWhenNarrow}, {Label: "Where"}, {Label: "Result"}}}
	row := func(r ImportResult) ui.Row {
		result := ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Can be added"}))
		if len(r.Problems) > 0 {
			result = ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Refused"}))
			result.Sub = strings.Join(r.Problems, " ")
		}
		return ui.Row{Cells: []ui.Cell{ui.Text(strconv.Itoa(r.Line)), {Text: orElse(r.Name, "—"), Head: true}, ui.Text(orElse(r.Masked, "—")), result}}
	}
	for _, r := range p.Results { // what is refused stands first
		if len(r.Problems) > 0 {
			t.Rows = append(t.Rows, row(r))
		}
	}
	for _, r := range p.Results {
		if len(r.Problems) == 0 {
			t.Rows = append(t.Rows, row(r))
		}
	}
	return t
}
