package views

import (
	"net/url"
	"slices"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// LedgerPath is where the merchant's own books are.
const LedgerPath = "/balances/ledger"

// LedgerParams is the books, or one account of them.
type LedgerParams struct {
	Page        Page
	Balances    []models.LedgerBalance
	Credentials map[string]models.CredentialName
	Providers   []ui.Option
	Clock       Clock

	Of     *models.LedgerBalance // the account that is shown
	Lines  []models.LedgerLine
	Newer  string
	Older  string
	Newest string
}

// ledgerGroup is the accounts of one credential.
type ledgerGroup struct {
	id       string
	balances []models.LedgerBalance
}

func (p LedgerParams) groups() []ledgerGroup {
	var out []ledgerGroup
	for _, b := range p.Balances {
		i := slices.IndexFunc(out, func(g ledgerGroup) bool { return g.id == b.CredentialID })
		if i < 0 {
			i = len(out)
			out = append(out, ledgerGroup{id: b.CredentialID})
		}
		out[i].balances = append(out[i].balances, b)
	}
	return out
}

func (p LedgerParams) credential(id string) string {
	c, ok := p.Credentials[id]
	if !ok {
		return "removed credential"
	}
	return optionLabel(p.Providers, c.Provider) + ", " + c.Name
}

// Name names the account that is shown.
func (p LedgerParams) Name() string {
	return p.credential(p.Of.CredentialID) + ", " + accountWord(p.Of.Account) + " " + code(p.Of.Money.Asset)
}

func accountWord(a models.Account) string { return orElse(accountWords[a], string(a)) }

// accountOrder is the order in which a credential's accounts stand side by side.
var accountOrder = []models.Account{models.Available, models.InFlight, models.Received, models.PaidOut, models.RefundedA, models.Fees, models.Exchanged, models.Spent, models.Lost}

// table has one line per asset and one column per account that is in use.
func (p LedgerParams) table(g ledgerGroup) ui.TableParams {
	t := ui.TableParams{Caption: "Accounts of " + p.credential(g.id), Columns: []ui.Column{{Label: "Currency"}}}
	var used []models.Account
	for _, a := range accountOrder {
		if slices.ContainsFunc(g.balances, func(b models.LedgerBalance) bool { return b.Account == a }) {
			used = append(used, a)
			t.Columns = append(t.Columns, ui.Column{Label: sentence(accountWord(a)), Kind: ui.NumberColumn})
		}
	}
	var assets []string
	for _, b := range g.balances {
		if !slices.Contains(assets, b.Money.Asset) {
			assets = append(assets, b.Money.Asset)
		}
	}
	for _, asset := range assets {
		row := ui.Row{Cells: []ui.Cell{{Text: orElse(code(asset), "not stated"), Head: true}}}
		for _, a := range used {
			cell := ui.Cell{}
			for _, b := range g.balances {
				if b.Account == a && b.Money.Asset == asset {
					cell = ui.LinkCell(entriesHref(b), b.Money.Figure())
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func entriesHref(b models.LedgerBalance) string {
	return LedgerPath + "/entries?" + url.Values{"credential": {b.CredentialID}, "account": {string(b.Account)}, "asset": {b.Money.Asset}}.Encode()
}

func (p LedgerParams) entries() ui.TableParams {
	t := ui.TableParams{ID: "entries", Caption: "Entries, newest first", Stacks: true, Sticky: true, Keys: true, Columns: []ui.Column{{Label: "Posted", Kind: ui.TimeColumn}, {Label: "Transaction", Kind: ui.QuietColumn}, {Label: "With", Kind: ui.CutColumn},
		{Label: "Because"}, {Label: "Amount", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow}}, Empty: ui.EmptyParams{Icon: ui.IconScale, Title: "No entry", Text: "Nothing was posted to this account."}}
	for _, l := range p.Lines {
		href := "/transactions/" + l.TransactionID
		t.Rows = append(t.Rows, ui.Row{Href: href, PeekHref: href + "/peek", Copy: l.Reference, Cells: []ui.Cell{ui.Is(ui.Time(ui.TimeParams{At: l.At.Time(), Zone: p.Clock.Zone, Form: ui.TimeSecond})),
			{Content: ui.Ref(ui.RefParams{Text: l.Reference, Href: href, NoCopy: true}), Sub: kindWord(l.Kind)}, ui.Text(l.Party), ui.Text(l.What),
			ui.Is(ui.Money(ui.MoneyParams{Amount: l.Money.Figure(), Code: code(l.Money.Asset), Plus: l.Money.Minor > 0}))}})
	}
	return t
}
