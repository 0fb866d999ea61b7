package tasks_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
	"countinghouse/providers/all"
)

// bookHouse is a house whose credential is at a stand-in that keeps books of destinations.
type bookHouse struct {
	*store.Store
	clock     *storetest.Clock
	money     *tasks.Money
	cred      models.Credential
	box       string // the stand-in's address
	provider  *providers.Provider
	fay, ines models.Actor
}

func eachBookHouse(t *testing.T, test func(t *testing.T, h *bookHouse)) {
	t.Helper()
	clock := storetest.NewClock()
	v := storetest.Vault(t)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		i := slices.IndexFunc(all.Registry().All(), func(p *providers.Provider) bool { return len(p.Description.Books()) == 2 })
		p := all.Registry().All()[i]
		values, secrets := map[string]string{"client_id": "100200300"}, map[string]string{"api_key": "k-0123456789", "api_secret": "s-0123456789abcdef"}
		keys := map[string]string{"client_id": "100200300", "api_key": "k-0123456789", "api_secret": "s-0123456789abcdef"}
		box := all.Sandboxes()[p.Description.Name](providers.SandboxOptions{Credential: keys, Seed: 3})
		server := httptest.NewServer(box)
		t.Cleanup(func() { server.Close(); _ = box.Close() })
		for _, site := range p.Description.Sites {
			values[site.Field] = server.URL + site.Prefix
		}
		tom := models.Actor{UserID: "u-tom", Name: "Tom", Roles: []models.Role{models.Admin}, StepUp: s.Now()}
		settings := map[string]string{}
		for k, x := range p.Description.Demo {
			settings[k] = x
		}
		cred, err := s.CreateCredential(t.Context(), tom, v, models.CredentialSpec{Provider: p.Description.Name, Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: "Main"}, Values: values, Secrets: secrets, Settings: settings})
		must(t, err)
		_, err = s.AskChange(t.Context(), tom, models.CredentialChange{CredentialID: cred.ID, Kind: models.ChangeActivate}, cred.Version)
		must(t, err)
		desk := tasks.NewDesk(tasks.DeskConfig{Store: s, Vault: v, Registry: all.Registry(), Recorder: tasks.NewRecorder(s, slog.New(slog.DiscardHandler)), Clock: time.Now})
		t.Cleanup(desk.Close)
		h := &bookHouse{Store: s, clock: clock, cred: cred, box: server.URL, provider: p, money: &tasks.Money{Store: s, Clients: desk, Log: slog.New(slog.DiscardHandler), Instance: "one"},
			fay: models.Actor{UserID: "u-fay", Name: "Fay", Roles: []models.Role{models.Finance}}, ines: models.Actor{UserID: "u-ines", Name: "Inês", Roles: []models.Role{models.Compliance}}}
		test(t, h)
	}, storetest.WithClock(clock), func(c *store.Config) { c.Vault = v })
}

func (h *bookHouse) tell(t *testing.T, what string, form url.Values) {
	t.Helper()
	res, err := http.PostForm(h.box+"/_sandbox/"+what, form) //nolint:noctx // the test's own stand-in
	must(t, err)
	defer res.Body.Close() //nolint:errcheck // only the status counts
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the stand-in refused to %s: %d", what, res.StatusCode)
	}
}

// executed says how often the stand-in wrote something, over all request ids, and whether one was used twice.
func (h *bookHouse) executed(t *testing.T) (n int) {
	t.Helper()
	res, err := http.Get(h.box + "/_sandbox/executions") //nolint:noctx // the test's own stand-in
	must(t, err)
	defer res.Body.Close() //nolint:errcheck // read to its end
	var by map[string]int
	must(t, json.NewDecoder(res.Body).Decode(&by))
	for ref, k := range by {
		if k > 1 {
			t.Errorf("%s was executed %d times", ref, k)
		}
		n += k
	}
	return n
}

// approved adds an address to be registered, agrees to it, and gives its id.
func (h *bookHouse) approved(t *testing.T, address string) string {
	t.Helper()
	form := providers.OnChainForm(models.Sandbox)
	clean, problems := form.Check(nil, map[string]string{"network": "Polygon", "address": address, "owner": "Us"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return h.agree(t, form.Spec(clean), models.AddressesBook)
}

func (h *bookHouse) agree(t *testing.T, spec models.DestinationSpec, book models.Book) string {
	t.Helper()
	d, err := h.CreateDestination(t.Context(), h.fay, store.NewDestination{ID: models.NewID(), Environment: models.Sandbox, Spec: spec, Name: "Treasury", Purpose: "Own",
		Register: []store.RegisterAt{{CredentialID: h.cred.ID, Provider: h.provider.Description.Name, Book: book}}})
	must(t, err)
	if n, err := h.DueEntries(t.Context(), 10); err != nil || len(n) != 0 {
		t.Fatalf("something is due before the approval: %v, %v", n, err)
	}
	ines := h.ines
	ines.StepUp = h.Now()
	r := h.page(t, d.ID).Request
	_, err = h.Decide(t.Context(), ines, models.Sandbox, r.ID, true, "", r.Digest)
	must(t, err)
	return d.ID
}

func (h *bookHouse) page(t *testing.T, id string) *store.DestinationPage {
	t.Helper()
	p, err := h.Destination(t.Context(), h.ines, models.Sandbox, id)
	must(t, err)
	return p
}

// work does what is due, as the sweep does.
func (h *bookHouse) work(t *testing.T) {
	t.Helper()
	_, err := h.money.Sweep(t.Context())
	must(t, err)
}

func (h *bookHouse) entry(t *testing.T, id string, want models.BookState) models.BookEntry {
	t.Helper()
	list := h.page(t, id).Entries
	if len(list) != 1 || list[0].State != want {
		t.Fatalf("the entry is %+v, want %s", list, want)
	}
	return list[0]
}

const polygon = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"

func TestAnApprovedDestinationIsRegisteredOnceAndTakenOutWhenRevoked(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		id := h.approved(t, polygon)
		h.work(t)
		h.work(t)
		e := h.entry(t, id, models.BookListed)
		if !e.Usable || e.EntryID == "" || e.Differs || h.executed(t) != 1 {
			t.Errorf("the entry is %+v after %d executions", e, h.executed(t))
		}
		if x := h.page(t, id).Attempts[e.ID]; len(x) != 1 || x[0].State != models.AttemptAccepted || x[0].Reference == "" {
			t.Errorf("attempts: %+v", x)
		}
		must(t, h.RevokeDestination(t.Context(), h.ines, models.Sandbox, id, "no longer ours"))
		h.work(t)
		h.entry(t, id, models.BookGone)
		if h.executed(t) != 2 {
			t.Errorf("%d executions", h.executed(t))
		}
	})
}

func TestALostAnswerIsSettledByTheListAndNeverByAddingAgain(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		h.tell(t, "fault", url.Values{"operation": {"/wallet-address/whitelist/add"}, "kind": {"lose_reply"}})
		id := h.approved(t, polygon)
		h.work(t)
		h.entry(t, id, models.BookAsking)
		h.clock.Advance(6 * time.Second)
		h.work(t)
		if e := h.entry(t, id, models.BookListed); !e.Usable || h.executed(t) != 1 {
			t.Errorf("%+v after %d executions", e, h.executed(t))
		}
		h.tell(t, "fault", url.Values{"operation": {"/wallet-address/whitelist/add"}, "kind": {"drop_before"}})
		never := h.approved(t, "0x8617E340B3D01FA5F11F306F4090FD50E238070D")
		h.work(t)
		for range 8 {
			h.clock.Advance(11 * time.Minute)
			h.work(t)
		}
		e := h.entry(t, never, models.BookMissing)
		if h.executed(t) != 1 {
			t.Fatalf("it was added again by itself: %d executions", h.executed(t))
		}
		ines := h.ines
		at := store.RegisterAt{CredentialID: e.CredentialID, Provider: e.Provider, Book: e.Book}
		if err := h.RegisterDestination(t.Context(), ines, models.Sandbox, never, at); !models.Is(err, models.StepUp) {
			t.Errorf("a second try without the second factor: %v", err)
		}
		ines.StepUp = h.Now()
		must(t, h.RegisterDestination(t.Context(), ines, models.Sandbox, never, at))
		h.work(t)
		h.entry(t, never, models.BookListed)
		if h.executed(t) != 2 {
			t.Errorf("%d executions", h.executed(t))
		}
	})
}

func TestAProcessThatDiesWhileItRegistersLeavesNothingTwice(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		for name, dies := range map[string]string{"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045": "book_after_intent", "0x8617E340B3D01FA5F11F306F4090FD50E238070D": "book_after_answer"} {
			id := h.approved(t, name)
			h.money.Step = func(step string) {
				if step == dies {
					panic("killed")
				}
			}
			func() {
				defer func() { _ = recover() }()
				_ = h.money.WriteBook(t.Context(), h.page(t, id).Entries[0].ID)
			}()
			h.money.Step = nil
			h.entry(t, id, models.BookSending)
			if n, err := h.LoseBookAttempts(t.Context(), "another process"); err != nil || n != 1 {
				t.Fatalf("%d lost: %v", n, err)
			}
			for range 8 {
				h.clock.Advance(11 * time.Minute)
				h.work(t)
			}
			want := models.BookListed
			if dies == "book_after_intent" { // not one byte left: a person decides
				want = models.BookMissing
			}
			h.entry(t, id, want)
		}
		if h.executed(t) != 1 {
			t.Errorf("%d executions", h.executed(t))
		}
	})
}

func TestWhatStandsOnlyThereIsAdoptedAndWhatDiffersIsShown(t *testing.T) {
	eachBookHouse(t, func(t *testing.T, h *bookHouse) {
		form, _ := h.provider.Description.EntryForm(models.Sandbox, nil, models.AccountsBook)
		values := map[string]string{"beneficiary_name": "Harbour Ltd", "beneficiary_address": "7 Temasek Boulevard", "bank_country": "SG", "bank_name": "DBS", "account": "0123456789", "currency": "USD", "bank_swift": "DBSSSGSG", "bank_address": "12 Marina Boulevard"}
		clean, problems := form.Check(nil, values)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		id := h.agree(t, form.Spec(clean), models.AccountsBook)
		h.work(t)
		e := h.entry(t, id, models.BookListed)
		if e.Differs {
			t.Fatal("our own entry differs from itself")
		}
		h.tell(t, "book", url.Values{"op": {"edit-account"}, "id": {e.EntryID}, "beneficiaryBankAddress": {"1 Raffles Place"}})
		h.tell(t, "book", url.Values{"op": {"add-address"}, "network": {"Viction"}, "address": {polygon}, "label": {"By hand"}})
		must(t, h.money.ReadBooks(t.Context(), h.cred.ID))
		if e = h.entry(t, id, models.BookListed); !e.Differs {
			t.Error("a changed address of the bank is not noticed")
		}
		books, err := h.Books(t.Context(), h.ines, models.Sandbox)
		must(t, err)
		if len(books.Drift) != 1 || books.Drift[0].Line.Values["bank_address"] != "1 Raffles Place" {
			t.Errorf("drift: %+v", books.Drift)
		}
		h.clock.Advance(25 * time.Hour)
		if _, _, err := h.UseDestination(t.Context(), h.fay, models.Sandbox, id, h.cred.ID, models.AccountsBook); !models.Is(err, models.Invalid) {
			t.Errorf("paid while both sides differ: %v", err)
		}
		ines := h.ines
		ines.StepUp = h.Now()
		must(t, h.PushDestination(t.Context(), ines, models.Sandbox, e.ID))
		h.work(t)
		if e = h.entry(t, id, models.BookListed); e.Differs {
			t.Error("after the change there they still differ")
		}
		i := slices.IndexFunc(books.Strange, func(l models.BookLine) bool { return l.Masked != "" && l.Title == "Viction address" && l.EntryID != "" })
		if i < 0 {
			t.Fatalf("what was added there is not seen: %+v", books.Strange)
		}
		var line models.BookLine
		for _, l := range books.Strange {
			if full, err := h.BookLine(t.Context(), h.fay, models.Sandbox, l.ID); err == nil && full.Values["address"] == polygon && full.Values["network"] == "Viction" {
				line = full
			}
		}
		before := h.executed(t)
		chain := providers.OnChainForm(models.Sandbox)
		own, problems := chain.Check(nil, map[string]string{"network": "Viction", "address": line.Values["address"], "owner": "Us"})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		d, err := h.AdoptLine(t.Context(), h.fay, models.Sandbox, line.ID, store.NewDestination{ID: models.NewID(), Spec: chain.Spec(own), Name: "By hand", Purpose: "Own"})
		must(t, err)
		h.entry(t, d.ID, models.BookListed)
		h.work(t)
		must(t, h.money.ReadBooks(t.Context(), h.cred.ID))
		if h.executed(t) != before {
			t.Error("adopting added it again")
		}
		if got := h.page(t, d.ID).State; got != models.DestinationWaiting {
			t.Errorf("what was adopted is %s without a second person", got)
		}
	})
}
