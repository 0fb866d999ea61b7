package tasks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

func TestFilesOnRecordBelongToTheDisputeThatFollowsThem(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.bank.send = func(providers.SendRequest) providers.Outcome {
			return providers.Accepted{ProviderRef: "p-1", Status: providers.Status{State: models.AwaitingPayment}}
		}
		h.bank.find = func(providers.Query) providers.Finding { return found(models.AwaitingPayment) }
		x := h.create(t, models.Deposit, "")
		must(t, h.money.Send(t.Context(), x.ID))
		paper := func(n int) models.Paper {
			id := models.NewID()
			return models.Paper{ID: id, TransactionID: x.ID, Key: models.PaperPrefix + "sandbox/" + id, Name: fmt.Sprintf("slip-%d.pdf", n), Type: "application/pdf", Size: 9, SHA256: fmt.Sprintf("%064d", n), Scan: "clean"}
		}
		admin := models.Actor{UserID: "u-adm", Name: "Tom", Roles: []models.Role{models.Admin}}
		if _, err := h.AddPaper(t.Context(), admin, models.Sandbox, paper(1)); !models.Is(err, models.Forbidden) {
			t.Errorf("an admin puts a file on record: %v", err)
		}
		if _, err := h.AddPaper(t.Context(), h.ada, models.Live, paper(1)); !models.Is(err, models.NotFound) {
			t.Errorf("a file from the other environment: %v", err)
		}
		first := paper(1)
		for i, want := range []bool{false, true} {
			if i == 1 {
				first = paper(1)
			}
			if already, err := h.AddPaper(t.Context(), h.ada, models.Sandbox, first); err != nil || already != want {
				t.Fatalf("the same file, time %d: already %t, %v", i+1, already, err)
			}
		}
		dispute := func(a models.Actor) string {
			t.Helper()
			must(t, h.RequestDispute(t.Context(), a, models.Sandbox, x.ID, models.DisputeWish{Reason: "It was paid"}, "one"))
			p := h.get(t, x.ID)
			must(t, h.money.Operate(t.Context(), p.Attempts[len(p.Attempts)-1].ID))
			return p.Attempts[len(p.Attempts)-1].ID
		}
		one := dispute(h.ada)
		if _, err := h.AddPaper(t.Context(), h.bea, models.Sandbox, paper(2)); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Second)
		two := dispute(h.bea)
		p := h.get(t, x.ID)
		var got []string
		for _, f := range p.Papers {
			got = append(got, f.Name+" by "+f.AddedBy+" for "+map[string]string{one: "one", two: "two"}[f.AttemptID])
		}
		if want := "slip-1.pdf by Ada for one; slip-2.pdf by Bea for two"; strings.Join(got, "; ") != want {
			t.Errorf("the files: %q, want %q", got, want)
		}
		list, err := h.Disputes(t.Context(), h.ada, p)
		must(t, err)
		if len(list) != 2 || list[0].Attempt.ID != two || len(list[0].Papers) != 1 || list[0].Papers[0].Name != "slip-2.pdf" || list[0].Sent != nil {
			t.Errorf("the disputes: %+v", list)
		}
		for n := 3; n <= models.MaxPapers; n++ {
			if _, err := h.AddPaper(t.Context(), h.ada, models.Sandbox, paper(n)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.AddPaper(t.Context(), h.ada, models.Sandbox, paper(99)); !models.Is(err, models.Conflict) {
			t.Errorf("one file too many: %v", err)
		}
		known, err := h.PaperKeyKnown(t.Context(), p.Papers[0].Key)
		unknown, err2 := h.PaperKeyKnown(t.Context(), models.PaperPrefix+"sandbox/nothing")
		if err != nil || err2 != nil || !known || unknown {
			t.Errorf("which keys are in use: %t %t %v %v", known, unknown, err, err2)
		}
	})
}
