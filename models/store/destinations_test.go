package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// counting is a house with a credential in each environment, people, and a way to move its time.
type counting struct {
	*store.Store
	clock                                *storetest.Clock
	fay, gil, ines, otto, tom, jun, rhea models.Actor
	creds                                map[models.Environment]models.Credential
}

func eachCounting(t *testing.T, test func(t *testing.T, h *counting)) {
	t.Helper()
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := &counting{Store: s, clock: clock, creds: map[models.Environment]models.Credential{}}
		h.tom = storetest.SetUp(t, s).Actor(s)
		h.jun = storetest.Add(t, s, "jun@example.com", "Jun", models.Admin).Actor(s)
		person := func(id, name string, r models.Role) models.Actor {
			return models.Actor{UserID: id, Name: name, Roles: []models.Role{r}}
		}
		h.fay, h.gil = person("u-fay", "Fay", models.Finance), person("u-gil", "Gil", models.Finance)
		h.ines, h.otto, h.rhea = person("u-ines", "Inês", models.Compliance), person("u-otto", "Otto", models.Compliance), person("u-rhea", "Rhea", models.Auditor)
		v := storetest.Vault(t)
		for _, env := range []models.Environment{models.Sandbox, models.Live} {
			c := create(t, s, v, h.now(h.tom), env)
			if err := s.Update(t.Context(), func(tx *store.Tx) error {
				return tx.Exec("UPDATE credentials SET state = 'active' WHERE id = ?", c.ID) // how it came into use is another test's
			}); err != nil {
				t.Fatal(err)
			}
			h.creds[env] = c
		}
		test(t, h)
	}, storetest.WithClock(clock))
}

// now gives a person who showed the second factor right now.
func (h *counting) now(a models.Actor) models.Actor { a.StepUp = h.Now(); return a }

func account(number string) models.DestinationSpec {
	return models.DestinationSpec{Kind: models.ToBank, Form: "onekey/wire", Provider: "onekey", Method: "wire", Country: "BR", Title: "Wire", Owner: "João Silva", Masked: "João S… · Wire ···· " + number[len(number)-4:],
		Place: "BR\x00" + number, PayDigest: "digest of " + number, Accounts: []string{number}, Payment: []string{"text"}, Values: map[string]string{"account": number, "name": "João Silva"},
		Lines: []models.DestinationLine{{Label: "Account", Value: number, Copy: true}, {Label: "Name", Value: "João Silva"}}}
}

func (h *counting) add(t *testing.T, env models.Environment, name string, x models.DestinationSpec) *models.Destination {
	t.Helper()
	d, err := h.CreateDestination(t.Context(), h.fay, store.NewDestination{ID: models.NewID(), Environment: env, Spec: x, Name: name, Purpose: "Rent"})
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}
	return d
}

func (h *counting) page(t *testing.T, d *models.Destination) *store.DestinationPage {
	t.Helper()
	p, err := h.Destination(t.Context(), h.ines, d.Environment, d.ID)
	if err != nil {
		t.Fatalf("read the destination: %v", err)
	}
	return p
}

func (h *counting) decide(t *testing.T, a models.Actor, d *models.Destination, approve bool) error {
	t.Helper()
	r := h.page(t, d).Request
	_, err := h.Decide(t.Context(), h.now(a), d.Environment, r.ID, approve, map[bool]string{false: "Not ours"}[approve], r.Digest)
	return err
}

// usable adds, approves and waits.
func (h *counting) usable(t *testing.T, env models.Environment, name string, x models.DestinationSpec) *models.Destination {
	t.Helper()
	d := h.add(t, env, name, x)
	if err := h.decide(t, h.ines, d, true); err != nil {
		t.Fatalf("approve %s: %v", name, err)
	}
	h.clock.Advance(25 * time.Hour)
	return d
}

func (h *counting) pay(env models.Environment, d *models.Destination, values map[string]string) (*models.Transaction, error) {
	n := store.NewTransaction{ID: models.NewID(), Environment: env, Kind: models.Payout, CredentialID: h.creds[env].ID, Method: "wire", Amount: models.Money{Minor: 5000, Asset: "BRL"},
		DestinationDigest: models.NewID(), Detail: models.TransactionDetail{Values: values}}
	if d != nil {
		n.DestinationID = d.ID
	}
	return h.Create(context.Background(), h.fay, n)
}

func (h *counting) is(t *testing.T, d *models.Destination, want models.DestinationState) {
	t.Helper()
	if got := h.page(t, d).State; got != want {
		t.Errorf("%s is %s, want %s", d.Name, got, want)
	}
}

func TestADestinationNeedsASecondPersonAndItsTimeBeforeItIsPaid(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		values := map[string]string{"account": "9988776655", "name": "João Silva", "text": "March"}
		d := h.add(t, models.Live, "Landlord", account("9988776655"))
		h.is(t, d, models.DestinationWaiting)
		_, err := h.pay(models.Live, d, values)
		refusedWith(t, err, models.Invalid, "waits for a second person")

		own := h.now(h.fay)
		own.Roles = []models.Role{models.Finance, models.Compliance} // even with the right to approve
		r := h.page(t, d).Request
		_, err = h.Decide(t.Context(), own, models.Live, r.ID, true, "", r.Digest)
		refusedWith(t, err, models.Forbidden, "made this yourself")
		_, err = h.Decide(t.Context(), h.ines, models.Live, r.ID, true, "", r.Digest)
		refusedWith(t, err, models.StepUp, "second factor")
		_, err = h.Decide(t.Context(), h.now(h.gil), models.Live, r.ID, true, "", r.Digest)
		refusedWith(t, err, models.Forbidden, "destinations.approve")
		if err := h.decide(t, h.ines, d, true); err != nil {
			t.Fatal(err)
		}
		h.is(t, d, models.DestinationCooling)
		h.clock.Advance(24*time.Hour - time.Second)
		_, err = h.pay(models.Live, d, values)
		refusedWith(t, err, models.Invalid, "can be used from 2026-09-2")
		h.clock.Advance(time.Second)
		h.is(t, d, models.DestinationUsable)
		if _, err := h.pay(models.Sandbox, d, values); !models.Is(err, models.Invalid) {
			t.Errorf("a destination of live was paid in the sandbox: %v", err)
		}
		for name, wrong := range map[string]map[string]string{"another account": {"account": "1111", "name": "João Silva"}, "a field too many": {"account": "9988776655", "name": "João Silva", "branch": "7"},
			"a field too few": {"account": "9988776655"}, "nothing": nil} {
			if _, err := h.pay(models.Live, d, wrong); !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), "not what the destination") {
				t.Errorf("a payout with %s: %v", name, err)
			}
		}
		paid, err := h.pay(models.Live, d, values)
		if err != nil {
			t.Fatal(err)
		}
		if list := h.page(t, d).Payouts; len(list) != 1 || list[0].ID != paid.ID {
			t.Errorf("the page lists %d payouts", len(list))
		}
	})
}

func TestARevokedDestinationIsNotPaidEvenWhenItsPayoutWasApproved(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		values := map[string]string{"account": "9988776655", "name": "João Silva"}
		d := h.usable(t, models.Sandbox, "Landlord", account("9988776655"))
		first, err := h.pay(models.Sandbox, d, values)
		if err != nil {
			t.Fatal(err)
		}
		second, err := h.pay(models.Sandbox, d, values)
		if err != nil {
			t.Fatal(err)
		}
		approve := func(id string) error {
			p, err := h.Transaction(t.Context(), h.gil, models.Sandbox, id)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Decide(t.Context(), h.now(h.gil), models.Sandbox, p.Approvals[0].ID, true, "", p.Approvals[0].Digest)
			return err
		}
		if err := approve(first.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.RevokeDestination(t.Context(), h.rhea, models.Sandbox, d.ID, "x y z"); !models.Is(err, models.Forbidden) {
			t.Errorf("an auditor revoked: %v", err)
		}
		if err := h.RevokeDestination(t.Context(), h.fay, models.Sandbox, d.ID, ""); !models.Is(err, models.Invalid) {
			t.Errorf("revoked without a reason: %v", err)
		}
		if err := h.RevokeDestination(t.Context(), h.fay, models.Sandbox, d.ID, "The landlord sold the house"); err != nil {
			t.Fatal(err)
		}
		h.is(t, d, models.DestinationRevoked)
		o, err := h.BeginSend(t.Context(), first.ID, "one")
		if err != nil || o != nil {
			t.Fatalf("it was sent after the revocation: %v, %v", o, err)
		}
		p, err := h.Transaction(t.Context(), h.fay, models.Sandbox, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		if p.Transaction.State != models.Cancelled || !strings.Contains(p.Transaction.Reason, "Not sent. The destination Landlord was revoked by Fay: The landlord sold the house") {
			t.Errorf("the payout is %s: %s", p.Transaction.State, p.Transaction.Reason)
		}
		if len(p.Attempts) != 0 {
			t.Error("an attempt was written")
		}
		refusedWith(t, approve(second.ID), models.Conflict, "was revoked by Fay")
		n := store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: h.creds[models.Sandbox].ID, Method: "wire", Amount: models.Money{Minor: 7000, Asset: "BRL"},
			DestinationDigest: "digest of 9988776655", Detail: models.TransactionDetail{Values: values}}
		_, err = h.Create(t.Context(), h.fay, n)
		refusedWith(t, err, models.Invalid, "was revoked by Fay")
		faults, err := h.VerifyLedger(t.Context())
		if err != nil || len(faults) > 0 {
			t.Errorf("the ledger: %v, %v", faults, err)
		}
	})
}

func TestAnEditIsANewDestinationAndTheOldOneServesUntilThen(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		old := h.usable(t, models.Live, "Landlord", account("9988776655"))
		edit := store.NewDestination{ID: models.NewID(), Environment: models.Live, Spec: account("1122334455"), Name: "Landlord", Purpose: "Rent", Replaces: old.ID}
		d, err := h.CreateDestination(t.Context(), h.fay, edit)
		if err != nil {
			t.Fatal(err)
		}
		again := edit
		again.ID = models.NewID()
		_, err = h.CreateDestination(t.Context(), h.fay, again)
		refusedWith(t, err, models.Conflict, "under way")
		if err := h.decide(t, h.ines, d, true); err != nil {
			t.Fatal(err)
		}
		values := map[string]string{"account": "9988776655", "name": "João Silva"}
		h.is(t, old, models.DestinationUsable)
		if _, err := h.pay(models.Live, old, values); err != nil {
			t.Errorf("the old one does not serve while the new one waits: %v", err)
		}
		h.clock.Advance(24 * time.Hour)
		h.is(t, old, models.DestinationSuperseded)
		h.is(t, d, models.DestinationUsable)
		_, err = h.pay(models.Live, old, values)
		refusedWith(t, err, models.Invalid, "replaced by a newer version")

		third, err := h.CreateDestination(t.Context(), h.fay, store.NewDestination{ID: models.NewID(), Environment: models.Live, Spec: account("7777777777"), Name: "Landlord", Purpose: "Rent", Replaces: d.ID})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.decide(t, h.otto, third, true); err != nil {
			t.Fatal(err)
		}
		if err := h.RevokeDestination(t.Context(), h.ines, models.Live, third.ID, "A fraud"); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(48 * time.Hour)
		h.is(t, d, models.DestinationUsable) // the change never came into use
	})
}

func TestTheSameAccountIsNotAddedTwiceAndAFormSentTwiceIsOne(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		n := store.NewDestination{ID: models.NewID(), Environment: models.Live, Spec: account("9988776655"), Name: "Landlord", Purpose: "Rent"}
		a, err := h.CreateDestination(t.Context(), h.fay, n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := h.CreateDestination(t.Context(), h.fay, n)
		if err != nil || a.ID != b.ID {
			t.Errorf("the same form twice: %v, %v", b, err)
		}
		n.ID = models.NewID()
		_, err = h.CreateDestination(t.Context(), h.gil, n)
		refusedWith(t, err, models.Invalid, "is here already: Landlord, waiting for approval")
		n.Environment = models.Sandbox
		if _, err := h.CreateDestination(t.Context(), h.gil, n); err != nil {
			t.Errorf("the environments are not apart: %v", err)
		}
		n.ID, n.Name, n.Purpose, n.Spec = models.NewID(), "", "", account("12345678")
		if _, err := h.CreateDestination(t.Context(), h.gil, n); !models.Is(err, models.Invalid) {
			t.Errorf("without name and purpose: %v", err)
		}
		n.Name, n.Purpose = "x", "y"
		if _, err := h.CreateDestination(t.Context(), h.rhea, n); !models.Is(err, models.Forbidden) {
			t.Errorf("an auditor added one: %v", err)
		}
	})
}

func TestValuesAreSealedMaskedAndEverySightIsWrittenDown(t *testing.T) {
	eachCounting(t, func(t *testing.T, h *counting) {
		d := h.add(t, models.Live, "Landlord", account("9988776655"))
		masked, err := h.Destination(t.Context(), h.rhea, models.Live, d.ID)
		if err != nil || masked.Destination.Values != nil || masked.Destination.Lines != nil || masked.Full {
			t.Errorf("an auditor sees %v, %v", masked.Destination.Values, err)
		}
		h.page(t, d)
		h.page(t, d)
		var seen int
		if err := h.ReadDB().QueryRow("SELECT COUNT(*) FROM audit_entries WHERE action = 'destination.see'").Scan(&seen); err != nil || seen != 1 {
			t.Errorf("%d sights are written down: %v", seen, err)
		}
		for _, q := range []string{"SELECT COUNT(*) FROM destinations WHERE CAST(values_sealed AS TEXT) LIKE '%9988776655%' OR masked LIKE '%9988776655%' OR fingerprint LIKE '%9988776655%'",
			"SELECT COUNT(*) FROM destination_words WHERE word LIKE '%9988776655%'", "SELECT COUNT(*) FROM approval_requests WHERE payload_json LIKE '%9988776655%' OR title LIKE '%9988776655%'",
			"SELECT COUNT(*) FROM audit_entries WHERE sentence LIKE '%9988776655%' OR after_json LIKE '%9988776655%'"} {
			if h.Engine == store.Postgres {
				q = strings.Replace(q, "CAST(values_sealed AS TEXT)", "encode(values_sealed, 'escape')", 1)
			}
			var n int
			if err := h.ReadDB().QueryRow(q).Scan(&n); err != nil || n != 0 {
				t.Errorf("the account stands in clear (%d): %v: %s", n, err, q)
			}
		}
		if err := h.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Exec("UPDATE destinations SET name = 'Somebody else' WHERE id = ?", d.ID)
		}); err != nil {
			t.Fatal(err)
		}
		_, err = h.Destination(t.Context(), h.ines, models.Live, d.ID)
		refusedWith(t, err, models.Conflict, "changed it in the database")
	})
}

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
