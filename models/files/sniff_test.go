package files_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models/files"
)

func pngOf(w, h int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)))
	return b.Bytes()
}

func jpegOf(w, h int) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil)
	return b.Bytes()
}

func zipOf(name string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, _ := z.Create(name)
	_, _ = w.Write([]byte("x"))
	_ = z.Close()
	return b.Bytes()
}

func pdfOf(objects ...string) []byte {
	return []byte("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" + strings.Join(objects, "\n") + "\ntrailer << /Root 1 0 R >>\n%%EOF\n")
}

func deflate(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

func objectStream(content string) string {
	return "9 0 obj << /Type /ObjStm /Filter /FlateDecode /N 1 >> stream\r\n" + deflate(content) + "\nendstream endobj"
}

// The smallest lossy WebP, one pixel.
var webp, _ = base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")

func TestWhatAnUploadIsAndWhetherItIsTaken(t *testing.T) {
	type row struct {
		name string
		body []byte
		want string // type and findings, or the refusal's code
	}
	bomb := append([]byte{}, pngOf(1, 1)...)
	copy(bomb[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // claims 65,536 × 65,536
	for what, tc := range map[string]row{
		"PDF":                       {"a.pdf", pdfOf(), "application/pdf"},
		"PDF in capitals":           {"A.PDF", pdfOf(), "application/pdf"},
		"PNG":                       {"a.png", pngOf(2, 2), "image/png"},
		"JPEG":                      {"a.jpeg", jpegOf(2, 2), "image/jpeg"},
		"JPEG, short name":          {"a.jpg", jpegOf(2, 2), "image/jpeg"},
		"WebP":                      {"a.webp", webp, "image/webp"},
		"nothing":                   {"a.pdf", nil, "file_empty"},
		"too much":                  {"a.pdf", pdfOf(strings.Repeat("%", 2<<20)), "file_too_large"},
		"text":                      {"a.pdf", []byte("hello"), "file_type_not_allowed"},
		"zero bytes":                {"a.pdf", make([]byte, 100), "file_type_not_allowed"},
		"ZIP":                       {"a.zip", zipOf("x"), "file_type_not_allowed"},
		"ZIP named PDF":             {"a.pdf", zipOf("x"), "file_type_not_allowed"},
		"Word":                      {"a.docx", zipOf("word/document.xml"), "file_type_not_allowed"},
		"program named PDF":         {"a.pdf", append([]byte("MZ\x90\x00"), make([]byte, 300)...), "file_type_not_allowed"},
		"ELF named PNG":             {"a.png", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 300)...), "file_type_not_allowed"},
		"HTML named PNG":            {"a.png", []byte("<!doctype html><script>alert(1)</script>"), "file_type_not_allowed"},
		"SVG":                       {"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), "file_type_not_allowed"},
		"GIF":                       {"a.gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "file_type_not_allowed"},
		"gzip":                      {"a.pdf", []byte("\x1f\x8b\x08\x00aaaaaaaaaaaaaaaa"), "file_type_not_allowed"},
		"PDF after junk":            {"a.pdf", append([]byte("\n\n"), pdfOf()...), "file_type_not_allowed"},
		"PDF that is also a ZIP":    {"a.pdf", append(pdfOf(), zipOf("x")...), "file_type_not_allowed"},
		"PNG that is also a ZIP":    {"a.png", append(pngOf(2, 2), zipOf("x")...), "file_type_not_allowed"},
		"PDF named PNG":             {"a.png", pdfOf(), "file_extension_mismatch"},
		"PNG named PDF":             {"a.pdf", pngOf(2, 2), "file_extension_mismatch"},
		"PDF named program":         {"a.pdf.exe", pdfOf(), "file_extension_mismatch"},
		"PDF without extension":     {"pdf", pdfOf(), "file_extension_mismatch"},
		"PDF, extension hidden":     {"a.pdf\x00.exe", pdfOf(), "file_extension_mismatch"},
		"PDF cut off":               {"a.pdf", pdfOf()[:40], "file_damaged"},
		"PDF, header only":          {"a.pdf", []byte("%PDF-1.7"), "file_damaged"},
		"PNG cut off":               {"a.png", pngOf(50, 50)[:60], "file_damaged"},
		"PNG, header only":          {"a.png", pngOf(2, 2)[:9], "file_damaged"},
		"JPEG cut off":              {"a.jpg", jpegOf(20, 20)[:200], "file_damaged"},
		"WebP cut off":              {"a.webp", webp[:32], "file_damaged"},
		"WebP with a false size":    {"a.webp", append(append([]byte{}, webp[:26]...), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), "file_damaged"},
		"picture bomb":              {"a.png", fixPNG(bomb), "image_too_large"},
		"PNG with a tail":           {"a.png", append(pngOf(2, 2), "more"...), "image/png trailing_data"},
		"PNG with a page":           {"a.png", append(pngOf(2, 2), "<ScRipt>"...), "image/png trailing_data image_markup"},
		"JPEG with padding":         {"a.jpg", append(jpegOf(2, 2), 0, 0, '\n'), "image/jpeg"},
		"PDF with script":           {"a.pdf", pdfOf("2 0 obj << /S /JavaScript /JS (app.alert) >> endobj"), "application/pdf pdf_script"},
		"PDF with escaped script":   {"a.pdf", pdfOf("2 0 obj << /S /J#61vaScr#69pt >> endobj"), "application/pdf pdf_script"},
		"PDF that launches":         {"a.pdf", pdfOf("2 0 obj << /OpenAction << /S /Launch /F (cmd.exe) >> >>"), "application/pdf pdf_launch pdf_automatic"},
		"PDF with a file inside":    {"a.pdf", pdfOf("2 0 obj << /Names << /EmbeddedFiles 3 0 R >> >>"), "application/pdf pdf_embedded"},
		"PDF that sends":            {"a.pdf", pdfOf("2 0 obj << /S /SubmitForm >>"), "application/pdf pdf_remote"},
		"PDF encrypted":             {"a.pdf", pdfOf("trailer << /Encrypt 4 0 R >>"), "application/pdf pdf_encrypted"},
		"script in a packed object": {"a.pdf", pdfOf(objectStream("1 0 << /S /JavaScript >>")), "application/pdf pdf_script"},
		"hidden by another filter": {"a.pdf", pdfOf("9 0 obj << /Type /ObjStm /Filter [/ASCII85Decode /FlateDecode] >> stream\nabc\nendstream"),
			"application/pdf pdf_unreadable"},
		"packed rubbish":      {"a.pdf", pdfOf("9 0 obj << /Type /ObjStm /Filter /FlateDecode >> stream\nabc\nendstream"), "application/pdf pdf_unreadable"},
		"packed bomb":         {"a.pdf", pdfOf(objectStream(strings.Repeat(" ", 9<<20))), "application/pdf pdf_unreadable"},
		"stream without end":  {"a.pdf", pdfOf("9 0 obj << /Type /ObjStm >> stream\n/JavaScript"), "application/pdf pdf_script"},
		"the word as text":    {"a.pdf", pdfOf("2 0 obj (JavaScript Launch) endobj"), "application/pdf"},
		"a longer name":       {"a.pdf", pdfOf("2 0 obj << /JavaScripts /Launcher >> endobj"), "application/pdf"},
		"script in page text": {"a.pdf", pdfOf("9 0 obj << /Filter /FlateDecode >> stream\n" + deflate("(/JavaScript) Tj") + "\nendstream"), "application/pdf"},
	} {
		found, err := files.Sniff(tc.name, bytes.NewReader(tc.body), int64(len(tc.body)), files.Limits{MaxBytes: 1 << 20})
		got := found.Type
		for _, f := range found.Findings {
			got += " " + f.Code
			if !strings.HasSuffix(f.Sentence, ".") {
				t.Errorf("%s: %q is no sentence", what, f.Sentence)
			}
		}
		var refused *files.Refusal
		if errors.As(err, &refused) {
			got = refused.Code
			if !strings.HasSuffix(refused.Sentence, ".") {
				t.Errorf("%s: %q is no sentence", what, refused.Sentence)
			}
		} else if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", what, got, tc.want)
		}
	}
}

// fixPNG makes the checksum of a changed header right again.
func fixPNG(b []byte) []byte {
	return append(append([]byte{}, b[:8]...), append(chunk("IHDR", b[16:29]), b[33:]...)...)
}

func chunk(kind string, data []byte) []byte {
	crc := uint32(0xffffffff)
	body := append([]byte(kind), data...)
	for _, c := range body {
		crc ^= uint32(c)
		for range 8 {
			crc = crc>>1 ^ 0xedb88320*(crc&1)
		}
	}
	n, crc := len(data), ^crc
	return append(append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body...), byte(crc>>24), byte(crc>>16), byte(crc>>8), byte(crc))
}

func TestOnlyTheTypesThatAFieldAsksFor(t *testing.T) {
	_, err := files.Sniff("a.pdf", bytes.NewReader(pdfOf()), int64(len(pdfOf())), files.Limits{Types: []string{files.PNG, files.JPEG}})
	var refused *files.Refusal
	if !errors.As(err, &refused) || refused.Sentence != "This is a file of type application/pdf. Only PNG and JPEG can be taken." {
		t.Error(err)
	}
}

func TestAnUploadThatIsShorterThanItSaysIsNotRead(t *testing.T) {
	_, err := files.Sniff("a.pdf", bytes.NewReader([]byte("%PDF")), 100, files.Limits{})
	var refused *files.Refusal
	if err == nil || errors.As(err, &refused) {
		t.Error(err)
	}
}

func TestAPDFOfAMillionNamesCostsLittle(t *testing.T) {
	var b strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "/n%d ", i)
	}
	body := pdfOf(b.String())
	got := testing.AllocsPerRun(1, func() {
		if _, err := files.Sniff("a.pdf", bytes.NewReader(body), int64(len(body)), files.Limits{}); err != nil {
			t.Error(err)
		}
	})
	if got > 1000 {
		t.Errorf("%v allocations", got)
	}
}

func TestNamesAreCleaned(t *testing.T) {
	got, want := map[string]string{}, map[string]string{
		"invoice.pdf":                        "invoice.pdf",
		"../../etc/passwd":                   "passwd",
		`C:\Users\a\tax return.pdf`:          "tax return.pdf",
		"a/b/":                               "document",
		"":                                   "document",
		"...":                                "document",
		".pdf":                               "document.pdf",
		".htaccess":                          "document.htaccess",
		"a\x00b\r\n.pdf":                     "ab.pdf",
		"gnp\u202efdp.exe":                   "gnpfdp.exe",
		"zero\u200bwidth\ufeff.pdf":          "zerowidth.pdf",
		"<script>\"':|?*.pdf":                "_script__'____.pdf",
		"NUL.pdf":                            "_NUL.pdf",
		"com1":                               "_com1",
		"lpt9.a.pdf":                         "_lpt9.a.pdf",
		"   spaces   in   .pdf  ":            "spaces in.pdf",
		"größe – Übersicht.PDF":              "größe – Übersicht.PDF",
		"a.pdf.":                             "a.pdf",
		"a .. .pdf":                          "a.pdf",
		"\xff\xfe.pdf":                       "_.pdf",
		"发票.pdf":                             "发票.pdf",
		strings.Repeat("é", 300) + ".pdf":    strings.Repeat("é", 58) + ".pdf",
		"a." + strings.Repeat("x", 300):      "a." + strings.Repeat("x", 118),
		"attachment; filename=\"x\".pdf":     "attachment_ filename=_x_.pdf",
		"tab\tand\u00a0hard\u2028space.webp": "tab and hard space.webp",
	}
	for in := range want {
		got[in] = files.CleanName(in)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("../a\x00.pdf")
	f.Add("a.\u202e")
	f.Add(strings.Repeat("0", 109) + " .0000000000000")
	f.Fuzz(func(t *testing.T, name string) {
		got := files.CleanName(name)
		if got == "" || len(got) > 120 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\r\n\"<>:|?*") || strings.HasPrefix(got, ".") ||
			strings.TrimSpace(got) != got || files.CleanName(got) != got {
			t.Errorf("%q became %q, then %q", name, got, files.CleanName(got))
		}
	})
}

func FuzzSniff(f *testing.F) {
	for _, b := range [][]byte{pdfOf(objectStream("/JS")), pngOf(2, 2), jpegOf(2, 2), webp, zipOf("x")} {
		f.Add("a.pdf", b)
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		found, err := files.Sniff(name, bytes.NewReader(body), int64(len(body)), files.Limits{MaxBytes: 1 << 16})
		var refused *files.Refusal
		if (err == nil) == (found.Type == "") || err != nil && !errors.As(err, &refused) {
			t.Errorf("%+v %v", found, err)
		}
	})
}
