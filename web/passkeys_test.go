package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"countinghouse/e2e/browse"
	"countinghouse/web"
)

func TestPasskeysAreOfferedWhereBrowsersTakeThem(t *testing.T) {
	h := open(t)
	form := h.get(t, "/sign-in", "").doc(t).Find("form[data-passkey]")
	if rp, _ := form.Attr("data-rp"); rp != "localhost" || form.Length() != 1 {
		t.Errorf("on a loopback address passkeys are bound to %q in %d forms", rp, form.Length())
	}
	if why := form.Find("[data-passkey-why]").Text(); !strings.Contains(why, "need script") {
		t.Errorf("without script the page says %q", why)
	}
	// Without script the form comes empty, and the answer says why nothing happened.
	got := h.post(t, "/sign-in/passkey", "", url.Values{})
	if got.StatusCode != 422 || !strings.Contains(got.body, "Passkeys need script") {
		t.Errorf("an empty answer: %d", got.StatusCode)
	}
	o := h.post(t, "/sign-in/passkey/options", "", nil)
	if o.StatusCode != 200 || !strings.HasPrefix(o.Header.Get("Content-Type"), "application/json") || !strings.Contains(o.body, `"userVerification":"required"`) || strings.Contains(o.body, "allowCredentials\":[{") {
		t.Errorf("options: %d %s", o.StatusCode, o.body)
	}
	if got := h.post(t, "/sign-in/passkey", "", url.Values{"ceremony": {"x"}, "answer": {strings.Repeat("{", 50_000)}}); got.StatusCode != 422 {
		t.Errorf("a hostile answer: %d", got.StatusCode)
	}

	bare := open(t, func(c *web.Config) { c.PublicURL = "https://203.0.113.7" })
	page := bare.get(t, "/sign-in", "", "Host", "203.0.113.7")
	if page.StatusCode != 200 || page.doc(t).Find("form[data-passkey]").Length() != 0 {
		t.Errorf("a server without a name offers passkeys: %d", page.StatusCode)
	}
}

// key is a person's browser with a virtual authenticator in it.
type key struct {
	*testing.T
	ctx context.Context
	id  webauthn.AuthenticatorID
	url string
}

func (k *key) until(what, script string) {
	k.Helper()
	for ends := time.Now().Add(30 * time.Second); ; time.Sleep(40 * time.Millisecond) {
		if yes, err := browse.Ask[bool](k.ctx, "!!("+script+")"); err == nil && yes {
			return
		}
		if time.Now().After(ends) {
			k.Fatalf("waited in vain for %s: %s", what, evaluate[string](k.T, k.ctx, `location.pathname + ' ' + document.body.innerText.slice(0, 1500)`))
		}
	}
}

func (k *key) open(path string) {
	k.Helper()
	if err := chromedp.Do(k.ctx, chromedp.Navigate(k.url+path), chromedp.WaitReady(chromedp.CSS("body"))); err != nil {
		k.Fatal(err)
	}
}

// press clicks the button of the form for passkeys.
func (k *key) press() {
	k.Helper()
	k.until("the button", `document.querySelector('form[data-passkey] button:not(:disabled)')`)
	evaluate[bool](k.T, k.ctx, `document.querySelector('form[data-passkey] button').click(); true`)
}

func (k *key) verifies(yes bool) {
	k.Helper()
	if _, err := chromedp.Call(k.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: k.id, IsUserVerified: yes}); err != nil {
		k.Fatal(err)
	}
}

func TestAPasskeyInARealBrowser(t *testing.T) {
	h := open(t, inDemo)
	ctx, stop := context.WithTimeout(browse.Start(t), 2*time.Minute)
	t.Cleanup(stop)
	k := &key{T: t, ctx: ctx, url: strings.Replace(h.base, "127.0.0.1", "localhost", 1)}
	wrongs := make(chan string, 100)
	if err := chromedp.Listen(ctx, func(e any) {
		if r, ok := e.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(r.Request.URL, "http://localhost:") && !strings.HasPrefix(r.Request.URL, "http://127.0.0.1:") && !strings.HasPrefix(r.Request.URL, "data:") {
			wrongs <- r.Request.URL
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	added, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatal(err)
	}
	k.id = added.AuthenticatorID

	// Under the wrong name the page says where to go, and the button rests.
	if err := chromedp.Do(ctx, chromedp.Navigate(h.base+"/sign-in")); err != nil {
		t.Fatal(err)
	}
	k.until("the reason", `document.querySelector('[data-passkey-why]').textContent.includes('under http://localhost:') && document.querySelector('form[data-passkey] button').disabled`)

	signedIn := func(token string) {
		if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "countinghouse", Value: token, URL: k.url}); err != nil {
			t.Fatal(err)
		}
	}
	signedIn(h.session(t, h.ada))
	k.open("/settings")
	evaluate[bool](t, ctx, `document.querySelector('form[data-passkey] [name=name]').value = 'Laptop'; true`)
	k.verifies(false)
	k.press()
	k.until("the refusal of a device that does not check the person", `document.querySelector('[data-passkey-why]').textContent !== ''`)
	k.verifies(true)
	k.press()
	k.until("the registered passkey", `document.querySelector('#passkeys table')?.innerText.includes('Laptop')`)

	// Signing in without saying who one is.
	if _, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	k.open("/sign-in?back=%2Fpeople")
	k.press()
	k.until("the page asked for", `location.pathname === '/people' && document.body.innerText.includes('Ada Admin, admin')`)

	// Five minutes later something weighty asks for it again; then one is back where one was.
	h.clock.Advance(6 * time.Minute)
	k.open("/settings")
	k.until("the table", `document.querySelector('#passkeys table')`)
	evaluate[bool](t, ctx, `document.querySelector('form[data-passkey] [name=name]').value = 'Second'; true`)
	k.press()
	k.until("the step-up page", `location.pathname === '/step-up'`)
	k.press()
	k.until("the way back", `location.pathname === '/settings'`)

	// The key counts less than it did, as a copy made earlier does: it is refused, and blocked.
	list, err := chromedp.Call(ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: k.id})
	if err != nil || len(list.Credentials) != 1 {
		t.Fatalf("%d keys on the device, %v", len(list.Credentials), err)
	}
	never := 0.0
	if _, err := chromedp.Call(ctx, webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{AuthenticatorID: k.id, CredentialID: list.Credentials[0].CredentialID, SignCount: &never}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	k.open("/sign-in")
	k.press()
	k.until("the refusal", `document.body.innerText.includes('a copy of it may exist')`)

	token := h.session(t, h.ada)
	page := h.get(t, "/settings", token)
	if row := page.doc(t).Find("#passkeys tbody tr"); row.Length() != 1 || !strings.Contains(row.Text(), "Blocked") {
		t.Errorf("the blocked key: %q", row.Text())
	}
	action, _ := page.doc(t).Find("#passkeys tbody form").Attr("action")
	if got := h.post(t, action, token, nil); got.StatusCode != http.StatusSeeOther {
		t.Errorf("removing it: %d", got.StatusCode)
	}
	if page = h.get(t, "/settings", token); !strings.Contains(page.body, "No passkeys yet") {
		t.Error("it is still there")
	}
	select {
	case u := <-wrongs:
		t.Errorf("a request left for %s", u)
	default:
	}
	if strings.Contains(h.log.String(), `"level":"ERROR"`) {
		t.Errorf("errors in the log: %s", h.log.String())
	}
}
