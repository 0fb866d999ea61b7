package onekey_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
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

func verdicts(t testing.TB, c any) (out []providers.CheckVerdict, says string) {
	t.Helper()
	checker, ok := c.(providers.Checker)
	if !ok {
		t.Fatal("no checker")
	}
	for _, r := range checker.Check(t.Context()) {
		out = append(out, r.Verdict)
		says += r.Title + ": " + r.Sentence + "\n"
	}
	return out, says
}

const (
	ok  = providers.CheckOK
	bad = providers.KeysRejected
)

func TestACredentialTestSaysPreciselyWhatIsWrong(t *testing.T) {
	for name, row := range map[string]struct {
		sandbox, settings, secrets map[string]string
		skew                       string
		want                       []providers.CheckVerdict // cashouts, deposits, read-only, reconciliation
		says                       string
	}{
		"all is well":               {nil, nil, nil, "", []providers.CheckVerdict{ok, ok, ok, ok}, "scheme word D24 are accepted"},
		"cashouts key":              {nil, nil, map[string]string{"cashout_api_key": "x"}, "", []providers.CheckVerdict{bad, ok, ok, ok}, "401"},
		"cashouts signature":        {nil, nil, map[string]string{"cashout_api_signature": "x"}, "", []providers.CheckVerdict{providers.SignatureRefused, ok, ok, ok}, "check the API signature of the cashouts keys"},
		"deposit key":               {nil, nil, map[string]string{"deposit_api_key": "x"}, "", []providers.CheckVerdict{ok, bad, ok, ok}, "100"},
		"deposit signature":         {nil, nil, map[string]string{"deposit_api_signature": "x"}, "", []providers.CheckVerdict{ok, providers.SignatureRefused, ok, ok}, "the other scheme word"},
		"the other scheme word":     {nil, map[string]string{"auth_scheme": "OKP"}, nil, "", []providers.CheckVerdict{ok, providers.SignatureRefused, ok, ok}, "than OKP"},
		"read-only key":             {nil, nil, map[string]string{"read_only_key": "x"}, "", []providers.CheckVerdict{ok, ok, bad, ok}, "does not accept this key"},
		"reconciliation token":      {nil, nil, map[string]string{"reconciliation_token": "x"}, "", []providers.CheckVerdict{ok, ok, ok, bad}, "does not accept this key"},
		"our address is not listed": {map[string]string{"allowed_ips": "203.0.113.1"}, nil, nil, "", []providers.CheckVerdict{providers.IPNotListed, ok, ok, ok}, "198.51.100.7 is not on OneKey's list"},
		"their clock is ahead":      {nil, nil, nil, "3600", []providers.CheckVerdict{ok, providers.ClockOff, ok, ok}, "seconds ahead of ours, and about 300 are accepted"},
		"keys that are not given":   {nil, nil, map[string]string{"cashout_api_key": "", "cashout_api_passphrase": "", "cashout_api_signature": "", "reconciliation_token": ""}, "", []providers.CheckVerdict{providers.CheckSkipped, ok, ok, providers.CheckSkipped}, "No cashouts keys"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, row.sandbox)
			cfg := h.Config
			cfg.Settings, cfg.Secrets, cfg.CallerAddress = row.settings, maps.Clone(cfg.Secrets), "198.51.100.7"
			maps.Copy(cfg.Secrets, row.secrets)
			if row.skew != "" {
				h.Control(t, "clock", url.Values{"skew_seconds": {row.skew}})
			}
			got, says := verdicts(t, providertest.Build(t, onekey.Provider(), cfg))
			if diff := cmp.Diff(row.want, got); diff != "" || !strings.Contains(says, row.says) {
				t.Errorf("%s\n%s", diff, says)
			}
		})
	}
}

func TestAStrangersAnswerIsCalledUnreadable(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome to nginx!</html>")) }))
	defer server.Close()
	cfg := providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": server.URL}, Secrets: subject().Secrets, Clock: time.Now}
	got, says := verdicts(t, providertest.Build(t, onekey.Provider(), cfg))
	if slices.ContainsFunc(got, func(v providers.CheckVerdict) bool { return v != providers.Unreadable }) {
		t.Errorf("%v\n%s", got, says)
	}
}

// The check moves nothing and creates nothing.
func TestACredentialTestIsHarmless(t *testing.T) {
	h := open(t, nil)
	verdicts(t, h.Client)
	for _, x := range h.Book.All() {
		if x.Method != http.MethodGet && !strings.HasSuffix(x.URL, "/v3/cashout/status") {
			t.Errorf("%s %s", x.Method, x.URL)
		}
	}
}

func live(t testing.TB, settings map[string]string) *onekey.Client {
	t.Helper()
	cfg := providers.Config{Environment: models.Live, Values: map[string]string{"base_url": "https://pay.invalid"}, Secrets: subject().Secrets, Settings: settings, Clock: time.Now}
	c, okay := providertest.Build(t, onekey.Provider(), cfg).(*onekey.Client)
	if !okay {
		t.Fatal("no client")
	}
	return c
}

// Locked until confirmed: any POST in live before the scheme word is proven by a GET.
func TestNothingIsPostedInLiveBeforeTheSchemeWordIsProven(t *testing.T) {
	c := live(t, nil)
	for name, o := range map[string]providers.Outcome{
		"payout": c.SendPayout(t.Context(), payout("CHX")), "deposit": c.CreateDeposit(t.Context(), deposit("CHX")), "refund": c.SendRefund(t.Context(), refund("CHX")),
		"transfer": c.SendTransfer(t.Context(), transfer("CHX")), "subscription": c.CreateSubscription(t.Context(), subscription()),
	} {
		if r := refusedWith(t, o, providers.NotSent); !strings.Contains(r.Message, "OKP-SIG-2") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := c.VerifyRecipient(t.Context(), payout("CHX")); models.CodeOf(err) != models.Conflict {
		t.Errorf("%v", err)
	}
	open := live(t, map[string]string{"proven:OKP-SIG-2": "1"})
	if r := refusedWith(t, open.SendPayout(t.Context(), payout("CHX")), providers.NotSent); strings.Contains(r.Message, "OKP-SIG-2") {
		t.Errorf("still locked: %+v", r)
	}
}

func TestLocksSayWhatWouldUnlockThem(t *testing.T) {
	locks := onekey.Provider().Description.Locks
	of := func(env models.Environment, set map[string]string) map[string]bool {
		out := map[string]bool{}
		for _, l := range locks(env, map[string]string{"base_url": "https://x"}, set) {
			out[l.Operation] = l.Warning
		}
		return out
	}
	never := map[string]bool{"br_pix_random": false, "mx_debit_card": false, "br_bank": true} // true: a warning, not enforced
	all := maps.Clone(never)
	for _, o := range []string{"payouts", "deposits", "refunds", "transfers", "recipient-verification"} {
		all[o] = false
	}
	if diff := cmp.Diff(all, of(models.Live, nil)); diff != "" {
		t.Error("live, unproven:", diff)
	}
	warned := maps.Clone(all)
	for o := range warned {
		if _, always := never[o]; !always {
			warned[o] = true
		}
	}
	if diff := cmp.Diff(warned, of(models.Sandbox, nil)); diff != "" {
		t.Error("in sandbox it is a warning only:", diff)
	}
	if diff := cmp.Diff(never, of(models.Live, map[string]string{"proven:OKP-SIG-2": "1"})); diff != "" {
		t.Error("proven:", diff)
	}
}

func TestACredentialIsRefusedInWordsBeforeAnythingIsSent(t *testing.T) {
	base := func() providers.Config {
		return providers.Config{Environment: models.Sandbox, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: maps.Clone(subject().Secrets), Clock: time.Now}
	}
	for name, row := range map[string]struct {
		harm  func(*providers.Config)
		field string
	}{
		"half a set of keys":    {func(c *providers.Config) { delete(c.Secrets, "cashout_api_passphrase") }, "cashout_api_passphrase"},
		"no keys at all":        {func(c *providers.Config) { c.Secrets = nil }, "cashout_api_key"},
		"a key with a line end": {func(c *providers.Config) { c.Secrets["read_only_key"] = "abc\r\nX: y" }, "read_only_key"},
		"a live key for staging": {func(c *providers.Config) {
			c.Environment, c.Values["base_url"] = models.Live, "https://api-stg.onekeypayments.com"
		}, "base_url"},
		"live without a host":    {func(c *providers.Config) { c.Environment, c.Values["base_url"] = models.Live, "" }, "base_url"},
		"a path in the address":  {func(c *providers.Config) { c.Values["base_url"] = "http://127.0.0.1:1/v3" }, "base_url"},
		"books without their v1": {func(c *providers.Config) { c.Values["reconciliation_base_url"] = "http://127.0.0.1:1" }, "reconciliation_base_url"},
		"a setting not offered":  {func(c *providers.Config) { c.Settings = map[string]string{"auth_scheme": "Basic"} }, "auth_scheme"},
		"a timeout of an hour":   {func(c *providers.Config) { c.Settings = map[string]string{"request_timeout": "3600"} }, "request_timeout"},
	} {
		c := base()
		row.harm(&c)
		_, err := onekey.New(c)
		var e *models.Error
		if !models.Is(err, models.Invalid) || !asError(err, &e) || e.Field != row.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty := base()
	empty.Values["base_url"] = ""
	if _, err := onekey.New(empty); err != nil {
		t.Errorf("in sandbox an empty address means staging: %v", err)
	}
}

func asError(err error, e **models.Error) bool {
	got, okay := err.(*models.Error) //nolint:errorlint // it is returned unwrapped
	*e = got
	return okay
}
