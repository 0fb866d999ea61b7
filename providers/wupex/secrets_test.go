package wupex

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

const code = "CODE-7F3K-99QX-AB12"

// answersWithCodes are answers to pull-codes and detail in which a code stands where it is expected and where nobody expects it.
func answersWithCodes() []string {
	return []string{
		`{"status":true,"data":{"orderName":"A1","serials":[{"sku":"S","serialCode":"` + code + `","serialNumber":"1"}],"orderData":[{"serials":[{"serialCode":"` + code + `"}]}]}}`,
		`{"status":true,"data":{"orderName":"A1","orderData":[{"serials":[{"voucher":"` + code + `","secret":["` + code + `"]}]}]}}`,
		`{"status":true,"data":{"orderName":"A1","codes":{"` + code + `":1}}}`,
		`{"status":true,"data":{"orderName":"A1"},"message":{"x":"` + code + `"}}`,
		`{"status":true,"data":{"orderName":"A1","serials":[{"code":"` + code + `"}]}`,
		`serialCode=` + code,
		`<serial>` + code + `</serial>`,
		`{"status":true,"data":"{\"serialCode\":\"` + code + `\"}"}`,
		"{\"serialCode\":\"" + code + "\"}\x00\xff",
	}
}

func TestACodeIsNowhereButInWhatWasDelivered(t *testing.T) {
	for _, body := range answersWithCodes() {
		for _, status := range []int{200, 400, 409, 500} {
			s := dial(t, say(status, body), map[string]string{"retry_policy": "none"})
			o := s.client.PlaceOrder(t.Context(), usual("CH01", 1))
			q := asked(usual("CH01", 1))
			q.ProviderRef = "A1"
			f := s.client.FindOrder(t.Context(), q)
			if a, ok := o.(providers.Accepted); ok {
				a.Status.Items = nil
				o = a
			}
			f.Status.Items = nil
			sheet, err := s.client.LookUp(t.Context(), "order", map[string]string{"order_name": "A1"})
			seen := fmt.Sprintf("%+v %+v %s %+v %v", o, f, rawOf(o), sheet, err) + string(f.Raw) + string(sheet.Raw) + s.rec.text()
			for i := range s.rec.list {
				seen += string(s.rec.list[i].ResponseBody)
			}
			if strings.Contains(seen, "7F3K") {
				t.Errorf("%d %s: the code is seen", status, body)
			}
		}
	}
}

func rawOf(o providers.Outcome) string {
	switch x := o.(type) {
	case providers.Accepted:
		return string(x.Raw)
	case providers.Refused:
		return string(x.Raw) + x.Message
	case providers.Unknown:
		return string(x.Raw) + x.Cause
	}
	return ""
}

func TestAWithheldAnswerStaysUseful(t *testing.T) {
	got := string(withhold([]byte(`{"status":true,"data":{"id":7,"orderName":"A1","totalAmount":36.75,"orderData":[{"productCode":"S","serials":[{"serialCode":"x","serialNumber":"9","expiry":null}]}]}}`)))
	want := `{"data":{"id":7,"orderData":[{"productCode":"S","serials":[{"expiry":null,"serialCode":"[withheld]","serialNumber":"[withheld]"}]}],"orderName":"A1","totalAmount":36.75},"status":true}`
	if got != want {
		t.Error(got)
	}
	got = string(withhold([]byte(`{"status":false,"error":{"code":"NOT_FOUND","message":"no"}}`)))
	if got != `{"error":{"code":"NOT_FOUND","message":"no"},"status":false}` {
		t.Error(got)
	}
}

func TestTheKeyIsNowhere(t *testing.T) {
	s := open(t, nil, nil)
	s.client.PlaceOrder(t.Context(), usual("CH01", 1))
	results := fmt.Sprintf("%+v", s.client.Check(t.Context()))
	echo := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		b, _ := json.Marshal(map[string]any{"status": false, "error": map[string]string{"code": r.Header.Get("x-api-key"), "message": "bad key " + r.Header.Get("x-api-key")}})
		_, _ = w.Write(b)
	}), nil)
	o := echo.client.PlaceOrder(t.Context(), usual("CH01", 1))
	_, err := echo.client.Balances(t.Context())
	seen := results + fmt.Sprintf("%+v %v %s %+v", o, err, rawOf(o), echo.client.Check(t.Context())) + s.rec.text() + echo.rec.text()
	if strings.Contains(seen, canary) {
		t.Error("the API key is seen")
	}
	if strings.Count(seen, httpx.Redacted) < 5 {
		t.Error("nothing was redacted: the test looks at the wrong things")
	}
}

func FuzzAnyAnswerToAnOrderGivesOneOutcomeAndNoCode(f *testing.F) {
	for _, b := range answersWithCodes() {
		f.Add(200, b)
		f.Add(409, b)
	}
	f.Add(422, `{"status":false,"error":{"code":"INSUFFICIENT_BALANCE","message":"x"}}`)
	made, err := Provider().New(testConfig("http://127.0.0.1:9", nil, nil))
	if err != nil {
		f.Fatal(err)
	}
	c := made.(*client)
	f.Fuzz(func(t *testing.T, status int, body string) {
		kept := withhold([]byte(body))
		res := httpx.Response{Status: status, Body: []byte(body), Header: http.Header{}, Exchange: httpx.Exchange{ResponseBody: kept}}
		a := c.understand(res)
		if !a.good {
			switch o := c.refusal(a).(type) {
			case providers.Refused:
				if status < 400 || status > 499 || !a.failed {
					t.Errorf("%d %q became a refusal", status, body)
				}
			case providers.Unknown:
				if o.Cause == "" {
					t.Error("an unknown without a cause")
				}
			default:
				t.Errorf("%T", o)
			}
			return
		}
		st := c.count(providers.Query{SKU: "S", Quantity: 1}, c.delivered(a.data, "S"), nil)
		for _, d := range st.Items {
			// A text that stands in the body once stands in the code's place only.
			if len(d.Code) > 6 && strings.Count(body, d.Code) == 1 && strings.Contains(string(kept), d.Code) && !strings.Contains(withheld, d.Code) {
				t.Errorf("a code is kept: %s", kept)
			}
		}
	})
}
