package views

import (
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

func submissionTable(list []models.KYBSubmission, clock Clock, providers []ui.Option, form, empty string) ui.TableParams {
	t := ui.TableParams{ID: "submissions", Caption: "Submissions", Stacks: true, Keys: true,
		Columns: []ui.Column{{Label: "Company", Narrow: ui.LeadWhenNarrow}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Account"}, {Label: "Files", Kind: ui.NumberColumn}, {Label: "Prepared"}, {Label: "What came of it", Kind: ui.WaitColumn}},
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
		Columns: []ui.Column{{Label: "Document", Narrow: ui.LeadWhenNarrow}, {Label: "Meets"}, {Label: "Expires", Kind: ui.WaitColumn}, {Label: "File", Kind: ui.WaitColumn}, {Label: "There already"}},
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
	t := ui.TableParams{Caption: "Exactly these files", Stacks: true, Columns: []ui.Column{{Label: "Name as it leaves", Narrow: ui.LeadWhenNarrow}, {Label: "What it is"}, {Label: "Size", Kind: ui.NumberColumn}, {Label: "SHA-256", Kind: ui.QuietColumn}}}
	for _, f := range files {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: f.Name, Href: KYBDocumentPath(f.DocumentID), Head: true}, ui.Text(models.Label(models.DocumentKinds(), f.Kind)), ui.Text(models.Megabytes(f.Size)),
			hashOf(f.SHA256, "SHA-256")}})
	}
	return t
}
