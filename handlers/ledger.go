package handlers

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Ledger serves the merchant's own books: the accounts with their balances, and the entries of each.
type Ledger struct {
	Store     *store.Store
	Providers *providers.Registry
}

// Routes are the lines of the table.
func (h *Ledger) Routes() []Route {
	return []Route{
		{Method: fiber.MethodGet, Path: "/balances/ledger", Name: "ledger", Permission: models.BalancesRead, Section: "balances", Handle: h.accounts},
		{Method: fiber.MethodGet, Path: "/balances/ledger/entries", Name: "ledger.entries", Permission: models.BalancesRead, Section: "balances", Handle: h.entries},
	}
}

func (h *Ledger) read(c *Ctx) (p views.LedgerParams, err error) {
	p = views.LedgerParams{Clock: c.Clock(), Providers: providerOptions(h.Providers), Credentials: map[string]models.CredentialName{}}
	if p.Balances, err = h.Store.LedgerBalances(c.Context(), c.Actor, c.Env); err != nil {
		return p, err
	}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	for _, n := range names {
		p.Credentials[n.ID] = n
	}
	return p, err
}

func (h *Ledger) accounts(c *Ctx) error {
	p, err := h.read(c)
	if err != nil {
		return err
	}
	p.Page = c.Page("Ledger")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Balances", Href: "/balances"}, {Label: "Ledger"}}
	return c.Render(views.Ledger(p))
}

const ledgerPage = 50

func (h *Ledger) entries(c *Ctx) error {
	p, err := h.read(c)
	if err != nil {
		return err
	}
	f := store.LedgerFilter{Environment: c.Env, CredentialID: c.Query("credential"), Account: models.Account(c.Query("account")), Asset: c.Query("asset"), After: c.Query("after"), Before: c.Query("before"), Limit: ledgerPage}
	for _, b := range p.Balances {
		if b.CredentialID == f.CredentialID && b.Account == f.Account && b.Money.Asset == f.Asset {
			p.Of = &b
		}
	}
	if p.Of == nil {
		return models.Errorf(models.NotFound, "There is no such account in this environment.")
	}
	lines, newer, older, err := h.Store.LedgerEntries(c.Context(), c.Actor, f)
	if err != nil {
		return err
	}
	q := url.Values{"credential": {f.CredentialID}, "account": {string(f.Account)}, "asset": {f.Asset}}
	address := func(key, id string) string {
		q.Del("after")
		q.Del("before")
		if key != "" {
			q.Set(key, id)
		}
		return "/balances/ledger/entries?" + q.Encode()
	}
	if newer || f.Before != "" || f.After != "" {
		p.Newest = address("", "")
	}
	if newer && len(lines) > 0 {
		p.Newer = address("before", lines[0].ID)
	}
	if older && len(lines) > 0 {
		p.Older = address("after", lines[len(lines)-1].ID)
	}
	p.Lines = lines
	p.Page = c.Page("Ledger entries")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Balances", Href: "/balances"}, {Label: "Ledger", Href: "/balances/ledger"}, {Label: p.Name()}}
	return c.Render(views.LedgerEntries(p))
}
