package handlers

import (
	"encoding/json"

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
	d := h.description(t.Provider)
	p := views.TransactionParams{Story: story, Provider: d, Court: h.court(c, story), Zone: c.Zone, Now: c.Now,
		CanOperate: c.Actor.Can(models.PayoutsOperate), CanSeeExchanges: c.Actor.Can(models.ExchangesRead), CanRefund: c.Actor.Can(models.RefundsCreate), CanReveal: c.Actor.Can(models.CodesReveal),
		IsMaker: t.CreatedBy == c.Actor.UserID && t.CreatedBy != "", Values: lines(d, story)}
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

// lines are the values of the form by their labels.
func lines(d *providers.Description, story *store.TransactionPage) []providers.Line {
	if m, ok := d.Method(story.Transaction.Method); ok {
		return providers.DestinationOf(m, story.Detail.Values).Lines
	}
	return nil
}
