// Package web is the composition root and the HTTP edge: configuration, the route table, middleware, sessions, error pages, the commands.
//
// It may import everything of ours except the providers' own folders. It is imported by main only.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
)

// Deps is what the composition root was given or opened.
type Deps struct {
	Store     *store.Store
	Log       *slog.Logger
	Clock     models.Clock
	Providers *providers.Registry
	Engine    *Engine            // nil in tests that move no money
	People    []views.DemoPerson // of the demonstration
	Files     files.Store        // documents; nil in tests that upload none
	Scan      files.Scanner
	Floors    []handlers.Route // what the benchmark measures pages against; nobody else has any

	more []handlers.Route // of a test
}

// App is the web server: one Fiber application over one store.
type App struct {
	cfg      settings
	log      *slog.Logger
	clock    models.Clock
	store    *store.Store
	deps     Deps
	sessions *sessionStore
	origin   crossOrigin
	metrics  *metrics

	Fiber  *fiber.App
	Routes []handlers.Route
	menu   []menuItem

	limit    func(*fasthttp.RequestHeader) (bytes int, stream bool)
	migrated atomic.Bool // the database was seen to be as new as the program
}

// New builds the application. Nothing runs yet and nothing listens.
func New(cfg Config, d Deps) (*App, error) {
	set, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Clock == nil {
		d.Clock = time.Now
	}
	if d.Providers == nil {
		d.Providers = providers.NewRegistry()
	}
	d.Store.UseKYB(kybRulesOf(d.Providers))
	a := &App{cfg: set, log: d.Log, clock: d.Clock, store: d.Store, deps: d, sessions: newSessionStore(d.Store, set.https), metrics: newMetrics()}
	if a.origin, err = newCrossOrigin(set.base); err != nil {
		return nil, fmt.Errorf("cross-origin guard: %w", err)
	}
	a.Routes = append(a.routes(), d.more...)
	if err := checkRoutes(a.Routes); err != nil {
		return nil, err
	}
	a.menu = standardMenu(a.Routes)
	a.Fiber = fiber.New(fiber.Config{
		AppName:               "Countinghouse",
		DisableStartupMessage: true,
		Immutable:             true, // strings of a request stay what they are after it
		StrictRouting:         false,
		CaseSensitive:         true,
		UnescapePath:          false,
		BodyLimit:             handlers.ManyLimit,
		// A body is taken by takeBody, up to the limit of its route; nothing of an upload is spooled to disk in the clear.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadBufferSize:               16 << 10, // headers; a cookie and a long filter fit
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 2 * time.Minute, // exports
		IdleTimeout:                  90 * time.Second,
		ServerHeader:                 "",
		DisableDefaultDate:           false,
		ErrorHandler:                 a.lastResort,
	})
	a.limit = bodyLimits(a.Routes)
	a.Fiber.Server().HeaderReceived = a.patience
	a.mount()
	return a, nil
}

// lastResort answers what failed before or outside a route: a body that is too large, a header that cannot be read.
func (a *App) lastResort(f *fiber.Ctx, err error) error {
	a.cfg.secure(f)
	return a.fail(&handlers.Ctx{Fiber: f, RequestID: requestID(f), Notes: noNotes{}, Now: a.clock()}, err)
}

type noNotes struct{}

func (noNotes) Add(string, string) error { return nil }
func (noNotes) Take() (string, string)   { return "", "" }

// Serve listens until ctx ends, then lets running requests finish.
func (a *App) Serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 1)
	front := newDoor(l)
	go func() { failed <- a.Fiber.Listener(front) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.log.Info("stopping: running requests may finish", "grace", a.cfg.GracePeriod.String())
	if err := front.Close(); err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	front.clear(time.Now())
	if err := a.Fiber.ShutdownWithTimeout(a.cfg.GracePeriod); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop: %w", err)
	}
	if err := <-failed; err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
