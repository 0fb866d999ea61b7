package onekey_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/onekey"
	"countinghouse/providers/providertest"
)

func keysWith(settings map[string]string) providers.Keys {
	return providers.Keys{Secrets: []map[string]string{subject().Secrets}, Settings: settings}
}

func trust(t testing.TB, settings map[string]string, d providers.Delivery) providers.Trust {
	t.Helper()
	return onekey.Provider().Webhooks.VerifyWebhook(keysWith(settings), d).Trust
}

func form(pairs ...string) []byte {
	v := url.Values{"date": {"2026-01-15 12:00:00"}, "bank_reference_id": {""}, "comments": {""}, "external_id": {"ext0001"}, "cashout_id": {"8405147"}, "status_reason": {""},
		"control": {strings.ToUpper(hmacHex("canary-cashout-signature", "Be4ext0001Bo7"))}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return []byte(v.Encode())
}

func cashoutDelivery(body []byte) providers.Delivery {
	return providers.Delivery{Topic: "cashout", Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: body, ReceivedAt: 7}
}

func TestACashoutCallbackIsTrustedOnlyAsFarAsItsControlReaches(t *testing.T) {
	lower := hmacHex("canary-cashout-signature", "Be4ext0001Bo7")
	for name, row := range map[string]struct {
		body []byte
		set  map[string]string
		want providers.Trust
	}{
		"right":                               {form(), nil, providers.Partly},
		"right, another cashout's number":     {form("cashout_id", "1"), nil, providers.Partly},
		"right, another date (a replay)":      {form("date", "2026-02-01 00:00:00"), nil, providers.Partly},
		"wrong control":                       {form("control", strings.Repeat("A", 64)), nil, providers.Forged},
		"lower-case control":                  {form("control", lower), nil, providers.Forged},
		"lower-case control, any case chosen": {form("control", lower), map[string]string{"control_case": "any"}, providers.Partly},
		"no control":                          {form("control", ""), nil, providers.Forged},
		"another reference":                   {form("external_id", "ext0002"), nil, providers.Forged},
		"no reference":                        {form("external_id", ""), nil, providers.Forged},
		"the control twice":                   {append(form(), []byte("&control=x")...), nil, providers.Forged},
		"half an escape":                      {append(form(), []byte("&x=%4")...), nil, providers.Forged},
		"payload signature wanted, not there": {form(), map[string]string{"control_formula": "payload_signature"}, providers.Forged},
		"10 MB of form":                       {append(form(), []byte("&x="+strings.Repeat("a", 10<<20))...), nil, providers.Forged},
	} {
		if got := trust(t, row.set, cashoutDelivery(row.body)); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
	signed := cashoutDelivery(form())
	signed.Header.Set("Payload-Signature", hmacHex("canary-cashout-signature", string(signed.Body)))
	if got := trust(t, map[string]string{"control_formula": "payload_signature"}, signed); got != providers.Verified {
		t.Errorf("the other formula: %s", got)
	}
}

func TestACallbackSaysWhatToAskAboutAndNothingMore(t *testing.T) {
	hooks := onekey.Provider().Webhooks
	n, err := hooks.TranslateWebhook(cashoutDelivery(form()))
	if diff := cmp.Diff(providers.Notice{Kind: models.Payout, Reference: "ext0001", ProviderRef: "8405147", Event: "cashout"}, n); diff != "" || err != nil {
		t.Error(err, diff)
	}
	undated, _ := hooks.TranslateWebhook(cashoutDelivery(form("date", "")))
	if undated.Dedupe != "cashout:ext0001:7" {
		t.Errorf("without a date two events may be equal byte for byte, so each is its own: %+v", undated)
	}
	if _, err := hooks.TranslateWebhook(cashoutDelivery(form("external_id", strings.Repeat("x", 101)))); models.CodeOf(err) != models.Invalid {
		t.Errorf("a reference that cannot be ours: %v", err)
	}
	for topic, body := range map[string]string{"deposit": `{"deposit_id":3000000001}`, "refund": `{"refund_id":"168284"}`} {
		d := providers.Delivery{Topic: topic, Header: http.Header{}, Body: []byte(body), ReceivedAt: 9}
		n, err := hooks.TranslateWebhook(d)
		if err != nil || n.Kind != models.Kind(topic) || n.ProviderRef == "" {
			t.Errorf("%s: %+v %v", topic, n, err)
		}
		again := d
		again.ReceivedAt = 10
		if m, _ := hooks.TranslateWebhook(again); m.Dedupe == n.Dedupe {
			t.Errorf("%s: the body is the same for every event, so an unsigned one must never count as a repeat", topic)
		}
		d.Header.Set("X-Date", "2026-01-15T12:00:00Z")
		again.Header = d.Header
		one, _ := hooks.TranslateWebhook(d)
		if two, _ := hooks.TranslateWebhook(again); one.Dedupe != two.Dedupe {
			t.Errorf("%s: a repeat of a signed event is a repeat: %q, %q", topic, one.Dedupe, two.Dedupe)
		}
	}
	for _, body := range []string{``, `{}`, `{"deposit_id":0}`, `{"deposit_id":"../../x"}`, `{"deposit_id":1}{"deposit_id":2}`, `[]`, `{"deposit_id":1e9}`} {
		if n, err := hooks.TranslateWebhook(providers.Delivery{Topic: "deposit", Body: []byte(body)}); models.CodeOf(err) != models.Invalid {
			t.Errorf("%q: %+v %v", body, n, err)
		}
	}
	if r := hooks.WebhookReply("refund"); r.Status != 200 || len(r.Body) != 0 {
		t.Errorf("a refund callback wants exactly 200: %+v", r)
	}
}

func TestDepositAndRefundCallbacksAreVerifiedWhenTheyCarryASignature(t *testing.T) {
	body, date := `{"deposit_id":3000000001}`, "2026-01-15T12:00:00Z"
	right := "D24 " + hmacHex("canary-deposit-signature", date+"canary-deposit-key"+body)
	for name, row := range map[string]struct {
		header map[string]string
		set    map[string]string
		want   providers.Trust
	}{
		"none":                         {nil, nil, providers.Hint},
		"none, required":               {nil, map[string]string{"deposit_webhook_auth": "required", "refund_webhook_auth": "required"}, providers.Forged},
		"right":                        {map[string]string{"X-Date": date, "X-Login": "canary-deposit-key", "Authorization": right}, nil, providers.Verified},
		"right, the other scheme word": {map[string]string{"X-Date": date, "X-Login": "canary-deposit-key", "Authorization": "OKP " + right[4:]}, nil, providers.Verified},
		"another word":                 {map[string]string{"X-Date": date, "X-Login": "canary-deposit-key", "Authorization": "Bearer " + right[4:]}, nil, providers.Forged},
		"upper case":                   {map[string]string{"X-Date": date, "X-Login": "canary-deposit-key", "Authorization": strings.ToUpper(right)}, nil, providers.Forged},
		"another date":                 {map[string]string{"X-Date": "2026-01-16T12:00:00Z", "X-Login": "canary-deposit-key", "Authorization": right}, nil, providers.Forged},
		"another key":                  {map[string]string{"X-Date": date, "X-Login": "somebody", "Authorization": right}, nil, providers.Forged},
		"half of it":                   {map[string]string{"X-Date": date}, nil, providers.Forged},
	} {
		for _, topic := range []string{"deposit", "refund"} {
			d := providers.Delivery{Topic: topic, Header: http.Header{}, Body: []byte(body)}
			for k, v := range row.header {
				d.Header.Set(k, v)
			}
			if got := trust(t, row.set, d); got != row.want {
				t.Errorf("%s, %s: %s, want %s", topic, name, got, row.want)
			}
		}
	}
}

func TestAPixCallbackIsBoundByItsToken(t *testing.T) {
	ok := `{"key_type":"DOCUMENT","pix_key":"52998224725","bank_account":1234567,"bank_branch":0199,"bank_code":33,"ispb_code":90400888,"account_type":"SAVINGS","is_licensed":true}`
	hooks := onekey.Provider().Webhooks
	for name, row := range map[string]struct {
		query, body string
		trust       providers.Trust
		verdict     providers.Verdict
	}{
		"theirs, with its impossible branch": {"token=abcdefghijklmnop", ok, providers.Hint, providers.RecipientOK},
		"unlicensed":                         {"token=abcdefghijklmnop", strings.Replace(ok, "true", "false", 1), providers.Hint, providers.RecipientBad},
		"an error":                           {"token=abcdefghijklmnop", `{"document":"1","pix_key":"2","message":"does not belong","status":"ERROR"}`, providers.Hint, providers.RecipientBad},
		"unreadable":                         {"token=abcdefghijklmnop", `<html>`, providers.Hint, providers.RecipientUnclear},
		"empty":                              {"token=abcdefghijklmnop", `{}`, providers.Hint, providers.RecipientUnclear},
		"no token":                           {"", ok, providers.Forged, ""},
		"a token of another shape":           {"token=../../../../etc/x", ok, providers.Forged, ""},
	} {
		d := providers.Delivery{Topic: "pix", Query: row.query, Header: http.Header{}, Body: []byte(row.body)}
		if got := trust(t, nil, d); got != row.trust {
			t.Errorf("%s: %s, want %s", name, got, row.trust)
		}
		n, err := hooks.TranslateWebhook(d)
		if (err == nil) != (row.verdict != "") || (err == nil && (n.Verification.Verdict != row.verdict || n.Token != "abcdefghijklmnop" || n.Verification.Sentence == "")) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
	d := providers.Delivery{Topic: "pix", Query: "token=abcdefghijklmnop", Header: http.Header{}, Body: []byte(ok)}
	if got := trust(t, map[string]string{"pix_callback_auth": "token_and_signature"}, d); got != providers.Forged {
		t.Errorf("OKP-WH-5 with a signature wanted: %s", got)
	}
}

// Contract 4.4: the sandbox sends each of these, and the receiver tells them apart.
func TestTheSandboxSendsWhatTheConsoleMustSurvive(t *testing.T) {
	for mode, row := range map[string]struct {
		deliveries int
		want       []providers.Trust
	}{
		"normal":       {1, []providers.Trust{providers.Partly}},
		"twice":        {2, []providers.Trust{providers.Partly, providers.Partly}},
		"forged":       {4, []providers.Trust{providers.Forged, providers.Forged, providers.Partly, providers.Partly}},
		"reordered":    {2, []providers.Trust{providers.Partly, providers.Partly}},
		"before_reply": {1, []providers.Trust{providers.Partly}},
	} {
		t.Run(mode, func(t *testing.T) {
			h, in := open(t, nil), openInbox(t)
			h.Control(t, "webhooks", url.Values{"mode": {mode}})
			r := payout(providertest.Reference())
			r.NotifyURL = in.URL + "/cashout"
			a := accepted(t, client(t, h).SendPayout(t.Context(), r))
			switch mode {
			case "before_reply":
				if got := len(in.wait(t, 1)); got != 1 {
					t.Fatalf("%d callbacks before the answer", got)
				}
				return
			case "reordered":
				settle(t, h, r.Reference, "succeeded")
				settle(t, h, r.Reference, "returned")
			default:
				settle(t, h, r.Reference, "succeeded")
			}
			var got []providers.Trust
			var reasons []string
			for _, d := range in.wait(t, row.deliveries) {
				got = append(got, trust(t, nil, d))
				v, _ := url.ParseQuery(string(d.Body))
				reasons = append(reasons, v.Get("status_reason"))
				if n, err := onekey.Provider().Webhooks.TranslateWebhook(d); err == nil && mode == "normal" && n.ProviderRef != a.ProviderRef {
					t.Errorf("%+v", n)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if mode == "reordered" && !slices.Equal(reasons, []string{"WITHDRAWAL_REVERSED", ""}) {
				t.Errorf("the return must come before the completion: %q", reasons)
			}
		})
	}
}

func TestACallbackThatIsNotTakenComesAgain(t *testing.T) {
	h, in := open(t, map[string]string{"webhook_retry_ms": "5"}), openInbox(t)
	refusals := 2
	inner := in.Config.Handler
	in.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusals > 0 {
			refusals--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		inner.ServeHTTP(w, r)
	})
	r := payout(providertest.Reference())
	r.NotifyURL = in.URL + "/cashout"
	accepted(t, client(t, h).SendPayout(t.Context(), r))
	settle(t, h, r.Reference, "succeeded")
	if got := in.wait(t, 1); len(got) != 1 || refusals != 0 {
		t.Errorf("%d deliveries, %d refusals left", len(got), refusals)
	}
}

func TestByItselfAPayoutGoesToTheBankAndArrives(t *testing.T) {
	h, in := open(t, map[string]string{"autosettle": "succeeded", "autosettle_ms": "20"}), openInbox(t)
	h.Control(t, "autosettle", url.Values{"outcome": {"succeeded"}, "after_ms": {"20"}})
	r := payout(providertest.Reference())
	r.NotifyURL = in.URL + "/cashout"
	accepted(t, client(t, h).SendPayout(t.Context(), r))
	in.wait(t, 2)
	if f := client(t, h).FindPayout(t.Context(), asked(r, "")); f.Status.State != models.Succeeded {
		t.Errorf("%+v", f)
	}
}

func FuzzWebhooks(f *testing.F) {
	f.Add("cashout", "", string(form()))
	f.Add("deposit", "", `{"deposit_id":3000000001}`)
	f.Add("refund", "", `{"refund_id":168284}`)
	f.Add("pix", "token=abcdefghijklmnop", `{"status":"ERROR","message":"x","bank_branch":0199}`)
	hooks, keys := onekey.Provider().Webhooks, keysWith(nil)
	honest := string(form())
	f.Fuzz(func(t *testing.T, topic, query, body string) {
		d := providers.Delivery{Topic: topic, Query: query, Body: []byte(body), Header: http.Header{}, ReceivedAt: models.At(time.Unix(1, 0))}
		a := hooks.VerifyWebhook(keys, d)
		if a.Trust == providers.Verified || (a.Trust == providers.Partly && body != honest && !strings.Contains(body, "ext0001")) {
			t.Errorf("%s: %q is %s", topic, body, a.Trust)
		}
		if n, err := hooks.TranslateWebhook(d); err == nil && n.Kind == models.Payout && n.Reference == "" {
			t.Errorf("%q: %+v", body, n)
		}
	})
}
