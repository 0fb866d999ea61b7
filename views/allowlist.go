package views

import (
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// AllowlistParams is the page of one scope of address rules.
type AllowlistParams struct {
	Scope   models.IPScope
	Env     models.Environment
	Rules   []models.IPRule
	Refused []models.Refused
	Changes []models.Change // of address rules, waiting for another admin
	Me      models.Actor
	Clock   Clock
	Form    RuleForm

	Unbelieved string // a proxy that nobody configured stands before us
	Doors      []Door // webhooks and egress
	Configured string // the address that we are told we call from
	Learned    string // the one that a provider named last
	Seen       []models.CallerSeen
}

// RuleForm is the form for a new rule, as it was filled in.
type RuleForm struct {
	Scope        models.IPScope
	Role         string
	CredentialID string
	Door         string // egress: credential and list
	CIDR         string
	Label        string
	Expires      string
	Wide         bool
	Adds         bool // made from a refused address
	Errors       []ui.FieldError
}

// Door is a credential with what calls in and out by it.
type Door struct {
	Credential models.Credential
	Provider   *providers.Description
	Hooks      bool
	Worries    []models.Worry
}

// AllowlistHref is the page of a scope.
func AllowlistHref(scope models.IPScope) string {
	if !scope.Valid() || scope == models.ScopeConsole {
		return AllowlistPath
	}
	return AllowlistPath + "?scope=" + string(scope)
}

// EgressHref is the part of the page about one credential's addresses.
func EgressHref(credentialID string) string {
	return AllowlistHref(models.ScopeEgress) + "#door-" + credentialID
}

func (s AllowlistParams) manage() bool { return s.Me.Can(models.AllowlistManage) }

func (s AllowlistParams) now() models.Micros { return models.At(s.Clock.Now) }

func scopeTabs(s AllowlistParams) []ui.Tab {
	var tabs []ui.Tab
	for _, t := range []struct {
		scope models.IPScope
		label string
	}{{models.ScopeConsole, "Console"}, {models.ScopeWebhook, "Webhooks"}, {models.ScopeEgress, "What providers know of us"}, {models.ScopeAPI, "API keys"}} {
		tabs = append(tabs, ui.Tab{Label: t.label, Href: AllowlistHref(t.scope), Active: t.scope == s.Scope})
	}
	return tabs
}

// scopeSentence says what the rules of a scope do.
func scopeSentence(s AllowlistParams) string {
	switch s.Scope {
	case models.ScopeWebhook:
		return "Where webhooks of the " + string(s.Env) + " credentials may come from. A credential without a rule takes them from anywhere; signatures are checked either way."
	case models.ScopeEgress:
		return "Which of our addresses each provider was told, in " + string(s.Env) + ". Providers take addresses from people only, so this is what was sent and what calls have shown since."
	case models.ScopeAPI:
		return "There are no API keys yet. Rules made here are kept and will hold for every key from its first day."
	}
	return "From where the console may be used, role by role. A role without a rule may come from anywhere."
}

func ruleEmpty(s AllowlistParams) ui.EmptyParams {
	switch s.Scope {
	case models.ScopeWebhook:
		return ui.EmptyParams{Title: "No rules: webhooks are taken from anywhere", Text: "The first rule of a credential shuts out every other address for it."}
	case models.ScopeAPI:
		return ui.EmptyParams{Title: "No rules, and no keys to hold"}
	}
	return ui.EmptyParams{Title: "No rules: everybody may come from anywhere", Text: "The first rule for a role shuts out everybody of that role who is somewhere else."}
}

func ruleColumns(s AllowlistParams) []ui.Column {
	cols := []ui.Column{{Label: "Network"}, {Label: "Lets in"}, {Label: "Until", Kind: ui.TimeColumn}, {Label: "Last hit", Kind: ui.TimeColumn}, {Label: "Added", Kind: ui.TimeColumn}}
	if s.manage() {
		cols = append(cols, ui.Column{Label: "Remove", Hidden: true})
	}
	return cols
}

func ruleRows(s AllowlistParams) []ui.Row {
	var rows []ui.Row
	for _, r := range s.Rules {
		hit := ui.Text("not yet")
		if r.Hit != 0 {
			hit = ui.Is(ui.Time(s.Clock.at(r.Hit)))
		}
		cells := []ui.Cell{{Text: r.CIDR, Sub: r.Label, Head: true}, ui.Text(letsIn(r)), untilCell(r, s), hit, {Content: ui.Time(s.Clock.at(r.Created)), Sub: orElse(r.CreatedName, "the command line")}}
		if s.manage() {
			cells = append(cells, ui.Is(removeRule(r)))
		}
		rows = append(rows, ui.Row{Copy: r.CIDR, Cells: cells})
	}
	return rows
}

func letsIn(r models.IPRule) string {
	switch r.Scope {
	case models.ScopeWebhook:
		return "webhooks of " + r.Credential
	case models.ScopeAPI:
		return "API keys"
	}
	return orElse(string(r.Role), "everybody")
}

// untilCell says when a rule ends; one that has ended is said to guard still.
func untilCell(r models.IPRule, s AllowlistParams) ui.Cell {
	switch {
	case r.Expires == 0:
		return ui.Text("no end")
	case !r.InForce(s.now()):
		return ui.Cell{Content: ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Ended", Hollow: true}), Sub: "lets nobody in; the door stays guarded until the rule is removed"}
	}
	return ui.Is(ui.Time(s.Clock.at(r.Expires)))
}

func roleOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "everybody"}}
	for _, r := range models.Roles() {
		out = append(out, ui.Option{Value: string(r), Label: string(r)})
	}
	return out
}

func hookOptions(s AllowlistParams) []ui.Option {
	out := []ui.Option{{Value: "", Label: "Choose"}}
	for _, d := range s.Doors {
		if d.Hooks {
			out = append(out, ui.Option{Value: d.Credential.ID, Label: d.Credential.Name, Group: d.Provider.Short})
		}
	}
	return out
}

func doorOptions(s AllowlistParams) []ui.Option {
	out := []ui.Option{{Value: "", Label: "Choose"}}
	for _, d := range s.Doors {
		for _, l := range d.Provider.AddressLists {
			out = append(out, ui.Option{Value: d.Credential.ID + " " + l.ID, Label: d.Credential.Name + ": " + l.Title, Group: d.Provider.Short})
		}
	}
	return out
}

func refusedRows(s AllowlistParams) []ui.Row {
	var rows []ui.Row
	for _, x := range s.Refused {
		who := ui.Cell{Text: x.Credential}
		if x.Scope == models.ScopeConsole {
			who = ui.Cell{Text: orElse(x.UserName, "somebody who is gone"), Sub: orElse(string(x.Role), "no role")}
		}
		cells := []ui.Cell{{Text: x.IP, Head: true}, who, {Text: ui.Count(x.Count)}, ui.Is(ui.Time(s.Clock.at(x.First))), ui.Is(ui.Time(s.Clock.at(x.Last)))}
		if s.manage() {
			cells = append(cells, addThis(x, s))
		}
		rows = append(rows, ui.Row{Copy: x.IP, Cells: cells})
	}
	return rows
}

func refusedColumns(s AllowlistParams) []ui.Column {
	who := "Who"
	if s.Scope == models.ScopeWebhook {
		who = "Webhooks of"
	}
	cols := []ui.Column{{Label: "Address"}, {Label: who}, {Label: "Times", Kind: ui.NumberColumn}, {Label: "First", Kind: ui.TimeColumn}, {Label: "Last", Kind: ui.TimeColumn}}
	if s.manage() {
		cols = append(cols, ui.Column{Label: "Let it in", Hidden: true})
	}
	return cols
}

func addThis(x models.Refused, s AllowlistParams) ui.Cell {
	rules := slices.DeleteFunc(models.InForce(s.Rules, s.now()), func(r models.IPRule) bool {
		return r.CredentialID != x.CredentialID || (r.Role != "" && r.Role != x.Role)
	})
	if models.Inside(rules, x.IP) {
		return ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Let in now"}))
	}
	return ui.Is(ui.Button(ui.ButtonParams{Label: "Add this", Href: AllowlistPath + "?add=" + x.ID + "#add", Small: true}))
}

// callerSentence says what is known about the address that we call from.
func callerSentence(s AllowlistParams) (tone ui.Tone, text string) {
	switch {
	case s.Configured != "" && s.Learned != "" && s.Learned != s.Configured:
		return ui.Wait, fmt.Sprintf("This server is configured to call from %s, but a provider said that it saw %s. Correct --egress-address, or the network's way out.", s.Configured, s.Learned)
	case s.Configured != "":
		return ui.Info, "We call from " + s.Configured + ", as configured."
	case s.Learned != "":
		return ui.Info, "We call from " + s.Learned + ": a provider named it when it refused us. Set --egress-address to be sure of it."
	}
	return ui.Wait, "The address that we call from is not known. Set --egress-address; until then nothing here can be compared with it."
}

func toldStatus(t models.Told) ui.StatusParams {
	switch t {
	case models.Sent:
		return ui.StatusParams{Tone: ui.Info, Word: "Sent"}
	case models.Confirmed:
		return ui.StatusParams{Tone: ui.Ok, Word: "Confirmed by a call"}
	case models.NotLet:
		return ui.StatusParams{Tone: ui.Bad, Word: "Refused by the provider"}
	}
	return ui.StatusParams{Tone: ui.Wait, Word: "To send"}
}

// on lists the addresses on one list of a provider.
func (s AllowlistParams) on(credentialID, list string) []models.IPRule {
	return slices.DeleteFunc(slices.Clone(s.Rules), func(r models.IPRule) bool { return r.CredentialID != credentialID || r.List != list })
}

func egressRows(rules []models.IPRule, s AllowlistParams) []ui.Row {
	var rows []ui.Row
	for _, r := range rules {
		since := ui.Text("")
		if r.ToldAt != 0 {
			since = ui.Cell{Content: toldSince(r, s), Sub: r.ToldName}
		}
		cells := []ui.Cell{{Text: r.CIDR, Sub: r.Label, Head: true}, ui.Is(ui.StatusChip(toldStatus(r.Told))), since, untilCell(r, s), {Content: ui.Time(s.Clock.at(r.Created)), Sub: orElse(r.CreatedName, "the command line")}}
		if s.manage() {
			cells = append(cells, ui.Is(egressButtons(r)))
		}
		rows = append(rows, ui.Row{Copy: r.CIDR, Cells: cells})
	}
	return rows
}

func egressColumns(s AllowlistParams) []ui.Column {
	cols := []ui.Column{{Label: "Our address"}, {Label: "State"}, {Label: "Since", Kind: ui.TimeColumn}, {Label: "Until", Kind: ui.TimeColumn}, {Label: "Added", Kind: ui.TimeColumn}}
	if s.manage() {
		cols = append(cols, ui.Column{Label: "What can be done", Hidden: true})
	}
	return cols
}

// readyText is what a person copies: for a panel the addresses, for mail a letter.
func readyText(d Door, l providers.AddressList, rules []models.IPRule, now models.Micros) string {
	var addresses []string
	for _, r := range models.InForce(rules, now) {
		addresses = append(addresses, bareAddress(r))
	}
	if !l.ByMail {
		return strings.Join(addresses, "\n")
	}
	return fmt.Sprintf("Hello,\n\nplease let our server call your API in the %s environment from these addresses. This is the whole list as it should be:\n\n%s\n\n"+
		"Account: %s\nList: %s\n\nPlease tell us when it is done. Thank you.", d.Credential.Environment, strings.Join(addresses, "\n"), namesOfAccount(d), l.Title)
}

// bareAddress leaves "/32" away: panels want single addresses without it.
func bareAddress(r models.IPRule) string {
	if p := r.Prefix(); p.IsSingleIP() {
		return p.Addr().String()
	}
	return r.CIDR
}

// namesOfAccount names an account to its provider: our name for it and the fields that are no secret and no address.
func namesOfAccount(d Door) string {
	words := []string{d.Credential.Name}
	for _, f := range d.Provider.Fields {
		if v := d.Credential.Values[f.Name]; v != "" && !f.Secret && f.Kind != providers.URL && len(f.Options) == 0 {
			words = append(words, f.Label+" "+v)
		}
	}
	return visible(strings.Join(words, ", "))
}

// how says in words how an address gets onto a list.
func listHow(l providers.AddressList) string {
	word := "By panel. "
	if l.ByMail {
		word = "By mail. "
	}
	mark := ""
	switch l.Mark {
	case providers.Assumed:
		mark = " That there is such a list is assumed."
	case providers.Sibling:
		mark = " That there is such a list is known from a sister brand only."
	case providers.Documented:
	}
	return word + l.Where + " It guards " + l.Guards + "." + mark
}
