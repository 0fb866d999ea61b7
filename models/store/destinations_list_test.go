package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestAnImportIsAddedWholeOrNotAtAllAndApprovedTogether(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		rows := []store.ImportRow{}
		for i := range 5 {
			rows = append(rows, store.ImportRow{Line: i + 2, Spec: account(fmt.Sprintf("55500000%02d", i)), Name: fmt.Sprint("Supplier ", i), Purpose: "Packaging"})
		}
		twice := append(append([]store.ImportRow{}, rows...), store.ImportRow{Line: 7, Spec: account("5550000002"), Name: "Again", Purpose: "x"})
		same, err := h.SameAsStored(t.Context(), h.fay, models.Live, twice)
		if diff := cmp.Diff(map[int]string{5: "The same destination stands in line 4 of this file."}, same); diff != "" || err != nil {
			t.Errorf("what is the same: %v\n%s", err, diff)
		}
		id, err := h.KeepImport(t.Context(), h.fay, models.Live, "suppliers.csv", rows, []string{"name", "account"}, []store.RefusedRow{{Line: 9, Cells: []string{"Nobody", "12"}, Why: []string{"account: too short"}}})
		if err != nil {
			t.Fatal(err)
		}
		refused := func(who models.Actor) ([]store.RefusedRow, error) {
			_, header, rows, err := h.RefusedRows(t.Context(), who, models.Live, id)
			if err == nil && len(header) != 2 {
				t.Errorf("the header is %v", header)
			}
			return rows, err
		}
		if rows, err := refused(h.fay); err != nil || len(rows) != 1 || rows[0].Cells[1] != "12" {
			t.Errorf("the refused rows: %+v, %v", rows, err)
		}
		if _, err := refused(h.gil); !models.Is(err, models.NotFound) {
			t.Errorf("somebody else reads the refused rows: %v", err)
		}
		if _, err := h.AddImport(t.Context(), h.gil, models.Live, id, nil); !models.Is(err, models.NotFound) {
			t.Errorf("somebody else added it: %v", err)
		}
		stranger := h.add(t, models.Live, "In between", account("5550000003"))
		if _, err := h.AddImport(t.Context(), h.fay, models.Live, id, nil); !models.Is(err, models.Invalid) {
			t.Errorf("a row that came meanwhile: %v", err)
		}
		if list, err := h.DestinationsOfImport(t.Context(), h.fay, id); err != nil || len(list) != 0 {
			t.Fatalf("half of it was written: %d, %v", len(list), err)
		}
		if err := h.RevokeDestination(t.Context(), h.fay, models.Live, stranger.ID, "a mistake"); err != nil {
			t.Fatal(err)
		}
		if n, err := h.AddImport(t.Context(), h.fay, models.Live, id, nil); err != nil || n != 5 {
			t.Fatalf("%d added: %v", n, err)
		}
		if rows, err := refused(h.fay); err != nil || len(rows) != 1 {
			t.Errorf("the refused rows after the others were added: %+v, %v", rows, err)
		}
		if _, err := h.AddImport(t.Context(), h.fay, models.Live, id, nil); !models.Is(err, models.Conflict) {
			t.Errorf("added twice: %v", err)
		}
		list, err := h.DestinationsOfImport(t.Context(), h.ines, id)
		if err != nil || len(list) != 5 {
			t.Fatal(len(list), err)
		}
		stale := h.page(t, &list[0]).Request
		if err := h.RevokeDestination(t.Context(), h.fay, models.Live, list[4].ID, "not this one"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Decide(t.Context(), h.now(h.ines), models.Live, stale.ID, true, "", stale.Digest); err == nil {
			t.Error("what was agreed to is not what was shown")
		}
		if err := h.decide(t, h.ines, &list[0], true); err != nil {
			t.Fatal(err)
		}
		for i, want := range []models.DestinationState{models.DestinationCooling, models.DestinationCooling, models.DestinationCooling, models.DestinationCooling, models.DestinationRevoked} {
			h.is(t, &list[i], want)
		}
	})
}

func TestNobodyDecidedInTimeEndsADestination(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		d := h.add(t, models.Live, "Landlord", account("9988776655"))
		h.clock.Advance(15 * 24 * time.Hour)
		if _, err := h.ExpireApprovals(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := h.page(t, d)
		if p.State != models.DestinationRejected || !strings.Contains(p.Destination.Reason, "Nobody decided") {
			t.Errorf("it is %s: %s", p.State, p.Destination.Reason)
		}
	})
}

// fillDestinations writes n destinations over 90 days.
func fillDestinations(t testing.TB, s *store.Store, n int) {
	t.Helper()
	names := []string{"João Silva", "María Pérez", "Amina Otieno", "Łukasz Nowak", "Acme Ltd", "Grace Wanjiru"}
	states := []models.DestinationState{models.DestinationApproved, models.DestinationApproved, models.DestinationApproved, models.DestinationRevoked, models.DestinationRejected}
	i := 0
	if _, err := s.FillDestinations(t.Context(), func() *store.FilledDestination {
		if i == n {
			return nil
		}
		i++
		x := account(fmt.Sprintf("%010d", 7_000_000_000+i))
		x.Owner = names[i%len(names)]
		if i%3 == 0 {
			x.Kind, x.Form, x.Provider = models.ToPIX, "acme/pix", "acme"
		}
		at := s.Now().Add(-time.Duration(n-i) * 90 * 24 * time.Hour / time.Duration(n))
		return &store.FilledDestination{New: store.NewDestination{ID: models.NewID(), Environment: models.Live, Spec: x, Name: fmt.Sprintf("%s %d", names[(i/7)%len(names)], i), Purpose: "Supplier"},
			By: models.Actor{UserID: "u-fay", Name: "Fay"}, At: at, State: states[i%len(states)], Approver: "Inês", Usable: at.Add(25 * time.Hour)}
	}); err != nil {
		t.Fatal(err)
	}
}

func TestDestinationsAreFoundByBeginningsAndByTheWholeAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fillDestinations(t, s, 700)
		for search, want := range map[string]int{"7000000042": 1, "700-000-0042": 1, "joao sil 42": -1, "0042": 1, "nowak": 202, "lukasz nowak supplier 3": -1, "nobody": 0, "%": 0, "'; DROP TABLE destinations": 0} {
			list, err := s.Destinations(t.Context(), reader, models.DestinationFilter{Environment: models.Live, Search: search}, models.Cursor{}, 500)
			if err != nil {
				t.Fatalf("%q: %v", search, err)
			}
			if want >= 0 && len(list.Rows) != want {
				t.Errorf("%q finds %d, want %d", search, len(list.Rows), want)
			}
			if want < 0 && len(list.Rows) == 0 {
				t.Errorf("%q finds nothing", search)
			}
		}
	})
}

func TestNoListOfDestinationsWalksTheTable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := 10_000
		if testing.Short() {
			n = 1_000
		}
		fillDestinations(t, s, n)
		var seen []string
		c, pages := models.Cursor{}, 0
		for {
			list, err := s.Destinations(t.Context(), reader, models.DestinationFilter{Environment: models.Live}, c, 500)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range list.Rows {
				seen = append(seen, d.ID)
			}
			if pages++; list.Older.At == 0 {
				break
			}
			c = list.Older
		}
		if len(seen) != n || pages != n/500 {
			t.Errorf("%d rows on %d pages", len(seen), pages)
		}
		for _, f := range []models.DestinationFilter{{}, {Kinds: []models.DestinationKind{models.ToPIX}}, {States: []models.DestinationState{models.DestinationCooling}},
			{States: []models.DestinationState{models.DestinationUsable}}, {States: []models.DestinationState{models.DestinationWaiting}}, {States: []models.DestinationState{models.DestinationSuperseded}},
			{States: []models.DestinationState{models.DestinationRevoked, models.DestinationUsable}, Provider: "acme"}, {Search: "nowak"}, {Search: "7000000042"}, {Search: "acme 42"}, {Problem: true}} {
			f.Environment = models.Live
			plan, err := s.DestinationPlan(t.Context(), f, models.Cursor{})
			if err != nil || plan == "" {
				t.Fatalf("%+v: %v", f, err)
			}
			for line := range strings.Lines(plan) {
				line = strings.TrimSpace(line)
				if line == "SCAN d" || strings.HasPrefix(line, "SCAN d USING") || line == "SCAN destination_words" || (n == 10_000 && strings.Contains(line, "Seq Scan on destination")) {
					t.Errorf("%+v walks the table:\n%s", f, plan)
				}
				if line == "USE TEMP B-TREE FOR ORDER BY" && f.Search == "" && !f.Problem && len(f.States) != 1 {
					t.Errorf("%+v sorts what an index gives in order:\n%s", f, plan)
				}
			}
		}
	})
}
