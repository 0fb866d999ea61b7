// Package static holds what a browser fetches once: style, script, icons, font.
//
// Everything is embedded and served under the hash of its content, so that the
// answer may be kept forever: URL("app.css") is "/static/<hash>/app.css". The
// hash covers the whole folder, hence relative addresses inside app.css work.
//
// Anyone may import this package; it imports nothing of ours and knows no web
// framework. The web layer calls Open and writes the bytes.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Prefix is where the web layer mounts the assets.
const Prefix = "/static/"

// ImmutableCache is the Cache-Control of a file asked for under its current hash.
const ImmutableCache = "public, max-age=31536000, immutable"

//go:embed app.css app.js passkeys.js upload.js icons.svg favicon.svg fonts/inter.woff2 vendor/htmx.min.js
var content embed.FS

// index is the folder, read once when first asked for; it only mirrors the
// embedded bytes, so it is the embed's own state and not a setting.
var index = sync.OnceValue(readFolder)

// File is one asset. Body is never nil; the compressed forms are made on first
// use, because brotli at this level would cost start-up time.
type File struct {
	Name        string // "app.css", "fonts/inter-latin.woff2"
	ContentType string
	ETag        string // strong, quoted
	Body        []byte

	compress sync.Once
	gzipped  []byte
	brotlied []byte
}

type folder struct {
	hash  string
	files map[string]*File
}

// URL gives the address of an asset under the current hash. An unknown name is
// a mistake of ours: the address is still well formed and answers 404.
func URL(name string) string { return Prefix + index().hash + "/" + name }

// Hash is the current hash, for tests and the doctor command.
func Hash() string { return index().hash }

// Open finds the asset for a request path ("/static/<hash>/app.css"). immutable
// says whether the path carries the current hash: then answer with
// ImmutableCache, otherwise (a page from before an update) with "no-cache".
func Open(requestPath string) (file *File, immutable, ok bool) {
	rest, found := strings.CutPrefix(requestPath, Prefix)
	if !found {
		return nil, false, false
	}
	hash, name, found := strings.Cut(rest, "/")
	if !found {
		return nil, false, false
	}
	f, ok := index().files[name]
	if !ok {
		return nil, false, false
	}
	return f, hash == index().hash, true
}

// Names lists the assets in order.
func Names() []string {
	names := make([]string, 0, len(index().files))
	for name := range index().files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Encoded chooses the smallest form the browser accepts. encoding is "br",
// "gzip" or "" and goes into Content-Encoding; the answer needs
// "Vary: Accept-Encoding". Fonts are compressed already and stay as they are.
func (f *File) Encoded(acceptEncoding string) (body []byte, encoding string) {
	if strings.HasSuffix(f.Name, ".woff2") {
		return f.Body, ""
	}
	wantsBrotli, wantsGzip := accepts(acceptEncoding, "br"), accepts(acceptEncoding, "gzip")
	if !wantsBrotli && !wantsGzip {
		return f.Body, ""
	}
	f.compress.Do(f.makeCompressed)
	if wantsBrotli {
		return f.brotlied, "br"
	}
	return f.gzipped, "gzip"
}

func (f *File) makeCompressed() {
	var z bytes.Buffer
	// Writes to a bytes.Buffer cannot fail and the levels are constants.
	gz, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
	_, _ = gz.Write(f.Body)
	_ = gz.Close()
	f.gzipped = bytes.Clone(z.Bytes())

	z.Reset()
	br := brotli.NewWriterLevel(&z, 9)
	_, _ = br.Write(f.Body)
	_ = br.Close()
	f.brotlied = bytes.Clone(z.Bytes())
}

// accepts reads an Accept-Encoding header. "br;q=0" means no.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q := strings.ReplaceAll(strings.ToLower(params), " ", "")
		refused := q == "q=0" || (strings.HasPrefix(q, "q=0.") && strings.Trim(q[4:], "0") == "")
		return !refused
	}
	return false
}

func readFolder() folder {
	out := folder{files: map[string]*File{}}
	all := sha256.New()
	// WalkDir goes in lexical order, so the hash depends on content alone. The
	// embedded tree cannot fail to be read; if it did, no page could be drawn.
	err := fs.WalkDir(content, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := content.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		all.Write([]byte(name))
		all.Write(sum[:])
		out.files[name] = &File{
			Name:        name,
			ContentType: contentType(name),
			ETag:        `"` + hex.EncodeToString(sum[:8]) + `"`,
			Body:        body,
		}
		return nil
	})
	if err != nil {
		panic("static: the embedded folder cannot be read: " + err.Error())
	}
	out.hash = hex.EncodeToString(all.Sum(nil))[:12]
	return out
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}
