package web

import (
	"context"
	"slices"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// keyRoutes are the pages about providers, their keys and what passes between us and them.
func (a *App) keyRoutes() []handlers.Route {
	keys := &handlers.Credentials{Store: a.store, Registry: a.deps.Providers, Desk: noEngine{}, Caller: a.cfg.EgressAddress}
	hooks := &handlers.Webhooks{Store: a.store, Registry: a.deps.Providers, Gate: noEngine{}, Inbox: noEngine{}, Enqueue: noEngine{}.enqueue}
	balances := &handlers.Balances{Store: a.store, Registry: a.deps.Providers, Refresh: noEngine{}}
	if e := a.deps.Engine; e != nil {
		keys.Desk, keys.Seal = e.desk, e.rt.Vault
		hooks.Gate, hooks.Inbox, hooks.Enqueue = e.desk, e.inbox, e.hooks.Enqueue
		balances.Refresh = e.desk
	}
	return slices.Concat(keys.Routes(), (&handlers.Checks{Credentials: keys}).Routes(), (&handlers.Tables{Credentials: keys}).Routes(), (&handlers.Lookups{Credentials: keys}).Routes(),
		(&handlers.Exchanges{Credentials: keys}).Routes(), hooks.Routes(), balances.Routes())
}

// noEngine stands where there is no engine, as in tests that reach no provider: pages are drawn, and whatever would ask a provider is refused
// in words.
type noEngine struct{}

func (noEngine) refuse() error {
	return models.Errorf(models.Unavailable, "This server was started without the part that asks providers.")
}

func (n noEngine) Check(context.Context, models.Actor, string, models.Slot) (providers.Checked, error) {
	return providers.Checked{}, n.refuse()
}

func (n noEngine) Try(context.Context, models.Credential, map[string]string) error { return n.refuse() }

func (n noEngine) LookUp(context.Context, string, string, map[string]string) (providers.Sheet, error) {
	return providers.Sheet{}, n.refuse()
}

func (noEngine) CircuitOpen(string) (open, known bool) { return false, false }

func (n noEngine) Judge(context.Context, string, providers.Delivery, string) (models.Delivery, providers.Reply, bool, error) {
	return models.Delivery{}, providers.Reply{}, false, models.Errorf(models.NotFound, "There is nothing at this address.")
}

func (n noEngine) Keep(context.Context, models.Delivery) store.Kept {
	return store.Kept{Err: n.refuse()}
}

func (n noEngine) RefreshBalances(context.Context, string) error { return n.refuse() }

func (n noEngine) enqueue(*store.Tx, []string) error { return n.refuse() }
