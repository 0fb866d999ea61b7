package journeys

import (
	"context"
	"testing"
	"time"

	"countinghouse/e2e/browse"
	"countinghouse/models"
)

// One program, one merchant and one browser for both: what dies by order in the first is alive again in the second.
func TestTheProgramAsPeopleRunIt(t *testing.T) {
	browser := browse.Start(t)
	m := openMortal(t)
	for _, j := range []struct {
		name string
		walk func(*testing.T, context.Context)
	}{
		{"a payout outlives the program", m.outlives},
		{"a new address is checked, approved by a second person, waits its 24 hours, and is paid", m.paysANewAddress},
	} {
		if !t.Run(j.name, func(t *testing.T) { m.t = t; j.walk(t, browser) }) {
			break
		}
	}
	m.t = t
}

// A payout is approved, and the program dies of SIGKILL after the provider has paid and before that is written down. No webhook tells of it. Whoever
// looks at the page reloads nothing: it must tell the truth, and come to its end by itself.
func (m *mortal) outlives(t *testing.T, browser context.Context) {
	m.onekey.tell(t, "webhooks", "mode", "off")
	ada, _ := m.member(browser, "ada.okoye@example.com", "Ada Okoye", models.Finance)
	marta, martasPhone := m.member(browser, "marta.lind@example.com", "Marta Lind", models.Finance)
	m.live("after_answer:1")

	ada.open("/payouts/new")
	ada.click("PIX by CPF, Brazil")
	ada.fill("Amount to pay", "640.25")
	ada.choose("Currency", "BRL")
	ada.fill("Full name of the beneficiary", payee)
	ada.fill("CPF of the beneficiary", cpf)
	ada.click("Review")
	ada.click("Submit the payout of 640.25 BRL for approval")
	ada.sees("Awaiting approval")
	ref := ada.reference()
	ask[bool](ada, `window.neverReloaded = true`)

	// Marta's own phone shows the code, and her click is the last thing that this process lives to see.
	m.leap(6 * time.Minute) // the second factor that she came in with counts for five
	marta.open("/approvals")
	marta.press("Payout", true, `tr[data-ref="`+ref+`"]`)
	marta.sees("Destination, in full", "5299 8224 725")
	marta.click("Show the second factor")
	marta.at("/step-up")
	marta.fill("Code", martasPhone.Code(t, m.now()))
	marta.click("Go on")
	marta.sees("Destination, in full", "5299 8224 725")
	marta.click("Approve and send the payout of 640.25 BRL")
	m.dies()
	if n := m.onekey.executions(t)[ref]; n != 1 {
		t.Fatalf("the program died at the wrong moment: the stand-in had executed %s %d times", ref, n)
	}

	m.live("")
	page := `document.querySelector('#live')?.innerText.replace(/\s+/g, ' ') || ''`
	says := func(what, words string) {
		t.Helper()
		ada.until(what+", without a reload", `window.neverReloaded && (`+page+`).includes('`+words+`')`)
	}
	says("that the outcome is unknown", "Outcome unknown")
	ada.sees("answer was lost after we sent the request", "nothing is sent again until the evidence says it never arrived", "The program stopped after the intent was written")
	m.leap(31 * time.Second)
	says("that the provider has it", "Pending")
	m.onekey.tell(t, "settle", "reference", ref, "status", "succeeded")
	m.leap(31 * time.Second)
	says("that it is done", "Succeeded")
	ada.ledgerBalances()
	if n := m.onekey.executions(t)[ref]; n != 1 {
		t.Errorf("the stand-in executed %s %d times", ref, n)
	}
	ada.sees("attempt 1")
	ada.seesNot("attempt 2")
	for _, p := range []*person{ada, marta} {
		for _, wrong := range p.wrongs {
			t.Errorf("before %s: %s", p.name, wrong)
		}
	}
}
