package handlers

import (
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Audit is the page of the audit trail.
type Audit struct{ Store *store.Store }

// Routes lists them. Verifying reads the whole chain: it is a POST, so that nothing fetches it ahead, and has time.
func (h *Audit) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/audit", Name: "audit", Permission: models.AuditRead, Section: "audit", Handle: h.list},
		{Method: "POST", Path: "/audit/verify", Name: "audit.verify", Permission: models.AuditRead, Section: "audit", Timeout: 2 * time.Minute, Handle: h.verify},
	}
}

const auditPage = 50

func (h *Audit) list(c *Ctx) error { return h.render(c, nil) }

func (h *Audit) verify(c *Ctx) error {
	rep, err := h.Store.VerifyAudit(c.Context())
	if err != nil {
		return err
	}
	return h.render(c, &rep)
}

func (h *Audit) render(c *Ctx, report *models.AuditReport) error {
	p := views.AuditParams{Clock: c.Clock(), Report: report, Filter: views.AuditForm{Actor: c.Query("actor"), Action: c.Query("action"), Noun: c.Query("noun"),
		ID: c.Query("id"), From: c.Query("from"), To: c.Query("to")}}
	f := models.AuditFilter{ActorID: p.Filter.Actor, Action: p.Filter.Action, Noun: p.Filter.Noun, NounID: p.Filter.ID, Limit: auditPage + 1}
	f.From, p.Errors = day(c, "from", 0, p.Errors)
	f.To, p.Errors = day(c, "to", 1, p.Errors)
	status := fiber.StatusOK
	if len(p.Errors) > 0 {
		status = fiber.StatusUnprocessableEntity
	}
	f.Before, _ = Number(c.Query("before"))
	var err error
	if p.Entries, err = h.Store.AuditList(c.Context(), c.Actor, f); err != nil {
		return err
	}
	p.Chips, p.Clear = auditChips(p.Filter)
	if len(p.Entries) > auditPage {
		p.Entries = p.Entries[:auditPage]
		p.Older = auditHref(p.Filter, "", p.Entries[auditPage-1].Seq)
	}
	if f.Before != 0 {
		p.Newest = auditHref(p.Filter, "", 0)
	}
	return c.RenderStatus(status, views.Audit(c.Page("Audit"), p))
}

// day reads a date in the viewer's zone; plus days later for an inclusive end.
func day(c *Ctx, field string, plus int, errs []ui.FieldError) (models.Micros, []ui.FieldError) {
	text := c.Query(field)
	if text == "" {
		return 0, errs
	}
	t, err := time.ParseInLocation("2006-01-02", text, c.Zone)
	if err != nil {
		return 0, append(errs, ui.FieldError{Field: field, Message: "This is not a date such as 2026-09-21."})
	}
	return models.At(t.AddDate(0, 0, plus)), errs
}

// auditHref is the page's address with its filters, without one of them, from an entry on.
func auditHref(f views.AuditForm, without string, before int64) string {
	q := url.Values{}
	for _, v := range auditValues(f) {
		if v[1] != "" && v[0] != without {
			q.Set(v[0], v[1])
		}
	}
	if before != 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if len(q) == 0 {
		return "/audit"
	}
	return "/audit?" + q.Encode()
}

func auditValues(f views.AuditForm) [][2]string {
	return [][2]string{{"action", f.Action}, {"noun", f.Noun}, {"id", f.ID}, {"actor", f.Actor}, {"from", f.From}, {"to", f.To}}
}

func auditChips(f views.AuditForm) (chips []ui.Chip, clear string) {
	for _, v := range auditValues(f) {
		if v[1] != "" {
			chips = append(chips, ui.Chip{Name: v[0], Value: v[1], RemoveHref: auditHref(f, v[0], 0)})
		}
	}
	if len(chips) > 0 {
		clear = "/audit"
	}
	return chips, clear
}
