package handlers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// new shows the choice of kinds, or the form of one.
func (h *Destinations) new(c *Ctx) error {
	p, err := h.begin(c, c.Query("form"), "")
	if err != nil {
		return err
	}
	return h.showForm(c, fiber.StatusOK, p)
}

func (h *Destinations) begin(c *Ctx, formID, replaces string) (views.DestinationFormParams, error) {
	forms, settings, err := h.waysOf(c)
	p := views.DestinationFormParams{Forms: forms, Replaces: replaces, Values: map[string]string{}, Token: models.NewID()}
	if err != nil || formID == "" {
		return p, err
	}
	f, ok := formByID(forms, formID)
	if !ok {
		return p, models.Errorf(models.NotFound, "No active credential of %s pays such a destination.", c.Env)
	}
	p.Form, p.Settings = f, settings[f.ID]
	return p, nil
}

func (h *Destinations) showForm(c *Ctx, status int, p views.DestinationFormParams) error {
	title := "New destination"
	if p.Replaces != "" {
		title = "Change a destination"
	}
	p.Page = c.Page(title)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: title}}
	if p.Form.ID != "" {
		var err error
		if p.Books, err = h.booksFor(c, probe(p.Form)); err != nil {
			return err
		}
		p.Lookups = h.lookups(c, p.Form)
	}
	g, err := h.Store.DestinationGuard(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p.Guard, p.Clock = g, c.Clock()
	return c.RenderStatus(status, views.DestinationForm(p))
}

// probe is a destination of a form before anything is typed, to learn in which books it could stand.
func probe(f providers.DestinationForm) *models.Destination {
	d := &models.Destination{Kind: f.Kind, Form: f.ID, Provider: f.Provider, Method: f.Method, Book: f.Book, EntryField: f.EntryField}
	if f.EntryField != "" {
		d.Method = ""
	}
	return d
}

// lookups asks a provider for the choices of fields that name a look-up; one that does not answer leaves the field to be typed.
func (h *Destinations) lookups(c *Ctx, f providers.DestinationForm) map[string][]ui.Option {
	out := map[string][]ui.Option{}
	if h.Ask == nil || !slices.ContainsFunc(f.Fields, func(x providers.Field) bool { return x.Lookup != "" }) {
		return out
	}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return out
	}
	i := slices.IndexFunc(names, func(n store.CredentialName) bool {
		return n.Provider == f.Provider && n.State == string(models.CredentialActive)
	})
	if i < 0 {
		return out
	}
	ctx, cancel := context.WithTimeout(c.Context(), 8*time.Second)
	defer cancel()
	for _, x := range f.Fields {
		if x.Lookup == "" {
			continue
		}
		sheet, err := h.Ask.LookUp(ctx, names[i].ID, x.Lookup, nil)
		if err != nil {
			continue
		}
		for _, row := range sheet.Rows {
			if len(row) >= 2 && len(out[x.Name]) < 500 {
				out[x.Name] = append(out[x.Name], ui.Option{Value: row[0], Label: strings.Join(row[1:min(len(row), 4)], ", ")})
			}
		}
	}
	return out
}

// edit shows the form filled in. What is saved is a new destination that takes the place of this one.
func (h *Destinations) edit(c *Ctx) error {
	page, err := h.Store.Destination(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	d := &page.Destination
	p, err := h.begin(c, d.Form, d.ID)
	if err != nil {
		return err
	}
	p.Name, p.Purpose, p.Notes = d.Name, d.Purpose, d.Notes
	for k, v := range d.Values {
		p.Values[k] = v
	}
	if d.Form == providers.OnChain {
		p.Values["owner"] = d.Owner
	}
	return h.showForm(c, fiber.StatusOK, p)
}

// create checks what was typed and writes the destination down.
func (h *Destinations) create(c *Ctx) error {
	p, err := h.begin(c, c.Form("form"), c.Form("replaces"))
	if err != nil {
		return err
	}
	if p.Form.ID == "" {
		return models.Errorf(models.Invalid, "Choose a kind of destination first.")
	}
	p.Name, p.Purpose, p.Notes = c.Form("name"), c.Form("purpose"), c.Form("notes")
	for _, f := range p.Form.Fields {
		if v := c.Form("v." + f.Name); v != "" {
			p.Values[f.Name] = v
		}
	}
	token := c.Form("token")
	clean, problems := p.Form.Check(p.Settings, p.Values)
	for _, x := range problems {
		field := x.Field
		if slices.ContainsFunc(p.Form.Fields, func(f providers.Field) bool { return f.Name == field }) {
			field = "v." + field
		}
		p.Errors = append(p.Errors, ui.FieldError{Field: field, Message: x.Sentence})
	}
	if !validID(token) {
		p.Errors = append(p.Errors, ui.FieldError{Message: "This form is incomplete. Open it again."})
	}
	if len(p.Errors) > 0 {
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	n := store.NewDestination{ID: token, Environment: c.Env, Spec: p.Form.Spec(clean), Name: p.Name, Purpose: p.Purpose, Notes: p.Notes, Replaces: p.Replaces}
	if n.Register, err = h.register4(c, n.Spec, c.FormList("register")); err != nil {
		return err
	}
	d, err := h.Store.CreateDestination(c.Context(), c.Actor, n)
	if list, ok := Problems(err); ok {
		p.Errors = list
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return c.Refused(views.DestinationsPath, err)
	}
	return c.Done(views.DestinationPath(d.ID), "Added. A second person must agree before anything can be paid to it.")
}

// register4 keeps the ticked credentials that really keep a book for such a destination.
func (h *Destinations) register4(c *Ctx, x models.DestinationSpec, ticked []string) ([]store.RegisterAt, error) {
	d := specProbe(x)
	books, err := h.booksFor(c, d)
	if err != nil {
		return nil, err
	}
	var out []store.RegisterAt
	for _, b := range books {
		if slices.Contains(ticked, b.CredentialID) || ticked == nil {
			out = append(out, store.RegisterAt{CredentialID: b.CredentialID, Provider: b.Provider, Book: b.Book})
		}
	}
	return out, nil
}

func specProbe(x models.DestinationSpec) *models.Destination {
	d := &models.Destination{Kind: x.Kind, Form: x.Form, Provider: x.Provider, Method: x.Method, Book: x.Book, EntryField: x.EntryField, Network: x.Network}
	if d.EntryField != "" {
		d.Method = ""
	}
	return d
}
