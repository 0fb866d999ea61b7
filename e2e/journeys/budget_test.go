package journeys

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// weight adds up what came over the wire for this page, compressed, fonts and what was in the cache left out.
const weight = `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
	.filter((e) => e.transferSize > 0 && !e.name.endsWith('.woff2')).reduce((n, e) => n + e.encodedBodySize, 0)`

func (w *walk) keepsTheBudget(t *testing.T) {
	p := w.as(t, w.marta)
	if _, err := chromedp.Call(p.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what, path  string
		least, most int
	}{{"the first visit", "/transactions", 20_000, 60_000}, {"the next page", "/transactions?when=30d", 1_000, 10_000}} {
		p.open(x.path)
		p.until("everything is loaded", `document.readyState === 'complete' && document.fonts.status === 'loaded'`)
		if n := ask[int](p, weight); n < x.least || n > x.most {
			t.Errorf("%s took %d bytes without the font, allowed are %d", x.what, n, x.most)
		} else {
			t.Logf("%s: %d bytes without the font", x.what, n)
		}
	}
}
