package onekey_test

import (
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/onekey"
	"countinghouse/providers/providertest"
)

// Every way to pay that is not locked is accepted by the strict stand-in, held, and found by our reference.
func TestEveryPayoutMethodWorksEndToEnd(t *testing.T) {
	h := open(t, nil)
	for _, m := range onekey.Provider().Description.Methods {
		if m.Kind != models.Payout {
			continue
		}
		r := providers.SendRequest{Reference: providertest.Reference(), Method: m.ID, Amount: models.Money{Minor: 250000, Asset: m.Assets[0]}, Values: onekey.PayoutValues(m.ID),
			NotifyURL: "http://127.0.0.1:1/n", Note: "Invoice 7 <b>&amp;</b> é"}
		out := client(t, h).SendPayout(t.Context(), r)
		if m.Locked != "" {
			if refused := refusedWith(t, out, providers.NotSent); refused.Message != m.Locked || h.Executions(t, r.Reference) != 0 {
				t.Errorf("%s: %+v", m.ID, refused)
			}
			continue
		}
		a := accepted(t, out)
		if f := client(t, h).FindPayout(t.Context(), asked(r, a.ProviderRef)); f.Result != providers.Found || f.Status.State != models.Pending {
			t.Errorf("%s: %+v", m.ID, f)
		}
		for _, asset := range m.Assets[1:] {
			r.Reference, r.Amount.Asset = providertest.Reference(), asset
			accepted(t, client(t, h).SendPayout(t.Context(), r))
		}
	}
}

func TestRefusalsOfTheStandInReachPeopleInWords(t *testing.T) {
	h := open(t, map[string]string{"countries": "BR"})
	c := client(t, h)
	big := payout(providertest.Reference())
	big.Amount = brl(999_999_999_999_99)
	if r := refusedWith(t, c.SendPayout(t.Context(), big), "514"); !r.Retryable || !strings.Contains(r.Message, "Fund the balance") {
		t.Errorf("%+v", r)
	}
	h.Control(t, "balance", url.Values{"currency": {"BRL"}, "amount": {"99999999999999"}})
	accepted(t, c.SendPayout(t.Context(), big)) // OKP-IDEM-2: the refused reference is not burned
	chile := providers.SendRequest{Reference: providertest.Reference(), Method: "cl_bank", Amount: models.Money{Minor: 5000, Asset: "CLP"}, Values: onekey.PayoutValues("cl_bank"), NotifyURL: "http://127.0.0.1:1/n"}
	refusedWith(t, c.SendPayout(t.Context(), chile), "518")
	for _, code := range []string{"504", "508", "515", "519", "524", "525", "538", "539", "541", "542"} {
		h.Control(t, "refuse", url.Values{"operation": {"payout"}, "code": {code}})
		r := payout(providertest.Reference())
		refusedWith(t, c.SendPayout(t.Context(), r), code)
		if h.Executions(t, r.Reference) != 0 || c.FindPayout(t.Context(), asked(r, "")).Result != providers.NotFound {
			t.Errorf("after %s something exists", code)
		}
	}
}

// 537 and 703 may come after the work was done: only a question tells.
func TestAnInternalErrorIsSettledByAsking(t *testing.T) {
	h := open(t, nil)
	for _, code := range []string{"537", "703"} {
		for _, executed := range []string{"yes", "no"} {
			h.Control(t, "refuse", url.Values{"operation": {"payout"}, "code": {code}, "executed": {executed}})
			r := payout(providertest.Reference())
			unknown(t, client(t, h).SendPayout(t.Context(), r))
			want := map[string]providers.Result{"yes": providers.Found, "no": providers.NotFound}[executed]
			if f := client(t, h).FindPayout(t.Context(), asked(r, "")); f.Result != want {
				t.Errorf("%s, executed %s: %+v", code, executed, f)
			}
		}
	}
}

// A lost answer, the question, the repeat with the same reference: 511, asked again, adopted. Money moved once.
func TestARepeatAfterALostAnswerNeverPaysTwice(t *testing.T) {
	h := open(t, nil)
	c, r := client(t, h), payout(providertest.Reference())
	h.Fault(t, "payout", "lose_reply")
	unknown(t, c.SendPayout(t.Context(), r))
	u := unknown(t, c.SendPayout(t.Context(), r))
	if !strings.Contains(u.Cause, "511") {
		t.Errorf("%+v", u)
	}
	q := asked(r, "")
	q.SentAt = models.At(h.Config.Clock())
	f := c.FindPayout(t.Context(), q)
	if f.Result != providers.Found || h.Executions(t, r.Reference) != 1 {
		t.Errorf("%+v, %d executions", f, h.Executions(t, r.Reference))
	}
	// Their number is in no answer to our reference, and cancelling needs it: it comes from their books.
	if f.Status.ProviderRef == "" {
		t.Fatal("the books did not give the number")
	}
	accepted(t, c.CancelPayout(t.Context(), asked(r, f.Status.ProviderRef)))
}

func TestTheSameReferenceManyTimesAtOnceIsPaidOnce(t *testing.T) {
	h := open(t, nil)
	r := payout(providertest.Reference())
	var wg sync.WaitGroup
	outs := make([]providers.Outcome, 16)
	for i := range outs {
		wg.Go(func() { outs[i] = client(t, h).SendPayout(t.Context(), r) })
	}
	wg.Wait()
	taken := 0
	for _, o := range outs {
		switch o.(type) {
		case providers.Accepted:
			taken++
		case providers.Refused:
			t.Errorf("%s", providertest.Say(o))
		}
	}
	if taken != 1 || h.Executions(t, r.Reference) != 1 {
		t.Errorf("%d accepted, %d executed", taken, h.Executions(t, r.Reference))
	}
}

// A number from a forged callback must never hold or cancel somebody else's cashout.
func TestAForeignNumberHoldsAndCancelsNothing(t *testing.T) {
	h := open(t, nil)
	c, mine, other := client(t, h), payout(providertest.Reference()), payout(providertest.Reference())
	accepted(t, c.SendPayout(t.Context(), mine))
	foreign := accepted(t, c.SendPayout(t.Context(), other)).ProviderRef
	refusedWith(t, c.HoldPayout(t.Context(), asked(mine, foreign)), providers.NotSent)
	refusedWith(t, c.CancelPayout(t.Context(), asked(mine, foreign)), "509")
	if f := c.FindPayout(t.Context(), asked(other, foreign)); f.Status.State != models.Pending {
		t.Errorf("the other one is %+v", f.Status)
	}
	refusedWith(t, c.HoldPayout(t.Context(), asked(mine, "")), providers.NotSent)
	refusedWith(t, c.CancelPayout(t.Context(), asked(mine, "8400001; DROP")), providers.NotSent)
}

// OKP-CO-4.
func TestWhereHeldCashoutsCannotBeCancelledItIsNotTried(t *testing.T) {
	h := open(t, map[string]string{"cancel_from_on_hold": "no"})
	r := payout(providertest.Reference())
	r.Hold = true
	a := accepted(t, client(t, h).SendPayout(t.Context(), r))
	refusedWith(t, client(t, h).CancelPayout(t.Context(), asked(r, a.ProviderRef)), "510")
	refusedWith(t, with(t, h, map[string]string{"cancel_from_on_hold": "no"}).CancelPayout(t.Context(), asked(r, a.ProviderRef)), providers.NotSent)
	if f := client(t, h).FindPayout(t.Context(), asked(r, "")); f.Status.State != models.Held {
		t.Errorf("it must stay held, never be released in order to be cancelled: %+v", f.Status)
	}
}

func TestACancelThatMayHaveFailedInsideIsAskedAbout(t *testing.T) {
	h := open(t, nil)
	r := payout(providertest.Reference())
	a := accepted(t, client(t, h).SendPayout(t.Context(), r))
	h.Control(t, "refuse", url.Values{"operation": {"cancel"}, "code": {"702"}})
	unknown(t, client(t, h).CancelPayout(t.Context(), asked(r, a.ProviderRef)))
	settle(t, h, r.Reference, "delivered")
	if refused := refusedWith(t, client(t, h).CancelPayout(t.Context(), asked(r, a.ProviderRef)), "510"); refused.Retryable {
		t.Errorf("%+v", refused)
	}
}

// A change whose answer is lost is unknown too; asking tells what became of it.
func TestALostAnswerToAChangeIsAskedAbout(t *testing.T) {
	h := open(t, nil)
	c := client(t, h)
	for _, kind := range []string{"lose_reply", "truncate", "garbage", "http_500", "redirect", "drop_before"} {
		r := payout(providertest.Reference())
		q := asked(r, accepted(t, c.SendPayout(t.Context(), r)).ProviderRef)
		cancel := with(t, h, map[string]string{"status_ids_must_match": "no"}) // a client of its own, and no question before the change
		state := map[bool][2]models.State{false: {models.Held, models.Cancelled}, true: {models.Pending, models.Pending}}[kind == "drop_before"]
		h.Fault(t, "/v3/cashout/status", kind)
		unknown(t, cancel.HoldPayout(t.Context(), q))
		if got := c.FindPayout(t.Context(), q).Status.State; got != state[0] {
			t.Errorf("%s: after the hold it is %s", kind, got)
		}
		h.Fault(t, "/v3/cashout/cancel", kind)
		unknown(t, cancel.CancelPayout(t.Context(), q))
		if got := c.FindPayout(t.Context(), q).Status.State; got != state[1] {
			t.Errorf("%s: after the cancel it is %s", kind, got)
		}
	}
}

// The question itself may be lost: then nothing is known, and nothing is concluded.
func TestALostQuestionConcludesNothing(t *testing.T) {
	h := open(t, nil)
	r := payout(providertest.Reference())
	accepted(t, client(t, h).SendPayout(t.Context(), r))
	for _, kind := range []string{"lose_reply", "truncate", "garbage", "http_500", "redirect", "drop_before"} {
		h.Fault(t, "/v3/cashout/status", kind)
		if f := with(t, h, nil).FindPayout(t.Context(), asked(r, "")); f.Result != providers.Unclear || f.Says == "" {
			t.Errorf("%s: %+v", kind, f)
		}
	}
}

func TestSwitchedContractItemsChangeWhatIsSent(t *testing.T) {
	h := open(t, map[string]string{"auth_scheme": "OKP", "validation_account_shape": "array", "reconciliation_time_unit": "milliseconds", "status_bank_reference_field": "e2e"})
	set := map[string]string{"auth_scheme": "OKP", "bank_code_as": "number", "validation_account_shape": "array", "reconciliation_time_unit": "milliseconds", "status_bank_reference_field": "e2e", "idempotency_key_mode": "omit"}
	c := with(t, h, set)
	r := payout(providertest.Reference())
	r.Method, r.Values = "br_bank", onekey.PayoutValues("br_bank")
	accepted(t, c.SendPayout(t.Context(), r))
	settle(t, h, r.Reference, "succeeded")
	if f := c.FindPayout(t.Context(), asked(r, "")); f.Status.BankRef == "" {
		t.Errorf("%+v", f.Status)
	}
	accepted(t, c.CreateDeposit(t.Context(), deposit(providertest.Reference())))
	if v, err := c.VerifyRecipient(t.Context(), r); err != nil || v.Verdict != providers.RecipientOK {
		t.Errorf("%+v %v", v, err)
	}
	now := h.Config.Clock()
	if lines, _, err := c.Statement(t.Context(), now.Add(-3600e9), now.Add(3600e9), "cashouts:"+strconv.FormatInt(now.Unix()-3600, 10)+":0"); err != nil || len(lines) != 1 {
		t.Errorf("%v %v", lines, err)
	}
	var body, key string
	for _, x := range h.Book.All() {
		if x.Operation == "cashout.create" {
			body = string(x.RequestBody)
		}
		if x.Operation == "deposit.create" {
			key = x.RequestHeader.Get("X-Idempotency-Key")
		}
	}
	if !strings.Contains(body, `"bank_code":1,`) || key != "" {
		t.Errorf("bank code or key: %s, %q", body, key)
	}
	refusedWith(t, with(t, h, nil).CreateDeposit(t.Context(), deposit(providertest.Reference())), "102") // the other word is refused, and never tried in turn
}

func TestADepositIsFollowedToItsEnd(t *testing.T) {
	h := open(t, nil)
	c := client(t, h)
	find := func(ref, id string) providers.Finding {
		return c.FindDeposit(t.Context(), providers.Query{Kind: models.Deposit, Reference: ref, ProviderRef: id, Amount: brl(10000)})
	}
	for status, want := range map[string]struct {
		state  models.State
		amount int64
	}{
		"paid": {models.Succeeded, 10000}, "paid_short": {models.Succeeded, 9000}, "paid_late": {models.Succeeded, 10000}, "expired": {models.Expired, 0}, "cancelled": {models.Cancelled, 0},
		"failed": {models.Failed, 0}, "held": {models.AwaitingPayment, 0}, "early": {models.AwaitingPayment, 0},
	} {
		d := deposit(providertest.Reference())
		a := accepted(t, c.CreateDeposit(t.Context(), d))
		if f := find(d.Reference, a.ProviderRef); f.Status.State != models.AwaitingPayment || f.Status.Amount.Asset != "" {
			t.Errorf("before: %+v", f)
		}
		settle(t, h, d.Reference, status)
		f := find(d.Reference, a.ProviderRef)
		if f.Status.State != want.state || f.Status.Amount.Minor != want.amount {
			t.Errorf("%s: %+v", status, f.Status)
		}
		if want.state == models.Succeeded && (f.Status.Payer != "Ana Souza 52998224725" || f.Status.Fee != brl(25)) {
			t.Errorf("%s: %+v", status, f.Status)
		}
	}
	if f := find("SOMETHINGELSE", accepted(t, c.CreateDeposit(t.Context(), deposit(providertest.Reference()))).ProviderRef); f.Result != providers.Unclear {
		t.Errorf("a deposit with another invoice id is not ours: %+v", f)
	}
	if f := find("X", "1"); f.Result != providers.NotFound {
		t.Errorf("%+v", f)
	}
}

func TestADepositExpiresByTheClockOfTheStandIn(t *testing.T) {
	h := open(t, nil)
	d := deposit(providertest.Reference())
	a := accepted(t, client(t, h).CreateDeposit(t.Context(), d))
	h.Control(t, "clock", url.Values{"advance_seconds": {"50000"}})
	if f := client(t, h).FindDeposit(t.Context(), providers.Query{Reference: d.Reference, ProviderRef: a.ProviderRef}); f.Status.State != models.Expired {
		t.Errorf("%+v", f)
	}
	settle(t, h, d.Reference, "paid")
	if f := client(t, h).FindDeposit(t.Context(), providers.Query{Reference: d.Reference, ProviderRef: a.ProviderRef, Amount: brl(10000)}); f.Status.State != models.Succeeded {
		t.Errorf("a late payment: %+v", f)
	}
}

func TestEveryDepositMethodGivesThePayerAWayToPay(t *testing.T) {
	h := open(t, nil)
	for _, m := range onekey.Provider().Description.Methods {
		if m.Kind != models.Deposit || m.ID == "dep_card_on_file" {
			continue
		}
		r := providers.SendRequest{Reference: providertest.Reference(), Amount: models.Money{Minor: 250000, Asset: m.Assets[0]}, Method: m.ID, NotifyURL: "http://127.0.0.1:1/n", ReturnURL: "https://shop.example/back",
			Values: map[string]string{}}
		if m.ID == "dep_br_pix" {
			r.Values = map[string]string{"document": "52998224725", "first_name": "Ana", "last_name": "Souza", "email": "ana@example.com"}
		}
		a := accepted(t, client(t, h).CreateDeposit(t.Context(), r))
		if !strings.HasPrefix(a.Instructions.RedirectURL, h.URL) {
			t.Errorf("%s: %+v", m.ID, a.Instructions)
		}
		wantOneShot := strings.HasPrefix(m.ID, "dep_br_pix")
		if (a.Status.Word == "ONE_SHOT") != wantOneShot || (len(a.Instructions.Lines) > 0) != wantOneShot {
			t.Errorf("%s: %+v", m.ID, a)
		}
	}
	// OKP-DEP-3: the key of the PIX text is a setting; until it is set everything is shown as it comes.
	named := with(t, h, map[string]string{"pix_metadata_keys": "reference"})
	a := accepted(t, named.CreateDeposit(t.Context(), deposit(providertest.Reference())))
	if !strings.HasPrefix(a.Instructions.QR, "000201") {
		t.Errorf("%+v", a.Instructions)
	}
}

func TestQuickpayCarriesNoPayer(t *testing.T) {
	h := open(t, nil)
	accepted(t, client(t, h).CreateDeposit(t.Context(), deposit(providertest.Reference())))
	for _, x := range h.Book.All() {
		if x.Operation == "deposit.create" && strings.Contains(string(x.RequestBody), "payer") {
			t.Errorf("%s", x.RequestBody)
		}
	}
}

// HTTP 200 does not mean paid: the result decides (contract 3.3).
func TestACardKeptByOneKeyIsChargedByItsIdentifier(t *testing.T) {
	h := open(t, nil)
	for identifier, want := range map[string]models.State{"card_0123456789": models.AwaitingPayment, "rejected_card": models.Failed, "challenge_card": models.AwaitingPayment} {
		r := providers.SendRequest{Reference: providertest.Reference(), Amount: brl(5000), Method: "dep_card_on_file", NotifyURL: "http://127.0.0.1:1/n", Values: map[string]string{"country": "BR", "card_identifier": identifier,
			"client_ip": "203.0.113.7", "document": "52998224725", "first_name": "Ana", "last_name": "Souza", "email": "ana@example.com"}}
		a := accepted(t, client(t, h).CreateDeposit(t.Context(), r))
		if a.Status.State != want {
			t.Errorf("%s: %+v", identifier, a.Status)
		}
		r.Values["card_identifier"] = "4111111111111111"
		refusedWith(t, client(t, h).CreateDeposit(t.Context(), r), providers.NotSent)
	}
	for _, x := range h.Book.All() {
		if strings.Contains(string(x.RequestBody), "card_0123456789") || strings.Contains(string(x.RequestBody), "4111111111111111") {
			t.Errorf("a card stands in a record: %s", x.RequestBody)
		}
	}
}

// A deposit whose answer was lost has no query by invoice: the reconciliation finds it.
func TestALostDepositIsFoundInTheBooks(t *testing.T) {
	h := open(t, nil)
	d := deposit(providertest.Reference())
	sent := models.At(h.Config.Clock())
	h.Fault(t, "deposit", "lose_reply")
	unknown(t, client(t, h).CreateDeposit(t.Context(), d))
	q := providers.Query{Kind: models.Deposit, Reference: d.Reference, SentAt: sent, Amount: d.Amount}
	f := client(t, h).FindDeposit(t.Context(), q)
	if f.Result != providers.Found || f.Status.ProviderRef == "" {
		t.Errorf("%+v", f)
	}
	q.Reference = providertest.Reference()
	if f := client(t, h).FindDeposit(t.Context(), q); f.Result != providers.Unclear {
		t.Errorf("not being in the books proves nothing: %+v", f)
	}
}

func TestRefundsInPartAndInFull(t *testing.T) {
	h := open(t, nil)
	c := client(t, h)
	r := refund(providertest.Reference())
	paidDeposit(t, h, &r)
	a := accepted(t, c.SendRefund(t.Context(), r))
	find := func() providers.Finding {
		return c.FindRefund(t.Context(), providers.Query{Kind: models.Refund, Reference: r.Reference, ProviderRef: a.ProviderRef, Amount: r.Amount})
	}
	states := []models.State{a.Status.State, find().Status.State}
	settle(t, h, r.Reference, "succeeded")
	states = append(states, find().Status.State)
	if diff := cmp.Diff([]models.State{models.Pending, models.Pending, models.Succeeded}, states); diff != "" {
		t.Error(diff)
	}
	too := r
	too.Reference, too.Amount = providertest.Reference(), brl(7000)
	refusedWith(t, c.SendRefund(t.Context(), too), "201")
	rest := r
	rest.Reference, rest.Amount, rest.Full = providertest.Reference(), models.Money{}, true
	accepted(t, c.SendRefund(t.Context(), rest))
	if again := refusedWith(t, c.SendRefund(t.Context(), refundOf(r, brl(1))), "201"); again.Code != "201" {
		t.Error("more was given back than came")
	}
}

func refundOf(r providers.SendRequest, amount models.Money) providers.SendRequest {
	r.Reference, r.Amount = providertest.Reference(), amount
	return r
}

// OKP-REF-1: an absent amount means the whole deposit. It is never absent by accident.
func TestARefundWithoutAnAmountIsNotSentUnlessAllIsMeant(t *testing.T) {
	h := open(t, nil)
	r := refund(providertest.Reference())
	paidDeposit(t, h, &r)
	r.Amount = models.Money{Asset: "BRL"}
	refusedWith(t, client(t, h).SendRefund(t.Context(), r), providers.NotSent)
	r.Amount = brl(-1)
	r.Full = true
	refusedWith(t, client(t, h).SendRefund(t.Context(), r), providers.NotSent)
	r.OfProviderRef = ""
	refusedWith(t, client(t, h).SendRefund(t.Context(), r), providers.NotSent)
	if h.Executions(t, r.Reference) != 0 {
		t.Error("something was sent")
	}
}

func TestARefundToACardIsDoneAtOnce(t *testing.T) {
	h := open(t, nil)
	d := providers.SendRequest{Reference: providertest.Reference(), Amount: brl(5000), Method: "dep_card_on_file", Values: map[string]string{"country": "BR", "card_identifier": "card_0123456789",
		"client_ip": "203.0.113.7", "document": "52998224725", "first_name": "Ana", "last_name": "Souza", "email": "ana@example.com"}}
	id := accepted(t, client(t, h).CreateDeposit(t.Context(), d)).ProviderRef
	r := providers.SendRequest{Reference: providertest.Reference(), Amount: brl(5000), Method: "refund_card", OfProviderRef: id}
	a := accepted(t, client(t, h).SendRefund(t.Context(), r))
	if a.Status.State != models.Succeeded || a.Status.Word != "SUCCESS" {
		t.Errorf("%+v", a.Status)
	}
	bank := refund(providertest.Reference())
	paidDeposit(t, h, &bank)
	bank.Method, bank.Values = "refund_card", nil
	refusedWith(t, client(t, h).SendRefund(t.Context(), bank), "418") // not a card: the bank account is missing
}

func TestWalletTransfersMoveOnceAndShowInTheBalances(t *testing.T) {
	h := open(t, nil)
	c, r := client(t, h), transfer(providertest.Reference())
	accepted(t, c.SendTransfer(t.Context(), r))
	accepted(t, c.SendTransfer(t.Context(), r)) // the same key is replayed, not executed again
	list, err := c.Balances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []providers.Balance{
		{Account: "PROPRIETARY", Available: brl(49_999_900), Text: "499999.00", Mark: providers.Documented},
		{Account: "TRANSACTIONAL", Available: brl(25_000_100), Text: "250001.00", Mark: providers.Documented},
		{Account: "PRIMARY", Available: models.Money{Minor: 5_000_000_000, Asset: models.Unstated}, Total: models.Money{Minor: 5_000_000_000, Asset: models.Unstated}, Text: "50000000.00", Mark: providers.Documented,
			Note: "OneKey's documentation names no currency for this figure."},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	if h.Executions(t, r.Reference) != 1 {
		t.Errorf("%d executions", h.Executions(t, r.Reference))
	}
	same := transfer(providertest.Reference())
	same.To = same.From
	refusedWith(t, c.SendTransfer(t.Context(), same), providers.NotSent)
	too := transfer(providertest.Reference())
	too.Amount = brl(99_999_999_00)
	refusedWith(t, c.SendTransfer(t.Context(), too), "201")
}
