package handlers

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// books shows where the providers' books and ours differ.
func (h *Destinations) books(c *Ctx) error {
	b, err := h.Store.Books(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p := views.BooksParams{Strange: b.Strange, Entries: b.Entries, Names: b.Names, Ignored: b.Ignored, Reads: b.Reads, Me: c.Actor, Clock: c.Clock(), Providers: providerOptions(h.Providers)}
	for _, d := range b.Drift {
		x := views.BookDrift{Entry: d.Entry, Line: d.Line, Destination: d.Ours}
		if prov, ok := h.Providers.Get(d.Entry.Provider); ok && d.Line.Values != nil {
			x.Differences = prov.Description.Drift(d.Entry.Book, prov.Description.BookValues(d.Entry.Book, &d.Ours), d.Line.Values)
		}
		p.Drift = append(p.Drift, x)
	}
	if p.Keepers, err = h.keepers(c); err != nil {
		return err
	}
	p.Page = c.Page("Books of the providers")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: "Books"}}
	return c.Render(views.Books(p))
}

// keepers are the active credentials whose provider keeps a book.
func (h *Destinations) keepers(c *Ctx) (out []views.BookChoice, err error) {
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		prov, ok := h.Providers.Get(n.Provider)
		if ok && n.State == string(models.CredentialActive) && len(prov.Description.Books()) > 0 {
			out = append(out, views.BookChoice{CredentialID: n.ID, Name: n.Name, Provider: n.Provider, Short: prov.Description.Short})
		}
	}
	return out, nil
}

// readBooks reads the books now. Only the list is asked for: nothing is written at the provider.
func (h *Destinations) readBooks(c *Ctx) error {
	if h.Books == nil {
		return c.Refused(views.BooksPath, models.Errorf(models.Conflict, "Providers cannot be asked here."))
	}
	list, err := h.keepers(c)
	if err != nil {
		return err
	}
	var bad []string
	for _, k := range list {
		if err := h.Books.ReadBooks(c.Context(), k.CredentialID); err != nil {
			bad = append(bad, k.Name)
		}
	}
	if len(bad) > 0 {
		return c.Refused(views.BooksPath, models.Errorf(models.Conflict, "Not read: %s.", strings.Join(bad, ", ")))
	}
	return c.Done(views.BooksPath, "The books were read.")
}

// bookLine shows a line of a provider's book in full, with the form to take it over.
func (h *Destinations) bookLine(c *Ctx) error { return h.renderLine(c, fiber.StatusOK, nil) }

func (h *Destinations) renderLine(c *Ctx, status int, errs []ui.FieldError) error {
	l, err := h.Store.BookLine(c.Context(), c.Actor, c.Env, c.Param("line"))
	if err != nil {
		return err
	}
	p := views.BookLineParams{Line: l, Token: models.NewID(), Errors: errs, Name: c.Form("name"), Purpose: c.Form("purpose"), Note: c.Form("note"), Clock: c.Clock()}
	if p.Name == "" {
		p.Name = l.Owner
	}
	p.Page = c.Page("A line of " + l.Credential)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: "Books", Href: views.BooksPath}, {Label: l.Masked}}
	return c.RenderStatus(status, views.BookLine(p))
}

// adopt makes a destination of a line. Its values are theirs and are checked like any other.
func (h *Destinations) adopt(c *Ctx) error {
	l, err := h.Store.BookLine(c.Context(), c.Actor, c.Env, c.Param("line"))
	if err != nil {
		return err
	}
	prov, ok := h.Providers.Get(l.Provider)
	if !ok || !validID(c.Form("token")) {
		return c.Refused(views.BooksPath, models.Errorf(models.Conflict, "This form is incomplete. Open it again."))
	}
	with, err := h.settings(c, l.CredentialID)
	if err != nil {
		return err
	}
	form, _ := prov.Description.EntryForm(c.Env, with, l.Book)
	values := map[string]string{}
	for _, f := range form.Fields {
		if v := l.Values[f.Name]; v != "" {
			values[f.Name] = v
		}
	}
	if slices.ContainsFunc(form.Fields, func(f providers.Field) bool { return f.Role == providers.RoleOwner && values[f.Name] == "" }) {
		for _, f := range form.Fields {
			if f.Role == providers.RoleOwner {
				values[f.Name] = c.Form("name")
			}
		}
	}
	clean, problems := form.Check(with, values)
	if len(problems) > 0 {
		var errs []ui.FieldError
		for _, x := range problems {
			errs = append(errs, ui.FieldError{Message: "It cannot be taken over as it stands there: " + x.Sentence})
		}
		return h.renderLine(c, fiber.StatusUnprocessableEntity, errs)
	}
	d, err := h.Store.AdoptLine(c.Context(), c.Actor, c.Env, l.ID, store.NewDestination{ID: c.Form("token"), Spec: form.Spec(clean), Name: c.Form("name"), Purpose: c.Form("purpose")})
	if list, ok := Problems(err); ok {
		return h.renderLine(c, fiber.StatusUnprocessableEntity, list)
	}
	if err != nil {
		return c.Refused(views.BooksPath, err)
	}
	return c.Done(views.DestinationPath(d.ID), "Taken over. A second person must agree before anything can be paid to it.")
}

func (h *Destinations) ignore(c *Ctx) error {
	err := h.Store.IgnoreLine(c.Context(), c.Actor, c.Env, c.Param("line"), c.Form("note"))
	if list, ok := Problems(err); ok {
		return h.renderLine(c, fiber.StatusUnprocessableEntity, list)
	}
	if err != nil {
		return c.Refused(views.BooksPath, err)
	}
	return c.Done(views.BooksPath, "Left alone. It comes back when it changes.")
}

// push asks for the other side of a difference to be changed to ours.
func (h *Destinations) push(c *Ctx) error {
	if err := h.Store.PushDestination(c.Context(), c.Actor, c.Env, c.Param("entry")); err != nil {
		return c.Refused(views.BooksPath, err)
	}
	return c.Done(views.BooksPath, "It is being changed there.")
}
