package wspn

import (
	"context"
	"maps"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// lookUp is one Read and how it is answered.
type lookUp struct {
	providers.Read
	at     endpoint
	answer func(c *client, ctx context.Context, l lookUp, params map[string]string) (providers.Sheet, error)
}

func lookUps() []lookUp {
	order := []providers.Field{{Name: "order_id", Label: "WSPN's number", Kind: providers.Digits, Pattern: idPattern, PatternHelp: "A number.", MaxLen: 19},
		{Name: "reference", Label: "Our reference", MaxLen: 64, Pattern: `^[A-Za-z0-9-]+$`, PatternHelp: "Letters, digits and hyphens."}}
	list := []lookUp{
		{providers.Read{ID: "rate", Title: "Exchange rate", Mark: providers.Sibling, Item: "WSPN-FX-1", Params: []providers.Field{
			currencyParam("sell", "Sell", "USD"), currencyParam("buy", "Buy", stable)}}, exchangeRate, readRate},
		{providers.Read{ID: "conversions", Title: "Mint and redeem history", Mark: providers.Documented, Item: "WSPN-MINT-1", Help: "At most 50 rows.",
			Params: []providers.Field{optional(currencyParam("sell", "Sold", "")), optional(currencyParam("buy", "Bought", "")),
				{Name: "from", Label: "From", Kind: providers.Date}, {Name: "to", Label: "To", Kind: providers.Date}}}, mintSearch, readHistory},
		{providers.Read{ID: "bank_accounts", Title: "Registered bank accounts", Mark: providers.Assumed, Item: "WSPN-PATH-1"}, remitSearch, readBankAccounts},
		{providers.Read{ID: "deposit_accounts", Title: "WSPN's receiving accounts", Mark: providers.Assumed, Item: "WSPN-PATH-1",
			Params: []providers.Field{optional(currencyParam("currency", "Currency", ""))}}, remitDeposit, readDepositAccounts},
		{providers.Read{ID: "addresses", Title: "Whitelisted addresses", Mark: providers.Assumed, Item: "WSPN-PATH-1"}, whitelistSearch, readAddresses},
		{providers.Read{ID: "countries", Title: "Countries", Mark: providers.Assumed, Item: "WSPN-PATH-1"}, countryList, readCountries},
		{providers.Read{ID: "sub_accounts", Title: "Sub-accounts", Mark: providers.Documented}, subAccountList, readSubAccounts},
	}
	for _, o := range []struct {
		id, title string
		at        endpoint
		mark      providers.Mark
		item      string
	}{
		{"crypto_order", "Crypto order", cryptoOrder, providers.Assumed, "WSPN-ORD-1"}, {"fiat_order", "Fiat order", fiatOrder, providers.Assumed, "WSPN-PATH-1"},
		{"conversion_order", "Mint or redeem order", mintOrder, providers.Assumed, "WSPN-PATH-1"},
		{"crypto_receipt", "Crypto receipt", cryptoReceipt, providers.Assumed, "WSPN-PATH-1"},
		{"fiat_receipt", "Fiat receipt", fiatReceipt, providers.Assumed, "WSPN-PATH-1"},
		{"conversion_receipt", "Mint or redeem receipt", mintReceipt, providers.Assumed, "WSPN-PATH-1"},
	} {
		list = append(list, lookUp{providers.Read{ID: o.id, Title: o.title, Mark: o.mark, Item: o.item, Params: order, Help: "Give one of the two, or both of the same order."},
			o.at, readOneOrder})
	}
	return list
}

func currencyParam(name, label, def string) providers.Field {
	return providers.Field{Name: name, Label: label, Required: true, Default: def, MaxLen: 5, Pattern: `^[A-Z]{3,5}$`, PatternHelp: "Capital letters, for example USD."}
}

func optional(f providers.Field) providers.Field {
	f.Required = false
	return f
}

func reads() []providers.Read {
	var out []providers.Read
	for _, l := range lookUps() {
		out = append(out, l.Read)
	}
	return out
}

// LookUp answers one of the Reads. In live a read on a guessed path is refused until its path was typed (WSPN-PATH-1).
func (c *client) LookUp(ctx context.Context, id string, params map[string]string) (providers.Sheet, error) {
	for _, l := range lookUps() {
		if l.ID != id {
			continue
		}
		if why := c.locked(l.at); why != "" {
			return providers.Sheet{}, models.Errorf(models.Conflict, "%s", why)
		}
		if err := models.Problems(providers.CheckFields(l.Params, params)); err != nil {
			return providers.Sheet{}, err
		}
		return l.answer(c, ctx, l, params)
	}
	return providers.Sheet{}, models.Errorf(models.NotFound, "WSPN has no such look-up.")
}

func readRate(c *client, ctx context.Context, _ lookUp, p map[string]string) (providers.Sheet, error) {
	q, err := c.Quote(ctx, p["sell"], p["buy"], models.Money{})
	if err != nil {
		return providers.Sheet{}, err
	}
	return providers.Sheet{Columns: []string{"Sell", "Buy", "Rate", "Valid until"}, Raw: q.Raw, Note: "A quote lives 30 seconds and serves once; this one is not taken.",
		Rows: [][]string{{q.Sell, q.Buy, q.Rate, q.ExpiresAt.Time().Format("15:04:05 MST")}}}, nil
}

func readHistory(c *client, ctx context.Context, _ lookUp, p map[string]string) (providers.Sheet, error) {
	body := map[string]any{}
	put(body, "sellCurrency", p["sell"])
	put(body, "buyCurrency", p["buy"])
	if p["from"] != "" {
		body["createdTimeStart"] = p["from"] + " 00:00:00"
	}
	if p["to"] != "" {
		body["createdTimeEnd"] = p["to"] + " 23:59:59"
	}
	a, e := c.do(ctx, call{at: mintSearch, body: body, page: [2]int{1, historyRows}})
	if e != nil {
		return providers.Sheet{}, readError("The history", e)
	}
	members := []string{"id", "status", "sellAmount", "sellCurrency", "buyAmount", "buyCurrency", "rate", "createdTime", "completedTime"}
	return providers.Sheet{Columns: []string{"Id", "Status", "Sold", "", "Bought", "", "Rate", "Created", "Completed"}, Raw: a.raw,
		Rows: table(rows(a.object["resultList"]), members), Note: "Times are WSPN's, at " + c.set.zone.String() + "."}, nil
}

// table picks members of objects.
func table(list []object, members []string) [][]string {
	var out [][]string
	for _, o := range list {
		var row []string
		for _, m := range members {
			row = append(row, o.words(m))
		}
		out = append(out, row)
	}
	return out
}

func readBankAccounts(c *client, ctx context.Context, _ lookUp, _ map[string]string) (providers.Sheet, error) {
	list, err := c.BankAccounts(ctx)
	sheet := providers.Sheet{Columns: []string{"Id", "Account", "Currency", "Bank", "Country", "State"}}
	for _, e := range list {
		v := e.Values
		sheet.Rows = append(sheet.Rows, []string{e.ID, v["beneficiary_name"] + ", " + v["currency"] + " ···· " + lastFour(v["account"]), v["currency"], v["bank_name"],
			v["bank_country"], e.State})
	}
	return sheet, err
}

func lastFour(s string) string {
	r := []rune(s)
	return string(r[max(0, len(r)-4):])
}

func readDepositAccounts(c *client, ctx context.Context, l lookUp, p map[string]string) (providers.Sheet, error) {
	k := call{at: l.at}
	if p["currency"] != "" {
		k.query = [][2]string{{"currency", p["currency"]}}
	}
	a, e := c.do(ctx, k)
	if e != nil {
		return providers.Sheet{}, readError("The receiving accounts", e)
	}
	list := rows(a.object["resultList"])
	if len(list) == 0 {
		list = rows(a.object["result"])
	}
	sheet := providers.Sheet{Columns: []string{"Id", "Account", "Currency", "Bank", "SWIFT code"}, Raw: a.raw}
	for _, o := range list {
		sheet.Rows = append(sheet.Rows, []string{idText(o), strings.Trim(o.words("currency")+", "+o.words("beneficiaryBankName")+", "+o.words("beneficiaryAccount"), ", "),
			o.words("currency"), o.words("beneficiaryBankName"), o.words("beneficiaryBankSwiftCode")})
	}
	return sheet, nil
}

func readAddresses(c *client, ctx context.Context, _ lookUp, _ map[string]string) (providers.Sheet, error) {
	list, err := c.Addresses(ctx)
	sheet := providers.Sheet{Columns: []string{"Address", "Network", "Label", "State", "Id"}}
	for _, e := range list {
		sheet.Rows = append(sheet.Rows, []string{e.Values["address"], e.Values["network"], e.Values["label"], e.State, e.ID})
	}
	return sheet, err
}

func readCountries(c *client, ctx context.Context, l lookUp, _ map[string]string) (providers.Sheet, error) {
	a, e := c.do(ctx, call{at: l.at})
	if e != nil {
		return providers.Sheet{}, readError("The list of countries", e)
	}
	list := rows(a.object["resultList"])
	if len(list) == 0 {
		list = rows(a.object["result"])
	}
	return providers.Sheet{Columns: []string{"Code", "Country"}, Rows: table(list, []string{"codeAlpha3", "name"}), Raw: a.raw}, nil
}

func readSubAccounts(c *client, ctx context.Context, _ lookUp, _ map[string]string) (providers.Sheet, error) {
	list, pages, err := c.ListSubAccounts(ctx, 1)
	sheet := providers.Sheet{Columns: []string{"Id", "Company", "Country", "Type", "State", "Username"}}
	if pages > 1 {
		sheet.Note = "Only the first 50 are shown."
	}
	for _, s := range list {
		sheet.Rows = append(sheet.Rows, []string{s.ID, s.Company, s.Country, s.Type, s.State, s.Username})
	}
	return sheet, err
}

// readOneOrder shows every member of an order or receipt: the schema is known in part only, so unknown members are kept (P-CORD).
func readOneOrder(c *client, ctx context.Context, l lookUp, p map[string]string) (providers.Sheet, error) {
	body := map[string]any{}
	put(body, "requestId", p["reference"])
	if id := parseID(p["order_id"]); id != 0 {
		body["orderId"] = id
	}
	if len(body) == 0 {
		return providers.Sheet{}, models.FieldErrorf("order_id", "Give WSPN's number or our reference.")
	}
	a, e := c.do(ctx, call{at: l.at, body: body})
	if e != nil {
		return providers.Sheet{}, readError("The "+strings.ToLower(l.Title), e)
	}
	list := rows(a.object["result"])
	if len(list) == 0 || len(list[0]) == 0 {
		return providers.Sheet{}, models.Errorf(models.NotFound, "WSPN answered without an order.")
	}
	sheet := providers.Sheet{Columns: []string{"Member", "Value"}, Raw: a.raw}
	for _, k := range slices.Sorted(maps.Keys(list[0])) {
		if v := list[0].words(k); v != "" {
			sheet.Rows = append(sheet.Rows, []string{clean(k, 64), v})
		}
	}
	return sheet, nil
}
