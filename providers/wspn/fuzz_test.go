package wspn

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// answers gives the documented answers of testdata as seeds.
func answers(f *testing.F) [][]byte {
	f.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		f.Fatalf("no testdata: %v", err)
	}
	var out [][]byte
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, b)
	}
	return append(out, []byte(`{"header":{"success":true},"header":{"success":false}}`), []byte(`{"header":{"success":"true"}}`), []byte("\xff"), bytes.Repeat([]byte("["), 100))
}

// puppet is a provider that gives out one token and then answers with the given bytes.
func puppet(t testing.TB, status int, body *[]byte) *client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":21600}`))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write(*body)
	}))
	t.Cleanup(srv.Close)
	v, err := Provider().New(providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": srv.URL},
		Secrets: map[string]string{"api_key": testKey, "api_secret": testSecret}, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return v.(*client)
}

// Whatever WSPN answers, a money call has one outcome, and it is Accepted only when id, currency and amount are those that were asked. It reads
// without a network, because a fuzzer cannot learn anything from one.
func FuzzAnswers(f *testing.F) {
	for _, b := range answers(f) {
		f.Add(b)
	}
	set, err := readSettings(models.Sandbox, nil)
	if err != nil {
		f.Fatal(err)
	}
	c := &client{set: set, now: time.Now}
	amount, err := models.ParseMoney("1000", "USD")
	if err != nil {
		f.Fatal(err)
	}
	pay := providers.SendRequest{Reference: "CH1", Amount: amount, Method: payFiat}
	convert := providers.SendRequest{Reference: "CH1", Amount: amount, Method: mint, Quote: providers.Quote{ID: "1", Sell: "USD", Buy: "WUSD", Rate: "0.9"}}
	q := providers.Query{Kind: models.Payout, Reference: "CH1", Method: payCrypto, Amount: amount}
	f.Fuzz(func(t *testing.T, body []byte) {
		res := httpx.Response{Status: http.StatusOK, Body: body}
		o, e := c.readEnvelope(res, true)
		if e != nil {
			if out, ok := c.outcomeOf(e).(providers.Unknown); !ok || out.Cause == "" || !utf8.ValidString(out.Cause) {
				t.Errorf("%#v", c.outcomeOf(e))
			}
			return
		}
		a := answer{object: o, raw: body, res: res}
		for _, out := range []providers.Outcome{c.acceptPayout(a, pay, map[string]string{"currency": "USD"}), c.acceptConversion(a, convert)} {
			switch out := out.(type) {
			case providers.Accepted:
				if parseID(out.ProviderRef) == 0 || out.Status.Amount != amount {
					t.Errorf("accepted %#v", out)
				}
			case providers.Unknown:
				if out.Cause == "" || !utf8.ValidString(out.Cause) {
					t.Errorf("unknown %#v", out)
				}
			default:
				t.Errorf("outcome %#v", out)
			}
		}
		if fd := c.readOrder(a, models.Payout, q, 0); fd.Says == "" || fd.Result == providers.Found && fd.Status.ProviderRef == "" {
			t.Errorf("finding %#v", fd)
		}
		for _, line := range rows(a.object["resultList"]) {
			_, _ = c.readBalance(line)
			_ = c.accountEntry(line)
		}
		_ = pagesOf(a)
	})
}

// Any bytes may arrive as a webhook: nothing panics, and nothing unsigned is trusted.
func FuzzWebhooks(f *testing.F) {
	for _, b := range answers(f) {
		f.Add(b, "1735891200000", "abc")
	}
	f.Add([]byte(`{"eventId":"1","data":"{\"type\":\"WITHDRAW\"}"}`), "x", "")
	f.Fuzz(func(t *testing.T, body []byte, stamp, signature string) {
		d := providers.Delivery{Topic: "events", Method: http.MethodPost, Path: "/h", Body: body, Header: http.Header{"D-Timestamp": {stamp}, "D-Signature": {signature}}}
		if a := (receiver{}).VerifyWebhook(keys(nil), d); a.Trust == providers.Verified || a.Sentence == "" {
			t.Errorf("%+v", a)
		}
		n, err := receiver{}.TranslateWebhook(d)
		if err == nil && (n.Reference == "" && n.ProviderRef == "" || !utf8.ValidString(n.Word+n.Event) || len(n.Word) > 400) {
			t.Errorf("%+v", n)
		}
	})
}

// What a provider writes into an error reaches people as one plain, short sentence.
func TestHostileErrorTextsBecomePlainSentences(t *testing.T) {
	body := []byte("{\"header\":{\"success\":false,\"code\":\"X\\u202e\\u0000\",\"message\":\"<script>\\n\\r\\u001b[31m" + string(bytes.Repeat([]byte("A"), 5000)) + "\"}}")
	c := puppet(t, http.StatusOK, &body)
	out, ok := c.SendPayout(t.Context(), fiatPayout(t, "CH1", "500")).(providers.Unknown)
	if !ok || len(out.Cause) > 600 || bytes.ContainsAny([]byte(out.Cause), "\x00\n\r\x1b") || bytes.Contains([]byte(out.Cause), []byte("\u202e")) {
		t.Errorf("%q", out.Cause)
	}
}

func TestAnswersThatLieAboutOneMemberAreUnknown(t *testing.T) {
	whole := `{"header":{"success":true},"result":{"id":250103160000001,"currency":"USD","amount":"1000.00","type":"WITHDRAW","status":"TO_BE_PROCESSED","transactionFee":"0.00","remitInfoId":9007199254740993}}`
	var body []byte
	c := puppet(t, http.StatusOK, &body)
	send := func(answer string) providers.Outcome {
		body = []byte(answer)
		return c.SendPayout(t.Context(), fiatPayout(t, "CH1", "1000"))
	}
	if _, ok := send(whole).(providers.Accepted); !ok {
		t.Fatal("the documented answer is not accepted")
	}
	for _, lie := range [][2]string{{`"USD"`, `"EUR"`}, {`"1000.00"`, `"1000.01"`}, {`"1000.00"`, `1000.00`}, {`"WITHDRAW"`, `"DEPOSIT"`}, {`9007199254740993}`, `9007199254740992}`},
		{`"id":250103160000001,`, ``}, {`250103160000001`, `2.5e14`}, {`250103160000001`, `9223372036854775808`}, {`250103160000001`, `-1`}, {`"amount":"1000.00",`, ``},
		{`true`, `"true"`}, {`true`, `1`}, {`{"success":true}`, `null`}, {`"status":"TO_BE_PROCESSED",`, ``}, {`"id"`, `"ID":5,"id"`}, {`}}`, `}} {}`}} {
		answer := string(bytes.Replace([]byte(whole), []byte(lie[0]), []byte(lie[1]), 1))
		if out, ok := send(answer).(providers.Unknown); !ok {
			t.Errorf("%s for %s: %#v", lie[1], lie[0], out)
		}
	}
	for _, status := range []int{201, 302, 400, 403, 404, 409, 429, 500, 502, 503} {
		body := []byte(whole)
		other := puppet(t, status, &body)
		out := other.SendPayout(t.Context(), fiatPayout(t, "CH1", "1000"))
		if _, ok := out.(providers.Unknown); ok == (status == 201) {
			t.Errorf("HTTP %d with the documented body: %#v", status, out)
		}
	}
}
