package web_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

func TestTheAccessReviewIsAPageAndAFile(t *testing.T) {
	h := open(t, inDemo)
	fina := storetest.Add(t, h.store, "fina@example.com", "=Fina, \"Finance\"", models.Finance)
	rhea := storetest.Add(t, h.store, "rhea@example.com", "Rhea", models.Auditor)
	yesterday := h.clock.Now().UTC().Format("2006-01-02")
	h.clock.Advance(24 * time.Hour)
	if _, err := h.store.ChangeRoles(t.Context(), h.ada.Actor(h.store), fina.ID, []models.Role{models.Compliance}); err != nil {
		t.Fatal(err)
	}
	token := h.session(t, rhea)
	now := h.get(t, "/people/access", token)
	row := func(a answer, name string) string {
		return a.doc(t).Find("#people tbody tr").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.Contains(s.Text(), name) }).Text()
	}
	if got := row(now, "Fina"); now.StatusCode != 200 || !strings.Contains(got, "compliance") || strings.Contains(got, "finance") && !strings.Contains(got, "fina@") {
		t.Errorf("now: %d %q", now.StatusCode, got)
	}
	if got := row(h.get(t, "/people/access?date="+yesterday, token), "Fina"); !strings.Contains(got, "finance") {
		t.Errorf("yesterday: %q", got)
	}
	for _, bad := range []string{"tomorrow", "2999-01-01", "2026-13-01", "<script>"} {
		if got := h.get(t, "/people/access?date="+bad, token); got.StatusCode != 422 || strings.Contains(got.body, "<script>alert") {
			t.Errorf("%s: %d", bad, got.StatusCode)
		}
	}
	file := h.get(t, "/people/access/export?date="+yesterday, token)
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	if err != nil || len(lines) != 4 || !strings.Contains(file.Header.Get("Content-Disposition"), "access-"+yesterday+".csv") {
		t.Fatalf("the file: %v, %d lines, %s", err, len(lines), file.Header.Get("Content-Disposition"))
	}
	column := func(name string) int { return slices.Index(lines[0], name) }
	for _, l := range lines[1:] {
		if !strings.Contains(l[column("person")], "Fina") {
			continue
		}
		if l[column("person")] != "'=Fina, \"Finance\"" || l[column("roles")] != "finance" || l[column("payouts.create")] != "yes" || l[column("kyb.manage")] != "no" || l[column("second_factor")] != "app" || l[column("last_sign_in_utc")] == "" {
			t.Errorf("Fina's line: %q", l)
		}
	}
	trail := h.get(t, "/audit?action=export", token)
	if !strings.Contains(trail.body, "Exported the access review as csv") {
		t.Error("the export is not in the trail")
	}
}
