package wspn

import (
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

// inbox is our side of webhooks: it answers as the provider description says and keeps every delivery.
func inbox(t *testing.T, answer func(n int) bool) (string, chan providers.Delivery) {
	t.Helper()
	got := make(chan providers.Delivery, 64)
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- providers.Delivery{Topic: "events", Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Body: body,
			ReceivedAt: models.At(time.Now())}
		n++
		reply := receiver{}.WebhookReply("events")
		if answer != nil && !answer(n) {
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("OK"))
			return
		}
		w.Header().Set("Content-Type", reply.ContentType)
		w.WriteHeader(reply.Status)
		_, _ = w.Write(reply.Body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/hooks/wspn/events?slot=a%20b", got
}

func next(t *testing.T, got chan providers.Delivery) providers.Delivery {
	t.Helper()
	select {
	case d := <-got:
		return d
	case <-time.After(5 * time.Second):
		t.Fatal("no webhook came")
		return providers.Delivery{}
	}
}

func keys(settings map[string]string) providers.Keys {
	return providers.Keys{Secrets: []map[string]string{{"api_key": "next", "api_secret": "another-slot"}, {"api_key": testKey, "api_secret": testSecret}}, Settings: settings}
}

func TestAWebhookIsVerifiedReadAndAnswered(t *testing.T) {
	address, got := inbox(t, nil)
	s := play(t, map[string]string{"theirs.webhook_url": address})
	out := s.client.SendPayout(t.Context(), fiatPayout(t, "CHHOOK", "150")).(providers.Accepted)
	s.do("settle", "reference", "CHHOOK", "status", "succeeded")
	d := next(t, got)
	if a := (receiver{}).VerifyWebhook(keys(nil), d); a.Trust != providers.Verified {
		t.Errorf("%+v", a)
	}
	n, err := receiver{}.TranslateWebhook(d)
	want := providers.Notice{Kind: models.Payout, Reference: "CHHOOK", ProviderRef: out.ProviderRef, Word: "COMPLETED", Event: "TEST_FIAT_WITHDRAW",
		Dedupe: "TEST_FIAT_WITHDRAW|" + out.ProviderRef + "|COMPLETED"}
	if d := cmp.Diff(want, n); d != "" || err != nil {
		t.Error(d, err)
	}
	if r := (receiver{}).WebhookReply("events"); r.Status != 200 || string(r.Body) != "SUCCESS" || r.ContentType != "text/plain" {
		t.Errorf("reply %+v", r)
	}
}

func TestForgedUnsignedAndOldWebhooks(t *testing.T) {
	address, got := inbox(t, nil)
	s := play(t, map[string]string{"theirs.webhook_url": address})
	s.client.SendPayout(t.Context(), fiatPayout(t, "CHFORGE", "150"))
	s.do("webhooks", "mode", "forged")
	s.do("settle", "reference", "CHFORGE", "status", "failed")
	forged, right := next(t, got), next(t, got)
	trust := func(settings map[string]string, change func(*providers.Delivery)) providers.Trust {
		d := right
		d.Header = right.Header.Clone()
		if change != nil {
			change(&d)
		}
		return receiver{}.VerifyWebhook(keys(settings), d).Trust
	}
	if a := (receiver{}).VerifyWebhook(keys(nil), forged); a.Trust != providers.Forged {
		t.Errorf("a forged one: %+v", a)
	}
	required := map[string]string{"webhook_signature_profile": "as-requests-required"}
	unsigned := func(d *providers.Delivery) { d.Header.Del("D-SIGNATURE") }
	aged := func(d *providers.Delivery) { d.ReceivedAt = d.ReceivedAt.Add(16 * time.Minute) }
	for name, c := range map[string]struct {
		got, want providers.Trust
	}{
		"untouched":               {trust(nil, nil), providers.Verified},
		"header names lower case": {trust(nil, lowerNames), providers.Verified},
		"signature upper case":    {trust(nil, func(d *providers.Delivery) { upper(d) }), providers.Forged},
		"one byte more":           {trust(nil, func(d *providers.Delivery) { d.Body = append([]byte(" "), d.Body...) }), providers.Forged},
		"another path":            {trust(nil, func(d *providers.Delivery) { d.Path = "/elsewhere" }), providers.Forged},
		"another query":           {trust(nil, func(d *providers.Delivery) { d.Query = "" }), providers.Forged},
		"another timestamp":       {trust(nil, func(d *providers.Delivery) { d.Header.Set("D-TIMESTAMP", "1735891200000") }), providers.Forged},
		"no timestamp":            {trust(nil, func(d *providers.Delivery) { d.Header.Del("D-TIMESTAMP") }), providers.Forged},
		"unsigned":                {trust(nil, unsigned), providers.Hint},
		"unsigned, required":      {trust(required, unsigned), providers.Forged},
		"signatures off":          {trust(map[string]string{"webhook_signature_profile": "off"}, nil), providers.Hint},
		"replayed after 16 min":   {trust(nil, aged), providers.Verified},
		"replayed, limit 2 min":   {trust(map[string]string{"webhook_max_age": "120"}, aged), providers.Forged},
		"fresh, limit 2 min":      {trust(map[string]string{"webhook_max_age": "120"}, nil), providers.Verified},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
	k := keys(nil)
	k.Secrets = []map[string]string{{"api_secret": ""}, {"api_secret": "another"}}
	if a := (receiver{}).VerifyWebhook(k, right); a.Trust != providers.Forged {
		t.Errorf("without our secret: %+v", a)
	}
}

func lowerNames(d *providers.Delivery) {
	h := http.Header{}
	for k, v := range d.Header {
		h[strings.ToLower(k)] = v
	}
	d.Header = h
}

func upper(d *providers.Delivery) {
	d.Header.Set("D-SIGNATURE", strings.ToUpper(d.Header.Get("D-SIGNATURE")))
}

func TestWebhooksAreRepeatedUntilTheyHearSuccess(t *testing.T) {
	address, got := inbox(t, func(n int) bool { return n >= 4 })
	s := play(t, map[string]string{"theirs.webhook_url": address})
	s.client.SendPayout(t.Context(), fiatPayout(t, "CHRETRY", "150"))
	s.do("settle", "reference", "CHRETRY", "status", "succeeded")
	seen := map[string]bool{}
	for range 4 {
		d := next(t, got)
		if a := (receiver{}).VerifyWebhook(keys(nil), d); a.Trust != providers.Verified {
			t.Errorf("%+v", a)
		}
		n, err := receiver{}.TranslateWebhook(d)
		if err != nil {
			t.Fatal(err)
		}
		seen[n.Dedupe] = true
	}
	if len(seen) != 1 {
		t.Errorf("four deliveries of one event look like %d events", len(seen))
	}
}

func TestWebhooksComeTwiceReorderedAndBeforeTheReply(t *testing.T) {
	address, got := inbox(t, nil)
	s := play(t, map[string]string{"theirs.webhook_url": address})
	words := func(n int) (out []string) {
		for range n {
			notice, err := receiver{}.TranslateWebhook(next(t, got))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, notice.Reference+" "+notice.Word)
		}
		return out
	}
	for _, ref := range []string{"CHA", "CHB"} {
		s.client.SendPayout(t.Context(), fiatPayout(t, ref, "150"))
	}
	s.do("webhooks", "mode", "twice")
	s.do("settle", "reference", "CHA", "status", "succeeded")
	if d := cmp.Diff([]string{"CHA COMPLETED", "CHA COMPLETED"}, words(2)); d != "" {
		t.Error(d)
	}
	s.do("webhooks", "mode", "reordered")
	s.do("settle", "reference", "CHB", "status", "succeeded")
	if d := cmp.Diff([]string{"CHB COMPLETED", "CHB PROCESSING"}, words(2)); d != "" {
		t.Error(d)
	}
	s.do("webhooks", "mode", "before_reply")
	s.client.SendPayout(t.Context(), fiatPayout(t, "CHC", "150"))
	if len(got) != 1 {
		t.Errorf("%d webhooks had come before the reply", len(got))
	}
	if d := cmp.Diff([]string{"CHC TO_BE_PROCESSED"}, words(1)); d != "" {
		t.Error(d)
	}
}

func TestWebhookBodiesThatCannotBeRead(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "array": "[]", "two values": `{"eventId":"1"}{}`, "nothing to ask": `{"type":"X"}`, "key twice": `{"eventId":"1","eventid":"2"}`,
		"deep": strings.Repeat("[", 100000), "reference with markup": `{"eventId":"<script>","requestId":"a b"}`,
	} {
		if n, err := (receiver{}).TranslateWebhook(providers.Delivery{Body: []byte(body)}); err == nil {
			t.Errorf("%s: %+v", name, n)
		}
	}
	for name, body := range map[string]string{
		"data as an object":       `{"eventId":4611686018427387905,"requestId":"CH1","data":{"sellCurrency":"USD"}}`,
		"data as text":            `{"eventId":"4611686018427387905","requestId":"CH1","data":"{\"sellCurrency\":\"USD\"}"}`,
		"data as unreadable text": `{"eventId":"4611686018427387905","requestId":"CH1","data":"{"}`,
	} {
		n, err := (receiver{}).TranslateWebhook(providers.Delivery{Body: []byte(body)})
		if err != nil || n.ProviderRef != "4611686018427387905" || n.Reference != "CH1" || (n.Kind == models.Conversion) == strings.Contains(name, "unreadable") {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
}
