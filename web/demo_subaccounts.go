package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/web/demo"
)

// demoCompanies are the companies below the merchant in the demonstration: name and country.
var demoCompanies = [][2]string{{"Casa Azul Comércio Ltda", "BRA"}, {"Nordlicht Handels GmbH", "DEU"}, {"Kestrel & Finch Ltd", "GBR"}, {"Harbour Gate Trading", "HKG"},
	{"Sumida Paper Co", "JPN"}, {"Rift Valley Growers", "KEN"}, {"Marina Bay Logistics", "SGP"}, {"Juniper Outfitters Inc", "USA"}, {"Padaria Três Irmãos Ltda", "BRA"},
	{"Werkstatt Süd GmbH", "DEU"}, {"Tidewater Books Ltd", "GBR"}, {"Lantern Street Foods", "HKG"}, {"Kanda Instruments KK", "JPN"}, {"Nairobi Coldstore", "KEN"},
	{"Orchid Print Pte", "SGP"}, {"Bluebonnet Tools LLC", "USA"}, {"Ateliê Maré Ltda", "BRA"}, {"Hanse Kontor Wulff", "DEU"}, {"Pennine Wool Ltd", "GBR"},
	{"Jade Ferry Supplies", "HKG"}, {"Hokuto Ceramics", "JPN"}, {"Mombasa Dhow Freight", "KEN"}, {"Straits Cable Pte", "SGP"}, {"Granite Peak Coffee", "USA"},
	{"Verde Vale Orgânicos", "BRA"}, {"Isar Optik GmbH", "DEU"}, {"Solent Sailcloth Ltd", "GBR"}, {"Peak Tram Textiles", "HKG"}, {"Asagiri Tea", "JPN"}, {"Savanna Solar Works", "KEN"},
	{"Tanjong Glass Pte", "SGP"}, {"Prairie Clock Company", "USA"}, {"Ilha Verde Pescados", "BRA"}, {"Rowan & Reed Ltd", "GBR"}}

// knownClient gives the demonstration's tasks the clients of accounts whose keys it has made itself, before the engine is up.
type knownClient struct {
	d   *demonstration
	all map[string]any
}

func (k knownClient) Client(ctx context.Context, credentialID string) (any, *providers.Provider, models.Credential, error) {
	cred, err := k.d.rt.Store.CredentialForTask(ctx, credentialID)
	if err != nil {
		return nil, nil, cred, err
	}
	p, _ := k.d.rt.Providers.Get(cred.Provider)
	if k.all[credentialID] != nil {
		return k.all[credentialID], p, cred, nil
	}
	secrets := map[string]string{}
	for _, f := range p.Description.Fields {
		if v := k.d.keys[credentialID][f.Name]; f.Secret && v != "" {
			secrets[f.Name] = v
		}
	}
	client, err := p.New(providers.Config{Environment: cred.Environment, Values: cred.Values, Secrets: secrets, Settings: cred.Settings, Clock: time.Now, Log: k.d.rt.Log})
	k.all[credentialID] = client
	return client, p, cred, err
}

// subAccounts opens the demonstration's sub-accounts at the stand-ins through the real task: a file of them, one whose answer is lost and
// settled, one that somebody made at the provider's own panel, and records of our own where a provider has no calls for them. What was opened is
// put back into the year that the history tells of.
func (d *demonstration) subAccounts(ctx context.Context) error {
	k := knownClient{d, map[string]any{}}
	task := &tasks.SubAccounts{Store: d.rt.Store, Clients: k, Registry: d.rt.Providers, Log: d.rt.Log, Instance: "demonstration"}
	var own *demo.Account // the one with the most ways, among those that cannot be asked
	for i := range d.accounts {
		a := &d.accounts[i]
		switch {
		case a.Description.Has(providers.CanOpenSubAccounts):
			if err := d.openCompanies(ctx, task, k, a); err != nil {
				return fmt.Errorf("%s: %w", a.Description.Title, err)
			}
		case own == nil || len(a.Description.Methods) > len(own.Description.Methods):
			own = a
		}
	}
	if own == nil {
		return nil
	}
	return d.ownCompanies(ctx, own)
}

func demoSpec(company, country string) models.SubAccountSpec {
	word := strings.ToLower(strings.Join(strings.FieldsFunc(company, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }), "-"))
	first, _, _ := strings.Cut(company, " ")
	if words := strings.Fields(company); len(words) > 1 {
		first += " " + words[1]
	}
	return models.SubAccountSpec{Name: first, Company: company, Country: country, Type: "4", Email: "finance@" + word + ".example", Username: word}
}

func (d *demonstration) openCompanies(ctx context.Context, task *tasks.SubAccounts, k knownClient, a *demo.Account) error {
	client, _, _, err := k.Client(ctx, a.CredentialID)
	if err != nil {
		return err
	}
	at, ok := client.(providers.SubAccounts)
	if !ok {
		return nil
	}
	s, ines := d.rt.Store, d.as("compliance")
	b := models.SubAccountBatch{Environment: a.Environment, CredentialID: a.CredentialID, FileName: "partners-2026.csv", FileDigest: strings.Repeat("0", 64)}
	for i, c := range demoCompanies[:28] {
		b.Lines = append(b.Lines, models.SubAccountLine{Row: i + 1, Spec: demoSpec(c[0], c[1])})
	}
	b.Lines = append(b.Lines, models.SubAccountLine{Row: 29, Spec: models.SubAccountSpec{Company: "Fernglas & Söhne", Country: "GER", Type: "4", Email: "buero@fernglas.example", Username: "fernglas"},
		Problem: "The country GER is not on " + a.Description.Short + "'s list."})
	kept, err := s.KeepSubAccountBatch(ctx, ines, b)
	if err != nil {
		return err
	}
	if _, err := s.StartSubAccountBatch(ctx, ines, a.Environment, kept.ID, true); err != nil {
		return err
	}
	if err := task.Tend(ctx, a.CredentialID); err != nil {
		return err
	}
	if err := d.lostAndFound(ctx, task, at, a); err != nil {
		return err
	}
	return d.backdate(ctx, a)
}

// lostAndFound makes the accounts with a story: two whose answers the stand-in loses, one made behind our back, and the merchant's own entry.
func (d *demonstration) lostAndFound(ctx context.Context, task *tasks.SubAccounts, at providers.SubAccounts, a *demo.Account) error {
	s, ines := d.rt.Store, d.as("compliance")
	d.tell(ctx, *a, "fault", url.Values{"operation": {"sub-account"}, "kind": {"lose_reply"}, "times": {"1"}})
	for _, c := range demoCompanies[28:30] {
		if _, err := s.CreateSubAccount(ctx, ines, store.NewSubAccount{ID: models.NewID(), Environment: a.Environment, CredentialID: a.CredentialID, Asked: true, Spec: demoSpec(c[0], c[1])}); err != nil {
			return err
		}
	}
	if err := task.Tend(ctx, a.CredentialID); err != nil {
		return err
	}
	list, err := s.SubAccounts(ctx, ines, models.SubAccountFilter{Environment: a.Environment, States: []models.SubAccountState{models.SubAccountFound}}, models.Cursor{}, 50)
	if err != nil {
		return err
	}
	for _, x := range list.Rows {
		if err := s.IgnoreSubAccount(ctx, ines, a.Environment, x.ID, "It is our own account, not a sub-account."); err != nil {
			return err
		}
	}
	panel := demoSpec(demoCompanies[30][0], demoCompanies[30][1])
	at.CreateSubAccount(ctx, providers.SubAccount{Company: panel.Company, Country: panel.Country, Type: panel.Type, Email: panel.Email, Username: panel.Username})
	return task.Tend(ctx, a.CredentialID)
}

// ownCompanies keeps records of our own at a provider that cannot be asked.
func (d *demonstration) ownCompanies(ctx context.Context, a *demo.Account) error {
	for _, name := range []string{"Loja Matriz", "Loja Norte", "Loja Online", "Franquia Recife", "Franquia Curitiba", "Quiosque Aeroporto"} {
		if _, err := d.rt.Store.CreateSubAccount(ctx, d.as("compliance"), store.NewSubAccount{ID: models.NewID(), Environment: a.Environment, CredentialID: a.CredentialID,
			Spec: models.SubAccountSpec{Name: name, Company: name + " Ltda", Country: "BRA"}}); err != nil {
			return err
		}
	}
	return d.backdate(ctx, a)
}

// backdate puts what was opened into the past year, the first first, and tells the history of it.
func (d *demonstration) backdate(ctx context.Context, a *demo.Account) error {
	s := d.rt.Store
	list, err := s.SubAccounts(ctx, d.as("compliance"), models.SubAccountFilter{Environment: a.Environment, Provider: a.Description.Name}, models.Cursor{}, 200)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *store.Tx) error {
		a.Subs = nil
		for i := range list.Rows {
			x := &list.Rows[len(list.Rows)-1-i] // oldest first
			if !x.State.Usable() {
				continue
			}
			back := int64(360-i*340/len(list.Rows)) * 24 * int64(time.Hour/time.Microsecond)
			if err := tx.Exec("UPDATE sub_accounts SET created_us = created_us - ?, opened_us = CASE WHEN opened_us = 0 THEN 0 ELSE opened_us - ? END WHERE id = ?", back, back, x.ID); err != nil {
				return err
			}
			if err := tx.Exec("UPDATE sub_account_events SET at_us = at_us - ? WHERE sub_account_id = ?", back, x.ID); err != nil {
				return err
			}
			a.Subs = append(a.Subs, demo.Sub{ID: x.ID, From: x.CreatedAt - models.Micros(back)})
		}
		return nil
	})
}

// openSubAccounts makes what is under way right now, once the engine is up: a file whose rows wait because the stand-in did not show its list for
// a moment, and a file that was checked and not started.
func (d *demonstration) openSubAccounts(ctx context.Context) error {
	s, ines := d.rt.Store, d.as("compliance")
	for _, a := range d.accounts {
		if !a.Description.Has(providers.CanOpenSubAccounts) {
			continue
		}
		waits := models.SubAccountBatch{Environment: a.Environment, CredentialID: a.CredentialID, FileName: "partners-november.csv", FileDigest: strings.Repeat("1", 64)}
		for i, c := range demoCompanies[31:] {
			waits.Lines = append(waits.Lines, models.SubAccountLine{Row: i + 1, Spec: demoSpec(c[0], c[1])})
		}
		kept, err := s.KeepSubAccountBatch(ctx, ines, waits)
		if err != nil {
			return err
		}
		d.tell(ctx, a, "fault", url.Values{"operation": {"sub-account-list"}, "kind": {"http_500"}, "times": {"1"}})
		if _, err := s.StartSubAccountBatch(ctx, ines, a.Environment, kept.ID, true); err != nil {
			return err
		}
		checked := models.SubAccountBatch{Environment: a.Environment, CredentialID: a.CredentialID, FileName: "partners-december.csv", FileDigest: strings.Repeat("2", 64)}
		for i, name := range []string{"Aurora Spiele GmbH", "Bergquell AG", "Citrus Coast Ltd", "Delta Rowing Club", "Echo Studios Pte"} {
			checked.Lines = append(checked.Lines, models.SubAccountLine{Row: i + 1, Spec: demoSpec(name, []string{"DEU", "DEU", "GBR", "GBR", "SGP"}[i])})
		}
		checked.Lines = append(checked.Lines, models.SubAccountLine{Row: 6, Spec: models.SubAccountSpec{Company: "Foxglove Paper", Country: "GBR", Type: "4", Email: "foxglove.example", Username: "foxglove"},
			Problem: "This is no e-mail address."})
		if _, err := s.KeepSubAccountBatch(ctx, ines, checked); err != nil {
			return err
		}
	}
	return nil
}
