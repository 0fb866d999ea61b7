package files

import (
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// beforeDot is what a name may not have before a dot, so that a cut name ends in the same place when it is cleaned again.
var beforeDot = regexp.MustCompile(`[ .]+\.`)

// CleanName makes a name that may be shown, stored and offered for download from whatever a browser sent: no folders, no
// control or direction characters, no characters that a file system reserves, at most 120 bytes, the extension kept. It is a
// label, never a key.
func CleanName(name string) string {
	name = strings.ToValidUTF8(name, "_")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r): // control, format (bidi overrides, zero width), private use, unassigned
			return -1
		case strings.ContainsRune(`<>:"|?*%;`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(strings.Join(strings.Fields(name), " "), ". ")
	name = beforeDot.ReplaceAllLiteralString(name, ".")
	ext := path.Ext(name)
	if len(ext) > 12 || strings.Contains(ext, " ") {
		ext = ""
	}
	stem := strings.Trim(strings.TrimSuffix(name, ext), ". ")
	if stem == "" {
		stem = "document"
	}
	if reserved(stem) {
		stem = "_" + stem
	}
	return cutTo(stem, 120-len(ext)) + ext
}

// reserved names mean a device on Windows, whatever the extension.
func reserved(stem string) bool {
	first, _, _ := strings.Cut(strings.ToUpper(stem), ".")
	switch first {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(first) == 4 && (strings.HasPrefix(first, "COM") || strings.HasPrefix(first, "LPT")) && first[3] >= '0' && first[3] <= '9'
}

func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], ". ")
}
