package handlers

import (
	"net/url"

	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Exchanges are the recorded requests to providers and their answers.
type Exchanges struct{ *Credentials }

// Routes lists them.
func (h *Exchanges) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/credentials/:id/exchanges", Name: "exchanges.credential", Permission: models.ExchangesRead, Section: "providers", Handle: h.ofCredential},
		{Method: "GET", Path: "/exchanges", Name: "exchanges.subject", Permission: models.ExchangesRead, Section: "transactions", Handle: h.ofSubject},
		{Method: "GET", Path: "/exchanges/:id", Name: "exchanges.show", Permission: models.ExchangesRead, Section: "providers", Handle: h.show},
	}
}

const exchangePage = 50

func (h *Exchanges) ofCredential(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	s := views.ExchangesParams{C: &cred, D: &p.Description, OnlyFailed: c.Query("failed") == "1", Here: views.CredentialPath(cred.ID, "exchanges")}
	filter := url.Values{}
	if s.OnlyFailed {
		filter.Set("failed", "1")
	}
	return h.render(c, h.crumbs(c.Page("Exchanges of "+cred.Name), cred, "Exchanges"), s, models.ExchangeFilter{CredentialID: cred.ID, OnlyFailed: s.OnlyFailed}, filter)
}

func (h *Exchanges) ofSubject(c *Ctx) error {
	s := views.ExchangesParams{Subject: c.Query("subject"), SubjectID: c.Query("id"), Here: "/exchanges"}
	return h.render(c, c.Page("Exchanges"), s, models.ExchangeFilter{SubjectKind: s.Subject, SubjectID: s.SubjectID}, url.Values{"subject": {s.Subject}, "id": {s.SubjectID}})
}

// render reads one line more than a page, so that it knows whether there are older ones.
func (h *Exchanges) render(c *Ctx, page views.Page, s views.ExchangesParams, f models.ExchangeFilter, keep url.Values) (err error) {
	f.Environment, f.Before, f.Limit = c.Env, c.Query("before"), exchangePage+1
	if s.List, err = h.Store.Exchanges(c.Context(), c.Actor, f); err != nil {
		return err
	}
	at := func(before string) string {
		if before != "" {
			keep.Set("before", before)
		} else {
			keep.Del("before")
		}
		if q := keep.Encode(); q != "" {
			return s.Here + "?" + q
		}
		return s.Here
	}
	if len(s.List) > exchangePage {
		s.List = s.List[:exchangePage]
		s.Older = at(s.List[exchangePage-1].ID)
	}
	if f.Before != "" {
		s.Newest = at("")
	}
	s.Me, s.Clock = c.Actor, c.clock()
	return c.Render(views.Exchanges(page, s))
}

func (h *Exchanges) show(c *Ctx) error {
	x, err := h.Store.Exchange(c.Context(), c.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	if x.Environment != c.Env {
		return models.Errorf(models.NotFound, "This exchange belongs to %s. Switch the environment to see it.", x.Environment)
	}
	cred, err := h.Store.Credential(c.Context(), c.Actor, x.CredentialID)
	if err != nil && !models.Is(err, models.NotFound) {
		return err
	}
	page := c.Page("Exchange " + x.Operation)
	page.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: "Exchanges", Href: views.CredentialPath(x.CredentialID, "exchanges")}, {Label: x.Operation}}
	return c.Render(views.Exchange(page, views.ExchangeParams{X: x, Credential: cred, Clock: c.clock()}))
}
