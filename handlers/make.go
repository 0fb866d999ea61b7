package handlers

import (
	"context"
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

// change shows the reviewed form again, to be changed.
func (h *Make) change(c *Ctx, k models.Kind) error {
	p, err := h.begin(c, k, c.Form("credential"), c.Form("method"), c.Form("of"), c.Form("destination"))
	if err != nil {
		return err
	}
	p.Form = typed(c, p.Method)
	return h.showForm(c, fiber.StatusOK, p)
}
