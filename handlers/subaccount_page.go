package handlers

import (
	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

func (h *SubAccounts) page(c *Ctx) (views.SubAccountParams, error) {
	a, err := h.Store.SubAccount(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return views.SubAccountParams{}, err
	}
	d := describe(h.Providers, a.Provider)
	p := views.SubAccountParams{A: a, D: d, Asked: d.Has(providers.CanOpenSubAccounts), Me: c.Actor, Clock: c.Clock(), Working: c.Working.ID == a.ID}
	if c.Actor.Can(models.KYBRead) {
		held, found, err := h.Store.KYBOfAccount(c.Context(), c.Actor, c.Env, a.ID)
		if err != nil {
			return p, err
		}
		if found {
			p.Case = &held
		}
	}
	if a.State.Usable() && c.Actor.Can(models.TransactionsRead) {
		f := models.Filter{Environment: c.Env, SubAccount: a.ID, Zone: c.Zone}
		list, err := h.Store.List(c.Context(), c.Actor, f, models.Cursor{}, 8)
		if err != nil {
			return p, err
		}
		totals, err := h.Store.Totals(c.Context(), c.Actor, f)
		if err != nil {
			return p, err
		}
		p.Transactions = views.TransactionsParams{Base: "/transactions", Filter: f, Rows: list.Rows, Count: totals.Count, Bounded: totals.Bounded, In: totals.In, Out: totals.Out,
			Providers: providerOptions(h.Providers), Zone: c.Zone, Now: c.Now}
	}
	return p, nil
}

func (h *SubAccounts) show(c *Ctx) error {
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return h.showPage(c, fiber.StatusOK, p)
}

func (h *SubAccounts) showPage(c *Ctx, status int, p views.SubAccountParams) error {
	p.Page = h.crumbs(c.Page(p.A.Company), ui.Crumb{Label: p.A.Name})
	return c.RenderStatus(status, views.SubAccount(p))
}

// live is the part that changes by itself while something is on its way.
func (h *SubAccounts) live(c *Ctx) error {
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return c.Render(views.SubAccountLive(p))
}

// keys asks the provider for the API keys below the account, now. It is a POST, because it makes us call somebody; nothing is kept.
func (h *SubAccounts) keys(c *Ctx) error {
	p, err := h.page(c)
	if err != nil {
		return err
	}
	switch {
	case p.A.TheirID == "" || !p.Asked || h.Ask == nil:
		return models.Errorf(models.Conflict, "There is no account at the provider whose keys could be listed.")
	}
	sheet, err := h.Ask.SubAccountKeys(c.Context(), p.A.CredentialID, p.A.TheirID)
	if err != nil {
		switch models.CodeOf(err) {
		case models.Invalid, models.Conflict, models.Unavailable, models.NotFound, models.Throttled:
			p.KeysWhy = sentence(err)
			return h.showPage(c, fiber.StatusUnprocessableEntity, p)
		}
		return err
	}
	p.Keys = &sheet
	return h.showPage(c, fiber.StatusOK, p)
}

// act is the frame of what compliance does on the page of one sub-account.
func (h *SubAccounts) act(c *Ctx, err error, sentence string) error {
	here := views.SubAccountPath(c.Param("id"))
	if err != nil {
		return c.Refused(here, err)
	}
	return c.Done(here, sentence)
}

func (h *SubAccounts) adopt(c *Ctx) error {
	into := c.Form("into")
	if err := h.Store.AdoptSubAccount(c.Context(), c.Actor, c.Env, c.Param("id"), into, c.Form("reason")); err != nil || into == "" {
		return h.act(c, err, "It is taken over. Nothing was sent to the provider.")
	}
	return c.Done(views.SubAccountPath(into), "It is that one. The provider's id now stands here.")
}

func (h *SubAccounts) ignore(c *Ctx) error {
	return h.act(c, h.Store.IgnoreSubAccount(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("reason")), "It is left alone. It can still be taken over later.")
}

func (h *SubAccounts) withdraw(c *Ctx) error {
	return h.act(c, h.Store.WithdrawSubAccount(c.Context(), c.Actor, c.Env, c.Param("id")), "Called off. Nothing was sent.")
}

func (h *SubAccounts) rename(c *Ctx) error {
	return h.act(c, h.Store.RenameSubAccount(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("name")), "The short name is changed.")
}

func (h *SubAccounts) note(c *Ctx) error {
	return h.act(c, h.Store.NoteSubAccount(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("note")), "The note was added.")
}

func (h *SubAccounts) resend(c *Ctx) error {
	pending, err := h.Store.ResendSubAccount(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("reason"))
	if pending {
		return h.act(c, err, "An admin must agree now. The request stands on their page of people.")
	}
	return h.act(c, err, "It is sent again: there is no admin who could agree.")
}
