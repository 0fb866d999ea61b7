package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"text/tabwriter"

	"countinghouse/models"
	"countinghouse/providers"
)

// DoctorProvider prints the contract check of every credential at one provider: each item with its mark, its setting, and what was seen of it.
// With run it makes the provider's harmless calls first and keeps what they show, as the button on the page does.
func DoctorProvider(e *Env, name string, run bool) error {
	p, ok := e.Providers.Get(name)
	if !ok {
		var known []string
		for _, x := range e.Providers.All() {
			known = append(known, x.Description.Name)
		}
		return configErrorf("There is no provider %q; this program has %v.", name, known)
	}
	if e.Config.Database == "" {
		if _, err := os.Stat(e.Config.databasePath()); errors.Is(err, fs.ErrNotExist) {
			return configErrorf("There is no database at %s yet, so there are no credentials to look at.", e.Config.databasePath())
		}
	}
	return with(e, e.Config, e.Log, func(rt *Runtime) error {
		rt.Providers = e.Providers
		return rt.contractCheck(e, p, run, e.Out)
	})
}

// doctorActor is the command line, looking at keys.
func doctorActor() models.Actor {
	a := models.Operator()
	a.Extra = append(slices.Clip(a.Extra), models.CredentialsRead, models.CredentialsManage)
	return a
}

func (rt *Runtime) contractCheck(ctx context.Context, p *providers.Provider, run bool, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	found := 0
	for _, env := range []models.Environment{models.Sandbox, models.Live} {
		list, err := rt.Store.Credentials(ctx, doctorActor(), env)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Provider != p.Description.Name || c.State == models.CredentialRevoked {
				continue
			}
			found++
			_, _ = fmt.Fprintf(w, "%s, %s (%s)\n", c.Name, c.Environment, c.State)
			if run {
				if err := rt.runCheck(ctx, c, w); err != nil {
					return err
				}
			}
			if err := rt.printItems(ctx, &p.Description, c, w); err != nil {
				return err
			}
		}
	}
	if found == 0 {
		_, _ = fmt.Fprintf(w, "No keys of %s are kept here.\n", p.Description.Title)
	}
	return w.Flush()
}

// runCheck makes the harmless calls with an engine of its own, which sends nothing else.
func (rt *Runtime) runCheck(ctx context.Context, c models.Credential, w io.Writer) error {
	e, err := NewEngine(ctx, rt)
	if err != nil {
		return err
	}
	defer e.recorder.Close()
	defer e.desk.Close()
	defer e.inbox.Close()
	got, err := e.desk.Check(ctx, doctorActor(), c.ID, models.SlotCurrent)
	if models.Is(err, models.Invalid) || models.Is(err, models.Conflict) || models.Is(err, models.Unavailable) {
		_, _ = fmt.Fprintf(w, "  not tested: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, r := range got.Results {
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\n", r.Title, r.Verdict, r.Sentence)
	}
	return nil
}

func (rt *Runtime) printItems(ctx context.Context, d *providers.Description, c models.Credential, w io.Writer) error {
	standings, err := rt.Store.Standings(ctx, doctorActor(), c)
	if err != nil {
		return err
	}
	for _, it := range d.Items {
		setting := ""
		for _, s := range d.Settings {
			if s.Name == it.Setting {
				if setting = c.Settings[s.Name]; setting == "" {
					setting = s.Default
				}
				if len(setting) > 40 {
					setting = fmt.Sprintf("(%d characters)", len(setting))
				}
				setting = s.Name + "=" + setting
			}
		}
		st := standings[it.ID]
		seen := "nothing seen"
		if st.Latest != nil {
			seen = string(st.Latest.Verdict) + " " + st.Latest.ExchangeID + st.Latest.DeliveryID
		} else if st.Stale {
			seen = "seen with other settings"
		}
		if n := len(st.Confirmations); n > 0 {
			seen += fmt.Sprintf(", confirmed by %d", n)
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", it.ID, it.Mark, setting, seen)
	}
	if d.Locks != nil {
		for _, l := range d.Locks(c.Environment, c.Values, providers.WithProven(d, c, standings)) {
			_, _ = fmt.Fprintf(w, "  locked: %s\t\t\t%s (%v)\n", l.Operation, l.Reason, l.Items)
		}
	}
	return nil
}
