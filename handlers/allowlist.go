package handlers

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
)

// Allowlist is the pages of the address rules: who may use the console, where webhooks may come from, which of our addresses providers know,
// and from where API keys may be used.
type Allowlist struct {
	Store    *store.Store
	Registry *providers.Registry
	Caller   string         // the configured address that providers see us call from; empty: not configured
	Proxies  []netip.Prefix // whose X-Forwarded-For is believed
}

// Routes lists them.
func (h *Allowlist) Routes() []Route {
	post := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: "POST", Path: path, Name: name, Permission: models.AllowlistManage, StepUp: true, Section: "settings", Handle: f}
	}
	return []Route{
		{Method: "GET", Path: "/allowlist", Name: "allowlist", AnyOf: []models.Permission{models.AllowlistManage, models.PeopleRead}, Section: "settings", Handle: h.list},
		post("/allowlist", "allowlist.add", h.add),
		post("/allowlist/:id/remove", "allowlist.remove", h.remove),
		post("/allowlist/:id/told", "allowlist.told", h.told),
	}
}

func (h *Allowlist) list(c *Ctx) error {
	p := views.AllowlistParams{Form: views.RuleForm{Scope: models.IPScope(c.Query("scope")), CredentialID: c.Query("credential"), Door: c.Query("door")}}
	if id := c.Query("add"); id != "" && c.Actor.Can(models.AllowlistManage) {
		x, err := h.Store.RefusedAddress(c.Context(), c.Actor, id)
		if err != nil {
			return err
		}
		p.Form = views.RuleForm{Scope: x.Scope, Role: string(x.Role), CredentialID: x.CredentialID, CIDR: x.IP, Label: x.UserName, Adds: true}
	}
	return h.render(c, fiber.StatusOK, p)
}

// render draws the page of one scope.
func (h *Allowlist) render(c *Ctx, status int, p views.AllowlistParams) (err error) {
	if !p.Form.Scope.Valid() {
		p.Form.Scope = models.ScopeConsole
	}
	p.Scope, p.Me, p.Clock, p.Env = p.Form.Scope, c.Actor, c.Clock(), c.Env
	if p.Rules, err = h.Store.IPRules(c.Context(), c.Actor, p.Scope, c.Env); err != nil {
		return err
	}
	if p.Refused, err = h.Store.RefusedAddresses(c.Context(), c.Actor, p.Scope, c.Env); err != nil {
		return err
	}
	if p.Changes, err = h.waiting(c); err != nil {
		return err
	}
	p.Unbelieved = h.unbelieved(c)
	if p.Scope == models.ScopeWebhook || p.Scope == models.ScopeEgress {
		if err := h.doors(c, &p); err != nil {
			return err
		}
	}
	return c.RenderStatus(status, views.Allowlist(c.Page("Address rules"), p))
}

// waiting lists the changes of address rules that wait for another admin.
func (h *Allowlist) waiting(c *Ctx) ([]models.Change, error) {
	list, err := h.Store.PendingChanges(c.Context(), c.Actor)
	return slices.DeleteFunc(list, func(x models.Change) bool { return !strings.HasPrefix(x.Kind, "ip_rule.") }), err
}

// unbelieved is who sent this request when it says that it came by way of a proxy that nobody configured: then every address that we see is
// that proxy's. Nothing is concluded from what the request claims.
func (h *Allowlist) unbelieved(c *Ctx) string {
	peer, ok := netip.AddrFromSlice(c.Fiber.Context().RemoteIP())
	if c.Fiber.Get(fiber.HeaderXForwardedFor) == "" || !ok {
		return ""
	}
	if slices.ContainsFunc(h.Proxies, func(p netip.Prefix) bool { return p.Contains(peer.Unmap()) }) {
		return ""
	}
	return peer.Unmap().String()
}

// doors fills in the credentials of the environment: what calls in by them, and which lists of their providers name us.
func (h *Allowlist) doors(c *Ctx, p *views.AllowlistParams) error {
	list, err := h.Store.Credentials(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	if p.Seen, err = h.Store.Callers(c.Context(), c.Actor, c.Env); err != nil {
		return err
	}
	p.Configured, p.Learned = h.Caller, store.Learned(p.Seen)
	for _, cred := range list {
		provider, ok := h.Registry.Get(cred.Provider)
		if !ok || cred.State == models.CredentialRevoked {
			continue
		}
		d := &provider.Description
		p.Doors = append(p.Doors, views.Door{Credential: cred, Provider: d, Hooks: len(d.Webhooks) > 0,
			Worries: cred.AddressWorries(models.Signs{Now: models.At(c.Now), Caller: cmp.Or(h.Caller, p.Learned), Egress: p.Rules, Lists: d.AddressTitles(), Seen: p.Seen})})
	}
	return nil
}

func (h *Allowlist) add(c *Ctx) error {
	form := views.RuleForm{Scope: models.IPScope(c.Form("scope")), Role: cutText(c.Form("role"), 20), CredentialID: cutText(c.Form("credential"), 40), Door: cutText(c.Form("door"), 100),
		CIDR: cutText(c.Form("cidr"), 100), Label: cutText(c.Form("label"), 200), Expires: cutText(c.Form("expires"), 10), Wide: c.Form("wide") != ""}
	if form.Scope == "" {
		form.Scope = models.ScopeConsole
	}
	pending, err := h.ask(c, form)
	if errs, ok := Problems(err); ok {
		form.Errors = errs
		return h.render(c, fiber.StatusUnprocessableEntity, views.AllowlistParams{Form: form})
	}
	return h.done(c, pending, form.Scope, "The rule is in force.", err)
}

// ask reads what only this side knows, the viewer's zone and the provider's lists, and hands the rest to the store.
func (h *Allowlist) ask(c *Ctx, form views.RuleForm) (pending bool, err error) {
	n := store.NewIPRule{Scope: form.Scope, Role: models.Role(form.Role), CredentialID: form.CredentialID, CIDR: form.CIDR, Label: form.Label, Wide: form.Wide}
	var problems []models.Problem
	if form.Scope == models.ScopeEgress {
		n.CredentialID, n.List, _ = strings.Cut(form.Door, " ")
	}
	if form.Expires != "" {
		day, err := time.ParseInLocation("2006-01-02", form.Expires, c.Zone)
		if err != nil || day.Year() > 2200 {
			problems = append(problems, models.Problem{Field: "expires", Sentence: "Write the last day as 2026-09-21."})
		} else {
			n.Expires = models.At(day.AddDate(0, 0, 1)) // through the end of that day
		}
	}
	if n.Scope == models.ScopeWebhook || n.Scope == models.ScopeEgress {
		if field, sentence := h.noDoor(c, n); sentence != "" {
			problems = append(problems, models.Problem{Field: field, Sentence: sentence})
		}
	}
	if len(problems) > 0 {
		return false, models.Problems(problems)
	}
	return h.Store.AddRule(c.Context(), c.Actor, n)
}

// noDoor says why there is nothing that such a rule could guard.
func (h *Allowlist) noDoor(c *Ctx, n store.NewIPRule) (field, sentence string) {
	field = "credential"
	if n.Scope == models.ScopeEgress {
		field = "door"
	}
	cred, err := h.Store.Credential(c.Context(), c.Actor, n.CredentialID)
	if err != nil || cred.Environment != c.Env {
		return field, "Choose one from the list."
	}
	p, ok := h.Registry.Get(cred.Provider)
	switch {
	case !ok:
		return field, "Choose one from the list."
	case n.Scope == models.ScopeWebhook && len(p.Description.Webhooks) == 0:
		return field, p.Description.Short + " sends no webhooks."
	}
	if _, ok := p.Description.AddressList(n.List); n.Scope == models.ScopeEgress && !ok {
		return field, p.Description.Short + " has no such list."
	}
	return "", ""
}

func (h *Allowlist) remove(c *Ctx) error {
	return h.act(c, "The rule is gone.", func(ctx context.Context) (bool, error) { return h.Store.RemoveRule(ctx, c.Actor, c.Param("id")) })
}

func (h *Allowlist) told(c *Ctx) error {
	return h.act(c, "Marked.", func(ctx context.Context) (bool, error) {
		return false, h.Store.MarkTold(ctx, c.Actor, c.Param("id"), models.Told(c.Form("told")))
	})
}

// act does something with one rule and goes back to the page of its scope.
func (h *Allowlist) act(c *Ctx, sentence string, do func(context.Context) (bool, error)) error {
	scope := models.IPScope(c.Form("scope"))
	pending, err := do(c.Context())
	if err != nil {
		return c.Refused(views.AllowlistHref(scope), err)
	}
	return h.done(c, pending, scope, sentence, nil)
}

func (h *Allowlist) done(c *Ctx, pending bool, scope models.IPScope, sentence string, err error) error {
	if err != nil {
		return err
	}
	if pending {
		sentence = "This waits until another admin agrees."
	}
	return c.Done(views.AllowlistHref(scope), sentence)
}
