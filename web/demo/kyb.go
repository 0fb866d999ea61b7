package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

// KYBAccount is where the companies of the demonstration have their accounts.
type KYBAccount struct {
	CredentialID string
	Rules        models.KYBRules
	Words        map[models.KYBStanding]string // the provider's words, as its stand-in says them
}

// Kept is a file that lies in the file store.
type Kept struct {
	Key, Name, Type, SHA256 string
	Size                    int64
}

// PaperKinds are the kinds of which there is a file: one for every kind, and a scan of a passport.
func PaperKinds() []models.DocumentKind {
	var out []models.DocumentKind
	for _, c := range models.DocumentKinds() {
		out = append(out, models.DocumentKind(c.Value))
	}
	return out
}

// Paper makes a small real file of a kind: a PDF of one page, or for a passport a picture.
func Paper(kind models.DocumentKind) (name string, body []byte) {
	title := models.Label(models.DocumentKinds(), kind)
	if kind == "identity" {
		return "passport.png", picture()
	}
	return strings.ReplaceAll(strings.ToLower(title), " ", "-") + ".pdf", PDF(title, "A made-up document of the demonstration.", "It proves nothing.")
}

// PDF writes a page with a title and lines of ASCII text.
func PDF(title string, lines ...string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "BT /F1 22 Tf 60 740 Td (%s) Tj /F1 12 Tf", pdfText(title))
	for i, l := range lines {
		down := 20
		if i == 0 {
			down = 40
		}
		fmt.Fprintf(&text, " 0 -%d Td (%s) Tj", down, pdfText(l))
	}
	text.WriteString(" ET")
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", text.Len(), text.String()), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func pdfText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(s)
}

// picture draws what looks like the page of a passport from far away.
func picture() []byte {
	img := image.NewPaletted(image.Rect(0, 0, 420, 300), color.Palette{color.RGBA{231, 226, 214, 255}, color.RGBA{60, 72, 88, 255}, color.RGBA{150, 160, 168, 255}})
	fill := func(x0, y0, x1, y1 int, c uint8) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				img.SetColorIndex(x, y, c)
			}
		}
	}
	fill(30, 40, 150, 200, 2)
	for i := range 6 {
		fill(180, 50+i*26, 180+200-i*17, 60+i*26, 1)
	}
	for i := range 2 {
		fill(30, 230+i*26, 390, 242+i*26, 1)
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

var (
	firstWords  = []string{"Alder", "Baltic", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper", "Kestrel", "Lantern", "Meridian", "Nordlys", "Orchid", "Pioneer", "Quarry", "Riverbend", "Saffron", "Tern"}
	secondWords = []string{"Trading", "Logistics", "Payments", "Foods", "Textiles"}
	homes       = []struct{ country, form, issuer string }{{"SGP", "Pte Ltd", "ACRA"}, {"DEU", "GmbH", "Amtsgericht Hamburg"}, {"GBR", "Ltd", "Companies House"}, {"BRA", "Ltda", "Receita Federal"}, {"KEN", "Ltd", "Registrar of Companies"}, {"HKG", "Ltd", "Companies Registry"}}
	people      = []string{"Mei Tan", "Jonas Weber", "Amara Mwangi", "Paulo Reis", "Grace Liu", "Owen Hughes"}
)

// Companies makes n companies with documents each, ending around now. The same seed makes the same ones.
func Companies(seed uint64, n, documents int, now time.Time, at KYBAccount, papers map[models.DocumentKind]Kept) []store.KYBSeed {
	rng := rand.New(rand.NewPCG(seed, 0x6b7962)) //nolint:gosec // a play, repeatable by its seed
	out := make([]store.KYBSeed, 0, n)
	for i := range n {
		out = append(out, company(rng, i, n, documents, now, at, papers))
	}
	return out
}

func company(rng *rand.Rand, i, n, documents int, now time.Time, at KYBAccount, papers map[models.DocumentKind]Kept) store.KYBSeed {
	home := homes[rng.IntN(len(homes))]
	kind := models.CompanyType("corporate")
	switch {
	case i%11 == 3:
		kind = "financial"
	case i%17 == 5:
		kind = "partnership"
	}
	opened := now.AddDate(0, 0, -20-rng.IntN(340)).Add(-time.Duration(i) * time.Minute)
	name := firstWords[i%len(firstWords)] + " " + secondWords[i/len(firstWords)%len(secondWords)] + " " + home.form
	if round := i / (len(firstWords) * len(secondWords)); round > 0 {
		name += fmt.Sprintf(" %d", round+1)
	}
	c := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: name, Country: home.country, Type: kind, RegNumber: fmt.Sprintf("%09d", 100000000+rng.IntN(899999999)),
		State: models.CaseCollecting, CreatedAt: models.At(opened), UpdatedAt: models.At(opened), Version: 1}
	x := store.KYBSeed{Case: c, SubAccount: true, Link: models.KYBLink{ID: models.NewID(), CaseID: c.ID, Environment: models.Sandbox, Provider: at.Rules.Provider, CredentialID: at.CredentialID,
		Account: fmt.Sprint(300001 + i), Standing: models.KYBNone, Word: at.Words[models.KYBNone], WordAt: models.At(now), OpenedAt: models.At(opened)}}
	// The last ones of the list are being gathered; the others were handed over.
	gathering := i >= n-n/8
	x.Documents = companyPapers(rng, c, kind, documents, gathering, now, opened, home.issuer, papers)
	if gathering || len(x.Documents) == 0 {
		return x
	}
	standing := models.KYBVerified
	switch {
	case i == 4:
		standing = models.KYBQuestion
	case i == 9:
		standing = models.KYBRefused
	case i%14 == 6:
		standing = models.KYBInReview
	}
	handOver(&x, standing, at, opened)
	return x
}

// handOver writes the story of what was sent.
func handOver(x *store.KYBSeed, standing models.KYBStanding, at KYBAccount, opened time.Time) {
	sent := models.At(opened.AddDate(0, 0, 6))
	x.Link.Standing, x.Link.Word = standing, at.Words[standing]
	x.Submission = models.KYBSubmission{ID: models.NewID(), State: map[models.KYBStanding]models.KYBState{models.KYBVerified: models.SubVerified, models.KYBQuestion: models.SubQuestion,
		models.KYBRefused: models.SubRefused, models.KYBInReview: models.SubSubmitted}[standing], CreatedAt: sent.Add(-3 * time.Hour), ApprovedAt: sent.Add(-time.Hour), SentAt: sent, ApprovedName: "Omar Haddad",
		WordBefore: at.Words[models.KYBNone]}
	if standing == models.KYBVerified || standing == models.KYBRefused {
		x.Submission.EndedAt = sent.Add(52 * time.Hour)
	}
	switch standing {
	case models.KYBQuestion:
		x.Link.WordNote = "Please send the register of shareholders with the date of issue."
		x.Task = fmt.Sprintf("%s asks about account %s: %s", at.Rules.Title, x.Link.Account, x.Link.WordNote)
	case models.KYBRefused:
		x.Link.WordNote = "The passport cannot be read."
		x.Submission.Message = x.Link.WordNote
	}
	for i := range min(len(x.Documents), at.Rules.MaxFiles) {
		x.Sent = append(x.Sent, i)
	}
}

// companyPapers are a company's documents: what its list asks for first, then what gathers over time.
func companyPapers(rng *rand.Rand, c models.KYBCase, kind models.CompanyType, n int, gathering bool, now, opened time.Time, issuer string, papers map[models.DocumentKind]Kept) []store.KYBSeedDocument {
	kinds := []models.DocumentKind{"incorporation", "register", "articles", "shareholders", "directors", "identity", "address_company", "bank", "resolution", "accounts", "tax", "identity", "address_person", "aml", "identity", "address_person", "other", "other", "bank", "other"}
	if kind == "financial" {
		kinds[1] = "licence"
	}
	if gathering {
		kinds, n = kinds[1:1+3+rng.IntN(4)], min(n, 6)
	}
	var out []store.KYBSeedDocument
	for i := range n {
		k := kinds[i%len(kinds)]
		paper := papers[k]
		if paper.Key == "" {
			continue
		}
		id, issued := models.NewID(), opened.AddDate(0, 0, -5-rng.IntN(200))
		d := store.KYBSeedDocument{KYBDocument: models.KYBDocument{ID: id, CaseID: c.ID, Environment: c.Environment, Kind: k, Issuer: issuer, Issued: models.Date(issued.Format(time.DateOnly)), State: models.DocumentKept,
			CreatedAt: models.At(opened.Add(time.Duration(i) * time.Minute))}}
		d.Current = models.KYBVersion{ID: models.NewID(), DocumentID: id, Key: paper.Key, Name: paper.Name, Type: paper.Type, Size: paper.Size, SHA256: paper.SHA256, Scan: "unscanned", ScanNote: "no virus scanner is set up"}
		switch k {
		case "identity", "address_person":
			d.Holder = people[(i+rng.IntN(2))%len(people)]
		}
		if k == "identity" || k == "licence" {
			d.Number, d.Issuer = fmt.Sprintf("K%07d%c", rng.IntN(10_000_000), 'A'+rune(rng.IntN(26))), ""
			d.Expires = models.Date(now.AddDate(0, 0, -12+rng.IntN(1500)).Format(time.DateOnly))
			if rng.IntN(6) == 0 { // some of them soon
				d.Expires = models.Date(now.AddDate(0, 0, -3+rng.IntN(63)).Format(time.DateOnly))
			}
			d.Issued = models.Date(d.Expires.Time().AddDate(-5, 0, 0).Format(time.DateOnly))
		}
		out = append(out, d)
	}
	return out
}
