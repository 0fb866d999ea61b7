package vault_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"countinghouse/models/vault"
)

func sealStream(t interface {
	Fatal(...any)
	Helper()
}, v *vault.Vault, key string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := v.SealStream(context.Background(), &out, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAFileIsSealedInAStream(t *testing.T) {
	path := keyFile(t)
	v, set := openFile(t, path)
	for _, size := range []int{0, 1, 64<<10 - 100, 64 << 10, 200_000} {
		content := bytes.Repeat([]byte{'x'}, size)
		sealed := sealStream(t, v, "doc/1", content)
		r, err := v.OpenStream(t.Context(), iotest.OneByteReader(bytes.NewReader(sealed)), "doc/1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes: %d, %v", size, len(got), err)
		}
		for _, cut := range []int{0, 3, 6, 40, len(sealed) / 2, len(sealed) - 1} {
			if n, err := readStream(v, sealed[:cut], "doc/1"); !errors.Is(err, vault.ErrWillNotOpen) {
				t.Errorf("%d bytes cut at %d: read %d, %v", size, cut, n, err)
			}
		}
		if _, err := readStream(v, sealed, "doc/2"); !errors.Is(err, vault.ErrWillNotOpen) {
			t.Errorf("opened under another name: %v", err)
		}
	}
	sealed := sealStream(t, v, "doc/1", []byte("x"))
	if _, err := vault.Rotate(path); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if got, err := v.StreamIsCurrent(bytes.NewReader(sealed)); err != nil || got != want {
			t.Errorf("current = %v %v, want %v", got, err, want)
		}
		if _, err := set.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	disk := errors.New("disk on fire")
	r, err := v.OpenStream(t.Context(), io.MultiReader(bytes.NewReader(sealed[:len(sealed)-1]), iotest.ErrReader(disk)), "doc/1")
	if err == nil {
		_, err = io.ReadAll(r)
	}
	if !errors.Is(err, disk) {
		t.Errorf("a disk error became %v", err)
	}
}

func readStream(v *vault.Vault, sealed []byte, key string) (int, error) {
	r, err := v.OpenStream(context.Background(), bytes.NewReader(sealed), key)
	if err != nil {
		return 0, err
	}
	b, err := io.ReadAll(r)
	return len(b), err
}

func TestASealedStreamToleratesNoChange(t *testing.T) {
	v, _ := openFile(t, keyFile(t))
	content := bytes.Repeat([]byte("0123456789"), 15_000)
	sealed := sealStream(t, v, "k", content)
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(sealed)
		bad[rapid.IntRange(0, len(bad)-1).Draw(t, "byte")] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		if n, err := readStream(v, bad, "k"); err == nil {
			t.Fatalf("read %d bytes of a changed file", n)
		}
	})
}
