package kit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"countinghouse/e2e/browse"
	"countinghouse/views"
)

// browser has two minutes for everything.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(browse.Start(t), 2*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// screen opens a page of the preview at a width.
func screen(t *testing.T, ctx context.Context, width, height int64, url string) {
	t.Helper()
	err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url), chromedp.WaitReady(chromedp.ID("content")))
	if err != nil {
		t.Fatalf("%s at %d: %v", url, width, err)
	}
}

// ask evaluates a script in the page.
func ask[T any](t *testing.T, ctx context.Context, script string, options ...chromedp.EvaluateOption) T {
	t.Helper()
	answer, err := browse.Ask[T](ctx, script, options...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

type axeFinding struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Nodes  []string `json:"nodes"`
}

func axeCall(only string) string {
	return "axe.run(document, {resultTypes: ['violations'], runOnly: " + only + `})
		.then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 200) + ' | ' + n.failureSummary.slice(0, 200))}))))`
}

// One browser for all: starting it costs more than looking.
func TestInTheBrowser(t *testing.T) {
	ctx := browser(t)
	s := preview(t)
	for name, look := range map[string]func(*testing.T, context.Context, *samples){
		"axe finds nothing serious, light and dark":          axeFindsNothingSerious,
		"no sample scrolls sideways from 360 to 2560 pixels": noSampleScrollsSideways,
		"every target has 24 pixels":                         everyTargetHas24Pixels,
		"rows move by key, peek and copy":                    rowsMovePeekAndCopy,
		"the palette finds pages and asks the server":        paletteFinds,
		"theme and rows are kept":                            preferencesAreKept,
		"a form is sent once":                                aFormIsSentOnce,
		"a swap keeps focus and address, and back works":     aSwapKeepsFocusAndAddress,
		"a failed request says so":                           aFailedRequestSaysSo,
		"the menu opens without script on a narrow screen":   menuOpensWithoutScript,
		"an expired quote cannot be sent":                    anExpiredQuoteCannotBeSent,
		"unsaved changes are asked about":                    unsavedChangesAreAskedAbout,
		"the content policy is never violated":               policyIsNeverViolated,
		"the band is on paper too":                           bandIsOnPaper,
	} {
		t.Run(name, func(t *testing.T) { look(t, ctx, s) })
	}
}

func axeFindsNothingSerious(t *testing.T, ctx context.Context, server *samples) {
	axe, err := os.ReadFile(filepath.Join("..", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(samplePages())) {
		screen(t, ctx, 1280, 900, server.URL+path+"?theme=light")
		ask[bool](t, ctx, string(axe)+";true")
		report(t, path+" light", ask[string](t, ctx, axeCall(`['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`), chromedp.EvalAwaitPromise))
		if path != "/kit" {
			continue
		}
		// The other scheme changes colours and nothing else, and the kit has every piece.
		ask[bool](t, ctx, `document.documentElement.dataset.theme = 'dark'; true`)
		report(t, path+" dark", ask[string](t, ctx, axeCall(`{type: 'rule', values: ['color-contrast']}`), chromedp.EvalAwaitPromise))
	}
}

func report(t *testing.T, where, answer string) {
	t.Helper()
	var findings []axeFinding
	if err := json.Unmarshal([]byte(answer), &findings); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Impact == "serious" || f.Impact == "critical" {
			t.Errorf("%s: %s (%s)\n\t%q", where, f.ID, f.Impact, f.Nodes)
		} else {
			t.Logf("%s: %s (%s) %q", where, f.ID, f.Impact, f.Nodes)
		}
	}
}

func noSampleScrollsSideways(t *testing.T, ctx context.Context, server *samples) {
	for _, path := range slices.Sorted(maps.Keys(samplePages())) {
		screen(t, ctx, 360, 900, server.URL+path)
		for _, width := range []int64{360, 390, 700, 800, 1100, 2560} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			over := ask[string](t, ctx, widest)
			if over != "" {
				t.Errorf("%s at %d pixels is wider than the screen: %s", path, width, over)
			}
			if broken := ask[string](t, ctx, brokenFigures); broken != "" && path != views.KitPath+"/hostile" {
				t.Errorf("%s at %d pixels breaks a figure in two: %s", path, width, broken)
			}
		}
	}
}

// brokenFigures names amounts that stand on more than one line, or "".
const brokenFigures = `[...document.querySelectorAll('.money .amount')].filter(e => e.getClientRects().length > 1).map(e => e.textContent).join(', ')`

// widest names what sticks out of the page, or "".
const widest = `(() => { const w = document.documentElement.clientWidth
	if (document.documentElement.scrollWidth <= w) return ''
	const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > w + 1).slice(-3)
	return document.documentElement.scrollWidth + ' > ' + w + ': ' + out.map(e => e.tagName + '.' + e.className).join(', ') })()`

func everyTargetHas24Pixels(t *testing.T, ctx context.Context, server *samples) {
	screen(t, ctx, 1280, 900, server.URL+"/kit")
	small := ask[[]string](t, ctx, smallTargets)
	if len(small) > 0 {
		t.Errorf("targets under 24 pixels: %q", small)
	}
}

// WCAG 2.5.8 excepts links in running text and controls of the browser; here
// that is a link whose parent holds more text, and the tick boxes, which have
// 24 pixels with their margin.
const smallTargets = `[...document.querySelectorAll('button, summary, a[href], input')].filter(e => {
	const r = e.getBoundingClientRect()
	if (!r.width || e.type === 'hidden' || e.closest('.skip, td, th, dd, p, li, .table-foot, .chips') || /checkbox|radio/.test(e.type)) return false
	const box = e.closest('.control') ? e.closest('.control').getBoundingClientRect() : r
	return box.height < 24 || box.width < 24
}).map(e => e.outerHTML.slice(0, 120))`

// Run by hand: UI_SHOTS=/tmp/shots go test ./e2e/kit -run Shots
func TestShots(t *testing.T) {
	dir := os.Getenv("UI_SHOTS")
	if dir == "" {
		t.Skip("set UI_SHOTS to a folder to get pictures of every sample")
	}
	ctx := browser(t)
	server := preview(t)
	only := os.Getenv("UI_ONLY")
	for path := range samplePages() {
		if only != "" && path != only {
			continue
		}
		for _, width := range []int64{390, 1280} {
			for _, theme := range []string{"light", "dark"} {
				screen(t, ctx, width, 900, server.URL+path+"?theme="+theme)
				height := ask[int64](t, ctx, "document.documentElement.scrollHeight")
				for i, top := 0, int64(0); top < height; i, top = i+1, top+1200 {
					beyond := true
					picture, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
						CaptureBeyondViewport: &beyond,
						Clip:                  &page.Viewport{Y: float64(top), Width: float64(width), Height: float64(min(1200, height-top)), Scale: 1},
					})
					if err != nil {
						t.Fatal(err)
					}
					name := fmt.Sprintf("%s-%d-%s-%d.png", filepath.Base(path), width, theme, i)
					if err := os.WriteFile(filepath.Join(dir, name), picture.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
