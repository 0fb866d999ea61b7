package handlers

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// KYB serves the cases of companies, their documents, the calendar, and what is handed over to providers. Nothing here sends: a run is written
// down, and a task carries it out.
type KYB struct {
	Store     *store.Store
	Providers *providers.Registry
	Intake    *Intake
	Files     files.Store
}

// Routes are the lines of the table.
func (h *KYB) Routes() []Route {
	get := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: fiber.MethodGet, Path: path, Name: "kyb." + name, Permission: models.KYBRead, Section: "kyb", Handle: f}
	}
	post := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: fiber.MethodPost, Path: path, Name: "kyb." + name, Permission: models.KYBManage, Section: "kyb", Handle: f}
	}
	guarded := func(r Route, p models.Permission) Route {
		r.StepUp, r.Permission = true, p
		return r
	}
	managed := func(r Route) Route {
		r.Permission = models.KYBManage
		return r
	}
	stream := func(r Route, limit int) Route {
		r.Stream, r.BodyLimit, r.Timeout = true, limit, 10*time.Minute
		return r
	}
	read := func(r Route) Route {
		r.Permission = models.KYBRead
		return r
	}
	slow := func(r Route) Route {
		r.Timeout = time.Minute
		return r
	}
	return []Route{
		get("/kyb", "list", h.list), managed(get("/kyb/new", "new", h.fresh)), post("/kyb", "open", h.open),
		get("/kyb/calendar", "calendar", h.calendar), get("/kyb/documents", "documents", h.documents),
		get("/kyb/submissions", "submissions", h.submissions), guarded(post("/kyb/submissions/send", "send", h.send), models.KYBManage),
		get("/kyb/cases/:id", "show", h.show), managed(get("/kyb/cases/:id/edit", "edit", h.edit)), post("/kyb/cases/:id/edit", "change", h.change),
		post("/kyb/cases/:id/link", "link", h.link), post("/kyb/cases/:id/links/:link/remove", "unlink", h.unlink),
		managed(get("/kyb/cases/:id/upload", "upload", h.upload)), stream(post("/kyb/cases/:id/files", "files", h.take), ManyLimit), post("/kyb/cases/:id/sort", "sort", h.sort),
		managed(get("/kyb/cases/:id/prepare", "prepare", h.prepareForm)), post("/kyb/cases/:id/prepare", "prepare-file", h.prepare),
		post("/kyb/cases/:id/tasks/:task", "answer", h.answer), post("/kyb/cases/:id/ask", "ask", h.ask),
		get("/kyb/documents/:id", "document", h.document), post("/kyb/documents/:id", "describe", h.describe),
		read(post("/kyb/documents/:id/number", "number", h.number)), guarded(post("/kyb/documents/:id/delete", "delete", h.remove), models.KYBManage),
		stream(post("/kyb/documents/:id/files", "version", h.version), maxDocument+1<<20),
		slow(get("/kyb/files/:id", "view", h.file("view"))), slow(get("/kyb/files/:id/download", "download", h.file("download"))),
		get("/kyb/submissions/:id", "submission", h.submission), post("/kyb/submissions/:id/withdraw", "withdraw", h.withdraw),
		guarded(post("/kyb/submissions/:id/give-up", "give-up", h.giveUp), models.KYBApprove),
		get("/kyb/runs/:id", "run", h.run), get("/kyb/runs/:id/progress", "progress", h.progress),
	}
}

const kybPage = 50

func (h *KYB) list(c *Ctx) error {
	p := views.KYBCasesParams{Me: c.Actor, Clock: c.Clock()}
	f := models.KYBFilter{Environment: c.Env, Cursor: cursorOf(c), Limit: kybPage}
	if s := models.KYBState(c.Query("state")); slices.Contains(models.KYBStates(), s) {
		f.State = s
	}
	f.Missing, f.Questions = c.Query("missing") == "1", c.Query("questions") == "1"
	if n, ok := Number(c.Query("within")); ok && n > 0 && n <= 400 {
		f.Within = int(n)
	}
	if q, err := models.CleanText("q", c.Query("q"), 100, false); err == nil {
		f.Search = q
	}
	list, err := h.Store.KYBCases(c.Context(), c.Actor, f)
	if err != nil {
		return err
	}
	p.Filter, p.Rows, p.Newer, p.Older = f, list.Rows, list.Newer, list.Older
	p.Page = c.Page("KYB")
	return c.Render(views.KYBCases(p))
}

func (h *KYB) fresh(c *Ctx) error {
	return h.caseForm(c, fiber.StatusOK, views.KYBCaseFormParams{Form: models.KYBCaseForm{Company: c.Query("company"), Country: c.Query("country"), Type: "corporate"}})
}

func (h *KYB) caseForm(c *Ctx, status int, p views.KYBCaseFormParams) error {
	title := "New case"
	if p.Case != nil {
		title = "Change " + p.Case.Company
	}
	p.Page = c.Page(title)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: title}}
	return c.RenderStatus(status, views.KYBCaseForm(p))
}

func formOfCase(c *Ctx) models.KYBCaseForm {
	return models.KYBCaseForm{Company: c.Form("company"), Country: c.Form("country"), Type: c.Form("type"), RegNumber: c.Form("reg_number"), Note: c.Form("note")}
}

func (h *KYB) open(c *Ctx) error {
	form := formOfCase(c)
	made, err := h.Store.CreateKYBCase(c.Context(), c.Actor, c.Env, form)
	if errs, ok := Problems(err); ok {
		return h.caseForm(c, fiber.StatusUnprocessableEntity, views.KYBCaseFormParams{Form: form, Errors: errs})
	}
	if err != nil {
		return err
	}
	return c.Done(views.KYBCasePath(made.ID), "The case is open. Say next which account it is for.")
}

func (h *KYB) edit(c *Ctx) error {
	p, err := h.Store.KYBCase(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	k := p.Case
	return h.caseForm(c, fiber.StatusOK, views.KYBCaseFormParams{Case: &k, Form: models.KYBCaseForm{Company: k.Company, Country: k.Country, Type: string(k.Type), RegNumber: k.RegNumber, Note: k.Note}})
}

func (h *KYB) change(c *Ctx) error {
	form := formOfCase(c)
	err := h.Store.ChangeKYBCase(c.Context(), c.Actor, c.Env, c.Param("id"), versionOf(c), form)
	if errs, ok := Problems(err); ok {
		p, err := h.Store.KYBCase(c.Context(), c.Actor, c.Env, c.Param("id"))
		if err != nil {
			return err
		}
		return h.caseForm(c, fiber.StatusUnprocessableEntity, views.KYBCaseFormParams{Case: &p.Case, Form: form, Errors: errs})
	}
	if err != nil {
		return c.Refused(views.KYBCasePath(c.Param("id")), err)
	}
	return c.Done(views.KYBCasePath(c.Param("id")), "Changed.")
}

func (h *KYB) show(c *Ctx) error { return h.renderCase(c, fiber.StatusOK, nil) }

func (h *KYB) renderCase(c *Ctx, status int, errs []ui.FieldError) error {
	p, err := h.casePage(c, c.Param("id"))
	if err != nil {
		return err
	}
	p.Errors = errs
	if c.Actor.Can(models.KYBManage) {
		if p.Accounts, err = h.Store.KYBAccountChoices(c.Context(), c.Actor, c.Env, p.Case.Company, 200); err != nil {
			return err
		}
		if p.Credentials, err = h.credentials(c); err != nil {
			return err
		}
	}
	p.Page = c.Page(p.Case.Company)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: p.Case.Company}}
	return c.RenderStatus(status, views.KYBCase(p))
}

func (h *KYB) casePage(c *Ctx, id string) (views.KYBCaseParams, error) {
	page, err := h.Store.KYBCase(c.Context(), c.Actor, c.Env, id)
	if err != nil {
		return views.KYBCaseParams{}, err
	}
	p := views.KYBCaseParams{KYBCasePage: page, Me: c.Actor, Clock: c.Clock(), Today: models.DateOf(models.At(c.Now)), Providers: providerOptions(h.Providers)}
	for _, l := range page.Links {
		if rules, ok := page.Rules[l.ID]; ok {
			p.Lists = append(p.Lists, views.KYBList{Link: l, Rules: rules, Needs: models.Needs(rules, page.Case.Type, l, page.Documents, p.Today)})
		}
	}
	return p, nil
}

// rules gives a provider's list, without the settings of a credential: those are the store's business.
func (h *KYB) rules(provider string, env models.Environment) (models.KYBRules, bool) {
	p, ok := h.Providers.Get(provider)
	if !ok || p.Description.KYB == nil {
		return models.KYBRules{}, false
	}
	return p.Description.KYB(env, nil), true
}

// credentials lists those of the environment through which documents can be handed over.
func (h *KYB) credentials(c *Ctx) (out []ui.Option, err error) {
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if _, ok := h.rules(n.Provider, c.Env); ok && n.State != string(models.CredentialRevoked) {
			out = append(out, ui.Option{Value: n.ID, Label: n.Name})
		}
	}
	return out, nil
}

func (h *KYB) link(c *Ctx) error {
	credential, account := c.Form("credential"), c.Form("account")
	if id, rest, ok := strings.Cut(c.Form("known"), " "); ok && account == "" {
		credential, account = id, rest
	}
	_, err := h.Store.LinkKYB(c.Context(), c.Actor, c.Env, c.Param("id"), credential, account)
	if errs, ok := Problems(err); ok {
		return h.renderCase(c, fiber.StatusUnprocessableEntity, errs)
	}
	if err != nil {
		return c.Refused(views.KYBCasePath(c.Param("id")), err)
	}
	return c.Done(views.KYBCasePath(c.Param("id")), "The account is on the case. Its list of documents stands below.")
}

func (h *KYB) unlink(c *Ctx) error {
	if err := h.Store.UnlinkKYB(c.Context(), c.Actor, c.Env, c.Param("id"), c.Param("link")); err != nil {
		return c.Refused(views.KYBCasePath(c.Param("id")), err)
	}
	return c.Done(views.KYBCasePath(c.Param("id")), "The account is off the case.")
}

func (h *KYB) answer(c *Ctx) error {
	err := h.Store.AnswerKYBTask(c.Context(), c.Actor, c.Env, c.Param("id"), c.Param("task"), c.Form("answer"))
	if err != nil {
		return c.Refused(views.KYBCasePath(c.Param("id")), err)
	}
	return c.Done(views.KYBCasePath(c.Param("id")), "The question is closed. If it asked for documents, prepare them and hand them over.")
}

func (h *KYB) ask(c *Ctx) error {
	if err := h.Store.AskKYBNow(c.Context(), c.Actor, c.Env, c.Param("id")); err != nil {
		return c.Refused(views.KYBCasePath(c.Param("id")), err)
	}
	return c.Done(views.KYBCasePath(c.Param("id")), "The provider is being asked. The answer stands here in a moment.")
}

// calendar shows one month, and what is overdue.
func (h *KYB) calendar(c *Ctx) error {
	today := models.DateOf(models.At(c.Now))
	month, err := time.Parse("2006-01", c.Query("month"))
	if err != nil || month.Year() < 2000 || month.Year() > 2100 {
		month, _ = time.Parse("2006-01", string(today[:7]))
	}
	p := views.KYBCalendarParams{Month: month, Today: today, Clock: c.Clock(), Providers: providerOptions(h.Providers)}
	first, last := models.Date(month.Format(time.DateOnly)), models.Date(month.AddDate(0, 1, -1).Format(time.DateOnly))
	if d, err := models.ParseDate("day", c.Query("day")); err == nil && d >= first && d <= last {
		p.Day = d
	}
	from, to := first, last
	if p.Day != "" {
		from, to = p.Day, p.Day
	}
	if p.Days, err = h.Store.KYBDays(c.Context(), c.Actor, c.Env, first, last); err != nil {
		return err
	}
	if p.Rows, p.More, err = h.Store.KYBCalendar(c.Context(), c.Actor, c.Env, from, to, 200); err != nil {
		return err
	}
	if p.Overdue, p.MoreOverdue, err = h.Store.KYBCalendar(c.Context(), c.Actor, c.Env, "2000-01-01", today.Add(-1), 20); err != nil {
		return err
	}
	p.Page = c.Page("KYB calendar")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: "Calendar"}}
	return c.Render(views.KYBCalendar(p))
}

func (h *KYB) documents(c *Ctx) error {
	f := models.KYBDocumentFilter{Environment: c.Env, Cursor: cursorOf(c), Limit: kybPage, Unsorted: c.Query("kind") == "none"}
	if k := models.DocumentKind(c.Query("kind")); models.Known(models.DocumentKinds(), k) {
		f.Kind = k
	}
	list, err := h.Store.KYBDocuments(c.Context(), c.Actor, f)
	if err != nil {
		return err
	}
	p := views.KYBDocumentsParams{Filter: f, Rows: list.Rows, Newer: list.Newer, Older: list.Older, Today: models.DateOf(models.At(c.Now)), Clock: c.Clock()}
	p.Page = c.Page("KYB documents")
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: "Documents"}}
	return c.Render(views.KYBDocuments(p))
}

func (h *KYB) upload(c *Ctx) error {
	p, err := h.casePage(c, c.Param("id"))
	if err != nil {
		return err
	}
	return h.renderUpload(c, fiber.StatusOK, views.KYBUploadParams{KYBCaseParams: p})
}

func (h *KYB) renderUpload(c *Ctx, status int, p views.KYBUploadParams) error {
	p.MaxFiles, p.MaxBytes, p.Scans = MaxUpload, maxDocument, h.Intake.Scan.Addr != ""
	p.Page = c.Page("Upload documents of " + p.Case.Company)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: p.Case.Company, Href: views.KYBCasePath(p.Case.ID)}, {Label: "Upload"}}
	return c.RenderStatus(status, views.KYBUpload(p))
}

// take takes the files of a case, for the script one by one, for a plain form all at once.
func (h *KYB) take(c *Ctx) error {
	p, err := h.casePage(c, c.Param("id"))
	if err != nil {
		return err
	}
	done, err := h.Intake.take(c, p.Case.ID, "")
	if wantsJSON(c) {
		if err != nil {
			return jsonRefusal(c, err)
		}
		return answerUpload(c, done)
	}
	if errs, ok := Problems(err); ok && len(done) == 0 {
		p.Errors = errs
		return h.renderUpload(c, fiber.StatusUnprocessableEntity, views.KYBUploadParams{KYBCaseParams: p})
	}
	if err != nil && len(done) == 0 {
		return err
	}
	if p, err = h.casePage(c, p.Case.ID); err != nil {
		return err
	}
	status := fiber.StatusOK
	if slices.ContainsFunc(done, func(u views.Uploaded) bool { return !u.OK }) {
		status = fiber.StatusUnprocessableEntity
	}
	return h.renderUpload(c, status, views.KYBUploadParams{KYBCaseParams: p, Done: done})
}

// jsonRefusal tells the script why nothing was taken.
func jsonRefusal(c *Ctx, err error) error {
	code := fiber.StatusUnprocessableEntity
	switch models.CodeOf(err) {
	case models.Forbidden:
		code = fiber.StatusForbidden
	case models.NotFound:
		code = fiber.StatusNotFound
	case models.Conflict:
		code = fiber.StatusConflict
	case models.Invalid:
	case models.Unavailable:
		code = fiber.StatusServiceUnavailable
	default:
		return err
	}
	return c.Fiber.Status(code).JSON(fiber.Map{"error": sentence(err)})
}

// sort writes down what several fresh documents are, in one form.
func (h *KYB) sort(c *Ctx) error {
	p, err := h.casePage(c, c.Param("id"))
	if err != nil {
		return err
	}
	var errs []ui.FieldError
	done := 0
	for _, d := range p.Documents {
		form := models.KYBDocumentForm{Kind: c.Form("kind." + d.ID), Holder: c.Form("holder." + d.ID), Issuer: d.Issuer, Issued: c.Form("issued." + d.ID), Expires: c.Form("expires." + d.ID)}
		if c.Form("version."+d.ID) == "" || form.Kind == "" {
			continue
		}
		version, err := strconv.ParseInt(c.Form("version."+d.ID), 10, 64)
		if err == nil {
			err = h.Store.DescribeKYBDocument(c.Context(), c.Actor, c.Env, d.ID, version, form)
		}
		if list, ok := Problems(err); ok {
			for _, e := range list {
				errs = append(errs, ui.FieldError{Field: e.Field + "." + d.ID, Message: d.Current.Name + ": " + e.Message})
			}
			continue
		}
		if err != nil {
			return c.Refused(views.KYBCasePath(p.Case.ID)+"/upload", err)
		}
		done++
	}
	if len(errs) > 0 {
		if p, err = h.casePage(c, p.Case.ID); err != nil {
			return err
		}
		p.Errors = errs
		return h.renderUpload(c, fiber.StatusUnprocessableEntity, views.KYBUploadParams{KYBCaseParams: p})
	}
	if done == 0 {
		return c.Refused(views.KYBCasePath(p.Case.ID)+"/upload", models.Errorf(models.Invalid, "Choose of at least one document what it is."))
	}
	return c.Done(views.KYBCasePath(p.Case.ID), strconv.Itoa(done)+" documents are sorted.")
}
