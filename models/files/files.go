// Package files keeps the documents that people upload: proofs, KYB papers, invoices. On disk or in S3, sealed at rest if the
// caller wraps the store, looked into before they are kept.
//
// Imported by web (to open a store), handlers (to take an upload and give a file back) and handlers/tasks. It imports nothing
// of ours; models/vault satisfies Sealer.
//
// What is promised: a key holds the whole file or nothing, also after a power cut; a key is never overwritten; no key leads
// out of the store.
package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"
	"time"
)

// Errors of a store; compare with errors.Is.
var (
	ErrNotFound = errors.New("there is no such file")
	ErrExists   = errors.New("a file with this key exists already")
	ErrKey      = errors.New("this is not a usable file key")
	// ErrSize: the content is not as long as announced. Nothing was kept.
	ErrSize = errors.New("the file is not as long as announced")
	// ErrDigest: the content read is not the content that was kept.
	ErrDigest = errors.New("the file is not the one that was kept")
)

// Stored is what Put kept.
type Stored struct {
	Key    string
	SHA256 string // hex, of the content as given (before sealing)
	Size   int64  // of the content as given
}

// Info is what a store knows without reading. Size is what it occupies; sealing makes it longer than the content.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Store keeps files by key. Keys are lower-case letters, digits, ".", "-", "_" and "/" between parts; no part begins with a dot.
type Store interface {
	// Put keeps r under key. size is how long the content must be; -1 takes any length. ErrExists when the key is taken.
	Put(ctx context.Context, key string, r io.Reader, size int64) (Stored, error)
	// Open reads a file; the caller closes it. ErrNotFound.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Stat says how much there is. ErrNotFound.
	Stat(ctx context.Context, key string) (Info, error)
	// Delete removes a file for good. ErrNotFound.
	Delete(ctx context.Context, key string) error
	// All lists every file, in no particular order.
	All(ctx context.Context) iter.Seq2[Info, error]
}

// replacer is what Sealed needs to seal a file anew in place.
type replacer interface {
	replace(ctx context.Context, key string, r io.Reader) error
}

// checkKey is the only gate for keys, whatever the store.
func checkKey(key string) error {
	if len(key) == 0 || len(key) > 200 {
		return ErrKey
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' || len(part) > 100 {
			return ErrKey
		}
		for i := range len(part) {
			c := part[i]
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
				return ErrKey
			}
		}
	}
	return nil
}

// meter counts and digests what passes, and stops when the context ends.
type meter struct {
	ctx  context.Context
	r    io.Reader
	sum  hash.Hash
	size int64
}

func newMeter(ctx context.Context, r io.Reader) *meter {
	return &meter{ctx: ctx, r: r, sum: sha256.New()}
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.sum.Write(p[:n])
	m.size += int64(n)
	return n, err
}

// stored closes the account against the announced size.
func (m *meter) stored(key string, size int64) (Stored, error) {
	if size >= 0 && m.size != size {
		return Stored{}, fmt.Errorf("files: %d bytes came where %d were announced: %w", m.size, size, ErrSize)
	}
	return Stored{Key: key, SHA256: hex.EncodeToString(m.sum.Sum(nil)), Size: m.size}, nil
}

// limit makes a reader that stops one byte past the announced size, so that a liar costs nothing.
func limit(r io.Reader, size int64) io.Reader {
	if size < 0 {
		return r
	}
	return io.LimitReader(r, size+1)
}

// Verified reads a file and fails with ErrDigest at its end if the digest is not the one that was kept. Do not act on the
// content before io.EOF.
func Verified(rc io.ReadCloser, sha256hex string) io.ReadCloser {
	return &verified{ReadCloser: rc, sum: sha256.New(), want: sha256hex}
}

type verified struct {
	io.ReadCloser
	sum  hash.Hash
	want string
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(v.sum.Sum(nil)) != v.want {
		return n, fmt.Errorf("files: %w", ErrDigest)
	}
	return n, err
}
