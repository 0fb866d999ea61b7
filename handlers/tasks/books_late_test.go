package tasks_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Every registration reads the list. Six others within a second must not use up the looks of the one whose answer was lost: its request may still be on
// the road, and whoever registers it again would register it twice.
func TestListsReadForOthersDoNotSettleWhatMayStillArrive(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		h.tell(t, "fault", url.Values{"operation": {"/wallet-address/whitelist/add"}, "kind": {"drop_before"}})
		lost := h.approved(t, polygon)
		h.work(t)
		for i := range 6 {
			h.clock.Advance(100 * time.Millisecond)
			h.approved(t, fmt.Sprintf("0x%040x", 0xC0FFEE+i))
			h.work(t)
		}
		h.entry(t, lost, models.BookAsking)
		h.clock.Advance(5 * time.Second)
		h.work(t)
		h.entry(t, lost, models.BookAsking)
		for range 4 {
			h.clock.Advance(11 * time.Minute)
			h.work(t)
		}
		h.entry(t, lost, models.BookMissing)
	})
}

// A list that was asked for before something changed says nothing about the change.
func TestAListThatWasAskedForEarlierSettlesNothing(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		asked := h.Now()
		h.clock.Advance(time.Second)
		id := h.approved(t, polygon)
		h.work(t)
		same := func(*models.Destination, map[string]string) bool { return false }
		must(t, h.RecordRead(t.Context(), h.cred, models.AddressesBook, asked, nil, same))
		e := h.entry(t, id, models.BookListed)
		if !e.Usable {
			t.Error("a list from before the registration took it out of use")
		}
		h.clock.Advance(time.Second)
		must(t, h.RecordRead(t.Context(), h.cred, models.AddressesBook, h.Now(), nil, same))
		h.entry(t, id, models.BookMissing)
	})
}

func TestWhatIsRegisteredOnceMoreIsFoundByItsPlaceAndWhatIsRevokedMeanwhileAsksNobody(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		id := h.approved(t, polygon)
		h.work(t)
		first := h.entry(t, id, models.BookListed)
		h.tell(t, "book", url.Values{"op": {"drop"}, "id": {first.EntryID}})
		h.clock.Advance(time.Minute)
		must(t, h.money.ReadBooks(t.Context(), h.cred.ID))
		e := h.entry(t, id, models.BookMissing)
		h.tell(t, "fault", url.Values{"operation": {"/wallet-address/whitelist/add"}, "kind": {"lose_reply"}})
		ines := h.ines
		ines.StepUp = h.Now()
		must(t, h.RegisterDestination(t.Context(), ines, models.Sandbox, id, store.RegisterAt{CredentialID: e.CredentialID, Provider: e.Provider, Book: e.Book}))
		h.work(t)
		h.clock.Advance(6 * time.Second)
		h.work(t)
		if e = h.entry(t, id, models.BookListed); e.EntryID == first.EntryID || !e.Usable || h.executed(t) != 2 {
			t.Errorf("%+v after %d executions", e, h.executed(t))
		}

		h.tell(t, "fault", url.Values{"operation": {"/wallet-address/whitelist/add"}, "kind": {"drop_before"}})
		never := h.approved(t, "0x8617E340B3D01FA5F11F306F4090FD50E238070D")
		h.work(t)
		must(t, h.RevokeDestination(t.Context(), h.ines, models.Sandbox, never, "typed wrongly"))
		for range 6 {
			h.clock.Advance(11 * time.Minute)
			h.work(t)
		}
		h.entry(t, never, models.BookGone)
		books, err := h.Books(t.Context(), h.ines, models.Sandbox)
		must(t, err)
		if len(books.Entries) != 0 {
			t.Errorf("somebody is asked to decide about %+v", books.Entries)
		}
	})
}

// What stands only there is deleted there after two people looked at it: it is taken over, approved, and revoked.
func TestWhatStandsOnlyThereIsDeletedThereByTwoPeople(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		h.tell(t, "book", url.Values{"op": {"add-address"}, "network": {"Viction"}, "address": {polygon}, "label": {"By hand"}})
		must(t, h.money.ReadBooks(t.Context(), h.cred.ID))
		stands := func() (id string) {
			books, err := h.Books(t.Context(), h.ines, models.Sandbox)
			must(t, err)
			for _, l := range books.Strange {
				if full, err := h.BookLine(t.Context(), h.fay, models.Sandbox, l.ID); err == nil && full.Values["address"] == polygon {
					id = l.ID
				}
			}
			return id
		}
		line := stands()
		chain := providers.OnChainForm(models.Sandbox)
		own, problems := chain.Check(nil, map[string]string{"network": "Viction", "address": polygon, "owner": "Us"})
		if line == "" || len(problems) > 0 {
			t.Fatal(line, problems)
		}
		d, err := h.AdoptLine(t.Context(), h.fay, models.Sandbox, line, store.NewDestination{ID: models.NewID(), Spec: chain.Spec(own), Name: "By hand", Purpose: "to be deleted there"})
		must(t, err)
		before := h.executed(t)
		ines := h.ines
		ines.StepUp = h.Now()
		r := h.page(t, d.ID).Request
		_, err = h.Decide(t.Context(), ines, models.Sandbox, r.ID, true, "", r.Digest)
		must(t, err)
		must(t, h.RevokeDestination(t.Context(), ines, models.Sandbox, d.ID, "nobody knows it"))
		h.work(t)
		h.entry(t, d.ID, models.BookGone)
		h.clock.Advance(time.Minute)
		must(t, h.money.ReadBooks(t.Context(), h.cred.ID))
		if h.executed(t) != before+1 || stands() != "" {
			t.Errorf("%d writes, and it stands there as %q", h.executed(t)-before, stands())
		}
	})
}
