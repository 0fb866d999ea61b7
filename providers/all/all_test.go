package all

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
)

func TestEveryProviderHasAStandInAndItsOwnName(t *testing.T) {
	var names []string
	for _, p := range Registry().All() {
		names = append(names, p.Description.Name)
		if _, ok := Sandboxes()[p.Description.Name]; !ok {
			t.Errorf("%s has no stand-in", p.Description.Name)
		}
	}
	if len(Sandboxes()) != len(names) {
		t.Errorf("%d stand-ins for %d providers", len(Sandboxes()), len(names))
	}
	for _, folder := range []string{"all", "httpx", "providertest", ""} {
		if slices.Contains(names, folder) {
			t.Errorf("%q is listed as a provider", folder)
		}
	}
}

// sixth is a provider's folder as its author would write it: everything there is, and nothing outside it.
var sixth = map[string]string{
	"providers/harbour/harbour.go": `// Package harbour is a made-up provider.
package harbour

import (
	"context"

	"countinghouse/models"
	"countinghouse/providers"
)

// Provider is Harbour for the registry.
func Provider() *providers.Provider {
	return &providers.Provider{
		Description: providers.Description{
			Name: "harbour", Title: "Harbour", Short: "Harbour", About: "Made up.",
			Capabilities: []providers.Capability{providers.CanReadBalances},
			Items:        []providers.Item{{ID: "HARB-BAL-1", Text: "A balance.", Mark: providers.Documented, Evidence: "One answer."}},
		},
		New: func(c providers.Config) (any, error) { return client{}, nil },
	}
}

type client struct{}

func (client) Balances(context.Context) ([]providers.Balance, error) {
	return []providers.Balance{{Account: "main", Available: models.Money{Minor: 1, Asset: "KES"}, Text: "0.01"}}, nil
}
`,
	"providers/harbour/sandbox/sandbox.go": `// Package sandbox plays Harbour.
package sandbox

import "net/http"

// Options are what it is started with.
type Options struct {
	Credential, Settings map[string]string
	Seed                 int64
}

// Sandbox is the stand-in.
type Sandbox struct{}

// New starts it.
func New(Options) *Sandbox { return &Sandbox{} }

func (*Sandbox) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// Close ends it.
func (*Sandbox) Close() error { return nil }
`,
}

// probe is a program that uses the registry as main does.
const probe = `package main

import (
	"context"
	"fmt"

	"countinghouse/providers"
	"countinghouse/providers/all"
)

func main() {
	p, ok := all.Registry().Get("harbour")
	if !ok {
		panic("harbour is not in the registry")
	}
	client, err := p.New(providers.Config{})
	if err != nil {
		panic(err)
	}
	balances, err := client.(providers.BalanceReader).Balances(context.Background())
	if err != nil {
		panic(err)
	}
	if err := all.Sandboxes()["harbour"](providers.SandboxOptions{}).Close(); err != nil {
		panic(err)
	}
	fmt.Println(len(all.Registry().All()), balances[0].Available)
}
`

// Adding a provider touches one folder: the folder is written into a copy of the house, the generator is run, and the copy builds and
// knows the new provider. Nothing else was changed but the generated list.
func TestAddingAProviderTouchesOneFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds all providers once more")
	}
	root, copied := filepath.Join("..", ".."), t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		copyFile(t, filepath.Join(root, name), filepath.Join(copied, name))
	}
	copyGo(t, filepath.Join(root, "models"), filepath.Join(copied, "models"))
	copyGo(t, filepath.Join(root, "models", "address"), filepath.Join(copied, "models", "address"))
	copyTree(t, filepath.Join(root, "providers"), filepath.Join(copied, "providers"))

	run(t, copied, "go", "generate", "./providers/all")
	before := contents(t, copied)
	committed := read(t, filepath.Join(root, "providers", "all", "all_gen.go"))
	if diff := cmp.Diff(committed, before["providers/all/all_gen.go"]); diff != "" {
		t.Errorf("the committed list is not what the generator writes; run go generate ./providers/... (-committed +generated)\n%s", diff)
	}

	for name, text := range sixth {
		write(t, filepath.Join(copied, filepath.FromSlash(name)), text)
	}
	run(t, copied, "go", "generate", "./providers/all")
	var changed []string
	after := contents(t, copied)
	for name, text := range after {
		if _, mine := sixth[name]; !mine && before[name] != text {
			changed = append(changed, name)
		}
	}
	if diff := cmp.Diff([]string{"providers/all/all_gen.go"}, changed); diff != "" || len(after) != len(before)+len(sixth) {
		t.Errorf("besides its folder these files changed: %s", diff)
	}

	write(t, filepath.Join(copied, "probe", "main.go"), probe)
	out := run(t, copied, "go", "run", "./probe")
	want := models.Money{Minor: 1, Asset: "KES"}.String()
	if got := strings.Fields(out); len(got) != 3 || strings.Join(got[1:], " ") != want {
		t.Errorf("the probe says %q", out)
	}
}

func run(t *testing.T, dir string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// copyTree copies a folder without its tests; copyGo copies the Go files of one package.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case !d.IsDir() && !strings.HasSuffix(path, "_test.go"):
			copyFile(t, path, filepath.Join(to, rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyGo(t *testing.T, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", from, err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			copyFile(t, f, filepath.Join(to, filepath.Base(f)))
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	write(t, to, read(t, from))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path) //nolint:gosec // a file of this repository
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents reads every file of the copy.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		out[filepath.ToSlash(rel)] = read(t, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
