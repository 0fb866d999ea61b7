package views

import (
	"fmt"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// hidden carries the reviewed form to the confirmation.
func (p MakeParams) hidden() []ui.Hidden {
	out := []ui.Hidden{{Name: "token", Value: p.Token}, {Name: "credential", Value: p.Credential.ID}, {Name: "method", Value: p.Method.ID}, {Name: "amount", Value: p.Form.Amount},
		{Name: "asset", Value: p.Form.Asset}, {Name: "note", Value: p.Form.Note}, {Name: "quote", Value: p.QuoteID}, p.hiddenSub()}
	if p.Form.Hold {
		out = append(out, ui.Hidden{Name: "hold", Value: "1"})
	}
	if p.Of != nil {
		out = append(out, ui.Hidden{Name: "of", Value: p.Of.ID})
	}
	if p.Verification != nil && p.Verification.Verdict == providers.RecipientOK {
		out = append(out, ui.Hidden{Name: "verified", Value: p.Verification.Name})
	}
	if p.To != nil {
		out = append(out, ui.Hidden{Name: "destination", Value: p.To.ID})
	}
	for _, f := range p.ownFields() {
		if v := p.Form.Values[f.Name]; v != "" {
			out = append(out, ui.Hidden{Name: "v." + f.Name, Value: v})
		}
	}
	return out
}

// verb says what the button does: "Submit the payout of 1,840.00 BRL for approval".
func (p MakeParams) verb() string {
	switch {
	case p.Kind == models.Deposit:
		return "Create the deposit over " + p.Amount.String()
	case p.Kind == models.Conversion:
		return fmt.Sprintf("Convert %s into %s now", p.Amount, p.Bought)
	case p.Policy.Approvers == 0:
		return fmt.Sprintf("Send the %s of %s now", p.Kind, p.Amount)
	}
	return fmt.Sprintf("Submit the %s of %s for approval", p.Kind, p.Amount)
}

func (p MakeParams) duplicates() ui.TableParams {
	t := ui.TableParams{Caption: "The same amount to the same destination within 24 hours", Stacks: true,
		Columns: []ui.Column{{Label: "Created", Kind: ui.TimeColumn}, {Label: "Reference", Narrow: ui.LeadWhenNarrow}, {Label: "By"}, {Label: "Status", Narrow: ui.LeadWhenNarrow}}}
	for i := range p.Duplicates {
		x := &p.Duplicates[i]
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Is(ui.Time(ui.TimeParams{At: x.CreatedAt.Time(), Zone: p.Zone, Form: ui.TimeMinute, Now: p.Now})),
			ui.LinkCell("/transactions/"+x.ID, x.Reference), ui.Text(x.CreatedByName), ui.Is(ui.StatusChip(StatusOf(x)))}})
	}
	return t
}

func (p MakeParams) verifyTone() ui.Tone {
	if p.Verification == nil {
		return ui.Info
	}
	switch p.Verification.Verdict {
	case providers.RecipientOK:
		return ui.Ok
	case providers.RecipientPending:
		return ui.Wait
	case providers.RecipientBad, providers.RecipientMismatch:
		return ui.Bad
	}
	return ui.Odd
}

func (p MakeParams) facts() []ui.Term {
	terms := []ui.Term{{Label: "By", Text: p.Credential.Name, Sub: p.Provider.Title}, {Label: "Way", Text: p.Method.Title}}
	if p.Sub.ID != "" {
		terms = append(terms, ui.Term{Label: "Sub-account", Text: p.Sub.Name, Sub: p.Sub.Company})
	}
	if p.To != nil {
		terms = append([]ui.Term{{Label: "Destination", Content: ui.Ref(ui.RefParams{Text: p.To.Name, Href: DestinationPath(p.To.ID), NoCopy: true}), Sub: p.To.Purpose + ", approved by " + p.To.DecidedByName}}, terms...)
	}
	if p.Of != nil {
		terms = append(terms, ui.Term{Label: "Of the deposit", Text: p.Of.Reference, Sub: p.Left.String() + " left to give back"})
	}
	if p.Before != "" {
		terms = append(terms, ui.Term{Label: "Balance now", Text: p.Before}, ui.Term{Label: "After this", Text: p.After})
	}
	if p.Kind != models.Deposit {
		terms = append(terms, ui.Term{Label: "Who must agree", Text: p.Policy.Sentence()})
	}
	terms = append(terms, ui.Term{Label: "Fee", Text: "not stated before it is sent"})
	if p.Form.Note != "" {
		terms = append(terms, ui.Term{Label: "Comment", Text: p.Form.Note})
	}
	if p.Form.Hold {
		terms = append(terms, ui.Term{Label: "Hold", Text: "It is created held at " + p.Provider.Short + " and is not paid until it is released."})
	}
	return terms
}

func (p MakeParams) partyTitle() string {
	switch p.Kind {
	case models.Deposit:
		return "Payer"
	case models.Conversion, models.Transfer:
		return "Where"
	}
	return "Destination, in full"
}

func (p MakeParams) verifyPath() string {
	if p.VerifyToken == "" {
		return ""
	}
	return "/payouts/verification/" + p.VerifyToken
}

func (p MakeParams) verifyTitle() string {
	switch p.Verification.Verdict {
	case providers.RecipientOK:
		return "The provider knows this recipient"
	case providers.RecipientMismatch:
		return "The destination belongs to somebody else"
	case providers.RecipientBad:
		return "This destination cannot be paid"
	case providers.RecipientPending:
		return "The provider is looking"
	}
	return "The provider gave no usable answer"
}
