package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// guard shows what every new destination must pass, and which credentials may pay what is no destination.
func (h *Destinations) guard(c *Ctx) error { return h.renderGuard(c, fiber.StatusOK, nil) }

func (h *Destinations) renderGuard(c *Ctx, status int, errs []ui.FieldError) error {
	g, err := h.Store.DestinationGuard(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p := views.GuardParams{Guard: g, Env: c.Env, Me: c.Actor, Clock: c.Clock(), Errors: errs, Typed: c.Form("hours"), Reason: c.Form("reason")}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	for _, n := range names {
		if n.State == string(models.CredentialRevoked) {
			continue
		}
		yes, err := h.Store.RawAllowed(c.Context(), c.Actor, n.ID, c.Env)
		if err != nil {
			return err
		}
		p.Raw = append(p.Raw, views.RawChoice{ID: n.ID, Name: n.Name, Provider: n.Provider, Allowed: yes})
	}
	if c.Actor.Can(models.ChangesApprove) || c.Actor.Can(models.PeopleRead) {
		all, err := h.Store.PendingChanges(c.Context(), c.Actor)
		if err != nil {
			return err
		}
		for _, x := range all {
			if views.GuardChange(x) {
				p.Changes = append(p.Changes, x)
			}
		}
	}
	p.Page = c.Page("Guard of destinations")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: "Guard"}}
	return c.RenderStatus(status, views.DestinationGuard(p))
}

func (h *Destinations) guardOff(c *Ctx) error {
	err := h.Store.AskGuardOff(c.Context(), c.Actor, c.Env, c.Form("reason"))
	if list, ok := Problems(err); ok {
		return h.renderGuard(c, fiber.StatusUnprocessableEntity, list)
	}
	if err != nil {
		return c.Refused(views.GuardPath, err)
	}
	return c.Done(views.GuardPath, "Asked for. Another admin must agree, and then 48 hours must pass.")
}

func (h *Destinations) guardOn(c *Ctx) error {
	if err := h.Store.SwitchGuardOn(c.Context(), c.Actor, c.Env); err != nil {
		return c.Refused(views.GuardPath, err)
	}
	return c.Done(views.GuardPath, "The waiting time is on.")
}

func (h *Destinations) guardWait(c *Ctx) error {
	n, err := strconv.ParseUint(c.Form("hours"), 10, 12)
	var applied bool
	if err != nil {
		err = models.FieldErrorf("hours", "Write a whole number of hours, for example 24.")
	} else {
		applied, err = h.Store.AskDestinationWait(c.Context(), c.Actor, c.Env, time.Duration(n)*time.Hour) //nolint:gosec // twelve bits
	}
	if list, ok := Problems(err); ok {
		return h.renderGuard(c, fiber.StatusUnprocessableEntity, list)
	}
	if err != nil {
		return c.Refused(views.GuardPath, err)
	}
	if applied {
		return c.Done(views.GuardPath, "The waiting time is changed.")
	}
	return c.Done(views.GuardPath, "Asked for. Another admin must agree.")
}

func (h *Destinations) guardRaw(c *Ctx) error {
	yes := c.Form("allow") == "1"
	pending, err := h.Store.SetRawPayouts(c.Context(), c.Actor, c.Form("credential"), yes)
	if err != nil {
		return c.Refused(views.GuardPath, err)
	}
	if pending {
		return c.Done(views.GuardPath, "Asked for. Another admin must agree.")
	}
	return c.Done(views.GuardPath, "Changed.")
}
