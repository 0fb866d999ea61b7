package handlers

import (
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// prepareForm offers the documents of a case for one account: ticked is what its list wants, or after a refusal what changed where the contract
// allows that.
func (h *KYB) prepareForm(c *Ctx) error {
	return h.renderPrepare(c, fiber.StatusOK, views.KYBPrepareParams{LinkID: c.Query("account")})
}

func (h *KYB) renderPrepare(c *Ctx, status int, p views.KYBPrepareParams) error {
	var err error
	if p.KYBCaseParams, err = h.casePage(c, c.Param("id")); err != nil {
		return err
	}
	i := slices.IndexFunc(p.Lists, func(l views.KYBList) bool { return l.Link.ID == p.LinkID })
	if i < 0 && len(p.Lists) > 0 && p.LinkID == "" {
		i = 0
	}
	if i < 0 {
		return models.Errorf(models.NotFound, "There is no such account on this case.")
	}
	p.List, p.LinkID = p.Lists[i], p.Lists[i].Link.ID
	if p.Chosen == nil {
		p.Chosen = map[string]bool{}
		for _, d := range p.Documents {
			v := d.Current.ID
			again := p.Sent[p.LinkID+" "+v]
			p.Chosen[d.ID] = d.State == models.DocumentKept && d.Kind != "" && (!again || p.List.Rules.Resend != models.ResendChanged)
		}
	}
	p.Errors = p.FormErrors
	p.Page = c.Page("Prepare documents of " + p.Case.Company)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: p.Case.Company, Href: views.KYBCasePath(p.Case.ID)}, {Label: "Prepare"}}
	return c.RenderStatus(status, views.KYBPrepare(p))
}

func (h *KYB) prepare(c *Ctx) error {
	ids := c.FormList("documents")
	sub, err := h.Store.PrepareKYB(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("account"), ids, c.Form("note"))
	errs, ok := Problems(err)
	if models.Is(err, models.Conflict) {
		errs, ok = []ui.FieldError{{Message: sentence(err)}}, true
	}
	if ok {
		chosen := map[string]bool{}
		for _, id := range ids {
			chosen[id] = true
		}
		return h.renderPrepare(c, fiber.StatusUnprocessableEntity, views.KYBPrepareParams{LinkID: c.Form("account"), Chosen: chosen, Note: c.Form("note"), FormErrors: errs})
	}
	if err != nil {
		return err
	}
	return c.Done(views.KYBSubmissionPath(sub.ID), "Prepared. A second person from compliance looks at it under Approvals.")
}

func (h *KYB) submissions(c *Ctx) error {
	f := models.KYBSubmissionFilter{Environment: c.Env, Cursor: cursorOf(c), Limit: kybPage}
	p := views.KYBSubmissionsParams{Me: c.Actor, Clock: c.Clock(), Providers: providerOptions(h.Providers)}
	states := append(models.KYBStates(), models.SubRejected, models.SubWithdrawn, models.SubGivenUp)
	if s := models.KYBState(c.Query("state")); slices.Contains(states, s) {
		f.State = s
	}
	if f.State == models.SubApproved {
		f.Limit = 500
	}
	list, err := h.Store.KYBSubmissions(c.Context(), c.Actor, f)
	if err != nil {
		return err
	}
	p.Filter, p.Rows, p.Newer, p.Older = f, list.Rows, list.Newer, list.Older
	if p.Runs, err = h.Store.KYBRuns(c.Context(), c.Actor, c.Env, 5); err != nil {
		return err
	}
	if err := h.limitsOf(c, &p); err != nil {
		return err
	}
	p.Page = c.Page("KYB submissions")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: "Submissions"}}
	return c.Render(views.KYBSubmissions(p))
}

// limitsOf says what fits into a call through each credential in the list.
func (h *KYB) limitsOf(c *Ctx, p *views.KYBSubmissionsParams) error {
	seen := map[string]bool{}
	for _, s := range p.Rows {
		if seen[s.CredentialID] {
			continue
		}
		seen[s.CredentialID] = true
		r, ok, err := h.Store.KYBRulesOf(c.Context(), c.Actor, c.Env, s.CredentialID)
		if err != nil {
			return err
		}
		says := fmt.Sprintf("%s takes up to %d companies in one call, %s together; more are handed over in several calls, one after the other.", r.Title, r.MaxCompanies, models.Megabytes(r.BatchBytes))
		if ok && !slices.Contains(p.Limits, says) {
			p.Limits = append(p.Limits, says)
		}
	}
	return nil
}

func (h *KYB) send(c *Ctx) error {
	run, err := h.Store.SendKYB(c.Context(), c.Actor, c.Env, c.FormList("submission"))
	if err != nil {
		return c.Refused(views.KYBSubmissionsPath+"?state=approved", err)
	}
	return c.Redirect(views.KYBRunPath(run.ID))
}

func (h *KYB) submission(c *Ctx) error { return h.renderSubmission(c, fiber.StatusOK, nil) }

func (h *KYB) renderSubmission(c *Ctx, status int, errs []ui.FieldError) error {
	page, err := h.Store.KYBSubmission(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	p := views.KYBSubmissionParams{KYBSubmissionPage: page, Me: c.Actor, Clock: c.Clock(), Errors: errs, Providers: providerOptions(h.Providers)}
	p.Rules, _ = h.rules(page.Submission.Provider, c.Env)
	p.Page = c.Page("Submission of " + page.Case.Company)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: page.Case.Company, Href: views.KYBCasePath(page.Case.ID)}, {Label: "Submission"}}
	return c.RenderStatus(status, views.KYBSubmission(p))
}

func (h *KYB) withdraw(c *Ctx) error {
	if err := h.Store.WithdrawKYB(c.Context(), c.Actor, c.Env, c.Param("id")); err != nil {
		return c.Refused(views.KYBSubmissionPath(c.Param("id")), err)
	}
	return c.Done(views.KYBSubmissionPath(c.Param("id")), "Withdrawn. Nothing of it left the house.")
}

func (h *KYB) giveUp(c *Ctx) error {
	err := h.Store.GiveUpKYB(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("reason"))
	if errs, ok := Problems(err); ok {
		return h.renderSubmission(c, fiber.StatusUnprocessableEntity, errs)
	}
	if err != nil {
		return c.Refused(views.KYBSubmissionPath(c.Param("id")), err)
	}
	return c.Done(views.KYBSubmissionPath(c.Param("id")), "Given up. The documents can be prepared, approved and handed over anew.")
}

func (h *KYB) run(c *Ctx) error {
	page, err := h.Store.KYBRun(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	p := views.KYBRunParams{KYBRunPage: page, Clock: c.Clock(), Providers: providerOptions(h.Providers), SeeExchanges: c.Actor.Can(models.ExchangesRead)}
	p.Page = c.Page("Handover")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: "Submissions", Href: views.KYBSubmissionsPath}, {Label: "Handover"}}
	return c.Render(views.KYBRun(p))
}

// progress is the bar of a run, for the page to ask for while it runs. When the run has ended, the page is drawn anew.
func (h *KYB) progress(c *Ctx) error {
	page, err := h.Store.KYBRun(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	if page.Run.State == "done" && c.HTMX() {
		c.Fiber.Set("HX-Refresh", "true")
	}
	return c.Render(ui.Progress(views.KYBProgress(page.Run)))
}
