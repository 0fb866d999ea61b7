// Package views holds the pages: one file per noun, typed parameters, no queries
// and no rules. Handlers choose a view and fill its struct; the web layer renders.
//
// It may import views/ui, static, models and the descriptions of providers.
package views

import (
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// Where the shell's own forms and links go, unless Page says otherwise.
const (
	SearchPath      = "/search"            // GET ?q=; see static/app.js for the JSON that the palette reads
	SignOutPath     = "/sign-out"          // POST
	PreferencesPath = "/preferences"       // POST theme, density, back; app.js sets the cookies itself
	SessionsPath    = "/settings/sessions" // GET
	WorkPath        = "/working"           // POST sub_account, back: where the viewer works
)

// Page is what every page needs around its content.
type Page struct {
	Title   string
	Section string // id of the menu item to mark: "transactions"

	Env       string // "sandbox" or "live"
	Envs      []EnvLink
	EnvAction string // when set the switch POSTs field "environment" there, otherwise it links to EnvLink.Href

	Working  models.Working   // the sub-account that the viewer works in; the zero value: all of them
	WorkIn   []models.Working // what the switch offers; empty and no Working: there is no switch
	Narrowed bool             // this page shows the working sub-account only

	User        User
	Menu        []MenuItem
	Breadcrumbs []ui.Crumb
	Flash       ui.FlashParams
	Warnings    []ui.NoticeParams // stand on every page: a guard that is switched off

	Theme   string // "auto" (default), "light", "dark": from the cookie ch_theme
	Density string // "comfortable" (default), "compact": from the cookie ch_density
	Zone    string // the viewer's zone, shown in the user menu: "São Paulo (UTC−3)"
	Search  string // what was searched for, to fill the box
	Path    string // address of this page, so that a posted preference can come back

	KitHref string // in the demonstration and in development, for admins: where the kit is

	SearchAction  string
	SignOutAction string
	SessionsHref  string

	// Partial leaves the shell away and renders title and <main> only: for
	// requests with HX-Request (and never for HX-History-Restore-Request).
	Partial bool
}

// User is who is signed in.
type User struct {
	Name     string
	RoleText string // "finance", "finance and compliance"
	Initials string
}

func (u User) roleAfter() string {
	if u.RoleText == "" {
		return ""
	}
	return ", " + u.RoleText
}

// EnvLink is one environment to switch to.
type EnvLink struct {
	Env   string
	Label string
	Href  string
}

// MenuItem is one line of the left menu, in the order given. Group starts a
// titled group when it differs from the line before.
type MenuItem struct {
	ID     string
	Label  string
	Href   string
	Icon   ui.IconName
	Count  string // what waits: "3"
	Spoken string // what the count counts: "waiting"
	Group  string
}

func (p Page) sandbox() bool { return p.Env == "sandbox" }

func (p Page) theme() string { return oneOf(p.Theme, "auto", "light", "dark") }

func (p Page) density() string { return oneOf(p.Density, "comfortable", "compact") }

func (p Page) envLabel() string {
	for _, e := range p.Envs {
		if e.Env == p.Env {
			return e.Label
		}
	}
	if p.Env == "" {
		return "No environment"
	}
	return strings.ToUpper(p.Env[:1]) + p.Env[1:]
}

func (p Page) fullTitle() string {
	title := "Countinghouse"
	if p.Title != "" {
		title = p.Title + " · " + title
	}
	if p.sandbox() {
		title += " (sandbox)"
	}
	return title
}

// oneOf keeps a value that is in the list and takes the first otherwise: cookies
// come from outside.
func oneOf(value string, list ...string) string {
	for _, v := range list {
		if v == value {
			return v
		}
	}
	return list[0]
}

func orElse(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// menuGroups gathers consecutive items of the same group.
func menuGroups(items []MenuItem) []menuGroup {
	var out []menuGroup
	for _, i := range items {
		if len(out) == 0 || out[len(out)-1].name != i.Group {
			out = append(out, menuGroup{name: i.Group})
		}
		g := &out[len(out)-1]
		g.items = append(g.items, i)
	}
	return out
}

type menuGroup struct {
	name  string
	items []MenuItem
}

// StandardMenu is the left menu in the order of the product, all items, without
// counts; the server drops what the viewer may not see and adds what waits.
func StandardMenu() []MenuItem {
	return []MenuItem{
		{ID: "home", Label: "Home", Href: "/", Icon: ui.IconHouse},
		{ID: "transactions", Label: "Transactions", Href: "/transactions", Icon: ui.IconArrowLeftRight},
		{ID: "approvals", Label: "Approvals", Href: "/approvals", Icon: ui.IconStamp},
		{ID: "batches", Label: "Batches", Href: "/batches", Icon: ui.IconRows3},
		{ID: "destinations", Label: "Destinations", Href: "/destinations", Icon: ui.IconMapPinCheck},
		{ID: "balances", Label: "Balances", Href: "/balances", Icon: ui.IconScale},
		{ID: "reconciliation", Label: "Reconciliation", Href: "/reconciliation", Icon: ui.IconListChecks},
		{ID: "webhooks", Label: "Webhooks", Href: "/webhooks", Icon: ui.IconWebhook},
		{ID: "compliance", Label: "Compliance", Href: "/compliance", Icon: ui.IconBuilding2, Group: "Guard"},
		{ID: "kyb", Label: "KYB", Href: KYBPath, Icon: ui.IconShieldCheck, Group: "Guard", Spoken: "with an open question"},
		{ID: "providers", Label: "Providers", Href: "/providers", Icon: ui.IconPlug, Group: "Guard"},
		{ID: "audit", Label: "Audit", Href: "/audit", Icon: ui.IconScrollText, Group: "Guard"},
		{ID: "settings", Label: "Settings", Href: "/settings", Icon: ui.IconSettings2, Group: "Guard"},
	}
}

func statusText(code int) string { return strconv.Itoa(code) }
