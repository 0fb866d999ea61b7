package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

// KeyInfo describes one sealing key without showing it.
type KeyInfo struct {
	ID      uint32
	Primary bool
	Enabled bool
}

// FromFile opens a key file. It is refused when group or others may read it.
func FromFile(path string) (*Keyset, error) {
	return open(func() ([]byte, error) { return readKeyFile(path) })
}

// CreateFile makes a key file with fresh keys, mode 0600. An existing file is never overwritten.
func CreateFile(path string) error {
	doc, err := NewDocument()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator names the file
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("vault: %s exists already and is left as it is: %w", path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("vault: create key file: %w", err)
	}
	if err := writeSynced(f, doc); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("vault: create key file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// Keys lists the sealing keys of a file, oldest first.
func Keys(path string) ([]KeyInfo, error) {
	set, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	return set.list(), nil
}

// Keys lists the sealing keys in use, oldest first.
func (k *Keyset) Keys() []KeyInfo { return k.current().list() }

func (k *keys) list() []KeyInfo {
	var out []KeyInfo
	for _, key := range k.sealing.KeysetInfo().GetKeyInfo() {
		out = append(out, KeyInfo{ID: key.GetKeyId(), Primary: key.GetKeyId() == k.primary,
			Enabled: key.GetStatus() == tinkpb.KeyStatusType_ENABLED})
	}
	return out
}

// AddKey adds a key that opens but does not seal yet. With several instances each on a copy of the file: add, copy the
// file everywhere, then Promote; otherwise one instance seals what another cannot open.
func AddKey(path string) (id uint32, err error) {
	err = change(path, func(m *keyset.Manager, _ *keys) error {
		id, err = m.Add(aead.AES256GCMKeyTemplate())
		return err
	})
	return id, err
}

// Promote makes a key the one that seals. The others go on opening.
func Promote(path string, id uint32) error {
	return change(path, func(m *keyset.Manager, k *keys) error {
		if !k.known[id] {
			return fmt.Errorf("there is no key %d that could be used", id)
		}
		return m.SetPrimary(id)
	})
}

// Rotate adds a key and promotes it at once: the whole of a rotation on one machine. Running programs notice by Watch;
// then everything sealed is to be rewrapped, and the old key may be retired.
func Rotate(path string) (id uint32, err error) {
	err = change(path, func(m *keyset.Manager, _ *keys) error {
		if id, err = m.Add(aead.AES256GCMKeyTemplate()); err != nil {
			return err
		}
		return m.SetPrimary(id)
	})
	return id, err
}

// Retire deletes a key for good. Whatever is still wrapped by it is lost: rewrap everything first. The key in use for
// sealing cannot be retired.
func Retire(path string, id uint32) error {
	return change(path, func(m *keyset.Manager, k *keys) error {
		switch _, exists := k.known[id]; {
		case !exists:
			return fmt.Errorf("there is no key %d", id)
		case id == k.primary:
			return fmt.Errorf("key %d is the one in use for sealing", id)
		}
		return m.Delete(id)
	})
}

// Watch reloads the document every interval until ctx ends; 10 seconds is a good one. report hears of every change and
// every failure (once per distinct failure). It returns when ctx is done.
func (k *Keyset) Watch(ctx context.Context, every time.Duration, report func(changed bool, err error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := k.Reload()
		switch {
		case err == nil && changed:
			report(true, nil)
			last = ""
		case err == nil:
			last = ""
		case err.Error() != last:
			last = err.Error()
			report(false, err)
		}
	}
}

// change rewrites the file beside itself and renames, so that a reader sees the old keys or the new, never half.
func change(path string, edit func(*keyset.Manager, *keys) error) error {
	set, err := loadFile(path)
	if err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(set.sealing)
	if err := edit(m, set); err != nil {
		return fmt.Errorf("vault: change keys: %w", err)
	}
	sealing, err := m.Handle()
	if err != nil {
		return fmt.Errorf("vault: change keys: %w", err)
	}
	doc, err := writeDocument(sealing, set.finger)
	if err != nil {
		return err
	}
	return replaceFile(path, doc)
}

func replaceFile(path, doc string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("vault: change keys: %w", err)
	}
	// os.CreateTemp makes the file with mode 0600.
	f, err := os.CreateTemp(filepath.Dir(target), ".keys-*")
	if err != nil {
		return fmt.Errorf("vault: change keys: %w", err)
	}
	if err := writeSynced(f, doc); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("vault: change keys: %w", err)
	}
	if err := os.Rename(f.Name(), target); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("vault: change keys: %w", err)
	}
	return syncDir(filepath.Dir(target))
}

func writeSynced(f *os.File, text string) error {
	_, err := io.WriteString(f, text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir) // #nosec G304 -- the operator names the file
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func loadFile(path string) (*keys, error) {
	raw, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	return parseDocument(raw)
}

// readKeyFile checks the opened file, not the path, so that nothing can be swapped in between.
func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("vault: there is no key file at %s: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: read key file: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("vault: read key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("vault: %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("vault: the key file %s has mode %04o and others may read it; run: chmod 600 %s", path, mode, path)
	}
	return io.ReadAll(io.LimitReader(f, maxDocument+1))
}
