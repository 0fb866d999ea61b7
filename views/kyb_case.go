package views

import (
	"fmt"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

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
		Columns: []ui.Column{{Label: "Wanted", Narrow: ui.LeadWhenNarrow}, {Label: "State", Narrow: ui.LeadWhenNarrow}, {Label: "Day", Kind: ui.WaitColumn}, {Label: "Met by"}}}
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
		Columns: []ui.Column{{Label: "Document"}, {Label: "Issued by", Kind: ui.CutColumn}, {Label: "Issued", Kind: ui.TimeColumn}, {Label: "Expires", Kind: ui.WaitColumn}, {Label: "Scan"}, {Label: "File", Kind: ui.WaitColumn}},
		Empty:   ui.EmptyParams{Icon: ui.IconFileText, Title: "No document yet"}}
	for _, d := range p.Documents {
		t.Rows = append(t.Rows, documentRow(d, p.Today, ""))
	}
	return t
}

func (p KYBCaseParams) submissionTable() ui.TableParams {
	return submissionTable(p.Submissions, p.Clock, p.Providers, "", "Nothing was prepared yet")
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
