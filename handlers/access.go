package handlers

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// AccessReview is the page of the access review: who may, or might on a past day, do what.
type AccessReview struct{ Store *store.Store }

// Routes lists them. They stand before those of people: "access" is nobody's id.
func (h *AccessReview) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/people/access", Name: "access", Permission: models.PeopleRead, Section: "settings", Handle: h.show},
		{Method: "GET", Path: "/people/access/export", Name: "access.export", Permission: models.PeopleRead, Section: "settings", Handle: h.export},
	}
}

// moment is the end of the day that was asked for, in the viewer's zone, or now while that day lasts and when none was asked for.
func (h *AccessReview) moment(c *Ctx) (at models.Micros, day string, err error) {
	day = cutText(c.Query("date"), 20)
	if day == "" {
		return models.At(c.Now), c.Now.In(c.Zone).Format("2006-01-02"), nil
	}
	t, perr := time.ParseInLocation("2006-01-02", day, c.Zone)
	if perr != nil || t.Year() < 2000 || t.Year() > 2200 {
		return 0, day, models.FieldErrorf("date", "Write the day as 2026-09-21.")
	}
	at = models.At(t.AddDate(0, 0, 1)) - 1
	if now := models.At(c.Now); at > now && day == c.Now.In(c.Zone).Format("2006-01-02") {
		at = now
	}
	return at, day, nil
}

func (h *AccessReview) read(c *Ctx) (r models.AccessReview, day string, err error) {
	at, day, err := h.moment(c)
	if err == nil {
		r, err = h.Store.AccessReview(c.Context(), c.Actor, at)
	}
	return r, day, err
}

func (h *AccessReview) show(c *Ctx) error {
	r, day, err := h.read(c)
	p := views.AccessParams{Review: r, Day: day, Me: c.Actor, Clock: c.Clock()}
	status := fiber.StatusOK
	if errs, ok := Problems(err); ok {
		p.Errors, status = errs, fiber.StatusUnprocessableEntity
	} else if err != nil {
		return err
	}
	page := c.Page("Who may do what")
	page.Breadcrumbs = []ui.Crumb{{Label: "People", Href: views.PeoplePath}, {Label: "Who may do what"}}
	return c.RenderStatus(status, views.Access(page, p))
}

// export writes the review as CSV: one line per person, one column per permission.
func (h *AccessReview) export(c *Ctx) error {
	r, day, err := h.read(c)
	if err != nil {
		return err
	}
	if err := h.Store.AuditExport(c.Context(), c.Actor, "the access review", "date="+day, "csv"); err != nil {
		return err
	}
	c.Fiber.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Fiber.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="access-%s.csv"`, day))
	var b bytes.Buffer
	b.WriteString("\ufeff") // spreadsheets then read it as UTF-8
	w := csv.NewWriter(&b)
	if err := w.WriteAll(accessRows(r)); err != nil {
		return err
	}
	return c.Fiber.Send(b.Bytes())
}

func accessRows(r models.AccessReview) [][]string {
	const stamp = "2006-01-02T15:04:05Z"
	utc := func(m models.Micros) string {
		if m == 0 {
			return ""
		}
		return m.Time().Format(stamp)
	}
	permissions := models.AllPermissions()
	head := []string{"as_of_utc", "person", "e_mail", "state", "roles", "second_factor", "passkeys", "so_since_utc", "last_sign_in_utc"}
	for _, p := range permissions {
		head = append(head, string(p))
	}
	rows := [][]string{head}
	for _, l := range r.People {
		row := []string{utc(r.At), guard(l.Name), guard(l.Email), views.AccessState(l), models.RoleText(l.Roles), views.AccessFactor(l), fmt.Sprint(l.Passkeys), utc(l.Since), utc(l.LastSignIn)}
		if l.Unknown {
			row[4], row[6] = "not known", ""
		}
		for _, p := range permissions {
			word := "no"
			switch {
			case l.Unknown:
				word = "not known"
			case l.May(p):
				word = "yes"
			}
			row = append(row, word)
		}
		rows = append(rows, row)
	}
	return rows
}
