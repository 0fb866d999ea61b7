package handlers

import (
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

// Transactions serves the lists across providers, their exports and what people do with one transaction.
type Transactions struct {
	Store     *store.Store
	Providers *providers.Registry
	Ask       Asker   // nil where no engine runs: then nothing that hangs on confirmations is known
	Merchant  string  // as receipts name the house; empty: not named
	Instance  string  // names this process in the attempts that people ask for
	Intake    *Intake // takes the files that staff keep with a transaction; nil where no files are kept
}

// Routes are the lines of the table.
func (h *Transactions) Routes() []Route {
	list := func(path, name string, kind models.Kind) Route {
		return Route{Method: fiber.MethodGet, Path: path, Name: name, Permission: models.TransactionsRead, Section: "transactions",
			Handle: func(c *Ctx) error { return h.list(c, path, kind) }}
	}
	do := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: fiber.MethodPost, Path: "/transactions/:id/" + path, Name: "transactions." + name, Permission: models.PayoutsOperate, Section: "transactions", Handle: f}
	}
	note := do("notes", "note", h.note)
	note.Permission = models.NotesWrite
	withdraw := do("withdraw", "withdraw", h.withdraw)
	withdraw.Permission, withdraw.AnyOf = "", []models.Permission{models.PayoutsCreate, models.PayoutsOperate}
	return append(h.paperRoutes(), []Route{
		list("/transactions", "transactions.list", ""), list("/payouts", "payouts.list", models.Payout), list("/deposits", "deposits.list", models.Deposit),
		list("/refunds", "refunds.list", models.Refund), list("/conversions", "conversions.list", models.Conversion), list("/orders", "orders.list", models.Order),
		{Method: fiber.MethodGet, Path: "/transactions/export", Name: "transactions.export", Permission: models.ExportsCreate, Section: "transactions", Timeout: exportTimeout, Handle: h.export},
		{Method: fiber.MethodGet, Path: "/transactions/:id", Name: "transactions.show", Permission: models.TransactionsRead, Section: "transactions", Handle: h.show},
		{Method: fiber.MethodGet, Path: "/transactions/:id/peek", Name: "transactions.peek", Permission: models.TransactionsRead, Section: "transactions", Handle: h.peek},
		{Method: fiber.MethodGet, Path: "/transactions/:id/live", Name: "transactions.live", Permission: models.TransactionsRead, Section: "transactions", Handle: h.live},
		{Method: fiber.MethodGet, Path: "/transactions/:id/evidence.zip", Name: "transactions.evidence", Permission: models.ExportsCreate, Section: "transactions", Timeout: exportTimeout, Handle: h.evidence},
		{Method: fiber.MethodGet, Path: "/transactions/:id/receipt.pdf", Name: "transactions.receipt", Permission: models.ExportsCreate, Section: "transactions", Handle: h.receipt},
		{Method: fiber.MethodPost, Path: "/preferences/columns", Name: "transactions.columns", Permission: models.TransactionsRead, Section: "transactions", Handle: h.columns},
		{Method: fiber.MethodPost, Path: "/views", Name: "views.save", Permission: models.TransactionsRead, Section: "transactions", Handle: h.saveView},
		{Method: fiber.MethodPost, Path: "/views/:id/delete", Name: "views.remove", Permission: models.TransactionsRead, Section: "transactions", Handle: h.removeView},
		note, withdraw,
		{Method: fiber.MethodGet, Path: "/transactions/:id/codes", Name: "transactions.codes", Permission: models.TransactionsRead, Section: "transactions", Handle: h.codes},
		{Method: fiber.MethodGet, Path: "/transactions/:id/codes/:code", Name: "transactions.code", Permission: models.CodesReveal, StepUp: true, Section: "transactions", Handle: h.code},
		{Method: fiber.MethodPost, Path: "/transactions/:id/codes/:code/reveal", Name: "transactions.reveal", Permission: models.CodesReveal, StepUp: true, Section: "transactions", Handle: h.reveal},
		do("ask", "ask", h.ask), do("dispute", "dispute", h.dispute),
		do("cancel", "cancel", h.operate(models.OpCancel)), do("hold", "hold", h.operate(models.OpHold)), do("release", "release", h.operate(models.OpRelease)),
		do("resend", "resend", h.unknown("resend")), do("give-up", "give_up", h.unknown("give_up")), do("number", "number", h.number),
	}...)
}

const pageSize = 50

func (h *Transactions) list(c *Ctx, base string, kind models.Kind) error {
	q, err := url.ParseQuery(string(c.Fiber.Request().URI().QueryString()))
	if err != nil {
		return models.Errorf(models.Invalid, "This address cannot be read.")
	}
	f, problems := listFilter(c, q)
	if kind != "" {
		f.Kinds = []models.Kind{kind}
	}
	cursor := models.ParseCursor(q.Get("after"), false)
	if b := q.Get("before"); b != "" {
		cursor = models.ParseCursor(b, true)
	}
	page, err := h.Store.List(c.Context(), c.Actor, f, cursor, pageSize)
	if err != nil {
		return err
	}
	totals, err := h.Store.Totals(c.Context(), c.Actor, f)
	if err != nil {
		return err
	}
	creds, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	assets, err := h.assetOptions(c, creds)
	if err != nil {
		return err
	}
	p := views.TransactionsParams{Base: base, Fixed: kind, Title: listTitle(kind), Filter: f, Problems: problems, Rows: page.Rows, Newer: page.Newer, Older: page.Older,
		Count: totals.Count, Bounded: totals.Bounded, In: totals.In, Out: totals.Out, Providers: providerOptions(h.Providers), Credentials: credentialOptions(creds),
		Assets: assets, CanExport: c.Actor.Can(models.ExportsCreate), CanPay: c.Actor.Can(models.PayoutsCreate), CanTake: c.Actor.Can(models.DepositsCreate), CanOrder: c.Actor.Can(models.OrdersCreate),
		Zone: c.Zone, Now: c.Now, Columns: chosenColumns(c)}
	if p.Views, err = h.Store.SavedViews(c.Context(), c.Actor); err != nil {
		return err
	}
	if p.Subs, p.SubNames, err = h.subs(c, page.Rows, f.SubAccount); err != nil {
		return err
	}
	p.Page = c.Page(p.Title)
	p.Page.Narrowed = f.SubAccount != "" && f.SubAccount == c.Working.ID
	return c.Render(views.Transactions(p))
}

// listFilter reads a list's query. Without a sub-account in it, the list is of the one that the person works in; sub=all is all of them.
func listFilter(c *Ctx, q url.Values) (models.Filter, []models.Problem) {
	f, problems := models.ParseFilter(c.Env, q, c.Zone)
	if f.SubAccount == "" && !f.AllSubs {
		f.SubAccount = c.Working.ID
	}
	f.AllSubs = f.AllSubs && c.Working.ID != "" // otherwise there is nothing to say
	return f, problems
}

// subs are the sub-accounts that the filter offers, and the names of those that stand on the page.
func (h *Transactions) subs(c *Ctx, rows []models.Transaction, chosen string) ([]ui.Option, map[string]string, error) {
	ids := []string{chosen}
	for i := range rows {
		ids = append(ids, rows[i].SubAccount)
	}
	names, err := h.Store.SubAccountNames(c.Context(), c.Env, ids)
	if err != nil {
		return nil, nil, err
	}
	var out []ui.Option
	for _, w := range c.Choices() {
		out = append(out, ui.Option{Value: w.ID, Label: w.Name})
	}
	if chosen != "" && !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == chosen }) {
		label := names[chosen]
		if label == "" {
			label = "one that is not here"
		}
		out = append(out, ui.Option{Value: chosen, Label: label})
	}
	return out, names, nil
}

// saveView keeps the filter of the list that the form stands on.
func (h *Transactions) saveView(c *Ctx) error {
	v := models.SavedView{Base: c.Form("base"), Name: c.Form("name"), Query: c.Form("query"), Shared: c.Form("shared") == "1"}
	back := LocalPath(c.Form("back"), "/transactions")
	if err := h.Store.SaveView(c.Context(), c.Actor, v); err != nil {
		return c.Refused(back, err)
	}
	return c.Done(back, "Kept. It stands under “views”.")
}

func (h *Transactions) removeView(c *Ctx) error {
	back := LocalPath(c.Form("back"), "/transactions")
	if err := h.Store.RemoveView(c.Context(), c.Actor, c.Param("id")); err != nil {
		return c.Refused(back, err)
	}
	return c.Done(back, "The view is removed.")
}

func listTitle(k models.Kind) string {
	if k == "" {
		return "Transactions"
	}
	return strings.ToUpper(string(k[:1])) + string(k[1:]) + "s"
}

// providerOptions are the providers by name, with their short titles.
func providerOptions(r *providers.Registry) []ui.Option {
	var out []ui.Option
	for _, p := range r.All() {
		out = append(out, ui.Option{Value: p.Description.Name, Label: p.Description.Short})
	}
	return out
}

// assetOptions are the assets that any provider's methods speak of, those of the environment's own operation tables included.
func (h *Transactions) assetOptions(c *Ctx, creds []store.CredentialName) ([]ui.Option, error) {
	var codes []string
	add := func(methods []providers.Method) {
		for _, m := range methods {
			for _, a := range m.Assets {
				if !slices.Contains(codes, a) {
					codes = append(codes, a)
				}
			}
		}
	}
	for _, p := range h.Providers.All() {
		add(p.Description.Methods)
		if p.Description.MethodsUnder == nil {
			continue
		}
		for _, n := range creds {
			if n.Provider != p.Description.Name {
				continue
			}
			cred, err := h.Store.CredentialForTask(c.Context(), n.ID)
			if err != nil {
				return nil, err
			}
			if cred.Settings[models.OperationTable] != "" {
				add(p.Description.MethodsWith(cred.Settings))
			}
		}
	}
	slices.Sort(codes)
	out := make([]ui.Option, 0, len(codes))
	for _, a := range codes {
		out = append(out, ui.Option{Value: a, Label: a})
	}
	return out, nil
}

func credentialOptions(cs []store.CredentialName) []ui.Option {
	out := make([]ui.Option, 0, len(cs))
	for _, c := range cs {
		out = append(out, ui.Option{Value: c.ID, Label: c.Name})
	}
	return out
}

const columnsCookie = "ch_columns"

func chosenColumns(c *Ctx) []string {
	var out []string
	have := strings.Split(c.Fiber.Cookies(columnsCookie), ".")
	for _, x := range views.TransactionColumns {
		if slices.Contains(have, x[0]) {
			out = append(out, x[0])
		}
	}
	return out
}

// columns remembers which columns this browser shows. It changes nothing but a cookie.
func (h *Transactions) columns(c *Ctx) error {
	var keep []string
	for _, id := range c.FormList("columns") {
		if slices.ContainsFunc(views.TransactionColumns, func(x [2]string) bool { return x[0] == id }) {
			keep = append(keep, id)
		}
	}
	c.Fiber.Cookie(&fiber.Cookie{Name: columnsCookie, Value: strings.Join(keep, "."), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: "Lax", HTTPOnly: true, Secure: c.Fiber.Secure()})
	return c.Redirect(LocalPath(c.Form("back"), "/transactions"))
}

func (h *Transactions) note(c *Ctx) error {
	here := "/transactions/" + c.Param("id")
	if err := h.Store.AddNote(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("note")); err != nil {
		return c.Refused(here, err)
	}
	return c.Done(here+"#notes", "The note was added.")
}

func (h *Transactions) withdraw(c *Ctx) error {
	here := "/transactions/" + c.Param("id")
	if err := h.Store.Withdraw(c.Context(), c.Actor, c.Env, c.Param("id")); err != nil {
		return c.Refused(here, err)
	}
	return c.Done(here, "Called off. Nothing was sent.")
}

func (h *Transactions) ask(c *Ctx) error {
	here := "/transactions/" + c.Param("id")
	if err := h.Store.AskNow(c.Context(), c.Actor, c.Env, c.Param("id")); err != nil {
		return c.Refused(here, err)
	}
	return c.Done(here, "The provider is being asked. The answer appears here.")
}

func (h *Transactions) operate(op models.Operation) func(*Ctx) error {
	return func(c *Ctx) error {
		here := "/transactions/" + c.Param("id")
		if err := h.Store.RequestOperation(c.Context(), c.Actor, c.Env, c.Param("id"), op, h.Instance); err != nil {
			return c.Refused(here, err)
		}
		return c.Done(here, "The provider was asked to "+string(op)+" it. Its answer appears here.")
	}
}

// dispute asks the provider to look again, with a reason and the address of the evidence.
func (h *Transactions) dispute(c *Ctx) error {
	here := "/transactions/" + c.Param("id")
	story, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	why, err := h.noDispute(c, h.description(story.Transaction.Provider), &story.Transaction)
	if err != nil {
		return err
	}
	if why != "" {
		return c.Refused(here, models.Errorf(models.Conflict, "%s", why))
	}
	w := models.DisputeWish{Reason: c.Form("reason"), Proof: c.Form("proof"), Amount: c.Form("amount")}
	if err := h.Store.RequestDispute(c.Context(), c.Actor, c.Env, c.Param("id"), w, h.Instance); err != nil {
		return c.Refused(here+"#dispute", err)
	}
	return c.Done(here, "The dispute is being sent. The provider's answer appears here.")
}

// number files the request to take a number that somebody found at the provider.
func (h *Transactions) number(c *Ctx) error {
	here := "/transactions/" + c.Param("id")
	p, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	if court := h.court(c, p); !court.MayName {
		return c.Refused(here, models.Errorf(models.Conflict, "The provider is asked by our own reference here: no number has to be found."))
	}
	if err := h.Store.RequestNumber(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("number"), c.Form("reason")); err != nil {
		return c.Refused(here, err)
	}
	return c.Done(here, "Somebody else must agree now. The request stands under Approvals.")
}

// unknown files a request of people about an unknown outcome: to send again, or to declare that nothing was created.
func (h *Transactions) unknown(subject string) func(*Ctx) error {
	return func(c *Ctx) error {
		here := "/transactions/" + c.Param("id")
		p, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, c.Param("id"))
		if err != nil {
			return err
		}
		if err := h.Store.RequestUnknown(c.Context(), c.Actor, c.Env, c.Param("id"), subject, c.Form("reason"), h.court(c, p)); err != nil {
			return c.Refused(here, err)
		}
		return c.Done(here, "Somebody else must agree now. The request stands under Approvals.")
	}
}

func (h *Transactions) court(c *Ctx, p *store.TransactionPage) store.Court {
	d, t := h.description(p.Transaction.Provider), &p.Transaction
	court := models.Judge(p, string(d.Passport.ResendOf(t.Kind)), d.Passport.Finds(t.Kind), d.Passport.NotFoundAfter, models.At(c.Now))
	if t.State == models.Unknown && slices.Contains(d.Passport.ByNumberOnly, t.Kind) {
		court.ByNumber, court.MayName = t.ProviderRef == "", true
		court.ResendWhy = d.Short + " finds a " + string(t.Kind) + " by its own number only, so it is never sent again."
		court.NameWhy = "As it stands in " + d.Short + "’s panel. Nothing is declared by it: " + d.Short + " is asked about that number, and its answer settles the outcome."
	}
	return court
}

func (h *Transactions) description(name string) *providers.Description {
	return describe(h.Providers, name)
}

// describe a provider; an unknown one has an empty description, so that old rows of a removed provider can still be read.
func describe(r *providers.Registry, name string) *providers.Description {
	if p, ok := r.Get(name); ok {
		return &p.Description
	}
	return &providers.Description{Name: name, Title: name, Short: name}
}
