package views

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"countinghouse/views/ui"
)

func drawn(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func document(t *testing.T, text string) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func samples() map[string]func(Page) templ.Component {
	return map[string]func(Page) templ.Component{
		"kit": Kit, "transactions": KitTransactions, "payout": KitPayout, "home": KitHome, "form": KitForm, "review": KitReview, "sign-in": KitSignIn, "error": KitError,
	}
}

func TestNoPageHasInlineStyleScriptOrHandler(t *testing.T) {
	for name, view := range samples() {
		d := document(t, drawn(t, view(Page{})))
		d.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, a := range s.Nodes[0].Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
					t.Errorf("%s: <%s %s=%q>", name, s.Nodes[0].Data, a.Key, a.Val)
				}
			}
		})
		if n := d.Find("style").Length() + d.Find("script:not([src])").Length(); n != 0 {
			t.Errorf("%s has %d inline style or script elements", name, n)
		}
	}
}

func TestEveryIdIsUniqueAndEveryReferenceFindsIt(t *testing.T) {
	for name, view := range samples() {
		d := document(t, drawn(t, view(Page{})))
		ids := map[string]int{}
		d.Find("[id]").Each(func(_ int, s *goquery.Selection) { ids[s.AttrOr("id", "")]++ })
		for id, n := range ids {
			if n > 1 {
				t.Errorf("%s: id %q stands %d times", name, id, n)
			}
		}
		for _, attr := range []string{"for", "aria-describedby", "aria-labelledby", "popovertarget", "data-dialog"} {
			d.Find("[" + attr + "]").Each(func(_ int, s *goquery.Selection) {
				for _, id := range strings.Fields(s.AttrOr(attr, "")) {
					if ids[id] == 0 {
						t.Errorf("%s: %s=%q leads nowhere", name, attr, id)
					}
				}
			})
		}
		if n := d.Find("h1").Length(); n != 1 {
			t.Errorf("%s has %d first headings", name, n)
		}
	}
}

func TestSandboxIsUnmistakableAndLiveIsQuiet(t *testing.T) {
	sandbox, live := drawn(t, Layout(Page{Title: "Home", Env: "sandbox"})), drawn(t, Layout(Page{Title: "Home", Env: "live"}))
	d := document(t, sandbox)
	if d.Find(".band").Text() == "" || !strings.Contains(d.Find("title").Text(), "(sandbox)") {
		t.Error("a sandbox page does not say so in the band and in the title")
	}
	if d := document(t, live); d.Find(".band").Length() != 0 || strings.Contains(strings.ToLower(d.Find("title").Text()), "sandbox") {
		t.Error("live must be quiet and must not say sandbox")
	}
	if document(t, drawn(t, Bare(Page{Env: "sandbox"}))).Find(".band").Length() != 1 {
		t.Error("pages before sign-in need the band too")
	}
}

func TestTheMenuMarksTheSectionAndSaysWhatWaits(t *testing.T) {
	menu := StandardMenu()
	menu[2].Count, menu[3].Count = "3", "0"
	d := document(t, drawn(t, Layout(Page{Section: "approvals", Menu: menu})))
	if got := d.Find("nav.menu [aria-current=page]").AttrOr("href", ""); got != "/approvals" {
		t.Errorf("marked: %q", got)
	}
	if got := strings.Join(strings.Fields(d.Find("nav.menu .count").Text()), " "); got != "3 waiting" {
		t.Errorf("counts: %q", got)
	}
	var labels []string
	d.Find("nav.menu li a > span:first-of-type:not(.count)").Each(func(_ int, s *goquery.Selection) { labels = append(labels, strings.TrimSpace(s.Text())) })
	want := []string{"Home", "Transactions", "Approvals", "Batches", "Destinations", "Balances", "Reconciliation", "Webhooks", "Compliance", "KYB", "Providers", "Audit", "Settings"}
	if diff := cmp.Diff(want, labels); diff != "" {
		t.Error(diff)
	}
	if got := d.Find(".menu-group").Text(); got != "Guard" {
		t.Errorf("groups: %q", got)
	}
}

func TestAPartialHasTheTitleAndTheContentOnly(t *testing.T) {
	text := drawn(t, Layout(Page{Title: "Approvals", Partial: true, Flash: ui.FlashParams{Text: "Approved."}}))
	if strings.Contains(text, "<html") || strings.Contains(text, "nav class=\"menu\"") {
		t.Error("a partial carries the shell")
	}
	d := document(t, text)
	if d.Find("main#content .flash").Length() != 1 || d.Find("title").Text() != "Approvals · Countinghouse" {
		t.Error(text)
	}
}

func TestUnknownThemeAndDensityFallBackToTheDefault(t *testing.T) {
	d := document(t, drawn(t, Layout(Page{Theme: `dark" onload="x`, Density: "huge"})))
	html := d.Find("html")
	if html.AttrOr("data-theme", "") != "auto" || html.AttrOr("data-density", "") != "comfortable" {
		t.Errorf("theme %q, density %q", html.AttrOr("data-theme", ""), html.AttrOr("data-density", ""))
	}
}

func TestSignOutAndSwitchesAreFormsAndNeverLinks(t *testing.T) {
	d := document(t, drawn(t, Layout(Page{User: User{Name: "Ada"}, Env: "sandbox", EnvAction: "/environment", Envs: []EnvLink{{"sandbox", "Sandbox", ""}, {"live", "Live", ""}}})))
	for _, action := range []string{SignOutPath, PreferencesPath, "/environment"} {
		if d.Find(`form[method=post][action="`+action+`"]`).Length() == 0 || d.Find(`a[href="`+action+`"]`).Length() != 0 {
			t.Errorf("%s changes something and must be a posted form", action)
		}
	}
}

func TestHostileWordsInTheShellStayWords(t *testing.T) {
	h := `"><script>alert(1)</script>`
	link := "javascript:alert(1)"
	p := Page{Title: h, Section: h, Env: h, User: User{h, h, h}, Search: h, Zone: h, Path: h, Envs: []EnvLink{{h, h, link}, {"b", h, link}}, Menu: []MenuItem{{ID: h, Label: h, Href: link, Count: h, Group: h, Spoken: h}},
		Breadcrumbs: []ui.Crumb{{Label: h, Href: link}}, Flash: ui.FlashParams{Text: h}, Warnings: []ui.NoticeParams{{Title: h}}, SearchAction: link, SignOutAction: link, SessionsHref: link}
	for name, text := range map[string]string{"layout": drawn(t, Layout(p)), "bare": drawn(t, BareWide(p)), "error": drawn(t, ErrorPage(p, ErrorParams{Title: h, Text: h, Grant: h, RequestID: h, BackHref: link, BackLabel: h}))} {
		if strings.Contains(text, "<script>") || regexp.MustCompile(`(href|action)="javascript:`).MatchString(text) {
			t.Errorf("%s lets hostile text out", name)
		}
	}
}

func TestTheHtmxConfigurationIsStrict(t *testing.T) {
	text := document(t, drawn(t, Layout(Page{}))).Find(`meta[name="htmx-config"]`).AttrOr("content", "")
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"disableInheritance": true, "allowEval": false, "allowScriptTags": false, "includeIndicatorStyles": false, "historyCacheSize": 0.0, "selfRequestsOnly": true, "refreshOnHistoryMiss": true} {
		if got[key] != want {
			t.Errorf("%s is %v", key, got[key])
		}
	}
	if !strings.Contains(text, `{"code":"422","swap":true}`) {
		t.Error("a form with errors (422) would not be shown")
	}
}

func TestTheNextPageStaysWithinItsBudget(t *testing.T) {
	for name, view := range samples() {
		if name == "kit" {
			continue // not a page of the product
		}
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if err := view(Page{}).Render(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%-14s %5d bytes compressed", name, z.Len())
		if z.Len() > 10_000 {
			t.Errorf("%s is %d bytes compressed, over 10,000", name, z.Len())
		}
	}
}
