package wupex

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// heard is one request as a server got it that was written from the contract file alone.
type heard struct {
	line, body string
	header     http.Header
}

// Contract 2, 4 and 5: every call has exactly these bytes and, of our own, exactly these headers.
func TestAStrangersServerFindsTheBytesOfTheContract(t *testing.T) {
	for name, x := range map[string]struct {
		call       func(*client)
		line, body string
	}{
		"balance":  {func(c *client) { _, _ = c.Balances(t.Context()) }, "GET /api/customer/balance", ""},
		"products": {func(c *client) { _, _ = c.Products(t.Context()) }, "POST /api/product/merchant/invited/list", `{"page":1,"pageSize":100}`},
		"products of a type": {func(c *client) {
			_, _ = c.LookUp(t.Context(), "products", map[string]string{"page": "2", "product_type": "Apple & Co"})
		}, "POST /api/product/merchant/invited/list", `{"page":2,"pageSize":100,"search":[{"column":"productType","operator":"Equals","value":"Apple \u0026 Co"}]}`},
		"order": {func(c *client) { c.PlaceOrder(t.Context(), usual("CH-01", 2)) }, "POST /api/order/pull-codes?referenceId=CH-01",
			`[{"merchant":"CH-1","sku":"APL-US-10USD","quantity":2}]`},
		"by reference": {func(c *client) { c.FindOrder(t.Context(), asked(usual("CH-01", 2))) }, "POST /api/order/list",
			`{"page":1,"pageSize":100,"orderColumn":"orderDate","order":"DESC","search":[{"column":"ReferenceId","operator":"Equals","value":"CH-01"}]}`},
		"by name": {func(c *client) { c.FindOrder(t.Context(), providers.Query{ProviderRef: "A/1?b&c", Quantity: 1}) }, "GET /api/order/detail?orderName=A%2F1%3Fb%26c", ""},
	} {
		var got []heard
		s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			got = append(got, heard{r.Method + " " + r.RequestURI, string(text), r.Header.Clone()})
			w.WriteHeader(400)
		}), nil)
		x.call(s.client)
		if len(got) != 1 {
			t.Errorf("%s: %d requests", name, len(got))
			continue
		}
		if d := cmp.Diff([]string{x.line, x.body}, []string{got[0].line, got[0].body}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		want := map[string][]string{"X-Api-Key": {canary}, "Accept-Language": {"en-US"}, "Authorization": nil, "User-Agent": {"merchant-console/1.0"}, "Content-Type": nil, "Cookie": nil, "Accept-Encoding": nil}
		if x.body != "" {
			want["Content-Type"] = []string{"application/json"}
		}
		for k, v := range want {
			if !cmp.Equal(got[0].header.Values(k), v) {
				t.Errorf("%s: %s is %q, want %q", name, k, got[0].header.Values(k), v)
			}
		}
		if strings.Contains(got[0].line+got[0].body, canary) {
			t.Errorf("%s carries the key outside its header", name)
		}
	}
}

// WUPEX-ORD-7 is assumed, and an order sent again is bought again: in live a 429 is a refusal only when two admins have confirmed it.
func TestInLiveALimitedOrderIsUnknownUntilConfirmed(t *testing.T) {
	for name, x := range map[string]struct {
		env      models.Environment
		settings map[string]string
		want     string
	}{
		"sandbox":             {models.Sandbox, nil, "refused TOO_MANY_REQUESTS true"},
		"sandbox, switched":   {models.Sandbox, map[string]string{"resend_on_429": "unknown"}, "unknown"},
		"live":                {models.Live, nil, "unknown"},
		"live, confirmed":     {models.Live, map[string]string{"confirmed:WUPEX-ORD-7": "1"}, "refused TOO_MANY_REQUESTS true"},
		"live, only switched": {models.Live, map[string]string{"resend_on_429": "not_processed"}, "unknown"},
	} {
		cfg := testConfig("", x.settings, nil)
		cfg.Environment = x.env
		made, err := Provider().New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := shape(made.(*client).refusal(answer{status: 429, text: true, failed: true, code: "TOO_MANY_REQUESTS"})); got != x.want {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
}

// Section 5: pages are read to the last one, also past a page of items that cannot be ordered.
func TestAPageOfUnusableItemsDoesNotEndTheCatalogue(t *testing.T) {
	pages := []string{`{"productCode":"P1","price":1,"enabled":true}`, `{"productCode":""},{"productName":"x"}`, `{"productCode":"P1","price":1},{"productCode":"P3","price":1}`}
	n := 0
	s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":true,"pageInfo":{"totalPage":3,"totalCount":5},"data":[`+pages[min(n, 2)]+`]}`)
		n++
	}), nil)
	if ps, err := s.client.Products(t.Context()); err != nil || len(ps) != 2 || n != 3 {
		t.Errorf("%d products on %d pages, %v", len(ps), n, err)
	}
}

// WUPEX-ENV-1: each environment has one host, and nothing else is called with its key.
func TestEachEnvironmentHasOneHost(t *testing.T) {
	for address, ok := range map[string]models.Environment{
		"https://sandbox-service.wupex.com": models.Sandbox, "https://service.wupex.com/": models.Live, "https://SERVICE.wupex.com:443": models.Live,
		"http://service.wupex.com": "", "https://service.wupex.com.": "", "https://portal.wupex.com": "", "https://api.wupex.com/v1": "", "https://service.wupex.com/api": "", "https://k@service.wupex.com": "",
	} {
		for _, env := range []models.Environment{models.Sandbox, models.Live} {
			cfg := testConfig(address, nil, nil)
			cfg.Environment, cfg.Clock = env, time.Now
			if _, err := Provider().New(cfg); (err == nil) != (env == ok) {
				t.Errorf("%s in %s: %v", address, env, err)
			}
		}
	}
}
