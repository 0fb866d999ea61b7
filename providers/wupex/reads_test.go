package wupex

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// say answers every call with one body.
func say(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func TestTheBalanceHasNoCurrencyUntilStaffSetIt(t *testing.T) {
	for _, envelope := range []string{"wrapped", "bare"} {
		got, err := open(t, nil, map[string]string{"balance_envelope": envelope}).client.Balances(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := []providers.Balance{{Account: "prepaid", Available: models.Money{Minor: 30_000_000, Asset: models.Unstated}, Text: "300000.00",
			Mark: providers.Assumed, Note: "balance 250000.00, credit 50000.00; currency not stated"}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", envelope, d)
		}
	}
	got, err := open(t, map[string]string{"account_currency": "SAR", "spendable_field": "balance"}, nil).client.Balances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []providers.Balance{{Account: "prepaid", Available: models.Money{Minor: 25_000_000, Asset: "SAR"}, Text: "250000.00",
		Mark: providers.Assumed, Note: "balance 250000.00, credit 50000.00"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFiguresAreExactAndNeverRoundedUpWhenTheyPromise(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":true,"data":{"balance":0.1,"credit":0,"creditBalance":0.1}}`:                "0.10 | 0.1",
		`{"status":true,"data":{"balance":1,"credit":2,"creditBalance":12345678.9012}}`:        "12345678.90 | 12345678.9012",
		`{"status":true,"data":{"balance":-5.001,"credit":0,"creditBalance":-5.001}}`:          "-5.01 | -5.001",
		`{"status":true,"data":{"balance":10.5,"credit":2}}`:                                   "12.50 | 12.5",
		`{"balance":10.5,"credit":2,"creditBalance":12.5}`:                                     "12.50 | 12.5",
		`{"status":true,"data":{"balance":"10.5","credit":2,"creditBalance":"12.5"}}`:          "error",
		`{"status":true,"data":{"balance":1,"credit":2,"creditBalance":1e3}}`:                  "error",
		`{"status":true,"data":{"balance":1,"credit":2,"creditBalance":99999999999999999999}}`: "error",
		`{"status":true,"data":{"balance":1,"balance":2,"credit":2,"creditBalance":3}}`:        "error",
		`{"status":false,"error":{"code":"INTERNAL_ERROR","message":"no"}}`:                    "error",
		`{"status":true,"data":[]}`:    "error",
		`null`:                         "error",
		`<html>Request blocked</html>`: "error",
	} {
		got := "error"
		if bs, err := dial(t, say(200, body), nil).client.Balances(t.Context()); err == nil {
			got = bs[0].Available.Plain() + " | " + bs[0].Text
		} else if models.CodeOf(err) == "" {
			t.Errorf("%s: an error without a code: %v", body, err)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestTheOtherEnvelopeIsRefusedWhenOneIsSet(t *testing.T) {
	for set, standIn := range map[string]string{"wrapped": "bare", "bare": "wrapped"} {
		_, err := open(t, map[string]string{"balance_envelope": set}, map[string]string{"balance_envelope": standIn}).client.Balances(t.Context())
		if err == nil || !strings.Contains(err.Error(), "WUPEX-BAL-1") {
			t.Errorf("%s set, %s came: %v", set, standIn, err)
		}
	}
}

func TestEveryProductIsListedOnceOverAllPages(t *testing.T) {
	s := open(t, map[string]string{"account_currency": "AED"}, nil)
	s.client.set.pageSize = 5
	got, err := s.client.Products(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 12 || len(s.rec.of("product.list")) != 3 {
		t.Fatalf("%d products in %d calls", len(got), len(s.rec.of("product.list")))
	}
	want := []providers.Product{
		{SKU: "APL-US-10USD", Title: "Apple Gift Card 10 USD", Price: models.Money{Minor: 3675, Asset: "AED"}, PriceText: "36.75", Stock: 5000, Enabled: true,
			Note: "Apple iTunes; redeemed 0; discount rate 0.0; product id 1001"},
		{SKU: "STM-GL-20USD", Title: "Steam Wallet 20 USD", Price: models.Money{Minor: 7311, Asset: "AED"}, PriceText: "73.1050", Stock: 1200, Enabled: true,
			Note: "Steam; redeemed 0; discount rate 0.0; product id 1006; price rounded up from 73.1050"},
		{SKU: "RZR-GL-100USD", Title: "Razer Gold 100 USD", Price: models.Money{Minor: 36175, Asset: "AED"}, PriceText: "361.75",
			Note: "Razer Gold; redeemed 0; discount rate 0.0; product id 1011; out of stock"},
		{SKU: "OLD-CARD-5", Title: "Discontinued card", Price: models.Money{Minor: 1800, Asset: "AED"}, PriceText: "18.00", Stock: 40,
			Note: "Other; redeemed 0; discount rate 0.0; product id 1012; not enabled by WUPEX"},
	}
	if d := cmp.Diff(want, []providers.Product{got[0], got[5], got[10], got[11]}); d != "" {
		t.Error(d)
	}
}

func TestAPriceWithFourDecimalsCanBeBought(t *testing.T) {
	s := open(t, nil, nil)
	r := usual("CH01", 3)
	r.SKU, r.Amount = "STM-GL-20USD", models.Money{Minor: 3 * 7311, Asset: models.Unstated} // 219.33 approved, 219.315 taken
	got, ok := s.client.PlaceOrder(t.Context(), r).(providers.Accepted)
	if !ok || got.Status.Amount.Minor != 21932 {
		t.Errorf("%v %v", ok, got.Status.Amount)
	}
}

func TestAHostileCatalogueEnds(t *testing.T) {
	n := 0
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = fmt.Fprintf(w, `{"status":true,"pageInfo":{"totalPage":999999,"currentPage":1},"data":[{"productCode":"P%d","price":1,"enabled":true,"available":1}]}`, n)
	})
	s := dial(t, endless, map[string]string{"rate_cap": "100"})
	s.client.http.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.client.Products(ctx); err == nil || n > maxPages {
		t.Errorf("%d pages were read: %v", n, err)
	}
	same := dial(t, say(200, `{"status":true,"pageInfo":{"totalPage":999999},"data":[{"productCode":"P1","price":1}]}`), nil)
	if ps, err := same.client.Products(t.Context()); err != nil || len(ps) != 1 || len(same.rec.of("product.list")) != 2 {
		t.Errorf("a page that repeats itself: %d products, %v", len(ps), err)
	}
}

func TestAProductIsInStockByTheChosenRule(t *testing.T) {
	item := `{"status":true,"data":[{"productCode":"P","price":"x","enabled":true,"available":7,"balance":2.0}]}`
	for rule, want := range map[string]int{"both": 2, "available": 7, "balance": 2} {
		ps, err := dial(t, say(200, item), map[string]string{"buyable_rule": rule}).client.Products(t.Context())
		if err != nil || len(ps) != 1 || ps[0].Stock != want || ps[0].Enabled || !strings.Contains(ps[0].Note, "price cannot be read") {
			t.Errorf("%s: %+v %v", rule, ps, err)
		}
	}
	for figures, want := range map[string]int{`"available":3`: 3, `"balance":4`: 4, `"x":1`: -1, `"available":null,"balance":-3`: 0, `"available":99999999999999999999,"balance":1`: 1} {
		ps, err := dial(t, say(200, `{"status":true,"data":[{"productCode":"P","price":1,"enabled":true,`+figures+`}]}`), nil).client.Products(t.Context())
		if err != nil || ps[0].Stock != want || ps[0].Enabled != (want != 0) {
			t.Errorf("%s: %+v %v", figures, ps, err)
		}
	}
}

func TestReadsAreRepeatedByWUPEXsOwnScheme(t *testing.T) {
	for _, kind := range []string{"http_503", "http_429"} {
		s := open(t, nil, nil)
		s.control("fault", "operation", "/api/order/list", "kind", kind, "times", "4")
		if _, err := s.client.LookUp(t.Context(), "orders", nil); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		low := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}
		for i, d := range s.slept {
			if d < low[i] || d >= 2*low[i] {
				t.Errorf("%s: sleep %d was %s, want %s to %s", kind, i, d, low[i], 2*low[i])
			}
		}
		if len(s.slept) != 4 {
			t.Errorf("%s: %d sleeps", kind, len(s.slept))
		}
	}
	never := open(t, nil, nil)
	never.control("fault", "operation", "/api/order/list", "kind", "http_503", "times", "99")
	if _, err := never.client.LookUp(t.Context(), "orders", nil); err == nil || len(never.rec.of("order.list")) != 5 || len(never.slept) != 4 {
		t.Errorf("after five tries it goes on, or sleeps once more: %d tries, %d sleeps, %v", len(never.rec.of("order.list")), len(never.slept), err)
	}
	off := open(t, map[string]string{"retry_policy": "none"}, nil)
	off.fault("/api/order/list", "http_503")
	if _, err := off.client.LookUp(t.Context(), "orders", nil); err == nil || len(off.slept) != 0 {
		t.Errorf("switched off, it repeats: %v", err)
	}
	for _, kind := range []string{"html_403", "status_false", "top_message"} {
		s := open(t, nil, nil)
		s.fault("/api/order/list", kind)
		if _, err := s.client.LookUp(t.Context(), "orders", nil); err == nil || len(s.slept) != 0 {
			t.Errorf("%s is repeated: %v", kind, err)
		}
	}
}

func TestRetryAfterIsHonouredUpToTenSeconds(t *testing.T) {
	for header, want := range map[string]time.Duration{"2": 2 * time.Second, "60": 10 * time.Second, "-1": 0, "soon": 0, "999999": 10 * time.Second, "Mon, 02 Jan 2006 15:04:05 GMT": 0, "Mon, 02 Jan 2096 15:04:05 GMT": 10 * time.Second} {
		first := true
		s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if first {
				first = false
				w.Header().Set("Retry-After", header)
				w.WriteHeader(429)
				return
			}
			_, _ = w.Write([]byte(`{"status":true,"data":[]}`))
		}), nil)
		if _, err := s.client.LookUp(t.Context(), "orders", nil); err != nil {
			t.Fatal(err)
		}
		if want == 0 && s.slept[0] >= time.Second || want > 0 && s.slept[0] != want {
			t.Errorf("Retry-After %s: slept %s", header, s.slept[0])
		}
	}
}

func TestTheLookUpsShowWhatWUPEXKeeps(t *testing.T) {
	s := open(t, map[string]string{"account_currency": "SAR"}, nil)
	acc := s.client.PlaceOrder(t.Context(), usual("CH01A", 1)).(providers.Accepted)
	s.client.PlaceOrder(t.Context(), usual("CH01B", 2))
	orders, err := s.client.LookUp(t.Context(), "orders", map[string]string{"page": "1", "order": "oldest"})
	if err != nil || len(orders.Rows) != 2 || orders.Rows[0][0] != acc.ProviderRef || orders.Rows[0][4] != "CH01A" || orders.Rows[1][2] != "73.50" || orders.Rows[0][3] != "SAR" {
		t.Errorf("%v %v", orders.Rows, err)
	}
	one, err := s.client.LookUp(t.Context(), "orders", map[string]string{"reference": "CH01B"})
	if err != nil || len(one.Rows) != 1 || one.Note != "Page 1 of 1, 1 in all." {
		t.Errorf("%v %q %v", one.Rows, one.Note, err)
	}
	detail, err := s.client.LookUp(t.Context(), "order", map[string]string{"order_name": acc.ProviderRef})
	if err != nil || len(detail.Rows) != 1 || detail.Rows[0][2] != "not shown here" {
		t.Errorf("%v %v", detail.Rows, err)
	}
	products, err := s.client.LookUp(t.Context(), "products", map[string]string{"product_type": "Google Play"})
	if err != nil || len(products.Rows) != 2 || products.Rows[0][0] != "GGL-US-10USD" {
		t.Errorf("%v %v", products.Rows, err)
	}
	balance, err := s.client.LookUp(t.Context(), "balance", nil)
	if err != nil || len(balance.Rows) != 3 || balance.Rows[2][1] != "299889.75" {
		t.Errorf("%v %v", balance.Rows, err)
	}
	for id, params := range map[string]map[string]string{"order": {"order_name": ""}, "orders": {"page": "0"}, "products": {"product_type": strings.Repeat("x", 101)}, "nothing": nil} {
		if _, err := s.client.LookUp(t.Context(), id, params); models.CodeOf(err) == "" {
			t.Errorf("%s %v: %v", id, params, err)
		}
	}
	if _, err := s.client.LookUp(t.Context(), "order", map[string]string{"order_name": "A99999999999999"}); !models.Is(err, models.NotFound) {
		t.Errorf("an order that does not exist: %v", err)
	}
}

func TestTheCheckNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(*shop)
		want    providers.CheckVerdict
		words   string
	}{
		"wrong key":        {func(s *shop) { s.client.key = "another-key-0001" }, providers.KeysRejected, "rejects the API key"},
		"firewall":         {func(s *shop) { s.fault("/api/customer/balance", "html_403") }, providers.IPNotListed, "203.0.113.7"},
		"firewall, as 200": {func(s *shop) { s.fault("/api/customer/balance", "html_200") }, providers.IPNotListed, "page instead of data"},
		"down": {func(s *shop) {
			s.control("fault", "operation", "/api/customer/balance", "kind", "http_503", "times", "9")
		}, providers.Unreachable, "fault of its own"},
		"cut":           {func(s *shop) { s.fault("/api/customer/balance", "lose_reply") }, providers.Unreachable, "no whole answer"},
		"fine":          {func(*shop) {}, providers.CheckOK, "Balance 250000.00"},
		"fine but bare": {func(s *shop) { s.control("set", "name", "balance_envelope", "value", "bare") }, providers.CheckOK, "Balance 250000.00"},
	} {
		s := open(t, nil, nil)
		c.arrange(s)
		rs := s.client.Check(t.Context())
		if rs[0].Verdict != c.want || !strings.Contains(rs[0].Sentence, c.words) {
			t.Errorf("%s: %s %q", name, rs[0].Verdict, rs[0].Sentence)
		}
		if c.want != providers.CheckOK && (rs[1].Verdict != providers.CheckSkipped || len(s.rec.of("product.list")) != 0) {
			t.Errorf("%s: the other calls were made all the same", name)
		}
	}
	forbidden := dial(t, say(403, `{"status":false,"error":{"code":"FORBIDDEN","message":"no right"}}`), nil)
	if r := forbidden.client.Check(t.Context())[0]; r.Verdict != providers.NotEnabled || !strings.Contains(r.Sentence, "no right") {
		t.Errorf("%s %q", r.Verdict, r.Sentence)
	}
}

func TestTheCheckGathersEvidence(t *testing.T) {
	s := open(t, nil, nil)
	s.client.PlaceOrder(t.Context(), usual("CH01", 1))
	proved := map[string]bool{}
	for _, r := range s.client.Check(t.Context()) {
		for _, id := range r.Items {
			proved[id] = r.Proved
		}
	}
	want := map[string]bool{"WUPEX-ENV-1": true, "WUPEX-AUTH-1": true, "WUPEX-ENVL-1": true, "WUPEX-BAL-1": true, "WUPEX-BAL-2": true, "WUPEX-PROD-1": true,
		"WUPEX-PROD-3": true, "WUPEX-LIST-1": true, "WUPEX-LIST-2": true, "WUPEX-IDEM-2": true}
	if d := cmp.Diff(want, proved); d != "" {
		t.Error(d)
	}
	refuted := open(t, nil, map[string]string{"order_list_fields": "none"})
	refuted.client.PlaceOrder(t.Context(), usual("CH01", 1))
	for _, r := range refuted.client.Check(t.Context()) {
		if len(r.Items) == 1 && r.Items[0] == "WUPEX-LIST-1" && r.Proved {
			t.Error("items without a reference prove WUPEX-LIST-1")
		}
	}
}
