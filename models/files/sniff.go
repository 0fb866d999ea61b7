package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// The types that may be kept.
const (
	PDF  = "application/pdf"
	PNG  = "image/png"
	JPEG = "image/jpeg"
	WEBP = "image/webp"
)

// extensions of each type; the first is the usual one.
func extensions(mime string) []string {
	switch mime {
	case PDF:
		return []string{".pdf"}
	case PNG:
		return []string{".png"}
	case JPEG:
		return []string{".jpg", ".jpeg"}
	case WEBP:
		return []string{".webp"}
	}
	return nil
}

// Limits of an upload. Zero fields take the defaults.
type Limits struct {
	// MaxBytes of the file. Default 20 MiB.
	MaxBytes int64
	// Types that are allowed. Default all four.
	Types []string
	// MaxSide and MaxPixels of an image, as its header claims them. Default 12,000 and 60 million: beyond, opening it costs
	// whoever looks at it gigabytes.
	MaxSide, MaxPixels int
}

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = 20 << 20
	}
	if len(l.Types) == 0 {
		l.Types = []string{PDF, PNG, JPEG, WEBP}
	}
	if l.MaxSide <= 0 {
		l.MaxSide = 12_000
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = 60_000_000
	}
	return l
}

// Refusal codes.
const (
	CodeEmpty     = "file_empty"
	CodeTooLarge  = "file_too_large"
	CodeType      = "file_type_not_allowed"
	CodeExtension = "file_extension_mismatch"
	CodeDamaged   = "file_damaged"
	CodePixels    = "image_too_large"
)

// Refusal says why a file is not taken, in a sentence for the person who chose it.
type Refusal struct{ Code, Sentence string }

func (r *Refusal) Error() string { return r.Sentence }

// Finding is something that does not refuse a file but that a person should know before opening it.
type Finding struct{ Code, Sentence string }

// Finding codes.
const (
	FindScript     = "pdf_script"     // JavaScript
	FindLaunch     = "pdf_launch"     // starts programs
	FindEmbedded   = "pdf_embedded"   // carries other files
	FindAutomatic  = "pdf_automatic"  // acts when opened
	FindRemote     = "pdf_remote"     // sends or fetches
	FindEncrypted  = "pdf_encrypted"  // could not be looked into
	FindUnreadable = "pdf_unreadable" // parts could not be looked into
	FindTrailing   = "trailing_data"  // something follows the picture
	FindMarkup     = "image_markup"   // contains HTML
)

// Found is what a file is.
type Found struct {
	Type      string // one of the four
	Extension string // the usual one
	Size      int64
	Findings  []Finding
}

// Sniff decides by content what an upload is and whether it may be kept. name is the name given by the browser. An error is a
// *Refusal, or what went wrong with reading.
func Sniff(name string, content io.ReaderAt, size int64, limits Limits) (Found, error) {
	limits = limits.withDefaults()
	switch {
	case size <= 0:
		return Found{}, &Refusal{CodeEmpty, "The file is empty."}
	case size > limits.MaxBytes:
		return Found{}, &Refusal{CodeTooLarge, fmt.Sprintf("The file has %s; at most %s are taken.", megabytes(size), megabytes(limits.MaxBytes))}
	}
	body := make([]byte, size)
	if n, err := content.ReadAt(body, 0); int64(n) < size {
		return Found{}, fmt.Errorf("files: read upload: %w", errors.Join(io.ErrUnexpectedEOF, err))
	}
	mime := detect(body)
	if !slices.Contains(limits.Types, mime) {
		return Found{}, &Refusal{CodeType, fmt.Sprintf("This is %s. Only %s can be taken.", describe(body), names(limits.Types))}
	}
	if ext := strings.ToLower(path.Ext(strings.TrimSpace(name))); !slices.Contains(extensions(mime), ext) {
		return Found{}, &Refusal{CodeExtension, fmt.Sprintf("The name ends in %q, but the content is %s. Rename the file, or choose another.", clip(ext), names([]string{mime}))}
	}
	found := Found{Type: mime, Extension: extensions(mime)[0], Size: size}
	var err error
	if mime == PDF {
		found.Findings, err = inspectPDF(body)
	} else {
		found.Findings, err = inspectImage(mime, body, limits)
	}
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

// detect answers one of the four types or "". The library's word counts only if the signature is at the very start, and a file
// that is a ZIP archive as well is neither.
func detect(body []byte) string {
	mime := ""
	switch m := mimetype.Detect(body[:min(len(body), 3072)]); {
	case m.Is(PDF) && bytes.HasPrefix(body, []byte("%PDF-")):
		mime = PDF
	case m.Is(PNG) && bytes.HasPrefix(body, []byte("\x89PNG\r\n\x1a\n")):
		mime = PNG
	case m.Is(JPEG) && bytes.HasPrefix(body, []byte("\xff\xd8\xff")):
		mime = JPEG
	case m.Is(WEBP) && bytes.HasPrefix(body, []byte("RIFF")):
		mime = WEBP
	}
	if isAlsoZIP(body) {
		return ""
	}
	return mime
}

// isAlsoZIP finds the end record of an archive where readers of archives look for it: in the last 64 KiB, with a comment that
// reaches exactly to the end, or with the record's directory where it says.
func isAlsoZIP(body []byte) bool {
	tail := body[max(0, len(body)-(22+65535)):]
	for i := bytes.LastIndex(tail, []byte("PK\x05\x06")); i >= 0; i = bytes.LastIndex(tail[:i], []byte("PK\x05\x06")) {
		rec := tail[i:]
		if len(rec) < 22 {
			continue
		}
		if 22+int(rec[20])+int(rec[21])<<8 <= len(rec) && bytes.Contains(body, []byte("PK\x01\x02")) {
			return true
		}
	}
	return false
}

// describe names what was sent instead.
func describe(body []byte) string {
	m := mimetype.Detect(body[:min(len(body), 3072)])
	switch {
	case isAlsoZIP(body) || m.Is("application/zip"):
		return "an archive (ZIP)"
	case m.Is("text/html"), m.Is("image/svg+xml"), m.Is("text/xml"):
		return "a web page or drawing with code (" + m.String() + ")"
	case m.Is("application/octet-stream"):
		return "a file of unknown type"
	}
	return "a file of type " + clip(m.String())
}

func names(types []string) string {
	var out []string
	for _, t := range types {
		out = append(out, map[string]string{PDF: "PDF", PNG: "PNG", JPEG: "JPEG", WEBP: "WEBP"}[t])
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
