package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

func TestCompaniesAreFoundByTheBeginningsOfTheirWordsAndByTheirRegisterNumber(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		d.clock.Advance(time.Second)
		other, _ := d.company("Müller & Söhne Handels GmbH", "corporate", "100202")
		find := func(q string, want ...string) {
			d.Helper()
			list, err := d.KYBCases(d.Context(), d.rhea, store.KYBFilter{Environment: models.Sandbox, Search: q})
			if err != nil {
				d.Fatal(err)
			}
			var got []string
			for _, c := range list.Rows {
				got = append(got, c.Company)
			}
			if strings.Join(got, "; ") != strings.Join(want, "; ") {
				d.Errorf("%q finds %q, want %q", q, got, want)
			}
		}
		find("trad", "Alpha Trading Ltd")
		find("  ALPHA   tr ", "Alpha Trading Ltd")
		find("ading")
		find("müll söh", other.Company)
		find("alpha müller")
		find("%_' OR 1=1 --")
		find("!!!")
		if err := d.ChangeKYBCase(d.Context(), d.ines, models.Sandbox, other.ID, d.page(other.ID).Case.Version, store.KYBCaseForm{Company: "Weber Handels GmbH", Country: "DEU", Type: "corporate", RegNumber: "HRB 4471"}); err != nil {
			d.Fatal(err)
		}
		find("müller")
		find("handels", "Weber Handels GmbH")
		find("hrb 44", "Weber Handels GmbH")
		// A case from before the words: the sweep writes them, once.
		if _, err := d.WriteDB().ExecContext(d.Context(), "DELETE FROM kyb_case_words"); err != nil {
			d.Fatal(err)
		}
		if _, err := d.WriteDB().ExecContext(d.Context(), "UPDATE kyb_cases SET worded = 0"); err != nil {
			d.Fatal(err)
		}
		find("alpha")
		for _, want := range []int{2, 0} {
			if n, err := d.WordKYB(d.Context()); err != nil || n != want {
				d.Errorf("wrote the words of %d cases, %v; want %d", n, err, want)
			}
		}
		find("alpha", "Alpha Trading Ltd")
	})
}

func TestNoListOfKYBWalksItsTableAndNoCalendarEither(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		if d.Engine != store.SQLite {
			d.Skip("PostgreSQL walks small tables whatever their indexes; the queries are the same")
		}
		var seeds []store.KYBSeed
		for i := range 300 {
			at := models.At(d.clock.Now().Add(-time.Duration(i) * time.Hour))
			c := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: fmt.Sprintf("Company %d Ltd", i), Country: "SGP", Type: "corporate", State: models.CaseCollecting, CreatedAt: at, UpdatedAt: at, Version: 1}
			seeds = append(seeds, store.KYBSeed{Case: c, Link: models.KYBLink{ID: models.NewID(), CaseID: c.ID, Environment: models.Sandbox, Provider: "onekey", CredentialID: d.cred.ID, Account: fmt.Sprint(500000 + i),
				Standing: models.KYBNone, OpenedAt: at}})
		}
		if err := d.FillKYB(d.Context(), d.ines, seeds); err != nil {
			d.Fatal(err)
		}
		f := func(change func(*models.KYBFilter)) models.KYBFilter {
			x := models.KYBFilter{Environment: models.Sandbox}
			change(&x)
			return x
		}
		plans, err := d.KYBPlans(d.Context(), map[string]models.KYBFilter{
			"cases":          f(func(*models.KYBFilter) {}),
			"a state":        f(func(x *models.KYBFilter) { x.State = models.SubVerified }),
			"missing":        f(func(x *models.KYBFilter) { x.Missing = true }),
			"asked":          f(func(x *models.KYBFilter) { x.Questions = true }),
			"a rare word":    f(func(x *models.KYBFilter) { x.Search = "alpha" }),
			"two words":      f(func(x *models.KYBFilter) { x.Search = "company 42" }),
			"nobody's words": f(func(x *models.KYBFilter) { x.Search = "zzz" }),
		}, "2026-09-21")
		if err != nil || len(plans) != 10 {
			d.Fatal(len(plans), err)
		}
		for name, plan := range plans {
			for line := range strings.Lines(plan) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "SCAN") && !strings.HasPrefix(line, "SCAN (") || strings.Contains(line, "TEMP B-TREE") && !strings.Contains(name, "word") {
					d.Errorf("%s: %s\n%s", name, line, plan)
				}
			}
			if uses := map[string]string{"missing": "kyb_cases_missing", "asked": "kyb_cases_asked", "a state": "kyb_cases_state", "days": "COVERING INDEX kyb_deadlines_count", "a rare word": "kyb_case_words"}[name]; !strings.Contains(plan, uses) {
				d.Errorf("%s does not use %s:\n%s", name, uses, plan)
			}
		}
	})
}
