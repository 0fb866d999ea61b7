package wspn

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

func liveClient(t *testing.T, settings map[string]string) *client {
	t.Helper()
	v, err := Provider().New(providers.Config{Environment: models.Live, Values: map[string]string{"base_url": "https://pay.example.com"},
		Secrets: map[string]string{"api_key": testKey, "api_secret": testSecret}, Settings: settings, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return v.(*client)
}

// In live nothing at all leaves until the signature is confirmed: not even the token call.
func TestNothingIsSentInLiveBeforeTheSignatureIsConfirmed(t *testing.T) {
	c := liveClient(t, nil)
	mintIt := providers.SendRequest{Reference: "CH1", Amount: usd(t, "10"), Method: mint, Quote: providers.Quote{ID: "1", Sell: "USD", Buy: "WUSD", Rate: "1"}}
	for name, out := range map[string]providers.Outcome{
		"fiat": c.SendPayout(t.Context(), fiatPayout(t, "CH1", "500")), "crypto": c.SendPayout(t.Context(), cryptoPayout(t, "CH1", "5")),
		"deposit": c.CreateDeposit(t.Context(), fiatDepositOf(t, "CH1", "5")), "mint": c.Convert(t.Context(), mintIt),
		"address": c.AddAddress(t.Context(), "CH1", nil), "bank account": c.AddBankAccount(t.Context(), "CH1", account()),
		"delete":      c.DeleteAddress(t.Context(), "CH1", providers.Entry{ID: "1"}),
		"sub-account": c.CreateSubAccount(t.Context(), providers.SubAccount{}), "accounts": c.CreateSubAccounts(t.Context(), nil),
		"kyb": c.SubmitKYB(t.Context(), "1", nil), "kybs": c.SubmitKYBBatch(t.Context(), nil),
	} {
		if out, ok := out.(providers.Refused); !ok || out.Code != providers.NotSent || !strings.Contains(out.Message, "5743931m0") {
			t.Errorf("%s: %#v", name, out)
		}
	}
	if _, err := c.Balances(t.Context()); models.CodeOf(err) != models.Conflict {
		t.Errorf("balance: %v", err)
	}
	if r := c.Check(t.Context()); len(r) != 1 || r[0].Verdict != providers.CheckSkipped {
		t.Errorf("check: %+v", r)
	}
	if c.tokens.cached() != "" {
		t.Error("a token was fetched")
	}
}

func TestWhatStaysLockedAfterTheSignatureIsConfirmed(t *testing.T) {
	reasons := func(settings map[string]string) (out []string) {
		for _, l := range Provider().Description.Locks(models.Live, nil, settings) {
			out = append(out, l.Operation)
		}
		slices.Sort(out)
		return out
	}
	if n := len(reasons(nil)); n != len(capabilities())+len(methods()) {
		t.Errorf("%d locks before anything is confirmed", n)
	}
	yes := map[string]string{"signature_profile_confirmed": "yes"}
	if got := strings.Join(reasons(yes), " "); got != "address-book bank-account-book crypto_address crypto_withdraw" {
		t.Errorf("locked: %s", got)
	}
	all := map[string]string{"confirmed:WSPN-SIG-1": "1", "crypto_withdraw_contract": "confirmed-address",
		"paths": "whitelist_search=/openapi/v1/a, remit_search=/openapi/v1/b, deposit_address=/openapi/v1/c"}
	if got := reasons(all); len(got) != 0 {
		t.Errorf("locked: %v", got)
	}
	byAdmins := map[string]string{"confirmed:WSPN-SIG-1": "1", "confirmed:WSPN-CWD-1": "1", "confirmed:WSPN-PATH-1": "1"}
	if got := reasons(byAdmins); len(got) != 0 {
		t.Errorf("confirmed by two admins, and locked: %v", got)
	}
	if got := Provider().Description.Locks(models.Sandbox, nil, nil); len(got) != 0 {
		t.Errorf("locked in sandbox: %v", got)
	}
	c := liveClient(t, yes)
	if c.locked(cryptoWithdraw) == "" || c.locked(fiatOrder) == "" || c.locked(depositAddress) == "" || c.locked(fiatWithdraw) != "" || c.locked(mintSearch) != "" {
		t.Error("the client's locks differ from the description's")
	}
	if c.set.responseMode != "required" {
		t.Errorf("answers of a confirmed signature are %s", c.set.responseMode)
	}
	if _, err := c.LookUp(t.Context(), "countries", nil); models.CodeOf(err) != models.Conflict {
		t.Errorf("a read on a guessed path: %v", err)
	}
	if got := liveClient(t, all).pathOf(remitSearch); got != "/openapi/v1/b" {
		t.Errorf("the typed path is not used: %s", got)
	}
	k := providers.Keys{Secrets: []map[string]string{{"api_secret": testSecret}}, Settings: map[string]string{"confirmed:WSPN-WH-3": "1"}}
	d := signedDelivery()
	delete(d.Header, "D-SIGNATURE")
	if a := (receiver{}).VerifyWebhook(k, d); a.Trust != providers.Forged {
		t.Errorf("an unsigned webhook after the confirmation: %+v", a)
	}
}

func TestTheTestEnvironmentIsNoLiveAddress(t *testing.T) {
	_, err := Provider().New(providers.Config{Environment: models.Live, Values: map[string]string{"base_url": testBase},
		Secrets: map[string]string{"api_key": testKey, "api_secret": testSecret}, Clock: time.Now})
	if models.CodeOf(err) != models.Invalid || !strings.Contains(err.Error(), "test environment") {
		t.Errorf("%v", err)
	}
	for _, missing := range []string{"api_key", "api_secret"} {
		secrets := map[string]string{"api_key": testKey, "api_secret": testSecret}
		delete(secrets, missing)
		if _, err := Provider().New(providers.Config{Environment: models.Sandbox, Secrets: secrets, Clock: time.Now}); models.CodeOf(err) != models.Invalid {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	if _, err := Provider().New(providers.Config{Environment: models.Sandbox, Secrets: map[string]string{"api_key": testKey, "api_secret": testSecret},
		Settings: map[string]string{"signature_profile": "md5"}, Clock: time.Now}); models.CodeOf(err) != models.Invalid {
		t.Errorf("a setting that does not fit: %v", err)
	}
}

func TestEveryItemOfTheContractIsThere(t *testing.T) {
	d := Provider().Description
	if len(d.Items) != 42 {
		t.Errorf("%d items", len(d.Items))
	}
	for _, it := range d.Items {
		if !regexp.MustCompile(`^WSPN-[A-Z]+-\d$`).MatchString(it.ID) {
			t.Errorf("item %q", it.ID)
		}
	}
	for _, s := range settingList() {
		if _, err := readSettings(models.Sandbox, map[string]string{s.Name: "\x00no such choice;,=="}); err == nil {
			t.Errorf("the setting %s takes anything", s.Name)
		}
		for _, o := range s.Options {
			if _, err := readSettings(models.Sandbox, map[string]string{s.Name: o.Value}); err != nil {
				t.Errorf("the setting %s refuses its own option %s: %v", s.Name, o.Value, err)
			}
		}
	}
}

func TestTheCredentialTestSaysWhatIsWrong(t *testing.T) {
	verdicts := func(c *client) (out []providers.CheckVerdict) {
		for _, r := range c.Check(t.Context()) {
			out = append(out, r.Verdict)
			if r.Sentence == "" || strings.Contains(r.Sentence, testSecret) {
				t.Errorf("%+v", r)
			}
		}
		return out
	}
	ok := []providers.CheckVerdict{providers.CheckOK, providers.CheckOK, providers.CheckOK}
	s := play(t, nil)
	if got := verdicts(s.client); !slices.Equal(got, ok) {
		t.Errorf("healthy: %v", got)
	}
	proved := map[string]bool{}
	for _, r := range s.client.Check(t.Context()) {
		for _, it := range r.Items {
			proved[it] = r.Proved
		}
	}
	for _, it := range []string{"WSPN-TOK-1", "WSPN-TOK-2", "WSPN-SIG-1", "WSPN-SIG-2", "WSPN-SIG-6", "WSPN-BAL-1", "WSPN-CT-1", "WSPN-FX-1", "WSPN-TIME-1", "WSPN-ENV-1"} {
		if !proved[it] {
			t.Errorf("%s is not proved by a healthy test", it)
		}
	}
	wrong := s.another(func(c *providers.Config) {
		c.Secrets = map[string]string{"api_key": testKey, "api_secret": "wrong-secret"}
	})
	if got := verdicts(wrong); got[0] != providers.KeysRejected {
		t.Errorf("wrong keys: %v", got)
	}
	for _, r := range wrong.Check(t.Context()) {
		if len(r.Items) > 0 {
			t.Errorf("wrong keys refute %v", r.Items)
		}
	}
	if got := verdicts(play(t, map[string]string{"theirs.signature_profile": "newline/hmac-sha256/api_secret/hex", "theirs.response_signature": "off"}).client); got[1] != providers.SignatureRefused {
		t.Errorf("another signature: %v", got)
	}
	if got := verdicts(play(t, map[string]string{"theirs.response_signature": "wrong"}).client); got[1] != providers.SignatureRefused {
		t.Errorf("a wrong signature of theirs: %v", got)
	}
	clock := play(t, map[string]string{"theirs.response_signature": "off"})
	slow := clock.another(func(c *providers.Config) { c.Clock = func() time.Time { return time.Now().Add(-10 * time.Minute) } }).Check(t.Context())
	if slow[1].Verdict != providers.ClockOff || slow[1].SkewSecs < 590 || slow[1].SkewSecs > 610 {
		t.Errorf("a slow clock: %+v", slow)
	}
	if got := verdicts(play(t, map[string]string{"theirs.token_at": "top", "token_response_at": "retdata"}).client); got[0] != providers.Unreadable {
		t.Errorf("an unreadable token: %v", got)
	}
	if got := verdicts(play(t, map[string]string{"balance_fields": "ccy,total,free"}).client); got[1] != providers.Unreadable {
		t.Errorf("an unreadable balance: %v", got)
	}
}

func TestLookUpsAnswerTables(t *testing.T) {
	s := play(t, nil)
	ref := acceptedRef(t, s.client.SendPayout(t.Context(), fiatPayout(t, "CHLOOK", "150")))
	crypto := acceptedRef(t, s.client.SendPayout(t.Context(), cryptoPayout(t, "CHLOOKC", "5")))
	minted := acceptedRef(t, s.client.Convert(t.Context(), minting("CHLOOKM", quoted(t, s, "USD", "WUSD"), usd(t, "5"))))
	for id, c := range map[string]struct {
		params map[string]string
		rows   int
		has    string
	}{
		"rate": {map[string]string{"sell": "EUR", "buy": "WUSD"}, 1, "1.0812"}, "conversions": {map[string]string{"from": "2020-01-01", "to": "2099-12-31", "sell": "USD"}, 1, minted},
		"bank_accounts": {nil, 3, usdAccount}, "deposit_accounts": {map[string]string{"currency": "USD"}, 1, usdReceive}, "addresses": {nil, 3, listed},
		"countries": {nil, 8, "SGP"}, "sub_accounts": {nil, 1, "100200"}, "fiat_order": {map[string]string{"reference": "CHLOOK"}, -1, ref},
		"fiat_receipt": {map[string]string{"order_id": ref}, -1, ref}, "crypto_order": {map[string]string{"order_id": crypto}, -1, crypto},
		"crypto_receipt": {map[string]string{"reference": "CHLOOKC"}, -1, crypto}, "conversion_order": {map[string]string{"reference": "CHLOOKM"}, -1, minted},
		"conversion_receipt": {map[string]string{"order_id": minted, "reference": "CHLOOKM"}, -1, minted},
	} {
		sheet, err := s.client.LookUp(t.Context(), id, c.params)
		text := ""
		for _, r := range sheet.Rows {
			text += strings.Join(r, " ") + "\n"
			if len(r) != len(sheet.Columns) {
				t.Errorf("%s: a row of %d under %d columns", id, len(r), len(sheet.Columns))
			}
		}
		if err != nil || c.rows >= 0 && len(sheet.Rows) != c.rows || !strings.Contains(text, c.has) {
			t.Errorf("%s: %v\n%s", id, err, text)
		}
	}
	if len(reads()) != 13 {
		t.Errorf("%d reads", len(reads()))
	}
	for id, params := range map[string]map[string]string{"nonsense": nil, "fiat_order": nil, "rate": {"sell": "usd"}, "conversions": {"x": "y"}} {
		if _, err := s.client.LookUp(t.Context(), id, params); err == nil {
			t.Errorf("%s %v is answered", id, params)
		}
	}
	if _, err := s.client.LookUp(t.Context(), "fiat_order", map[string]string{"reference": "NOSUCH"}); models.CodeOf(err) != models.NotFound {
		t.Errorf("no such order: %v", err)
	}
}
