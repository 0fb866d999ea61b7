package store_test

import (
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// held writes a company down that has an account, with our own record of the account.
func (h *agency) held(t *testing.T, name, account, credentialID string) store.KYBSeed {
	t.Helper()
	now := models.At(h.clock.Now())
	c := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: name, Country: "BRA", Type: "corporate", State: models.CaseCollecting, CreatedAt: now, UpdatedAt: now, Version: 1}
	seed := store.KYBSeed{Case: c, SubAccount: true, Link: models.KYBLink{ID: models.NewID(), CaseID: c.ID, Environment: models.Sandbox, Provider: "agency", CredentialID: credentialID, Account: account,
		Standing: models.KYBNone, OpenedAt: now}}
	if err := h.FillKYB(t.Context(), h.compton.Actor(h.Store), []store.KYBSeed{seed}); err != nil {
		t.Fatal(err)
	}
	return seed
}

// ours is our record of an account.
func (h *agency) ours(t *testing.T, caseID string) string {
	t.Helper()
	p, err := h.KYBCase(t.Context(), h.compton.Actor(h.Store), models.Sandbox, caseID)
	if err != nil || len(p.Links) != 1 || p.Links[0].SubAccountID == "" {
		t.Fatalf("%+v %v", p.Links, err)
	}
	return p.Links[0].SubAccountID
}

func TestTheCaseOfASubAccountIsFoundByTheProvidersNumberAtItsOwnCredential(t *testing.T) {
	eachAgency(t, func(t *testing.T, h *agency) {
		compton := h.compton.Actor(h.Store)
		other, err := h.CreateCredential(t.Context(), h.ada.Actor(h.Store), storetest.Vault(t), models.CredentialSpec{Provider: "agency", Environment: models.Sandbox,
			CredentialNotes: models.CredentialNotes{Name: "Agency two"}, Values: map[string]string{"base_url": "http://127.0.0.1:2"}, Secrets: map[string]string{"key": "secret-7654321"}})
		if err != nil {
			t.Fatal(err)
		}
		one, two := h.held(t, "Alpha Ltda", "300001", h.cred.ID), h.held(t, "Beta Ltda", "300001", other.ID) // the same number at two credentials
		for _, want := range []store.KYBSeed{one, two} {
			got, found, err := h.KYBOfAccount(t.Context(), compton, models.Sandbox, h.ours(t, want.Case.ID))
			if err != nil || !found || got.ID != want.Case.ID || got.Company != want.Case.Company {
				t.Errorf("the case of %s: %+v, %v, %v", want.Case.Company, got, found, err)
			}
		}
		id := h.ours(t, one.Case.ID)
		if _, found, err := h.KYBOfAccount(t.Context(), compton, models.Live, id); err != nil || found {
			t.Errorf("another environment: %v, %v", found, err)
		}
		if _, found, err := h.KYBOfAccount(t.Context(), compton, models.Sandbox, h.open(t, 1).ID); err != nil || found {
			t.Errorf("an account to which the provider has given no number: %v, %v", found, err)
		}
		if _, _, err := h.KYBOfAccount(t.Context(), h.ada.Actor(h.Store), models.Sandbox, id); models.CodeOf(err) != models.Forbidden {
			t.Errorf("an admin, who may not read KYB: %v", err)
		}
		if err := h.UnlinkKYB(t.Context(), compton, models.Sandbox, one.Case.ID, one.Link.ID); err != nil {
			t.Fatal(err)
		}
		if _, found, err := h.KYBOfAccount(t.Context(), compton, models.Sandbox, id); err != nil || found {
			t.Errorf("after it was taken off: %v, %v", found, err)
		}
	})
}

func TestTheStateOnASubAccountsPageIsThatOfItsCase(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		now := d.Now()
		c := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: "Gamma Ltd", Country: "SGP", Type: "corporate", State: models.CaseCollecting, CreatedAt: now, UpdatedAt: now, Version: 1}
		l := models.KYBLink{ID: models.NewID(), CaseID: c.ID, Environment: models.Sandbox, Provider: "onekey", CredentialID: d.cred.ID, Account: "100777", Standing: models.KYBNone, OpenedAt: now}
		if err := d.FillKYB(d.Context(), d.ines, []store.KYBSeed{{Case: c, Link: l, SubAccount: true}}); err != nil {
			d.Fatal(err)
		}
		account := d.page(c.ID).Links[0].SubAccountID
		stands := func(want models.KYBState) {
			d.Helper()
			if got, found, err := d.KYBOfAccount(d.Context(), d.rhea, models.Sandbox, account); err != nil || !found || got.State != want {
				d.Errorf("it is %s, %v, %v; want %s", got.State, found, err, want)
			}
		}
		stands(models.CaseCollecting)
		sub := d.approved(c.ID, l.ID)
		stands(models.SubApproved)
		d.send("accepted", nil, sub.ID)
		stands(models.SubSubmitted)
		d.clock.Advance(time.Minute)
		rules, _ := testRules("", "", nil)
		if err := d.RecordKYBWords(d.Context(), d.cred.ID, rules, map[string]store.KYBWord{"100777": {Word: "fine"}}); err != nil {
			d.Fatal(err)
		}
		stands(models.SubVerified)
	})
}
