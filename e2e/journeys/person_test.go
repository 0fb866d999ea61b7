package journeys

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"countinghouse/e2e/browse"
)

// patience is how long a page may take to show what it must show. It is no measure of speed: other work shares the machine.
const patience = 40 * time.Second

// person sits before a browser of their own: one tab, own cookies.
type person struct {
	t    *testing.T // the journey that is being walked
	ctx  context.Context
	name string
	h    *house

	mu     sync.Mutex
	wrongs []string // requests that left the origin, broken policies, script errors
}

// arrive opens a browser window for somebody and signs them in by their link of the demonstration.
func arrive(t *testing.T, parent context.Context, h *house, name string) *person {
	t.Helper()
	p := sit(t, parent, h, name)
	p.open("/sign-in")
	p.clickStart(name)
	p.until("the first page is open", `location.pathname !== '/sign-in' && document.querySelector('nav.menu')`)
	return p
}

// sit gives somebody a browser window of their own.
func sit(t *testing.T, parent context.Context, h *house, name string) *person {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	p := &person{t: t, ctx: ctx, name: name, h: h}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// carries puts the cookie of an open session into the browser.
func (p *person) carries(name, token string) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: token, URL: p.h.base}); err != nil {
		p.t.Fatal(err)
	}
}

// watch notes what must never happen on any page.
func (p *person) watch(event any) {
	wrong := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		// The browser's own PDF viewer is an extension; it asks nobody outside.
		if u := e.Request.URL; !strings.HasPrefix(u, p.h.base+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "chrome-extension:") {
			wrong = "a request left for " + u
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceSecurity || strings.Contains(e.Entry.Text, "Content Security Policy") {
			wrong = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		wrong = "a script failed: " + e.ExceptionDetails.Text
	case *page.EventJavascriptDialogOpening:
		wrong = "a dialog stood in the way: " + e.Message
		go func() {
			_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	}
	if wrong != "" {
		p.mu.Lock()
		p.wrongs = append(p.wrongs, wrong)
		p.mu.Unlock()
	}
}

// open goes to an address of the program.
func (p *person) open(path string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate(p.h.base+path), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
		p.t.Fatalf("%s cannot open %s: %v", p.name, path, err)
	}
}

// ask evaluates a script on the page, for looking only.
func ask[T any](p *person, script string, options ...chromedp.EvaluateOption) T {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	answer, err := browse.Ask[T](ctx, script, options...)
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, script)
	}
	return answer
}

// until waits until a script answers true.
func (p *person) until(what, script string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if yes, err := browse.Until(ctx, script); !yes {
		p.t.Fatalf("%s waits in vain: %s (%v)\n%s", p.name, what, err, p.scene())
	}
}

// scene is what stands on the page, for the report of a failure.
func (p *person) scene() string {
	ctx, stop := context.WithTimeout(p.ctx, 10*time.Second)
	defer stop()
	s, err := browse.Ask[string](ctx, `location.pathname + location.search + '\nfocus: ' + (document.activeElement?.outerHTML || '').slice(0, 160) + '\n' +
		(document.querySelector('main') || document.body).innerText.replace(/\n{2,}/g, '\n').slice(0, 2500)`)
	if err != nil {
		return "the page cannot be read: " + err.Error()
	}
	return s
}

// words is the visible text of the page in one line.
const words = `(document.querySelector('main') || document.body).innerText.replace(/\s+/g, ' ')`

// sees waits until words stand on the page.
func (p *person) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.until("“"+text+"” on the page", words+`.includes(`+strconv.Quote(text)+`)`)
	}
}

// looksAgain reloads the page until words stand on it.
func (p *person) looksAgain(text string) {
	p.t.Helper()
	for ends := time.Now().Add(patience); ; {
		p.open(p.path())
		if ask[bool](p, words+`.includes(`+strconv.Quote(text)+`)`) {
			return
		}
		if time.Now().After(ends) {
			p.t.Fatalf("%s reloads in vain for “%s”\n%s", p.name, text, p.scene())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (p *person) seesNot(text string) {
	p.t.Helper()
	if ask[bool](p, words+`.includes(`+strconv.Quote(text)+`)`) {
		p.t.Errorf("%s must not see “%s”\n%s", p.name, text, p.scene())
	}
}

// spot finds what can be clicked by its words, brings it into view, and says where it is; "" when it is not there, or something covers it.
const spot = `((text, start, root) => {
	const norm = (s) => s.replace(/\s+/g, ' ').trim()
	const all = [...document.querySelectorAll(root + ' :is(a[href], button, summary, label)')].filter((e) => e.checkVisibility() && !e.disabled && e.getAttribute('aria-disabled') !== 'true')
	const e = all.find((e) => start ? norm(e.innerText).startsWith(text) : norm(e.innerText) === text)
	if (!e || document.readyState === 'loading') return ''
	e.scrollIntoView({block: 'center', behavior: 'instant'})
	const r = e.getClientRects()[0]
	const x = r.left + r.width / 2, y = r.top + r.height / 2
	const top = document.elementFromPoint(x, y)
	return top && (e === top || e.contains(top) || top.contains(e)) ? x + ' ' + y : ''
})`

// click presses the link or button with exactly these words.
func (p *person) click(text string) { p.t.Helper(); p.press(text, false, "body") }

// clickStart presses the one whose words begin so.
func (p *person) clickStart(text string) { p.t.Helper(); p.press(text, true, "body") }

// clickIn presses one inside a part of the page.
func (p *person) clickIn(part, text string) { p.t.Helper(); p.press(text, false, part) }

func (p *person) press(text string, start bool, part string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	for {
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`%s(%q, %v, %q)`, spot, text, start, part)))
		var x, y float64
		if n, _ := fmt.Sscan(at, &x, &y); n == 2 && err == nil {
			if err := chromedp.Do(ctx, chromedp.MouseClickXY(x, y)); err != nil {
				p.t.Fatalf("%s clicks “%s”: %v", p.name, text, err)
			}
			return
		}
		if ctx.Err() != nil || chromedp.Do(ctx, chromedp.Sleep(40*time.Millisecond)) != nil {
			p.t.Fatalf("%s finds nothing to click that says “%s” (%v)\n%s", p.name, text, err, p.scene())
		}
	}
}

// control finds the control of a label, by the label's words without "optional".
const control = `((text) => {
	const norm = (s) => s.replace(/\s+/g, ' ').trim()
	const l = [...document.querySelectorAll('main label')].find((l) => l.checkVisibility() && norm(l.innerText).replace(/ optional$/i, '') === text)
	return l && l.control
})`

// fill clicks into the field with this label and types.
func (p *person) fill(label, value string) {
	p.t.Helper()
	p.until("a field “"+label+"”", control+`(`+strconv.Quote(label)+`)`)
	field := control + `(` + strconv.Quote(label) + `)`
	at := ask[[]float64](p, `(() => { const e = `+field+`; e.scrollIntoView({block: 'center', behavior: 'instant'}); const r = e.getBoundingClientRect(); return [r.left + 12, r.top + r.height / 2] })()`)
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1])); err != nil {
		p.t.Fatal(err)
	}
	p.until("the focus in “"+label+"”", field+` === document.activeElement`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent(value)); err != nil {
		p.t.Fatal(err)
	}
	p.until("“"+value+"” in “"+label+"”", field+`.value === `+strconv.Quote(value))
}

// choose picks an option of a list by its words.
func (p *person) choose(label, option string) {
	p.t.Helper()
	p.until("a list “"+label+"”", control+`(`+strconv.Quote(label)+`)`)
	found := ask[bool](p, `(() => { const e = `+control+`(`+strconv.Quote(label)+`); const o = [...e.options].find((o) => o.text.trim().startsWith(`+strconv.Quote(option)+`))
		if (!o) return false
		e.focus(); e.value = o.value; e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true})); return true })()`)
	if !found {
		p.t.Fatalf("%s finds no option “%s” in “%s”\n%s", p.name, option, label, p.scene())
	}
}

// keys presses keys, one after the other.
func (p *person) keys(keys ...string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	for _, k := range keys {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(k)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// at waits for an address.
func (p *person) at(path string) {
	p.t.Helper()
	p.until("the page "+path, `location.pathname === `+strconv.Quote(path)+` && document.readyState !== 'loading'`)
}

func (p *person) path() string { p.t.Helper(); return ask[string](p, `location.pathname`) }

// provesSecondFactor goes through the step-up page, if the program has just asked for it.
func (p *person) provesSecondFactor() {
	p.t.Helper()
	if p.path() == "/step-up" {
		p.click("Go on as if the code had been shown")
	}
}
