package onekey

import (
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// depositMethods are the ways to take money. OneKey falls back to its hosted page whenever data is missing, so only what makes a payment
// possible at once is asked for. Only local currencies are offered: what a status says in local_amount of a deposit asked for in US dollars is
// not documented, so it could not be compared with what was asked.
func depositMethods() []providers.Method {
	all := []providers.Method{
		{ID: "dep_br_pix_quickpay", Kind: models.Deposit, Title: "PIX Quickpay, Brazil", Country: "BR", Assets: []string{"BRL"}, Mark: providers.Documented,
			Note: "Nothing is asked of the payer. Who paid is known after the payment."},
		{ID: "dep_br_pix", Kind: models.Deposit, Title: "PIX, Brazil", Country: "BR", Assets: []string{"BRL"}, Mark: providers.Documented,
			Fields: []providers.Field{
				{Name: "document", Label: "CPF of the payer", Kind: providers.Digits, Required: true, MaxLen: 11, Role: providers.RoleDocument, Pattern: `^\d{11}$`, PatternHelp: "A CPF has 11 digits, without dots and dash."},
				{Name: "first_name", Label: "First name", Required: true, MaxLen: 100, Role: providers.RoleOwner},
				{Name: "last_name", Label: "Last name", Required: true, MaxLen: 100, Role: providers.RoleLastName},
				payerEmail(true),
			}},
	}
	for _, country := range []struct{ code, name, currency string }{
		{"BR", "Brazil", "BRL"}, {"CL", "Chile", "CLP"}, {"MX", "Mexico", "MXN"}, {"CO", "Colombia", "COP"}, {"AR", "Argentina", "ARS"}, {"PE", "Peru", "PEN"},
	} {
		m := providers.Method{ID: "dep_hosted_" + strings.ToLower(country.code), Kind: models.Deposit, Title: "OneKey's page, " + country.name, Country: country.code,
			Assets: []string{country.currency}, Mark: providers.Documented, Note: "The payer is sent to OneKey's page and chooses there what is not given here.",
			Fields: []providers.Field{
				{Name: "payment_method", Label: "Payment method code", MaxLen: 20, Help: "From OneKey's list, for example IX for PIX. Empty: the payer chooses.", Pattern: `^[A-Z0-9_]{1,20}$`, PatternHelp: "A code has capital letters and digits."},
				{Name: "first_name", Label: "First name", MaxLen: 100, Role: providers.RoleOwner},
				{Name: "last_name", Label: "Last name", MaxLen: 100, Role: providers.RoleLastName},
				payerEmail(false),
				{Name: "document", Label: "Document number", MaxLen: 30, Role: providers.RoleDocument, Pattern: `^[A-Za-z0-9]{1,30}$`, PatternHelp: "Write letters and digits only."},
				{Name: "language", Label: "Language of the page", Kind: providers.Select, Options: []providers.Option{{Value: "pt", Label: "Portuguese"}, {Value: "es", Label: "Spanish"}, {Value: "en", Label: "English"}}},
			}}
		if country.code != "BR" {
			// No page names the currency table of the other countries (contract 5.5).
			m.Mark, m.Items = providers.Sibling, []string{"OKP-CTY-1"}
		}
		all = append(all, m)
	}
	return append(all, cardMethod())
}

func payerEmail(required bool) providers.Field {
	return providers.Field{Name: "email", Label: "E-mail of the payer", Kind: providers.Email, Required: required, MaxLen: 100, Pattern: emailPattern, PatternHelp: "Write a full e-mail address."}
}

// cardMethod charges a card that OneKey keeps, by its identifier.
func cardMethod() providers.Method {
	return providers.Method{ID: cardOnFile, Kind: models.Deposit, Title: "Card kept by OneKey", Assets: []string{"BRL", "CLP", "MXN", "COP", "ARS", "PEN"}, Mark: providers.Sibling, Items: []string{"OKP-DEP-4", "OKP-CTY-1"},
		Note: "For PCI-certified merchants. Countinghouse never takes a card number: only the identifier that OneKey gave for the card.",
		Fields: []providers.Field{
			{Name: "country", Label: "Country", Kind: providers.Select, Required: true, Options: []providers.Option{{Value: "BR", Label: "Brazil"}, {Value: "CL", Label: "Chile"}, {Value: "MX", Label: "Mexico"},
				{Value: "CO", Label: "Colombia"}, {Value: "AR", Label: "Argentina"}, {Value: "PE", Label: "Peru"}}},
			{Name: "card_identifier", Label: "Card identifier", Required: true, MaxLen: 50, Role: providers.RoleAccount, Pattern: `^[A-Za-z_-][A-Za-z0-9_-]{7,49}$`, PatternHelp: "OneKey's identifier begins with a letter. Never type a card number here."},
			{Name: "installments", Label: "Instalments", Kind: providers.Digits, MaxLen: 2, Pattern: `^([1-9]|1[0-2])$`, PatternHelp: "1 to 12."},
			{Name: "client_ip", Label: "Address of the payer's device", Required: true, MaxLen: 45, Help: "IPv4 or IPv6; OneKey wants it for cards.", Pattern: `^[0-9A-Fa-f.:]{3,45}$`, PatternHelp: "Write an IP address."},
			{Name: "document", Label: "Document number", Required: true, MaxLen: 30, Role: providers.RoleDocument, Pattern: `^[A-Za-z0-9]{1,30}$`, PatternHelp: "Write letters and digits only."},
			{Name: "first_name", Label: "First name", Required: true, MaxLen: 100, Role: providers.RoleOwner},
			{Name: "last_name", Label: "Last name", Required: true, MaxLen: 100, Role: providers.RoleLastName},
			payerEmail(true),
		}}
}

func refundAndTransferMethods() []providers.Method {
	wallets := []providers.Option{{Value: "PROPRIETARY", Label: "Proprietary (our own money)"}, {Value: "TRANSACTIONAL", Label: "Transactional (players' money)"}}
	return []providers.Method{
		{ID: "refund_card", Kind: models.Refund, Title: "Back to the card", Mark: providers.Documented, Note: "For deposits by card. Whether a part can be given back to a card is not clear: OneKey's pages disagree."},
		{ID: "refund_bank", Kind: models.Refund, Title: "To a bank account", Mark: providers.Sibling, Items: []string{"OKP-DEP-4"}, Note: "For deposits that were not paid by card.",
			Fields: []providers.Field{
				{Name: "beneficiary", Label: "Owner of the account", Required: true, MaxLen: 100, Role: providers.RoleOwner},
				{Name: "bank_code", Label: "Bank code", Kind: providers.Digits, Required: true, MaxLen: 8, Role: providers.RoleBank, Pattern: `^\d{1,8}$`, PatternHelp: "A bank code has up to 8 digits."},
				{Name: "branch", Label: "Branch", MaxLen: 20},
				{Name: "account_number", Label: "Account", Required: true, MaxLen: 40, Role: providers.RoleAccount},
				{Name: "account_type", Label: "Account type", Kind: providers.Select, Required: true, Default: "CHECKING", Item: "OKP-DEP-4",
					Options: []providers.Option{{Value: "CHECKING", Label: "Checking"}, {Value: "SAVING", Label: "Savings"}}},
			}},
		{ID: walletTransfer, Kind: models.Transfer, Title: "Between the wallets", Country: "BR", Assets: []string{"BRL"}, Mark: providers.Documented,
			Note: "For Brazilian gaming merchants whose transactional account is enabled. Cashouts are paid from it first.",
			Fields: []providers.Field{
				{Name: "from", Label: "From", Kind: providers.Select, Required: true, Default: "PROPRIETARY", Options: wallets},
				{Name: "to", Label: "To", Kind: providers.Select, Required: true, Default: "TRANSACTIONAL", Options: wallets},
			}},
	}
}
