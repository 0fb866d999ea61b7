package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// follow gives the path that an answer leads to.
func follow(t *testing.T, a answer, want string) {
	t.Helper()
	if a.StatusCode != 303 || a.Header.Get("Location") != want {
		t.Fatalf("%d to %q, want 303 to %q\n%s", a.StatusCode, a.Header.Get("Location"), want, a.doc(t).Find(".errors, .notice").Text())
	}
}

func (h *house) code(t *testing.T, secret string) string {
	t.Helper()
	h.clock.Advance(30 * time.Second)
	return storetest.Person{Secret: strings.ReplaceAll(secret, " ", "")}.Code(t, h.clock.Now())
}

func TestSomebodyIsInvitedComesInAndWorks(t *testing.T) {
	h := open(t)
	made := h.post(t, "/people", h.ada.Token, url.Values{"name": {"Fina Finance"}, "email": {"Fina@Example.com"}, "roles": {"finance"}})
	link := strings.TrimSpace(made.doc(t).Find("pre").Text())
	if made.StatusCode != 200 || !strings.HasPrefix(link, h.base+"/invitation/") {
		t.Fatalf("invitation: %d %q", made.StatusCode, link)
	}
	path := strings.TrimPrefix(link, h.base)
	if page := h.get(t, path, ""); !strings.Contains(page.body, "Welcome, Fina Finance") {
		t.Errorf("the link shows %q", page.doc(t).Find("h1").Text())
	}
	short := h.post(t, path, "", url.Values{"password": {"short"}})
	if short.StatusCode != 422 || short.doc(t).Find("#f-password-error").Length() != 1 || short.cookie() != nil {
		t.Errorf("a short password: %d, cookie %v", short.StatusCode, short.cookie())
	}
	in := h.post(t, path, "", url.Values{"password": {storetest.Password}})
	follow(t, in, "/enrol")
	half := in.cookie().Value
	enrol := h.get(t, "/enrol", half)
	secret := enrol.doc(t).Find(".ref").First().Text()
	if enrol.doc(t).Find("figure.qr path").AttrOr("d", "") == "" || len(strings.Fields(secret)) < 8 {
		t.Fatalf("no QR code or no secret on the page: %q", secret)
	}
	if again := h.get(t, "/enrol", half); again.doc(t).Find(".ref").First().Text() != secret {
		t.Error("a reload changes the secret that was scanned")
	}
	if wrong := h.post(t, "/enrol", half, url.Values{"code": {"000000"}}); wrong.StatusCode != 422 {
		t.Errorf("a wrong first code: %d", wrong.StatusCode)
	}
	secret = strings.TrimSpace(secret)
	done := h.post(t, "/enrol", half, url.Values{"code": {h.code(t, secret)}})
	if codes := strings.Fields(done.doc(t).Find("pre").Text()); done.StatusCode != 200 || len(codes) != 10 {
		t.Fatalf("recovery codes: %d %v", done.StatusCode, codes)
	}
	if gone := h.get(t, path, ""); gone.StatusCode != 404 {
		t.Errorf("the link a second time: %d", gone.StatusCode)
	}

	// And now the way in that every day begins with.
	follow(t, h.post(t, "/sign-out", done.cookie().Value, nil), "/sign-in?done=out")
	if old := h.get(t, "/settings", done.cookie().Value); old.StatusCode != 303 {
		t.Errorf("the cookie after signing out: %d", old.StatusCode)
	}
	pw := h.post(t, "/sign-in", "", url.Values{"email": {" FINA@example.com "}, "password": {storetest.Password}, "back": {"/settings"}})
	follow(t, pw, "/second-factor?back=%2Fsettings")
	full := h.post(t, "/second-factor", pw.cookie().Value, url.Values{"code": {h.code(t, secret)}, "back": {"/settings"}})
	follow(t, full, "/settings")
	page := h.get(t, "/settings", full.cookie().Value)
	if page.StatusCode != 200 || !strings.Contains(page.body, "fina@example.com, finance") {
		t.Errorf("settings: %d %q", page.StatusCode, page.doc(t).Find(".page-head").Text())
	}
	for _, secretText := range []string{storetest.Password, half, full.cookie().Value, strings.TrimPrefix(path, "/invitation/"), strings.ReplaceAll(secret, " ", "")} {
		if strings.Contains(h.log.String(), secretText) {
			t.Errorf("the log holds %q", secretText)
		}
	}
}

func TestACookieFromBeforeSigningInIsWorthNothingAfter(t *testing.T) {
	h := open(t)
	planted := "an-attacker-planted-this-token-0123456789abcd"
	got := h.post(t, "/sign-in", planted, url.Values{"email": {h.ada.Email}, "password": {storetest.Password}})
	half := got.cookie().Value
	full := h.post(t, "/second-factor", half, url.Values{"code": {h.code(t, h.ada.Secret)}}).cookie().Value
	if planted == half || half == full {
		t.Fatal("a token survived a step of signing in")
	}
	for name, token := range map[string]string{"planted": planted, "halfway": half} {
		if got := h.get(t, "/settings", token); got.StatusCode != 303 {
			t.Errorf("the %s token opens settings: %d", name, got.StatusCode)
		}
	}
}

func TestTheCookieIsMarkedAndNamed(t *testing.T) {
	h := open(t)
	c := h.post(t, "/sign-in", "", url.Values{"email": {h.ada.Email}, "password": {storetest.Password}}).cookie()
	if c == nil || c.Name != "countinghouse" || !c.HttpOnly || c.SameSite != 2 || c.Path != "/" || c.Domain != "" || len(c.Value) < 43 {
		t.Errorf("cookie on loopback: %+v", c)
	}
	s := open(t, httpsOnly)
	c = s.post(t, "/sign-in", "", url.Values{"email": {s.ada.Email}, "password": {storetest.Password}}, "Host", "pay.example.com").cookie()
	if c == nil || c.Name != "__Host-countinghouse" || !c.Secure || !c.HttpOnly || c.Domain != "" || c.Path != "/" {
		t.Errorf("cookie with https: %+v", c)
	}
	if got := s.get(t, "/sign-in", "", "Host", "pay.example.com"); got.Header.Get("Strict-Transport-Security") == "" {
		t.Error("https without Strict-Transport-Security")
	}
	if got := s.get(t, "/sign-in", ""); got.StatusCode != 404 {
		t.Errorf("under the bare address behind https: %d, want 404", got.StatusCode)
	}
}

func TestBackNeverLeadsAway(t *testing.T) {
	h := open(t)
	for _, evil := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1", "http:/evil"} {
		pw := h.post(t, "/sign-in", "", url.Values{"email": {h.ada.Email}, "password": {storetest.Password}, "back": {evil}})
		follow(t, pw, "/second-factor")
		full := h.post(t, "/second-factor", pw.cookie().Value, url.Values{"code": {h.code(t, h.ada.Secret)}, "back": {evil}})
		follow(t, full, "/")
		up := h.post(t, "/step-up", full.cookie().Value, url.Values{"code": {h.code(t, h.ada.Secret)}, "back": {evil}})
		follow(t, up, "/")
	}
}

func TestAStepUpComesBackToWhereItWasAskedFor(t *testing.T) {
	h := open(t)
	fina := storetest.Add(t, h.store, "fina@example.com", "Fina", models.Finance)
	h.clock.Advance(6 * time.Minute)
	page := "/people/" + fina.ID
	asked := h.post(t, page+"/suspend", h.ada.Token, nil, "Referer", h.base+page)
	follow(t, asked, "/step-up?back="+url.QueryEscape(page))
	if got := h.get(t, asked.Header.Get("Location"), h.ada.Token); got.doc(t).Find(`form[action="/step-up"] input[name=back]`).AttrOr("value", "") != page {
		t.Error("the step-up page forgot where to go back to")
	}
	if wrong := h.post(t, "/step-up", h.ada.Token, url.Values{"code": {"000000"}, "back": {page}}); wrong.StatusCode != 422 {
		t.Errorf("a wrong code: %d", wrong.StatusCode)
	}
	follow(t, h.post(t, "/step-up", h.ada.Token, url.Values{"code": {h.code(t, h.ada.Secret)}, "back": {page}}), page)
	follow(t, h.post(t, page+"/suspend", h.ada.Token, nil), page)
	shown := h.get(t, page, h.ada.Token)
	if !strings.Contains(shown.doc(t).Find(".flash").Text(), "Suspended.") {
		t.Errorf("no notice after suspending: %q", shown.doc(t).Find(".flash").Text())
	}
	if again := h.get(t, page, h.ada.Token); again.doc(t).Find(".flash").Length() != 0 {
		t.Error("the notice is shown twice")
	}
	if got := h.get(t, "/settings", fina.Token); got.StatusCode != 303 {
		t.Errorf("the suspended person's session still opens pages: %d", got.StatusCode)
	}
}

func TestAnAddressThatTheRulesDoNotHoldIsShutOut(t *testing.T) {
	h := open(t)
	fina := storetest.Add(t, h.store, "fina@example.com", "Fina", models.Finance)
	lock := h.post(t, "/allowlist", h.ada.Token, url.Values{"cidr": {"203.0.113.0/24"}, "role": {""}})
	if lock.StatusCode != 422 || !strings.Contains(lock.body, "This would lock you out: you are at 127.0.0.1") {
		t.Errorf("a rule against oneself: %d", lock.StatusCode)
	}
	follow(t, h.post(t, "/allowlist", h.ada.Token, url.Values{"cidr": {"203.0.113.0/24"}, "role": {"finance"}, "note": {"office"}}), "/allowlist")
	got := h.get(t, "/transactions", fina.Token)
	if got.StatusCode != 403 || !strings.Contains(got.body, "You are at 127.0.0.1, which the address rules for the role finance do not let in") {
		t.Errorf("finance from elsewhere: %d %q", got.StatusCode, got.doc(t).Find("main").Text())
	}
	follow(t, h.post(t, "/sign-out", fina.Token, nil), "/sign-in?done=out")
	if got := h.get(t, "/people", h.ada.Token); got.StatusCode != 200 {
		t.Errorf("the admin: %d", got.StatusCode)
	}
}

func TestForbiddenSaysWhatIsMissingAndWhoCanGrantIt(t *testing.T) {
	h := open(t)
	fina := storetest.Add(t, h.store, "fina@example.com", "Fina", models.Finance)
	got := h.get(t, "/audit", fina.Token)
	if got.StatusCode != 403 || !strings.Contains(got.body, `This needs the permission &#34;audit.read&#34;. People with the role compliance or admin or auditor have it; an admin can grant the role.`) {
		t.Errorf("%d %s", got.StatusCode, got.doc(t).Find("main").Text())
	}
	menu := got.doc(t).Find("nav.menu").Text()
	if strings.Contains(menu, "Audit") || !strings.Contains(menu, "Transactions") {
		t.Errorf("the menu of finance: %s", strings.Join(strings.Fields(menu), " "))
	}
}

func TestTheAuditPageShowsFiltersAndVerifies(t *testing.T) {
	h := open(t)
	for i := range 60 {
		h.clock.Advance(time.Second)
		follow(t, h.post(t, "/allowlist", h.ada.Token, url.Values{"cidr": {"10.0." + string(rune('0'+i%10)) + "." + string(rune('0'+i/10))}, "role": {"finance"}}), "/allowlist")
	}
	page := h.get(t, "/audit?action=ip_rule.add", h.ada.Token)
	if n := page.doc(t).Find("tbody tr").Length(); n != 50 {
		t.Fatalf("%d entries on the first page, want 50", n)
	}
	older := page.doc(t).Find(`.pager a[rel=next]`).AttrOr("href", "")
	second := h.get(t, older, h.ada.Token)
	if n := second.doc(t).Find("tbody tr").Length(); n != 10 || second.doc(t).Find(`.pager a[rel=next]`).Length() != 0 {
		t.Errorf("%d entries on the last page (%s), want 10", n, older)
	}
	whole := h.post(t, "/audit/verify", h.ada.Token, nil)
	if !strings.Contains(whole.body, "The chain is whole.") {
		t.Errorf("verify: %s", whole.doc(t).Find(".notice").Text())
	}
	if _, err := h.store.WriteDB().ExecContext(t.Context(), "UPDATE audit_entries SET sentence = 'x' WHERE seq = 30"); err != nil {
		t.Fatal(err)
	}
	broken := h.post(t, "/audit/verify", h.ada.Token, nil)
	if !strings.Contains(broken.body, "The chain is broken.") || !strings.Contains(broken.body, "Entry 30 does not fit its hash") {
		t.Errorf("verify after tampering: %s", broken.doc(t).Find(".notice").Text())
	}
}

// A form that is sent after the session has ended does nothing, and its sender reads that.
func TestAFormSentAfterTheSessionHasEndedSaysThatNothingWasDone(t *testing.T) {
	h := open(t)
	in := url.Values{"name": {"Fina Finance"}, "email": {"fina@example.com"}, "roles": {"finance"}}
	gone := h.post(t, "/people", "", in)
	follow(t, gone, "/sign-in?done=ended")
	follow(t, h.post(t, "/people", "", in, "Referer", h.base+"/people?x=1"), "/sign-in?done=ended&back=%2Fpeople%3Fx%3D1")
	for _, referer := range []string{"https://elsewhere.example/people", h.base + "/payouts/review", h.base + "/nowhere", h.base + "//elsewhere.example/"} {
		follow(t, h.post(t, "/people", "", in, "Referer", referer), "/sign-in?done=ended") // only where a page of ours can be opened again
	}
	if page := h.get(t, "/sign-in?done=ended", ""); !strings.Contains(page.doc(t).Find(".notice").Text(), "nothing was done with what you sent") {
		t.Errorf("the sign-in page says %q", page.doc(t).Find(".notice").Text())
	}
	if people := h.get(t, "/people", h.ada.Token); strings.Contains(people.body, "Fina Finance") {
		t.Error("somebody without a session invited somebody")
	}
	follow(t, h.post(t, "/sign-out", "", nil), "/sign-in?done=out") // a second tab signs out after the first
}

// An error page leads back to the form that it came from.
func TestAnErrorPageLeadsBackToItsForm(t *testing.T) {
	h := open(t)
	for referer, want := range map[string]string{h.base + "/people?page=2": "/people?page=2", "https://elsewhere.example/people": "/", h.base + "/payouts/review": "/"} {
		got := h.post(t, "/payouts", h.ada.Token, nil, "Referer", referer) // an admin makes no payouts
		if href := got.doc(t).Find("main .actions a").AttrOr("href", ""); got.StatusCode != 403 || href != want {
			t.Errorf("from %s: %d, and the button leads to %q, want %q", referer, got.StatusCode, href, want)
		}
	}
}
