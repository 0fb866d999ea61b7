package journeys

import (
	"fmt"
	"testing"
)

func (w *walk) takesDeposits(t *testing.T) {
	ada := w.as(t, w.ada)
	for _, late := range []bool{false, true} {
		amount := fmt.Sprintf("%d.50", map[bool]int{false: 320, true: 321}[late])
		ada.open("/deposits")
		ada.click("New deposit")
		ada.clickIn(`ul.choices:has(a[href*="`+w.account+`"])`, "PIX Quickpay, Brazil")
		ada.fill("Amount to take", amount)
		ada.click("Review")
		ada.click("Create the deposit over " + amount + " BRL")
		ada.sees("Awaiting payment", "How the payer pays")
		ref := ada.reference()
		if !ask[bool](ada, `!!document.querySelector('#live svg.qr, #live .qr svg') || /https?:\/\//.test(`+words+`)`) {
			t.Errorf("the payer is told nothing\n%s", ada.scene())
		}
		if late {
			w.onekey.tell(t, "settle", "reference", ref, "status", "expired")
			ada.sees("Expired")
			w.onekey.tell(t, "settle", "reference", ref, "status", "paid_late")
			ada.looksAgain("Succeeded") // nothing is expected any more, so the page does not look by itself
		} else {
			w.onekey.tell(t, "settle", "reference", ref, "status", "paid")
		}
		ada.sees("Succeeded")
		ada.ledgerBalances()
	}
}
