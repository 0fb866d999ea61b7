package handlers

import (
	"cmp"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
)

// Home is the first page: what waits, what is stuck, what there is, what runs out.
type Home struct {
	Store     *store.Store
	Providers *providers.Registry
	Caller    string // the configured address that providers see us call from
}

// Routes are the lines of the table.
func (h *Home) Routes() []Route {
	return []Route{{Method: fiber.MethodGet, Path: "/", Name: "home", Access: SignedIn, Section: "home", Handle: h.show}}
}

// homeDays is how far the pictures of the first page reach back.
const homeDays = 30

func (h *Home) show(c *Ctx) error {
	p := views.HomeParams{Me: c.Actor, Clock: c.Clock(), Env: c.Env, Providers: providerOptions(h.Providers), Days: homeDays}
	if !c.Actor.Can(models.TransactionsRead) {
		p.Page = c.Page("Home")
		return c.Render(views.Home(p))
	}
	if err := h.money(c, &p); err != nil {
		return err
	}
	if err := h.waits(c, &p); err != nil {
		return err
	}
	if err := h.balances(c, &p); err != nil {
		return err
	}
	var err error
	if p.SubAccountsFound, p.SubAccountAlerts, err = h.Store.SubAccountsWaiting(c.Context(), c.Actor, c.Env); err != nil {
		return err
	}
	if c.Actor.Can(models.KYBRead) {
		if p.KYB, err = h.Store.KYBHome(c.Context(), c.Actor, c.Env); err != nil {
			return err
		}
	}
	p.Page = c.Page("Home")
	p.Page.Narrowed = c.Working.ID != ""
	return c.Render(views.Home(p))
}

// money reads the counts of transactions, the flows of the chosen asset and how the providers do.
func (h *Home) money(c *Ctx, p *views.HomeParams) (err error) {
	if p.Home, err = h.Store.Home(c.Context(), c.Actor, c.Env, c.Working.ID); err != nil {
		return err
	}
	last := store.Day(c.Now)
	first := last - homeDays + 1
	flows, err := h.Store.DayFlows(c.Context(), c.Actor, c.Env, c.Working.ID, first, last)
	if err != nil {
		return err
	}
	p.FirstDay, p.LastDay = first, last
	p.Assets = busiest(flows)
	if p.Asset = c.Query("asset"); !slices.Contains(p.Assets, p.Asset) {
		p.Asset = ""
		if len(p.Assets) > 0 {
			p.Asset = p.Assets[0]
		}
	}
	p.Flows = slices.DeleteFunc(flows, func(f models.DayFlow) bool { return f.Asset != p.Asset })
	p.Rates, err = h.Store.ProviderRates(c.Context(), c.Actor, c.Env, c.Working.ID, first)
	return err
}

// busiest lists the assets of flows, the one with the most transactions first.
func busiest(flows []models.DayFlow) []string {
	n := map[string]int64{}
	var out []string
	for _, f := range flows {
		if n[f.Asset] == 0 {
			out = append(out, f.Asset)
		}
		n[f.Asset] += f.Count
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	return out
}

// waits reads what waits for this person, each part only if they may see it.
func (h *Home) waits(c *Ctx, p *views.HomeParams) (err error) {
	if p.Approvals, err = h.Store.ApprovalsWaiting(c.Context(), c.Actor, c.Env); err != nil {
		return err
	}
	if c.Actor.Can(models.WebhooksRead) {
		for _, s := range []models.DeliveryState{models.DeliveryFailed, models.DeliveryDead} {
			n, err := h.Store.CountDeliveries(c.Context(), c.Actor, c.Env, s)
			if err != nil {
				return err
			}
			p.Deliveries = append(p.Deliveries, views.DeliveryCount{State: s, Count: int64(n)})
		}
	}
	if c.Actor.Can(models.CredentialsRead) {
		if p.Credentials, err = h.Store.Credentials(c.Context(), c.Actor, c.Env); err != nil {
			return err
		}
		if err := h.addresses(c, p); err != nil {
			return err
		}
		if p.Drifting, err = h.Store.Drifting(c.Context(), c.Actor, c.Env); err != nil {
			return err
		}
	}
	if !c.Actor.Can(models.ChangesApprove) {
		return nil
	}
	people, err := h.Store.PendingChanges(c.Context(), c.Actor)
	if err != nil {
		return err
	}
	for _, x := range people {
		if x.AskedBy != c.Actor.UserID && x.Subject != c.Actor.UserID {
			p.PeopleChanges++
		}
	}
	keys, err := h.Store.WaitingChanges(c.Context(), c.Actor, c.Env)
	for _, x := range keys {
		if x.AskedBy != c.Actor.UserID {
			p.KeyChanges++
		}
	}
	return err
}

// addresses finds the credentials whose provider has an old address of ours or refuses the one that we call from.
func (h *Home) addresses(c *Ctx, p *views.HomeParams) error {
	rules, seen, err := h.Store.EgressOf(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	for _, cred := range p.Credentials {
		if w := cred.AddressWorries(models.Signs{Now: models.At(c.Now), Caller: cmp.Or(h.Caller, store.Learned(seen)), Egress: rules, Seen: seen}); len(w) > 0 {
			p.Drifted = append(p.Drifted, cred)
		}
	}
	return nil
}

func (h *Home) balances(c *Ctx, p *views.HomeParams) error {
	if !c.Actor.Can(models.BalancesRead) {
		return nil
	}
	list, reads, err := h.Store.Balances(c.Context(), c.Actor, c.Env, models.At(c.Now.Add(-homeDays*24*time.Hour)))
	if err != nil {
		return err
	}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	books, err := h.Store.LedgerBalances(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p.Balances, p.Reads, p.InFlight, p.Names = list, reads, map[string]models.Money{}, map[string]string{}
	for _, n := range names {
		p.Names[n.ID] = n.Name
	}
	for _, b := range books {
		if b.Account == models.InFlight {
			p.InFlight[b.CredentialID+" "+b.Money.Asset] = b.Money
		}
	}
	return nil
}
