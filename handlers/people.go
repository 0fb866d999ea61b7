package handlers

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// People is the pages about the merchant's staff.
type People struct{ Store *store.Store }

// Routes lists them.
func (h *People) Routes() []Route {
	manage := func(path, name string, handle func(*Ctx) error) Route {
		return Route{Method: "POST", Path: path, Name: name, Permission: models.PeopleManage, StepUp: true, Section: "settings", Handle: handle}
	}
	return []Route{
		{Method: "GET", Path: "/people", Name: "people", Permission: models.PeopleRead, Section: "settings", Handle: h.list},
		{Method: "GET", Path: "/people/:id", Name: "person", Permission: models.PeopleRead, Section: "settings", Handle: h.person},
		manage("/people", "people.invite", h.invite),
		manage("/people/:id/roles", "people.roles", h.roles),
		manage("/people/:id/suspend", "people.suspend", h.act("Suspended.", (*store.Store).Suspend)),
		manage("/people/:id/resume", "people.resume", h.act("Let in again.", (*store.Store).Resume)),
		manage("/people/:id/end-sessions", "people.end-sessions", h.act("All sessions have ended.", (*store.Store).EndSessions)),
		manage("/people/:id/sessions/:session/end", "people.end-session", h.endSession),
		manage("/people/:id/invite", "people.invite-again", h.link("invitation", (*store.Store).NewInvitation)),
		manage("/people/:id/password", "people.reset-password", h.link("new-password", (*store.Store).ResetPassword)),
		manage("/people/:id/factor", "people.reset-factor", h.link("new-second-factor", (*store.Store).ResetFactor)),
		{Method: "POST", Path: "/people/changes/:change/approve", Name: "people.change-approve", Permission: models.ChangesApprove, StepUp: true, Handle: h.approve},
		{Method: "POST", Path: "/people/changes/:change/reject", Name: "people.change-reject", Permission: models.ChangesApprove, StepUp: true, Handle: h.reject},
	}
}

func (h *People) list(c *Ctx) error { return h.renderList(c, fiber.StatusOK, views.InviteParams{}) }

func (h *People) renderList(c *Ctx, status int, invite views.InviteParams) error {
	people, err := h.Store.People(c.Context(), c.Actor)
	if err != nil {
		return err
	}
	changes, err := h.Store.PendingChanges(c.Context(), c.Actor)
	if err != nil {
		return err
	}
	return c.RenderStatus(status, views.People(c.Page("People"), views.PeopleParams{People: people, Changes: changes, Me: c.Actor, Clock: c.Clock(), Invite: invite}))
}

// Clock is how a page shows times.
func (c *Ctx) Clock() views.Clock { return views.Clock{Zone: c.Zone, Now: c.Now} }

func formRoles(c *Ctx) (roles []models.Role) {
	for _, r := range c.FormList("roles") {
		roles = append(roles, models.Role(r))
	}
	return roles
}

// linkTexts says what a one-time link is for, by the path that it opens.
var linkTexts = map[string]views.LinkMadeParams{
	"invitation":        {Title: "Invitation", Text: "With this link they choose a password and set up a second factor. It works for three days."},
	"new-password":      {Title: "Link for a new password", Text: "With this link they choose another password; their second factor stays and must be shown with it. It works for a day. Their sessions have ended."},
	"new-second-factor": {Title: "Link for a new second factor", Text: "With this link and their password they set up another second factor. It works for a day. The old one and the recovery codes do not work any more."},
}

func (h *People) linkMade(c *Ctx, path, token, note, back string) error {
	p := linkTexts[path]
	p.Link, p.Note, p.Back = c.Shell.Base+"/"+path+"/"+token, note, back
	return c.Render(views.LinkMade(c.Page(p.Title), p))
}

func (h *People) invite(c *Ctx) error {
	form := views.InviteParams{Email: cutText(c.Form("email"), 254), Name: cutText(c.Form("name"), 100), Roles: formRoles(c)}
	u, token, pending, err := h.Store.Invite(c.Context(), c.Actor, form.Email, form.Name, form.Roles)
	if errs, ok := Problems(err); ok {
		form.Errors = errs
		return h.renderList(c, fiber.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	note := ""
	if pending {
		note = "The roles wait until another admin agrees to them; until then " + u.Name + " can come in but sees nothing."
	}
	return h.linkMade(c, "invitation", token, note, "/people/"+u.ID)
}

func (h *People) person(c *Ctx) error { return h.renderPerson(c, fiber.StatusOK, nil, nil) }

func (h *People) renderPerson(c *Ctx, status int, roles []models.Role, errs []ui.FieldError) error {
	u, sessions, history, err := h.Store.Person(c.Context(), c.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	if errs == nil {
		roles = u.Roles
	}
	keys, err := h.Store.Passkeys(c.Context(), c.Actor, u.ID)
	if err != nil {
		return err
	}
	page := c.Page(u.Name)
	page.Breadcrumbs = []ui.Crumb{{Label: "People", Href: "/people"}, {Label: u.Name}}
	return c.RenderStatus(status, views.Person(page, views.PersonParams{User: u, Passkeys: keys, Sessions: sessions, History: history, Me: c.Actor, Clock: c.Clock(), Roles: roles, Errors: errs}))
}

func (h *People) roles(c *Ctx) error {
	roles := formRoles(c)
	pending, err := h.Store.ChangeRoles(c.Context(), c.Actor, c.Param("id"), roles)
	if errs, ok := Problems(err); ok {
		return h.renderPerson(c, fiber.StatusUnprocessableEntity, roles, errs)
	}
	if err != nil {
		return c.Refused("/people/"+c.Param("id"), err)
	}
	if pending {
		return c.Done("/people", "The new roles wait until another admin agrees to them.")
	}
	return c.Done("/people/"+c.Param("id"), "The roles are changed.")
}

// act is a change of one person without a form.
func (h *People) act(done string, do func(*store.Store, context.Context, models.Actor, string) error) func(*Ctx) error {
	return func(c *Ctx) error {
		back := "/people/" + c.Param("id")
		if err := do(h.Store, c.Context(), c.Actor, c.Param("id")); err != nil {
			return c.Refused(back, err)
		}
		return c.Done(back, done)
	}
}

// link makes a one-time link for one person and shows it.
func (h *People) link(path string, do func(*store.Store, context.Context, models.Actor, string) (string, error)) func(*Ctx) error {
	return func(c *Ctx) error {
		back := "/people/" + c.Param("id")
		token, err := do(h.Store, c.Context(), c.Actor, c.Param("id"))
		if err != nil {
			return c.Refused(back, err)
		}
		return h.linkMade(c, path, token, "", back)
	}
}

func (h *People) endSession(c *Ctx) error {
	if err := h.Store.EndSession(c.Context(), c.Actor, c.Param("session")); err != nil {
		return err
	}
	return c.Done("/people/"+c.Param("id"), "The session has ended.")
}

func (h *People) approve(c *Ctx) error {
	change, err := h.Store.ApproveChange(c.Context(), c.Actor, c.Param("change"))
	if err != nil {
		return c.Refused("/people", err)
	}
	return c.Done("/people", "Agreed: "+change.Sentence)
}

func (h *People) reject(c *Ctx) error {
	change, err := h.Store.RejectChange(c.Context(), c.Actor, c.Param("change"), c.Form("reason"))
	if err != nil {
		return c.Refused("/people", err)
	}
	return c.Done("/people", "Not done: "+change.Sentence)
}
