package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// compliers are two people from compliance who have just shown their second factor, and an auditor.
func compliers(s *store.Store) (ines, omar, rhea models.Actor) {
	who := func(id, name string, role models.Role) models.Actor {
		return models.Actor{UserID: id, Name: name, Roles: []models.Role{role}, StepUp: s.Now()}
	}
	return who("u-ines", "Inês", models.Compliance), who("u-omar", "Omar", models.Compliance), who("u-rhea", "Rhea", models.Auditor)
}

// testRules is a provider that wants a certificate now, a passport that says until when, and a tax certificate within 180 days.
func testRules(string, models.Environment, map[string]string) (models.KYBRules, bool) {
	return models.KYBRules{Provider: "onekey", Title: "OneKey", MaxFiles: 3, MaxCompanies: 2, MaxFileBytes: 1000, MaxBytes: 1500, BatchBytes: 1500, Resend: models.ResendWhole,
		Requirements: []models.KYBRequirement{
			{ID: "inc", Title: "Proof that it exists", Kinds: []models.DocumentKind{"incorporation", "register"}},
			{ID: "id", Title: "Passport of a director", Kinds: []models.DocumentKind{"identity"}, Expires: true},
			{ID: "licence", Title: "Licence", Kinds: []models.DocumentKind{"licence"}, Types: []models.CompanyType{"financial"}},
			{ID: "tax", Title: "Tax certificate", Kinds: []models.DocumentKind{"tax"}, DueDays: 180},
		},
		States: map[string]models.KYBStanding{"pending": models.KYBNone, "looking": models.KYBInReview, "asks": models.KYBQuestion, "fine": models.KYBVerified, "no": models.KYBRefused}}, true
}

// desk is a house with a credential and one case with an account.
type kybDesk struct {
	*testing.T
	*store.Store
	clock            *storetest.Clock
	ines, omar, rhea models.Actor
	cred             models.Credential
	c                models.KYBCase
	link             models.KYBLink
	n                int
}

func eachKYB(t *testing.T, test func(d *kybDesk)) {
	t.Helper()
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		s.UseKYB(testRules)
		d := &kybDesk{T: t, Store: s, clock: clock}
		d.ines, d.omar, d.rhea = compliers(s)
		ann, _, _ := keyKeepers(s)
		d.cred = create(t, s, newVault(t), ann, models.Sandbox)
		if _, err := s.AskChange(t.Context(), ann, models.CredentialChange{CredentialID: d.cred.ID, Kind: models.ChangeActivate}, d.cred.Version); err != nil {
			t.Fatal(err)
		}
		d.c, d.link = d.company("Alpha Trading Ltd", "corporate", "100201")
		test(d)
	}, storetest.WithClock(clock))
}

func (d *kybDesk) company(name, kind, account string) (models.KYBCase, models.KYBLink) {
	d.Helper()
	c, err := d.CreateKYBCase(d.Context(), d.ines, models.Sandbox, store.KYBCaseForm{Company: name, Country: "sgp", Type: kind})
	if err != nil {
		d.Fatal(err)
	}
	l, err := d.LinkKYB(d.Context(), d.ines, models.Sandbox, c.ID, d.cred.ID, account)
	if err != nil {
		d.Fatal(err)
	}
	return c, l
}

// add uploads a file and describes it.
func (d *kybDesk) add(caseID string, form store.KYBDocumentForm) models.KYBDocument {
	d.Helper()
	d.n++
	id := models.NewID()
	doc, already, err := d.AddKYBFile(d.Context(), d.ines, models.Sandbox, store.NewKYBFile{CaseID: caseID, ID: id, Key: "kyb/sandbox/" + id, Name: "scan.pdf", Type: "application/pdf", Size: 400,
		SHA256: fmt.Sprintf("%064d", d.n), Scan: "unscanned", ScanNote: "no virus scanner is set up", Findings: []string{"The PDF contains a script."}})
	if err != nil || already {
		d.Fatal(err, already)
	}
	if form.Kind != "" {
		if err := d.DescribeKYBDocument(d.Context(), d.ines, models.Sandbox, doc.ID, doc.Version, form); err != nil {
			d.Fatal(err)
		}
	}
	return doc
}

func (d *kybDesk) page(caseID string) store.KYBCasePage {
	d.Helper()
	p, err := d.KYBCase(d.Context(), d.rhea, models.Sandbox, caseID)
	if err != nil {
		d.Fatal(err)
	}
	return p
}

func (d *kybDesk) prepare(caseID, linkID string, docs ...models.KYBDocument) models.KYBSubmission {
	d.Helper()
	var ids []string
	for _, doc := range docs {
		ids = append(ids, doc.ID)
	}
	sub, err := d.PrepareKYB(d.Context(), d.ines, models.Sandbox, caseID, linkID, ids, "")
	if err != nil {
		d.Fatal(err)
	}
	return sub
}

// decide lets somebody decide on the open request about a subject.
func (d *kybDesk) decide(who models.Actor, subjectID string, agree bool, reason string) error {
	d.Helper()
	list, err := d.Approvals(d.Context(), d.ines, store.ApprovalFilter{Environment: models.Sandbox, View: store.ApprovalsOpen})
	if err != nil {
		d.Fatal(err)
	}
	for _, r := range list.Rows {
		if r.SubjectID == subjectID {
			_, err := d.Decide(d.Context(), who, models.Sandbox, r.ID, agree, reason, r.Digest)
			return err
		}
	}
	d.Fatal("there is no request about " + subjectID)
	return nil
}

// approved is a submission that may leave.
func (d *kybDesk) approved(caseID, linkID string) models.KYBSubmission {
	d.Helper()
	sub := d.prepare(caseID, linkID, d.add(caseID, store.KYBDocumentForm{Kind: "incorporation"}))
	if err := d.decide(d.omar, sub.ID, true, ""); err != nil {
		d.Fatal(err)
	}
	return sub
}

func (d *kybDesk) submission(id string) models.KYBSubmission {
	d.Helper()
	p, err := d.KYBSubmission(d.Context(), d.rhea, models.Sandbox, id)
	if err != nil {
		d.Fatal(err)
	}
	return p.Submission
}

// limits of one call.
func limits() store.KYBLimits { return store.KYBLimits{Companies: 2, Bytes: 1500} }

// send hands submissions over and records what came of the one call.
func (d *kybDesk) send(state string, words map[string]string, ids ...string) *store.KYBOrder {
	d.Helper()
	run, err := d.SendKYB(d.Context(), d.ines, models.Sandbox, ids)
	if err != nil {
		d.Fatal(err)
	}
	o, err := d.BeginKYBCall(d.Context(), run.ID, "here", limits(), words)
	if err != nil || o == nil {
		d.Fatal(o, err)
	}
	if state != "" {
		if err := d.RecordKYBCall(d.Context(), o.Call.ID, store.KYBAnswer{State: state, Message: "so it is"}); err != nil {
			d.Fatal(err)
		}
	}
	return o
}

func (d *kybDesk) says(word, note string) {
	d.Helper()
	rules, _ := testRules("", "", nil)
	if err := d.RecordKYBWords(d.Context(), d.cred.ID, rules, map[string]store.KYBWord{"100201": {Word: word, Note: note}}); err != nil {
		d.Fatal(err)
	}
}

func TestWhatIsMissingAndWhatEndsWhenIsCountedWithEveryChange(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		if got := d.page(d.c.ID).Case; got.Missing != 2 || got.NextDay != "" || got.Country != "SGP" {
			d.Errorf("a fresh case: %+v", got)
		}
		d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		passport := d.add(d.c.ID, store.KYBDocumentForm{Kind: "identity", Holder: "Mei Tan", Number: "K1234567A", Issued: "2020-01-01", Expires: "2026-10-30"})
		got := d.page(d.c.ID)
		if got.Case.Missing != 0 || got.Case.NextDay != "2026-10-30" || got.Case.Documents != 2 {
			d.Errorf("with both documents: %+v", got.Case)
		}
		list, more, err := d.KYBCalendar(d.Context(), d.rhea, models.Sandbox, "2026-09-01", "2027-12-31", 10)
		want := []models.Deadline{
			{Day: "2026-10-30", What: "expires", CaseID: d.c.ID, Company: "Alpha Trading Ltd", DocumentID: passport.ID, Sentence: "Passport or identity card of Mei Tan expires"},
			{Day: "2026-10-31", What: "blocks", CaseID: d.c.ID, Company: "Alpha Trading Ltd", DocumentID: passport.ID, LinkID: d.link.ID, Provider: "onekey", Account: "100201", Requirement: "id",
				Sentence: "OneKey blocks account 100201: no valid passport of a director"},
			{Day: "2027-03-20", What: "due", CaseID: d.c.ID, Company: "Alpha Trading Ltd", LinkID: d.link.ID, Provider: "onekey", Account: "100201", Requirement: "tax",
				Sentence: "OneKey wants for account 100201: tax certificate"},
		}
		if diff := cmp.Diff(want, list); diff != "" || more || err != nil {
			d.Errorf("the calendar: %s %v %v", diff, more, err)
		}
		days, err := d.KYBDays(d.Context(), d.rhea, models.Sandbox, "2026-10-01", "2026-10-31")
		if diff := cmp.Diff(map[models.Date]map[string]int64{"2026-10-30": {"expires": 1}, "2026-10-31": {"blocks": 1}}, days); diff != "" || err != nil {
			d.Error(diff, err)
		}
		found, err := d.KYBCases(d.Context(), d.rhea, store.KYBFilter{Environment: models.Sandbox, Within: 60, Search: "alpha"})
		if err != nil || len(found.Rows) != 1 {
			d.Errorf("what ends within 60 days: %+v, %v", found, err)
		}
		if none, err := d.KYBCases(d.Context(), d.rhea, store.KYBFilter{Environment: models.Sandbox, Within: 30}); err != nil || len(none.Rows) != 0 {
			d.Errorf("what ends within 30 days: %+v, %v", none, err)
		}
		if other, err := d.KYBCases(d.Context(), d.rhea, store.KYBFilter{Environment: models.Live}); err != nil || len(other.Rows) != 0 {
			d.Errorf("the other environment shows it: %+v, %v", other, err)
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

// audited lists who did the given actions, in order.
func (d *kybDesk) audited(actions ...string) (out []string) {
	d.Helper()
	rows, err := d.ReadDB().QueryContext(d.Context(), "SELECT action, actor_name FROM audit_entries ORDER BY seq")
	if err != nil {
		d.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // read to its end
	for rows.Next() {
		var action, name string
		if err := rows.Scan(&action, &name); err != nil {
			d.Fatal(err)
		}
		if slices.Contains(actions, action) {
			out = append(out, action+" by "+name)
		}
	}
	if err := rows.Err(); err != nil {
		d.Fatal(err)
	}
	return out
}

func TestNobodyApprovesWhatTheyPreparedAndAnApprovalIsBoundToTheFiles(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		first, second := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"}), d.add(d.c.ID, store.KYBDocumentForm{Kind: "identity", Expires: "2030-01-01"})
		sub := d.prepare(d.c.ID, d.link.ID, first, second)
		if got := d.page(d.c.ID).Case.State; got != models.SubWaiting {
			d.Errorf("the case is %s", got)
		}
		if diff := cmp.Diff([]string{"scan.pdf", "scan (2).pdf"}, []string{sub.Files[0].Name, sub.Files[1].Name}); diff != "" {
			d.Errorf("names: %s", diff)
		}
		if err := d.decide(d.ines, sub.ID, true, ""); !models.Is(err, models.Forbidden) {
			d.Errorf("the preparer approved: %v", err)
		}
		if _, err := d.SendKYB(d.Context(), d.ines, models.Sandbox, []string{sub.ID}); !models.Is(err, models.Conflict) {
			d.Errorf("handed over without approval: %v", err)
		}
		if _, err := d.PrepareKYB(d.Context(), d.ines, models.Sandbox, d.c.ID, d.link.ID, []string{first.ID}, ""); !models.Is(err, models.Conflict) {
			d.Errorf("a second one of the same account: %v", err)
		}
		tamper(d, "UPDATE kyb_submission_files SET sha256 = 'other' WHERE submission_id = '"+sub.ID+"' AND position = 1")
		if err := d.decide(d.omar, sub.ID, true, ""); !models.Is(err, models.Conflict) {
			d.Errorf("other files were approved: %v", err)
		}
		tamper(d, "UPDATE kyb_submission_files SET sha256 = '"+second.Current.SHA256+"' WHERE submission_id = '"+sub.ID+"' AND position = 1")
		if err := d.decide(d.omar, sub.ID, true, ""); err != nil {
			d.Error(err)
		}
		tamper(d, "UPDATE kyb_versions SET sha256 = 'other' WHERE id = '"+first.Current.ID+"'")
		if _, err := d.SendKYB(d.Context(), d.ines, models.Sandbox, []string{sub.ID}); !models.Is(err, models.Conflict) {
			d.Errorf("another file was handed over than was approved: %v", err)
		}
	})
}

func tamper(d *kybDesk, statement string) {
	d.Helper()
	if _, err := d.WriteDB().ExecContext(context.Background(), statement); err != nil {
		d.Fatal(err)
	}
}

func TestWhatAProviderWouldNotTakeIsRefusedInWords(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		var ids []string
		for range 4 {
			ids = append(ids, d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"}).ID)
		}
		unsorted := d.add(d.c.ID, store.KYBDocumentForm{})
		for name, c := range map[string]struct {
			ids  []string
			part string
		}{"none": {nil, "at least one"}, "four": {ids, "at most 3 files"}, "unsorted": {[]string{unsorted.ID}, "say what it is"}, "foreign": {[]string{ids[0], "x"}, "not of this company"}} {
			_, err := d.PrepareKYB(d.Context(), d.ines, models.Sandbox, d.c.ID, d.link.ID, c.ids, "")
			if !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), c.part) {
				d.Errorf("%s: %v", name, err)
			}
		}
		tamper(d, "UPDATE kyb_versions SET size = 600 WHERE case_id = '"+d.c.ID+"'")
		if _, err := d.PrepareKYB(d.Context(), d.ines, models.Sandbox, d.c.ID, d.link.ID, ids[:3], ""); !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), "together") {
			d.Errorf("too large together: %v", err)
		}
	})
}

func TestTheListsOfKYBArePagedWithoutGaps(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		for i := range 6 {
			d.clock.Advance(time.Second)
			if _, err := d.CreateKYBCase(d.Context(), d.ines, models.Sandbox, store.KYBCaseForm{Company: fmt.Sprintf("C%d", i), Country: "DEU", Type: "corporate"}); err != nil {
				d.Fatal(err)
			}
		}
		var names []string
		f := store.KYBFilter{Environment: models.Sandbox, Limit: 3}
		for {
			list, err := d.KYBCases(d.Context(), d.rhea, f)
			if err != nil {
				d.Fatal(err)
			}
			for _, c := range list.Rows {
				names = append(names, c.Company)
			}
			if list.Older.At == 0 {
				break
			}
			f.Cursor = list.Older
		}
		if diff := cmp.Diff([]string{"C5", "C4", "C3", "C2", "C1", "C0", "Alpha Trading Ltd"}, names); diff != "" {
			d.Error(diff)
		}
		if _, err := d.CreateKYBCase(d.Context(), d.ines, models.Sandbox, store.KYBCaseForm{Company: " c0 ", Country: "DEU", Type: "corporate"}); !models.Is(err, models.Invalid) {
			d.Errorf("a company twice: %v", err)
		}
	})
}
