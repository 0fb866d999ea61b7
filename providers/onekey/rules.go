package onekey

import (
	"regexp"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// checkRequest applies the contract's own rules (section 5) to a request before anybody approves it. It is pure.
func checkRequest(set map[string]string, m providers.Method, amount models.Money, values map[string]string) []models.Problem {
	var ps []models.Problem
	if len(m.Assets) > 0 && !slices.Contains(m.Assets, amount.Asset) {
		ps = append(ps, models.Problem{Field: "amount", Sentence: m.Title + " is paid in " + strings.Join(m.Assets, " or ") + "."})
	}
	if amount.Minor <= 0 {
		ps = append(ps, models.Problem{Field: "amount", Sentence: "The amount must be above zero."})
	}
	if ps = append(ps, providers.CheckFields(m.Fields, values)...); len(ps) > 0 {
		return ps
	}
	return countryProblems(choice(set), m, values)
}

// choice reads a setting or its default without a whole configuration.
func choice(set map[string]string) func(string) string {
	return func(name string) string {
		if v := set[name]; v != "" {
			return v
		}
		for _, s := range contractSettings() {
			if s.Name == name {
				return s.Default
			}
		}
		return ""
	}
}

// countryProblems holds the rules that a pattern cannot say: check digits, and what depends on another field.
func countryProblems(set func(string) string, m providers.Method, v map[string]string) []models.Problem {
	one := func(ok bool, field, sentence string) []models.Problem {
		if ok {
			return nil
		}
		return []models.Problem{{Field: field, Sentence: sentence}}
	}
	switch {
	case m.Country == "BR" && m.Kind == models.Payout:
		return brazilProblems(set, m, v)
	case m.Country == "BR" && v["document"] != "":
		return one(validCPF(v["document"]), "document", "This CPF is not valid: its check digits do not fit.")
	case m.ID == "cl_bank":
		ok := v["document_type"] == "ID" || validRUT(v["document_id"])
		return one(ok, "document_id", "This "+v["document_type"]+" is not valid: its check character does not fit.")
	}
	if set("country_rules") == "off" {
		return nil
	}
	switch m.ID {
	case "mx_clabe":
		return one(validCLABE(v["bank_account"]), "bank_account", "This CLABE is not valid: its check digit does not fit.")
	case "ar_cbu":
		ps := one(set("cbu_check") == "no" || validCBU(v["bank_account"]), "bank_account", "This CBU is not valid: its check digits do not fit.")
		return append(ps, documentProblem("AR", v)...)
	case "co_bank":
		// These pseudo codes take no account at all, and Nequi and Daviplata a mobile number (contract 5.4): an account must not go with them.
		ps := one(!slices.Contains([]string{"10001", "10002", "10003", "1507", "1551"}, strings.TrimLeft(v["bank_code"], "0")), "bank_code",
			"This code is no bank with accounts. For Nequi and Daviplata use their own methods.")
		return append(ps, documentProblem("CO", v)...)
	case "co_nequi", "co_daviplata":
		return documentProblem("CO", v)
	case "pe_cci":
		return documentProblem("PE", v)
	}
	return nil
}

func brazilProblems(set func(string) string, m providers.Method, v map[string]string) (ps []models.Problem) {
	if !validCPF(v["document_id"]) {
		ps = append(ps, models.Problem{Field: "document_id", Sentence: "This CPF is not valid: its check digits do not fit."})
	}
	if m.ID != "br_bank" {
		return ps
	}
	if !slices.Contains(strings.Split(set("br_account_types"), ","), v["account_type"]) {
		ps = append(ps, models.Problem{Field: "account_type", Sentence: "This credential's settings do not allow that account type (OKP-BR-1)."})
	}
	if bank, p := brazilAccount(set("br_account_patterns"), v["bank_code"]); p != "" && !regexp.MustCompile(p).MatchString(v["bank_account"]) {
		ps = append(ps, models.Problem{Field: "bank_account", Sentence: "This is not an account of " + bank + ": write its digits, a dash and the check digit."})
	}
	return ps
}

// brazilAccount gives the pattern of a bank's accounts (contract 5.1). Banks outside the table have none: a guess must not stop a payout.
func brazilAccount(mode, code string) (bank, pattern string) {
	if mode == "off" {
		return "", ""
	}
	row := map[string][2]string{
		"001": {"Banco do Brasil", `^\d{1,9}(-)?[\dxX]$`},
		"033": {"Santander", `^\d{7,8}(-)?[\d]$`},
		"041": {"Banrisul", `^\d{9}(-)?[\d]$`},
		"104": {"Caixa", `^\d{1,14}(-)?[\d]$`},
		"237": {"Bradesco", `^\d{1,7}(-)?[\d]$`},
		"323": {"Mercado Pago", `^\d{1,10}-?\d$`}, // OKP-BR-1: as printed it refuses its own 11-digit examples
		"341": {"Itaú", `^\d{1,5}(-)?[\d]$`},
	}[code]
	if code == "323" && mode == "printed" {
		row[1] = `^\d{1,9}(-)?[\d]$`
	}
	return row[0], row[1]
}

// documentProblem checks the length of a document by its type (contract 5.5 and 5.4, sibling, OKP-CTY-1).
func documentProblem(country string, v map[string]string) []models.Problem {
	lengths := map[string]string{ //nolint:gosec // PASS is a passport
		"AR DNI": `^\d{7,9}$`, "AR CUIT": `^(\d{7,9}|\d{11})$`, "AR CUIL": `^(\d{7,9}|\d{11})$`,
		"CO CC": `^\d{6,10}$`, "CO CE": `^\d{6,10}$`, "CO NIT": `^\d{8,15}$`,
		"PE DNI": `^\d{8}$`, "PE CE": `^\d{9}$`, "PE RUC": `^\d{11}$`, "PE PASS": `^[A-Za-z0-9]{12}$`,
	}[country+" "+v["document_type"]]
	if lengths == "" || regexp.MustCompile(lengths).MatchString(v["document_id"]) {
		return nil
	}
	return []models.Problem{{Field: "document_id", Sentence: "A " + v["document_type"] + " does not have this length."}}
}
