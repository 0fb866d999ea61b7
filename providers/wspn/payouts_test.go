package wspn

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

func TestAFiatPayoutIsAcceptedFoundAndPaid(t *testing.T) {
	s := play(t, nil)
	out := s.client.SendPayout(t.Context(), fiatPayout(t, "CH01K9ZTQ4M6W2XDPB7VNE", "1000.50"))
	got, ok := out.(providers.Accepted)
	if !ok {
		t.Fatalf("outcome %#v", out)
	}
	want := providers.Status{State: models.Pending, Word: "TO_BE_PROCESSED", ProviderRef: got.ProviderRef, Amount: usd(t, "1000.50"), Fee: usd(t, "0")}
	if d := cmp.Diff(want, got.Status); d != "" {
		t.Error(d)
	}
	q := providers.Query{Kind: models.Payout, Reference: "CH01K9ZTQ4M6W2XDPB7VNE", Method: payFiat, Amount: usd(t, "1000.50")}
	if f := s.client.FindPayout(t.Context(), q); f.Result != providers.Found || f.Status.State != models.Pending || f.Status.ProviderRef != got.ProviderRef {
		t.Errorf("found %+v", f)
	}
	s.do("settle", "reference", q.Reference, "status", "succeeded")
	f := s.client.FindPayout(t.Context(), q)
	if f.Result != providers.Found || f.Status.State != models.Succeeded || f.Status.Amount != usd(t, "1000.50") {
		t.Errorf("found %+v", f)
	}
	s.do("settle", "reference", q.Reference, "status", "returned")
	if f := s.client.FindPayout(t.Context(), q); f.Status.State != models.Returned {
		t.Errorf("found %+v", f)
	}
	if n := s.executions(q.Reference); n != 1 {
		t.Errorf("%d executions", n)
	}
}

func TestAnUndocumentedStatusChangesNothing(t *testing.T) {
	s := play(t, nil)
	s.client.SendPayout(t.Context(), fiatPayout(t, "CHHELD", "200"))
	s.do("settle", "reference", "CHHELD", "status", "held")
	q := providers.Query{Kind: models.Payout, Reference: "CHHELD", Method: payFiat}
	if f := s.client.FindPayout(t.Context(), q); f.Status.State != "" || f.Status.Word != "ON_HOLD" || f.Result != providers.Found {
		t.Errorf("found %+v", f)
	}
	// In live, not even COMPLETED of a fiat payout is taken for success until somebody has typed it (contract 6.5).
	live, err := readSettings(models.Live, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{set: live}
	for _, word := range []string{"COMPLETED", "FAILED", "RETURNED", "completed", ""} {
		if st := c.stateOf(models.Payout, word); st != "" {
			t.Errorf("in live %q means %s without anybody having said so", word, st)
		}
	}
	if st := c.stateOf(models.Conversion, "COMPLETED"); st != models.Succeeded {
		t.Errorf("the documented COMPLETED of a conversion means %q", st)
	}
	typed, err := readSettings(models.Live, map[string]string{"status_words": "payout.COMPLETED=succeeded, payout.X=no_such_state"})
	if err != nil {
		t.Fatal(err)
	}
	c = &client{set: typed}
	if c.stateOf(models.Payout, "COMPLETED") != models.Succeeded || c.stateOf(models.Payout, "X") != "" {
		t.Error("typed words are not used as typed")
	}
}

func TestWhatWSPNWouldRefuseIsRefusedBeforeItIsSent(t *testing.T) {
	s := play(t, nil)
	for name, c := range map[string]struct {
		change func(*providers.SendRequest)
		says   string
	}{
		"99.99 is below the minimum": {func(r *providers.SendRequest) { r.Amount = usd(t, "99.99") }, "at least 100"},
		"zero":                       {func(r *providers.SendRequest) { r.Amount.Minor = 0 }, "above zero"},
		"negative":                   {func(r *providers.SendRequest) { r.Amount.Minor = -1000000 }, "above zero"},
		"three decimals":             {func(r *providers.SendRequest) { r.Amount = cash(t, "100.125", "KWD") }, "at most 2 decimals"},
		"no account":                 {func(r *providers.SendRequest) { r.Values = nil }, "missing"},
		"account is no number":       {func(r *providers.SendRequest) { r.Values["remit_info_id"] = "1e9" }, "digits only"},
		"account above 2^63":         {func(r *providers.SendRequest) { r.Values["remit_info_id"] = "9223372036854775808" }, "too large"},
		"a field nobody saw":         {func(r *providers.SendRequest) { r.Values["currency"] = "EUR" }, "no such field"},
		"long purpose":               {func(r *providers.SendRequest) { r.Values["purpose"] = strings.Repeat("x", 256) }, "longer than 255"},
		"control characters":         {func(r *providers.SendRequest) { r.Values["purpose"] = "a\x00b" }, "cannot be used"},
		"WUSD to a bank":             {func(r *providers.SendRequest) { r.Amount = cash(t, "500", "WUSD") }, "Redeem first"},
		"reference with a space":     {func(r *providers.SendRequest) { r.Reference = "CH 1" }, "reference"},
		"reference of 65":            {func(r *providers.SendRequest) { r.Reference = strings.Repeat("A", 65) }, "reference"},
		"no such method":             {func(r *providers.SendRequest) { r.Method = "pix" }, "no payout called"},
	} {
		r := fiatPayout(t, "CHREFUSE", "250")
		c.change(&r)
		out, ok := s.client.SendPayout(t.Context(), r).(providers.Refused)
		if !ok || out.Code != providers.NotSent || !strings.Contains(out.Message, c.says) {
			t.Errorf("%s: %#v", name, out)
		}
	}
	if n := s.records.count("fiat.withdraw"); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// No error code of WSPN is documented, so its errors are "unknown" until staff type which of them are definite refusals (WSPN-ERR-1).
func TestAnErrorAnswerIsARefusalOnlyWhereStaffSaidSo(t *testing.T) {
	s := play(t, nil)
	r := fiatPayout(t, "CHFUNDS", "30000000")
	out, ok := s.client.SendPayout(t.Context(), r).(providers.Unknown)
	if !ok || !strings.Contains(out.Cause, "TEST_FUNDS") || len(out.Raw) == 0 {
		t.Fatalf("outcome %#v", out)
	}
	typed := s.another(func(c *providers.Config) {
		c.Settings = map[string]string{"refusal_codes": "TEST_OTHER, TEST_FUNDS", "not_found_codes": "TEST_NO_SUCH_ORDER"}
	})
	if out, ok := typed.SendPayout(t.Context(), r).(providers.Refused); !ok || out.Code != "TEST_FUNDS" {
		t.Errorf("outcome %#v", out)
	}
	if n := s.executions("CHFUNDS"); n != 0 {
		t.Errorf("%d executions", n)
	}
}

func TestASecondUseOfAReferenceIsUnknownAndNeverPaysTwice(t *testing.T) {
	s := play(t, nil)
	if out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHTWICE", "300")).(providers.Accepted); !ok {
		t.Fatalf("outcome %#v", out)
	}
	out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHTWICE", "300")).(providers.Unknown)
	if !ok || !strings.Contains(out.Cause, "TEST_DUPLICATE_REQUEST") {
		t.Errorf("outcome %#v", out)
	}
	if n := s.executions("CHTWICE"); n != 1 {
		t.Errorf("%d executions", n)
	}
}

func TestEveryLostOrSpoiltReplyIsUnknownWithOneExecution(t *testing.T) {
	for _, kind := range []string{"lose_reply", "http_500", "redirect", "garbage", "truncate", "duplicate", "lie_amount", "late"} {
		t.Run(kind, func(t *testing.T) {
			s := play(t, nil)
			if _, err := s.client.Balances(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.do("fault", "operation", "payout", "kind", kind)
			ctx := t.Context()
			if kind == "late" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
				defer cancel()
			}
			out, ok := s.client.SendPayout(ctx, fiatPayout(t, "CHFAULT", "400")).(providers.Unknown)
			if !ok || out.Cause == "" {
				t.Fatalf("outcome %#v", out)
			}
			if n := s.executions("CHFAULT"); n != 1 {
				t.Errorf("%d executions", n)
			}
			f := s.client.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHFAULT", Method: payFiat})
			if f.Result != providers.Found || f.Status.Amount != usd(t, "400") {
				t.Errorf("the order is not found afterwards: %+v", f)
			}
		})
	}
	t.Run("drop_before", func(t *testing.T) {
		s := play(t, nil)
		s.do("fault", "operation", "payout", "kind", "drop_before")
		if out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHDROP", "400")).(providers.Unknown); !ok {
			t.Fatalf("outcome %#v", out)
		}
		if n := s.executions("CHDROP"); n != 0 {
			t.Errorf("%d executions", n)
		}
		f := s.client.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHDROP", Method: payFiat})
		if f.Result != providers.NotFound {
			t.Errorf("found %+v", f)
		}
	})
}

func TestNothingSentIsRefusedAsNotSent(t *testing.T) {
	s := play(t, nil)
	c := s.another(func(cfg *providers.Config) { cfg.Values = map[string]string{"base_url": "http://127.0.0.1:1"} })
	out, ok := c.SendPayout(t.Context(), fiatPayout(t, "CHNOT", "400")).(providers.Refused)
	if !ok || out.Code != providers.NotSent || !out.Retryable {
		t.Errorf("outcome %#v", out)
	}
}

// WSPN's pages speak of moving the whole balance (contract 8, row 5). If that is what happens, it must be loud.
func TestAWholeBalanceMovedInsteadOfTheAmountIsLoud(t *testing.T) {
	s := play(t, map[string]string{"theirs.amount_semantics": "whole_balance"})
	out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHALL", "400")).(providers.Unknown)
	if !ok || !strings.Contains(out.Cause, "whole balance") {
		t.Fatalf("outcome %#v", out)
	}
	if n := s.executions("CHALL"); n != 1 {
		t.Errorf("%d executions", n)
	}

	s = play(t, map[string]string{"theirs.amount_semantics": "partial_refused"})
	whole := s.another(func(cfg *providers.Config) { cfg.Settings = map[string]string{"amount_semantics": "whole_balance"} })
	if out, ok := whole.SendPayout(t.Context(), fiatPayout(t, "CHPART", "400")).(providers.Refused); !ok || out.Code != providers.NotSent {
		t.Errorf("outcome %#v", out)
	}
	if out, ok := whole.SendPayout(t.Context(), fiatPayout(t, "CHWHOLE", "25000000")).(providers.Accepted); !ok {
		t.Errorf("outcome %#v", out)
	}
	if out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHPART2", "400")).(providers.Unknown); !ok || !strings.Contains(out.Cause, "TEST_PARTIAL") {
		t.Errorf("outcome %#v", out)
	}
}

func TestAnswersOfAnotherSignatureAreUnknownForMoneyAndAnErrorForReads(t *testing.T) {
	s := play(t, map[string]string{"theirs.response_signature": "wrong"})
	if out, ok := s.client.SendPayout(t.Context(), fiatPayout(t, "CHSIG", "400")).(providers.Unknown); !ok || !strings.Contains(out.Cause, "signature") {
		t.Errorf("outcome %#v", out)
	}
	if n := s.executions("CHSIG"); n != 1 {
		t.Errorf("%d executions", n)
	}
	if _, err := s.client.Balances(t.Context()); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("balance: %v", err)
	}
	off := s.another(func(cfg *providers.Config) { cfg.Settings = map[string]string{"response_signature_mode": "off"} })
	if _, err := off.Balances(t.Context()); err != nil {
		t.Errorf("mode off: %v", err)
	}
	s = play(t, map[string]string{"theirs.response_signature": "off"})
	if _, err := s.client.Balances(t.Context()); err != nil {
		t.Errorf("verify-if-present, none present: %v", err)
	}
	must := s.another(func(cfg *providers.Config) { cfg.Settings = map[string]string{"signature_profile_confirmed": "yes"} })
	if out, ok := must.SendPayout(t.Context(), fiatPayout(t, "CHSIG2", "400")).(providers.Unknown); !ok || !strings.Contains(out.Cause, "no signature") {
		t.Errorf("required, none present: %#v", out)
	}
}

func TestYenTravelWithoutDecimals(t *testing.T) {
	s := play(t, nil)
	r := providers.SendRequest{Reference: "CHYEN", Amount: cash(t, "15000", "JPY"), Method: payFiat, Values: map[string]string{"remit_info_id": jpyAccount}}
	out, ok := s.client.SendPayout(t.Context(), r).(providers.Accepted)
	if !ok || out.Status.Amount != cash(t, "15000", "JPY") {
		t.Errorf("outcome %#v", out)
	}
	for text, want := range map[string]string{"100.5": "100.50", "7": "7.00", "0.01": "0.01"} {
		set, _ := readSettings(models.Sandbox, nil)
		if got, err := wireAmount(&set, usd(t, text)); err != nil || got != want {
			t.Errorf("%s is written %q, %v", text, got, err)
		}
	}
	set, _ := readSettings(models.Sandbox, map[string]string{"amount_rules": "trimmed"})
	if got, _ := wireAmount(&set, usd(t, "100.50")); got != "100.5" {
		t.Errorf("trimmed: %q", got)
	}
	if _, err := wireAmount(&set, models.Money{Minor: 1, Asset: "BTC"}); err == nil {
		t.Error("8 decimals are written")
	}
}
