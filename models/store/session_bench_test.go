package store_test

import (
	"testing"

	"countinghouse/models/store/storetest"
)

// BenchmarkSessionByToken is what every page pays before its own work begins.
func BenchmarkSessionByToken(b *testing.B) {
	s := storetest.SQLite(b)
	ada := storetest.SetUp(b, s)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := s.SessionByToken(b.Context(), ada.Token, storetest.Here); err != nil {
			b.Fatal(err)
		}
	}
}
