package journeys

import "testing"

// agreesTo lets somebody open a request by its reference and agree to it.
func (p *person) agreesTo(reference, verb string) {
	p.t.Helper()
	p.open("/approvals")
	p.sees(reference)
	p.until("the line of "+reference, `document.querySelector('tr[data-ref="`+reference+`"] a[href^="/approvals/"]')`)
	p.open(ask[string](p, `document.querySelector('tr[data-ref="`+reference+`"] a[href^="/approvals/"]').getAttribute('href')`))
	if ask[bool](p, words+`.includes('Show the second factor')`) {
		p.click("Show the second factor")
		p.click("Go on as if the code had been shown")
	}
	p.clickStart(verb)
	p.sees("Approved: ")
}

// buysCodes orders codes from WUPEX and looks at one of them.
func (w *walk) buysCodes(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	(&standIn{url: w.hosts["wupex"]}).tell(t, "autosettle", "outcome", "succeeded", "after_ms", "10")
	ada.open("/orders/new")
	ada.fill("Search the catalogue", "steam")
	ada.click("Search")
	ada.sees("1 of 12 products fit the search")
	ada.clickStart("Steam")
	ada.fill("How many", "3")
	ada.click("Review")
	ada.sees("Review the order", "currency not stated", "Steam")
	ada.clickStart("Submit the order of")
	ada.sees("0 of 1, from finance")
	ref := ada.reference()
	marta.agreesTo(ref, "Approve")
	ada.until("the order at WUPEX", words+`.match(/Pending|Succeeded/)`)
	ada.click("Ask WUPEX now")
	ada.sees("Succeeded", "3 of 3 codes arrived", "••••")
	ada.ledgerBalances()
	ada.open(ada.path() + "/codes")
	ada.until("a list without any code in clear", `document.querySelectorAll('#codes tbody tr').length === 3 && !/[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){3}/.test(`+words+`)`)
	ada.open(ask[string](ada, `document.querySelector('#codes tbody a').getAttribute('href')`))
	if ada.path() == "/step-up" {
		ada.click("Go on as if the code had been shown")
	}
	ada.fill("Why it must be seen", "The customer’s mail was lost")
	ada.click("Reveal this code once")
	ada.until("one code", `/[A-Z0-9]{4}/.test(document.querySelector('#revealed dd')?.innerText || '')`)
	ada.sees("Whoever has this code can spend it")
}

// paysMobileMoney verifies a recipient at WakaPay before a payout, and reads a QR code.
func (w *walk) paysMobileMoney(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	waka := &standIn{url: w.hosts["wakapay"]}
	waka.tell(t, "autosettle", "outcome", "off", "after_ms", "0")
	ada.open("/payouts/new")
	ada.fill("Text of the QR code", "00020101021228220008ke.go.qr01068888805204000053034045406250.005802KE5911UGALI POINT6007NAIROBI63049382")
	ada.click("Read it")
	ada.sees("New payout", "Till Kenya", "Till number")
	ada.until("the till of the code", control+`('Till number')?.value === '888880' && `+control+`('Name of the recipient').value === 'UGALI POINT'`)

	ada.open("/payouts/new")
	ada.click("Mobile money Kenya")
	ada.fill("Amount to pay", "750.00")
	ada.fill("Phone number", "+254700000001")
	ada.fill("Name of the recipient", "Amina Mjema")
	ada.click("Review")
	ada.sees("Review the payout", "Amina Mjema")
	ada.until("what WakaPay knows of the recipient", `document.querySelector('#verification .notice')`)
	ada.click("Submit the payout of 750.00 KES for approval")
	ada.sees("0 of 1, from finance")
	ref := ada.reference()
	marta.agreesTo(ref, "Approve")
	ada.sees("Pending", "WakaPay has it")
	waka.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.click("Ask WakaPay now")
	ada.sees("Succeeded")
	ada.ledgerBalances()
}

// disputesADeposit takes a PayIn that expires, disputes it, and is paid after all; then a PayOut goes out.
func (w *walk) disputesADeposit(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	aeterna := &standIn{url: w.hosts["aeterna"]}
	aeterna.tell(t, "autosettle", "outcome", "off")
	ada.open("/deposits/new")
	ada.click("PayIn by phone (SBP)")
	ada.fill("Amount to take", "1500.00")
	ada.choose("Currency", "RUB")
	ada.fill("Payer's number with you", "customer-77")
	ada.click("Review")
	ada.click("Create the deposit over 1,500.00 RUB")
	ada.sees("Awaiting payment", "How the payer pays", "Pay to")
	ref := ada.reference()
	aeterna.tell(t, "settle", "reference", ref, "status", "expired")
	ada.looksAgain("Expired")
	ada.fill("What is wrong", "The payer shows a receipt of noon")
	ada.fill("Address of the evidence", "https://files.example.com/receipt.png")
	ada.click("Open a dispute over 1,500.00 RUB")
	ada.sees("Ada Okoye disputed it: The payer shows a receipt of noon")
	ada.looksAgain("The dispute was accepted as")
	ada.looksAgain("Awaiting payment")
	aeterna.tell(t, "settle", "reference", ref, "status", "paid")
	ada.looksAgain("Succeeded")
	ada.ledgerBalances()

	ada.open("/payouts/new")
	ada.click("PayOut by phone (SBP)")
	ada.fill("Amount to pay", "900.00")
	ada.fill("Phone number", "+79990001122")
	ada.fill("Bank", "Sample Bank")
	ada.click("Review")
	ada.click("Submit the payout of 900.00 RUB for approval")
	ada.sees("0 of 1, from finance")
	ref = ada.reference()
	marta.agreesTo(ref, "Approve")
	ada.sees("Pending", "Aeterna has it")
	aeterna.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.looksAgain("Succeeded")
	ada.ledgerBalances()
}
