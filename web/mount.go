package web

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/static"
)

// requestTimeout is how long a request may ask the database and others.
const requestTimeout = 15 * time.Second

// mount puts the table into Fiber: everything that goes around a handler stands in serve, in the order in which it happens.
func (a *App) mount() {
	a.Fiber.Use(a.around)
	a.Fiber.Get("/healthz", func(f *fiber.Ctx) error { return f.SendString("ok") })
	a.Fiber.Get("/readyz", a.ready)
	a.Fiber.Get(static.Prefix+"*", a.static)
	a.Fiber.Use(squeezed)
	for _, r := range a.Routes {
		handle := func(f *fiber.Ctx) error { return a.serve(f, r) }
		if r.Method == fiber.MethodGet {
			a.Fiber.Get(r.Path, handle) // answers HEAD as well
			continue
		}
		a.Fiber.Add(r.Method, r.Path, handle)
	}
	a.Fiber.Use(func(f *fiber.Ctx) error {
		// Signed in or not decides only how the page looks: what exists is not told by how long the answer takes.
		return a.serve(f, handlers.Route{Name: "none", Access: handlers.Halfway, Handle: func(c *handlers.Ctx) error { return a.fail(c, a.missing(f)) }})
	})
}

// missing tells "no such page" from "not for this method".
func (a *App) missing(f *fiber.Ctx) error {
	parts := strings.Split(strings.TrimSuffix(f.Path(), "/"), "/")
	for _, r := range a.Routes {
		if samePath(strings.Split(strings.TrimSuffix(r.Path, "/"), "/"), parts) {
			return fiber.ErrMethodNotAllowed
		}
	}
	return fiber.ErrNotFound
}

// around is for every request, known or not: id, headers, access log, panics, figures.
func (a *App) around(f *fiber.Ctx) (err error) {
	start := time.Now() //nolint:forbidigo // how long a request took is measured, not stored
	id := models.NewID()
	f.Locals("request-id", id)
	f.Set("X-Request-Id", id)
	a.cfg.secure(f)
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic", "request_id", id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = a.lastResort(f, fmt.Errorf("panic: %v", p))
		}
		flushCookies(f)
		a.logAccess(f, id, time.Since(start))
	}()
	defer a.endBody(f)
	if err = a.takeBody(f); err == nil {
		err = f.Next()
	}
	if err != nil {
		err = a.lastResort(f, err)
	}
	return err
}

func requestID(f *fiber.Ctx) string {
	id, _ := f.Locals("request-id").(string)
	return id
}

// logAccess writes one line per request. It names the route and not the address: addresses carry one-time tokens, references and searches.
func (a *App) logAccess(f *fiber.Ctx, id string, took time.Duration) {
	route, _ := f.Locals("route").(string)
	if route == "" {
		route = f.Route().Path
	}
	user, _ := f.Locals("user").(string)
	status := f.Response().StatusCode()
	a.metrics.request(route, status, took)
	if route == static.Prefix+"*" || route == "/healthz" || route == "/readyz" {
		return
	}
	a.log.LogAttrs(f.UserContext(), levelOf(status), "request", attrs(f, id, route, user, a.cfg.clientIP(f), status, took)...)
}

// ready says whether this instance can serve: the database answers, and is as new as the program.
func (a *App) ready(f *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := a.store.Ping(ctx); err != nil {
		a.log.Error("not ready", "err", err)
		return f.Status(fiber.StatusServiceUnavailable).SendString("the database does not answer")
	}
	if a.migrated.Load() {
		return f.SendString("ready")
	}
	if pending, err := a.store.Pending(ctx); err != nil || pending {
		return f.Status(fiber.StatusServiceUnavailable).SendString("the database is older than this program")
	}
	a.migrated.Store(true) // and it stays so for as long as this program runs
	return f.SendString("ready")
}

// static answers an embedded file; under its current hash it may be kept for ever.
func (a *App) static(f *fiber.Ctx) error {
	file, immutable, ok := static.Open(f.Path())
	if !ok {
		return fiber.ErrNotFound
	}
	cache := "no-cache"
	if immutable {
		cache = static.ImmutableCache
	}
	f.Set(fiber.HeaderCacheControl, cache)
	f.Set(fiber.HeaderETag, file.ETag)
	f.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if f.Get(fiber.HeaderIfNoneMatch) == file.ETag {
		return f.SendStatus(fiber.StatusNotModified)
	}
	body, encoding := file.Encoded(f.Get(fiber.HeaderAcceptEncoding))
	if encoding != "" {
		f.Set(fiber.HeaderContentEncoding, encoding)
	}
	f.Set(fiber.HeaderContentType, file.ContentType)
	return f.Send(body)
}

// serve does what every route needs, in this order: deadline, host, cross-origin, session, address rules, permission, step-up, handler.
func (a *App) serve(f *fiber.Ctx, r handlers.Route) error {
	f.Locals("route", r.Name)
	timeout := r.Timeout
	if timeout == 0 {
		timeout = requestTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	f.SetUserContext(ctx)
	c := &handlers.Ctx{Fiber: f, Route: r, RequestID: requestID(f), Notes: noNotes{}, Now: a.clock(), Zone: a.zone(f),
		From:  models.From{IP: a.cfg.clientIP(f), Agent: f.Get(fiber.HeaderUserAgent)},
		Shell: handlers.Shell{Menu: a.menuFor, Counts: a.menuCounts, WorkIn: a.workIn, Bands: a.bands, Demo: a.cfg.Demo, Kit: a.cfg.kit(), Base: a.cfg.base.String(), Secure: a.cfg.https}}
	err := a.admit(c)
	if err == nil {
		err = r.Handle(c)
	}
	if err != nil {
		return a.fail(c, err)
	}
	return nil
}

// admit decides whether a request reaches its handler, and fills in who asks.
func (a *App) admit(c *handlers.Ctx) error {
	if err := a.cfg.knownHost(c.Fiber); err != nil {
		return err
	}
	if c.Route.Access == handlers.Foreign {
		return nil
	}
	// Pages are one person's: no cache between us may keep them.
	c.Fiber.Set(fiber.HeaderCacheControl, "no-store")
	if err := a.origin.check(c.Fiber, a.sessions.cookie); err != nil {
		return err
	}
	s, err := a.sessions.openSeat(c.Context(), c.Fiber, c.From)
	if err != nil {
		return err
	}
	c.Seat = s
	if c.Route.Access == handlers.Public {
		return nil
	}
	signed := s.signed()
	c.Signed, c.Notes = signed, s
	c.Actor = signed.Actor(c.From.IP)
	c.Env, c.Working = signed.Session.Environment, signed.Working
	c.Fiber.Locals("user", signed.User.ID)
	if signed.BlockedIP && c.Route.Name != "sign-out" {
		if err := a.store.NoteRefused(c.Context(), models.Refused{Scope: models.ScopeConsole, Role: signed.Blocked, IP: c.From.IP, UserID: signed.User.ID}); err != nil {
			a.log.Error("a refused address was not noted", "err", err)
		}
		return blockedAddress(signed.Blocked, c.From.IP)
	}
	switch {
	case c.Route.Access == handlers.Halfway && c.Route.Name == "none":
		return nil
	case signed.Session.Stage == "":
		return models.Errorf(models.Unsigned, "Please sign in.")
	case c.Route.Access == handlers.Halfway:
		return nil
	case signed.Session.Stage != models.StageFull:
		return models.Errorf(models.Unsigned, "Please finish signing in.")
	}
	if needs := c.Route.Needs(); len(needs) > 0 && !c.Route.Admits(c.Actor) {
		return c.Actor.Require(needs[0])
	}
	if c.Route.StepUp {
		return c.Actor.RequireStepUp(models.At(c.Now))
	}
	return nil
}

func blockedAddress(role models.Role, ip string) error {
	whom := "everybody"
	if role != "" {
		whom = "the role " + string(role)
	}
	return models.Errorf(models.Forbidden, "You are at %s, which the address rules for %s do not let in. An admin can add it.", ip, whom)
}

// zone is the one the viewer chose, or the server's.
func (a *App) zone(f *fiber.Ctx) *time.Location {
	if name := f.Cookies("ch_zone"); name != "" && len(name) < 64 && name != "Local" {
		if z, err := time.LoadLocation(name); err == nil {
			return z
		}
	}
	return a.cfg.zone
}

// brotliLevel makes a list of fifty rows a tenth smaller than the usual level 4, for about the same time: from 5 on the packer looks at more than the
// last match. It keeps the list under the 10 kB that a page may weigh.
const brotliLevel = 6

// squeezed packs the answer in the way that the browser asks for.
func squeezed(f *fiber.Ctx) error {
	if err := f.Next(); err != nil {
		return err
	}
	fasthttp.CompressHandlerBrotliLevel(func(*fasthttp.RequestCtx) {}, brotliLevel, fasthttp.CompressDefaultCompression)(f.Context())
	return nil
}
