package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/web/demo"
)

// DemoCmd runs the demonstration: a merchant with a year of history, people to be, and a stand-in for every provider.
type DemoCmd struct {
	Destinations int    `help:"How many destinations there are." default:"10000"`
	Transactions int    `help:"How many transactions the year of history has." default:"24000"`
	Seed         uint64 `help:"The same seed gives the same history." default:"20260921"`
	Check        bool   `help:"Start, walk through the main pages, and end; the exit code tells."`
	Verbose      bool   `help:"Write the log to the terminal."`
}

// Run implements the command. Everything is in a temporary folder, which is removed at the end.
func (c DemoCmd) Run(e *Env) (err error) {
	ctx, stop := signal.NotifyContext(e, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	folder, err := os.MkdirTemp("", "countinghouse-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = e.Log
	}
	l, err := listenFree(ctx, e.Config.Listen, c.Check)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // the server closes it; this is for a start that fails
	listen := l.Addr().String()
	cfg := Config{Data: folder, Listen: listen, Demo: true, Merchant: "Demonstration Trading Ltd", Zone: e.Config.Zone, GracePeriod: 3 * time.Second,
		TrustedProxies: e.Config.TrustedProxies, EgressAddress: cmp.Or(e.Config.EgressAddress, demoEgress)}
	rt, err := startServer(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	rt.Providers, rt.Listener = e.Providers, l
	rt.Store.UseKYB(kybRulesOf(rt.Providers))
	d := &demonstration{rt: rt, cmd: c, out: e.Out, base: "http://" + listen}
	defer d.close()
	if err := d.furnish(ctx, e.Sandboxes); err != nil {
		return fmt.Errorf("prepare the demonstration: %w", err)
	}
	rt.People = d.links
	return d.open(ctx)
}

// listenFree listens at the wished address if nothing does there, and at a free port otherwise. It keeps listening, so that a second
// demonstration that starts meanwhile finds another port.
func listenFree(ctx context.Context, wish string, any bool) (net.Listener, error) {
	if any {
		wish = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", wish)
	if err != nil {
		return lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return l, nil
}

// freeAddress is a free port for a process of its own.
func freeAddress(ctx context.Context) (string, error) {
	l, err := listenFree(ctx, "", true)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// demonstration is the running demo.
type demonstration struct {
	rt        *Runtime
	cmd       DemoCmd
	out       io.Writer
	base      string
	people    map[string]models.Actor // by role word: finance, finance2, compliance, admin, admin2, auditor
	links     []views.DemoPerson
	sandboxes []standIn
	engine    *Engine
	accounts  []demo.Account
	keys      map[string]map[string]string // the stand-ins' side of each credential, by its id
	suffix    string                       // of the credentials' names; " main" when empty
}

// standIn is one provider's sandbox on its loopback port.
type standIn struct {
	name, url string
	stop      func()
}

func (d *demonstration) close() {
	for _, s := range d.sandboxes {
		s.stop()
	}
}

// open serves until somebody stops it, or, with --check, until the walk has ended.
func (d *demonstration) open(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	started := time.Now()
	up := make(chan *App, 1)
	ready := func(app *App) {
		up <- app
		d.engine = app.deps.Engine
		go func() {
			if err := d.today(ctx); err != nil && ctx.Err() == nil {
				d.rt.Log.Error("the demonstration's open transactions", "error", err)
			}
		}()
		if !d.cmd.Check {
			d.print()
		}
	}
	if !d.cmd.Check {
		return d.rt.serveWith(ctx, io.Discard, ready)
	}
	served := make(chan error, 1)
	go func() { served <- d.rt.serveWith(ctx, io.Discard, ready) }()
	select {
	case err := <-served:
		return err
	case app := <-up:
		pages, err := d.walk(ctx, app)
		stop()
		if err = errors.Join(err, <-served); err != nil {
			return err
		}
		_, err = fmt.Fprintf(d.out, "demo check passed: %d stand-ins, %d people, %d pages, %s\n", len(d.sandboxes), len(d.people), pages, time.Since(started).Round(time.Millisecond))
		return err
	}
}

func (d *demonstration) print() {
	var b strings.Builder
	fmt.Fprintf(&b, "\nCountinghouse, the demonstration, is at\n\n    %s\n\nChoose there whom to be. The stand-ins of the providers:\n\n", d.base)
	for _, s := range d.sandboxes {
		fmt.Fprintf(&b, "    %-10s %s/_sandbox/\n", s.name, s.url)
	}
	b.WriteString("\nPress Ctrl-C to stop; nothing is left behind.\n")
	_, _ = io.WriteString(d.out, b.String())
}
