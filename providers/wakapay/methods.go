package wakapay

import (
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// country is one of the four that WakaPay names (P4, P7). Its public FAQ serves Kenya and Tanzania only.
type country struct{ code, name, currency, prefix string }

func countries() []country {
	return []country{
		{"KE", "Kenya", "KES", "+254"}, {"TZ", "Tanzania", "TZS", "+255"}, {"UG", "Uganda", "UGX", "+256"}, {"ZA", "South Africa", "ZAR", "+27"},
	}
}

// test is the number in WakaPay's published test data (P2, P7); for the countries of which it names none, one that our stand-in knows.
func (c country) test(kind string) string {
	if kind == kindTill {
		return map[string]string{"KE": "888880", "TZ": "600000", "UG": "610000", "ZA": "620000"}[c.code]
	}
	return map[string]string{"KE": "123456", "TZ": "700000", "UG": "710000", "ZA": "720000"}[c.code]
}

func countryOf(code string) (country, bool) {
	for _, c := range countries() {
		if c.code == code {
			return c, true
		}
	}
	return country{}, false
}

func countryOptions() []providers.Option {
	var out []providers.Option
	for _, c := range countries() {
		out = append(out, providers.Option{Value: c.code, Label: c.name})
	}
	return out
}

// currencies are the five that WakaPay keeps wallets in (P5, P6).
func currencies() []string { return []string{"USD", "KES", "TZS", "UGX", "ZAR"} }

func knownCurrency(c string) bool {
	for _, x := range currencies() {
		if x == c {
			return true
		}
	}
	return false
}

const (
	phonePattern = `^\+[1-9][0-9]{7,14}$`
	phoneHelp    = "Write the number with + and country, digits only: +254700000001."
)

// The kinds of recipient, as the payout of WAKA-PAY-1 names them.
const (
	kindMobile  = "mobile_money"
	kindTill    = "till"
	kindPaybill = "paybill"
)

func methods() []providers.Method {
	var out []providers.Method
	for _, c := range countries() {
		for _, kind := range []string{kindMobile, kindTill, kindPaybill} {
			out = append(out, method(c, kind))
		}
	}
	return out
}

func method(c country, kind string) providers.Method {
	m := providers.Method{
		ID: strings.ToLower(c.code) + "_" + map[string]string{kindMobile: "mobile", kindTill: "till", kindPaybill: "paybill"}[kind], Kind: models.Payout,
		Country: c.code, Assets: []string{c.currency}, Mark: providers.Assumed, To: models.ToTill,
		Items:      []string{"WAKA-PAY-1", "WAKA-PAY-3", "WAKA-AMT-1", "WAKA-IDEM-2", "WAKA-STAT-2"},
		LockedLive: "WakaPay's payout page is not known to this product: nothing is sent in live until a version that knows it.",
		Note:       "The shape of this payout is made up by this product for its stand-in (WAKA-PAY-1). It cannot be recalled.",
	}
	name := providers.Field{Name: "name", Try: map[string]string{kindMobile: "Amina Mjema", kindTill: "Ugali Point", kindPaybill: "Ugali Point Paybill"}[kind], Label: "Name of the recipient", Required: true, MaxLen: 120, Role: providers.RoleOwner,
		Help: "Whom you expect to pay. It is compared with the name WakaPay has and not sent."}
	number := func(label, help string) providers.Field {
		return providers.Field{Name: "number", Label: label, Kind: providers.Digits, Required: true, MaxLen: 12, Pattern: `^[0-9]{3,12}$`,
			PatternHelp: label + " has 3 to 12 digits.", Help: help, Role: providers.RoleAccount, Try: c.test(kind)}
	}
	switch kind {
	case kindMobile:
		m.Title, m.To = "Mobile money "+c.name, models.ToMobile
		m.Fields = []providers.Field{{Name: "phone", Label: "Phone number", Kind: providers.Phone, Required: true, MaxLen: 16, Pattern: phonePattern,
			PatternHelp: phoneHelp, Help: "Numbers of " + c.name + " begin with " + c.prefix + ".", Role: providers.RoleAccount, Try: c.prefix + "700000001"}, name}
	case kindTill:
		m.Title = "Till " + c.name
		m.Fields = []providers.Field{number("Till number", "Leading zeros count."), name}
	case kindPaybill:
		m.Title = "Paybill " + c.name
		m.Fields = []providers.Field{number("Paybill number", "Leading zeros count."),
			{Name: "account_reference", Label: "Account reference", Required: true, MaxLen: 40, Pattern: `^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}$`,
				PatternHelp: "The account reference has letters, digits, spaces and . _ / - only.", Try: "ABC123", Help: "Which account at the payee: an invoice or customer number.",
				Role: providers.RoleAccount}, name}
	}
	return m
}

// kindOf reads the recipient's kind and country out of a method id.
func kindOf(methodID string) (c country, kind string, ok bool) {
	code, short, _ := strings.Cut(methodID, "_")
	kind = map[string]string{"mobile": kindMobile, "till": kindTill, "paybill": kindPaybill}[short]
	c, known := countryOf(strings.ToUpper(code))
	return c, kind, known && kind != "" && methodID == strings.ToLower(methodID)
}

// checkRequest holds what the forms cannot say. Whether a phone belongs to its country is a warning of the verification, never a refusal
// (contract 5.3).
func checkRequest(_ map[string]string, m providers.Method, amount models.Money, _ map[string]string) []models.Problem {
	if amount.Minor <= 0 {
		return []models.Problem{{Field: "amount", Sentence: "The amount must be above zero."}}
	}
	if len(m.Assets) == 1 && m.Assets[0] != amount.Asset {
		return []models.Problem{{Field: "asset", Sentence: m.Title + " is paid in " + m.Assets[0] + "."}}
	}
	return nil
}
