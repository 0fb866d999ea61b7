package handlers

import (
	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
)

// Allowlist is the page of the console's address rules.
type Allowlist struct{ Store *store.Store }

// Routes lists them.
func (h *Allowlist) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/allowlist", Name: "allowlist", AnyOf: []models.Permission{models.AllowlistManage, models.PeopleRead}, Section: "settings", Handle: h.list},
		{Method: "POST", Path: "/allowlist", Name: "allowlist.add", Permission: models.AllowlistManage, StepUp: true, Section: "settings", Handle: h.add},
		{Method: "POST", Path: "/allowlist/:id/remove", Name: "allowlist.remove", Permission: models.AllowlistManage, StepUp: true, Handle: h.remove},
	}
}

func (h *Allowlist) list(c *Ctx) error {
	return h.render(c, fiber.StatusOK, views.AllowlistParams{})
}

func (h *Allowlist) render(c *Ctx, status int, p views.AllowlistParams) (err error) {
	if p.Rules, err = h.Store.IPRules(c.Context(), c.Actor, models.ScopeConsole); err != nil {
		return err
	}
	p.Me, p.Clock = c.Actor, c.Clock()
	return c.RenderStatus(status, views.Allowlist(c.Page("Address rules"), p))
}

func (h *Allowlist) add(c *Ctx) error {
	form := views.AllowlistParams{Role: cutText(c.Form("role"), 20), CIDR: cutText(c.Form("cidr"), 60), Note: cutText(c.Form("note"), 200)}
	pending, err := h.Store.AddConsoleRule(c.Context(), c.Actor, models.Role(form.Role), form.CIDR, form.Note)
	if errs, ok := Problems(err); ok {
		form.Errors = errs
		return h.render(c, fiber.StatusUnprocessableEntity, form)
	}
	return h.done(c, pending, "The rule is in force.", err)
}

func (h *Allowlist) remove(c *Ctx) error {
	pending, err := h.Store.RemoveConsoleRule(c.Context(), c.Actor, c.Param("id"))
	if err != nil {
		return c.Refused("/allowlist", err)
	}
	return h.done(c, pending, "The rule is gone.", nil)
}

func (h *Allowlist) done(c *Ctx, pending bool, sentence string, err error) error {
	if err != nil {
		return err
	}
	if pending {
		sentence = "This waits until another admin agrees; see People."
	}
	return c.Done("/allowlist", sentence)
}
