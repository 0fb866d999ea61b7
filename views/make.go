package views

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// MakeParams is the making of a transaction: choose a way, fill in the form, review what the server understood, confirm.
type MakeParams struct {
	Page       Page
	Kind       models.Kind
	Choices    []MakeChoice // first step
	Provider   *providers.Description
	Credential CredentialChoice
	Method     providers.Method
	Locked     string // why this way cannot be used here
	Form       MakeForm
	Errors     []ui.FieldError
	Lookups    map[string][]ui.Option // by field name
	Of         *models.Transaction    // refunds
	Left       models.Money           // refunds: what is left of the deposit
	Sub        models.Working         // for which sub-account it is made; the zero value: for none

	// Payouts: where to.
	To         *models.Destination // the chosen destination
	ToWhy      string              // why nothing can be paid to it now; empty: it can
	Picks      []Pick              // to choose from
	PicksMore  bool                // there are others that the list leaves out
	PickSearch string
	RawOK      bool // something else than a destination may be typed

	// Review.
	Token        string // the id that the transaction will have; makes a second click harmless
	Amount       models.Money
	Destination  providers.Destination
	Policy       models.Policy
	Duplicates   []models.Transaction
	Readers      []ui.Option // credentials whose provider reads QR codes
	QRText       string
	TryQR        string // a code to try the reading with, in sandbox
	Verification *providers.Verification
	VerifyToken  string // an answer is waited for
	VerifyWhy    string // why nothing could be verified
	Before       string // balance now, as text with code; empty: not known
	After        string // after this
	AfterWarn    bool
	Quote        *providers.Quote
	QuoteID      string
	Bought       models.Money
	Zone         *time.Location
	Now          time.Time
}

// Pick is a destination to choose, or the reason why it cannot be used now.
type Pick struct {
	Destination models.Destination
	State       models.DestinationState
	Why         string
}

// PlainError is an error of a form that belongs to no field.
func PlainError(sentence string) ui.FieldError { return ui.FieldError{Message: sentence} }

// OwnFields are the fields that are asked for: with a destination only those that every payment has anew.
func (p MakeParams) ownFields() []providers.Field {
	if p.To == nil {
		return p.Method.Fields
	}
	var out []providers.Field
	for _, f := range p.Method.Fields {
		if f.PerPayment {
			out = append(out, f)
		}
	}
	return out
}

// OwnValues are the typed values of those fields.
func (p MakeParams) OwnValues() map[string]string {
	out := map[string]string{}
	for _, f := range p.ownFields() {
		if v := p.Form.Values[f.Name]; v != "" {
			out[f.Name] = v
		}
	}
	return out
}

// showForm tells whether the form can be filled in: with a destination that can be paid now, or where something else may be typed.
func (p MakeParams) showForm() bool {
	return p.Kind != models.Payout || p.To != nil && p.ToWhy == "" || p.To == nil && p.RawOK
}

// offered are the ways to choose from: none to a destination that cannot be paid now.
func (p MakeParams) offered() []MakeChoice {
	if p.ToWhy != "" {
		return nil
	}
	return p.Choices
}

func (p MakeParams) pickLink(d models.Destination) string {
	return p.Base() + "/new?" + url.Values{"credential": {p.Credential.ID}, "method": {p.Method.ID}, "destination": {d.ID}}.Encode()
}

// picksNote says what the list leaves out.
func (p MakeParams) picksNote() string {
	if p.PicksMore {
		return "choose one of the newest, or search for another"
	}
	return "choose one to pay to"
}

func (p MakeParams) picks() ui.TableParams {
	t := ui.TableParams{ID: "picks", Caption: "Destinations to choose from", Stacks: true, Columns: []ui.Column{{Label: "Name", Narrow: ui.LeadWhenNarrow}, {Label: "Where"}, {Label: "State"}}}
	for _, x := range p.Picks {
		name := ui.Cell{Text: x.Destination.Name, Head: true, Sub: x.Destination.Purpose}
		state := ui.Is(ui.StatusChip(destinationStatus(x.State)))
		if x.Why == "" {
			name.Href = p.pickLink(x.Destination)
		} else {
			state.Sub = x.Why
		}
		t.Rows = append(t.Rows, ui.Row{Href: name.Href, Cells: []ui.Cell{name, ui.Text(x.Destination.Masked), state}})
	}
	return t
}

// CredentialChoice is a credential in the first step.
type CredentialChoice struct{ ID, Name, Provider, Short string }

// MakeChoice is one credential with the ways it offers.
type MakeChoice struct {
	Credential CredentialChoice
	Methods    []MakeMethod
}

// MakeMethod is one way, with the reason when it cannot be used.
type MakeMethod struct {
	Method providers.Method
	Why    string
}

// MakeForm is what was typed.
type MakeForm struct {
	Amount, Asset string
	Note          string
	Why           string
	Hold          bool
	Buy           string
	Values        map[string]string
}

// Base is the path of the kind's pages: "/payouts".
func (p MakeParams) Base() string { return "/" + string(p.Kind) + "s" }

func (p MakeParams) title() string {
	if p.Method.Title != "" {
		return "New " + string(p.Kind) + ": " + p.Method.Title
	}
	return "New " + string(p.Kind)
}

func (p MakeParams) link(c CredentialChoice, m providers.Method) string {
	q := url.Values{"credential": {c.ID}, "method": {m.ID}}
	if p.To != nil {
		q.Set("destination", p.To.ID)
	}
	if p.Of != nil { // a refund stays the refund of its deposit
		q.Set("of", p.Of.ID)
	}
	return p.Base() + "/new?" + q.Encode()
}

func (p MakeParams) steps(current int) ui.StepperParams {
	last := "Approval"
	if p.Kind == models.Deposit {
		last = "Payment"
	}
	return ui.StepperParams{Steps: []string{"Way", "Form", "Review", last}, Current: current}
}

func (p MakeParams) amountLabel() string {
	switch p.Kind {
	case models.Deposit:
		return "Amount to take"
	case models.Refund:
		return "Amount to give back"
	case models.Conversion:
		return "Amount to sell"
	case models.Transfer:
		return "Amount to move"
	}
	return "Amount to pay"
}

func (p MakeParams) assetOptions() []ui.Option {
	codes := p.Method.Assets
	if len(codes) == 0 {
		for _, a := range models.Assets() {
			if a.Code != models.Unstated {
				codes = append(codes, a.Code)
			}
		}
	}
	out := make([]ui.Option, 0, len(codes))
	for _, c := range codes {
		a, _ := models.AssetByCode(c)
		out = append(out, ui.Option{Value: c, Label: strings.TrimSpace(c + " " + a.Name), Selected: c == p.Form.Asset})
	}
	return out
}

func (p MakeParams) errorOf(field string) string {
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Message
		}
	}
	return ""
}

// field turns a method's field into one of the kit.
func (p MakeParams) field(f providers.Field) ui.FieldParams {
	out := ui.FieldParams{Name: "v." + f.Name, Label: f.Label, Help: f.Help, Error: p.errorOf("v." + f.Name), Required: f.Required, Optional: !f.Required,
		Value: cmp.Or(p.Form.Values[f.Name], f.Default), MaxLength: f.MaxLen}
	switch f.Kind {
	case providers.Select:
		out.Type, out.Options = ui.SelectField, p.options(f)
	case providers.Email:
		out.Type = ui.EmailField
	case providers.URL:
		out.Type = ui.URLField
	case providers.Phone:
		out.Type, out.InputMode = ui.TextField, "tel"
	case providers.Digits:
		out.InputMode = "numeric"
	case providers.Date:
		out.Type = ui.DateField
	case providers.Checkbox:
		out.Type, out.Value, out.Checked, out.Optional = ui.CheckboxField, "1", p.Form.Values[f.Name] == "1", false
	case providers.Area:
		out.Type = ui.TextareaField
	case providers.Files:
		out.Type, out.Multiple, out.Accept, out.MaxLength = ui.FileField, true, ".pdf,.png,.jpg,.jpeg,.webp", 0
		out.Value = ""
	}
	if f.Kind != providers.Select && len(f.Options) > 0 {
		out.Type, out.Options = ui.SelectField, p.options(f)
	}
	if list, ok := p.Lookups[f.Name]; ok && len(list) > 0 {
		out.Type, out.Options, out.MaxLength = ui.SelectField, append([]ui.Option{{Value: "", Label: "Choose …"}}, list...), 0
	}
	if f.Item != "" {
		out.Help = strings.TrimSpace(out.Help + " Rests on " + f.Item + ", which is not documented.")
	}
	return out
}

func (p MakeParams) options(f providers.Field) []ui.Option {
	out := []ui.Option{}
	if !f.Required && f.Default == "" {
		out = append(out, ui.Option{Value: "", Label: "—"})
	}
	for _, o := range f.Options {
		out = append(out, ui.Option{Value: o.Value, Label: cmp.Or(o.Label, o.Value)})
	}
	return out
}

func (p MakeParams) hasFiles() bool {
	return slices.ContainsFunc(p.Method.Fields, func(f providers.Field) bool { return f.Kind == providers.Files })
}

// hiddenSub keeps the form with its sub-account.
func (p MakeParams) hiddenSub() ui.Hidden {
	return ui.Hidden{Name: "sub", Value: orElse(p.Sub.ID, "none")}
}

func (p MakeParams) formHidden() []ui.Hidden {
	out := []ui.Hidden{{Name: "credential", Value: p.Credential.ID}, {Name: "method", Value: p.Method.ID}, p.hiddenSub()}
	if p.Of != nil {
		out = append(out, ui.Hidden{Name: "of", Value: p.Of.ID})
	}
	if p.To != nil {
		out = append(out, ui.Hidden{Name: "destination", Value: p.To.ID})
	}
	return out
}

func (p MakeParams) amountHelp() string {
	switch {
	case p.Of != nil:
		return p.Left.String() + " of the deposit is left to give back."
	case p.Method.Minimum != "":
		return "At least " + p.Method.Minimum + ". Digits and one point: 1234.50"
	}
	return "Digits and one point: 1234.50"
}
