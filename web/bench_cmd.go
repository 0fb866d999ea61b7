package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"
)

// BenchCmd fills databases and measures them, each figure beside its floor in the same run. It works on databases of its own.
type BenchCmd struct {
	Rows        []int    `help:"How many transactions; several sizes are measured side by side." default:"10000,1000000"`
	Seconds     float64  `help:"How long each measurement lasts." default:"2"`
	Connections int      `help:"How many connections ask at the same time." default:"16"`
	Dir         string   `help:"Where to fill the databases; a temporary folder, removed at the end, when left out."`
	Keep        bool     `help:"Leave the filled databases in --dir, and use those that are there."`
	Seed        uint64   `help:"The same seed gives the same rows." default:"7"`
	Only        []string `help:"Measure only these: pages, start, intake, payouts, export."`
	Page        string   `help:"Of the pages, measure only those whose name begins like this."`
	JSON        bool     `help:"Print the figures as JSON."`
	Profile     string   `help:"Write a CPU profile of the measurements to this file."`
}

// Run implements the command.
func (c BenchCmd) Run(e *Env) (err error) {
	ctx, stop := signal.NotifyContext(e, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := c.check(e.Config); err != nil {
		return err
	}
	folder := c.Dir
	if folder == "" {
		if folder, err = os.MkdirTemp("", "countinghouse-bench-"); err != nil {
			return err
		}
	}
	if !c.Keep {
		defer func() { err = errors.Join(err, c.sweep(folder)) }()
	}
	b := &bench{cmd: c, env: e, out: e.Out, log: slog.New(slog.DiscardHandler)}
	if c.JSON {
		b.out = io.Discard
	}
	defer b.close()
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // the profile is for looking at
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := b.run(ctx, folder); err != nil {
		return err
	}
	if c.JSON {
		j := json.NewEncoder(e.Out)
		j.SetIndent("", "  ")
		return j.Encode(map[string]any{"machine": machine(), "connections": c.Connections, "seconds": c.Seconds, "figures": b.figures})
	}
	return nil
}

func (c BenchCmd) check(cfg Config) error {
	switch {
	case c.Keep && c.Dir == "":
		return configErrorf("--keep needs --dir, the folder that the databases stay in.")
	case cfg.Database != "" && len(c.Rows) != 1:
		return configErrorf("One PostgreSQL database holds one size: give one number with --rows.")
	case c.Connections < 1 || c.Connections > 1000 || c.Seconds <= 0:
		return configErrorf("--connections is 1 to 1000, --seconds more than nothing.")
	}
	for _, n := range c.Rows {
		if n < 1000 || n > 100_000_000 {
			return configErrorf("--rows is 1,000 to 100,000,000.")
		}
	}
	return nil
}

// sweep removes what was filled; a folder that was named stays.
func (c BenchCmd) sweep(folder string) (err error) {
	for _, n := range c.Rows {
		err = errors.Join(err, os.RemoveAll(houseFolder(folder, n)))
	}
	if c.Dir == "" {
		err = errors.Join(err, os.Remove(folder))
	}
	return err
}

func houseFolder(folder string, rows int) string {
	return filepath.Join(folder, fmt.Sprintf("rows-%d", rows))
}

func machine() string {
	return fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

// bench is one run.
type bench struct {
	cmd     BenchCmd
	env     *Env
	out     io.Writer
	log     *slog.Logger
	houses  []*benchHouse
	figures []figure
}

func (b *bench) close() {
	for _, h := range b.houses {
		_ = h.stop() // at the end of the program; the first error is shown by run
	}
}

// run fills, then measures: what needs a process of its own first, while no server of ours holds the folder.
func (b *bench) run(ctx context.Context, folder string) error {
	b.say("%s, %d connections, %.1f s a measurement\n", machine(), b.cmd.Connections, b.cmd.Seconds)
	for _, n := range b.cmd.Rows {
		h := &benchHouse{bench: b, rows: n, cfg: Config{Data: houseFolder(folder, n), Database: b.env.Config.Database, Demo: true, GracePeriod: time.Second}}
		h.destinations, h.documents = 10_000, 2_000
		if len(b.houses) == 0 && len(b.cmd.Rows) > 1 {
			h.destinations, h.documents = 100, 20
		}
		b.houses = append(b.houses, h)
		if err := h.fill(ctx); err != nil {
			return fmt.Errorf("fill %d rows: %w", n, err)
		}
	}
	if err := b.outside(ctx); err != nil {
		return err
	}
	for _, h := range b.houses {
		if err := h.start(ctx); err != nil {
			return fmt.Errorf("serve %d rows: %w", h.rows, err)
		}
	}
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{{"pages", b.pages}, {"intake", b.intake}, {"payouts", b.payouts}} {
		if !b.wants(part.name) {
			continue
		}
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// outside measures what a process of its own shows: start-up, idle memory, the export's memory.
func (b *bench) outside(ctx context.Context) error {
	for _, h := range b.houses {
		if b.wants("start") {
			if err := h.startUp(ctx); err != nil {
				return fmt.Errorf("start-up: %w", err)
			}
		}
		if b.wants("export") {
			if err := h.export(ctx); err != nil {
				return fmt.Errorf("export: %w", err)
			}
		}
	}
	return nil
}

func (b *bench) wants(part string) bool {
	if len(b.cmd.Only) == 0 {
		return true
	}
	for _, o := range b.cmd.Only {
		if o == part {
			return true
		}
	}
	return false
}

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format, args...) }
