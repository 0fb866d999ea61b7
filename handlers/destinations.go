package handlers

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
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
	whole.Timeout, whole.StepUp, whole.File = exportTimeout, true, true
	return []Route{
		get("", "list", models.DestinationsRead, h.list),
		get("/new", "new", create, h.new), post("", "create", h.create, create),
		get("/import", "import", create, h.importPage), bring, post("/import/:id", "add-file", h.addFile, create), get("/import/template", "template", create, h.template),
		get("/import/:id/refused", "refused", create, h.refused),
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
