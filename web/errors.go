package web

import (
	"context"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/views"
)

// statusOf is the one map from an error's code to an HTTP status.
func statusOf(err error) int {
	var fe *fiber.Error
	switch models.CodeOf(err) {
	case models.Invalid:
		return fiber.StatusUnprocessableEntity
	case models.NotFound:
		return fiber.StatusNotFound
	case models.Forbidden, models.StepUp:
		return fiber.StatusForbidden
	case models.Conflict:
		return fiber.StatusConflict
	case models.Throttled:
		return fiber.StatusTooManyRequests
	case models.Unavailable:
		return fiber.StatusServiceUnavailable
	case models.Unsigned:
		return fiber.StatusUnauthorized
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fiber.StatusServiceUnavailable
	case errors.As(err, &fe):
		return fe.Code
	}
	return fiber.StatusInternalServerError
}

// words are the titles and, where an error brings no sentence of its own, the texts of error pages.
var words = map[int][2]string{
	400: {"This request cannot be read", "Something in the address or the form is not as it should be. Go back and try again."},
	401: {"Please sign in", "You are not signed in, or your session has ended."},
	403: {"You may not do this", "Your role does not allow it."},
	404: {"There is no such page", "The address may be mistyped, or what it showed is not there any more."},
	405: {"This cannot be done here", "The page exists, but not for this kind of request. Go back and use its buttons."},
	409: {"This is not possible now", "Something has changed since the page was drawn. Look at it again."},
	411: {"This upload has no length", "Send it with a browser, or say with Content-Length how long it is."},
	413: {"This is too large", "The server takes less than what was sent. Send a smaller file or a shorter text."},
	422: {"Something needs mending", "Go back and look at what you entered."},
	429: {"Too many tries", "Wait a while and try again."},
	500: {"Something went wrong on our side", "Nothing you did. What was asked for may or may not have happened: look at the page concerned before you try again."},
	503: {"This is not available right now", "Try again in a moment."},
}

// fail answers with an error page, for browsers, htmx and programs alike, and logs what is our own fault.
func (a *App) fail(c *handlers.Ctx, err error) error {
	f := c.Fiber
	switch {
	case models.Is(err, models.Unsigned) && f.Method() == fiber.MethodGet:
		return c.Redirect("/sign-in?back=" + url.QueryEscape(c.Here()))
	case models.Is(err, models.Unsigned) && c.Route.Name == "sign-out":
		return c.Redirect("/sign-in?done=out")
	case models.Is(err, models.Unsigned): // a form whose session ended while it was filled in: say so, or its sender believes that it was sent
		to := "/sign-in?done=ended"
		if back := a.formPage(c); back != "" {
			to += "&back=" + url.QueryEscape(back)
		}
		return c.Redirect(to)
	case models.Is(err, models.StepUp):
		return c.Redirect("/step-up?back=" + url.QueryEscape(a.backTo(c)))
	}
	status := statusOf(err)
	p := views.ErrorParams{Status: status, RequestID: c.RequestID, BackHref: "/"}
	w, ok := words[status]
	if !ok {
		w = words[400]
		if status >= 500 {
			w = words[500]
		}
	}
	p.Title, p.Text = w[0], w[1]
	if back := a.formPage(c); back != "" {
		p.BackHref, p.BackLabel = back, "Back to the page"
	}
	var e *models.Error
	if errors.As(err, &e) {
		p.Text = e.Sentence
		if e.Need != "" {
			p.Text, p.Grant = w[1], e.Sentence
		}
	}
	if status >= 500 {
		a.log.ErrorContext(c.Context(), "request failed", "request_id", c.RequestID, "route", c.Route.Name, "err", err)
	}
	if c.Route.Access == handlers.Foreign {
		return f.Status(status).JSON(fiber.Map{"error": p.Text, "request_id": c.RequestID})
	}
	page := c.Page(p.Title)
	page.Partial = false
	f.Response().ResetBody()
	return c.RenderStatus(status, views.ErrorPage(page, p))
}

// cameFrom is the address of ours that the browser says it came from, or nil.
func (a *App) cameFrom(c *handlers.Ctx) *url.URL {
	u, err := url.Parse(c.Fiber.Get(fiber.HeaderReferer))
	if err != nil || !a.cfg.hosts[u.Host] {
		return nil
	}
	return u
}

// formPage is the page of ours on which a form stood, where one can simply go there again; else empty.
func (a *App) formPage(c *handlers.Ctx) string {
	u := a.cameFrom(c)
	if u == nil || c.Fiber.Method() == fiber.MethodGet {
		return ""
	}
	for _, r := range a.Routes {
		if r.Method == fiber.MethodGet && r.Access != handlers.Public && fiber.RoutePatternMatch(u.Path, r.Path) {
			return handlers.LocalPath(u.RequestURI(), "")
		}
	}
	return ""
}

// backTo is where to go after a step-up: this page, or for a form or a file the page it stands on. A file would come to the page that asks for the
// second factor, which would then seem to ask on.
func (a *App) backTo(c *handlers.Ctx) string {
	if c.Fiber.Method() == fiber.MethodGet && !c.Route.File {
		return c.Here()
	}
	u := a.cameFrom(c)
	if u == nil {
		return "/"
	}
	return handlers.LocalPath(u.RequestURI(), "/")
}
