package handlers

import (
	"context"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// choices lists the active credentials of the environment with their ways for a kind.
func (h *Make) choices(c *Ctx, k models.Kind, only string, sub models.Working) ([]views.MakeChoice, error) {
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return nil, err
	}
	var out []views.MakeChoice
	for _, n := range names {
		prov, ok := h.Providers.Get(n.Provider)
		if !ok || n.State != string(models.CredentialActive) || (only != "" && n.ID != only) || (sub.ID != "" && n.Provider != sub.Provider) {
			continue
		}
		cred, err := h.Store.CredentialForTask(c.Context(), n.ID)
		if err != nil {
			return nil, err
		}
		settings, err := h.Ask.Settings(c.Context(), cred)
		if err != nil {
			return nil, err
		}
		ch := views.MakeChoice{Credential: views.CredentialChoice{ID: n.ID, Name: n.Name, Provider: n.Provider, Short: prov.Description.Short}}
		for _, m := range prov.Description.MethodsWith(settings) {
			if m.Kind == k {
				ch.Methods = append(ch.Methods, views.MakeMethod{Method: m, Why: lockedWhy(&prov.Description, m, cred, settings)})
			}
		}
		if len(ch.Methods) > 0 {
			out = append(out, ch)
		}
	}
	return out, nil
}

// lockedWhy says why a way may not be used with a credential; empty if it may.
func lockedWhy(d *providers.Description, m providers.Method, cred models.Credential, settings map[string]string) string {
	if m.Locked != "" {
		return m.Locked
	}
	if cred.Environment == models.Live && m.LockedLive != "" {
		for _, it := range m.Items {
			if settings["confirmed:"+it] != "1" {
				return m.LockedLive + " Two admins unlock it on the contract check page (" + it + ")."
			}
		}
	}
	if d.Locks == nil {
		return ""
	}
	for _, l := range d.Locks(cred.Environment, cred.Values, settings) {
		if !l.Warning && (l.Operation == m.ID || l.Operation == string(capabilityOf(m.Kind))) {
			return l.Reason
		}
	}
	return ""
}

func capabilityOf(k models.Kind) providers.Capability {
	return map[models.Kind]providers.Capability{models.Payout: providers.CanSendPayouts, models.Deposit: providers.CanCreateDeposits, models.Refund: providers.CanRefund,
		models.Conversion: providers.CanConvert, models.Transfer: providers.CanTransfer, models.Order: providers.CanOrder}[k]
}

// lookups asks the provider for the choices of fields that name one; a provider that does not answer leaves the field to be typed.
func (h *Make) lookups(c *Ctx, p views.MakeParams) map[string][]ui.Option {
	out := map[string][]ui.Option{}
	ctx, cancel := context.WithTimeout(c.Context(), 8*time.Second)
	defer cancel()
	for _, f := range p.Method.Fields {
		if f.Lookup == "" {
			continue
		}
		sheet, err := h.Ask.LookUp(ctx, p.Credential.ID, f.Lookup, nil)
		if err != nil {
			continue
		}
		for _, row := range sheet.Rows {
			if len(row) >= 2 && len(out[f.Name]) < 500 {
				out[f.Name] = append(out[f.Name], ui.Option{Value: row[0], Label: strings.Join(row[1:min(len(row), 4)], ", "), Selected: row[0] == p.Form.Values[f.Name]})
			}
		}
	}
	return out
}
