package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestASubAccountsPageShowsTheCaseThatHoldsItsDocuments(t *testing.T) {
	a := openArchive(t, "")
	ada, ines := a.ada.Actor(a.store), a.ines.Actor(a.store)
	cred, err := a.store.CreateCredential(t.Context(), ada, storetest.Vault(t), models.CredentialSpec{Provider: "wspn", Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: "WSPN"},
		Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"api_key": "key-0123456789", "api_secret": "secret-0123456789"}})
	if err != nil {
		t.Fatal(err)
	}
	now := models.At(a.clock.Now())
	held := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: "Gamma <b>Ltd", Country: "SGP", Type: "corporate", State: models.CaseCollecting, CreatedAt: now, UpdatedAt: now, Version: 1}
	l := models.KYBLink{ID: models.NewID(), CaseID: held.ID, Environment: models.Sandbox, Provider: "wspn", CredentialID: cred.ID, Account: "300777", Standing: models.KYBNone, Word: "Pending KYC", OpenedAt: now}
	if err := a.store.FillKYB(t.Context(), ines, []store.KYBSeed{{Case: held, Link: l, SubAccount: true}}); err != nil {
		t.Fatal(err)
	}
	p, err := a.store.KYBCase(t.Context(), ines, models.Sandbox, held.ID)
	if err != nil {
		t.Fatal(err)
	}
	path := "/sub-accounts/" + p.Links[0].SubAccountID
	card := a.get(t, path, a.ines.Token).doc(t).Find("#kyb")
	if href, _ := card.Find("a").Attr("href"); href != "/kyb/cases/"+held.ID || !strings.Contains(card.Text(), "Case of Gamma <b>Ltd") || !strings.Contains(card.Text(), "Collecting") || !strings.Contains(card.Text(), "Pending KYC") {
		t.Errorf("the card: %q", strings.Join(strings.Fields(card.Text()), " "))
	}
	fay := storetest.Add(t, a.store, "fay@example.com", "Fay", models.Finance)
	if card := a.get(t, path, fay.Token).doc(t).Find("#kyb"); card.Find("a").Length() != 0 || strings.Contains(card.Text(), "Case of") {
		t.Errorf("finance, who may not read KYB, sees %q", strings.Join(strings.Fields(card.Text()), " "))
	}
	if err := a.store.UnlinkKYB(t.Context(), ines, models.Sandbox, held.ID, l.ID); err != nil {
		t.Fatal(err)
	}
	if card := a.get(t, path, a.ines.Token).doc(t).Find("#kyb"); !strings.Contains(card.Text(), "No case holds documents for it") {
		t.Errorf("without a case: %q", strings.Join(strings.Fields(card.Text()), " "))
	}
}

// The page of what leaves follows the setting of the credential, and so does the program when somebody sends another form than the page's.
func TestThePageToPrepareTicksWhatTheCredentialsContractWants(t *testing.T) {
	a := openArchive(t, "")
	ada, ines := a.ada.Actor(a.store), a.ines.Actor(a.store)
	for i, c := range []struct {
		resend, ticked, says string
		status               int // of the form with everything ticked
	}{{"whole", "register.pdf, articles.pdf", "the whole set is handed over again", http.StatusSeeOther}, {"changed", "articles.pdf", "it wants only what changed", http.StatusUnprocessableEntity}} {
		cred, err := a.store.CreateCredential(t.Context(), ada, storetest.Vault(t), models.CredentialSpec{Provider: "wspn", Environment: models.Sandbox, CredentialNotes: models.CredentialNotes{Name: "WSPN " + c.resend},
			Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"api_key": "key-0123456789", "api_secret": "secret-0123456789"}, Settings: map[string]string{"kyb_resend": c.resend, "kyb_total_mb": "7"}})
		if err != nil {
			t.Fatal(err)
		}
		now := models.At(a.clock.Now())
		held := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: "Gamma " + c.resend, Country: "SGP", Type: "corporate", State: models.CaseCollecting, CreatedAt: now, UpdatedAt: now, Version: 1}
		l := models.KYBLink{ID: models.NewID(), CaseID: held.ID, Environment: models.Sandbox, Provider: "wspn", CredentialID: cred.ID, Account: fmt.Sprint(300700 + i), Standing: models.KYBRefused, OpenedAt: now}
		var docs []store.KYBSeedDocument
		for n, kind := range []models.DocumentKind{"register", "articles"} {
			d := models.KYBDocument{ID: models.NewID(), CaseID: held.ID, Environment: models.Sandbox, Kind: kind, CreatedAt: now + models.Micros(n)}
			d.Current = models.KYBVersion{ID: models.NewID(), DocumentID: d.ID, Number: 1, Key: "kyb/sandbox/" + d.ID, Name: string(kind) + ".pdf", Type: files.PDF, Size: 10, SHA256: strings.Repeat("a", 64), Scan: "unscanned"}
			docs = append(docs, store.KYBSeedDocument{KYBDocument: d})
		}
		sub := models.KYBSubmission{ID: models.NewID(), State: models.SubRefused, CreatedAt: now, SentAt: now, EndedAt: now}
		if err := a.store.FillKYB(t.Context(), ines, []store.KYBSeed{{Case: held, Link: l, Documents: docs, Submission: sub, Sent: []int{0}}}); err != nil {
			t.Fatal(err)
		}
		page := a.get(t, "/kyb/cases/"+held.ID+"/prepare", a.ines.Token).doc(t)
		var ticked []string
		page.Find("tbody tr").Each(func(_ int, row *goquery.Selection) {
			_, on := row.Find("input[type=checkbox]").Attr("checked")
			for _, name := range []string{"register.pdf", "articles.pdf"} {
				if on && strings.Contains(row.Text(), name) {
					ticked = append(ticked, name)
				}
			}
		})
		if strings.Join(ticked, ", ") != c.ticked || !strings.Contains(page.Text(), c.says) || !strings.Contains(page.Text(), "7 MB together") {
			t.Errorf("%s: ticked %q; %s", c.resend, ticked, strings.Join(strings.Fields(page.Find("main").Text()), " "))
		}
		got := a.post(t, "/kyb/cases/"+held.ID+"/prepare", a.ines.Token, url.Values{"account": {l.ID}, "documents": {docs[0].ID, docs[1].ID}})
		if got.StatusCode != c.status || c.status == http.StatusUnprocessableEntity && !strings.Contains(got.body, "has this version of register.pdf already") {
			t.Errorf("%s: everything ticked: %d", c.resend, got.StatusCode)
		}
	}
}
