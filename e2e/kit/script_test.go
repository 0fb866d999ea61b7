package kit

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"countinghouse/e2e/browse"
)

// What app.js does, as a person at the keyboard meets it.

func press(t *testing.T, ctx context.Context, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(k)); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually asks until a script answers true.
func eventually(t *testing.T, ctx context.Context, what, script string) {
	t.Helper()
	short, stop := context.WithTimeout(ctx, 15*time.Second)
	defer stop()
	if yes, err := browse.Until(short, script); !yes {
		state, _ := browse.Ask[string](ctx, `location.href + ' focus: ' + (document.activeElement?.outerHTML || '').slice(0, 160)`)
		t.Fatalf("%s: not so (%v), at %s", what, err, state)
	}
}

func rowsMovePeekAndCopy(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/transactions")
	ask[bool](t, ctx, `Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (t) => { window.copied = t }}}); true`)
	press(t, ctx, "j", "j", "j", "k")
	eventually(t, ctx, "j three times and k once stands on the second row", `document.activeElement.textContent.trim() === 'CH-7Q2K-9981'`)
	press(t, ctx, "c")
	eventually(t, ctx, "c copies its reference", `window.copied === 'CH-7Q2K-9981'`)
	eventually(t, ctx, "and says so", `document.querySelector('#toasts').textContent.includes('Copied CH-7Q2K-9981')`)
	press(t, ctx, " ")
	eventually(t, ctx, "space shows the payout beside the list", `document.querySelector('#peek[open]')?.textContent.includes('Outcome unknown')`)
	if ask[bool](t, ctx, `!!document.querySelector('#peek .dialog-body :is(form, button[type=submit])')`) {
		t.Error("a peek must offer nothing to press")
	}
	press(t, ctx, kb.Escape)
	eventually(t, ctx, "escape closes it and the row has the focus again", `!document.querySelector('#peek[open]') && document.activeElement.textContent.trim() === 'CH-7Q2K-9981'`)
	press(t, ctx, kb.Enter)
	eventually(t, ctx, "enter opens the row", `location.pathname === '/kit/payout'`)
}

func paletteFinds(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/transactions")
	press(t, ctx, "/")
	eventually(t, ctx, "the slash opens the palette", `document.querySelector('dialog.palette[open]') && document.activeElement.getAttribute('role') === 'combobox'`)
	// The protocol types the slash as well, which a keyboard does not.
	press(t, ctx, kb.Backspace, "A", "p", "p", "r")
	eventually(t, ctx, "pages are found by name", `document.querySelector('.palette [aria-selected=true]')?.textContent === 'Approvals'`)
	eventually(t, ctx, "the server's answers join them as text", `document.querySelector('.palette').textContent.includes('<img src=x')`)
	if ask[bool](t, ctx, `!!document.querySelector('.palette img, .palette b')`) {
		t.Error("an answer of the server became markup")
	}
	press(t, ctx, kb.ArrowDown, kb.ArrowDown, kb.Enter)
	eventually(t, ctx, "an address elsewhere leads nowhere", `location.pathname === '/kit/transactions' && !document.querySelector('dialog.palette[open]')`)
	press(t, ctx, "/", kb.Backspace, "C", "H", "-", "7")
	eventually(t, ctx, "a reference is found", `document.querySelector('.palette [aria-selected=true]')?.textContent.startsWith('Payout CH-7Q2M-0412')`)
	press(t, ctx, kb.Enter)
	eventually(t, ctx, "and opened", `location.pathname === '/kit/payout'`)
}

func preferencesAreKept(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/transactions")
	for _, css := range []string{".who > summary", ".who button[value=dark]", ".who button[value=compact]"} {
		if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(css))); err != nil {
			t.Fatal(css, err)
		}
	}
	eventually(t, ctx, "both are applied at once", `document.documentElement.dataset.theme === 'dark' && document.documentElement.dataset.density === 'compact' && location.pathname === '/kit/transactions'`)
	screen(t, ctx, 1280, 900, s.URL+"/kit/payout")
	eventually(t, ctx, "and the server draws the next page so", `document.documentElement.dataset.theme === 'dark' && document.documentElement.dataset.density === 'compact'`)
	ask[bool](t, ctx, `document.cookie = 'ch_theme=; Max-Age=0; Path=/'; document.cookie = 'ch_density=; Max-Age=0; Path=/'; true`)
}

func aFormIsSentOnce(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/review")
	before := s.posts.Load()
	ask[bool](t, ctx, `(() => { const f = document.querySelector('form[action="/kit/confirm"]'); f.elements.why.value = 'second invoice'; f.requestSubmit(); f.requestSubmit(); f.querySelector('button.primary').click(); return true })()`)
	eventually(t, ctx, "it arrives", `location.pathname === '/kit/payout'`)
	if got := s.posts.Load() - before; got != 1 {
		t.Errorf("pressed three times, sent %d times", got)
	}
}

func aSwapKeepsFocusAndAddress(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/transactions")
	ask[bool](t, ctx, `window.samePage = true; document.querySelector('.pager a[rel=next]').focus(); true`)
	press(t, ctx, kb.Enter)
	eventually(t, ctx, "the address carries the page", `location.search === '?before=CH-7Q27-9042'`)
	eventually(t, ctx, "nothing was reloaded and the focus stands where it stood", `window.samePage && document.activeElement.getAttribute('rel') === 'next' && document.querySelectorAll('#content').length === 1 && document.querySelectorAll('nav.menu').length === 1`)
	eventually(t, ctx, "the title came along", `document.title.startsWith('Transactions · ')`)
	if err := chromedp.Do(ctx, chromedp.NavigateBack()); err != nil {
		t.Fatal(err)
	}
	eventually(t, ctx, "back shows the whole page again", `location.search === '' && document.querySelector('nav.menu') && document.querySelectorAll('table.table tbody tr').length === 12`)
}

func aFailedRequestSaysSo(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/transactions")
	ask[bool](t, ctx, `htmx.ajax('GET', '/kit/broken', {target: '#content'}).catch(() => {}); true`)
	eventually(t, ctx, "the number and what it means stand there", `document.querySelector('#toasts').textContent.includes('The server answered 503. Nothing on this page has changed.')`)
	eventually(t, ctx, "and the page is as it was", `document.querySelectorAll('table.table tbody tr').length === 12`)
}

func menuOpensWithoutScript(t *testing.T, ctx context.Context, s *samples) {
	scripts := func(off bool) {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off}); err != nil {
			t.Fatal(err)
		}
	}
	scripts(true)
	defer scripts(false)
	screen(t, ctx, 390, 800, s.URL+"/kit/transactions")
	seen := func() bool {
		return ask[bool](t, ctx, `document.querySelector('nav.menu a[href="/approvals"]').getBoundingClientRect().width > 0`)
	}
	if seen() {
		t.Error("the menu covers a narrow screen before it is asked for")
	}
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".menu-open"))); err != nil {
		t.Fatal(err)
	}
	if !seen() {
		t.Error("the menu does not open without script")
	}
}

func anExpiredQuoteCannotBeSent(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/review")
	ask[bool](t, ctx, `(() => { const c = document.createElement('span'); c.dataset.countdown = '2026-11-22T12:00:01Z'; c.dataset.now = '2026-11-22T12:00:00Z'; c.dataset.ended = 'quote expired'
		document.querySelector('form[action="/kit/confirm"]').prepend(c); return true })()`)
	eventually(t, ctx, "after its second the quote says so and the button rests", `document.querySelector('[data-countdown]').textContent === 'quote expired' && document.querySelector('form[action="/kit/confirm"] button.primary').disabled`)
}

func unsavedChangesAreAskedAbout(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/form")
	leaving := `(() => { const e = new Event('beforeunload', {cancelable: true}); dispatchEvent(e); return e.defaultPrevented })()`
	if ask[bool](t, ctx, leaving) {
		t.Error("an untouched form asks before it is left")
	}
	ask[bool](t, ctx, `(() => { const i = document.querySelector('#f-amount'); i.value = '5'; i.dispatchEvent(new Event('input', {bubbles: true})); return true })()`)
	if !ask[bool](t, ctx, leaving) {
		t.Error("what was typed is lost without a question")
	}
	ask[bool](t, ctx, `(() => { const f = document.querySelector('form[data-guard]'); f.addEventListener('submit', e => e.preventDefault()); f.querySelector('button.primary').click(); return true })()`)
	if ask[bool](t, ctx, leaving) {
		t.Error("sending the form asks as if it were lost")
	}
}

func policyIsNeverViolated(t *testing.T, ctx context.Context, s *samples) {
	added, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.violations = []; addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample))`,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_, _ = chromedp.Call(ctx, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(added))
	}()
	for _, path := range slices.Sorted(maps.Keys(samplePages())) {
		screen(t, ctx, 1280, 900, s.URL+path)
		if found := ask[[]string](t, ctx, `violations`); len(found) > 0 {
			t.Errorf("%s: %q", path, found)
		}
	}
	screen(t, ctx, 1280, 900, s.URL+"/kit/transactions")
	ask[bool](t, ctx, `document.querySelector('.pager a[rel=next]').click(); true`)
	eventually(t, ctx, "a swap", `location.search !== ''`)
	press(t, ctx, "/", "c", "h", kb.Escape)
	eventually(t, ctx, "escape closes the palette", `!document.querySelector('dialog[open]') && document.activeElement === document.body`)
	press(t, ctx, "?")
	eventually(t, ctx, "the list of keys", `document.querySelector('#keys[open]')`)
	if found := ask[[]string](t, ctx, `violations`); len(found) > 0 {
		t.Errorf("while working: %q", found)
	}
	ask[bool](t, ctx, `document.body.insertAdjacentHTML('beforeend', '<p style="color:red" id="inline">x</p>'); true`)
	eventually(t, ctx, "an inline style would have been noticed", `violations.length === 1`)
}

func bandIsOnPaper(t *testing.T, ctx context.Context, s *samples) {
	screen(t, ctx, 1280, 900, s.URL+"/kit/payout")
	media := func(name string) {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: name}); err != nil {
			t.Fatal(err)
		}
	}
	media("print")
	defer media("")
	eventually(t, ctx, "on paper the band stays and the menu goes", `(() => { const c = getComputedStyle(document.querySelector('.band'))
		return c.display !== 'none' && c.borderTopWidth !== '0px' && c.printColorAdjust === 'exact' && c.backgroundImage.includes('gradient') && getComputedStyle(document.querySelector('.menu')).display === 'none' })()`)
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF())
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Fatalf("%v, %q", err, strings.TrimSpace(string(pdf[:min(8, len(pdf))])))
	}
}
