package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models/vault"
)

const canary = "CANARY-provider-secret-7f3a"

var place = vault.AAD{Table: "credential_secrets", Row: "0190", Field: "api_secret"}

func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := vault.CreateFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t *testing.T, path string) (*vault.Vault, *vault.Keyset) {
	t.Helper()
	set, err := vault.FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return vault.New(set), set
}

func seal(t *testing.T, v *vault.Vault, secret string) []byte {
	t.Helper()
	b, err := v.Seal(t.Context(), []byte(secret), place)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func opens(t *testing.T, v *vault.Vault, sealed []byte, want string) {
	t.Helper()
	got, err := v.Open(t.Context(), sealed, place)
	if err != nil || string(got) != want {
		t.Errorf("open = %q, %v; want %q", got, err, want)
	}
}

func TestASealedSecretOpensInItsPlaceOnly(t *testing.T) {
	v, _ := openFile(t, keyFile(t))
	sealed := seal(t, v, canary)
	opens(t, v, sealed, canary)
	if bytes.Contains(sealed, []byte("CANARY")) || bytes.Equal(sealed, seal(t, v, canary)) {
		t.Error("the sealed form shows the secret or repeats itself")
	}
	for _, elsewhere := range []vault.AAD{
		{Table: "credential_secret", Row: "s0190", Field: "api_secret"}, // the same letters, cut elsewhere
		{Table: place.Table, Row: "0191", Field: place.Field},
		{Table: place.Table, Row: place.Row, Field: "api_key"},
		{},
	} {
		if _, err := v.Open(t.Context(), sealed, elsewhere); !errors.Is(err, vault.ErrWillNotOpen) {
			t.Errorf("at %+v: %v", elsewhere, err)
		}
		if _, _, err := v.Rewrap(t.Context(), sealed[:4], elsewhere); !errors.Is(err, vault.ErrWillNotOpen) {
			t.Errorf("rewrap of a stump: %v", err)
		}
	}
	if _, err := v.Seal(t.Context(), []byte("x"), vault.AAD{Table: "t", Field: "f"}); err == nil {
		t.Error("sealed for no row")
	}
	empty := seal(t, v, "")
	opens(t, v, empty, "")
}

func TestEveryChangedOrMissingByteIsNoticed(t *testing.T) {
	v, _ := openFile(t, keyFile(t))
	sealed := seal(t, v, canary)
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 0x40
		if got, err := v.Open(t.Context(), bad, place); err == nil {
			t.Fatalf("byte %d changed and it opened: %q", i, got)
		} else if strings.Contains(err.Error(), "CANARY") {
			t.Fatal(err)
		}
		if _, err := v.Open(t.Context(), sealed[:i], place); err == nil {
			t.Fatalf("cut at %d and it opened", i)
		}
	}
	if _, err := v.Open(t.Context(), append(bytes.Clone(sealed), 0), place); err == nil {
		t.Error("a byte more and it opened")
	}
}

func TestAnotherKeyFileOpensNothing(t *testing.T) {
	v, _ := openFile(t, keyFile(t))
	other, _ := openFile(t, keyFile(t))
	if _, err := other.Open(t.Context(), seal(t, v, canary), place); !errors.Is(err, vault.ErrUnknownKey) {
		t.Errorf("error %v, want ErrUnknownKey", err)
	}
}

func TestAKeyIsRotatedWhileTheProgramRuns(t *testing.T) {
	path := keyFile(t)
	v, set := openFile(t, path)
	old := seal(t, v, canary)
	before, err := v.Fingerprint([]byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	if _, changed, err := v.Rewrap(t.Context(), old, place); err != nil || changed {
		t.Errorf("rewrapped without need: %v %v", changed, err)
	}

	id, err := vault.Rotate(path)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := set.Reload(); err != nil || !changed {
		t.Fatalf("reload: %v %v", changed, err)
	}
	if changed, err := set.Reload(); err != nil || changed {
		t.Fatalf("second reload: %v %v", changed, err)
	}
	opens(t, v, old, canary)
	renewed, changed, err := v.Rewrap(t.Context(), old, place)
	if err != nil || !changed || bytes.Equal(renewed, old) {
		t.Fatalf("rewrap: %v %v", changed, err)
	}
	if _, changed, _ := v.Rewrap(t.Context(), renewed, place); changed {
		t.Error("rewrapped twice")
	}
	if _, _, err := v.Rewrap(t.Context(), old, vault.AAD{Table: "x", Row: "y", Field: "z"}); !errors.Is(err, vault.ErrWillNotOpen) {
		t.Errorf("rewrapped for another place: %v", err)
	}

	keys, err := vault.Keys(path)
	if err != nil || len(keys) != 2 || keys[0].Primary || !keys[1].Primary || keys[1].ID != id {
		t.Fatalf("keys %+v %v", keys, err)
	}
	if err := vault.Retire(path, id); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("retired the key in use: %v", err)
	}
	if err := vault.Retire(path, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	again, _ := openFile(t, path)
	opens(t, again, renewed, canary)
	if _, err := again.Open(t.Context(), old, place); !errors.Is(err, vault.ErrUnknownKey) {
		t.Errorf("the retired key still opens: %v", err)
	}
	if after, _ := again.Fingerprint([]byte(canary)); after != before {
		t.Errorf("the fingerprint changed with the key: %s, %s", before, after)
	}
}

func TestWhatAnotherProcessSealedAfterARotationOpensAtOnce(t *testing.T) {
	path := keyFile(t)
	here, _ := openFile(t, path)
	if _, err := vault.Rotate(path); err != nil {
		t.Fatal(err)
	}
	there, _ := openFile(t, path)
	opens(t, here, seal(t, there, canary), canary)
}

func TestAKeyMayBeSpreadBeforeItIsUsed(t *testing.T) {
	path := keyFile(t)
	id, err := vault.AddKey(path)
	if err != nil {
		t.Fatal(err)
	}
	spread, set := openFile(t, path)
	if set.Keys()[1].Primary {
		t.Error("the added key seals already")
	}
	if err := vault.Promote(path, id+1); err == nil {
		t.Error("promoted a key that is not there")
	}
	if err := vault.Promote(path, id); err != nil {
		t.Fatal(err)
	}
	promoted, _ := openFile(t, path)
	opens(t, spread, seal(t, promoted, canary), canary)
}

func TestRotationUnderLoadLosesNothing(t *testing.T) {
	path := keyFile(t)
	v, set := openFile(t, path)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sealed, err := v.Seal(t.Context(), []byte(canary), place)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := v.Open(t.Context(), sealed, place); err != nil || string(got) != canary {
					t.Errorf("%q %v", got, err)
					return
				}
			}
		})
	}
	for range 5 {
		if _, err := vault.Rotate(path); err != nil {
			t.Error(err)
		}
		if _, err := set.Reload(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestWatchNoticesANewKeyAndSaysAProblemOnce(t *testing.T) {
	path := keyFile(t)
	_, set := openFile(t, path)
	said := make(chan string, 100)
	go set.Watch(t.Context(), time.Millisecond, func(changed bool, err error) { said <- fmt.Sprint(changed, " ", err) })
	if _, err := vault.Rotate(path); err != nil {
		t.Fatal(err)
	}
	if got := <-said; got != "true <nil>" {
		t.Errorf("said %q", got)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := <-said; !strings.Contains(got, "chmod 600") {
		t.Errorf("said %q", got)
	}
	time.Sleep(20 * time.Millisecond)
	if n := len(said); n != 0 {
		t.Errorf("said it %d times more", n)
	}
	if len(set.Keys()) != 2 {
		t.Error("the keys in use were dropped")
	}
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	good := keyFile(t)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, content string, mode fs.FileMode) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, tc := range map[string]struct{ path, want string }{
		"readable by others":  {write("a", string(text), 0o644), "chmod 600"},
		"readable by a group": {write("b", string(text), 0o640), "chmod 600"},
		"absent":              {filepath.Join(dir, "no"), "there is no key file"},
		"a folder":            {dir, "is not a file"},
		"empty":               {write("c", "  \n", 0o600), "is empty"},
		"huge":                {write("d", strings.Repeat("x", 1<<20), 0o600), "far too long"},
		"something else":      {write("e", "{}", 0o600), "not a Countinghouse key"},
		"not base64":          {write("f", "hunter2!", 0o600), "neither JSON nor base64"},
		"broken keyset":       {write("g", `{"version":1,"sealing":{"key":[{"keyData":{"value":"SECRETVALUE"}}]},"fingerprint":{}}`, 0o600), "damaged"},
	} {
		_, err := vault.FromFile(tc.path)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "SECRETVALUE") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	if err := vault.CreateFile(good); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing key was not protected: %v", err)
	}
	if after, _ := os.ReadFile(good); !bytes.Equal(after, text) {
		t.Error("the existing key was changed")
	}
	if info, _ := os.Stat(good); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := vault.Rotate(good); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(good); info.Mode().Perm() != 0o600 {
		t.Errorf("mode after a rotation %v", info.Mode())
	}
}

func TestAKeyFileSwappedForAStrangersIsNotTaken(t *testing.T) {
	path := keyFile(t)
	v, set := openFile(t, path)
	sealed := seal(t, v, canary)
	other, err := vault.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Reload(); err == nil || !strings.Contains(err.Error(), "unrelated") {
		t.Errorf("reload: %v", err)
	}
	opens(t, v, sealed, canary)
}

func TestTheKeyMayComeFromTheEnvironment(t *testing.T) {
	doc, err := vault.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := vault.FromString(doc)
	if err != nil {
		t.Fatal(err)
	}
	coded, err := vault.FromString(base64.StdEncoding.EncodeToString([]byte(doc)))
	if err != nil {
		t.Fatal(err)
	}
	opens(t, vault.New(coded), seal(t, vault.New(plain), canary), canary)
}

func TestFingerprintsTellEqualFromDifferent(t *testing.T) {
	v, _ := openFile(t, keyFile(t))
	other, _ := openFile(t, keyFile(t))
	print := func(v *vault.Vault, s string) string {
		f, err := v.Fingerprint([]byte(s))
		if err != nil || len(f) != 32 {
			t.Fatal(f, err)
		}
		return f
	}
	if once := print(v, "a"); once != print(v, "a") || print(v, "a") == print(v, "b") || print(v, "a") == print(other, "a") {
		t.Error("fingerprints must be equal for equal secrets under one key, and only then")
	}
}

func TestASecretNeverShowsItself(t *testing.T) {
	s := vault.NewSecret(canary)
	type holder struct {
		Public  vault.Secret
		private vault.Secret
		list    []vault.Secret
	}
	h := holder{s, s, []vault.Secret{s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", s, &s, h)
		fmt.Fprintf(&out, verb+verb+"\n", map[string]vault.Secret{"k": s}, []any{s, h.private, h.list})
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "s", s, "h", h, "p", &s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "h", h)
	for _, v := range []any{s, h, &s, map[string]any{"s": s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	x, _ := xml.Marshal(struct{ S vault.Secret }{s})
	out.Write(x)
	if err := gob.NewEncoder(&out).Encode(s); err == nil {
		t.Error("gob took it")
	}
	if v, err := s.Value(); err == nil {
		t.Errorf("a database would take it as %v", v)
	}
	out.WriteString(fmt.Errorf("wrapped %w and %v", errors.New("x"), s).Error())
	if strings.Contains(out.String(), "CANARY") || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("it shows:\n%s", out.String())
	}
	if s.Reveal() != canary || !s.Equal(vault.NewSecret(canary)) || s.Equal(vault.NewSecret("")) || s.IsZero() {
		t.Error("Reveal, Equal or IsZero")
	}
	var zero vault.Secret
	if zero.Reveal() != "" || !zero.IsZero() || !zero.Equal(vault.NewSecret("")) || zero.String() != "[secret]" {
		t.Error("the zero Secret")
	}
}

func TestLast4GivesNothingOfAShortSecret(t *testing.T) {
	got := map[string]string{}
	for _, s := range []string{"", "1234", "12345678901", "123456789012", "zwölfzeichené", "12345678901\n", "12345678\xff9012"} {
		got[s] = vault.Last4(s)
	}
	want := map[string]string{"": "", "1234": "", "12345678901": "", "123456789012": "9012", "zwölfzeichené": "hené",
		"12345678901\n": "", "12345678\xff9012": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestASecretGoesInAndComesOutSealed(t *testing.T) {
	v, _ := openFile(t, keyFile(t))
	sealed, err := v.SealSecret(t.Context(), vault.NewSecret(canary), place)
	if err != nil {
		t.Fatal(err)
	}
	s, err := v.OpenSecret(t.Context(), sealed, place)
	if err != nil || s.Reveal() != canary {
		t.Error(err)
	}
	if _, err := v.OpenSecret(t.Context(), sealed[1:], place); err == nil {
		t.Error("opened damaged")
	}
}
