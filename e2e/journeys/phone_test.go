package journeys

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// paysOnAPhoneInTheDark walks the payout journey at 390 pixels, in the dark scheme that the device asks for, and looks at every page on the way.
func (w *walk) paysOnAPhoneInTheDark(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("..", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	for _, p := range []*person{ada, marta} {
		p.device(390, 844, "dark")
		defer p.device(1280, 800, "")
	}
	look := func(p *person, where string) {
		t.Helper()
		if got := ask[string](p, `getComputedStyle(document.body).backgroundColor`); got == "rgb(247, 244, 238)" || got == "rgb(255, 255, 255)" {
			t.Errorf("%s is %s on a device that asks for dark", where, got)
		}
		p.axe(string(script), where+", on a phone in the dark", everyRule)
		p.fits(where, 390)
	}
	ada.open("/")
	look(ada, "home")
	ada.open("/payouts")
	look(ada, "the list of payouts")
	ada.click("New payout")
	ada.at("/payouts/new")
	look(ada, "the choice of a way to pay")
	ada.clickIn(`ul.choices:has(a[href*="`+w.account+`"])`, "PIX by CPF, Brazil")
	ada.sees("Amount to pay")
	look(ada, "the form")
	ada.fill("Amount to pay", "390.00")
	ada.choose("Currency", "BRL")
	ada.fill("Full name of the beneficiary", payee)
	ada.fill("CPF of the beneficiary", "11111111111")
	ada.click("Review")
	ada.until("the mistake beside its field", `document.querySelector('main [aria-invalid=true]')`)
	look(ada, "the form with a mistake")
	ada.fill("CPF of the beneficiary", cpf)
	ada.click("Review")
	ada.sees("Review the payout", "390.00 BRL", payee)
	look(ada, "the review")
	ada.click("Submit the payout of 390.00 BRL for approval")
	ada.sees("Awaiting approval")
	ref := ada.reference()
	look(ada, "the payout that waits")

	// The menu is behind a button here.
	marta.open("/")
	marta.click("Menu")
	marta.press("Approvals", true, "nav.menu")
	marta.at("/approvals")
	marta.sees(ref)
	look(marta, "the list of approvals")
	marta.press("Payout", true, `tr[data-ref="`+ref+`"]`)
	marta.sees("Destination, in full", payee, "5299 8224 725")
	look(marta, "the approval")
	marta.agrees("390.00 BRL")
	ada.sees("Pending")
	look(ada, "the payout at the provider")
	w.onekey.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.sees("Succeeded")
	look(ada, "the payout at its end")
	ada.ledgerBalances()
	w.once(t, ref)
}

// device gives the window a size and the colour scheme that the device asks for; "" is the browser's own.
func (p *person) device(width, height int64, scheme string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		p.t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		p.t.Fatal(err)
	}
}
