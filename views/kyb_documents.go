package views

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/views/ui"
)

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
		Columns: []ui.Column{{Label: "Document", Narrow: ui.LeadWhenNarrow}, {Label: "Company", Narrow: ui.LeadWhenNarrow}, {Label: "Issued", Kind: ui.TimeColumn}, {Label: "Expires", Kind: ui.WaitColumn}, {Label: "Scan"}, {Label: "File", Kind: ui.WaitColumn}},
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
		get := ui.Is(ui.Button(ui.ButtonParams{Label: "Download version " + strconv.FormatInt(v.Number, 10), IconOnly: true, Small: true, Href: kybFilePath(v.ID) + "/download", Icon: ui.IconDownload, Download: true}))
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

// hashOf shows the beginning of a hash; the whole of it is copied.
func hashOf(hash, what string) ui.Cell {
	return ui.Cell{Content: hashCell(hash, what)}
}
