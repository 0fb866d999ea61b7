package handlers

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// typedFrom is the number of approvers from which on each types the last four characters of the destination.
const typedFrom = 2

// Approvals serves the lists of requests, the sheet of one, and the two ways to decide. It knows every subject: payouts, sending again, rules,
// and whatever else files a request with the store.
type Approvals struct {
	Store     *store.Store
	Providers *providers.Registry
}

// deciders are the permissions of which a request asks one; the store looks at the request's own.
var deciders = []models.Permission{models.PayoutsApprove, models.ChangesApprove, models.PoliciesManage, models.DestinationsApprove, models.KYBApprove}

// Routes are the lines of the table.
func (h *Approvals) Routes() []Route {
	return []Route{
		{Method: fiber.MethodGet, Path: "/approvals", Name: "approvals", Permission: models.TransactionsRead, Section: "approvals", Handle: h.list},
		{Method: fiber.MethodGet, Path: "/approvals/:id", Name: "approvals.show", Permission: models.TransactionsRead, Section: "approvals", Handle: h.show},
		{Method: fiber.MethodPost, Path: "/approvals/:id/approve", Name: "approvals.approve", AnyOf: deciders, StepUp: true, Section: "approvals", Handle: h.approve},
		{Method: fiber.MethodPost, Path: "/approvals/:id/reject", Name: "approvals.reject", AnyOf: deciders, StepUp: true, Section: "approvals", Handle: h.reject},
	}
}

const approvalsPage = 50

func (h *Approvals) list(c *Ctx) error {
	p := views.ApprovalsParams{View: store.ApprovalsMine, Clock: c.Clock(), Providers: providerOptions(h.Providers)}
	switch v := c.Query("view"); v {
	case store.ApprovalsOpen, store.ApprovalsDecided, store.ApprovalsMade:
		p.View = v
	}
	f := store.ApprovalFilter{Environment: c.Env, View: p.View, Cursor: cursorOf(c), Limit: approvalsPage}
	list, err := h.Store.Approvals(c.Context(), c.Actor, f)
	if err != nil {
		return err
	}
	p.Rows, p.Newer, p.Older = list.Rows, list.Newer, list.Older
	w, err := h.Store.ApprovalsWaiting(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p.Waiting = w.Count
	p.Page = c.Page("Approvals")
	return c.Render(views.Approvals(p))
}

// cursorOf reads the place in a keyset-paged list from the address.
func cursorOf(c *Ctx) models.Cursor {
	if b := c.Query("before"); b != "" {
		return models.ParseCursor(b, true)
	}
	return models.ParseCursor(c.Query("after"), false)
}

func (h *Approvals) show(c *Ctx) error {
	p, err := h.sheet(c)
	if err != nil {
		return err
	}
	return h.render(c, fiber.StatusOK, p)
}

func (h *Approvals) render(c *Ctx, status int, p views.ApprovalParams) error {
	p.Page = c.Page(p.Title())
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Approvals", Href: "/approvals"}, {Label: p.Title()}}
	return c.RenderStatus(status, views.Approval(p))
}

// sheet collects what the page of a request shows.
func (h *Approvals) sheet(c *Ctx) (views.ApprovalParams, error) {
	sheet, err := h.Store.ApprovalSheet(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return views.ApprovalParams{}, err
	}
	p := views.ApprovalParams{Sheet: sheet, Clock: c.Clock(), SeeTrades: c.Actor.Can(models.ExchangesRead), StepUp: c.Actor.RequireStepUp(models.At(c.Now)) != nil}
	if err := sheet.Request.MayDecide(c.Actor, models.At(c.Now)); err != nil {
		p.DecideWhy = sentence(err)
	}
	if sheet.Story != nil {
		if p.Provider, err = describeFor(c, h.Store, h.Providers, &sheet.Story.Transaction); err != nil {
			return p, err
		}
		p.Destination = lines(p.Provider, sheet.Story)
		if err := h.namedDestination(c, &p); err != nil {
			return p, err
		}
		p.LastFour = sheet.Request.Needed >= typedFrom && lastFour(p.Destination) != ""
	}
	return p, h.aboutDestinations(c, &p)
}

// namedDestination shows the destination that a payout names: in full for those who may see it, also where only its number is sent.
func (h *Approvals) namedDestination(c *Ctx, p *views.ApprovalParams) error {
	id := p.Sheet.Story.Transaction.DestinationID
	if id == "" || !c.Actor.Can(models.DestinationsRead) {
		return nil
	}
	page, err := h.Store.Destination(c.Context(), c.Actor, c.Env, id)
	if models.Is(err, models.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.To = page
	if page.Full {
		p.Destination = nil
		for _, l := range page.Destination.Lines {
			p.Destination = append(p.Destination, providers.Line{Label: l.Label, Value: l.Value, Copy: l.Copy})
		}
	}
	return nil
}

// aboutDestinations collects what a request about destinations shows.
func (h *Approvals) aboutDestinations(c *Ctx, p *views.ApprovalParams) (err error) {
	r := p.Sheet.Request
	switch r.Subject {
	case "destination":
		p.To, err = h.Store.Destination(c.Context(), c.Actor, r.Environment, r.SubjectID)
		if err == nil && p.To.Destination.Provider != "" {
			p.PaidBy = describe(h.Providers, p.To.Destination.Provider).Title
		}
	case "destination_import":
		p.Brought, err = h.Store.DestinationsOfImport(c.Context(), c.Actor, r.SubjectID)
	}
	if models.Is(err, models.NotFound) {
		err = nil
	}
	return err
}

// lastFour is the end of the line that decides where money goes, without spaces and in lower case; empty when there is none.
func lastFour(lines []providers.Line) string {
	out := ""
	for _, l := range lines {
		if l.Copy {
			out = l.Value
		}
	}
	r := []rune(bare(out))
	return string(r[max(0, len(r)-4):])
}

func bare(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", ".", "").Replace(s))
}

func (h *Approvals) approve(c *Ctx) error {
	p, err := h.sheet(c)
	if err != nil {
		return err
	}
	if p.DecideWhy == "" && p.LastFour && bare(c.Form("last4")) != lastFour(p.Destination) {
		p.Errors = []ui.FieldError{{Field: "last4", Message: "These are not the last four characters of the destination. Nothing was approved."}}
		return h.render(c, fiber.StatusUnprocessableEntity, p)
	}
	r, err := h.decide(c, true, "")
	if err != nil {
		return c.Refused("/approvals/"+c.Param("id"), err)
	}
	said := "Approved: " + r.Title + "."
	switch {
	case r.State == "open":
		said = fmt.Sprintf("Approved: %s. %d of %d have agreed.", r.Title, r.Have(), r.Needed)
	case r.Subject == "kyb":
		said += " It may leave now; hand it over under KYB, Submissions."
	case r.Subject == "transaction" || r.Subject == "resend":
		said += " It is being sent."
	}
	return c.Done("/approvals", said)
}

func (h *Approvals) reject(c *Ctx) error {
	r, err := h.decide(c, false, c.Form("reason"))
	if errs, ok := Problems(err); ok {
		p, err := h.sheet(c)
		if err != nil {
			return err
		}
		p.Errors, p.Reason = errs, c.Form("reason")
		return h.render(c, fiber.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return c.Refused("/approvals/"+c.Param("id"), err)
	}
	return c.Done("/approvals", fmt.Sprintf("Rejected: %s. %s reads your reason.", r.Title, r.CreatedByName))
}

// decide hands the decision to the store, with the digest of the payload that was on the page.
func (h *Approvals) decide(c *Ctx, agree bool, reason string) (*store.ApprovalRequest, error) {
	return h.Store.Decide(c.Context(), c.Actor, c.Env, c.Param("id"), agree, reason, c.Form("digest"))
}
