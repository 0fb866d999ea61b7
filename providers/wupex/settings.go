package wupex

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// settings are the contract items that a client can be switched on, read once.
type settings struct {
	userAgent     string
	topMessage    bool // WUPEX-ENVL-2
	pageSize      int  // WUPEX-PROD-2
	extraFields   bool // WUPEX-PROD-3
	buyable       string
	codesInAnswer bool // WUPEX-ORD-2
	takeAll       bool // WUPEX-ORD-4
	stockAny4xx   bool // WUPEX-ORD-5
	fundsCode     string
	limitedIsNot  bool // WUPEX-ORD-7: a 429 means that nothing was processed
	anyCase       bool // WUPEX-LIST-1
	newest        string
	oldest        string
	readDates     bool // WUPEX-LIST-2
	detailFlat    bool // WUPEX-DET-1
	skuOfLine     bool // WUPEX-DET-2
	emptyAlerts   bool // WUPEX-DET-3
	envelope      string
	spendable     string
	currency      string // models.Unstated until staff set it (WUPEX-CUR-1)
	repeatReads   bool   // WUPEX-RETRY-1
	retryAfter    bool   // WUPEX-RETRY-2
	perSecond     float64
	readTimeout   time.Duration
	orderTimeout  time.Duration
}

func options(pairs ...string) []providers.Option {
	var out []providers.Option
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, providers.Option{Value: pairs[i], Label: pairs[i+1]})
	}
	return out
}

func settingFields() []providers.Setting {
	return append(orderSettings(), wireSettings()...)
}

func orderSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "account_currency", Item: "WUPEX-CUR-1", Label: "Account currency", Pattern: `^[A-Z]{3,5}$`,
			Help: "WUPEX never states it. Set it from WUPEX's written word; until then figures say \"currency not stated\"."},
		{Name: "spendable_field", Item: "WUPEX-BAL-2", Label: "What can be spent", Default: "creditBalance",
			Options: options("creditBalance", "The combined figure WUPEX gives", "sum", "Balance plus credit, added here", "balance", "The balance alone")},
		{Name: "buyable_rule", Item: "WUPEX-PROD-4", Label: "A product is in stock when", Default: "both",
			Options: options("both", "both stock figures say so", "available", "\"available\" says so", "balance", "\"balance\" says so")},
		{Name: "product_extra_fields", Item: "WUPEX-PROD-3", Label: "Product id and retail price", Default: "show",
			Options: options("show", "Show them", "ignore", "Ignore them")},
		{Name: "codes_source", Item: "WUPEX-ORD-2", Label: "Codes are taken from", Default: "detail",
			Options: options("detail", "the order's detail only", "answer", "the order's detail, and from the order's answer while the detail has none")},
		{Name: "allow_take_all", Item: "WUPEX-ORD-4", Label: "Send allowTakeAll", Default: "off",
			Options: options("off", "No", "on", "Yes: a part of the order may be accepted"),
			Help:    "No page explains it. Its name suggests that WUPEX may deliver and charge a part."},
		{Name: "stock_error_status", Item: "WUPEX-ORD-5", Label: "INSUFFICIENT_STOCK is a refusal", Default: "any_4xx",
			Options: options("any_4xx", "under any 4xx status", "409", "under 409 only")},
		{Name: "funds_error", Item: "WUPEX-ORD-6", Label: "Code for too little money", Default: "INSUFFICIENT_BALANCE", Pattern: `^[A-Z][A-Z_]{2,39}$`},
		{Name: "resend_on_429", Item: "WUPEX-ORD-7", Label: "An order answered 429", Default: "not_processed",
			Help:    "In live it has an unknown outcome until two admins have confirmed WUPEX-ORD-7.",
			Options: options("not_processed", "was not processed and may be sent again", "unknown", "has an unknown outcome")},
		{Name: "detail_shape", Item: "WUPEX-DET-1", Label: "Codes in an order's detail", Default: "groups",
			Options: options("groups", "in data.orderData[].serials[]", "flat", "in data.serials[]")},
		{Name: "detail_sku_source", Item: "WUPEX-DET-2", Label: "The SKU of a code", Default: "group",
			Options: options("group", "stands on the code or its group", "line", "is the one that was ordered")},
		{Name: "empty_serials_state", Item: "WUPEX-DET-3", Label: "An order without codes", Default: "pending",
			Options: options("pending", "is pending: ask again", "alert", "is a case for staff")},
	}
}

func wireSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "order_list_fields", Item: "WUPEX-LIST-1", Label: "Keys of the order list", Default: "any_case",
			Options: options("any_case", "in any letter case", "exact", "exactly as assumed")},
		{Name: "order_sort_values", Item: "WUPEX-LIST-2", Label: "Sort words", Default: "upper", Options: options("upper", "DESC and ASC", "lower", "desc and asc")},
		{Name: "order_date_format", Item: "WUPEX-LIST-2", Label: "Order dates", Default: "rfc3339",
			Options: options("rfc3339", "are RFC 3339 in UTC", "raw", "are shown as they come")},
		{Name: "balance_envelope", Item: "WUPEX-BAL-1", Label: "Balance answer", Default: "either",
			Options: options("either", "wrapped or bare", "wrapped", "wrapped only", "bare", "bare only")},
		{Name: "page_defaults", Item: "WUPEX-PROD-2", Label: "Page size asked for", Default: "100", Options: options("20", "20", "50", "50", "100", "100")},
		{Name: "error_fallbacks", Item: "WUPEX-ENVL-2", Label: "Error text", Default: "message",
			Options: options("message", "from error.message, else from a top-level message", "error_only", "from error.message only")},
		{Name: "user_agent", Item: "WUPEX-AUTH-3", Label: "User-Agent", Default: "merchant-console/1.0", Pattern: `^[A-Za-z0-9._-]{1,40}/[A-Za-z0-9._-]{1,20}$`},
		{Name: "retry_policy", Item: "WUPEX-RETRY-1", Label: "Repeat reads on 429 and 5xx", Default: "documented",
			Options: options("documented", "up to 5 tries, 0.5 s doubling", "none", "no: our own schedule asks again")},
		{Name: "honour_retry_after", Item: "WUPEX-RETRY-2", Label: "Retry-After", Default: "on", Options: options("on", "Honoured, up to 10 s", "off", "Ignored")},
		{Name: "rate_cap", Item: "WUPEX-RATE-1", Label: "Calls a second", Default: "5", Pattern: `^([1-9]|[1-9]\d|100)$`},
		{Name: "timeouts", Item: "WUPEX-TIME-1", Label: "Seconds to wait, reads/orders", Default: "30/60", Pattern: `^[1-9]\d{0,2}/[1-9]\d{0,2}$`},
	}
}

// readSettings takes every setting, checked against its choices: a wrong one is an error, never a silent default.
func readSettings(d *providers.Description, cfg providers.Config) (settings, error) {
	get := map[string]string{}
	for _, s := range d.Settings {
		v := cfg.Setting(d, s.Name)
		ok := v == "" || s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(v)
		if len(s.Options) > 0 {
			ok = slices.ContainsFunc(s.Options, func(o providers.Option) bool { return o.Value == v })
		}
		if !ok {
			return settings{}, models.FieldErrorf(s.Name, "%s: this is not one of the choices.", s.Label)
		}
		get[s.Name] = v
	}
	out := settings{
		userAgent: get["user_agent"], topMessage: get["error_fallbacks"] == "message", extraFields: get["product_extra_fields"] == "show",
		buyable: get["buyable_rule"], codesInAnswer: get["codes_source"] == "answer", takeAll: get["allow_take_all"] == "on",
		stockAny4xx: get["stock_error_status"] == "any_4xx", fundsCode: get["funds_error"], limitedIsNot: get["resend_on_429"] == "not_processed",
		anyCase: get["order_list_fields"] == "any_case", newest: "DESC", oldest: "ASC", readDates: get["order_date_format"] == "rfc3339",
		detailFlat: get["detail_shape"] == "flat", skuOfLine: get["detail_sku_source"] == "line", emptyAlerts: get["empty_serials_state"] == "alert",
		envelope: get["balance_envelope"], spendable: get["spendable_field"], currency: get["account_currency"],
		repeatReads: get["retry_policy"] == "documented", retryAfter: get["honour_retry_after"] == "on",
	}
	if get["order_sort_values"] == "lower" {
		out.newest, out.oldest = "desc", "asc"
	}
	if out.currency == "" {
		out.currency = models.Unstated
	} else if _, known := models.AssetByCode(out.currency); !known {
		return settings{}, models.FieldErrorf("account_currency", "%s is not a currency this product knows.", out.currency)
	}
	out.pageSize, _ = strconv.Atoi(get["page_defaults"])
	rate, _ := strconv.Atoi(get["rate_cap"])
	out.perSecond = float64(rate)
	reads, orders, _ := strings.Cut(get["timeouts"], "/")
	out.readTimeout, out.orderTimeout = seconds(reads), seconds(orders)
	return out, nil
}

// checkSettings applies, before settings are saved, what their patterns cannot say.
func checkSettings(settings map[string]string) []models.Problem {
	if c := settings["account_currency"]; c != "" {
		if _, known := models.AssetByCode(c); !known || c == models.Unstated {
			return []models.Problem{{Field: "account_currency", Sentence: "This is not a currency that the product knows."}}
		}
	}
	return nil
}

func seconds(text string) time.Duration {
	n, _ := strconv.Atoi(text)
	return time.Duration(n) * time.Second
}
