package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// fillEvery gives every field of a row a value of its own; what people and providers write holds the separator and is longer in bytes than in letters.
func fillEvery(v reflect.Value, name string, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillEvery(v.Field(i), v.Type().Field(i).Name, n)
		}
	case reflect.String:
		others := []string{"Method", "ProviderRef", "BankRef", "Word", "ReasonCode", "Reason", "Rate", "Party", "CreatedByName", "Waits", "Alert"}
		if slices.Contains(others, name) {
			v.SetString(fmt.Sprintf("\x1f%s €ß%d\x1f\x1f7", name, *n))
		} else {
			v.SetString(fmt.Sprintf("%s-%d", name, *n))
		}
	default:
		v.SetInt(*n * 1_000_003)
	}
}

// A new column that one way of reading knows and another does not would show itself as an empty field on a page.
func TestEveryWayOfReadingARowReadsEveryColumn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var want models.Transaction
		var n int64
		fillEvery(reflect.ValueOf(&want).Elem(), "", &n)
		want.ID, want.Environment, want.Kind, want.State = models.NewID(), models.Sandbox, models.Payout, models.Pending
		want.Reference, want.SubAccount = models.NewReference(), someSub(1)
		for _, m := range []*models.Money{&want.Amount, &want.Settled, &want.Fee, &want.Counter} {
			m.Asset = map[bool]string{true: "BRL", false: "USD"}[m == &want.Amount]
		}
		want.CreatedAt = s.Now() - 1
		once := true
		if _, err := s.Fill(t.Context(), func() *store.History {
			if !once {
				return nil
			}
			once = false
			return &store.History{Transaction: want}
		}, false); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(t.Context(), func(tx *store.Tx) error { // what history has no need of
			return tx.Exec("UPDATE transactions SET send_after_us = ?, expires_us = ?, asks = ?, version = ? WHERE id = ?", want.SendAfter, want.ExpiresAt, want.Asks, want.Version, want.ID)
		}); err != nil {
			t.Fatal(err)
		}
		one, err := s.Transaction(t.Context(), reader, models.Sandbox, want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, one.Transaction); d != "" {
			t.Errorf("the page:\n%s", d)
		}
		list, err := s.List(t.Context(), reader, models.Filter{Environment: models.Sandbox}, models.Cursor{}, 10)
		if err != nil || len(list.Rows) != 1 {
			t.Fatalf("%d rows, %v", len(list.Rows), err)
		}
		if d := cmp.Diff(want, list.Rows[0]); d != "" {
			t.Errorf("the list:\n%s", d)
		}
		exporter := models.Actor{UserID: "u", Roles: []models.Role{models.Auditor, models.Finance}}
		if err := s.EachForExport(t.Context(), exporter, models.Filter{Environment: models.Sandbox}, func(x *models.Transaction) error {
			got, whole := reflect.ValueOf(*x), reflect.ValueOf(want)
			for i := range got.NumField() {
				if f := got.Field(i); !f.IsZero() && !reflect.DeepEqual(f.Interface(), whole.Field(i).Interface()) {
					t.Errorf("the export: %s is %v, want %v", got.Type().Field(i).Name, f, whole.Field(i))
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
