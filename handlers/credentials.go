package handlers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Desk is what a page may ask of providers. Nothing in it can move money.
type Desk interface {
	Check(ctx context.Context, actor models.Actor, credentialID string, slot models.Slot) (providers.Checked, error)
	Try(ctx context.Context, cred models.Credential, secrets map[string]string) error
	LookUp(ctx context.Context, credentialID, id string, params map[string]string) (providers.Sheet, error)
	CircuitOpen(credentialID string) (open, known bool)
}

// askingTime is how long a page may wait for a provider: a test makes several calls one after another.
const askingTime = 90 * time.Second

// Credentials are the pages about providers and their keys.
type Credentials struct {
	Store    *store.Store
	Registry *providers.Registry
	Seal     store.KeySealer
	Desk     Desk
	Caller   string // the address that providers see us call from; empty: not known
}

// Routes lists them.
func (h *Credentials) Routes() []Route {
	read := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: "GET", Path: path, Name: name, Permission: models.CredentialsRead, Section: "providers", Handle: f}
	}
	form := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: "GET", Path: path, Name: name, Permission: models.CredentialsManage, StepUp: true, Section: "providers", Handle: f}
	}
	post := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: "POST", Path: path, Name: name, Permission: models.CredentialsManage, StepUp: true, Section: "providers", Timeout: askingTime, Handle: f}
	}
	return []Route{
		read("/providers", "providers.list", h.list),
		read("/providers/:name", "providers.passport", h.passport),
		form("/credentials/new", "credentials.new", h.new),
		post("/credentials", "credentials.create", h.create),
		read("/credentials/:id", "credentials.show", h.show),
		form("/credentials/:id/edit", "credentials.edit", h.edit),
		post("/credentials/:id/edit", "credentials.change", h.change),
		form("/credentials/:id/notes", "credentials.words", h.words),
		post("/credentials/:id/notes", "credentials.note", h.note),
		form("/credentials/:id/replace", "credentials.replacement", h.replacement),
		post("/credentials/:id/replace", "credentials.replace", h.replace),
		post("/credentials/:id/drop", "credentials.drop", h.drop),
		{Method: "POST", Path: "/credentials/:id/test", Name: "credentials.test", Permission: models.CredentialsManage, Section: "providers", Timeout: askingTime, Handle: h.test},
		post("/credentials/:id/ask", "credentials.ask", h.ask),
		post("/credentials/:id/suspend", "credentials.suspend", h.suspend),
		post("/credentials/:id/revoke", "credentials.revoke", h.revoke),
		{Method: "POST", Path: "/credentials/changes/:change/decide", Name: "credentials.decide", Permission: models.ChangesApprove, StepUp: true, Section: "providers", Handle: h.decide},
		post("/credentials/changes/:change/withdraw", "credentials.withdraw", h.withdraw),
	}
}

func (c *Ctx) clock() views.Clock { return views.Clock{Zone: c.Zone, Now: c.Now} }

// list shows every provider with the credentials of the environment.
func (h *Credentials) list(c *Ctx) error {
	list, err := h.Store.Credentials(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	s := views.ProvidersParams{Env: c.Env, Me: c.Actor, Clock: c.clock(), Circuits: map[string]bool{}}
	seen, err := h.Store.Callers(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	for _, p := range h.Registry.All() {
		g := views.ProviderGroup{Description: &p.Description}
		for _, cred := range list {
			if cred.Provider != p.Description.Name {
				continue
			}
			g.Credentials = append(g.Credentials, cred)
			if open, known := h.Desk.CircuitOpen(cred.ID); known && open {
				s.Circuits[cred.ID] = true
			}
			hooks, egress, err := h.Store.CredentialNetworks(c.Context(), c.Actor, cred.ID)
			if err != nil {
				return err
			}
			for _, w := range cred.Worries(models.Signs{Now: models.At(c.Now), Paused: s.Circuits[cred.ID], Caller: cmp.Or(h.Caller, store.Learned(seen)), Egress: egress,
				Hooks: hooks, Lists: p.Description.AddressTitles(), Seen: seen}) {
				s.Worries = append(s.Worries, views.CredentialWorry{Credential: cred, Worry: w})
			}
			if cred.Change != nil {
				s.Waiting = append(s.Waiting, views.WaitingChange{Change: *cred.Change, Credential: cred})
			}
		}
		s.Groups = append(s.Groups, g)
	}
	if s.Drifting, err = h.Store.Drifting(c.Context(), c.Actor, c.Env); err != nil {
		return err
	}
	return c.Render(views.Providers(c.Page("Providers"), s))
}

func (h *Credentials) passport(c *Ctx) error {
	p, err := h.provider(c.Param("name"))
	if err != nil {
		return err
	}
	page := c.Page(p.Description.Title)
	page.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: p.Description.Short}}
	return c.Render(views.Passport(page, views.PassportParams{D: &p.Description, Me: c.Actor}))
}

func (h *Credentials) provider(name string) (*providers.Provider, error) {
	p, ok := h.Registry.Get(name)
	if !ok {
		return nil, models.Errorf(models.NotFound, "There is no such provider.")
	}
	return p, nil
}

// credential reads one credential of the environment that the page is in; one of the other environment is not there.
func (h *Credentials) credential(c *Ctx) (models.Credential, *providers.Provider, error) {
	cred, err := h.Store.Credential(c.Context(), c.Actor, c.Param("id"))
	if err != nil {
		return cred, nil, err
	}
	if cred.Environment != c.Env {
		return cred, nil, models.Errorf(models.NotFound, "This credential belongs to %s. Switch the environment to see it.", cred.Environment)
	}
	p, err := h.provider(cred.Provider)
	return cred, p, err
}

func (h *Credentials) crumbs(p views.Page, cred models.Credential, last string) views.Page {
	p.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: cred.Name, Href: views.CredentialPath(cred.ID)}, {Label: last}}
	return p
}

func (h *Credentials) show(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	return h.render(c, cred, p, views.CredentialParams{})
}

// render draws the page of a credential: s carries what the request adds to it.
func (h *Credentials) render(c *Ctx, cred models.Credential, p *providers.Provider, s views.CredentialParams) error {
	var err error
	s.C, s.D, s.Base, s.Me, s.Clock, s.Circuit = cred, &p.Description, c.Shell.Base, c.Actor, c.clock(), h.circuit(cred.ID)
	if s.Health, err = h.Store.Health(c.Context(), c.Actor, cred.ID, models.At(c.Now.Add(-24*time.Hour))); err != nil {
		return err
	}
	if s.Changes, err = h.Store.ChangesOf(c.Context(), c.Actor, cred.ID); err != nil {
		return err
	}
	s.Changes = slices.DeleteFunc(s.Changes, func(ch models.CredentialChange) bool { return ch.State == models.ChangeWaiting })
	if s.Locks, err = locksOf(c, h.Store, cred, &p.Description); err != nil {
		return err
	}
	if s.Hooks, s.Egress, err = h.Store.CredentialNetworks(c.Context(), c.Actor, cred.ID); err != nil {
		return err
	}
	seen, err := h.Store.Callers(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	s.Caller = cmp.Or(h.Caller, store.Learned(seen))
	s.Worries = cred.Worries(models.Signs{Now: models.At(c.Now), Health: s.Health, Paused: s.Circuit == "open", Caller: s.Caller, Egress: s.Egress,
		Hooks: s.Hooks, Lists: p.Description.AddressTitles(), Seen: seen})
	page := c.Page(cred.Name)
	page.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: cred.Name}}
	return c.Render(views.Credential(page, s))
}

func (h *Credentials) circuit(id string) string {
	open, known := h.Desk.CircuitOpen(id)
	switch {
	case !known:
		return ""
	case open:
		return "open"
	}
	return "closed"
}

// new asks which provider first, then shows its form.
func (h *Credentials) new(c *Ctx) error {
	p, err := h.provider(c.Query("provider"))
	if err != nil {
		return err
	}
	s := views.CredentialFormParams{D: &p.Description, Env: c.Env, Values: map[string]string{}, Settings: map[string]string{}}
	for _, f := range p.Description.Fields {
		if !f.Secret {
			s.Values[f.Name] = f.Default
		}
	}
	for _, site := range p.Description.Sites {
		if site.Environment == c.Env {
			s.Values[site.Field] = site.Default
		}
	}
	return c.Render(views.CredentialForm(h.formPage(c, p), s))
}

func (h *Credentials) formPage(c *Ctx, p *providers.Provider) views.Page {
	page := c.Page("Add a credential of " + p.Description.Short)
	page.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: "Add a credential"}}
	return page
}

// readCredential reads the description's fields and settings from the posted form. Secrets are trimmed: what is copied from a provider's page
// often brings a space or a line end along.
func readCredential(c *Ctx, d *providers.Description) (values, secrets, settings map[string]string) {
	values, secrets, settings = map[string]string{}, map[string]string{}, map[string]string{}
	for _, f := range d.Fields {
		v := c.Form(views.FormField(f.Name))
		if f.Secret {
			secrets[f.Name] = v
		} else if v != "" {
			values[f.Name] = v
		}
	}
	for _, st := range d.Settings {
		if st.Name == models.OperationTable { // has its own page, and its own rule: a second admin agrees to it
			continue
		}
		// A browser sends line ends as CR LF; what is stored and digested has LF.
		if v := strings.ReplaceAll(c.Form(views.FormSetting(st.Name)), "\r\n", "\n"); v != "" && (v != st.Default || st.Required) {
			settings[st.Name] = v
		}
	}
	return values, secrets, settings
}

// formErrors turns problems into errors of the form's own field names.
func formErrors(d *providers.Description, ps []models.Problem) []ui.FieldError {
	var out []ui.FieldError
	for _, p := range ps {
		name := p.Field
		if setting, ok := strings.CutPrefix(name, providers.SettingField("")); ok {
			name = views.FormSetting(setting)
		} else if slices.ContainsFunc(d.Fields, func(f providers.Field) bool { return f.Name == p.Field }) {
			name = views.FormField(name)
		}
		out = append(out, ui.FieldError{Field: name, Message: p.Sentence})
	}
	return out
}

func (h *Credentials) create(c *Ctx) error {
	p, err := h.provider(c.Form("provider"))
	if err != nil {
		return err
	}
	values, secrets, settings := readCredential(c, &p.Description)
	s := views.CredentialFormParams{D: &p.Description, Env: c.Env, Values: values, Settings: settings, Issued: c.Form("issued"), Notes: readNotes(c)}
	if models.Environment(c.Form("environment")) != c.Env {
		s.Errors = []ui.FieldError{{Message: "The environment was switched in another tab. Check that you mean " + string(c.Env) + "."}}
		return c.RenderStatus(422, views.CredentialForm(h.formPage(c, p), s))
	}
	problems := providers.CheckCredential(&p.Description, c.Env, values, secrets, settings, nil)
	issued, err := readDay(s.Issued, c)
	if err != nil {
		problems = append(problems, models.Problem{Field: "issued", Sentence: err.Error()})
	}
	spec := models.CredentialSpec{Provider: p.Description.Name, Environment: c.Env, CredentialNotes: s.Notes, Values: values, Settings: settings, Secrets: secrets,
		IssuedAt: issued, RotateDays: p.Description.RotateDays}
	s.Errors = formErrors(&p.Description, problems)
	if list, bad := Problems(spec.Check()); bad {
		s.Errors = append(s.Errors, list...)
	}
	if len(s.Errors) == 0 {
		s.Errors, err = h.try(c, &p.Description, models.Credential{Provider: p.Description.Name, Environment: c.Env, Values: values, Settings: settings}, secrets)
		if err != nil {
			return err
		}
	}
	if c.Form("do") == "preview" {
		s.Preview = preview(&p.Description, c.Env, values, settings)
	}
	if len(s.Errors) > 0 || c.Form("do") == "preview" {
		return c.RenderStatus(422, views.CredentialForm(h.formPage(c, p), s))
	}
	cred, err := h.Store.CreateCredential(c.Context(), c.Actor, h.Seal, spec)
	if list, bad := Problems(err); bad {
		s.Errors = list
		return c.RenderStatus(422, views.CredentialForm(h.formPage(c, p), s))
	}
	if err != nil {
		return err
	}
	return c.Done(views.CredentialPath(cred.ID), "Written down as a draft. Test it, then bring it into use.")
}

// try asks the provider's own code whether it could work with these values.
func (h *Credentials) try(c *Ctx, d *providers.Description, cred models.Credential, secrets map[string]string) ([]ui.FieldError, error) {
	err := h.Desk.Try(c.Context(), cred, secrets)
	var e *models.Error
	if !errors.As(err, &e) || e.Code != models.Invalid {
		return nil, err
	}
	ps := e.Fields
	if len(ps) == 0 {
		ps = []models.Problem{{Field: e.Field, Sentence: e.Sentence}}
	}
	return formErrors(d, ps), nil
}

func readNotes(c *Ctx) models.CredentialNotes {
	return models.CredentialNotes{Name: c.Form("name"), SubAccount: c.Form("sub_account"), Note: c.Form("note"), EgressNote: c.Form("egress_note")}
}

// readDay reads a date in the viewer's zone; nothing is zero. A day in the future or before the century is a mistake.
func readDay(text string, c *Ctx) (models.Micros, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.ParseInLocation("2006-01-02", text, c.Zone)
	if err != nil {
		return 0, models.Errorf(models.Invalid, "Write the date as 2026-09-21.")
	}
	if t.After(c.Now) || t.Year() < 2000 {
		return 0, models.Errorf(models.Invalid, "This date cannot be the day the keys were issued.")
	}
	return models.At(t), nil
}

// preview writes out the requests that these settings would make, with made-up values. Each kind is shown by its first method.
func preview(d *providers.Description, env models.Environment, values, settings map[string]string) []providers.RequestPreview {
	if d.PreviewRequests == nil {
		return nil
	}
	methods := d.MethodsWith(settings)
	var out []providers.RequestPreview
	for _, kind := range models.Kinds() {
		i := slices.IndexFunc(methods, func(m providers.Method) bool { return m.Kind == kind })
		if i < 0 {
			continue
		}
		list, err := d.PreviewRequests(env, values, settings, made(methods[i]))
		if err != nil {
			return []providers.RequestPreview{{Operation: "Requests", Problem: err.Error()}}
		}
		for _, r := range list {
			if !slices.ContainsFunc(out, func(x providers.RequestPreview) bool { return x.Operation == r.Operation }) {
				out = append(out, r)
			}
		}
	}
	if len(methods) > 0 {
		return out
	}
	list, err := d.PreviewRequests(env, values, settings, made(providers.Method{}))
	if err != nil {
		return []providers.RequestPreview{{Operation: "Requests", Problem: err.Error()}}
	}
	return list
}

// made is a request with made-up values by a method.
func made(m providers.Method) providers.SendRequest {
	r := providers.SendRequest{Reference: "CH000000000000", Amount: models.Money{Minor: 10000, Asset: "USD"}, Method: m.ID, Values: map[string]string{},
		NotifyURL: "https://pay.example.com/hooks/callback", Note: "made up"}
	if len(m.Assets) > 0 {
		r.Amount.Asset = m.Assets[0]
	}
	for _, f := range m.Fields {
		r.Values[f.Name] = f.MadeUp()
	}
	return r
}

// versionOf reads the version that the person saw.
func versionOf(c *Ctx) int64 {
	v, err := strconv.ParseInt(c.Form("version"), 10, 64)
	if err != nil {
		return -1 // never a version: the store answers with a conflict
	}
	return v
}
