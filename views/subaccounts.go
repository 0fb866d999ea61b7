package views

import (
	"cmp"
	"fmt"
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

// SubAccountFormParams is the way to a new sub-account: choose a credential, fill in, review; or the way to a file.
type SubAccountFormParams struct {
	Page         Page
	Ways         []SubAccountWay
	Way          *SubAccountWay
	Spec         models.SubAccountSpec
	Countries    []ui.Option
	CountriesWhy string // why the provider's list of countries is not here
	Errors       []ui.FieldError
	Token        string
	Me           models.Actor
	Clock        Clock
}

func (p SubAccountFormParams) wayOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "Choose"}}
	for _, w := range p.Ways {
		out = append(out, ui.Option{Value: w.ID, Label: w.Name + " (" + w.Provider.Short + ")", Selected: p.Way != nil && p.Way.ID == w.ID})
	}
	return out
}

func (p SubAccountFormParams) value(name string) string {
	return map[string]string{"company": p.Spec.Company, "country": p.Spec.Country, "type": p.Spec.Type, "email": p.Spec.Email, "username": p.Spec.Username}[name]
}

// fields are the provider's own, or ours where it has no calls for sub-accounts.
func (p SubAccountFormParams) fields() []ui.FieldParams {
	list := p.Way.Provider.SubAccountFields
	if len(list) == 0 {
		list = []providers.Field{{Name: "company", Label: "Company, full name", Required: true}, {Name: "country", Label: "Country", MaxLen: 3, PatternHelp: "Three letters, for example SGP."},
			{Name: "type", Label: "Type", MaxLen: 64, Help: "In your words."}, {Name: "email", Label: "E-mail", Kind: providers.Email}, {Name: "username", Label: "Username or number there"}}
	}
	var out []ui.FieldParams
	for _, f := range list {
		x := ui.FieldParams{Name: f.Name, Label: f.Label, Help: cmp.Or(f.Help, f.PatternHelp), Required: f.Required, Optional: !f.Required, MaxLength: cmp.Or(f.MaxLen, 255),
			Value: cmp.Or(p.value(f.Name), f.Default), Error: ui.ErrorFor(p.Errors, f.Name), Autocomplete: "off"}
		switch {
		case f.Name == "country" && len(p.Countries) > 0:
			x.Type, x.Help, x.MaxLength = ui.SelectField, "From "+p.Way.Provider.Short+"'s own list.", 0
			x.Options = append([]ui.Option{{Value: "", Label: "Choose"}}, chosen(p.Countries, []string{x.Value})...)
		case f.Name == "country" && p.CountriesWhy != "":
			x.Help = "The provider's list of countries is not here (" + p.CountriesWhy + "). Write three letters, for example SGP."
		case len(f.Options) > 0:
			x.Type, x.MaxLength = ui.SelectField, 0
			for _, o := range f.Options {
				x.Options = append(x.Options, ui.Option{Value: o.Value, Label: o.Label, Selected: o.Value == x.Value})
			}
		case f.Kind == providers.Email:
			x.Type = ui.EmailField
		}
		out = append(out, x)
	}
	return out
}

func (p SubAccountFormParams) hidden() []ui.Hidden {
	return []ui.Hidden{{Name: "token", Value: p.Token}, {Name: "credential", Value: p.Way.ID}, {Name: "name", Value: p.Spec.Name}, {Name: "company", Value: p.Spec.Company},
		{Name: "country", Value: p.Spec.Country}, {Name: "type", Value: p.Spec.Type}, {Name: "email", Value: p.Spec.Email}, {Name: "username", Value: p.Spec.Username}}
}

func (p SubAccountFormParams) facts() []ui.Term {
	return []ui.Term{{Label: "Company", Text: p.Spec.Company, Sub: "here called " + p.Spec.Name}, {Label: "Country", Text: p.Spec.Country}, {Label: "Type", Text: typeWord(p.Way.Provider, p.Spec.Type)},
		{Label: "E-mail", Text: p.Spec.Email}, {Label: "Username", Text: p.Spec.Username}, {Label: "By", Text: p.Way.Name, Sub: p.Way.Provider.Title}}
}

// typeWord is the label of a type, where the provider's form names it.
func typeWord(d *providers.Description, value string) string {
	for _, f := range d.SubAccountFields {
		for _, o := range f.Options {
			if f.Name == "type" && o.Value == value {
				return o.Label
			}
		}
	}
	return value
}

func (p SubAccountFormParams) sampleFile() string {
	return strings.Join(models.SubAccountColumns, ",")
}

// SubAccountParams is the page of one.
type SubAccountParams struct {
	Page         Page
	A            *models.SubAccountPage
	D            *providers.Description
	Asked        bool
	Transactions TransactionsParams
	Case         *models.KYBCase // that holds its documents; nil: none, or the viewer may not know
	Keys         *providers.Sheet
	KeysWhy      string
	Working      bool // the viewer works in it
	Me           models.Actor
	Clock        Clock
}

func (p SubAccountParams) manages() bool { return p.Me.Can(models.SubAccountsManage) }

func (p SubAccountParams) path(more string) string { return SubAccountPath(p.A.ID) + more }

// poll asks for the part that changes while something is on its way.
func (p SubAccountParams) poll() ui.Attrs {
	switch p.A.State {
	case models.SubAccountWaiting, models.SubAccountSending, models.SubAccountAccepted, models.SubAccountUnknown:
		return ui.Poll(p.path("/live"), 3)
	}
	return nil
}

func (p SubAccountParams) sentence() string {
	s := p.A.State.Sentence()
	switch {
	case p.A.State == models.SubAccountOwn:
		return p.D.Title + " has no calls for sub-accounts: this is our own record. Nothing was or will be sent to " + p.D.Short + "."
	case p.A.State == models.SubAccountRefused && p.A.Reason != "":
		return s + " " + p.A.Reason
	case p.A.State == models.SubAccountWaiting && p.A.Reason != "":
		return s + " " + p.A.Reason
	}
	return s
}

func (p SubAccountParams) terms() []ui.Term {
	a := p.A
	terms := []ui.Term{{Label: "Short name", Text: a.Name}, {Label: "Country", Text: a.Country}, {Label: "Type", Text: typeWord(p.D, a.Type), Sub: a.TheirType}}
	if p.Asked {
		terms = append(terms, ui.Term{Label: p.D.Short + "’s id", Content: ui.Ref(ui.RefParams{Text: a.TheirID, What: "the provider's id"})})
		if a.TheirUserID != "" {
			terms = append(terms, ui.Term{Label: p.D.Short + "’s user", Text: a.TheirUserID})
		}
		if a.TheirState != "" {
			terms = append(terms, ui.Term{Label: p.D.Short + " says", Text: a.TheirState})
		}
	}
	terms = append(terms, ui.Term{Label: "Our id", Content: ui.Ref(ui.RefParams{Text: a.ID, What: "our id"})}, ui.Term{Label: "Username", Text: a.Username})
	if p.Me.Can(models.SubAccountsManage) || p.Me.Can(models.KYBRead) {
		terms = append(terms, ui.Term{Label: "E-mail", Text: a.Email})
	}
	terms = append(terms, ui.Term{Label: "By", Text: a.CredentialName, Sub: p.D.Title + ", " + string(a.Environment)},
		ui.Term{Label: "Made", Content: ui.Time(p.Clock.at(a.CreatedAt)), Sub: "by " + orElse(a.CreatedName, "the program")})
	if a.BatchID != "" {
		terms = append(terms, ui.Term{Label: "File", Content: ui.Ref(ui.RefParams{Text: fmt.Sprintf("row %d", a.BatchRow), Href: SubAccountBatchPath(a.BatchID), NoCopy: true})})
	}
	if p.Asked && a.TheirID != "" {
		terms = append(terms, ui.Term{Label: "Listed", Content: ui.Time(p.Clock.at(a.ListedAt)), Sub: "the provider's list showed it"})
	}
	return terms
}

func (p SubAccountParams) timeline() []ui.TimelineItem {
	var out []ui.TimelineItem
	for i, e := range slices.Backward(p.A.Events) { // stored newest first, told oldest first
		item := ui.TimelineItem{Text: e.Sentence, At: ui.Time(p.Clock.second(e.At)), Now: i == 0, Tone: eventTone(e.What)}
		if e.ExchangeID != "" && p.Me.Can(models.ExchangesRead) {
			item.Content = ui.Ref(ui.RefParams{Text: "exchange", Href: "/exchanges/" + e.ExchangeID, NoCopy: true})
		}
		out = append(out, item)
	}
	return out
}

func eventTone(what string) ui.Tone {
	switch what {
	case "matched", "adopted":
		return ui.Ok
	case "refused":
		return ui.Bad
	case "alert", "found":
		return ui.Odd
	}
	return ""
}

func (p SubAccountParams) twinOptions() []ui.Option {
	var out []ui.Option
	for _, t := range p.A.Twins {
		out = append(out, ui.Option{Value: t.ID, Label: "It is " + t.Company + ", " + strings.ToLower(t.State.Word())})
	}
	return out
}

func (p SubAccountParams) keyTable() ui.TableParams {
	t := ui.TableParams{Caption: "API keys", Stacks: true, Empty: ui.EmptyParams{Icon: ui.IconKeyRound, Title: p.D.Short + " lists no API key below this account"}}
	for _, c := range p.Keys.Columns {
		t.Columns = append(t.Columns, ui.Column{Label: c})
	}
	for _, r := range p.Keys.Rows {
		var cells []ui.Cell
		for _, v := range r {
			cells = append(cells, ui.Text(v))
		}
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	return t
}

// SubAccountBatchesParams is the list of files.
type SubAccountBatchesParams struct {
	Page      Page
	List      []models.SubAccountBatch
	Providers []ui.Option
	Me        models.Actor
	Clock     Clock
}

func (p SubAccountBatchesParams) table() ui.TableParams {
	t := ui.TableParams{Caption: "Files of companies", Stacks: true, Columns: []ui.Column{{Label: "File"}, {Label: "Provider"}, {Label: "Rows", Kind: ui.NumberColumn}, {Label: "State"}, {Label: "Made", Kind: ui.TimeColumn}},
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
	t := ui.TableParams{Caption: "Rows of the file", Stacks: true, Fixed: len(p.B.Lines) > 60, Columns: []ui.Column{{Label: "Row", Kind: ui.NumberColumn}, {Label: "Company"},
		{Label: "Country"}, {Label: "Username", Kind: ui.QuietColumn}, {Label: "What comes of it"}}}
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

func (p SubAccountFormParams) verb() string {
	if !p.Way.Asked {
		return "Write down " + p.Spec.Name
	}
	return "Ask " + p.Way.Provider.Short + " for " + p.Spec.Name
}

// typeList names a provider's types as a file must write them: "4 Corporate, 3 Partnership".
func typeList(d *providers.Description) string {
	var out []string
	for _, f := range d.SubAccountFields {
		for _, o := range f.Options {
			if f.Name == "type" {
				out = append(out, o.Value+" "+o.Label)
			}
		}
	}
	return strings.Join(out, ", ")
}

func largeChip(s ui.StatusParams) ui.StatusParams { s.Large = true; return s }

// transactionTable is the beginning of the list of transactions, without what is the same on every row.
func (p SubAccountParams) transactionTable() ui.TableParams {
	l := p.Transactions
	l.Columns = []string{"created", "kind", "reference", "party", "amount", "status"}
	t := l.table()
	t.ID, t.Caption, t.Sticky = "sub-account-transactions", "Transactions of "+p.A.Name, false
	t.Empty = ui.EmptyParams{Icon: ui.IconInbox, Title: "No transaction belongs to it yet", Text: "Work in it, and what you make is made for it."}
	return t
}
