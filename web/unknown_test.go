package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// exec changes the database behind the program's back: it puts what happened further into the past, or a second factor out of date.
func (s *tableHouse) exec(query string, args ...any) {
	s.Helper()
	if _, err := s.store.WriteDB().ExecContext(s.Context(), query, args...); err != nil {
		s.Fatal(err)
	}
}

// dropPayout makes a payout that OneKey never gets to see, an hour ago, so that the answer "not found" may be believed.
func dropPayout(t *testing.T) (s *tableHouse, id string) {
	t.Helper()
	s = &tableHouse{keyHouse: openKeys(t)}
	s.gil = s.session(t, storetest.Add(t, s.store, "gil@example.com", "Gil", models.Finance))
	s.control("autosettle", url.Values{"outcome": {"off"}})
	s.cred = s.add("OneKey main")
	s.control("fault", url.Values{"operation": {"payout"}, "kind": {"drop_before"}})
	id = s.make("payout", "br_pix_cpf", "12", url.Values{"asset": {"BRL"}, "v.beneficiary_name": {"Ana Souza"}, "v.document_id": {"34167211017"}})
	r := s.wait(id, "it waits for people", func(p *models.TransactionPage) bool { return len(p.Approvals) > 0 }).Approvals[0]
	s.send(s.gil, "/approvals/"+r.ID+"/approve", url.Values{"digest": {r.Digest}})
	s.until(id, models.Unknown)
	return s, id
}

// hear asks OneKey, an hour after the sending as it now seems, until it has said twice that it knows nothing.
func (s *tableHouse) hear(id string) {
	s.Helper()
	s.exec("UPDATE transactions SET sent_us = sent_us - 3600000000 WHERE id = $1", id)
	for n := 1; n <= 2; n++ {
		s.send(s.finance, "/transactions/"+id+"/ask", nil)
		s.wait(id, "OneKey says that it knows nothing", func(p *models.TransactionPage) bool {
			have := 0
			for _, e := range p.Evidence {
				if e.Source == "asked" && e.Result == "not_found" {
					have++
				}
			}
			return have >= n
		})
	}
}

// request is the open request of a subject about a transaction.
func (s *tableHouse) request(id, subject string) models.ApprovalRequest {
	s.Helper()
	return s.wait(id, "the request "+subject, func(p *models.TransactionPage) bool {
		return len(p.Approvals) > 0 && p.Approvals[0].Subject == subject && p.Approvals[0].State == "open"
	}).Approvals[0]
}

// stale makes everybody's second factor too old.
func (s *tableHouse) stale() { s.exec("UPDATE sessions SET step_up_us = 1") }

func TestSendingAgainNeedsTwoClearAnswersAReasonAndASecondPersonWithASecondFactor(t *testing.T) {
	s, id := dropPayout(t)
	page := "/transactions/" + id
	d, _ := s.send(s.finance, page+"/resend", url.Values{"reason": {"I am sure"}})
	s.says(d, "Not possible yet: it needs two clear answers")
	s.hear(id)
	s.says(s.see(s.finance, page), "late enough to be believed", "Ask a second person to send 12.00 BRL again")
	if a := s.post(t, page+"/resend", s.admin, url.Values{"reason": {"x"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin asks for it: %d", a.StatusCode)
	}
	s.send(s.finance, page+"/resend", url.Values{"reason": {""}})
	if p := s.until(id, models.Unknown); p.Approvals[0].Subject != "transaction" {
		t.Error("a request without a reason was filed")
	}
	s.send(s.finance, page+"/resend", url.Values{"reason": {"OneKey says twice that it has nothing " + hostile}})
	r := s.request(id, "resend")
	d, _ = s.send(s.finance, page+"/resend", url.Values{"reason": {"once more"}})
	s.says(d, "There is already an open request for this.")
	s.says(s.see(s.gil, "/approvals/"+r.ID), "Agree to send 12.00 BRL again", "OneKey says twice that it has nothing")
	if a := s.post(t, "/approvals/"+r.ID+"/approve", s.finance, url.Values{"digest": {r.Digest}}); a.StatusCode == http.StatusSeeOther {
		t.Error("whoever asked agreed")
	}
	s.stale()
	if a := s.post(t, "/approvals/"+r.ID+"/approve", s.gil, url.Values{"digest": {r.Digest}}); !strings.HasPrefix(a.Header.Get("Location"), "/step-up") {
		t.Errorf("agreed without a fresh second factor: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	s.until(id, models.Unknown)
	s.gil = s.session(t, storetest.Add(t, s.store, "hal@example.com", "Hal", models.Finance))
	s.send(s.gil, "/approvals/"+r.ID+"/approve", url.Values{"digest": {r.Digest}})
	story := s.until(id, models.Pending)
	var sent []string
	for _, a := range story.Attempts {
		sent = append(sent, a.Reference+" "+string(a.State))
	}
	if ref := story.Transaction.Reference; strings.Join(sent, ", ") != ref+" unknown, "+ref+" accepted" {
		t.Errorf("the attempts: %s", sent)
	}
}

func TestDeclaringThatNothingWasCreatedNeedsASecondPersonAndEndsIt(t *testing.T) {
	s, id := dropPayout(t)
	page := "/transactions/" + id
	d, _ := s.send(s.finance, page+"/give-up", url.Values{"reason": {"I am sure"}})
	s.says(d, "Not before 15 minutes have passed")
	s.hear(id)
	if a := s.post(t, page+"/give-up", s.admin, url.Values{"reason": {"x"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin asks for it: %d", a.StatusCode)
	}
	s.send(s.finance, page+"/give-up", url.Values{"reason": {"Nothing in the panel"}})
	r := s.request(id, "give_up")
	s.says(s.see(s.gil, "/approvals/"+r.ID), "Agree that nothing was created", "Nothing in the panel")
	s.send(s.gil, "/approvals/"+r.ID+"/reject", url.Values{"digest": {r.Digest}, "reason": {"Look again"}})
	s.until(id, models.Unknown)
	s.says(s.see(s.finance, page), "Gil refused: Look again")
	s.send(s.finance, page+"/give-up", url.Values{"reason": {"Nothing in the panel, twice"}})
	r = s.request(id, "give_up")
	s.send(s.gil, "/approvals/"+r.ID+"/approve", url.Values{"digest": {r.Digest}})
	s.until(id, models.Failed)
	s.says(s.see(s.finance, page), "Declared as never created by Fay and Gil")
	d, _ = s.send(s.finance, page+"/resend", url.Values{"reason": {"after all"}})
	s.says(d, "The outcome is not unknown.")
}

func TestOpeningASubAccountAgainNeedsTheListsASecondFactorAndAnAdmin(t *testing.T) {
	s := &tableHouse{keyHouse: openProvider(t, "wspn", map[string]string{"api_key": "canary-wspn-key-01", "api_secret": "canary-wspn-secret-01", "client_id": "100200"})}
	delete(s.hidden, "client_id") // no secret: pages show it
	ines := s.session(t, storetest.Add(t, s.store, "ines@example.com", "Ines", models.Compliance))
	_, at := s.send(s.admin, "/credentials", url.Values{"provider": {"wspn"}, "environment": {"sandbox"}, "name": {"WSPN main"}, "f.base_url": {s.sandbox.URL}, "do": {"save"},
		"f.client_id": {"100200"}, "f.api_key": {"canary-wspn-key-01"}, "f.api_secret": {"canary-wspn-secret-01"}})
	s.cred = strings.TrimPrefix(at, "/credentials/")
	s.send(s.admin, at+"/test", url.Values{"slot": {"current"}})
	s.send(s.admin, at+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}})
	s.control("fault", url.Values{"operation": {"sub-account"}, "kind": {"drop_before"}})
	form := url.Values{"credential": {s.cred}, "name": {"Casa Azul"}, "v.company": {"Casa Azul Comércio Ltda"}, "v.country": {"BRA"}, "v.type": {"4"}, "v.email": {"ops@casa-azul.example"}, "v.username": {"casa-azul"}}
	for k, v := range form {
		if name, ok := strings.CutPrefix(k, "v."); ok {
			form[name] = v
		}
	}
	d, _ := s.send(ines, "/sub-accounts/review", form)
	for _, in := range d.Find(`form[action="/sub-accounts"] input[type=hidden]`).EachIter() {
		form.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	}
	d, at = s.send(ines, "/sub-accounts", form)
	if !strings.HasPrefix(at, "/sub-accounts/") {
		t.Fatalf("no sub-account was made: %s", text(d))
	}
	id := strings.TrimPrefix(at, "/sub-accounts/")
	s.keyHouse.until("the answer is lost", func() bool { return strings.Contains(text(s.see(ines, at)), "lost") })
	d, _ = s.send(ines, at+"/resend", url.Values{"reason": {"I am sure"}})
	s.says(d, "it can be sent again only when the provider's lists have shown that it was not created")

	s.exec("UPDATE sub_accounts SET state = 'absent', missed = 3 WHERE id = $1", id) // what three complete lists lead to
	d, _ = s.send(ines, at+"/resend", url.Values{"reason": {""}})
	s.says(d, "Write what convinced you that nothing was created.")
	if a := s.post(t, at+"/resend", s.finance, url.Values{"reason": {"x"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("finance sends it again: %d", a.StatusCode)
	}
	d, _ = s.send(ines, at+"/resend", url.Values{"reason": {"Three lists do not show it " + hostile}})
	s.says(d, "An admin must agree now.")
	d = s.see(s.admin, "/people")
	s.says(d, "Send the sub-account for Casa Azul Comércio Ltda (casa-azul) to the provider again")
	action := d.Find(`form[action$="/approve"], form[action$="/agree"], form[action*="/changes/"]`).First().AttrOr("action", "")
	s.stale()
	if a := s.post(t, at+"/resend", ines, url.Values{"reason": {"x"}}); !strings.HasPrefix(a.Header.Get("Location"), "/step-up") {
		t.Errorf("without a fresh second factor: %d", a.StatusCode)
	}
	bob := s.session(t, s.bob)
	values := url.Values{}
	for _, in := range d.Find(`form[action="` + action + `"] input[type=hidden]`).EachIter() {
		values.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	}
	s.send(bob, action, values)
	s.keyHouse.until("it is open", func() bool { return strings.Contains(text(s.see(s.session(t, s.ada), at)), "agreed by Bob") })
}
