package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// tableForm is what the form of single places would post, as it stands.
func tableForm(t *testing.T, d *goquery.Document) url.Values {
	t.Helper()
	f := url.Values{}
	form := d.Find(`form[action$="/table/edit"]`)
	form.Find("input[type=hidden], input[type=text], textarea").Each(func(_ int, s *goquery.Selection) {
		v, has := s.Attr("value")
		if !has {
			v = s.Text()
		}
		f.Add(s.AttrOr("name", ""), v)
	})
	form.Find("select").Each(func(_ int, s *goquery.Selection) {
		f.Add(s.AttrOr("name", ""), s.Find("option[selected]").AttrOr("value", s.Find("option").First().AttrOr("value", "")))
	})
	if len(f) < 30 {
		t.Fatalf("the form has only %d fields", len(f))
	}
	return f
}

func TestAnotherTableIsReviewedAgreedToAndThenUsed(t *testing.T) {
	s := openAeterna(t)
	page := "/credentials/" + s.cred + "/table"
	d := s.see(s.finance, page)
	s.says(d, "Profile L", "assumed", "/api/payout/create", "Create a PayOut: what is sent", "recipient.number", "Statuses of a deposit", "Awaiting payment", "number 1, in force")
	if d.Find(`a[href="`+page+`/edit"]`).Length() != 0 {
		t.Error("finance is offered to change the table")
	}
	if a := s.post(t, page+"/edit", s.finance, url.Values{"do": {"ask"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("finance changes the table: %d", a.StatusCode)
	}

	f := tableForm(t, s.see(s.admin, page+"/edit"))
	f.Set("do", "check")
	d, _ = s.send(s.admin, page+"/edit", f)
	s.says(d, "Nothing would change")
	f.Set("e.operations/payout.create/path", "http://evil.example/pay")
	d, at := s.send(s.admin, page+"/edit", f)
	if s.says(d, "operations.payout.create.path must begin with a slash"); at != "" || d.Find(`input[value="http://evil.example/pay"]`).Length() != 1 {
		t.Error("what was typed wrong is gone")
	}
	f.Set("e.operations/payout.create/path", "/v2/payouts")
	f["p.statuses/payout.theirs"] = append(f["p.statuses/payout.theirs"], "PAID <b>")
	f["p.statuses/payout.ours"] = append(f["p.statuses/payout.ours"], "succeeded")
	d, _ = s.send(s.admin, page+"/edit", f)
	s.says(d, `− "path": "/api/payout/create"`, `+ "path": "/v2/payouts"`, "payout.create, changed", "POST "+s.sandbox.URL+"/v2/payouts", `"PAID <b>": "succeeded"`, "lines are the same")
	if strings.Contains(text(d), aeternaKeys["public_token"]) {
		t.Error("the preview shows the token")
	}
	ask := url.Values{"reason": {"Their list of 22 November"}, "do": {"ask"}}
	d.Find(`form[action$="/table/edit"] input[type=hidden]`).Each(func(_ int, x *goquery.Selection) { ask.Add(x.AttrOr("name", ""), x.AttrOr("value", "")) })
	d, at = s.send(s.admin, page+"/edit", ask)
	if s.says(d, "A second admin must agree now. Nothing has changed yet.", "Another table waits for a second admin", "Another admin decides", "Their list of 22 November"); at != page {
		t.Errorf("asking led to %q", at)
	}
	if got := s.force(); got != "" {
		t.Fatalf("before anybody agreed, the table is %q", got)
	}
	s.says(s.see(s.ben, "/providers"), "Change the operation table")
	s.says(s.see(s.ben, "/credentials/"+s.cred), "See what would change, and decide")
	d = s.see(s.ben, page)
	s.says(d, "/v2/payouts", "Agree: send by this table")
	decide := d.Find(`form[action$="/decide"]`).AttrOr("action", "")
	if a := s.post(t, decide, s.admin, url.Values{"decision": {"agree"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("who asked agreed: %d", a.StatusCode)
	}
	d, _ = s.send(s.ben, decide, url.Values{"decision": {"agree"}})
	s.says(d, "Agreed. It is done.", "number 2, in force", "a table of this credential", "Bob agreed to it")
	if got := s.force(); !strings.Contains(got, `"/v2/payouts"`) || !strings.Contains(got, `PAID`) {
		t.Fatalf("in force is %q", got)
	}
	version := d.Find(`#versions a`).AttrOr("href", "")
	s.says(s.see(s.finance, version), "Compared with the version before", "+", "/v2/payouts", "Their list of 22 November")
	if a := s.get(t, page+"/versions/"+models.NewID(), s.finance); a.StatusCode != http.StatusNotFound {
		t.Errorf("a version that is not there: %d", a.StatusCode)
	}

	// The general form changes other settings and leaves the table alone.
	edit := url.Values{"do": {"save"}, "version": {"3"}, "f.base_url": {s.sandbox.URL}, "f.public_token": {aeternaKeys["public_token"]}, "f.email": {aeternaKeys["email"]},
		"s.callback_hex_case": {"lower"}, "s.operation_table": {""}}
	edit.Set("version", s.see(s.admin, "/credentials/"+s.cred+"/edit").Find(`input[name=version]`).AttrOr("value", ""))
	d, _ = s.send(s.admin, "/credentials/"+s.cred+"/edit", edit)
	if s.says(d, "Changed. Test the keys again"); !strings.Contains(s.force(), "/v2/payouts") {
		t.Error("the general form took the table away")
	}
}

// force is the setting of the table in force.
func (s *tableHouse) force() string {
	s.Helper()
	c, err := s.store.CredentialForTask(s.Context(), s.cred)
	if err != nil {
		s.Fatal(err)
	}
	return c.Settings[models.OperationTable]
}

// install brings a table into force, as two admins would.
func (s *tableHouse) install(change func(string) string) {
	s.Helper()
	page := "/credentials/" + s.cred + "/table"
	f := url.Values{"as": {"text"}, "do": {"ask"}}
	d := s.see(s.admin, page+"/edit?as=text")
	f.Set("text", change(d.Find("textarea[name=text]").Text()))
	f.Set("version", d.Find("input[name=version]").AttrOr("value", ""))
	if d, at := s.send(s.admin, page+"/edit", f); at == "" {
		s.Fatal(text(d))
	}
	d, _ = s.send(s.ben, s.see(s.ben, page).Find(`form[action$="/decide"]`).AttrOr("action", ""), url.Values{"decision": {"agree"}})
	s.says(d, "Agreed. It is done.")
}

func TestWhatIsOnItsWayIsAskedWithTheTableInForce(t *testing.T) {
	s := openAeterna(t)
	id := s.make("deposit", "payin_card", "1200", url.Values{"v.client_id": {"customer-9"}})
	before := s.until(id, models.AwaitingPayment).Transaction
	s.install(func(text string) string {
		text = strings.Replace(text, `"completed": "succeeded", "cancelled": "cancelled", "expired"`, `"settled": "succeeded", "cancelled": "cancelled", "expired"`, 1)
		return strings.Replace(text, `"id": "payin_card", "kind": "deposit", "title": "PayIn to a card"`, `"id": "payin_any", "kind": "deposit", "title": "PayIn by any card"`, 1)
	})
	s.control("settle", url.Values{"reference": {before.Reference}, "status": {"paid"}})
	s.send(s.finance, "/transactions/"+id+"/ask", nil)
	for range 200 { // its word is not in the table in force: it changes nothing and somebody must look
		if story := s.until(id, models.AwaitingPayment); story.Transaction.Alert != "" {
			break
		}
	}
	s.says(s.see(s.finance, "/transactions/"+id), `The provider's status "completed" is not one that we know`, "Payer's number with you", "customer-9")
	s.says(s.see(s.finance, "/deposits/new"), "PayIn by any card")
	s.install(func(text string) string {
		return strings.Replace(text, `"settled": "succeeded"`, `"completed": "succeeded"`, 1)
	})
	s.send(s.finance, "/transactions/"+id+"/ask", nil)
	s.until(id, models.Succeeded)
}

func TestHostileTablesAreRefusedInWords(t *testing.T) {
	s := openAeterna(t)
	page := "/credentials/" + s.cred + "/table"
	version := s.see(s.admin, page+"/edit").Find("input[name=version]").AttrOr("value", "")
	for name, text := range map[string]string{"no JSON": `{"format": 1,`, "a bomb": strings.Repeat(`{"a":`, 500), "markup": `{"format":1,"title":"` + hostile + `"}`, "a list": `[]`,
		"a key twice": `{"format":1,"format":1}`, "too long": `{"title":"` + strings.Repeat("x", 70000) + `"}`, "NUL": "{\x00}", "bytes that are no text": "{\xff\xfe}"} {
		a := s.note(s.post(t, page+"/edit", s.admin, url.Values{"as": {"text"}, "do": {"ask"}, "version": {version}, "text": {text}}))
		if a.StatusCode != http.StatusUnprocessableEntity || len(a.doc(t).Find(".errors").Text()) < 20 {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
		a.noMarkup(t)
	}
	if a := s.get(t, "/credentials/"+s.cred+"/table", s.session(t, storetest.Add(t, s.store, "rhea@example.com", "Rhea", models.Auditor))); a.StatusCode != http.StatusOK {
		t.Errorf("an auditor reads the table: %d", a.StatusCode)
	}
	h := openKeys(t)
	if a := h.get(t, "/credentials/"+h.add("Main")+"/table", h.admin); a.StatusCode != http.StatusNotFound {
		t.Errorf("a provider whose operations are code has a table: %d", a.StatusCode)
	}
	if got := s.force(); got != "" {
		t.Errorf("a hostile table is in force: %.100s", got)
	}
}
