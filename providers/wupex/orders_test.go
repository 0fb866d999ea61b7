package wupex

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// shape is an outcome without its texts, for comparison.
func shape(o providers.Outcome) string {
	switch x := o.(type) {
	case providers.Accepted:
		return fmt.Sprintf("accepted %s %d", x.Status.Word, len(x.Status.Items))
	case providers.Refused:
		return fmt.Sprintf("refused %s %v", x.Code, x.Retryable)
	case providers.Unknown:
		return "unknown"
	}
	return fmt.Sprintf("%T", o)
}

func TestAnOrderIsBoughtReadBackAndCounted(t *testing.T) {
	for _, standIn := range []map[string]string{{}, {"pull_serials": "with"}, {"detail_groups": "split"}, {"detail_sku": "none"}} {
		s := open(t, nil, standIn)
		r := usual("CH01ORDER0000000000001", 3)
		got, ok := s.client.PlaceOrder(t.Context(), r).(providers.Accepted)
		if !ok {
			t.Fatalf("%v: not accepted", standIn)
		}
		if len(got.Status.Items) != 3 {
			t.Fatalf("%v: %d codes", standIn, len(got.Status.Items))
		}
		for _, d := range got.Status.Items {
			if d.SKU != "APL-US-10USD" || len(d.Code) != 19 || d.Serial == "" || d.Expiry != "" {
				t.Errorf("%v: delivered %+v", standIn, d)
			}
		}
		got.Status.Items, got.Raw = nil, nil
		want := providers.Accepted{ProviderRef: "A00000010000001", Status: providers.Status{State: models.Succeeded, Word: "fulfilled", ProviderRef: "A00000010000001",
			Amount: models.Money{Minor: 11025, Asset: models.Unstated}}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v: %s", standIn, d)
		}
		if d := cmp.Diff(map[string]int{r.Reference: 1}, s.executions()); d != "" {
			t.Error(d)
		}
	}
}

func TestTheRequestIsExactlyWhatTheContractSays(t *testing.T) {
	s := open(t, nil, nil)
	s.client.PlaceOrder(t.Context(), usual("CH01", 2))
	x := s.rec.of("order.place")[0]
	if got := string(x.RequestBody); got != `[{"merchant":"CH-1","sku":"APL-US-10USD","quantity":2}]` {
		t.Errorf("body %s", got)
	}
	if x.URL != s.url+"/api/order/pull-codes?referenceId=CH01" || x.Method != "POST" {
		t.Errorf("%s %s", x.Method, x.URL)
	}
	want := http.Header{"x-api-key": {"[redacted]"}, "Accept-Language": {"en-US"}, "Accept": {"application/json"}, "Content-Type": {"application/json"}}
	if d := cmp.Diff(want, x.RequestHeader); d != "" {
		t.Error(d)
	}
	all := open(t, map[string]string{"allow_take_all": "on"}, nil)
	all.client.PlaceOrder(t.Context(), usual("CH01", 2))
	if got := all.rec.of("order.place")[0].URL; !strings.HasSuffix(got, "?allowTakeAll=true&referenceId=CH01") {
		t.Errorf("allowTakeAll is not sent when switched on: %s", got)
	}
}

func TestWhatArrivesIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		settle string
		state  models.State
		word   string
		codes  int
	}{
		"all of it":        {"succeeded", models.Succeeded, "fulfilled", 3},
		"one too few":      {"partial", models.Partial, "partial", 2},
		"one too many":     {"surplus", models.Partial, "anomaly", 4},
		"nothing out, yet": {"", models.Pending, "pending_codes", 0},
	} {
		s := open(t, nil, nil)
		s.control("autosettle", "outcome", "off")
		r := usual("CH01", 3)
		got := s.client.PlaceOrder(t.Context(), r)
		if shape(got) != "accepted pending_codes 0" {
			t.Fatalf("%s: %s", name, shape(got))
		}
		if c.settle != "" {
			s.control("settle", "reference", "CH01", "status", c.settle)
		}
		q := asked(r)
		q.ProviderRef = got.(providers.Accepted).ProviderRef
		f := s.client.FindOrder(t.Context(), q)
		if f.Result != providers.Found || f.Status.State != c.state || f.Status.Word != c.word || len(f.Status.Items) != c.codes {
			t.Errorf("%s: %s %s %q with %d codes: %s", name, f.Result, f.Status.State, f.Status.Word, len(f.Status.Items), f.Status.Reason)
		}
	}
}

func TestALostAnswerIsSettledByAskingAndNothingIsBoughtTwice(t *testing.T) {
	for _, kind := range []string{"lose_reply", "http_500", "garbage", "truncate", "duplicate", "lie_amount", "html_200", "status_false", "no_name", "late"} {
		s := open(t, map[string]string{"timeouts": "30/1"}, nil)
		s.control("fault", "operation", "order", "kind", kind, "delay_ms", "1500")
		r := usual("CH01LOST", 2)
		if got := shape(s.client.PlaceOrder(t.Context(), r)); got != "unknown" {
			t.Errorf("%s: %s", kind, got)
			continue
		}
		f := s.client.FindOrder(t.Context(), asked(r))
		if f.Result != providers.Found || f.Status.State != models.Succeeded || len(f.Status.Items) != 2 || f.Status.ProviderRef == "" {
			t.Errorf("%s: asking gave %s %s (%s)", kind, f.Result, f.Status.State, f.Says)
		}
		if d := cmp.Diff(map[string]int{"CH01LOST": 1}, s.executions()); d != "" {
			t.Errorf("%s: %s", kind, d)
		}
		if n := len(s.rec.of("order.place")); n != 1 {
			t.Errorf("%s: %d purchases were sent", kind, n)
		}
	}
}

func TestAFaultBeforeTheSaleIsUnknownTooAndAskingFindsNothing(t *testing.T) {
	for _, kind := range []string{"drop_before", "http_500_before", "http_503", "html_403", "html_502", "redirect"} {
		s := open(t, nil, nil)
		s.fault("order", kind)
		r := usual("CH01NONE", 1)
		if got := shape(s.client.PlaceOrder(t.Context(), r)); got != "unknown" {
			t.Errorf("%s: %s", kind, got)
		}
		if f := s.client.FindOrder(t.Context(), asked(r)); f.Result != providers.NotFound {
			t.Errorf("%s: asking gave %s (%s)", kind, f.Result, f.Says)
		}
		if n := len(s.executions()); n != 0 {
			t.Errorf("%s: %d executions", kind, n)
		}
	}
	if p := Provider().Description.Passport; p.NotFoundAfter != 0 || p.Resend != providers.ResendNew {
		t.Error("\"not found\" must not settle an order by itself, and a resend carries a new reference")
	}
}

func TestRefusalsOfAnOrder(t *testing.T) {
	for name, c := range map[string]struct {
		arrange  func(*shop)
		change   func(*providers.SendRequest)
		settings map[string]string
		want     string
	}{
		"unknown product":     {change: func(r *providers.SendRequest) { r.SKU = "NO-SUCH" }, want: "refused NOT_FOUND false"},
		"above stock":         {change: func(r *providers.SendRequest) { r.SKU, r.Quantity = "NFX-GL-15USD", 4 }, want: "refused INSUFFICIENT_STOCK true"},
		"stock under 400":     {arrange: func(s *shop) { s.control("set", "name", "stock_error_status", "value", "400") }, change: func(r *providers.SendRequest) { r.SKU = "RZR-GL-100USD" }, want: "refused INSUFFICIENT_STOCK true"},
		"stock, 409 only":     {arrange: func(s *shop) { s.control("set", "name", "stock_error_status", "value", "400") }, settings: map[string]string{"stock_error_status": "409"}, change: func(r *providers.SendRequest) { r.SKU = "RZR-GL-100USD" }, want: "unknown"},
		"too little money":    {arrange: func(s *shop) { s.control("balance", "balance", "1.00", "credit", "2.00") }, want: "refused INSUFFICIENT_BALANCE true"},
		"too many calls":      {arrange: func(s *shop) { s.fault("order", "http_429") }, want: "refused TOO_MANY_REQUESTS true"},
		"429, not believed":   {arrange: func(s *shop) { s.fault("order", "http_429") }, settings: map[string]string{"resend_on_429": "unknown"}, want: "unknown"},
		"a top-level message": {arrange: func(s *shop) { s.fault("order", "top_message") }, want: "refused HTTP_400 false"},
		"no product":          {change: func(r *providers.SendRequest) { r.SKU = "" }, want: "refused not_sent false"},
		"no units":            {change: func(r *providers.SendRequest) { r.Quantity = 0 }, want: "refused not_sent false"},
		"a split reference":   {change: func(r *providers.SendRequest) { r.Reference = "CH 01" }, want: "refused not_sent false"},
	} {
		s := open(t, c.settings, nil)
		if c.arrange != nil {
			c.arrange(s)
		}
		r := usual("CH01REFUSED", 1)
		if c.change != nil {
			c.change(&r)
		}
		if got := shape(s.client.PlaceOrder(t.Context(), r)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if n := len(s.executions()); n != 0 {
			t.Errorf("%s: %d executions", name, n)
		}
	}
}

func TestOnlyTheContractsRefusalsAreRefusals(t *testing.T) {
	env := func(code string) string { return `{"status":false,"error":{"code":"` + code + `","message":"m"}}` }
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{400, env("INVALID_PAYLOAD"), "refused INVALID_PAYLOAD false"},
		{401, env("UNAUTHORIZED"), "refused UNAUTHORIZED false"},
		{403, env("FORBIDDEN"), "refused FORBIDDEN false"},
		{404, env("NOT_FOUND"), "refused NOT_FOUND false"},
		{413, env(""), "refused HTTP_413 false"},
		{415, env(""), "refused HTTP_415 false"},
		{422, env(""), "refused HTTP_422 false"},
		{402, env("INSUFFICIENT_STOCK"), "refused INSUFFICIENT_STOCK true"},
		{409, env("INSUFFICIENT_STOCK"), "refused INSUFFICIENT_STOCK true"},
		{409, env("CONFLICT"), "unknown"}, // unnamed in the documentation: something may exist
		{409, env("INSUFFICIENT_BALANCE"), "unknown"},
		{409, env(""), "unknown"},
		{402, env("PAYMENT_REQUIRED"), "unknown"},
		{408, env("TIMEOUT"), "unknown"},
		{500, env("INSUFFICIENT_STOCK"), "unknown"},
		{500, env("INTERNAL_ERROR"), "unknown"},
		{503, env("SERVICE_UNAVAILABLE"), "unknown"},
		{400, env("INTERNAL_ERROR"), "unknown"}, // the code decides before the status
		{422, env("SERVICE_UNAVAILABLE"), "unknown"},
		{404, `{"status":false,"error":{"code":"NOT_FOUND"},"data":{"orderName":"A1"}}`, "unknown"},
		{403, env("TOO_MANY_REQUESTS"), "refused TOO_MANY_REQUESTS true"},
		{200, env("INVALID_PAYLOAD"), "unknown"},
		{200, `{"status":"true","data":{"orderName":"A1"}}`, "unknown"},
		{200, `{"status":true,"status":true,"data":{"orderName":"A1"}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"A1"}}{}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":""}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":7}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"` + strings.Repeat("A", 101) + `"}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"A1","referenceId":"OTHER"}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"A1","totalAmount":"36.75"}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"A1","totalAmount":36.76}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"A1","totalAmount":36.74}}`, "unknown"},
		{200, `{"status":true,"data":{"orderName":"A1","totalAmount":1e400000000}}`, "unknown"},
		{200, strings.Repeat(`{"a":`, 100_000), "unknown"},
		{200, "", "unknown"},
		{204, "", "unknown"},
		{302, env("NOT_FOUND"), "unknown"},
		{401, `{"status":true}`, "unknown"},
		{400, `<html>`, "unknown"},
		{400, `[]`, "unknown"},
		{400, `{"code":"INVALID_PAYLOAD"}`, "unknown"}, // not the documented envelope
	} {
		s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}), nil)
		o := s.client.PlaceOrder(t.Context(), usual("CH01", 1))
		if got := shape(o); got != c.want {
			t.Errorf("%d %.60s: %s, want %s", c.status, c.body, got, c.want)
		}
		if n := len(s.rec.of("order.place")); n != 1 {
			t.Errorf("%d %.60s: %d purchases were sent", c.status, c.body, n)
		}
	}
}

func TestNothingLeftWhenNobodyListens(t *testing.T) {
	s := open(t, nil, nil)
	cfg := testConfig("http://127.0.0.1:1", nil, s.rec)
	made, err := Provider().New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := shape(made.(*client).PlaceOrder(t.Context(), usual("CH01", 1))); got != "refused not_sent true" {
		t.Errorf("%s", got)
	}
}

func TestASecondOrderWithOneReferenceIsSeenAndGivenToAPerson(t *testing.T) {
	s := open(t, nil, nil)
	r := usual("CH01TWICE", 1)
	s.client.PlaceOrder(t.Context(), r)
	s.client.PlaceOrder(t.Context(), r) // somebody else's mistake: WUPEX lets it happen (WUPEX-IDEM-1)
	if n := s.executions()["CH01TWICE"]; n != 2 {
		t.Fatalf("the stand-in sold %d times: it must not protect us", n)
	}
	f := s.client.FindOrder(t.Context(), asked(r))
	if f.Result != providers.Unclear || !strings.Contains(f.Says, "2 orders") || len(f.Status.Items) != 0 {
		t.Errorf("%s: %s", f.Result, f.Says)
	}
}

func TestAnOrderIsAdoptedOnlyWhenItIsOurs(t *testing.T) {
	item := func(fields string) string {
		return `{"status":true,"pageInfo":{"totalPage":1,"totalCount":1,"pageSize":100,"currentPage":1},"data":[{` + fields + `}]}`
	}
	old := time.Now().UTC().Add(-72 * time.Hour).Format(time.RFC3339)
	for name, c := range map[string]struct {
		list string
		want providers.Result
	}{
		"our reference":                   {item(`"orderName":"A1","referenceId":"CH01"`), providers.Found},
		"our reference in other letters":  {item(`"OrderName":"A1","ReferenceId":"CH01"`), providers.Found},
		"no reference at all":             {item(`"orderName":"A1"`), providers.Found},
		"another reference":               {item(`"orderName":"A1","referenceId":"CH02"`), providers.Unclear},
		"three days older":                {item(`"orderName":"A1","orderDate":"` + old + `"`), providers.Unclear},
		"no name":                         {item(`"referenceId":"CH01"`), providers.Unclear},
		"an empty list":                   {`{"status":true,"data":[],"pageInfo":{"totalCount":0}}`, providers.NotFound},
		"an empty list without a count":   {`{"status":true,"data":[]}`, providers.Unclear},
		"an empty list, count as text":    {`{"status":true,"data":[],"pageInfo":{"totalCount":"3"}}`, providers.Unclear},
		"an empty list, count unreadable": {`{"status":true,"data":[],"pageInfo":{"totalCount":null}}`, providers.Unclear},
		"no reference, the right amount":  {item(`"orderName":"A1","orderAmount":36.75`), providers.Found},
		"no reference, another amount":    {item(`"orderName":"A1","orderAmount":99.00`), providers.Unclear},
		"an empty page of a longer list":  {`{"status":true,"data":[],"pageInfo":{"totalCount":3}}`, providers.Unclear},
		"one shown of several":            {`{"status":true,"data":[{"orderName":"A1","referenceId":"CH01"}],"pageInfo":{"totalCount":2}}`, providers.Unclear},
		"the same order twice":            {`{"status":true,"data":[{"orderName":"A1"},{"orderName":"A1"}]}`, providers.Found},
		"no list":                         {`{"status":true,"data":{}}`, providers.Unclear},
		"no data":                         {`{"status":true}`, providers.Unclear},
		"a failure under 200":             {`{"status":false,"error":{"code":"NOT_FOUND","message":"x"}}`, providers.Unclear},
		"a page of HTML":                  {`<html>`, providers.Unclear},
		"null":                            {`{"status":true,"data":null}`, providers.Unclear},
		"a reference of the wrong letter": {item(`"orderName":"A1","referenceId":"ch01"`), providers.Unclear},
	} {
		s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/order/list" {
				_, _ = w.Write([]byte(c.list))
				return
			}
			_, _ = w.Write([]byte(`{"status":true,"data":{"orderName":"A1","orderData":[]}}`))
		}), nil)
		f := s.client.FindOrder(t.Context(), asked(usual("CH01", 1)))
		if f.Result != c.want {
			t.Errorf("%s: %s (%s), want %s", name, f.Result, f.Says, c.want)
		}
	}
}

func TestAnOrderThatIsListedExistsEvenIfItCannotBeRead(t *testing.T) {
	s := open(t, nil, nil)
	s.fault("order", "lose_reply")
	r := usual("CH01", 1)
	s.client.PlaceOrder(t.Context(), r)
	s.control("fault", "operation", "/api/order/detail", "kind", "http_500", "times", "9")
	f := s.client.FindOrder(t.Context(), asked(r))
	if f.Result != providers.Found || f.Status.State != models.Pending || f.Status.ProviderRef == "" {
		t.Errorf("%s %s: %s", f.Result, f.Status.State, f.Says)
	}
}

func TestADetailIsReadLenientlyAndNeverGuessed(t *testing.T) {
	code := func(c string) string { return `{"serialCode":"` + c + `","serialNumber":"1"}` }
	for name, c := range map[string]struct {
		detail   string
		settings map[string]string
		want     string
	}{
		"two groups":                    {`{"orderData":[{"serials":[` + code("a") + `]},{"serials":[` + code("b") + `]}]}`, nil, "found fulfilled 2"},
		"a group without serials":       {`{"orderData":[{"serials":[` + code("a") + `,` + code("b") + `]},{}]}`, nil, "found fulfilled 2"},
		"serials null":                  {`{"orderData":[{"serials":null}]}`, nil, "found pending_codes 0"},
		"no orderData yet":              {`{"orderName":"A1"}`, nil, "found pending_codes 0"},
		"orderData null":                {`{"orderData":null}`, nil, "found pending_codes 0"},
		"orderData is something else":   {`{"orderData":{"serials":[]}}`, nil, "unclear  0"},
		"another order":                 {`{"orderName":"A2","orderData":[]}`, nil, "unclear  0"},
		"empty, and that is a case":     {`{"orderData":[]}`, map[string]string{"empty_serials_state": "alert"}, "found no_codes 0"},
		"one code twice":                {`{"orderData":[{"serials":[` + code("a") + `,` + code("a") + `]}]}`, nil, "found anomaly 2"},
		"an entry without a code":       {`{"orderData":[{"serials":[` + code("a") + `,{"serialNumber":"9"}]}]}`, nil, "found anomaly 1"},
		"a code of another product":     {`{"orderData":[{"productCode":"OTHER","serials":[` + code("a") + `,` + code("b") + `]}]}`, nil, "found anomaly 2"},
		"and by the line's SKU instead": {`{"orderData":[{"productCode":"OTHER","serials":[` + code("a") + `,` + code("b") + `]}]}`, map[string]string{"detail_sku_source": "line"}, "found fulfilled 2"},
		"flat":                          {`{"serials":[` + code("a") + `,` + code("b") + `]}`, map[string]string{"detail_shape": "flat"}, "found fulfilled 2"},
		"flat, not switched":            {`{"serials":[` + code("a") + `,` + code("b") + `]}`, nil, "unclear  0"},
		"a numeric code":                {`{"orderData":[{"serials":[{"serialCode":12345678901234567890},` + code("b") + `]}]}`, nil, "found fulfilled 2"},
		"a code of a megabyte":          {`{"orderData":[{"serials":[` + code(strings.Repeat("x", 1<<20)) + `,` + code("b") + `]}]}`, nil, "found anomaly 1"},
		"a list for an object":          {`[]`, nil, "unclear  0"},
	} {
		s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"status":true,"data":` + c.detail + `}`))
		}), c.settings)
		q := asked(usual("CH01", 2))
		q.ProviderRef = "A1"
		f := s.client.FindOrder(t.Context(), q)
		if got := fmt.Sprintf("%s %s %d", f.Result, f.Status.Word, len(f.Status.Items)); got != c.want {
			t.Errorf("%s: %s, want %s (%s %s)", name, got, c.want, f.Says, f.Status.Reason)
		}
	}
}

func TestCodesOfTheAnswerAreOnlyACrossCheck(t *testing.T) {
	pull := `{"status":true,"data":{"orderName":"A1","serials":[{"sku":"APL-US-10USD","serialCode":"other","serialNumber":"1"}]}}`
	serve := func(detail string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/order/pull-codes" {
				_, _ = w.Write([]byte(pull))
				return
			}
			_, _ = w.Write([]byte(detail))
		})
	}
	full := `{"status":true,"data":{"orderData":[{"serials":[{"serialCode":"a"}]}]}}`
	empty := `{"status":true,"data":{"orderData":[]}}`
	if got := shape(dial(t, serve(full), nil).client.PlaceOrder(t.Context(), usual("CH01", 1))); got != "accepted anomaly 1" {
		t.Errorf("contradicting codes: %s", got)
	}
	if got := shape(dial(t, serve(empty), nil).client.PlaceOrder(t.Context(), usual("CH01", 1))); got != "accepted pending_codes 0" {
		t.Errorf("codes in the answer alone: %s", got)
	}
	if got := shape(dial(t, serve(empty), map[string]string{"codes_source": "answer"}).client.PlaceOrder(t.Context(), usual("CH01", 1))); got != "accepted fulfilled 1" {
		t.Errorf("codes in the answer, switched on: %s", got)
	}
	if got := shape(dial(t, serve(`<html>`), nil).client.PlaceOrder(t.Context(), usual("CH01", 1))); got != "accepted placed 0" {
		t.Errorf("unreadable detail: %s", got)
	}
}

func TestOrdersGoOneAtATimeWithOneKey(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	s := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/order/pull-codes" {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
		}
		_, _ = w.Write([]byte(`{"status":true,"data":{"orderName":"A1","orderData":[]}}`))
	}), nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { s.client.PlaceOrder(t.Context(), usual(fmt.Sprintf("CH%02d", i), 1)) })
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d orders were on their way at once", most)
	}
	s.client.ordering <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := shape(s.client.PlaceOrder(ctx, usual("CH99", 1))); got != "refused not_sent true" {
		t.Errorf("an order that could not get its turn: %s", got)
	}
}
