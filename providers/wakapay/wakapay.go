// Package wakapay speaks to WakaPay, which pays out from prepaid wallets to mobile money, tills and paybills in Kenya, Tanzania, Uganda and
// South Africa. It follows shared/providers/wakapay.md; the ids of its contract items stand where they are implemented.
//
// Imported by providers/all only. It imports providers, providers/httpx and models.
//
// What is documented: authentication, balances, rates, recipient verification, QR decoding, the frame of webhooks. What is not: payouts and
// transaction queries. Their shape here is invented by this project (WAKA-PAY-1), must be switched on, and is sent to a stand-in on this
// machine and nowhere else.
package wakapay

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

const (
	testHost = "api.test.wakapay.io"
	liveHost = "api.wakapay.io"
)

// Provider describes WakaPay.
func Provider() *providers.Provider {
	d := description()
	return &providers.Provider{Description: d, Webhooks: webhooks{}, New: func(c providers.Config) (any, error) {
		client, err := newClient(&d, c)
		if err != nil {
			return nil, err // a typed nil must not hide in the interface
		}
		return client, nil
	}}
}

func description() providers.Description {
	return providers.Description{
		Name: "wakapay", Title: "WakaPay", Short: "WakaPay",
		About: "Pays out from prepaid wallets to mobile money, tills and paybills in East and Southern Africa.",
		Sites: []providers.Site{ // WAKA-ENV-1
			{Environment: models.Sandbox, Field: "base_url", Default: "https://" + testHost, Hosts: []string{testHost}},
			{Environment: models.Live, Field: "base_url", Default: "https://" + liveHost, Hosts: []string{liveHost}},
		},
		Fields:   fields(),
		Settings: settingFields(),
		Capabilities: []providers.Capability{providers.CanCheck, providers.CanReadBalances, providers.CanSendPayouts, providers.CanFindPayouts,
			providers.CanVerifyRecipients, providers.CanDecodeQR, providers.CanLookUp, providers.CanReceiveWebhooks},
		Items:   items(),
		Methods: methods(),
		Reads:   reads(),
		Webhooks: []providers.WebhookTopic{{ID: "transaction", Title: "Transaction updated", Mark: providers.Documented, Item: "WAKA-WH-1",
			Help: "WakaPay has no page for it: give this address to your account manager, with the environment and the signature mode (current or legacy)."}},
		TryQR:          "00020101021228220008ke.go.qr01068888805204000053034045406250.005802KE5911UGALI POINT6007NAIROBI63049382", // fixture of WAKA-QR-1
		Passport:       passport(),
		Demo:           map[string]string{"amount_unit": "major", "payout_contract": "demo"},
		RotateDays:     90, // WAKA-ROT-1
		AddressLists:   addressLists(),
		ReadAddress:    readAddress,
		CheckRequest:   checkRequest,
		CheckSettings:  checkSettings,
		Locks:          locks,
		StatusSentence: statusSentence,
	}
}

func fields() []providers.Field {
	return []providers.Field{
		{Name: "base_url", Label: "Service address", Kind: providers.URL, Required: true, MaxLen: 200,
			Help: "Follows from the environment. Only WakaPay's own host is accepted; in sandbox also a stand-in on this machine."},
		{Name: "api_key", Label: "API key", Required: true, Secret: true, MaxLen: 200, Pattern: `^[!-~]{4,200}$`,
			PatternHelp: "Paste the key alone, without spaces.", Help: "Usually begins with pk_test_ in test."},
		{Name: "api_secret", Label: "API secret", Required: true, Secret: true, MaxLen: 400, Pattern: `^[!-~]{4,400}$`,
			PatternHelp: "Paste the secret alone, without spaces.", Help: "Usually begins with sk_test_ in test. Changing the pair changes the signature of WakaPay's webhooks at the same moment."},
		{Name: "business_id", Label: "Business id", MaxLen: 64, Pattern: `^[0-9A-Za-z-]{1,64}$`, PatternHelp: "The id has letters, digits and hyphens.",
			Help: "Shown by the credential test. When set, a webhook for another business is refused."},
		{Name: "kyb_approved", Label: "WakaPay has approved our KYB", Kind: providers.Select, Default: "no",
			Options: options("no", "Not yet", "yes", "Yes"), Help: "Production stays locked until WakaPay has approved the business."},
	}
}

func reads() []providers.Read {
	currency := func(name, label string, required bool) providers.Field {
		f := providers.Field{Name: name, Label: label, Kind: providers.Select, Required: required}
		for _, c := range currencies() {
			f.Options = append(f.Options, providers.Option{Value: c, Label: c})
		}
		return f
	}
	return []providers.Read{
		{ID: "balance", Title: "Wallets", Mark: providers.Documented, Item: "WAKA-BAL-1", Params: []providers.Field{currency("currency", "Currency", false)},
			Help: "Available, on hold and pending, exactly as WakaPay gives them."},
		{ID: "rate", Title: "Exchange rate", Mark: providers.Documented, Item: "WAKA-FX-1",
			Params: []providers.Field{currency("from", "From", true), currency("to", "To", true)},
			Help:   "Fixed from one 17:00 UTC to the next. There is no quote and no lock: a payout after 17:00 UTC has another rate."},
		{ID: "recipient", Title: "Who owns a phone number", Mark: providers.Documented, Item: "WAKA-VER-1", Params: []providers.Field{
			{Name: "country", Label: "Country", Kind: providers.Select, Required: true, Options: countryOptions()},
			{Name: "phone", Label: "Phone number", Kind: providers.Phone, Required: true, Pattern: phonePattern, PatternHelp: phoneHelp, MaxLen: 16}}},
		{ID: "transactions", Title: "Transactions", Mark: providers.Assumed, Item: "WAKA-PAY-1",
			Help:   "In the shape that this project made up for its stand-in. WakaPay's own page is not known.",
			Params: []providers.Field{{Name: "page", Label: "Page", Kind: providers.Digits, Default: "1", Pattern: `^[1-9]\d{0,5}$`, PatternHelp: "Pages are counted from 1."}}},
	}
}

func passport() providers.Passport {
	return providers.Passport{
		Idempotency:      "WakaPay answers a repeated reference with 409 and creates nothing; how long it remembers is not stated.", // WAKA-IDEM-1
		QueryByReference: true,                                                                                                      // in the shape of WAKA-PAY-1, the only one there is
		NotFoundAfter:    0,
		Resend:           providers.ResendStaff,
		WebhookRetries:   "Not stated. A webhook is a hint: its signature is the same for every message, so the payout is always asked about.",
		Minimum:          "Not stated.",
		Decimals:         "Not stated whether figures are in major or minor units: staff confirm it once per credential (WAKA-AMT-1).",
		Finality:         "Payouts cannot be recalled. Success and failure are taken as final (WAKA-STAT-2); after a failure wait for the balance to show the return.",
		RateLimit:        "No published number. We keep to 5 calls a second and one sign-in per 10 s after a failure.", // WAKA-RATE-1
	}
}

func locks(env models.Environment, values, settings map[string]string) []providers.Lock {
	var out []providers.Lock
	lock := func(reason string) {
		out = append(out, providers.Lock{Operation: string(providers.CanSendPayouts), Reason: reason})
	}
	switch {
	case env == models.Live:
		lock("WakaPay's pages on payouts and transactions are not known to this product, and a made-up request is never sent to the real WakaPay. " +
			"A version of the product that knows them is needed.")
		if values["kyb_approved"] != "yes" {
			lock("WakaPay has not approved our KYB yet. Mark it on the credential when it has.")
		}
	case !onThisMachine(values["base_url"]):
		lock("WakaPay's pages on payouts are not known. The made-up payout of this product goes to a stand-in on this machine only.")
	case settings["payout_contract"] != "demo":
		lock("The made-up payout for the stand-in is off. Switch the setting \"Payouts and queries\" to try it.")
	}
	if u := settings["amount_unit"]; u != "major" && u != "minor" {
		lock("Whether WakaPay counts in major or minor units is not confirmed. Confirm it with a payout of a known amount in test, then set it.")
	}
	if settings["webhook_signature_mode"] == "legacy" && (env == models.Live || settings["webhook_legacy_profile"] != "on") {
		out = append(out, providers.Lock{Operation: string(providers.CanReceiveWebhooks),
			Reason: "How legacy webhooks are signed is not documented, so they are refused. Ask WakaPay for the current mode."})
	}
	return out
}

// onThisMachine reports whether a base URL names a stand-in on loopback.
func onThisMachine(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback()
}

func newClient(d *providers.Description, cfg providers.Config) (*client, error) {
	if !cfg.Environment.Valid() {
		return nil, models.FieldErrorf("environment", "A WakaPay credential belongs to sandbox or to live.")
	}
	set, err := readSettings(d, cfg)
	if err != nil {
		return nil, err
	}
	base, host := cfg.Values["base_url"], testHost
	if cfg.Environment == models.Live {
		host = liveHost
	}
	if base == "" {
		base = "https://" + host
	}
	key, secret := cfg.Secrets["api_key"], cfg.Secrets["api_secret"]
	for _, f := range d.Fields {
		v := map[string]string{"base_url": base, "api_key": key, "api_secret": secret}[f.Name]
		if f.Required && (v == "" || f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(v)) {
			return nil, models.FieldErrorf(f.Name, "WakaPay needs the %s. %s", f.Label, f.PatternHelp)
		}
	}
	if u, err := url.Parse(base); err == nil && u.Path != "" && u.Path != "/" {
		return nil, models.FieldErrorf("base_url", "WakaPay's address has no path: write https://%s.", host)
	}
	if set.demoPayouts && (cfg.Environment == models.Live || strings.Contains(strings.ToLower(base), "//"+liveHost)) { // WAKA-PAY-1
		return nil, models.FieldErrorf("payout_contract", "The made-up payout of this product is never sent to WakaPay's production host. Switch it off.")
	}
	c := &client{cfg: cfg, set: set, wait: pause, stand: onThisMachine(base), now: cfg.Clock, rates: map[string]rate{}}
	if c.now == nil {
		c.now = time.Now
	}
	mark := constantSignature(key, secret)
	c.http, err = httpx.New(httpx.Config{
		Name: "WakaPay", BaseURL: base, AllowedHosts: []string{host}, AllowLoopback: cfg.Environment == models.Sandbox, Recorder: cfg.Recorder, Now: cfg.Clock,
		RateLimit: httpx.RateLimit{PerSecond: set.perSecond, Burst: int(set.perSecond)},
		Redact:    httpx.Redactor{JSON: []string{"accessToken", "apiKey", "apiSecret", "signature"}, Secrets: []string{key, secret, mark, strings.ToUpper(mark)}},
	})
	if err != nil {
		return nil, models.FieldErrorf("base_url", "The service address is refused: %v.", err)
	}
	c.tokens = newTokens(c.authenticate, c.now, set.buffer)
	return c, nil
}
