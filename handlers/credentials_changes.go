package handlers

import (
	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

func (h *Credentials) edit(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	s := views.CredentialFormParams{D: &p.Description, Env: c.Env, C: &cred, Values: cred.Values, Settings: cred.Settings}
	return c.Render(views.CredentialForm(h.crumbs(c.Page("Change "+cred.Name), cred, "Change"), s))
}

// change saves other values and settings, or asks a second admin to agree to them.
func (h *Credentials) change(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	values, _, settings := readCredential(c, &p.Description)
	if table := cred.Settings[models.OperationTable]; table != "" {
		settings[models.OperationTable] = table
	}
	s := views.CredentialFormParams{D: &p.Description, Env: c.Env, C: &cred, Values: values, Settings: settings, Reason: c.Form("reason")}
	again := func() error {
		return c.RenderStatus(422, views.CredentialForm(h.crumbs(c.Page("Change "+cred.Name), cred, "Change"), s))
	}
	var kept []string
	for _, f := range p.Description.Fields {
		if f.Secret {
			kept = append(kept, f.Name)
		}
	}
	s.Errors = formErrors(&p.Description, providers.CheckCredential(&p.Description, c.Env, values, nil, settings, kept))
	if c.Form("do") == "preview" {
		s.Preview = preview(&p.Description, c.Env, values, settings)
		return again()
	}
	if len(s.Errors) == 0 {
		next := cred
		next.Values, next.Settings = values, settings
		if s.Errors, err = h.try(c, &p.Description, next, nil); err != nil {
			return err
		}
	}
	if len(s.Errors) > 0 {
		return again()
	}
	applied, err := h.Store.AskChange(c.Context(), c.Actor, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeEdit, Values: values, Settings: settings, Reason: s.Reason}, versionOf(c))
	if models.Is(err, models.Conflict) || models.Is(err, models.Invalid) {
		s.Errors = []ui.FieldError{{Message: sentence(err)}}
		return again()
	}
	if err != nil {
		return err
	}
	return c.Done(views.CredentialPath(cred.ID), asked(applied, "Changed. Test the keys again: what was known of them was known for the old address and settings."))
}

func asked(applied bool, done string) string {
	if applied {
		return done
	}
	return "A second admin must agree now. Nothing has changed yet."
}

func (h *Credentials) words(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	return c.Render(views.CredentialNotes(h.crumbs(c.Page("Name and notes of "+cred.Name), cred, "Name and notes"),
		views.NotesParams{C: cred, Notes: models.CredentialNotes{Name: cred.Name, SubAccount: cred.SubAccount, Note: cred.Note, EgressNote: cred.EgressNote}}))
}

func (h *Credentials) note(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	n := readNotes(c)
	err = h.Store.NoteCredential(c.Context(), c.Actor, cred.ID, n)
	if list, bad := Problems(err); bad {
		return c.RenderStatus(422, views.CredentialNotes(h.crumbs(c.Page("Name and notes of "+cred.Name), cred, "Name and notes"), views.NotesParams{C: cred, Notes: n, Errors: list}))
	}
	if err != nil {
		return err
	}
	return c.Done(views.CredentialPath(cred.ID), "Saved.")
}

func (h *Credentials) replacement(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	return c.Render(views.ReplaceSecrets(h.crumbs(c.Page("Replace the secrets of "+cred.Name), cred, "Replace"), views.ReplaceParams{C: cred, D: &p.Description}))
}

// replace keeps new secrets in the slot next and tests them at once.
func (h *Credentials) replace(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	_, typed, _ := readCredential(c, &p.Description)
	var keep []string
	given := map[string]string{}
	for _, f := range p.Description.Fields {
		switch {
		case f.Secret && typed[f.Name] != "":
			given[f.Name] = typed[f.Name]
		case f.Secret:
			for _, k := range cred.In(models.SlotCurrent) {
				if k.Field == f.Name {
					keep = append(keep, f.Name)
				}
			}
		}
	}
	problems := providers.CheckCredential(&p.Description, c.Env, cred.Values, typed, cred.Settings, keep)
	if len(given) == 0 {
		problems = append(problems, models.Problem{Sentence: "Enter at least one new secret."})
	}
	if len(problems) > 0 {
		return c.RenderStatus(422, views.ReplaceSecrets(h.crumbs(c.Page("Replace the secrets of "+cred.Name), cred, "Replace"),
			views.ReplaceParams{C: cred, D: &p.Description, Errors: formErrors(&p.Description, problems)}))
	}
	if err := h.Store.FillNext(c.Context(), c.Actor, h.Seal, cred.ID, given, keep); err != nil {
		return c.Refused(views.CredentialPath(cred.ID), err)
	}
	return h.tested(c, cred.ID, p, models.SlotNext)
}

func (h *Credentials) test(c *Ctx) error {
	cred, p, err := h.credential(c)
	if err != nil {
		return err
	}
	slot := models.Slot(c.Form("slot"))
	if slot == "" {
		slot = models.SlotCurrent
	}
	return h.tested(c, cred.ID, p, slot)
}

// tested runs a test and shows the page with what it showed. A reload tests again, which does no harm.
func (h *Credentials) tested(c *Ctx, id string, p *providers.Provider, slot models.Slot) error {
	got, err := h.Desk.Check(c.Context(), c.Actor, id, slot)
	s := views.CredentialParams{Slot: slot}
	switch {
	case models.Is(err, models.Invalid), models.Is(err, models.Conflict), models.Is(err, models.Unavailable):
		s.Errors = []ui.FieldError{{Message: "The test could not be made. " + sentence(err)}}
	case err != nil:
		return err
	default:
		s.Checked = &got
	}
	cred, err := h.Store.Credential(c.Context(), c.Actor, id)
	if err != nil {
		return err
	}
	return h.render(c, cred, p, s)
}

func (h *Credentials) drop(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	if err := h.Store.DropSlot(c.Context(), c.Actor, cred.ID, models.Slot(c.Form("slot"))); err != nil {
		return c.Refused(views.CredentialPath(cred.ID), err)
	}
	return c.Done(views.CredentialPath(cred.ID), "Destroyed.")
}

// ask asks for the changes that need no form of their own.
func (h *Credentials) ask(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	kind := models.ChangeKind(c.Form("kind"))
	if kind == models.ChangeEdit { // has its own form
		return models.Errorf(models.Invalid, "There is no such change.")
	}
	applied, err := h.Store.AskChange(c.Context(), c.Actor, models.CredentialChange{CredentialID: cred.ID, Kind: kind, Reason: c.Form("reason")}, versionOf(c))
	if err != nil {
		return c.Refused(views.CredentialPath(cred.ID), err)
	}
	return c.Done(views.CredentialPath(cred.ID), asked(applied, "Done: "+kind.Word()+"."))
}

func (h *Credentials) suspend(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	if err := h.Store.SuspendCredential(c.Context(), c.Actor, cred.ID, c.Form("reason")); err != nil {
		return c.Refused(views.CredentialPath(cred.ID), err)
	}
	return c.Done(views.CredentialPath(cred.ID), "Suspended. Nothing new is sent through it.")
}

func (h *Credentials) revoke(c *Ctx) error {
	cred, _, err := h.credential(c)
	if err != nil {
		return err
	}
	if err := h.Store.RevokeCredential(c.Context(), c.Actor, cred.ID, c.Form("reason")); err != nil {
		return c.Refused(views.CredentialPath(cred.ID), err)
	}
	return c.Done(views.CredentialPath(cred.ID), "Revoked. Its secrets are gone. Take the keys back at the provider, too.")
}

func (h *Credentials) decide(c *Ctx) error {
	agree := c.Form("decision") == "agree"
	if !agree && c.Form("decision") != "refuse" {
		return models.Errorf(models.Invalid, "Say whether you agree or refuse.")
	}
	ch, err := h.Store.CredentialChange(c.Context(), c.Actor, c.Param("change"))
	if err != nil {
		return err
	}
	here := views.CredentialPath(ch.CredentialID)
	if ch.Kind == models.ChangeTable {
		here = views.TablePath(ch.CredentialID)
	}
	state, err := h.Store.DecideChange(c.Context(), c.Actor, ch.ID, agree, c.Form("note"))
	if err != nil {
		return c.Refused(here, err)
	}
	says := map[models.ChangeState]string{models.ChangeApproved: "Agreed. It is done.", models.ChangeRejected: "Refused. Nothing has changed.",
		models.ChangeVoid: "The credential is no longer what it was when this was asked for, so the change is void. Nothing has changed."}
	return c.Done(here, says[state])
}

func (h *Credentials) withdraw(c *Ctx) error {
	ch, err := h.Store.CredentialChange(c.Context(), c.Actor, c.Param("change"))
	if err != nil {
		return err
	}
	if err := h.Store.WithdrawChange(c.Context(), c.Actor, ch.ID); err != nil {
		return c.Refused(views.CredentialPath(ch.CredentialID), err)
	}
	return c.Done(views.CredentialPath(ch.CredentialID), "Withdrawn.")
}
