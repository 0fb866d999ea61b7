package models

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanText checks a line of text that a person typed: valid UTF-8, no control characters, at most max characters. Space around it is
// dropped. With required it must not be empty. Line breaks are allowed only where max is above 255.
func CleanText(field, text string, max int, required bool) (string, error) {
	if !utf8.ValidString(text) {
		return "", FieldErrorf(field, "This text is not valid UTF-8.")
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	for _, r := range text {
		if (unicode.IsControl(r) && !(r == '\n' && max > 255)) || r == '\u202e' || r == '\u202d' || r == '\u2066' || r == '\u2067' || r == '\u2068' || r == '\ufeff' {
			return "", FieldErrorf(field, "This text has a character that cannot be shown.")
		}
	}
	if n := utf8.RuneCountInString(text); n > max {
		return "", FieldErrorf(field, "This text has %d characters; %d fit.", n, max)
	}
	if required && text == "" {
		return "", FieldErrorf(field, "Write something here.")
	}
	return text, nil
}

// Safe makes a provider's or a stranger's text fit to be stored and shown: control and direction characters go, the length is capped.
func Safe(text string, max int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r == utf8.RuneError || unicode.IsControl(r) || r == '\u202e' || r == '\u202d' || r == '\u2066' || r == '\u2067' || r == '\u2068' || r == '\ufeff' {
			r = ' '
		}
		if n++; n > max {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// longNumber is a word of digits, with what people write between them, that may be a document or an account.
var longNumber = regexp.MustCompile(`(^|\s)\d[\d./-]{4,}\d(\s|$)`)

// MaskNumbers leaves of documents and accounts in a text their last four digits, as lists show them: "Ana Souza ···· 4725".
func MaskNumbers(text string) string {
	return longNumber.ReplaceAllStringFunc(text, func(word string) string {
		bare := strings.TrimSpace(word)
		return strings.Replace(word, bare, "···· "+bare[len(bare)-4:], 1)
	})
}
