package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/files/filestest"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
	"countinghouse/web"
)

// reads gives a file of a running house.
func reads(t *testing.T, rt *web.Runtime, key string) string {
	t.Helper()
	rc, err := rt.Files.Open(t.Context(), key)
	if err != nil {
		t.Errorf("%s: %v", key, err)
		return ""
	}
	defer rc.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(rc)
	if err != nil {
		t.Errorf("%s: %v", key, err)
	}
	return string(body)
}

func puts(t *testing.T, rt *web.Runtime, key, body string) {
	t.Helper()
	if _, err := rt.Files.Put(t.Context(), key, strings.NewReader(body), int64(len(body))); err != nil {
		t.Fatal(err)
	}
}

func paper(n int) (key, body string) {
	return fmt.Sprintf("kyb/sandbox/paper-%02d", n), fmt.Sprintf("paper %d ", n) + strings.Repeat("x", n*9000)
}

func TestAfterARotationTheOldKeyCanGoAndEverythingStillOpens(t *testing.T) {
	bucket := &filestest.Bucket{Name: "papers", AccessKey: "AKIA1"}
	server := httptest.NewServer(bucket)
	t.Cleanup(server.Close)
	for name, change := range map[string]func(*web.Config){
		"on disk": func(*web.Config) {},
		"in S3": func(c *web.Config) {
			c.S3 = web.S3{Endpoint: strings.TrimPrefix(server.URL, "http://"), Bucket: "papers", Region: "eu", AccessKey: "AKIA1", SecretKey: "s3cr3t-canary", Insecure: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := web.Config{Data: t.TempDir(), Listen: "127.0.0.1:0"}
			change(&cfg)
			lines := &logBook{}
			log := slog.New(slog.NewJSONHandler(lines, nil))
			running, err := web.Start(t.Context(), cfg, log) // the server, which was there before and stays
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = running.Close() })
			ada := storetest.SetUp(t, running.Store) // her second factor is sealed
			old := running.Keys.Keys()[0].ID
			for n := range 20 {
				key, body := paper(n)
				puts(t, running, key, body)
			}
			var out bytes.Buffer
			rotate := func(ctx context.Context, wait time.Duration, resume bool) error {
				out.Reset()
				return web.VaultRotate(ctx, cfg, log, &out, wait, resume)
			}
			// The rotation is cut off in its wait. What the server seals with the key that it still has is left over.
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go func() {
				for ctx.Err() == nil && !strings.Contains(lines.String(), "there is a second look") {
					time.Sleep(10 * time.Millisecond)
				}
				stop()
			}()
			if err := rotate(ctx, time.Hour, false); !errors.Is(err, context.Canceled) {
				t.Fatalf("a rotation that is cut off: %v", err)
			}
			puts(t, running, "kyb/sandbox/late", "sealed with the old key")
			for n := range 20 { // the server reads on: it looks at the key file when it meets a key that it does not know
				if key, body := paper(n); reads(t, running, key) != body {
					t.Errorf("%s is another one while the program runs", key)
				}
			}
			if err := rotate(t.Context(), time.Millisecond, true); err != nil || !strings.Contains(out.String(), "0 stored secrets and 1 uploaded files") {
				t.Fatalf("what was left over: %v %s", err, out.String())
			}
			if err := rotate(t.Context(), time.Millisecond, true); err != nil || !strings.Contains(out.String(), "0 stored secrets and 0 uploaded files") {
				t.Fatalf("nothing is left: %v %s", err, out.String())
			}
			out.Reset()
			if err := web.VaultRetire(t.Context(), cfg, log, &out, old, time.Millisecond); err != nil || !strings.Contains(out.String(), "is deleted") {
				t.Fatalf("retire: %v %s", err, out.String())
			}
			keys, err := vault.Keys(cfg.VaultKeyPath())
			if err != nil || len(keys) != 1 || keys[0].ID == old {
				t.Fatalf("the keys: %+v %v", keys, err)
			}
			if _, err := running.Keys.Reload(); err != nil {
				t.Fatal(err)
			}
			for n := range 20 {
				if key, body := paper(n); reads(t, running, key) != body {
					t.Errorf("%s does not open without the old key", key)
				}
			}
			if got := reads(t, running, "kyb/sandbox/late"); got != "sealed with the old key" {
				t.Errorf("the late one: %q", got)
			}
			token, _, err := running.Store.SignIn(t.Context(), ada.Email, storetest.Password, storetest.Here)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := running.Store.SecondFactor(t.Context(), token, ada.Code(t, time.Now().Add(30*time.Second)), storetest.Here); err != nil {
				t.Errorf("the second factor without the old key: %v", err)
			}
			if err := web.VaultRetire(t.Context(), cfg, log, &out, keys[0].ID, time.Millisecond); web.ExitCode(err, io.Discard) != 2 {
				t.Errorf("the key in use was let go: %v", err)
			}
		})
	}
	for key, body := range bucket.Objects() {
		if bytes.Contains(body, []byte("paper ")) {
			t.Errorf("%s lies in the clear", key)
		}
	}
}

func TestAFileThatWillNotOpenHoldsNoOtherUpAndKeepsTheOldKey(t *testing.T) {
	bucket := &filestest.Bucket{Name: "papers", AccessKey: "AKIA1"}
	cfg := s3(t, bucket)
	log := slog.New(slog.DiscardHandler)
	running, err := web.Start(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	old := running.Keys.Keys()[0].ID
	for n := range 3 {
		key, body := paper(n + 1)
		puts(t, running, key, body)
	}
	key, _ := paper(2)
	raw := bytes.Clone(bucket.Objects()["house/"+key])
	raw[len(raw)-1] ^= 1
	bucket.Lay("house/"+key, raw)
	before := sha256.Sum256(raw)
	var out bytes.Buffer
	err = web.VaultRotate(t.Context(), cfg, log, &out, time.Millisecond, false)
	if models.CodeOf(err) != models.Conflict || !strings.Contains(err.Error(), key) {
		t.Fatalf("a damaged file: %v", err)
	}
	if now := sha256.Sum256(bucket.Objects()["house/"+key]); now != before {
		t.Error("the damaged file was written anew")
	}
	if err := web.VaultRetire(t.Context(), cfg, log, &out, old, time.Millisecond); models.CodeOf(err) != models.Conflict {
		t.Errorf("the key that it needs was let go: %v", err)
	}
	for _, n := range []int{1, 3} {
		if key, body := paper(n); reads(t, running, key) != body {
			t.Errorf("%s: another one", key)
		}
	}
}

// setUpLink is what a fresh house prints.
var setUpLink = regexp.MustCompile(`/set-up/[\w-]{43}`)

func TestAServerWithS3TakesAnUploadAndGivesItBack(t *testing.T) {
	bucket := &filestest.Bucket{Name: "papers", AccessKey: "AKIA1"}
	cfg := s3(t, bucket)
	cfg.GracePeriod = time.Second
	base, out, stop := serveInBackground(t, cfg)
	defer func() {
		if err := stop(); err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	if !setUpLink.MatchString(out.String()) {
		t.Fatalf("no set-up link: %s", out)
	}
	// People are made beside the running server, as an operator does.
	beside, err := web.Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = beside.Close() })
	storetest.SetUp(t, beside.Store)
	ines := storetest.Add(t, beside.Store, "ines@example.com", "Inês", models.Compliance)
	actor := ines.Actor(beside.Store)
	c, err := beside.Store.CreateKYBCase(t.Context(), actor, models.Sandbox, models.KYBCaseForm{Company: "Alpha Ltd", Country: "SGP", Type: "corporate"})
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{house: &house{base: base, log: &logBook{}}, ines: ines, c: c}
	body := pdf("CANARY-4471")
	got := a.upload(t, "/kyb/cases/"+c.ID+"/files", ines.Token, asScript, "register.pdf", body)
	if got.StatusCode != 200 || !strings.Contains(got.body, `"ok":true`) {
		t.Fatalf("the upload: %d %s", got.StatusCode, got.body)
	}
	lying := bucket.Objects()
	if len(lying) != 1 {
		t.Fatalf("%d objects lie in the bucket", len(lying))
	}
	for key, sealed := range lying {
		if !strings.HasPrefix(key, "house/kyb/sandbox/") || bytes.Contains(sealed, []byte("CANARY")) || bytes.Contains(sealed, []byte("%PDF")) {
			t.Errorf("%s, %s bytes, is not where or not as it should be", key, strconv.Itoa(len(sealed)))
		}
	}
	p, err := beside.Store.KYBCase(t.Context(), actor, models.Sandbox, c.ID)
	if err != nil || len(p.Documents) != 1 {
		t.Fatal(p.Documents, err)
	}
	if back := a.get(t, "/kyb/files/"+p.Documents[0].Current.ID+"/download", ines.Token); back.StatusCode != 200 || back.body != string(body) {
		t.Errorf("given back: %d, %d bytes", back.StatusCode, len(back.body))
	}
	again := a.upload(t, "/kyb/cases/"+c.ID+"/files", ines.Token, asScript, "register.pdf", body)
	if !strings.Contains(again.body, "Here already") || len(bucket.Objects()) != 1 {
		t.Errorf("the same again: %s, %d objects", again.body, len(bucket.Objects()))
	}
	if strings.Contains(out.String(), "s3cr3t-canary") {
		t.Error("the key of the bucket is in the log")
	}
}
