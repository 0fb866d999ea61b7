package handlers

import (
	"slices"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Checks are the pages that say how well a provider's contract is known.
type Checks struct{ *Credentials }

// Routes lists them.
func (h *Checks) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/credentials/:id/contract", Name: "contract.show", Permission: models.CredentialsRead, Section: "providers", Handle: h.contract},
		{Method: "POST", Path: "/credentials/:id/contract", Name: "contract.run", Permission: models.CredentialsManage, Section: "providers", Timeout: askingTime, Handle: h.run},
		{Method: "GET", Path: "/credentials/:id/contract/:item", Name: "contract.item", Permission: models.CredentialsRead, Section: "providers", Handle: h.item},
		{Method: "POST", Path: "/credentials/:id/contract/:item/confirm", Name: "contract.confirm", Permission: models.ChangesApprove, StepUp: true, Section: "providers", Handle: h.confirm},
		{Method: "POST", Path: "/credentials/:id/contract/:item/unconfirm", Name: "contract.unconfirm", Permission: models.ChangesApprove, StepUp: true, Section: "providers", Handle: h.unconfirm},
	}
}

// locksOf lists what may not be used yet with a credential, by what is known about its contract.
func locksOf(c *Ctx, s *store.Store, cred models.Credential, d *providers.Description) ([]providers.Lock, error) {
	if d.Locks == nil {
		return nil, nil
	}
	standings, err := s.Standings(c.Context(), c.Actor, cred)
	if err != nil {
		return nil, err
	}
	return d.Locks(cred.Environment, cred.Values, providers.WithProven(d, cred, standings)), nil
}

func (h *Checks) contract(c *Ctx) error { return h.page(c, nil) }

// run makes the harmless calls and shows what they proved.
func (h *Checks) run(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	got, err := h.Desk.Check(c.Context(), c.Actor, cred.ID, models.SlotCurrent)
	if models.Is(err, models.Invalid) || models.Is(err, models.Conflict) {
		return c.Refused(views.CredentialPath(cred.ID, "contract"), err)
	}
	if err != nil {
		return err
	}
	return h.page(c, &got)
}

func (h *Checks) page(c *Ctx, checked *providers.Checked) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	s := views.ContractParams{C: cred, D: &p.Description, Checked: checked, Me: c.Actor, Clock: c.clock()}
	if only := c.Query("only"); only == "open" || only == "assumed" {
		s.Only = only
	}
	if s.Standings, err = h.Store.Standings(c.Context(), c.Actor, cred); err != nil {
		return err
	}
	if s.Locks, err = locksOf(c, h.Store, cred, &p.Description); err != nil {
		return err
	}
	return c.Render(views.Contract(h.crumbs(c.Page("Contract check of "+cred.Name), cred, "Contract check"), s))
}

func (h *Checks) item(c *Ctx) error { return h.itemPage(c, 200, nil) }

func (h *Checks) itemPage(c *Ctx, status int, errs []ui.FieldError) error {
	cred, p, it, err := h.itemOf(c)
	if err != nil {
		return err
	}
	s := views.ItemParams{C: cred, D: &p.Description, Item: it, Me: c.Actor, Clock: c.clock(), Errors: errs}
	standings, err := h.Store.Standings(c.Context(), c.Actor, cred)
	if err != nil {
		return err
	}
	s.Standing = standings[it.ID]
	if s.Evidence, err = h.Store.EvidenceOf(c.Context(), c.Actor, cred.ID, it.ID); err != nil {
		return err
	}
	locks, err := locksOf(c, h.Store, cred, &p.Description)
	if err != nil {
		return err
	}
	for _, l := range locks {
		if slices.Contains(l.Items, it.ID) {
			s.Locks = append(s.Locks, l)
		}
	}
	page := c.Page(it.ID)
	page.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: cred.Name, Href: views.CredentialPath(cred.ID)},
		{Label: "Contract check", Href: views.CredentialPath(cred.ID, "contract")}, {Label: it.ID}}
	return c.RenderStatus(status, views.ContractItem(page, s))
}

func (h *Checks) itemOf(c *Ctx) (models.Credential, *providers.Provider, providers.Item, error) {
	cred, p, err := h.credential(c)
	if err != nil {
		return cred, p, providers.Item{}, err
	}
	it, ok := p.Description.Item(c.Param("item"))
	if !ok {
		return cred, p, it, models.Errorf(models.NotFound, "%s has no such contract item.", p.Description.Title)
	}
	return cred, p, it, nil
}

func (h *Checks) confirm(c *Ctx) error {
	cred, _, it, err := h.itemOf(c)
	if err != nil {
		return err
	}
	err = h.Store.ConfirmItem(c.Context(), c.Actor, cred.ID, it.ID, c.Form("reason"))
	if list, bad := Problems(err); bad {
		return h.itemPage(c, 422, list)
	}
	if err != nil {
		return err
	}
	return c.Done(views.CredentialPath(cred.ID, "contract", it.ID), "Your confirmation is kept.")
}

func (h *Checks) unconfirm(c *Ctx) error {
	cred, _, it, err := h.itemOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.UnconfirmItem(c.Context(), c.Actor, cred.ID, it.ID); err != nil {
		return c.Refused(views.CredentialPath(cred.ID, "contract", it.ID), err)
	}
	return c.Done(views.CredentialPath(cred.ID, "contract", it.ID), "Taken back. Operations that rest on it are locked again.")
}
