package journeys

import (
	"context"
	"testing"

	"countinghouse/e2e/browse"
)

// walk is one run of all journeys: one program, one browser, and the people in it.
type walk struct {
	*house
	browser context.Context
	ada     *person // finance: makes
	marta   *person // finance: approves
	tomas   *person // admin
	account string  // the credential that the first journey adds, for our own stand-in
}

// as lets somebody report to the journey that is being walked.
func (w *walk) as(t *testing.T, p *person) *person {
	t.Helper()
	p.t = t
	return p
}

// One program and one browser for all: starting them costs more than walking. The journeys are walked in this order; what one leaves behind
// is what the next one finds, as in an office.
func TestTheJourneys(t *testing.T) {
	ctx := browse.Start(t)
	h := open(t)
	w := &walk{house: h, browser: ctx}
	w.tomas = arrive(t, ctx, h, "Tomás Vega")
	w.ada = arrive(t, ctx, h, "Ada Okoye")
	w.marta = arrive(t, ctx, h, "Marta Lind")
	if !t.Run("an admin adds a credential, is told that a key is wrong, replaces it, and brings it into use", w.addsACredential) {
		return // nothing else has keys to a stand-in of ours
	}
	for _, j := range []struct {
		name string
		walk func(*testing.T)
	}{
		{"a payout is made, approved by another person, sent, and called succeeded by a webhook", w.paysByPIX},
		{"a payout whose answer is lost is unknown, is asked about, and was executed once", w.losesAnAnswer},
		{"a payout and its approval come out on paper, on two sheets at most", w.printsOnPaper},
		{"a deposit is paid, and another one after it had expired", w.takesDeposits},
		{"a quote is taken within its seconds, and refused after them", w.converts},
		{"a bank withdrawal below 100 is refused in words", w.withdrawsTooLittle},
		{"codes are ordered from WUPEX, arrive sealed, and one is revealed with a reason", w.buysCodes},
		{"a payout by mobile money is verified at WakaPay, approved and paid", w.paysMobileMoney},
		{"a PayIn of Aeterna expires, is disputed with evidence, reopens and is paid; a PayOut goes out", w.disputesADeposit},
		{"a payout is made and approved by keyboard alone", w.paysByKeyboard},
		{"a form sent three times makes one payout, and nobody gets around the rules", w.isHostile},
		{"every page of the route table can be read by whoever may open it", w.everyRoute},
		{"an admin adds an address rule, a second one agrees, a request from outside is refused and logged, and can be let in", w.guardsAddresses},
		{"compliance opens a sub-account and a file of them with one bad row, and finance works in one of them", w.opensSubAccounts},
		{"compliance uploads twenty files, a second person agrees, two companies leave in one batch, a question is answered, the approval arrives", w.provesTwoCompanies},
		{"a payout is made and approved on a phone, in the dark", w.paysOnAPhoneInTheDark},
		{"every main page can be read by everybody, light and dark, narrow and wide", w.everyPage},
		{"the first visit and the next page keep their budget", w.keepsTheBudget},
	} {
		t.Run(j.name, j.walk)
	}
	for _, p := range []*person{w.tomas, w.ada, w.marta} {
		for _, wrong := range p.wrongs {
			t.Errorf("before %s: %s", p.name, wrong)
		}
	}
}
