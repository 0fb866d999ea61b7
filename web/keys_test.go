package web_test

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
	"countinghouse/providers"
	"countinghouse/providers/all"
	"countinghouse/web"
)

// secrets are OneKey's keys in these tests. Each is a canary: none may be seen again anywhere.
var secrets = map[string]string{
	"cashout_api_key": "canaryLOGIN7c1", "cashout_api_passphrase": "canaryPASSw8Zq", "cashout_api_signature": "canarySIGNATUREf00d4b",
	"deposit_api_key": "canaryDEPOSITkey9", "deposit_api_signature": "canaryDEPOSITsig3", "read_only_key": "canaryREADONLYkey5",
}

// keyHouse is a house with an engine, and OneKey's stand-in beside it.
type keyHouse struct {
	*house
	*testing.T
	sandbox *httptest.Server
	hidden  map[string]string // what may be seen nowhere
	dir     string
	vault   string // the document of the vault's keys
	fin     storetest.Person
	bob     storetest.Person // the second admin
	admin   string           // sessions
	finance string
	pages   strings.Builder // everything any page said
}

func openKeys(t *testing.T) *keyHouse {
	t.Helper()
	return openProvider(t, "onekey", secrets)
}

// openProvider is a house with an engine, and a provider's stand-in beside it. The secrets, and what a test adds to hidden, may be seen nowhere.
func openProvider(t *testing.T, provider string, secrets map[string]string) *keyHouse {
	t.Helper()
	h := &keyHouse{house: &house{log: &logBook{}}, T: t, dir: t.TempDir(), hidden: maps.Clone(secrets)}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sandbox := all.Sandboxes()[provider](providers.SandboxOptions{Credential: secrets, Settings: map[string]string{}, Seed: 7})
	h.sandbox = httptest.NewServer(sandbox)
	cfg := web.Config{Data: h.dir, Listen: l.Addr().String(), GracePeriod: 5 * time.Second, Demo: true}
	if h.vault, err = vault.NewDocument(); err != nil {
		t.Fatal(err)
	}
	keys, err := vault.FromString(h.vault)
	if err != nil {
		t.Fatal(err)
	}
	v := vault.New(keys)
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	h.store, err = store.Open(t.Context(), store.Config{DSN: filepath.Join(h.dir, "countinghouse.db"), Vault: v, AuditKey: storetest.Key(), PasswordMemory: 256, Demo: true, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.ada = storetest.SetUp(t, h.store)
	h.bob = storetest.Add(t, h.store, "bob@example.com", "Bob", models.Admin)
	h.fin = storetest.Add(t, h.store, "fay@example.com", "Fay", models.Finance)
	engine, err := web.NewEngine(t.Context(), &web.Runtime{Config: cfg, Log: log, Store: h.store, Vault: v, Clock: time.Now, Providers: all.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	disk, err := files.OpenDisk(filepath.Join(h.dir, "files"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	h.App, err = web.New(cfg, web.Deps{Store: h.store, Log: log, Clock: time.Now, Providers: all.Registry(), Engine: engine, Files: files.Seal(disk, v)})
	if err != nil {
		t.Fatal(err)
	}
	h.base = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served, worked := make(chan error, 1), make(chan struct{})
	go func() { served <- h.Serve(ctx, l) }()
	beside, stopBeside := context.WithCancel(context.Background())
	go func() { defer close(worked); engine.RunForTest(beside) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		stopBeside()
		<-worked
		h.sandbox.Close()
		_ = sandbox.Close()
		_ = h.store.Close()
		h.noCanary()
	})
	h.admin, h.finance = h.session(t, h.ada), h.session(t, h.fin)
	return h
}

// noCanary looks for the secrets in everything that the program said or stored.
func (h *keyHouse) noCanary() {
	h.Helper()
	said := map[string]string{"a page": h.pages.String(), "the log": h.log.String()}
	if err := filepath.WalkDir(h.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // a file of this test's own folder
		said[path] = string(b)
		return err
	}); err != nil || len(said) < 3 {
		h.Errorf("the data folder: %d files, %v", len(said)-2, err)
	}
	for where, text := range said {
		for name, s := range h.hidden {
			if strings.Contains(text, s) {
				h.Errorf("%s holds the secret %s", where, name)
			}
		}
	}
}

// note keeps what an answer said, files taken out of their ZIP: compressed, a secret would not be found.
func (h *keyHouse) note(a answer) answer {
	h.pages.WriteString(unpacked(h.T, a.body))
	return a
}

// see opens a page that must exist.
func (h *keyHouse) see(session, path string) *goquery.Document {
	h.Helper()
	a := h.note(h.get(h.T, path, session))
	if a.StatusCode != http.StatusOK {
		h.Fatalf("GET %s: %d\n%s", path, a.StatusCode, text(a.doc(h.T)))
	}
	return a.doc(h.T)
}

// send posts a form and follows to the page that it leads to.
func (h *keyHouse) send(session, path string, form url.Values) (*goquery.Document, string) {
	h.Helper()
	a := h.note(h.post(h.T, path, session, form))
	if a.StatusCode == http.StatusSeeOther {
		to := a.Header.Get("Location")
		return h.see(session, to), to
	}
	if a.StatusCode != http.StatusOK && a.StatusCode != http.StatusUnprocessableEntity {
		h.Fatalf("POST %s: %d\n%s", path, a.StatusCode, text(a.doc(h.T)))
	}
	return a.doc(h.T), ""
}

func text(d *goquery.Document) string {
	return strings.Join(strings.Fields(d.Find("main").Text()), " ")
}

func (h *keyHouse) says(d *goquery.Document, parts ...string) {
	h.Helper()
	got := text(d)
	for _, p := range parts {
		if !strings.Contains(got, p) {
			h.Errorf("the page does not say %q:\n%s", p, got)
		}
	}
}

func (h *keyHouse) form(name string) url.Values {
	f := url.Values{"provider": {"onekey"}, "environment": {"sandbox"}, "name": {name}, "f.base_url": {h.sandbox.URL}, "do": {"save"}}
	for k, v := range secrets {
		f.Set("f."+k, v)
	}
	return f
}

// add writes a credential down, tests it and brings it into use, as an admin would. It gives the credential's id.
func (h *keyHouse) add(name string) string {
	h.Helper()
	_, at := h.send(h.admin, "/credentials", h.form(name))
	id := strings.TrimPrefix(at, "/credentials/")
	if len(id) != 36 {
		h.Fatalf("no credential was made: %q", at)
	}
	d, _ := h.send(h.admin, "/credentials/"+id+"/test", url.Values{"slot": {"current"}})
	h.says(d, "Cashouts keys", "Keys, signature and address are accepted.")
	d, _ = h.send(h.admin, "/credentials/"+id+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}})
	h.says(d, "Done: Bring the credential into use", "In use: payouts and deposits go through it.")
	return id
}

func TestAnAdminAddsTestsAndActivatesACredential(t *testing.T) {
	h := openKeys(t)
	d := h.see(h.admin, "/providers")
	h.says(d, "OneKey Payments", "No keys yet", "Passport of WSPN")
	d = h.see(h.admin, "/credentials/new?provider=onekey")
	d.Find("form input[type=password]").Each(func(_ int, s *goquery.Selection) {
		if v, has := s.Attr("value"); has && v != "" {
			t.Errorf("a secret field is filled with %q", v)
		}
	})
	if n := d.Find("form input[type=password]").Length(); n != 7 {
		t.Errorf("the form asks for %d secrets; OneKey has seven", n)
	}
	wrong := h.form("Main")
	wrong.Set("f.base_url", "http://169.254.169.254/latest")
	wrong.Set("name", "")
	wrong.Set("s.auth_scheme", "Basic")
	d, at := h.send(h.admin, "/credentials", wrong)
	h.says(d, "must begin with https", "Give the credential a name", "Choose one of the options for Scheme word")
	if at != "" {
		t.Errorf("a wrong form led to %s", at)
	}
	id := h.add("Main <b>keys</b> & co")
	d = h.see(h.admin, "/credentials/"+id)
	h.says(d, "Main <b>keys</b> & co", "…0d4b", h.base+"/hooks/"+id+"/cashout", "Scheme word before the signature", "Works")
	d = h.see(h.admin, "/providers")
	h.says(d, "Main <b>keys</b> & co", "Active")
	d = h.see(h.finance, "/credentials/"+id)
	if n := d.Find("main form").Length(); n != 0 {
		t.Errorf("finance sees %d forms on the page of keys", n)
	}
	if a := h.post(t, "/credentials/"+id+"/suspend", h.finance, nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("finance suspended keys: %d", a.StatusCode)
	}
	d, _ = h.send(h.admin, "/credentials/"+id+"/suspend", url.Values{"reason": {"looks odd"}})
	h.says(d, "Suspended. Nothing new is sent through it.")
}

func TestWrongKeysAreNamedInWords(t *testing.T) {
	h := openKeys(t)
	f := h.form("Mistyped")
	f.Set("f.cashout_api_signature", "canaryOTHERsignature11")
	_, at := h.send(h.admin, "/credentials", f)
	d, _ := h.send(h.admin, at+"/test", nil)
	h.says(d, "Signature refused", "check the API signature of the cashouts keys")
	f = h.form("Nowhere")
	f.Set("f.base_url", "http://127.0.0.1:9")
	_, at = h.send(h.admin, "/credentials", f)
	d, _ = h.send(h.admin, at+"/test", nil)
	h.says(d, "Host unreachable")
}

func TestSecretsAreReplacedInThreeSteps(t *testing.T) {
	h := openKeys(t)
	id := h.add("Main")
	page := "/credentials/" + id
	d, _ := h.send(h.admin, page+"/replace", url.Values{})
	h.says(d, "Enter at least one new secret.")
	d, _ = h.send(h.admin, page+"/replace", url.Values{"f.cashout_api_signature": {"canaryWRONGsignature12"}})
	h.says(d, "What the test of the new secrets showed", "Signature refused", "test the new secrets first")
	d, _ = h.send(h.admin, page+"/ask", url.Values{"kind": {"promote"}, "version": {"1"}})
	h.says(d, "have not passed the provider's reading calls")
	d, _ = h.send(h.admin, page+"/replace", url.Values{"f.cashout_api_signature": {secrets["cashout_api_signature"]}})
	h.says(d, "What the test of the new secrets showed", "Keys, signature and address are accepted.", "passed the test")
	d, _ = h.send(h.admin, page+"/ask", url.Values{"kind": {"promote"}, "version": {"1"}})
	h.says(d, "Done: Let the new secrets take over", "verifies webhooks until", "Return to the previous secrets")
	d, _ = h.send(h.admin, page+"/drop", url.Values{"slot": {"previous"}})
	h.says(d, "Destroyed.")
	d, _ = h.send(h.admin, page+"/revoke", url.Values{"reason": {"the test is over"}})
	h.says(d, "Its secrets were destroyed", "There are no secrets")
	if d.Find("main form").Length() != 0 {
		t.Error("a revoked credential still has forms")
	}
}

func TestInLiveASecondAdminSeesWhatWouldChange(t *testing.T) {
	h := openKeys(t)
	bob := h.session(t, h.bob)
	for _, s := range []string{h.admin, bob} {
		if a := h.post(t, "/environment", s, url.Values{"environment": {"live"}}); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("switch to live: %d", a.StatusCode)
		}
	}
	f := h.form("Live keys")
	f.Set("environment", "live")
	d, at := h.send(h.admin, "/credentials", f)
	h.says(d, "A base URL on this machine is allowed for sandbox credentials only")
	if at != "" {
		t.Fatal("loopback in live")
	}
	f.Set("f.base_url", "https://api.onekeypayments.example")
	d, at = h.send(h.admin, "/credentials", f)
	h.says(d, "Written down as a draft", "test the keys first")
	id := strings.TrimPrefix(at, "/credentials/")
	ada := h.ada.Actor(h.store)
	if err := h.store.RecordTest(t.Context(), ada, store.CredentialTest{CredentialID: id, Version: 1, Slot: models.SlotCurrent, Verdict: "ok", Sentence: "Works."}); err != nil {
		t.Fatal(err)
	}
	d, _ = h.send(h.admin, at+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}, "reason": {"Go live on Monday"}})
	h.says(d, "A second admin must agree now", "Go live on Monday", "Withdraw")
	d = h.see(bob, "/providers")
	h.says(d, "Waits for a second admin", "Bring the credential into use")
	d = h.see(bob, at)
	h.says(d, "https://api.onekeypayments.example", "fingerprint")
	action, _ := d.Find("#change form").Attr("action")
	if a := h.post(t, action, h.admin, url.Values{"decision": {"agree"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("who asked agreed: %d", a.StatusCode)
	}
	d, _ = h.send(bob, action, url.Values{"decision": {"agree"}})
	h.says(d, "Agreed. It is done.", "Active")
	d, _ = h.send(h.admin, at+"/edit", url.Values{"version": {"1"}, "f.base_url": {"https://other.example"}, "reason": {"They moved"}})
	h.says(d, "Nothing has changed yet", "https://other.example")
	d = h.see(bob, at)
	action, _ = d.Find("#change form").Attr("action")
	d, _ = h.send(bob, action, url.Values{"decision": {"refuse"}, "note": {"I have not heard of that"}})
	h.says(d, "Refused. Nothing has changed.", "I have not heard of that", "https://api.onekeypayments.example")
	d, _ = h.send(bob, at+"/contract/OKP-SIG-2/confirm", url.Values{})
	h.says(d, "Say what convinced you")
	for _, s := range []string{h.admin, bob} {
		d, _ = h.send(s, at+"/contract/OKP-SIG-2/confirm", url.Values{"reason": {"Their letter of Friday"}})
	}
	h.says(d, "Confirmed by two admins", "Their letter of Friday")
	if a := h.get(t, at, h.finance); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, "Switch the environment") {
		t.Errorf("a live credential in the sandbox: %d", a.StatusCode)
	}
}
