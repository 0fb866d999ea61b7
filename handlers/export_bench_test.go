package handlers

import (
	"encoding/csv"
	"io"
	"testing"
	"time"

	"countinghouse/models"
)

// BenchmarkWritingARowOfAnExport is the writing alone, without the database and the network.
func BenchmarkWritingARowOfAnExport(b *testing.B) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		b.Fatal(err)
	}
	at := models.At(time.Date(2026, 9, 21, 14, 5, 0, 0, time.UTC))
	x := exporter{zone: zone, credentials: map[string]string{"c": "OneKey sandbox"}}
	t := &models.Transaction{Kind: models.Payout, Provider: "onekey", CredentialID: "c", Reference: "CH7AH674Z8D8PW", ProviderRef: "1234567", Party: "Maria da Silva",
		Amount: models.Money{Minor: 123456, Asset: "BRL"}, Fee: models.Money{Minor: 35, Asset: "BRL"}, State: models.Succeeded, Word: "PAID", CreatedByName: "Ana Souza",
		CreatedAt: at, SentAt: at, SettledAt: at}
	out := csv.NewWriter(io.Discard)
	var buf []string
	b.ReportAllocs()
	for b.Loop() {
		t.CreatedAt += 1_000_003
		buf = x.row(b.Context(), t, buf)
		if err := out.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
}
