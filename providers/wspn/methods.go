package wspn

import (
	"countinghouse/models"
	"countinghouse/providers"
)

// signed names the items that every call rests on.
func signed(more ...string) []string {
	return append([]string{"WSPN-SIG-1", "WSPN-SIG-2", "WSPN-SIG-3", "WSPN-SIG-5", "WSPN-TOK-1", "WSPN-TOK-2", "WSPN-ERR-1"}, more...)
}

const lockedLive = "How WSPN signs requests is a guess until its page 5743931m0 was read and a signed call was accepted in its test environment."

func methods() []providers.Method {
	return []providers.Method{
		{ID: payFiat, Kind: models.Payout, Title: "Bank transfer to a registered account", Assets: []string{"USD", "EUR", "JPY"}, Mark: providers.Assumed,
			Items: signed("WSPN-FWD-1", "WSPN-ALL-1", "WSPN-RESP-1"), LockedLive: lockedLive, Minimum: "100", ByAddressBook: true, To: models.ToBank, Book: models.AccountsBook, EntryField: "remit_info_id",
			Note:   "Goes to a bank account that is registered at WSPN, in that account's currency. At least 100.",
			Fields: fiatFields()},
		{ID: payCrypto, Kind: models.Payout, Title: "WUSD on chain to a whitelisted address", Assets: []string{stable}, Mark: providers.Assumed,
			Items: signed("WSPN-CWD-1", "WSPN-ADDR-1", "WSPN-ALL-1", "WSPN-AMT-1"), ByAddressBook: true, To: models.ToAddress, Book: models.AddressesBook,
			LockedLive: "All fields of this call are a guess: WSPN's page of it could not be read.",
			Note:       "The address must stand in WSPN's whitelist for this network. Sending on the wrong network can lose the money.",
			Fields:     []providers.Field{networkField(), addressField()}},
		{ID: takeFiat, Kind: models.Deposit, Title: "Bank transfer, announced with proof", Assets: []string{"USD", "EUR", "JPY"}, Mark: providers.Assumed,
			Items: signed("WSPN-FDEP-1", "WSPN-FILE-1", "WSPN-RESP-1"), LockedLive: lockedLive,
			Note:   "Pay to one of WSPN's receiving accounts first, then announce the transfer with the bank's number and its proof.",
			Fields: depositFields()},
		{ID: takeAddress, Kind: models.Deposit, Title: "WUSD on chain to our address", Assets: []string{stable}, Mark: providers.Assumed,
			Items: signed("WSPN-PATH-1", "WSPN-ADDR-1", "WSPN-FLOW-1"), LockedLive: "The path and the fields of this call are a guess: WSPN's page of it could not be read.",
			Note:   "WSPN gives the same address every time and makes an order of its own for what arrives: a person matches it to this deposit.",
			Fields: []providers.Field{networkField()}},
		{ID: mint, Kind: models.Conversion, Title: "Mint: sell a currency, buy WUSD", Assets: []string{"USD", "EUR", "JPY"}, Mark: providers.Assumed,
			Items: signed("WSPN-FX-1", "WSPN-FX-2", "WSPN-ALL-1"), LockedLive: lockedLive, Note: "The quote lives 30 seconds and serves once."},
		{ID: redeem, Kind: models.Conversion, Title: "Redeem: sell WUSD, buy a currency", Assets: []string{stable}, Mark: providers.Assumed,
			Items: signed("WSPN-FX-1", "WSPN-FX-2", "WSPN-ALL-1"), LockedLive: lockedLive, Note: "The quote lives 30 seconds and serves once.",
			Fields: []providers.Field{{Name: "buy_currency", Label: "Currency to buy", Pattern: `^[A-Z]{3}$`, PatternHelp: "Three letters, for example USD.",
				Default: "USD", MaxLen: 3, Help: "USD, EUR and JPY are known; WSPN's list is not complete."}}},
	}
}

func fiatFields() []providers.Field {
	return []providers.Field{
		{Name: "remit_info_id", Label: "Bank account at WSPN", Kind: providers.Digits, Required: true, Lookup: "bank_accounts", Role: providers.RoleAccount,
			Pattern: idPattern, PatternHelp: "The number of the account at WSPN.", MaxLen: 19, Help: "Accounts are registered at WSPN before they can be paid."},
		{Name: "reference_no", Label: "Reference on the bank statement", MaxLen: 255, PerPayment: true, Help: "Our own reference when left empty."},
		{Name: "purpose", Label: "Purpose of the transfer", MaxLen: 255, PerPayment: true},
	}
}

func depositFields() []providers.Field {
	return []providers.Field{
		{Name: "remit_info_id", Label: "WSPN's receiving account", Kind: providers.Digits, Required: true, Lookup: "deposit_accounts", Role: providers.RoleAccount,
			Pattern: idPattern, PatternHelp: "The number of the account at WSPN.", MaxLen: 19, Help: "Its currency must be the deposit's."},
		{Name: "reference_no", Label: "The bank's transfer number", MaxLen: 255, Try: "FT2611220001", Help: "Required unless the transfer came through a Green Link account."},
		{Name: "file_ids", Label: "Proof of transfer", Kind: providers.Files, MaxLen: 40, Pattern: `^[1-9][0-9]{0,18}(,[1-9][0-9]{0,18}){0,1}$`, Item: "WSPN-FILE-1",
			PatternHelp: "At most 2 files.", Help: "1 or 2 files. Required unless the transfer came through a Green Link account."},
		{Name: "green_link", Label: "Through a virtual account at Green Link Digital Bank", Kind: providers.Checkbox, Try: "1", Item: "WSPN-FDEP-1"},
		{Name: "remark", Label: "Remark", MaxLen: 255},
	}
}

const idPattern = `^[1-9][0-9]{0,18}$`

func networkField() providers.Field {
	return providers.Field{Name: "network", Label: "Network", Kind: providers.Select, Required: true, Role: providers.RoleNetwork, Item: "WSPN-ADDR-1",
		Options: []providers.Option{{Value: "Ethereum", Label: "Ethereum"}, {Value: "Polygon", Label: "Polygon"}, {Value: "Viction", Label: "Viction"}},
		Help:    "Network and address must belong together."}
}

func addressField() providers.Field {
	return providers.Field{Name: "address", Label: "Address", Required: true, Role: providers.RoleAccount, Pattern: `^0x[0-9a-fA-F]{40}$`,
		PatternHelp: "The address is 0x and 40 hexadecimal digits.", MaxLen: 42}
}

func methodByID(id string) (providers.Method, bool) {
	for _, m := range methods() {
		if m.ID == id {
			return m, true
		}
	}
	return providers.Method{}, false
}

// checkRequest is Description.CheckRequest.
func checkRequest(chosen map[string]string, m providers.Method, amount models.Money, values map[string]string) []models.Problem {
	// The environment only decides what status words mean, which no rule here looks at.
	s, err := readSettings(models.Live, chosen)
	if err != nil {
		return []models.Problem{{Sentence: err.Error()}}
	}
	return checkWith(&s, m, amount, values)
}

// checkWith applies WSPN's own rules. The client applies it again before it sends.
func checkWith(s *settings, m providers.Method, amount models.Money, values map[string]string) []models.Problem {
	trimmed := trimmedValues(values)
	ps := providers.CheckFields(m.Fields, trimmed)
	add := func(field, sentence string) { ps = append(ps, models.Problem{Field: field, Sentence: sentence}) }
	if m.ID != takeAddress {
		if _, err := wireAmount(s, amount); err != nil {
			add("amount", err.Error())
		}
	}
	switch m.ID {
	case payFiat:
		if amount.Minor > 0 && amount.Decimal().LessThan(s.minimum) {
			add("amount", "WSPN pays out at least "+s.minimum.String()+" "+amount.Asset+" at a time; this is "+amount.String()+".")
		}
		if v := trimmed["remit_info_id"]; len(v) == 19 && parseID(v) == 0 {
			add("remit_info_id", "The number of the account is too large to be one of WSPN's.")
		}
		if amount.Asset == stable {
			add("amount", "A bank account is paid in its currency, not in "+stable+". Redeem first.")
		}
	case takeFiat:
		ps = append(ps, checkDeposit(amount, trimmed)...)
	case takeAddress:
		if amount.Asset != stable {
			add("amount", "On chain only "+stable+" is taken.")
		}
	case payCrypto:
		if amount.Asset != stable {
			add("amount", "On chain only "+stable+" is sent.")
		}
		if _, ok := s.networks[values["network"]]; !ok && values["network"] != "" {
			add("network", "WSPN's code of this network is not among the credential's settings.")
		}
	case mint:
		if amount.Asset == stable {
			add("amount", "Mint sells a currency. To sell "+stable+", redeem.")
		}
	case redeem:
		if amount.Asset != stable {
			add("amount", "Redeem sells "+stable+". To sell "+amount.Asset+", mint.")
		}
	}
	return ps
}

// checkDeposit holds the rules of P-FDEP that depend on one another.
func checkDeposit(amount models.Money, values map[string]string) []models.Problem {
	var ps []models.Problem
	add := func(field, sentence string) { ps = append(ps, models.Problem{Field: field, Sentence: sentence}) }
	if amount.Asset == stable {
		add("amount", "A bank transfer is in a currency. "+stable+" arrives on chain.")
	}
	if v := values["remit_info_id"]; len(v) == 19 && parseID(v) == 0 {
		add("remit_info_id", "The number of the account is too large to be one of WSPN's.")
	}
	if ticked(values["green_link"]) {
		return ps
	}
	if values["reference_no"] == "" {
		add("reference_no", "The bank's transfer number is missing.")
	}
	if len(fileIDs(values["file_ids"])) == 0 {
		add("file_ids", "The proof of transfer is missing: upload 1 or 2 files.")
	}
	return ps
}
