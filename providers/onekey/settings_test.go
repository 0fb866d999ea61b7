package onekey_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/onekey"
	"countinghouse/providers/providertest"
)

// Rows of section 9 that depend on the merchant, not on the request.
func TestTheSandboxPlaysOtherMerchants(t *testing.T) {
	for name, row := range map[string]struct {
		settings map[string]string
		wire     []wire // the last one is judged
		code     int
	}{
		"not enabled for cashouts":   {map[string]string{"merchant_enabled": "no"}, []wire{{body: cashoutJSON(), path: "/v3/cashout", family: "cashouts"}}, 519},
		"not enabled for validation": {map[string]string{"validation_enabled": "no"}, []wire{{body: `{"country":"BR"}`, path: "/v5/account/validate", family: "validation"}}, 203},
		"e-mail of somebody else": {map[string]string{"unique_contacts": "yes"}, []wire{{body: cashoutJSON("email", `"a@example.com"`), path: "/v3/cashout", family: "cashouts"},
			{body: cashoutJSON("email", `"a@example.com"`, "document_id", `"11144477735"`), path: "/v3/cashout", family: "cashouts"}}, 541},
		"phone of somebody else": {map[string]string{"unique_contacts": "yes"}, []wire{{body: cashoutJSON("phone", `"+5511666666666"`), path: "/v3/cashout", family: "cashouts"},
			{body: cashoutJSON("phone", `"+5511666666666"`, "document_id", `"11144477735"`), path: "/v3/cashout", family: "cashouts"}}, 542},
		"a refusal burns the reference": {map[string]string{"refusal_burns_reference": "yes"}, []wire{{body: cashoutJSON("external_id", `"burned"`, "amount", "99999999999"), path: "/v3/cashout", family: "cashouts"},
			{body: cashoutJSON("external_id", `"burned"`), path: "/v3/cashout", family: "cashouts"}}, 511},
		"an idempotency key means nothing to cashouts": {nil, []wire{{body: cashoutJSON("external_id", `"twice"`), path: "/v3/cashout", family: "cashouts", header: map[string]string{"X-Idempotency-Key": "k"}},
			{body: cashoutJSON("external_id", `"twice"`), path: "/v3/cashout", family: "cashouts", header: map[string]string{"X-Idempotency-Key": "k"}}}, 511},
	} {
		h := open(t, row.settings)
		var code int
		var answer string
		for _, w := range row.wire {
			w.method = http.MethodPost
			_, code, answer = w.send(t, h)
		}
		if code != row.code {
			t.Errorf("%s: %s, want %d", name, answer, row.code)
		}
	}
}

// OKP-ERR-2: a provider that answers every error with HTTP 200 is read just as well.
func TestTheCodeInTheBodyCountsAtAnyStatus(t *testing.T) {
	h := open(t, map[string]string{"http_status_map": "all_200"})
	r := payout(providertest.Reference())
	r.Amount = brl(999_999_999_999_99)
	refusedWith(t, client(t, h).SendPayout(t.Context(), r), "514")
	if f := client(t, h).FindPayout(t.Context(), asked(r, "")); f.Result != providers.NotFound {
		t.Errorf("%+v", f)
	}
}

// OKP-RATE-1: a read that is told to wait says so.
func TestARateLimitIsExplained(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	c := providertest.Build(t, onekey.Provider(), providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": server.URL}, Secrets: subject().Secrets, Clock: time.Now})
	_, err := c.(providers.LookUps).LookUp(t.Context(), "states", nil) //nolint:forcetypeassert // the suite holds that it is
	if models.CodeOf(err) != models.Unavailable || !strings.Contains(err.Error(), "wait 17 seconds") {
		t.Errorf("%v", err)
	}
}

// A stand-in's credential never reaches out of this machine, whatever addresses are left empty.
func TestALoopbackCredentialFindsEverythingOnThisMachine(t *testing.T) {
	h := open(t, nil)
	cfg := h.Config
	cfg.Values = map[string]string{"base_url": h.URL}
	c, okay := providertest.Build(t, onekey.Provider(), cfg).(*onekey.Client)
	if !okay {
		t.Fatal("no client")
	}
	got, says := verdicts(t, c)
	for _, v := range got {
		if v != providers.CheckOK {
			t.Errorf("%v\n%s", got, says)
		}
	}
	for _, x := range h.Book.All() {
		if !strings.HasPrefix(x.URL, h.URL) {
			t.Errorf("%s", x.URL)
		}
	}
}

func TestEverySettingOfTheDescriptionIsRead(t *testing.T) {
	for _, s := range onekey.Provider().Description.Settings {
		cfg := providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: subject().Secrets, Clock: time.Now, Settings: map[string]string{s.Name: "\x00 not offered"}}
		if _, err := onekey.New(cfg); models.CodeOf(err) != models.Invalid {
			t.Errorf("%s takes anything: %v", s.Name, err)
		}
		for _, o := range s.Options {
			cfg.Settings[s.Name] = o.Value
			if _, err := onekey.New(cfg); err != nil {
				t.Errorf("%s=%s: %v", s.Name, o.Value, err)
			}
		}
	}
}
