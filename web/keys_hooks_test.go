package web_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// hook posts a callback as the provider would, without cookies or browser headers.
func (h *keyHouse) hook(path, contentType string, body []byte) (int, string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.base+path, bytes.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error() // the server may close the door on a body that is too large
	}
	defer func() { _ = res.Body.Close() }()
	var b bytes.Buffer
	_, _ = b.ReadFrom(res.Body)
	return res.StatusCode, b.String()
}

func cashoutCallback(reference, secret string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("Be4" + reference + "Bo7"))
	return []byte(url.Values{"external_id": {reference}, "cashout_id": {"71"}, "date": {"2026-09-21 14:05:00"}, "control": {strings.ToUpper(hex.EncodeToString(m.Sum(nil)))}}.Encode())
}

func TestCallbacksAreVerifiedStoredAndShown(t *testing.T) {
	h := openKeys(t)
	id := h.add("Main")
	address := "/hooks/" + id + "/cashout"
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		path string
		body []byte
		want int
	}{
		"a right one":           {address, cashoutCallback("CHSTRANGER", secrets["cashout_api_signature"]), 200},
		"a forged one":          {address, cashoutCallback("CHSTRANGER", "guessed"), 401},
		"one with HTML":         {address, []byte("external_id=" + url.QueryEscape("<script>alert(1)</script>") + "&control=x"), 401},
		"an empty one":          {address, nil, 401},
		"an unknown credential": {"/hooks/nobody/cashout", cashoutCallback("CHSTRANGER", "x"), 404},
		"an unknown topic":      {"/hooks/" + id + "/nothing", nil, 404},
		"ten megabytes":         {address, bytes.Repeat([]byte("a"), 10<<20), 413},
		"over one megabyte":     {address, bytes.Repeat([]byte("a"), 1<<20+1), 413},
	} {
		got, said := h.hook(c.path, form, c.body)
		if got != c.want && !(c.want == 413 && got == 0) { // a closed connection is an answer, too, while we are still sending
			t.Errorf("%s: %d %q; want %d", name, got, said, c.want)
		}
		h.pages.WriteString(said)
	}
	d := h.see(h.finance, "/webhooks")
	if n := d.Find("main tbody tr").Length(); n != 4 {
		t.Errorf("%d deliveries are listed; want the right one and three that were refused", n)
	}
	h.says(d, "Partly signed", "Forged", "CHSTRANGER")
	d = h.see(h.finance, "/webhooks?state=refused&trust=forged")
	if n := d.Find("main tbody tr").Length(); n != 3 {
		t.Errorf("%d refused deliveries; want 3", n)
	}
	d = h.see(h.finance, "/webhooks?reference=CHSTRANGER")
	page, _ := d.Find("main tbody tr a").First().Attr("href")
	d = h.see(h.finance, page)
	h.says(d, "The control is right. It covers our reference only", "external_id=CHSTRANGER", "POST "+address)
	if d.Find("main script").Length() != 0 {
		t.Error("a provider's text became a script")
	}
	h.until("it is read", func() bool { return strings.Contains(text(h.see(h.finance, page)), "No match") })
	d, _ = h.send(h.finance, page+"/replay", nil)
	h.says(d, "It is read again in a moment.")
	d = h.see(h.admin, "/credentials/"+id+"/contract/OKP-WH-1")
	h.says(d, "Proved", "A webhook came")
	if a := h.get(t, "/webhooks?state=%3Cscript%3E&before='%20OR%201=1&provider=%00", h.finance); a.StatusCode != http.StatusOK {
		t.Errorf("a hostile filter: %d", a.StatusCode)
	}
}

// until waits for what happens beside the pages.
func (h *keyHouse) until(what string, done func() bool) {
	h.Helper()
	for range 100 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.Fatalf("%s: it never happened", what)
}
