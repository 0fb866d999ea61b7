package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

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
