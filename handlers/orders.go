package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// orderRoutes are the way from the catalogue to an order's page.
func (h *Make) orderRoutes() []Route {
	route := func(method, path, name string, f func(*Ctx) error) Route {
		return Route{Method: method, Path: "/orders" + path, Name: "orders." + name, Permission: models.OrdersCreate, Section: "transactions", Timeout: 40 * time.Second, Handle: f}
	}
	return []Route{route(fiber.MethodGet, "/new", "new", h.catalogue), route(fiber.MethodPost, "/review", "review", h.reviewOrder),
		route(fiber.MethodPost, "", "create", h.createOrder)}
}

// catalogue shows what a credential may buy, and the form of one product once it is chosen.
func (h *Make) catalogue(c *Ctx) error {
	p, err := h.beginOrder(c, c.Query("credential"), c.Query("method"))
	if err != nil {
		return err
	}
	p.Search, p.SKU, p.Quantity = models.Safe(c.Query("q"), 100), c.Query("sku"), c.Query("quantity")
	if p.Method.ID == "" {
		return h.showOrder(c, fiber.StatusOK, p)
	}
	h.shelf(c, &p)
	if p.SKU != "" && p.Trouble == "" && !h.pick(&p) {
		return models.Errorf(models.NotFound, "There is no such product in the catalogue any more.")
	}
	return h.showOrder(c, fiber.StatusOK, p)
}

// beginOrder collects the credential and the way. Where there is only one, nobody is asked to choose it.
func (h *Make) beginOrder(c *Ctx, credentialID, methodID string) (views.OrderParams, error) {
	p, err := h.begin(c, models.Order, credentialID, methodID, "", "")
	if err != nil {
		return views.OrderParams{}, err
	}
	if p.Method.ID == "" && len(p.Choices) == 1 && len(p.Choices[0].Methods) == 1 {
		if p, err = h.begin(c, models.Order, p.Choices[0].Credential.ID, p.Choices[0].Methods[0].Method.ID, "", ""); err != nil {
			return views.OrderParams{}, err
		}
	}
	return views.OrderParams{MakeParams: p}, nil
}

// shelf reads the products and keeps those that the search leaves. A provider that does not answer leaves a sentence instead.
func (h *Make) shelf(c *Ctx, p *views.OrderParams) {
	list, err := h.Ask.Products(c.Context(), p.Credential.ID)
	if err != nil {
		p.Trouble = sentence(err)
		return
	}
	p.All = len(list)
	p.Products = list
	if p.SKU != "" || p.Search == "" {
		return
	}
	words := strings.Fields(strings.ToLower(p.Search))
	p.Products = slices.DeleteFunc(slices.Clone(list), func(x providers.Product) bool {
		text := strings.ToLower(x.SKU + " " + x.Title + " " + x.Country + " " + x.Note)
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
}

// pick finds the chosen product among those on the shelf.
func (h *Make) pick(p *views.OrderParams) bool {
	i := slices.IndexFunc(p.Products, func(x providers.Product) bool { return x.SKU == p.SKU })
	if i < 0 {
		return false
	}
	p.Product = &p.Products[i]
	return true
}

func (h *Make) showOrder(c *Ctx, status int, p views.OrderParams) error {
	p.Page = madePage(c, "New order", p.Sub)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Transactions", Href: "/transactions"}, {Label: "Orders", Href: "/orders"}, {Label: "New"}}
	return c.RenderStatus(status, views.OrderPage(p))
}

// checkOrder reads a posted order and counts it by the price that the provider states now. What is wrong is in p.Errors.
func (h *Make) checkOrder(c *Ctx) (views.OrderParams, error) {
	p, err := h.beginOrder(c, c.Form("credential"), c.Form("method"))
	if err != nil {
		return p, err
	}
	if p.Method.ID == "" {
		return p, models.Errorf(models.Invalid, "Choose the credential to buy with first.")
	}
	p.SKU, p.Quantity, p.Form = c.FormRaw("sku"), c.Form("quantity"), typed(c, p.Method)
	wrong := func(field, message string) {
		p.Errors = append(p.Errors, ui.FieldError{Field: field, Message: message})
	}
	if p.Locked != "" {
		wrong("", p.Locked)
	}
	if p.Form.Note, err = models.CleanText("note", p.Form.Note, 200, false); err != nil {
		wrong("note", sentence(err))
	}
	h.shelf(c, &p)
	switch {
	case p.Trouble != "":
		wrong("", p.Trouble)
		return p, nil
	case !h.pick(&p):
		return p, models.Errorf(models.NotFound, "There is no such product in the catalogue any more.")
	}
	if p.Count, err = quantity(p.Quantity); err != nil {
		wrong("quantity", sentence(err))
		return p, nil
	}
	if why := p.Product.WhyNot(p.Count); why != "" {
		wrong("quantity", why)
	}
	if p.Amount, p.Rounded, err = p.Product.Total(p.Count); err != nil {
		wrong("quantity", sentence(err))
		return p, nil
	}
	return p, h.checkOrderByProvider(c, &p)
}

// checkOrderByProvider applies the provider's own rules.
func (h *Make) checkOrderByProvider(c *Ctx, p *views.OrderParams) error {
	if p.Provider.CheckRequest == nil {
		return nil
	}
	cred, err := h.Store.CredentialForTask(c.Context(), p.Credential.ID)
	if err != nil {
		return err
	}
	settings, err := h.Ask.Settings(c.Context(), cred)
	if err != nil {
		return err
	}
	for _, x := range p.Provider.CheckRequest(settings, p.Method, p.Amount, map[string]string{"sku": p.SKU, "quantity": strconv.Itoa(p.Count)}) {
		p.Errors = append(p.Errors, ui.FieldError{Field: x.Field, Message: x.Sentence})
	}
	return nil
}

// quantity reads a count of units: plain digits only.
func quantity(text string) (int, error) {
	wrong := models.FieldErrorf("quantity", "Order at least one unit, in whole numbers, at most 10,000.")
	if text == "" || len(text) > 5 || strings.Trim(text, "0123456789") != "" {
		return 0, wrong
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > providers.MaxQuantity {
		return 0, wrong
	}
	return n, nil
}

func (h *Make) reviewOrder(c *Ctx) error {
	p, err := h.checkOrder(c)
	if err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return h.showOrder(c, fiber.StatusUnprocessableEntity, p)
	}
	return h.showOrderReview(c, fiber.StatusOK, p)
}

func (h *Make) showOrderReview(c *Ctx, status int, p views.OrderParams) error {
	p.Token = models.NewID()
	digest := productDigest(p.Provider.Name, p.SKU)
	t := models.Transaction{Environment: c.Env, Kind: models.Order, Provider: p.Provider.Name, Amount: p.Amount, DestinationDigest: digest}
	var err error
	if p.Policy, err = h.Store.PolicyFor(c.Context(), c.Actor, t); err != nil {
		return err
	}
	if err := h.balance(c, &p.MakeParams); err != nil {
		return err
	}
	if p.Duplicates, err = h.Store.Duplicates(c.Context(), c.Actor, c.Env, digest, "", p.Amount); err != nil {
		return err
	}
	p.Page = madePage(c, "Review the order", p.Sub)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Transactions", Href: "/transactions"}, {Label: "Orders", Href: "/orders"}, {Label: "Review"}}
	return c.RenderStatus(status, views.OrderReview(p))
}

// createOrder writes the order that was reviewed, if it still costs what was reviewed.
func (h *Make) createOrder(c *Ctx) error {
	if id := c.Form("token"); validID(id) { // a second click on the same form leads to what the first one made
		if made, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, id); err == nil && made.Transaction.CreatedBy == c.Actor.UserID {
			return c.Redirect("/transactions/" + id)
		}
	}
	p, err := h.checkOrder(c)
	if err != nil {
		return err
	}
	token := c.Form("token")
	if !validID(token) {
		p.Errors = append(p.Errors, ui.FieldError{Message: "This form is incomplete. Review it again."})
	}
	if len(p.Errors) > 0 {
		return h.showOrder(c, fiber.StatusUnprocessableEntity, p)
	}
	if p.Amount.Plain() != c.Form("amount") || p.Amount.Asset != c.Form("asset") {
		p.Errors = append(p.Errors, ui.FieldError{Message: "The price has changed since you reviewed the order. This is what it costs now."})
		return h.showOrderReview(c, fiber.StatusUnprocessableEntity, p)
	}
	digest := productDigest(p.Provider.Name, p.SKU)
	if p.Form.Why == "" {
		again, err := h.orderedBefore(c, token, digest, p.Amount)
		if err != nil {
			return err
		}
		if again != "" {
			p.Errors = []ui.FieldError{{Field: "why", Message: "The same quantity of this product was ordered as " + again + " within 24 hours. Say why this order is meant too."}}
			return h.showOrderReview(c, fiber.StatusUnprocessableEntity, p)
		}
	}
	t, err := h.Store.Create(c.Context(), c.Actor, store.NewTransaction{ID: token, Environment: c.Env, Kind: models.Order, CredentialID: p.Credential.ID, Method: p.Method.ID,
		Amount: p.Amount, Party: fmt.Sprintf("%s × %d", models.Safe(p.SKU, 60), p.Count), DestinationDigest: digest, SubAccount: p.Sub.ID,
		Detail: models.TransactionDetail{SKU: p.SKU, Quantity: p.Count, Note: p.Form.Note, Why: p.Form.Why}})
	if err != nil {
		if code := models.CodeOf(err); code != models.Invalid && code != models.Conflict {
			return err
		}
		p.Errors = []ui.FieldError{{Message: sentence(err)}}
		return h.showOrder(c, fiber.StatusUnprocessableEntity, p)
	}
	return c.Redirect("/transactions/" + t.ID)
}

// orderedBefore names a recent order of the same product at the same total, other than the one that this form has already made.
func (h *Make) orderedBefore(c *Ctx, token, digest string, amount models.Money) (string, error) {
	list, err := h.Store.Duplicates(c.Context(), c.Actor, c.Env, digest, "", amount)
	if err != nil {
		return "", err
	}
	for _, t := range list {
		if t.ID == token {
			return "", nil
		}
	}
	if len(list) > 0 {
		return list[0].Reference, nil
	}
	return "", nil
}

// productDigest is what the duplicate guard and the rules know a product by.
func productDigest(provider, sku string) string {
	sum := sha256.Sum256([]byte("order\x00" + provider + "\x00" + sku))
	return hex.EncodeToString(sum[:])
}
