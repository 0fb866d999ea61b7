package demo_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/all"
	"countinghouse/providers/httpx"
	"countinghouse/web/demo"
)

// player is somebody who plays a provider on its stand-in's own page, with a merchant beside it.
type player struct {
	*testing.T
	d        *providers.Description
	url      string
	hook     string
	client   any
	settings map[string]string
	hist     *demo.Historian
	hooked   func() int // callbacks received so far
	methods  map[models.Kind]providers.Method
	n        int
}

type silent struct{}

func (silent) Record(context.Context, httpx.Exchange) {}

// TestEveryButtonOfEveryStandInDoesWhatItSays presses each button of each stand-in's page over HTTP, on a stand-in that holds something for it, and
// looks whether what it says has come true.
func TestEveryButtonOfEveryStandInDoesWhatItSays(t *testing.T) {
	for _, p := range all.Registry().All() {
		t.Run(p.Description.Name, func(t *testing.T) {
			t.Parallel()
			openPlayer(t, p).walk()
		})
	}
}

func openPlayer(t *testing.T, p *providers.Provider) *player {
	t.Helper()
	var mu sync.Mutex
	calls := 0
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		calls++
		mu.Unlock()
		_, _ = io.WriteString(w, "SUCCESS")
	}))
	t.Cleanup(hook.Close)
	x := &player{T: t, hook: hook.URL, d: &p.Description, settings: map[string]string{}, methods: map[models.Kind]providers.Method{}, hooked: func() int { mu.Lock(); defer mu.Unlock(); return calls }}
	settings := maps.Clone(p.Description.Demo)
	if settings == nil {
		settings = map[string]string{}
	}
	maps.Copy(x.settings, settings)
	for _, it := range p.Description.Items {
		x.settings["proven:"+it.ID], x.settings["confirmed:"+it.ID] = "1", "1"
	}
	settings["webhook_url"], settings["late_ms"], settings["autosettle"] = hook.URL, "150", "off"
	for _, topic := range p.Description.Webhooks {
		settings["webhook_url_"+topic.ID] = hook.URL
	}
	server := httptest.NewUnstartedServer(nil)
	x.url = "http://" + server.Listener.Addr().String()
	keys, values, secrets := map[string]string{}, map[string]string{}, map[string]string{}
	for _, f := range p.Description.Fields {
		v := x.field(f)
		if keys[f.Name] = v; f.Secret {
			secrets[f.Name] = v
		} else {
			values[f.Name] = v
		}
	}
	box := all.Sandboxes()[p.Description.Name](providers.SandboxOptions{Credential: keys, Settings: settings, Seed: 7})
	server.Config.Handler = box
	server.Start()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); _ = box.Close() })
	client, err := p.New(providers.Config{Environment: models.Sandbox, Values: values, Secrets: secrets, Settings: x.settings, Recorder: silent{}, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	x.client = client
	x.hist = demo.NewHistorian(7, []demo.Account{{Description: x.d}}, nil, time.Now(), 0)
	return x
}

// field is what a person would type.
func (x *player) field(f providers.Field) string {
	for _, s := range x.d.Sites {
		if s.Field == f.Name {
			return x.url + s.Prefix
		}
	}
	switch {
	case f.Default != "":
		return f.Default
	case len(f.Options) > 0:
		return f.Options[0].Value
	case f.Kind == providers.URL:
		return x.url
	case f.Kind == providers.Digits:
		return "100200300"
	case f.Kind == providers.Email:
		return "merchant@example.com"
	case f.Secret || f.Required:
		return "k7" + strings.Repeat("a", 20) + f.Name
	}
	return ""
}

// press is one way to press one button: where it leads, what it sends, what stands on it, and the row that it stands in.
type press struct {
	action, label string
	form          url.Values
	row           string // the first reference in the row; empty: it stands outside a table
}

// key is the same for the same button in other rows.
func (p press) key() string {
	f := maps.Clone(p.form)
	delete(f, "reference")
	delete(f, "client")
	return p.action + " " + p.label + " " + f.Encode()
}

func (x *player) page() *goquery.Document {
	x.Helper()
	res, err := http.Get(x.url + "/_sandbox/")
	if err != nil {
		x.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	doc, err := goquery.NewDocumentFromReader(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		x.Fatalf("the page: %d, %v", res.StatusCode, err)
	}
	return doc
}

func words(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

// presses lists every button of a page; one with lists to choose from is a button for each choice.
func (x *player) presses(doc *goquery.Document) (out []press) {
	for _, form := range doc.Find("form").EachIter() {
		if form.AttrOr("method", "") != "post" {
			x.Errorf("a form that does not post: %s", words(form))
		}
		base := url.Values{}
		for _, in := range form.Find("input").EachIter() {
			base.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
		}
		forms := []url.Values{base}
		for _, sel := range form.Find("select").EachIter() {
			var wider []url.Values
			for _, o := range sel.Find("option").EachIter() {
				for _, f := range forms {
					c := maps.Clone(f)
					c[sel.AttrOr("name", "")] = []string{o.AttrOr("value", words(o))}
					wider = append(wider, c)
				}
			}
			forms = wider
		}
		row := strings.TrimSpace(base.Get("reference") + base.Get("client"))
		for _, b := range form.Find("button").EachIter() {
			for _, f := range forms {
				c := maps.Clone(f)
				if name := b.AttrOr("name", ""); name != "" {
					c[name] = []string{b.AttrOr("value", "")}
				}
				out = append(out, press{action: form.AttrOr("action", ""), label: words(b), form: c, row: row})
			}
		}
	}
	return out
}

// post presses a button as a browser does.
func (x *player) post(action string, form url.Values) {
	x.Helper()
	r, err := http.NewRequest(http.MethodPost, x.url+action, strings.NewReader(form.Encode()))
	if err != nil {
		x.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	if err != nil {
		x.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/_sandbox/" {
		x.Errorf("%s %v: %d %s; a button leads back to its page", action, form, res.StatusCode, body)
	}
}

func (x *player) soon(what string, done func() bool) {
	x.Helper()
	for range 400 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.Errorf("%s did not come true", what)
}

// walk presses every button once, and ends when fresh rows bring no button that was not pressed.
func (x *player) walk() {
	x.post("/_sandbox/autosettle", url.Values{"outcome": {"off"}, "after_ms": {"20"}, "back": {"1"}})
	x.fill()
	pressed := map[string]bool{}
	for fresh := 0; fresh < 4; {
		i := slices.IndexFunc(x.presses(x.page()), func(p press) bool { return !pressed[p.key()] })
		if i < 0 {
			x.fill()
			fresh++
			continue
		}
		p := x.presses(x.page())[i]
		pressed[p.key()] = true
		x.Logf("press %s %s", p.label, p.form.Encode())
		x.one(p)
		if x.Failed() {
			return
		}
	}
	for _, o := range x.operations() {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(pressed)), func(k string) bool {
			return strings.Contains(k, "kind=lose_reply&operation="+o) || strings.Contains(k, "kind=lose_reply") && strings.Contains(k, "operation="+o)
		}) {
			x.Errorf("no button loses the reply to the next %s", o)
		}
	}
	if len(pressed) < 8 {
		x.Errorf("only %d buttons were found", len(pressed))
	}
}

// row is the line of the page that a reference stands in, without its buttons.
func (x *player) row(reference string) string {
	for _, tr := range x.page().Find("tr").EachIter() {
		tr.Find("form").Remove()
		var cells []string
		for _, td := range tr.Find("td").EachIter() {
			cells = append(cells, words(td))
		}
		if reference != "" && slices.Contains(cells, reference) {
			return strings.Join(cells, " | ")
		}
	}
	return ""
}

func (x *player) one(p press) {
	x.Helper()
	before, row, calls := words(x.page().Selection), x.row(p.row), x.hooked()
	x.post(p.action, p.form)
	after := words(x.page().Selection)
	switch what := strings.TrimPrefix(p.action, "/_sandbox/"); what {
	case "fault":
		if strings.Count(after, "Armed:") != strings.Count(before, "Armed:")+1 {
			x.Errorf("%s: the page does not say that it is armed", p.label)
		}
		x.faulty(p)
	case "settle", "kyb":
		if now := x.row(p.row); row == "" || now == row {
			x.Errorf("%s: the row is as it was: %q", p.label, now)
		}
		if x.d.Has(providers.CanReceiveWebhooks) {
			x.soon(p.label+", and its callback", func() bool { return x.hooked() > calls })
		}
	case "again", "resend":
		want := 1
		if strings.Contains(p.label, "twice") {
			want = 2
		}
		x.soon(p.label, func() bool { return x.hooked() >= calls+want })
	case "clock":
		if after == before {
			x.Errorf("%s: the page shows no other time", p.label)
		}
		if n := p.form.Get("advance_seconds"); !strings.HasPrefix(n, "-") {
			i := slices.IndexFunc(x.presses(x.page()), func(p press) bool { return strings.HasPrefix(p.form.Get("advance_seconds"), "-") })
			if i < 0 {
				x.Fatalf("%s: there is no way back", p.label)
			}
			back := x.presses(x.page())[i]
			x.post(back.action, back.form)
			if now := words(x.page().Selection); now != before {
				x.Errorf("%s: the clock is not right again", back.label)
			}
		}
	case "webhooks":
		x.mode(p)
	case "autosettle":
		x.byItself(p)
		x.holdsStill()
	case "tokens":
		if !strings.Contains(after, "Tokens in force: 0") {
			x.Error("tokens are left in force")
		}
	default:
		if after == before && !strings.Contains(what, "verdict") {
			x.Errorf("%s: the page is as it was", p.label)
		}
	}
}
