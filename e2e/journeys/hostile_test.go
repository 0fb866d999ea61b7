package journeys

import (
	"strconv"
	"strings"
	"testing"
)

// sendTwice posts the form that confirms twice at the same moment, as no button of the page would.
const sendTwice = `(async () => {
	const form = [...document.querySelectorAll('main form')].find((f) => f.elements.token)
	const post = () => fetch(form.getAttribute('action'), {method: 'POST', body: new URLSearchParams(new FormData(form))}).then((r) => new URL(r.url).pathname)
	return (await Promise.all([post(), post(), post()])).join(' ')
})()`

func (w *walk) isHostile(t *testing.T) {
	ada := w.as(t, w.ada)
	ada.open("/payouts/new")
	ada.clickIn(`ul.choices:has(a[href*="`+w.account+`"])`, "PIX by CPF, Brazil")
	ada.fill("Amount to pay", "77.70")
	ada.choose("Currency", "BRL")
	ada.fill("Full name of the beneficiary", payee)
	ada.fill("CPF of the beneficiary", cpf)
	ada.click("Review")
	ada.sees("Review the payout")
	ended := strings.Fields(ask[string](ada, sendTwice, awaited))
	if len(ended) != 3 || ended[0] != ended[1] || ended[1] != ended[2] || !strings.HasPrefix(ended[0], "/transactions/") {
		t.Fatalf("one form sent three times led to %v", ended)
	}
	ada.click("Submit the payout of 77.70 BRL for approval") // and once more by hand
	ada.at(ended[0])
	ada.sees("Awaiting approval")
	ref := ada.reference()

	// Who made it reads why the decision is not theirs, and a forged decision changes nothing.
	ada.until("the reason", words+`.includes('made')`)
	marta := w.as(t, w.marta)
	marta.open(ended[0])
	marta.click("Open the approval")
	marta.until("the sheet", `location.pathname.startsWith('/approvals/')`)
	sheet := marta.path()
	marta.sees("Destination, in full", "Bound to this exact payload")
	digest := ask[string](marta, `document.querySelector('main form input[name=digest]')?.value || ''`)
	ada.open(sheet)
	ada.seesNot("Approve and send")
	status := ask[int](ada, `fetch(`+strconv.Quote(sheet+"/approve")+`, {method: 'POST', body: new URLSearchParams({digest: `+strconv.Quote(digest)+`})}).then((r) => r.status)`, awaited)
	ada.open(ended[0])
	ada.sees("Awaiting approval")
	if n := w.onekey.executions(t)[ref]; n != 0 {
		t.Errorf("the maker's own approval (answered %d) moved money %d times", status, n)
	}

	// One row, not three.
	ada.open("/payouts?asset=BRL&min=77.70&max=77.70&when=today")
	if n := ask[int](ada, `[...document.querySelectorAll('main tbody tr')].filter((r) => r.innerText.includes('77.70')).length`); n != 1 {
		t.Errorf("the list has %d payouts of 77.70, want 1\n%s", n, ada.scene())
	}

	// Live knows nothing of a sandbox page, and says no more than that.
	ada.clickStart("Environment:")
	ada.click("Live")
	ada.until("live", `document.body.dataset.env === 'live'`)
	if got := ask[int](ada, `fetch(`+strconv.Quote(ended[0])+`).then((r) => r.status)`, awaited); got != 404 {
		t.Errorf("a page of the sandbox answers %d in live", got)
	}
	ada.open(ended[0])
	ada.seesNot("77.70")
	ada.clickStart("Environment:")
	ada.click("Sandbox")
	ada.until("sandbox", `document.body.dataset.env === 'sandbox'`)
}
