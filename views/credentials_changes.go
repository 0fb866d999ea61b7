package views

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

func waitingRows(list []WaitingChange, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, w := range list {
		href := CredentialPath(w.Credential.ID) + "#change"
		rows = append(rows, ui.Row{Href: href, Cells: []ui.Cell{{Text: w.Change.Kind.Word(), Href: href, Sub: w.Change.Reason, Head: true}, ui.Text(w.Credential.Name),
			ui.Text(w.Change.AskedName), ui.Is(ui.Time(clock.at(w.Change.AskedAt)))}})
	}
	return rows
}

func aboutTerms(s CredentialParams) []ui.Term {
	return []ui.Term{
		{Label: "Sub-account", Text: s.C.SubAccount},
		{Label: "Note", Text: s.C.Note},
		{Label: "Version", Text: versionText(s.C), Sub: "grows with every change of addresses, settings or secrets; approvals given before count no longer"},
		{Label: "Keys issued", Content: ui.Time(s.Clock.at(s.C.IssuedAt))},
		{Label: "Replace by", Content: ui.Time(s.Clock.at(s.C.RotateBy)), Sub: "every " + days(s.C.RotateDays)},
		{Label: "Written down", Content: ui.Time(s.Clock.at(s.C.CreatedAt)), Sub: "by " + s.C.CreatedBy},
		{Label: "Its words", Content: ui.Button(ui.ButtonParams{Label: "Change name and notes", Href: CredentialPath(s.C.ID, "notes"), Small: true, Reason: notesReason(s)})},
	}
}

func notesReason(s CredentialParams) string {
	switch {
	case !s.Me.Can(models.CredentialsManage):
		return "an admin can"
	case s.C.State == models.CredentialRevoked:
		return "it is revoked"
	}
	return ""
}

// changeDiff shows what a waiting change would do, side by side.
func changeDiff(c models.Credential, d *providers.Description) []ui.Row {
	var rows []ui.Row
	add := func(what, now, then string) {
		if now != then {
			rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: what, Head: true}, ui.Text(orElse(now, "—")), ui.Text(orElse(then, "—"))}})
		}
	}
	switch c.Change.Kind {
	case models.ChangeActivate, models.ChangeResume:
		add("State", c.State.Word(), models.CredentialActive.Word())
		for _, f := range d.Fields {
			if !f.Secret && c.Values[f.Name] != "" {
				add(f.Label, "", c.Values[f.Name])
			}
		}
		for _, k := range c.In(models.SlotCurrent) {
			add(fieldLabel(d, k.Field), "", "fingerprint "+shortPrint(k.Fingerprint))
		}
	case models.ChangeEdit:
		for _, name := range keysOf(c.Values, c.Change.Values) {
			add(fieldLabel(d, name), c.Values[name], c.Change.Values[name])
		}
		for _, name := range keysOf(c.Settings, c.Change.Settings) {
			add(settingLabel(d, name), c.Settings[name], c.Change.Settings[name])
		}
	case models.ChangePromote:
		rows = append(rows, secretDiff(c, d, models.SlotNext)...)
	case models.ChangeBack:
		rows = append(rows, secretDiff(c, d, models.SlotPrevious)...)
	}
	return rows
}

func secretDiff(c models.Credential, d *providers.Description, then models.Slot) []ui.Row {
	prints := func(slot models.Slot) map[string]string {
		out := map[string]string{}
		for _, k := range c.In(slot) {
			out[k.Field] = "fingerprint " + shortPrint(k.Fingerprint)
		}
		return out
	}
	now, next := prints(models.SlotCurrent), prints(then)
	var rows []ui.Row
	for _, name := range keysOf(now, next) {
		sub := ""
		if now[name] == next[name] {
			sub = "the same"
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: fieldLabel(d, name), Head: true}, ui.Text(orElse(now[name], "—")), {Text: orElse(next[name], "—"), Sub: sub}}})
	}
	return rows
}

func keysOf(a, b map[string]string) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func settingLabel(d *providers.Description, name string) string {
	for _, s := range d.Settings {
		if s.Name == name {
			return s.Label
		}
	}
	return name
}

func changeHistory(list []models.CredentialChange, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, ch := range list {
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: ch.Kind.Word(), Sub: ch.Reason, Head: true}, ui.Is(ui.Time(clock.at(ch.AskedAt))), ui.Text(ch.AskedName),
			{Text: string(ch.State), Sub: ch.Note}, ui.Is(ui.Time(clock.at(ch.DecidedAt))), ui.Text(ch.DecidedName)}})
	}
	return rows
}

// operationName is what people call an operation that a lock names: a method by its title, a capability by what it is for.
func operationName(d *providers.Description, id string) string {
	if m, ok := d.Method(id); ok {
		return m.Title
	}
	for _, c := range allCapabilities() {
		if string(c.Can) == id {
			return c.Text
		}
	}
	return id
}

func lockRows(locks []providers.Lock, c models.Credential, d *providers.Description) []ui.Row {
	var rows []ui.Row
	for _, l := range locks {
		unlocks := "no item to confirm; see the reason"
		if len(l.Items) > 0 {
			unlocks = "proof of " + strings.Join(l.Items, ", ")
			if c.Environment == models.Live {
				unlocks = "two admins who confirm " + strings.Join(l.Items, ", ")
			}
		}
		if l.Warning {
			unlocks = "a warning only: in the sandbox it can be used"
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: operationName(d, l.Operation), Head: true}, ui.Text(l.Reason), {Text: unlocks, Href: CredentialPath(c.ID, "contract")}}})
	}
	return rows
}

func busyReason(c models.Credential) string {
	if c.Change != nil {
		return "another change waits for a second admin"
	}
	return ""
}

func activateReason(c models.Credential) string {
	if c.Environment == models.Live && !providers.CheckVerdict(c.Tested).Passed() {
		return "test the keys first"
	}
	return busyReason(c)
}

func promoteReason(c models.Credential) string {
	if !c.NextPassed() {
		return "test the new secrets first"
	}
	return busyReason(c)
}

func versionText(c models.Credential) string { return strconv.FormatInt(c.Version, 10) }
