package views

import (
	"strconv"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// BooksParams is the page about the books of the providers.
type BooksParams struct {
	Page      Page
	Keepers   []BookChoice
	Reads     []models.BookRead
	Strange   []models.BookLine
	Drift     []BookDrift
	Entries   []models.BookEntry
	Names     map[string]string
	Ignored   int64
	Me        models.Actor
	Clock     Clock
	Providers []ui.Option
}

// BookDrift is an entry with both sides.
type BookDrift struct {
	Entry       models.BookEntry
	Line        models.BookLine
	Destination models.Destination
	Differences []models.BookDifference
}

func bookWord(b models.Book) string {
	if b == models.AddressesBook {
		return "addresses"
	}
	return "bank accounts"
}

func (p BooksParams) reads() ui.TableParams {
	t := ui.TableParams{Caption: "Readings", Stacks: true, Columns: []ui.Column{{Label: "Book"}, {Label: "Lines", Kind: ui.NumberColumn}, {Label: "Read", Kind: ui.TimeColumn}, {Label: "State"}},
		Empty: ui.EmptyParams{Icon: ui.IconRefreshCw, Title: "No book was read yet", Text: "Books are read once an hour, and when somebody asks for it."}}
	for _, r := range p.Reads {
		state := ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Read"}))
		if r.Error != "" {
			state = ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Not read"}))
			state.Sub = r.Error
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: sentence(bookWord(r.Book)) + " at " + optionLabel(p.Providers, r.Provider), Sub: r.Credential, Head: true}, ui.Text(strconv.Itoa(r.Lines)),
			ui.Is(ui.Time(ui.TimeParams{At: r.ReadAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute, Now: p.Clock.Now})), state}})
	}
	return t
}

func (p BooksParams) strange() ui.TableParams {
	t := ui.TableParams{Caption: "In their books, not in ours", Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Where", Narrow: ui.LeadWhenNarrow}, {Label: "Book"}, {Label: "Their word"}, {Label: "First seen", Kind: ui.TimeColumn}}}
	for _, l := range p.Strange {
		href := BooksPath + "/" + l.ID
		row := ui.Row{Cells: []ui.Cell{strange(l, href), {Text: optionLabel(p.Providers, l.Provider) + ", " + bookWord(l.Book), Sub: l.Credential}, ui.Text(orElse(l.Word, "—")),
			ui.Is(ui.Time(ui.TimeParams{At: l.FirstSeen.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))}}
		if p.Me.Can(models.DestinationsCreate) {
			row.Href = href
		} else {
			row.Cells[0].Href = ""
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p BooksParams) entries() ui.TableParams {
	t := ui.TableParams{Caption: "Ours that need somebody", Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Destination", Narrow: ui.LeadWhenNarrow}, {Label: "Book"}, {Label: "State"}, {Label: "What happened"}}}
	for _, e := range p.Entries {
		t.Rows = append(t.Rows, ui.Row{Href: DestinationPath(e.DestinationID), Cells: []ui.Cell{{Text: p.Names[e.DestinationID], Href: DestinationPath(e.DestinationID), Head: true},
			{Text: optionLabel(p.Providers, e.Provider) + ", " + bookWord(e.Book), Sub: e.Credential}, ui.Is(ui.StatusChip(bookStatus(e.State, e.Usable))), ui.Text(e.Says)}})
	}
	return t
}

func (p BooksParams) differences(d BookDrift) ui.TableParams {
	t := ui.TableParams{Caption: "Both sides of " + d.Destination.Name, Stacks: true, Columns: []ui.Column{{Label: "Field"}, {Label: "Here"}, {Label: "There"}}}
	for _, x := range d.Differences {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: x.Label, Head: true}, ui.Text(orElse(x.Ours, "—")), ui.Is(changedValue(orElse(x.Theirs, "—")))}})
	}
	return t
}

// BookLineParams is one line of a provider's book, with what can be done about it.
type BookLineParams struct {
	Page    Page
	Line    models.BookLine
	Token   string
	Name    string
	Purpose string
	Note    string
	Errors  []ui.FieldError
	Clock   Clock
}
