package views

import (
	"cmp"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

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
