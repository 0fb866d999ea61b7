package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"countinghouse/e2e/browse"
	"countinghouse/models"
)

// keyPages fills a house with something to look at and lists its pages.
func (h *keyHouse) keyPages() map[string]string {
	h.Helper()
	id := h.add("Cashouts Brazil")
	h.add("Deposits Brazil")
	h.send(h.admin, "/credentials/"+id+"/replace", url.Values{"f.cashout_api_signature": {secrets["cashout_api_signature"]}})
	h.send(h.admin, "/credentials/"+id+"/ask", url.Values{"kind": {"promote"}, "version": {"1"}})
	h.send(h.admin, "/balances/refresh", nil)
	for i, secret := range []string{secrets["cashout_api_signature"], "guessed", "guessed"} {
		h.hook("/hooks/"+id+"/cashout", "application/x-www-form-urlencoded", cashoutCallback("CHSTRANGER"+strconv.Itoa(i), secret))
	}
	first := func(path string) string {
		href, _ := h.see(h.admin, path).Find("main tbody tr a").First().Attr("href")
		if href == "" {
			h.Fatalf("%s lists nothing", path)
		}
		return href
	}
	return map[string]string{"providers": "/providers", "passport": "/providers/onekey", "new": "/credentials/new?provider=onekey", "new-aeterna": "/credentials/new?provider=aeterna",
		"credential": "/credentials/" + id, "edit": "/credentials/" + id + "/edit", "replace": "/credentials/" + id + "/replace", "notes": "/credentials/" + id + "/notes",
		"contract": "/credentials/" + id + "/contract", "item": "/credentials/" + id + "/contract/OKP-SIG-2", "lookups": "/credentials/" + id + "/lookups",
		"lookup": first("/credentials/" + id + "/lookups"), "exchanges": "/credentials/" + id + "/exchanges", "exchange": first("/credentials/" + id + "/exchanges"),
		"webhooks": "/webhooks", "webhooks-filtered": "/webhooks?state=refused&provider=onekey", "webhook": first("/webhooks"), "balances": "/balances"}
}

// keyBrowser is a Chromium that is signed in.
func (h *keyHouse) keyBrowser() context.Context {
	h.Helper()
	ctx, stopTime := context.WithTimeout(browse.Start(h), 3*time.Minute)
	h.Cleanup(stopTime)
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "countinghouse", Value: h.admin, URL: h.base}); err != nil {
		h.Fatal(err)
	}
	return ctx
}

func TestThePagesOfKeysInTheBrowser(t *testing.T) {
	h := openKeys(t)
	ctx := h.keyBrowser()
	axe, err := os.ReadFile(filepath.Join("..", "e2e", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range h.keyPages() {
		look(t, ctx, 1280, h.base+path)
		evaluate[bool](t, ctx, string(axe)+";true")
		serious(t, name, evaluate[string](t, ctx, axeRun(`['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']`), chromedp.EvalAwaitPromise))
		evaluate[bool](t, ctx, `document.documentElement.dataset.theme = 'dark'; true`)
		serious(t, name+" dark", evaluate[string](t, ctx, axeRun(`{type: 'rule', values: ['color-contrast']}`), chromedp.EvalAwaitPromise))
		for _, width := range []int64{360, 2560} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			if evaluate[bool](t, ctx, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
				t.Errorf("%s scrolls sideways at %d pixels: %s", name, width, evaluate[string](t, ctx, tooWide))
			}
		}
		if dir := os.Getenv("UI_SHOTS"); dir != "" {
			shoot(t, ctx, dir, name, h.base+path)
		}
	}
}

const tooWide = `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).slice(-3).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40)).join(', ')`

func axeRun(only string) string {
	return "axe.run(document, {resultTypes: ['violations'], runOnly: " + only + `})
		.then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))}))))`
}

func look(t *testing.T, ctx context.Context, width int64, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address), chromedp.WaitReady(chromedp.ID("content"))); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, script string, options ...chromedp.EvaluateOption) T {
	t.Helper()
	answer, err := browse.Ask[T](ctx, script, options...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func serious(t *testing.T, where, answer string) {
	t.Helper()
	var findings []struct {
		ID, Impact string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(answer), &findings); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Impact == "serious" || f.Impact == "critical" {
			t.Errorf("%s: %s (%s) %q", where, f.ID, f.Impact, f.Nodes)
		}
	}
}

func shoot(t *testing.T, ctx context.Context, dir, name, address string) {
	t.Helper()
	for _, width := range []int64{390, 1280} {
		look(t, ctx, width, address)
		height := min(evaluate[int64](t, ctx, "document.documentElement.scrollHeight"), 2600)
		beyond := true
		picture, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond,
			Clip: &page.Viewport{Width: float64(width), Height: float64(height), Scale: 1}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-"+strconv.FormatInt(width, 10)+".png"), picture.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// An admin's first hour, by keyboard and mouse in a real browser: keys are added, tested and brought into use.
func TestAnAdminAddsACredentialInTheBrowser(t *testing.T) {
	h := openKeys(t)
	ctx := h.keyBrowser()
	look(t, ctx, 1280, h.base+"/credentials/new?provider=onekey")
	fill := []chromedp.Action[chromedp.Void]{chromedp.SetValue(chromedp.ID("f-name"), "Main keys"), chromedp.SetValue(chromedp.ID("f-f-base_url"), h.sandbox.URL)}
	for name, v := range secrets {
		fill = append(fill, chromedp.SendKeys(chromedp.ID("f-f-"+name), v))
	}
	press := func(label string) {
		t.Helper()
		script := `(() => { const b = [...document.querySelectorAll('main button')].find(b => b.textContent.trim() === ` + strconv.Quote(label) + `); if (!b) return false; b.click(); return true })()`
		pressed, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script)) // put once: a button must not be pressed on the next page too
		if err != nil && !browse.Between(err) {
			t.Fatal(err)
		}
		if err == nil && !pressed {
			t.Fatalf("there is no button %q on %s", label, evaluate[string](t, ctx, "location.pathname"))
		}
	}
	says := func(want string) {
		t.Helper()
		for range 100 {
			got, err := browse.Ask[string](ctx, `document.querySelector('main') ? document.querySelector('main').innerText : ''`)
			if err == nil && strings.Contains(got, want) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("the page never says %q:\n%s", want, evaluate[string](t, ctx, `document.querySelector('main').innerText`))
	}
	if err := chromedp.Do(ctx, fill...); err != nil {
		t.Fatal(err)
	}
	press("Write the credential down")
	says("Written down as a draft.")
	press("Test")
	says("Keys, signature and address are accepted.")
	press("Bring it into use")
	says("In use: payouts and deposits go through it.")
	list, err := h.store.Credentials(t.Context(), h.ada.Actor(h.store), models.Sandbox)
	if err != nil || len(list) != 1 || list[0].State != models.CredentialActive || list[0].Tested != "ok" {
		t.Errorf("the credential: %+v, %v", list, err)
	}
	if a := h.get(t, "/providers", h.finance); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Main keys") {
		t.Errorf("finance does not see it: %d", a.StatusCode)
	}
}
