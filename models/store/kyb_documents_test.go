package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
)

func TestANumberIsSealedAndEverySightOfItIsWrittenDown(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "identity", Number: "K1234567A", Expires: "2030-01-01"})
		page, err := d.KYBDocument(d.Context(), d.rhea, models.Sandbox, doc.ID)
		if err != nil || page.Document.NumberEnd != "67A" {
			d.Errorf("what lists show: %q, %v", page.Document.NumberEnd, err)
		}
		var stored []byte
		if err := d.ReadDB().QueryRowContext(d.Context(), "SELECT number FROM kyb_documents WHERE id = '"+doc.ID+"'").Scan(&stored); err != nil || strings.Contains(string(stored), "K1234567A") {
			d.Errorf("the database shows the number: %q, %v", stored, err)
		}
		number, err := d.ShowKYBNumber(d.Context(), d.rhea, models.Sandbox, doc.ID)
		if err != nil || number != "K1234567A" {
			d.Errorf("shown: %q, %v", number, err)
		}
		if _, err := d.OpenKYBFile(d.Context(), d.rhea, models.Sandbox, page.Versions[0].ID, "download"); err != nil {
			d.Error(err)
		}
		if got := d.audited("kyb.number", "kyb.download"); !slices.Equal(got, []string{"kyb.number by Rhea", "kyb.download by Rhea"}) {
			d.Errorf("audited: %v", got)
		}
		fay := models.Actor{UserID: "f", Roles: []models.Role{models.Finance}}
		for name, err := range map[string]error{"the number": errOf(d.ShowKYBNumber(d.Context(), fay, models.Sandbox, doc.ID)), "the file": errOf(d.OpenKYBFile(d.Context(), fay, models.Sandbox, page.Versions[0].ID, "view")),
			"the other environment": errOf(d.OpenKYBFile(d.Context(), d.rhea, models.Live, page.Versions[0].ID, "view"))} {
			if !models.Is(err, models.Forbidden) && !models.Is(err, models.NotFound) {
				d.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestOneContentIsKeptOnceInACase(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		again := store.NewKYBFile{CaseID: d.c.ID, ID: models.NewID(), Key: "kyb/again", Name: "other name.pdf", Type: "application/pdf", Size: 400, SHA256: fmt.Sprintf("%064d", d.n)}
		got, already, err := d.AddKYBFile(d.Context(), d.ines, models.Sandbox, again)
		if err != nil || !already || got.ID != doc.ID {
			d.Errorf("the same content again: %v %v %v", got.ID, already, err)
		}
		again.SHA256, again.DocumentID = fmt.Sprintf("%064d", 999), doc.ID
		got, already, err = d.AddKYBFile(d.Context(), d.ines, models.Sandbox, again)
		if err != nil || already || got.ID != doc.ID || got.Versions != 2 || got.Current.Name != "other name.pdf" {
			d.Errorf("a new version: %+v %v %v", got, already, err)
		}
	})
}

func TestADeletionNeedsTwoPeopleAndKeepsTheHash(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		held := d.prepare(d.c.ID, d.link.ID, doc)
		if err := d.AskKYBDeletion(d.Context(), d.ines, models.Sandbox, doc.ID, "The company asked for it"); !models.Is(err, models.Conflict) {
			d.Errorf("part of a submission: %v", err)
		}
		if err := d.WithdrawKYB(d.Context(), d.ines, models.Sandbox, held.ID); err != nil {
			d.Fatal(err)
		}
		if err := d.AskKYBDeletion(d.Context(), d.ines, models.Sandbox, doc.ID, "no"); !models.Is(err, models.Invalid) {
			d.Errorf("without a reason: %v", err)
		}
		cold := d.ines
		cold.StepUp = 0
		if err := d.AskKYBDeletion(d.Context(), cold, models.Sandbox, doc.ID, "The company asked for it"); !models.Is(err, models.StepUp) {
			d.Errorf("without the second factor: %v", err)
		}
		if err := d.AskKYBDeletion(d.Context(), d.ines, models.Sandbox, doc.ID, "The company asked for it"); err != nil {
			d.Fatal(err)
		}
		if err := d.decide(d.ines, doc.ID, true, ""); !models.Is(err, models.Forbidden) {
			d.Errorf("alone: %v", err)
		}
		if err := d.decide(d.omar, doc.ID, true, ""); err != nil {
			d.Fatal(err)
		}
		list, err := d.KYBFilesToDelete(d.Context())
		if err != nil || len(list) != 1 || list[0].Key != doc.Current.Key {
			d.Fatalf("to remove: %+v %v", list, err)
		}
		if _, err := d.OpenKYBFile(d.Context(), d.rhea, models.Sandbox, doc.Current.ID, "view"); !models.Is(err, models.Conflict) || !strings.Contains(err.Error(), doc.Current.SHA256) {
			d.Errorf("it can still be seen: %v", err)
		}
		if err := d.KYBFileDeleted(d.Context(), doc.Current.ID); err != nil {
			d.Fatal(err)
		}
		page, err := d.KYBDocument(d.Context(), d.rhea, models.Sandbox, doc.ID)
		if err != nil || page.Document.State != models.DocumentDeleted || page.Versions[0].SHA256 != doc.Current.SHA256 || page.Versions[0].DeletedWhy != "The company asked for it" {
			d.Errorf("what stays: %+v %v", page.Versions, err)
		}
		if got := d.page(d.c.ID).Case; got.Documents != 0 || got.Missing != 2 {
			d.Errorf("the case counts it: %+v", got)
		}
	})
}

func TestRemindersComeOnceAtSixtyThirtyAndSevenDays(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		d.add(d.c.ID, store.KYBDocumentForm{Kind: "identity", Expires: string(models.DateOf(d.Now()).Add(61))})
		var got []string
		for day := range 63 {
			due, err := d.RemindKYB(d.Context())
			if err != nil {
				d.Fatal(err)
			}
			for _, r := range due {
				got = append(got, fmt.Sprintf("day %d: %d", day, r.DaysBefore))
			}
			d.clock.Advance(24 * time.Hour)
		}
		if diff := cmp.Diff([]string{"day 1: 60", "day 31: 30", "day 54: 7"}, got); diff != "" {
			d.Error(diff)
		}
		d.clock.Advance(-63 * 24 * time.Hour)
	})
}
