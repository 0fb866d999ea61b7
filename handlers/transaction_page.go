package handlers

import (
	"encoding/json"
	"maps"
	"slices"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

func (h *Transactions) show(c *Ctx) error {
	p, err := h.page(c)
	if err != nil {
		return err
	}
	t := &p.Story.Transaction
	p.Page = c.Page(p.Title())
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Transactions", Href: "/transactions"}, {Label: listTitle(t.Kind), Href: "/" + string(t.Kind) + "s"}, {Label: t.Reference}}
	return c.Render(views.Transaction(p))
}

// live is the part of the page that changes by itself; it is polled while something is on its way.
func (h *Transactions) live(c *Ctx) error {
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return c.Render(views.TransactionLive(p))
}

func (h *Transactions) peek(c *Ctx) error {
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return c.Render(views.TransactionPeek(p))
}

func (h *Transactions) page(c *Ctx) (views.TransactionParams, error) {
	story, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return views.TransactionParams{}, err
	}
	t := &story.Transaction
	d, err := describeFor(c, h.Store, h.Providers, t)
	if err != nil {
		return views.TransactionParams{}, err
	}
	p := views.TransactionParams{Story: story, Provider: d, Court: h.court(c, story), Zone: c.Zone, Now: c.Now,
		CanOperate: c.Actor.Can(models.PayoutsOperate), CanSeeExchanges: c.Actor.Can(models.ExchangesRead), CanRefund: c.Actor.Can(models.RefundsCreate), CanReveal: c.Actor.Can(models.CodesReveal),
		CanExport: c.Actor.Can(models.ExportsCreate), CanNote: c.Actor.Can(models.NotesWrite), IsMaker: t.CreatedBy == c.Actor.UserID && t.CreatedBy != "", Values: lines(d, story)}
	names, err := h.Store.SubAccountNames(c.Context(), c.Env, []string{t.SubAccount})
	if err != nil {
		return p, err
	}
	p.SubName = names[t.SubAccount]
	if p.DisputeWhy, err = h.noDispute(c, d, t); err != nil {
		return p, err
	}
	if p.Disputes, err = h.Store.Disputes(c.Context(), c.Actor, story); err != nil {
		return p, err
	}
	p.KeepsPapers = h.Intake != nil && h.Intake.Files != nil
	if story.Detail.Instructions != "" {
		if err := json.Unmarshal([]byte(story.Detail.Instructions), &p.Instructions); err != nil {
			return p, err
		}
		p.QR = qrModules(p.Instructions.QR)
	}
	for i := range story.Approvals {
		if r := &story.Approvals[i]; r.State == "open" {
			p.Open = r
			if err := r.MayDecide(c.Actor, models.At(c.Now)); err != nil {
				p.DecideWhy = sentence(err)
			}
		}
	}
	return p, nil
}

// describeFor describes the provider of a transaction. Where methods come out of an operation table, the table in force with its credential names
// them first; a table that was changed since may have lost the method: then the one that every credential begins with does.
func describeFor(c *Ctx, s *store.Store, r *providers.Registry, t *models.Transaction) (*providers.Description, error) {
	d := describe(r, t.Provider)
	if d.MethodsUnder == nil {
		return d, nil
	}
	cred, err := s.CredentialForTask(c.Context(), t.CredentialID)
	if err != nil {
		return nil, err
	}
	own := *d
	own.Methods = append(d.MethodsWith(cred.Settings), d.Methods...)
	return &own, nil
}

// lines are the values of the form by their labels; without a method, by their names.
func lines(d *providers.Description, story *store.TransactionPage) []providers.Line {
	for _, m := range d.Methods {
		if m.ID == story.Transaction.Method && m.Kind == story.Transaction.Kind {
			return providers.DestinationOf(m, story.Detail.Values).Lines
		}
	}
	var out []providers.Line
	for _, name := range slices.Sorted(maps.Keys(story.Detail.Values)) {
		if v := story.Detail.Values[name]; v != "" {
			out = append(out, providers.Line{Label: name, Value: v})
		}
	}
	return out
}

// noDispute tells why no dispute can be opened with the transaction's credential; empty if it can.
func (h *Transactions) noDispute(c *Ctx, d *providers.Description, t *models.Transaction) (string, error) {
	if !d.Has(providers.CanDispute) {
		return d.Short + " takes no disputes.", nil
	}
	if d.Locks == nil {
		return "", nil
	}
	cred, err := h.Store.CredentialForTask(c.Context(), t.CredentialID)
	if err != nil {
		return "", err
	}
	settings := cred.Settings
	if h.Ask != nil {
		if settings, err = h.Ask.Settings(c.Context(), cred); err != nil {
			return "", err
		}
	}
	for _, l := range d.Locks(cred.Environment, cred.Values, settings) {
		if !l.Warning && l.Operation == string(providers.CanDispute) {
			return l.Reason, nil
		}
	}
	return "", nil
}
