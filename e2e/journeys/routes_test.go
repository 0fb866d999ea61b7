package journeys

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notPages are the GET routes that nobody can be led to by a link, each with its reason.
var notPages = map[string]string{
	"second-factor": "only halfway through signing in", "enrol": "only halfway through the first signing in",
	"set-up": "a one-time link, used up before the demonstration opens", "invitation": "a one-time link that is sent to a person",
	"new-password": "a one-time link that is sent to a person", "new-second-factor": "a one-time link that is sent to a person",
	"demo": "signs in and leads on", "hooks.GET": "providers call it", "payouts.verification": "a piece of a page, for a verification that is under way",
	"settings.second-factor": "leads on to enrolling", "transactions.peek": "a piece of a page", "transactions.live": "a piece of a page",
	"transactions.code": "one code, asked for with a reason by a form",
}

// route is a line of web/testdata/access.txt, which a test of web compares with the program's own table: a new page is looked at here by itself.
type route struct {
	name, path string
	who        []string
	shape      *regexp.Regexp
}

func getRoutes(t *testing.T) (list []route) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "web", "testdata", "access.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	hole := regexp.MustCompile(`:[a-z]+`)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text())
		if len(w) < 4 || w[1] != "GET" {
			continue
		}
		list = append(list, route{w[0], w[2], w[3:], regexp.MustCompile("^" + hole.ReplaceAllString(w[2], "[^/]+") + "$")})
	}
	if len(list) < 50 {
		t.Fatalf("only %d routes were read", len(list))
	}
	return list
}

func (r route) admits(role string) bool {
	return slices.Contains(r.who, role) || slices.Contains(r.who, "signed-in") || slices.Contains(r.who, "everybody")
}

// crawler is one person's way through all pages.
type crawler struct {
	*person
	role  string
	links []string // addresses that were seen, of pages that this person was shown
	seen  map[string]bool
	begun map[string]bool
}

// note keeps links for later.
func (c *crawler) note(links []string) {
	for _, l := range links {
		if !c.seen[l] {
			c.seen[l] = true
			c.links = append(c.links, l)
		}
	}
}

// addresses are those that may show a route's page: its own, and those of links that were seen.
func (c *crawler) addresses(r route) (list []string) {
	for _, l := range c.links {
		if path, _, _ := strings.Cut(l, "?"); r.shape.MatchString(path) && !c.shadowed(r, path) {
			list = append(list, l)
		}
	}
	if !strings.Contains(r.path, ":") {
		list = append(list, r.path)
	}
	return list
}

// shadowed tells whether a link that fits the shape is a page of its own name, such as /settings/policies/new beside /settings/policies/:id.
func (c *crawler) shadowed(r route, path string) bool {
	return strings.Contains(r.path, ":") && slices.Contains(literal, path[strings.LastIndexByte(path, '/')+1:])
}

var literal = []string{"new", "edit", "export", "entries"}

// kind says what an address answers: "page", "piece" or "file", "led on", or the status. Where a page leads is noted.
func (c *crawler) kind(address string) string {
	c.t.Helper()
	said := ask[[]string](c.person, fmt.Sprintf(`fetch(%q, {redirect: 'manual'}).then(async (r) => {
		if (r.status !== 200) return [r.type === 'opaqueredirect' ? 'led on' : String(r.status)]
		if (!(r.headers.get('content-type') || '').startsWith('text/html')) { await r.arrayBuffer(); return ['file'] }
		const text = await r.text()
		if (!/^\s*<!doctype html/i.test(text)) return ['piece']
		const links = [...new DOMParser().parseFromString(text, 'text/html').querySelectorAll('a[href^="/"]')].map((a) => a.getAttribute('href').split('#')[0])
		return ['page', ...links] })`, address), awaited)
	c.note(said[1:])
	return said[0]
}

// Every GET route of the table is opened as each person who may, and looked at once as the first of them, in light and dark, wide and narrow. A page to
// which no link leads in the demonstration is named in the log, and most must be found.
// It takes minutes, so that go test ./... by hand leaves it to .ci/run and looks at the main pages only.
func (w *walk) everyRoute(t *testing.T) {
	if os.Getenv("REQUIRE_BROWSER") == "" {
		t.Skip("set REQUIRE_BROWSER=1 to open every route as everybody; .ci/run does")
	}
	script, err := os.ReadFile(filepath.Join("..", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	var crew []*crawler
	for _, x := range []struct {
		p    *person
		role string
	}{{w.marta, "finance"}, {w.tomas, "admin"}, {arrive(t, w.browser, w.house, "Inês Duarte"), "compliance"}, {arrive(t, w.browser, w.house, "Rhea Stone"), "auditor"}} {
		crew = append(crew, &crawler{person: w.as(t, x.p), role: x.role, seen: map[string]bool{}, begun: map[string]bool{}})
	}
	found := map[string]string{} // what was looked at, by route
	routes := getRoutes(t)
	for _, c := range crew {
		for _, start := range []string{"/", "/settings/policies", "/credentials/" + w.account, "/deposits?state=succeeded&provider=onekey", "/orders?state=succeeded"} {
			c.kind(start)
			if i := slices.IndexFunc(c.links, func(l string) bool {
				return strings.HasPrefix(l, "/transactions/") && strings.Count(l, "/") == 2 && !c.begun[l] && !strings.Contains(l, "export")
			}); i >= 0 {
				c.begun[c.links[i]] = true
				c.kind(c.links[i]) // what can be done with a paid deposit and with delivered codes
			}
		}
		opened := map[string]bool{}
		for range 3 { // links lead to pages with links
			for _, r := range routes {
				if opened[r.name] || !r.admits(c.role) || notPages[r.name] != "" {
					continue
				}
				for _, address := range c.addresses(r)[:min(3, len(c.addresses(r)))] {
					kind := c.kind(address)
					if kind == "led on" {
						c.open(address)
						if c.path() != "/step-up" {
							opened[r.name], found[r.name] = true, cmp.Or(found[r.name], "leads on")
							break
						}
						c.provesSecondFactor()
						c.until("the page after the second factor", `location.pathname !== '/step-up'`)
						kind = c.kind(address)
					}
					if kind != "page" {
						if kind == "piece" || kind == "file" {
							opened[r.name] = true
							found[r.name] = kind
						} else if kind >= "500" && kind < "600" || kind == "403" {
							t.Errorf("%s opens %s and gets %s", c.name, address, kind)
						}
						continue
					}
					opened[r.name] = true
					if found[r.name] != "" {
						break
					}
					found[r.name] = "page"
					c.open(address)
					c.inspect(string(script), address+" as "+c.role)
					break
				}
			}
		}
	}
	pages := 0
	for _, r := range routes {
		switch {
		case found[r.name] == "page":
			pages++
		case found[r.name] == "" && notPages[r.name] == "" && !strings.Contains(r.path, ":"):
			t.Errorf("%s was opened by nobody", r.path)
		case found[r.name] == "" && notPages[r.name] == "":
			t.Logf("no link leads to %s", r.path)
		}
	}
	t.Logf("%d pages were looked at", pages)
	if pages < 45 {
		t.Errorf("only %d pages were looked at", pages)
	}
	for _, c := range crew {
		for _, wrong := range c.wrongs {
			t.Errorf("before %s: %s", c.name, wrong)
		}
	}
}
