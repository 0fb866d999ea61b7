package journeys

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// opensSubAccounts is compliance's work with companies at the demonstration's WSPN, and what finance sees of it.
func (w *walk) opensSubAccounts(t *testing.T) {
	ines := arrive(t, w.browser, w.house, "Inês Duarte")
	ines.open("/sub-accounts")
	ines.click("New sub-account")
	ines.click("WSPN: WSPN main")
	ines.sees("Company, full name")
	ines.fill("Company, full name", "Farol do Sul Ltda")
	ines.choose("Country of registration", "Brazil")
	ines.fill("E-mail", "farol")
	ines.fill("Username", "farol-do-sul")
	ines.fill("Short name", "Farol")
	ask[bool](ines, `(document.querySelector('main form').noValidate = true)`) // the server must refuse it as well
	ines.click("Review")
	ines.sees("This is no e-mail address.")
	ines.fill("E-mail", "ops@farol.example")
	ines.click("Review")
	ines.sees("Review the sub-account", "Nothing has been written or sent yet.", "ops@farol.example")
	ines.click("Ask WSPN for Farol")
	ines.sees("The provider lists it under its own id.", "Pending KYC")
	farol := ines.path()
	if theirs := ask[string](ines, words+`.match(/WSPN’s id (\d+)/)?.[1] || ''`); len(theirs) < 4 {
		t.Errorf("the page shows no number of WSPN's\n%s", ines.scene())
	}
	ines.click("List the keys")
	ines.sees("key of farol-do-sul", "ACTIVE")
	if html := ask[string](ines, `document.documentElement.outerHTML`); strings.Contains(html, "canary") || regexp.MustCompile(`sub-key-\d`).MatchString(html) {
		t.Error("the page shows a key or a secret")
	}
	w.readsAFile(t, ines)
	w.adoptsOne(ines)
	w.worksInOne(t, farol)
	if made := w.made(t, "sub-account:ops@farol.example"); made != 1 {
		t.Errorf("WSPN's stand-in opened it %d times", made)
	}
	for _, wrong := range ines.wrongs {
		t.Error(wrong)
	}
}

// made asks the stand-in of the demonstration how often something was done.
func (w *walk) made(t *testing.T, what string) int {
	t.Helper()
	res, err := http.Get(w.hosts["wspn"] + "/_sandbox/executions") //nolint:noctx // the test's own sandbox
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	all := map[string]int{}
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all[what]
}

// readsAFile uploads thirty companies, one of them with a country that does not exist.
func (w *walk) readsAFile(t *testing.T, ines *person) {
	t.Helper()
	body := "company,country,type,email,username\n"
	for i := range 30 {
		n := strconv.Itoa(i)
		country := "DEU"
		if i == 17 {
			country = "XQZ"
		}
		body += "Werk " + n + " GmbH," + country + ",4,werk" + n + "@werk.example,werk-" + n + "\n"
	}
	ines.open("/sub-accounts/batches/new")
	ines.choose("By", "WSPN main")
	ask[bool](ines, `(() => { const d = new DataTransfer(); d.items.add(new File([`+strconv.Quote(body)+`], 'werke.csv', {type: 'text/csv'}))
		document.querySelector('input[type=file]').files = d.files; return true })()`)
	ines.click("Check the file")
	ines.sees("1 of 30 rows cannot be taken", "The country XQZ is not on WSPN's list.", "Werk 29 GmbH")
	page := ines.path()
	ines.click("Ask WSPN for 29 sub-accounts")
	ines.sees("29 sub-accounts are written down")
	ines.open(page) // progress survives a reload
	ines.sees("29 of 29", "29 open, 1 left out")
	ines.click("With a problem 1")
	ines.sees("Werk 17 GmbH")
	ines.seesNot("Werk 16 GmbH")
	if w.made(t, "sub-account:werk29@werk.example") != 1 || w.made(t, "sub-account:werk17@werk.example") != 0 {
		t.Error("the stand-in opened something else than the file says")
	}
}

// adoptsOne says of an account that nobody made here whose it is.
func (w *walk) adoptsOne(ines *person) {
	ines.t.Helper()
	ines.open("/sub-accounts?state=found")
	ines.click("Tanjong Glass Pte")
	ines.sees("It was not made here")
	ines.fill("How you know whose account it is", "Opened on their panel in May")
	ines.click("Take it over")
	ines.sees("It is taken over. Nothing was sent to the provider.", "Open")
}

// worksInOne is finance in one sub-account: lists, export and new transactions obey, and everything comes back.
func (w *walk) worksInOne(t *testing.T, farol string) {
	t.Helper()
	ada := w.as(t, w.ada)
	ada.open(farol)
	ada.click("Work in it")
	ada.at("/transactions")
	ada.sees("Only Farol", "Nothing matches this filter")
	ada.open("/deposits/new")
	ada.sees("Only Farol")
	ada.seesNot("OneKey")
	ada.open("/transactions")
	name := ask[string](ada, `fetch('/transactions/export?format=csv', {credentials: 'same-origin'}).then(async r => r.headers.get('content-disposition') + ' ' + (await r.text()).trim().split('\n').length)`, awaited)
	if !strings.Contains(name, "-farol.csv") || !strings.HasSuffix(name, " 1") {
		t.Errorf("the export of one sub-account without transactions is %q", name)
	}
	ada.open("/")
	ada.sees("Only Farol")
	ada.open("/balances")
	ada.sees("Working in Farol")
	ada.click("Show all sub-accounts")
	ada.sees("You see all sub-accounts.")
	ada.seesNot("Working in Farol")
	ada.open("/transactions")
	ada.seesNot("Nothing matches this filter")
}
