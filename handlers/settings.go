package handlers

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Settings is one's own page: sessions, password, second factor, looks, environment.
type Settings struct {
	Store    *store.Store
	Passkeys models.PasskeySite
}

// Routes lists them.
func (h *Settings) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/settings", Name: "settings", Access: SignedIn, Section: "settings", Handle: h.page},
		{Method: "GET", Path: "/settings/sessions", Name: "settings.sessions", Access: SignedIn, Section: "settings", Handle: h.page},
		{Method: "POST", Path: "/settings/sessions/end-others", Name: "settings.end-others", Access: SignedIn, Handle: h.endOthers},
		{Method: "POST", Path: "/settings/sessions/:session/end", Name: "settings.end-session", Access: SignedIn, Handle: h.endSession},
		{Method: "POST", Path: "/settings/password", Name: "settings.password", Access: SignedIn, StepUp: true, Section: "settings", Handle: h.password},
		{Method: "POST", Path: "/settings/recovery-codes", Name: "settings.recovery-codes", Access: SignedIn, StepUp: true, Handle: h.recoveryCodes},
		{Method: "GET", Path: "/settings/second-factor", Name: "settings.second-factor", Access: SignedIn, StepUp: true, Handle: func(c *Ctx) error { return c.Redirect("/enrol") }},
		{Method: "POST", Path: "/environment", Name: "environment", Access: SignedIn, Handle: h.environment},
		{Method: "POST", Path: "/preferences", Name: "preferences", Access: SignedIn, Handle: h.preferences},
	}
}

func (h *Settings) page(c *Ctx) error { return h.render(c, fiber.StatusOK, nil) }

func (h *Settings) render(c *Ctx, status int, errs []ui.FieldError) error {
	return h.draw(c, status, views.SettingsParams{Errors: errs})
}

// renderPasskeys draws the page again after a passkey was not registered.
func (h *Settings) renderPasskeys(c *Ctx, name string, errs []ui.FieldError) error {
	return h.draw(c, fiber.StatusUnprocessableEntity, views.SettingsParams{PasskeyName: name, PasskeyErrors: errs})
}

func (h *Settings) draw(c *Ctx, status int, p views.SettingsParams) error {
	u, sessions, history, err := h.Store.Person(c.Context(), c.Actor, c.Actor.UserID)
	if err != nil {
		return err
	}
	if p.Passkeys, err = h.Store.Passkeys(c.Context(), c.Actor, c.Actor.UserID); err != nil {
		return err
	}
	p.User, p.Sessions, p.History, p.Me, p.Clock, p.Zone, p.Site = u, sessions, history, c.Actor, c.Clock(), c.Zone.String(), h.Passkeys
	return c.RenderStatus(status, views.Settings(c.Page("Settings"), p))
}

func (h *Settings) endOthers(c *Ctx) error {
	if err := h.Store.EndSessions(c.Context(), c.Actor, c.Actor.UserID); err != nil {
		return err
	}
	return c.Done("/settings", "All your other sessions have ended.")
}

func (h *Settings) endSession(c *Ctx) error {
	if err := h.Store.EndSession(c.Context(), c.Actor, c.Param("session")); err != nil {
		return err
	}
	return c.Done("/settings", "The session has ended.")
}

func (h *Settings) password(c *Ctx) error {
	err := h.Store.ChangePassword(c.Context(), c.Actor, c.FormRaw("old"), c.FormRaw("password"))
	if errs, ok := Problems(err); ok {
		return h.render(c, fiber.StatusUnprocessableEntity, errs)
	}
	if err != nil {
		return err
	}
	return c.Done("/settings", "Your new password is set; your other sessions have ended.")
}

func (h *Settings) recoveryCodes(c *Ctx) error {
	codes, err := h.Store.RenewRecoveryCodes(c.Context(), c.Actor)
	if err != nil {
		return err
	}
	return c.Render(views.RecoveryCodes(c.Page("Recovery codes"), views.RecoveryCodesParams{Codes: codes, Next: "/settings"}))
}

func (h *Settings) environment(c *Ctx) error {
	if err := h.Store.SwitchEnvironment(c.Context(), c.Actor, models.Environment(c.Form("environment"))); err != nil {
		return err
	}
	return c.Redirect("/")
}

// preferences keeps looks in cookies; what is not on the lists is refused.
func (h *Settings) preferences(c *Ctx) error {
	lists := []struct {
		field, cookie string
		values        []string
	}{{"theme", "ch_theme", []string{"auto", "light", "dark"}}, {"density", "ch_density", []string{"comfortable", "compact"}}}
	for _, l := range lists {
		v := c.Form(l.field)
		if v == "" {
			continue
		}
		if !slices.Contains(l.values, v) {
			return models.FieldErrorf(l.field, "There is no such choice.")
		}
		setCookie(c, l.cookie, v)
	}
	if z := c.Form("zone"); z != "" {
		if _, err := time.LoadLocation(z); err != nil || z == "Local" || len(z) > 60 {
			return h.render(c, fiber.StatusUnprocessableEntity, []ui.FieldError{{Field: "zone", Message: "There is no time zone of this name. Write it as in America/Sao_Paulo."}})
		}
		setCookie(c, "ch_zone", z)
	}
	return c.Redirect(LocalPath(c.Form("back"), "/settings"))
}
