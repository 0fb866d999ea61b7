package web

import (
	"context"
	"net/url"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/web/demo"
)

// wayIn is a form with the settings that it is checked under.
type wayIn struct {
	form     providers.DestinationForm
	settings map[string]string
}

// ways are the forms of the demonstration's accounts. Those whose entries stand in a provider's book are left to books, which registers them.
func (d *demonstration) ways() (out []wayIn) {
	for _, a := range d.accounts {
		for _, f := range a.Description.FormsOf(nil) {
			if f.Locked == "" && f.Book == "" {
				out = append(out, wayIn{f, nil})
			}
		}
	}
	return append(out, wayIn{providers.OnChainForm(models.Sandbox), nil})
}

// destinations writes the year's destinations in bulk: most are in use, some wait, some cool down, some are gone.
func (d *demonstration) destinations(ctx context.Context) error {
	ways := d.ways()
	if len(ways) == 0 || d.cmd.Destinations <= 0 {
		return nil
	}
	h, n, now := demo.NewHistorian(d.cmd.Seed+2, nil, nil, time.Now(), 0), 0, time.Now()
	makers := []models.Actor{d.people["finance"], d.people["finance2"], d.people["finance3"]}
	_, err := d.rt.Store.FillDestinations(ctx, func() *store.FilledDestination {
		for range 400 { // a made-up account that its provider's rules refuse is made up anew
			if n >= d.cmd.Destinations {
				return nil
			}
			w := ways[h.Draw(len(ways))]
			who := h.Payee(w.form)
			if w.form.ID == providers.OnChain {
				who.Values["network"] = []string{"Ethereum", "Polygon", "Viction"}[h.Draw(3)]
			}
			clean, problems := w.form.Check(w.settings, who.Values)
			if len(problems) > 0 {
				continue
			}
			n++
			left := d.cmd.Destinations - n
			x := &store.FilledDestination{New: store.NewDestination{ID: models.NewID(), Environment: models.Sandbox, Spec: w.form.Spec(clean), Name: who.Name, Purpose: who.Purpose}, By: makers[h.Draw(3)],
				State: models.DestinationApproved, Approver: d.people["compliance"].Name}
			at := now.Add(-3*24*time.Hour - time.Duration(left)*(362*24*time.Hour/time.Duration(d.cmd.Destinations)) - time.Duration(h.Draw(3600))*time.Second)
			switch {
			case left < 24: // waits for a second person
				at = now.Add(-time.Duration(20+h.Draw(60)+left*90) * time.Minute)
				x.State, x.Approver = models.DestinationWaiting, ""
			case left < 52: // approved today
				at = now.Add(-time.Duration(3+h.Draw(19)) * time.Hour)
			case h.Draw(40) == 0:
				x.State, x.Reason = models.DestinationRevoked, []string{"The supplier changed its bank", "Contract ended", "Reported as compromised"}[h.Draw(3)]
			case h.Draw(70) == 0:
				x.State, x.Reason = models.DestinationRejected, []string{"The name on the invoice is another one", "Not confirmed by phone"}[h.Draw(2)]
			}
			x.At = models.At(at)
			if x.State == models.DestinationApproved {
				x.Usable = x.At.Add(25 * time.Hour)
			}
			return x
		}
		return nil
	})
	return err
}

// books makes what is open between our destinations and the providers' books: some are registered through the engine, one comes from their side, one
// differs. And a few payouts go to destinations that are in use.
func (d *demonstration) books(ctx context.Context, h *demo.Historian) error {
	for _, a := range d.accounts {
		if err := d.payPicked(ctx, a, h); err != nil {
			return err
		}
		if len(a.Description.Books()) == 0 {
			continue
		}
		for i, x := range []providers.DestinationForm{providers.OnChainForm(models.Sandbox), bookForm(a.Description)} {
			for k := range 3 {
				if err := d.registered(ctx, a, x, h, i*3+k); err != nil {
					return err
				}
			}
		}
		d.tell(ctx, a, "book", url.Values{"op": {"add-address"}, "network": {"Polygon"}, "address": {"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}, "label": {"Treasury, added by hand"}})
		if err := d.engine.money.ReadBooks(ctx, a.CredentialID); err != nil {
			return err
		}
	}
	return nil
}

func bookForm(d *providers.Description) providers.DestinationForm {
	for _, f := range d.FormsOf(nil) {
		if f.Book != "" {
			return f
		}
	}
	return providers.DestinationForm{}
}

// registered adds one destination by the real way, with its place in the provider's book; the last of each kind waits for approval.
func (d *demonstration) registered(ctx context.Context, a demo.Account, f providers.DestinationForm, h *demo.Historian, n int) error {
	if f.ID == "" {
		return nil
	}
	who := h.Payee(f)
	for name, v := range map[string]string{"network": []string{"Ethereum", "Polygon", "Viction"}[n%3], "bank_country": "SGP", "currency": "USD", "bank_swift": "DBSSSGSG", "bank_name": "DBS Bank", "bank_address": "12 Marina Boulevard, Singapore",
		"beneficiary_address": "7 Temasek Boulevard, Singapore", "bank_city": "Singapore", "intermediary": "", "intermediary_country": ""} {
		if _, ok := who.Values[name]; ok || name != "network" && f.Book != "" {
			who.Values[name] = v
		}
	}
	for _, x := range f.Fields {
		if x.Name == "owner" && who.Values[x.Name] == "" {
			who.Values[x.Name] = who.Name
		}
	}
	if f.Book != "" {
		for name := range who.Values {
			if len(name) > 12 && name[:12] == "intermediary" {
				delete(who.Values, name)
			}
		}
	}
	clean, problems := f.Check(nil, who.Values)
	if len(problems) > 0 {
		return models.Problems(problems)
	}
	book := f.Book
	if book == "" {
		book = models.AddressesBook
	}
	x, err := d.rt.Store.CreateDestination(ctx, d.as("finance"), store.NewDestination{ID: models.NewID(), Environment: models.Sandbox, Spec: f.Spec(clean), Name: who.Name, Purpose: who.Purpose,
		Register: []store.RegisterAt{{CredentialID: a.CredentialID, Provider: a.Description.Name, Book: book}}})
	if err != nil || n%3 == 2 {
		return err
	}
	page, err := d.rt.Store.Destination(ctx, d.as("compliance"), models.Sandbox, x.ID)
	if err != nil {
		return err
	}
	if _, err = d.rt.Store.Decide(ctx, d.as("compliance"), models.Sandbox, page.Request.ID, true, "", page.Request.Digest); err != nil {
		return err
	}
	if page, err = d.rt.Store.Destination(ctx, d.as("compliance"), models.Sandbox, x.ID); err != nil || len(page.Entries) == 0 {
		return err
	}
	if err := d.engine.money.WriteBook(ctx, page.Entries[0].ID); err != nil { // the job does the same; whoever is first does it
		return err
	}
	if n%3 != 1 || f.Book == "" {
		return nil
	}
	for range 200 { // the job may have been first, and is still at it
		if page, err = d.rt.Store.Destination(ctx, d.as("compliance"), models.Sandbox, x.ID); err != nil || page.Entries[0].EntryID != "" || ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if page, err = d.rt.Store.Destination(ctx, d.as("compliance"), models.Sandbox, x.ID); err == nil && page.Entries[0].EntryID != "" { // somebody changes it there
		d.tell(ctx, a, "book", url.Values{"op": {"edit-account"}, "id": {page.Entries[0].EntryID}, "beneficiaryBankAddress": {"1 Raffles Place, Singapore"}})
	}
	return err
}

// payPicked makes payouts to destinations that are in use.
func (d *demonstration) payPicked(ctx context.Context, a demo.Account, h *demo.Historian) error {
	made := 0
	for _, f := range a.Description.FormsOf(nil) {
		m, ok := a.Description.Method(f.Method)
		if !ok || f.Locked != "" || f.Book != "" || made >= 2 {
			continue
		}
		list, err := d.rt.Store.DestinationsFor(ctx, d.as("finance"), models.Sandbox, a.CredentialID, "", []string{f.ID}, nil, "", 60)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.Why != "" || made >= 2 {
				continue
			}
			to, _, err := d.rt.Store.UseDestination(ctx, d.as("finance"), models.Sandbox, x.Destination.ID, a.CredentialID, "")
			if err != nil {
				return err
			}
			n, ok := h.Today(a, m)
			if !ok {
				break
			}
			clean, problems := a.Description.Check(nil, m, n.Amount, to.Values)
			if len(problems) > 0 {
				break
			}
			place := providers.DestinationOf(m, clean)
			if _, err := d.rt.Store.Create(ctx, d.as("finance"), store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: a.CredentialID, Method: m.ID, Amount: n.Amount,
				Party: to.Masked, DestinationID: to.ID, DestinationDigest: place.Digest, Detail: models.TransactionDetail{Values: clean}}); err != nil {
				return err
			}
			made++
			break
		}
	}
	return nil
}
