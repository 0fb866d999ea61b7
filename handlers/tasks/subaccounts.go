package tasks

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode"

	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// SubAccounts opens sub-accounts at providers and keeps their lists in step. It moves no money, and keeps money's discipline all the same: the
// intent is committed before the first byte, one call per credential is in flight, and a lost answer is settled by the provider's list, never by
// asking for the account again.
type SubAccounts struct {
	Store    *store.Store
	Clients  Clients
	Registry *providers.Registry
	Log      *slog.Logger
	Instance string            // this process; calls of another one are lost when the only process starts
	Step     func(name string) // called at the step boundaries with their names; nil outside the crash harness
	Pause    time.Duration     // between two sweeps; default 2 s

	mu   sync.Mutex
	busy map[string]bool // credentials that this process tends right now
}

const (
	listPages   = 400 // of one reading of a provider's list; more is no complete list
	callsAtOnce = 8   // calls of one credential before others have their turn
)

// Register makes the queue work the wake-ups.
func (t *SubAccounts) Register(q *jobs.Queue) {
	jobs.Handle(q, func(ctx context.Context, j jobs.Job[subAccountsJob]) error { return t.Tend(ctx, j.Args.ID) },
		jobs.HandleOpts{Timeout: 5 * time.Minute, Retry: func(int) time.Duration { return 15 * time.Second }})
}

// Run sweeps until the context ends; see Money.Run for lonely.
func (t *SubAccounts) Run(ctx context.Context, lonely bool) {
	if lonely {
		if n, err := t.Store.LoseSubAccountCalls(ctx, t.Instance); err != nil {
			t.Log.Error("settling the calls that the last process left open failed", "error", err)
		} else if n > 0 {
			t.Log.Warn("the last process left calls for sub-accounts open; the lists are being asked", "calls", n)
		}
	}
	tick := time.NewTicker(cmp.Or(t.Pause, sweepEvery))
	defer tick.Stop()
	for {
		if err := t.Sweep(ctx); err != nil && ctx.Err() == nil {
			t.Log.Error("the sweep of the sub-accounts failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep finds what no job reached: calls whose answer is overdue, and credentials with something to send or a list to read.
func (t *SubAccounts) Sweep(ctx context.Context) error {
	if _, err := t.Store.LoseSubAccountCalls(ctx, ""); err != nil {
		return err
	}
	var names []string
	for _, p := range t.Registry.All() {
		if p.Description.Has(providers.CanOpenSubAccounts) {
			names = append(names, p.Description.Name)
		}
	}
	due, err := t.Store.DueSubAccounts(ctx, names)
	if err != nil {
		return err
	}
	for _, id := range due {
		if err := t.Tend(ctx, id); err != nil && ctx.Err() == nil {
			t.Log.Error("sub-accounts were not tended", "credential", id, "error", err)
		}
	}
	return ctx.Err()
}

// Tend reads a credential's list at the provider, settles what it shows, and sends what waits, one call after the other, each after a reading of
// the list of its own. Running it twice at once sends nothing twice.
func (t *SubAccounts) Tend(ctx context.Context, credentialID string) error {
	if !t.take(credentialID) {
		return nil // this process is at it
	}
	defer t.leave(credentialID)
	client, _, _, err := t.Clients.Client(ctx, credentialID)
	if err != nil {
		return t.hold(ctx, credentialID, sentenceOf(err), err)
	}
	at, ok := client.(providers.SubAccounts)
	if !ok {
		return t.hold(ctx, credentialID, "This provider has no calls for sub-accounts.", nil)
	}
	for range callsAtOnce {
		listing := t.read(ctx, at, credentialID)
		if err := t.Store.RecordSubAccountList(ctx, credentialID, listing); err != nil {
			return fmt.Errorf("record the list: %w", err)
		}
		if !listing.Complete {
			return t.hold(ctx, credentialID, "The provider's list could not be read, and nothing is created without it: "+listing.Problem, nil)
		}
		t.step("account_before_intent")
		call, err := t.Store.BeginSubAccountCall(ctx, credentialID, t.Instance)
		if err != nil || call == nil {
			return ignoreConflict(err)
		}
		t.step("account_after_intent")
		ans := t.open(ctx, at, call)
		t.step("account_after_answer")
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		err = t.Store.RecordSubAccountCall(rctx, call.ID, ans)
		cancel()
		if err != nil {
			return fmt.Errorf("record the answer for sub-accounts: %w", err)
		}
		t.step("account_after_record")
	}
	return nil
}

func (t *SubAccounts) step(name string) {
	if t.Step != nil {
		t.Step(name)
	}
}

func (t *SubAccounts) take(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy[id] {
		return false
	}
	if t.busy == nil {
		t.busy = map[string]bool{}
	}
	t.busy[id] = true
	return true
}

func (t *SubAccounts) leave(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, id)
}

// hold keeps what waits back with a reason, so that the sweep does not come again at once.
func (t *SubAccounts) hold(ctx context.Context, credentialID, why string, cause error) error {
	if cause != nil {
		t.Log.Warn("sub-accounts cannot be tended now", "credential", credentialID, "error", cause)
		if err := t.Store.RecordSubAccountList(ctx, credentialID, models.SubAccountListing{StartedAt: t.Store.Now(), Problem: why}); err != nil {
			return err
		}
	}
	return t.Store.PostponeSubAccounts(ctx, credentialID, why)
}

// read reads the provider's whole list. It is complete only when every page came, and their number stayed the same meanwhile.
func (t *SubAccounts) read(ctx context.Context, at providers.SubAccounts, credentialID string) (l models.SubAccountListing) {
	l.StartedAt = t.Store.Now()
	defer func() {
		if r := recover(); r != nil {
			t.Log.Error("a provider client panicked", "credential", credentialID, "panic", fmt.Sprint(r))
			l.Complete, l.Problem = false, "The program failed while it read the list."
		}
	}()
	ctx, exchanges := WithExchanges(WithSubject(ctx, "sub-accounts", credentialID))
	pages := 1
	for page := 1; page <= pages; page++ {
		pctx, cancel := context.WithTimeout(ctx, callTimeout)
		rows, n, err := at.ListSubAccounts(pctx, page)
		cancel()
		l.ExchangeID = newest(exchanges())
		switch {
		case err != nil:
			l.Problem = sentenceOf(err)
			return l
		case n > listPages:
			l.Problem = fmt.Sprintf("The provider's list has %d pages; %d are read at most.", n, listPages)
			return l
		case page > 1 && n != pages:
			l.Problem = "The provider's list changed while it was being read."
			return l
		}
		pages = n
		for _, r := range rows {
			l.Rows = append(l.Rows, models.ListedSubAccount{ID: r.ID, UserID: r.UserID, Company: r.Company, Country: r.Country, Type: r.Type, State: r.State,
				Username: r.Username, Email: r.Email})
		}
	}
	l.Complete = true
	return l
}

// open makes the one call and turns its outcome into an answer. It never panics past here: a client that does leaves the outcome unknown.
func (t *SubAccounts) open(ctx context.Context, at providers.SubAccounts, call *models.SubAccountCall) (ans models.Answer) {
	defer func() {
		if r := recover(); r != nil {
			t.Log.Error("a provider client panicked", "call", call.ID, "panic", fmt.Sprint(r))
			ans = models.Answer{State: models.AttemptUnknown, Message: "The program failed while it waited for the answer"}
		}
	}()
	// A stop of the program does not cut a call that may already have created something: it has its own time limit.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	cctx, exchanges := WithExchanges(WithSubject(cctx, "sub-accounts", call.CredentialID))
	list := make([]providers.SubAccount, 0, len(call.SubAccounts))
	for _, a := range call.SubAccounts {
		list = append(list, providers.SubAccount{Company: a.Company, Country: a.Country, Type: a.Type, Username: a.Username, Email: a.Email})
	}
	var out providers.Outcome
	if len(list) == 1 {
		out = at.CreateSubAccount(cctx, list[0])
	} else {
		out = at.CreateSubAccounts(cctx, list)
	}
	ans = answerOf(out)
	ans.ExchangeID = newest(exchanges())
	return ans
}

// SubAccountKeys reads the API keys below one sub-account from the provider, at the moment when somebody looks. Nothing of it is stored, and what
// looks like a key is blanked, whatever the provider put into its fields.
func (d *Desk) SubAccountKeys(ctx context.Context, credentialID, theirID string) (out providers.Sheet, err error) {
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return out, err
	}
	at, ok := client.(providers.SubAccounts)
	if !ok {
		return out, models.Errorf(models.Conflict, "%s has no calls for sub-accounts.", p.Description.Short)
	}
	pages := 1
	for page := 1; page <= min(pages, keyPages); page++ {
		sheet, n, err := at.SubAccountKeys(WithSubject(ctx, "sub-accounts", credentialID), page)
		if err != nil {
			return out, err
		}
		pages, out.Columns, out.Note = n, sheet.Columns, sheet.Note
		for _, row := range sheet.Rows {
			if len(row) > 0 && row[0] == theirID {
				for i := range row {
					row[i] = blanked(models.Safe(row[i], 120))
				}
				out.Rows = append(out.Rows, row)
			}
		}
	}
	if pages > keyPages {
		out.Note += fmt.Sprintf(" Only the first %d pages of the provider's list were read.", keyPages)
	}
	return out, nil
}

const keyPages = 20

// blanked hides a cell that looks like a key: a long word of letters and digits. A name or a date has spaces or is short.
func blanked(cell string) string {
	word, letters, digits := 0, false, false
	for _, r := range cell {
		if unicode.IsSpace(r) {
			word, letters, digits = 0, false, false
			continue
		}
		word++
		letters, digits = letters || unicode.IsLetter(r), digits || unicode.IsDigit(r)
		if word >= 20 && letters && digits {
			return "hidden: it looks like a key"
		}
	}
	return cell
}
