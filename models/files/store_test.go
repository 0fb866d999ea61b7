package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models/files"
	"countinghouse/models/files/filestest"
	"countinghouse/models/vault"
)

func openS3(t *testing.T, name string) (*files.S3, error) {
	t.Helper()
	bucket := &filestest.Bucket{Name: "books", AccessKey: "a"}
	bucket.Lay("elsewhere/x", []byte("not ours"))
	srv := httptest.NewUnstartedServer(bucket)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return files.OpenS3(t.Context(), files.S3Config{Endpoint: strings.TrimPrefix(srv.URL, "https://"), Bucket: name, Prefix: "ours/",
		Region: "eu", AccessKey: "a", SecretKey: "s", Transport: srv.Client().Transport})
}

func openDisk(t *testing.T, dir string) *files.Disk {
	t.Helper()
	d, err := files.OpenDisk(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func newVault(t *testing.T) (*vault.Vault, func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := vault.CreateFile(path); err != nil {
		t.Fatal(err)
	}
	set, err := vault.FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return vault.New(set), func() {
		if _, err := vault.Rotate(path); err != nil {
			t.Fatal(err)
		}
		if _, err := set.Reload(); err != nil {
			t.Fatal(err)
		}
	}
}

// onEvery runs a test on every store there is.
func onEvery(t *testing.T, test func(t *testing.T, s files.Store)) {
	s3 := func(t *testing.T) files.Store {
		s, err := openS3(t, "books")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	v, _ := newVault(t)
	t.Run("disk", func(t *testing.T) { test(t, openDisk(t, t.TempDir())) })
	t.Run("S3", func(t *testing.T) { test(t, s3(t)) })
	t.Run("sealed disk", func(t *testing.T) { test(t, files.Seal(openDisk(t, t.TempDir()), v)) })
	t.Run("sealed S3", func(t *testing.T) { test(t, files.Seal(s3(t), v)) })
}

func digest(s string) string { d := sha256.Sum256([]byte(s)); return hex.EncodeToString(d[:]) }

func keysOf(t *testing.T, s files.Store) (out []string) {
	t.Helper()
	for info, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if info.Modified.IsZero() {
			t.Errorf("%s has no time", info.Key)
		}
		out = append(out, info.Key)
	}
	sort.Strings(out)
	return out
}

func read(t *testing.T, s files.Store, key string) string {
	t.Helper()
	rc, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rc.Close() }()
	b, err := io.ReadAll(rc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAFileIsKeptReadListedAndDeleted(t *testing.T) {
	onEvery(t, func(t *testing.T, s files.Store) {
		long := strings.Repeat("0123456789", 30_000)
		for key, content := range map[string]string{"kyb/0190/passport.pdf": long, "a": "x", "kyb/0190/b": ""} {
			got, err := s.Put(t.Context(), key, iotest.HalfReader(strings.NewReader(content)), int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(files.Stored{Key: key, SHA256: digest(content), Size: int64(len(content))}, got); diff != "" {
				t.Error(diff)
			}
			if read(t, s, key) != content {
				t.Errorf("%s reads differently", key)
			}
		}
		if _, err := s.Put(t.Context(), "unknown/length", strings.NewReader("abc"), -1); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"a", "kyb/0190/b", "kyb/0190/passport.pdf", "unknown/length"}, keysOf(t, s)); diff != "" {
			t.Error(diff)
		}
		if info, err := s.Stat(t.Context(), "a"); err != nil || info.Size < 1 || info.Key != "a" {
			t.Error(info, err)
		}
		if err := s.Delete(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		_, openErr := s.Open(t.Context(), "a")
		_, statErr := s.Stat(t.Context(), "a")
		for _, err := range []error{openErr, statErr, s.Delete(t.Context(), "a"), s.Delete(t.Context(), "kyb")} {
			if !errors.Is(err, files.ErrNotFound) {
				t.Errorf("absent: %v", err)
			}
		}
	})
}

func TestAKeyIsNeverOverwritten(t *testing.T) {
	onEvery(t, func(t *testing.T, s files.Store) {
		if _, err := s.Put(t.Context(), "doc", strings.NewReader("first"), 5); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), "doc", strings.NewReader("second"), 6); !errors.Is(err, files.ErrExists) {
			t.Errorf("error %v", err)
		}
		if got := read(t, s, "doc"); got != "first" {
			t.Errorf("now it is %q", got)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 8 {
			wg.Go(func() {
				if _, err := s.Put(context.Background(), "race", strings.NewReader(fmt.Sprint(i)), 1); err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				} else if !errors.Is(err, files.ErrExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
}

func TestWhatBreaksOffLeavesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, s files.Store) {
		cut := errors.New("the browser went away")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range map[string]error{
			"shorter than announced": second(s.Put(t.Context(), "k", strings.NewReader("abc"), 4)),
			"longer than announced":  second(s.Put(t.Context(), "k", strings.NewReader("abc"), 2)),
			"endless":                second(s.Put(t.Context(), "k", endless{}, 10)),
			"cut":                    second(s.Put(t.Context(), "k", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(cut)), -1)),
			"given up":               second(s.Put(gone, "k", strings.NewReader("abc"), 3)),
		} {
			want := map[string]error{"cut": cut, "given up": context.Canceled}[name]
			if want == nil {
				want = files.ErrSize
			}
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		if got := keysOf(t, s); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
		if _, err := s.Put(t.Context(), "k", strings.NewReader("abc"), 3); err != nil {
			t.Errorf("the key is not free: %v", err)
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func second[T any](_ T, err error) error { return err }

func TestKeysThatAreRefused(t *testing.T) {
	onEvery(t, func(t *testing.T, s files.Store) {
		for _, key := range []string{"", "/", "/etc/passwd", "../x", "a/../../x", "a/..", ".", "..", ".parts/x", ".hidden", "a/.b", "a//b", "a/", "-rf",
			"A", "ä", "a b", "a\x00b", "a\nb", `a\b`, "a:b", "con|prn", strings.Repeat("a", 101), strings.Repeat("a/", 101) + "a"} {
			_, openErr := s.Open(t.Context(), key)
			_, statErr := s.Stat(t.Context(), key)
			_, putErr := s.Put(t.Context(), key, strings.NewReader("x"), 1)
			for op, err := range map[string]error{"open": openErr, "stat": statErr, "put": putErr, "delete": s.Delete(t.Context(), key)} {
				if !errors.Is(err, files.ErrKey) {
					t.Errorf("%s %q: %v", op, key, err)
				}
			}
		}
		if got := keysOf(t, s); len(got) != 0 {
			t.Errorf("made: %v", got)
		}
	})
}

func TestASymbolicLinkDoesNotLeadOut(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	d := openDisk(t, dir)
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"link": outside, "folder": filepath.Dir(outside)} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"link", "folder/secret"} {
		if rc, err := d.Open(t.Context(), key); err == nil {
			_ = rc.Close()
			t.Errorf("%s could be read", key)
		}
		if _, err := d.Put(t.Context(), key, strings.NewReader("x"), 1); err == nil {
			t.Errorf("%s could be written", key)
		}
	}
	if got, _ := os.ReadFile(outside); string(got) != "secret" {
		t.Error("the file outside was changed")
	}
}

func TestTheDiskKeepsPrivateModesAndClearsOldParts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	d := openDisk(t, dir)
	if _, err := d.Put(t.Context(), "a/b/c", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{"": 0o700, "a": 0o700, "a/b": 0o700, "a/b/c": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	left, _ := os.ReadDir(filepath.Join(dir, ".parts"))
	if len(left) != 0 {
		t.Errorf("parts left: %v", left)
	}
	part := filepath.Join(dir, ".parts", "old")
	if err := os.WriteFile(part, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]bool{time.Hour: true} {
		if _, err := files.OpenDisk(dir, time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(part); (err == nil) != want {
			t.Errorf("after %v: %v", after, err)
		}
	}
	if _, err := files.OpenDisk(dir, time.Now().Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(part); err == nil {
		t.Error("the old part is still there")
	}
}

func TestSealedFilesShowNothingAndCannotBeSwapped(t *testing.T) {
	dir := t.TempDir()
	disk := openDisk(t, dir)
	v, rotate := newVault(t)
	s := files.Seal(disk, v)
	content := "CANARY " + strings.Repeat("secret paper ", 20_000)
	for _, key := range []string{"one", "two"} {
		if _, err := s.Put(t.Context(), key, strings.NewReader(content), int64(len(content))); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "one"))
	if err != nil || bytes.Contains(raw, []byte("CANARY")) || bytes.Contains(raw, []byte("secret")) {
		t.Error("it shows", err)
	}

	if changed, err := s.Reseal(t.Context(), "two"); changed || err != nil {
		t.Errorf("resealed without need: %v %v", changed, err)
	}
	rotate()
	if changed, err := s.Reseal(t.Context(), "two"); !changed || err != nil {
		t.Errorf("reseal: %v %v", changed, err)
	}
	if changed, err := s.Reseal(t.Context(), "two"); changed || err != nil {
		t.Errorf("resealed twice: %v %v", changed, err)
	}
	if read(t, s, "two") != content {
		t.Error("resealed it reads differently")
	}

	if err := os.WriteFile(filepath.Join(dir, "two"), raw, 0o600); err != nil { // another's paper under this name
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), "two"); !errors.Is(err, vault.ErrWillNotOpen) {
		t.Errorf("swapped: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "one"), raw[:len(raw)-70_000], 0o600); err != nil {
		t.Fatal(err)
	}
	rc, err := s.Open(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rc.Close() }()
	if _, err := io.ReadAll(rc); !errors.Is(err, vault.ErrWillNotOpen) {
		t.Errorf("cut: %v", err)
	}
	if _, err := s.Reseal(t.Context(), "absent"); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
}

func TestAChangedFileIsNoticedByItsDigest(t *testing.T) {
	d := openDisk(t, t.TempDir())
	kept, err := d.Put(t.Context(), "k", strings.NewReader("content"), 7)
	if err != nil {
		t.Fatal(err)
	}
	for want, sum := range map[error]string{nil: kept.SHA256, files.ErrDigest: digest("other")} {
		rc, err := d.Open(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		v := files.Verified(rc, sum)
		if _, err := io.ReadAll(v); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		_ = v.Close()
	}
}

func TestABucketThatIsNotThereIsSaidAtTheStart(t *testing.T) {
	if _, err := openS3(t, "missing"); err == nil || !strings.Contains(err.Error(), "there is no bucket missing") {
		t.Error(err)
	}
	if _, err := files.OpenS3(t.Context(), files.S3Config{}); err == nil {
		t.Error("opened nothing")
	}
}
