package views

import (
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// Where the pages about destinations are.
const (
	DestinationsPath = "/destinations"
	ImportPath       = DestinationsPath + "/import"
	BooksPath        = DestinationsPath + "/books"
	GuardPath        = DestinationsPath + "/guard"
)

// DestinationPath is the page of one destination.
func DestinationPath(id string) string { return DestinationsPath + "/" + url.PathEscape(id) }

// BookChoice is a credential that a destination can be registered at, or asked about.
type BookChoice struct {
	CredentialID, Name, Provider, Short string
	Book                                models.Book
}

// DestinationsParams is one page of the list.
type DestinationsParams struct {
	Page             Page
	Filter           models.DestinationFilter
	Problems         []models.Problem
	List             []models.Destination
	Marked           map[string]bool
	Guard            models.DestinationGuard
	Newer, Older     models.Cursor
	Waiting, Cooling int64
	BookProblems     int64
	Providers        []ui.Option
	Me               models.Actor
	Clock            Clock
}

func (p DestinationsParams) query(change func(url.Values)) string {
	q := p.Filter.Query()
	if change != nil {
		change(q)
	}
	if len(q) == 0 {
		return DestinationsPath
	}
	return DestinationsPath + "?" + q.Encode()
}

func (p DestinationsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	return p.query(func(q url.Values) { q.Set(name, c.String()) })
}

func (p DestinationsParams) export(format, tail string) string {
	q := p.Filter.Query()
	q.Set("format", format)
	return DestinationsPath + "/export" + tail + "?" + q.Encode()
}

func (p DestinationsParams) exports() []ui.MenuItem {
	items := []ui.MenuItem{{Label: "CSV, masked", Href: p.export("csv", ""), Icon: ui.IconFileText}, {Label: "CSV, masked, semicolon", Href: p.export("csv-semicolon", ""), Icon: ui.IconFileText}}
	if p.full() {
		items = append(items, ui.MenuItem{Label: "CSV with account numbers", Href: p.export("csv", "/full"), Icon: ui.IconFileText}, ui.MenuItem{Label: "The same, semicolon", Href: p.export("csv-semicolon", "/full"), Icon: ui.IconFileText})
	}
	return items
}

func (p DestinationsParams) full() bool {
	return p.Me.Can(models.DestinationsCreate) || p.Me.Can(models.DestinationsApprove)
}

func (p DestinationsParams) tabs() []ui.Tab {
	one := func(s models.DestinationState) bool { return len(p.Filter.States) == 1 && p.Filter.States[0] == s }
	tab := func(label string, s models.DestinationState, n int64) ui.Tab {
		t := ui.Tab{Label: label, Active: one(s), Href: p.query(func(q url.Values) { q.Set("state", string(s)) })}
		if n > 0 {
			t.Count = atMost(n, models.HomeBound)
		}
		return t
	}
	return []ui.Tab{{Label: "All", Active: len(p.Filter.States) == 0, Href: p.query(func(q url.Values) { q.Del("state") })}, tab("Waiting", models.DestinationWaiting, p.Waiting),
		tab("Cooling down", models.DestinationCooling, p.Cooling), tab("Usable", models.DestinationUsable, 0), tab("Revoked", models.DestinationRevoked, 0)}
}

func (p DestinationsParams) chips() ui.ChipsParams {
	c := ui.ChipsParams{Note: "Times in " + ui.ZoneName(p.Clock.Now, p.Clock.Zone)}
	add := func(name, field string, words []string, form filterForm) {
		value, remove := "any", ""
		if len(words) > 0 {
			value, remove = strings.Join(words, ", "), p.query(func(q url.Values) { q.Del(field) })
			c.ClearHref = DestinationsPath
		}
		form.base, form.name, form.hidden = DestinationsPath, field, p.hidden(field)
		c.Chips = append(c.Chips, ui.Chip{Name: name, Value: value, RemoveHref: remove, Menu: FilterForm(form)})
	}
	f := p.Filter
	var kinds, states []ui.Option
	for _, k := range models.DestinationKinds() {
		kinds = append(kinds, ui.Option{Value: string(k), Label: k.Word(), Selected: containsKind(f.Kinds, k)})
	}
	for _, s := range models.DestinationStates() {
		states = append(states, ui.Option{Value: string(s), Label: s.Word(), Selected: containsKind(f.States, s)})
	}
	add("kind", "kind", wordsOf(f.Kinds, models.DestinationKind.Word), filterForm{many: true, options: kinds})
	add("state", "state", wordsOf(f.States, models.DestinationState.Word), filterForm{many: true, options: states})
	var provider []string
	if f.Provider != "" {
		provider = []string{optionLabel(p.Providers, f.Provider)}
	}
	add("provider", "provider", provider, filterForm{many: true, options: chosen(p.Providers, []string{f.Provider})})
	if f.Problem {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "attention at a provider", RemoveHref: p.query(func(q url.Values) { q.Del("problem") })})
		c.ClearHref = DestinationsPath
	}
	if f.Search != "" {
		c.ClearHref = DestinationsPath
	}
	return c
}

func containsKind[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func (p DestinationsParams) hidden(except ...string) []ui.Hidden {
	q := p.Filter.Query()
	for _, n := range except {
		q.Del(n)
	}
	var out []ui.Hidden
	for _, n := range []string{"kind", "state", "provider", "country", "q", "problem"} {
		if v := q.Get(n); v != "" {
			out = append(out, ui.Hidden{Name: n, Value: v})
		}
	}
	return out
}

func (p DestinationsParams) table() ui.TableParams {
	t := ui.TableParams{ID: "destinations", Caption: "Destinations", Stacks: true, Sticky: true, Keys: true, Empty: p.empty(), Columns: []ui.Column{{Label: "Name", Narrow: ui.LeadWhenNarrow},
		{Label: "Where", Kind: ui.CutColumn}, {Label: "Purpose", Kind: ui.CutColumn}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Usable from", Kind: ui.TimeColumn}, {Label: "Added", Kind: ui.TimeColumn}, {Label: "By"}}}
	now := models.At(p.Clock.Now)
	for i := range p.List {
		d := &p.List[i]
		href := DestinationPath(d.ID)
		usable := ui.Cell{}
		if d.UsableFrom != 0 {
			usable = ui.Is(ui.Time(ui.TimeParams{At: d.UsableFrom.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))
		}
		state := ui.Is(ui.StatusChip(destinationStatus(d.StateAt(now, p.Guard))))
		where := place(d.Owner, d.Title, d.Masked)
		if p.Marked[d.ID] {
			state.Sub = "look at the provider’s book"
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, Copy: d.Name, Label: d.Name, Cells: []ui.Cell{{Text: d.Name, Href: href, Head: true}, where, ui.Text(d.Purpose),
			state, usable, ui.Is(ui.Time(ui.TimeParams{At: d.CreatedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute})), ui.Text(d.CreatedByName)}})
	}
	return t
}

// place says in two short lines whose and which it is. The end of the account is what tells two apart: it comes first where a line may be cut.
func place(owner, title, masked string) ui.Cell {
	_, tail, found := strings.Cut(masked, "····")
	switch {
	case !found:
		return ui.Cell{Text: masked, Sub: title}
	case owner == "":
		return ui.Cell{Text: "····" + tail, Sub: title}
	}
	return ui.Cell{Text: owner, Sub: "····" + tail + " · " + title}
}

func strange(l models.BookLine, href string) ui.Cell {
	c := place(l.Owner, l.Title, l.Masked)
	c.Href, c.Head = href, true
	return c
}

func (p DestinationsParams) empty() ui.EmptyParams {
	if len(p.Filter.Query()) > 0 {
		return ui.EmptyParams{Icon: ui.IconSearch, Title: "Nothing fits this filter", Text: "A search finds words of the name, the owner and the purpose by their beginning, and a whole account number or address.",
			Action: ui.Button(ui.ButtonParams{Label: "Show all", Href: DestinationsPath})}
	}
	return ui.EmptyParams{Icon: ui.IconMapPinCheck, Title: "No destinations yet", Text: "Add the accounts and addresses that you pay. A second person agrees to each, and a new one waits before its first payout."}
}

func destinationStatus(s models.DestinationState) ui.StatusParams {
	return ui.StatusParams{Tone: ui.Tone(s.Tone()), Word: s.Word(), Hollow: s == models.DestinationSuperseded || s == models.DestinationRevoked || s == models.DestinationRejected}
}

func bookStatus(s models.BookState, usable bool) ui.StatusParams {
	if s == models.BookListed && !usable {
		return ui.StatusParams{Tone: ui.Wait, Word: "Registered, not usable yet"}
	}
	return ui.StatusParams{Tone: ui.Tone(s.Tone()), Word: s.Word(), Hollow: s == models.BookGone}
}
