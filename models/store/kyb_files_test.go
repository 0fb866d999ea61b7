package store_test

import (
	"testing"

	"countinghouse/models/store"
)

func TestAFileIsGoneForARotationOnlyWhenItsDeletionWasAgreed(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		gone := func(key string, want bool, when string) {
			d.Helper()
			if got, err := d.KYBKeyGone(d.Context(), key); err != nil || got != want {
				d.Errorf("%s: gone %v, %v; want %v", when, got, err, want)
			}
		}
		gone(doc.Current.Key, false, "a file that is kept")
		gone("kyb/sandbox/of-an-upload-that-is-not-written-down-yet", false, "a file that nobody knows")
		if err := d.AskKYBDeletion(d.Context(), d.ines, doc.Environment, doc.ID, "Of another company, by mistake"); err != nil {
			d.Fatal(err)
		}
		gone(doc.Current.Key, false, "a file whose deletion one person wants")
		if err := d.decide(d.omar, doc.ID, true, ""); err != nil {
			d.Fatal(err)
		}
		gone(doc.Current.Key, true, "a file whose deletion two people agreed to")
		if err := d.KYBFileDeleted(d.Context(), doc.Current.ID); err != nil {
			d.Fatal(err)
		}
		gone(doc.Current.Key, true, "a file that was deleted")
	})
}
