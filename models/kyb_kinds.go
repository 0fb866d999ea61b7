package models

import (
	"slices"
	"strings"
	"unicode"
)

// CompanyType is what kind of company a KYB case is about; the requirement lists of providers hang on it.
type CompanyType string

// DocumentKind is what a document is, in our words. Providers' requirements name kinds, so that one document serves many providers.
type DocumentKind string

// Choice is one value of a closed list with its words.
type Choice struct {
	Value, Label, Help string
}

// CompanyTypes lists the types.
func CompanyTypes() []Choice {
	return []Choice{{"corporate", "Company", "limited or public, trades goods or services"}, {"partnership", "Partnership", "partners who are liable themselves"},
		{"financial", "Financial institution", "licensed and supervised"}, {"exempt_financial", "Exempt financial institution", "works in finance under an exemption"}}
}

// DocumentKinds lists the kinds in the order of forms.
func DocumentKinds() []Choice {
	return []Choice{{"incorporation", "Certificate of incorporation", ""}, {"register", "Extract of the company register", ""}, {"articles", "Articles of association", ""},
		{"shareholders", "Register of shareholders", "who owns how much, down to people"}, {"directors", "Register of directors", ""},
		{"identity", "Passport or identity card", "of a director or owner"}, {"address_person", "Proof of a person's address", "not older than three months"},
		{"address_company", "Proof of the company's address", "not older than three months"}, {"bank", "Bank statement", "the company's own account"},
		{"licence", "Licence", "of the supervisor"}, {"exemption", "Letter of exemption", ""}, {"tax", "Tax certificate", ""}, {"aml", "Policy against money laundering", ""},
		{"resolution", "Resolution of the board", "who may act for the company"}, {"accounts", "Annual accounts", ""}, {"other", "Something else", "an answer to a question, for example"}}
}

// Label gives the words of a value of a closed list, or the value itself.
func Label[T ~string](list []Choice, v T) string {
	for _, c := range list {
		if c.Value == string(v) {
			return c.Label
		}
	}
	return string(v)
}

// Known reports whether a closed list has the value.
func Known[T ~string](list []Choice, v T) bool {
	return slices.ContainsFunc(list, func(c Choice) bool { return c.Value == string(v) })
}

// GuessKind proposes a kind by a file's name. It is a proposal in a form, never a decision.
func GuessKind(name string) DocumentKind {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, g := range []struct {
		kind  DocumentKind
		words []string
	}{{"identity", []string{"passport", "identity", "id", "idcard"}}, {"incorporation", []string{"incorporation", "coi", "formation"}}, {"articles", []string{"articles", "memorandum", "bylaws", "statutes"}},
		{"shareholders", []string{"shareholders", "shareholder", "owners", "ownership", "ubo", "cap"}}, {"directors", []string{"directors", "director", "officers"}},
		{"licence", []string{"licence", "license"}}, {"exemption", []string{"exemption", "exempt"}}, {"tax", []string{"tax", "vat", "tin"}}, {"aml", []string{"aml", "laundering"}},
		{"resolution", []string{"resolution", "minutes"}}, {"accounts", []string{"accounts", "balance", "audited", "financials"}}, {"bank", []string{"bank", "statement"}},
		{"address_company", []string{"utility", "lease", "address", "office", "rent"}}, {"register", []string{"register", "registry", "extract", "registration"}}} {
		for _, w := range words {
			if slices.Contains(g.words, w) {
				return g.kind
			}
		}
	}
	return ""
}
