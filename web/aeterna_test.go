package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// aeternaKeys are the keys of these tests at Aeterna. The token and the address are no secrets: pages show them.
var aeternaKeys = map[string]string{"public_token": "pk_test_0001", "secret_token": "canary-aeterna-000001", "email": "merchant@example.com"}

// tableHouse is a house with Aeterna's stand-in beside it, in which nothing happens by itself.
type tableHouse struct {
	*keyHouse
	cred string
	gil  string // the session of the second person from finance
	ben  string // of the second admin
}

func openAeterna(t *testing.T) *tableHouse {
	t.Helper()
	s := &tableHouse{keyHouse: openProvider(t, "aeterna", aeternaKeys)}
	s.hidden = map[string]string{"secret_token": aeternaKeys["secret_token"]}
	s.gil = s.session(t, storetest.Add(t, s.store, "gil@example.com", "Gil", models.Finance))
	s.ben = s.session(t, s.bob)
	s.control("autosettle", url.Values{"outcome": {"off"}})
	_, at := s.send(s.admin, "/credentials", url.Values{"provider": {"aeterna"}, "environment": {"sandbox"}, "name": {"Aeterna main"}, "f.base_url": {s.sandbox.URL}, "do": {"save"},
		"f.public_token": {aeternaKeys["public_token"]}, "f.email": {aeternaKeys["email"]}, "f.secret_token": {aeternaKeys["secret_token"]}})
	s.cred = strings.TrimPrefix(at, "/credentials/")
	d, _ := s.send(s.admin, at+"/test", url.Values{"slot": {"current"}})
	s.says(d, "Works")
	d, _ = s.send(s.admin, at+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}})
	s.says(d, "Done: Bring the credential into use")
	return s
}

// control works the stand-in.
func (s *tableHouse) control(path string, form url.Values) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.sandbox.URL+"/_sandbox/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest {
		s.Fatalf("%s: %d", path, res.StatusCode)
	}
}

// make goes from the form to the page of the transaction, as a person would, and gives its id.
func (s *tableHouse) make(kind, method, amount string, values url.Values) string {
	s.Helper()
	f := url.Values{"credential": {s.cred}, "method": {method}, "amount": {amount}, "asset": {"RUB"}}
	for k, v := range values {
		f[k] = v
	}
	d, _ := s.send(s.finance, "/"+kind+"s/review", f)
	for _, in := range d.Find(`form[action="/` + kind + `s"] input[type=hidden]`).EachIter() {
		f.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	}
	d, at := s.send(s.finance, "/"+kind+"s", f)
	if !strings.HasPrefix(at, "/transactions/") {
		s.Fatalf("no %s was made: %s", kind, text(d))
	}
	return strings.TrimPrefix(at, "/transactions/")
}

// until waits for the engine to bring a transaction to a state.
func (s *tableHouse) until(id string, want models.State) *models.TransactionPage {
	s.Helper()
	for range 400 {
		story, err := s.store.Transaction(s.Context(), s.fin.Actor(s.store), models.Sandbox, id)
		if err != nil {
			s.Fatal(err)
		}
		if story.Transaction.State == want {
			return story
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.Fatalf("it did not become %s:\n%s", want, text(s.see(s.finance, "/transactions/"+id)))
	return nil
}

func TestADisputeReopensAnExpiredPayIn(t *testing.T) {
	s := openAeterna(t)
	id := s.make("deposit", "payin_card", "1500", url.Values{"v.client_id": {"customer-7"}})
	page := "/transactions/" + id
	reference := s.until(id, models.AwaitingPayment).Transaction.Reference
	s.control("settle", url.Values{"reference": {reference}, "status": {"expired"}})
	s.send(s.finance, page+"/ask", nil)
	s.until(id, models.Expired)

	d := s.see(s.finance, page)
	s.says(d, "Dispute it at Aeterna", "If Aeterna agrees, it awaits its payment again.", "Open a dispute over 1,500.00 RUB", "customer-7")
	if n := s.see(s.admin, page).Find(`form[action$="/dispute"]`).Length(); n != 0 {
		t.Error("an admin is offered a dispute")
	}
	if a := s.post(t, page+"/dispute", s.admin, url.Values{"reason": {"x"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin disputes: %d", a.StatusCode)
	}
	d, _ = s.send(s.finance, page+"/dispute", url.Values{"reason": {"It was paid"}, "proof": {"http://example.com/slip.png"}})
	s.says(d, "Give the address of the evidence, beginning with https://")

	s.control("fault", url.Values{"operation": {"dispute"}, "kind": {"lose_reply"}})
	d, _ = s.send(s.finance, page+"/dispute", url.Values{"reason": {"Paid at noon " + hostile}, "proof": {"https://files.example.com/slip.png"}, "amount": {"1400"}})
	s.says(d, "Fay disputed it: Paid at noon")
	s.until(id, models.AwaitingPayment) // the answer was lost; the question found it reopened
	s.says(s.see(s.finance, page), "The answer to the wish to dispute it was lost", "https://files.example.com/slip.png", "Pay to")

	s.control("settle", url.Values{"reference": {reference}, "status": {"paid"}})
	s.send(s.finance, page+"/ask", nil)
	story := s.until(id, models.PartiallyPaid)
	if got := story.Transaction.Settled.String(); got != "1,400.00 RUB" {
		t.Errorf("really paid: %s", got)
	}
}

func TestADisputeThatIsAnsweredNamesItsNumber(t *testing.T) {
	s := openAeterna(t)
	id := s.make("deposit", "payin_card", "900", url.Values{"v.client_id": {"customer-8"}})
	page := "/transactions/" + id
	s.until(id, models.AwaitingPayment)
	s.send(s.finance, page+"/dispute", url.Values{"reason": {"Paid already"}})
	said := func(sentence string) {
		t.Helper()
		for range 200 {
			story, err := s.store.Transaction(t.Context(), s.fin.Actor(s.store), models.Sandbox, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range story.Events {
				if strings.Contains(e.Sentence, sentence) {
					return
				}
			}
			time.Sleep(25 * time.Millisecond)
		}
		t.Fatalf("nothing said %q:\n%s", sentence, text(s.see(s.finance, page)))
	}
	said("The dispute was accepted as ")
	s.send(s.finance, page+"/dispute", url.Values{"reason": {"Once more"}})
	said("The answer to the wish to dispute it was lost: The provider says that this reference is already taken")
	s.control("settle", url.Values{"reference": {s.until(id, models.AwaitingPayment).Transaction.Reference}, "status": {"paid"}})
	s.send(s.finance, page+"/ask", nil)
	s.until(id, models.Succeeded)
	if s.see(s.finance, page).Find("#dispute").Length() != 0 {
		t.Error("a deposit that was paid can be disputed")
	}
}

func TestTheSameCardByAnotherWayOfTheTableIsADuplicate(t *testing.T) {
	s := openAeterna(t)
	card := url.Values{"v.number": {"4111111111111111"}}
	first := s.make("payout", "payout_card", "700", card)
	f := url.Values{"credential": {s.cred}, "method": {"payout_account"}, "amount": {"700"}, "asset": {"RUB"}, "v.number": {"4111111111111111"}}
	d, _ := s.send(s.finance, "/payouts/review", f)
	s.says(d, "Paid already?")
	if d.Find(`a[href="/transactions/`+first+`"]`).Length() == 0 {
		t.Error("the review does not lead to the payout that went before")
	}
	for _, in := range d.Find(`form[action="/payouts"] input[type=hidden]`).EachIter() {
		f.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	}
	d, at := s.send(s.finance, "/payouts", f)
	if s.says(d, "Say why this one is meant too."); at != "" {
		t.Fatalf("it went through to %s", at)
	}
	f.Set("why", "A second invoice")
	if _, at = s.send(s.finance, "/payouts", f); !strings.HasPrefix(at, "/transactions/") {
		t.Fatal("a reason does not help")
	}
	story := s.until(strings.TrimPrefix(at, "/transactions/"), models.AwaitingApproval)
	d = s.see(s.gil, "/approvals/"+story.Approvals[0].ID)
	s.says(d, "A second invoice")
	if d.Find(`main a[href="/transactions/`+first+`"]`).Length() == 0 {
		t.Error("the checker does not see the payout that went before")
	}
}
