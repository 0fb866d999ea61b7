package web_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countinghouse/models/files/filestest"
	"countinghouse/web"
)

// report is what the doctor says of one thing, without its mark, and whether it is well.
func report(t *testing.T, cfg web.Config, what string) (says string, ok bool) {
	t.Helper()
	var out bytes.Buffer
	err := web.Doctor(t.Context(), cfg, slog.New(slog.DiscardHandler), &out)
	for line := range strings.Lines(out.String()) {
		mark, rest, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if says, found := strings.CutPrefix(strings.TrimSpace(rest), what); found {
			if mark == "MEND" && !errors.Is(err, web.ErrSick) {
				t.Errorf("something is to be mended, and the command ends with %v", err)
			}
			return strings.TrimSpace(says), mark == "ok"
		}
	}
	t.Fatalf("nothing is said of the %s:\n%s", what, out.String())
	return "", false
}

// s3 is a configuration whose documents lie in a stand-in of S3.
func s3(t *testing.T, b *filestest.Bucket) web.Config {
	t.Helper()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return web.Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", S3: web.S3{Endpoint: strings.TrimPrefix(server.URL, "http://"), Bucket: "papers", Prefix: "house/", Region: "eu",
		AccessKey: "AKIA1", SecretKey: "s3cr3t-canary", Insecure: true}}
}

func TestTheDoctorLooksAtWhereDocumentsLie(t *testing.T) {
	disk := web.Config{Data: t.TempDir(), Listen: "127.0.0.1:0"}
	folder := disk.FilesPath()
	expect := func(what string, cfg web.Config, want bool, words string) {
		t.Helper()
		says, ok := report(t, cfg, "documents")
		if ok != want || !strings.Contains(says, words) || strings.Contains(says, "canary") {
			t.Errorf("%s: %v %q, want %v with %q", what, ok, says, want, words)
		}
	}
	expect("no folder yet", disk, true, "is not there yet")
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error("the doctor made the folder")
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	expect("a good folder", disk, true, "can be written")
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	expect("a folder that others can read", disk, false, "chmod 700")
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 { // root may write everywhere
		expect("a folder that cannot be written", disk, false, "uploads will be refused")
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect("a file instead of a folder", disk, false, "is not a folder")

	good := s3(t, &filestest.Bucket{Name: "papers", AccessKey: "AKIA1"})
	expect("a bucket", good, true, "answers and can be read")
	expect("another bucket", s3(t, &filestest.Bucket{Name: "others", AccessKey: "AKIA1"}), false, "there is no bucket papers")
	expect("keys that are not its own", s3(t, &filestest.Bucket{Name: "papers", AccessKey: "AKIA2"}), false, "what its keys may do")
	half := good
	half.S3.SecretKey = ""
	expect("half a description", half, false, "An S3 store needs")
}

func TestTheDoctorAsksTheVirusScanner(t *testing.T) {
	for name, c := range map[string]struct {
		clamd string
		ok    bool
		says  string
	}{
		"none":                     {"", true, "uploads are marked unscanned"},
		"one that answers":         {clamd(t, "OK"), true, "answers"},
		"one that is out of order": {clamd(t, "COMMAND READ TIMED OUT. ERROR"), false, "is no help"},
		"one that is not there":    {"127.0.0.1:1", false, "did not answer"},
	} {
		says, ok := report(t, web.Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Clamd: c.clamd}, "virus scanner")
		if ok != c.ok || !strings.Contains(says, c.says) {
			t.Errorf("%s: %v %q, want %v with %q", name, ok, says, c.ok, c.says)
		}
	}
}
