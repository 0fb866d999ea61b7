package handlers

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"slices"
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
	if p.Good > 0 {
		if p.ID, err = h.Store.KeepImport(c.Context(), c.Actor, c.Env, name, good, len(results)-p.Good); err != nil {
			return err
		}
	}
	return h.renderImport(c, fiber.StatusOK, p)
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
	return slices.Contains([]string{"id", "state", "kind", "owner", "masked", "created_utc", "usable_from_utc", "made_by", "approved_by", "title"}, column) || strings.HasPrefix(column, "created (")
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

func (h *Destinations) export(c *Ctx) error     { return h.exportAs(c, false) }
func (h *Destinations) exportFull(c *Ctx) error { return h.exportAs(c, true) }

// exportAs writes the rows of a filter in the order of the list: masked, or with the values for those who may see them.
func (h *Destinations) exportAs(c *Ctx, full bool) error {
	q, err := url.ParseQuery(string(c.Fiber.Request().URI().QueryString()))
	if err != nil {
		return models.Errorf(models.Invalid, "This address cannot be read.")
	}
	f, problems := models.ParseDestinationFilter(c.Env, q)
	if len(problems) > 0 {
		return models.Problems(problems)
	}
	if full && !c.Actor.Can(models.DestinationsCreate) && !c.Actor.Can(models.DestinationsApprove) {
		return c.Actor.Require(models.DestinationsApprove)
	}
	forms, _, err := h.waysOf(c)
	if err != nil {
		return err
	}
	what := "destinations"
	if full {
		what = "destinations in full"
	}
	if err := h.Store.AuditExport(c.Context(), c.Actor, what, f.Query().Encode(), "csv"); err != nil {
		return err
	}
	comma := ','
	if q.Get("format") == "csv-semicolon" {
		comma = ';'
	}
	c.Fiber.Set("Content-Type", "text/csv; charset=utf-8")
	c.Fiber.Set("Content-Disposition", `attachment; filename="destinations-`+string(c.Env)+"-"+c.Now.In(c.Zone).Format("2006-01-02-1504")+`.csv"`)
	actor, zone := c.Actor, c.Zone
	return c.Stream(func(ctx context.Context, w io.Writer) error {
		x := destinationFile{store: h.Store, full: full, columns: valueColumns(forms, full)}
		return x.write(ctx, w, actor, f, comma, func(m models.Micros) string { return m.Time().In(zone).Format("2006-01-02 15:04:05") }, zone.String())
	})
}

// valueColumns are the fields of all forms, each once, in the order of the forms. A field called name gives way to the destination's own name.
func valueColumns(forms []providers.DestinationForm, full bool) []string {
	var out []string
	if !full {
		return nil
	}
	for _, f := range forms {
		for _, x := range f.Fields {
			if !slices.Contains(out, x.Name) && !(f.ID == providers.OnChain && x.Name == "owner") {
				out = append(out, x.Name)
			}
		}
	}
	return out
}

type destinationFile struct {
	store   *store.Store
	full    bool
	columns []string
}

func (x destinationFile) write(ctx context.Context, w io.Writer, a models.Actor, f models.DestinationFilter, comma rune, local func(models.Micros) string, zone string) error {
	if _, err := w.Write([]byte("\xef\xbb\xbf")); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = comma, true
	head := []string{columnWay, columnName, columnPurpose, columnNotes, "owner", "masked", "state", "id", "created (" + zone + ")", "created_utc", "usable_from_utc", "made_by", "approved_by"}
	for _, name := range x.columns {
		if name == columnName {
			name = "field." + name
		}
		head = append(head, name)
	}
	if err := out.Write(head); err != nil {
		return err
	}
	utc := func(m models.Micros) string {
		if m == 0 {
			return ""
		}
		return m.Time().UTC().Format("2006-01-02T15:04:05Z")
	}
	err := x.store.EachDestination(ctx, a, f, x.full, func(d *models.Destination, s models.DestinationState) error {
		row := []string{d.Form, guard(d.Name), guard(d.Purpose), guard(d.Notes), guard(d.Owner), guard(d.Masked), s.Word(), d.ID, local(d.CreatedAt), utc(d.CreatedAt), utc(d.UsableFrom),
			guard(d.CreatedByName), guard(d.DecidedByName)}
		for _, name := range x.columns {
			row = append(row, guard(d.Values[name]))
		}
		return out.Write(row)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}
