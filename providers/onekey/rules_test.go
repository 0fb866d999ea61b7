package onekey

import (
	"strings"
	"testing"

	"countinghouse/models"
)

func TestCheckDigits(t *testing.T) {
	for name, row := range map[string]struct {
		valid func(string) bool
		good  []string
		bad   []string
	}{
		"CPF": {validCPF, []string{"52998224725", "11144477735"}, []string{"52998224724", "52998224715", "11111111111", "00000000000", "5299822472", "529982247250", "5299822472a", "٥٢٩٩٨٢٢٤٧٢٥", ""}},
		// The contract gives these two.
		"CLABE": {validCLABE, []string{"021790064060296642"}, []string{"021790064060296643", "02179006406029664", "0217900640602966420", "", "o21790064060296642"}},
		"CBU":   {validCBU, []string{"2850590940090418135201", "0000003110001000000004"}, []string{"2850590940090418135202", "2850590840090418135201", "285059094009041813520", ""}},
		"RUT":   {validRUT, []string{"123456785", "111111111", "10000013K", "10000013k"}, []string{"123456784", "12345678K", "1234567", "1234567890", "abcdefgh5", ""}},
	} {
		for _, s := range row.good {
			if !row.valid(s) {
				t.Errorf("%s %q is refused", name, s)
			}
		}
		for _, s := range row.bad {
			if row.valid(s) {
				t.Errorf("%s %q is accepted", name, s)
			}
		}
	}
}

// Every digit of a CLABE, a CPF and a CBU counts: changing any single one is noticed.
func TestEverySingleWrongDigitIsNoticed(t *testing.T) {
	for s, valid := range map[string]func(string) bool{"021790064060296642": validCLABE, "52998224725": validCPF, "2850590940090418135201": validCBU} {
		for i := range s {
			for d := byte('0'); d <= '9'; d++ {
				changed := s[:i] + string(d) + s[i+1:]
				if d != s[i] && valid(changed) {
					t.Errorf("%s with digit %d changed to %c is accepted", s, i, d)
				}
			}
		}
	}
}

// The printed examples of contract 5.1.
func TestBrazilianAccountsAreCheckedByBankAndOnlyWhereThePatternIsKnown(t *testing.T) {
	for name, row := range map[string]struct {
		bank, account string
		set           map[string]string
		ok            bool
	}{
		"Banco do Brasil":               {"001", "3423422-7", nil, true},
		"Banco do Brasil with X":        {"001", "3423422X", nil, true},
		"Banco do Brasil, letters":      {"001", "3423a22-7", nil, false},
		"Santander short":               {"033", "123456-7", nil, false},
		"Santander":                     {"033", "12345678", nil, true},
		"Banrisul":                      {"041", "123456789-0", nil, true},
		"Banrisul short":                {"041", "12345678-0", nil, false},
		"Caixa":                         {"104", "12345678901234-5", nil, true},
		"Bradesco":                      {"237", "1234567-8", nil, true},
		"Bradesco long":                 {"237", "12345678-9", nil, false},
		"Mercado Pago, 11 digits":       {"323", "12345678901", nil, true}, // OKP-BR-1
		"Mercado Pago as printed":       {"323", "12345678901", map[string]string{"br_account_patterns": "printed"}, false},
		"Itaú":                          {"341", "12345-6", nil, true},
		"Itaú long":                     {"341", "1234567", nil, false},
		"Itaú long, patterns off":       {"341", "1234567", map[string]string{"br_account_patterns": "off"}, true},
		"a bank outside the table":      {"260", "anything 1", nil, true},
		"an ISPB is outside as well":    {"90400888", "1", nil, true},
		"a pseudo bank code is no bank": {"10002", "1", nil, false},
	} {
		r := bankPayout()
		r.Values["bank_code"], r.Values["bank_account"] = row.bank, row.account
		m, _ := method("br_bank")
		if ps := checkRequest(row.set, m, r.Amount, r.Values); (len(ps) == 0) != row.ok {
			t.Errorf("%s: %v", name, ps)
		}
	}
}

func TestSavingsInBrazilWaitForTheSetting(t *testing.T) {
	m, _ := method("br_bank")
	r := bankPayout()
	r.Values["account_type"] = "S"
	if ps := checkRequest(nil, m, r.Amount, r.Values); len(ps) != 1 || !strings.Contains(ps[0].Sentence, "OKP-BR-1") {
		t.Errorf("%v", ps)
	}
	if ps := checkRequest(map[string]string{"br_account_types": "C,S"}, m, r.Amount, r.Values); len(ps) != 0 {
		t.Errorf("%v", ps)
	}
}

func TestARequestIsHeldToItsCountry(t *testing.T) {
	for name, row := range map[string]struct {
		method string
		amount models.Money
		set    map[string]string
		change map[string]string
		field  string // of the first problem; empty: none
	}{
		"Chile":                          {"cl_bank", models.Money{Minor: 5000, Asset: "CLP"}, nil, nil, ""},
		"Chile, wrong RUT":               {"cl_bank", models.Money{Minor: 5000, Asset: "CLP"}, nil, map[string]string{"document_id": "123456784"}, "document_id"},
		"Chile, an ID has no check":      {"cl_bank", models.Money{Minor: 5000, Asset: "CLP"}, nil, map[string]string{"document_id": "123456784", "document_type": "ID"}, ""},
		"Chile, unknown bank":            {"cl_bank", models.Money{Minor: 5000, Asset: "CLP"}, nil, map[string]string{"bank_code": "002"}, "bank_code"},
		"Chile, short account":           {"cl_bank", models.Money{Minor: 5000, Asset: "CLP"}, nil, map[string]string{"bank_account": "12345"}, "bank_account"},
		"Chile in reais":                 {"cl_bank", models.Money{Minor: 5000, Asset: "BRL"}, nil, nil, "amount"},
		"Mexico":                         {"mx_clabe", models.Money{Minor: 5000, Asset: "MXN"}, nil, nil, ""},
		"Mexico, wrong CLABE":            {"mx_clabe", models.Money{Minor: 5000, Asset: "MXN"}, nil, map[string]string{"bank_account": "021790064060296643"}, "bank_account"},
		"Mexico, rules off":              {"mx_clabe", models.Money{Minor: 5000, Asset: "MXN"}, map[string]string{"country_rules": "off"}, map[string]string{"bank_account": "021790064060296643"}, ""},
		"Mexico, no last name":           {"mx_clabe", models.Money{Minor: 5000, Asset: "MXN"}, nil, map[string]string{"beneficiary_lastname": ""}, "beneficiary_lastname"},
		"Colombia":                       {"co_bank", models.Money{Minor: 5000, Asset: "COP"}, nil, nil, ""},
		"Colombia, NIT too short":        {"co_bank", models.Money{Minor: 5000, Asset: "COP"}, nil, map[string]string{"document_type": "NIT", "document_id": "1234567"}, "document_id"},
		"Nequi":                          {"co_nequi", models.Money{Minor: 5000, Asset: "COP"}, nil, nil, ""},
		"Argentina":                      {"ar_cbu", models.Money{Minor: 5000, Asset: "ARS"}, nil, nil, ""},
		"Argentina, wrong CBU":           {"ar_cbu", models.Money{Minor: 5000, Asset: "ARS"}, nil, map[string]string{"bank_account": "2850590940090418135202"}, "bank_account"},
		"Argentina, wrong CBU, no check": {"ar_cbu", models.Money{Minor: 5000, Asset: "ARS"}, map[string]string{"cbu_check": "no"}, map[string]string{"bank_account": "2850590940090418135202"}, ""},
		"Argentina, 10-digit CUIT":       {"ar_cbu", models.Money{Minor: 5000, Asset: "ARS"}, nil, map[string]string{"document_type": "CUIT", "document_id": "1234567890"}, "document_id"},
		"Peru":                           {"pe_cci", models.Money{Minor: 5000, Asset: "PEN"}, nil, nil, ""},
		"Peru, DNI of 9":                 {"pe_cci", models.Money{Minor: 5000, Asset: "PEN"}, nil, map[string]string{"document_id": "123456789"}, "document_id"},
		"Peru, RUC of 11":                {"pe_cci", models.Money{Minor: 5000, Asset: "PEN"}, nil, map[string]string{"document_type": "RUC", "document_id": "20123456789"}, ""},
		"Brazil, zero":                   {"br_pix_cpf", models.Money{Asset: "BRL"}, nil, nil, "amount"},
		"Brazil, bad CPF":                {"br_pix_cpf", models.Money{Minor: 1, Asset: "BRL"}, nil, map[string]string{"document_id": "52998224724"}, "document_id"},
		"Brazil, phone without country":  {"br_pix_phone", models.Money{Minor: 1, Asset: "BRL"}, nil, map[string]string{"phone": "11666666666"}, "phone"},
		"Brazil, e-mail with a space":    {"br_pix_email", models.Money{Minor: 1, Asset: "BRL"}, nil, map[string]string{"email": "a b@example.com"}, "email"},
		"Brazil, a field of another way": {"br_pix_cpf", models.Money{Minor: 1, Asset: "BRL"}, nil, map[string]string{"bank_account": "1"}, "bank_account"},
		"Brazil, a NUL in the name":      {"br_pix_cpf", models.Money{Minor: 1, Asset: "BRL"}, nil, map[string]string{"beneficiary_name": "a\x00b"}, "beneficiary_name"},
	} {
		m, ok := method(row.method)
		if !ok {
			t.Fatalf("no method %s", row.method)
		}
		v := PayoutValues(row.method)
		for k, x := range row.change {
			v[k] = x
		}
		ps := checkRequest(row.set, m, row.amount, v)
		if (len(ps) == 0) != (row.field == "") || (len(ps) > 0 && ps[0].Field != row.field) {
			t.Errorf("%s: %v, want a problem with %q", name, ps, row.field)
		}
	}
}

// What the demonstration draws passes the contract's own rules, whichever examples meet.
func TestExamplesAreRightValues(t *testing.T) {
	for _, m := range withExamples(methods()) {
		if m.Locked != "" || len(m.Assets) == 0 {
			continue
		}
		for i := range 12 {
			v := map[string]string{}
			for _, f := range m.Fields {
				switch {
				case len(f.Examples) > 0:
					v[f.Name] = f.Examples[i%len(f.Examples)]
				case f.Role == "owner" || f.Role == "lastname":
					v[f.Name] = "Souza"
				case f.Kind == "email":
					v[f.Name] = "ana@example.com"
				case len(f.Options) > 0:
					v[f.Name] = f.Options[i%len(f.Options)].Value
				}
			}
			if ps := checkRequest(nil, m, models.Money{Minor: 100, Asset: m.Assets[0]}, v); len(ps) > 0 {
				t.Errorf("%s %v: %v", m.ID, v, ps)
			}
		}
	}
}
