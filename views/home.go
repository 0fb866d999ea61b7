package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// HomeParams is the first page.
type HomeParams struct {
	Page      Page
	Me        models.Actor
	Clock     Clock
	Env       models.Environment
	Providers []ui.Option

	KYB models.KYBHome // zero for those who may not read KYB
	// For those who look after sub-accounts, else zero.
	SubAccountsFound, SubAccountAlerts int64

	Home          *models.Home // nil: this person may not read transactions
	Approvals     models.Waiting
	Deliveries    []DeliveryCount
	Credentials   []models.Credential
	Drifted       []models.Credential // whose provider has an old address of ours, or refuses the one we call from
	Drifting      []models.Drift
	PeopleChanges int
	KeyChanges    int

	Days              int
	FirstDay, LastDay int64
	Assets            []string // that moved, the busiest first
	Asset             string   // the one on the picture
	Flows             []models.DayFlow
	Rates             []models.ProviderRate

	Balances []models.BalanceFigure
	Reads    map[string]models.BalanceRead
	InFlight map[string]models.Money // by credential and asset
	Names    map[string]string       // of credentials
}

// DeliveryCount is how many webhooks are in a state.
type DeliveryCount struct {
	State models.DeliveryState
	Count int64
}

func (p HomeParams) now() models.Micros { return models.At(p.Clock.Now) }

func (p HomeParams) title() string { return p.Clock.Now.In(zoneOf(p.Clock)).Format("Monday 2 January") }

func (p HomeParams) short(m models.Micros) string {
	return m.Time().In(zoneOf(p.Clock)).Format("15:04")
}

// plural writes "payout" or "payouts".
func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// waits are the lines of "Waits for you", most urgent first.
func (p HomeParams) waits() []ui.TodoItem {
	var out []ui.TodoItem
	add := func(n int64, one, many, href, note string) {
		if n > 0 {
			out = append(out, ui.TodoItem{Count: n, Text: plural(n, one, many), Href: href, Note: note})
		}
	}
	h := p.Home
	if w := p.Approvals; w.Count > 0 {
		add(w.Count, "request to decide", "requests to decide", ApprovalsPath, "oldest "+strings.TrimSuffix(ui.Relative(w.Oldest.Time(), p.Clock.Now), " ago")+", first runs out "+p.when(w.Expires))
	}
	note := ""
	if len(h.Unknown) > 0 {
		t := &h.Unknown[0]
		note = optionLabel(p.Providers, t.Provider) + ", " + t.Amount.String()
	}
	add(h.UnknownCount, "outcome unknown", "outcomes unknown", "/transactions?state=unknown", note)
	add(h.Alerts, "transaction needs a look", "transactions need a look", "/transactions?attention=1", "")
	add(h.Short, "deposit paid in part", "deposits paid in part", "/deposits?state=partially_paid", "")
	for _, d := range p.Deliveries {
		add(d.Count, "webhook "+strings.ToLower(d.State.Word()), "webhooks "+strings.ToLower(d.State.Word()), WebhooksPath+"?state="+string(d.State), "")
	}
	if len(p.Drifted) > 0 {
		add(int64(len(p.Drifted)), "provider has an old address of ours", "providers have an old address of ours", ProvidersPath+"#worries", p.Drifted[0].Name)
	}
	add(int64(p.PeopleChanges), "change of people or addresses", "changes of people or addresses", PeoplePath, "a second admin must agree")
	add(int64(p.KeyChanges), "change of keys", "changes of keys", ProvidersPath, "a second admin must agree")
	for _, c := range p.Credentials {
		switch r := c.Rotation(p.now()); {
		case !p.Me.Can(models.CredentialsManage):
		case r == models.RotationOverdue:
			add(1, "key overdue", "", CredentialsPath+"/"+c.ID, c.Name+", since "+p.day(c.RotateBy))
		case r == models.RotationDue:
			add(1, "key to rotate by "+p.day(c.RotateBy), "", CredentialsPath+"/"+c.ID, c.Name)
		}
	}
	return out
}

func (p HomeParams) day(m models.Micros) string {
	return m.Time().In(zoneOf(p.Clock)).Format("2006-01-02")
}

// when writes a near moment shortly: the time today, otherwise the day and the time.
func (p HomeParams) when(m models.Micros) string {
	t, now := m.Time().In(zoneOf(p.Clock)), p.Clock.Now.In(zoneOf(p.Clock))
	if t.Format("2006-01-02") == now.Format("2006-01-02") {
		return t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

// stuck are the things that do not move and should.
func (p HomeParams) stuck() []ui.TodoItem {
	var out []ui.TodoItem
	add := func(n int64, one, many, href, note string) {
		if n > 0 {
			out = append(out, ui.TodoItem{Count: n, Text: plural(n, one, many), Href: href, Note: note})
		}
	}
	h := p.Home
	add(h.Books, "difference to a provider’s book", "differences to the providers’ books", BooksPath, "destinations that are not the same on both sides")
	add(p.SubAccountsFound, "sub-account found at a provider", "sub-accounts found at a provider", "/sub-accounts?state=found", "not made here: say whose they are")
	add(p.SubAccountAlerts, "sub-account that needs somebody", "sub-accounts that need somebody", "/sub-accounts?attention=1", "")
	add(h.Unsent, "approved and not sent", "approved and not sent", "/transactions?state=approved", "for more than ten minutes")
	add(h.LongSending, "on its way to the provider", "on their way to the provider", "/transactions?state=sending", "for more than ten minutes")
	add(h.LongPending, "pending", "pending", "/transactions?state=pending", "for more than a day")
	add(h.Held, "held", "held", "/transactions?state=held", "until somebody releases them")
	add(h.Late, "deposit not paid", "deposits not paid", "/deposits?state=awaiting_payment", "a day after they were made")
	for _, c := range p.Credentials {
		if r, ok := p.Reads[c.ID]; ok && r.Error != "" && c.State == models.CredentialActive {
			add(1, "balance not read", "", BalancesPath+"#balance-"+c.ID, c.Name)
		}
	}
	for _, d := range p.Drifting {
		if !d.Grave { // the grave ones stand above everything
			add(1, driftWord(d.Kind)+", "+d.Credential, "", CredentialPath(d.CredentialID), "since "+p.when(d.Since))
		}
	}
	return out
}

func driftWord(k models.DriftKind) string {
	return map[models.DriftKind]string{models.DriftAnswers: "more calls fail", models.DriftLatency: "slow answers", models.DriftWebhooks: "webhooks stay away", models.DriftClock: "clocks part"}[k]
}

// graveDrifts are the alerts above everything else.
func (p HomeParams) graveDrifts() []models.Drift {
	var out []models.Drift
	for _, d := range p.Drifting {
		if d.Grave && len(out) < 3 {
			out = append(out, d)
		}
	}
	return out
}

// papers are the documents of companies that end, at the days of the reminders, and what providers ask.
func (p HomeParams) papers() []ui.TodoItem {
	var out []ui.TodoItem
	for _, x := range []struct {
		n               int64
		one, many, note string
		href            string
	}{
		{p.KYB.Questions, "KYB case with an open question", "KYB cases with an open question", "", KYBPath + "?questions=1"},
		{p.KYB.Unknown, "KYB submission whose answer was lost", "KYB submissions whose answer was lost", "", KYBSubmissionsPath + "?state=unknown"},
		{p.KYB.Expired, "KYB document has expired", "KYB documents have expired", "", KYBCalendarPath},
		{p.KYB.In7, "KYB document expires", "KYB documents expire", "within 7 days", KYBCalendarPath},
		{p.KYB.In30, "KYB document expires", "KYB documents expire", "within 30 days", KYBCalendarPath},
		{p.KYB.In60, "KYB document expires", "KYB documents expire", "within 60 days", KYBCalendarPath},
	} {
		if x.n > 0 {
			out = append(out, ui.TodoItem{Count: x.n, Text: plural(x.n, x.one, x.many), Href: x.href, Note: x.note})
		}
	}
	return out
}

// expires are the things that run out.
func (p HomeParams) expires() []ui.TodoItem {
	out := p.papers()
	if n := p.Home.SoonExpired; n > 0 {
		out = append(out, ui.TodoItem{Count: n, Text: plural(n, "request for approval", "requests for approval"), Href: ApprovalsPath + "?view=open", Note: "the first at " + p.short(p.Home.SoonFirst)})
	}
	for _, c := range p.Credentials {
		if r := c.Rotation(p.now()); r == models.RotationFresh || c.RotateBy == 0 {
			continue
		}
		note := fmt.Sprintf("%s, in %d days", p.day(c.RotateBy), c.DaysLeft(p.now()))
		if c.RotateBy <= p.now() {
			note = p.day(c.RotateBy) + ", overdue"
		}
		out = append(out, ui.TodoItem{Count: 1, Text: "key of " + c.Name, Href: CredentialsPath + "/" + c.ID, Note: note})
	}
	return out
}

// flow is the picture of money in and out.
func (p HomeParams) flow() ui.FlowParams {
	f := ui.FlowParams{Title: fmt.Sprintf("Money in and out per day, %d days, in %s", p.Days, p.Asset), Code: p.Asset}
	if len(p.Flows) == 0 {
		return f
	}
	by := map[int64]models.DayFlow{}
	var in, out models.Money
	in.Asset, out.Asset = p.Asset, p.Asset
	for _, x := range p.Flows {
		by[x.Day] = x
		in.Minor += x.In
		out.Minor += x.Out
	}
	for d := p.FirstDay; d <= p.LastDay; d++ {
		x := by[d]
		f.Days = append(f.Days, ui.Pair{Label: time.Unix(d*86400, 0).UTC().Format("2 Jan"), In: x.In, Out: x.Out,
			InText: models.Money{Minor: x.In, Asset: p.Asset}.Figure(), OutText: models.Money{Minor: x.Out, Asset: p.Asset}.Figure()})
	}
	f.Summary = "above: in " + in.Figure() + " · below: out " + out.Figure()
	return f
}

func (p HomeParams) assetMenu() ui.MenuParams {
	m := ui.MenuParams{Label: p.Asset, Right: true}
	for _, a := range p.Assets {
		m.Items = append(m.Items, ui.MenuItem{Label: a, Href: "/?asset=" + a, Active: a == p.Asset})
	}
	return m
}

// balanceTable lists what the providers hold.
func (p HomeParams) balanceTable() ui.TableParams {
	t := ui.TableParams{ID: "balances", Caption: "Balances", Stacks: true, Columns: []ui.Column{{Label: "Balance at"}, {Label: "Available", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow},
		{Label: "In flight", Kind: ui.NumberColumn}, {Label: fmt.Sprintf("%d days", p.Days)}, {Label: "Lasts until"}, {Label: "Seen", Kind: ui.TimeColumn}},
		Empty: ui.EmptyParams{Icon: ui.IconScale, Title: "No balance is known yet", Text: "Balances appear here once a credential is in use and its provider has been asked."}}
	if len(p.Credentials) == 0 && p.Me.Can(models.CredentialsManage) { // a new house: here is where it begins
		t.Empty.Title, t.Empty.Text = "No provider is connected yet", "Begin with the keys of a provider, and invite the others under People."
		t.Empty.Action = ui.Button(ui.ButtonParams{Label: "Open Providers", Href: ProvidersPath, Small: true})
	}
	for _, b := range p.Balances {
		t.Rows = append(t.Rows, p.balanceRow(b))
	}
	return t
}

func (p HomeParams) balanceRow(b models.BalanceFigure) ui.Row {
	m := ui.MoneyParams{Amount: b.Available.Figure(), Code: b.Asset}
	switch {
	case b.Asset == models.Unstated:
		m.Code, m.Note = "", "currency not stated"
	case b.Mark != "" && b.Mark != string(providers.Documented):
		m.Note = b.Mark
	}
	href := BalancesPath + "#balance-" + b.CredentialID
	flight := ui.Cell{}
	if f, ok := p.InFlight[b.CredentialID+" "+b.Asset]; ok {
		flight = ui.Text(f.Figure())
	}
	seen := ui.Cell{Content: ui.Time(ui.TimeParams{At: b.ReadAt.Time(), Zone: p.Clock.Zone, Form: seenForm(b.ReadAt.Time(), p.Clock)})}
	if stale(b, p.Clock) {
		seen.Sub = "stale"
	}
	name := ui.Cell{Text: orElse(p.Names[b.CredentialID], "removed credential"), Href: href, Head: true}
	if b.Account != "" && !strings.EqualFold(b.Account, b.Asset) {
		name.Sub = b.Account
	}
	return ui.Row{Href: href, Cells: []ui.Cell{name, ui.Is(ui.Money(m)), flight, ui.Is(ui.Spark(p.spark(b))), p.lastsCell(b), seen}}
}

func seenForm(at time.Time, c Clock) ui.TimeForm {
	if c.Now.Sub(at) < 20*time.Hour {
		return ui.TimeClock
	}
	return ui.TimeMinute
}

// sparkPoints is how many points a small picture needs.
const sparkPoints = 60

func (p HomeParams) spark(b models.BalanceFigure) ui.SparkParams {
	s := ui.SparkParams{}
	step := (len(b.Points) + sparkPoints - 1) / sparkPoints
	low, high := b.Available.Minor, b.Available.Minor
	for i, x := range b.Points {
		low, high = min(low, x.Minor), max(high, x.Minor)
		if i%step == 0 || i == len(b.Points)-1 {
			s.Points = append(s.Points, ui.Point{Value: x.Minor})
		}
	}
	figure := func(n int64) string { return models.Money{Minor: n, Asset: b.Asset}.Figure() }
	s.Title = fmt.Sprintf("%d days, between %s and %s %s", p.Days, figure(low), figure(high), code(b.Asset))
	return s
}

// runwayAlarm is how near the end of a balance is coloured.
const runwayAlarm = 3 * 24 * time.Hour

func (p HomeParams) lastsCell(b models.BalanceFigure) ui.Cell {
	left, ok := models.Runway(b.Points, b.Available.Minor)
	if !ok || left > 365*24*time.Hour {
		return ui.Text("—")
	}
	end := p.Clock.Now.Add(left).In(zoneOf(p.Clock))
	text := end.Format("2 Jan")
	if left < 6*24*time.Hour {
		text = end.Format("Mon 15:04")
	}
	if left < runwayAlarm {
		return ui.Is(ui.StatusChip(ui.StatusParams{Tone: ui.Wait, Word: text}))
	}
	return ui.Text(text)
}

// rateTable says how the providers do.
func (p HomeParams) rateTable() ui.TableParams {
	t := ui.TableParams{Caption: "How transactions ended, by provider", Columns: []ui.Column{{Label: "Provider"}, {Label: "Payouts done", Kind: ui.NumberColumn}, {Label: "Deposits paid", Kind: ui.NumberColumn},
		{Label: "To settle", Kind: ui.NumberColumn}}, Empty: ui.EmptyParams{Icon: ui.IconHourglass, Title: "Nothing has ended yet"}}
	for _, r := range p.Rates {
		settle := ""
		if r.MedianSettled > 0 {
			settle = took(r.MedianSettled)
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: optionLabel(p.Providers, r.Provider), Head: true}, {Text: percent(r.PayoutsDone, r.Payouts), Sub: ofMany(r.Payouts)},
			{Text: percent(r.DepositsPaid, r.Deposits), Sub: ofMany(r.Deposits)}, ui.Text(settle)}})
	}
	return t
}

// percent writes a share with one decimal, rounded down so that 99.96 % never reads as 100 %.
func percent(n, of int64) string {
	if of == 0 {
		return "—"
	}
	tenths := n * 1000 / of
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

func ofMany(n int64) string {
	if n == 0 {
		return ""
	}
	return "of " + ui.Count(n)
}

// took writes how long something lasted, roughly.
func took(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}

func (p HomeParams) flowTitle() string {
	if p.Asset == "" {
		return "Money in and out, 30 days"
	}
	return "Money in and out, 30 days, " + code(p.Asset) + " by UTC day"
}

// flowMenu chooses the asset of the picture.
func (p HomeParams) flowMenu() templ.Component {
	if len(p.Assets) < 2 {
		return nil
	}
	return ui.Menu(p.assetMenu())
}
