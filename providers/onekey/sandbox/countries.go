package sandbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// bankCode normalises a code that may come as string or number: three digits, or eight for an ISPB.
func bankCode(v any) string {
	n := strings.TrimSpace(numeric(v))
	if !regexp.MustCompile(`^\d{1,8}$`).MatchString(n) {
		return ""
	}
	if len(n) < 3 {
		n = strings.Repeat("0", 3-len(n)) + n
	}
	return n
}

func (s *Sandbox) countryRules(m map[string]any) *fieldProblem {
	switch str(m, "country") {
	case "BR":
		return brazil(m)
	case "CL":
		return chile(m)
	case "MX":
		return mexico(m)
	case "CO":
		return colombia(m)
	case "AR":
		return argentina(m)
	case "PE":
		return peru(m)
	}
	return nil
}

func brazil(m map[string]any) *fieldProblem {
	if !cpfFits(str(m, "document_id")) {
		return wrong("documentId", "must be a valid CPF")
	}
	for key, name := range map[string]string{"bank_account": "bankAccount", "bank_branch": "bankBranch", "account_type": "accountType"} {
		if _, there := m[key].(string); !there {
			return wrong(name, "must not be null")
		}
	}
	if t := str(m, "account_type"); t != "C" && t != "S" {
		return wrong("accountType", "must be C or S")
	}
	code, account := bankCode(m["bank_code"]), str(m, "bank_account")
	switch code {
	case "10000":
		if str(m, "phone") == "" {
			return &fieldProblem{540, "E-mail or phone required"}
		}
		if !regexp.MustCompile(`^\+55\d{10,11}$`).MatchString(str(m, "phone")) {
			return &fieldProblem{543, "Invalid phone"}
		}
		return emptyAccount(m)
	case "10001":
		if str(m, "email") == "" {
			return &fieldProblem{540, "E-mail or phone required"}
		}
		if !regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[A-Za-z]+$`).MatchString(str(m, "email")) {
			return wrong("email", "must be an e-mail address")
		}
		return emptyAccount(m)
	case "10002":
		return emptyAccount(m)
	}
	b, known := brazilBank(code)
	switch {
	case !known:
		return &fieldProblem{303, "Invalid bank code"}
	case !b.licensed:
		return &fieldProblem{565, "Bank not licensed"}
	case str(m, "bank_branch") == "":
		return wrong("bankBranch", "must not be empty")
	}
	pattern := map[string]string{"001": `^\d{1,9}-?[\dxX]$`, "033": `^\d{7,8}-?\d$`, "041": `^\d{9}-?\d$`, "104": `^\d{1,14}-?\d$`, "237": `^\d{1,7}-?\d$`, "323": `^\d{1,10}-?\d$`, "341": `^\d{1,5}-?\d$`}[b.code]
	if pattern == "" {
		pattern = `^[0-9xX-]{1,20}$`
	}
	if !regexp.MustCompile(pattern).MatchString(account) {
		return wrong("bankAccount", "must match "+pattern)
	}
	return nil
}

func emptyAccount(m map[string]any) *fieldProblem {
	if str(m, "bank_account") != "" || str(m, "bank_branch") != "" {
		return wrong("bankAccount", "must be empty for PIX by key")
	}
	return nil
}

type bank struct {
	code, ispb, name string
	licensed         bool
}

func brazilBanks() []bank {
	return []bank{
		{"001", "00000000", "Banco do Brasil S.A.", true}, {"033", "90400888", "Banco Santander (Brasil) S.A.", true}, {"041", "92702067", "Banrisul S.A.", true},
		{"077", "00416968", "Banco Inter S.A.", true}, {"104", "00360305", "Caixa Econômica Federal", true}, {"237", "60746948", "Banco Bradesco S.A.", true},
		{"260", "18236120", "Nu Pagamentos S.A.", true}, {"323", "10573521", "Mercado Pago IP Ltda.", true}, {"341", "60701190", "Itaú Unibanco S.A.", true},
		{"990", "99000001", "Banco Sem Licença S.A.", false},
	}
}

func brazilBank(code string) (bank, bool) {
	i := slices.IndexFunc(brazilBanks(), func(b bank) bool { return b.code == code || b.ispb == code })
	if i < 0 {
		return bank{}, false
	}
	return brazilBanks()[i], true
}

func chile(m map[string]any) *fieldProblem {
	codes := strings.Fields("001 009 012 014 016 027 028 031 037 039 046 049 051 052 053 054 055 056 057 116 504 507")
	switch {
	case len(str(m, "document_id")) != 8 && len(str(m, "document_id")) != 9:
		return wrong("documentId", "length must be 8 or 9")
	case !slices.Contains([]string{"", "ID", "RUN", "RUT"}, str(m, "document_type")):
		return wrong("documentType", "must be ID, RUN or RUT")
	case !slices.Contains(codes, bankCode(m["bank_code"])):
		return &fieldProblem{303, "Invalid bank code"}
	case !regexp.MustCompile(`^\d{6,16}$`).MatchString(str(m, "bank_account")):
		return wrong("bankAccount", `must match ^\d{6,16}$`)
	case !slices.Contains([]string{"C", "S", "V"}, str(m, "account_type")):
		return wrong("accountType", "must be C, S or V")
	}
	return nil
}

func lastName(m map[string]any) *fieldProblem {
	if str(m, "beneficiary_lastname") == "" {
		return wrong("beneficiaryLastname", "must not be empty")
	}
	return nil
}

func mexico(m map[string]any) *fieldProblem {
	if p := lastName(m); p != nil {
		return p
	}
	if !clabeFits(str(m, "bank_account")) {
		return wrong("bankAccount", "must be a valid CLABE")
	}
	return nil
}

func colombia(m map[string]any) *fieldProblem {
	if p := lastName(m); p != nil {
		return p
	}
	code, account := bankCode(m["bank_code"]), str(m, "bank_account")
	switch {
	case code == "" || len(code) > 5:
		return &fieldProblem{303, "Invalid bank code"}
	case code == "10002" && str(m, "phone") == "":
		return &fieldProblem{540, "E-mail or phone required"}
	case code == "10001" || code == "10002" || code == "10003":
		return emptyAccount(m)
	case code == "1507" || code == "1551":
		if l := utf8.RuneCountInString(account); l < 1 || l > 20 {
			return wrong("bankAccount", "size must be between 1 and 20")
		}
		return nil
	case !regexp.MustCompile(`^\d{8,19}$`).MatchString(account):
		return wrong("bankAccount", `must match ^\d{8,19}$`)
	case str(m, "account_type") != "C" && str(m, "account_type") != "S":
		return wrong("accountType", "must be C or S")
	}
	return nil
}

func argentina(m map[string]any) *fieldProblem {
	if p := lastName(m); p != nil {
		return p
	}
	if !cbuFits(str(m, "bank_account")) {
		return wrong("bankAccount", "must be a valid CBU")
	}
	return nil
}

func peru(m map[string]any) *fieldProblem {
	length := map[string]int{"DNI": 8, "CE": 9, "RUC": 11, "PASS": 12}[str(m, "document_type")]
	switch {
	case length == 0:
		return wrong("documentType", "must be DNI, CE, RUC or PASS")
	case len(str(m, "document_id")) != length:
		return wrong("documentId", fmt.Sprintf("length must be %d", length))
	case !regexp.MustCompile(`^\d{1,20}$`).MatchString(str(m, "bank_account")):
		return wrong("bankAccount", "must be a CCI")
	case str(m, "account_type") != "C" && str(m, "account_type") != "S":
		return wrong("accountType", "must be C or S")
	}
	return nil
}

// contactRules are 541 and 542: with unique_contacts, an e-mail or phone belongs to the first document that used it. Holds the lock.
func (s *Sandbox) contactRules(m map[string]any) *fieldProblem {
	if s.opt.Settings["unique_contacts"] != "yes" {
		return nil
	}
	for key, code := range map[string]int{"email": 541, "phone": 542} {
		v := str(m, key)
		if v == "" {
			continue
		}
		if owner, used := s.contacts[v]; used && owner != str(m, "document_id") {
			return &fieldProblem{code, key + " used by another beneficiary"}
		}
		s.contacts[v] = str(m, "document_id")
	}
	return nil
}

// cpfFits: the tenth digit is the remainder of the weights 1 to 9, the eleventh that of 0 to 9, both modulo 11, ten counting as zero.
func cpfFits(s string) bool {
	if !regexp.MustCompile(`^\d{11}$`).MatchString(s) || strings.Trim(s, s[:1]) == "" {
		return false
	}
	first, second := 0, 0
	for i := range 9 {
		first += int(s[i]-'0') * (i + 1)
		second += int(s[i]-'0') * i
	}
	a := first % 11 % 10
	return int(s[9]-'0') == a && int(s[10]-'0') == (second+9*a)%11%10
}

func clabeFits(s string) bool {
	if !regexp.MustCompile(`^\d{18}$`).MatchString(s) {
		return false
	}
	sum := 0
	for i, r := range s[:17] {
		sum += int(r-'0') * []int{3, 7, 1}[i%3] % 10
	}
	return string(rune('0'+(10-sum%10)%10)) == s[17:]
}

func cbuFits(s string) bool {
	if !regexp.MustCompile(`^\d{22}$`).MatchString(s) {
		return false
	}
	check := func(block, weights string) bool {
		sum := 0
		for i := range weights {
			sum += int(block[i]-'0') * int(weights[i]-'0')
		}
		return int(block[len(weights)]-'0') == (10-sum%10)%10
	}
	return check(s[:8], "7139713") && check(s[8:], "3971397139713")
}
