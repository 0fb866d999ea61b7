package wakapay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

// shape is an outcome without its texts, for comparison.
func shape(o providers.Outcome) string {
	switch x := o.(type) {
	case providers.Accepted:
		return fmt.Sprintf("accepted %q", x.Status.State)
	case providers.Refused:
		return fmt.Sprintf("refused %s %v", x.Code, x.Retryable)
	case providers.Unknown:
		return "unknown"
	}
	return fmt.Sprintf("%T", o)
}

func TestAPayoutIsTakenFollowedAndPaid(t *testing.T) {
	for _, unit := range []string{"major", "minor"} {
		h := open(t, demo("amount_unit", unit), map[string]string{"amount_unit": unit})
		r := mobile("CH01PAY")
		got, ok := h.client.SendPayout(t.Context(), r).(providers.Accepted)
		if !ok {
			t.Fatalf("%s: not accepted", unit)
		}
		got.Raw = nil
		want := providers.Accepted{ProviderRef: "WKP000000000001", Status: providers.Status{State: models.Pending, Word: "termination_pending",
			ProviderRef: "WKP000000000001", Amount: r.Amount}}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		bs, err := h.client.Balances(t.Context())
		if err != nil || bs[0].Available.Plain() != "2499990.00" || bs[0].Total.Plain() != "2500000.00" { // 1290 KES at 129 is 10 USD, on hold
			t.Errorf("%s: %+v %v", unit, bs[0], err)
		}
		h.control("settle", "reference", "CH01PAY", "status", "succeeded")
		q := asked(r)
		q.ProviderRef = got.ProviderRef
		f := h.client.FindPayout(t.Context(), q)
		if f.Result != providers.Found || f.Status.State != models.Succeeded || f.Says != "termination_success WKP000000000001" {
			t.Errorf("%s: %+v", unit, f)
		}
		if bs, _ := h.client.Balances(t.Context()); bs[0].Total.Plain() != "2499990.00" {
			t.Errorf("%s: after payment %s", unit, bs[0].Total.Plain())
		}
	}
}

func TestTheMadeUpRequestIsExactlyTheOneInTheContractFile(t *testing.T) {
	h := open(t, demo(), nil)
	h.client.SendPayout(t.Context(), mobile("CH01"))
	for _, x := range h.rec.list {
		if x.Operation != "payout.create" {
			continue
		}
		want := `{"businessReference":"CH01","type":"mobile_money","countryCode":"KE","phoneNumber":"+254700000001","sourceCurrency":"USD","targetCurrency":"KES","amount":"1290.00","description":"invoice 7"}`
		if got := string(x.RequestBody); got != want {
			t.Errorf("body %s", got)
		}
		if got := x.RequestHeader.Get("Authorization"); got != "Bearer [redacted]" {
			t.Errorf("authorization %q", got)
		}
		return
	}
	t.Error("no payout was sent")
}

func TestEveryCountryPaysFromItsOwnWalletWhenSoFunded(t *testing.T) {
	h := open(t, demo("payout_funding", "same"), nil)
	for _, c := range countries() {
		h.control("wallet", "currency", c.currency, "available", "1000000")
		h.control("recipient", "country", c.code, "kind", "mobile_money", "number", c.prefix+"700000009", "name", "N")
		h.control("recipient", "country", c.code, "kind", "till", "number", "000777", "name", "N")
		h.control("recipient", "country", c.code, "kind", "paybill", "number", "555", "account", "A1", "name", "N")
		low := strings.ToLower(c.code)
		for method, values := range map[string]map[string]string{
			low + "_mobile": {"phone": c.prefix + "700000009"}, low + "_till": {"number": "000777"}, low + "_paybill": {"number": "555", "account_reference": "A1"},
		} {
			r := providers.SendRequest{Reference: "CH" + strings.ToUpper(strings.ReplaceAll(method, "_", "")), Method: method, Values: values, Amount: models.Money{Minor: 5000, Asset: c.currency}}
			if got := shape(h.client.SendPayout(t.Context(), r)); got != `accepted "pending"` {
				t.Errorf("%s: %s", method, got)
			}
		}
	}
}

func TestALostAnswerIsSettledByAskingAndPaidOnce(t *testing.T) {
	for _, kind := range []string{"lose_reply", "http_500", "garbage", "truncate", "duplicate", "lie_amount", "wrong_reference", "wrong_recipient"} {
		h := open(t, demo(), nil)
		h.fault("payout", kind)
		r := mobile("CH01LOST")
		if got := shape(h.client.SendPayout(t.Context(), r)); got != "unknown" {
			t.Errorf("%s: %s", kind, got)
			continue
		}
		if f := h.client.FindPayout(t.Context(), asked(r)); f.Result != providers.Found || f.Status.State != models.Pending {
			t.Errorf("%s: asking gave %s (%s)", kind, f.Result, f.Says)
		}
		if d := cmp.Diff(map[string]int{"CH01LOST": 1}, h.executions()); d != "" {
			t.Errorf("%s: %s", kind, d)
		}
		if n := h.rec.count("payout.create"); n != 1 {
			t.Errorf("%s: %d payouts were sent", kind, n)
		}
		// A resend by staff carries the same reference: 409, nothing paid, and still the first one is asked about.
		if got := shape(h.client.SendPayout(t.Context(), r)); got != "unknown" || h.executions()["CH01LOST"] != 1 {
			t.Errorf("%s: a resend gave %s and %v", kind, got, h.executions())
		}
	}
}

func TestFaultsBeforeThePayout(t *testing.T) {
	for kind, want := range map[string]string{"drop_before": "unknown", "http_500_before": "unknown", "http_403": "unknown", "http_429": "unknown", "html_502": "unknown", "redirect": "unknown"} {
		h := open(t, demo(), nil)
		h.fault("payout", kind)
		r := mobile("CH01")
		if got := shape(h.client.SendPayout(t.Context(), r)); got != want {
			t.Errorf("%s: %s", kind, got)
		}
		if f := h.client.FindPayout(t.Context(), asked(r)); f.Result != providers.NotFound {
			t.Errorf("%s: asking gave %s", kind, f.Result)
		}
		if n := h.rec.count("payout.create"); n != 1 || len(h.executions()) != 0 {
			t.Errorf("%s: %d sent, %v paid", kind, n, h.executions())
		}
	}
}

func TestAPayoutAnswered401IsRepeatedOnceWithTheSameReference(t *testing.T) {
	for _, kind := range []string{"http_401", "empty_401"} {
		h := open(t, demo(), nil)
		h.fault("payout", kind)
		if got := shape(h.client.SendPayout(t.Context(), mobile("CH01"))); got != `accepted "pending"` || h.executions()["CH01"] != 1 {
			t.Errorf("%s: %s %v", kind, got, h.executions())
		}
		if a, b := h.rec.count("auth"), h.rec.count("payout.create"); a != 2 || b != 2 {
			t.Errorf("%s: %d sign-ins, %d sends", kind, a, b)
		}
		h = open(t, demo(), nil)
		h.control("fault", "operation", "payout", "kind", kind, "times", "9")
		if got := shape(h.client.SendPayout(t.Context(), mobile("CH01"))); got != "refused 401 true" || h.rec.count("payout.create") != 2 {
			t.Errorf("%s for ever: %s after %d sends", kind, got, h.rec.count("payout.create"))
		}
		h = open(t, demo("repeat_payout_after_401", "never"), nil)
		h.fault("payout", kind)
		if got := shape(h.client.SendPayout(t.Context(), mobile("CH01"))); got != "refused 401 true" || h.rec.count("payout.create") != 1 {
			t.Errorf("%s, switched off: %s after %d sends", kind, got, h.rec.count("payout.create"))
		}
	}
}

func TestRefusalsOfAPayout(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(*house)
		change  func(*providers.SendRequest)
		want    string
	}{
		"the published TZ number: no rate": {change: func(r *providers.SendRequest) {
			r.Method, r.Amount.Asset, r.Values = "tz_mobile", "TZS", map[string]string{"phone": "+255700000001"}
		}, want: "refused 404 false"},
		"the published TZ paybill: no rate": {change: func(r *providers.SendRequest) {
			r.Method, r.Amount.Asset, r.Values = "tz_paybill", "TZS", map[string]string{"number": "700000", "account_reference": "ABC123"}
		}, want: "refused 404 false"},
		"an unknown number": {change: func(r *providers.SendRequest) { r.Values = map[string]string{"phone": "+254700000002"} }, want: "refused 422 false"},
		"the wrong paybill account": {change: func(r *providers.SendRequest) {
			r.Method, r.Values = "ke_paybill", map[string]string{"number": "123456", "account_reference": "ABC124"}
		}, want: "refused 422 false"},
		"too little money":        {arrange: func(h *house) { h.control("wallet", "currency", "USD", "available", "9.99") }, want: "refused 412 true"},
		"another currency":        {change: func(r *providers.SendRequest) { r.Amount.Asset = "USD" }, want: "refused not_sent false"},
		"nothing to pay":          {change: func(r *providers.SendRequest) { r.Amount.Minor = 0 }, want: "refused not_sent false"},
		"an unknown method":       {change: func(r *providers.SendRequest) { r.Method = "KE_mobile" }, want: "refused not_sent false"},
		"no phone":                {change: func(r *providers.SendRequest) { r.Values = nil }, want: "refused not_sent false"},
		"a reference with spaces": {change: func(r *providers.SendRequest) { r.Reference = "CH 01" }, want: "refused not_sent false"},
		"a long reference":        {change: func(r *providers.SendRequest) { r.Reference = strings.Repeat("A", 65) }, want: "refused not_sent false"},
		"rejected keys":           {arrange: func(h *house) { h.control("keys", "api_key", "other", "api_secret", "pair") }, want: "refused not_sent true"},
		"no sign-in":              {arrange: func(h *house) { h.fault("auth", "lose_reply") }, want: "refused not_sent true"},
	} {
		h := open(t, demo(), nil)
		if c.arrange != nil {
			c.arrange(h)
		}
		r := mobile("CH01")
		if c.change != nil {
			c.change(&r)
		}
		if got := shape(h.client.SendPayout(t.Context(), r)); got != c.want || len(h.executions()) != 0 {
			t.Errorf("%s: %s, want %s; paid %v", name, got, c.want, h.executions())
		}
	}
}

// scripted signs anybody in and answers everything else with one body.
func scripted(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/business/auth" {
			_, _ = w.Write([]byte(`{"accessToken":"a.b.c","expiresIn":3600}`))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

const created = `{"businessReference":"CH01","wakapayReference":"W1","status":"termination_pending","amount":"1290.00","targetCurrency":"KES"`

func TestOnlyTheDocumentedAnswersToAPayoutAreBelieved(t *testing.T) {
	ordinary, layer := `{"code":0,"error":"x"}`, `{"message":"x"}`
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{201, created + `}`, `accepted "pending"`},
		{201, strings.Replace(created, `"1290.00"`, `1290`, 1) + `}`, `accepted "pending"`},
		{201, strings.Replace(created, "termination_pending", "termination_success", 1) + `}`, `accepted "succeeded"`},
		{201, strings.Replace(created, "termination_pending", "completed", 1) + `}`, `accepted ""`},
		{200, created + `}`, "unknown"},
		{202, created + `}`, "unknown"},
		{201, strings.Replace(created, "CH01", "CH02", 1) + `}`, "unknown"},
		{201, strings.Replace(created, `"W1"`, `""`, 1) + `}`, "unknown"},
		{201, strings.Replace(created, `"W1"`, `7`, 1) + `}`, "unknown"},
		{201, strings.Replace(created, "1290.00", "1290.01", 1) + `}`, "unknown"},
		{201, strings.Replace(created, "1290.00", "129000", 1) + `}`, "unknown"},
		{201, strings.Replace(created, "KES", "USD", 1) + `}`, "unknown"},
		{201, created + `,"phoneNumber":"+254700000009"}`, "unknown"},
		{201, created + `,"type":"till"}`, "unknown"},
		{201, created + `,"countryCode":"TZ"}`, "unknown"},
		{201, created + `,"sourceCurrency":"KES"}`, "unknown"},
		{201, created + `,"countryCode":"KE","sourceCurrency":"USD","type":"mobile_money","extra":[1]}`, `accepted "pending"`},
		{201, created + `,"amount":"1290.00"}`, "unknown"},
		{201, created + `}{}`, "unknown"},
		{201, `[]`, "unknown"},
		{201, ``, "unknown"},
		{201, strings.Repeat("[", 100_000), "unknown"},
		{400, ordinary, "refused 400 false"},
		{400, layer, "unknown"}, // the authorization layer does not speak of payouts
		{404, `{"message":"no Route matched with those values"}`, "unknown"},
		{412, `{"code":0,"error":"x","wakapayReference":"W1"}`, "unknown"},
		{422, layer, "unknown"},
		{404, ordinary, "refused 404 false"},
		{412, ordinary, "refused 412 true"},
		{422, ordinary, "refused 422 false"},
		{409, ordinary, "unknown"},
		{409, ``, "unknown"},
		{400, `<html>`, "unknown"},
		{404, `<html>nginx</html>`, "unknown"},
		{404, `{}`, "unknown"},
		{403, ordinary, "unknown"},
		{405, ordinary, "unknown"},
		{415, ordinary, "unknown"},
		{429, ordinary, "unknown"},
		{500, ordinary, "unknown"},
		{503, layer, "unknown"},
		{302, ``, "unknown"},
	} {
		h := dial(t, scripted(c.status, c.body), demo())
		if got := shape(h.client.SendPayout(t.Context(), mobile("CH01"))); got != c.want {
			t.Errorf("%d %.80s: %s, want %s", c.status, c.body, got, c.want)
		}
		if n := h.rec.count("payout.create"); n != 1 {
			t.Errorf("%d %.80s: %d payouts were sent", c.status, c.body, n)
		}
	}
}

func TestADuplicateIsToldApartFromADeadLine(t *testing.T) {
	h := open(t, demo(), nil)
	h.client.SendPayout(t.Context(), mobile("CH01"))
	o, ok := h.client.SendPayout(t.Context(), mobile("CH01")).(providers.Unknown)
	if !ok || !strings.Contains(o.Cause, "already received") {
		t.Errorf("%+v", o)
	}
}

func TestStatusesAreWakaPaysAndNoOthers(t *testing.T) {
	for word, want := range map[string]models.State{"termination_pending": models.Pending, "termination_success": models.Succeeded, "termination_failure": models.Failed,
		"completed": "", "failed": "", "processing": "", "TERMINATION_SUCCESS": "", "termination_success ": "", "\x00": ""} {
		body, _ := json.Marshal(map[string]string{"businessReference": "CH01", "wakapayReference": "W1", "status": word, "amount": "1290.00", "targetCurrency": "KES"})
		f := dial(t, scripted(200, string(body)), demo()).client.FindPayout(t.Context(), asked(mobile("CH01")))
		if f.Result != providers.Found || f.Status.State != want || (f.Status.State == "") != (want == "") {
			t.Errorf("%q: %s %q", word, f.Result, f.Status.State)
		}
		open := dial(t, scripted(200, string(body)), demo("final_statuses", "open")).client.FindPayout(t.Context(), asked(mobile("CH01")))
		if want != "" && open.Status.State != models.Pending {
			t.Errorf("%q, not taken as final: %q", word, open.Status.State)
		}
	}
}

func TestAskingBelievesOnlyOurOwnPayout(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   providers.Result
	}{
		"ours":                  {200, created + `}`, providers.Found},
		"another reference":     {200, strings.Replace(created, "CH01", "CH02", 1) + `}`, providers.Unclear},
		"another amount":        {200, strings.Replace(created, "1290.00", "12900.00", 1) + `}`, providers.Unclear},
		"another recipient":     {200, created + `,"phoneNumber":"+254700000009"}`, providers.Unclear},
		"no status":             {200, strings.Replace(created, `"termination_pending"`, `null`, 1) + `}`, providers.Unclear},
		"404 in their shape":    {404, `{"code":0,"error":"transaction not found"}`, providers.NotFound},
		"404 of somebody else":  {404, `<html>`, providers.Unclear},
		"404 without a body":    {404, ``, providers.Unclear},
		"500":                   {500, `{"code":0,"error":"x"}`, providers.Unclear},
		"401":                   {401, ``, providers.Unclear},
		"cut JSON":              {200, created, providers.Unclear},
		"a list":                {200, `[` + created + `}]`, providers.Unclear},
		"an answer that is big": {200, created + `,"x":"` + strings.Repeat("x", 5<<20) + `"}`, providers.Unclear},
	} {
		f := dial(t, scripted(c.status, c.body), demo()).client.FindPayout(t.Context(), asked(mobile("CH01")))
		if f.Result != c.want || f.Says == "" {
			t.Errorf("%s: %s (%s)", name, f.Result, f.Says)
		}
	}
	q := asked(mobile("CH01"))
	q.ProviderRef = "W2"
	if f := dial(t, scripted(200, created+`}`), demo()).client.FindPayout(t.Context(), q); f.Result != providers.Unclear {
		t.Errorf("another payout under our reference: %s", f.Result)
	}
	h := dial(t, scripted(200, created+`}`), demo("business_reference_pattern", `^.*$`))
	for _, ref := range []string{"../auth", "a/b", "a?b", "", "%2e%2e"} {
		q.Reference = ref
		if f := h.client.FindPayout(t.Context(), q); f.Result != providers.Unclear || h.rec.count("payout.find") != 0 {
			t.Errorf("the reference %q was put into a path", ref)
		}
	}
}
