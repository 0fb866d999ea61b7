package journeys

import "testing"

// arrives waits for a page that may ask for the second factor first.
func (p *person) arrives(path string) {
	p.t.Helper()
	p.until("the page "+path+" or the second factor", `[`+"`"+path+"`"+`, '/step-up'].includes(location.pathname) && document.readyState !== 'loading'`)
	if p.path() == "/step-up" {
		p.click("Go on as if the code had been shown")
		p.at(path)
	}
}

// quotes asks WSPN for a rate and stops at the review page.
func (w *walk) quotes(p *person, amount string) {
	p.t.Helper()
	p.open("/conversions/new")
	p.arrives("/conversions/new")
	p.click("Mint: sell a currency, buy WUSD")
	p.arrives("/conversions/new")
	p.fill("Amount to sell", amount)
	p.choose("Currency", "USD")
	p.click("Review")
	p.sees("Review the conversion", "Rate 0.9995, good once")
}

func (w *walk) converts(t *testing.T) {
	ada := w.as(t, w.ada)
	wspn := &standIn{url: w.hosts["wspn"]}

	w.quotes(ada, "2000.00")
	ada.click("Convert 2,000.00 USD into 1,999.00 WUSD now")
	ada.sees("Succeeded", "1,999.00")
	ada.ledgerBalances()

	// The stand-in's clock is put back, so that its next quote has few seconds left by ours.
	wspn.tell(t, "clock", "advance_seconds", "-27")
	w.quotes(ada, "2100.00")
	wspn.tell(t, "clock", "advance_seconds", "27")
	ada.sees("The quote has expired.", "the quote has expired; change it, or review it again for a new one")
	ada.until("a button that cannot be pressed", `[...document.querySelectorAll('#review button')].find((b) => b.innerText.includes('Convert 2,100.00 USD'))?.disabled`)
	ask[bool](ada, `document.querySelector('#review').submit(); true`) // who gets around the button is refused
	ada.sees("The quote has expired: its rate held until", "Nothing was converted. Ask for a new one.")

	// Where the provider's clock is ahead, it refuses. WSPN documents no error, so its refusal proves nothing: the words are shown, and it is asked.
	w.quotes(ada, "2200.00")
	wspn.tell(t, "clock", "advance_seconds", "40")
	ada.clickStart("Convert 2,200.00 USD")
	ada.sees("Outcome unknown", "this quote has expired", "it must be asked whether anything was created")
	ada.seesNot("Succeeded")
}

func (w *walk) withdrawsTooLittle(t *testing.T) {
	ada := w.as(t, w.ada)
	ada.open("/payouts/new")
	ada.click("Bank transfer to a registered account")
	ada.fill("Amount to pay", "99.99")
	ada.choose("Currency", "USD")
	ada.until("the accounts that WSPN knows", control+`('Bank account at WSPN')?.options?.length > 1`)
	ask[bool](ada, `(() => { const e = `+control+`('Bank account at WSPN'); e.selectedIndex = [...e.options].findIndex((o) => o.text.includes('USD')); e.dispatchEvent(new Event('change', {bubbles: true})); return e.selectedIndex > 0 })()`)
	ada.click("Review")
	ada.until("a refusal in words, at the amount", `document.querySelector('main .errors')?.innerText.includes('100')`)
	ada.seesNot("Review the payout")
}
