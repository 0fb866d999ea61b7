package handlers

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

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
