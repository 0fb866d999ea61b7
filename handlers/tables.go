package handlers

import (
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Tables are the pages of operation tables: what a provider is told and how its answers are read, where that is data.
type Tables struct{ *Credentials }

// Routes lists them.
func (h *Tables) Routes() []Route {
	return []Route{
		{Method: "GET", Path: "/credentials/:id/table", Name: "table.show", Permission: models.CredentialsRead, Section: "providers", Handle: h.show},
		{Method: "GET", Path: "/credentials/:id/table/versions/:change", Name: "table.version", Permission: models.CredentialsRead, Section: "providers", Handle: h.version},
		{Method: "GET", Path: "/credentials/:id/table/edit", Name: "table.edit", Permission: models.CredentialsManage, StepUp: true, Section: "providers", Handle: h.edit},
		{Method: "POST", Path: "/credentials/:id/table/edit", Name: "table.ask", Permission: models.CredentialsManage, StepUp: true, Section: "providers", Handle: h.post},
	}
}

// begin reads the credential and the table in force. A provider whose operations are code has no such page.
func (h *Tables) begin(c *Ctx) (views.TableParams, error) {
	cred, p, err := h.credential(c)
	if err != nil {
		return views.TableParams{}, err
	}
	if p.Description.Table == nil {
		return views.TableParams{}, models.Errorf(models.NotFound, "%s has no operation table: its operations are part of the program.", p.Description.Title)
	}
	s := views.TableParams{C: cred, D: &p.Description, Me: c.Actor, Clock: c.clock()}
	s.Force = s.TextOf(cred.Settings)
	s.Sheet, err = p.Description.Table.Read(s.Force)
	return s, err
}

func (h *Tables) page(c *Ctx, s views.TableParams, title, last string) views.Page {
	p := c.Page(title)
	p.Breadcrumbs = []ui.Crumb{{Label: "Providers", Href: views.ProvidersPath}, {Label: s.C.Name, Href: views.CredentialPath(s.C.ID)}}
	if last == "" {
		p.Breadcrumbs = append(p.Breadcrumbs, ui.Crumb{Label: "Operation table"})
	} else {
		p.Breadcrumbs = append(p.Breadcrumbs, ui.Crumb{Label: "Operation table", Href: views.TablePath(s.C.ID)}, ui.Crumb{Label: last})
	}
	return p
}

// show is the table in force, what waits for a second admin, and the versions before.
func (h *Tables) show(c *Ctx) error {
	s, err := h.begin(c)
	if err != nil {
		return err
	}
	if s.Versions, err = h.Store.TableVersions(c.Context(), c.Actor, s.C.ID); err != nil {
		return err
	}
	if ch := s.C.Change; ch != nil && ch.Kind == models.ChangeTable {
		s.Waiting = s.Compare(s.Force, s.TextOf(ch.Settings))
		s.Requests = changedRequests(s.D, s.C, s.Force, s.TextOf(ch.Settings))
	} else {
		s.Requests = preview(s.D, s.C.Environment, s.C.Values, s.C.Settings)
	}
	return c.Render(views.TableShow(h.page(c, s, "Operation table: "+s.C.Name, ""), s))
}

// version is one table that came into force, compared with the one before it.
func (h *Tables) version(c *Ctx) error {
	s, err := h.begin(c)
	if err != nil {
		return err
	}
	if s.Versions, err = h.Store.TableVersions(c.Context(), c.Actor, s.C.ID); err != nil {
		return err
	}
	i := slices.IndexFunc(s.Versions, func(ch models.CredentialChange) bool { return ch.ID == c.Param("change") })
	if i < 0 {
		return models.Errorf(models.NotFound, "There is no such version of the table.")
	}
	before := s.D.Table.Default
	if i+1 < len(s.Versions) {
		before = s.TextOf(s.Versions[i+1].Settings)
	}
	s.Shown = &s.Versions[i]
	s.Text = s.TextOf(s.Shown.Settings)
	s.Waiting = s.Compare(before, s.Text)
	if s.Sheet, err = s.D.Table.Read(s.Text); err != nil {
		s.Sheet, s.Errors = providers.TableSheet{}, []ui.FieldError{{Message: sentence(err)}} // written for another version of the program
	}
	return c.Render(views.TableVersion(h.page(c, s, "Version of "+s.Number(i), s.Number(i)), s))
}

func (h *Tables) edit(c *Ctx) error {
	s, err := h.begin(c)
	if err != nil {
		return err
	}
	s.Text, s.AsText = s.Force, c.Query("as") == "text"
	return h.form(c, 200, s)
}

func (h *Tables) form(c *Ctx, status int, s views.TableParams) error {
	return c.RenderStatus(status, views.TableEdit(h.page(c, s, "Change the operation table of "+s.C.Name, "Change"), s))
}

// post takes what was typed: it is checked, compared and shown as requests first, and then asked of a second admin.
func (h *Tables) post(c *Ctx) error {
	s, err := h.begin(c)
	if err != nil {
		return err
	}
	s.AsText, s.Reason = c.Form("as") == "text", c.Form("reason")
	s.Text = strings.TrimSpace(strings.ReplaceAll(c.FormRaw("text"), "\r\n", "\n"))
	if s.Text == "" {
		s.Text = s.D.Table.Default
	}
	text := s.Text
	if c.Form("as") == "places" {
		if text, err = h.write(c, &s); err != nil {
			return err
		}
	}
	for _, p := range s.D.TableProblems(s.C.Settings, text) {
		s.Errors = append(s.Errors, ui.FieldError{Field: s.ErrorField(), Message: p.Sentence})
	}
	if len(s.Errors) == 0 && c.Form("do") != "edit" && s.Same(text) {
		s.Errors = []ui.FieldError{{Message: "This is the table that is in force already. Nothing would change."}}
	}
	switch {
	case len(s.Errors) > 0:
		return h.form(c, 422, s)
	case c.Form("do") == "edit":
		s.Typed = nil
		return h.form(c, 200, s)
	case c.Form("do") == "ask":
		return h.ask(c, s, text)
	}
	return h.review(c, 200, s, text)
}

// write puts the single places that were typed into the text. What is typed wrong stays in the form, so that it can be mended.
func (h *Tables) write(c *Ctx, s *views.TableParams) (string, error) {
	sheet, err := s.D.Table.Read(s.Text)
	if err != nil { // the text travels in the form; whoever broke it edits the text
		s.AsText = true
		return s.Text, nil //nolint:nilerr // the check of the text says it in words
	}
	s.Sheet, s.Typed, s.TypedPairs = sheet, map[string]string{}, map[string][]providers.Pair{}
	cells := map[string]string{}
	for _, part := range sheet.Parts {
		if part.Pairs != "" {
			theirs, ours := c.FormList(views.PairField(part.Pairs, "theirs")), c.FormList(views.PairField(part.Pairs, "ours"))
			if len(theirs) != len(ours) || len(theirs) > 200 {
				return "", models.Errorf(models.Invalid, "This form is incomplete. Open it again.")
			}
			for i := range theirs {
				s.TypedPairs[part.Pairs] = append(s.TypedPairs[part.Pairs], providers.Pair{Theirs: strings.TrimSpace(theirs[i]), Ours: strings.TrimSpace(ours[i])})
			}
			continue
		}
		for _, cell := range slices.Concat(part.Rows...) {
			if cell.Key == "" {
				continue
			}
			if s.Typed[cell.Key] = c.Form(views.CellField(cell.Key)); s.Typed[cell.Key] != cell.Text {
				cells[cell.Key] = s.Typed[cell.Key]
			}
		}
	}
	text, err := s.D.Table.Write(s.Text, cells, changedPairs(sheet, s.TypedPairs))
	if list, bad := Problems(err); bad {
		s.Errors = list
		return s.Text, nil
	}
	return text, err
}

// changedPairs keeps the lists that say something else than the table does, so that the others stay byte for byte.
func changedPairs(sheet providers.TableSheet, typed map[string][]providers.Pair) map[string][]providers.Pair {
	out := map[string][]providers.Pair{}
	for _, part := range sheet.Parts {
		if part.Pairs == "" {
			continue
		}
		now, then := map[string]string{}, map[string]string{}
		for _, row := range part.Rows {
			now[row[0].Text] = row[1].Text
		}
		twice := false
		for _, p := range typed[part.Pairs] {
			if _, there := then[p.Theirs]; p.Theirs != "" {
				twice = twice || there
				then[p.Theirs] = p.Ours
			}
		}
		same := len(now) == len(then) && !twice
		for theirs, ours := range now {
			same = same && then[theirs] == ours
		}
		if !same {
			out[part.Pairs] = typed[part.Pairs]
		}
	}
	return out
}

// review shows what would change, in the table and in the requests, before anybody is asked.
func (h *Tables) review(c *Ctx, status int, s views.TableParams, text string) error {
	var err error
	s.Text = text
	s.Waiting, s.Requests = s.Compare(s.Force, text), changedRequests(s.D, s.C, s.Force, text)
	if s.Sheet, err = s.D.Table.Read(text); err != nil {
		return err
	}
	return c.RenderStatus(status, views.TableReview(h.page(c, s, "What would change in the operation table of "+s.C.Name, "Review"), s))
}

// ask files the change: in the sandbox as in live another admin agrees before anything is sent by it.
func (h *Tables) ask(c *Ctx, s views.TableParams, text string) error {
	ch := models.CredentialChange{CredentialID: s.C.ID, Kind: models.ChangeTable, Values: s.C.Values, Settings: s.With(text), Reason: s.Reason}
	applied, err := h.Store.AskChange(c.Context(), c.Actor, ch, versionOf(c))
	if models.Is(err, models.Conflict) || models.Is(err, models.Invalid) {
		s.Errors = []ui.FieldError{{Message: sentence(err)}}
		return h.review(c, 422, s, text)
	}
	if err != nil {
		return err
	}
	return c.Done(views.TablePath(s.C.ID), asked(applied, "The table is in force."))
}

// changedRequests writes out the requests that another table would make, and says of each whether it differs from today's.
func changedRequests(d *providers.Description, cred models.Credential, force, text string) []providers.RequestPreview {
	with := func(text string) []providers.RequestPreview {
		settings := map[string]string{models.OperationTable: text}
		for k, v := range cred.Settings {
			if k != models.OperationTable {
				settings[k] = v
			}
		}
		return preview(d, cred.Environment, cred.Values, settings)
	}
	now := map[string]string{}
	for _, r := range with(force) {
		now[r.Operation] = r.Text
	}
	list := with(text)
	var changed, same []providers.RequestPreview
	for _, r := range list {
		if before, there := now[r.Operation]; !there {
			r.Operation += ", new"
			changed = append(changed, r)
		} else if before != r.Text {
			r.Operation += ", changed"
			changed = append(changed, r)
		} else {
			same = append(same, r)
		}
	}
	return append(changed, same...)
}
