package journeys

import (
	"strconv"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// lit tells whether the eye finds the focus: something is focused, in view, and drawn so. "" means yes.
const lit = `(() => {
	const e = document.activeElement
	if (!e || e === document.body) return 'nothing has the focus'
	const shown = (x) => { const s = getComputedStyle(x); return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none' }
	const r = e.getBoundingClientRect(), what = e.outerHTML.slice(0, 140)
	if (e.matches('main')) return ''
	if (!e.matches(':focus-visible') && !e.matches('input[type=date]')) return 'not shown as focused: ' + what
	if (![e, e.closest('.control'), e.closest('label'), e.closest('tr'), e.closest('td'), e.closest('.find')].some((x) => x && shown(x))) return 'no outline: ' + what
	if (r.width < 1 || r.bottom < 1 || r.top > innerHeight || r.right < 1 || r.left > innerWidth) return 'out of view: ' + what
	return ''
})()`

// tabTo presses Tab until the focus stands on something with these words, and looks at the focus at every step.
func (p *person) tabTo(text string) {
	p.t.Helper()
	here := `(() => { const e = document.activeElement; const t = (e?.labels?.[0]?.innerText || e?.innerText || '').replace(/\s+/g, ' ').trim(); return t.replace(/ optional$/i, '').startsWith(` + strconv.Quote(text) + `) && e !== document.body && !e.matches('main') })()`
	for range 150 {
		if ask[bool](p, here) {
			return
		}
		p.keys(kb.Tab)
		if wrong := ask[string](p, lit); wrong != "" && wrong != "nothing has the focus" { // between the last and the first it is the browser's own
			p.t.Errorf("on the way to “%s”: %s", text, wrong)
		}
	}
	p.t.Fatalf("%s never gets to “%s” by Tab\n%s", p.name, text, p.scene())
}

// tabAndType goes to a field and types.
func (p *person) tabAndType(label, value string) { p.t.Helper(); p.tabTo(label); p.keys(value) }

// tabAndEnter goes to a link or button and presses Enter.
func (p *person) tabAndEnter(text string) { p.t.Helper(); p.tabTo(text); p.keys(kb.Enter) }

func (w *walk) paysByKeyboard(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	ada.open("/payouts")
	ada.tabAndEnter("New payout")
	ada.at("/payouts/new")
	ada.open("/payouts/new?method=br_pix_cpf&credential=" + w.account) // the same page as the link's; two credentials offer the same words
	ada.until("the amount has the focus at once", `document.activeElement?.name === 'amount'`)
	ada.keys("912.34")
	ada.tabAndType("Currency", "BRL")
	ada.tabAndType("Full name of the beneficiary", payee)
	ada.tabAndType("CPF of the beneficiary", cpf)
	ada.tabAndEnter("Review")
	ada.sees("Review the payout", "912.34 BRL")
	ada.tabAndEnter("Submit the payout of 912.34 BRL for approval")
	ada.sees("Awaiting approval")
	ref := ada.reference()

	marta.open("/")
	marta.tabAndEnter("Approvals")
	marta.at("/approvals")
	marta.sees(ref)
	// The newest is not always first: what runs out next is. The row is found by its reference in it.
	for range 200 {
		if ask[bool](marta, `!!document.activeElement?.matches('tr a') && document.activeElement.closest('tr').innerText.includes(`+strconv.Quote(ref)+`)`) {
			break
		}
		marta.keys(kb.Tab)
		if wrong := ask[string](marta, lit); wrong != "" && wrong != "nothing has the focus" {
			t.Errorf("in the list of approvals: %s", wrong)
		}
	}
	marta.keys(kb.Enter)
	marta.sees("Destination, in full", ref)
	if ask[bool](marta, words+`.includes('Show the second factor')`) {
		marta.tabAndEnter("Show the second factor")
		marta.at("/step-up")
		marta.tabAndEnter("Go on as if the code had been shown")
		marta.sees("Destination, in full", ref)
	}
	marta.tabAndEnter("Approve and send the payout of 912.34 BRL")
	marta.sees("Approved: payout 912.34 BRL")
	ada.sees("Pending")
	w.onekey.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.sees("Succeeded")
	ada.ledgerBalances()
	w.once(t, ref)
}
