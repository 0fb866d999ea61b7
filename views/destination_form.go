package views

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// DestinationFormParams is the form for a new destination, or for a change of one.
type DestinationFormParams struct {
	Page     Page
	Forms    []providers.DestinationForm
	Form     providers.DestinationForm
	Settings map[string]string
	Replaces string
	Token    string
	Name     string
	Purpose  string
	Notes    string
	Values   map[string]string
	Lookups  map[string][]ui.Option
	Books    []BookChoice
	Guard    models.DestinationGuard
	Errors   []ui.FieldError
	Clock    Clock
}

func (p DestinationFormParams) title() string {
	switch {
	case p.Replaces != "":
		return "Change a destination: " + p.Form.Title
	case p.Form.ID != "":
		return "New destination: " + p.Form.Title
	}
	return "New destination"
}

// groups gathers the forms by whose they are.
func (p DestinationFormParams) groups() []formGroup {
	var out []formGroup
	for _, f := range p.Forms {
		title := cmp.Or(f.Short, "On chain")
		if len(out) == 0 || out[len(out)-1].title != title {
			out = append(out, formGroup{title: title})
		}
		g := &out[len(out)-1]
		g.forms = append(g.forms, f)
	}
	return out
}

type formGroup struct {
	title string
	forms []providers.DestinationForm
}

func formLink(f providers.DestinationForm) string {
	return DestinationsPath + "/new?" + url.Values{"form": {f.ID}}.Encode()
}

func (p DestinationFormParams) field(f providers.Field) ui.FieldParams {
	m := MakeParams{Form: MakeForm{Values: p.Values}, Lookups: map[string][]ui.Option{}}
	for name, list := range p.Lookups {
		for _, o := range list {
			o.Selected = o.Value == p.Values[name]
			m.Lookups[name] = append(m.Lookups[name], o)
		}
	}
	out := m.field(f)
	out.Error = ui.ErrorFor(p.Errors, "v."+f.Name)
	out.Autocomplete = "off"
	return out
}

func (p DestinationFormParams) books() []ui.Option {
	var out []ui.Option
	for _, b := range p.Books {
		out = append(out, ui.Option{Value: b.CredentialID, Label: b.Short + ", " + b.Name, Selected: true})
	}
	return out
}

// waits says what happens after the form is sent.
func waits(g models.DestinationGuard, clock Clock) string {
	now := models.At(clock.Now)
	switch {
	case g.Off(now):
		return "A second person must agree; the waiting time is switched off, so it is usable at once after that."
	case g.Waits(now) == 0:
		return "A second person must agree. In this environment nothing waits after that."
	}
	return fmt.Sprintf("A second person must agree. From then on it waits %s before its first payout.", hoursText(g.Waits(now)))
}

func hoursText(d time.Duration) string {
	n := int(d / time.Hour)
	if n == 1 {
		return "one hour"
	}
	if n == 0 {
		return "no time"
	}
	return strconv.Itoa(n) + " hours"
}
