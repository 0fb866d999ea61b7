package views

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The kit page shows every piece: a new component of views/ui without its place there fails here.
func TestTheKitShowsEveryPiece(t *testing.T) {
	component := regexp.MustCompile(`(?m)^(?:templ|func) ([A-Z]\w*)\(.*?\)(?: templ\.Component)? \{$`)
	plain := regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\) (?:[^t{][^{]*|t[^e][^{]*) \{$`) // functions that draw nothing
	sources := func(pattern string) string {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		var b strings.Builder
		for _, f := range files {
			if strings.HasSuffix(f, "_templ.go") || strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
		return b.String()
	}
	pieces, shown := sources("ui/*.templ")+sources("ui/*.go"), sources("kit*.templ")+sources("kit*.go")
	var none []string
	for _, m := range plain.FindAllStringSubmatch(pieces, -1) {
		none = append(none, m[1])
	}
	n := 0
	for _, m := range component.FindAllStringSubmatch(pieces, -1) {
		if slices.Contains(none, m[1]) || m[1] == "MenuLine" { // each line of a ui.Menu, which is there
			continue
		}
		n++
		if !strings.Contains(shown, "ui."+m[1]+"(") {
			t.Errorf("the kit does not show ui.%s", m[1])
		}
	}
	if n < 40 {
		t.Errorf("only %d pieces were found; the test looks for them wrongly", n)
	}
}
