package tasks_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
)

func (h *agency) file(specs ...models.SubAccountSpec) *models.SubAccountBatch {
	h.Helper()
	b := models.SubAccountBatch{Environment: models.Sandbox, CredentialID: h.cred.ID, FileName: "companies.csv", FileDigest: "d"}
	for i, x := range specs {
		x.Name = x.Company
		b.Lines = append(b.Lines, models.SubAccountLine{Row: i + 1, Spec: x})
	}
	kept, err := h.store.KeepSubAccountBatch(h.Context(), h.ines, b)
	if err != nil {
		h.Fatal(err)
	}
	if _, err := h.store.StartSubAccountBatch(h.Context(), h.ines, models.Sandbox, kept.ID, true); err != nil {
		h.Fatal(err)
	}
	return h.batch(kept.ID)
}

func (h *agency) batch(id string) *models.SubAccountBatch {
	h.Helper()
	b, err := h.store.SubAccountBatch(h.Context(), h.ines, models.Sandbox, id)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

func TestAFileGoesOutTwentyFiveACallAndALostCallIsSettledRowByRow(t *testing.T) {
	eachAgency(t, func(h *agency) {
		var specs []models.SubAccountSpec
		for n := range 60 {
			specs = append(specs, spec(n))
		}
		h.fault(batchPath, "lose_reply", 1)
		b := h.file(specs...)
		h.work(time.Minute)
		b = h.batch(b.ID)
		if b.Progress[models.SubAccountOpen] != 60 || b.Left() != 0 {
			h.Errorf("the file stands at %v", b.Progress)
		}
		calls := map[string]int{}
		for _, l := range b.Lines {
			calls[h.get(l.SubAccountID).CallID]++
		}
		sizes := map[int]int{}
		for _, n := range calls {
			sizes[n]++
		}
		if sizes[25] != 2 || sizes[10] != 1 {
			h.Errorf("sixty rows went out in calls of %v", sizes)
		}
		if made, err := h.store.StartSubAccountBatch(h.Context(), h.ines, models.Sandbox, b.ID, true); made != 0 || err != nil {
			h.Errorf("starting the file again made %d, %v", made, err)
		}
	})
}

// The provider refuses a call for several because of one of them. Nothing was created, so each is asked for alone, and the bad one is explained.
func TestOneBadRowDoesNotTakeTheOthersWithIt(t *testing.T) {
	eachAgency(t, func(h *agency) {
		first := h.ask(1)
		h.work(0)
		h.want(first.ID, models.SubAccountOpen)
		bad := spec(3)
		bad.Email = spec(1).Email // taken at the provider, which its list does not show
		b := h.file(spec(2), bad, spec(4))
		h.work(time.Minute)
		b = h.batch(b.ID)
		if b.Progress[models.SubAccountOpen] != 2 || b.Progress[models.SubAccountRefused] != 1 {
			h.Fatalf("the file stands at %v", b.Progress)
		}
		if l := b.Lines[1]; l.State != models.SubAccountRefused || !strings.Contains(l.Reason, "taken") {
			h.Errorf("the bad row says %q, %q", l.State, l.Reason)
		}
		n := h.ask(5)
		h.work(0)
		h.want(n.ID, models.SubAccountOpen)
	})
}

func TestWhatTheProviderListsAndNobodyMadeWaitsForReview(t *testing.T) {
	eachAgency(t, func(h *agency) {
		h.atTheProvider(7)
		if err := h.store.AskSubAccounts(h.Context(), h.ines, models.Sandbox, h.cred.ID); err != nil {
			h.Fatal(err)
		}
		h.work(0)
		rows, err := h.store.SubAccounts(h.Context(), h.ines, models.SubAccountFilter{Environment: models.Sandbox, States: []models.SubAccountState{models.SubAccountFound}}, models.Cursor{}, 50)
		if err != nil || len(rows.Rows) != 2 { // the merchant itself, and the new one
			h.Fatalf("found %+v, %v", rows, err)
		}
		_, err = h.store.CreateSubAccount(h.Context(), h.ines, store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: h.cred.ID, Asked: true, Spec: spec(7)})
		if !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), "already") {
			h.Errorf("asking for what the provider lists already: %v", err)
		}
		for _, a := range rows.Rows {
			if strings.HasPrefix(a.Company, "Casa Azul") {
				if err := h.store.AdoptSubAccount(h.Context(), h.ines, models.Sandbox, a.ID, "", "opened on their panel in May"); err != nil {
					h.Fatal(err)
				}
				h.want(a.ID, models.SubAccountOpen)
			} else {
				if err := h.store.IgnoreSubAccount(h.Context(), h.ines, models.Sandbox, a.ID, "it is ourselves"); err != nil {
					h.Fatal(err)
				}
			}
		}
		h.work(2 * time.Hour)
		if found, alerts, err := h.store.SubAccountsWaiting(h.Context(), h.ines, models.Sandbox); found != 0 || alerts != 0 || err != nil {
			h.Errorf("after the review %d found, %d alerts, %v", found, alerts, err)
		}
	})
}

func TestTwoInstancesCreateNothingTwice(t *testing.T) {
	eachAgency(t, func(h *agency) {
		var ids []string
		for n := range 6 {
			ids = append(ids, h.ask(n).ID)
		}
		other := &tasks.SubAccounts{Store: h.store, Clients: h.desk, Registry: h.tend.Registry, Log: h.tend.Log, Instance: "two"}
		var wg sync.WaitGroup
		for _, task := range []*tasks.SubAccounts{h.tend, other, h.tend, other} {
			wg.Go(func() { _ = task.Sweep(h.Context()) })
		}
		wg.Wait()
		h.work(10 * time.Minute)
		for _, id := range ids {
			h.want(id, models.SubAccountOpen)
		}
	})
}

func TestNothingIsCreatedWhileTheListCannotBeReadOrTheCredentialSleeps(t *testing.T) {
	eachAgency(t, func(h *agency) {
		h.fault(listPath, "http_500", 3)
		a := h.ask(1)
		h.work(0)
		if p := h.want(a.ID, models.SubAccountWaiting); !strings.Contains(p.Reason, "list could not be read") {
			h.Errorf("it waits because of %q", p.Reason)
		}
		if n := len(h.executions()); n != 0 {
			h.Errorf("%d things were made without the list", n)
		}
		for range 3 {
			h.work(models.SubAccountsRetry + time.Second)
		}
		h.want(a.ID, models.SubAccountOpen) // as soon as the list can be read again
	})
}

func TestKeysAreListedWithoutTheirSecretsAndNothingOfThemIsKept(t *testing.T) {
	eachAgency(t, func(h *agency) {
		a := h.ask(1)
		h.work(0)
		p := h.want(a.ID, models.SubAccountOpen)
		sheet, err := h.desk.SubAccountKeys(h.Context(), h.cred.ID, p.TheirID)
		if err != nil || len(sheet.Rows) != 1 {
			h.Fatalf("keys: %+v, %v", sheet, err)
		}
		shown := fmt.Sprint(sheet)
		if strings.Contains(shown, "canary") || strings.Contains(shown, "sub-key") || len(sheet.Raw) > 0 {
			h.Errorf("a secret is shown: %s", shown)
		}
		var kept int
		q := "SELECT COUNT(*) FROM exchanges WHERE operation = 'sub-account.keys'"
		if err := h.store.ReadDB().QueryRowContext(h.Context(), q).Scan(&kept); err != nil || kept != 0 {
			h.Errorf("%d answers with keys are kept, %v", kept, err)
		}
	})
}
