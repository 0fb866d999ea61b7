package store_test

import (
	"net/url"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

var benchFilters = []struct{ name, query string }{{"everything", ""}, {"one status", "state=failed"}, {"merged", "kind=payout,refund&state=failed"}, {"attention", "attention=1"}, {"30 days", "when=30d"}}

func eachFilter(b *testing.B, do func(b *testing.B, s *store.Store, f models.Filter)) {
	s := storetest.SQLite(b)
	fillRandom(b, s, 50_000)
	for _, x := range benchFilters {
		q, err := url.ParseQuery(x.query)
		if err != nil {
			b.Fatal(err)
		}
		f, _ := models.ParseFilter(models.Sandbox, q, time.UTC)
		b.Run(x.name, func(b *testing.B) { b.ReportAllocs(); do(b, s, f) })
	}
}

func BenchmarkAPageOfTheList(b *testing.B) {
	eachFilter(b, func(b *testing.B, s *store.Store, f models.Filter) {
		for b.Loop() {
			if _, err := s.List(b.Context(), reader, f, models.Cursor{}, 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkTheTotalsOfAFilter(b *testing.B) {
	eachFilter(b, func(b *testing.B, s *store.Store, f models.Filter) {
		for b.Loop() {
			if _, err := s.Totals(b.Context(), reader, f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReadingEveryRowForAnExport(b *testing.B) {
	s := storetest.SQLite(b)
	fillRandom(b, s, 50_000)
	exporter := models.Actor{UserID: "u", Name: "Exporter", Roles: []models.Role{models.Finance}}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := s.EachForExport(b.Context(), exporter, models.Filter{Environment: models.Sandbox}, func(*models.Transaction) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkWritingHistoryInBulk(b *testing.B) {
	for b.Loop() {
		fillRandom(b, storetest.SQLite(b), 5000)
	}
}
