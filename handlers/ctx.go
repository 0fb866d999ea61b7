package handlers

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Ctx is one request: who asks, from where, and how to answer. It ends with the request; nothing of it goes to a goroutine.
type Ctx struct {
	Fiber     *fiber.Ctx
	Route     Route
	RequestID string
	From      models.From
	Signed    store.Signed // empty for public and foreign routes
	Actor     models.Actor // the person as store methods want them
	Env       models.Environment
	Working   models.Working // the sub-account that the person works in; the zero value: all of them
	Zone      *time.Location
	Now       time.Time // the clock when the request came

	Shell Shell // how this server draws the frame around pages
	Notes Notes // notices for the next page
	Seat  Seat  // the session cookie

	choices []models.Working // see Choices
	chosen  bool
}

// workShown is how many sub-accounts the switch at the top shows; the rest is found on their own page.
const workShown = 8

// Choices are the sub-accounts that the switch at the top and the filters of lists offer, asked for once in a request.
func (c *Ctx) Choices() []models.Working {
	if !c.chosen && c.Shell.WorkIn != nil {
		c.choices, c.chosen = c.Shell.WorkIn(c), true
	}
	return c.choices
}

// Shell is what the frame of a page needs to know about the server.
type Shell struct {
	Menu   func(a models.Actor) []views.MenuItem // only items that exist and that the person may open
	Counts func(c *Ctx) map[string]string        // what waits, by menu item; nil counts nothing
	WorkIn func(c *Ctx) []models.Working         // what there is to work in, at most as many as a filter offers; nil: nothing
	Bands  func(c *Ctx) []ui.NoticeParams        // what stands on every page; nil: nothing
	Demo   bool
	Kit    bool   // the kit of the pages is served
	Base   string // the public address without a slash at the end, for links that are handed over
	Secure bool   // https: cookies say so
}

// Notes keeps a notice for the page after a redirect.
type Notes interface {
	Add(tone, text string) error
	Take() (tone, text string)
}

// Seat puts a session token into the cookie, or takes the cookie away.
type Seat interface {
	Token() string
	Set(token string) error
	Clear() error
}

// Context carries the request's deadline.
func (c *Ctx) Context() context.Context { return c.Fiber.UserContext() }

// Param is a part of the path.
func (c *Ctx) Param(name string) string {
	v, err := url.PathUnescape(c.Fiber.Params(name))
	if err != nil {
		return ""
	}
	return strings.Clone(v)
}

// Query is a value of the query string, trimmed.
func (c *Ctx) Query(name string) string {
	return strings.TrimSpace(strings.Clone(c.Fiber.Query(name)))
}

// Form is a field of a posted form, trimmed; a password is read with FormRaw.
func (c *Ctx) Form(name string) string { return strings.TrimSpace(c.FormRaw(name)) }

// FormRaw is a field of a posted form as it came.
func (c *Ctx) FormRaw(name string) string { return strings.Clone(c.Fiber.FormValue(name)) }

// FormList is a field that may come several times.
func (c *Ctx) FormList(name string) []string {
	var out []string
	if form, err := c.Fiber.MultipartForm(); err == nil && form != nil {
		for _, v := range form.Value[name] {
			out = append(out, strings.Clone(v))
		}
		return out
	}
	for _, v := range c.Fiber.Request().PostArgs().PeekMulti(name) {
		out = append(out, string(v))
	}
	return out
}

// HTMX reports that htmx asks for a part of a page. A history restore wants the whole page.
func (c *Ctx) HTMX() bool {
	return c.Fiber.Get("HX-Request") == "true" && c.Fiber.Get("HX-History-Restore-Request") != "true"
}

// Page fills everything around a page's content. It takes the notice that waits, so call it once, when the page will be shown.
func (c *Ctx) Page(title string) views.Page {
	p := views.Page{Title: title, Section: c.Route.Section, Theme: strings.Clone(c.Fiber.Cookies("ch_theme")), Density: strings.Clone(c.Fiber.Cookies("ch_density")),
		Path: c.Here(), Partial: c.HTMX()}
	if c.Signed.Session.Stage == models.StageFull {
		p.Env, p.EnvAction = string(c.Env), "/environment"
		p.Envs = []views.EnvLink{{Env: "sandbox", Label: "Sandbox"}, {Env: "live", Label: "Live"}}
		p.User = views.User{Name: c.Actor.Name, RoleText: models.RoleText(c.Actor.Roles), Initials: initials(c.Actor.Name)}
		p.Zone = ui.ZoneName(c.Now, c.Zone)
		if c.Shell.Kit && c.Actor.Can(models.SettingsManage) {
			p.KitHref = views.KitPath
		}
		if c.Shell.Menu != nil {
			p.Menu = c.Shell.Menu(c.Actor)
		}
		p.Working = c.Working
		if !p.Partial {
			list := c.Choices()
			p.WorkIn = list[:min(workShown, len(list))]
		}
		if c.Shell.Counts != nil && !p.Partial { // a part has no menu
			counts := c.Shell.Counts(c)
			for i := range p.Menu {
				p.Menu[i].Count = counts[p.Menu[i].ID]
			}
		}
		if c.Shell.Bands != nil {
			p.Warnings = c.Shell.Bands(c)
		}
		if tone, text := c.Notes.Take(); text != "" {
			p.Flash = ui.FlashParams{Tone: ui.Tone(tone), Text: text}
		}
	}
	return p
}

// Here is this request's own address with its query.
func (c *Ctx) Here() string { return strings.Clone(c.Fiber.OriginalURL()) }

func initials(name string) string {
	out := ""
	for _, w := range strings.Fields(name) {
		if r := []rune(w); len(out) < 2 || len(strings.Fields(name)) == 1 {
			out += strings.ToUpper(string(r[0]))
		}
	}
	return out
}

// Component is a page or a part of one; every templ component is.
type Component interface {
	Render(ctx context.Context, w io.Writer) error
}

// Render answers 200 with a page.
func (c *Ctx) Render(page Component) error { return c.RenderStatus(fiber.StatusOK, page) }

// RenderStatus answers with a page and another status: 422 for a form with errors, which htmx swaps in as well.
func (c *Ctx) RenderStatus(status int, page Component) error {
	c.Fiber.Status(status).Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	// Drawing asks nobody, so it is not cut off by the deadline: the page that says "too late" must still be drawn.
	return page.Render(context.WithoutCancel(c.Context()), c.Fiber)
}

// Redirect sends the browser to another page of ours with GET.
func (c *Ctx) Redirect(path string) error {
	if c.Fiber.Get("HX-Request") == "true" {
		c.Fiber.Set("HX-Redirect", path)
		return c.Fiber.SendStatus(fiber.StatusOK)
	}
	return c.Fiber.Redirect(path, fiber.StatusSeeOther)
}

// Done leaves a notice for the next page and goes there.
func (c *Ctx) Done(path, sentence string) error {
	if err := c.Notes.Add(string(ui.Ok), sentence); err != nil {
		return err
	}
	return c.Redirect(path)
}

// Refused leaves the sentence of a refusal as a notice and goes to a page. Anything that is not a refusal people can mend is given back.
func (c *Ctx) Refused(path string, err error) error {
	var e *models.Error
	if !errors.As(err, &e) || (e.Code != models.Invalid && e.Code != models.Conflict) {
		return err
	}
	if err := c.Notes.Add(string(ui.Bad), e.Sentence); err != nil {
		return err
	}
	return c.Redirect(path)
}

// Problems turns an Invalid error into what a form shows; ok is false for every other error.
func Problems(err error) (list []ui.FieldError, ok bool) {
	var e *models.Error
	if !errors.As(err, &e) || e.Code != models.Invalid {
		return nil, false
	}
	for _, p := range e.Fields {
		list = append(list, ui.FieldError{Field: p.Field, Message: p.Sentence})
	}
	if len(list) == 0 {
		list = []ui.FieldError{{Message: e.Sentence}}
	}
	return list, true
}

// LocalPath lets a "back" address through only when it is one of ours: a path, no host, no control characters.
func LocalPath(back, fallback string) string {
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") ||
		strings.ContainsAny(back, "\\\r\n\t") || len(back) > 2000 {
		return fallback
	}
	return back
}

// Number reads a whole number of a query; ok is false when it is none.
func Number(text string) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
