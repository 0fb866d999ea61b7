// Package ui is the kit: the button, the field, the table, the figure. A page
// never writes its own. Every piece is a templ component with one parameter
// struct of plain values; text is escaped, addresses are sanitised, and nothing
// here writes an inline style or script, because the content policy forbids both.
//
// views and views only import this package; it imports static and templ.
package ui

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// Tone says what a colour means. Colour never stands alone: a word is beside it.
type Tone string

// The tones. Info is the accent colour and says nothing about a state.
const (
	Ok   Tone = "ok"   // done, as wished
	Wait Tone = "wait" // somebody or something must act
	Bad  Tone = "bad"  // refused, failed, dead
	Odd  Tone = "odd"  // not known: the outcome is being asked for
	Idle Tone = "idle" // resting, ended without effect
	Info Tone = "info"
)

// Attrs are further attributes of the element, most often hx-…; values are escaped.
type Attrs = templ.Attributes

// Swap gives a link or form the attributes to load href into target ("#content")
// without a full page, keeping the address in the bar. Without script the plain
// href does the same.
func Swap(href, target string) Attrs {
	if href == "" || target == "" {
		return nil
	}
	return Attrs{
		"hx-get": href, "hx-target": target, "hx-select": target,
		"hx-swap": "outerHTML show:none", "hx-push-url": "true",
	}
}

// Poll reloads an element (replacing itself) every few seconds until the server
// answers with one that no longer polls.
func Poll(href string, seconds int) Attrs {
	if href == "" {
		return nil
	}
	return Attrs{"hx-get": href, "hx-trigger": "every " + strconv.Itoa(max(seconds, 1)) + "s", "hx-swap": "outerHTML"}
}

func classes(names ...string) string {
	kept := names[:0:0]
	for _, n := range names {
		if n != "" {
			kept = append(kept, n)
		}
	}
	return strings.Join(kept, " ")
}

func when(yes bool, name string) string {
	if yes {
		return name
	}
	return ""
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// slug makes an id out of a name: letters, digits and hyphens.
func slug(parts ...string) string {
	var b strings.Builder
	for _, r := range strings.Join(parts, "-") {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	return b.String()
}

// Minus replaces a leading hyphen by the true minus sign U+2212, which has the
// width of a figure.
func Minus(amount string) string {
	if rest, ok := strings.CutPrefix(amount, "-"); ok {
		return "\u2212" + rest
	}
	return amount
}
