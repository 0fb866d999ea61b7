package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/web/demo"
)

// furnish fills the empty house: people, stand-ins, credentials, a year of history.
func (d *demonstration) furnish(ctx context.Context, sandboxes map[string]func(providers.SandboxOptions) providers.SandboxHandler) error {
	if err := d.invite(ctx); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	for _, p := range d.rt.Providers.All() {
		if make := sandboxes[p.Description.Name]; make != nil {
			if err := d.account(ctx, p, make); err != nil {
				return fmt.Errorf("%s: %w", p.Description.Title, err)
			}
		}
	}
	if err := d.addresses(ctx); err != nil {
		return fmt.Errorf("addresses: %w", err)
	}
	if err := d.subAccounts(ctx); err != nil {
		return fmt.Errorf("sub-accounts: %w", err)
	}
	if err := d.kyb(ctx); err != nil {
		return fmt.Errorf("KYB: %w", err)
	}
	if err := d.history(ctx); err != nil {
		return err
	}
	return d.destinations(ctx)
}

var cast = []struct {
	key, email, name, does string
	role                   models.Role
}{
	{"admin", "tomas@example.com", "Tomás Vega", "Credentials, people, rules, allowlists.", models.Admin},
	{"finance", "ada@example.com", "Ada Okoye", "Makes payouts and deposits, follows the money.", models.Finance},
	{"finance2", "marta@example.com", "Marta Lind", "The second person: approves what Ada makes.", models.Finance},
	{"finance3", "leo@example.com", "Leo Brandt", "The third in finance: large sums need two besides the maker.", models.Finance},
	{"compliance", "ines@example.com", "Inês Duarte", "Destinations, sub-accounts, KYB, the audit trail.", models.Compliance},
	{"compliance2", "omar@example.com", "Omar Haddad", "The second in compliance: approves what Inês prepares.", models.Compliance},
	{"admin2", "jun@example.com", "Jun Park", "The second admin: agrees to changes of keys, roles and rules.", models.Admin},
	{"auditor", "rhea@example.com", "Rhea Stone", "Reads everything, changes nothing.", models.Auditor},
}

// invite brings the cast in, the first by the set-up link, the others by invitation, each with a second factor of their own.
func (d *demonstration) invite(ctx context.Context) error {
	s := d.rt.Store
	d.people = map[string]models.Actor{}
	from := models.From{IP: "127.0.0.1", Agent: "demonstration"}
	for i, c := range cast {
		password := rand.Text()
		var session string
		var err error
		if i == 0 {
			link, lerr := s.SetupLink(ctx)
			if lerr != nil {
				return lerr
			}
			session, err = s.SetUp(ctx, link, c.email, c.name, password, from)
		} else {
			u, link, _, ierr := s.Invite(ctx, models.Operator(), c.email, c.name, []models.Role{c.role})
			if ierr != nil {
				return ierr
			}
			if err := s.GrantByOperator(ctx, u.ID, []models.Role{c.role}); err != nil {
				return err
			}
			session, err = s.AcceptInvitation(ctx, link, password, from)
		}
		if err != nil {
			return err
		}
		if err := d.enrol(ctx, session, from, c.key); err != nil {
			return err
		}
	}
	for _, key := range []string{"finance", "finance2", "finance3", "compliance", "compliance2", "admin", "admin2", "auditor"} {
		a := d.people[key]
		link, err := s.DemoLink(ctx, a.UserID)
		if err != nil {
			return err
		}
		for _, c := range cast {
			if c.key == key {
				d.links = append(d.links, views.DemoPerson{UserID: a.UserID, Name: a.Name, RoleText: models.RoleText(a.Roles), Does: c.does, Href: "/demo/" + link})
			}
		}
	}
	return nil
}

func (d *demonstration) enrol(ctx context.Context, session string, from models.From, key string) error {
	s := d.rt.Store
	e, err := s.BeginEnrolment(ctx, session)
	if err != nil {
		return err
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(e.Secret, " ", ""), time.Now())
	if err != nil {
		return err
	}
	full, _, err := s.FinishEnrolment(ctx, session, code, from)
	if err != nil {
		return err
	}
	signed, err := s.SessionByToken(ctx, full, from)
	if err != nil {
		return err
	}
	d.people[key] = models.Actor{UserID: signed.User.ID, Name: signed.User.Name, Roles: signed.User.Roles, IP: from.IP}
	return nil
}

// as gives a person of the cast with a second factor that was shown right now.
func (d *demonstration) as(key string) models.Actor {
	a := d.people[key]
	a.StepUp = d.rt.Store.Now()
	return a
}

// account starts a provider's stand-in and brings a credential for it into use.
func (d *demonstration) account(ctx context.Context, p *providers.Provider, make func(providers.SandboxOptions) providers.SandboxHandler) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	spec := models.CredentialSpec{Provider: p.Description.Name, Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: p.Description.Short + cmp.Or(d.suffix, " main")},
		Values: map[string]string{}, Secrets: map[string]string{}, Settings: map[string]string{}}
	for name, v := range p.Description.Demo {
		spec.Settings[name] = v
	}
	all := map[string]string{}
	for _, f := range p.Description.Fields {
		v := demoValue(&p.Description, f, url)
		if v == "" {
			continue
		}
		all[f.Name] = v
		if f.Secret {
			spec.Secrets[f.Name] = v
		} else {
			spec.Values[f.Name] = v
		}
	}
	cred, err := d.rt.Store.CreateCredential(ctx, d.as("admin"), d.rt.Vault, spec)
	if err != nil {
		return err
	}
	if _, err := d.rt.Store.AskChange(ctx, d.as("admin"), models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
		return err
	}
	if d.keys == nil {
		d.keys = map[string]map[string]string{}
	}
	d.keys[cred.ID] = all
	settings := map[string]string{} // what the credential chose, the stand-in plays
	maps.Copy(settings, p.Description.Demo)
	for i, t := range p.Description.Webhooks {
		hook := d.base + "/hooks/" + cred.ID + "/" + t.ID
		settings["webhook_url_"+t.ID] = hook
		if i == 0 {
			settings["webhook_url"] = hook
		}
	}
	box := make(providers.SandboxOptions{Credential: all, Settings: settings, Seed: int64(d.cmd.Seed)}) //nolint:gosec // a seed
	srv := &http.Server{Handler: box, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	d.sandboxes = append(d.sandboxes, standIn{name: p.Description.Name, url: url, stop: func() { _ = srv.Close(); _ = box.Close() }})
	now, err := d.rt.Store.CredentialForTask(ctx, cred.ID)
	if err != nil {
		return err
	}
	d.accounts = append(d.accounts, demo.Account{CredentialID: cred.ID, Version: now.Version, Environment: models.Sandbox, Description: &p.Description})
	return nil
}

// demoValue fills a credential's field: base URLs lead to the stand-in, secrets are made up anew, choices take their default.
func demoValue(p *providers.Description, f providers.Field, url string) string {
	for _, s := range p.Sites {
		if s.Field == f.Name {
			return url + s.Prefix
		}
	}
	switch {
	case f.Default != "":
		return f.Default
	case len(f.Options) > 0:
		return f.Options[0].Value
	case f.Kind == providers.URL:
		return url
	case f.Kind == providers.Digits:
		return "100200300"
	case f.Kind == providers.Email:
		return "merchant@example.com"
	case f.Secret:
		return strings.ToLower(rand.Text()[:24])
	case f.Required || f.Name == "client_id":
		return "merchant-" + strings.ToLower(rand.Text()[:8])
	}
	return ""
}

// history writes the year before today.
func (d *demonstration) history(ctx context.Context) error {
	people := []demo.Person{{ID: d.people["finance3"].UserID, Name: d.people["finance3"].Name}, {ID: d.people["finance"].UserID, Name: d.people["finance"].Name}, {ID: d.people["finance2"].UserID, Name: d.people["finance2"].Name}}
	h := demo.NewHistorian(d.cmd.Seed, d.accounts, people, time.Now(), d.cmd.Transactions)
	_, err := d.rt.Store.Fill(ctx, func() *store.History { return h.Next() }, false)
	return err
}
