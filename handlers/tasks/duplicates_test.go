package tasks_test

import (
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
)

func TestTheSameAccountAndAmountAtAnotherProviderNeedsAReasonThatTheCheckerSees(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		admin := models.Actor{UserID: "u-adm", Name: "Tom", Roles: []models.Role{models.Admin}, StepUp: h.Now()}
		other, err := h.CreateCredential(t.Context(), admin, storetest.Vault(t), models.CredentialSpec{Provider: "other", Environment: models.Sandbox,
			CredentialNotes: models.CredentialNotes{Name: "Other"}, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"key": "secret-0123456"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.AskChange(t.Context(), admin, models.CredentialChange{CredentialID: other.ID, Kind: models.ChangeActivate}, other.Version); err != nil {
			t.Fatal(err)
		}
		account := providers.Field{Name: "account", Label: "Account", Role: providers.RoleAccount}
		pix := providers.Method{ID: "wire_cl", Kind: models.Payout, Title: "Wire", Country: "CL", Fields: []providers.Field{account}}
		mobile := providers.Method{ID: "any", Kind: models.Payout, Title: "Any account", Fields: []providers.Field{account}}
		pay := func(by models.Actor, cred string, m providers.Method, number string, minor int64, why string) (*models.Transaction, error) {
			values := map[string]string{"account": number}
			to := providers.DestinationOf(m, values)
			return h.Create(t.Context(), by, store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: cred, Method: m.ID,
				Amount: models.Money{Minor: minor, Asset: "USD"}, Party: to.Masked, DestinationDigest: to.Digest, AccountDigest: to.Account,
				Detail: models.TransactionDetail{Values: values, Why: why}})
		}
		first, err := pay(h.ada, h.cred.ID, pix, "00-123.456", 5000, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pay(h.bea, other.ID, mobile, "00 123456", 5000, ""); !models.Is(err, models.Invalid) {
			t.Errorf("the same account and amount elsewhere, without a reason: %v", err)
		}
		for what, err := range map[string]error{"another amount": onlyError(pay(h.bea, other.ID, mobile, "00123456", 5001, "")), "another account": onlyError(pay(h.bea, other.ID, mobile, "100123456", 5000, ""))} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		again, err := pay(h.bea, other.ID, mobile, "00123456", 5000, "The second half of the rent")
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := h.ApprovalSheet(t.Context(), h.ada, models.Sandbox, h.get(t, again.ID).Approvals[0].ID)
		if err != nil || len(sheet.Duplicates) != 1 || sheet.Duplicates[0].ID != first.ID || sheet.Request.Reason != "The second half of the rent" {
			t.Errorf("the checker sees %+v, %v", sheet, err)
		}
		if err := h.decide(t, h.bea, first.ID, false, "wrong"); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(25 * time.Hour)
		if _, err := pay(h.ada, h.cred.ID, pix, "00123456", 5000, ""); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

func onlyError[T any](_ T, err error) error { return err }
