package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
	"countinghouse/web"
)

// Everybody here comes through one proxy, which is configured: what counts is the address that it vouches for.
func TestRulesHoldForTheAddressBehindAConfiguredProxy(t *testing.T) {
	h := open(t, func(c *web.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
	boris := storetest.Add(t, h.store, "boris@example.com", "Boris", models.Admin)
	fina := storetest.Add(t, h.store, "fina@example.com", "Fina", models.Finance)
	from := func(ip string) []string { return []string{"X-Forwarded-For", ip} }
	const office, hotel = "203.0.113.9", "198.51.100.77"
	add := func(form url.Values, ip string) answer {
		t.Helper()
		form.Set("scope", "console")
		return h.post(t, "/allowlist", h.ada.Token, form, from(ip)...)
	}
	agree := func(ip string) answer {
		t.Helper()
		list, err := h.store.PendingChanges(t.Context(), boris.Actor(h.store))
		if err != nil || len(list) != 1 {
			t.Fatalf("waiting: %+v %v", list, err)
		}
		return h.post(t, "/people/changes/"+list[0].ID+"/approve", boris.Token, url.Values{}, from(ip)...)
	}

	// When it is asked for: the proxy's own address, which is the connection's, counts for nothing.
	got := add(url.Values{"cidr": {"127.0.0.1"}, "role": {"admin"}}, office)
	if got.StatusCode != 422 || !strings.Contains(got.body, "would lock you out: you are at "+office) {
		t.Fatalf("a rule for the proxy only: %d %s", got.StatusCode, text(got.doc(t)))
	}
	follow(t, add(url.Values{"cidr": {"203.0.113.0/24"}, "role": {"admin"}, "label": {"Office"}}, office), "/allowlist")

	// When it is applied: for the author as for the second admin. The author's browser was last seen where they signed in; the next page that they
	// open in the office says otherwise.
	agree("203.0.113.80")
	if rules, _ := h.store.IPRules(t.Context(), boris.Actor(h.store), models.ScopeConsole, models.Sandbox); len(rules) != 0 {
		t.Fatalf("a rule that locks its author out took effect: %+v", rules)
	}
	h.clock.Advance(2 * time.Minute)
	h.get(t, "/people", h.ada.Token, from(office)...)
	agree(hotel)
	if rules, _ := h.store.IPRules(t.Context(), boris.Actor(h.store), models.ScopeConsole, models.Sandbox); len(rules) != 0 {
		t.Fatalf("a rule that locks the second admin out took effect: %+v", rules)
	}
	follow(t, agree("203.0.113.80"), "/people")
	if got := h.get(t, "/people", h.ada.Token, from(office)...); got.StatusCode != 200 {
		t.Errorf("the author in the office: %d", got.StatusCode)
	}

	// A request from outside is refused and logged; a forged header in front of the proxy's word changes nothing.
	for _, forwarded := range []string{hotel, office + ", " + hotel} {
		got := h.get(t, "/people", h.ada.Token, "X-Forwarded-For", forwarded)
		if got.StatusCode != 403 || !strings.Contains(got.body, "You are at "+hotel) {
			t.Errorf("from %q: %d %s", forwarded, got.StatusCode, text(got.doc(t)))
		}
	}
	page := h.get(t, "/allowlist", boris.Token, from(office)...)
	row := page.doc(t).Find("#refused tbody tr")
	if row.Length() != 1 || !strings.Contains(row.Text(), hotel) || !strings.Contains(row.Text(), "Ada Admin") {
		t.Fatalf("refused: %q", row.Text())
	}
	// "Add this" fills the form in; the rule itself waits for a second admin like any other.
	href, _ := row.Find("a").Attr("href")
	form := h.get(t, strings.TrimSuffix(href, "#add"), boris.Token, from(office)...).doc(t).Find("#add")
	if v, _ := form.Find("input[name=cidr]").Attr("value"); v != hotel {
		t.Errorf("the form has %q, want %s (%s)", v, hotel, href)
	}
	if role, _ := form.Find("select[name=role] option[selected]").Attr("value"); role != "admin" {
		t.Errorf("the form is for %q, want admin", role)
	}
	rhea := storetest.Add(t, h.store, "rhea@example.com", "Rhea", models.Auditor)
	if got := h.get(t, href, rhea.Token, from(office)...); strings.Contains(got.body, "Add this") {
		t.Error("an auditor is offered to add an address")
	}
	if got := h.get(t, "/transactions", fina.Token, from(hotel)...); got.StatusCode != 200 {
		t.Errorf("finance has no rule and is kept out: %d", got.StatusCode)
	}
}

func TestAProxyThatNobodyConfiguredIsPointedOut(t *testing.T) {
	h := open(t)
	if got := h.get(t, "/allowlist", h.ada.Token, "X-Forwarded-For", "203.0.113.9"); !strings.Contains(got.body, "A proxy that is not configured") || !strings.Contains(got.body, "You are at 127.0.0.1.") {
		t.Error("the page does not say that the addresses are a proxy's")
	}
	if got := h.get(t, "/allowlist", h.ada.Token); strings.Contains(got.body, "A proxy that is not configured") {
		t.Error("the page speaks of a proxy where there is none")
	}
}

func TestEveryScopeHasItsForm(t *testing.T) {
	h := open(t)
	for scope, want := range map[string]string{"console": "select[name=role]", "webhook": "select[name=credential]", "egress": "select[name=door]", "api": "input[name=cidr]", "nonsense": "select[name=role]"} {
		got := h.get(t, "/allowlist?scope="+scope, h.ada.Token)
		if got.StatusCode != 200 || got.doc(t).Find("#add "+want).Length() != 1 {
			t.Errorf("%s: %d, no %s", scope, got.StatusCode, want)
		}
	}
	if got := h.get(t, "/allowlist?scope=api", h.ada.Token); !strings.Contains(got.body, "There are no API keys yet") {
		t.Error("the page of API keys does not say that there are none")
	}
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"every address":         {url.Values{"cidr": {"0.0.0.0/0"}, "role": {"finance"}, "wide": {"1"}}, "every address there is"},
		"a very large one":      {url.Values{"cidr": {"10.0.0.0/8"}, "role": {"finance"}}, "I mean the whole network"},
		"no date":               {url.Values{"cidr": {"10.0.0.1"}, "role": {"finance"}, "expires": {"tomorrow"}}, "Write the last day as"},
		"a day that is over":    {url.Values{"cidr": {"10.0.0.1"}, "role": {"finance"}, "expires": {"2001-01-01"}}, "cannot end before it begins"},
		"nobody's credential":   {url.Values{"scope": {"webhook"}, "cidr": {"10.0.0.1"}, "credential": {nobodys}}, "Choose one from the list"},
		"nobody's list":         {url.Values{"scope": {"egress"}, "cidr": {"203.0.113.1"}, "door": {nobodys + " cashouts"}}, "Choose one from the list"},
		"digits of elsewhere":   {url.Values{"cidr": {"١٠.٠.٠.١"}, "role": {"finance"}}, "is not a network"},
		"HTML":                  {url.Values{"cidr": {"<script>alert(1)</script>"}, "role": {"finance"}}, "is not a network"},
		"a label with controls": {url.Values{"cidr": {"10.0.0.1"}, "role": {"finance"}, "label": {"a\x00b"}}, "Write a label"},
	} {
		got := h.post(t, "/allowlist", h.ada.Token, c.form)
		if got.StatusCode != 422 || !strings.Contains(got.body, c.want) || strings.Contains(got.body, "<script>alert") {
			t.Errorf("%s: %d %.600s", name, got.StatusCode, text(got.doc(t)))
		}
	}
}
