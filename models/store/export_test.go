package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// What a provider or a person wrote may hold anything that a database takes, also the character that stands between the columns.
func TestAnExportReadsEveryRowAsItIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		texts := []string{"", "plain", "Łukasz 株式会社 👛", "a\x1fb\x1f", "\x1f1\x1f2", "line\r\nline", `"quoted", and; more`, "=1+1", "\u202eright to left"}
		if s.Engine == store.SQLite {
			texts = append(texts, "zero\x00byte")
		}
		var want []models.Transaction
		for i := range 600 { // more than a batch
			text := func(n int) string { return texts[(i/(n+1)+n)%len(texts)] }
			at := s.Now().Add(-72 * time.Hour)
			at -= models.Micros(i)
			want = append(want, models.Transaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, Provider: "onekey", CredentialID: "c",
				Reference: models.NewReference(), State: models.Succeeded, SubAccount: fmt.Sprint(i % 3), Amount: models.Money{Minor: int64(i) + 1, Asset: "BRL"},
				Fee: models.Money{Minor: 9_007_199_254_740_993, Asset: "BRL"}, Settled: models.Money{Minor: -1, Asset: "USD"}, Counter: models.Money{Minor: 5, Asset: "USDT"},
				CreatedAt: at, SentAt: at + 1, SettledAt: at + 2,
				ProviderRef: text(0), BankRef: text(1), Party: text(2), Rate: text(3), Word: text(4), Reason: text(5), CreatedByName: text(6), Method: text(7)})
		}
		i := 0
		if _, err := s.Fill(t.Context(), func() *store.History {
			if i == len(want) {
				return nil
			}
			i++
			return &store.History{Transaction: want[i-1]}
		}, true); err != nil {
			t.Fatal(err)
		}
		for n := range want {
			want[n].Environment = "" // the filter says it
		}
		finance := models.Actor{UserID: "u", Name: "Exporter", Roles: []models.Role{models.Finance}}
		var got []models.Transaction
		if err := s.EachForExport(t.Context(), finance, models.Filter{Environment: models.Sandbox}, func(x *models.Transaction) error {
			got = append(got, *x)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		stop := fmt.Errorf("the reader has gone")
		if err := s.EachForExport(t.Context(), finance, models.Filter{Environment: models.Sandbox}, func(*models.Transaction) error { return stop }); err != stop { //nolint:errorlint // this very one
			t.Errorf("an export whose reader went ended with %v", err)
		}
	})
}
