package journeys

import "testing"

// A made-up person of Brazil with a tax number whose check digits fit.
const (
	payee = "João Silva"
	cpf   = "52998224725"
)

// makesPayout goes from the list to the transaction's page.
func (w *walk) makesPayout(p *person, amount, shown string) {
	p.t.Helper()
	p.open("/payouts")
	p.click("New payout")
	p.at("/payouts/new")
	p.clickIn(`ul.choices:has(a[href*="`+w.account+`"])`, "PIX by CPF, Brazil")
	p.sees("Amount to pay")
	p.fill("Amount to pay", amount)
	p.choose("Currency", "BRL")
	p.fill("Full name of the beneficiary", payee)
	p.fill("CPF of the beneficiary", cpf)
	p.click("Review")
	p.sees("Review the payout", "Nothing has been written or sent yet", shown, payee)
	p.click("Submit the payout of " + shown + " for approval")
	p.until("the transaction's page", `/^\/transactions\/[0-9a-f-]{36}$/.test(location.pathname)`)
	p.sees("Awaiting approval", shown)
}

// reference is ours, as it stands on the transaction's page.
func (p *person) reference() string {
	p.t.Helper()
	p.until("a reference", `/CH[0-9A-Z]{10,30}/.test(`+words+`)`)
	return ask[string](p, `(`+words+`).match(/CH[0-9A-Z]{10,30}/)[0]`)
}

// approves finds a request in the list of what waits for this person, and agrees.
func (p *person) approves(reference, shown string) {
	p.t.Helper()
	p.press("Approvals", true, "nav.menu") // its words go on with how many wait
	p.at("/approvals")
	p.sees(reference)
	p.press("Payout", true, `tr[data-ref="`+reference+`"]`)
	p.sees("Destination, in full", payee, "5299 8224 725")
	if p.path() == "/approvals" {
		p.t.Fatal("the sheet did not open")
	}
	p.agrees(shown)
}

func (p *person) agrees(shown string) {
	p.t.Helper()
	if ask[bool](p, words+`.includes('Show the second factor')`) {
		p.click("Show the second factor")
		p.click("Go on as if the code had been shown")
	}
	p.click("Approve and send the payout of " + shown)
	p.sees("Approved: payout "+shown, "It is being sent")
}

// balanced adds up the ledger lines that stand on the page, per currency, in cents.
const balanced = `(() => {
	const rows = [...document.querySelectorAll('table')].filter((t) => t.caption?.innerText.includes('Ledger entries')).flatMap((t) => [...t.tBodies[0].rows])
	const sums = {}
	for (const r of rows) {
		const m = r.cells[2].innerText.replace(/[\s,]/g, '').replace('−', '-').match(/^(?:in|out)?([+-]?\d+)\.?(\d*)([A-Z]+|—)$/)
		if (!m) return 'unreadable: ' + r.innerText
		sums[m[3]] = (sums[m[3]] || 0) + Number(m[1] + m[2])
	}
	const off = Object.entries(sums).filter(([, n]) => n !== 0)
	return rows.length < 2 ? 'only ' + rows.length + ' lines' : off.length ? 'off by ' + off.join(' ') : ''
})()`

func (p *person) ledgerBalances() {
	p.t.Helper()
	if wrong := ask[string](p, balanced); wrong != "" {
		p.t.Errorf("the ledger on the page does not sum to zero: %s\n%s", wrong, p.scene())
	}
}

// once checks that the stand-in moved money for each of these references one time.
func (w *walk) once(t *testing.T, references ...string) {
	t.Helper()
	done := w.onekey.executions(t)
	for _, r := range references {
		if done[r] != 1 {
			t.Errorf("the stand-in executed %s %d times, of %v", r, done[r], done)
		}
	}
}

func (w *walk) paysByPIX(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	w.makesPayout(ada, "1840.00", "1,840.00 BRL")
	ref := ada.reference()
	ada.sees("0 of 1, from finance")
	ask[bool](ada, `window.neverReloaded = true`)
	marta.approves(ref, "1,840.00 BRL")

	// Ada has touched nothing: the page follows by itself.
	ada.sees("Pending", "OneKey has it")
	w.once(t, ref)
	w.onekey.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.until("Succeeded on the page, without a reload", `window.neverReloaded && document.querySelector('#live')?.innerText.includes('Succeeded')`)
	ada.sees("Marta Lind")
	ada.ledgerBalances()
	w.once(t, ref)

	// The webhook is why: it came, was verified, and led to this transaction.
	tomas := w.as(t, w.tomas)
	tomas.open("/webhooks?credential=" + w.account)
	tomas.until("the list", `document.querySelector('main tbody tr')`)
	if n := ask[int](tomas, `[...document.querySelectorAll('main tbody tr')].filter((r) => r.innerText.includes('`+ref+`') && r.innerText.includes('Processed')).length`); n != 1 {
		t.Errorf("%d processed webhooks speak of %s, want 1\n%s", n, ref, tomas.scene())
	}
}

func (w *walk) losesAnAnswer(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	w.onekey.tell(t, "webhooks", "mode", "off")
	defer w.onekey.tell(t, "webhooks", "mode", "normal")
	w.onekey.tell(t, "fault", "operation", "payout", "kind", "lose_reply", "times", "1")
	w.makesPayout(ada, "455.10", "455.10 BRL")
	ref := ada.reference()
	marta.approves(ref, "455.10 BRL")
	ada.sees("Outcome unknown", "answer was lost after we sent the request", "Evidence")
	if ask[bool](ada, `[...document.querySelectorAll('main button')].some((b) => /send .*again/i.test(b.innerText) && !b.disabled && b.getAttribute('aria-disabled') !== 'true')`) {
		t.Errorf("sending again is offered before anything is known\n%s", ada.scene())
	}
	ada.click("Ask now")
	ada.sees("Pending")
	w.onekey.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.click("Ask OneKey now")
	ada.sees("Succeeded")
	ada.ledgerBalances()
	w.once(t, ref)
}
