package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// agency is a store with people and one active credential.
type agency struct {
	*house
	cred models.Credential
}

func eachAgency(t *testing.T, test func(t *testing.T, h *agency)) {
	t.Helper()
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.ada.Actor(h.Store)
		cred, err := h.CreateCredential(t.Context(), ada, storetest.Vault(t), models.CredentialSpec{Provider: "agency", Environment: models.Sandbox,
			CredentialNotes: models.CredentialNotes{Name: "Agency"}, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"key": "secret-0123456"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.AskChange(t.Context(), ada, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version); err != nil {
			t.Fatal(err)
		}
		test(t, &agency{h, cred})
	})
}

func companySpec(n int) models.SubAccountSpec {
	return models.SubAccountSpec{Company: fmt.Sprintf("Casa Azul %d", n), Country: "BRA", Type: "4", Email: fmt.Sprintf("a%d@casa.example", n), Username: fmt.Sprintf("casa-%d", n)}
}

func (h *agency) open(t *testing.T, n int) *models.SubAccount {
	t.Helper()
	a, err := h.CreateSubAccount(t.Context(), h.compton.Actor(h.Store), store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Spec: companySpec(n)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestASubAccountIsWrittenDownOnceByComplianceOnly(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		comp := h.compton.Actor(h.Store)
		n := store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Asked: true, Spec: companySpec(1)}
		for _, p := range []storetest.Person{h.ada, h.fina} {
			_, err := h.CreateSubAccount(t.Context(), p.Actor(h.Store), n)
			wantCode(t, "creating as "+p.Name, err, models.Forbidden)
		}
		first, err := h.CreateSubAccount(t.Context(), comp, n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.CreateSubAccount(t.Context(), comp, n)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first, again); d != "" {
			t.Errorf("the same form twice (-first +second):\n%s", d)
		}
		n.ID = models.NewID()
		n.Spec.Username = "CASA-1"
		_, err = h.CreateSubAccount(t.Context(), comp, n)
		wantCode(t, "a username that is asked for already, in capitals", err, models.Invalid)
		n.Environment = models.Live
		_, err = h.CreateSubAccount(t.Context(), comp, n)
		wantCode(t, "a credential of the other environment", err, models.Invalid)
		if _, err := h.SubAccount(t.Context(), comp, models.Live, first.ID); !models.Is(err, models.NotFound) {
			t.Errorf("seen from live: %v", err)
		}
		audit, err := h.AuditList(t.Context(), comp, models.AuditFilter{Noun: "sub_account", NounID: first.ID})
		if err != nil || len(audit) != 1 || audit[0].Action != "sub_account.create" {
			t.Errorf("the trail: %+v, %v", audit, err)
		}
	})
}

func TestPeopleWorkInOneSubAccountPerEnvironmentAndStayThere(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		a, fina := h.open(t, 1), h.fina.Actor(h.Store)
		w, err := h.WorkIn(t.Context(), fina, models.Sandbox, a.ID)
		want := models.Working{ID: a.ID, Name: "Casa Azul 1", Company: "Casa Azul 1", Provider: "agency"}
		if err != nil || w != want {
			t.Fatalf("working in %+v, %v", w, err)
		}
		signed := func(p storetest.Person) models.Working {
			t.Helper()
			sg, err := h.SessionByToken(t.Context(), p.Token, storetest.Here)
			if err != nil {
				t.Fatal(err)
			}
			return sg.Working
		}
		if got := signed(h.fina); got != want {
			t.Errorf("the session says %+v", got)
		}
		if got := signed(h.ada); got != (models.Working{}) {
			t.Errorf("somebody else works in %+v", got)
		}
		sg, err := h.SessionByToken(t.Context(), h.fina.Token, storetest.Here)
		if err != nil {
			t.Fatal(err)
		}
		in := sg.Actor(storetest.Here.IP)
		if err := h.SwitchEnvironment(t.Context(), in, models.Live); err != nil {
			t.Fatal(err)
		}
		if got := signed(h.fina); got != (models.Working{}) {
			t.Errorf("in live one works in %+v", got)
		}
		_, err = h.WorkIn(t.Context(), in, models.Live, a.ID)
		wantCode(t, "working in live in a sub-account of the sandbox", err, models.NotFound)
		if err := h.SwitchEnvironment(t.Context(), in, models.Sandbox); err != nil {
			t.Fatal(err)
		}
		if got := signed(h.fina); got != want {
			t.Errorf("back in the sandbox one works in %+v", got)
		}
		if _, err := h.WorkIn(t.Context(), fina, models.Sandbox, ""); err != nil {
			t.Fatal(err)
		}
		if got := signed(h.fina); got != (models.Working{}) {
			t.Errorf("after switching to all one works in %+v", got)
		}
		asked, err := h.CreateSubAccount(t.Context(), h.compton.Actor(h.Store), store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Asked: true, Spec: companySpec(2)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.WorkIn(t.Context(), fina, models.Sandbox, asked.ID)
		wantCode(t, "working in what is not open yet", err, models.Conflict)
	})
}

func TestATransactionIsMadeForASubAccountOfItsOwnProviderOnly(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		a, fina := h.open(t, 1), h.fina.Actor(h.Store)
		n := store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Deposit, CredentialID: h.cred.ID, Method: "m",
			Amount: models.Money{Minor: 500, Asset: "USD"}, SubAccount: a.ID}
		made, err := h.Create(t.Context(), fina, n)
		if err != nil || made.SubAccount != a.ID {
			t.Fatalf("made %+v, %v", made, err)
		}
		totals, err := h.Totals(t.Context(), fina, models.Filter{Environment: models.Sandbox, SubAccount: a.ID})
		want := &store.Totals{Count: 1, In: []models.Money{{Minor: 500, Asset: "USD"}}, Out: []models.Money{}}
		if d := cmp.Diff(want, totals); err != nil || d != "" {
			t.Errorf("totals of the sub-account (-want +got), %v:\n%s", err, d)
		}
		n.ID, n.SubAccount = models.NewID(), models.NewID()
		_, err = h.Create(t.Context(), fina, n)
		wantCode(t, "a sub-account that is not there", err, models.Conflict)
		if err := h.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Exec("UPDATE sub_accounts SET provider = 'other' WHERE id = ?", a.ID)
		}); err != nil {
			t.Fatal(err)
		}
		n.ID, n.SubAccount = models.NewID(), a.ID
		_, err = h.Create(t.Context(), fina, n)
		wantCode(t, "a sub-account at another provider", err, models.Conflict)
	})
}

// The maintained totals of sub-accounts are those of their rows, whatever happened to them.
func TestTheTotalsOfSubAccountsAreThoseOfTheirRows(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		a, b, fina := h.open(t, 1), h.open(t, 2), h.fina.Actor(h.Store)
		for i, sub := range []string{a.ID, b.ID, "", a.ID} {
			if _, err := h.Create(t.Context(), fina, store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Deposit, CredentialID: h.cred.ID, Method: "m",
				Amount: models.Money{Minor: int64(100 * (i + 1)), Asset: "USD"}, SubAccount: sub}); err != nil {
				t.Fatal(err)
			}
			h.clock.Advance(30 * time.Hour)
		}
		page, err := h.List(t.Context(), fina, models.Filter{Environment: models.Sandbox, SubAccount: a.ID}, models.Cursor{}, 10)
		if err != nil || len(page.Rows) != 2 {
			t.Fatalf("%+v, %v", page, err)
		}
		if err := h.Withdraw(t.Context(), fina, models.Sandbox, page.Rows[0].ID); err != nil {
			t.Fatal(err)
		}
		kept := h.lines(t, "SELECT sub_account || ' ' || day || ' ' || state || ' ' || n || ' ' || minor FROM sub_account_totals WHERE n <> 0 AND day >= 0 AND day < 1000000")
		counted := h.lines(t, "SELECT sub_account || ' ' || (created_us / 86400000000) || ' ' || state || ' ' || COUNT(*) || ' ' || SUM(minor) FROM transactions WHERE sub_account <> '' GROUP BY sub_account, created_us / 86400000000, state")
		if d := cmp.Diff(counted, kept); d != "" || len(kept) != 3 {
			t.Errorf("kept (-counted +kept):\n%s", d)
		}
		for _, table := range []string{"transaction_totals", "sub_account_totals"} { // each span as if it were counted now
			every := "SELECT day || ' ' || kind || ' ' || state || ' ' || n || ' ' || minor FROM " + table + " WHERE n <> 0"
			grown := h.lines(t, every)
			if err := h.Recount(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(h.lines(t, every), grown); d != "" {
				t.Errorf("%s (-counted +kept):\n%s", table, d)
			}
		}
	})
}

func (h *agency) lines(t *testing.T, query string) (out []string) {
	t.Helper()
	err := h.View(t.Context(), func(tx *store.Tx) error {
		return tx.Each(func(r *sql.Rows) error {
			var s string
			err := r.Scan(&s)
			out = append(out, s)
			return err
		}, query+" ORDER BY 1")
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The list of sub-accounts pages by key, forth and back, and finds by the beginning of a name.
func TestSubAccountsArePagedAndFound(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		var want []string
		for n := range 25 {
			want = append([]string{h.open(t, n).ID}, want...)
			h.clock.Advance(time.Second)
		}
		reader := h.fina.Actor(h.Store)
		f := models.SubAccountFilter{Environment: models.Sandbox}
		var got []string
		var last *store.SubAccountRows
		for c := (models.Cursor{}); ; {
			page, err := h.SubAccounts(t.Context(), reader, f, c, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page.Rows {
				got = append(got, a.ID)
			}
			last = page
			if c = page.Older; c.At == 0 {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("forth (-want +got):\n%s", d)
		}
		back, err := h.SubAccounts(t.Context(), reader, f, last.Newer, 10)
		if err != nil || len(back.Rows) != 10 || back.Rows[9].ID != want[19] {
			t.Errorf("back: %+v, %v", back, err)
		}
		for search, n := range map[string]int{"casa azul 2": 6, "CASA  Azul 24": 1, "casa-7": 1, "azul": 0, "casa%": 0, "'; DROP TABLE sub_accounts": 0} {
			f.Search = search
			page, err := h.SubAccounts(t.Context(), reader, f, models.Cursor{}, 50)
			if err != nil || len(page.Rows) != n {
				t.Errorf("%q finds %d (%v), want %d", search, len(page.Rows), err, n)
			}
		}
	})
}

// A provider's list may hold anything. It becomes text that can be shown, once per id, and never a match that it is not.
func TestAHostileListBecomesRowsToReviewAndNothingElse(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		ctx, comp := t.Context(), h.compton.Actor(h.Store)
		asked, err := h.CreateSubAccount(ctx, comp, store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Asked: true, Spec: companySpec(1)})
		if err != nil {
			t.Fatal(err)
		}
		h.list(ctx, t)
		call, err := h.BeginSubAccountCall(ctx, h.cred.ID, "one")
		if err != nil || call == nil {
			t.Fatalf("%v, %v", call, err)
		}
		if err := h.RecordSubAccountCall(ctx, call.ID, models.Answer{State: models.AttemptUnknown, Message: "cut"}); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Second)
		h.list(ctx, t, models.ListedSubAccount{ID: "9", Company: "<script>alert(1)</script>\u202e\x00", Username: strings.Repeat("x", 5000), Country: "not a country"},
			models.ListedSubAccount{ID: "9", Company: "the same id again"}, models.ListedSubAccount{ID: ""},
			models.ListedSubAccount{ID: "10", Username: "casa-1", Company: "Somebody Else", Country: "BRA"},
			models.ListedSubAccount{ID: "11", Username: "other", Company: "Casa Azul 1", Country: "BRA"})
		a, err := h.SubAccount(ctx, comp, models.Sandbox, asked.ID)
		if err != nil || a.State != models.SubAccountUnknown {
			t.Fatalf("a row of another company was taken for ours: %+v, %v", a, err)
		}
		page, err := h.SubAccounts(ctx, comp, models.SubAccountFilter{Environment: models.Sandbox, States: []models.SubAccountState{models.SubAccountFound}}, models.Cursor{}, 50)
		if err != nil || len(page.Rows) != 3 {
			t.Fatalf("%d rows to review, %v", len(page.Rows), err)
		}
		if len(a.Twins) != 2 {
			t.Errorf("%d of them are shown as what it could be", len(a.Twins))
		}
		h.list(ctx, t, models.ListedSubAccount{ID: "12", Username: "Casa-1", Company: "casa  azul 1", Country: "BRA", State: "Pending KYC"},
			models.ListedSubAccount{ID: "13", Username: "casa-1", Company: "Casa Azul 1", Country: "BRA"})
		a, err = h.SubAccount(ctx, comp, models.Sandbox, asked.ID)
		if err != nil || a.State != models.SubAccountOpen || a.TheirID != "12" {
			t.Fatalf("the right row was not taken: %+v, %v", a.SubAccount, err)
		}
		page, err = h.SubAccounts(ctx, comp, models.SubAccountFilter{Environment: models.Sandbox, Search: "13"}, models.Cursor{}, 50)
		if err != nil || len(page.Rows) != 1 || !strings.Contains(page.Rows[0].Alert, "second account") {
			t.Errorf("a second one under the same username: %+v, %v", page.Rows, err)
		}
		h.list(ctx, t)
		h.list(ctx, t)
		if a, err = h.SubAccount(ctx, comp, models.Sandbox, asked.ID); err != nil || a.State != models.SubAccountOpen || !strings.Contains(a.Alert, "no longer shows") {
			t.Errorf("an open account that vanished from two lists: %+v, %v", a.SubAccount, err)
		}
	})
}

func (h *agency) list(ctx context.Context, t *testing.T, rows ...models.ListedSubAccount) {
	t.Helper()
	if err := h.RecordSubAccountList(ctx, h.cred.ID, models.SubAccountListing{StartedAt: h.Now(), Complete: true, Rows: rows}); err != nil {
		t.Fatal(err)
	}
}

// What provably never left waits until the way is free, however long that takes; it is never called refused.
func TestWhatNeverLeftIsTriedAgainAndSomebodyIsTold(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		ctx, comp := t.Context(), h.compton.Actor(h.Store)
		asked, err := h.CreateSubAccount(ctx, comp, store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Asked: true, Spec: companySpec(1)})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 8 {
			h.list(ctx, t)
			call, err := h.BeginSubAccountCall(ctx, h.cred.ID, "one")
			if err != nil || call == nil {
				t.Fatalf("try %d: %v, %v", n, call, err)
			}
			if err := h.RecordSubAccountCall(ctx, call.ID, models.Answer{State: models.AttemptNotSent, Message: "The way is closed", Retryable: true}); err != nil {
				t.Fatal(err)
			}
			a, err := h.SubAccountForTask(ctx, asked.ID)
			if err != nil || a.State != models.SubAccountWaiting || (a.Alert != "") != (n+1 >= models.SubAccountNotSent) {
				t.Fatalf("after try %d: %+v, %v", n+1, a, err)
			}
			if again, err := h.BeginSubAccountCall(ctx, h.cred.ID, "one"); again != nil || err != nil {
				t.Errorf("it was tried again at once: %v, %v", again, err)
			}
			h.clock.Advance(15 * time.Minute)
		}
	})
}
