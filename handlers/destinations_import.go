package handlers

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// The columns of a file that every kind of destination has. "way" names the form where a file holds several kinds.
const (
	columnWay     = "way"
	columnName    = "name"
	columnPurpose = "purpose"
	columnNotes   = "notes"
)

func (h *Destinations) importPage(c *Ctx) error {
	return h.renderImport(c, fiber.StatusOK, views.ImportParams{Chosen: c.Query("form")})
}

func (h *Destinations) renderImport(c *Ctx, status int, p views.ImportParams) error {
	forms, _, err := h.waysOf(c)
	if err != nil {
		return err
	}
	p.Forms = forms
	p.Page = c.Page("Bring a file of destinations")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: "Bring a file"}}
	return c.RenderStatus(status, views.Import(p))
}

// template is a file with the columns of a form and nothing else.
func (h *Destinations) template(c *Ctx) error {
	forms, _, err := h.waysOf(c)
	if err != nil {
		return err
	}
	f, ok := formByID(forms, c.Query("form"))
	if !ok {
		return models.Errorf(models.NotFound, "There is no such kind of destination.")
	}
	cells := []string{columnWay, columnName, columnPurpose, columnNotes}
	for _, x := range f.Fields {
		if x.Name != columnName {
			cells = append(cells, x.Name)
		} else {
			cells = append(cells, "field."+x.Name)
		}
	}
	c.Fiber.Set("Content-Type", "text/csv; charset=utf-8")
	c.Fiber.Set("Content-Disposition", `attachment; filename="destinations-`+strings.ReplaceAll(f.ID, "/", "-")+`.csv"`)
	var b strings.Builder
	b.WriteString("\xef\xbb\xbf")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	_ = w.Write(cells)
	w.Flush()
	return c.Fiber.SendString(b.String())
}

// checkFile reads a file and shows what is in it: every row with its fate. Nothing is written but the good rows, sealed, until they are added.
func (h *Destinations) checkFile(c *Ctx) error {
	p := views.ImportParams{Chosen: c.Form("form")}
	sheet, name, err := readSheet(c)
	if list, ok := Problems(err); ok {
		p.Errors = list
		return h.renderImport(c, fiber.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	forms, settings, err := h.waysOf(c)
	if err != nil {
		return err
	}
	rows, results, problem := checkRows(sheet, forms, settings, p.Chosen)
	if problem != "" {
		p.Errors = []ui.FieldError{{Field: "file", Message: problem}}
		return h.renderImport(c, fiber.StatusUnprocessableEntity, p)
	}
	same, err := h.Store.SameAsStored(c.Context(), c.Actor, c.Env, rows)
	if err != nil {
		return err
	}
	good := rows[:0:0]
	for i, r := range rows {
		if why, no := same[i]; no {
			k := slices.IndexFunc(results, func(x views.ImportResult) bool { return x.Line == r.Line })
			results[k].Problems = []string{why}
			continue
		}
		good = append(good, r)
	}
	p.File, p.Results, p.Good = name, results, len(good)
	if p.ID, err = h.Store.KeepImport(c.Context(), c.Actor, c.Env, name, good, sheet.Header, refusedRows(sheet, results)); err != nil {
		return err
	}
	return h.renderImport(c, fiber.StatusOK, p)
}

// refusedRows are the rows that a page says why about, as they came.
func refusedRows(s models.Sheet, results []views.ImportResult) (out []store.RefusedRow) {
	cells := map[int][]string{}
	for _, r := range s.Rows {
		cells[r.Line] = r.Cells
	}
	for _, x := range results {
		if len(x.Problems) > 0 {
			out = append(out, store.RefusedRow{Line: x.Line, Cells: cells[x.Line], Why: x.Problems})
		}
	}
	return out
}

// The columns that the file of refused rows has in front of those that came. Brought again, they are read over.
const (
	columnLine = "line in the file"
	columnWhy  = "why it was refused"
)

// refused gives the refused rows of a checked file back as a file, each with its line and its reasons in front: mended, it can be brought again.
func (h *Destinations) refused(c *Ctx) error {
	name, header, rows, err := h.Store.RefusedRows(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	if err := h.Store.AuditExport(c.Context(), c.Actor, "refused rows of "+name, "", "csv"); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("\xef\xbb\xbf")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	line := append([]string{columnLine, columnWhy}, header...)
	for i := range line {
		line[i] = guard(line[i])
	}
	_ = w.Write(line) // to memory: it cannot fail
	for _, r := range rows {
		line := []string{strconv.Itoa(r.Line), guard(strings.Join(r.Why, " "))}
		for i := range max(len(header), len(r.Cells)) {
			cell := ""
			if i < len(r.Cells) {
				cell = guard(models.Unguarded(r.Cells[i]))
			}
			line = append(line, cell)
		}
		_ = w.Write(line)
	}
	w.Flush()
	c.Fiber.Set("Content-Type", "text/csv; charset=utf-8")
	c.Fiber.Set("Content-Disposition", `attachment; filename="refused-rows.csv"`)
	return c.Fiber.SendString(b.String())
}

// readSheet takes the file out of a posted form.
func readSheet(c *Ctx) (models.Sheet, string, error) {
	fh, err := c.Fiber.FormFile("file")
	if err != nil {
		return models.Sheet{}, "", models.FieldErrorf("file", "Choose a file.")
	}
	name := models.Safe(strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, fh.Filename), 80)
	f, err := fh.Open()
	if err != nil {
		return models.Sheet{}, "", err
	}
	defer f.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(f, models.SheetBytes+1))
	if err != nil {
		return models.Sheet{}, "", err
	}
	s, err := models.ReadSheet(body, store.ImportMax)
	return s, name, err
}

// checkRows applies the rules of the form to every row. The rows that passed come with what the page says of all.
func checkRows(s models.Sheet, forms []providers.DestinationForm, settings map[string]map[string]string, chosen string) (good []store.ImportRow, all []views.ImportResult, problem string) {
	way := slices.Index(s.Header, columnWay)
	if way < 0 && chosen == "" {
		return nil, nil, "Choose the kind of destination that the file holds, or name it in a column called “way”."
	}
	for _, r := range s.Rows {
		x := views.ImportResult{Line: r.Line}
		if r.Problem != "" {
			x.Problems = []string{r.Problem}
			all = append(all, x)
			continue
		}
		cell := func(i int) string {
			if i < 0 || i >= len(r.Cells) {
				return ""
			}
			return models.Unguarded(r.Cells[i])
		}
		id := cell(way)
		if id == "" {
			id = chosen
		}
		f, ok := formByID(forms, id)
		if !ok {
			x.Problems = []string{fmt.Sprintf("There is no kind of destination called %q here, or no active credential pays it.", models.Safe(id, 40))}
			all = append(all, x)
			continue
		}
		row, problems := checkRow(f, settings[f.ID], s.Header, cell)
		row.Line, x.Name, x.Masked, x.Problems = r.Line, row.Name, row.Spec.Masked, problems
		if len(problems) == 0 {
			good = append(good, row)
		}
		all = append(all, x)
	}
	return good, all, ""
}

func checkRow(f providers.DestinationForm, settings map[string]string, header []string, cell func(int) string) (row store.ImportRow, problems []string) {
	values := map[string]string{}
	for i, column := range header {
		v := cell(i)
		switch column {
		case columnWay, "":
			continue
		case columnName:
			row.Name = v
			continue
		case columnPurpose:
			row.Purpose = v
			continue
		case columnNotes:
			row.Notes = v
			continue
		}
		k := slices.IndexFunc(f.Fields, func(x providers.Field) bool {
			return strings.EqualFold(x.Name, strings.TrimPrefix(column, "field.")) || strings.EqualFold(x.Label, column)
		})
		switch {
		case k >= 0:
			values[f.Fields[k].Name] = v
		case v != "" && !foreign(column):
			problems = append(problems, fmt.Sprintf("%s has no field %q.", f.Title, models.Safe(column, 40)))
		}
	}
	var err error
	if row.Name, err = models.CleanText(columnName, row.Name, 80, true); err != nil {
		problems = append(problems, "name: "+sentence(err))
	}
	if row.Purpose, err = models.CleanText(columnPurpose, row.Purpose, 200, true); err != nil {
		problems = append(problems, "purpose: "+sentence(err))
	}
	if row.Notes, err = models.CleanText(columnNotes, row.Notes, 2000, false); err != nil {
		problems = append(problems, "notes: "+sentence(err))
	}
	clean, ps := f.Check(settings, values)
	for _, p := range ps {
		problems = append(problems, strings.TrimPrefix(p.Field+": ", ": ")+p.Sentence)
	}
	if len(problems) == 0 {
		row.Spec = f.Spec(clean)
	}
	return row, problems
}

// foreign are the columns that our own export has beside the fields: they are read over.
func foreign(column string) bool {
	return slices.Contains([]string{columnLine, columnWhy, "id", "state", "kind", "owner", "masked", "created_utc", "usable_from_utc", "made_by", "approved_by", "title"}, column) || strings.HasPrefix(column, "created (")
}

// addFile adds all good rows of a checked file.
func (h *Destinations) addFile(c *Ctx) error {
	names := map[string][]views.BookChoice{}
	var failed error
	register := func(x models.DestinationSpec) []store.RegisterAt {
		key := x.Form + "\x00" + x.Network
		if _, ok := names[key]; !ok {
			list, err := h.booksFor(c, specProbe(x))
			if err != nil {
				failed = err
			}
			names[key] = list
		}
		var out []store.RegisterAt
		for _, b := range names[key] {
			out = append(out, store.RegisterAt{CredentialID: b.CredentialID, Provider: b.Provider, Book: b.Book})
		}
		return out
	}
	if err := h.warm(c, register); err != nil {
		return err
	}
	n, err := h.Store.AddImport(c.Context(), c.Actor, c.Env, c.Param("id"), register)
	if err == nil {
		err = failed
	}
	if err != nil {
		return c.Refused(views.ImportPath, err)
	}
	return c.Done(views.DestinationsPath+"?state=waiting", fmt.Sprintf("%d destinations are added and wait, together, for a second person.", n))
}

// warm asks for the books of every form before the transaction of the import begins: inside it nothing else may be read.
func (h *Destinations) warm(c *Ctx, register func(models.DestinationSpec) []store.RegisterAt) error {
	forms, _, err := h.waysOf(c)
	if err != nil {
		return err
	}
	for _, f := range forms {
		x := models.DestinationSpec{Kind: f.Kind, Form: f.ID, Provider: f.Provider, Method: f.Method, Book: f.Book, EntryField: f.EntryField}
		if f.ID != providers.OnChain {
			register(x)
			continue
		}
		for _, o := range f.Fields[0].Options {
			x.Network = o.Value
			register(x)
		}
	}
	return nil
}
