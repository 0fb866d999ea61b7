package wakapay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

const (
	vectorKey    = "pk_test_fixture_1"
	vectorSecret = "sk_test_fixture_1"
	vectorMark   = "99711bc6383c02c0094fdf5c9a3bb2e93becc7bc7e4daf424bd674666aec2147"
)

func slot(key, secret string) map[string]string {
	return map[string]string{"api_key": key, "api_secret": secret}
}

func delivery(body string) providers.Delivery {
	return providers.Delivery{Topic: "transaction", Method: "POST", Header: http.Header{}, Body: []byte(body), ReceivedAt: models.At(time.Now())}
}

func hook(signature string) string {
	return `{"businessId":"b1","businessReference":"CH01","wakapayReference":"W1","status":"termination_success","signature":"` + signature + `"}`
}

func TestThePublishedVector(t *testing.T) {
	if got := constantSignature(vectorKey, vectorSecret); got != vectorMark {
		t.Errorf("the constant signature is %s", got)
	}
}

func TestAWebhookIsAHintOrForged(t *testing.T) {
	other := slot("pk_test_other", "sk_test_other")
	ours := slot(vectorKey, vectorSecret)
	for name, c := range map[string]struct {
		body  string
		slots []map[string]string
		want  providers.Trust
	}{
		"right":                         {hook(vectorMark), []map[string]string{ours}, providers.Partly},
		"upper case":                    {hook(strings.ToUpper(vectorMark)), []map[string]string{ours}, providers.Partly},
		"replayed with another status":  {strings.Replace(hook(vectorMark), "success", "failure", 1), []map[string]string{ours}, providers.Partly},
		"old pair during the overlap":   {hook(vectorMark), []map[string]string{other, ours}, providers.Partly},
		"new pair during the overlap":   {hook(vectorMark), []map[string]string{ours, other}, providers.Partly},
		"after the overlap":             {hook(vectorMark), []map[string]string{other}, providers.Forged},
		"half a pair":                   {hook(vectorMark), []map[string]string{{"api_key": vectorKey}}, providers.Forged},
		"no pair":                       {hook(vectorMark), nil, providers.Forged},
		"the hash of nothing":           {hook(constantSignature("", "")), []map[string]string{{}, slot("", "")}, providers.Forged},
		"one digit off":                 {hook("0" + vectorMark[1:]), []map[string]string{ours}, providers.Forged},
		"cut short":                     {hook(vectorMark[:63]), []map[string]string{ours}, providers.Forged},
		"with a space":                  {hook(" " + vectorMark), []map[string]string{ours}, providers.Forged},
		"no signature":                  {hook(""), []map[string]string{ours}, providers.Forged},
		"as a list":                     {strings.Replace(hook(vectorMark), `"`+vectorMark+`"`, `["`+vectorMark+`"]`, 1), []map[string]string{ours}, providers.Forged},
		"deeper down":                   {`{"data":` + hook(vectorMark) + `}`, []map[string]string{ours}, providers.Forged},
		"twice":                         {strings.Replace(hook(vectorMark), `{`, `{"signature":"x",`, 1), []map[string]string{ours}, providers.Forged},
		"with the reference in formula": {hook(sum(vectorKey + ":" + vectorSecret + ":W1")), []map[string]string{ours}, providers.Forged},
		"a list":                        {`[` + hook(vectorMark) + `]`, []map[string]string{ours}, providers.Forged},
		"cut JSON":                      {hook(vectorMark)[:100], []map[string]string{ours}, providers.Forged},
		"ten megabytes":                 {hook(vectorMark) + strings.Repeat(" ", 10<<20), []map[string]string{ours}, providers.Forged},
	} {
		a := webhooks{}.VerifyWebhook(providers.Keys{Secrets: c.slots}, delivery(c.body))
		if a.Trust != c.want || a.Sentence == "" || strings.Contains(a.Sentence, vectorMark) {
			t.Errorf("%s: %s (%s)", name, a.Trust, a.Sentence)
		}
	}
	for id, want := range map[string]providers.Trust{"": providers.Partly, "b1": providers.Partly, "B1": providers.Partly, "b2": providers.Forged} {
		a := webhooks{}.VerifyWebhook(providers.Keys{Values: map[string]string{"business_id": id}, Secrets: []map[string]string{ours}}, delivery(hook(vectorMark)))
		if a.Trust != want {
			t.Errorf("business %q: %s", id, a.Trust)
		}
	}
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func TestLegacySignaturesServeTheStandInOnly(t *testing.T) {
	now := time.Now()
	body := hook("")
	sign := func(at time.Time, secret string) string {
		m := hmac.New(sha256.New, []byte(secret))
		_, _ = fmt.Fprintf(m, "%d.%s", at.Unix(), body)
		return fmt.Sprintf("t=%d,v1=%x", at.Unix(), m.Sum(nil))
	}
	on := map[string]string{"webhook_signature_mode": "legacy", "webhook_legacy_profile": "on"}
	for name, c := range map[string]struct {
		header   string
		settings map[string]string
		base     string
		want     providers.Trust
	}{
		"right":             {sign(now, vectorSecret), on, "http://127.0.0.1:1", providers.Verified},
		"four minutes old":  {sign(now.Add(-4*time.Minute), vectorSecret), on, "http://127.0.0.1:1", providers.Verified},
		"six minutes old":   {sign(now.Add(-6*time.Minute), vectorSecret), on, "http://127.0.0.1:1", providers.Forged},
		"six minutes ahead": {sign(now.Add(6*time.Minute), vectorSecret), on, "http://127.0.0.1:1", providers.Forged},
		"another secret":    {sign(now, "other"), on, "http://127.0.0.1:1", providers.Forged},
		"production":        {sign(now, vectorSecret), on, "https://api.wakapay.io", providers.Forged},
		"not switched on":   {sign(now, vectorSecret), map[string]string{"webhook_signature_mode": "legacy"}, "http://127.0.0.1:1", providers.Forged},
		"no header":         {"", on, "http://127.0.0.1:1", providers.Forged},
		"only a time":       {"t=1", on, "http://127.0.0.1:1", providers.Forged},
		"nonsense":          {"v1=zz,t=9999999999999999999999", on, "http://127.0.0.1:1", providers.Forged},
	} {
		d := delivery(body)
		if c.header != "" {
			d.Header.Set("X-Wakapay-Signature", c.header)
		}
		k := providers.Keys{Values: map[string]string{"base_url": c.base}, Settings: c.settings, Secrets: []map[string]string{slot(vectorKey, vectorSecret)}}
		if a := (webhooks{}).VerifyWebhook(k, d); a.Trust != c.want {
			t.Errorf("%s: %s (%s)", name, a.Trust, a.Sentence)
		}
		if d.Body = append(d.Body, ' '); (webhooks{}).VerifyWebhook(k, d).Trust == providers.Verified {
			t.Errorf("%s: a changed body verifies", name)
		}
	}
}

func TestAWebhookIsReadAsAReasonToAsk(t *testing.T) {
	n, err := webhooks{}.TranslateWebhook(delivery(hook(vectorMark)))
	want := providers.Notice{Kind: models.Payout, Event: "transaction.updated", Reference: "CH01", ProviderRef: "W1", Word: "termination_success", Dedupe: "CH01|W1|termination_success"}
	if d := cmp.Diff(want, n); d != "" || err != nil {
		t.Error(d, err)
	}
	d := delivery(`{"bizRef":"CH09","status":"completed"}`)
	d.Settings = map[string]string{"webhook_fields": "bizRef"}
	if n, err := (webhooks{}).TranslateWebhook(d); err != nil || n.Reference != "CH09" || n.Word != "completed" {
		t.Errorf("%+v %v", n, err)
	}
	for name, body := range map[string]string{"no status": `{"businessReference":"CH01"}`, "no reference": `{"status":"termination_success"}`, "a broken reference": `{"businessReference":"CH\n01","status":"x"}`,
		"a long reference": `{"wakapayReference":"` + strings.Repeat("W", 101) + `","status":"x"}`, "not an object": `[]`, "nothing": ``, "cut": `{"status":`} {
		if n, err := (webhooks{}).TranslateWebhook(delivery(body)); !models.Is(err, models.Invalid) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
	if r := (webhooks{}).WebhookReply("transaction"); r.Status != 200 || string(r.Body) != `{"received":true}` {
		t.Errorf("%+v", r)
	}
}

func TestTheSignatureIsGoneBeforeAnythingIsStored(t *testing.T) {
	for body, want := range map[string]string{
		hook(vectorMark): strings.Replace(hook(vectorMark), vectorMark, blank, 1),
		`{ "signature" : "short" , "a":[1, 2.50] }`:         `{ "signature" : "[redacted]" , "a":[1, 2.50] }`,
		`{"SIGNATURE":{"v":"x"},"b":"signature"}`:           `{"SIGNATURE":"[redacted]","b":"signature"}`,
		`{"a":{"signature":["x","y"]},"signature":null}`:    `{"a":{"signature":"[redacted]"},"signature":"[redacted]"}`,
		`[{"x":1},{"signature":7}]`:                         `[{"x":1},{"signature":"[redacted]"}]`,
		`{"sign\u0061ture":"\u0039` + vectorMark[1:] + `"}`: `{"sign\u0061ture":"[redacted]"}`,
		`signature=` + vectorMark + `&x=1`:                  `signature=[redacted]&x=1`,
		`{"x":"` + strings.ToUpper(vectorMark) + `00"`:      `{"x":"[redacted]"`,
		`{"businessReference":"` + vectorMark[:63] + `"}`:   `{"businessReference":"` + vectorMark[:63] + `"}`,
		`{"signature":"` + vectorMark[:40]:                  `{"signature":[redacted]`,
		``:                                                  ``,
	} {
		if got := string(webhooks{}.CleanWebhook(delivery(body)).Body); got != want {
			t.Errorf("%s\n became %s\n want %s", body, got, want)
		}
	}
	d := delivery("{}")
	d.Header = http.Header{"X-Wakapay-Signature": {"t=1,v1=" + vectorMark}, "X-Trace": {vectorMark}, "Content-Type": {"application/json"}}
	d.Query, d.Path = "s="+vectorMark, "/hooks/"+vectorMark
	c := webhooks{}.CleanWebhook(d)
	if strings.Contains(fmt.Sprint(c), vectorMark) || c.Header.Get("Content-Type") != "application/json" || d.Header.Get("X-Trace") != vectorMark {
		t.Errorf("%+v", c)
	}
}

// ear hears what the stand-in sends.
func ear(t *testing.T, status func(n int) int) (string, chan providers.Delivery) {
	t.Helper()
	heard, n := make(chan providers.Delivery, 50), 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		n++
		heard <- providers.Delivery{Topic: "transaction", Header: r.Header, Body: b, ReceivedAt: models.At(time.Now())}
		w.WriteHeader(status(n))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, heard
}

func next(t *testing.T, heard chan providers.Delivery) providers.Delivery {
	t.Helper()
	select {
	case d := <-heard:
		return d
	case <-time.After(5 * time.Second):
		t.Fatal("no webhook came")
	}
	return providers.Delivery{}
}

func TestTheStandInsWebhooksVerify(t *testing.T) {
	words := func(mode string, n int) []string {
		url, heard := ear(t, func(int) int { return 200 })
		h := open(t, demo(), map[string]string{"webhook_url": url})
		h.control("webhooks", "mode", mode)
		if mode == "before_reply" {
			h.control("autosettle", "outcome", "succeeded", "after_ms", "0")
		}
		h.client.SendPayout(t.Context(), mobile("CH01"))
		if mode != "before_reply" {
			if mode != "reordered" {
				next(t, heard) // the pending one; its repeat comes below
			}
			h.control("settle", "reference", "CH01", "status", "succeeded")
		}
		var out []string
		for range n {
			d := next(t, heard)
			a := webhooks{}.VerifyWebhook(providers.Keys{Secrets: []map[string]string{slot(canaryKey, canarySecret)}}, d)
			notice, err := webhooks{}.TranslateWebhook(d)
			if err != nil || notice.Reference != "CH01" {
				t.Errorf("%s: %+v %v", mode, notice, err)
			}
			out = append(out, string(a.Trust)+" "+notice.Word)
		}
		return out
	}
	for mode, want := range map[string][]string{
		"normal":       {"partly termination_success"},
		"before_reply": {"partly termination_success"},
	} {
		if d := cmp.Diff(want, words(mode, len(want))); d != "" {
			t.Errorf("%s: %s", mode, d)
		}
	}
	if got := fmt.Sprint(words("reordered", 2)); strings.Count(got, "termination_success") != 1 || strings.Count(got, "termination_pending") != 1 {
		t.Error(got)
	}
	if got := fmt.Sprint(words("twice", 3)); strings.Count(got, "termination_success") != 2 {
		t.Error(got)
	}
	if got := fmt.Sprint(words("forged", 3)); !strings.Contains(got, "forged") {
		t.Error(got)
	}
}

func TestAWebhookNobodyTakesIsSentAgain(t *testing.T) {
	url, heard := ear(t, func(n int) int {
		if n < 3 {
			return 500
		}
		return 200
	})
	h := open(t, demo(), map[string]string{"webhook_url_transaction": url, "webhook_retry_ms": "5"})
	h.client.SendPayout(t.Context(), mobile("CH01"))
	a, b, c := next(t, heard), next(t, heard), next(t, heard)
	if !bytes.Equal(a.Body, b.Body) || !bytes.Equal(b.Body, c.Body) {
		t.Error("a repeat differs from its first")
	}
}

func TestDuringARotationBothPairsAreAccepted(t *testing.T) {
	url, heard := ear(t, func(int) int { return 200 })
	h := open(t, demo(), map[string]string{"webhook_url": url})
	h.client.SendPayout(t.Context(), mobile("CH01"))
	before := next(t, heard)
	h.control("keys", "api_key", "pk_test_next_pair", "api_secret", "sk_test_next_pair", "keep_old", "1")
	h.control("settle", "reference", "CH01", "status", "succeeded")
	after := next(t, heard)
	both := providers.Keys{Secrets: []map[string]string{slot("pk_test_next_pair", "sk_test_next_pair"), slot(canaryKey, canarySecret)}}
	old := providers.Keys{Secrets: both.Secrets[1:]}
	for name, c := range map[string]struct {
		k    providers.Keys
		d    providers.Delivery
		want providers.Trust
	}{"in flight": {both, before, providers.Partly}, "after": {both, after, providers.Partly}, "without the overlap": {old, after, providers.Forged}} {
		if a := (webhooks{}).VerifyWebhook(c.k, c.d); a.Trust != c.want {
			t.Errorf("%s: %s", name, a.Trust)
		}
	}
}

func FuzzAWebhookIsNeverTrustedNorKeptWithItsSignature(f *testing.F) {
	f.Add([]byte(hook(vectorMark)))
	f.Add([]byte(`{"signature":{"a":["` + vectorMark + `"]},"status":"x"}`))
	f.Add([]byte(`{"signature"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := providers.Delivery{Topic: "transaction", Header: http.Header{}, Body: bytes.Clone(body)}
		a := webhooks{}.VerifyWebhook(providers.Keys{Secrets: []map[string]string{slot(vectorKey, vectorSecret)}}, d)
		if a.Trust == providers.Verified || a.Trust == providers.Hint || a.Sentence == "" {
			t.Errorf("%s %q", a.Trust, a.Sentence)
		}
		if a.Trust == providers.Partly && !bytes.Contains(bytes.ToLower(body), []byte("signature")) && !bytes.ContainsRune(body, '\\') {
			t.Error("trusted without a signature")
		}
		if clean := (webhooks{}).CleanWebhook(d); bytes.Contains(bytes.ToLower(clean.Body), []byte(vectorMark)) {
			t.Errorf("the signature is kept: %s", clean.Body)
		}
		if n, err := (webhooks{}).TranslateWebhook(d); err == nil && (n.Word == "" || n.Reference == "" && n.ProviderRef == "") {
			t.Errorf("%+v", n)
		}
		if !bytes.Equal(d.Body, body) {
			t.Error("the delivery was changed")
		}
	})
}

func FuzzAnyAnswerToAPayoutGivesOneOutcome(f *testing.F) {
	f.Add(201, created+`}`)
	f.Add(409, `{"code":0,"error":"x"}`)
	f.Add(401, ``)
	made, err := Provider().New(testConfig("http://127.0.0.1:9", demo(), nil))
	if err != nil {
		f.Fatal(err)
	}
	c := made.(*client)
	f.Fuzz(func(t *testing.T, status int, body string) {
		a := understand(response(status, body))
		o := refusal(a)
		if status == http.StatusCreated {
			o = c.created(mobile("CH01"), a)
		}
		switch x := o.(type) {
		case providers.Accepted:
			if status != 201 || x.ProviderRef == "" || !strings.Contains(body, "C") {
				t.Errorf("%d %s was accepted", status, body)
			}
		case providers.Refused:
			if status != 400 && status != 401 && status != 404 && status != 412 && status != 422 || x.Message == "" {
				t.Errorf("%d %s was refused", status, body)
			}
		case providers.Unknown:
			if x.Cause == "" {
				t.Error("an unknown without a cause")
			}
		}
	})
}
