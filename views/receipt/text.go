package receipt

import (
	_ "embed" // the two fonts
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"countinghouse/models"
)

//go:embed fonts/inter-regular.ttf
var regular []byte

//go:embed fonts/inter-semibold.ttf
var semibold []byte

// missing stands for a character that the font does not hold.
const missing = '□'

// maxLost bounds how many such characters are spelt out.
const maxLost = 120

// letters turns foreign text into what the font can draw, and remembers what it could not.
type letters struct {
	font *sfnt.Font
	buf  sfnt.Buffer
	lost []string // “as drawn”: U+738B …
	n    int
}

func newLetters() (*letters, error) {
	f, err := sfnt.Parse(regular)
	if err != nil {
		return nil, fmt.Errorf("read the receipt's font: %w", err)
	}
	return &letters{font: f}, nil
}

// text gives one line of what can be drawn: composed, without control characters, with a square for each character that the font does not
// hold. Those are spelt out under the receipt, so that nothing is lost.
func (l *letters) text(s string) string {
	var b, codes strings.Builder
	for _, r := range norm.NFC.String(models.Safe(s, 600)) {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case l.has(r):
			b.WriteRune(r)
		case unicode.Is(unicode.Cf, r): // joiners and direction marks draw nothing
		default:
			b.WriteRune(missing)
			if l.n++; l.n <= maxLost {
				fmt.Fprintf(&codes, " U+%04X", r)
			}
		}
	}
	if x := "“" + b.String() + "”:" + codes.String(); codes.Len() > 0 && !slices.Contains(l.lost, x) {
		l.lost = append(l.lost, x)
	}
	return b.String()
}

func (l *letters) has(r rune) bool {
	if r > 0xffff { // the PDF library draws the basic plane only
		return false
	}
	i, err := l.font.GlyphIndex(&l.buf, r)
	return err == nil && i != 0
}

// spelt says which characters the squares stand for; empty if there are none.
func (l *letters) spelt() string {
	if len(l.lost) == 0 {
		return ""
	}
	tail := "."
	if l.n > maxLost {
		tail = ", and more."
	}
	return string(missing) + " stands for a character that the font of this file does not hold. " + strings.Join(l.lost, "; ") + tail
}
