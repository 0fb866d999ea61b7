package wspn

import (
	"context"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// accountMember ties a field of ours to a member of P-RADD and P-REDIT.
type accountMember struct {
	field, member, label string
	max                  int
	required             bool
	intermediary         bool
}

// accountMembers is the table of the contract, 4.2, but for the flag and the country, which are not plain text.
func accountMembers() []accountMember {
	return []accountMember{
		{"beneficiary_name", "beneficiaryName", "Beneficiary", 255, true, false},
		{"beneficiary_address", "beneficiaryAddress", "Address of the beneficiary", 255, true, false},
		{"bank_name", "beneficiaryBankName", "Bank", 255, true, false},
		{"account", "beneficiaryAccount", "Account number or IBAN", 255, true, false},
		{"currency", "currency", "Currency", 3, true, false},
		{"bank_swift", "beneficiaryBankSwiftCode", "SWIFT code", 11, true, false},
		{"bank_city", "beneficiaryBankCity", "City of the bank", 255, false, false},
		{"bank_address", "beneficiaryBankAddress", "Address of the bank", 255, true, false},
		{"intermediary_name", "intermediaryBankName", "Intermediary bank", 255, true, true},
		{"intermediary_account", "intermediaryBankAccount", "Account at the intermediary bank", 255, true, true},
		{"intermediary_swift", "intermediaryBankSwiftCode", "SWIFT code of the intermediary bank", 11, true, true},
		{"intermediary_city", "intermediaryBankCity", "City of the intermediary bank", 255, false, true},
		{"intermediary_address", "intermediaryBankAddress", "Address of the intermediary bank", 255, true, true},
	}
}

// accountFields is what a form for a bank account asks.
func accountFields() []providers.Field {
	var out []providers.Field
	for _, m := range accountMembers() {
		f := providers.Field{Name: m.field, Label: m.label, MaxLen: m.max, Required: m.required && !m.intermediary}
		switch m.field {
		case "beneficiary_name":
			f.Role = providers.RoleOwner
		case "account":
			f.Role = providers.RoleAccount
		case "bank_name":
			f.Role = providers.RoleBank
		case "currency":
			f.Role = providers.RoleCurrency
			f.Pattern, f.PatternHelp = `^[A-Z]{3}$`, "Three letters, for example USD."
			f.Help = "WSPN pays this account in this currency only."
		case "bank_swift", "intermediary_swift":
			f.Pattern, f.PatternHelp = `^[A-Za-z0-9]{8}([A-Za-z0-9]{3})?$`, "8 or 11 letters and digits."
		}
		if m.field == "intermediary_name" {
			out = append(out, providers.Field{Name: "intermediary", Label: "There is an intermediary bank", Kind: providers.Checkbox, Item: "WSPN-REM-1",
				Help: "Then its fields are required, but for the city."}, countryField("intermediary_country", "Country of the intermediary bank", false))
		}
		out = append(out, f)
		if m.field == "beneficiary_address" {
			out = append(out, countryField("bank_country", "Country of the bank", true))
		}
	}
	return out
}

func countryField(name, label string, required bool) providers.Field {
	return providers.Field{Name: name, Label: label, Required: required, MaxLen: 3, Pattern: `^[A-Z]{2,3}$`, PatternHelp: "Two or three letters, for example SG or SGP.",
		Item: "WSPN-CTRY-1"}
}

// BankAccounts lists the registered accounts. Its path is a guess (WSPN-PATH-1).
func (c *client) BankAccounts(ctx context.Context) ([]providers.Entry, error) {
	list, e := c.listAll(ctx, remitSearch)
	if e != nil {
		return nil, readError("WSPN's list of bank accounts", e)
	}
	var out []providers.Entry
	for _, o := range list {
		out = append(out, c.accountEntry(o))
	}
	return out, nil
}

func (c *client) accountEntry(o object) providers.Entry {
	word := clean(o.text("status"), 64)
	e := providers.Entry{ID: idText(o), State: word, Usable: c.usable("account", word), Values: map[string]string{}, Raw: o.raw()}
	set := func(field, value string) {
		if value = clean(value, 255); value != "" {
			e.Values[field] = value
		}
	}
	for _, m := range accountMembers() {
		set(m.field, o.text(m.member))
	}
	set("bank_country", o.text("beneficiaryBankCountry"))
	set("intermediary_country", o.text("intermediaryBankCountry"))
	if o["isIntermediaryRequired"] == true || o.text("isIntermediaryRequired") == "true" {
		e.Values["intermediary"] = "1"
	}
	return e
}

// AddBankAccount registers an account (P-RADD). A lost answer is settled by listing.
func (c *client) AddBankAccount(ctx context.Context, ref string, values map[string]string) providers.Outcome {
	body, out := c.accountBody(remitAdd, ref, values)
	if out != nil {
		return out
	}
	return c.saveAccount(ctx, call{at: remitAdd, body: body, flat: !c.set.remitWrapped}, values)
}

// EditBankAccount changes an account (P-REDIT). Whether the name may change is not clear: it is sent unchanged, or not at all (WSPN-REM-1).
func (c *client) EditBankAccount(ctx context.Context, ref string, e providers.Entry, values map[string]string) providers.Outcome {
	body, out := c.accountBody(remitEdit, ref, values)
	if out != nil {
		return out
	}
	id := parseID(e.ID)
	if id == 0 {
		return notSent("To change an account, WSPN needs its number.")
	}
	if was := e.Values["beneficiary_name"]; was != "" && was != strings.TrimSpace(values["beneficiary_name"]) {
		return notSent("The beneficiary's name of an account cannot be changed: register another account.")
	}
	body["id"] = id
	if !c.set.remitSendsName {
		delete(body, "beneficiaryName")
	}
	return c.saveAccount(ctx, call{at: remitEdit, body: body}, values)
}

// DeleteBankAccount takes an account off the list (P-RDEL).
func (c *client) DeleteBankAccount(ctx context.Context, ref string, e providers.Entry) providers.Outcome {
	return c.deleteEntry(ctx, remitDelete, ref, e)
}

// saveAccount makes the call. That Add and Edit answer with the record is a guess (WSPN-RESP-1): a record that is there must be ours.
func (c *client) saveAccount(ctx context.Context, k call, values map[string]string) providers.Outcome {
	a, e := c.do(ctx, k)
	if e != nil {
		return c.outcomeOf(e)
	}
	if !c.set.recordAnswers {
		return providers.Accepted{Raw: a.raw}
	}
	res := a.child("result")
	if wrong := echoed(res, nil, map[string]string{"beneficiaryAccount": strings.TrimSpace(values["account"]), "currency": strings.TrimSpace(values["currency"])}); wrong != "" {
		return unknown(a, "WSPN said success, but not of this account: %s", wrong)
	}
	word := clean(res.text("status"), 64)
	return providers.Accepted{ProviderRef: idText(res), Status: providers.Status{Word: word, ProviderRef: idText(res)}, Raw: a.raw}
}

// accountBody checks the values and writes the members.
func (c *client) accountBody(at endpoint, ref string, values map[string]string) (map[string]any, providers.Outcome) {
	if why := c.locked(at); why != "" {
		return nil, notSent("%s", why)
	}
	if !validReference(ref) {
		return nil, notSent("The reference must be 1 to 64 letters, digits and hyphens.")
	}
	clean := trimmedValues(values)
	ps := providers.CheckFields(accountFields(), clean)
	between := ticked(clean["intermediary"])
	body := map[string]any{"requestId": ref, "bankType": "SWIFT", "isIntermediaryRequired": between}
	for _, m := range accountMembers() {
		switch {
		case m.intermediary && !between:
			continue
		case m.intermediary && clean[m.field] == "" && c.intermediaryNeeds(m):
			ps = append(ps, models.Problem{Field: m.field, Sentence: m.label + " is missing."})
		}
		put(body, m.member, clean[m.field])
	}
	for field, member := range map[string]string{"bank_country": "beneficiaryBankCountry", "intermediary_country": "intermediaryBankCountry"} {
		v := clean[field]
		if v == "" && field == "intermediary_country" && (!between || c.set.intermediary == "none") || field == "intermediary_country" && !between {
			continue
		}
		code := countryCode(v, c.set.countriesAlpha2)
		if code == "" {
			ps = append(ps, models.Problem{Field: field, Sentence: quote(v) + " is no country code."})
			continue
		}
		body[member] = code
	}
	return body, refuseProblems(ps)
}

func (c *client) intermediaryNeeds(m accountMember) bool {
	switch c.set.intermediary {
	case "all":
		return true
	case "none":
		return false
	}
	return m.required
}

// canonical is Description.Canonical: countries as three letters and SWIFT codes in capitals, because the other side may spell them otherwise
// (WSPN-CTRY-1).
func canonical(_ models.Book, values map[string]string) map[string]string {
	for _, name := range []string{"bank_country", "intermediary_country"} {
		if code := countryCode(strings.ToUpper(values[name]), false); code != "" {
			values[name] = code
		}
	}
	for _, name := range []string{"bank_swift", "intermediary_swift", "currency"} {
		if v, ok := values[name]; ok {
			values[name] = strings.ToUpper(v)
		}
	}
	return values
}
