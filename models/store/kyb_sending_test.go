package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

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
