package views

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/models/address"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// Where the pages about destinations are.
const (
	DestinationsPath = "/destinations"
	ImportPath       = DestinationsPath + "/import"
	BooksPath        = DestinationsPath + "/books"
	GuardPath        = DestinationsPath + "/guard"
)

// DestinationPath is the page of one destination.
func DestinationPath(id string) string { return DestinationsPath + "/" + url.PathEscape(id) }

// BookChoice is a credential that a destination can be registered at, or asked about.
type BookChoice struct {
	CredentialID, Name, Provider, Short string
	Book                                models.Book
}

// DestinationsParams is one page of the list.
type DestinationsParams struct {
	Page             Page
	Filter           models.DestinationFilter
	Problems         []models.Problem
	List             []models.Destination
	Marked           map[string]bool
	Guard            models.DestinationGuard
	Newer, Older     models.Cursor
	Waiting, Cooling int64
	BookProblems     int64
	Providers        []ui.Option
	Me               models.Actor
	Clock            Clock
}

func (p DestinationsParams) query(change func(url.Values)) string {
	q := p.Filter.Query()
	if change != nil {
		change(q)
	}
	if len(q) == 0 {
		return DestinationsPath
	}
	return DestinationsPath + "?" + q.Encode()
}

func (p DestinationsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	return p.query(func(q url.Values) { q.Set(name, c.String()) })
}

func (p DestinationsParams) export(format, tail string) string {
	q := p.Filter.Query()
	q.Set("format", format)
	return DestinationsPath + "/export" + tail + "?" + q.Encode()
}

func (p DestinationsParams) exports() []ui.MenuItem {
	items := []ui.MenuItem{{Label: "CSV, masked", Href: p.export("csv", ""), Icon: ui.IconFileText}, {Label: "CSV, masked, semicolon", Href: p.export("csv-semicolon", ""), Icon: ui.IconFileText}}
	if p.full() {
		items = append(items, ui.MenuItem{Label: "CSV with account numbers", Href: p.export("csv", "/full"), Icon: ui.IconFileText}, ui.MenuItem{Label: "The same, semicolon", Href: p.export("csv-semicolon", "/full"), Icon: ui.IconFileText})
	}
	return items
}

func (p DestinationsParams) full() bool {
	return p.Me.Can(models.DestinationsCreate) || p.Me.Can(models.DestinationsApprove)
}

func (p DestinationsParams) tabs() []ui.Tab {
	one := func(s models.DestinationState) bool { return len(p.Filter.States) == 1 && p.Filter.States[0] == s }
	tab := func(label string, s models.DestinationState, n int64) ui.Tab {
		t := ui.Tab{Label: label, Active: one(s), Href: p.query(func(q url.Values) { q.Set("state", string(s)) })}
		if n > 0 {
			t.Count = atMost(n, models.HomeBound)
		}
		return t
	}
	return []ui.Tab{{Label: "All", Active: len(p.Filter.States) == 0, Href: p.query(func(q url.Values) { q.Del("state") })}, tab("Waiting", models.DestinationWaiting, p.Waiting),
		tab("Cooling down", models.DestinationCooling, p.Cooling), tab("Usable", models.DestinationUsable, 0), tab("Revoked", models.DestinationRevoked, 0)}
}

func (p DestinationsParams) chips() ui.ChipsParams {
	c := ui.ChipsParams{Note: "Times in " + ui.ZoneName(p.Clock.Now, p.Clock.Zone)}
	add := func(name, field string, words []string, form filterForm) {
		value, remove := "any", ""
		if len(words) > 0 {
			value, remove = strings.Join(words, ", "), p.query(func(q url.Values) { q.Del(field) })
			c.ClearHref = DestinationsPath
		}
		form.base, form.name, form.hidden = DestinationsPath, field, p.hidden(field)
		c.Chips = append(c.Chips, ui.Chip{Name: name, Value: value, RemoveHref: remove, Menu: FilterForm(form)})
	}
	f := p.Filter
	var kinds, states []ui.Option
	for _, k := range models.DestinationKinds() {
		kinds = append(kinds, ui.Option{Value: string(k), Label: k.Word(), Selected: containsKind(f.Kinds, k)})
	}
	for _, s := range models.DestinationStates() {
		states = append(states, ui.Option{Value: string(s), Label: s.Word(), Selected: containsKind(f.States, s)})
	}
	add("kind", "kind", wordsOf(f.Kinds, models.DestinationKind.Word), filterForm{many: true, options: kinds})
	add("state", "state", wordsOf(f.States, models.DestinationState.Word), filterForm{many: true, options: states})
	var provider []string
	if f.Provider != "" {
		provider = []string{optionLabel(p.Providers, f.Provider)}
	}
	add("provider", "provider", provider, filterForm{many: true, options: chosen(p.Providers, []string{f.Provider})})
	if f.Problem {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "attention at a provider", RemoveHref: p.query(func(q url.Values) { q.Del("problem") })})
		c.ClearHref = DestinationsPath
	}
	if f.Search != "" {
		c.ClearHref = DestinationsPath
	}
	return c
}

func containsKind[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func (p DestinationsParams) hidden(except ...string) []ui.Hidden {
	q := p.Filter.Query()
	for _, n := range except {
		q.Del(n)
	}
	var out []ui.Hidden
	for _, n := range []string{"kind", "state", "provider", "country", "q", "problem"} {
		if v := q.Get(n); v != "" {
			out = append(out, ui.Hidden{Name: n, Value: v})
		}
	}
	return out
}

func (p DestinationsParams) table() ui.TableParams {
	t := ui.TableParams{ID: "destinations", Caption: "Destinations", Stacks: true, Sticky: true, Keys: true, Empty: p.empty(), Columns: []ui.Column{{Label: "Name", Narrow: ui.LeadWhenNarrow},
		{Label: "Where", Kind: ui.CutColumn}, {Label: "Purpose", Kind: ui.CutColumn}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Usable from", Kind: ui.TimeColumn}, {Label: "Added", Kind: ui.TimeColumn}, {Label: "By"}}}
	now := models.At(p.Clock.Now)
	for i := range p.List {
		d := &p.List[i]
		href := DestinationPath(d.ID)
		usable := ui.Cell{}
		if d.UsableFrom != 0 {
			usable = ui.Is(ui.Time(ui.TimeParams{At: d.UsableFrom.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))
		}
		where := ui.Text(d.Masked)
		where.Sub = d.Title
		if p.Marked[d.ID] {
			where.Sub += " · look at the provider’s book"
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, Copy: d.Name, Label: d.Name, Cells: []ui.Cell{{Text: d.Name, Href: href, Head: true}, where, ui.Text(d.Purpose),
			ui.Is(ui.StatusChip(destinationStatus(d.StateAt(now, p.Guard)))), usable, ui.Is(ui.Time(ui.TimeParams{At: d.CreatedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute})), ui.Text(d.CreatedByName)}})
	}
	return t
}

func (p DestinationsParams) empty() ui.EmptyParams {
	if len(p.Filter.Query()) > 0 {
		return ui.EmptyParams{Icon: ui.IconSearch, Title: "Nothing fits this filter", Text: "A search finds words of the name, the owner and the purpose by their beginning, and a whole account number or address.",
			Action: ui.Button(ui.ButtonParams{Label: "Show all", Href: DestinationsPath})}
	}
	return ui.EmptyParams{Icon: ui.IconMapPinCheck, Title: "No destinations yet", Text: "Add the accounts and addresses that you pay. A second person agrees to each, and a new one waits before its first payout."}
}

func destinationStatus(s models.DestinationState) ui.StatusParams {
	return ui.StatusParams{Tone: ui.Tone(s.Tone()), Word: s.Word(), Hollow: s == models.DestinationSuperseded || s == models.DestinationRevoked || s == models.DestinationRejected}
}

func bookStatus(s models.BookState, usable bool) ui.StatusParams {
	if s == models.BookListed && !usable {
		return ui.StatusParams{Tone: ui.Wait, Word: "Registered, not usable yet"}
	}
	return ui.StatusParams{Tone: ui.Tone(s.Tone()), Word: s.Word(), Hollow: s == models.BookGone}
}

// DestinationFormParams is the form for a new destination, or for a change of one.
type DestinationFormParams struct {
	Page     Page
	Forms    []providers.DestinationForm
	Form     providers.DestinationForm
	Settings map[string]string
	Replaces string
	Token    string
	Name     string
	Purpose  string
	Notes    string
	Values   map[string]string
	Lookups  map[string][]ui.Option
	Books    []BookChoice
	Guard    models.DestinationGuard
	Errors   []ui.FieldError
	Clock    Clock
}

func (p DestinationFormParams) title() string {
	switch {
	case p.Replaces != "":
		return "Change a destination: " + p.Form.Title
	case p.Form.ID != "":
		return "New destination: " + p.Form.Title
	}
	return "New destination"
}

// groups gathers the forms by whose they are.
func (p DestinationFormParams) groups() []formGroup {
	var out []formGroup
	for _, f := range p.Forms {
		title := cmp.Or(f.Short, "On chain")
		if len(out) == 0 || out[len(out)-1].title != title {
			out = append(out, formGroup{title: title})
		}
		g := &out[len(out)-1]
		g.forms = append(g.forms, f)
	}
	return out
}

type formGroup struct {
	title string
	forms []providers.DestinationForm
}

func formLink(f providers.DestinationForm) string {
	return DestinationsPath + "/new?" + url.Values{"form": {f.ID}}.Encode()
}

func (p DestinationFormParams) field(f providers.Field) ui.FieldParams {
	m := MakeParams{Form: MakeForm{Values: p.Values}, Lookups: map[string][]ui.Option{}}
	for name, list := range p.Lookups {
		for _, o := range list {
			o.Selected = o.Value == p.Values[name]
			m.Lookups[name] = append(m.Lookups[name], o)
		}
	}
	out := m.field(f)
	out.Error = ui.ErrorFor(p.Errors, "v."+f.Name)
	out.Autocomplete = "off"
	return out
}

func (p DestinationFormParams) books() []ui.Option {
	var out []ui.Option
	for _, b := range p.Books {
		out = append(out, ui.Option{Value: b.CredentialID, Label: b.Short + ", " + b.Name, Selected: true})
	}
	return out
}

// waits says what happens after the form is sent.
func waits(g models.DestinationGuard, clock Clock) string {
	now := models.At(clock.Now)
	switch {
	case g.Off(now):
		return "A second person must agree; the waiting time is switched off, so it is usable at once after that."
	case g.Waits(now) == 0:
		return "A second person must agree. In this environment nothing waits after that."
	}
	return fmt.Sprintf("A second person must agree. From then on it waits %s before its first payout.", hoursText(g.Waits(now)))
}

func hoursText(d time.Duration) string {
	n := int(d / time.Hour)
	if n == 1 {
		return "one hour"
	}
	if n == 0 {
		return "no time"
	}
	return strconv.Itoa(n) + " hours"
}

// DestinationParams is the page of one destination.
type DestinationParams struct {
	Page      Page
	P         *DestinationView
	Me        models.Actor
	Clock     Clock
	Errors    []ui.FieldError
	Reason    string
	Providers []ui.Option
	Provider  string
	DecideWhy string
	StepUp    bool
	Books     []BookChoice // where it can still be registered
	Askers    []BookChoice // who can say whose it is
}

// DestinationView is what the store gives about one destination.
type DestinationView = models.DestinationPage

func (p DestinationParams) d() *models.Destination { return &p.P.Destination }

func (p DestinationParams) act() bool {
	return p.Me.Can(models.DestinationsCreate) || p.Me.Can(models.DestinationsApprove)
}

func (p DestinationParams) time(m models.Micros) templ.Component {
	return ui.Time(ui.TimeParams{At: m.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute, Now: p.Clock.Now})
}

func (p DestinationParams) says(m models.Micros) string {
	return m.Time().In(zoneOf(p.Clock)).Format("2006-01-02 15:04")
}

// next says what happens next, and who must act.
func (p DestinationParams) next() string {
	d := p.d()
	switch p.P.State {
	case models.DestinationWaiting:
		return "It waits for a second person from compliance. Nothing can be paid to it yet."
	case models.DestinationCooling:
		return "Approved by " + d.DecidedByName + ". It can be paid from " + unbroken(p.says(d.UsableFrom)) + " on."
	case models.DestinationUsable:
		if d.SupersededFrom != 0 {
			return "It can be paid until " + unbroken(p.says(d.SupersededFrom)) + "; then a newer version takes its place."
		}
		return "Payouts may go to it."
	case models.DestinationRevoked, models.DestinationRejected:
		return p.P.State.Word() + " by " + cmp.Or(d.EndedByName, d.DecidedByName) + ": " + d.Reason
	}
	return p.P.State.Sentence()
}

func (p DestinationParams) facts() []ui.Term {
	d := p.d()
	terms := []ui.Term{{Label: "Kind", Text: d.Kind.Word(), Sub: d.Title}, {Label: "Purpose", Text: d.Purpose}, {Label: "Owner", Text: cmp.Or(d.Owner, "not stated")}}
	if d.Provider != "" {
		terms = append(terms, ui.Term{Label: "Paid by", Text: cmp.Or(p.Provider, d.Provider)})
	}
	terms = append(terms, ui.Term{Label: "Added by", Text: d.CreatedByName, Sub: p.says(d.CreatedAt)})
	if d.DecidedAt != 0 {
		terms = append(terms, ui.Term{Label: "Decided by", Text: d.DecidedByName, Sub: p.says(d.DecidedAt)})
	}
	if d.UsableFrom != 0 {
		terms = append(terms, ui.Term{Label: "Usable from", Content: p.time(d.UsableFrom)})
	}
	if p.P.Old != nil {
		terms = append(terms, ui.Term{Label: "Takes the place of", Content: ui.Ref(ui.RefParams{Text: p.P.Old.Name, Href: DestinationPath(p.P.Old.ID), NoCopy: true}), Sub: p.P.Old.Masked})
	}
	if p.P.New != nil {
		terms = append(terms, ui.Term{Label: "Newer version", Content: ui.Ref(ui.RefParams{Text: p.P.New.Name, Href: DestinationPath(p.P.New.ID), NoCopy: true}), Sub: p.P.New.Masked})
	}
	return terms
}

// caution is what the form of an address alone can never show.
func (p DestinationParams) caution() string {
	d := p.d()
	if d.Form != providers.OnChain {
		return ""
	}
	if n, ok := address.NetworkByName(d.Network); ok && strings.HasPrefix(d.Values["address"], "0x") {
		return "Addresses of this form look the same on several networks. This one is meant for " + n.Title + "; the address alone cannot show whether that is right."
	}
	return ""
}

func (p DestinationParams) payouts() ui.TableParams {
	t := ui.TableParams{Caption: "Payouts made to it", Stacks: true, Columns: []ui.Column{{Label: "Created", Kind: ui.TimeColumn}, {Label: "Reference"}, {Label: "By"}, {Label: "Amount", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow}, {Label: "Status", Narrow: ui.LeadWhenNarrow}},
		Empty: ui.EmptyParams{Icon: ui.IconInbox, Title: "Nothing was paid to it yet", Text: "Payouts that go to this destination stand here."}}
	for i := range p.P.Payouts {
		x := &p.P.Payouts[i]
		t.Rows = append(t.Rows, ui.Row{Href: "/transactions/" + x.ID, Cells: []ui.Cell{ui.Is(ui.Time(ui.TimeParams{At: x.CreatedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute})),
			ui.LinkCell("/transactions/"+x.ID, x.Reference), ui.Text(x.CreatedByName), ui.Is(ui.Money(MoneyOf(x))), ui.Is(ui.StatusChip(StatusOf(x)))}})
	}
	return t
}

func (p DestinationParams) checks() ui.TableParams {
	t := ui.TableParams{Caption: "What providers said", Stacks: true, Columns: []ui.Column{{Label: "Verdict", Narrow: ui.LeadWhenNarrow}, {Label: "Name there"}, {Label: "In their words"}, {Label: "Asked by"}, {Label: "When", Kind: ui.TimeColumn}}}
	for _, c := range p.P.Checks {
		word, tone := verifyWord(c.Verdict)
		if providers.Verdict(c.Verdict) == providers.RecipientPending && models.At(p.Clock.Now) > c.At.Add(models.VerificationTime) {
			word, tone, c.Sentence = "No answer came", ui.Odd, "The question was put and no answer came within 15 minutes. Ask again, or compare it with its source."
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: word})), ui.Text(c.Name), ui.Text(c.Sentence), {Text: c.ByName, Sub: c.Credential},
			ui.Is(ui.Time(ui.TimeParams{At: c.At.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))}})
	}
	return t
}

func verifyWord(verdict string) (string, ui.Tone) {
	switch providers.Verdict(verdict) {
	case providers.RecipientOK:
		return "Known there", ui.Ok
	case providers.RecipientMismatch:
		return "Somebody else’s", ui.Bad
	case providers.RecipientBad:
		return "Cannot be paid", ui.Bad
	case providers.RecipientPending:
		return "Answer awaited", ui.Wait
	}
	return "No usable answer", ui.Odd
}

func writes(n int) string {
	if n == 1 {
		return "1 write"
	}
	return strconv.Itoa(n) + " writes"
}

func (p DestinationParams) attempts(e models.BookEntry) ui.TableParams {
	t := ui.TableParams{Caption: "Writes to the book of " + e.Credential, Stacks: true, Columns: []ui.Column{{Label: "No.", Kind: ui.NumberColumn}, {Label: "What"}, {Label: "Request id", Kind: ui.QuietColumn}, {Label: "Outcome", Narrow: ui.LeadWhenNarrow}, {Label: "By"}, {Label: "When", Kind: ui.TimeColumn}}}
	for _, x := range p.P.Attempts[e.ID] {
		tone := map[models.AttemptState]ui.Tone{models.AttemptAccepted: ui.Ok, models.AttemptRefused: ui.Bad, models.AttemptUnknown: ui.Odd, models.AttemptOpen: ui.Wait, models.AttemptNotSent: ui.Idle}[x.State]
		out := ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: sentence(strings.ReplaceAll(string(x.State), "_", " "))}))
		out.Sub = x.Message
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{ui.Text(strconv.Itoa(x.Number)), ui.Text(sentence(string(x.Operation))), ui.Text(x.Reference), out, ui.Text(x.ByName),
			ui.Is(ui.Time(ui.TimeParams{At: x.StartedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeSecond}))}})
	}
	return t
}

func (p DestinationParams) events() []ui.TimelineItem {
	var out []ui.TimelineItem
	for _, e := range p.P.Events {
		tone := ui.Idle
		switch e.What {
		case "approved", "kept":
			tone = ui.Ok
		case "rejected", "revoked":
			tone = ui.Bad
		case "created", "superseded":
			tone = ui.Info
		}
		out = append(out, ui.TimelineItem{Tone: tone, Text: e.Sentence, At: ui.Time(ui.TimeParams{At: e.At.Time(), Zone: p.Clock.Zone, Form: ui.TimeSecond})})
	}
	return out
}

func (p DestinationParams) payLink() string {
	return "/payouts/new?" + url.Values{"destination": {p.d().ID}}.Encode()
}

// payWhy says why the button to pay is not to be used.
func (p DestinationParams) payWhy() string {
	if p.P.State != models.DestinationUsable {
		return p.P.State.Sentence()
	}
	return ""
}

func (p DestinationParams) changeWhy() string {
	switch {
	case p.P.State != models.DestinationUsable && p.P.State != models.DestinationCooling:
		return "Only an approved destination can be changed; a change is a new version."
	case p.P.New != nil && p.P.New.Stored == models.DestinationWaiting, p.d().SupersededBy != "":
		return "A change is under way already."
	}
	return ""
}

func (p DestinationParams) canRevoke() bool {
	return p.act() && (p.d().Stored == models.DestinationApproved || p.d().Stored == models.DestinationWaiting)
}

// GuardParams is the page of the guard.
type GuardParams struct {
	Page    Page
	Guard   models.DestinationGuard
	Env     models.Environment
	Raw     []RawChoice
	Changes []models.Change
	Me      models.Actor
	Clock   Clock
	Errors  []ui.FieldError
	Typed   string
	Reason  string
}

// RawChoice is whether payouts by a credential may go to what is no destination.
type RawChoice struct {
	ID, Name, Provider string
	Allowed            bool
}

// GuardChange reports whether a change that waits is about the guard of destinations.
func GuardChange(c models.Change) bool {
	return strings.HasPrefix(c.Kind, "destination_guard.") || strings.HasPrefix(c.Kind, "raw_payouts.")
}

func (p GuardParams) now() models.Micros { return models.At(p.Clock.Now) }

func (p GuardParams) facts() []ui.Term {
	g := p.Guard
	at := func(m models.Micros) templ.Component {
		return ui.Time(ui.TimeParams{At: m.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute, Now: p.Clock.Now})
	}
	state := ui.StatusParams{Tone: ui.Ok, Word: "On"}
	if g.Off(p.now()) {
		state = ui.StatusParams{Tone: ui.Bad, Word: "Off"}
	}
	terms := []ui.Term{{Label: "Waiting time", Content: ui.StatusChip(state)}, {Label: "A new destination waits", Text: hoursText(g.Waits(p.now())), Sub: "after its approval, before its first payout"}}
	if g.OffFrom != 0 {
		label := "Goes off"
		if g.Off(p.now()) {
			label = "Off since"
		}
		terms = append(terms, ui.Term{Label: label, Content: at(g.OffFrom)})
	}
	if g.NextFrom > p.now() {
		terms = append(terms, ui.Term{Label: "Then it waits", Text: hoursText(g.NextWait), Content: at(g.NextFrom)})
	}
	terms = append(terms, ui.Term{Label: "Second person", Text: "always", Sub: "whoever adds a destination never approves it"})
	if g.ChangedAt != 0 {
		terms = append(terms, ui.Term{Label: "Last changed by", Text: g.ChangedBy, Content: nil, Sub: g.ChangedAt.Time().In(zoneOf(p.Clock)).Format("2006-01-02 15:04")})
	}
	return terms
}

func (p GuardParams) typed() string {
	return cmp.Or(p.Typed, strconv.Itoa(int(p.Guard.Waits(p.now())/time.Hour)))
}

func (p GuardParams) hoursHelp() string {
	if p.Env == models.Sandbox {
		return "Between 0 and 720. A second admin must agree."
	}
	return "Between 1 and 720. A second admin must agree; a shorter time begins 48 hours after that."
}

// GuardBand is what stands on every page while the guard is off or about to be.
func GuardBand(g models.DestinationGuard, now models.Micros, zone *time.Location) []ui.NoticeParams {
	if g.OffFrom == 0 {
		return nil
	}
	if zone == nil {
		zone = time.UTC
	}
	if g.Off(now) {
		return []ui.NoticeParams{{Tone: ui.Bad, Title: "The waiting time of new destinations is off in " + string(g.Environment),
			Text: "A new account can be paid as soon as a second person agrees to it. An admin switches the guard on under Destinations, Guard."}}
	}
	return []ui.NoticeParams{{Tone: ui.Wait, Title: "The waiting time of new destinations goes off in " + string(g.Environment),
		Text: "From " + g.OffFrom.Time().In(zone).Format("2006-01-02 15:04") + " on. Any admin can stop it until then, under Destinations, Guard."}}
}

// BooksParams is the page about the books of the providers.
type BooksParams struct {
	Page      Page
	Keepers   []BookChoice
	Reads     []models.BookRead
	Strange   []models.BookLine
	Drift     []BookDrift
	Entries   []models.BookEntry
	Names     map[string]string
	Ignored   int64
	Me        models.Actor
	Clock     Clock
	Providers []ui.Option
}

// BookDrift is an entry with both sides.
type BookDrift struct {
	Entry       models.BookEntry
	Line        models.BookLine
	Destination models.Destination
	Differences []models.BookDifference
}

func bookWord(b models.Book) string {
	if b == models.AddressesBook {
		return "addresses"
	}
	return "bank accounts"
}

func (p BooksParams) reads() ui.TableParams {
	t := ui.TableParams{Caption: "Readings", Stacks: true, Columns: []ui.Column{{Label: "Book"}, {Label: "Lines", Kind: ui.NumberColumn}, {Label: "Read", Kind: ui.TimeColumn}, {Label: "State"}},
		Empty: ui.EmptyParams{Icon: ui.IconRefreshCw, Title: "No book was read yet", Text: "Books are read once an hour, and when somebody asks for it."}}
	for _, r := range p.Reads {
		state := ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Read"}))
		if r.Error != "" {
			state = ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Not read"}))
			state.Sub = r.Error
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: sentence(bookWord(r.Book)) + " at " + optionLabel(p.Providers, r.Provider), Sub: r.Credential, Head: true}, ui.Text(strconv.Itoa(r.Lines)),
			ui.Is(ui.Time(ui.TimeParams{At: r.ReadAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute, Now: p.Clock.Now})), state}})
	}
	return t
}

func (p BooksParams) strange() ui.TableParams {
	t := ui.TableParams{Caption: "In their books, not in ours", Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Where", Narrow: ui.LeadWhenNarrow}, {Label: "Book"}, {Label: "Their word"}, {Label: "First seen", Kind: ui.TimeColumn}}}
	for _, l := range p.Strange {
		href := BooksPath + "/" + l.ID
		row := ui.Row{Cells: []ui.Cell{{Text: l.Masked, Href: href, Head: true, Sub: l.Title}, {Text: optionLabel(p.Providers, l.Provider) + ", " + bookWord(l.Book), Sub: l.Credential}, ui.Text(orElse(l.Word, "—")),
			ui.Is(ui.Time(ui.TimeParams{At: l.FirstSeen.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute}))}}
		if p.Me.Can(models.DestinationsCreate) {
			row.Href = href
		} else {
			row.Cells[0].Href = ""
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p BooksParams) entries() ui.TableParams {
	t := ui.TableParams{Caption: "Ours that need somebody", Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Destination", Narrow: ui.LeadWhenNarrow}, {Label: "Book"}, {Label: "State"}, {Label: "What happened"}}}
	for _, e := range p.Entries {
		t.Rows = append(t.Rows, ui.Row{Href: DestinationPath(e.DestinationID), Cells: []ui.Cell{{Text: p.Names[e.DestinationID], Href: DestinationPath(e.DestinationID), Head: true},
			{Text: optionLabel(p.Providers, e.Provider) + ", " + bookWord(e.Book), Sub: e.Credential}, ui.Is(ui.StatusChip(bookStatus(e.State, e.Usable))), ui.Text(e.Says)}})
	}
	return t
}

func (p BooksParams) differences(d BookDrift) ui.TableParams {
	t := ui.TableParams{Caption: "Both sides of " + d.Destination.Name, Stacks: true, Columns: []ui.Column{{Label: "Field"}, {Label: "Here"}, {Label: "There"}}}
	for _, x := range d.Differences {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: x.Label, Head: true}, ui.Text(orElse(x.Ours, "—")), ui.Is(changedValue(orElse(x.Theirs, "—")))}})
	}
	return t
}

// BookLineParams is one line of a provider's book, with what can be done about it.
type BookLineParams struct {
	Page    Page
	Line    models.BookLine
	Token   string
	Name    string
	Purpose string
	Note    string
	Errors  []ui.FieldError
	Clock   Clock
}

// ImportParams is the page on which a file is brought and checked.
type ImportParams struct {
	Page    Page
	Forms   []providers.DestinationForm
	Chosen  string
	Errors  []ui.FieldError
	File    string
	ID      string
	Good    int
	Results []ImportResult
}

// ImportResult is the fate of one row.
type ImportResult struct {
	Line     int
	Name     string
	Masked   string
	Problems []string
}

func (p ImportParams) forms() []ui.Option {
	out := []ui.Option{{Value: "", Label: "The file says it in a column “way”"}}
	for _, f := range p.Forms {
		out = append(out, ui.Option{Value: f.ID, Label: strings.TrimSpace(f.Title + " " + map[bool]string{true: "(" + f.Short + ")"}[f.Short != ""]), Selected: f.ID == p.Chosen})
	}
	return out
}

func (p ImportParams) templates() []ui.MenuItem {
	var out []ui.MenuItem
	for _, f := range p.Forms {
		out = append(out, ui.MenuItem{Label: f.Title, Href: ImportPath + "/template?" + url.Values{"form": {f.ID}}.Encode(), Icon: ui.IconFileText})
	}
	return out
}

func (p ImportParams) results() ui.TableParams {
	t := ui.TableParams{Caption: "Rows of " + p.File, Stacks: true, Columns: []ui.Column{{Label: "Line", Kind: ui.NumberColumn}, {Label: "Name", Narrow: ui.LeadWhenNarrow}, {Label: "Where"}, {Label: "Result", Narrow: ui.LeadWhenNarrow}}}
	row := func(r ImportResult) ui.Row {
		result := ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Can be added"}))
		if len(r.Problems) > 0 {
			result = ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Bad, Word: "Refused"}))
			result.Sub = strings.Join(r.Problems, " ")
		}
		return ui.Row{Cells: []ui.Cell{ui.Text(strconv.Itoa(r.Line)), {Text: orElse(r.Name, "—"), Head: true}, ui.Text(orElse(r.Masked, "—")), result}}
	}
	for _, r := range p.Results { // what is refused stands first
		if len(r.Problems) > 0 {
			t.Rows = append(t.Rows, row(r))
		}
	}
	for _, r := range p.Results {
		if len(r.Problems) == 0 {
			t.Rows = append(t.Rows, row(r))
		}
	}
	return t
}
