package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/web/demo"
)

// benchProviders are the two whose stand-ins take part: one of plain HTTP, one with signatures both ways.
var benchProviders = []string{"onekey", "wspn"}

// benchHouse is a filled database and, between start and stop, the real server over it in this process.
type benchHouse struct {
	bench        *bench
	rows         int
	documents    int // of KYB: twenty in the smallest, two thousand in the others
	destinations int // as many as the house was filled with: a hundred in the smallest, ten thousand in the others
	cfg          Config

	demo   *demonstration
	app    *App
	tokens map[string]string // of signed-in sessions, by who it is
	static []byte            // what the static page shows
	quit   func() error
}

func (h *benchHouse) base() string { return "http://" + h.cfg.Listen }

// open starts the store of the house under a free address.
func (h *benchHouse) open(ctx context.Context) (err error) {
	if h.cfg.Listen, err = freeAddress(ctx); err != nil {
		return err
	}
	rt, err := startServer(ctx, h.cfg, h.bench.log)
	if err != nil {
		return err
	}
	rt.Providers = h.bench.env.Providers
	h.demo = &demonstration{rt: rt, cmd: DemoCmd{Seed: h.bench.cmd.Seed}, out: io.Discard, base: h.base()}
	return nil
}

// fill makes the people, one account at each provider and the rows, unless they are there from an earlier run.
func (h *benchHouse) fill(ctx context.Context) (err error) {
	if err := os.MkdirAll(h.cfg.Data, 0o700); err != nil {
		return err
	}
	if err := h.open(ctx); err != nil {
		return err
	}
	defer func() { h.demo.close(); err = errors.Join(err, h.demo.rt.Close()) }()
	empty, err := h.demo.rt.Store.Empty(ctx)
	if err != nil {
		return err
	}
	if !empty {
		if err := h.recognise(ctx); err != nil {
			return err
		}
		if err := h.kyb(ctx); err != nil {
			return fmt.Errorf("KYB: %w", err)
		}
		return h.signIn(ctx)
	}
	if err := h.demo.invite(ctx); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if err := h.accounts(ctx); err != nil {
		return err
	}
	people := []demo.Person{}
	for _, key := range []string{"finance", "finance2", "finance3"} {
		people = append(people, demo.Person{ID: h.demo.people[key].UserID, Name: h.demo.people[key].Name})
	}
	// Some whole stories, for the page of one transaction; the others are the bare rows that lists read.
	whole := demo.NewHistorian(h.bench.cmd.Seed+1, h.demo.accounts, people, time.Now(), 300)
	if _, err := h.demo.rt.Store.Fill(ctx, whole.Next, false); err != nil {
		return err
	}
	began := time.Now()
	rows := demo.NewRows(h.bench.cmd.Seed, h.demo.accounts, people, began, h.rows)
	n, err := h.demo.rt.Store.Fill(ctx, rows.Next, true)
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	h.bench.note(figure{What: "fill, indexes and totals", Rows: n, Value: float64(n) / took, Unit: "rows/s"})
	h.demo.cmd.Destinations = h.destinations
	if err := h.demo.destinations(ctx); err != nil {
		return fmt.Errorf("destinations: %w", err)
	}
	if err := h.kyb(ctx); err != nil {
		return fmt.Errorf("KYB: %w", err)
	}
	return h.signIn(ctx)
}

// accounts starts the stand-ins and brings one credential for each into use.
func (h *benchHouse) accounts(ctx context.Context) error {
	for _, p := range h.bench.env.Providers.All() {
		if make := h.bench.env.Sandboxes[p.Description.Name]; make != nil && slices.Contains(benchProviders, p.Description.Name) {
			if err := h.demo.account(ctx, p, make); err != nil {
				return fmt.Errorf("%s: %w", p.Description.Title, err)
			}
		}
	}
	return nil
}

// recognise finds the people of an earlier run again.
func (h *benchHouse) recognise(ctx context.Context) error {
	h.demo.people = map[string]models.Actor{}
	for _, c := range cast {
		u, err := h.demo.rt.Store.UserByEmail(ctx, models.Operator(), c.email)
		if err != nil {
			return fmt.Errorf("this database was not filled by bench: %w", err)
		}
		h.demo.people[c.key] = models.Actor{UserID: u.ID, Name: u.Name, Roles: u.Roles, IP: "127.0.0.1"}
	}
	return nil
}

// signIn opens the sessions with which pages are asked for.
func (h *benchHouse) signIn(ctx context.Context) error {
	s := h.demo.rt.Store
	h.tokens = map[string]string{}
	for _, who := range []string{"finance", "compliance"} {
		link, err := s.DemoLink(ctx, h.demo.people[who].UserID)
		if err != nil {
			return err
		}
		if h.tokens[who], err = s.SignInByDemoLink(ctx, link, models.From{IP: "127.0.0.1", Agent: "bench"}); err != nil {
			return err
		}
	}
	return nil
}

// start serves the house with its engine, as serve does, and fresh stand-ins.
func (h *benchHouse) start(ctx context.Context) error {
	if err := h.open(ctx); err != nil {
		return err
	}
	if err := h.recognise(ctx); err != nil {
		return err
	}
	h.demo.suffix = " run " + time.Now().UTC().Format("01-02 15:04:05.000")
	if err := h.accounts(ctx); err != nil {
		return err
	}
	h.demo.rt.Floors = h.floors()
	ctx, stop := context.WithCancel(ctx)
	up, served := make(chan *App, 1), make(chan error, 1)
	go func() {
		served <- h.demo.rt.serveWith(ctx, io.Discard, func(a *App) { h.demo.engine = a.deps.Engine; up <- a })
	}()
	select {
	case h.app = <-up:
	case err := <-served:
		stop()
		return err
	}
	h.quit = func() error {
		stop()
		err := <-served
		h.demo.close()
		return errors.Join(err, h.demo.rt.Close())
	}
	return h.prepare(ctx)
}

func (h *benchHouse) stop() error {
	if h.quit == nil {
		return nil
	}
	quit := h.quit
	h.quit = nil
	return quit()
}

// prepare proves the credentials and keeps a list page, which the static page repeats.
func (h *benchHouse) prepare(ctx context.Context) error {
	for _, a := range h.demo.accounts {
		if _, err := h.demo.engine.desk.Check(ctx, h.demo.as("admin"), a.CredentialID, models.SlotCurrent); err != nil {
			return fmt.Errorf("test the credential at %s: %w", a.Description.Title, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.base()+"/transactions", nil)
	if err != nil {
		return err
	}
	req.AddCookie(&http.Cookie{Name: cookiePlain, Value: h.tokens["finance"]})
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	var res *http.Response
	for range 50 { // the listener is there, the server may be a moment behind it
		if res, err = http.DefaultClient.Do(req); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if h.static, err = io.ReadAll(res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the list answered %d", res.StatusCode)
	}
	return nil
}

// place gives a place in the list: part of the year back from now.
func (h *benchHouse) place(ctx context.Context, part float64) (models.Cursor, error) {
	now := time.Now()
	at := models.At(now.Add(-time.Duration(part * 365 * 24 * float64(time.Hour))))
	f := models.Filter{Environment: models.Sandbox}
	list, err := h.demo.rt.Store.List(ctx, h.demo.as("finance"), f, models.Cursor{At: at, ID: "z"}, 1)
	if err != nil || len(list.Rows) == 0 {
		return models.Cursor{}, errors.Join(err, errIf(err == nil, "no row so far back"))
	}
	return models.Cursor{At: list.Rows[0].CreatedAt, ID: list.Rows[0].ID}, nil
}

func errIf(yes bool, words string) error {
	if yes {
		return errors.New(words)
	}
	return nil
}

// sample gives one row of a filter.
func (h *benchHouse) sample(ctx context.Context, f models.Filter) (*models.Transaction, error) {
	f.Environment = models.Sandbox
	var list *store.TransactionList
	list, err := h.demo.rt.Store.List(ctx, h.demo.as("finance"), f, models.Cursor{}, 1)
	if err != nil || len(list.Rows) == 0 {
		return nil, errors.Join(err, errIf(err == nil, "no such row"))
	}
	return &list.Rows[0], nil
}
