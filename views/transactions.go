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

func kindWord(k models.Kind) string { return strings.ToUpper(string(k[:1])) + string(k[1:]) }

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
	leads := map[string]ui.NarrowKind{"amount": ui.LeadWhenNarrow, "status": ui.LeadWhenNarrow}
	for _, c := range TransactionColumns {
		if p.shows(c[0]) {
			t.Columns = append(t.Columns, ui.Column{Label: c[1], Kind: kinds[c[0]], Narrow: leads[c[0]]})
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
