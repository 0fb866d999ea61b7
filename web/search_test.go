package web_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
)

func (o *office) find(t *testing.T, token, text string) []views.SearchResult {
	t.Helper()
	got := o.get(t, "/search?q="+url.QueryEscape(text), token, "Accept", "application/json")
	if got.StatusCode != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("search for %q: %d %s", text, got.StatusCode, got.Header.Get("Content-Type"))
	}
	var body struct{ Results []views.SearchResult }
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	return body.Results
}

func TestSearchFindsWhatThePersonMaySee(t *testing.T) {
	o := openOffice(t)
	x := o.payout(t, o.fay, 184_000, "João Silva", "")
	o.pay(t, x, o.gil)
	for _, c := range []struct{ who, text, kind, label string }{
		{o.fay.Token, x.Reference[:8], "Transactions", x.Reference},
		{o.fay.Token, strings.ToLower(x.Reference), "Transactions", x.Reference},
		{o.fay.Token, "p-" + x.Reference, "Transactions", x.Reference},
		{o.fay.Token, "onek", "Credentials", "OneKey cashouts"},
		{o.fay.Token, "new pay", "Commands", "New payout"},
		{o.cora.Token, "hana", "People", "Hana Finance"},
		{o.ada.Token, "GIL@", "People", "Gil Finance"},
		{o.ada.Token, "policy", "Commands", "New approval rule"},
	} {
		found := o.find(t, c.who, c.text)
		if len(found) != 1 || found[0].Kind != c.kind || found[0].Label != c.label || !strings.HasPrefix(found[0].Href, "/") {
			t.Errorf("%q finds %+v, want %s %s", c.text, found, c.kind, c.label)
		}
	}
	for _, c := range []struct{ name, who, text string }{{"finance looks for people", o.fay.Token, "hana"}, {"an auditor looks for commands", o.otto.Token, "new pay"}, {"nothing", o.fay.Token, ""},
		{"wild cards", o.ada.Token, "%"}, {"two letters of a reference", o.fay.Token, "CH"}, {"markup", o.fay.Token, hostile}, {"control characters", o.fay.Token, "a\x00b"}} {
		if found := o.find(t, c.who, c.text); len(found) != 0 {
			t.Errorf("%s: %+v", c.name, found)
		}
	}
	page := o.get(t, "/search?q="+url.QueryEscape(hostile), o.fay.Token)
	page.noMarkup(t)
	page.says(t, "#content", "Nothing was found")
	if got := o.get(t, "/search?q="+x.Reference, o.fay.Token); got.Header.Get("Location") != "/transactions/"+x.ID {
		t.Errorf("a whole reference leads to %q", got.Header.Get("Location"))
	}
	o.get(t, "/search?q=appro", o.ada.Token).says(t, "#results", "Pages", "Approvals")
	if _, err := o.store.FindPeople(t.Context(), o.fay.Actor(o.store), "a"); !models.Is(err, models.Forbidden) {
		t.Errorf("the store tells finance who works here: %v", err)
	}
}

func TestTheLedgerShowsEveryAccountAndItsEntries(t *testing.T) {
	o := openOffice(t)
	for i := range 3 {
		o.pay(t, o.payout(t, o.fay, int64(100_00+i), "Person "+string(rune('A'+i)), ""), o.gil)
	}
	o.get(t, "/balances/ledger", o.otto.Token).says(t, "#content", "OneKey, OneKey cashouts", "BRL−300.03", "300.03")
	path := "/balances/ledger/entries?credential=" + o.cred.ID + "&account=paid_out&asset=BRL"
	o.get(t, path, o.otto.Token).says(t, "#entries", "+100.02 BRL", "+100.01 BRL", "+100.00 BRL", "Person A")
	for _, bad := range []string{"", "?credential=" + o.cred.ID + "&account=nonsense&asset=BRL", "?credential=x&account=paid_out&asset=BRL"} {
		if got := o.get(t, "/balances/ledger/entries"+bad, o.otto.Token); got.StatusCode != 404 {
			t.Errorf("%q: %d", bad, got.StatusCode)
		}
	}
	f := store.LedgerFilter{Environment: models.Sandbox, CredentialID: o.cred.ID, Account: models.PaidOut, Asset: "BRL", Limit: 2}
	first, newer, older, err := o.store.LedgerEntries(t.Context(), o.otto.Actor(o.store), f)
	if err != nil || newer || !older || len(first) != 2 {
		t.Fatalf("%d entries, newer %v, older %v, %v", len(first), newer, older, err)
	}
	f.After = first[1].ID
	rest, newer, older, err := o.store.LedgerEntries(t.Context(), o.otto.Actor(o.store), f)
	if err != nil || !newer || older || len(rest) != 1 || rest[0].Money.Minor != 100_00 {
		t.Errorf("the rest: %+v, newer %v, older %v, %v", rest, newer, older, err)
	}
	f.After, f.Before = "", rest[0].ID
	back, newer, older, err := o.store.LedgerEntries(t.Context(), o.otto.Actor(o.store), f)
	if err != nil || newer || !older || !reflect.DeepEqual(back, first) {
		t.Errorf("the way back: %+v, newer %v, older %v, %v", back, newer, older, err)
	}
	f.Before = first[1].ID
	if one, newer, older, err := o.store.LedgerEntries(t.Context(), o.otto.Actor(o.store), f); err != nil || newer || !older || len(one) != 1 || one[0].ID != first[0].ID {
		t.Errorf("the newest from the second: %+v, newer %v, older %v, %v", one, newer, older, err)
	}
	o.get(t, path+"&after="+first[0].ID, o.otto.Token).says(t, "main", "← newer", "Newest")
	if _, _, _, err := o.store.LedgerEntries(t.Context(), models.Actor{UserID: "x"}, f); !models.Is(err, models.Forbidden) {
		t.Errorf("the books are open to anybody: %v", err)
	}
}

func TestAFilterIsKeptUnderANameAndItsTimesStayRelative(t *testing.T) {
	o := openOffice(t)
	keep := func(token, name, query, shared string) answer {
		return o.post(t, "/views", token, url.Values{"base": {"/payouts"}, "name": {name}, "query": {query}, "shared": {shared}, "back": {"/payouts"}})
	}
	keep(o.fay.Token, "Mine this week "+hostile, "when=7d&state=failed", "")
	keep(o.fay.Token, "Unknown", "state=unknown", "1")
	page := o.get(t, "/payouts?state=failed&when=7d", o.fay.Token)
	page.noMarkup(t)
	page.says(t, ".chips", "Mine this week", "View: Mine this week", "Remove “Unknown”")
	others := o.get(t, "/transactions", o.gil.Token)
	others.says(t, ".chips", "Unknown", "by Fay Finance")
	if strings.Contains(others.body, "Mine this week") || strings.Contains(others.body, "Remove “Unknown”") {
		t.Error("a personal view is shown to others, or a shared one can be removed by them")
	}
	if href := others.doc(t).Find(".pop-item:contains(Unknown)").First().AttrOr("href", ""); href != "/payouts?state=unknown" {
		t.Errorf("the view leads to %q", href)
	}
	mine, err := o.store.SavedViews(t.Context(), o.fay.Actor(o.store))
	if err != nil || len(mine) != 2 || mine[0].Query != "state=failed&when=7d" {
		t.Fatalf("views: %+v, %v", mine, err)
	}
	for _, v := range mine {
		if got := o.post(t, "/views/"+v.ID+"/delete", o.gil.Token, nil); got.StatusCode != 403 && got.StatusCode != 404 {
			t.Errorf("somebody else removed %s: %d", v.Name, got.StatusCode)
		}
	}
	o.post(t, "/views/"+mine[0].ID+"/delete", o.fay.Token, nil)
	if err := o.store.RemoveView(t.Context(), o.ada.Actor(o.store), mine[1].ID); err != nil {
		t.Errorf("an admin cannot tidy up: %v", err)
	}
	if left, _ := o.store.SavedViews(t.Context(), o.fay.Actor(o.store)); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	for _, bad := range []url.Values{{"base": {"//evil.example"}, "name": {"x"}}, {"base": {"/people"}, "name": {"x"}}, {"base": {"/payouts"}, "name": {" "}}, {"base": {"/payouts"}, "name": {"x"}, "query": {"state=nonsense"}},
		{"base": {"/payouts"}, "name": {"x"}, "query": {"a;b=%zz"}}} {
		bad.Set("back", "https://evil.example")
		got := o.post(t, "/views", o.fay.Token, bad)
		if got.Header.Get("Location") != "/transactions" {
			t.Errorf("%v leads to %q", bad, got.Header.Get("Location"))
		}
	}
	if left, _ := o.store.SavedViews(t.Context(), o.fay.Actor(o.store)); len(left) != 0 {
		t.Errorf("a view that makes no sense was kept: %+v", left)
	}
}
