package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "countinghouse/"

// allowed is the house: which of our packages each package may import, tests apart. A pattern ends with /* for one more element. The first
// line that fits a package decides; a package that fits none fails the test, so that a new room gets its place here.
var allowed = []struct {
	pkg string
	may []string
}{
	{"countinghouse", []string{"web", "web/*", "models/store", "providers/all"}},
	{"web/*", []string{"models", "models/*", "providers"}},
	{"web", []string{"web/*", "handlers", "handlers/tasks", "views", "views/ui", "models", "models/*", "providers", "static"}},
	{"handlers/tasks", []string{"models", "models/store", "models/jobs", "models/vault", "models/files", "providers", "providers/httpx"}}, // records exchanges
	{"handlers", []string{"models", "models/store", "models/files", "models/pack", "providers", "views", "views/ui", "views/receipt"}},
	{"views/ui", []string{"static"}},
	{"views/receipt", []string{"models", "views/ui"}},
	{"views", []string{"views/ui", "models", "models/address", "providers", "static"}},
	{"models/store/storetest", []string{"models", "models/store", "models/vault"}},
	{"models/store", []string{"models", "models/jobs", "models/vault"}},
	{"models/pack", []string{"models"}},
	{"models/address", nil},
	{"models/jobs", nil},
	{"models/vault", nil},
	{"models/files/filestest", nil},
	{"models/files", nil},
	{"models", nil},
	{"static", nil},
	{"providers/httpx", nil},
	{"providers/all", []string{"providers", "providers/*", "providers/*/sandbox"}},
	{"providers/all/gen", nil},
	{"providers/providertest", []string{"providers", "providers/httpx", "models"}},
	{"providers/providertest/*", []string{"providers", "providers/providertest", "providers/httpx", "models"}},
	{"providers/*/sandbox", nil},
	{"providers/*", []string{"providers", "providers/httpx", "models"}},
	{"providers", []string{"models", "models/address", "providers/httpx"}}, // models/address is pure and checks what people type
	{"e2e", []string{}},
	{"e2e/*", []string{}},
}

// homes says where a library may be imported: everywhere else it would be the second way to do the same thing.
var homes = map[string][]string{
	"github.com/gofiber/fiber/v2":         {"web", "handlers"},
	"gorm.io/gorm":                        {"models/store"},
	"github.com/a-h/templ":                {"views", "views/ui"},
	"github.com/riverqueue/river":         {"models/jobs"},
	"codeberg.org/go-pdf/fpdf":            {"views/receipt"},
	"github.com/tink-crypto/tink-go/v2":   {"models/vault"},
	"github.com/minio/minio-go/v7":        {"models/files"},
	"github.com/gorilla/sessions":         {"web"},
	"github.com/pressly/goose/v3":         {"models/store"},
	"github.com/alecthomas/kong":          {"countinghouse", "web"},
	"github.com/prometheus/client_golang": {"web", "handlers/tasks"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func goList(t *testing.T) (list []listed) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Standard", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == "countinghouse" || strings.HasPrefix(p.ImportPath, module) {
			list = append(list, p)
		}
	}
}

// short is a package's path inside the module.
func short(importPath string) string { return strings.TrimPrefix(importPath, module) }

func fits(pattern, pkg string) bool {
	ok, err := path.Match(pattern, pkg)
	return ok && err == nil
}

func TestImportsFollowTheHouse(t *testing.T) {
	packages := goList(t)
	if len(packages) < 20 {
		t.Fatalf("go list shows only %d packages of ours", len(packages))
	}
	for _, p := range packages {
		name := short(p.ImportPath)
		i := slices.IndexFunc(allowed, func(a struct {
			pkg string
			may []string
		}) bool {
			return fits(a.pkg, name)
		})
		if i < 0 {
			t.Errorf("%s has no place in the house: add it to the table here and to docs/decisions.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if imp != "countinghouse" && !strings.HasPrefix(imp, module) {
				continue
			}
			if !slices.ContainsFunc(allowed[i].may, func(m string) bool { return fits(m, short(imp)) }) {
				t.Errorf("%s may not import %s", name, short(imp))
			}
		}
	}
}

func TestEachLibraryHasItsHome(t *testing.T) {
	for _, p := range goList(t) {
		name := short(p.ImportPath)
		for _, imp := range p.Imports {
			for lib, rooms := range homes {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(rooms, name) {
					t.Errorf("%s may not import %s: it lives in %s", name, imp, strings.Join(rooms, " and "))
				}
			}
		}
	}
}

func TestNoProviderReachesTheDatabaseOrTheNextOne(t *testing.T) {
	reach := map[string][]string{}
	for _, p := range goList(t) {
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, module) {
				reach[short(p.ImportPath)] = append(reach[short(p.ImportPath)], short(imp))
			}
		}
	}
	var walk func(from, at string, seen map[string]bool)
	walk = func(from, at string, seen map[string]bool) {
		if seen[at] {
			return
		}
		seen[at] = true
		other := strings.HasPrefix(at, "providers/") && at != "providers/httpx" && at != from && !strings.HasPrefix(at, from+"/")
		if strings.HasPrefix(at, "models/store") || strings.HasPrefix(at, "handlers") || strings.HasPrefix(at, "web") || other {
			t.Errorf("%s reaches %s", from, at)
		}
		for _, next := range reach[at] {
			walk(from, next, seen)
		}
	}
	looked := 0
	for name := range reach {
		if fits("providers/*", name) && !slices.Contains([]string{"providers/all", "providers/httpx", "providers/providertest"}, name) {
			looked++
			walk(name, name, map[string]bool{})
		}
	}
	if looked < 4 {
		t.Errorf("only %d providers were looked at", looked)
	}
}

// What the README and the documents point to is there.
func TestTheDocumentsLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)`)
	for _, pattern := range []string{"README.md", "docs/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
					t.Errorf("%s leads to %s, which is not there", file, m[1])
				}
			}
		}
	}
}
