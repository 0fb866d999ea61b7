package onekey

import (
	"countinghouse/models"
	"countinghouse/providers"
)

// methods lists the ways to send and to take money. Forms ask only what the country and the way need.
func methods() []providers.Method {
	all := brazilPayouts()
	all = append(all, otherPayouts()...)
	all = append(all, depositMethods()...)
	return append(all, refundAndTransferMethods()...)
}

// PIX is chosen by a pseudo bank code; there is no field for the key (contract 3.11.1). A random key has no known code: 10003 is not to
// be guessed, because on the Colombian list these numbers mean other things.
const (
	pixPhone = "10000"
	pixEmail = "10001"
	pixCPF   = "10002"
)

// fixedBank is the bank code that a method itself stands for.
func fixedBank(method string) string {
	return map[string]string{"br_pix_phone": pixPhone, "br_pix_email": pixEmail, "br_pix_cpf": pixCPF, "co_nequi": "1507", "co_daviplata": "1551"}[method]
}

func name(required bool) []providers.Field {
	return []providers.Field{
		{Name: "beneficiary_name", Label: "First name or company", Required: true, MaxLen: 100, Role: providers.RoleOwner},
		{Name: "beneficiary_lastname", Label: "Last name", Required: required, MaxLen: 100, Role: providers.RoleLastName},
	}
}

func cpf() providers.Field {
	return providers.Field{Name: "document_id", Label: "CPF of the beneficiary", Kind: providers.Digits, Required: true, MaxLen: 11, Role: providers.RoleDocument,
		Pattern: `^\d{11}$`, PatternHelp: "A CPF has 11 digits, without dots and dash."}
}

func brazilPayouts() []providers.Method {
	fullName := providers.Field{Name: "beneficiary_name", Label: "Full name of the beneficiary", Required: true, MaxLen: 100, Role: providers.RoleOwner}
	brl := []string{"BRL", "USD"}
	pix := func(id, title, note string, fields ...providers.Field) providers.Method {
		return providers.Method{ID: id, Kind: models.Payout, Title: title, Country: "BR", Assets: brl, Mark: providers.Documented, Note: note, To: models.ToPIX,
			Fields: append([]providers.Field{fullName, cpf()}, fields...)}
	}
	random := pix("br_pix_random", "PIX by random key, Brazil", "")
	random.Mark, random.Items = providers.Assumed, []string{"OKP-BR-1"}
	random.Locked = "OneKey's documentation has no bank code for random PIX keys. Ask OneKey; guessing one could pay somebody else."
	return []providers.Method{
		pix("br_pix_cpf", "PIX by CPF, Brazil", "The CPF is the PIX key."),
		pix("br_pix_phone", "PIX by phone, Brazil", "The phone number is the PIX key.", providers.Field{Name: "phone", Label: "Phone, the PIX key", Kind: providers.Phone,
			Required: true, MaxLen: 20, Role: providers.RoleAccount, Pattern: `^\+55\d{10,11}$`, PatternHelp: "Write it as +55, area code and number, for example +5511666666666."}),
		pix("br_pix_email", "PIX by e-mail, Brazil", "The e-mail address is the PIX key.", providers.Field{Name: "email", Label: "E-mail, the PIX key", Kind: providers.Email,
			Required: true, MaxLen: 100, Role: providers.RoleAccount, Pattern: emailPattern, PatternHelp: "Write a full e-mail address."}),
		random,
		{ID: "br_bank", Kind: models.Payout, To: models.ToBank, Title: "Bank account, Brazil", Country: "BR", Assets: brl, Mark: providers.Documented,
			Note: "Savings accounts rest on OKP-BR-1 and are switched on in the credential's settings.",
			Fields: []providers.Field{
				fullName, cpf(),
				{Name: "bank_code", Label: "Bank", Kind: providers.Digits, Required: true, MaxLen: 8, Lookup: "banks", Role: providers.RoleBank,
					Help: "The three-digit bank code or the eight-digit ISPB.", Pattern: `^(\d{3}|\d{8})$`, PatternHelp: "A bank code has 3 digits, an ISPB 8. Leading zeros count."},
				{Name: "bank_branch", Label: "Branch", Required: true, MaxLen: 20, Help: "For example 1234."},
				{Name: "bank_account", Label: "Account", Required: true, MaxLen: 40, Role: providers.RoleAccount, Help: "With its check digit, for example 3423422-7."},
				{Name: "account_type", Label: "Account type", Kind: providers.Select, Required: true, Default: "C", Item: "OKP-BR-1",
					Options: []providers.Option{{Value: "C", Label: "Checking"}, {Value: "S", Label: "Savings"}}},
			}},
	}
}

const emailPattern = `^[^\s@<>"',;:\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,24}$`

func otherPayouts() []providers.Method {
	sibling := []string{"OKP-CTY-1"}
	card := providers.Method{ID: "mx_debit_card", Kind: models.Payout, To: models.ToCard, Title: "Debit card, Mexico", Country: "MX", Assets: []string{"MXN"}, Mark: providers.Assumed, Items: []string{"OKP-ENV-2"},
		Locked: "A payout to a debit card needs the whole card number. Countinghouse keeps no card numbers, so that it stays outside PCI DSS: pay the CLABE instead."}
	return []providers.Method{
		{ID: "cl_bank", Kind: models.Payout, To: models.ToBank, Title: "Bank account, Chile", Country: "CL", Assets: []string{"CLP", "USD"}, Mark: providers.Documented, Fields: chileFields(),
			Note: "Pesos are sent whole."},
		{ID: "mx_clabe", Kind: models.Payout, To: models.ToBank, Title: "CLABE, Mexico", Country: "MX", Assets: []string{"MXN", "USD"}, Mark: providers.Sibling, Items: sibling,
			Fields: append(name(true),
				providers.Field{Name: "document_type", Label: "Document", Kind: providers.Select, Required: true, Default: "CURP", Item: "OKP-CTY-1", Options: []providers.Option{{Value: "CURP", Label: "CURP"}}},
				providers.Field{Name: "document_id", Label: "Document number", Required: true, MaxLen: 18, Role: providers.RoleDocument, Item: "OKP-CTY-1", Pattern: `^[A-Za-z0-9]{18}$`, PatternHelp: "A CURP has 18 letters and digits."},
				providers.Field{Name: "bank_account", Label: "CLABE", Kind: providers.Digits, Required: true, MaxLen: 18, Role: providers.RoleAccount,
					Pattern: `^\d{18}$`, PatternHelp: "A CLABE has 18 digits.", Help: "Its first three digits are the bank."})},
		card,
		{ID: "co_bank", Kind: models.Payout, To: models.ToBank, Title: "Bank account, Colombia", Country: "CO", Assets: []string{"COP", "USD"}, Mark: providers.Sibling, Items: sibling,
			Fields: append(colombiaPerson(),
				providers.Field{Name: "bank_code", Label: "Bank code", Kind: providers.Digits, Required: true, MaxLen: 5, Role: providers.RoleBank, Pattern: `^\d{1,5}$`, PatternHelp: "A bank code has up to 5 digits."},
				providers.Field{Name: "bank_account", Label: "Account", Kind: providers.Digits, Required: true, MaxLen: 19, Role: providers.RoleAccount, Pattern: `^\d{8,19}$`, PatternHelp: "An account has 8 to 19 digits."},
				accountTypes("C", "S"))},
		{ID: "co_nequi", Kind: models.Payout, To: models.ToMobile, Title: "Nequi, Colombia", Country: "CO", Assets: []string{"COP"}, Mark: providers.Sibling, Items: sibling, Fields: append(colombiaPerson(), walletNumber())},
		{ID: "co_daviplata", Kind: models.Payout, To: models.ToMobile, Title: "Daviplata, Colombia", Country: "CO", Assets: []string{"COP"}, Mark: providers.Sibling, Items: sibling, Fields: append(colombiaPerson(), walletNumber())},
		{ID: "ar_cbu", Kind: models.Payout, To: models.ToBank, Title: "CBU or CVU, Argentina", Country: "AR", Assets: []string{"ARS", "USD"}, Mark: providers.Sibling, Items: sibling,
			Fields: append(name(true), documentType("DNI", "CUIT", "CUIL"), documentID(11, `^\d{7,11}$`, "A DNI has 7 to 9 digits, a CUIT or CUIL 11."),
				providers.Field{Name: "bank_account", Label: "CBU or CVU", Kind: providers.Digits, Required: true, MaxLen: 22, Role: providers.RoleAccount, Item: "OKP-CTY-2", Pattern: `^\d{22}$`, PatternHelp: "A CBU has 22 digits."})},
		{ID: "pe_cci", Kind: models.Payout, To: models.ToBank, Title: "CCI, Peru", Country: "PE", Assets: []string{"PEN", "USD"}, Mark: providers.Sibling, Items: sibling,
			Fields: append(name(true), documentType("DNI", "CE", "RUC", "PASS"), documentID(12, `^[A-Za-z0-9]{8,12}$`, "A DNI has 8 digits, a CE 9, a RUC 11, a passport 12 characters."),
				providers.Field{Name: "bank_account", Label: "CCI", Kind: providers.Digits, Required: true, MaxLen: 20, Role: providers.RoleAccount, Pattern: `^\d{1,20}$`, PatternHelp: "A CCI has up to 20 digits."},
				accountTypes("C", "S"))},
	}
}

func documentType(codes ...string) providers.Field {
	f := providers.Field{Name: "document_type", Label: "Document", Kind: providers.Select, Required: true, Default: codes[0], Item: "OKP-CTY-1"}
	for _, c := range codes {
		f.Options = append(f.Options, providers.Option{Value: c, Label: c})
	}
	return f
}

func documentID(limit int, pattern, help string) providers.Field {
	return providers.Field{Name: "document_id", Label: "Document number", Required: true, MaxLen: limit, Role: providers.RoleDocument, Item: "OKP-CTY-1", Pattern: pattern, PatternHelp: help}
}

func accountTypes(codes ...string) providers.Field {
	words := map[string]string{"C": "Checking", "S": "Savings", "V": "Cuenta vista"}
	f := providers.Field{Name: "account_type", Label: "Account type", Kind: providers.Select, Required: true, Default: codes[0]}
	for _, c := range codes {
		f.Options = append(f.Options, providers.Option{Value: c, Label: words[c]})
	}
	return f
}

func colombiaPerson() []providers.Field {
	return append(name(true), documentType("CC", "CE", "NIT"), documentID(15, `^\d{6,15}$`, "A CC or CE has 6 to 10 digits, a NIT 8 to 15."),
		providers.Field{Name: "address", Label: "Address", MaxLen: 255}, providers.Field{Name: "phone", Label: "Phone", Kind: providers.Phone, MaxLen: 20, Pattern: phonePattern, PatternHelp: phoneHelp})
}

const (
	phonePattern = `^\+?\d{6,15}$`
	phoneHelp    = "Write up to 15 digits, with + and the country code."
)

// walletNumber is the account at Nequi or Daviplata. The sibling pattern admits anything of 1 to 20 characters; a mobile number is meant.
func walletNumber() providers.Field {
	return providers.Field{Name: "bank_account", Label: "Mobile number of the wallet", Kind: providers.Digits, Required: true, MaxLen: 20, Role: providers.RoleAccount,
		Item: "OKP-CTY-1", Pattern: `^\d{10,12}$`, PatternHelp: "Write the mobile number in digits, for example 573001234567."}
}

// chileFields are OneKey's own rules for Chile, complete (contract 5.2).
func chileFields() []providers.Field {
	banks := []providers.Option{
		{Value: "001", Label: "Banco de Chile, Edwards, Citi"}, {Value: "009", Label: "Internacional"}, {Value: "012", Label: "Estado"},
		{Value: "014", Label: "Scotiabank"}, {Value: "016", Label: "BCI"}, {Value: "027", Label: "Corpbanca"}, {Value: "028", Label: "BICE"},
		{Value: "031", Label: "HSBC"}, {Value: "037", Label: "Santander"}, {Value: "039", Label: "Itaú"}, {Value: "046", Label: "ABN Amro"},
		{Value: "049", Label: "Security"}, {Value: "051", Label: "Falabella"}, {Value: "052", Label: "Deutsche"}, {Value: "053", Label: "Ripley"},
		{Value: "054", Label: "Rabobank"}, {Value: "055", Label: "Consorcio"}, {Value: "056", Label: "Penta"}, {Value: "057", Label: "Paris"},
		{Value: "116", Label: "BCI (Mach)"}, {Value: "504", Label: "BBVA"}, {Value: "507", Label: "Desarrollo"},
	}
	return []providers.Field{
		{Name: "beneficiary_name", Label: "Full name of the beneficiary", Required: true, MaxLen: 100, Role: providers.RoleOwner},
		{Name: "document_type", Label: "Document", Kind: providers.Select, Required: true, Default: "RUT", Options: []providers.Option{{Value: "RUT", Label: "RUT"}, {Value: "RUN", Label: "RUN"}, {Value: "ID", Label: "ID"}}},
		{Name: "document_id", Label: "Document number", Required: true, MaxLen: 9, Role: providers.RoleDocument, Pattern: `^\d{7,8}[\dkK]$`, PatternHelp: "8 or 9 characters without dots and dash, for example 123456785."},
		{Name: "bank_code", Label: "Bank", Kind: providers.Select, Required: true, Options: banks, Role: providers.RoleBank},
		{Name: "bank_account", Label: "Account", Kind: providers.Digits, Required: true, MaxLen: 16, Role: providers.RoleAccount, Pattern: `^\d{6,16}$`, PatternHelp: "An account has 6 to 16 digits."},
		accountTypes("C", "S", "V"),
	}
}
