package address

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is longer than any address; what is beyond it is not looked at.
const maxText = 128

func faultf(f Fault, format string, args ...any) *Error {
	return &Error{Fault: f, Sentence: fmt.Sprintf(format, args...)}
}

// checkText finds what no address of any network contains: spaces, invisible characters, other scripts, bytes that are not text.
func checkText(text string) *Error {
	switch {
	case strings.TrimSpace(text) == "":
		return faultf(Empty, "The address is missing.")
	case len(text) > maxText:
		return faultf(WrongLength, "This is %d bytes long; no address is longer than 90 characters. Paste only the address.", len(text))
	case !utf8.ValidString(text):
		return faultf(Character, "This is not readable text. Copy the address again from where it came.")
	}
	count := utf8.RuneCountInString(text)
	at := 0
	for _, r := range text {
		at++
		if e := checkRune(r, at, count); e != nil {
			return e
		}
	}
	return nil
}

func checkRune(r rune, at, count int) *Error {
	switch {
	case unicode.IsSpace(r) && at == 1:
		return faultf(Whitespace, "There is a space before the address. Remove it.")
	case unicode.IsSpace(r) && at == count:
		return faultf(Whitespace, "There is a space or a line break after the address. Remove it.")
	case unicode.IsSpace(r):
		return faultf(Whitespace, "There is a space or a line break inside the address, at character %d. Addresses are written without any.", at)
	case r > ' ' && r < 0x7f:
		return nil
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Mn, unicode.Me):
		return faultf(LookAlike, "Character %d is invisible (U+%04X). Copy the address again from where it came, not from a document or chat.", at, r)
	}
	if latin, script, ok := twin(r); ok {
		return faultf(LookAlike, "Character %d is a %s letter or sign that only looks like “%c”. Copy the address again from where it came.", at, script, latin)
	}
	return faultf(Character, "Character %d is “%c”, which no address contains. Copy the address again from where it came.", at, r)
}

// twin gives the ASCII character that another script's character is mistaken for.
func twin(r rune) (latin rune, script string, ok bool) {
	if r >= 0xff01 && r <= 0xff5e {
		return r - 0xff01 + '!', "full-width", true
	}
	for _, t := range [...]struct{ script, theirs, ours string }{
		{"Cyrillic", "аеорсухіѕјһԁԛԝАВЕКМНОРСТУХІЅЈЗбТ", "aeopcyxisjhdqwABEKMHOPCTYXISJ36T"},
		{"Greek", "οανιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oaviABEZHIKMNOPTYX"},
	} {
		ours := []rune(t.ours)
		for i, theirs := range []rune(t.theirs) {
			if theirs == r {
				return ours[i], t.script, true
			}
		}
	}
	if unicode.IsDigit(r) {
		if zero := digitZero(r); zero >= 0 {
			return '0' + zero, "foreign", true
		}
	}
	return 0, "", false
}

// digitZero gives the value of another script's decimal digit; scripts keep their ten digits in a row.
func digitZero(r rune) rune {
	first := r
	for first > 0 && r-first < 10 && unicode.IsDigit(first-1) {
		first--
	}
	if r-first > 9 {
		return -1
	}
	return r - first
}

// notAnAddress recognises what people paste instead of an address.
func notAnAddress(text string) *Error {
	lower := strings.ToLower(text)
	if scheme, _, ok := strings.Cut(lower, ":"); ok && scheme != "" {
		return faultf(NotAnAddress, "This is a payment link (“%s:”). Paste only the address that stands in it.", clip(scheme))
	}
	if strings.ContainsAny(text, "/?&@") {
		return faultf(NotAnAddress, "This is a link or an e-mail address. Paste only the crypto address.")
	}
	for _, end := range []string{".eth", ".crypto", ".trx", ".btc", ".wallet"} {
		if strings.HasSuffix(lower, end) {
			return faultf(NotAnAddress, "This is a name, and what a name points to can change. Paste the address itself.")
		}
	}
	return nil
}

// onlyFrom checks that every character belongs to an alphabet; hints says what a near miss was probably meant to be.
func onlyFrom(text, alphabet, what string, hints map[byte]string) *Error {
	for i := range len(text) {
		c := text[i]
		if strings.IndexByte(alphabet, c) >= 0 {
			continue
		}
		if hint, ok := hints[c]; ok {
			return faultf(LookAlike, "Character %d is “%c”, which %s never contains: it is easily mistaken for %s. Copy the address again instead of typing it.",
				i+1, c, what, hint)
		}
		return faultf(Character, "Character %d is “%c”, which %s never contains.", i+1, c, what)
	}
	return nil
}

func clip(s string) string {
	if len(s) > 16 {
		return s[:16] + "…"
	}
	return s
}

func isAllZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
