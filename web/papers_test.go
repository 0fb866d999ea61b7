package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// wait gives the transaction once it is as wanted.
func (s *tableHouse) wait(id, what string, want func(*models.TransactionPage) bool) *models.TransactionPage {
	s.Helper()
	var story *models.TransactionPage
	s.keyHouse.until(what, func() bool {
		var err error
		if story, err = s.store.Transaction(s.Context(), s.fin.Actor(s.store), models.Sandbox, id); err != nil {
			s.Fatal(err)
		}
		return want(story)
	})
	return story
}

func TestEvidenceFilesStayWithUsAndTheDisputeShowsExactlyWhatWasSent(t *testing.T) {
	s := openAeterna(t)
	id := s.make("deposit", "payin_card", "1500", url.Values{"v.client_id": {"customer-7"}})
	page := "/transactions/" + id
	s.until(id, models.AwaitingPayment)
	s.says(s.see(s.finance, page), "Evidence files", "They are never sent to Aeterna.", "files cannot be sent (assumed, AET-L-4)", "put it at an address that it can open")

	receipt := pdf("Receipt of customer-7")
	if a := s.sendFiles(t, page+"/papers", s.admin, nil, "receipt.pdf", receipt); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin puts a file on record: %d", a.StatusCode)
	}
	for name, body := range map[string][]byte{"evil.html": []byte("<script>alert(1)</script>"), "empty.pdf": {}, "huge.pdf": append(bytes.Clone(receipt), make([]byte, 11<<20)...)} {
		s.sendFiles(t, page+"/papers", s.finance, nil, name, body)
		s.says(s.see(s.finance, page), name+": Not taken")
	}
	s.sendFiles(t, page+"/papers", s.finance, nil, "../../receipt.pdf", receipt, "bad.exe", []byte("MZ"))
	s.says(s.see(s.finance, page), "Kept: receipt.pdf.", "bad.exe: Not taken")
	s.sendFiles(t, page+"/papers", s.finance, nil, "again.pdf", receipt)
	s.says(s.see(s.finance, page), "It is on record here already.")
	story := s.wait(id, "the file is on record", func(p *models.TransactionPage) bool { return len(p.Papers) == 1 })
	paper := story.Papers[0]
	kept, err := os.ReadFile(filepath.Join(s.dir, "files", filepath.FromSlash(paper.Key)))
	if err != nil || bytes.Contains(kept, []byte("%PDF")) {
		t.Errorf("the file lies in the store in the clear, or not at all: %v", err)
	}

	s.says(s.see(s.finance, page), "Put on file with this dispute, on our own record and not sent: receipt.pdf.")
	s.send(s.finance, page+"/dispute", url.Values{"reason": {"Paid at noon " + hostile}, "proof": {"https://files.example.com/slip.png"}, "amount": {"1400"}})
	story = s.wait(id, "the dispute is answered", func(p *models.TransactionPage) bool {
		return p.Attempts[len(p.Attempts)-1].State == models.AttemptAccepted
	})
	if story.Papers[0].AttemptID != story.Attempts[len(story.Attempts)-1].ID {
		t.Error("the file is not on file for the dispute")
	}
	d := s.see(s.finance, page)
	block := d.Find("#disputes .codeblock")
	sent := block.Find("pre").Text()
	for _, part := range []string{`"payInId":"` + story.Transaction.ProviderRef + `"`, `"amount":"1400.00"`, `"proofUrl":"https://files.example.com/slip.png"`, `"comment":"Paid at noon `} {
		if !strings.Contains(sent, part) {
			t.Errorf("what was sent does not show %s: %s", part, sent)
		}
	}
	s.says(d, "Sent to Aeterna: POST "+s.sandbox.URL+"/api/dispute/create", "On our record", "not sent to Aeterna")
	if strings.Contains(sent, "receipt") || strings.Contains(sent, "PDF") {
		t.Errorf("the file went to the provider: %s", sent)
	}
	if n := s.see(s.session(t, storetest.Add(t, s.store, "ines@example.com", "Ines", models.Compliance)), page).Find("#disputes pre").Length(); n != 0 {
		t.Error("somebody without exchanges.read sees a request")
	}

	a := s.get(t, page+"/papers/"+paper.ID, s.session(t, storetest.Add(t, s.store, "rhea@example.com", "Rhea", models.Auditor)))
	if a.StatusCode != http.StatusOK || a.body != string(receipt) || a.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "inline") ||
		!strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the file as it is shown: %d %v", a.StatusCode, a.Header)
	}
	if a := s.get(t, page+"/papers/"+paper.ID+"/download", s.finance); !strings.HasPrefix(a.Header.Get("Content-Disposition"), `attachment; filename=receipt.pdf`) {
		t.Errorf("the file as it is kept: %v", a.Header)
	}
	other := s.make("deposit", "payin_card", "70", url.Values{"v.client_id": {"customer-8"}})
	if a := s.get(t, "/transactions/"+other+"/papers/"+paper.ID, s.finance); a.StatusCode != http.StatusNotFound {
		t.Errorf("a file under another transaction: %d", a.StatusCode)
	}
	if inside := unpacked(t, s.get(t, page+"/evidence.zip", s.finance).body); !strings.Contains(inside, paper.SHA256) || !strings.Contains(inside, "papers.json") {
		t.Error("the evidence pack does not name the file")
	}
	trail := text(s.see(s.admin, "/audit"))
	for _, part := range []string{"Put receipt.pdf on the record of " + story.Transaction.Reference, "Looked at receipt.pdf of", "Downloaded receipt.pdf of"} {
		if !strings.Contains(trail, part) {
			t.Errorf("the trail does not say %q", part)
		}
	}
}

func TestASandboxCredentialLeadsToThePageOfItsStandIn(t *testing.T) {
	s := openAeterna(t)
	link := s.see(s.admin, "/credentials/"+s.cred).Find(`a[href$="/_sandbox/"]`).AttrOr("href", "")
	if link != s.sandbox.URL+"/_sandbox/" {
		t.Fatalf("it leads to %q", link)
	}
	r, err := http.Get(link) //nolint:noctx // our own stand-in
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("the page: %d", r.StatusCode)
	}
}
