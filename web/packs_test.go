package web_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/pack"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/web"
)

// unpacked gives everything that is inside a ZIP or a workbook, file names too; anything else is given as it is.
func unpacked(t *testing.T, body string) string {
	t.Helper()
	if !strings.HasPrefix(body, "PK\x03\x04") {
		return body
	}
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatalf("a ZIP cannot be read: %v", err)
	}
	var out strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("\n" + f.Name + "\n")
		if _, err := io.Copy(&out, r); err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
	}
	return out.String()
}

// handedOut takes out every file that there is about a transaction, in all its forms, and gives what is inside. Each is noted, so that the
// house's own search for secrets covers it.
func (h *keyHouse) handedOut(id string) string {
	h.Helper()
	story, err := h.store.Transaction(h.Context(), h.ada.Actor(h.store), models.Sandbox, id)
	if err != nil {
		h.Fatal(err)
	}
	var all strings.Builder
	for _, path := range []string{"/transactions/export?format=csv", "/transactions/export?format=csv-semicolon", "/transactions/export?format=xlsx", "/transactions/" + id + "/evidence.zip"} {
		a := h.note(h.get(h.T, path, h.admin))
		inside := unpacked(h.T, a.body)
		if a.StatusCode != http.StatusOK || !strings.Contains(inside, story.Transaction.Reference) {
			h.Errorf("%s: %d; it does not hold the reference, so that finding nothing in it would prove nothing", path, a.StatusCode)
		}
		all.WriteString(inside)
	}
	return all.String()
}

// sent makes a payout over OneKey that a second person approves, waits until the stand-in has paid it, and lets a signed webhook come.
func (h *keyHouse) sent(cred string) *models.TransactionPage {
	h.Helper()
	gil := storetest.Add(h.T, h.store, "gil@example.com", "Gil", models.Finance)
	x, err := h.store.Create(h.Context(), h.fin.Actor(h.store), store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: cred,
		Method: "br_pix_cpf", Amount: models.Money{Minor: 184000, Asset: "BRL"}, Party: "João Álvares", DestinationDigest: "d-1",
		Detail: models.TransactionDetail{Values: map[string]string{"beneficiary_name": "João Álvares", "beneficiary_lastname": "Álvares", "document_id": "52998224725"}}})
	if err != nil {
		h.Fatal(err)
	}
	story := func() *models.TransactionPage {
		p, err := h.store.Transaction(h.Context(), h.ada.Actor(h.store), models.Sandbox, x.ID)
		if err != nil {
			h.Fatal(err)
		}
		return p
	}
	r := story().Approvals[0]
	if _, err := h.store.Decide(h.Context(), gil.Actor(h.store), models.Sandbox, r.ID, true, "", r.Digest); err != nil {
		h.Fatal(err)
	}
	h.until("it is sent", func() bool { return len(story().Evidence) > 1 })
	if got, said := h.hook("/hooks/"+cred+"/cashout", "application/x-www-form-urlencoded", cashoutCallback(x.Reference, secrets["cashout_api_signature"])); got != 200 {
		h.Fatalf("the webhook: %d %s", got, said)
	}
	h.until("the webhook is read", func() bool {
		list, err := h.store.Deliveries(h.Context(), h.ada.Actor(h.store), models.DeliveryFilter{Environment: models.Sandbox, TransactionID: x.ID})
		return err == nil && len(list) == 1
	})
	return story()
}

func TestAnEvidencePackIsCheckedWithoutTheHouse(t *testing.T) {
	h := openKeys(t)
	story := h.sent(h.add("Main"))
	tx := story.Transaction
	inside := h.handedOut(tx.ID)
	for _, want := range []string{"52998224725", "exchanges/001-", "webhooks/001-cashout.body", "external_id=" + tx.Reference, "Rule: ", `"decision": "approve"`, `"name": "Gil"`,
		"[redacted]", "approval.approve", h.sandbox.URL} {
		if !strings.Contains(inside, want) {
			t.Errorf("the pack does not hold %q", want)
		}
	}
	a := h.get(t, "/transactions/"+tx.ID+"/evidence.zip", h.admin)
	if got := a.Header.Get("Content-Disposition"); got != `attachment; filename="evidence-`+tx.Reference+`.zip"` || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, cached %s", got, a.Header.Get("Cache-Control"))
	}
	file, key := filepath.Join(t.TempDir(), "pack.zip"), storetest.Key().Public().(ed25519.PublicKey)
	if err := os.WriteFile(file, []byte(a.body), 0o600); err != nil {
		t.Fatal(err)
	}
	pem, err := pack.PublicPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := web.CheckPack(&out, file, bytes.NewReader(pem)); err != nil || !strings.Contains(out.String(), "by the key that you gave") || !strings.Contains(out.String(), "The pack holds.") {
		t.Errorf("check-pack: %v\n%s", err, out.String())
	}
	out.Reset()
	other := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	if pem, err = pack.PublicPEM(other); err != nil {
		t.Fatal(err)
	}
	if err := web.CheckPack(&out, file, bytes.NewReader(pem)); err == nil || web.ExitCode(err, io.Discard) != 1 || !strings.Contains(out.String(), "DOES NOT HOLD") {
		t.Errorf("with a stranger's key: %v\n%s", err, out.String())
	}
	if err := web.CheckPack(io.Discard, "packs_test.go", nil); !models.Is(err, models.Invalid) {
		t.Errorf("what is no pack: %v", err)
	}
	h.says(h.see(h.admin, "/audit"), "Took the evidence pack of "+tx.Reference)
	fin := h.get(t, "/transactions/"+tx.ID+"/evidence.zip", h.finance)
	if got := unpacked(t, fin.body); strings.Contains(got, `"signature":"`) || !strings.Contains(got, `"part": "audit"`) {
		t.Error("finance took out audit entries that finance may not read, or is not told that they are missing")
	}
	if a := h.get(t, "/transactions/"+models.NewID()+"/evidence.zip", h.admin); a.StatusCode != http.StatusNotFound {
		t.Errorf("a pack of nothing: %d", a.StatusCode)
	}
}

func TestAReceiptIsHandedOutAndNoted(t *testing.T) {
	h := open(t, inDemo, func(c *web.Config) { c.Merchant = "Łukasz & Co" })
	x := fill(t, h.store, 1)[0]
	who := h.session(t, h.ada)
	a := h.get(t, "/transactions/"+x.ID+"/receipt.pdf", who)
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.body, "%PDF-") || a.Header.Get("Content-Type") != "application/pdf" || a.Header.Get("Cache-Control") != "no-store" ||
		a.Header.Get("Content-Disposition") != `attachment; filename="receipt-`+x.Reference+`.pdf"` {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	h.get(t, "/audit", who).says(t, "main", "Took the receipt of "+x.Reference)
	h.get(t, "/transactions/"+x.ID, who).says(t, "#live", "Receipt", "Evidence pack")
	if a := h.get(t, "/transactions/"+models.NewID()+"/receipt.pdf", who); a.StatusCode != http.StatusNotFound {
		t.Errorf("a receipt of nothing: %d", a.StatusCode)
	}
}

func TestAuditorsReadNotesAndWriteNone(t *testing.T) {
	h := open(t, inDemo)
	x := fill(t, h.store, 1)[0]
	at := "/transactions/" + x.ID
	for role, may := range map[models.Role]bool{models.Finance: true, models.Compliance: true, models.Admin: true, models.Auditor: false} {
		who := h.session(t, storetest.Add(t, h.store, "n-"+string(role)+"@example.com", "N "+string(role), role))
		if form := h.get(t, at, who).doc(t).Find(`form[action="` + at + `/notes"]`).Length(); (form == 1) != may {
			t.Errorf("%s sees %d forms for a note", role, form)
		}
		a := h.post(t, at+"/notes", who, url.Values{"note": {"by " + string(role)}})
		if done := a.StatusCode == http.StatusSeeOther; done != may {
			t.Errorf("%s adds a note: %d", role, a.StatusCode)
		}
	}
	auditor := h.session(t, storetest.Add(t, h.store, "o@example.com", "O", models.Auditor))
	page := h.get(t, at, auditor)
	page.says(t, "#notes", "by finance", "by compliance", "by admin")
	if strings.Contains(page.text(t, "#notes"), "by auditor") {
		t.Error("an auditor wrote a note")
	}
}
