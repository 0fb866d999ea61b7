package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

func TestTheListsOfRequestsShowEachPersonTheirOwn(t *testing.T) {
	o := openOffice(t)
	mine := o.payout(t, o.fay, 184_000, "João Silva", "")
	o.payout(t, o.gil, 99_00, "Maria Souza", "")
	for _, c := range []struct {
		view  string
		token string
		rows  int
	}{{"mine", o.fay.Token, 1}, {"mine", o.gil.Token, 1}, {"mine", o.hana.Token, 2}, {"mine", o.otto.Token, 0}, {"mine", o.ada.Token, 0}, {"open", o.otto.Token, 2},
		{"made", o.fay.Token, 1}, {"made", o.otto.Token, 0}, {"decided", o.fay.Token, 0}, {"nonsense", o.hana.Token, 2}} {
		got := o.get(t, "/approvals?view="+c.view, c.token)
		if n := got.doc(t).Find("#approvals tbody tr").Length(); n != c.rows {
			t.Errorf("%s shows %d rows, want %d", c.view, n, c.rows)
		}
	}
	list := o.get(t, "/approvals", o.hana.Token)
	list.says(t, "#approvals", "Payout", mine.Reference, "1,840.00 BRL", "João Silva · PIX by CPF", "Fay Finance", "Payouts up to 50,000 BRL: one approver from finance", "0 of 1")
	list.says(t, `nav.menu a[href="/approvals"] .count`, "2")
	if n := o.get(t, "/transactions", o.ada.Token).doc(t).Find("nav.menu .count").Length(); n != 0 {
		t.Error("an admin is told that payouts wait for them")
	}
	if r := o.request(t, mine); o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision(r.Digest)).StatusCode != 303 {
		t.Fatal("Gil could not approve")
	}
	o.get(t, "/approvals?view=decided", o.otto.Token).says(t, "#approvals", mine.Reference, "Approved")
}

func TestALongListOfRequestsIsPagedForthAndBack(t *testing.T) {
	o := openOffice(t)
	for i := range 55 {
		o.clock.Advance(time.Second)
		o.payout(t, o.fay, int64(1000+i), fmt.Sprintf("Person %02d", i), "")
	}
	first := o.get(t, "/approvals", o.gil.Token)
	older := first.doc(t).Find(`.pager a[rel=next]`).AttrOr("href", "")
	second := o.get(t, older, o.gil.Token)
	if a, b := first.doc(t).Find("#approvals tbody tr").Length(), second.doc(t).Find("#approvals tbody tr").Length(); a != 50 || b != 5 {
		t.Fatalf("pages of %d and %d, want 50 and 5", a, b)
	}
	back := o.get(t, second.doc(t).Find(`.pager a[rel=prev]`).AttrOr("href", ""), o.gil.Token)
	if back.text(t, "#approvals tbody") != first.text(t, "#approvals tbody") {
		t.Error("the way back leads to another page")
	}
	if second.doc(t).Find(`.pager a[rel=next]`).Length() != 0 || back.doc(t).Find(`.pager a[rel=prev]`).Length() != 0 {
		t.Error("the pager leads beyond an end")
	}
}

func TestTheSheetShowsWhatIsAgreedToAndTheDecisionBindsIt(t *testing.T) {
	o := openOffice(t)
	o.payout(t, o.gil, 184_000, "João Silva", "")
	x := o.payout(t, o.fay, 184_000, "João Silva", "The second half of invoice 77")
	r := o.request(t, x)
	page := o.get(t, "/approvals/"+r.ID, o.gil.Token)
	page.says(t, "#content", "−1,840.00 BRL", "0 of 1 approvals", "The second half of invoice 77", "Paid already?", "5299 8224 725", "João Silva", "The recipient was not verified",
		"Payouts up to 50,000 BRL: one approver from finance", "OneKey cashouts", r.Digest, "Approve and send the payout of 1,840.00 BRL")
	for who, why := range map[string]string{o.fay.Token: "You made this yourself", o.otto.Token: `the permission "payouts.approve"`, o.ada.Token: `the permission "payouts.approve"`} {
		got := o.get(t, "/approvals/"+r.ID, who)
		got.says(t, "#decide", why)
		if got.doc(t).Find("#decide form").Length() != 0 {
			t.Errorf("somebody who may not decide gets the form (%s)", why)
		}
	}
	if got := o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision("0000")); o.state(t, x) != models.AwaitingApproval || got.StatusCode != 303 {
		t.Errorf("another digest: %d, %s", got.StatusCode, o.state(t, x))
	}
	o.get(t, "/approvals/"+r.ID, o.gil.Token).says(t, ".flash", "This changed after you opened it")
	if got := o.post(t, "/approvals/"+r.ID+"/approve", o.fay.Token, decision(r.Digest)); got.StatusCode != 403 || o.state(t, x) != models.AwaitingApproval {
		t.Errorf("the maker approved: %d, %s", got.StatusCode, o.state(t, x))
	}
	if got := o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision(r.Digest)); got.StatusCode != 303 || o.state(t, x) != models.Approved {
		t.Errorf("approve: %d, %s", got.StatusCode, o.state(t, x))
	}
	o.get(t, "/approvals", o.gil.Token).says(t, ".flash", "Approved: payout 1,840.00 BRL to João Silva", "It is being sent")
	o.post(t, "/approvals/"+r.ID+"/approve", o.hana.Token, decision(r.Digest))
	o.get(t, "/approvals/"+r.ID, o.hana.Token).says(t, "#content", "This request is approved", "Approved by Gil Finance")
}

func TestARejectionNeedsAReasonThatTheMakerReads(t *testing.T) {
	o := openOffice(t)
	x := o.payout(t, o.fay, 500_00, "João Silva", "")
	r := o.request(t, x)
	if got := o.post(t, "/approvals/"+r.ID+"/reject", o.gil.Token, decision(r.Digest, "reason", " ")); got.StatusCode != 422 || o.state(t, x) != models.AwaitingApproval {
		t.Fatalf("a rejection without a reason: %d, %s", got.StatusCode, o.state(t, x))
	} else {
		got.says(t, "#decide", "Write something here.")
	}
	why := "Wrong invoice " + hostile
	if got := o.post(t, "/approvals/"+r.ID+"/reject", o.gil.Token, decision(r.Digest, "reason", why)); got.StatusCode != 303 || o.state(t, x) != models.Rejected {
		t.Fatalf("reject: %d, %s", got.StatusCode, o.state(t, x))
	}
	page := o.get(t, "/transactions/"+x.ID, o.fay.Token)
	page.says(t, "#content", "Rejected", "Wrong invoice")
	page.noMarkup(t)
	sheet := o.get(t, "/approvals/"+r.ID, o.fay.Token)
	sheet.says(t, "#content", why)
	sheet.noMarkup(t)
}

func TestWithTwoApproversEachTypesTheEndOfTheDestination(t *testing.T) {
	o := openOffice(t)
	x := o.payout(t, o.fay, 60_000_00, "João Silva", "") // above the rule for 50,000: two people
	r := o.request(t, x)
	if r.Needed != 2 {
		t.Fatalf("the rule asks for %d people", r.Needed)
	}
	path := "/approvals/" + r.ID + "/approve"
	for _, wrong := range []string{"", "0000", "725"} {
		if got := o.post(t, path, o.gil.Token, decision(r.Digest, "last4", wrong)); got.StatusCode != 422 {
			t.Errorf("with %q: %d, want 422", wrong, got.StatusCode)
		}
	}
	if now := o.request(t, x); now.Have() != 0 {
		t.Fatalf("%d have approved with the wrong characters", now.Have())
	}
	o.post(t, path, o.gil.Token, decision(r.Digest, "last4", "4725"))
	o.get(t, "/approvals", o.gil.Token).says(t, ".flash", "1 of 2 have agreed")
	o.post(t, path, o.gil.Token, decision(r.Digest, "last4", "4725"))
	if o.state(t, x) != models.AwaitingApproval {
		t.Error("one person approved twice")
	}
	o.post(t, path, o.hana.Token, decision(r.Digest, "last4", " 47-25 "))
	if o.state(t, x) != models.Approved {
		t.Errorf("after two people: %s", o.state(t, x))
	}
}

func TestDecidingNeedsAFreshSecondFactor(t *testing.T) {
	o := openOffice(t)
	x := o.payout(t, o.fay, 500_00, "João Silva", "")
	r := o.request(t, x)
	o.clock.Advance(models.StepUpFor + time.Second)
	o.get(t, "/approvals/"+r.ID, o.gil.Token).says(t, "#decide", "show your second factor once more")
	if got := o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision(r.Digest)); !strings.HasPrefix(got.Header.Get("Location"), "/step-up") || o.state(t, x) != models.AwaitingApproval {
		t.Errorf("without it: %q, %s", got.Header.Get("Location"), o.state(t, x))
	}
}

func TestAChangedCredentialVoidsTheApprovalAndTheSheetShowsTheDifference(t *testing.T) {
	o := openOffice(t)
	x := o.payout(t, o.fay, 500_00, "João Silva", "")
	r := o.request(t, x)
	o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision(r.Digest))
	ada := o.ada.Actor(o.store)
	c, err := o.store.CredentialForTask(t.Context(), o.cred.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.store.AskChange(t.Context(), ada, models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit, Values: map[string]string{"base_url": "http://127.0.0.1:2"}}, c.Version); err != nil {
		t.Fatal(err)
	}
	if order, err := o.store.BeginSend(t.Context(), x.ID, "test"); err != nil || order != nil {
		t.Fatalf("it was sent on a void approval: %v, %v", order, err)
	}
	again := o.request(t, x)
	if again.ID == r.ID || again.Digest == r.Digest {
		t.Fatalf("no new request was made: %+v", again)
	}
	o.get(t, "/approvals/"+again.ID, o.hana.Token).says(t, "#content", "An earlier approval is void", "Version of the credential", "Gil Finance")
	o.get(t, "/approvals/"+r.ID, o.hana.Token).says(t, "#content", "Void")
}

func TestARuleIsShownBeforeAndAfterAndOnlyAnotherAdminAgrees(t *testing.T) {
	o := openOffice(t)
	ps, err := o.store.Policies(t.Context(), o.ada.Actor(o.store))
	if err != nil {
		t.Fatal(err)
	}
	p := ps[4]
	p.Approvers, p.Name = 3, "Payouts, careful "+hostile
	if err := o.store.RequestPolicyChange(t.Context(), o.ada.Actor(o.store), store.PolicyChange{Policy: p}); err != nil {
		t.Fatal(err)
	}
	list, err := o.store.Approvals(t.Context(), o.bob.Actor(o.store), store.ApprovalFilter{Environment: models.Sandbox, View: store.ApprovalsMine})
	if err != nil || len(list.Rows) != 1 {
		t.Fatalf("Bob sees %d requests, %v", len(list.Rows), err)
	}
	r := list.Rows[0]
	page := o.get(t, "/approvals/"+r.ID, o.bob.Token)
	page.noMarkup(t)
	page.says(t, "#content table", "People who must agree13", "Payouts up to 50,000 BRL")
	if got := o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision(r.Digest)); got.StatusCode != 403 {
		t.Errorf("finance changed a rule: %d", got.StatusCode)
	}
	if got := o.post(t, "/approvals/"+r.ID+"/approve", o.ada.Token, decision(r.Digest)); got.StatusCode != 403 {
		t.Errorf("an admin agreed to her own rule: %d", got.StatusCode)
	}
	o.post(t, "/approvals/"+r.ID+"/approve", o.bob.Token, decision(r.Digest))
	after, err := o.store.Policies(t.Context(), o.ada.Actor(o.store))
	if err != nil || after[4].Approvers != 3 {
		t.Errorf("the rule after two admins: %+v, %v", after[4], err)
	}
}

// TestWhatTheListTakesForMineIsWhatMayBeDecided holds the query of "for me" to the rule of the domain.
func TestWhatTheListTakesForMineIsWhatMayBeDecided(t *testing.T) {
	o := openOffice(t)
	first := o.payout(t, o.fay, 60_000_00, "João Silva", "")
	o.payout(t, o.gil, 100, "Maria Souza", "")
	r := o.request(t, first)
	o.post(t, "/approvals/"+r.ID+"/approve", o.gil.Token, decision(r.Digest, "last4", "4725"))
	if err := o.store.RequestPolicyChange(t.Context(), o.ada.Actor(o.store), store.PolicyChange{Policy: models.Policy{ID: "refunds"}, Delete: true}); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		now := models.At(o.clock.Now())
		for _, p := range []models.Actor{o.fay.Actor(o.store), o.gil.Actor(o.store), o.hana.Actor(o.store), o.ada.Actor(o.store), o.bob.Actor(o.store), o.cora.Actor(o.store), o.otto.Actor(o.store)} {
			open, err := o.store.Approvals(t.Context(), p, store.ApprovalFilter{Environment: models.Sandbox, View: store.ApprovalsOpen})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			for _, r := range open.Rows {
				if r.MayDecide(p, now) == nil {
					want[r.ID] = true
				}
			}
			mine, err := o.store.Approvals(t.Context(), p, store.ApprovalFilter{Environment: models.Sandbox, View: store.ApprovalsMine})
			if err != nil {
				t.Fatal(err)
			}
			w, err := o.store.ApprovalsWaiting(t.Context(), p, models.Sandbox)
			if err != nil {
				t.Fatal(err)
			}
			if len(mine.Rows) != len(want) || int(w.Count) != len(want) {
				t.Errorf("%s: the list has %d, the count says %d, the rule %d", p.Name, len(mine.Rows), w.Count, len(want))
			}
			for _, r := range mine.Rows {
				if !want[r.ID] {
					t.Errorf("%s is shown %s, which they may not decide", p.Name, r.Title)
				}
			}
		}
	}
	check()
	o.clock.Advance(25 * time.Hour) // the payouts' requests run out, the rule's does not
	check()
}
