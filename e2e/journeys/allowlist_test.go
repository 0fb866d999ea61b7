package journeys

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// comesFrom makes a person's browser seem to come by way of the configured proxy from an address; "" goes straight again.
func (p *person) comesFrom(ip string) {
	p.t.Helper()
	headers := network.Headers{}
	if ip != "" {
		headers["X-Forwarded-For"] = ip
	}
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers}); err != nil {
		p.t.Fatal(err)
	}
}

// agreesToChange presses the button of one waiting change.
func (p *person) agreesToChange(part string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	for {
		marked := ask[bool](p, `(() => { const r = [...document.querySelectorAll('main tbody tr')].find((r) => r.innerText.includes('`+part+`') && r.innerText.includes('Agree'))
			if (r) r.id = 'this-change'; return !!r })()`)
		if marked {
			break
		}
		if ctx.Err() != nil || chromedp.Do(ctx, chromedp.Sleep(100*time.Millisecond)) != nil {
			p.t.Fatalf("%s finds no change about %s\n%s", p.name, part, p.scene())
		}
	}
	p.clickIn("#this-change", "Agree")
}

func (w *walk) guardsAddresses(t *testing.T) {
	const office, elsewhere = "203.0.113.0/24", "198.51.100.77"
	tomas, jun, rhea := arrive(t, w.browser, w.house, "Tomás Vega"), arrive(t, w.browser, w.house, "Jun Park"), arrive(t, w.browser, w.house, "Rhea Stone")

	tomas.open("/allowlist")
	tomas.fill("Address or network", "0.0.0.0/0")
	tomas.choose("For", "auditor")
	tomas.click("Let it in")
	tomas.sees("every address there is")
	tomas.fill("Address or network", "203.0.113.77/24")
	tomas.fill("Label", "Office")
	tomas.click("Let it in")
	tomas.sees("This waits until another admin agrees", "Let "+office+" into the console for the role auditor (Office)")

	// Nobody is kept out by what only one admin wants.
	rhea.comesFrom(elsewhere)
	rhea.open("/transactions")
	rhea.sees("Transactions")

	jun.open("/allowlist")
	jun.agreesToChange(office)
	jun.sees("Agreed: Let " + office)

	rhea.open("/transactions")
	rhea.sees("You are at "+elsewhere, "do not let in")
	rhea.comesFrom("203.0.113.5, " + elsewhere) // what the browser claims in front of the proxy's word counts for nothing
	rhea.open("/audit")
	rhea.sees("You are at " + elsewhere)

	jun.open("/allowlist")
	jun.until("the refused address in the log", `[...document.querySelectorAll('#refused tbody tr')].some((r) => r.innerText.includes('`+elsewhere+`') && r.innerText.includes('Rhea Stone'))`)
	jun.clickIn("#refused", "Add this")
	jun.until("the form filled in", control+`("Address or network")?.value === '`+elsewhere+`'`)
	jun.click("Let it in")
	jun.sees("This waits until another admin agrees")
	tomas.open("/people")
	tomas.agreesToChange(elsewhere)
	tomas.sees("Agreed: Let " + elsewhere + "/32")

	rhea.open("/transactions")
	rhea.seesNot("do not let in")
	jun.open("/allowlist")
	jun.until("the address is said to be let in", `[...document.querySelectorAll('#refused tbody tr')].some((r) => r.innerText.includes('`+elsewhere+`') && r.innerText.includes('Let in now'))`)
	for _, p := range []*person{tomas, jun, rhea} {
		for _, wrong := range p.wrongs {
			if !strings.Contains(wrong, "403") {
				t.Errorf("before %s: %s", p.name, wrong)
			}
		}
	}
}
