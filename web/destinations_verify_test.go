package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
	"countinghouse/providers/all"
)

// verifyHouse is a house whose provider can say whose a destination is.
type verifyHouse struct {
	*keyHouse
	cred  string
	ines  string // compliance, which pays nobody
	asked string // the page of the destination that is asked about
}

// tellBox uses a control of the stand-in.
func (h *keyHouse) tellBox(what string, form url.Values) {
	h.Helper()
	res, err := http.PostForm(h.sandbox.URL+"/_sandbox/"+what, form) //nolint:noctx // the test's own stand-in
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusBadRequest {
		h.Fatalf("the stand-in does not take %s %v", what, form)
	}
}

// destination writes one down by the form of a method, as finance does.
func (h *verifyHouse) destination(form string, values url.Values) {
	h.Helper()
	f := url.Values{"form": {form}, "token": {models.NewID()}, "name": {"Supplier"}, "purpose": {"Packaging"}}
	for k, v := range values {
		f["v."+k] = v
	}
	a := h.post(h.T, "/destinations", h.finance, f)
	h.asked = a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(h.asked, "/destinations/") {
		h.Fatalf("%s: %d\n%s", form, a.StatusCode, text(a.doc(h.T)))
	}
}

// asks puts the question and gives the newest row of the evidence.
func (h *verifyHouse) asks(session string) string {
	h.Helper()
	d, _ := h.send(session, h.asked+"/verify", url.Values{"credential": {h.cred}})
	return newestCheck(d)
}

func newestCheck(d *goquery.Document) string {
	return strings.Join(strings.Fields(d.Find("table").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.Contains(s.Find("caption").Text(), "What providers said")
	}).Find("tbody tr").First().Text()), " ")
}

func (h *verifyHouse) holds(row string, parts ...string) {
	h.Helper()
	for _, p := range parts {
		if !strings.Contains(row, p) {
			h.Errorf("the evidence does not say %q: %s", p, row)
		}
	}
}

// becomes reloads the page until the newest evidence says something.
func (h *verifyHouse) becomes(session, part string) {
	h.Helper()
	row := ""
	for range 400 {
		if row = newestCheck(h.see(session, h.asked)); strings.Contains(row, part) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	h.Errorf("the evidence never says %q: %s", part, row)
}

func TestOneKeySaysWhoseAnAccountAndAPIXKeyIs(t *testing.T) {
	h := &verifyHouse{keyHouse: openKeys(t)}
	h.ines = h.session(t, storetest.Add(t, h.store, "ines@example.com", "Inês", models.Compliance))
	h.cred = h.add("Main")

	account := func(number string) url.Values {
		return url.Values{"beneficiary_name": {"João Silva"}, "document_id": {"52998224725"}, "bank_code": {"001"}, "bank_branch": {"1234"}, "bank_account": {number}, "account_type": {"C"}}
	}
	h.destination("onekey/br_bank", account("3423422-7"))
	h.holds(h.asks(h.ines), "Known there", "OneKey says that the account is valid", "Inês")
	h.tellBox("refuse", url.Values{"operation": {"validation"}, "code": {"402"}, "times": {"1"}})
	h.holds(h.asks(h.finance), "Somebody else’s", "402")
	h.tellBox("refuse", url.Values{"operation": {"validation"}, "code": {"301"}, "times": {"1"}})
	h.holds(h.asks(h.finance), "Cannot be paid", "301")
	for _, kind := range []string{"lose_reply", "http_500", "truncate"} {
		h.tellBox("fault", url.Values{"operation": {"/v5/account/validate"}, "kind": {kind}, "times": {"1"}})
		if row := h.asks(h.finance); !strings.Contains(row, "No usable answer") {
			t.Errorf("%s: %s", kind, row)
		}
	}
	if n := h.see(h.ines, h.asked).Find(`form[action$="/verify"]`).Length(); n != 1 {
		t.Errorf("after a lost answer it is offered %d times to ask again", n)
	}

	// Compliance, which may pay nobody, asks about a PIX key: the answer comes by a call.
	h.destination("onekey/br_pix_email", url.Values{"beneficiary_name": {"João Silva"}, "document_id": {"52998224725"}, "email": {"joao@silva.example"}})
	h.holds(h.asks(h.ines), "Inês")
	h.becomes(h.ines, "Known there")
	h.destination("onekey/br_pix_email", url.Values{"beneficiary_name": {"João Silva"}, "document_id": {"52998224725"}, "email": {"other@silva.example"}})
	h.asks(h.finance)
	h.becomes(h.finance, "Cannot be paid")
	// The call comes before the answer to the question, twice, or never.
	for mode, want := range map[string]string{"before_reply": "Known there", "twice": "Known there", "off": "Answer awaited"} {
		h.tellBox("webhooks", url.Values{"mode": {mode}})
		h.destination("onekey/br_pix_email", url.Values{"beneficiary_name": {"João Silva"}, "document_id": {"52998224725"}, "email": {strings.ReplaceAll(mode, "_", "") + "@silva.example"}})
		h.asks(h.finance)
		h.becomes(h.finance, want)
	}
}

func TestWakaPaySaysWhoseANumberIs(t *testing.T) {
	keys := map[string]string{}
	p, _ := all.Registry().Get("wakapay")
	for _, f := range p.Description.Fields {
		if f.Secret || f.Required {
			keys[f.Name] = "canary-" + f.Name
		}
	}
	h := &verifyHouse{keyHouse: openProvider(t, "wakapay", keys)}
	h.hidden = map[string]string{}
	form := url.Values{"provider": {"wakapay"}, "environment": {"sandbox"}, "name": {"Main"}, "do": {"save"}}
	for _, f := range p.Description.Fields {
		v := keys[f.Name]
		for _, s := range p.Description.Sites {
			if s.Field == f.Name {
				v = h.sandbox.URL + s.Prefix
			}
		}
		form.Set("f."+f.Name, v)
	}
	_, at := h.send(h.admin, "/credentials", form)
	h.cred = strings.TrimPrefix(at, "/credentials/")
	h.send(h.admin, at+"/test", url.Values{"slot": {"current"}})
	d, _ := h.send(h.admin, at+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}})
	h.says(d, "In use")

	h.tellBox("recipient", url.Values{"country": {"KE"}, "kind": {"mobile_money"}, "number": {"+254711000111"}, "name": {"Amina Mjema"}})
	number := func(phone, name string) {
		h.destination("wakapay/ke_mobile", url.Values{"phone": {phone}, "name": {name}})
	}
	number("+254711000111", "Amina Mjema")
	h.holds(h.asks(h.finance), "Known there", "Amina Mjema", "The number belongs to Amina Mjema.")
	number("+254711000999", "Nobody")
	h.holds(h.asks(h.finance), "Cannot be paid", "WakaPay knows no account with this number.")
	h.tellBox("recipient", url.Values{"country": {"KE"}, "kind": {"mobile_money"}, "number": {"+254711000222"}, "name": {"Peter Otieno"}})
	number("+254711000222", "Grace Wanjiru")
	h.holds(h.asks(h.finance), "Somebody else’s", "The number belongs to Peter Otieno, not to Grace Wanjiru.")
	for _, kind := range []string{"lose_reply", "garbage", "truncate"} { // a 500 is asked again by the client itself
		h.tellBox("fault", url.Values{"operation": {"/business/verify-transfer"}, "kind": {kind}, "times": {"1"}})
		if row := h.asks(h.finance); !strings.Contains(row, "No usable answer") {
			t.Errorf("%s: %s", kind, row)
		}
	}
	h.holds(h.asks(h.finance), "Somebody else’s")
	if d := h.see(h.finance, h.asked); strings.Contains(text(d), "canary") {
		t.Error("a secret stands on the page")
	}
}
