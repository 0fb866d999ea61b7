package aeterna

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
)

func TestACheckMakesFourHarmlessCallsAndProvesItems(t *testing.T) {
	h, c := house(t, nil)
	results := c.Check(t.Context())
	var titles []string
	for _, r := range results {
		titles = append(titles, r.Title)
		if r.Verdict != providers.CheckOK || !r.Proved || !slices.Contains(r.Items, "AET-SIG-1") || r.SkewSecs > 2 || r.SkewSecs < -2 {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff([]string{"Balance", "Statistics", "PayOut status", "PayIn status"}, titles); diff != "" {
		t.Error(diff)
	}
	for _, x := range h.Book.All() {
		if strings.Contains(x.URL, "create") {
			t.Errorf("a check created something: %s", x.URL)
		}
	}
}

// Each way a credential can be wrong is told apart, as far as the table's error codes and the clock allow.
func TestACheckSaysPreciselyWhatIsWrong(t *testing.T) {
	wrong := func(change func(*Client)) []providers.CheckResult {
		_, c := house(t, nil)
		change(c)
		return c.Check(t.Context())
	}
	answering := func(status int, kind, body string, date time.Time) []providers.CheckResult {
		c := against(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", date.UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
		return c.Check(t.Context())
	}
	now := time.Now()
	for _, c := range []struct {
		what    string
		results []providers.CheckResult
		verdict providers.CheckVerdict
		words   string
	}{
		{"a wrong secret", wrong(func(c *Client) { c.id.secretToken = "other" }), providers.SignatureRefused, "e-mail address is not typed exactly"},
		{"an address in other capitals", wrong(func(c *Client) { c.id.email = "Merchant.demo@example.com" }), providers.SignatureRefused, "capitals included"},
		{"a wrong public token", wrong(func(c *Client) { c.id.publicToken = "pk_other" }), providers.KeysRejected, "public token is not known"},
		{"our clock a day behind", wrong(func(c *Client) { c.clock = func() time.Time { return time.Now().AddDate(0, 0, -1) } }), providers.ClockOff, "time of the request was refused"},
		{"an address that is not listed", answering(403, "application/json", `{"error":{"code":"ip_not_allowed"}}`, now), providers.IPNotListed, "not on their list"},
		{"403 without a reason", answering(403, "text/html", "<html>", now), providers.IPNotListed, "probably not on their list"},
		{"not switched on", answering(403, "application/json", `{"error":{"code":"not_enabled"}}`, now), providers.NotEnabled, "not switched on"},
		{"401 in text, clocks agree", answering(401, "text/plain", "no", now), providers.SignatureRefused, "The signature was refused"},
		{"401 in text, their clock an hour ahead", answering(401, "text/plain", "no", now.Add(time.Hour)), providers.ClockOff, "ahead of ours"},
		{"a path that is not there", answering(404, "text/html", "<html>", now), providers.Unreadable, "probably no such path"},
		{"another shape", answering(200, "application/json", `{"data":{"usdt":1}}`, now), providers.Unreadable, "not what the operation table says"},
		{"an error of theirs", answering(500, "text/plain", "oops", now), providers.Unreadable, "500"},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := c.results[0]
			if r.Verdict != c.verdict || !strings.Contains(r.Sentence, c.words) || r.Proved {
				t.Errorf("%+v", r)
			}
			if c.verdict != providers.Unreadable && c.verdict != providers.NotEnabled && len(c.results) != 1 {
				t.Errorf("it went on asking: %d results", len(c.results))
			}
		})
	}
}

func TestTypedOperationsAreLockedAwayFromTheStandIn(t *testing.T) {
	d := Provider().Description
	host := map[string]string{"base_url": "https://pay.example.com"}
	local := map[string]string{"base_url": "http://127.0.0.1:9"}
	locked := func(env models.Environment, values map[string]string, profile string) map[string][]string {
		out := map[string][]string{}
		for _, l := range d.Locks(env, values, map[string]string{settingProfile: profile}) {
			out[l.Operation] = l.Items
			if l.Reason == "" {
				t.Errorf("%s is locked without a reason", l.Operation)
			}
		}
		return out
	}
	for _, c := range []struct {
		env     models.Environment
		values  map[string]string
		profile string
		locks   int // how many operations
		freed   bool
	}{
		{models.Sandbox, local, "", 0, false}, {models.Sandbox, local, "auto", 0, false}, {models.Sandbox, local, "off", 7, false},
		{models.Sandbox, host, "auto", 7, false}, {models.Sandbox, host, "on", 0, false},
		{models.Live, host, "auto", 7, false}, {models.Live, host, "off", 7, false}, {models.Live, host, "on", 3, true},
	} {
		got := locked(c.env, c.values, c.profile)
		if len(got) != c.locks {
			t.Errorf("%s %v %q: %v", c.env, c.values, c.profile, got)
		}
		for op, items := range got {
			if (len(items) > 0) != c.freed {
				t.Errorf("%s %q: %s could be unlocked by %v", c.env, c.profile, op, items)
			}
		}
	}
	got := locked(models.Live, host, "on")
	want := map[string][]string{
		"payouts":  {"AET-OPS-2", "AET-L-1", "AET-L-3", "AET-L-7", "AET-L-9", "AET-AMT-1"},
		"deposits": {"AET-OPS-2", "AET-L-1", "AET-L-2", "AET-L-7", "AET-L-9", "AET-AMT-1"},
		"disputes": {"AET-OPS-2", "AET-L-1", "AET-L-4", "AET-L-7", "AET-L-9", "AET-AMT-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// In live the client looks for the two admins' confirmation of every item itself; only then is anything sent.
func TestInLiveNothingIsCreatedUntilEveryItemIsConfirmed(t *testing.T) {
	_, c := house(t, map[string]string{settingProfile: "on"})
	c.env = models.Live
	d := Provider().Description
	items := itemsOf(opPayoutCreate)
	for i := range items {
		c.settings = map[string]string{settingProfile: "on"}
		for _, other := range slices.Delete(slices.Clone(items), i, i+1) {
			c.settings["confirmed:"+other] = "1"
		}
		out := c.SendPayout(t.Context(), payout(providertest.Reference()))
		if r, ok := out.(providers.Refused); !ok || r.Code != providers.NotSent || !strings.Contains(r.Message, "Two admins must confirm") {
			t.Errorf("without %s: %s", items[i], providertest.Say(out))
		}
	}
	c.settings["confirmed:"+items[len(items)-1]] = "1"
	accepted(t, c.SendPayout(t.Context(), payout(providertest.Reference())))
	for _, l := range d.Locks(models.Live, map[string]string{"base_url": "https://pay.example.com"}, c.settings) {
		if l.Operation == string(providers.CanSendPayouts) {
			t.Errorf("payouts are confirmed and still locked: %+v", l)
		}
	}
}

// The client itself refuses what is locked, before a byte is sent.
func TestALockedOperationSendsNothing(t *testing.T) {
	asked := 0
	c := against(t, map[string]string{settingProfile: "off"}, func(http.ResponseWriter, *http.Request) { asked++ })
	for what, out := range map[string]providers.Outcome{
		"payout":  c.SendPayout(t.Context(), payout(providertest.Reference())),
		"payin":   c.CreateDeposit(t.Context(), payin(providertest.Reference())),
		"dispute": c.OpenDispute(t.Context(), providers.Query{Kind: models.Deposit, ProviderRef: someID}, "x", nil),
	} {
		if r, ok := out.(providers.Refused); !ok || r.Code != providers.NotSent || r.Retryable || !strings.Contains(r.Message, "switched off") {
			t.Errorf("%s: %s", what, providertest.Say(out))
		}
	}
	if _, err := c.Balances(t.Context()); models.CodeOf(err) != models.Conflict {
		t.Errorf("balances: %v", err)
	}
	if f := c.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CH1"}); f.Result != providers.Unclear {
		t.Errorf("%+v", f)
	}
	for _, r := range c.Check(t.Context()) {
		if r.Verdict != providers.CheckSkipped || !strings.Contains(r.Sentence, "switched off") {
			t.Errorf("%+v", r)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests", asked)
	}
}

// The preview is made by the function that makes the request: what it shows is what goes out, but for the secrets.
func TestThePreviewIsTheRequestWithoutItsSecrets(t *testing.T) {
	h, c := house(t, nil)
	r := payout(providertest.Reference())
	d := Provider().Description
	previews, err := d.PreviewRequests(models.Sandbox, h.Config.Values, nil, r)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]providers.RequestPreview{}
	for _, p := range previews {
		byName[p.Operation] = p
		if p.Problem != "" || strings.Contains(p.Text, publicToken) || strings.Contains(p.Text, email) {
			t.Errorf("%+v", p)
		}
	}
	if len(byName) != 7 || byName[opDepositCreate].Text != "" {
		t.Errorf("%d operations are previewed", len(byName))
	}
	host := strings.TrimPrefix(h.URL, "http://")
	want := "POST " + h.URL + "/api/payout/create\nHost: " + host + "\nAccept: application/json, text/plain\nContent-Type: application/json\n" +
		"X-App-Token: [redacted]\nX-App-Access-Ts: [redacted]\nX-App-Access-Sig: [redacted]\n\n" +
		`{"externalId":"` + r.Reference + `","amount":"1500.50","currency":"RUB","method":"card","recipient":{"number":"4111111111111111","holder":"Anna Example"}}`
	if diff := cmp.Diff(want, byName[opPayoutCreate].Text); diff != "" {
		t.Error(diff)
	}
	accepted(t, c.SendPayout(t.Context(), r))
	sent := h.Book.All()[0]
	if got := byName[opPayoutCreate].Text; !strings.HasSuffix(got, strings.ReplaceAll(string(sent.RequestBody), `"[redacted]"`, `"4111111111111111"`)) {
		t.Errorf("sent %s\npreviewed %s", sent.RequestBody, got)
	}
}

func TestThePreviewSaysWhyValuesMakeNoRequest(t *testing.T) {
	table, err := ownTable()
	if err != nil {
		t.Fatal(err)
	}
	r := payout("CH 1")
	if text, err := Preview(table, "https://{host}", opPayoutCreate, models.Live, nil, r); err == nil || text != "" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := Preview(table, "https://{host}", "payout.cancel", models.Live, nil, r); err == nil {
		t.Error("an operation that is not there was previewed")
	}
	d := Provider().Description
	if _, err := d.PreviewRequests(models.Live, nil, map[string]string{settingTable: "{"}, r); models.CodeOf(err) != models.Invalid {
		t.Errorf("%v", err)
	}
	text, err := Preview(table, "https://{host}", opDepositCreate, models.Live, nil, payin("CH1"))
	if err != nil || !strings.HasPrefix(text, "POST https://{host}/api/payin/create\nHost: https://{host}\n") && !strings.Contains(text, "payin") {
		t.Errorf("%q %v", text, err)
	}
}

func TestSettingsAreCheckedBeforeTheyAreSaved(t *testing.T) {
	d := Provider().Description
	for _, good := range []map[string]string{nil, {settingTable: ""}, {settingTable: string(profileL)}, {settingTable: sixthTable, settingWindow: "1000"}} {
		if ps := providers.CheckSettings(&d, good); len(ps) > 0 {
			t.Errorf("%v", ps)
		}
	}
	for _, bad := range []map[string]string{{settingTable: "x"}, {settingTable: `{"format":1}`}, {settingProfile: "perhaps"}, {settingWindow: "-1"}, {settingLimit: "9"}, {"unheard": "of"}} {
		if ps := providers.CheckSettings(&d, bad); len(ps) == 0 {
			t.Errorf("%v was accepted", bad)
		}
	}
	if got := d.MethodsWith(map[string]string{settingTable: "{"}); got != nil {
		t.Errorf("a table that cannot be used has methods: %v", got)
	}
	contains(t, d.StatusSentence(models.Payout, "completed"), "Succeeded", "AET-L-7")
	contains(t, d.StatusSentence(models.Payout, "COMPLETED"), "nothing follows from it")
	if s := fmt.Sprint(d.Items); !strings.Contains(s, "AET-RETRY-1") || len(d.Items) != 33 {
		t.Errorf("%d items", len(d.Items))
	}
}
