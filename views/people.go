package views

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// Where the people's pages are.
const (
	SignInPath       = "/sign-in"
	SecondFactorPath = "/second-factor"
	EnrolPath        = "/enrol"
	StepUpPath       = "/step-up"
	PeoplePath       = "/people"
	AllowlistPath    = "/allowlist"
	AuditPath        = "/audit"
	SettingsPath     = "/settings"
)

func lines(list []string) string { return strings.Join(list, "\n") }

// Clock is how times are shown on a page.
type Clock struct {
	Zone *time.Location
	Now  time.Time
}

func (c Clock) at(m models.Micros) ui.TimeParams {
	return ui.TimeParams{At: m.Time(), Zone: c.Zone, Form: ui.TimeMinute}
}

func userStatus(s models.UserState) ui.StatusParams {
	switch s {
	case models.Active:
		return ui.StatusParams{Tone: ui.Ok, Word: "Active"}
	case models.Invited:
		return ui.StatusParams{Tone: ui.Wait, Word: "Invited"}
	}
	return ui.StatusParams{Tone: ui.Bad, Word: "Suspended", Hollow: true}
}

// RoleOptions are the roles as tick boxes, with what each is for.
func RoleOptions(chosen []models.Role) []ui.Option {
	help := map[models.Role]string{
		models.Finance:    "creates and approves payouts, takes deposits",
		models.Compliance: "sub-accounts, KYB, destinations, the audit trail; never moves money",
		models.Admin:      "people, provider credentials, address rules, approval rules; never moves money",
		models.Auditor:    "reads everything, changes nothing",
	}
	var out []ui.Option
	for _, r := range models.Roles() {
		out = append(out, ui.Option{Value: string(r), Label: string(r), Help: help[r], Selected: slices.Contains(chosen, r)})
	}
	return out
}

func personPath(id string) string { return PeoplePath + "/" + id }

func peopleRows(people []models.User, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, u := range people {
		factor := "second factor set up"
		if !u.HasFactor {
			factor = "no second factor"
		}
		rows = append(rows, ui.Row{Href: personPath(u.ID), Cells: []ui.Cell{
			{Text: u.Name, Href: personPath(u.ID), Sub: u.Email, Head: true},
			ui.Text(models.RoleText(u.Roles)),
			{Content: ui.StatusChip(userStatus(u.State)), Sub: factor},
			ui.Text(fmt.Sprint(u.OpenSessions)),
			ui.Is(ui.Time(clock.at(u.LastSignIn))),
		}})
	}
	return rows
}

// shortAgent makes a browser's own words readable.
func shortAgent(agent string) string {
	browser := "another program"
	for _, b := range []struct{ mark, name string }{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}} {
		if strings.Contains(agent, b.mark) {
			browser = b.name
			break
		}
	}
	for _, o := range []struct{ mark, name string }{{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS", "macOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, o.mark) {
			return browser + " on " + o.name
		}
	}
	return browser
}

func sessionRows(list []models.Session, mine string, action func(id string) string, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, s := range list {
		end := ui.Is(ui.PostButton(ui.PostButtonParams{Action: action(s.ID), Button: ui.ButtonParams{Label: "End", Small: true, Kind: ui.Danger}}))
		note := ""
		if s.ID == mine {
			end, note = ui.Is(ui.Badge(ui.BadgeParams{Text: "this one", Tone: ui.Info})), "signing out ends it"
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{
			{Text: shortAgent(s.Agent), Sub: s.IP, Head: true},
			ui.Is(ui.Time(clock.at(s.Created))),
			ui.Is(ui.Time(clock.at(s.Seen))),
			ui.Is(ui.Time(clock.at(s.Expires))),
			{Content: end.Content, Sub: note},
		}})
	}
	return rows
}

var sessionColumns = []ui.Column{{Label: "Browser"}, {Label: "Signed in", Kind: ui.TimeColumn}, {Label: "Last used", Kind: ui.TimeColumn}, {Label: "Ends at the latest", Kind: ui.TimeColumn}, {Label: "End the session", Hidden: true}}

func historyRows(list []models.SignInEntry, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, e := range list {
		tone := ui.Ok
		if strings.HasPrefix(e.Outcome, "wrong") {
			tone = ui.Bad
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{
			ui.Is(ui.Time(clock.at(e.At))),
			ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: sentence(e.Outcome)})),
			ui.Text(e.IP),
			ui.Text(shortAgent(e.Agent)),
		}})
	}
	return rows
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func changeRows(list []models.Change, me models.Actor, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, c := range list {
		rows = append(rows, ui.Row{Cells: []ui.Cell{
			{Text: c.Sentence, Head: true, Sub: "asked by " + c.AskedName},
			ui.Is(ui.Time(clock.at(c.Asked))),
			ui.Is(ui.Time(clock.at(c.Expires))),
			ui.Is(changeButtons(c, me)),
		}})
	}
	return rows
}

// agreeReason says why somebody cannot agree to a change, or nothing.
func agreeReason(c models.Change, me models.Actor) string {
	switch {
	case !me.Can(models.ChangesApprove):
		return "needs an admin"
	case c.AskedBy == me.UserID:
		return "you asked for it"
	case c.Subject == me.UserID:
		return "it is about you"
	}
	return ""
}

func auditRows(list []models.AuditEntry, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, e := range list {
		who := e.ActorName
		if who == "" {
			who = e.Task
		}
		rows = append(rows, ui.Row{ID: fmt.Sprintf("entry-%d", e.Seq), Copy: fmt.Sprint(e.Seq), Cells: []ui.Cell{
			ui.Text(fmt.Sprint(e.Seq)),
			ui.Is(ui.Time(ui.TimeParams{At: e.At.Time(), Zone: clock.Zone, Form: ui.TimeSecond})),
			{Text: who, Sub: e.IP, Head: true},
			{Text: e.Sentence, Sub: auditChange(e)},
			ui.Text(e.Action),
			{Text: shortHash(e.Hash)},
		}})
	}
	return rows
}

func auditChange(e models.AuditEntry) string {
	switch {
	case e.Before != "" && e.After != "":
		return cutText(e.Before, 200) + " → " + cutText(e.After, 200)
	case e.After != "":
		return cutText(e.After, 300)
	}
	return cutText(e.Before, 300)
}

func cutText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func shortHash(hash string) string {
	if len(hash) > 12 {
		return hash[:12]
	}
	return hash
}

var passkeyColumns = []ui.Column{{Label: "Passkey"}, {Label: "Registered", Kind: ui.TimeColumn}, {Label: "Last used", Kind: ui.TimeColumn}, {Label: "Remove", Hidden: true}}

// passkeyRows lists passkeys; remove gives the address that takes one away, or is nil for whoever may only look.
func passkeyRows(list []models.Passkey, clock Clock, remove func(id string) string) []ui.Row {
	var rows []ui.Row
	for _, k := range list {
		name := ui.Cell{Text: k.Name, Head: true}
		if k.Synced {
			name.Sub = "backed up by its maker: it may be on several devices"
		}
		used := ui.Text("not yet")
		if k.Used != 0 {
			used = ui.Is(ui.Time(clock.at(k.Used)))
		}
		if k.Blocked != 0 {
			used = ui.Cell{Content: ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Blocked"}), Sub: "its counter went back: a copy may exist"}
		}
		cells := []ui.Cell{name, ui.Is(ui.Time(clock.at(k.Created))), used}
		if remove != nil {
			cells = append(cells, ui.Is(ui.PostButton(ui.PostButtonParams{Action: remove(k.ID), Button: ui.ButtonParams{Label: "Remove", Small: true, Kind: ui.Danger}})))
		}
		rows = append(rows, ui.Row{Cells: cells})
	}
	return rows
}
