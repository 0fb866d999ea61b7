package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// fixed is a stand-in whose wall clock stands still, with a live token.
func fixed(t *testing.T) (*Sandbox, time.Time) {
	t.Helper()
	s := New(Options{Credential: map[string]string{"api_key": "k", "api_secret": "test-secret-not-real-0001"}, Settings: map[string]string{"autosettle": "off"}, Seed: 1})
	t.Cleanup(func() { _ = s.Close() })
	at := time.UnixMilli(1735891200000)
	s.now = func() time.Time { return at }
	s.access, s.accessEnd = "token", at.Add(time.Hour)
	return s, at
}

func ask(s *Sandbox, stamp, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("D-TIMESTAMP", stamp)
	r.Header.Set("D-SIGNATURE", s.signature(http.MethodPost, stamp, r.URL, []byte(body)))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// The contract's vectors A and B, recomputed by this side alone.
func TestTheStandInSignsAsTheContractSays(t *testing.T) {
	s, _ := fixed(t)
	for path, want := range map[string][2]string{
		"/openapi/v1/wallet-account/balance":    {"", "8feafb81a3d09ff26eafb1aa6c6753fcccfbe2719fbcf4c2796b28e051718d24"},
		"/openapi/v1/mint-redeem/exchange-rate": {`{"query":{"sellCurrency":"USD","buyCurrency":"WUSD"}}`, "acc60b814793d4893f8dd64ff8624777bf248497b8628ca5f366e0f79114770f"},
		"/openapi/v1/example":                   {"{\"query\":{\"customerRemark\":\"café\"}}\n", "05d14328ad930d3ce44f74f4fe91857491098c9e8a45b258f5ea71bcd1244977"},
	} {
		if got := s.signature("POST", "1735891200000", &url.URL{Path: path}, []byte(want[0])); got != want[1] {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := s.signature("GET", "1735891200000", &url.URL{Path: "/openapi/v1/example", RawQuery: "note=a%20b&x=1%2F2"}, nil); got != "0f4f386e85abff0b6806bfa6aaee439e963dad955c8a33ea74968696eb4a1a98" {
		t.Errorf("vector C: %s", got)
	}
}

func TestTwoMinutesToTheMillisecond(t *testing.T) {
	s, at := fixed(t)
	for ms, want := range map[int64]int{0: 200, 120000: 200, -120000: 200, 120001: 401, -120001: 401} {
		if w := ask(s, strconv.FormatInt(at.UnixMilli()+ms, 10), "/openapi/v1/wallet-account/balance", ""); w.Code != want {
			t.Errorf("%d ms off: %d %s", ms, w.Code, w.Body)
		}
	}
	for _, stamp := range []string{"", "1735891200", "17358912000000", "-735891200000", "+735891200000", "1735891200x00", "1.7358912e12", "١٧٣٥٨٩١٢٠٠٠٠٠"} {
		if w := ask(s, stamp, "/openapi/v1/wallet-account/balance", ""); w.Code != 401 {
			t.Errorf("timestamp %q: %d", stamp, w.Code)
		}
	}
}

func TestATokenLivesAsLongAsItSays(t *testing.T) {
	s, at := fixed(t)
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	s.advance = time.Hour - time.Second
	if w := ask(s, stamp, "/openapi/v1/wallet-account/balance", ""); w.Code != 200 {
		t.Errorf("in its last second: %d", w.Code)
	}
	s.advance = time.Hour
	if w := ask(s, stamp, "/openapi/v1/wallet-account/balance", ""); w.Code != 401 {
		t.Errorf("at its end: %d", w.Code)
	}
}

func TestOrderNumbersLookLikeWSPNsAndNeverRepeat(t *testing.T) {
	s, _ := fixed(t)
	seen := map[int64]bool{}
	for range 3000 {
		id := s.nextOrderID()
		if seen[id] || !strings.HasPrefix(strconv.FormatInt(id, 10), "250103160") || len(strconv.FormatInt(id, 10)) != 15 {
			t.Fatalf("order %d", id)
		}
		seen[id] = true
	}
	if id := s.nextMintID(); id != 250103001 {
		t.Errorf("conversion %d", id)
	}
}

// Money neither appears nor vanishes: what leaves the balances is in the orders.
func TestMoneyIsKept(t *testing.T) {
	s, at := fixed(t)
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	before := s.books["USD"]
	for i := range 20 {
		w := ask(s, stamp, "/openapi/v1/fiat-transaction/withdraw", fmt.Sprintf(`{"query":{"currency":"USD","amount":"100.0%d","remitInfoId":9007199254740993,"requestId":"R%d"}}`, i%10, i))
		if !strings.Contains(w.Body.String(), `"success":true`) {
			t.Fatal(w.Body)
		}
	}
	gone := amount{}
	for i, o := range s.orders {
		if i%2 == 0 {
			if err := s.settle(o, "failed"); err != nil {
				t.Fatal(err)
			}
			continue
		}
		gone = gone.Add(o.moved)
	}
	if !s.books["USD"].Add(gone).Equal(before) {
		t.Errorf("%s before, %s now, %s on the way", before, s.books["USD"], gone)
	}
	for _, bad := range [][2]string{{"failed", "succeeded"}, {"failed", "failed"}, {"", "returned"}, {"", "nonsense"}} {
		o := s.orders[0]
		if bad[0] == "" {
			o = s.orders[1]
		}
		if err := s.settle(o, bad[1]); err == nil {
			t.Errorf("a payout that is %s became %s", o.status, bad[1])
		}
	}
}

func TestTheControlsRefuseNonsense(t *testing.T) {
	s, _ := fixed(t)
	srv := httptest.NewServer(s)
	defer srv.Close()
	for _, c := range []struct {
		path string
		form url.Values
	}{
		{"fault", url.Values{"operation": {"payout"}, "kind": {"explode"}}}, {"fault", url.Values{"operation": {"nothing"}, "kind": {"late"}}},
		{"fault", url.Values{"operation": {"payout"}, "kind": {"late"}, "times": {"x"}}}, {"settle", url.Values{"reference": {"?"}, "status": {"paid"}}},
		{"webhooks", url.Values{"mode": {"loud"}}}, {"clock", url.Values{"advance_seconds": {"soon"}}}, {"autosettle", url.Values{"outcome": {"maybe"}}},
		{"autosettle", url.Values{"after_ms": {"-1"}}}, {"chain-deposit", url.Values{"amount": {"-1"}}}, {"resend", url.Values{"reference": {"?"}}}, {"nothing", nil},
	} {
		res, err := http.PostForm(srv.URL+"/_sandbox/"+c.path, c.form) //nolint:noctx // a test's own server
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("%s %v: %d", c.path, c.form, res.StatusCode)
		}
	}
}

func TestOrdersSettleByThemselves(t *testing.T) {
	s, at := fixed(t)
	s.outcome, s.settleMS = "succeeded", 1
	ask(s, strconv.FormatInt(at.UnixMilli(), 10), "/openapi/v1/fiat-transaction/withdraw", `{"query":{"currency":"USD","amount":"100","remitInfoId":9007199254740993,"requestId":"R"}}`)
	for range 500 {
		s.mu.Lock()
		done := s.orders[0].status == "COMPLETED"
		s.mu.Unlock()
		if done {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the payout never settled")
}

// A deposit that ended without money ended once: only money that comes late turns it.
func TestADepositThatEndedDoesNotEndAnotherWay(t *testing.T) {
	for _, first := range []string{"failed", "cancelled", "expired"} {
		for _, then := range []string{"failed", "cancelled", "expired"} {
			s, _ := fixed(t)
			o := &order{kind: "fiat-in", currency: "USD", status: "TO_BE_PROCESSED", moved: decimal.NewFromInt(5)}
			if err := s.settle(o, first); err != nil {
				t.Fatal(err)
			}
			if err := s.settle(o, then); err == nil {
				t.Errorf("a deposit that was %s became %s", first, then)
			}
			if err := s.settle(o, "paid_late"); err != nil || o.status != "COMPLETED" {
				t.Errorf("late money after %s: %v, %s", first, err, o.status)
			}
		}
	}
}
