package store_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// A notice names the provider's number, and reading it must be a look-up: with a walk through the table a flood of webhooks would stop the
// program. SQLite uses a partial index only where the query repeats its condition, which a plan shows and a result does not.
func TestANoticeIsFoundByTheProvidersNumberWithoutAWalk(t *testing.T) {
	s := storetest.SQLite(t)
	all := fillRandom(t, s, 3000)
	for _, x := range []models.Transaction{all[0], all[1500], all[2999]} {
		id, err := s.FindByNotice(t.Context(), x.CredentialID, "", x.ProviderRef)
		if err != nil || id != x.ID {
			t.Errorf("number %s: found %q (%v), want %q", x.ProviderRef, id, err, x.ID)
		}
	}
	for _, where := range []string{"provider_ref = '1' AND provider_ref <> '' AND credential_id = 'c1'", "of_id = '1' AND of_id <> '' AND kind = 'refund' AND state = 'succeeded'"} {
		var a, b, c any
		var plan string
		if err := s.ReadDB().QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN SELECT id FROM transactions WHERE "+where).Scan(&a, &b, &c, &plan); err != nil {
			t.Fatal(err)
		}
		if plan[:4] == "SCAN" {
			t.Errorf("%s: %s", where, plan)
		}
	}
}

// What storing a verified delivery costs when many callers come at once.
func BenchmarkKeepingDeliveries(b *testing.B) {
	s := storetest.SQLite(b)
	in := s.NewIntake(func(*store.Tx, []string) error { return nil })
	defer in.Close()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := models.NewID()
			d := models.Delivery{ID: id, CredentialID: "c", Provider: "onekey", Environment: models.Sandbox, Topic: "deposit", Method: "POST", Digest: id, Dedupe: id, From: "127.0.0.1",
				ReceivedAt: models.At(time.Now()), State: models.DeliveryReceived, Trust: "verified", Body: []byte(`{"deposit_id":` + strconv.Itoa(b.N) + `}`)}
			if k := in.Keep(context.Background(), d); k.Err != nil {
				b.Error(k.Err)
				return
			}
		}
	})
}
