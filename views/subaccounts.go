package views

import (
	"net/url"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// SubAccountsPath is the list of sub-accounts.
const SubAccountsPath = "/sub-accounts"

// SubAccountPath is the page of one.
func SubAccountPath(id string) string { return SubAccountsPath + "/" + id }

// SubAccountBatchPath is the page of a file of companies.
func SubAccountBatchPath(id string) string { return SubAccountsPath + "/batches/" + id }

// complianceTabs lead between the parts of Compliance.
func complianceTabs(here string, me models.Actor) []ui.Tab {
	tabs := []ui.Tab{{Label: "Sub-accounts", Href: SubAccountsPath, Active: here == "sub-accounts"}, {Label: "Files", Href: SubAccountsPath + "/batches", Active: here == "batches"}}
	return tabs
}

// SubAccountWay is an active credential and what its provider can do for sub-accounts.
type SubAccountWay struct {
	ID, Name string
	Provider *providers.Description
	Asked    bool // the provider has calls for sub-accounts; otherwise we only keep our own record
}

// SubAccountStatus is the chip of a state.
func SubAccountStatus(s models.SubAccountState, theirs string) ui.StatusParams {
	out := ui.StatusParams{Tone: ui.Tone(s.Tone()), Word: s.Word(), Theirs: theirs}
	switch s {
	case models.SubAccountUnknown, models.SubAccountAbsent, models.SubAccountWithdrawn, models.SubAccountIgnored, models.SubAccountFound:
		out.Hollow = true
	}
	return out
}

// SubAccountsParams is the list.
type SubAccountsParams struct {
	Page         Page
	Filter       models.SubAccountFilter
	Rows         []models.SubAccount
	Newer, Older models.Cursor
	Counts       map[models.SubAccountState]int64
	Alerts       int64
	Credentials  map[string]string
	Providers    []ui.Option
	Lists        []models.SubAccountList
	Ways         []SubAccountWay
	Me           models.Actor
	Clock        Clock
}

func (p SubAccountsParams) query(change func(url.Values)) string {
	q := url.Values{}
	if len(p.Filter.States) > 0 {
		words := make([]string, 0, len(p.Filter.States))
		for _, s := range p.Filter.States {
			words = append(words, string(s))
		}
		q.Set("state", strings.Join(words, ","))
	}
	for _, x := range [][2]string{{"provider", p.Filter.Provider}, {"q", p.Filter.Search}, {"batch", p.Filter.BatchID}} {
		if x[1] != "" {
			q.Set(x[0], x[1])
		}
	}
	if p.Filter.Attention {
		q.Set("attention", "1")
	}
	if change != nil {
		change(q)
	}
	if len(q) == 0 {
		return SubAccountsPath
	}
	return SubAccountsPath + "?" + q.Encode()
}

func (p SubAccountsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	return p.query(func(q url.Values) { q.Set(name, c.String()) })
}

func (p SubAccountsParams) hidden(except string) []ui.Hidden {
	u, err := url.Parse(p.query(func(q url.Values) { q.Del(except) }))
	if err != nil {
		return nil
	}
	var out []ui.Hidden
	for _, n := range []string{"state", "provider", "q", "batch", "attention"} {
		if v := u.Query().Get(n); v != "" {
			out = append(out, ui.Hidden{Name: n, Value: v})
		}
	}
	return out
}

func (p SubAccountsParams) chips() ui.ChipsParams {
	c := ui.ChipsParams{Note: "Times in " + ui.ZoneName(p.Clock.Now, p.Clock.Zone)}
	add := func(name, field string, words []string, form filterForm) {
		value, remove := "any", ""
		if len(words) > 0 {
			value, remove = strings.Join(words, ", "), p.query(func(q url.Values) { q.Del(field) })
			c.ClearHref = SubAccountsPath
		}
		form.base, form.hidden, form.name = SubAccountsPath, p.hidden(field), field
		c.Chips = append(c.Chips, ui.Chip{Name: name, Value: value, RemoveHref: remove, Menu: FilterForm(form)})
	}
	var states []ui.Option
	var chosenStates []string
	for _, s := range models.SubAccountStates() {
		label := s.Word()
		if n := p.Counts[s]; n > 0 {
			label += " (" + bounded(n, 1000) + ")"
		}
		states = append(states, ui.Option{Value: string(s), Label: label, Selected: slices.Contains(p.Filter.States, s)})
		if slices.Contains(p.Filter.States, s) {
			chosenStates = append(chosenStates, strings.ToLower(s.Word()))
		}
	}
	add("status", "state", chosenStates, filterForm{many: true, options: states})
	var at []string
	if p.Filter.Provider != "" {
		at = []string{optionLabel(p.Providers, p.Filter.Provider)}
	}
	any := ui.Option{Value: "", Label: "Any provider", Selected: p.Filter.Provider == ""}
	add("provider", "provider", at, filterForm{options: append([]ui.Option{any}, chosen(p.Providers, []string{p.Filter.Provider})...), label: "Provider"})
	var search []string
	if p.Filter.Search != "" {
		search = []string{p.Filter.Search}
	}
	add("find", "q", search, filterForm{search: true, text: p.Filter.Search, label: "Company, short name or username by its beginning, or the provider's id"})
	if p.Filter.Attention {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "attention", RemoveHref: p.query(func(q url.Values) { q.Del("attention") })})
		c.ClearHref = SubAccountsPath
	} else {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "any", EditHref: p.query(func(q url.Values) { q.Set("attention", "1") })})
	}
	if p.Filter.BatchID != "" {
		c.Chips = append(c.Chips, ui.Chip{Name: "file", Value: "one", RemoveHref: p.query(func(q url.Values) { q.Del("batch") })})
	}
	return c
}

// bounded writes a count that stops somewhere.
func bounded(n, stop int64) string {
	if n >= stop {
		return ui.Count(stop) + "+"
	}
	return ui.Count(n)
}

func (p SubAccountsParams) table() ui.TableParams {
	t := ui.TableParams{ID: "sub-accounts", Caption: "Sub-accounts", Stacks: true, Sticky: true, Keys: true, Columns: []ui.Column{{Label: "Company", Narrow: ui.LeadWhenNarrow},
		{Label: "Status"}, {Label: "Provider"}, {Label: "Its id", Kind: ui.QuietColumn}, {Label: "Country", Narrow: ui.DropWhenNarrow},
		{Label: "Made", Kind: ui.TimeColumn, Narrow: ui.DropWhenNarrow}}}
	t.Empty = ui.EmptyParams{Icon: ui.IconBuilding2, Title: "There are no sub-accounts", Text: "A sub-account is a company below your own account at a provider."}
	if p.query(nil) != SubAccountsPath {
		t.Empty = ui.EmptyParams{Icon: ui.IconListFilter, Title: "Nothing matches this filter", Text: "Take a filter away.", Action: ui.Button(ui.ButtonParams{Label: "Show all", Href: SubAccountsPath})}
	} else if p.Me.Can(models.SubAccountsManage) {
		t.Empty.Action = ui.Button(ui.ButtonParams{Label: "New sub-account", Kind: ui.Primary, Href: SubAccountsPath + "/new"})
	}
	for i := range p.Rows {
		a := &p.Rows[i]
		href := SubAccountPath(a.ID)
		waits := a.Alert
		if waits == "" && a.State != models.SubAccountOpen {
			waits = a.Reason
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, Copy: a.TheirID, Label: a.Company, Cells: []ui.Cell{
			{Text: a.Company, Href: href, Head: true},
			{Content: ui.StatusChip(SubAccountStatus(a.State, a.TheirState)), Sub: models.Safe(waits, 80)},
			{Text: optionLabel(p.Providers, a.Provider), Sub: p.Credentials[a.CredentialID]},
			ui.Text(a.TheirID), ui.Text(a.Country), ui.Is(ui.Time(p.Clock.at(a.CreatedAt)))}})
	}
	return t
}

// shown says how many are on the page and, where it is known, how many there are.
func (p SubAccountsParams) shown() string {
	if len(p.Filter.States)+len(p.Filter.Provider)+len(p.Filter.Search)+len(p.Filter.BatchID) > 0 || p.Filter.Attention {
		return ui.Count(int64(len(p.Rows))) + " on this page"
	}
	var n int64
	for _, c := range p.Counts {
		if c >= 1000 {
			return ui.Count(int64(len(p.Rows))) + " of 1,000+"
		}
		n += c
	}
	return ui.Count(int64(len(p.Rows))) + " of " + ui.Count(n)
}

// listLines say when each provider's own list was read last.
func (p SubAccountsParams) listLines() []ui.Row {
	var out []ui.Row
	for _, w := range p.Ways {
		if !w.Asked {
			continue
		}
		r := ui.Row{Cells: []ui.Cell{{Text: w.Name, Sub: w.Provider.Title, Head: true}, ui.Text("not read yet"), ui.Text("")}}
		for _, l := range p.Lists {
			if l.CredentialID == w.ID {
				r.Cells[1] = listCell(l, p.Clock)
			}
		}
		if p.Me.Can(models.SubAccountsManage) {
			r.Cells[2] = ui.Is(ui.PostButton(ui.PostButtonParams{Action: SubAccountsPath + "/ask", Hidden: []ui.Hidden{{Name: "credential", Value: w.ID}, {Name: "back", Value: p.query(nil)}},
				Button: ui.ButtonParams{Label: "Read the list now", Small: true, Icon: ui.IconRefreshCw}}))
		}
		out = append(out, r)
	}
	return out
}

func listCell(l models.SubAccountList, c Clock) ui.Cell {
	switch {
	case l.Problem != "":
		return ui.Cell{Content: ui.Time(c.at(l.ProblemAt)), Sub: "could not be read: " + l.Problem}
	case l.ReadAt == 0:
		return ui.Text("being read")
	}
	return ui.Cell{Content: ui.Time(c.at(l.ReadAt)), Sub: ui.Count(l.Rows) + " accounts, complete"}
}
