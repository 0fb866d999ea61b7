package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// routes is THE route table: one line per noun. A test walks it with every role.
func (a *App) routes() []handlers.Route {
	signIn := &handlers.SignIn{Store: a.store, Demo: a.deps.People, Passkeys: a.cfg.passkeys()}
	settings := &handlers.Settings{Store: a.store, Passkeys: signIn.Passkeys}
	intake := handlers.NewIntake(a.store, a.deps.Files, a.deps.Scan)
	return slices.Concat(
		(&handlers.Home{Store: a.store, Providers: a.deps.Providers, Caller: a.cfg.EgressAddress}).Routes(),
		signIn.Routes(),
		(&handlers.Passkeys{Store: a.store, Site: signIn.Passkeys, SignIn: signIn, Settings: settings}).Routes(),
		(&handlers.Transactions{Store: a.store, Providers: a.deps.Providers, Merchant: a.cfg.Merchant, Ask: a.deps.Engine.asker(), Instance: a.deps.Engine.name(),
			Intake: intake}).Routes(),
		(&handlers.Make{Store: a.store, Providers: a.deps.Providers, Ask: a.deps.Engine.asker(), Callback: a.deps.Engine.callbacks(), Sniff: sniffProof}).Routes(),
		a.keyRoutes(),
		(&handlers.Destinations{Store: a.store, Providers: a.deps.Providers, Ask: a.deps.Engine.asker(), Books: a.deps.Engine.books(), Callback: a.deps.Engine.callbacks()}).Routes(),
		(&handlers.Approvals{Store: a.store, Providers: a.deps.Providers}).Routes(),
		(&handlers.Policies{Store: a.store, Providers: a.deps.Providers}).Routes(),
		(&handlers.Ledger{Store: a.store, Providers: a.deps.Providers}).Routes(),
		(&handlers.Search{Store: a.store, Providers: a.deps.Providers}).Routes(),
		settings.Routes(),
		(&handlers.AccessReview{Store: a.store}).Routes(),
		(&handlers.People{Store: a.store}).Routes(),
		(&handlers.Allowlist{Store: a.store, Registry: a.deps.Providers, Caller: a.cfg.EgressAddress, Proxies: a.cfg.proxies}).Routes(),
		(&handlers.SubAccounts{Store: a.store, Providers: a.deps.Providers, Ask: a.deps.Engine.subAccounts()}).Routes(),
		(&handlers.Audit{Store: a.store}).Routes(),
		handlers.Kit{Served: a.cfg.kit()}.Routes(),
		(&handlers.KYB{Store: a.store, Providers: a.deps.Providers, Files: a.deps.Files, Intake: intake}).Routes(),
		a.deps.Floors,
	)
}

// checkRoutes refuses a table with a mistake in it: the program does not start with a route that nobody guards.
func checkRoutes(routes []handlers.Route) error {
	seen := map[string]bool{}
	for _, r := range routes {
		ways := 0
		if r.Access != "" {
			ways++
		}
		if r.Permission != "" {
			ways++
		}
		if len(r.AnyOf) > 0 {
			ways++
		}
		key := r.Method + " " + r.Path
		switch {
		case ways != 1:
			return fmt.Errorf("route %s: exactly one of Access, Permission and AnyOf must be set", key)
		case r.Name == "" || r.Handle == nil || !strings.HasPrefix(r.Path, "/"):
			return fmt.Errorf("route %s has no name, no handler or no path", key)
		case seen[key] || seen[r.Name]:
			return fmt.Errorf("route %s (%s) is there twice", key, r.Name)
		case r.StepUp && r.Access == handlers.Public:
			return fmt.Errorf("route %s: a step-up needs somebody who is signed in", key)
		}
		seen[key], seen[r.Name] = true, true
	}
	return nil
}

// menuItem is a line of the left menu with the route that it opens.
type menuItem struct {
	views.MenuItem
	route handlers.Route
}

// standardMenu keeps the items whose page exists.
func standardMenu(routes []handlers.Route) (items []menuItem) {
	for _, m := range views.StandardMenu() {
		i := slices.IndexFunc(routes, func(r handlers.Route) bool { return r.Method == "GET" && r.Path == m.Href })
		if i >= 0 {
			items = append(items, menuItem{m, routes[i]})
		}
	}
	return items
}

// menuFor keeps the items that somebody may open.
func (a *App) menuFor(actor models.Actor) (items []views.MenuItem) {
	for _, m := range a.menu {
		if m.route.Admits(actor) {
			items = append(items, m.MenuItem)
		}
	}
	return items
}

// menuCounts is what waits for the person, by menu item. A failure leaves the counts away: a page is more than its menu.
func (a *App) menuCounts(c *handlers.Ctx) map[string]string {
	w, err := a.store.ApprovalsWaiting(c.Context(), c.Actor, c.Env)
	if err != nil {
		a.log.WarnContext(c.Context(), "what waits could not be counted", "request_id", c.RequestID, "err", err)
		return nil
	}
	out := map[string]string{}
	if w.Count > 0 {
		out["approvals"] = strconv.FormatInt(w.Count, 10)
	}
	if n, err := a.store.KYBQuestions(c.Context(), c.Actor, c.Env); err == nil && n > 0 {
		out["kyb"] = strconv.FormatInt(n, 10)
	}
	return out
}

// workChoices is how many sub-accounts filters offer.
const workChoices = 40

// workIn is what the switch of the working sub-account and the filters offer. A failure leaves them away: a page is more than its frame.
func (a *App) workIn(c *handlers.Ctx) []models.Working {
	list, err := a.store.SubAccountChoices(c.Context(), c.Actor, c.Env, workChoices)
	if err != nil {
		a.log.WarnContext(c.Context(), "the sub-accounts to work in could not be read", "request_id", c.RequestID, "err", err)
	}
	return list
}

// bands are what stands on every page: a guard that is off. A failure leaves them away and is logged.
func (a *App) bands(c *handlers.Ctx) []ui.NoticeParams {
	g, err := a.store.GuardBand(c.Context(), c.Env)
	if err != nil {
		a.log.WarnContext(c.Context(), "the guard of destinations could not be read", "request_id", c.RequestID, "err", err)
		return nil
	}
	return views.GuardBand(g, models.At(c.Now), c.Zone)
}

// bodyLimits tells fasthttp, before a body is read, how much the route takes. Unknown addresses take an ordinary form, so that nobody can make us
// read more by missing a route.
func bodyLimits(routes []handlers.Route) func(*fasthttp.RequestHeader) (bytes int, stream bool) {
	type limit struct {
		method string
		parts  []string
		bytes  int
		stream bool
	}
	var limits []limit
	for _, r := range routes {
		if r.BodyLimit > 0 {
			limits = append(limits, limit{r.Method, strings.Split(r.Path, "/"), r.BodyLimit, r.Stream})
		}
	}
	return func(h *fasthttp.RequestHeader) (int, bool) {
		path, _, _ := strings.Cut(string(h.RequestURI()), "?")
		parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
		for _, l := range limits {
			if string(h.Method()) == l.method && samePath(l.parts, parts) {
				return l.bytes, l.stream
			}
		}
		return handlers.FormLimit, false
	}
}

func samePath(pattern, parts []string) bool {
	if len(pattern) != len(parts) {
		return false
	}
	for i, p := range pattern {
		if p != parts[i] && !strings.HasPrefix(p, ":") {
			return false
		}
	}
	return true
}
