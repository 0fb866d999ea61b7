package views

import (
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// AccessPath is the access review.
const AccessPath = PeoplePath + "/access"

func accessNote(s AccessParams) string {
	if s.Review.At == 0 {
		return ""
	}
	return "As it was at " + s.Review.At.Time().In(zoneOf(s.Clock)).Format("2006-01-02 15:04") + " " + ui.ZoneName(s.Clock.Now, s.Clock.Zone)
}

// AccessState says how somebody stood.
func AccessState(l models.AccessLine) string {
	if l.Unknown {
		return "not known"
	}
	return string(l.State)
}

// AccessFactor says with what somebody proves who they are.
func AccessFactor(l models.AccessLine) string {
	switch {
	case l.Unknown:
		return "not known"
	case !l.Factor:
		return "none"
	case l.Passkeys == 0:
		return "app"
	}
	return fmt.Sprintf("app and %d %s", l.Passkeys, plural(int64(l.Passkeys), "passkey", "passkeys"))
}

func accessRows(s AccessParams) []ui.Row {
	var rows []ui.Row
	for _, l := range s.Review.People {
		roles, state := ui.Text(models.RoleText(l.Roles)), ui.Cell{Content: ui.StatusChip(userStatus(l.State))}
		if l.Unknown {
			roles, state = ui.Text("not known"), ui.Cell{Text: "not known", Sub: "no record reaches back to this day"}
		} else if l.State == models.Active && !l.Factor {
			state.Sub = "cannot come in without a second factor"
		}
		last := ui.Text("never")
		if l.LastSignIn != 0 {
			last = ui.Is(ui.Time(s.Clock.at(l.LastSignIn)))
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: l.Name, Href: personPath(l.UserID), Sub: l.Email, Head: true}, roles, state, ui.Text(AccessFactor(l)), ui.Is(ui.Time(s.Clock.at(l.Since))), last}})
	}
	return rows
}

func permissionRows(s AccessParams) []ui.Row {
	var rows []ui.Row
	for _, p := range models.AllPermissions() {
		var who []string
		for _, l := range s.Review.People {
			if l.May(p) {
				who = append(who, l.Name)
			}
		}
		if slices.ContainsFunc(s.Review.People, func(l models.AccessLine) bool { return l.Unknown }) {
			who = append(who, "of others it is not known")
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: permissionText(p), Sub: string(p), Head: true}, ui.Text(models.RoleText(models.RolesWith(p))), ui.Text(orElse(strings.Join(who, ", "), "nobody"))}})
	}
	return rows
}

// permissionText writes "payouts.create" as "Payouts: create".
func permissionText(p models.Permission) string {
	noun, verb, _ := strings.Cut(string(p), ".")
	words := map[string]string{"kyb": "KYB", "subaccounts": "Sub-accounts", "codes": "Gift-card codes", "allowlist": "Address rules", "policies": "Approval rules"}
	return orElse(words[noun], sentence(strings.ReplaceAll(noun, "_", " "))) + ": " + strings.ReplaceAll(verb, "_", " ")
}
