// Package filestest plays S3 for tests: as much of it as models/files uses, and that strictly. It is a stand-in and no S3 server; it is imported by
// tests only and imports nothing of ours.
package filestest

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bucket is one bucket in memory. A request must be signed in the fourth way, by AccessKey, about the day, the host and the body; the signature itself is
// not computed anew.
type Bucket struct {
	Name      string
	AccessKey string

	mu      sync.Mutex
	objects map[string][]byte
}

// Objects gives what lies there.
func (b *Bucket) Objects() map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.objects)
}

// Lay puts an object there, as another program would.
func (b *Bucket) Lay(key string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.objects == nil {
		b.objects = map[string][]byte{}
	}
	b.objects[key] = body
}

var signed = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/[a-z0-9-]+/s3/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`)

// ServeHTTP implements http.Handler.
func (b *Bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
		}
	}
	m := signed.FindStringSubmatch(r.Header.Get("Authorization"))
	switch {
	case m == nil || !strings.Contains(";"+m[2]+";", ";host;") || !strings.Contains(m[2], "x-amz-content-sha256") || !strings.Contains(m[2], "x-amz-date"):
		fail(http.StatusForbidden, "AccessDenied")
		return
	case m[1] != b.AccessKey:
		fail(http.StatusForbidden, "InvalidAccessKeyId")
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != b.Name {
		fail(http.StatusNotFound, "NoSuchBucket")
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[key]
	switch {
	case key == "" && r.Method == http.MethodHead:
	case key == "" && r.Method == http.MethodGet:
		b.list(w, r.URL.Query().Get("prefix"))
	case key == "":
		fail(http.StatusMethodNotAllowed, "MethodNotAllowed")
	case r.Method == http.MethodPut:
		got, err := content(r)
		switch {
		case err != nil:
			fail(http.StatusBadRequest, "IncompleteBody")
		case there && r.Header.Get("If-None-Match") == "*":
			fail(http.StatusPreconditionFailed, "PreconditionFailed")
		default:
			if b.objects == nil {
				b.objects = map[string][]byte{}
			}
			b.objects[key] = got
			w.Header().Set("ETag", `"x"`)
		}
	case !there:
		fail(http.StatusNotFound, "NoSuchKey")
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("ETag", `"x"`)
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(body))
	}
}

// content reads a body, also one that is signed piece by piece, and holds its length against what was announced.
func content(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		got, err := io.ReadAll(r.Body)
		if err == nil && int64(len(got)) != r.ContentLength {
			err = io.ErrUnexpectedEOF
		}
		return got, err
	}
	want, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil {
		return nil, err
	}
	var out []byte
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 32)
		if err != nil || n < 0 {
			return nil, errors.New("this is no piece")
		}
		if n == 0 {
			break // what follows are checksums
		}
		piece := make([]byte, n+2)
		if _, err := io.ReadFull(in, piece); err != nil {
			return nil, err
		}
		out = append(out, piece[:n]...)
	}
	if int64(len(out)) != want {
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil
}

func (b *Bucket) list(w io.Writer, prefix string) {
	type content struct {
		Key, LastModified string
		Size              int
	}
	var out struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		IsTruncated bool
		Contents    []content
	}
	for k, v := range b.objects {
		if strings.HasPrefix(k, prefix) {
			out.Contents = append(out.Contents, content{k, "2001-09-09T01:46:40.000Z", len(v)})
		}
	}
	_ = xml.NewEncoder(w).Encode(out)
}
