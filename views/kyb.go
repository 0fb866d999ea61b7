package views

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// Where the pages of KYB are.
const (
	KYBPath            = "/kyb"
	KYBCalendarPath    = "/kyb/calendar"
	KYBDocumentsPath   = "/kyb/documents"
	KYBSubmissionsPath = "/kyb/submissions"
)

// KYBCasePath is the page of a case.
func KYBCasePath(id string) string { return KYBPath + "/cases/" + id }

// KYBDocumentPath is the page of a document.
func KYBDocumentPath(id string) string { return KYBDocumentsPath + "/" + id }

// KYBSubmissionPath is the page of a submission.
func KYBSubmissionPath(id string) string { return KYBSubmissionsPath + "/" + id }

// KYBRunPath is the page of a run.
func KYBRunPath(id string) string { return KYBPath + "/runs/" + id }

func kybFilePath(versionID string) string { return KYBPath + "/files/" + versionID }

func kybTabs(active string) ui.TabsParams {
	return ui.TabsParams{Label: "KYB", Tabs: []ui.Tab{{Label: "Cases", Href: KYBPath, Active: active == "cases"}, {Label: "Documents", Href: KYBDocumentsPath, Active: active == "documents"},
		{Label: "Calendar", Href: KYBCalendarPath, Active: active == "calendar"}, {Label: "Submissions", Href: KYBSubmissionsPath, Active: active == "submissions"}}}
}

// kybStatus is the chip of a case or a submission.
func kybStatus(s models.KYBState) ui.StatusParams {
	x := map[models.KYBState]ui.StatusParams{
		models.CaseCollecting: {Tone: ui.Idle, Word: "Collecting"},
		models.SubWaiting:     {Tone: ui.Wait, Word: "Awaiting approval"},
		models.SubApproved:    {Tone: ui.Info, Word: "Approved to leave"},
		models.SubQueued:      {Tone: ui.Info, Word: "In line to leave"},
		models.SubSending:     {Tone: ui.Info, Word: "Leaving"},
		models.SubUnknown:     {Tone: ui.Odd, Word: "Unknown", Hollow: true},
		models.SubSubmitted:   {Tone: ui.Wait, Word: "Being reviewed"},
		models.SubQuestion:    {Tone: ui.Bad, Word: "Question"},
		models.SubVerified:    {Tone: ui.Ok, Word: "Verified"},
		models.SubRefused:     {Tone: ui.Bad, Word: "Refused"},
		models.SubDeclined:    {Tone: ui.Bad, Word: "Not taken"},
		models.SubRejected:    {Tone: ui.Idle, Word: "Rejected inside", Hollow: true},
		models.SubWithdrawn:   {Tone: ui.Idle, Word: "Withdrawn", Hollow: true},
		models.SubGivenUp:     {Tone: ui.Idle, Word: "Given up", Hollow: true},
	}[s]
	if x.Word == "" {
		x = ui.StatusParams{Tone: ui.Idle, Word: string(s)}
	}
	return x
}

// kybNext says in one sentence what happens next with a submission.
func kybNext(s models.KYBSubmission, provider string) string {
	switch s.State {
	case models.SubWaiting:
		return "It waits for a second person from compliance. " + s.CreatedName + " prepared it and may not approve it."
	case models.SubApproved:
		return "It may leave. Hand it over from the list of submissions, alone or with others."
	case models.SubQueued, models.SubSending:
		return "It is being handed over."
	case models.SubUnknown:
		return "The answer was lost. " + provider + " is asked how the account stands; nothing is sent again by itself."
	case models.SubSubmitted:
		return provider + " has the files and looks at them. It is asked regularly, and its webhooks are listened to."
	case models.SubQuestion:
		return provider + " asks. Answer the question on the case, and hand over what is missing."
	case models.SubVerified:
		return provider + " has approved the account."
	case models.SubRefused:
		return provider + " has refused. Mend what it names, prepare the documents again and hand them over."
	case models.SubDeclined:
		return provider + " did not take the files. Nothing of them is there."
	}
	return "It has ended and never left the house."
}

func accountStanding(s models.KYBStanding, word string) ui.StatusParams {
	x := map[models.KYBStanding]ui.StatusParams{models.KYBNone: {Tone: ui.Idle, Word: "Nothing handed over"}, models.KYBInReview: {Tone: ui.Wait, Word: "Being reviewed"},
		models.KYBQuestion: {Tone: ui.Bad, Word: "Question"}, models.KYBVerified: {Tone: ui.Ok, Word: "Verified"}, models.KYBRefused: {Tone: ui.Bad, Word: "Refused"}}[s]
	x.Theirs = word
	return x
}

// KYBCasesParams is one page of cases.
type KYBCasesParams struct {
	Page         Page
	Filter       models.KYBFilter
	Rows         []models.KYBCase
	Newer, Older models.Cursor
	Me           models.Actor
	Clock        Clock
}

func (p KYBCasesParams) query(change map[string]string) string {
	q := url.Values{}
	set := func(k, v string) {
		if c, ok := change[k]; ok {
			v = c
		}
		if v != "" && v != "0" {
			q.Set(k, v)
		}
	}
	set("state", string(p.Filter.State))
	set("missing", boolNumber(p.Filter.Missing))
	set("questions", boolNumber(p.Filter.Questions))
	set("within", strconv.Itoa(p.Filter.Within))
	set("q", p.Filter.Search)
	set("after", "")
	set("before", "")
	if len(q) == 0 {
		return KYBPath
	}
	return KYBPath + "?" + q.Encode()
}

func boolNumber(b bool) string {
	if b {
		return "1"
	}
	return ""
}

func (p KYBCasesParams) at(c models.Cursor) string {
	switch {
	case c.At == 0:
		return ""
	case c.Back:
		return p.query(map[string]string{"before": c.String()})
	}
	return p.query(map[string]string{"after": c.String()})
}

func (p KYBCasesParams) chips() ui.ChipsParams {
	c := ui.ChipsParams{}
	if p.query(nil) != KYBPath {
		c.ClearHref = KYBPath
	}
	state := ui.Chip{Name: "state", Value: "any"}
	var options []ui.Option
	for _, s := range append([]models.KYBState{""}, models.KYBStates()...) {
		label := kybStatus(s).Word
		if s == "" {
			label = "Any"
		}
		options = append(options, ui.Option{Value: string(s), Label: label, Selected: s == p.Filter.State})
	}
	if p.Filter.State != "" {
		state.Value, state.RemoveHref = strings.ToLower(kybStatus(p.Filter.State).Word), p.query(map[string]string{"state": ""})
	}
	state.Menu = kybFilterForm(p, "state", "State", options)
	ends := ui.Chip{Name: "ends", Value: "any day"}
	var spans []ui.Option
	for _, d := range [][2]string{{"", "Any day"}, {"7", "Within 7 days, or past"}, {"30", "Within 30 days, or past"}, {"60", "Within 60 days, or past"}} {
		spans = append(spans, ui.Option{Value: d[0], Label: d[1], Selected: d[0] == strconv.Itoa(p.Filter.Within)})
	}
	if p.Filter.Within > 0 {
		ends.Value, ends.RemoveHref = fmt.Sprintf("within %d days", p.Filter.Within), p.query(map[string]string{"within": ""})
	}
	ends.Menu = kybFilterForm(p, "within", "Something ends", spans)
	company := ui.Chip{Name: "company", Value: "any", Menu: kybFilterForm(p, "q", "", nil)}
	if p.Filter.Search != "" {
		company.Value, company.RemoveHref = p.Filter.Search, p.query(map[string]string{"q": ""})
	}
	c.Chips = append(c.Chips, state, ends, company, toggleChip("missing", "something", p.Filter.Missing, p.query(map[string]string{"missing": ""}), p.query(map[string]string{"missing": "1"})),
		toggleChip("question", "open", p.Filter.Questions, p.query(map[string]string{"questions": ""}), p.query(map[string]string{"questions": "1"})))
	return c
}

func toggleChip(name, value string, on bool, off, set string) ui.Chip {
	if on {
		return ui.Chip{Name: name, Value: value, RemoveHref: off}
	}
	return ui.Chip{Name: name, Value: "any", EditHref: set}
}

// hidden keeps the other filters when one is changed.
func (p KYBCasesParams) hidden(but string) (out []ui.Hidden) {
	for _, h := range []ui.Hidden{{Name: "state", Value: string(p.Filter.State)}, {Name: "missing", Value: boolNumber(p.Filter.Missing)}, {Name: "questions", Value: boolNumber(p.Filter.Questions)},
		{Name: "within", Value: strconv.Itoa(p.Filter.Within)}, {Name: "q", Value: p.Filter.Search}} {
		if h.Name != but && h.Value != "" && h.Value != "0" {
			out = append(out, h)
		}
	}
	return out
}

func (p KYBCasesParams) table() ui.TableParams {
	t := ui.TableParams{ID: "kyb", Caption: "KYB cases", Stacks: true, Sticky: true, Keys: true,
		Columns: []ui.Column{{Label: "Company", Narrow: ui.LeadWhenNarrow}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Documents", Kind: ui.NumberColumn}, {Label: "Missing", Kind: ui.NumberColumn}, {Label: "Questions", Kind: ui.NumberColumn},
			{Label: "Next end", Kind: ui.WaitColumn}, {Label: "Opened", Kind: ui.TimeColumn}},
		Empty: ui.EmptyParams{Icon: ui.IconBuilding2, Title: "No case here", Text: "A case gathers the documents of one company and hands them to every provider that wants them."}}
	if p.query(nil) != KYBPath {
		t.Empty = ui.EmptyParams{Icon: ui.IconListFilter, Title: "No case in this filter", Action: ui.Button(ui.ButtonParams{Label: "All cases", Href: KYBPath})}
	}
	today := models.DateOf(models.At(p.Clock.Now))
	for _, c := range p.Rows {
		href := KYBCasePath(c.ID)
		next := ui.Text("")
		if c.NextDay != "" {
			next = ui.Cell{Content: dayWords(c.NextDay, today), Sub: c.NextWhat}
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, PeekHref: href, Copy: c.Company, Label: c.Company, Cells: []ui.Cell{
			{Text: c.Company, Href: href, Head: true, Sub: c.Country + ", " + strings.ToLower(models.Label(models.CompanyTypes(), c.Type))}, ui.Is(ui.StatusChip(kybStatus(c.State))),
			ui.Text(ui.Count(c.Documents)), {Content: figure(c.Missing)}, {Content: figure(c.Questions)}, next,
			ui.Is(ui.Time(ui.TimeParams{At: c.CreatedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeDay}))}})
	}
	return t
}

// KYBCaseFormParams is the form of a new case, or of the changes to one.
type KYBCaseFormParams struct {
	Page   Page
	Case   *models.KYBCase
	Form   models.KYBCaseForm
	Errors []ui.FieldError
}

func choiceOptions(list []models.Choice, empty string) (out []ui.Option) {
	if empty != "" {
		out = append(out, ui.Option{Label: empty})
	}
	for _, c := range list {
		out = append(out, ui.Option{Value: c.Value, Label: c.Label, Help: c.Help})
	}
	return out
}
