package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func open(t *testing.T, name string) *File {
	t.Helper()
	f, immutable, ok := Open(URL(name))
	if !ok || !immutable {
		t.Fatalf("%s: found %v, immutable %v under its own address", name, ok, immutable)
	}
	return f
}

func TestEveryAssetIsFoundUnderItsAddressWithItsType(t *testing.T) {
	want := map[string]string{
		"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "passkeys.js": "text/javascript; charset=utf-8", "upload.js": "text/javascript; charset=utf-8", "icons.svg": "image/svg+xml",
		"favicon.svg": "image/svg+xml", "fonts/inter.woff2": "font/woff2", "vendor/htmx.min.js": "text/javascript; charset=utf-8",
	}
	if names := Names(); len(names) != len(want) {
		t.Errorf("embedded: %v", names)
	}
	for name, kind := range want {
		f := open(t, name)
		if f.ContentType != kind || len(f.Body) == 0 || len(f.ETag) != 18 {
			t.Errorf("%s is %q, %d bytes, etag %s", name, f.ContentType, len(f.Body), f.ETag)
		}
	}
}

func TestAnOldAddressStillAnswersButMayNotBeKept(t *testing.T) {
	f, immutable, ok := Open(Prefix + "0123456789ab/app.css")
	if !ok || immutable || f.Name != "app.css" {
		t.Errorf("a page from before an update lost its style: found %v, immutable %v", ok, immutable)
	}
}

func TestAddressesOutsideTheFolderAreNotFound(t *testing.T) {
	for _, path := range []string{
		"", "/", "/static", "/static/", Prefix + Hash(), Prefix + Hash() + "/", "/etc/passwd", Prefix + Hash() + "/../static.go", Prefix + Hash() + "//app.css",
		Prefix + Hash() + "/static.go", Prefix + Hash() + "/fonts", Prefix + Hash() + "/app.css/", Prefix + Hash() + "/%2e%2e/app.css", Prefix + Hash() + "/app.css\x00",
	} {
		if f, _, ok := Open(path); ok {
			t.Errorf("%q answered %s", path, f.Name)
		}
	}
}

func TestTheBrowserGetsTheSmallestFormItAccepts(t *testing.T) {
	f := open(t, "app.css")
	for header, want := range map[string]string{
		"": "", "identity": "", "deflate": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0, gzip": "gzip", "GZIP;q=0.5": "gzip",
		"br;q=0.0, gzip;q=0": "", "brotli": "", "*": "",
	} {
		body, encoding := f.Encoded(header)
		if encoding != want {
			t.Errorf("Accept-Encoding %q got %q, want %q", header, encoding, want)
		}
		if plain := decoded(t, body, encoding); !bytes.Equal(plain, f.Body) {
			t.Errorf("Accept-Encoding %q: the decoded bytes differ", header)
		}
	}
	if _, encoding := open(t, "fonts/inter.woff2").Encoded("br, gzip"); encoding != "" {
		t.Errorf("the font is compressed already and was compressed again as %s", encoding)
	}
}

func decoded(t *testing.T, body []byte, encoding string) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch encoding {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// The budget of a first visit: 60 kB compressed without the font. A page itself
// may take 10 kB of it; views has the test for that half.
func TestAFirstVisitStaysWithinItsBudget(t *testing.T) {
	total := 0
	for _, name := range []string{"app.css", "app.js", "passkeys.js", "icons.svg", "favicon.svg", "vendor/htmx.min.js"} {
		body, encoding := open(t, name).Encoded("gzip")
		if encoding != "gzip" {
			t.Fatalf("%s was not compressed", name)
		}
		t.Logf("%-20s %6d bytes", name, len(body))
		total += len(body)
	}
	if total > 50_000 {
		t.Errorf("style, script and icons are %d bytes with gzip; a first visit may take 60,000 with its page", total)
	}
	if n := len(open(t, "fonts/inter.woff2").Body); n > 50_000 {
		t.Errorf("the font is %d bytes, over 50,000", n)
	}
}

func TestVendoredFilesAreTheOnesWrittenDown(t *testing.T) {
	note, err := os.ReadFile("VENDORED.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vendor/htmx.min.js", "fonts/inter.woff2", "icons.svg"} {
		sum := sha256.Sum256(open(t, name).Body)
		row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(name) + "`.*`" + hex.EncodeToString(sum[:]) + "` \\|$")
		if !row.Match(note) {
			t.Errorf("VENDORED.md does not give %s the sha256 %x", name, sum)
		}
	}
}

func TestNothingIsFetchedFromElsewhereNorEvaluated(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "passkeys.js", "icons.svg", "favicon.svg"} {
		body := string(open(t, name).Body)
		body = strings.ReplaceAll(body, "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http://", "https://", "@import", "eval(", "new Function", "innerHTML", "insertAdjacentHTML", "document.write", "outerHTML", ".style.", "javascript:"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
	}
}

// Every colour that text may have, on every ground it may stand on.
func TestEveryPairOfTextColoursHasEnoughContrast(t *testing.T) {
	tokens := readTokens(t)
	pairs := map[string][]string{
		"ink":       {"paper", "sheet", "sunk", "wash", "ok-wash", "wait-wash", "bad-wash", "odd-wash"},
		"soft":      {"paper", "sheet", "sunk", "wash", "ok-wash", "wait-wash", "bad-wash", "odd-wash"},
		"accent":    {"paper", "sheet", "sunk", "wash"},
		"ok":        {"paper", "sheet", "wash", "ok-wash"},
		"wait":      {"paper", "sheet", "sunk", "wash", "wait-wash", "hatch1", "hatch2"},
		"bad":       {"paper", "sheet", "sunk", "wash", "bad-wash"},
		"odd":       {"paper", "sheet", "wash", "odd-wash"},
		"idle":      {"paper", "sheet", "sunk", "wash"},
		"on-accent": {"accent", "accent-deep"},
		"on-bad":    {"bad"},
	}
	for text, grounds := range pairs {
		for _, ground := range grounds {
			for scheme := range 2 {
				if c := contrast(tokens[text][scheme], tokens[ground][scheme]); c < 4.5 {
					t.Errorf("%s on %s, %s: %.2f, under 4.5", text, ground, []string{"light", "dark"}[scheme], c)
				}
			}
		}
	}
	for scheme := range 2 {
		for _, ground := range []string{"paper", "sheet"} {
			if c := contrast(tokens["edge"][scheme], tokens[ground][scheme]); c < 3 {
				t.Errorf("the edge of a control on %s: %.2f, under 3", ground, c)
			}
		}
	}
}

type colour [3]float64

func readTokens(t *testing.T) map[string][2]colour {
	t.Helper()
	found := regexp.MustCompile(`--([a-z0-9-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`).FindAllStringSubmatch(string(open(t, "app.css").Body), -1)
	tokens := map[string][2]colour{}
	for _, f := range found {
		tokens[f[1]] = [2]colour{rgb(t, f[2]), rgb(t, f[3])}
	}
	for _, name := range strings.Fields("ink soft accent accent-deep ok wait bad odd idle on-accent on-bad edge paper sheet sunk wash ok-wash wait-wash bad-wash odd-wash hatch1 hatch2") {
		if _, ok := tokens[name]; !ok {
			t.Fatalf("app.css has no token --%s in both schemes", name)
		}
	}
	return tokens
}

func rgb(t *testing.T, hex string) (c colour) {
	t.Helper()
	for i := range 3 {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c[i] = float64(n) / 255
	}
	return c
}

// contrast is the ratio of WCAG 2.2, section 1.4.3.
func contrast(a, b colour) float64 {
	light := func(c colour) float64 {
		sum := 0.0
		for i, weight := range []float64{.2126, .7152, .0722} {
			v := c[i]
			if v <= .04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	x, y := light(a), light(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func ExampleURL() {
	fmt.Println(strings.Replace(URL("app.css"), Hash(), "<hash>", 1))
	// Output: /static/<hash>/app.css
}
