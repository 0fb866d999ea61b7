package journeys

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// An address with its checksum, and the same with one letter in the wrong case, as it looks after somebody typed it off a screen.
const (
	treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	mistyped = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
)

// signsInByKeyboard is the whole sign-in, with password and second factor.
func (p *person) signsInByKeyboard(email, code string) {
	p.t.Helper()
	p.open("/sign-in")
	p.tabAndType("E-mail address", email)
	p.tabAndType("Password", storetest.Password)
	p.tabAndEnter("Go on")
	p.sees("Second factor")
	p.tabAndType("Code", code)
	p.tabAndEnter("Sign in")
	p.until("the first page is open", `location.pathname !== '/sign-in' && document.querySelector('nav.menu')`)
}

// goesTo opens a page of the menu, which is behind a button on a phone.
func (p *person) goesTo(entry, path string) {
	p.t.Helper()
	p.tabAndEnter("Menu")
	p.tabAndEnter(entry)
	p.at(path)
}

// showsCode goes through the page that asks for the second factor again, if it came.
func (m *mortal) showsCode(p *person, who storetest.Person) {
	m.t.Helper()
	if p.path() == "/step-up" {
		p.tabAndType("Code", who.Code(m.t, m.now()))
		p.tabAndEnter("Go on")
		p.until("the page where it was asked for", `location.pathname !== '/step-up'`)
	}
}

// paysANewAddress is finance and compliance on phones, by keyboard alone: no click and no script touches a page here.
func (m *mortal) paysANewAddress(t *testing.T, browser context.Context) {
	script, err := os.ReadFile(filepath.Join("..", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	joy, joysPhone := m.member(browser, "joy.mbeki@example.com", "Joy Mbeki", models.Finance)
	ines, inesPhone := m.member(browser, "ines.duarte@example.com", "Inês Duarte", models.Compliance)
	olu, olusPhone := m.member(browser, "olu.adeyemi@example.com", "Olu Adeyemi", models.Finance)
	for _, p := range []*person{joy, ines, olu} {
		p.device(390, 844, "light")
	}
	look := func(p *person, where string) {
		t.Helper()
		p.axe(string(script), where+", on a phone", everyRule)
		p.fits(where, 390)
	}

	joy.open("/")
	joy.goesTo("Destinations", "/destinations")
	joy.sees("No destinations yet")
	joy.tabAndEnter("New destination")
	joy.tabAndEnter("Crypto address")
	joy.sees("From then on it waits 24 hours before its first payout.")
	joy.tabAndType("What you call it", "Treasury wallet")
	joy.tabAndType("What is paid to it", "Own reserve")
	joy.tabAndType("Network", "Polygon")
	joy.tabAndType("Address", mistyped)
	joy.tabAndType("Whose it is", "Northwind Trading")
	joy.tabAndEnter("Add it for approval")
	joy.until("the mistake in words beside its field", `document.querySelector('main [name="v.address"][aria-invalid=true]')?.closest('.field')?.innerText.includes('checksum')`)
	look(joy, "the form with a wrong checksum")
	if n := m.destinations(t); n != 0 {
		t.Fatalf("%d destinations are written down after a wrong checksum", n)
	}
	joy.tabTo("Address")
	joy.keys(kb.Backspace, treasury) // Tab has selected what is in the field
	joy.tabAndEnter("Add it for approval")
	joy.sees("Added. A second person must agree", "Waiting for approval", "0x5a Aeb6 053F")
	page := joy.path()
	look(joy, "the destination that waits")

	ines.open("/")
	ines.goesTo("Approvals", "/approvals")
	ines.tabAndEnter("Destination")
	ines.sees("0x5a Aeb6 053F", "Northwind Trading", "Own reserve")
	look(ines, "the approval of a destination")
	ines.tabAndEnter("Approve the destination Treasury wallet")
	m.showsCode(ines, inesPhone)
	ines.sees("Approved")

	// Nobody pays before its time: not from its page, not by the address of the form. The page says when.
	from := m.now().Add(24 * time.Hour)
	joy.open(page)
	joy.sees("Cooling down", "It can be paid from ", "Usable from "+from.UTC().Format("2006-01-02"))
	joy.until("no way to pay it", `[...document.querySelectorAll('main :is(a, button)')].filter((e) => e.innerText.includes('Pay to it')).every((e) => e.disabled || e.getAttribute('aria-disabled') === 'true')`)
	look(joy, "the destination that cools down")
	joy.open("/payouts/new?destination=" + strings.TrimPrefix(page, "/destinations/"))
	joy.sees("It cannot be paid now", "can be used from "+from.UTC().Format("2006-01-02"))
	joy.seesNot("WUSD on chain")
	look(joy, "the payout that cannot be made")
	m.leap(23*time.Hour + 55*time.Minute)
	joy.signsInByKeyboard("joy.mbeki@example.com", joysPhone.Code(t, m.now()))
	joy.open("/payouts/new?destination=" + strings.TrimPrefix(page, "/destinations/"))
	joy.sees("It cannot be paid now")

	m.leap(6 * time.Minute)
	joy.open(page)
	joy.sees("Usable", "Payouts may go to it.", "Registered")
	joy.tabAndEnter("Pay to it")
	joy.tabAndEnter("WUSD on chain")
	joy.sees("To Treasury wallet")
	joy.until("the focus in the amount", `document.activeElement?.name === 'amount'`)
	joy.keys("250.00")
	joy.tabAndEnter("Review")
	joy.sees("Review the payout", "250.00 WUSD", "0x5a Aeb6 053F")
	look(joy, "the review of a payout to it")
	joy.tabAndEnter("Submit the payout of 250.00 WUSD for approval")
	joy.sees("Awaiting approval")
	ref := joy.reference()

	olu.signsInByKeyboard("olu.adeyemi@example.com", olusPhone.Code(t, m.now()))
	olu.goesTo("Approvals", "/approvals")
	olu.tabAndEnter("Payout")
	olu.sees("Destination, in full", "0x5a Aeb6 053F", ref)
	olu.tabAndEnter("Approve and send the payout of 250.00 WUSD")
	olu.sees("Approved: payout 250.00 WUSD")
	joy.sees("Pending")
	m.wspn.tell(t, "settle", "reference", ref, "status", "succeeded")
	m.leap(31 * time.Second)
	joy.sees("Succeeded")
	joy.ledgerBalances()
	if n := m.wspn.executions(t)[ref]; n != 1 {
		t.Errorf("the stand-in executed %s %d times", ref, n)
	}
	joy.open(page)
	joy.sees(ref)
	look(joy, "the destination that was paid")
	for _, p := range []*person{joy, ines, olu} {
		for _, wrong := range p.wrongs {
			t.Errorf("before %s: %s", p.name, wrong)
		}
	}
}

// destinations counts what is written down.
func (m *mortal) destinations(t *testing.T) (n int) {
	t.Helper()
	if err := m.store.ReadDB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM destinations").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
