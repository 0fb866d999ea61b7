package providers

import (
	"cmp"

	"countinghouse/models"
)

// sampleAmounts are amounts that look like an ordinary payment, in major units, where 120 of the asset do not.
var sampleAmounts = map[string]string{"ARS": "45000.00", "CLP": "52000", "COP": "180000.00", "JPY": "15000", "KES": "2400.00", "TZS": "46000.00", "UGX": "70000", "RUB": "4200.00", "MXN": "1900.00",
	"ETH": "0.05", "BTC": "0.002", "ZAR": "900.00"}

// Sample is a made-up payment that passes the rules of a way, for people who try it in sandbox: an amount, its asset, and values for the fields that
// are needed. What the provider itself must name (a field with a look-up) and files are left to be chosen.
func (m Method) Sample() (amount, asset string, values map[string]string) {
	asset = "USD"
	if len(m.Assets) > 0 {
		asset = m.Assets[0]
	}
	amount = cmp.Or(sampleAmounts[asset], "120.00")
	if low, err := models.ParseMoney(cmp.Or(m.Minimum, "0"), asset); err == nil {
		if have, err := models.ParseMoney(amount, asset); err == nil && have.Minor < low.Minor {
			amount = low.Plain()
		}
	}
	values = map[string]string{}
	for _, f := range m.Fields {
		if v := f.sample(); v != "" {
			values[f.Name] = v
		}
	}
	return amount, asset, values
}

// sample is a value that the field takes; empty where one is not needed or only the provider can say.
func (f Field) sample() string {
	switch {
	case f.Try != "":
		return f.Try
	case len(f.Examples) > 0:
		return f.Examples[0]
	case f.Lookup != "" || f.Kind == Files || !f.Required:
		return ""
	case f.Default != "":
		return f.Default
	case len(f.Options) > 0:
		return f.Options[0].Value
	}
	tries := []string{"customer-7", "Invoice 4711", "4111111111111111", "1234567890", "+5511987654321", "ana.souza@example.com", "0x27b1fdb04752bbc536007a920d24acb045561c26", "2026-01-31",
		"https://example.com/", "USD", "SGP", "1"}
	switch f.Role {
	case RoleOwner:
		tries = append([]string{"Ana Souza", "Ana"}, tries...)
	case RoleLastName:
		tries = append([]string{"Souza"}, tries...)
	case RoleBank:
		tries = append([]string{"Example Bank"}, tries...)
	case RoleAccount:
		tries = append([]string{"1234567890", "4111111111111111"}, tries...)
	}
	for _, v := range tries {
		if _, err := f.Clean(v); err == nil {
			return v
		}
	}
	return ""
}
