package handlers

import (
	"cmp"
	"slices"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
)

// picksShown is how many destinations the form of a payout offers; a search narrows them.
const picksShown = 12

// payable keeps the ways that can pay a destination.
func payable(all []views.MakeChoice, d *models.Destination) (out []views.MakeChoice) {
	for _, ch := range all {
		kept := views.MakeChoice{Credential: ch.Credential}
		for _, m := range ch.Methods {
			if _, ok := providers.PaidBy(ch.Credential.Provider, m.Method, d); ok {
				kept.Methods = append(kept.Methods, m)
			}
		}
		if len(kept.Methods) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

// destinations fills in where the money of a payout may go: whether something else than a destination may be typed, and the destinations to choose from.
func (h *Make) destinations(c *Ctx, p *views.MakeParams) (err error) {
	if p.Kind != models.Payout {
		return nil
	}
	if p.RawOK, err = h.Store.RawAllowed(c.Context(), c.Actor, p.Credential.ID, c.Env); err != nil {
		return err
	}
	if p.To != nil {
		to, err := h.Store.DestinationFor(c.Context(), c.Actor, c.Env, p.To.ID, p.Credential.ID, p.Method.Book)
		p.ToWhy = to.Why
		return err
	}
	forms, networks := p.Provider.FormsFor(p.Method)
	p.PickSearch = c.Query("dq")
	list, err := h.Store.DestinationsFor(c.Context(), c.Actor, c.Env, p.Credential.ID, p.Method.Book, forms, networks, p.PickSearch, picksShown+1)
	if err != nil {
		return err
	}
	if len(list) > picksShown {
		list, p.PicksMore = list[:picksShown], true
	}
	// What can be paid now stands first; the newest are often still cooling down.
	slices.SortStableFunc(list, func(a, b store.DestinationChoice) int { return cmp.Compare(min(len(a.Why), 1), min(len(b.Why), 1)) })
	for _, x := range list {
		p.Picks = append(p.Picks, views.Pick{Destination: x.Destination, State: x.State, Why: x.Why})
	}
	return nil
}

// useDestination puts the values of the chosen destination in place of what was typed. Without one it refuses where only destinations are paid.
func (h *Make) useDestination(c *Ctx, p *views.MakeParams) (entry string, err error) {
	refuse := func(why string) { p.Errors = append(p.Errors, views.PlainError(why)) }
	if p.Kind != models.Payout {
		return "", nil
	}
	if p.To == nil {
		if !p.RawOK {
			refuse("Payouts by this credential go to approved destinations only. Choose one, or add it under Destinations.")
		}
		return "", nil
	}
	d, entry, err := h.Store.UseDestination(c.Context(), c.Actor, c.Env, p.To.ID, p.Credential.ID, p.Method.Book)
	if models.Is(err, models.Invalid) || models.Is(err, models.Conflict) {
		refuse(sentence(err))
		return "", nil
	}
	if err != nil {
		return "", err
	}
	p.To = d
	if d.Currency != "" && d.Currency != p.Amount.Asset {
		refuse(d.Name + " is paid in " + d.Currency + " only.")
		return "", nil
	}
	values := p.Form.Values // only what every payment has anew
	if d.EntryField != "" {
		values[d.EntryField] = entry
	} else {
		for k, v := range d.Values {
			values[k] = v
		}
	}
	return entry, nil
}

// destinationShown is what the review says about where the money goes: all of a destination, also where only the number of its entry is sent.
func destinationShown(p views.MakeParams, clean map[string]string, entry string) providers.Destination {
	to := providers.DestinationOf(p.Method, clean)
	if p.To == nil {
		return to
	}
	to.Owner, to.Masked = p.To.Owner, p.To.Masked
	to.Lines = nil
	for _, l := range p.To.Lines {
		to.Lines = append(to.Lines, providers.Line{Label: l.Label, Value: l.Value, Copy: l.Copy})
	}
	if entry != "" {
		to.Lines = append(to.Lines, providers.Line{Label: "Number in the provider’s book", Value: entry})
	}
	return to
}
