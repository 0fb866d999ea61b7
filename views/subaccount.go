package views

import (
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

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
