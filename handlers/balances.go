package handlers

import (
	"context"
	"slices"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
)

// Refresher reads balances from providers and keeps them.
type Refresher interface {
	RefreshBalances(ctx context.Context, credentialID string) error
}

// Balances are what providers hold for the merchant.
type Balances struct {
	Store    *store.Store
	Registry *providers.Registry
	Refresh  Refresher
}

// Routes lists them.
func (h *Balances) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/balances", Name: "balances.show", Permission: models.BalancesRead, Section: "balances", Handle: h.show},
		{Method: "POST", Path: "/balances/refresh", Name: "balances.refresh", Permission: models.BalancesRead, Section: "balances", Timeout: askingTime, Handle: h.refresh},
	}
}

func (h *Balances) show(c *Ctx) error {
	s := views.BalancesParams{Env: c.Env, Days: 30, Me: c.Actor, Clock: c.clock()}
	if n, ok := Number(c.Query("days")); ok && slices.Contains(views.BalanceDays(), int(n)) {
		s.Days = int(n)
	}
	figures, reads, err := h.Store.Balances(c.Context(), c.Actor, c.Env, models.At(c.Now.Add(-time.Duration(s.Days)*24*time.Hour)))
	if err != nil {
		return err
	}
	creds, err := h.asked(c)
	if err != nil {
		return err
	}
	for _, cred := range creds {
		p, ok := h.Registry.Get(cred.Provider)
		if !ok {
			continue
		}
		g := views.BalanceGroup{Credential: cred, Description: &p.Description, Read: reads[cred.ID]}
		for _, f := range figures {
			if f.CredentialID == cred.ID {
				g.Figures = append(g.Figures, f)
			}
		}
		s.Groups = append(s.Groups, g)
	}
	return c.Render(views.Balances(c.Page("Balances"), s))
}

// asked lists the environment's credentials that can be asked for balances.
func (h *Balances) asked(c *Ctx) ([]models.Credential, error) {
	list, err := h.Store.CredentialsForBalances(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(cred models.Credential) bool {
		p, ok := h.Registry.Get(cred.Provider)
		return !ok || !p.Description.Has(providers.CanReadBalances)
	}), nil
}

// refresh asks now: one credential, or all, side by side. What goes wrong stands on the page beside the old figures.
func (h *Balances) refresh(c *Ctx) error {
	list, err := h.asked(c)
	if err != nil {
		return err
	}
	only := c.Form("credential")
	var ids []string
	for _, cred := range list {
		if only == "" || cred.ID == only {
			ids = append(ids, cred.ID)
		}
	}
	if len(ids) == 0 {
		return models.Errorf(models.NotFound, "There is no such credential to ask.")
	}
	failed := 0
	answers := make(chan error, len(ids))
	ctx := c.Context()
	for _, id := range ids {
		go func() { answers <- h.Refresh.RefreshBalances(ctx, id) }()
	}
	for range ids {
		if err := <-answers; err != nil {
			failed++
		}
	}
	if failed == len(ids) {
		return c.Refused(views.BalancesPath, models.Errorf(models.Conflict, "No provider answered. The reasons stand beside the figures."))
	}
	if failed > 0 {
		return c.Done(views.BalancesPath, "Asked. Not every provider answered; the reasons stand beside the figures.")
	}
	return c.Done(views.BalancesPath, "Asked. The figures are as of now.")
}
