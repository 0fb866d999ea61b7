package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Destinations: addresses and bank accounts are written into WSPN's books while the program dies. Its stand-in takes the same bank account as often as it
// is asked to; that it is asked once is what is proved here, by counting on the road and by reading its books with a client of our own.

// bookWrites are where entries are added there.
var bookWrites = []string{"/wallet-address/whitelist/add", "/remit-info/add"}

// movesDestinations has finance add a destination and compliance agree to it, or compliance revoke one, sometimes with something going wrong.
func (h *house) movesDestinations() {
	b, ctx := h.agency(), context.Background()
	if old := h.texts("SELECT id FROM destinations WHERE state = 'approved' ORDER BY id"); len(old) > 0 && h.rnd.IntN(4) == 0 {
		if h.rnd.IntN(3) == 0 {
			h.spoil(b, []string{"/wallet-address/whitelist/delete", "/remit-info/delete"}[h.rnd.IntN(2)])
		}
		id := old[h.rnd.IntN(len(old))]
		if err := h.store.RevokeDestination(ctx, h.as(ines), models.Sandbox, id, "not ours any more"); err != nil && !people(err) {
			h.t.Fatalf("%s: revoke a destination: %v", h.name, err)
		}
		h.note("destination %s is revoked", id)
		return
	}
	account := h.rnd.IntN(2) == 0
	at := bookWrites[0]
	if account {
		at = bookWrites[1]
	}
	if h.rnd.IntN(2) == 0 {
		h.spoil(b, at)
	}
	if h.rnd.IntN(4) == 0 {
		if err := b.fault([]string{"/wallet-address/whitelist/search", "/remit-info/search"}[h.rnd.IntN(2)], []string{"http_500", "lose_reply", "garbage", "truncate"}[h.rnd.IntN(4)], 1+h.rnd.IntN(2)); err != nil {
			h.t.Fatal(err)
		}
	}
	h.addsDestination(b, account)
}

// spoil lets something go wrong with the next call of a path.
func (h *house) spoil(b *box, path string) {
	kind := mishaps[h.rnd.IntN(len(mishaps))]
	if kind == "held_back" {
		b.mu.Lock()
		b.detain++
		b.mu.Unlock()
		h.heldAt = h.clock.Now()
	} else if err := b.fault(path, kind, 1); err != nil {
		h.t.Fatal(err)
	}
	h.note("%s: %s", path, kind)
}

func (h *house) addsDestination(b *box, account bool) {
	ctx, n := context.Background(), h.count("SELECT COUNT(*) FROM destinations")
	form, book := providers.OnChainForm(models.Sandbox), models.AddressesBook
	typed := map[string]string{"network": []string{"Ethereum", "Polygon", "Viction"}[h.rnd.IntN(3)], "address": fmt.Sprintf("0x%040x", 0xC0FFEE0000+n), "owner": "Us"}
	if account {
		form, _ = b.provider.Description.EntryForm(models.Sandbox, b.settings, models.AccountsBook)
		book = models.AccountsBook
		typed = map[string]string{"beneficiary_name": fmt.Sprint("Firma ", n), "beneficiary_address": "7 Temasek Boulevard", "bank_country": "SGP", "bank_name": "DBS", "account": fmt.Sprint(700000000 + n),
			"currency": "USD", "bank_swift": "DBSSSGSG", "bank_address": "12 Marina Boulevard"}
	}
	clean, problems := form.Check(b.settings, typed)
	if len(problems) > 0 {
		h.t.Fatalf("%s: %v", h.name, problems)
	}
	d, err := h.store.CreateDestination(ctx, h.ada, store.NewDestination{ID: models.NewID(), Environment: models.Sandbox, Spec: form.Spec(clean), Name: fmt.Sprint("Firma ", n), Purpose: "supplies",
		Register: []store.RegisterAt{{CredentialID: b.cred.ID, Provider: b.name, Book: book}}})
	if err != nil {
		h.t.Fatalf("%s: add a destination: %v", h.name, err)
	}
	h.note("destination %s is %s", d.ID, d.Masked)
	page, err := h.store.Destination(ctx, ines, models.Sandbox, d.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.store.Decide(ctx, h.as(ines), models.Sandbox, page.Request.ID, true, "", page.Request.Digest); err != nil && !people(err) {
		h.t.Fatalf("%s: approve a destination: %v", h.name, err)
	}
}

// forgottenEntries lists entries of books that nothing would ever move on and that no person is told of.
const forgottenEntries = `SELECT e.id || ' is ' || e.state FROM book_entries e WHERE (e.state IN ('to_add', 'to_edit', 'to_remove', 'asking') AND e.due_us = 0)
	OR (e.state IN ('missing', 'refused') AND NOT e.problem)
	OR (e.state = 'sending' AND NOT EXISTS (SELECT 1 FROM book_attempts a WHERE a.entry_id = e.id AND a.state = 'open'))
	OR (e.state <> 'sending' AND EXISTS (SELECT 1 FROM book_attempts a WHERE a.entry_id = e.id AND a.state = 'open'))`

// settlesDestinations lets the books be read until nothing is under way, and has people register again what was proved absent.
func (h *house) settlesDestinations() {
	ctx := context.Background()
	for round := range 20 {
		for range 1500 {
			due, err := h.store.DueEntries(ctx, 100)
			if err != nil {
				h.t.Fatal(err)
			}
			if len(due) == 0 && h.count("SELECT COUNT(*) FROM book_attempts WHERE state = 'open'") == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		waits := h.texts("SELECT e.destination_id || ' ' || e.credential_id || ' ' || e.book FROM book_entries e JOIN destinations d ON d.id = e.destination_id WHERE e.state IN ('missing', 'refused') AND d.state = 'approved'")
		for _, line := range waits {
			var id, cred, book string
			if _, err := fmt.Sscan(line, &id, &cred, &book); err != nil {
				h.t.Fatal(err)
			}
			if err := h.store.RegisterDestination(ctx, h.as(ines), models.Sandbox, id, store.RegisterAt{CredentialID: cred, Provider: "wspn", Book: models.Book(book)}); err != nil && !people(err) {
				h.t.Fatalf("%s: register again: %v", h.name, err)
			}
		}
		if len(waits) == 0 && h.count("SELECT COUNT(*) FROM book_entries WHERE state IN ('to_add', 'to_edit', 'to_remove', 'sending', 'asking')") == 0 {
			return
		}
		h.leap([]time.Duration{31 * time.Second, 125 * time.Second, 10*time.Minute + time.Second}[min(round/2, 2)])
	}
}

// destinationsAreWhole is what must hold of the books in the end: what stands in ours as registered stands there once, and nothing else of ours does.
func destinationsAreWhole(h *house) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	b := h.agency()
	there := h.standsThere(b)
	for _, line := range h.texts(`SELECT e.id || ' ' || e.state || ' ' || d.state || ' ' || d.id || ' ' || (SELECT COUNT(*) FROM audit_entries x WHERE x.action = 'destination.register' AND x.noun_id = d.id)
		FROM book_entries e JOIN destinations d ON d.id = e.destination_id`) {
		var entry, state, stored, id string
		var agreed int
		if _, err := fmt.Sscan(line, &entry, &state, &stored, &id, &agreed); err != nil {
			h.t.Fatal(err)
		}
		page, err := h.store.Destination(context.Background(), ines, models.Sandbox, id)
		if err != nil {
			h.t.Fatal(err)
		}
		place := placeOf(page.Destination.Values)
		b.mu.Lock()
		asked := len(b.registrations[place])
		b.mu.Unlock()
		n := there[place]
		delete(there, place)
		says := func() string {
			return strings.Join(h.texts("SELECT sentence FROM destination_events WHERE destination_id = '"+id+"' ORDER BY id"), " | ")
		}
		switch {
		case n > 1:
			add("%s stands there %d times: %s", place, n, says())
		case asked > 1+agreed:
			add("%s was asked for %d times, and people agreed to %d: %s", place, asked, 1+agreed, says())
		case stored == "approved" && (state != "listed" || n != 1), stored != "approved" && (state != "gone" || n != 0):
			add("%s is %s, its entry is %s in our books, and it stands there %d times: %s", place, stored, state, n, says())
		}
	}
	for place, n := range there {
		add("%s stands there %d times and in no book of ours", place, n)
	}
	return faults
}

// standsThere reads WSPN's books by a client that the engine never touched, but for what the stand-in had from the beginning.
func (h *house) standsThere(b *box) map[string]int {
	client, err := b.client()
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string]int{}
	read := func(list func(context.Context) ([]providers.Entry, error)) {
		for try := 0; ; try++ { // a mishap that waited for a reading of the engine's may hit ours
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			entries, err := list(ctx)
			cancel()
			if err != nil && try < 8 {
				continue
			}
			if err != nil {
				h.t.Fatalf("%s: %v", h.name, err)
			}
			for _, e := range entries {
				if place := placeOf(e.Values); len(b.registrations[place]) > 0 {
					out[place]++
				}
			}
			return
		}
	}
	read(client.(providers.AddressBook).Addresses)        //nolint:forcetypeassert // it keeps both books
	read(client.(providers.BankAccountBook).BankAccounts) //nolint:forcetypeassert // the same
	return out
}

func placeOf(values map[string]string) string {
	return strings.ToLower(values["network"] + values["address"] + values["account"])
}

// countRegistrations counts, on the road, how often each address and account is asked for, by request ids: the same one may come again with a new token,
// after the old one was refused. What is held back is counted when it arrives.
func (b *box) countRegistrations(r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, bookWrites[0]) && !strings.HasSuffix(r.URL.Path, bookWrites[1]) {
		return
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var sent struct {
		Query struct{ Network, Address, BeneficiaryAccount, RequestID string } `json:"query"`
	}
	if err != nil || json.Unmarshal(body, &sent) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.registrations == nil {
		b.registrations = map[string]map[string]bool{}
	}
	place := strings.ToLower(sent.Query.Network + sent.Query.Address + sent.Query.BeneficiaryAccount)
	if b.registrations[place] == nil {
		b.registrations[place] = map[string]bool{}
	}
	b.registrations[place][sent.Query.RequestID] = true
}
