package handlers

import (
	"cmp"
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

// BookReader reads the books of destinations that providers keep. It writes nothing there.
type BookReader interface {
	ReadBooks(ctx context.Context, credentialID string) error
}

// Destinations serves where money may go: the list, one destination, new ones and changes, files, the providers' books and the guard.
type Destinations struct {
	Store     *store.Store
	Providers *providers.Registry
	Ask       Asker      // nil: providers cannot be asked
	Books     BookReader // nil: nor can their books be read
	Callback  func(credentialID, topic string) string
}

// Routes are the lines of the table. What stands before :id must come first.
func (h *Destinations) Routes() []Route {
	get := func(path, name string, need models.Permission, f func(*Ctx) error) Route {
		return Route{Method: fiber.MethodGet, Path: "/destinations" + path, Name: "destinations." + name, Permission: need, Section: "destinations", Handle: f}
	}
	post := func(path, name string, f func(*Ctx) error, any ...models.Permission) Route {
		r := Route{Method: fiber.MethodPost, Path: "/destinations" + path, Name: "destinations." + name, AnyOf: any, Section: "destinations", Handle: f}
		if len(any) == 1 {
			r.AnyOf, r.Permission = nil, any[0]
		}
		return r
	}
	stepped := func(r Route) Route { r.StepUp = true; return r }
	slow := func(r Route) Route { r.Timeout = askingTime; return r }
	create, approve := models.DestinationsCreate, models.DestinationsApprove
	bring := post("/import", "check", h.checkFile, create)
	bring.BodyLimit, bring.Timeout = models.SheetBytes+FormLimit, 60*time.Second
	out := get("/export", "export", models.ExportsCreate, h.export)
	out.Timeout = exportTimeout
	whole := get("/export/full", "export-full", create, h.exportFull)
	whole.Timeout, whole.StepUp = exportTimeout, true
	return []Route{
		get("", "list", models.DestinationsRead, h.list),
		get("/new", "new", create, h.new), post("", "create", h.create, create),
		get("/import", "import", create, h.importPage), bring, post("/import/:id", "add-file", h.addFile, create), get("/import/template", "template", create, h.template),
		out, whole,
		get("/books", "books", models.DestinationsRead, h.books), slow(post("/books/read", "books-read", h.readBooks, create, approve)),
		get("/books/:line", "book-line", create, h.bookLine), post("/books/:line/adopt", "adopt", h.adopt, create), post("/books/:line/ignore", "ignore", h.ignore, create),
		stepped(post("/books/entries/:entry/push", "push", h.push, approve)),
		get("/guard", "guard", models.DestinationsRead, h.guard), stepped(post("/guard/off", "guard-off", h.guardOff, models.PoliciesManage)),
		stepped(post("/guard/on", "guard-on", h.guardOn, models.PoliciesManage)), stepped(post("/guard/wait", "guard-wait", h.guardWait, models.PoliciesManage)),
		stepped(post("/guard/raw", "guard-raw", h.guardRaw, models.CredentialsManage)),
		get("/:id", "show", models.DestinationsRead, h.show), get("/:id/edit", "edit", create, h.edit),
		post("/:id/revoke", "revoke", h.revoke, create, approve), post("/:id/notes", "notes", h.notes, create, approve),
		slow(post("/:id/verify", "verify", h.verify, create, approve)), post("/:id/register", "register", h.register, create, approve),
	}
}

const destinationsPage = 50

func (h *Destinations) list(c *Ctx) error {
	q, err := url.ParseQuery(string(c.Fiber.Request().URI().QueryString()))
	if err != nil {
		return models.Errorf(models.Invalid, "This address cannot be read.")
	}
	f, problems := models.ParseDestinationFilter(c.Env, q)
	page, err := h.Store.Destinations(c.Context(), c.Actor, f, cursorOf(c), destinationsPage)
	if err != nil {
		return err
	}
	counts, err := h.Store.CountDestinations(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p := views.DestinationsParams{Filter: f, Problems: problems, List: page.Rows, Marked: page.Problems, Guard: page.Guard, Newer: page.Newer, Older: page.Older, Waiting: counts.Waiting,
		Cooling: counts.Cooling, BookProblems: counts.Problems + counts.Strange, Providers: providerOptions(h.Providers), Me: c.Actor, Clock: c.Clock()}
	p.Page = c.Page("Destinations")
	return c.Render(views.Destinations(p))
}

// waysOf collects the forms of an environment: those of every active credential's provider, once each, with the settings they are checked under.
func (h *Destinations) waysOf(c *Ctx) (forms []providers.DestinationForm, settings map[string]map[string]string, err error) {
	forms, settings = []providers.DestinationForm{providers.OnChainForm(c.Env)}, map[string]map[string]string{}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range names {
		prov, ok := h.Providers.Get(n.Provider)
		if !ok || n.State != string(models.CredentialActive) {
			continue
		}
		with, err := h.settings(c, n.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range prov.Description.FormsOf(with) {
			if f.Locked == "" && !slices.ContainsFunc(forms, func(x providers.DestinationForm) bool { return x.ID == f.ID }) {
				forms, settings[f.ID] = append(forms, f), with
			}
		}
	}
	return forms, settings, nil
}

func (h *Destinations) settings(c *Ctx, credentialID string) (map[string]string, error) {
	cred, err := h.Store.CredentialForTask(c.Context(), credentialID)
	if err != nil || h.Ask == nil {
		return cred.Settings, err
	}
	return h.Ask.Settings(c.Context(), cred)
}

func formByID(forms []providers.DestinationForm, id string) (providers.DestinationForm, bool) {
	i := slices.IndexFunc(forms, func(f providers.DestinationForm) bool { return f.ID == id })
	if i < 0 {
		return providers.DestinationForm{}, false
	}
	return forms[i], true
}

// booksFor lists the credentials in whose books a destination of this kind can stand.
func (h *Destinations) booksFor(c *Ctx, d *models.Destination) (out []views.BookChoice, err error) {
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		prov, ok := h.Providers.Get(n.Provider)
		if !ok || n.State != string(models.CredentialActive) {
			continue
		}
		with, err := h.settings(c, n.ID)
		if err != nil {
			return nil, err
		}
		if b := prov.Description.BookOf(with, d); b != "" {
			out = append(out, views.BookChoice{CredentialID: n.ID, Name: n.Name, Provider: n.Provider, Short: prov.Description.Short, Book: b})
		}
	}
	return out, nil
}

// new shows the choice of kinds, or the form of one.
func (h *Destinations) new(c *Ctx) error {
	p, err := h.begin(c, c.Query("form"), "")
	if err != nil {
		return err
	}
	return h.showForm(c, fiber.StatusOK, p)
}

func (h *Destinations) begin(c *Ctx, formID, replaces string) (views.DestinationFormParams, error) {
	forms, settings, err := h.waysOf(c)
	p := views.DestinationFormParams{Forms: forms, Replaces: replaces, Values: map[string]string{}, Token: models.NewID()}
	if err != nil || formID == "" {
		return p, err
	}
	f, ok := formByID(forms, formID)
	if !ok {
		return p, models.Errorf(models.NotFound, "No active credential of %s pays such a destination.", c.Env)
	}
	p.Form, p.Settings = f, settings[f.ID]
	return p, nil
}

func (h *Destinations) showForm(c *Ctx, status int, p views.DestinationFormParams) error {
	title := "New destination"
	if p.Replaces != "" {
		title = "Change a destination"
	}
	p.Page = c.Page(title)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: title}}
	if p.Form.ID != "" {
		var err error
		if p.Books, err = h.booksFor(c, probe(p.Form)); err != nil {
			return err
		}
		p.Lookups = h.lookups(c, p.Form)
	}
	g, err := h.Store.DestinationGuard(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p.Guard, p.Clock = g, c.Clock()
	return c.RenderStatus(status, views.DestinationForm(p))
}

// probe is a destination of a form before anything is typed, to learn in which books it could stand.
func probe(f providers.DestinationForm) *models.Destination {
	d := &models.Destination{Kind: f.Kind, Form: f.ID, Provider: f.Provider, Method: f.Method, Book: f.Book, EntryField: f.EntryField}
	if f.EntryField != "" {
		d.Method = ""
	}
	return d
}

// lookups asks a provider for the choices of fields that name a look-up; one that does not answer leaves the field to be typed.
func (h *Destinations) lookups(c *Ctx, f providers.DestinationForm) map[string][]ui.Option {
	out := map[string][]ui.Option{}
	if h.Ask == nil || !slices.ContainsFunc(f.Fields, func(x providers.Field) bool { return x.Lookup != "" }) {
		return out
	}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return out
	}
	i := slices.IndexFunc(names, func(n store.CredentialName) bool {
		return n.Provider == f.Provider && n.State == string(models.CredentialActive)
	})
	if i < 0 {
		return out
	}
	ctx, cancel := context.WithTimeout(c.Context(), 8*time.Second)
	defer cancel()
	for _, x := range f.Fields {
		if x.Lookup == "" {
			continue
		}
		sheet, err := h.Ask.LookUp(ctx, names[i].ID, x.Lookup, nil)
		if err != nil {
			continue
		}
		for _, row := range sheet.Rows {
			if len(row) >= 2 && len(out[x.Name]) < 500 {
				out[x.Name] = append(out[x.Name], ui.Option{Value: row[0], Label: strings.Join(row[1:min(len(row), 4)], ", ")})
			}
		}
	}
	return out
}

// edit shows the form filled in. What is saved is a new destination that takes the place of this one.
func (h *Destinations) edit(c *Ctx) error {
	page, err := h.Store.Destination(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	d := &page.Destination
	p, err := h.begin(c, d.Form, d.ID)
	if err != nil {
		return err
	}
	p.Name, p.Purpose, p.Notes = d.Name, d.Purpose, d.Notes
	for k, v := range d.Values {
		p.Values[k] = v
	}
	if d.Form == providers.OnChain {
		p.Values["owner"] = d.Owner
	}
	return h.showForm(c, fiber.StatusOK, p)
}

// create checks what was typed and writes the destination down.
func (h *Destinations) create(c *Ctx) error {
	p, err := h.begin(c, c.Form("form"), c.Form("replaces"))
	if err != nil {
		return err
	}
	if p.Form.ID == "" {
		return models.Errorf(models.Invalid, "Choose a kind of destination first.")
	}
	p.Name, p.Purpose, p.Notes = c.Form("name"), c.Form("purpose"), c.Form("notes")
	for _, f := range p.Form.Fields {
		if v := c.Form("v." + f.Name); v != "" {
			p.Values[f.Name] = v
		}
	}
	token := c.Form("token")
	clean, problems := p.Form.Check(p.Settings, p.Values)
	for _, x := range problems {
		field := x.Field
		if slices.ContainsFunc(p.Form.Fields, func(f providers.Field) bool { return f.Name == field }) {
			field = "v." + field
		}
		p.Errors = append(p.Errors, ui.FieldError{Field: field, Message: x.Sentence})
	}
	if !validID(token) {
		p.Errors = append(p.Errors, ui.FieldError{Message: "This form is incomplete. Open it again."})
	}
	if len(p.Errors) > 0 {
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	n := store.NewDestination{ID: token, Environment: c.Env, Spec: p.Form.Spec(clean), Name: p.Name, Purpose: p.Purpose, Notes: p.Notes, Replaces: p.Replaces}
	if n.Register, err = h.register4(c, n.Spec, c.FormList("register")); err != nil {
		return err
	}
	d, err := h.Store.CreateDestination(c.Context(), c.Actor, n)
	if list, ok := Problems(err); ok {
		p.Errors = list
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return c.Refused(views.DestinationsPath, err)
	}
	return c.Done(views.DestinationPath(d.ID), "Added. A second person must agree before anything can be paid to it.")
}

// register4 keeps the ticked credentials that really keep a book for such a destination.
func (h *Destinations) register4(c *Ctx, x models.DestinationSpec, ticked []string) ([]store.RegisterAt, error) {
	d := specProbe(x)
	books, err := h.booksFor(c, d)
	if err != nil {
		return nil, err
	}
	var out []store.RegisterAt
	for _, b := range books {
		if slices.Contains(ticked, b.CredentialID) || ticked == nil {
			out = append(out, store.RegisterAt{CredentialID: b.CredentialID, Provider: b.Provider, Book: b.Book})
		}
	}
	return out, nil
}

func specProbe(x models.DestinationSpec) *models.Destination {
	d := &models.Destination{Kind: x.Kind, Form: x.Form, Provider: x.Provider, Method: x.Method, Book: x.Book, EntryField: x.EntryField, Network: x.Network}
	if d.EntryField != "" {
		d.Method = ""
	}
	return d
}

func (h *Destinations) show(c *Ctx) error { return h.render(c, fiber.StatusOK, nil, "") }

func (h *Destinations) render(c *Ctx, status int, errs []ui.FieldError, reason string) error {
	page, err := h.Store.Destination(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	p := views.DestinationParams{P: page, Me: c.Actor, Clock: c.Clock(), Errors: errs, Reason: reason, Providers: providerOptions(h.Providers), StepUp: c.Actor.RequireStepUp(models.At(c.Now)) != nil}
	d := &page.Destination
	if r := page.Request; r != nil && r.State == "open" {
		if err := r.MayDecide(c.Actor, models.At(c.Now)); err != nil {
			p.DecideWhy = sentence(err)
		}
	}
	if page.Full {
		if p.Books, err = h.booksFor(c, d); err != nil {
			return err
		}
		p.Books = slices.DeleteFunc(p.Books, func(b views.BookChoice) bool {
			return slices.ContainsFunc(page.Entries, func(e models.BookEntry) bool { return e.CredentialID == b.CredentialID && e.State != models.BookGone })
		})
		if p.Askers, err = h.askers(c, d); err != nil {
			return err
		}
	}
	if prov, ok := h.Providers.Get(d.Provider); ok {
		p.Provider = prov.Description.Title
	}
	p.Page = c.Page(d.Name)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Destinations", Href: views.DestinationsPath}, {Label: d.Name}}
	return c.RenderStatus(status, views.Destination(p))
}

// askers lists the credentials whose provider can say whose a destination is.
func (h *Destinations) askers(c *Ctx, d *models.Destination) (out []views.BookChoice, err error) {
	if h.Ask == nil || d.Method == "" {
		return nil, nil
	}
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		prov, ok := h.Providers.Get(n.Provider)
		if ok && n.State == string(models.CredentialActive) && n.Provider == d.Provider && prov.Description.Has(providers.CanVerifyRecipients) {
			out = append(out, views.BookChoice{CredentialID: n.ID, Name: n.Name, Provider: n.Provider, Short: prov.Description.Short})
		}
	}
	return out, nil
}

func (h *Destinations) revoke(c *Ctx) error {
	reason := c.Form("reason")
	err := h.Store.RevokeDestination(c.Context(), c.Actor, c.Env, c.Param("id"), reason)
	if list, ok := Problems(err); ok {
		return h.render(c, fiber.StatusUnprocessableEntity, list, reason)
	}
	if err != nil {
		return c.Refused(views.DestinationPath(c.Param("id")), err)
	}
	return c.Done(views.DestinationPath(c.Param("id")), "Revoked. Nothing is paid to it any more, and what was approved and not sent yet will not be.")
}

func (h *Destinations) notes(c *Ctx) error {
	if err := h.Store.NoteDestination(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("notes")); err != nil {
		return c.Refused(views.DestinationPath(c.Param("id")), err)
	}
	return c.Done(views.DestinationPath(c.Param("id")), "The notes are kept.")
}

// verifyTime is how long a person waits for a provider's word about a destination.
const verifyTime = 20 * time.Second

// verify asks the provider whose the destination is, and keeps its word as evidence.
func (h *Destinations) verify(c *Ctx) error {
	back := views.DestinationPath(c.Param("id"))
	page, err := h.Store.Destination(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	d := &page.Destination
	askers, err := h.askers(c, d)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(askers, func(b views.BookChoice) bool { return b.CredentialID == c.Form("credential") })
	if i < 0 || len(d.Values) == 0 {
		return c.Refused(back, models.Errorf(models.Conflict, "No provider here can say whose this is."))
	}
	prov, _ := h.Providers.Get(askers[i].Provider)
	ask := providers.SendRequest{Method: d.Method, Values: d.Values, Amount: models.Money{Minor: 10000, Asset: "USD"}} // a usual size: nothing is asked about limits
	if m, ok := prov.Description.Method(d.Method); ok && len(m.Assets) > 0 {
		ask.Amount.Asset = m.Assets[0]
	}
	token := ""
	for _, topic := range prov.Description.Webhooks {
		if topic.Verifies && h.Callback != nil {
			if token, err = h.Store.OpenVerification(c.Context(), c.Actor, askers[i].CredentialID); err != nil {
				return err
			}
			ask.NotifyURL = h.Callback(askers[i].CredentialID, topic.ID) + "?token=" + token
		}
	}
	ctx, cancel := context.WithTimeout(c.Context(), verifyTime)
	defer cancel()
	v, err := h.Ask.VerifyRecipient(ctx, askers[i].CredentialID, ask)
	if err != nil { // a lost answer proves nothing, and is kept as that
		v = providers.Verification{Verdict: providers.RecipientUnclear, Sentence: sentence(err)}
	}
	if v.Verdict != providers.RecipientPending {
		token = ""
	}
	check := models.DestinationCheck{CredentialID: askers[i].CredentialID, Verdict: string(v.Verdict), Name: v.Name, Sentence: v.Sentence}
	if err := h.Store.AddDestinationCheck(c.Context(), c.Actor, c.Env, d.ID, check, token); err != nil {
		return err
	}
	return c.Done(back, prov.Description.Short+" was asked. Its word stands below.")
}

// register puts the destination into a provider's book.
func (h *Destinations) register(c *Ctx) error {
	back := views.DestinationPath(c.Param("id"))
	d, err := h.Store.DestinationName(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	books, err := h.booksFor(c, d)
	if err != nil {
		return err
	}
	for _, b := range books {
		if b.CredentialID == c.Form("credential") {
			if err := h.Store.RegisterDestination(c.Context(), c.Actor, c.Env, d.ID, store.RegisterAt{CredentialID: b.CredentialID, Provider: b.Provider, Book: b.Book}); err != nil {
				return c.Refused(back, err)
			}
			return c.Done(back, "It is being registered by "+cmp.Or(b.Name, b.Short)+".")
		}
	}
	return c.Refused(back, models.Errorf(models.Conflict, "This credential keeps no book for such a destination."))
}
