package handlers

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// SubAccountAsker is what the pages of sub-accounts may ask a provider. Nothing in it opens an account: that is a task's.
type SubAccountAsker interface {
	LookUp(ctx context.Context, credentialID, id string, params map[string]string) (providers.Sheet, error)
	SubAccountKeys(ctx context.Context, credentialID, theirID string) (providers.Sheet, error)
}

// SubAccounts are the companies below the merchant's own account, and the switch of the one that a person works in.
type SubAccounts struct {
	Store     *store.Store
	Providers *providers.Registry
	Ask       SubAccountAsker // nil in tests without an engine
}

// Routes lists them.
func (h *SubAccounts) Routes() []Route {
	readers := []models.Permission{models.SubAccountsManage, models.TransactionsRead, models.KYBRead}
	read := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: fiber.MethodGet, Path: path, Name: "subaccounts." + name, AnyOf: readers, Section: "compliance", Handle: f}
	}
	manage := func(method, path, name string, f func(*Ctx) error) Route {
		return Route{Method: method, Path: path, Name: "subaccounts." + name, Permission: models.SubAccountsManage, Section: "compliance", Handle: f}
	}
	upload := manage(fiber.MethodPost, "/sub-accounts/batches", "batch_check", h.checkBatch)
	upload.BodyLimit, upload.Timeout = models.SubAccountFileBytes+FormLimit, 40*time.Second
	keys := manage(fiber.MethodPost, "/sub-accounts/:id/keys", "keys", h.keys)
	keys.Timeout = askingTime
	resend := manage(fiber.MethodPost, "/sub-accounts/:id/resend", "resend", h.resend)
	resend.StepUp = true
	note := manage(fiber.MethodPost, "/sub-accounts/:id/notes", "note", h.note)
	note.Permission = models.NotesWrite
	return []Route{
		read("/compliance", "compliance", func(c *Ctx) error { return c.Redirect(views.SubAccountsPath) }),
		read("/sub-accounts", "list", h.list),
		manage(fiber.MethodGet, "/sub-accounts/new", "new", h.form),
		manage(fiber.MethodPost, "/sub-accounts/review", "review", h.review),
		manage(fiber.MethodPost, "/sub-accounts/change", "change", h.change),
		manage(fiber.MethodPost, "/sub-accounts", "create", h.create),
		manage(fiber.MethodPost, "/sub-accounts/ask", "ask", h.ask),
		read("/sub-accounts/batches", "batches", h.batches),
		manage(fiber.MethodGet, "/sub-accounts/batches/new", "batch_new", h.batchForm),
		upload,
		read("/sub-accounts/batches/:id", "batch", h.batch),
		read("/sub-accounts/batches/:id/live", "batch_live", h.batchLive),
		manage(fiber.MethodPost, "/sub-accounts/batches/:id/start", "batch_start", h.startBatch),
		manage(fiber.MethodPost, "/sub-accounts/batches/:id/withdraw", "batch_withdraw", h.withdrawBatch),
		read("/sub-accounts/:id", "show", h.show),
		read("/sub-accounts/:id/live", "live", h.live),
		manage(fiber.MethodPost, "/sub-accounts/:id/adopt", "adopt", h.adopt),
		manage(fiber.MethodPost, "/sub-accounts/:id/ignore", "ignore", h.ignore),
		manage(fiber.MethodPost, "/sub-accounts/:id/withdraw", "withdraw", h.withdraw),
		manage(fiber.MethodPost, "/sub-accounts/:id/rename", "rename", h.rename),
		keys, resend, note,
		{Method: fiber.MethodPost, Path: views.WorkPath, Name: "subaccounts.work", Permission: models.TransactionsRead, Handle: h.work},
	}
}

// work switches the sub-account that the person works in, and goes back to the page without what was of the old one.
func (h *SubAccounts) work(c *Ctx) error {
	w, err := h.Store.WorkIn(c.Context(), c.Actor, c.Env, c.Form("sub_account"))
	back := LocalPath(c.Form("back"), "/")
	if u, perr := url.Parse(back); perr == nil {
		q := u.Query()
		for _, gone := range []string{"sub", "after", "before"} {
			q.Del(gone)
		}
		u.RawQuery = q.Encode()
		back = u.String()
	}
	if err != nil {
		return c.Refused(back, err)
	}
	if w.ID == "" {
		return c.Done(back, "You see all sub-accounts.")
	}
	return c.Done(back, "You work in "+w.Name+" until you switch, also when you sign in again.")
}

func (h *SubAccounts) list(c *Ctx) error {
	f := models.SubAccountFilter{Environment: c.Env, Attention: c.Query("attention") == "1", BatchID: c.Query("batch")}
	for _, v := range strings.Split(c.Query("state"), ",") {
		if st := models.SubAccountState(v); st.Valid() && !slices.Contains(f.States, st) {
			f.States = append(f.States, st)
		}
	}
	if _, ok := h.Providers.Get(c.Query("provider")); ok {
		f.Provider = c.Query("provider")
	}
	if s, err := models.CleanText("q", c.Query("q"), 100, false); err == nil {
		f.Search = s
	}
	if len(f.BatchID) > 40 {
		f.BatchID = ""
	}
	cursor := models.ParseCursor(c.Query("after"), false)
	if b := c.Query("before"); b != "" {
		cursor = models.ParseCursor(b, true)
	}
	page, err := h.Store.SubAccounts(c.Context(), c.Actor, f, cursor, pageSize)
	if err != nil {
		return err
	}
	lists, err := h.Store.SubAccountLists(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p := views.SubAccountsParams{Filter: f, Rows: page.Rows, Newer: page.Newer, Older: page.Older, Counts: page.Counts, Alerts: page.Alerts, Credentials: page.Credentials,
		Providers: providerOptions(h.Providers), Lists: lists, Me: c.Actor, Clock: c.Clock()}
	if p.Ways, err = h.ways(c); err != nil {
		return err
	}
	p.Page = c.Page("Sub-accounts")
	return c.Render(views.SubAccounts(p))
}

// ways are the active credentials with what their providers can do for sub-accounts.
func (h *SubAccounts) ways(c *Ctx) ([]views.SubAccountWay, error) {
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	var out []views.SubAccountWay
	for _, n := range names {
		if n.State != string(models.CredentialActive) {
			continue
		}
		d := describe(h.Providers, n.Provider)
		out = append(out, views.SubAccountWay{ID: n.ID, Name: n.Name, Provider: d, Asked: d.Has(providers.CanOpenSubAccounts)})
	}
	slices.SortStableFunc(out, func(a, b views.SubAccountWay) int { // those that can be asked stand first
		switch {
		case a.Asked == b.Asked:
			return 0
		case a.Asked:
			return -1
		}
		return 1
	})
	return out, err
}

// form shows the choice of a credential, or the form of the chosen one; from= fills it with what another one was asked for with.
func (h *SubAccounts) form(c *Ctx) error {
	p, err := h.begin(c, c.Query("credential"))
	if err != nil {
		return err
	}
	if from := c.Query("from"); from != "" {
		a, err := h.Store.SubAccountByID(c.Context(), c.Actor, c.Env, from)
		if err != nil {
			return err
		}
		if p, err = h.begin(c, a.CredentialID); err != nil {
			return err
		}
		p.Spec = a.SpecOf()
	}
	return h.showForm(c, fiber.StatusOK, p)
}

func (h *SubAccounts) begin(c *Ctx, credentialID string) (views.SubAccountFormParams, error) {
	p := views.SubAccountFormParams{Me: c.Actor, Clock: c.Clock()}
	var err error
	if p.Ways, err = h.ways(c); err != nil {
		return p, err
	}
	if credentialID == "" && len(p.Ways) == 1 {
		credentialID = p.Ways[0].ID
	}
	for i, w := range p.Ways {
		if w.ID == credentialID {
			p.Way = &p.Ways[i]
		}
	}
	if credentialID != "" && p.Way == nil {
		return p, models.FieldErrorf("credential", "There is no such active credential in %s.", c.Env)
	}
	return p, nil
}

func (h *SubAccounts) showForm(c *Ctx, status int, p views.SubAccountFormParams) error {
	if p.Way != nil {
		p.Countries, p.CountriesWhy = h.countries(c, p.Way)
	}
	p.Page = h.crumbs(c.Page("New sub-account"), ui.Crumb{Label: "New"})
	return c.RenderStatus(status, views.SubAccountForm(p))
}

func (h *SubAccounts) crumbs(p views.Page, more ...ui.Crumb) views.Page {
	p.Breadcrumbs = append([]ui.Crumb{{Label: "Sub-accounts", Href: views.SubAccountsPath}}, more...)
	return p
}

// countries asks the provider for its list of countries; one that does not answer leaves the field to be typed.
func (h *SubAccounts) countries(c *Ctx, w *views.SubAccountWay) ([]ui.Option, string) {
	for _, f := range w.Provider.SubAccountFields {
		if f.Name != "country" || f.Lookup == "" || h.Ask == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(c.Context(), 6*time.Second)
		defer cancel()
		sheet, err := h.Ask.LookUp(ctx, w.ID, f.Lookup, nil)
		if err != nil {
			return nil, sentence(err)
		}
		var out []ui.Option
		for _, row := range sheet.Rows {
			if len(row) >= 2 && row[0] != "" && len(out) < 400 {
				out = append(out, ui.Option{Value: models.Safe(row[0], 3), Label: models.Safe(row[1], 80) + " (" + models.Safe(row[0], 3) + ")"})
			}
		}
		slices.SortStableFunc(out, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
		return out, ""
	}
	return nil, ""
}

// typed reads and checks a posted form; what is wrong is in p.Errors.
func (h *SubAccounts) typed(c *Ctx) (views.SubAccountFormParams, error) {
	p, err := h.begin(c, c.Form("credential"))
	if err != nil {
		return p, err
	}
	if p.Way == nil {
		return p, models.FieldErrorf("credential", "Choose a credential first.")
	}
	p.Spec = models.SubAccountSpec{Name: c.Form("name"), Company: c.Form("company"), Country: c.Form("country"), Type: c.Form("type"), Email: c.Form("email"), Username: c.Form("username")}
	clean, problems := p.Spec.Clean(p.Way.Asked)
	if len(problems) == 0 {
		p.Spec = clean
		problems = checkSubAccount(p.Way.Provider, clean)
	}
	for _, x := range problems {
		p.Errors = append(p.Errors, ui.FieldError{Field: x.Field, Message: x.Sentence})
	}
	return p, nil
}

// checkSubAccount applies the rules of the provider's form.
func checkSubAccount(d *providers.Description, s models.SubAccountSpec) []models.Problem {
	if len(d.SubAccountFields) == 0 {
		return nil
	}
	return providers.CheckFields(d.SubAccountFields, map[string]string{"company": s.Company, "country": s.Country, "type": s.Type, "email": s.Email, "username": s.Username})
}

func (h *SubAccounts) review(c *Ctx) error {
	p, err := h.typed(c)
	if err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	p.Token = models.NewID()
	p.Page = h.crumbs(c.Page("Review the sub-account"), ui.Crumb{Label: "Review"})
	return c.Render(views.SubAccountReview(p))
}

// change shows the reviewed form again.
func (h *SubAccounts) change(c *Ctx) error {
	p, err := h.typed(c)
	if err != nil {
		return err
	}
	p.Errors = nil
	return h.showForm(c, fiber.StatusOK, p)
}

func (h *SubAccounts) create(c *Ctx) error {
	p, err := h.typed(c)
	if err != nil {
		return err
	}
	if token := c.Form("token"); len(p.Errors) == 0 && !validID(token) {
		p.Errors = append(p.Errors, ui.FieldError{Message: "This form is incomplete. Review it again."})
	}
	if len(p.Errors) > 0 {
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	a, err := h.Store.CreateSubAccount(c.Context(), c.Actor, store.NewSubAccount{ID: c.Form("token"), Environment: c.Env, CredentialID: p.Way.ID, Asked: p.Way.Asked, Spec: p.Spec})
	if list, ok := Problems(err); ok {
		p.Errors = list
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(views.SubAccountPath(a.ID))
}

func (h *SubAccounts) ask(c *Ctx) error {
	back := LocalPath(c.Form("back"), views.SubAccountsPath)
	if err := h.Store.AskSubAccounts(c.Context(), c.Actor, c.Env, c.Form("credential")); err != nil {
		return c.Refused(back, err)
	}
	return c.Done(back, "The provider's list is being read. What is new in it appears here.")
}
