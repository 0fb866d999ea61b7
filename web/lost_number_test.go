package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// lostRefund is a house in which OneKey has carried out a refund, and the answer that named its number was lost.
type lostRefund struct {
	*tableHouse
	id, reference, page string
	deposit             string
}

// loseRefund pays a deposit, gives it back, and loses the answer. callbacks is how the stand-in sends them meanwhile.
func loseRefund(t *testing.T, callbacks string) *lostRefund {
	t.Helper()
	s := &lostRefund{tableHouse: &tableHouse{keyHouse: openKeys(t)}}
	s.gil = s.session(t, storetest.Add(t, s.store, "gil@example.com", "Gil", models.Finance))
	s.control("autosettle", url.Values{"outcome": {"off"}})
	s.cred = s.add("OneKey main")
	s.deposit = s.make("deposit", "dep_br_pix_quickpay", "100", url.Values{"asset": {"BRL"}})
	paid := s.until(s.deposit, models.AwaitingPayment).Transaction.Reference
	s.control("settle", url.Values{"reference": {paid}, "status": {"paid"}})
	s.send(s.finance, "/transactions/"+s.deposit+"/ask", nil)
	s.until(s.deposit, models.Succeeded)
	way := s.see(s.finance, "/refunds/new?of="+s.deposit).Find(`a[href*="method=refund_bank"]`).AttrOr("href", "")
	s.says(s.see(s.finance, way), "100.00 BRL of the deposit is left to give back.") // the way to it keeps the deposit
	s.control("webhooks", url.Values{"mode": {callbacks}})
	s.control("fault", url.Values{"operation": {"refund"}, "kind": {"lose_reply"}})
	s.id = s.make("refund", "refund_bank", "40", url.Values{"asset": {"BRL"}, "of": {s.deposit}, "v.beneficiary": {"Ana Souza"}, "v.bank_code": {"001"}, "v.branch": {"1234"},
		"v.account_number": {"7902817-6"}, "v.account_type": {"SAVING"}})
	s.page = "/transactions/" + s.id
	story := s.wait(s.id, "the refund waits for people, or went out", func(p *models.TransactionPage) bool {
		return len(p.Approvals) > 0 || p.Transaction.State == models.Unknown
	})
	if len(story.Approvals) > 0 {
		s.send(s.gil, "/approvals/"+story.Approvals[0].ID+"/approve", url.Values{"digest": {story.Approvals[0].Digest}})
	}
	s.reference = s.until(s.id, models.Unknown).Transaction.Reference
	return s
}

// executed is how often OneKey gave the money back.
func (s *lostRefund) executed() int {
	s.Helper()
	r, err := http.Get(s.sandbox.URL + "/_sandbox/executions") //nolint:noctx // our own stand-in
	if err != nil {
		s.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // only read
	var m map[string]int
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		s.Fatal(err)
	}
	return m[s.reference]
}

func TestALostRefundIsSettledByItsCallbackAndNeverSentAgain(t *testing.T) {
	s := loseRefund(t, "normal")
	d := s.see(s.finance, s.page)
	s.says(d, "its number with it", "OneKey’s callback names it, or two people who find it in OneKey’s panel", "OneKey finds a refund by its own number only, so it is never sent again.")
	if n := d.Find(`form[action$="/resend"]`).Length(); n != 0 {
		t.Error("a refund whose answer was lost can be sent again")
	}
	a := s.post(t, s.page+"/resend", s.finance, url.Values{"reason": {"again"}})
	if a.StatusCode == http.StatusOK && !strings.Contains(a.body, "never sent again") {
		t.Errorf("asking for it by hand: %d", a.StatusCode)
	}
	s.control("settle", url.Values{"reference": {s.reference}, "status": {"succeeded"}})
	story := s.until(s.id, models.Succeeded)
	if story.Transaction.ProviderRef == "" || s.executed() != 1 {
		t.Errorf("settled under %q, carried out %d times", story.Transaction.ProviderRef, s.executed())
	}
	s.says(s.see(s.finance, s.page), "asked about it, the provider names our reference")
	s.until(s.deposit, models.PartiallyRefunded)
}

func TestALostRefundWithoutACallbackIsNamedByTwoPeopleAndSettledByTheProvider(t *testing.T) {
	s := loseRefund(t, "off")
	theirs := s.numberInPanel(s.reference)
	if a := s.post(t, s.page+"/number", s.admin, url.Values{"number": {theirs}, "reason": {"panel"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin names a number: %d", a.StatusCode)
	}
	for _, bad := range []url.Values{{"number": {""}, "reason": {"panel"}}, {"number": {theirs}, "reason": {""}}, {"number": {"1\x00"}, "reason": {"panel"}}} {
		s.send(s.finance, s.page+"/number", bad)
		if p := s.wait(s.id, "it", func(*models.TransactionPage) bool { return true }); len(p.Approvals) > 0 && p.Approvals[0].Subject == "number" {
			t.Fatalf("%v became a request", bad)
		}
	}
	d, _ := s.send(s.finance, s.page+"/number", url.Values{"number": {theirs}, "reason": {"Panel, refunds of today " + hostile}})
	s.says(d, "Somebody else must agree now.", "Fay says that the provider has it as "+theirs)
	request := s.wait(s.id, "the request is open", func(p *models.TransactionPage) bool {
		return len(p.Approvals) > 0 && p.Approvals[0].Subject == "number"
	}).Approvals[0]
	if a := s.post(t, "/approvals/"+request.ID+"/approve", s.finance, url.Values{"digest": {request.Digest}}); a.StatusCode == http.StatusOK && s.until(s.id, models.Unknown) == nil {
		t.Error("the same person agreed")
	}
	s.says(s.see(s.gil, "/approvals/"+request.ID), "Agree to ask the provider about that number", theirs)
	s.send(s.gil, "/approvals/"+request.ID+"/approve", url.Values{"digest": {request.Digest}})
	s.control("settle", url.Values{"reference": {s.reference}, "status": {"succeeded"}})
	s.wait(s.id, "it has the number", func(p *models.TransactionPage) bool { return p.Transaction.ProviderRef == theirs })
	s.send(s.finance, s.page+"/ask", nil)
	s.until(s.id, models.Succeeded)
	if s.executed() != 1 {
		t.Errorf("carried out %d times", s.executed())
	}
}

func TestANumberOfAnotherRefundSettlesNothing(t *testing.T) {
	s := loseRefund(t, "off")
	other := s.make("deposit", "dep_br_pix_quickpay", "70", url.Values{"asset": {"BRL"}})
	paid := s.until(other, models.AwaitingPayment).Transaction.Reference
	s.control("settle", url.Values{"reference": {paid}, "status": {"paid"}})
	s.send(s.finance, "/transactions/"+other+"/ask", nil)
	s.until(other, models.Succeeded)
	id := s.make("refund", "refund_bank", "40", url.Values{"asset": {"BRL"}, "of": {other}, "v.beneficiary": {"Ana Souza"}, "v.bank_code": {"001"}, "v.branch": {"1234"},
		"v.account_number": {"7902817-6"}, "v.account_type": {"SAVING"}, "why": {"another payer"}})
	story := s.wait(id, "it waits or is on its way", func(p *models.TransactionPage) bool { return len(p.Approvals) > 0 || p.Transaction.ProviderRef != "" })
	if len(story.Approvals) > 0 {
		s.send(s.gil, "/approvals/"+story.Approvals[0].ID+"/approve", url.Values{"digest": {story.Approvals[0].Digest}})
	}
	theirs := s.wait(id, "OneKey has it", func(p *models.TransactionPage) bool { return p.Transaction.ProviderRef != "" }).Transaction.ProviderRef
	s.send(s.finance, s.page+"/number", url.Values{"number": {theirs}, "reason": {"Panel"}})
	request := s.wait(s.id, "the request is open", func(p *models.TransactionPage) bool {
		return len(p.Approvals) > 0 && p.Approvals[0].Subject == "number"
	}).Approvals[0]
	d, _ := s.send(s.gil, "/approvals/"+request.ID+"/approve", url.Values{"digest": {request.Digest}})
	s.says(d, theirs+" is the number of ")
	if p := s.until(s.id, models.Unknown); p.Transaction.ProviderRef != "" {
		t.Errorf("it was given the number %s of another refund", p.Transaction.ProviderRef)
	}
}

// numberInPanel reads the number that OneKey's own page shows beside a reference.
func (s *lostRefund) numberInPanel(reference string) string {
	s.Helper()
	r, err := http.Get(s.sandbox.URL + "/_sandbox/") //nolint:noctx // our own stand-in
	if err != nil {
		s.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // only read
	page, err := io.ReadAll(r.Body)
	if err != nil {
		s.Fatal(err)
	}
	_, after, ok := strings.Cut(string(page), "<td>"+reference+"<td>")
	if !ok {
		s.Fatal("the stand-in does not show the refund")
	}
	number, _, _ := strings.Cut(after, "<td>")
	return number
}
