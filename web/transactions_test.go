package web_test

import (
	"encoding/csv"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// fill writes a few transactions, newest last, with hostile words where a provider or a person could have put them.
func fill(t *testing.T, s *store.Store, n int) []models.Transaction {
	t.Helper()
	var all []models.Transaction
	for i := range n {
		at := s.Now().Add(-1) - models.Micros((n-i)*1_000_000)
		x := models.Transaction{ID: models.NewID(), Environment: models.Sandbox, Kind: []models.Kind{models.Payout, models.Deposit}[i%2], Provider: "onekey", CredentialID: "c",
			Reference: models.NewReference(), ProviderRef: "=1+1", State: models.Succeeded, Word: "<b>1</b>", Amount: models.Money{Minor: int64(123450 + i), Asset: "BRL"},
			Party: `@SUM(A1) <script>alert("x")</script>`, CreatedByName: "+Ada", CreatedAt: at, UpdatedAt: at}
		all = append(all, x)
	}
	i := 0
	if _, err := s.Fill(t.Context(), func() *store.History {
		if i++; i > len(all) {
			return nil
		}
		return &store.History{Transaction: all[i-1]}
	}, false); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestAnExportIsTheScreen compares the references of a filtered list on the page, in both CSV forms and in the workbook: the same rows, the
// same order. Foreign text cannot become a formula, and amounts stay numbers.
func TestAnExportIsTheScreen(t *testing.T) {
	h := open(t, inDemo)
	fin := storetest.Add(t, h.store, "fin@example.com", "Fin", models.Finance)
	token := h.session(t, fin)
	fill(t, h.store, 70)
	var screen []string
	for next := "/transactions?kind=payout"; next != ""; {
		doc := h.get(t, next, token).doc(t)
		doc.Find("tr[data-ref]").Each(func(_ int, s *goquery.Selection) {
			screen = append(screen, s.AttrOr("data-ref", ""))
		})
		next = doc.Find(`nav.pager a[rel="next"]`).AttrOr("href", "")
	}
	if len(screen) != 35 {
		t.Fatalf("the screen shows %d payouts, want 35", len(screen))
	}
	for format, comma := range map[string]rune{"csv": ',', "csv-semicolon": ';'} {
		got := h.get(t, "/transactions/export?kind=payout&format="+format, token)
		text, marked := strings.CutPrefix(got.body, "\xef\xbb\xbf")
		if got.StatusCode != 200 || !marked {
			t.Fatalf("%s: %d, byte order mark %v", format, got.StatusCode, marked)
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		checkExport(t, format, rows, screen)
	}
	got := h.get(t, "/transactions/export?kind=payout&format=xlsx", token)
	book, err := excelize.OpenReader(strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Transactions", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	checkExport(t, "xlsx", rows, screen)
}

func checkExport(t *testing.T, format string, rows [][]string, screen []string) {
	t.Helper()
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var refs []string
	for _, r := range rows[1:] {
		refs = append(refs, r[column["reference"]])
		for _, name := range []string{"provider_reference", "destination_or_payer", "made_by"} {
			if !strings.HasPrefix(r[column[name]], "'") {
				t.Fatalf("%s: %s could be taken for a formula: %q", format, name, r[column[name]])
			}
		}
		if a := r[column["amount"]]; !strings.HasPrefix(a, "-12") {
			t.Fatalf("%s: a payout's amount is %q", format, a)
		}
	}
	if d := cmp.Diff(screen, refs); d != "" {
		t.Errorf("%s differs from the screen:\n%s", format, d)
	}
}

// TestAProvidersWordsAreWords: what a provider or a person wrote is shown and never obeyed.
func TestAProvidersWordsAreWords(t *testing.T) {
	h := open(t, inDemo)
	fin := storetest.Add(t, h.store, "fin@example.com", "Fin", models.Finance)
	token := h.session(t, fin)
	all := fill(t, h.store, 2)
	for _, path := range []string{"/transactions", "/transactions/" + all[0].ID, "/transactions/" + all[0].ID + "/peek", "/transactions?q=" + url.QueryEscape(`"><script>alert(1)</script>`)} {
		got := h.get(t, path, token)
		if got.StatusCode != 200 || strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "<b>1</b>") {
			t.Errorf("%s: %d, or foreign markup is obeyed", path, got.StatusCode)
		}
	}
}

// TestWhatIsInOneEnvironmentIsNotInTheOther: a sandbox transaction does not exist for somebody who works in live.
func TestWhatIsInOneEnvironmentIsNotInTheOther(t *testing.T) {
	h := open(t, inDemo)
	fin := storetest.Add(t, h.store, "fin@example.com", "Fin", models.Finance)
	token := h.session(t, fin)
	all := fill(t, h.store, 2)
	h.post(t, "/environment", token, url.Values{"environment": {"live"}})
	if got := h.get(t, "/transactions/"+all[0].ID, token); got.StatusCode != 404 {
		t.Errorf("in live, a sandbox transaction answers %d", got.StatusCode)
	}
	if got := h.get(t, "/transactions", token); strings.Contains(got.body, all[0].Reference) {
		t.Error("live lists a sandbox transaction")
	}
}

// TestBadAmountsAndFiltersAreNamed: a form that is wrong comes back as typed with a sentence, and nothing is written.
func TestBadAmountsAndFiltersAreNamed(t *testing.T) {
	h := open(t, inDemo)
	fin := storetest.Add(t, h.store, "fin@example.com", "Fin", models.Finance)
	token := h.session(t, fin)
	got := h.get(t, "/transactions?state=gone&min=5&from=31.12.2026", token)
	if got.StatusCode != 200 || strings.Count(got.body, "A part of the filter was left out") != 3 {
		t.Errorf("a filter with three faults: %d", got.StatusCode)
	}
	if got := h.get(t, "/transactions/export?state=gone&format=csv", token); got.StatusCode != 422 {
		t.Errorf("an export of a filter that cannot be read: %d", got.StatusCode)
	}
	if got := h.post(t, "/payouts", token, url.Values{"credential": {"x"}, "method": {"y"}, "amount": {"1e9"}}); got.StatusCode != 404 {
		t.Errorf("a payout by a credential that does not exist: %d", got.StatusCode)
	}
}
