package web_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/providers/all"
	"countinghouse/web"
	"countinghouse/web/demo"
)

// archive is a house with a file store on disk, sealed, and two people from compliance.
type archive struct {
	*house
	folder     string
	files      files.Store
	ines, omar storetest.Person
	c          models.KYBCase
}

func openArchive(t *testing.T, scanner string) *archive {
	t.Helper()
	a := &archive{house: &house{clock: storetest.NewClock(), log: &logBook{}}, folder: filepath.Join(t.TempDir(), "files")}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.store = storetest.SQLite(t, storetest.WithClock(a.clock), func(c *store.Config) { c.Demo = true })
	a.ada = storetest.SetUp(t, a.store)
	a.ines = storetest.Add(t, a.store, "ines@example.com", "Inês", models.Compliance)
	a.omar = storetest.Add(t, a.store, "omar@example.com", "Omar", models.Compliance)
	disk, err := files.OpenDisk(a.folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	a.files = files.Seal(disk, storetest.Vault(t))
	a.store.UseKYB(func(provider string, env models.Environment, settings map[string]string) (models.KYBRules, bool) {
		p, ok := all.Registry().Get(provider)
		if !ok || p.Description.KYB == nil {
			return models.KYBRules{}, false
		}
		return p.Description.KYB(env, settings), true
	})
	if a.App, err = web.New(web.Config{Data: t.TempDir(), Listen: l.Addr().String(), Demo: true, GracePeriod: 5 * time.Second}, web.Deps{Store: a.store, Log: slog.New(slog.NewJSONHandler(a.log, nil)),
		Clock: a.clock.Now, Providers: all.Registry(), Files: a.files, Scan: files.Scanner{Addr: scanner, Timeout: 5 * time.Second}}); err != nil {
		t.Fatal(err)
	}
	a.base = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	if a.c, err = a.store.CreateKYBCase(t.Context(), a.ines.Actor(a.store), models.Sandbox, models.KYBCaseForm{Company: "Alpha Ltd", Country: "SGP", Type: "corporate"}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *archive) upload(t *testing.T, path, token string, headers map[string]string, named ...any) answer {
	t.Helper()
	return a.sendFiles(t, path, token, headers, named...)
}

// sendFiles sends files as a browser's form does; each is a name and its content.
func (h *house) sendFiles(t *testing.T, path, token string, headers map[string]string, named ...any) answer {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(named); i += 2 {
		head := textproto.MIMEHeader{}
		head.Set("Content-Disposition", fmt.Sprintf(`form-data; name="files"; filename="%s"`, named[i]))
		head.Set("Content-Type", "application/pdf") // what a browser claims is not believed
		part, err := w.CreatePart(head)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write(named[i+1].([]byte))
	}
	_ = w.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+path, &b)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "countinghouse", Value: token})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}
	res, err := client.Do(r)
	if err != nil {
		t.Fatalf("upload: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(body)}
}

func (a *archive) kept(t *testing.T) (n int) {
	t.Helper()
	for _, err := range a.files.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func (a *archive) documents(t *testing.T) []models.KYBDocument {
	t.Helper()
	p, err := a.store.KYBCase(t.Context(), a.ines.Actor(a.store), models.Sandbox, a.c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p.Documents
}

func pdf(words string) []byte { return demo.PDF("Certificate", words) }

var asScript = map[string]string{"Accept": "application/json"}

// bomb is a ZIP that is small and unpacks to a lot.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("zeros")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 20<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// deflated is a PDF whose stream unpacks to far more than it has.
func deflated(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	for range 200 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	return fmt.Appendf(nil, "%%PDF-1.5\n1 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n", packed.Len(), packed.Bytes())
}

func TestHostileFilesAreRefusedInWordsAndLeaveNothing(t *testing.T) {
	a := openArchive(t, "")
	long := append(pdf("long"), bytes.Repeat([]byte(" "), 10<<20)...)
	for name, c := range map[string]struct {
		file string
		body []byte
		says string
	}{
		"nothing in it":               {"empty.pdf", nil, "the file is empty"},
		"a web page that says PDF":    {"page.pdf", []byte("<!doctype html><script>alert(1)</script>"), "Only PDF, PNG, JPEG and WEBP can be taken"},
		"a program that says PNG":     {"run.png", []byte("MZ\x90\x00\x03\x00\x00\x00 this is a program"), "can be taken"},
		"a PDF that says PNG":         {"scan.png", pdf("x"), "the content is PDF"},
		"a zip bomb":                  {"bomb.zip", bomb(t), "an archive (ZIP)"},
		"a zip bomb that says PDF":    {"bomb.pdf", bomb(t), "an archive (ZIP)"},
		"a PDF that is a ZIP as well": {"both.pdf", append(pdf("x"), bomb(t)...), "an archive (ZIP)"},
		"more than ten megabytes":     {"long.pdf", long, "more than 10 MB"},
		"a picture of a million lines": {"huge.png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x0f\x42\x40\x00\x0f\x42\x40\x08\x02\x00\x00\x00" +
			"\x99\x39\x2b\x3a\x00\x00\x00\x00IEND\xaeB`\x82"), "picture"},
	} {
		got := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, nil, c.file, c.body)
		if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, c.says) || strings.Contains(got.body, "goroutine ") {
			t.Errorf("%s: %d without %q: %s", name, got.StatusCode, c.says, wordsOf(t, got))
		}
	}
	if n, d := a.kept(t), a.documents(t); n != 0 || len(d) != 0 {
		t.Errorf("%d files and %d documents were kept", n, len(d))
	}
}

func wordsOf(t *testing.T, a answer) string {
	t.Helper()
	return strings.Join(strings.Fields(a.doc(t).Find("main").Text()), " ")
}

func TestAPDFWithAScriptIsKeptWithAWarningAndNotShownInThePage(t *testing.T) {
	a := openArchive(t, "")
	wicked := bytes.Replace(pdf("x"), []byte("<</Type/Catalog/Pages 2 0 R>>"), []byte("<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>"), 1)
	got := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, asScript, "form.pdf", wicked)
	if got.StatusCode != 200 || !strings.Contains(got.body, `"ok":true`) || !strings.Contains(got.body, "with care") {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	page := a.get(t, "/kyb/documents/"+a.documents(t)[0].ID, a.ines.Token)
	if page.doc(t).Find("iframe").Length() != 0 || !strings.Contains(page.body, "Open it with care") {
		t.Error("it is shown, or nobody is warned")
	}
	if got := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, asScript, "deep.pdf", deflated(t)); got.StatusCode != 200 {
		t.Errorf("a PDF that unpacks to 200 MB: %d %s", got.StatusCode, got.body)
	}
}

func TestANameLeadsNowhereAndIsCleanWhereItIsShown(t *testing.T) {
	a := openArchive(t, "")
	got := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, nil, "../../../etc/x.pdf", pdf("1"), `..\\..\\boot<script>.pdf`, pdf("2"), "CON.pdf", pdf("3"), "a\u202efdp.exe.pdf", pdf("4"))
	if got.StatusCode != 200 {
		t.Fatalf("%d %s", got.StatusCode, wordsOf(t, got))
	}
	var names []string
	for _, d := range a.documents(t) {
		names = append(names, d.Current.Name)
		if !strings.HasPrefix(d.Current.Key, "kyb/sandbox/") || strings.Contains(d.Current.Key, "..") {
			t.Errorf("the key %q", d.Current.Key)
		}
	}
	if want := "x.pdf, boot_script_.pdf, _CON.pdf, afdp.exe.pdf"; strings.Join(names, ", ") != want {
		t.Errorf("names %q, want %q", strings.Join(names, ", "), want)
	}
	if err := filepath.WalkDir(filepath.Dir(a.folder), func(path string, _ os.DirEntry, err error) error {
		if !strings.HasPrefix(path, a.folder) && path != filepath.Dir(a.folder) {
			t.Errorf("a file came out of its folder: %s", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTwentyFilesAtOnceOneBadOneDoesNotHoldTheOthersUp(t *testing.T) {
	a := openArchive(t, "")
	var named []any
	for i := range 22 {
		body := pdf(fmt.Sprint(i))
		if i == 7 {
			body = []byte("no PDF")
		}
		named = append(named, fmt.Sprintf("paper %d.pdf", i), body)
	}
	got := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, nil, named...)
	if got.StatusCode != 422 || len(a.documents(t)) != 19 || a.kept(t) != 19 {
		t.Errorf("%d: %d documents, %d files", got.StatusCode, len(a.documents(t)), a.kept(t))
	}
	if !strings.Contains(got.body, "at most 20 at once") || strings.Count(got.body, "Taken.") != 19 {
		t.Errorf("what is said: %.300s", wordsOf(t, got))
	}
	again := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, asScript, "paper 3.pdf", pdf("3"))
	if again.StatusCode != 200 || !strings.Contains(again.body, "Here already") || a.kept(t) != 19 {
		t.Errorf("the same again: %s, %d files", again.body, a.kept(t))
	}
}

func TestAnUploadIsTakenFromThosePermittedOnlyAndOnlyUpToItsLimit(t *testing.T) {
	a := openArchive(t, "")
	path := "/kyb/cases/" + a.c.ID + "/files"
	if got := a.upload(t, path, "", nil, "a.pdf", pdf("1")); got.StatusCode != 303 || got.Header.Get("Location") != "/sign-in?done=ended" {
		t.Errorf("nobody: %d", got.StatusCode)
	}
	if got := a.upload(t, path, a.ada.Token, nil, "a.pdf", pdf("1")); got.StatusCode != 403 {
		t.Errorf("an admin: %d", got.StatusCode)
	}
	if got := a.upload(t, path, a.ines.Token, map[string]string{"Sec-Fetch-Site": "cross-site"}, "a.pdf", pdf("1")); got.StatusCode != 403 {
		t.Errorf("another site: %d", got.StatusCode)
	}
	if got := a.upload(t, "/kyb/cases/none/files", a.ines.Token, asScript, "a.pdf", pdf("1")); got.StatusCode != 404 {
		t.Errorf("no such case: %d", got.StatusCode)
	}
	if a.kept(t) != 0 {
		t.Error("something was kept")
	}
	for name, head := range map[string]string{"too long": "Content-Length: 900000000\r\n", "no length": "Transfer-Encoding: chunked\r\n"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(a.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: multipart/form-data; boundary=x\r\nSec-Fetch-Site: same-origin\r\nCookie: countinghouse=%s\r\n%s\r\n%s", path,
			strings.TrimPrefix(a.base, "http://"), a.ines.Token, head, strings.Repeat("y", 9000))
		line := make([]byte, 16)
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		n, _ := io.ReadFull(conn, line)
		want := map[string]string{"too long": " 413 ", "no length": " 411 "}[name]
		if !strings.Contains(string(line[:n]), want) {
			t.Errorf("%s: %q, want%s", name, line[:n], want)
		}
		_ = conn.Close()
	}
}

func TestAFileIsSealedAndComesBackInAWorldOfItsOwn(t *testing.T) {
	a := openArchive(t, "")
	body := pdf("CANARY-4471")
	a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, nil, `register \"extract\".pdf`, body)
	d := a.documents(t)[0]
	sum := sha256.Sum256(body)
	if d.Current.SHA256 != hex.EncodeToString(sum[:]) || d.Current.Scan != "unscanned" || d.Kind != "register" {
		t.Errorf("%+v", d.Current)
	}
	if raw, err := os.ReadFile(filepath.Join(a.folder, d.Current.Key)); err != nil || bytes.Contains(raw, []byte("CANARY")) || bytes.Contains(raw, []byte("%PDF")) {
		t.Error("it lies there in the clear", err)
	}
	page := a.get(t, "/kyb/documents/"+d.ID, a.ines.Token)
	if !strings.Contains(page.body, d.Current.SHA256) || !strings.Contains(page.body, "unscanned: no virus scanner is set up") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-src 'self'") {
		t.Error("the page says less than it should")
	}
	for how, disposition := range map[string]string{"": "inline", "/download": "attachment"} {
		got := a.get(t, "/kyb/files/"+d.Current.ID+how, a.ines.Token)
		h := got.Header
		if got.StatusCode != 200 || got.body != string(body) || h.Get("Content-Type") != "application/pdf" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Disposition"), disposition+";") || h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "SAMEORIGIN" {
			t.Errorf("%s: %d %v", disposition, got.StatusCode, h)
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'self'") || strings.Contains(csp, "script-src") {
			t.Errorf("the policy: %s", csp)
		}
	}
	if got := a.get(t, "/kyb/files/"+d.Current.ID, a.ada.Token); got.StatusCode != 403 {
		t.Errorf("an admin sees it: %d", got.StatusCode)
	}
	trail := a.get(t, "/audit", a.ada.Token).body
	if !strings.Contains(trail, "Looked at register") || !strings.Contains(trail, "Downloaded register") {
		t.Error("the audit trail does not say who looked")
	}
	raw, _ := os.ReadFile(filepath.Join(a.folder, d.Current.Key))
	raw[len(raw)-3] ^= 1
	if err := os.WriteFile(filepath.Join(a.folder, d.Current.Key), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := a.get(t, "/kyb/files/"+d.Current.ID, a.ines.Token); got.StatusCode != 503 || strings.Contains(got.body, "%PDF") {
		t.Errorf("a changed file: %d", got.StatusCode)
	}
}

// clamd says what a virus scanner would.
func clamd(t *testing.T, verdict string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				var got []byte
				buf := make([]byte, 32<<10)
				for !bytes.HasSuffix(got, []byte{0, 0, 0, 0}) {
					n, err := conn.Read(buf)
					if got = append(got, buf[:n]...); err != nil {
						return
					}
				}
				_, _ = conn.Write([]byte("stream: " + verdict + "\x00"))
			}()
		}
	}()
	return l.Addr().String()
}

func TestWithAScannerAFileIsCleanOrRefused(t *testing.T) {
	for verdict, ok := range map[string]bool{"OK": true, "Eicar-Test-Signature FOUND": false} {
		a := openArchive(t, clamd(t, verdict))
		got := a.upload(t, "/kyb/cases/"+a.c.ID+"/files", a.ines.Token, asScript, "a.pdf", pdf("1"))
		switch docs := a.documents(t); {
		case ok && (len(docs) != 1 || docs[0].Current.Scan != "clean"):
			t.Errorf("%s: %s %+v", verdict, got.body, docs)
		case !ok && (len(docs) != 0 || a.kept(t) != 0 || !strings.Contains(got.body, "found Eicar-Test-Signature")):
			t.Errorf("%s: %s, %d kept", verdict, got.body, a.kept(t))
		}
	}
}
