package handlers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

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
