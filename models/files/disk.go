package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
)

// parts holds files that are still being written. It begins with a dot, so no key reaches it.
const parts = ".parts"

// Disk is a Store in one folder. It works through os.Root: neither a key nor a symbolic link leads out of it.
type Disk struct{ root *os.Root }

// OpenDisk opens or makes the folder (mode 0700) and removes what an earlier process left half-written more than a day ago.
func OpenDisk(folder string, now time.Time) (*Disk, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	d := &Disk{root: root}
	if err := d.prepare(now); err != nil {
		return nil, errors.Join(fmt.Errorf("files: %w", err), root.Close())
	}
	return d, nil
}

func (d *Disk) prepare(now time.Time) error {
	if err := d.root.Mkdir(parts, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	left, err := fs.ReadDir(d.root.FS(), parts)
	if err != nil {
		return err
	}
	for _, e := range left {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
			_ = d.root.Remove(path.Join(parts, e.Name()))
		}
	}
	return nil
}

// Close closes the folder.
func (d *Disk) Close() error { return d.root.Close() }

// Put writes aside, syncs, then gives the file its name by a link, which fails if the name is taken, and syncs the folders.
func (d *Disk) Put(ctx context.Context, key string, r io.Reader, size int64) (Stored, error) {
	if err := checkKey(key); err != nil {
		return Stored{}, err
	}
	if _, err := d.root.Lstat(key); err == nil { // spare the writing; the link below decides
		return Stored{}, fmt.Errorf("files: %s: %w", key, ErrExists)
	}
	m := newMeter(ctx, limit(r, size))
	var out Stored
	err := d.viaPart(m, func(part string) (err error) {
		if out, err = m.stored(key, size); err != nil {
			return err
		}
		if err := d.mkdirs(key); err != nil {
			return err
		}
		return d.name(part, key)
	})
	if err != nil {
		return Stored{}, err
	}
	return out, nil
}

func (d *Disk) replace(ctx context.Context, key string, r io.Reader) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return d.viaPart(newMeter(ctx, r), func(part string) error {
		if err := d.root.Rename(part, key); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		return nil
	}, key)
}

// viaPart writes r into a synced file aside, hands its name to settle and syncs the folders above key. The part is gone
// afterwards in every case.
func (d *Disk) viaPart(r io.Reader, settle func(part string) error, keys ...string) error {
	part := path.Join(parts, uuid.NewString())
	f, err := d.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	defer func() { _ = d.root.Remove(part) }()
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("files: write: %w", err)
	}
	if err := settle(part); err != nil {
		return err
	}
	for _, key := range keys {
		if err := d.syncAbove(key); err != nil {
			return err
		}
	}
	return nil
}

// name gives a part its key. Where the file system has no hard links, a rename after a look has to do.
func (d *Disk) name(part, key string) error {
	err := d.root.Link(part, key)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("files: %s: %w", key, ErrExists)
	case err != nil:
		if _, there := d.root.Lstat(key); there == nil {
			return fmt.Errorf("files: %s: %w", key, ErrExists)
		}
		if err := d.root.Rename(part, key); err != nil {
			return fmt.Errorf("files: %w", err)
		}
	}
	return d.syncAbove(key)
}

func (d *Disk) mkdirs(key string) error {
	dir := ""
	for part := range strings.SplitSeq(path.Dir(key), "/") {
		if dir = path.Join(dir, part); dir == "." {
			return nil
		}
		if err := d.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("files: %w", err)
		}
	}
	return nil
}

// syncAbove makes the name of a file, and of the folders above it, survive a power cut.
func (d *Disk) syncAbove(key string) error {
	for dir := path.Dir(key); ; dir = path.Dir(dir) {
		f, err := d.root.Open(dir)
		if err != nil {
			return fmt.Errorf("files: %w", err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		if dir == "." {
			return nil
		}
	}
}

// Open opens a file for reading.
func (d *Disk) Open(_ context.Context, key string) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	f, err := d.root.Open(key)
	if err != nil {
		return nil, notFound(key, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("files: %s: %w", key, ErrNotFound), err, f.Close())
	}
	return f, nil
}

// Stat looks a file up.
func (d *Disk) Stat(_ context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	info, err := d.root.Lstat(key)
	if err != nil {
		return Info{}, notFound(key, err)
	}
	if !info.Mode().IsRegular() {
		return Info{}, fmt.Errorf("files: %s: %w", key, ErrNotFound)
	}
	return Info{Key: key, Size: info.Size(), Modified: info.ModTime().UTC()}, nil
}

// Delete removes a file and syncs its folder. Empty folders stay.
func (d *Disk) Delete(ctx context.Context, key string) error {
	if _, err := d.Stat(ctx, key); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil {
		return notFound(key, err)
	}
	return d.syncAbove(key)
}

// All walks the folder.
func (d *Disk) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		err := fs.WalkDir(d.root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case e.IsDir() && p == parts:
				return fs.SkipDir
			case !e.Type().IsRegular() || checkKey(p) != nil:
				return nil
			}
			info, err := d.Stat(ctx, p)
			if errors.Is(err, ErrNotFound) { // deleted meanwhile
				return nil
			}
			if !yield(info, err) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Info{}, fmt.Errorf("files: list: %w", err))
		}
	}
}

func notFound(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("files: %s: %w", key, ErrNotFound)
	}
	return fmt.Errorf("files: %w", err)
}
