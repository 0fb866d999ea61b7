package wakapay

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// settings are the contract items that a client can be switched on, read once.
type settings struct {
	warnPrefix   bool           // WAKA-ENV-2
	buffer       time.Duration  // WAKA-AUTH-2
	repeatPayout bool           // WAKA-AUTH-5
	unit         string         // WAKA-AMT-1: "", "major" or "minor"
	sameRate     bool           // WAKA-FX-2
	refusal422   bool           // WAKA-VER-2
	demoPayouts  bool           // WAKA-PAY-1
	fundUSD      bool           // WAKA-PAY-3
	reference    *regexp.Regexp // WAKA-IDEM-2
	final        bool           // WAKA-STAT-2
	retry        string         // WAKA-RETRY-1
	perSecond    float64        // WAKA-RATE-1
}

func options(pairs ...string) []providers.Option {
	var out []providers.Option
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, providers.Option{Value: pairs[i], Label: pairs[i+1]})
	}
	return out
}

func settingFields() []providers.Setting {
	return []providers.Setting{
		{Name: "amount_unit", Item: "WAKA-AMT-1", Label: "Unit of WakaPay's figures", Default: "unset",
			Options: options("unset", "Not confirmed", "major", "Major units (100.50 shillings)", "minor", "Minor units (10050 cents)"),
			Help:    "Set it after one payout of a known amount in test has shown it. No payout goes out before."},
		{Name: "payout_contract", Item: "WAKA-PAY-1", Label: "Payouts and queries", Default: "off",
			Options: options("off", "Off: WakaPay's pages are not known", "demo", "Made up by this product, for a stand-in on this machine only")},
		{Name: "payout_funding", Item: "WAKA-PAY-3", Label: "Payouts are funded from", Default: "USD",
			Options: options("USD", "the USD wallet, converted when sent", "same", "the wallet of the payout's currency")},
		{Name: "business_reference_pattern", Item: "WAKA-IDEM-2", Label: "References WakaPay takes", Default: `^[A-Za-z0-9_-]{1,64}$`, Pattern: `^\^.{1,120}\$$`,
			Help: "A regular expression. A reference that does not match is not sent."},
		{Name: "repeat_payout_after_401", Item: "WAKA-AUTH-5", Label: "A payout answered 401", Default: "once",
			Options: options("once", "is repeated once with a new token and the same reference", "never", "is not repeated")},
		{Name: "final_statuses", Item: "WAKA-STAT-2", Label: "Success and failure", Default: "final", Options: options("final", "are final", "open", "stay pending until staff decide")},
		{Name: "same_currency_rate", Item: "WAKA-FX-2", Label: "A currency's rate to itself", Default: "local", Options: options("local", "is 1, without asking", "ask", "is asked for")},
		{Name: "verify_negative_status", Item: "WAKA-VER-2", Label: "\"No such recipient\" comes as", Default: "200_or_422",
			Options: options("200_or_422", "HTTP 200 with verified false, or HTTP 422", "200", "HTTP 200 with verified false only")},
		{Name: "token_refresh_buffer", Item: "WAKA-AUTH-2", Label: "Seconds before its end a token is renewed", Default: "60", Pattern: `^\d{1,3}$`},
		{Name: "key_prefix_check", Item: "WAKA-ENV-2", Label: "Warn when a key's prefix fits the other environment", Default: "on", Options: options("on", "Yes", "off", "No")},
		{Name: "retry_policy", Item: "WAKA-RETRY-1", Label: "Repeat reads, up to 4 tries, on", Default: "listed",
			Options: options("listed", "403, 405, 415, 429 and 5xx", "transient", "429 and 5xx", "none", "nothing")},
		{Name: "rate_cap", Item: "WAKA-RATE-1", Label: "Calls a second", Default: "5", Pattern: `^([1-9]|[1-9]\d|100)$`},
		{Name: "webhook_signature_mode", Item: "WAKA-WH-2", Label: "Signature mode of webhooks", Default: "current",
			Options: options("current", "Current: a field of the body", "legacy", "Legacy: a header")},
		{Name: "webhook_fields", Item: "WAKA-WH-3", Label: "Field that holds our reference", Default: "businessReference", Pattern: `^[A-Za-z_]{1,40}$`},
		{Name: "webhook_legacy_profile", Item: "WAKA-WH-4", Label: "Assumed legacy signature", Default: "off",
			Options: options("off", "Off", "on", "HMAC-SHA256 over <t>.<body>, 5 minutes (sandbox only)")},
	}
}

// readSettings takes every setting, checked against its choices: a wrong one is an error, never a silent default.
func readSettings(d *providers.Description, cfg providers.Config) (settings, error) {
	get := map[string]string{}
	for _, s := range d.Settings {
		v := cfg.Setting(d, s.Name)
		ok := s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(v)
		if len(s.Options) > 0 {
			ok = slices.ContainsFunc(s.Options, func(o providers.Option) bool { return o.Value == v })
		}
		if !ok {
			return settings{}, models.FieldErrorf(s.Name, "%s: this is not one of the choices.", s.Label)
		}
		get[s.Name] = v
	}
	if ps := checkSettings(get); len(ps) > 0 {
		return settings{}, models.Problems(ps)
	}
	rate, _ := strconv.Atoi(get["rate_cap"])
	buffer, _ := strconv.Atoi(get["token_refresh_buffer"])
	out := settings{warnPrefix: get["key_prefix_check"] == "on", buffer: time.Duration(buffer) * time.Second, repeatPayout: get["repeat_payout_after_401"] == "once",
		sameRate: get["same_currency_rate"] == "local", refusal422: get["verify_negative_status"] == "200_or_422", demoPayouts: get["payout_contract"] == "demo",
		fundUSD: get["payout_funding"] == "USD", reference: regexp.MustCompile(get["business_reference_pattern"]), final: get["final_statuses"] == "final",
		retry: get["retry_policy"], perSecond: float64(rate)}
	if u := get["amount_unit"]; u != "unset" {
		out.unit = u
	}
	return out, nil
}

// checkSettings applies, before settings are saved, what their patterns cannot say.
func checkSettings(settings map[string]string) []models.Problem {
	if p := settings["business_reference_pattern"]; p != "" {
		if _, err := regexp.Compile(p); err != nil {
			return []models.Problem{{Field: "business_reference_pattern", Sentence: "This is not a regular expression."}}
		}
	}
	return nil
}
