package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

// segment is the piece in which a stream is sealed: what is read was verified, and memory stays at a few pieces.
const segment = 64 << 10

// SealStream writes the sealed form of what is written to the returned writer, for the place that key names (a file's key).
// Close ends it; without Close the result does not open. Closing does not close w.
//
// With OpenStream it satisfies the Sealer of models/files.
func (v *Vault) SealStream(ctx context.Context, w io.Writer, key string) (io.WriteCloser, error) {
	aad := AAD{Table: "files", Row: key, Field: "content"}.bytes()
	data, head, err := v.newDataKey(ctx, streamMark, aad)
	if err != nil {
		return nil, err
	}
	cipher, err := streamCipher(data)
	if err != nil {
		return nil, fmt.Errorf("vault: seal: %w", err)
	}
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("vault: seal: %w", err)
	}
	out, err := cipher.NewEncryptingWriter(w, aad)
	if err != nil {
		return nil, fmt.Errorf("vault: seal: %w", err)
	}
	return out, nil
}

// OpenStream reads what SealStream wrote for the same key. A damaged, cut or misplaced stream ends in ErrWillNotOpen, at
// the latest where the damage is; a reader must not act on a stream before its io.EOF.
func (v *Vault) OpenStream(ctx context.Context, r io.Reader, key string) (io.Reader, error) {
	aad := AAD{Table: "files", Row: key, Field: "content"}.bytes()
	head := make([]byte, 6)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("vault: open: %w", truncated(err))
	}
	n := int(head[4])<<8 | int(head[5])
	if n > maxWrapped {
		return nil, fmt.Errorf("vault: %w", ErrWillNotOpen)
	}
	head = append(head, make([]byte, n)...)
	if _, err := io.ReadFull(r, head[6:]); err != nil {
		return nil, fmt.Errorf("vault: open: %w", truncated(err))
	}
	wrapped, _, err := splitHeader(head, streamMark)
	if err != nil {
		return nil, err
	}
	data, err := v.kek.Unwrap(ctx, wrapped, aad)
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", err)
	}
	cipher, err := streamCipher(data)
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", ErrWillNotOpen)
	}
	in := &watchedReader{r: r}
	plain, err := cipher.NewDecryptingReader(in, aad)
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", in.blame(err))
	}
	return &openedStream{in: in, plain: plain}, nil
}

// StreamIsCurrent reads the head of a sealed stream and reports whether it is under the current key; when not, the file is
// to be sealed anew (models/files, Reseal) before the old key is retired.
func (v *Vault) StreamIsCurrent(r io.Reader) (bool, error) {
	head := make([]byte, 6+5)
	if _, err := io.ReadFull(r, head); err != nil {
		return false, fmt.Errorf("vault: %w", truncated(err))
	}
	if [4]byte(head[:4]) != streamMark {
		return false, fmt.Errorf("vault: %w", ErrWillNotOpen)
	}
	rest := make([]byte, max(0, int(head[4])<<8|int(head[5])-5))
	if _, err := io.ReadFull(r, rest); err != nil {
		return false, fmt.Errorf("vault: %w", truncated(err))
	}
	return v.kek.Current(append(head[6:], rest...)), nil
}

func streamCipher(key []byte) (*subtle.AESGCMHKDF, error) {
	return subtle.NewAESGCMHKDF(key, "SHA256", 32, segment, 0)
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrWillNotOpen
	}
	return err
}

// watchedReader remembers a failure of the source, so that a disk error is not called a forgery.
type watchedReader struct {
	r   io.Reader
	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (w *watchedReader) blame(error) error {
	if w.err != nil {
		return w.err
	}
	return ErrWillNotOpen
}

type openedStream struct {
	in    *watchedReader
	plain io.Reader
}

func (o *openedStream) Read(p []byte) (int, error) {
	n, err := o.plain.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // Tink returns a bare io.EOF at the proven end only
		return n, fmt.Errorf("vault: open: %w", o.in.blame(err))
	}
	return n, err
}
