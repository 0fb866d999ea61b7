package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
	"countinghouse/views"
	"countinghouse/web"
)

func TestTheKitIsThereForThoseWhoWorkOnThePagesOnly(t *testing.T) {
	serve := open(t)
	for _, path := range []string{"/kit", "/kit/payout"} {
		if a := serve.get(t, path, ""); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s in serve: %d, want 404", path, a.StatusCode)
		}
	}
	flagged := open(t, func(c *web.Config) { c.Kit = true })
	if a := flagged.get(t, "/kit", ""); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/sign-in") {
		t.Errorf("with --kit, not signed in: %d", a.StatusCode)
	}
	h := open(t, inDemo)
	admin := h.session(t, h.ada)
	h.get(t, "/", admin).says(t, "footer", "The kit of these pages")
	page := h.get(t, "/kit", admin)
	page.says(t, "main", "Every piece in every state", "Being sent", "A section without a sheet")
	page.noMarkup(t)
	if theme := h.get(t, "/kit?theme=dark", admin).doc(t).Find("html").AttrOr("data-theme", ""); theme != "dark" {
		t.Errorf("?theme=dark shows %q", theme)
	}
	if theme := h.get(t, `/kit?theme="><script>`, admin).doc(t).Find("html").AttrOr("data-theme", ""); theme != "auto" {
		t.Errorf("a hostile theme shows %q", theme)
	}
	for name := range views.KitSamples() {
		if a := h.get(t, "/kit/"+name, admin); a.StatusCode != http.StatusOK {
			t.Errorf("/kit/%s: %d", name, a.StatusCode)
		}
	}
	if a := h.get(t, "/kit/nothing", admin); a.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown sample: %d", a.StatusCode)
	}
	if a := h.post(t, "/kit/confirm", admin, url.Values{"once": {"1"}}); a.Header.Get("Location") != "/kit" {
		t.Errorf("a form of the kit leads to %q", a.Header.Get("Location"))
	}
	finance := h.session(t, storetest.Add(t, h.store, "k@example.com", "K", models.Finance))
	if h.get(t, "/", finance).doc(t).Find("footer").Length() != 0 {
		t.Error("finance is offered the kit")
	}
}
