package journeys

import (
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// meter adds up what comes over the wire, as the browser counts it: compressed, with headers, nothing for what was in its cache.
type meter struct {
	mu    sync.Mutex
	urls  map[network.RequestID]string
	bytes map[string]float64
}

func (m *meter) watch(event any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		m.urls[e.RequestID] = e.Request.URL
	case *network.EventLoadingFinished:
		m.bytes[m.urls[e.RequestID]] += e.EncodedDataLength
	}
}

// take gives the sum since the last time, fonts left out, and what it is made of.
func (m *meter) take() (sum float64, parts map[string]float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	parts = m.bytes
	m.bytes = map[string]float64{}
	for url, n := range parts {
		if !strings.HasSuffix(url, ".woff2") {
			sum += n
		}
	}
	return sum, parts
}

func (w *walk) keepsTheBudget(t *testing.T) {
	p := w.as(t, w.marta)
	m := &meter{urls: map[network.RequestID]string{}, bytes: map[string]float64{}}
	if err := chromedp.Listen(p.ctx, m.watch); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(p.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	quiet := func() {
		p.until("everything is loaded", `document.readyState === 'complete' && document.fonts.status === 'loaded'`)
	}
	p.open("/transactions")
	quiet()
	if sum, parts := m.take(); sum > 60_000 || sum < 5_000 {
		t.Errorf("the first visit took %.0f bytes without the font, allowed are 60,000: %v", sum, parts)
	} else {
		t.Logf("first visit: %.0f bytes without the font", sum)
	}
	p.open("/transactions?when=30d")
	quiet()
	if sum, parts := m.take(); sum > 10_000 || sum < 1_000 {
		t.Errorf("the next page took %.0f bytes, allowed are 10,000: %v", sum, parts)
	} else {
		t.Logf("next page: %.0f bytes", sum)
	}
}
