package store_test

import (
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestTheGuardGoesOffOnlyByTwoAdminsAndTwoDays(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		d := h.add(t, models.Live, "Landlord", account("9988776655"))
		if err := h.decide(t, h.ines, d, true); err != nil {
			t.Fatal(err)
		}
		refusedWith(t, h.AskGuardOff(t.Context(), h.now(h.fay), models.Live, "in a hurry"), models.Forbidden, "policies.manage")
		stale := h.tom
		stale.StepUp = 0
		refusedWith(t, h.AskGuardOff(t.Context(), stale, models.Live, "in a hurry"), models.StepUp, "second factor")
		if err := h.AskGuardOff(t.Context(), h.now(h.tom), models.Live, "The bank is down"); err != nil {
			t.Fatal(err)
		}
		list, err := h.PendingChanges(t.Context(), h.now(h.jun))
		if err != nil || len(list) != 1 {
			t.Fatalf("%d changes wait: %v", len(list), err)
		}
		_, err = h.ApproveChange(t.Context(), h.now(h.tom), list[0].ID)
		refusedWith(t, err, models.Forbidden, "asked for this change yourself")
		if _, err := h.ApproveChange(t.Context(), h.now(h.jun), list[0].ID); err != nil {
			t.Fatal(err)
		}
		g, err := h.GuardBand(t.Context(), models.Live)
		if err != nil || g.OffFrom != h.Now().Add(48*time.Hour) {
			t.Errorf("the band says %v, %v", g, err)
		}
		h.is(t, d, models.DestinationCooling)
		late := h.add(t, models.Live, "Late", account("5566778899"))
		h.clock.Advance(47 * time.Hour)
		if err := h.decide(t, h.ines, late, true); err != nil {
			t.Fatal(err)
		}
		h.is(t, late, models.DestinationCooling)
		h.clock.Advance(time.Hour)
		h.is(t, late, models.DestinationUsable)
		if err := h.SwitchGuardOn(t.Context(), h.now(h.jun), models.Live); err != nil {
			t.Fatal(err)
		}
		h.is(t, late, models.DestinationCooling)

		_, err = h.AskDestinationWait(t.Context(), h.now(h.tom), models.Live, 0)
		refusedWith(t, err, models.Invalid, "at least one hour")
		if applied, err := h.AskDestinationWait(t.Context(), h.now(h.tom), models.Sandbox, 0); err != nil || applied {
			t.Fatalf("applied by one admin: %v, %v", applied, err)
		}
		list, _ = h.PendingChanges(t.Context(), h.now(h.jun))
		if _, err := h.ApproveChange(t.Context(), h.now(h.jun), list[0].ID); err != nil {
			t.Fatal(err)
		}
		quick := h.add(t, models.Sandbox, "Quick", account("5566778899"))
		if err := h.decide(t, h.ines, quick, true); err != nil {
			t.Fatal(err)
		}
		h.is(t, quick, models.DestinationUsable)
	})
}

func TestALoneAdminNeverLoosensTheGuard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		tom := storetest.SetUp(t, s).Actor(s)
		refusedWith(t, s.AskGuardOff(t.Context(), tom, models.Live, "in a hurry"), models.Conflict, "second admin")
		_, err := s.AskDestinationWait(t.Context(), tom, models.Live, time.Hour)
		refusedWith(t, err, models.Conflict, "second admin")
		if applied, err := s.AskDestinationWait(t.Context(), tom, models.Live, 72*time.Hour); err != nil || !applied {
			t.Errorf("a lone admin may make it safer: %v, %v", applied, err)
		}
	})
}

func TestARawPayoutNeedsAnAdminsWordInLive(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		values := map[string]string{"account": "1"}
		if _, err := h.pay(models.Sandbox, nil, values); err != nil {
			t.Errorf("in the sandbox: %v", err)
		}
		_, err := h.pay(models.Live, nil, values)
		refusedWith(t, err, models.Invalid, "approved destinations only")
		live, box := h.creds[models.Live].ID, h.creds[models.Sandbox].ID
		if pending, err := h.SetRawPayouts(t.Context(), h.now(h.tom), live, true); err != nil || !pending {
			t.Fatalf("one admin allowed it in live: %v, %v", pending, err)
		}
		list, _ := h.PendingChanges(t.Context(), h.now(h.jun))
		if _, err := h.ApproveChange(t.Context(), h.now(h.jun), list[0].ID); err != nil {
			t.Fatal(err)
		}
		paid, err := h.pay(models.Live, nil, values)
		if err != nil {
			t.Fatalf("allowed, and refused: %v", err)
		}
		if pending, err := h.SetRawPayouts(t.Context(), h.now(h.tom), live, false); err != nil || pending {
			t.Fatalf("forbidding waits: %v, %v", pending, err)
		}
		if err := h.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Exec("UPDATE transactions SET state = 'approved', send_after_us = 1 WHERE id = ?", paid.ID)
		}); err != nil {
			t.Fatal(err)
		}
		if o, err := h.BeginSend(t.Context(), paid.ID, "one"); err != nil || o != nil {
			t.Errorf("sent after an admin forbade it: %v, %v", o, err)
		}
		if _, err := h.SetRawPayouts(t.Context(), h.now(h.tom), box, false); err != nil {
			t.Fatal(err)
		}
		_, err = h.pay(models.Sandbox, nil, values)
		refusedWith(t, err, models.Invalid, "approved destinations only")
	})
}
