package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// stood finds a person in a review.
func stood(t *testing.T, r models.AccessReview, id string) models.AccessLine {
	t.Helper()
	i := slices.IndexFunc(r.People, func(l models.AccessLine) bool { return l.UserID == id })
	if i < 0 {
		return models.AccessLine{}
	}
	return r.People[i]
}

func TestAnAccessReviewTellsHowItWas(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		reader := h.compton.Actor(h.Store)
		at := func(m models.Micros) models.AccessReview {
			t.Helper()
			r, err := h.AccessReview(t.Context(), reader, m)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		monday := h.Now()
		day := func() models.Micros { h.clock.Advance(24 * time.Hour); return h.Now() }

		day()
		h.ada.Token = storetestSession(t, h, h.ada, storetest.Here.IP) // the old session has ended
		h.registers(t, h.ada, "Laptop")

		wednesday := day()
		if _, err := h.ChangeRoles(t.Context(), h.ada.Actor(h.Store), h.fina.ID, []models.Role{models.Auditor}); err != nil {
			t.Fatal(err)
		}
		thursday := day()
		if err := h.Suspend(t.Context(), h.ada.Actor(h.Store), h.fina.ID); err != nil {
			t.Fatal(err)
		}
		friday := day()
		late := storetest.Add(t, h.Store, "late@example.com", "Lena Late", models.Finance)
		if _, err := h.ResetFactor(t.Context(), h.ada.Actor(h.Store), late.ID); err != nil {
			t.Fatal(err)
		}

		if l := stood(t, at(monday), h.fina.ID); !slices.Equal(l.Roles, []models.Role{models.Finance}) || !l.May(models.PayoutsCreate) || l.LastSignIn == 0 || l.LastSignIn > monday {
			t.Errorf("on Monday: %+v", l)
		}
		if l := stood(t, at(monday), late.ID); l.UserID != "" {
			t.Errorf("somebody was here before they came: %+v", l)
		}
		if l := stood(t, at(wednesday), h.fina.ID); !slices.Equal(l.Roles, []models.Role{models.Auditor}) || l.May(models.PayoutsCreate) || !l.May(models.AuditRead) || l.Since != wednesday {
			t.Errorf("on Wednesday: %+v", l)
		}
		if l := stood(t, at(wednesday-1), h.fina.ID); !l.May(models.PayoutsCreate) {
			t.Errorf("a moment before: %+v", l)
		}
		if l := stood(t, at(thursday), h.fina.ID); l.State != models.Suspended || l.May(models.AuditRead) {
			t.Errorf("on Thursday: %+v", l)
		}
		if l := stood(t, at(friday), late.ID); l.Factor || l.May(models.PayoutsCreate) || l.State != models.Active {
			t.Errorf("whose second factor was reset: %+v", l)
		}
		if l := stood(t, at(friday), h.ada.ID); l.Passkeys != 1 {
			t.Errorf("who registered a passkey: %+v", l)
		}
		if l := stood(t, at(monday), h.ada.ID); l.Passkeys != 0 {
			t.Errorf("before they did: %+v", l)
		}
		_, err := h.AccessReview(t.Context(), reader, h.Now()+1)
		refusedWith(t, err, models.Invalid, "has not begun")
		_, err = h.AccessReview(t.Context(), late.Actor(h.Store), h.Now())
		wantCode(t, "the review as finance", err, models.Forbidden)

		// Where no record reaches back, that is said instead of guessed.
		if _, err := h.WriteDB().ExecContext(t.Context(), fmt.Sprintf("DELETE FROM access_history WHERE at_us < %d", wednesday)); err != nil {
			t.Fatal(err)
		}
		if l := stood(t, at(monday), h.fina.ID); !l.Unknown || l.May(models.PayoutsCreate) {
			t.Errorf("without a record: %+v", l)
		}
		names := []string{}
		for _, l := range at(friday).People {
			names = append(names, l.Name)
		}
		if !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
			t.Errorf("not by name: %q", names)
		}
	})
}
