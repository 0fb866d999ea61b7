package httpx

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"html"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	minSecret = 4 // bytes; see Redactor.Secrets
	minCore   = 5 // base64 characters that prove a secret inside longer base64
)

// needle is one spelling of a secret. A base64 needle is blanked together with the run of base64 around it, because the
// neighbours at its edges carry bits of the secret.
type needle struct {
	text   []byte
	base64 bool
}

func needlesOf(secret string) []needle {
	var out []needle
	add := func(s string, b64 bool) {
		if len(s) >= minSecret && !slices.ContainsFunc(out, func(n needle) bool { return string(n.text) == s }) {
			out = append(out, needle{text: []byte(s), base64: b64})
		}
	}
	plain := []string{secret, strings.TrimSpace(secret)}
	if strings.Contains(secret, "\n") { // a PEM block may come back with other line ends
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); len(line) >= 16 {
				plain = append(plain, line)
			}
		}
	}
	for _, s := range plain {
		if len(s) < minSecret {
			continue
		}
		add(s, false)
		add(hex.EncodeToString([]byte(s)), false)
		add(strings.ToUpper(hex.EncodeToString([]byte(s))), false)
		for shift := range 3 {
			for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				text := enc.EncodeToString(append(make([]byte, shift), s...))
				if core := text[(8*shift+5)/6 : 8*(shift+len(s))/6]; len(core) >= minCore {
					add(core, true)
				}
			}
		}
	}
	return out
}

// literals blanks every needle in every reading of the text. The usual text has no escapes and is read once.
func (r *redaction) literals(b []byte) []byte {
	if len(r.needles) == 0 || len(b) < minSecret {
		return b
	}
	var spans []span
	for _, v := range readings(b) {
		for _, n := range r.needles {
			spans = v.find(n, spans)
		}
	}
	if len(spans) == 0 {
		return b
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var out []byte
	at := 0
	for i := 0; i < len(spans); {
		from, to := spans[i].from, spans[i].to
		for i++; i < len(spans) && spans[i].from <= to; i++ {
			to = max(to, spans[i].to)
		}
		out = append(append(out, b[at:from]...), Redacted...)
		at = to
	}
	return append(out, b[at:]...)
}

// span is a stretch of the original text.
type span struct{ from, to int }

// reading is the text after undoing an escaping, with the way back: byte k comes from the original [at[k], at[k+1]).
type reading struct {
	text []byte
	at   []int // nil for the original itself
}

func (v reading) origin(k int) int {
	if v.at == nil {
		return k
	}
	return v.at[k]
}

func (v reading) find(n needle, spans []span) []span {
	for from := 0; ; {
		i := bytes.Index(v.text[from:], n.text)
		if i < 0 {
			return spans
		}
		start := from + i
		end := start + len(n.text)
		from = start + 1
		if n.base64 {
			for start > 0 && base64Byte(v.text[start-1]) {
				start--
			}
			for end < len(v.text) && base64Byte(v.text[end]) {
				end++
			}
			from = max(from, end)
		}
		for end < len(v.text) && v.origin(end) == v.origin(end-1) { // never stop inside one escape
			end++
		}
		spans = append(spans, span{v.origin(start), v.origin(end)})
	}
}

func base64Byte(c byte) bool {
	return c != '_' && wordByte(c) || c == '_' || c == '-' || c == '+' || c == '/' || c == '='
}

// readings gives the text as it is and with each escaping, and each pair of escapings, undone.
func readings(b []byte) []reading {
	first := reading{text: b}
	out := []reading{first}
	undo := []func(reading) (reading, bool){unPercent, unPlus, unJSON, unHTML}
	for _, f := range undo {
		v, changed := f(first)
		if !changed {
			continue
		}
		out = append(out, v)
		for _, g := range undo {
			if w, changed := g(v); changed {
				out = append(out, w)
			}
		}
	}
	return out
}

// rewrite builds a reading: step looks at the text from i on and returns what it stands for and how many bytes it took,
// or 0 to keep the byte.
func rewrite(v reading, mark string, step func(t []byte) (stands []byte, took int)) (reading, bool) {
	if !bytes.ContainsAny(v.text, mark) {
		return v, false
	}
	out := reading{text: make([]byte, 0, len(v.text)), at: make([]int, 0, len(v.text)+1)}
	changed := false
	for i := 0; i < len(v.text); {
		if strings.IndexByte(mark, v.text[i]) >= 0 {
			if stands, took := step(v.text[i:]); took > 0 {
				for range stands {
					out.at = append(out.at, v.origin(i))
				}
				out.text, changed = append(out.text, stands...), true
				i += took
				continue
			}
		}
		out.text, out.at = append(out.text, v.text[i]), append(out.at, v.origin(i))
		i++
	}
	out.at = append(out.at, v.origin(len(v.text)))
	return out, changed
}

func percentStep(t []byte) ([]byte, int) {
	if len(t) < 3 || t[0] != '%' {
		return nil, 0
	}
	var b [1]byte
	if _, err := hex.Decode(b[:], t[1:3]); err != nil {
		return nil, 0
	}
	return b[:], 3
}

func unPercent(v reading) (reading, bool) { return rewrite(v, "%", percentStep) }

// unPlus is a percent-encoding in which a plus is a space, as forms and queries have it.
func unPlus(v reading) (reading, bool) {
	return rewrite(v, "%+", func(t []byte) ([]byte, int) {
		if t[0] == '+' {
			return []byte{' '}, 1
		}
		return percentStep(t)
	})
}

func unJSON(v reading) (reading, bool) { return rewrite(v, `\`, jsonStep) }

func jsonStep(t []byte) ([]byte, int) {
	if len(t) < 2 {
		return nil, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, t[1]); i >= 0 {
		return []byte{"\"\\/\b\f\n\r\t"[i]}, 2
	}
	r, ok := hexRune(t)
	if !ok {
		return nil, 0
	}
	if utf16.IsSurrogate(r) && len(t) >= 12 {
		if low, ok := hexRune(t[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return utf8.AppendRune(nil, pair), 12
			}
		}
	}
	return utf8.AppendRune(nil, r), 6
}

// hexRune reads \uXXXX.
func hexRune(t []byte) (rune, bool) {
	var b [2]byte
	if len(t) < 6 || t[0] != '\\' || t[1] != 'u' {
		return 0, false
	}
	if _, err := hex.Decode(b[:], t[2:6]); err != nil {
		return 0, false
	}
	return rune(b[0])<<8 | rune(b[1]), true
}

func unHTML(v reading) (reading, bool) {
	return rewrite(v, "&", func(t []byte) ([]byte, int) {
		end := bytes.IndexByte(t[:min(len(t), 12)], ';')
		if end < 2 {
			return nil, 0
		}
		entity := string(t[:end+1])
		if s := html.UnescapeString(entity); s != entity {
			return []byte(s), end + 1
		}
		return nil, 0
	})
}
