package files

import (
	"bytes"
	"compress/zlib"
	"io"
	"strings"
)

// Bounds of looking into compressed parts: a bomb is reported, not unpacked.
const (
	maxUnpackedPart = 8 << 20
	maxUnpackedAll  = 32 << 20
)

// danger is a name in a PDF that makes it more than paper (ISO 32000-2, 12.6 and 7.11).
type danger struct {
	name    string
	finding Finding
}

func dangers() []danger {
	script := Finding{FindScript, "The document contains JavaScript."}
	launch := Finding{FindLaunch, "The document can start programs."}
	embedded := Finding{FindEmbedded, "The document carries other files inside."}
	automatic := Finding{FindAutomatic, "The document does something by itself when it is opened."}
	remote := Finding{FindRemote, "The document can send data to, or open, another place."}
	return []danger{
		{"JavaScript", script}, {"JS", script}, {"Launch", launch},
		{"EmbeddedFile", embedded}, {"EmbeddedFiles", embedded}, {"RichMedia", embedded}, {"Collection", embedded},
		{"OpenAction", automatic}, {"AA", automatic},
		{"SubmitForm", remote}, {"ImportData", remote}, {"GoToR", remote}, {"GoToE", remote}, {"XFA", automatic},
		{"Encrypt", Finding{FindEncrypted, "The document is encrypted and could not be looked into."}},
	}
}

// inspectPDF looks for names, in the open and in compressed object streams. It is a tripwire for people, not a proof of
// innocence: that is the scanner's work and the reader's.
func inspectPDF(body []byte) ([]Finding, error) {
	if !bytes.Contains(body[max(0, len(body)-2048):], []byte("%%EOF")) {
		return nil, &Refusal{CodeDamaged, "The document is cut off: its end is missing."}
	}
	seen := watch(nil)
	for _, d := range dangers() {
		seen[d.name] = false
	}
	collectNames(body, seen)
	whole, budget := true, int64(maxUnpackedAll)
	for dict, data := range streams(body) {
		names := watch(streamNames())
		collectNames(dict, names)
		if !names["ObjStm"] {
			continue // pictures, fonts, page text: no objects in there
		}
		part, ok := unpack(names, data, min(budget, maxUnpackedPart))
		budget -= int64(len(part))
		whole = whole && ok
		collectNames(part, seen)
	}
	var out []Finding
	told := map[string]bool{}
	for _, d := range dangers() {
		if seen[d.name] && !told[d.finding.Code] {
			told[d.finding.Code] = true
			out = append(out, d.finding)
		}
	}
	if !whole {
		out = append(out, Finding{FindUnreadable, "Parts of the document could not be looked into."})
	}
	return out, nil
}

// streams yields each dictionary with the data of its stream. Sloppy on purpose: readers of PDF are, too.
func streams(body []byte) func(yield func(dict, data []byte) bool) {
	return func(yield func(dict, data []byte) bool) {
		for at := 0; ; {
			i := bytes.Index(body[at:], []byte("stream"))
			if i < 0 {
				return
			}
			start := at + i + len("stream")
			dict := body[at : at+i]
			if j := bytes.LastIndex(dict, []byte("obj")); j >= 0 {
				dict = dict[j:]
			}
			data := bytes.TrimLeft(body[start:min(len(body), start+2)], "\r\n")
			start += min(2, len(body)-start) - len(data)
			end := bytes.Index(body[start:], []byte("endstream"))
			if end < 0 {
				end = len(body) - start
			}
			if !yield(dict, body[start:start+end]) {
				return
			}
			at = min(len(body), start+end+len("endstream"))
		}
	}
}

// streamNames are the names of a stream's dictionary that matter here.
func streamNames() []string {
	return append([]string{"ObjStm", "Filter", "FlateDecode", "Fl"}, otherFilters()...)
}

// otherFilters are never seen on honest object streams, except the predictor, which is not worth its code.
func otherFilters() []string {
	return []string{"ASCIIHexDecode", "AHx", "ASCII85Decode", "A85", "LZWDecode", "LZW", "RunLengthDecode", "RL", "Crypt", "Predictor"}
}

// unpack undoes the one filter that object streams have in practice. ok is false when anything stays hidden.
func unpack(names map[string]bool, data []byte, limit int64) (part []byte, ok bool) {
	if limit <= 0 || names["Filter"] && !names["FlateDecode"] && !names["Fl"] {
		return nil, false
	}
	for _, f := range otherFilters() {
		if names[f] {
			return nil, false
		}
	}
	if !names["Filter"] {
		return data, true
	}
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, false
	}
	// A damaged end is usual and harmless; what came before it is looked at.
	part, err = io.ReadAll(io.LimitReader(z, limit+1))
	if int64(len(part)) > limit {
		return part[:limit], false
	}
	return part, err == nil || len(part) > 0
}

// watch makes a set of names to look for; all unseen.
func watch(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = false
	}
	return out
}

// collectNames marks the watched ones among every /Name, with #xx escapes undone. It keeps no others, however many there are.
func collectNames(b []byte, watched map[string]bool) {
	var buf [40]byte
	for {
		i := bytes.IndexByte(b, '/')
		if i < 0 {
			return
		}
		b = b[i+1:]
		name, j := buf[:0], 0
		for j < len(b) && len(name) < len(buf) && regular(b[j]) {
			if c, ok := hexByte(b[j:]); ok {
				name, j = append(name, c), j+3
				continue
			}
			name, j = append(name, b[j]), j+1
		}
		if _, wanted := watched[string(name)]; wanted {
			watched[string(name)] = true
		}
		b = b[j:]
	}
}

func regular(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte("()<>[]{}/%", c) < 0
}

func hexByte(b []byte) (byte, bool) {
	if len(b) < 3 || b[0] != '#' {
		return 0, false
	}
	hi, ok1 := nibble(b[1])
	lo, ok2 := nibble(b[2])
	return hi<<4 | lo, ok1 && ok2
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
