package handlers

import (
	"context"
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

// Asker is what the making of a transaction may ask a provider before anything is written. Nothing in it can move money.
type Asker interface {
	Settings(ctx context.Context, cred models.Credential) (map[string]string, error)
	Quote(ctx context.Context, credentialID, sell, buy string, amount models.Money) (providers.Quote, error)
	VerifyRecipient(ctx context.Context, credentialID string, r providers.SendRequest) (providers.Verification, error)
	LookUp(ctx context.Context, credentialID, id string, params map[string]string) (providers.Sheet, error)
	UploadProof(ctx context.Context, credentialID string, d providers.Document) (fileID string, err error)
	DecodeQR(ctx context.Context, credentialID, text string) (method string, values map[string]string, amount string, err error)
	Products(ctx context.Context, credentialID string) ([]providers.Product, error)
}

// Make serves the way from "new payout" to the transaction's page, for every kind that is made by a form.
type Make struct {
	Store     *store.Store
	Providers *providers.Registry
	Ask       Asker
	// Callback gives the address that a provider calls for a credential and topic.
	Callback func(credentialID, topic string) string
	// Sniff tells a file's type by its content, or refuses it in words.
	Sniff func(name string, body []byte) (mime string, err error)
}

// madeKinds are the kinds with forms. Orders have their own pages, in orders.go.
var madeKinds = []models.Kind{models.Payout, models.Deposit, models.Refund, models.Conversion, models.Transfer}

// Routes are the lines of the table.
func (h *Make) Routes() []Route {
	var out []Route
	for _, k := range madeKinds {
		need, base := store.CreatePermission(k), "/"+string(k)+"s"
		route := func(method, path, name string, f func(*Ctx, models.Kind) error) Route {
			return Route{Method: method, Path: base + path, Name: string(k) + "s." + name, Permission: need, Section: "transactions", Timeout: 40 * time.Second,
				Handle: func(c *Ctx) error { return f(c, k) }}
		}
		form := route(fiber.MethodGet, "/new", "new", h.form)
		form.StepUp = k == models.Conversion // nobody else has to agree to it
		review := route(fiber.MethodPost, "/review", "review", h.review)
		review.BodyLimit = UploadLimit
		if k == models.Payout {
			out = append(out, route(fiber.MethodGet, "/verification/:token", "verification", h.verification), route(fiber.MethodPost, "/qr", "qr", h.decode))
		}
		out = append(out, form, review, route(fiber.MethodPost, "/change", "change", h.change), route(fiber.MethodPost, "", "create", h.create))
	}
	return append(out, h.orderRoutes()...)
}

// form shows the choice of ways, or the form of the chosen one.
func (h *Make) form(c *Ctx, k models.Kind) error {
	p, err := h.begin(c, k, c.Query("credential"), c.Query("method"), c.Query("of"), c.Query("destination"))
	if err != nil {
		return err
	}
	p.Form.Values, p.QRText = map[string]string{}, models.Safe(c.Query("qr"), qrLimit)
	for _, f := range p.Method.Fields { // a link may carry values: a decoded QR code, a repeated payout
		p.Form.Values[f.Name] = c.Query("v." + f.Name)
	}
	p.Form.Amount, p.Form.Asset = c.Query("amount"), c.Query("asset")
	if p.Of != nil && p.Form.Amount == "" {
		p.Form.Amount, p.Form.Asset = p.Left.Plain(), p.Left.Asset
	}
	return h.showForm(c, fiber.StatusOK, p)
}

func (h *Make) showForm(c *Ctx, status int, p views.MakeParams) error {
	p.Page = madePage(c, "New "+string(p.Kind), p.Sub)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Transactions", Href: "/transactions"}, {Label: listTitle(p.Kind), Href: "/" + string(p.Kind) + "s"}, {Label: "New"}}
	if p.Method.ID == "" {
		if p.Kind == models.Payout {
			p.Readers, p.TryQR = h.readers(c, p.Choices), h.tryQR(c, p.Choices)
		}
		return c.RenderStatus(status, views.MakeChoose(p))
	}
	p.Lookups = h.lookups(c, p)
	return c.RenderStatus(status, views.MakeFormPage(p))
}

// madePage is the frame around a form: it says for which sub-account the form is, which may not be the one that the person works in by now.
func madePage(c *Ctx, title string, sub models.Working) views.Page {
	page := c.Page(title)
	if sub.ID != c.Working.ID {
		text := "This form is for no sub-account, although you work in " + c.Working.Name + "."
		if sub.ID != "" {
			text = "This form is for " + sub.Name + "."
		}
		page.Warnings = append(page.Warnings, ui.NoticeParams{Tone: ui.Wait, Title: "Another sub-account than the one you work in", Text: text})
	}
	page.Narrowed = sub.ID != "" && sub.ID == c.Working.ID
	return page
}

// begin collects what every step needs: the credential, its provider, the way, and why it may be locked.
func (h *Make) begin(c *Ctx, k models.Kind, credentialID, methodID, ofID, destinationID string) (views.MakeParams, error) {
	p := views.MakeParams{Kind: k, Zone: c.Zone, Now: c.Now}
	var err error
	if p.Sub, err = h.madeFor(c); err != nil {
		return p, err
	}
	if ofID != "" {
		if err := h.ofDeposit(c, &p, ofID); err != nil {
			return p, err
		}
		credentialID = p.Of.CredentialID
	}
	if k == models.Refund && p.Of == nil {
		return p, models.Errorf(models.Invalid, "Open the deposit that is to be given back, and choose Refund there.")
	}
	all, err := h.choices(c, k, credentialID, p.Sub)
	if err != nil {
		return p, err
	}
	if destinationID != "" && k == models.Payout {
		to, err := h.Store.DestinationFor(c.Context(), c.Actor, c.Env, destinationID, "", "")
		if err != nil {
			return p, err
		}
		p.To, p.ToWhy = &to.Destination, to.Why
		all = payable(all, p.To)
	}
	p.Choices = all
	if p.Of != nil && methodID == "" && len(all) == 1 && len(all[0].Methods) == 1 {
		methodID = all[0].Methods[0].Method.ID
	}
	if credentialID == "" || methodID == "" {
		return p, nil
	}
	for _, ch := range all {
		for _, m := range ch.Methods {
			if ch.Credential.ID == credentialID && m.Method.ID == methodID {
				prov, _ := h.Providers.Get(ch.Credential.Provider)
				p.Provider, p.Credential, p.Method, p.Locked = &prov.Description, ch.Credential, m.Method, m.Why
				return p, h.destinations(c, &p)
			}
		}
	}
	return p, models.Errorf(models.NotFound, "There is no such way with this credential.")
}

func (h *Make) ofDeposit(c *Ctx, p *views.MakeParams, id string) error {
	story, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, id)
	if err != nil {
		return err
	}
	t := story.Transaction
	paid := t.Amount
	if t.Settled.Asset != "" {
		paid = t.Settled
	}
	for _, r := range story.Related {
		switch r.State {
		case models.Rejected, models.Expired, models.Failed, models.Cancelled, models.Returned:
		default:
			paid.Minor -= r.Amount.Minor
		}
	}
	p.Of, p.Left, p.Sub = &t, paid, models.Working{}
	if t.SubAccount != "" { // what is given back belongs to whom it was taken for, wherever one works
		a, err := h.Store.SubAccountByID(c.Context(), c.Actor, c.Env, t.SubAccount)
		if err != nil {
			return err
		}
		p.Sub = models.Working{ID: a.ID, Name: a.Name, Company: a.Company, Provider: a.Provider}
	}
	return nil
}

// noSub is what a form carries that was begun while nobody worked in a sub-account.
const noSub = "none"

// madeFor tells for which sub-account a form is: the one it was begun for, so that a switch in another window changes nothing under it; a new
// form is for the one that the person works in.
func (h *Make) madeFor(c *Ctx) (models.Working, error) {
	switch id := c.Form("sub"); id {
	case "", c.Working.ID:
		return c.Working, nil
	case noSub:
		return models.Working{}, nil
	default:
		a, err := h.Store.SubAccountByID(c.Context(), c.Actor, c.Env, id)
		if err != nil {
			return models.Working{}, err
		}
		return models.Working{ID: a.ID, Name: a.Name, Company: a.Company, Provider: a.Provider}, nil
	}
}

// choices lists the active credentials of the environment with their ways for a kind.
func (h *Make) choices(c *Ctx, k models.Kind, only string, sub models.Working) ([]views.MakeChoice, error) {
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	var out []views.MakeChoice
	for _, n := range names {
		prov, ok := h.Providers.Get(n.Provider)
		if !ok || n.State != string(models.CredentialActive) || (only != "" && n.ID != only) || (sub.ID != "" && n.Provider != sub.Provider) {
			continue
		}
		cred, err := h.Store.CredentialForTask(c.Context(), n.ID)
		if err != nil {
			return nil, err
		}
		settings, err := h.Ask.Settings(c.Context(), cred)
		if err != nil {
			return nil, err
		}
		ch := views.MakeChoice{Credential: views.CredentialChoice{ID: n.ID, Name: n.Name, Provider: n.Provider, Short: prov.Description.Short}}
		for _, m := range prov.Description.MethodsWith(settings) {
			if m.Kind == k {
				ch.Methods = append(ch.Methods, views.MakeMethod{Method: m, Why: lockedWhy(&prov.Description, m, cred, settings)})
			}
		}
		if len(ch.Methods) > 0 {
			out = append(out, ch)
		}
	}
	return out, nil
}

// lockedWhy says why a way may not be used with a credential; empty if it may.
func lockedWhy(d *providers.Description, m providers.Method, cred models.Credential, settings map[string]string) string {
	if m.Locked != "" {
		return m.Locked
	}
	if cred.Environment == models.Live && m.LockedLive != "" {
		for _, it := range m.Items {
			if settings["confirmed:"+it] != "1" {
				return m.LockedLive + " Two admins unlock it on the contract check page (" + it + ")."
			}
		}
	}
	if d.Locks == nil {
		return ""
	}
	for _, l := range d.Locks(cred.Environment, cred.Values, settings) {
		if !l.Warning && (l.Operation == m.ID || l.Operation == string(capabilityOf(m.Kind))) {
			return l.Reason
		}
	}
	return ""
}

func capabilityOf(k models.Kind) providers.Capability {
	return map[models.Kind]providers.Capability{models.Payout: providers.CanSendPayouts, models.Deposit: providers.CanCreateDeposits, models.Refund: providers.CanRefund,
		models.Conversion: providers.CanConvert, models.Transfer: providers.CanTransfer, models.Order: providers.CanOrder}[k]
}

// lookups asks the provider for the choices of fields that name one; a provider that does not answer leaves the field to be typed.
func (h *Make) lookups(c *Ctx, p views.MakeParams) map[string][]ui.Option {
	out := map[string][]ui.Option{}
	ctx, cancel := context.WithTimeout(c.Context(), 8*time.Second)
	defer cancel()
	for _, f := range p.Method.Fields {
		if f.Lookup == "" {
			continue
		}
		sheet, err := h.Ask.LookUp(ctx, p.Credential.ID, f.Lookup, nil)
		if err != nil {
			continue
		}
		for _, row := range sheet.Rows {
			if len(row) >= 2 && len(out[f.Name]) < 500 {
				out[f.Name] = append(out[f.Name], ui.Option{Value: row[0], Label: strings.Join(row[1:min(len(row), 4)], ", "), Selected: row[0] == p.Form.Values[f.Name]})
			}
		}
	}
	return out
}

// typed reads the posted form. Files are not read here.
func typed(c *Ctx, m providers.Method) views.MakeForm {
	f := views.MakeForm{Amount: c.Form("amount"), Asset: c.Form("asset"), Note: c.Form("note"), Why: c.Form("why"), Hold: c.Form("hold") == "1", Values: map[string]string{}}
	for _, x := range m.Fields {
		if v := c.Form("v." + x.Name); v != "" {
			f.Values[x.Name] = v
		}
	}
	return f
}

// change shows the reviewed form again, to be changed.
func (h *Make) change(c *Ctx, k models.Kind) error {
	p, err := h.begin(c, k, c.Form("credential"), c.Form("method"), c.Form("of"), c.Form("destination"))
	if err != nil {
		return err
	}
	p.Form = typed(c, p.Method)
	return h.showForm(c, fiber.StatusOK, p)
}

// check reads and checks a posted form by the rules of models and of the provider. What is wrong is in p.Errors.
func (h *Make) check(c *Ctx, k models.Kind) (views.MakeParams, error) {
	p, err := h.begin(c, k, c.Form("credential"), c.Form("method"), c.Form("of"), c.Form("destination"))
	if err != nil {
		return p, err
	}
	if p.Method.ID == "" {
		return p, models.Errorf(models.Invalid, "Choose a way first.")
	}
	p.Form = typed(c, p.Method)
	if p.To != nil {
		p.Form.Values = p.OwnValues()
	}
	if p.Locked != "" {
		p.Errors = append(p.Errors, ui.FieldError{Message: p.Locked})
		return p, nil
	}
	if !slices.ContainsFunc(p.Method.Assets, func(a string) bool { return a == p.Form.Asset }) && len(p.Method.Assets) > 0 {
		p.Errors = append(p.Errors, ui.FieldError{Field: "asset", Message: "Choose one of the currencies of this way."})
		return p, nil
	}
	if p.Amount, err = models.PositiveMoney(p.Form.Amount, p.Form.Asset); err != nil {
		p.Errors = append(p.Errors, ui.FieldError{Field: "amount", Message: sentence(err)})
	}
	if p.Form.Note, err = models.CleanText("note", p.Form.Note, 200, false); err != nil {
		p.Errors = append(p.Errors, ui.FieldError{Field: "note", Message: sentence(err)})
	}
	if len(p.Errors) > 0 {
		return p, nil
	}
	h.uploadProofs(c, &p)
	entry, err := h.useDestination(c, &p)
	if err != nil || len(p.Errors) > 0 {
		return p, err
	}
	cred, err := h.Store.CredentialForTask(c.Context(), p.Credential.ID)
	if err != nil {
		return p, err
	}
	settings, err := h.Ask.Settings(c.Context(), cred)
	if err != nil {
		return p, err
	}
	clean, problems := p.Provider.Check(settings, p.Method, p.Amount, p.Form.Values)
	for _, x := range problems {
		field := x.Field
		if slices.ContainsFunc(p.Method.Fields, func(f providers.Field) bool { return f.Name == field }) {
			field = "v." + field
		}
		p.Errors = append(p.Errors, ui.FieldError{Field: field, Message: x.Sentence})
	}
	if len(problems) == 0 {
		p.Form.Values = clean
		p.Destination = destinationShown(p, clean, entry)
	}
	if p.Of != nil && (p.Amount.Asset != p.Left.Asset || p.Amount.Minor > p.Left.Minor) {
		p.Errors = append(p.Errors, ui.FieldError{Field: "amount", Message: "Only " + p.Left.String() + " of this deposit is left to give back."})
	}
	return p, nil
}

// create writes the transaction that was reviewed. Everything is checked once more: what the browser sends back is not believed.
func (h *Make) create(c *Ctx, k models.Kind) error {
	p, err := h.check(c, k)
	if err != nil {
		return err
	}
	token := c.Form("token")
	if len(p.Errors) > 0 || !validID(token) {
		if !validID(token) {
			p.Errors = append(p.Errors, ui.FieldError{Message: "This form is incomplete. Review it again."})
		}
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	n := store.NewTransaction{ID: token, Environment: c.Env, Kind: k, CredentialID: p.Credential.ID, Method: p.Method.ID, Amount: p.Amount, Party: party(p),
		DestinationDigest: p.Destination.Digest, AccountDigest: p.Destination.Account, SubAccount: p.Sub.ID, Detail: models.TransactionDetail{Values: p.Form.Values, Note: p.Form.Note, Hold: p.Form.Hold, Why: p.Form.Why,
			From: p.Form.Values["from"], To: p.Form.Values["to"]}}
	if name, err := models.CleanText("verified", c.Form("verified"), 120, false); err == nil {
		n.Detail.Verified = name
	}
	if p.Of != nil {
		n.OfID, n.Party = p.Of.ID, p.Of.Party
	}
	if p.To != nil {
		n.DestinationID, n.Detail.Book = p.To.ID, p.Method.Book
	}
	if k == models.Conversion {
		q, err := h.Store.Quote(c.Context(), c.Actor, c.Form("quote"))
		if err != nil {
			return h.again(c, p, err)
		}
		if q.CredentialID != n.CredentialID || q.Sell != n.Amount {
			return h.again(c, p, models.Errorf(models.Conflict, "The quote is for something else. Review it again."))
		}
		n.Counter, n.Detail.QuoteJSON, n.Party = q.Buy, q.JSON, q.Sell.Asset+" → "+q.Buy
	}
	t, err := h.Store.Create(c.Context(), c.Actor, n)
	if err != nil {
		return h.again(c, p, err)
	}
	return c.Redirect("/transactions/" + t.ID)
}

// again shows the form with a refusal of the store on it; other errors go up.
func (h *Make) again(c *Ctx, p views.MakeParams, err error) error {
	code := models.CodeOf(err)
	if code != models.Invalid && code != models.Conflict {
		return err
	}
	if list, ok := Problems(err); ok && len(list) > 0 && list[0].Field == "why" {
		p.Errors = []ui.FieldError{{Field: "why", Message: list[0].Message}}
		return h.showReview(c, fiber.StatusUnprocessableEntity, p)
	}
	p.Errors = []ui.FieldError{{Message: sentence(err)}}
	return h.showForm(c, fiber.StatusUnprocessableEntity, p)
}

func party(p views.MakeParams) string {
	if p.Kind == models.Transfer {
		return p.Form.Values["from"] + " → " + p.Form.Values["to"]
	}
	return p.Destination.Masked
}

// validID reports whether a token has the shape of an id that we made.
func validID(s string) bool {
	return len(s) == 36 && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == "" && strings.Count(s, "-") == 4
}
