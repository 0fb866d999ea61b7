package journeys

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

var awaited chromedp.EvaluateOption = chromedp.EvalAwaitPromise

type finding struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Nodes  []string `json:"nodes"`
}

func axe(only string) string {
	return `axe.run(document, {resultTypes: ['violations'], runOnly: ` + only + `})
		.then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' | ' + n.failureSummary.slice(0, 200))}))))`
}

// widest names what sticks out of the page, or "".
const widest = `(() => { const w = document.documentElement.clientWidth
	if (document.documentElement.scrollWidth <= w) return ''
	const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > w + 1).slice(-3)
	return document.documentElement.scrollWidth + ' > ' + w + ': ' + out.map(e => e.tagName + '.' + e.className).join(', ') })()`

// everyPage looks at the main pages, each with what the journeys left on it.
func (w *walk) everyPage(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("..", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	ada, marta, tomas := w.as(t, w.ada), w.as(t, w.marta), w.as(t, w.tomas)
	ada.open("/payouts?credential=" + w.account)
	transaction := ask[string](ada, `document.querySelector('main tbody a[href^="/transactions/"]').getAttribute('href')`)
	marta.open("/approvals")
	sheet := ask[string](marta, `document.querySelector('main tbody a[href^="/approvals/"]').getAttribute('href')`)
	tomas.open("/sub-accounts?state=open")
	company := ask[string](tomas, `document.querySelector('main tbody a[href^="/sub-accounts/"]').getAttribute('href')`)
	for _, x := range []struct {
		by   *person
		path string
	}{
		{ada, "/"}, {ada, "/transactions"}, {ada, transaction}, {ada, "/payouts/new"}, {ada, "/payouts/new?method=br_pix_cpf&credential=" + w.account},
		{ada, "/balances"}, {marta, "/approvals"}, {marta, sheet}, {tomas, "/providers"}, {tomas, "/credentials/" + w.account}, {tomas, "/webhooks"},
		{tomas, "/sub-accounts"}, {tomas, company}, {tomas, "/sub-accounts/batches"}, {tomas, "/people"}, {tomas, "/audit"}, {tomas, "/settings"},
	} {
		x.by.open(x.path)
		x.by.inspect(string(script), x.path)
	}
	// The review page cannot be opened by its address.
	ada.open("/payouts/new?method=br_pix_cpf&credential=" + w.account + "&amount=61.00&asset=BRL&v.beneficiary_name=Ana&v.document_id=" + cpf)
	ada.click("Review")
	ada.sees("Review the payout")
	ada.inspect(string(script), "the review page")
}

// everyRule is WCAG 2.2, levels A and AA.
const everyRule = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']`

// inspect looks at the page in light and dark, narrow and wide.
func (p *person) inspect(script, where string) {
	p.t.Helper()
	for _, x := range [][2]string{{"light", everyRule}, {"dark", `{type: 'rule', values: ['color-contrast']}`}} { // the other scheme changes colours only
		ask[bool](p, `document.documentElement.dataset.theme = '`+x[0]+`'; true`)
		p.axe(script, where+", "+x[0], x[1])
	}
	for _, width := range []int64{390, 1280} {
		ctx, stop := context.WithTimeout(p.ctx, patience)
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
			p.t.Error(err)
		}
		stop()
		p.fits(where, width)
	}
}

// axe reports what is serious or critical by these rules.
func (p *person) axe(script, where, rules string) {
	p.t.Helper()
	ask[bool](p, `if (!window.axe) { `+script+` }; true`)
	var found []finding
	if err := json.Unmarshal([]byte(ask[string](p, axe(rules), awaited)), &found); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range found {
		if f.Impact == "serious" || f.Impact == "critical" {
			p.t.Errorf("%s: %s (%s)\n\t%s", where, f.ID, f.Impact, strings.Join(f.Nodes, "\n\t"))
		}
	}
}

// fits reports what is wider than the window.
func (p *person) fits(where string, width int64) {
	p.t.Helper()
	if over := ask[string](p, widest); over != "" {
		p.t.Errorf("%s scrolls sideways at %d pixels: %s", where, width, over)
	}
}
