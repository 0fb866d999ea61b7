package handlers

import (
	"context"
	"encoding/csv"
	"io"
	"net/url"
	"slices"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

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
