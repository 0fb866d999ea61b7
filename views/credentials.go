package views

import (
	"fmt"
	"maps"
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

func waitingRows(list []WaitingChange, clock Clock) []ui.Row {
	var rows []ui.Row
	for _, w := range list {
		href := CredentialPath(w.Credential.ID) + "#change"
		rows = append(rows, ui.Row{Href: href, Cells: []ui.Cell{{Text: w.Change.Kind.Word(), Href: href, Sub: w.Change.Reason, Head: true}, ui.Text(w.Credential.Name),
			ui.Text(w.Change.AskedName), ui.Is(ui.Time(clock.at(w.Change.AskedAt)))}})
	}
	return rows
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
	terms = append(terms, ui.Term{Label: "Our address", Content: termLink(orElse(orElse(networks(s.Egress), s.C.EgressNote), "none noted"), EgressHref(s.C.ID), s.Me), Sub: "as the provider knows it"})
	if s.Caller != "" {
		terms = append(terms, ui.Term{Label: "We call from", Text: s.Caller})
	}
	if len(s.D.Webhooks) > 0 {
		terms = append(terms, ui.Term{Label: "Webhooks are taken from", Content: termLink(orElse(networks(s.Hooks), "any address"), AllowlistHref(models.ScopeWebhook), s.Me)})
	}
	return terms
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

// formSettings are the settings that the credential's form asks for: all but the operation table, which two admins change on its own page.
func formSettings(d *providers.Description) []providers.Setting {
	return slices.DeleteFunc(slices.Clone(d.Settings), func(st providers.Setting) bool { return st.Name == models.OperationTable })
}

func hookTerms(s CredentialParams) []ui.Term {
	var terms []ui.Term
	for _, t := range s.D.Webhooks {
		terms = append(terms, ui.Term{Label: t.Title, Content: ui.Ref(ui.RefParams{Text: HookAddress(s.Base, s.C.ID, t.ID), What: "address"}), Sub: t.Help})
	}
	return terms
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
		unlocks := "nothing known unlocks it"
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

func kept(c models.Credential, field string) bool {
	return slices.ContainsFunc(c.In(models.SlotCurrent), func(k models.SecretKept) bool { return k.Field == field })
}

func formAction(s CredentialFormParams) string {
	if s.C == nil {
		return CredentialsPath
	}
	return CredentialPath(s.C.ID, "edit")
}

func formHidden(s CredentialFormParams) []ui.Hidden {
	if s.C == nil {
		return []ui.Hidden{{Name: "provider", Value: s.D.Name}, {Name: "environment", Value: string(s.Env)}}
	}
	return []ui.Hidden{{Name: "version", Value: versionText(*s.C)}}
}

func formBack(s CredentialFormParams) string {
	if s.C == nil {
		return ProvidersPath
	}
	return CredentialPath(s.C.ID)
}

func formVerb(s CredentialFormParams) string {
	switch {
	case s.C == nil:
		return "Write the credential down"
	case s.Env == models.Live:
		return "Ask a second admin to agree"
	}
	return "Save the changes"
}

// FormField and FormSetting are the names of form fields for a description's fields and settings.
func FormField(name string) string   { return "f." + name }
func FormSetting(name string) string { return "s." + name } //nolint:revive // a pair with FormField

func valueField(f providers.Field, s CredentialFormParams) ui.FieldParams {
	p := describedField(f, FormField(f.Name), s.Values[f.Name], s.Errors)
	for _, site := range s.D.Sites {
		if site.Field != f.Name || site.Environment != s.Env {
			continue
		}
		switch {
		case s.Env == models.Sandbox:
			p.Help = strings.TrimSpace(p.Help + " Any address of this machine will do as well, for example http://127.0.0.1:9101.")
		case len(site.Hosts) > 0:
			p.Help = strings.TrimSpace(p.Help + " Only https at " + strings.Join(site.Hosts, " or ") + ".")
		default:
			p.Help = strings.TrimSpace(p.Help + " Only https; the second admin approves the host.")
		}
	}
	return p
}

// secretField asks for a secret. It is never filled: what is kept cannot be read back.
func secretField(f providers.Field, errs []ui.FieldError, keep bool) ui.FieldParams {
	name := FormField(f.Name)
	p := ui.FieldParams{Name: name, Label: f.Label, Help: f.Help, Type: ui.PasswordField, Required: f.Required && !keep, Optional: !f.Required || keep,
		Error: ui.ErrorFor(errs, name), Autocomplete: "off"}
	if f.Kind == providers.Area {
		p.Type, p.Rows = ui.TextareaField, 4
	}
	if keep {
		p.Help = strings.TrimSpace(p.Help + " Leave it empty to carry the present one over.")
	}
	return p
}

// wideSetting tells a setting that is a whole document, such as a table of operations.
func wideSetting(st providers.Setting, s CredentialFormParams) bool {
	return len(st.Options) == 0 && (len(st.Default) > 120 || len(s.Settings[st.Name]) > 120)
}

func settingParams(st providers.Setting, s CredentialFormParams) ui.FieldParams {
	name := FormSetting(st.Name)
	help := st.Help
	if it, ok := s.D.Item(st.Item); ok {
		help = strings.TrimSpace(help + " (" + it.ID + ", " + string(it.Mark) + ")")
	}
	p := ui.FieldParams{Name: name, Label: st.Label, Help: help, Value: s.Settings[st.Name], Required: st.Required, Error: ui.ErrorFor(s.Errors, name), Autocomplete: "off"}
	switch {
	case len(st.Options) > 0:
		p.Type = ui.SelectField
		empty := "not chosen"
		for _, o := range st.Options {
			if o.Value == st.Default && st.Default != "" {
				empty = "the default: " + o.Label
			}
		}
		p.Options = uiOptions(st.Options, empty)
	case wideSetting(st, s):
		p.Type, p.Rows = ui.TextareaField, 14
		if p.Value == "" {
			p.Value = st.Default
		}
	default:
		p.Type, p.Placeholder = ui.TextField, st.Default
	}
	return p
}
