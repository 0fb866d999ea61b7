package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/web/demo"
)

// today makes what is open right now: payouts that wait for a second person, some on their way, deposits that wait for their payer, and one
// payout whose answer the stand-in loses. All of it goes through the engine and really happens at the stand-ins.
func (d *demonstration) today(ctx context.Context) error {
	h := demo.NewHistorian(d.cmd.Seed+1, d.accounts, nil, time.Now(), 0)
	d.prove(ctx, h)
	if err := d.openSubAccounts(ctx); err != nil {
		return err
	}
	if err := d.books(ctx, h); err != nil {
		d.rt.Log.Error("the destinations of today", "error", err)
	}
	if err := d.kybToday(ctx); err != nil {
		d.rt.Log.Error("the demonstration's KYB", "error", err)
	}
	for _, a := range d.accounts {
		payouts, deposits := 0, 0
		for _, m := range a.Description.Methods {
			if m.Locked != "" || m.ByAddressBook || ctx.Err() != nil {
				continue
			}
			n, ok := h.Today(a, m)
			if !ok {
				continue
			}
			clean, problems := a.Description.Check(nil, m, n.Amount, n.Values)
			if len(problems) > 0 {
				continue
			}
			switch m.Kind {
			case models.Payout:
				if payouts++; payouts > 5 {
					continue
				}
				if err := d.pay(ctx, a, m, n.Amount, clean, payouts); err != nil {
					return err
				}
			case models.Deposit:
				if deposits++; deposits > 3 {
					continue
				}
				if _, err := d.make(ctx, "finance2", a, m, n.Amount, clean); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// prove tests every credential, so that what hangs on a proof is open, and reads the balances, with sixty days behind them.
func (d *demonstration) prove(ctx context.Context, h *demo.Historian) {
	for _, a := range d.accounts {
		if _, err := d.engine.desk.Check(ctx, d.as("admin"), a.CredentialID, models.SlotCurrent); err != nil {
			d.rt.Log.Error("a demonstration credential was not tested", "provider", a.Description.Name, "error", err)
		}
		if err := d.engine.desk.RefreshBalances(ctx, a.CredentialID); err != nil {
			d.rt.Log.Error("a demonstration balance was not read", "provider", a.Description.Name, "error", err)
		}
	}
	list, _, err := d.rt.Store.Balances(ctx, d.as("finance"), models.Sandbox, 0)
	if err != nil {
		return
	}
	err = d.rt.Store.Update(ctx, func(tx *store.Tx) error {
		for _, b := range list {
			for i, minor := range h.Walk(b.Available.Minor, 60) {
				if err := tx.AddBalancePoint(b.CredentialID, b.Account, b.Asset, b.ReadAt.Add(-time.Duration(i+1)*24*time.Hour), minor); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		d.rt.Log.Error("the balances' past", "error", err)
	}
}

// pay makes one payout; the first of an account waits for approval, the second has its answer lost, the others go their way.
func (d *demonstration) pay(ctx context.Context, a demo.Account, m providers.Method, amount models.Money, values map[string]string, n int) error {
	t, err := d.make(ctx, "finance", a, m, amount, values)
	if err != nil || n == 1 {
		return err
	}
	if n == 2 {
		d.tell(ctx, a, "fault", url.Values{"operation": {"payout"}, "kind": {"lose_reply"}, "times": {"1"}})
	}
	page, err := d.rt.Store.Transaction(ctx, d.as("finance2"), models.Sandbox, t.ID)
	if err != nil {
		return err
	}
	for _, r := range page.Approvals {
		if r.State != "open" || r.Needed > 1 {
			continue
		}
		if _, err := d.rt.Store.Decide(ctx, d.as("finance2"), models.Sandbox, r.ID, true, "", r.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (d *demonstration) make(ctx context.Context, who string, a demo.Account, m providers.Method, amount models.Money, values map[string]string) (*models.Transaction, error) {
	to := providers.DestinationOf(m, values)
	return d.rt.Store.Create(ctx, d.as(who), store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: m.Kind, CredentialID: a.CredentialID, Method: m.ID,
		Amount: amount, Party: to.Masked, DestinationDigest: to.Digest, AccountDigest: to.Account, Detail: models.TransactionDetail{Values: values}})
}

// tell speaks to the controls of an account's stand-in. A stand-in that does not listen spoils nothing.
func (d *demonstration) tell(ctx context.Context, a demo.Account, what string, form url.Values) {
	for _, s := range d.sandboxes {
		if s.name != a.Description.Name {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/_sandbox/"+what, strings.NewReader(form.Encode()))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}
}

// needsMore are pages that make no sense without something chosen first, and files.
var needsMore = map[string]bool{"/people/access/export": true, "/refunds/new": true, "/transactions/export": true, "/exchanges": true, "/credentials/new": true, "/balances/ledger/entries": true, "/destinations/import/template": true, "/destinations/export": true, "/destinations/export/full": true}

// walk signs in as each of the people and opens every page of the route table that they may open and that needs nothing chosen, and one
// transaction. It fails on anything that is not a whole page.
func (d *demonstration) walk(ctx context.Context, app *App) (pages int, err error) {
	for _, person := range d.links {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return pages, err
		}
		client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
		if err := d.visit(ctx, client, person.Href, 60); err != nil {
			return pages, fmt.Errorf("sign in as %s: %w", person.Name, err)
		}
		var actor models.Actor
		for _, a := range d.people {
			if a.UserID == person.UserID {
				actor = a
			}
		}
		for _, r := range app.Routes {
			ours := r.Access == handlers.SignedIn || len(r.Needs()) > 0
			if r.Method != http.MethodGet || strings.Contains(r.Path, ":") || !ours || !r.Admits(actor) || needsMore[r.Path] {
				continue
			}
			if err := d.visit(ctx, client, r.Path, 1); err != nil {
				return pages, fmt.Errorf("as %s: %w", person.Name, err)
			}
			pages++
		}
		for _, q := range []string{"?state=unknown", "?when=30d&kind=payout", "?provider=" + d.accounts[0].Description.Name + "&state=succeeded"} {
			if err := d.visit(ctx, client, "/transactions"+q, 1); err != nil {
				return pages, fmt.Errorf("as %s: %w", person.Name, err)
			}
			pages++
		}
	}
	return pages, nil
}

func (d *demonstration) visit(ctx context.Context, client *http.Client, path string, tries int) error {
	for try := 1; ; try++ {
		err := visitOnce(ctx, client, d.base+path)
		var refused *url.Error
		if err == nil || try >= tries || !errors.As(err, &refused) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func visitOnce(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	path := req.URL.Path
	switch {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answered %d", path, res.StatusCode)
	case !strings.Contains(string(body), "</html>"):
		return fmt.Errorf("%s is not a whole page", path)
	case strings.HasPrefix(res.Request.URL.Path, "/sign-in"):
		return fmt.Errorf("%s led to the sign-in page", path)
	}
	return nil
}
