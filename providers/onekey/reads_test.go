package onekey_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/onekey"
	"countinghouse/providers/providertest"
)

func TestEveryLookUpAnswersWithATable(t *testing.T) {
	h := open(t, nil)
	c := client(t, h)
	accepted(t, c.SendPayout(t.Context(), payout(providertest.Reference())))
	sub := accepted(t, c.CreateSubscription(t.Context(), subscription())).ProviderRef
	today := time.Now().UTC()
	days := map[string]string{"from": today.AddDate(0, 0, -1).Format(time.DateOnly), "to": today.AddDate(0, 0, 1).Format(time.DateOnly)}
	for id, row := range map[string]struct {
		params map[string]string
		first  []string // first cells of the first row
	}{
		"banks":                {map[string]string{"country": "BR"}, []string{"001", "Banco do Brasil S.A.", "00000000", "true"}},
		"payment_methods":      {map[string]string{"country": "BR"}, []string{"IX", "Pix", "VOUCHER", "BR", "OK"}},
		"exchange_rate":        {map[string]string{"country": "BR", "amount": "10"}, []string{"5.8829", "BRL", "58.829"}},
		"crypto_rate":          {map[string]string{"currency": "USD", "amount": "100", "crypto": "BTC"}, []string{"64210.5", "BTC", "0.00155738", "0.0001"}},
		"states":               {map[string]string{"country": "BR"}, []string{"MG", "Minas Gerais"}},
		"subscription":         {map[string]string{"id": sub}, []string{sub}},
		"books_cashouts":       {days, nil},
		"books_deposits":       {days, nil},
		"books_refunds":        {days, nil},
		"books_balance_report": {days, nil},
	} {
		s, err := c.LookUp(t.Context(), id, row.params)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if row.first != nil && (len(s.Rows) == 0 || !cmp.Equal(s.Rows[0][:len(row.first)], row.first)) {
			t.Errorf("%s: %v %v", id, s.Columns, s.Rows)
		}
		for _, r := range s.Rows {
			if len(r) != len(s.Columns) {
				t.Errorf("%s: a row of %d cells below %d columns", id, len(r), len(s.Columns))
			}
		}
	}
	for _, r := range onekey.Provider().Description.Reads {
		if _, err := c.LookUp(t.Context(), r.ID, map[string]string{"country": "../..", "id": "../x", "code": "/etc", "from": "x", "to": "y"}); models.CodeOf(err) != models.Invalid {
			t.Errorf("%s takes hostile parameters: %v", r.ID, err)
		}
	}
	if _, err := c.LookUp(t.Context(), "books_cashouts", map[string]string{"from": "2026-01-01", "to": "2026-03-15"}); models.CodeOf(err) != models.Invalid {
		t.Errorf("73 days: %v", err)
	}
}

// OKP-BANK-1: JSON numbers lose their leading zeros; they are put back, unless the setting says otherwise.
func TestOneBankIsFoundByCodeAndByISPB(t *testing.T) {
	h := open(t, nil)
	for _, code := range []string{"033", "33", "90400888"} {
		s, err := client(t, h).LookUp(t.Context(), "banks", map[string]string{"country": "BR", "code": code})
		if err != nil || len(s.Rows) != 1 || s.Rows[0][0] != "033" {
			t.Errorf("%s: %v %v", code, s.Rows, err)
		}
	}
	bare, err := with(t, h, map[string]string{"bank_list_shape": "as_given"}).LookUp(t.Context(), "banks", map[string]string{"country": "BR", "code": "001"})
	if err != nil || bare.Rows[0][0] != "1" {
		t.Errorf("%v %v", bare.Rows, err)
	}
	if _, err := client(t, h).LookUp(t.Context(), "banks", map[string]string{"country": "BR", "code": "555"}); models.CodeOf(err) != models.NotFound {
		t.Errorf("%v", err)
	}
}

// A payout's form offers the banks as choices and has nothing to give for it.
func TestWhatAFormOffersAsChoicesNeedsNoParameters(t *testing.T) {
	h := open(t, nil)
	for _, m := range onekey.Provider().Description.Methods {
		for _, f := range m.Fields {
			if f.Lookup == "" {
				continue
			}
			if s, err := client(t, h).LookUp(t.Context(), f.Lookup, nil); err != nil || len(s.Rows) == 0 || s.Rows[0][0] == "" || s.Rows[0][1] == "" {
				t.Errorf("%s %s: %v %v", m.ID, f.Name, s.Rows, err)
			}
		}
	}
}

func subscription() onekey.Subscription {
	return onekey.Subscription{Reference: providertest.Reference(), Amount: brl(1990), Country: "BR", Document: "52998224725", DocumentType: "CPF", Email: "ana@example.com", FirstName: "Ana", LastName: "Souza",
		Description: "Plan", StartDate: "2026-12-01", Plan: "MONTHLY", PlanUnit: 1, AutoRenewal: true, ClientIP: "203.0.113.7", ReturnURL: "https://shop.example/back", CallbackURL: "https://shop.example/hook"}
}

func TestASubscriptionIsMadeReadAndEnded(t *testing.T) {
	h := open(t, nil)
	c, s := client(t, h), subscription()
	a := accepted(t, c.CreateSubscription(t.Context(), s))
	if a.Instructions.RedirectURL == "" {
		t.Errorf("%+v", a)
	}
	accepted(t, c.CancelSubscription(t.Context(), a.ProviderRef))
	refusedWith(t, c.CancelSubscription(t.Context(), a.ProviderRef), "421")
	refusedWith(t, c.CancelSubscription(t.Context(), "1"), "420")
	refusedWith(t, c.CancelSubscription(t.Context(), "../deposits/1"), providers.NotSent)
	for name, harm := range map[string]func(*onekey.Subscription){
		"plan": func(s *onekey.Subscription) { s.Plan = "HOURLY" }, "unit": func(s *onekey.Subscription) { s.PlanUnit = 0 }, "start": func(s *onekey.Subscription) { s.StartDate = "01/12/2026" },
		"amount": func(s *onekey.Subscription) { s.Amount.Minor = 0 }, "reference": func(s *onekey.Subscription) { s.Reference = "a b" },
	} {
		bad := subscription()
		harm(&bad)
		if r := refusedWith(t, c.CreateSubscription(t.Context(), bad), providers.NotSent); r.Message == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	h.Fault(t, "/v3/subscriptions", "lose_reply")
	lost := subscription()
	unknown(t, c.CreateSubscription(t.Context(), lost))
	if h.Executions(t, lost.Reference) != 1 {
		t.Error("not exactly one")
	}
}

func TestAStatementPagesThroughBothBooks(t *testing.T) {
	h := open(t, nil)
	c := client(t, h)
	for range 53 {
		accepted(t, c.SendPayout(t.Context(), payout(providertest.Reference())))
	}
	d := deposit(providertest.Reference())
	accepted(t, c.CreateDeposit(t.Context(), d))
	settle(t, h, d.Reference, "paid")
	now := time.Now()
	var lines []providers.StatementLine
	next, pages := "", 0
	for {
		list, cursor, err := c.Statement(t.Context(), now.AddDate(0, 0, -100), now.Add(time.Hour), next)
		if err != nil {
			t.Fatal(err)
		}
		lines, pages = append(lines, list...), pages+1
		if next = cursor; next == "" || pages > 20 {
			break
		}
	}
	// 100 days are two windows of each book; the second window of cashouts has two pages.
	if len(lines) != 54 || pages != 5 {
		t.Fatalf("%d lines on %d pages", len(lines), pages)
	}
	got := lines[0]
	if got.At == 0 || got.Text == "" {
		t.Errorf("%+v", got)
	}
	got.At, got.Text, got.ID, got.ProviderRef = 0, "", "", ""
	if diff := cmp.Diff(providers.StatementLine{Kind: models.Deposit, Reference: d.Reference, Amount: brl(10000), Fee: brl(25), Word: "COMPLETED"}, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := c.Statement(t.Context(), now, now, "cashouts:x:1"); models.CodeOf(err) != models.Invalid {
		t.Errorf("a broken cursor: %v", err)
	}
}

func TestRecipientsAreVerified(t *testing.T) {
	h, in := open(t, nil), openInbox(t)
	c := client(t, h)
	r := payout("")
	r.Method, r.Values = "br_bank", onekey.PayoutValues("br_bank")
	if v, err := c.VerifyRecipient(t.Context(), r); err != nil || v.Verdict != providers.RecipientOK {
		t.Errorf("%+v %v", v, err)
	}
	r.Values["bank_code"], r.Values["bank_account"] = "555", "1-1"
	if v, err := c.VerifyRecipient(t.Context(), r); err != nil || v.Verdict != providers.RecipientBad || !strings.Contains(v.Sentence, "301") {
		t.Errorf("%+v %v", v, err)
	}
	r.Values = onekey.PayoutValues("br_bank")
	h.Control(t, "refuse", url.Values{"operation": {"validation"}, "code": {"402"}})
	if v, err := c.VerifyRecipient(t.Context(), r); err != nil || v.Verdict != providers.RecipientMismatch {
		t.Errorf("%+v %v", v, err)
	}
	for _, m := range onekey.Provider().Description.Methods {
		if m.Kind != models.Payout || m.Locked != "" || strings.HasPrefix(m.ID, "br_pix_") {
			continue
		}
		r := providers.SendRequest{Method: m.ID, Amount: models.Money{Minor: 100000, Asset: m.Assets[0]}, Values: onekey.PayoutValues(m.ID)}
		if v, err := c.VerifyRecipient(t.Context(), r); err != nil || v.Verdict != providers.RecipientOK {
			t.Errorf("%s: %+v %v", m.ID, v, err)
		}
	}
	for method, want := range map[string]providers.Verdict{"br_pix_cpf": providers.RecipientOK, "br_pix_phone": providers.RecipientOK, "br_pix_email": providers.RecipientBad} {
		p := payout("")
		p.Method, p.Values = method, onekey.PayoutValues(method)
		if method == "br_pix_email" {
			p.Values["email"] = "other@example.com"
		}
		p.NotifyURL = in.URL + "/pix?token=token-for-" + strings.ReplaceAll(method, "_", "-")
		v, err := c.VerifyRecipient(t.Context(), p)
		if err != nil || v.Verdict != providers.RecipientPending || v.Token == "" {
			t.Fatalf("%s: %+v %v", method, v, err)
		}
		list := in.wait(t, 1)
		n, err := onekey.Provider().Webhooks.TranslateWebhook(list[len(list)-1])
		if err != nil || n.Token != v.Token || n.Verification.Verdict != want {
			t.Errorf("%s: %+v %v", method, n, err)
		}
		p.NotifyURL = in.URL + "/pix"
		if _, err := c.VerifyRecipient(t.Context(), p); models.CodeOf(err) != models.Unavailable {
			t.Errorf("without a token nothing is asked: %v", err)
		}
	}
	random := payout("")
	random.Method = "br_pix_random"
	if _, err := c.VerifyRecipient(t.Context(), random); models.CodeOf(err) != models.Invalid {
		t.Errorf("%v", err)
	}
}

func TestTheTokenOfAPixQuestionIsNotRecorded(t *testing.T) {
	h := open(t, nil)
	p := payout("")
	p.NotifyURL = "http://127.0.0.1:1/pix?token=very-secret-token-0001"
	if _, err := client(t, h).VerifyRecipient(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, x := range h.Book.All() {
		if strings.Contains(string(x.RequestBody), "very-secret-token-0001") {
			t.Errorf("%s", x.RequestBody)
		}
	}
}
