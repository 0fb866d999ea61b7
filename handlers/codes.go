package handlers

import (
	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// codesPage is how many codes one page of the list shows.
const codesPage = 200

// codes lists what an order delivered, masked.
func (h *Transactions) codes(c *Ctx) error {
	after, ok := Number(c.Query("after"))
	if !ok || after < 0 || after > 1<<30 {
		after = 0
	}
	t, list, err := h.Store.Codes(c.Context(), c.Actor, c.Env, c.Param("id"), int(after), codesPage+1)
	if err != nil {
		return err
	}
	p := views.CodesParams{Transaction: t, CanReveal: c.Actor.Can(models.CodesReveal), Zone: c.Zone, Now: c.Now}
	if len(list) > codesPage {
		list = list[:codesPage]
		p.More = list[codesPage-1].Position
	}
	p.List = list
	p.Page = h.codesHead(c, t, "Codes of "+t.Reference)
	return c.Render(views.Codes(p))
}

func (h *Transactions) codesHead(c *Ctx, t *models.Transaction, title string) views.Page {
	p := c.Page(title)
	p.Breadcrumbs = []ui.Crumb{{Label: "Transactions", Href: "/transactions"}, {Label: "Orders", Href: "/orders"}, {Label: t.Reference, Href: "/transactions/" + t.ID},
		{Label: "Codes", Href: "/transactions/" + t.ID + "/codes"}}
	return p
}

// code asks for the reason before one code is revealed.
func (h *Transactions) code(c *Ctx) error {
	return h.askForReason(c, fiber.StatusOK, nil)
}

func (h *Transactions) askForReason(c *Ctx, status int, problems []ui.FieldError) error {
	t, x, err := h.Store.Code(c.Context(), c.Actor, c.Env, c.Param("id"), c.Param("code"))
	if err != nil {
		return err
	}
	p := views.RevealParams{Transaction: t, Code: x, Errors: problems, Zone: c.Zone, Now: c.Now, Page: h.codesHead(c, t, "Reveal a code")}
	return c.RenderStatus(status, views.RevealCode(p))
}

// reveal shows one code, once: the answer is kept by nobody, and asking again is another entry in the audit trail.
func (h *Transactions) reveal(c *Ctx) error {
	x, value, err := h.Store.RevealCode(c.Context(), c.Actor, c.Env, c.Param("id"), c.Param("code"), c.Form("reason"))
	if problems, ok := Problems(err); ok {
		return h.askForReason(c, fiber.StatusUnprocessableEntity, problems)
	}
	if err != nil {
		return err
	}
	t, _, err := h.Store.Code(c.Context(), c.Actor, c.Env, c.Param("id"), c.Param("code"))
	if err != nil {
		return err
	}
	c.Fiber.Set(fiber.HeaderCacheControl, "no-store")
	return c.Render(views.RevealCode(views.RevealParams{Transaction: t, Code: x, Value: &value, Zone: c.Zone, Now: c.Now, Page: h.codesHead(c, t, "A revealed code")}))
}
