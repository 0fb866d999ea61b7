package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"countinghouse/models/files"
	"countinghouse/providers"
)

// Serve runs the server until SIGTERM or SIGINT: then nothing new is accepted, running requests finish, and the store closes last.
func Serve(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, registry *providers.Registry) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	rt, err := startServer(ctx, cfg, log)
	if err != nil {
		return err
	}
	rt.Providers = registry
	return errors.Join(rt.serve(ctx, out), rt.Close())
}

func (rt *Runtime) serve(ctx context.Context, out io.Writer) error {
	return rt.serveWith(ctx, out, nil)
}

// serveWith serves and calls ready once everything has started.
func (rt *Runtime) serveWith(ctx context.Context, out io.Writer, ready func(*App)) error {
	engine, err := NewEngine(ctx, rt)
	if err != nil {
		return err
	}
	app, err := New(rt.Config, Deps{Store: rt.Store, Log: rt.Log, Clock: rt.Clock, Providers: rt.Providers, Engine: engine, People: rt.People, Floors: rt.Floors,
		Files: rt.Files, Scan: files.Scanner{Addr: rt.Config.Clamd}})
	if err != nil {
		return err
	}
	l := rt.Listener
	if l == nil {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", rt.Config.Listen)
	}
	if err != nil {
		return configErrorf("Nothing can listen on %s: %v.", rt.Config.Listen, err)
	}
	// What runs beside the pages stops after them: a request that is still running may need it.
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for _, f := range append(rt.beside(app), engine.run) {
		wg.Go(func() { f(beside) })
	}
	if err := rt.greet(ctx, app, out); err != nil {
		rt.Log.Error("set-up link", "err", err)
	}
	if ready != nil {
		ready(app)
	}
	rt.Log.Info("serving", "address", l.Addr().String(), "public", app.cfg.base.String())
	err = app.Serve(ctx, l)
	stop()
	wg.Wait()
	return err
}

// greet prints where the pages are, and the set-up link while there is no admin.
func (rt *Runtime) greet(ctx context.Context, app *App, out io.Writer) error {
	token, err := rt.Store.SetupLink(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Countinghouse is at %s\n", app.cfg.base)
	if token != "" && err == nil {
		_, err = fmt.Fprintln(out, setupLine(app.cfg.base.String(), token))
	}
	return err
}

// beside lists what runs beside the pages. Each ends soon after its context does.
func (rt *Runtime) beside(app *App) []func(context.Context) {
	list := []func(context.Context){rt.hourly}
	if rt.Config.VaultKey == "" {
		list = append(list, func(ctx context.Context) {
			rt.Keys.Watch(ctx, 10*time.Second, func(_ bool, err error) {
				if err != nil {
					rt.Log.Error("the vault key file cannot be read again; the keys in use stay", "err", err)
					return
				}
				rt.Log.Info("the vault key file changed and was read again")
			})
		})
	}
	if rt.Config.MetricsListen != "" {
		list = append(list, func(ctx context.Context) { rt.serveMetrics(ctx, app) })
	}
	return list
}

// hourly signs an anchor of the audit trail and forgets what is no longer needed.
func (rt *Runtime) hourly(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := rt.Store.Sweep(ctx); err != nil && ctx.Err() == nil {
			rt.Log.Error("sweep", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (rt *Runtime) serveMetrics(ctx context.Context, app *App) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(app.metrics.registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Addr: rt.Config.MetricsListen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer done()
	if err := srv.ListenAndServe(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		rt.Log.Error("metrics", "err", err)
	}
}
