package web_test

import (
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
)

func rule(more ...string) url.Values {
	v := url.Values{"name": {"Careful payouts"}, "position": {"5"}, "kind": {"payout"}, "asset": {"BRL"}, "max": {"1000.50"}, "approvers": {"2"}, "role": {"finance"}, "ttl": {"12"}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func TestARuleIsFiledByOneAdminAndHoldsWhenAnotherAgrees(t *testing.T) {
	o := openOffice(t)
	list := o.get(t, "/settings/policies", o.fay.Token)
	list.says(t, "#rules", "Payouts up to 50,000 BRL", "payouts up to 50,000.00 BRL", "one approver from finance", "Everything else", "2 approvers from finance", "cannot be changed")
	if strings.Contains(list.body, "New rule") {
		t.Error("finance is offered a new rule")
	}
	if got := o.post(t, "/settings/policies", o.ada.Token, rule()); got.StatusCode != 303 {
		t.Fatalf("file: %d %s", got.StatusCode, got.text(t, ".errors"))
	}
	waiting := o.get(t, "/settings/policies", o.bob.Token)
	waiting.says(t, "#content", "Waits for another admin", "Rule: Careful payouts: 2 approvers from finance")
	if strings.Contains(waiting.text(t, "#rules"), "Careful") {
		t.Error("the rule holds before anybody agreed")
	}
	waits, err := o.store.WaitingPolicies(t.Context(), o.bob.Actor(o.store))
	if err != nil || len(waits) != 1 {
		t.Fatalf("%d wait, %v", len(waits), err)
	}
	o.post(t, "/approvals/"+waits[0].ID+"/approve", o.bob.Token, decision(waits[0].Digest))
	rules, err := o.store.Policies(t.Context(), o.bob.Actor(o.store))
	if err != nil {
		t.Fatal(err)
	}
	if r := rules[0]; r.Name != "Careful payouts" || r.MaxMinor != 1000_50 || r.Approvers != 2 || r.TTL.Hours() != 12 {
		t.Errorf("the first rule is %+v", r)
	}
	edit := o.get(t, "/settings/policies/"+rules[0].ID, o.bob.Token)
	if v := edit.doc(t).Find("#f-max").AttrOr("value", ""); v != "1000.50" {
		t.Errorf("the form shows %q", v)
	}
	o.post(t, "/settings/policies/"+rules[0].ID+"/delete", o.bob.Token, nil)
	waits, err = o.store.WaitingPolicies(t.Context(), o.ada.Actor(o.store))
	if err != nil || len(waits) != 1 {
		t.Fatalf("%d wait, %v", len(waits), err)
	}
	o.get(t, "/approvals/"+waits[0].ID, o.ada.Token).says(t, "#content", "The rule that would go", "1,000.50 BRL")
	o.post(t, "/settings/policies/"+rules[0].ID+"/delete", o.ada.Token, nil)
	o.get(t, "/settings/policies", o.ada.Token).says(t, ".flash", "There is already an open request")
}

func TestRulesThatMakeNoSenseAreRefusedInWords(t *testing.T) {
	o := openOffice(t)
	for _, c := range []struct{ field, value, says string }{
		{"name", " ", "Give the rule a name"}, {"name", "\u202eevil", "Give the rule a name"}, {"position", "-1", "Write a whole number"}, {"approvers", "6", "from 0 to 5"}, {"approvers", "0", "at least one more person"},
		{"max", "1e9", "digits and one point"}, {"max", "-5", "above zero"}, {"max", "1.005", "2 decimals"}, {"min", "2000", "The upper end lies below the lower end"}, {"asset", "", "A limit needs a currency"},
		{"provider", "nobody", "There is no such provider"}, {"kind", "gift", "no such kind"}, {"ttl", "0", "Write a whole number"}, {"role", "auditor", "may not approve"}, {"role", "", "may not approve"},
		{"environment", "moon", "sandbox or live"},
	} {
		got := o.post(t, "/settings/policies", o.ada.Token, rule(c.field, c.value))
		if got.StatusCode != 422 || !strings.Contains(got.text(t, ".errors"), c.says) {
			t.Errorf("%s = %q: %d %q, want %q", c.field, c.value, got.StatusCode, got.text(t, ".errors"), c.says)
		}
	}
	got := o.post(t, "/settings/policies", o.ada.Token, rule("name", hostile, "max", "x"))
	got.noMarkup(t)
	stale := o.ada.Actor(o.store)
	stale.StepUp = 0
	if err := o.store.RequestPolicyChange(t.Context(), stale, store.PolicyChange{Policy: models.Policy{ID: "refunds"}, Delete: true}); !models.Is(err, models.StepUp) {
		t.Errorf("a rule was filed without a fresh second factor: %v", err)
	}
	if err := o.store.RequestPolicyChange(t.Context(), o.fay.Actor(o.store), store.PolicyChange{Policy: models.Policy{ID: "refunds"}, Delete: true}); !models.Is(err, models.Forbidden) {
		t.Errorf("finance filed a rule: %v", err)
	}
}
