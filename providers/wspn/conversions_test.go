package wspn

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

func quoted(t *testing.T, s *stage, sell, buy string) providers.Quote {
	t.Helper()
	q, err := s.client.Quote(t.Context(), sell, buy, models.Money{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func minting(ref string, q providers.Quote, amount models.Money) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: amount, Method: mint, Quote: q}
}

func TestAQuoteIsTakenAndMinted(t *testing.T) {
	s := play(t, nil)
	q := quoted(t, s, "USD", "WUSD")
	left := time.Until(q.ExpiresAt.Time())
	if q.Rate != "0.9995" || len(q.ID) != 19 || q.Mark != providers.Sibling || left < 25*time.Second || left > 30*time.Second {
		t.Errorf("quote %+v, %s left", q, left)
	}
	out, ok := s.client.Convert(t.Context(), minting("CHMINT", q, usd(t, "1000"))).(providers.Accepted)
	if !ok {
		t.Fatalf("outcome %#v", out)
	}
	want := providers.Status{State: models.Succeeded, Word: "COMPLETED", ProviderRef: out.ProviderRef, Amount: usd(t, "1000"),
		Counter: cash(t, "999.50", "WUSD"), Rate: "0.9995"}
	if d := cmp.Diff(want, out.Status); d != "" {
		t.Error(d)
	}
	if again, ok := s.client.Convert(t.Context(), minting("CHMINT2", q, usd(t, "1000"))).(providers.Unknown); !ok || !strings.Contains(again.Cause, "TEST_QUOTE_USED") {
		t.Errorf("a used quote: %#v", again)
	}
	if s.executions("CHMINT") != 1 || s.executions("CHMINT2") != 0 {
		t.Error("executions")
	}
}

func TestAQuoteOlderThanThirtySecondsIsRefusedBeforeItIsSent(t *testing.T) {
	s := play(t, nil)
	q := quoted(t, s, "USD", "WUSD")
	ahead := setClock(s.client)
	ahead.Store(int64(31 * time.Second))
	out, ok := s.client.Convert(t.Context(), minting("CHLATE", q, usd(t, "1000"))).(providers.Refused)
	if !ok || out.Code != providers.NotSent || !strings.Contains(out.Message, "expired") || s.records.count("conversion.create") != 0 {
		t.Errorf("outcome %#v", out)
	}
	// And the stand-in holds its own clock against it.
	s = play(t, map[string]string{"refusal_codes": "TEST_QUOTE_EXPIRED"})
	q = quoted(t, s, "USD", "WUSD")
	s.do("clock", "advance_seconds", "31")
	if out, ok := s.client.Convert(t.Context(), minting("CHLATE", q, usd(t, "1000"))).(providers.Refused); !ok || out.Code != "TEST_QUOTE_EXPIRED" {
		t.Errorf("outcome %#v", out)
	}
}

func TestAQuoteOfAnotherPairIsRefused(t *testing.T) {
	s := play(t, nil)
	q := quoted(t, s, "EUR", "WUSD")
	if out, ok := s.client.Convert(t.Context(), minting("CHPAIR", q, usd(t, "1000"))).(providers.Refused); !ok || out.Code != providers.NotSent {
		t.Errorf("outcome %#v", out)
	}
	if _, err := s.client.Quote(t.Context(), "USD", "EUR", models.Money{}); err == nil {
		t.Error("a pair without WUSD is quoted")
	}
	r := minting("CHDIR", quoted(t, s, "USD", "WUSD"), usd(t, "10"))
	r.Method = redeem
	if out, ok := s.client.Convert(t.Context(), r).(providers.Refused); !ok || !strings.Contains(out.Message, "other direction") {
		t.Errorf("outcome %#v", out)
	}
}

func TestRedeemingBuysTheCurrency(t *testing.T) {
	s := play(t, nil)
	q := quoted(t, s, "WUSD", "EUR")
	r := providers.SendRequest{Reference: "CHRED", Amount: cash(t, "100.10", "WUSD"), Method: redeem, Quote: q, Values: map[string]string{"buy_currency": "EUR"}}
	out, ok := s.client.Convert(t.Context(), r).(providers.Accepted)
	if !ok || out.Status.Counter.Asset != "EUR" || out.Status.Counter.Minor <= 0 {
		t.Fatalf("outcome %#v", out)
	}
	f := s.client.FindConversion(t.Context(), providers.Query{Kind: models.Conversion, Reference: "CHRED", Method: redeem, Amount: r.Amount,
		SentAt: models.At(time.Now()), Values: r.Values})
	if f.Result != providers.Found || f.Status.ProviderRef != out.ProviderRef || f.Status.Counter != out.Status.Counter {
		t.Errorf("found %+v", f)
	}
}

func TestALyingConversionIsUnknown(t *testing.T) {
	for _, kind := range []string{"lie_amount", "lose_reply", "http_500", "garbage", "truncate", "duplicate"} {
		s := play(t, nil)
		q := quoted(t, s, "USD", "WUSD")
		s.do("fault", "operation", "convert", "kind", kind)
		if out, ok := s.client.Convert(t.Context(), minting("CHLIE", q, usd(t, "77.77"))).(providers.Unknown); !ok {
			t.Errorf("%s: outcome %#v", kind, out)
		}
		if n := s.executions("CHLIE"); n != 1 {
			t.Errorf("%s: %d executions", kind, n)
		}
		f := s.client.FindConversion(t.Context(), providers.Query{Kind: models.Conversion, Reference: "CHLIE", Method: mint, Amount: usd(t, "77.77"), SentAt: models.At(time.Now())})
		if f.Result != providers.Found || f.Status.State != models.Succeeded {
			t.Errorf("%s: found %+v", kind, f)
		}
	}
}

// In live the order query of conversions is locked until its path is typed, so a lost conversion is looked for in the history, which
// knows no reference: unique or unclear.
func TestALostConversionIsFoundInTheHistoryOnlyWhenItIsUnique(t *testing.T) {
	s := play(t, nil)
	live := s.another(nil)
	live.env, live.set.confirmed = models.Live, true
	q := func(amount string) providers.Query {
		return providers.Query{Kind: models.Conversion, Reference: "CHHIST", Method: mint, Amount: usd(t, amount), SentAt: models.At(time.Now())}
	}
	if f := live.FindConversion(t.Context(), q("50")); f.Result != providers.NotFound && f.Result != providers.Unclear {
		t.Errorf("nothing made: %+v", f)
	}
	made := s.client.Convert(t.Context(), minting("CHHIST", quoted(t, s, "USD", "WUSD"), usd(t, "50"))).(providers.Accepted)
	f := live.FindConversion(t.Context(), q("50.00"))
	if f.Result != providers.Found || f.Status.ProviderRef != made.ProviderRef || f.Status.State != models.Succeeded || f.Status.Rate != "0.9995" {
		t.Errorf("one made: %+v", f)
	}
	if n := s.records.count("conversion.order"); n != 0 {
		t.Errorf("the guessed path was called %d times in live", n)
	}
	old := q("50")
	old.SentAt = models.At(time.Now().Add(-3 * time.Hour))
	if f := live.FindConversion(t.Context(), old); f.Result != providers.Unclear {
		t.Errorf("one made, but hours after ours was sent: %+v", f)
	}
	s.client.Convert(t.Context(), minting("CHHIST2", quoted(t, s, "USD", "WUSD"), usd(t, "50")))
	if f := live.FindConversion(t.Context(), q("50")); f.Result != providers.Unclear || !strings.Contains(f.Says, "2 conversions") {
		t.Errorf("two made: %+v", f)
	}
	known := q("50")
	known.ProviderRef = made.ProviderRef
	if f := live.FindConversion(t.Context(), known); f.Result != providers.Found || f.Status.ProviderRef != made.ProviderRef {
		t.Errorf("two made, ours known by id: %+v", f)
	}
	if f := live.FindConversion(t.Context(), q("51")); f.Result != providers.NotFound {
		t.Errorf("another amount: %+v", f)
	}
}

func TestAnOrderOfAnotherAmountIsForAPerson(t *testing.T) {
	s := play(t, map[string]string{"theirs.amount_semantics": "whole_balance"})
	if out, ok := s.client.Convert(t.Context(), minting("CHMORE", quoted(t, s, "USD", "WUSD"), usd(t, "50"))).(providers.Unknown); !ok || !strings.Contains(out.Cause, "whole balance") {
		t.Fatalf("outcome %#v", out)
	}
	f := s.client.FindConversion(t.Context(), providers.Query{Kind: models.Conversion, Reference: "CHMORE", Method: mint, Amount: usd(t, "50"), SentAt: models.At(time.Now())})
	if f.Result != providers.Unclear || !strings.Contains(f.Says, "25,000,000.00 USD") {
		t.Errorf("found %+v", f)
	}
	s.client.SendPayout(t.Context(), providers.SendRequest{Reference: "CHMORE2", Amount: cash(t, "500", "EUR"), Method: payFiat, Values: map[string]string{"remit_info_id": eurAccount}})
	g := s.client.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHMORE2", Method: payFiat, Amount: cash(t, "500", "EUR")})
	if g.Result != providers.Unclear || !strings.Contains(g.Says, "10,000,000.00 EUR") {
		t.Errorf("found %+v", g)
	}
}

func TestTheHistoryIsReadPageByPage(t *testing.T) {
	s := play(t, nil)
	for i := range 53 {
		ref := "CHPAGE" + string(rune('A'+i/26)) + string(rune('A'+i%26))
		amount := usd(t, "10")
		if i == 0 {
			amount = usd(t, "11") // the oldest: on the second page
		}
		if out, ok := s.client.Convert(t.Context(), minting(ref, quoted(t, s, "USD", "WUSD"), amount)).(providers.Accepted); !ok {
			t.Fatalf("outcome %#v", out)
		}
	}
	live := s.another(nil)
	live.env, live.set.confirmed = models.Live, true
	f := live.FindConversion(t.Context(), providers.Query{Kind: models.Conversion, Reference: "X", Method: mint, Amount: usd(t, "11"), SentAt: models.At(time.Now())})
	if f.Result != providers.Found || s.records.count("conversion.history") != 2 {
		t.Errorf("found %+v after %d pages", f, s.records.count("conversion.history"))
	}
}

func TestBalancesOfAllCurrencies(t *testing.T) {
	s := play(t, nil)
	s.client.SendPayout(t.Context(), fiatPayout(t, "CHBAL", "1000"))
	list, err := s.client.Balances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []providers.Balance{
		{Account: "EUR", Available: cash(t, "10000000", "EUR"), Total: cash(t, "10000000", "EUR"), Text: "10000000.00", Mark: providers.Assumed},
		{Account: "JPY", Available: cash(t, "2000000000", "JPY"), Total: cash(t, "2000000000", "JPY"), Text: "2000000000", Mark: providers.Assumed},
		{Account: "USD", Available: cash(t, "24999000", "USD"), Total: cash(t, "25000000", "USD"), Text: "24999000.00", Mark: providers.Assumed},
		{Account: "WUSD", Available: cash(t, "25000000", "WUSD"), Total: cash(t, "25000000", "WUSD"), Text: "25000000.00", Mark: providers.Assumed},
	}
	if d := cmp.Diff(want, list); d != "" {
		t.Error(d)
	}
	s = play(t, map[string]string{"theirs.balance_shape": "plain"})
	if list, err := s.client.Balances(t.Context()); err != nil || list[2].Available != usd(t, "25000000") || list[2].Total.Asset != "" {
		t.Errorf("%+v, %v", list, err)
	}
}
