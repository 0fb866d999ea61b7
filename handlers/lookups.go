package handlers

import (
	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Lookups are the harmless questions to a provider.
type Lookups struct{ *Credentials }

// Routes lists them. A question is asked with POST, because it makes us call somebody: no link on a foreign page shall do that.
func (h *Lookups) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/credentials/:id/lookups", Name: "lookups.list", Permission: models.CredentialsRead, Section: "providers", Handle: h.show},
		{Method: "GET", Path: "/credentials/:id/lookups/:read", Name: "lookups.form", Permission: models.CredentialsRead, Section: "providers", Handle: h.show},
		{Method: "POST", Path: "/credentials/:id/lookups/:read", Name: "lookups.ask", Permission: models.CredentialsRead, Section: "providers", Timeout: askingTime, Handle: h.ask},
	}
}

func (h *Lookups) params(c *Ctx) (views.LookupsParams, error) {
	cred, p, err := h.credential(c)
	if err != nil {
		return views.LookupsParams{}, err
	}
	s := views.LookupsParams{C: cred, D: &p.Description, Me: c.Actor, Params: map[string]string{}}
	if cred.State == models.CredentialDraft || cred.State == models.CredentialRevoked {
		s.Reason = "the credential is " + string(cred.State)
	}
	id := c.Param("read")
	if id == "" {
		return s, nil
	}
	for i, r := range p.Description.Reads {
		if r.ID == id {
			s.Read = &p.Description.Reads[i]
			for _, f := range r.Params {
				s.Params[f.Name] = f.Default
			}
			return s, nil
		}
	}
	return s, models.Errorf(models.NotFound, "%s has no such look-up.", p.Description.Title)
}

func (h *Lookups) show(c *Ctx) error {
	s, err := h.params(c)
	if err != nil {
		return err
	}
	return h.render(c, 200, s)
}

func (h *Lookups) render(c *Ctx, status int, s views.LookupsParams) error {
	return c.RenderStatus(status, views.Lookups(h.crumbs(c.Page("Look-ups of "+s.C.Name), s.C, "Look-ups"), s))
}

func (h *Lookups) ask(c *Ctx) error {
	s, err := h.params(c)
	if err != nil {
		return err
	}
	for _, f := range s.Read.Params {
		s.Params[f.Name] = c.Form(views.FormField(f.Name))
	}
	if s.Errors = lookupErrors(providers.CheckFields(s.Read.Params, s.Params)); len(s.Errors) > 0 {
		return h.render(c, 422, s)
	}
	sheet, err := h.Desk.LookUp(c.Context(), s.C.ID, s.Read.ID, s.Params)
	switch models.CodeOf(err) {
	case models.Invalid, models.Conflict, models.Unavailable, models.NotFound, models.Throttled:
		s.Errors = []ui.FieldError{{Message: sentence(err)}}
		return h.render(c, 422, s)
	}
	if err != nil {
		return err
	}
	s.Sheet = &sheet
	return h.render(c, 200, s)
}

func lookupErrors(ps []models.Problem) []ui.FieldError {
	var out []ui.FieldError
	for _, p := range ps {
		out = append(out, ui.FieldError{Field: views.FormField(p.Field), Message: p.Sentence})
	}
	return out
}
