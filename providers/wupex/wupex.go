// Package wupex speaks to WUPEX, which sells digital codes (gift cards, top-up vouchers) from a prepaid balance with credit: products,
// buying codes, order history, balance. It follows shared/providers/wupex.md; the ids of its contract items stand where they are
// implemented.
//
// Imported by providers/all only. It imports providers, providers/httpx and models.
//
// What is promised: a purchase is requested at most once per call and never repeated here (WUPEX-IDEM-1: a reference is a label and
// protects nothing); bought codes leave this package in providers.Delivered alone, never in a raw answer, a recorded exchange or an
// error.
package wupex

import (
	"net/url"
	"regexp"
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

const (
	sandboxHost = "sandbox-service.wupex.com"
	liveHost    = "service.wupex.com"
)

// Provider describes WUPEX.
func Provider() *providers.Provider {
	d := description()
	return &providers.Provider{Description: d, New: func(c providers.Config) (any, error) {
		client, err := newClient(&d, c)
		if err != nil {
			return nil, err // a typed nil must not hide in the interface
		}
		return client, nil
	}}
}

func description() providers.Description {
	return providers.Description{
		Name: "wupex", Title: "WUPEX", Short: "WUPEX",
		About: "Buys digital codes (gift cards, top-up vouchers) from a prepaid balance with credit.",
		Sites: []providers.Site{ // WUPEX-ENV-1
			{Environment: models.Sandbox, Field: "base_url", Default: "https://" + sandboxHost, Hosts: []string{sandboxHost}},
			{Environment: models.Live, Field: "base_url", Default: "https://" + liveHost, Hosts: []string{liveHost}},
		},
		Fields:   fields(),
		Settings: settingFields(),
		Capabilities: []providers.Capability{providers.CanCheck, providers.CanReadBalances, providers.CanOrder,
			providers.CanFindOrders, providers.CanLookUp},
		Items:          items(),
		Methods:        methods(),
		Reads:          reads(),
		Passport:       passport(),
		RotateDays:     90, // staff are asked every 30 to 90 days (contract, section 11)
		AddressLists:   addressLists(),
		ReadAddress:    readAddress,
		CheckRequest:   checkRequest,
		Locks:          locks,
		CheckSettings:  checkSettings,
		StatusSentence: statusSentence,
	}
}

func fields() []providers.Field {
	return []providers.Field{
		{Name: "base_url", Label: "Service address", Kind: providers.URL, Required: true, MaxLen: 200,
			Help: "Follows from the environment. Only WUPEX's own host is accepted; in sandbox also a stand-in on this machine."},
		{Name: "api_key", Label: "API key", Required: true, Secret: true, MaxLen: 512, Pattern: `^[!-~]{8,512}$`,
			PatternHelp: "Paste the key alone: letters, digits and signs, no spaces and no \"Bearer\".",
			Help:        "Sandbox keys come from sandbox-portal.wupex.com, live keys from portal.wupex.com/settings. A key works in one environment only."},
		{Name: "merchant", Label: "Merchant code", Required: true, MaxLen: 64, Pattern: `^[^\x00-\x20\x7f]{1,64}$`,
			PatternHelp: "The merchant code has no spaces.",
			Help:        "WUPEX's code of your account. It goes with every order."},
	}
}

func methods() []providers.Method {
	return []providers.Method{{
		ID: "codes", Kind: models.Order, Title: "Buy codes", Mark: providers.Documented,
		Items: []string{"WUPEX-ORD-1", "WUPEX-ORD-2", "WUPEX-ORD-3", "WUPEX-IDEM-1", "WUPEX-IDEM-2", "WUPEX-DET-1"},
		Note: "One product per order. WUPEX promises no protection against a double order: a lost answer is settled by asking, " +
			"never by ordering again. How an order's codes are laid out is assumed (WUPEX-DET-1).",
	}}
}

func reads() []providers.Read {
	page := providers.Field{Name: "page", Label: "Page", Kind: providers.Digits, Default: "1", Pattern: `^[1-9]\d{0,5}$`,
		PatternHelp: "Pages are counted from 1."}
	return []providers.Read{
		{ID: "balance", Title: "Balance and credit", Mark: providers.Assumed, Item: "WUPEX-BAL-1",
			Help: "Prepaid balance, credit line and what both come to. WUPEX does not say the currency."},
		{ID: "products", Title: "Products", Mark: providers.Documented, Item: "WUPEX-PROD-1",
			Help: "What this account may buy, one page at a time.",
			Params: []providers.Field{page, {Name: "product_type", Label: "Product type", MaxLen: 100,
				Help: "Exactly as WUPEX writes it, for example Apple iTunes; empty for all."}}},
		{ID: "orders", Title: "Order history", Mark: providers.Assumed, Item: "WUPEX-LIST-1",
			Help: "Orders of this account as WUPEX keeps them, also those made elsewhere.",
			Params: []providers.Field{page, {Name: "reference", Label: "Our reference", MaxLen: 64},
				{Name: "order", Label: "Sort", Kind: providers.Select, Default: "newest",
					Options: []providers.Option{{Value: "newest", Label: "Newest first"}, {Value: "oldest", Label: "Oldest first"}}}}},
		{ID: "order", Title: "One order", Mark: providers.Assumed, Item: "WUPEX-DET-1",
			Help:   "What arrived for an order. Codes are not shown here: they are revealed one at a time on the order's own page.",
			Params: []providers.Field{{Name: "order_name", Label: "WUPEX order name", Required: true, MaxLen: 100}}},
	}
}

func passport() providers.Passport {
	return providers.Passport{
		Idempotency:      "None: WUPEX treats our reference as a label, so sending an order twice buys the codes twice.",
		QueryByReference: true, // WUPEX-IDEM-2
		NotFoundAfter:    0,    // contract section 7: staff decide, never time alone
		Resend:           providers.ResendNew,
		WebhookRetries:   "WUPEX sends no webhooks; orders are followed by asking.", // WUPEX-WH-1
		Minimum:          "One unit per order.",
		Decimals:         "Up to four decimals. The currency is not stated by WUPEX: an admin sets it.",
		Finality:         "Delivered codes cannot be returned. Codes may arrive after the order, a part at a time.",
		RateLimit:        "No published number. We keep to 5 calls a second and one order at a time.", // WUPEX-RATE-1
	}
}

// checkRequest refuses what WUPEX would refuse with 422 (quantity 0) or what one line cannot say.
func checkRequest(_ map[string]string, _ providers.Method, amount models.Money, values map[string]string) []models.Problem {
	var ps []models.Problem
	if amount.Minor < 0 {
		ps = append(ps, models.Problem{Field: "amount", Sentence: "The price of an order cannot be negative."})
	}
	if q, given := values["quantity"]; given {
		if n, err := strconv.Atoi(q); err != nil || n < 1 || n > maxQuantity {
			ps = append(ps, models.Problem{Field: "quantity", Sentence: "Order at least one unit, in whole numbers, at most 10,000."})
		}
	}
	if sku, given := values["sku"]; given && !validSKU(sku) {
		ps = append(ps, models.Problem{Field: "sku", Sentence: "Choose a product from the catalogue."})
	}
	return ps
}

// locks says what is not done. None of it keeps an order from being placed, so all are warnings.
func locks(_ models.Environment, _, settings map[string]string) []providers.Lock {
	lock := func(item, reason string) providers.Lock {
		return providers.Lock{Operation: "codes", Warning: true, Items: []string{item}, Reason: reason}
	}
	out := []providers.Lock{
		lock("WUPEX-ORD-3", "Several products in one order are not sent: WUPEX does not say whether such an order is all or nothing."),
		lock("WUPEX-IDEM-1", "An order is never sent again by itself: WUPEX would sell the codes twice."),
	}
	if settings["allow_take_all"] != "on" {
		out = append(out, lock("WUPEX-ORD-4", "allowTakeAll is not sent: by its name it accepts a part of what was ordered, and no page explains it."))
	}
	if settings["account_currency"] == "" {
		out = append(out, lock("WUPEX-CUR-1", "Prices and balances carry no currency until an admin sets the one that WUPEX has stated in writing."))
	}
	return out
}

func newClient(d *providers.Description, cfg providers.Config) (*client, error) {
	if !cfg.Environment.Valid() {
		return nil, models.FieldErrorf("environment", "A WUPEX credential belongs to sandbox or to live.")
	}
	set, err := readSettings(d, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Environment == models.Live && cfg.Settings["confirmed:WUPEX-ORD-7"] != "1" {
		// That a 429 means "not processed" is assumed, and an order sent again is bought again: in live two admins confirm it first.
		set.limitedIsNot = false
	}
	base, host := cfg.Values["base_url"], sandboxHost
	if cfg.Environment == models.Live {
		host = liveHost
	}
	if base == "" {
		base = "https://" + host
	}
	key, merchant := cfg.Secrets["api_key"], cfg.Values["merchant"]
	for _, f := range d.Fields {
		v := map[string]string{"api_key": key, "merchant": merchant, "base_url": base}[f.Name]
		if v == "" || f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(v) {
			return nil, models.FieldErrorf(f.Name, "WUPEX needs the %s. %s", f.Label, f.PatternHelp)
		}
	}
	if u, err := url.Parse(base); err == nil && u.Path != "" && u.Path != "/" {
		return nil, models.FieldErrorf("base_url", "WUPEX's address has no path: write https://%s.", host)
	}
	c := &client{cfg: cfg, set: set, key: key, merchant: merchant, ordering: make(chan struct{}, 1), wait: pause}
	c.http, err = httpx.New(httpx.Config{
		Name: "WUPEX", BaseURL: base, AllowedHosts: []string{host}, AllowLoopback: cfg.Environment == models.Sandbox,
		Timeout: set.readTimeout, Recorder: cfg.Recorder, Now: cfg.Clock, UserAgent: set.userAgent,
		RateLimit: httpx.RateLimit{PerSecond: set.perSecond, Burst: int(set.perSecond)},
		Redact:    httpx.Redactor{Headers: []string{"x-api-key"}, JSON: secretKeys(), Secrets: []string{key}},
	})
	if err != nil {
		return nil, models.FieldErrorf("base_url", "The service address is refused: %v.", err)
	}
	return c, nil
}

// secretKeys are the JSON keys whose value is a code, by the contract or by the names other code sellers use.
func secretKeys() []string {
	return []string{"serialCode", "serial_code", "pin", "pinCode", "voucherCode", "cardCode", "redeemCode", "redemptionCode", "cardNumber"}
}

var skuShape = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,200}$`)

func validSKU(s string) bool { return skuShape.MatchString(s) }

const maxQuantity = 10_000

// maxPages ends a listing that would never end.
const maxPages = 200

// answerOld is how much older than our request an order may be and still be ours, whatever zone its date is written in.
const answerOld = 26 * time.Hour
