package views

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

func emptyWhy(s ProvidersParams) string {
	if s.Me.Can(models.CredentialsManage) {
		return "Add a credential to use it in " + string(s.Env) + "."
	}
	return "An admin can add a credential for " + string(s.Env) + "."
}

func unusedRows(s ProvidersParams) []ui.Row {
	var rows []ui.Row
	for _, g := range s.Groups {
		if len(g.Credentials) == 0 {
			rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: g.Description.Title, Head: true}, ui.Text(g.Description.About), ui.Is(unusedActions(g.Description, s))}})
		}
	}
	return rows
}

func keysText(c models.Credential) string {
	if c.RotateBy == 0 {
		return "no rotation date"
	}
	return "replace by " + c.RotateBy.Time().Format("2006-01-02")
}

func credentialRows(g ProviderGroup, s ProvidersParams) []ui.Row {
	var rows []ui.Row
	now := models.At(s.Clock.Now)
	for _, c := range g.Credentials {
		word, tone := verdictWord(c.Tested)
		rows = append(rows, ui.Row{Href: CredentialPath(c.ID), Cells: []ui.Cell{
			{Text: c.Name, Href: CredentialPath(c.ID), Sub: c.SubAccount, Head: true},
			ui.Is(ui.StatusChip(credentialStatus(c))),
			ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: word, Hollow: c.Tested == ""})),
			ui.Is(credentialBadges(c, now, s.Circuits[c.ID])),
			{Content: ui.Time(s.Clock.at(c.Use.UsedAt)), Sub: lastError(c)},
			ui.Is(ui.Time(s.Clock.at(c.Use.WebhookAt))),
		}})
	}
	return rows
}

// lastError is the newest failure, while nothing has worked since.
func lastError(c models.Credential) string {
	if c.Use.ErrorAt > c.Use.OKAt {
		return c.Use.Error
	}
	return ""
}

func credentialTabList(active string, c models.Credential, d *providers.Description, me models.Actor) []ui.Tab {
	tabs := []ui.Tab{{Label: "Keys", Href: CredentialPath(c.ID), Active: active == "keys"},
		{Label: "Contract check", Href: CredentialPath(c.ID, "contract"), Active: active == "contract"},
		{Label: "Look-ups", Href: CredentialPath(c.ID, "lookups"), Active: active == "lookups"}}
	if d != nil && d.Table != nil {
		tabs = append(tabs, ui.Tab{Label: "Operation table", Href: TablePath(c.ID), Active: active == "table"})
	}
	if me.Can(models.ExchangesRead) {
		tabs = append(tabs, ui.Tab{Label: "Exchanges", Href: CredentialPath(c.ID, "exchanges"), Active: active == "exchanges"})
	}
	return tabs
}

func fieldLabel(d *providers.Description, name string) string {
	for _, f := range d.Fields {
		if f.Name == name {
			return f.Label
		}
	}
	return name
}

func valueTerms(s CredentialParams) []ui.Term {
	var terms []ui.Term
	for _, f := range s.D.Fields {
		if !f.Secret {
			terms = append(terms, ui.Term{Label: f.Label, Text: s.C.Values[f.Name]})
		}
	}
	if at := standIn(s.C, s.D); at != "" {
		terms = append(terms, ui.Term{Label: "Play " + s.D.Short, Content: ui.Ref(ui.RefParams{Text: at, Href: at, NoCopy: true}), Sub: "the stand-in's own page, where one of this program's stand-ins answers: pay, reject, lose the next reply"})
	}
	terms = append(terms, ui.Term{Label: "Our address", Content: termLink(orElse(orElse(networks(s.Egress), s.C.EgressNote), "none noted"), EgressHref(s.C.ID), s.Me), Sub: "as the provider knows it"})
	if s.Caller != "" {
		terms = append(terms, ui.Term{Label: "We call from", Text: s.Caller})
	}
	if len(s.D.Webhooks) > 0 {
		terms = append(terms, ui.Term{Label: "Webhooks are taken from", Content: termLink(orElse(networks(s.Hooks), "any address"), AllowlistHref(models.ScopeWebhook), s.Me)})
	}
	return terms
}

// standIn is the page of the stand-in that a sandbox credential talks to; empty when it talks to another machine.
func standIn(c models.Credential, d *providers.Description) string {
	if c.Environment != models.Sandbox {
		return ""
	}
	for _, site := range d.Sites {
		u, err := url.Parse(c.Values[site.Field])
		if err != nil || u.Port() == "" || (u.Scheme != "http" && u.Scheme != "https") {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			return u.Scheme + "://" + u.Host + "/_sandbox/"
		}
	}
	return ""
}

func networks(rules []models.IPRule) string {
	var out []string
	for _, r := range rules {
		if !slices.Contains(out, r.CIDR) {
			out = append(out, r.CIDR)
		}
	}
	return strings.Join(out, ", ")
}

func worryTone(w models.Worry) ui.Tone {
	if w.Grave {
		return ui.Bad
	}
	return ui.Wait
}

func worryRows(list []CredentialWorry) []ui.Row {
	var rows []ui.Row
	for _, w := range list {
		href := CredentialPath(w.Credential.ID)
		rows = append(rows, ui.Row{Href: href, Cells: []ui.Cell{{Text: w.Credential.Name, Href: href, Sub: w.Credential.Provider, Head: true},
			ui.Text(visible(w.Worry.Sentence))}})
	}
	return rows
}

func driftRows(list []models.Drift, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, d := range list {
		href := CredentialPath(d.CredentialID)
		rows = append(rows, ui.Row{Href: href, Cells: []ui.Cell{{Text: d.Credential, Href: href, Sub: d.Provider, Head: true}, ui.Text(visible(d.Sentence)), ui.Is(ui.Time(clock.at(d.Since)))}})
	}
	return rows
}

func healthTerms(s CredentialParams) []ui.Term {
	h := s.Health
	calls := strconv.Itoa(h.Calls)
	if h.Bounded {
		calls = "the newest " + calls
	}
	word, tone := verdictWord(s.C.Tested)
	circuit := map[string]ui.StatusParams{"open": {Tone: ui.Bad, Word: "Calls paused"}, "closed": {Tone: ui.Ok, Word: "Calls flow"}}[s.Circuit]
	if circuit.Word == "" {
		circuit = ui.StatusParams{Tone: ui.Idle, Word: "Not called since the start", Hollow: true}
	}
	terms := []ui.Term{
		{Label: "Last test", Content: ui.StatusChip(ui.StatusParams{Tone: tone, Word: word}), Sub: s.C.TestNote},
		{Label: "Tested", Content: ui.Time(s.Clock.at(s.C.TestedAt))},
		{Label: "Answered", Text: share(h.Calls-h.Failed, h.Calls), Sub: "of " + calls + " calls"},
		{Label: "Time to answer", Text: latency(h), Sub: "half of the calls; 95 of 100 calls"},
		{Label: "Circuit", Content: ui.StatusChip(circuit)},
		{Label: "Clock", Text: skewText(s.C.SkewSecs)},
		{Label: "Last used", Content: ui.Time(s.Clock.at(s.C.Use.UsedAt))},
	}
	if len(s.D.Webhooks) > 0 {
		terms = append(terms, ui.Term{Label: "Last webhook", Content: ui.Time(s.Clock.at(s.C.Use.WebhookAt))})
	}
	if s.C.Use.ErrorAt != 0 {
		terms = append(terms, ui.Term{Label: "Last failure", Content: ui.Time(s.Clock.at(s.C.Use.ErrorAt)), Sub: s.C.Use.Error})
	}
	return terms
}

func latency(h models.Health) string {
	if h.Calls == h.Failed {
		return ""
	}
	return millis(h.P50) + "; " + millis(h.P95)
}

func slotWord(s models.Slot) string {
	switch s {
	case models.SlotNext:
		return "new"
	case models.SlotPrevious:
		return "previous"
	}
	return "present"
}

func secretRows(s CredentialParams) []ui.Row {
	var rows []ui.Row
	for _, slot := range models.Slots() {
		for _, k := range s.C.In(slot) {
			ends := "too short to show any of it"
			if k.Last4 != "" {
				ends = "…" + k.Last4
			}
			rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: fieldLabel(s.D, k.Field), Head: true}, {Text: slotUse(k), Sub: slotNote(k, s.Clock)}, ui.Text(ends),
				ui.Text(shortPrint(k.Fingerprint)), ui.Is(ui.Time(s.Clock.at(k.SetAt))), ui.Text(k.SetBy)}})
		}
	}
	return rows
}

func shortPrint(f string) string {
	if len(f) > 12 {
		return f[:12]
	}
	return f
}

func slotUse(k models.SecretKept) string {
	switch k.Slot {
	case models.SlotNext:
		return "New, not in use"
	case models.SlotPrevious:
		return "Previous"
	}
	return "In use"
}

func slotNote(k models.SecretKept, clock Clock) string {
	switch {
	case k.Slot == models.SlotNext && k.TestedAt != 0:
		return "passed the test"
	case k.Slot == models.SlotNext:
		return "not tested yet"
	case k.Slot == models.SlotPrevious && models.At(clock.Now) < k.OverlapUntil:
		return "verifies webhooks until " + k.OverlapUntil.Time().In(zoneOf(clock)).Format("2006-01-02 15:04")
	case k.Slot == models.SlotPrevious:
		return "verifies no webhooks any more"
	}
	return ""
}

func settingRows(s CredentialParams) []ui.Row {
	var rows []ui.Row
	for _, st := range s.D.Settings {
		if st.Name == models.OperationTable {
			rows = append(rows, tableSettingRow(s, st))
			continue
		}
		chosen, sub := s.C.Settings[st.Name], "chosen"
		if chosen == "" {
			chosen, sub = st.Default, "the default"
		}
		if chosen == "" {
			sub = "not chosen yet"
		}
		for _, o := range st.Options {
			if o.Value == chosen {
				chosen = o.Label
			}
		}
		if len(chosen) > 120 {
			chosen, sub = fmt.Sprintf("%d characters", len(chosen)), "see the form"
		}
		chosen = strings.ReplaceAll(chosen, ",", ", ") // so that a long list can break
		row := ui.Row{Cells: []ui.Cell{{Text: st.Label, Head: true}, {Text: chosen, Sub: sub}, ui.Text(st.Item), {}}}
		if it, ok := s.D.Item(st.Item); ok {
			row.Cells[3] = ui.Is(ui.MarkBadge(markOf(it.Mark)))
		}
		rows = append(rows, row)
	}
	return rows
}

// tableSettingRow leads to the operation table, which has a page of its own.
func tableSettingRow(s CredentialParams, st providers.Setting) ui.Row {
	sub := "what every credential of " + s.D.Short + " begins with"
	if s.C.Settings[st.Name] != "" {
		sub = "a table of this credential"
	}
	row := ui.Row{Cells: []ui.Cell{{Text: st.Label, Head: true}, {Text: "Open the table", Href: TablePath(s.C.ID), Sub: sub}, ui.Text(st.Item), {}}}
	if it, ok := s.D.Item(st.Item); ok {
		row.Cells[3] = ui.Is(ui.MarkBadge(markOf(it.Mark)))
	}
	return row
}

func hookTerms(s CredentialParams) []ui.Term {
	var terms []ui.Term
	for _, t := range s.D.Webhooks {
		terms = append(terms, ui.Term{Label: t.Title, Content: ui.Ref(ui.RefParams{Text: HookAddress(s.Base, s.C.ID, t.ID), What: "address"}), Sub: t.Help})
	}
	return terms
}

func checkRows(t providers.Checked) []ui.Row {
	var rows []ui.Row
	for _, r := range t.Results {
		word, tone := verdictWord(string(r.Verdict))
		speaks := strings.Join(r.Items, ", ")
		if speaks != "" && r.Verdict != providers.CheckSkipped && r.Verdict != providers.Unreachable {
			speaks += map[bool]string{true: " (proved)", false: " (refuted)"}[r.Proved]
		}
		row := ui.Row{Cells: []ui.Cell{{Text: r.Title, Head: true}, ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: word})), ui.Text(r.Sentence), ui.Text(speaks), {}}}
		if id := t.Exchanges[r.Operation]; id != "" {
			row.Cells[4] = ui.LinkCell(ExchangePath(id), "exchange")
		}
		rows = append(rows, row)
	}
	return rows
}

func kept(c models.Credential, field string) bool {
	return slices.ContainsFunc(c.In(models.SlotCurrent), func(k models.SecretKept) bool { return k.Field == field })
}
