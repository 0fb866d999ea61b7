package views

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// TransactionsParams is one page of the list across providers.
type TransactionsParams struct {
	Page        Page
	Base        string      // "/transactions", "/payouts" or "/deposits": the path of this list
	Fixed       models.Kind // the kind that the path stands for; empty on /transactions
	Title       string
	Filter      models.Filter
	Problems    []models.Problem
	Rows        []models.Transaction
	Newer       models.Cursor
	Older       models.Cursor
	Count       int64
	Bounded     bool
	In, Out     []models.Money
	Providers   []ui.Option // value is the folder name, label the short title
	Credentials []ui.Option
	Assets      []ui.Option
	CanExport   bool
	CanPay      bool
	CanTake     bool
	CanOrder    bool
	Zone        *time.Location
	Now         time.Time
	Columns     []string           // ids of the columns to show; empty: all
	Views       []models.SavedView // of this person, and those that others share
	Subs        []ui.Option        // sub-accounts to filter by; empty: there are none
	SubNames    map[string]string  // of the rows, by id
}

// Provider gives the short title of a provider.
func (p TransactionsParams) provider(name string) string { return optionLabel(p.Providers, name) }

func optionLabel(list []ui.Option, value string) string {
	for _, o := range list {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

// query writes the filter with some values replaced; a kind that the path stands for is left out.
func (p TransactionsParams) query(change func(url.Values)) string {
	q := p.Filter.Query()
	if p.Fixed != "" {
		q.Del("kind")
	}
	if change != nil {
		change(q)
	}
	if len(q) == 0 {
		return p.Base
	}
	return p.Base + "?" + q.Encode()
}

func (p TransactionsParams) without(names ...string) string {
	return p.query(func(q url.Values) {
		for _, n := range names {
			q.Del(n)
		}
	})
}

func (p TransactionsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	return p.query(func(q url.Values) { q.Set(name, c.String()) })
}

func (p TransactionsParams) export(format string) string {
	q := p.Filter.Query()
	q.Set("format", format)
	return "/transactions/export?" + q.Encode()
}

// shown says how many there are: "50 of 1,204", "50 of 10,000+".
func (p TransactionsParams) shown() string {
	return ui.Count(int64(len(p.Rows))) + " of " + p.counted()
}

func (p TransactionsParams) counted() string {
	n := ui.Count(p.Count)
	if p.Bounded {
		n += "+"
	}
	return n
}

// chips are the filters in use and the ones to add.
func (p TransactionsParams) chips() ui.ChipsParams {
	c := ui.ChipsParams{Note: p.viewName() + "Times in " + ui.ZoneName(p.Now, p.Zone)}
	add := func(name string, fields []string, words []string, form filterForm) {
		value, remove := "any", ""
		if len(words) > 0 {
			value, remove = strings.Join(words, ", "), p.without(fields...)
			c.ClearHref = p.Base
		}
		form.base, form.hidden = p.Base, p.hidden(fields...)
		c.Chips = append(c.Chips, ui.Chip{Name: name, Value: value, RemoveHref: remove, Menu: FilterForm(form)})
	}
	f := p.Filter
	add("when", []string{"when", "from", "to"}, p.whenWords(), filterForm{name: "when", options: p.whenOptions(), from: f.From, to: f.To, dates: true})
	if p.Fixed == "" {
		add("kind", []string{"kind"}, wordsOf(f.Kinds, kindWord), filterForm{name: "kind", many: true, options: kindOptions(f.Kinds)})
	}
	add("provider", []string{"provider"}, labels(p.Providers, f.Providers), filterForm{name: "provider", many: true, options: chosen(p.Providers, f.Providers)})
	add("status", []string{"state"}, wordsOf(f.States, models.State.Word), filterForm{name: "state", many: true, options: stateOptions(f.States)})
	add("currency", []string{"asset", "min", "max"}, p.amountWords(), filterForm{name: "asset", many: true, options: chosen(p.Assets, f.Assets), min: f.Min, max: f.Max, amounts: true})
	if len(f.Credentials) > 0 || len(p.Credentials) > 1 {
		add("credential", []string{"credential"}, labels(p.Credentials, f.Credentials), filterForm{name: "credential", many: true, options: chosen(p.Credentials, f.Credentials)})
	}
	p.subChip(&c)
	var search []string
	if f.Search != "" {
		search = []string{f.Search}
	}
	add("reference", []string{"q"}, search, filterForm{name: "q", text: f.Search, search: true})
	if f.Attention {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "attention", RemoveHref: p.without("attention")})
		c.ClearHref = p.Base
	} else {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "any", EditHref: p.query(func(q url.Values) { q.Set("attention", "1") })})
	}
	return c
}

// manySubs is from where the filter is not offered beside the switch at the top, which lists the same sub-accounts: a page must stay small.
const manySubs = 20

// subChip filters by sub-account. Taking it away shows all of them, also to somebody who works in one.
func (p TransactionsParams) subChip(c *ui.ChipsParams) {
	f := p.Filter
	if len(p.Subs) == 0 || len(p.Subs) > manySubs && f.SubAccount == "" {
		return
	}
	all := ui.Option{Value: "all", Label: "All sub-accounts", Selected: f.SubAccount == ""}
	chip := ui.Chip{Name: "sub-account", Value: "any", Menu: FilterForm(filterForm{base: p.Base, hidden: p.hidden("sub"), name: "sub",
		options: append([]ui.Option{all}, chosen(p.Subs, []string{f.SubAccount})...), label: "Sub-account"})}
	if f.SubAccount != "" {
		chip.Value = optionLabel(p.Subs, f.SubAccount)
		chip.RemoveHref = p.query(func(q url.Values) { q.Set("sub", "all") })
		c.ClearHref = p.Base
	}
	c.Chips = append(c.Chips, chip)
}

func (p TransactionsParams) whenWords() []string {
	var out []string
	for _, w := range models.Whens {
		if w[0] == p.Filter.When {
			out = append(out, strings.ToLower(w[1]))
		}
	}
	if p.Filter.From != "" {
		out = append(out, "from "+p.Filter.From)
	}
	if p.Filter.To != "" {
		out = append(out, "to "+p.Filter.To)
	}
	return out
}

func (p TransactionsParams) amountWords() []string {
	out := labels(p.Assets, p.Filter.Assets)
	if p.Filter.Min != "" {
		out = append(out, "from "+p.Filter.Min)
	}
	if p.Filter.Max != "" {
		out = append(out, "to "+p.Filter.Max)
	}
	return out
}

func (p TransactionsParams) whenOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "Any time", Selected: p.Filter.When == ""}}
	for _, w := range models.Whens {
		out = append(out, ui.Option{Value: w[0], Label: w[1], Selected: w[0] == p.Filter.When})
	}
	return out
}

// hidden are the filters that a form of one chip must carry along.
func (p TransactionsParams) hidden(except ...string) []ui.Hidden {
	q := p.Filter.Query()
	for _, n := range except {
		q.Del(n)
	}
	if p.Fixed != "" {
		q.Del("kind")
	}
	var out []ui.Hidden
	for _, n := range []string{"when", "from", "to", "kind", "provider", "state", "asset", "min", "max", "credential", "q", "attention", "sub"} {
		if v := q.Get(n); v != "" {
			out = append(out, ui.Hidden{Name: n, Value: v})
		}
	}
	return out
}

// filterForm is what opens below a chip.
type filterForm struct {
	base     string
	hidden   []ui.Hidden
	name     string
	many     bool
	options  []ui.Option
	dates    bool
	from, to string
	amounts  bool
	min, max string
	search   bool
	text     string
	label    string // of a choice of one; "Time" when empty
}

func wordsOf[T ~string](in []T, word func(T) string) []string {
	out := make([]string, 0, len(in))
	for _, x := range in {
		out = append(out, strings.ToLower(word(x)))
	}
	return out
}

func labels(list []ui.Option, values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, optionLabel(list, v))
	}
	return out
}

func chosen(list []ui.Option, values []string) []ui.Option {
	out := make([]ui.Option, 0, len(list))
	for _, o := range list {
		for _, v := range values {
			o.Selected = o.Selected || o.Value == v
		}
		out = append(out, o)
	}
	return out
}

func kindWord(k models.Kind) string { return strings.ToUpper(string(k[:1])) + string(k[1:]) }

func kindOptions(have []models.Kind) []ui.Option {
	var out []ui.Option
	for _, k := range models.Kinds() {
		o := ui.Option{Value: string(k), Label: kindWord(k)}
		for _, h := range have {
			o.Selected = o.Selected || h == k
		}
		out = append(out, o)
	}
	return out
}

func stateOptions(have []models.State) []ui.Option {
	var out []ui.Option
	for _, s := range models.States() {
		o := ui.Option{Value: string(s), Label: s.Word()}
		for _, h := range have {
			o.Selected = o.Selected || h == s
		}
		out = append(out, o)
	}
	return out
}

// StatusOf is the chip of a transaction's state.
func StatusOf(t *models.Transaction) ui.StatusParams {
	return ui.StatusParams{Tone: ui.Tone(t.State.Tone()), Word: t.State.Word(), Hollow: hollow(t.State)}
}

func hollow(s models.State) bool {
	switch s {
	case models.Unknown, models.Held, models.Expired, models.Cancelled, models.Draft:
		return true
	}
	return false
}

// MoneyOf is the amount of a transaction as lists show it: money that leaves carries the minus sign and, spoken, the word.
func MoneyOf(t *models.Transaction) ui.MoneyParams {
	m, direction := t.Amount, "in"
	if t.Kind.Outgoing() {
		m, direction = m.Neg(), "out"
	} else if t.Kind != models.Deposit {
		direction = ""
	}
	return ui.MoneyParams{Amount: m.Figure(), Code: code(m.Asset), Direction: direction}
}

// code is the asset's code as people read it; an asset that the provider does not state has none.
func code(asset string) string {
	if asset == models.Unstated {
		return ""
	}
	return asset
}

func (p TransactionsParams) shows(column string) bool {
	if len(p.Columns) == 0 {
		return true
	}
	for _, c := range p.Columns {
		if c == column {
			return true
		}
	}
	return false
}

// TransactionColumns are the columns that can be chosen, by id and label.
var TransactionColumns = [][2]string{{"created", "Created"}, {"kind", "Kind"}, {"provider", "Provider"}, {"reference", "Reference"}, {"party", "Destination or payer"},
	{"amount", "Amount"}, {"status", "Status"}, {"waits", "Waits for"}, {"theirs", "Provider's reference"}, {"fee", "Fee"}, {"maker", "Made by"}, {"sub", "Sub-account"}}

// DefaultColumns are shown until somebody chooses.
var DefaultColumns = []string{"created", "kind", "provider", "reference", "party", "amount", "status"}

func (p TransactionsParams) table() ui.TableParams {
	if len(p.Columns) == 0 {
		p.Columns = DefaultColumns
	}
	t := ui.TableParams{ID: "transactions", Caption: p.Title, Stacks: true, Sticky: true, Keys: true, Empty: p.empty()}
	kinds := map[string]ui.ColumnKind{"created": ui.TimeColumn, "reference": ui.QuietColumn, "party": ui.CutColumn, "amount": ui.NumberColumn, "fee": ui.NumberColumn,
		"waits": ui.WaitColumn, "theirs": ui.QuietColumn}
	for _, c := range TransactionColumns {
		if p.shows(c[0]) {
			t.Columns = append(t.Columns, ui.Column{Label: c[1], Kind: kinds[c[0]]})
		}
	}
	for i := range p.Rows {
		t.Rows = append(t.Rows, p.row(&p.Rows[i]))
	}
	return t
}

func (p TransactionsParams) row(t *models.Transaction) ui.Row {
	href := "/transactions/" + t.ID
	r := ui.Row{Href: href, PeekHref: href + "/peek", Copy: t.Reference, Label: string(t.Kind) + " " + t.Reference}
	cells := map[string]ui.Cell{
		"created":   ui.Is(ui.Time(ui.TimeParams{At: t.CreatedAt.Time(), Zone: p.Zone, Form: ui.TimeMinute})),
		"kind":      ui.Text(kindWord(t.Kind)),
		"provider":  ui.Text(p.provider(t.Provider)),
		"reference": ui.Is(ui.Ref(ui.RefParams{Text: t.Reference, Href: href, NoCopy: true})),
		"party":     ui.Text(t.Party),
		"amount":    ui.Is(ui.Money(MoneyOf(t))),
		"status":    {Content: ui.StatusChip(StatusOf(t)), Sub: waiting(t)},
		"waits":     {Text: waiting(t)},
		"theirs":    ui.Text(t.ProviderRef),
		"fee":       ui.Text(""),
		"maker":     ui.Text(t.CreatedByName),
		"sub":       ui.Text(p.SubNames[t.SubAccount]),
	}
	if t.Fee.Asset != "" {
		cells["fee"] = ui.Is(ui.Money(ui.MoneyParams{Amount: t.Fee.Figure(), Code: code(t.Fee.Asset)}))
	}
	for _, c := range TransactionColumns {
		if p.shows(c[0]) {
			r.Cells = append(r.Cells, cells[c[0]])
		}
	}
	return r
}

func waiting(t *models.Transaction) string { return models.Safe(waitingInFull(t), 44) }

func waitingInFull(t *models.Transaction) string {
	if t.Alert != "" && t.State != models.Unknown {
		return t.Alert
	}
	if t.State == models.Failed || t.State == models.Returned || t.State == models.Rejected {
		return t.Reason
	}
	return t.Waits
}

func (p TransactionsParams) empty() ui.EmptyParams {
	if p.Filter.Query().Encode() != "" && !(p.Fixed != "" && len(p.Filter.Query()) == 1) {
		return ui.EmptyParams{Icon: ui.IconListFilter, Title: "Nothing matches this filter", Text: "Take a filter away, or choose a longer time.",
			Action: ui.Button(ui.ButtonParams{Label: "Show all", Href: p.Base})}
	}
	e := ui.EmptyParams{Icon: ui.IconInbox, Title: "Nothing here yet", Text: fmt.Sprintf("Nothing has been made in %s.", p.Filter.Environment)}
	switch {
	case p.CanPay && p.Fixed != models.Deposit:
		e.Action = ui.Button(ui.ButtonParams{Label: "New payout", Kind: ui.Primary, Href: "/payouts/new"})
	case p.CanTake:
		e.Action = ui.Button(ui.ButtonParams{Label: "New deposit", Kind: ui.Primary, Href: "/deposits/new"})
	}
	return e
}

// tabs lead between the lists by kind, keeping the other filters.
func (p TransactionsParams) tabs() []ui.Tab {
	q := p.Filter.Query()
	q.Del("kind")
	tail := ""
	if len(q) > 0 {
		tail = "?" + q.Encode()
	}
	out := []ui.Tab{}
	for _, t := range []struct{ label, path string }{{"All", "/transactions"}, {"Payouts", "/payouts"}, {"Deposits", "/deposits"}, {"Refunds", "/refunds"}, {"Conversions", "/conversions"}, {"Orders", "/orders"}} {
		out = append(out, ui.Tab{Label: t.label, Href: t.path + tail, Active: p.Base == t.path})
	}
	return out
}

// footFigures is how many sums the foot of the list shows by itself; the rest opens.
const footFigures = 6

// sums are the totals per asset, money that goes out first, as the foot shows them.
func (p TransactionsParams) sums() (shown, rest []ui.MoneyParams) {
	for _, m := range p.Out {
		shown = append(shown, ui.MoneyParams{Amount: m.Neg().Figure(), Code: code(m.Asset), Strong: true, Direction: "out"})
	}
	for _, m := range p.In {
		shown = append(shown, ui.MoneyParams{Amount: m.Figure(), Code: code(m.Asset), Strong: true, Plus: true, Direction: "in"})
	}
	if len(shown) > footFigures+1 {
		return shown[:footFigures], shown[footFigures:]
	}
	return shown, nil
}

// viewName names the saved view that is shown, if it is one.
func (p TransactionsParams) viewName() string {
	for _, v := range p.Views {
		if v.Base == p.Base && v.Query == p.ownQuery() {
			return "View: " + v.Name + " · "
		}
	}
	return ""
}

// ownQuery is the filter as a view keeps it.
func (p TransactionsParams) ownQuery() string {
	_, q, _ := strings.Cut(p.query(nil), "?")
	return q
}

// viewItems are the saved views, and what removes one's own.
func (p TransactionsParams) viewItems() []ui.MenuItem {
	var out []ui.MenuItem
	for _, v := range p.Views {
		href := v.Base
		if v.Query != "" {
			href += "?" + v.Query
		}
		end := ""
		if v.Shared && !v.Mine {
			end = "by " + v.By
		} else if v.Shared {
			end = "shared"
		}
		out = append(out, ui.MenuItem{Label: v.Name, Href: href, Icon: ui.IconBookmark, End: end, Active: v.Base == p.Base && v.Query == p.ownQuery()})
	}
	line := len(out) > 0
	for _, v := range p.Views {
		if v.Mine {
			out = append(out, ui.MenuItem{Label: "Remove “" + v.Name + "”", Action: "/views/" + v.ID + "/delete", Hidden: []ui.Hidden{{Name: "back", Value: p.query(nil)}}, Icon: ui.IconTrash2, Line: line})
			line = false
		}
	}
	return out
}

func (p TransactionsParams) columnOptions() []ui.Option {
	if len(p.Columns) == 0 {
		p.Columns = DefaultColumns
	}
	var out []ui.Option
	for _, c := range TransactionColumns {
		out = append(out, ui.Option{Value: c[0], Label: c[1], Selected: p.shows(c[0])})
	}
	return out
}
