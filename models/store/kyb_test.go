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

func TestANumberIsSealedAndEverySightOfItIsWrittenDown(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "identity", Number: "K1234567A", Expires: "2030-01-01"})
		page, err := d.KYBDocument(d.Context(), d.rhea, models.Sandbox, doc.ID)
		if err != nil || page.Document.NumberEnd != "67A" {
			d.Errorf("what lists show: %q, %v", page.Document.NumberEnd, err)
		}
		var stored []byte
		if err := d.ReadDB().QueryRowContext(d.Context(), "SELECT number FROM kyb_documents WHERE id = '"+doc.ID+"'").Scan(&stored); err != nil || strings.Contains(string(stored), "K1234567A") {
			d.Errorf("the database shows the number: %q, %v", stored, err)
		}
		number, err := d.ShowKYBNumber(d.Context(), d.rhea, models.Sandbox, doc.ID)
		if err != nil || number != "K1234567A" {
			d.Errorf("shown: %q, %v", number, err)
		}
		if _, err := d.OpenKYBFile(d.Context(), d.rhea, models.Sandbox, page.Versions[0].ID, "download"); err != nil {
			d.Error(err)
		}
		if got := d.audited("kyb.number", "kyb.download"); !slices.Equal(got, []string{"kyb.number by Rhea", "kyb.download by Rhea"}) {
			d.Errorf("audited: %v", got)
		}
		fay := models.Actor{UserID: "f", Roles: []models.Role{models.Finance}}
		for name, err := range map[string]error{"the number": errOf(d.ShowKYBNumber(d.Context(), fay, models.Sandbox, doc.ID)), "the file": errOf(d.OpenKYBFile(d.Context(), fay, models.Sandbox, page.Versions[0].ID, "view")),
			"the other environment": errOf(d.OpenKYBFile(d.Context(), d.rhea, models.Live, page.Versions[0].ID, "view"))} {
			if !models.Is(err, models.Forbidden) && !models.Is(err, models.NotFound) {
				d.Errorf("%s: %v", name, err)
			}
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

func TestOneContentIsKeptOnceInACase(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		again := store.NewKYBFile{CaseID: d.c.ID, ID: models.NewID(), Key: "kyb/again", Name: "other name.pdf", Type: "application/pdf", Size: 400, SHA256: fmt.Sprintf("%064d", d.n)}
		got, already, err := d.AddKYBFile(d.Context(), d.ines, models.Sandbox, again)
		if err != nil || !already || got.ID != doc.ID {
			d.Errorf("the same content again: %v %v %v", got.ID, already, err)
		}
		again.SHA256, again.DocumentID = fmt.Sprintf("%064d", 999), doc.ID
		got, already, err = d.AddKYBFile(d.Context(), d.ines, models.Sandbox, again)
		if err != nil || already || got.ID != doc.ID || got.Versions != 2 || got.Current.Name != "other name.pdf" {
			d.Errorf("a new version: %+v %v %v", got, already, err)
		}
	})
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

func TestOneCallIsInFlightAndALostOneIsUnknownAndNeverSentAgain(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		sub := d.approved(d.c.ID, d.link.ID)
		o := d.send("", map[string]string{"100201": "pending"}, sub.ID)
		beta, betaLink := d.company("Beta GmbH", "corporate", "100202")
		other := d.approved(beta.ID, betaLink.ID)
		run, err := d.SendKYB(d.Context(), d.ines, models.Sandbox, []string{other.ID})
		if err != nil {
			d.Fatal(err)
		}
		if _, err := d.BeginKYBCall(d.Context(), run.ID, "here", limits(), nil); !models.Is(err, models.Conflict) {
			d.Errorf("a second call of the credential: %v", err)
		}
		if n, err := d.LostKYBCalls(d.Context(), "here", true); n != 0 || err != nil {
			d.Errorf("our own call in flight counts as lost: %d %v", n, err)
		}
		if n, err := d.LostKYBCalls(d.Context(), "the next process", true); n != 1 || err != nil {
			d.Errorf("what a dead process left: %d %v", n, err)
		}
		if got := d.submission(sub.ID); got.State != models.SubUnknown || got.WordBefore != "pending" {
			d.Errorf("the lost one: %+v", got)
		}
		if again, err := d.BeginKYBCall(d.Context(), o.Run.ID, "here", limits(), nil); again != nil || err != nil {
			d.Errorf("it was sent again: %+v %v", again, err)
		}
		if _, err := d.PrepareKYB(d.Context(), d.ines, models.Sandbox, d.c.ID, d.link.ID, []string{sub.Files[0].DocumentID}, ""); !models.Is(err, models.Conflict) {
			d.Errorf("a new one while it is unknown: %v", err)
		}
		d.says("pending", "")
		if got := d.submission(sub.ID); got.State != models.SubUnknown {
			d.Errorf("the same word as before proves nothing: %s", got.State)
		}
		if err := d.GiveUpKYB(d.Context(), d.ines, models.Sandbox, sub.ID, "WSPN says it has nothing"); !models.Is(err, models.Forbidden) {
			d.Errorf("the sender gave up: %v", err)
		}
		d.says("looking", "")
		if got := d.submission(sub.ID); got.State != models.SubSubmitted {
			d.Errorf("another word than before: %s", got.State)
		}
	})
}

func TestGivingUpNeedsAnotherPersonAndMakesWayForAFreshApproval(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		sub := d.approved(d.c.ID, d.link.ID)
		d.send("unknown", nil, sub.ID)
		if err := d.GiveUpKYB(d.Context(), d.omar, models.Sandbox, sub.ID, "short"); !models.Is(err, models.Invalid) {
			d.Errorf("without a reason: %v", err)
		}
		if err := d.GiveUpKYB(d.Context(), d.omar, models.Sandbox, sub.ID, "OneKey wrote that nothing came"); err != nil {
			d.Error(err)
		}
		next := d.prepare(d.c.ID, d.link.ID, models.KYBDocument{ID: sub.Files[0].DocumentID})
		if next.State != models.SubWaiting {
			d.Errorf("the next one is %s", next.State)
		}
	})
}

func TestTheAnswersOfACallMoveItsSubmissionsAndTheRunCounts(t *testing.T) {
	for state, want := range map[string]models.KYBState{"accepted": models.SubSubmitted, "declined": models.SubDeclined, "not_sent": models.SubApproved, "unknown": models.SubUnknown} {
		eachKYB(t, func(d *kybDesk) {
			sub := d.approved(d.c.ID, d.link.ID)
			o := d.send(state, nil, sub.ID)
			if got := d.submission(sub.ID).State; got != want {
				d.Errorf("%s: %s", state, got)
			}
			run, err := d.KYBRun(d.Context(), d.rhea, models.Sandbox, o.Run.ID)
			if err != nil || run.Run.State != "done" || run.Run.Done != 1 || run.Calls[0].State != state || run.Calls[0].Digest == "" {
				d.Errorf("%s: the run %+v %+v %v", state, run.Run, run.Calls, err)
			}
			if err := d.RecordKYBCall(d.Context(), o.Call.ID, store.KYBAnswer{State: "declined", Message: "late"}); err != nil {
				d.Error(err)
			}
			if got := d.submission(sub.ID).State; got != want {
				d.Errorf("%s: a second answer made it %s", state, got)
			}
		})
	}
}

func TestALateAnswerThatItArrivedCounts(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		sub := d.approved(d.c.ID, d.link.ID)
		o := d.send("unknown", nil, sub.ID)
		if err := d.RecordKYBCall(d.Context(), o.Call.ID, store.KYBAnswer{State: "accepted"}); err != nil {
			d.Fatal(err)
		}
		if got := d.submission(sub.ID).State; got != models.SubSubmitted {
			d.Errorf("it is %s", got)
		}
	})
}

func TestACallCarriesWhatFitsAndTheRestFollows(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		var ids []string
		for i := range 5 {
			c, l := d.company(fmt.Sprintf("Company %d", i), "corporate", fmt.Sprint(100300+i))
			ids = append(ids, d.approved(c.ID, l.ID).ID)
		}
		run, err := d.SendKYB(d.Context(), d.ines, models.Sandbox, ids)
		if err != nil {
			d.Fatal(err)
		}
		var sizes []int
		for {
			o, err := d.BeginKYBCall(d.Context(), run.ID, "here", limits(), nil)
			if err != nil {
				d.Fatal(err)
			}
			if o == nil {
				break
			}
			sizes = append(sizes, len(o.Submissions))
			if err := d.RecordKYBCall(d.Context(), o.Call.ID, store.KYBAnswer{State: "accepted"}); err != nil {
				d.Fatal(err)
			}
		}
		if !slices.Equal(sizes, []int{2, 2, 1}) {
			d.Errorf("companies in each call: %v", sizes)
		}
		got, err := d.KYBRun(d.Context(), d.rhea, models.Sandbox, run.ID)
		if err != nil || got.Run.Accepted != 5 || got.Run.State != "done" || got.Run.EndedAt == 0 {
			d.Errorf("the run: %+v %v", got.Run, err)
		}
	})
}

func TestAQuestionBecomesATaskAndTheApprovalIsSeen(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		sub := d.approved(d.c.ID, d.link.ID)
		d.send("accepted", map[string]string{"100201": "pending"}, sub.ID)
		d.says("asks", "Who owns the other half?")
		d.says("asks", "Who owns the other half?") // said again, it is one question
		p := d.page(d.c.ID)
		if p.Case.State != models.SubQuestion || p.Case.Questions != 1 || len(p.Tasks) != 1 || !strings.Contains(p.Tasks[0].Text, "other half") {
			d.Fatalf("the question: %+v %+v", p.Case, p.Tasks)
		}
		if n, err := d.KYBQuestions(d.Context(), d.rhea, models.Sandbox); n != 1 || err != nil {
			d.Error(n, err)
		}
		if err := d.AnswerKYBTask(d.Context(), d.rhea, models.Sandbox, d.c.ID, p.Tasks[0].ID, "x"); !models.Is(err, models.Forbidden) {
			d.Errorf("an auditor answered: %v", err)
		}
		if err := d.AnswerKYBTask(d.Context(), d.ines, models.Sandbox, d.c.ID, p.Tasks[0].ID, "Sent the register."); err != nil {
			d.Error(err)
		}
		next := d.prepare(d.c.ID, d.link.ID, d.add(d.c.ID, store.KYBDocumentForm{Kind: "shareholders"}))
		if err := d.decide(d.omar, next.ID, true, ""); err != nil {
			d.Fatal(err)
		}
		d.send("accepted", map[string]string{"100201": "asks"}, next.ID)
		d.says("fine", "")
		if got := d.page(d.c.ID); got.Case.State != models.SubVerified || got.Links[0].Standing != models.KYBVerified || got.Case.Questions != 0 {
			d.Errorf("after the approval: %+v %+v", got.Case, got.Links[0])
		}
	})
}

func TestAnUnknownWordChangesNothingAndBecomesATask(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		sub := d.approved(d.c.ID, d.link.ID)
		d.send("accepted", nil, sub.ID)
		d.says("FROZEN BY MOON", "")
		p := d.page(d.c.ID)
		if p.Submissions[0].State != models.SubSubmitted || len(p.Tasks) != 1 || !strings.Contains(p.Tasks[0].Text, "FROZEN BY MOON") || p.Links[0].Standing != models.KYBInReview {
			d.Errorf("%+v %+v %+v", p.Submissions[0].State, p.Tasks, p.Links[0])
		}
	})
}

func TestADeletionNeedsTwoPeopleAndKeepsTheHash(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		held := d.prepare(d.c.ID, d.link.ID, doc)
		if err := d.AskKYBDeletion(d.Context(), d.ines, models.Sandbox, doc.ID, "The company asked for it"); !models.Is(err, models.Conflict) {
			d.Errorf("part of a submission: %v", err)
		}
		if err := d.WithdrawKYB(d.Context(), d.ines, models.Sandbox, held.ID); err != nil {
			d.Fatal(err)
		}
		if err := d.AskKYBDeletion(d.Context(), d.ines, models.Sandbox, doc.ID, "no"); !models.Is(err, models.Invalid) {
			d.Errorf("without a reason: %v", err)
		}
		cold := d.ines
		cold.StepUp = 0
		if err := d.AskKYBDeletion(d.Context(), cold, models.Sandbox, doc.ID, "The company asked for it"); !models.Is(err, models.StepUp) {
			d.Errorf("without the second factor: %v", err)
		}
		if err := d.AskKYBDeletion(d.Context(), d.ines, models.Sandbox, doc.ID, "The company asked for it"); err != nil {
			d.Fatal(err)
		}
		if err := d.decide(d.ines, doc.ID, true, ""); !models.Is(err, models.Forbidden) {
			d.Errorf("alone: %v", err)
		}
		if err := d.decide(d.omar, doc.ID, true, ""); err != nil {
			d.Fatal(err)
		}
		list, err := d.KYBFilesToDelete(d.Context())
		if err != nil || len(list) != 1 || list[0].Key != doc.Current.Key {
			d.Fatalf("to remove: %+v %v", list, err)
		}
		if _, err := d.OpenKYBFile(d.Context(), d.rhea, models.Sandbox, doc.Current.ID, "view"); !models.Is(err, models.Conflict) || !strings.Contains(err.Error(), doc.Current.SHA256) {
			d.Errorf("it can still be seen: %v", err)
		}
		if err := d.KYBFileDeleted(d.Context(), doc.Current.ID); err != nil {
			d.Fatal(err)
		}
		page, err := d.KYBDocument(d.Context(), d.rhea, models.Sandbox, doc.ID)
		if err != nil || page.Document.State != models.DocumentDeleted || page.Versions[0].SHA256 != doc.Current.SHA256 || page.Versions[0].DeletedWhy != "The company asked for it" {
			d.Errorf("what stays: %+v %v", page.Versions, err)
		}
		if got := d.page(d.c.ID).Case; got.Documents != 0 || got.Missing != 2 {
			d.Errorf("the case counts it: %+v", got)
		}
	})
}

func TestRemindersComeOnceAtSixtyThirtyAndSevenDays(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		d.add(d.c.ID, store.KYBDocumentForm{Kind: "identity", Expires: string(models.DateOf(d.Now()).Add(61))})
		var got []string
		for day := range 63 {
			due, err := d.RemindKYB(d.Context())
			if err != nil {
				d.Fatal(err)
			}
			for _, r := range due {
				got = append(got, fmt.Sprintf("day %d: %d", day, r.DaysBefore))
			}
			d.clock.Advance(24 * time.Hour)
		}
		if diff := cmp.Diff([]string{"day 1: 60", "day 31: 30", "day 54: 7"}, got); diff != "" {
			d.Error(diff)
		}
		d.clock.Advance(-63 * 24 * time.Hour)
	})
}

func TestARequestOnWhichNobodyDecidesGivesTheDocumentsFree(t *testing.T) {
	eachKYB(t, func(d *kybDesk) {
		doc := d.add(d.c.ID, store.KYBDocumentForm{Kind: "incorporation"})
		sub := d.prepare(d.c.ID, d.link.ID, doc)
		d.clock.Advance(73 * time.Hour)
		defer d.clock.Advance(-73 * time.Hour)
		if n, err := d.ExpireApprovals(d.Context()); n != 1 || err != nil {
			d.Fatal(n, err)
		}
		if got := d.submission(sub.ID); got.State != models.SubWithdrawn {
			d.Errorf("it is %s", got.State)
		}
		d.prepare(d.c.ID, d.link.ID, doc)
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
