package web_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// wupexSecrets are the keys of the shop in these tests.
var wupexSecrets = map[string]string{"api_key": "canary-wupex-key-000001"}

// shop is a house with a seller of codes beside it and two people from finance.
type shop struct {
	*keyHouse
	cred string
	gil  string // the session of the second person from finance
}

func openShop(t *testing.T, settings ...string) *shop {
	t.Helper()
	s := &shop{keyHouse: openProvider(t, "wupex", wupexSecrets)}
	s.gil = s.session(t, storetest.Add(t, s.store, "gil@example.com", "Gil", models.Finance))
	s.cred = s.activate("Codes", settings...)
	return s
}

// activate writes a credential of the shop down and brings it into use.
func (s *shop) activate(name string, settings ...string) string {
	s.Helper()
	f := url.Values{"provider": {"wupex"}, "environment": {"sandbox"}, "name": {name}, "f.base_url": {s.sandbox.URL}, "do": {"save"},
		"f.api_key": {wupexSecrets["api_key"]}, "f.merchant": {"CH-MERCHANT"}}
	for i := 0; i+1 < len(settings); i += 2 {
		f.Set("s."+settings[i], settings[i+1])
	}
	_, at := s.send(s.admin, "/credentials", f)
	id := strings.TrimPrefix(at, "/credentials/")
	d, _ := s.send(s.admin, "/credentials/"+id+"/test", url.Values{"slot": {"current"}})
	s.says(d, "Works")
	d, _ = s.send(s.admin, "/credentials/"+id+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}})
	s.says(d, "Done: Bring the credential into use")
	return id
}

// control works the stand-in.
func (s *shop) control(path string, form url.Values) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.sandbox.URL+"/_sandbox"+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.Fatalf("%s: %d", path, res.StatusCode)
	}
}

func (s *shop) line(sku, quantity string) url.Values {
	return url.Values{"credential": {s.cred}, "method": {"codes"}, "sku": {sku}, "quantity": {quantity}}
}

// order goes from the form to the page of the transaction, as a person would, and gives its id.
func (s *shop) order(sku, quantity string, more ...string) string {
	s.Helper()
	d, _ := s.send(s.finance, "/orders/review", s.line(sku, quantity))
	f := url.Values{}
	for _, n := range []string{"credential", "method", "sku", "quantity", "note", "token", "amount", "asset"} {
		f.Set(n, d.Find(`form[action="/orders"] input[name=`+n+`]`).AttrOr("value", ""))
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	d, at := s.send(s.finance, "/orders", f)
	if !strings.HasPrefix(at, "/transactions/") {
		s.Fatalf("no order was made: %s", text(d))
	}
	return strings.TrimPrefix(at, "/transactions/")
}

// agree lets the second person approve a transaction.
func (s *shop) agree(id string) {
	s.Helper()
	story, err := s.store.Transaction(s.Context(), s.fin.Actor(s.store), models.Sandbox, id)
	if err != nil {
		s.Fatal(err)
	}
	r := story.Approvals[0]
	s.send(s.gil, "/approvals/"+r.ID+"/approve", url.Values{"digest": {r.Digest}})
}

// until waits for the engine to bring a transaction to a state.
func (s *shop) until(id string, want models.State) *models.TransactionPage {
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
	s.Fatalf("the order did not become %s:\n%s", want, text(s.see(s.finance, "/transactions/"+id)))
	return nil
}

func TestTheCatalogueShowsWhatCanBeBoughtAndFindsIt(t *testing.T) {
	s := openShop(t)
	d := s.see(s.finance, "/orders/new")
	s.says(d, "Apple Gift Card 10 USD", "APL-US-10USD", "36.75", "currency not stated", "5,000", "It is out of stock.", "It is not enabled for this account.", "12 products")
	if n := d.Find(`#products a[href*="RZR-GL-100USD"], #products a[href*="OLD-CARD-5"]`).Length(); n != 0 {
		t.Errorf("%d products that cannot be bought can be chosen", n)
	}
	d = s.see(s.finance, "/orders/new?q=apple+25")
	s.says(d, "Apple Gift Card 25 USD", "1 of 12 products fit the search")
	if n := d.Find("#products tbody tr").Length(); n != 1 {
		t.Errorf("the search leaves %d products, want 1", n)
	}
	d = s.see(s.finance, "/orders/new?q="+url.QueryEscape(hostile))
	s.says(d, "No product fits")
	if a := s.get(t, "/orders/new?sku=NO-SUCH&credential="+s.cred+"&method=codes", s.finance); a.StatusCode != http.StatusNotFound {
		t.Errorf("a product that does not exist: %d", a.StatusCode)
	}
	if a := s.get(t, "/orders/new", s.admin); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin opens the catalogue: %d", a.StatusCode)
	}
	second := s.activate("Other shop")
	s.says(s.see(s.finance, "/orders/new"), "Choose whose keys to buy with", "Other shop", "Codes")
	s.says(s.see(s.finance, "/orders/new?method=codes&credential="+second), "Other shop", "Apple Gift Card 10 USD")
	s.sandbox.Close()
	s.says(s.see(s.finance, "/orders/new?method=codes&credential="+second), "The catalogue cannot be shown", "Try again")
}

func TestAnOrderIsReviewedExactlyAndNeedsASecondPerson(t *testing.T) {
	s := openShop(t)
	for quantity, says := range map[string]string{"": "at least one unit", "0": "at least one unit", "-1": "at least one unit", "1.5": "at least one unit", "１": "at least one unit",
		"10001": "at least one unit", "99999999999999999999": "at least one unit", "4": "There are not so many in stock."} {
		d, at := s.send(s.finance, "/orders/review", s.line("NFX-GL-15USD", quantity))
		if s.says(d, says); at != "" {
			t.Errorf("%q units led to %s", quantity, at)
		}
	}
	d, _ := s.send(s.finance, "/orders/review", s.line("STM-GL-20USD", "10"))
	s.says(d, "731.05", "currency not stated", "73.1050 × 10", "Orders of codes: one approver from finance", "Submit the order of Steam Wallet 20 USD × 10 for 731.05 (currency not stated) for approval")
	id := s.order("STM-GL-20USD", "10")
	d = s.see(s.finance, "/transactions/"+id)
	s.says(d, "STM-GL-20USD × 10", "−731.05", "one approver from finance")
	story, err := s.store.Transaction(t.Context(), s.fin.Actor(s.store), models.Sandbox, id)
	if err != nil {
		t.Fatal(err)
	}
	if x := story.Transaction; x.Kind != models.Order || x.State != models.AwaitingApproval || x.Amount != (models.Money{Minor: 73105, Asset: models.Unstated}) ||
		story.Detail.SKU != "STM-GL-20USD" || story.Detail.Quantity != 10 {
		t.Errorf("the order is %+v with %+v", x, story.Detail)
	}
	r := story.Approvals[0]
	if a := s.post(t, "/approvals/"+r.ID+"/approve", s.finance, url.Values{"digest": {r.Digest}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("the maker agreed: %d", a.StatusCode)
	}
	s.says(s.see(s.gil, "/approvals/"+r.ID), "STM-GL-20USD × 10")
}

func TestTheSameOrderAgainNeedsAReasonAndASecondClickDoesNothing(t *testing.T) {
	s := openShop(t)
	d, _ := s.send(s.finance, "/orders/review", s.line("APL-US-10USD", "2"))
	f := s.line("APL-US-10USD", "2")
	for _, n := range []string{"token", "amount", "asset"} {
		f.Set(n, d.Find(`form[action="/orders"] input[name=`+n+`]`).AttrOr("value", ""))
	}
	_, first := s.send(s.finance, "/orders", f)
	_, second := s.send(s.finance, "/orders", f)
	if first == "" || first != second {
		t.Fatalf("a second click led from %q to %q", first, second)
	}
	f.Set("token", models.NewID())
	d, at := s.send(s.finance, "/orders", f)
	if s.says(d, "Ordered already?", "Say why this order is meant too."); at != "" {
		t.Errorf("the same order went through to %s", at)
	}
	f.Set("token", models.NewID())
	f.Set("amount", "1.00")
	d, _ = s.send(s.finance, "/orders", f)
	s.says(d, "The price has changed since you reviewed the order.")
	s.order("APL-US-10USD", "2", "why", "The campaign of Friday")
	s.says(s.see(s.finance, "/orders"), "APL-US-10USD × 2")
}

// aCode is what the stand-in's codes look like.
var aCode = regexp.MustCompile(`[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){3}`)

// noCodes looks for anything that looks like a code in what the program stored, logged or showed.
func (s *shop) noCodes() {
	s.Helper()
	said := map[string]string{"a page": s.pages.String(), "the log": s.log.String()}
	if err := filepath.WalkDir(s.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // a file of this test's own folder
		said[path] = string(b)
		return err
	}); err != nil || len(said) < 3 {
		s.Errorf("the data folder: %d files, %v", len(said)-2, err)
	}
	for where, text := range said {
		if found := aCode.FindString(text); found != "" {
			s.Errorf("%s holds the code %s", where, found)
		}
	}
}

func TestCodesAreSealedCountedAndRevealedOneAtATime(t *testing.T) {
	s := openShop(t)
	id := s.order("APL-US-10USD", "40")
	page := "/transactions/" + id
	s.agree(id)
	s.until(id, models.Succeeded)
	d := s.see(s.finance, page)
	s.says(d, "40 of 40 codes arrived", "•••• ••••", "All 40 codes", "APL-US-10USD × 40")
	d = s.see(s.finance, page+"/codes")
	link, _ := d.Find("#codes tbody tr").Eq(38).Find("a").Attr("href")
	if n := d.Find("#codes tbody tr").Length(); n != 40 || link == "" {
		t.Fatalf("the list has %d codes, the 39th leads to %q", n, link)
	}
	s.says(s.see(s.finance, link), "Why it must be seen", "number 39", "by nobody")
	d, _ = s.send(s.finance, link+"/reveal", url.Values{"reason": {" "}})
	s.says(d, "Why it must be seen")
	if d.Find("#revealed").Length() != 0 {
		t.Fatal("a code was revealed without a reason")
	}
	auditor := storetest.Add(t, s.store, "otto@example.com", "Otto", models.Auditor)
	for who, session := range map[string]string{"an admin": s.admin, "an auditor": s.session(t, auditor)} {
		if a := s.post(t, link+"/reveal", session, url.Values{"reason": {"I am curious"}}); a.StatusCode != http.StatusForbidden || aCode.MatchString(a.body) {
			t.Errorf("%s looked at a code: %d", who, a.StatusCode)
		}
	}
	if a := s.get(t, link, s.admin); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin opens the reveal page: %d", a.StatusCode)
	}
	other := strings.Replace(link, id, models.NewID(), 1)
	if a := s.post(t, other+"/reveal", s.finance, url.Values{"reason": {"another order"}}); a.StatusCode != http.StatusNotFound {
		t.Errorf("a code was asked for under another order: %d", a.StatusCode)
	}
	shown := s.post(t, link+"/reveal", s.finance, url.Values{"reason": {"The customer's mail was lost " + hostile}})
	code := aCode.FindString(shown.text(t, "#revealed"))
	if code == "" || shown.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the answer shows %q and is cached %q", code, shown.Header.Get("Cache-Control"))
	}
	if n := len(slices.Compact(aCode.FindAllString(shown.text(t, "#revealed"), -1))); n != 1 {
		t.Errorf("the answer shows %d codes", n)
	}
	shown.noMarkup(t)
	s.says(s.see(s.finance, page), "Fay looked at code 39: The customer's mail was lost")
	s.says(s.see(s.finance, link), "once, last by Fay")
	entries, err := s.store.AuditList(t.Context(), s.ada.Actor(s.store), models.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(entries, func(e models.AuditEntry) bool { return e.Action == "codes.reveal" }); i < 0 || !strings.Contains(entries[i].Sentence, "code 39") {
		t.Error("the audit trail does not tell of the reveal")
	}
	for _, at := range []string{page, page + "/codes", page + "/peek", "/exchanges?subject=transaction&id=" + id, "/orders", "/approvals?view=decided"} {
		s.see(s.gil, at)
	}
	if found := aCode.FindString(s.handedOut(id)); found != "" {
		t.Errorf("a file that is handed out holds the code %s", found)
	}
	s.see(s.finance, "/exchanges?subject=transaction&id="+id).Find(`a[href^="/exchanges/"]`).Each(func(_ int, x *goquery.Selection) {
		s.see(s.finance, x.AttrOr("href", ""))
	})
	s.noCodes()
}

func TestCodesThatComeInPartsAreKeptOnceEach(t *testing.T) {
	s := openShop(t)
	s.control("/autosettle", url.Values{"outcome": {"off"}})
	id := s.order("GGL-US-10USD", "5")
	s.agree(id)
	story := s.until(id, models.Pending)
	s.says(s.see(s.finance, "/transactions/"+id), "0 of 5 codes arrived", "No code has arrived yet")
	s.control("/settle", url.Values{"reference": {story.Transaction.Reference}, "status": {"partial"}})
	s.send(s.finance, "/transactions/"+id+"/ask", nil)
	story = s.until(id, models.Partial)
	if have := story.CodesCount; have == 0 || have >= 5 {
		t.Fatalf("a part of 5 codes is %d", have)
	}
	for range 2 { // told twice, kept once
		s.send(s.finance, "/transactions/"+id+"/ask", nil)
	}
	s.control("/settle", url.Values{"reference": {story.Transaction.Reference}, "status": {"succeeded"}})
	s.send(s.finance, "/transactions/"+id+"/ask", nil)
	if story = s.until(id, models.Succeeded); story.CodesCount != 5 {
		t.Errorf("of 5 codes %d are kept", story.CodesCount)
	}
	s.says(s.see(s.finance, "/transactions/"+id), "5 of 5 codes arrived")
	s.noCodes()
}
