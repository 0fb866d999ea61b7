package web_test

import (
	"bufio"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"countinghouse/handlers"
	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// accessFile says, route by route, who gets in. It is written by hand on purpose: the table in the program must agree with what somebody
// decided here, and a new route without a line fails the test.
const accessFile = "testdata/access.txt"

// readAccess gives, per route name, method and path and who gets in.
func readAccess(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open(accessFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := map[string][]string{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if lines[fields[0]] != nil {
			t.Errorf("%s has two lines for %s", accessFile, fields[0])
		}
		lines[fields[0]] = fields[1:]
	}
	return lines
}

// nobodys is an id that nothing has.
const nobodys = "0192aaaa-0000-7000-8000-000000000000"

// addressOf fills the parameters of a route with something that does not exist.
func addressOf(r handlers.Route) string {
	parts := strings.Split(r.Path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = nobodys
		}
		if p == "*" {
			parts[i] = "none"
		}
	}
	return strings.Join(parts, "/")
}

func TestEveryRouteWithEveryRole(t *testing.T) {
	h := open(t, inDemo)
	access := readAccess(t)
	people := map[string]storetest.Person{"admin": h.ada}
	for _, r := range models.Roles() {
		if r != models.Admin {
			people[string(r)] = storetest.Add(t, h.store, string(r)+"@example.com", string(r), r)
		}
	}
	known := map[string]bool{}
	for _, r := range h.Routes {
		known[r.Name] = true
		line, ok := access[r.Name]
		if !ok {
			t.Errorf("route %s (%s %s) has no line in %s: decide who may use it", r.Name, r.Method, r.Path, accessFile)
			continue
		}
		if len(line) < 3 || line[0] != r.Method || line[1] != r.Path {
			t.Errorf("route %s is %s %s, %s says %v", r.Name, r.Method, r.Path, accessFile, line)
			continue
		}
		who := line[2:]
		t.Run(r.Name, func(t *testing.T) {
			for _, role := range slices.Sorted(maps.Keys(people)) {
				token := h.session(t, people[role])
				h.checkAccess(t, r, role, token, slices.Contains(who, role) || slices.Contains(who, "everybody") || slices.Contains(who, "signed-in"))
			}
			h.checkAnonymous(t, r, slices.Contains(who, "everybody"))
			if r.StepUp {
				h.checkStepUp(t, r, people[who[0]], who[0] == "signed-in", people["auditor"])
			}
		})
	}
	for name := range access {
		if !known[name] {
			t.Errorf("%s has a line for %s, which is no route", accessFile, name)
		}
	}
}

// checkAccess asks for one route as one role. Whoever is let in may get any answer but a missing permission, a sign-in page or a failure.
func (h *house) checkAccess(t *testing.T, r handlers.Route, role, token string, admitted bool) {
	t.Helper()
	got := h.do(t, r.Method, addressOf(r), token, formOf(r))
	refused := got.StatusCode == 403 && strings.Contains(got.body, "This needs the permission")
	switch {
	case got.StatusCode >= 500:
		t.Errorf("%s as %s: %d\n%s", r.Name, role, got.StatusCode, got.body)
	case admitted && (refused || strings.HasPrefix(got.Header.Get("Location"), "/sign-in") && r.Name != "sign-out"):
		t.Errorf("%s as %s: refused (%d, %s), but %s lets them in", r.Name, role, got.StatusCode, got.Header.Get("Location"), accessFile)
	case !admitted && !refused:
		t.Errorf("%s as %s: %d, but %s keeps them out", r.Name, role, got.StatusCode, accessFile)
	}
}

func formOf(r handlers.Route) url.Values {
	if r.Method == "GET" {
		return nil
	}
	return url.Values{}
}

// checkAnonymous asks without a session: public routes answer, all others lead to the sign-in page.
func (h *house) checkAnonymous(t *testing.T, r handlers.Route, public bool) {
	t.Helper()
	got := h.do(t, r.Method, addressOf(r), "", formOf(r))
	toSignIn := got.StatusCode == 303 && strings.HasPrefix(got.Header.Get("Location"), "/sign-in")
	if got.StatusCode >= 500 {
		t.Errorf("%s without a session: %d\n%s", r.Name, got.StatusCode, got.body)
	}
	if public == toSignIn {
		t.Errorf("%s without a session: %d to %q, public is %v", r.Name, got.StatusCode, got.Header.Get("Location"), public)
	}
}

// checkStepUp asks in a session whose step-up is too old.
func (h *house) checkStepUp(t *testing.T, r handlers.Route, p storetest.Person, anybody bool, other storetest.Person) {
	t.Helper()
	if anybody {
		p = other
	}
	token := h.session(t, p)
	h.clock.Advance(models.StepUpFor)
	got := h.do(t, r.Method, addressOf(r), token, formOf(r))
	if got.StatusCode != 303 || !strings.HasPrefix(got.Header.Get("Location"), "/step-up?back=") {
		t.Errorf("%s without a fresh second factor: %d to %q, want the step-up page", r.Name, got.StatusCode, got.Header.Get("Location"))
	}
}

func TestHalfwayThroughSigningInOpensNothingElse(t *testing.T) {
	h := open(t, inDemo)
	half, _, err := h.store.SignIn(t.Context(), h.ada.Email, storetest.Password, storetest.Here)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Routes {
		if r.Access == handlers.Public || r.Access == handlers.Halfway || r.Access == handlers.Foreign {
			continue
		}
		got := h.do(t, r.Method, addressOf(r), half, formOf(r))
		if got.StatusCode != 303 || !strings.HasPrefix(got.Header.Get("Location"), "/sign-in") {
			t.Errorf("%s with a password only: %d to %q", r.Name, got.StatusCode, got.Header.Get("Location"))
		}
	}
}

func TestSomebodyWithoutARoleSeesNothing(t *testing.T) {
	h := open(t, inDemo)
	boris := storetest.Add(t, h.store, "boris@example.com", "Boris", models.Admin) // so that roles wait for a second admin
	u, link, pending, err := h.store.Invite(t.Context(), boris.Actor(h.store), "new@example.com", "New", []models.Role{models.Auditor})
	if err != nil || !pending {
		t.Fatalf("invite: pending %v, %v", pending, err)
	}
	if _, err := h.store.AcceptInvitation(t.Context(), link, storetest.Password, storetest.Here); err != nil {
		t.Fatal(err)
	}
	token := h.session(t, storetest.Person{User: u})
	for _, r := range h.Routes {
		if len(r.Needs()) == 0 {
			continue
		}
		if got := h.do(t, r.Method, addressOf(r), token, formOf(r)); got.StatusCode != 403 {
			t.Errorf("%s without a role: %d", r.Name, got.StatusCode)
		}
	}
}

func TestDemoRoutesExistInTheDemonstrationOnly(t *testing.T) {
	h := open(t)
	for _, r := range h.Routes {
		if strings.HasPrefix(r.Path, "/demo") {
			t.Errorf("serve has the route %s", r.Path)
		}
	}
	if got := h.get(t, "/demo/anything", ""); got.StatusCode != 404 {
		t.Errorf("/demo/anything in serve: %d, want 404", got.StatusCode)
	}
}

// TestWriteAccess prints lines for routes that have none, to be thought about and pasted.
func TestWriteAccess(t *testing.T) {
	if os.Getenv("COUNTINGHOUSE_ACCESS") == "" {
		t.Skip("COUNTINGHOUSE_ACCESS is not set: nothing is printed (it helps to write testdata/access.txt, it proves nothing)")
	}
	h := open(t, inDemo)
	access := readAccess(t)
	for _, r := range h.Routes {
		if access[r.Name] != nil {
			continue
		}
		var who []string
		switch r.Access {
		case handlers.Public, handlers.Foreign:
			who = []string{"everybody"}
		case handlers.Halfway, handlers.SignedIn:
			who = []string{"signed-in"}
		}
		for _, role := range models.Roles() {
			if len(r.Needs()) > 0 && r.Admits(models.Actor{Roles: []models.Role{role}}) {
				who = append(who, string(role))
			}
		}
		fmt.Println(r.Name, r.Method, r.Path, strings.Join(who, " "))
	}
}
