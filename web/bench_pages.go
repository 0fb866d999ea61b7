package web

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// floors are the two routes that pages are held against: a page that is already drawn, and the list as database/sql alone would serve it.
// Both go through the same server; neither goes through admission, sessions or the store's transactions.
func (h *benchHouse) floors() []handlers.Route {
	return []handlers.Route{
		{Method: fiber.MethodGet, Path: "/bench/static", Name: "bench.static", Access: handlers.Foreign, Handle: func(c *handlers.Ctx) error {
			c.Fiber.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
			return c.Fiber.Send(h.static)
		}},
		{Method: fiber.MethodGet, Path: "/bench/sql", Name: "bench.sql", Access: handlers.Foreign, Handle: h.byHand},
	}
}

// byHand draws the list with the same view from plain statements.
func (h *benchHouse) byHand(c *handlers.Ctx) error {
	p, err := h.demo.rt.Store.FloorPage(c.Context(), c.Fiber.Cookies(cookiePlain), 51)
	if err != nil {
		return err
	}
	c.Actor = models.Actor{UserID: p.User.ID, Name: p.User.Name, Roles: p.User.Roles}
	c.Signed.User, c.Signed.Session.Stage, c.Env = p.User, models.StageFull, p.Env
	c.Route.Section = "transactions"
	c.Shell.Counts = func(*handlers.Ctx) map[string]string {
		return map[string]string{"approvals": strconv.FormatInt(p.Waiting, 10)}
	}
	v := views.TransactionsParams{Base: "/transactions", Title: "Transactions", Filter: models.Filter{Environment: p.Env, Zone: c.Zone}, Rows: p.Rows[:min(50, len(p.Rows))],
		Count: p.Count, In: p.In, Out: p.Out, Zone: c.Zone, Now: c.Now, CanExport: true, CanPay: true, CanTake: true}
	last := v.Rows[len(v.Rows)-1]
	v.Older = models.Cursor{At: last.CreatedAt, ID: last.ID}
	assets := map[string]bool{}
	for _, x := range h.bench.env.Providers.All() {
		v.Providers = append(v.Providers, ui.Option{Value: x.Description.Name, Label: x.Description.Short})
		for _, m := range x.Description.Methods {
			for _, a := range m.Assets {
				if !assets[a] {
					assets[a] = true
					v.Assets = append(v.Assets, ui.Option{Value: a, Label: a})
				}
			}
		}
	}
	for _, n := range p.Names {
		v.Credentials = append(v.Credentials, ui.Option{Value: n.ID, Label: n.Name})
	}
	v.Page = c.Page(v.Title)
	return c.Render(views.Transactions(v))
}

// page is one page that is measured in every house.
type page struct {
	name string
	flat bool // its latency is to stay the same whatever the number of rows
	of   func(ctx context.Context, h *benchHouse) (path string, err error)
	size func(h *benchHouse) int // of what the page lists, where that is not transactions
	as   string                  // who looks; finance when left out
}

// rows is how much there is of what the page lists.
func (p page) rows(h *benchHouse) int {
	if p.size != nil {
		return p.size(h)
	}
	return h.rows
}

func destinationsOf(h *benchHouse) int { return h.destinations }

func fixed(path string) func(context.Context, *benchHouse) (string, error) {
	return func(context.Context, *benchHouse) (string, error) { return path, nil }
}

func deep(part float64, query string) func(context.Context, *benchHouse) (string, error) {
	return func(ctx context.Context, h *benchHouse) (string, error) {
		c, err := h.place(ctx, part)
		return "/transactions?" + query + "after=" + url.QueryEscape(c.String()), err
	}
}

func between(from, to int) func(context.Context, *benchHouse) (string, error) {
	day := func(n int) string { return time.Now().AddDate(0, 0, -n).Format("2006-01-02") }
	return fixed("/transactions?from=" + day(from) + "&to=" + day(to))
}

func benchPages() []page {
	return append([]page{
		{"list", true, fixed("/transactions"), nil, ""},
		{"list, compressed", false, fixed("/transactions"), nil, ""},
		{"list, one status", true, fixed("/transactions?state=failed"), nil, ""},
		{"list, provider, kind and status", true, fixed("/transactions?provider=onekey&kind=payout&state=succeeded"), nil, ""},
		{"list, several kinds and statuses", true, fixed("/transactions?kind=payout,refund&state=failed,cancelled,returned"), nil, ""},
		{"list, a sparse combination", true, fixed("/transactions?state=unknown&kind=payout&provider=wspn"), nil, ""},
		{"list, what needs attention", true, fixed("/transactions?attention=1"), nil, ""},
		{"list, a month of the year", true, between(200, 170), nil, ""},
		{"list, last 7 days of one kind", true, fixed("/transactions?when=7d&kind=deposit"), nil, ""},
		{"list, amounts above", true, fixed("/transactions?asset=BRL&min=900"), nil, ""},
		{"list, amounts nobody has", true, fixed("/transactions?asset=BRL&min=90000000"), nil, ""},
		{"deep page, the middle", true, deep(0.5, ""), nil, ""},
		{"deep page, near the end", true, deep(0.99, ""), nil, ""},
		{"deep page of a filter", true, deep(0.5, "kind=payout&state=succeeded&"), nil, ""},
		{"search by reference", true, func(ctx context.Context, h *benchHouse) (string, error) {
			t, err := h.sample(ctx, models.Filter{Kinds: []models.Kind{models.Payout}})
			if err != nil {
				return "", err
			}
			return "/transactions?q=" + t.Reference, nil
		}, nil, ""},
		{"search by their number", true, func(ctx context.Context, h *benchHouse) (string, error) {
			t, err := h.sample(ctx, models.Filter{States: []models.State{models.Succeeded}, Kinds: []models.Kind{models.Deposit}})
			if err != nil {
				return "", err
			}
			return "/transactions?q=" + t.ProviderRef, nil
		}, nil, ""},
		{name: "destinations", flat: true, of: fixed("/destinations"), size: destinationsOf},
		{name: "destinations, usable bank accounts", flat: true, of: fixed("/destinations?state=usable&kind=bank"), size: destinationsOf},
		{name: "destinations, search by name", flat: true, size: destinationsOf, of: func(ctx context.Context, h *benchHouse) (string, error) {
			list, err := h.demo.rt.Store.Destinations(ctx, h.demo.as("finance"), models.DestinationFilter{Environment: models.Sandbox}, models.Cursor{}, 50)
			if err != nil || len(list.Rows) == 0 {
				return "", errors.Join(err, errIf(err == nil, "no destination"))
			}
			d := list.Rows[len(list.Rows)-1] // its name and the end of its account
			return "/destinations?q=" + url.QueryEscape(d.Name+" "+d.Masked[len(d.Masked)-4:]), nil
		}},
		{name: "destinations, search by account", flat: true, of: fixed("/destinations?q=0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"), size: destinationsOf},
		{"detail", true, func(ctx context.Context, h *benchHouse) (string, error) {
			var id string
			err := h.demo.rt.Store.ReadDB().QueryRowContext(ctx, "SELECT transaction_id FROM transaction_details ORDER BY transaction_id LIMIT 1").Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				err = errors.New("no transaction has its details")
			}
			return "/transactions/" + id, err
		}, nil, ""},
	}, kybPages()...)
}

// pages measures every page in every house beside the static page of the same run; the plain list beside database/sql as well.
func (b *bench) pages(ctx context.Context) error {
	for _, p := range benchPages() {
		if !strings.HasPrefix(p.name, b.cmd.Page) {
			continue
		}
		var loads []*load
		var owners []*benchHouse
		for _, h := range b.houses {
			path, err := p.of(ctx, h)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			squeezed := strings.HasSuffix(p.name, "compressed")
			loads = append(loads, &load{name: p.name, base: h.base(), paths: []string{path}, token: h.tokens[cmp.Or(p.as, "finance")], gzip: squeezed},
				&load{name: "static page", base: h.base(), paths: []string{"/bench/static"}, gzip: squeezed})
			owners = append(owners, h)
			if p.name == "list" {
				loads = append(loads, &load{name: "database/sql", base: h.base(), paths: []string{"/bench/sql"}, token: h.tokens["finance"]})
			}
		}
		if err := b.contest(ctx, loads...); err != nil {
			return err
		}
		b.judge(p, owners, loads)
	}
	return nil
}

// judge notes the figures of one page: each beside its floors, and the largest house beside the smallest.
func (b *bench) judge(p page, owners []*benchHouse, loads []*load) {
	each := len(loads) / len(owners)
	first := loads[0]
	for i, h := range owners {
		l, static := loads[i*each], loads[i*each+1]
		f := l.figure(p.rows(h)).beside(static.rate(), "static page of the same size")
		if i > 0 && p.flat {
			times := first.rate() / max(l.rate(), 1e-9)
			f = f.atMost(times, 1.2, fmt.Sprintf("%.2f × the time at %s rows, at most 1.2", times, grouped(float64(p.rows(owners[0])))))
		}
		b.note(f)
		if each > 2 {
			floor := loads[i*each+2]
			b.note(floor.figure(h.rows))
			g := figure{What: "list beside database/sql", Rows: h.rows, Value: l.rate(), Unit: "req/s"}.beside(floor.rate(), "the same page by database/sql")
			b.note(g.atLeast(g.Ratio, 0.9, "within 10 %"))
		}
	}
}
