package views

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

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
		Columns: []ui.Column{{Label: "Company"}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Documents", Kind: ui.NumberColumn}, {Label: "Missing", Kind: ui.NumberColumn}, {Label: "Questions", Kind: ui.NumberColumn},
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

// KYBList is what one account wants, and how it stands.
type KYBList struct {
	Link  models.KYBLink
	Rules models.KYBRules
	Needs []models.Need
}

func (l KYBList) counted() string {
	var due, expiring, expired, later int
	for _, n := range l.Needs {
		switch n.State {
		case models.NeedDue:
			due++
		case models.NeedExpired:
			expired++
		case models.NeedExpiring:
			expiring++
		case models.NeedLater:
			later++
		}
	}
	var out []string
	for _, x := range []struct {
		n    int
		word string
	}{{due, "due now"}, {expired, "expired"}, {expiring, "expiring"}, {later, "due later"}} {
		if x.n > 0 {
			out = append(out, strconv.Itoa(x.n)+" "+x.word)
		}
	}
	if len(out) == 0 {
		return "everything is there"
	}
	return strings.Join(out, ", ")
}

// KYBCaseParams is the page of a case.
type KYBCaseParams struct {
	models.KYBCasePage
	Page        Page
	Lists       []KYBList
	Accounts    []models.SubAccount
	Credentials []ui.Option
	Providers   []ui.Option
	Me          models.Actor
	Clock       Clock
	Today       models.Date
	Errors      []ui.FieldError
}

func (p KYBCaseParams) manage() bool { return p.Me.Can(models.KYBManage) }

func (p KYBCaseParams) path(tail string) string { return KYBCasePath(p.Case.ID) + tail }

func (p KYBCaseParams) accountOptions() []ui.Option {
	out := []ui.Option{{Label: "Another account: write its number"}}
	for _, a := range p.Accounts {
		out = append(out, ui.Option{Value: a.CredentialID + " " + a.TheirID, Label: a.Company + ", " + optionLabel(p.Providers, a.Provider) + " " + a.TheirID})
	}
	return out
}

func (p KYBCaseParams) openTasks() (out []models.KYBTask) {
	for _, t := range p.Tasks {
		if t.State == "open" {
			out = append(out, t)
		}
	}
	return out
}

func (p KYBCaseParams) unsorted() (out []models.KYBDocument) {
	for _, d := range p.Documents {
		if d.Kind == "" && d.State == models.DocumentKept {
			out = append(out, d)
		}
	}
	return out
}

// next says what is to be done now.
func (p KYBCaseParams) next() string {
	switch {
	case len(p.Links) == 0:
		return "Say which account the documents are for: its list of documents stands here then."
	case len(p.openTasks()) > 0:
		return "A question is open. Answer it below."
	case p.Case.State == models.CaseCollecting && p.Case.Missing > 0:
		return fmt.Sprintf("%d documents are missing before the set can be handed over.", p.Case.Missing)
	case p.Case.State == models.CaseCollecting:
		return "Everything that is due is there. Prepare the documents; a second person then looks at them."
	}
	if len(p.Submissions) > 0 {
		return kybNext(p.Submissions[0], optionLabel(p.Providers, p.Submissions[0].Provider))
	}
	return ""
}

func needStatus(n models.Need) ui.StatusParams {
	switch n.State {
	case models.NeedMet:
		return ui.StatusParams{Tone: ui.Ok, Word: "There"}
	case models.NeedExpiring:
		return ui.StatusParams{Tone: ui.Wait, Word: "Expiring"}
	case models.NeedExpired:
		return ui.StatusParams{Tone: ui.Bad, Word: "Expired"}
	case models.NeedLater:
		return ui.StatusParams{Tone: ui.Idle, Word: "Due later", Hollow: true}
	}
	return ui.StatusParams{Tone: ui.Bad, Word: "Due now", Hollow: true}
}

func (p KYBCaseParams) needs(l KYBList) ui.TableParams {
	t := ui.TableParams{Caption: "What " + l.Rules.Title + " wants for account " + l.Link.Account, Stacks: true,
		Columns: []ui.Column{{Label: "Wanted"}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Day", Kind: ui.WaitColumn}, {Label: "Met by"}}}
	for _, n := range l.Needs {
		day := ui.Text("")
		if n.Day != "" {
			day = ui.Cell{Content: dayWords(n.Day, p.Today)}
		}
		by := ui.Text("")
		for _, d := range p.Documents {
			if d.ID == n.DocumentID {
				by = ui.Cell{Text: d.Title(), Href: KYBDocumentPath(d.ID)}
			}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: n.Requirement.Title, Head: true, Sub: n.Requirement.Help}, ui.Is(ui.StatusChip(needStatus(n))), day, by}})
	}
	return t
}

func (p KYBCaseParams) documentTable() ui.TableParams {
	t := ui.TableParams{ID: "documents", Caption: "Documents of " + p.Case.Company, Stacks: true, Keys: true,
		Columns: []ui.Column{{Label: "Document"}, {Label: "Issued by", Kind: ui.CutColumn}, {Label: "Issued", Kind: ui.TimeColumn}, {Label: "Expires", Kind: ui.WaitColumn}, {Label: "Scan"}, {Label: "File", Kind: ui.QuietColumn}},
		Empty:   ui.EmptyParams{Icon: ui.IconFileText, Title: "No document yet"}}
	for _, d := range p.Documents {
		t.Rows = append(t.Rows, documentRow(d, p.Today, ""))
	}
	return t
}

func documentRow(d models.KYBDocument, today models.Date, company string) ui.Row {
	href := KYBDocumentPath(d.ID)
	sub := "version " + strconv.FormatInt(d.Versions, 10)
	if d.NumberEnd != "" {
		sub += ", number ends in " + d.NumberEnd
	}
	if d.State != models.DocumentKept {
		sub = "deleted, the hash is kept"
	}
	ends := ui.Text("")
	if d.Expires != "" {
		ends = ui.Cell{Content: dayWords(d.Expires, today)}
	}
	name := ui.Cell{Text: d.Title(), Href: href, Head: true, Sub: sub}
	issued := ui.Text(string(d.Issued))
	file := ui.Cell{Text: d.Current.Name, Sub: models.Megabytes(d.Current.Size)}
	row := ui.Row{Href: href, PeekHref: href, Copy: d.Current.SHA256, Label: d.Title(), Cells: []ui.Cell{name, ui.Text(d.Issuer), issued, ends, ui.Is(scanChip(d.Current)), file}}
	if company != "" {
		row.Cells[1] = ui.Cell{Text: company, Href: KYBCasePath(d.CaseID)}
	}
	return row
}

func scanChip(v models.KYBVersion) templ.Component {
	if v.Scan == "clean" {
		return ui.StatusChip(ui.StatusParams{Tone: ui.Ok, Word: "Clean"})
	}
	return ui.StatusChip(ui.StatusParams{Tone: ui.Idle, Word: "Unscanned", Hollow: true})
}

func (p KYBCaseParams) submissionTable() ui.TableParams {
	return submissionTable(p.Submissions, p.Clock, p.Providers, "", "Nothing was prepared yet")
}

func submissionTable(list []models.KYBSubmission, clock Clock, providers []ui.Option, form, empty string) ui.TableParams {
	t := ui.TableParams{ID: "submissions", Caption: "Submissions", Stacks: true, Keys: true,
		Columns: []ui.Column{{Label: "Company"}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Account"}, {Label: "Files", Kind: ui.NumberColumn}, {Label: "Prepared"}, {Label: "What came of it", Kind: ui.WaitColumn}},
		Empty:   ui.EmptyParams{Icon: ui.IconSend, Title: empty, Text: "Documents are prepared on the page of a case, approved by a second person, and handed over from here."}}
	if form != "" {
		t.Select, t.SelectForm = "submission", form
	}
	for _, s := range list {
		href := KYBSubmissionPath(s.ID)
		made := ui.Is(ui.Time(clock.at(s.CreatedAt)))
		made.Sub = s.CreatedName
		t.Rows = append(t.Rows, ui.Row{Href: href, PeekHref: href, Copy: s.Digest, Label: "submission of " + s.Company, Value: s.ID, Cells: []ui.Cell{{Text: s.Company, Href: href, Head: true}, ui.Is(ui.StatusChip(kybStatus(s.State))),
			{Text: optionLabel(providers, s.Provider) + " " + s.Account}, {Text: ui.Count(s.FileCount), Sub: models.Megabytes(s.Bytes)}, made, ui.Text(s.Message)}})
	}
	return t
}

func (p KYBCaseParams) timeline() (out []ui.TimelineItem) {
	for _, e := range p.Events {
		tone := map[string]ui.Tone{"verified": ui.Ok, "refused": ui.Bad, "declined": ui.Bad, "question": ui.Bad, "unknown": ui.Odd, "infected": ui.Bad, "reminder": ui.Wait, "approved": ui.Ok}[e.What]
		out = append(out, ui.TimelineItem{Tone: tone, Text: e.Sentence, At: ui.Time(p.Clock.at(e.At)), Detail: e.ActorName})
	}
	return out
}

// Uploaded is what came of one file.
type Uploaded struct {
	Name     string
	OK       bool
	Text     string
	Href     string
	Document models.KYBDocument
}

// KYBUploadParams is the page to upload documents of a case.
type KYBUploadParams struct {
	KYBCaseParams
	Done     []Uploaded
	MaxFiles int
	MaxBytes int64
	Scans    bool // a virus scanner is set up
}

func (p KYBUploadParams) doneTable() ui.TableParams {
	t := ui.TableParams{Caption: "What came of the files", Stacks: true, Columns: []ui.Column{{Label: "File"}, {Label: "Taken", Narrow: ui.LeadWhenNarrow}, {Label: "What happened"}}}
	for _, u := range p.Done {
		status := ui.StatusParams{Tone: ui.Ok, Word: "Yes"}
		if !u.OK {
			status = ui.StatusParams{Tone: ui.Bad, Word: "No"}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: u.Name, Href: u.Href, Head: true}, ui.Is(ui.StatusChip(status)), ui.Text(u.Text)}})
	}
	return t
}

// fresh are the documents to be sorted: those without a kind, and those whose kind was guessed by the name and never confirmed.
func (p KYBUploadParams) fresh() (out []models.KYBDocument) {
	for _, d := range p.Documents {
		if d.State == models.DocumentKept && d.Version == 1 && d.Versions == 1 && len(out) < 60 {
			out = append(out, d)
		}
	}
	return out
}

// KYBPrepareParams is the page on which a submission is put together.
type KYBPrepareParams struct {
	KYBCaseParams
	List       KYBList
	LinkID     string
	Chosen     map[string]bool
	Note       string
	FormErrors []ui.FieldError
}

// sum is how many are ticked; the script counts on.
func (p KYBPrepareParams) sum() string {
	var n int64
	for _, d := range p.Documents {
		if p.Chosen[d.ID] {
			n++
		}
	}
	return ui.Count(n) + " selected"
}

func (p KYBPrepareParams) table() ui.TableParams {
	t := ui.TableParams{ID: "prepare", Caption: "Documents to hand over", Stacks: true, Select: "documents", SelectForm: "prepare-form",
		Columns: []ui.Column{{Label: "Document"}, {Label: "Meets"}, {Label: "Expires", Kind: ui.WaitColumn}, {Label: "File", Kind: ui.QuietColumn}, {Label: "There already"}},
		Empty:   ui.EmptyParams{Icon: ui.IconFileText, Title: "No document yet", Action: ui.Button(ui.ButtonParams{Label: "Upload documents", Href: p.path("/upload")})}}
	for _, d := range p.Documents {
		if d.State != models.DocumentKept {
			continue
		}
		var meets []string
		for _, n := range p.List.Needs {
			if n.DocumentID == d.ID {
				meets = append(meets, n.Requirement.Title)
			}
		}
		ends := ui.Text("")
		if d.Expires != "" {
			ends = ui.Cell{Content: dayWords(d.Expires, p.Today)}
		}
		there := "no"
		if p.Sent[p.LinkID+" "+d.Current.ID] {
			there = "yes, this version"
		}
		name := ui.Cell{Text: d.Title(), Href: KYBDocumentPath(d.ID), Head: true}
		if d.Kind == "" {
			name.Sub = "say what it is before it can be handed over"
		}
		t.Rows = append(t.Rows, ui.Row{Value: d.ID, Label: d.Title(), Selected: p.Chosen[d.ID], Cells: []ui.Cell{name, ui.Text(strings.Join(meets, ", ")), ends,
			{Text: d.Current.Name, Sub: models.Megabytes(d.Current.Size)}, ui.Text(there)}})
	}
	return t
}

// missing are the requirements that are due and that nothing meets.
func (p KYBPrepareParams) missing() (out []string) {
	for _, n := range p.List.Needs {
		if n.State == models.NeedDue || n.State == models.NeedExpired {
			out = append(out, n.Requirement.Title)
		}
	}
	return out
}

// KYBDocumentsParams is one page of the documents of all cases.
type KYBDocumentsParams struct {
	Page         Page
	Filter       models.KYBDocumentFilter
	Rows         []models.KYBDocumentRow
	Newer, Older models.Cursor
	Today        models.Date
	Clock        Clock
}

func (p KYBDocumentsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	q := url.Values{name: {c.String()}}
	if k := p.kind(); k != "" {
		q.Set("kind", k)
	}
	return KYBDocumentsPath + "?" + q.Encode()
}

func (p KYBDocumentsParams) kind() string {
	if p.Filter.Unsorted {
		return "none"
	}
	return string(p.Filter.Kind)
}

func (p KYBDocumentsParams) kindOptions() []ui.Option {
	out := append([]ui.Option{{Label: "Any kind"}, {Value: "none", Label: "Not sorted yet"}}, choiceOptions(models.DocumentKinds(), "")...)
	for i := range out {
		out[i].Selected = out[i].Value == p.kind()
	}
	return out
}

func (p KYBDocumentsParams) chips() ui.ChipsParams {
	chip := ui.Chip{Name: "kind", Value: "any", Menu: kybKindForm(p)}
	c := ui.ChipsParams{}
	if k := p.kind(); k != "" {
		chip.Value, chip.RemoveHref, c.ClearHref = strings.ToLower(models.Label(models.DocumentKinds(), k)), KYBDocumentsPath, KYBDocumentsPath
		if k == "none" {
			chip.Value = "not sorted yet"
		}
	}
	c.Chips = []ui.Chip{chip}
	return c
}

func (p KYBDocumentsParams) table() ui.TableParams {
	t := ui.TableParams{ID: "documents", Caption: "KYB documents", Stacks: true, Sticky: true, Keys: true,
		Columns: []ui.Column{{Label: "Document"}, {Label: "Company", Narrow: ui.LeadWhenNarrow}, {Label: "Issued", Kind: ui.TimeColumn}, {Label: "Expires", Kind: ui.WaitColumn}, {Label: "Scan"}, {Label: "File", Kind: ui.QuietColumn}},
		Empty:   ui.EmptyParams{Icon: ui.IconFileText, Title: "No document here", Text: "Documents are uploaded on the page of a case."}}
	for _, d := range p.Rows {
		t.Rows = append(t.Rows, documentRow(d.KYBDocument, p.Today, d.Company))
	}
	return t
}

// KYBDocumentParams is the page of a document.
type KYBDocumentParams struct {
	models.KYBDocumentPage
	Page     Page
	Form     *models.KYBDocumentForm
	Errors   []ui.FieldError
	Number   string // shown this once
	Reason   string // to delete it, as typed
	Me       models.Actor
	Clock    Clock
	Today    models.Date
	MaxBytes int64
}

func (p KYBDocumentParams) manage() bool {
	return p.Me.Can(models.KYBManage) && p.Document.State == models.DocumentKept
}

func (p KYBDocumentParams) path(tail string) string { return KYBDocumentPath(p.Document.ID) + tail }

func (p KYBDocumentParams) request() *models.ApprovalRequest {
	for i := range p.Requests {
		if p.Requests[i].State == "open" {
			return &p.Requests[i]
		}
	}
	return nil
}

// picture reports that the current file is an image.
func (p KYBDocumentParams) picture() bool {
	return strings.HasPrefix(p.Document.Current.Type, "image/")
}

// risky are findings because of which the file is not shown in the page: it is only given to be kept.
func (p KYBDocumentParams) risky() bool { return len(p.Document.Current.Findings) > 0 }

func (p KYBDocumentParams) facts() []ui.Term {
	v := p.Document.Current
	scan := "unscanned: " + v.ScanNote
	if v.Scan == "clean" {
		scan = "clean, says the virus scanner"
	}
	return []ui.Term{{Label: "File", Text: v.Name, Sub: mimeWord(v.Type) + ", " + models.Megabytes(v.Size)}, {Label: "SHA-256", Content: ui.Ref(ui.RefParams{Text: v.SHA256, What: "SHA-256"})},
		{Label: "Scan", Text: scan}, {Label: "Uploaded", Content: ui.Time(p.Clock.at(v.UploadedAt)), Sub: v.UploadedBy}, {Label: "Company", Content: link(KYBCasePath(p.Case.ID), p.Case.Company)}}
}

func mimeWord(mime string) string {
	_, word, _ := strings.Cut(mime, "/")
	return strings.ToUpper(word)
}

func (p KYBDocumentParams) versions() ui.TableParams {
	t := ui.TableParams{Caption: "Versions", Stacks: true, Columns: []ui.Column{{Label: "Version"}, {Label: "File"}, {Label: "SHA-256", Kind: ui.QuietColumn}, {Label: "Uploaded", Kind: ui.TimeColumn}, {Label: "File to keep", Hidden: true}}}
	for _, v := range p.Versions {
		get := ui.Is(ui.Button(ui.ButtonParams{Label: "Download", Small: true, Href: kybFilePath(v.ID) + "/download", Icon: ui.IconDownload, Download: true}))
		if v.State != models.DocumentKept {
			get = ui.Cell{Text: "deleted", Sub: v.DeletedWhy}
		}
		up := ui.Is(ui.Time(p.Clock.at(v.UploadedAt)))
		up.Sub = v.UploadedBy
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: strconv.FormatInt(v.Number, 10), Head: true}, {Text: v.Name, Sub: mimeWord(v.Type) + ", " + models.Megabytes(v.Size)},
			hashOf(v.SHA256, "SHA-256"), up, get}})
	}
	return t
}

func (p KYBDocumentParams) sentTable() ui.TableParams {
	return submissionTable(p.Sent, p.Clock, nil, "", "It never left the house")
}

// KYBSubmissionsParams is one page of submissions, with the newest runs.
type KYBSubmissionsParams struct {
	Page         Page
	Filter       models.KYBSubmissionFilter
	Rows         []models.KYBSubmission
	Newer, Older models.Cursor
	Runs         []models.KYBRun
	Limits       []string
	Providers    []ui.Option
	Me           models.Actor
	Clock        Clock
}

func (p KYBSubmissionsParams) at(c models.Cursor) string {
	if c.At == 0 {
		return ""
	}
	name := "after"
	if c.Back {
		name = "before"
	}
	return KYBSubmissionsPath + "?" + url.Values{"state": {string(p.Filter.State)}, name: {c.String()}}.Encode()
}

// choosing reports that rows can be ticked to be handed over.
func (p KYBSubmissionsParams) choosing() bool {
	return p.Filter.State == models.SubApproved && p.Me.Can(models.KYBManage) && len(p.Rows) > 0
}

func (p KYBSubmissionsParams) views() ui.ChipsParams {
	c := ui.ChipsParams{}
	for _, s := range []models.KYBState{"", models.SubWaiting, models.SubApproved, models.SubUnknown, models.SubSubmitted, models.SubQuestion, models.SubRefused, models.SubVerified} {
		label, href := "all", KYBSubmissionsPath
		if s != "" {
			label, href = strings.ToLower(kybStatus(s).Word), KYBSubmissionsPath+"?state="+string(s)
		}
		chip := ui.Chip{Name: "show", Value: label, EditHref: href}
		if s == p.Filter.State && s != "" {
			chip = ui.Chip{Name: "show", Value: label, RemoveHref: KYBSubmissionsPath}
		}
		c.Chips = append(c.Chips, chip)
	}
	return c
}

func (p KYBSubmissionsParams) table() ui.TableParams {
	form := ""
	if p.choosing() {
		form = "send"
	}
	t := submissionTable(p.Rows, p.Clock, p.Providers, form, "No submission here")
	if p.choosing() {
		for i := range t.Rows {
			t.Rows[i].Selected = true
		}
	}
	return t
}

func (p KYBSubmissionsParams) runTable() ui.TableParams {
	t := ui.TableParams{Caption: "The last times that documents were handed over", Stacks: true, Columns: []ui.Column{{Label: "Started"}, {Label: "Through"}, {Label: "By"}, {Label: "Companies", Kind: ui.NumberColumn}, {Label: "Progress", Narrow: ui.LeadWhenNarrow}}}
	for _, r := range p.Runs {
		when := ui.Is(ui.Time(p.Clock.at(r.CreatedAt)))
		when.Head = true
		t.Rows = append(t.Rows, ui.Row{Href: KYBRunPath(r.ID), Cells: []ui.Cell{when, {Text: r.Credential, Href: KYBRunPath(r.ID)}, ui.Text(r.CreatedName), ui.Text(ui.Count(r.Total)), ui.Text(runWords(r))}})
	}
	return t
}

func runWords(r models.KYBRun) string {
	var out []string
	for _, x := range []struct {
		n    int64
		word string
	}{{r.Accepted, "taken"}, {r.Declined, "not taken"}, {r.Unknown, "unknown"}, {r.NotSent, "not sent"}} {
		if x.n > 0 {
			out = append(out, ui.Count(x.n)+" "+x.word)
		}
	}
	if r.State == "running" {
		out = append(out, ui.Count(r.Total-r.Done)+" to go")
	}
	return strings.Join(out, ", ")
}

// KYBProgress is the bar of a run. While it runs it asks for itself.
func KYBProgress(r models.KYBRun) ui.ProgressParams {
	p := ui.ProgressParams{ID: "run-progress", Label: "Companies handed over", Done: r.Done, Total: r.Total, Detail: runWords(r)}
	if r.State == "running" {
		p.PollHref = KYBRunPath(r.ID) + "/progress"
	}
	switch {
	case r.Declined+r.NotSent > 0:
		p.Tone = ui.Bad
	case r.Unknown > 0:
		p.Tone = ui.Odd
	}
	return p
}

// KYBRunParams is the page of a run.
type KYBRunParams struct {
	models.KYBRunPage
	Page         Page
	Providers    []ui.Option
	Clock        Clock
	SeeExchanges bool
}

func (p KYBRunParams) calls() ui.TableParams {
	t := ui.TableParams{Caption: "Calls", Stacks: true, Columns: []ui.Column{{Label: "Begun"}, {Label: "Answer", Narrow: ui.LeadWhenNarrow}, {Label: "Companies", Kind: ui.NumberColumn}, {Label: "Files", Kind: ui.NumberColumn}, {Label: "Said"}, {Label: "Digest", Kind: ui.QuietColumn}},
		Empty: ui.EmptyParams{Icon: ui.IconSend, Title: "No call yet", Text: "The first one begins in a moment."}}
	for _, c := range p.Calls {
		status := map[string]ui.StatusParams{"open": {Tone: ui.Info, Word: "Waiting"}, "accepted": {Tone: ui.Ok, Word: "Accepted"}, "declined": {Tone: ui.Bad, Word: "Not taken"},
			"not_sent": {Tone: ui.Bad, Word: "Not sent"}, "unknown": {Tone: ui.Odd, Word: "Unknown", Hollow: true}}[c.State]
		when := ui.Is(ui.Time(ui.TimeParams{At: c.StartedAt.Time(), Zone: p.Clock.Zone, Form: ui.TimeSecond}))
		when.Head = true
		said := ui.Text(c.Message)
		if p.SeeExchanges && c.ExchangeID != "" {
			said.Href = "/exchanges/" + c.ExchangeID
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{when, ui.Is(ui.StatusChip(status)), ui.Text(ui.Count(c.Companies)), {Text: ui.Count(c.Files), Sub: models.Megabytes(c.Bytes)}, said,
			hashOf(c.Digest, "digest")}})
	}
	return t
}

func (p KYBRunParams) table() ui.TableParams {
	return submissionTable(p.Submissions, p.Clock, p.Providers, "", "Nothing is in this run")
}

// KYBSubmissionParams is the page of a submission.
type KYBSubmissionParams struct {
	models.KYBSubmissionPage
	Page      Page
	Rules     models.KYBRules
	Providers []ui.Option
	Me        models.Actor
	Clock     Clock
	Errors    []ui.FieldError
}

func (p KYBSubmissionParams) path(tail string) string {
	return KYBSubmissionPath(p.Submission.ID) + tail
}

func (p KYBSubmissionParams) title() string {
	return p.Case.Company + " to " + orElse(p.Rules.Title, p.Submission.Provider)
}

func (p KYBSubmissionParams) request() *models.ApprovalRequest {
	for i := range p.Requests {
		if p.Requests[i].State == "open" {
			return &p.Requests[i]
		}
	}
	return nil
}

func (p KYBSubmissionParams) facts() []ui.Term {
	s := p.Submission
	out := []ui.Term{{Label: "To", Text: orElse(p.Rules.Title, s.Provider) + ", account " + s.Account, Sub: p.Link.Credential}, {Label: "Prepared", Content: ui.Time(p.Clock.at(s.CreatedAt)), Sub: s.CreatedName}}
	if s.ApprovedAt > 0 {
		out = append(out, ui.Term{Label: "Approved", Content: ui.Time(p.Clock.at(s.ApprovedAt)), Sub: s.ApprovedName})
	}
	if s.SentAt > 0 {
		out = append(out, ui.Term{Label: "Handed over", Content: ui.Time(p.Clock.at(s.SentAt)), Sub: s.SentName})
	}
	if p.Call != nil {
		out = append(out, ui.Term{Label: "Answer", Text: p.Call.State, Sub: p.Call.Message})
	}
	if p.Link.Word != "" {
		out = append(out, ui.Term{Label: orElse(p.Rules.Title, s.Provider) + " says", Text: p.Link.Word, Sub: p.Link.WordNote})
	}
	if s.NextAsk > 0 {
		out = append(out, ui.Term{Label: "Asked again", Content: ui.Time(p.Clock.at(s.NextAsk))})
	}
	if s.Note != "" {
		out = append(out, ui.Term{Label: "Note", Text: s.Note})
	}
	return append(out, ui.Term{Label: "Digest of the set", Content: ui.Ref(ui.RefParams{Text: s.Digest, What: "digest"})})
}

func fileTable(files []models.KYBFile) ui.TableParams {
	t := ui.TableParams{Caption: "Exactly these files", Stacks: true, Columns: []ui.Column{{Label: "Name as it leaves"}, {Label: "What it is"}, {Label: "Size", Kind: ui.NumberColumn}, {Label: "SHA-256", Kind: ui.QuietColumn}}}
	for _, f := range files {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: f.Name, Href: KYBDocumentPath(f.DocumentID), Head: true}, ui.Text(models.Label(models.DocumentKinds(), f.Kind)), ui.Text(models.Megabytes(f.Size)),
			hashOf(f.SHA256, "SHA-256")}})
	}
	return t
}

// KYBCalendarParams is one month of what ends and falls due.
type KYBCalendarParams struct {
	Page        Page
	Month       time.Time
	Day         models.Date // only this one; empty: the whole month
	Today       models.Date
	Days        map[models.Date]map[string]int64
	Rows        []models.Deadline
	More        bool
	Overdue     []models.Deadline
	MoreOverdue bool
	Providers   []ui.Option
	Clock       Clock
}

func (p KYBCalendarParams) month(by int) string {
	return KYBCalendarPath + "?month=" + p.Month.AddDate(0, by, 0).Format("2006-01")
}

// weeks are the days of the month in rows from Monday; days of other months are empty.
func (p KYBCalendarParams) weeks() [][]models.Date {
	var out [][]models.Date
	first := p.Month
	for first.Weekday() != time.Monday {
		first = first.AddDate(0, 0, -1)
	}
	for d := first; d.Before(p.Month.AddDate(0, 1, 0)); {
		week := make([]models.Date, 7)
		for i := range week {
			if d.Month() == p.Month.Month() {
				week[i] = models.Date(d.Format(time.DateOnly))
			}
			d = d.AddDate(0, 0, 1)
		}
		out = append(out, week)
	}
	return out
}

func (p KYBCalendarParams) dayPath(d models.Date) string {
	return KYBCalendarPath + "?month=" + p.Month.Format("2006-01") + "&day=" + string(d)
}

// marks are what stands on one day, in words and tones.
func (p KYBCalendarParams) marks(d models.Date) (out []dayMark) {
	for _, m := range []struct{ what, one, many, tone string }{{models.DeadlineBlocks, "block", "blocks", "bad"}, {models.DeadlineExpires, "end", "ends", "wait"}, {models.DeadlineDue, "due", "due", "info"}} {
		if n := p.Days[d][m.what]; n > 0 {
			word := m.one
			if n > 1 {
				word = m.many
			}
			out = append(out, dayMark{ui.Count(n), word, m.tone})
		}
	}
	return out
}

type dayMark struct{ count, word, tone string }

func deadlineTable(caption string, list []models.Deadline, today models.Date, providers []ui.Option, empty string) ui.TableParams {
	t := ui.TableParams{Caption: caption, Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Day"}, {Label: "What", Narrow: ui.LeadWhenNarrow}, {Label: "Company"}, {Label: "Account"}, {Label: "In words"}},
		Empty: ui.EmptyParams{Icon: ui.IconCalendar, Title: empty}}
	for _, d := range list {
		status := map[string]ui.StatusParams{models.DeadlineExpires: {Tone: ui.Wait, Word: "Expires"}, models.DeadlineBlocks: {Tone: ui.Bad, Word: "Blocks"}, models.DeadlineDue: {Tone: ui.Info, Word: "Due", Hollow: true}}[d.What]
		account := ""
		if d.Account != "" {
			account = optionLabel(providers, d.Provider) + " " + d.Account
		}
		href := KYBCasePath(d.CaseID)
		if d.DocumentID != "" {
			href = KYBDocumentPath(d.DocumentID)
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, Cells: []ui.Cell{{Content: dayWords(d.Day, today), Head: true}, ui.Is(ui.StatusChip(status)), {Text: d.Company, Href: KYBCasePath(d.CaseID)}, ui.Text(account), {Text: d.Sentence, Href: href}}})
	}
	return t
}

// daysAway says how far a day is from today.
func daysAway(d, today models.Date) string {
	n := today.DaysUntil(d)
	switch {
	case n == 0:
		return "today"
	case n == 1:
		return "tomorrow"
	case n == -1:
		return "yesterday"
	case n < 0:
		return strconv.Itoa(-n) + " days ago"
	}
	return "in " + strconv.Itoa(n) + " days"
}

func dayTone(d, today models.Date) string {
	switch n := today.DaysUntil(d); {
	case n < 0:
		return "bad tone"
	case n <= models.SoonExpiring:
		return "wait tone"
	}
	return ""
}

// hashOf shows the beginning of a hash; the whole of it is copied.
func hashOf(hash, what string) ui.Cell {
	return ui.Cell{Content: hashCell(hash, what)}
}
