package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Sealer encrypts a stream for one key. *vault.Vault is one.
type Sealer interface {
	// SealStream returns a writer whose Close ends the sealed form in w.
	SealStream(ctx context.Context, w io.Writer, key string) (io.WriteCloser, error)
	// OpenStream undoes it for the same key.
	OpenStream(ctx context.Context, r io.Reader, key string) (io.Reader, error)
	// StreamIsCurrent reads the head and says whether the newest key was used.
	StreamIsCurrent(r io.Reader) (bool, error)
}

// Sealed is a Store that keeps nothing in the clear. Digest and size of Stored are those of the content; Info.Size is that of
// the sealed form.
type Sealed struct {
	inner  Store
	sealer Sealer
}

// Seal wraps a store.
func Seal(inner Store, sealer Sealer) *Sealed { return &Sealed{inner, sealer} }

// Put seals while it stores. A content of the wrong length is not kept.
func (s *Sealed) Put(ctx context.Context, key string, r io.Reader, size int64) (Stored, error) {
	if err := checkKey(key); err != nil {
		return Stored{}, err
	}
	m := newMeter(ctx, limit(r, size))
	var out Stored
	sealed := s.pipe(ctx, key, m, func() (err error) {
		out, err = m.stored(key, size)
		return err
	})
	defer func() { _ = sealed.Close() }()
	if _, err := s.inner.Put(ctx, key, sealed, -1); err != nil {
		return Stored{}, err
	}
	return out, nil
}

// pipe turns the sealer's writer into a reader. Whatever goes wrong, check included, breaks the reader, so that the inner
// store keeps nothing.
func (s *Sealed) pipe(ctx context.Context, key string, r io.Reader, check func() error) *io.PipeReader {
	pr, pw := io.Pipe()
	go func() {
		pw.CloseWithError(func() error {
			w, err := s.sealer.SealStream(ctx, pw, key)
			if err != nil {
				return err
			}
			if _, err := io.Copy(w, r); err != nil {
				return err
			}
			if err := check(); err != nil {
				return err
			}
			return w.Close()
		}())
	}()
	return pr
}

// Open opens the seal. What is read was verified piece by piece; that it is whole is known at io.EOF.
func (s *Sealed) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	rc, err := s.inner.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	plain, err := s.sealer.OpenStream(ctx, rc, key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("files: %s: %w", key, err), rc.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, rc}, nil
}

// Stat is the inner store's.
func (s *Sealed) Stat(ctx context.Context, key string) (Info, error) { return s.inner.Stat(ctx, key) }

// Delete is the inner store's.
func (s *Sealed) Delete(ctx context.Context, key string) error { return s.inner.Delete(ctx, key) }

// All is the inner store's.
func (s *Sealed) All(ctx context.Context) iter.Seq2[Info, error] { return s.inner.All(ctx) }

// Reseal puts a file under the newest key, if it is not. Readers see the old form or the new. Do it for All before a key is
// retired.
func (s *Sealed) Reseal(ctx context.Context, key string) (changed bool, err error) {
	in, ok := s.inner.(replacer)
	if !ok {
		return false, errors.New("files: this store cannot replace files")
	}
	head, err := s.inner.Open(ctx, key)
	if err != nil {
		return false, err
	}
	current, err := s.sealer.StreamIsCurrent(head)
	if err = errors.Join(err, head.Close()); err != nil || current {
		return false, err
	}
	old, err := s.Open(ctx, key)
	if err != nil {
		return false, err
	}
	defer func() { _ = old.Close() }()
	sealed := s.pipe(ctx, key, old, func() error { return nil })
	defer func() { _ = sealed.Close() }()
	if err := in.replace(ctx, key, sealed); err != nil {
		return false, err
	}
	return true, nil
}
