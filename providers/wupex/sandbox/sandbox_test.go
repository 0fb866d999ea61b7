package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func start(t *testing.T, settings map[string]string) (*Sandbox, string) {
	t.Helper()
	s := New(Options{Settings: settings})
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); _ = s.Close() })
	return s, srv.URL
}

// call sends a request with the right headers; extra ones replace them, an empty value removes one.
func call(t *testing.T, method, url, body string, extra ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-api-key", SandboxKey)
	r.Header.Set("Accept-Language", "en-US")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(extra); i += 2 {
		if r.Header.Del(extra[i]); extra[i+1] != "" {
			r.Header.Set(extra[i], extra[i+1])
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

func codeOf(body string) string {
	var m struct {
		Status *bool
		Error  struct{ Code string }
	}
	if json.Unmarshal([]byte(body), &m) != nil || m.Status == nil || *m.Status {
		return "not a failure: " + body
	}
	return m.Error.Code
}

const line = `[{"merchant":"CH-MERCHANT","sku":"APL-US-10USD","quantity":1}]`

func TestEveryRefusalOfTheContract(t *testing.T) {
	_, url := start(t, map[string]string{"other_environment_key": "the-production-key"})
	pull, list, orders, detail, balance := url+"/api/order/pull-codes", url+"/api/product/merchant/invited/list", url+"/api/order/list", url+"/api/order/detail", url+"/api/customer/balance"
	for name, c := range map[string]struct {
		method, url, body string
		extra             []string
		status            int
		code              string
	}{
		"no key":                       {"GET", balance, "", []string{"x-api-key", ""}, 401, "UNAUTHORIZED"},
		"unknown key":                  {"GET", balance, "", []string{"x-api-key", "nope"}, 401, "UNAUTHORIZED"},
		"key of the other side":        {"GET", balance, "", []string{"x-api-key", "the-production-key"}, 401, "UNAUTHORIZED"},
		"bearer before the key":        {"GET", balance, "", []string{"x-api-key", "Bearer " + SandboxKey}, 401, "UNAUTHORIZED"},
		"Authorization beside it":      {"GET", balance, "", []string{"Authorization", "Bearer x"}, 401, "UNAUTHORIZED"},
		"key in the query":             {"GET", balance + "?k=" + SandboxKey, "", nil, 401, "UNAUTHORIZED"},
		"no language":                  {"GET", balance, "", []string{"Accept-Language", ""}, 400, "INVALID_PAYLOAD"},
		"language en":                  {"GET", balance, "", []string{"Accept-Language", "en"}, 400, "INVALID_PAYLOAD"},
		"no content type":              {"POST", pull, line, []string{"Content-Type", ""}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"form":                         {"POST", pull, line, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"not JSON":                     {"POST", pull, "{", nil, 400, "INVALID_PAYLOAD"},
		"object for array":             {"POST", pull, "{}", nil, 400, "INVALID_PAYLOAD"},
		"null for array":               {"POST", pull, "null", nil, 400, "INVALID_PAYLOAD"},
		"array for object":             {"POST", list, "[]", nil, 400, "INVALID_PAYLOAD"},
		"two bodies":                   {"POST", pull, line + line, nil, 400, "INVALID_PAYLOAD"},
		"no merchant":                  {"POST", pull, `[{"sku":"APL-US-10USD","quantity":1}]`, nil, 400, "INVALID_PAYLOAD"},
		"empty sku":                    {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"","quantity":1}]`, nil, 400, "INVALID_PAYLOAD"},
		"quantity as text":             {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"APL-US-10USD","quantity":"1"}]`, nil, 400, "INVALID_PAYLOAD"},
		"quantity 1.5":                 {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"APL-US-10USD","quantity":1.5}]`, nil, 400, "INVALID_PAYLOAD"},
		"no quantity":                  {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"APL-US-10USD"}]`, nil, 400, "INVALID_PAYLOAD"},
		"quantity 0":                   {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"APL-US-10USD","quantity":0}]`, nil, 422, "VALIDATION_FAILED"},
		"no lines":                     {"POST", pull, `[]`, nil, 422, "VALIDATION_FAILED"},
		"another merchant":             {"POST", pull, `[{"merchant":"X","sku":"APL-US-10USD","quantity":1}]`, nil, 403, "FORBIDDEN"},
		"unknown sku":                  {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"X","quantity":1}]`, nil, 404, "NOT_FOUND"},
		"too many":                     {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"NFX-GL-15USD","quantity":4}]`, nil, 409, "INSUFFICIENT_STOCK"},
		"not enabled":                  {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"OLD-CARD-5","quantity":1}]`, nil, 409, "INSUFFICIENT_STOCK"},
		"too dear":                     {"POST", pull, `[{"merchant":"CH-MERCHANT","sku":"APL-US-100USD","quantity":800},{"merchant":"CH-MERCHANT","sku":"APL-US-25USD","quantity":5000}]`, nil, 422, "INSUFFICIENT_BALANCE"},
		"U+2011 in the path":           {"POST", url + "/api/order/pull%E2%80%91codes", line, nil, 404, "NOT_FOUND"},
		"unknown path":                 {"GET", url + "/api/order/cancel", "", nil, 404, "NOT_FOUND"},
		"wrong method":                 {"GET", pull, "", nil, 405, "METHOD_NOT_ALLOWED"},
		"no order name":                {"GET", detail, "", nil, 400, "INVALID_PAYLOAD"},
		"unknown order":                {"GET", detail + "?orderName=A1", "", nil, 404, "NOT_FOUND"},
		"page 0":                       {"POST", list, `{"page":0}`, nil, 400, "INVALID_PAYLOAD"},
		"page size 0":                  {"POST", list, `{"pageSize":0}`, nil, 400, "INVALID_PAYLOAD"},
		"page size 101":                {"POST", orders, `{"pageSize":101}`, nil, 400, "INVALID_PAYLOAD"},
		"page as text":                 {"POST", orders, `{"page":"1"}`, nil, 400, "INVALID_PAYLOAD"},
		"unknown column":               {"POST", orders, `{"search":[{"column":"referenceId","operator":"Equals","value":"x"}]}`, nil, 400, "INVALID_PAYLOAD"},
		"unknown operator":             {"POST", orders, `{"search":[{"column":"ReferenceId","operator":"Contains","value":"x"}]}`, nil, 400, "INVALID_PAYLOAD"},
		"a number as filter value":     {"POST", orders, `{"search":[{"column":"orderAmount","operator":"GreaterThan","value":50}]}`, nil, 400, "INVALID_PAYLOAD"},
		"sort direction desc":          {"POST", orders, `{"orderColumn":"orderDate","order":"desc"}`, nil, 400, "INVALID_PAYLOAD"},
		"allowTakeAll that is no bool": {"POST", pull + "?allowTakeAll=yes", line, nil, 400, "INVALID_PAYLOAD"},
		"a body of two megabytes":      {"POST", pull, strings.Repeat(" ", 2<<20), nil, 413, "PAYLOAD_TOO_LARGE"},
	} {
		status, body := call(t, c.method, c.url, c.body, c.extra...)
		if status != c.status || codeOf(body) != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, status, codeOf(body), c.status, c.code)
		}
	}
	if _, runs := call(t, "GET", url+"/_sandbox/executions", ""); strings.TrimSpace(runs) != "{}" {
		t.Errorf("a refused order was sold: %s", runs)
	}
}

func TestSellingTakesStockAndMoneyOnceForEachRequest(t *testing.T) {
	_, url := start(t, nil)
	if status, body := call(t, "POST", url+"/api/order/pull-codes?referenceId=R1", `[{"merchant":"CH-MERCHANT","sku":"TOP-MINI-01","quantity":3}]`,
		"Content-Type", "application/json; charset=utf-8"); status != 200 || !strings.Contains(body, `"totalAmount":0.30`) {
		t.Fatalf("%d %s", status, body)
	}
	call(t, "POST", url+"/api/order/pull-codes?referenceId=R1", line)
	if _, body := call(t, "GET", url+"/_sandbox/executions", ""); strings.TrimSpace(body) != `{"R1":2}` {
		t.Errorf("executions %s", body)
	}
	_, body := call(t, "GET", url+"/api/customer/balance", "")
	if body != `{"data":{"balance":249962.95,"credit":50000.00,"creditBalance":299962.95},"status":true}` {
		t.Error(body)
	}
	_, body = call(t, "POST", url+"/api/order/list", `{"search":[{"column":"ReferenceId","operator":"Equals","value":"R1"},{"column":"orderAmount","operator":"GreaterThan","value":"1"}]}`)
	if strings.Count(body, `"orderName"`) != 1 {
		t.Errorf("two filters do not both hold: %s", body)
	}
	_, body = call(t, "POST", url+"/api/product/merchant/invited/list", `{"page":9,"pageSize":5}`)
	if !strings.Contains(body, `"data":[]`) || !strings.Contains(body, `"totalPage":3`) {
		t.Errorf("past the last page: %s", body)
	}
}

func TestARepeatedReferenceCanBeMadeAConflict(t *testing.T) {
	_, url := start(t, map[string]string{"reference_idempotent": "conflict"})
	call(t, "POST", url+"/api/order/pull-codes?referenceId=R1", line)
	if status, body := call(t, "POST", url+"/api/order/pull-codes?referenceId=R1", line); status != 409 || codeOf(body) != "CONFLICT" {
		t.Errorf("%d %s", status, body)
	}
}

func TestALostReplyWasCarriedOutAndADroppedOneWasNot(t *testing.T) {
	s, url := start(t, nil)
	for kind, want := range map[string]int{"lose_reply": 1, "drop_before": 0, "http_500": 1, "http_500_before": 0, "truncate": 1} {
		call(t, "POST", url+"/_sandbox/fault", "operation=order&kind="+kind+"&times=1", "Content-Type", "application/x-www-form-urlencoded")
		call(t, "POST", url+"/api/order/pull-codes?referenceId="+kind, line)
		s.mu.Lock()
		if s.runs[kind] != want {
			t.Errorf("%s: sold %d times", kind, s.runs[kind])
		}
		s.mu.Unlock()
	}
}

func TestThePageShowsWhatItHoldsAndItsButtonsWork(t *testing.T) {
	_, url := start(t, nil)
	call(t, "POST", url+"/api/order/pull-codes?referenceId=%3Cscript%3E", line)
	status, body := call(t, "GET", url+"/_sandbox/", "")
	if status != 200 || !strings.Contains(body, "Apple Gift Card 10 USD") || !strings.Contains(body, "Lose the reply") || strings.Contains(body, "<script>") || strings.Contains(body, SandboxKey) {
		t.Errorf("%d %s", status, body)
	}
	for _, c := range []struct {
		path, form string
		want       int
	}{
		{"autosettle", "outcome=off", 200}, {"autosettle", "outcome=never", 422}, {"clock", "advance_seconds=60", 200}, {"clock", "advance_seconds=x", 422},
		{"webhooks", "mode=twice", 200}, {"settle", "reference=none&status=succeeded", 422}, {"settle", "reference=%3Cscript%3E&status=surplus", 200},
		{"settle", "reference=%3Cscript%3E&status=failed", 422}, {"fault", "kind=x", 422}, {"nothing", "", 422}, {"stock", "sku=APL-US-10USD&stock=1", 200},
	} {
		if got, said := call(t, "POST", url+"/_sandbox/"+c.path, c.form, "Content-Type", "application/x-www-form-urlencoded"); got != c.want {
			t.Errorf("%s %s: %d %s", c.path, c.form, got, said)
		}
	}
}

func TestItStandsManyAtOnce(t *testing.T) {
	s, url := start(t, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				call(t, "POST", url+"/api/order/pull-codes?referenceId=R", line)
				call(t, "GET", url+"/_sandbox/", "")
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs["R"] != 80 {
		t.Errorf("%d", s.runs["R"])
	}
}
