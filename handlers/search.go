package handlers

import (
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
)

// Search finds transactions by either reference, credentials, people, pages and commands. It serves the page and, as JSON, the palette.
type Search struct {
	Store     *store.Store
	Providers *providers.Registry
}

// Routes are the lines of the table.
func (h *Search) Routes() []Route {
	return []Route{{Method: fiber.MethodGet, Path: "/search", Name: "search", Access: SignedIn, Handle: h.find}}
}

// searchRows is how many results of a kind are shown.
const searchRows = 8

// command is something to do that is not a page of the menu.
type command struct {
	label, href, words string
	need               models.Permission // empty: everybody
}

var commands = []command{
	{"New payout", "/payouts/new", "pay send money", models.PayoutsCreate},
	{"New deposit", "/deposits/new", "take money in payment link", models.DepositsCreate},
	{"New conversion", "/conversions/new", "exchange quote mint redeem", models.ConversionsCreate},
	{"New transfer", "/transfers/new", "move between own wallets", models.PayoutsCreate},
	{"Add a credential", "/credentials/new", "keys provider", models.CredentialsManage},
	{"Invite somebody", "/people#invite", "people user", models.PeopleManage},
	{"New approval rule", "/settings/policies/new", "policy", models.PoliciesManage},
	{"Approval rules", "/settings/policies", "policies", models.TransactionsRead},
	{"Address rules", "/allowlist", "ip allowlist", models.PeopleRead},
	{"People", "/people", "users roles", models.PeopleRead},
	{"My sessions", "/settings/sessions", "sign-in password second factor", ""},
	{"Ledger", "/balances/ledger", "books accounts entries", models.BalancesRead},
	{"Outcomes unknown", "/transactions?state=unknown", "lost", models.TransactionsRead},
	{"Transactions that need a look", "/transactions?attention=1", "alert attention", models.TransactionsRead},
	{"New destination", "/destinations/new", "beneficiary account address add", models.DestinationsCreate},
	{"Bring a file of destinations", "/destinations/import", "csv import upload", models.DestinationsCreate},
	{"Books of the providers", "/destinations/books", "whitelist remit drift differences", models.DestinationsRead},
	{"Guard of destinations", "/destinations/guard", "waiting time cool-down", models.DestinationsRead},
	{"Sub-accounts", "/sub-accounts", "companies compliance", models.TransactionsRead},
	{"New sub-account", "/sub-accounts/new", "company open", models.SubAccountsManage},
	{"Sub-accounts from a file", "/sub-accounts/batches/new", "csv batch import companies", models.SubAccountsManage},
	{"Failed webhooks", "/webhooks?state=failed", "callbacks", models.WebhooksRead},
}

func (h *Search) find(c *Ctx) error {
	asJSON := strings.HasPrefix(c.Fiber.Get(fiber.HeaderAccept), "application/json")
	text, err := models.CleanText("q", c.Query("q"), 100, false)
	if err != nil {
		text = ""
	}
	p := views.SearchParams{Text: text}
	if text != "" {
		if p.Results, err = h.results(c, text, asJSON); err != nil {
			return err
		}
	}
	if asJSON {
		body, err := json.Marshal(map[string]any{"results": nonNil(p.Results)})
		if err != nil {
			return err
		}
		c.Fiber.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
		return c.Fiber.Send(body)
	}
	for _, r := range p.Results {
		if r.Exact { // somebody who types a whole reference wants that page
			return c.Redirect(r.Href)
		}
	}
	p.Page = c.Page("Search")
	p.Page.Search = text
	return c.Render(views.Search(p))
}

func nonNil(rs []views.SearchResult) []views.SearchResult {
	if rs == nil {
		return []views.SearchResult{}
	}
	return rs
}

// results asks each place that this person may look into; every one is bounded. The palette has the pages of the menu already.
func (h *Search) results(c *Ctx, text string, palette bool) ([]views.SearchResult, error) {
	out, err := h.transactions(c, text)
	if err != nil {
		return nil, err
	}
	lower := strings.ToLower(text)
	for _, x := range commands {
		if (x.need == "" || c.Actor.Can(x.need)) && (strings.Contains(strings.ToLower(x.label), lower) || (len(lower) > 2 && strings.Contains(x.words, lower))) {
			out = append(out, views.SearchResult{Label: x.label, Href: x.href, Kind: "Commands"})
		}
	}
	if !palette && c.Shell.Menu != nil {
		for _, m := range c.Shell.Menu(c.Actor) {
			if strings.Contains(strings.ToLower(m.Label), lower) {
				out = append(out, views.SearchResult{Label: m.Label, Href: m.Href, Kind: "Pages"})
			}
		}
	}
	if c.Actor.Can(models.CredentialsRead) {
		names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
		if err != nil {
			return nil, err
		}
		n := 0
		for _, x := range names {
			short := describe(h.Providers, x.Provider).Short
			if n < searchRows && strings.Contains(strings.ToLower(x.Name+" "+short+" "+x.Provider), lower) {
				n++
				out = append(out, views.SearchResult{Label: x.Name, Href: "/credentials/" + x.ID, Kind: "Credentials", Note: short + ", " + x.State})
			}
		}
	}
	places, err := h.places(c, text)
	if err != nil {
		return nil, err
	}
	out = append(out, places...)
	if !c.Actor.Can(models.PeopleRead) {
		return out, nil
	}
	people, err := h.Store.FindPeople(c.Context(), c.Actor, text)
	for _, u := range people {
		out = append(out, views.SearchResult{Label: u.Name, Href: "/people/" + u.ID, Kind: "People", Note: models.RoleText(u.Roles)})
	}
	return out, err
}

// places are destinations and sub-accounts whose names begin so, or whose account or number it is. Destinations are masked here.
func (h *Search) places(c *Ctx, text string) (out []views.SearchResult, err error) {
	if c.Actor.Can(models.DestinationsRead) && len(text) >= 3 {
		list, err := h.Store.Destinations(c.Context(), c.Actor, models.DestinationFilter{Environment: c.Env, Search: text}, models.Cursor{}, searchRows)
		if err != nil {
			return nil, err
		}
		for i := range list.Rows {
			d := &list.Rows[i]
			out = append(out, views.SearchResult{Label: d.Name, Href: views.DestinationPath(d.ID), Kind: "Destinations", Note: d.Masked + ", " + strings.ToLower(d.StateAt(models.At(c.Now), list.Guard).Word())})
		}
	}
	if len(text) >= 2 {
		list, err := h.Store.SubAccounts(c.Context(), c.Actor, models.SubAccountFilter{Environment: c.Env, Search: text}, models.Cursor{}, searchRows)
		if models.Is(err, models.Forbidden) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range list.Rows {
			a := &list.Rows[i]
			out = append(out, views.SearchResult{Label: a.Name, Href: "/sub-accounts/" + a.ID, Kind: "Sub-accounts", Note: a.Company + ", " + strings.ToLower(a.State.Word())})
		}
	}
	return out, nil
}

func (h *Search) transactions(c *Ctx, text string) ([]views.SearchResult, error) {
	if !c.Actor.Can(models.TransactionsRead) || len(text) < 3 {
		return nil, nil
	}
	list, err := h.Store.List(c.Context(), c.Actor, models.Filter{Environment: c.Env, Search: text, Zone: c.Zone}, models.Cursor{}, searchRows)
	if err != nil {
		return nil, err
	}
	var out []views.SearchResult
	for i := range list.Rows {
		t := &list.Rows[i]
		r := views.SearchResult{Label: t.Reference, Href: "/transactions/" + t.ID, Kind: "Transactions", Note: string(t.Kind) + ", " + t.Amount.String() + ", " + strings.ToLower(t.State.Word())}
		r.Exact = len(list.Rows) == 1 && (strings.EqualFold(text, t.Reference) || text == t.ProviderRef)
		out = append(out, r)
	}
	return out, nil
}
